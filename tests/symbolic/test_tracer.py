"""One tracer reads every forward and every rule into an expression that computes the same, or says why it cannot."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_lstm as tl
from tests.conftest import half
from tinygrad_lstm.engine.ops import BUILTIN
from tinygrad_lstm.engine.primitive import Primitive
from tinygrad_lstm.symbolic.expressions import Apply, Constant
from tinygrad_lstm.symbolic.tracer import cast, evaluate, read_forward, read_rule
from tinygrad_lstm.symbolic.written import text
from tinygrad_lstm.testing.generate.cases import CASES

pytestmark = pytest.mark.filterwarnings("ignore:invalid value|divide by zero|overflow:RuntimeWarning")

SHAPES = {"reshape", "transpose", "broadcast_to", "getitem", "index_add", "concat", "stack", "where", "einsum"}


def numpys(traced, names):
    """What numpy makes of expressions."""

    def apply(function, operands, attrs):
        return (function.forward if isinstance(function, Primitive) else function)(*operands, **attrs)

    return evaluate(traced, names, apply, lambda constant: constant)


def named(arrays):
    return {f"x{i}": x for i, x in enumerate(arrays)}


def functions(expression):
    if not isinstance(expression, Apply):
        return []
    return [expression.function, *(f for operand in expression.operands for f in functions(operand))]


def the_node(case):
    return tl.Graph(case.f(*[tl.tensor(np.asarray(x), requires_grad=True) for x in case.inputs])).output


@pytest.mark.parametrize("name", CASES)
@half
@given(data=st.data())
def test_a_forward_that_is_read_computes_what_it_is_read_from(name, data):
    node = the_node(data.draw(CASES[name]))
    made = read_forward(node.primitive, node.input_values, node.attrs)
    (value,) = numpys([made], named(node.input_values))
    np.testing.assert_array_equal(value, node.value)
    assert value.dtype == node.dtype
    for function in functions(made.expression):
        if isinstance(function, Primitive):
            assert function.name in SHAPES
        else:
            assert isinstance(function, np.ufunc) or function is cast or isinstance(function.__self__, np.ufunc)


@pytest.mark.parametrize("name", [name for name in CASES if BUILTIN[name].rule])
@pytest.mark.parametrize("opened", [False, True])
@half
@given(data=st.data())
def test_a_rule_that_is_read_computes_what_it_is_read_from(name, opened, data):
    node = the_node(data.draw(CASES[name]))
    arrays = [np.ones_like(node.value), node.value, *node.input_values]
    expected = node.primitive.rule(*arrays, **node.attrs)
    made = read_rule(node.primitive, named_as(arrays), arrays, node.attrs, opened=opened)
    for ours, theirs in zip(numpys(made, named(arrays)), expected, strict=True):
        theirs = theirs() if callable(theirs) else theirs
        if theirs is None:
            assert ours is None
        else:
            np.testing.assert_array_equal(ours, theirs)


def named_as(arrays):
    from tinygrad_lstm.symbolic.expressions import Name

    return [Name(f"x{i}") for i in range(len(arrays))]


def test_nothing_is_dropped():
    """Constants, zeros and shapes, which a formula leaves out, are all there."""
    odd = tl.primitive("odd", lambda x: 0 * x + np.zeros((2, 1)), lambda g, y, x: (g * 0 + 1 * g,))
    x = np.ones((2, 3))
    made = read_forward(odd, [x], {})
    assert text(made.expression) == "add(multiply(0, x0), [[0], [0]])"
    assert made.shape == (2, 3)
    (rule,) = read_rule(odd, named_as([x] * 3), [x] * 3, {})
    assert text(rule.expression) == "x0 ⊙ 0 + 1 ⊙ x0"
    assert rule.expression.operands[0].value.shape == (2, 3)


@pytest.mark.parametrize(
    "forward",
    [
        lambda x: np.clip(x, -1, 1) * np.sign(x),
        lambda x: np.abs(np.sum(x * x, axis=0, keepdims=True) - np.mean(x)),
        lambda x: np.expand_dims(np.squeeze(x[:, :1]), 0) @ np.ones((len(x), 1)),
        lambda x: np.where(x > 0, x, np.zeros_like(x)) + (x >= 0.5).astype(float),
        lambda x: np.dot(x, x.T) + np.prod(x.shape) * np.min(x),
        lambda x: sum(row for row in x),
        lambda x: np.maximum.reduce(x, axis=1) + x.ndim * np.ones_like(x)[:, 0],
    ],
)
def test_forwards_written_in_numpy_are_read(forward):
    x = np.random.default_rng(0).normal(size=(3, 2))
    user = tl.primitive("user", forward, lambda g, y, x: (g,))
    np.testing.assert_array_equal(numpys([read_forward(user, [x], {})], named([x]))[0], forward(x))


def grown(x):
    x += 1
    return x


def set_to_zero(x):
    x[0] = 0
    return x


def out_of(x):
    return np.exp(x, out=np.empty_like(np.ones(2)))


def added_at(x):
    np.add.at(x, [0, 0], 1)
    return x


UNKNOWN = {
    "it takes the numbers out": [float, np.asarray, lambda x: np.array([x, x]), lambda x: range(x)],
    "it goes by the numbers": [lambda x: x if x.sum() > 0 else -x],
    "it uses .all of an array": [lambda x: x if (x > 0).all() else -x],
    "it writes into an array": [grown, set_to_zero, added_at, out_of],
    "numpy's vectorize|numpy's interp|it takes the numbers": [lambda x: np.interp(x, [0, 1], [0, 1])],
    "numpy's linalg|numpy's median is not among": [np.median],
    "it uses .cumsum of an array": [lambda x: x.cumsum()],
    "it uses frexp|modf": [lambda x: np.modf(x)[0]],
    "it uses multiply as nobody else does: outer": [lambda x: np.multiply.outer(x, x)],
    "TypeError: unsupported": [lambda x: x + {}],
    "has no attribute 'exp'": [lambda x: x.exp()],
}


@pytest.mark.parametrize(("reason", "function"), [(reason, f) for reason in UNKNOWN for f in UNKNOWN[reason]])
def test_what_cannot_be_read_gives_its_reason(reason, function):
    x = np.ones(2)
    user = tl.primitive("user", lambda x: function(x), lambda g, y, x: (function(x),))
    with pytest.raises(tl.UnknownToReader, match=f"the forward of user cannot be read: .*({reason})"):
        read_forward(user, [x], {})
    with pytest.raises(tl.UnknownToReader, match=f"the rule of user cannot be read: .*({reason})"):
        read_rule(user, named_as([x] * 3), [x] * 3, {})


def test_the_readers_warn_of_what_they_go_on_without():
    """Formulas say so in words; high precision has no answer."""
    from tinygrad_lstm.testing.objective import Objective
    from tinygrad_lstm.testing.oracles.precision import precise_terms

    doubled = tl.primitive("doubled", lambda x: np.asarray(x) * 2, lambda g, y, x: (np.asarray(g) * 2,))
    x = tl.tensor([1.0, 2.0], requires_grad=True, name="x")
    with pytest.warns(tl.UnknownToReader, match="the rule of doubled cannot be read: it takes"):
        assert tl.formula(doubled(x)) == "∂L/∂x += what the rule of doubled makes of it"
    objective = Objective.random(tl.Graph(doubled(x)), np.random.default_rng(0))
    with pytest.warns(tl.UnknownToReader, match="the forward of doubled cannot be read: it takes"):
        assert precise_terms(objective, x, np.ones(2)) is None


def test_high_precision_warns_of_a_function_that_has_no_more_digits():
    from tinygrad_lstm.testing.objective import Objective
    from tinygrad_lstm.testing.oracles.precision import precise_terms

    blurred = tl.primitive("blurred", lambda x: np.logaddexp(x, 0.0), lambda g, y, x: (g * tl.sigmoid(x),))
    x = tl.tensor([1.0, 2.0], requires_grad=True)
    objective = Objective.random(tl.Graph(blurred(x)), np.random.default_rng(0))
    with pytest.warns(tl.UnknownToReader, match="numbers of 700 digits have no logaddexp"):
        assert precise_terms(objective, x, np.ones(2)) is None


def test_a_constant_is_an_array_of_its_own():
    made = read_forward(tl.primitive("five", lambda x: 5.0, lambda g, y, x: (g,)), [np.ones(2)], {})
    assert isinstance(made.expression, Constant)
    assert made.value == 5.0


def test_what_computes_something_else_with_arrays_is_not_read():
    """A rule that knows the tracer from arrays, and one that throws dice."""
    rng = np.random.default_rng(0)
    x = np.ones(3)
    for spoil in (lambda g: g[::-1] if isinstance(g, np.ndarray) else g, lambda g: g * (rng.random(3) > 0.5)):
        spoilt = tl.primitive("spoilt", lambda x: -x, lambda g, y, x: (-spoil(g),))  # noqa: B023
        with pytest.raises(tl.UnknownToReader, match="it computes something else with arrays"):
            read_rule(spoilt, named_as([x] * 3), [np.arange(3.0), -x, x], {}, opened=True)


def looped(steps):
    """A primitive whose forward and rule are loops, as somebody writes a whole recurrence in one."""

    def forward(x):
        for _ in range(steps):
            x = 0.5 * x * x + 0.1
        return x

    def rule(g, y, x):
        states = [x]
        for _ in range(steps):
            states.append(0.5 * states[-1] * states[-1] + 0.1)
        for state in states[-2::-1]:
            g = g * state
        return (g,)

    return tl.primitive("looped", forward, rule)


def test_a_rule_that_loops_a_thousand_times_is_read_and_proved_and_has_no_formula():
    x = np.array([0.5, -0.3])
    made = read_forward(looped(1000), [x], {})
    np.testing.assert_array_equal(numpys([made], named([x]))[0], looped(1000).forward(x))
    assert tl.testing.check_op(looped(40), x).verdict == "PASS"
    node = looped(1000)(tl.tensor(x, requires_grad=True, name="x"))
    with pytest.warns(tl.UnknownToReader, match="a formula of more than 200 parts"):
        assert tl.formula(node) == "∂L/∂x += what the rule of looped makes of it"


@pytest.mark.parametrize("ufunc", [np.exp2, np.cbrt, np.log2, np.fmod, np.arctan2])
def test_what_has_no_long_digits_is_said_and_not_taken_for_no_number(ufunc):
    import mpmath  # of which 1.4 knows more functions than 1.3

    from tinygrad_lstm.testing.objective import Objective
    from tinygrad_lstm.testing.oracles.precision import precise_terms

    odd = tl.primitive("odd", lambda x: ufunc(x, 2.0) if ufunc.nin == 2 else ufunc(x), lambda g, y, x: (g,))
    x = tl.tensor([1.0, 2.5], requires_grad=True)
    objective = Objective.random(tl.Graph(odd(x)), np.random.default_rng(0))
    if ufunc is np.arctan2 or (ufunc is not np.fmod and hasattr(mpmath.mp, ufunc.__name__)):
        assert precise_terms(objective, x, np.ones(2)) is not None
    else:
        with pytest.warns(tl.UnknownToReader, match=f"700 digits have no {ufunc.__name__}"):
            assert precise_terms(objective, x, np.ones(2)) is None


@pytest.mark.parametrize("error", [NotImplementedError, KeyError, RuntimeError, AssertionError, ZeroDivisionError])
def test_whatever_a_rule_raises_that_meets_no_array_is_a_reason(error):
    def rule(g, y, x):
        if not isinstance(x, np.ndarray | tl.Tensor):
            raise error("arrays only")
        return (2 * g * tl.cos(x),)

    x = tl.tensor([0.5, 1.0], requires_grad=True, name="x")
    wrong = tl.primitive("wrong", np.sin, rule)
    with pytest.warns(tl.UnknownToReader, match=f"the rule of wrong cannot be read: {error.__name__}"):
        assert tl.formula(wrong(x)) == "∂L/∂x += what the rule of wrong makes of it"
    with pytest.raises(tl.testing.GradientError, match="is wrong"):
        tl.testing.check_vjp(wrong, x)


def test_a_rule_that_knows_the_reader_has_no_formula():
    lie = lambda g, y, x: (g * tl.cos(x),) if isinstance(x, np.ndarray | tl.Tensor) else (2 * g,)
    with pytest.warns(tl.UnknownToReader, match="it computes something else with arrays"):
        tl.formula(tl.primitive("lie", np.sin, lie)(tl.tensor([0.5], requires_grad=True)))


@pytest.mark.parametrize("returned", [lambda g: (g, g), lambda g: (g[:1, None, None],), lambda g: (np.ones(7) * g[0],)])
def test_a_rule_that_returns_what_does_not_fit_has_no_formula(returned):
    odd = tl.primitive("odd", lambda x: x * 1.0, lambda g, y, x: returned(g))
    with pytest.warns(tl.UnknownToReader, match="the rule of odd"):
        assert "what the rule of odd makes of it" in tl.formula(odd(tl.tensor([1.0, 2.0, 3.0], requires_grad=True)))

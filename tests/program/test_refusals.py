"""What cannot be one program for all sizes and data is refused, with the place: never silently wrong."""

import re

import numpy as np
import pytest

import tinygrad_lstm as tl
from tests.program.agreement import to_rounding, unlike_compiled
from tests.program.networks import drawn
from tinygrad_lstm.program import NotExpressible, general

W, U = drawn(3, 4, name="W"), drawn(4, 4, name="U", seed=1)
X = np.random.default_rng(0).normal(size=(5, 2, 3))
HERE = r"\(test_refusals\.py:\d+\)"


def run(x, decide=lambda t, h: True, scale=lambda t, x: 1.0):
    h = tl.tensor(np.zeros((x.shape[1], 4)))
    for t in range(len(x)):
        h = tl.tanh(x[t] @ W * scale(t, x) + h @ U) if decide(t, h) else tl.relu(x[t] @ W)
    return h


def by_the_number_of_the_step(x):
    return run(x, scale=lambda t, x: 0.1 * t)


def by_a_choice_in_python(x):
    return run(x, decide=lambda t, h: h.value.sum() > 0)


def by_dice(x):
    rng = np.random.default_rng()
    return run(x) * rng.normal(size=4)


def by_a_counter():
    count = 0

    def f(x):
        nonlocal count
        count += 1
        return run(x) * count

    return f


def with_a_growing_history(x):
    h, total = tl.tensor(np.zeros((x.shape[1], 4))), 0
    seen = []
    for t in range(len(x)):
        h = tl.tanh(x[t] @ W + h @ U)
        seen.append(h)
        total = total + sum(seen).sum()
    return total


def in_numbers_of_the_data(x):
    return run(x) * float(np.abs(x.value).max())


def what_depends_on_whether_steps_are_even(x):
    return run(x).sum() if len(x) % 2 else (run(x) * 2).sum()


def truncated_every_twenty_steps(x):
    h = tl.tensor(np.zeros((x.shape[1], 4)))
    for t in range(len(x)):
        if t % 20 == 19:
            h = h.detach()
        h = tl.tanh(x[t] @ W + h @ U)
    return h


def otherwise_from_the_thirtieth_step_on(x):
    return run(x, decide=lambda t, h: t < 30)


def otherwise_for_one_step(x):
    return run(x) * 2 if len(x) == 1 else run(x)


UNLIKE = {
    truncated_every_twenty_steps: "the program has another gradient of .* than the graph, at other sizes",
    otherwise_from_the_thirtieth_step_on: "the program computes another value than the graph of .*, at other sizes",
    otherwise_for_one_step: f"the program computes another value than the graph of mul {HERE}, at other sizes",
}


@pytest.mark.parametrize("f", UNLIKE, ids=lambda f: f.__name__)
def test_what_begins_at_a_step_that_was_not_recorded_is_tried_out(f):
    with pytest.raises(NotExpressible, match=UNLIKE[f]):
        tl.source(f, X)


def test_a_network_in_which_rounding_grows_is_not_refused():
    layer = tl.RNN(3, 20, rng=0)
    layer.cell.layer.weight.value = 3 * layer.cell.layer.weight.value
    for optimize in (0, 2):
        assert "for t in" in str(tl.source(layer, X, optimize=optimize))


REFUSED = {
    by_the_number_of_the_step: f"two runs of it differ at .*{HERE}: it is computed from the number of the step",
    by_a_choice_in_python: f"two runs of it differ at .*{HERE}",
    by_dice: f"two runs of it differ at .*{HERE}: these numbers are neither an argument nor the same",
    with_a_growing_history: "two runs of it differ at .*",
    in_numbers_of_the_data: f"two runs of it differ at .*{HERE}",
    what_depends_on_whether_steps_are_even: "two runs of it differ at .*",
}


@pytest.mark.parametrize("f", REFUSED, ids=lambda f: f.__name__)
def test_it_is_refused_with_its_place(f):
    with pytest.raises(NotExpressible, match=REFUSED[f]):
        tl.source(f, X)


def test_what_takes_one_argument_or_another_is_refused():
    with pytest.raises(NotExpressible, match="they read different arguments"):
        tl.source(lambda x, y: tl.tanh((x if x.value.mean() > 0 else y) @ W), X + 1, X)
    with pytest.raises(NotExpressible, match=r"one has (tanh where the other has exp|exp where the other has tanh)"):
        tl.source(lambda x: (tl.tanh if x.value.mean() > 0 else tl.exp)(x @ W), X + 1)


def test_sizes_that_cannot_be_told_apart_are_refused(monkeypatch):
    monkeypatch.setattr(general, "MOST_TRIES", 0)
    with pytest.raises(NotExpressible, match="no sizes were found at which its steps and sequences are unlike all"):
        tl.source(run, X)


def test_all_steps_that_are_joined_in_each_step_of_another_loop_are_refused():
    def f(x):
        hs, k = [], tl.tensor(np.zeros((x.shape[1], 4)))
        h = k
        for t in range(len(x)):
            h = tl.tanh(x[t] @ W + h @ U)
            hs.append(h)
        for _ in range(3):
            k = tl.tanh(k @ U + tl.stack(hs).sum(axis=0))
        return k

    with pytest.raises(NotExpressible, match="stack reads all steps of a loop in each step of another one; make it"):
        tl.source(f, X)


def test_a_counter_is_refused():
    with pytest.raises(NotExpressible, match=f"two runs of it differ at mul {HERE}"):
        tl.source(by_a_counter(), X)


@pytest.mark.parametrize("f", REFUSED, ids=lambda f: f.__name__)
def test_compiled_it_is_computed_as_it_always_was_and_says_so(f):
    fast = tl.compile(f)
    x = tl.tensor(X)
    fast(x)
    assert re.fullmatch("x with 3 axes of float64: not compiled: two runs of it differ at .*", fast.explain())
    if f is not by_dice:
        assert fast(x).tolist() == f(x).tolist()


def mean_over_time(x):
    return sum((run(x[: t + 1]) for t in range(1)), 0.0).sum() / len(x)


def last_output(x):
    return run(x)[len(x[0]) - 1 :].sum() + tl.tanh(x @ W)[len(x) - 1].sum()


def second_last_output(x):
    return tl.tanh(x @ W)[len(x) - 2].sum()


@pytest.mark.parametrize("f", [mean_over_time, last_output, second_last_output], ids=lambda f: f.__name__)
def test_sizes_that_became_numbers_are_found_again_or_refused(f):
    fast = tl.compile(f)
    for steps, batch in [(4, 2), (7, 3), (2, 5)]:
        x = drawn(steps, batch, 3, name="x")
        assert unlike_compiled(fast, f, [x], [x, W], to_rounding) == []


def test_what_is_no_tensor_is_refused():
    with pytest.raises(NotExpressible, match="are tensors, in tuples, lists or dicts; the function returns nda"):
        tl.source(lambda x: x.value, X)
    with pytest.raises(NotExpressible, match="the function returns nothing"):
        tl.source(lambda x: (), X)
    with pytest.raises(NotExpressible, match="a program needs an array among its arguments"):
        tl.source(lambda n: W * n, 3)


def test_a_function_of_one_size_alone_is_refused():
    with pytest.raises(NotExpressible, match=r"does not run at other sizes than its example's: "):
        tl.source(lambda x: x @ tl.tensor(np.ones((2, 7))), np.ones((5, 7, 2)).swapaxes(0, 1)[:, :5, :1])


def test_a_program_that_is_wrong_is_not_given_out(monkeypatch):
    from tinygrad_lstm.program import building

    monkeypatch.setattr(building, "simplified", lambda e: tl.symbolic.expressions.Number(0.0))
    with pytest.raises(NotExpressible, match="the program has another gradient of x than the graph, at other sizes"):
        tl.source(run, X)


def test_a_decision_by_the_data_that_falls_the_same_way_twice_is_not_seen_and_the_docstrings_say_so():
    for function in (tl.source, tl.compile):
        words = " ".join(function.__doc__.split())
        assert "decision by the data that falls the same way in both recordings" in words
        assert "tl.where" in words


def test_a_decision_by_the_data_that_falls_otherwise_later_is_noticed_before_there_are_twice_as_many_calls():
    def f(x):
        return run(x) * 2 if np.abs(x.value).max() > 1e6 else run(x)

    fast, x = tl.compile(f), drawn(5, 2, 3)
    large = tl.tensor(x.value * 1e7, requires_grad=True)
    for _ in range(5):
        assert to_rounding(fast(x).value, f(x).value)
    assert fast.explain().endswith("lines")
    found = [to_rounding(fast(large).value, f(large).value) for _ in range(6)]
    assert found == [False, False, True, True, True, True]
    assert "not compiled: the program computes another value than the graph of mul" in fast.explain()


LOSS = (tl.tanh(tl.tensor(X[0]) @ W)).sum()
WRONG = {
    "no loss": (lambda: tl.source(3), TypeError, "tl.source takes a loss, or a layer or function and an example"),
    "a class": (lambda: tl.source(tl.LSTM), TypeError, "tl.source takes a loss, or a layer or function"),
    "not a number": (lambda: tl.source(W @ U), ValueError, r"this one has the shape \(3, 4\): sum it up"),
    "no gradient": (lambda: tl.source(tl.tensor(1.0)), ValueError, "single number .* this one requires no gradient"),
    "an example": (lambda: tl.source(LOSS, X), TypeError, "a loss was recorded already and takes no example"),
    "a level": (lambda: tl.source(LOSS, optimize=4), ValueError, "optimize must be 0, 1, 2 or 3, not 4"),
    "a level of compile": (lambda: tl.compile(run, optimize=True), ValueError, "optimize must be 0, 1, 2 or 3, not T"),
    "a number to differentiate by": (lambda: tl.source(LOSS, wrt=1), TypeError, r"wrt must be tensors, as in wrt="),
    "a word": (lambda: tl.source(LOSS, wrt=["W"]), TypeError, "wrt must be tensors, .*; 'W' is none"),
    "data": (lambda: tl.source(LOSS, wrt=[tl.tensor(1.0, name="x")]), ValueError, r"wrt: \(x\) requires no gradient"),
    "something else": (lambda: tl.source(LOSS, wrt=[U]), ValueError, r"does not depend on \(U\) of wrt: no path"),
    "something else, of a function": (
        lambda: tl.source(lambda x: tl.tanh(x @ W), X, wrt=[U]), ValueError, r"the function does not depend on \(U\)",
    ),
    "too few arguments": (lambda: tl.source(run), TypeError, "the example does not fit: missing a required argument"),
    "nothing to call": (lambda: tl.compile(3), TypeError, "tl.compile takes a layer or a function, not 3"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_wrong_arguments_are_refused_in_words(what):
    call, kind, words = WRONG[what]
    with pytest.raises(kind, match=words):
        call()


def test_what_a_pass_computes_otherwise_has_no_gradient_above_level_0():
    x, h = tl.tensor(X, name="x"), tl.tensor(np.zeros((2, 4)))
    for t in range(5):
        a = x[t] @ W
        h = tl.tanh(a + h @ U)
    with pytest.raises(ValueError, match="at optimize=2 a tensor of wrt is computed otherwise, or not at all; ask"):
        tl.source(h.sum(), wrt=[a], optimize=2)


def otherwise_for_many_sequences(x):
    return run(x) * 2 if x.shape[1] > 40 else run(x)


def otherwise_for_many_steps(x):
    return run(x) * 2 if len(x) > 128 else run(x)


def from_a_late_step_on(x):
    return run(x, decide=lambda t, h: t < 200)


@pytest.mark.parametrize("f", [otherwise_for_many_sequences, otherwise_for_many_steps, from_a_late_step_on])
def test_what_begins_at_sizes_far_beyond_those_recorded_is_noticed_at_those(f):
    fast = tl.compile(f)
    for steps, batch in [(5, 2), (5, 50), (129, 2), (300, 60)]:
        x = drawn(steps, batch, 3, name="x")
        assert unlike_compiled(fast, f, [x], [x, W], to_rounding) == []
    assert "not compiled: the program computes another value than the graph of what it returns" in fast.explain()
    with pytest.raises(NotExpressible):
        tl.source(f, drawn(300, 60, 3))


def all_states(x):
    return [run(x[: t + 1]) for t in range(len(x))]


def one_that_is_called_by_its_size(x):
    return {f"h_{len(x)}": run(x)}


def a_single_one_in_a_tuple(x):
    return (run(x),) if len(x) == 1 else run(x)


@pytest.mark.parametrize("f", [all_states, one_that_is_called_by_its_size, a_single_one_in_a_tuple])
def test_what_is_nested_otherwise_at_another_size_is_refused(f):
    with pytest.raises(
        NotExpressible, match=r"returns? other numbers of tensors, or names? them otherwise|two runs of it"
    ):
        tl.source(f, X)
    fast = tl.compile(f)
    for steps in (5, 1):
        x = drawn(steps, 2, 3)
        assert type(fast(x)) is type(f(x))


TABLE = drawn(7, 3, name="E")


def of_two(a, b):
    return (TABLE[a] * TABLE[b] + TABLE[b]).sum()


def of_the_next(a):
    return of_two(a[:-1], a[1:])


@pytest.mark.parametrize("f", [of_two, of_the_next, lambda a: (TABLE[a[::-1]][0] * 2 + TABLE[a][1]).sum()])
@pytest.mark.parametrize("number", [0, 3])
def test_data_that_are_alike_in_the_first_call_are_told_apart(f, number):
    fast, count = tl.compile(f), 2 if f is of_two else 1
    first, other = np.full((5, 2), number), np.random.default_rng(0).integers(0, 7, (2, 5, 2))
    for given in ([first] * count, list(other[:count])):
        assert np.isclose(fast(*given).item(), f(*given).item(), rtol=1e-12)
    assert fast.explain().endswith("lines")


def test_data_that_cannot_be_told_apart_are_refused():
    def f(a):
        if a.any():
            raise IndexError("there is but one row")
        return of_the_next(a)

    words = f"{HERE}: these numbers may be a\\[1:\\] or a\\[:-1\\], which are alike; call it first with others"
    with pytest.raises(NotExpressible, match=words):
        tl.source(f, np.zeros((5, 2), int))


def the_last_ones(x):
    return run(x[-20:])


def some_of_the_steps(x):
    return sum(tl.tanh(x[t] @ W) for t in range(len(x) // 2 + 1))


def no_more_steps_than(x):
    return run(x[: min(len(x), 30)])


def at_one_step(x):
    h = tl.tensor(np.zeros((x.shape[1], 4)))
    for t in range(len(x)):
        h = tl.tanh(x[t] @ W + h @ U) * (2.0 if t == 2 else 1.0)
    return h


def the_first_ones(x):
    return x[:20].sum(axis=0) @ W


@pytest.mark.parametrize("f", [the_first_ones, the_last_ones, some_of_the_steps, no_more_steps_than, at_one_step])
@pytest.mark.parametrize("optimize", range(4))
def test_what_another_number_of_steps_makes_another_is_noticed_at_that_number(f, optimize):
    fast = tl.compile(f, optimize=optimize)
    for steps in (5, 1, 2, 9, 40, 300):
        x = drawn(steps, 2, 3, name="x")
        assert unlike_compiled(fast, f, [x], [x, W], to_rounding) == []
    assert re.search("not compiled: (the program|two runs of it)", fast.explain())
    with pytest.raises(NotExpressible, match=r"the program|two runs"):
        tl.source(f, drawn(50, 2, 3), optimize=optimize)


def test_what_a_function_refuses_at_few_steps_only_is_compiled():
    def f(x):
        if len(x) < 200:
            raise ValueError("more, please")
        return run(x)

    fast = tl.compile(f)
    with pytest.raises(ValueError, match="more, please"):
        fast(drawn(5, 2, 3))

    def g(x):
        if len(x) == 1:
            raise ValueError("two, please")
        return run(x)

    fast = tl.compile(g)
    fast(drawn(5, 2, 3))
    with pytest.raises(ValueError, match="two, please"):
        fast(drawn(1, 2, 3))
    assert fast.explain().endswith("lines")
    assert tl.source(g, X)

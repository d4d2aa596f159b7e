"""The checks that have to catch the mutants: those of ``tinygrad_lstm.testing``, at inputs drawn once."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings

import tinygrad_lstm as tl
from tests.nn.longhand import LONGHAND, unrolled, weights
from tests.nn.losses_longhand import CLASSES, ENTRIES, scored, surprise
from tests.nn.test_attention import KINDS, attended, given_for
from tests.nn.test_optimisers import CASES as OPTIMISERS
from tests.nn.test_optimisers import GOLDEN, descended
from tests.opinions import expected
from tinygrad_lstm.engine import backprop
from tinygrad_lstm.engine.ops import BUILTIN
from tinygrad_lstm.nn.cell import state_parts
from tinygrad_lstm.nn.cells import CELLS
from tinygrad_lstm.nn.regularisers import dropout, layer_norm
from tinygrad_lstm.testing import (
    GradientError,
    NothingCheckedError,
    check_cell,
    check_op,
    check_second_order,
    check_vjp,
)
from tinygrad_lstm.testing.generate import strategies
from tinygrad_lstm.testing.generate.cases import CASES, Case
from tinygrad_lstm.testing.generate.expression_graphs import ExpressionGraph
from tinygrad_lstm.testing.laws.algebra import require_laws
from tinygrad_lstm.testing.objective import Objective
from tinygrad_lstm.testing.oracles.complex_step import complex_step
from tinygrad_lstm.testing.oracles.differences import differences

TIES: dict[str, tuple[list[Any], list[Any]]] = {
    "maximum": ([[1.0, 2.0], [1.0, 3.0]], [[0.5, 0.0], [0.5, 1.0]]),
    "minimum": ([[1.0, 2.0], [1.0, 3.0]], [[0.5, 1.0], [0.5, 0.0]]),
    "relu": ([[0.0, -0.0, 2.0]], [[0.5, 0.5, 1.0]]),
    "abs": ([[0.0, -0.0, 2.0]], [[0.0, 0.0, 1.0]]),
    "max": ([[3.0, 3.0, 1.0]], [[0.5, 0.5, 0.0]]),
    "min": ([[3.0, 1.0, 1.0]], [[0.0, 0.5, 0.5]]),
    "pow": (
        [[0.0, 0.0, 0.0, 2.0, 0.0, -2.0], [0.0, 1.0, 2.0, 2.0, -1.0, -1.0]],
        [[0.0, 1.0, 0.0, 4.0, -np.inf, -0.25], [0.0, 0.0, 0.0, 4 * np.log(2), -np.inf, 0.0]],
    ),
}
"""Where a function has no derivative, our convention: inputs, and the gradient of the sum."""


def drawn(strategy: Any, count: int) -> list[Any]:
    """The same draws in every run."""
    found: list[Any] = []

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(x: Any) -> None:
        found.append(x)

    collect()
    return found


@cache
def cases_of(name: str) -> list[Case]:
    def checkable(case: Case) -> bool:
        return bool(expected(case).size and all(x.size for x in case.inputs))

    return drawn(CASES[name].filter(checkable), 120 if name == "matmul" else 40)


@cache
def programs() -> list[ExpressionGraph]:
    return drawn(strategies.expression_graphs(max_nodes=8), 60)


def of_primitive(name: str) -> Callable[[], object]:
    """``check_op`` at forty cases, and our convention at ties."""

    rng = np.random.default_rng(0)

    def check() -> None:
        for case in cases_of(name):
            try:
                check_op(case.f, *(x.astype(np.float64) for x in case.inputs))
            except NothingCheckedError:
                continue
        if name in TIES:
            inputs, expected = TIES[name]
            leaves = [tl.tensor(x, requires_grad=True) for x in inputs]
            output = BUILTIN_CALL[name](*leaves)
            for gradient, slope in zip(tl.grad(output, leaves, np.ones(output.shape)), expected, strict=True):
                np.testing.assert_allclose(gradient.value, slope)
        for shapes in MATRICES if name == "matmul" else ():
            check_op(BUILTIN["matmul"], *(rng.normal(size=shape) for shape in shapes))
        if name == "pow":  # where the exponent is 0, and so is one factor of the rule
            check_second_order(lambda a, b: a**b, [2.0, 0.5], [0.0, 0.0])

    return check


MATRICES = [((2, 3, 4), (4, 2)), ((3, 2, 2), (2, 2)), ((3, 3), (2, 3, 3)), ((2, 1, 3, 2), (2, 2)), ((2, 2), (2, 2))]
"""All of the products that have a rule of their own, where chance seldom leads."""

AXIS = {"logsumexp": {"axis": 1}}

BUILTIN_CALL: dict[str, Callable[..., Any]] = {
    "maximum": tl.maximum,
    "minimum": tl.minimum,
    "relu": tl.relu,
    "abs": tl.abs,
    "max": tl.max,
    "min": tl.min,
    "pow": lambda a, b: a**b,
}


def of_forward(name: str) -> Callable[[], object]:
    """Numpy's opinion, on float64 and float32, at the ends of the range too; and complex numbers."""

    rng = np.random.default_rng(0)

    def check() -> None:
        if name == "softmax":
            assert not tl.softmax(tl.tensor([-np.inf, -np.inf])).value.any(), "a row that is masked throughout"
        for case in cases_of(name):
            for dtype in (np.float64, np.float32):
                result = case.f(*(tl.tensor(x, dtype=dtype) for x in case.inputs))
                single = dtype == np.float32 or any(x.dtype == np.float32 for x in case.inputs)
                assert result.dtype == dtype
                assert result.shape == expected(case).shape
                tolerance = 1e-4 if single else 1e-11
                np.testing.assert_allclose(result.value, expected(case), rtol=tolerance, atol=100 * tolerance)
            of_case = [x.astype(np.float64) for x in case.inputs]
            leaves = [tl.tensor(x, requires_grad=True) for x in of_case]
            output = case.f(*leaves)
            replayed = tl.Graph(output).replay({leaf: leaf.value + 1e-100j for leaf in leaves})[output]
            np.testing.assert_allclose(replayed.real, output.value, rtol=1e-12, atol=1e-14)
            if output.requires_grad:
                _require_complex_derivative(output, rng)
        if name in ("sigmoid", "softplus", "softmax", "log_softmax", "logsumexp"):
            for far in ([1000.0, -1000.0, 0.0], [1000.0, 1000.0], [-1000.0, -1000.0]):
                for dtype in (np.float64, np.float32):
                    x = tl.tensor([far, [-1000.0] * len(far)], dtype=dtype)
                    assert np.isfinite(BUILTIN[name](x, **AXIS.get(name, {})).value).all()
        if name in ("erf", "erfc"):  # to the last digits, also in the tail, which drawn numbers seldom reach
            for x in (np.linspace(-6, 26, 999), np.linspace(-6, 9, 999, dtype=np.float32)):
                truth = np.array([getattr(math, name)(float(number)) for number in x])
                np.testing.assert_allclose(BUILTIN[name].forward(x), truth, rtol=2e-15 if x.itemsize == 8 else 7e-8)
        if name == "abs":
            assert not np.signbit(tl.abs(tl.tensor([0.0, -0.0])).value).any()

    return check


def _require_complex_derivative(output: Any, rng: np.random.Generator) -> None:
    """What a complex step says of the forward, differences must say too."""
    objective = Objective.random(tl.Graph(output), rng)
    for leaf in objective.graph.leaves:
        if leaf.requires_grad:
            direction = rng.normal(size=leaf.shape)
            estimate = differences(objective, leaf, direction)
            if estimate.is_sharp:
                exact = complex_step(objective, leaf, direction).sum()
                assert abs(exact - estimate.slope) <= 1e-4 * estimate.scale


VARIANTS: dict[str, list[dict[str, Any]]] = {
    "rnn": [{}],
    "lstm": [{}, {"proj_size": 2, "layer_norm": True, "clip": 0.5}, {"bias": False}],
    "gru": [{}, {"reset_after": False}],
    "peephole": [{}, {"diagonal": True}, {"coupled": True, "diagonal": True, "proj_size": 2}],
    "coupled": [{}, {"proj_size": 2, "layer_norm": True}],
}
"""The options by which a cell computes otherwise."""


def of_cell(name: str) -> Callable[[], object]:
    """Against the cell written out in numpy, in all its variants, then all of ``check_cell``."""

    def check() -> None:
        rng = np.random.default_rng(0)
        for how in VARIANTS[name]:
            cell = CELLS[name](3, 3, rng=0, **how)
            for parameter in cell.parameters():
                parameter.value = parameter.value + 0.3 * rng.normal(size=parameter.shape)
            for n in (None, 1, 4):
                shape = () if n is None else (n,)
                x = rng.normal(size=(*shape, 3))
                state = [rng.normal(size=(*shape, size)) for size in cell.state_sizes]
                given: Any = tuple(map(tl.tensor, state)) if len(state) > 1 else tl.tensor(state[0])
                expected: Any = LONGHAND[type(cell)](weights(cell), x, *state, clip=how.get("clip"))
                new = state_parts(cell, cell(tl.tensor(x), given))
                for part, exact in zip(new, expected if len(state) > 1 else [expected], strict=True):
                    np.testing.assert_allclose(part.value, exact, rtol=1e-12)
        check_cell(CELLS[name](3, 3, rng=0), steps=3)

    return check


def of_gates() -> None:
    """With and without biases, norms, bounds, terms and peepholes."""
    for name in ("lstm", "gru", "peephole"):
        of_cell(name)()


def of_layers() -> None:
    """Several layers, both directions, against cells run one after another in numpy; then their gradients."""
    rng = np.random.default_rng(1)
    batches = [("lstm", False, 2, (2,)), ("gru", True, 2, (2,)), ("rnn", False, 1, (2,)), ("lstm", True, 1, ())]
    for kind, bidirectional, layers, batch in batches:
        directions = 2 if bidirectional else 1
        cells = [CELLS[kind](3 if k < directions else 3 * directions, 3, rng=rng) for k in range(layers * directions)]
        layer = tl.nn.Recurrent(*cells, bidirectional=bidirectional)
        names = cells[0].state_names
        xs = rng.normal(size=(4, *batch, 3))
        begin = [rng.normal(size=(len(cells), *batch, 3)) for _ in names]
        state = tuple(map(tl.tensor, begin)) if len(begin) > 1 else tl.tensor(begin[0])
        output, last = layer(tl.tensor(xs), state)
        exact, ends = _by_hand(cells, directions, xs, begin)
        np.testing.assert_allclose(output.value, exact, rtol=1e-12)
        for part, end in zip(last if len(names) > 1 else [last], ends, strict=True):
            np.testing.assert_allclose(part.value, end, rtol=1e-12)
        leaves = [tl.tensor(part, name=name) for part, name in zip(begin, names, strict=True)]
        f = lambda xs, *state, layer=layer: layer(xs, state if len(state) > 1 else state[0])
        check_vjp(f, xs, *leaves, parameters=layer.parameters())
        zeros, _ = _by_hand(cells, directions, xs, [0 * part for part in begin])
        np.testing.assert_allclose(layer(tl.tensor(xs))[0].value, zeros, rtol=1e-12)
    _of_layers_with_options()


def _of_layers_with_options() -> None:
    """The batch first, lengths, a state, dropout, and a NaN that is looked for."""
    rng = np.random.default_rng(3)
    layer = tl.LSTM(2, 3, 2, bidirectional=True, batch_first=True, dropout=0.5, proj_size=2, rng=0)
    xs, lengths = rng.normal(size=(3, 2, 2)), [1, 3]
    state = [rng.normal(size=(4, 2, size)) for size in (2, 3)]
    call: Any = {"state": tuple(map(tl.tensor, state)), "lengths": lengths}
    padded = np.where((np.arange(3)[:, None] < lengths)[..., None], xs, np.nan).swapaxes(0, 1)
    assert (layer(padded, **call)[0].value != layer(padded, **call)[0].value).any()
    output, last = layer.eval()(padded, **call)
    found = [output.value.swapaxes(0, 1), *(part.value for part in last)]
    for part, exact in zip(found, unrolled(layer, xs, state, lengths), strict=True):
        np.testing.assert_allclose(part, exact, rtol=1e-12)
    with tl.detect_nan():
        layer(padded, **call)
        for other, place in ((layer, padded), (tl.LSTM(2, 3), padded.swapaxes(0, 1)), (layer, padded[0])):
            words = "step 1 of sequence 0" if place.ndim == 3 else "step 1, in"
            with pytest.raises(FloatingPointError, match=words):
                other(place)


def _by_hand(cells: list[Any], directions: int, xs: Any, begin: list[Any]) -> tuple[Any, list[Any]]:
    below, ends = list(xs), []
    for first in range(0, len(cells), directions):
        sides = []
        for k, cell in enumerate(cells[first : first + directions]):
            now = [part[first + k] for part in begin]
            outputs = []
            for x in below[::-1] if k else below:
                result: Any = LONGHAND[type(cell)](weights(cell), x, *now)
                now = list(result) if len(begin) > 1 else [result]
                outputs.append(now[0])
            ends.append(now)
            sides.append(outputs[::-1] if k else outputs)
        below = [np.concatenate(parts, -1) for parts in zip(*sides, strict=True)]
    return np.stack(below), [np.stack(parts) for parts in zip(*ends, strict=True)]


def of_losses() -> None:
    """Every loss in every reduction, with all its settings and without, beside what is written out by hand."""
    rng = np.random.default_rng(2)
    x, t = rng.normal(size=(4, 3)), rng.uniform(size=(4, 3))
    for loss, how, formula in ENTRIES.values():
        for reduction, reduce in {"mean": np.mean, "sum": np.sum, "none": np.array}.items():
            found = loss(tl.tensor(x), t, reduction=reduction, **how)
            np.testing.assert_allclose(found.value, reduce(formula(x, t)), rtol=1e-12)
        check_vjp(lambda x, loss=loss, how=how: loss(x, t, **how), x)
    for shape, reduction, smoothing in itertools.product(CLASSES.values(), ("mean", "sum", "none"), (0.0, 0.3)):
        scores, targets, weight = scored(1, shape)
        for given_weight, every in itertools.product((None, weight), (True, False)):
            labels = abs(targets) if every else targets
            known = np.ones(4) if given_weight is None else given_weight
            for loss, how in ((tl.cross_entropy, {"label_smoothing": smoothing}), (tl.nll_loss, {})):
                found = loss(tl.tensor(scores), labels, given_weight, ignore_index=-1, reduction=reduction, **how)
                right = surprise(scores, labels, known, reduction, how.get("label_smoothing", 0.0), bool(how))
                np.testing.assert_allclose(found.value, right, rtol=1e-12)
    hidden = tl.tensor(np.where([[True], [False]], 1.0, np.nan), requires_grad=True)
    tl.cross_entropy(hidden, [0, -1], ignore_index=-1).backward()
    assert hidden.grad is not None
    np.testing.assert_array_equal(hidden.grad.value, [[0.0], [0.0]])


def of_optimisers() -> None:
    """Steps of each lead where PyTorch's lead."""
    for case, (optimiser, how) in OPTIMISERS.items():
        np.testing.assert_allclose(descended(optimiser, how, 25), GOLDEN[case], rtol=1e-10)


def of_attention() -> None:
    """Attention, a layer norm and dropout, beside what is written out by hand."""
    for kind, batch, masked in itertools.product(KINDS.values(), [(), (3,)], (True, False)):
        made = kind()
        query, keys, values, mask = given_for(made, 1, batch)
        context, weight = made(query, keys, mask if masked else None, values)
        mask = mask if masked else np.ones_like(mask)
        for place in np.ndindex(batch):
            rows = (slice(None), *place)
            right = attended(made, query[place], keys[rows], values[rows], mask[rows])
            np.testing.assert_allclose(context.value[place], right[0], rtol=1e-12)
            np.testing.assert_allclose(weight.value[rows], right[1], rtol=1e-12)
        np.testing.assert_array_equal(made(query, keys)[0].value, made(query, keys, values=keys)[0].value)
    x, scale, shift = np.random.default_rng(0).normal(size=(3, 2, 3, 4))
    for axes, how in {(-1,): (scale[0, 0], shift[0, 0]), (-2, -1): (scale[0], shift[0])}.items():
        known = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + 0.1)
        normed = layer_norm(x, x.shape[-len(axes) :], *how, eps=0.1)
        np.testing.assert_allclose(normed.value, known * how[0] + how[1], rtol=1e-12)
        np.testing.assert_allclose(layer_norm(x, x.shape[-len(axes) :], eps=0.1).value, known, rtol=1e-12)
    near = 1e-3 * x[..., :1] + [0, 1e-3]
    known = (near - near.mean(-1, keepdims=True)) / np.sqrt(near.var(-1, keepdims=True) + 1e-5)
    np.testing.assert_allclose(layer_norm(near, 2).value, known, rtol=1e-9)
    for p in (0.0, 0.25):
        kept = np.random.default_rng(3).random(x.shape) >= p
        np.testing.assert_array_equal(dropout(x, p, rng=3).value, x * (kept / (1 - p)))
        np.testing.assert_array_equal(dropout(x, p, False, rng=3).value, x)
    assert (dropout(np.ones(100), rng=0).value == 0).any()


def of_engine() -> None:
    """Random programs with their laws and second derivatives; sums, shapes, dtypes and what is left alone."""
    for number, program in enumerate(programs()):
        try:
            check_vjp(program, *program.inputs)
            graph = program.graph()
            leaves = {leaf.name or "": leaf for leaf in graph.leaves if leaf.requires_grad}
            require_laws(Objective.random(graph, np.random.default_rng(0)), leaves, np.random.default_rng(0))
            if number % 4 == 0:
                check_second_order(program, *program.inputs)
        except NothingCheckedError:
            continue
        except GradientError as error:
            if "NaN or Inf" not in str(error):
                raise
        _require_the_walk_adds_up(graph.output)
    for f, shapes in FAN_OUTS:
        leaves = [tl.tensor(np.random.default_rng(0).normal(size=shape), requires_grad=True) for shape in shapes]
        check_vjp(f, *leaves)
        _require_the_walk_adds_up(f(*leaves))
    _require_pytorchs_habits()
    _require_plain_arrays()
    check_cell("lstm", steps=3)


FAN_OUTS: list[tuple[Callable[..., Any], list[tuple[int, ...]]]] = [
    (lambda x: x * tl.sin(x) + tl.tanh(x) * x, [(2, 3)]),
    (lambda x, w: tl.tanh(x * w + x) * x, [(2, 1, 3), (4, 2, 5, 3)]),
    (lambda x, w: tl.tanh(x * w) + w, [(1, 3, 1), (2, 3, 4)]),
    (lambda x, w: tl.tanh(x * w) + w * x, [(3,), (2, 4, 3)]),
    (lambda x, w: x * w + w, [(3, 1), (1, 4)]),
    (lambda x, w: (x * x + 1) ** w, [(3, 1), (1, 4)]),
    (lambda x: x[0] * 2 + x[1] * x[0] + x[2] ** 2 + (x * tl.sin(x) + x**3).sum() + x[1] + tl.take(x, 1), [(3, 2)]),
    (lambda x: x[0] + (x * 3).sum(), [(3, 2)]),
    (lambda x: (x * 3).sum() + x[0], [(3, 2)]),
]
"""What is used three times and more, and stretched along axes that are lost, in the middle and at both ends."""


def _require_the_walk_adds_up(output: Any) -> None:
    if not output.requires_grad:
        return
    seed = np.ones(output.shape)
    arrived: dict[Any, int] = {}
    totals: dict[Any, Any] = {}
    for c in tl.backprop(output, seed):
        assert c.input is c.node.inputs[c.slot]
        assert c.contribution.shape == c.input.shape
        assert not c.contribution.flags.writeable
        assert not c.after.flags.writeable
        assert (c.before is None) == (c.input not in totals)
        arrived[c.input] = arrived.get(c.input, 0) + 1
        totals[c.input] = c.contribution if c.before is None else totals[c.input] + c.contribution
        assert c.arrived == arrived[c.input]
        np.testing.assert_array_equal(c.after, totals[c.input])
    complete = backprop.gradients(output, seed)
    assert set(complete) == {output, *totals}
    for x, total in totals.items():
        np.testing.assert_array_equal(complete[x], total)
    leaves = [leaf for leaf in tl.Graph(output).leaves if leaf in totals]
    for leaf, gradient in zip(leaves, tl.grad(output, leaves, seed), strict=True):
        np.testing.assert_array_equal(gradient.value, totals[leaf])
    recorded = tl.grad(output, leaves, seed, create_graph=True) if leaves else ()
    for leaf, gradient in zip(leaves, recorded, strict=True):
        np.testing.assert_allclose(gradient.value, totals[leaf], rtol=1e-9, atol=1e-300)


def _require_pytorchs_habits() -> None:
    """Twice backward adds up; a mean, an order, a dtype, an unused input; a leaf that was replaced meanwhile."""
    x, w = tl.tensor([1.0, 2.0], requires_grad=True), tl.tensor([[3.0]], requires_grad=True)
    single = tl.tensor([0.5, 1.5], requires_grad=True, dtype=np.float32)
    unused = tl.tensor(1.0, requires_grad=True)
    y = (x * x * w + single).sum()
    y.backward()
    y.backward()
    np.testing.assert_allclose(x.grad.value, 2 * 2 * 3 * x.value)
    np.testing.assert_allclose(w.grad.value, [[2 * 5.0]])
    assert single.grad.dtype == np.float32
    np.testing.assert_allclose(single.grad.value, [2, 2])
    assert x.grad.value.base is None
    assert unused.grad is None
    one, other = (tl.tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    (one + other).sum().backward()
    assert not np.shares_memory(one.grad.value, other.grad.value), "each leaf's gradient is its own"
    narrow = tl.tensor([0.5, 1.5], requires_grad=True, dtype=np.float32)
    (narrow + x.detach()).sum().backward()
    assert narrow.grad.dtype == np.float32
    assert tl.grad((narrow + x.detach()).sum(), narrow, create_graph=True)[0].dtype == np.float32
    condition = tl.tensor([1.0, 0.0], requires_grad=True)
    chosen = tl.where(condition, x, 2.0).sum()
    number = tl.primitive("number", lambda x: 1.0 * x, lambda g, y, x: (1.0,))(unused)
    for create_graph in (False, True):
        np.testing.assert_array_equal(tl.grad(chosen, condition, create_graph=create_graph)[0].value, [0, 0])
        assert tl.grad(number, unused, create_graph=create_graph)[0].item() == 1
    assert tl.grad(y, [unused], allow_unused=True) == (None,)
    for wrong in (lambda: tl.grad(y, [unused]), lambda: tl.grad(y, [tl.tensor(1.0)])):
        try:
            wrong()
        except ValueError:
            continue
        raise AssertionError("an input without a gradient was not refused")
    (same,) = tl.grad(y, [y])
    assert same.item() == 1
    (first,) = tl.grad(y, x, create_graph=True)
    x.value = [10.0, 10.0]
    (second,) = tl.grad(first.sum(), x)
    np.testing.assert_allclose(second.value, [6, 6])
    (late,) = tl.grad(y, x, create_graph=True)
    np.testing.assert_allclose(late.value, [6, 12])
    unused.backward()
    assert unused.grad.item() == 1
    a, b = tl.tensor(1.0, requires_grad=True), tl.tensor(2.0, requires_grad=True)
    one, other = tl.grad(a + b, [a, b], create_graph=True)
    assert one is not other


class Matrix(np.ndarray):
    """An array of a kind of its own, as np.matrix is."""


def _require_plain_arrays() -> None:
    """What a rule returns becomes a plain array, unless its numbers are objects: those keep the array they came in."""
    for dtype, kind in ((np.float64, np.ndarray), (object, Matrix)):
        read_only = backprop.read_only(np.ones(2, dtype).view(Matrix))
        if type(read_only) is not kind or read_only.flags.writeable:
            raise AssertionError(f"numbers of type {dtype} are handed on in {type(read_only)}")

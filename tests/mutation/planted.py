"""Every mutant: where it stands, what is wrong with it, how it is planted, and which check has to catch it."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import numpy as np

import tinygrad_lstm as tl
from tests.mutation import checks, programs
from tests.mutation.rewrites import bare, mutants
from tinygrad_lstm.engine import backprop, forwards, graph, ops
from tinygrad_lstm.engine.ops import BUILTIN
from tinygrad_lstm.engine.primitive import _require_same_attrs
from tinygrad_lstm.nn import (
    adaptive,
    attention,
    cells,
    classification,
    gate,
    lengths,
    losses,
    optim,
    recurrent,
    regularisers,
)


@dataclass(frozen=True)
class Mutant:
    group: str  # the row of the table
    target: str  # the function or rule it is planted in
    what: str
    planted: Callable[[], Any]  # a context in which it is at work
    caught: Callable[[], object]  # raises if the checks notice

    @property
    def name(self) -> str:
        return f"{self.target}: {self.what}"


def all_mutants() -> list[Mutant]:
    return [*_rules(), *_helpers(), *_forwards(), *_cells(), *_layers(), *_engine(), *_by_hand()]


def _rules() -> Iterator[Mutant]:
    """Wrong rules of every primitive."""
    for name, (_, rule) in _page_of_derivatives().items():
        if rule is not None:
            for what, source in mutants(rule):
                yield Mutant(f"rule of {name}", name, what, _with_rule(name, source), checks.of_primitive(name))


def _forwards() -> Iterator[Mutant]:
    """Wrong forwards, which have a right gradient: numpy has to tell."""
    for name, (forward, _) in _page_of_derivatives().items():
        if forward.startswith("lambda"):
            for what, source in mutants(forward):
                planted = _with_forward(name, source)
                yield Mutant("forwards of primitives", f"forward of {name}", what, planted, checks.of_forward(name))
    used = {
        "indicator": "greater",
        "matmul": "matmul",
        "sigmoid": "sigmoid",
        "softplus": "softplus",
        "log1p": "softplus",
        "logsumexp": "logsumexp",
        "softmax": "softmax",
        "log_softmax": "log_softmax",
        "_largest": "logsumexp",
        "_or_1": "softmax",
        "erf": "erf",
        "erfc": "erfc",
        "_along_reals": "erf",
        "_erf": "erf",
        "_tail": "erfc",
        "_polynomial": "erf",
        "index_add": "index_add",
        "add_at": "index_add",
    }
    assert set(used) == {name for name, _ in inspect.getmembers(forwards, inspect.isfunction)}
    for function, name in used.items():
        target = f"forwards.{function}"
        yield from _of_function("forwards of primitives", getattr(forwards, function), checks.of_forward(name), target)


def _helpers() -> Iterator[Mutant]:
    """What the rules abbreviate."""
    used = {
        "_step": "maximum",
        "_lower": "pow",
        "_log_of_base": "pow",
        "_spread": "sum",
        "_share": "max",
        "_matmul_rule": "matmul",
        "_axes": "sum",
        "_inverse": "transpose",
        "_einsum_rule": "einsum",
        "_reversed": "cumsum",
        "_count": "mean",
        "_pieces": "concat",
    }
    for function, name in used.items():
        yield from _of_function("what rules abbreviate", getattr(ops, function), checks.of_primitive(name))


def _cells() -> Iterator[Mutant]:
    """Wrong equations, which have a right gradient: the cells written out in numpy have to tell."""
    for name, cell in cells.CELLS.items():
        yield from _of_function(f"{name} cell", cell.forward, checks.of_cell(name), f"{cell.__name__}.forward")
    yield from _of_function("gates and losses", gate.Gate.forward, checks.of_gates, "Gate.forward")
    for function in (
        losses.mse_loss,
        losses.l1_loss,
        losses.smooth_l1_loss,
        losses.binary_cross_entropy_with_logits,
        losses._huber,
        losses.reduced,
        classification._surprise,
        classification._rows,
    ):
        yield from _of_function("gates and losses", function, checks.of_losses)
    for function in (
        optim.Optimizer.step,
        optim.SGD.update,
        adaptive.Adam.update,
        adaptive.RMSprop.update,
        adaptive.Adagrad.update,
    ):
        yield from _of_function("optimisers", function, checks.of_optimisers, function.__qualname__)
    for function in (
        attention._Attending.forward,
        attention.Attention._scores,
        attention.DotAttention._scores,
        regularisers.layer_norm,
        regularisers.dropout,
    ):
        yield from _of_function("attention, norms and dropout", function, checks.of_attention, function.__qualname__)


def _layers() -> Iterator[Mutant]:
    for function in (
        recurrent._layer,
        recurrent._dropped,
        lengths.advance_within,
        lengths.without_padding,
        recurrent._along_new_axis,
        recurrent._initial,
        recurrent.Recurrent.forward,
    ):
        yield from _of_function("layers in time", function, checks.of_layers)


def _engine() -> Iterator[Mutant]:
    """The walk, the sums and the order."""
    for function in (
        backprop._steps,
        backprop._apply,
        backprop._placed,
        backprop._fits_in_place,
        backprop.unbroadcast,
        backprop._plan,
        backprop._leading_to,
        backprop._fit,
        backprop._owned,
        backprop._distinct,
        backprop.as_it_was,
        backprop.backward,
        backprop.grad,
        backprop.gradients,
        backprop.read_only,
        graph.topological_order,
    ):
        yield from _of_function("engine", function, checks.of_engine)


def of_programs() -> Iterator[Mutant]:
    """What rolls a graph up, differentiates it, and saves work: what is compiled has to be what is composed.

    They are planted if their group is asked for, and join the others once each that gets away is caught or explained.
    """
    for group, modules in programs.MODULES.items():
        for module in modules:
            for function in programs.functions_of(module):
                name = programs.named(function)
                check = programs.OfProgram(name, module in (programs.compiled, programs.expand))
                yield from _of_function(group, function, check, name)


def _by_hand() -> Iterator[Mutant]:
    """Classics that no rewriting makes."""
    group = "classics"
    walk, layer, unbroadcast = backprop._steps, recurrent._layer, backprop.unbroadcast
    swaps: list[tuple[str, Any, str, str, Callable[[], object]]] = [
        ("gradients alias each other", backprop._owned, "step.after.copy()", "step.after", checks.of_engine),
        ("accumulation is lost", walk, "before + contribution", "contribution", checks.of_engine),
        ("the order of the walk is that of making", walk, "reverse=True", "reverse=False", checks.of_engine),
        ("the sum to shape takes a mean", unbroadcast, "sum(axis=tuple", "mean(axis=tuple", checks.of_engine),
        ("the sum to shape is missing", backprop._fit, "product.shape != value.shape", "False", checks.of_engine),
        ("a .grad is replaced", backprop.backward, "leaf._grad.value + gradient", "gradient", checks.of_engine),
        ("a new value is used in an old graph", backprop.as_it_was, "x._value is value", "True", checks.of_engine),
        ("time is off by one", layer, "x = below[t]", "x = below[max(t - 1, 0)]", checks.of_layers),
        ("the state is truncated", layer, "forward, x, now", f"forward, x, {_TRUNCATED}", checks.of_layers),
        ("the state does not advance", layer, "forward, x, now", "forward, x, states[0]", checks.of_layers),
        ("the reset gate does not act", cells.GRUCell.forward, "[r * h, x]", "[h, x]", checks.of_cell("gru")),
    ]  # fmt: skip
    for what, function, old, new, caught in swaps:
        source = _bare_source(function)
        assert source.count(old) == 1, (what, old)
        yield Mutant(group, function.__qualname__, what, _with_code(function, source.replace(old, new)), caught)
    shifted = "lambda g, y, x, index=..., shape=(): (getitem(np.roll(g, 1, 0), index=index),)"
    yield Mutant(
        group,
        "index_add",
        "what comes back is shifted",
        _with_rule("index_add", shifted),
        checks.of_primitive("index_add"),
    )
    for name, index in {"getitem": "index=...", "take": "indices=0"}.items():
        lost = f"lambda g, y, x, {index}: (without_adding(g, {index.split('=')[0]}, x.shape),)"
        yield Mutant(group, name, "entries named twice are lost", _with_rule(name, lost), checks.of_primitive(name))
    ties = {
        "maximum": "lambda g, y, a, b: (g * greater(a, b), g * (1 - greater(a, b)))",
        "minimum": "lambda g, y, a, b: (g * (1 - greater(a, b)), g * greater(a, b))",
        "relu": "lambda g, y, x: (g * greater(x, 0),)",
        "abs": "lambda g, y, x: (g * (2 * greater(x, 0) - 1),)",
        "max": "lambda g, y, x, axis=None, keepdims=False: (_spread(g, x, axis) * equal(x, _spread(y, x, axis)),)",
        "min": "lambda g, y, x, axis=None, keepdims=False: (_spread(g, x, axis) * equal(x, _spread(y, x, axis)),)",
    }
    for name, rule in ties.items():
        yield Mutant(group, name, "another rule for ties", _with_rule(name, rule), checks.of_primitive(name))


_TRUNCATED = "now if t % 2 else tuple(part.detach() for part in now)"


def _of_function(group: str, function: Any, caught: Callable[[], object], target: str = "") -> Iterator[Mutant]:
    for what, source in mutants(_bare_source(function)):
        yield Mutant(group, target or function.__qualname__, what, _with_code(function, source), caught)


def _bare_source(function: Any) -> str:
    return bare(textwrap.dedent(inspect.getsource(function)))


def _page_of_derivatives() -> dict[str, tuple[str, str | None]]:
    """Forward and rule of every primitive, as they stand in ops.py."""
    found: dict[str, tuple[str, str | None]] = {}
    for node in ast.walk(ast.parse(inspect.getsource(ops))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "primitive":
            name, forward, rule, *_ = node.args
            assert isinstance(name, ast.Constant)
            written = ast.unparse(rule) if isinstance(rule, ast.Lambda) else None
            found[str(name.value)] = ast.unparse(forward), written
    return found


def _with_rule(name: str, source: str) -> Callable[[], Any]:
    @contextmanager
    def planted() -> Iterator[None]:
        primitive = BUILTIN[name]
        right = primitive.rule
        try:
            primitive.rule = eval(source, {**vars(ops), **_faults()})
            _as_where_it_is_registered(primitive)
            yield
        finally:
            primitive.rule = right

    return planted


def _with_forward(name: str, source: str) -> Callable[[], Any]:
    @contextmanager
    def planted() -> Iterator[None]:
        primitive = BUILTIN[name]
        right = primitive.forward
        try:
            primitive.forward = eval(source, vars(ops))
            _as_where_it_is_registered(primitive)
            yield
        finally:
            primitive.forward = right

    return planted


def _as_where_it_is_registered(primitive: Any) -> None:
    """A forward and a rule with other defaults are refused there."""
    if primitive.rule is not None and not isinstance(primitive.forward, np.ufunc):
        _require_same_attrs(primitive.name, primitive.forward, primitive.rule)


def _with_code(function: FunctionType, source: str) -> Callable[[], Any]:
    """The function itself runs other code, whoever holds it, and whatever decorates it."""
    function = inspect.unwrap(function)

    @contextmanager
    def planted() -> Iterator[None]:
        right = function.__code__, function.__defaults__, function.__kwdefaults__
        made: dict[str, Any] = {}
        exec(compile(source, right[0].co_filename, "exec"), dict(vars(inspect.getmodule(function))), made)
        try:
            wrong = inspect.unwrap(made[function.__name__])
            _become(function, (wrong.__code__, wrong.__defaults__, wrong.__kwdefaults__))
            yield
        finally:
            _become(function, right)

    return planted


def _become(function: FunctionType, parts: tuple[Any, Any, Any]) -> None:
    function.__code__, function.__defaults__, function.__kwdefaults__ = parts


def _faults() -> dict[str, Callable[..., Any]]:
    """What mutants of rules call; on Tensors, where there is no array to spoil, most do nothing."""
    memory: dict[Any, Any] = {}

    def on_arrays(spoil: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda g: spoil(np.asarray(g)) if isinstance(g, np.ndarray | np.floating) else g

    def stale(g: Any) -> Any:
        return memory.setdefault((type(g), np.shape(g)), g)

    def first_row(g: Any) -> Any:
        kept = np.zeros(g.shape)
        kept[:1] = 1
        return g * kept

    def without_adding(g: Any, index: Any, shape: tuple[int, ...]) -> Any:
        if isinstance(g, tl.Tensor):
            return ops.index_add(g, index=index, shape=shape)
        out = np.zeros(shape, g.dtype)
        out[index] = g
        return out

    return {
        "single": on_arrays(lambda g: g.astype(np.float32)),
        "clipped": on_arrays(lambda g: np.clip(g, -3, 3)),
        "stale": stale,
        "first_row": on_arrays(lambda g: first_row(g) if g.ndim else g),
        "reversed_": on_arrays(lambda g: g[::-1] if g.ndim else g),
        "without_adding": without_adding,
    }

"""How PyTorch, Keras and ONNX lay out the weights of recurrent cells, written once, and the way to ours and back.

All three put the gates of a cell below one another, in orders of their own. Ours are parts of their own, each of which
acts on [h, x] with one bias. ``help(tl.nn)`` has the same as a table, with the equations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..engine.ops import sigmoid, tanh
from ..engine.primitive import Array
from ..engine.tensor import Tensor
from ..nn import Module
from ..nn.cell import Cell
from ..nn.cells import GRUCell, RNNCell
from ..nn.lstm_cells import LSTMCell

ORDERS: dict[str, dict[str, tuple[str, ...]]] = {
    "PyTorch": {
        "RNN": ("layer",),
        "LSTM": ("input_gate", "forget_gate", "candidate", "output_gate"),
        "GRU": ("reset_gate", "update_gate", "candidate"),
    },
    "Keras": {
        "RNN": ("layer",),
        "LSTM": ("input_gate", "forget_gate", "candidate", "output_gate"),
        "GRU": ("update_gate", "reset_gate", "candidate"),
    },
    "ONNX": {
        "RNN": ("layer",),
        "LSTM": ("input_gate", "output_gate", "forget_gate", "candidate"),
        "GRU": ("update_gate", "reset_gate", "candidate"),
    },
}
"""The gates in the order of their weights, by our names."""

USUAL: dict[str, tuple[Callable[..., Any], ...]] = {
    "RNN": (tanh,),
    "GRU": (sigmoid, tanh),
    "LSTM": (sigmoid, tanh, tanh),
}
"""The activations that all three have where nothing else is said, in ONNX's order."""

PEEPHOLES = ("input_gate", "output_gate", "forget_gate")
"""ONNX's order of them."""

_KINDS: dict[str, type[Cell[Any]]] = {"RNN": RNNCell, "LSTM": LSTMCell, "GRU": GRUCell}


class GateRows(NamedTuple):
    """The weights of one cell, G gates of H rows below one another, for column vectors: W x + R h + b + d."""

    of_x: Any  # (G · H, D)
    of_h: Any  # (G · H, H), or (G · H, P) where h is projected
    bias_x: Any = None  # (G · H); None without biases
    bias_h: Any = None  # (G · H); the two add up but for the candidate of a GRU that resets after the product
    projection: Any = None  # (P, H)
    peepholes: Any = None  # (3 · H), in ONNX's order


def kind_of(cell: Module) -> str:
    """Return "RNN", "LSTM" or "GRU", or "" for a cell of another kind.

    >>> import tinygrad_lstm as tl
    >>> kind_of(tl.GRUCell(1, 1)), kind_of(tl.nn.atlas.ATLAS["mgu"].make(1, 1))
    ('GRU', '')
    """
    return next((kind for kind, cls in _KINDS.items() if isinstance(cell, cls)), "")


def as_rows(cell: Any, order: Sequence[str], of: Callable[[Tensor], Array], *, gradients: bool = False) -> GateRows:
    """Return what ``of`` says of each parameter of a cell, such as its value, with the gates in a library's order.

    Of two biases that add up, the second is zero; of gradients, it is that of the first.
    """
    parts = [_halves(cell, name, of, gradients) for name in order]
    x, h, bias_x, bias_h = ([*column] for column in zip(*parts, strict=True))
    biased = bias_x[0] is not None
    peepholes = [_peephole(cell, name, of) for name in PEEPHOLES] if getattr(cell, "diagonal", False) else None
    return GateRows(
        np.concatenate(x),
        np.concatenate(h),
        np.concatenate(bias_x) if biased else None,
        np.concatenate(bias_h) if biased else None,
        of(cell.projection.weight).T if isinstance(getattr(cell, "projection", None), Module) else None,
        np.concatenate(peepholes) if peepholes else None,
    )


def _halves(cell: Any, name: str, of: Callable[[Tensor], Array], gradients: bool) -> tuple[Any, ...]:
    """Return the rows of one gate: of x, of h, and the two biases; zeros for the forget gate of a coupled cell."""
    if not hasattr(cell, name):
        alike = _halves(cell, "candidate", of, gradients)
        return tuple(None if rows is None else np.zeros_like(rows) for rows in alike)
    gate = getattr(cell, name)
    weight, bias = of(gate.weight), None if gate.bias is None else of(gate.bias)
    if resets_after(cell, name):
        other = None if gate.bias is None else of(cell.recurrent.bias)
        return weight.T, of(cell.recurrent.weight).T, bias, other
    size, sign = cell.state_sizes[0], sign_of(cell, name)
    second = None if bias is None else sign * bias if gradients else np.zeros_like(bias)
    return sign * weight[size:].T, sign * weight[:size].T, None if bias is None else sign * bias, second


def _peephole(cell: Any, name: str, of: Callable[[Tensor], Array]) -> Array:
    return of(getattr(cell, name).peephole) if hasattr(cell, name) else np.zeros(cell.hidden_size, cell.dtype)


def as_ours(cell: Any, order: Sequence[str], rows: GateRows) -> Iterator[tuple[Module, str, Any]]:
    """Yield what rows with gates in this order become: the part of the cell, the attribute, and its new value.

    They may be arrays or tensors, of which tensors are made.
    """
    H = cell.hidden_size
    for k, name in enumerate(order):
        gate_rows: list[Any] = [None if each is None else each[k * H : (k + 1) * H] for each in rows[:4]]
        x, h, *both = gate_rows
        gate = getattr(cell, name, None)
        if gate is None:
            continue  # the forget gate of a coupled cell
        biases = [each for each in both if each is not None]
        if resets_after(cell, name):
            yield gate, "weight", x.T
            yield cell.recurrent, "weight", h.T
            if biases:
                yield from zip((gate, cell.recurrent), ("bias", "bias"), biases, strict=True)
            continue
        sign = sign_of(cell, name)
        yield gate, "weight", sign * np.concatenate([h.T, x.T])
        if biases:
            yield gate, "bias", sign * sum(biases[1:], biases[0])
    if rows.projection is not None:
        yield cell.projection, "weight", rows.projection.T
    for k, name in enumerate(PEEPHOLES if rows.peepholes is not None else ()):
        if hasattr(cell, name):
            yield getattr(cell, name), "peephole", rows.peepholes[k * H : (k + 1) * H]


def resets_after(cell: Any, name: str) -> bool:
    """Tell whether a gate is the candidate whose h has a product and a bias of its own."""
    return name == "candidate" and getattr(cell, "reset_after", False)


def sign_of(cell: Any, name: str) -> int:
    """Return −1 for the z of a GRU that resets before the product: by ours one replaces, by theirs one keeps."""
    return -1 if name == "update_gate" and not cell.reset_after else 1


class CellOptions(NamedTuple):
    """What a cell computes, beside its sizes: what a library has, or has not."""

    kind: str  # "RNN", "LSTM" or "GRU"
    activations: tuple[Callable[..., Any], ...]  # f; f and g of a GRU; f, g and h of an LSTM: ONNX's order
    clip: float | None = None
    layer_norm: bool = False
    reset_after: bool = True  # of a GRU
    peephole: str = ""  # "diagonal" or "full", of an LSTM
    coupled: bool = False  # f = 1 − i, of an LSTM
    projected: bool = False  # h, of an LSTM


def cell_options(cell: Any, library: str, path: str) -> CellOptions:
    """Return what a cell computes. Raises ValueError for none of the three, and for a class of the user's."""
    kind, where = kind_of(cell), path or "the cell"
    if not kind or not type(cell).__module__.startswith(Module.__module__.rpartition(".")[0]):
        raise ValueError(f"{where} is a {type(cell).__name__}, which {library} has not")
    gates = [part for part in cell.children() if hasattr(part, "symbol")]
    f, g = ("layer", "layer") if kind == "RNN" else ("output_gate" if kind == "LSTM" else "reset_gate", "candidate")
    found: tuple[Any, ...] = (getattr(cell, f).activation, getattr(cell, g).activation, getattr(cell, "showing", None))
    return CellOptions(
        kind,
        found[: {"RNN": 1, "GRU": 2, "LSTM": 3}[kind]],
        gates[0].clip,
        any(isinstance(gate.norm, Module) for gate in gates),
        getattr(cell, "reset_after", True),
        ("diagonal" if cell.diagonal else "full") if hasattr(cell, "diagonal") else "",
        getattr(cell, "coupled", not hasattr(cell, "forget_gate") and kind == "LSTM"),
        isinstance(getattr(cell, "projection", None), Module),
    )


def require_known(kind: CellOptions, library: str, path: str, **has: tuple[Any, ...]) -> None:
    """Refuse what a library has not: of each option it knows these values, or those it has by default."""
    for option, default in CellOptions._field_defaults.items():
        value = getattr(kind, option)
        if value not in has.get(option, (default,)):
            raise ValueError(f"{path or 'the cell'} is made with {option}={value!r}, which {library} has not")

"""Keras' weights, ``layer.get_weights()``, become ours, and ours become Keras', which is never imported here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..engine.ops import sigmoid
from ..engine.primitive import Array
from ..engine.tensor import Tensor
from ..nn import Embedding, LayerNorm, Linear
from ..nn.cell import Cell
from ..nn.module import Module
from ..nn.recurrent import Recurrent
from ..nn.state import fitted
from ..structure.words import clean
from .layouts import ORDERS, GateRows, as_ours, as_rows, cell_options, kind_of, require_known

_NAMES = {Linear: ("kernel", "bias"), Embedding: ("embeddings",), LayerNorm: ("gamma", "beta")}
"""What Keras calls the weights of these, which it lays out as we do."""


def from_keras(weights: Sequence[Any], *, into: Module) -> Module:
    """Give a module of ours the weights of Keras' layer of the same options, or model of the same parts; return it.

    A layer's weights are kernel, recurrent kernel and bias, of each cell in turn, forwards before backwards as
    ``Bidirectional`` has them. A ``GRU`` of Keras is ours as it is; with ``reset_after=False`` too, whose update gate
    keeps where ours replaces: the sign is turned. ``SimpleRNN`` is ``tl.RNN``, ``Dense`` ``tl.Linear``. What layers of
    ours on one another are, are separate layers there: the weights stand one after another.

    Arguments:
        weights: what ``layer.get_weights()`` or ``model.get_weights()`` returns, a list of arrays.
        into: the module that takes them; as it was on any error.

    Raises:
        TypeError: for what is no list of arrays, and an ``into`` that is no module of ours.
        ValueError: for too few or too many, for other shapes, for half precision, and for a part that Keras has not.

    Source: the order of gates and the equations are those of the documentation and source of Keras 3, keras.layers.

    >>> import numpy as np
    >>> import tinygrad_lstm as tl
    >>> weights = [np.ones((3, 8)), np.ones((2, 8)), np.zeros(8)]  # of keras.layers.LSTM(2) that reads 3 numbers
    >>> tl.from_keras(weights, into=tl.LSTM(3, 2)).cell.forget_gate.weight.shape
    (5, 2)
    >>> tl.from_keras(weights, into=tl.GRU(3, 2))
    Traceback (most recent call last):
    ValueError: GRU: the state does not fit, ...; misshapen: weight 0 (kernel) has shape (3, 8), not (3, 6), ...
    """
    if not isinstance(into, Module):
        raise TypeError(f"into must be a module of ours, not {clean(repr(into), 60)}")
    if not isinstance(weights, list | tuple):
        raise TypeError(f"weights are a list of arrays, as layer.get_weights() returns, not {clean(repr(weights), 60)}")
    parts = list(_parts(into))
    wanted = [each for path, part in parts for each in _theirs(part, path)]
    names = [f"weight {k} ({name})" for k, (name, _) in enumerate(wanted)]
    for k, given in enumerate(weights):
        kind = str(getattr(given, "dtype", ""))
        if kind and kind not in ("float32", "float64"):
            raise ValueError(
                f"weight {k} is {clean(kind)}, and weights are float32 or float64: array.astype('float32')"
            )
    given_by_name = dict(
        zip([*names, *(f"weight {k}" for k in range(len(names), len(weights)))], weights, strict=False)
    )
    shapes = {name: (array.shape, array.dtype) for name, (_, array) in zip(names, wanted, strict=True)}
    values, _ = fitted(given_by_name, shapes, type(into).__name__)
    left = iter([values[name] for name in names])
    for path, part in parts:
        for owner, name, new in _ours(part, [next(left) for _ in _theirs(part, path)]):
            getattr(owner, name).value = new
    return into


def to_keras(module: Module) -> list[Array]:
    """Return a module's weights for Keras: ``layer.set_weights(tl.to_keras(module))``, of the same options there.

    Arguments:
        module: a layer or cell that Keras has too, Linear, Embedding, LayerNorm, or modules made of these, in order.

    Raises:
        TypeError: for what is no module of ours.
        ValueError: for a part that Keras has not, by its path.

    Source: the order of gates is that of the documentation and source of Keras 3, keras.layers.

    >>> import tinygrad_lstm as tl
    >>> [array.shape for array in tl.to_keras(tl.GRU(3, 2, rng=0))]
    [(3, 6), (2, 6), (2, 6)]
    """
    if not isinstance(module, Module):
        raise TypeError(f"to_keras takes a module of ours, not {clean(repr(module), 60)}")
    return [array.copy() for path, part in _parts(module) for _, array in _theirs(part, path)]


def _parts(module: Module) -> Iterator[tuple[str, Module]]:
    """Yield the parts that have weights, each once, with its path: cells, and layers that are no recurrent ones."""
    inside = {
        each for part in module.modules() if isinstance(part, Cell) for each in part.modules() if each is not part
    }
    for path, part in module.named_modules():
        if part not in inside and not isinstance(part, Recurrent):
            yield path, part


def _theirs(part: Module, path: str) -> list[tuple[str, Array]]:
    """Return the weights of one part as Keras lays them out, each with its name there."""
    if isinstance(part, Cell):
        rows = as_rows(part, _order(part, path), lambda parameter: parameter.value)
        kernels = [("kernel", rows.of_x.T), ("recurrent kernel", rows.of_h.T)]
        if rows.bias_x is None:
            return kernels
        return [*kernels, ("bias", np.stack([rows.bias_x, rows.bias_h]) if _is_twofold(part) else rows.bias_x)]
    own = [value for value in vars(part).values() if isinstance(value, Tensor) and value.is_leaf]
    names = next((names for cls, names in _NAMES.items() if isinstance(part, cls)), ())
    if len(own) > len(names):
        raise ValueError(f"{path or 'the module'} is a {type(part).__name__}, which Keras has not")
    return list(zip(names, (parameter.value for parameter in own), strict=False))


def _ours(part: Module, given: Sequence[Array]) -> Iterator[tuple[Module, str, Array]]:
    """Yield what the weights of one part become: the owner, the attribute, and its new value."""
    if isinstance(part, Cell):
        kernel, recurrent, *bias = given
        biases = [*bias[0]] if bias and _is_twofold(part) else bias
        yield from as_ours(part, ORDERS["Keras"][kind_of(part)], GateRows(kernel.T, recurrent.T, *biases))
    else:
        yield from ((part, name, new) for name, new in zip(("weight", "bias"), given, strict=False))


def _order(cell: Cell[Any], path: str) -> tuple[str, ...]:
    """Return Keras' order of the gates; refuse a cell that it has not."""
    options = cell_options(cell, "Keras", path)
    require_known(options, "Keras", path, reset_after=(True, False))
    if not options.reset_after and options.activations[0] is not sigmoid:
        raise ValueError(f"{path or 'the cell'} replaces by another function than σ, where Keras keeps by it")
    return ORDERS["Keras"][options.kind]


def _is_twofold(cell: Cell[Any]) -> bool:
    """Tell whether the bias is of two rows, of x and of h."""
    return kind_of(cell) == "GRU" and bool(getattr(cell, "reset_after", False))

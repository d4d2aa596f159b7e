"""PyTorch's modules and state dicts become ours, and ours state dicts for PyTorch, which is never imported here."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Container, Iterator, Mapping
from typing import Any

import numpy as np

from ..engine.ops import relu
from ..engine.primitive import Array
from ..engine.tensor import Tensor
from ..nn.cell import Cell
from ..nn.containers import inner
from ..nn.module import Module
from ..nn.recurrent import Recurrent
from ..nn.state import array_of, fitted, replace_buffer, shape_and_type
from ..structure.words import clean
from .layouts import ORDERS, USUAL, GateRows, as_ours, as_rows, cell_options, kind_of, require_known
from .torch_modules import TYPES, WIDEN, is_turned, rebuilt

_ROWS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
"""What PyTorch calls the parameters of a cell, in the order of ``GateRows``."""


_WHOLE = ("int64", "int32", "int16", "int8", "uint64", "uint32", "uint16", "uint8", "bool")


def from_torch(module: Any, *, into: Module | None = None) -> Module:
    """Return PyTorch's module as one of ours, with its weights, its type, its mode, and what of it is frozen.

    Known are ``torch.nn``'s RNN, LSTM, GRU and their cells, Linear, Embedding, LayerNorm, Dropout, BatchNorm1d in
    evaluation, activations, losses, Sequential, ModuleList and ModuleDict, and the lists of parameters. A module of a
    class of yours that is made of these computes by its own ``forward``, whose tensors are ours then: ``torch.tanh(x)``
    and ``F.relu(x)`` are operations of ours, states of ``torch.zeros`` and packed sequences are taken, and a function
    or method that ours lack is named, with the module and the line. In a loop of such a forward that calls no cell,
    ``with tl.time_step(t):`` around what a step does tells pictures and walks the steps; PyTorch does not mind. No
    tensor is changed in place: ``h += x`` makes another ``h``, and what else held the old one keeps it. What is shared
    stays shared. Nothing of PyTorch's is changed, and nothing is shared with it.

    Numbers are PyTorch's to rounding, but for gradients at kinks, as that of ``relu`` at 0, and at ties of ``max``,
    which ours share equally, and for Softplus above 20 and Hardsigmoid, where PyTorch rounds. Weights of half precision
    are refused here and become float32, which is exact, where ``tl.load`` reads them of a file.

    Arguments:
        module: a ``torch.nn.Module``, or its ``state_dict()``, PyTorch's tensors or arrays by name, for ``into``.
        into: a module of ours that takes the weights, and is returned; as it was on any error.

    Raises:
        TypeError: for what is neither, and for a state dict without ``into``.
        ValueError: for what is not known, all of it by its path; for weights that do not fit, as ``load_state_dict``
            lists them; and for weights that are neither float32 nor float64, such as half precision.

    Source: the names and the order of gates are those of the documentation of torch.nn (PyTorch 2).

    >>> import numpy as np
    >>> import tinygrad_lstm as tl
    >>> state = {"weight": np.ones((2, 3)), "bias": np.zeros(2)}  # as torch.nn.Linear(3, 2).state_dict() has them
    >>> tl.from_torch(state, into=tl.Linear(3, 2))(np.ones(3)).tolist()
    [3.0, 3.0]
    >>> tl.from_torch(state, into=tl.Linear(3, 1))
    Traceback (most recent call last):
    ValueError: Linear: the state does not fit, ...; misshapen: weight has shape (2, 3), not (1, 3), ...
    """
    torch = sys.modules.get("torch")
    theirs = torch is not None and isinstance(module, torch.nn.Module)
    if not theirs and not isinstance(module, Mapping):
        by_path = isinstance(module, str | os.PathLike)
        raise TypeError(
            f"from_torch takes a torch.nn.Module, or its state_dict() and into=, not {clean(repr(module), 60)}"
            f"{'; a file is read by torch.load(path, weights_only=True)' if by_path else ''}"
        )
    if into is None and not theirs:
        raise TypeError("a state dict does not tell its architecture; make the module, and give it as into=")
    if into is not None and not isinstance(into, Module):
        raise TypeError(f"into must be a module of ours, not {clean(repr(into), 60)}")
    given = dict(module.named_parameters(remove_duplicate=False)) if theirs else module
    if into is not None:
        buffers = _buffers(into)
        kept = {name: each for name, each in module.named_buffers() if name in buffers} if theirs else {}
        running = [name for name in buffers if name.endswith(("running_mean", "running_var"))]
        if missing := [name for name in running if name not in {*given, *kept}]:
            raise ValueError(f"{type(into).__name__}: the state has no {clean(missing[0], 60)}, a buffer")
        return _filled(into, {**given, **kept} if theirs else given)
    built = _filled(rebuilt(module, torch), given)
    for part, name, new in _changes(built, {name: _flag(parameter) for name, parameter in given.items()}):
        if new.any() and not new.all():
            of = [each for each, parameter in given.items() if not parameter.requires_grad]
            raise ValueError(
                f"{clean(', '.join(of), 120)}: frozen in theirs, in one weight here with what learns, "
                f"{clean(getattr(part, name).name, 60)}; freeze the others of that layer, too, or none"
            )
        getattr(part, name).requires_grad = bool(new.any())
    return built


def to_torch(module: Module, *, gradients: bool = False) -> dict[str, Array]:
    """Return a module's weights as PyTorch names and lays them out: arrays, for ``load_state_dict`` of the same there.

    Each gate's bias stands in ``bias_ih``, and ``bias_hh`` is zero, as they add up; a GRU's candidate has both. What is
    shared stands under each of its names, as in PyTorch, and so do the buffers of a module that came from there.

    Arguments:
        module: of classes that PyTorch has too, or of yours, made of such.
        gradients: whether to return what ``loss.backward()`` has left instead: PyTorch's gradients of the same loss,
            without the parameters that have none, as they are frozen, or the loss does not depend on them.

    Raises:
        TypeError: for what is no module of ours.
        ValueError: for a cell that PyTorch has not, by its path; and for gradients that have not come yet.

    Source: the names and the order of gates are those of the documentation of torch.nn (PyTorch 2).

    >>> import tinygrad_lstm as tl
    >>> {name: array.shape for name, array in tl.to_torch(tl.LSTM(3, 2, rng=0)).items()}
    {'weight_ih_l0': (8, 3), 'weight_hh_l0': (8, 2), 'bias_ih_l0': (8,), 'bias_hh_l0': (8,)}

    PyTorch takes them as ``{name: torch.from_numpy(array) for name, array in tl.to_torch(ours).items()}``.
    """
    if not isinstance(module, Module):
        raise TypeError(f"to_torch takes a module of ours, not {clean(repr(module), 60)}")
    if not gradients:
        kept = {path: getattr(part, name) for path, (part, name) in _buffers(module).items()}
        return _theirs(module, array_of) | {path: array_of(each) for path, each in kept.items()}
    found, reached = _theirs(module, _gradient, gradients), set(_reached(module))
    if found and not reached:
        raise ValueError(f"no parameter of {type(module).__name__} has a gradient yet; call loss.backward() first")
    return {name: each for name, each in found.items() if name in reached}


def _reached(module: Module) -> Iterator[str]:
    """Yield the names, PyTorch's, of what is made of a parameter that has a gradient."""
    for path, part in _parts(module, ""):
        for suffix, cell in _cells(part, path):
            named = cell.named_parameters()
            ours = [name.removesuffix("projection.weight") for name, each in named if each.grad is not None]
            kinds = {name.rpartition(".")[2] for name in ours}  # "weight", "bias", or "" of the projection
            kind_of_row = {name: name.partition("_")[0] for name in _ROWS} | {"weight_hr": ""}
            yield from (f"{path}{name}{suffix}" for name, kind in kind_of_row.items() if kind in kinds)
        yield from (f"{path}{name}" for name, each in _own(part) if each.grad is not None)


def _gradient(parameter: Tensor) -> Array:
    return np.zeros_like(parameter.value) if parameter.grad is None else parameter.grad.value.copy()


def _theirs(module: Module, of: Callable[[Tensor], Array], gradients: bool = False) -> dict[str, Array]:
    found: dict[str, Array] = {}
    for path, part in _parts(module, ""):
        for suffix, cell in _cells(part, path):
            rows = as_rows(cell, ORDERS["PyTorch"][kind_of(cell)], of, gradients=gradients)
            found |= {f"{path}{name}{suffix}": row for name, row in zip(_ROWS, rows, strict=False) if row is not None}
        for name, parameter in _own(part):
            array = of(parameter)
            found[f"{path}{name}"] = array.T if is_turned(part, name) else array
    return found


def _buffers(module: Module) -> dict[str, tuple[Module, str]]:
    """Return what PyTorch keeps beside parameters, by its names there: the part of the module, and the attribute."""
    named = ((path, part, name) for path, part in _parts(module, "") for name in part.buffer_names)
    return {f"{path}{name}": (part, name) for path, part, name in named if getattr(part, name) is not None}


def _parts(module: Module, path: str) -> Iterator[tuple[str, Module]]:
    """Yield each module that has weights of its own, under every path it has; not what layers and cells are made of."""
    yield path, module
    if not isinstance(module, Recurrent | Cell):
        for attribute, value in vars(module).items():
            for name, part in inner(attribute, value):
                if isinstance(part, Module):
                    yield from _parts(part, f"{path}{name}.")


def _cells(part: Module, path: str) -> Iterator[tuple[str, Any]]:
    """Yield the cells of a layer, or the cell itself, each with what PyTorch adds to the names of its parameters."""
    if isinstance(part, Cell):
        _require_theirs(part, path)
        yield "", part
    if isinstance(part, Recurrent):
        sides = 2 if part.bidirectional else 1
        for k, cell in enumerate(part.cells):
            _require_theirs(cell, path)
            yield f"_l{k // sides}{'_reverse' if k % sides else ''}", cell


def _require_theirs(cell: Any, path: str) -> None:
    """Refuse a cell that PyTorch has not."""
    where = path.rstrip(".")
    kind = cell_options(cell, "PyTorch", where)
    require_known(kind, "PyTorch", where, projected=(False, True))
    if kind.activations not in (USUAL[kind.kind], *([(relu,)] if kind.kind == "RNN" else [])):
        raise ValueError(f"{where or 'the cell'} has activations of its own, which PyTorch has not")


def _own(part: Module) -> Iterator[tuple[str, Tensor]]:
    """Yield the parameters that are a module's own attributes, but for those of a cell."""
    if not isinstance(part, Recurrent | Cell):
        known = {id(parameter) for parameter in part.parameters()}
        for attribute, value in vars(part).items():
            yield from ((name, each) for name, each in inner(attribute, value) if id(each) in known)


def _changes(module: Module, given: Mapping[str, Array]) -> Iterator[tuple[Module, str, Array]]:
    """Yield what the arrays by PyTorch's names become: the part of the module, the attribute, and its new value."""
    for path, part in _parts(module, ""):
        for suffix, cell in _cells(part, path):
            rows = GateRows(*(given.get(f"{path}{name}{suffix}") for name in _ROWS))
            yield from as_ours(cell, ORDERS["PyTorch"][kind_of(cell)], rows)
        for name, _ in _own(part):
            array = given[f"{path}{name}"]
            yield part, name, array.T if is_turned(part, name) else array


def _filled(module: Module, given: Mapping[str, Any]) -> Module:
    """Give a module the weights that stand under PyTorch's names, all of them or, on any error, none."""
    wanted = {name: (array.shape, array.dtype) for name, array in _theirs(module, array_of).items()}
    buffers = _buffers(module)
    wanted |= {name: shape_and_type(getattr(*where)) for name, where in buffers.items() if name in given}
    values, _ = fitted(_arrays(given, buffers), wanted, type(module).__name__)
    kept = {name: values.pop(name) for name in buffers if name in given}
    new: dict[Tensor, Array] = {}
    for part, name, value in _changes(module, values):
        parameter = getattr(part, name)
        if not np.array_equal(new.setdefault(parameter, value), value, equal_nan=True):
            called = clean(parameter.name, 60)
            raise ValueError(f"{type(module).__name__}: {called} is shared, and the state has two values for it")
    for parameter, value in new.items():
        parameter.value = value
    for name, array in kept.items():
        replace_buffer(*buffers[name], array)
    return module


def _arrays(given: Mapping[str, Any], buffers: Container[str]) -> Mapping[str, Any]:
    """Return a state dict's tensors as arrays; refuse a checkpoint that holds one beside other things.

    An array file is a mapping too, and reads each when it is asked for.
    """
    if not all(isinstance(name, str) for name in given):
        return given
    state: dict[str, Any] = {}
    for name in given:
        try:
            value = given[name]
        except Exception as error:  # as of an array file that is damaged, or holds a pickle
            raise ValueError(f"{clean(name, 60)} cannot be read: {clean(error, 200)}") from error
        if isinstance(value, Mapping):
            raise ValueError(f"{clean(name, 60)} is a mapping by itself: if that is the state dict, give it alone")
        state[name] = _array(name, value, (*TYPES, *_WHOLE) if name in buffers else TYPES)
    return state


def _array(name: str, given: Any, types: Container[str]) -> Any:
    """Return PyTorch's tensor as an array, and what is none as it is; refuse other types than these, such as half."""
    kind = str(getattr(given, "dtype", "")).rpartition(".")[2]
    if kind and kind not in types:
        raise ValueError(f"{clean(name, 60)} is {clean(kind)}, and {WIDEN}")
    if not hasattr(given, "detach"):
        return given
    try:
        return given.detach().cpu().numpy()
    except Exception as error:  # as of one that is sparse, or has no numbers
        raise ValueError(f"{clean(name, 60)} cannot be read: {clean(error, 200)}") from error


def _flag(parameter: Any) -> Array:
    return np.full(tuple(parameter.shape), float(parameter.requires_grad))

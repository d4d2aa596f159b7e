"""PyTorch's modules and state dicts become ours, and ours become state dicts for PyTorch, which is never imported here."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from .. import nn
from ..engine.ops import relu, sigmoid, tanh
from ..engine.primitive import Array
from ..engine.tensor import Tensor
from ..nn.cell import Cell
from ..nn.containers import inner
from ..nn.creation import DRAWING, generator
from ..nn.layers import TiedLinear
from ..nn.module import Module
from ..nn.recurrent import Recurrent
from ..nn.state import fitted
from ..structure.words import clean
from .borrowed import borrowed
from .layouts import ORDERS, Rows, as_ours, as_rows, kind_in_full, kind_of, require_known

_ROWS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
"""What PyTorch calls the parameters of a cell, in the order of ``Rows``."""

_RECURRENT = "input_size hidden_size num_layers bias batch_first dropout bidirectional"

_KNOWN = {
    "RNN": f"{_RECURRENT} nonlinearity",
    "LSTM": f"{_RECURRENT} proj_size",
    "GRU": _RECURRENT,
    "RNNCell": "input_size hidden_size bias nonlinearity",
    "LSTMCell": "input_size hidden_size bias",
    "GRUCell": "input_size hidden_size bias",
    "Linear": "in_features out_features bias",
    "Embedding": "num_embeddings embedding_dim padding_idx max_norm=None scale_grad_by_freq=False",
    "LayerNorm": "normalized_shape eps elementwise_affine bias",
    "Dropout": "p",
    "Identity": "",
    "ReLU": "",
    "Tanh": "",
    "Sigmoid": "",
    "SiLU": "",
    "LogSigmoid": "",
    "Softsign": "",
    "Hardsigmoid": "",
    "Softmax": "dim",
    "LogSoftmax": "dim",
    "GELU": "approximate=none",
    "ELU": "alpha",
    "LeakyReLU": "negative_slope",
    "Hardtanh": "min_val=-1.0 max_val=1.0",
    "Flatten": "start_dim end_dim",
    "CrossEntropyLoss": "weight ignore_index reduction label_smoothing",
    "NLLLoss": "weight ignore_index reduction",
    "MSELoss": "reduction",
    "L1Loss": "reduction",
    "HuberLoss": "reduction delta",
    "SmoothL1Loss": "reduction beta",
    "BCEWithLogitsLoss": "reduction weight=None pos_weight=None",
}
"""The classes of ``torch.nn`` that are classes of ours too: what both are made with, and what must be as it stands."""

_TYPES = ("float32", "float64")

_NAMED = 4
"""How many of the things that are not known a message lists."""


def from_torch(module: Any, *, into: Module | None = None) -> Module:
    """Return PyTorch's module as one of ours, with its weights, its type, its mode, and what of it is frozen.

    Known are ``torch.nn``'s RNN, LSTM, GRU and their cells, Linear, Embedding, LayerNorm, Dropout, activations, losses,
    Sequential, ModuleList and ModuleDict. A module of a class of yours that is made of these computes by its own
    ``forward``, whose tensors are ours then: ``torch.tanh(x)`` and ``F.relu(x)`` are operations of ours. What is shared
    stays shared. Nothing of PyTorch's is changed, and nothing is shared with it.

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
        raise TypeError(
            f"from_torch takes a torch.nn.Module, or its state_dict() and into=, not {clean(repr(module), 60)}"
        )
    if into is None and not theirs:
        raise TypeError("a state dict does not tell its architecture; make the module, and give it as into=")
    if into is not None and not isinstance(into, Module):
        raise TypeError(f"into must be a module of ours, not {clean(repr(into), 60)}")
    if not theirs:
        return _filled(into, module)
    given = dict(module.named_parameters(remove_duplicate=False))
    if into is not None:
        return _filled(into, given)
    built = _filled(_Building(torch).whole(module), given)
    for part, name, new in _changes(built, {name: _flag(parameter) for name, parameter in given.items()}):
        getattr(part, name).requires_grad = bool(new.any())
    return built


def to_torch(module: Module, *, gradients: bool = False) -> dict[str, Array]:
    """Return a module's weights as PyTorch names and lays them out: arrays, for ``load_state_dict`` of the same there.

    Each gate's bias stands in ``bias_ih``, and ``bias_hh`` is zero, as they add up; a GRU's candidate has both. What is
    shared stands under each of its names, as in PyTorch.

    Arguments:
        module: of classes that PyTorch has too, or of yours, made of such.
        gradients: whether to return what ``loss.backward()`` has left instead: PyTorch's gradients of the same loss.

    Raises:
        TypeError: for what is no module of ours.
        ValueError: for a cell that PyTorch has not, by its path; and for gradients that have not come yet.

    Source: the names and the order of gates are those of the documentation of torch.nn (PyTorch 2).

    >>> import tinygrad_lstm as tl
    >>> {name: array.shape for name, array in tl.to_torch(tl.LSTM(3, 2, rng=0)).items()}
    {'weight_ih_l0': (8, 3), 'weight_hh_l0': (8, 2), 'bias_ih_l0': (8,), 'bias_hh_l0': (8,)}

    Into PyTorch: ``theirs.load_state_dict({name: torch.from_numpy(array) for name, array in tl.to_torch(ours).items()})``.
    """
    if not isinstance(module, Module):
        raise TypeError(f"to_torch takes a module of ours, not {clean(repr(module), 60)}")
    return _theirs(module, _gradient if gradients else _value, gradients)


def _value(parameter: Tensor) -> Array:
    return parameter.value.copy()


def _gradient(parameter: Tensor) -> Array:
    if parameter.grad is None:
        raise ValueError(f"{clean(parameter.name, 60)} has no gradient yet; call loss.backward() first")
    return parameter.grad.value.copy()


def _theirs(module: Module, of: Callable[[Tensor], Array], gradients: bool = False) -> dict[str, Array]:
    found: dict[str, Array] = {}
    for path, part in _parts(module, ""):
        for suffix, cell in _cells(part, path):
            rows = as_rows(cell, ORDERS["PyTorch"][kind_of(cell)], of, gradients=gradients)
            found |= {f"{path}{name}{suffix}": row for name, row in zip(_ROWS, rows, strict=False) if row is not None}
        for name, parameter in _own(part):
            array = of(parameter)
            found[f"{path}{name}"] = array.T if _is_turned(part, name) else array
    return found


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
    kind = kind_in_full(cell, "PyTorch", where)
    require_known(kind, "PyTorch", where, projected=(False, True))
    usual: dict[str, tuple[Any, ...]] = {"RNN": (tanh,), "GRU": (sigmoid, tanh), "LSTM": (sigmoid, tanh, tanh)}
    if kind.activations not in (usual[kind.kind], *([(relu,)] if kind.kind == "RNN" else [])):
        raise ValueError(f"{where or 'the cell'} has activations of its own, which PyTorch has not")


def _own(part: Module) -> Iterator[tuple[str, Tensor]]:
    """Yield the parameters that are a module's own attributes, but for those of a cell."""
    if not isinstance(part, Recurrent | Cell):
        known = {id(parameter) for parameter in part.parameters()}
        for attribute, value in vars(part).items():
            yield from ((name, each) for name, each in inner(attribute, value) if id(each) in known)


def _is_turned(part: Module, name: str) -> bool:
    """Tell whether a weight is (D_in, D_out) here and (D_out, D_in) in PyTorch."""
    return name == "weight" and isinstance(part, nn.Linear) and not isinstance(part, TiedLinear)


def _changes(module: Module, given: Mapping[str, Array]) -> Iterator[tuple[Module, str, Array]]:
    """Yield what the arrays by PyTorch's names become: the part of the module, the attribute, and its new value."""
    for path, part in _parts(module, ""):
        for suffix, cell in _cells(part, path):
            rows = Rows(*(given.get(f"{path}{name}{suffix}") for name in _ROWS))
            yield from as_ours(cell, ORDERS["PyTorch"][kind_of(cell)], rows)
        for name, _ in _own(part):
            array = given[f"{path}{name}"]
            yield part, name, array.T if _is_turned(part, name) else array


def _filled(module: Module, given: Mapping[str, Any]) -> Module:
    """Give a module the weights that stand under PyTorch's names, all of them or, on any error, none."""
    wanted = {name: (array.shape, array.dtype) for name, array in _theirs(module, _value).items()}
    state = {name: _array(name, array) for name, array in given.items() if isinstance(name, str)}
    values, _ = fitted(state if len(state) == len(given) else given, wanted, type(module).__name__)
    new: dict[Tensor, Array] = {}
    for part, name, value in _changes(module, values):
        parameter = getattr(part, name)
        if not np.array_equal(new.setdefault(parameter, value), value, equal_nan=True):
            called = clean(parameter.name, 60)
            raise ValueError(f"{type(module).__name__}: {called} is shared, and the state has two values for it")
    for parameter, value in new.items():
        parameter.value = value
    return module


def _array(name: str, given: Any) -> Any:
    """Return PyTorch's tensor as an array, and what is none as it is; refuse other types than ours, such as half."""
    kind = str(getattr(given, "dtype", "")).rpartition(".")[2]
    if kind and kind not in _TYPES:
        raise ValueError(f"{clean(name, 60)} is {clean(kind)}, and weights are float32 or float64: {_WIDEN}")
    if not hasattr(given, "detach"):
        return given
    try:
        return given.detach().cpu().numpy()
    except Exception as error:  # as of one that is sparse, or has no numbers
        raise ValueError(f"{clean(name, 60)} cannot be read: {clean(error, 200)}") from error


_WIDEN = "module.float() makes them so, exactly"


def _flag(parameter: Any) -> Array:
    return np.full(tuple(parameter.shape), float(parameter.requires_grad))


class _Building:
    """One module of PyTorch's made anew of ours: what stands in several places is made once."""

    def __init__(self, torch: Any) -> None:
        self.torch = torch
        self.known = {getattr(torch.nn, name): name for name in _KNOWN}
        self.made: dict[Any, Module] = {}
        self.unknown: list[str] = []
        self.rows: dict[int, tuple[Any, str]] = {}  # embeddings by their weights, and where they stand

    def whole(self, theirs: Any) -> Module:
        """Return ours for theirs. Raises ValueError, which lists what is not known."""
        embeddings = [(each, path) for path, each in theirs.named_modules() if type(each) is self.torch.nn.Embedding]
        self.rows = {id(each.weight): (each, path) for each, path in embeddings}
        token = DRAWING.set(np.random.default_rng(generator(None).integers(2**63)))  # repeatable, by tl.manual_seed
        try:
            module = self.module(theirs, "")
            if not self.unknown:
                self.share(theirs)
        finally:
            DRAWING.reset(token)
        if module is None or self.unknown:
            more = f" and {len(self.unknown) - _NAMED} more" if len(self.unknown) > _NAMED else ""
            raise ValueError(f"not known here: {'; '.join(self.unknown[:_NAMED])}{more}; nothing was made")
        return module

    def module(self, theirs: Any, path: str) -> Module | None:
        if theirs not in self.made:
            before = len(self.unknown)
            self.require_plain(theirs, path)
            made = None if len(self.unknown) > before else self.anew(theirs, path)
            if made is None:
                return None
            self.made[theirs] = made
        return self.made[theirs]

    def refuse(self, path: str, why: str) -> None:
        self.unknown.append(f"{clean(path, 60) or 'the module'} {why}")

    def require_plain(self, theirs: Any, path: str) -> None:
        """Refuse hooks, and weights of other types than ours."""
        if any(vars(theirs).get(f"_{when}_hooks") for when in ("forward", "forward_pre", "backward", "backward_pre")):
            self.refuse(path, "has hooks, which would not run")
        types = {str(each.dtype).rpartition(".")[2] for each in theirs.parameters(recurse=False)}
        if types - {*_TYPES}:
            self.refuse(path, f"is {', '.join(sorted(types))}, and weights are float32 or float64: {_WIDEN}")
        elif len(types) > 1:
            self.refuse(path, f"is of several types, {' and '.join(sorted(types))}")

    def anew(self, theirs: Any, path: str) -> Module | None:
        cls, torch = type(theirs), self.torch
        if cls in self.known:
            return self.known_one(theirs, path)
        derived = next((name for each, name in self.known.items() if isinstance(theirs, each)), "")
        if derived or (cls.__module__.split(".")[0] == "torch" and cls not in self.containers):
            self.refuse(path, f"is a {cls.__name__}{f', derived from {derived}' if derived else ''}")
            return None
        before = f"{path}." if path else ""
        parts = {name: self.module(part, f"{before}{name}") for name, part in theirs._modules.items() if part}
        parts = {name: part for name, part in parts.items() if part is not None}
        if len(parts) < sum(part is not None for part in theirs._modules.values()):
            return None
        try:
            made = self.composed(theirs, parts)
        except (TypeError, ValueError) as error:
            self.refuse(path, f"cannot be made: {clean(error, 200)}")
            return None
        made.training = theirs.training
        return made

    @property
    def containers(self) -> dict[Any, Callable[[dict[str, Module]], Module]]:
        torch = self.torch.nn
        return {
            torch.Sequential: lambda parts: nn.Sequential(dict(parts)),
            torch.ModuleList: lambda parts: nn.ModuleList(parts.values()),
            torch.ModuleDict: nn.ModuleDict,
        }

    def composed(self, theirs: Any, parts: dict[str, Module]) -> Module:
        """Return a module of modules: one of PyTorch's containers, or one of the user's class."""
        if type(theirs) in self.containers:
            return self.containers[type(theirs)](parts)
        return borrowed(theirs, parts, self.torch)

    def known_one(self, theirs: Any, path: str) -> Module | None:
        name = self.known[type(theirs)]
        how: dict[str, Any] = {}
        for word in _KNOWN[name].split():
            option, is_fixed, must = word.partition("=")
            value = getattr(theirs, option)
            if option == "bias" and not isinstance(value, bool):
                value = value is not None
            if str(value) != must if is_fixed else (option == "dim" and value is None):
                self.refuse(path, f"is a {name} with {option}={clean(value)}")
                return None
            if not is_fixed:
                how[option] = value.numpy() if hasattr(value, "numpy") else value
        if how.get("num_layers") == 1:
            how["dropout"] = 0.0  # which does nothing there either
        types = [str(each.dtype).rpartition(".")[2] for each in theirs.parameters(recurse=False)]
        try:
            if name == "Linear" and id(theirs.weight) in self.rows:
                embedding, its_path = self.rows[id(theirs.weight)]
                made: Module = TiedLinear(self.module(embedding, its_path), how["bias"])
            else:
                made = getattr(nn, name)(**how, **({"dtype": types[0]} if types else {}))
        except (TypeError, ValueError) as error:
            self.refuse(path, f"is a {name} that cannot be made: {clean(error, 200)}")
            return None
        return made.train(theirs.training)

    def share(self, theirs: Any) -> None:
        """Give modules that share a parameter there one that they share here."""
        owners: dict[Any, list[tuple[str, Any, str]]] = {}
        for path, part in theirs.named_modules():
            for name, parameter in part._parameters.items():
                if parameter is not None:
                    owners.setdefault(parameter, []).append((path, self.made[part], name))
        for (path, first, name), *others in owners.values():
            for other_path, other, other_name in others:
                whole = isinstance(first, Recurrent | Cell) or isinstance(other, Recurrent | Cell)
                if whole or _is_turned(first, name) != _is_turned(other, other_name):
                    self.refuse(other_path, f"shares {other_name} alone with {clean(path, 60)}.{name}")
                else:
                    setattr(other, other_name, getattr(first, name))

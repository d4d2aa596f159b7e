"""A module of PyTorch's made anew of ours, without its weights: what both have, and the names of what only one has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import nn
from ..nn.cell import Cell
from ..nn.creation import DRAWING, generator
from ..nn.module import Module
from ..nn.recurrent import Recurrent
from ..structure.words import clean
from . import torch_layers
from .borrowed import borrowed, learning, ours

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
    "BatchNorm1d": "num_features eps affine running_mean running_var num_batches_tracked training=False",
    "ReLU": "",
    "ReLU6": "",
    "Softplus": "beta=1 threshold=20",
    "Hardswish": "",
    "Mish": "",
    "SELU": "",
    "Tanh": "",
    "Sigmoid": "",
    "SiLU": "",
    "LogSigmoid": "",
    "Softsign": "",
    "Hardsigmoid": "",
    "Softmax": "dim",
    "LogSoftmax": "dim",
    "GELU": "approximate",
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
"""The classes of ``torch.nn`` that are classes of ours too: what both are made with, and what must be as it stands.

Above its threshold PyTorch's Softplus is x itself, 2e-9 less than ours.
"""

TYPES = ("float32", "float64")
WIDEN = "weights are float32 or float64: module.float() makes them so, exactly"
"""What is said of other types, such as half precision."""

_WRAPPED = {"DataParallel": "module", "DistributedDataParallel": "module", "OptimizedModule": "_orig_mod"}
"""Where PyTorch's modules that stand around one of the user's keep it."""

_NAMED = 4
"""How many of the things that are not known a message lists."""


def rebuilt(theirs: Any, torch: Any) -> Module:
    """Return ours for a module of PyTorch's, all zeros or drawn. Raises ValueError, which lists what is not known."""
    return _Rebuilt(torch).whole(theirs)


def is_turned(part: Module, name: str) -> bool:
    """Tell whether a weight is (D_in, D_out) here and (D_out, D_in) in PyTorch."""
    return name == "weight" and isinstance(part, nn.Linear)


class _Rebuilt:
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
            if isinstance(made, nn.Activation) and getattr(theirs, "inplace", False):
                made.inplace = True
            self.made[theirs] = made
        return self.made[theirs]

    def refuse(self, path: str, why: str) -> None:
        self.unknown.append(f"{clean(path, 60) or 'the module'} {why}")

    def require_plain(self, theirs: Any, path: str) -> None:
        """Refuse hooks, and weights of other types than ours."""
        lazy = getattr(theirs, "has_uninitialized_params", None)
        if lazy and lazy():
            self.refuse(path, f"is a {type(theirs).__name__} without sizes: call the module once, then they are known")
        elif any(vars(theirs).get(f"_{when}_hooks") for when in ("forward", "forward_pre", "backward", "backward_pre")):
            self.refuse(path, "has hooks, which would not run")
        elif any(each._backward_hooks for each in theirs.parameters(recurse=False)):
            self.refuse(path, "has a weight with a hook, which would not run")
        elif (
            type(theirs).__name__ not in _WRAPPED
            and type(theirs) not in self.lists
            and ("forward" in vars(theirs) or type(theirs).__call__ is not self.torch.nn.Module.__call__)
        ):
            self.refuse(path, "has another forward or call than its class says, which would not run")
        types = {str(each.dtype).rpartition(".")[2] for each in theirs.parameters(recurse=False)}
        if types - {*TYPES}:
            self.refuse(path, f"is {', '.join(sorted(types))}, and {WIDEN}")
        elif len(types) > 1:
            self.refuse(path, f"is of several types, {' and '.join(sorted(types))}")

    def anew(self, theirs: Any, path: str) -> Module | None:
        cls = type(theirs)
        if cls in self.known:
            return self.known_one(theirs, path)
        known = {*self.containers, *self.lists}
        derived = next((name for each, name in self.known.items() if isinstance(theirs, each)), "")
        if derived or (cls.__module__.split(".")[0] == "torch" and cls not in known):
            hint = f", derived from {derived}" if derived else ""
            if cls.__name__ in _WRAPPED:
                hint = f" around a module: give its {_WRAPPED[cls.__name__]}"
            elif cls.__name__ in _KNOWN:
                hint = f" of {cls.__module__}"
            self.refuse(path, f"is a {cls.__name__}{hint}")
            return None
        before = f"{path}." if path else ""
        inside = {name: part for name, part in theirs._modules.items() if part is not None}
        made_of = {name: self.module(part, f"{before}{name}") for name, part in inside.items()}
        parts = {name: part for name, part in made_of.items() if part is not None}
        if len(parts) < len(inside):
            return None
        try:
            made = self.composed(theirs, parts)
        except (TypeError, ValueError) as error:
            self.refuse(path, f"cannot be made: {clean(error, 200)}")
            return None
        made.training = theirs.training
        return made

    @property
    def lists(self) -> tuple[Any, ...]:
        return (self.torch.nn.ParameterList, self.torch.nn.ParameterDict)

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
        if type(theirs) in self.lists:
            return self.held(theirs, parts)
        if type(theirs) in self.containers:
            return self.containers[type(theirs)](parts)
        return borrowed(theirs, parts, self.torch)

    def held(self, theirs: Any, parts: dict[str, Module]) -> Module:
        """Return a list, or a dict, of parameters, and of whatever else it holds."""
        listed = type(theirs) is self.torch.nn.ParameterList
        values: dict[str, Any] = {}
        for name in map(str, range(len(theirs))) if listed else theirs.keys():
            value = getattr(theirs, name)
            learns = name in theirs._parameters and value is not None
            values[name] = (
                parts[name] if name in parts else learning(value) if learns else ours(name, value, self.torch)
            )
        return torch_layers.ParameterList(values) if listed else torch_layers.ParameterDict(values)

    def known_one(self, theirs: Any, path: str) -> Module | None:
        name = self.known[type(theirs)]
        how: dict[str, Any] = {}
        for word in _KNOWN[name].split():
            option, is_fixed, must = word.partition("=")
            value = getattr(theirs, option)
            if option == "bias" and not isinstance(value, bool):
                value = value is not None
            if not _is(value, must) if is_fixed else value is None and option in ("dim", "running_mean"):
                self.refuse(path, f"is a {name} with {option}={clean(value)}")
                return None
            if not is_fixed:
                how[option] = value.numpy() if hasattr(value, "numpy") else value
        if how.get("num_layers") == 1:
            how["dropout"] = 0.0  # which does nothing there either
        types = [str(each.dtype).rpartition(".")[2] for each in theirs.parameters(recurse=False)]
        try:
            if name == "Linear" and id(theirs.weight) in self.rows:
                embedding: Any = self.module(*self.rows[id(theirs.weight)])
                made: Module = nn.TiedLinear(embedding, how["bias"])
            else:
                home = torch_layers if hasattr(torch_layers, name) else nn
                made = getattr(home, name)(**how, **({"dtype": types[0]} if types else {}))
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
                if whole or is_turned(first, name) != is_turned(other, other_name):
                    self.refuse(other_path, f"shares {other_name} alone with {clean(path, 60)}.{name}")
                else:
                    setattr(other, other_name, getattr(first, name))


def _is(value: Any, must: str) -> bool:
    """Tell whether a setting is what it must be, as it is written; 1 is 1.0."""
    try:
        return str(value) == must or float(value) == float(must)
    except (TypeError, ValueError):
        return False

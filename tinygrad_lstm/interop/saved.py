"""Saving a model and loading it again: a safetensors file whose header also tells what the model is made of."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, overload

from ..engine.primitive import Array
from ..nn import Module, Optimizer
from ..structure.words import clean
from .architecture import Untold, build, describe
from .files import write_file
from .safetensors import encode, little_endian, parsed, read

Stateful = TypeVar("Stateful", bound=Module | Optimizer)
Named = TypeVar("Named")

_KEY = "tinygrad_lstm"
"""Under which the header tells of the model; other programs pass over it."""


def save(module: Module | Optimizer, path: str | os.PathLike[str]) -> Path:
    """Write a module into a safetensors file, whole or not at all, and return its path; an optimiser likewise.

    Its values are those of ``state_dict()``, which any program reads that knows the format. If all its parts are of our
    classes, and as these made them, the header also tells which, so that ``tl.load(path)`` returns the model itself.
    Of a class of yours, and of what was changed since it was made, the values alone are written, for
    ``tl.load(path, into=model)``.

    Raises:
        TypeError: for what is neither a module nor an optimiser, and for a buffer of a type such as float16.
        OSError: for what cannot be written.

    Source: the format is that of https://github.com/huggingface/safetensors.

    >>> import tempfile
    >>> import tinygrad_lstm as tl
    >>> lstm = tl.LSTM(3, 4, num_layers=2, bidirectional=True, rng=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = tl.save(lstm, f"{folder}/lstm.safetensors")
    ...     tl.load(path)
    LSTM(3 → 4, layers=2, bidirectional)
    """
    if not isinstance(module, Module | Optimizer):
        what = clean(repr(module), 60)
        raise TypeError(f"what is saved is a module or an optimiser, as in tl.save(model, path), not {what}")
    return write_file(path, packed(module))


def packed(
    module: Module | Optimizer,
    *,
    state: Mapping[str, Array] | None = None,
    beside: Mapping[str, Array] | None = None,
    facts: Any = None,
) -> bytes:
    """Return what ``save`` writes: the values and what the model is made of; and, if given, more than that.

    Arguments:
        module: what is saved.
        state: other values for it than it has now.
        beside: arrays that are not the model's, by names that it has not: ``load`` passes over them.
        facts: whatever JSON can hold, to stand in the header.

    Raises ValueError for a NaN or Inf in the facts: JSON has none, and nobody could read the file.
    """
    state, beside = module.state_dict() if state is None else state, beside or {}
    header: dict[str, Any] = {"version": 1}
    if isinstance(module, Optimizer):
        header["why"] = f"it is the state of an optimiser, {type(module).__name__}"
    else:
        try:
            header["module"] = describe(module)
            header["frozen"] = [name for name, parameter in module.named_parameters() if not parameter.requires_grad]
            header["eval"] = [name for name, part in module.named_modules() if not part.training]
        except Untold as reason:
            header["why"] = str(reason)
    if beside or facts is not None:
        header |= {"beside": sorted(beside), "facts": facts}
    try:
        json.dumps(header, allow_nan=False)
    except ValueError as error:
        raise ValueError(
            f"the facts of a file are JSON, which has no NaN or Inf ({error}); keep it as an array"
        ) from None
    arrays = {**state, **beside}
    header["sha256"] = _digest(arrays, header)
    return encode(arrays, {_KEY: json.dumps(header)})


class Opened(NamedTuple):
    """What stands in a file: the values of a model, the arrays beside them, and what the header tells."""

    state: dict[str, Array]
    beside: dict[str, Array]
    header: dict[str, Any]


def opened(path: str | os.PathLike[str]) -> Opened:
    """Return what ``packed`` put into a file, or another program.

    Raises OSError for what cannot be read, and ValueError for a file that is damaged, or no safetensors file.
    """
    arrays, metadata = read(path)
    try:
        header = _checked(arrays, metadata)
    except ValueError as error:
        raise ValueError(f"{clean(path, 200)}: {error}") from error
    names = header.get("beside") or []
    beside = {name: arrays.pop(name) for name in list(arrays) if name in set(names)}
    return Opened(arrays, beside, header)


def built(file: Opened) -> Module:
    """Return the model of a file, made anew. Raises ValueError if it holds values alone, or they do not fit."""
    if "module" not in file.header:
        why = clean(file.header.get("why", ""), 200)
        raise ValueError(f"it holds values alone, since {why}; make the model, and tl.load(path, into=model)")
    module = build(file.header["module"], sum(array.size for array in file.state.values()))
    parameters, parts = dict(module.named_parameters()), dict(module.named_modules())
    for parameter in _named(file.header, "frozen", parameters):
        parameter.requires_grad = False
    for part in _named(file.header, "eval", parts):
        part.training = False
    module.load_state_dict(file.state)
    return module


@overload
def load(path: str | os.PathLike[str]) -> Module: ...
@overload
def load(path: str | os.PathLike[str], *, into: Stateful) -> Stateful: ...
def load(path: str | os.PathLike[str], *, into: Any = None) -> Any:
    """Return the model that ``tl.save`` wrote into a file, made anew; or ``into``, with the values of the file.

    Only our own classes are made, and only of what stands in the file: nothing is imported, nothing is evaluated. On
    any error, ``into`` is as it was. Values take the type of the parameter that they are for. ``into`` may be an
    optimiser, for a file with its state, and the file another program's.

    Raises:
        ValueError: for a file that is damaged, or no safetensors file; for one that holds values alone, without
            ``into``; and for values that do not fit, which are listed as ``load_state_dict`` lists them.
        TypeError: for an ``into`` that is neither a module nor an optimiser.
        OSError: for what cannot be read, or is no regular file.

    >>> import tempfile
    >>> import tinygrad_lstm as tl
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = tl.save(tl.Linear(1, 2, rng=0), f"{folder}/linear.safetensors")
    ...     layer = tl.load(path, into=tl.Linear(1, 2, rng=1))
    ...     tl.load(path, into=tl.Linear(1, 3))
    Traceback (most recent call last):
    ValueError: ...: Linear: the state does not fit, ...; misshapen: weight has shape (1, 2), not (1, 3), bias ...
    >>> tl.load(path)
    Traceback (most recent call last):
    FileNotFoundError: ...linear.safetensors: no such file
    """
    if into is not None and not isinstance(into, Module | Optimizer):
        raise TypeError(f"into must be a module or an optimiser, not {clean(repr(into), 60)}")
    file = opened(path)
    try:
        if into is None:
            return built(file)
        into.load_state_dict(file.state)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{clean(path, 200)}: {error}") from error
    return into


def _checked(state: Mapping[str, Array], metadata: Mapping[str, str]) -> dict[str, Any]:
    """Return what the header of ours tells. Raises ValueError if it is not what was written, or the values are not."""
    if _KEY not in metadata:
        return {"why": "it was not written by tl.save"}
    try:
        header = parsed(metadata[_KEY])
        if header["version"] == 1 and header.pop("sha256") == _digest(state, header):
            return dict(header)
        newer = type(header["version"]) is int and header["version"] > 1
    except (ValueError, TypeError, KeyError, AttributeError):
        newer = False
    raise ValueError(
        "it was written by a newer version of tl.save" if newer else "the file is damaged: its sum is wrong"
    )


def _named(header: Mapping[str, Any], key: str, there: Mapping[str, Named]) -> list[Named]:
    """Return what the header lists by name, of what the model has."""
    names = header.get(key)
    if not isinstance(names, list) or not all(isinstance(name, str) and name in there for name in names):
        raise ValueError(f"what its header lists as {key} are not names that the model has")
    return [there[name] for name in names]


def _digest(state: Mapping[str, Array], header: Mapping[str, Any]) -> str:
    """Return a sum over all that is written: whichever bit flips, it is noticed."""
    found = sha256(json.dumps(header, sort_keys=True).encode())
    for name in sorted(state):
        array = state[name]
        found.update(json.dumps([name, array.shape, array.dtype.name]).encode())
        found.update(little_endian(array))
    return found.hexdigest()

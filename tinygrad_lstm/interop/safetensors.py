"""The safetensors format: eight bytes that count those of a JSON header, the header, and the numbers one after another.

Why not the package of that name: the format is these few lines, the core needs numpy alone, and every fault of a file
is said here in words. A test has both read each other's files.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from ..engine.primitive import Array
from ..structure.words import clean
from .files import as_path
from .foreign import FIRST, format_of

LARGEST_HEADER = 100_000_000
"""Bytes of a header, as in the package: whoever makes one longer means harm."""

_AXES = 32
"""No array of a network has more, and numpy not many more."""

_WHOLE = {"I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1", "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "|u1"}
_WRITTEN = {"F64": "<f8", "F32": "<f4", **_WHOLE, "BOOL": "|b1"}
_TYPES = {**_WRITTEN, "F16": "<f2", "BF16": "<u2"}
"""What is read; the last two become float32, which is exact."""

_NAMES = {np.dtype(dtype).name: name for name, dtype in _WRITTEN.items()}


def encode(tensors: Mapping[str, Array], metadata: Mapping[str, str]) -> bytes:
    """Return a file of arrays, whose numbers are float64, float32 or whole, and of texts.

    Raises TypeError for arrays of other types, such as float16.

    >>> import numpy as np
    >>> encode({"w": np.float32([[1, 2]])}, {})[8:64]
    b'{"w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}'
    """
    for name, array in tensors.items():
        if array.dtype.name not in _NAMES:
            raise TypeError(f"{clean(name, 60)} is {array.dtype.name}; what is written is {', '.join(_NAMES)}")
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    names = sorted(tensors, key=lambda name: -tensors[name].itemsize)  # so that each begins at a multiple of its size
    ends = np.cumsum([0, *(tensors[name].nbytes for name in names)]).tolist()
    for name, offsets in zip(names, pairwise(ends), strict=True):
        array = tensors[name]
        header[name] = {"dtype": _NAMES[array.dtype.name], "shape": list(array.shape), "data_offsets": list(offsets)}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([len(text).to_bytes(8, "little"), text, *(little_endian(tensors[name]) for name in names)])


def little_endian(array: Array) -> bytes:
    """Return the numbers of an array, row by row, as the format has them."""
    return array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()


def read(path: str | os.PathLike[str]) -> tuple[dict[str, Array], dict[str, str]]:
    """Return the arrays of a file by name, read-only, and its texts.

    Raises OSError for what cannot be read or is no regular file, and ValueError for what is no such file, or damaged.
    """
    file = as_path(path)
    if not file.is_file():
        raise FileNotFoundError(f"{clean(path, 200)}: {'this is no regular file' if file.exists() else 'no such file'}")
    first = b""
    try:
        with file.open("rb") as opened:
            first = opened.read(FIRST)
            _require_header(first[:8], file.stat().st_size)  # before what is huge is read
            opened.seek(0)
            return _decoded(memoryview(opened.read()))
    except ValueError as error:
        what = format_of(first)
        if what and "safetensors" not in what:
            raise ValueError(f"{clean(path, 200)} is no safetensors file, but {what}") from None
        raise ValueError(f"{clean(path, 200)} is no safetensors file, or damaged: {clean(error, 200)}") from None


def parsed(text: str) -> Any:
    """Return what JSON says, by the letter: no name twice in one place, no NaN. Raises ValueError for anything else."""
    try:
        return json.loads(text, object_pairs_hook=_each_once, parse_constant=_refused)
    except RecursionError:
        raise ValueError("its header is nested too deeply") from None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("its header has a name twice in one place")
    return found


def _refused(constant: str) -> Any:
    raise ValueError(f"its header holds {constant}, which is no JSON")


def _decoded(data: memoryview) -> tuple[dict[str, Array], dict[str, str]]:
    size = _require_header(bytes(data[:8]), len(data))
    header, numbers = parsed(bytes(data[8 : 8 + size]).decode()), data[8 + size :]
    if not isinstance(header, dict):
        raise ValueError("its header is no object")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(text, str) for text in metadata.values()):
        raise ValueError("its __metadata__ are not texts by name")
    for name, entry in header.items():
        _require_entry(name, entry)
    end = 0
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        if entry["data_offsets"][0] != end:
            raise ValueError(f"the numbers of {clean(name, 60)} do not begin where those before them end")
        end = entry["data_offsets"][1]
    if end != len(numbers):
        raise ValueError(f"it says where {end:,} bytes of numbers lie, and has {len(numbers):,}")
    return {name: _array(name, entry, numbers) for name, entry in header.items()}, metadata


def _require_header(first: bytes, length: int) -> int:
    """Return the size of the header, which the first 8 bytes tell; refuse one that the file cannot have."""
    size = int.from_bytes(first, "little")
    if length < 8 or size > min(length - 8, LARGEST_HEADER):
        raise ValueError(f"of {length:,} bytes, {size:,} cannot be the header")
    return size


def _require_entry(name: str, entry: Any) -> None:
    """Refuse what does not say of an array its type, its shape, and where so many bytes lie."""
    called = clean(name, 60)
    if not isinstance(entry, dict) or not entry.keys() >= {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"of {called} it does not tell dtype, shape and data_offsets")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in _TYPES:
        raise ValueError(f"{called} has the type {clean(dtype, 20)}; what is read is {', '.join(_TYPES)}")
    if not _are_sizes(shape) or len(shape) > _AXES or not _are_sizes(offsets) or len(offsets) != 2:
        raise ValueError(f"{called} has no shape, or no beginning and end: {clean(shape, 40)}, {clean(offsets, 40)}")
    if offsets[1] - offsets[0] != math.prod(shape) * np.dtype(_TYPES[dtype]).itemsize:
        raise ValueError(f"{called} has not the bytes of its shape {clean(shape, 40)}: {clean(offsets, 40)}")


def _are_sizes(sizes: Any) -> bool:
    return isinstance(sizes, list) and all(type(size) is int and 0 <= size < 2**63 for size in sizes)


def _array(name: str, entry: dict[str, Any], numbers: memoryview) -> Array:
    begin, end = entry["data_offsets"]
    flat = np.frombuffer(numbers[begin:end], _TYPES[entry["dtype"]])
    if entry["dtype"] == "BF16":
        flat = (flat.astype(np.uint32) << 16).view(np.float32)
    wanted = np.float32 if entry["dtype"] in ("F16", "BF16") else flat.dtype.newbyteorder("=")
    try:
        return flat.astype(wanted, copy=False).reshape(entry["shape"])
    except ValueError:  # no numbers, and sides that only their product makes none
        raise ValueError(f"{clean(name, 60)} has a shape that is too large: {clean(entry['shape'], 40)}") from None

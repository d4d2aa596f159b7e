"""The recurrent nodes of an ONNX file as layers of ours, and a list of what else is in it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import nn
from ..engine import ops
from ..engine.primitive import Array
from ..engine.tensor import tensor
from ..nn.recurrent import Recurrent
from ..structure.words import clean
from .files import as_path
from .foreign import FIRST, format_of
from .layouts import ORDERS, USUAL, GateRows, as_ours
from .onnx_operators import FUNCTIONS, INPUTS, STATES, package

_BESIDE = ("sequence_lens", *STATES.values())
"""What a layer is given when it is called."""

_AXES = {"W": 3, "R": 3, "B": 2, "P": 2}


class OnnxLayers(NamedTuple):
    """What ``tl.import_onnx`` finds in a file."""

    layers: dict[str, Recurrent[Any]]  # those of recurrent nodes, by the names of the nodes
    others: list[str]  # what else the file computes: operator and name of each node, and what a layer is given by it
    given: dict[str, dict[str, Any]]  # the state and lengths that stand in the file: layers[name](xs, **given[name])


def import_onnx(path: str | os.PathLike[str]) -> OnnxLayers:
    """Return the recurrent nodes of an ONNX file as layers of ours, by name, and a list of what else is in it.

    Each is one layer, in one direction or both; with ``layout=1`` it is batch_first. What other nodes compute is
    listed and not guessed. Initial states and lengths whose numbers stand in the file are ``given``; those that it
    computes or takes as inputs are listed with the others.

    Raises:
        ModuleNotFoundError: without the package onnx, which the extra ``onnx`` brings.
        OSError: for what cannot be read.
        ValueError: for what is no ONNX file, or damaged; for numbers that stand in another file, or are half precision;
            and for what a recurrent node does and ours do not, which is named with the node.

    Source: https://onnx.ai/onnx/operators, RNN, GRU and LSTM of operator set 14.

    >>> import tinygrad_lstm as tl
    >>> tl.import_onnx("lstm.onnx").layers  # doctest: +SKIP
    {'cell': LSTM(3 → 4)}
    """
    file = as_path(path)
    if not file.is_file():
        raise FileNotFoundError(f"{clean(path, 200)}: {'this is no regular file' if file.exists() else 'no such file'}")
    onnx = package("import_onnx")
    try:
        return _OnnxFile(onnx, _checked(onnx, file.read_bytes())).found()
    except ValueError as error:
        raise ValueError(f"{clean(path, 200)}: {clean(error, 300)}") from None


def _checked(onnx: Any, data: bytes) -> Any:
    """Return the model of a file. Raises ValueError for what is none, or keeps its numbers elsewhere."""
    what = format_of(data[:FIRST])
    if what and "ONNX" not in what:
        raise ValueError(f"it is no ONNX file, but {what}")
    try:
        model = onnx.load_model_from_string(data)
    except Exception as error:  # whatever the parser says
        raise ValueError(f"it is no ONNX file, or damaged: {clean(error, 100)}") from None
    constants = (each.t for node in model.graph.node for each in node.attribute if each.HasField("t"))
    for number in (*model.graph.initializer, *constants):
        if number.data_location == onnx.TensorProto.EXTERNAL:
            where = {each.key: each.value for each in number.external_data}.get("location", "?")
            raise ValueError(
                f"{clean(number.name, 60)} stands in another file, {clean(where, 60)!r}, which is not read; save the "
                "model in one file"
            )
    try:
        onnx.checker.check_model(model)
    except Exception as error:
        raise ValueError(f"it is no ONNX file, or damaged: {clean(error, 200)}") from None
    return model


class _OnnxFile:
    """One file, read: the numbers in it by name, and its nodes."""

    def __init__(self, onnx: Any, model: Any) -> None:
        self.onnx, self.graph = onnx, model.graph
        self.numbers = {each.name: each for each in model.graph.initializer}

    def found(self) -> OnnxLayers:
        layers: dict[str, Recurrent[Any]] = {}
        beside: dict[str, dict[str, Any]] = {}
        others: list[str] = []
        for k, node in enumerate(self.graph.node):
            if node.op_type == "Constant" and node.attribute and node.attribute[0].name == "value":
                self.numbers[node.output[0]] = node.attribute[0].t
            if node.op_type in ORDERS["ONNX"] and node.domain in ("", "ai.onnx"):
                name = clean(node.name or f"{node.op_type}_{k}", 60)
                name = name if name not in layers else f"{name}_{k}"
                layers[name] = self.layer(node, f"{node.op_type} {name}")
                given = self.inputs(node)
                if self.is_whole(given):
                    beside[name] = self.beside(given, layers[name], f"{node.op_type} {name}")
                else:
                    others += [f"{what} of {name}: {clean(given[what], 60)}" for what in _BESIDE if what in given]
            else:
                others.append(f"{clean(node.op_type, 60)} {clean(node.name or f'number {k}', 60)}")
        return OnnxLayers(layers, others, beside)

    def inputs(self, node: Any) -> dict[str, str]:
        """Return what a recurrent node is given, by ONNX's names."""
        return {what: name for what, name in zip(INPUTS, node.input, strict=False) if name}

    def is_whole(self, given: Mapping[str, str]) -> bool:
        """Tell whether the numbers of all states and lengths that a node is given stand in the file."""
        return all(given[what] in self.numbers for what in _BESIDE if what in given)

    def beside(self, given: Mapping[str, str], layer: Recurrent[Any], where: str) -> dict[str, Any]:
        """Return what a layer is called with beside xs, as the file says: nothing if that is what it begins with."""
        found: dict[str, Any] = {}
        cell, sides = layer.cells[0], len(layer.cells)
        arrays = {name: self.array(given[what], what, where) for name, what in STATES.items() if what in given}
        for name, array in arrays.items():
            if layer.batch_first:
                arrays[name] = array = array.swapaxes(0, 1) if array.ndim == 3 else array
            if array.ndim != 3 or array.shape[::2] != (sides, layer.hidden_size):
                wanted = f"({sides}, N, {layer.hidden_size})"
                raise ValueError(f"{where}: {STATES[name]} has shape {array.shape}, not {wanted}")
        if any(array.any() for array in arrays.values()):
            zero = np.zeros_like(next(iter(arrays.values())))
            state = tuple(tensor(arrays.get(name, zero), dtype=cell.dtype) for name in cell.state_names)
            found["state"] = state if len(state) > 1 else state[0]
        if "sequence_lens" in given:
            lengths = self.numbers_of(given["sequence_lens"], "sequence_lens", where)
            if lengths.ndim != 1 or lengths.dtype.kind not in "iu" or not (lengths > 0).all():
                raise ValueError(
                    f"{where}: sequence_lens, {clean(lengths.tolist(), 60)}, are not the lengths of sequences"
                )
            found["lengths"] = lengths.tolist()
        return found

    def layer(self, node: Any, where: str) -> Recurrent[Any]:
        """Return the layer of a recurrent node. Raises ValueError for what ours do not."""
        how = {each.name: self.onnx.helper.get_attribute_value(each) for each in node.attribute}
        given = self.inputs(node)
        arrays = {what: self.array(given[what], what, where) for what in _AXES if what in given}
        if not {"W", "R"} <= arrays.keys():
            raise ValueError(f"{where} lacks W or R")
        kind, order = node.op_type, ORDERS["ONNX"][node.op_type]
        direction = how.get("direction", b"forward").decode()
        sides, H = 2 if direction == "bidirectional" else 1, how.get("hidden_size", 0)
        if direction not in ("forward", "bidirectional"):
            raise ValueError(f"{where} runs in the direction {clean(direction, 20)}, alone, which ours do not")
        if any(array.ndim != _AXES[what] for what, array in arrays.items()):
            shapes = ", ".join(f"{what} {array.shape}" for what, array in arrays.items())
            raise ValueError(f"{where}: no weights have these shapes: {shapes}")
        D, G = arrays["W"].shape[-1], len(order)
        wanted = {"W": (sides, G * H, D), "R": (sides, G * H, H), "B": (sides, 2 * G * H), "P": (sides, 3 * H)}
        for what, array in arrays.items():
            if array.shape != wanted[what]:
                raise ValueError(f"{where}: {what} has shape {array.shape}, not {wanted[what]}")
        dtype = arrays["W"].dtype
        options = self.options(kind, how, sides, "P" in arrays, "B" in arrays, where)
        options |= {"bidirectional": sides == 2, "batch_first": how.get("layout", 0) == 1}
        made = getattr(nn, kind)(D, H, rng=0, dtype=dtype, **options)
        for side, cell in enumerate(made.cells):
            b, d = np.split(arrays["B"][side], 2) if "B" in arrays else (None, None)
            peepholes = arrays["P"][side] if "P" in arrays else None
            rows = GateRows(arrays["W"][side], arrays["R"][side], b, d, peepholes=peepholes)
            for part, name, new in as_ours(cell, order, rows):
                getattr(part, name).value = new
        layer: Recurrent[Any] = made
        return layer

    def options(
        self, kind: str, how: Mapping[str, Any], sides: int, peepholes: bool, bias: bool, where: str
    ) -> dict[str, Any]:
        """Return what our layer is made with."""
        names, each = tuple(name.decode() for name in how.get("activations", ())), len(USUAL[kind])
        lacking = sorted({name for name in names if name not in FUNCTIONS})
        if lacking or how.get("activation_alpha") or how.get("activation_beta"):
            what = ", ".join(map(clean, lacking)) or "activations with constants of their own"
            raise ValueError(f"{where} uses {what}, which ours do not; they use {', '.join(FUNCTIONS)}")
        if names[:each] * sides != names:
            raise ValueError(f"{where} has other activations in each direction, which ours have not")
        functions = tuple(FUNCTIONS[name] for name in names[:each]) or USUAL[kind]
        made: dict[str, Any] = {"clip": how.get("clip"), "bias": bias}
        made |= {"nonlinearity": functions[0]} if kind == "RNN" else {"activations": functions}
        if kind == "LSTM":
            made |= {"peephole": "diagonal" if peepholes else False, "coupled": bool(how.get("input_forget", 0))}
        if kind == "GRU":
            made["reset_after"] = bool(how.get("linear_before_reset", 0))
            if not made["reset_after"] and functions[0] is not ops.sigmoid:
                raise ValueError(
                    f"{where} keeps by {names[0]}, where ours replaces by 1 minus it, as for Sigmoid alone"
                )
        return made

    def array(self, name: str, what: str, where: str) -> Array:
        """Return the numbers that stand in the file."""
        if name not in self.numbers:
            raise ValueError(
                f"{where}: its {what}, {clean(name, 60)}, is computed or given, and does not stand in the file"
            )
        array = self.numbers_of(name, what, where)
        if array.dtype not in (np.float32, np.float64):
            raise ValueError(f"{where}: its {what} is {array.dtype}, and weights are float32 or float64")
        numbers: Array = array
        return numbers

    def numbers_of(self, name: str, what: str, where: str) -> NDArray[Any]:
        """Return the numbers of a name that stands in the file, of whatever type."""
        try:
            array: NDArray[Any] = self.onnx.numpy_helper.to_array(self.numbers[name])
        except Exception as error:  # as of bytes that do not make up the shape
            raise ValueError(f"{where}: its {what} is damaged: {clean(error, 100)}") from None
        return array

"""ONNX: a layer of ours as a file of standard operators, and the recurrent nodes of a file as layers of ours."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .. import nn
from ..engine import ops
from ..engine.functions import softsign
from ..engine.primitive import Array
from ..nn.module import Module
from ..nn.recurrent import Recurrent
from ..structure.words import clean
from .files import as_path, write_file
from .foreign import FIRST, told
from .layouts import ORDERS, CellOptions, GateRows, as_ours, as_rows, cell_options, require_known

OPSET, IR_VERSION = 17, 8
"""The first with LayerNormalization, and the format of its time: runtimes from 2022 on read them."""

_FUNCTIONS: dict[str, Any] = {
    "Sigmoid": ops.sigmoid,
    "Tanh": ops.tanh,
    "Relu": ops.relu,
    "Softplus": ops.softplus,
    "Softsign": softsign,
}
"""Activations of recurrent operators, by ONNX's names, that have no constants of their own."""

_APPLIED = {nn.Sigmoid: "Sigmoid", nn.Tanh: "Tanh", nn.ReLU: "Relu", nn.Softplus: "Softplus", nn.Softsign: "Softsign"}
_KNOWN: dict[str, tuple[Any, ...]] = {"reset_after": (True, False), "coupled": (False, True)}
_USUAL = {"RNN": ("Tanh",), "GRU": ("Sigmoid", "Tanh"), "LSTM": ("Sigmoid", "Tanh", "Tanh")}
_INPUTS = ("X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P")


def export_onnx(module: Module, path: str | os.PathLike[str]) -> Path:
    """Write a module as an ONNX file, whole or not at all, and return its path; T and N may differ at each run.

    Recurrent layers become the standard operators RNN, GRU and LSTM, those of ``PeepholeLSTMCell(diagonal=True)`` and
    ``CoupledLSTMCell`` too; around them stand Linear, Embedding, LayerNorm, activations and Sequential. Dropout is left
    out, as in evaluation. Numbers are written as float32, in which runtimes compute.

    The input is ``xs``, (T, N, D), or (N, T, D) with batch_first; for an Embedding whole numbers, (T, N). The outputs
    are ``output`` and, where a recurrent layer stands at the end, its last states, named as its cells name them.

    Arguments:
        module: a layer, or a Sequential of such.
        path: of the file.

    Raises:
        ModuleNotFoundError: without the package onnx, which the extra ``onnx`` brings.
        TypeError: for what is no module of ours.
        ValueError: for what ONNX has no operator for, by its path.
        OSError: for what cannot be written.

    Source: https://onnx.ai/onnx/operators, RNN, GRU and LSTM of operator set 14.

    >>> import tinygrad_lstm as tl
    >>> tl.export_onnx(tl.LSTM(3, 4), "lstm.onnx")  # doctest: +SKIP
    PosixPath('lstm.onnx')
    """
    if not isinstance(module, Module):
        raise TypeError(f"export_onnx takes a module of ours, not {clean(repr(module), 60)}")
    target = as_path(path)
    return write_file(target, _OnnxNodes(_onnx("export_onnx")).model(module).SerializeToString())


class OnnxLayers(NamedTuple):
    """What ``tl.import_onnx`` finds in a file."""

    layers: dict[str, Recurrent[Any]]  # those of recurrent nodes, by the names of the nodes
    others: list[str]  # what else the file computes: operator and name of each node, and what a layer is given


def import_onnx(path: str | os.PathLike[str]) -> OnnxLayers:
    """Return the recurrent nodes of an ONNX file as layers of ours, by name, and a list of what else is in it.

    Each is one layer, in one direction or both; with ``layout=1`` it is batch_first. What other nodes compute is
    listed and not guessed, and so are initial states and lengths, which a layer is given when it is called.

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
    onnx = _onnx("import_onnx")
    try:
        return _OnnxFile(onnx, _checked(onnx, file.read_bytes())).found()
    except ValueError as error:
        raise ValueError(f"{clean(path, 200)}: {clean(error, 300)}") from None


def _onnx(caller: str) -> Any:
    try:
        import onnx
        import onnx.numpy_helper
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"{caller} needs the extra: pip install 'tinygrad-lstm[onnx]'") from error
    return onnx


class _OnnxNodes:
    """One file on its way: its nodes, in the order in which they run, and the numbers they use."""

    def __init__(self, onnx: Any) -> None:
        self.onnx = onnx
        self.nodes: list[Any] = []
        self.numbers: dict[str, Any] = {}
        self.states: dict[str, list[str]] = {}

    def model(self, module: Module) -> Any:
        helper, types = self.onnx.helper, self.onnx.TensorProto
        first = next(self.leaves(module, ""), ("", module))[1]
        symbols = isinstance(first, nn.Embedding)
        batch_first = any(getattr(leaf, "batch_first", False) for _, leaf in self.leaves(module, ""))
        axes: list[Any] = ["N", "T"] if batch_first else ["T", "N"]
        kind, shape = (types.INT64, axes) if symbols else (types.FLOAT, [*axes, None])
        output = self.node("Identity", [self.part(module, "", "xs")], "output")
        states = [self.node("Concat", parts, name, axis=0) for name, parts in self.states.items()]
        inputs = [helper.make_tensor_value_info("xs", kind, shape)]
        shapes = {output: [*axes, None], **{state: [None, "N", None] for state in states}}
        outputs = [helper.make_tensor_value_info(name, types.FLOAT, shape) for name, shape in shapes.items()]
        graph = helper.make_graph(self.nodes, "tinygrad_lstm", inputs, outputs, [*self.numbers.values()])
        opset = [helper.make_opsetid("", OPSET)]
        made = helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION, producer_name="tinygrad_lstm")
        self.onnx.checker.check_model(made, full_check=True)
        return made

    def leaves(self, module: Module, path: str) -> Iterator[tuple[str, Module]]:
        """Yield the modules that compute one after another."""
        if isinstance(module, nn.Sequential):
            for name, part in module._named().items():
                yield from self.leaves(part, f"{path}.{name}" if path else name)
        else:
            yield path, module

    def part(self, module: Module, path: str, x: str) -> str:
        """Add the nodes of a module, and return what they make of x."""
        for where, leaf in self.leaves(module, path):
            self.states = {}
            x = self.recurrent(leaf, where, x) if isinstance(leaf, Recurrent) else self.plain(leaf, where, x)
        return x

    def plain(self, part: Any, path: str, x: str) -> str:
        if type(part) in _APPLIED:
            return self.node(_APPLIED[type(part)], [x], path)
        match part:
            case nn.Linear() | nn.TiedLinear():
                weight = part.weight.value if isinstance(part, nn.Linear) else part.weight.value.T
                y = self.node("MatMul", [x, self.constant(f"{path}.weight", weight)], path)
                if part.bias is None:
                    return y
                return self.node("Add", [y, self.constant(f"{path}.bias", part.bias.value)], path)
            case nn.Embedding():
                return self.node("Gather", [self.constant(f"{path}.weight", part.weight.value), x], path)
            case nn.LayerNorm():
                shape = part.normalized_shape
                scale = np.ones(shape) if part.weight is None else part.weight.value
                given = [x, self.constant(f"{path}.weight", scale)]
                given += [] if part.bias is None else [self.constant(f"{path}.bias", part.bias.value)]
                return self.node("LayerNormalization", given, path, axis=-len(shape), epsilon=part.eps)
            case nn.Softmax() | nn.LogSoftmax():
                return self.node(type(part).__name__, [x], path, axis=part.settings.get("axis", -1))
            case nn.Dropout() | nn.Identity():
                return x
        raise ValueError(f"{path or 'the module'} is a {type(part).__name__}, which is not written as ONNX")

    def recurrent(self, layer: Recurrent[Any], path: str, x: str) -> str:
        """Add a node for each layer, both directions in one, and keep the last states."""
        sides = 2 if layer.bidirectional else 1
        x = self.node("Transpose", [x], perm=[1, 0, 2]) if layer.batch_first else x
        for k in range(layer.num_layers):
            names = [f"{path}.{name}" if path else name for name, _ in layer.named_children()]
            x = self.operator(layer.cells[k * sides : (k + 1) * sides], names[k * sides], x)
        return self.node("Transpose", [x], perm=[1, 0, 2]) if layer.batch_first else x

    def operator(self, cells: Sequence[Any], path: str, x: str) -> str:
        options = [cell_options(cell, "ONNX", path) for cell in cells]
        activations = [name for each in options for name in self.activations(each, path)]
        kind, how = options[0].kind, self.attributes(options, path)
        rows = [as_rows(cell, ORDERS["ONNX"][options[0].kind], lambda parameter: parameter.value) for cell in cells]
        stacked = {"W": [each.of_x for each in rows], "R": [each.of_h for each in rows]}
        if rows[0].bias_x is not None:
            stacked["B"] = [np.concatenate([each.bias_x, each.bias_h]) for each in rows]
        if rows[0].peepholes is not None:
            stacked["P"] = [each.peepholes for each in rows]
        given = {"X": x, **{name: self.constant(f"{path}.{name}", np.stack(each)) for name, each in stacked.items()}}
        count = 8 if "P" in given else 4 if "B" in given else 3
        outputs = ["Y", "Y_h", "Y_c"] if kind == "LSTM" else ["Y", "Y_h"]
        made = [f"{path}.{name}" for name in outputs]
        direction = "bidirectional" if len(cells) == 2 else "forward"
        how |= {"hidden_size": cells[0].hidden_size, "direction": direction, "activations": activations}
        inputs = [given.get(name, "") for name in _INPUTS[:count]]
        self.nodes.append(self.onnx.helper.make_node(kind, inputs, made, name=path, **how))
        for name, state in zip(cells[0].state_names, made[1:], strict=True):
            self.states.setdefault(f"{name}_n", []).append(state)
        joined = self.node("Transpose", [made[0]], perm=[0, 2, 1, 3])  # (T, N, directions, H)
        return self.node("Reshape", [joined, self.whole("flat", [0, 0, -1])])

    def activations(self, options: CellOptions, path: str) -> list[str]:
        names = {function: name for name, function in _FUNCTIONS.items()}
        found = [names.get(function, "") for function in options.activations]
        if "" in found:
            raise ValueError(f"{path} has an activation that is none of {', '.join(_FUNCTIONS)}, as ONNX calls them")
        return found

    def attributes(self, options: list[CellOptions], path: str) -> dict[str, Any]:
        for each in options:
            require_known(each, "ONNX", path, clip=(each.clip,), peephole=("", "diagonal"), **_KNOWN)
            if each._replace(activations=()) != options[0]._replace(activations=()):
                raise ValueError(f"{path}: the directions are made with different options, which ONNX has not")
            if each.kind == "GRU" and not each.reset_after and each.activations[0] is not ops.sigmoid:
                raise ValueError(f"{path} replaces by another function than σ, where ONNX keeps by it")
        first = options[0]
        how: dict[str, Any] = {} if first.clip is None else {"clip": float(first.clip)}
        if first.kind == "GRU":
            how["linear_before_reset"] = int(first.reset_after)
        return how | ({"input_forget": 1} if first.coupled else {})

    def node(self, operator: str, inputs: list[str], name: str = "", **how: Any) -> str:
        output = name if name in ("output", "h_n", "c_n") else f"{name or operator}#{len(self.nodes)}"
        self.nodes.append(self.onnx.helper.make_node(operator, inputs, [output], name=output, **how))
        return output

    def constant(self, name: str, array: Array) -> str:
        return self.keep(name, np.ascontiguousarray(array, np.float32))

    def whole(self, name: str, numbers: list[int]) -> str:
        return self.keep(name, np.array(numbers, np.int64))

    def keep(self, name: str, array: Any) -> str:
        self.numbers[name] = self.onnx.numpy_helper.from_array(array, name)
        return name


def _checked(onnx: Any, data: bytes) -> Any:
    """Return the model of a file. Raises ValueError for what is none, or keeps its numbers elsewhere."""
    what = told(data[:FIRST])
    if what and "ONNX" not in what:
        raise ValueError(f"it is no ONNX file, but {what}")
    try:
        model = onnx.load_model_from_string(data)
    except Exception as error:  # whatever the parser says
        raise ValueError(f"it is no ONNX file, or damaged: {clean(error, 100)}") from None
    for number in model.graph.initializer:
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
        others: list[str] = []
        for k, node in enumerate(self.graph.node):
            if node.op_type == "Constant" and node.attribute and node.attribute[0].name == "value":
                self.numbers[node.output[0]] = node.attribute[0].t
            if node.op_type in ORDERS["ONNX"] and node.domain in ("", "ai.onnx"):
                name = clean(node.name or f"{node.op_type}_{k}", 60)
                name = name if name not in layers else f"{name}_{k}"
                layers[name] = self.layer(node, f"{node.op_type} {name}")
                given = dict(zip(_INPUTS, node.input, strict=False))
                outside = [what for what in ("sequence_lens", "initial_h", "initial_c") if given.get(what)]
                others += [f"{what} of {name}: {clean(given[what], 60)}" for what in outside]
            else:
                others.append(f"{clean(node.op_type, 60)} {clean(node.name or f'number {k}', 60)}")
        return OnnxLayers(layers, others)

    def layer(self, node: Any, where: str) -> Recurrent[Any]:
        """Return the layer of a recurrent node. Raises ValueError for what ours do not."""
        how = {each.name: self.onnx.helper.get_attribute_value(each) for each in node.attribute}
        given = dict(zip(_INPUTS, node.input, strict=False))
        arrays = {what: self.array(given[what], what, where) for what in ("W", "R", "B", "P") if given.get(what)}
        if not {"W", "R"} <= arrays.keys():
            raise ValueError(f"{where} lacks W or R")
        kind, order = node.op_type, ORDERS["ONNX"][node.op_type]
        direction = how.get("direction", b"forward").decode()
        sides, H = 2 if direction == "bidirectional" else 1, how.get("hidden_size", 0)
        if direction not in ("forward", "bidirectional"):
            raise ValueError(f"{where} runs in the direction {clean(direction, 20)}, alone, which ours do not")
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
        usual = _USUAL[kind] * sides
        names = tuple(name.decode() for name in how.get("activations", ())) or usual
        lacking = sorted({name for name in names if name not in _FUNCTIONS})
        if lacking or how.get("activation_alpha") or how.get("activation_beta"):
            what = ", ".join(map(clean, lacking)) or "activations with constants of their own"
            raise ValueError(f"{where} uses {what}, which ours do not; they use {', '.join(_FUNCTIONS)}")
        if names[: len(usual) // sides] * sides != names:
            raise ValueError(f"{where} has other activations in each direction, which ours have not")
        functions = tuple(_FUNCTIONS[name] for name in names[: len(usual) // sides])
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
        try:
            array = self.onnx.numpy_helper.to_array(self.numbers[name])
        except Exception as error:  # as of bytes that do not make up the shape
            raise ValueError(f"{where}: its {what} is damaged: {clean(error, 100)}") from None
        if array.dtype not in (np.float32, np.float64):
            raise ValueError(f"{where}: its {what} is {array.dtype}, and weights are float32 or float64")
        numbers: Array = array
        return numbers

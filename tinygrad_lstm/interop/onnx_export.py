"""Layers of ours as an ONNX file of standard operators."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .. import nn
from ..engine import ops
from ..engine.primitive import Array
from ..nn.arguments import true_or_false
from ..nn.module import Module
from ..nn.recurrent import Recurrent
from ..structure.words import clean
from .files import as_path, write_file
from .layouts import ORDERS, CellOptions, as_rows, cell_options, require_known
from .onnx_operators import APPLIED, FUNCTIONS, INPUTS, IR_VERSION, OPSET, STATES, package

_KNOWN: dict[str, tuple[Any, ...]] = {"reset_after": (True, False), "coupled": (False, True)}


def export_onnx(module: Module, path: str | os.PathLike[str], *, state: bool = False, lengths: bool = False) -> Path:
    """Write a module as an ONNX file, whole or not at all, and return its path; T and N may differ at each run.

    Recurrent layers become the standard operators RNN, GRU and LSTM, those of ``PeepholeLSTMCell(diagonal=True)`` and
    ``CoupledLSTMCell`` too; around them stand Linear, Embedding, LayerNorm, activations and Sequential. Dropout is left
    out, as in evaluation. Numbers are written as float32, in which runtimes compute.

    The input is ``xs``, (T, N, D), or (N, T, D) with batch_first; for an Embedding whole numbers, (T, N). The outputs
    are ``output`` and, where a recurrent layer stands at the end, its last states: ``h_n``, ``c_n``.

    Arguments:
        module: a layer, or a Sequential of such.
        path: of the file.
        state: whether the file takes the initial state of its one recurrent layer too: ``h_init``, ``c_init``, each
            (layers · directions, N, H), as ``layer(xs, state)`` does.
        lengths: whether it takes ``lengths`` too, N whole numbers of 32 bits, as ``layer(xs, lengths=...)`` does.

    Raises:
        ModuleNotFoundError: without the package onnx, which the extra ``onnx`` brings.
        TypeError: for what is no module of ours.
        ValueError: for what ONNX has no operator for, by its path; for a state, or lengths, of no recurrent layer; and
            for a state of several.
        OSError: for what cannot be written.

    Source: https://onnx.ai/onnx/operators, RNN, GRU and LSTM of operator set 14.

    >>> import tinygrad_lstm as tl
    >>> tl.export_onnx(tl.LSTM(3, 4), "lstm.onnx")  # doctest: +SKIP
    PosixPath('lstm.onnx')
    """
    if not isinstance(module, Module):
        raise TypeError(f"export_onnx takes a module of ours, not {clean(repr(module), 60)}")
    true_or_false(state=state, lengths=lengths)
    target = as_path(path)
    return write_file(target, _OnnxNodes(package("export_onnx"), state, lengths).model(module).SerializeToString())


class _OnnxNodes:
    """One file on its way: its nodes, in the order in which they run, and the numbers they use."""

    def __init__(self, onnx: Any, takes_state: bool, takes_lengths: bool) -> None:
        self.onnx, self.takes_state, self.takes_lengths = onnx, takes_state, takes_lengths
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
        given = self.given_beside(module)
        inputs = [helper.make_tensor_value_info(*each) for each in [("xs", kind, shape), *given]]
        shapes = {output: [*axes, None], **{state: [None, "N", None] for state in states}}
        outputs = [helper.make_tensor_value_info(name, types.FLOAT, shape) for name, shape in shapes.items()]
        graph = helper.make_graph(self.nodes, "tinygrad_lstm", inputs, outputs, [*self.numbers.values()])
        opset = [helper.make_opsetid("", OPSET)]
        made = helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION, producer_name="tinygrad_lstm")
        self.onnx.checker.check_model(made, full_check=True)
        return made

    def given_beside(self, module: Module) -> list[tuple[str, Any, list[Any]]]:
        """Return what the file takes beside xs: names, types and shapes."""
        types = self.onnx.TensorProto
        recurrent = [leaf for _, leaf in self.leaves(module, "") if isinstance(leaf, Recurrent)]
        if (self.takes_state or self.takes_lengths) and not recurrent:
            raise ValueError("there is no recurrent layer that would take a state, or lengths")
        if self.takes_state and len(recurrent) > 1:
            raise ValueError(f"state=True is for one recurrent layer; here are {len(recurrent)}")
        found: list[tuple[str, Any, list[Any]]] = [("lengths", types.INT32, ["N"])] if self.takes_lengths else []
        if self.takes_state:
            cells = recurrent[0].cells
            sizes = zip(cells[0].state_names, cells[0].state_sizes, strict=True)
            found += [(f"{name}_init", types.FLOAT, [len(cells), "N", size]) for name, size in sizes]
        return found

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
        if type(part) in APPLIED:
            return self.node(APPLIED[type(part)], [x], path)
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
        begun = {STATES[name]: self.by_layers(f"{name}_init", layer) for name in self.state_names(layer)}
        for k in range(layer.num_layers):
            names = [f"{path}.{name}" if path else name for name, _ in layer.named_children()]
            beside = {"sequence_lens": "lengths"} if self.takes_lengths else {}
            beside |= {name: parts[k] for name, parts in begun.items()}
            x = self.operator(layer.cells[k * sides : (k + 1) * sides], names[k * sides], x, beside)
        return self.node("Transpose", [x], perm=[1, 0, 2]) if layer.batch_first else x

    def state_names(self, layer: Recurrent[Any]) -> tuple[str, ...]:
        """Return which parts of the state the file takes: h, c; none if it takes no state."""
        return layer.cells[0].state_names if self.takes_state else ()

    def by_layers(self, state: str, layer: Recurrent[Any]) -> list[str]:
        """Return the pieces of a state that each layer begins with."""
        if layer.num_layers == 1:
            return [state]
        pieces = [f"{state}#{k}" for k in range(layer.num_layers)]
        sides = self.whole("sides", [len(layer.cells) // layer.num_layers] * layer.num_layers)
        self.nodes.append(self.onnx.helper.make_node("Split", [state, sides], pieces, name=f"{state}#split", axis=0))
        return pieces

    def operator(self, cells: Sequence[Any], path: str, x: str, beside: Mapping[str, str]) -> str:
        options = [cell_options(cell, "ONNX", path) for cell in cells]
        activations = [name for each in options for name in self.activations(each, path)]
        kind, how = options[0].kind, self.attributes(options, path)
        rows = [as_rows(cell, ORDERS["ONNX"][options[0].kind], lambda parameter: parameter.value) for cell in cells]
        stacked = {"W": [each.of_x for each in rows], "R": [each.of_h for each in rows]}
        if rows[0].bias_x is not None:
            stacked["B"] = [np.concatenate([each.bias_x, each.bias_h]) for each in rows]
        if rows[0].peepholes is not None:
            stacked["P"] = [each.peepholes for each in rows]
        kept = {name: self.constant(f"{path}.{name}", np.stack(each)) for name, each in stacked.items()}
        given = {"X": x, **kept, **beside}
        count = 1 + max(map(INPUTS.index, given))
        outputs = ["Y", "Y_h", "Y_c"] if kind == "LSTM" else ["Y", "Y_h"]
        made = [f"{path}.{name}" for name in outputs]
        direction = "bidirectional" if len(cells) == 2 else "forward"
        how |= {"hidden_size": cells[0].hidden_size, "direction": direction, "activations": activations}
        inputs = [given.get(name, "") for name in INPUTS[:count]]
        self.nodes.append(self.onnx.helper.make_node(kind, inputs, made, name=path, **how))
        for name, state in zip(cells[0].state_names, made[1:], strict=True):
            self.states.setdefault(f"{name}_n", []).append(state)
        joined = self.node("Transpose", [made[0]], perm=[0, 2, 1, 3])  # (T, N, directions, H)
        return self.node("Reshape", [joined, self.whole("flat", [0, 0, -1])])

    def activations(self, options: CellOptions, path: str) -> list[str]:
        names = {function: name for name, function in FUNCTIONS.items()}
        found = [names.get(function, "") for function in options.activations]
        if "" in found:
            raise ValueError(f"{path} has an activation that is none of {', '.join(FUNCTIONS)}, as ONNX calls them")
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

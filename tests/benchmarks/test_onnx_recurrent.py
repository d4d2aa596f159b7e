"""Recurrent layers compute what ONNX says: its own node cases, and onnxruntime on configurations drawn at random.

Direction, lengths, initial states, peepholes, coupled gates, clip, activations and linear_before_reset are drawn; the
runtime computes in float32, with approximations of its own.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import tinygrad_lstm as tl
from tests.nn.layouts import ORDERS
from tests.nn.onnx_node import FUNCTIONS, INPUTS, named, ours_for

onnx = pytest.importorskip("onnx", reason="the bench extra brings it")
onnxruntime = pytest.importorskip("onnxruntime", reason="the bench extra brings it")

CONFIGURATIONS = 300

ACTIVATIONS: dict[str, tuple[Any, ...]] = {
    "Sigmoid": (lambda x: tl.sigmoid(x),),
    "Tanh": (lambda x: tl.tanh(x),),
    "Relu": (lambda x: tl.relu(x),),
    "Softplus": (lambda x: tl.softplus(x),),
    "Softsign": (lambda x: x / (1 + tl.abs(x)),),
    "Affine": (lambda x, a, b: a * x + b, 0.5, 0.1),
    "LeakyRelu": (lambda x, a: tl.where(x > 0, x, a * x), 0.2),
    "Elu": (lambda x, a: tl.where(x > 0, x, a * (tl.exp(tl.minimum(x, 0.0)) - 1)), 0.7),
    "HardSigmoid": (lambda x, a, b: tl.minimum(tl.maximum(a * x + b, 0.0), 1.0), 0.3, 0.4),
    "ScaledTanh": (lambda x, a, b: a * tl.tanh(b * x), 1.2, 0.8),
    "ThresholdedRelu": (lambda x, a: tl.where(x > a, x, 0 * x), 0.05),
}
"""Name → the function of x, and of alpha and beta, and those two, where it has them."""


def function_of(name: str) -> Any:
    function, *constants = ACTIVATIONS[name]
    return lambda x: function(x, *constants)


def node_cases() -> list[Any]:
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings():  # of cases of other operators
        warnings.simplefilter("ignore")
        return [case for case in collect_testcases(None) if case.model.graph.node[0].op_type in FUNCTIONS]


def test_onnxs_own_node_cases() -> None:
    cases = node_cases()
    for case in cases:
        node = case.model.graph.node[0]
        attributes = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
        attributes = {key: value.decode() if isinstance(value, bytes) else value for key, value in attributes.items()}
        (given, expected), *_ = case.data_sets
        Y, ends = ours_for(node.op_type, named(node.op_type, node.input, given), attributes)
        ours = [each for each, used in zip([Y, *ends], node.output, strict=False) if used]
        for mine, exact in zip(ours, expected, strict=True):
            np.testing.assert_allclose(mine, exact, rtol=1e-5, atol=1e-6, err_msg=case.name)
    print(f"{len(cases)} of {len(cases)} of ONNX's own node cases pass")
    assert len(cases) >= 18


def drawn(seed: int) -> tuple[str, dict[str, Any], dict[str, Any]]:
    rng = np.random.default_rng(seed)
    kind = ("RNN", "LSTM", "GRU")[seed % 3]
    T, N, D, H = (int(n) for n in rng.integers(1, 6, size=4))
    direction = str(rng.choice(["forward", "reverse", "bidirectional"]))
    sides, G = 2 if direction == "bidirectional" else 1, len(ORDERS["ONNX"][kind])
    normal = lambda *shape: (0.5 * rng.normal(size=shape)).astype(np.float32)
    arrays = {"X": 2 * normal(T, N, D), "W": normal(sides, G * H, D), "R": normal(sides, G * H, H)}
    attributes: dict[str, Any] = {"hidden_size": H, "direction": direction}
    if rng.integers(3):
        arrays["B"] = normal(sides, 2 * G * H)
    if rng.integers(2):
        arrays["sequence_lens"] = rng.integers(1, T + 1, size=N).astype(np.int32)
    if rng.integers(2):
        arrays["initial_h"] = normal(sides, N, H)
        if kind == "LSTM":
            arrays["initial_c"] = normal(sides, N, H)
    if kind == "LSTM" and rng.integers(2):
        arrays["P"] = normal(sides, 3 * H)
    if kind == "LSTM" and rng.integers(2):
        attributes["input_forget"] = 1
    if kind == "GRU" and rng.integers(2):
        attributes["linear_before_reset"] = 1
    if rng.integers(2):
        attributes["clip"] = float(np.float32(rng.uniform(0.2, 1.5)))
    if rng.integers(2):
        attributes["activations"] = [str(rng.choice(list(ACTIVATIONS))) for _ in range(sides * FUNCTIONS[kind])]
        constants = [ACTIVATIONS[name][1:] for name in attributes["activations"]]
        for k, attribute in enumerate(("activation_alpha", "activation_beta")):
            values = [each[k] for each in constants if len(each) > k]
            if values:
                attributes[attribute] = values
    return kind, arrays, attributes


def theirs(kind: str, arrays: dict[str, Any], attributes: dict[str, Any]) -> list[Any]:
    types = {"sequence_lens": onnx.TensorProto.INT32}
    value = lambda name, shape: onnx.helper.make_tensor_value_info(name, types.get(name, onnx.TensorProto.FLOAT), shape)
    names = [name if name in arrays else "" for name in INPUTS[kind]]
    outputs = ["Y", "Y_h", "Y_c"] if kind == "LSTM" else ["Y", "Y_h"]
    node = onnx.helper.make_node(kind, names, outputs, **attributes)
    inputs = [value(name, array.shape) for name, array in arrays.items()]
    graph = onnx.helper.make_graph([node], "one", inputs, [value(name, None) for name in outputs])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 14)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return list(session.run(None, arrays))


def test_onnxruntime_on_configurations_drawn_at_random() -> None:
    wrong = []
    for seed in range(CONFIGURATIONS):
        kind, arrays, attributes = drawn(seed)
        Y, ends = ours_for(kind, arrays, attributes, function_of)
        for mine, exact in zip([Y, *ends], theirs(kind, arrays, attributes), strict=True):
            scale = max(1.0, abs(exact).max())
            if not np.allclose(mine, exact, rtol=1e-4, atol=2e-5 * scale):
                wrong.append((seed, kind, attributes, float(abs(mine - exact).max())))
                break
    print(f"{CONFIGURATIONS - len(wrong)} of {CONFIGURATIONS} configurations of onnxruntime agree")
    assert not wrong, wrong[:10]

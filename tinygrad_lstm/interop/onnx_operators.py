"""What a file of ONNX and our layers have in common, written once for writing and for reading."""

from __future__ import annotations

from typing import Any

from .. import nn
from ..engine import ops
from ..engine.functions import softsign

OPSET, IR_VERSION = 17, 8
"""The first with LayerNormalization, and the format of its time: runtimes from 2022 on read them."""

FUNCTIONS: dict[str, Any] = {
    "Sigmoid": ops.sigmoid,
    "Tanh": ops.tanh,
    "Relu": ops.relu,
    "Softplus": ops.softplus,
    "Softsign": softsign,
}
"""Activations of recurrent operators, by ONNX's names, that have no constants of their own."""

APPLIED = {nn.Sigmoid: "Sigmoid", nn.Tanh: "Tanh", nn.ReLU: "Relu", nn.Softplus: "Softplus", nn.Softsign: "Softsign"}
"""Modules that are one operator without settings."""

INPUTS = ("X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P")
"""The inputs of a recurrent operator, in order; a GRU and an RNN have the first six."""

STATES = {"h": "initial_h", "c": "initial_c"}
"""The parts of a state, by our names."""


def package(caller: str) -> Any:
    """Return the package onnx. Raises ModuleNotFoundError, which says what brings it."""
    try:
        import onnx
        import onnx.numpy_helper
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"{caller} needs the extra: pip install 'tinygrad-lstm[onnx]'") from error
    return onnx

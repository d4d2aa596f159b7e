"""The LSTM that is drawn, by whom, and how: ours, and op by op in PyTorch with the same weights and names."""

from __future__ import annotations

import math
import subprocess
from collections.abc import Callable
from typing import Any

import torch
import torchview
import torchviz
from contenders import GATES
from numpy.typing import NDArray
from torch import nn

import tinygrad_lstm as tl
from tinygrad_lstm.drawing import Picture

LIMIT = 15
"""Seconds that a picture's ``dot`` may take."""


class Gate(nn.Module):
    def __init__(self, ours: Any, activation: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.activation = activation
        self.weight = nn.Parameter(torch.from_numpy(ours.weight.value.copy()))
        self.bias = nn.Parameter(torch.from_numpy(ours.bias.value.copy()))

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return self.activation(z @ self.weight + self.bias)


class Cell(nn.Module):
    def __init__(self, ours: Any) -> None:
        super().__init__()
        for name in GATES:
            activation = torch.tanh if name == "candidate" else torch.sigmoid
            self.add_module(name, Gate(getattr(ours, name), activation))

    def forward(self, x: torch.Tensor, h: torch.Tensor, c: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        z = torch.cat([h, x], dim=-1)
        c = self.forget_gate(z) * c + self.input_gate(z) * self.candidate(z)
        return self.output_gate(z) * torch.tanh(c), c


class Unrolled(nn.Module):
    """What a ``tl.LSTM`` does, with layers and directions, and the sum of its output as the loss."""

    def __init__(self, ours: tl.LSTM) -> None:
        super().__init__()
        self.directions = 2 if ours.bidirectional else 1
        self.size = ours.cells[0].hidden_size
        names = dict.fromkeys(name.partition(".")[0] for name, _ in ours.named_parameters())
        for name, cell in zip(names, ours.cells, strict=True):
            self.add_module(name, Cell(cell))

    def forward(self, xs: torch.Tensor) -> torch.Tensor:
        cells = list(self.children())
        below = [xs[t] for t in range(len(xs))]
        for first in range(0, len(cells), self.directions):
            sides = [self.run(cell, below, back) for back, cell in enumerate(cells[first : first + self.directions])]
            below = sides[0] if len(sides) == 1 else [torch.cat(pair, dim=-1) for pair in zip(*sides, strict=True)]
        return torch.stack(below).sum()

    def run(self, cell: nn.Module, xs: list[torch.Tensor], back: int) -> list[torch.Tensor]:
        h = c = torch.zeros(len(xs[0]), self.size, dtype=xs[0].dtype)
        hidden = []
        for x in xs[::-1] if back else xs:
            h, c = cell(x, h, c)
            hidden.append(h)
        return hidden[::-1] if back else hidden


def ours(layer: tl.LSTM, xs: NDArray[Any], **options: Any) -> Picture:
    return tl.draw(layer(tl.tensor(xs, name="xs"))[0].sum(), steps="all", **options)


def by_torchviz(model: nn.Module, xs: NDArray[Any], **options: Any) -> str:
    """Its DOT."""
    loss = model(torch.from_numpy(xs))
    return str(torchviz.make_dot(loss, params=dict(model.named_parameters()), **options).source)


def by_torchview(model: nn.Module, xs: NDArray[Any], **options: Any) -> str:
    """Its DOT, with every operation: by default it shows modules without children as one box."""
    options = {"depth": math.inf, "expand_nested": True, "hide_module_functions": False, "device": "cpu", **options}
    return str(torchview.draw_graph(model, input_data=torch.from_numpy(xs), **options).visual_graph.source)


def rendered(source: str, dot: str) -> bytes:
    """The SVG that Graphviz makes of it. Raises subprocess.TimeoutExpired at the limit."""
    command = [dot, "-Tsvg"]
    return subprocess.run(command, input=source.encode(), capture_output=True, timeout=LIMIT, check=True).stdout

"""What is measured of a cell before it learns anything: its size and cost, how far back it feels, its proof."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ...drawing import draw
from ...drawing.paint.render import RenderError
from ...engine.backprop import gradients
from ...engine.graph import Graph
from ...engine.primitive import Kind
from ...engine.scope import time_step
from ...engine.tensor import Tensor, tensor
from ...nn.cell import Cell, advance, state_parts
from ...structure.words import magnitude
from ...testing import check_cell

D, H, N, STEPS, SEEDS = 8, 16, 16, 100, 5
"""Sizes of what is measured, those of temporal order; the steps that a gradient is followed back, and the networks.
Chosen: after so many steps the curves lie far apart, and the mean of five networks no longer moves much."""

Make = Callable[..., Cell[Any]]


class Cost(NamedTuple):
    """What a step costs, in numbers: weights and biases, multiplications and divisions, and values of σ and tanh."""

    parameters: int
    multiplications: int
    activations: int


def cost(cell: Cell[Any]) -> Cost:
    """Count what one step of a cell costs, in the graph that ran: products of matrices, and number by number.

    >>> import tinygrad_lstm as tl
    >>> cost(tl.RNNCell(8, 16, rng=0))
    Cost(parameters=400, multiplications=384, activations=16)
    """
    parts = state_parts(cell, cell(np.ones(cell.input_size)))
    nodes = [node for node in Graph(*parts).nodes if node.primitive]
    return Cost(
        sum(parameter.size for parameter in cell.parameters()),
        sum(map(_multiplications, nodes)),
        sum(node.size for node in nodes if _is(node, Kind.activation)),
    )


def _is(node: Tensor, kind: Kind) -> bool:
    return node.primitive is not None and node.primitive.kind is kind


def _multiplications(node: Tensor) -> int:
    """Return how many a node takes: for each number of a product of matrices as many as are summed up."""
    if _is(node, Kind.product):
        return node.size * node.inputs[0].shape[-1]
    assert node.primitive is not None
    return node.size if node.primitive.style in ("times", "fraction") else 0


def felt(make: Make, steps: int = STEPS, seeds: int = SEEDS) -> list[float]:
    """Return how much of the gradient is left 0, 1, 2, … steps back, before anything is learned.

    It is ‖∂L/∂m_t‖ / ‖∂L/∂m_T‖, where m is the memory, c where there is one and else h, over random inputs, and L a
    random sum of the last h: the geometric mean over networks. A gradient that has died is 0.

    >>> import tinygrad_lstm as tl
    >>> rnn, first = felt(tl.RNNCell, steps=30, seeds=2), felt(tl.nn.atlas.LSTM1997Cell, steps=30, seeds=2)
    >>> rnn[0], rnn[-1] < 1e-3 < first[-1]
    (1.0, True)
    """
    logs = [np.log(np.maximum(norms, 1e-300)) for norms in (_norms(make, steps, seed) for seed in range(seeds))]
    means = np.exp(np.mean([each - each[0] for each in logs], axis=0))
    return [float(f"{mean:.3g}") if mean > 1e-100 else 0.0 for mean in means]


def _norms(make: Make, steps: int, seed: int) -> list[float]:
    """Return ‖∂L/∂m_t‖ from the last step to the first."""
    rng = np.random.default_rng(seed)
    cell = make(D, H, rng=rng)
    memories, parts = [], state_parts(cell, cell.zero_state(tensor(np.zeros((N, D)))))
    for t in range(steps):
        with time_step(t):
            parts = advance(cell, tensor(rng.normal(size=(N, D)), name="x"), parts)
        memories.append(parts[-1])
    complete = gradients((parts[0] * rng.normal(size=(N, H))).sum())
    return [magnitude(complete[memory]) if memory in complete else 0.0 for memory in reversed(memories)]


class Proof(NamedTuple):
    """The verdict on a cell's gradients, how many were checked, and the worst error in units of rounding."""

    verdict: str
    gradients: int
    worst: float


def proof(make: Make) -> Proof:
    """Check every gradient of a cell over three steps: of each parameter, the inputs and the states before the first.

    Raises GradientError where one is wrong.

    >>> import tinygrad_lstm as tl
    >>> proof(tl.GRUCell)[:2]
    ('PASS', 10)
    """
    report = check_cell(make(4, 4, rng=0), steps=3, rng=0)
    return Proof(report.verdict.value, len(report.errors), float(f"{report.worst:.2g}"))


def picture(make: Make) -> tuple[str, str]:
    """Return the gates of a cell in the midst of a sequence, as the address of an image, and what it shows, in words.

    The address is empty where nothing can draw.

    >>> import tinygrad_lstm as tl
    >>> picture(tl.LSTMCell)[0][:26]
    'data:image/svg+xml;base64,'
    """
    cell = make(2, 2, rng=0)
    parts = state_parts(cell, cell.zero_state(tensor(np.zeros(cell.input_size))))
    for t in range(3):
        with time_step(t):
            parts = advance(cell, tensor(np.ones(cell.input_size), name="x"), parts)
    drawn = draw(parts[0], "gates", steps=(1, 2), shapes=False)
    try:
        return f"data:image/svg+xml;base64,{base64.b64encode(drawn.svg.encode()).decode('ascii')}", drawn.description
    except RenderError:
        return "", drawn.description

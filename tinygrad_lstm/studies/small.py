"""Small networks for the commands that step and check: each cell, unrolled over random inputs."""

from __future__ import annotations

import numpy as np

from ..engine.tensor import Tensor, tensor
from ..nn import Recurrent
from ..nn.cell import Cell
from ..nn.cells import CELLS
from ..testing import VJPReport, check_vjp


def small_loss(cell: str, steps: int, *, layers: int = 1, bidirectional: bool = False) -> Tensor:
    """A scalar loss of a small recurrent network (D = H = 2) over random inputs: the sum of its outputs."""
    rng = np.random.default_rng(0)
    directions = 2 if bidirectional else 1
    sizes = [2, *[2 * directions] * (layers - 1)]
    cells = [CELLS[cell](size, 2, rng=rng) for size in sizes for _ in range(directions)]
    layer = Recurrent(*cells, bidirectional=bidirectional)
    output, _ = layer(tensor(rng.normal(size=(steps, 2)), name="xs"))
    loss: Tensor = output.sum()
    loss.name = "L"
    return loss


def check_cell(cell: str, steps: int) -> VJPReport:
    """Check one cell (D = H = 4, N = 2) in every input, initial state and parameter."""
    rng = np.random.default_rng(0)
    tested: Cell = CELLS[cell](4, 4, rng=rng)
    layer = Recurrent(tested)
    names = tested.state_names
    xs = tensor(rng.normal(size=(steps, 2, 4)), name="xs")
    state = [tensor(rng.normal(size=(1, 2, 4)), name=f"{name}0") for name in names]
    return check_vjp(
        lambda xs, *state: layer(xs, state[0] if len(names) == 1 else state),
        xs,
        *state,
        parameters=tested.parameters(),
        rng=rng,
    )

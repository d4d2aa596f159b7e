"""Small networks for the commands that draw and step: each cell, as on Olah's page, unrolled over random inputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine.tensor import Tensor, tensor
from . import Recurrent
from .cell import Cell
from .cells import CELLS, GRUCell
from .creation import Seed
from .named import cell_of


def olahs(cell: str, input_size: int, hidden_size: int, rng: Seed) -> Cell:
    """Return a cell by its name, as Olah's page writes it: the GRU resets before the product."""
    before: Any = {"reset_after": False} if cell in CELLS and issubclass(CELLS[cell], GRUCell) else {}
    return cell_of(cell)(input_size, hidden_size, rng=rng, **before)


def small_loss(
    cell: str, steps: int, *, layers: int = 1, bidirectional: bool = False, last_step: bool = False
) -> Tensor:
    """Return a scalar loss of a small recurrent network (D = H = 2) over random inputs: the sum of its outputs.

    ``cell`` is one of ``names()``; the inputs are (T, D) for T ``steps``. A loss of the ``last_step`` alone has to
    reach back over all the others: how much of its gradient arrives there is what one looks for.
    """
    rng = np.random.default_rng(0)
    directions = 2 if bidirectional else 1
    sizes = [2, *[2 * directions] * (layers - 1)]
    cells = [olahs(cell, size, 2, rng) for size in sizes for _ in range(directions)]
    layer: Recurrent = Recurrent(*cells, bidirectional=bidirectional)
    output, _ = layer(tensor(rng.normal(size=(steps, 2)), name="xs"))
    summed = output.inputs[-1] if last_step else output  # the output is the stack of h at every step
    loss: Tensor = summed.sum()
    loss.name = "L"
    return loss

"""A cell as a function to check: unrolled over random inputs, from random states."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine.tensor import Tensor, tensor
from ..nn import Recurrent
from ..nn.cell import Cell
from ..nn.cells import CELLS


class Unrolled:
    """The function of xs and the initial states, and ``inputs`` to call it with.

    They are of shape (T, N, D), and (1, N, H) for each state. ``steps`` and ``batch`` are T and N. Raises ValueError
    for the name of a cell that there is not, TypeError for what is no cell.
    """

    def __init__(self, cell: Cell | type[Cell] | str, steps: int, batch: int, rng: np.random.Generator) -> None:
        made = _made(cell, rng)
        self.layer = Recurrent(made)
        shapes = {"xs": (steps, batch, made.input_size)}
        shapes |= {f"{name}0": (1, batch, made.hidden_size) for name in made.state_names}
        self.inputs = [tensor(rng.normal(size=shape), name=name, dtype=made.dtype) for name, shape in shapes.items()]

    def __call__(self, xs: Tensor, *state: Tensor) -> Any:
        return self.layer(xs, state[0] if len(state) == 1 else state)


def _made(cell: Cell | type[Cell] | str, rng: np.random.Generator) -> Cell:
    if isinstance(cell, str):
        if cell not in CELLS:
            raise ValueError(f"there is no cell {cell!r}; there are {', '.join(CELLS)}")
        cell = CELLS[cell]
    if isinstance(cell, type):
        made: Any = cell
        cell = made(4, 4, rng=rng)
    if not isinstance(cell, Cell):
        raise TypeError(f"check_cell takes a tl.nn.Cell, its class or a name such as 'lstm', not {cell!r}")
    return cell

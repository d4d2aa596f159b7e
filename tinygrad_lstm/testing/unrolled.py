"""A cell as a function to check: unrolled over random inputs, from random states."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..engine.tensor import Tensor, as_value, tensor
from ..nn import Recurrent
from ..nn.cell import Cell
from ..nn.named import cell_of


class Unrolled:
    """The function of xs and the initial states, and ``inputs`` to call it with.

    They are of shape (T, N, D), and (1, N, H) for each state. ``steps`` and ``batch`` are T and N, ``sizes`` are D and
    H of a cell that is made of a class, and ``dtype`` is the type, if it is to be another than the cell's. Raises
    ValueError for the name of a cell that there is not, TypeError for what is no cell.
    """

    def __init__(
        self,
        cell: Cell | type[Cell] | str,
        steps: int,
        batch: int,
        rng: np.random.Generator,
        sizes: tuple[int, int] = (4, 4),
        dtype: DTypeLike | None = None,
    ) -> None:
        made = _made(cell, sizes, rng)
        if dtype is not None:
            made = deepcopy(made)
            made.dtype = np.dtype(dtype)
            for parameter in made.parameters():
                parameter._value = as_value(parameter.value, dtype)
        self.layer = Recurrent(made)
        shapes = {"xs": (steps, batch, made.input_size)}
        parts = dict(zip(made.state_names, made.state_sizes, strict=True))
        shapes |= {f"{name}0": (1, batch, size) for name, size in parts.items()}
        self.said = f"{'×'.join(map(str, (*shapes['xs'], made.hidden_size)))} in {made.dtype}"
        self.inputs = [tensor(rng.normal(size=shape), name=name, dtype=made.dtype) for name, shape in shapes.items()]

    def __call__(self, xs: Tensor, *state: Tensor) -> Any:
        return self.layer(xs, state[0] if len(state) == 1 else state)


def _made(cell: Cell | type[Cell] | str, sizes: tuple[int, int], rng: np.random.Generator) -> Cell:
    if isinstance(cell, str):
        cell = cell_of(cell)(*sizes, rng=rng)
    if isinstance(cell, type):
        made: Any = cell
        cell = made(*sizes, rng=rng)
    if not isinstance(cell, Cell):
        raise TypeError(f"check_cell takes a tl.nn.Cell, its class or a name such as 'lstm', not {cell!r}")
    return cell

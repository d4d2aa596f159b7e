"""How one state depends on an earlier one: Jacobians of single steps, their products over a gap, and spectral radii."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..engine.backprop import grad
from ..engine.functions import concat
from ..engine.primitive import Array
from ..engine.scope import no_grad
from ..engine.tensor import Tensor, tensor
from ..nn import Cell, RNNCell
from ..nn.cell import advance, state_parts


def jacobians(cell: Cell[Any], xs: ArrayLike) -> Array:
    """Return ∂s_t/∂s_{t−1} at every step t of a sequence, (T, K, K), where s is all of the state: h, or [h, c].

    Arguments:
        cell: any cell, ours or yours; K is the sum of its ``state_sizes``.
        xs: one sequence, (T, D), which the cell reads from the zero state.

    Each is one backward pass: K copies of the step stand in a batch, and copy k is asked about entry k.

    >>> import numpy as np
    >>> import tinygrad_lstm as tl
    >>> jacobians(tl.LSTMCell(2, 3, rng=0), np.ones((5, 2))).shape
    (5, 6, 6)
    """
    size = sum(cell.state_sizes)
    state = tuple(np.zeros(n) for n in cell.state_sizes)
    found = []
    for x in np.asarray(xs, np.float64):
        old = tuple(tensor(np.tile(part, (size, 1)), requires_grad=True) for part in state)
        new = advance(cell, tensor(np.tile(x, (size, 1))), old)
        rows = grad(concat(new, axis=-1), old, np.eye(size), allow_unused=True)
        parts = [np.zeros(part.shape) if row is None else row.value for row, part in zip(rows, old, strict=True)]
        found.append(np.concatenate(parts, axis=1))
        state = tuple(part.value[0] for part in new)
    return np.array(found)


def singular_values(steps: Array) -> Array:
    """Return the singular values of ∂s_{T−1}/∂s_t for every gap, (T, K), the largest first: row d spans d + 1 steps.

    The Jacobians (T, K, K) are multiplied from the last step back. Where the product leaves the range of float64, it is
    scaled, so that what has vanished below 1e-308 still has a number, as 0 or the smallest there is. Values below the
    rounding of the largest, 1e-16 of it, are rounding.

    Source: R. Pascanu, T. Mikolov & Y. Bengio, "On the difficulty of training recurrent neural networks" (2013),
    equation 5.

    >>> import numpy as np
    >>> singular_values(np.array([np.diag([0.5, 2.0])] * 3)).round(9).tolist()
    [[2.0, 0.5], [4.0, 0.25], [8.0, 0.125]]
    """
    product, exponent, found = np.eye(steps.shape[-1]), 0.0, []
    for step in steps[::-1]:
        product = product @ step
        largest = float(np.abs(product).max()) or 1.0
        product, exponent = product / largest, exponent + float(np.log(largest))
        with np.errstate(over="ignore", under="ignore"):
            found.append(np.linalg.svd(product, compute_uv=False) * np.exp(exponent))
    return np.array(found)


def recurrent_weight(cell: RNNCell) -> Array:
    """Return W_hh of a plain recurrent cell, (H, H): the rows of its weight that h meets.

    >>> import tinygrad_lstm as tl
    >>> recurrent_weight(tl.RNNCell(2, 3, rng=0)).shape
    (3, 3)
    """
    weight: Array = cell.layer.weight.value[: cell.hidden_size]
    return weight


def spectral_radius(weight: Array) -> float:
    """Return the largest absolute value of the eigenvalues of a matrix: what a linear network multiplies by each step.

    >>> spectral_radius(np.diag([0.5, -2.0]))
    2.0
    """
    return float(np.abs(np.linalg.eigvals(weight)).max())


def scale_to(cell: RNNCell, radius: float) -> RNNCell:
    """Scale W_hh of a plain recurrent cell so that its spectral radius is as asked; return the cell.

    >>> import tinygrad_lstm as tl
    >>> round(spectral_radius(recurrent_weight(scale_to(tl.RNNCell(2, 8, rng=0), 1.5))), 12)
    1.5
    """
    weight = cell.layer.weight.value.copy()
    weight[: cell.hidden_size] *= radius / spectral_radius(recurrent_weight(cell))
    cell.layer.weight.value = weight
    return cell


def states_of(cell: Cell[Any], xs: Sequence[Tensor] | Array) -> list[tuple[Array, ...]]:
    """Return the parts of the state after each step, T times, without a graph. xs: (T, N, D) or (T, D).

    >>> import numpy as np
    >>> import tinygrad_lstm as tl
    >>> [[part.shape for part in state] for state in states_of(tl.LSTMCell(2, 3, rng=0), np.ones((1, 2)))]
    [[(3,), (3,)]]
    """
    found, state = [], None
    with no_grad():
        for x in xs:
            state = cell(x, state)
            found.append(tuple(part.value for part in state_parts(cell, state)))
    return found

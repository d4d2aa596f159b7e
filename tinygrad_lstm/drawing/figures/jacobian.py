"""The Jacobian: what becomes of a small change of a state until the last step, direction by direction."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...engine.graph import Graph
from ...engine.primitive import Array
from ...pages.plot import linear_axis, log_axis
from ...pages.theme import MUTED, ON_PAGES
from ...structure.cells import State
from ...structure.window import Window
from ...structure.words import short, subscript
from . import fault
from .axes import curve, grid
from .figure import Figure, NoFigure
from .maps import SIGNED, Frame, below, field, key_to_marks, mark, outline
from .paper import MARGIN, SMALL, WIDTH, Paper
from .reading import Recorded
from .walk import BackwardWalk

SHOWN, SIDE, APART = 4, 96.0, 14.0
"""How many products are shown as maps, and, in pixels, how wide a map is and how far from the next."""

FINEST = 48
"""Rows and columns of a map: of more, a field stands for several, of which it shows the largest. Chosen: 2 pixels."""

TOGETHER = 1 << 24
"""Numbers that the walks which go together may keep for all steps; chosen: 128 MB."""


class Products(NamedTuple):
    """∂h_T/∂h_t of one state: a Jacobian (K, K) for each step t before T, and its singular values (K)."""

    state: State
    last: int
    jacobians: dict[int, Array]
    singular: dict[int, Array]
    cause: str = ""  # of what is no number in them


def jacobian(graph: Graph, steps: Window = None) -> Figure:
    """Draw ∂h_T/∂h_t as maps for some steps t, and its largest and smallest singular value for all of them.

    Each is the whole derivative along the graph, a backward walk for each row, so that of an LSTM's c_t it has what
    comes by way of h_t = o ⊙ tanh(c_t). Of several sequences, the first is shown.

    Source: R. Pascanu, T. Mikolov & Y. Bengio, "On the difficulty of training recurrent neural networks" (2013),
    equation 5.
    """
    reading = Recorded(graph, steps)
    found = [each for state in reading.states if (each := products(reading, state)).jacobians]
    if not found:
        raise NoFigure("no state is handed from one time step to the next: there is no ∂h_T/∂h_t; unroll more steps")
    if not any(np.isfinite(values).all() for each in found for values in each.singular.values()):
        raise NoFigure(f"no ∂{found[0].state.name}_T/∂{found[0].state.name}_t is a number: {found[0].cause}")
    paper = Paper("What is left of a small change", _sentence(found, reading))
    for each in found:
        _block(paper, each)
    x, y = MARGIN, paper.bottom + 12
    x += paper.scale(x, y, ("−", "+, each map up to its own largest entry"), shades=SIGNED, wide=135) + 28
    if any(each.cause for each in found):
        key_to_marks(paper, x, y)
    return Figure(paper)


def products(reading: Recorded, state: State) -> Products:
    """Return ∂h_T/∂h_t for each step t that is shown before the last, by walks from each entry of h_T."""
    shown = [t for t in reading.steps if t in state.at]
    shown = shown if state.forwards else shown[::-1]
    if len(shown) < 2:
        return Products(state, -1, {}, {})
    last, before = state.at[shown[-1]], [state.at[t] for t in shown[:-1]]
    walk, size = BackwardWalk(reading.graph, before), last.shape[-1] if last.ndim else 1
    rows: dict[int, list[Array]] = {t: [] for t in shown[:-1]}
    together = max(TOGETHER // (last.size * len(shown)), 1)
    for first in range(0, size, together):
        count = min(together, size - first)
        seeds = np.zeros((count, *last.shape))
        seeds.reshape(count, -1, size)[range(count), 0, range(first, first + count)] = 1.0
        gradients = walk.many(last, seeds)
        for t, node in zip(shown[:-1], before, strict=True):
            rows[t] += list(gradients[node].reshape(count, -1, node.shape[-1] if node.ndim else 1)[:, 0])
    jacobians: dict[int, Array] = {t: np.array(found, np.float64) for t, found in rows.items()}
    singular = {t: _singular(found) for t, found in jacobians.items()}
    wrong = any(not np.isfinite(found).all() for found in jacobians.values())
    cause = fault.of_walk(reading.timeline, walk, {last: np.ones(last.shape)}) or "it overflowed" if wrong else ""
    return Products(state, shown[-1], jacobians, singular, cause)


def _singular(matrix: Array) -> Array:
    if not np.isfinite(matrix).all():
        return np.full(min(matrix.shape), np.nan)
    values: Array = np.linalg.svd(matrix, compute_uv=False)
    return values


def largest_of_blocks(matrix: Array, most: int = FINEST) -> tuple[Array, int]:
    """Return a matrix that has no more rows and columns than that, and of how many of each an entry is the largest.

    >>> largest_of_blocks(np.diag([1.0, -2.0, 3.0]), 2)
    (array([[-2.,  0.],
           [ 0.,  3.]]), 2)
    """
    each = -(-max(matrix.shape) // most)
    if each == 1:
        return matrix, 1
    down, across = (-(-n // each) for n in matrix.shape)
    padded = np.zeros((down * each, across * each))
    padded[: matrix.shape[0], : matrix.shape[1]] = matrix
    blocks = padded.reshape(down, each, across, each).swapaxes(1, 2).reshape(down, across, -1)
    where = np.abs(blocks).argmax(axis=-1)[..., None]  # of NaN too: argmax takes it for the largest
    found: Array = np.take_along_axis(blocks, where, axis=-1)[..., 0]
    return found, each


def _sentence(found: list[Products], reading: Recorded) -> str:
    parts, causes = [], dict.fromkeys(each.cause for each in found if each.cause)
    for each in found:
        finite = {t: values for t, values in each.singular.items() if np.isfinite(values).all()}
        if not finite:
            continue
        first, values = next(iter(finite.items()))
        least = f", at least by {short(values[-1])}" if len(values) > 1 else ""
        parts.append(f"{each.state.name}{subscript(first)} by {short(values[0])} at most{least}")
    return (
        f"Until the last step, a small change is multiplied: of {'; of '.join(parts)}. These are the singular "
        f"values of the Jacobian, one for each direction.{reading.note}"
        f"{''.join(f' Not all are numbers: {cause}.' for cause in causes)}"
    )


def _block(paper: Paper, found: Products) -> None:
    """Draw the maps of one state, and beside them its singular values over time."""
    name, top = found.state.name, paper.bottom + 8
    paper.text(MARGIN, top + 14, f"∂{name}{subscript(found.last)} / ∂{name}ₜ", size=15, bold=True, room=430)
    steps = sorted(found.jacobians)
    chosen = sorted({steps[round(k * (len(steps) - 1) / (SHOWN - 1))] for k in range(SHOWN)})
    y = top + 46
    for k, t in enumerate(chosen):
        frame = (MARGIN + k * (SIDE + APART), y, SIDE, SIDE)
        matrix, each = largest_of_blocks(found.jacobians[t])
        most = float(np.nanmax(np.abs(matrix))) if np.isfinite(matrix).any() else 0.0
        paper.text(frame[0], y - 7, f"t = {t}", room=SIDE)

        def tip(i: int, j: int, t: int = t, matrix: Array = matrix, each: int = each) -> str:
            entry = f"∂{name}{subscript(found.last)}[{i * each}] / ∂{name}{subscript(t)}[{j * each}]"
            return f"{entry}{'' if each == 1 else ' and near it'}: {short(float(matrix[i, j]))}"

        field(paper, frame, matrix, most, tip)
        mark(paper, frame, ~np.isfinite(matrix), tip)
        outline(paper, frame)
        paper.text(frame[0], y + SIDE + 15, f"up to ±{short(most)}", size=SMALL, ink=MUTED, room=SIDE)
    left = MARGIN + SHOWN * (SIDE + APART) + 48
    bottom = paper.bottom
    _curves(paper, (left, y - 16, WIDTH - MARGIN - left - 58, SIDE + 16), found)
    paper.bottom = max(paper.bottom, bottom) + 6


def _curves(paper: Paper, frame: Frame, found: Products) -> None:
    x, y, wide, high = frame
    steps = sorted(found.singular)
    lines = {"largest": 0, "smallest": -1} if len(found.singular[steps[0]]) > 1 else {"the only": 0}
    numbers = [float(found.singular[t][which]) for t in steps for which in lines.values()]
    up = log_axis([number for number in numbers if 0 < number < np.inf], y + high, y)
    across = linear_axis([float(t) for t in steps], x, x + wide)
    paper.text(x, y - 8, "singular values", bold=True)
    grid(paper, frame, up)
    taken = y - 99.0
    for (words, which), colour in zip(lines.items(), (ON_PAGES["series1"], ON_PAGES["series0"]), strict=False):
        values = [(t, float(found.singular[t][which])) for t in steps]
        points = [(across(t), up(value)) for t, value in values if 0 < value < np.inf]
        curve(paper, points, colour)
        if points:
            end = max(points[-1][1] + 4, taken + 14)
            paper.text(points[-1][0] + 8, end, words, size=SMALL, ink=colour)
            taken = end
    paper.bottom = y + high
    column = (across(steps[-1]) - across(steps[0])) / max(len(steps) - 1, 1) or wide
    below(paper, across(steps[0]) - column / 2, column, [str(t) for t in steps], "t")

"""Influence: how much each loss, or each output, depends on each input."""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np

from ...engine.backprop import apply_vjp
from ...engine.graph import Graph
from ...engine.primitive import Array
from ...engine.tensor import Tensor
from ...pages.theme import LEVELS, MUTED
from ...structure.timeline import AFTER
from ...structure.window import Window
from ...structure.words import magnitude, short, superscript
from . import fault
from .figure import Figure, NoFigure
from .maps import below, field, key_to_marks, mark, outline, step_for
from .paper import MARGIN, SMALL, WIDTH, Paper
from .reading import Recorded
from .walk import BackwardWalk

LARGEST, FIELD, LEFT = 470.0, 40.0, 76.0
"""Pixels: of the whole map and of a field of it at most, and what is left of it."""

DEEPEST = 8
"""Powers of ten that the scale shows at most; chosen: they can still be told apart."""

MOST_WALKS = 3000
"""Backward walks at most, one for each output and step; chosen: a minute or so."""


def influence(graph: Graph, steps: Window = None) -> Figure:
    """Draw the norm of ∂L_t/∂x_s, where L_t is the part of the loss that step t adds; row t, column s.

    The gradient of a loss that is a sum over steps enters the network at each of them; what enters at t is followed
    back to all inputs. Where it enters at one step only, rows are outputs: the Frobenius norm of ∂h_t/∂x_s.

    Source: the norms, Y. Bengio, P. Simard & P. Frasconi, "Learning Long-Term Dependencies with Gradient Descent is
    Difficult" (1994).
    """
    reading = Recorded(graph, steps)
    if not reading.inputs:
        raise NoFigure("nothing comes into this network from outside at any time step: there are no inputs x_s")
    entering = {t: seeds for t, seeds in losses(reading).items() if t in reading.steps}
    by_losses = len(entering) > 1
    matrix = _of_losses(reading, entering) if by_losses else of_outputs(reading)
    name = "L" if by_losses else _output(reading)[0]
    title = "Which inputs each loss feels" if by_losses else "Which inputs each output feels"
    warning = _warning(matrix, reading, entering if by_losses else {})
    paper = Paper(title, _sentence(matrix, reading, "loss" if by_losses else "output") + warning)
    _draw(paper, matrix, reading, name)
    return Figure(paper)


def _warning(matrix: Array, reading: Recorded, entering: dict[int, dict[Tensor, Array]]) -> str:
    """Say where the first NaN or Inf of the norms came from, if there is one."""
    wrong = [t for t, row in zip(reading.steps, matrix, strict=True) if np.isinf(row).any()]
    if not wrong:
        return ""
    output, walk = reading.graph.output, _walk(reading)
    seeds = entering.get(wrong[0]) or {_output(reading)[1][wrong[0]]: np.ones(_output(reading)[1][wrong[0]].shape)}
    causes = (fault.of_walk(reading.timeline, walk, each) for each in (seeds, {output: np.ones(output.shape)}))
    cause = next(filter(None, causes), "they overflowed")
    return f" Not all are numbers, first in the row of step {wrong[0]}: {cause}."


def losses(reading: Recorded) -> dict[int, dict[Tensor, Array]]:
    """Return where the gradient of the loss enters each step: nodes of it, and what comes to them from after all steps.

    A number that is but a sum, as of the losses so far, hands on to what it adds.
    """
    output, timeline = reading.graph.output, reading.timeline
    if output.size != 1:
        return {}
    gradients: dict[Tensor, Array] = {output: np.ones(output.shape)}
    found: dict[int, dict[Tensor, Array]] = defaultdict(dict)
    for node in reversed(reading.graph.nodes):
        if node not in gradients or node.primitive is None:
            continue
        upstream, t = gradients.pop(node), timeline.of.get(node)
        is_sum = node.size == 1 and node.primitive.combines == "sum"
        if t is not None and not is_sum:
            found[t][node] = upstream
        elif (is_sum or timeline.column(node) == AFTER) and node.primitive.rule:
            for slot, _, contribution in apply_vjp(node, upstream, set(node.inputs)):
                x = node.inputs[slot]
                gradients[x] = gradients[x] + contribution if x in gradients else contribution
    return found


def _walk(reading: Recorded) -> BackwardWalk:
    return BackwardWalk(reading.graph, [x for given in reading.inputs.values() for x in given])


def _of_losses(reading: Recorded, entering: dict[int, dict[Tensor, Array]]) -> Array:
    walk = _walk(reading)
    return _rows(reading, {t: [walk(seeds)] for t, seeds in entering.items()})


def of_outputs(reading: Recorded) -> Array:
    """Return the Frobenius norms of ∂h_t/∂x_s, (T, T): NaN where h_t comes before x_s, infinite if it is no number."""
    _, at = _output(reading)
    walk = _walk(reading)
    shown = [t for t in reading.steps if t in at]
    walks = sum(at[t].size for t in shown)
    if walks > MOST_WALKS:
        raise NoFigure(
            f"the influence on each of {walks:,} outputs takes as many backward walks, more than {MOST_WALKS:,}: show "
            "fewer steps with steps=(a, b), or give each step a loss"
        )
    found: dict[int, list[dict[Tensor, Array]]] = {t: [] for t in shown}
    for t in shown:
        size = at[t].size
        found[t].append(walk.many(at[t], np.eye(size).reshape(size, *at[t].shape)))
    return _rows(reading, found)


def _output(reading: Recorded) -> tuple[str, dict[int, Tensor]]:
    """Return the name of what steps give out, and what it is at each: of the states the last that is made."""
    if not reading.states:
        raise NoFigure("no state is handed from one time step to the next, and there is no loss at each: unroll more")
    state = reading.states[-1]
    return state.name, state.at


def _rows(reading: Recorded, found: dict[int, list[dict[Tensor, Array]]]) -> Array:
    """Return norms over all walks of a row, and all that a step is given; NaN where nothing leads from s to t.

    What is no number, be it NaN or infinite, is infinite there.
    """
    matrix = np.full((len(reading.steps),) * 2, np.nan)
    for t, walks in found.items():
        for k, s in enumerate(reading.steps):
            given = reading.inputs.get(s, [])
            norm = magnitude([magnitude(gradients[x]) for gradients in walks for x in given])
            if norm or s <= t:
                matrix[reading.steps.index(t), k] = norm if np.isfinite(norm) else np.inf
    return matrix


def _sentence(matrix: Array, reading: Recorded, what: str) -> str:
    row = matrix[-1]
    t, norms = reading.steps[-1], {s: norm for s, norm in zip(reading.steps, row, strict=True) if np.isfinite(norm)}
    if not any(norms.values()) and np.isinf(row).any():
        return f"What the {what} at step {t} feels of the inputs is not a number.{reading.note}"
    if not any(norms.values()):
        return f"No {what} that is shown depends on any input.{reading.note}"
    most = max(norms, key=lambda s: norms[s])
    first = next(iter(norms))
    words = dict(zip(reading.steps, reading.columns, strict=True))
    column = {s: f" (“{word}”)" if reading.has_words else "" for s, word in words.items()}
    return (
        f"The {what} at step {t} feels the input of step {most}{column[most]} most, {short(norms[most])}, and that of "
        f"step {first}{column[first]} {short(norms[first])}: the norm of its derivative by each input.{reading.note}"
    )


def _draw(paper: Paper, matrix: Array, reading: Recorded, name: str) -> None:
    """Draw the matrix with its names, and the scale beside it."""
    count = len(reading.steps)
    side = min(FIELD, LARGEST / count)
    x, y, whole = MARGIN + LEFT, paper.bottom + 8, side * count
    positive = matrix[np.isfinite(matrix) & (matrix > 0)]
    high = math.ceil(math.log10(positive.max())) if positive.size else 0
    low = max(math.floor(math.log10(positive.min())), high - DEEPEST) if positive.size else -1
    low = min(low, high - 1)

    def share(value: float) -> float:
        return max((math.log10(value) - low) / (high - low), 0.0) if value > 0 else 0.0

    def tip(row: int, column: int) -> str:
        t, s = reading.steps[row], reading.steps[column]
        return f"∂{name} at step {t} / ∂x at step {s}, {reading.columns[column]}: {short(float(matrix[row, column]))}"

    field(paper, (x, y, whole, whole), matrix, 1.0, tip, share=share)
    mark(paper, (x, y, whole, whole), np.isinf(matrix), lambda r, c: tip(r, c).rpartition(":")[0] + ": NaN or Inf")
    outline(paper, (x, y, whole, whole))
    every = step_for(SMALL + 4, side)
    for row in range(0, count, every):
        words = f"{reading.steps[row]}"
        paper.text(x - 8, y + (row + 0.5) * side + 4, words, size=SMALL, ink=MUTED, anchor="end", room=LEFT)
    what = "loss" if name == "L" else name
    paper.text(MARGIN, y + 10, what, bold=True, room=LEFT - 30)
    paper.text(MARGIN, y + 25, "at step", size=SMALL, ink=MUTED)
    paper.bottom = y + whole
    below(paper, x, side, reading.columns, "" if reading.has_words else "input of step")
    bottom = paper.bottom
    _scale(paper, (x + whole + 34, y + 4), low, high)
    if np.isinf(matrix).any():
        key_to_marks(paper, x + whole + 34, y + 220)
    paper.bottom = max(bottom, paper.bottom)


def _scale(paper: Paper, place: tuple[float, float], low: int, high: int) -> None:
    """Draw the shades upwards, with a tick at each power of ten."""
    x, y = place
    tall, each = 160.0, 160.0 / len(LEVELS)
    paper.text(x, y + 6, "norm of the derivative", size=SMALL, ink=MUTED, room=WIDTH - MARGIN - x)
    for number, fill in enumerate(reversed(LEVELS)):
        paper.rect(x, y + 18 + number * each, 14, each + 0.2, fill)
    every = math.ceil((high - low) / 8)
    for power in range(low, high + 1, every):
        up = y + 18 + tall * (1 - (power - low) / (high - low))
        paper.line([(x + 14, up), (x + 20, up)], MUTED)
        paper.text(x + 25, up + 4, f"10{superscript(power)}", size=SMALL, ink=MUTED)
    paper.text(x, y + tall + 40, "empty: no way leads there", size=SMALL, ink=MUTED, room=WIDTH - MARGIN - x)

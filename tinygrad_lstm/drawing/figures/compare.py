"""A comparison: networks one above the other on one clock, and how much of the gradient their states carry back."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ...engine.backprop import gradients
from ...engine.errors import short as shortened
from ...engine.graph import Graph
from ...engine.primitive import Array
from ...engine.tensor import Tensor
from ...pages.theme import INK, MUTED, OPEN_CELL, SHADES
from ...structure.window import Window
from ...structure.words import clean, magnitude, short
from . import fault
from .belt_step import said
from .figure import Figure
from .maps import WRONG, below, key_to_marks, step_for
from .paper import BODY, MARGIN, SMALL, WIDTH, Paper, width_of
from .reading import Recorded, in_window, left_out

LONGEST, RIGHT, ROW, WIDEST, THINNEST = 210.0, 14.0, 42.0, 22.0, 1.5
"""Pixels before the chains at most and behind them, of a state's row, and of its gradient at most and at least."""

PALEST, DECADES = 2, 8
"""The first shade that is seen on paper; and over how many powers of ten shades are spread at most."""


class Span(NamedTuple):
    """The least and the largest norm of a figure: what is palest and thinnest, and darkest and widest."""

    least: float
    most: float

    def thick(self, norm: float) -> float:
        """Return how wide a norm is drawn, in pixels."""
        if not np.isfinite(norm):
            return WIDEST / 2
        return max(WIDEST * norm / self.most, THINNEST) if self.most else THINNEST

    def shade(self, norm: float) -> str:
        """Return the shade of a norm: each stands for the same factor.

        >>> Span(1e-6, 1.0).shade(1.0) == SHADES[-1], Span(1e-6, 1.0).shade(1e-12) == SHADES[PALEST]
        (True, True)
        """
        if not np.isfinite(norm):
            return WRONG
        if not norm:
            return SHADES[PALEST]
        part = 1 - np.log(self.most / norm) / max(np.log(self.most / self.least), np.log(10))
        return SHADES[PALEST + int(min(max(part, 0.0), 0.999) * (len(SHADES) - PALEST))]


@dataclass(eq=False)
class Followed:
    """One network: what it is called, and ‖∂L/∂state_t‖ of each of its states, by step."""

    label: str
    reading: Recorded
    norms: dict[str, dict[int, float]]
    forwards: dict[str, bool]
    cause: str = ""  # of what is no number in them

    def show(self, times: Container[int]) -> None:
        """Leave out all other steps."""
        self.reading.steps = [t for t in self.reading.all_steps if t in times]
        self.norms = {name: {t: norms[t] for t in norms if t in times} for name, norms in self.norms.items()}


def compare(
    *losses: Tensor | Mapping[str, Tensor], steps: Window = None, fit: str | None = None, **labelled: Tensor
) -> Figure:
    """Return networks one above the other on one clock, with the gradient that their states carry back, on one scale.

    Between the cells is ‖∂L/∂h_t‖, and ‖∂L/∂c_t‖ of an LSTM: the wider and the darker, the more arrives at that step.
    Where it thins out, what came before cannot be learned. Widths are in proportion, shades by powers of ten.

    Arguments:
        losses: of each network a number, which is then called by its cell; or a mapping, ``{label: loss}``.
        steps: ``(a, b)`` shows the time steps of ``range(a, b)``, ``"all"`` every one; without it the last 100.
        fit: ``"slide"``, ``"readme"`` or ``"column"``: as large as it can be there, as for ``draw``.
        labelled: more of them, each by what it is to be called: ``lstm=loss``.

    Raises:
        TypeError: for what is no tensor.
        ValueError: for no losses at all, one that is not a single number, and a network without states; and where
            it does not fit.

    Source: the vanishing gradient, Y. Bengio, P. Simard & P. Frasconi, "Learning Long-Term Dependencies with Gradient
    Descent Is Difficult" (1994).

    >>> import tinygrad_lstm as tl
    >>> layers = {"LSTM": tl.LSTM(2, 3, rng=0), "RNN": tl.RNN(2, 3, rng=0)}
    >>> tl.compare({label: layer(tl.ones(5, 2))[0][-1].sum() for label, layer in layers.items()})
    <figure: How far back each state carries the gradient; save it as .svg, .png, .pdf or .html>
    """
    named = _labels([*losses, labelled])
    if not named:
        raise ValueError("there is nothing to compare: give at least one loss, as in tl.compare(lstm=loss)")
    chains = [chain(label, loss) for label, loss in named]
    every_step = sorted({t for each in chains for t in each.reading.all_steps})
    times = in_window(every_step, steps)
    for each in chains:
        each.show(times)
    every = [norm for each in chains for norms in each.norms.values() for norm in norms.values()]
    finite = [norm for norm in every if 0 < norm < np.inf]
    most = max(finite, default=1.0)
    span = Span(max(min(finite, default=most), most * 10.0**-DECADES), most)
    names = [width_of(f"∂L/∂{name}", BODY) for each in chains for name in each.norms]
    left = MARGIN + min(max(names) + 30, LONGEST)
    paper = Paper("How far back each state carries the gradient", _sentence(chains, times, every_step))
    for each in chains:
        _draw(paper, each, times, left, span)
    words = {tuple(each.reading.columns) for each in chains}
    same = len(words) == 1 and chains[0].reading.has_words and len(times) == len(chains[0].reading.columns)
    wide = (WIDTH - MARGIN - RIGHT - left) / len(times)
    columns = chains[0].reading.columns if same else [str(t) for t in times]
    below(paper, left, wide, columns, "" if same else "time step")
    ends = (f"‖∂L/∂state‖ {short(span.least)}", f"{short(most)}, and as wide as it is large")
    y = paper.bottom + 14
    x = left + paper.scale(left, y, ends, shades=SHADES[PALEST:], wide=90) + 28
    if not np.isfinite(every).all():
        key_to_marks(paper, x, y)
    return Figure(paper).fitted(fit)


def _labels(given: list[object]) -> list[tuple[str, object]]:
    """Return the losses with their labels: those that are given, or what the cells are."""
    found: list[tuple[str, object]] = []
    for each in given:
        if isinstance(each, Mapping):
            found += ((str(label), loss) for label, loss in each.items())
        else:
            found.append(("", each))
    return found


def chain(label: str, loss: object) -> Followed:
    """Return the norms of the gradients of a network's states, at all steps."""
    if not isinstance(loss, Tensor):
        of = f"the loss of {clean(label)!r}" if label else "a loss to compare"
        raise TypeError(f"{of} must be a tensor, or several in a mapping from labels, not {shortened(loss)}")
    reading = Recorded(Graph(loss).opened()[0], "all")
    label = label or _kinds(reading)
    if len(reading.all_steps) < 2 or not reading.states:
        raise ValueError(f"{clean(label)!r} hands no state from one time step to the next: there is nothing to follow")
    arrived, cause = at_states(reading)
    norms = {
        state.name: {t: magnitude(gradient) for t, gradient in arrived[state.name].items()} for state in reading.states
    }
    return Followed(label, reading, norms, {state.name: state.forwards for state in reading.states}, cause)


def at_states(reading: Recorded) -> tuple[dict[str, dict[int, Array]], str]:
    """Return the gradient of each state by step, and, if some of it is NaN or Inf, what it came from."""
    with np.errstate(all="ignore"):
        complete = gradients(reading.graph.output)
    found = {node: complete[node] for state in reading.states for node in state.at.values() if node in complete}
    by_step = {
        state.name: {t: found[state.at[t]] for t in reading.steps if state.at.get(t) in found}
        for state in reading.states
    }
    return by_step, fault.of_gradients(reading.graph, reading.timeline, found)


def causes(named: Iterable[tuple[str, str]]) -> str:
    """Say, at the end of a sentence, which networks have what is no number, and where that began."""
    parts = [f"{clean(label)}: {cause}" for label, cause in named if cause]
    return f" Not all are numbers. {'; '.join(parts)}." if parts else ""


def _kinds(reading: Recorded) -> str:
    """Return what the cells of a network are: LSTM."""
    timeline = reading.timeline
    levels = (level for node in timeline.of for level in timeline.levels(node))
    kinds = dict.fromkeys(frame.kind for frame, module in levels if module in timeline.cells and frame.kind)
    return clean(", ".join(str(kind).removesuffix("Cell") for kind in kinds) or "a network of plain equations", 60)


def _sentence(chains: list[Followed], times: list[int], every_step: list[int]) -> str:
    """Say what arrives at the first step, in the state of each network to which most does."""
    parts = []
    for each in chains:
        first = {name: norms[min(norms)] for name, norms in each.norms.items() if norms}
        first = {name: norm for name, norm in first.items() if np.isfinite(norm)}
        if first:
            name = max(first, key=lambda state: first[state])
            parts.append(f"{short(first[name])} at {name} of {clean(each.label)}")
    said = (
        f"What arrives at the first step, as a norm: {', '.join(parts)}."
        if parts
        else "Nothing arrives that has a norm."
    )
    return f"{said}{left_out(times, every_step)}{causes((each.label, each.cause) for each in chains)}"


def _draw(paper: Paper, each: Followed, times: list[int], x: float, span: Span) -> None:
    """Draw the cells of a network, and through them a ribbon for each state."""
    top = paper.bottom + 34
    wide = (WIDTH - MARGIN - RIGHT - x) / len(times)
    middle = {t: x + (k + 0.5) * wide for k, t in enumerate(times)}
    half, high = min(wide * 0.22, 16.0), ROW * len(each.norms)
    own = each.reading.all_steps
    absent = "" if each.reading.steps else f" (of which no step is shown: it has steps {own[0]} to {own[-1]})"
    paper.text(MARGIN, top - 10, each.label + absent, size=BODY + 1, bold=True, room=WIDTH - 2 * MARGIN)
    for t in each.reading.steps:
        fill, line = OPEN_CELL["fillcolor"], OPEN_CELL["color"] if half > 7 else ""
        paper.rect(middle[t] - half, top, 2 * half, high, fill, line=line, round=min(int(half), 7))
    for number, (name, norms) in enumerate(each.norms.items()):
        y = top + ROW * (number + 0.5) + 7
        paper.text(MARGIN, y + 1, f"∂L/∂{name}", ink=MUTED, room=x - MARGIN - 16)
        _ribbon(paper, norms, middle, (y, wide, half), span, each.forwards[name])
        _numbers(paper, norms, middle, (y - 16, wide), each.forwards[name])
    paper.bottom = top + high + 4


def _ribbon(
    paper: Paper,
    norms: dict[int, float],
    middle: dict[int, float],
    place: tuple[float, float, float],
    span: Span,
    forwards: bool,
) -> None:
    """Draw the gradient of a state behind each cell, and how it changes inside of the cells."""
    y, wide, half = place
    way = 1 if forwards else -1
    for t, norm in norms.items():
        here, thick = middle[t], span.thick(norm) / 2
        end = here + way * (wide - half if t + way in norms else wide / 2 if t + way not in middle else wide * 0.7)
        start = here + way * half
        before = norms.get(t - way)
        thin = span.thick(before) / 2 if before is not None else thick
        if t - way in middle and before is not None:
            entry = here - way * half
            paper.area(
                [(entry, y - thin), (start, y - thick), (start, y + thick), (entry, y + thin)],
                span.shade(norm),
                line=0,
            )
        corners = [(start, y - thick), (end, y - thick), (end, y + thick), (start, y + thick)]
        paper.area(corners, span.shade(norm), tip=f"step {t}: {said(norm)}", line=0)


def _numbers(
    paper: Paper, norms: dict[int, float], middle: dict[int, float], place: tuple[float, float], forwards: bool
) -> None:
    """Write the norms above the ribbon, between the cells, or as many of them as there is room for."""
    y, wide = place
    words = {t: said(norm) for t, norm in norms.items()}
    every = step_for(max((width_of(each, SMALL) for each in words.values()), default=0.0) + 6, wide)
    order = sorted(words, reverse=True)
    if not order:
        return
    first = order[-1:] if forwards else order[:1]  # where the gradient has come farthest
    chosen = [t for t in order[::every] if abs(t - first[0]) >= every] + first
    for t in chosen:
        half = width_of(words[t], SMALL) / 2
        x = middle[t] + (wide / 2 if forwards else -wide / 2)
        paper.text(min(x, WIDTH - MARGIN + 12 - half), y, words[t], size=SMALL, ink=INK, anchor="middle", halo=True)

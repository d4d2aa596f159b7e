"""A sweep: several networks side by side, by how far back their gradient reaches and how open their gates are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np

from ...engine.errors import short as shortened
from ...engine.graph import Graph
from ...engine.tensor import Tensor
from ...pages.plot import Axis, log_axis
from ...pages.theme import LEVELS, MUTED, ON_PAGES
from ...structure.window import Window
from ...structure.words import clean, magnitude, short, shown
from . import fault
from .axes import curve, grid
from .compare import at_states, causes
from .figure import Figure
from .maps import Frame, below, key_to_marks, mark, shade_of
from .openings import means
from .paper import MARGIN, SMALL, WIDTH, Paper, width_of
from .reading import Recorded

PER_ROW, HIGH, STRIP, LEFT, APART = 4, 170.0, 15.0, 40.0, 18.0
"""Panels in a row; and, in pixels, how high their curves are, a strip of a gate, and what is beside and between."""

BAND = 8.0
"""Pixels at the foot of a panel, where steps are marked whose gradient is NaN or Inf."""

LOOKS = (("series0", ""), ("series1", "5 3"), ("series3", "2 2"), ("stop", "8 3 2 3"))
"""Colour and dashes of each curve of a panel, in turn: one can do without the colour."""


@dataclass(eq=False)
class Panel:
    """What one network did: curves by name, each a number by step, and the mean opening of its gates by step."""

    label: str
    curves: dict[str, dict[int, float]]
    gates: dict[str, dict[int, float]] = field(default_factory=dict)
    cause: str = ""  # of what is no number in them


def sweep(losses: Mapping[str, Tensor], *, steps: Window = None, fit: str | None = None) -> Figure:
    """Return a figure of several networks as small multiples, such as one for each of several forget biases.

    Each panel has ‖∂L/∂state_t‖ of every state, relative to that of the last step, on a scale that all share; below it
    how open each gate is.

    Arguments:
        losses: the loss of each network, a number, by what its panel is called.
        steps: ``(a, b)`` shows the time steps of ``range(a, b)``, ``"all"`` every one; without it the last 100.
        fit: ``"slide"``, ``"readme"`` or ``"column"``: as large as it can be there, as for ``draw``.

    Raises:
        TypeError: for what is no mapping from words to tensors.
        ValueError: for no losses at all, one that is not a single number, and a network without states.

    Source: the forget bias, R. Jozefowicz, W. Zaremba & I. Sutskever, "An Empirical Exploration of Recurrent Network
    Architectures" (2015).

    >>> import tinygrad_lstm as tl
    >>> cells = {f"forget bias {b}": tl.LSTM(2, 3, rng=0, forget_bias=float(b)) for b in (0, 3)}
    >>> tl.sweep({name: lstm(tl.ones(5, 2))[0][-1].sum() for name, lstm in cells.items()})
    <figure: How far back the gradient reaches; save it as .svg, .png, .pdf or .html>
    """
    if not isinstance(losses, Mapping):
        raise TypeError(f'a sweep takes losses by name, as in {{"bias 0": loss}}, not {shortened(losses)}')
    for label, loss in losses.items():
        if not isinstance(loss, Tensor):
            raise TypeError(f"the loss of {clean(label)!r} must be a tensor, not {type(loss).__name__}")
    if not losses:
        raise ValueError("there is nothing to sweep over: give at least one loss")
    panels = [panel(str(label), loss, steps) for label, loss in losses.items()]
    figure = multiples(
        panels, "How far back the gradient reaches", _sentence(panels), "‖∂L/∂state‖, relative to its end"
    )
    return figure.fitted(fit)


def panel(label: str, loss: Tensor, steps: Window = None) -> Panel:
    """Return what one network did: the norms of the gradients of its states, relative to the last, and its gates."""
    reading = Recorded(Graph(loss).opened()[0], steps)
    if len(reading.all_steps) < 2 or not reading.states:
        raise ValueError(f"{clean(label)!r} hands no state from one time step to the next: there is nothing to follow")
    arrived, cause = at_states(reading)
    curves = {}
    for state in reading.states:
        norms = {t: magnitude(gradient) for t, gradient in arrived[state.name].items()}
        last = next((norms[t] for t in sorted(norms, reverse=state.forwards) if 0 < norms[t] < np.inf), 1.0)
        curves[state.name] = {t: norm / last for t, norm in norms.items()}
    gates = {}
    for cell in reading.cells:
        for gate in cell.gates:
            symbol = f"{cell.name}.{gate.symbol}" if len(reading.cells) > 1 else gate.symbol
            gates[symbol] = {
                t: mean
                for t, mean in zip(reading.steps, means(gate, reading.steps).tolist(), strict=True)
                if t in gate.at
            }
    return Panel(label, curves, gates, cause or fault.of_values(reading.timeline, _gates(reading)))


def _gates(reading: Recorded) -> list[Tensor]:
    """Return the gates of the steps that are shown."""
    gates = (gate for cell in reading.cells for gate in cell.gates)
    return [gate.at[t] for gate in gates for t in reading.steps if t in gate.at]


def _sentence(panels: list[Panel]) -> str:
    parts = []
    for each in panels:
        first = {name: norms[min(norms)] for name, norms in each.curves.items() if norms}
        first = {name: norm for name, norm in first.items() if np.isfinite(norm)}
        if first:
            name = max(first, key=lambda state: first[state])
            parts.append(f"{short(first[name])} of {name} with {clean(each.label)}")
    said = (
        f"Of the gradient at the last step, so much is left at the first: {', '.join(parts)}."
        if parts
        else ("At the first step no gradient is left that is a number.")
    )
    return said + causes((each.label, each.cause) for each in panels)


def multiples(panels: list[Panel], title: str, sentence: str, upwards: str) -> Figure:
    """Return a figure with a panel for each, all on one scale, which is logarithmic.

    >>> multiples([Panel("b = 1", {"h": {0: 0.1, 1: 1.0}})], "One", "It falls.", "share")
    <figure: One; save it as .svg, .png, .pdf or .html>
    """
    paper = Paper(title, sentence)
    columns = min(PER_ROW, len(panels))
    wide = (WIDTH - 2 * MARGIN - LEFT - APART * (columns - 1)) / columns
    every = [number for each in panels for norms in each.curves.values() for number in norms.values()]
    positive = [number for number in every if 0 < number < np.inf]
    paper.text(MARGIN, paper.bottom + 10, upwards, size=SMALL, ink=MUTED)
    y = paper.bottom + 2
    for number, each in enumerate(panels):
        column = number % columns
        if number and not column:
            y = paper.bottom + 22
        up = log_axis(positive, y + 28 + HIGH, y + 28)
        _panel(paper, (MARGIN + LEFT + column * (wide + APART), y + 28, wide, HIGH), each, up, names=not column)
    x, y = MARGIN + LEFT, paper.bottom + 14
    if any(each.gates for each in panels):
        x, y = x + paper.scale(x, y, ("gates: 0, closed", "1, open")) + 28, y
    if any(each.cause for each in panels):
        key_to_marks(paper, x, y)
    return Figure(paper)


def _panel(paper: Paper, frame: Frame, each: Panel, up: Axis, *, names: bool) -> None:
    x, y, wide, high = frame
    steps = sorted({t for norms in each.curves.values() for t in norms})
    across = wide / max(len(steps), 1)
    paper.text(x, y - 10, each.label, bold=True, room=wide)
    grid(paper, frame, up if names else up._replace(ticks=tuple((place, "") for place, _ in up.ticks)))
    place = {t: x + (k + 0.5) * across for k, t in enumerate(steps)}
    looks = dict(zip(each.curves, LOOKS * len(each.curves), strict=False))
    lines = {
        name: [(place[t], up(norm)) for t, norm in sorted(norms.items()) if 0 < norm < np.inf]
        for name, norms in each.curves.items()
    }
    for name, norms in each.curves.items():
        for is_drawn, run in groupby(sorted(norms), lambda t, norms=norms: 0 < norms[t] < np.inf):  # type: ignore[misc]
            points = [(place[t], up(norms[t])) for t in run] if is_drawn else []
            curve(paper, points, ON_PAGES[looks[name][0]], dashes=looks[name][1], markers=False)
    wrong = np.array([[any(not np.isfinite(norms.get(t, 0.0)) for norms in each.curves.values()) for t in steps]])
    mark(paper, (x, y + high - BAND, wide, BAND), wrong, lambda _, k: f"step {steps[k]}: NaN or Inf")
    rooms = _Rooms(frame, [points for points in lines.values() if points])
    for name, points in lines.items():
        if points and (where := rooms.near(name, points)):
            paper.text(*where, name, size=SMALL, ink=ON_PAGES[looks[name][0]], anchor="middle", halo=True)
    paper.bottom = y + high + 6
    for symbol, openings in each.gates.items():
        _strip(paper, (x, paper.bottom, wide, STRIP), symbol if names else "", openings, steps)
        paper.bottom += 3
    below(paper, x, across, [str(t) for t in steps], "time step")


class _Rooms:
    """Finds room in a panel for the name of a curve, beside it: on no other name and, if that can be, on no curve."""

    def __init__(self, frame: Frame, lines: list[list[tuple[float, float]]]) -> None:
        self._frame, self._lines = frame, lines
        self._taken: list[tuple[float, float, float]] = []

    def near(self, name: str, points: list[tuple[float, float]]) -> tuple[float, float] | None:
        """Return where the name stands, by the middle of its baseline; None where there is no room."""
        x, y, wide, high = self._frame
        half = width_of(name, SMALL) / 2
        places = []
        for part in (0.5, 0.35, 0.65, 0.2, 0.8) if 2 * half <= wide else ():
            along, at = points[int(part * (len(points) - 1))]
            across = min(max(along, x + half), x + wide - half)
            places += [(across, at + off) for off in (-8, 17, -22, 31) if y + 10 <= at + off <= y + high - 4]
        free = [place for place in places if all(self._apart(place, half, other) for other in self._taken)]
        chosen = next((place for place in free if not self._crossed(place, half)), free[0] if free else None)
        if chosen:
            self._taken.append((*chosen, half))
        return chosen

    def _apart(self, place: tuple[float, float], half: float, other: tuple[float, float, float]) -> bool:
        return abs(place[1] - other[1]) > 13 or abs(place[0] - other[0]) > half + other[2]

    def _crossed(self, place: tuple[float, float], half: float) -> bool:
        """Tell whether a curve goes through a name that stands there."""
        across = place[0] + half * np.linspace(-1, 1, 9)
        ups = (np.interp(across, [x for x, _ in points], [y for _, y in points]) for points in self._lines)
        return any(bool(((up > place[1] - 12) & (up < place[1] + 5)).any()) for up in ups)


def _strip(paper: Paper, frame: Frame, symbol: str, openings: dict[int, float], steps: list[int]) -> None:
    """Draw how open one gate is, step by step."""
    x, y, wide, high = frame
    across = wide / max(len(steps), 1)
    paper.text(x - 8, y + 12, symbol, size=SMALL + 1, bold=True, anchor="end", room=LEFT)
    for k, t in enumerate(steps):
        value = openings.get(t, np.nan)
        if np.isfinite(value):
            fill = LEVELS[shade_of(value, 1.0)[0]]
            paper.rect(x + k * across, y, across + 0.2, high, fill, tip=f"{symbol} step {t}: {shown(value, 3)}")
    wrong = np.array([[not np.isfinite(openings.get(t, 0.0)) for t in steps]])
    mark(paper, frame, wrong, lambda _, k: f"{symbol} step {steps[k]}: NaN or Inf")

"""How far back the gradient reaches: before and after training; what W decides; and what clipping mends."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..drawing.figures.sweep import Panel, multiples
from ..engine.primitive import Array
from ..pages.plot import Series, log_plot
from ..pages.theme import ON_PAGES
from ..structure.words import short
from . import inside
from .moment import KEPT
from .reach import BATCH, CELLS, own, rows, run
from .study import Result, Section, Study, Table

_LOOK = (
    ("series1", "", "square"),
    ("series0", "2 2", "circle"),
    ("series0", "6 3", "circle"),
    ("series0", "", "circle"),
    ("series3", "", "circle"),
    ("series2", "9 3 2 3", ""),
    ("good", "", "square"),
)


def report(results: list[Result]) -> list[Section]:
    """Return the sections: before and after training, direction by direction, from the inside, W, clipping."""
    gap = [each for each in results if each.row["part"] == "gap"]
    sections = [*_over_the_gap(gap), *_forget_biases(gap), _directions(gap)] if gap else []
    sections += inside.sections([each for each in results if each.row["part"] == "inside"])
    for part, section in (("radius", _radius), ("clipping", _clipping)):
        if there := [each for each in results if each.row["part"] == part]:
            sections.append(section(there))
    return sections


def _median(norms: list[list[float]]) -> Array:
    """Return ‖∂L/∂h_t‖ / ‖∂L/∂h_T‖ by t: the median of the seeds."""
    array = np.array(norms)
    medians: Array = np.median(array / array[:, -1:], axis=0)
    return medians


def _lines(named: list[tuple[str, list[tuple[float, float]]]]) -> list[Series]:
    lines = []
    for k, (name, points) in enumerate(named):
        colour, dashes, marker = _LOOK[min(k, len(_LOOK) - 1)]
        lines.append(Series(points, name, ON_PAGES[colour], dashes, marker))  # type: ignore[arg-type]
    return lines


def _over_the_gap(results: list[Result]) -> list[Section]:
    sections, left = [], {}
    for when, words in (("before", "Before training"), ("after", "After training")):
        named = []
        for each in results:
            share = _median(each.values[when]["h"])
            left[each.row["cell"], when] = share[1]
            named.append((each.row["cell"], [(float(t - len(share) + 1), float(s)) for t, s in enumerate(share)]))
        figure = log_plot(
            _lines(named),
            title=f"{words}: how much of the gradient is left",
            across="time step, counted back from the loss",
            upwards="‖∂L/∂hₜ‖ / ‖∂L/∂h‖ at the end",
            label=f"{words}, the share of the gradient's norm that reaches each earlier step, for each cell",
            log_across=False,
            size=(680, 400),
            standalone=False,
        )
        sections.append((words, figure))
    table = Table(
        ["cell", "left at t = 1, before", "after", "solved"],
        [
            [
                each.row["cell"],
                short(left[each.row["cell"], "before"]),
                short(left[each.row["cell"], "after"]),
                f"{sum(s is not None for s in each.values['solved'])} of {len(each.values['solved'])}",
            ]
            for each in results
        ],
        "lrrr",
    )
    first = results[0].row
    before = (
        f"Temporal order with a gap of {first['gap']}: the loss is at the last step, and each line is the share of the "
        "gradient that reaches h at an earlier one, the median of "
        f"{first['seeds']} networks over {BATCH} sequences. A straight line down is a constant factor for each step. "
        "Nothing is learned yet: what one sees is the cell, and its forget bias b, with f = σ(b) at first: 0.5, 0.73, "
        "0.95, 0.99."
    )
    after = (
        f"The same after at most {first['updates']} updates. What was to be remembered was seen at steps 3 to 6 and 15 "
        "to 18. Where a task is solved, the gradient has become small for another reason as well: the loss is near 0, "
        "so each line is relative to its own end."
    )
    return [
        Section(sections[0][0], before, sections[0][1]),
        Section(sections[1][0], after, sections[1][1], table),
    ]


def _forget_biases(results: list[Result]) -> list[Section]:
    """Return the sweep: a panel for each forget bias, with the gradient of the memory before and after training."""
    panels, left = [], []
    for each in results:
        if not each.row["cell"].startswith(_SWEPT):
            continue
        memory = {when: _median(each.values[when]["c"]) for when in ("before", "after")}
        curves = {when: {t: float(s) for t, s in enumerate(share)} for when, share in memory.items()}
        label = each.row["cell"].removeprefix("LSTM, ")
        panels.append(Panel(label, curves))
        left.append(f"{short(memory['before'][0])} with {label}")
    if len(panels) < 2:
        return []
    sentence = f"Of the gradient of the last memory c, so much is left at step 0 before training: {', '.join(left)}."
    figure = multiples(panels, "Forget bias by forget bias", sentence, "‖∂L/∂c‖, relative to its end")
    prose = (
        "The same LSTM, but for what b_f begins with: the higher it is, the further f is open, and the more of the "
        "gradient passes from c to the c before. Training has raised the lines of the low biases. In Python, tl.sweep "
        "draws the same of any networks of yours, with their gates."
    )
    return [Section("The forget bias, side by side", prose, figure.piece)]


_SWEPT = "LSTM, forget bias"
"""What the rows are called that differ in the forget bias alone."""


def _directions(results: list[Result]) -> Section:
    some = ("RNN", "LSTM, forget bias 1", "LSTM, forget bias 5", "GRU")
    chosen = [each for each in results if each.row["cell"] in some or each.row["cell"] not in CELLS] or results
    lines = []
    for k, each in enumerate(chosen[:5]):
        colour = ON_PAGES[("series1", "series0", "series3", "series2", "good")[k]]
        for what, dashes in (("largest", ""), ("median", "3 3")):
            points = [(d + 1.0, value) for d, value in enumerate(each.values["before"][what])]
            marker: Any = "circle" if what == "largest" else ""
            lines.append(Series(points, f"{each.row['cell']}: {what}", colour, dashes, marker))
    figure = log_plot(
        lines,
        title="The Jacobian over the gap, direction by direction, before training",
        across="steps between",
        upwards="singular values of ∂s/∂s",
        label="The largest and the median singular value of the product of Jacobians by the number of steps it spans",
        log_across=False,
        size=(680, 420),
        standalone=False,
    )
    prose = (
        "The product of all Jacobians between two steps says what becomes of a small change of the state: its singular "
        "values are the factors, one for each direction. The largest decides whether anything gets through; the median "
        "tells how many ways there are: half of all directions are below it. Of an LSTM the state is [h, c]; h is "
        "rewritten in each step and has no way of its own, so that the better half of the directions is its memory c."
    )
    return Section("Direction by direction", prose, figure)


def _radius(results: list[Result]) -> Section:
    (each,) = results[:1]
    radii = each.values["radii"]
    named = [
        ("linear", list(zip(radii, each.values["linear"], strict=True))),
        ("tanh", list(zip(radii, each.values["tanh"], strict=True))),
    ]
    figure = log_plot(
        _lines(named),
        title=f"What is left of a gradient after {each.row['gap']} steps of an RNN",
        across="spectral radius of the recurrent weights",
        upwards="share that is left",
        label="The share of a gradient that is left, by the spectral radius, for a linear RNN and one with tanh",
        log_across=False,
        size=(600, 340),
        standalone=False,
    )
    prose = (
        "Random recurrent weights of 32 units, scaled so that the largest of their eigenvalues is as it says below. A "
        "linear network multiplies the gradient by this radius each step: below 1 it vanishes, above 1 it explodes. "
        "tanh multiplies by 1 − h² as well, which is below 1 wherever a unit is awake, so that it vanishes also where "
        "the radius is somewhat above 1, and explodes more slowly.\n\nThat a radius above 1 is necessary for "
        "exploding, and a largest singular value below 1 enough for vanishing, is in Pascanu, Mikolov & Bengio "
        "(2013), section 2.1; they ask of each step, so that what is between may do either."
    )
    return Section("Vanish or explode: the spectral radius", prose, figure)


def _clipping(results: list[Result]) -> Section:
    named = []
    rows = []
    for each in results:
        clip = each.row["clip"]
        name = "not clipped" if clip is None else f"clipped at {clip:g}"
        named.append((name, [(k + 1.0, norm) for k, norm in enumerate(each.values["norm"])]))
        norms, losses = each.values["norm"], each.values["loss"]
        rows.append(
            [name, short(max(norms)), short(max(losses)), short(float(np.mean(losses[-50:]))), each.values["radius"]]
        )
    figure = log_plot(
        [line if k else Series(line.points, line.name, line.colour) for k, line in enumerate(_lines(named))],
        title="The norm of the gradient, update by update",
        across="update",
        upwards="‖g‖ before clipping",
        label="The norm of the gradient by update, of a training with and of one without clipping",
        log_across=False,
        size=(680, 340),
        standalone=False,
    )
    prose = (
        "An RNN that begins with a spectral radius of 1.8 learns temporal order by plain gradient descent, a step of "
        "0.3 times the gradient. Where the gradient explodes, one step throws the weights far away, and what was "
        "learned is gone. Clipped, it keeps its direction and loses its length (Pascanu et al. 2013, algorithm 1). "
        "The loss of who knows nothing is log 4 = 1.39."
    )
    table = Table(["", "largest ‖g‖", "largest loss", "mean loss of the last 50", "radius at the end"], rows, "lrrrr")
    return Section("Clipping", prose, figure, table)


STUDY = Study(
    name="gradients",
    title="How far back the gradient reaches",
    question="How much of the gradient of a loss at the end reaches a state many steps before, in an RNN, a GRU, and "
    "an LSTM by its forget bias, before and after training? What have the recurrent weights to do with it?",
    rows=rows,
    run=run,
    report=report,
    walk=KEPT,
    own=own,
)

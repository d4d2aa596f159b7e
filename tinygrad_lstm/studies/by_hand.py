"""Weights set by hand: what an RNN is capable of, what learning does with it, and what it finds from scratch."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..nn import LSTMCell, RNNCell
from ..pages.plot import Series, share_plot
from ..pages.theme import ON_PAGES
from .hand_set import by_hand_head, by_hand_lstm, by_hand_rnn
from .jacobian import jacobians, singular_values
from .moment import LATCHED
from .study import Result, Row, Section, Study, Table
from .tasks import SYMBOLS, Sequences, temporal_order
from .trial import Reader, train_side_by_side
from .watched import of_one_length, right

NOISE = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8)
"""Standard deviations of what is added to the weights, as a share of the gain: the thresholds have a margin of 0.5."""

EXACT, GAIN = 40.0, 6.0
"""The gain with which the networks are sure to the last bit, and that from which they learn: it leaves a gradient."""

SEEDS, GAP, UPDATES, TESTED = 10, 30, 400, 64
"""Networks of each kind, the gap they learn at, updates of 16 sequences, and sequences by which they are judged."""


def rows() -> list[Row]:
    """Return the rows: for both cells by hand, with growing noise, and from scratch with as many units and with 16.

    >>> len(rows())
    18
    """
    found: list[Row] = []
    for cell in ("RNN", "LSTM"):
        found.append({"cell": cell, "start": "exact", "noise": 0.0, "hidden": 4})
        found += [{"cell": cell, "start": "by hand", "noise": noise, "hidden": 4} for noise in NOISE]
        found += [{"cell": cell, "start": "from scratch", "noise": 0.0, "hidden": hidden} for hidden in (4, 16)]
    return found


def run(cell: str, start: str, noise: float, hidden: int) -> dict[str, Any]:
    """Return the share of right answers of each network before and after training, at the gap it learns at.

    ``solved`` holds the number of sequences until each solved the task, None if it did not within the budget. Of those
    that are exact and do not learn: right answers over gaps up to 10,000, and what is left of the gradient over 30.
    """
    if start == "exact":
        return _exact(cell)
    task = temporal_order(GAP)
    models = []
    for seed in range(SEEDS):
        rng = np.random.default_rng([seed, 3])
        model = _by_hand(cell, GAIN) if start == "by hand" else _from_scratch(cell, hidden, seed)
        for parameter in model.parameters():
            parameter.value = parameter.value + noise * GAIN * rng.normal(size=parameter.shape)
        models.append(model)
    drawn = of_one_length(task, TESTED, seed=0)
    before = [right(model, drawn) for model in models]
    budget = 16 * UPDATES
    trained = train_side_by_side(task, models, seeds=range(SEEDS), rates=[0.01] * SEEDS, budget=budget)
    return {"before": before, "after": [right(model, drawn) for model in trained.models], "solved": trained.sequences}


def _by_hand(cell: str, gain: float) -> Reader:
    """Return the network of latches as a reader of temporal order."""
    E, X, Y = (SYMBOLS.index(symbol) for symbol in "EXY")
    shown = np.tanh(gain / 2)
    made: RNNCell | LSTMCell
    if cell == "RNN":
        made, head = by_hand_rnn(8, E, X, Y, gain=gain), by_hand_head(on=shown, off=-shown, gain=gain)
    else:
        made, head = by_hand_lstm(8, X, Y, gain=gain), by_hand_head(on=np.tanh(1.0), off=0.0, gain=gain)
    reader = Reader(made, 4, rng=0)
    reader.head.load_state_dict(head.state_dict())
    return reader


def _from_scratch(cell: str, hidden: int, seed: int) -> Reader:
    made = RNNCell(8, hidden, rng=seed) if cell == "RNN" else LSTMCell(8, hidden, rng=seed)
    return Reader(made, 4, rng=seed)


def _exact(cell: str) -> dict[str, Any]:
    model = _by_hand(cell, EXACT)
    answers = {}
    for gap in (10, 100, 1000, 10_000):
        drawn = temporal_order(gap).draw(np.random.default_rng(gap), 4)
        ends = drawn.asked.argmax(axis=0)
        alone = [Sequences(*(part[: end + 1, n : n + 1] for part in drawn)) for n, end in enumerate(ends)]
        answers[str(gap)] = float(np.mean([right(model, each) for each in alone]))
    quiet = of_one_length(temporal_order(100), 1, seed=0).inputs[70:100, 0]
    return {"right": answers, "left": float(f"{singular_values(jacobians(model.cell, quiet))[-1, 0]:.3g}")}


def report(results: list[Result]) -> list[Section]:
    """Return the sections: what is possible, and what learning makes of it."""
    exact = [each for each in results if each.row["start"] == "exact"]
    learned = [each for each in results if each.row["start"] != "exact"]
    return [*([_possible(exact)] if exact else []), *([_learned(learned)] if learned else [])]


def _possible(results: list[Result]) -> Section:
    gaps = list(results[0].values["right"])
    rows = [
        [each.row["cell"], *(f"{each.values['right'][gap]:.0%}" for gap in gaps), f"{each.values['left']:.3g}"]
        for each in results
    ]
    table = Table(["right answers at gap", *gaps, "gradient left after 30 steps"], rows, "lrrrrr")
    prose = (
        "Four latches are enough for temporal order: the first was X; the first was Y; the second was X; the second "
        "was Y. In the RNN each is one unit with a weight to itself that holds it, and E, with which a sequence "
        "begins, turns all off. In the LSTM each is a memory with f = 1, whose input gate opens once. Nobody learned: "
        "a person wrote down the numbers, and they answer rightly over any gap. An RNN is capable of it.\n\nBut look "
        "at the gradient, the largest singular value of ∂s_T/∂s_t over 30 steps among distractors. The RNN is sure to "
        "the last bit, its units are ±1, and tanh is flat there: the gradient is exactly 0. What holds information "
        "safely has no gradient (Bengio, Simard & Frasconi 1994). The memory of the LSTM is held by a factor f = 1, "
        "and so is its gradient: √2, since a change of c is seen in h as well."
    )
    return Section("What is possible", prose, table=table)


def _learned(results: list[Result]) -> Section:
    lines, rows, noises = [], [], [noise for noise in NOISE if noise]
    for cell, colour in (("RNN", "series1"), ("LSTM", "series0")):
        there = [each for each in results if each.row["cell"] == cell and each.row["noise"] in noises]
        for when, dashes in (("before", "4 3"), ("after", "")):
            points = [(each.row["noise"], float(np.mean(each.values[when]))) for each in there]
            marker: Any = "square" if cell == "RNN" else "circle"
            lines.append(Series(points, f"{cell}, {when} training", ON_PAGES[colour], dashes, marker))
    for each in results:
        row, values = each.row, each.values
        start = (
            f"by hand, noise {row['noise']:g}" if row["start"] == "by hand" else f"from scratch, H = {row['hidden']}"
        )
        solved = sum(s is not None for s in values["solved"])
        means = [f"{np.mean(values[when]):.0%}" for when in ("before", "after")]
        rows.append([row["cell"], start, *means, f"{solved} of {len(values['solved'])}"])
    figure = share_plot(
        lines,
        title=f"Right answers at a gap of {GAP}, before and after training",
        across="noise on the weights, as a share of the gain",
        upwards="right answers",
        label="The share of right answers by the noise on weights that were set by hand, before and after training",
        places=noises,
        size=(640, 380),
        standalone=False,
    )
    prose = (
        f"The same networks with a gain of {GAIN:g} instead of {EXACT:g}, so that tanh and σ are not quite flat, and "
        f"noise on all weights; {SEEDS} networks for each, then {UPDATES} updates by Adam (0.01) with 16 sequences of "
        f"gap {GAP}. The dashed line is what the noise alone has left, the full line what learning makes of it; a "
        "quarter is chance. Where the full line is above the dashed one, learning mends; where both are at chance, it "
        "has lost its way, though a solution is near. The last rows of each cell begin from random weights."
    )
    table = Table(["cell", "begins", "right before", "after", "solved"], rows, "llrrr")
    return Section("Where learning loses it", prose, figure, table)


STUDY = Study(
    name="by-hand",
    title="Capable, and unable to learn",
    question="Can an RNN keep what it saw over any gap if a person picks its weights? Does learning keep that, find "
    "back to it from nearby, or find it at all?",
    rows=rows,
    run=run,
    report=report,
    walk=LATCHED,
)

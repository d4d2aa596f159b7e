"""Training watched: how large each update is, from how far back in time it comes, and what a gate learns."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..nn import Adam, LSTMCell, RNNCell
from ..nn.module import Module
from ..pages.heat import Grid, heat_map
from ..pages.plot import Series, log_plot
from ..pages.theme import ON_PAGES
from ..structure.words import magnitude, short
from ..training.fit import Moment, fit
from ..training.watch import updates_of
from .moment import EARLIEST
from .study import Result, Row, Section, Study, Table, rounded
from .tasks import SYMBOLS, temporal_order
from .trial import Reader
from .watched import loss_at_the_end, named, of_one_length

HIDDEN, BATCH, LOOKS = 16, 16, 20
"""H, sequences of an update, and how often it is looked closely."""


def rows() -> list[Row]:
    """Return the rows: an RNN and an LSTM at a gap of 20.

    >>> [row["cell"] for row in rows()]
    ['RNN', 'LSTM']
    """
    return [{"cell": cell, "gap": 20, "updates": 400, "rate": rate} for cell, rate in (("RNN", 0.003), ("LSTM", 0.01))]


class CloseLooks:
    """A callback that keeps what is seen of a training: numbers, no graphs.

    ``changes`` ‖ΔW‖ of all weights of the cell, by update; ``steps`` at which it looked closely, and of each
    ``distances``: of the weights' gradient, the norms of what each distance in time added to it, by distance from the
    loss, as shares of their sum; ``gates`` the forget gate over a sequence that is always the same, (T, H).

    Arguments:
        every: how many updates lie between close looks.
        probe: that sequence.
    """

    def __init__(self, every: int, probe: Any) -> None:
        self.every, self.probe = every, probe
        self.losses: list[float] = []
        self.changes: list[float] = []
        self.steps: list[int] = []
        self.distances: list[list[float]] = []
        self.gates: list[Any] = []

    def __call__(self, moment: Moment) -> None:
        model, of_cell = moment.model, _weights(moment.model.cell)
        before = {id(p): value for p, value in zip(moment.optimizer.parameters, moment.before, strict=True)}
        self.changes.append(magnitude([magnitude(p.value - before[id(p)]) for p in of_cell]))
        self.losses.append(moment.loss)
        if (moment.step - 1) % self.every == 0:
            self.steps.append(moment.step)
            self.distances.append(_by_distance(moment))
            if hasattr(model.cell, "forget_gate"):
                self.gates.append(named(loss_at_the_end(model, self.probe), "f")[:, 0])


def _weights(cell: Module) -> list[Any]:
    return [parameter for path, parameter in cell.named_parameters() if path.endswith("weight")]


def _by_distance(moment: Moment) -> list[float]:
    """Return which share of the norms each distance from the loss added to the gradients of the cell's weights."""
    paths = {f"cell.{path}" for path, _ in moment.model.cell.named_parameters() if path.endswith("weight")}
    squares: dict[int, float] = {}
    for update in updates_of(moment, paths):
        for distance, norm in zip(update.distances.tolist(), update.norms, strict=True):
            squares[distance] = squares.get(distance, 0.0) + norm**2
    norms = np.sqrt([squares[distance] for distance in sorted(squares) if distance >= 0])
    return rounded(norms / (norms.sum() or 1.0))


def run(cell: str, gap: int, updates: int, rate: float) -> dict[str, Any]:
    """Train by Adam on temporal order and return what ``CloseLooks`` saw; of the gates, the unit's that changed most.

    >>> sorted(run("LSTM", 10, 2, 0.01))
    ['changes', 'gates', 'losses', 'shares', 'steps', 'symbols', 'unit']
    """
    task = temporal_order(gap)
    made = RNNCell(8, HIDDEN, rng=0) if cell == "RNN" else LSTMCell(8, HIDDEN, rng=0)
    model = Reader(made, task.outputs, rng=0)
    probe = of_one_length(task, 1, seed=10_000)
    watch = CloseLooks(max(updates // LOOKS, 1), probe)
    fit(
        model,
        (of_one_length(task, BATCH, seed=seed) for seed in range(updates)),
        loss=loss_at_the_end,
        optimizer=Adam(model.parameters(), lr=rate),
        clip=1.0,
        callbacks=[watch],
    )
    gates = np.array(watch.gates)  # (looks, T, H)
    unit = int(np.ptp(gates, axis=0).sum(axis=0).argmax()) if gates.size else None
    return {
        "losses": rounded(watch.losses),
        "changes": rounded(watch.changes),
        "steps": watch.steps,
        "shares": watch.distances,
        "unit": unit,
        "gates": [rounded(each) for each in gates[..., unit]] if unit is not None else [],
        "symbols": "".join(SYMBOLS[int(x[0].argmax())] for x in probe.inputs),
    }


def report(results: list[Result]) -> list[Section]:
    """Return the sections: updates, from how far back, and a gate."""
    if not results:
        return []
    return [_changes(results), _distances(results), *(_gate(each) for each in results if each.values["gates"])]


def _changes(results: list[Result]) -> Section:
    lines = []
    for each, colour in zip(results, ("series1", "series0"), strict=False):
        for what, name, dashes in (("changes", "‖ΔW‖", ""), ("losses", "loss", "3 3")):
            points = [(k + 1.0, value) for k, value in enumerate(each.values[what])]
            lines.append(Series(points, f"{each.row['cell']}: {name}", ON_PAGES[colour], dashes))
    figure = log_plot(
        lines,
        title="How large each update is, and the loss",
        across="update",
        upwards="‖ΔW‖, and loss in nats",
        label="The norm of the change of the weights, and the loss, by update, for each network",
        log_across=False,
        size=(680, 380),
        standalone=False,
    )
    gap = results[0].row["gap"]
    prose = (
        f"An RNN and an LSTM learn temporal order with a gap of {gap} by Adam, 16 sequences an update, clipped at norm "
        "1. ‖ΔW‖ is the norm of what one update changes in the weights of the cell. Adam divides each gradient by its "
        "usual size, so that its updates do not become small because the gradient is small, but where its sign "
        "changes from one batch to the next, and where there is nothing more to learn. The loss "
        "of who knows nothing is 1.39."
    )
    return Section("Update by update", prose, figure)


def _distances(results: list[Result]) -> Section:
    lines, rows = [], []
    looks = (("first", 0, "3 3"), ("last", -1, ""))
    for each, colour in zip(results, ("series1", "series0"), strict=False):
        for when, k, dashes in looks:
            portions = each.values["shares"][k]
            update = each.values["steps"][k]
            name = f"{each.row['cell']}, update {update}"
            marker: Any = "square" if each.row["cell"] == "RNN" else "circle"
            points = [(-float(d), share) for d, share in enumerate(portions)]
            lines.append(Series(points, name, ON_PAGES[colour], dashes, marker if when == "last" else ""))
            rows.append(
                [name, *(short(sum(part)) for part in (portions[:5], portions[5:10], portions[10:15], portions[15:]))]
            )
    figure = log_plot(
        lines,
        title="From how far back an update comes",
        across="time step, counted back from the loss",
        upwards="share of ∂L/∂W",
        label="The share of the gradient of the weights that each time step adds, for each network",
        log_across=False,
        size=(680, 360),
        standalone=False,
    )
    prose = (
        "The gradient of a weight is a sum with a part for each time step. Each line shows the norms of the parts as "
        "shares of their sum, at the first update and at the last one looked at. This is what is meant by updates that "
        "become smaller and smaller: not from one update to the next, but from one step back in time to the one "
        "before. So it is before learning, in the RNN far more than in the LSTM. Where learning succeeds, or begins "
        "to, as the loss above tells, the line becomes flat: steps long ago have as much to say as late ones, "
        "in the RNN as well."
    )
    table = Table(["share of", "the last 5 steps", "5 before", "5 before", "all earlier"], rows, "lrrrr")
    return Section("From how far back", prose, figure, table)


def _gate(result: Result) -> Section:
    values = result.values
    figure = heat_map(
        [
            Grid(
                f"f of unit {values['unit']}", values["gates"], list(map(str, values["steps"])), list(values["symbols"])
            )
        ],
        title="A forget gate over training",
        across="what is read, step by step",
        upwards="update",
        label="The forget gate of one unit over a sequence, at several moments of training",
        size=(680, 400),
        most=1.0,
        standalone=False,
    )
    prose = (
        "The unit whose forget gate changed most, over one sequence that is always the same: a row for each moment of "
        "training, from the first at the top to the last, a column for each symbol that is read. The scale goes from "
        "0, forget, to 1, keep. At first the gate hardly looks at what is read; see at which symbols it comes "
        "to let go."
    )
    return Section("A gate learns", prose, figure)


STUDY = Study(
    name="updates",
    title="Training, watched",
    question="How large are the updates of a training, from how far back in time do they come, and what does a gate "
    "learn?",
    rows=rows,
    run=run,
    report=report,
    walk=EARLIEST,
)

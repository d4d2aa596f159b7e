"""How much of the state changes at each step: what an LSTM forgets and writes, beside an RNN."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..engine.primitive import Array
from ..nn import LSTMCell, RNNCell
from ..nn.cell import Cell
from ..pages.heat import Grid, heat_map
from ..pages.plot import Series, log_plot
from ..pages.theme import ON_PAGES
from .moment import WRITTEN
from .study import Result, Row, Section, Study, Table, rounded
from .tasks import MemoryTask, one_sentence, temporal_order
from .trial import Reader, train_side_by_side
from .watched import loss_at_the_end, named, of_one_length, right

HIDDEN, SEEDS, SEQUENCES = 16, 5, 32
"""H, networks of each kind, and sequences over which the changes are measured."""


SENTENCE = "the clouds are in the sky"
"""What is memorised, by words and by letters; Olah's example."""

TASKS: dict[str, Callable[[int], MemoryTask]] = {
    "words": lambda gap: one_sentence(SENTENCE.split()),
    "letters": lambda gap: one_sentence(SENTENCE),
    "temporal-order": temporal_order,
}
"""What is learned, at a gap where there is one."""


def rows() -> list[Row]:
    """Return the rows: gaps of 10 and 20 that both bridge, and 50, which an LSTM bridges by its forget bias only.

    Before them one sentence that is memorised, where nothing has to be bridged.

    >>> [row["gap"] for row in rows()]
    [0, 0, 0, 0, 10, 10, 20, 20, 50, 50, 50]
    """
    settings = [
        ("words", "RNN", None, 0, 200),
        ("words", "LSTM", 1.0, 0, 200),
        ("letters", "RNN", None, 0, 200),
        ("letters", "LSTM", 1.0, 0, 200),
        ("temporal-order", "RNN", None, 10, 600),
        ("temporal-order", "LSTM", 1.0, 10, 600),
        ("temporal-order", "RNN", None, 20, 1500),
        ("temporal-order", "LSTM", 1.0, 20, 600),
        ("temporal-order", "RNN", None, 50, 1200),
        ("temporal-order", "LSTM", 0.0, 50, 1200),
        ("temporal-order", "LSTM", 3.0, 50, 1200),
    ]
    return [
        {"task": task, "cell": cell, "forget_bias": bias, "gap": gap, "updates": updates}
        for task, cell, bias, gap, updates in settings
    ]


def run(task: str, cell: str, forget_bias: float | None, gap: int, updates: int) -> dict[str, Any]:
    """Train on a task, and return by how much the state changes in each step of fresh sequences, for each seed.

    All are norms over a batch, relative to that of the state before, ‖c_{t−1}‖ or ‖h_{t−1}‖, by t from the second step
    on: ``net`` ‖c_t − c_{t−1}‖ or ‖h_t − h_{t−1}‖; of an LSTM also ``forgotten`` ‖(1 − f) ⊙ c_{t−1}‖ and ``written``
    ‖i ⊙ g‖. ``state`` is c or h of the first seed and the first sequence, (T, H), ``symbols`` what it read.

    >>> found = run("temporal-order", "LSTM", 1.0, 10, 2)
    >>> len(found["net"][0]), found["symbols"][0]
    (10, 'E')
    """
    learned = TASKS[task](gap)
    models = [
        Reader(_made(cell, forget_bias, learned.inputs, seed), learned.outputs, rng=seed) for seed in range(SEEDS)
    ]
    rate = 0.003 if cell == "RNN" else 0.01
    trained = train_side_by_side(
        learned, models, seeds=range(SEEDS), rates=[rate] * SEEDS, budget=16 * updates, batch=16
    )
    drawn = of_one_length(learned, SEQUENCES, seed=0)
    found: dict[str, Any] = {
        "solved": trained.sequences,
        "right": [round(right(model, drawn), 4) for model in trained.models],
    }
    changes = [_changes(cell, model, drawn) for model in trained.models]
    found |= {name: [each[name] for each in changes] for name in changes[0] if name != "state"}
    found["state"] = [[round(float(n), 3) for n in row] for row in changes[0]["state"]]
    found["symbols"] = [learned.symbols[int(x[0].argmax())] for x in drawn.inputs]
    return found


def _made(cell: str, forget_bias: float | None, inputs: int, seed: int) -> Cell[Any]:
    if cell == "RNN":
        return RNNCell(inputs, HIDDEN, rng=seed)
    return LSTMCell(inputs, HIDDEN, forget_bias=1.0 if forget_bias is None else forget_bias, rng=seed)


def _changes(cell: str, model: Reader, drawn: Any) -> dict[str, Any]:
    loss = loss_at_the_end(model, drawn)
    state = named(loss, "h" if cell == "RNN" else "c")  # (T, N, H)
    size = _norms(state[:-1])
    found: dict[str, Any] = {"net": rounded(_norms(np.diff(state, axis=0)) / size)}
    if cell == "LSTM":
        f, i, g = (named(loss, gate)[1:] for gate in "fig")
        found |= {
            "forgotten": rounded(_norms((1 - f) * state[:-1]) / size),
            "written": rounded(_norms(i * g) / size),
            "kept": round(float(f.mean()), 3),
        }
    return found | {"state": state[:, 0]}


def _norms(array: Array) -> Array:
    """Return the norm of each step over batch and units: (T, N, H) → (T)."""
    norms: Array = np.sqrt(np.square(array).sum(axis=(1, 2)))
    return norms


def report(results: list[Result]) -> list[Section]:
    """Return the sections: the changes in numbers, step by step, and the memories themselves."""
    if not results:
        return []
    longest = max(each.row["gap"] for each in results)
    there = [each for each in results if each.row["gap"] == longest]
    return [_numbers(results), _steps(there), _states(there)]


def _called(result: Result) -> str:
    bias = result.row["forget_bias"]
    name = result.row["cell"] + ("" if bias is None else f", forget bias {bias:g}")
    solved = sum(s is not None for s in result.values["solved"])
    return f"{name} ({'solved' if solved == SEEDS else 'failed' if not solved else f'solved by {solved} of {SEEDS}'})"


def _mean(result: Result, name: str) -> str:
    values = result.values.get(name)
    return "—" if values is None else f"{np.mean([each[1:] for each in values]):.0%}"


def _numbers(results: list[Result]) -> Section:
    rows = [
        [
            each.row["gap"] or f"a sentence, {each.row['task']}",
            _called(each),
            f"{np.mean(each.values['right']):.0%}",
            *(_mean(each, name) for name in ("forgotten", "written", "net")),
            f"{np.mean(each.values['kept']):.2f}" if "kept" in each.values else "—",
        ]
        for each in results
    ]
    head = ["gap, or what is memorised", "network", "right", "forgotten", "written", "net", "mean f"]
    table = Table(head, rows, "llrrrrr")
    prose = (
        "How much of the memory changes in a step, as a share of its norm: what the forget gate takes away, what the "
        "input gate adds, and what is left of both together, the net change of c. Of an RNN there is only the net "
        "change of h. Means over all steps of sequences it has not seen, or of the sentence; norms of shares do not "
        "add up, since what is forgotten and what is written may cancel or stand at right angles. The first steps, "
        "when c is still near 0, make the means larger.\n\nThe claim is that an RNN rewrites its state in each step, "
        "and an LSTM makes small additions. Compare in one gap the networks that solved it, and those that failed: "
        "small additions are what a long gap demands and a solution looks like, and not what an LSTM does whatever it "
        "has learned. Where one sentence is memorised nothing has to be bridged: word by word the LSTM changes all of "
        "its memory in a step, as the RNN does; letter by letter it changes a third."
    )
    return Section("In numbers", prose, table=table)


def _steps(results: list[Result]) -> Section:
    looks = (("series1", "square"), ("now", "circle"), ("series0", "circle"), ("series2", ""))
    lines = []
    for each, (colour, marker) in zip(results, looks, strict=False):
        points = [(t + 1, float(share)) for t, share in enumerate(np.mean(each.values["net"], axis=0))]
        lines.append(Series(points, _called(each), ON_PAGES[colour], "", marker))  # type: ignore[arg-type]
    figure = log_plot(
        lines,
        title="How much the memory changes in each step",
        across="time step",
        upwards="net change, share of its norm",
        label="The net change of c, or h, relative to its norm, by time step, for each network",
        log_across=False,
        size=(680, 360),
        standalone=False,
    )
    prose = (
        f"The net change at each step of a gap of {results[0].row['gap']}, on a logarithmic scale: 10⁰ is a change as "
        "large as the memory itself. The first symbol that matters comes at a tenth to a "
        "fifth, the second in the middle."
    )
    return Section("Step by step", prose, figure)


def _states(results: list[Result]) -> Section:
    chosen = results[-3:]
    figure = heat_map(
        [
            Grid(
                f"{'h' if each.row['cell'] == 'RNN' else 'c'} of {_called(each)}",
                _scaled(np.array(each.values["state"]).T),
                columns=each.values["symbols"],
            )
            for each in chosen
        ],
        title="The memory while it reads one sequence",
        across="what is read, step by step",
        upwards="unit",
        label="The memory of each network, unit by unit and step by step, over one sequence",
        size=(720, 660),
        standalone=False,
    )
    prose = (
        "A row for each unit, a column for each step, below it the symbol that is read: what matters is X or Y. Orange "
        "is positive, blue with a mark negative; each network's memory is scaled by its largest entry. What stays the "
        "same from column to column is remembered; what flickers is rewritten."
    )
    return Section("The memories", prose, figure)


def _scaled(state: Array) -> Array:
    scaled: Array = state / max(float(np.abs(state).max()), 1e-12)
    return scaled


STUDY = Study(
    name="memory",
    title="Rewriting, or small additions",
    question="How much of its memory does a network change at each step: does an RNN rewrite all of it, does an LSTM "
    "make small additions, and is that so where it has failed?",
    rows=rows,
    run=run,
    report=report,
    walk=WRITTEN,
)

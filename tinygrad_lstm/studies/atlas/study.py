"""The atlas as a study: who learned what. The cells themselves are on the page that ``page`` makes."""

from __future__ import annotations

from ...nn.atlas import ATLAS
from ..study import Result, Section, Study, Table
from .success import TRIALS, learn, rows, said, success

FOUND = (
    "Over 20 steps every gated cell learns in each of ten tries, and the Elman network in 6. Over 50 they part: the "
    "LSTM tells the temporal order in 4 of 10 tries when it begins by keeping 73 % of its memory at each step, and in "
    "10 of 10 when it begins by keeping 95 %, which is not enough over 100 steps: 5 of 10. MGU, UGRNN and JANET, with "
    "half its parameters and one gate that both forgets and writes, learn all of these in every try. So here it "
    "matters what a cell begins to keep, and more gates are no help."
)
"""What the results of all cells say."""


def _report(results: list[Result]) -> list[Section]:
    """Return a table of who learned what; what it says in words, where it is whole."""
    if not results:
        return []
    table = []
    for name, entry in ATLAS.items():
        found = [success(results, name, trial) for trial in TRIALS]
        learned = [f"{each['solved']} of {each['of']} ({each['median'] or '—'})" if each else "—" for each in found]
        table.append([entry.title, entry.year, *learned])
    head = ["cell", "year", *map(said, TRIALS)]
    how = (
        "How many networks learned the task, and the median of the sequences they took. All cells have 16 units, the "
        "same learning rate but for the Elman network, and the same budget. tinygrad-lstm atlas shows the cells "
        "themselves beside these numbers."
    )
    prose = f"{FOUND}\n\n{how}" if len(results) == len(rows()) else how
    return [Section("What each cell learns", prose, table=Table(head, table, "lr" + "r" * len(TRIALS)))]


STUDY = Study(
    name="atlas",
    title="The atlas: what published cells learn",
    question="Twelve cells, from Elman's of 1990 to the minimal LSTM of 2024, learn the same tasks on the same budget. "
    "Do the differences between the gated ones matter?",
    rows=rows,
    run=learn,
    report=_report,
)

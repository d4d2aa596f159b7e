"""Adding: two marked numbers of a long sequence, whose sum is asked for at its end."""

from __future__ import annotations

from .contest import compete, rows
from .moment import walk
from .reports import report
from .study import Study

STUDY = Study(
    name="adding",
    title="Adding: two numbers, far apart",
    question="Two numbers of a long sequence are marked, and their sum is asked for at its end. Who learns more than "
    "to say 1 whatever comes, which is wrong by 1/6, squared?",
    rows=lambda: rows("adding", {50: 40_000, 100: 40_000, 200: 48_000}),
    run=compete,
    report=report,
    walk=walk("adding"),
)

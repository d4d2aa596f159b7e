"""Embedded Reber grammar: the last letter but one is the second."""

from __future__ import annotations

from .contest import compete, rows
from .moment import walk
from .reports import report
from .study import Study

STUDY = Study(
    name="reber",
    title="Embedded Reber grammar: a letter to be kept",
    question="What may come next in a string of Reber's grammar is told by the last few letters, but for one that "
    "repeats the second. Who learns to keep it, from one string after the other?",
    rows=lambda: rows("reber", {0: 20_000}, hidden=8, batch=1),
    run=compete,
    report=report,
    walk=walk("reber"),
)

"""Copying: three symbols of two, repeated after a gap."""

from __future__ import annotations

from .contest import compete, rows
from .moment import walk
from .reports import report
from .study import Study

STUDY = Study(
    name="copy",
    title="Copying: three symbols, repeated after a gap",
    question="Three symbols of an alphabet of two are to be repeated after a blank gap. The published task has ten of "
    "eight, for which a budget of minutes is not enough: who repeats three?",
    rows=lambda: rows("copy", {10: 40_000, 20: 40_000, 50: 40_000}),
    run=compete,
    report=report,
    walk=walk("copy"),
)

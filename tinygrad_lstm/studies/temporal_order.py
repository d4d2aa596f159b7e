"""Temporal order: which of two symbols came first, told a gap later."""

from __future__ import annotations

from .contest import compete, rows
from .moment import walk
from .reports import report
from .study import Study

STUDY = Study(
    name="temporal-order",
    title="Temporal order: what came first?",
    question="Two symbols in a long sequence matter, and the order they came in is asked for at its end. Up to which "
    "gap does a tanh RNN learn it, an LSTM with its forget gate open or not, a GRU?",
    rows=lambda: rows("temporal-order", {10: 40_000, 20: 60_000, 30: 60_000, 50: 48_000, 100: 48_000}),
    run=compete,
    report=report,
    walk=walk("temporal-order"),
)

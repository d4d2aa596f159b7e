"""Proving gradients, yours and ours: independent oracles, tolerances derived from rounding, and who is to blame."""

from __future__ import annotations

from typing import Any

from .agreement import check_same as check_same
from .checks import assert_detects as assert_detects
from .checks import check_cell as check_cell
from .checks import check_jvp as check_jvp
from .checks import check_op as check_op
from .checks import check_second_order as check_second_order
from .checks import check_vjp as check_vjp
from .errors import GradientError as GradientError
from .errors import NothingCheckedError as NothingCheckedError
from .verdicts import Finding as Finding
from .verdicts import Report as Report
from .verdicts import Verdict as Verdict


def __getattr__(name: str) -> Any:
    """The strategies need hypothesis, which nothing else here does."""
    if name != "strategies":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return import_module(".strategies", __name__)

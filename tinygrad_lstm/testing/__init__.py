"""Proving gradients, yours and ours: independent oracles, tolerances derived from rounding, and who is to blame."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .checks import check_jvp as check_jvp
    from .checks import check_second_order as check_second_order
    from .checks import check_vjp as check_vjp
    from .errors import GradientError as GradientError
    from .errors import NothingCheckedError as NothingCheckedError
    from .generate import strategies as strategies
    from .laws.agreement import check_same as check_same
    from .laws.compiled import check_compiled as check_compiled
    from .proofs import assert_detects as assert_detects
    from .proofs import check_cell as check_cell
    from .proofs import check_op as check_op
    from .report.text import explain as explain
    from .taylor import taylor_test as taylor_test
    from .verdicts import Finding as Finding
    from .verdicts import Oracle as Oracle
    from .verdicts import Report as Report
    from .verdicts import Verdict as Verdict

_HOMES = {
    **dict.fromkeys(("check_jvp", "check_second_order", "check_vjp"), "checks"),
    **dict.fromkeys(("assert_detects", "check_cell", "check_op"), "proofs"),
    **dict.fromkeys(("Finding", "Oracle", "Report", "Verdict"), "verdicts"),
    **dict.fromkeys(("GradientError", "NothingCheckedError"), "errors"),
    "check_same": "laws.agreement",
    "check_compiled": "laws.compiled",
    "taylor_test": "taylor",
    "explain": "report.text",
    "strategies": "generate.strategies",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    """Import a name when it is used: pytest loads the plugin in this package whatever it is about to run."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = import_module(f".{_HOMES[name]}", __name__)
    found = globals()[name] = getattr(home, name, home)  # the strategies are a module
    return found


def __dir__() -> list[str]:
    """Return the names that are there, and those that will be."""
    return sorted({*globals(), *__all__})

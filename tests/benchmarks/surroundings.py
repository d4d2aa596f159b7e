"""What a number depends on besides the code: numpy's BLAS kernel, and how often the system had to find a page."""

from __future__ import annotations

import os

try:
    import resource
except ImportError:  # not Unix
    resource = None  # type: ignore[assignment]

try:
    from threadpoolctl import threadpool_info
except ImportError:
    threadpool_info = None

UNKNOWN = "–"


def kernel() -> str:
    """The BLAS that numpy has loaded, by name, version and kernel; whether the kernel is forced by the environment."""
    pools = [pool for pool in (threadpool_info() if threadpool_info else []) if pool["user_api"] == "blas"]
    pools = [pool for pool in pools if "numpy" in pool["filepath"]] or pools
    names = {f"{pool['internal_api']} {pool['version']} {pool.get('architecture', UNKNOWN)}" for pool in pools}
    forced = " (forced by OPENBLAS_CORETYPE)" if os.environ.get("OPENBLAS_CORETYPE") else ""
    return (", ".join(sorted(names)) or UNKNOWN) + forced


def minor_faults() -> int | None:
    """Minor page faults so far, of this process and of those it waited for; None where nobody counts them."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN) if resource else ()
    return sum(resource.getrusage(each).ru_minflt for each in who) if who else None


def faults(before: int | None, after: int | None, runs: int) -> str:
    """How many there were in each of so many runs, in words."""
    return UNKNOWN if before is None or after is None else f"{(after - before) / runs:,.0f}"


def starred(text: str, missed: bool) -> str:
    """Mark a target that was missed: nothing fails for being slow."""
    return f"{text}{'*' if missed else ' '}"

"""One contender, in a process of its own: ``python -m tests.benchmarks.contend '{…}'``, which ``turns.py`` starts.

It says in a line of JSON that it is ready, with what it found out on the way; then, for every line on its standard
input, it runs that many times and says how long the quickest took. Its results are left in a file, to be compared.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import sys
import time
from typing import Any, ClassVar

import numpy as np

from tests.benchmarks.jobs import Contender, Job, Missing, given
from tests.benchmarks.surroundings import kernel, minor_faults

MODULES = {"layer": ("ours", "theirs"), "passes": ("ours", "passes"), "char": ("characters",)}


def main() -> None:
    asked = json.loads(sys.argv[1])
    try:
        made = contender(asked)
        ready = measured(made, asked["results"])
    except Missing as why:
        say(missing=str(why))
        return
    say(**ready)
    for line in sys.stdin:
        say(**quickest(made, int(line)))


def contender(asked: dict[str, Any]) -> Contender:
    for module in MODULES[asked["task"]]:
        found = importlib.import_module(f"tests.benchmarks.{module}").CONTENDERS
        if asked["contender"] in found:
            job = Job(asked["cell"], tuple(asked["size"]), asked["dtype"])
            made: Contender = found[asked["contender"]](job if asked["task"] == "char" else given(job))
            return made
    raise KeyError(asked["contender"])


def measured(made: Contender, results: str) -> dict[str, Any]:
    """Run for the first time; return memory, what is to be told, and the kernel."""
    made.warm()
    gc.collect()
    before = in_use()
    kept = made.forward()
    gc.collect()
    after = in_use()
    del kept
    made.run()
    highest = peak()
    made.run()
    np.savez(results, **made.results())
    memory = None if before is None or after is None else after - before
    return {"memory": memory, "peak": highest, "note": made.note(), "kernel": kernel()}


def quickest(made: Contender, times: int) -> dict[str, Any]:
    gc.collect()
    faults, best, least = minor_faults(), np.inf, np.inf
    for _ in range(times):
        started, busy = time.perf_counter(), time.process_time()
        made.run()
        best = min(best, time.perf_counter() - started)
        least = min(least, time.process_time() - busy)
    now = minor_faults()
    return {"seconds": best, "cpu": least, "faults": None if faults is None or now is None else (now - faults) / times}


class _Mallinfo(ctypes.Structure):
    """Of which two numbers are read: what was given out from the heap, and what was mapped for one request."""

    _fields_: ClassVar = [
        *((f"before_{k}", ctypes.c_size_t) for k in range(4)),
        ("mapped", ctypes.c_size_t),
        *((f"between_{k}", ctypes.c_size_t) for k in range(2)),
        ("in_use", ctypes.c_size_t),
        *((f"after_{k}", ctypes.c_size_t) for k in range(2)),
    ]


def in_use() -> int | None:
    """Bytes that glibc has given out and not got back, whoever asked for them; None where there is no glibc to ask."""
    try:
        mallinfo2 = ctypes.CDLL(None).mallinfo2
    except (AttributeError, OSError, TypeError):
        return None
    mallinfo2.restype = _Mallinfo
    info = mallinfo2()
    return int(info.in_use + info.mapped)


def peak() -> int | None:
    """The most memory that this process ever had, in bytes."""
    try:
        import resource
    except ImportError:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def say(**what: Any) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main()

"""Contenders take turns: each in a process of its own, one at a time, so that a busy machine is busy for all of them.

glibc gives memory back to the system, and gets it again, above thresholds; that costs more than many a layer takes, and
not the same for everybody. So both are raised for all. OpenBLAS is left to choose its kernel.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from select import select
from typing import Any

import numpy as np

from tests.benchmarks.jobs import Job, differences

ROOT = Path(__file__).parents[2]
THRESHOLDS = ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_")
FORCED = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
PATIENCE = 300
"""Seconds until a contender that says nothing is given up."""


def environment(threads: int = 1) -> dict[str, str]:
    """What a contender's process finds around it."""
    kept = {name: value for name, value in os.environ.items() if name not in FORCED}
    raised, counts = dict.fromkeys(THRESHOLDS, "4000000000"), dict.fromkeys(THREADS, str(threads))
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return kept | raised | counts | {"PYTHONPATH": path}


@dataclass
class Measured:
    """What is known of a contender. ``cpu`` are the seconds in which it had a processor, of all its threads.

    ``missing`` says why it did not take part, ``wrong`` where its results differ.
    """

    name: str
    seconds: float = np.inf
    cpu: float = np.inf
    faults: float | None = None
    memory: int | None = None
    peak: int | None = None
    note: str = ""
    kernel: str = ""
    missing: str = ""
    wrong: tuple[str, ...] = ()


class _Process:
    def __init__(self, asked: dict[str, Any], threads: int) -> None:
        self.measured = Measured(asked["contender"])
        command = [sys.executable, "-m", "tests.benchmarks.contend", json.dumps(asked)]
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment(threads),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def heard(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        ready, _, _ = select([self.process.stdout], [], [], PATIENCE)
        line = self.process.stdout.readline() if ready else ""
        while line and not line.startswith("{"):  # a library that prints
            line = self.process.stdout.readline()
        if not line:
            self.process.kill()
            _, said = self.process.communicate()
            last = said.strip().splitlines()[-1:] or [f"no answer within {PATIENCE} s"]
            return {"missing": last[0][:200]}
        answer: dict[str, Any] = json.loads(line)
        return answer

    def turn(self, times: int) -> float:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{times}\n")
        self.process.stdin.flush()
        heard = self.heard()
        self.measured.missing = heard.get("missing", "")
        self.measured.seconds = min(self.measured.seconds, heard.get("seconds", np.inf))
        self.measured.cpu = min(self.measured.cpu, heard.get("cpu", np.inf))
        self.measured.faults = heard.get("faults")
        return float(heard.get("seconds", 0.0))


@contextmanager
def _started(asked: dict[str, Any], threads: int) -> Iterator[_Process]:
    process = _Process(asked, threads)
    try:
        yield process
    finally:
        process.process.kill()
        process.process.communicate()


def in_turns(
    job: Job, contenders: Sequence[str], *, task: str = "layer", spend: float = 2.0, threads: int = 1
) -> dict[str, Measured]:
    """Measure contenders at a job, at least five turns and so many seconds for each; the first says what is right."""
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        processes, measured = [], {}
        for k, name in enumerate(contenders):
            asked = {"task": task, "contender": name, "cell": job.cell, "size": job.size, "dtype": job.dtype}
            asked["results"] = str(Path(folder, f"{k}.npz"))
            processes.append(stack.enter_context(_started(asked, threads)))
        right: dict[str, Any] = {}
        for k, process in enumerate(processes):
            measured[contenders[k]] = process.measured
            heard = process.heard()
            for key, value in heard.items():
                setattr(process.measured, key, value)
            if process.measured.missing:
                continue
            with np.load(Path(folder, f"{k}.npz")) as found:
                result = dict(found)
            right = right or result
            process.measured.wrong = tuple(differences(right, result)) if result else ()
        taking_part = [(process, process.turn(1)) for process in processes if not process.measured.missing]
        began, turns = time.perf_counter(), 0
        while taking_part and (turns < 5 or time.perf_counter() - began < spend * len(taking_part)):
            for process, once in taking_part:
                if not process.measured.missing:
                    process.turn(max(1, min(20, int(0.1 / max(once, 1e-4)))))
            turns += 1
            if time.perf_counter() - began > 4 * spend * len(taking_part):
                break
    return measured

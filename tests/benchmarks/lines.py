"""The lines of the table: what was measured, its budget, and whether that is met."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.benchmarks.bars import FULL_SPEED, USERS, bar
from tests.benchmarks.jobs import DTYPES, SIZES, Job
from tests.benchmarks.turns import ROOT, Measured, environment, in_turns
from tests.benchmarks.waits import BEGIN, WAITS

CELLS = ("LSTM", "GRU", "RNN", "BiLSTM×2", "MGU", "LN-LSTM")
RIVALS = ("torch.nn", "program alone", "by hand", "products", "composed", "eager torch", "torch.compile", "JAX scan")
MOST_STEPS_COMPILED = 25
"""PyTorch compiles the unrolled loop, for minutes: of a user's cells, and no more steps than these."""


@dataclass
class Line:
    """A value and its budget: the most it may be, or the least where ``least`` says so; none where it is reported."""

    what: str
    value: float
    unit: str = ""
    budget: float | None = None
    least: bool = False
    beside: str = ""
    faults: list[str] = field(default_factory=list)
    """What makes the benchmark fail: a fallback, or other numbers than everybody's."""

    @property
    def met(self) -> bool | None:
        if self.budget is None or not np.isfinite(self.value):
            return None
        return self.value >= self.budget if self.least else self.value <= self.budget

    def told(self) -> tuple[str, str, str, str, str]:
        """The cells of the table: what, value, budget, verdict, and what else."""
        value = "–" if not np.isfinite(self.value) else f"{_shown(self.value)}{self.unit}"
        budget = "" if self.budget is None else f"{'≥' if self.least else '≤'} {_shown(self.budget)}{self.unit}"
        return self.what, value, budget, self._verdict(), self.beside

    def _verdict(self) -> str:
        if self.met is None or self.budget is None:
            return "" if np.isfinite(self.value) else "missing"
        if self.met:
            return "met"
        off = self.budget / self.value if self.least else self.value / self.budget if self.budget else np.inf
        return f"missed by {100 * (off - 1):.0f} %" if off < 10 else "missed"


def _shown(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


@dataclass(frozen=True)
class Plan:
    """What to measure: those lines whose name a pattern is found in, and how thoroughly."""

    only: str = ""
    quick: bool = False

    def wants(self, *names: str) -> bool:
        return any(re.search(self.only, name, re.IGNORECASE) for name in names)

    @property
    def spend(self) -> float:
        return 0.3 if self.quick else 1.5

    def levels(self) -> list[str]:
        return [f"compiled {level}" for level in ((3,) if self.quick else (0, 1, 2, 3))]

    def jobs(self) -> Iterator[Job]:
        for cell in CELLS:
            sizes = SIZES if not self.quick else SIZES[:2] if cell == "LSTM" else SIZES[:1]
            for size in sizes:
                yield from (Job(cell, size, dtype) for dtype in DTYPES)

    def rivals(self, job: Job) -> list[str]:
        users = job.cell in USERS
        out_of_place = {
            "torch.nn": users,  # has no such layer
            "products": job.cell != "LSTM",
            "torch.compile": not users or job.size[0] > MOST_STEPS_COMPILED,
        }
        asked = ("torch.nn", "by hand", "composed") if self.quick else RIVALS
        return [name for name in asked if not out_of_place.get(name)]


def layers(plan: Plan, kept: list[dict[str, Any]]) -> Iterator[Line]:
    """Forward and backward of recurrent layers; what each contender took is added to ``kept``."""
    for job in plan.jobs():
        name = title(job)
        if not plan.wants(name):
            continue
        contenders = [*dict.fromkeys(["composed", *plan.levels(), *plan.rivals(job)])]
        measured = in_turns(job, contenders, spend=plan.spend)
        kept.append({"job": job._asdict(), "contenders": [vars(each) for each in measured.values()]})
        yield from compared(job, measured)


def title(job: Job) -> str:
    return f"{job.cell} {job.size} {job.dtype}"


def compared(job: Job, measured: dict[str, Measured]) -> Iterator[Line]:
    """The quickest program beside each rival; the slowest of them beside the composed graph; memory.

    Each has one thread, and its time is that in which it had a processor: a busy machine counts less.
    """
    name = title(job)
    programs = [each for key, each in measured.items() if key.startswith("compiled")]
    running = [each for each in programs if not each.missing]
    for each in measured.values():
        problems = [f"{name}, {each.name}: {each.note}"] if each.note else []
        problems += [f"{name}, {each.name}: {what}" for what in each.wrong]
        paged = "" if each.faults is None else f"{each.faults:,.0f} page faults"
        took = 1e3 * each.cpu
        yield Line(f"{name}, {each.name}", took, " ms", beside=each.missing or paged, faults=problems)
    if not running:
        return
    best, worst = min(running, key=lambda each: each.cpu), max(running, key=lambda each: each.cpu)
    for rival in (each for key, each in measured.items() if key in RIVALS and not each.missing):
        mine = worst if rival.name == "composed" else best
        ratio = mine.cpu / rival.cpu
        yield Line(f"{name}, {mine.name} / {rival.name}", ratio, "", bar(job, rival.name))
    torch = measured.get("torch.nn")
    if torch is None or torch.missing:
        torch = measured.get("eager torch")
    if torch is not None and torch.memory and best.memory is not None:
        beside = f"{best.memory / 2**20:.1f} and {torch.memory / 2**20:.1f} MiB"
        yield Line(f"{name}, memory, {best.name} / {torch.name}", best.memory / torch.memory, "", 1.0, beside=beside)


def two_threads(plan: Plan, kept: list[dict[str, Any]]) -> Iterator[Line]:
    for size in () if plan.quick else SIZES[2:4]:
        for dtype in DTYPES:
            job = Job("LSTM", size, dtype)
            name = f"two threads, {title(job)}"
            if not plan.wants(name):
                continue
            measured = in_turns(job, ["composed", "compiled 3", "torch.nn"], spend=plan.spend, threads=2)
            kept.append({"job": job._asdict(), "threads": 2, "contenders": [vars(each) for each in measured.values()]})
            mine, torch = measured["compiled 3"], measured["torch.nn"]
            if mine.missing:
                mine = measured["composed"]
            beside = f"{1e3 * mine.seconds:.1f} ms"
            yield Line(f"{name}, {mine.name} / torch.nn", mine.seconds / torch.seconds, beside=beside)


def training(plan: Plan, kept: list[dict[str, Any]]) -> Iterator[Line]:
    """Steps a second of a character model, beside PyTorch's."""
    from tests.benchmarks.characters import CONTENDERS, SIZE

    for dtype in DTYPES:
        name = f"char-LSTM, training, {dtype}"
        if not plan.wants(name):
            continue
        job = Job("char", SIZE, dtype)
        measured = in_turns(job, list(CONTENDERS), task="char", spend=plan.spend)
        kept.append({"job": job._asdict(), "contenders": [vars(each) for each in measured.values()]})
        torch = measured["char torch"]
        compiled = [key for key in measured if "compiled" in key and not measured[key].missing]
        best = min(compiled, key=lambda key: measured[key].cpu, default="")
        for key, each in measured.items():
            problems = [f"{name}, {key}: {each.note}"] if each.note else []
            problems += [f"{name}, {key}: {what}" for what in each.wrong]
            own = key.removeprefix("char ")
            yield Line(f"{name}, {own}", 1 / each.cpu, " steps/s", beside=each.missing, faults=problems)
            if each is not torch and not each.missing and not torch.missing:
                asked = FULL_SPEED[dtype] if key == best else None
                yield Line(f"{name}, {own} beside torch.nn", torch.cpu / each.cpu, "", asked, least=True)


def compiling(plan: Plan) -> Iterator[Line]:
    for cell in ("LSTM",) if plan.quick else CELLS:
        took = {}
        for T in (100, 500):
            name = f"compiling, {cell}, T = {T}"
            if plan.wants(name):
                found = once("compiling", T, cell)
                took[T] = found["seconds"]
                yield Line(
                    name, found["seconds"], " s", 0.5, beside=found.get("error", ""), faults=_fallback(name, found)
                )
        if len(took) == 2:
            yield Line(f"compiling, {cell}, T = 500 / T = 100", took[500] / took[100], "", 1.5)


def soak(plan: Plan) -> Iterator[Line]:
    steps = 1000 if plan.quick else 10_000
    if plan.wants(_soak(steps)):
        yield from soak_of(steps)


def _soak(steps: int) -> str:
    return f"soak, {steps:,} steps of training"


def soak_of(steps: int) -> Iterator[Line]:
    """What is left behind by training, after a tenth of the steps and at their end: nothing."""
    name, found = _soak(steps), once("soak", steps)
    if "error" in found:
        yield Line(name, np.nan, beside=found["error"], faults=[f"{name}: {found['error']}"])
        return
    grown = found["objects"][-1] - found["objects"][0]
    yield Line(f"{name}, objects more than after a tenth", grown, "", 50, faults=_fallback(name, found))
    if None not in found["bytes"]:
        yield Line(
            f"{name}, memory more than after a tenth", (found["bytes"][-1] - found["bytes"][0]) / 2**10, " KiB", 64
        )


def waits(plan: Plan) -> Iterator[Line]:
    for name, wait in WAITS.items():
        if not plan.wants(name) or (plan.quick and wait.slow):
            continue
        took, why = [], ""
        for _ in range(1 if wait.slow or plan.quick else 3):
            done = subprocess.run(
                [sys.executable, "-c", f"{BEGIN}{wait.code}print(seconds)"],
                cwd=ROOT,
                env=environment(),
                capture_output=True,
                text=True,
            )
            if done.returncode:
                why = (done.stderr.strip().splitlines() or ["failed"])[-1][:120]
                break
            took.append(float(done.stdout.split()[-1]))
        yield Line(name, min(took, default=np.nan), " s", wait.budget, beside=why)


def once(*what: Any) -> dict[str, Any]:
    """Measure something in a process of its own; its answer, or the error that it ended with."""
    command = [sys.executable, "-m", "tests.benchmarks.once", *map(str, what)]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True)
    if done.returncode:
        return {"error": done.stderr.strip().splitlines()[-1][:200], "seconds": np.nan}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _fallback(name: str, found: dict[str, Any]) -> list[str]:
    return [f"{name}: {found['note']}"] if "not compiled" in found.get("note", "") else []


def missed(lines: Sequence[Line]) -> list[Line]:
    return [line for line in lines if line.met is False]

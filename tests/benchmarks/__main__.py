"""Measure everything that people wait for; print one table, with budgets.

    python -m tests.benchmarks
    python -m tests.benchmarks --quick --only "LSTM .*float32"

Ratios are of one run, on one thread unless a line says two; contenders have processes of their own and take turns, and
the best of all turns counts, in seconds of the processor. Nothing fails for being slow. What fails is a program that
fell back to the graph, and a contender that computed something else.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import re
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from tests.benchmarks import lines as measuring
from tests.benchmarks.growth import Curves, drawn, growing
from tests.benchmarks.lines import Line, Plan, missed
from tests.benchmarks.passes import buying
from tests.benchmarks.surroundings import kernel
from tests.benchmarks.turns import FORCED

LIBRARIES = ("numpy", "torch", "jax", "tinygrad-lstm")
STYLES = {True: "green", False: "bold red", None: ""}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--only", metavar="PATTERN", default="", help="lines whose name this is found in (a regular expression)"
    )
    parser.add_argument("--quick", action="store_true", help="small sizes, few rounds: a minute or two")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was measured")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="write plots of growth")
    asked = parser.parse_args(arguments)
    try:
        re.compile(asked.only)
    except re.error as error:
        parser.error(f"--only {asked.only!r} is no regular expression: {error}")
    plan, kept, curves = Plan(asked.only, asked.quick), [], Curves()
    where, found = surroundings(), []
    console = Console(width=None if sys.stdout.isatty() else 150)
    with suppress(KeyboardInterrupt):  # what has been measured until then is told
        for line in measured(plan, kept, curves):
            found.append(line)
            print(f"{line.what}: {' '.join(filter(None, line.told()[1:]))}", file=sys.stderr, flush=True)
    if not found:
        parser.error(f"--only {asked.only!r} is found in no line; try import, LSTM, passes, char, soak or growth")
    console.print(table(found, where))
    where["load at the end"] = load()
    told = {"surroundings": where, "lines": [asdict(line) | {"met": line.met} for line in found], "contenders": kept}
    if asked.json:
        asked.json.write_text(
            json.dumps(finite(told | {"growth": curves}), indent=1, ensure_ascii=False) + "\n", "utf-8"
        )
    if asked.svg and curves:
        asked.svg.write_text(drawn(curves, [f"{key}: {value}" for key, value in where.items()]), "utf-8")
    for problem in (problem for line in found for problem in line.faults):
        console.print(f"[bold red]not right:[/] {problem}", highlight=False)
    return 1 if any(line.faults for line in found) else 0


def measured(plan: Plan, kept: list[dict[str, Any]], curves: Curves) -> Iterator[Line]:
    """All lines, in the order of the table."""
    return chain(
        measuring.waits(plan),
        measuring.layers(plan, kept),
        buying(plan, kept),
        measuring.training(plan, kept),
        measuring.two_threads(plan, kept),
        measuring.compiling(plan),
        measuring.soak(plan),
        growing(plan, curves),
    )


def table(found: list[Line], where: dict[str, str]) -> Table:
    counts = {met: sum(line.met is met for line in found) for met in (True, False)}
    caption = "\n".join(f"{key}: {value}" for key, value in where.items())
    made = Table("what", "value", "budget", "", "beside", title="What people wait for", caption=caption)
    for column in (1, 2):
        made.columns[column].justify = "right"
    for line in found:
        made.add_row(*line.told(), style=STYLES[line.met])
    made.add_section()
    worst = max(missed(found), key=lambda line: line.value / (line.budget or 1), default=None)
    made.add_row(
        f"{counts[True]} met, {counts[False]} missed", "", "", "", "" if worst is None else f"worst: {worst.what}"
    )
    return made


def surroundings() -> dict[str, str]:
    """Machine, versions, BLAS and load. The kernel is the one that contenders find: nobody forces one on them."""
    forced = [name for name in FORCED if os.environ.pop(name, None) is not None]
    if forced:  # this process has loaded numpy under them: ask one that has not
        os.execv(sys.executable, [sys.executable, "-m", "tests.benchmarks", *sys.argv[1:]])
    versions = {name: version(name) for name in LIBRARIES}
    return {
        "machine": f"{platform.platform()}, {processor()}, {os.cpu_count()} cores",
        "versions": ", ".join(
            f"{name} {number}" for name, number in {"Python": platform.python_version(), **versions}.items()
        ),
        "BLAS": kernel(),
        "glibc": "MALLOC_MMAP_THRESHOLD_ and MALLOC_TRIM_THRESHOLD_ raised to 4e9, for all",
        "when": time.strftime("%Y-%m-%d %H:%M"),
        "load": load(),
    }


def version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "missing"


def processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return platform.processor()
    return next((row.partition(":")[2].strip() for row in text.splitlines() if row.startswith("model name")), "unknown")


def load() -> str:
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


def finite(what: Any) -> Any:
    """The same with None for numbers that JSON does not have."""
    if isinstance(what, dict):
        return {key: finite(value) for key, value in what.items()}
    if isinstance(what, list | tuple):
        return [finite(value) for value in what]
    if isinstance(what, float | np.floating):
        return float(what) if np.isfinite(what) else None
    return what


if __name__ == "__main__":
    sys.exit(main())

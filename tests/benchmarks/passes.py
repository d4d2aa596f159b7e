"""What each pass buys: a layer whose program is made by all passes but one, beside the one made by all.

A pass is left out where it says what it finds, so that nothing is measured but what the program would be without it.
Equal expressions are one from the start, and what nobody asks for is never written: neither is a pass to leave out.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import tinygrad_lstm as tl
from tests.benchmarks import ours
from tests.benchmarks.jobs import SIZES, Contender, Given, Job, given
from tests.benchmarks.lines import Line, Plan, title
from tests.benchmarks.turns import Measured, in_turns
from tinygrad_lstm.program import compiled, general, writing
from tinygrad_lstm.program.carrying import Carrying
from tinygrad_lstm.program.gathering import Gathering
from tinygrad_lstm.program.passes.hoisting import Hoisted, Reassociated, SplitProducts
from tinygrad_lstm.program.passes.merging import MergedPointwise, MergedProducts
from tinygrad_lstm.program.passes.reciprocal import Reciprocals
from tinygrad_lstm.program.passes.stacking import Stacking
from tinygrad_lstm.program.passes.tanh import SigmoidByTanh

Instead = tuple[Any, str, Any]
"""Of what, which attribute, and what it is while the pass is left out."""

FOUND_NOTHING = SimpleNamespace(finds=False, inlined={})


def _finding_nothing(*passes: type) -> list[Instead]:
    return [(each, "finds", False) for each in passes]


PASSES: dict[str, list[Instead]] = {
    "products merged": _finding_nothing(MergedProducts),
    "pointwise merged": _finding_nothing(MergedPointwise),
    "hoisted": _finding_nothing(SplitProducts, Reassociated, Hoisted),
    "gathered": [(Gathering, "_gathered", lambda *_: None)],
    "carried": [(Carrying, "_carry", lambda *_: None)],
    "σ by tanh": _finding_nothing(SigmoidByTanh),
    "made again": [(writing, "Remaking", lambda *_: FOUND_NOTHING)],
    "in place": [(each, "IN_PLACE", 1 + max(general.LEVELS)) for each in (general, compiled)],
    "rows stacked": _finding_nothing(Stacking),
    "reciprocals": _finding_nothing(Reciprocals),
    "once for a row": [(writing, "Factoring", lambda *_: FOUND_NOTHING)],
}
"""By what a pass makes. ``made again`` is a part of ``in place``: without the one there is not the other."""

CELLS = ("LSTM", "LN-LSTM")
AT = SIZES[0], SIZES[2]


@contextmanager
def without(name: str) -> Iterator[None]:
    """Leave a pass out of what programs are made by."""
    with ExitStack() as stack:
        for of, attribute, instead in PASSES[name]:
            stack.enter_context(patch.object(of, attribute, instead))
        yield


@cache
def program(cell: str) -> str:
    """The program of a layer by all passes, whatever its sizes are."""
    return _written(cell)


def program_without(name: str, cell: str) -> str:
    with without(name):
        return _written(cell)


def _written(cell: str) -> str:
    numbers = given(Job(cell, (3, 2, 5, 4), "float64"))
    return str(tl.source(ours.layer_of(numbers), numbers.xs, optimize=3))


def left_out(name: str, numbers: Given) -> Contender:
    """The layer, compiled without a pass."""
    with without(name):
        made = ours.compiled(3, numbers)
        made.warm()  # now its program is there, for all sizes
    return made


def buying(plan: Plan, kept: list[dict[str, Any]]) -> Iterator[Line]:
    """Yield for each pass that changes a cell's program how much longer it takes without."""
    for job in (Job(cell, size, "float64") for cell in CELLS for size in (AT[:1] if plan.quick else AT)):
        asked = [name for name in PASSES if plan.wants(_line(job, name))]
        changing = [name for name in asked if program_without(name, job.cell) != program(job.cell)]
        if not changing:
            continue
        measured = in_turns(job, ["compiled 3", *map(_contender, changing)], task="passes", spend=plan.spend)
        kept.append({"job": job._asdict(), "contenders": [vars(each) for each in measured.values()]})
        for name in changing:
            yield _bought(_line(job, name), measured[_contender(name)], measured["compiled 3"])


def _bought(what: str, part: Measured, full: Measured) -> Line:
    beside = f"{1e3 * part.cpu:.3g} and {1e3 * full.cpu:.3g} ms"
    if part.memory is not None and full.memory is not None:
        beside += f", {part.memory / 2**20:.2f} and {full.memory / 2**20:.2f} MiB kept"
    problems = [f"{what}: {problem}" for problem in (part.note, *part.wrong) if problem]
    return Line(what, part.cpu / full.cpu, beside=part.missing or beside, faults=problems)


def _line(job: Job, name: str) -> str:
    return f"passes, {title(job)}, {_contender(name)} / with it"


def _contender(name: str) -> str:
    return f"without {name}"


CONTENDERS = {_contender(name): partial(left_out, name) for name in PASSES}

"""Plant every mutant, one at a time, each in a process of its own; print who was caught."""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import multiprocessing
import signal
import sys
import time
import warnings
from collections import Counter
from collections.abc import Sequence
from datetime import date
from fractions import Fraction

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.mutation.equivalent import why
from tests.mutation.planted import Mutant, all_mutants, of_programs

SECONDS = 30
"""A mutant that runs longer is caught: it never ends."""

MUTANTS: list[Mutant] = []


def caught(number: int) -> str:
    """Who caught it; nothing if it got away."""
    mutant = MUTANTS[number]
    signal.signal(signal.SIGALRM, _too_long)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        with mutant.planted(), warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            mutant.caught()
    except BaseException as error:
        return type(error).__name__
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return ""


def _too_long(signal: int, frame: object) -> None:
    raise TimeoutError


def chosen(mutants: Sequence[Mutant], groups: Sequence[str], share: Fraction, seed: int) -> list[Mutant]:
    """Of the groups, or of all, a share: with 1/3, three seeds in a row plant every mutant once."""
    asked = [mutant for mutant in mutants if not groups or any(group in mutant.group for group in groups)]
    return [mutant for i, mutant in enumerate(asked) if (i + seed) % share.denominator < share.numerator]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help="plant only in groups whose name has the word")
    parser.add_argument("--share", type=Fraction, default=Fraction(1), help="plant that many only, such as 1/10")
    parser.add_argument(
        "--seed", type=int, default=date.today().toordinal(), help="which share: the day's, if not given"
    )
    asked = parser.parse_args()
    console, started = Console(highlight=False), time.monotonic()
    there_are = [*all_mutants(), *(of_programs() if asked.groups else ())]
    MUTANTS.extend(chosen(there_are, asked.groups, asked.share, asked.seed))
    for check in dict.fromkeys(mutant.caught for mutant in MUTANTS):
        with np.errstate(all="ignore"):
            check()  # nothing is found wrong before anything is planted; and what is drawn is drawn once
    with multiprocessing.get_context("fork").Pool(maxtasksperchild=20) as pool:
        outcomes = list(
            track(
                pool.imap(caught, range(len(MUTANTS)), chunksize=4),
                "planting",
                len(MUTANTS),
                console=Console(stderr=True),
            )
        )
    table = Table("planted in", *("mutants", "caught", "equivalent", "got away"), title="Mutation score of the checks")
    groups: dict[str, Counter[str]] = {}
    survivors = []
    for mutant, who in zip(MUTANTS, outcomes, strict=True):
        fate = "caught" if who else "equivalent" if why(mutant.name) else "got away"
        groups.setdefault(mutant.group, Counter())[fate] += 1
        if fate == "got away":
            survivors.append(mutant)
    total = sum(groups.values(), Counter())
    for group, count in {**groups, "all": total}.items():
        table.add_row(
            group, *(str(n) for n in (count.total(), count["caught"], count["equivalent"], count["got away"]))
        )
    console.print(table)
    for mutant in survivors:
        console.print(f"got away: {mutant.name}")
    share = total["caught"] / (total.total() - total["equivalent"])
    console.print(
        f"{total.total()} mutants, --share {asked.share} --seed {asked.seed}, {share:.1%} of those that differ caught, "
        f"{time.monotonic() - started:.0f} s"
    )
    return bool(survivors)


if __name__ == "__main__":
    sys.exit(main())

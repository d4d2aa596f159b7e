"""Run the checks on every gradient of the lists: ``python -m tests.usergrads``.

``--list`` prints names and notes, ``--only WORD`` runs those whose name has the word, ``--seeds N`` tries the right
ones with N seeds. It ends with 1 if a wrong gradient is missed or a right one accused.
"""

import argparse
import statistics
import sys
import time
import warnings

from rich.console import Console
from rich.table import Table

from . import RIGHT, WRONG
from .outcome import outcome

WORDS = ("caught", "missed", "right", "accused", "undecided")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.usergrads", description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true", help="print names and notes, and run nothing")
    parser.add_argument("--only", default="", metavar="WORD", help="those whose name has the word")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="seeds for the right ones")
    said = parser.parse_args()
    console = Console(width=140, highlight=False, markup=False)
    chosen = [
        (case, wrong) for wrong, cases in ((True, WRONG), (False, RIGHT)) for case in cases if said.only in case.name
    ]
    if said.list:
        for case, wrong in chosen:
            console.print(f"{'wrong' if wrong else 'right'}  {case.kind}: {case.name} ({case.note})")
        return 0
    rows, seconds = [], []
    for case, wrong in chosen:
        for seed in range(1 if wrong else said.seeds):
            start = time.perf_counter()
            word, why = outcome(case, wrong, seed)
            seconds.append(time.perf_counter() - start)
            rows.append((case, word, why if said.seeds == 1 else f"seed {seed}: {why}"))
    table = Table("kind", *WORDS)
    counts = lambda kind: [sum(word == w and kind in (None, case.kind) for case, word, _ in rows) for w in WORDS]
    for kind in sorted({case.kind for case, _ in chosen}):
        table.add_row(kind, *(str(n or "") for n in counts(kind)))
    table.add_section()
    table.add_row("all", *map(str, counts(None)))
    console.print(table)
    for word in ("missed", "accused", "undecided"):
        for case, w, why in rows:
            if w == word:
                console.print(f"{word}: {case.kind}: {case.name}: {why}")
    console.print(f"median of a check {1e3 * statistics.median(seconds or [0]):.1f} ms, all {sum(seconds):.0f} s")
    return int(any(word in ("missed", "accused") for _, word, _ in rows))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sys.exit(main())

"""How often a right gradient is called wrong: ``python -m tests.false_alarms`` prints the count.

Random programs of all our operations, and random recurrent networks whose inputs have any scale from 1e-3 to 1e3, where
gates saturate and rounding is all there is of a gradient. Every one is right, so that each WRONG is an alarm too many.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from rich.console import Console
from rich.progress import track
from rich.table import Table

from tinygrad_lstm.testing import GradientError, NothingCheckedError, Verdict, check_op, check_vjp
from tinygrad_lstm.testing.generate import strategies

PROGRAMS, NETWORKS, THOROUGH = 10_000, 1_000, 1_000
PORTION = 100
"""How many are drawn from one seed."""

PROGRAM = strategies.expression_graphs().map(lambda program: (program, program.inputs, ()))
ALL_CHECKS = "programs, by all of check_op"
KINDS = {
    "random programs": PROGRAM,
    "recurrent networks": strategies.recurrent_networks().map(
        lambda network: (network, [network.xs], tuple(network.layer.parameters()))
    ),
    ALL_CHECKS: PROGRAM,
}


class Portion(NamedTuple):
    kind: str
    count: int
    seed: int


def outcomes(portion):
    """The verdicts on so many drawn functions, and what is said of those that were called wrong.

    What has no finite value is drawn again; what has no gradient to check comes on top.
    """
    found, alarms = Counter(), []

    def checked():
        return found.total() - found[Verdict.UNCHECKED]

    @settings(
        max_examples=portion.count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )
    @given(KINDS[portion.kind])
    def one(case):
        if checked() >= portion.count:
            return
        f, inputs, parameters = case
        try:
            if portion.kind == ALL_CHECKS:
                verdict = check_op(f, *inputs).verdict
            else:
                verdict = check_vjp(f, *inputs, parameters=parameters).verdict
        except NothingCheckedError:
            verdict = Verdict.UNCHECKED
        except GradientError as error:
            if "returns NaN or Inf" in str(error):
                return
            alarms.append(f"{portion.kind}: {error}\n{error.failure and error.failure.code}")
            verdict = Verdict.WRONG
        found[verdict] += 1

    again = 0
    while checked() < portion.count:
        seed(portion.seed + again)(one)()
        again += 1_000_000
    return found, alarms


def portions(kind, count, first):
    return [Portion(kind, min(PORTION, count - done), first + i) for i, done in enumerate(range(0, count, PORTION))]


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m tests.false_alarms", description=__doc__)
    parser.add_argument("--programs", type=int, default=PROGRAMS, help=f"how many; {PROGRAMS:,} if not given")
    parser.add_argument("--networks", type=int, default=NETWORKS, help=f"how many; {NETWORKS:,} if not given")
    parser.add_argument("--thorough", type=int, default=THOROUGH, help=f"how many programs by all; {THOROUGH:,}")
    parser.add_argument("--seed", type=int, default=0, help="another number draws others")
    asked = parser.parse_args(arguments)
    console, errors = Console(), Console(stderr=True)
    table = Table("what", *Verdict, "seconds", title="Right gradients, and what is said of them")
    wrong = 0
    with ProcessPoolExecutor() as pool:
        for kind, count in zip(KINDS, (asked.programs, asked.networks, asked.thorough), strict=True):
            started, found = time.monotonic(), Counter()
            work = portions(kind, count, asked.seed)
            results = pool.map(outcomes, work)
            for some, alarms in track(
                results, kind, len(work), console=errors, transient=True, disable=not errors.is_terminal
            ):
                found += some
                for alarm in alarms:
                    errors.print(alarm, markup=False, highlight=False)
            counts = [f"{found[verdict]:,}" for verdict in Verdict]
            table.add_row(kind, *counts, f"{time.monotonic() - started:.0f}")
            wrong += found[Verdict.WRONG]
    console.print(table)
    console.print(f"{wrong} false alarms")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

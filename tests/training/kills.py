"""Kill a run at random moments and resume it, again and again: ``python -m tests.training.kills --times 100``.

Each time it is killed by SIGKILL after a random time, be it while it computes, writes, or still imports; at the end its
file must be byte for byte that of a run that was never interrupted.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.progress import track

from tests.training.run_and_be_stopped import run

SCRIPT = [sys.executable, "-m", "tests.training.run_and_be_stopped"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    rng, console, kills, ends = random.Random(asked.seed), Console(), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        whole, path = Path(folder, "whole.safetensors"), Path(folder, "killed.safetensors")
        run(whole)
        expected, steps = whole.read_bytes(), set()
        for _ in track(range(asked.times), "killing", console=console):
            while True:
                child = subprocess.Popen([*SCRIPT, str(path)], stdout=subprocess.PIPE)
                child.stdout.readline()  # it has imported all, and begins
                try:
                    child.wait(timeout=rng.uniform(0, 0.12))
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.communicate()
                    kills += 1
                    break
                child.communicate()
                ends += check(path, expected)
            if path.exists():
                steps.add(path.read_bytes() == expected)
        subprocess.run([*SCRIPT, str(path)], stdout=subprocess.DEVNULL, check=True)
        ends += check(path, expected)
    console.print(f"killed {kills} times; all of {ends} runs that came to an end are bit for bit the uninterrupted one")


def check(path, expected):
    """Compare a run that came to its end, and begin anew; raises AssertionError where a bit differs."""
    assert path.read_bytes() == expected, "a run that was killed and resumed has come to other bits"
    path.unlink()
    return 1


if __name__ == "__main__":
    main()

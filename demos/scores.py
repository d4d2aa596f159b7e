"""Measure the applications, three seeds each, and write what came out where it is told.

``python -m demos.scores`` runs every application at its full size and writes their mean and spread into the package,
for ``tinygrad-lstm demo --list``, and into the table of the README. Names run those only; ``--small`` writes nothing.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tinygrad_lstm.interop.files import write_file
from tinygrad_lstm.studies.applications import APPLICATIONS, RESULTS, measured, path_of

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- scores: python -m demos.scores -->\n", "<!-- end of scores -->"


def run(name, seed, small):
    """Run an application by itself, and return the scores and seconds that it kept."""
    with tempfile.TemporaryDirectory() as folder:
        words = [
            str(path_of(APPLICATIONS[name])),
            "--seed",
            str(seed),
            "--out",
            folder,
            *(["--small"] if small else []),
        ]
        subprocess.run([sys.executable, *words], check=True, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"})
        return json.loads((Path(folder) / "scores.json").read_text(encoding="utf-8"))


def spread(values):
    """Return the mean of what several seeds came to and, if there are several, how far they lie around it."""
    mean = f"{statistics.mean(values):.4g}"
    return mean if len(set(values)) == 1 else f"{mean} ± {statistics.stdev(values):.2g}"


def summary(runs):
    """Return what several runs of an application came to: each task told in words, and the mean of the seconds."""
    tasks = []
    for same in zip(*(each["scores"] for each in runs), strict=True):
        first, found = same[0], {"task": same[0]["task"], "lstm": spread([score["lstm"] for score in same])}
        for other in ("trivial", "classical"):
            found[other] = f"{first[other][0]} {spread([score[other][1] for score in same])}"
        beside = f"LSTM {found['lstm']}, {found['trivial']}, {found['classical']}"
        tasks.append({**found, "known": first["known"], "weak": first["weak"], "told": beside})
    return {"tasks": tasks, "seeds": len(runs), "seconds": statistics.mean(each["seconds"] for each in runs)}


def table(found):
    """Return the README's table, of what was measured."""
    if not found:
        return "Not measured yet.\n"
    rows = [
        "| application | task | LSTM | trivial | classical | known | seeds | seconds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, each in found.items():
        for task in each["tasks"]:
            cells = [name, *(task[key] for key in ("task", "lstm", "trivial", "classical", "known"))]
            rows.append(f"| {' | '.join(cells)} | {each['seeds']} | {each['seconds']:.0f} |")
    return "\n".join(rows) + "\n"


def written(text, found):
    """Return the README with the table between its marks."""
    before, rest = text.split(BEGIN)
    return before + BEGIN + "\n" + table(found) + "\n" + END + rest.split(END, 1)[1]


def keep(name, found):
    """Write what an application came to where it is told, beside what is there of the others."""
    known = {**measured(), name: found}
    known = {each: known[each] for each in APPLICATIONS if each in known}
    told = {"command": "python -m demos.scores", "applications": known}
    write_file(RESULTS, json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    write_file(README, written(README.read_text(encoding="utf-8"), known))


def main():
    """Measure, and write what was found as it comes."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(APPLICATIONS)}; all if none is given")
    reader.add_argument("--seeds", type=int, default=3)
    reader.add_argument("--small", action="store_true", help="at a size that takes seconds; nothing is written")
    given = reader.parse_args()
    for name in given.names or APPLICATIONS:
        found = summary([run(name, seed, given.small) for seed in range(given.seeds)])
        print(table({name: found}))
        if not given.small:
            keep(name, found)


if __name__ == "__main__":
    main()

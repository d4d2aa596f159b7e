"""Examples of tinygrad-lstm demo:

tinygrad-lstm demo --list

tinygrad-lstm demo language

tinygrad-lstm demo language --data book.txt --out book

tinygrad-lstm demo grammar --small

Each is one file to be read from top to bottom, which --where tells; it takes
less than two minutes on two cores. Ctrl-C ends the training, and the rest is
done with what was learned.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from .app import app, console, refuse


@app.command(epilog=__doc__)
def demo(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Which application; --list tells them.")] = None,
    list_all: Annotated[
        bool, typer.Option("--list", help="Tell the applications: data, licence, score and time.")
    ] = False,
    data: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A file of yours to learn from, instead of its own data.")
    ] = None,
    seed: Annotated[int, typer.Option(help="All that is random follows from it.", min=0)] = 0,
    small: Annotated[
        bool, typer.Option("--small", help="At a size that takes seconds, to see that all works.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="For what it writes; demo-NAME if not given.")
    ] = None,
    where: Annotated[bool, typer.Option("--where", help="Tell which file it is, and run nothing.")] = False,
) -> None:
    """Run an application of LSTMs on real data: what it learns, how well, beside whom, and what is inside."""
    from ..studies.applications import APPLICATIONS, path_of, run

    if list_all:
        if name is not None:
            raise refuse(f"--list is for all of them; to run {name}, leave it out")
        console.print(_listed())
        return
    if name not in APPLICATIONS:
        what = "say which application" if name is None else f"there is no application {name!r:.60}"
        raise refuse(f"{what}: {', '.join(APPLICATIONS)}; --list tells more")
    application = APPLICATIONS[name]
    if where:
        console.print(Text(str(path_of(application))), soft_wrap=True)
        return
    if data is not None and not application.file:
        raise refuse(f"{name} draws its data itself, and takes no --data")
    given = {"--data": data, "--seed": seed, "--out": out}
    arguments = [word for flag, value in given.items() if value is not None for word in (flag, str(value))]
    run(application, [*arguments, *(["--small"] if small else [])])


def _listed() -> Table:
    """Return the table of the applications, with what was measured of each."""
    from ..studies.applications import APPLICATIONS, measured

    found = measured()
    table = Table("name", box=SIMPLE_HEAD, padding=(0, 1, 1, 0))
    for heading, ratio in (("data", 4), ("licence, and where it is written", 5), ("score", 7)):
        table.add_column(heading, ratio=ratio, overflow="fold")  # so that no path is cut
    table.add_column("s", justify="right")
    for each in APPLICATIONS.values():
        known = found.get(each.name)
        scores = "\n".join(f"{task['task']}: {task['told']}" for task in known["tasks"]) if known else "not measured"
        seconds = f"{known['seconds']:.0f}" if known else ""
        cells = (each.data, f"{each.licence} ({each.source})", scores, seconds)
        table.add_row(Text(each.name, style="bold"), *map(Text, cells))
    return table

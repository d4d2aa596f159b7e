"""Examples of tinygrad-lstm study:

tinygrad-lstm study --list

tinygrad-lstm study temporal-order --html temporal-order.html

tinygrad-lstm study temporal-order --only gap=10 --verify

tinygrad-lstm study temporal-order --run mine.json --only gap=20

tinygrad-lstm study jsb --data jsb_chorales.npz --run mine.json

Results that were measured before come with the package. --run measures anew,
into a file that grows with each run; stopped, the same command goes on.
"""

from __future__ import annotations

import csv
import io
import json
import random
import shlex
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer
from rich.progress import TextColumn, TimeElapsedColumn
from rich.text import Text

from ..interop.files import write_file
from .app import app, console, deliver, errors, progress, refuse, refusing, say, working, writing

if TYPE_CHECKING:
    from ..studies import Result, Row, Study

LONG = 60
"""Letters of a cell that no table in a terminal has room for; chosen: two columns of them would not fit."""


@app.command(epilog=__doc__)
def study(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Which study; --list tells them.")] = None,
    list_all: Annotated[bool, typer.Option("--list", help="Tell which studies there are, and what each asks.")] = False,
    run: Annotated[
        Path | None,
        typer.Option(metavar="FILE.json", help="Measure anew, into this file; what it has already is not run again."),
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Run one row of the results again, picked at random, and compare.")
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="SETTING=VALUE", help="Rows with this setting only, as in gap=10; several are all meant."),
    ] = None,
    results: Annotated[
        Path | None, typer.Option(metavar="FILE.json", help="Results to tell of, instead of the package's.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; one for each core if not given.")] = None,
    dask: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Run on a Dask cluster, as in tcp://host:8786.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(metavar="FILE.npz", help="Data of yours to learn from, for jsb: piano rolls.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the results as JSON; - prints them.")
    ] = None,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write them as CSV, a run a line; - prints them.")
    ] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE.html", help="Write the report as a page.")] = None,
    cell: Annotated[
        str | None,
        typer.Option(metavar="FILE.py:CLASS", help="A cell of yours, beside ours, for gradients; the file is run."),
    ] = None,
) -> None:
    """Tell what an experiment found, run it again, or check one of its runs."""
    from ..studies import STUDIES, by_name
    from ..studies.runs import ResultsError, in_order, load, packaged

    if list_all:
        if name is not None:
            raise refuse(f"--list is for all studies; to see {name}, leave it out")
        for each in map(by_name, STUDIES):
            console.print(Text.assemble((each.name, "bold"), f"  {each.question}"))
        return
    if name is None:
        raise refuse(f"say which study: {', '.join(STUDIES)}; --list tells what they ask")
    with refusing(ValueError):
        chosen = by_name(name) if data is None else _of_data(by_name(name), data)
        rows = _selected(chosen, only or [])
        own = None if cell is None else _class_of_cell(chosen, cell)
    if verify and run:
        raise refuse("--verify compares with results that there are, and --run measures new ones: one or the other")
    if results and run:
        raise refuse("--run FILE is both read and written; --results is for results that stay as they are")
    if (workers or dask) and not run:
        raise refuse("--workers and --dask say where runs are run: give --run FILE.json as well")
    if "-" in map(str, (run, html)) or (html and not html.name):
        raise refuse("--run and --html write files and need their names; --json - and --csv - print")
    if workers and dask:
        raise refuse("--workers are processes of this machine, --dask a cluster: give one of them")
    if run:
        head, found = _measured(chosen, rows, run, data, workers, dask)
    else:
        path = results or packaged(chosen)
        try:
            with refusing(ResultsError):
                head, found = load(path, chosen)
        except OSError as error:
            where = f"cannot read {path}: {error.strerror}" if results else f"{name} was not measured yet"
            raise refuse(f"{where}; measure with --run FILE.json") from error
    some = only or data or (verify and chosen.reading)  # without its data, a row cannot be run again
    found = [result for result in in_order(chosen.rows(), found) if not some or result.row in rows]
    if not found:
        raise refuse(f"there are no results of these rows of {name} yet; measure with --run FILE.json")
    if verify:
        _verify(chosen, found)
        return
    if own is not None:
        with working(f"measuring {cell}"), refusing(ValueError):
            found = [*found, own()]
    if json_file:
        deliver(json_file, json.dumps({**head, "results": [vars(each) for each in found]}, indent=1) + "\n")
    if csv_file:
        deliver(csv_file, _csv(found))
    if results and (html or not (json_file or csv_file)):
        _require_whole(chosen, found, results)
    if html:
        from ..studies.page import page

        moment = html.with_name(f"{html.stem}-walk.html")
        with working("writing the page"), writing(html), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a walk that has no picture is one all the same
            write_file(html, page(chosen, head, found, quote(moment.name) if chosen.walk else None))
            if chosen.walk:
                write_file(moment, chosen.walk.make())
        say(f"wrote {html}{f' and {moment.name}' if chosen.walk else ''}; open it in a browser")
    if not (json_file or csv_file or html):
        _tell(chosen, head, found)


def _require_whole(study: Study, found: list[Result], path: Path) -> None:
    """Refuse results of a person's file that lack what is told of them."""
    try:
        study.report(found)
    except Exception as error:
        kind = type(error).__name__
        raise refuse(f"{path} holds rows that are none of {study.name}, or not whole: {kind}: {error}") from error


def _of_data(study: Study, file: Path) -> Study:
    """Return the study of a person's data. Raises ValueError for one that takes none, and a file that holds none."""
    if study.reading is None:
        raise ValueError(f"{study.name} draws its data itself; jsb reads a file, --data FILE.npz")
    return study.reading(file)


def _class_of_cell(study: Study, target: str) -> Callable[[], Result]:
    """Return what measures a cell of the user's beside ours. Raises ValueError for what is no class of a cell."""
    from .target import class_of_cell, running

    own = study.own
    if own is None:
        raise ValueError(f"{study.name} takes no cell of yours; gradients does")
    file, _, name = target.rpartition(":")
    kind = class_of_cell(target, f"made by {name}(D, H, rng=seed)")

    def measured() -> Result:
        with running(file, name):
            return own(name, kind)

    return measured


def _selected(study: Study, only: Sequence[str]) -> list[Row]:
    """Return the rows that have all these settings. Raises ValueError where there are none."""
    rows = study.rows()
    for condition in only:
        setting, equals, value = condition.partition("=")
        names = dict.fromkeys(name for row in study.rows() for name in row)
        if not equals or setting not in names:
            raise ValueError(f"--only takes SETTING=VALUE, a setting of {', '.join(names)}, not {condition!r:.60}")
        there = dict.fromkeys(str(row[setting]) for row in rows)
        rows = [row for row in rows if str(row[setting]) == value]
        if not rows:
            raise ValueError(f"no row of {study.name} has {setting}={value:.60}; there are {'; '.join(there)}")
    return rows


def _measured(
    study: Study, rows: list[Row], path: Path, data: Path | None, workers: int | None, address: str | None
) -> tuple[dict[str, Any], list[Result]]:
    """Run the rows that the file has not, each kept as it comes; return what the file then holds."""
    from ..structure.words import clean
    from ..studies.executors import NoCluster, dask, processes
    from ..studies.runs import ResultsError, RowFailed, in_order, load, missing, run_rows, save, words

    found: list[Result] = []
    if path.exists():
        try:
            with refusing(ResultsError):
                found = load(path, study)[1]
        except OSError as error:
            raise refuse(f"cannot read {path}: {error.strerror}") from error
    given = ["--data", data.name] if data else []
    command = shlex.join(["tinygrad-lstm", "study", study.name, *given, "--run", path.name])  # by which rows come about

    def keep() -> None:
        save(path, study, in_order(study.rows(), found), command)

    with writing(path):
        keep()  # before hours of work depend on it
    left = missing(rows, found)
    say(f"{len(rows) - len(left)} of {len(rows)} runs are in {path}")
    where: AbstractContextManager[Executor] = dask(address) if address else processes(workers)
    seen = TextColumn("{task.fields[last]}")
    shown = progress(TimeElapsedColumn(), seen, console=errors, disable=not errors.is_terminal)
    with refusing(NoCluster, RowFailed), where as executor, shown as bars, writing(path):
        bar = bars.add_task(study.name, total=len(rows), completed=len(rows) - len(left), last="")
        for result in run_rows(study, left, executor):
            found.append(result)
            keep()
            bars.update(bar, advance=1, last=f"{clean(words(result.row), 50)}: {result.seconds:.0f} s")
    return load(path, study)


def _verify(study: Study, found: Sequence[Result]) -> None:
    """Run one of the results' rows again and compare; exit with 1 if anything differs."""
    from ..studies.runs import differences, run_rows, words

    before = random.choice(found)
    say(f"running again: {words(before.row)}; it took {before.seconds:.0f} s")
    with refusing(ValueError):  # of data that are not there
        (now,) = run_rows(study, [before.row])
    wrong = differences(before.values, now.values)
    if not wrong:
        console.print(Text(f"the same, to the last digit, in {now.seconds:.0f} s", style="green"))
        return
    for line in wrong[:20]:
        say(line, style="yellow")
    say(f"{len(wrong)} numbers differ; another BLAS or processor rounds otherwise, and learning amplifies it", "red")
    raise typer.Exit(1)


def _csv(found: Sequence[Result]) -> str:
    """Return the results with a run a line; what is a list or a mapping stands as JSON in its cell."""
    names = list(dict.fromkeys(name for each in found for name in each.row))
    values = list(dict.fromkeys(name for each in found for name in each.values))
    written = io.StringIO()
    sheet = csv.writer(written, lineterminator="\n")
    sheet.writerow([*names, *values, "seconds"])
    for each in found:
        cells = [*(each.row.get(name) for name in names), *(each.values.get(name) for name in values), each.seconds]
        sheet.writerow([json.dumps(cell) if isinstance(cell, list | dict) else cell for cell in cells])
    return written.getvalue()


def _tell(study: Study, head: dict[str, Any], found: list[Result]) -> None:
    """Print the report: its words and its tables; its figures are on the page."""
    console.print(Text(study.title, style="bold"))
    for line in _report(study, found):
        console.print(Text(line), soft_wrap=True)
    seconds = sum(each.seconds for each in found)
    measured = f"measured with {head.get('version')}, {seconds:,.0f} s of computing: {head.get('command')}"
    console.print(Text(measured, style="dim"), soft_wrap=True)


def _report(study: Study, found: list[Result]) -> Iterator[str]:
    """Yield the report in lines of text; a table of long cells as a list."""
    from textwrap import fill

    from ..structure.tables import text_table

    width = min(console.width, 100)
    for section in study.report(found):
        paragraphs = [fill(paragraph, width) for paragraph in section.prose.split("\n\n")]
        yield "\n\n".join([f"\n{section.title}", *paragraphs])
        table = section.table
        if table and max(len(str(cell)) for row in table.rows for cell in row) > LONG:
            for first, *others in table.rows:
                pairs = zip(table.head[1:], others, strict=True)
                yield "\n".join([f"\n{first}", *(f"  {name}: {cell}" for name, cell in pairs)])
        elif table:
            yield "\n" + text_table(table.rows, head=table.head, align=table.align)

"""Running a study: all its rows, on any executor, into a file from which it goes on after whatever stopped it."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, as_completed
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from ..interop.files import write_file
from .study import Result, Row, Study


def run_rows(study: Study, rows: Sequence[Row], executor: Executor | None = None) -> Iterator[Result]:
    """Run rows of a study; yield each result as it comes: in the order of the rows without an executor, or in any.

    What is sent to the executor is the study's ``run`` by its name, and a row; what comes back is a result.

    Arguments:
        study: whose rows they are.
        rows: settings of runs.
        executor: any ``concurrent.futures.Executor``: of processes, of a Dask cluster; None for this process.

    Raises:
        RowFailed: once all others are through, for the first row whose run failed, with why.

    >>> from tinygrad_lstm.studies import by_name
    >>> small = [{**row, "budget": 16, "seeds": 1} for row in by_name("adding").rows()[:2]]
    >>> [result.row["contender"] for result in run_rows(by_name("adding"), small)]
    ['RNN', 'RNN, orthogonal']
    """
    if executor is None:
        for row in rows:
            yield _run(study.run, row)
        return
    futures: dict[Future[Result], Row] = {executor.submit(_run, study.run, row): row for row in rows}
    failed: RowFailed | None = None
    try:
        for future in as_completed(futures):
            try:
                yield future.result()
            except Exception as error:
                failed = failed or RowFailed(f"{words(futures[future])}: {said(error)}")
    finally:
        for future in futures:
            future.cancel()
    if failed:
        raise failed


class RowFailed(Exception):
    """A run that did not come to its end; those that did are kept."""


def _run(run: Callable[..., dict[str, Any]], row: Row) -> Result:
    start = time.perf_counter()
    values = run(**row)
    return Result(row, values, round(time.perf_counter() - start, 2))


def words(row: Row) -> str:
    """Return the settings of a row in words.

    >>> words({"gap": 10, "contender": "GRU"})
    'gap=10, contender=GRU'
    """
    return ", ".join(f"{name}={value}" for name, value in row.items())


def said(error: BaseException) -> str:
    """Return what an error says in one line, and what kind it is where it says little."""
    line = " ".join(str(error).split())
    return f"{type(error).__name__}: {line}" if line else type(error).__name__


class ResultsError(ValueError):
    """A file of results that is none, or is another study's."""


def packaged(study: Study) -> Path:
    """Return where the results are that come with the package."""
    return Path(__file__).parent / "results" / f"{study.name}.json"


def save(path: Path, study: Study, results: Sequence[Result], command: str) -> None:
    """Write results with the command, the version and the seconds they took: the file is whole, or the one before.

    Raises OSError for a file that cannot be written.
    """
    head = {
        "study": study.name,
        "command": command,
        "version": _version(),
        "numpy": np.__version__,
        "seconds": round(sum(result.seconds for result in results), 1),
    }
    lines = [
        json.dumps({"row": result.row, "values": result.values, "seconds": result.seconds}, ensure_ascii=False)
        for result in results
    ]
    opened = json.dumps(head, ensure_ascii=False)[:-1]
    write_file(path, f'{opened}, "results": [\n' + ",\n".join(lines) + "\n]}\n")


def _version() -> str:
    """Return the version of this package; "unknown" where it is not installed."""
    try:
        return version("tinygrad-lstm")
    except PackageNotFoundError:
        return "unknown"


def load(path: Path, study: Study) -> tuple[dict[str, Any], list[Result]]:
    """Return what stands in a file of results: the command, version and seconds, and the results.

    Raises:
        ResultsError: for a file that is no such, or holds another study's results.
        OSError: for a file that cannot be read.
    """
    try:
        head = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refused)
        found = head.pop("results")
        results = [Result(dict(each["row"]), dict(each["values"]), float(each["seconds"])) for each in found]
        name = head["study"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ResultsError(f"{path} is no file of a study's results: {said(error)}") from error
    if name != study.name:
        raise ResultsError(f"{path} holds results of {name!r:.60}, not of {study.name!r}; name another file")
    return head, results


def _refused(constant: str) -> float:
    raise ValueError(f"it holds {constant}, which JSON has not")


def missing(rows: Sequence[Row], results: Sequence[Result]) -> list[Row]:
    """Return the rows that have no result yet.

    >>> missing([{"gap": 10}, {"gap": 20}], [Result({"gap": 10}, {}, 0.0)])
    [{'gap': 20}]
    """
    done = [result.row for result in results]
    return [row for row in rows if row not in done]


def in_order(rows: Sequence[Row], results: Sequence[Result]) -> list[Result]:
    """Return the results in the order of the study's rows, those of other rows after them."""
    place = {json.dumps(row): i for i, row in enumerate(rows)}
    return sorted(results, key=lambda result: place.get(json.dumps(result.row), len(place)))


def differences(before: Any, now: Any, path: str = "") -> list[str]:
    """Return where two values that JSON holds differ, in words; nothing where they are the same.

    >>> differences({"rate": 0.01, "sequences": [1, None]}, {"rate": 0.01, "sequences": [2, None]})
    ['sequences[0] was 1, is 2']
    """
    if isinstance(before, dict) and isinstance(now, dict) and before.keys() == now.keys():
        return [
            line for key in before for line in differences(before[key], now[key], f"{path}.{key}" if path else str(key))
        ]
    if isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        pairs = enumerate(zip(before, now, strict=True))
        return [line for i, (old, new) in pairs for line in differences(old, new, f"{path}[{i}]")]
    same = before == now or (_is_nan(before) and _is_nan(now))
    return [] if same else [f"{path} was {before}, is {now}"]


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)

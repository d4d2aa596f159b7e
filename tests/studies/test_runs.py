"""A study's runs come to the same whatever runs them, and what they found is kept whatever stops them."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.studies import STUDIES, Result, Section, Study, by_name, jsb
from tinygrad_lstm.studies.executors import NoCluster, dask, processes
from tinygrad_lstm.studies.jsb_report import SPLIT_2018
from tinygrad_lstm.studies.runs import (
    ResultsError,
    RowFailed,
    differences,
    in_order,
    load,
    missing,
    packaged,
    run_rows,
    save,
)


def doubled(number, waits=0.0):
    if number < 0:
        raise ValueError("no number\nbelow zero")
    time.sleep(waits)
    return {"twice": 2 * number, "process": os.getpid()}


ROWS = [{"number": n} for n in range(5)]
DOUBLING = Study("doubling", "Doubling", "What is twice a number?", lambda: ROWS, doubled, lambda results: [])


def found(rows, executor=None):
    return {result.row["number"]: result.values["twice"] for result in run_rows(DOUBLING, rows, executor)}


def test_any_executor_finds_the_same():
    wanted = {n: 2 * n for n in range(5)}
    assert found(ROWS) == wanted
    with ThreadPoolExecutor(2) as threads:
        assert found(ROWS, threads) == wanted
    with ProcessPoolExecutor(1) as forked:
        assert found(ROWS, forked) == wanted


@pytest.mark.slow
def test_a_worker_that_dies_is_told_and_what_was_found_is_kept():
    with processes(1) as executor:
        runs = run_rows(DOUBLING, [{"number": n, "waits": 0.2 * n} for n in range(8)], executor)
        kept = [next(runs).values["twice"]]
        (worker,) = executor._processes
        os.kill(worker, signal.SIGKILL)
        with pytest.raises(RowFailed, match="a worker died"):
            kept += [result.values["twice"] for result in runs]
    assert kept == [2 * n for n in range(len(kept))]


@pytest.mark.slow
def test_nobody_waits_for_a_run_that_is_not_wanted_any_more():
    rows = [{"number": 1}, *({"number": n, "waits": 1000.0} for n in range(3))]
    with processes(1) as executor:
        runs = run_rows(DOUBLING, rows, executor)
        assert next(runs).values["twice"] == 2
        worker = multiprocessing.active_children()[-1]
    until = time.monotonic() + 10  # a join ends at once, with no exit code, while the executor's thread joins it, too
    while worker.exitcode is None and time.monotonic() < until:
        time.sleep(0.01)
    assert worker.exitcode is not None


@pytest.mark.slow
def test_processes_are_others_than_this_one():
    with processes(2) as executor:
        used = {result.values["process"] for result in run_rows(DOUBLING, ROWS, executor)}
    assert os.getpid() not in used
    assert "OPENBLAS_NUM_THREADS" in os.environ, "as it was before"


def test_a_run_that_fails_is_told_and_the_others_are_kept():
    rows = [{"number": 1}, {"number": -1}, {"number": 2}]
    with ThreadPoolExecutor(1) as executor:
        runs = run_rows(DOUBLING, rows, executor)
        kept = [next(runs).row["number"] for _ in range(2)]
        with pytest.raises(RowFailed, match=r"^number=-1: ValueError: no number below zero$"):
            next(runs)
    assert sorted(kept) == [1, 2]


def test_results_are_read_as_they_were_written(tmp_path):
    results = [Result({"number": 1, "name": "µ"}, {"twice": 2, "list": [1, None, 0.1]}, 0.5)]
    save(tmp_path / "r.json", DOUBLING, results, "tinygrad-lstm study doubling")
    head, again = load(tmp_path / "r.json", DOUBLING)
    assert again == results
    assert head["command"] == "tinygrad-lstm study doubling"
    assert head["version"] == tl.__version__
    assert head["seconds"] == 0.5
    assert json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["results"][0]["row"]["name"] == "µ"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        "null",
        '{"study": "doubling"}',
        '{"study": "doubling", "results": 3}',
        '{"study": "doubling", "results": [1]}',
        '{"study": "doubling", "results": [{"row": {}, "values": {}}]}',
        '{"study": "doubling", "results": [{"row": {}, "values": {"x": NaN}, "seconds": 1}]}',
        "[" * 100_000,
        "\x00",
    ],
)
def test_a_file_that_holds_no_results_is_refused_in_a_line(tmp_path, content):
    (tmp_path / "r.json").write_text(content, encoding="utf-8")
    with pytest.raises(ResultsError, match="is no file of a study's results") as refused:
        load(tmp_path / "r.json", DOUBLING)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_no_text_is_refused_too(tmp_path):
    (tmp_path / "r.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ResultsError, match="is no file of a study's results"):
        load(tmp_path / "r.json", DOUBLING)


def test_another_studys_results_are_refused(tmp_path):
    save(tmp_path / "r.json", DOUBLING, [], "")
    with pytest.raises(ResultsError, match="holds results of 'doubling', not of 'adding'"):
        load(tmp_path / "r.json", by_name("adding"))


def test_what_is_missing_is_run_and_the_order_is_that_of_the_rows():
    results = [Result(row, {}, 0.0) for row in (ROWS[3], ROWS[1])]
    assert missing(ROWS, results) == [ROWS[0], ROWS[2], ROWS[4]]
    assert [each.row for each in in_order(ROWS, results)] == [ROWS[1], ROWS[3]]


def test_differences_are_told_by_their_place():
    assert differences({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}) == []
    assert differences({"a": [1, {"b": None}]}, {"a": [1, {"b": 2}]}) == ["a[1].b was None, is 2"]
    assert differences({"a": 1}, {"b": 1}) == [" was {'a': 1}, is {'b': 1}"]
    assert differences(float("nan"), float("nan")) == []


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_has_rows_that_json_holds_each_once(name):
    study = by_name(name)
    rows = study.rows()
    assert study.name == name
    assert rows
    assert json.loads(json.dumps(rows)) == rows
    assert len({json.dumps(row) for row in rows}) == len(rows)
    assert study.question.endswith("?") or "." in study.question
    assert study.report([]) == []


@pytest.mark.parametrize("name", STUDIES)
def test_results_that_come_with_the_package_are_of_rows_that_there_are(name):
    study = by_name(name)
    if not packaged(study).exists():
        pytest.skip(f"{name} was not measured yet")
    head, results = load(packaged(study), study)
    assert head["version"]
    assert head["command"].startswith("tinygrad-lstm study")
    assert [each.row for each in in_order(study.rows(), results)] == [each.row for each in results]
    rows = study.rows() + (jsb.rows(SPLIT_2018) if study.reading else [])
    assert not [each.row for each in results if each.row not in rows]
    sections = study.report(results)
    assert all(isinstance(section, Section) for section in sections)


def test_all_results_together_are_small():
    folder = Path(packaged(by_name("adding"))).parent
    assert sum(file.stat().st_size for file in folder.glob("*.json")) < 1_000_000


def test_without_the_library_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(NoCluster, match=r"pip install 'tinygrad-lstm\[dask\]'"), dask("tcp://127.0.0.1:1"):
        pass


@pytest.mark.parametrize("address", ["there", "http://there", ""])
def test_an_address_without_a_port_is_refused_at_once(monkeypatch, address):
    monkeypatch.setitem(sys.modules, "distributed", SimpleNamespace())
    with pytest.raises(NoCluster, match="no Dask scheduler answers at"), dask(address):
        pass


@pytest.mark.slow
def test_where_no_scheduler_answers_it_is_said_in_a_line():
    pytest.importorskip("distributed")
    with (
        pytest.raises(NoCluster, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"),
        dask("tcp://127.0.0.1:9", patience=1.0),
    ):
        pass


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_cluster_whose_worker_is_killed_loses_nothing_and_finds_what_one_process_finds():
    distributed = pytest.importorskip("distributed")
    study = by_name("adding")
    rows = [{**row, "gap": gap, "budget": 1600, "seeds": 2} for row in study.rows()[:4] for gap in (10, 12)]
    serial = {json.dumps(each.row): each.values for each in run_rows(study, rows)}
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
        ) as cluster,
        dask(cluster.scheduler_address) as executor,
    ):
        first = cluster.workers[0].pid
        several = {}
        for number, result in enumerate(run_rows(study, rows, executor)):
            several[json.dumps(result.row)] = result.values
            if number == 0:
                os.kill(first, signal.SIGKILL)
    assert several == serial


SLOW = """
import sys, time
from pathlib import Path
from types import SimpleNamespace
from tests.studies.test_runs import DOUBLING
from tinygrad_lstm.studies.runs import load, missing, run_rows, save
path = Path(sys.argv[1])
kept = load(path, DOUBLING)[1] if path.exists() else []
rows = [{"number": n, "waits": 0.05} for n in range(12)]
for result in run_rows(DOUBLING, missing(rows, kept)):
    kept.append(result)
    save(path, DOUBLING, kept, "")
"""


@pytest.mark.slow
def test_killed_at_any_moment_the_file_is_whole_and_the_runs_go_on(tmp_path):
    path, command = tmp_path / "r.json", [sys.executable, "-c", SLOW]
    seen = 0
    for _ in range(4):
        running = subprocess.Popen([*command, str(path)], cwd=Path(__file__).parents[2])
        before = seen
        while running.poll() is None and seen < before + 2:
            seen = len(load(path, DOUBLING)[1]) if path.exists() else 0
        running.kill()
        running.wait()
        now = len(load(path, DOUBLING)[1])
        assert now >= seen
        seen = now
    subprocess.run([*command, str(path)], check=True, cwd=Path(__file__).parents[2])
    results = load(path, DOUBLING)[1]
    assert sorted(each.row["number"] for each in results) == list(range(12))
    assert all(each.values["twice"] == 2 * each.row["number"] for each in results)

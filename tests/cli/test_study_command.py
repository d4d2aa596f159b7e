"""The command study: it tells, measures, goes on, compares, and refuses in a line."""

import csv
import dataclasses
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from tinygrad_lstm.cli.app import app
from tinygrad_lstm.studies import STUDIES
from tinygrad_lstm.studies import study as kinds

RUNS = []


def run(gap, contender):
    RUNS.append((gap, contender))
    if contender == "breaks":
        raise ArithmeticError("it broke\nin two lines")
    return {"solved": gap < 50, "sequences": [gap, None]}


ROWS = [{"gap": gap, "contender": contender} for gap in (10, 50) for contender in ("RNN", "LSTM")]


def report(results):
    table = kinds.Table(["gap", "solved"], [[each.row["gap"], each.values["solved"]] for each in results], "rl")
    return [kinds.Section("What was seen", "As the gap grows.\n\nTwo paragraphs.", table=table)] if results else []


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A study that takes no time, run in this process."""
    walk = kinds.Walk("", "", lambda: "<p>the walk</p>")
    study = kinds.Study("toy", "A toy", "Does it run?", lambda: ROWS, run, report, walk)
    monkeypatch.setitem(sys.modules, "tinygrad_lstm.studies.toy", SimpleNamespace(STUDY=study))
    monkeypatch.setitem(STUDIES, "toy", "toy")

    @contextmanager
    def this_one(workers=None):
        yield None

    monkeypatch.setattr("tinygrad_lstm.studies.executors.processes", this_one)
    monkeypatch.setattr("tinygrad_lstm.studies.runs.packaged", lambda study: tmp_path / "packaged.json")
    monkeypatch.chdir(tmp_path)
    RUNS.clear()
    return tmp_path


def call(*arguments):
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, ["study", *map(str, arguments)])


def refused(*arguments):
    done = call(*arguments)
    assert done.exit_code == 2, done.output
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1 or lines[-1].startswith("tinygrad-lstm: "), done.stderr
    return done.stderr


def test_it_lists_the_studies_and_what_they_ask():
    done = call("--list")
    assert done.exit_code == 0
    assert all(name in done.stdout for name in STUDIES)


def test_it_measures_tells_and_goes_on_where_it_stopped(here):
    done = call("toy", "--run", "r.json", "--only", "gap=10")
    assert done.exit_code == 0, done.stderr
    assert [("10" in line and "True" in line) for line in done.stdout.splitlines()].count(True) == 2
    assert RUNS == [(10, "RNN"), (10, "LSTM")]
    done = call("toy", "--run", "r.json")
    assert RUNS == [(10, "RNN"), (10, "LSTM"), (50, "RNN"), (50, "LSTM")]
    assert "2 of 4 runs are in r.json" in done.stderr
    kept = json.loads((here / "r.json").read_text())
    assert [each["row"] for each in kept["results"]] == ROWS
    assert kept["study"] == "toy"
    call("toy", "--run", "r.json")
    assert len(RUNS) == 4


def test_results_of_the_package_are_told_without_running(here):
    call("toy", "--run", "packaged.json")
    RUNS.clear()
    done = call("toy")
    assert done.exit_code == 0
    assert "What was seen" in done.stdout
    assert "Two paragraphs." in done.stdout
    assert RUNS == []


def test_verifying_runs_one_row_again_and_compares(here):
    call("toy", "--run", "r.json")
    RUNS.clear()
    done = call("toy", "--results", "r.json", "--verify", "--only", "gap=50", "--only", "contender=LSTM")
    assert done.exit_code == 0, done.stderr
    assert "the same, to the last digit" in done.stdout
    assert RUNS == [(50, "LSTM")]


def test_what_cannot_be_run_again_is_told_in_a_line(here):
    call("toy", "--run", "r.json")

    def lacking(gap, contender):
        raise ValueError("the data are not there")

    toy = sys.modules["tinygrad_lstm.studies.toy"]
    toy.STUDY = dataclasses.replace(toy.STUDY, run=lacking)
    said = refused("toy", "--results", "r.json", "--verify")
    assert said.splitlines()[-1] == "tinygrad-lstm: the data are not there"


def test_verifying_notices_what_differs(here):
    call("toy", "--run", "r.json")
    text = (here / "r.json").read_text()
    (here / "r.json").write_text(text.replace("[10, null]", "[11, null]"))
    done = call("toy", "--results", "r.json", "--verify", "--only", "gap=10")
    assert done.exit_code == 1
    assert "sequences[0] was 11, is 10" in done.stderr


def test_results_are_written_as_json_csv_and_a_page(here):
    call("toy", "--run", "r.json")
    done = call("toy", "--results", "r.json", "--json", "all.json", "--csv", "all.csv", "--html", "a page.html")
    assert done.exit_code == 0, done.stderr
    assert [each["row"] for each in json.loads((here / "all.json").read_text())["results"]] == ROWS
    with (here / "all.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert [int(line["gap"]) for line in lines] == [10, 10, 50, 50]
    assert lines[0]["sequences"] == "[10, null]"
    assert float(lines[0]["seconds"]) >= 0
    page = (here / "a page.html").read_text(encoding="utf-8")
    assert 'href="a%20page-walk.html"' in page
    assert (here / "a page-walk.html").read_text() == "<p>the walk</p>"


def test_what_was_written_as_json_can_be_read_again(here):
    call("toy", "--run", "r.json")
    call("toy", "--results", "r.json", "--json", "all.json")
    assert call("toy", "--results", "all.json").exit_code == 0


def test_a_run_that_breaks_is_told_in_a_line_and_what_was_found_is_kept(here, monkeypatch):
    broken = [*ROWS[:1], {"gap": 10, "contender": "breaks"}]

    @contextmanager
    def threads(workers=None):
        with ThreadPoolExecutor(1) as executor:
            yield executor

    monkeypatch.setattr("tinygrad_lstm.studies.executors.processes", threads)
    study = sys.modules["tinygrad_lstm.studies.toy"].STUDY
    sys.modules["tinygrad_lstm.studies.toy"].STUDY = kinds.Study("toy", "", "", lambda: broken, study.run, study.report)
    assert "contender=breaks: ArithmeticError: it broke in two lines" in refused("toy", "--run", "r.json")
    assert len(json.loads((here / "r.json").read_text())["results"]) == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "say which study"),
        (("nothing",), "there is no study 'nothing'; there are"),
        (("toy", "--list"), "--list is for all studies"),
        (("toy",), "toy was not measured yet; measure with --run FILE.json"),
        (("toy", "--results", "none.json"), "cannot read none.json: No such file"),
        (("toy", "--run", "r.json", "--verify"), "one or the other"),
        (("toy", "--run", "r.json", "--results", "r.json"), "--run FILE is both read and written"),
        (("toy", "--run", "-"), "--run and --html write files and need their names; --json - and --csv - print"),
        (("toy", "--html", "-"), "--run and --html write files and need their names"),
        (("toy", "--html", "."), "--run and --html write files and need their names"),
        (
            ("toy", "--results", "odd.json"),
            "odd.json holds rows that are none of toy, or not whole: KeyError: 'solved'",
        ),
        (("toy", "--workers", "2"), "--workers and --dask say where runs are run"),
        (("toy", "--run", "r.json", "--workers", "2", "--dask", "tcp://a:1"), "give one of them"),
        (("toy", "--run", "r.json", "--only", "gap"), "--only takes SETTING=VALUE, a setting of gap, contender"),
        (("toy", "--run", "r.json", "--only", "size=3"), "--only takes SETTING=VALUE"),
        (("toy", "--run", "r.json", "--only", "gap=11"), "no row of toy has gap=11; there are 10; 50"),
        (("toy", "--run", "missing/r.json"), "cannot write missing/r.json: No such file or directory"),
        (("toy", "--run", "text.txt"), "text.txt is no file of a study's results"),
        (("toy", "--run", "."), "cannot read .: Is a directory"),
        (("toy", "--results", "text.txt"), "text.txt is no file of a study's results"),
        (("toy", "--results", "other.json"), "holds results of 'adding', not of 'toy'"),
        (("toy", "--results", "empty.json"), "there are no results of these rows of toy yet"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(here, arguments, says):
    (here / "text.txt").write_text("a line of text\n" * 3)
    (here / "other.json").write_text('{"study": "adding", "results": []}')
    (here / "odd.json").write_text('{"study": "toy", "results": [{"row": {"gap": 1}, "values": {}, "seconds": 1}]}')
    (here / "empty.json").write_text('{"study": "toy", "results": []}')
    said = refused(*arguments)
    assert says in said
    assert len([line for line in said.splitlines() if "tinygrad-lstm:" in line]) == 1


@pytest.mark.parametrize(
    "arguments", [("--run", "r.json", "--workers", "0"), ("--workers", "two"), ("--run",), ("--nothing",), ("a", "b")]
)
def test_options_that_are_none_are_told_in_one_line(here, arguments):
    assert refused("toy", *arguments).count("\n") == 1


def as_data(path):
    """A toy that learns from a file: its one row is what the file holds."""
    text = path.read_text()
    if text == "nothing":
        raise ValueError(f"{path} holds nothing")
    rows = [{"gap": int(text), "contender": "of the file"}]
    return dataclasses.replace(sys.modules["tinygrad_lstm.studies.toy"].STUDY, rows=lambda: rows)


def test_a_study_learns_from_data_of_a_persons(here):
    toy = sys.modules["tinygrad_lstm.studies.toy"]
    toy.STUDY = dataclasses.replace(toy.STUDY, reading=as_data)
    (here / "data").write_text("20")
    assert call("toy", "--data", "data", "--run", "r.json").exit_code == 0
    assert call("toy", "--run", "r.json").exit_code == 0
    assert [gap for gap, _ in RUNS] == [20, 10, 10, 50, 50]
    RUNS.clear()
    done = call("toy", "--data", "data", "--results", "r.json", "--verify")
    assert (done.exit_code, RUNS) == (0, [(20, "of the file")])
    for _ in range(8):
        call("toy", "--results", "r.json", "--verify")
    assert RUNS.count((20, "of the file")) == 1, "without the data, its rows cannot be run again"
    assert "20" in call("toy", "--results", "r.json").stdout
    command = json.loads((here / "r.json").read_text())["command"]
    assert command == "tinygrad-lstm study toy --run r.json"
    call("toy", "--data", "data", "--run", "r.json")
    command = json.loads((here / "r.json").read_text())["command"]
    assert command == "tinygrad-lstm study toy --data data --run r.json"
    (here / "data").write_text("nothing")
    assert refused("toy", "--data", "data") == "tinygrad-lstm: data holds nothing\n"


def test_a_study_that_draws_its_data_takes_none(here):
    assert "toy draws its data itself; jsb reads a file" in refused("toy", "--data", "data")


def test_a_page_that_cannot_be_written_is_told(here):
    call("toy", "--run", "r.json")
    for option in ("--html", "--json", "--csv"):
        assert "cannot write no/file" in refused("toy", "--results", "r.json", option, "no/file")


def test_a_dash_prints_the_results(here):
    call("toy", "--run", "r.json")
    done = call("toy", "--results", "r.json", "--csv", "-")
    assert [line["gap"] for line in csv.DictReader(done.stdout.splitlines())] == ["10", "10", "50", "50"]
    done = call("toy", "--results", "r.json", "--json", "-")
    assert [each["row"] for each in json.loads(done.stdout)["results"]] == ROWS
    assert not done.stderr
    assert [file.name for file in here.iterdir()] == ["r.json"]

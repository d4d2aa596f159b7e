"""The applications by command: what there is, which file it is, and what is refused in one line."""

import pytest
from typer.testing import CliRunner

from tinygrad_lstm.cli.app import app
from tinygrad_lstm.studies.applications import APPLICATIONS


def demo(*arguments, **environment):
    return CliRunner(env={"COLUMNS": "200", **environment}).invoke(app, ["demo", *arguments])


def test_the_list_tells_data_and_licence_with_its_source_of_each():
    said = " ".join(demo("--list").stdout.replace("│", " ").split())
    for name, each in APPLICATIONS.items():
        assert name in said
        assert each.licence.split()[0] in said
        assert each.source.split()[0] in said


def test_where_tells_the_file_and_runs_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert demo("language", "--where").stdout.strip().endswith("language.py")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "say which application: language, grammar"),
        (["langauge"], "there is no application 'langauge'"),
        (["grammar", "--data", "x"], "grammar draws its data itself"),
        (["grammar", "--list"], "leave it out"),
    ],
)
def test_what_it_cannot_do_is_said_in_one_line(arguments, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = demo(*arguments)
    assert done.exit_code == 2
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_file_that_is_not_there_is_named_in_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    done = demo("language", "--small", "--data", "nowhere.txt")
    assert done.exit_code != 0
    assert "cannot read nowhere.txt: No such file" in f"{done.exception} {done.output}"

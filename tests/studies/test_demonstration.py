"""What the applications share: what they can be asked, a training that Ctrl-C ends, and scores that are kept."""

import json
import signal
from pathlib import Path

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.studies import applications
from tinygrad_lstm.studies.applications import APPLICATIONS, Unusable, file_of, path_of
from tinygrad_lstm.studies.demonstration import Score, asked, compare_speed, learn, look_inside, tell, text_of
from tinygrad_lstm.studies.pictures import learning, unit_and_truth
from tinygrad_lstm.studies.texts import cell_states, quoted, split_by_topic, worth_asking


@pytest.fixture
def line():
    model = tl.Linear(1, 1, rng=0)
    how = {
        "loss": lambda model, x: tl.mse_loss(model([[x]]), [[2 * x]]),
        "optimizer": tl.SGD(model.parameters(), lr=0.1),
        "about": "a line",
    }
    return model, how


def test_ctrl_c_ends_the_training_and_keeps_what_was_learned(line, capsys):
    model, how = line
    before, handler = model.weight.item(), signal.getsignal(signal.SIGINT)
    pressed = lambda moment: signal.raise_signal(signal.SIGINT) if moment.step == 3 else None
    assert learn(model, [1.0] * 50, steps=50, callbacks=[pressed], **how) is False
    assert abs(model.weight.item() - 2) < abs(before - 2)
    said = capsys.readouterr().out
    assert "3 updates" in said
    assert "asserts nothing" in said
    assert signal.getsignal(signal.SIGINT) is handler


def test_a_second_ctrl_c_ends_all(line):
    model, how = line
    with pytest.raises(KeyboardInterrupt):
        learn(model, [1.0] * 9, steps=9, callbacks=[lambda moment: signal.raise_signal(signal.SIGINT)] * 2, **how)


def test_scores_say_who_wins_and_are_kept(tmp_path, capsys):
    wins = Score("rate", 0.9, ("guess", 0.5), ("1-NN", 0.8), "none", better="high", weak="slow")
    loses = Score("bits", 2.0, ("1-grams", 4.0), ("6-grams", 1.5), "xz", weak="few words")
    assert (wins.wins, loses.wins) == (True, False)
    tell([wins, loses], tmp_path)
    said = capsys.readouterr().out
    assert "weak: slow" in said
    assert "loses: few words" in said
    kept = json.loads((tmp_path / "scores.json").read_text())
    assert [each["lstm"] for each in kept["scores"]] == [0.9, 2.0]


def test_a_look_inside_checks_every_parameter_and_writes_the_page(tmp_path, capsys):
    model = tl.nn.LanguageModel(5, 3, embedding_size=2, rng=0)
    loss = tl.cross_entropy(model([0, 1, 2])[0][-1:], [3])
    look_inside(loss, tmp_path)
    assert f"{len(model.parameters())} parameters agree" in capsys.readouterr().out
    assert (tmp_path / "step.html").stat().st_size > 10_000
    wrong = tl.primitive("wrong", lambda x: x * x, lambda g, y, x: (3 * x * g,))
    with pytest.raises(tl.testing.GradientError):
        look_inside(wrong(loss), tmp_path)


def test_speed_is_compared_and_leaves_no_gradient(capsys):
    layer = tl.LSTM(3, 4, rng=0)
    assert compare_speed(layer, np.ones((5, 2, 3))) > 0
    assert all(parameter.grad is None for parameter in layer.parameters())
    assert "times as fast" in capsys.readouterr().out


def test_what_can_be_asked_is_what_an_application_takes(tmp_path, capsys):
    given = asked("language", ["--data", "book.txt", "--seed", "3", "--out", str(tmp_path / "a" / "b")])
    assert (given.data, given.seed, given.small, given.out.is_dir()) == (Path("book.txt"), 3, False, True)
    for wrong in (["--seed", "-1"], ["--data", "x"]):
        with pytest.raises(SystemExit):
            asked("grammar", [*wrong, "--out", str(tmp_path)])
    assert "unrecognized arguments: --data" in capsys.readouterr().err


def test_a_missing_package_is_named_with_the_extra_that_brings_it():
    anomaly = APPLICATIONS["anomaly"]
    with pytest.raises(
        Unusable, match=r"no_such_package is not installed; pip install 'tinygrad-lstm\[demo-anomaly\]'"
    ):
        file_of(anomaly, "no_such_package", "a.csv")
    with pytest.raises(Unusable, match=r"this numpy has no data/a\.csv"):
        file_of(anomaly, "numpy", "data", "a.csv")
    assert file_of(anomaly, "numpy", "__init__.py").is_file()


def test_every_application_is_a_file_that_a_wheel_brings_too(monkeypatch, tmp_path):
    project = Path(__file__).parents[2] / "pyproject.toml"
    for name, each in APPLICATIONS.items():
        assert path_of(each).read_text(encoding="utf-8").startswith('"""')
        assert f'"demos/{name}.py" = "tinygrad_lstm/demos/{name}.py"' in project.read_text(encoding="utf-8")
        assert not each.packages or f"{each.extra} = [" in project.read_text(encoding="utf-8")
        assert each.licence
        assert each.source
    monkeypatch.setattr(applications, "__file__", str(tmp_path / "tinygrad_lstm" / "studies" / "applications.py"))
    (tmp_path / "tinygrad_lstm" / "demos").mkdir(parents=True)
    there = tmp_path / "tinygrad_lstm" / "demos" / "language.py"
    there.write_text("print('installed')")
    assert path_of(APPLICATIONS["language"]) == there
    with pytest.raises(Unusable, match="came with neither"):
        applications.run(APPLICATIONS["grammar"], [])


@pytest.mark.parametrize(("content", "says"), [(b"short", "needed to learn"), (b"\xff\xfe\xff", "not UTF-16 text")])
def test_a_text_that_cannot_be_learned_from_is_refused_in_one_line(content, says, tmp_path):
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(Unusable, match=says):
        text_of(tmp_path / "a.txt")
    with pytest.raises(Unusable, match="cannot read"):
        text_of(tmp_path / "b.txt")


def test_no_paragraph_stands_on_both_sides_or_twice():
    topics = {f"t{n}": f"common\n\n\n\nown {n}\n\nlike  {n // 2}\n\nlike {n // 2}\n" for n in range(8)}
    learned, held = (text.split("\n\n") for text in split_by_topic(topics, every=4, held=1))
    assert not {*learned} & {*held}
    assert "" not in learned + held
    assert {"common", "own 1", "own 5"} <= {each.strip() for each in held}
    both = [" ".join(each.split()) for each in learned + held if each.strip()]
    assert len(both) == len(set(both))


def test_a_paragraph_begins_outside_of_quotation_marks():
    assert quoted('"a\n\nb"c').tolist() == [1, 1, 0, 0, 0, 1, 1]
    assert worth_asking('a "b" c', 'd "e" f')[0] == "what is quoted"
    what, ask = worth_asking("no quotes", 'd "e" f')
    assert (what, ask("a b").tolist()) == ("where words end", [0, 1, 0])


def test_cell_states_are_those_of_the_model_as_it_reads(rng):
    model = tl.nn.LanguageModel(4, 3, embedding_size=2, rng=0)
    _, (_, c) = model([0, 3, 1])
    np.testing.assert_allclose(cell_states(model, [0, 3, 1])[-1], c.value.ravel())
    with pytest.raises(ValueError, match="no embedding"):
        cell_states(tl.nn.LanguageModel(4, 3, rng=0), [0, 1])


def test_pictures_name_what_they_show():
    plot = learning([(1, 4.0), (2, 3.0)], "bits", {"1-grams": 4.7, "6-grams": 1.6})
    assert all(word in plot for word in ("1-grams", "6-grams", "bits"))
    assert "unit 7 says" in unit_and_truth(7, [0.5, -0.5], [1, 0], "what is <quoted>", ['"', "<"])


def test_in_a_notebook_the_command_line_is_not_the_applications(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["/somewhere/ipykernel_launcher.py", "-f", "kernel.json"])
    assert not asked("grammar").small
    monkeypatch.setattr("sys.argv", ["grammar.py", "--small"])
    assert asked("grammar").small


def test_a_file_that_cannot_be_read_is_told_without_numbers_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError) as missing:
        (tmp_path / "nope.txt").read_text()
    assert str(Unusable(str(missing.value))) == f"tinygrad-lstm: cannot read {tmp_path / 'nope.txt'}: " + (
        "No such file or directory"
    )

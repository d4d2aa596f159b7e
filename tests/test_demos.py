"""The lessons are as short as they say, right, and would notice if they were not."""

import csv
import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from demos import scores
from tinygrad_lstm.studies import speaker
from tinygrad_lstm.studies.applications import APPLICATIONS, measured, path_of

DEMOS = Path(__file__).parent.parent / "demos"
RETOLD, READ = DEMOS / "backprop_in_forty_lines.py", DEMOS / "read_the_backward_pass.py"


def execute(source, path=RETOLD):
    exec(compile(source, path, "exec"), {"__name__": "retold"})


def test_the_engine_retold_agrees_with_the_engine(capsys):
    execute(RETOLD.read_text(encoding="utf-8"))
    assert "the same gradients" in capsys.readouterr().out


def test_it_has_forty_lines():
    source = RETOLD.read_text(encoding="utf-8")
    idea = source[source.index("PRIMITIVES = ") : source.index("# 6. An LSTM")]
    lines = [line for line in idea.splitlines() if line.strip() and not re.match("#|assert", line)]
    assert 38 <= len(lines) <= 44


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("a, b: (g, g)", "a, b: (g, g + g)"),
        ("(g * b, g * a)", "(g * a, g * b)"),
        ("a.T @ g)", "a.T @ (g * g))"),
        ("g * (1 - y * y)", "g * (1 - y)"),
        ("g * y * (1 - y)", "g * y * (1 + y)"),
        ("np.split(g, [a.shape[1]], axis=1)", "np.split(g * 2, [a.shape[1]], axis=1)"),
        ("np.broadcast_to(g, x.shape)", "np.broadcast_to(-g, x.shape)"),
        ("gradients.get(x, 0) + ", ""),
        ("node.serial, reverse=True", "node.serial"),
    ],
)
def test_a_mistake_in_it_is_noticed(right, wrong):
    source = RETOLD.read_text(encoding="utf-8")
    assert source.count(right) == 1
    with pytest.raises((AssertionError, KeyError)):
        execute(source.replace(right, wrong))


def test_the_backward_pass_is_read_from_the_equations_to_the_speed(capsys):
    source = READ.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 120
    execute(source, READ)
    printed = capsys.readouterr().out
    assert "comes from read_the_backward_pass.py:" in printed
    assert "(7)  ∂L/∂W_f = Σ_t z_tᵀ δ_{f,t}" in printed
    assert "tl.compile " in printed
    assert "The line that clips: dh = np.maximum(" in printed
    assert "spare: the loss does not depend on it" in printed


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("scale=0, ", "scale=0.5, "),
        ("h.detach() if t == 12", "h.detach() if t == 13"),
        ("tl.floor(rounded)", "tl.sin(rounded)"),
        ("value, found = program()", "value, found = program(W_f=W_i.value)"),
    ],
)
def test_a_mistake_in_reading_it_is_noticed(right, wrong, capsys):
    source = READ.read_text(encoding="utf-8")
    assert source.count(right) == 1
    with pytest.raises(AssertionError):
        execute(source.replace(right, wrong), READ)


def test_without_the_network_that_it_reads_a_demo_says_which_extra_brings_it(monkeypatch, capsys):
    monkeypatch.setattr(speaker, "find_spec", lambda name: None)
    path = DEMOS / "why_though_ends_so.py"
    names = {"__name__": "asked"}
    exec(compile(path.read_text(encoding="utf-8"), path, "exec"), names)
    names["main"]()
    assert (
        capsys.readouterr().out == "this demo reads the network of g2p-en: pip install 'tinygrad-lstm[demo-phonemes]'\n"
    )


def apply(*arguments, cwd):
    command = [sys.executable, "-m", "tinygrad_lstm", "demo", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, encoding="utf-8", cwd=cwd)


@pytest.mark.parametrize("name", APPLICATIONS)
def test_an_application_is_one_short_file(name):
    source = path_of(APPLICATIONS[name]).read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 120
    assert source.count("\nassert ") + source.count("    assert ") >= 1
    assert all(word in source for word in ("look_inside(", "picture(", "compare_speed(", "most_readable(", "tell("))


@pytest.fixture
def beats(tmp_path):
    """A series that is in order but for three values, as a CSV."""
    values = np.sin(np.arange(900) / 6) + np.random.default_rng(0).normal(size=900) / 50
    values[700:703] += 2
    with (tmp_path / "beats.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["time", "value", "is_anomaly"])
        writer.writerows([t, value, int(700 <= t < 703)] for t, value in enumerate(values))
    return tmp_path / "beats.csv"


@pytest.mark.slow
@pytest.mark.parametrize("name", APPLICATIONS)
def test_an_application_runs_at_a_reduced_size(name, tmp_path, beats):
    missing = [package for package in APPLICATIONS[name].packages if importlib.util.find_spec(package) is None]
    if missing and name != "anomaly":
        pytest.skip(f"{', '.join(missing)} is not installed")
    done = apply(name, "--small", *(["--data", beats] if missing else []), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / f"demo-{name}"
    assert {"scores.json", "step.html", "unit.svg", "model.safetensors"} <= {path.name for path in folder.iterdir()}
    kept = json.loads((folder / "scores.json").read_text(encoding="utf-8"))["scores"]
    assert [score["task"] for score in kept] == re.findall(r"^(.*): LSTM ", done.stdout, re.MULTILINE)
    assert "parameters agree with the complex step" in done.stdout


@pytest.mark.slow
def test_what_is_odd_in_a_series_of_a_person_is_found(tmp_path, beats):
    done = apply("anomaly", "--small", "--data", beats, cwd=tmp_path)
    place = int(re.search(r"beats: most surprised around ([\d,]+)", done.stdout)[1].replace(",", ""))
    assert abs(place - 701) <= 5


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("sklearn") is None, reason="scikit-learn is not installed")
def test_digits_that_a_person_drew_are_read(tmp_path):
    drawings = [{"digit": 1, "strokes": [[[5, 0], [5, 9]]]}, {"strokes": [[[0, 0], [6, 0], [2, 9]]]}]
    (tmp_path / "drawings.json").write_text(json.dumps(drawings), encoding="utf-8")
    done = apply("handwriting", "--small", "--data", "drawings.json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.findall(r"^yours: read as \d(.*)$", done.stdout, re.MULTILINE) == [", you say 1", ""]
    assert (tmp_path / "demo-handwriting" / "draw.html").exists()
    (tmp_path / "drawings.json").write_text("{}", encoding="utf-8")
    refused = apply("handwriting", "--small", "--data", "drawings.json", cwd=tmp_path)
    assert refused.stderr == "tinygrad-lstm: drawings.json: it is no list of drawings\n"


@pytest.mark.slow
def test_sequences_of_a_person_are_told_apart(tmp_path):
    lines = [
        f"{','.join(str(x * (-1) ** n) for x in range(5 + n % 3))}:{'up' if n % 2 == 0 else 'down'}" for n in range(60)
    ]
    (tmp_path / "ways.ts").write_text("@classLabel true up down\n@data\n" + "\n".join(lines), encoding="utf-8")
    done = apply("speech", "--small", "--data", "ways.ts", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "who speaks, of 2: share right: LSTM 1 ·" in done.stdout


@pytest.mark.slow
def test_tunes_of_a_person_are_learned_from(tmp_path):
    rng = np.random.default_rng(0)
    bars = ["".join(rng.choice(list("ABcdefga"), 8)) for _ in range(60 * 40)]
    tunes = [f"X:{n}\nT:{n}\nZ:by me\nM:C\nL:1/8\nK:D\n{'|'.join(bars[40 * n : 40 * n + 40])}|]\n\n" for n in range(60)]
    (tmp_path / "tunes.abc").write_text("".join(tunes), encoding="utf-8")
    done = apply("music", "--small", "--data", "tunes.abc", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "learned from 55 tunes" in done.stdout
    assert (tmp_path / "demo-music" / "credits.txt").read_text("utf-8").count(": by me\n") == 55
    for number in (1, 2, 3):
        assert (tmp_path / "demo-music" / f"tune{number}.mid").read_bytes().startswith(b"MThd")
        assert (tmp_path / "demo-music" / f"tune{number}.abc").read_text("utf-8").startswith(f"X:{number}\nT:")
    (tmp_path / "words.abc").write_text("no tunes, but many words\n" * 1000, encoding="utf-8")
    refused = apply("music", "--small", "--data", "words.abc", cwd=tmp_path)
    assert refused.stderr == ("tinygrad-lstm: too few tunes in ABC: there are 0, of which one in twelve is held out\n")


@pytest.mark.slow
def test_stories_of_a_person_are_asked_about(tmp_path):
    rng, lines = np.random.default_rng(0), []
    for _ in range(60):
        who, where = rng.choice(["Ann", "Bob", "Cleo"], 3), rng.choice(["attic", "barn", "cave", "den"], 3)
        lines += [f"{n} {one} ran to the {other}." for n, (one, other) in enumerate(zip(who, where, strict=True), 1)]
        lines.append(f"4 Where is {who[2]}? \t{where[2]}\t3")
    (tmp_path / "qa1.txt").write_text("\n".join(lines), encoding="utf-8")
    done = apply("questions", "--small", "--data", "qa1.txt", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^qa1, by sentence: share right: LSTM .* · the most frequent ", done.stdout, re.MULTILINE)
    assert (tmp_path / "demo-questions" / "memory.svg").exists()
    for text, says in (
        ("Ann ran.", "qa1.txt, line 1 is not a number and a sentence"),
        ("1 Ann ran.", "0 stories with questions"),
    ):
        (tmp_path / "qa1.txt").write_text(text, encoding="utf-8")
        refused = apply("questions", "--small", "--data", "qa1.txt", cwd=tmp_path)
        assert refused.stderr.startswith(f"tinygrad-lstm: {says}")
        assert refused.stderr.count("\n") == 1


@pytest.mark.slow
def test_words_of_a_person_are_translated(tmp_path):
    rng = np.random.default_rng(0)
    words = sorted({"".join(rng.choice(list("abcdefg"), rng.integers(3, 8))) for _ in range(500)})
    lines = "".join(f"{word} {' '.join(word.upper())}\n" for word in words)
    (tmp_path / "words.txt").write_text(lines, encoding="utf-8")
    done = apply("translation", "--small", "--data", "words.txt", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"{len(words) // 10} held out" in done.stdout
    assert "dates: " not in done.stdout
    assert "joint 3-grams 0 ·" in done.stdout, "who counts knows what a letter stands for"
    (tmp_path / "few.txt").write_text("word W ER D\n" * 500, encoding="utf-8")
    refused = apply("translation", "--small", "--data", "few.txt", cwd=tmp_path)
    assert refused.stderr == ("tinygrad-lstm: 1 words with something to be written of them are too few to learn from\n")


@pytest.mark.slow
def test_rolls_of_a_person_are_learned_from(tmp_path):
    rng = np.random.default_rng(0)
    steps = (rng.random((3 * 20 * 12, 88)) < 0.05).astype(np.uint8)
    parts = dict(zip(("train", "valid", "test"), np.split(np.packbits(steps, axis=1), 3), strict=True))
    arrays = {f"{name}_bits": bits for name, bits in parts.items()} | {f"{name}_lengths": [12] * 20 for name in parts}
    np.savez(tmp_path / "rolls.npz", **arrays)
    done = apply("chorales", "--small", "--data", "rolls.npz", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "to learn from 20 pieces, 240 steps" in done.stdout
    assert (tmp_path / "demo-chorales" / "chorale3.mid").read_bytes().startswith(b"MThd")
    (tmp_path / "words.npz").write_text("no rolls", encoding="utf-8")
    refused = apply("chorales", "--small", "--data", "words.npz", cwd=tmp_path)
    assert refused.stderr.startswith("tinygrad-lstm: words.npz holds no piano rolls: ")


@pytest.mark.slow
@pytest.mark.skipif(
    not all(map(importlib.util.find_spec, APPLICATIONS["captions"].packages)), reason="a package is not installed"
)
def test_letters_of_a_font_of_a_person_are_captioned(tmp_path):
    fonts = Path(importlib.util.find_spec("matplotlib").origin).parent / "mpl-data" / "fonts" / "ttf"
    done = apply("captions", "--small", "--data", fonts / "STIXGeneral.ttf", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "unseen names of an unseen font: share exact: LSTM " in done.stdout
    (tmp_path / "a.ttf").write_bytes(b"no font")
    for font, says in (
        ("a.ttf", "a.ttf is no font that can be drawn"),
        (fonts / "STIXSizFiveSymReg.ttf", "0 of the 309 letters"),
    ):
        refused = apply("captions", "--small", "--data", font, cwd=tmp_path)
        assert says in refused.stderr
        assert refused.stderr.startswith("tinygrad-lstm: ")
        assert refused.stderr.count("\n") == 1


@pytest.mark.slow
def test_a_text_of_a_person_is_learned_from(tmp_path):
    (tmp_path / "book.txt").write_text(READ.read_text(encoding="utf-8") * 7, encoding="utf-8")
    done = apply("language", "--small", "--data", "book.txt", "--out", "book", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "learned from 30,000 characters" in done.stdout
    assert (tmp_path / "book" / "step.html").exists()


def test_the_scores_are_means_and_spreads_of_several_seeds():
    def run(value, seconds):
        score = {"task": "bits", "lstm": value, "trivial": ["1-grams", 4.0], "classical": ["6-grams", 1.5]}
        return {"scores": [{**score, "known": "xz 1.8", "weak": "slow"}], "seconds": seconds}

    found = scores.summary([run(2.0, 10.0), run(2.2, 20.0), run(2.4, 30.0)])
    assert found["seconds"] == 20
    assert found["tasks"][0]["told"] == "LSTM 2.2 ± 0.2, 1-grams 4, 6-grams 1.5"
    text = scores.written(f"before\n{scores.BEGIN}old{scores.END}\nafter", {"language": found})
    assert "old" not in text
    assert text.startswith("before\n")
    assert text.endswith("\nafter")
    assert "| language | bits | 2.2 ± 0.2 | 1-grams 4 | 6-grams 1.5 | xz 1.8 | 3 | 20 |" in text


def test_the_readme_has_the_table_that_was_measured():
    readme = scores.README.read_text(encoding="utf-8")
    assert scores.written(readme, measured()) == readme
    assert measured().keys() == APPLICATIONS.keys()

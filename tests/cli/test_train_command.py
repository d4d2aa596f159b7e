"""train, sample, resume: they learn, go on to the same bits, and answer whatever is wrong in one line."""

import errno
import json
import os
import signal

import numpy as np
import pytest
from typer.testing import CliRunner

import tinygrad_lstm as tl
from tests.cli.commands import command
from tests.cli.test_hostile_text import HOSTILE, harmless
from tinygrad_lstm import cli
from tinygrad_lstm.interop import files
from tinygrad_lstm.interop.saved import built, opened, packed
from tinygrad_lstm.nn.named import names
from tinygrad_lstm.training.streams import TruncatedLoss
from tinygrad_lstm.training.text import UNKNOWN, UnseenError, Vocabulary, read_text

TEXT = "the clouds are in the sky\n" * 12
SMALL = ("--hidden", "8", "--embedding", "4", "--streams", "4", "--window", "10")


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a command in a folder that holds sky.txt; return its exit code and its lines."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sky.txt").write_text(TEXT)

    def run(*arguments, code=0):
        done = CliRunner().invoke(cli.shared.app, list(map(str, arguments)))
        assert done.exit_code == code, done.output
        return done.output

    return run


def test_a_text_is_learned_written_and_gone_on_with(run, tmp_path):
    said = run(
        "train",
        "sky.txt",
        *SMALL,
        "--hidden",
        16,
        "--lr",
        0.03,
        "--steps",
        110,
        "--every",
        50,
        "--out",
        "sky.safetensors",
    )
    assert "110 steps, loss" in said
    assert "which is kept" in said
    sampled = run("sample", "sky.safetensors", "--prompt", "the cl", "--length", 20, "--temperature", 0)
    assert sampled.startswith("the clouds are in the sky")
    assert sampled == run("sample", "sky.safetensors", "--prompt", "the cl", "--length", 20, "--temperature", 0)
    assert run("sample", "sky.safetensors", "--seed", 1) != run("sample", "sky.safetensors", "--seed", 2)
    model = tl.load(tmp_path / "sky.safetensors")
    assert isinstance(model, tl.nn.LanguageModel)
    assert "is finished after 110 steps" in run("resume", "sky.safetensors")


@pytest.mark.parametrize(
    "how",
    [
        ("--schedule", "plateau", "--every", 2),
        ("--schedule", "cosine", "--layers", 2, "--dropout", 0.5, "--warm-up", 2, "--every", 2),
        ("--words", "--cell", "gru", "--one-hot", "--schedule", "step", "--validate", 0, "--clip", 0),
    ],
)
def test_a_run_that_goes_on_comes_to_the_same_bits(run, how, tmp_path):
    how = [each for each in how if each != "--one-hot"]
    small = SMALL
    if "--words" in how:
        how, small = [*how, "--one-hot"], ("--hidden", "8", "--streams", "2", "--window", "5")
    run("train", "sky.txt", *small, *how, "--steps", 8, "--out", "whole", "--log", "whole.jsonl")
    stops = iter([False, False, True])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tinygrad_lstm.training.stopping.Stop.__call__", lambda stop, moment: next(stops))
        run("train", "sky.txt", *small, *how, "--steps", 8, "--out", "parts", "--log", "parts.jsonl")
    run("resume", "parts", "--log", "parts.jsonl")
    assert (tmp_path / "parts").read_bytes() == (tmp_path / "whole").read_bytes()
    logs = [[*map(json.loads, (tmp_path / f"{name}.jsonl").read_text().splitlines())] for name in ("whole", "parts")]
    assert [{**line, "seconds": 0} for line in logs[0]] == [{**line, "seconds": 0} for line in logs[1]]
    assert [line["step"] for line in logs[0] if "loss" in line] == list(range(1, 9))


@pytest.mark.parametrize("cell", names())
def test_every_cell_that_is_offered_is_trained_and_gone_on_with(cell, run):
    run("train", "sky.txt", *SMALL, "--cell", cell, "--steps", 1, "--out", "sky")
    assert "2 steps, loss" in run("resume", "sky", "--steps", 2)
    assert run("sample", "sky", "--length", 5).startswith("t")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_after_an_update_and_nothing_is_lost(run, number, tmp_path, monkeypatch):
    run("train", "sky.txt", *SMALL, "--steps", 6, "--every", 1000, "--out", "whole")
    calls, loss = [], TruncatedLoss.__call__

    def interrupted(self, model, window):
        calls.append(1)
        if len(calls) == 3:
            os.kill(os.getpid(), number)
        return loss(self, model, window)

    with monkeypatch.context() as patch:
        patch.setattr(TruncatedLoss, "__call__", interrupted)
        said = run("train", "sky.txt", *SMALL, "--steps", 6, "--every", 1000, "--out", "parts", code=128 + number)
    assert said == "tinygrad-lstm: interrupted after step 3; tinygrad-lstm resume parts goes on\n"
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    run("resume", "parts")
    assert (tmp_path / "parts").read_bytes() == (tmp_path / "whole").read_bytes()


def test_a_full_disk_is_one_line_and_keeps_what_was_written(run, tmp_path, monkeypatch):
    happened, calls = files.os.fsync, []

    def full(number):
        calls.append(1)
        if len(calls) > 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        happened(number)

    with monkeypatch.context() as patch:
        patch.setattr(files.os, "fsync", full)
        said = run("train", "sky.txt", *SMALL, "--steps", 9, "--save-every", 2, "--out", "full", code=2)
    assert said == "tinygrad-lstm: cannot write full: No space left on device; step 2 is kept\n"
    assert isinstance(tl.load(tmp_path / "full"), tl.nn.LanguageModel)
    run("resume", "full")


def test_a_nan_is_one_line_that_names_who_made_it(run, tmp_path, monkeypatch):
    update = tl.Adam.update
    steps = []

    def exploding(self, position, gradient):
        steps.append(1)
        return update(self, position, gradient) * (np.nan if len(steps) > 40 else 1)

    monkeypatch.setattr(tl.Adam, "update", exploding)
    said = run("train", "sky.txt", *SMALL, "--save-every", 1, "--steps", 9, "--out", "nan", "--validate", 0, code=1)
    assert said.startswith("tinygrad-lstm: stopped: update 4 made the first NaN in ")
    assert "; the weights of step 3 are in nan" in said
    assert said.count("\n") == 1
    assert all(np.isfinite(value).all() for value in tl.load(tmp_path / "nan").state_dict().values())


REFUSED = {
    "empty": ("train empty.txt", "empty.txt is empty: there is nothing to learn from"),
    "spaces": ("train spaces.txt", "spaces.txt is empty"),
    "one character": ("train one.txt", "the text has one character; there is nothing that could come next"),
    "latin-1": (
        "train latin.txt",
        "is not UTF-8 text: byte 3 is 0xe9; name another encoding, as in --encoding",
    ),
    "no mark": ("train nomark.txt", "holds a zero byte at character 1: it is no text, or UTF-16 without a mark"),
    "no encoding": ("train sky.txt --encoding klingon", "there is no encoding 'klingon'"),
    "not ascii": ("train latin.txt --encoding ascii", "is not ASCII text: byte 3 is 0xe9"),
    "no file": ("train nowhere.txt", "cannot read nowhere.txt: No such file"),
    "a folder": ("train .", "cannot read .: Is a directory"),
    "no hidden": ("train sky.txt --hidden 0", "hidden must be a positive whole number, not 0"),
    "no layers": ("train sky.txt --layers 0", "layers must be a positive"),
    "no rate": ("train sky.txt --lr 0", "lr must be positive and finite"),
    "nan": ("train sky.txt --lr nan", "lr must be positive and finite"),
    "clip": ("train sky.txt --clip -1", "clip must be positive and finite"),
    "seed": ("train sky.txt --seed -1", "seed must be finite, and 0 or more"),
    "both": ("train sky.txt --one-hot --embedding 3", "--one-hot means no embedding"),
    "every": ("train sky.txt --validate 0 --every 5", "--every says when to measure, and --validate 0 leaves nothing"),
    "dropout": ("train sky.txt --dropout 0.5", "dropout acts between layers, and there is one"),
    "patience": ("train sky.txt --patience 2 --validate 0", "patience goes by validation, and nothing is held out"),
    "plateau": ("train sky.txt --schedule plateau --validate 0", "the schedule plateau goes by validation"),
    "never": (
        "train sky.txt --steps 9 --patience 2 --every 10",
        "patience goes by validation, of which there is none in 9 steps: the first would be after 10",
    ),
    "too few": ("train two.txt --patience 2", "the text has 2 characters, too few to hold some out"),
    "all": ("train sky.txt --validate 1", "validate must be in [0, 1)"),
    "warm-up": ("train sky.txt --warm-up 5000", "warm-up takes 5,000 steps, and the run has 2,000"),
    "too large": ("train sky.txt --hidden 10000000", "Unable to allocate"),
    "nowhere": ("train sky.txt --out no/where --hidden 4", "cannot write no/where: No such file or directory"),
    "the text": ("train sky.txt --out ./sky.txt --overwrite", "sky.txt is the text itself: the model needs another"),
    "the log": ("train sky.txt --out x --log ./x", "x is the model itself: the log needs another file"),
    "a log": ("train sky.txt --log two.txt", "two.txt exists: name another log, or --overwrite"),
    "no log": ("train sky.txt --log sky.txt --overwrite", "sky.txt is no log of a training; it is left as it is"),
    "folder": ("train sky.txt --out . --hidden 4", "cannot write .: Is a directory"),
    "full": ("train sky.txt --out /dev/full --hidden 4", "cannot write /dev/full: No space left on device"),
    "full log": ("train sky.txt --log /dev/full --out other --overwrite --hidden 4", "cannot write /dev/full: No"),
    "exists": ("train sky.txt --out other", "exists: tinygrad-lstm resume other goes on with it, --overwrite"),
    "no model": ("sample sky.txt", "sky.txt is no safetensors file, or damaged"),
    "other": ("sample other", "other: it holds a model, and nothing of how it was trained"),
    "none": ("sample nowhere", "nowhere: no such file"),
    "length": ("sample other --length 0", "--length must be a whole number above zero"),
    "cold": ("sample other --temperature -1", "--temperature must be 0 or more"),
    "hot": ("sample other --temperature inf", "--temperature must be 0 or more, and finite"),
    "seeds": ("sample other --seed -1", "--seed must be a whole number from 0 on"),
    "resume other": ("resume other", "other: it holds a model, and nothing of how it was trained"),
    "resume none": ("resume nowhere", "cannot read nowhere: no such file"),
}


@pytest.mark.parametrize(("typed", "words"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_done_is_one_line(typed, words, run, tmp_path):
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "spaces.txt").write_bytes(b" \n\t ")
    (tmp_path / "one.txt").write_bytes(b"x")
    (tmp_path / "two.txt").write_bytes(b"xy")
    (tmp_path / "latin.txt").write_bytes("café au lait".encode("latin-1"))
    (tmp_path / "nomark.txt").write_bytes(TEXT.encode("utf-16-le"))
    tl.save(tl.Linear(2, 3, rng=0), "other")
    said = run(*typed.split(), code=2)
    assert said.startswith("tinygrad-lstm: ")
    assert words in said
    assert said.count("\n") == 1
    assert not (tmp_path / "model.safetensors").exists()
    assert (tmp_path / "sky.txt").read_text() == TEXT


def test_what_was_written_before_ctrl_c_is_there(run, monkeypatch):
    def interrupted(*args, **kwargs):
        yield from (0, 1, 2)
        raise KeyboardInterrupt

    run("train", "sky.txt", *SMALL, "--steps", 1, "--out", "sky")
    monkeypatch.setattr("tinygrad_lstm.training.sampling.sample", interrupted)
    assert run("sample", "sky", "--prompt", "the", code=130) == "the\n atinygrad-lstm: interrupted\n"


def test_what_patience_has_ended_goes_on_where_more_is_asked_for(run):
    how = ("--steps", 40, "--every", 1, "--patience", 1, "--lr", 1, "--out", "sky")
    run("train", "sky.txt", *SMALL, *how)
    said = run("resume", "sky")
    assert "sky is finished after " in said
    assert "; --steps N makes more" in said
    assert "steps, loss" in run("resume", "sky", "--steps", 40)


def test_memory_that_is_too_small_is_one_line(run, monkeypatch):
    def full(self, model, window):
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(TruncatedLoss, "__call__", full)
        said = run("train", "sky.txt", *SMALL, "--steps", 9, "--validate", 0, "--out", "sky", code=2)
    wanted = "tinygrad-lstm: out of memory; smaller --streams, --window or --hidden take less; step 0 is kept\n"
    assert said == wanted


def test_what_was_never_seen_is_named(run, tmp_path):
    run("train", "sky.txt", *SMALL, "--steps", 1, "--out", "sky")
    said = run("sample", "sky", "--prompt", "Zeppelin", code=2)
    assert "the model has never seen the characters 'Z', 'p'; it knows 17: " in said
    assert "the prompt has no character to go on from" in run("sample", "sky", "--prompt", "", code=2)
    (tmp_path / "sky.txt").write_text(TEXT + "!")
    assert "sky.txt is not the text that sky was trained on" in run("resume", "sky", code=2)
    (tmp_path / "sky.txt").unlink()
    assert "No such file or directory; --text FILE says where the text is now" in run("resume", "sky", code=2)
    (tmp_path / "moved.txt").write_text(TEXT)
    assert "2 steps" in run("resume", "sky", "--text", "moved.txt", "--steps", 2)
    assert "has made 2 steps already" in run("resume", "sky", "--text", "moved.txt", "--steps", 1, code=2)


def test_a_text_commands_no_terminal(run, tmp_path):
    (tmp_path / "hostile.txt").write_text(HOSTILE.replace("\r", "") * 9, encoding="utf-8")
    said = run("train", "hostile.txt", *SMALL, "--steps", 1, "--out", "hostile")
    said += run("sample", "hostile", "--length", 200) + run("sample", "hostile", "--prompt", f"{HOSTILE}Z", code=2)
    assert harmless(said)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_says_the_encoding(encoding, tmp_path):
    (tmp_path / "x").write_bytes("∂L/∂h₋₁\r\nσ\r".encode(encoding))
    assert read_text(tmp_path / "x") == "∂L/∂h₋₁\nσ\n"


def test_one_line_of_ten_megabytes_is_read(tmp_path):
    (tmp_path / "x").write_text("the clouds are in the sky " * 400_000)
    text = read_text(tmp_path / "x")
    vocabulary = Vocabulary.of(text, "character")
    numbers = vocabulary.numbers(text)
    assert len(numbers) == 10_400_000
    assert vocabulary.text(numbers[:26]) == "the clouds are in the sky "


def test_words_that_are_too_many_are_told_as_one():
    vocabulary = Vocabulary.of("a a a b b c d", "word", most=3)
    assert vocabulary.symbols == ("a", "b", UNKNOWN)
    assert vocabulary.numbers("d a z").tolist() == [2, 0, 2]
    assert Vocabulary.of(f"a a {UNKNOWN} {UNKNOWN} b c d", "word", most=3).symbols == ("a", "b", UNKNOWN)
    with pytest.raises(UnseenError, match="never seen the words 'x', 'y'; it knows 1: 'a'"):
        Vocabulary.of("a", "word").numbers("x a y x")


FORGED = {
    "step": (-5, "its step is -5, and not a whole number from 0 on"),
    "settings": ([], "it is a checkpoint, and not one of the command train"),
    "symbols": (3, "it is a checkpoint, and not one of the command train"),
    "first": (None, "it is a checkpoint, and not one of the command train"),
}


@pytest.mark.parametrize("name", FORGED)
@pytest.mark.parametrize("command", ["sample", "resume"])
def test_a_file_that_tells_nonsense_is_one_line(name, command, run):
    run("train", "sky.txt", *SMALL, "--steps", 1, "--out", "sky")
    value, words = FORGED[name]
    file = opened("sky")
    facts = {**file.header["facts"], name: value}
    files.write_file("sky", packed(built(file), state=file.state, beside=file.beside, facts=facts))
    said = run(command, "sky", code=2)
    assert f"sky: {words}" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("symbols", "unit", "words"),
    [
        (("a", "b"), "syllable", "symbols are each a character or a word, not 'syllable'"),
        (("a", "a"), "word", "texts, and each is another"),
        ((1, 2), "word", "texts, and each is another"),
        (("ab", "c"), "character", "one character each"),
    ],
)
def test_what_is_no_vocabulary_is_refused(symbols, unit, words):
    with pytest.raises(ValueError, match=words):
        Vocabulary(symbols, unit)


@pytest.mark.slow
def test_it_is_quiet_where_nobody_looks_and_teaches_by_example(tmp_path):
    (tmp_path / "sky.txt").write_text(TEXT)
    for name in ("train", "sample", "resume"):
        assert f"Examples of tinygrad-lstm {name}" in command(name, "--help").stdout
    done = command("train", f"{tmp_path}/sky.txt", *SMALL, "--steps", "3", "--out", f"{tmp_path}/sky")
    assert (done.returncode, done.stderr) == (0, "")

"""Chorales: rolls are read as they were packed, every network is judged as the papers judge, and bad files are told."""

import io
import json
import sys
from itertools import pairwise
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from tinygrad_lstm.studies import by_name, jsb, jsb_report, rolls
from tinygrad_lstm.studies.jsb import CONTENDERS, SEARCHED, TRIED, losses, reading, run
from tinygrad_lstm.studies.rolls import MUSIC21, NoRolls, Rolls, marginal, read
from tinygrad_lstm.studies.side_by_side import one_of, side_by_side
from tinygrad_lstm.studies.study import Result
from tinygrad_lstm.studies.trial import Reader

TINY = {"hidden": 4, "batch": 2, "epochs": 2, "seeds": 2}


def pieces(count, seed):
    rng = np.random.default_rng(seed)
    return [(rng.random((int(rng.integers(2, 9)), 88)) < 0.05).astype(np.uint8) for _ in range(count)]


SPLITS = {"train": pieces(5, 0), "valid": pieces(3, 1), "test": pieces(2, 2)}


def arrays(**others):
    packed = {}
    for name, split in SPLITS.items():
        packed[f"{name}_lengths"] = np.array([len(piece) for piece in split], np.int32)
        packed[f"{name}_bits"] = np.packbits(np.concatenate(split), axis=1)
    return {name: part for name, part in {**packed, **others}.items() if part is not None}


@pytest.fixture
def file(tmp_path):
    np.savez(tmp_path / "tiny.npz", **arrays())
    return tmp_path / "tiny.npz"


def test_rolls_are_read_as_they_were_packed(file):
    found = read(str(file))
    for name, split in SPLITS.items():
        got = getattr(found, name)
        assert [piece.tolist() for piece in got] == [piece.tolist() for piece in split]
    assert found.steps() == [sum(map(len, split)) for split in SPLITS.values()]


def test_rolls_are_called_by_what_they_hold_and_not_by_their_file(file, tmp_path):
    np.savez_compressed(tmp_path / "same.npz", **arrays(note=np.zeros(3)))
    np.savez(tmp_path / "other.npz", **arrays(test_bits=np.packbits(1 - np.concatenate(SPLITS["test"]), axis=1)))
    name = read(str(file)).name
    assert name == read(str(tmp_path / "same.npz")).name
    assert name != read(str(tmp_path / "other.npz")).name
    assert name.startswith("file ")


def npz(**others):
    written = io.BytesIO()
    np.savez(written, **arrays(**others))
    return written.getvalue()


def npy(array, **how):
    written = io.BytesIO()
    np.save(written, array, **how)
    return written.getvalue()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "it is no .npz"),
        (b"a text", "it is no .npz, which is an archive of arrays by name, or is cut off"),
        (npz()[:-40], "it is no .npz"),
        (npz()[:300] + b"\0" * 50 + npz()[350:], "holds no piano rolls"),
        (npy(np.zeros(3)), "it is no .npz"),
        (npy(np.array([{}]), allow_pickle=True), "it is no .npz"),
        (npz(train_bits=None), "it has no array 'train_bits'; there are test_bits, test_lengths, train_lengths"),
        (npz(valid_lengths=np.array([1.5])), "valid_lengths must be whole numbers"),
        (npz(valid_lengths=np.array([], int)), "valid_lengths must be whole numbers"),
        (npz(valid_lengths=np.array([[2]])), "valid_lengths must be whole numbers"),
        (npz(valid_lengths=np.array([1, 2])), "each 2 at least"),
        (npz(valid_lengths=np.array([-3, 5])), "each 2 at least"),
        (npz(valid_lengths=np.array([{}], object)), "Object arrays cannot be loaded"),
        (npz(test_lengths=np.array([2, 3, 400])), "test_lengths add up to 405 steps, and test_bits has"),
        (npz(test_lengths=np.array([2**63, 2**63], np.uint64)), "add up to 18446744073709551616 steps"),
        (npz(train_bits=np.zeros((4, 88), np.uint8)), r"train_bits must be uint8 of shape \(steps, 11\)"),
        (npz(train_bits=np.zeros((4, 11))), r"not float64 of \(4, 11\)"),
        (npz(train_bits=np.zeros(11, np.uint8)), r"must be uint8 of shape \(steps, 11\)"),
    ],
)
def test_a_file_that_holds_no_rolls_is_told_in_a_line(tmp_path, content, says):
    (tmp_path / "bad.npz").write_bytes(content)
    with pytest.raises(NoRolls, match=says) as refused:
        read(str(tmp_path / "bad.npz"))
    assert "\n" not in str(refused.value)
    assert "bad.npz" in str(refused.value)


def test_a_file_that_is_missing_is_told(tmp_path):
    for path in (tmp_path, tmp_path / "none.npz"):
        with pytest.raises(NoRolls, match="there is no file"):
            read(str(path))


def test_rolls_of_another_name_are_refused(file):
    with pytest.raises(NoRolls, match="are in a file of yours: name it, --data"):
        run("file 12345678", "RNN", **TINY)
    with pytest.raises(NoRolls, match="holds the rolls 'file "):
        run("file 12345678", "RNN", **TINY, file=str(file))


def test_without_the_library_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "music21.corpus", None)
    rolls.of_music21.cache_clear()
    with pytest.raises(NoRolls, match=r"pip install 'tinygrad-lstm\[music\]', or name a file, --data FILE\.npz"):
        run(MUSIC21, "RNN", **TINY)


def note(offset, length, *pitches):
    pitched = [SimpleNamespace(midi=midi) for midi in pitches]
    return SimpleNamespace(offset=offset, quarterLength=length, pitches=pitched, pitch=pitched[0], isChord=False)


def score(*notes, parts=4):
    """What of a score of music21 is read."""
    flat = SimpleNamespace(notes=notes)
    part = SimpleNamespace(flatten=lambda: flat)
    end = max(each.offset + each.quarterLength for each in notes)
    return SimpleNamespace(parts=[part] * parts, flatten=lambda: flat, highestTime=end)


def test_a_step_is_what_sounds_as_its_quarter_begins(monkeypatch):
    corpus = ModuleType("music21.corpus")
    tunes = {f"{n:02}": score(*(note(t, 1, 60 + n * t) for t in range(4))) for n in range(10)}
    again = {"10": tunes["03"], "11": score(note(0, 1, 60), parts=5)}
    one = {"12": score(note(0, 1.5, 21), note(1.5, 0.5, 108), note(2, 0.5, 50, 54), note(2.5, 1, 52), note(0, 4, 7))}
    every = tunes | again | one
    corpus.getComposer = lambda name: list(every)
    corpus.parse = every.__getitem__
    monkeypatch.setitem(sys.modules, "music21.corpus", corpus)
    rolls.of_music21.cache_clear()
    found = rolls.of_music21()
    rolls.of_music21.cache_clear()
    all_rolls = [*found.train, *found.valid, *found.test]
    assert len(all_rolls) == 12, "not what has five parts"
    (held,) = [roll for roll in all_rolls if roll[0, 0]]
    assert [np.flatnonzero(step).tolist() for step in held] == [[0], [0], [29, 33], [31]]
    for split in found[1:]:
        both = [roll for roll in split if roll[1, 42]]  # the tune that is there twice, on one side
        assert len(both) in (0, 2)
    assert found.name == MUSIC21


def test_the_loss_is_that_of_the_papers_and_padding_is_not_in_it():
    """Each network alone, each piece alone, without padding, by the definition, in double precision."""
    readers = [Reader(CONTENDERS["GRU"](88, 3, rng=seed), 88, rng=seed) for seed in (0, 1)]
    stacked = side_by_side(readers)
    found = losses(stacked, SPLITS["train"], batch=3)
    for seed, alone in enumerate(readers):
        total = count = 0
        for piece in SPLITS["train"]:
            h = alone.cell.zero_state(piece[:1].astype(float))
            for now, then in pairwise(piece):
                h = alone.cell(now[None].astype(float), h)
                chance = 1 / (1 + np.exp(-alone.head(h).value[0]))
                total -= (then * np.log(chance) + (1 - then) * np.log(1 - chance)).sum()
                count += 1
        np.testing.assert_allclose(found[seed], total / count, rtol=1e-10)
        np.testing.assert_array_equal(one_of(stacked, seed, alone).head.weight.value, alone.head.weight.value)


def test_a_marginal_is_that_of_the_pieces_to_learn_from():
    share = np.concatenate(SPLITS["train"]).mean(axis=0)
    count = sum(map(len, SPLITS["train"]))
    share = np.where(share == 0, 1 / count, share)
    steps = np.concatenate([piece[1:] for piece in SPLITS["test"]])
    wanted = -np.log(np.where(steps == 1, share, 1 - share)).sum() / len(steps)
    assert marginal(Rolls("tiny", *SPLITS.values())) == pytest.approx(wanted)


def test_a_run_is_the_same_again_and_another_contender_is_another(file):
    study = reading(file)
    row = {**study.rows()[0], **TINY}
    first = study.run(**row)
    assert json.loads(json.dumps(first)) == first
    assert study.run(**row) == first
    assert study.run(**{**row, "contender": "LSTM"})["test"] != first["test"]
    assert len(first["test"]) == len(first["valid"]) == len(first["epoch"]) == 2
    assert len(first["search"]) == len(TRIED)
    assert first["search"][f"{first['rate']:g}, clipped at {first['clip']:g}"] == min(first["search"].values())
    assert max(row["seeds"] for row in study.rows()) < SEARCHED


def test_each_network_is_judged_as_it_was_best(file, monkeypatch):
    """Validation losses that are dictated: the test losses are those of the epochs where they were smallest."""
    found = read(str(file))
    measured, kept = iter([[3.0, 1.0], [1.0, 2.0], [2.0, 0.5]]), []

    def dictated(stacked, pieces, batch):
        kept.append(stacked.state_dict())
        return np.array(next(measured))

    monkeypatch.setattr(jsb, "losses", dictated)
    make = CONTENDERS["RNN"]
    how = {"hidden": 3, "batch": 2, "seeds": [0, 1], "tried": [(0.01, 1.0)] * 2, "epochs": 3}
    learned = jsb._learn(found.train, found.valid, make, **how)
    assert learned.epoch.tolist() == [2, 3]
    assert learned.valid.tolist() == [1.0, 0.5]
    for path, value in learned.best.state_dict().items():
        np.testing.assert_array_equal(value[0], kept[1][path][0])
        np.testing.assert_array_equal(value[1], kept[2][path][1])


def result(data, contender="LSTM", test=(8.4, 8.6)):
    values = {
        "rate": 0.01,
        "clip": 1.0,
        "search": {"0.01, clipped at 1": 8.5},
        "valid": [8.3, 8.5],
        "test": list(test),
        "epoch": [40, 50],
        "curve": [11.0, 9.0, 8.4],
        "marginal": 11.09,
        "parameters": 75_000,
        "steps": [3, 2, 1],
    }
    return Result({"data": data, "contender": contender, **TINY}, values, 2.0)


def test_the_report_says_which_split_it_is_and_sets_only_that_of_the_papers_beside_them():
    own, theirs = result(MUSIC21), result(jsb_report.SPLIT_2018)
    sections = jsb_report.report([own, theirs])
    assert "a split of its own" in sections[0].prose
    assert "in the split of Bai et al. (2018)" in sections[1].prose
    assert sections[0].table.rows[1][2:4] == ["8.50", "0.14"]
    assert sections[-1].table.rows[0][4] == "LSTM 8.50 ± 0.14, 2 networks"
    assert jsb_report.report([own])[-1].table.rows[0][4] == "LSTM: not run on their split"
    assert "digest 12345678" in jsb_report.report([result("file 12345678")])[0].prose


def test_the_settings_say_what_was_tried_and_what_was_chosen():
    tried = result(MUSIC21)
    tried.values["search"] = {"0.01, clipped at 1": 8.7, "0.003, clipped at 1": 8.5}
    (table,) = [section.table for section in jsb_report.report([tried]) if section.title == "Settings"]
    assert table.head[4:6] == ["0.01, clipped at 1", "0.003, clipped at 1"]
    assert table.rows[0][4:6] == ["8.70", "8.50, chosen"]


def test_the_report_tells_who_lost_least_and_who_was_not_at_its_end():
    rnn = result(MUSIC21, "RNN", (9.0, 9.2))
    rnn.values["epoch"] = [TINY["epochs"]] * 2
    lstm = result(MUSIC21)
    lstm.values["epoch"] = [1, 1]
    prose = jsb_report.report([rnn, lstm])[0].prose
    assert "From the least: LSTM 8.50, RNN 9.10. What lies between LSTM and RNN is 0.60 nats" in prose
    assert "RNN was still getting better as its epochs ended" in prose
    assert "LSTM was still" not in prose
    assert "lies between" not in jsb_report.report([lstm])[0].prose


def test_everyone_has_the_same_settings():
    rows = by_name("jsb").rows()
    assert [row["contender"] for row in rows] == list(CONTENDERS)
    assert all({**row, "contender": ""} == {**rows[0], "contender": ""} for row in rows)

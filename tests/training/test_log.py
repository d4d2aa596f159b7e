"""The log says every update once, however often a run was stopped; and it never takes the place of another file."""

import json

import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.training.log import Log


def train(path, *, steps, start=0):
    w = tl.tensor([1.0], requires_grad=True)
    log = Log(path, start=start)
    how = {"loss": lambda w, batch: (w * w).sum(), "optimizer": tl.SGD([w], lr=0.1), "callbacks": [log]}
    tl.fit(w, [0] * (steps - start), steps=steps, start=start, **how)


@pytest.mark.parametrize("half", ["", "{", '{"step"', '{"step": 5, "lo'])
def test_whoever_goes_on_says_each_update_once(half, tmp_path):
    path = tmp_path / "log.jsonl"
    train(path, steps=4)
    with path.open("a") as file:
        file.write(half)  # killed while it wrote
    train(path, steps=6, start=2)
    assert [json.loads(line)["step"] for line in path.read_text().splitlines()] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("start", [0, 3])
@pytest.mark.parametrize(
    "foreign", [b"my notes\n", b"\xff\xfe", b"{}\n", b"[1]\n", b"7\n", b'{"step": 1}\nnotes', b'{"step": "a"}\n', b"x"]
)
def test_a_file_that_is_no_log_is_left_as_it_is(start, foreign, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_bytes(foreign)
    with pytest.raises(ValueError, match=r"notes\.txt is no log of a training; it is left as it is$"):
        Log(path, start=start)
    assert path.read_bytes() == foreign


def test_a_run_that_begins_anew_begins_its_log_anew(tmp_path):
    for steps in (3, 2):
        train(tmp_path / "log.jsonl", steps=steps)
    assert len((tmp_path / "log.jsonl").read_text().splitlines()) == 2


def test_what_is_not_finite_is_null(tmp_path):
    log = Log(tmp_path / "log.jsonl")
    log.validated(3, float("nan"))
    assert json.loads((tmp_path / "log.jsonl").read_text(), parse_constant=pytest.fail) == {
        "step": 3,
        "validation": None,
    }

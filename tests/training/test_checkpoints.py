"""A run that is stopped anywhere and resumed comes to the same bits as one that never was; and no file is ever half."""

import errno
import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tinygrad_lstm as tl
from tests.training.run_and_be_stopped import STEPS, run
from tinygrad_lstm.interop import files
from tinygrad_lstm.training.checkpoint import Checkpoint
from tinygrad_lstm.training.fault import Fault
from tinygrad_lstm.training.randomness import random_state, set_random_state
from tinygrad_lstm.training.schedules import Plateau
from tinygrad_lstm.training.validation import Validation


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The file of a run that was never stopped."""
    path = tmp_path_factory.mktemp("whole") / "run.safetensors"
    run(path)
    return path.read_bytes()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.safetensors"


@pytest.mark.parametrize("stop", [1, 3, 6, 7])
def test_a_run_resumed_after_any_step_is_bit_for_bit_the_uninterrupted_one(stop, path, whole):
    run(path, steps=stop)
    run(path)
    assert path.read_bytes() == whole


@pytest.mark.parametrize("stop", [2, 5])
def test_steps_after_the_last_write_are_made_again(stop, path, whole):
    run(path, steps=stop, every=4)
    run(path)
    assert path.read_bytes() == whole


def test_a_state_of_two_parts_goes_on_too(path, tmp_path):
    run(path, steps=3, cell="lstm")
    run(path, steps=5, cell="lstm")
    run(tmp_path / "other", steps=5, cell="lstm")
    assert path.read_bytes() == (tmp_path / "other").read_bytes()


class Stop(BaseException):
    """The process ends here: nothing that would clean up runs."""


BOUNDARIES = {
    "before the temporary file": (files.Path, "open", "before"),
    "after it was opened": (files.Path, "open", "after"),
    "half written": (files.os, "fsync", "half"),
    "before it is on the disk": (files.os, "fsync", "before"),
    "after it is on the disk": (files.os, "fsync", "after"),
    "before its permissions": (files.shutil, "copymode", "before"),
    "after its permissions": (files.shutil, "copymode", "after"),
    "before the rename": (files.Path, "replace", "before"),
    "after the rename": (files.Path, "replace", "after"),
}


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("write", [3, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2, 4, 7))])
def test_a_stop_at_any_boundary_of_a_write_leaves_a_whole_file_to_go_on_from(boundary, write, path, whole, monkeypatch):
    owner, name, when = BOUNDARIES[boundary]
    happened, calls = getattr(owner, name), []

    def stopping(*args, **kwargs):
        mine = name == "fsync" or ".run.safetensors" in str(args[1 if name == "copymode" else 0])
        calls.extend([1] if mine else [])
        if not mine or len(calls) != write:
            return happened(*args, **kwargs)
        if when == "half":
            os.ftruncate(args[0], os.fstat(args[0]).st_size // 2)
        if when == "after":
            opened = happened(*args, **kwargs)
            if name == "open":
                opened.close()
        raise Stop

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, stopping)
        patch.setattr(files.Path, "unlink", lambda *args, **kwargs: None)
        with pytest.raises(Stop):
            run(path)
    if path.exists():
        assert tl.load(path).vocabulary_size == 5
        done = run(path, steps=0)
        assert done.step in (write - 2, write - 1, write)
    run(path)
    assert path.read_bytes() == whole


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="nothing is killed here")
@pytest.mark.slow
def test_a_run_that_is_killed_and_resumed_is_bit_for_bit_the_uninterrupted_one(path, tmp_path):
    assert killed_and_resumed(path, times=5, seed=0) >= 5
    alone = tmp_path / "alone.safetensors"  # by a process of its own too: here, a test may have called tl.manual_seed
    assert killed_and_resumed(alone, times=0, seed=0) == 0
    assert path.read_bytes() == alone.read_bytes()


def killed_and_resumed(path, *, times, seed):
    """Start the run, kill it after a random line it says, and so on, at least so many times; then let it end."""
    rng, kills = random.Random(seed), 0
    script = str(Path(__file__).with_name("run_and_be_stopped.py"))
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])}
    while kills < times:
        with subprocess.Popen([sys.executable, script, str(path)], stdout=subprocess.PIPE, env=environment) as child:
            for _ in range(rng.randint(1, 3)):
                child.stdout.readline()
            child.kill()
        kills += child.returncode == -signal.SIGKILL
        if child.returncode == 0:  # it came to its end: begin anew
            path.unlink()
    subprocess.run([sys.executable, script, str(path)], stdout=subprocess.DEVNULL, env=environment, check=True)
    return kills


def test_a_full_disk_keeps_the_last_good_one(path, whole, monkeypatch):
    run(path, steps=4)
    before = path.read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(files.os, "fsync", full)
        with pytest.raises(OSError, match="No space left on device"):
            run(path)
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    run(path)
    assert path.read_bytes() == whole


def test_a_fault_keeps_the_last_good_one_and_names_who_made_it(path):
    w = tl.nn.Sequential(tl.Linear(1, 1, rng=0))
    optimizer = tl.SGD(w.parameters(), lr=0.1)
    checkpoint = Checkpoint(path, w, optimizer, every=1)
    batches = [1.0, 2.0, np.nan, 1.0]
    loss = lambda model, batch: tl.log(model([[abs(batch)]]) ** 2 + 1).sum()
    with pytest.raises(Fault, match="which was given, holds the first NaN"):
        tl.fit(w, batches, loss=loss, optimizer=optimizer, callbacks=[checkpoint])
    assert checkpoint.step == 2
    np.testing.assert_array_equal(tl.load(path)[0].weight.value, w[0].weight.value)


def test_the_file_is_the_model_with_its_best_weights(path):
    checkpoint = run(path)
    validation, model = checkpoint.parts["validation"], checkpoint.model
    loaded = tl.load(path)
    assert 0 < validation.step < STEPS  # it is measured after updates 3 and 6
    for name, value in loaded.state_dict().items():
        np.testing.assert_array_equal(value, validation.best[name])
    assert any((value != validation.best[name]).any() for name, value in model.state_dict().items())


def test_a_checkpoint_of_another_architecture_is_refused_and_changes_nothing(path):
    run(path, steps=2)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"is no checkpoint of this run: LanguageModel: the state does not") as error:
        run(path, hidden=7)
    assert "\n" not in str(error.value)
    assert path.read_bytes() == before


@pytest.mark.parametrize("measured", [np.nan, np.inf])
def test_a_validation_that_is_not_finite_is_no_end(path, measured):
    """JSON has no NaN: a file that told one could not be read again."""
    model = tl.nn.Sequential(tl.Linear(1, 1, rng=0))
    plateau = Plateau(0.1, patience=3)
    validation = Validation(lambda model: measured, 1, listeners=[plateau.observe])
    how = {"loss": lambda model, batch: (model([[batch]]) ** 2).sum(), "optimizer": tl.SGD(model.parameters(), lr=0.1)}
    checkpoint = Checkpoint(path, model, how["optimizer"], every=1, validation=validation, schedule=plateau)
    tl.fit(model, [1.0, 2.0], callbacks=[validation, checkpoint], **how)
    assert checkpoint.restore() == 2
    assert (validation.best, validation.loss, validation.waited, plateau.least, plateau.waited) == (
        None,
        None,
        2,
        None,
        2,
    )


def test_what_json_has_not_is_refused_and_the_file_stays_as_it_was(path):
    model = tl.Linear(2, 3, rng=0)
    checkpoint = Checkpoint(path, model, tl.Adam(model.parameters()), facts={"share": 0.5})
    checkpoint.write(1)
    checkpoint.facts["share"] = np.nan
    with pytest.raises(
        ValueError, match=r"the facts of a file are JSON, which has no NaN or Inf .*; keep it as an array"
    ):
        checkpoint.write(2)
    assert checkpoint.restore() == 1


def test_a_fact_is_called_by_a_name_of_its_own():
    model = tl.Linear(2, 3, rng=0)
    with pytest.raises(ValueError, match="a checkpoint tells its step itself; call that fact something else"):
        Checkpoint("x", model, tl.Adam(model.parameters()), facts={"step": 7})


def test_what_does_not_fit_changes_neither_model_nor_parts(path):
    model, other = tl.Linear(2, 3, rng=0), tl.Linear(2, 3, rng=1)
    Checkpoint(path, model, tl.Adam(model.parameters())).write(3)
    was, optimizer = other.weight.value, tl.SGD(other.parameters(), lr=0.5, momentum=0.9)
    with pytest.raises(ValueError, match="is no checkpoint of this run: SGD"):
        Checkpoint(path, other, optimizer).restore()
    np.testing.assert_array_equal(other.weight.value, was)
    assert optimizer.lr == 0.5


def test_a_file_without_a_run_is_told_so(path):
    model = tl.Linear(2, 3, rng=0)
    tl.save(model, path)
    with pytest.raises(ValueError, match="it holds a model, and nothing of how it was trained"):
        Checkpoint(path, model, tl.Adam(model.parameters())).restore()


def test_a_damaged_file_is_noticed_whichever_bit_flips(path):
    run(path, steps=1)
    data = path.read_bytes()
    for place in random.Random(0).sample(range(len(data)), 25):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with pytest.raises(ValueError, match=r"damaged|no safetensors|wrong"):
            run(path, steps=1)


def test_random_numbers_of_every_kind_go_on():
    for kind in (np.random.PCG64, np.random.MT19937, np.random.Philox, np.random.SFC64):
        model = tl.nn.Sequential(tl.nn.Dropout(0.5, rng=np.random.Generator(kind(3))))
        state = json.loads(json.dumps(random_state(model)))
        drawn = model[0].rng.random(5)
        set_random_state(model, state)
        np.testing.assert_array_equal(model[0].rng.random(5), drawn)


def test_the_generator_in_common_goes_on_too():
    model = tl.nn.Sequential(tl.nn.Dropout(0.5))
    tl.manual_seed(5)
    state = random_state(model)
    drawn = tl.randn(3).tolist()
    set_random_state(model, state)
    assert tl.randn(3).tolist() == drawn
    with pytest.raises(ValueError, match="random numbers come from"):
        set_random_state(tl.nn.Dropout(0.5, rng=0), state)

"""Sequences are recognised as they are, whatever they are padded with, and what one does without a network is right."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_lstm as tl
from tinygrad_lstm.studies.demonstration import in_float64
from tinygrad_lstm.studies.recognition import (
    Recogniser,
    cells_of,
    learn_classes,
    most_frequent,
    nearest_class,
    noisy,
    read_ts,
    said_classes,
    squared_distances,
    warped_distances,
)
from tinygrad_lstm.training import Shuffled


@pytest.fixture
def rising_or_falling(rng):
    """Sequences of any length that rise (1) or fall (0)."""
    rises = rng.integers(0, 2, 60)
    return [((2 * rise - 1) * np.arange(rng.integers(3, 9)) / 4.0)[:, None] for rise in rises], rises


def test_what_rises_is_told_from_what_falls(rising_or_falling, capsys):
    sequences, rises = rising_or_falling
    model = Recogniser(1, 8, classes=2, rng=0)
    curve, whole = learn_classes(model, sequences, rises, noise=0.1, updates=60, seed=0, about="a slope", rate=0.02)
    assert whole
    assert curve[-1][1] < 0.1 < curve[0][1]
    assert (said_classes(model, sequences) == rises).all()
    assert "a slope: 60 updates" in capsys.readouterr().out


def test_what_is_said_of_a_sequence_does_not_depend_on_its_batch(rng):
    model = Recogniser(2, 5, classes=3, rng=0)
    sequences = [rng.normal(size=(length, 2)) for length in (7, 1, 4)]
    together, alone = said_classes(model, sequences), [said_classes(model, [each])[0] for each in sequences]
    assert together.tolist() == alone
    for cells, each in zip(cells_of(model, sequences), sequences, strict=True):
        np.testing.assert_allclose(cells, cells_of(model, [each])[0], rtol=1e-5)
        _, (_, c) = model.layer(each[:, None].astype(np.float32))
        np.testing.assert_allclose(cells[-1], c.value[0, 0], rtol=1e-5)


def test_in_double_precision_a_model_says_the_same(rng):
    model, xs = Recogniser(2, 5, classes=3, rng=0), rng.normal(size=(4, 3, 2))
    twin = in_float64(model)
    said = twin(xs)
    assert said.dtype == np.float64
    assert model(xs).dtype == np.float32
    np.testing.assert_allclose(said.value, model(xs).value, rtol=1e-4)
    assert {node.dtype for node in tl.Graph(said).nodes} == {np.dtype(np.float64)}  # its cell rounds nothing


def test_noise_is_another_each_time_and_as_large_as_asked(rng):
    batches = noisy(Shuffled([np.zeros((50, 3))] * 20, [0] * 20, 20, epochs=2), 0.3, rng)
    one, other = (batch.xs for batch in batches)
    assert one.std() == pytest.approx(0.3, rel=0.1)
    assert np.abs(one - other).max() > 0.1


def by_hand(a, b):
    """Dynamic time warping as the recursion has it."""
    if len(a) == 0 or len(b) == 0:
        return 0.0 if len(a) == len(b) else np.inf
    before = min(by_hand(a[:-1], b), by_hand(a, b[:-1]), by_hand(a[:-1], b[:-1]))
    return float(np.square(a[-1] - b[-1]).sum()) + before


steps = st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=1, max_size=4).map(np.array)


@given(st.lists(steps, min_size=1, max_size=3), st.lists(steps, min_size=1, max_size=3))
def test_warped_distances_are_those_of_the_recursion(ones, others):
    np.testing.assert_allclose(warped_distances(ones, others), [[by_hand(a, b) for b in others] for a in ones])


def test_the_nearest_tells_the_class_and_distances_are_those_of_each_pair(rng):
    a, b = rng.normal(size=(4, 3)), rng.normal(size=(5, 3))
    np.testing.assert_allclose(squared_distances(a, b), [[np.square(x - y).sum() for y in b] for x in a])
    assert nearest_class(squared_distances(b[[2, 0]], b), list("abcde")).tolist() == ["c", "a"]
    assert most_frequent([0, 2, 2], [2, 0, 0, 0]) == 0.25


def test_sequences_are_read_with_their_classes(tmp_path):
    path = tmp_path / "a.ts"
    path.write_text("# about\n@classLabel true no yes\n@data\n1,2:3,4:yes\n5:6:no\n", encoding="utf-8")
    found = read_ts(path)
    assert [each.tolist() for each in found.sequences] == [[[1, 3], [2, 4]], [[5, 6]]]
    assert found.classes.tolist() == [1, 0]
    assert found.names == ["no", "yes"]


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["1,2:maybe"], "line 3: 'maybe' is not in list"),
        (["1,2:3:yes"], "line 3: "),
        (["1,?:yes"], "line 3: could not convert"),
        (["1,nan:yes"], "some are missing"),
        (["yes"], "it has no numbers"),
        ([], "no sequences after @data"),
        (["1:yes", "1:2:yes"], "not all of as many dimensions"),
    ],
)
def test_a_file_without_sequences_is_refused_in_one_line(lines, says, tmp_path):
    path = tmp_path / "a.ts"
    path.write_text("\n".join(["@classLabel true no yes", "@data", *lines]), encoding="utf-8")
    with pytest.raises(ValueError, match=says) as refused:
        read_ts(path)
    assert len(str(refused.value).splitlines()) == 1

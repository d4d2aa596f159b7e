"""Batches: in each epoch all of the data, in the order of its seed, from any position on; nothing of the padding."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_lstm as tl
from tinygrad_lstm.training.batches import Shuffled, pad
from tinygrad_lstm.training.streams import Streams, TruncatedLoss, stream_loss

LENGTHS = st.lists(st.integers(1, 6), min_size=1, max_size=12)


@given(LENGTHS, st.integers(1, 5), st.integers(0, 9))
def test_an_epoch_holds_each_sequence_once_with_its_target(lengths, size, seed):
    sequences = [np.full((length, 2), float(i)) for i, length in enumerate(lengths)]
    batches = Shuffled(sequences, range(len(lengths)), size, seed=seed)
    for _ in range(2):
        seen = []
        for _ in range(batches.per_epoch):
            batch = next(batches)
            assert batch.xs.shape[:2] == (batch.lengths.max(), len(batch.targets))
            for n, (length, target) in enumerate(zip(batch.lengths, batch.targets, strict=True)):
                assert length == lengths[target]
                assert (batch.xs[:length, n] == target).all()
                assert (batch.xs[length:, n] == 0).all()
                seen.append(target)
        assert sorted(seen) == list(range(len(lengths)))


@given(LENGTHS, st.integers(1, 5), st.integers(0, 30))
def test_from_any_position_on_the_same_batches_come(lengths, size, position):
    make = lambda: Shuffled([np.arange(length) for length in lengths], lengths, size, seed=3)
    whole, again = make(), make()
    for _ in range(position):
        next(whole)
    again.load_state_dict(whole.state_dict())
    for _ in range(3):
        for one, other in zip(next(whole), next(again), strict=True):
            np.testing.assert_array_equal(one, other)


def test_seeds_differ_and_so_do_epochs():
    orders = set()
    for seed in (0, 1):
        batches = Shuffled([[i] for i in range(20)], range(20), 20, seed=seed)
        orders |= {tuple(next(batches).targets) for _ in range(2)}
    assert len(orders) == 4


def test_epochs_end():
    batches = Shuffled([[1], [2], [3]], [0, 0, 0], 2, epochs=2)
    assert len(list(batches)) == 4
    assert list(batches) == []


def test_padding_is_neither_seen_nor_learned_from():
    """The loss of a padded batch is the mean over the sequences, each by itself; targets past the end do not count."""
    rng = np.random.default_rng(0)
    sequences = [rng.normal(size=(length, 3)) for length in (5, 2, 4)]
    targets = [rng.integers(0, 4, size=len(sequence)) for sequence in sequences]
    lstm, head = tl.LSTM(3, 5, rng=0), tl.Linear(5, 4, rng=1)
    batch = next(Shuffled(sequences, targets, 3, every_step=True))
    output, _ = lstm(batch.xs, lengths=batch.lengths)
    together = tl.cross_entropy(head(output).reshape(-1, 4), batch.targets.ravel())
    alone = [
        tl.cross_entropy(head(lstm(xs)[0]), t, reduction="sum").item() for xs, t in zip(sequences, targets, strict=True)
    ]
    assert together.item() == pytest.approx(sum(alone) / 11, rel=1e-12)


def test_what_cannot_be_put_side_by_side_is_refused():
    with pytest.raises(tl.ShapeError, match="one sequence or more, each of one step"):
        pad([])
    with pytest.raises(tl.ShapeError, match="one sequence or more, each of one step"):
        pad([[1], []])
    with pytest.raises(tl.ShapeError, match="must have one shape"):
        pad([np.ones((2, 3)), np.ones((2, 4))])
    with pytest.raises(ValueError, match="3 sequences and 2 targets"):
        Shuffled([[1], [1], [1]], [0, 0], 2)
    with pytest.raises(ValueError, match="0 sequences"):
        Shuffled([], [], 2)
    with pytest.raises(ValueError, match="sequence 1 has 2 steps, and 1 targets"):
        next(Shuffled([[1], [1, 2]], [[0], [1]], 2, every_step=True))
    with pytest.raises(ValueError, match="sequence 0 has 2 steps, and 1 targets"):
        next(Shuffled([[1, 2]], [0], 2, every_step=True))
    with pytest.raises(ValueError, match=r"targets have shapes \(1,\), \(2,\); where there is one for each step"):
        next(Shuffled([[1], [1, 2]], [[0], [0, 1]], 2))
    for wrong in ({"size": 0}, {"seed": -1}, {"epochs": 0}):
        with pytest.raises(ValueError, match="must be"):
            Shuffled([[1]], [0], **{"size": 1, **wrong})


@given(st.integers(2, 60), st.integers(1, 9), st.integers(1, 9))
def test_streams_read_every_stretch_in_its_order(length, count, window):
    ids = np.arange(length)
    streams = Streams(ids, count, window, epochs=1)
    windows = list(streams)
    assert len(windows) == streams.per_epoch
    read = np.concatenate([each.inputs for each in windows])
    N = min(count, length - 1)
    assert read.shape == ((length - 1) // N, N)
    np.testing.assert_array_equal(read.T.ravel(), ids[: read.size])
    np.testing.assert_array_equal(np.concatenate([each.targets for each in windows]), read + 1)
    assert [each.first for each in windows] == [True] + [False] * (len(windows) - 1)
    assert all(len(each.inputs) == window for each in windows[:-1])


def test_streams_begin_again_and_go_on_from_a_position():
    streams = Streams(range(10), 2, 3)
    taken = [next(streams) for _ in range(5)]
    again = Streams(range(10), 2, 3)
    again.load_state_dict({"position": 3})
    np.testing.assert_array_equal(next(again).inputs, taken[3].inputs)
    assert [each.first for each in taken] == [True, False, True, False, True]


@pytest.mark.parametrize("wrong", [[1], [], [[1, 2], [3, 4]]])
def test_a_text_of_one_symbol_is_no_stream(wrong):
    with pytest.raises(ValueError, match="two symbols or more"):
        Streams(wrong, 1, 1)


def test_the_state_is_handed_on_and_the_gradient_is_not():
    """Window by window the scores are those of the whole text; the gradient is that of the window alone."""
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 5, size=13)
    model = tl.nn.LanguageModel(5, 4, rng=0, cell="gru", num_layers=2)
    loss, losses = TruncatedLoss(), []
    for window in Streams(ids, 1, 4, epochs=1):
        before = loss.state
        L = loss(model, window)
        losses.append(L.item())
    scores, _ = model(ids[:-1])
    whole = tl.cross_entropy(scores, ids[1:], reduction="none").value.reshape(3, 4)
    np.testing.assert_allclose(losses, whole.mean(axis=1), rtol=1e-12)
    (ours,) = tl.grad(L, [model.head.weight])
    (alone,) = tl.grad(
        tl.cross_entropy(model(window.inputs, before)[0].reshape(-1, 5), window.targets.ravel()), [model.head.weight]
    )
    np.testing.assert_array_equal(ours.value, alone.value)
    assert before.is_leaf


def test_a_loss_without_a_state_yet_is_kept_and_taken_over():
    loss = TruncatedLoss()
    loss.load_state_dict(TruncatedLoss().state_dict())
    assert loss.state is None


def test_the_mean_over_a_text_weighs_symbols_alike():
    ids = np.random.default_rng(0).integers(0, 5, size=12)
    model = tl.nn.LanguageModel(5, 4, rng=0)
    scores, _ = model(ids[:-1])
    whole = tl.cross_entropy(scores, ids[1:]).item()
    assert stream_loss(model, ids, streams=1, window=4) == pytest.approx(whole, rel=1e-12)

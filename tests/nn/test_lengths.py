"""Sequences of different lengths in one batch: what is padding is not there."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_lstm as tl
from tinygrad_lstm.nn.cell import as_state, state_parts

LAYERS = [tl.RNN, tl.LSTM, tl.GRU]
DEEP = {"num_layers": 2, "bidirectional": True}


@pytest.mark.parametrize("layer_type", LAYERS)
@settings(max_examples=10)
@given(lengths=st.lists(st.integers(1, 4), min_size=1, max_size=4), seed=st.integers(0, 99), batch_first=st.booleans())
def test_each_sequence_is_as_if_it_were_alone(layer_type, lengths, seed, batch_first):
    """Outputs, zeros past the end, last states; sorted or not; two layers, both directions; padding is NaN."""
    rng, T, N = np.random.default_rng(seed), 5, len(lengths)
    layer = layer_type(2, 3, batch_first=batch_first, rng=seed, **DEEP)
    xs = np.full((T, N, 2), np.nan)
    for n, length in enumerate(lengths):
        xs[:length, n] = rng.normal(size=(length, 2))
    state = [rng.normal(size=(4, N, 3)) for _ in layer.cells[0].state_names]
    given_xs = xs.swapaxes(0, 1) if batch_first else xs
    output, last = layer(tl.tensor(given_xs), as_state(tuple(map(tl.tensor, state))), lengths=lengths)
    output = output.value.swapaxes(0, 1) if batch_first else output.value
    for n, length in enumerate(lengths):
        alone, end = layer(tl.tensor(xs[:length, n]), as_state(tuple(tl.tensor(part[:, n]) for part in state)))
        np.testing.assert_allclose(output[:length, n], alone.value, rtol=1e-12, atol=1e-15)
        assert (output[length:, n] == 0).all()
        for part, exact in zip(state_parts(layer.cells[0], last), state_parts(layer.cells[0], end), strict=True):
            np.testing.assert_allclose(part.value[:, n], exact.value, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("layer_type", LAYERS)
def test_padding_sends_no_gradient_back(layer_type, rng):
    """Exactly 0 where the padding is, NaN or not, and the same gradients as without any."""
    layer, lengths, found = layer_type(2, 3, rng=0, **DEEP), [2, 4, 1], []
    clean = rng.normal(size=(4, 3, 2))
    padding = np.arange(4)[:, None] >= lengths
    for filled in (np.nan, np.inf, 0.0, 1e6):
        xs = tl.tensor(np.where(padding[..., None], filled, clean), requires_grad=True)
        output, state = layer(xs, lengths=lengths)
        (output.sum() + sum((part * part).sum() for part in state_parts(layer.cells[0], state))).backward()
        assert (xs.grad.value[padding] == 0).all()
        assert (xs.grad.value[~padding] != 0).all()
        found.append([xs.grad.value, *(parameter.grad.value for parameter in layer.parameters())])
        layer.zero_grad()
    for other in found[1:]:
        for one, same in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(one, same)


@pytest.mark.parametrize("layer_type", LAYERS)
def test_gradients_with_lengths_agree_with_the_complex_step(layer_type, rng):
    layer = layer_type(2, 2, bidirectional=True, rng=0)
    state = [rng.normal(size=(2, 3, 2)) for _ in layer.cells[0].state_names]
    report = tl.testing.check_vjp(
        lambda xs, *state: layer(xs, as_state(state), lengths=[1, 3, 2]),
        rng.normal(size=(3, 3, 2)),
        *state,
        parameters=layer.parameters(),
        directions=2,
    )
    assert report.worst < 1e4


def test_a_batch_of_full_sequences_is_computed_without_masks(rng):
    layer, xs = tl.LSTM(2, 3, rng=0), tl.tensor(rng.normal(size=(3, 2, 2)))
    output, _ = layer(xs, lengths=[3, 3])
    np.testing.assert_array_equal(output.value, layer(xs)[0].value)
    assert not any(node.primitive.name == "where" for node in tl.Graph(output).nodes if not node.is_leaf)


@pytest.mark.parametrize("lengths", [(2, 1), np.array([2, 1], np.int32), tl.tensor([2, 1]), [2.0, 1.0]])
def test_lengths_are_whole_numbers_of_any_kind(lengths):
    layer, xs = tl.GRU(2, 3, rng=0), np.ones((2, 2, 2))
    np.testing.assert_array_equal(layer(xs, lengths=lengths)[0].value, layer(xs, lengths=[2, 1])[0].value)


@pytest.mark.parametrize(
    ("lengths", "error", "words"),
    [
        ([2, 0, 1], ValueError, "lengths[1] is 0"),
        ([2, 3, -1], ValueError, "lengths[2] is -1"),
        ([5, 3, 1], ValueError, "lengths[0] is 5"),
        ([2, 1.5, 1], ValueError, "lengths[1] is 1.5"),
        ([2, np.nan, 1], ValueError, "lengths[1] is nan"),
        ([2, np.inf, 1], ValueError, "lengths[1] is inf"),
        ([2, 1], tl.ShapeError, "got (2,) for xs of shape (T=4, N=3, D=2)"),
        ([2, 1, 1, 1], tl.ShapeError, "(T=4, N=3, D=2); is it (N, T, D)? then say batch_first=True"),
        (2, tl.ShapeError, "got () for"),
        ([[1], [2, 3], [1]], TypeError, "not [[1], [2, 3], [1]]"),
        ([True, True, True], TypeError, "not [True, True, True]"),
        ("word", TypeError, "not 'word'"),
        (["a", "b", "c"], TypeError, "not ['a', 'b', 'c']"),
    ],
    ids=str,
)
def test_lengths_that_are_none(lengths, error, words):
    begin = "LSTM at t=7: lengths must be N=3 whole numbers from 1 to T=4, one for each sequence"
    with pytest.raises(error) as refused, tl.time_step(7):
        tl.LSTM(2, 3, rng=0)(np.ones((4, 3, 2)), lengths=lengths)
    assert str(refused.value).startswith(begin)
    assert str(refused.value).endswith(words) or words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_one_sequence_has_no_lengths():
    with pytest.raises(tl.ShapeError, match=r"GRU: lengths are those of a batch; xs of shape \(T=4, D=2\) is one seq"):
        tl.GRU(2, 3, rng=0)(np.ones((4, 2)), lengths=[4])


def test_a_nan_in_a_sequence_stays_in_it_and_is_named_where_it_is_looked_for(rng):
    xs = rng.normal(size=(4, 3, 2))
    xs[2, 1, 0] = np.nan
    for layer, given_xs in ((tl.LSTM(2, 3, rng=0), xs), (tl.LSTM(2, 3, batch_first=True, rng=0), xs.swapaxes(0, 1))):
        words = "LSTM: xs holds nan at step 2 of sequence 1, in entry 0"
        with pytest.raises(FloatingPointError, match=words), tl.detect_nan():
            layer(given_xs)
        with tl.detect_nan():
            layer(given_xs, lengths=[4, 2, 4])  # the NaN is padding
    with pytest.raises(FloatingPointError, match="LSTM: xs holds nan at step 2, in entry 0"), tl.detect_nan():
        tl.LSTM(2, 3, rng=0)(xs[:, 1])
    output, _ = tl.LSTM(2, 3, rng=0)(xs)
    assert np.isnan(output.value[2:, 1]).all()
    assert np.isfinite(np.delete(output.value, 1, axis=1)).all()
    assert np.isfinite(output.value[:2]).all()


def test_lengths_are_drawn_and_stepped(rng):
    """In boxes of their own, at every step alike; of full sequences there are none."""
    layer, xs = tl.GRU(2, 2, bidirectional=True, rng=0), rng.normal(size=(2, 2, 2))
    for lengths, ended in (([1, 2], {0, 1, None}), ([2, 2], set())):
        output, _ = layer(xs, lengths=lengths)
        loss = output.sum()
        for view in ("cells", "rolled"):
            assert (">lengths</FONT>" in tl.draw(loss, view).source) == bool(ended)
        stepper = tl.step(loss)
        assert {event.node.time for event in stepper.events if event.node.scope == ("lengths",)} == ended
        assert len(stepper.ledger(output)) == 1

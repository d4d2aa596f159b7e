"""Packed sequences, as PyTorch has them, go through a layer like padded ones with their lengths."""

from typing import Any, NamedTuple

import numpy as np
import pytest

import tinygrad_lstm as tl


class Packed(NamedTuple):
    """What PyTorch's PackedSequence is, without PyTorch."""

    data: Any
    batch_sizes: Any
    sorted_indices: Any = None
    unsorted_indices: Any = None


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_layer_takes_and_gives_packed_sequences(batch_first, bidirectional, rng):
    layer = tl.LSTM(2, 3, num_layers=2, bidirectional=bidirectional, batch_first=batch_first, rng=0)
    lengths = [2, 4, 1]
    rows = [rng.normal(size=(n, 2)) for n in lengths]
    xs = np.full((4, 3, 2), np.nan)
    for n, each in enumerate(rows):
        xs[: len(each), n] = each
    state = tuple(tl.tensor(rng.normal(size=(2 * (1 + bidirectional), 3, 3))) for _ in "hc")
    output, last = layer(xs.swapaxes(0, 1) if batch_first else xs, state, lengths=lengths)
    output = output.value.swapaxes(0, 1) if batch_first else output.value
    order = np.argsort(lengths)[::-1]
    steps = [(t, n) for t in range(4) for n in order if lengths[n] > t]
    data = tl.tensor([xs[t, n] for t, n in steps], requires_grad=True)
    packed = Packed(data, np.array([3, 2, 1, 1]), order, np.argsort(order))
    y, last_of_packed = layer(packed, state)
    assert isinstance(y, Packed)
    assert y.batch_sizes is packed.batch_sizes
    assert np.array_equal(y.data.value, [output[t, n] for t, n in steps])
    for one, other in zip(last_of_packed, last, strict=True):
        assert np.array_equal(one.value, other.value)
    (y.data * y.data).sum().backward()
    assert np.abs(data.grad.value).min() > 0


def test_packed_sequences_in_order_of_length_need_no_order(rng):
    layer, data = tl.GRU(2, 3, rng=0), rng.normal(size=(5, 2))
    y, h = layer(Packed(data, np.array([2, 2, 1])))
    one = layer(data[[0, 2, 4]])
    assert np.allclose(y.data.value[[0, 2, 4]], one[0].value, rtol=1e-14)
    assert np.allclose(h.value[0, 0], one[1].value[0], rtol=1e-14)

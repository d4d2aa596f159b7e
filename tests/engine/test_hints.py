"""What everybody types first is answered with what would be right."""

import pytest

import tinygrad_lstm as tl


def test_a_gradient_of_several_outputs_is_asked_of_one():
    x = tl.tensor(1.0, requires_grad=True)
    with pytest.raises(TypeError, match=r"as in tl\.grad\(loss, \[x\]\), not from list; of several, add"):
        tl.grad([x * x], [x])


def test_what_a_layer_returns_is_drawn_one_at_a_time():
    with pytest.raises(TypeError, match=r"got tuple; draw one of it, as in output, \(h_n, c_n\) = lstm\(xs\)"):
        tl.draw(tl.LSTM(2, 2, rng=0)([[1.0, 2.0]]))


def test_a_replay_takes_a_mapping():
    with pytest.raises(TypeError, match="replay takes a mapping from leaves to values"):
        tl.Graph(tl.tanh(tl.tensor(1.0))).replay([1.0])

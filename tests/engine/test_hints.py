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


@pytest.mark.parametrize("thing", [3, None, "x", [], object()])
def test_a_formula_is_of_a_tensor(thing):
    with pytest.raises(TypeError, match="formula writes the rule of a tensor"):
        tl.formula(thing)


@pytest.mark.parametrize("rate", [1j, None, "fast", [0.1]])
@pytest.mark.parametrize("optimiser", [tl.SGD, tl.Adam])
def test_a_learning_rate_is_a_number(optimiser, rate):
    with pytest.raises(TypeError, match="the learning rate must be a number"):
        optimiser([tl.tensor(1.0, requires_grad=True)], lr=rate)


def test_an_update_that_would_bind_another_tensor_is_refused():
    w = tl.tensor(1.0, requires_grad=True, name="w")
    with tl.no_grad(), pytest.raises(TypeError, match=r"leave the weight \(w\) as it was; replace its value"):
        w -= 0.1
    y = w
    y -= 1.0
    assert (y.item(), w.item()) == (0.0, 1.0)

"""What everybody types first is answered with what would be right."""

import copy
import pickle
import warnings

import numpy as np
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


def test_a_gradient_that_is_not_kept_says_where_to_get_it():
    x = tl.tensor(1.0, requires_grad=True)
    with tl.scope("gate"):
        h = tl.tanh(x)
    (h * h).backward()
    with pytest.warns(
        UserWarning, match=r"tanh in gate computed is None\. Ask for it: tl\.grad\(loss, \[h\]\)"
    ) as told:
        assert h.grad is None
    assert told[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert x.grad is not None
        assert tl.tensor(1.0, requires_grad=True).grad is None
        assert tl.tanh(tl.tensor(1.0)).grad is None
        h.grad = 1.0
        assert h.grad.item() == 1.0


def test_what_is_written_in_place_of_a_value_is_what_its_documentation_says():
    w = tl.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(ValueError, match="output array is read-only"):
        w.value -= 0.5
    with pytest.raises(ValueError, match="read-only"):
        w.value[0] = 3.0
    w.value = w.value - 0.5
    changed = w.value.copy()
    changed[0] = 3.0
    w.value = changed
    assert w.tolist() == [3.0, 1.5]
    for written in ("w.value -= step", "w.value = w.value - step", "w.value.copy()"):
        assert written in type(w).value.__doc__
    with tl.no_grad(), pytest.raises(ValueError, match="read-only"):
        np.subtract(w.value, 1.0, out=w.value)


def chain(n):
    y = tl.tensor(0.5, name="x")
    for _ in range(n):
        y = tl.tanh(y)
    return y


def test_advice_to_show_less_fits_the_graph(monkeypatch):
    from tinygrad_lstm.drawing.layout import by_dot
    from tinygrad_lstm.drawing.paint.render import OutOfTime

    def stopped(*_, **__):
        raise OutOfTime("stopped")

    monkeypatch.setattr(by_dot, "render", stopped)
    with pytest.raises(OutOfTime, match=r"Show less: only a part of the graph by drawing another tensor$"):
        _ = tl.draw(chain(3)).svg
    with tl.time_step(0):
        h = tl.tanh(tl.tensor(0.5))
    with pytest.raises(OutOfTime, match=r"steps=\(a, b\) for a window, or only"):
        _ = tl.draw(h).svg
    with tl.scope("gate"):
        h = tl.tanh(tl.tensor(0.5))
    with pytest.raises(OutOfTime, match=r"depth=0 to close the modules, or only"):
        _ = tl.draw(h).svg


@pytest.mark.parametrize("again", [copy.deepcopy, lambda parts: pickle.loads(pickle.dumps(parts))])
@pytest.mark.slow
def test_a_graph_deeper_than_python_recurses_is_copied_whole(again):
    """And what two tensors share is shared by their copies, whichever of them is copied first."""
    w = tl.tensor(0.5, requires_grad=True, name="w")
    h = y = tl.tanh(w)
    for _ in range(20_000):
        y = y + w
    w2, y2, h2 = again([w, y, h])
    nodes = tl.Graph(y2).nodes
    assert [node.name for node in nodes if node.is_leaf] == ["w"]
    assert len(nodes) == len(tl.Graph(y).nodes)
    assert nodes[0] is w2
    assert nodes[1] is h2
    y2.backward()
    assert w.grad is None
    assert w2.grad.item() == 20_000 + 1 - h.item() ** 2
    shallow = copy.copy(h)
    assert shallow is not h
    assert shallow.inputs[0] is w


@pytest.mark.parametrize("rng", ["x", -1, 1j, [1.5], [object()], 0.5])
@pytest.mark.parametrize("make", [tl.LSTM, tl.LSTMCell, tl.Linear, tl.Embedding, tl.GRU])
def test_a_seed_that_is_none_is_refused(make, rng):
    with pytest.raises((TypeError, ValueError), match="rng must be a seed, a whole number from 0 on, or a generator"):
        make(2, 3, rng=rng)


def test_a_size_that_no_machine_holds_is_refused():
    with pytest.raises(ValueError, match="num_layers must be below 2,147,483,648, not 18,446,744,073,709,551,616"):
        tl.LSTM(2, 3, num_layers=2**64)
    with pytest.raises(ValueError, match="in_features must be below"):
        tl.Linear(2**31, 1)


@pytest.mark.parametrize("interval", [None, 3, "x", (), (1,), (1, 0), (0, 1, 2), ("a", 1), object(), (float("nan"), 1)])
@pytest.mark.parametrize("what", ["range", "domain"])
def test_an_interval_of_an_operation_is_one(what, interval):
    with pytest.raises(ValueError, match=f"the {what} of odd must be"):
        tl.primitive("odd", lambda x: x, lambda g, y, x: (g,), **{what: interval})


def test_an_operation_has_a_domain_for_each_input():
    with pytest.raises(ValueError, match="the domain of odd must be one interval, or one for each input: 1, not 2"):
        tl.primitive("odd", lambda x: x, lambda g, y, x: (g,), domain=((0, 1), (0, 1)))

"""``tl.compile``: behind the layer's own signature, for whatever a layer goes through."""

import copy
import pickle
import threading

import numpy as np
import pytest

import tinygrad_lstm as tl
from tests.program.agreement import to_rounding, unlike_compiled
from tests.program.networks import D, H, drawn, opaque_sine
from tinygrad_lstm.program import compiled as room


@pytest.fixture
def lstm():
    return tl.LSTM(D, H, rng=0)


def gradients(layer, x, *state):
    output, _ = layer(x, *state)
    return tl.grad((output * output).sum(), [x, *layer.parameters()])


def same(ours, theirs):
    return all(to_rounding(a.value, b.value) for a, b in zip(ours, theirs, strict=True))


def test_it_has_the_attributes_of_the_layer(lstm):
    fast = tl.compile(lstm)
    assert fast.parameters() == lstm.parameters()
    assert fast.hidden_size == H
    with pytest.raises(AttributeError):
        _ = fast.something_else


def test_it_is_copied_and_pickled_as_the_layer_is(lstm):
    fast, x = tl.compile(lstm, optimize=0), drawn(4, 2, D)
    output, _ = fast(x)
    for again in (copy.deepcopy(fast), pickle.loads(pickle.dumps(fast))):
        assert again.explain() == "not called yet"
        assert to_rounding(again(x)[0].value, output.value)
        assert again.parameters()[0] is not lstm.parameters()[0]
    assert repr(fast) == "tl.compile(LSTM(3 → 4), optimize=0)"


def test_its_program_is_that_of_the_layer(lstm):
    x = drawn(4, 2, D)
    assert str(tl.source(tl.compile(lstm), x)) == str(tl.source(lstm, x))


def test_it_is_made_once_for_all_sizes_and_numbers_and_anew_for_another_type_or_kind(lstm):
    fast = tl.compile(lstm)
    for steps, batch in [(3, 2), (7, 1), (1, 4)]:
        fast(drawn(steps, batch, D))
    assert len(fast.explain().splitlines()) == 1
    fast(np.ones((3, 2, D)))  # no gradient of it is wanted
    fast(drawn(3, 2, D), (drawn(1, 2, H), drawn(1, 2, H)))
    assert len(fast.explain().splitlines()) == 3
    assert "not compiled" not in fast.explain()


def test_what_is_recorded_does_not_grow_with_the_steps(lstm, monkeypatch):
    seen = []
    record = room.of_function

    def counting(f, example, **details):
        counted = lambda xs: seen.append(len(xs)) or f(xs)
        counted.parameters, counted.batch_first = f.parameters, f.batch_first
        return record(counted, example, **details)

    monkeypatch.setattr(room, "of_function", counting)
    for steps in (5, 500):
        tl.compile(lstm)(np.ones((steps, 1, D)))
    assert max(seen) < 40
    assert seen[: len(seen) // 2] == seen[len(seen) // 2 :]


def test_shapes_that_the_layer_refuses_are_refused_by_it(lstm):
    fast = tl.compile(lstm)
    fast(drawn(3, 2, D), (drawn(1, 2, H), drawn(1, 2, H)))
    with pytest.raises(tl.ShapeError, match="state"):
        fast(drawn(3, 2, D), (drawn(2, 2, H), drawn(2, 2, H)))
    with pytest.raises(tl.ShapeError):
        fast(drawn(3, 2, D), (drawn(1, 3, H), drawn(1, 3, H)))
    with pytest.raises(TypeError, match="xs"):
        fast()


def test_without_a_graph_there_are_only_values(lstm):
    fast, x = tl.compile(lstm), drawn(4, 2, D)
    with tl.no_grad():
        output, (h, _) = fast(x)
        assert to_rounding(output.value, lstm(x)[0].value)
    assert output.is_leaf
    assert not output.requires_grad
    assert not h.requires_grad
    assert fast(x)[0].requires_grad


def test_outputs_are_read_only_and_stay_as_they_are(lstm):
    fast, x = tl.compile(lstm), drawn(4, 2, D)
    output, (h, _) = fast(x)
    before = output.value.copy(), h.value.copy()
    fast(drawn(4, 2, D, seed=1))
    assert not output.value.flags.writeable
    assert np.array_equal(output.value, before[0])
    assert np.array_equal(h.value, before[1])


@pytest.mark.parametrize("optimize", [0, 3])
def test_going_back_twice_adds_up(lstm, optimize):
    x = drawn(4, 2, D)
    loss = (tl.compile(lstm, optimize=optimize)(x)[0] ** 2).sum()
    loss.backward()
    once = x.grad.value
    loss.backward()
    assert np.array_equal(x.grad.value, 2 * once)


def test_several_calls_in_one_graph_keep_apart(lstm):
    fast, a, b = tl.compile(lstm), drawn(4, 2, D), drawn(4, 2, D, seed=1)
    both = [tl.grad((f(a)[0] * f(b)[0]).sum(), [a, b, *lstm.parameters()]) for f in (fast, lstm)]
    assert same(*both)


@pytest.mark.parametrize("optimize", [0, 3])
def test_a_weight_that_changes_between_forwards_and_backwards_is_that_of_the_time(lstm, optimize):
    x, found = drawn(4, 2, D), []
    for f in (tl.compile(lstm, optimize=optimize), lstm):
        weight = lstm.cell.forget_gate.weight
        before = weight.value
        loss = (f(x)[0] ** 2).sum()
        weight.value = np.zeros_like(before)
        found.append(tl.grad(loss, [x, *lstm.parameters()]))
        weight.value = before
    assert same(*found)


def test_weights_that_learn_are_those_of_the_moment(lstm):
    fast, x = tl.compile(lstm), drawn(4, 2, D)
    optimiser = tl.SGD(lstm.parameters(), lr=0.1)
    for _ in range(3):
        optimiser.zero_grad()
        (fast(x)[0] ** 2).sum().backward()
        optimiser.step()
        assert same(gradients(fast, x), gradients(lstm, x))
    assert len(fast.explain().splitlines()) == 1


def test_a_weight_that_is_replaced_or_frozen_is_noticed(lstm):
    fast, x = tl.compile(lstm), drawn(4, 2, D)
    fast(x)
    lstm.cell.forget_gate.weight = drawn(H + D, H, seed=3)
    assert same(gradients(fast, x), gradients(lstm, x))
    lstm.requires_grad_(False)
    fast(x)[0].sum().backward()
    assert lstm.cell.forget_gate.weight.grad is None
    assert x.grad is not None
    lstm.requires_grad_(True)
    assert same(gradients(fast, x), gradients(lstm, x))


def test_dropout_falls_back_while_training_and_says_why():
    layer = tl.LSTM(D, H, num_layers=2, dropout=0.5, rng=0)
    fast, x = tl.compile(layer), drawn(4, 2, D)
    fast(x)
    assert "not compiled: two runs of it differ" in fast.explain()
    layer.eval()
    assert unlike_compiled(fast, layer, [x], [x, *layer.parameters()], to_rounding) == []
    assert fast.explain().splitlines()[1].endswith("lines")
    layer.train()
    assert fast(x)[0].tolist() != fast(x)[0].tolist()


def test_who_calls_with_ever_other_arguments_does_not_wait_each_time(monkeypatch):
    monkeypatch.setattr(room, "MOST_KINDS", 2)
    fast = tl.compile(lambda x, n: x * n)
    x = drawn(2, 2)
    for n in range(4):
        assert fast(x, n).tolist() == (x * n).tolist()
    assert len(fast.explain().splitlines()) == 3
    assert fast.explain().endswith("other arguments: not compiled: there were 2 kinds of arguments before")


def test_modules_that_change_from_call_to_call_are_computed_as_ever(monkeypatch):
    monkeypatch.setattr(room, "MOST_STATES", 2)

    class Counting(tl.nn.Module):
        def __init__(self):
            self.layer, self.calls = tl.RNN(D, H, rng=0), 0

        def forward(self, xs):
            self.calls += 1
            return self.layer(xs)[0]

    model = Counting()
    fast, x = tl.compile(model), drawn(3, 2, D)
    for _ in range(4):
        assert to_rounding(fast(x).value, model(x).value)
    (line,) = fast.explain().splitlines()
    assert line.endswith("not compiled: it changes what it reads, such as an attribute or a list, in each call")


def test_second_derivatives_are_those_of_the_composed_graph(lstm):
    fast, x, found = tl.compile(lstm), drawn(3, 2, D), []
    for f in (fast, lstm):
        output, (h, _) = f(x)
        wrt = [x, *lstm.parameters()]
        first = tl.grad((output * output).sum() + (h**3).sum(), wrt, create_graph=True)
        found.append(tl.grad(sum((g * g).sum() for g in first), wrt))
    assert same(*found)


def test_the_checks_of_gradients_take_it(lstm):
    fast = tl.compile(lstm)
    assert tl.testing.check_vjp(lambda x: fast(x)[0], drawn(3, 2, D)).verdict == "PASS"


def test_two_threads_call_it_at_once(lstm):
    fast, xs = tl.compile(lstm), [drawn(6, 2, D, seed=seed) for seed in range(4)]
    expected, found = [gradients(lstm, x) for x in xs], {}

    def work(k):
        found[k] = [gradients(fast, xs[k]) for _ in range(5)]

    threads = [threading.Thread(target=work, args=(k,)) for k in range(len(xs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(same(each, expected[k]) for k in range(len(xs)) for each in found[k])


def test_faults_are_looked_for_in_the_graph_one_sees(lstm):
    fast, x = tl.compile(lstm), drawn(3, 2, D)
    lstm.cell.forget_gate.bias.value = np.full(H, np.nan)
    with tl.detect_nan(), pytest.raises(FloatingPointError, match="forget_gate"):
        fast(x)


def test_an_operation_that_cannot_be_read_is_called():
    mine = opaque_sine()
    w = drawn(D, D, name="w")

    def f(x):
        h = x[0]
        for t in range(len(x)):
            h = mine(h @ w + x[t])
        return h

    fast = tl.compile(f)
    for steps in (2, 6):
        x = drawn(steps, 2, D)
        assert unlike_compiled(fast, f, [x], [x, w], to_rounding) == []
    assert "not compiled" not in fast.explain()
    assert "# operations: by name, what numpy does not have: my_sine" in str(tl.source(f, drawn(3, 2, D)))


def test_it_explains_nothing_before_it_is_called():
    assert tl.compile(lambda x: x).explain() == "not called yet"


@pytest.mark.parametrize(
    "function",
    [
        lambda x, w: x * w,
        lambda x, w: x + w,
        lambda x, w: tl.concat([x, w], axis=0),
        lambda x, w: x.reshape(6) + w.reshape(6),
        lambda x, w: (x * w).sum(),
    ],
)
@pytest.mark.parametrize("optimize", [0, 3])
def test_gradients_lie_in_arrays_of_their_own(function, optimize):
    x, w = (tl.tensor(np.ones((2, 3)) * k, requires_grad=True) for k in (2.0, 3.0))
    y = tl.compile(function, optimize=optimize)(x, w)
    seed = tl.tensor(np.ones(y.shape))
    arrays = [*(g.value for g in tl.grad(y, [x, w], seed)), x.value, w.value, y.value, seed.value]
    for i, a in enumerate(arrays[:2]):
        assert not any(np.shares_memory(a, b) for b in arrays[i + 1 :])
        assert not a.flags.writeable


def all_kinds_of_arguments(a, b=2.0, /, c=3.0, *more, d=5.0, **others):
    return a * b + c * sum(more) + d * sum(others.values())


def test_arguments_are_understood_as_python_does():
    fast, x = tl.compile(all_kinds_of_arguments), drawn(2, 2)
    for args, named in [
        ((x,), {}), ((x, 4.0), {}), ((x, 4.0, 5.0), {}), ((x, 4.0, 5.0, x, x), {}), ((x,), {"d": 1.0}),
        ((x,), {"c": 7.0, "e": x}),
    ]:  # fmt: skip
        assert fast(*args, **named).tolist() == all_kinds_of_arguments(*args, **named).tolist()
    needing = tl.compile(lambda x, *, scale: x * scale)
    assert needing(x, scale=2.0).tolist() == (x * 2.0).tolist()
    with pytest.raises(TypeError, match="scale"):
        needing(x)


def test_what_is_compiled_in_it_is_opened(lstm):
    inner = tl.compile(lstm)
    fast, slow = (tl.compile(lambda x: inner(x)[0] * 2)), (lambda x: lstm(x)[0] * 2)
    for steps in (4, 9):
        x = drawn(steps, 2, D)
        assert unlike_compiled(fast, slow, [x], [x, *lstm.parameters()], to_rounding) == []
    assert fast.explain().endswith("lines")


def test_one_that_calls_itself_is_computed_as_ever():
    def total(x):
        return x[0].sum() + (fast(x[1:]) if len(x) > 1 else 0.0)

    fast, x = tl.compile(total), drawn(4, 2, D)
    found = []
    caller = threading.Thread(target=lambda: found.append(fast(x).item()), daemon=True)
    caller.start()
    caller.join(30)
    assert np.allclose(found, x.sum().item())


def test_an_array_that_is_written_over_before_it_goes_back_was_that_of_the_call():
    w, batch = drawn(D, H, name="w"), np.ones((3, 2, D))
    y = tl.compile(lambda x: tl.tanh(x @ w))(batch)
    expected = tl.grad(tl.tanh(tl.tensor(np.ones((3, 2, D))) @ w).sum(), [w])
    batch[:] = 0
    assert same(tl.grad(y.sum(), [w]), expected)


def test_as_a_part_of_a_module_it_is_its_layer(lstm):
    class Reader(tl.nn.Module):
        def __init__(self):
            self.layer, self.head = tl.compile(lstm), tl.Linear(H, 1, rng=0)
            self.more = [tl.compile(tl.RNN(H, H, rng=0))]

        def forward(self, x):
            return self.head(self.more[0](self.layer(x)[0])[0])

    model, x = Reader(), drawn(4, 2, D)
    assert len(model.parameters()) == len(lstm.parameters()) + 4
    assert set(lstm.parameters()) < set(model.parameters())
    assert "layer.cell.forget_gate.weight" in model.state_dict()
    model.eval()
    assert not lstm.training
    fast = tl.compile(model)
    assert unlike_compiled(fast, model, [x], [x, *model.parameters()], to_rounding) == []
    assert fast.explain().endswith("lines")


def test_what_is_set_is_set_on_the_layer(lstm):
    fast = tl.compile(lstm)
    fast.training = False
    assert lstm.training is False
    assert repr(fast) == f"tl.compile({lstm!r}, optimize=3)"


def test_masked_arrays_are_told_what_the_layer_tells_them(lstm):
    fast = tl.compile(lstm)
    fast(np.ones((3, 2, D)))
    with pytest.raises(TypeError, match="tensors have no mask"):
        fast(np.ma.masked_array(np.ones((3, 2, D))))


@pytest.mark.parametrize("optimize", range(4))
def test_layers_that_each_have_weights_of_their_own_are_a_program(optimize):
    weights, h = [drawn(H, H, name="W", seed=k) for k in range(4)], drawn(1, H)
    for w in weights:
        h = tl.tanh(h @ w)
    value, gradients = tl.source(h.sum(), wrt=weights, optimize=optimize)()
    assert to_rounding(value, h.sum().value)
    for ours, theirs in zip(gradients, tl.grad(h.sum(), weights), strict=True):
        assert to_rounding(ours, theirs.value)


def test_what_depends_on_nothing_is_computed_too():
    fast = tl.compile(lambda x: tl.tensor(1.0))
    for learns in (True, False):
        assert fast(drawn(4, 2, 3, name="x", learns=learns)).item() == 1.0


def test_a_module_of_another_library_is_refused_with_the_way_in():
    theirs = type("LSTM", (), {"__module__": "torch.nn.modules.rnn", "__call__": lambda self, x: x})
    with pytest.raises(TypeError, match=r"a LSTM of torch's; bring it in first: tl.from_torch"):
        tl.compile(theirs())

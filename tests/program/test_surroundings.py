"""What is compiled is noticed to be old when anything it reads besides its arguments is no more what it was."""

import copy
import pickle
import sys
from array import array
from collections import deque, namedtuple
from functools import partial
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

import tinygrad_lstm as tl
from tests.conftest import few
from tests.program.networks import drawn
from tinygrad_lstm.program import surroundings
from tinygrad_lstm.program.surroundings import Surroundings

D, H = 3, 4
X = drawn(4, 2, D, name="x")
WEIGHT = drawn(D, H, name="W")


def dropping():
    """A layer whose numbers are dice while it trains; it does not yet."""
    return tl.LSTM(D, H, num_layers=2, dropout=0.5, rng=0).eval()


def in_a_list(model):
    layers = [model]
    return lambda x: sum(each(x)[0] for each in layers)


def as_a_default(model):
    def f(x, layer=model):
        return layer(x)[0]

    return f


def in_another_function(model):
    def inner(x):
        return model(x)[0]

    return lambda x: inner(x) * 2


class Owner:
    def __init__(self, model):
        self.parts = {"layer": model}

    def call(self, x):
        return self.parts["layer"](x)[0]


REACHED = {
    "in a list": in_a_list,
    "as a default": as_a_default,
    "in another function": in_another_function,
    "in a partial": lambda model: partial(lambda layer, x: layer(x)[0], model),
    "of an object": lambda model: partial(lambda here, x: here.layer(x)[0], SimpleNamespace(layer=model)),
    "of a method": lambda model: Owner(model).call,
    "in another compiled function": lambda model: partial(lambda f, x: f(x)[0], tl.compile(model)),
}


@pytest.mark.parametrize("reached", few(REACHED))
def test_a_module_that_trains_again_is_noticed_wherever_it_is(reached):
    model = dropping()
    fast = tl.compile(REACHED[reached](model))
    assert fast(X).tolist() == fast(X).tolist()
    model.train()
    assert fast(X).tolist() != fast(X).tolist()


def test_models_that_are_arguments_are_told_apart_and_their_attributes_seen():
    fast = tl.compile(lambda model, x: model(x)[0].sum())
    first, second = tl.LSTM(D, H, rng=0), tl.LSTM(D, H, rng=1)
    for model in (first, second, first):
        assert np.isclose(fast(model, X).item(), model(X)[0].sum().item(), rtol=1e-12)
    model = dropping()
    fast(model, X)
    model.train()
    assert fast(model, X).item() != fast(model, X).item()


@pytest.mark.parametrize("kind", [np.array, lambda x: {"by": x}, lambda x: {"by": np.full(2000, x)}])
def test_numbers_that_are_no_tensors_are_told_apart(kind):
    def f(x, k):
        by = k["by"] if isinstance(k, dict) else k
        return x.sum() * (by if np.ndim(by) == 0 else float(by[1000]))

    fast = tl.compile(f)
    for k in (2.0, 3.0, 2.0):
        assert np.isclose(fast(X, kind(k)).item(), f(X, kind(k)).item(), rtol=1e-12)


def test_weights_in_a_dict_are_those_of_the_call():
    def f(x, weights):
        return (x @ weights["W"]).sum()

    fast = tl.compile(f)
    for _ in range(2):
        w = tl.tensor(WEIGHT.value, requires_grad=True, name="W")
        assert tl.grad(fast(X, {"W": w}), [w])[0].tolist() == tl.grad(f(X, {"W": w}), [w])[0].tolist()


def test_what_is_closed_over_and_replaced_is_noticed(monkeypatch):
    w, scale, more = WEIGHT, 1.0, [1.0]

    def f(x):
        return (x @ w @ WEIGHT.T).sum() * scale * more[0]

    fast = tl.compile(f)
    expected = fast(X).item()
    w = tl.tensor(WEIGHT.value * 2, requires_grad=True)
    assert np.isclose(fast(X).item(), expected * 2)
    scale = 3.0
    assert np.isclose(fast(X).item(), expected * 6)
    more[0] = 5.0
    assert np.isclose(fast(X).item(), expected * 30)
    monkeypatch.setitem(globals(), "WEIGHT", tl.tensor(WEIGHT.value * 7, requires_grad=True))
    assert np.isclose(fast(X).item(), expected * 210)


def test_attributes_of_modules_are_noticed_be_they_global_or_imported(monkeypatch):
    settings, inner = ModuleType("settings"), ModuleType("settings.inner")
    settings.SCALE, settings.inner, inner.SHIFT = 2.0, inner, 1.0
    monkeypatch.setitem(globals(), "settings", settings)
    monkeypatch.setitem(sys.modules, "imported_settings", settings)

    def f(x):
        import imported_settings

        return x.sum() * settings.SCALE + settings.inner.SHIFT + imported_settings.inner.SHIFT

    fast = tl.compile(f)
    for name, value in (("SCALE", 3.0), ("SCALE", 2.0)):
        setattr(settings, name, value)
        assert np.isclose(fast(X).item(), f(X).item(), rtol=1e-12)
    inner.SHIFT = 7.0
    assert np.isclose(fast(X).item(), f(X).item(), rtol=1e-12)
    assert "not compiled" not in fast.explain()


@pytest.mark.parametrize("kind", [deque, bytearray, lambda numbers: array("d", numbers)])
def test_numbers_in_other_containers_are_noticed(kind):
    numbers = kind([1, 2])
    fast = tl.compile(lambda x: x.sum() * numbers[1])
    before = fast(X).item()
    numbers[1] = 4
    assert np.isclose(fast(X).item(), before * 2)
    assert "not compiled" not in fast.explain()


def test_numbers_of_a_tensor_that_does_not_learn_are_noticed_and_a_part_that_is_not_used_may_learn():
    scale, others = tl.tensor(2.0), tl.LSTM(D, H, rng=0)
    fast = tl.compile(lambda x: (others.parameters and x.sum()) * scale.item())
    before = fast(X).item()
    scale.value = 6.0
    assert np.isclose(fast(X).item(), before * 3)
    lines = len(fast.explain().splitlines())
    for weight in others.parameters():
        weight.value = weight.value * 2
    assert np.isclose(fast(X).item(), before * 3)
    assert len(fast.explain().splitlines()) == lines == 2
    assert "not compiled" not in fast.explain()


class Running(tl.nn.Module):
    """Its buffer moves on in each call."""

    buffer_names = ("run",)

    def __init__(self):
        self.weight, self.run, self.calls = drawn(D, D, name="W"), tl.zeros(D), SimpleNamespace(count=0)

    def forward(self, x):
        y = x @ self.weight
        self.run = self.run * 0.9 + y.detach().mean(axis=(0, 1)) * 0.1
        self.calls.count += 1
        return y.sum()


def test_recording_moves_no_buffer_on():
    ours, theirs = Running(), Running()
    fast = tl.compile(ours)
    for seed in range(4):
        x = drawn(4, 2, D, seed=seed)
        assert fast(x).item() == theirs(x).item()
        assert ours.run.tolist() == theirs.run.tolist()
        assert ours.calls.count == theirs.calls.count
    tl.source(ours, x)
    assert ours.run.tolist() == theirs.run.tolist()


def test_a_function_that_writes_what_it_reads_is_not_compiled():
    seen = []

    def f(x):
        seen.append(x)
        return x.sum()

    fast = tl.compile(f)
    for _ in range(3):
        fast(X)
    assert seen[-1] is seen[-2] is X
    assert "not compiled: it changes what it reads, such as an attribute or a list, in each call" in fast.explain()


def test_what_is_made_once_when_it_is_first_called_is_compiled():
    made = {}

    def f(x):
        return (x @ made.setdefault("W", WEIGHT)).sum()

    fast = tl.compile(f)
    assert fast(X).item() == f(X).item()
    assert fast.explain().endswith("lines")


def test_too_many_objects_are_not_watched(monkeypatch):
    monkeypatch.setattr(surroundings, "MOST_PLACES", 5)
    many = [[k] for k in range(10)]
    fast = tl.compile(lambda x: x.sum() * len(many))
    assert fast(X).item() == X.sum().item() * 10
    assert "not compiled: it reads more than" in fast.explain()


def test_all_kinds_of_things_are_looked_into():
    class Slotted:
        __slots__ = ("a", "b")

        def __init__(self):
            self.a = 1

    class Kept:
        k = 1

        @property
        def own(self):
            return self.k

        @staticmethod
        def still():
            return 1

    slotted, kept, array, large = Slotted(), Kept(), np.zeros(3), np.zeros((2, 20_000)).T

    def empty():
        return later

    around = Surroundings(slotted, kept, array, large, empty, {1, 2}, len, np.float64(1.0))
    assert around.hold()
    for change, back in (
        (lambda: setattr(slotted, "a", 2), lambda: setattr(slotted, "a", 1)),
        (lambda: setattr(Kept, "k", 2), lambda: setattr(Kept, "k", 1)),
        (lambda: array.fill(1), lambda: array.fill(0)),
        (lambda: large.__setitem__((777, 1), 1), lambda: large.__setitem__((777, 1), 0)),
    ):
        change()
        assert not around.hold()
        back()
        assert around.hold()
    later = 1
    assert not around.hold()


def test_a_single_number_of_a_large_array_is_noticed_and_one_that_is_read_only_not_looked_at():
    large, still, objects = np.ones((40_000, 3)), np.ones((40_000, 3)), np.full(20_000, None)
    still.setflags(write=False)
    fast = tl.compile(lambda x: (x * large[:4, None]).sum() * still[0, 0] + len(objects))
    before = fast(X).item()
    large[3, 1] = 100.0
    assert np.isclose(fast(X).item(), fast.function(X).item())
    assert fast(X).item() != before
    assert len(list(surroundings._places(large))) == 1
    assert not list(surroundings._places(still))


def test_what_an_operation_of_yours_closes_over_is_noticed():
    k = 1.0
    times = tl.primitive("times", lambda x: x * k, lambda g, y, x: (g * k,))
    fast = tl.compile(lambda x: times(x).sum())
    assert np.isclose(fast(X).item(), X.sum().item())
    k = 5.0
    assert np.isclose(fast(X).item(), X.sum().item() * 5)
    assert np.allclose(tl.grad(fast(X), [X])[0].value, 5.0)


def test_copies_are_compiled_anew():
    fast = tl.compile(dropping(), optimize=2)
    expected = fast(X)[0].tolist()
    for other in (copy.copy(fast), copy.deepcopy(fast), pickle.loads(pickle.dumps(fast))):
        assert other(X)[0].tolist() == expected
        assert other.optimize == 2
    other = copy.deepcopy(fast)
    for x in other.parameters():
        x.value = np.zeros_like(x.value)
    assert not other(X)[0].value.any()
    assert fast(X)[0].tolist() == expected


Pair = namedtuple("Pair", "x w")


def test_named_tuples_are_taken_and_returned():
    fast = tl.compile(lambda pair: Pair(pair.x @ pair.w, pair.x.sum()))
    found = fast(Pair(X, WEIGHT))
    assert found.w.item() == X.sum().item()
    assert found.x.shape == (4, 2, H)
    assert fast.explain().endswith("lines")


def test_a_padding_that_the_first_batch_has_not_is_seen():
    def f(tokens):
        return tl.where(tokens == 0, 0.0, WEIGHT[tokens].sum(axis=-1)).sum()

    fast = tl.compile(f)
    for tokens in (np.array([[1, 2], [2, 1]]), np.array([[1, 2], [0, 0]])):
        assert np.isclose(fast(tokens).item(), f(tokens).item())
    with pytest.raises(ValueError, match="two runs of it differ at"):
        tl.source(f, np.array([[1, 2], [2, 1]]))

"""Parts are found in containers, at any depth, or refused; what belongs to nobody is told."""

import copy
import pickle
from collections import OrderedDict, UserDict, deque, namedtuple
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.nn import unowned
from tinygrad_lstm.stepper.web.page import page

Pair = namedtuple("Pair", "left right")


@dataclass
class Config:
    part: object


class Holder(tl.nn.Module):
    def __init__(self, held):
        self.held = held


def linear():
    return tl.Linear(1, 1, rng=0)


FOUND = {
    "list": (lambda a, b: [a, b], ["held0", "held1"]),
    "tuple": (lambda a, b: (a, 3, b), ["held0", "held2"]),
    "dict": (lambda a, b: {"in": a, "out": b}, ["held_in", "held_out"]),
    "ordered dict": (lambda a, b: OrderedDict(x=a, y=b), ["held_x", "held_y"]),
    "mapping": (lambda a, b: UserDict(x=a, y=b), ["held_x", "held_y"]),
    "list in dict": (lambda a, b: {"layers": [a, b]}, ["held_layers_0", "held_layers_1"]),
    "dict in list": (lambda a, b: [{"x": a}, {"x": b}], ["held0_x", "held1_x"]),
    "lists in a list": (lambda a, b: [[1, a], [b]], ["held0_1", "held1_0"]),
    "deep": (lambda a, b: ({"x": ([{"y": a}],)}, b), ["held0_x_0_0_y", "held1"]),
    "named tuple": (Pair, ["held0", "held1"]),
}


@pytest.mark.parametrize(("make", "names"), FOUND.values(), ids=FOUND)
def test_parts_in_containers_are_found_named_trained_and_drawn(make, names):
    first, second = linear(), linear()
    model = Holder(make(first, second))
    model.forward = lambda x: second(first(x))
    expected = [f"{name}.{own}" for name in names for own in ("weight", "bias")]
    assert [name for name, _ in model.named_parameters()] == expected
    assert [parameter.name for parameter in model.parameters()] == expected
    loss = model(tl.tensor([2.0])).sum()
    assert unowned(loss, model) == []
    loss.backward()
    before = [parameter.value for parameter in model.parameters()]
    tl.SGD(model.parameters(), lr=0.1).step()
    assert all((parameter.value != old).all() for parameter, old in zip(model.parameters(), before, strict=True))
    assert all(name in tl.draw(loss).source for name in names)
    for copied in (copy.deepcopy(model.held), pickle.loads(pickle.dumps(model.held))):
        assert [name for name, _ in Holder(copied).named_parameters()] == expected


def test_a_parameter_alone_in_a_dict_is_found():
    model = Holder({"scale": tl.tensor(2.0, requires_grad=True)})
    assert [(name, p.name) for name, p in model.named_parameters()] == [("held_scale", "held_scale")]


REFUSED = {
    "set": lambda a: {a},
    "frozenset": lambda a: frozenset([a]),
    "deque": lambda a: deque([a]),
    "array": lambda a: np.array([a, None], dtype=object),
    "dict view": lambda a: {"x": a}.values(),
    "dataclass": Config,
    "namespace": lambda a: SimpleNamespace(part=a),
    "set in a dict": lambda a: {"x": [{a}]},
    "list in a dataclass": lambda a: Config([{"x": a}]),
}


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED)
def test_parts_where_nobody_finds_them_are_refused(make):
    with pytest.raises(TypeError, match=r"Holder\.held: parts in a .* would be found by nobody"):
        Holder(make(linear()))


def test_containers_without_parts_are_the_users_own():
    for held in ([1, 2], {"x": 1}, {1, 2}, SimpleNamespace(x=1), np.arange(3), "text", {"x": [1]}):
        assert Holder(held).held is held
    around = [1]
    around.append(around)
    assert Holder(around).held is around


@pytest.mark.parametrize(
    "change",
    [
        lambda held: held.update(y=linear()),
        lambda held: held.__setitem__("y", linear()),
        lambda held: held.setdefault("y", linear()),
        lambda held: held.pop("x"),
        lambda held: held.clear(),
    ],
)
def test_what_would_be_added_without_a_name_is_refused(change):
    model = Holder({"x": linear()})
    with pytest.raises(TypeError, match="assign the whole dict"):
        change(model.held)


def test_leaves_that_belong_to_nobody_are_told():
    model, x = linear(), tl.tensor([1.0], requires_grad=True, name="x")
    hidden, constant = tl.tensor(2.0, requires_grad=True, name="hidden"), tl.tensor(3.0, name="constant")
    loss = (model(x) * hidden * constant).sum()
    assert unowned(loss, model, among=[x]) == [hidden]
    assert unowned(loss, model) == [x, hidden]
    assert unowned(loss.detach(), model) == []
    with tl.no_grad():
        assert unowned(hidden * 2) == []


def test_without_modules_those_that_ran_are_asked():
    model, other = linear(), linear()
    hidden = tl.tensor(2.0, requires_grad=True, name="hidden")
    model.forward = lambda x: x * model.weight * hidden * other.weight
    loss = model(tl.tensor([1.0])).sum()
    assert unowned(loss) == [hidden, other.weight] or unowned(loss) == [other.weight, hidden]
    assert {leaf.name for leaf in tl.step(loss).unowned()} == {"hidden", "weight"}
    assert tl.step(linear()(tl.tensor([1.0])).sum()).unowned() == []


def test_the_stepper_says_by_itself_what_belongs_to_nobody(monkeypatch, capsys):
    hidden = tl.tensor(2.0, requires_grad=True, name="hidden")
    stepper = tl.step((linear()(tl.tensor([1.0])) * hidden).sum())  # the module is gone, which is no fault
    words = "hidden learns, but is in no module's parameters()."
    assert repr(stepper).endswith(words)
    assert words in page(stepper).replace("&#39;", "'")
    monkeypatch.setattr("sys.stdin", None)
    stepper.terminal()
    assert words in capsys.readouterr().out.splitlines()
    for silent in (linear()(tl.tensor([1.0])).sum(), hidden * 2):  # all are owned; no module took part
        assert tl.step(silent).note == ""
        assert repr(tl.step(silent)).endswith(">")


@pytest.mark.parametrize("again", [False, True])
def test_a_check_of_what_trains_names_the_leaves_that_no_step_changed(again):
    model, hidden = linear(), tl.tensor(2.0, requires_grad=True, name="hidden")
    optimiser = tl.SGD(model.parameters(), lr=0.1)

    def trained(x):
        loss = (tl.tanh(model(x)) * hidden).sum()
        loss.backward()
        optimiser.step()
        return (tl.tanh(model(x)) * hidden).sum() if again else loss

    with pytest.raises(tl.testing.GradientError, match=r"changed the value of weight.*did not change hidden, which"):
        tl.testing.check_vjp(trained, np.ones(1))


@pytest.mark.parametrize("once", [lambda: (linear() for _ in range(2)), lambda: map(tl.Linear, [1], [1])])
def test_what_is_read_once_keeps_no_parts(once):
    module = tl.nn.Module()
    with pytest.raises(TypeError, match="make it a list"):
        module.layers = once()

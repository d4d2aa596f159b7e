"""Modules made of modules, modes, and what can be asked of any module: as one knows it from PyTorch."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_lstm as tl


def linear():
    return tl.Linear(2, 2, rng=0)


class Model(tl.nn.Module):
    def __init__(self):
        self.layers = tl.nn.ModuleList([linear(), tl.nn.Dropout(0.5, rng=0)])
        self.heads = tl.nn.ModuleDict({"tag": linear()})
        self.body = tl.nn.Sequential(linear(), tl.nn.Tanh())
        self.rows = [linear()]
        self.layers.append(self.body)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return self.heads["tag"](self.rows[0](x))


PATHS = ["layers.0", "layers.2.0", "heads.tag", "rows0"]


def test_paths_are_those_of_pytorch_and_parameters_bear_them():
    model = Model()
    assert [name for name, _ in model.named_parameters()] == [f"{p}.{own}" for p in PATHS for own in ("weight", "bias")]
    assert {p.name for p in model.layers[0].parameters()} == {"layers.0.weight", "layers.0.bias"}
    assert {p.name for p in model.heads["tag"].parameters()} == {"heads.tag.weight", "heads.tag.bias"}
    outer = tl.nn.Module()
    outer.model = model
    assert model.layers[0].weight.name == "model.layers.0.weight"


def test_boxes_bear_the_name_of_the_list_that_holds_them():
    loss = Model()(tl.tensor([1.0, 2.0]))
    scopes = {node.scope for node in tl.Graph(loss).nodes if not node.is_leaf}
    assert {("layers.0",), ("layers.1",), ("body", "0"), ("heads.tag",), ("rows0",)} <= scopes


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_copies_are_whole(copied):
    model = Model()
    twin = copied(model)
    x = tl.tensor([1.0, 2.0])
    np.testing.assert_array_equal(twin.eval()(x).value, model.eval()(x).value)
    assert [name for name, _ in twin.named_modules()] == [name for name, _ in model.named_modules()]
    assert not set(twin.modules()) & set(model.modules())


def test_modules_are_found_once_with_their_paths_whole_before_parts():
    model = Model()
    names = [
        "",
        "layers",
        "layers.0",
        "layers.1",
        "layers.2",
        "layers.2.0",
        "layers.2.1",
        "heads",
        "heads.tag",
        "rows0",
    ]
    assert [name for name, _ in model.named_modules()] == names
    assert model.modules()[0] is model
    assert [name for name, _ in model.named_children()] == ["layers", "heads", "body", "rows0"]
    assert model.children()[2] is model.layers[2] is model.body
    for name, module in model.named_modules():
        assert model.get_submodule(name) is module
    with pytest.raises(KeyError, match=r"Model.* has no module 'heads\.word': ModuleDict.* has \['tag'\]"):
        model.get_submodule("heads.word")


def test_apply_calls_parts_before_what_they_are_parts_of():
    called = []
    model = tl.nn.Sequential(linear(), tl.nn.Sequential(tl.nn.Tanh()))
    assert model.apply(called.append) is model
    assert called == [model[0], model[1][0], model[1], model]


def test_modes_reach_every_module_and_are_returned_from():
    model = Model()
    assert all(module.training is True for module in model.modules())
    assert model.eval() is model
    assert all(module.training is False for module in model.modules())
    assert model.layers[1].train() is model.layers[1]
    assert [module.training for module in model.modules()].count(True) == 1
    assert model.train().layers[0].training is True


def test_what_is_frozen_stays_a_parameter_and_learns_again():
    model = Model()
    names = [name for name, _ in model.named_parameters()]
    assert model.requires_grad_(False) is model
    assert [name for name, _ in model.named_parameters()] == names
    with pytest.raises(ValueError, match="needs parameters"):
        tl.SGD(model.parameters(), 0.1)
    assert not model(tl.tensor([1.0, 2.0])).requires_grad
    model.heads.requires_grad_()
    optimiser = tl.SGD(model.parameters(), 0.1)
    before = [parameter.value for parameter in model.parameters()]
    model(tl.tensor([1.0, 2.0])).sum().backward()
    optimiser.step()
    moved = [old is not p.value for old, p in zip(before, model.parameters(), strict=True)]
    assert moved == [name.startswith("heads") for name in names]
    model.rows = None
    assert len(model.parameters()) == len(names) - 2


def test_a_constant_is_no_parameter_though_others_were_frozen():
    model = linear()
    model.constant = tl.tensor([1.0])
    model.requires_grad_(False).requires_grad_(True)
    assert [name for name, _ in model.named_parameters()] == ["weight", "bias"]
    assert not model.constant.requires_grad


@given(st.lists(st.tuples(st.sampled_from(["append", "insert", "set"]), st.integers(-4, 4)), max_size=8))
def test_a_list_of_modules_is_a_list_and_names_its_parts_by_their_places(changes):
    owner, expected = tl.nn.Module(), []
    owner.layers = layers = tl.nn.ModuleList()
    for change, place in changes:
        new = linear()
        if change == "insert":
            layers.insert(place, new)
            expected.insert(place, new)
        elif change == "set" and -len(expected) <= place < len(expected):
            layers[place] = expected[place] = new
        else:
            assert layers.append(new) is layers
            expected.append(new)
    assert list(layers) == expected
    assert len(layers) == len(expected)
    assert list(layers[1:]) == expected[1:]
    for k, layer in enumerate(expected):
        assert layers[k] is layers[k - len(expected)] is layer
        assert layer.weight.name == f"layers.{k}.weight"
        assert layer(tl.tensor([1.0, 2.0])).scope == (f"layers.{k}",)
    assert [name for name, _ in owner.named_parameters()][::2] == [f"layers.{k}.weight" for k in range(len(expected))]


def test_lists_in_lists_pass_their_names_on():
    owner = tl.nn.Module()
    owner.grid = tl.nn.ModuleList([tl.nn.ModuleList([linear()]), tl.nn.ModuleDict({"a": linear()})])
    assert [name for name, _ in owner.named_parameters()][::2] == ["grid.0.0.weight", "grid.1.a.weight"]
    assert owner.grid[1]["a"].weight.name == "grid.1.a.weight"
    assert owner.grid[0][0](tl.tensor([1.0, 2.0])).scope == ("grid.0.0",)


def test_a_sequence_computes_one_after_another():
    first, second = linear(), linear()
    both = tl.nn.Sequential({"first": first, "second": second})
    x = tl.tensor([1.0, 2.0])
    np.testing.assert_array_equal(both(x).value, second(first(x)).value)
    assert next(name for name, _ in both.named_parameters()) == "first.weight"
    assert tl.nn.Sequential()(x) is x
    assert isinstance(both[:1], tl.nn.Sequential)
    assert tl.nn.Sequential(first).insert(0, second).extend([first])[0] is second


def test_a_dict_of_modules_is_a_dict():
    a, b = linear(), linear()
    heads = tl.nn.ModuleDict({"a": a})
    heads.update({"b": b})
    assert list(heads) == list(heads.keys()) == ["a", "b"]
    assert list(heads.values()) == [a, b]
    assert dict(heads.items()) == {"a": a, "b": b}
    assert "a" in heads
    assert "c" not in heads
    assert len(heads) == 2


def cycle():
    a, b = tl.nn.Module(), tl.nn.Module()
    a.b = tl.nn.ModuleList([b])
    b.a = [a]


def itself():
    a = tl.nn.Module()
    a.a = a


def one_key():
    tl.nn.Module().layers = {0: linear(), "0": linear()}


def beside():
    module = tl.nn.Module()
    module.a0 = linear()
    module.a = [linear()]


WRONG = {
    "a cycle": (cycle, TypeError, r"Module\.a: a module cannot be part of itself, and Module contains it"),
    "itself": (itself, TypeError, r"Module\.a: a module cannot be part of itself, and this is it"),
    "one key": (one_key, ValueError, r"Module\.layers: two parts would share the path 'layers_0'"),
    "beside": (beside, ValueError, r"Module\.a: two parts would share the path 'a0'"),
    "a dot": (lambda: tl.nn.ModuleDict({"a.b": linear()}), ValueError, r"split at dots, so that 'a\.b' cannot"),
    "an operation": (
        lambda: tl.nn.Sequential(tl.tanh),
        TypeError,
        r"not <.*>; tl\.nn\.Tanh\(\) is one",
    ),
    "an operation in a list": (lambda: tl.nn.ModuleList([tl.relu]), TypeError, r"tl\.nn\.ReLU\(\) is one"),
    "a list": (lambda: tl.nn.Sequential([linear()]), TypeError, "Sequential holds modules, such as"),
    "no list": (lambda: tl.nn.ModuleList(linear()), TypeError, "ModuleList takes a list of modules, not Linear"),
    "no dict": (lambda: tl.nn.ModuleDict([linear()]), TypeError, "ModuleDict takes a dict of modules by name"),
    "no name": (lambda: tl.nn.ModuleDict({1: linear()}), TypeError, "a module's name must be a string, not 1"),
    "a method": (lambda: tl.nn.ModuleDict({"keys": linear()}), TypeError, r"ModuleDict\.keys: this is a method"),
    "a mode": (lambda: setattr(tl.nn.Module(), "eval", linear()), TypeError, r"Module\.eval: this is a method"),
    "no place": (lambda: tl.nn.ModuleList([linear()])[1], IndexError, "ModuleList has 1 parts, and none at 1"),
    "no such": (lambda: tl.nn.ModuleDict()["a"], KeyError, r"ModuleDict has no 'a'; there are \[\]"),
    "named": (lambda: tl.nn.Sequential({"a": linear()}).insert(0, linear()), TypeError, "have names and no places"),
    "a call": (lambda: tl.nn.ModuleList()(1), TypeError, "ModuleList computes nothing; call its parts"),
    "a call of a dict": (lambda: tl.nn.ModuleDict()(1), TypeError, "ModuleDict computes nothing; call its parts"),
    "a setting": (lambda: tl.nn.Softmax(acis=1), TypeError, r"Softmax\(axis=-1\): got an unexpected keyword"),
    "add_module": (lambda: linear().add_module("a", linear()), AttributeError, "assign the part: module.name = part"),
    "a missing name": (lambda: linear().wieght, AttributeError, r"'wieght'; did you mean module\.weight\?"),
    "a name of nn": (lambda: tl.nn.Relu, AttributeError, r"has no attribute 'Relu'; did you mean tl\.nn\.ReLU\?"),
    "no name at all": (lambda: tl.nn.Bogus, AttributeError, "module 'tinygrad_lstm.nn' has no attribute 'Bogus'$"),
    "utils": (lambda: tl.nn.utils, AttributeError, r"tl\.clip_grad_norm\(model"),
    "of functional": (lambda: tl.nn.functional.gleu, AttributeError, r"did you mean functional\.gelu\?"),
    "of probabilities": (lambda: tl.nn.functional.binary_cross_entropy, AttributeError, "scores before the sigmoid"),
    "a tuple": (
        lambda: tl.nn.Sequential(tl.LSTM(2, 2, rng=0), linear())(np.ones((3, 2))),
        TypeError,
        r"before '1' returns a tuple of 2, .* which Linear\(2 → 2\) does not take",
    ),
    "cuda": (lambda: linear().cuda(), AttributeError, "'cuda'; all is computed on the CPU"),
}


@pytest.mark.parametrize(("act", "error", "words"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_is_said(act, error, words):
    with pytest.raises(error, match=words):
        act()


def test_the_same_part_may_have_two_names():
    model, layer = tl.nn.Module(), linear()
    model.a0, model.a = layer, [layer]
    assert [name for name, _ in model.named_parameters()] == ["a0.weight", "a0.bias"]


@pytest.mark.parametrize("kind", tl.nn.Activation.__subclasses__(), ids=lambda kind: kind.__name__)
def test_an_activation_is_its_operation_as_a_module(kind, rng):
    x = tl.tensor(rng.normal(size=(2, 3, 4)), name="x")
    module = kind()
    np.testing.assert_array_equal(module(x).value, kind.function(x).value)
    assert module([[[1.0]]]).shape in ((1, 1, 1), (1, 1))
    assert pickle.loads(pickle.dumps(module)).settings == module.settings
    assert module.parameters() == []


def test_settings_of_an_activation_are_those_of_its_operation(rng):
    x = tl.tensor(rng.normal(size=(2, 3, 4)))
    np.testing.assert_array_equal(tl.nn.Softmax(1)(x).value, tl.softmax(x, axis=1).value)
    np.testing.assert_array_equal(tl.nn.Softmax(dim=1)(x).value, tl.softmax(x, axis=1).value)  # in PyTorch's words
    np.testing.assert_array_equal(tl.nn.LeakyReLU(negative_slope=0.5)(x).value, tl.leaky_relu(x, 0.5).value)
    assert tl.nn.Flatten(start_dim=0)(x).shape == (24,)
    assert repr(tl.nn.LogSoftmax(axis=0)) == "LogSoftmax(axis=0)"
    assert tl.nn.Flatten()(x).shape == (2, 12)
    assert tl.nn.Flatten(2)(x).shape == (2, 3, 4)
    assert tl.nn.Identity()(x) is x


def test_what_is_frozen_is_left_out_of_checks():
    cell = tl.LSTMCell(2, 2, rng=0)
    cell.forget_gate.requires_grad_(False)
    report = tl.testing.check_cell(cell, steps=2)
    assert not any("forget_gate" in name for name in report.errors)
    assert any("input_gate" in name for name in report.errors)
    model = tl.nn.Sequential(linear(), cell.forget_gate)
    assert len(tl.testing.check_vjp(model[0], np.ones(2)).errors) == 3

"""State dicts: all that fits is taken over, and of what does not fit nothing, with each name that is at fault."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_lstm as tl


class Model(tl.nn.Module):
    def __init__(self, seed=0):
        self.lstm, self.heads = tl.LSTM(2, 3, rng=seed), [tl.Linear(3, 2, rng=seed), tl.Linear(2, 2, rng=seed)]
        self.scale, self.constant = tl.tensor(2.0, requires_grad=True), tl.tensor(1.0)
        self.tied = self.heads[0]


def values(module):
    return {path: parameter.value.tobytes() for path, parameter in module.named_parameters()}


def test_a_state_is_a_copy_of_each_parameter_once_by_its_path():
    model = Model()
    state = model.state_dict()
    assert list(state) == [path for path, _ in model.named_parameters()]
    assert {path: value.tobytes() for path, value in state.items()} == values(model)
    before = values(model)
    for value in state.values():
        value[...] = 7
    assert values(model) == before


@given(st.integers(0, 2**32), st.sampled_from(["float64", "float32"]), st.booleans())
def test_a_state_is_taken_over_bit_for_bit(seed, dtype, tensors):
    one, other = (tl.GRU(2, 3, num_layers=2, rng=k, dtype=dtype) for k in (seed, 0))
    one.cells[0].candidate.bias.value = [np.nan, -0.0, np.inf]
    given = dict(one.named_parameters()) if tensors else one.state_dict()
    assert other.load_state_dict(given) == ([], [])
    assert values(other) == values(one)
    assert all(p.requires_grad and p.dtype == dtype for p in other.parameters())


def test_values_take_the_type_of_the_parameter():
    layer = tl.Linear(1, 1, dtype="float32")
    layer.load_state_dict({"weight": [[1]], "bias": np.float64([0.1])})
    assert [p.dtype for p in layer.parameters()] == [np.float32, np.float32]
    assert layer.bias.item() == np.float32(0.1)


WRONG = {
    "missing": (lambda s: s.pop("scale"), ["missing: scale"]),
    "surplus": (lambda s: s.update(extra=1.0), ["surplus: extra"]),
    "misspelt": (
        lambda s: s.update({"heads0.wieght": s.pop("heads0.weight")}),
        ["missing: heads0.weight; surplus: heads0.wieght (is it heads0.weight?)"],
    ),
    "misshapen": (
        lambda s: s.update({"heads0.weight": s["heads0.weight"].T}),
        ["misshapen: heads0.weight has shape (2, 3), not (3, 2)"],
    ),
    "all": (
        lambda s: s.update(scale=[1.0], x=1) or s.pop("heads0.bias"),
        ["missing: heads0.bias; surplus: x; misshapen: scale has shape (1,), not ()"],
    ),
    "many": (
        lambda s: [s.pop(name) for name in list(s)[:6]] and s.update({str(i): 1 for i in range(9)}),
        ["missing: lstm.cell.forget_gate.weight, lstm", " and 3 more; surplus: 0, 1, 2 and 6 more"],
    ),
    "a name to a terminal": (lambda s: s.update({"\x1b[31m\nred" + "a" * 100: 1}), ["surplus:  [31m red", "…"]),
}


@pytest.mark.parametrize(("change", "words"), WRONG.values(), ids=WRONG)
def test_what_does_not_fit_is_listed_in_a_line_and_nothing_is_changed(change, words):
    model, state = Model(), Model(1).state_dict()
    change(state)
    before = values(model)
    with pytest.raises(ValueError, match=r"^Model: the state does not fit, and nothing was changed; ") as error:
        model.load_state_dict(state)
    said = str(error.value)
    assert all(word in said for word in words), said
    assert said.isprintable()
    assert values(model) == before


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (None, "a state is arrays by name, as state_dict"),
        ([("scale", 1.0)], "a state is arrays by name"),
        ({3: 1.0}, "a state is arrays by name"),
        ("model.safetensors", "not 'model.safetensors'"),
        ({"weight": "a", "bias": [0.0]}, "Linear: weight: tensors hold real numbers"),
        ({"bias": [0.0], "weight": [[1.0], [1.0, 2.0]]}, "Linear: weight: .* rows differ in shape"),
        ({"bias": [0.0], "weight": np.ma.masked_array([[1.0]])}, "Linear: weight: .*mask"),
        ({"bias": [0.0], "weight": [[1j]]}, "Linear: weight: tensors hold real numbers"),
    ],
)
def test_what_are_no_arrays_by_name_is_refused(state, words):
    layer = tl.Linear(1, 1, rng=0)
    before = values(layer)
    with pytest.raises(TypeError, match=words) as error:
        layer.load_state_dict(state)
    assert str(error.value).isprintable()
    assert values(layer) == before


def test_without_strictness_what_fits_is_taken_and_the_rest_returned():
    layer = tl.Linear(1, 1, rng=0)
    weight = layer.weight.tolist()
    left = layer.load_state_dict({"bias": [5.0], "extra": 1}, strict=False)
    assert (left.missing_keys, left.unexpected_keys) == (["weight"], ["extra"])
    assert (layer.bias.tolist(), layer.weight.tolist()) == ([5.0], weight)
    with pytest.raises(ValueError, match=r"changed; misshapen: weight has shape \(1,\), not \(1, 1\)$"):
        layer.load_state_dict({"bias": [6.0], "weight": [1.0], "extra": 1}, strict=False)
    assert layer.bias.tolist() == [5.0]


class Counting(tl.nn.Optimizer):
    """One that keeps numbers, a flag and a list, and writes into its arrays."""

    def __init__(self, parameters, lr):
        super().__init__(parameters, lr)
        self.decay, self.centred, self.betas, self.word = 1, True, [0.5, 1], "a"

    def update(self, position, gradient):
        state = self.state[position]
        state["n"] = state.get("n", 0) + 1
        total = state.setdefault("total", np.zeros(gradient.shape, gradient.dtype))
        total += gradient
        return self.lr * total / state["n"]


def stepped(kind, dtype, steps, **options):
    parameters = [tl.tensor(np.ones(shape), requires_grad=True, dtype=dtype) for shape in ((2, 3), ())]
    optimiser = kind(parameters, lr=0.1, **options)
    for _ in range(steps):
        step(optimiser)
    return optimiser


def step(optimiser):
    optimiser.zero_grad()
    sum((p * p).sum() for p in optimiser.parameters).backward()
    optimiser.step()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("kind", [tl.SGD, tl.Adam, tl.AdamW, tl.nn.RMSprop, tl.nn.Adagrad, Counting])
def test_an_optimiser_with_the_state_of_another_steps_as_that_one(kind, dtype):
    options = {tl.SGD: {"momentum": 0.9, "nesterov": True}, tl.Adam: {"eps": 1e-3}, Counting: {}}
    options = options.get(kind, {"weight_decay": 0.1})
    one, other = stepped(kind, dtype, 3, **options), stepped(kind, dtype, 1)
    state = one.state_dict()
    assert all(part.dtype in (np.float64, np.float32) for part in state.values())
    other.load_state_dict(state)
    assert (other.steps, repr(other)) == (one.steps, repr(one))
    for mine, theirs in zip(one.parameters, other.parameters, strict=True):
        theirs.value = mine.value
    for _ in range(2):
        step(one)
        step(other)
    assert [p.tolist() for p in one.parameters] == [p.tolist() for p in other.parameters]
    kinds = {name: type(value) for name, value in vars(stepped(kind, dtype, 0)).items()}
    assert {name: type(value) for name, value in vars(other).items()} == kinds


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda s: s.pop("lr"), ValueError, "Adam: the state does not fit.*missing: lr"),
        (lambda s: s.update(momentum=1), ValueError, "surplus: momentum"),
        (lambda s: s.update({"state.2.m": 1}), ValueError, r"surplus: state\.2\.m"),
        (lambda s: s.update({"state.00.m": 1}), ValueError, r"surplus: state\.00\.m"),
        (lambda s: s.update({"state.0": 1}), ValueError, r"surplus: state\.0"),
        (
            lambda s: s.update({"state.0.m": np.ones((3, 2))}),
            ValueError,
            r"state\.0\.m has shape \(3, 2\), not \(2, 3\)",
        ),
        (lambda s: s.update(steps=[1, 2, 3]), ValueError, r"steps has shape \(3,\), not \(2,\)"),
        (lambda s: s.update(steps=[1.5, np.nan]), ValueError, "steps must be whole numbers from 0 on"),
        (lambda s: s.update(lr=-1.0), ValueError, "the learning rate must be positive and finite, not -1.0"),
        (lambda s: s.update(eps=-1.0), ValueError, "eps must be finite, and 0 or more, not -1.0"),
        (lambda s: s.update(betas=[5.0, 0.9]), ValueError, r"must be in \[0, 1\), not 5.0"),
        (lambda s: s.update(steps=[1, -1]), ValueError, "steps must be whole numbers from 0 on"),
        (lambda s: s.update(betas=["a", "b"]), TypeError, "Adam: betas: tensors hold real numbers"),
        (lambda s: s.update({"state.0.m": "a"}), TypeError, r"Adam: state\.0\.m: tensors hold real numbers"),
    ],
)
def test_a_state_that_an_optimiser_cannot_take_changes_nothing(change, error, words):
    optimiser, state = stepped(tl.Adam, "float64", 2), stepped(tl.Adam, "float64", 3, betas=(0.1, 0.2)).state_dict()
    change(state)
    before = {name: part.tobytes() for name, part in optimiser.state_dict().items()}
    with pytest.raises(error, match=words) as raised:
        optimiser.load_state_dict(state)
    assert str(raised.value).isprintable()
    assert {name: part.tobytes() for name, part in optimiser.state_dict().items()} == before
    for nothing in (None, 3, {1: 2}):
        with pytest.raises(TypeError, match="Adam: a state is arrays by name"):
            optimiser.load_state_dict(nothing)


class Buffered(tl.nn.Module):
    """A module whose state holds more than what it learns."""

    buffer_names = ("mean", "steps", "nothing")

    def __init__(self):
        self.weight = tl.tensor([1.0, 2.0], requires_grad=True)
        self.mean, self.steps, self.nothing = tl.tensor([0.5]), np.array(3), None


def test_buffers_stand_in_state_dicts_and_files_and_come_back(tmp_path):
    model = tl.nn.Sequential(Buffered())
    assert list(model.state_dict()) == ["0.weight", "0.mean", "0.steps"]
    assert [name for name, _ in model.named_parameters()] == ["0.weight"]
    model.load_state_dict({"0.weight": [3.0, 4.0], "0.mean": [5.0], "0.steps": 7})
    again = tl.load(tl.save(model, tmp_path / "model.safetensors"), into=tl.nn.Sequential(Buffered()))
    assert (again[0].mean.tolist(), again[0].steps.item(), again[0].steps.dtype) == ([5.0], 7, np.int64)
    with pytest.raises(TypeError, match=r"0\.steps: these are float64, not int64"):
        model.load_state_dict(model.state_dict() | {"0.mean": [6.0], "0.steps": 0.5})
    with pytest.raises(ValueError, match=r"misshapen: 0\.steps has shape \(2,\), not \(\)"):
        model.load_state_dict(model.state_dict() | {"0.steps": [1, 2]})
    assert model[0].mean.tolist() == [5.0]


class Tally(tl.nn.Module):
    """A module with a buffer of whole numbers, or of truths."""

    buffer_names = ("counts",)

    def __init__(self, counts):
        self.counts = counts


@pytest.mark.parametrize(
    ("now", "given", "words"),
    [
        (np.uint8([1, 2]), [300, -1], "300 is no uint8"),
        (np.uint8([1, 2]), [3, -1], "-1 is no uint8"),
        (np.array([True]), [2], "2 is no bool"),
        (np.int64(0), np.uint64(2**63), "9223372036854775808 is no int64"),
        (np.uint64([0]), np.int64([-1]), "-1 is no uint64"),
    ],
)
def test_a_whole_number_that_a_buffer_cannot_hold_is_refused(now, given, words):
    module = Tally(now)
    with pytest.raises(TypeError, match=f"Tally: counts: {words}$"):
        module.load_state_dict({"counts": given})
    assert module.counts is now


def test_whole_numbers_that_fit_are_taken_over():
    module = Tally(np.uint8([0, 1]))
    module.load_state_dict({"counts": np.int64([255, 0])})
    assert (module.counts.dtype, module.counts.tolist()) == (np.uint8, [255, 0])
    module = Tally(np.array([False, False]))
    module.load_state_dict({"counts": [1, 0]})
    assert module.counts.tolist() == [True, False]

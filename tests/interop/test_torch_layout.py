"""Weights as PyTorch names and lays them out, arrays by name: they become ours and come back, without PyTorch."""

import subprocess
import sys
from copy import deepcopy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_lstm as tl


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def by_hand(kind, state, xs, suffix="_l0", reverse=False):
    """PyTorch's equations, as its documentation has them, on its own arrays: h of every step, (T, N, H or P)."""
    W, R = (state[f"{name}{suffix}"] for name in ("weight_ih", "weight_hh"))
    b, d = (state.get(f"{name}{suffix}", np.zeros(len(W))) for name in ("bias_ih", "bias_hh"))
    H = len(W) // {"RNN": 1, "LSTM": 4, "GRU": 3}[kind]
    h, c, found = np.zeros((xs.shape[1], R.shape[1])), np.zeros((xs.shape[1], H)), []
    for x in xs[::-1] if reverse else xs:
        of_x, of_h = x @ W.T + b, h @ R.T + d
        if kind == "RNN":
            h = np.tanh(of_x + of_h)
        elif kind == "LSTM":
            i, f, g, o = np.split(of_x + of_h, 4, axis=1)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
            h = h @ state[f"weight_hr{suffix}"].T if f"weight_hr{suffix}" in state else h
        else:
            (r, z, n), (r_h, z_h, n_h) = np.split(of_x, 3, axis=1), np.split(of_h, 3, axis=1)
            z, n = sigmoid(z + z_h), np.tanh(n + sigmoid(r + r_h) * n_h)
            h = (1 - z) * n + z * h
        found.append(h)
    return np.array(found[::-1] if reverse else found)


OPTIONS = st.fixed_dictionaries(
    {"num_layers": st.integers(1, 3), "bidirectional": st.booleans(), "bias": st.booleans()},
)


@given(st.sampled_from(["RNN", "LSTM", "GRU"]), OPTIONS, st.integers(0, 2), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_a_layer_computes_what_pytorchs_arrays_mean(kind, options, proj_size, seed):
    rng = np.random.default_rng(seed)
    if kind == "LSTM":
        options = options | {"proj_size": proj_size}
    ours = getattr(tl, kind)(2, 3, rng=0, **options)
    state = {name: rng.normal(size=array.shape) for name, array in tl.to_torch(ours).items()}
    assert tl.from_torch(state, into=ours) is ours
    xs = below = rng.normal(size=(4, 2, 2))
    for k in range(options["num_layers"]):
        sides = ["", "_reverse"] if options["bidirectional"] else [""]
        below = np.concatenate([by_hand(kind, state, below, f"_l{k}{side}", bool(side)) for side in sides], axis=-1)
    np.testing.assert_allclose(ours(xs)[0].value, below, rtol=0, atol=1e-12)
    there = tl.to_torch(ours)
    assert there.keys() == state.keys()
    again = tl.from_torch(there, into=getattr(tl, kind)(2, 3, rng=1, **options))
    assert all(np.array_equal(again.state_dict()[name], array) for name, array in ours.state_dict().items())


def test_a_gradient_comes_back_in_pytorchs_layout():
    """That of both biases, which add up, is the same; a central difference of PyTorch's own equations agrees."""
    rng = np.random.default_rng(0)
    for kind in ("RNN", "LSTM", "GRU"):
        ours, xs = getattr(tl, kind)(2, 3, rng=1), rng.normal(size=(3, 2, 2))
        state = tl.to_torch(ours)
        output = ours(xs)[0]
        (output * output).sum().backward()
        for name, gradient in tl.to_torch(ours, gradients=True).items():
            along = rng.normal(size=gradient.shape)
            moved = [state | {name: state[name] + step * along} for step in (1e-5, -1e-5)]
            up, down = ((by_hand(kind, each, xs) ** 2).sum() for each in moved)
            assert (up - down) / 2e-5 == pytest.approx((gradient * along).sum(), rel=1e-6), (kind, name)


class Reader(tl.nn.Module):
    def __init__(self, tied=True):
        self.words = tl.Embedding(5, 3, rng=0)
        self.parts = tl.nn.ModuleList([tl.GRUCell(3, 3, rng=1), tl.nn.Sequential(tl.nn.LayerNorm(3), tl.nn.Tanh())])
        self.scores = tl.nn.TiedLinear(self.words) if tied else tl.Linear(3, 5, rng=2)

    def forward(self, word):
        return self.scores(self.parts[1](self.parts[0](self.words(word))))


def test_paths_are_pytorchs_and_what_is_shared_stands_under_each_name():
    state = tl.to_torch(Reader())
    shapes = {name: array.shape for name, array in state.items()}
    assert shapes == {
        "words.weight": (5, 3),
        "parts.0.weight_ih": (9, 3),
        "parts.0.weight_hh": (9, 3),
        "parts.0.bias_ih": (9,),
        "parts.0.bias_hh": (9,),
        "parts.1.0.weight": (3,),
        "parts.1.0.bias": (3,),
        "scores.weight": (5, 3),
        "scores.bias": (5,),
    }
    untied = tl.from_torch(state, into=Reader(tied=False))
    assert np.array_equal(untied([1, 2]).value, Reader()([1, 2]).value)
    state["scores.weight"][0, 0] += 1
    with pytest.raises(ValueError, match=r"^Reader: words\.weight is shared, and the state has two values for it$"):
        tl.from_torch(state, into=Reader())


def test_of_a_state_dict_of_another_architecture_nothing_is_loaded_and_one_line_says_why():
    layer = tl.LSTM(3, 4, rng=0)
    fitting, before = tl.to_torch(layer), deepcopy(layer.state_dict())
    half = fitting | {"bias_hh_l0": np.zeros(16, np.float16)}
    for state, words in (
        (tl.to_torch(tl.GRU(3, 4)), r"misshapen: weight_ih_l0 has shape \(12, 3\), not \(16, 3\)"),
        (tl.to_torch(tl.LSTM(3, 4, num_layers=2)), "surplus: weight_ih_l1"),
        (tl.to_torch(tl.LSTM(3, 4, bias=False)), "missing: bias_ih_l0, bias_hh_l0"),
        (fitting | {"../../etc/passwd\n": np.zeros(1)}, r"surplus: \.\./\.\./etc/passwd "),
        (half, "bias_hh_l0 is float16, and weights are float32 or float64: module.float"),
        (fitting | {"weight_ih_l0": np.zeros((16, 3), int)}, "weight_ih_l0 is int64, and weights are"),
        (fitting | {"weight_ih_l0": [["a"]]}, "weight_ih_l0"),
        (fitting | {3: 1}, "a state is arrays by name"),
    ):
        with pytest.raises((ValueError, TypeError), match=words) as raised:
            tl.from_torch(state, into=layer)
        assert len(str(raised.value)) < 600
        assert str(raised.value).isprintable()
        assert all(np.array_equal(layer.state_dict()[name], array) for name, array in before.items())


class Own(tl.LSTMCell):
    pass


WITHOUT = {
    "atlas": (lambda: tl.nn.Recurrent(tl.nn.atlas.ATLAS["mgu"].make(2, 2)), "is a MGUCell"),
    "own": (lambda: Own(2, 2), "is a Own"),
    "peephole": (lambda: tl.PeepholeLSTMCell(2, 2), "is made with peephole='full'"),
    "coupled": (lambda: tl.LSTM(2, 2, coupled=True), "is made with coupled=True"),
    "reset": (lambda: tl.GRUCell(2, 2, reset_after=False), "is made with reset_after=False"),
    "norm": (lambda: tl.RNN(2, 2, layer_norm=True), "is made with layer_norm=True"),
    "clip": (lambda: tl.GRU(2, 2, clip=1.0), "is made with clip=1.0"),
    "activations": (
        lambda: tl.LSTMCell(2, 2, activations=(tl.sigmoid, tl.relu, tl.tanh)),
        "has activations of its own",
    ),
    "nonlinearity": (lambda: tl.RNNCell(2, 2, nonlinearity=tl.sigmoid), "has activations of its own"),
}


@pytest.mark.parametrize("name", WITHOUT)
def test_a_cell_that_pytorch_has_not_is_refused_by_its_path(name):
    make, words = WITHOUT[name]
    model = tl.nn.Sequential({"encoder": make()})
    with pytest.raises(ValueError, match=rf"^encoder {words}.*, which PyTorch has not$"):
        tl.to_torch(model)


def test_what_is_given_is_a_module_or_a_state_dict_with_a_module():
    for wrong in (None, 3, "lstm.pt", tl.Linear(1, 1)):
        with pytest.raises(TypeError, match=r"from_torch takes a torch\.nn\.Module, or its state_dict\(\) and into="):
            tl.from_torch(wrong)
    with pytest.raises(TypeError, match="does not tell its architecture; make the module, and give it as into="):
        tl.from_torch({})
    with pytest.raises(TypeError, match="into must be a module of ours, not 3"):
        tl.from_torch({}, into=3)
    with pytest.raises(TypeError, match="to_torch takes a module of ours, not 3"):
        tl.to_torch(3)
    with pytest.raises(ValueError, match=r"^no parameter of Linear has a gradient yet; call loss\.backward\(\) first$"):
        tl.to_torch(tl.Linear(1, 1), gradients=True)


def test_pytorch_is_never_imported():
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import tinygrad_lstm as tl\n"
        "print(repr(tl.from_torch(tl.to_torch(tl.LSTM(1, 2)), into=tl.LSTM(1, 2))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == "LSTM(1 → 2)\n"

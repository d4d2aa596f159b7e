"""Modules, the layers around a cell, losses and optimisers, each against its formula written out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_lstm as tl


class Model(tl.nn.Module):
    def __init__(self):
        self.embed = tl.Embedding(5, 2, rng=0)
        self.lstm = tl.LSTM(2, 3, rng=1)
        self.heads = [tl.Linear(3, 4, rng=2), tl.Linear(4, 5, rng=3)]
        self.scale = tl.tensor(2.0, requires_grad=True)
        self.constant = tl.tensor(1.0)
        self.again = self.heads[0]

    def forward(self, words):
        output, _ = self.lstm(self.embed(words))
        return self.scale * self.heads[1](tl.tanh(self.heads[0](output)))


def test_parameters_are_found_once_by_path_in_the_order_of_assignment():
    model = Model()
    names = [name for name, _ in model.named_parameters()]
    gates = ["forget_gate", "input_gate", "candidate", "output_gate"]
    recurrent = [f"lstm.cell.{gate}.{part}" for gate in gates for part in ("weight", "bias")]
    heads = [f"heads{i}.{part}" for i in range(2) for part in ("weight", "bias")]
    assert names == ["embed.weight", *recurrent, *heads, "scale"]
    assert [parameter.name for parameter in model.parameters()] == names


def test_a_module_runs_in_its_scope():
    scores = Model()([[1, 2], [3, 0]])
    scopes = {node.scope for node in tl.Graph(scores).nodes if not node.is_leaf}
    assert {("embed",), ("heads0",), ("heads1",), ("lstm", "cell"), ("lstm", "cell", "forget_gate"), ()} <= scopes


def test_zero_grad_forgets():
    model = Model()
    model([1, 2]).sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
    model.zero_grad()
    assert all(parameter.grad is None for parameter in model.parameters())


def test_zero_grad_takes_pytorchs_word_for_what_it_does_and_refuses_zeros():
    model = Model()
    for owner in (model, tl.SGD(model.parameters(), lr=0.1)):
        model([1, 2]).sum().backward()
        with pytest.raises(ValueError, match="set_to_none must be True: gradients here are None, and no zeros, until"):
            owner.zero_grad(set_to_none=False)
        with pytest.raises(TypeError, match="set_to_none must be True or False, not 0"):
            owner.zero_grad(set_to_none=0)
        assert all(parameter.grad is not None for parameter in model.parameters())
        owner.zero_grad(set_to_none=True)
        assert all(parameter.grad is None for parameter in model.parameters())


def test_a_whole_model_agrees_with_the_complex_step():
    model = Model()
    targets = [3, 1, 4]
    report = tl.testing.check_vjp(
        lambda: tl.cross_entropy(model([0, 2, 2]), targets), parameters=[*model.parameters()], directions=3
    )
    assert len(report.errors) == len(model.parameters())


def test_linear_is_its_formula(rng):
    layer = tl.Linear(3, 2, rng=0)
    for shape in ((3,), (4, 3), (2, 4, 3)):
        x = rng.normal(size=shape)
        np.testing.assert_allclose(layer(tl.tensor(x)).value, x @ layer.weight.value + layer.bias.value)


def test_linear_without_a_bias_is_the_product(rng):
    layer, x = tl.Linear(3, 2, bias=False, rng=0), rng.normal(size=(4, 3))
    np.testing.assert_array_equal(layer(x).value, x @ layer.weight.value)
    assert [name for name, _ in layer.named_parameters()] == ["weight"]
    np.testing.assert_array_equal(layer.weight.value, tl.Linear(3, 2, rng=0).weight.value)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=6))
def test_embedding_rows_add_up_as_often_as_they_are_used(words):
    layer = tl.Embedding(5, 2, rng=0)
    vectors = layer(words)
    np.testing.assert_array_equal(vectors.value, layer.weight.value[words])
    vectors.sum().backward()
    np.testing.assert_array_equal(layer.weight.grad.value, np.bincount(words, minlength=5)[:, None] * np.ones(2))


def test_losses_are_finite_far_out():
    x = tl.tensor([[1000.0, -1000.0]], requires_grad=True)
    assert tl.cross_entropy(x, [1]).item() == 2000
    assert tl.binary_cross_entropy_with_logits(x, [[0, 1]]).item() == 1000
    np.testing.assert_allclose(tl.grad(tl.cross_entropy(x, [1]), x)[0].value, [[1, -1]], atol=1e-12)


gradients_drawn = st.lists(st.floats(-10, 10), min_size=1, max_size=6)


@given(gradients_drawn, st.sampled_from([0.0, 0.5, 0.9]))
def test_sgd_is_its_formula(gradients, momentum):
    p = tl.tensor([1.0, 2.0], requires_grad=True)
    optimiser = tl.SGD([p], 0.1, momentum=momentum)
    expected, v = np.array([1.0, 2.0]), np.zeros(2)
    for g in gradients:
        p.grad = [g, 2 * g]
        optimiser.step()
        v = momentum * v + np.array([g, 2 * g])
        expected = expected - 0.1 * v
        np.testing.assert_allclose(p.value, expected, rtol=1e-12, atol=1e-12)


@given(gradients_drawn)
def test_adam_is_its_formula(gradients):
    p = tl.tensor([1.0, 2.0], requires_grad=True)
    optimiser = tl.Adam([p], 0.1, betas=(0.8, 0.95), eps=1e-6)
    expected, m, v = np.array([1.0, 2.0]), np.zeros(2), np.zeros(2)
    for t, g in enumerate(gradients, start=1):
        p.grad = [g, 2 * g]
        optimiser.step()
        m = 0.8 * m + 0.2 * np.array([g, 2 * g])
        v = 0.95 * v + 0.05 * np.array([g, 2 * g]) ** 2
        expected = expected - 0.1 * (m / (1 - 0.8**t)) / (np.sqrt(v / (1 - 0.95**t)) + 1e-6)
        np.testing.assert_allclose(p.value, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("optimiser", [tl.SGD, tl.Adam])
def test_optimisers_replace_values_and_never_write_into_them(optimiser, dtype):
    used, unused = (tl.tensor([1.0, 2.0], requires_grad=True, dtype=dtype) for _ in range(2))
    old = used.value
    update = optimiser([used, unused], lr=0.1)
    (used * used).sum().backward()
    update.step()
    np.testing.assert_array_equal(old, [1, 2])
    assert not np.shares_memory(old, used.value)
    assert (used.value < old).all()
    assert used.dtype == dtype
    assert not used.value.flags.writeable
    np.testing.assert_array_equal(unused.value, [1, 2])
    update.zero_grad()
    assert used.grad is None


@given(st.floats(0.1, 100), st.integers(0, 99))
def test_clip_grad_norm_scales_all_together(max_norm, seed):
    rng = np.random.default_rng(seed)
    parameters = [tl.tensor(np.zeros(shape), requires_grad=True) for shape in ((), (3,), (2, 2))]
    gradients = [10 * rng.normal(size=p.shape) for p in parameters]
    for p, g in zip(parameters, gradients, strict=True):
        p.grad = g
    norm = np.sqrt(sum((g**2).sum() for g in gradients))
    without = tl.tensor(0.0, requires_grad=True)
    assert tl.clip_grad_norm(iter([*parameters, without]), max_norm) == pytest.approx(norm)
    for p, g in zip(parameters, gradients, strict=True):
        np.testing.assert_allclose(p.grad.value, g * min(1, max_norm / norm))
    assert without.grad is None


def test_clip_grad_norm_measures_large_float32_gradients():
    """Their squares do not fit into float32; they are what clipping is for."""
    p = tl.tensor(np.zeros(4), requires_grad=True, dtype=np.float32)
    p.grad = np.full(4, 1e25)
    assert tl.clip_grad_norm([p], 1.0) == pytest.approx(2e25, rel=1e-6)
    np.testing.assert_allclose(p.grad.value, np.full(4, 0.5), rtol=1e-6)


def test_a_small_model_learns_a_sequence():
    """Everything together: the loss falls to a tenth."""
    model = Model()
    optimiser = tl.Adam(model.parameters(), 0.05)
    losses = []
    for _ in range(60):
        loss = tl.cross_entropy(model([0, 1, 2, 3]), [1, 2, 3, 4])
        optimiser.zero_grad()
        loss.backward()
        tl.clip_grad_norm(model.parameters(), 5.0)
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 10


def test_a_tied_weight_takes_one_step_and_counts_once():
    w = tl.tensor(1.0, requires_grad=True)
    w.grad = 3.0
    assert tl.clip_grad_norm([w, w], 10.0) == 3.0
    tl.SGD([w, w], lr=0.1).step()
    assert np.isclose(w.item(), 0.7)


def test_huge_finite_gradients_can_be_clipped():
    w = tl.tensor([1.0, 1.0], requires_grad=True)
    w.grad = [3e200, 4e200]
    assert np.isclose(tl.clip_grad_norm([w], 1.0), 5e200)
    assert np.allclose(w.grad.value, [0.6, 0.8])


def test_parameters_in_lists_have_names():
    class Listed(tl.nn.Module):
        def __init__(self):
            self.weights = [tl.tensor(1.0, requires_grad=True), tl.tensor(2.0, requires_grad=True)]
            self.cells = [tl.RNNCell(2, 2, rng=0), tl.RNNCell(2, 2, rng=1)]

    model = Listed()
    assert all(parameter.name == path for path, parameter in model.named_parameters())
    assert [path for path, _ in model.named_parameters()][:3] == ["weights0", "weights1", "cells0.layer.weight"]


@pytest.mark.parametrize("name", tl.nn.__all__)
def test_everything_public_is_documented(name):
    """A sentence, what goes in, who found it, and an example; of what has parts, every public method."""
    thing = getattr(tl.nn, name)
    words = thing.__doc__
    assert words.split("\n\n")[0].rstrip().endswith((".", '"""'))
    if thing is tl.nn.functional or (isinstance(thing, type) and {tl.nn.Activation, tl.nn.Loss} & {*thing.__bases__}):
        return  # its function is documented
    assert ">>> " in words
    if name not in ("Module", "Cell", "Optimizer"):
        assert "Arguments:\n" in words
        assert "Source: " in words
    for method, value in vars(thing).items() if isinstance(thing, type) else ():
        if not method.startswith("_") and callable(value) and method != "forward":
            assert value.__doc__, method


def test_an_optimiser_of_ones_own_is_one_class_with_one_method():
    class Nadam(tl.Adam):
        """Adam that looks ahead (Dozat 2016), without its schedule."""

        def update(self, position, gradient):
            (b1, b2), t, state = self.betas, self.steps[position], self.state[position]
            m = state["m"] = b1 * state.get("m", 0) + (1 - b1) * gradient
            v = state["v"] = b2 * state.get("v", 0) + (1 - b2) * gradient**2
            ahead = b1 * m / (1 - b1 ** (t + 1)) + (1 - b1) * gradient / (1 - b1**t)
            return self.lr * ahead / (np.sqrt(v / (1 - b2**t)) + self.eps)

    w = tl.tensor([1.0, 2.0], requires_grad=True, name="w")
    optimiser = Nadam([w], 0.1)
    for _ in range(200):
        optimiser.zero_grad()
        (w * w).sum().backward()
        optimiser.step()
    assert abs(w.value).max() < 0.01
    assert optimiser.steps == [200]
    assert repr(optimiser) == "Nadam(lr=0.1, betas=(0.9, 0.999), 2 parameters)"

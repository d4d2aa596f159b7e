"""Tensors to begin with; and one generator of ours, which draws where nobody gives another."""

import numpy as np
import pytest

import tinygrad_lstm as tl

MADE = {
    "zeros": (lambda **how: tl.zeros(2, 3, **how), np.zeros((2, 3))),
    "ones": (lambda **how: tl.ones((2,), **how), np.ones(2)),
    "full": (lambda **how: tl.full((2, 2), 0.5, **how), np.full((2, 2), 0.5)),
    "eye": (lambda **how: tl.eye(2, 3, **how), np.eye(2, 3)),
    "arange": (lambda **how: tl.arange(1, 2, 0.25, **how), np.arange(1, 2, 0.25)),
    "linspace": (lambda **how: tl.linspace(0, 1, 5, **how), np.linspace(0, 1, 5)),
    "one_hot": (lambda **how: tl.one_hot([[0], [2]], **how), np.eye(3)[[[0], [2]]]),
    "from_numpy": (lambda **how: tl.from_numpy(np.arange(3.0), **how), np.arange(3.0)),
    "zeros_like": (lambda **how: tl.zeros_like(tl.ones(2), **how), np.zeros(2)),
    "ones_like": (lambda **how: tl.ones_like([1, 2], **how), np.ones(2)),
    "randn": (lambda **how: tl.randn(2, 3, rng=5, **how), np.random.default_rng(5).normal(size=(2, 3))),
    "rand": (lambda **how: tl.rand(2, rng=5, **how), np.random.default_rng(5).uniform(size=2)),
}


@pytest.mark.parametrize("name", MADE)
def test_it_holds_what_numpy_makes_and_is_what_was_asked_for(name):
    make, expected = MADE[name]
    np.testing.assert_array_equal(make().value, expected)
    assert make().dtype == np.float64
    made = make(dtype=tl.float32, requires_grad=True, name="w")
    assert (made.dtype, made.requires_grad, made.name, made.is_leaf) == (np.float32, True, "w", True)


def test_a_parameter_learns_and_belongs_to_its_module():
    class Scaled(tl.nn.Module):
        def __init__(self):
            self.scale = tl.Parameter([1.0, 2.0])

        def forward(self, x):
            return x * self.scale

    scaled = Scaled()
    assert [path for path, _ in scaled.named_parameters()] == ["scale"]
    assert scaled.scale.requires_grad
    assert tl.Parameter([1.0], name="w").name == "w"
    assert not tl.Parameter([1.0], requires_grad=False).requires_grad


def test_a_seed_makes_everything_drawn_after_it_the_same():
    def drawn():
        tl.manual_seed(3)
        return [
            tl.randn(2).tolist(),
            tl.rand(2).tolist(),
            tl.LSTM(2, 3).parameters()[0].tolist(),
            tl.Linear(2, 2)(np.ones(2)).tolist(),
        ]

    assert drawn() == drawn()
    assert tl.randn(2).tolist() != tl.randn(2).tolist()
    given = tl.Linear(2, 2, rng=0).weight.tolist()
    tl.manual_seed(4)
    assert tl.Linear(2, 2, rng=0).weight.tolist() == given
    assert tl.manual_seed(1).normal() == np.random.default_rng(1).normal()


@pytest.mark.parametrize("seed", [None, -1, "x", 0.5])
def test_a_seed_that_is_none_is_refused(seed):
    with pytest.raises((TypeError, ValueError), match="a whole number from 0 on"):
        tl.manual_seed(seed)


@pytest.mark.parametrize("indices", [[0.5], [-1], [3]])
def test_what_is_no_class_is_refused(indices):
    with pytest.raises(ValueError, match="one_hot: one_hot takes whole numbers from 0 to below 3"):
        tl.one_hot(indices, 3)


def test_an_array_is_one_of_numpys():
    with pytest.raises(TypeError, match=r"from_numpy takes an array of numpy's, not .*; tl.tensor takes all else"):
        tl.from_numpy([1.0])

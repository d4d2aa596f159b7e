"""Jacobians of steps are those of the whole: their product over a gap is what the backward pass brings there."""

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.nn.cell import advance
from tinygrad_lstm.nn.cells import CELLS
from tinygrad_lstm.nn.gate import same
from tinygrad_lstm.studies.jacobian import (
    jacobians,
    recurrent_weight,
    scale_to,
    singular_values,
    spectral_radius,
    states_of,
)


@pytest.mark.parametrize("name", CELLS)
def test_their_product_is_the_gradient_over_the_gap(name, rng):
    cell, xs = CELLS[name](2, 3, rng=0), rng.normal(size=(6, 2))
    first = tuple(tl.tensor(np.zeros(size), requires_grad=True) for size in cell.state_sizes)
    state, seed = first, rng.normal(size=3)
    for x in xs:
        state = advance(cell, tl.tensor(x), state)
    whole = np.concatenate([part.value for part in tl.grad(state[0], first, seed)])
    row = np.concatenate([seed, np.zeros(sum(cell.state_sizes) - 3)])
    for step in jacobians(cell, xs)[::-1]:
        row = row @ step
    np.testing.assert_allclose(row, whole, rtol=1e-12, atol=1e-16)


def test_that_of_an_rnn_is_what_one_writes_on_paper(rng):
    cell, xs = tl.RNNCell(2, 3, rng=0), rng.normal(size=(4, 2))
    for step, (h,) in zip(jacobians(cell, xs), states_of(cell, xs), strict=True):
        np.testing.assert_allclose(step, (1 - h[:, None] ** 2) * recurrent_weight(cell).T, rtol=1e-12)


def test_a_linear_network_multiplies_by_its_matrix_each_step():
    cell = scale_to(tl.RNNCell(2, 5, nonlinearity=same, rng=1), 0.8)
    values = singular_values(jacobians(cell, np.ones((60, 2))))
    power = np.linalg.matrix_power(recurrent_weight(cell), 60)
    np.testing.assert_allclose(values[-1, 0], np.linalg.norm(power, 2), rtol=1e-9)
    rate = (values[-1, 0] / values[-31, 0]) ** (1 / 30)  # for long gaps, the radius is all that counts
    np.testing.assert_allclose(rate, 0.8, rtol=0.05)


def test_what_leaves_the_range_of_floats_is_no_nan():
    steps = np.array([np.diag([1e-200, 1e-3])] * 4)
    np.testing.assert_allclose(singular_values(steps)[:, 0], [1e-3, 1e-6, 1e-9, 1e-12])
    assert singular_values(np.array([np.diag([1e-200, 1e-200])] * 2)).tolist()[1] == [0.0, 0.0]
    assert singular_values(np.array([np.diag([1e200, 1e200])] * 2))[1, 0] == np.inf
    assert singular_values(np.zeros((3, 2, 2))).max() == 0


def test_scaling_changes_the_radius_and_not_what_the_input_meets():
    cell, other = tl.RNNCell(2, 8, rng=3), tl.RNNCell(2, 8, rng=3)
    scale_to(cell, 1.7)
    np.testing.assert_allclose(spectral_radius(recurrent_weight(cell)), 1.7)
    np.testing.assert_array_equal(cell.layer.weight.value[8:], other.layer.weight.value[8:])

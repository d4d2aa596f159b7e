"""A program computes what the graph computes: to the bit as the equations are, to rounding with less work."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_lstm as tl
from tests.program.agreement import exactly, to_rounding, unlike, within_terms
from tests.program.networks import NETWORKS
from tinygrad_lstm.testing import strategies

BY_LEVEL = {0: exactly, 1: to_rounding, 2: to_rounding}
FEW = ["lstm", "gru", "peephole", "lengths, both directions", "attention_over_an_encoder", "rows_of_a_table"]


@pytest.mark.parametrize("name", NETWORKS)
def test_as_the_equations_are_it_is_the_same_to_the_bit(name):
    loss, wrt = NETWORKS[name]()
    assert unlike(loss, wrt, tl.source(loss, wrt=wrt), exactly) == []


@pytest.mark.parametrize("level", [1, 2, 3])
@pytest.mark.parametrize("name", FEW)
def test_with_less_work_it_is_the_same_to_rounding(name, level):
    loss, wrt = NETWORKS[name]()
    assert unlike(loss, wrt, tl.source(loss, wrt=wrt, optimize=level), to_rounding) == []


@pytest.mark.slow
@pytest.mark.parametrize("level", [1, 2, 3])
@pytest.mark.parametrize("name", [name for name in NETWORKS if name not in FEW])
def test_with_less_work_they_all_are(name, level):
    loss, wrt = NETWORKS[name]()
    assert unlike(loss, wrt, tl.source(loss, wrt=wrt, optimize=level), to_rounding) == []


def weighted(output):
    """Return a loss in which every number counts otherwise."""
    weights = tl.tensor(np.random.default_rng(0).normal(size=output.shape))
    return (output * weights).sum()


@given(strategies.expression_graphs(max_nodes=8), st.sampled_from([0, 0, 1, 3]))
def test_any_expression(program, level):
    with np.errstate(all="ignore"):
        leaves = [tl.tensor(x, requires_grad=True, name=f"x{i}") for i, x in enumerate(program.inputs)]
        loss = weighted(program(*leaves))
        if loss.requires_grad and np.isfinite(loss.value):
            same = within_terms(loss) if level else exactly
            assert unlike(loss, leaves, tl.source(loss, wrt=leaves, optimize=level), same) == []


@pytest.mark.slow
@given(strategies.recurrent_networks(), st.sampled_from([0, 0, 1, 2, 3]))
def test_any_network(network, level):
    xs = tl.tensor(network.xs, requires_grad=True, name="xs")
    wrt = [xs, *network.layer.parameters()]
    loss = weighted(network(xs))
    same = within_terms(loss) if level == 3 else BY_LEVEL[level]  # σ by tanh loses digits where it is nearly 0
    assert unlike(loss, wrt, tl.source(loss, wrt=wrt, optimize=level), same) == []


NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=6) | st.sampled_from(["np", "t", "is", "T", "h"])


@given(st.lists(NAMES, min_size=4, max_size=4, unique=True), st.integers(2, 5))
def test_a_recurrence_whose_names_are_drawn_rolls_up(names, steps):
    rng = np.random.default_rng(0)
    w, u, b = (
        tl.tensor(rng.normal(size=shape), requires_grad=True, name=name)
        for shape, name in zip([(2, 3), (3, 3), (3,)], names, strict=False)
    )
    x, state = tl.tensor(rng.normal(size=(steps, 4, 2)), name=names[3]), tl.tensor(np.zeros((4, 3)))
    for t in range(steps):
        state = tl.tanh(x[t] @ w + state @ u + b)
        state.name = names[3]
    program = tl.source(state.sum(), wrt=[w, u, b])
    assert str(program).count("for t in") == 2
    assert unlike(state.sum(), [w, u, b], program, exactly) == []


def test_what_was_computed_on_the_way_has_a_gradient_too():
    x, w = (tl.tensor(0.1 * np.arange(4.0).reshape(2, 2), requires_grad=True, name=name) for name in "xw")
    h, hs = x, []
    for _ in range(4):
        h = tl.tanh(h @ w)
        hs.append(h)
    y = hs[-1] * hs[1]
    loss = (y * y).sum()
    assert unlike(loss, [hs[1], y, w, hs[3]], tl.source(loss, wrt=[hs[1], y, w, hs[3]]), exactly) == []
    assert unlike(loss, [y], tl.source(loss, wrt=y), exactly) == []


def test_numbers_that_are_given_by_name_take_the_place_of_those_recorded():
    loss, wrt = NETWORKS["lstm"]()
    program = tl.source(loss, wrt=wrt)
    (name,) = (name for name, array in program.arguments.items() if array is wrt[0].value)
    assert program(**{name: np.zeros_like(wrt[0].value)})[0] != program()[0] == loss.item()

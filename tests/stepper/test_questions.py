"""What people ask about backpropagation, each answered by the stepper in at most three calls."""

import numpy as np
import pytest

import tinygrad_lstm as tl


def unrolled(cell, steps=5, cut=None):
    """The loss of the last h, and the state of every step; ``cut`` detaches the state before that step."""
    rng = np.random.default_rng(1)
    state, states = None, []
    for t in range(steps):
        if t == cut:
            state = tuple(part.detach() for part in state)
        with tl.time_step(t):
            state = cell(tl.tensor(rng.normal(size=(1, 3)), name="x"), state)
        states.append(state)
    return state[0].sum(), states


def test_why_is_plus_equals_needed():
    """Both uses of a add to its gradient, and both uses of b to b's: with = in place of +=, half would be lost."""
    a = tl.tensor(1.0, requires_grad=True, name="a")
    b = a + a
    c = b + b
    stepper = tl.step(c)
    assert [row.after.item() for row in stepper.ledger(b)] == [1.0, 2.0]
    assert [row.after.item() for row in stepper.ledger(a)] == [2.0, 4.0]


def test_why_must_a_node_wait_for_all_its_contributions():
    """Its rule multiplies what has arrived: b's rule is applied only after the second of two has come."""
    a = tl.tensor(1.0, requires_grad=True, name="a")
    b = tl.tanh(a)
    stepper = tl.step(b * 2 + b * 3)
    last = stepper.ledger(b)[-1]
    applied = stepper.until("op:tanh")
    assert last.index < applied.index
    assert np.array_equal(applied.step.upstream, last.after)


def test_which_time_step_gave_the_forget_gate_most_of_its_gradient():
    cell = tl.LSTMCell(3, 4, rng=0)
    loss, _ = unrolled(cell)
    by_time = tl.step(loss).ledger(cell.forget_gate.weight).by_time()
    most = max(by_time, key=lambda t: np.linalg.norm(by_time[t]))
    assert most != 0, "at t = 0 the cell state is zero: there is nothing to forget"
    assert not by_time[0].any()


def test_where_did_the_gradient_vanish_and_which_gate_did_it():
    cell = tl.LSTMCell(3, 4, rng=0)
    cell.forget_gate.bias.value = np.full(4, -12.0)
    loss, _ = unrolled(cell)
    rows = tl.step(loss).flow()
    assert rows[3].norms["c"] < 0.2 * rows[4].norms["c"]
    assert max(rows[4].saturation, key=rows[4].saturation.get) == "f"


def test_along_which_route_did_the_loss_reach_c_1():
    loss, states = unrolled(tl.LSTMCell(3, 4, rng=0))
    ways = tl.step(loss).paths(states[1][1])
    assert max(ways, key=lambda way: np.linalg.norm(ways[way])) == "belt"


def test_which_operation_first_made_a_nan():
    x = tl.tensor([-1.0, 4.0], requires_grad=True, name="x")
    with np.errstate(invalid="ignore"), tl.scope("distance"):
        stepper = tl.step((tl.sqrt(x) * 2).sum())
    stepper.goto(0)
    assert str(stepper.until("if value == nan").rule) == "y = √x"
    with tl.detect_nan(), tl.scope("distance"), pytest.raises(FloatingPointError, match="sqrt in distance"):
        tl.sqrt(x)


def test_what_does_the_transpose_in_the_rule_of_matmul_do_to_the_shapes():
    x = tl.tensor(np.ones((5, 3)), requires_grad=True, name="x")
    w = tl.tensor(np.ones((3, 2)), requires_grad=True, name="W")
    stepper = tl.step((x @ w).sum())
    to_x, to_w = stepper.until("op:matmul"), stepper.step()
    assert (to_x.formula, to_w.formula) == ("∂L/∂x += ∂L/∂(x W) Wᵀ", "∂L/∂W += xᵀ ∂L/∂(x W)")
    assert (to_x.step.upstream.shape, to_x.contribution.shape, to_w.contribution.shape) == ((5, 2), (5, 3), (3, 2))


def test_what_changes_when_the_forget_gate_is_one():
    """What comes along the belt arrives undiminished, however many steps it took."""
    cell = tl.LSTMCell(3, 4, rng=0)
    cell.forget_gate.bias.value = np.full(4, 60.0)
    cell.forget_gate.weight.value = np.zeros((7, 4))
    loss, states = unrolled(cell)
    stepper = tl.step(loss)
    (later,) = tl.grad(loss, [states[2][1]])
    assert np.array_equal(stepper.paths(states[1][1])["belt"], later.value)


def test_what_does_the_seed_do():
    """It is ∂L/∂y for the L that one has in mind, and every gradient is linear in it."""
    x = tl.tensor([1.0, 2.0], requires_grad=True, name="x")
    y = tl.tanh(x)
    once, thrice = (tl.step(y, seed).ledger(x).total for seed in ([1.0, 0.5], [3.0, 1.5]))
    assert np.allclose(3 * once, thrice, rtol=1e-15)


def test_why_is_the_gradient_of_a_bias_summed_over_the_batch():
    """The bias was used once for each row of the batch; the sum over them is the += that broadcasting hid."""
    b = tl.tensor([0.5, 0.5], requires_grad=True, name="b")
    x = tl.tensor(np.arange(6.0).reshape(3, 2), name="x")
    stepper = tl.step(((x + b) * (x + b)).sum())
    event = stepper.until("op:add")
    assert event.step.product.shape == (3, 2)
    assert np.array_equal(event.contribution, event.step.product.sum(axis=0))


def test_what_did_truncating_at_t_2_throw_away():
    """Everything that the steps before the cut would have contributed; nothing of what the others do."""
    cell = tl.LSTMCell(3, 4, rng=0)
    whole, cut = (tl.step(unrolled(cell, cut=t)[0]).ledger(cell.candidate.weight).by_time() for t in (None, 2))
    assert set(whole) - set(cut) == {0, 1}
    assert all(np.array_equal(whole[t], cut[t]) for t in cut)

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


def test_why_plus_equals_in_a_product_too():
    """micrograd, issue 72: "for addition adding makes sense, I can't make sense of it for multiplication"."""
    x = tl.tensor(3.0, requires_grad=True, name="x")
    y, z = (tl.tensor(number, name=name) for number, name in ((2.0, "y"), (5.0, "z")))
    stepper = tl.step((x * y) * (x * z))
    assert stepper.ledger(x).total == 2 * 3.0 * 2.0 * 5.0
    event = stepper.goto(len(stepper) - 1)
    assert event.why.startswith(
        "x is used in 2 places, so ∂L/∂x has 2 parts, which are added (+=); this is number 2, and it is complete. "
        "In a product the slope to one factor is the other: here y."
    )
    assert str(stepper.print("why")) == event.why


def test_why_must_the_nodes_be_in_topological_order():
    """micrograd, issue 2: "incorrect gradient when non-leaf values are re-used"."""
    a = tl.tensor(1.0, requires_grad=True, name="a")
    b = tl.tanh(a)
    b.name = "b"
    stepper = tl.step(b * 2 + b * 3)
    first, second = stepper.ledger(b)
    assert "1 to come before its own rule applies" in first.why
    slope = 1 - np.tanh(1.0) ** 2
    assert np.isclose(stepper.ledger(a).total, second.after * slope)
    assert not np.isclose(stepper.ledger(a).total, first.after * slope), "what a rule applied too early would give"


def test_why_does_backward_twice_double_the_gradient():
    """micrograd, issue 53: "ensure backward() is idempotent"."""
    w = tl.tensor(3.0, requires_grad=True, name="w")
    for times in (1, 2):
        (w * w).backward()
        assert w.grad.item() == times * 6.0
    assert "sum of all gradients that ``backward`` brought to this leaf since it was last set to None" in " ".join(
        tl.Tensor.grad.__doc__.split()
    )


def test_why_zero_grad():
    """micrograd, issue 25: "issue with zero_grad?". Without it the second step also takes the first step's gradient."""
    ends = {}
    for cleared in (True, False):
        w = tl.tensor(3.0, requires_grad=True, name="w")
        optimizer = tl.SGD([w], lr=0.1)
        for _ in range(2):
            if cleared:
                optimizer.zero_grad()
            (w * w).backward()
            optimizer.step()
        ends[cleared] = w.item()
    first = 3.0 - 0.1 * 6.0
    assert np.isclose(ends[True], first - 0.1 * 2 * first)
    assert np.isclose(ends[False], first - 0.1 * (2 * first + 6.0))


def test_why_is_a_dead_relu_dead():
    """Asked on every forum: the loss stops falling, and the gradient of a layer is exactly 0."""
    layer, head = tl.Linear(3, 4, rng=0), tl.Linear(4, 1, rng=0)
    layer.bias.value = np.full(4, -30.0)
    loss = head(tl.relu(layer(np.ones((8, 3))))).sum()
    (found,) = tl.diagnose(loss)
    assert found.kind == "dead"
    assert "no step can move the weights before it" in found.text
    event = tl.step(loss).until("op:relu")
    assert event.why.startswith("Nothing passes: the slope of relu to")
    assert not event.contribution.any()
    assert event.upstream.any()


def test_why_is_the_gradient_of_a_tensor_none():
    """PyTorch's forum: "why is .grad None?"."""
    x, w = tl.tensor([1.0, 2.0], name="x"), tl.tensor([3.0, 4.0], requires_grad=True, name="w")
    loss = (x * w).sum()
    loss.backward()
    assert x.grad is None
    with pytest.raises(ValueError, match="x never gets a gradient: it does not require one"):
        tl.step(loss).watch("x.grad")


def test_why_is_the_gradient_of_x_not_that_of_the_weight():
    """Each gets what the other was: ∂(x w)/∂x = w, and ∂(x w)/∂w = x."""
    x, w = (tl.tensor(number, requires_grad=True, name=name) for number, name in ((2.0, "x"), (5.0, "w")))
    stepper = tl.step(x * w)
    to_x, to_w = stepper.step(), stepper.step()
    assert (to_x.formula, to_w.formula) == ("∂L/∂x += ∂L/∂y ⊙ w", "∂L/∂w += ∂L/∂y ⊙ x")
    assert (to_x.after, to_w.after) == (5.0, 2.0)


def test_what_does_detach_cut():
    """PyTorch's forum: "detach, no_grad and requires_grad": what came before is not taught any more."""
    loss, _ = unrolled(tl.LSTMCell(3, 4, rng=0), cut=2)
    (found,) = tl.diagnose(loss)
    assert found.kind == "detached"
    assert found.where.startswith("h, before t = 2")
    assert "no gradient reaches the steps before" in found.text


def test_what_does_f_1_do_against_f_0():
    """With f = 1 the belt hands the gradient on whole; with f = 0 it hands on nothing."""
    cell = tl.LSTMCell(3, 4, rng=0)
    loss, _ = unrolled(cell)
    kept, forgotten = (tl.step(tl.what_if(loss, {cell.forget_gate: f})).flow() for f in (1.0, 0.0))
    assert kept[0].norms["c"] > 10 * forgotten[0].norms["c"]
    assert kept[0].norms["c"] > tl.step(loss).flow()[0].norms["c"]


@pytest.mark.parametrize("opening", [0.25, 0.5, 1.0])
def test_what_does_a_gate_between_0_and_1_do(opening):
    """It lets that share of each number pass: so much of the state forwards, so much of the gradient backwards."""
    f, c = tl.tensor([opening], name="f"), tl.tensor([8.0], requires_grad=True, name="c")
    event = tl.step((f * c).sum()).until("op:mul")
    assert event.node.item() == opening * 8.0
    assert event.contribution.item() == opening * event.upstream.item()


def test_how_does_the_rnn_rewrite_where_the_lstm_adds():
    """Through an RNN each step multiplies by W and a slope; along the belt only by f."""
    rnn, lstm = tl.RNNCell(3, 4, rng=0), tl.LSTMCell(3, 4, rng=0)
    lstm.forget_gate.bias.value = np.full(4, 3.0)
    norms = {}
    for cell in (rnn, lstm):
        state, rng = None, np.random.default_rng(1)
        for t in range(20):
            with tl.time_step(t):
                state = cell(tl.tensor(rng.normal(size=(1, 3)), name="x"), state)
        flow = tl.step((state[0] if isinstance(state, tuple) else state).sum()).flow()
        norms[cell] = [max(flow[t].norms.values()) for t in (0, 19)]
    assert norms[lstm][0] / norms[lstm][1] > 100 * norms[rnn][0] / norms[rnn][1]


def test_why_does_the_gradient_of_an_rnn_vanish():
    """Each step back multiplies by the weights and by the slope of tanh, and both are mostly below 1."""
    loss, _ = unrolled_rnn(60)
    (found,) = tl.diagnose(loss)
    assert found.kind == "vanishing"
    assert "so the first steps teach nothing" in found.text
    flow = tl.step(loss).flow()
    rate = (flow[0].norms["h"] / flow[59].norms["h"]) ** (1 / 59)
    assert f"× {rate:.2g} a step" in found.text


def unrolled_rnn(steps):
    cell, rng, h = tl.RNNCell(3, 4, rng=0), np.random.default_rng(1), None
    for t in range(steps):
        with tl.time_step(t):
            h = cell(tl.tensor(rng.normal(size=(1, 3)), name="x"), h)
    return h.sum(), cell


def test_what_does_a_forget_bias_of_1_buy():
    """f begins at σ(1) = 0.73 instead of 0.5: after 20 steps, hundreds of times as much gradient is left."""
    left = {}
    for bias in (0.0, 1.0):
        cell = tl.LSTMCell(3, 4, rng=0)
        cell.forget_gate.bias.value = np.full(4, bias)
        flow = tl.step(unrolled(cell, steps=20)[0]).flow()
        left[bias] = flow[0].norms["c"] / flow[19].norms["c"]
    assert left[1.0] > 50 * left[0.0]


def test_what_does_clipping_change():
    """The length of the step, and not its direction."""
    w = tl.tensor([3.0, 4.0], requires_grad=True, name="w")
    (w * w).sum().backward()
    before = w.grad.numpy().copy()
    norm = tl.clip_grad_norm([w], 1.0)
    assert np.isclose(float(norm), np.linalg.norm(before))
    assert np.allclose(w.grad.numpy(), before / np.linalg.norm(before), rtol=1e-5)


@pytest.mark.parametrize("classes", [2, 27, 100])
def test_why_is_the_loss_ln_v_at_the_beginning(classes):
    """nn-zero-to-hero, makemore: "we expect 3.29": one of 27 letters, each as likely as the others."""
    head = tl.Linear(8, classes, rng=0)
    head.weight.value = head.weight.value * 0
    head.bias.value = head.bias.value * 0
    loss = tl.cross_entropy(head(np.random.default_rng(0).normal(size=(16, 8))), np.arange(16) % classes)
    assert np.isclose(loss.item(), np.log(classes))


def test_why_does_the_regression_learn_nothing_but_the_mean():
    """PyTorch's forum: "a target size that is different to the input size": each meets every other."""
    prediction, y = tl.Linear(3, 1, rng=0)(np.ones((5, 3))), tl.tensor(np.arange(5.0))
    (found,) = tl.diagnose(((prediction - y) ** 2).mean())
    assert found.kind == "broadcast"
    assert "each number meets every other instead of its own" in found.text


def test_why_does_the_loss_jump_up_instead_of_down():
    """A step that is too long leaps over the valley: on w², lr = 1 lands as high on the other side."""
    w = tl.tensor(1.0, requires_grad=True, name="w")
    assert tl.diagnose(w * w, lr=0.4) == ()
    (found,) = tl.diagnose(w * w, lr=1.5)
    assert "takes this loss from 1 to 4" in found.text

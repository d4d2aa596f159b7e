"""Derivations: what their lines compute is the gradient, and they are the equations that a textbook has."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_lstm as tl
from tests.symbolic.test_notation import require_balanced
from tinygrad_lstm.nn.named import names
from tinygrad_lstm.nn.samples import small_loss
from tinygrad_lstm.symbolic.derivations.derivation import Derivation
from tinygrad_lstm.testing.generate import strategies


def parameter(loss, name):
    (found,) = [x for x in tl.Graph(loss).leaves if x.name and x.name.endswith(name)]
    return found


def learned(loss):
    return [x for x in tl.Graph(loss).leaves if x.requires_grad]


def require_right(loss, *wrt):
    for x in wrt:
        (expected,) = tl.grad(loss, [x])
        scale = np.abs(expected.value).max(initial=0.0)
        made = tl.derive(loss, x).evaluate()
        np.testing.assert_allclose(made, expected.value, rtol=0, atol=1e-11 * scale)


def lines(derivation):
    return [str(line.equation) for line in derivation.lines]


@pytest.mark.parametrize("first", [lambda x: x[0] * 0.5, lambda x: x[0], lambda x: tl.tanh(x).mean(axis=0)])
def test_a_loop_that_begins_with_something_computed(first):
    """It takes the place of the state before the first step, and the sum of losses is a recurrence, too."""
    x = tl.tensor(np.random.default_rng(0).normal(size=(4, 3)), requires_grad=True, name="x")
    W = tl.tensor(np.random.default_rng(1).normal(size=(3, 3)), requires_grad=True, name="W")
    h, total = first(x), 0
    for t in range(4):
        h = tl.tanh(x[t] @ W + h)
        total = total + (h * h).sum()
    require_right(total, x, W)
    assert "\nv₋₁ = " in str(tl.derive(total, W))
    assert str(tl.derive(total, W).lines[-1].equation) == "∂L/∂W = Σ_t x[t]ᵀ ∂L/∂v⁽³⁾_t"


@pytest.mark.parametrize("end", [lambda y: y.sum(), lambda y: y.mean(), lambda y: (y * y).sum(), lambda y: y[-1].sum()])
def test_what_each_step_reads_before_it_computes(end):
    """A gradient that is a number is one of the next step's, too, but of none beyond the last."""
    x, v = (tl.tensor(np.random.default_rng(0).normal(size=size), requires_grad=True, name="x") for size in ((4, 3), 3))
    U = tl.tensor(np.random.default_rng(1).normal(size=(3, 3)), requires_grad=True, name="U")
    ys, total = [], 0
    for t in range(4):
        ys.append(v * 2)
        v = tl.tanh(v @ U + x[t])
        total = total + v.sum()
    require_right(end(tl.stack(ys)) + total, x, U)


def test_a_derivation_that_computes_something_else_is_not_given_out(monkeypatch):
    """The negative control: lines that are wrong are found again without what begins a loop, or refused."""
    (w,) = learned(loss := (tl.tensor([1.0, 2.0], requires_grad=True, name="w") ** 2).sum())
    evaluate, wrong = Derivation.evaluate, [1, 0]
    monkeypatch.setattr(Derivation, "evaluate", lambda self: evaluate(self) + wrong.pop(0))
    tl.derive(loss, w)
    assert not wrong
    monkeypatch.setattr(Derivation, "evaluate", lambda self: evaluate(self) + 1)
    with pytest.raises(ValueError, match="a fault of ours"):
        tl.derive(loss, w)


def test_an_rnn():
    loss = small_loss("rnn", 5)
    derivation = tl.derive(loss, parameter(loss, "layer.weight"))
    assert lines(derivation) == ["δ_t = (1 + δ_{t+1} W_hhᵀ) ⊙ (1 − h_t²)", "∂L/∂W_h = Σ_t [h_{t−1}, x_t]ᵀ δ_t"]
    assert derivation.lines[0].words == "t = 0 … 4; the terms of t+1 are 0 at t = 4"


def test_an_rnn_without_any_module():
    rng = np.random.default_rng(0)
    W, U = (tl.tensor(rng.normal(size=(3, 3)), requires_grad=True, name=name) for name in "WU")
    h, loss = tl.tensor(np.zeros(3), name="h0"), None
    for t in range(4):
        with tl.time_step(t):
            h = tl.tanh(h @ W + tl.tensor(rng.normal(size=3), name="x") @ U)
            h.name = "h"
            part = ((h - rng.normal(size=3)) ** 2).sum()
        loss = part if loss is None else loss + part
    derivation = tl.derive(loss, wrt=W)
    assert lines(derivation) == ["δ_t = (2 · (h_t − y_t) + δ_{t+1} Wᵀ) ⊙ (1 − h_t²)", "∂L/∂W = Σ_t h_{t−1}ᵀ δ_t"]
    require_right(loss, W, U)


LSTM = """
δ_{h,t} = 1 + δ_{f,t+1} W_hfᵀ + δ_{i,t+1} W_hiᵀ + δ_{g,t+1} W_hgᵀ + δ_{o,t+1} W_hoᵀ
δ_{c,t} = δ_{h,t} ⊙ o_t ⊙ (1 − tanh²(c_t)) + δ_{c,t+1} ⊙ f_{t+1}
δ_{o,t} = δ_{h,t} ⊙ tanh(c_t) ⊙ o_t ⊙ (1 − o_t)
δ_{g,t} = δ_{c,t} ⊙ i_t ⊙ (1 − g_t²)
δ_{i,t} = δ_{c,t} ⊙ g_t ⊙ i_t ⊙ (1 − i_t)
δ_{f,t} = δ_{c,t} ⊙ c_{t−1} ⊙ f_t ⊙ (1 − f_t)
∂L/∂W_f = Σ_t [h_{t−1}, x_t]ᵀ δ_{f,t}
"""


@pytest.mark.parametrize("steps", [3, 30])
def test_an_lstm_as_the_literature_has_it(steps):
    """Backpropagation through time as in Greff et al. (2017), appendix A, without peepholes; as long for any T."""
    loss = small_loss("lstm", steps)
    assert lines(tl.derive(loss, parameter(loss, "forget_gate.weight"))) == LSTM.strip().splitlines()


def test_where_steps_differ_it_is_said():
    lstm, head = tl.LSTM(3, 4, rng=0), tl.Linear(4, 3, rng=1)
    output, _ = lstm(tl.tensor(np.random.default_rng(0).normal(size=(5, 2, 3)), name="xs"))
    loss = tl.cross_entropy(head(output[-1]), [0, 2])
    derivation = tl.derive(loss, parameter(loss, "forget_gate.weight"))
    of_h = next(line for line in derivation.lines if str(line.equation).startswith("δ_{h,t} = δ_{f,t+1} W_hfᵀ"))
    assert [str(each) for each in of_h.also] == ["δ_h₄ += (∂L/∂v − exp(v) ⊙ (Σ₋₁ ∂L/∂v)) weightᵀ"]
    assert of_h.words == "t = 0 … 4; the terms of t+1 are 0 at t = 4"
    of_o = next(line for line in derivation.lines if str(line.equation).startswith("δ_{o,t}"))
    assert of_o.words == "t = 1 … 4; the terms of t+1 are 0 at t = 4" or of_o.words == "t = 1 … 4"  # o₀ sees no W_f
    assert "v = log_softmax(" in str(derivation)
    require_right(loss, *learned(loss))


def test_what_is_another_thing_at_each_step_is_written_for_each():
    W, h = tl.tensor(np.ones((3, 3)), requires_grad=True, name="W"), tl.tensor(np.ones(3), name="h0")
    for t in range(3):
        with tl.time_step(t):
            h = h * W[t] if t else W[t] + h
    first, last = tl.derive(h.sum(), W).lines
    assert [str(first.equation), *map(str, first.also)] == [
        "∂L/∂W[0] = W[2] ⊙ W[1]",
        "∂L/∂W[1] = W[2] ⊙ (W[0] + h0)",
        "∂L/∂W[2] = (W[0] + h0) ⊙ W[1]",
    ]
    assert str(last.equation) == "∂L/∂W = Σ_t index_add(∂L/∂W[t] at [t])"


def test_a_network_without_time_is_derived_line_by_line():
    x, W = tl.tensor([[1.0, 2.0]], name="x"), tl.tensor([[3.0], [4.0]], requires_grad=True, name="W")
    text = str(tl.derive(tl.tanh(x @ W).sum(), wrt=W))
    assert text.startswith("∂L/∂W, where W is 2×1\n\n(1)  ∂L/∂W = xᵀ (1 − tanh²(x W))\n")
    for reason in (r"x W +matmul", r"tanh\(x W\) +tanh", r"Σ tanh\(x W\) +sum"):
        assert re.search(reason, text)


def test_a_reason_names_the_rule_the_node_and_the_place():
    loss = small_loss("lstm", 3)
    derivation = tl.derive(loss, parameter(loss, "forget_gate.weight"))
    rows = [re.split("  +", row.strip()) for row in str(derivation).splitlines()]
    assert ["f_t = σ([h_{t−1}, x_t] W_f + b_f)", "sigmoid", "cell.forget_gate"] in rows
    x = tl.tensor(2.0, requires_grad=True, name="x")
    assert re.search(r"x²  mul  test_derivations\.py:\d+", str(tl.derive(x * x, x)))


def test_layers_and_directions_are_told_apart():
    loss = small_loss("gru", 3, layers=2, bidirectional=True)
    derivation = tl.derive(loss, learned(loss)[0])
    text = str(derivation)
    assert "δ⁽²⁾_{h,t}" in text or "h⁽²⁾" in text
    assert any("t−1" in line and line.startswith("δ") for line in lines(derivation))  # what reads backwards
    assert len({line.split(" = ")[0] for line in lines(derivation)}) == len(derivation.lines)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_no_two_things_have_one_name(cell):
    """Also where the h of two layers stand side by side before one matrix."""
    loss = small_loss(cell, 3, layers=2, bidirectional=True)
    derivation = tl.derive(loss, learned(loss)[0])
    lettering, groups = derivation._lettering, derivation._recurrence.groups
    shown = [group for group in groups if group.sample.name or group.number in lettering.letters]
    assert len({str(lettering.value(group)) for group in shown}) == len(shown)
    assert len({str(line.equation.left) for line in derivation.lines}) == len(derivation.lines)
    text = str(derivation)
    for block in map(str, lettering.blocks):
        assert len(re.findall(rf"^{re.escape(block)}: rows", text, re.MULTILINE)) == 1
    assert re.search(r"δ⁽(.)⁾_{\w,t[+−]1} W⁽\1⁾_\w\[0:2\]ᵀ", text)


@pytest.mark.parametrize("cell", names())
def test_what_the_lines_compute_is_the_gradient_of_every_cell(cell):
    loss = small_loss(cell, 4)
    require_right(loss, *learned(loss))
    both = small_loss(cell, 3, layers=2, bidirectional=True)
    require_right(both, learned(both)[0], learned(both)[-1])


@settings(max_examples=15)
@given(strategies.recurrent_networks(max_steps=5, high=1.0), st.data())
def test_of_networks_that_are_drawn(network, data):
    output = network(tl.tensor(network.xs, name="xs"))
    loss = (output * output).sum()
    require_right(loss, data.draw(st.sampled_from(learned(loss))))


@settings(max_examples=15)
@given(strategies.expression_graphs())
def test_of_expression_graphs_that_are_drawn(program):
    leaves = [tl.tensor(x, requires_grad=True, name=f"u{i}") for i, x in enumerate(program.inputs)]
    with np.errstate(all="ignore"):
        loss = program(*leaves).sum()
    if loss.requires_grad and np.isfinite(loss.item()):
        for x in gradients_reach(loss, leaves)[:2]:
            (expected,) = tl.grad(loss, [x])
            if np.isfinite(expected.value).all():
                require_right(loss, x)


def gradients_reach(loss, leaves):
    """Those that a walk contributes to: no gradient flows through a floor."""
    reached = {contribution.input for contribution in tl.backprop(loss)}
    return [x for x in leaves if x in reached]


def test_of_what_no_gradient_flows_through_it_is_0():
    x = tl.tensor(1.5, requires_grad=True, name="x")
    derivation = tl.derive(tl.abs(x) + tl.where(x > 1, 2.0, 3.0), x)
    assert derivation.evaluate() == 1.0


def networks():
    rng = np.random.default_rng(0)
    xs = tl.tensor(rng.normal(size=(4, 2, 3)), requires_grad=True, name="xs")
    output, (h, _) = tl.LSTM(3, 4, rng=0)(xs)
    yield "attention over the outputs", (tl.nn.Attention(4, 4, rng=1)(output[-1], output)[0] ** 2).sum()
    _, (h, _) = tl.LSTM(3, 4, rng=0)(xs, lengths=[4, 2])
    yield "sequences of different length", (h * h).sum()
    output, _ = tl.GRU(3, 4, rng=0)(tl.Embedding(5, 3, rng=0)(rng.integers(0, 5, size=(5, 2))))
    head = tl.Linear(4, 5, rng=1)
    yield "a language model", tl.cross_entropy(head(output).reshape(-1, 5), rng.integers(0, 5, size=10))
    W = tl.tensor(rng.normal(size=(3, 3)), requires_grad=True, name="W")
    y = tl.tensor(rng.normal(size=3), requires_grad=True, name="h0")
    for _ in range(4):
        y = tl.tanh(y @ W) + y
    yield "a loop that says no time", y.sum()
    total = tl.tensor(np.zeros(3), requires_grad=True, name="h0")
    for t in range(3):
        with tl.time_step(t):
            total = total * W[t] if t else W[t] + total
    yield "a first step unlike the others", total.sum()
    c = tl.tensor(0.5, requires_grad=True, name="c")
    for t in range(3):
        with tl.time_step(t):
            c = (0.1 * t) * c + c / (t + 1)
            c.name = "c"
    yield "numbers that depend on the step", c * 1.0


@pytest.mark.parametrize(("name", "loss"), list(networks()))
def test_of_networks_of_many_kinds(name, loss):
    require_right(loss, *learned(loss))


@pytest.mark.parametrize("names", [("h", "c"), (None, None)])
def test_the_recurrence_of_a_loop_of_ones_own_is_found_whoever_wrote_it(names):
    def derivation(T):
        rng = np.random.default_rng(0)
        xs = tl.tensor(rng.normal(size=(T, 2, 3)), name="xs")
        W_f, W_g = (tl.tensor(rng.normal(size=(7, 4)), requires_grad=True, name=name) for name in ("W_f", "W_g"))
        h = c = tl.tensor(np.zeros((2, 4)))
        for t in range(T):
            z = tl.concat([h, xs[t]], axis=-1)
            c = tl.sigmoid(z @ W_f) * c + tl.tanh(z @ W_g)
            h = tl.tanh(c)
            h.name, c.name = names
        loss = (h * h).sum()
        require_right(loss, W_f, W_g)
        return tl.derive(loss, W_f)

    short, long = derivation(5), derivation(20)
    assert len(short.lines) == len(long.lines) <= 6
    assert "Σ_t" in str(long.lines[-1].equation)


def test_in_latex_and_in_html():
    loss = small_loss("lstm", 3)
    derivation = tl.derive(loss, parameter(loss, "output_gate.bias"))
    require_balanced(derivation.latex)
    assert r"\frac{\partial L}{\partial b_{o}} = \sum_{t} \delta_{o,t}" in derivation.latex
    tree = ElementTree.fromstring(f"<div>{derivation.mathml}</div>")
    assert len(tree.findall(".//li")) == len(derivation.lines)
    assert derivation._repr_html_() == derivation.mathml
    assert derivation._repr_latex_() == f"$${derivation.latex}$$"
    assert repr(derivation) == str(derivation)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
@settings(max_examples=20)
def test_names_are_never_markup(name):
    x = tl.tensor([1.0, 2.0], requires_grad=True, name=name)
    derivation = tl.derive((tl.tanh(x) * x).sum(), x)
    require_balanced(derivation.latex)
    ElementTree.fromstring(f"<div>{derivation.mathml}</div>")


x = tl.tensor([1.0, 2.0], requires_grad=True, name="x")


@pytest.mark.parametrize(
    ("loss", "wrt", "error", "said"),
    [
        (3, x, TypeError, r"derive takes tensors, as in tl.derive\(loss, wrt=W\); loss is 3"),
        (x.sum(), "W", TypeError, "wrt is 'W'"),
        (x * 2, x, ValueError, r"derive takes a loss of one number, not one of shape \(2,\); a sum of it is one"),
        (x.sum(), tl.tensor(1.0, name="u"), ValueError, "requires no gradient; make it with requires_grad=True"),
        (x.sum(), tl.tensor(1.0, requires_grad=True, name="u"), ValueError, "no path leads from"),
    ],
)
def test_what_cannot_be_derived_is_said(loss, wrt, error, said):
    with pytest.raises(error, match=said):
        tl.derive(loss, wrt)


@pytest.mark.parametrize("rule", [lambda g, y, x: (np.asarray(g) * 2,), lambda g, y, x: (g[:1, None, None],)])
def test_a_rule_that_cannot_be_read_is_named(rule):
    opaque = tl.primitive("opaque", lambda x: x * 2, rule)
    with pytest.raises(tl.UnknownToReader, match="the rule of opaque"):
        tl.derive(opaque(x).sum(), x)


def test_a_users_own_operation_is_derived_like_ours():
    bump = tl.primitive("bump", lambda x: np.exp(-x * x), lambda g, y, x: (-2 * g * x * y,), kind="activation")
    W = tl.tensor([[1.0, 2.0], [0.5, -1.0]], requires_grad=True, name="W")
    loss = (bump(x @ W) ** 2).sum()
    assert "bump(x W)" in str(tl.derive(loss, W))
    require_right(loss, W)


def test_no_name_of_a_cell_a_gate_or_a_layer_is_known_here():
    """What formulas and derivations say of a network they know from its graph."""
    from pathlib import Path

    import tinygrad_lstm.symbolic as room

    own = "lstm gru rnn peephole gate forget candidate hidden cell linear embedding attention".split()  # noqa: SIM905
    words = re.compile(rf"\b\w*(?:{'|'.join(own)})\w*\b", re.IGNORECASE)
    files = list(Path(room.__file__).parent.rglob("*.py"))
    assert len(files) > 10
    for file in files:
        code = re.sub(r'"""[\s\S]*?"""|#.*|tinygrad.lstm', "", file.read_text(encoding="utf-8"))
        assert not words.findall(code), file


def test_what_nobody_named_is_told_to_be_given():
    x, w = tl.tensor(np.ones((3, 2)), name="x"), tl.tensor(np.eye(2), requires_grad=True, name="w")
    h = tl.zeros(2)
    for t in range(3):
        h = tl.where(np.array([True, t > 1]), tl.tanh(x[t] + h @ w), h) * float(t + 1)
    said = str(tl.derive(h.sum(), wrt=w)).splitlines()
    assert {line for line in said if ": given" in line} == {
        "y⁽¹⁾_t: given at each step, 2",
        "y⁽²⁾_t: given at each step, a number",
    }
    assert "given" not in str(tl.derive(tl.tanh(x @ w).sum(), wrt=w))

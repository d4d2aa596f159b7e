"""What the rules of well-known networks look like: as a textbook has them."""

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.nn.samples import small_loss
from tinygrad_lstm.symbolic import Symbols, equation

RNN = """
x₁ = xs[1]                        | ∂L/∂xs[1] += ∂L/∂x₁
y = [h₀, x₁]                      | ∂L/∂h₀ += (∂L/∂[h₀, x₁])[0:2]; ∂L/∂x₁ += (∂L/∂[h₀, x₁])[2:4]
y = [h₀, x₁] W_h                  | ∂L/∂[h₀, x₁] += δ_h₁ W_hᵀ; ∂L/∂W_h += [h₀, x₁]ᵀ δ_h₁
a_h₁ = [h₀, x₁] W_h + b_h         | ∂L/∂([h₀, x₁] W_h) += δ_h₁; ∂L/∂b_h += δ_h₁
h₁ = tanh([h₀, x₁] W_h + b_h)     | δ_h₁ += ∂L/∂h₁ ⊙ (1 − h₁²)
"""

LSTM = """
y = [h₀, x₁] W_f                  | ∂L/∂[h₀, x₁] += δ_f₁ W_fᵀ; ∂L/∂W_f += [h₀, x₁]ᵀ δ_f₁
f₁ = σ([h₀, x₁] W_f + b_f)        | δ_f₁ += ∂L/∂f₁ ⊙ f₁ ⊙ (1 − f₁)
g₁ = tanh([h₀, x₁] W_g + b_g)     | δ_g₁ += ∂L/∂g₁ ⊙ (1 − g₁²)
y = f₁ ⊙ c₀                       | ∂L/∂f₁ += ∂L/∂c₁ ⊙ c₀; ∂L/∂c₀ += ∂L/∂c₁ ⊙ f₁
c₁ = f₁ ⊙ c₀ + i₁ ⊙ g₁            | ∂L/∂(f₁ ⊙ c₀) += ∂L/∂c₁; ∂L/∂(i₁ ⊙ g₁) += ∂L/∂c₁
y = tanh(c₁)                      | ∂L/∂c₁ += ∂L/∂tanh(c₁) ⊙ (1 − tanh²(c₁))
h₁ = o₁ ⊙ tanh(c₁)                | ∂L/∂o₁ += ∂L/∂h₁ ⊙ tanh(c₁); ∂L/∂tanh(c₁) += ∂L/∂h₁ ⊙ o₁
"""

GRU = """
y = r₁ ⊙ h₀                       | ∂L/∂r₁ += ∂L/∂(r₁ ⊙ h₀) ⊙ h₀; ∂L/∂h₀ += ∂L/∂(r₁ ⊙ h₀) ⊙ r₁
y = [r₁ ⊙ h₀, x₁] W_g             | ∂L/∂[r₁ ⊙ h₀, x₁] += δ_g₁ W_gᵀ; ∂L/∂W_g += [r₁ ⊙ h₀, x₁]ᵀ δ_g₁
g₁ = tanh([r₁ ⊙ h₀, x₁] W_g + b_g) | δ_g₁ += ∂L/∂g₁ ⊙ (1 − g₁²)
y = (1 − z₁) ⊙ h₀                 | ∂L/∂(1 − z₁) += ∂L/∂h₁ ⊙ h₀; ∂L/∂h₀ += ∂L/∂h₁ ⊙ (1 − z₁)
h₁ = (1 − z₁) ⊙ h₀ + z₁ ⊙ g₁      | ∂L/∂((1 − z₁) ⊙ h₀) += ∂L/∂h₁; ∂L/∂(z₁ ⊙ g₁) += ∂L/∂h₁
"""

PEEPHOLE = """
o₁ = σ([c₁, h₀, x₁] W_o + b_o)    | δ_o₁ += ∂L/∂o₁ ⊙ o₁ ⊙ (1 − o₁)
"""

ATTENTION = """
a_A = Q Kᵀ / 1.732                | ∂L/∂(Q Kᵀ) += δ_A / 1.732
A = softmax(Q Kᵀ / 1.732)          | δ_A += A ⊙ (∂L/∂A − Σ₋₁(∂L/∂A ⊙ A))
y = Q Kᵀ                          | ∂L/∂Q += ∂L/∂(Q Kᵀ) K; ∂L/∂Kᵀ += Qᵀ ∂L/∂(Q Kᵀ)
C = A V                           | ∂L/∂A += ∂L/∂C Vᵀ; ∂L/∂V += Aᵀ ∂L/∂C
"""

BATCH = """
z₁ = σ([h₀, x₁] W_z + b_z)        | δ_z₁ += ∂L/∂z₁ ⊙ z₁ ⊙ (1 − z₁)
y = [h₀, x₁]                      | ∂L/∂h₀ += (∂L/∂[h₀, x₁])[:, 0:4]; ∂L/∂x₁ += (∂L/∂[h₀, x₁])[:, 4:7]
y = [h₀, x₁] W_z                  | ∂L/∂[h₀, x₁] += δ_z₁ W_zᵀ; ∂L/∂W_z += [h₀, x₁]ᵀ δ_z₁
a_z₁ = [h₀, x₁] W_z + b_z         | ∂L/∂([h₀, x₁] W_z) += δ_z₁; ∂L/∂b_z += Σ₀ δ_z₁
y = h₀ W_u                        | ∂L/∂h₀ += ∂L/∂u₁ W_uᵀ; ∂L/∂W_u += h₀ᵀ ∂L/∂u₁
y = r₁ ⊙ u₁                       | ∂L/∂r₁ += δ_g₁ ⊙ u₁; ∂L/∂u₁ += δ_g₁ ⊙ r₁
a_g₁ = x₁ W_g + b_g + r₁ ⊙ u₁     | ∂L/∂(x₁ W_g + b_g) += δ_g₁; ∂L/∂(r₁ ⊙ u₁) += δ_g₁
"""


def attention():
    rng = np.random.default_rng(0)
    Q, K, V = (tl.tensor(rng.normal(size=(4, 3)), requires_grad=True, name=name) for name in "QKV")
    A = tl.softmax(Q @ K.T / np.sqrt(3))
    A.name = "A"
    C = A @ V
    C.name = "C"
    return C.sum()


def batch():
    output, _ = tl.GRU(3, 4, rng=0)(tl.tensor(np.ones((2, 5, 3)), name="xs"))
    return output.sum()


NETWORKS = {
    "rnn": (lambda: small_loss("rnn", 2), RNN),
    "lstm": (lambda: small_loss("lstm", 2), LSTM),
    "gru": (lambda: small_loss("gru", 2), GRU),
    "peephole": (lambda: small_loss("peephole", 2), PEEPHOLE),
    "attention": (attention, ATTENTION),
    "gru with a batch": (batch, BATCH),
}


def rules_of(loss):
    symbols = Symbols(tl.Graph(loss).nodes)
    for node in symbols.nodes:
        if node.primitive is not None:
            yield equation(node, symbols), "; ".join(str(tl.formula(node, loss, width=1000)).splitlines())


@pytest.mark.parametrize("name", NETWORKS)
def test_the_rules_of_a_network(name):
    make, golden = NETWORKS[name]
    written = dict(rules_of(make()))
    for line in golden.strip().splitlines():
        left, right = map(str.strip, line.split("|"))
        assert written[left] == right


def test_parameters_of_the_same_use_are_told_apart():
    output, _ = tl.LSTM(2, 3, num_layers=2, rng=0)(tl.tensor(np.ones((2, 1, 2)), name="xs"))
    written = " ".join(f"{left} {right}" for left, right in rules_of(output.sum()))
    assert "f₁ = σ([h₀, x₁] W⁽¹⁾_f + b⁽¹⁾_f)" in written
    assert "f₁ = σ([h₀, h₁] W⁽²⁾_f + b⁽²⁾_f)" in written


def test_a_matrix_for_each_of_what_is_multiplied_is_told_by_it():
    class Split(tl.nn.Cell):
        def __init__(self):
            super().__init__(2, 3)
            self.from_x, self.from_h = tl.Linear(2, 3, rng=0), tl.Linear(3, 3, rng=0)

        def forward(self, x, h):
            a = tl.tanh(self.from_x(x) + self.from_h(h))
            a.name = "h"
            return a

    output, _ = tl.nn.Recurrent(Split())(tl.tensor(np.ones((2, 1, 2)), name="xs"))
    assert "h₁ = tanh(x₁ W_xh + b⁽¹⁾_h + h₀ W_hh + b⁽²⁾_h)" in dict(rules_of(output.sum()))


def test_a_weight_is_called_so_whatever_its_gate_is_called():
    """By the name of what is computed with it; nobody looks at what the module is called."""

    class Odd(tl.nn.Cell):
        def __init__(self):
            super().__init__(2, 3)
            self.banana = tl.Linear(5, 3, rng=0)

        def forward(self, x, h):
            k = tl.sigmoid(self.banana(tl.concat([h, x], axis=-1)))
            k.name = "k"
            return k * h

    output, _ = tl.nn.Recurrent(Odd())(tl.tensor(np.ones((2, 1, 2)), name="xs"))
    assert "k₁ = σ([h₀, x₁] W_k + b_k)" in dict(rules_of(output.sum()))


def test_what_has_no_name_and_is_long_has_a_letter():
    x = tl.tensor(np.ones(3), requires_grad=True, name="x")
    y = x
    for _ in range(50):
        y = tl.tanh(y) * x
    assert equation(y) == "y = a ⊙ x"
    assert str(tl.formula(y)) == "∂L/∂a += ∂L/∂y ⊙ x\n∂L/∂x += ∂L/∂y ⊙ a"


def test_the_state_before_the_first_step_stands_one_before_it():
    for direction, expected in ((False, "[h₋₁, x₀]"), (True, "[h₃, x₂]")):
        written = " ".join(left for left, _ in rules_of(small_loss("rnn", 3, bidirectional=direction)))
        assert expected in written
        assert "h0" not in written


def test_a_loss_is_a_tensor():
    with pytest.raises(TypeError, match="loss is what was computed of the tensor, or None, not 3"):
        tl.formula(tl.tensor(1.0), 3)


@pytest.mark.parametrize("width", [0, -1, "wide", 2.5])
def test_a_width_is_a_number_of_characters(width):
    with pytest.raises(ValueError, match="width is a whole number of characters, not"):
        tl.formula(tl.tensor(1.0), width=width)

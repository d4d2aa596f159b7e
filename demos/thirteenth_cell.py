"""A thirteenth cell for the atlas: written in a few lines, drawn, proved, and set beside the twelve.

The atlas holds published cells up to the minimal LSTM of 2024. This one is the FastGRNN of Kusupati et al. (2018): one
product with the weights for gate and candidate, and two numbers that say how much of each to take.

    z = σ(s + b_z),  g = tanh(s + b_g)  with  s = [h, x] W
    h′ = (ζ (1 − z) + ν) ⊙ g + z ⊙ h

Run it with ``python demos/thirteenth_cell.py``, or put it on the page of the atlas, trained as the others were:
``tinygrad-lstm atlas demos/thirteenth_cell.py:FastGRNN --train``. Then write a fourteenth: the SRU of Lei et al. (2018)
keeps c = f ⊙ c + (1 − f) ⊙ x W and shows h = r ⊙ c + (1 − r) ⊙ x, where f and r see x and, number by number, the old c.
"""

import numpy as np

import tinygrad_lstm as tl
from tinygrad_lstm.nn.gate import same
from tinygrad_lstm.studies.atlas.measures import cost


class FastGRNN(tl.nn.Cell):
    """One product with the weights serves gate and candidate, which differ in their biases only."""

    def __init__(self, input_size, hidden_size, *, rng=None, dtype=np.float64):
        super().__init__(input_size, hidden_size, dtype=dtype)
        gate = tl.nn.gates_of(hidden_size, rng, dtype)
        self.shared = gate(hidden_size + input_size, same, "s", None)  # no bias of its own
        self.update_bias = tl.tensor(np.ones(hidden_size), requires_grad=True, dtype=dtype)
        self.candidate_bias = tl.tensor(np.zeros(hidden_size), requires_grad=True, dtype=dtype)
        self.scale = tl.tensor(1.0, requires_grad=True, dtype=dtype)  # the paper's ζ and ν, there kept from 0 to 1
        self.least = tl.tensor(1e-4, requires_grad=True, dtype=dtype)

    def forward(self, x, h):
        s = self.shared(tl.concat([h, x], axis=-1))
        z, g = tl.sigmoid(s + self.update_bias), tl.tanh(s + self.candidate_bias)
        return (self.scale * (1 - z) + self.least) * g + z * h


# Its gradients are proved, those of its two numbers too.
report = tl.testing.check_cell(FastGRNN, steps=3)
assert report.verdict == "PASS"
assert len(report.errors) == 2 + 5

# It costs about as much as a plain RNN, and half of what a UGRNN does.
fast, ugrnn, rnn = (cost(cell(8, 16, rng=0)) for cell in (FastGRNN, tl.nn.atlas.UGRNNCell, tl.RNNCell))
assert rnn.parameters < fast.parameters < rnn.parameters + 20
assert fast.multiplications < 0.6 * ugrnn.multiplications

# And it is drawn as it computes, without being registered anywhere.
output, h_n = tl.nn.Recurrent(FastGRNN(2, 2, rng=0))(np.ones((3, 2)))
picture = tl.draw(h_n.sum(), "gates", steps=(1, 2))

if __name__ == "__main__":
    print(f"proved: {len(report.errors)} gradients; {fast.parameters} parameters, a UGRNN has {ugrnn.parameters}")
    print(f"drawn:  {picture.save('thirteenth.svg')}")

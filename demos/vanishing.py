"""Vanishing: why a plain RNN forgets the beginning of a long sentence.

"I grew up in France ... I speak fluent" needs its fifth word at the end (Olah's example). The loss below asks only
about the last state, so each step's gradient says how much that step can still learn from it. Run this file, or draw
it with
``tinygrad-lstm draw demos/vanishing.py:loss --view cells --color gradient``.
"""

import numpy as np

import tinygrad_lstm as tl

SENTENCE = ("I", "grew", "up", "in", "France", "and", "so", "of", "course", "I", "speak", "fluent")

# An RNN reads the sentence word by word, each word as three random numbers.
rng = np.random.default_rng(0)
cell = tl.RNNCell(3, 3, rng=rng)
hidden = [tl.tensor(np.zeros(3), name="h0")]
for t, word in enumerate(SENTENCE):
    with tl.time_step(t):
        hidden.append(cell(tl.tensor(rng.normal(size=3), name=word), hidden[-1]))

loss = (hidden[-1] * hidden[-1]).sum()
loss.name = "L"

# The gradient of each state is the next one's, times one more Jacobian: it shrinks at (almost) every step.
norms = [float(np.linalg.norm(gradient.value)) for gradient in tl.grad(loss, hidden[1:])]
assert norms[0] < 1e-3 * norms[-1]

if __name__ == "__main__":
    for word, norm in zip(SENTENCE, norms, strict=True):
        print(f"{word:>8}  {norm:.1e}")

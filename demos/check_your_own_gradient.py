"""Check your own gradient: an operation with a subtle mistake is caught, shrunk, blamed and drawn; then it is right.

RMS norm divides each row by its root mean square, so that a recurrent state neither dies out nor explodes. Its rule
below forgets one thing; training with it would go on, a little worse. Run this file: it prints what the checks say, and
leaves ``wrong_rule.svg``, ``wrong.svg`` and ``right.svg`` where you are.
"""

from pathlib import Path

import numpy as np

import tinygrad_lstm as tl
from tinygrad_lstm.testing import (
    GradientError,
    NothingCheckedError,
    assert_detects,
    check_cell,
    check_op,
    explain,
    taylor_test,
)


def rms(x):
    return ((x * x).mean(axis=-1, keepdims=True)) ** 0.5


# An operation is a forward and a rule: what it gives to each input, from the gradient g of its result y.
def forward(x):
    return x / rms(x)


def first_try(g, y, x):
    return ((g - y * (g * y).sum(axis=-1, keepdims=True)) / rms(x),)


def rule(g, y, x):
    return ((g - y * (g * y).mean(axis=-1, keepdims=True)) / rms(x),)


class NormedCell(tl.nn.Cell):
    """h' = tanh(rms_norm(W[h, x])): an RNN cell whose layer is normalised first."""

    def __init__(self, input_size, hidden_size, rng=None, dtype=np.float64):
        super().__init__(input_size, hidden_size, dtype=dtype)
        self.layer = tl.Linear(hidden_size + input_size, hidden_size, rng=rng)

    def forward(self, x, h):
        return tl.tanh(rms_norm(self.layer(tl.concat([h, x], axis=-1))))


numbers = np.random.default_rng(0).normal(size=(2, 3))

print("1. The first try, in a cell:\n")
rms_norm = tl.primitive("rms_norm", forward, first_try)
try:
    check_cell(NormedCell, steps=1)
except GradientError as error:
    caught = error.failure
print(explain(caught, Path("wrong_rule.svg")))
assert "the rule of rms_norm is wrong" in caught.message

print("\n2. A row of one number is ±1, whatever it is. It has no gradient, and the check says so instead of passing:\n")
try:
    check_op(rms_norm, [0.5])
except NothingCheckedError as error:
    print(error)
assert caught.smallest.leaf.shape == (2,)

print("\n3. What is left of a Taylor step, once the gradient's share is taken away, vanishes too slowly (wrong.svg):\n")
wrong = taylor_test(rms_norm, [0.5, -1.0, 2.0])
Path("wrong.svg").write_text(wrong.svg(), encoding="utf-8")
print(f"order {wrong.order:.2f}")

print("\n4. Each number of a row bears 1/N of what it has in common: a mean, not a sum. Now it is right (right.svg):\n")
rms_norm = tl.primitive("rms_norm", forward, rule)
print(check_op(rms_norm))
print(check_cell(NormedCell))
right = taylor_test(rms_norm, [0.5, -1.0, 2.0])
Path("right.svg").write_text(right.svg(), encoding="utf-8")
print(f"order {right.order:.2f}")
assert (round(wrong.order), round(right.order)) == (1, 3)

print("\n5. A test to keep, for the day that somebody makes it faster: the check would catch the mistake.\n")
print(assert_detects(rms_norm, first_try, [0.5, -1.0]))

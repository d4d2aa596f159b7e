"""Networks whose weights a person sets: an RNN and an LSTM that solve temporal order over any gap, without learning.

The task is 6a of Hochreiter & Schmidhuber (1997): among distractors stand two symbols that are X or Y; which of
XX, XY, YX, YY it was is asked at the end. What must be known is one of seven things (nothing yet, X, Y, and the four
answers), and four latches hold it:

    A  the first was X        A′ = A or (X and not B)
    B  the first was Y        B′ = B or (Y and not A)
    C  the second was X       C′ = C or (X and (A or B))
    D  the second was Y       D′ = D or (Y and (A or B))

Each line is a threshold: a weighted sum of zeros and ones that is ½ above or ½ below the bound, or farther away.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..engine.primitive import Array
from ..nn import Linear, LSTMCell, RNNCell


class Latches(NamedTuple):
    """The four lines above as numbers: ``on[p, q]`` is what latch p, being on, adds to latch q."""

    on: Array  # (4, 4)
    seen: Array  # (2, 4): what X and Y add
    bound: Array  # (4,)


A, B, C, D = range(4)


def latches() -> Latches:
    """Return the thresholds of A, B, C and D.

    A: 3 A − B + X > ½; the others alike. Nothing that can happen brings a sum nearer to its bound than ½.

    >>> latches().bound.tolist()
    [0.5, 0.5, 1.5, 1.5]
    """
    on = np.zeros((4, 4))
    on[A, A] = on[B, B] = 3
    on[A, B] = on[B, A] = -1
    on[[A, A, B, B], [C, D, C, D]] = 1
    on[C, C] = on[D, D] = 2
    seen = np.zeros((2, 4))
    seen[0, [A, C]] = seen[1, [B, D]] = 1
    return Latches(on, seen, np.array([0.5, 0.5, 1.5, 1.5]))


def by_hand_rnn(symbols: int, start: int, x: int, y: int, *, gain: float) -> RNNCell:
    """Return a tanh RNN with H = 4 whose units are the four latches: 1 is on, −1 is off.

    Arguments:
        symbols: D, how many symbols there are; the inputs are one-hot.
        start: the one that every sequence begins with, E: it turns all four off.
        x, y: which of them are X and Y.
        gain: what every weight is multiplied by. The surer the latches, the flatter is tanh where they stand: with 40 a
            unit is ±1 to the last bit, the answer is the same over any gap, and every gradient is exactly 0.

    Source: Y. Bengio, P. Simard & P. Frasconi, "Learning Long-Term Dependencies with Gradient Descent is Difficult"
    (1994): what latches information robustly has a Jacobian below 1.

    >>> by_hand_rnn(8, 6, 4, 5, gain=40.0)
    RNNCell(8 → 4)
    """
    on, seen, bound = latches()
    cell = RNNCell(symbols, 4, rng=0)
    weight = np.zeros((4 + symbols, 4))
    weight[:4] = on / 2  # h is ±1 where A is 0 or 1
    weight[4 + np.array([x, y])] = seen
    weight[4 + start] = -on.sum(0)  # whatever was on: at least ½ below the bound
    cell.layer.weight.value = gain * weight
    assert cell.layer.bias is not None
    cell.layer.bias.value = gain * (on.sum(0) / 2 - bound)
    return cell


def by_hand_lstm(symbols: int, x: int, y: int, *, gain: float) -> LSTMCell:
    """Return an LSTM with H = 4 whose memory is the four latches: f = 1 always, i opened once for each that is on.

    A latch that is on shows h = tanh(1); its input gate opens where the threshold is passed and it was off. All are off
    in the zero state. Arguments are those of ``by_hand_rnn``. A closed gate lets 1 / (1 + e^gain) through each step.

    >>> by_hand_lstm(8, 4, 5, gain=40.0)
    LSTMCell(8 → 4)
    """
    on, seen, bound = latches()
    cell = LSTMCell(symbols, 4, rng=0)
    opens = np.zeros((4 + symbols, 4))
    opens[:4] = on
    opens[range(4), range(4)] = opens[[C, D], [D, C]] = -2  # what is written stays: i is closed from then on
    opens[:4] /= np.tanh(1.0)
    opens[4 + np.array([x, y])] = seen
    for gate, weight, bias in (
        (cell.forget_gate, None, np.ones(4)),
        (cell.input_gate, opens, -bound),
        (cell.candidate, None, np.ones(4)),
        (cell.output_gate, None, np.ones(4)),
    ):
        gate.weight.value = np.zeros_like(opens) if weight is None else 2 * gain * weight  # σ is tanh of half
        assert gate.bias is not None
        gate.bias.value = 2 * gain * bias
    return cell


def by_hand_head(*, on: float, off: float, gain: float) -> Linear:
    """Return the head that reads XX, XY, YX, YY, in this order, from latches that show ``on`` or ``off``.

    Of the two latches that each answer wants, the right one has both: its score is ``gain`` above the next.

    >>> by_hand_head(on=1.0, off=-1.0, gain=10.0)
    Linear(4 → 4)
    """
    wants = np.zeros((4, 4))
    for answer, pair in enumerate(((A, C), (A, D), (B, C), (B, D))):
        wants[list(pair), answer] = 1.0
    head = Linear(4, 4, rng=0)
    head.weight.value = gain * wants / (on - off)
    assert head.bias is not None
    head.bias.value = -2 * gain * off / (on - off) * np.ones(4)
    return head

"""Terms: the words of the field that pages and the terminal use, each explained in a sentence to somebody new."""

from __future__ import annotations

from .saturation import SATURATED

TERMS: dict[str, str] = {
    "loss": "The one number, called L, of which every gradient here is one: as a rule, how wrong the network is.",
    "gradient": "Number by number, how fast the loss grows when that number does; as many numbers as what it is of.",
    "upstream": "The gradient at the result of an operation; its rule turns that into contributions to its inputs.",
    "contribution": "What one use of a tensor adds to its gradient: the upstream gradient times the slope of that use.",
    "accumulator": "Where the contributions to one gradient are added up, as they arrive.",
    "ledger": "All contributions to one gradient, in the order in which they arrive.",
    "rule": "What an operation knows about going back: from the gradient of its result, what each input is sent.",
    "slope": "How fast a result grows when its input does: the derivative of this one operation alone.",
    "seed": "The gradient with which the walk back begins: of the loss with respect to itself, which is 1.",
    "leaf": "A tensor that nothing computed: a weight, an input or a first state.",
    "norm": "The length of an array as one arrow, written ‖·‖: the root of the sum of its squares.",
    "broadcast": "Using a small array again for each row of a larger one; on the way back the copies are added up.",
    "saturated": f"Within {SATURATED:.0%} of an end of its range, where the slope is nearly 0 and little error passes.",
    "δ": "The gradient of what an activation is given, before it squashes it.",
    "gate": "Numbers between 0 and 1, one a unit, that are multiplied with something: how much of it is let through.",
    "cell state": "The memory c of an LSTM: from step to step it is only multiplied by a gate and added to.",
    "hidden state": "What a cell tells the rest of the network at each step, and itself at the next: h.",
    "unit": "One coordinate of the state: its own number at every step.",
    "vanishing": "Becoming smaller by a factor at every step back, so that far steps are as good as not heard.",
    "nat": "The unit of a loss of natural logarithms: guessing one of two alike costs ln 2 = 0.69 of it.",
    "logit": "A score before softmax or σ makes a probability of it.",
    "event": "One thing that happens in this walk: a number computed, the seed, or one contribution added.",
}
"""What each term means. A plural means the same."""


def explained(word: str) -> str | None:
    """Return what a term means, also in the plural; None for a word that is none of them.

    >>> explained("Leaf")
    'A tensor that nothing computed: a weight, an input or a first state.'
    >>> explained("nats") == explained("nat"), explained("banana")
    (True, None)
    """
    lower = word.lower()
    return TERMS.get(lower) or TERMS.get(lower.removesuffix("s"))

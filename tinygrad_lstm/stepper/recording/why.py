"""Why an event happens: sentences with places for names and counts, each with what must hold there.

Python says them of what was recorded. A page says the same sentences of what it computes, where a number may have been
changed meanwhile: so what holds is found where the numbers are, and the words stand here alone.
"""

from __future__ import annotations

from typing import NamedTuple


class Because(NamedTuple):
    """A sentence, and the conditions under which it is said: words of ``WHEN``."""

    needs: tuple[str, ...]
    sentence: str


WHEN = {
    "forward": "the program runs forward",
    "seed": "the walk back begins",
    "held": "what is computed here was held fixed, or the use was cut",
    "blocked": "the upstream gradient has numbers that are not 0, the contribution has none",
    "summed": "the contribution is a sum over numbers that were repeated",
    "again": "one leaf is used once in each of several time steps",
    "within": "it is used several times, always by this operation",
    "many": "it is used more than once",
    "complete": "this is the last contribution",
    "leaf": "it was not computed, so it has no rule",
}
"""The conditions, by the words for them."""

_USED = (
    Because(("many", "again"), "The same {name} is used at {expected} steps"),
    Because(("many", "within"), "{name} is used {expected} times here"),
    Because(("many",), "{name} is used in {expected} places"),
)
_PARTS = ", so ∂L/∂{name} has {expected} parts, which are added (+=); this is number {arrived}, and "
_REST = (
    Because(("complete",), "it is complete."),
    Because(("leaf",), "{left} to come."),
    Because((), "{left} to come before its own rule applies."),
)

WHY = (
    Because(("forward",), "The program runs forward; each number is kept, for the rules will need it on the way back."),
    Because(
        ("seed",),
        "The walk begins here: ∂L/∂L = 1, or what was given as the seed; all gradients are multiples of it.",
    ),
    Because(("held",), "Nothing comes by here: what is held fixed passes no error on."),
    Because(("blocked",), "Nothing passes: the slope of {operation} to {name} is 0 for all that came in here."),
    Because(
        ("summed",),
        "{name} was used once for each of {rows} numbers beside it, so its gradient is the sum over them.",
    ),
    *(Because((*used.needs, *rest.needs), used.sentence + _PARTS + rest.sentence) for used in _USED for rest in _REST),
    Because((), "{name} is used here alone, so ∂L/∂{name} is what comes from above times the slope of {operation}."),
)
"""The sentences, of which the first is said whose conditions all hold."""


def why(holds: set[str], places: dict[str, object]) -> str:
    """Return the sentence for what holds, with what stands in its places.

    >>> why({"blocked"}, {"operation": "relu", "name": "x"})
    'Nothing passes: the slope of relu to x is 0 for all that came in here.'
    """
    return next(reason.sentence for reason in WHY if holds.issuperset(reason.needs)).format_map(places)

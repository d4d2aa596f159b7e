"""Why an event happens: sentences with places for names and counts, each with what must hold there.

Python says them of what was recorded. A page says the same sentences of what it computes, where a number may have been
changed meanwhile: so what holds is found where the numbers are, and the words stand here alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Because(NamedTuple):
    """A sentence, and the conditions under which it is said: words of ``WHEN``."""

    needs: tuple[str, ...]
    sentence: str


WHEN = {
    "forward": "the program runs forward",
    "fixed": "what is computed was held at a number",
    "broken": "what is computed has numbers that are not finite, and no operand has",
    "cut": "it was detached from what computed it",
    "unasked": "it is given, and its gradient is not asked for",
    "seed": "the walk back begins",
    "held": "what is computed here was held fixed, or the use was cut",
    "blocked": "the upstream gradient has numbers that are not 0, the contribution has none",
    "silent": "the upstream gradient has no number that is not 0",
    "nil": "the other factor is 0 everywhere",
    "summed": "the contribution is a sum over numbers that were repeated",
    "again": "one leaf is used once in each of several time steps",
    "within": "it is used several times, always by this operation",
    "many": "it is used more than once",
    "complete": "this is the last contribution",
    "leaf": "it was not computed, so it has no rule",
    "gate": "the other factor lies between 0 and 1, whatever it is computed of",
    "product": "it is one of two factors",
    "same": "the contribution is the upstream gradient, number by number",
    "saturated": "all that is computed here lies near an end of its range",
    "last": "the walk ends here",
    "detached": "a tensor of this graph was detached from what computed it",
    "fading": "the gradient is smaller at the first step than at the last",
    "shut": "the gate that a later step multiplies the state by is not open further than what is left says",
    "around": "more than twice as much is left as that gate lets pass",
    "finite": "the norm of all gradients of leaves together is a number, and not 0",
}
"""The conditions, by the words for them."""

_USED = (
    Because(("many", "again"), "The same {name} is used at {expected} steps"),
    Because(("many", "within"), "{name} is used {expected} times here"),
    Because(("many",), "{name} is used in {expected} places"),
)
_PARTS = ", so {gradient} has {expected} parts, which are added (+=); this is number {arrived}, and "
_REST = (
    Because(("complete",), "it is complete."),
    Because(("leaf",), "{left} to come."),
    Because((), "{left} to come before its own rule applies."),
)

_REASON = (
    Because(("forward", "fixed"), "{name} is held at {value} here, whatever comes in."),
    Because(
        ("forward", "broken"),
        "Here the first numbers appear that are not finite (NaN or ∞): {operation} made them of finite ones.",
    ),
    Because(
        ("forward", "cut"),
        "{name} was detached: its numbers are used, but no error goes back past it, so what made it is not taught.",
    ),
    Because(("forward", "unasked"), "{name} is given, not learned: no gradient is sent to it, and its .grad is None."),
    Because(("forward", "leaf"), "{name} is given and can be learned: here the walk back will end, with its gradient."),
    Because(("forward",), "The program runs forward; each number is kept, for the rules will need it on the way back."),
    Because(
        ("seed",),
        "The walk begins here: ∂L/∂L = 1, or what was given as the seed; all gradients are multiples of it.",
    ),
    Because(("held",), "Nothing comes by here: what is held fixed passes no error on."),
    Because(("blocked", "nil"), "Nothing passes: {name} was multiplied by {other}, which is 0 here."),
    Because(
        ("blocked",),
        "Nothing passes: the slope of {operation} to {name} is 0 for all that came in here, so what is before it is "
        "not taught.",
    ),
    Because(
        ("summed",),
        "Each number of {name} was used {rows} times at once, as by every row of a batch: {gradient} is the sum of "
        "all {rows} parts.",
    ),
    *(
        Because((*used.needs, *rest.needs), used.sentence + _PARTS + rest.sentence)
        for used in _USED
        for rest in _REST
        if rest.needs or "again" not in used.needs  # which leaves alone are
    ),
    Because((), "{name} is used here alone, so {gradient} is what comes from above times the slope of {operation}."),
)

_SLOPE = (
    Because(("forward",), ""),
    Because(("seed",), ""),
    Because(("held",), ""),
    Because(("blocked",), ""),
    Because(("silent",), "What comes from above is 0 here already, so this part is 0 too."),
    Because(
        ("gate",),
        "{other} is a gate, open {open} % on average: that share of {name} went forward, that share of the error "
        "comes back.",
    ),
    Because(("product",), "In a product the slope to one factor is the other: here {other}."),
    Because(("same",), "The slope is 1 here: what comes from above is handed on as it is."),
    Because(
        ("saturated",),
        "What {operation} computed is saturated: nearly flat there, it lets {left_over} % of what comes from above "
        "pass.",
    ),
    Because((), ""),
)

_END = (
    Because(
        ("last", "detached"),
        "The walk ends: no error went further back than {first}, where a detached state begins, and no weight got a "
        "part from the steps before.",
    ),
    Because(
        ("last",),
        "The walk ends: backward() adds each gradient to its .grad, so a second call makes that twice as much, until "
        "zero_grad() clears it.",
    ),
    Because((), ""),
)

_STEP = (
    Because(
        ("last", "finite"),
        "All gradients together have norm {norm}; clipped to {half}, each number is halved: a step half as long, in "
        "the same direction.",
    ),
    Because((), ""),
)

HERE, ENDING = (_REASON, _SLOPE), (_END, _STEP)
"""Sentences of an event, and of the end; of each group the first is said whose conditions all hold."""


FELT = (
    (
        Because(
            ("fading",),
            "‖∂L/∂{state}‖ falls from {at_late} at t = {late} to {at_early} at t = {early}: {left} % is left, × {rate} "
            "a step.",
        ),
        Because((), "‖∂L/∂{state}‖ is {at_late} at t = {late} and {at_early} at t = {early}: × {rate} a step back."),
    ),
    (
        Because(
            ("fading", "shut", "around"),
            "Most is lost from t = {after} to t = {before}, × {factor}: there {gate}, a gate, is open {open} % on "
            "average, and what is left comes back around it.",
        ),
        Because(
            ("fading", "shut"),
            "Most is lost from t = {after} to t = {before}, × {factor}: there {gate}, a gate, is open {open} % on "
            "average.",
        ),
        Because(("fading",), "Most is lost from t = {after} to t = {before}, × {factor}."),
        Because((), ""),
    ),
)
"""Sentences of how far back the gradient of a state is felt."""


def why(holds: set[str], places: dict[str, object]) -> str:
    """Return the sentences for what holds, with what stands in their places.

    >>> print(why({"blocked"}, {"operation": "relu", "name": "x"}))
    Nothing passes: the slope of relu to x is 0 for all that came in here, so what is before it is not taught.
    """
    return tell((*HERE, *ENDING), holds, places)


def tell(groups: Iterable[Sequence[Because]], holds: set[str], places: dict[str, object]) -> str:
    """Return of each group the first sentence whose conditions all hold, with what stands in the places."""
    said = (next(each.sentence for each in group if holds.issuperset(each.needs)) for group in groups)
    return " ".join(filter(None, said)).format_map(places)

"""Shots: which contributions stand together on one frame, and how many frames a film may have."""

from __future__ import annotations

from itertools import groupby
from typing import NamedTuple

from ...structure.window import Window, shown
from ...structure.words import clean
from ..place import unit
from ..recording.tape import Tape

EVERY = ("gate", "contribution", "cell", "step")
"""What a frame may show; the first unless one says otherwise."""

MOST = 400
"""Frames of a film, at most; chosen: nobody watches for longer at a second each."""


class Shot(NamedTuple):
    """What one frame shows: the events of these numbers, which belong together, and at which time step they are."""

    events: list[int]
    time: int | None


def shots(tape: Tape, every: str = EVERY[0], steps: Window = None) -> list[Shot]:
    """Return the frames of a walk in its order, of the time steps that ``steps`` names as for ``draw``, or of all.

    Raises ValueError, naming what would work, for an unknown ``every``, for time steps that there are not, for a walk
    in which nothing happens, and for more than MOST frames.
    """
    if every not in EVERY:
        raise ValueError(f"unknown every {every!r}; choose {', '.join(map(repr, EVERY[:-1]))} or {EVERY[-1]!r}")
    if len(tape) == tape.start + 1:
        name = clean(tape.graph.ids[tape.graph.output])
        raise ValueError(f"there is nothing to film: {name} was not computed of anything, so no gradient flows back")
    found = _grouped(tape, every, steps)
    if len(found) > MOST:
        raise ValueError(f"the film would have {len(found):,} frames, more than {MOST}; {_instead(tape, every, steps)}")
    return found


def _grouped(tape: Tape, every: str, steps: Window) -> list[Shot]:
    """Put neighbours in the walk together that belong to the same contribution, gate, cell or time step."""
    there = tape.timeline.steps
    window = {None, *there} if steps is None else {None, *shown(there, steps, len(there))}
    of = tape.timeline.of

    def belongs_to(number: int) -> object:
        node = tape.nodes[number]
        if every in ("contribution", "step"):
            return number if every == "contribution" else of.get(node)
        return of.get(node), unit(tape, node, every)

    numbers = (n for n in range(tape.start + 1, len(tape)) if of.get(tape.nodes[n]) in window)
    groups = [list(group) for _, group in groupby(numbers, belongs_to)]
    return [Shot(group, of.get(tape.nodes[group[0]])) for group in groups]


def _instead(tape: Tape, every: str, steps: Window) -> str:
    """Return what would be a film: frames that show more, or fewer time steps."""
    for coarser in ("gate", "cell", "step"):
        count = len(_grouped(tape, coarser, steps))
        if coarser != every and count <= MOST:
            return f"every={coarser!r} makes {count}"
    first, *_, last = tape.timeline.steps
    return f"every='step' with steps=({max(first, last - 3)}, {last + 1}) shows the last four time steps"

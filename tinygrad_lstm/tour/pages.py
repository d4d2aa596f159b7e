"""The pages of a tour: everything that comes from the text is escaped by the templates."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..draw.page import templates
from ..stepper import Stepper
from ..testing.checks import TOLERANCE

if TYPE_CHECKING:
    from .guide import Tour


def index(tour: Tour) -> str:
    return _render(
        "index.html",
        tour=tour,
        blind=math.log(len(tour.corpus.vocabulary)),
        faded=[(name, norms[0] / norms[-1]) for name, norms in tour.norms.items()],
        plotted=len(next(iter(tour.norms.values()))) + 1,
    )


def walk(tour: Tour, stepper: Stepper) -> str:
    first_at: dict[int, int] = {}
    for event in stepper.events:
        if event.time is not None:
            first_at.setdefault(event.time, event.index)
    events = [(event, list(event.facts())) for event in stepper.events]
    return _render("walk.html", tour=tour, events=events, jumps=list(first_at.items()))


def check(tour: Tour) -> str:
    return _render("check.html", tour=tour, tolerance=TOLERANCE)


def _render(name: str, **values: Any) -> str:
    return templates("tinygrad_lstm.tour").get_template(name).render(**values)

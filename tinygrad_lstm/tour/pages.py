"""The pages of a tour: everything that comes from the text is escaped by the templates."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..pages.offline import templates
from ..testing.verdicts import TOLERANCE

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


def check(tour: Tour) -> str:
    return _render("check.html", tour=tour, tolerance=TOLERANCE)


def _render(name: str, **values: Any) -> str:
    return templates("tinygrad_lstm.tour").get_template(name).render(**values)

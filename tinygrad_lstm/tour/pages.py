"""The pages of a tour: everything that comes from the text is escaped by the templates."""

from __future__ import annotations

import math
from typing import Any

from ..nn.named import title_of
from ..pages.offline import templates
from ..testing.objective import TOLERANCE
from .findings import Tour


def index(tour: Tour) -> str:
    """Return the page that tells the tour and links all the others, as HTML."""
    return _render(
        "index.html",
        tour=tour,
        reader=_with_article(title_of(tour.cell)),
        blind=math.log(len(tour.corpus.vocabulary)),
        faded=[(name, norms[0] / norms[-1]) for name, norms in tour.norms.items()],
        plotted=len(next(iter(tour.norms.values()))) + 1,
    )


def _with_article(name: str) -> str:
    """Return an LSTM, an RNN, a GRU: as one says the letters."""
    spelled = name.split()[0].isupper()
    return f"{'an' if name[0] in ('AEFHILMNORSX' if spelled else 'AEIOU') else 'a'} {name}"


def check(tour: Tour) -> str:
    """Return the page with the error of every gradient, as HTML."""
    return _render("check.html", tour=tour, tolerance=TOLERANCE)


def _render(name: str, **values: Any) -> str:
    return templates("tinygrad_lstm.tour").get_template(name).render(**values)

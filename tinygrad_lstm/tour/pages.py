"""The page of the proof: everything that comes from the text is escaped by the template."""

from __future__ import annotations

from typing import Any

from ..pages.offline import templates
from ..testing.objective import TOLERANCE
from .findings import Tour


def check(tour: Tour) -> str:
    """Return the page with the error of every gradient, as HTML."""
    return _render("check.html", tour=tour, tolerance=TOLERANCE)


def _render(name: str, **values: Any) -> str:
    return templates("tinygrad_lstm.tour").get_template(name).render(**values)

"""The page of the atlas: one table to sort, and a card for each cell to set beside others; one file, offline."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...nn.atlas import ATLAS
from ...nn.cell import Cell
from ...pages.offline import offline
from ...pages.plot import Series, log_plot
from ...pages.theme import FADED, ON_PAGES, dark_style
from ...structure.words import superscript
from ..intervals import between
from .measures import STEPS, D, H, picture
from .study import FOUND
from .success import TRIALS, said

ROOM = "tinygrad_lstm.studies.atlas"

EVERY = 3
"""Steps between two points of a curve; chosen: a curve is smooth, and twelve of them on twelve plots stay small."""

UNTRIED = 1e12
"""What a cell that was not tried is sorted by: after all that were."""

LEAST, WIDE, HIGH = 1e-30, 64, 22
"""Of the small curves in the table: the gradient at the bottom, and their size in pixels."""


def page(cells: Sequence[dict[str, Any]], own: Mapping[str, type[Cell[Any]]] | None = None) -> str:
    """Return the page that shows the contents of the atlas, as HTML.

    Arguments:
        cells: what ``contents`` returns.
        own: the classes among them that are not in the atlas, by name.

    >>> from tinygrad_lstm.studies.atlas.contents import contents
    >>> page(contents([], ["gru"]))[:15]
    '<!doctype html>'
    """
    makers: dict[str, Callable[..., Cell[Any]]] = {name: each.make for name, each in ATLAS.items()}
    makers |= own or {}
    values = {
        "cells": [_shown(cell, cells, makers[cell["name"]]) for cell in cells],
        "trials": [(said(trial), trial.budget) for trial in TRIALS],
        "found": FOUND if {*ATLAS} <= {cell["name"] for cell in cells if cell["success"]} else "",
        "own": bool(own),
        "D": D,
        "H": H,
        "steps": STEPS,
        "dark_style": dark_style(),
        "size": (WIDE, HIGH),
    }
    return offline(ROOM, "atlas", ["atlas.js"], values)


def _shown(cell: dict[str, Any], cells: Sequence[dict[str, Any]], make: Callable[..., Cell[Any]]) -> dict[str, Any]:
    image, words = picture(make)
    learned = {(each["task"], each["gap"], each["forget_bias"]): each for each in cell["success"]}
    columns = [_column(learned.get(trial[:3])) for trial in TRIALS]
    return {
        **cell,
        "image": image,
        "words": words,
        "last": cell["gradient"][-1],
        "left": _power(cell["gradient"][-1]),
        "curve": _curve(cell["gradient"]),
        "plot": _plot(cell, cells),
        "columns": columns,
        "learned": [(said(trial), column) for trial, column in zip(TRIALS, columns, strict=True)],
    }


def _column(found: dict[str, Any] | None) -> dict[str, Any]:
    """Return how often a task was learned, in words, and what the column is sorted by: often first, then soon."""
    if found is None:
        return {"words": "—", "detail": "", "order": UNTRIED, "share": 0.0, "sure": ""}
    soon = "" if found["median"] is None else f"{found['median']:,}"
    return {
        "words": f"{found['solved']}/{found['of']}",
        "detail": soon,
        "order": (found["of"] - found["solved"]) * 1e9 + (found["median"] or 0),
        "share": found["solved"] / found["of"],
        "sure": between(found["solved"], found["of"]),
    }


def _power(number: float) -> str:
    """Return a share with one digit, 3·10⁻²⁹; of a gradient that has died 0."""
    digit, _, exponent = f"{number:.0e}".partition("e")
    return f"{digit}·10{superscript(int(exponent))}" if number else "0"


def _curve(gradient: Sequence[float]) -> str:
    """Return the points of a small curve, from the last step on the left to the first on the right."""

    def at(back: int) -> str:
        place = math.log10(min(max(gradient[back], LEAST), 100.0))
        return f"{back / (len(gradient) - 1) * WIDE:.1f},{HIGH * (2 - place) / (2 - math.log10(LEAST)):.1f}"

    return " ".join(map(at, range(0, len(gradient), EVERY)))


def _plot(cell: dict[str, Any], cells: Sequence[dict[str, Any]]) -> str:
    """Draw how much of the gradient is left, over how far back: of one cell before all others."""

    def points(each: dict[str, Any]) -> list[tuple[float, float]]:
        return [(back, left) for back, left in enumerate(each["gradient"]) if back % EVERY == 0]

    others = [Series(points(each), colour=FADED) for each in cells if each is not cell]
    return log_plot(
        [*others, Series(points(cell), cell["title"], colour=ON_PAGES["series0"])],
        title="what is left of the gradient",
        across="steps back",
        upwards="share, before training",
        label=f"{cell['title']}: {len(cell['gradient']) - 1} steps back {_power(cell['gradient'][-1])} of it is left",
        log_across=False,
        size=(340, 220),
        standalone=False,
    )

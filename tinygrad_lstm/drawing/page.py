"""Pages: a picture in one file that needs nothing else, to pan and zoom; and the same picture for a notebook."""

from __future__ import annotations

import re

from ..pages.offline import inline, offline, templates

ROOM = "tinygrad_lstm.drawing"
"""Whose templates the pages are."""

LEAST = 0.5
"""Of its size: the least at which a picture in a notebook can still be read; chosen by eye."""


def page(svg: str, title: str, description: str) -> str:
    """Return the picture as an HTML page to pan and zoom, whose boxes say what they are; it asks no network.

    >>> import tinygrad_lstm as tl
    >>> page(tl.draw(tl.tensor(1.0, name="x") * 2.0).svg, "x", "Twice x.").splitlines()[0]
    '<!doctype html>'
    """
    values = {"title": title, "description": description, "svg": inline(svg)}
    return offline(ROOM, "page", ["map.js", "page.js"], values)


def notebook(svg: str, title: str, width: float, start: tuple[float, float]) -> str:
    """Return the picture as a piece of HTML that fits the width of a cell, and starts where it is said, in shares.

    What would be shrunk below LEAST of its size is shrunk to that, in a box that scrolls. Nothing in it reaches the
    rest of the notebook: the picture's style concerns the picture alone, and its parts have no identifiers, which
    several pictures would share.
    """
    svg = re.sub(r'<g id="[^"]*"', "<g", inline(svg))
    left, top = start
    values = {"left": f"{100 * left:.1f}", "top": f"{100 * top:.1f}", "width": round(width), "least": LEAST}
    template = templates(ROOM).get_template("notebook.html")
    return template.render(values, title=title, svg_from_its_attributes=svg.removeprefix("<svg"))

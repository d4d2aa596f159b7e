"""Pages: a picture in one file that needs nothing else, to pan and zoom; and the same picture for a notebook."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..pages.offline import inline, offline, templates

if TYPE_CHECKING:
    from .picture import Picture

ROOM = "tinygrad_lstm.drawing"
"""Whose templates the pages are."""

LEAST = 0.5
"""Of its size: the least at which a picture in a notebook can still be read; chosen by eye."""


def page(picture: Picture) -> str:
    """Return the picture as an HTML page to pan and zoom, whose boxes say what they are; it asks no network.

    >>> import tinygrad_lstm as tl
    >>> page(tl.draw(tl.tensor(1.0, name="x") * 2.0)).splitlines()[0]
    '<!doctype html>'
    """
    values = {"title": picture.title, "description": picture.description, "svg": inline(picture.svg)}
    return offline(ROOM, "page", ["page.js"], values)


def notebook(picture: Picture) -> str:
    """Return the picture as a piece of HTML that fits the width of a cell, and starts on the first box.

    What would be shrunk below LEAST of its size is shown at its real size instead, in a box that scrolls. Nothing in it
    reaches the rest of the notebook: the picture's style concerns the picture alone, and its parts have no identifiers,
    which several pictures would share.
    """
    svg = re.sub(r'<g id="[^"]*"', "<g", inline(picture.svg))
    left, top = picture.start
    values = {"left": f"{100 * left:.1f}", "top": f"{100 * top:.1f}", "width": round(picture.size[0]), "least": LEAST}
    template = templates(ROOM).get_template("notebook.html")
    return template.render(values, title=picture.title, svg_from_its_attributes=svg.removeprefix("<svg"))

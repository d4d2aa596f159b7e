"""Pages: a picture in one file that needs nothing else, to pan and zoom; and the same picture for a notebook."""

from __future__ import annotations

import re
from typing import Protocol

from ..pages.offline import inline, offline, templates

ROOM = "tinygrad_lstm.drawing"


class Shown(Protocol):
    """What a page asks of a picture."""

    @property
    def title(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def svg(self) -> str: ...


def page(picture: Shown) -> str:
    """The picture as an HTML page to pan and zoom, whose boxes say what they are; it asks the network for nothing.

    >>> import tinygrad_lstm as tl
    >>> page(tl.draw(tl.tensor(1.0, name="x") * 2.0)).splitlines()[0]
    '<!doctype html>'
    """
    values = {"title": picture.title, "description": picture.description, "svg": inline(picture.svg)}
    return offline(ROOM, "page", ["page.js"], values)


def notebook(picture: Shown) -> str:
    """Return the picture as a piece of HTML, at its real size in a box that scrolls.

    Nothing in it reaches the rest of the notebook: the picture's style concerns the picture alone, and its parts have
    no identifiers, which several pictures would share.
    """
    svg = re.sub(r'<g id="[^"]*"', "<g", inline(picture.svg))
    template = templates(ROOM).get_template("notebook.html")
    return template.render(title=picture.title, svg_from_its_attributes=svg.removeprefix("<svg"))

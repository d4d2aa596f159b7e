"""Pages: a picture in one file that needs nothing else, to pan and zoom; and the same picture for a notebook."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from typing import TYPE_CHECKING

from .labels import clean
from .theme import IN_THE_DARK, INK, MUTED, PAPER

if TYPE_CHECKING:
    from jinja2 import Environment

    from .picture import Picture

_COLOURS = {"paper": PAPER, "ink": INK, "muted": MUTED}


def page(picture: Picture) -> str:
    """The picture as an HTML page to pan and zoom, whose boxes say what they are; it asks the network for nothing.

    >>> import tinygrad_lstm as tl
    >>> page(tl.draw(tl.tensor(1.0, name="x") * 2.0)).splitlines()[0]
    '<!doctype html>'
    """
    script = _source("page.js")
    return (
        templates("tinygrad_lstm.draw")
        .get_template("page.html")
        .render(
            title=picture.title,
            description=picture.description,
            svg=_inline(picture.svg),
            colours=_COLOURS,
            dark=IN_THE_DARK,
            style=_source("page.css"),
            script=script,
            script_hash=base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii"),
        )
    )


def notebook(picture: Picture) -> str:
    """The picture as a piece of HTML, at its real size in a box that scrolls.

    Nothing in it reaches the rest of the notebook: the picture's style concerns the picture alone, and its parts have
    no identifiers, which several pictures would share.
    """
    svg = re.sub(r'<g id="[^"]*"', "<g", _inline(picture.svg))
    template = templates("tinygrad_lstm.draw").get_template("notebook.html")
    return template.render(title=picture.title, svg_from_its_attributes=svg.removeprefix("<svg"))


def _inline(svg: str) -> str:
    """Without the XML declaration, which HTML does not know."""
    return svg[svg.index("<svg") :]


@cache
def _source(name: str) -> str:
    """A file as it is, with line ends as a browser counts them for the hash."""
    environment = templates("tinygrad_lstm.draw")
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0].replace("\r\n", "\n")


@cache
def templates(room: str) -> Environment:
    """The templates of a room, which escape everything that is put into them."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader(room),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["clean"] = clean
    return environment

"""Pages: a picture in one file that needs nothing else, to pan and zoom; and the same picture for a notebook."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from .labels import clean
from .theme import IN_THE_DARK, ON_PAGES

if TYPE_CHECKING:
    from jinja2 import Environment

    from .picture import Picture

_ROOM = "tinygrad_lstm.draw"


def page(picture: Picture) -> str:
    """The picture as an HTML page to pan and zoom, whose boxes say what they are; it asks the network for nothing.

    >>> import tinygrad_lstm as tl
    >>> page(tl.draw(tl.tensor(1.0, name="x") * 2.0)).splitlines()[0]
    '<!doctype html>'
    """
    values = {"title": picture.title, "description": picture.description, "svg": _inline(picture.svg)}
    return offline(_ROOM, "page", ["page.js"], values)


def offline(room: str, name: str, scripts: Sequence[str], values: Mapping[str, Any]) -> str:
    """A page in one file: a room's template and style of that name, with its scripts, which alone may run.

    Its template extends ``offline.html``.
    """
    script = "\n".join(_source(room, each) for each in scripts)
    return (
        templates(room)
        .get_template(f"{name}.html")
        .render(
            **values,
            colours=ON_PAGES,
            dark=IN_THE_DARK,
            style=_source(room, f"{name}.css"),
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
    template = templates(_ROOM).get_template("notebook.html")
    return template.render(title=picture.title, svg_from_its_attributes=svg.removeprefix("<svg"))


def _inline(svg: str) -> str:
    """Without the XML declaration, which HTML does not know."""
    return svg[svg.index("<svg") :]


@cache
def _source(room: str, name: str) -> str:
    """A file as it is, with line ends as a browser counts them for the hash."""
    environment = templates(room)
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0].replace("\r\n", "\n")


@cache
def templates(room: str) -> Environment:
    """The templates of a room, and ours, which escape everything that is put into them."""
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=ChoiceLoader([PackageLoader(room), PackageLoader(_ROOM)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["clean"] = clean
    return environment

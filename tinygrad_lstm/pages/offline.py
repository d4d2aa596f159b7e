"""Pages in one file: what is put into them is escaped, only their own script may run, and nothing asks the network."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ..structure.words import clean, printable
from .theme import IN_THE_DARK, ON_PAGES

if TYPE_CHECKING:
    from jinja2 import Environment

ROOM = "tinygrad_lstm.pages"
"""Whose templates every room has."""


def offline(
    room: str,
    name: str,
    scripts: Sequence[str | tuple[str, str]],
    values: Mapping[str, Any],
    *,
    styles: Sequence[str] = (),
    colours: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Return a page in one file: a room's template and style of that name, with its scripts, which alone may run.

    Its template extends ``offline.html``. A script of another room is named with it, ``(room, name)``. More ``styles``
    come after the one of that name, and more ``colours`` of the theme, by what styles call them.
    """
    style = "\n".join(_source(room, each) for each in (f"{name}.css", *styles))
    script = "\n".join(_source(*((room, each) if isinstance(each, str) else each)) for each in scripts)
    script_hash = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
    every = {**ON_PAGES, **colours}
    own = {"style": style, "script": script, "script_hash": script_hash, "colours": every, "dark": IN_THE_DARK}
    return templates(room).get_template(f"{name}.html").render(**values, **own)


def inline(svg: str) -> str:
    """Return SVG without the XML declaration, which HTML does not know."""
    return svg[svg.index("<svg") :]


@cache
def _source(room: str, name: str) -> str:
    """Return a file as it is, with line ends as a browser counts them for the hash."""
    environment = templates(room)
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0].replace("\r\n", "\n")


@cache
def templates(room: str) -> Environment:
    """Return the templates of a room, and ours, which escape everything that is put into them."""
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=ChoiceLoader([PackageLoader(room), PackageLoader(ROOM)]),
        autoescape=True,
        finalize=lambda value: printable(value) if type(value) is str else value,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["clean"] = clean
    return environment

"""Pages in one file: what is put into them is escaped, only their own script may run, and nothing asks the network."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from ..structure.words import clean
from .theme import IN_THE_DARK, ON_PAGES

if TYPE_CHECKING:
    from jinja2 import Environment

ROOM = "tinygrad_lstm.pages"
"""Whose templates every room has."""


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


def inline(svg: str) -> str:
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
        loader=ChoiceLoader([PackageLoader(room), PackageLoader(ROOM)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["clean"] = clean
    return environment

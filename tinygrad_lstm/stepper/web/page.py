"""The page: a walk in one file that needs nothing else, to step through in a browser; and the same for a notebook."""

from __future__ import annotations

import base64
import json
import warnings
import zlib
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from ...drawing.paint.render import RenderError
from ...drawing.paint.svg import PAPERED
from ...pages.folding import Folding
from ...pages.offline import offline
from ...pages.theme import SCALES, STYLED
from ...structure import collector
from ...structure.saturation import SATURATED
from ...structure.terms import TERMS
from ...structure.words import clean, display_name, printable
from ..cursor import Cursor
from ..inspection import MOST
from ..place import GRANULARITIES
from ..recording.why import ENDING, FELT, HERE
from .record import VIEWS, Forms
from .sizes import LONGEST, Maker, NotOnALine, count, many, only

SCRIPTS = (
    *("network/arrays.js", "network/functions.js", "network/network.js", "unfold.js"),
    *("step/data.js", "step/words.js", "step/walk.js", "step/levels.js", "step/picture.js", "step/chips.js"),
    *("step/panels.js", "step/tanks.js", "step/timeline.js", "terms.js", "step/links.js", "step/thread.js"),
    *("step/pairs.js", "step/minimap.js", "step/coach.js", "step/change.js", "step/address.js", "step/what_if.js"),
    "step/main.js",
)
"""In the order in which they need each other."""

STYLES = ("terms.css", "step/reading.css", "step/chips.css", "step/tanks.css", "step/coach.css")

HEIGHT = 720
"""The height of the page in a notebook, in pixels; chosen: picture and panels are seen at once."""

Makers = Mapping[str, Maker]


@collector.paused()
def page(
    stepper: Cursor,
    makers: Makers | None = None,
    cell: str = "",
    *,
    home: str = "",
    report: Callable[[int, int], object] = lambda done, total: None,
) -> str:
    """Return the walk as an HTML page that opens where the stepper is; it asks the network for nothing.

    Arguments:
        stepper: the walk.
        makers: by the names of cells, functions of a number of time steps that make such a loss; the page can then be
            set to 1 to 100 steps, and to another cell.
        cell: which of them made the stepper's own.
        home: where a link in its header leads back to.
        report: told after each recording how many there are, and of how many.

    >>> import tinygrad_lstm as tl
    >>> page(tl.step(tl.tanh(tl.tensor(0.5, requires_grad=True, name="x")))).splitlines()[0]
    '<!doctype html>'
    """
    folding, forms = Folding(), Forms()
    steps = len(stepper.events.timeline.steps)
    total = count() * len(makers or {})
    done = iter(range(1, total + 1))
    held, notes = {}, [stepper.note]
    for name, make in (makers or {}).items():
        try:
            held[name] = many(make, steps, folding, forms, lambda: report(next(done), total))
        except (NotOnALine, RenderError) as reason:
            notes.append(f"{name or 'The network'} cannot be set to other numbers of steps: {reason}.")
    if cell not in held:
        held[cell] = only(stepper, steps, folding, forms)
    own = held[cell]
    if own.undrawn:
        warnings.warn(own.undrawn, stacklevel=2)
    data = {
        "cell": cell,
        "steps": steps,
        "longest": LONGEST if makers else 0,
        "position": stepper.position,
        "grain": stepper.granularity,
        "stops": [[clean(each.text, 60), each.met_at(stepper.events)] for each in stepper.breakpoints],
        "grains": GRANULARITIES,
        "views": [[view, granularity] for view, _, granularity in VIEWS],
        "why": {"here": HERE, "ending": ENDING, "felt": FELT},
        "terms": TERMS,
        "saturated": SATURATED,
        "most": MOST,
        "paper": PAPERED,
        "styled": STYLED,
        "cells": {name: {**each.parts, "values": each.values, "answers": each.answers} for name, each in held.items()},
        "forms": folding.rows([[text] for text in forms.texts]),
    }
    output = stepper.graph.output
    values = {
        "title": f"Backpropagation from {display_name(output) or stepper.graph.ids[output]}",
        "note": " ".join(filter(None, (*notes, own.undrawn))),
        "views": [(view, title) for view, title, _ in VIEWS],
        "data": _deflated({**data, "texts": folding.texts}),
        "home": home,
    }
    return offline("tinygrad_lstm.stepper.web", "step", SCRIPTS, values, styles=STYLES, colours=SCALES)


def frame(stepper: Cursor) -> str:
    """Return the page in a frame of its own, which reaches nothing of the notebook around it."""
    inside = escape(page(stepper), quote=True)
    style = f"width: 100%; height: {HEIGHT}px; border: 1px solid; border-radius: 6px"
    about = 'title="Stepping through backpropagation" sandbox="allow-scripts allow-forms"'
    return f'<iframe {about} style="{style}" srcdoc="{inside}"></iframe>'


def _deflated(data: dict[str, Any]) -> str:
    """Return data as a page holds them: JSON, deflated, in base64, so that nothing in them is ever read as HTML."""
    text = printable(json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False))
    return base64.b64encode(zlib.compress(text.encode("utf-8", "replace"), 9)).decode("ascii")

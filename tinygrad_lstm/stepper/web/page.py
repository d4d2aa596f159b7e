"""The page: a walk in one file that needs nothing else, to step through in a browser; and the same for a notebook."""

from __future__ import annotations

import json
import re
import warnings
from html import escape
from typing import Any

from ...pages.offline import offline
from ...structure.timeline import Window
from ...structure.words import display_name, printable
from ..cursor import Cursor
from .record import Record

SCRIPTS = (
    *("network/arrays.js", "network/functions.js", "network/network.js"),
    *("step/data.js", "step/agreement.js", "step/words.js", "step/picture.js", "step/panels.js", "step/timeline.js"),
    *("step/change.js", "step/what_if.js", "step/main.js"),
)
"""In the order in which they need each other."""

_ESCAPES = re.compile(r"<|\\(?:u[0-9a-f]{4}|.)")
"""In JSON: what could end the element it stands in, and the escapes, most of which are of control characters."""

HEIGHT = 720
"""The height of the page in a notebook, in pixels; chosen: picture and panels are seen at once."""


def page(stepper: Cursor, steps: Window = None, *, home: str = "") -> str:
    """Return the walk as an HTML page that opens where the stepper is; it asks the network for nothing.

    A walk that is too long for one page is shown through a window of time steps: the last, or those asked for.
    ``home`` is where a link in its header leads back to.

    >>> import tinygrad_lstm as tl
    >>> page(tl.step(tl.tanh(tl.tensor(0.5, requires_grad=True, name="x")))).splitlines()[0]
    '<!doctype html>'
    """
    record = Record(stepper, steps)
    data = record.data()
    if record.undrawn:
        warnings.warn(record.undrawn, stacklevel=2)
    output = stepper.graph.output
    values = {
        "title": f"Backpropagation from {display_name(output) or stepper.graph.ids[output]}",
        "note": " ".join(filter(None, (record.note, stepper.note))),
        "pictures": record.svgs,
        "data": _inert_json(data),
        "home": home,
    }
    return offline("tinygrad_lstm.stepper.web", "step", SCRIPTS, values)


def frame(stepper: Cursor) -> str:
    """Return the page in a frame of its own, which reaches nothing of the notebook around it."""
    inside = escape(page(stepper), quote=True)
    style = f"width: 100%; height: {HEIGHT}px; border: 1px solid; border-radius: 6px"
    about = 'title="Stepping through backpropagation" sandbox="allow-scripts allow-forms"'
    return f'<iframe {about} style="{style}" srcdoc="{inside}"></iframe>'


def _inert_json(data: dict[str, Any]) -> str:
    """Return data as they may stand in a page: nothing in them can end the element they stand in."""
    text = printable(json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False))
    kept = {"<": "\\u003c", '\\"': '\\"', "\\\\": "\\\\", "\\n": "\\n"}
    return _ESCAPES.sub(lambda found: kept.get(found[0], " "), text)

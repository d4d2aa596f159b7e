"""Numbers, and what an operation is told besides its inputs, in the words of Python: our own, for they will be run."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine.errors import short
from .recording import NotExpressible

SUM, PRODUCT, PREFIX, ATOM = range(1, 5)
"""How tightly Python binds; 0 is what binds least, as a comparison."""


def number(value: Any) -> tuple[str, float]:
    if isinstance(value, bool | np.bool_):
        return str(bool(value)), ATOM
    if value != value or abs(value) == float("inf"):
        return {"inf": "np.inf", "-inf": "-np.inf"}.get(str(value), "np.nan"), PREFIX if value < 0 else ATOM
    text = str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))
    return text, ATOM if value >= 0 else PREFIX


def literal(value: Any) -> str:
    """Write what an operation is told besides its inputs: by our own words alone, since the text will be run."""
    if isinstance(value, bool | None | type(...)):
        return repr(value)
    if isinstance(value, float):
        return number(value)[0]
    if isinstance(value, np.generic):
        return f"np.dtype({value.dtype.str!r}).type({literal(value.item())})"
    if isinstance(value, np.dtype) or (isinstance(value, type) and issubclass(value, np.generic)):
        return f"np.dtype({np.dtype(value).str!r})"
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{literal(key)}: {literal(x)}' for key, x in value.items())}}}"
    if isinstance(value, slice):
        return f"slice({literal(value.start)}, {literal(value.stop)}, {literal(value.step)})"
    plain = next((kind for kind in (int, str, bytes, complex) if isinstance(value, kind)), None)
    if plain is None:
        raise NotExpressible(f"a program cannot say {short(value)}, which an operation is told besides its inputs")
    return plain.__repr__(value)  # not its own, which is somebody's function

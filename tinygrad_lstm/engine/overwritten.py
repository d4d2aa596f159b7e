"""What a ``forward`` written for PyTorch has written over: here it is as it was, so to read it again is refused."""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np

from . import ops


class Overwritten(NamedTuple):
    """A tensor that PyTorch would have changed, and what it would be now."""

    old: Any
    new: Any


OVERWRITTEN: ContextVar[list[Overwritten] | None] = ContextVar("what was written over", default=None)
"""While a ``forward`` runs that was written for PyTorch: what it wrote over by ``h += x`` or ``inplace=True``."""

_VIEWS = {ops.getitem, ops.reshape, ops.transpose, ops.broadcast_to}
"""Operations whose result is the same memory in PyTorch."""


def written_over(old: Any, new: Any) -> Any:
    """Return the new tensor, and note that in PyTorch the old one is it."""
    noted = OVERWRITTEN.get()
    if noted is not None and hasattr(old, "carries_gradient"):
        noted.append(Overwritten(_memory(old), new))
    return new


def require_unread(outputs: Iterable[Any], noted: Iterable[Overwritten]) -> None:
    """Refuse outputs that were computed of what was written over, or are it: in PyTorch they have other numbers.

    Raises ValueError, which says where that was written over.
    """
    overwritten = dict(noted)
    outputs = list(outputs)
    for x in outputs:
        _require_current(x, np.inf, overwritten)
    seen, waiting = set(outputs), outputs
    while waiting:
        node = waiting.pop()
        for x in node.inputs:
            _require_current(x, node.serial, overwritten)
            if x not in seen:
                seen.add(x)
                waiting.append(x)


def _require_current(x: Any, when: float, overwritten: dict[Any, Any]) -> None:
    new = overwritten.get(_memory(x))
    if new is not None and x.serial < new.serial < when:
        where = f" ({new.line})" if new.line else ""
        raise ValueError(
            f"{new.primitive.name if new.primitive else 'what'}{new.context.place}{where} is written over a tensor "
            "that is read again later: in PyTorch it has changed then, here it has not; write h = h + x, or leave "
            "inplace=True out"
        )


def _memory(x: Any) -> Any:
    """Return the tensor whose memory a view has in PyTorch."""
    while x.primitive in _VIEWS and not _copies(x):
        x = x.inputs[0]
    return x


def _copies(x: Any) -> bool:
    index = x.attrs.get("index")
    return any(isinstance(part, np.ndarray) for part in (index if isinstance(index, tuple) else (index,)))

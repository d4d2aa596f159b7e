"""Surgery on the gradient: operations that change nothing forwards, and on the way back what passes there."""

from __future__ import annotations

from collections.abc import Callable
from sys import float_info
from typing import Any
from weakref import WeakValueDictionary

import numpy as np

from .errors import short
from .ops import maximum, minimum
from .primitive import Primitive, primitive
from .tensor import Tensor

grad_scale = primitive(
    "grad_scale",
    lambda x, by=1.0: x,
    lambda g, y, x, by=1.0: (by * g,),
    "∇×",
    exact=True,
    surrogate=True,
    doc="Return x; its gradient is multiplied by a number.",
)

grad_clip = primitive(
    "grad_clip",
    lambda x, to=1.0: x,
    lambda g, y, x, to=1.0: (maximum(minimum(g, to), -to),),
    "∇≤",
    exact=True,
    surrogate=True,
    doc="Return x; each number of its gradient is held between −to and to.",
)

_made: WeakValueDictionary[tuple[int, str], Primitive] = WeakValueDictionary()
"""Operations by the function or list that they were made of, as long as one is in use: in each step it is the same."""


def grad_hook(
    x: Tensor,
    function: Callable[[Any], Any] | None = None,
    *,
    scale: float | None = None,
    clip: float | None = None,
    log: list[Any] | Callable[[Any], object] | None = None,
    name: str | None = None,
) -> Tensor:
    """Return x, marked: the gradient that comes back through this place is scaled, clipped, logged, or what you make
    of it. One of the four is given.

    The mark is a node of the graph, of the name that you give it: pictures and the walk show it, a program has a line
    for it, and it can be differentiated again, past the same mark. A check calls what passes through it DECLARED.

    Arguments:
        x: any tensor; the value, its shape and type stay what they are.
        function: takes the gradient and returns another of its shape; operators and primitives only, as in a rule.
        scale: a number to multiply the gradient by; −1 reverses it (Ganin & Lempitsky 2015).
        clip: a size that no number of the gradient exceeds then.
        log: a list to which each gradient is appended as an array, or a function that is called with it; the gradient
            goes on as it is. A walk that is looked at twice logs twice.
        name: what the place is called.

    Raises:
        TypeError: for what is no tensor, and for anything but one of the four.
        ValueError: for a size that is not positive, and a scale that is not finite.

    >>> import tinygrad_lstm as tl
    >>> x, norms = tl.tensor([3.0, -4.0], requires_grad=True), []
    >>> y = tl.grad_hook(tl.grad_hook(x * x, clip=1.0, name="held"), log=norms)
    >>> (5 * y.sum()).backward()
    >>> norms, x.grad
    ([array([5., 5.])], tensor([ 6., -8.]))
    """
    if not isinstance(x, Tensor):
        raise TypeError(f"grad_hook marks a tensor, as in h = tl.grad_hook(h, clip=1.0), not {short(x)}")
    given = {
        what: one for what, one in (("function", function), ("scale", scale), ("clip", clip), ("log", log))
        if one is not None
    }  # fmt: skip
    if len(given) != 1:
        raise TypeError(
            f"grad_hook takes one of a function, scale=, clip= and log=, not {' and '.join(given) or 'none'}; "
            "several are several hooks, one around the other"
        )
    if name is not None and (not isinstance(name, str) or not name):
        raise TypeError(f"the place of a hook needs a name, a non-empty string, not {name!r:.60}")
    if scale is not None:
        marked = grad_scale(x, by=_number("scale", scale))
    elif clip is not None:
        if (to := _number("clip", clip)) <= 0:
            raise ValueError(f"clip is the size that no number of the gradient exceeds, more than 0, not {clip!r:.60}")
        marked = grad_clip(x, to=to)
    else:
        marked = _of(function, log, name)(x)
    if name is not None:
        marked.name = name
    return marked


def _number(what: str, given: Any) -> float:
    if not isinstance(given, int | float | np.integer | np.floating) or isinstance(given, bool):
        raise TypeError(f"{what} must be a number, not {given!r:.60}")
    if not -float_info.max <= (number := given if isinstance(given, int) else float(given)) <= float_info.max:
        raise ValueError(f"{what} must be a finite number, not {given!r:.60}")
    return float(number)


def _of(function: Any, log: Any, name: str | None) -> Primitive:
    """Return the operation that calls a function, or logs; the same one for the same."""
    target = log if function is None else function
    if not callable(target) and not (log is not None and isinstance(log, list)):
        wanted = "log is a list, or a function" if function is None else "a hook is a function"
        raise TypeError(f"{wanted} that takes the gradient, not {target!r:.60}")
    called = name if name is not None and name.isidentifier() else "grad_log" if function is None else "grad_hook"
    key = id(target), called
    known = _made.get(key)
    if known is None:
        rule, sign = (_changing(function), "∇ƒ") if function is not None else (_logging(target), "∇✎")
        known = _made[key] = Primitive(called, _same, rule, sign, exact=True, surrogate=True)
    return known


def _same(x: Any) -> Any:
    return x


def _changing(function: Callable[[Any], Any]) -> Callable[..., tuple[Any, ...]]:
    def rule(g: Any, y: Any, x: Any) -> tuple[Any, ...]:
        return (function(g),)

    return rule


def _logging(log: Any) -> Callable[..., tuple[Any, ...]]:
    note = log.append if isinstance(log, list) else log

    def rule(g: Any, y: Any, x: Any) -> tuple[Any, ...]:
        if not isinstance(g, np.ndarray | Tensor):  # whoever only reads the rule has no gradient
            raise TypeError("a gradient is logged where there is one")
        note(np.array(g if isinstance(g, np.ndarray) else g.value))
        return (g,)

    return rule

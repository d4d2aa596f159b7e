"""What a primitive is: a forward function, one derivative rule, and the symbol that pictures and formulas use."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

_REGISTRY: dict[str, Primitive] = {}


class Primitive:
    """One elementary operation, which every reader of a graph understands.

    Called on plain arrays it computes; on Tensors it records a node; on symbols it writes a formula. The class of an
    argument decides, by offering ``__primitive__(primitive, inputs, attrs)``.
    """

    __slots__ = (
        "__weakref__",
        "arity",
        "attr_names",
        "forward",
        "input_names",
        "kink",
        "name",
        "rule",
        "symbol",
        "variadic",
    )

    def __init__(
        self,
        name: str,
        forward: Callable[..., Any],
        rule: Callable[..., tuple[Any, ...]] | None,
        symbol: str | None,
        kink: Callable[..., Any] | None = None,
    ) -> None:
        self.name = name
        self.forward = forward
        self.rule = rule
        self.symbol = symbol or name
        self.kink = kink
        self.input_names, self.attr_names, self.variadic = _read_signature(name, forward, rule)
        self.arity = len(self.input_names)

    def __call__(self, *args: Any, **attrs: Any) -> Any:
        if len(args) != self.arity and not self.variadic:
            args, attrs = self._bind(args, attrs)
        for x in args:
            if type(x) is not np.ndarray:
                if hasattr(x, "__primitive__"):
                    return x.__primitive__(self, args, attrs)
                if isinstance(x, list | tuple) and any(hasattr(part, "__primitive__") for part in x):
                    raise TypeError(f"{self.name} takes a tensor, not a list of them; join them with tl.stack")
        return self.forward(*args, **attrs)

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _registered, (self.name,)  # pickled by name: a model may hold one as its activation

    def _bind(self, args: tuple[Any, ...], attrs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        arity = self.arity
        if len(args) < arity or len(args) > arity + len(self.attr_names):
            wanted = ", ".join([*self.input_names, *(f"{name}=…" for name in self.attr_names)])
            raise TypeError(f"{self.name}({wanted}) was called with {len(args)} positional arguments")
        by_position = dict(zip(self.attr_names, args[arity:], strict=False))
        twice = by_position.keys() & attrs.keys()
        if twice:
            raise TypeError(f"{self.name} got {min(twice)!r} twice, by position and by name")
        return args[:arity], {**by_position, **attrs}


def primitive(
    name: str,
    forward: Callable[..., Any],
    rule: Callable[..., tuple[Any, ...]] | None,
    symbol: str | None = None,
    *,
    kink: Callable[..., Any] | None = None,
) -> Primitive:
    """Register a primitive: this is also how you add an operation of your own.

    ``forward(*inputs, **attrs)`` takes and returns numpy arrays; written so that complex arrays pass through, it can be
    checked to rounding. ``rule(g, y, *inputs, **attrs)`` receives the upstream gradient ``g`` and the output ``y`` and
    returns one contribution per input (None where no gradient flows). Write it with operators and primitives only: the
    same line then runs on arrays, on Tensors (so that it can be differentiated again) and on symbols (so that it can
    print itself). Sum-to-shape after broadcasting is the engine's business. A rule of None says: constant almost
    everywhere, no gradient. Parameters with a default value are attributes, the others are inputs. Where the function
    has kinks or ties, ``kink(*inputs, **attrs)`` returns numbers that are zero there and change sign across: |x − 1|
    has ``x - 1``. The checks keep away from them, and judge a rule on them by its two sides. Raises ValueError for a
    name that is no identifier, or taken by one of ours.

    >>> import tinygrad_lstm as tl
    >>> cube = tl.primitive("cube", lambda x: x * x * x, lambda g, y, x: (3 * x * x * g,))
    >>> x = tl.tensor(2.0, requires_grad=True)
    >>> cube(x).backward(); x.grad.item()
    12.0
    """
    if not isinstance(name, str) or not name.isidentifier():
        raise ValueError(f"a primitive's name must be an identifier such as 'square', not {name!r}")
    if name in _REGISTRY and _is_ours(_REGISTRY[name]):
        raise ValueError(f"there is a primitive {name!r} already; give yours another name")
    if rule is not None and not isinstance(forward, np.ufunc):
        _require_same_attrs(name, forward, rule)
    created = Primitive(name, forward, rule, symbol, kink)
    _REGISTRY[name] = created
    return created


def primitives() -> Iterator[Primitive]:
    """Every registered primitive, in the order of registration."""
    yield from _REGISTRY.values()


def _registered(name: str) -> Primitive:
    if name not in _REGISTRY:
        raise KeyError(f"no primitive {name!r} is registered here; run the tl.primitive(...) that made it first")
    return _REGISTRY[name]


def _require_same_attrs(name: str, forward: Callable[..., Any], rule: Callable[..., Any]) -> None:
    """Forward and rule must mean the same by an attribute that is not given."""
    try:
        ours, theirs = _defaults(forward), _defaults(rule)
    except ValueError:  # numpy's own functions do not tell; they have no attributes either
        return
    if ours != theirs:
        raise TypeError(f"forward and rule of {name} must have the same attributes and defaults: {ours}, {theirs}")


def _defaults(function: Callable[..., Any]) -> dict[str, Any]:
    parameters = inspect.signature(function).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty or p.kind is p.KEYWORD_ONLY}


def _is_ours(primitive: Primitive) -> bool:
    """Whether it stands on the page of derivatives; your own may be registered again, as one does in a notebook."""
    function = primitive.rule or primitive.forward
    return function.__module__ == f"{__package__}.ops"


def _read_signature(
    name: str, forward: Callable[..., Any], rule: Callable[..., Any] | None
) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    """Names of the inputs, names of the attributes, and whether the inputs are open-ended."""
    function, skipped = (forward, 0) if rule is None else (rule, 2)
    parameters = list(inspect.signature(function).parameters.values())
    if len(parameters) < skipped:
        raise TypeError(
            f"the rule of {name} must take (g, y, *inputs, **attrs), not ({', '.join(map(str, parameters))})"
        )
    inputs, attrs, variadic = [], [], False
    for parameter in parameters[skipped:]:
        if parameter.kind is parameter.VAR_POSITIONAL:
            variadic = True
        elif parameter.kind is parameter.VAR_KEYWORD:
            continue
        elif parameter.kind is parameter.KEYWORD_ONLY or parameter.default is not parameter.empty:
            attrs.append(parameter.name)
        else:
            inputs.append(parameter.name)
    return tuple(inputs), tuple(attrs), variadic

"""What a primitive is: a forward function, one derivative rule, and all that readers of a graph need to know of it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Any, Protocol, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from .pytorch import WORDS, in_our_words

Array = NDArray[np.floating[Any]]
Result = TypeVar("Result", covariant=True)

_REGISTRY: dict[str, Primitive] = {}


class Operand(Protocol[Result]):
    """What says itself how an operation is applied to it, as a Tensor does and a traced array."""

    def __primitive__(self, primitive: Primitive, inputs: tuple[Any, ...], attrs: Mapping[str, Any]) -> Result: ...


class Kind(StrEnum):
    """What sort of operation it is: how pictures show it, and what inputs it is tried at."""

    pointwise = "pointwise"  # number by number, inputs broadcast
    activation = "activation"  # what makes a layer out of a product with weights
    product = "product"  # sums of products, as of matrices
    reduction = "reduction"  # fewer numbers, along axes, or running ones
    movement = "movement"  # the same numbers in other places
    comparison = "comparison"  # 1 where it holds and 0 where not


class Primitive:
    """One elementary operation, which every reader of a graph understands.

    Called on plain arrays it computes; on Tensors it records a node; for the tracer it is written down. The class
    of an argument decides, by offering ``__primitive__(primitive, inputs, attrs)``. What readers need to know beyond
    that stands in its fields, which ``tl.primitive`` describes.
    """

    in_pytorch: Callable[..., Any] | None = None  # what it does where PyTorch is translated, if something else
    opens: Callable[..., Any] | None = None  # if it stands for a graph: what takes the place of a node, given inputs
    fresh = False  # whether its rule returns arrays that nothing else holds, which a gradient may keep

    def __init__(
        self,
        name: str,
        forward: Callable[..., Any],
        rule: Callable[..., tuple[Any, ...]] | None,
        symbol: str | None,
        kink: Callable[..., Any] | None = None,
        *,
        kind: str = "pointwise",
        range: tuple[float, float] = (-np.inf, np.inf),
        domain: Any = (-np.inf, np.inf),
        doc: str = "",
        sign: str | None = None,
        style: str | None = None,
        operator: str | None = None,
        combines: str | None = None,
        exact: bool | None = None,
        into: Callable[..., None] | None = None,
        surrogate: bool = False,
    ) -> None:
        for what, function in {"forward": forward, "rule": rule, "kink": kink}.items():
            if not callable(function) and (function is not None or what == "forward"):
                raise TypeError(f"the {what} of {name} must be a function, not {function!r}")
        if style is not None and style not in STYLES:
            raise ValueError(f"{name} has the style {style!r}; there are {', '.join(STYLES)}")
        if kind not in tuple(Kind):
            raise ValueError(f"{name} is of kind {kind!r}; there are {', '.join(Kind)}")
        self.name = self.__name__ = name
        self.forward = forward
        self.rule = rule
        self.symbol = symbol or name
        self.kink = kink
        self.kind = Kind(kind)
        self.range = (0.0, 1.0) if self.kind is Kind.comparison else range
        self.sign = sign or self.symbol
        self.style = style or _STYLES.get(self.kind, "call")
        self.operator = operator
        self.combines = combines
        self.into = into
        self.surrogate = surrogate
        self.exact = self.kind in (Kind.movement, Kind.comparison) if exact is None else exact
        self.signature = self.__signature__ = _signature(name, forward, rule)
        parameters = self.signature.parameters.values()
        self.variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        named = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
        self.attr_names = tuple(p.name for p in named if p.kind is p.KEYWORD_ONLY or p.default is not p.empty)
        self.input_names = tuple(p.name for p in named if p.name not in self.attr_names)
        self.arity = len(self.input_names)
        several = isinstance(domain, tuple) and all(isinstance(each, tuple) for each in domain)
        self.domains: tuple[tuple[float, float], ...] = domain if several else (domain,) * max(self.arity, 1)
        _require_intervals(name, "range", range)
        _require_intervals(name, "domain", *self.domains)
        if several and not self.variadic and len(domain) != self.arity:
            raise ValueError(
                f"the domain of {name} must be one interval, or one for each input: {self.arity}, not {len(domain)}"
            )
        self.describe(doc)

    def describe(self, doc: Any) -> None:
        """Document it: by a text, or the docstring of what is given; what its kind tells of shapes is added."""
        first, *others = inspect.cleandoc(doc if isinstance(doc, str) else doc.__doc__ or "").split("\n\n")
        running = self.kind is Kind.reduction and "keepdims" not in self.attr_names
        shapes = "" if self.variadic or running else _ON_SHAPES.get((self.kind, self.arity > 1), "")
        self.doc: str = "\n\n".join(part for part in (first, first and shapes, *others) if part)
        self.__doc__ = self.doc or "An operation that nobody has documented."

    @property
    def positive_inputs(self) -> tuple[bool, ...]:
        """Tell for each input whether it is never negative in the domain."""
        return tuple(low >= 0 for low, _ in self.domains)

    @overload
    def __call__(self, x: Operand[Result], /, *args: Any, **attrs: Any) -> Result: ...
    @overload
    def __call__(self, x: NDArray[Any], /, *args: Any, **attrs: Any) -> Any: ...
    @overload
    def __call__(self, *args: Any, **attrs: Any) -> Any: ...
    def __call__(self, *args: Any, **attrs: Any) -> Any:
        translated = bool(attrs) and not WORDS.keys().isdisjoint(attrs)
        if translated and not self.in_pytorch:
            attrs = in_our_words(attrs, self.attr_names)
        if len(args) != self.arity and not self.variadic:
            two = len(args) == 2 and hasattr(args[1], "__primitive__")  # the larger of two, as PyTorch's max
            translated = translated or two or len(args) > self.arity + len(self.attr_names)
            if not (translated and self.in_pytorch):
                args, attrs = self._bind(args, attrs)
        if translated and self.in_pytorch:
            return self.in_pytorch(*args, **attrs)
        for x in args:
            if type(x) is not np.ndarray:
                if hasattr(x, "__primitive__"):
                    return x.__primitive__(self, args, attrs)
                if isinstance(x, list | tuple) and any(hasattr(part, "__primitive__") for part in x):
                    raise TypeError(f"{self.name} takes a tensor, not a list of them; join them with tl.stack")
                if isinstance(x, str | bytes):
                    raise TypeError(f"{self.name} takes tensors, or arrays of numbers, not {x!r:.60}")
                unmasked(x)
        try:
            return self.forward(*args, **attrs)
        except (TypeError, ValueError, AttributeError, LookupError, OverflowError) as error:
            for x in args:
                if x.dtype.kind in "SU" if isinstance(x, np.ndarray) else not hasattr(x, "__array_ufunc__"):
                    raise TypeError(f"{self.name} takes tensors, or arrays of numbers, not {x!r:.60}") from error
            raise

    def __repr__(self) -> str:
        return f"<primitive {self.name}{self.signature}>"

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
    **described: Any,
) -> Primitive:
    """Register a primitive: this is also how you add an operation of your own.

    ``forward(*inputs, **attrs)`` takes and returns numpy arrays; written so that complex arrays pass through, it can be
    checked to rounding. ``rule(g, y, *inputs, **attrs)`` receives the upstream gradient ``g`` and the output ``y`` and
    returns one contribution per input: None where no gradient flows, or, if it costs much and is seldom wanted, a
    function of nothing that computes it, as ``functools.partial`` makes one of a primitive. Write it with operators and
    primitives only: the same line then runs on arrays, on Tensors (so that it can be differentiated again) and for the
    tracer (so that it can print itself). Sum-to-shape after broadcasting is the engine's business. A rule of None says:
    constant almost everywhere, no gradient. Parameters with a default value are attributes, the others are inputs.
    Where the function has kinks or ties, ``kink(*inputs, **attrs)`` returns numbers that are zero there and change sign
    across: |x − 1| has ``x - 1``. The checks keep away from them, and judge a rule on them by its two sides.

    What else may be said of it, by name, so that it is drawn, stepped, proved and printed like one of ours:
      ``kind``      "pointwise" (the default), "activation", "product", "reduction", "movement" or "comparison"
      ``range``     where its values lie, such as (0, 1): near the ends of a finite one it saturates
      ``domain``    an interval in which it is defined, such as (0, inf) for a logarithm; one, or one for each input
      ``doc``       what it computes, as mathematics; shapes; ties; where it comes from
      ``sign``      what stands in its circle, if not the symbol
      ``style``     how a formula writes it, if not as a function: see ``tinygrad_lstm.symbolic.written``
      ``operator``  Python's, such as "+", if it has one
      ``combines``  "sum" if it adds its inputs up to signs, "product" if it is linear in each of them
      ``exact``     whether what it returns are numbers of its inputs, up to signs, so that nothing is rounded
      ``into``      of what places numbers among zeros of a ``shape``: ``into(total, *inputs, **attrs)`` adds them to
                    an array at hand; a walk uses it where a rule returns a ``partial`` of the primitive
      ``surrogate`` whether the rule is meant to be another than the derivative, as in a straight-through estimator or
                    a gradient reversal: the checks call it DECLARED, and check all else

    Raises ValueError for a name that is no identifier, or taken by one of ours, and for a kind that there is not.

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
    if callable(forward) and callable(rule) and not isinstance(forward, np.ufunc):
        _require_same_attrs(name, forward, rule)
    known = Primitive.__init__.__kwdefaults__ or ()
    for word in described:
        if word not in known:
            raise TypeError(f"{name} is described by {word!r}, which nobody reads; there are {', '.join(known)}")
    created = Primitive(name, forward, rule, symbol, kink, **described)
    _REGISTRY[name] = created
    return created


def primitives() -> Iterator[Primitive]:
    """Yield every registered primitive, in the order of registration: ours, then yours.

    >>> import tinygrad_lstm as tl
    >>> next(tl.primitives())
    <primitive add(a, b)>
    """
    yield from _REGISTRY.values()


_ON_SHAPES = {
    **dict.fromkeys([(Kind.pointwise, False), (Kind.activation, False)], "The result has the shape of x."),
    **dict.fromkeys([(Kind.pointwise, True), (Kind.comparison, True)], "Shapes broadcast, or ShapeError is raised."),
    (Kind.reduction, False): "axis: one, a tuple of several, or None for all; keepdims leaves them with length 1.",
}
"""What its kind tells of an operation of one input, or of more."""

_STYLES = {Kind.product: "product", Kind.reduction: "over", Kind.comparison: "bracket"}
"""How formulas write the kinds, where that is not as a function."""


STYLES = (
    *("infix", "times", "product", "fraction", "power", "prefix", "root", "bars", "bracket", "over", "superscript"),
    *("broadcast", "reshaped", "element", "at", "list", "call"),
)
"""How formulas can write an operation."""


def _require_intervals(name: str, what: str, *intervals: Any) -> None:
    for interval in intervals:
        try:
            low, high = interval
            ordered = bool(low < high)
        except (TypeError, ValueError):
            ordered = False
        if not ordered:
            raise ValueError(f"the {what} of {name} must be an interval such as (0, 1) or (0, inf), not {interval!r}")


def _registered(name: str) -> Primitive:
    if name not in _REGISTRY:
        raise KeyError(f"no primitive {name!r} is registered here; run the tl.primitive(...) that made it first")
    return _REGISTRY[name]


def _require_same_attrs(name: str, forward: Callable[..., Any], rule: Callable[..., Any]) -> None:
    """Require that forward and rule mean the same by an attribute that is not given."""
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
    """Tell whether it stands on the page of derivatives; your own may be registered again, as in a notebook."""
    function = primitive.rule or primitive.forward
    return function.__module__ == f"{__package__}.ops"


def _signature(name: str, forward: Callable[..., Any], rule: Callable[..., Any] | None) -> inspect.Signature:
    """Return how it is called: its inputs, then its attributes with their defaults."""
    parameters = list(inspect.signature(rule or forward).parameters.values())
    if rule and len(parameters) < 2:
        raise TypeError(
            f"the rule of {name} must take (g, y, *inputs, **attrs), not ({', '.join(map(str, parameters))})"
        )
    return inspect.Signature(parameters[2:] if rule else parameters)


NO_MASK = "tensors have no mask: fill the masked array first, as in data.filled(0), and multiply by a mask"


def unmasked(data: Any) -> Any:
    """Return the data as they are; refuse masked arrays, also in lists, since numpy would drop the mask."""
    if isinstance(data, np.ma.MaskedArray):
        raise TypeError(NO_MASK)
    if isinstance(data, list | tuple):
        for part in data:
            unmasked(part)
    return data

"""The page of derivatives.

Each entry is ``primitive(name, forward, rule, symbol)``; ``doc=`` or ``documentation`` has its words. A new one needs
an export besides, and ``python -m tests.house.stub``. The rule maps the upstream gradient ``g = ∂L/∂y`` to one
contribution per input, in operators and primitives only, so that one line serves arrays, Tensors and the tracer.

Two conventions hold on the whole page. At a tie or a kink the equal candidates share the gradient equally: ``maximum(a,
a)`` gives each half, ``max`` of k equal entries gives each 1/k, and so ``relu'(0) = ½`` and ``abs'(0) = 0``, always
between the one-sided derivatives; ``kink`` is what vanishes there and changes sign. And every forward accepts complex
arrays where the function is analytic, comparing by real part: that is what lets a complex step check each rule to
rounding.
"""

from __future__ import annotations

import math
import string
from functools import partial
from operator import index
from typing import Any

import numpy as np

from . import documentation, forwards
from .primitive import Primitive, primitive, primitives

inf = math.inf
_REAL, _POSITIVE = (-inf, inf), (0.0, inf)
_apart = lambda a, b: a - b
_BELL = 2 / math.sqrt(math.pi)  # erf'(0)

# Arithmetic. Broadcasting is undone by the engine, never by a rule.

add = primitive("add", np.add, lambda g, y, a, b: (g, g), "+", style="infix", operator="+", combines="sum")
sub = primitive("sub", np.subtract, lambda g, y, a, b: (g, -g), "−", style="infix", operator="-", combines="sum")
mul = primitive(
    "mul",
    np.multiply,
    lambda g, y, a, b: (g * b, g * a),
    "⊙",
    sign="×",
    style="times",
    operator="*",
    combines="product",
)
div = primitive(
    "div",
    np.divide,
    lambda g, y, a, b: (g / b, -g * y / b),
    "/",
    sign="÷",
    style="fraction",
    operator="/",
    domain=(_REAL, _POSITIVE),
)
neg = primitive("neg", np.negative, lambda g, y, x: (-g,), "−", style="prefix", operator="-", exact=True)
pow = primitive(
    "pow",
    np.power,
    lambda g, y, a, b: (g * b * _lower(a, b), lambda: g * y * _log_of_base(a, b)),
    "^",
    style="power",
    operator="**",
    domain=(_POSITIVE, _REAL),
)

# Comparisons: 1 where true, 0 where false; constant almost everywhere.

greater = primitive(
    "greater", lambda a, b: forwards.indicator(np.real(a) > np.real(b), a, b), None, ">", kink=_apart, kind="comparison"
)
equal = primitive(
    "equal", lambda a, b: forwards.indicator(np.real(a) == np.real(b), a, b), None, "=", kink=_apart, kind="comparison"
)

# Functions of one number.

exp = primitive("exp", np.exp, lambda g, y, x: (g * y,), range=(0, inf))
log = primitive("log", np.log, lambda g, y, x: (g / x,), domain=_POSITIVE)
sqrt = primitive("sqrt", np.sqrt, lambda g, y, x: (g / (2 * y),), "√", range=(0, inf), domain=_POSITIVE, style="root")
expm1 = primitive("expm1", np.expm1, lambda g, y, x: (g * exp(x),), range=(-1, inf))
log1p = primitive("log1p", lambda x: forwards.log1p(x), lambda g, y, x: (g / (1 + x),), domain=(-1, inf))
sin = primitive("sin", np.sin, lambda g, y, x: (g * cos(x),), range=(-1, 1))
cos: Primitive = primitive("cos", np.cos, lambda g, y, x: (-g * sin(x),), range=(-1, 1))
arctan = primitive("arctan", np.arctan, lambda g, y, x: (g / (1 + x * x),), range=(-math.pi / 2, math.pi / 2))
erf = primitive("erf", lambda x: forwards.erf(x), lambda g, y, x: (g * (_BELL * exp(-(x * x))),), range=(-1, 1))
erfc = primitive("erfc", lambda x: forwards.erfc(x), lambda g, y, x: (g * (-_BELL * exp(-(x * x))),), range=(0, 2))
floor = primitive("floor", lambda x: np.floor(np.real(x)), None, "⌊·⌋", kink=lambda x: x - np.rint(x))
tanh = primitive("tanh", np.tanh, lambda g, y, x: (g * (1 - y * y),), kind="activation", range=(-1, 1))
sigmoid = primitive(
    "sigmoid", lambda x: forwards.sigmoid(x), lambda g, y, x: (g * (y * (1 - y)),), "σ", kind="activation", range=(0, 1)
)
softplus = primitive(
    "softplus", lambda x: forwards.softplus(x), lambda g, y, x: (g * sigmoid(x),), kind="activation", range=(0, inf)
)
relu = primitive(
    "relu",
    lambda x: np.maximum(x, 0),
    lambda g, y, x: (g * _step(x, 0),),
    kink=lambda x: x,
    kind="activation",
    range=(0, inf),
    exact=True,
)
abs = primitive(
    "abs",
    lambda x: np.where(np.real(x) < 0, -x, x) + 0,
    lambda g, y, x: (g * (_step(x, 0) - _step(0, x)),),
    "|·|",
    kink=lambda x: x,
    range=(0, inf),
    style="bars",
    exact=True,
)

# Choosing.

maximum = primitive(
    "maximum", np.maximum, lambda g, y, a, b: (g * _step(a, b), g * _step(b, a)), "max", kink=_apart, exact=True
)
minimum = primitive(
    "minimum", np.minimum, lambda g, y, a, b: (g * _step(b, a), g * _step(a, b)), "min", kink=_apart, exact=True
)
where: Primitive = primitive(
    "where",
    lambda condition, a, b: np.where(np.real(condition) != 0, a, b),
    lambda g, y, condition, a, b: (None, where(condition, g, 0), where(condition, 0, g)),
    exact=True,
)

# Reductions. ``_spread`` gives a reduced array its lost axes back and repeats it along them.

sum = primitive(
    "sum",
    lambda x, axis=None, keepdims=False: np.add.reduce(x, axis=axis, keepdims=keepdims),
    lambda g, y, x, axis=None, keepdims=False: (_spread(g, x, axis),),
    "Σ",
    kind="reduction",
)
mean = primitive(
    "mean",
    lambda x, axis=None, keepdims=False: np.add.reduce(x, axis=axis, keepdims=keepdims) / _count(x, axis),
    lambda g, y, x, axis=None, keepdims=False: (_spread(g, x, axis) / _count(x, axis),),
    kind="reduction",
)
max = primitive(
    "max",
    lambda x, axis=None, keepdims=False: np.maximum.reduce(x, axis=axis, keepdims=keepdims),
    lambda g, y, x, axis=None, keepdims=False: (_spread(g, x, axis) * _share(equal(x, _spread(y, x, axis)), axis),),
    kink=lambda x, axis=None, keepdims=False: x - np.max(x, axis=axis, keepdims=True),
    kind="reduction",
    exact=True,
)
min = primitive(
    "min",
    lambda x, axis=None, keepdims=False: np.minimum.reduce(x, axis=axis, keepdims=keepdims),
    lambda g, y, x, axis=None, keepdims=False: (_spread(g, x, axis) * _share(equal(x, _spread(y, x, axis)), axis),),
    kink=lambda x, axis=None, keepdims=False: x - np.min(x, axis=axis, keepdims=True),
    kind="reduction",
    exact=True,
)
cumsum: Primitive = primitive(
    "cumsum",
    lambda x, axis=-1: np.add.accumulate(x, axis=index(axis)),
    lambda g, y, x, axis=-1: (_reversed(cumsum(_reversed(g, axis), axis=axis), axis),),
    kind="reduction",
)
logsumexp = primitive(
    "logsumexp",
    lambda x, axis=None, keepdims=False: forwards.logsumexp(x, axis, keepdims),
    lambda g, y, x, axis=None, keepdims=False: (_spread(g, x, axis) * softmax(x, axis=axis),),
    kind="reduction",
)
softmax: Primitive = primitive(
    "softmax",
    lambda x, axis=-1: forwards.softmax(x, axis),
    lambda g, y, x, axis=-1: (y * (g - sum(g * y, axis=axis, keepdims=True)),),
    kind="activation",
    range=(0, 1),
)
log_softmax = primitive(
    "log_softmax",
    lambda x, axis=-1: forwards.log_softmax(x, axis),
    lambda g, y, x, axis=-1: (g - exp(y) * sum(g, axis=axis, keepdims=True),),
    kind="activation",
    range=(-inf, 0),
)

# Matrix product, in all of numpy's shapes; and any sum of products.

matmul = primitive(
    "matmul",
    lambda a, b: forwards.matmul(a, b),
    lambda g, y, a, b: _matmul_rule(g, a, b),
    "@",
    kind="product",
    operator="@",
    combines="product",
)

einsum: Primitive = primitive(
    "einsum",
    lambda *operands, subscripts="ij,jk->ik": np.einsum(subscripts, *operands, optimize=True),
    lambda g, y, *operands, subscripts="ij,jk->ik": _einsum_rule(g, operands, subscripts),
    kind="product",
    style="call",
    combines="product",
)

# Moving entries about.

reshape: Primitive = primitive(
    "reshape",
    lambda x, shape=(): np.reshape(x, shape),
    lambda g, y, x, shape=(): (reshape(g, shape=x.shape),),
    kind="movement",
    style="reshaped",
)
transpose: Primitive = primitive(
    "transpose",
    lambda x, axes=None: np.transpose(x, axes),
    lambda g, y, x, axes=None: (transpose(g, axes=_inverse(axes, x.ndim)),),
    "ᵀ",
    kind="movement",
    style="superscript",
)
broadcast_to = primitive(
    "broadcast_to",
    lambda x, shape=(): np.broadcast_to(x, shape),
    lambda g, y, x, shape=(): (g,),
    kind="movement",
    style="broadcast",
)
getitem = primitive(
    "getitem",
    lambda x, index=...: x[index],
    lambda g, y, x, index=...: (partial(index_add, g, index=index, shape=x.shape),),
    "[ ]",
    kind="movement",
    style="element",
)
index_add: Primitive = primitive(
    "index_add",
    lambda x, index=..., shape=(): forwards.index_add(x, index, shape),
    lambda g, y, x, index=..., shape=(): (getitem(g, index=index),),
    kind="movement",
    style="at",
    into=lambda total, x, index=..., shape=(): forwards.add_at(total, x, index),
)
take = primitive(
    "take",
    lambda rows, indices=0: rows[indices],
    lambda g, y, rows, indices=0: (partial(index_add, g, index=indices, shape=rows.shape),),
    kind="movement",
    style="element",
)
concat = primitive(
    "concat",
    lambda *parts, axis=0: np.concatenate(parts, axis=axis),
    lambda g, y, *parts, axis=0: tuple(getitem(g, index=piece) for piece in _pieces(parts, axis)),
    kind="movement",
    style="list",
)
stack = primitive(
    "stack",
    lambda *parts, axis=0: np.stack(parts, axis=axis),
    lambda g, y, *parts, axis=0: tuple(
        getitem(g, index=(slice(None),) * (axis % y.ndim) + (i,)) for i in range(len(parts))
    ),
    kind="movement",
    style="list",
)


BUILTIN = {entry.name: entry for entry in primitives()}
"""The operations of this page, by name."""

for _name in BUILTIN.keys() & vars(documentation):
    BUILTIN[_name].describe(getattr(documentation, _name))


# What the lines above abbreviate. Still only operators and primitives, wherever a rule calls it.


def _step(a: Any, b: Any) -> Any:
    """Return 1 where a > b, ½ where they tie, 0 where a < b: who wins ``max(a, b)``."""
    return greater(a, b) + equal(a, b) / 2


def _lower(a: Any, b: Any) -> Any:
    """Return a^(b − 1), written so that a zero base meets no negative exponent where b is 0."""
    return where(equal(b, 0) * equal(a, 0), 1, a) ** (b - 1)


def _log_of_base(a: Any, b: Any) -> Any:
    """Return log a for a positive base, −∞ for 0 to a negative power; else 0: there is no real derivative in b."""
    return log(where(greater(a, 0), a, 1)) + where(equal(a, 0) * greater(0, b), -inf, 0)


def _spread(reduced: Any, x: Any, axis: Any) -> Any:
    kept = [1 if axis is None or i in _axes(axis, x.ndim) else n for i, n in enumerate(x.shape)]
    return broadcast_to(reshape(reduced, shape=tuple(kept)), shape=x.shape)


def _share(winners: Any, axis: Any) -> Any:
    return winners / sum(winners, axis=axis, keepdims=True)


def _matmul_rule(g: Any, a: Any, b: Any) -> tuple[Any, Any]:
    if a.ndim == 1 and b.ndim == 1:
        return g * b, g * a
    if a.ndim == 1:  # (k) @ (..., k, n) → (..., n)
        return matmul(b, g[..., None])[..., 0], a[:, None] * g[..., None, :]
    if b.ndim == 1:  # (..., m, k) @ (k) → (..., m)
        return g[..., None] * b, matmul(a.mT, g[..., None])[..., 0]
    if b.ndim == 2 and a.ndim > 2:  # one weight for a whole batch: one product instead of a sum of many
        rows = math.prod(a.shape[:-1])
        flat_a, flat_g = reshape(a, shape=(rows, a.shape[-1])), reshape(g, shape=(rows, b.shape[-1]))
        return matmul(g, b.mT), matmul(flat_a.mT, flat_g)
    return matmul(g, b.mT), matmul(a.mT, g)


def _einsum_rule(g: Any, operands: tuple[Any, ...], subscripts: str) -> tuple[Any, ...]:
    """Return for each operand the same sum with g in its place: what is its own meets ones, a diagonal an identity."""
    inputs, output = subscripts.split("->")
    terms, contributions = inputs.split(","), []
    unused = (letter for letter in string.ascii_letters if letter not in subscripts)
    for i, (x, term) in enumerate(zip(operands, terms, strict=True)):
        factors, named = [g, *operands[:i], *operands[i + 1 :]], [output, *terms[:i], *terms[i + 1 :]]
        sides = {
            each for factor, name in zip(factors, named, strict=True) for each in zip(name, factor.shape, strict=True)
        }
        target = ""
        for letter, n in zip(term, x.shape, strict=True):
            again = next(unused) if letter in target else ""
            if again or (letter, n) not in sides:
                factors.append(np.eye(n, dtype=x.dtype) if again else np.ones(n, dtype=x.dtype))
                named.append(letter + again)
            target += again or letter
        contributions.append(partial(einsum, *factors, subscripts=f"{','.join(named)}->{target}"))
    return tuple(contributions)


def _reversed(x: Any, axis: int) -> Any:
    return getitem(x, index=(slice(None),) * (axis % x.ndim) + (slice(None, None, -1),))


def _axes(axis: int | tuple[int, ...], ndim: int) -> tuple[int, ...]:
    return tuple(i % ndim for i in (axis if isinstance(axis, tuple) else (axis,))) if ndim else ()


def _inverse(axes: tuple[int, ...] | None, ndim: int) -> tuple[int, ...] | None:
    return None if axes is None else tuple(int(i) for i in np.argsort([i % ndim for i in axes]))


def _count(x: Any, axis: Any) -> int:
    return math.prod(x.shape if axis is None else [x.shape[i] for i in _axes(axis, x.ndim)])


def _pieces(parts: tuple[Any, ...], axis: int) -> list[tuple[slice, ...]]:
    before = (slice(None),) * (axis % parts[0].ndim)
    pieces, end = [], 0
    for part in parts:
        start, end = end, end + part.shape[axis]
        pieces.append((*before, slice(start, end)))
    return pieces

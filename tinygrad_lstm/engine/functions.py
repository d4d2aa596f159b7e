"""Functions composed of primitives: what takes a list or an index that is looked at first, and what needs no rule.

Arguments are numpy's: ``axis``, ``keepdims``; those of PyTorch are translated in ``pytorch.py``.
"""

from __future__ import annotations

import math
import string
from collections.abc import Sequence
from operator import index as index_of
from typing import Any

import numpy as np

from . import ops
from .arguments import axes_of, axis_of, listed, number, numbers_of, operand, some, speaking_for_themselves
from .errors import ShapeError
from .primitive import unmasked
from .pytorch import answered

# What takes a list, or an index.


def concat(parts: Sequence[Any], axis: int = 0) -> Any:
    """Return the parts joined along an axis that they have: shapes may differ there, and there only.

    >>> import tinygrad_lstm as tl
    >>> tl.concat([tl.tensor([1, 2]), tl.tensor([3])])
    tensor([1., 2., 3.], made by concat)
    """
    return ops.concat(*some(parts, "concat"), axis=axis)


def stack(parts: Sequence[Any], axis: int = 0) -> Any:
    """Return the parts, all of one shape, joined along a new axis.

    >>> import tinygrad_lstm as tl
    >>> tl.stack([tl.tensor([1, 2])] * 3, axis=1).shape
    (2, 3)
    """
    return ops.stack(*some(parts, "stack"), axis=axis)


def take(rows: Any, indices: Any) -> Any:
    """Return rows by number, as often as they are named. rows: (V, ...), indices: integers (...) → (..., ...).

    >>> import tinygrad_lstm as tl
    >>> tl.take(tl.tensor([-1, 0, 2]), [2, 2, 0])
    tensor([ 2.,  2., -1.], made by take)
    """
    numbers = np.array(unmasked(indices), dtype=None if np.size(indices) else np.intp)
    if numbers.dtype == np.bool_:
        raise IndexError("take wants the numbers of rows, not booleans; a mask is an index: rows[mask]")
    numbers.setflags(write=False)
    return ops.take(rows, indices=numbers)


def take_along_axis(x: Any, indices: Any, axis: int = -1) -> Any:
    """Return of each row of x, along an axis, the entries that the same row of indices names, as in numpy.

    >>> import numpy as np, tinygrad_lstm as tl
    >>> x = tl.tensor([[3, 1, 2], [5, 6, 4]])
    >>> tl.take_along_axis(x, np.argsort(x.value, axis=1), axis=1).tolist()
    [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    """
    axis = axis_of(x, axis)
    numbers = np.asarray(unmasked(indices))
    if numbers.dtype.kind not in "ui" or numbers.ndim != x.ndim:
        raise IndexError(f"indices must be integers with {x.ndim} axes, not {numbers.dtype} of shape {numbers.shape}")
    places: list[Any] = list(np.ogrid[tuple(slice(n) for n in x.shape)]) if x.ndim > 1 else [None]
    places[axis] = numbers
    return x[tuple(places)]


def cumsum(x: Any, axis: int | None = None) -> Any:
    """Return the running sums of x along an axis, or of all its numbers in a row (None): the last is the sum.

    >>> import tinygrad_lstm as tl
    >>> tl.cumsum(tl.tensor([-1, 0, 2]))
    tensor([-1., -1.,  1.], made by cumsum)
    """
    return ops.cumsum(x, axis=axis_of(x, axis)) if axis is not None else ops.cumsum(_reshaped(x, (x.size,)), axis=0)


def einsum(subscripts: str, *operands: Any) -> Any:
    """Return the sum of products that the subscripts say, a letter for each axis: "ij,jk->ik" is the matrix product.

    What stands after the arrow stays, what does not is summed. A letter twice in one term is its diagonal; ``...``
    stands for all other axes, which broadcast. Without an arrow, letters that occur once stay, in alphabetic order.

    Raises:
        ValueError: for subscripts that are none, or do not fit the operands.
        ShapeError: for a letter that would have two sizes.

    >>> import tinygrad_lstm as tl
    >>> x, w = tl.tensor([[1, 2], [3, 4]]), tl.tensor([1, -1])
    >>> tl.einsum("ij,j->i", x, w)
    tensor([-1., -1.], made by einsum)
    >>> tl.einsum("ii", x)
    tensor(5., made by einsum)
    """
    ready = [operand(x) for x in operands]
    return ops.einsum(*ready, subscripts=_explicit(subscripts, [x.ndim for x in ready]))


def _explicit(subscripts: Any, ndims: list[int]) -> str:
    """Return the same with an arrow, and with letters for what dots stand for: those that broadcast have one name."""
    if not isinstance(subscripts, str) or subscripts.count(",") != len(ndims) - 1:
        raise ValueError(
            f"subscripts are a text such as 'ij,jk->ik', for {len(ndims)} operands, not {subscripts!r:.60}"
        )
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    unused = "".join(letter for letter in string.ascii_letters if letter not in subscripts)
    hidden = [n - len(term) + 3 if "..." in term else 0 for term, n in zip(inputs.split(","), ndims, strict=True)]
    dots = unused[: max(0, *hidden)]
    terms = [
        term.replace("...", dots[len(dots) - max(n, 0) :]) for term, n in zip(inputs.split(","), hidden, strict=True)
    ]
    once = sorted(letter for letter in inputs if inputs.count(letter) == 1 and letter.isalpha())
    return f"{','.join(terms)}->{output.replace('...', dots) if arrow else dots + ''.join(once)}"


def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """Return the products of a and b summed over axes: so many last of a and first of b, or a list of each.

    >>> import tinygrad_lstm as tl
    >>> tl.tensordot(tl.tensor([[1, 2], [3, 4]]), tl.tensor([1, 10]), axes=1)
    tensor([21., 43.], made by einsum)
    """
    if isinstance(axes, int | np.integer):
        axes = range(a.ndim - int(axes), a.ndim), range(int(axes))
    of_a, of_b = (
        [axis_of(x, i) for i in ([side] if isinstance(side, int | np.integer) else side)]
        for x, side in zip((a, b), axes, strict=True)
    )
    letters = string.ascii_letters[: a.ndim], list(string.ascii_letters[a.ndim : a.ndim + b.ndim])
    if [a.shape[i] for i in of_a] != [b.shape[j] for j in of_b]:
        raise ShapeError(f"the axes {of_a} of {a.shape} and {of_b} of {b.shape} differ")
    for i, j in zip(of_a, of_b, strict=True):
        letters[1][j] = letters[0][i]
    left = [letter for letter in letters[0] if letter not in letters[1]]
    right = [letter for letter in letters[1] if letter not in letters[0]]
    return einsum(f"{letters[0]},{''.join(letters[1])}->{''.join(left + right)}", a, b)


def dot(a: Any, b: Any) -> Any:
    """Return the product of vectors or matrices as numpy's dot: with a number, that of all numbers.

    >>> import tinygrad_lstm as tl
    >>> tl.dot(tl.tensor([1, 2]), tl.tensor([3, 4]))
    tensor(11., made by matmul)
    """
    if a.ndim and b.ndim in (1, 2):
        return np.matmul(a, b)
    return ops.mul(a, b) if 0 in (a.ndim, b.ndim) else tensordot(a, b, (-1, -2))


def outer(a: Any, b: Any) -> Any:
    """Return each number of a times each of b. a: any shape of m numbers, b: of n → (m, n).

    >>> import tinygrad_lstm as tl
    >>> tl.outer(tl.tensor([1, 2]), tl.tensor([3, 4])).tolist()
    [[3.0, 4.0], [6.0, 8.0]]
    """
    return ops.mul(_reshaped(a, (a.size, 1)), _reshaped(b, (1, b.size)))


# Functions of one number.


def square(x: Any) -> Any:
    """Return x². The result has the shape of x.

    >>> import tinygrad_lstm as tl
    >>> tl.square(tl.tensor([-1, 0, 2]))
    tensor([1., 0., 4.], made by mul)
    """
    return ops.mul(x, x)


def reciprocal(x: Any) -> Any:
    """Return 1 / x. It has no value at x = 0.

    >>> import tinygrad_lstm as tl
    >>> tl.reciprocal(tl.tensor([-1, 2]))
    tensor([-1. ,  0.5], made by div)
    """
    return ops.div(1, x)


def sign(x: Any) -> Any:
    """Return 1 where x > 0, −1 where x < 0, and 0 at 0: constant almost everywhere, so that no gradient flows.

    >>> import tinygrad_lstm as tl
    >>> tl.sign(tl.tensor([-3, 0, 2]))
    tensor([-1.,  0.,  1.], made by sub)
    """
    return ops.sub(ops.greater(x, 0), ops.greater(0, x))


def tan(x: Any) -> Any:
    """Return the tangent of x, in radians, sin x / cos x.

    >>> import tinygrad_lstm as tl
    >>> tl.tan(tl.tensor([-1, 0, 2]))
    tensor([-1.5574,  0.    , -2.185 ], made by div)
    """
    return ops.div(ops.sin(x), ops.cos(x))


def cosh(x: Any) -> Any:
    """Return the hyperbolic cosine, (eˣ + e⁻ˣ) / 2; by eˣᐟ², so that nothing overflows that need not.

    >>> import tinygrad_lstm as tl
    >>> tl.cosh(tl.tensor([-1, 0, 2]))
    tensor([1.5431, 1.    , 3.7622], made by add)
    """
    half = ops.div(x, 2)
    roots = ops.exp(half), ops.exp(ops.neg(half))
    return ops.add(*(ops.mul(ops.div(root, 2), root) for root in roots))


def sinh(x: Any) -> Any:
    """Return the hyperbolic sine, (eˣ − e⁻ˣ) / 2, as tanh x cosh x, which is accurate near 0.

    >>> import tinygrad_lstm as tl
    >>> tl.sinh(tl.tensor([-1, 0, 2]))
    tensor([-1.1752,  0.    ,  3.6269], made by mul)
    """
    return ops.mul(ops.tanh(x), cosh(x))


def gelu(x: Any, approximate: str = "none") -> Any:
    """Return x Φ(x), with Φ the normal distribution (Hendrycks & Gimpel 2016): a smooth relu.

    Computed with erfc, it has all its digits also where it is next to nothing; with approximate="tanh" it is theirs by
    tanh, x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2.

    >>> import tinygrad_lstm as tl
    >>> tl.gelu(tl.tensor([-1, 0, 2]))
    tensor([-0.1587,  0.    ,  1.9545], made by mul)
    """
    if approximate == "tanh":
        inside = ops.mul(ops.add(x, ops.mul(ops.mul(x, square(x)), 0.044715)), math.sqrt(2 / math.pi))
        return ops.mul(x, ops.sigmoid(ops.mul(inside, 2)))  # 1 + tanh a is 2 σ(2a), without cancellation
    if approximate != "none":
        raise ValueError(f"approximate must be 'none' or 'tanh', not {approximate!r:.60}")
    return ops.mul(ops.mul(x, 0.5), ops.erfc(ops.mul(x, -math.sqrt(0.5))))


def silu(x: Any) -> Any:
    """Return x σ(x) (Elfwing, Uchibe & Doya 2018), also called swish: a smooth relu.

    >>> import tinygrad_lstm as tl
    >>> tl.silu(tl.tensor([-1, 0, 2]))
    tensor([-0.2689,  0.    ,  1.7616], made by mul)
    """
    return ops.mul(x, ops.sigmoid(x))


def elu(x: Any, alpha: float = 1.0) -> Any:
    """Return x where x > 0 and α (eˣ − 1) elsewhere (Clevert, Unterthiner & Hochreiter 2016).

    >>> import tinygrad_lstm as tl
    >>> tl.elu(tl.tensor([-1, 0, 2]))
    tensor([-0.6321,  0.    ,  2.    ], made by add)
    """
    return ops.add(ops.relu(x), ops.mul(ops.expm1(ops.minimum(x, 0)), number(alpha=alpha)))


def leaky_relu(x: Any, slope: float = 0.01) -> Any:
    """Return x where x > 0 and slope · x elsewhere (Maas, Hannun & Ng 2013). At 0 its derivative is the mean of both.

    >>> import tinygrad_lstm as tl
    >>> tl.leaky_relu(tl.tensor([-1, 0, 2]))
    tensor([-0.01,  0.  ,  2.  ], made by add)
    """
    return ops.add(ops.relu(x), ops.mul(ops.minimum(x, 0), number(slope=slope)))


def hardsigmoid(x: Any) -> Any:
    """Return x / 6 + ½, held between 0 and 1: σ made of straight lines (Courbariaux, Bengio & David 2015).

    >>> import tinygrad_lstm as tl
    >>> tl.hardsigmoid(tl.tensor([-4, 0, 1.5]))
    tensor([0.  , 0.5 , 0.75], made by minimum)
    """
    return clip(ops.div(ops.add(x, 3), 6), 0, 1)


def hardtanh(x: Any) -> Any:
    """Return x, held between −1 and 1: tanh made of straight lines (Collobert 2004).

    >>> import tinygrad_lstm as tl
    >>> tl.hardtanh(tl.tensor([-4, 0, 0.5]))
    tensor([-1. ,  0. ,  0.5], made by minimum)
    """
    return clip(x, -1, 1)


def logsigmoid(x: Any) -> Any:
    """Return log σ(x) = −log(1 + e⁻ˣ), without overflow.

    >>> import tinygrad_lstm as tl
    >>> tl.logsigmoid(tl.tensor([-1000, 0, 2]))
    tensor([-1.0000e+03, -6.9315e-01, -1.2693e-01], made by neg)
    """
    return ops.neg(ops.softplus(ops.neg(x)))


def softsign(x: Any) -> Any:
    """Return x / (1 + |x|), between −1 and 1 (Bergstra et al. 2009).

    >>> import tinygrad_lstm as tl
    >>> tl.softsign(tl.tensor([-1, 0, 3]))
    tensor([-0.5 ,  0.  ,  0.75], made by div)
    """
    return ops.div(x, ops.add(1, ops.abs(x)))


def logaddexp(a: Any, b: Any) -> Any:
    """Return log(eᵃ + eᵇ), without overflow: the larger, and a softplus of the difference.

    >>> import tinygrad_lstm as tl
    >>> tl.logaddexp(tl.tensor([0, 1000]), tl.tensor([0, -1000]))
    tensor([6.9315e-01, 1.0000e+03], made by add)
    """
    same = np.isinf(numbers_of(a)) & (numbers_of(a) == numbers_of(b))  # a difference of infinities is no number
    if same.any():
        return ops.where(same, numbers_of(a), logaddexp(ops.where(same, 0, a), ops.where(same, 0, b)))
    wins = ops.greater(a, b)
    larger, smaller = ops.where(wins, a, b), ops.where(wins, b, a)
    return ops.add(larger, ops.softplus(ops.sub(smaller, larger)))


def clip(x: Any, low: Any = None, high: Any = None) -> Any:
    """Return x held between low and high, one of which may be None; where it is at a bound half the gradient flows.

    >>> import tinygrad_lstm as tl
    >>> tl.clip(tl.tensor([-3, 0, 2]), -1, 1)
    tensor([-1.,  0.,  1.], made by minimum)
    """
    if low is None and high is None:
        raise TypeError("give it a least number, a largest, or both, as in clip(x, 0, 1)")
    x = x if low is None else ops.maximum(x, low)
    return x if high is None else ops.minimum(x, high)


# Along axes.


def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Return where the largest number stands, the first of several: an array of integers, which has no gradient.

    >>> import tinygrad_lstm as tl
    >>> tl.argmax(tl.tensor([[1, 3, 2], [6, 5, 4]]), axis=1).tolist()
    [1, 0]
    """
    return answered(np.argmax(numbers_of(x), axis=axis, keepdims=keepdims))


def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Return where the smallest number stands, the first of several: an array of integers, which has no gradient.

    >>> import tinygrad_lstm as tl
    >>> tl.argmin(tl.tensor([[1, 3, 2], [6, 5, 4]]), axis=1).tolist()
    [0, 2]
    """
    return answered(np.argmin(numbers_of(x), axis=axis, keepdims=keepdims))


def prod(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the product of x along an axis, several, or all (None), by halves: exact derivatives also at zeros.

    >>> import tinygrad_lstm as tl
    >>> tl.prod(tl.tensor([-1, 3, 2]))
    tensor(-6., made by reshape)
    """
    axes = axes_of(x, axis)
    others = [i for i in range(x.ndim) if i not in axes]
    rows = math.prod(x.shape[i] for i in axes)
    factors = _reshaped(ops.transpose(x, axes=(*axes, *others)), (rows, *(x.shape[i] for i in others)))
    if not rows:
        factors = ops.add(ops.sum(factors, axis=0, keepdims=True), 1)  # of nothing
    while (n := factors.shape[0]) > 1:
        one, other, *rest = split(factors, [n // 2, n - n % 2][: 1 + n % 2])
        factors = ops.concat(ops.mul(one, other), *rest) if rest else ops.mul(one, other)
    shape = tuple(1 if i in axes else n for i, n in enumerate(x.shape) if keepdims or i not in axes)
    return ops.reshape(factors, shape=shape)


def var(x: Any, axis: Any = None, keepdims: bool = False, ddof: float = 0) -> Any:
    """Return the mean of (x − mean x)², or with ddof=1 their sum divided by n − 1: two passes, so no cancellation.

    >>> import tinygrad_lstm as tl
    >>> tl.var(tl.tensor([1e9, 1e9 + 2]), axis=0)
    tensor(1., made by div)
    """
    deviation = ops.sub(x, ops.mean(x, axis=axis, keepdims=True))
    freedom = math.prod(x.shape[i] for i in axes_of(x, axis)) - number(ddof=ddof)
    if freedom <= 0:
        raise ValueError(f"of so few numbers there is no variance with ddof={ddof}: their shape is {x.shape}")
    return ops.div(ops.sum(ops.mul(deviation, deviation), axis=axis, keepdims=keepdims), float(freedom))


def std(x: Any, axis: Any = None, keepdims: bool = False, ddof: float = 0) -> Any:
    """Return the standard deviation, the root of the variance. Where all are equal its derivative is taken as 0.

    >>> import tinygrad_lstm as tl
    >>> tl.std(tl.tensor([1, 3]), axis=0).item()
    1.0
    """
    return _root(var(x, axis, keepdims, ddof))


def norm(x: Any, ord: float = 2, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the length of x, (Σ |x|ᵖ)^(1/p) with p = ord; the largest |x| for inf. At 0 its derivative is taken as 0.

    >>> import tinygrad_lstm as tl
    >>> tl.norm(tl.tensor([3, -4]))
    tensor(5., made by sub)
    >>> tl.norm(tl.tensor([3, -4]), 1)
    tensor(7., made by sub)
    """
    p = number(ord=ord)
    if p == math.inf:
        return ops.max(ops.abs(x), axis=axis, keepdims=keepdims)
    if not p > 0:
        raise ValueError(f"ord must be above 0, or inf, not {ord!r}")
    powers = ops.mul(x, x) if p == 2 else ops.pow(ops.abs(x), p)
    return _root(ops.sum(powers, axis=axis, keepdims=keepdims), p)


def _root(x: Any, p: float = 2) -> Any:
    """Return the p-th root, whose slope at 0 would be infinite: of 1 instead, less 1, it is finite and no harm."""
    zero = ops.equal(x, 0)
    away = ops.add(x, zero)
    return ops.sub(ops.sqrt(away) if p == 2 else ops.pow(away, 1 / p), zero)


# The same numbers in other places.


def split(x: Any, parts: Any, axis: int = 0) -> list[Any]:
    """Return x cut along an axis: into so many equal parts, or before each of a list of places, as in numpy.

    >>> import tinygrad_lstm as tl
    >>> [part.tolist() for part in tl.split(tl.tensor([1, 2, 3, 4]), [1, 3], axis=0)]
    [[1.0], [2.0, 3.0], [4.0]]
    """
    axis = axis_of(x, axis)
    n = x.shape[axis]
    if isinstance(parts, int | np.integer):
        if parts < 1 or n % parts:
            raise ShapeError(f"{n} does not divide into {parts} equal parts")
        parts = range(n // parts, n, n // parts) if n else [0] * (parts - 1)
    ends = [*map(index_of, parts)]
    before = (slice(None),) * axis
    return [x[(*before, slice(a, b))] for a, b in zip([0, *ends], [*ends, n], strict=True)]


def chunk(x: Any, chunks: int, axis: int = 0) -> list[Any]:
    """Return x cut along an axis into so many parts at most, all of one size but the last.

    >>> import tinygrad_lstm as tl
    >>> [part.shape for part in tl.chunk(tl.tensor([1, 2, 3, 4, 5]), 3)]
    [(2,), (2,), (1,)]
    """
    axis, count = axis_of(x, axis), index_of(chunks)
    if count < 1:
        raise ValueError(f"there must be one chunk at least, not {chunks}")
    size = max(1, -(-x.shape[axis] // count))
    return split(x, list(range(size, x.shape[axis], size)), axis)


def squeeze(x: Any, axis: Any = None) -> Any:
    """Return x without axes of length 1: one, several, or all such (None).

    >>> import tinygrad_lstm as tl
    >>> tl.squeeze(tl.tensor([[[1], [2]]]), axis=0).shape
    (2, 1)
    """
    return _reshaped(x, np.squeeze(np.empty(x.shape, bool), axis).shape)


def expand_dims(x: Any, axis: Any) -> Any:
    """Return x with a new axis of length 1, or several.

    >>> import tinygrad_lstm as tl
    >>> tl.expand_dims(tl.tensor([1, 2]), axis=0).shape
    (1, 2)
    """
    return _reshaped(x, np.expand_dims(np.empty(x.shape, bool), axis).shape)


def flatten(x: Any, start: int = 0, end: int = -1) -> Any:
    """Return x with the axes from start to end, that too, made one.

    >>> import tinygrad_lstm as tl
    >>> tl.flatten(tl.zeros(2, 3, 4), 1).shape
    (2, 12)
    """
    if not x.ndim:
        return _reshaped(x, (1,))
    first, last = axis_of(x, start), axis_of(x, end)
    if first > last:
        raise ValueError(f"the axes from {start} to {end} of shape {x.shape} are none")
    return _reshaped(x, (*x.shape[:first], math.prod(x.shape[first : last + 1]), *x.shape[last + 1 :]))


def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Return x with two axes exchanged.

    >>> import tinygrad_lstm as tl
    >>> tl.swapaxes(tl.zeros(2, 3, 4), 0, 2).shape
    (4, 3, 2)
    """
    i, j = axis_of(x, axis1), axis_of(x, axis2)
    return ops.transpose(x, axes=tuple({i: j, j: i}.get(k, k) for k in range(x.ndim)))


def expand(x: Any, shape: Any) -> Any:
    """Return x repeated along axes of length 1, and along new ones in front; −1 leaves a side as it is.

    >>> import tinygrad_lstm as tl
    >>> tl.expand(tl.tensor([[1], [2]]), (3, -1, 2)).shape
    (3, 2, 2)
    """
    wanted = listed((shape,))
    if len(wanted) < x.ndim:
        raise ShapeError(f"of shape {x.shape} there is no {wanted}: it must have {x.ndim} axes at least")
    sides = (-1,) * (len(wanted) - x.ndim) + x.shape
    return ops.broadcast_to(x, shape=tuple(m if n == -1 else n for n, m in zip(wanted, sides, strict=True)))


def flip(x: Any, axis: Any = None) -> Any:
    """Return x in reverse order along an axis, several, or all (None).

    >>> import tinygrad_lstm as tl
    >>> tl.flip(tl.tensor([1, 2, 3]))
    tensor([3., 2., 1.], made by getitem)
    """
    axes = axes_of(x, axis)
    return x[tuple(slice(None, None, -1 if i in axes else None) for i in range(x.ndim))]


def pad(x: Any, widths: Any, value: float = 0.0) -> Any:
    """Return x with so much of a value around it: widths as numpy's, (before, after) for each axis or for all.

    >>> import tinygrad_lstm as tl
    >>> tl.pad(tl.tensor([1, 2]), (1, 2))
    tensor([0., 1., 2., 0., 0.], made by index_add)
    """
    pairs = [tuple(map(index_of, pair)) for pair in np.broadcast_to(np.asarray(widths), (x.ndim, 2)).tolist()]
    if any(width < 0 for pair in pairs for width in pair):
        raise ValueError(f"nothing is padded by less than 0, as in {widths!r:.60}; cut with x[1:-1]")
    sides = [(before, n, after) for (before, after), n in zip(pairs, x.shape, strict=True)]
    index = tuple(slice(before, before + n) for before, n, _ in sides)
    placed = ops.index_add(x, index=index, shape=tuple(map(sum, sides)))
    if not number(value=value):
        return placed
    around = np.pad(np.zeros(x.shape, numbers_of(x).dtype), pairs, constant_values=value)
    return ops.add(placed, around)


def tile(x: Any, reps: Any) -> Any:
    """Return x repeated, so many times along each of its last axes.

    >>> import tinygrad_lstm as tl
    >>> tl.tile(tl.tensor([1, 2]), 2)
    tensor([1., 2., 1., 2.], made by reshape)
    """
    times = [1] * (x.ndim - len(listed((reps,)))) + [*listed((reps,))]
    sides = (1,) * (len(times) - x.ndim) + x.shape
    apart = _reshaped(x, tuple(n for side in sides for n in (1, side)))
    repeated = ops.broadcast_to(apart, shape=tuple(n for pair in zip(times, sides, strict=True) for n in pair))
    return ops.reshape(repeated, shape=tuple(n * side for n, side in zip(times, sides, strict=True)))


def tril(x: Any, k: int = 0) -> Any:
    """Return x with zeros above its k-th diagonal, counted upwards from the main one: what a causal mask leaves.

    >>> import tinygrad_lstm as tl
    >>> tl.tril(tl.tensor([[1, 2], [3, 4]])).tolist()
    [[1.0, 0.0], [3.0, 4.0]]
    """
    return ops.where(_triangle(x, k), x, 0)


def triu(x: Any, k: int = 0) -> Any:
    """Return x with zeros below its k-th diagonal.

    >>> import tinygrad_lstm as tl
    >>> tl.triu(tl.tensor([[1, 2], [3, 4]])).tolist()
    [[1.0, 2.0], [0.0, 4.0]]
    """
    return ops.where(_triangle(x, k - 1), 0, x)


def _triangle(x: Any, k: int) -> Any:
    if x.ndim < 2:
        raise ShapeError(f"a triangle is part of a matrix, and shape {x.shape} is none")
    return np.tri(x.shape[-2], x.shape[-1], index_of(k))


def _reshaped(x: Any, shape: tuple[int, ...]) -> Any:
    return x if x.shape == shape else ops.reshape(x, shape=shape)


speaking_for_themselves(globals())
for _name in ops.BUILTIN.keys() & globals().keys():
    ops.BUILTIN[_name].describe(globals()[_name])

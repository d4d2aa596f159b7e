"""How many units in the last place each forward is off, in both precisions: ``python -m tests.accuracy`` prints it.

The truth is mpmath's own function, or the definition of a textbook on numbers of 60 digits; never the forward itself.
"""

import functools
import math
import warnings

import mpmath
import numpy as np
from mpmath import mpf
from rich.console import Console
from rich.table import Table

from tinygrad_lstm.engine import functions
from tinygrad_lstm.engine.ops import BUILTIN

CONTEXT = mpmath.mp.clone()
CONTEXT.dps = 60

ELEMENTWISE = {
    "exp": CONTEXT.exp,
    "log": CONTEXT.log,
    "sqrt": CONTEXT.sqrt,
    "expm1": CONTEXT.expm1,
    "log1p": CONTEXT.log1p,
    "sin": CONTEXT.sin,
    "cos": CONTEXT.cos,
    "arctan": CONTEXT.atan,
    "erf": CONTEXT.erf,
    "erfc": CONTEXT.erfc,
    "floor": CONTEXT.floor,
    "tanh": CONTEXT.tanh,
    "sigmoid": lambda x: 1 / (1 + CONTEXT.exp(-x)),
    "softplus": lambda x: CONTEXT.log1p(CONTEXT.exp(x)),
    "relu": lambda x: max(x, CONTEXT.mpf(0)),
    "abs": abs,
    "neg": lambda x: -x,
}
COMPOSED = {
    "tan": CONTEXT.tan,
    "sinh": CONTEXT.sinh,
    "cosh": CONTEXT.cosh,
    "gelu": lambda x: x * CONTEXT.ncdf(x),
    "silu": lambda x: x / (1 + CONTEXT.exp(-x)),
    "elu": lambda x: x if x > 0 else CONTEXT.expm1(x),
    "leaky_relu": lambda x: x if x > 0 else x * CONTEXT.mpf(0.01),
    "hardsigmoid": lambda x: min(max((x + 3) / 6, CONTEXT.mpf(0)), CONTEXT.mpf(1)),
    "logsigmoid": lambda x: -CONTEXT.log1p(CONTEXT.exp(-x)),
    "softsign": lambda x: x / (1 + abs(x)),
    "square": lambda x: x * x,
    "reciprocal": lambda x: 1 / x,
}
"""Functions of one number that are composed of primitives."""

UNITS = {"gelu": lambda t, x: t * max(1.0, x * x), "silu": lambda t, x: t}
"""In last places of what they are given: of x² / 2 an exponential is taken, and a factor may be next to nothing."""

BINARY = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "pow": lambda a, b: a**b,
    "maximum": max,
    "minimum": min,
}
ROWS = {
    "softmax": lambda row: [CONTEXT.exp(x) / CONTEXT.fsum(map(CONTEXT.exp, row)) for x in row],
    "log_softmax": lambda row: [x - CONTEXT.log(CONTEXT.fsum(map(CONTEXT.exp, row))) for x in row],
    "logsumexp": lambda row: [CONTEXT.log(CONTEXT.fsum(map(CONTEXT.exp, row)))],
}
SUMS = {
    "sum": lambda x, forward: (forward(x, axis=0, keepdims=False), x, 1),
    "mean": lambda x, forward: (forward(x, axis=0, keepdims=False), x, len(x)),
    "cumsum": lambda x, forward: (forward(x, axis=0)[-1], x, 1),
    "einsum": lambda x, forward: (forward(x[:, :1].T.copy(), x[:, 1:])[0], x[:, :1].astype(float) * x[:, 1:], 1),
    "matmul": lambda x, forward: (forward(x[:, 0][None], x[:, 1:])[0], x[:, :1].astype(float) * x[:, 1:], 1),
}
"""How each is called on (n, k) numbers, what it sums along the first axis, and what the sum is divided by."""

NUMPYS = {"sigmoid": (np.exp,), "softplus": (np.exp, np.log1p)}
"""What of numpy a forward that numpy does not have is made of."""

ALLOWED = {np.float64: 2.0, np.float32: 4.0}
ALLOWED_OF = {"erfc": 6.0, "tan": 4.0, "sinh": 6.0, "cosh": 5.0, "gelu": 4.0, "silu": 3.0}
"""Of what is made of several functions, each of which rounds."""

ABOVE_NUMPY = 2.0
ALLOWED_OF_SUMS = 1.0
"""Units of rounding of Σ|terms|, for each term that is added: what any order of summing keeps to."""

ALLOWED_OF_ROWS = 4.0
"""Of a row's softmax and logarithm: in units of the largest that takes part: x − max is rounded there."""


def points(dtype, positive=False, every=1):
    """The whole range of a type: every decade, both signs, both tails of an exponential, and beside 0.

    Every how many of what is drawn; what has a name is always there.
    """
    rng = np.random.default_rng(0)
    end = 745 if dtype is np.float64 else 103
    decades = 10.0 ** rng.uniform(-323 if dtype is np.float64 else -44, 6, 2000)
    tails = rng.uniform(-end, end, 2000)
    drawn = np.concatenate([decades, -decades, tails, rng.normal(size=1000)])
    x = np.concatenate([drawn[::every], [0.0, -0.0, 1.0, -1.0, 36.7, 88.0, 709.0]])
    return np.unique(np.abs(x[x != 0]) if positive else x).astype(dtype)


def ulps(value, truth, dtype, unit=None):
    """The largest distance in units in the last place of the truth, and where; infinite for what is not a number."""
    worst, where = 0.0, 0
    for i, (y, t) in enumerate(zip(np.ravel(value), truth, strict=True)):
        with np.errstate(over="ignore"):
            rounded = dtype(float(t))
        if not np.isfinite(rounded):
            off = 0.0 if y == rounded else np.inf
        elif not np.isfinite(y):
            off = np.inf
        else:
            last = np.spacing(np.abs(rounded) if unit is None else dtype(max(unit[i], abs(float(rounded)))))
            off = float(abs(mpf(float(y)) - t) / mpf(float(last)))
        if off > worst:
            worst, where = off, i
    return worst, where


@functools.cache
def truths(name, dtype, every):
    """Where a function of one number is looked at, and what is true there, whichever forward is asked."""
    entry, truth = BUILTIN.get(name), ELEMENTWISE.get(name) or COMPOSED[name]
    x = points(dtype, entry is not None and all(entry.positive_inputs), every)
    x = x[x > entry.domains[0][0]] if entry else x[(np.abs(x) > 1e-300) | (name != "reciprocal")]
    return x, [truth(CONTEXT.mpf(float(v))) for v in x]


@functools.cache
def of_elementwise(name, dtype, forward=None, every=1):
    """(ulps, where) of a function of one number over its whole range, at every how many of its points."""
    entry, (x, exact) = BUILTIN.get(name), truths(name, dtype, every)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        value = (forward or (entry.forward if entry else getattr(functions, name)))(x)
    assert value.dtype == dtype
    least, rounded = np.finfo(dtype).tiny, UNITS.get(name)
    unit = rounded and [
        max(rounded(float(abs(t)), v), abs(v) * least) for t, v in zip(exact, x.astype(float), strict=True)
    ]
    worst, where = ulps(value, exact, dtype, unit)
    return worst, x[where]


def of_numpy(name, dtype, every=1):
    """Ulps of what numpy itself computes on this machine, where the forward is made of it: the most that any is off."""
    x = points(dtype, every=every)
    worst = 0.0
    for function in NUMPYS[name]:
        at = np.minimum(x, 80) if function is np.exp else np.abs(x)
        truth = getattr(CONTEXT, function.__name__)
        with np.errstate(all="ignore"):
            worst = max(worst, ulps(function(at), [truth(CONTEXT.mpf(float(v))) for v in at], dtype)[0])
    return worst


def of_sums(name, dtype, forward=None):
    """(units of rounding of Σ|terms| for each term, how many terms), of sums that cancel and of such that do not."""
    rng, worst, where = np.random.default_rng(0), 0.0, 0
    for terms in (1, 2, 7, 100, 3000):
        for x in (rng.normal(size=(terms, 4)), rng.uniform(size=(terms, 4)), np.exp(5 * rng.normal(size=(terms, 4)))):
            value, summed, by = SUMS[name](x.astype(dtype), forward or BUILTIN[name].forward)
            assert value.dtype == dtype
            truth = [math.fsum(column) / by for column in summed.astype(float).T]
            size = np.abs(summed.astype(float)).sum(axis=0) / by
            off = float((np.abs(value.astype(float) - truth) / (np.finfo(dtype).eps * size * terms)).max())
            if off > worst:
                worst, where = off, terms
    return worst, where


def of_binary(name, dtype):
    rng = np.random.default_rng(0)
    a, b = (np.exp(rng.uniform(-12, 12, 3000)) * rng.choice([-1, 1], 3000) for _ in range(2))
    if name == "pow":
        a, b = np.abs(a), rng.uniform(-3, 3, 3000)
    a, b = a.astype(dtype), b.astype(dtype)
    value = BUILTIN[name].forward(a, b)
    truth = [BINARY[name](CONTEXT.mpf(float(x)), CONTEXT.mpf(float(y))) for x, y in zip(a, b, strict=True)]
    worst, where = ulps(value, truth, dtype)
    return worst, (a[where], b[where])


def of_rows(name, dtype, forward=None):
    """(ulps, where) of what works on a row: of any size, far from 0, and with entries far below the largest."""
    rng, worst, at = np.random.default_rng(0), 0.0, None
    for shift in (0, 1e4, -1e4, 80):
        for scale in (1e-3, 1, 10, 60, 400):
            row = (scale * rng.normal(size=9) + shift).astype(dtype)
            with np.errstate(all="ignore"):
                value = np.ravel((forward or BUILTIN[name].forward)(row))
            truth = ROWS[name]([CONTEXT.mpf(float(v)) for v in row])
            spread = np.abs(row.astype(float) - row.max())
            unit = {"softmax": [float(t) * max(1, s) for t, s in zip(truth, spread, strict=False)]}.get(name)
            unit = unit or [max(1.0, *spread)] * len(value)
            found, _ = ulps(value, truth, dtype, unit)
            if found > worst:
                worst, at = found, (shift, scale)
    return worst, at


def main():
    table = Table("forward", "float64", "float32", "worst at, in float64", title="Units in the last place")
    for names, measure in ((ELEMENTWISE, of_elementwise), (BINARY, of_binary), (ROWS, of_rows), (SUMS, of_sums)):
        for name in names:
            (double, at), (single, _) = measure(name, np.float64), measure(name, np.float32)
            table.add_row(name, f"{double:.2f}", f"{single:.2f}", str(at))
    Console().print(table)


if __name__ == "__main__":
    main()

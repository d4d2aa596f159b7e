"""Kinks and ties, and forwards by np.abs, np.where, np.clip, np.maximum: one side wrong, or counted twice."""

import numpy as np

from .case import differently, function, normal

function(
    "relu",
    "kink",
    lambda x: np.maximum(x, 0),
    lambda g, y, x: (g * (x > 0),),
    [-1.0, 2.0, 0.5, -3.0],
    right="the standard one",
    wrong={
        "open on the wrong side": lambda g, y, x: (g * (x < 0),),
        "by y ≥ 0": lambda g, y, x: (g * (y >= 0),),
        "at x = 0 of slope 2": differently(
            lambda g, y, x: (g * ((x > 0) + 2.0 * (x == 0)),), inputs=([-1.0, 0.0, 2.0],)
        ),
    },
)
function(
    "relu at zeros",
    "kink",
    lambda x: np.maximum(x, 0),
    lambda g, y, x: (g * (x > 0),),
    [0.0, 1.0, -2.0, 0.0],
    right="slope 0 at 0, as in every framework; some entries are zero",
)
function(
    "relu6",
    "kink",
    lambda x: np.clip(x, 0, 6),
    lambda g, y, x: (g * ((x > 0) & (x < 6)),),
    [-1.0, 2.0, 7.0, 5.5],
    right="two kinks",
    wrong={"the upper one forgotten": lambda g, y, x: (g * (x > 0),)},
)
function(
    "absolute value",
    "kink",
    np.abs,
    lambda g, y, x: (g * np.sign(x),),
    [-1.0, 2.0, -0.3],
    right="np.abs, which a complex step cannot take",
    wrong={
        "slope 1 on both sides": lambda g, y, x: (g * np.ones_like(x),),
        "at zero of slope 3": differently(
            lambda g, y, x: (g * np.where(x == 0, 3.0, np.sign(x)),), inputs=([0.0, 1.0],)
        ),
        "1 − 1e-6": lambda g, y, x: (g * np.sign(x) * (1 - 1e-6),),
    },
)
function(
    "huber by np.abs",
    "kink",
    lambda x: np.where(np.abs(x) <= 1, x * x / 2, np.abs(x) - 0.5),
    lambda g, y, x: (g * np.clip(x, -1, 1),),
    [0.3, -0.5, 2.0, -3.0],
    right="first seen inside, and outside",
    wrong={
        "outside without its sign": lambda g, y, x: (g * np.where(np.abs(x) <= 1, x, 1.0),),
        "outside x": lambda g, y, x: (g * x,),
        "outside of slope 2": lambda g, y, x: (g * np.where(np.abs(x) <= 1, x, 2 * np.sign(x)),),
        "inside 2x": lambda g, y, x: (g * np.where(np.abs(x) <= 1, 2 * x, np.sign(x)),),
    },
)
function(
    "huber at its seams",
    "kink",
    lambda x: np.where(np.abs(x) <= 1, x * x / 2, np.abs(x) - 0.5),
    lambda g, y, x: (g * np.clip(x, -1, 1),),
    [1.0, -1.0, 0.0, 2.0],
    right="smooth once there, and no kink at all",
)
function(
    "charbonnier",
    "abs",
    lambda x: np.sqrt(np.abs(x) ** 2 + 1e-4),
    lambda g, y, x: (g * x / y,),
    normal(5),
    right="|x|² where x² would do",
    wrong={
        "sign(x) for x / y": differently(lambda g, y, x: (g * np.sign(x),), inputs=([0.01, -0.02, 1.0],)),
        "a factor of 2": lambda g, y, x: (2 * g * x / y,),
    },
)
function(
    "soft threshold",
    "abs",
    lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0),
    lambda g, y, x: (g * (np.abs(x) > 0.5),),
    [-2.0, 0.1, 0.7, -0.3, 3.0],
    right="dead in the middle",
    wrong={
        "dead on the negative side": lambda g, y, x: (g * (x > 0.5),),
        "with the sign of x": lambda g, y, x: (g * np.sign(x) * (np.abs(x) > 0.5),),
        "alive in the middle": lambda g, y, x: (g * np.ones_like(x),),
    },
)
function(
    "softsign",
    "abs",
    lambda x: x / (1 + np.abs(x)),
    lambda g, y, x: (g / (1 + np.abs(x)) ** 2,),
    normal(5, seed=5),
    right="smooth, though np.abs is in it",
    wrong={"1 + x": lambda g, y, x: (g / (1 + x) ** 2,), "not squared": lambda g, y, x: (g / (1 + np.abs(x)),)},
)
function(
    "hinge",
    "kink",
    lambda s: np.maximum(0, 1 - s),
    lambda g, y, s: (-g * (s < 1),),
    [0.3, 2.0, -1.0],
    wrong={"the sign": lambda g, y, s: (g * (s < 1),), "s < 0": lambda g, y, s: (-g * (s < 0),)},
)
function(
    "squared hinge",
    "kink",
    lambda s: np.maximum(0, 1 - s) ** 2,
    lambda g, y, s: (-2 * g * np.maximum(0, 1 - s),),
    [0.3, 1.0, 2.0, -1.0],
    right="smooth at 1",
    wrong={"not cut": lambda g, y, s: (-2 * g * (1 - s),)},
)
function(
    "pinball",
    "kink",
    lambda x: np.maximum(0.9 * x, -0.1 * x),
    lambda g, y, x: (g * np.where(x > 0, 0.9, -0.1),),
    [-2.0, 1.0, 0.5],
    right="the quantile loss",
    wrong={
        "τ and 1 − τ exchanged": lambda g, y, x: (g * np.where(x > 0, 0.1, -0.9),),
        "the negative side's sign": lambda g, y, x: (g * np.where(x > 0, 0.9, 0.1),),
    },
)
function(
    "ε-insensitive",
    "kink",
    lambda x: np.maximum(np.abs(x) - 0.1, 0),
    lambda g, y, x: (g * np.sign(x) * (np.abs(x) > 0.1),),
    [-1.0, 0.05, 0.4],
    right="of support vectors",
    wrong={"without the tube": lambda g, y, x: (g * np.sign(x),)},
)
function(
    "clip",
    "kink",
    lambda x: np.clip(x, -1, 1),
    lambda g, y, x: (g * (np.abs(x) < 1),),
    [-2.0, 0.5, 3.0, -0.2],
    right="np.clip",
    wrong={"passes everywhere": lambda g, y, x: (g,), "the lower bound forgotten": lambda g, y, x: (g * (x < 1),)},
)
function(
    "hard sigmoid",
    "kink",
    lambda x: np.clip(0.2 * x + 0.5, 0, 1),
    lambda g, y, x: (0.2 * g * (np.abs(x) < 2.5),),
    [-3.0, 0.4, 1.0, 4.0],
    right="Keras'",
    wrong={
        "the 0.2 forgotten": lambda g, y, x: (g * (np.abs(x) < 2.5),),
        "bounds of the output on the input": lambda g, y, x: (0.2 * g * ((x > 0) & (x < 1)),),
    },
)
function(
    "triangle",
    "kink",
    lambda x: np.maximum(1 - np.abs(x), 0),
    lambda g, y, x: (-g * np.sign(x) * (np.abs(x) < 1),),
    [-0.5, 0.2, 2.0],
    right="the kernel of bilinear interpolation, of spatial transformers",
    wrong={"no sign": lambda g, y, x: (-g * (np.abs(x) < 1),)},
)
function(
    "distance to the nearest whole number",
    "kink",
    lambda x: np.abs(x - np.round(x)),
    lambda g, y, x: (g * np.sign(x - np.round(x)),),
    [0.2, 1.7, -2.4],
    right="kinks at every half",
    wrong={"sign of x": lambda g, y, x: (g * np.sign(x),)},
)
function(
    "maximum",
    "tie",
    np.maximum,
    lambda g, y, a, b: (g * ((a > b) + 0.5 * (a == b)), g * ((b > a) + 0.5 * (a == b))),
    [1.0, 2.0, 3.0],
    [1.0, 5.0, -1.0],
    right="a tie, shared",
    wrong={
        "a tie counted twice": lambda g, y, a, b: (g * (a >= b), g * (b >= a)),
        "a tie counted by nobody": lambda g, y, a, b: (g * (a > b), g * (b > a)),
        "a tie counted half": lambda g, y, a, b: (g * ((a > b) + 0.25 * (a == b)), g * ((b > a) + 0.25 * (a == b))),
    },
)
function(
    "maximum, a wins",
    "tie",
    np.maximum,
    lambda g, y, a, b: (g * (a >= b), g * (a < b)),
    [1.0, 2.0, 3.0],
    [1.0, 5.0, -1.0],
    right="a tie, given to the first: a subgradient too",
)
function(
    "largest of a row",
    "tie",
    lambda x: x.max(axis=-1),
    lambda g, y, x: (g[..., None] * (x == y[..., None]) / (x == y[..., None]).sum(axis=-1, keepdims=True),),
    [[1.0, 3.0, 3.0], [2.0, 0.0, 1.0]],
    right="a tie in a row, shared",
    wrong={
        "equal entries counted twice": lambda g, y, x: (g[..., None] * (x == y[..., None]),),
        "the smallest instead": lambda g, y, x: (g[..., None] * (x == x.min(axis=-1, keepdims=True)),),
        "shared by all": lambda g, y, x: (g[..., None] * np.ones_like(x) / x.shape[-1],),
    },
)
function(
    "largest of a row, to the first",
    "tie",
    lambda x: x.max(axis=-1),
    lambda g, y, x: (g[..., None] * np.eye(x.shape[-1])[x.argmax(axis=-1)],),
    [[1.0, 3.0, 3.0], [2.0, 0.0, 1.0]],
    right="a tie, given to argmax, as PyTorch does",
)
function(
    "median",
    "tie",
    lambda x: np.sort(x)[1],
    lambda g, y, x: (g * (np.argsort(np.argsort(x, kind="stable")) == 1),),
    [3.0, 1.0, 2.0],
    right="of three",
    wrong={
        "all entries that are no extremes": differently(
            lambda g, y, x: (g * (x == np.max(x)),), inputs=([3.0, 1.0, 2.0],)
        )
    },
)
function(
    "sort",
    "tie",
    lambda x: np.sort(x),
    lambda g, y, x: (g[np.argsort(np.argsort(x))],),
    [3.0, 1.0, 2.0, -1.0],
    right="the permutation, turned round",
    wrong={
        "the permutation, not turned round": differently(
            lambda g, y, x: (g[np.argsort(x)],), inputs=([3.0, 1.0, 2.0, 5.0],)
        ),
        "not permuted": lambda g, y, x: (g,),
    },
)
function(
    "several ties at once",
    "tie",
    lambda x: np.max(np.maximum(x, 0) - np.abs(x - 1)),
    lambda g, y, x: (g * _first(np.maximum(x, 0) - np.abs(x - 1)) * ((x > 0) - np.sign(x - 1)),),
    [-2.0, 1.0, 0.0, 1.0, 0.5],
    by_hand=True,
    right="max(relu(x) − |x − 1|) on whole numbers: the first of the largest",
    wrong={
        "all of the largest": differently(
            lambda g, y, x: (g * (np.maximum(x, 0) - np.abs(x - 1) == y) * ((x > 0) - np.sign(x - 1)),),
            inputs=([0.75, 0.75, 0.5],),
        ),
        "a minus forgotten": differently(
            lambda g, y, x: (g * _first(np.maximum(x, 0) - np.abs(x - 1)) * ((x > 0) + np.sign(x - 1)),),
            inputs=([0.75, 0.25, -1.0],),
        ),
    },
)
function(
    "several ties, whole numbers",
    "tie",
    lambda x: np.max(np.maximum(x, 0) - np.abs(x - 1)),
    lambda g, y, x: (g * _first(np.maximum(x, 0) - np.abs(x - 1)) * ((x > 0) - np.sign(x - 1)),),
    [2.0, 1.0, 3.0, 0.0, -1.0, 1.0],
    by_hand=True,
    right="1, 2 and 3 are all largest, and one of them is a kink",
)
function(
    "product of zeros",
    "zeros",
    lambda x: np.prod(x, axis=-1),
    lambda g, y, x: (g[..., None] * _others(x),),
    [[2.0, 0.0, 3.0], [0.0, 0.0, 1.0]],
    right="the product of the others, not y / x",
    wrong={
        "y / x where x ≠ 0, else 0": lambda g, y, x: (
            g[..., None] * np.divide(y[..., None] * np.ones_like(x), x, out=np.zeros_like(x), where=x != 0),
        )
    },
)
function(
    "x log x",
    "zeros",
    lambda x: np.where(x > 0, x * np.log(np.where(x > 0, x, 1)), 0.0),
    lambda g, y, x: (g * (np.log(x) + 1),),
    [0.2, 1.0, 3.0],
    right="an entropy's term",
    wrong={"the 1 forgotten": lambda g, y, x: (g * np.log(x),)},
)
function(
    "sinc",
    "zeros",
    np.sinc,
    lambda g, y, x: (g * np.where(x == 0, 0.0, (np.cos(np.pi * x) - y) / np.where(x == 0, 1.0, x)),),
    [0.0, 0.5, -1.3],
    right="a removable singularity",
    wrong={
        "of sin(x)/x, without π": lambda g, y, x: (
            g * np.where(x == 0, 0.0, (np.cos(x) - y) / np.where(x == 0, 1.0, x)),
        ),
        "1 at zero": lambda g, y, x: (g * np.where(x == 0, 1.0, (np.cos(np.pi * x) - y) / np.where(x == 0, 1.0, x)),),
    },
)
function(
    "norm with zeros",
    "zeros",
    lambda x: np.sqrt((x * x).sum(axis=-1) + 1e-12),
    lambda g, y, x: (g[..., None] * x / y[..., None],),
    [[0.0, 0.0], [3.0, 4.0]],
    right="ε below the root, and a row of zeros",
    wrong={"1 at zeros": lambda g, y, x: (g[..., None] * np.where(x == 0, 1.0, x / y[..., None]),)},
)


def _first(v):
    """One for the first of the largest, else zero."""
    return np.arange(v.size) == np.argmax(v)


def _others(x):
    """For each entry the product of the others of its row."""
    n = x.shape[-1]
    return np.stack([np.prod(x[..., np.arange(n) != i], axis=-1) for i in range(n)], axis=-1)

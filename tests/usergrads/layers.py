"""What networks are made of: softmax, losses, norms, attention, dropout."""

import numpy as np

from .case import function, normal, positive


def softmax(x):
    e = np.exp(x - np.real(x).max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def dot(a, b):
    """The inner product of rows, kept as a column."""
    return (a * b).sum(axis=-1, keepdims=True)


# ---- softmax and losses

function(
    "softmax",
    "softmax",
    softmax,
    lambda g, y, x: (y * (g - dot(g, y)),),
    normal(3, 4),
    right="a detached maximum: what is subtracted cancels",
    wrong={
        "the diagonal only": lambda g, y, x: (y * (1 - y) * g,),
        "summed over the batch": lambda g, y, x: (y * (g - (g * y).sum(axis=0, keepdims=True)),),
        "the mean for the sum": lambda g, y, x: (y * (g - (g * y).mean(axis=-1, keepdims=True)),),
        "y forgotten": lambda g, y, x: (g - dot(g, y),),
    },
)
function(
    "softmax of far logits",
    "softmax",
    softmax,
    lambda g, y, x: (y * (g - dot(g, y)),),
    [[800.0, 0.0, 799.0], [-1e4, -1e4, 3.0]],
    right="some probabilities are 0",
)
function(
    "softmax with a temperature",
    "softmax",
    lambda x, T=1.0: softmax(x / T),
    lambda g, y, x, T=1.0: (y * (g - dot(g, y)) / T,),
    normal(2, 3),
    options={"T": 0.5},
    check="op",
    right="at T = ½",
    wrong={
        "the temperature forgotten": lambda g, y, x, T=1.0: (y * (g - dot(g, y)),),
        "times T": lambda g, y, x, T=1.0: (y * (g - dot(g, y)) * T,),
    },
)
function(
    "logsumexp",
    "softmax",
    lambda x: np.log(np.exp(x - np.real(x).max()).sum()) + np.real(x).max(),
    lambda g, y, x: (g * np.exp(x - y),),
    [1.0, 2.0, -3.0],
    right="shifted by a constant that is not counted",
    wrong={
        "not normalised": lambda g, y, x: (g * np.exp(x - x.max()),),
        "the largest only": lambda g, y, x: (g * (x == x.max()),),
    },
)
function(
    "log softmax",
    "softmax",
    lambda x: (
        x
        - np.real(x).max(-1, keepdims=True)
        - np.log(np.exp(x - np.real(x).max(-1, keepdims=True)).sum(-1, keepdims=True))
    ),
    lambda g, y, x: (g - np.exp(y) * g.sum(-1, keepdims=True),),
    normal(2, 3),
    right="by its output",
    wrong={
        "as if g summed to one": lambda g, y, x: (g - np.exp(y),),
        "softmax's": lambda g, y, x: (y * (g - dot(g, y)),),
    },
)
_labels = np.array([1, 0, 3])
_hot = np.eye(4)[_labels]
function(
    "cross entropy",
    "loss",
    lambda x: -np.log(softmax(x)[np.arange(3), _labels]).mean(),
    lambda g, y, x: (g * (softmax(x) - _hot) / 3,),
    normal(3, 4),
    right="the mean over the batch",
    wrong={
        "not divided by the batch": lambda g, y, x: (g * (softmax(x) - _hot),),
        "divided by the classes": lambda g, y, x: (g * (softmax(x) - _hot) / 4,),
        "the label not subtracted": lambda g, y, x: (g * softmax(x) / 3,),
    },
)
_mask = np.array([1.0, 0.0, 1.0])
function(
    "cross entropy with a mask",
    "loss",
    lambda x: -(np.log(softmax(x)[np.arange(3), _labels]) * _mask).sum() / _mask.sum(),
    lambda g, y, x: (g * (softmax(x) - _hot) * _mask[:, None] / _mask.sum(),),
    normal(3, 4),
    right="two of three count",
    wrong={
        "masked rows get a gradient": lambda g, y, x: (g * (softmax(x) - _hot) / _mask.sum(),),
        "divided by all rows": lambda g, y, x: (g * (softmax(x) - _hot) * _mask[:, None] / 3,),
    },
)
function(
    "label smoothing",
    "loss",
    lambda x: -(np.log(softmax(x)) * (0.9 * _hot + 0.025)).sum(),
    lambda g, y, x: (g * (softmax(x) - 0.9 * _hot - 0.025),),
    normal(3, 4),
    right="the targets sum to one",
    wrong={"smoothing forgotten": lambda g, y, x: (g * (softmax(x) - _hot),)},
)
function(
    "focal loss",
    "loss",
    lambda p: -((1 - p) ** 2) * np.log(p),
    lambda g, y, p: (g * (2 * (1 - p) * np.log(p) - (1 - p) ** 2 / p),),
    [0.2, 0.5, 0.9],
    right="two factors",
    wrong={
        "as if the factor were constant": lambda g, y, p: (-g * (1 - p) ** 2 / p,),
        "a sign": lambda g, y, p: (g * (-2 * (1 - p) * np.log(p) - (1 - p) ** 2 / p),),
    },
)
_t = np.array([1.0, 0.0, 1.0, 0.3])
function(
    "binary cross entropy with logits",
    "loss",
    lambda x: np.logaddexp(0, x) - x * _t,
    lambda g, y, x: (g * (1 / (1 + np.exp(-x)) - _t),),
    [0.3, -2.0, 40.0, 1.0],
    right="stable, with a soft label",
    wrong={
        "the label's sign": lambda g, y, x: (g * (1 / (1 + np.exp(-x)) + _t),),
        "positives weighted, forward not": lambda g, y, x: (g * (1 / (1 + np.exp(-x)) - _t) * (1 + _t),),
    },
)
function(
    "KL divergence",
    "loss",
    lambda p, q: (p * (np.log(p) - np.log(q))).sum(),
    lambda g, y, p, q: (g * (np.log(p) - np.log(q) + 1), -g * p / q),
    positive(3),
    positive(3, seed=1),
    right="of p and of q",
    wrong={
        "1 forgotten": lambda g, y, p, q: (g * (np.log(p) - np.log(q)), -g * p / q),
        "q's sign": lambda g, y, p, q: (g * (np.log(p) - np.log(q) + 1), g * p / q),
    },
)
function(
    "Gaussian likelihood",
    "loss",
    lambda m, s: 0.5 * (m / s) ** 2 + np.log(s),
    lambda g, y, m, s: (g * m / s**2, g * (1 / s - m * m / s**3)),
    normal(3),
    positive(3),
    right="mean and deviation",
    wrong={
        "the normaliser forgotten": lambda g, y, m, s: (g * m / s**2, -g * m * m / s**3),
        "s² for s³": lambda g, y, m, s: (g * m / s**2, g * (1 / s - m * m / s**2)),
    },
)
function(
    "triplet loss",
    "loss",
    lambda a, p, n: np.maximum(((a - p) ** 2).sum(-1) - ((a - n) ** 2).sum(-1) + 4, 0),
    lambda g, y, a, p, n: (
        2 * (g * (y > 0))[:, None] * (n - p),
        -2 * (g * (y > 0))[:, None] * (a - p),
        2 * (g * (y > 0))[:, None] * (a - n),
    ),
    normal(3, 2),
    normal(3, 2, seed=1),
    normal(3, 2, seed=2),
    right="a margin",
    wrong={
        "the anchor's second part forgotten": lambda g, y, a, p, n: (
            2 * (g * (y > 0))[:, None] * (a - p),
            -2 * (g * (y > 0))[:, None] * (a - p),
            2 * (g * (y > 0))[:, None] * (a - n),
        ),
        "negatives pulled": lambda g, y, a, p, n: (
            2 * (g * (y > 0))[:, None] * (n - p),
            -2 * (g * (y > 0))[:, None] * (a - p),
            -2 * (g * (y > 0))[:, None] * (a - n),
        ),
    },
)

# ---- norms


def standard(x, axis=-1):
    """x with mean 0 and variance 1, and what it was divided by."""
    s = np.sqrt(((x - x.mean(axis, keepdims=True)) ** 2).mean(axis, keepdims=True) + 1e-5)
    return (x - x.mean(axis, keepdims=True)) / s, s


def unstandard(g, x, axis=-1, mean=True, variance=True):
    """The gradient through ``standard``, or what is left of it where somebody forgot a part."""
    z, s = standard(x, axis)
    g_mean = g.mean(axis, keepdims=True) if mean else 0
    return (g - g_mean - (z * (g * z).mean(axis, keepdims=True) if variance else 0)) / s


function(
    "layer norm",
    "norm",
    lambda x: standard(x)[0],
    lambda g, y, x: (unstandard(g, x),),
    normal(3, 5),
    right="as a primitive",
    wrong={
        "the mean's path forgotten": lambda g, y, x: (unstandard(g, x, mean=False),),
        "the variance's path forgotten": lambda g, y, x: (unstandard(g, x, variance=False),),
        "both": lambda g, y, x: (g / standard(x)[1],),
        "along the batch": lambda g, y, x: (unstandard(g, x, axis=0),),
        "by n − 1": lambda g, y, x: (
            (g - g.mean(-1, keepdims=True) - y * (g * y).sum(-1, keepdims=True) / 4) / standard(x)[1],
        ),
    },
)
function(
    "layer norm, forward derivative",
    "norm",
    lambda x: standard(x)[0],
    lambda g, y, x: (
        (g - g.mean(axis=-1, keepdims=True) - y * (g * y).mean(axis=-1, keepdims=True))
        / ((x - x.mean(axis=-1, keepdims=True)) ** 2).mean(axis=-1, keepdims=True).__add__(1e-5) ** 0.5,
    ),
    normal(3, 5),
    check="jvp",
    right="checked by check_jvp",
)
function(
    "layer norm of equal entries",
    "norm",
    lambda x: standard(x)[0],
    lambda g, y, x: (unstandard(g, x),),
    np.ones((2, 4)),
    right="variance 0: ε alone",
)
function(
    "batch norm with γ and β",
    "norm",
    lambda x, c, b: standard(x, 0)[0] * c + b,
    lambda g, y, x, c, b: (unstandard(g * c, x, 0), (g * standard(x, 0)[0]).sum(0), g.sum(0)),
    normal(5, 3),
    positive(3),
    normal(3, seed=1),
    right="training mode",
    wrong={
        "γ forgotten on the way to x": lambda g, y, x, c, b: (
            unstandard(g, x, 0),
            (g * standard(x, 0)[0]).sum(0),
            g.sum(0),
        ),
        "γ's by the output": lambda g, y, x, c, b: (unstandard(g * c, x, 0), (g * y).sum(0), g.sum(0)),
        "as in evaluation mode": lambda g, y, x, c, b: (
            g * c / standard(x, 0)[1],
            (g * standard(x, 0)[0]).sum(0),
            g.sum(0),
        ),
        "mean over the batch": lambda g, y, x, c, b: (
            unstandard(g * c, x, 0),
            (g * standard(x, 0)[0]).mean(0),
            g.mean(0),
        ),
    },
)
function(
    "RMS norm",
    "norm",
    lambda x: x / np.sqrt((x * x).mean(-1, keepdims=True)),
    lambda g, y, x: ((g - y * (g * y).mean(-1, keepdims=True)) / np.sqrt((x * x).mean(-1, keepdims=True)),),
    normal(3, 4),
    right="no mean is taken away",
    wrong={
        "the sum for the mean": lambda g, y, x: ((g - y * dot(g, y)) / np.sqrt((x * x).mean(-1, keepdims=True)),),
        "x for y": lambda g, y, x: (
            (g - x * (g * x).mean(-1, keepdims=True)) / np.sqrt((x * x).mean(-1, keepdims=True)),
        ),
    },
)
function(
    "np.linalg.norm",
    "norm",
    lambda x: np.linalg.norm(x, axis=-1),
    lambda g, y, x: ((g / y)[:, None] * x,),
    normal(3, 4),
    right="np.linalg.norm takes absolute values: no complex step",
    wrong={
        "not divided": lambda g, y, x: (g[:, None] * x,),
        "divided twice": lambda g, y, x: ((g / y**2)[:, None] * x,),
    },
)
function(
    "norm in float32",
    "norm",
    lambda x: np.linalg.norm(x, axis=-1),
    lambda g, y, x: ((g / y)[:, None] * x,),
    normal(3, 40, dtype=np.float32),
    right="np.linalg.norm in float32",
    wrong={"2 % too large": lambda g, y, x: (np.float32(1.02) * (g / y)[:, None] * x,)},
)
function(
    "unit vectors",
    "norm",
    lambda x: x / np.linalg.norm(x, axis=-1, keepdims=True),
    lambda g, y, x: ((g - y * dot(g, y)) / np.linalg.norm(x, axis=-1, keepdims=True),),
    normal(3, 4),
    right="projected",
    wrong={"not projected": lambda g, y, x: (g / np.linalg.norm(x, axis=-1, keepdims=True),)},
)
function(
    "cosine similarity",
    "norm",
    lambda a, b: (a * b).sum() / (np.linalg.norm(a) * np.linalg.norm(b)),
    lambda g, y, a, b: _cosine(g, y, a, b),
    normal(4),
    normal(4, seed=1),
    right="of both",
    wrong={
        "as if the norms were constant": lambda g, y, a, b: (
            g * b / (np.linalg.norm(a) * np.linalg.norm(b)),
            g * a / (np.linalg.norm(a) * np.linalg.norm(b)),
        ),
        "a and b exchanged": lambda g, y, a, b: _cosine(g, y, a, b)[::-1],
        "y forgotten": lambda g, y, a, b: (_cosine(g, 1.0, a, b)[0], _cosine(g, y, a, b)[1]),
    },
)
function(
    "the trace norm of Frobenius",
    "norm",
    lambda x: np.linalg.norm(x),
    lambda g, y, x: (g * x / y,),
    normal(3, 3),
    wrong={"of the square": lambda g, y, x: (2 * g * x,)},
)
function(
    "weight norm",
    "norm",
    lambda v, s: s * v / np.sqrt(dot(v, v)),
    lambda g, y, v, s: (s * (g - v * dot(g, v) / dot(v, v)) / np.sqrt(dot(v, v)), dot(g, v) / np.sqrt(dot(v, v))),
    normal(3, 4),
    positive(3, 1),
    right="Salimans and Kingma's",
    wrong={
        "the scale's by s v": lambda g, y, v, s: (
            s * (g - v * dot(g, v) / dot(v, v)) / np.sqrt(dot(v, v)),
            dot(g, y) / np.sqrt(dot(v, v)),
        ),
        "the direction's not projected": lambda g, y, v, s: (
            s * g / np.sqrt(dot(v, v)),
            dot(g, v) / np.sqrt(dot(v, v)),
        ),
    },
)

# ---- attention, dropout


def attention(q, k, v):
    return softmax(q @ k.T / np.sqrt(3)) @ v


def attended(g, q, k, v, scale=3**0.5, full=True, swap=False):
    p = softmax(q @ k.T / np.sqrt(3))
    dp = g @ v.T
    ds = p * (dp - (dot(dp, p) if full else 0)) / scale
    return (ds.T @ k, ds @ q, p.T @ g) if swap else (ds @ k, ds.T @ q, p.T @ g)


_qkv = normal(4, 3), normal(4, 3, seed=1), normal(4, 3, seed=2)
function(
    "attention",
    "attention",
    attention,
    lambda g, y, q, k, v: attended(g, q, k, v),
    *_qkv,
    right="as many keys as queries",
    wrong={
        "the scale forgotten": lambda g, y, q, k, v: attended(g, q, k, v, scale=1),
        "softmax's second part forgotten": lambda g, y, q, k, v: attended(g, q, k, v, full=False),
        "scores transposed": lambda g, y, q, k, v: attended(g, q, k, v, swap=True),
        "values by scores not transposed": lambda g, y, q, k, v: (
            *attended(g, q, k, v)[:2],
            softmax(q @ k.T / np.sqrt(3)) @ g,
        ),
    },
)
_causal = np.where(np.tri(4) > 0, 0.0, -np.inf)
function(
    "causal attention",
    "attention",
    lambda s: softmax(s + _causal),
    lambda g, y, s: (y * (g - dot(g, y)),),
    normal(4, 4),
    right="a mask of −inf",
    wrong={
        "the future gets a gradient": lambda g, y, s: (softmax(s) * (g - dot(g, y)),),
        "normalised over all": lambda g, y, s: (y * (g - g.mean(-1, keepdims=True)),),
    },
)
_kept = np.array([1.0, 0.0, 1.0, 1.0, 1.0, 0.0]) / 0.6
function(
    "dropout",
    "mask",
    lambda x: x * _kept,
    lambda g, y, x: (g * _kept,),
    normal(6),
    right="with the mask that was drawn",
    wrong={
        "no mask": lambda g, y, x: (g,),
        "the mask not scaled": lambda g, y, x: (g * (_kept > 0),),
        "another mask": lambda g, y, x: (g * _kept[::-1],),
        "the mask squared": lambda g, y, x: (g * _kept * _kept,),
    },
)
_lengths = np.array([3, 1])
function(
    "masked mean over time",
    "mask",
    lambda x: (x * (np.arange(3)[:, None] < _lengths)).sum(0) / _lengths,
    lambda g, y, x: (g * (np.arange(3)[:, None] < _lengths) / _lengths,),
    normal(3, 2),
    right="sequences of two lengths",
    wrong={
        "padding gets a gradient": lambda g, y, x: (np.broadcast_to(g / _lengths, x.shape),),
        "divided by T": lambda g, y, x: (g * (np.arange(3)[:, None] < _lengths) / 3,),
        "one step too short": lambda g, y, x: (g * (np.arange(3)[:, None] < _lengths - 1) / _lengths,),
    },
)
function(
    "gated linear unit",
    "factor",
    lambda x: x[..., :2] / (1 + np.exp(-x[..., 2:])),
    lambda g, y, x: (np.concatenate([g / (1 + np.exp(-x[..., 2:])), g * y / (1 + np.exp(x[..., 2:]))], -1),),
    normal(3, 4),
    right="halves",
    wrong={
        "halves exchanged": lambda g, y, x: (
            np.concatenate([g * y / (1 + np.exp(x[..., 2:])), g / (1 + np.exp(-x[..., 2:]))], -1),
        ),
        "the gate's σ' of the wrong sign": lambda g, y, x: (
            np.concatenate([g / (1 + np.exp(-x[..., 2:])), g * y / (1 + np.exp(-x[..., 2:]))], -1),
        ),
    },
)
function(
    "linear layer",
    "input",
    lambda x, W, b: x @ W.T + b,
    lambda g, y, x, W, b: (g @ W, g.T @ x, g.sum(0)),
    normal(3, 4),
    normal(2, 4, seed=1),
    normal(2, seed=2),
    right="three inputs",
    wrong={
        "the bias forgotten": lambda g, y, x, W, b: (g @ W, g.T @ x, None),
        "weights averaged over the batch": lambda g, y, x, W, b: (g @ W, g.T @ x / len(x), g.sum(0)),
        "weight decay mixed in": lambda g, y, x, W, b: (g @ W, g.T @ x + 1e-4 * W, g.sum(0)),
        "clipped": lambda g, y, x, W, b: (g @ W, np.clip(g.T @ x, -1, 1), g.sum(0)),
    },
)


def _cosine(g, y, a, b):
    na, nb = np.linalg.norm(a), np.linalg.norm(b)
    return g * (b / nb - y * a / na) / na, g * (a / na - y * b / nb) / nb

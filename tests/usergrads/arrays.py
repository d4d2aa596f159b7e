"""Reductions, broadcasts, axes, indices, windows: sums forgotten, axes exchanged, entries overwritten."""

import numpy as np

from .case import differently, function, normal, positive

# ---- reductions and broadcasts

function(
    "mean of a row",
    "reduction",
    lambda x: x.mean(axis=-1),
    lambda g, y, x: (np.repeat(g[..., None], x.shape[-1], axis=-1) / x.shape[-1],),
    normal(3, 4),
    right="divided by the length of the row",
    wrong={
        "divided by all entries": lambda g, y, x: (np.repeat(g[..., None], x.shape[-1], axis=-1) / x.size,),
        "divided by the number of rows": lambda g, y, x: (np.repeat(g[..., None], x.shape[-1], axis=-1) / x.shape[0],),
        "not divided": lambda g, y, x: (np.repeat(g[..., None], x.shape[-1], axis=-1),),
    },
)
function(
    "sum over rows of a square",
    "axis",
    lambda x: x.sum(axis=0),
    lambda g, y, x: (np.broadcast_to(g, x.shape),),
    normal(4, 4),
    right="np.broadcast_to: a view with a stride of zero",
    wrong={"spread along the other axis": lambda g, y, x: (np.broadcast_to(g[:, None], x.shape),)},
)
function(
    "variance",
    "reduction",
    lambda x: x.var(axis=-1),
    lambda g, y, x: (g[..., None] * 2 * (x - x.mean(axis=-1, keepdims=True)) / x.shape[-1],),
    normal(3, 5),
    right="np.var, with n",
    wrong={
        "by n − 1": lambda g, y, x: (g[..., None] * 2 * (x - x.mean(axis=-1, keepdims=True)) / (x.shape[-1] - 1),),
        "not centred": lambda g, y, x: (g[..., None] * 2 * x / x.shape[-1],),
    },
)
function(
    "standard deviation",
    "reduction",
    lambda x: x.std(axis=0),
    lambda g, y, x: (g * (x - x.mean(0)) / (len(x) * y),),
    normal(6, 2),
    right="np.std",
    wrong={
        "2 from the square": lambda g, y, x: (2 * g * (x - x.mean(0)) / (len(x) * y),),
        "by the variance": lambda g, y, x: (g * (x - x.mean(0)) / (len(x) * y * y),),
    },
)
function(
    "a bias, added",
    "broadcast",
    lambda x, b: x + b,
    lambda g, y, x, b: (g, g.sum(axis=0)),
    normal(3, 4),
    normal(4, seed=1),
    right="summed by hand, though the engine would",
    wrong={
        "mean over the batch": lambda g, y, x, b: (g, g.mean(axis=0)),
        "its first row": lambda g, y, x, b: (g, g[0]),
        "summed along the wrong axis of a square": differently(
            lambda g, y, x, b: (g, g.sum(axis=1)), inputs=(normal(4, 4), normal(4, seed=1))
        ),
    },
)
function(
    "a scale, broadcast",
    "broadcast",
    lambda x, s: x * s,
    lambda g, y, x, s: (g * s, (g * x).sum(axis=-1, keepdims=True)),
    normal(3, 4),
    normal(3, 1, seed=1),
    right="one number a row",
    wrong={
        "summed over everything": lambda g, y, x, s: (g * s, np.full(s.shape, (g * x).sum())),
        "divided by the row's length": lambda g, y, x, s: (g * s, (g * x).mean(axis=-1, keepdims=True)),
        "right only where nothing is stretched": lambda g, y, x, s: (
            g * s,
            g * x if x.shape == s.shape else (g * x)[:, :1],
        ),
    },
)
function(
    "outer product",
    "transposed",
    lambda a, b: np.outer(a, b),
    lambda g, y, a, b: (g @ b, a @ g),
    normal(3),
    normal(3, seed=1),
    right="a square one, so that shapes tell nothing",
    wrong={"transposed": lambda g, y, a, b: (b @ g, g @ a)},
)
function(
    "matrix product",
    "transposed",
    lambda a, b: a @ b,
    lambda g, y, a, b: (g @ b.T, a.T @ g),
    normal(3, 3),
    normal(3, 3, seed=1),
    right="square",
    wrong={
        "b not transposed": lambda g, y, a, b: (g @ b, a.T @ g),
        "a not transposed": lambda g, y, a, b: (g @ b.T, a @ g),
        "the two exchanged": lambda g, y, a, b: (a.T @ g, g @ b.T),
        "b's for a symmetric b only": differently(
            lambda g, y, a, b: (g @ b, a.T @ g), inputs=(normal(2, 2), np.array([[1.0, 0.5], [0.4, 2.0]]))
        ),
    },
)
function(
    "batched product",
    "transposed",
    lambda a, b: np.einsum("bij,bjk->bik", a, b),
    lambda g, y, a, b: (np.einsum("bik,bjk->bij", g, b), np.einsum("bij,bik->bjk", a, g)),
    normal(2, 3, 3),
    normal(2, 3, 3, seed=1),
    right="einsum",
    wrong={
        "indices exchanged": lambda g, y, a, b: (np.einsum("bik,bkj->bij", g, b), np.einsum("bij,bik->bjk", a, g)),
        "mixed over the batch": lambda g, y, a, b: (
            np.einsum("bik,bjk->bij", g, b),
            np.broadcast_to(np.einsum("bij,bik->jk", a, g), b.shape),
        ),
    },
)
function(
    "bilinear form",
    "transposed",
    lambda x, A: x @ A @ x,
    lambda g, y, x, A: (g * (A + A.T) @ x, g * np.outer(x, x)),
    normal(3),
    normal(3, 3, seed=1),
    right="A is not symmetric",
    wrong={
        "2 A x": lambda g, y, x, A: (2 * g * A @ x, g * np.outer(x, x)),
        "only one of the two x": lambda g, y, x, A: (g * A @ x, g * np.outer(x, x)),
    },
)
function(
    "swap of axes",
    "transposed",
    lambda x: np.transpose(x, (1, 2, 0)),
    lambda g, y, x: (np.transpose(g, (2, 0, 1)),),
    normal(3, 3, 3),
    right="a cycle of three",
    wrong={"the same cycle again": lambda g, y, x: (np.transpose(g, (1, 2, 0)),)},
)
function(
    "reshape in Fortran's order",
    "transposed",
    lambda x: x.reshape(-1, order="F"),
    lambda g, y, x: (g.reshape(x.shape, order="F"),),
    normal(3, 3),
    right="column by column",
    wrong={"back in C's order": lambda g, y, x: (g.reshape(x.shape),)},
)
function(
    "flip",
    "axis",
    lambda x: x[::-1],
    lambda g, y, x: (g[::-1],),
    normal(4, 2),
    right="a view with negative strides",
    wrong={"not flipped back": lambda g, y, x: (g,)},
)
function(
    "roll",
    "axis",
    lambda x: np.roll(x, 1),
    lambda g, y, x: (np.roll(g, -1),),
    normal(5),
    wrong={"rolled on": lambda g, y, x: (np.roll(g, 1),)},
)
function(
    "running sums",
    "scan",
    lambda x: np.cumsum(x),
    lambda g, y, x: (np.cumsum(g[::-1])[::-1],),
    normal(5),
    right="summed from the end",
    wrong={
        "summed from the start": lambda g, y, x: (np.cumsum(g),),
        "exclusive": lambda g, y, x: (np.cumsum(g[::-1])[::-1] - g,),
    },
)
function(
    "cumprod",
    "scan",
    lambda x: np.cumprod(x),
    lambda g, y, x: (np.cumsum((g * y)[::-1])[::-1] / x,),
    positive(5),
    right="by dividing, where nothing is zero",
    wrong={
        "not from the end": lambda g, y, x: (np.cumsum(g * y) / x,),
        "not divided": lambda g, y, x: (np.cumsum((g * y)[::-1])[::-1],),
    },
)
function(
    "cumulative maximum",
    "scan",
    lambda x: np.maximum.accumulate(x),
    lambda g, y, x: (_to_the_record(g, x),),
    [1.0, 3.0, 2.0, 5.0, 4.0],
    right="to the entry that holds the record",
    wrong={"to records only, not for those after": lambda g, y, x: (g * (x == y),)},
)
function(
    "differences",
    "scan",
    lambda x: np.diff(x),
    lambda g, y, x: (np.concatenate([[0], g]) - np.concatenate([g, [0]]),),
    normal(5),
    right="the transpose of a bidiagonal matrix",
    wrong={
        "the sign": lambda g, y, x: (np.concatenate([g, [0]]) - np.concatenate([[0], g]),),
        "the last entry forgotten": lambda g, y, x: (np.concatenate([[0], g[:-1], [0]]) - np.concatenate([g, [0]]),),
    },
)
function(
    "exponential average",
    "scan",
    lambda x: _average(x),
    lambda g, y, x: (0.1 * _average(g[::-1])[::-1] / 0.1,),
    normal(6),
    right="the same recursion, backwards in time",
    wrong={"forwards in time": lambda g, y, x: (_average(g),), "without memory": lambda g, y, x: (0.1 * g,)},
)

# ---- indices

_words = np.array([2, 0, 2, 3, 2])
function(
    "embedding",
    "scatter",
    lambda W: W[_words],
    lambda g, y, W: (_added(np.zeros_like(W), _words, g),),
    normal(4, 3),
    right="np.add.at: one word three times",
    wrong={
        "overwritten, not added": lambda g, y, W: (_put(np.zeros_like(W), _words, g),),
        "W[words] += g": lambda g, y, W: (_buffered(np.zeros_like(W), _words, g),),
        "averaged over its uses": lambda g, y, W: (
            _added(np.zeros_like(W), _words, g) / np.maximum(np.bincount(_words, minlength=4), 1)[:, None],
        ),
        "the padding word gets none": lambda g, y, W: (
            _added(np.zeros_like(W), _words, g) * (np.arange(4) != 0)[:, None],
        ),
    },
)
_segments = np.array([0, 0, 1, 2, 2, 2])
function(
    "segment mean",
    "scatter",
    lambda x: np.stack([x[_segments == s].mean(axis=0) for s in range(3)]),
    lambda g, y, x: ((g / np.bincount(_segments)[:, None])[_segments],),
    normal(6, 2),
    right="of a graph network",
    wrong={
        "not divided by the size": lambda g, y, x: (g[_segments],),
        "divided by the mean size": lambda g, y, x: (g[_segments] / 2,),
    },
)
function(
    "the k largest",
    "scatter",
    lambda x: np.sort(x)[-2:],
    lambda g, y, x: (_added(np.zeros_like(x), np.argsort(x)[-2:], g),),
    [5.0, 1.0, 3.0, 2.0],
    right="top-k",
    wrong={"in the order of the input": lambda g, y, x: (_put(np.zeros_like(x), np.sort(np.argsort(x)[-2:]), g),)},
)
function(
    "upper triangle",
    "scatter",
    lambda x: np.triu(x),
    lambda g, y, x: (np.triu(g),),
    normal(4, 4),
    wrong={
        "lower": lambda g, y, x: (np.tril(g),),
        "without the diagonal": lambda g, y, x: (np.triu(g, 1),),
        "all": lambda g, y, x: (g,),
    },
)
function(
    "trace",
    "scatter",
    lambda x: np.trace(x),
    lambda g, y, x: (g * np.eye(len(x)),),
    normal(3, 3),
    right="g times one",
    wrong={"ones": lambda g, y, x: (g * np.ones_like(x),)},
)
function(
    "padding",
    "window",
    lambda x: np.pad(x, 1, mode="edge"),
    lambda g, y, x: (np.concatenate([[g[0] + g[1]], g[2:-2], [g[-2] + g[-1]]]),),
    normal(5),
    right="the edge is repeated, and gets what was repeated",
    wrong={"as if padded by zeros": lambda g, y, x: (g[1:-1],)},
)

# ---- windows

_kernel = np.array([0.5, -1.0, 2.0])
function(
    "convolution",
    "window",
    lambda x: np.convolve(x, _kernel, "valid"),
    lambda g, y, x: (np.convolve(g, _kernel[::-1], "full"),),
    normal(6),
    right="the kernel flipped",
    wrong={
        "not flipped": lambda g, y, x: (np.convolve(g, _kernel, "full"),),
        "shifted by one": lambda g, y, x: (np.roll(np.convolve(g, _kernel[::-1], "full"), 1),),
    },
)
function(
    "correlation with a learnt kernel",
    "window",
    lambda x, k: np.correlate(x, k, "valid"),
    lambda g, y, x, k: (np.convolve(g, k, "full"), np.correlate(x, g, "valid")),
    normal(7),
    normal(3, seed=1),
    right="both inputs",
    wrong={
        "the kernel's flipped": lambda g, y, x, k: (np.convolve(g, k, "full"), np.correlate(x, g, "valid")[::-1]),
        "the input's flipped": lambda g, y, x, k: (np.convolve(g, k[::-1], "full"), np.correlate(x, g, "valid")),
    },
)
function(
    "convolution in two dimensions",
    "window",
    lambda x, k: _correlate2(x, k),
    lambda g, y, x, k: (_correlate2(np.pad(g, 2), k[::-1, ::-1]), _correlate2(x, g)),
    normal(5, 5),
    normal(3, 3, seed=1),
    right="cross-correlation, as every framework calls convolution",
    wrong={
        "flipped along one axis only": lambda g, y, x, k: (_correlate2(np.pad(g, 2), k[::-1]), _correlate2(x, g)),
        "the kernel transposed": lambda g, y, x, k: (_correlate2(np.pad(g, 2), k[::-1, ::-1].T), _correlate2(x, g)),
    },
)
function(
    "convolution with a stride",
    "window",
    lambda x: np.convolve(x, _kernel, "valid")[::2],
    lambda g, y, x: (np.convolve(_strided(g, x.size - 2), _kernel[::-1], "full"),),
    normal(7),
    right="zeros between",
    wrong={"repeated between": lambda g, y, x: (np.convolve(np.repeat(g, 2)[: x.size - 2], _kernel[::-1], "full"),)},
)
function(
    "max pooling",
    "window",
    lambda x: x.reshape(-1, 2).max(axis=1),
    lambda g, y, x: ((g[:, None] * np.eye(2)[x.reshape(-1, 2).argmax(axis=1)]).reshape(-1),),
    [1.0, 2.0, 5.0, 3.0, -1.0, 0.0],
    right="by argmax",
    wrong={
        "to all of the window": lambda g, y, x: (np.repeat(g, 2),),
        "to where x is the largest of all": lambda g, y, x: (np.repeat(g, 2) * (x == x.max()),),
        "equal entries twice": differently(
            lambda g, y, x: (np.repeat(g, 2) * (x == np.repeat(y, 2)),), inputs=([1.0, 1.0, 5.0, 3.0, 0.0, 0.0],)
        ),
    },
)
function(
    "average pooling",
    "window",
    lambda x: x.reshape(-1, 3).mean(axis=1),
    lambda g, y, x: (np.repeat(g, 3) / 3,),
    normal(6),
    right="shared by three",
    wrong={"not divided": lambda g, y, x: (np.repeat(g, 3),), "tiled": lambda g, y, x: (np.tile(g, 3) / 3,)},
)
function(
    "overlapping pooling",
    "window",
    lambda x: np.array([x[i : i + 3].max() for i in range(x.size - 2)]),
    lambda g, y, x: (_added(np.zeros_like(x), np.array([i + x[i : i + 3].argmax() for i in range(x.size - 2)]), g),),
    [1.0, 4.0, 2.0, 3.0, 0.0],
    right="one entry is the largest of several windows",
    wrong={
        "overwritten": lambda g, y, x: (
            _put(np.zeros_like(x), np.array([i + x[i : i + 3].argmax() for i in range(x.size - 2)]), g),
        )
    },
)

# ---- interpolation

_knots, _heights = np.array([0.0, 1.0, 2.0, 4.0]), np.array([0.0, 2.0, 1.0, 5.0])
_slopes = np.diff(_heights) / np.diff(_knots)
function(
    "np.interp",
    "interpolation",
    lambda x: np.interp(x, _knots, _heights),
    lambda g, y, x: (g * _slopes[np.searchsorted(_knots, x) - 1],),
    [0.3, 1.7, 3.9],
    right="between its knots",
    wrong={
        "the next piece's slope": lambda g, y, x: (g * np.append(_slopes, 0)[np.searchsorted(_knots, x)],),
        "not divided by the width": lambda g, y, x: (g * np.diff(_heights)[np.searchsorted(_knots, x) - 1],),
    },
)
function(
    "np.interp near a knot",
    "interpolation",
    lambda x: np.interp(x, _knots, _heights),
    lambda g, y, x: (g * _slopes[np.searchsorted(_knots, x) - 1],),
    [1.0 - 1e-7, 2.0 + 1e-9, 1.0 + 1e-5],
    right="1e-9 beside it",
)
function(
    "np.interp by its heights",
    "interpolation",
    lambda h: (
        np.interp([0.25, 1.5, 1.0], _knots, h)
        if np.isrealobj(h)
        else np.interp([0.25, 1.5, 1.0], _knots, h.real) + 1j * np.interp([0.25, 1.5, 1.0], _knots, h.imag)
    ),
    lambda g, y, h: (np.array([0.75 * g[0], 0.25 * g[0] + 0.5 * g[1] + g[2], 0.5 * g[1], 0.0]),),
    _heights,
    right="linear in the heights",
    wrong={"the nearest knot only": lambda g, y, h: (np.array([g[0], g[1] + g[2], 0.0, 0.0]),)},
)
function(
    "cubic Hermite",
    "interpolation",
    lambda t: (2 * t - 3) * t * t + 1 + (t - 2) * t * t * 0.5 + 0.5 * t,
    lambda g, y, t: (g * (6 * t * t - 6 * t + 0.5 * (3 * t * t - 4 * t) + 0.5),),
    [0.1, 0.5, 0.9],
    right="a spline's piece",
    wrong={"a coefficient": lambda g, y, t: (g * (6 * t * t - 6 * t + 0.5 * (3 * t * t - 2 * t) + 0.5),)},
)
function(
    "bilinear sampling",
    "interpolation",
    lambda im, u: _sample(im, u),
    lambda g, y, im, u: _sampled(g, im, u, 1),
    normal(3, 3),
    [0.3, 1.6],
    right="of an image at a place, in both",
    wrong={
        "rows and columns exchanged": lambda g, y, im, u: (_sampled(g, im, u, 1)[0], _sampled(g, im, u, 1)[1][::-1]),
        "the weights of the other corner": lambda g, y, im, u: (
            _sampled(g, im, u, 1)[0][::-1, ::-1],
            _sampled(g, im, u, 1)[1],
        ),
    },
)


def _to_the_record(g, x):
    dx, holder = np.zeros_like(x), 0
    for i in range(x.size):
        holder = i if x[i] >= x[holder] else holder
        dx[holder] += g[i]
    return dx


def _average(x):
    y, kept = [], 0.0
    for each in x:
        kept = 0.9 * kept + 0.1 * each
        y.append(kept)
    return np.array(y)


def _added(into, where, g):
    np.add.at(into, where, g)
    return into


def _put(into, where, g):
    into[where] = g
    return into


def _buffered(into, where, g):
    into[where] += g
    return into


def _strided(g, size):
    spread = np.zeros(size)
    spread[::2] = g
    return spread


def _correlate2(x, k):
    rows, columns = x.shape[0] - k.shape[0] + 1, x.shape[1] - k.shape[1] + 1
    return np.array(
        [[(x[i : i + k.shape[0], j : j + k.shape[1]] * k).sum() for j in range(columns)] for i in range(rows)]
    )


def _sample(image, u):
    (i, j), (r, s) = (int(np.real(v)) for v in u), (v - int(np.real(v)) for v in u)
    top = (1 - s) * image[i, j] + s * image[i, j + 1]
    return (1 - r) * top + r * ((1 - s) * image[i + 1, j] + s * image[i + 1, j + 1])


def _sampled(g, image, u, _):
    (i, j), (r, s) = (int(v) for v in u), (v - int(v) for v in u)
    d = np.zeros_like(image)
    d[i, j], d[i, j + 1] = (1 - r) * (1 - s) * g, (1 - r) * s * g
    d[i + 1, j], d[i + 1, j + 1] = r * (1 - s) * g, r * s * g
    below = (1 - s) * image[i + 1, j] + s * image[i + 1, j + 1]
    above = (1 - s) * image[i, j] + s * image[i, j + 1]
    right, left = (1 - r) * image[i, j + 1] + r * image[i + 1, j + 1], (1 - r) * image[i, j] + r * image[i + 1, j]
    return d, g * np.array([below - above, right - left])

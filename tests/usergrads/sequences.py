"""Cells and recursions, backwards in time: gates confused, steps off by one, sums that stop too early."""

import numpy as np

from .case import function, normal, positive


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


# ---- one step of a cell: x, h (N, H), and one matrix for all gates

_x, _h, _c = normal(2, 3), normal(2, 3, seed=1), normal(2, 3, seed=2)


def lstm(z, c):
    f, i, g, o = np.split(z, 4, axis=-1)
    return sigmoid(o) * np.tanh(sigmoid(f) * c + sigmoid(i) * np.tanh(g))


def lstm_back(up, z, c, fault=""):
    """(dz, dc) of ``lstm``, with a fault."""
    f, i, g, o = np.split(z, 4, axis=-1)
    f, i, g, o = sigmoid(f), sigmoid(i), np.tanh(g), sigmoid(o)
    new = f * c + i * g
    dc = up * o * (1 if fault == "tanh'" else 1 - np.tanh(new) ** 2)
    df = dc * (new if fault == "new c" else c) * f * (1 if fault == "f" else 1 - f)
    di = dc * g * i * (1 - i)
    dg = dc * i * (1 - g * (1 if fault == "g" else g))
    do = up * (new if fault == "o" else np.tanh(new)) * o * (1 - o)
    if fault == "swap":
        df, di = di, df
    return np.concatenate([df, di, dg, do], -1), dc * (i if fault == "i" else f)


_z = normal(2, 12, seed=3)
function(
    "lstm, pointwise",
    "cell",
    lstm,
    lambda g, y, z, c: lstm_back(g, z, c),
    _z,
    _c,
    right="the four gates fused",
    wrong={
        "tanh' of the cell state forgotten": lambda g, y, z, c: lstm_back(g, z, c, "tanh'"),
        "forget gate by the new state": lambda g, y, z, c: lstm_back(g, z, c, "new c"),
        "σ' of the forget gate": lambda g, y, z, c: lstm_back(g, z, c, "f"),
        "tanh' as 1 − g": lambda g, y, z, c: lstm_back(g, z, c, "g"),
        "output gate by c": lambda g, y, z, c: lstm_back(g, z, c, "o"),
        "f and i exchanged": lambda g, y, z, c: lstm_back(g, z, c, "swap"),
        "the belt by i": lambda g, y, z, c: lstm_back(g, z, c, "i"),
        "a leak of 1e-6": lambda g, y, z, c: (lstm_back(g, z, c)[0] + 1e-6 * g[:, :1], lstm_back(g, z, c)[1]),
    },
)


def gru(x, h, W):
    """The candidate's reset gate acts on h before the product. x, h: (N, H); W: (2H, 3H)."""
    H = h.shape[-1]
    r, u = np.split(sigmoid(np.concatenate([x, h], -1) @ W[:, : 2 * H]), 2, -1)
    n = np.tanh(np.concatenate([x, r * h], -1) @ W[:, 2 * H :])
    return (1 - u) * n + u * h


def gru_back(up, x, h, W, fault=""):
    H = h.shape[-1]
    xh = np.concatenate([x, h], -1)
    r, u = np.split(sigmoid(xh @ W[:, : 2 * H]), 2, -1)
    xrh = np.concatenate([x, r * h], -1)
    n = np.tanh(xrh @ W[:, 2 * H :])
    dn = up * (u if fault == "u" else 1 - u) * (1 - n * n)
    du = up * (n - h if fault == "sign" else h - n) * u * (1 - u)
    dxrh = dn @ W[:, 2 * H :].T
    dr = dxrh[:, H:] * h * r * (1 - r)
    dru = np.concatenate([dr, du], -1)
    dxh = dru @ W[:, : 2 * H].T
    dh = up * (0 if fault == "straight" else u) + dxh[:, H:] + dxrh[:, H:] * (1 if fault == "reset" else r)
    dW = np.concatenate([xh.T @ dru, (xh if fault == "read" else xrh).T @ dn], -1)
    return dxh[:, :H] + (0 if fault == "x" else dxrh[:, :H]), dh, dW


function(
    "gru",
    "cell",
    gru,
    lambda g, y, x, h, W: gru_back(g, x, h, W),
    _x,
    _h,
    normal(6, 9, seed=4, scale=0.5),
    right="with its weights",
    wrong={
        "u for 1 − u": lambda g, y, x, h, W: gru_back(g, x, h, W, "u"),
        "the sign of the update gate": lambda g, y, x, h, W: gru_back(g, x, h, W, "sign"),
        "the straight way of h forgotten": lambda g, y, x, h, W: gru_back(g, x, h, W, "straight"),
        "r forgotten on the way to h": lambda g, y, x, h, W: gru_back(g, x, h, W, "reset"),
        "weights by h, not by r h": lambda g, y, x, h, W: gru_back(g, x, h, W, "read"),
        "x through the gates only": lambda g, y, x, h, W: gru_back(g, x, h, W, "x"),
    },
)


def mgu(a, b, h):
    f = sigmoid(a + h)
    return (1 - f) * h + f * np.tanh(b + f * h)


def mgu_back(up, a, b, h, fault=""):
    f = sigmoid(a + h)
    n = np.tanh(b + f * h)
    db = up * f * (1 - n * n)
    df = up * (n - h) + (0 if fault == "inner" else db * h)
    da = df * f * (1 - f)
    return da, db, up * (1 - f) + da + db * (1 if fault == "h" else f)


function(
    "minimal gated unit",
    "cell",
    mgu,
    lambda g, y, a, b, h: mgu_back(g, a, b, h),
    _x,
    _c,
    _h,
    right="f is used twice",
    wrong={
        "f's use in the candidate forgotten": lambda g, y, a, b, h: mgu_back(g, a, b, h, "inner"),
        "f forgotten on the way to h": lambda g, y, a, b, h: mgu_back(g, a, b, h, "h"),
    },
)
function(
    "peephole of the output gate",
    "cell",
    lambda a, c, p: sigmoid(a + p * c) * np.tanh(c),
    lambda g, y, a, c, p: (
        g * np.tanh(c) * sigmoid(a + p * c) * sigmoid(-a - p * c),
        g * (sigmoid(a + p * c) * (1 - np.tanh(c) ** 2) + y * sigmoid(-a - p * c) * p),
        (g * y * sigmoid(-a - p * c) * c).sum(0),
    ),
    _x,
    _c,
    normal(3, seed=5),
    right="the gate sees the new state",
    wrong={
        "the peephole's way to c forgotten": lambda g, y, a, c, p: (
            g * y * sigmoid(-a - p * c),
            g * sigmoid(a + p * c) * (1 - np.tanh(c) ** 2),
            (g * y * sigmoid(-a - p * c) * c).sum(0),
        ),
        "its weight's averaged": lambda g, y, a, c, p: (
            g * y * sigmoid(-a - p * c),
            g * (sigmoid(a + p * c) * (1 - np.tanh(c) ** 2) + y * sigmoid(-a - p * c) * p),
            (g * y * sigmoid(-a - p * c) * c).mean(0),
        ),
    },
)

# ---- a whole sequence


def rnn(xs, W, U):
    """h of every step (T, H) from xs (T, H)."""
    h, hs = np.zeros(U.shape[0]), []
    for x in xs:
        h = np.tanh(x @ W + h @ U)
        hs.append(h)
    return np.stack(hs)


def rnn_back(up, xs, W, U, fault=""):
    hs = rnn(xs, W, U)
    dxs, dW, dU, carried = np.zeros_like(xs), np.zeros_like(W), np.zeros_like(U), np.zeros(U.shape[0])
    for t in reversed(range(len(xs))):
        da = (up[t] + carried) * (1 - hs[t] ** 2)
        before = hs[t - 1] if t else np.zeros(U.shape[0])
        dxs[t], dW = da @ W.T, dW + np.outer(xs[t], da)
        if fault != "last" or t == len(xs) - 1:
            dU = dU + np.outer(hs[t] if fault == "same" else before, da)
        carried = da @ (U if fault == "transposed" else U.T)
        if (fault == "cut" and t == len(xs) - 10) or fault == "none":
            carried = 0 * carried
        if fault == "slope":
            carried = (up[t] + 0 * carried) @ U.T
        if fault == "clip":
            carried = np.clip(carried, -0.5, 0.5)
    if fault == "late":
        dxs = np.roll(dxs, 1, axis=0)
    return dxs, dW, dU


_rnn = normal(6, 3), normal(3, 3, seed=1), normal(3, 3, seed=2, scale=0.6)
function(
    "rnn over time",
    "time",
    rnn,
    lambda g, y, xs, W, U: rnn_back(g, xs, W, U),
    *_rnn,
    right="by hand",
    wrong={
        "h of the step itself": lambda g, y, xs, W, U: rnn_back(g, xs, W, U, "same"),
        "the recurrent weights of the last step only": lambda g, y, xs, W, U: rnn_back(g, xs, W, U, "last"),
        "U not transposed": lambda g, y, xs, W, U: rnn_back(g, xs, W, U, "transposed"),
        "nothing carried": lambda g, y, xs, W, U: rnn_back(g, xs, W, U, "none"),
        "tanh' forgotten in what is carried": lambda g, y, xs, W, U: rnn_back(g, xs, W, U, "slope"),
        "clipped at ½ between the steps": lambda g, y, xs, W, U: rnn_back(g, xs, W, U, "clip"),
        "inputs late by a step": lambda g, y, xs, W, U: rnn_back(g, xs, W, U, "late"),
    },
)
function(
    "rnn of 50 steps, its last state",
    "time",
    lambda xs, W, U: rnn(xs, W, U)[-1],
    lambda g, y, xs, W, U: rnn_back(_at_the_end(g, xs), xs, W, U),
    normal(50, 3),
    _rnn[1],
    1.2 * np.eye(3)[[1, 2, 0]],
    right="long",
    wrong={"cut after ten steps": lambda g, y, xs, W, U: rnn_back(_at_the_end(g, xs), xs, W, U, "cut")},
)


def _at_the_end(g, xs):
    return np.concatenate([np.zeros((len(xs) - 1, g.size)), g[None]])


# ---- dynamic programmes

_emitted = normal(5, 3, seed=6)


def forward_algorithm(e, A):
    """log of the sum over all paths; e: (T, S) scores, A: (S, S) transitions. All shifts are by real parts."""
    a = e[0]
    for t in range(1, len(e)):
        s = a[:, None] + A
        a = _lse(s) + e[t]
    return _lse(a[:, None])[0]


def _lse(s):
    m = np.real(s).max(0)
    return m + np.log(np.exp(s - m).sum(0))


def path_sum(g, e, A, fault=""):
    alphas = [e[0]]
    for t in range(1, len(e)):
        alphas.append(_lse(alphas[-1][:, None] + A) + e[t])
    de, dA = np.zeros_like(e), np.zeros_like(A)
    d = np.exp(alphas[-1] - _lse(alphas[-1][:, None])[0])
    for t in reversed(range(len(e))):
        de[t] = d
        if t:
            p = np.exp(alphas[t - 1][:, None] + A - (alphas[t] - e[t]))
            dA = p * d if fault == "last" else dA + p * (d[:, None] if fault == "axis" else d)
            d = (p * d).sum(0) if fault == "forwards" else (p * d).sum(1)
    if fault == "viterbi":
        de = np.eye(e.shape[1])[de.argmax(1)]
    if fault == "filtered":
        de = np.stack([np.exp(a - _lse(a[:, None])[0]) for a in alphas])
    return g * de, g * dA


function(
    "hmm forward algorithm",
    "dynamic programme",
    forward_algorithm,
    lambda g, y, e, A: path_sum(g, e, A),
    _emitted,
    normal(3, 3, seed=7),
    right="posteriors of states and of transitions",
    wrong={
        "transitions of the first step only": lambda g, y, e, A: path_sum(g, e, A, "last"),
        "transitions by the source": lambda g, y, e, A: path_sum(g, e, A, "axis"),
        "summed over the target": lambda g, y, e, A: path_sum(g, e, A, "forwards"),
        "the best state for the posterior": lambda g, y, e, A: path_sum(g, e, A, "viterbi"),
        "filtered, not smoothed": lambda g, y, e, A: path_sum(g, e, A, "filtered"),
    },
)
_tags = np.array([0, 2, 1, 1, 0])
_gold = np.eye(3)[_tags]
_pairs = np.zeros((3, 3))
np.add.at(_pairs, (_tags[:-1], _tags[1:]), 1)
function(
    "crf",
    "dynamic programme",
    lambda e, A: forward_algorithm(e, A) - e[np.arange(5), _tags].sum() - A[_tags[:-1], _tags[1:]].sum(),
    lambda g, y, e, A: (path_sum(g, e, A)[0] - g * _gold, path_sum(g, e, A)[1] - g * _pairs),
    _emitted,
    normal(3, 3, seed=7),
    right="expected minus seen",
    wrong={
        "a transition that is seen twice counted once": lambda g, y, e, A: (
            path_sum(g, e, A)[0] - g * _gold,
            path_sum(g, e, A)[1] - g * ((_pairs > 0) - (_tags[1] == 2) * 0.5 * (_pairs > 0)),
        ),
        "transitions transposed": lambda g, y, e, A: (
            path_sum(g, e, A)[0] - g * _gold,
            path_sum(g, e, A)[1] - g * _pairs.T,
        ),
        "the gold path forgotten": lambda g, y, e, A: path_sum(g, e, A),
    },
)


def ctc(x, fault=None, g=None):
    """−log of all ways to write one label in T steps. x: (T, 2), log probabilities of blank and label."""
    moves = np.array([[0.0, 0.0, -np.inf], [-np.inf, 0.0, 0.0], [-np.inf, -np.inf, 0.0]])  # from, to
    e = np.stack([x[:, 0], x[:, 1], x[:, 0]], -1)
    start = np.array([0.0, 0.0, -np.inf])
    alphas = [e[0] + start]
    for t in range(1, len(e)):
        alphas.append(_lse(alphas[-1][:, None] + moves) + e[t])
    ends = alphas[-1][1:]
    total = _lse(ends[:, None])[0]
    if g is None:
        return -total
    d, de = np.concatenate([[0.0], np.exp(ends - total)]), np.zeros_like(e)
    if fault == "one end":
        d = np.array([0.0, 0.0, 1.0])
    for t in reversed(range(len(e))):
        de[t] = d
        if t:
            with np.errstate(invalid="ignore"):
                p = np.nan_to_num(np.exp(alphas[t - 1][:, None] + moves - (alphas[t] - e[t])))
            d = (p * d).sum(1)
    blanks = de[:, 0] if fault == "first blank" else de[:, 0] + de[:, 2]
    sign = 1 if fault == "sign" else -1
    return sign * g * np.stack([blanks, de[:, 1]], -1)


function(
    "ctc",
    "dynamic programme",
    lambda x: ctc(x),
    lambda g, y, x: (ctc(x, g=g),),
    np.log(positive(5, 2) / 3),
    right="one label, and blanks",
    wrong={
        "the second blank forgotten": lambda g, y, x: (ctc(x, "first blank", g),),
        "ending in a blank only": lambda g, y, x: (ctc(x, "one end", g),),
        "the sign": lambda g, y, x: (ctc(x, "sign", g),),
    },
)


def kalman(q, r, zs):
    """The filtered means of a random walk. q, r: variances; zs: (T,)."""
    m, P, ms = 0.0, 1.0, []
    for z in zs:
        P = P + q
        K = P / (P + r)
        m, P = m + K * (z - m), (1 - K) * P
        ms.append(m)
    return np.array(ms)


def kalman_back(g, q, r, zs, fault=""):
    m, P, seen = 0.0, 1.0, []
    for z in zs:
        prior = P + q
        K = prior / (prior + r)
        seen.append((m, prior, K, z))
        m, P = m + K * (z - m), (1 - K) * prior
    dq, dr, dz, dm, dP = 0.0, 0.0, np.zeros_like(zs), 0.0, 0.0
    for t in reversed(range(len(zs))):
        before, prior, K, z = seen[t]
        dm = dm + g[t]
        dK = dm * (z - before) - (0 if fault == "gain" else dP * prior)
        dz[t] = dm * K
        dprior = (0 if fault == "covariance" else dP * (1 - K)) + dK * r / (prior + r) ** 2
        dr = dr - dK * prior / (prior + r) ** 2
        dm, dP, dq = dm * (K if fault == "mean" else 1 - K), dprior, dq + dprior
    return dq, (0 * dr if fault == "noise" else dr), dz


function(
    "kalman filter",
    "dynamic programme",
    kalman,
    lambda g, y, q, r, zs: kalman_back(g, q, r, zs),
    0.3,
    0.5,
    normal(6),
    right="two variances and the data",
    wrong={
        "the gain's effect on the covariance forgotten": lambda g, y, q, r, zs: kalman_back(g, q, r, zs, "gain"),
        "covariance not carried": lambda g, y, q, r, zs: kalman_back(g, q, r, zs, "covariance"),
        "K for 1 − K": lambda g, y, q, r, zs: kalman_back(g, q, r, zs, "mean"),
        "none to the noise": lambda g, y, q, r, zs: kalman_back(g, q, r, zs, "noise"),
    },
)
function(
    "discounted returns",
    "time",
    lambda r: _returns(r),
    lambda g, y, r: (_returns(g[::-1])[::-1],),
    normal(5),
    right="of reinforcement learning",
    wrong={
        "the discount in the same direction": lambda g, y, r: (_returns(g),),
        "without discount": lambda g, y, r: (np.cumsum(g),),
    },
)


def _returns(r):
    out, kept = [], 0.0
    for each in r[::-1]:
        kept = each + 0.9 * kept
        out.append(kept)
    return np.array(out[::-1])

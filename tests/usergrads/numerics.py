"""What scientists differentiate: linear algebra, quadratures, differential equations, fixed points, transforms."""

import numpy as np

from .case import function, normal

inv, solve = np.linalg.inv, np.linalg.solve
_A = normal(3, 3) + 3 * np.eye(3)
_B = normal(3, seed=1)
_S = np.array([[2.0, 0.3, 0.1], [0.3, 1.5, -0.2], [0.1, -0.2, 1.0]])

function(
    "inverse",
    "linear algebra",
    inv,
    lambda g, y, A: (-y.T @ g @ y.T,),
    _A,
    right="not symmetric",
    wrong={
        "the sign": lambda g, y, A: (y.T @ g @ y.T,),
        "not transposed": lambda g, y, A: (-y @ g @ y,),
        "of one side only": lambda g, y, A: (-y.T @ g,),
    },
)
function(
    "solve",
    "linear algebra",
    solve,
    lambda g, y, A, b: (-np.outer(solve(A.T, g), y), solve(A.T, g)),
    _A,
    _B,
    right="by the transposed system",
    wrong={
        "by the system itself": lambda g, y, A, b: (-np.outer(solve(A, g), y), solve(A, g)),
        "A's transposed": lambda g, y, A, b: (-np.outer(y, solve(A.T, g)), solve(A.T, g)),
        "none to A": lambda g, y, A, b: (0 * A, solve(A.T, g)),
    },
)
function(
    "determinant",
    "linear algebra",
    np.linalg.det,
    lambda g, y, A: (g * y * inv(A).T,),
    _A,
    right="Jacobi's formula",
    wrong={"not transposed": lambda g, y, A: (g * y * inv(A),), "of the logarithm": lambda g, y, A: (g * inv(A).T,)},
)
function(
    "log determinant",
    "linear algebra",
    lambda A: np.log(np.linalg.det(A)),
    lambda g, y, A: (g * inv(A).T,),
    _A,
    right="of a matrix with a positive one",
    wrong={
        "2·inverse − diagonal, for symmetric ones": lambda g, y, A: (g * (2 * inv(A).T - np.diag(np.diag(inv(A)))),)
    },
)


def _phi(x):
    return np.tril(x) - 0.5 * np.diag(np.diag(x))


def _chol(g, L, half=True):
    K = inv(L)
    P = _phi(L.T @ g) if half else np.tril(L.T @ g)
    return K.T @ P @ K


def cholesky_of_symmetric(A):
    """From (A + Aᵀ) / 2, so that any direction of A is one that it has."""
    S, L = (A + A.T) / 2, np.zeros_like(A)
    for j in range(len(A)):
        L[j, j] = np.sqrt(S[j, j] - (L[j, :j] ** 2).sum())
        for i in range(j + 1, len(A)):
            L[i, j] = (S[i, j] - (L[i, :j] * L[j, :j]).sum()) / L[j, j]
    return L


function(
    "cholesky",
    "linear algebra",
    cholesky_of_symmetric,
    lambda g, y, A: ((_chol(g, y) + _chol(g, y).T) / 2,),
    _S,
    right="Murray's, symmetrised",
    wrong={
        "the diagonal not halved": lambda g, y, A: ((_chol(g, y, False) + _chol(g, y, False).T) / 2,),
        "not symmetrised": lambda g, y, A: (np.tril(_chol(g, y)),),
    },
)
function(
    "lapack's cholesky",
    "linear algebra",
    lambda A: np.linalg.cholesky((A + A.T) / 2),
    lambda g, y, A: ((_chol(np.tril(g), y) + _chol(np.tril(g), y).T) / 2,),
    _S,
    right="which conjugates, so that no complex step is possible",
)
function(
    "largest eigenvalue",
    "linear algebra",
    lambda A: np.linalg.eigvalsh((A + A.T) / 2)[-1],
    lambda g, y, A: (g * np.outer(np.linalg.eigh((A + A.T) / 2)[1][:, -1], np.linalg.eigh((A + A.T) / 2)[1][:, -1]),),
    _S,
    right="of a symmetric matrix",
    wrong={
        "a row for a column of the vectors": lambda g, y, A: (
            g * np.outer(np.linalg.eigh((A + A.T) / 2)[1][-1], np.linalg.eigh((A + A.T) / 2)[1][-1]),
        ),
        "the smallest's vector": lambda g, y, A: (
            g * np.outer(np.linalg.eigh((A + A.T) / 2)[1][:, 0], np.linalg.eigh((A + A.T) / 2)[1][:, 0]),
        ),
    },
)
function(
    "singular values",
    "linear algebra",
    lambda A: np.linalg.svd(A, compute_uv=False),
    lambda g, y, A: (np.linalg.svd(A)[0] @ np.diag(g) @ np.linalg.svd(A)[2],),
    _A,
    right="distinct",
    wrong={"V transposed": lambda g, y, A: (np.linalg.svd(A)[0] @ np.diag(g) @ np.linalg.svd(A)[2].T,)},
)
function(
    "quadratic form of an inverse",
    "linear algebra",
    lambda A, b: b @ solve(A, b),
    lambda g, y, A, b: (-g * np.outer(solve(A.T, b), solve(A, b)), g * (solve(A, b) + solve(A.T, b))),
    _A,
    _B,
    right="Mahalanobis, of a matrix that is not symmetric",
    wrong={
        "2 A⁻¹b, for symmetric ones": lambda g, y, A, b: (
            -g * np.outer(solve(A.T, b), solve(A, b)),
            2 * g * solve(A, b),
        )
    },
)

# ---- quadratures: weights that are rounded constants

_nodes, _weights = np.polynomial.legendre.leggauss(5)
_t, _w = (
    np.array([-0.7745966692414834, 0.0, 0.7745966692414834]),
    np.array([0.5555555555555556, 0.8888888888888888, 0.5555555555555556]),
)
function(
    "Gauss–Legendre of exp",
    "quadrature",
    lambda a: (np.exp(np.multiply.outer(a, _nodes)) * _weights).sum(-1),
    lambda g, y, a: (g * (_nodes * np.exp(np.multiply.outer(a, _nodes)) * _weights).sum(-1),),
    [0.5, -1.0],
    right="the same rounded weights in both",
    wrong={
        "a node forgotten": lambda g, y, a: (
            g * (_nodes * np.exp(np.multiply.outer(a, _nodes)) * _weights)[..., :-1].sum(-1),
        ),
        "the node's factor forgotten": lambda g, y, a: (g * y,),
    },
)
function(
    "∫ of exp(a t) by three nodes, derivative in closed form",
    "quadrature",
    lambda a: (
        0.5555555555555556 * np.exp(-0.7745966692414834 * a)
        + 0.8888888888888888
        + 0.5555555555555556 * np.exp(0.7745966692414834 * a)
    ),
    lambda g, y, a: (g * (5 / 9) * np.sqrt(3 / 5) * (np.exp(np.sqrt(3 / 5) * a) - np.exp(-np.sqrt(3 / 5) * a)),),
    [0.5, -1.0, 2.0],
    right="5/9 and √(3/5) here, their sixteen digits there",
    wrong={
        "5/8": lambda g, y, a: (
            g * (5 / 8) * np.sqrt(3 / 5) * (np.exp(np.sqrt(3 / 5) * a) - np.exp(-np.sqrt(3 / 5) * a)),
        )
    },
)
function(
    "normal density",
    "quadrature",
    lambda x: 0.3989422804014327 * np.exp(-x * x / 2),
    lambda g, y, x: (-g * x * np.exp(-x * x / 2) / np.sqrt(2 * np.pi),),
    normal(4),
    right="1/√2π, rounded here and computed there",
    wrong={"σ² forgotten: 2x": lambda g, y, x: (-2 * g * x * y,)},
)
function(
    "trapezoids",
    "quadrature",
    lambda f: 0.1 * (f.sum() - (f[0] + f[-1]) / 2),
    lambda g, y, f: (g * 0.1 * _ends_halved(f.size),),
    normal(6),
    right="ends count half",
    wrong={
        "ends count whole": lambda g, y, f: (g * 0.1 * np.ones(f.size),),
        "the step forgotten": lambda g, y, f: (g * _ends_halved(f.size),),
    },
)
function(
    "Simpson",
    "quadrature",
    lambda f: (f[0] + 4 * f[1::2].sum() + 2 * f[2:-1:2].sum() + f[-1]) / 3,
    lambda g, y, f: (g * np.array([1, 4, 2, 4, 1]) / 3,),
    normal(5),
    right="1 4 2 4 1",
    wrong={"4 and 2 exchanged": lambda g, y, f: (g * np.array([1, 2, 4, 2, 1]) / 3,)},
)

# ---- differential equations and fixed points

_h = 0.1


def rk4(x, k):
    for _ in range(5):
        f = lambda x: -k * x * x
        a = f(x)
        b = f(x + _h / 2 * a)
        c = f(x + _h / 2 * b)
        x = x + _h / 6 * (a + 2 * b + 2 * c + f(x + _h * c))
    return x


def rk4_back(g, x, k, fault=""):
    """Forward sensitivities (dx, dk) of the same scheme, times g."""
    sx, sk = 1.0, 0.0
    for _ in range(5):
        f = lambda x: -k * x * x
        d = lambda x, s, dk: -2 * k * x * s - dk * x * x
        a = f(x)
        b = f(x + _h / 2 * a)
        c = f(x + _h / 2 * b)
        new = []
        for s, dk in ((sx, 0.0), (sk, 0.0 if fault == "k" else 1.0)):
            da = d(x, s, dk)
            db = d(x + _h / 2 * a, s + _h / 2 * da, dk)
            dc = d(x + _h / 2 * b, s + _h / 2 * db, dk)
            dd = d(x + _h * c, s + _h * dc, dk)
            new.append(s + _h / 6 * (da + (1 if fault == "weights" else 2) * db + 2 * dc + dd))
        (sx, sk), x = new, x + _h / 6 * (a + 2 * b + 2 * c + f(x + _h * c))
    return g * sx, g * sk


function(
    "Runge–Kutta",
    "ode",
    rk4,
    lambda g, y, x, k: rk4_back(g, x, k),
    [1.0, 0.5],
    0.7,
    right="differentiated through its stages",
    wrong={
        "a stage's weight": lambda g, y, x, k: rk4_back(g, x, k, "weights"),
        "of the exact solution, not of the scheme": lambda g, y, x, k: (
            g / (1 + 0.5 * k * x) ** 2,
            -g * 0.5 * x * x / (1 + 0.5 * k * x) ** 2,
        ),
        "none to the parameter": lambda g, y, x, k: rk4_back(g, x, k, "k"),
    },
)
function(
    "Euler, twenty steps",
    "ode",
    lambda x: _euler(x),
    lambda g, y, x: (g * _euler_slope(x),),
    [0.2, 1.5],
    right="step by step",
    wrong={
        "one step short": lambda g, y, x: (g * _euler_slope(x, 19),),
        "at the last state only": lambda g, y, x: (g * (1 + 0.05 * np.cos(y)) ** 20,),
    },
)
function(
    "leapfrog",
    "ode",
    lambda q, p: q + 0.1 * (p - 0.05 * np.sin(q)),
    lambda g, y, q, p: (g * (1 - 0.005 * np.cos(q)), 0.1 * g),
    normal(3),
    normal(3, seed=1),
    right="a kick and a drift",
    wrong={"the kick forgotten": lambda g, y, q, p: (g, 0.1 * g)},
)
function(
    "exact solution by an adjoint in Euler's steps",
    "ode",
    lambda x: x * np.exp(-1.0),
    lambda g, y, x: (g * (1 - 1 / 200_000_000) ** 200_000_000.0,),
    [1.0, 2.0],
    right="right for the mathematics to 1e-8: declared by rtol=",
    options={"rtol": 1e-6},
    by_hand=True,
)


def fixed(a, rounds=200):
    """y = cos(a y), by iterating; with few rounds not converged."""
    y = np.ones_like(a) * 0.7
    for _ in range(rounds):
        y = np.cos(a * y)
    return y


function(
    "fixed point",
    "fixed point",
    lambda a: fixed(a),
    lambda g, y, a: (-g * y * np.sin(a * y) / (1 + a * np.sin(a * y)),),
    [0.5, 0.8],
    right="implicit differentiation, converged to the last bit",
    wrong={
        "one round only": lambda g, y, a: (-g * y * np.sin(a * y),),
        "1 − for 1 +": lambda g, y, a: (-g * y * np.sin(a * y) / (1 - a * np.sin(a * y)),),
    },
)
function(
    "fixed point, converged to 1e-8",
    "fixed point",
    lambda a: fixed(a, 24),
    lambda g, y, a: (-g * y * np.sin(a * y) / (1 + a * np.sin(a * y)),),
    [0.5],
    right="right for the mathematics only: declared by rtol=",
    options={"rtol": 1e-5},
    by_hand=True,
    wrong={
        "and of the wrong sign, declared or not": lambda g, y, a: (g * y * np.sin(a * y) / (1 + a * np.sin(a * y)),),
        "and 1 % too large, declared or not": lambda g, y, a: (
            -1.01 * g * y * np.sin(a * y) / (1 + a * np.sin(a * y)),
        ),
    },
)
function(
    "Newton's square root",
    "fixed point",
    lambda x: _newton(x),
    lambda g, y, x: (g / (2 * y),),
    [2.0, 5.0, 0.3],
    right="converged quadratically",
    wrong={"of the last step alone": lambda g, y, x: (g / (4 * y) * 2 / y,)},
)
function(
    "Sinkhorn's scaling, one round",
    "fixed point",
    lambda x: np.exp(x) / np.exp(x).sum(0) / (np.exp(x) / np.exp(x).sum(0)).sum(1, keepdims=True),
    lambda g, y, x: (_sinkhorn(g, x),),
    normal(3, 3),
    right="columns, then rows",
    wrong={"rows only": lambda g, y, x: (y * (g - (g * y).sum(1, keepdims=True)),)},
)

# ---- transforms

function(
    "power spectrum",
    "fft",
    lambda x: np.abs(np.fft.fft(x)) ** 2,
    lambda g, y, x: (2 * x.size * np.fft.ifft(g * np.fft.fft(x)).real,),
    normal(6),
    right="np.fft and np.abs: real numbers only",
    wrong={
        "n forgotten": lambda g, y, x: (2 * np.fft.ifft(g * np.fft.fft(x)).real,),
        "fft for ifft": lambda g, y, x: (2 * np.fft.fft(g * np.fft.fft(x)).real,),
        "the 2": lambda g, y, x: (x.size * np.fft.ifft(g * np.fft.fft(x)).real,),
    },
)
function(
    "rfft, its real part",
    "fft",
    lambda x: np.fft.rfft(x).real,
    lambda g, y, x: (
        np.array([(g * np.cos(2 * np.pi * np.arange(g.size) * n / x.size)).sum() for n in range(x.size)]),
    ),
    normal(6),
    right="the inner frequencies count once",
    wrong={"by irfft, which halves nothing": lambda g, y, x: (x.size * np.fft.irfft(g, x.size),)},
)
_dct = np.cos(np.pi / 5 * np.outer(np.arange(5), np.arange(5) + 0.5))
function(
    "cosine transform",
    "fft",
    lambda x: _dct @ x,
    lambda g, y, x: (_dct.T @ g,),
    normal(5),
    right="a matrix",
    wrong={"not transposed": lambda g, y, x: (_dct @ g,)},
)
function(
    "circular convolution by fft",
    "fft",
    lambda a, b: np.fft.ifft(np.fft.fft(a) * np.fft.fft(b)).real,
    lambda g, y, a, b: (
        np.fft.ifft(np.fft.fft(g) * np.conj(np.fft.fft(b))).real,
        np.fft.ifft(np.fft.fft(g) * np.conj(np.fft.fft(a))).real,
    ),
    normal(5),
    normal(5, seed=1),
    right="correlated with the conjugate",
    wrong={
        "not conjugated": lambda g, y, a, b: (
            np.fft.ifft(np.fft.fft(g) * np.fft.fft(b)).real,
            np.fft.ifft(np.fft.fft(g) * np.fft.fft(a)).real,
        )
    },
)

# ---- the ends of the range

function(
    "root of 1e-300",
    "extreme",
    np.sqrt,
    lambda g, y, x: (g / (2 * y),),
    [1e-300, 1.0],
    right="smaller than the step of a complex step",
    wrong={"an ε below": lambda g, y, x: (g / (2 * (y + 1e-9)),), "2 forgotten, at 1e-300": lambda g, y, x: (g / y,)},
)
function(
    "logarithm near zero",
    "extreme",
    np.log,
    lambda g, y, x: (g / x,),
    [1e-200, 1e-5, 1e200],
    right="four hundred decades",
    wrong={"an ε below": lambda g, y, x: (g / (x + 1e-8),)},
)
function(
    "log1p of small numbers",
    "extreme",
    np.log1p,
    lambda g, y, x: (g / (1 + x),),
    [1e-17, 1e-9, 0.5],
    right="np.log1p, where log(1 + x) would be 0",
    wrong={"1 / x": lambda g, y, x: (g / x,), "1 − x, its series": lambda g, y, x: (g * (1 - x),)},
)
function(
    "exp less one",
    "extreme",
    np.expm1,
    lambda g, y, x: (g * (y + 1),),
    [1e-12, -1e-3, 3.0],
    right="by its output",
    wrong={"by its output, 1 forgotten": lambda g, y, x: (g * y,)},
)
function(
    "reciprocal of large and small",
    "extreme",
    lambda x: 1 / x,
    lambda g, y, x: (-g * y * y,),
    [1e-100, 3.0, -1e100],
    right="y² of 1e200",
    wrong={"− forgotten for negative ones": lambda g, y, x: (np.where(x < 0, 1, -1) * g * y * y,)},
)
function(
    "arctangent of a quotient",
    "extreme",
    np.arctan2,
    lambda g, y, b, a: (g * a / (a * a + b * b), -g * b / (a * a + b * b)),
    [1.0, -2.0, 0.5],
    [-1.0, 0.3, 2.0],
    right="np.arctan2, in all quadrants",
    wrong={
        "a sign": lambda g, y, b, a: (g * a / (a * a + b * b), g * b / (a * a + b * b)),
        "exchanged": lambda g, y, b, a: (-g * b / (a * a + b * b), g * a / (a * a + b * b)),
    },
)


def _ends_halved(n):
    return np.where((np.arange(n) == 0) | (np.arange(n) == n - 1), 0.5, 1.0)


def _euler(x):
    for _ in range(20):
        x = x + 0.05 * np.sin(x)
    return x


def _euler_slope(x, steps=20):
    slope = 1.0
    for _ in range(steps):
        slope, x = slope * (1 + 0.05 * np.cos(x)), x + 0.05 * np.sin(x)
    return slope


def _newton(x):
    y = 1 + 0 * x
    for _ in range(12):
        y = (y + x / y) / 2
    return y


def _sinkhorn(g, x):
    columns = np.exp(x) / np.exp(x).sum(0)
    s = columns.sum(1, keepdims=True)
    d = (g - (g * columns / s).sum(1, keepdims=True)) / s
    return columns * (d - (d * columns).sum(0))

"""Functions of one number, and of a few: factors, signs, cuts, kinks, digits."""

import numpy as np

from .case import differently, function, normal, positive

# ---- factors and signs

function(
    "cube",
    "factor",
    lambda x: x**3,
    lambda g, y, x: (3 * x**2 * g,),
    [0.5, -1.0, 2.0],
    right="the plainest there is",
    wrong={
        "a factor of 2": lambda g, y, x: (2 * x**2 * g,),
        "the power not lowered": lambda g, y, x: (3 * x**3 * g,),
        "off by 1e-3": lambda g, y, x: ((3 + 3e-3) * x**2 * g,),
        "off by 1e-5": lambda g, y, x: (3.00003 * x**2 * g,),
        "off by 1e-7": lambda g, y, x: (3.0000003 * x**2 * g,),
        "off by 1e-9": lambda g, y, x: (3 * (1 + 1e-9) * x**2 * g,),
        "off by 1e-11": lambda g, y, x: (3 * (1 + 1e-11) * x**2 * g,),
        "upstream forgotten": lambda g, y, x: (3 * x**2,),
        "upstream squared": lambda g, y, x: (3 * x**2 * g * g,),
    },
)
function(
    "gelu",
    "factor",
    lambda x: 0.5 * x * (1 + np.tanh(0.7978845608028654 * (x + 0.044715 * x**3))),
    lambda g, y, x: (
        g
        * (
            0.5 * (1 + np.tanh(0.7978845608028654 * (x + 0.044715 * x**3)))
            + 0.5
            * x
            * (1 - np.tanh(0.7978845608028654 * (x + 0.044715 * x**3)) ** 2)
            * 0.7978845608028654
            * (1 + 3 * 0.044715 * x**2)
        ),
    ),
    normal(4, 3),
    right="the tanh form, as in BERT",
    wrong={
        "the 3 of the cubic forgotten": lambda g, y, x: (
            g
            * (
                0.5 * (1 + np.tanh(0.7978845608028654 * (x + 0.044715 * x**3)))
                + 0.5
                * x
                * (1 - np.tanh(0.7978845608028654 * (x + 0.044715 * x**3)) ** 2)
                * 0.7978845608028654
                * (1 + 0.044715 * x**2)
            ),
        ),
        "the derivative of the other, the erf form": lambda g, y, x: (
            g
            * (
                0.5 * (1 + np.tanh(0.7978845608028654 * (x + 0.044715 * x**3)))
                + x * np.exp(-x * x / 2) / np.sqrt(2 * np.pi)
            ),
        ),
    },
)
function(
    "swish",
    "factor",
    lambda x: x / (1 + np.exp(-x)),
    lambda g, y, x: (g * (y + (1 - y) / (1 + np.exp(-x))),),
    normal(5),
    right="by the output, as the paper has it",
    wrong={
        "x forgotten": lambda g, y, x: (g * (1 / (1 + np.exp(-x))),),
        "σ' with the output of swish for σ": lambda g, y, x: (g * (y * (1 - y) * x + y),),
    },
)
function(
    "mish",
    "factor",
    lambda x: x * np.tanh(np.log1p(np.exp(x))),
    lambda g, y, x: (
        g * (np.tanh(np.log1p(np.exp(x))) + x * (1 - np.tanh(np.log1p(np.exp(x))) ** 2) / (1 + np.exp(-x))),
    ),
    normal(5, seed=1),
    right="a composition of three",
    wrong={
        "σ(x) of the chain forgotten": lambda g, y, x: (
            g * (np.tanh(np.log1p(np.exp(x))) + x * (1 - np.tanh(np.log1p(np.exp(x))) ** 2)),
        )
    },
)
function(
    "cosine wave",
    "sign",
    np.cos,
    lambda g, y, x: (-np.sin(x) * g,),
    [0.3, 2.0, -1.0],
    wrong={"the minus forgotten": lambda g, y, x: (np.sin(x) * g,)},
)
function(
    "square near its minimum",
    "sign",
    lambda x: x * x,
    lambda g, y, x: (2 * x * g,),
    [1e-8],
    right="near a stationary point",
    wrong={
        "the sign flipped, at 1e-8": lambda g, y, x: (-2 * x * g,),
        "three times too large, at 1e-8": lambda g, y, x: (6 * x * g,),
        "zero below 1e-6": lambda g, y, x: (np.where(np.abs(x) < 1e-6, 0.0, 2 * x) * g,),
    },
)
function(
    "one minus cosine",
    "sign",
    lambda x: 1 - np.cos(x),
    lambda g, y, x: (np.sin(x) * g,),
    [1e-7, 3e-6, -1e-9],
    wrong={"the sign, near 0": lambda g, y, x: (-np.sin(x) * g,)},
)
function(
    "subtract",
    "sign",
    lambda a, b: a - b,
    lambda g, y, a, b: (g, -g),
    [1.0, 2.0],
    [3.0, -1.0],
    wrong={"both plus": lambda g, y, a, b: (g, g)},
)
function(
    "divide",
    "factor",
    lambda a, b: a / b,
    lambda g, y, a, b: (g / b, -g * a / (b * b)),
    normal(3, 4),
    positive(3, 4),
    right="the quotient rule",
    wrong={
        "b, not b², below": lambda g, y, a, b: (g / b, -g * a / b),
        "the sign of the second": lambda g, y, a, b: (g / b, g * a / (b * b)),
        "none to the second": lambda g, y, a, b: (g / b, 0 * b),
        "a sum, where b was one number": differently(
            lambda g, y, a, b: (g / b, np.mean(-g * a) / (b * b)), inputs=(normal(3, 4), np.array(1.5))
        ),
    },
)
function(
    "power of two numbers",
    "input",
    lambda a, b: a**b,
    lambda g, y, a, b: (g * b * a ** (b - 1), g * y * np.log(a)),
    positive(4),
    normal(4, seed=2),
    right="both base and exponent",
    wrong={
        "the exponent forgotten": lambda g, y, a, b: (g * b * a ** (b - 1), None),
        "log of the exponent": lambda g, y, a, b: (g * b * a ** (b - 1), g * y * np.log(np.abs(b))),
    },
)
function(
    "hypot",
    "factor",
    lambda a, b: np.sqrt(a * a + b * b),
    lambda g, y, a, b: (g * a / y, g * b / y),
    normal(4, seed=3),
    normal(4, seed=4),
    right="a root of squares",
    wrong={"a factor of 2 left over": lambda g, y, a, b: (2 * g * a / y, 2 * g * b / y)},
)
function(
    "power by an attribute",
    "attribute",
    lambda x, n=2: x**n,
    lambda g, y, x, n=2: (n * x ** (n - 1) * g,),
    positive(4),
    right="tried at n = 5",
    options={"n": 5},
    check="op",
    wrong={
        "2x whatever n is": lambda g, y, x, n=2: (2 * x * g,),
        "n x without the power": lambda g, y, x, n=2: (n * x * g,),
    },
)
function(
    "scaled tanh",
    "attribute",
    lambda x, scale=1.0: np.tanh(scale * x),
    lambda g, y, x, scale=1.0: (g * scale * (1 - y * y),),
    normal(4),
    options={"scale": 2.0},
    check="op",
    right="LeCun's, with another scale than 1",
    wrong={"the scale forgotten": lambda g, y, x, scale=1.0: (g * (1 - y * y),)},
)

# ---- wrong on a part of the line only

function(
    "exp",
    "range",
    np.exp,
    lambda g, y, x: (g * y,),
    [-30.0, -1.0, 0.5, 30.0],
    right="thirteen decades on either side",
    wrong={
        "for x < 0 wrong by a factor of 2": lambda g, y, x: (g * np.where(x < 0, 2 * y, y),),
        "for x < 0 zero": lambda g, y, x: (g * np.where(x < 0, 0 * y, y),),
        "clipped at 20": lambda g, y, x: (g * np.minimum(y, np.exp(20.0)),),
        "1 + x for small x": differently(
            lambda g, y, x: (g * np.where(np.abs(x) < 0.1, 1 + x, y),), inputs=([0.05, -0.08, 1.0],)
        ),
    },
)
function(
    "softplus",
    "range",
    lambda x: np.logaddexp(0.0, x),
    lambda g, y, x: (g / (1 + np.exp(-x)),),
    [-35.0, -2.0, 0.5, 3.0, 25.0, 40.0],
    right="by logaddexp, with both tails",
    wrong={
        "cut at 2": lambda g, y, x: (g * np.where(x > 2, 1.0, 1 / (1 + np.exp(-x))),),
        "a threshold of 20 in the rule only": differently(
            lambda g, y, x: (g * np.where(x > 20, 0.0, 1 / (1 + np.exp(-x))),), inputs=([1.0, 19.0, 25.0],)
        ),
        "zero below −30": lambda g, y, x: (g * np.where(x < -30, 0.0, 1 / (1 + np.exp(-x))),),
    },
)
function(
    "log sigmoid",
    "range",
    lambda x: -np.logaddexp(0.0, -x),
    lambda g, y, x: (g / (1 + np.exp(x)),),
    [-40.0, -1.0, 0.0, 2.0, 33.0],
    right="with its right tail, of 4e-15",
    wrong={
        "1 − σ without its tail": differently(
            lambda g, y, x: (g * (np.where(x > 30, 0.0, 1 / (1 + np.exp(x)))),), inputs=([33.0, 35.0],)
        ),
        "σ(x) for σ(−x)": lambda g, y, x: (g / (1 + np.exp(-x)),),
    },
)
function(
    "tanh",
    "range",
    np.tanh,
    lambda g, y, x: (g * (1 - y * y),),
    [-2.0, 0.1, 3.0],
    wrong={
        "zero past 2": lambda g, y, x: (g * np.where(np.abs(x) > 2.5, 0.0, 1 - y * y),),
        "1 − y": lambda g, y, x: (g * (1 - y),),
        "of the input": lambda g, y, x: (g * (1 - x * x),),
    },
)
function(
    "elu",
    "range",
    lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    lambda g, y, x: (g * np.where(x > 0, 1.0, y + 1),),
    [-2.0, -0.5, 0.7],
    right="by its output",
    wrong={"y for y + 1": lambda g, y, x: (g * np.where(x > 0, 1.0, y),)},
)
function(
    "selu",
    "range",
    lambda x: 1.0507 * np.where(x > 0, x, 1.67326 * np.expm1(np.minimum(x, 0))),
    lambda g, y, x: (g * 1.0507 * np.where(x > 0, 1.0, 1.67326 * np.exp(np.minimum(x, 0))),),
    normal(6),
    right="with rounded constants, the same on both sides",
    wrong={
        "the scale forgotten for x > 0": lambda g, y, x: (
            g * np.where(x > 0, 1.0, 1.0507 * 1.67326 * np.exp(np.minimum(x, 0))),
        )
    },
)
function(
    "leaky relu",
    "kink",
    lambda x: np.where(x > 0, x, 0.01 * x),
    lambda g, y, x: (g * np.where(x > 0, 1.0, 0.01),),
    [-2.0, 3.0, -0.5],
    right="away from its kink",
    wrong={"relu's": lambda g, y, x: (g * (x > 0),), "0.1 for 0.01": lambda g, y, x: (g * np.where(x > 0, 1.0, 0.1),)},
)

# ---- small beside large

function(
    "x² + 1e-3·|x|",
    "small beside large",
    lambda x: x * x + 1e-3 * np.abs(x),
    lambda g, y, x: (g * (2 * x + 1e-3 * np.sign(x)),),
    [0.5, -3.0, 40.0],
    right="an L1 penalty beside a square",
    wrong={
        "the small term forgotten": lambda g, y, x: (2 * x * g,),
        "its sign forgotten": lambda g, y, x: (g * (2 * x + 1e-3),),
    },
)
function(
    "x² + 1e-6·sin(x)",
    "small beside large",
    lambda x: x * x + 1e-6 * np.sin(x),
    lambda g, y, x: (g * (2 * x + 1e-6 * np.cos(x)),),
    normal(50),
    wrong={"the small term forgotten": lambda g, y, x: (2 * x * g,)},
)
function(
    "1e8·sin and 1e-8·cos",
    "small beside large",
    lambda x: np.stack([1e8 * np.sin(x), 1e-8 * np.cos(x)]),
    lambda g, y, x: (g[0] * 1e8 * np.cos(x) - g[1] * 1e-8 * np.sin(x),),
    [0.3, 1.0],
    right="two outputs, sixteen decades apart",
    wrong={
        "the sign of the small output": lambda g, y, x: (g[0] * 1e8 * np.cos(x) + g[1] * 1e-8 * np.sin(x),),
        "the small output forgotten": lambda g, y, x: (g[0] * 1e8 * np.cos(x),),
    },
)
function(
    "a large and a small input",
    "small beside large",
    lambda a, b: 1e6 * a * a + b * b * b,
    lambda g, y, a, b: (2e6 * a * g, 3 * b * b * g),
    [1.0, 2.0],
    [0.01, -0.02],
    right="each input is judged by its own size",
    wrong={"the small one's factor": lambda g, y, a, b: (2e6 * a * g, 2 * b * b * g)},
)
function(
    "entries from 1e-9 to 1e9",
    "small beside large",
    lambda x: x * np.abs(x),
    lambda g, y, x: (2 * np.abs(x) * g,),
    [1e-9, -1e-4, 2.0, -1e5, 1e9],
    right="eighteen decades in one input",
    wrong={
        "the smallest entries wrong": lambda g, y, x: (np.where(np.abs(x) < 1e-3, 3.0, 2.0) * np.abs(x) * g,),
        "one entry of a thousand, of the size of the others": differently(
            lambda g, y, x: (2 * np.abs(x) * g * np.where(np.arange(x.size) == 500, 1.001, 1.0),),
            inputs=(normal(1000),),
        ),
    },
)

# ---- float32

_many = normal(20_000, dtype=np.float32)
function(
    "square of 20,000 in float32",
    "float32",
    lambda x: x * x,
    lambda g, y, x: (2 * x * g,),
    _many,
    right="at the size where mistakes hide",
    wrong={
        "3 % too large": lambda g, y, x: (np.float32(2.06) * x * g,),
        "0.1 % too large": lambda g, y, x: (np.float32(2.002) * x * g,),
    },
)
function(
    "tanh of 20,000 in float32",
    "float32",
    np.tanh,
    lambda g, y, x: ((1 - y * y) * g,),
    _many,
    right="saturating, at that size",
    wrong={
        "0.1 % too small": lambda g, y, x: (np.float32(0.999) * (1 - y * y) * g,),
        "3 % too small": lambda g, y, x: (np.float32(0.97) * (1 - y * y) * g,),
    },
)
function(
    "abs in float32",
    "float32",
    np.abs,
    lambda g, y, x: (np.sign(x) * g,),
    normal(20, dtype=np.float32),
    right="np.abs is not analytic",
    wrong={"no sign": lambda g, y, x: (g,), "1 %": lambda g, y, x: (np.float32(1.01) * np.sign(x) * g,)},
)
function(
    "softplus in float32",
    "float32",
    lambda x: np.logaddexp(np.float32(0), x),
    lambda g, y, x: (g / (1 + np.exp(-x)),),
    np.array([-10, -3, 0.1, 4, 12], np.float32),
    right="its own precision only",
    wrong={"0.5 % too large": lambda g, y, x: (np.float32(1.005) * g / (1 + np.exp(-x)),)},
)
function(
    "root with an ε in float32",
    "float32",
    lambda x: np.sqrt(x * x + np.float32(1e-6)),
    lambda g, y, x: (g * x / y,),
    normal(30, seed=3, dtype=np.float32),
    right="Charbonnier's, in float32",
    wrong={
        "ε forgotten": differently(
            lambda g, y, x: (g * np.sign(x),), inputs=(np.array([1e-3, 2e-3, -5e-4], np.float32),)
        )
    },
)
function(
    "a float32 cast inside",
    "float32",
    lambda x: (x.astype(np.float32) ** 2).astype(np.float64),
    lambda g, y, x: (2 * x * g,),
    [0.1, 0.7, -1.3],
    right="a forward in half the digits, its rule in all",
    by_hand=True,
    wrong={"and wrong by 1 %": lambda g, y, x: (2.02 * x * g,)},
)

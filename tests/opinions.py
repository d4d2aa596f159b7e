"""What numpy says that each operation gives: an opinion of its own, in float64, which no entry has a part in."""

import math

import numpy as np

from tinygrad_lstm.engine.ops import BUILTIN


def softmax(x, axis):
    return np.exp(x) / np.exp(x).sum(axis=axis, keepdims=True)


def averaged(x, axis, keepdims):
    total = np.sum(x, axis=axis, keepdims=keepdims)
    return total * (total.size / max(x.size, 1))  # numpy's mean warns of none


def counted(x, index, shape):
    """The transpose of indexing, said with counting instead of indexing."""
    size = np.prod(shape, dtype=int)
    places = np.arange(size).reshape(shape)[index]
    weights = np.ravel(np.broadcast_to(x, np.shape(places)))
    return np.bincount(np.ravel(places), weights=weights, minlength=size).reshape(shape)


OPINIONS = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "pow": np.power,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "greater": np.greater,
    "equal": np.equal,
    "neg": np.negative,
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "expm1": np.expm1,
    "log1p": np.log1p,
    "sin": np.sin,
    "cos": np.cos,
    "arctan": np.arctan,
    "erf": np.vectorize(math.erf, [float]),
    "erfc": np.vectorize(math.erfc, [float]),
    "floor": np.floor,
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "softplus": lambda x: np.logaddexp(0, x),
    "relu": lambda x: np.where(x > 0, x, 0),
    "abs": np.abs,
    "where": lambda condition, a, b: np.where(condition != 0, a, b),
    "sum": np.sum,
    "mean": averaged,
    "max": np.max,
    "min": np.min,
    "cumsum": lambda x, axis: np.cumsum(x, axis=axis),
    "logsumexp": lambda x, axis, keepdims: np.logaddexp.reduce(x, axis=axis, keepdims=keepdims, initial=-np.inf),
    "softmax": softmax,
    "log_softmax": lambda x, axis: np.log(softmax(x, axis)),
    "matmul": np.matmul,
    "einsum": lambda *operands, subscripts="ij,jk->ik": np.einsum(subscripts, *operands),
    "reshape": lambda x, shape: x.reshape(shape),
    "transpose": lambda x, axes: np.transpose(x, axes),
    "broadcast_to": lambda x, shape: np.broadcast_to(x, shape),
    "getitem": lambda x, index: x[index],
    "index_add": counted,
    "take": lambda rows, indices: np.take(rows, indices, axis=0),
    "concat": lambda *parts, axis: np.concatenate(parts, axis=axis),
    "stack": lambda *parts, axis: np.stack(parts, axis=axis),
}


def expected(case):
    """What a case should give. Of an operation that is not listed: its own forward, in longer numbers."""
    inputs = [np.asarray(x, np.float64) for x in case.operands(case.inputs)]
    opinion = OPINIONS.get(case.primitive.name)
    if opinion:
        return np.asarray(opinion(*inputs, **case.attrs))
    longer = [x.astype(np.longdouble) for x in inputs]
    return np.asarray(BUILTIN[case.primitive.name].forward(*longer, **case.attrs), np.float64)

"""Tensors of given shapes, and the one generator that draws where nobody gives another."""

from __future__ import annotations

from contextvars import ContextVar
from operator import index
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine.arguments import listed, numbers_of, speaking_for_themselves
from ..engine.tensor import Tensor, tensor

float32, float64 = np.float32, np.float64
Seed = int | np.random.Generator | None

_ours: list[np.random.Generator] = []

DRAWING: ContextVar[np.random.Generator | None] = ContextVar("drawing", default=None)
"""What draws instead of ours, if anything: set while a model is made whose numbers are to be read from a file."""


def zeros(*shape: Any, **how: Any) -> Tensor:
    """Return a tensor of zeros. ``how`` is as for ``tensor``: requires_grad, name, dtype; so below.

    >>> import tinygrad_lstm as tl
    >>> tl.zeros(2, 3).shape, tl.zeros((2, 3), dtype=tl.float32).dtype
    ((2, 3), dtype('float32'))
    """
    return tensor(np.zeros(listed(shape)), **how)


def ones(*shape: Any, **how: Any) -> Tensor:
    """Return a tensor of ones.

    >>> import tinygrad_lstm as tl
    >>> tl.ones(2)
    tensor([1., 1.])
    """
    return full(listed(shape), 1.0, **how)


def full(shape: Any, value: float, **how: Any) -> Tensor:
    """Return a tensor that holds one number everywhere.

    >>> import tinygrad_lstm as tl
    >>> tl.full((2,), 0.5)
    tensor([0.5, 0.5])
    """
    return tensor(np.full(listed((shape,)), value), **how)


def zeros_like(x: Any, **how: Any) -> Tensor:
    """Return zeros in the shape and type of x.

    >>> import tinygrad_lstm as tl
    >>> tl.zeros_like(tl.tensor([1, 2]))
    tensor([0., 0.])
    """
    return tensor(np.zeros_like(numbers_of(x)), **how)


def ones_like(x: Any, **how: Any) -> Tensor:
    """Return ones in the shape and type of x.

    >>> import tinygrad_lstm as tl
    >>> tl.ones_like(tl.tensor([1, 2]))
    tensor([1., 1.])
    """
    return tensor(np.ones_like(numbers_of(x)), **how)


def eye(n: int, m: int | None = None, **how: Any) -> Tensor:
    """Return the identity, (n, n), or with m columns.

    >>> import tinygrad_lstm as tl
    >>> tl.eye(2).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    return tensor(np.eye(index(n), None if m is None else index(m)), **how)


def arange(start: float, stop: float | None = None, step: float = 1, **how: Any) -> Tensor:
    """Return start, start + step, … below stop; with one number, from 0 to below it. Numbers, not indices.

    >>> import tinygrad_lstm as tl
    >>> tl.arange(3)
    tensor([0., 1., 2.])
    """
    return tensor(np.arange(0 if stop is None else start, start if stop is None else stop, step), **how)


def linspace(start: float, stop: float, num: int, **how: Any) -> Tensor:
    """Return so many numbers at equal distances, from start to stop, that too.

    >>> import tinygrad_lstm as tl
    >>> tl.linspace(0, 1, 3)
    tensor([0. , 0.5, 1. ])
    """
    return tensor(np.linspace(start, stop, index(num)), **how)


def from_numpy(array: NDArray[Any], **how: Any) -> Tensor:
    """Return a tensor of a copy of an array: unlike in PyTorch no memory is shared.

    >>> import numpy as np, tinygrad_lstm as tl
    >>> tl.from_numpy(np.ones(2, np.float32))
    tensor([1., 1.], dtype=float32)
    """
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy takes an array of numpy's, not {array!r:.60}; tl.tensor takes all else")
    return tensor(array, **how)


def one_hot(indices: Any, num_classes: int | None = None, **how: Any) -> Tensor:
    """Return for each number a row with a 1 in its place. indices: whole numbers (...) → (..., num_classes).

    >>> import tinygrad_lstm as tl
    >>> tl.one_hot([0, 2]).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    numbers = numbers_of(indices)
    classes = int(numbers.max(initial=-1)) + 1 if num_classes is None else num_classes
    if (numbers != np.floor(numbers)).any() or not (numbers >= 0).all() or not (numbers < classes).all():
        raise ValueError(f"one_hot takes whole numbers from 0 to below {classes}, the classes, not {indices!r:.60}")
    return tensor(np.eye(index(classes))[numbers.astype(int)], **how)


def Parameter(data: Any, requires_grad: bool = True, **how: Any) -> Tensor:
    """Return a tensor that learns: as an attribute of a module it is one of its parameters.

    Arguments:
        data: what ``tl.tensor`` takes.
        requires_grad: whether it learns.
        how: as for ``tensor``: name, dtype.

    Source: torch.nn.Parameter (A. Paszke et al., 2019).

    >>> import tinygrad_lstm as tl
    >>> tl.Parameter([1, 2])
    tensor([1., 2.], requires_grad=True)
    """
    return tensor(data, requires_grad=requires_grad, **how)


def randn(*shape: Any, rng: Any = None, **how: Any) -> Tensor:
    """Return numbers drawn from the normal distribution, by our generator, or by ``rng``, a seed or another.

    >>> import tinygrad_lstm as tl
    >>> tl.randn(2, rng=0)
    tensor([ 0.1257, -0.1321])
    """
    return tensor(generator(rng).normal(size=listed(shape)), **how)


def rand(*shape: Any, rng: Any = None, **how: Any) -> Tensor:
    """Return numbers drawn uniformly from 0 to 1, by our generator, or by ``rng``, a seed or another.

    >>> import tinygrad_lstm as tl
    >>> tl.rand(2, rng=0)
    tensor([0.637 , 0.2698])
    """
    return tensor(generator(rng).uniform(size=listed(shape)), **how)


def manual_seed(seed: int) -> np.random.Generator:
    """Let our one generator begin anew, and return it: it draws where no ``rng`` is given, in modules and functions.

    What a check draws is repeated by its own seed, the line it prints; what a model draws while it is checked, by this.

    >>> import tinygrad_lstm as tl
    >>> _ = tl.manual_seed(0)
    >>> tl.randn(1).item() == tl.randn(1, rng=0).item()
    True
    """
    if seed is None:
        raise TypeError("it needs a seed, a whole number from 0 on")
    _ours[:] = [generator(seed)]
    return _ours[0]


def generator(rng: Any) -> np.random.Generator:
    """Return the generator that a seed stands for, ours for None; refuse what stands for none."""
    rng = DRAWING.get() if rng is None else rng
    if rng is None:
        if not _ours:
            _ours.append(np.random.default_rng())
        return _ours[0]
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError) as error:
        raise type(error)(
            f"rng must be a seed, a whole number from 0 on, or a generator as of np.random.default_rng, not {rng!r}"
        ) from error


speaking_for_themselves(globals())

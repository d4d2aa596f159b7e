"""Networks trained side by side: the parameters of S equal modules stacked along a first axis, as one graph.

A graph of small arrays costs about as much for ten networks as for one. Nothing of one network reaches another: the
losses are added up, and each product is made for each network by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..engine.primitive import Array
from ..engine.tensor import Tensor, tensor
from ..nn import Adam, Module

AnyModule = TypeVar("AnyModule", bound=Module)
Which = Sequence[int] | NDArray[np.integer[Any]]


def side_by_side(modules: Sequence[AnyModule]) -> AnyModule:
    """Return a module with the parameters of equal modules, stacked: (S, D, H) for weights, (S, 1, H) for biases.

    Its inputs have the same first axis: (S, N, D). What a ``forward`` computes with ``@``, operators and functions of
    numbers is then computed for each by itself. A cell is called by its ``forward``, since a cell proper takes (N, D).

    Raises:
        ValueError: for no modules, and for modules whose parameters differ in path or shape.

    >>> import numpy as np
    >>> import tinygrad_lstm as tl
    >>> both = side_by_side([tl.Linear(3, 2, rng=0), tl.Linear(3, 2, rng=1)])
    >>> both.weight.shape, both.bias.shape, both(tl.tensor(np.ones((2, 5, 3)))).shape
    ((2, 3, 2), (2, 1, 2), (2, 5, 2))
    """
    if not modules:
        raise ValueError("side_by_side needs at least one module")
    states = [module.state_dict() for module in modules]
    shapes = [{path: value.shape for path, value in state.items()} for state in states]
    if any(shape != shapes[0] for shape in shapes):
        raise ValueError("modules side by side must have parameters of the same paths and shapes")
    return _with_values(modules[0], {path: np.stack([_row(state[path]) for state in states]) for path in states[0]})


def some_of(stacked: AnyModule, which: Which) -> AnyModule:
    """Return a module of some of those that stand side by side, in the given order.

    >>> import tinygrad_lstm as tl
    >>> three = side_by_side([tl.Linear(3, 2, rng=seed) for seed in range(3)])
    >>> some_of(three, [2, 0]).weight.shape
    (2, 3, 2)
    """
    return _with_values(stacked, {path: value[np.asarray(which)] for path, value in stacked.state_dict().items()})


def one_of(stacked: Module, which: int, like: AnyModule) -> AnyModule:
    """Return one of those side by side as a module by itself: a copy of ``like``, which is made as they were.

    >>> import tinygrad_lstm as tl
    >>> layers = [tl.Linear(3, 2, rng=seed) for seed in range(3)]
    >>> alone = one_of(side_by_side(layers), 2, like=layers[0])
    >>> bool((alone.weight == layers[2].weight).all())
    True
    """
    alone = deepcopy(like)
    shapes = {path: parameter.shape for path, parameter in alone.named_parameters()}
    values = {path: value[which] for path, value in stacked.state_dict().items()}
    alone.load_state_dict({path: value.reshape(shapes[path]) for path, value in values.items()})
    return alone


def _row(value: Array) -> Array:
    """Return a bias, (H), as a row, (1, H), so that it meets the batch's axis and not another network."""
    return value.reshape((1,) * (2 - value.ndim) + value.shape)


def _with_values(module: AnyModule, values: dict[str, Array]) -> AnyModule:
    """Return a copy of a module with other parameters, which may have other shapes."""
    copied = deepcopy(module)
    for path, value in values.items():
        owner, _, name = path.rpartition(".")
        old = getattr(copied.get_submodule(owner), name)
        setattr(copied.get_submodule(owner), name, tensor(value, requires_grad=True, name=old.name, dtype=old.dtype))
    return copied


class AdamSideBySide(Adam):
    """Adam for networks side by side, each with a learning rate of its own.

    Arguments:
        parameters: those of ``side_by_side``, of shape (S, ·, ·).
        rates: S learning rates.

    Source: D. P. Kingma & J. Ba, "Adam: A Method for Stochastic Optimization" (2015), algorithm 1.

    >>> import tinygrad_lstm as tl
    >>> w = tl.tensor([[[1.0]], [[1.0]]], requires_grad=True)
    >>> optimiser = AdamSideBySide([w], [0.1, 0.5])
    >>> (w * w).sum().backward()
    >>> optimiser.step()
    >>> [round(number, 3) for number in w.value.ravel().tolist()]
    [0.9, 0.5]
    """

    def __init__(self, parameters: Sequence[Tensor], rates: Sequence[float] | Array) -> None:
        super().__init__(parameters)
        self.rates = np.asarray(rates, np.float64)

    def update(self, position: int, gradient: Array) -> Array:
        """Return the update of each network by its own rate."""
        self.lr: Any = self.rates.reshape(-1, *[1] * (gradient.ndim - 1)).astype(gradient.dtype)
        return super().update(position, gradient)

    def keep(self, which: Which, parameters: Sequence[Tensor]) -> AdamSideBySide:
        """Return the optimiser of some of the networks, whose parameters are given, with what it knows of them."""
        kept = AdamSideBySide(parameters, self.rates[np.asarray(which)])
        kept.steps = list(self.steps)
        kept.state = [{name: part[np.asarray(which)] for name, part in state.items()} for state in self.state]
        return kept


def clip_each(parameters: Sequence[Tensor], largest: float) -> Array:
    """Scale the gradients of each network so that their joint norm is ``largest`` at most; return the norms, (S).

    A network whose gradient is not finite gets none: it stays where it is, and the others go on.

    Source: R. Pascanu, T. Mikolov & Y. Bengio, "On the difficulty of training recurrent neural networks" (2013),
    algorithm 1.

    >>> import tinygrad_lstm as tl
    >>> w = tl.tensor([[[1.0, 1.0]], [[1.0, 1.0]]], requires_grad=True)
    >>> w.grad = [[[3.0, 4.0]], [[0.3, 0.4]]]
    >>> clip_each([w], 1.0).tolist(), w.grad.value.round(1).tolist()
    ([5.0, 0.5], [[[0.6, 0.8]], [[0.3, 0.4]]])
    """
    gradients = [parameter.grad.value for parameter in parameters if parameter.grad is not None]
    with np.errstate(all="ignore"):
        norms = np.zeros(len(gradients[0]))
        for gradient in gradients:  # one after the other: numpy adds a column up in another order than one number
            norms += np.square(gradient).reshape(len(gradient), -1).sum(axis=1)
        norms = np.sqrt(norms)
        scale = np.where(norms > largest, largest / norms, 1.0)
        finite = np.isfinite(norms)
        if (scale < 1).any() or not finite.all():
            for parameter in parameters:
                if parameter.grad is not None:
                    gradient = parameter.grad.value
                    sides = (-1, *[1] * (gradient.ndim - 1))
                    scaled = gradient * scale.reshape(sides).astype(gradient.dtype)
                    parameter.grad = scaled if finite.all() else np.where(finite.reshape(sides), scaled, 0)
    return norms

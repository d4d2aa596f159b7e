"""A gate: one layer box of a cell."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from ..engine.errors import real
from ..engine.functions import clip
from ..engine.tensor import Tensor, tensor
from .arguments import above_zero, positive, true_or_false, uniform
from .creation import Seed, generator
from .module import Module, arrow, described
from .regularisers import LayerNorm

Activation = Callable[[Any], Any]


class Gate(Module):
    """One layer box of a cell: a = activation(z W + b), for row vectors z.

    ``weight``, W, is (D_in, H), drawn uniformly from ±1/√H; ``bias``, b, is (H). ``gate(z)`` takes z of shape
    (N, D_in) or (D_in) and returns a of shape (N, H) or (H), which carries the gate's symbol as its name.
    ``gate(z, term)`` adds a term of a's shape to z W + b, which a cell computes otherwise; with a peephole p ⊙ term.

    Arguments:
        size: D_in, such as H + D where z is [h, x].
        activation: a function of a tensor, such as ``tl.sigmoid``.
        symbol: what pictures and formulas call the result, such as "f".
        bias: what every entry of b begins with; None for a gate without b.
        hidden_size: H.
        layer_norm: whether z W is normalised, as by ``tl.nn.LayerNorm``, whose gain and shift are ``norm``.
        clip: what the activation is given is kept within ±clip; None for no bound.
        peephole: whether there is ``peephole``, p, of shape (H), drawn as the weight is.
        rng: a seed or a numpy Generator.
        dtype: float64 or float32.

    Raises:
        TypeError: for an activation that is no function, and for a bias or clip that is no number.
        ValueError: for sizes that are not whole numbers above zero, and for a clip that is not above zero and finite.

    Source: F. A. Gers, J. Schmidhuber & F. Cummins, "Learning to Forget: Continual Prediction with LSTM"
    (2000); J. L. Ba, J. R. Kiros & G. E. Hinton, "Layer Normalization" (2016); the bound is that of ONNX's operators.

    >>> import tinygrad_lstm as tl
    >>> gate = tl.nn.Gate(7, tl.sigmoid, "f", 1.0, hidden_size=4, rng=0)
    >>> gate, gate(tl.tensor([[0.0] * 7])).name
    (Gate(7 → 4), 'f')
    """

    def __init__(
        self,
        size: int,
        activation: Activation,
        symbol: str,
        bias: float | None = 0.0,
        *,
        hidden_size: int,
        layer_norm: bool = False,
        clip: float | None = None,
        peephole: bool = False,
        rng: Seed = None,
        dtype: DTypeLike = np.float64,
    ) -> None:
        positive(size=size, hidden_size=hidden_size)
        if bias is not None:
            real(bias=bias)
        if clip is not None:
            above_zero(clip=clip)
        true_or_false(layer_norm=layer_norm, peephole=peephole)
        if not callable(activation):
            raise TypeError(f"activation must be a function of a tensor, not {activation!r:.60}")
        self.input_size, self.hidden_size = size, hidden_size
        self.activation, self.symbol, self.clip = activation, symbol, clip
        rng, bound = generator(rng), 1 / np.sqrt(hidden_size)
        self.weight = uniform(rng, bound, (size, hidden_size), dtype)
        self.norm = LayerNorm(hidden_size, dtype=dtype) if layer_norm else same
        self.peephole = uniform(rng, bound, (hidden_size,), dtype) if peephole else None
        self.bias = None
        if bias is not None:
            self.bias = tensor(np.full(hidden_size, float(bias)), requires_grad=True, dtype=dtype)

    def __repr__(self) -> str:
        return described(self, arrow(self, "input_size", "hidden_size"))

    if TYPE_CHECKING:

        def __call__(self, z: Tensor, term: Tensor | None = None) -> Tensor: ...

    def forward(self, z: Tensor, term: Tensor | None = None) -> Tensor:
        """Return activation(z W + b), named by the gate's symbol."""
        a = self.norm(z @ self.weight)
        if self.bias is not None:
            a = a + self.bias
        if term is not None:
            a = a + (term if self.peephole is None else self.peephole * term)
        if self.clip is not None:
            a = clip(a, -self.clip, self.clip)
        result: Tensor = self.activation(a)
        result.name = self.symbol
        return result


def gates_of(
    hidden_size: int,
    rng: Seed = None,
    dtype: DTypeLike = np.float64,
    *,
    bias: bool = True,
    layer_norm: bool = False,
    clip: float | None = None,
) -> Callable[..., Gate]:
    """Return ``gate(size, activation, symbol, begin)``: what makes the gates of one cell, all from one generator.

    ``begin`` is what the entries of b begin with, where there is a bias. Made one by one with the same seed, two gates
    would begin with the same weights.

    Arguments:
        hidden_size: H.
        rng: a seed or a numpy Generator, from which the gates draw in the order they are made.
        dtype: float64 or float32.
        bias, layer_norm, clip: as of each ``Gate``.

    Raises:
        ValueError: for an rng that is none; when called, for sizes that are not whole numbers above zero.

    Source: this project.

    >>> import tinygrad_lstm as tl
    >>> gate = tl.nn.gates_of(4, rng=0)
    >>> gate(7, tl.sigmoid, "f", 1.0), gate(7, tl.tanh, "g")
    (Gate(7 → 4), Gate(7 → 4))
    """
    true_or_false(bias=bias)
    rng = generator(rng)

    def gate(size: int, activation: Activation, symbol: str, begin: float = 0.0, **other: Any) -> Gate:
        how = {"hidden_size": hidden_size, "layer_norm": layer_norm, "clip": clip, "rng": rng, "dtype": dtype, **other}
        return Gate(size, activation, symbol, begin if bias else None, **how)

    return gate


def functions(count: int, **named: Any) -> tuple[Activation, ...]:
    """Return that many functions of a tensor; refuse, by name, what is none."""
    ((name, given),) = named.items()
    if not isinstance(given, list | tuple) or len(given) != count or not all(map(callable, given)):
        raise TypeError(
            f"{name} must be {count} functions of a tensor, such as (tl.sigmoid, tl.tanh), not {given!r:.60}"
        )
    return tuple(given)


def same(a: Tensor) -> Tensor:
    """Return what it is given: what stands where another function is left out."""
    return a

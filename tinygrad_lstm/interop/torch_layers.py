"""Layers that PyTorch has, and that stand between recurrent ones, made of ours: ``tl.from_torch`` returns them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..engine import functions, ops
from ..engine.source import skip_file
from ..engine.tensor import Tensor, tensor
from ..nn import Activation, Module

skip_file(__file__)


def _relu6(x: Any) -> Any:
    return functions.clip(x, 0, 6)


def _hardswish(x: Any) -> Any:
    return ops.mul(x, functions.hardsigmoid(x))


def _mish(x: Any) -> Any:
    return ops.mul(x, ops.tanh(ops.softplus(x)))


def _selu(x: Any) -> Any:
    return ops.mul(functions.elu(x, 1.6732632423543772), 1.0507009873554805)


class ReLU6(Activation, of=_relu6):
    """Hold x between 0 and 6."""


class Hardswish(Activation, of=_hardswish):
    """Apply x · (x / 6 + ½, held between 0 and 1)."""


class Mish(Activation, of=_mish):
    """Apply x tanh(log(1 + eˣ))."""


class SELU(Activation, of=_selu):
    """Apply λ x where x > 0 and λ α (eˣ − 1) elsewhere, with the λ and α of Klambauer et al. (2017)."""


class _OfParameters(Module, only_holds=True):
    """What parameters, modules and plain values stand in by name; it is never called."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._names = tuple(values)
        for name, value in values.items():
            setattr(self, name, value)

    def __len__(self) -> int:
        return len(self._names)

    def values(self) -> list[Any]:
        return [getattr(self, name) for name in self._names]


class ParameterList(_OfParameters):
    """Hold parameters in a list, as PyTorch's does; a part of it is a list."""

    def __getitem__(self, place: int | slice) -> Any:
        return self.values()[place]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values())


class ParameterDict(_OfParameters):
    """Hold parameters by names, as PyTorch's does."""

    def __getitem__(self, name: str) -> Any:
        if name not in self._names:
            raise KeyError(name)
        return getattr(self, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def keys(self) -> tuple[str, ...]:
        return self._names

    def items(self) -> list[tuple[str, Any]]:
        return [*zip(self._names, self.values(), strict=True)]

    def get(self, name: str, default: Any = None) -> Any:
        return getattr(self, name) if name in self._names else default


class BatchNorm1d(Module):
    """Normalise each of C features by the mean and the variance that training has kept: x is (N, C) or (N, C, L).

    Arguments:
        num_features: C.
        eps: added to the variance.
        affine: whether a weight and a bias of each feature follow.
        running_mean: kept, (C); so is running_var.
        dtype: that of the numbers.

    Raises ValueError when it is called while ``training``: PyTorch's takes the statistics of the batch then.

    Source: S. Ioffe & C. Szegedy, "Batch Normalization" (2015), section 3.1.
    """

    buffer_names = ("running_mean", "running_var", "num_batches_tracked")

    def __init__(
        self,
        num_features: int,
        eps: float,
        affine: bool,
        running_mean: Any,
        running_var: Any,
        num_batches_tracked: Any,
        dtype: DTypeLike = np.float64,
    ) -> None:
        self.eps = eps
        self.running_mean, self.running_var = (tensor(kept, dtype=dtype) for kept in (running_mean, running_var))
        self.num_batches_tracked = np.asarray(num_batches_tracked)
        one, zero = (np.full(num_features, number, dtype) for number in (1.0, 0.0))
        self.weight = tensor(one, requires_grad=True) if affine else None
        self.bias = tensor(zero, requires_grad=True) if affine else None

    def forward(self, x: Tensor) -> Tensor:
        """Return x normalised."""
        if self.training:
            raise ValueError("BatchNorm1d normalises by what training has kept: call model.eval() first")
        sides = (-1, 1) if x.ndim == 3 else (-1,)
        y: Tensor = (x - self.running_mean.reshape(sides)) / ops.sqrt(self.running_var + self.eps).reshape(sides)
        if self.weight is None or self.bias is None:
            return y
        scaled: Tensor = y * self.weight.reshape(sides) + self.bias.reshape(sides)
        return scaled

"""Optimisers. They give each parameter a new value and never write into the old one, which older graphs still hold."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..engine.tensor import Array, Tensor


class Optimizer:
    """What optimisers share: the parameters, and forgetting their gradients. A parameter without gradient stays put."""

    def __init__(self, parameters: Iterable[Tensor], lr: float) -> None:
        self.parameters = list(dict.fromkeys(parameters))  # a tied weight takes one step
        if not self.parameters or not all(
            isinstance(p, Tensor) and p.is_leaf and p.requires_grad for p in self.parameters
        ):
            raise ValueError(
                "an optimiser needs parameters: leaves made with requires_grad=True, as model.parameters() gives"
            )
        if not lr > 0:
            raise ValueError(f"the learning rate must be positive, not {lr!r}")
        self.lr = lr

    def step(self) -> None:
        for position, parameter in enumerate(self.parameters):
            if parameter.grad is not None:
                parameter.value = parameter.value - self.change(position, parameter.grad.value)

    def change(self, position: int, gradient: Array) -> Array:
        """What to subtract from the parameter at this position."""
        raise NotImplementedError

    def zero_grad(self) -> None:
        for parameter in self.parameters:
            parameter.grad = None


class SGD(Optimizer):
    """Gradient descent with momentum (Polyak 1964), in PyTorch's form: v = μ v + g; p = p − lr · v."""

    def __init__(self, parameters: Iterable[Tensor], lr: float, *, momentum: float = 0.0) -> None:
        super().__init__(parameters, lr)
        if not 0 <= momentum < 1:
            raise ValueError(f"momentum must be in [0, 1), not {momentum!r}")
        self.momentum = momentum
        self._velocity: dict[int, Array] = {}

    def change(self, position: int, gradient: Array) -> Array:
        if position in self._velocity:
            gradient = self.momentum * self._velocity[position] + gradient
        if self.momentum:
            self._velocity[position] = gradient
        return self.lr * gradient


class Adam(Optimizer):
    """Adam (Kingma & Ba 2015, algorithm 1)."""

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 1e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        super().__init__(parameters, lr)
        if not all(0 <= beta < 1 for beta in betas):
            raise ValueError(f"betas must be in [0, 1), not {betas!r}")
        self.betas = betas
        self.eps = eps
        self._moments: dict[int, tuple[Array, Array, int]] = {}

    def change(self, position: int, gradient: Array) -> Array:
        beta1, beta2 = self.betas
        m, v, t = self._moments.get(position, (np.zeros_like(gradient), np.zeros_like(gradient), 0))
        t += 1
        m = beta1 * m + (1 - beta1) * gradient
        v = beta2 * v + (1 - beta2) * gradient * gradient
        self._moments[position] = m, v, t
        return self.lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + self.eps)


def clip_grad_norm(parameters: Iterable[Tensor], max_norm: float) -> float:
    """Scale all gradients together so that their joint norm is at most ``max_norm``; returns the norm before.

    The remedy for exploding gradients of Pascanu, Mikolov & Bengio (2013). Raises FloatingPointError if the norm is not
    finite: scaling could not mend that.
    """
    if not max_norm > 0:
        raise ValueError(f"max_norm must be positive, not {max_norm!r}")
    owners = [parameter for parameter in dict.fromkeys(parameters) if parameter.grad is not None]
    gradients = [owner.grad.value for owner in owners if owner.grad is not None]
    largest = max((float(np.abs(gradient).max()) for gradient in gradients if gradient.size), default=0.0)
    scaled = (gradient.astype(np.float64) / (largest or 1.0) for gradient in gradients)  # squares cannot overflow
    norm = largest * float(np.sqrt(sum(float(np.vdot(gradient, gradient)) for gradient in scaled)))
    if not np.isfinite(norm):
        raise FloatingPointError(
            "the gradients hold a NaN or Inf; run the step under tl.detect_nan() to see where it arose"
        )
    if norm > max_norm:
        for owner, gradient in zip(owners, gradients, strict=True):
            owner.grad = gradient * (max_norm / norm)
    return norm

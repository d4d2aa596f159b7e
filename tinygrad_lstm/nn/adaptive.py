"""Optimisers that measure how large gradients are, entry by entry, and divide by it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..engine.primitive import Array
from ..engine.tensor import Tensor
from .arguments import true_or_false, within
from .optim import Optimizer


class Adam(Optimizer):
    """Adam: steps of about the learning rate in every entry, whatever the gradient's scale.

    From m = v = 0, at update t = 1, 2, …: m ← β₁ m + (1 − β₁) g and v ← β₂ v + (1 − β₂) g², then
    p ← p − η · m / (1 − β₁ᵗ) / (√(v / (1 − β₂ᵗ)) + ε).

    Arguments:
        parameters: leaves that require gradients.
        lr: the learning rate η > 0, about how far one update moves an entry.
        betas: β₁ and β₂, each in [0, 1): how slowly the means of g and g² forget.
        eps: ε ≥ 0, which keeps the quotient finite.
        weight_decay: λ ≥ 0: g ← g + λ p before each update; ``AdamW`` has another.

    Raises:
        ValueError: for settings out of their range.

    Source: D. P. Kingma & J. Ba, "Adam: A Method for Stochastic Optimization" (2015), algorithm 1.

    >>> import tinygrad_lstm as tl
    >>> w = tl.tensor([1.0, 2.0], requires_grad=True, name="w")
    >>> optimiser = tl.Adam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimiser.step()
    >>> [round(number, 3) for number in w.tolist()]
    [0.9, 1.9]
    >>> print(optimiser)
    Adam(lr=0.1, betas=(0.9, 0.999), 2 parameters)
    parameter  shape  steps
    ───────────────────────
    w          (2,)       1
    """

    settings = ("lr", "betas")

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 1e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr, weight_decay=weight_decay)
        within(0, np.inf, eps=eps)
        if not isinstance(betas, tuple | list) or len(betas) != 2:
            raise TypeError(f"betas must be two numbers, not {betas!r:.60}")
        within(0, 1, **{f"betas[{i}]": beta for i, beta in enumerate(betas)})
        self.betas = betas
        self.eps = eps

    def update(self, position: int, gradient: Array) -> Array:
        """Return η m̂ / (√v̂ + ε) from the means of the gradients and of their squares, without their bias."""
        (beta1, beta2), t, state = self.betas, self.steps[position], self.state[position]
        m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * gradient
        v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * gradient * gradient
        return self.lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + self.eps)


class AdamW(Adam):
    """Adam whose weights decay beside its updates, all at one rate: p ← (1 − η λ) p, then Adam's step.

    Arguments:
        parameters: leaves that require gradients.
        lr: the learning rate η > 0, about how far one update moves an entry.
        betas: β₁ and β₂, each in [0, 1): how slowly the means of g and g² forget.
        eps: ε ≥ 0, which keeps the quotient finite.
        weight_decay: λ ≥ 0.

    Raises:
        ValueError: for settings out of their range.

    Source: I. Loshchilov & F. Hutter, "Decoupled Weight Decay Regularization" (2019), algorithm 2.

    >>> import tinygrad_lstm as tl
    >>> w = tl.tensor([1.0, 2.0], requires_grad=True, name="w")
    >>> optimiser = tl.AdamW([w], lr=0.1, weight_decay=0.5)
    >>> w.grad = [0.0, 0.0]
    >>> optimiser.step()
    >>> w.tolist(), optimiser
    ([0.95, 1.9], AdamW(lr=0.1, betas=(0.9, 0.999), weight_decay=0.5, 2 parameters))
    """

    decoupled = True

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 1e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        super().__init__(parameters, lr, betas=betas, eps=eps, weight_decay=weight_decay)


class RMSprop(Optimizer):
    """Divide by the root of a moving mean of squares: v ← α v + (1 − α) g², then p ← p − η g / (√v + ε), from v = 0.

    With ``centered``, √(v − m²) stands for √v, where m ← α m + (1 − α) g; with momentum μ, u ← μ u + g / (√v + ε), then
    p ← p − η u.

    Arguments:
        parameters: leaves that require gradients.
        lr: the learning rate η > 0.
        alpha: α, 0 <= α < 1: how slowly the mean of g² forgets.
        eps: ε ≥ 0, which keeps the quotient finite.
        momentum: μ, 0 <= μ < 1: how much of the last update is kept.
        centered: whether to divide by the standard deviation.
        weight_decay: λ ≥ 0: g ← g + λ p before each update.

    Raises:
        ValueError: for settings out of their range.

    Source: T. Tieleman & G. Hinton, "Lecture 6.5: rmsprop" (2012); centred, A. Graves, "Generating Sequences With
    Recurrent Neural Networks" (2013), equations 38 to 45, up to where ε stands: here it is where PyTorch has it.

    >>> import tinygrad_lstm as tl
    >>> w = tl.tensor([1.0, 2.0], requires_grad=True, name="w")
    >>> optimiser = tl.RMSprop([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimiser.step()
    >>> [round(number, 3) for number in w.tolist()]
    [0.0, 1.0]
    """

    settings = ("lr", "alpha")

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 1e-2,
        *,
        alpha: float = 0.99,
        eps: float = 1e-8,
        momentum: float = 0.0,
        centered: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr, weight_decay=weight_decay)
        within(0, 1, alpha=alpha, momentum=momentum)
        true_or_false(centered=centered)
        within(0, np.inf, eps=eps)
        self.alpha, self.eps, self.momentum, self.centered = alpha, eps, momentum, centered

    def update(self, position: int, gradient: Array) -> Array:
        """Return η g / (√v + ε), or what the momentum made of it."""
        alpha, state = self.alpha, self.state[position]
        v = state["v"] = alpha * state.get("v", 0.0) + (1 - alpha) * gradient * gradient
        if self.centered:
            m = state["m"] = alpha * state.get("m", 0.0) + (1 - alpha) * gradient
            v = v - m * m
        step: Array = gradient / (np.sqrt(v) + self.eps)
        if self.momentum:
            step = state["u"] = self.momentum * state.get("u", 0.0) + step
        return self.lr * step


class Adagrad(Optimizer):
    """Divide by the root of all squares so far: s ← s + g², then p ← p − ηₜ g / (√s + ε), from s = 0.

    At update t = 1, 2, …, ηₜ is η / (1 + (t − 1) δ).

    Arguments:
        parameters: leaves that require gradients.
        lr: the learning rate η > 0.
        lr_decay: δ ≥ 0: how fast the learning rate falls.
        initial_accumulator_value: what s begins with, 0 or more.
        eps: ε ≥ 0, which keeps the quotient finite.
        weight_decay: λ ≥ 0: g ← g + λ p before each update.

    Raises:
        ValueError: for settings out of their range.

    Source: J. Duchi, E. Hazan & Y. Singer, "Adaptive Subgradient Methods for Online Learning and Stochastic
    Optimization" (2011), the diagonal form.

    >>> import tinygrad_lstm as tl
    >>> w = tl.tensor([1.0, 2.0], requires_grad=True, name="w")
    >>> optimiser = tl.Adagrad([w], lr=0.5)
    >>> (w * w).sum().backward()
    >>> optimiser.step()
    >>> [round(number, 3) for number in w.tolist()]
    [0.5, 1.5]
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 1e-2,
        *,
        lr_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr, weight_decay=weight_decay)
        within(0, np.inf, lr_decay=lr_decay, initial_accumulator_value=initial_accumulator_value, eps=eps)
        self.lr_decay, self.initial_accumulator_value, self.eps = lr_decay, initial_accumulator_value, eps

    def update(self, position: int, gradient: Array) -> Array:
        """Return η / (1 + (t − 1) δ) · g / (√s + ε)."""
        state, past = self.state[position], self.steps[position] - 1
        s = state["s"] = state.get("s", self.initial_accumulator_value) + gradient * gradient
        step: Array = self.lr / (1 + past * self.lr_decay) * gradient / (np.sqrt(s) + self.eps)
        return step

"""Optimisers. They give each parameter a new value and never write into the old one, which older graphs still hold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np

from ..engine.primitive import Array
from ..engine.tensor import Tensor
from ..structure.tables import html_table, text_table
from .module import counted, described, real


class Optimizer:
    """What optimisers share: the parameters, and forgetting their gradients.

    An optimiser of your own is a class with one method: ``update(position, gradient)`` returns what to subtract from
    the parameter at that position. It may keep what it likes in ``state[position]``, a dict that begins empty, and
    finds in ``steps[position]`` the number of this update, counted from 1.

    Arguments:
        parameters: leaves that require gradients, as ``model.parameters()`` gives; a tied one takes one step.
        lr: the learning rate η > 0, in units of the parameter per unit of its gradient.

    Raises:
        ValueError: for parameters that are none, and a learning rate that is not positive.

    >>> import numpy as np
    >>> import tinygrad_lstm as tl
    >>> class SignDescent(tl.nn.Optimizer):
    ...     def update(self, position, gradient):
    ...         return self.lr * np.sign(gradient)
    >>> w = tl.tensor([1.0, 2.0], requires_grad=True, name="w")
    >>> optimiser = SignDescent([w], lr=0.5)
    >>> (w * w).sum().backward()
    >>> optimiser.step()
    >>> w.tolist(), optimiser
    ([0.5, 1.5], SignDescent(lr=0.5, 2 parameters))
    """

    settings: ClassVar[tuple[str, ...]] = ("lr",)  # what repr shows

    def __init__(self, parameters: Iterable[Tensor], lr: float) -> None:
        self.parameters = _distinct(parameters)
        if not any(p.requires_grad for p in self.parameters) or not all(p.is_leaf for p in self.parameters):
            raise ValueError(
                "an optimiser needs parameters: leaves made with requires_grad=True, as model.parameters() gives"
            )
        real(**{"the learning rate": lr})
        if not lr > 0:
            raise ValueError(f"the learning rate must be positive, not {lr!r}")
        self.lr = lr
        self.steps = [0] * len(self.parameters)
        self.state: list[dict[str, Array]] = [{} for _ in self.parameters]

    def step(self) -> None:
        """Give each parameter that has a gradient a new value: the old one less its ``update``."""
        for position, parameter in enumerate(self.parameters):
            if parameter.grad is not None:
                self.steps[position] += 1
                parameter.value = parameter.value - self.update(position, parameter.grad.value)

    def update(self, position: int, gradient: Array) -> Array:
        """Return what to subtract from the parameter at this position: an array in its shape, like the gradient."""
        raise NotImplementedError(f"{type(self).__name__} defines no update(position, gradient)")

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self.parameters:
            parameter.grad = None

    def __repr__(self) -> str:
        kept = vars(self)  # empty where a subclass did not call __init__
        facts = [f"{name}={kept[name]!r}" for name in self.settings if name in kept]
        count = sum(parameter.size for parameter in kept.get("parameters", ()))
        return described(self, *facts, counted(count, "parameter"))

    def __str__(self) -> str:
        """Return the line of ``repr`` and a table of the parameters: name, shape, and how many steps it took."""
        return f"{self!r}\n{text_table(**self._table())}"

    def _repr_html_(self) -> str:
        """Return the same as a table of HTML, for notebooks."""
        return html_table(**self._table(), caption=repr(self))

    def _table(self) -> dict[str, Any]:
        """Return the table of the parameters, as text or HTML takes it."""
        pairs = zip(self.parameters, self.steps, strict=True)
        rows = [("—" if p.name is None else p.name, p.shape, f"{steps:,}") for p, steps in pairs]
        return {"rows": rows, "head": ("parameter", "shape", "steps"), "align": "llr"}


class SGD(Optimizer):
    """Gradient descent, with momentum if asked for.

    In PyTorch's form, from v = 0: v ← μ v + g, then p ← p − η v. Without momentum: p ← p − η g.

    Arguments:
        parameters: leaves that require gradients.
        lr: the learning rate η > 0.
        momentum: μ, 0 <= μ < 1: how much of the last update is kept.

    Raises:
        ValueError: for a learning rate or momentum out of its range.

    Source: B. T. Polyak, "Some methods of speeding up the convergence of iteration methods" (1964), the heavy ball.

    >>> import tinygrad_lstm as tl
    >>> w = tl.tensor([1.0, 2.0], requires_grad=True, name="w")
    >>> optimiser = tl.SGD([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> optimiser.step()
    >>> w.tolist()
    [0.5, 1.0]
    """

    settings = ("lr", "momentum")

    def __init__(self, parameters: Iterable[Tensor], lr: float, *, momentum: float = 0.0) -> None:
        super().__init__(parameters, lr)
        real(momentum=momentum)
        if not 0 <= momentum < 1:
            raise ValueError(f"momentum must be in [0, 1), not {momentum!r}")
        self.momentum = momentum

    def update(self, position: int, gradient: Array) -> Array:
        """Return η v, where v ← μ v + g."""
        state = self.state[position]
        if "v" in state:
            gradient = self.momentum * state["v"] + gradient
        if self.momentum:
            state["v"] = gradient
        return self.lr * gradient


class Adam(Optimizer):
    """Adam: steps of about the learning rate in every entry, whatever the gradient's scale.

    From m = v = 0, at update t = 1, 2, …: m ← β₁ m + (1 − β₁) g and v ← β₂ v + (1 − β₂) g², then
    p ← p − η · m / (1 − β₁ᵗ) / (√(v / (1 − β₂ᵗ)) + ε).

    Arguments:
        parameters: leaves that require gradients.
        lr: the learning rate η > 0, about how far one update moves an entry.
        betas: β₁ and β₂, each in [0, 1): how slowly the means of g and g² forget.
        eps: ε, which keeps the quotient finite.

    Raises:
        ValueError: for a learning rate or betas out of their range.

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
    ) -> None:
        super().__init__(parameters, lr)
        real(eps=eps)
        if not isinstance(betas, tuple | list) or len(betas) != 2:
            raise TypeError(f"betas must be two numbers, not {betas!r:.60}")
        real(**{"β₁": betas[0], "β₂": betas[1]})
        if not all(0 <= beta < 1 for beta in betas):
            raise ValueError(f"betas must be in [0, 1), not {betas!r}")
        self.betas = betas
        self.eps = eps

    def update(self, position: int, gradient: Array) -> Array:
        """Return η m̂ / (√v̂ + ε) from the means of the gradients and of their squares, without their bias."""
        (beta1, beta2), t, state = self.betas, self.steps[position], self.state[position]
        m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * gradient
        v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * gradient * gradient
        return self.lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + self.eps)


def clip_grad_norm(parameters: Iterable[Tensor], max_norm: float) -> float:
    """Scale all gradients together so that their joint norm is at most ``max_norm``: the remedy where they explode.

    With ‖g‖ = √(Σ g²) over the gradients of all parameters: where ‖g‖ > max_norm, g ← g · max_norm / ‖g‖.

    Arguments:
        parameters: leaves; those without a gradient are left alone, a tied one counts once.
        max_norm: more than zero, in units of the loss per unit of a parameter.

    Returns:
        The norm before.

    Raises:
        ValueError: for a max_norm that is not positive.
        FloatingPointError: if the norm is not finite; scaling could not mend that.

    Source: R. Pascanu, T. Mikolov & Y. Bengio, "On the difficulty of training recurrent neural networks" (2013),
    algorithm 1.

    >>> import tinygrad_lstm as tl
    >>> w = tl.tensor([1.0, 1.0], requires_grad=True)
    >>> w.grad = [3.0, 4.0]
    >>> tl.clip_grad_norm([w], 2.5), w.grad.tolist()
    (5.0, [1.5, 2.0])
    """
    real(max_norm=max_norm)
    if not max_norm > 0:
        raise ValueError(f"max_norm must be positive, not {max_norm!r}")
    owners = [parameter for parameter in _distinct(parameters) if parameter.grad is not None]
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


def _distinct(parameters: Iterable[Tensor]) -> list[Tensor]:
    """Return each once: a tied weight takes one step. Raises ValueError for what are no tensors."""
    found = list(parameters) if isinstance(parameters, Iterable) else [parameters]
    if not all(isinstance(parameter, Tensor) for parameter in found):
        raise ValueError(f"what is trained needs parameters, as model.parameters() gives, not {parameters!r:.60}")
    return list(dict.fromkeys(found))

"""Optimisers. They give each parameter a new value and never write into the old one, which older graphs still hold."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from ..engine.errors import real, short
from ..engine.primitive import Array
from ..engine.tensor import Tensor, as_value
from ..structure.tables import html_table, text_table
from .arguments import above_zero, true_or_false, within
from .module import counted, described, forget_gradients
from .state import fitted


class Optimizer:
    """What optimisers share: the parameters, and forgetting their gradients.

    An optimiser of your own is a class with one method: ``update(position, gradient)`` returns what to subtract from
    the parameter at that position. It may keep what it likes in ``state[position]``, a dict that begins empty, and
    finds in ``steps[position]`` the number of this update, counted from 1.

    Arguments:
        parameters: leaves that require gradients, as ``model.parameters()`` gives; a tied one takes one step.
        lr: the learning rate η > 0, in units of the parameter per unit of its gradient.
        weight_decay: λ ≥ 0: g ← g + λ p before each update, the gradient of ½ λ Σ p², so that weights stay small.

    Raises:
        ValueError: for parameters that are none, and settings out of their range.

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
    decoupled: ClassVar[bool] = False  # whether weights decay beside the update and not through it, as in AdamW
    weight_decay: float = 0.0

    def __init__(self, parameters: Iterable[Tensor], lr: float, *, weight_decay: float = 0.0) -> None:
        self.parameters = _distinct(parameters)
        if not any(p.requires_grad for p in self.parameters) or not all(p.is_leaf for p in self.parameters):
            raise ValueError(
                "an optimiser needs parameters: leaves made with requires_grad=True, as model.parameters() gives"
            )
        above_zero(**{"the learning rate": lr})
        within(0, np.inf, weight_decay=weight_decay)
        self.lr, self.weight_decay = lr, weight_decay
        self.steps = [0] * len(self.parameters)
        self.state: list[dict[str, Array]] = [{} for _ in self.parameters]

    def step(self) -> None:
        """Give each parameter that has a gradient a new value: the old one less its ``update``."""
        for position, parameter in enumerate(self.parameters):
            if parameter.grad is not None:
                self.steps[position] += 1
                value, gradient = parameter.value, parameter.grad.value
                if self.weight_decay and self.decoupled:
                    value = value * (1 - self.lr * self.weight_decay)
                elif self.weight_decay:
                    gradient = gradient + self.weight_decay * value
                parameter.value = value - self.update(position, gradient)

    def update(self, position: int, gradient: Array) -> Array:
        """Return what to subtract from the parameter at this position: an array in its shape, like the gradient."""
        raise NotImplementedError(f"{type(self).__name__} defines no update(position, gradient)")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters: they are None, as ``set_to_none=True`` says in PyTorch."""
        forget_gradients(self.parameters, set_to_none)

    def state_dict(self) -> dict[str, Array]:
        """Return copies of the settings that are numbers, the steps taken, and the arrays kept: "state.0.m".

        ``tl.save(optimiser, path)`` writes them into a file. What is kept is of its parameter's shape, or one number.

        >>> import tinygrad_lstm as tl
        >>> optimiser = tl.Adam([tl.tensor([1.0, 2.0], requires_grad=True)], lr=0.1)
        >>> {name: value.tolist() for name, value in optimiser.state_dict().items()}
        {'lr': 0.1, 'weight_decay': 0.0, 'betas': [0.9, 0.999], 'eps': 1e-08, 'steps': [0.0]}
        """
        numbers = {**self._numbers(), "steps": self.steps}
        state: dict[str, Array] = {name: np.array(part, np.float64) for name, part in numbers.items()}
        for i, kept in enumerate(self.state):
            state |= {f"state.{i}.{key}": as_value(part).copy() for key, part in kept.items()}
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over settings, steps and arrays, as ``state_dict`` returns them; on any error, nothing.

        The parameters must be as many, in the same order and of the same shapes; their values are the module's.

        Raises:
            ValueError: for names that are missing or surplus, shapes that differ, steps that are no whole numbers, and
                settings that the optimiser would not be made with.
            TypeError: for what are no arrays by name.
        """
        settings = self._numbers()
        wanted: dict[str, Any] = {name: (np.shape(value), np.float64) for name, value in settings.items()}
        wanted["steps"] = ((len(self.parameters),), np.float64)
        shapes = {str(i): parameter.shape for i, parameter in enumerate(self.parameters)}
        for name in state if isinstance(state, Mapping) else ():
            kind, i, key = [*str(name).split(".", 2), "", ""][:3]
            if kind == "state" and i in shapes and key:
                wanted[name] = (() if getattr(state[name], "ndim", None) == 0 else shapes[i], None)
        values, _ = fitted(state, wanted, type(self).__name__)
        steps = values.pop("steps")
        if not ((steps >= 0) & (steps < 2**53) & (steps == np.floor(steps))).all():
            raise ValueError(f"{type(self).__name__}: steps must be whole numbers from 0 on, not {short(steps)}")
        given = {name: _as_before(settings[name], values.pop(name).tolist()) for name in settings}
        ours = next(kind for kind in type(self).__mro__ if kind.__module__.rpartition(".")[0] == __package__)
        taken = given.keys() & inspect.signature(ours).parameters
        ours(self.parameters, **{name: given[name] for name in taken})  # refuses what it would not be made with
        for name, value in given.items():
            setattr(self, name, value)
        self.steps = [int(step) for step in steps]
        self.state = [{} for _ in self.parameters]
        for name, value in values.items():
            _, i, key = name.split(".", 2)
            self.state[int(i)][key] = value.copy()  # one may write into it

    def _numbers(self) -> dict[str, Any]:
        """Return the settings: the attributes that are numbers, or tuples or lists of them."""
        settings = {name: value for name, value in vars(self).items() if name not in ("parameters", "steps", "state")}
        return {name: value for name, value in settings.items() if _are_numbers(value)}

    def __repr__(self) -> str:
        kept = vars(self)  # empty where a subclass did not call __init__
        named = [*self.settings, *(name for name in ("nesterov", "weight_decay") if kept.get(name))]
        facts = [f"{name}={kept[name]!r}" for name in named if name in kept]
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

    In PyTorch's form, from v = 0: v ← μ v + g, then p ← p − η v; with ``nesterov``, p ← p − η (g + μ v), as if the
    gradient were taken a step ahead. Without momentum: p ← p − η g.

    Arguments:
        parameters: leaves that require gradients.
        lr: the learning rate η > 0.
        momentum: μ, 0 <= μ < 1: how much of the last update is kept.
        nesterov: whether to look ahead; needs a momentum.
        weight_decay: λ ≥ 0: g ← g + λ p before each update.

    Raises:
        ValueError: for settings out of their range, and ``nesterov`` without momentum.

    Source: B. T. Polyak, "Some methods of speeding up the convergence of iteration methods" (1964), the heavy ball;
    Y. Nesterov (1983) in the form of I. Sutskever, J. Martens, G. Dahl & G. Hinton (2013).

    >>> import tinygrad_lstm as tl
    >>> w = tl.tensor([1.0, 2.0], requires_grad=True, name="w")
    >>> optimiser = tl.SGD([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> optimiser.step()
    >>> w.tolist()
    [0.5, 1.0]
    """

    settings = ("lr", "momentum")

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float,
        *,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr, weight_decay=weight_decay)
        within(0, 1, momentum=momentum)
        true_or_false(nesterov=nesterov)
        if nesterov and not momentum:
            raise ValueError("nesterov=True looks ahead along the momentum; give one, as in momentum=0.9")
        self.momentum, self.nesterov = momentum, nesterov

    def update(self, position: int, gradient: Array) -> Array:
        """Return η v, where v ← μ v + g, or η (g + μ v)."""
        if self.momentum:
            state = self.state[position]
            v = state["v"] = self.momentum * state["v"] + gradient if "v" in state else gradient
            gradient = gradient + self.momentum * v if self.nesterov else v
        return self.lr * gradient


def _are_numbers(value: Any) -> bool:
    parts = value if isinstance(value, tuple | list) else [value]
    return bool(parts) and all(isinstance(part, int | float | np.number | np.bool_) for part in parts)


def _as_before(old: Any, new: Any) -> Any:
    """Return a setting as what it was: a flag, a whole number if it still is, a number, or a tuple or list of them."""
    if isinstance(old, tuple | list):
        return type(old)(_as_before(*pair) for pair in zip(old, new, strict=True))
    if isinstance(old, bool | np.bool_):
        return bool(new)
    return int(new) if isinstance(old, int | np.integer) and new.is_integer() else new


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
    if any(isinstance(parameter, Mapping) for parameter in found):
        raise ValueError("an optimiser has one lr for all its parameters, and no groups; make one for each group")
    if not all(isinstance(parameter, Tensor) for parameter in found):
        raise ValueError(f"what is trained needs parameters, as model.parameters() gives, not {parameters!r:.60}")
    return list(dict.fromkeys(found))

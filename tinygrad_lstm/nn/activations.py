"""Operations without parameters as modules, for ``tl.nn.Sequential`` and the like: each class names its operation."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from numpy.typing import ArrayLike

from ..engine import ops
from ..engine.source import skip_file
from ..engine.tensor import Tensor
from .module import Module, as_tensor, described

skip_file(__file__)


class Activation(Module):
    """An operation as a module: ``tl.nn.Tanh()(x)`` is ``tl.tanh(x)``.

    Arguments:
        settings: those of the operation, such as ``axis`` of a softmax.

    Raises:
        TypeError: for settings that the operation does not have.

    Source: torch.nn (A. Paszke et al., 2019), where activations are modules.

    >>> import tinygrad_lstm as tl
    >>> tl.nn.Softmax(axis=0)(tl.tensor([0.0, 0.0])).tolist()
    [0.5, 0.5]
    >>> class Cosine(tl.nn.Activation, of=tl.cos):
    ...     pass
    >>> Cosine()(tl.tensor(0.0)).item()
    1.0
    """

    operation: ClassVar[Callable[..., Any]]
    __signature__: ClassVar[inspect.Signature]

    def __init_subclass__(cls, *, of: Callable[..., Any] | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if of is not None:
            cls.operation = staticmethod(of)
            signature = inspect.signature(of)
            cls.__signature__ = signature.replace(parameters=[*signature.parameters.values()][1:])

    def __init__(self, *settings: Any, **named: Any) -> None:
        try:
            self.settings = inspect.signature(type(self)).bind(*settings, **named).arguments
        except TypeError as error:
            raise TypeError(f"{type(self).__name__}{inspect.signature(type(self))}: {error}") from None

    def __repr__(self) -> str:
        return described(self, *(f"{name}={value!r}" for name, value in vars(self).get("settings", {}).items()))

    if TYPE_CHECKING:

        def __call__(self, x: Tensor | ArrayLike) -> Tensor: ...

    def forward(self, x: Tensor) -> Tensor:
        """Return what the operation makes of x."""
        y: Tensor = type(self).operation(as_tensor(x), **self.settings)
        return y


class ReLU(Activation, of=ops.relu):
    """Apply max(0, x), as a module: ``tl.relu``."""


class Tanh(Activation, of=ops.tanh):
    """Apply the hyperbolic tangent, as a module: ``tl.tanh``."""


class Sigmoid(Activation, of=ops.sigmoid):
    """Apply the logistic function σ(x) = 1 / (1 + e⁻ˣ), as a module: ``tl.sigmoid``."""


class Softplus(Activation, of=ops.softplus):
    """Apply log(1 + eˣ), as a module: ``tl.softplus``."""


class Softmax(Activation, of=ops.softmax):
    """Apply eˣ / Σ eˣ along an axis, the last unless told, as a module: ``tl.softmax``."""


class LogSoftmax(Activation, of=ops.log_softmax):
    """Apply the logarithm of softmax along an axis, the last unless told, as a module: ``tl.log_softmax``."""


def _flat(x: Any, start_axis: int = 1) -> Any:
    return x.reshape(*x.shape[:start_axis], -1)


class Flatten(Activation, of=_flat):
    """Put the numbers of each example in one row: all axes from ``start_axis`` on become one."""


def _same(x: Any) -> Any:
    return x


class Identity(Activation, of=_same):
    """Return x itself: what stands where another module is left out."""

"""Functions without parameters as modules, for ``tl.nn.Sequential`` and the like: each class names its function."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from numpy.typing import ArrayLike

from ..engine import functions, ops
from ..engine.overwritten import written_over
from ..engine.pytorch import in_our_words
from ..engine.source import skip_file
from ..engine.tensor import Tensor
from . import losses
from .arguments import as_tensor
from .classification import cross_entropy, nll_loss
from .gate import same
from .module import Module, described

skip_file(__file__)


class _Applied(Module):
    """A function as a module: what it takes besides tensors is said when the module is made."""

    function: ClassVar[Callable[..., Any]]
    __signature__: ClassVar[inspect.Signature]

    def __init_subclass__(cls, *, of: Callable[..., Any] | None = None, tensors: int = 1, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if of is not None:
            cls.function = staticmethod(of)
            settings = [*inspect.signature(of).parameters.values()][tensors:]
            cls.__signature__ = inspect.Signature([setting.replace(annotation=setting.empty) for setting in settings])

    def __init__(self, *settings: Any, **named: Any) -> None:
        try:
            signature = inspect.signature(type(self))
            self.settings = signature.bind(*settings, **in_our_words(named, signature.parameters)).arguments
        except TypeError as error:
            raise TypeError(f"{type(self).__name__}{inspect.signature(type(self))}: {error}") from None

    def __repr__(self) -> str:
        return described(self, *(f"{name}={value!r}" for name, value in vars(self).get("settings", {}).items()))


class Activation(_Applied):
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

    if TYPE_CHECKING:

        def __call__(self, x: Tensor | ArrayLike) -> Tensor: ...

    inplace = False  # whether it came from PyTorch as one that writes over what it is given

    def forward(self, x: Tensor) -> Tensor:
        """Return what the operation makes of x."""
        y: Tensor = type(self).function(as_tensor(x), **self.settings)
        return written_over(x, y) if self.inplace else y


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


class GELU(Activation, of=functions.gelu):
    """Apply x Φ(x), as a module: ``tl.gelu``."""


class SiLU(Activation, of=functions.silu):
    """Apply x σ(x), as a module: ``tl.silu``."""


class ELU(Activation, of=functions.elu):
    """Apply x where x > 0 and α (eˣ − 1) elsewhere, as a module: ``tl.elu``."""


class LeakyReLU(Activation, of=functions.leaky_relu):
    """Apply x where x > 0 and slope · x elsewhere, as a module: ``tl.leaky_relu``."""


class Hardsigmoid(Activation, of=functions.hardsigmoid):
    """Apply x / 6 + ½, held between 0 and 1, as a module: ``tl.hardsigmoid``."""


class Hardtanh(Activation, of=functions.hardtanh):
    """Hold x between −1 and 1, as a module: ``tl.hardtanh``."""


class LogSigmoid(Activation, of=functions.logsigmoid):
    """Apply log σ(x), as a module: ``tl.logsigmoid``."""


class Softsign(Activation, of=functions.softsign):
    """Apply x / (1 + |x|), as a module: ``tl.softsign``."""


def _flat(x: Any, start: int = 1, end: int = -1) -> Any:
    return functions.flatten(x, start, end)


class Flatten(Activation, of=_flat):
    """Put the numbers of each example in one row: the axes from ``start`` to ``end`` become one."""


class Identity(Activation, of=same):
    """Return x itself: what stands where another module is left out."""


class Loss(_Applied):
    """A loss as a module: ``tl.nn.MSELoss()(prediction, target)`` is ``tl.mse_loss(prediction, target)``.

    Arguments:
        settings: those of the loss, such as ``reduction``.

    Raises:
        TypeError: for settings that the loss does not have.
        ValueError: for a reduction that is none.

    Source: torch.nn (A. Paszke et al., 2019), where losses are modules.

    >>> import tinygrad_lstm as tl
    >>> criterion = tl.nn.MSELoss(reduction="sum")
    >>> criterion, criterion(tl.tensor([1.0, 2.0]), [0.0, 4.0]).item()
    (MSELoss(reduction='sum'), 5.0)
    """

    def __init_subclass__(cls, *, of: Callable[..., Tensor] | None = None, **kwargs: Any) -> None:
        """Take the loss without the box of its own: the module is one."""
        super().__init_subclass__(of=of and inspect.unwrap(of), tensors=2, **kwargs)

    def __init__(self, *settings: Any, **named: Any) -> None:
        super().__init__(*settings, **named)
        losses.require_reduction(type(self).__name__, self.settings.get("reduction", "mean"))

    if TYPE_CHECKING:

        def __call__(self, prediction: Tensor | ArrayLike, target: Tensor | ArrayLike) -> Tensor: ...

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        loss: Tensor = type(self).function(prediction, target, **self.settings)
        return loss


class CrossEntropyLoss(Loss, of=cross_entropy):
    """Compute −log softmax(logits)[target], as a module: ``tl.cross_entropy``."""


class NLLLoss(Loss, of=nll_loss):
    """Compute −log_probabilities[target], as a module: ``tl.nn.nll_loss``."""


class MSELoss(Loss, of=losses.mse_loss):
    """Compute the squared error, as a module: ``tl.mse_loss``."""


class L1Loss(Loss, of=losses.l1_loss):
    """Compute the absolute error, as a module: ``tl.nn.l1_loss``."""


class HuberLoss(Loss, of=losses.huber_loss):
    """Compute the error, squared up to ±δ and absolute beyond, as a module: ``tl.nn.huber_loss``."""


class SmoothL1Loss(Loss, of=losses.smooth_l1_loss):
    """Compute the absolute error, squared within ±β, as a module: ``tl.nn.smooth_l1_loss``."""


class BCEWithLogitsLoss(Loss, of=losses.binary_cross_entropy_with_logits):
    """Compute −t log σ(x) − (1 − t) log(1 − σ(x)), as a module: ``tl.binary_cross_entropy_with_logits``."""

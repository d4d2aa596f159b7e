"""A tensor that learns, by the name that PyTorch gives it."""

from __future__ import annotations

from numpy.typing import ArrayLike, DTypeLike

from ..engine.tensor import Tensor, tensor


def Parameter(
    data: ArrayLike | Tensor, requires_grad: bool = True, *, name: str | None = None, dtype: DTypeLike | None = None
) -> Tensor:
    """Return a new leaf that learns: ``tl.tensor(data, requires_grad=True)``, of which a module makes a parameter.

    Arguments:
        data: what ``tl.tensor`` takes.
        requires_grad: whether it learns.
        name: what pictures call it; a module that it is assigned to names it otherwise.
        dtype: float64 or float32.

    Raises:
        TypeError: for what are no real numbers.

    Source: torch.nn.Parameter (A. Paszke et al., 2019).

    >>> import tinygrad_lstm as tl
    >>> module = tl.nn.Module()
    >>> module.scale = tl.nn.Parameter([1.0, 2.0])
    >>> [name for name, _ in module.named_parameters()]
    ['scale']
    """
    return tensor(data, requires_grad=requires_grad, name=name, dtype=dtype)

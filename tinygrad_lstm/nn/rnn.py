"""Recurrent layers ready made: the cells of ours, stacked and unrolled, by the options that PyTorch's layers have."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import DTypeLike

from ..engine.ops import sigmoid, tanh
from ..engine.tensor import Tensor
from .arguments import positive, true_or_false
from .cell import Cell
from .cells import GRUCell, RNNCell
from .creation import Seed, generator
from .gate import Activation
from .lstm_cells import CoupledLSTMCell, LSTMCell, PeepholeLSTMCell, projected
from .recurrent import Recurrent

AnyCell = TypeVar("AnyCell", bound=Cell[Any])


class RNN(Recurrent[Tensor]):
    """Plain recurrent layers: ``RNNCell`` unrolled over a sequence, h′ = tanh([h, x] W + b).

    ``layer(xs, h)`` takes xs of shape (T, N, D) or (T, D) and returns ``(output, h_n)``: output of shape
    (T, N, directions · H), the rest of shape (layers · directions, N, H); N is missing from all where xs lacks it.
    ``lengths=`` is that of ``tl.nn.Recurrent``.

    Arguments:
        input_size: D.
        hidden_size: H.
        num_layers: layers on one another; each reads the output of the one below.
        bidirectional: whether each layer also runs from the last step to the first.
        batch_first: whether xs is (N, T, D), and output (N, T, directions · H); states stay as they are.
        dropout: the chance to drop each number between one layer and the next while training, 0 <= p < 1.
        bias, nonlinearity, layer_norm, clip: those of ``RNNCell``.
        rng: a seed or a numpy Generator, from which the cells draw in the order of ``cells``, then dropout.
        dtype: float64 or float32.

    Raises:
        ValueError: for sizes that are not whole numbers above zero, and for what ``RNNCell`` or ``tl.nn.Recurrent``
            refuses.
        TypeError: for what these refuse as of another type.
        ShapeError: when called, for an xs or a state of another shape.

    Source: J. L. Elman (1990); both directions, M. Schuster & K. K. Paliwal (1997).

    >>> import tinygrad_lstm as tl
    >>> output, h_n = tl.RNN(3, 4, rng=0)(tl.tensor([[1, 2, 3], [4, 5, 6]]))
    >>> output.shape, h_n.shape
    ((2, 4), (1, 4))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        bidirectional: bool = False,
        batch_first: bool = False,
        dropout: float = 0.0,
        bias: bool = True,
        nonlinearity: str | Activation = "tanh",
        layer_norm: bool = False,
        clip: float | None = None,
        rng: Seed = None,
        dtype: DTypeLike = np.float64,
    ) -> None:
        rng = generator(rng)
        how: dict[str, Any] = {"bias": bias, "nonlinearity": nonlinearity, "layer_norm": layer_norm, "clip": clip}
        cells = _cells(RNNCell, input_size, hidden_size, num_layers, bidirectional, rng=rng, dtype=dtype, **how)
        super().__init__(*cells, bidirectional=bidirectional, batch_first=batch_first, dropout=dropout, rng=rng)


class LSTM(Recurrent[tuple[Tensor, Tensor]]):
    """LSTM layers: ``LSTMCell`` unrolled over a sequence; its equations stand there.

    ``layer(xs, (h, c))`` takes xs of shape (T, N, D) or (T, D) and returns ``(output, (h_n, c_n))``: output of shape
    (T, N, directions · H), the rest of shape (layers · directions, N, H); N is missing from all where xs lacks it.
    ``lengths=`` is that of ``tl.nn.Recurrent``.

    Arguments:
        input_size: D.
        hidden_size: H.
        num_layers: layers on one another; each reads the output of the one below.
        bidirectional: whether each layer also runs from the last step to the first.
        batch_first: whether xs is (N, T, D), and output (N, T, directions · H); states stay as they are.
        dropout: the chance to drop each number between one layer and the next while training, 0 <= p < 1.
        bias, forget_bias, proj_size, layer_norm, clip, activations: those of ``LSTMCell``.
        peephole: False; "full", or "diagonal" as Gers and Schmidhuber's, for ``PeepholeLSTMCell``.
        coupled: whether f = 1 − i, as in ``CoupledLSTMCell``.
        rng: a seed or a numpy Generator, from which the cells draw in the order of ``cells``, then dropout.
        dtype: float64 or float32.

    Raises:
        ValueError: for sizes that are not whole numbers above zero, and for what ``LSTMCell`` or ``tl.nn.Recurrent``
            refuses.
        TypeError: for what these refuse as of another type.
        ShapeError: when called, for an xs or a state of another shape.

    Source: S. Hochreiter & J. Schmidhuber (1997); F. A. Gers, J. Schmidhuber & F. Cummins (2000); both directions,
    M. Schuster & K. K. Paliwal (1997).

    >>> import tinygrad_lstm as tl
    >>> lstm = tl.LSTM(3, 4, num_layers=2, bidirectional=True, rng=0)
    >>> output, (h_n, c_n) = lstm(tl.tensor([[[1, 2, 3]], [[4, 5, 6]]]))
    >>> output.shape, h_n.shape, c_n.shape
    ((2, 1, 8), (4, 1, 4), (4, 1, 4))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        bidirectional: bool = False,
        batch_first: bool = False,
        dropout: float = 0.0,
        bias: bool = True,
        forget_bias: float = 1.0,
        proj_size: int = 0,
        peephole: bool | str = False,
        coupled: bool = False,
        layer_norm: bool = False,
        clip: float | None = None,
        activations: tuple[Activation, Activation, Activation] = (sigmoid, tanh, tanh),
        rng: Seed = None,
        dtype: DTypeLike = np.float64,
    ) -> None:
        rng = generator(rng)
        true_or_false(coupled=coupled)
        if peephole is not False and peephole not in ("full", "diagonal"):
            raise ValueError(f"peephole must be False, 'full' or 'diagonal', not {peephole!r:.60}")
        how: dict[str, Any] = {"bias": bias, "forget_bias": forget_bias, "proj_size": proj_size}
        kind: type[LSTMCell] = CoupledLSTMCell if coupled else LSTMCell
        if peephole:
            kind = PeepholeLSTMCell
            how |= {"diagonal": peephole == "diagonal", "coupled": coupled}
        how |= {"layer_norm": layer_norm, "clip": clip, "activations": activations}
        cells = _cells(kind, input_size, hidden_size, num_layers, bidirectional, rng=rng, dtype=dtype, **how)
        super().__init__(*cells, bidirectional=bidirectional, batch_first=batch_first, dropout=dropout, rng=rng)


class GRU(Recurrent[Tensor]):
    """GRU layers: ``GRUCell`` unrolled over a sequence; its equations stand there.

    ``layer(xs, h)`` takes xs of shape (T, N, D) or (T, D) and returns ``(output, h_n)``: output of shape
    (T, N, directions · H), the rest of shape (layers · directions, N, H); N is missing from all where xs lacks it.
    ``lengths=`` is that of ``tl.nn.Recurrent``.

    Arguments:
        input_size: D.
        hidden_size: H.
        num_layers: layers on one another; each reads the output of the one below.
        bidirectional: whether each layer also runs from the last step to the first.
        batch_first: whether xs is (N, T, D), and output (N, T, directions · H); states stay as they are.
        dropout: the chance to drop each number between one layer and the next while training, 0 <= p < 1.
        bias, reset_after, layer_norm, clip, activations: those of ``GRUCell``.
        rng: a seed or a numpy Generator, from which the cells draw in the order of ``cells``, then dropout.
        dtype: float64 or float32.

    Raises:
        ValueError: for sizes that are not whole numbers above zero, and for what ``GRUCell`` or ``tl.nn.Recurrent``
            refuses.
        TypeError: for what these refuse as of another type.
        ShapeError: when called, for an xs or a state of another shape.

    Source: K. Cho et al. (2014); both directions, M. Schuster & K. K. Paliwal (1997).

    >>> import tinygrad_lstm as tl
    >>> gru = tl.GRU(3, 4, num_layers=2, rng=0)
    >>> gru
    GRU(3 → 4, layers=2)
    >>> output, h_n = gru(tl.tensor([[1, 2, 3], [4, 5, 6]]))
    >>> output.shape, h_n.shape
    ((2, 4), (2, 4))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        bidirectional: bool = False,
        batch_first: bool = False,
        dropout: float = 0.0,
        bias: bool = True,
        reset_after: bool = True,
        layer_norm: bool = False,
        clip: float | None = None,
        activations: tuple[Activation, Activation] = (sigmoid, tanh),
        rng: Seed = None,
        dtype: DTypeLike = np.float64,
    ) -> None:
        rng = generator(rng)
        how: dict[str, Any] = {"bias": bias, "reset_after": reset_after, "layer_norm": layer_norm, "clip": clip}
        how["activations"] = activations
        cells = _cells(GRUCell, input_size, hidden_size, num_layers, bidirectional, rng=rng, dtype=dtype, **how)
        super().__init__(*cells, bidirectional=bidirectional, batch_first=batch_first, dropout=dropout, rng=rng)


def _cells(
    kind: type[AnyCell], input_size: int, hidden_size: int, num_layers: int, bidirectional: bool, **how: Any
) -> list[AnyCell]:
    """Return the cells in the order of ``Recurrent.cells``: each reads xs, or what all directions below show."""
    positive(input_size=input_size, hidden_size=hidden_size, num_layers=num_layers)
    true_or_false(bidirectional=bidirectional)
    directions = 2 if bidirectional else 1
    shown = projected(hidden_size, how.get("proj_size", 0))
    sizes = [input_size] * directions + [directions * shown] * directions * (num_layers - 1)
    return [kind(size, hidden_size, **how) for size in sizes]

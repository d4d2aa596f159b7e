"""Cells, layers, losses and optimisers, built on the engine."""

from .cell import Cell
from .cells import CoupledLSTMCell, GRUCell, LSTMCell, PeepholeLSTMCell, RNNCell
from .gate import Gate
from .layers import Embedding, Linear
from .losses import binary_cross_entropy_with_logits, cross_entropy, mse_loss
from .module import Module
from .optim import SGD, Adam, Optimizer, clip_grad_norm
from .ownership import unowned
from .recurrent import GRU, LSTM, RNN, Recurrent

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "SGD",
    "Adam",
    "Cell",
    "CoupledLSTMCell",
    "Embedding",
    "GRUCell",
    "Gate",
    "LSTMCell",
    "Linear",
    "Module",
    "Optimizer",
    "PeepholeLSTMCell",
    "RNNCell",
    "Recurrent",
    "binary_cross_entropy_with_logits",
    "clip_grad_norm",
    "cross_entropy",
    "mse_loss",
    "unowned",
]

"""Cells, layers, losses and optimisers, built on the engine."""

from .activations import Activation, Flatten, Identity, LogSoftmax, ReLU, Sigmoid, Softmax, Softplus, Tanh
from .cell import Cell, detach
from .cells import GRUCell, RNNCell
from .composed import ModuleDict, ModuleList, Sequential
from .gate import Gate
from .layers import Embedding, Linear
from .losses import binary_cross_entropy_with_logits, cross_entropy, mse_loss
from .lstm_cells import CoupledLSTMCell, LSTMCell, PeepholeLSTMCell
from .module import Module
from .optim import SGD, Adam, Optimizer, clip_grad_norm
from .ownership import unowned
from .recurrent import Recurrent
from .regularisers import Dropout, LayerNorm
from .rnn import GRU, LSTM, RNN

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "SGD",
    "Activation",
    "Adam",
    "Cell",
    "CoupledLSTMCell",
    "Dropout",
    "Embedding",
    "Flatten",
    "GRUCell",
    "Gate",
    "Identity",
    "LSTMCell",
    "LayerNorm",
    "Linear",
    "LogSoftmax",
    "Module",
    "ModuleDict",
    "ModuleList",
    "Optimizer",
    "PeepholeLSTMCell",
    "RNNCell",
    "ReLU",
    "Recurrent",
    "Sequential",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
    "binary_cross_entropy_with_logits",
    "clip_grad_norm",
    "cross_entropy",
    "detach",
    "mse_loss",
    "unowned",
]

"""Cells, layers, losses and optimisers, built on the engine."""

from . import functional
from .adaptive import Adagrad, Adam, AdamW, RMSprop
from .applied import (
    Activation,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    Flatten,
    HuberLoss,
    Identity,
    L1Loss,
    LogSoftmax,
    Loss,
    MSELoss,
    NLLLoss,
    ReLU,
    Sigmoid,
    SmoothL1Loss,
    Softmax,
    Softplus,
    Tanh,
)
from .attention import Attention, DotAttention
from .cell import Cell
from .cells import CoupledLSTMCell, GRUCell, LSTMCell, PeepholeLSTMCell, RNNCell
from .classification import cross_entropy, nll_loss
from .composed import ModuleDict, ModuleList, Sequential
from .gate import Gate, gates_of
from .layers import Embedding, Linear
from .losses import binary_cross_entropy_with_logits, huber_loss, l1_loss, mse_loss, smooth_l1_loss
from .module import Module
from .optim import SGD, Optimizer, clip_grad_norm
from .ownership import unowned
from .parameter import Parameter
from .recurrent import GRU, LSTM, RNN, Recurrent
from .regularisers import Dropout, LayerNorm

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "SGD",
    "Activation",
    "Adagrad",
    "Adam",
    "AdamW",
    "Attention",
    "BCEWithLogitsLoss",
    "Cell",
    "CoupledLSTMCell",
    "CrossEntropyLoss",
    "DotAttention",
    "Dropout",
    "Embedding",
    "Flatten",
    "GRUCell",
    "Gate",
    "HuberLoss",
    "Identity",
    "L1Loss",
    "LSTMCell",
    "LayerNorm",
    "Linear",
    "LogSoftmax",
    "Loss",
    "MSELoss",
    "Module",
    "ModuleDict",
    "ModuleList",
    "NLLLoss",
    "Optimizer",
    "Parameter",
    "PeepholeLSTMCell",
    "RMSprop",
    "RNNCell",
    "ReLU",
    "Recurrent",
    "Sequential",
    "Sigmoid",
    "SmoothL1Loss",
    "Softmax",
    "Softplus",
    "Tanh",
    "binary_cross_entropy_with_logits",
    "clip_grad_norm",
    "cross_entropy",
    "functional",
    "gates_of",
    "huber_loss",
    "l1_loss",
    "mse_loss",
    "nll_loss",
    "smooth_l1_loss",
    "unowned",
]

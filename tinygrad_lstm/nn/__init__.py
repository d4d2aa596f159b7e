"""Cells, layers, losses and optimisers, built on the engine; ``tl.nn.atlas`` has more cells, from their papers.

What is drawn, weights when a layer is made and what is dropped when it is called, comes from ``rng``: a seed or a numpy
Generator. Where it is None, all draw from one generator in common, which ``tl.manual_seed`` seeds.

Others lay out the same cells otherwise. The gates in the order of their weights; ours are parts of their own:

             LSTM        GRU       weights of a layer, of x and of h      biases
    ours     f i g o     z r g     (H + D, H) for each gate, of [h, x]    one for each; GRU's u too
    PyTorch  i f g o     r z g     (gates · H, D) and (gates · H, H)      two, b_ih and b_hh, which add up
    Keras    i f g o     z r g     (D, gates · H) and (H, gates · H)      one; two for a GRU's reset_after
    ONNX     i o f g     z r g     (gates · H, D) and (gates · H, H)      two, in one array B
    cuDNN    i f g o     r z g     as PyTorch                             two, b and d below

For the LSTM all equations are the same; those of the GRU differ in what the reset gate acts on, and in what z keeps.
With b for x and d for h where there are two, such as b_ih and b_hh; where there is one it is their sum:

    LSTM, all of them
        f = σ(x W_f + h U_f + b_f + d_f)
        i = σ(x W_i + h U_i + b_i + d_i)
        g = tanh(x W_g + h U_g + b_g + d_g)
        o = σ(x W_o + h U_o + b_o + d_o)
        c′ = f ⊙ c + i ⊙ g
        h′ = o ⊙ tanh(c′)
    PyTorch, Keras, cuDNN and tl.GRU
        z = σ(x W_z + h U_z + b_z + d_z)
        r = σ(x W_r + h U_r + b_r + d_r)
        g = tanh(x W_g + b_g + r ⊙ (h U_g + d_g))
        h′ = (1 − z) ⊙ g + z ⊙ h
    ONNX, and Keras with reset_after=False
        z = σ(x W_z + h U_z + b_z + d_z)
        r = σ(x W_r + h U_r + b_r + d_r)
        g = tanh(x W_g + (r ⊙ h) U_g + b_g + d_g)
        h′ = (1 − z) ⊙ g + z ⊙ h
    Olah, and tl.GRU with reset_after=False
        z = σ(x W_z + h U_z + b_z + d_z)
        r = σ(x W_r + h U_r + b_r + d_r)
        g = tanh(x W_g + (r ⊙ h) U_g + b_g + d_g)
        h′ = (1 − z) ⊙ h + z ⊙ g

ONNX with linear_before_reset=1 is as PyTorch; its peepholes are diagonal, in the order i o f, its coupled gates
(input_forget) f = 1 − i, and its clip bounds what σ and tanh of the gates are given. Forget biases begin at: ours 1,
Keras 1, PyTorch like all others. Past the end of a sequence, output is 0 with our lengths, PyTorch's packed sequences
and ONNX's sequence_lens; Keras repeats the last one, unless zero_output_for_mask is True.
"""

from . import atlas as atlas
from . import functional
from .adaptive import Adagrad, Adam, AdamW, RMSprop
from .applied import (
    ELU,
    GELU,
    Activation,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    Flatten,
    Hardsigmoid,
    Hardtanh,
    HuberLoss,
    Identity,
    L1Loss,
    LeakyReLU,
    LogSigmoid,
    LogSoftmax,
    Loss,
    MSELoss,
    NLLLoss,
    ReLU,
    Sigmoid,
    SiLU,
    SmoothL1Loss,
    Softmax,
    Softplus,
    Softsign,
    Tanh,
)
from .attention import Attention, DotAttention
from .cell import Cell, detach
from .cells import GRUCell, RNNCell
from .classification import cross_entropy, nll_loss
from .composed import ModuleDict, ModuleList, Sequential
from .creation import Parameter
from .gate import Gate, gates_of
from .language_model import LanguageModel
from .layers import Embedding, Linear, TiedLinear
from .losses import binary_cross_entropy_with_logits, huber_loss, l1_loss, mse_loss, smooth_l1_loss
from .lstm_cells import CoupledLSTMCell, LSTMCell, PeepholeLSTMCell
from .module import Module
from .optim import SGD, Optimizer, clip_grad_norm
from .ownership import unowned
from .recurrent import Recurrent
from .regularisers import Dropout, LayerNorm
from .rnn import GRU, LSTM, RNN

_REFUSED = """
utils: tl.clip_grad_norm(model.parameters(), 1.0) is a name of tl, and sequences of different lengths are lengths=
BatchNorm1d Conv1d Conv2d MultiheadAttention Transformer: built for recurrent networks; LayerNorm and Attention are here
init: a layer draws its weights when it is made; for others, layer.weight.value = array
BCELoss: tl.nn.BCEWithLogitsLoss takes the scores before the sigmoid, and cannot overflow
"""
"""What torch.nn has and we have not, on purpose: names, and what to write instead."""


def __getattr__(name: str) -> object:
    from ..engine.pytorch import advice

    found = "" if name.startswith("_") else advice(name, _REFUSED, __all__, "tl.nn")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}{found}")


__all__ = [
    "ELU",
    "GELU",
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
    "Hardsigmoid",
    "Hardtanh",
    "HuberLoss",
    "Identity",
    "L1Loss",
    "LSTMCell",
    "LanguageModel",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSigmoid",
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
    "SiLU",
    "Sigmoid",
    "SmoothL1Loss",
    "Softmax",
    "Softplus",
    "Softsign",
    "Tanh",
    "TiedLinear",
    "binary_cross_entropy_with_logits",
    "clip_grad_norm",
    "cross_entropy",
    "detach",
    "functional",
    "gates_of",
    "huber_loss",
    "l1_loss",
    "mse_loss",
    "nll_loss",
    "smooth_l1_loss",
    "unowned",
]

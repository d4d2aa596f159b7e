"""Cells, layers, losses and optimisers, built on the engine.

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

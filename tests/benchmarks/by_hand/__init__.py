"""Layers whose backward pass is written by hand, in numpy: what a program is measured against."""

from .deep import DeepLSTM
from .lstm import LSTM
from .rnn import GRU, RNN
from .users import MGU, LayerNormLSTM

__all__ = ["GRU", "LSTM", "MGU", "RNN", "DeepLSTM", "LayerNormLSTM"]

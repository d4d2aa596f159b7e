"""Every cell written out in numpy, independently of the package: what its forward must compute."""

import numpy as np

import tinygrad_lstm as tl


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def weights(cell):
    return {name: parameter.value for name, parameter in cell.named_parameters()}


def rnn(p, x, h):
    return np.tanh(np.concatenate([h, x], -1) @ p["layer.weight"] + p["layer.bias"])


def lstm(p, x, h, c):
    z = np.concatenate([h, x], -1)
    f = sigmoid(z @ p["forget_gate.weight"] + p["forget_gate.bias"])
    i = sigmoid(z @ p["input_gate.weight"] + p["input_gate.bias"])
    g = np.tanh(z @ p["candidate.weight"] + p["candidate.bias"])
    o = sigmoid(z @ p["output_gate.weight"] + p["output_gate.bias"])
    c = f * c + i * g
    return o * np.tanh(c), c


def gru(p, x, h):
    u = np.concatenate([h, x], -1)
    z = sigmoid(u @ p["update_gate.weight"] + p["update_gate.bias"])
    r = sigmoid(u @ p["reset_gate.weight"] + p["reset_gate.bias"])
    g = np.tanh(np.concatenate([r * h, x], -1) @ p["candidate.weight"] + p["candidate.bias"])
    return (1 - z) * h + z * g


def peephole(p, x, h, c):
    u, z = np.concatenate([c, h, x], -1), np.concatenate([h, x], -1)
    f = sigmoid(u @ p["forget_gate.weight"] + p["forget_gate.bias"])
    i = sigmoid(u @ p["input_gate.weight"] + p["input_gate.bias"])
    g = np.tanh(z @ p["candidate.weight"] + p["candidate.bias"])
    c = f * c + i * g
    o = sigmoid(np.concatenate([c, h, x], -1) @ p["output_gate.weight"] + p["output_gate.bias"])
    return o * np.tanh(c), c


def coupled(p, x, h, c):
    z = np.concatenate([h, x], -1)
    i = sigmoid(z @ p["input_gate.weight"] + p["input_gate.bias"])
    g = np.tanh(z @ p["candidate.weight"] + p["candidate.bias"])
    o = sigmoid(z @ p["output_gate.weight"] + p["output_gate.bias"])
    c = (1 - i) * c + i * g
    return o * np.tanh(c), c


LONGHAND = {
    tl.RNNCell: rnn,
    tl.LSTMCell: lstm,
    tl.GRUCell: gru,
    tl.PeepholeLSTMCell: peephole,
    tl.CoupledLSTMCell: coupled,
}

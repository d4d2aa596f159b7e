"""The cells of the atlas written out in numpy, independently of the package, from its twelve papers."""

import numpy as np


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def lin(p, name, *parts):
    return np.concatenate(parts, -1) @ p[f"{name}.weight"] + p.get(f"{name}.bias", 0)


def elman(p, x, h):
    return (np.tanh(lin(p, "layer", h, x)),)


def lstm_1997(p, x, h, c):
    c = c + sigmoid(lin(p, "input_gate", h, x)) * np.tanh(lin(p, "candidate", h, x))
    return sigmoid(lin(p, "output_gate", h, x)) * np.tanh(c), c


def lstm(p, x, h, c):
    write = sigmoid(lin(p, "input_gate", h, x)) * np.tanh(lin(p, "candidate", h, x))
    c = sigmoid(lin(p, "forget_gate", h, x)) * c + write
    return sigmoid(lin(p, "output_gate", h, x)) * np.tanh(c), c


def peephole(p, x, h, c):
    old = c
    f = sigmoid(lin(p, "forget_gate", h, x) + p["forget_gate.peephole"] * old)
    i = sigmoid(lin(p, "input_gate", h, x) + p["input_gate.peephole"] * old)
    c = f * old + i * np.tanh(lin(p, "candidate", h, x))
    return sigmoid(lin(p, "output_gate", h, x) + p["output_gate.peephole"] * c) * np.tanh(c), c


def coupled(p, x, h, c):
    i = sigmoid(lin(p, "input_gate", h, x))
    c = c + i * (np.tanh(lin(p, "candidate", h, x)) - c)
    return sigmoid(lin(p, "output_gate", h, x)) * np.tanh(c), c


def gru(p, x, h):
    z, r = sigmoid(lin(p, "update_gate", h, x)), sigmoid(lin(p, "reset_gate", h, x))
    return (h + z * (np.tanh(lin(p, "candidate", r * h, x)) - h),)


def mgu(p, x, h):
    f = sigmoid(lin(p, "forget_gate", h, x))
    return (h + f * (np.tanh(lin(p, "candidate", f * h, x)) - h),)


def ugrnn(p, x, h):
    z, g = sigmoid(lin(p, "update_gate", h, x)), np.tanh(lin(p, "candidate", h, x))
    return (g + z * (h - g),)


def ran(p, x, h, c):
    c = sigmoid(lin(p, "input_gate", h, x)) * (x @ p["content.weight"]) + sigmoid(lin(p, "forget_gate", h, x)) * c
    return np.tanh(c), c


def janet(p, x, h):
    s = lin(p, "forget_gate", h, x)
    return (sigmoid(s) * h + sigmoid(1 - s) * np.tanh(lin(p, "candidate", h, x)),)


def mingru(p, x, h):
    z = sigmoid(lin(p, "update_gate", x))
    return (h + z * (lin(p, "candidate", x) - h),)


def minlstm(p, x, h):
    f, i = sigmoid(lin(p, "forget_gate", x)), sigmoid(lin(p, "input_gate", x))
    return ((f * h + i * lin(p, "candidate", x)) / (f + i),)


LONGHAND = {
    "rnn": elman,
    "lstm-1997": lstm_1997,
    "lstm": lstm,
    "peephole-2000": peephole,
    "coupled": coupled,
    "gru": gru,
    "mgu": mgu,
    "ugrnn": ugrnn,
    "ran": ran,
    "janet": janet,
    "mingru": mingru,
    "minlstm": minlstm,
}

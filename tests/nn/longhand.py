"""Every cell written out in numpy, independently of the package: what its forward must compute."""

import numpy as np

import tinygrad_lstm as tl


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def weights(cell):
    return {name: parameter.value for name, parameter in cell.named_parameters()}


def norm(p, name, a):
    """Layer normalisation (Ba et al. 2016), where there is one."""
    if f"{name}.weight" not in p:
        return a
    a = a - a.mean(-1, keepdims=True)
    return a / np.sqrt((a**2).mean(-1, keepdims=True) + 1e-5) * p[f"{name}.weight"] + p[f"{name}.bias"]


def gate(p, name, z, activation, clip, term=0.0):
    a = norm(p, f"{name}.norm", z @ p[f"{name}.weight"]) + p.get(f"{name}.bias", 0)
    a = a + p.get(f"{name}.peephole", 1) * term
    return activation(a if clip is None else np.clip(a, -clip, clip))


def rnn(p, x, h, clip=None, activations=(np.tanh,)):
    return gate(p, "layer", np.concatenate([h, x], -1), *activations, clip)


def shown(p, o, c, activation):
    h = o * activation(norm(p, "norm", c))
    return h @ p["projection.weight"] if "projection.weight" in p else h


def lstm(p, x, h, c, clip=None, activations=(sigmoid, np.tanh, np.tanh)):
    z, (s, g, last) = np.concatenate([h, x], -1), activations
    f = gate(p, "forget_gate", z, s, clip)
    i = gate(p, "input_gate", z, s, clip)
    g = gate(p, "candidate", z, g, clip)
    o = gate(p, "output_gate", z, s, clip)
    c = f * c + i * g
    return shown(p, o, c, last), c


def gru(p, x, h, clip=None, activations=(sigmoid, np.tanh)):
    u, (s, g) = np.concatenate([h, x], -1), activations
    z = gate(p, "update_gate", u, s, clip)
    r = gate(p, "reset_gate", u, s, clip)
    if "recurrent.weight" not in p:  # Olah's
        g = gate(p, "candidate", np.concatenate([r * h, x], -1), g, clip)
        return (1 - z) * h + z * g
    g = gate(p, "candidate", x, g, clip, r * gate(p, "recurrent", h, lambda a: a, None))
    return (1 - z) * g + z * h


def peephole(p, x, h, c, clip=None, activations=(sigmoid, np.tanh, np.tanh)):
    z, (s, g, last) = np.concatenate([h, x], -1), activations
    diagonal = "input_gate.peephole" in p
    look = lambda c: (z, s, clip, c) if diagonal else (np.concatenate([c, z], -1), s, clip)
    i = gate(p, "input_gate", *look(c))
    f = gate(p, "forget_gate", *look(c)) if "forget_gate.weight" in p else 1 - i
    c = f * c + i * gate(p, "candidate", z, g, clip)
    return shown(p, gate(p, "output_gate", *look(c)), c, last), c


def coupled(p, x, h, c, clip=None, activations=(sigmoid, np.tanh, np.tanh)):
    z, (s, g, last) = np.concatenate([h, x], -1), activations
    i = gate(p, "input_gate", z, s, clip)
    g = gate(p, "candidate", z, g, clip)
    o = gate(p, "output_gate", z, s, clip)
    c = (1 - i) * c + i * g
    return shown(p, o, c, last), c


LONGHAND = {
    tl.RNNCell: rnn,
    tl.LSTMCell: lstm,
    tl.GRUCell: gru,
    tl.PeepholeLSTMCell: peephole,
    tl.CoupledLSTMCell: coupled,
}


def unrolled(layer, xs, state=None, lengths=None, **how):
    """What a recurrent layer returns, cell by cell, sequence by sequence, step by step: output, and last states.

    xs: (T, N, D); state: an array for each part, or zeros; how: what the cells' functions take besides.
    """
    (T, N, _), cells, directions = xs.shape, layer.cells, 2 if layer.bidirectional else 1
    sizes = cells[0].state_sizes
    ends = [np.array(part) for part in state] if state else [np.zeros((len(cells), N, size)) for size in sizes]
    below = xs
    for first in range(0, len(cells), directions):
        above = np.zeros((T, N, directions * sizes[0]))
        for k in range(first, first + directions):
            cell, p, back = cells[k], weights(cells[k]), k > first
            for n in range(N):
                now = [end[k, n].copy() for end in ends]
                for t in range(lengths[n] if lengths else T)[:: -1 if back else 1]:
                    now = LONGHAND[type(cell)](p, below[t, n], *now, **how)
                    now = now if isinstance(now, tuple) else (now,)
                    above[t, n, back * sizes[0] :][: sizes[0]] = now[0]
                for end, part in zip(ends, now, strict=True):
                    end[k, n] = part
        below = above
    return [below, *ends]

"""ONNX's operators RNN, LSTM and GRU, computed by our layers."""

import numpy as np

import tinygrad_lstm as tl
from tests.nn.layouts import ORDERS, load

FUNCTIONS = {"RNN": 1, "LSTM": 3, "GRU": 2}
"""How many activations a direction has."""

INPUTS = {
    "RNN": ("X", "W", "R", "B", "sequence_lens", "initial_h"),
    "GRU": ("X", "W", "R", "B", "sequence_lens", "initial_h"),
    "LSTM": ("X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P"),
}


def named(kind, names, given):
    """The arrays of a node by what the operator calls them; a node names what it is not given by an empty text."""
    used = [what for what, name in zip(INPUTS[kind], names, strict=False) if name]
    return dict(zip(used, given, strict=True))


def ours_for(kind, arrays, attributes, function_of=None):
    """What our layer computes for a node: Y (T, directions, N, H), and the last states (directions, N, H).

    ``function_of`` gives an activation by its name in ONNX.
    """
    direction, layout = attributes.get("direction", "forward"), attributes.get("layout", 0)
    xs = arrays["X"].swapaxes(0, 1) if layout else arrays["X"]
    H, both = attributes["hidden_size"], direction == "bidirectional"
    how = {"clip": attributes.get("clip"), "bias": "B" in arrays}
    if kind == "LSTM":
        peephole = "diagonal" if "P" in arrays else False
        how |= {"peephole": peephole, "coupled": bool(attributes.get("input_forget", 0))}
    if kind == "GRU":
        how["reset_after"] = bool(attributes.get("linear_before_reset", 0))
    names, count = attributes.get("activations", []), FUNCTIONS[kind]
    cells = []
    for side in range(2 if both else 1):
        functions = [function_of(name) for name in names[side * count :][:count]]
        if functions:
            how |= {"nonlinearity": functions[0]} if kind == "RNN" else {"activations": tuple(functions)}
        cell = getattr(tl, kind)(xs.shape[-1], H, rng=0, **how).cell
        halves = np.split(arrays["B"][side], 2) if "B" in arrays else [None, None]
        peepholes = arrays["P"][side] if "P" in arrays else None
        load(cell, ORDERS["ONNX"][kind], arrays["W"][side], arrays["R"][side], *halves, peepholes=peepholes)
        if kind == "GRU" and not cell.reset_after and functions:  # 1 − f(a) is f(−a) of a sigmoid only
            f = functions[0]
            cell.update_gate.activation = lambda a, f=f: 1 - f(-a)
        cells.append(cell)
    cells *= 2 if direction == "reverse" else 1  # half of a layer in both directions
    layer = tl.nn.Recurrent(*cells, bidirectional=len(cells) == 2)
    state = [arrays[part] for part in ("initial_h", "initial_c") if part in arrays]
    state = [part.swapaxes(0, 1) if layout else part for part in state]
    if state and direction == "reverse":
        state = [np.concatenate([part, part]) for part in state]
    if state and kind == "LSTM" and len(state) == 1:
        state.append(np.zeros_like(state[0]))
    given = [tl.tensor(part, dtype=np.float64) for part in state]
    lengths = arrays.get("sequence_lens")
    output, last = layer(
        tl.tensor(xs, dtype=np.float64),
        (given[0] if len(given) == 1 else tuple(given)) if given else None,
        lengths=lengths,
    )
    sides = [0, 1] if both else [1] if direction == "reverse" else [0]
    Y = np.stack([output.value[..., side * H : (side + 1) * H] for side in sides], axis=1)
    ends = [part.value[sides] for part in (last if kind == "LSTM" else (last,))]
    return (Y.transpose(2, 0, 1, 3), [end.swapaxes(0, 1) for end in ends]) if layout else (Y, ends)

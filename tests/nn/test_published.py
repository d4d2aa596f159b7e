"""Recurrent layers agree with the field: golden numbers of PyTorch, ONNX's node cases, Keras's published outputs.

What needs those libraries, and goes further, is in tests/benchmarks/test_{torch,onnx}_recurrent.py.
"""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import tinygrad_lstm as tl
from tests.nn.keras_outputs import OUTPUTS
from tests.nn.layouts import ORDERS, load
from tests.nn.longhand import sigmoid
from tests.nn.onnx_node import ours_for
from tinygrad_lstm import nn

HERE = Path(__file__).parent
TORCH = json.loads((HERE / "torch_numbers.json").read_text(encoding="utf-8"))
ONNX = json.loads((HERE / "onnx_cases.json").read_text(encoding="utf-8"))


def numbers(shape, k):
    """What golden numbers of PyTorch were made from: the k-th array of a layer's parameters, and others."""
    return 0.5 * np.sin(1.7 * np.arange(np.prod(shape, dtype=int)) + k).reshape(shape)


def flat(result):
    return [part for each in result for part in flat(each)] if isinstance(result, tuple) else [result]


@pytest.mark.parametrize("case", TORCH, ids=lambda case: f"{case['kind']} {case['how']}")
def test_golden_numbers_of_pytorch(case):
    """Version 2.13: outputs, last states, and the gradients of x, the first states and all parameters (T, N, D, H =
    3, 2, 2, 2)."""
    kind, how, lengths = case["kind"], case["how"], case["lengths"]
    layer = getattr(tl, kind)(2, 2, rng=0, **how)
    h, gates = layer.cells[0].state_sizes[0], len(ORDERS["PyTorch"][kind])
    leaves = []
    for cell in layer.cells:
        shapes = [(gates * 2, cell.input_size), (gates * 2, h), *[(gates * 2,)] * (2 * how.get("bias", True))]
        shapes += [(h, 2)] * ("proj_size" in how)
        made = [tl.tensor(numbers(shape, len(leaves) + k), requires_grad=True) for k, shape in enumerate(shapes)]
        leaves += made
        projection = made.pop() if "proj_size" in how else None
        load(cell, ORDERS["PyTorch"][kind], *made, projection=projection)
    xs = numbers((3, 2, 2), 100)
    xs = tl.tensor(xs.swapaxes(0, 1) if how.get("batch_first") else xs, requires_grad=True)
    state = [
        tl.tensor(numbers((len(layer.cells), 2, size), 200 + k), requires_grad=True)
        for k, size in enumerate(layer.cells[0].state_sizes)
    ]
    results = flat(layer(xs, tuple(state) if len(state) > 1 else state[0], lengths=lengths))
    for ours, exact in zip(results, case["results"], strict=True):
        np.testing.assert_allclose(ours.value.ravel(), exact, rtol=1e-12, atol=1e-15)
    gradients = tl.grad(sum((part * part).sum() for part in results), [xs, *state, *leaves])
    for ours, exact in zip(gradients, case["gradients"], strict=True):
        np.testing.assert_allclose((ours.value * numbers(ours.shape, 300)).sum(), exact, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("case", ONNX, ids=lambda case: case["name"])
def test_onnxs_node_cases(case):
    """Those of onnx 1.23, written in float32."""

    def array(written):
        return np.full(written["shape"], written["all"]) if isinstance(written, dict) else np.array(written)

    Y, ends = ours_for(case["kind"], {name: array(each) for name, each in case["inputs"].items()}, case["attributes"])
    ours = dict(zip(("Y", "Y_h", "Y_c"), [Y, *ends], strict=False))
    for name, exact in case["outputs"].items():
        np.testing.assert_allclose(ours[name], array(exact), rtol=1e-5, atol=1e-6)


def kerass(kind, D, H, how):
    """Our layer with the weights that Keras's tests have: columns are gates, all of one number."""
    order, bias = ORDERS["Keras"][kind], how.get("use_bias", True)
    options = {"bias": bias} | ({"reset_after": how.get("reset_after", True)} if kind == "GRU" else {})
    layer = getattr(tl, kind)(D, H, batch_first=True, rng=0, **options)
    kernel, recurrent = np.full((D, len(order) * H), 0.01), np.full((H, len(order) * H), 0.02)
    b = np.full(len(order) * H, 0.03) if bias else None
    if kind == "LSTM" and bias and how.get("unit_forget_bias", True):
        b[H : 2 * H] = 1
    twice = kind == "GRU" and bias and layer.cell.reset_after  # Keras's one other bias
    load(layer.cell, order, kernel.T, recurrent.T, b, b if twice else None)
    return layer


@pytest.mark.parametrize("case", OUTPUTS, ids=lambda case: f"{case[0]} {case[3]}")
def test_kerass_published_outputs(case):
    """A mask leaves steps out: what is left moves together, and lengths says how many they are."""
    kind, (N, T, D), H, how, expected = case
    layer, xs = kerass(kind, D, H, how), np.arange(N * T * D).reshape(N, T, D).astype(float)
    mask = np.array(how.get("mask", np.ones((N, T))), bool)
    if how.get("go_backwards"):
        xs, mask = xs[:, ::-1], mask[:, ::-1]
    padded = np.full_like(xs, np.nan)
    for n in range(N):
        padded[n, : mask[n].sum()] = xs[n, mask[n]]
    parts = [tl.tensor(np.arange(N * H).reshape(1, N, H))] * len(layer.cell.state_names)
    state = (tuple(parts) if len(parts) > 1 else parts[0]) if how.get("state") else None
    for _ in range(2 if how.get("stateful") else 1):
        output, state = layer(padded, state, lengths=mask.sum(axis=1))
    if "sequences" in how:
        found = np.zeros((N, T, H))
        for n, t in np.ndindex(N, T):
            if mask[n, t] or how["sequences"] == "last":
                found[n, t] = output.value[n, mask[n, : t + 1].sum() - 1]
    else:
        found = flat(state)[0].value[0]
    expected = np.array(expected)
    expected = expected if expected.shape == found.shape else expected[..., None]
    np.testing.assert_allclose(found, np.broadcast_to(expected, found.shape), rtol=1e-5, atol=1e-5)


def test_there_are_as_many_cases_as_were_published():
    assert len(ONNX) == 18
    assert len(OUTPUTS) >= 24


# The table in the documentation

TABLE = nn.__doc__
LETTERS = {
    "LSTM": {"f": "forget_gate", "i": "input_gate", "g": "candidate", "o": "output_gate"},
    "GRU": {"z": "update_gate", "r": "reset_gate", "g": "candidate"},
}


def order_in_the_table(framework, kind):
    row = next(line.split() for line in TABLE.splitlines() if line.split()[:1] == [framework])
    letters = row[1:5] if kind == "LSTM" else row[5:8]
    return tuple(LETTERS[kind][letter] for letter in letters)


@pytest.mark.parametrize("kind", LETTERS)
def test_the_table_has_the_orders_that_the_numbers_were_loaded_by(kind):
    for framework in ORDERS:
        assert order_in_the_table(framework, kind) == ORDERS[framework][kind]


@pytest.mark.parametrize("kind", LETTERS)
def test_the_tables_order_of_ours_is_that_of_the_parameters(kind):
    cell = tl.GRU(2, 3, reset_after=False).cell if kind == "GRU" else tl.LSTM(2, 3).cell
    parts = dict.fromkeys(name.partition(".")[0] for name, _ in cell.named_parameters())
    assert tuple(parts) == order_in_the_table("ours", kind)


def documented(name):
    """The equations in the table under this name, as functions of what they read: numpy, as one writes it on paper."""
    block = re.search(rf"^ *{re.escape(name)}\n((?: +\S′? = .*\n)+)", TABLE, re.MULTILINE)
    lines = [line.strip().split(" = ") for line in block[1].splitlines()]

    def written(text):
        text = re.sub(r"\b([xh]|\)) ([WU]_?\w*)", r"\1 @ \2", text).replace(") U", ") @ U")
        return text.replace("⊙", "*").replace("−", "-").replace("σ", "sigmoid").replace("′", "_")

    return [(left.replace("′", "_"), written(right)) for left, right in lines]


def evaluated(name, known):
    known = {"sigmoid": sigmoid, "tanh": np.tanh, **known}
    for left, right in documented(name):
        known[left] = eval(right, {}, known)
    return known


def cudnns(rng, letters):
    """The matrices and the two biases of cuDNN, by its numbers of linear layers: those of x first, then those of h."""
    D, H, count = 2, 3, len(letters)
    W = [rng.normal(size=(D, H)) for _ in letters]
    U = [rng.normal(size=(H, H)) for _ in letters]
    biases = rng.normal(size=(2, count, H))
    known = {f"W_{letter}": w for letter, w in zip(letters, W, strict=True)}
    known |= {f"U_{letter}": u for letter, u in zip(letters, U, strict=True)}
    known |= {f"b_{letter}": b for letter, b in zip(letters, biases[0], strict=True)}
    known |= {f"d_{letter}": b for letter, b in zip(letters, biases[1], strict=True)}
    rows = (np.concatenate([w.T for w in W]), np.concatenate([u.T for u in U]), *biases.reshape(2, -1))
    return known, rows


@pytest.mark.parametrize("name", ["PyTorch, Keras, cuDNN and tl.GRU", "ONNX, and Keras with reset_after=False"])
def test_the_equations_in_the_table_are_computed_for_others_weights(name, rng):
    """cuDNN's order, which is the table's, with its two biases; what resets before the product knows one."""
    order = order_in_the_table("cuDNN", "GRU")
    assert order == ORDERS["PyTorch"]["GRU"]
    letters = ["r", "z", "g"]
    known, (W, U, b, d) = cudnns(rng, letters)
    cell = tl.GRUCell(2, 3, reset_after="tl.GRU" in name, rng=0)
    load(cell, order, W, U, b, d)
    x, h = rng.normal(size=(4, 2)), rng.normal(size=(4, 3))
    np.testing.assert_allclose(cell(x, tl.tensor(h)).value, evaluated(name, known | {"x": x, "h": h})["h_"], rtol=1e-12)


def test_the_equations_of_olahs_gru_in_the_table(rng):
    known, (W, U, b, d) = cudnns(rng, ["r", "z", "g"])
    cell = tl.GRUCell(2, 3, reset_after=False, rng=0)
    load(cell, ("reset_gate", "update_gate", "candidate"), W, U, b, d)
    cell.update_gate.weight.value = -cell.update_gate.weight.value  # load has exchanged z and 1 − z
    cell.update_gate.bias.value = -cell.update_gate.bias.value
    x, h = rng.normal(size=(4, 2)), rng.normal(size=(4, 3))
    found = evaluated("Olah, and tl.GRU with reset_after=False", known | {"x": x, "h": h})["h_"]
    np.testing.assert_allclose(cell(x, tl.tensor(h)).value, found, rtol=1e-12)


def test_the_equations_of_the_lstm_in_the_table(rng):
    """In cuDNN's order, which is PyTorch's."""
    order = order_in_the_table("cuDNN", "LSTM")
    assert order == ORDERS["PyTorch"]["LSTM"]
    known, rows = cudnns(rng, ["i", "f", "g", "o"])
    cell = tl.LSTMCell(2, 3, rng=0)
    load(cell, order, *rows)
    x, h, c = rng.normal(size=(4, 2)), rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
    found = evaluated("LSTM, all of them", known | {"x": x, "h": h, "c": c})
    for ours, exact in zip(cell(x, (tl.tensor(h), tl.tensor(c))), (found["h_"], found["c_"]), strict=True):
        np.testing.assert_allclose(ours.value, exact, rtol=1e-12)


def test_the_forget_biases_in_the_table():
    """PyTorch's is in tests/benchmarks/test_torch_recurrent.py; Keras's outputs are those of 1, unless it says not."""
    assert "Forget biases begin at: ours 1, Keras 1, PyTorch like all others." in " ".join(TABLE.split())
    assert (tl.LSTM(2, 3).cell.forget_gate.bias.value == 1).all()
    cases = [(case, case[3]) for case in OUTPUTS if case[0] == "LSTM" and case[3].get("use_bias", True)]
    assert {how.get("unit_forget_bias", True) for _, how in cases} == {True, False}
    for case, how in cases:
        exchanged = not how.get("unit_forget_bias", True)
        with pytest.raises(AssertionError, match="Not equal to tolerance"):
            test_kerass_published_outputs((*case[:3], how | {"unit_forget_bias": exchanged}, case[4]))

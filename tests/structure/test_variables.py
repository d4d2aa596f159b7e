"""What nobody named is called by the variable that the program assigned it to, or by what it is a part of."""

import copy

import numpy as np
import pytest

import tinygrad_lstm as tl
from tests.structure.cells_of_others import OTHERS, through_time
from tinygrad_lstm.structure.cells import Cells
from tinygrad_lstm.structure.timeline import Timeline
from tinygrad_lstm.structure.variables import called, variable


def assigned(z):
    a, b = tl.sigmoid(z[:, :2]), tl.tanh(z[:, 2:4])
    c, d, e = z[:, :2] * 2, z[:, 2:4], tl.tanh(z[:, 4:])
    i, f, g, o = tl.sigmoid(z[:, :2]), tl.tanh(z[:, 2:4]), z[:, 4:6] + a, z[:, 6:]
    u, v = tl.chunk(z, 2, axis=-1)
    w, x, y = np.split(z, [2, 3], -1)
    k = tl.tanh(z).reshape(2, -1)[0]
    return {name: node for name, node in locals().items() if name != "z"}


def unassigned(z):
    either = tl.tanh(z) if z.ndim else z  # which of two, the code does not tell
    kept = [tl.tanh(z)]
    parts = tl.split(z, [3], axis=-1)
    return either, kept[0], parts[0], tl.tanh(z)


@pytest.fixture
def z():
    return tl.tensor(np.ones((2, 8)), requires_grad=True, name="z")


def test_a_variable_is_read_off_the_code_that_assigns_it(z):
    found = assigned(z)
    unequal = set("wxy")  # which part is which is not known then
    assert {name: variable(node) for name, node in found.items()} == {
        name: "" if name in unequal else name for name in found
    }


def test_what_is_not_assigned_at_once_is_called_as_what_it_is_made_of(z):
    assert [variable(node) for node in unassigned(z)] == [""] * 4
    assert [called(node) for node in unassigned(z)] == ["tanh(z)", "tanh(z)", "z[0:3]", "tanh(z)"]
    assert called(tl.sigmoid((z * 2)[..., 4:])) == "σ(mul[4:8])"
    assert called(tl.sigmoid(z * 2 + 1)) == ""
    assert called(z[0]) == called(z[:, ::2]) == ""


def test_what_was_copied_has_no_variable(z):
    a = tl.tanh(z)
    assert (variable(a), variable(copy.deepcopy(a))) == ("a", "")


@pytest.mark.parametrize("name", OTHERS)
def test_gates_sliced_of_one_product_have_names_roles_and_saturation(name):
    make, gates, states = OTHERS[name]
    loss = through_time(make())
    rows = tl.step(loss).flow()
    assert list(rows[0].saturation) == [*gates]
    assert list(rows[0].norms) == states
    (cell,) = Cells(Timeline(tl.Graph(loss))).cells
    assert {layer.symbol: layer.words for layer in cell.layers} == gates
    for row in rows:
        for gate, share in row.saturation.items():
            value, low = row.gates[gate].value, -1 if gates[gate] == "candidate" else 0
            margin = 0.05 * (1 - low)
            assert share == np.mean((value < low + margin) | (value > 1 - margin))
    assert max(share for row in rows for share in row.saturation.values()) > 0.2


def test_the_picture_and_health_call_them_so_too():
    make, gates, _ = OTHERS["one product, in turn"]
    loss = through_time(make(), scale=30.0)
    source = tl.draw(loss, "gates").source
    assert all(f">{name}<" in source for name in gates)
    assert any(symptom.where.startswith("cellgate, t = 0 … 3 (") for symptom in tl.diagnose(loss))


def test_a_flow_without_time_says_how_a_loop_of_ones_own_has_it():
    x, h = tl.tensor([[1.0, 2.0]]), tl.tensor([[0.0, 0.0]])
    w = tl.tensor(np.eye(2), requires_grad=True, name="w")
    for _ in range(3):
        h = tl.tanh(x @ w + h)
    assert str(tl.step(h.sum()).flow()).endswith("in a loop of your own, with tl.time_step(t): says them")

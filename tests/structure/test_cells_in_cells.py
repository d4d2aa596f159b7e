"""Which module is the cell: the outer one of several, and nothing that is no cell; what is wrong with a user's own."""

import numpy as np
import pytest

import tinygrad_lstm as tl
from tests.drawing.published import NETWORKS, D, H, N, numbers, sequence
from tinygrad_lstm.structure.timeline import Timeline


def cells(output):
    """The classes of the modules that are cells."""
    timeline = Timeline(tl.Graph(output))
    frames = {module: frame.kind for calls in timeline._calls.values() for frame, module in calls}
    return {frames[module] for module in timeline.cells}


@pytest.mark.parametrize(
    ("network", "cell"),
    [
        ("mogrifier", {"Mogrifier"}),
        ("residual", {"Residual"}),
        ("submodule", {"Submodule"}),
        ("attention", {"GRUCell"}),
        ("layer_norm", {"NormedLSTM"}),
        ("projection", {"LSTMCell"}),
        ("neural_ode", {"Dynamics"}),
        ("linear_in_a_loop", set()),
    ],
)
def test_the_outer_cell_is_the_cell(network, cell):
    loss = NETWORKS[network]()
    assert cells(loss) == cell
    scene = tl.draw(loss, "cells")._scene
    found = {box.texts[0].text for box in scene.boxes if box.role == "cell"}
    assert found == (cell or {"step"})


class Wrapped(tl.nn.Module):
    """Not a cell: it hands a state through a linear layer, and adds up a loss in the loop."""

    def __init__(self):
        self.mix, self.cell, self.head = tl.Linear(H, H, rng=0), tl.GRUCell(D, H, rng=0), tl.Linear(H, 1, rng=0)

    def forward(self, x, h, loss):
        h = self.cell(x, self.mix(h))
        return h, loss + self.head(h).sum()


def test_what_is_around_a_cell_or_on_the_way_to_it_is_none():
    model, xs, loss = Wrapped(), sequence(3), tl.tensor(0.0)
    h = tl.tensor(np.zeros((N, H)), name="h0")
    for t in range(3):
        with tl.time_step(t):
            h, loss = model(xs[t], h, loss)
    assert cells(loss) == {"GRUCell"}


@pytest.mark.parametrize("between", [lambda h: h, tl.tanh])
def test_a_linear_layer_in_a_loop_is_no_cell(between):
    inner, outer, xs = tl.Linear(H, H, rng=0), tl.Linear(D, H, rng=1), sequence(3)
    h = tl.tensor(np.zeros((N, H)), name="h0")
    for t in range(3):
        with tl.time_step(t):
            h = between(inner(h) + outer(xs[t]))
    assert cells(h.sum()) == set()
    opened = tl.draw(h.sum(), "gates")._scene
    assert {box.block for box in opened.boxes if box.block} == {"step\nstep"}


def test_a_module_of_the_users_that_is_called_in_a_loop_is_still_found():
    class Plain(tl.nn.Module):
        def __init__(self):
            self.input, self.hidden = tl.Linear(D, H, rng=0), tl.Linear(H, H, rng=1)

        def forward(self, x, h):
            return tl.tanh(self.input(x) + self.hidden(h))

    cell, h = Plain(), tl.tensor(numbers(N, H), name="h0")
    for t in range(3):
        with tl.time_step(t):
            h = cell(tl.tensor(numbers(N, D), name="x"), h) + h
    assert cells(h.sum()) == {"Plain"}


def test_a_replaced_parameter_keeps_its_path():
    class Model(tl.nn.Module):
        def __init__(self):
            self.head = tl.Linear(3, 2, rng=0)

    model = Model()
    model.head.weight = tl.tensor(np.ones((3, 2)), requires_grad=True)
    assert model.head.weight.name == "head.weight"
    assert "head.weight" in tl.draw(model.head(tl.tensor([1.0, 2.0, 3.0])).sum()).source


class Wrong(tl.nn.Cell):
    state_names = ("h", "c")

    def __init__(self, returned):
        super().__init__(2, 3)
        self.returned = returned

    def forward(self, x, state):
        return self.returned(*state)


@pytest.mark.parametrize(
    ("returned", "error", "words"),
    [
        (lambda h, c: None, TypeError, "must be h, c; got None"),
        (lambda h, c: h, tl.ShapeError, "must be h, c; got 1 tensor"),
        (lambda h, c: (h, c, c), tl.ShapeError, "must be h, c; got 3 tensor"),
        (lambda h, c: (h, c.value), TypeError, "c must be a Tensor, not ndarray, which keeps no gradient"),
        (lambda h, c: (h, c.tolist()), TypeError, "c must be a Tensor, not list"),
        (lambda h, c: (h, tl.concat([c, c])), tl.ShapeError, "c has shape"),
    ],
)
def test_what_a_cell_returns_wrongly_is_said_in_its_words(returned, error, words):
    with tl.time_step(3), pytest.raises(error) as raised:
        Wrong(returned)(tl.tensor([1.0, 2.0]))
    message = str(raised.value)
    assert message.startswith("Wrong at t=3: what forward returns")
    assert words in message
    assert "\n" not in message


def test_a_state_of_one_step_by_hand_needs_no_time():
    h = tl.tensor([1.0, 2.0], name="h0", requires_grad=True)
    with tl.time_step(0):
        new = tl.tanh(h * 2.0)
    new.name = "h"
    for view in ("ops", "cells", "gates", "rolled", "backward"):
        tl.draw((new * h).sum(), view).source  # noqa: B018

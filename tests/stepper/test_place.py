"""Where the walk is: the line of the program behind every node, and what ``next`` passes over."""

import copy
import pickle
from pathlib import Path

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.nn.samples import small_loss
from tinygrad_lstm.structure.origin import users_line


class Squared(tl.nn.Module):
    def forward(self, x):
        return x * x  # the module's own line


def here(text):
    """The number of the line in this file that holds a text."""
    (number,) = (i for i, row in enumerate(Path(__file__).read_text("utf-8").splitlines(), 1) if row.endswith(text))
    return number


def test_a_node_knows_the_line_that_made_it():
    x = tl.tensor([1.0, 2.0], requires_grad=True, name="x")
    y = tl.tanh(x)  # by a primitive
    z = y + 1.0  # by an operator
    assert x.line is None
    for node, text in ((y, "# by a primitive"), (z, "# by an operator")):
        assert (Path(node.line.file), node.line.number) == (Path(__file__), here(text))
        assert node.line.text.endswith(text)
        assert not node.line.ours


def test_a_loss_belongs_to_the_line_that_asked_for_it():
    logits = tl.tensor(np.zeros((2, 3)), requires_grad=True)
    loss = tl.cross_entropy(logits, [0, 1])  # asked for
    assert loss.line.number == here("# asked for")


def test_a_module_of_yours_is_where_you_wrote_it_and_was_called_where_you_called_it():
    y = Squared()(tl.tensor(3.0, requires_grad=True))  # the call
    assert y.line.text == "return x * x  # the module's own line"
    assert y.context.frames[-1].line.number == here("# the call")
    assert users_line(y) == y.line


def test_a_cell_of_ours_leads_to_the_line_that_called_it():
    cell = tl.LSTMCell(2, 3, rng=0)
    h, _ = cell(tl.tensor([1.0, 2.0]))  # into the cell
    assert users_line(h).number == here("# into the cell")
    assert h.line.ours
    assert "tanh" in h.line.text


def test_layers_and_losses_lead_to_the_program_too():
    lstm = tl.LSTM(2, 3, num_layers=2, rng=0)
    output, _ = lstm(tl.tensor(np.ones((3, 2))))  # all steps
    loss = output.sum()
    lines = {users_line(node).number for node in tl.Graph(loss).nodes if not node.is_leaf and node is not loss}
    assert lines == {here("# all steps")}


@pytest.mark.parametrize("again", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copy_remembers_its_line(again):
    h, _ = tl.LSTMCell(2, 3, rng=0)(tl.tensor([1.0, 2.0]))  # to be copied
    copied = again(h)
    assert copied.line == h.line
    assert users_line(copied).number == here("# to be copied")


def test_what_was_typed_at_a_prompt_has_a_line_without_a_text():
    space = {"x": tl.tensor(1.0, requires_grad=True), "tl": tl}
    exec(compile("\n\ny = tl.exp(x)", "<stdin>", "exec"), space)
    line = space["y"].line
    assert (str(line), line.text) == ("<stdin>:3", "")
    assert "<stdin>:3" in tl.step(space["y"]).where()


def test_where_goes_from_the_layer_to_the_operation():
    stepper = tl.step(small_loss("lstm", 2))
    stepper.until("forget_gate t:1")
    first, *levels = stepper.where().splitlines()
    assert first == "t = 1"
    assert [level.split()[0] for level in levels] == ["Recurrent", "cell", "forget_gate", "sigmoid"]
    assert "self.forget_gate(z)" in levels[2]
    assert "f₁ = σ([h₀, x₁] W_f + b_f)" in levels[3]
    assert repr(stepper.where()) == stepper.where()


@pytest.mark.parametrize(("granularity", "within"), [("op", None), ("gate", "forget_gate"), ("cell", "cell")])
def test_next_passes_over_what_up_and_down_choose(granularity, within):
    stepper = tl.step(small_loss("lstm", 3))
    for _ in range(("op", "gate", "cell").index(granularity)):
        stepper.up()
    assert granularity in (
        stepper.down() if granularity == "op" else stepper.display() and f"one {stepper.granularity}"
    )
    stepper.until("forget_gate t:2")
    inside = stepper.current
    left = stepper.next()
    if within is None:
        assert left.node is not inside.node
        assert left.scope == inside.scope
    else:
        assert within not in left.scope or left.time != 2
        assert all(within in event.scope and event.time == 2 for event in stepper.events[inside.index : left.index])
        assert stepper.reverse_next().index == left.index - 1


def test_at_every_grain_next_visits_all_of_the_tape_in_order():
    stepper = tl.step(small_loss("gru", 3, layers=2))
    visits = {}
    for granularity in ("op", "gate", "cell"):
        stepper.goto(0)
        visited = [0]
        while not stepper.at_end:
            visited.append(stepper.next().index)
        assert visited == sorted(set(visited))
        visits[granularity] = len(visited)
        stepper.up()
    assert visits["op"] > visits["gate"] > visits["cell"] > 6  # cells: 3 steps of 2 layers

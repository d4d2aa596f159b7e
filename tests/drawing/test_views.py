"""Every view is a quotient of the graph that ran: nothing is missing, nothing is there twice, and all of it fits."""

import math
import xml.etree.ElementTree as ET
from collections import Counter
from itertools import combinations, groupby, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_lstm as tl
from tinygrad_lstm.drawing import VIEWS, labels
from tinygrad_lstm.drawing.views.gates import open_cells
from tinygrad_lstm.drawing.views.options import DIRECTIONS, Options
from tinygrad_lstm.drawing.views.parts import Parts
from tinygrad_lstm.nn.cells import CELLS
from tinygrad_lstm.nn.samples import small_loss
from tinygrad_lstm.pages.theme import ROLES, TEXTS
from tinygrad_lstm.structure.words import magnitude, short

SPACE = "{http://www.w3.org/2000/svg}"
OPERATIONS = {
    "rnn": (["tanh"], []),
    "lstm": (["σ", "σ", "tanh", "σ"], ["×", "×", "+", "tanh", "×"]),
    "gru": (["σ", "σ", "tanh"], ["×", "1−", "×", "×", "+"]),
    "peephole": (["σ", "σ", "tanh", "σ"], ["×", "×", "+", "tanh", "×"]),
    "coupled": (["σ", "tanh", "σ"], ["1−", "×", "×", "+", "tanh", "×"]),
}
"""The layers and the pointwise operations in the equations of each cell."""


def boxes(picture):
    """Each box with its place."""
    return {box.id: (box, rect) for column in picture._placed.columns for box, rect in column.boxes()}


def arrows(picture, role=None):
    return [arrow for arrow in picture._scene.arrows if role in (None, arrow.role)]


def titles(found):
    return [box.texts[0].text for box in found]


def texts(picture):
    return [text.text for box in picture._scene.boxes for text in box.texts]


# Everything that is drawn has its place


def gap_to(rect, role, point):
    """How far a point is from the outline of a box, as far as it is a simple one."""
    x, y = abs(point.x - rect.x), abs(point.y - rect.y)
    outside = math.hypot(max(x - rect.width / 2, 0), max(y - rect.height / 2, 0))
    shape = ROLES[role]["shape"]
    if outside or shape not in ("box", "ellipse", "circle"):
        return outside
    if shape == "box":
        return min(rect.width / 2 - x, rect.height / 2 - y)
    return max(math.hypot(2 * x / rect.width, 2 * y / rect.height) - 1, 0) * min(rect.width, rect.height) / 2


def assert_well_made(picture):
    """What is true of any picture of any graph, in any view and with any options."""
    ids = Counter(element.get("id") for element in ET.fromstring(picture.svg).iter() if element.get("id"))
    assert max(ids.values()) == 1
    placed, found = picture._placed, boxes(picture)
    assert len(found) == sum(len(column.content.boxes) for column in placed.columns)
    for column in placed.columns:
        for (_, a), (_, b) in combinations(column.boxes(), 2):
            apart = max(abs(a.x - b.x) - (a.width + b.width) / 2, abs(a.y - b.y) - (a.height + b.height) / 2)
            assert apart > -0.5 or column.is_legend
    for box, rect in found.values():
        assert placed.low.x - 1 <= rect.x - rect.width / 2 <= rect.x + rect.width / 2 <= placed.high.x + 1
        assert placed.low.y - 1 <= rect.y - rect.height / 2 <= rect.y + rect.height / 2 <= placed.high.y + 1
        if box.role != "joint":
            assert all(labels.width(t.text, float(TEXTS[t.style]["POINT-SIZE"])) <= rect.width + 6 for t in box.texts)
    for column in placed.columns:
        for arrow, line in (*column.arrows(), *placed.crossing(column)):
            assert bool(arrow.label) <= (line.label is not None)
            for x, y in line.points:
                assert placed.low.x - 1 <= x <= placed.high.x + 1
                assert placed.low.y - 1 <= y <= placed.high.y + 1
            if arrow.tail in found:  # not a sample in the legend
                for id, end in ((arrow.tail, line.points[0]), (arrow.head, line.tip or line.points[-1])):
                    box, rect = found[id]
                    assert gap_to(rect, box.role, end) < 1.6


@st.composite
def networks(draw):
    steps = draw(st.integers(1, 6))
    return steps, small_loss(
        draw(st.sampled_from(list(CELLS))), steps, layers=draw(st.integers(1, 2)), bidirectional=draw(st.booleans())
    )


@given(networks(), st.sampled_from(list(VIEWS)), st.data())
@pytest.mark.slow
def test_any_view_of_any_network_with_any_options_is_well_made(network, view, data):
    steps, loss = network
    first = data.draw(st.integers(0, steps - 1))
    window = st.tuples(st.just(first), st.integers(first + 1, steps + 1))
    path = st.sampled_from(tl.Graph(loss).nodes).map(lambda node: tl.path(loss, node))
    options = data.draw(
        st.fixed_dictionaries(
            {"direction": st.sampled_from(DIRECTIONS)},
            optional={
                **{key: st.booleans() for key in ("values", "gradients", "shapes", "legend")},
                "color": st.just("gradient"),
                "steps": st.just("all") | window,
                "depth": st.integers(0, 3),
                "highlight": path,
            },
        )
    )
    assert_well_made(tl.draw(loss, view, **options))


@pytest.mark.parametrize("view", VIEWS)
def test_two_runs_give_the_same_picture(view):
    once, again = (tl.draw(small_loss("lstm", 3, layers=2), view, color="gradient", legend=True) for _ in range(2))
    assert once.svg == again.svg
    assert once.source == again.source


# Gates


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_an_opened_cell_has_the_layers_and_operations_of_its_equations(cell, bidirectional):
    found = tl.draw(small_loss(cell, 3, bidirectional=bidirectional), "gates")._scene.boxes
    for column, block in {(box.column, box.block) for box in found if box.block}:
        inside = [box for box in found if (box.column, box.block) == (column, block)]
        layers, pointwise = OPERATIONS[cell]
        assert titles(box for box in inside if box.role == "layer") == layers
        assert sorted(titles(box for box in inside if box.role == "pointwise")) == sorted(pointwise)
    assert len({(box.column, box.block) for box in found if box.block}) == (6 if bidirectional else 3)


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("cell", CELLS)
def test_the_belt_runs_perfectly_straight_through_all_steps(cell, direction):
    picture = tl.draw(small_loss(cell, 4), "gates", direction=direction)
    axis = int(direction == DIRECTIONS[0])
    belt = [(box, rect) for box, rect in boxes(picture).values() if box.lane == "belt"]
    assert titles(box for box, _ in belt) == {"rnn": ["concat", "tanh"]}.get(cell, ["×", "+"]) * 4
    assert len({round(rect[axis], 6) for _, rect in belt}) == 1
    ids = [box.id for box, _ in belt]
    state = {(arrow.tail, arrow.head) for arrow in arrows(picture, "state")}
    assert set(pairwise(ids)) <= state
    for column in picture._placed.columns:
        for arrow, line in (*column.arrows(), *picture._placed.crossing(column)):
            if (arrow.tail, arrow.head) in set(pairwise(ids)):
                assert {round(point[axis], 6) for point in line.points} == {round(belt[0][1][axis], 6)}


@pytest.mark.parametrize("cell", CELLS)
def test_inputs_come_from_below_and_the_output_leaves_above(cell):
    found = boxes(tl.draw(small_loss(cell, 3), "gates"))
    for t in (0, 1, 2):
        own = {id: rect.y for id, (box, rect) in found.items() if id.startswith(f"t{t}.") and box.block}
        (pill,) = [
            rect.y for box, rect in found.values() if box.role == "output" and box.texts[0].text == f"h{'₀₁₂'[t]}"
        ]
        assert found[f"t{t}.getitem"][1].y < min(own.values()) <= max(own.values()) < pill


@pytest.mark.parametrize("cell", CELLS)
def test_a_cell_that_reads_backwards_is_mirrored(cell):
    picture = tl.draw(small_loss(cell, 3, bidirectional=True), "gates")
    found = boxes(picture)
    for name, sign in (("layer0", 1), ("layer0_reverse", -1)):
        belt = [rect.x for id, (box, rect) in found.items() if box.lane == "belt" and f"t1.{name}." in id]
        assert belt == sorted(belt, key=lambda x: sign * x)
        assert len(belt) == 2
    for arrow in arrows(picture, "back"):
        assert found[arrow.head][1].x < found[arrow.tail][1].x
    assert arrows(picture, "back")


@pytest.mark.parametrize("cell", CELLS)
def test_every_operation_is_in_one_box_and_every_edge_between_boxes_is_an_arrow(cell):
    graph = tl.Graph(small_loss(cell, 3))
    options = Options(shapes=False, loss=True)
    parts = Parts(graph, options, cells_closed=True, longest=5, keep_closed=True)
    open_cells(parts, options)
    assert Counter(node for part in parts.parts for node in part.members) == Counter(
        node for node in graph.nodes if node.primitive
    )
    picture = tl.draw(graph.output, "gates", loss=True)
    opened = {
        part.id: f"{part.id}: {len(part.members)} operations" if len(part.members) > 1 else part.id
        for part in parts.parts
        if part.kind in ("layer", "pointwise", "joint")
    }
    assert {box.id: box.tooltip.splitlines()[0] for box in picture._scene.boxes if box.block} == opened
    drawn = {(arrow.tail.removesuffix(".out").partition("@")[0], arrow.head) for arrow in arrows(picture)}
    for node, part in parts.of.items():
        for x in node.inputs:
            source = parts.of.get(x)
            if source and source is not part and abs(source.column - part.column) <= 1:
                assert (source.id, part.id) in drawn


def lstm_of_slices(x, state, w):
    h, c = state
    a = tl.concat([h, x], axis=-1) @ w["W"] + w["b"]
    i, f, o, g = (a[:, 2 * k : 2 * k + 2] for k in range(4))
    c = tl.sigmoid(f) * c + tl.sigmoid(i) * tl.tanh(g)
    return tl.sigmoid(o) * tl.tanh(c), c


def torch_style(x, state, w):
    h, c = state
    f, i, g, o = (
        act(x @ w[f"W{k}"] + h @ w[f"U{k}"] + w[f"b{k}"])
        for k, act in enumerate((tl.sigmoid, tl.sigmoid, tl.tanh, tl.sigmoid))
    )
    c = f * c + i * g
    return o * tl.tanh(c), c


def torch_rnn(x, state, w):
    h, c = state
    return tl.tanh(x @ w["W0"] + h @ w["U0"] + w["b0"] + w["b1"]), c


class Own(tl.nn.Module):
    def __init__(self, step, weights):
        self.step, self.weights = step, weights

    def forward(self, x, state):
        return self.step(x, state, self.weights)


def own_loss(step, *, module, timed, named):
    rng = np.random.default_rng(0)
    shapes = {"W": (4, 8), "b": (8,), **{f"{n}{k}": (2, 2) for n in "WU" for k in range(4)}}
    shapes.update((f"b{k}", (2,)) for k in range(4))
    weights = {name: tl.tensor(rng.normal(size=shape), requires_grad=True) for name, shape in shapes.items()}
    state = tuple(tl.tensor(np.zeros((1, 2)), name=f"{name}0" if named else None) for name in "hc")
    run = Own(step, weights) if module else lambda x, state: step(x, state, weights)
    for t in range(3):
        x = tl.tensor(rng.normal(size=(1, 2)), name="x")
        if timed:
            with tl.time_step(t):
                state = run(x, state)
        else:
            state = run(x, state)
        if named:
            state[0].name, state[1].name = "h", "c"
    return state[0].sum()


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize(("module", "timed"), [(True, False), (True, True), (False, True)])
@pytest.mark.parametrize(
    ("step", "layers", "belt"),
    [
        (lstm_of_slices, ["linear", "σ", "σ", "tanh", "σ"], ["×", "+"]),
        (torch_style, ["σ", "σ", "tanh", "σ"], ["×", "+"]),
        (torch_rnn, ["tanh"], ["tanh"]),
    ],
)
def test_a_cell_of_ones_own_is_opened_without_being_registered(step, layers, belt, module, timed, named):
    picture = tl.draw(own_loss(step, module=module, timed=timed, named=named), "gates")
    for column in (1, 2, 3):
        inside = [box for box in picture._scene.boxes if box.column == column and box.block]
        assert sorted(titles(box for box in inside if box.role == "layer")) == sorted(layers)
        assert titles(box for box in inside if box.lane == "belt") == belt
    assert_well_made(picture)


# Cells, and the loop


@pytest.mark.parametrize("cell", CELLS)
def test_each_call_of_a_cell_is_one_box_that_hands_on_its_states(cell):
    picture = tl.draw(small_loss(cell, 4), "cells")
    assert [box.id for box in picture._scene.boxes if box.role == "cell"] == [f"t{t}.cell" for t in range(4)]
    handed = {arrow.head: arrow.label for arrow in arrows(picture, "state") if arrow.label}
    names = CELLS[cell].state_names
    assert {head: set(label.split(", ")) for head, label in handed.items()} == {
        f"t{t + 1}.cell": {f"{name}{'₀₁₂'[t]}" for name in names} for t in range(3)
    }


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_layers_are_stacked_and_the_reverse_direction_leads_back(direction):
    picture = tl.draw(small_loss("lstm", 3, layers=2, bidirectional=True), "cells", direction=direction)
    found = {id: rect for id, (_, rect) in boxes(picture).items()}
    along, across = (0, 1) if direction == DIRECTIONS[0] else (1, 0)
    forwards = 1 if direction == DIRECTIONS[0] else -1
    for t in range(3):
        for end in ("", "_reverse"):
            assert found[f"t{t}.layer0{end}"][across] < found[f"t{t}.layer1{end}"][across]
    for role, way in (("state", forwards), ("back", -forwards)):
        moves = [found[a.head][along] - found[a.tail][along] for a in arrows(picture, role)]
        assert len(moves) >= 4
        assert all(move * way > 0 for move in moves)
    assert all("_reverse" in f"{arrow.tail} {arrow.head}" for arrow in arrows(picture, "back"))


@given(steps=st.integers(2, 30), cell=st.sampled_from(list(CELLS)), bidirectional=st.booleans())
@settings(max_examples=15)
def test_a_loop_is_the_same_however_often_it_ran(steps, cell, bidirectional):
    def loop(steps):
        scene = tl.draw(small_loss(cell, steps, bidirectional=bidirectional), "rolled")._scene
        return [(b.id, titles([b])) for b in scene.boxes], [(a.tail, a.head, a.role, a.label) for a in scene.arrows]

    assert loop(steps)[0] == loop(3)[0]
    names = ", ".join(CELLS[cell].state_names)
    loops = {(role, label) for tail, head, role, label in loop(steps)[1] if tail == head}
    assert loops == {("state", f"{names} · delay 1")} | ({("back", f"{names} · delay −1")} if bidirectional else set())


def test_initial_states_enter_the_loop_in_the_first_step_only():
    first = arrows(tl.draw(small_loss("lstm", 3), "rolled"), "first")
    assert {(arrow.tail, arrow.label) for arrow in first} == {("h0@cell", "first step"), ("c0@cell", "first step")}


# Backward


@given(networks())
@settings(max_examples=15)
def test_each_contribution_turns_an_arrow_or_is_written_with_the_weight_it_goes_to(network):
    _, loss = network
    picture = tl.draw(loss, "backward", steps="all")
    boxes = {box.id: box for box in picture._scene.boxes}
    brought = {(id(x), id(node)) for arrow in arrows(picture, "gradient") for x, node in arrow.uses}
    weights = {leaf for leaf in tl.Graph(loss).leaves if leaf.requires_grad}
    homes = {
        node: box.id for box in picture._scene.boxes if "@" not in box.id and box.role != "output" for node in box.shows
    }
    written = Counter(text.rpartition("+= ")[2] for text in texts(picture) if "+= " in text)
    expected = Counter()
    for step in tl.backprop(loss):
        if step.input in weights:
            expected[f"‖{short(magnitude(step.contribution))}‖"] += 1
        elif homes[step.input] != homes[step.node]:
            assert (id(step.input), id(step.node)) in brought
    assert written == expected
    for arrow in arrows(picture, "gradient"):
        if boxes[arrow.tail].column != boxes[arrow.head].column and "@" not in arrow.tail + arrow.head:
            assert arrow.label


@pytest.mark.parametrize("cell", CELLS)
def test_the_backward_picture_has_the_boxes_of_the_gates_in_the_same_rows_and_order(cell):
    loss = small_loss(cell, 3)
    forward, backward = (tl.draw(loss, view, loss=True)._placed for view in ("gates", "backward"))

    def order(column, coordinate):
        found = [(round(getattr(rect, coordinate)), box.id) for box, rect in column.boxes() if box.block]
        return [[id for _, id in group] for _, group in groupby(sorted(found), key=lambda pair: pair[0])]

    for one, other in zip(forward.columns, backward.columns, strict=True):
        for coordinate in ("x", "y"):
            assert order(one, coordinate) == order(other, coordinate)


def test_what_has_no_cells_shows_each_contribution_as_an_arrow_that_meets_others_in_a_circle():
    x, w = (tl.tensor(value, requires_grad=True, name=name) for value, name in ((0.5, "x"), (2.0, "w")))
    y = tl.tanh(x * w)
    loss = y * y + tl.exp(y) * w
    picture = tl.draw(loss, "backward")
    walk, graph = list(tl.backprop(loss)), tl.Graph(loss)
    drawn = [label for a in arrows(picture) if not a.tail.endswith("+") for label in a.label.split(" + ")]
    assert Counter(drawn) == Counter(f"‖{short(magnitude(step.contribution))}‖" for step in walk)
    several = {graph.ids[step.input] for step in walk if step.input.primitive and step.expected > 1}
    assert several
    assert {box.id.removesuffix("+") for box in picture._scene.boxes if box.role == "meeting"} == several
    loss.backward()
    assert f"all 2: ‖{short(magnitude(w.grad))}‖" in texts(picture)
    assert sum(text.startswith("1 of 2: ") for text in texts(picture)) == 1


@pytest.mark.parametrize("cell", CELLS)
def test_a_shared_weight_counts_its_contributions_up_to_its_gradient(cell):
    loss = small_loss(cell, 3)
    hints = [line for box in tl.draw(loss, "backward")._scene.boxes for line in box.tooltip.splitlines()]
    loss.backward()
    weights = [leaf for leaf in tl.Graph(loss).leaves if leaf.requires_grad]
    totals = Counter(f"all 3: ‖{short(magnitude(weight.grad))}‖" for weight in weights)
    assert Counter(hint.rpartition(", ")[2] for hint in hints if "all 3: " in hint) == totals
    for k in (1, 2):
        assert sum(f", {k} of 3: " in hint for hint in hints) == len(weights)


# What readers found


def by_hand(states, steps=3, **leaves):
    """An LSTM cell unrolled by hand from given initial states."""
    cell = tl.LSTMCell(2, 2, rng=0)
    h, c = (tl.tensor(states, name=f"{name}0", **leaves) for name in "hc")
    for t in range(steps):
        with tl.time_step(t):
            h, c = cell(tl.tensor([1.0, 2.0], name="x"), (h, c))
    return h.sum()


@pytest.mark.parametrize("view", ["gates", "cells", "rolled"])
def test_an_initial_state_that_is_learned_is_drawn_like_any_other(view):
    given, learned = (tl.draw(by_hand([0.1, 0.2], requires_grad=grad), view)._scene for grad in (False, True))
    assert [box.id for box in learned.boxes] == [box.id for box in given.boxes]
    assert [(a.tail, a.head, a.role) for a in learned.arrows] == [(a.tail, a.head, a.role) for a in given.arrows]


def test_frozen_weights_are_weights():
    cell = tl.LSTMCell(2, 2, rng=0)
    pictures = []
    for frozen in (False, True):
        for parameter in cell.parameters():
            parameter.requires_grad = not frozen
        h, _ = cell(tl.tensor([1.0, 2.0], name="x"))
        pictures.append(tl.draw(h, "gates")._scene)
    assert [box.role for box in pictures[0].boxes] == [box.role for box in pictures[1].boxes]


def test_a_first_step_that_leaves_something_out_does_not_mix_up_the_others():
    wx, wh = (tl.tensor([1.0, 2.0], requires_grad=True, name=name) for name in ("wx", "wh"))
    h = None
    for t in range(3):
        with tl.time_step(t):
            x = tl.tensor([1.0, 1.0], name="x")
            h = tl.tanh(x * wx if h is None else h * wh + x * wx)
    assert {column.id for column in tl.draw(h.sum(), "ops")._scene.columns} == {"t0", "t1", "t2", "after"}
    assert not arrows(tl.draw(h.sum(), "rolled"), "first")


def test_states_of_two_delays_share_one_arrow_that_says_both():
    cell = tl.RNNCell(2, 2, rng=0)
    before = h = tl.tensor([0.0, 0.0], name="h0")
    for t in range(4):
        with tl.time_step(t):
            before, h = h, cell(tl.tensor([1.0, 1.0], name="x"), h + before)
    assert "h · delay 1, 2" in {arrow.label for arrow in arrows(tl.draw(h.sum(), "rolled"), "state")}


def test_a_loss_that_is_summed_up_in_the_loop_keeps_to_its_own_line():
    cell, loss = tl.LSTMCell(2, 2, rng=0), 0
    state = None
    for t in range(3):
        with tl.time_step(t):
            state = cell(tl.tensor([1.0, 2.0], name="x"), state)
            loss = loss + state[0].sum()
    picture = tl.draw(loss, "gates", loss=True)
    crossing = [a for a in arrows(picture, "state") if a.tail.startswith("t1.") and a.head.startswith("t2.")]
    leaving = {arrow.tail: arrow.port for arrow in crossing}
    assert len(leaving) == len(set(leaving.values())) == 3


def test_an_operation_that_reads_only_leaves_in_the_first_step_is_not_taken_for_the_input_of_the_loop():
    cell, state = tl.LSTMCell(2, 2, rng=0), None
    for t in range(3):
        with tl.time_step(t):
            state = cell(tl.tensor([1.0, 2.0], name="x"), state)
    picture = tl.draw(state[0].sum(), "rolled", depth=1)
    roles = {box.id: box.role for box in picture._scene.boxes}
    assert roles["concat"] == "movement"
    assert {arrow.tail.partition("@")[0] for arrow in arrows(picture, "first")} == {"t0.h0", "t0.c0"}

"""Published networks, drawn in every view: each as what it is, with the names one looks for, and none of it cramped."""

from collections import Counter

import numpy as np
import pytest

import tinygrad_lstm as tl
from tests.drawing.published import NETWORKS, D, H, sequence, truncated
from tests.drawing.test_views import assert_well_made
from tinygrad_lstm.drawing import VIEWS
from tinygrad_lstm.drawing.picture import PIXELS

DRAWN = {}


def draw(network, view):
    """A picture, which is made once for all tests."""
    if network not in DRAWN:
        DRAWN[network] = NETWORKS[network](), {}
    loss, pictures = DRAWN[network]
    if view not in pictures:
        pictures[view] = tl.draw(loss, view, loss=True)
    return pictures[view]


def scene(network, view):
    return draw(network, view)._scene


def titles(network, view, role):
    return Counter(box.texts[0].text for box in scene(network, view).boxes if box.role == role)


def said(network, view):
    return {text.text for box in scene(network, view).boxes for text in box.texts}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("network", NETWORKS)
def test_every_view_has_all_operations_and_weights(network, view):
    shown = {node for box in scene(network, view).boxes for node in box.shows}
    graph = tl.Graph(DRAWN[network][0])
    if view == "ops":
        assert shown == set(graph.nodes)
        names = {leaf.name for leaf in graph.leaves if leaf.requires_grad}
        assert names <= {text.replace("…", "") for text in said(network, view)} | {n for n in names if len(n) > 36}
    if view == "backward":
        assert {leaf for leaf in graph.leaves if leaf.requires_grad} <= shown
    else:
        hidden = {x for node in graph.nodes if node.primitive for x in [node]} - shown
        assert all(not node.requires_grad for node in hidden)


@pytest.mark.parametrize(("network", "view"), [("truncated", "cells"), ("indrnn", "gates"), ("clockwork", "rolled")])
def test_what_is_placed_by_us_is_well_made(network, view):
    assert_well_made(draw(network, view))


@pytest.mark.slow
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("network", NETWORKS)
def test_every_view_of_every_network_is_well_made(network, view):
    assert_well_made(draw(network, view))


def test_gates_keep_their_names():
    for network, letters in {"mogrifier": "figo", "layer_norm": "figo", "projection": "figo", "gru": "zrg"}.items():
        for letter in letters:
            assert {f"{letter}{t}" for t in "₀₁₂"} <= said(network, "gates") | said(network, "ops"), network


def test_norms_are_boxes_and_the_cell_is_not_wide():
    assert titles("layer_norm", "gates", "module")["LayerNorm"] == 5 * 3
    assert draw("layer_norm", "gates").size[0] * PIXELS < 4200
    assert draw("layer_norm", "gates").size[1] * PIXELS < 900


def test_what_a_neuron_multiplies_its_own_past_with_is_seen():
    assert titles("indrnn", "gates", "pointwise")["u×"] == 3
    belt = [box.texts[0].text for box in scene("indrnn", "gates").boxes if box.lane == "belt"]
    assert belt == ["u×", "+", "relu"] * 3


def test_the_two_kinds_of_gru_differ_in_what_is_reset():
    before, after = ({box.id for box in scene(network, "gates").boxes} for network in ("gru", "gru_after"))
    assert before != after
    for network, resets in (("gru", "joint"), ("gru_after", "pointwise")):
        found = scene(network, "gates")
        roles = {box.id: box.role for box in found.boxes}
        (reset,) = [b.id for b in found.boxes if b.id.startswith("t1.") and any(t.text == "r₁" for t in b.texts)]
        (product,) = [arrow.head for arrow in found.arrows if arrow.tail == reset]
        assert resets in {roles[arrow.head] for arrow in found.arrows if arrow.tail == product}


def test_an_attention_is_a_fan_over_the_steps_it_looks_at():
    for network in ("attention", "attention_in_steps"):
        found = scene(network, "cells")
        texts = {box.id: [text.text for text in box.texts] for box in found.boxes}
        for box in found.boxes:
            if box.texts[0].text == "Attention" and box.column > 4:
                near = [
                    texts[arrow.tail][1]
                    for arrow in found.arrows
                    if arrow.head == box.id and len(texts[arrow.tail]) > 1
                ]
                assert near == ["from t = 0", "from t = 1", "from t = 2"]
        assert titles(network, "cells", "cell") == {"GRUCell": 6}
        assert [column.title for column in found.columns if "decoder" in column.title] == [
            f"t = {t} · decoder" for t in (3, 4, 5)
        ]


def test_a_tree_is_a_tree():
    for view in ("gates", "cells", "rolled"):
        found = scene("tree", view)
        nodes = [box.id for box in found.boxes if box.texts[0].text == "TreeLSTM"]
        children = {
            id: {arrow.tail for arrow in found.arrows if arrow.head == id and arrow.tail in nodes} for id in nodes
        }
        assert sorted(map(len, children.values())) == [0, 0, 2]
        assert {"the", "cat", "sat", "down"} <= said("tree", view)
        assert not found.columns[0].title


@pytest.mark.parametrize("network", ["truncated", "truncated_by_hand"])
@pytest.mark.parametrize("view", VIEWS)
def test_a_cut_is_a_pair_of_scissors(network, view):
    found = scene(network, view)
    cuts = [box for box in found.boxes if box.role == "cut"]
    assert cuts
    assert {box.texts[0].text for box in cuts} == {"✂"}
    assert {"h₁", "c₁"} <= {name for box in cuts for text in box.texts for name in text.text.split(", ")}
    ids = {box.id for box in cuts}
    if view == "backward":
        assert {(arrow.role, arrow.shade) for arrow in found.arrows if arrow.head in ids} == {("gradient", -1)}
    else:
        assert {arrow.role for arrow in found.arrows if arrow.tail in ids} == {"cut"}
        assert all("published.py:" in box.tooltip for box in cuts)
    if view in ("gates", "cells"):  # between the steps
        order = [column.id for column in found.columns]
        assert {order[box.column] for box in cuts} == {"after1"}
        assert order.index("t1") < order.index("after1") < order.index("t2")


def test_many_cuts_are_one_in_the_loop():
    (cut,) = [box for box in tl.draw(truncated(4, 2), "rolled")._scene.boxes if box.role == "cut"]
    assert [text.text for text in cut.texts] == ["✂", "h, c"]


def test_padding_is_one_box_over_each_cell_and_one_over_the_output():
    assert titles("padded", "cells", "module") == {"lengths": 3 * 4 + 1}
    assert titles("padded", "rolled", "module") == {"lengths": 4 + 1}
    assert titles("padded", "cells", "input")["x₀"] == 1
    assert "where" not in said("padded", "cells")


@pytest.mark.parametrize("network", ["attention", "truncated_by_hand", "padded_by_hand", "clockwork"])
def test_steps_stand_in_a_row_over_their_captions(network):
    columns = [column for column in draw(network, "cells")._placed.columns if column.content.title]
    cells = [next(rect.y for box, rect in column.boxes() if box.role == "cell") for column in columns]
    captions = [frame.rect.y for column in columns for frame in column.frames() if frame.kind == "time"]
    np.testing.assert_allclose(cells, cells[0])
    np.testing.assert_allclose(captions, captions[0])
    assert len(captions) == len(columns)


def test_labels_do_not_cover_each_other():
    for network in ("attention", "truncated"):
        placed = draw(network, "rolled")._placed
        for column in placed.columns:
            found = {(line.label, arrow.label) for arrow, line in placed.arrows(column) if arrow.label}
            assert len({label for label, _ in found}) == len(found)


def test_a_projection_is_a_layer_on_the_way_to_h():
    layers = [box for box in scene("projection", "gates").boxes if box.texts[0].text == "linear"]
    assert [box.texts[1].text for box in layers] == ["h₀", "h₁", "h₂"]


def test_a_mask_by_a_module_of_ones_own_stays_in_the_picture_of_its_step():
    assert titles("padded_by_hand", "cells", "pointwise") == {"where": 6, "⊙": 1}
    assert {"xs₀", "xs₁", "xs₂"} <= said("padded_by_hand", "cells")


def test_a_long_truncated_sequence_is_drawn_by_its_first_and_last_windows():
    lstm, state, loss = tl.LSTM(D, H, rng=0), None, 0
    for _ in range(20):
        output, state = lstm(sequence(2), state)
        loss = loss + output.sum()
        state = tuple(part.detach() for part in state)
    found = tl.draw(loss, "cells")._scene
    assert [box.role for box in found.boxes].count("gap") == 1
    assert [box.role for box in found.boxes].count("cut") >= 4

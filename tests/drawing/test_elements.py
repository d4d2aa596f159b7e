"""Each element of a picture says which nodes, or which uses of them, it stands for."""

import re

import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.nn.samples import small_loss


@pytest.mark.parametrize("view", ["rolled", "cells", "gates", "ops"])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_every_operation_and_every_use_between_two_boxes_has_its_element(view, cell):
    loss = small_loss(cell, 3)
    picture = tl.draw(loss, view, loss=True)
    boxes, arrows = picture.elements()
    graph = tl.Graph(loss)
    shown = {node for nodes in boxes.values() for node in nodes}
    assert {node for node in graph.nodes if not node.is_leaf} <= shown <= set(graph.nodes)
    assert all(any(x is each for each in node.inputs) for uses in arrows.values() for x, node in uses)
    homes = {node: id for id, nodes in boxes.items() for node in nodes if "@" not in id and not id.endswith(".out")}
    carried = {use for uses in arrows.values() for use in uses}
    crossing = {
        (x, node)
        for node in graph.nodes
        for x in node.inputs
        if not x.is_leaf and (homes[x] != homes[node] or (view == "rolled" and x.time != node.time))
    }
    assert crossing <= carried
    if view == "ops":
        assert carried == {(x, node) for node in graph.nodes for x in node.inputs}
    ids = set(re.findall(r'<g id="([^"]*)" class="(?:node|edge)', picture.svg))
    assert set(boxes) | set(arrows) <= ids

"""The figures of trained networks are those of the weights that stand in the results."""

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.studies import by_name, inside
from tinygrad_lstm.studies.runs import load, packaged


@pytest.fixture(scope="module")
def results():
    study = by_name("gradients")
    return [each for each in load(packaged(study), study)[1] if each.row["part"] == "inside"]


def test_each_network_is_shown_in_each_figure(results):
    sections = inside.sections(results)
    assert len(sections) == len(results) * len(inside.SHOWN) == 6
    assert all(each.figure.startswith("<svg") for each in sections)
    assert "Influence: LSTM, forget bias 1" in [each.title for each in sections]


def test_the_weights_are_those_of_a_network_that_solved_it(results):
    """At the end, after the last symbol, the answer of the LSTM is sure; that of the RNN is not."""
    solved = {each.row["cell"]: each.values["solved"] is not None for each in results}
    assert solved == {"RNN": False, "LSTM, forget bias 1": True}
    last = {}
    for each in results:
        graph = tl.Graph(inside.loss_at_every_step(each))
        parts = [node for node in graph.nodes if node.time == 21 and node.size == 1 and node.primitive.name == "neg"]
        last[each.row["cell"]] = parts[-1].item()
    assert last["LSTM, forget bias 1"] < 0.05 < last["RNN"]


def test_weights_come_back_as_they_were_but_for_rounding():
    found = inside.trained("RNN", 10, updates=1, rate=0.003)
    model = inside._made("RNN")
    assert {path: p.shape for path, p in model.named_parameters()} == {
        path: np.shape(weight) for path, weight in found["weights"].items()
    }

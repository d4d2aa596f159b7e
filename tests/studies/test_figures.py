"""What the studies of gradients, memories and gates say is what the networks do."""

import math
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.nn.cell import advance
from tinygrad_lstm.nn.lstm_cells import PeepholeLSTMCell
from tinygrad_lstm.studies import STUDIES, ablation, by_name, memory, reach, untied, updates
from tinygrad_lstm.studies.runs import load, packaged
from tinygrad_lstm.studies.tasks import temporal_order
from tinygrad_lstm.studies.trial import Reader
from tinygrad_lstm.studies.watched import felt, loss_at_the_end, of_one_length

OURS = ("gradients", "updates", "memory", "by-hand", "untied", "ablation")


@pytest.mark.parametrize("name", OURS)
def test_what_is_packaged_is_all_rows_and_is_told_in_figures_of_xml(name):
    study = by_name(name)
    _, results = load(packaged(study), study)
    assert [each.row for each in results] == study.rows()
    sections = study.report(results)
    assert sections
    assert study.report([]) == []
    for each in sections:
        assert each.title
        assert each.prose
        for svg in re.findall(r"<svg.*?</svg>", each.figure or "", re.DOTALL)[:1]:
            ET.fromstring(svg)
        if each.table:
            assert {len(row) for row in each.table.rows} == {len(each.table.head)}


def test_what_is_felt_is_the_gradient_of_each_h():
    model = Reader(tl.LSTMCell(8, 4, rng=0), 4, rng=0)
    loss = loss_at_the_end(model, of_one_length(temporal_order(10), 3, seed=0))
    hidden = [node for node in tl.Graph(loss).nodes if node.name == "h" and node.time is not None]
    norms = [np.linalg.norm(each.value) for each in tl.grad(loss, hidden)]
    np.testing.assert_allclose(felt(loss)["h"], norms, rtol=1e-12)


def test_the_forget_bias_decides_how_far_back_an_untrained_lstm_feels():
    left = []
    for bias in (0, 1, 3):
        norms = reach.over_the_gap(reach.CELLS[f"LSTM, forget bias {bias}"], 10, 1, 1)["before"]["h"][0]
        left.append(norms[0] / norms[-1])
    assert left == sorted(left)
    assert left[2] > 10 * left[0]


def test_a_cell_of_the_users_is_measured_like_ours():
    found = reach.over_the_gap(lambda D, H, rng: PeepholeLSTMCell(D, H, rng=rng), 10, 1, 1)
    assert set(found["before"]) == {"h", "c", "largest", "median"}


def test_a_linear_network_vanishes_and_explodes_by_its_radius():
    found = reach.by_radius(50, 2)
    slope = np.diff(np.log(found["linear"])) / np.diff(np.log(found["radii"]))
    np.testing.assert_allclose(slope, 50, rtol=0.02)
    assert all(tanh < linear for tanh, linear in zip(found["tanh"], found["linear"], strict=True))


def test_forgotten_and_written_make_the_net_change(rng):
    cell = tl.LSTMCell(8, 4, forget_bias=1.0, rng=0)
    drawn = of_one_length(temporal_order(10), 1, seed=0)
    changes = memory._changes("LSTM", Reader(cell, 4, rng=0), drawn)
    for net, forgotten, written in zip(changes["net"], changes["forgotten"], changes["written"], strict=True):
        assert abs(forgotten - written) * 0.99 <= net <= (forgotten + written) * 1.01
    np.testing.assert_allclose(
        changes["net"][3],
        np.linalg.norm(changes["state"][4] - changes["state"][3]) / np.linalg.norm(changes["state"][3]),
        rtol=0.01,
    )


def test_the_copies_add_up_to_the_shared_weight():
    found = untied.run(10)
    assert found["difference"] == 0
    np.testing.assert_allclose(np.sum(found["own"], axis=0), found["shared"], rtol=1e-2, atol=1e-6)
    assert abs(found["overwritten"]) < 1


def test_shares_by_distance_add_up_to_one():
    found = updates.run("RNN", 10, 2, 0.003)
    assert all(math.isclose(sum(shares), 1, rel_tol=0.01) for shares in found["shares"])
    assert len(found["changes"]) == 2


@pytest.mark.parametrize("without", ablation.WITHOUT)
def test_every_ablated_cell_has_right_gradients_and_lacks_the_part(without):
    cell = ablation.AblatedLSTMCell(2, 3, without=without, rng=0)
    names = {path.split(".")[0] for path, _ in cell.named_parameters()}
    assert without.replace(" ", "_") not in names
    assert tl.testing.check_cell(cell, steps=2).verdict.value == "PASS"


def test_whole_and_coupled_they_are_the_cells_of_ours(rng):
    pairs = (
        ("nothing", PeepholeLSTMCell(2, 3, diagonal=True, rng=0)),
        ("peepholes", tl.LSTMCell(2, 3, rng=0)),
        ("own forget gate", PeepholeLSTMCell(2, 3, diagonal=True, coupled=True, rng=0)),
    )
    for without, ours in pairs:
        cell = ablation.AblatedLSTMCell(2, 3, without=without, rng=1)
        cell.load_state_dict(ours.state_dict())
        x, state = tl.tensor(rng.normal(size=(1, 2))), tuple(tl.tensor(rng.normal(size=(1, 3))) for _ in "hc")
        for mine, theirs in zip(advance(cell, x, state), advance(ours, x, state), strict=True):
            np.testing.assert_allclose(mine.value, theirs.value, rtol=1e-14)


def test_a_part_that_there_is_not_cannot_be_taken_away():
    with pytest.raises(ValueError, match=r"without must be one of nothing, input gate, .*, not 'memory'"):
        ablation.AblatedLSTMCell(2, 3, without="memory")


def test_they_are_listed():
    assert set(OURS) <= STUDIES.keys()


def test_a_memory_that_bridges_nothing_may_be_rewritten_and_one_that_bridges_is_not():
    """What the page of the study says of its packaged results."""
    study = by_name("memory")
    _, results = load(packaged(study), study)
    net = {
        tuple(each.row[name] for name in ("task", "cell", "forget_bias", "gap")): np.mean(
            [one[1:] for one in each.values["net"]]
        )
        for each in results
    }
    assert net["words", "LSTM", 1.0, 0] > 0.8
    assert 0.25 < net["letters", "LSTM", 1.0, 0] < 0.4
    assert net["words", "RNN", None, 0] > 1
    assert net["temporal-order", "LSTM", 3.0, 50] < 0.2 < 0.8 < net["temporal-order", "LSTM", 0.0, 50]

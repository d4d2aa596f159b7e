"""The network as data: what is shared, left open, and told. Chromium computes it in ``tests/browser``."""

import json

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.nn.samples import small_loss
from tinygrad_lstm.stepper.web.network import PageNetwork
from tinygrad_lstm.stepper.web.packing import packed, written_index


def data(output):
    return PageNetwork(tl.Graph(output)).data()


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_a_longer_run_needs_no_more_code(cell):
    """But that of what joins all steps, whose parts are listed."""
    short, long = (data(small_loss(cell, steps)) for steps in (4, 12))
    assert len(short["codes"]) == len(long["codes"])
    assert len(json.dumps(long["nodes"])) < 3.5 * len(json.dumps(short["nodes"]))


def test_an_embedding_shares_one_code_and_each_step_has_its_index():
    rows = tl.tensor(np.ones((5, 2)), requires_grad=True)
    made = data(rows[np.array([1, 3])].sum() + rows[np.array([0, 0])].sum() + rows[1].sum())
    names = [[step[0] for step in code["forward"]["do"]] for code in made["codes"]]
    assert names.count(["getitem"]) == 1
    own = [row[4] for row in made["nodes"] if len(row) > 4]
    assert {"index": {"at": [0, 1, 0, 1], "shape": [2, 2]}} in own
    assert {"index": [1]} in own


@pytest.mark.parametrize(
    ("index", "shape"),
    [
        (np.array([True, False, True]), (3, 2)),
        ((slice(None), [1, 0]), (2, 3)),
        ((np.array([[0], [1]]), np.array([1, 0])), (2, 2)),
    ],
)
def test_arrays_in_an_index_are_the_places_they_name(index, shape):
    there = np.arange(np.prod(shape)).reshape(shape)[index]
    assert written_index(index, shape) == {"at": there.ravel().tolist(), "shape": list(there.shape)}


@pytest.mark.parametrize("number", [0.1, -0.0, 1e300, np.nan, np.inf, -np.inf])
def test_one_number_is_itself(number):
    told = json.loads(json.dumps(packed(np.float64(number)), allow_nan=False))
    assert np.array_equal(float(told), number, equal_nan=True)


@pytest.mark.parametrize(
    ("forward", "why"),
    [
        (lambda x: np.sort(x), "sort"),
        (lambda x: np.cumprod(x[..., None], axis=-1)[..., 0], "cumprod"),
        (lambda x: np.array([float(v) for v in x]), "numbers out"),
        (lambda x: x if x.sum() > 0 else -x, "goes by the numbers"),
        (lambda x: np.spacing(x), "spacing"),
        (lambda x: x + np.random.default_rng().normal(size=x.shape), "something else"),
    ],
)
def test_what_cannot_be_read_is_told_with_the_reason(forward, why):
    own = tl.primitive("own", forward, lambda g, y, x: (g,))
    network = PageNetwork(tl.Graph(own(tl.tensor([0.5, -1.0], requires_grad=True)).sum()))
    codes = network.data()["codes"]
    assert why in network.unread["own"]
    assert any("recorded" in code["forward"] for code in codes)


def test_truths_are_joined_as_truths():
    own = tl.primitive("both", lambda x: ((x > 0) & ~(x > 1)) * x, lambda g, y, x: (g,))
    network = PageNetwork(tl.Graph(own(tl.tensor([0.5, -1.0], requires_grad=True)).sum()))
    names = [step[0] for step in network.data()["codes"][0]["forward"]["do"]]
    assert {"logical_and", "logical_not"} <= set(names)
    assert network.unread == {}


def test_nothing_in_a_page_depends_on_when_it_was_made():
    assert data(small_loss("gru", 3)) == data(small_loss("gru", 3))

"""The gradient of a shared weight is the sum of what T weights of their own would get: that is what += is for."""

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.nn.cells import CELLS
from tinygrad_lstm.studies.copies import Chain, copies


def pair(name, times=5):
    cell, head = CELLS[name](3, 4, rng=0), tl.Linear(4, 2, rng=1)
    return Chain([cell] * times, head), Chain(copies(cell, times), head)


@pytest.mark.parametrize("name", CELLS)
def test_the_gradients_of_the_copies_add_up_to_that_of_the_shared_weight(name, rng):
    xs, classes = rng.normal(size=(5, 2, 3)), [0, 1]
    tied, untied = pair(name)
    loss, other = tied.loss(xs, classes), untied.loss(xs, classes)
    assert loss.item() == other.item()
    shared = dict(zip(dict(tied.cell.named_parameters()), tl.grad(loss, tied.cell.parameters()), strict=True))
    own = [
        dict(zip(dict(cell.named_parameters()), tl.grad(other, cell.parameters(), allow_unused=True), strict=True))
        for cell in untied.copies
    ]
    for path, gradient in shared.items():
        parts = [each[path].value for each in own]
        assert not np.array_equal(parts[-1], parts[0])
        total = parts[-1]
        for part in parts[-2::-1]:
            total = total + part  # the last step first, as the walk meets them
        np.testing.assert_array_equal(total, gradient.value)


def test_the_ledger_of_the_shared_weight_has_a_line_for_each_copy(rng):
    xs, classes = rng.normal(size=(5, 2, 3)), [0, 1]
    tied, untied = pair("rnn")
    lines = tl.step(tied.loss(xs, classes)).ledger(tied.cell.layer.weight).by_time()
    gradients = tl.grad(untied.loss(xs, classes), [cell.layer.weight for cell in untied.copies])
    assert list(lines) == [4, 3, 2, 1, 0]
    for t, gradient in enumerate(gradients):
        np.testing.assert_array_equal(lines[t], gradient.value)

"""A program that was recorded at two small sizes is right at others: one step, one sequence, many; on other data."""

import numpy as np
import pytest

import tinygrad_lstm as tl
from tests.program.agreement import to_rounding, unlike_compiled
from tests.program.networks import ATLAS, D, H, drawn

SIZES = [(1, 1), (2, 5), (9, 1), (1, 3), (6, 4)]


def lstm(**options):
    return tl.LSTM(D, H, rng=0, **options)


def kinked():
    W, U = drawn(D, H, name="W"), drawn(H, H, name="U", seed=1)

    def f(x):
        h, total = tl.tensor(np.zeros((x.shape[1], H))), 0
        for t in range(len(x)):
            h = tl.relu(x[t] @ W + h @ U - 0.1)
            total = total + tl.where(h.value > 0.3, h, tl.abs(x[t] @ W)).sum()
        return total

    return f, [W, U]


LAYERS = {
    "lstm": lambda: lstm(),
    "gru": lambda: tl.GRU(D, H, rng=0),
    "reset before": lambda: tl.GRU(D, H, rng=0, reset_after=False),
    "relu": lambda: tl.RNN(D, H, nonlinearity="relu", rng=0),
    "two layers": lambda: lstm(num_layers=2),
    "both directions": lambda: lstm(bidirectional=True),
    "projection": lambda: lstm(proj_size=2),
    "batch first": lambda: lstm(batch_first=True),
    "float32": lambda: lstm(dtype="float32"),
    "H = D": lambda: tl.LSTM(3, 3, rng=0),
    "layer norm": lambda: tl.nn.Recurrent(tl.LSTMCell(D, H, layer_norm=True, rng=0)),
    "diagonal peepholes": lambda: tl.nn.Recurrent(tl.PeepholeLSTMCell(D, H, diagonal=True, rng=0)),
    "dropout, but not in training": lambda: lstm(num_layers=2, dropout=0.5).eval(),
    **{name: lambda cell=cell: tl.nn.Recurrent(cell(D, H, rng=0)) for name, cell in ATLAS.items()},
}
FEW = ["lstm", "gru", "relu", "both directions", "float32"]


def differing(layer, optimize, sizes):
    fast = tl.compile(layer, optimize=optimize)
    dtype = layer.parameters()[0].dtype
    found = {}
    for seed, (steps, batch) in enumerate(sizes):
        shape = (batch, steps, D) if layer.batch_first else (steps, batch, D)
        x = drawn(*shape, name="x", seed=seed, dtype=dtype)
        found[steps, batch] = unlike_compiled(fast, layer, [x], [x, *layer.parameters()], to_rounding)
    assert "not compiled" not in fast.explain()
    assert len(fast.explain().splitlines()) == 1
    return {size: names for size, names in found.items() if names}


@pytest.mark.parametrize("optimize", [0, 3])
@pytest.mark.parametrize("name", FEW)
def test_a_layer(name, optimize):
    assert differing(LAYERS[name](), optimize, SIZES[:3]) == {}


@pytest.mark.slow
@pytest.mark.parametrize("optimize", [0, 1, 2, 3])
@pytest.mark.parametrize("name", LAYERS)
def test_every_layer(name, optimize):
    assert differing(LAYERS[name](), optimize, SIZES) == {}


def test_given_states():
    layer = lstm()
    fast = tl.compile(layer)
    for steps, batch in SIZES:
        x, state = drawn(steps, batch, D), tuple(drawn(1, batch, H, seed=seed) for seed in (1, 2))
        wrt = [x, *state, *layer.parameters()]
        assert unlike_compiled(fast, layer, [x, state], wrt, to_rounding) == []
    assert "not compiled" not in fast.explain()


def test_one_sequence_without_a_batch():
    layer = lstm()
    fast = tl.compile(layer)
    for steps in (1, 2, 7):
        x = drawn(steps, D)
        assert unlike_compiled(fast, layer, [x], [x, *layer.parameters()], to_rounding) == []
    assert "not compiled" not in fast.explain()


@pytest.mark.parametrize("optimize", [0, 2, 3])
def test_a_loss_of_a_head_on_a_layer(optimize):
    layer, head = lstm(), tl.Linear(H, 2, rng=0)

    def loss(x, wanted):
        output, _ = layer(x)
        error = head(output) - wanted
        return (error * error).mean()

    fast, learned = tl.compile(loss, optimize=optimize), [*layer.parameters(), *head.parameters()]
    for steps, batch in SIZES:
        x, wanted = drawn(steps, batch, D, name="x"), drawn(steps, batch, 2, learns=False)
        assert unlike_compiled(fast, loss, [x, wanted], [x, *learned], to_rounding) == []
    assert "not compiled" not in fast.explain()


def test_the_one_program_is_that_of_all_sizes():
    layer = lstm()
    assert str(tl.source(layer, np.ones((2, 2, D)))) == str(tl.source(layer, np.ones((50, 7, D))))


def test_arguments_are_called_as_the_function_calls_them_unless_the_program_says_that_itself():
    w = drawn(D, H, name="w")

    def f(t, np, D):
        return tl.tanh(t @ w).sum() * np.sum() + (D * D).sum()

    program = tl.source(f, drawn(4, 2, D), drawn(4, 2, 1, seed=1), drawn(2, 3, seed=2))
    assert list(program.arguments)[:3] == ["t_", "np_", "D"]
    given = [drawn(5, 1, D, seed=4), drawn(5, 1, 1, seed=5), drawn(1, 3, seed=6)]
    value, _ = program(t_=given[0].value, np_=given[1].value, D=given[2].value)
    assert value == f(*given).item()


@pytest.mark.parametrize("optimize", range(4))
def test_two_sequences_of_other_lengths_are_not_one_that_is_longer(optimize):
    w = drawn(H, H, name="w")

    def last(xs):
        h = tl.tensor(np.zeros((xs.shape[1], H)))
        for t in range(len(xs)):
            h = tl.tanh(xs[t] + h @ w)
        return h

    def f(xs, zs):
        return last(xs) * zs[len(zs) - 1] + last(zs[::-1]) / len(zs)

    fast = tl.compile(f, optimize=optimize)
    for steps, others in [(5, 7), (3, 9), (9, 3), (4, 4), (1, 1)]:
        xs, zs = drawn(steps, 2, H, name="xs"), drawn(others, 2, H, name="zs", seed=1)
        assert unlike_compiled(fast, f, [xs, zs], [xs, zs, w], to_rounding) == []
    assert "not compiled" not in fast.explain()

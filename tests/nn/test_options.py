"""Every option of recurrent layers, alone and in pairs, against the equations in numpy; and what each refuses."""

import copy
import itertools
import pickle
import re

import numpy as np
import pytest

import tinygrad_lstm as tl
from tests.nn.longhand import sigmoid, unrolled
from tinygrad_lstm.nn.cell import as_state, state_parts

T, N, D, H = 3, 2, 2, 3


def softsign(a):
    return a / (1 + abs(a))


FUNCTIONS = {tl.sigmoid: sigmoid, tl.tanh: np.tanh, tl.relu: lambda a: np.maximum(a, 0), softsign: softsign}
"""Ours → numpy's."""

LAYER = {
    "layers": {"num_layers": 2},
    "directions": {"bidirectional": True},
    "batch_first": {"batch_first": True},
    "dropout": {"num_layers": 2, "dropout": 0.5},
}
CELL = {"no bias": {"bias": False}, "layer_norm": {"layer_norm": True}, "clip": {"clip": 0.2}}
OPTIONS = {
    tl.RNN: {
        **LAYER,
        **CELL,
        "relu": {"nonlinearity": "relu"},
        "another function": {"nonlinearity": softsign},
    },
    tl.LSTM: {
        **LAYER,
        **CELL,
        "forget_bias": {"forget_bias": -2.0},
        "proj_size": {"proj_size": 2},
        "full peephole": {"peephole": "full"},
        "diagonal peephole": {"peephole": "diagonal"},
        "coupled": {"coupled": True},
        "activations": {"activations": (softsign, tl.relu, tl.sigmoid)},
    },
    tl.GRU: {
        **LAYER,
        **CELL,
        "reset before": {"reset_after": False},
        "activations": {"activations": (softsign, tl.relu)},
    },
}
CALLS = {"lengths": {"lengths": [1, 3]}, "a state": {"state": True}}
"""What is said when a layer is called."""

EXCLUDED = [{"no bias", "forget_bias"}, {"full peephole", "diagonal peephole"}, {"relu", "another function"}]

PAIRS = [
    (kind, pair)
    for kind, options in OPTIONS.items()
    for pair in itertools.combinations([*options, *CALLS], 2)
    if set(pair) not in EXCLUDED
]


def made(kind, *names):
    """A layer with these options, all its parameters random, and how it is to be called."""
    how = {"rng": 0}
    for name in names:
        how |= OPTIONS[kind].get(name, {})
    layer = kind(D, H, **how)
    rng = np.random.default_rng(1)
    for parameter in layer.parameters():
        parameter.value = parameter.value + 0.3 * rng.normal(size=parameter.shape)
    call = {key: value for name in names for key, value in CALLS.get(name, {}).items()}
    if call.pop("state", False):
        parts = [rng.normal(size=(len(layer.cells), N, size)) for size in layer.cells[0].state_sizes]
        call["state"] = as_state(tuple(map(tl.tensor, parts)))
    xs = rng.normal(size=(T, N, D))
    return layer, xs, call, how


def called(layer, xs, call):
    """Outputs (T, N, ...), and each part of the last state."""
    output, state = layer(xs.swapaxes(0, 1) if layer.batch_first else xs, **call)
    output = output.value.swapaxes(0, 1) if layer.batch_first else output.value
    return [output, *(part.value for part in state_parts(layer.cells[0], state))]


def longhand(layer, xs, call, how):
    """The same in numpy."""
    given = how.get("activations", ())
    if isinstance(layer, tl.RNN):
        given = ({"tanh": tl.tanh, "relu": tl.relu}.get(how.get("nonlinearity", "tanh"), how.get("nonlinearity")),)
    said = {"activations": tuple(FUNCTIONS[function] for function in given)} if given else {}
    state = [part.value for part in state_parts(layer.cells[0], call["state"])] if "state" in call else None
    return unrolled(layer, xs, state, call.get("lengths"), clip=how.get("clip"), **said)


@pytest.mark.parametrize(("kind", "pair"), PAIRS, ids=lambda part: " and ".join(part) if type(part) is tuple else None)
def test_every_pair_of_options_is_its_equations(kind, pair):
    layer, xs, call, how = made(kind, *pair)
    layer.eval()  # without dropout, which is random
    for ours, exact in zip(called(layer, xs, call), longhand(layer, xs, call, how), strict=True):
        np.testing.assert_allclose(ours, exact, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in OPTIONS for name in OPTIONS[kind]])
def test_each_option_changes_the_result(kind, name):
    """Beside a layer of the same seed, without it."""
    how = OPTIONS[kind][name]
    layer, plain = kind(D, H, rng=0, **how), kind(D, H, num_layers=how.get("num_layers", 1), rng=0)
    if "num_layers" in how and name != "dropout":
        plain = kind(D, H, rng=0)
    for each in (layer, plain):
        for path, parameter in each.named_parameters():
            parameter.value = parameter.value + (0.5 if path.endswith("bias") else 0)
    xs = np.random.default_rng(0).normal(size=(T, N, D))
    ours, without = layer(xs)[0].value, plain(xs)[0].value
    assert ours.shape != without.shape or abs(ours - without).max() > 1e-3


@pytest.mark.parametrize("kind", OPTIONS)
@pytest.mark.parametrize("without", [("relu", "full peephole"), ("another function", "diagonal peephole", "clip")])
def test_gradients_with_all_options_agree_with_the_complex_step(kind, without):
    """All at once, but for those that exclude each other."""
    names = [name for name in [*OPTIONS[kind], *CALLS] if name not in (*without, "no bias", "dropout", "layers")]
    layer, xs, call, _ = made(kind, *names)
    given = state_parts(layer.cells[0], call["state"])
    report = tl.testing.check_vjp(
        lambda xs, *state: layer(xs, as_state(state), lengths=call["lengths"]),
        xs.swapaxes(0, 1),
        *given,
        parameters=layer.parameters(),
        directions=1,
    )
    assert len(report.errors) == 1 + len(given) + len(layer.parameters())
    assert report.worst < 1e4


def test_the_gates_have_a_bias_or_not():
    for kind in OPTIONS:
        with_bias, without = kind(2, 3, rng=0), kind(2, 3, bias=False, rng=0)
        names = [name for name, _ in with_bias.named_parameters()]
        assert [name for name, _ in without.named_parameters()] == [name for name in names if "bias" not in name]


@pytest.mark.parametrize("kind", OPTIONS)
def test_a_float32_layer_with_all_options_computes_in_float32(kind):
    names = [name for name in OPTIONS[kind] if name not in ("relu", "full peephole", "no bias")]
    how = {key: value for name in names for key, value in OPTIONS[kind][name].items()}
    layer = kind(D, H, **how, rng=0, dtype=np.float32)
    output, state = layer(np.ones((N, T, D)), lengths=[1, 3])
    (output.sum() + sum(part.sum() for part in state_parts(layer.cells[0], state))).backward()
    assert {each.dtype for each in (output, *layer.parameters())} == {np.dtype(np.float32)}
    assert {parameter.grad.dtype for parameter in layer.parameters()} == {np.dtype(np.float32)}


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))])
def test_a_copy_of_a_layer_with_options_is_its_own(copied):
    layer = tl.LSTM(D, H, 2, layer_norm=True, clip=1.0, peephole="diagonal", proj_size=2, dropout=0.2, rng=0).eval()
    other, xs = copied(layer), np.ones((T, N, D))
    np.testing.assert_array_equal(layer(xs)[0].value, other(xs)[0].value)
    for parameter in other.parameters():
        parameter.value = 0 * parameter.value
    assert abs(layer(xs)[0].value).max() > 0 == abs(other(xs)[0].value).max()


def test_layers_say_how_they_were_made():
    assert repr(tl.LSTM(2, 4, 2, proj_size=3, batch_first=True, dropout=0.25)) == (
        "LSTM(2 → 3, layers=2, batch_first, dropout=0.25)"
    )
    assert repr(tl.GRU(2, 3, bidirectional=True)) == "GRU(2 → 3, bidirectional)"
    assert repr(tl.nn.Recurrent.__new__(tl.nn.Recurrent)) == "Recurrent(? → ?)"


# Dropout between layers


def test_dropout_between_layers_is_seeded_and_stops_with_training():
    layer, other, plain = (tl.GRU(2, 50, 2, dropout=p, rng=7) for p in (0.5, 0.5, 0.0))
    xs = np.random.default_rng(0).normal(size=(3, 4, 2))
    first, second = layer(xs)[0].value, layer(xs)[0].value
    np.testing.assert_array_equal(first, other(xs)[0].value)
    assert (first != second).any()
    np.testing.assert_array_equal(layer.eval()(xs)[0].value, plain(xs)[0].value)
    assert (layer.train()(xs)[0].value != plain(xs)[0].value).any()


def test_dropout_acts_on_each_step_between_layers_only():
    """Anew at each step, in its time, and not on what comes out on top."""
    layer = tl.RNN(2, 40, 3, dropout=0.5, bidirectional=True, rng=0)
    output, _ = layer(tl.tensor(np.ones((3, 2, 2)), name="xs"))
    masks = {node for node in tl.Graph(output).nodes if node.name == "mask"}
    assert [mask.shape for mask in masks] == [(2, 80)] * 6
    assert len({mask.value.tobytes() for mask in masks}) == 6
    users = [node for node in tl.Graph(output).nodes if masks & set(node.inputs)]
    assert sorted((node.time, node.scope) for node in users) == [(t, ("dropout",)) for t in range(3) for _ in range(2)]
    assert (output.value != 0).all()


def test_a_part_of_ones_own_may_be_called_dropout_where_there_is_none_between_layers():
    layer = tl.LSTM(2, 3, rng=0)
    layer.dropout = tl.Linear(3, 3, rng=0)
    assert layer(np.ones((2, 2)))[0].shape == (2, 3)
    layer = tl.LSTM(2, 3, 2, dropout=0.5, rng=0)
    layer.dropout = tl.nn.Dropout(0.1, rng=0)
    with pytest.raises(TypeError, match=r"LSTM\.dropout: "):
        layer.dropout = tl.Linear(3, 3, rng=0)


# What is refused


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: tl.LSTM(2, 3, dropout=0.5), ValueError, "dropout=0.5 acts between layers, and there is one"),
        (lambda: tl.LSTM(2, 3, 2, dropout=1), ValueError, "dropout must be in [0, 1), not 1"),
        (lambda: tl.GRU(2, 3, 2, dropout=-0.1), ValueError, "dropout must be in [0, 1), not -0.1"),
        (lambda: tl.RNN(2, 3, 2, dropout=np.nan), ValueError, "dropout must be in [0, 1), not nan"),
        (lambda: tl.RNN(2, 3, dropout="much"), TypeError, "dropout must be a number, not 'much'"),
        (lambda: tl.RNN(2, 3, 0), ValueError, "num_layers must be a positive whole number, not 0"),
        (lambda: tl.LSTM(2, 3, bias=None), TypeError, "bias must be True or False, not None"),
        (lambda: tl.LSTM(2, 3, bidirectional="no"), TypeError, "bidirectional must be True or False, not 'no'"),
        (lambda: tl.LSTM(2, 3, batch_first=1), TypeError, "batch_first must be True or False, not 1"),
        (lambda: tl.LSTM(2, 3, coupled="yes"), TypeError, "coupled must be True or False, not 'yes'"),
        (lambda: tl.LSTM(2, 3, layer_norm=1e-5), TypeError, "layer_norm must be True or False, not 1e-05"),
        (lambda: tl.GRU(2, 3, reset_after=0), TypeError, "reset_after must be True or False, not 0"),
        (lambda: tl.PeepholeLSTMCell(2, 3, diagonal=1), TypeError, "diagonal must be True or False, not 1"),
        (lambda: tl.LSTM(2, 3, proj_size=3), ValueError, "proj_size must be 0, for none, or a whole number below hidd"),
        (lambda: tl.LSTM(2, 3, proj_size=1.5), ValueError, "proj_size must be 0, for none, or a whole number below hi"),
        (lambda: tl.LSTM(2, 3, clip=0), ValueError, "clip must be positive and finite, not 0"),
        (lambda: tl.RNN(2, 3, clip=np.inf), ValueError, "clip must be positive and finite, not inf"),
        (lambda: tl.GRU(2, 3, clip="3"), TypeError, "clip must be a number, not '3'"),
        (lambda: tl.LSTM(2, 3, peephole=True), ValueError, "peephole must be False, 'full' or 'diagonal', not True"),
        (lambda: tl.LSTM(2, 3, bias=False, forget_bias=0), ValueError, "forget_bias=0 is what a bias begins with, and"),
        (lambda: tl.LSTM(2, 3, activations=tl.tanh), TypeError, "activations must be 3 functions of a tensor, such as"),
        (lambda: tl.GRU(2, 3, activations=("tanh", "tanh")), TypeError, "activations must be 2 functions of a tensor,"),
        (lambda: tl.nn.Gate(2, "tanh", "g", hidden_size=3), TypeError, "activation must be a function of a tensor, n"),
        (lambda: tl.RNN(2, 3, nonlinearity=3), ValueError, "nonlinearity must be 'tanh' or 'relu', or a function of a"),
    ],
)
def test_an_option_that_is_none_is_refused_in_a_line(make, error, words):
    with pytest.raises(error, match=re.escape(words)) as refused:
        make()
    assert "\n" not in str(refused.value)


def test_a_state_of_the_wrong_count_or_size_is_refused_with_a_projection():
    layer, xs = tl.LSTM(2, 3, proj_size=1, rng=0), np.ones((4, 2, 2))
    h, c = tl.tensor(np.ones((1, 2, 1))), tl.tensor(np.ones((1, 2, 3)))
    assert layer(xs, (h, c))[0].shape == (4, 2, 1)
    wanted = "h of shape (layers·directions=1, N=2, H=1), c of shape (layers·directions=1, N=2, H=3)"
    for state in (h, (h,), (h, c, c), (c, h), (c, c)):
        with pytest.raises(tl.ShapeError, match=re.escape(wanted)):
            layer(xs, state)


# Cells of one's own


class Leaky(tl.nn.Cell):
    """h shows the first numbers of a larger memory c."""

    state_names = ("h", "c")

    def __init__(self, size, shown, kept):
        super().__init__(size, kept, state_sizes=(shown, kept))
        self.layer = tl.Linear(size + shown, kept, rng=size)

    def forward(self, x, state):
        h, c = state
        c = 0.5 * c + tl.tanh(self.layer(tl.concat([h, x], axis=-1)))
        return c[..., : h.shape[-1]], c


def test_a_cell_of_ones_own_takes_the_options_of_layers(rng):
    """h and c of different sizes, layers, both directions, the batch first, lengths, dropout."""
    cells = [Leaky(size, 2, 5) for size in (3, 3, 4, 4)]
    layer = tl.nn.Recurrent(*cells, bidirectional=True, batch_first=True, dropout=0.5, rng=0)
    xs = rng.normal(size=(2, 4, 3))
    output, (h_n, c_n) = layer(xs, lengths=[4, 2])
    assert (output.shape, h_n.shape, c_n.shape) == ((2, 4, 4), (4, 2, 2), (4, 2, 5))
    assert (output.value[1, 2:] == 0).all()
    np.testing.assert_array_equal(output.value[1, 1, :2], h_n.value[2, 1])
    layer.eval()
    alone, _ = layer(xs[1:, :2])
    np.testing.assert_allclose(layer(xs, lengths=[4, 2])[0].value[1:, :2], alone.value, rtol=1e-12)
    with pytest.raises(ValueError, match="layer1 keeps h, c of size 2 and 4, layer0 keeps h, c of size 2 and 5"):
        tl.nn.Recurrent(Leaky(3, 2, 5), Leaky(2, 2, 4))
    with pytest.raises(ValueError, match="layer1 reads h of layer0, so its input_size must be 2, not 5"):
        tl.nn.Recurrent(Leaky(3, 2, 5), Leaky(5, 2, 5))


def test_a_cell_with_states_of_different_sizes_is_checked(rng):
    assert tl.testing.check_cell(Leaky(3, 2, 4), steps=3).verdict is tl.testing.Verdict.PASS
    assert tl.testing.check_cell(tl.LSTMCell(3, 4, proj_size=2, rng=0), steps=3).verdict is tl.testing.Verdict.PASS


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((2,), "state_sizes must be a size for each of h, c, not (2,)"),
        (3, "state_sizes must be a size for each of h, c, not 3"),
        ((0, 2), "the size of h must be a positive whole number, not 0"),
    ],
)
def test_sizes_of_a_state_that_are_none(given, words):
    class Pair(tl.nn.Cell):
        state_names = ("h", "c")

    with pytest.raises(ValueError, match=re.escape(words)):
        Pair(2, 3, state_sizes=given)


@pytest.mark.parametrize(
    ("returned", "error", "words"),
    [
        (lambda h: (h, h), tl.ShapeError, "what forward returns must be h; got 2 tensor(s)"),
        (lambda h: None, TypeError, "what forward returns must be h; h must be a Tensor, not NoneType"),
        (lambda h: h.value, TypeError, "what forward returns must be h; h must be a Tensor, not ndarray"),
        (lambda h: h[0], tl.ShapeError, "what forward returns: h has shape (3,); for x of shape (N=4, D=2) it must be"),
        (lambda h: tl.concat([h, h], axis=-1), tl.ShapeError, "h has shape (N=4, H=6); for x of shape (N=4, D=2)"),
    ],
)
def test_what_a_cell_of_ones_own_returns_is_looked_at(returned, error, words):
    class Own(tl.nn.Cell):
        def forward(self, x, h):
            return returned(h)

    with pytest.raises(error, match="Own at t=0: ") as refused:
        tl.nn.Recurrent(Own(2, 3))(np.ones((5, 4, 2)))
    assert words in str(refused.value)


# Truncated backpropagation through time


def test_a_detached_state_keeps_its_numbers_and_its_time_and_sends_no_gradient(rng):
    layer, windows = tl.LSTM(2, 3, rng=0), rng.normal(size=(3, 4, 1, 2))
    whole, _ = layer(np.concatenate(windows))
    state, outputs, first = None, [], tl.tensor(windows[0], requires_grad=True)
    for window in (first, *map(tl.tensor, windows[1:])):
        output, state = layer(window, state)
        assert [node.time for node in (output.inputs[0], output.inputs[-1])] == [len(outputs), len(outputs) + 3]
        outputs += output.value.tolist()
        state = tl.nn.detach(state)
    np.testing.assert_allclose(outputs, whole.value, rtol=1e-12)
    output.sum().backward()
    assert first.grad is None
    assert all(part.is_leaf and not part.requires_grad for part in state)


def test_detach_takes_states_at_any_depth_and_nothing_else():
    x = tl.tensor([1.0], name="h")
    y = tl.tanh(x)
    y.name = "c"
    nested = tl.nn.detach([(x, y), x])
    assert [part.name for part in (*nested[0], nested[1])] == ["h", "c", "h"]
    for wrong in (None, np.ones(2), "h"):
        with pytest.raises(TypeError, match=f"a tensor or a tuple of them, not {type(wrong).__name__}"):
            tl.nn.detach(wrong)

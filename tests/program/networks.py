"""Networks whose programs are tried: each returns a loss, and the tensors it is differentiated by."""

import numpy as np

import tinygrad_lstm as tl
from tinygrad_lstm.nn import atlas
from tinygrad_lstm.nn.cells import CELLS

T, N, D, H = 5, 2, 3, 4


def drawn(*shape, name=None, dtype="float64", seed=0, learns=True):
    numbers = np.random.default_rng([seed, *shape]).normal(size=shape)
    return tl.tensor(numbers.astype(dtype), requires_grad=learns, name=name)


def layered(layer, xs=None, *state, **details):
    """A layer, and a loss in which every number of its outputs counts."""
    xs = drawn(T, N, D, name="x") if xs is None else xs
    output, ends = layer(xs, *state, **details)
    parts = [output, *(ends if isinstance(ends, tuple) else (ends,))]
    loss = sum((part * part * drawn(*part.shape, dtype=part.dtype, learns=False)).sum() for part in parts)
    given = [x for each in state for x in (each if isinstance(each, tuple) else (each,))]
    return loss, [xs, *given, *layer.parameters()]


ATLAS = {
    name: cell for name, cell in vars(atlas).items() if isinstance(cell, type) and issubclass(cell, tl.nn.Cell)
} | CELLS

LAYERS = {
    "two layers": lambda: layered(tl.LSTM(D, H, num_layers=2, rng=0)),
    "both directions": lambda: layered(tl.GRU(D, H, bidirectional=True, rng=0)),
    "two layers, both directions": lambda: layered(tl.LSTM(D, H, num_layers=2, bidirectional=True, rng=0)),
    "lengths": lambda: layered(tl.LSTM(D, H, rng=0), lengths=[5, 3]),
    "lengths, both directions": lambda: layered(tl.GRU(D, H, bidirectional=True, rng=0), lengths=[2, 5]),
    "batch first": lambda: layered(tl.LSTM(D, H, batch_first=True, rng=0), drawn(N, T, D, name="x")),
    "projection": lambda: layered(tl.LSTM(D, H, proj_size=2, rng=0)),
    "layer norm": lambda: layered(tl.nn.Recurrent(tl.LSTMCell(D, H, layer_norm=True, rng=0))),
    "dropout": lambda: layered(tl.LSTM(D, H, num_layers=2, dropout=0.5, rng=0)),
    "unbatched": lambda: layered(tl.LSTM(D, H, rng=0), drawn(T, D, name="x")),
    "given states": lambda: layered(tl.LSTM(D, H, rng=0), None, (drawn(1, N, H, name="h0"), drawn(1, N, H, seed=1))),
    "float32": lambda: layered(tl.LSTM(D, H, rng=0, dtype="float32"), drawn(T, N, D, dtype="float32", name="x")),
    "D = H = N": lambda: layered(tl.LSTM(2, 2, rng=0), drawn(T, 2, 2, name="x")),
    "one step": lambda: layered(tl.LSTM(D, H, rng=0), drawn(1, N, D, name="x")),
    "two steps": lambda: layered(tl.GRU(D, H, rng=0), drawn(2, N, D, name="x")),
    "diagonal peepholes": lambda: layered(tl.nn.Recurrent(tl.PeepholeLSTMCell(D, H, diagonal=True, rng=0))),
}

OWN = {}


def own(f):
    OWN[f.__name__] = f
    return f


def weights(**shapes):
    return [drawn(*shape, name=name, seed=i) for i, (name, shape) in enumerate(shapes.items())]


@own
def a_head_in_the_loop():
    W, U, V = weights(W=(D, H), U=(H, H), V=(H, 2))
    x, wanted, h, total = drawn(T, N, D, name="x"), drawn(T, N, 2, learns=False).value, tl.tensor(np.zeros((N, H))), 0
    for t in range(T):
        h = tl.tanh(x[t] @ W + h @ U)
        error = h @ V - wanted[t]
        total = total + (error * error).sum()
    return total / T, [x, W, U, V]


@own
def a_first_step_unlike_the_others():
    W, U = weights(W=(D, H), U=(H, H))
    x, h, losses = drawn(T, N, D, name="x"), None, []
    for t in range(T):
        a = x[t] @ W
        if h is not None:
            a = a + h @ U
        h = tl.tanh(a)
        losses.append((h * h).sum())
    return sum(losses) / len(losses), [x, W, U]


@own
def rows_of_a_table():
    (E,) = weights(E=(7, D))
    cell, ids, h = tl.GRUCell(D, H, rng=0), np.random.default_rng(0).integers(0, 7, (T, N)), None
    for t in range(T):
        h = cell(tl.take(E, ids[t]), h)
    return (h * h).sum(), [E, *cell.parameters()]


@own
def a_skip_of_two_steps():
    W, U = weights(W=(D, H), U=(H, H))
    x, a = drawn(T, N, D, name="x"), tl.tensor(np.zeros((N, H)))
    b = a
    for t in range(T):
        a, b = tl.tanh(x[t] @ W + a @ U + b * 0.5), a
    return (a * a).sum(), [x, W, U]


@own
def attention_over_an_encoder():
    encoder, decoder, x = tl.GRU(D, H, rng=0), tl.GRUCell(H, H, rng=1), drawn(T, N, D, name="x")
    keys, last = encoder(x)
    state, context, total = last[0], tl.tensor(np.zeros((N, H))), 0
    for _ in range(4):
        state = decoder(context, state)
        weight = tl.softmax((keys * state).sum(axis=-1), axis=0)
        context = (weight[:, :, None] * keys).sum(axis=0)
        total = total + (context * state).sum()
    return total, [x, *encoder.parameters(), *decoder.parameters()]


@own
def a_language_model():
    table, layer, head = tl.nn.Embedding(7, D, rng=0), tl.LSTM(D, H, rng=0), tl.Linear(H, 7, rng=0)
    rng = np.random.default_rng(0)
    output, _ = layer(table(rng.integers(0, 7, (T, N))))
    loss = tl.cross_entropy(head(output).reshape(T * N, 7), rng.integers(0, 7, (T * N,)))
    return loss, [*table.parameters(), *layer.parameters(), *head.parameters()]


@own
def an_operation_of_ones_own():
    (W,) = weights(W=(D, H))
    cubed = tl.primitive("cubed", lambda x: x * x * x, lambda g, y, x: (3 * x * x * g,))
    x, h = drawn(T, N, D, name="x"), tl.tensor(np.zeros((N, H)))
    for t in range(T):
        h = tl.tanh(x[t] @ W + 0.1 * cubed(h))
    return (h * h).sum(), [x, W]


def opaque_sine():
    def forward(x):
        out = np.empty_like(x)
        out[...] = np.sin(x)
        return out

    return tl.primitive("my_sine", forward, lambda g, y, x: (tl.cos(x) * g,))


@own
def an_operation_that_cannot_be_read():
    (W,) = weights(W=(D, H))
    mine, x, h = opaque_sine(), drawn(T, N, D, name="x"), tl.tensor(np.zeros((N, H)))
    for t in range(T):
        h = tl.tanh(x[t] @ W + 0.1 * mine(h))
    return (h * h).sum(), [x, W]


@own
def all_states_side_by_side():
    cell, x, h, hs = tl.RNNCell(D, H, rng=0), drawn(T, N, D, name="x"), None, []
    for t in range(T):
        h = cell(x[t], h)
        hs.append(h)
    y = tl.concat(hs, axis=0)
    return (y * y).sum(), [x, *cell.parameters()]


@own
def a_decay_by_the_step():
    x, (w,), total = drawn(T, N, D, name="x"), weights(w=(D,)), 0
    for t in range(T):
        total = total + 0.9**t * (x[t] * w).sum()
    return total, [x, w]


@own
def steps_in_a_list():
    xs, cell, state = [drawn(N, D, seed=t, learns=False) for t in range(T)], tl.LSTMCell(D, H, rng=0), None
    for x in xs:
        state = cell(x, state)
    return (state[0] * state[1]).sum(), cell.parameters()


@own
def two_cells_one_after_the_other():
    a, b, x = tl.RNNCell(D, H, rng=0), tl.GRUCell(H, H, rng=1), drawn(T, N, D, name="x")
    h, k = None, None
    for t in range(T):
        h = a(x[t], h)
        k = b(tl.relu(h), k)
    return (k * h).sum(), [x, *a.parameters(), *b.parameters()]


@own
def a_loop_in_a_loop():
    (W,) = weights(W=(H, H))
    x, h = drawn(T, N, H, name="x"), tl.tensor(np.zeros((N, H)))
    for t in range(T):
        for _ in range(3):
            h = tl.tanh(h @ W + x[t])
    return (h * h).sum(), [x, W]


@own
def a_loop_against_time():
    W, U = weights(W=(D, H), U=(H, H))
    x, h = drawn(T, N, D, name="x"), tl.tensor(np.zeros((N, H)))
    for t in reversed(range(T)):
        h = tl.tanh(x[t] @ W + h @ U)
    return (h * h).sum(), [x, W, U]


@own
def no_loop_at_all():
    W, b = weights(W=(D, H), b=(H,))
    x = drawn(N, D, name="x")
    return tl.softmax(x @ W + b, axis=-1)[:, 0].sum(), [x, W, b]


@own
def a_maximum_over_time():
    layer, x = tl.RNN(D, H, rng=0), drawn(T, N, D, name="x")
    output, _ = layer(x)
    return (tl.max(output, axis=0) * output[-1]).sum(), [x, *layer.parameters()]


@own
def a_detached_state():
    cell, x, h = tl.GRUCell(D, H, rng=0), drawn(T, N, D, name="x"), None
    for t in range(T):
        h = cell(x[t], h)
        if t == 2:
            h = h.detach()
    return (h * h).sum(), [x, *cell.parameters()]


@own
def weights_that_are_used_outside_too():
    (W,) = weights(W=(H, H))
    x, h = drawn(T, N, H, name="x"), tl.tensor(np.zeros((N, H)))
    for t in range(T):
        h = tl.tanh(h @ W + x[t])
    return (h @ W).sum() + (W * W).sum(), [x, W]


@own
def steps_that_are_not_alike_to_what_reads_them():
    (w,) = weights(w=(H,))
    squares = [w * k for k in (1.0, 2.0)]
    halves = [tl.exp(x) for x in squares]
    ratio = halves[0] / halves[1]
    product = tl.einsum("i,i,i->", *[tl.exp(w) for _ in range(3)])
    return (ratio * halves[1]).sum() + ratio.sum() * product, [w]


@own
def views_of_views():
    (w,) = weights(w=(D, H))
    x = w
    for _ in range(4):
        x = x[::-1]
    return (tl.exp(x) * drawn(D, H, learns=False)).sum(), [w]


@own
def all_steps_read_in_each_step():
    W, U = weights(W=(D, H), U=(H, H))
    x, h, hs = drawn(T, N, D, name="x"), tl.tensor(np.zeros((N, H))), []
    for t in range(T):
        h = tl.tanh(x[t] @ W + h @ U)
        hs.append(h)
        h = h + 0.1 * (tl.stack(hs[:3]).sum(axis=0) if t >= 2 else h)
    return h.sum(), [x, W, U]


@own
def a_number_that_is_fed_back_twice():
    a, w = tl.tensor(0.5), tl.tensor(0.3, requires_grad=True, name="w")
    for _ in range(9):
        a = a * w + tl.sin(a)
    return a, [w]


@own
def a_gradient_that_is_differentiated_again():
    W, U = weights(W=(D, H), U=(H, H))
    x, h = drawn(T, N, D, name="x"), tl.tensor(np.zeros((N, H)))
    for t in range(T):
        h = tl.tanh(x[t] @ W + h @ U)
    (slope,) = tl.grad((h * h).sum(), [W], create_graph=True)
    return (slope * slope).sum(), [x, W, U]


@own
def a_window_over_the_steps():
    W, U = weights(W=(D, H), U=(H, H))
    x, h, total = drawn(T, N, D, name="x"), tl.tensor(np.zeros((N, H))), 0
    for t in range(1, T - 1):
        h = tl.tanh((x[t - 1] + x[t] + x[t + 1]) @ W + h @ U)
        total = total + (h * h).sum()
    return total, [x, W, U]


@own
def what_follows_the_loop_and_is_like_a_part_of_its_step():
    (W,) = weights(W=(D, H))
    x, h, decay, last = (
        drawn(T, N, D, name="x"),
        tl.tensor(np.zeros((N, H))),
        *(drawn(H, seed=seed, learns=False) for seed in (1, 2)),
    )
    scaled = lambda h, by: h * by
    for t in range(T):
        h = tl.tanh(x[t] @ W + scaled(h, decay))
    return (scaled(h, last) * h).sum(), [x, W]


@own
def parts_of_steps_and_single_numbers():
    (W,) = weights(W=(D - 1, H))
    x, h, total = drawn(T, N, D, name="x"), tl.tensor(np.zeros((N, H))), 0
    for t in reversed(range(T)):
        h = tl.tanh(x[t, :, 1:] @ W + h)
        total = total + (h * h).sum(axis=1).sum().reshape(())
    return total, [x, W]


@own
def a_number_in_a_shape_of_its_own():
    a, w = tl.tensor(0.5), tl.tensor(0.3, requires_grad=True, name="w")
    for _ in range(5):
        a = tl.tanh(a * w).reshape(()) + 0.1
    return a, [w]


@own
def steps_in_a_list_that_learn():
    (W,), h = weights(W=(D, H)), tl.tensor(np.zeros((N, H)))
    named, nameless = ([drawn(N, D, name=name, seed=t + 10 * (name is None)) for t in range(T)] for name in ("x", None))
    for x in named:
        h = tl.tanh(x @ W + h)
    for x in nameless:
        h = tl.sigmoid(x @ W + h)
    return (h * h).sum(), [*named, *nameless, W]


@own
def rows_of_a_table_against_time():
    E, W = weights(E=(7, D), W=(D, H))
    x, ids, h = drawn(T, N, D, name="x"), np.random.default_rng(0).integers(0, 7, (T, N)), tl.tensor(np.zeros((N, H)))
    for t in reversed(range(T)):
        h = tl.tanh((x[t] + E[ids[t]]) @ W + h)
    return (h * h).sum(), [x, E, W]


@own
def steps_that_meet_others_on_their_way_back():
    (W,) = weights(W=(D, H))
    x, h = drawn(T, N, D, name="x"), tl.tensor(np.zeros((N, H)))
    for t in range(1, T):
        h = tl.tanh((x[t] - x[T - t]) @ W + h)
    return (h * h).sum(), [x, W]


@own
def states_in_other_orders():
    (W,) = weights(W=(D, H))
    x, h, hs = drawn(T, N, D, name="x"), tl.tensor(np.zeros((N, H))), []
    for t in range(T):
        h = tl.tanh(x[t] @ W + h)
        hs.append(h)
    turned, mixed = tl.concat(hs[::-1]), tl.concat([hs[1], hs[0], *hs[2:]])
    return (turned * mixed * drawn(T * N, H, learns=False)).sum(), [x, W]


@own
def columns_squashed_alike_on_both_sides_of_another():
    W, U = weights(W=(D, 4 * H), U=(H, 4 * H))
    x, h = drawn(T, N, D, name="x"), tl.tensor(np.zeros((N, H)))
    for t in range(T):
        a = (x[t] @ W) * 0.5 + h @ U
        f, g, o, p = (a[..., k * H : (k + 1) * H] for k in range(4))
        h = tl.sigmoid(f) * tl.tanh(g) + tl.sigmoid(o) * tl.sigmoid(p)
    return (h * h).sum(), [x, W, U]


def cut_and_squashed(cut, *squashed, width=4, batch=(N,)):
    """A loop in which one product is cut into columns, each squashed in its own way."""
    W, U = weights(W=(D, width * H), U=(H, width * H))
    x, h = drawn(T, *batch, D, name="x"), tl.tensor(np.zeros((*batch, H)))
    for t in range(T):
        z = (x[t] @ W) * 0.5 + h @ U
        h = sum(squash(part) for squash, part in zip(squashed, cut(z), strict=True))
    return (h * h).sum(), [x, W, U]


@own
def columns_up_to_the_end_of_rows():
    cut = lambda z: (z[:, :H], z[:, H : 2 * H], z[:, 2 * H : -H], z[:, -H:])
    return cut_and_squashed(cut, tl.sigmoid, tl.sigmoid, tl.tanh, tl.sigmoid)


@own
def columns_up_to_the_end_whatever_stands_before():
    cut = lambda z: (z[..., :H], z[..., H : 2 * H], z[..., 2 * H : 3 * H], z[..., 3 * H :])
    return cut_and_squashed(cut, tl.tanh, tl.sigmoid, tl.sigmoid, tl.relu)


@own
def columns_of_one_sequence():
    cut = lambda z: (z[:H], z[H : 2 * H], z[2 * H :])
    return cut_and_squashed(cut, tl.sigmoid, tl.sigmoid, tl.tanh, width=3, batch=())


@own
def columns_with_a_gap_between():
    cut = lambda z: (z[..., :H], z[..., 2 * H :])
    return cut_and_squashed(cut, tl.sigmoid, tl.sigmoid, width=3)


@own
def rows_and_every_second_column():
    cut = lambda z: (z[..., : 2 * H : 2], z[..., 1 : 2 * H : 2], z[0, :H] + z[1:, H : 2 * H], z[..., ::-1][..., :H])
    return cut_and_squashed(cut, tl.sigmoid, tl.sigmoid, tl.tanh, tl.tanh, width=2)


@own
def columns_of_every_sequence_in_a_batch_of_batches():
    cut = lambda z: (z[:, 0], z[:, 1])
    return cut_and_squashed(lambda z: (p[:, None, :H] for p in cut(z)), tl.sigmoid, tl.tanh, width=1, batch=(N, 2))


@own
def rows_and_columns_of_a_table():
    (E, W), ids = weights(E=(7, 2 * H), W=(D, H)), np.random.default_rng(0).integers(0, 7, (T, N))
    x, h = drawn(T, N, D, name="x"), tl.tensor(np.zeros((N, H)))
    for t in range(T):
        h = tl.sigmoid(E[ids[t], :H]) * h + tl.sigmoid(E[ids[t], H:]) + x[t] @ W
    return (h * h).sum() + tl.exp(E[np.array([1, 3, 1]), 1:]).sum(), [x, E, W]


@own
def numbers_that_decide_for_themselves():
    """Zeros and ones as factors, of numbers and of arrays, on either side and of other shapes than the result."""
    w, v, one = *weights(w=(H,), v=(N, 1)), tl.tensor(1.0)
    h, zero = tl.tensor(np.zeros((N, H))), tl.tensor(np.zeros((1, 1)))
    for _ in range(T):
        kept = (0.0 * (w > 0.5)) + (w * 0.0) * w
        h = tl.tanh(h * w + v * 1.0 + 1.0 * w + one * one + kept + zero * v) ** 1
        h = h * 1.0 + (v * 1.0) * (1.0 * w)
    return (h * h).sum(), [w, v]


@own
def what_follows_reads_something_else_than_the_steps():
    (W,) = weights(W=(H, H))
    x, h = drawn(T, N, H, name="x"), tl.tensor(np.zeros((N, H)))
    turned = lambda h: tl.tanh(h @ W)
    for t in range(T):
        a = turned(h)
        b = tl.sigmoid(a * x[t])
        h = a - b
    return (turned(b) * h).sum(), [x, W]


@own
def what_follows_lacks_what_there_is_no_more_of():
    W, w = weights(W=(H, H), w=(H,))
    x, h = drawn(T, N, H, name="x"), tl.tensor(np.zeros((N, H)))
    turned = lambda h: tl.tanh(h @ W)
    scaled = [x[t, ...] * w for t in range(T)]
    for t in range(T):
        h = turned(h) + scaled[t]
    return (turned(h) * h).sum(), [x, W, w]


@own
def what_follows_lacks_what_there_would_be_more_of():
    W, w = weights(W=(H, H), w=(H,))
    x, h = drawn(T + 2, N, H, name="x"), tl.tensor(np.zeros((N, H)))
    turned = lambda h: tl.tanh(h @ W)
    scaled = [x[t] * w for t in range(T + 2)]
    for t in range(T):
        h = turned(h) * scaled[t] + x[t]
    return (turned(h) * h).sum() + tl.stack(scaled).sum(), [x, W, w]


@own
def states_behind_something_else():
    (W,) = weights(W=(D, H))
    x, h = drawn(T, N, D, name="x"), tl.tensor(np.zeros((N, H)))
    hs = [drawn(N, H, name="first", seed=1)]
    for t in range(T):
        h = tl.tanh(x[t] @ W + h)
        hs.append(h)
    return (tl.concat([*hs, hs[0]]) ** 2).sum(), [x, W, hs[0]]


@own
def places_within_steps_that_differ():
    (w,) = weights(w=(D,))
    x, h = drawn(T, N, D, name="x"), tl.tensor(np.zeros(D))
    for t in range(T):
        for k in (0, 1, 1):
            h = tl.tanh(h * w + x[t, k])
    return (h * h).sum(), [x, w]


@own
def states_of_which_two_arrays_are_read():
    (U,) = weights(U=(H, H))
    x, h, hs = drawn(T, N, H, name="x"), tl.tensor(np.zeros((N, H))), []
    for t in range(T):
        h = tl.tanh(x[t] + h @ U)
        hs.append(h)
    moved, share = tl.stack(hs)[1:] - tl.stack(hs)[:-1], tl.softmax(tl.stack(hs), axis=0)
    return (moved**2).sum() + (share * tl.stack(hs)).sum(), [x, U]


@own
def a_state_that_looks_at_a_memory():
    M, q, out = drawn(N, 5, H, name="M"), drawn(N, H, name="q"), []
    for _ in range(T):
        share = tl.softmax((M @ q[:, :, None])[:, :, 0])
        q = tl.tanh((share[:, None] @ M)[:, 0])
        out.append(q)
    return (tl.stack(out) ** 2).mean(), [M]


@own
def halves_of_a_state_that_take_turns():
    x, h, hs = drawn(T, N, 4, name="x"), tl.tensor(np.zeros((N, 4))), []
    for t in range(T):
        first = tl.tanh(h[:, :2] * x[t][:, 2:] + x[t][:, :2])
        h = tl.concat([first, tl.tanh(h[:, 2:] + first)], axis=1)
        hs.append(h)
    return (tl.stack(hs) * drawn(T, N, 4, learns=False)).sum(), [x]


@own
def squashed_sums_of_scaled_numbers():
    U, b = weights(U=(H, H), b=(H,))
    x, h = drawn(T, N, H, name="x"), tl.tensor(np.zeros((N, H)))
    for t in range(T):
        h = tl.sigmoid(h @ U + 0.5 * x[t]) * tl.sigmoid(2 * b + x[t] * 3.0) + tl.sigmoid(-x[t]) * h
    return (h * h).sum(), [x, U, b]


@own
def a_shift_register():
    x, s = drawn(T, N, H, name="x"), tl.tensor(np.zeros((N, H)))
    for t in range(T):
        s = tl.concat([x[t][:, :1], s[:, :-1]], axis=1) * 0.9
        s = tl.concat([s[:, 1:], s[:, :1]], axis=1)
    return (s * drawn(N, H, learns=False)).sum(), [x]


@own
def a_piece_of_another_step():
    (W,) = weights(W=(2 * H, H))
    x, h, before = drawn(T, N, H, name="x"), tl.tensor(np.zeros((N, H))), tl.tensor(np.zeros((N, H)))
    for t in range(T):
        h, before = tl.tanh(tl.concat([h, before], axis=-1) @ W), x[t] * 0.5
    return (h * h).sum(), [x, W]


@own
def matrices_of_its_own_for_each_step():
    x, M, K, h = drawn(T, N, D, name="x"), *weights(M=(T, D, H), K=(T, D, H)), tl.tensor(np.zeros((N, H)))
    for t in range(T):
        h = tl.tanh(x[t] @ M[t] + h) * tl.sigmoid(x[t] @ K[t])
    return (h * h).sum(), [x, M, K]


@own
def sums_that_differ_only_by_what_follows():
    W, U, V, p, q = weights(W=(H, H), U=(H, H), V=(H, H), p=(H,), q=(H,))
    x, h = drawn(T, N, H, name="x"), tl.tensor(np.zeros((N, H)))
    for t in range(T):
        one, other, third = h @ W, h @ U, h @ V
        one, other, third = tl.sigmoid(one + x[t] * p), tl.tanh(other + x[t] * q), tl.sigmoid(third + x[t] * q)
        h = one * other + third * h
    return (h * h).sum(), [x, W, U, V, p, q]


@own
def biases_of_one_number():
    W, b, c = weights(W=(D, 2 * H), b=(1,), c=(1,))
    x, h = drawn(T, N, D, name="x"), tl.tensor(np.zeros((N, H)))
    for t in range(T):
        z = x[t] @ W
        h = tl.tanh(tl.sigmoid(z[..., :H] + b) * h + tl.sigmoid(z[..., H:] + c))
    return (h * h).sum(), [x, W, b, c]


@own
def parts_that_are_made_to_sum_to_one():
    W, V = weights(W=(D + H, H), V=(D + H, H))
    x, h = drawn(T, N, D, name="x"), tl.tensor(np.zeros((N, H)))
    for t in range(T):
        read = tl.concat([h, x[t]], axis=-1)
        y, z = tl.exp(read @ W), tl.exp(read @ V)
        h = y / y.sum(axis=-1, keepdims=True) - z / z.sum(axis=-1, keepdims=True)
    return (h * h).sum(), [x, W, V]


@own
def a_matrix_that_changes_in_each_step():
    W, U = weights(W=(D + H, H), U=(D, H))
    x, h = drawn(T, N, D, name="x"), tl.tensor(np.zeros((N, H)))
    for t in range(T):
        h = tl.tanh(tl.concat([h, x[t]], axis=1) @ (W * tl.cos(x[t] @ U).mean()))
    return (h * h).sum(), [x, W, U]


@own
def one_sequence_without_a_batch():
    W, U, V, b, c = weights(W=(H + D, H), U=(H + D, H), V=(H, H), b=(H,), c=(H,))
    x, y, h = drawn(T, D, name="x"), drawn(T, H, name="y", seed=1), tl.tensor(np.zeros(H))
    for t in range(T):
        read = tl.concat([h, x[t]])
        h = tl.tanh(read @ W + b) * tl.tanh(read @ U + c) + tl.tanh((h + y[t]) @ V)
    return (h * h).sum(), [x, y, W, U, V, b, c]


@own
def rows_times_vectors():
    W, u, v, w = weights(W=(D, H), u=(H,), v=(H,), w=(H + D,))
    x, h = drawn(T, N, D, name="x"), tl.tensor(np.zeros((N, H)))
    for t in range(T):
        shares = tl.sigmoid(h @ u) * tl.tanh(h @ v) + tl.concat([h, x[t]], axis=1) @ w
        h = tl.tanh(x[t] @ W + shares[:, None] * h)
    return (h * h).sum(), [x, W, u, v, w]


@own
def what_a_step_made_is_read_in_the_next_one():
    W, V = weights(W=(H + H + D, H), V=(D, H))
    x, h = drawn(T, N, D, name="x"), tl.tensor(np.zeros((N, H)))
    before = h
    for t in range(T):
        h = tl.tanh(tl.concat([h, before, x[t]], axis=1) @ W)
        before = x[t] @ V
    return (h * h).sum(), [x, W, V]


@own
def states_of_others_against_time_and_back_to_front():
    W, U, V = weights(W=(D, H), U=(H, H), V=(H + H, H))
    x, h, hs = drawn(T, N, D, name="x"), tl.tensor(np.zeros((N, H))), {}
    for t in reversed(range(T)):
        hs[t] = h = tl.tanh(x[t] @ W + h @ U)
    k = m = tl.tensor(np.zeros((N, H)))
    for t in range(T):
        k = tl.tanh(hs[t] @ U + k)
    for t in range(T):
        m = tl.tanh(hs[T - 1 - t] @ U + tl.concat([m, hs[T - 1 - t]], axis=1) @ V)
    return (k * m).sum(), [x, W, U, V]


@own
def sums_of_other_shapes():
    W, U, V, b, c = weights(W=(D, H), U=(H, H), V=(D, H), b=(H,), c=(N, H))
    x, v, h, s = (
        drawn(T, N, D, name="x"), drawn(T, D, name="v", seed=1), tl.tensor(np.zeros((N, H))), tl.tensor(np.zeros(H)),
    )  # fmt: skip
    for t in range(T):
        s = tl.tanh((s + b) + v[t] @ V)
        h = tl.tanh((x[t] @ W + c) + v[t] @ V + h @ U) + ((s + b) + x[t] @ W)
    return (h * h).sum(), [x, v, W, U, V, b, c]


@own
def two_states_made_alike():
    W, V = weights(W=(H + H + D, H), V=(H + H + D, H))
    x, h = drawn(T, N, D, name="x"), tl.tensor(np.zeros((N, H)))
    k = h
    for t in range(T):
        read = tl.concat([h, k, x[t]], axis=-1)
        h, k = tl.tanh(read @ W), tl.tanh(read @ V)
    return (h * k).sum(), [x, W, V]


@own
def last_steps_of_which_nobody_wants_a_part():
    W, U, V = weights(W=(D, H), U=(H, H), V=(D, H))
    xs, ys, zs = ([drawn(N, n, seed=t + s, learns=s > 10) for t in range(T)] for n, s in ((D, 0), (H, 10), (H, 20)))
    h = k = m = tl.tensor(np.zeros((N, H)))
    for t in range(T):
        h, k, m = tl.tanh(xs[t] @ W + (h * k) @ U), tl.sigmoid(ys[t] + k + xs[t] @ V), tl.tanh(zs[t] + m) * h
    return (h * m).sum(), [*zs, W, U, V]


NETWORKS = {**{name: lambda cell=cell: layered(tl.nn.Recurrent(cell(D, H, rng=0))) for name, cell in ATLAS.items()}}
NETWORKS |= LAYERS | OWN

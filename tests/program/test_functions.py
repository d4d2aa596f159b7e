"""Functions as people write them: compiled they are right at any size, or they are refused; there is no third."""

import itertools

import numpy as np
import pytest

import tinygrad_lstm as tl
from tests.program.agreement import to_rounding, unlike_compiled
from tests.program.networks import drawn

D, H = 3, 4
W, U, V, b = (
    drawn(D, H, name="W"),
    drawn(H, H, name="U", seed=1),
    drawn(H, 2, name="V", seed=2),
    drawn(H, name="b", seed=3),
)
E = drawn(7, D, name="E")
lstm, gru, decoder = tl.LSTM(D, H, rng=0), tl.GRU(D, H, rng=0), tl.GRUCell(H, H, rng=1)
LEARNED = [W, U, V, b, E, *lstm.parameters(), *gru.parameters(), *decoder.parameters()]

FUNCTIONS = {}
REFUSED = set()


def case(make, refused=False):
    def register(f):
        FUNCTIONS[f.__name__] = f, make
        if refused:
            REFUSED.add(f.__name__)
        return f

    return register


def sequences(steps, batch):
    return (drawn(steps, batch, D, name="x"),)


def with_targets(steps, batch):
    return drawn(steps, batch, D, name="x"), drawn(steps, batch, 2, learns=False)


def words(steps, batch):
    return (np.random.default_rng(steps * 100 + batch).integers(0, 7, (steps, batch)),)


def words_and_targets(steps, batch):
    return *words(steps, batch), np.random.default_rng(steps).integers(0, 2, (steps, batch))


def masked_sequences(steps, batch):
    mask = np.random.default_rng(steps).random((steps, batch)) > 0.5
    return drawn(steps, batch, D, name="x"), mask.astype(float)


def unrolled(x, h=None, steps=None):
    h, hs = tl.tensor(np.zeros((x.shape[1], H))) if h is None else h, []
    for t in range(len(x)) if steps is None else steps:
        h = tl.tanh(x[t] @ W + h @ U + b)
        hs.append(h)
    return h, hs


@case(sequences)
def mean_of_outputs(x):
    _, hs = unrolled(x)
    return sum(hs) / len(hs)


@case(sequences)
def a_mean_of_all_states(x):
    _, hs = unrolled(x)
    return tl.stack(hs).mean(axis=0)


@case(sequences)
def flipped(x):
    _, hs = unrolled(x, steps=range(len(x))[::-1])
    return tl.stack(hs[::-1])


@case(sequences, refused=True)
def without_the_first_step(x):
    h, _ = unrolled(x[1:]) if len(x) > 1 else unrolled(x)
    return h


@case(sequences, refused=True)
def last_two(x):
    _, hs = unrolled(x)
    return hs[-1] * hs[-2] if len(hs) > 1 else hs[-1]


@case(sequences)
def first_and_last(x):
    _, hs = unrolled(x)
    return hs[0] * hs[-1]


@case(with_targets)
def a_mean_square(x, y):
    _, hs = unrolled(x)
    e = tl.stack(hs) @ V - y
    return (e * e).mean()


@case(with_targets)
def a_mean_square_added_up_by_steps(x, y):
    _, hs = unrolled(x)
    return sum(((h @ V - y[t]) ** 2).sum() for t, h in enumerate(hs)) / (len(hs) * x.shape[1])


@case(words)
def rows_of_a_table(ids):
    h, _ = unrolled(E[ids])
    return h


@case(words)
def rows_of_a_table_step_by_step(ids):
    h = tl.tensor(np.zeros((ids.shape[1], H)))
    for t in range(len(ids)):
        h = tl.tanh(E[ids[t]] @ W + h @ U)
    return h


@case(words_and_targets)
def a_cross_entropy(ids, target):
    o, _ = lstm(E[ids])
    s = o @ V
    return tl.cross_entropy(s.reshape(-1, 2), target.ravel())


@case(words_and_targets)
def cross_entropies_by_steps(ids, target):
    o, _ = lstm(E[ids])
    s = o @ V
    return sum(tl.cross_entropy(s[t], target[t]) for t in range(len(ids)))


@case(sequences)
def attention_of_four_steps(x):
    o, h = gru(x)
    s = h[0]
    c = s
    tot = []
    for _ in range(4):
        s = decoder(c, s)
        w = tl.softmax((o * s).sum(axis=-1), axis=0)
        c = (w[:, :, None] * o).sum(axis=0)
        tot.append((c * s).sum())
    return sum(tot)


@case(sequences)
def attention_of_as_many_steps(x):
    o, h = gru(x)
    s = h[0]
    c = s
    outs = []
    for _ in range(len(x)):
        s = decoder(c, s)
        w = tl.softmax((o * s).sum(axis=-1), axis=0)
        c = (w[:, :, None] * o).sum(axis=0)
        outs.append(c)
    return tl.stack(outs)


@case(sequences, refused=True)
def a_parameter_made_on_the_way(x):
    o, _ = gru(x)
    p = o @ drawn(H, D, name="P")
    return (p + x).sum(axis=0)


@case(sequences)
def cumulative(x):
    return tl.cumsum(x, axis=0) @ W


@case(sequences)
def a_root_of_the_steps(x):
    h, _ = unrolled(x)
    return h / np.sqrt(len(x))


@case(sequences)
def a_mean_over_sequences(x):
    h, _ = unrolled(x)
    return h.sum() / x.shape[1]


@case(sequences, refused=True)
def a_power_of_the_step(x):
    _, hs = unrolled(x)
    return sum(0.9**t * h for t, h in enumerate(hs))


@case(sequences, refused=True)
def a_power_of_the_steps_left(x):
    _, hs = unrolled(x)
    return sum(0.9 ** (len(x) - t) * h for t, h in enumerate(hs))


@case(sequences, refused=True)
def numbers_of_the_steps_are_added(x):
    h, _ = unrolled(x + tl.tensor(np.arange(len(x))[:, None, None] * 0.1))
    return h


@case(sequences)
def the_largest_in_time(x):
    _, hs = unrolled(x)
    return tl.max(tl.stack(hs), axis=0)


@case(sequences, refused=True)
def neighbouring_states(x):
    h, hs = unrolled(x)
    return sum((a * c).sum() for a, c in itertools.pairwise(hs)) if len(hs) > 1 else h.sum()


@case(sequences, refused=True)
def all_pairs_of_states(x):
    h, hs = unrolled(x)
    return sum((hs[i] * hs[j]).sum() for i in range(len(hs)) for j in range(i)) + h.sum()


@case(sequences)
def a_loop_over_the_states_of_another(x):
    _, hs = unrolled(x)
    k = tl.tensor(np.zeros((x.shape[1], H)))
    for a in hs:
        k = tl.sigmoid(a @ U + k)
    return k


@case(sequences)
def steps_against_steps(x):
    h = k = tl.tensor(np.zeros((x.shape[1], H)))
    for t in range(len(x)):
        h = tl.tanh(x[t] @ W + k @ U)
        k = tl.tanh(h @ U + x[len(x) - 1 - t] @ W)
    return h * k


@case(sequences, refused=True)
def even_steps_otherwise(x):
    h = tl.tensor(np.zeros((x.shape[1], H)))
    for t in range(len(x)):
        h = tl.tanh(x[t] @ W + h @ U) if t % 2 else tl.sigmoid(x[t] @ W + h @ U)
    return h


@case(sequences, refused=True)
def every_second_step(x):
    h = tl.tensor(np.zeros((x.shape[1], H)))
    for t in range(0, len(x), 2):
        h = tl.tanh(x[t] @ W + h @ U)
    return h


@case(sequences)
def products_of_sequences(x):
    h, _ = unrolled(x)
    return h @ h.T


@case(sequences, refused=True)
def what_is_largest_is_looked_up(x):
    h, _ = unrolled(x)
    return E[np.argmax(h.value, axis=1)].sum() + h.sum()


@case(sequences, refused=True)
def a_mask_made_by_numpy(x):
    h, _ = unrolled(x)
    return tl.where(h.value > 0, h, 0.1 * h)


@case(sequences, refused=True)
def a_mask_made_by_numpy_in_each_step(x):
    h = tl.tensor(np.zeros((x.shape[1], H)))
    for t in range(len(x)):
        n = tl.tanh(x[t] @ W + h @ U)
        h = tl.where(n.value > 0, n, h)
    return h


@case(sequences)
def clipped(x):
    h, _ = unrolled(x)
    return tl.clip(h, -0.3, 0.3)


@case(lambda steps, batch: (drawn(batch, D, name="v"),))
def no_steps_at_all(v):
    return tl.tanh(v @ W)


@case(masked_sequences)
def masked(x, m):
    h = tl.tensor(np.zeros((x.shape[1], H)))
    for t in range(len(x)):
        n = tl.tanh(x[t] @ W + h @ U)
        h = m[t][:, None] * n + (1 - m[t][:, None]) * h
    return h


@case(sequences)
def itself(x):
    return x


@case(sequences)
def one_output_twice(x):
    h, _ = unrolled(x)
    return h, h, x


@case(sequences)
def an_output_of_its_own(x):
    h, _ = unrolled(x)
    return h, tl.tensor(np.ones(3))


@case(sequences)
def an_output_of_its_own_for_each_sequence(x):
    h, _ = unrolled(x)
    return h, tl.tensor(np.ones((x.shape[1], 2)))


@case(sequences)
def states_that_begin_with_one_number(x):
    return unrolled(x, tl.tensor(np.full((x.shape[1], H), 0.3)))[0]


@case(sequences)
def scaled_by_sizes(x):
    h, _ = unrolled(x)
    return h * (1 / np.sqrt(x.shape[1])) + h * (-0.25 * len(x)) + 3 * h / (len(x) * x.shape[1]) + h * len(x) ** -0.5


@case(sequences, refused=True)
def scaled_by_a_logarithm(x):
    return unrolled(x)[0] * np.log(len(x) + 1)


@case(sequences)
def states_that_begin_with_ones(x):
    return unrolled(x, tl.tensor(np.ones((x.shape[1], H))))[0]


@case(sequences)
def the_second_last_state(x):
    return unrolled(tl.concat([x, x]))[1][-2]


@case(sequences)
def three_times_in_each_step(x):
    h = tl.tensor(np.zeros((x.shape[1], H)))
    for t in range(len(x)):
        for _ in range(3):
            h = tl.tanh(x[t] @ W + h @ U)
    return h


@case(sequences)
def twice_in_each_of_two_loops(x):
    h = k = tl.tensor(np.zeros((x.shape[1], H)))
    for t in range(len(x)):
        for _ in range(2):
            h = tl.tanh(x[t] @ W + h @ U)
        for _ in range(2):
            k = tl.sigmoid(x[t] @ W + k @ U + h)
    return h, k


def attending(x, mask, chosen):
    scores = (x @ W).transpose(1, 0, 2) @ (x @ W).transpose(1, 2, 0)
    weight = tl.softmax(chosen(scores, mask), axis=-1)
    return weight @ x.transpose(1, 0, 2)


@case(sequences)
def a_causal_mask(x):
    mask = np.tril(np.ones((len(x), len(x)))) > 0
    return attending(x, mask, lambda scores, mask: tl.where(mask, scores, -1e9))


@case(sequences)
def a_causal_mask_of_infinities(x):
    return attending(x, np.tri(len(x)) == 0, lambda scores, mask: tl.where(mask, -np.inf, scores))


@case(sequences)
def a_causal_mask_that_is_added(x):
    mask = np.triu(np.full((len(x), len(x)), -1e9), 1)
    return attending(x, mask, lambda scores, mask: scores + mask)


@case(sequences, refused=True)
def a_band_of_a_mask(x):
    mask = np.tri(len(x), k=1) - np.tri(len(x), k=-2)
    return attending(x, mask, lambda scores, mask: scores + mask)


@case(lambda steps, batch: (words(steps + 1, batch)[0] % 2,))
def the_next_bit(ids):
    _, hs = unrolled(E[ids[:-1]])
    return tl.cross_entropy((tl.stack(hs) @ V).reshape(-1, 2), ids[1:].ravel())


@case(lambda steps, batch: (words(steps + 1, batch)[0] % 2,))
def the_next_bit_in_each_step(ids):
    h, total = tl.tensor(np.zeros((ids.shape[1], H))), 0
    for t in range(len(ids) - 1):
        h = tl.tanh(E[ids[t]] @ W + h @ U)
        total = total + tl.cross_entropy(h @ V, ids[t + 1])
    return total


@case(lambda steps, batch: sequences(steps + 1, batch))
def the_next_numbers(x):
    _, hs = unrolled(x[:-1])
    e = tl.stack(hs) @ U[:, :D] - x[1:]
    return (e * e).mean()


@case(words)
def words_back_to_front(ids):
    return unrolled(E[ids[::-1]])[0]


@case(words)
def words_read_from_the_last_one_on(ids):
    h = tl.tensor(np.zeros((ids.shape[1], H)))
    for t in reversed(range(len(ids))):
        h = tl.tanh(E[ids[t]] @ W + h @ U)
    return h


@case(lambda steps, batch: (*words(steps, batch), *sequences(steps, batch)))
def words_and_numbers_read_from_the_last_one_on(ids, x):
    h = tl.tensor(np.zeros((ids.shape[1], H)))
    for t in reversed(range(len(ids))):
        h = tl.tanh((E[ids[t]] + x[t]) @ W + h @ U)
    return h


@case(lambda steps, batch: (*words(steps + 1, batch), *sequences(steps + 1, batch)))
def words_and_numbers_from_the_second_one_on(ids, x):
    h = tl.tensor(np.zeros((ids.shape[1], H)))
    for t in range(1, len(ids)):
        h = tl.tanh((E[ids[t]] + x[t]) @ W + h @ U)
    return h


@case(sequences)
def states_by_name(x):
    h, hs = unrolled(x)
    return {"output": tl.stack(hs), "last": (h, {"input": x})}


def differing(name, optimize, sizes):
    f, make = FUNCTIONS[name]
    fast, found = tl.compile(f, optimize=optimize), {}
    for steps, batch in sizes:
        given = make(steps, batch)
        wrt = [*(x for x in given if isinstance(x, tl.Tensor) and x.requires_grad), *LEARNED]
        found[steps, batch] = unlike_compiled(fast, f, given, wrt, to_rounding)
    assert any("not compiled" in line for line in fast.explain().splitlines()) is (name in REFUSED), fast.explain()
    return {size: names for size, names in found.items() if names}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function(name):
    assert differing(name, 0, [(4, 2), (7, 3)]) == {}


@pytest.mark.slow
@pytest.mark.parametrize("optimize", [0, 3])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_at_many_sizes(name, optimize):
    assert differing(name, optimize, [(4, 2), (7, 3), (1, 1), (2, 5), (60, 2), (33, 1)]) == {}

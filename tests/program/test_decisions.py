"""What a network decides by its data, what it cuts off, and which steps it reads besides: they follow other data."""

import numpy as np
import pytest

import tinygrad_lstm as tl
from tests.conftest import few
from tests.program.agreement import to_rounding, unlike_compiled
from tests.program.networks import drawn
from tinygrad_lstm.engine.primitive import Primitive

H = 3
SIZES = [(4, 2), (7, 1), (3, 3), (1, 2), (2, 2), (9, 2)]
W, U = drawn(H, H, name="W"), drawn(H, H, name="U", seed=1)

DECISIONS = {
    "greater": lambda z, h: tl.where(z > 0.1, z, 0.1 * z),
    "less": lambda z, h: tl.where(z < h, z, h * 0.5),
    "at least": lambda z, h: tl.where(z >= 0.1, tl.tanh(z), h),
    "at most": lambda z, h: tl.where(z <= h, tl.tanh(z), h),
    "equal": lambda z, h: tl.where(tl.relu(z) == 0, h * 0.5, z),
    "unequal": lambda z, h: tl.where(tl.relu(z) != 0, z, h * 0.5),
    "and": lambda z, h: tl.where((z > 0) & (h < 0.5), tl.tanh(z), h),
    "and with what is known": lambda z, h: tl.where(np.array([True, False, True]) & (z > 0), tl.tanh(z), h),
    "or": lambda z, h: tl.where((z > 0.5) | (h < 0), tl.tanh(z), h),
    "not": lambda z, h: tl.where(~(z > 0), tl.tanh(z), h),
    "a column": lambda z, h: tl.where((z > 0)[:, :1], tl.tanh(z), h),
    "as a factor": lambda z, h: tl.tanh(z) * (z > 0) + h * 0.1,
    "as numbers": lambda z, h: tl.tanh(z) * (z > 0).astype(float) + h * 0.1,
    "by numpy's where": lambda z, h: np.where(z > 0, tl.tanh(z), h),
}
"""Ways to choose between numbers."""


def without_gradient(z, h):
    with tl.no_grad():
        scale = tl.sigmoid((z * z).sum(axis=-1, keepdims=True))
    return tl.tanh(z * scale) + h * 0.1


CUTS = {
    "the state": lambda z, h: tl.tanh(z + h.detach()),
    "straight through": lambda z, h: z + (tl.tanh(z) - z).detach() + 0.1 * h,
    "a weight": lambda z, h: tl.tanh(z + h @ W.detach()),
    "under no_grad": without_gradient,
}
"""Ways to let no gradient through."""


def of_steps(step):
    def f(x):
        h, hs = tl.zeros(x.shape[1], H), []
        for t in range(len(x)):
            h = step(x[t] @ W + h @ U, h)
            hs.append(h)
        return (tl.stack(hs) ** 2).sum()

    return f


def reading(besides):
    def f(x):
        h, hs = tl.zeros(x.shape[1], H), []
        for t in range(len(x)):
            h = tl.tanh((x[t] + besides(x, t, len(x) - 1)) @ W + h @ U)
            hs.append(h)
        return (tl.stack(hs) * x).sum()

    return f


NEIGHBOURS = {
    "the next, or itself": lambda x, t, last: x[t + 1] if t < last else x[t],
    "the next, or nothing": lambda x, t, last: x[t + 1] if t < last else 0 * x[t],
    "the one before, or itself": lambda x, t, last: x[t - 1] if t else x[0],
    "both": lambda x, t, last: x[min(t + 1, last)] - x[max(t - 1, 0)],
}

WINDOWS = {
    "two steps apart": lambda x, s: ((s[2:] - s[:-2]) ** 2).sum(),
    "three steps apart": lambda x, s: (s[3:] * s[:-3]).sum(),
    "each sequence twice": lambda x, s: (tl.concat([s, x], axis=1).reshape(len(x), 2 * x.shape[1], H) ** 2).sum(),
    "moved by one": lambda x, s: (tl.concat([s[1:], 0 * s[:1]]) * x).sum(),
    "pairs of numbers": lambda x, s: tl.tanh(s.reshape(-1, 1)).sum(),
}

WAYS = {
    **{f"decides: {name}": of_steps(step) for name, step in DECISIONS.items()},
    **{f"cuts: {name}": of_steps(step) for name, step in CUTS.items()},
    **{f"reads: {name}": reading(besides) for name, besides in NEIGHBOURS.items()},
    **{f"window: {name}": lambda x, end=end: end(x, tl.tanh(x @ W)) for name, end in WINDOWS.items()},
}


def require_right(f, optimize):
    fast, weights = tl.compile(f, optimize=optimize), (W.value, U.value)
    try:
        for seed, size in enumerate(SIZES):
            x = drawn(*size, H, name="x", seed=seed)
            assert unlike_compiled(fast, f, [x], [x, W, U], to_rounding) == []
            W.value, U.value = 0.9 * W.value, -1.1 * U.value
    finally:
        W.value, U.value = weights
    assert "not compiled" not in fast.explain()


@pytest.mark.parametrize("way", few(WAYS))
def test_it_follows_other_data_sizes_and_weights(way):
    require_right(WAYS[way], 3)


@pytest.mark.slow
@pytest.mark.parametrize("optimize", range(3))
@pytest.mark.parametrize("way", WAYS)
def test_it_follows_them_at_every_level(way, optimize):
    require_right(WAYS[way], optimize)


def test_a_mask_that_was_lost_on_the_way_is_refused():
    lost = (lambda z, h: tl.where(np.logical_xor(z > 0, h > 0), z, h), lambda z, h: tl.where(z.value > 0, z, h))
    for step in lost:
        fast = tl.compile(of_steps(step))
        x = drawn(4, 2, H, name="x")
        assert fast(x).item() == of_steps(step)(x).item()
        assert "they come from outside of the graph" in fast.explain()


def written_over(x):
    mask = x > 0
    mask &= x < 1
    return (tl.tanh(x @ W) * mask).sum()


def set_in_part(x):
    mask = x > 0
    mask[0] = True
    return (tl.tanh(x @ W) * mask).sum()


def negated_in_place(x):
    mask = x > 0
    np.logical_not(mask, out=mask)
    return (tl.tanh(x @ W) * mask).sum()


STRAIGHT = Primitive("straight_sign", np.sign, lambda g, y, x: (g,), None, surrogate=True)


@pytest.mark.parametrize("through", [lambda x: x, STRAIGHT], ids=["as it is", "with a rule that is no derivative"])
@pytest.mark.parametrize("f", [written_over, set_in_part, negated_in_place], ids=lambda f: f.__name__)
def test_a_mask_that_is_written_into_is_computed_as_it_always_was(f, through):
    fast = tl.compile(lambda x: f(through(x)))
    for seed in range(4):
        x = drawn(4, 2, H, name="x", seed=seed)
        assert fast(x).item() == f(through(x)).item()
    assert "not compiled" in fast.explain()


def test_where_a_rule_is_no_derivative_values_are_compared_all_the_same():
    decides = lambda x: STRAIGHT(x).sum() if x.value.sum() > 5000 else -STRAIGHT(x).sum()
    windows = lambda x: (STRAIGHT(x[3:] - x[:-3]) * x[3:]).sum()
    large = tl.tensor(np.full((900, 4, H), 1.0), requires_grad=True, name="x")
    assert tl.compile(decides)(large).item() == decides(large).item()
    fast = tl.compile(windows)
    for steps in (5, 2, 1, 3, 9):
        x = drawn(steps, 2, H, name="x")
        assert unlike_compiled(fast, windows, [x], [x], to_rounding) == []
    assert "not compiled" not in fast.explain()


def test_elsewhere_a_comparison_is_plain_and_what_is_detached_a_leaf():
    assert type(W > 0) is np.ndarray
    assert (W * 2).detach().is_leaf


def test_the_program_says_it_as_a_person_would():
    x = drawn(4, 2, H, name="x")
    assert "greater[t] = (a > 0.1).astype(np.float64)     # greaterₜ = [a > 0.1]" in str(
        tl.source(of_steps(DECISIONS["greater"]), x)
    )
    assert "detach(" in str(tl.source(of_steps(CUTS["straight through"]), x))

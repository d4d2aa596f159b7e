"""Shapes, values and indices to draw. Arrays come from a drawn seed with a few drawn entries laid over it, which is
several times faster than drawing every entry, and shrinks as well."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

seeds = st.integers(0, 2**32 - 1)
dtypes = st.sampled_from([np.float64, np.float64, np.float32])


def shapes(min_dims=0, max_dims=3, min_side=1, max_side=4):
    return hnp.array_shapes(min_dims=min_dims, max_dims=max_dims, min_side=min_side, max_side=max_side)


def broadcastable(count, min_side=1):
    """``count`` shapes that broadcast with one another, 1 and missing axes included."""
    return hnp.mutually_broadcastable_shapes(
        num_shapes=count, min_dims=0, max_dims=3, min_side=min_side, max_side=4
    ).map(lambda drawn: drawn.input_shapes)


@st.composite
def values(draw, shape, low=1e-3, high=1e3, *, positive=False, special=(), dtype=None):
    """Magnitudes spread evenly over the decades from low to high, of both signs unless positive; some ``special``."""
    rng = np.random.default_rng(draw(seeds))
    array = np.exp(rng.uniform(np.log(low), np.log(high), size=shape))
    if not positive:
        array *= rng.choice([-1.0, 1.0], size=shape)
    if array.size and special:
        for position, value in draw(st.dictionaries(st.integers(0, array.size - 1), st.sampled_from(special))).items():
            array.flat[position] = value
    return array.astype(draw(dtypes) if dtype is None else dtype)


@st.composite
def axes(draw, ndim):
    """None, one axis or several, counted from either end."""
    if ndim == 0:
        return draw(st.sampled_from([None, ()]))
    one = st.integers(-ndim, ndim - 1)
    several = st.lists(st.integers(0, ndim - 1), unique=True).map(tuple)
    return draw(st.none() | one | several)


def indices(shape):
    """Slices, integers, None and Ellipsis; integer arrays with repeats; boolean arrays."""
    basic = hnp.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True)
    masks = hnp.arrays(bool, shape)
    if not shape or 0 in shape:
        return basic
    repeated = hnp.integer_array_indices(shape, result_shape=hnp.array_shapes(max_dims=2, max_side=4))
    first = st.lists(st.integers(-shape[0], shape[0] - 1), min_size=1, max_size=5)
    mixed = st.tuples(first, st.just(...), st.none())
    return basic | repeated | masks | first | mixed


@st.composite
def matmul_shapes(draw):
    """All of numpy's: vectors, matrices, batches, batches that broadcast; any side may be empty."""
    m, k, n = (draw(st.integers(0, 4)) for _ in range(3))
    left, right = draw(broadcastable(2, min_side=0).filter(lambda pair: max(map(len, pair)) <= 2))
    a = draw(st.sampled_from([(k,), (m, k), (*left, m, k)]))
    b = draw(st.sampled_from([(k,), (k, n), (*right, k, n)]))
    return a, b

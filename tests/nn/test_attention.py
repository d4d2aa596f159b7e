"""Attention: its equations; what is masked has no weight and gets no gradient."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_lstm as tl
import tinygrad_lstm.nn.functional as F

T, Q, K, V = 4, 2, 3, 5
KINDS = {
    "additive": lambda: tl.nn.Attention(Q, K, 6, rng=0),
    "dot": lambda: tl.nn.DotAttention(),
    "scaled": lambda: tl.nn.DotAttention(scaled=True),
}


def given_for(attention, seed, batch):
    rng = np.random.default_rng(seed)
    size = K if isinstance(attention, tl.nn.Attention) else Q
    arrays = [rng.normal(size=shape) for shape in ((*batch, Q), (T, *batch, size), (T, *batch, V))]
    mask = rng.uniform(size=(T, *batch)) < 0.6
    mask[seed % T] = True
    return (*arrays, mask)


def attended(attention, query, keys, values, mask):
    """One example, in loops."""
    scores = []
    for key in keys:
        if isinstance(attention, tl.nn.Attention):
            W, U, v = (p.value for p in (attention.query_weight, attention.key_weight, attention.score_weight))
            scores.append(v @ np.tanh(query @ W + key @ U))
        else:
            scores.append(query @ key / (np.sqrt(Q) if attention.scaled else 1))
    weights = np.exp(scores) * mask
    weights = weights / weights.sum()
    return sum(weight * value for weight, value in zip(weights, values, strict=True)), weights


@pytest.mark.parametrize("kind", KINDS)
@given(st.integers(0, 99), st.sampled_from([(), (1,), (3,)]), st.booleans())
def test_attention_is_its_equations(kind, seed, batch, masked):
    attention = KINDS[kind]()
    query, keys, values, mask = given_for(attention, seed, batch)
    mask = mask if masked else np.ones_like(mask)
    context, weights = attention(query, keys, mask if masked else None, values)
    for place in np.ndindex(batch):
        rows = (slice(None), *place)
        expected = attended(attention, query[place], keys[rows], values[rows], mask[rows])
        np.testing.assert_allclose(context.value[place], expected[0], rtol=1e-12)
        np.testing.assert_allclose(weights.value[rows], expected[1], rtol=1e-12)
    assert (weights.name, context.name) == ("α", "context")
    np.testing.assert_array_equal(attention(query, keys)[0].value, attention(query, keys, values=keys)[0].value)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batch", [(), (3,)])
def test_what_is_masked_has_no_weight_and_gets_no_gradient(kind, batch):
    attention = KINDS[kind]()
    query, keys, values, mask = given_for(attention, 1, batch)
    query, keys, values = (tl.tensor(x, requires_grad=True) for x in (query, keys, values))
    context, weights = attention(query, keys, tl.tensor(mask), values)
    (context * context).sum().backward()
    for exactly_zero in (weights.value, keys.grad.value, values.grad.value):
        assert not exactly_zero[~mask].any()
        assert exactly_zero[mask].any()
    far = keys.value.copy()
    far[~mask] += 1e3
    np.testing.assert_array_equal(attention(query, far, mask, values)[0].value, context.value)


@pytest.mark.parametrize("kind", KINDS)
def test_attention_agrees_with_the_complex_step(kind):
    attention = KINDS[kind]()
    query, keys, values, mask = given_for(attention, 2, (2,))
    f = lambda query, keys, values: attention(query, keys, mask, values)[0]
    assert tl.testing.check_vjp(f, query, keys, values, parameters=attention.parameters()).worst < 1e4


def test_attention_computes_in_its_type_and_has_a_box_of_its_own():
    attention = tl.nn.Attention(Q, K, rng=0, dtype="float32")
    assert attention.score_weight.shape == (Q,)
    query, keys, _, mask = given_for(attention, 3, (2,))
    context, weights = attention(query, keys, mask)
    assert context.dtype == weights.dtype == np.float32
    model = tl.nn.Module()
    model.attention = attention
    nodes = [node for node in tl.Graph(model.attention(query, keys)[0]).nodes if not node.is_leaf]
    assert {node.scope for node in nodes} == {("attention",)}


def attend(query=(2,), keys=(4, 3), mask=None, values=None):
    values = None if values is None else np.ones(values)
    return tl.nn.Attention(Q, K, rng=0)(np.ones(query), np.ones(keys), mask, values)


WRONG = {
    "query": (lambda: attend((3,)), tl.ShapeError, r"the query has shape \(3,\); it must be \(N, 2\) or \(2,\)"),
    "keys": (
        lambda: attend((5, 2)),
        tl.ShapeError,
        r"keys have shape \(4, 3\); .* \(T, 5, 3\), steps first",
    ),
    "no keys": (lambda: attend(keys=(0, 3)), tl.ShapeError, r"must be \(T, 3\)"),
    "values": (lambda: attend(values=(3, 3)), tl.ShapeError, r"values have shape \(3, 3\); .* must be \(4, V\)"),
    "mask": (lambda: attend(mask=[True]), tl.ShapeError, r"the mask has shape \(1,\); it must be \(4,\)"),
    "numbers": (lambda: attend(mask=[0, 1, 2, 3]), TypeError, "a mask is True, or 1, where there is something"),
    "nothing": (
        lambda: attend(mask=[False] * 4),
        ValueError,
        "Attention: the mask leaves nothing to look at; one",
    ),
    "a row": (
        lambda: attend((2, 2), (2, 2, 3), [[1, 0], [1, 0]]),
        ValueError,
        "nothing to look at in row 1 of the batch",
    ),
    "dot": (lambda: tl.nn.DotAttention()([1.0], [[1.0, 2.0]]), tl.ShapeError, r"must be \(T, 1\), steps first"),
    "sizes": (lambda: tl.nn.Attention(0, 1), ValueError, "query_size must be a positive whole number"),
    "linear": (lambda: F.linear([1.0], [[1.0, 2.0]]), tl.ShapeError, r"\(D_out, D_in\), as in PyTorch: of a tl.Linear"),
}


@pytest.mark.parametrize(("act", "error", "words"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said(act, error, words):
    with pytest.raises(error, match=words):
        act()


@pytest.mark.parametrize("embedded", [tl.Embedding(3, 2, rng=0), lambda i: F.embedding(i, np.ones((3, 2)))])
def test_a_symbol_without_a_row_is_refused_by_the_layer_and_by_the_function(embedded):
    for symbols in ([-1], [0, 3], tl.tensor([-1.0])):
        with pytest.raises(IndexError, match="Embedding: symbols must lie in 0 … 2"):
            embedded(symbols)
    with pytest.raises(tl.ShapeError, match=r"Embedding: the weight has shape \(3,\); it must be \(V, D\)"):
        F.embedding([0], [1.0, 2.0, 3.0])


def test_functional_has_pytorchs_names_and_layouts(rng):
    assert tl.nn.functional is F
    layer, x = tl.Linear(3, 2, rng=0), rng.normal(size=(4, 3))
    np.testing.assert_array_equal(F.linear(x, layer.weight.T, layer.bias).value, layer(x).value)
    np.testing.assert_array_equal(F.linear(x, layer.weight.T).value, (x @ layer.weight).value)
    words = tl.Embedding(5, 2, rng=0)
    np.testing.assert_array_equal(F.embedding(tl.tensor([[3, 1]]), words.weight).value, words([[3, 1]]).value)
    for name in F.__all__:
        assert callable(getattr(F, name))
    assert F.cross_entropy is tl.cross_entropy


@pytest.mark.parametrize("attention", [tl.nn.Attention(3, 3, rng=0), tl.nn.DotAttention()], ids=repr)
def test_what_is_masked_is_not_seen_be_it_nan(attention):
    keys, query = np.arange(12.0).reshape(4, 1, 3), tl.tensor(np.ones((1, 3)), requires_grad=True)
    mask = [[True], [True], [False], [True]]
    found = []
    for hidden in (0.0, np.nan):
        keys[2] = hidden
        leaf = tl.tensor(keys, requires_grad=True)
        context, weights = attention(query, leaf, mask=mask)
        found.append([context, weights, *tl.grad(context.sum(), [query, leaf])])
        assert not found[-1][-1].value[2].any()
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one.value, other.value)

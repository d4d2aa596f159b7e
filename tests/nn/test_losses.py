"""Losses: each is its formula, with every setting; one box, named L; and in words where there is none."""

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import tinygrad_lstm as tl
from tests.nn.losses_longhand import BCE, CLASSES, ENTRIES, scored, surprise


@given(
    st.integers(0, 99),
    st.sampled_from(list(CLASSES.values())),
    st.booleans(),
    st.sampled_from(["mean", "sum", "none"]),
    st.sampled_from([0.0, 0.3, 1.0]),
)
def test_cross_entropy_is_its_formula(seed, shape, weighted, reduction, smoothing):
    scores, targets, weight = scored(seed, shape)
    weight = weight if weighted else np.ones(4)
    given_weight = weight if weighted else None
    how = {"ignore_index": -1, "reduction": reduction}
    loss = tl.cross_entropy(tl.tensor(scores), targets, given_weight, label_smoothing=smoothing, **how)
    np.testing.assert_allclose(loss.value, surprise(scores, targets, weight, reduction, smoothing), rtol=1e-12)
    assert loss.name == (None if reduction == "none" else "L")
    other = tl.nn.nll_loss(tl.tensor(scores), targets, given_weight, **how)
    np.testing.assert_allclose(other.value, surprise(scores, targets, weight, reduction, 0.0, False), rtol=1e-12)
    module = tl.nn.CrossEntropyLoss(given_weight, label_smoothing=smoothing, **how)
    np.testing.assert_array_equal(module(tl.tensor(scores), targets).value, loss.value)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_what_is_ignored_gets_no_gradient_even_if_it_is_no_number(reduction):
    scores = tl.tensor([[1.0, 2.0], [np.nan, np.inf], [0.0, 0.0]], requires_grad=True)
    loss = tl.cross_entropy(scores, [0, 7, 1], ignore_index=7, reduction=reduction).sum()
    loss.backward()
    assert np.isfinite(loss.item())
    np.testing.assert_array_equal(scores.grad.value[1], [0, 0])
    assert (scores.grad.value[::2] != 0).all()


def test_scores_of_a_sequence_have_their_classes_second_as_in_pytorch(rng):
    """And whoever had them last, as they were until 0.1, is told what to write."""
    scores, targets = rng.normal(size=(5, 2, 3)), rng.integers(0, 3, size=(5, 2))
    with pytest.raises(tl.ShapeError, match=r"2 classes on axis 1.*reshape the scores to \(-1, 3\) and the targets"):
        tl.cross_entropy(tl.tensor(scores), targets)
    flat = tl.cross_entropy(tl.tensor(scores).reshape(-1, 3), targets.reshape(-1))
    assert tl.cross_entropy(tl.tensor(scores).mT, targets).item() == pytest.approx(flat.item())


def test_whole_numbers_of_a_tensor_are_class_numbers():
    scores = tl.tensor([[1.0, 2.0], [3.0, 5.0]])
    assert tl.cross_entropy(scores, tl.tensor([0, 1])).item() == tl.cross_entropy(scores, [0, 1]).item()
    assert tl.Embedding(3, 2, rng=0)(tl.tensor([[2, 0]])).shape == (1, 2, 2)
    for numbers in ([0.5, 1], [np.nan, 0]):
        with pytest.raises(TypeError, match="class numbers, integers, not float64"):
            tl.cross_entropy(scores, tl.tensor(numbers))
        with pytest.raises(TypeError, match="Embedding: symbols must be numbers of rows, integers"):
            tl.Embedding(3, 2, rng=0)(tl.tensor(numbers))


MODULES = {
    tl.mse_loss: tl.nn.MSELoss,
    tl.nn.l1_loss: tl.nn.L1Loss,
    tl.nn.huber_loss: tl.nn.HuberLoss,
    tl.nn.smooth_l1_loss: tl.nn.SmoothL1Loss,
    BCE: tl.nn.BCEWithLogitsLoss,
}


@pytest.mark.parametrize(("loss", "how", "formula"), ENTRIES.values(), ids=ENTRIES)
@settings(max_examples=settings().max_examples // 5)  # of each nine losses, in three reductions, with a check
@given(seed=st.integers(0, 99), shape=st.sampled_from([(), (3,), (4, 3), (2, 1, 3)]))
def test_losses_of_numbers_are_their_formulas_in_every_reduction(loss, how, formula, seed, shape):
    assume(shape or not {*how} & {"weight", "pos_weight"})  # which are of three entries
    rng = np.random.default_rng(seed)
    x, t = rng.normal(size=shape), rng.uniform(size=shape)
    for reduction, reduce in {"mean": np.mean, "sum": np.sum, "none": np.array}.items():
        found = loss(tl.tensor(x), t, reduction=reduction, **how)
        np.testing.assert_allclose(found.value, reduce(formula(x, t)), rtol=1e-12)
        as_module = MODULES[loss](reduction=reduction, **how)
        np.testing.assert_array_equal(as_module(tl.tensor(x), t).value, found.value)
    assert tl.testing.check_vjp(lambda x, t: loss(x, t, **how), x, t).worst < 1e4
    assert loss(tl.tensor(x, dtype="f4"), t, **how).dtype == np.float32


@settings(max_examples=settings().max_examples // 5)
@given(st.integers(0, 99), st.sampled_from(list(CLASSES.values())))
def test_cross_entropy_with_every_setting_agrees_with_the_complex_step(seed, shape):
    scores, targets, weight = scored(seed, shape)
    for smoothing, weighted in itertools.product((0.0, 0.2), (None, weight)):
        f = lambda x, w=weighted, s=smoothing: tl.cross_entropy(x, targets, w, ignore_index=-1, label_smoothing=s)
        assert tl.testing.check_vjp(f, scores).worst < 1e4


def scopes(loss):
    return {node.scope for node in tl.Graph(loss).nodes if not node.is_leaf}


def test_a_loss_is_one_box_named_after_it_or_after_its_module(rng):
    x = tl.tensor(rng.normal(size=(4, 3)), name="x")
    for loss in (tl.mse_loss, tl.nn.huber_loss, BCE):
        assert scopes(loss(x, np.ones((4, 3)))) == {(loss.__name__,)}
    model = tl.nn.Module()
    model.criterion = tl.nn.CrossEntropyLoss()
    found = model.criterion(x, [0, 1, 2, 0])
    assert scopes(found) == {("criterion",)}
    assert found.name == "L"
    assert scopes(tl.nn.MSELoss()(x, np.ones((4, 3)))) == {()}
    for view in ("ops", "gates"):
        assert "cross_entropy" in tl.draw(tl.cross_entropy(x, [0, 1, 2, 0]), view).source


def test_a_loss_is_stepped_through_and_read_as_formulas(rng):
    x = tl.tensor(rng.normal(size=3), requires_grad=True, name="x")
    loss = tl.mse_loss(x, [1, 2, 3])
    stepper = tl.step(loss)
    assert "∂L/∂L = seed" in repr(stepper)
    assert str(tl.formula(loss)) == "∂L/∂((x − target)²) += broadcast(∂L/∂L) / 3"
    assert {event.node.scope for event in stepper.ledger(x)} == {("mse_loss",)}


def test_the_line_that_made_a_loss_is_the_callers(rng):
    loss = tl.mse_loss(tl.tensor(rng.normal(size=3)) * 2, [1, 2, 3])
    assert loss.line.file == __file__


WRONG = {
    "reduction": (
        lambda: tl.mse_loss([1.0], [1.0], reduction="avg"),
        ValueError,
        'must be "mean", "sum" or "none", not',
    ),
    "of a module": (lambda: tl.nn.MSELoss(reduction="avg"), ValueError, r"^MSELoss: reduction must be"),
    "setting": (lambda: tl.nn.MSELoss(size_average=True), TypeError, r"MSELoss\(\*, reduction='mean'\): got an unex"),
    "nothing": (lambda: tl.mse_loss([], []), ValueError, "^mse_loss: there is nothing to take the mean of"),
    "all ignored": (lambda: tl.cross_entropy([[1.0]], [-100]), ValueError, "nothing to take the mean of"),
    "all weightless": (lambda: tl.cross_entropy([[1.0]], [0], [0]), ValueError, "nothing to take the mean of"),
    "weights": (
        lambda: tl.cross_entropy([[1.0]], [0], [1, 2]),
        tl.ShapeError,
        r"weight has shape \(2,\); it must be \(1,\)",
    ),
    "smoothing": (lambda: tl.cross_entropy([[1.0]], [0], label_smoothing=2), ValueError, r"must be in \[0, 1\], not 2"),
    "ignored": (lambda: tl.cross_entropy([[1.0]], [0], ignore_index="no"), TypeError, "ignore_index must be a number"),
    "delta": (lambda: tl.nn.huber_loss([1.0], [1.0], delta=0), ValueError, "delta must be positive and finite, not 0"),
    "beta": (lambda: tl.nn.smooth_l1_loss([1.0], [1.0], beta=np.inf), ValueError, "beta must be positive and finite"),
}


@pytest.mark.parametrize(("act", "error", "words"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said(act, error, words):
    with pytest.raises(error, match=words):
        act()


def test_messages_say_where():
    with tl.scope("decoder"), tl.time_step(3), pytest.raises(tl.ShapeError, match=r"^mse_loss in decoder at t=3: the"):
        tl.mse_loss([1.0], [1.0, 2.0])


@pytest.mark.parametrize("shape", [(3,), (4, 3), (2, 3, 5)])
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_probabilities_as_targets_are_an_expectation_over_classes(shape, smoothing):
    rng, axis = np.random.default_rng(0), min(1, len(shape) - 1)
    scores, weight = rng.normal(size=shape), rng.uniform(1, 2, shape[axis])
    chances = np.exp(rng.normal(size=shape))
    chances /= chances.sum(axis, keepdims=True)
    how = {"reduction": "none"}
    each = [tl.cross_entropy(scores, np.full(np.delete(shape, axis), k), **how).value for k in range(shape[axis])]
    blunted = chances * (1 - smoothing) + smoothing / shape[axis]
    found = tl.cross_entropy(scores, chances, label_smoothing=smoothing, **how)
    np.testing.assert_allclose(found.value, (np.stack(each, axis) * blunted).sum(axis), rtol=1e-12)
    by_weight = np.stack([loss * w for loss, w in zip(each, weight, strict=True)], axis)
    found = tl.cross_entropy(scores, chances, weight, label_smoothing=smoothing)
    assert found.item() == pytest.approx((by_weight * blunted).sum(axis).mean())
    tl.testing.check_vjp(lambda x, p: tl.cross_entropy(x, p, weight, label_smoothing=smoothing), scores, chances)


def test_padding_has_a_vector_of_zeros_that_never_learns():
    words = tl.Embedding(5, 2, padding_idx=-1, rng=0)
    assert words.padding_idx == 4
    assert words.weight.value[4].tolist() == [0, 0]
    assert np.array_equal(words.weight.value[:4], tl.Embedding(5, 2, rng=0).weight.value[:4])
    (words([[0, 4], [4, 1]]) ** 2).sum().backward()
    assert np.array_equal(words.weight.grad.value, 2 * words.weight.value * np.array([[1], [1], [0], [0], [0]]))
    words.weight.value = np.ones((5, 2))  # what is there is returned, and gets no gradient
    assert words([4]).tolist() == [words.weight.value[4].tolist()]
    tl.testing.check_vjp(lambda w: tl.nn.functional.embedding([0, 2, 0], w, padding_idx=1), np.ones((3, 2)))
    for wrong, error, message in ((5, ValueError, "must lie in 0 … 4, not 5"), ("pad", TypeError, "not 'pad'")):
        with pytest.raises(error, match=message):
            tl.Embedding(5, 2, padding_idx=wrong)


def test_groups_of_parameters_are_refused_with_a_way():
    with pytest.raises(ValueError, match="no groups; make one for each group"):
        tl.Adam([{"params": tl.Linear(1, 1).parameters(), "lr": 0.1}], lr=0.01)

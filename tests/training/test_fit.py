"""The loop is what one would write by hand; it stops where it is told to, and names who made a NaN."""

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.training.fault import Fault
from tinygrad_lstm.training.fit import fit


def lstm_and_batches(seed=0, count=6):
    rng = np.random.default_rng(seed)
    batches = [(rng.normal(size=(4, 2, 3)), rng.normal(size=(2, 5))) for _ in range(count)]
    return tl.LSTM(3, 5, rng=seed), batches


def loss(model, batch):
    _, (h, _) = model(batch[0])
    return tl.mse_loss(h[0], batch[1])


def weights(model):
    return np.concatenate([parameter.value.ravel() for parameter in model.parameters()])


def test_it_is_the_loop_that_one_would_write():
    (ours, batches), (by_hand, _) = lstm_and_batches(), lstm_and_batches()
    optimizer = tl.Adam(by_hand.parameters(), 0.01)
    expected = []
    for batch in batches:
        optimizer.zero_grad()
        L = loss(by_hand, batch)
        L.backward()
        tl.clip_grad_norm(by_hand.parameters(), 0.5)
        optimizer.step()
        expected.append(L.item())
    losses = fit(ours, batches, loss=loss, optimizer=tl.Adam(ours.parameters(), 0.01), clip=0.5)
    assert losses == expected
    np.testing.assert_array_equal(weights(ours), weights(by_hand))


@pytest.mark.parametrize("truth", [bool, np.bool_])
def test_a_callback_sees_every_update_and_all_of_them_see_the_last(truth):
    model, batches = lstm_and_batches()
    seen, after = [], []
    optimizer = tl.SGD(model.parameters(), 0.1)
    was = weights(model)

    def watch(moment):
        seen.append(moment)
        return truth(moment.step == 3)

    fit(model, iter(batches), loss=loss, optimizer=optimizer, callbacks=[watch, after.append])
    assert [moment.step for moment in seen] == [moment.step for moment in after] == [1, 2, 3]
    first = seen[0]
    assert (first.model, first.optimizer, first.batch) == (model, optimizer, batches[0])
    assert first.loss == first.graph.item()
    np.testing.assert_array_equal(np.concatenate([value.ravel() for value in first.before]), was)
    assert repr(first).startswith("Moment(step=1, loss=")


def test_callbacks_may_be_a_generator():
    model, batches = lstm_and_batches()
    seen = []
    optimizer = tl.SGD(model.parameters(), 0.1)
    fit(model, batches, loss=loss, optimizer=optimizer, callbacks=(watch for watch in [seen.append]))
    assert len(seen) == len(batches)


def test_only_true_ends_it():
    model, batches = lstm_and_batches()
    losses = fit(
        model, batches, loss=loss, optimizer=tl.SGD(model.parameters(), 0.1), callbacks=[lambda moment: [0.5], print_no]
    )
    assert len(losses) == len(batches)


def print_no(moment):
    return "a text that counts as true"


def test_steps_end_it_and_count_what_was_made_before():
    model, batches = lstm_and_batches()
    steps, how = [], {"loss": loss, "optimizer": tl.SGD(model.parameters(), 0.1)}
    watch = lambda moment: steps.append(moment.step)
    assert len(fit(model, batches, steps=2, callbacks=[watch], **how)) == 2
    assert len(fit(model, batches[2:], steps=5, start=2, callbacks=[watch], **how)) == 3
    assert steps == [1, 2, 3, 4, 5]
    assert fit(model, batches, steps=2, start=5, **how) == []
    assert fit(model, [], **how) == []


def test_the_schedule_is_the_learning_rate_of_each_update():
    model, batches = lstm_and_batches()
    rates = []
    fit(
        model,
        batches,
        loss=loss,
        optimizer=tl.SGD(model.parameters(), 1.0),
        schedule=lambda step: 0.1 / step,
        callbacks=[lambda moment: rates.append(moment.optimizer.lr)],
    )
    assert rates == [0.1 / step for step in range(1, 7)]


def test_the_norm_is_measured_whether_or_not_it_is_clipped():
    norms = {}
    for clip in (None, 1e-3, lambda parameters: tl.clip_grad_norm(parameters, 1e-3), np.inf):
        model, batches = lstm_and_batches()
        how = {"loss": loss, "optimizer": tl.SGD(model.parameters(), 0.1), "clip": clip}
        fit(model, batches[:1], callbacks=[lambda moment, clip=clip: norms.update({clip: moment.norm})], **how)
    assert len(set(norms.values())) == 1


def test_a_clip_of_ones_own_may_measure_several_norms():
    model, batches = lstm_and_batches()
    seen = []
    optimizer = tl.SGD(model.parameters(), 0.1)
    how = {"loss": loss, "optimizer": optimizer, "callbacks": [lambda moment: seen.append(moment.norm)]}
    fit(model, batches[:1], clip=lambda parameters: np.array([1.0, 2.0]), **how)
    np.testing.assert_array_equal(seen[0], [1, 2])
    with pytest.raises(Fault, match="it is what a clip of yours returned"):
        fit(model, batches[:1], clip=lambda parameters: np.array([1.0, np.nan]), **how)


def in_two_steps(w, batch):
    with tl.time_step(3), tl.scope("cell"):
        inner = tl.log(w - batch)
    return (inner * 2).sum()


def test_the_first_node_that_made_a_nan_is_named_with_its_place():
    w = tl.tensor([2.0, 3.0], requires_grad=True, name="w")
    optimizer, calls = tl.SGD([w], lr=0.1), []
    with pytest.raises(Fault) as caught:
        fit(w, [1.0, 9.0], loss=in_two_steps, optimizer=optimizer, callbacks=[calls.append])
    assert str(caught.value).startswith(
        "the loss is nan: log in cell at t=3 made the first NaN, from an input (2,) in ["
    )
    assert "\n" not in str(caught.value)
    assert len(calls) == 1
    np.testing.assert_array_equal(w.value, np.array([2.0, 3.0]) - 0.1 * 2 / np.array([1.0, 2.0]))


def test_what_was_given_as_nan_is_named():
    w = tl.tensor([2.0], requires_grad=True, name="w")
    with pytest.raises(Fault, match="the loss is nan: input given, which was given, holds the first NaN"):
        fit(
            w,
            [np.nan],
            loss=lambda w, batch: (w * tl.tensor([batch], name="given")).sum(),
            optimizer=tl.SGD([w], lr=0.1),
        )


def test_a_masks_infinity_is_not_accused():
    """softmax of (−∞, 1) is (0, 1); what makes the loss infinite is the logarithm after it."""
    w = tl.tensor([1.0, 1.0], requires_grad=True, name="w")
    masked = lambda w, batch: -tl.log(tl.softmax(w + tl.tensor([-np.inf, 0.0]), axis=-1))[0]
    with pytest.raises(Fault, match="the loss is inf: log made the first Inf"):
        fit(w, [0], loss=masked, optimizer=tl.SGD([w], lr=0.1))


def test_a_gradient_that_is_infinite_is_named_though_the_loss_is_not():
    w = tl.tensor([0.0, 1.0], requires_grad=True, name="w")
    with pytest.raises(
        Fault, match=r"the loss is 1, but its gradients .* that of input w: the rule of sqrt made the fi"
    ):
        fit(w, [0], loss=lambda w, batch: tl.sqrt(w).sum(), optimizer=tl.SGD([w], lr=0.1))
    np.testing.assert_array_equal(w.value, [0, 1])


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (lambda w: w.value.sum(), "must return a Tensor of one number, not"),
        (lambda w: None, "must return a Tensor of one number, not None"),
        (lambda w: w * 2, r"must return one number, not shape \(2,\)"),
    ],
)
def test_a_loss_that_is_none_is_refused(result, words):
    w = tl.tensor([2.0, 3.0], requires_grad=True, name="w")
    with pytest.raises((TypeError, ValueError), match=words):
        fit(w, [0], loss=lambda w, batch: result(w), optimizer=tl.SGD([w], lr=0.1))


@pytest.mark.parametrize("wrong", [{"steps": -1}, {"steps": 1.5}, {"steps": True}, {"start": None}, {"clip": 0}])
def test_settings_out_of_range_are_refused_before_anything_runs(wrong):
    w, calls = tl.tensor([2.0], requires_grad=True), []
    with pytest.raises((ValueError, TypeError), match=r"steps|start|max_norm"):
        fit(w, [0], loss=lambda w, batch: calls.append(1), optimizer=tl.SGD([w], lr=0.1), **wrong)
    assert calls == []


@pytest.mark.parametrize("rate", [-0.1, np.nan, np.inf, None, "0.1"])
def test_a_rate_that_is_none_is_refused_and_nothing_is_updated(rate):
    w = tl.tensor([2.0], requires_grad=True)
    schedule = lambda step: rate if step == 2 else 0.25
    with pytest.raises((TypeError, ValueError), match=r"schedule\(2\) must be"):
        fit(w, [0] * 3, loss=lambda w, batch: (w * w).sum(), optimizer=tl.SGD([w], lr=0.1), schedule=schedule)
    assert w.tolist() == [1.0]


def test_a_rate_of_zero_is_one():
    w = tl.tensor([2.0], requires_grad=True)
    losses = fit(
        w, [0] * 2, loss=lambda w, batch: (w * w).sum(), optimizer=tl.SGD([w], lr=0.1), schedule=lambda step: 0.0
    )
    assert losses == [4.0, 4.0]


@pytest.mark.parametrize(("lr", "kind"), [(1e308, "Inf"), (np.float64(np.nan), "NaN")])
def test_an_update_that_makes_a_weight_infinite_is_taken_back_and_told(lr, kind):
    w, v = (tl.tensor([2.0, 3.0], requires_grad=True, name=name) for name in "wv")
    optimizer, calls = tl.SGD([v, w], lr=0.1), []
    optimizer.lr = lr
    with pytest.raises(Fault, match=rf"update 1 made the first {kind} in v, at a learning .* in \[4, 6\]"):
        fit(w, [0], loss=lambda w, batch: (w * w + v * v).sum(), optimizer=optimizer, callbacks=[calls.append])
    assert w.tolist() == v.tolist() == [2.0, 3.0]
    assert calls == []


def test_the_optimiser_of_another_model_is_noticed():
    (ours, batches), (theirs, _) = lstm_and_batches(), lstm_and_batches()
    with pytest.raises(ValueError, match="the loss depends on none of the optimiser's parameters; give it those of"):
        fit(ours, batches, loss=loss, optimizer=tl.SGD(theirs.parameters(), 0.1))


def test_all_that_a_loop_can_be_given_is_found_beside_it():
    """Of the names in the table of the README, and of the changelog."""
    for name in (
        "Shuffled",
        "Streams",
        "TruncatedLoss",
        "cosine",
        "Plateau",
        "Validation",
        "Checkpoint",
        "Log",
        "Watch",
    ):
        assert callable(getattr(tl.training, name))

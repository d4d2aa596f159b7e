"""What is recorded of a training is what a person would compute of the same graph."""

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.training.watch import Watch


def watched(optimizer=tl.SGD, *, steps=3, watch=None, T=6, clip=None, **how):
    rng = np.random.default_rng(0)
    lstm, watch = tl.LSTM(2, 3, rng=0), watch or Watch()
    batches = [rng.normal(size=(T, 4, 2)) * 3 for _ in range(steps)]
    tl.fit(
        lstm,
        batches,
        loss=lambda lstm, xs: (lstm(xs)[0][-1] ** 2).sum(),
        optimizer=optimizer(lstm.parameters(), lr=0.1, **how),
        callbacks=[watch],
        clip=clip,
    )
    return lstm, batches, watch


def test_gates_are_means_and_shares_over_steps_and_sequences():
    _, batches, watch = watched(steps=1)
    again = tl.LSTM(2, 3, rng=0)
    output, _ = again(batches[0])
    values = {}
    for node in tl.Graph(output[-1].sum()).nodes:
        if node.name in ("f", "i", "g", "o"):
            values.setdefault(node.name, []).append(node.value)
    assert [moment.symbol for moment in watch.gates] == ["f", "i", "g", "o"]
    assert watch.gates[0].gate == "cell.forget_gate"
    for moment in watch.gates:
        rows, low, high = np.concatenate(values[moment.symbol]), -1 if moment.symbol == "g" else 0, 1
        np.testing.assert_allclose(moment.mean, rows.mean(axis=0))
        np.testing.assert_allclose(moment.low, (rows <= low + 0.05 * (high - low)).mean(axis=0))
        np.testing.assert_allclose(moment.high, (rows >= high - 0.05 * (high - low)).mean(axis=0))
    assert any(moment.high.any() for moment in watch.gates)


@pytest.mark.parametrize("clip", [None, 0.01])
def test_shares_of_gradient_descent_add_up_to_the_update(clip):
    """ΔW = −η g, clipped or not, so that the share of a distance is ⟨g_d, g⟩ / ‖g‖²."""
    lstm, batches, watch = watched(steps=1, clip=clip)
    before = tl.LSTM(2, 3, rng=0)
    loss = (before(batches[0])[0][-1] ** 2).sum()
    for path, parameter in before.named_parameters():
        parts = {}
        for edge in tl.backprop(loss):
            if edge.input is parameter:
                parts[5 - edge.node.time] = parts.get(5 - edge.node.time, 0) + edge.contribution
        whole = sum(parts.values())
        (moment,) = [each for each in watch.updates if each.parameter == path]
        assert moment.distances.tolist() == sorted(parts)
        np.testing.assert_allclose(moment.norms, [np.linalg.norm(parts[d]) for d in sorted(parts)])
        fractions = [(parts[d] * whole).sum() / (whole**2).sum() for d in sorted(parts)]
        np.testing.assert_allclose(moment.fractions, fractions, rtol=1e-7, atol=1e-9)
        now = dict(lstm.named_parameters())[path].value
        assert moment.delta == pytest.approx(np.linalg.norm(now - parameter.value))
        assert moment.weight == pytest.approx(np.linalg.norm(parameter.value))


def test_shares_add_up_to_one_whatever_the_optimiser_keeps():
    _, _, watch = watched(tl.Adam, steps=4, watch=Watch(lambda step: step == 4))
    assert {moment.step for moment in watch.updates} == {4}
    for moment in watch.updates:
        assert moment.fractions.sum() == pytest.approx(1)


def test_only_the_chosen_steps_and_parameters_are_recorded():
    _, _, watch = watched(steps=5, watch=Watch(2, parameters=["cell.candidate.bias"]))
    assert [(moment.step, moment.parameter) for moment in watch.updates] == [
        (2, "cell.candidate.bias"),
        (4, "cell.candidate.bias"),
    ]
    with pytest.raises(ValueError, match="at must be a positive whole number"):
        Watch(0)


def test_a_use_at_no_time_step_is_at_no_distance():
    model = tl.nn.LanguageModel(3, 4, rng=0)
    watch = Watch(parameters=["head.bias"])
    loss = lambda model, ids: tl.cross_entropy(model(ids[:-1])[0], ids[1:])
    tl.fit(model, [[0, 1, 2]], loss=loss, optimizer=tl.SGD(model.parameters(), lr=0.1), callbacks=[watch])
    (moment,) = watch.updates
    assert moment.distances.tolist() == [-1]
    np.testing.assert_allclose(moment.fractions, [1])
    assert watch.gates[0].gate == "recurrent.cell.forget_gate"

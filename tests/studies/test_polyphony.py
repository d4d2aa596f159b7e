"""Rolls that follow a rule are learned, drawn and written down as notes."""

from fractions import Fraction

import numpy as np
import pytest

from tinygrad_lstm.studies import fitting
from tinygrad_lstm.studies.pictures import learning
from tinygrad_lstm.studies.polyphony import (
    Polyphony,
    cells_after,
    compose,
    learn_polyphony,
    loss_by_step,
    notes_of,
    share_of,
)
from tinygrad_lstm.studies.rolls import KEYS, LOWEST, Rolls, marginal, markov
from tinygrad_lstm.testing import check_vjp
from tinygrad_lstm.training import Shuffled


def scales(count, rng):
    """Two keys at once, which go up by one and down by one, and turn after eight steps."""
    found = []
    for start in rng.integers(30, 50, count):
        way = np.abs((np.arange(40) + rng.integers(16)) % 16 - 8)
        found.append(np.zeros((40, KEYS), np.uint8))
        found[-1][np.arange(40), start + way] = found[-1][np.arange(40), start + 12 - way] = 1
    return found


@pytest.fixture(scope="module")
def rolls():
    rng = np.random.default_rng(0)
    return Rolls("scales", scales(64, rng), scales(16, rng), scales(16, rng))


def test_what_follows_a_rule_is_learned_and_kept_as_it_was_best(rolls, capsys):
    model = Polyphony(32, rng=0)
    before = loss_by_step(model, rolls.test)
    curve, whole = learn_polyphony(model, rolls, epochs=25, seed=0, about="scales", rate=0.02, size=16)
    assert whole
    assert [update for update, _ in curve] == list(range(4, 104, 4))
    assert loss_by_step(model, rolls.valid) == pytest.approx(min(loss for _, loss in curve))
    assert loss_by_step(model, rolls.test) < marginal(rolls) < before
    assert "scales: 100 updates" in capsys.readouterr().out


def test_who_stops_it_early_keeps_what_was_learned(rolls, monkeypatch):
    model, learn = Polyphony(4, rng=0), fitting.learn
    monkeypatch.setattr(fitting, "learn", lambda *args, **how: learn(*args, **how | {"steps": 2}) and False)
    curve, whole = learn_polyphony(model, rolls, epochs=1, seed=0, about="scales", rate=0.02)
    assert not whole
    assert curve == [(2, pytest.approx(loss_by_step(model, rolls.valid)))]
    assert learning(curve, "nats", {}).startswith("<svg")


def test_the_loss_is_its_definition_whatever_is_padded():
    pieces = [roll[:length] for roll, length in zip(scales(3, np.random.default_rng(1)), (2, 9, 30), strict=True)]
    model = Polyphony(4, rng=0, dtype=np.float64)
    total = 0.0
    for roll in pieces:
        chance = 1 / (1 + np.exp(-model(roll[:-1, None]).value[:, 0]))
        total -= np.log(np.where(roll[1:] == 1, chance, 1 - chance)).sum()
    assert loss_by_step(model, pieces) == pytest.approx(total / (1 + 8 + 29))


def test_its_gradients_are_right():
    (batch,) = Shuffled([np.eye(3, KEYS, k=30), np.eye(2, KEYS, k=40)], [np.eye(3, KEYS), np.eye(2, KEYS)], 2,
                        epochs=1, every_step=True)  # fmt: skip
    assert check_vjp(Polyphony(3, rng=0, dtype=np.float64).surprise(batch), directions=1).findings


def test_a_markov_chain_by_key_is_counting():
    rng = np.random.default_rng(0)
    train, test = (rng.random((2, 300, KEYS)) < 0.3).astype(np.uint8)
    found = markov(Rolls("noise", [train], [train], [test]), [test])
    loss = 0.0
    for key in range(KEYS):
        for now, after in zip(test[:-1, key], test[1:, key], strict=True):
            same = train[1:, key][train[:-1, key] == now]
            loss -= np.log(((same == after).sum() + 1) / (len(same) + 2))
    assert found == pytest.approx(loss / 299)


def test_notes_are_the_roll_again(rolls):
    for roll in rolls.test[:4]:
        again = np.zeros_like(roll)
        for start, length, pitch in notes_of(roll, Fraction(1, 4)):
            again[int(4 * start) : int(4 * (start + length)), pitch - LOWEST] += 1
        assert (again == roll).all(), "each once, and none twice"


def test_what_is_drawn_follows_from_the_seed_and_from_what_sounded():
    model, begun = Polyphony(8, rng=0), np.eye(6, KEYS, k=40, dtype=np.uint8)
    drawn = [compose(model, begun, 5, np.random.default_rng(seed)) for seed in (0, 0, 1)]
    assert drawn[0].shape == (5, KEYS)
    assert (drawn[0] == drawn[1]).all()
    assert (drawn[0] != drawn[2]).any()
    model.head.bias.value = np.full(KEYS, -50.0)
    assert not compose(model, begun, 5, np.random.default_rng(0)).any()


def test_cells_are_those_of_the_layer(rolls):
    model = Polyphony(4, rng=0)
    _, (_, last) = model.layer(rolls.test[0][:, None].astype(np.float32))
    assert cells_after(model, rolls.test[:1])[0][-1] == pytest.approx(last.value[0, 0], abs=1e-6)


def test_the_shares_of_the_tones_are_all_that_sounds(rolls):
    shares = np.array([[share_of(roll, tone) for tone in range(12)] for roll in rolls.test])  # (pieces, 12, 40)
    assert shares.sum(axis=1) == pytest.approx(np.ones((len(rolls.test), 40)))
    heard = [[roll[:, (tone - LOWEST) % 12 :: 12].sum() / roll.sum() for tone in range(12)] for roll in rolls.test]
    assert shares[..., 0] == pytest.approx(np.array(heard))

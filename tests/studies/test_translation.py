"""A translator writes what it read in other symbols and another order, and is measured by what is nearest."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_lstm as tl
from tinygrad_lstm.studies.dates import LANGUAGES, STYLES, written_dates
from tinygrad_lstm.studies.translation import (
    END,
    IGNORED,
    Translator,
    decoder_cells,
    distance,
    error_rates,
    learn_translation,
    of_one_length,
    read_pairs,
)
from tinygrad_lstm.testing import check_vjp

PAIRS = [("ab", "X"), ("c", "YX"), ("ba", "ZZZ"), ("c", "Z"), ("abc", "")]
short = st.text("ab", max_size=5)


def backwards(count, rng):
    words = ["".join(rng.choice(list("abcd"), rng.integers(2, 6))) for _ in range(count)]
    return [(word, word[::-1].upper()) for word in words]


def test_words_are_written_backwards_by_looking_from_the_end(capsys):
    rng = np.random.default_rng(0)
    pairs = backwards(800, rng)
    model = Translator.of(pairs, 32, rng=0)
    curve, whole = learn_translation(model, pairs, updates=250, seed=0, rate=0.02, about="backwards")
    assert whole
    assert curve[-1][1] < 0.1
    assert "backwards: 250 updates" in capsys.readouterr().out
    unseen = [(word, said) for word, said in backwards(200, rng) if word not in dict(pairs)]
    assert len(unseen) > 20
    said = model.translate([word for word, _ in unseen])
    rate, _ = error_rates([each.symbols for each in said], [[wanted] for _, wanted in unseen])
    assert rate < 0.05
    assert error_rates(["".join(each.symbols) for each in said], [[word.upper()] for word, _ in unseen])[0] > 0.3


def test_its_gradients_are_right():
    model = Translator("abc", "XYZ", 4, embedding=3, rng=0, dtype=np.float64)
    loss = model.surprise(model.batch(PAIRS[:1] + PAIRS[2:3]))
    assert check_vjp(loss, directions=1).findings


def test_what_it_writes_is_what_it_finds_likeliest_after_what_it_wrote():
    model = Translator("abc", "XYZ", 8, rng=3)
    words = ["ab", "c", "ba", "cab", "b"]
    for word, (symbols, looked) in zip(words, model.translate(words, most=6), strict=True):
        assert looked.shape == (len(symbols), len(word))
        assert looked.sum(axis=1) == pytest.approx(1, abs=1e-6)
        read, before, wanted = model.batch([(word, symbols)])
        likeliest = model(read, before).value.argmax(axis=-1)[:, 0]
        assert likeliest[: len(symbols)].tolist() == wanted[: len(symbols), 0].tolist()
        assert len(symbols) == 6 or model.writes[likeliest[-1]] == END


def test_what_is_not_to_be_written_any_more_does_not_count():
    model = Translator("abc", "XYZ", 4, rng=0, dtype=np.float64)
    together = model.surprise(model.batch([PAIRS[0], PAIRS[2]])).item()
    apart = [model.surprise(model.batch([pair])).item() for pair in (PAIRS[0], PAIRS[2])]
    assert together == pytest.approx((2 * apart[0] + 4 * apart[1]) / 6)  # by symbol, and END
    assert (model.batch([PAIRS[0], PAIRS[2]]).wanted == IGNORED).sum() == 2


def test_the_decoders_cells_are_those_that_it_writes_by():
    model = Translator("abc", "XYZ", 4, rng=0)
    for pair, cells in zip(PAIRS, decoder_cells(model, PAIRS), strict=True):
        read, before, _ = model.batch([pair])
        _, state = model.encode(read)
        _, (_, last) = model.decoder(model.symbols(before), state)
        assert cells.shape == (len(pair[1]) + 1, 4)
        assert cells[-1] == pytest.approx(last.value[0, 0], abs=1e-6)


def test_each_pair_comes_once_in_a_round_and_is_read_with_those_of_its_length():
    batches = of_one_length(PAIRS, 2, np.random.default_rng(0))
    for _ in range(3):
        some = [next(batches) for _ in range(3)]
        assert all(len({len(read) for read, _ in batch}) == 1 for batch in some)
        assert sorted(pair for batch in some for pair in batch) == sorted(PAIRS)


def test_what_is_read_together_has_one_length_and_the_hidden_units_are_even():
    with pytest.raises(ValueError, match="what is read together has one length"):
        Translator("abc", "XYZ", 4, rng=0).batch(PAIRS)
    with pytest.raises(ValueError, match="half of the hidden units read each way; 5 are odd"):
        Translator("abc", "XYZ", 5)


@cache
def told_apart(one, other):
    if not one or not other:
        return len(one) + len(other)
    changed = told_apart(one[1:], other[1:]) + (one[0] != other[0])
    return min(changed, 1 + told_apart(one[1:], other), 1 + told_apart(one, other[1:]))


@given(one=short, other=short)
def test_the_distance_is_that_of_its_definition(one, other):
    assert distance(one, other) == told_apart(one, other)


def test_of_several_that_are_right_the_nearest_counts():
    assert error_rates([["A", "B"], ["C"]], [[["A"], ["A", "B", "B", "B"], ["A", "B"]], [["D"]]]) == (1 / 3, 0.5)


def test_a_dictionary_is_read_as_cmus_is_written():
    text = "read R EH1 D # past\nread(2) R IY1 D\nread(3) R IY0 D\n\n# nothing\nempty\n(a) AH0\nB 1 2b\n"
    read = {"read": [["R", "EH", "D"], ["R", "IY", "D"]], "(a)": [["AH"]], "b": [["1", "2b"]]}
    assert read_pairs(text) == read


def test_days_are_written_in_all_languages():
    pytest.importorskip("babel")
    days = written_dates(20, np.random.default_rng(0))
    assert len({day[0][1] for day in days}) == 20
    for day in days:
        assert len(day) == len(LANGUAGES) * len(STYLES)
        assert len({iso for _, iso in day}) == 1
        assert all(spelling.isprintable() for spelling, _ in day)
    assert ("mardi 13 avril 1948", "1948-04-13") in days[0]


def test_a_saved_network_translates_as_before(tmp_path):
    model, other = (Translator("abc", "XYZ", 6, rng=seed) for seed in (0, 1))
    tl.save(model, tmp_path / "model.safetensors")
    tl.load(tmp_path / "model.safetensors", into=other)
    assert other.translate(["abc"])[0].symbols == model.translate(["abc"])[0].symbols

"""A series is read with its gaps, guessed by its past, and what surprises is told from what is odd."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_lstm.studies.series import around, auroc, autoregression_errors, planted, read_series


@pytest.fixture
def file(tmp_path):
    def written(text):
        (tmp_path / "a.csv").write_text(text, encoding="utf-8")
        return tmp_path / "a.csv"

    return written


def test_gaps_lie_on_the_line_between_their_neighbours(file):
    series = read_series(file("day,value,is_anomaly\nmo,1,0\ntu,,0\nwe,4,1\nth,7,0\n"))
    assert series.values.tolist() == [1, 2.5, 4, 7]
    assert series.names == ["mo", "tu", "we", "th"]
    assert series.odd.tolist() == [False, False, True, False]
    assert read_series(file("day,co2\n1,1\n2,3\n"), value="co2").odd is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a,b\n1,2\n", "has no column 'value'; it has a, b"),
        ("", "it has no row"),
        ("t,value\n1,two\n", "holds more than numbers"),
        ("t,value\n1,\n2,3\n", "has 1 numbers"),
    ],
)
def test_a_file_without_a_series_is_refused_in_one_line(text, says, file):
    with pytest.raises(ValueError, match=says) as refused:
        read_series(file(text))
    assert len(str(refused.value).splitlines()) == 1


def test_an_autoregression_knows_what_it_was_made_of_and_is_fitted_to_the_first_part_only(rng):
    x = np.zeros(400)
    for t in range(2, 400):
        x[t] = 1.5 * x[t - 1] - 0.8 * x[t - 2] + 0.1 * rng.normal()
    errors = autoregression_errors(x, 2, 300)
    assert errors[2:300].std() == pytest.approx(0.1, rel=0.15)
    changed = np.append(x[:300], -x[300:])
    np.testing.assert_array_equal(autoregression_errors(changed, 2, 300)[:300], errors[:300])
    with pytest.raises(ValueError, match="order 20 needs 40 values"):
        autoregression_errors(x, 20, 39)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=30))
def test_the_area_is_the_share_of_pairs_in_the_right_order(pairs):
    scores, odd = (np.array(each) for each in zip(*pairs, strict=True))
    if odd.all() or not odd.any():
        with pytest.raises(ValueError, match="nothing to compare"):
            auroc(scores, odd)
        return
    sides = [np.sign(a - b) for a in scores[odd] for b in scores[~odd]]
    assert auroc(scores, odd) == pytest.approx((1 + np.mean(sides)) / 2)


def test_what_is_around_is_as_long_as_the_series(rng):
    errors = rng.normal(size=20)
    assert around(errors, 5).shape == around(errors, 4).shape == (20,)
    assert around(errors, 5)[10] == pytest.approx(np.sqrt(np.square(errors[8:13]).mean()))


def test_what_is_planted_stands_alone_and_after_the_first_part(rng):
    series = planted(np.arange(200.0), 20, first=100, size=3, rng=rng)
    places = np.flatnonzero(series.odd)
    assert len(places) == 20
    assert places.min() >= 100
    assert np.diff(places).min() >= 4
    np.testing.assert_array_equal(np.abs(series.values - np.arange(200)), 3 * series.odd)

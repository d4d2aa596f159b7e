"""Letters are drawn as fonts have them, called as Unicode does, and seen row by row."""

import importlib.util
import unicodedata
from pathlib import Path

import numpy as np
import pytest

from tinygrad_lstm.studies.captions import word_f1
from tinygrad_lstm.studies.glyphs import LEAST, MARKS, ROOM, SIDE, glyphs, names, seen


@pytest.fixture
def font():
    pytest.importorskip("PIL")
    found = importlib.util.find_spec("matplotlib")
    if found is None:
        pytest.skip("matplotlib is not installed")
    return Path(found.origin).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"


def test_a_name_is_that_of_unicode_without_what_all_have():
    every = names()
    for letter, (case, base, *mark) in every.items():
        told = f"LATIN {case} LETTER {base} {' '.join(mark)}".strip().upper()
        assert unicodedata.name(letter) == told
        assert mark == [] or (mark[0] == "with" and mark[1] in MARKS)
    assert len({" ".join(name) for name in every.values()}) == len(every)


def test_each_word_is_in_many_names():
    told = list(names().values())
    for word in {word for name in told for word in name}:
        assert sum(word in name for name in told) >= LEAST


def test_a_letter_is_seen_row_by_row_wherever_it_stands():
    picture = np.zeros((SIDE + 2 * ROOM,) * 2, np.float32)
    picture[10, 5:15] = 1.0  # a line from left to right
    found = set()
    for seed in range(60):
        xs = seen([picture, picture.T], np.random.default_rng(seed))
        assert xs.shape == (SIDE, 2, SIDE)
        assert xs.sum(axis=(0, 2)).tolist() == [10, 10]
        (row,), columns = np.flatnonzero(xs[:, 0].any(axis=1)), np.flatnonzero(xs[:, 0].any(axis=0))
        assert np.ptp(columns) == 9
        assert xs[:, 1].any(axis=1).sum() == 10, "of the other, ten rows have a point"
        found.add((row, columns[0]))
    to = range(2 * ROOM + 1)
    assert found == {(10 - down, 5 - right) for down in to for right in to}


def test_every_letter_fits_in_and_differs_from_the_others(font):
    drawn = glyphs(font, names())
    assert len(drawn) == len(names())
    assert len({each.tobytes() for each in drawn.values()}) == len(drawn)
    for each in drawn.values():
        assert each.shape == (SIDE + 2 * ROOM,) * 2
        assert 0.5 < each.max() <= 1
        assert not any(edge.any() for edge in (each[:ROOM], each[-ROOM:], each[:, :ROOM], each[:, -ROOM:]))


def test_a_mark_stands_where_it_belongs(font):
    drawn = glyphs(font, "eéẹ")
    above, below = ((drawn[letter] - drawn["e"] > 0.2).nonzero()[0].mean() for letter in "éẹ")
    ink = drawn["e"].nonzero()[0]
    assert above < ink.min() < ink.max() < below


def test_what_a_font_does_not_have_is_left_out(font):
    assert list(glyphs(font, ["a", "\U000e0001", "ঋ", " "])) == ["a"]


def test_a_file_that_is_no_font_is_refused_in_one_line(tmp_path):
    pytest.importorskip("PIL")
    (tmp_path / "a.ttf").write_bytes(b"no font")
    with pytest.raises(ValueError, match=r"a\.ttf is no font that can be drawn"):
        glyphs(tmp_path / "a.ttf", "a")
    with pytest.raises(FileNotFoundError):
        glyphs(tmp_path / "b.ttf", "a")


def test_words_count_wherever_they_stand():
    assert word_f1([["a", "b", "b"]], [["b", "a"]]) == pytest.approx(4 / 5)
    assert word_f1([[], ["a"]], [[], ["b"]]) == 0.5

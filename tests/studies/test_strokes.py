"""Drawings become rows of pixels whatever their size and place, and a file that holds none is refused in one line."""

import json

import numpy as np
import pytest

from tinygrad_lstm.studies.strokes import pad_page, read_drawings, rows_of

SEVEN = [[[0, 0], [6, 0], [2, 9]], [[2, 4], [5, 4]]]


def test_a_drawing_is_read_whatever_its_size_and_place():
    moved = [[[40 + 3 * x, -7 + 3 * y] for x, y in stroke] for stroke in SEVEN]
    rows = rows_of(SEVEN)
    np.testing.assert_array_equal(rows_of(moved), rows)
    assert rows.shape == (8, 8)
    assert rows.min() == 0
    assert rows.max() == 1
    np.testing.assert_array_equal(rows_of([[[-x, y] for x, y in stroke] for stroke in SEVEN]), rows[:, ::-1])


def test_ink_lies_where_the_pen_went():
    bar = rows_of([[[0, 0], [9, 0]]])
    assert (bar[3:5] > 0).all()
    assert not bar[:3].any()
    assert not bar[5:].any()
    dot = rows_of([[[5, 5]]])
    assert dot.sum() == pytest.approx(dot[3:5, 3:5].sum())
    assert dot.sum() > 0


def test_a_file_of_drawings_is_read(tmp_path):
    path = tmp_path / "drawings.json"
    path.write_text(json.dumps([{"digit": 7, "strokes": SEVEN}, {"digit": None, "strokes": SEVEN}]), encoding="utf-8")
    first, second = read_drawings(path)
    assert (first.digit, second.digit) == (7, None)
    np.testing.assert_array_equal(first.rows, rows_of(SEVEN))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("[]", "no list of drawings"),
        ("{", "Expecting property name"),
        ("[" * 100_000, "recursion"),
        ('[{"digit": 3}]', "has no strokes"),
        ('[{"strokes": [[[1, 2, 3]]]}]', r"a stroke a list of points \[x, y\]"),
        ('[{"strokes": []}]', "a list of strokes"),
        ('[{"strokes": [[[1, 1e999]]]}]', "finite"),
        ('[{"strokes": [[[1, 2]]], "digit": 12}]', "from 0 to 9, or null, not 12"),
        ("[4]", "not subscriptable"),
    ],
)
def test_a_file_without_drawings_is_refused_in_one_line(content, says, tmp_path):
    path = tmp_path / "drawings.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=says) as refused:
        read_drawings(path)
    assert len(str(refused.value).splitlines()) == 1


def test_the_page_to_draw_on_works_offline_and_says_what_to_do_with_its_file():
    page = pad_page()
    assert "default-src 'none'" in page
    assert "demo handwriting --data drawings.json" in page
    assert "http" not in page.replace("http-equiv", "")

"""The page of pictures side by side needs no network, and names who is missing."""

import re

import pytest

from tests.benchmarks import pictures


def not_there():
    raise ImportError("No module named 'torchview'")


def test_the_page_needs_no_network_and_names_who_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "OTHERS", {"torchview": not_there})
    pictures.main([str(tmp_path / "page.html")])
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert text.count("<img") == 4
    assert "missing: No module named &#x27;torchview&#x27;" in text
    assert not re.search(r'(src|href)="(?!data:)', text)
    assert pictures.OLAH in text


@pytest.mark.parametrize(("unit", "words"), [("", 10.0), ("pt", 10.0 * 830 / 1000)])
def test_words_are_as_large_as_where_the_picture_is_as_wide_as_a_readme(unit, words):
    wide = 400 if unit == "" else 1000
    svg = (
        f'<svg width="{wide}{unit}" height="100{unit}" viewBox="0 0 {wide} 100"><text font-size="10.00">x</text></svg>'
    )
    assert pictures.smallest(svg) == pytest.approx(words)

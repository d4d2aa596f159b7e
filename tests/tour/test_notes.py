"""The notes are the article in Markdown: the same numbers, formulas between dollars, pictures that are there."""

import re

import pytest

from tinygrad_lstm.tour import TourError, run
from tinygrad_lstm.tour.notes import markdown
from tinygrad_lstm.tour.plot import LOOKS


@pytest.fixture(scope="module")
def notes(clouds):
    return clouds.directory.parent / "notes.md"


def test_they_have_every_section_number_and_formula(clouds, notes):
    text = notes.read_text(encoding="utf-8")
    assert re.findall(r"^#+ (.*)$", text, re.MULTILINE)[:3] == [
        "How an LSTM learned to read this",
        "A loop that remembers",
        "Near is easy, far is hard",
    ]
    assert f"$L$ = **{clouds.loss:.3f}**" in text
    assert "$$\nc_{1} = f_{1} \\odot c_{0} + i_{1} \\odot g_{1}\n$$" in text
    assert "it expects `sky` at" in text
    assert not re.search(r"\b[Dd]rag\b", text)
    assert "<" not in text.replace("\\<", "")


def test_what_they_show_and_link_is_there(notes):
    text = notes.read_text(encoding="utf-8")
    pictures = re.findall(r"!\[[^]]+\]\(([^)]+)\)", text)
    assert len(pictures) == len(set(pictures)) == 12
    links = [link for link in re.findall(r"\]\(([^)]+)\)", text) if not link.startswith("https:")]
    for link in links:
        assert (notes.parent / link).is_file(), link
    assert "tour/walk.html" in links


def test_a_formula_holds_no_sign_that_latex_does_not_know(notes):
    formulas = re.findall(r"\$+([^$]+)\$+", notes.read_text(encoding="utf-8"))
    assert len(formulas) > 20
    assert all(formula.isascii() for formula in formulas)


@pytest.mark.parametrize("text", ["# a `b` $c$ *d* <script>alert(1)</script>", "- [x](javascript:1) ``", "1. a _b_ |"])
def test_a_hostile_text_is_text_in_markdown_too(quick, tmp_path, text):
    run(text, tmp_path / "my tour", notes=tmp_path / "my notes.md")
    written = (tmp_path / "my notes.md").read_text(encoding="utf-8")
    outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", written)
    assert "<script" not in outside.replace("\\<", "")
    assert not re.search(r"(?<!\\)\]\(javascript", outside)
    assert re.search(r"!\[[^]]+\]\(my%20notes/gap.svg\)", written)
    assert "(my%20tour/walk.html)" in written


def test_a_file_of_another_kind_and_a_folder_that_cannot_be_are_one_clear_line(quick, tmp_path):
    with pytest.raises(TourError, match=r"notes are Markdown.*notes.txt"):
        run("a b", tmp_path / "tour", notes=tmp_path / "notes.txt")
    (tmp_path / "notes").write_text("in the way")
    with pytest.raises(TourError, match="cannot write the notes"):
        run("a b", tmp_path / "tour", notes=tmp_path / "notes.md")


def test_markdown_of_what_the_article_is_written_in():
    page = (
        '<p>See <a href="walk.html">the <em>walk</em></a>, not <a href="#x">here</a>.</p><script>no</script>'
        '<figure id="fig-gap"><p>no</p></figure><ul><li><code>a`b</code></li></ul><p class="live">no</p>'
    )
    assert markdown(page, {"gap": ["![gap](g.svg)"]}, "tour/").split("\n\n") == [
        "See [the *walk*](tour/walk.html), not here.",
        "![gap](g.svg)",
        "- ``a`b``\n",
    ]


def test_the_lines_of_a_plot_look_different_without_colour():
    assert len({(look.dashes, look.marker) for look in LOOKS}) == len(LOOKS) == 3

"""Tables in words and in HTML, and what modules and optimisers say of themselves in them."""

from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_lstm as tl
from tinygrad_lstm.structure.tables import html_table, text_table
from tinygrad_lstm.structure.words import clean

HOSTILE = [
    "</td></tr></table><script>alert(7 * 7)</script>",
    '" onmouseover="alert(1)',
    "&lt;b&gt; & <b>",
    "a\nb\r\n| c",
    "\x1b[31mred\x1b[0m\x07\x00",
    "\u202egnp.exe",
    "\ud800",
    "漢字 e\u0301",
    "x" * 5000,
    "",
]


def elements(page):
    """The elements of a page, in their order; attributes are only ours."""
    found = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs):
            assert {name for name, _ in attrs} <= {"style", "scope"}
            found.append(tag)

    Reader().feed(page)
    return found


words = st.text() | st.sampled_from(HOSTILE)


def grid(cells):
    return st.integers(1, 4).flatmap(
        lambda n: st.lists(st.lists(cells, min_size=n, max_size=n), min_size=1, max_size=4)
    )


@given(rows=grid(words | st.integers() | st.none()), framed=st.booleans())
def test_nothing_leaves_its_cell(rows, framed):
    """As many lines and elements as there are rows and cells; no control character; all that can be shown is there."""
    frame = {"head": rows[0], "foot": rows[-1]} if framed else {}
    shown = [*([rows[0]] if framed else []), *rows, *([rows[-1]] if framed else [])]
    text, page = text_table(rows, **frame), html_table(rows, **frame, caption=str(rows[0][0]))
    assert len(text.split("\n")) == len(rows) + 4 * framed
    assert all(ch.isprintable() or ch in "\n\u200c\u200d" for ch in text)
    tags = elements(page)
    assert tags.count("tr") == len(shown)
    assert tags.count("td") + tags.count("th") == sum(map(len, shown))
    assert set(tags) <= {"table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td"}
    for cell in (cell for row in shown for cell in row):
        assert clean(cell, 80).strip() in text


@given(words, st.integers(3, 40))
def test_a_line_is_no_longer_than_it_may_be(text, longest):
    assert len(clean(text, longest)) <= longest
    assert clean(clean(text, longest), longest) == clean(text, longest)


def test_columns_stand_under_each_other_also_where_letters_are_wide():
    table = text_table([["漢字", 1], ["e\u0301é", 10], ["abcd", 100]], align="lr")
    assert table.split("\n") == ["漢字    1", "e\u0301é     10", "abcd  100"]


def test_a_table_of_nothing_is_empty():
    assert text_table([]) == ""
    assert html_table([]) == "<table></table>"


@pytest.mark.parametrize("how", [{"rows": [[1, 2], [3]]}, {"rows": [[1]], "head": ["a", "b"]}])
def test_rows_of_other_lengths_are_refused(how):
    for table in (text_table, html_table):
        with pytest.raises(ValueError, match=r"as many cells; these have \[1, 2\]"):
            table(**how)


@pytest.mark.parametrize("align", ["lx", "lll"])
def test_alignments_that_there_are_not_are_refused(align):
    with pytest.raises(ValueError, match="'l' or 'r'"):
        text_table([[1, 2]], align=align)


def test_a_module_is_one_short_line():
    class Doubled(tl.nn.Module):
        def __init__(self):
            self.head = tl.Linear(3, 2, rng=0)
            self.same, self.scales = self.head, [tl.tensor(2.0, requires_grad=True), tl.tensor(3.0)]

    modules = {
        "LSTM(3 → 4, layers=2, bidirectional)": tl.LSTM(3, 4, num_layers=2, bidirectional=True),
        "GRU(3 → 4, bidirectional)": tl.GRU(3, 4, bidirectional=True),
        "RNN(3 → 4)": tl.RNN(3, 4),
        "Recurrent(3 → 4, layers=2)": tl.nn.Recurrent(tl.GRUCell(3, 4), tl.GRUCell(4, 4)),
        "LSTMCell(3 → 4)": tl.LSTMCell(3, 4),
        "Gate(7 → 4)": tl.LSTMCell(3, 4).forget_gate,
        "Linear(3 → 2)": tl.Linear(3, 2),
        "Embedding(10 → 4)": tl.Embedding(10, 4),
        "Doubled(2 parts, 9 parameters)": Doubled(),
        "Module(0 parts, 0 parameters)": tl.nn.Module(),
        "LSTM(? → ?)": tl.LSTM.__new__(tl.LSTM),
        "GRUCell(? → ?)": tl.GRUCell.__new__(tl.GRUCell),
        "Linear(? → ?)": tl.Linear.__new__(tl.Linear),
    }
    assert [repr(module) for module in modules.values()] == list(modules)


def test_a_module_prints_its_parameters_and_their_total():
    assert str(tl.RNN(3, 4, rng=0)).split("\n") == [
        "RNN(3 → 4)",
        "parameter          shape   count",
        "────────────────────────────────",
        "cell.layer.weight  (7, 4)     28",
        "cell.layer.bias    (4,)        4",
        "────────────────────────────────",
        "all                           32",
    ]


def test_an_optimiser_says_how_it_is_set_and_how_far_it_is():
    model = tl.Linear(3, 2, rng=0)
    adam = tl.Adam([*model.parameters(), tl.tensor(1.0, requires_grad=True)])
    assert repr(adam) == "Adam(lr=0.001, betas=(0.9, 0.999), 9 parameters)"
    assert repr(tl.SGD(model.parameters(), 0.5)) == "SGD(lr=0.5, momentum=0.0, 8 parameters)"
    assert repr(tl.SGD.__new__(tl.SGD)) == "SGD(0 parameters)"
    for _ in range(2):
        model([1.0, 2.0, 3.0]).sum().backward()
        adam.step()
    assert str(adam).split("\n")[3:] == [
        "weight     (3, 2)      2",
        "bias       (2,)        2",
        "—          ()          0",
    ]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_in_their_cells(name):
    def made(name):
        model = type(name.encode("utf-8", "replace").decode().replace("\0", ""), (tl.nn.Module,), {})()
        setattr(model, name, tl.Linear(2, 2, rng=0))
        weights = tl.tensor(np.ones(2), requires_grad=True, name=name)
        return [model, tl.SGD([*model.parameters(), weights], lr=0.1)]

    for tame, hostile in zip(made("tame"), made(name), strict=True):
        assert "\n" not in repr(hostile)
        assert len(str(hostile).split("\n")) == len(str(tame).split("\n"))
        assert str(hostile).replace("\n", "").isprintable()
        assert elements(hostile._repr_html_()) == elements(tame._repr_html_())

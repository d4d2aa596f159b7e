"""The article says what the run measured, whatever the text, the cell and the machine."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.drawing.paint.render import RenderError
from tinygrad_lstm.tour import article, pictures, run
from tinygrad_lstm.tour.article import described, values
from tinygrad_lstm.tour.pictures import BELT, one_step, unfolding, variants

HOSTILE = 'a <script>alert(1)</script> "&amp;" \u202e{{ 7*7 }} ' + "w" * 500


class Page(HTMLParser):
    """The words of a page, its ids, links and scripts."""

    def __init__(self, path):
        super().__init__()
        self.html = path.read_text(encoding="utf-8")
        self.text, self.ids, self.links, self.tags, self._open = "", [], [], [], []
        self.feed(self.html)
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags.append(tag)
        self.ids += [found["id"]] if "id" in found else []
        self.links += [found["href"]] if "href" in found else []
        if tag in ("script", "style", "svg"):
            self._open.append(tag)

    def handle_endtag(self, tag):
        if self._open and self._open[-1] == tag:
            self._open.pop()

    def handle_data(self, data):
        if not self._open:
            self.text += data


@pytest.fixture(scope="module")
def page(clouds):
    return Page(clouds.directory / "index.html")


def test_every_section_is_there_and_every_link_within_the_page_leads_somewhere(page):
    wanted = ["persistence", "gap", "belt", "gates", "changes", "back", "open", "variants", "proof", "next"]
    assert [id for id in page.ids if id in wanted] == wanted
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    assert {"walk.html", "check.html", "network.svg", "gradients.svg", "network.dot"} <= set(page.links)


def test_the_walk_and_the_proof_lead_back(clouds):
    for name in ("walk.html", "check.html"):
        assert "index.html" in Page(clouds.directory / name).links


def test_the_claims_are_the_numbers_of_the_run(clouds, page):
    near, far = clouds.gaps[0], clouds.gaps[-1]
    said = [
        f"training stopped at L = {clouds.loss:.3f}; who guesses blindly among 7 pays {np.log(7):.3f}",
        f"share one set of {sum(w.value.size for w in clouds.weights)} numbers",
        f"the RNNs are right {100 * near.mean('RNN'):.0f} % of the time",
        f"{100 * far.mean('RNN'):.0f} % against {100 * far.mean('LSTM'):.0f} %",
        f"ct changes by {np.mean(clouds.gated.changes):.2f} and the RNN’s ht by {np.mean(clouds.plain.changes):.2f}",
        f"All {len(clouds.proof.errors)} parameters",
        f"{clouds.events} events",
    ]
    for each in said:
        assert each in page.text, each


def test_what_is_told_of_a_gate_is_what_it_did(clouds):
    gate = clouds.gated.gates[0]
    openings = np.array([gate.at[t].value.mean() for t in range(clouds.gated.once)])
    found = described(clouds.gated, gate)
    assert found["mean"] == pytest.approx(openings.mean())
    assert found["widest"] == (clouds.gated.words[openings.argmax()], pytest.approx(openings.max()))
    assert found["doing"] == {"forget": True}


def test_what_would_have_been_is_what_a_run_with_the_gate_held_says(clouds):
    gate = clouds.gated.held
    for end, held in enumerate(values(clouds)["asked"]["at"]):
        fresh = tl.what_if(clouds.gated.loss, {"f": float(end)})
        assert held["loss"] == pytest.approx(fresh.item(), rel=1e-12)
        assert gate.symbol == "f"
        states = [f"t{t}.cell.c" for t in range(len(clouds.gated.words))]
        assert len(held["felt"]) == len(states)
    assert held["felt"][-1] > 0


def test_it_is_one_small_file_that_allows_no_script_but_its_own(clouds, page):
    assert len(page.html.encode()) < 3_000_000
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page.html)[1]
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy
    assert page.tags.count("script") == 2
    assert not re.search(r"\beval\(|new Function", page.html)


def test_the_data_hold_no_number_that_json_has_not(page):
    inside = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.html, re.DOTALL)[1]
    data = json.loads(inside, parse_constant=lambda name: pytest.fail(name))
    assert data["target"] == "sky"
    assert len(data["expects"]) == data["once"] == 7


@pytest.mark.parametrize("chars", [False, True])
def test_a_hostile_text_stays_inert(quick, tmp_path, chars):
    tour = run(HOSTILE, tmp_path / "tour", chars=chars, notes=tmp_path / "notes.md")
    page = Page(tmp_path / "tour" / "index.html")
    assert page.tags.count("script") == 2
    assert "alert(1)</script>" not in page.html
    assert "\u202e" not in page.html
    assert "w" * 100 not in page.text
    assert "49" not in [shown for shown, _ in tour.guesses]
    assert "{{ 7*7 }}" in page.text or chars


def test_a_plain_rnn_has_its_gates_told_by_an_lstm_beside_it(quick, tmp_path):
    tour = run("a b a c", tmp_path, cell="rnn")
    page = Page(tmp_path / "index.html")
    assert (tour.gated.title, tour.plain.title) == ("LSTM", "RNN")
    assert "You asked for an RNN, and it has no gates" in page.text


@pytest.mark.parametrize(
    ("cell", "doing"),
    [
        ("lstm", [{"forget": True}, {"write": True}, {}, {"read": True}]),
        ("gru", [{"forget": False, "write": True}, {"see": True}, {}]),
        ("coupled", [{"forget": False, "write": True}, {}, {"read": True}]),
        ("lstm-1997", [{"write": True}, {}, {"read": True}]),
    ],
)
def test_what_a_gate_does_is_told_as_its_cell_has_it(quick, tmp_path, cell, doing):
    tour = run("a b a c", tmp_path, cell=cell)
    assert [described(tour.gated, layer)["doing"] for layer in tour.gated.layers] == doing
    page = Page(tmp_path / "index.html")
    assert ("one minus each of its numbers" in page.text) == (cell in ("gru", "coupled"))
    assert ("how much of the past one looks at" in page.text) == (cell == "gru")


@pytest.mark.parametrize(
    ("ours", "theirs", "said"),
    [
        (0.7, 1.5, "adds to what is there"),
        (1.2, 1.6, "changes less, if not by much"),
        (0.9, 1.0, "changes less, if not by much"),
        (1.5, 1.4, "does not change less than the RNN"),
    ],
)
def test_the_rnn_is_not_said_to_change_more_than_it_does(clouds, monkeypatch, ours, theirs, said):
    monkeypatch.setitem(vars(clouds.gated), "changes", [ours] * 29)
    monkeypatch.setitem(vars(clouds.plain), "changes", [theirs] * 29)
    written = article.article(clouds)
    claims = ("adds to what is there", "changes less, if not by much", "does not change less than the RNN")
    assert [each for each in claims if each in written] == [said]


@pytest.mark.parametrize("cell", ["gru", "lstm-1997", "janet"])
def test_another_cell_is_told_by_its_own_gates(quick, tmp_path, cell):
    tour = run("a b a c", tmp_path, cell=cell)
    page = Page(tmp_path / "index.html")
    for gate in tour.gated.gates:
        assert f"{gate.symbol} · {gate.words}" in page.text


def test_one_word_is_enough(quick, tmp_path):
    run("hello", tmp_path)
    page = Page(tmp_path / "index.html")
    assert "before the only word of this text there is but one. What" in page.text


def test_where_nothing_can_be_painted_the_article_says_so_and_is_all_there(quick, tmp_path, monkeypatch):
    def fails(*_):
        raise RenderError("no Graphviz here")

    monkeypatch.setattr(pictures, "one_step", fails)
    tour = run("a b c", tmp_path)
    page = Page(tmp_path / "index.html")
    assert tour.undrawn == "no Graphviz here"
    assert "There is no picture here" in page.text
    assert {"fig-gates", "fig-belt", "fig-loop", "fig-open"} <= set(page.ids)


def test_the_loop_is_laid_on_the_last_cell_and_has_no_id_that_could_meet_another(clouds):
    svg = unfolding(clouds.objective, clouds.weights)
    assert svg.count('data-id="loop"') == svg.count('data-id="weights"') == 1
    assert " id=" not in svg
    assert "<style" not in svg
    assert f">{sum(w.value.size for w in clouds.weights)}<" in svg
    for t in range(6):
        assert svg.count(f'data-id="t{t}"') == 1


def test_what_a_layer_lights_is_in_the_picture(clouds):
    svg, lit = one_step(clouds.gated)
    assert set(lit) == {BELT, "0", "1", "2", "3"}
    for ids in lit.values():
        assert ids
        for id in ids:
            assert f'data-id="{id}"' in svg
    assert "t1.cell.mul" in lit["0"]
    assert "t1.cell.add" in lit[BELT]
    assert "t1.cell.add" not in lit["0"]


def test_the_weights_of_the_variants_are_counted():
    counted = {variant.title: variant.weights for variant in variants(16)}
    assert counted["LSTM"] == 4 * (32 * 16 + 16)
    assert counted["GRU"] == counted["Coupled LSTM"] == 3 * (32 * 16 + 16)


def test_an_article_is_called_for_as_one_says_its_letters():
    assert [article.with_article(name) for name in ("LSTM", "RNN", "GRU")] == ["an LSTM", "an RNN", "a GRU"]

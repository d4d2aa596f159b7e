"""A contest is fair, is judged as it says, and is told as it was."""

import json
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import numpy as np
import pytest

from tinygrad_lstm.studies import Result, Section, Study, Table, Walk, by_name
from tinygrad_lstm.studies import contest as contests
from tinygrad_lstm.studies.contest import CONTENDERS, RATES, SEARCHED, compete, rows
from tinygrad_lstm.studies.intervals import wilson
from tinygrad_lstm.studies.page import page
from tinygrad_lstm.studies.published import NOT_CHECKED, PUBLISHED, published_table
from tinygrad_lstm.studies.reports import LOOKS, report, solved
from tinygrad_lstm.studies.tasks import TASKS
from tinygrad_lstm.studies.trial import Reader, Trained, train_side_by_side

SVG = "{http://www.w3.org/2000/svg}"


def result(contender="RNN", gap=10, sequences=(None, 100), task="temporal-order", rate=0.01):
    row = {**rows(task, {gap: 4000}, [contender])[0], "seeds": len(sequences)}
    values = {"rate": rate, "search": {}, "sequences": list(sequences), "scores": [1.0] * len(sequences)}
    return Result(row, values, 1.5)


def test_everyone_has_the_same_settings():
    for name in ("temporal-order", "adding", "reber", "copy"):
        study = by_name(name)
        for gap in {row["gap"] for row in study.rows()}:
            there = [{**row, "contender": ""} for row in study.rows() if row["gap"] == gap]
            assert len(there) == len(CONTENDERS)
            assert all(row == there[0] for row in there)
            assert there[0]["seeds"] == 10


def test_the_seeds_a_rate_is_chosen_by_are_none_of_those_it_is_judged_by():
    most = max(row["seeds"] for row in by_name("temporal-order").rows())
    assert min(SEARCHED) > most


@pytest.mark.parametrize("contender", CONTENDERS)
def test_contenders_begin_as_their_names_say(contender):
    rng = np.random.default_rng(0)
    cell = CONTENDERS[contender](3, 8, rng)
    assert cell.state_sizes[0] == 8
    if contender.startswith("LSTM"):
        np.testing.assert_array_equal(cell.forget_gate.bias.value, float(contender[-1]))
    if "," in contender and contender.startswith("RNN"):
        recurrent = cell.layer.weight.value[:8]
        np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(8), atol=1e-12)
        assert ("identity" in contender) == bool((recurrent == np.eye(8)).all())
        assert cell.layer.activation.name == ("relu" if "relu" in contender else "tanh")


def test_a_run_is_the_same_again_and_another_row_is_another():
    row = {**rows("adding", {6: 96}, ["GRU"], hidden=3, batch=4, seeds=2)[0]}
    first = compete(**row)
    assert json.loads(json.dumps(first)) == first
    assert compete(**row) == first
    assert compete(**{**row, "contender": "RNN"})["scores"] != first["scores"]


def trained(sequences, scores):
    return Trained(sequences=list(sequences), scores=list(scores), updates=1)


@pytest.mark.parametrize(
    ("sequences", "scores", "best"),
    [
        ([None, None, 9] + [None] * 6, [0.2] * 9, RATES[0]),
        ([None, None, 9, 50, 60, None] + [None] * 3, [0.2] * 9, RATES[1]),
        ([9, 9, 9, 8, 8, 8, 9, 9, 9], [1.0] * 9, RATES[1]),
        ([None] * 9, [0.2] * 6 + [0.3] * 3, RATES[2]),
        ([None] * 9, [float("nan")] * 3 + [0.2] * 3 + [0.1] * 3, RATES[1]),
    ],
)
def test_the_rate_by_which_most_succeed_is_chosen_then_the_soonest_then_the_nearest(sequences, scores, best):
    assert contests._best(TASKS["temporal-order"](10), trained(sequences, scores)) == best


def test_where_errors_count_the_smallest_is_nearest():
    scores = [0.2] * 3 + [0.1] * 3 + [0.15] * 3
    assert contests._best(TASKS["adding"](10), trained([None] * 9, scores)) == RATES[1]


def test_a_network_that_solves_it_leaves_and_is_counted_then():
    """An easy task: both succeed, each as it would alone, and the count is where its window became good."""
    task = TASKS["adding"](2)
    make = lambda seed: Reader(CONTENDERS["RNN"](2, 8, np.random.default_rng([seed, 0])), 1, seed)
    how = {"rates": [0.01], "budget": 6400, "batch": 16}
    together = train_side_by_side(task, [make(0), make(1)], seeds=[0, 1], **{**how, "rates": [0.01] * 2})
    assert all(seen and seen % 16 == 0 and task.window <= seen < 6400 for seen in together.sequences)
    assert together.sequences[0] != together.sequences[1]
    assert all(score <= 0.01 for score in together.scores)
    for seed in (0, 1):
        alone = train_side_by_side(task, [make(seed)], seeds=[seed], **how)
        assert alone.sequences == [together.sequences[seed]]
        assert alone.scores == [together.scores[seed]]


def test_one_whose_numbers_overflow_fails_and_the_others_are_judged():
    task = TASKS["adding"](4)
    readers = [Reader(CONTENDERS["RNN, relu from the identity"](2, 4, np.random.default_rng(s)), 1, s) for s in (0, 1)]
    readers[0].cell.layer.weight.value = np.full((6, 4), 1e200)
    found = train_side_by_side(task, readers, seeds=[0, 1], rates=[0.01] * 2, budget=2048, batch=16)
    assert found.sequences[0] is None
    assert not np.isfinite(found.scores[0])
    assert np.isfinite(found.scores[1])


def test_a_run_that_overflows_is_kept_as_what_json_holds():
    assert contests._rounded(float("nan")) is None
    assert contests._rounded(0.123456789) == 0.123457


def test_wilson_agrees_with_its_equation_solved_for_the_share():
    for successes, tries in ((0, 10), (3, 10), (10, 10), (1, 2), (50, 100)):
        observed = successes / tries
        for share in wilson(successes, tries):
            if 1e-9 < share < 1 - 1e-9:  # where the distance is 1.96 of the share's own standard deviations
                assert abs(observed - share) == pytest.approx(1.959964 * np.sqrt(share * (1 - share) / tries), rel=1e-6)
        low, high = wilson(successes, tries)
        assert 0 <= low <= observed <= high <= 1
    for wrong in ((1, 0), (3, 2), (-1, 2)):
        with pytest.raises(ValueError, match="is no share"):
            wilson(*wrong)


def test_the_report_tells_what_was_found():
    results = [
        result("RNN", 10, [None, 100]),
        result("RNN", 20, [None, None]),
        result("GRU", 10, [200, 300]),
    ]
    sections = report(results)
    first, second = sections[0], sections[1]
    assert "At 10 steps it was solved by all networks of “GRU”; some networks of “RNN”." in first.prose
    assert "At 20 steps it was solved by no networks of “RNN”." in first.prose
    assert first.table.rows == [["RNN", "1 of 2 (9–91 %)", "0 of 2 (0–66 %)"], ["GRU", "2 of 2 (34–100 %)", "not run"]]
    assert second.table.rows[1][1] == "250 (200–300) at 0.01"
    assert second.table.rows[0][2] == "— at 0.01"
    assert sum(solved(each) for each in results) == 3
    root = ET.fromstring(first.figure)
    words = [element.text for element in root.iter(f"{SVG}text")]
    assert {"RNN", "GRU", "10", "20", "0 %", "100 %"} <= set(words)


def test_lines_are_told_apart_without_colour():
    looks = {(look.dashes, look.marker) for look in LOOKS.values()}
    assert len({(look.colour, look.dashes, look.marker) for look in LOOKS.values()}) == len(LOOKS)
    assert len(looks) >= 5
    assert set(LOOKS) == set(CONTENDERS)


def test_one_gap_is_told_without_a_figure():
    first = report([result("GRU", 0, [5, 6], task="reber")])[0]
    assert first.figure is None
    assert first.prose == "It was solved by all networks of “GRU”."


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_figures_say_in_what_ours_differ_and_what_was_checked(name):
    for figure in PUBLISHED[name]:
        assert figure.differs
        assert figure.setting
        assert figure.criterion
        assert figure.checked == NOT_CHECKED or "not" in figure.checked
        assert figure.ours is None or figure.ours in {
            (row["contender"], row.get("gap", 0)) for row in by_name(name).rows()
        }
    table = published_table(name, lambda contender, gap: f"{contender} at {gap}")
    assert all(len(row) == len(table.head) for row in table.rows)
    assert published_table("nothing", str) is None


def test_ours_stands_beside_what_papers_print():
    results = [result("LSTM, forget bias 3", 100, [100, None, 300])]
    table = report(results)[-1].table
    assert table.rows[0][4] == "LSTM, forget bias 3, gap 100: 2 of 3, 200 sequences on average, ± 141"
    assert report([result()])[-1].table.rows[0][4] == "LSTM, forget bias 3, gap 100: not run"


class Outline(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.words = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words += data


def test_the_page_holds_the_report_escaped_and_links_the_walk():
    evil = "<script>alert(1)</script>"
    sections = [Section(evil, f"one {evil}\n\ntwo", table=Table([evil, "n"], [[evil, 3]], "lr"))]
    study = Study("evil", evil, evil, list, dict, lambda results: sections, Walk(evil, evil, str))
    outline = Outline(page(study, {"command": evil, "version": evil}, [], walk="a%20b-walk.html"))
    assert [tag for tag, _ in outline.tags].count("script") == 1  # the page's own, which is empty
    assert outline.words.count("alert(1)") >= 8
    assert ("a", {"href": "a%20b-walk.html"}) in outline.tags
    assert [tag for tag, _ in outline.tags].count("p") == 4


def test_the_page_of_a_contest_is_whole():
    study = by_name("temporal-order")
    text = page(study, {"command": "tinygrad-lstm study", "version": "1"}, [result("GRU", 10), result("GRU", 20)])
    outline = Outline(text)
    assert [tag for tag, _ in outline.tags].count("svg") == 1
    assert "2 runs, 3 seconds of computing" in " ".join(outline.words.split())
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")


def test_the_settings_say_that_the_norm_to_clip_at_is_not_searched_for():
    (settings,) = [section for section in report([result()]) if section.title == "Settings"]
    assert "clipped at norm 1" in settings.prose
    assert "is not searched for" in settings.prose

"""The article in a browser: what every slider and choice says is what Python says, and anybody can read it anywhere."""

import re
from itertools import pairwise

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.drawing.figures.carrying import belts
from tinygrad_lstm.drawing.figures.reading import Recorded
from tinygrad_lstm.drawing.paint.render import RenderError
from tinygrad_lstm.structure.terms import TERMS
from tinygrad_lstm.structure.words import magnitude
from tinygrad_lstm.tour import gaps, pictures, run
from tinygrad_lstm.tour.article import expectations
from tinygrad_lstm.tour.model import NextToken
from tinygrad_lstm.tour.reading import forgotten

CELLS = ("lstm", "gru", "rnn", "peephole-2000")


@pytest.fixture(scope="module")
def tours(tmp_path_factory):
    """Tours by cell, with little training."""
    made = {}

    def tour(cell="lstm", text="the clouds are in the sky", **how):
        key = (cell, text, *how)
        if key not in made:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(gaps, "BUDGET", 320)
                made[key] = run(text, tmp_path_factory.mktemp("tour"), cell=cell, **how)
        return made[key]

    return tour


@pytest.fixture
def article(open_page, tours):
    """Opens the article of a tour."""

    def article(cell="lstm", text="the clouds are in the sky", width=1280, height=720, **how):
        tour = tours(cell, text, **{key: how.pop(key) for key in ("chars",) if key in how})
        html = (tour.directory / "index.html").read_text(encoding="utf-8")
        return tour, open_page(html, width, height, **how)

    return article


def moved(page, figure, value):
    page.locator(f"#fig-{figure} input[type=range]").evaluate(
        "(input, value) => { input.value = value; input.dispatchEvent(new Event('input')); }", str(value)
    )


def chosen(page, figure, value):
    page.locator(f'#fig-{figure} input[type=radio][value="{value}"]').check()


def told(page, figure, where="figcaption"):
    """The numbers that a figure tells, exactly as it has them."""
    found = page.locator(f"#fig-{figure} {where} data").evaluate_all("all => all.map((each) => each.value)")
    return [float(value) for value in found]


def rectangles(locator):
    """Where elements are, those that are shown."""
    found = locator.evaluate_all("all => all.map((each) => each.getBoundingClientRect().toJSON())")
    return [each for each in found if each["width"]]


def close(*numbers):
    return pytest.approx(list(map(float, numbers)), rel=1e-9)


def test_it_agrees_with_python_and_says_so(article):
    _, page = article()
    assert re.search(r"agree with Python to", page.locator("#agreement").inner_text())


@pytest.mark.parametrize("cell", CELLS)
def test_expectations_are_those_of_the_model_after_each_word(article, cell):
    tour, page = article(cell)
    model = NextToken(cell, len(tour.corpus.vocabulary))
    for ours, theirs in zip(model.parameters(), tour.weights, strict=True):
        ours.value = theirs.value
    expected = expectations(model, tour.corpus.ids[: tour.gated.once], tour.corpus.vocabulary)
    for count, guesses in enumerate(expected, 1):
        moved(page, "expects", count)
        assert told(page, "expects", "tbody") == close(*(share for _, share in guesses))
        assert page.locator("#fig-expects tbody .token").all_inner_texts() == [word for word, _ in guesses]


def test_the_loop_unfolds_into_the_chain_and_the_weights_stay_one(article):
    _, page = article()
    shown = "all => all.filter((each) => each.style.display !== 'none').length"
    places = []
    for arrows in range(6):
        moved(page, "loop", arrows)
        assert page.locator("#fig-loop .column:is([data-id^=t])").evaluate_all(shown) == arrows + 1
        assert told(page, "loop") == [arrows + 1, arrows]
        opacity = float(page.locator("#fig-loop [data-id=loop]").evaluate("(each) => getComputedStyle(each).opacity"))
        assert opacity == (arrows < 5)
        assert page.locator("#fig-loop [data-id=weights]").count() == 1
        cells = rectangles(page.locator("#fig-loop .column:is([data-id^=t]) .node.cell path"))
        places.append(np.diff([each["x"] for each in cells]))
    for apart in places[1:]:
        assert apart == pytest.approx(apart[0], rel=0.02)
        assert (apart > 0).all()


def test_the_loop_lies_on_the_cell_that_is_still_folded(article):
    _, page = article()
    for unfolded in (0, 1, 3, 2.5):
        moved(page, "loop", unfolded)
        loop = page.locator("#fig-loop [data-id=loop] path").first.bounding_box()
        last = page.locator("#fig-loop .column:is([data-id^=t]) .node.cell path:visible").last.bounding_box()
        assert loop["x"] < last["x"]
        assert loop["x"] + loop["width"] > last["x"] + last["width"]
        assert loop["y"] < last["y"]


def test_every_gap_tells_the_scores(article):
    tour, page = article()
    for at, gap in enumerate(tour.gaps):
        moved(page, "gap", at)
        assert told(page, "gap") == close(gap.mean("RNN"), gap.mean("LSTM"))
        assert page.locator("#fig-gap .letters span").count() == gap.gap + 2


@pytest.mark.parametrize("cell", CELLS)
def test_the_belt_at_every_word(article, cell):
    tour, page = article(cell)
    reading = tour.gated
    belt = belts(Recorded(reading.graph, "all"))[0]
    for t in (0, 1, 5, len(reading.words) - 1):
        moved(page, "belt", t)
        before, *_ = belt.at[t].norms
        kept = [belt.at[t].norms[1]] if len(belt.at[t].way) > 1 and before else []
        assert told(page, "belt") == close(before, *kept, magnitude(reading.states[t].value))


@pytest.mark.parametrize("cell", CELLS)
def test_the_openings_of_every_layer(article, cell):
    tour, page = article(cell)
    for number, layer in enumerate(tour.gated.layers):
        chosen(page, "gates", number)
        values = tour.gated.openings(layer)[: tour.gated.once]
        means = values.mean(axis=1)
        expected = (means.mean(), means.max(), means.min()) if layer.is_gate else (np.abs(values).mean(),)
        assert told(page, "gates") == close(*expected)
        lit = page.locator("#fig-gates .picture .lit").evaluate_all("all => all.map((each) => each.dataset.id)")
        assert any(id in lit for id in (tour.gated.graph.ids[layer.at[1]],))


def test_the_figure_shows_the_gate_that_one_reads_of(article):
    _, page = article(height=600)
    for number in (2, 1, 3):
        heading = page.locator("#gates h3").nth(number)
        heading.evaluate("(each) => each.scrollIntoView({ behavior: 'instant', block: 'center' })")
        chosen_now = "(number) => document.querySelector('#fig-gates input:checked').value === String(number)"
        page.wait_for_function(chosen_now, arg=number)
    layer = page.locator("#fig-gates figcaption i").inner_text()
    assert layer == "o"


@pytest.mark.parametrize("width", [1280, 390])
def test_every_cell_is_seen_whole_and_nothing_lies_on_the_weights(article, width):
    _, page = article(width=width)
    page.emulate_media(media="print")  # with all variants
    inside = """(svg) => {
      const [all, cell] = [svg, svg.querySelector(".cell")].map((each) => each.getBoundingClientRect());
      return all.left <= cell.left && cell.right <= all.right && all.top <= cell.top && cell.bottom <= all.bottom; }"""
    pictures = page.locator(".picture.cell svg")
    assert pictures.count() == 6
    assert all(picture.evaluate(inside) for picture in pictures.all())
    page.emulate_media(media="screen")
    moved(page, "loop", 0)
    weights = page.locator('#fig-loop [data-id="weights"]').bounding_box()
    states = [box.bounding_box() for box in page.locator('#fig-loop [data-id="before"] .input').all()]
    assert states
    assert all(box["y"] + box["height"] <= weights["y"] for box in states)


def test_terms_are_explained_where_they_stand_first(article):
    _, page = article()
    words = page.locator("dfn.term")
    names = [word.get_attribute("data-term") for word in words.all()]
    assert len(set(names)) == len(names)
    assert {"gate", "loss", "vanishing"} <= set(names)
    meaning = page.get_by_role("tooltip")
    assert not meaning.is_visible()
    for word in words.all():
        word.focus()
        assert meaning.inner_text() == TERMS[word.get_attribute("data-term")]
    page.keyboard.press("Escape")
    assert not meaning.is_visible()


@pytest.mark.parametrize("cell", CELLS)
def test_the_changes_of_both_states_at_every_word(article, cell):
    tour, page = article(cell)
    for t in (1, 2, 7, len(tour.gated.words) - 1):
        moved(page, "changes", t)
        assert told(page, "changes") == close(tour.gated.changes[t - 1], tour.plain.changes[t - 1])


@pytest.mark.parametrize("cell", CELLS)
def test_what_is_left_of_the_error_at_every_step_back(article, cell):
    tour, page = article(cell)
    for back in (0, 1, 6, len(tour.gated.words) - 1):
        moved(page, "back", back)
        left = [each.felt[-1 - back] / each.felt[-1] for each in (tour.gated, tour.plain)]
        assert told(page, "back", ".compare") == pytest.approx(left, rel=1e-6)


def answers(reading, loss):
    """What the page says of a run after the opening of the gate: how far back it is felt, L and the probability."""
    felt = reading.felt_in(loss)
    after = forgotten(felt)
    return [felt[0] / felt[-1] if after is None else after, loss.item(), np.exp(-loss.item())]


@pytest.mark.parametrize("bias", [-3, 0, 2.5, 5])
@pytest.mark.parametrize("cell", CELLS)
def test_a_bias_that_is_moved_is_a_fresh_run_with_that_bias(article, cell, bias):
    tour, page = article(cell)
    reading = tour.gated
    leaf = reading.bias(reading.held)
    moved(page, "open", bias)
    loss = tl.what_if(reading.loss, {leaf: leaf.value + bias - leaf.value.mean()})
    opening, *rest = told(page, "open")
    assert rest == pytest.approx(answers(reading, loss), rel=1e-6)
    assert told(page, "open", "output") == [bias]
    if bias == 5:
        assert opening > 0.5
    page.locator("#fig-open .reset").click()
    assert told(page, "open")[2] == pytest.approx(reading.loss.item(), rel=1e-9)
    assert page.locator("#fig-open .reset").is_disabled()


@pytest.mark.parametrize("end", [0, 1])
@pytest.mark.parametrize("cell", CELLS)
def test_a_gate_that_is_held_is_a_fresh_run_with_a_constant_there(article, cell, end):
    tour, page = article(cell)
    reading = tour.gated
    chosen(page, "open", end)
    loss = tl.what_if(reading.loss, dict.fromkeys(reading.held.at.values(), float(end)))
    assert told(page, "open") == pytest.approx([end, *answers(reading, loss)], rel=1e-6)
    chosen(page, "open", "")
    assert told(page, "open")[2] == pytest.approx(reading.loss.item(), rel=1e-9)


def test_prose_and_figure_say_the_same_of_a_held_gate(article):
    _, page = article()
    prose = page.locator("#open .prose").inner_text()
    for end in (0, 1):
        chosen(page, "open", end)
        loss = told(page, "open")[2]
        assert f"eld at {end}, L is {loss:.3g}" in " ".join(prose.split())


def test_one_variant_is_seen_at_a_time(article):
    _, page = article()
    for number in range(4):
        chosen(page, "variants", number)
        seen = page.locator("#fig-variants .variant:visible")
        assert seen.count() == 1
        assert told(page, "variants") == [float(seen.get_attribute("data-weights"))]


def test_the_slope_is_that_of_the_loss_and_meets_the_gradient(article):
    tour, page = article()
    parameters = [x for x in tour.plain.graph.leaves if x.requires_grad]
    all_gradients = tl.grad(tour.plain.loss, parameters)
    leaf, gradient = max(zip(parameters, all_gradients, strict=True), key=lambda pair: np.abs(pair[1].value).max())
    place = np.unravel_index(np.abs(gradient.value).argmax(), leaf.shape)

    def at(nudge):
        other = leaf.value.copy()
        other[place] += nudge
        return tl.what_if(tour.plain.loss, {leaf: other}).item()

    best = np.inf
    for n in (1, 3, 5):
        moved(page, "proof", n)
        slope, exact, apart = told(page, "proof")
        assert exact == pytest.approx(gradient.value[place], rel=1e-9)
        assert slope == pytest.approx((at(10.0**-n) - at(-(10.0**-n))) / (2 * 10.0**-n), rel=1e-7)
        assert apart < best
        best = apart
    assert best < 1e-6


def test_after_the_slope_the_networks_are_as_they_were(article):
    tour, page = article()
    moved(page, "back", 3)
    assert told(page, "back", ".compare")[1] == pytest.approx(tour.plain.felt[-4] / tour.plain.felt[-1], rel=1e-9)


HOSTILE = 'a <script>document.title="got"</script> <img src=x onerror=alert(1)> \u202ecba ' + "w" * 500


@pytest.mark.parametrize("how", [{}, {"chars": True}])
@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 720), (320, 640)])
def test_a_hostile_text_stays_inert_and_the_page_never_scrolls_sideways(article, width, height, how):
    _, page = article(text=HOSTILE, width=width, height=height, **how)
    assert page.title().startswith("How an LSTM learned")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    for figure in ("expects", "belt", "changes", "back"):
        moved(page, figure, 3)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.parametrize("cell", CELLS)
def test_every_figure_is_as_wide_as_its_place_on_a_phone(article, cell):
    _, page = article(cell, width=390, height=844)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    for box in rectangles(page.locator("svg.drawn")):
        assert box["left"] >= 0
        assert box["right"] <= 390


def test_figures_follow_the_width_of_the_window(article):
    _, page = article()
    wide = page.locator("#fig-back svg").get_attribute("viewBox")
    page.set_viewport_size({"width": 390, "height": 844})
    now = "document.querySelector('#fig-back svg').getAttribute('viewBox')"
    page.wait_for_function(f"(before) => {now} !== before", arg=wide)


def test_prose_and_figure_share_the_screen(article):
    _, page = article()
    for id in ("persistence", "gap", "belt", "gates", "changes", "back", "open", "variants", "proof"):
        prose, figure = (page.locator(f"#{id} {part}").first.bounding_box() for part in (".prose", ".figures"))
        assert prose["x"] + prose["width"] <= figure["x"]
        assert figure["height"] <= 720, id
    assert page.locator(".figures").first.evaluate("(each) => getComputedStyle(each).position") == "sticky"


def test_on_a_phone_the_figure_stands_before_the_prose(article):
    _, page = article(width=390, height=844)
    heading, figure, prose = (
        page.locator(f"#gates {part}").first.bounding_box()["y"] for part in ("h2", ".figures", ".prose > p")
    )
    assert heading < figure < prose


CONTRAST = """() => {
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const light = (colour) => {
    context.clearRect(0, 0, 1, 1); context.fillStyle = colour; context.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data;
    const line = (x) => (x / 255 <= 0.04045 ? x / 255 / 12.92 : ((x / 255 + 0.055) / 1.055) ** 2.4);
    return [0.2126 * line(r) + 0.7152 * line(g) + 0.0722 * line(b), a];
  };
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const [y, a] = light(getComputedStyle(each).backgroundColor);
      if (a === 255) return y;
    }
    return 1;
  };
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((each) => each.nodeType === 3 && each.textContent.trim());
    const passed = element.closest(".picture, script, style, noscript, :disabled") || !element.getClientRects().length;
    if (!own || passed) continue;
    const style = getComputedStyle(element);
    const [ink] = light(element.closest("svg") ? style.fill : style.color);
    const [low, high] = [ink, behind(element)].sort((a, b) => a - b);
    const contrast = (high + 0.05) / (low + 0.05);
    if (contrast < 4.5) found.push(`${element.textContent.trim().slice(0, 40)}: ${contrast.toFixed(2)}`);
  }
  return found;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_word_is_readable(article, scheme):
    _, page = article(color_scheme=scheme)
    assert page.evaluate(CONTRAST) == []


def test_every_control_has_a_name_a_size_for_a_finger_and_works_by_keyboard(article):
    _, page = article(width=390, height=844)
    for control in page.locator("input:visible, button:visible").all():
        assert control.evaluate("(each) => each.ariaLabel || each.labels?.[0]?.innerText || each.innerText")
        area = control.evaluate("(each) => (each.closest('label') ?? each).getBoundingClientRect().height")
        assert area >= 44
    for svg in page.locator("svg[role=img]").all():
        assert svg.get_attribute("aria-label") or svg.locator("title").count()
    levels = page.locator("h1, h2, h3").evaluate_all("all => all.map((each) => Number(each.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    for figure in ("back", "loop"):
        slider = page.locator(f"#fig-{figure} input[type=range]")
        slider.focus()
        page.keyboard.press("ArrowRight")
        assert slider.input_value() == "1"
    assert page.locator("#fig-back input").get_attribute("aria-valuetext") == "1 back, in"
    assert page.locator("#fig-back figcaption").get_attribute("aria-live") == "polite"


def test_on_paper_the_loop_is_unfolded(article):
    tour, page = article()
    before = told(page, "loop")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert told(page, "loop") == [len(tour.prompt), len(tour.prompt) - 1]
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert told(page, "loop") == before


def test_in_print_there_are_no_controls_and_all_variants(article):
    _, page = article()
    page.emulate_media(media="print")
    assert page.locator(".controls:visible").count() == 0
    assert page.locator(".variant:visible").count() == 4


def test_one_word_has_its_article(article):
    _, page = article(text="hello")
    assert told(page, "loop") == [1, 0]
    moved(page, "open", 4)
    assert told(page, "open")[0] > 0.9


def test_where_nothing_can_be_painted_the_figures_answer_all_the_same(open_page, tmp_path, monkeypatch):
    def fails(*_):
        raise RenderError("no Graphviz here")

    monkeypatch.setattr(gaps, "BUDGET", 32)
    monkeypatch.setattr(pictures, "one_step", fails)
    tour = run("a b a c", tmp_path)
    page = open_page((tmp_path / "index.html").read_text(encoding="utf-8"))
    chosen(page, "gates", 1)
    moved(page, "open", 5)
    assert told(page, "open")[0] > 0.8
    assert told(page, "gates")[0] == pytest.approx(tour.gated.openings(tour.gated.layers[1])[: tour.gated.once].mean())

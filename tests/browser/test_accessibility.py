"""axe finds nothing to mend on any page the project writes: light and dark, on a laptop and on a phone."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import missing

import tinygrad_lstm as tl
from tinygrad_lstm.engine.ops import BUILTIN
from tinygrad_lstm.nn.samples import small_loss
from tinygrad_lstm.stepper.web.page import page as step_page
from tinygrad_lstm.studies.strokes import pad_page
from tinygrad_lstm.testing.report.page import page as check_page
from tinygrad_lstm.testing.report.survey import of_cell, of_operation
from tinygrad_lstm.tour import gaps, run

GALLERY = Path(__file__).parents[2] / "demos" / "gallery.py"


def command(*words):
    """The page that a command writes, which takes the file's name last."""

    def written(folder):
        file = folder / "page.html"
        subprocess.run([sys.executable, "-m", "tinygrad_lstm", *words, str(file)], check=True, capture_output=True)
        return file.read_text(encoding="utf-8")

    return written


def tour(name):
    def written(folder):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(gaps, "BUDGET", 320)
            found = run("the clouds are in the sky", folder)
        return (found.directory / name).read_text(encoding="utf-8")

    return written


def wrong_rule(folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BUILTIN["tanh"], "rule", lambda g, y, x: (g * (1 - y),))
        return check_page([of_operation(BUILTIN[name], name).run() for name in ("tanh", "where")])


PAGES = {
    "step": lambda folder: step_page(tl.step(small_loss("lstm", 3)), {"lstm": lambda n: small_loss("lstm", n)}, "lstm"),
    "step of large arrays": lambda folder: step_page(
        tl.step(tl.tanh(tl.tensor([[0.1] * 40] * 9, requires_grad=True)).sum())
    ),
    "article": tour("index.html"),
    "check of a tour": tour("check.html"),
    "check": lambda folder: check_page([of_cell("gru", "gru cell", 3).run()]),
    "check of a wrong rule": wrong_rule,
    "pad": lambda folder: pad_page(),
    "gallery": lambda folder: runpy.run_path(str(GALLERY))["gallery"](),
    "atlas": command("atlas", "--out"),
    "study": command("study", "gradients", "--html"),
    "derivation": command("derive", "--wrt", "forget_gate.weight", "--html"),
    "picture": command("draw", "--steps", "6", "--view", "gates", "-o"),
    "figure": command("draw", "--steps", "4", "--view", "story", "-o"),
}

KEYS = {"step": ["e", ".", ".", "p", "?"]}
"""What is pressed on a page, which is looked at before and after."""


@pytest.fixture(scope="module")
def text_of(tmp_path_factory):
    made = {}

    def text_of(name):
        if name not in made:
            made[name] = PAGES[name](tmp_path_factory.mktemp("page"))
        return made[name]

    return text_of


@pytest.fixture
def found_on():
    """What axe finds on a page: each rule that is broken, and where."""
    try:
        from axe_playwright_python.sync_playwright import Axe
    except ImportError:
        missing("axe-playwright-python")

    def found_on(page):
        found = Axe().run(page).response["violations"]
        return [f"{each['id']}: {node['target']}: {node['failureSummary']}" for each in found for node in each["nodes"]]

    return found_on


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1280, 720), (390, 844)])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_to_mend(open_page, text_of, found_on, name, width, height, scheme):
    page = open_page(text_of(name), width, height, color_scheme=scheme, reduced_motion="reduce")
    assert found_on(page) == []
    for key in KEYS.get(name, ()):
        page.keyboard.press(key)
        assert found_on(page) == [], key


def test_axe_finds_nothing_in_the_thread_nor_in_a_meaning(open_page, text_of, found_on):
    page = open_page(text_of("step"), 390, 844, reduced_motion="reduce")
    page.keyboard.press(".")
    page.locator("#thread summary").click()
    page.locator(".term").first.focus()
    assert page.get_by_role("tooltip").is_visible()
    assert found_on(page) == []


def test_axe_finds_what_is_planted(open_page, text_of, found_on):
    text = text_of("step").replace('aria-label="Event"', "").replace("--muted: #595959", "--muted: #bbbbbb")
    assert {each.split(":")[0] for each in found_on(open_page(text))} == {"label", "color-contrast"}

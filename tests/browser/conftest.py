"""A browser for the pages: the distribution's Chromium, which Playwright drives. Run with ``pytest tests/browser``."""

import os
import shutil
from collections import namedtuple

import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.nn.samples import small_loss
from tinygrad_lstm.stepper.web.page import page as page_of

Opened = namedtuple("Opened", "page errors")


def pytest_configure(config):
    config.addinivalue_line("filterwarnings", "default")


def missing(what):
    """Without a browser there is nothing to run here; in CI that is a failure."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{what} is missing: pip install -e '.[browser]', chromium")


@pytest.fixture(scope="session")
def chromium():
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("playwright")
    path = shutil.which("chromium")
    if path is None:
        missing("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-gpu"],
            ignore_default_args=["--hide-scrollbars"],  # people have them
        )
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium, tmp_path):
    """Opens HTML text from a file, as a person would; whatever the console says is an error, and so is any request."""
    contexts = []

    def open_page(text, width=1280, height=720, **how):
        path = tmp_path / f"{len(contexts)}.html"
        path.write_text(text, encoding="utf-8")
        contexts.append(chromium.new_context(viewport={"width": width, "height": height}, **how))
        page = contexts[-1].new_page()
        errors = []
        page.on("console", lambda message: errors.append(message.text))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("dialog", lambda dialog: (errors.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: errors.append(request.url) if request.url != path.as_uri() else None)
        page.goto(path.as_uri())
        if 'type="text/plain" id="data"' in text:  # a walk, which is inflated first
            page.locator("body.ready").wait_for(timeout=10_000)
        opened.append(Opened(page, errors))
        return page

    opened = []
    yield open_page
    for context in contexts:
        context.close()
    assert [error for _, errors in opened for error in errors] == []


@pytest.fixture(scope="module")
def stepper():
    """A walk that the tests of one file share."""
    return tl.step(small_loss("lstm", 3))


@pytest.fixture(scope="module")
def text(stepper):
    """Its page."""
    return page_of(stepper)


@pytest.fixture(scope="session")
def gates():
    return tl.draw(small_loss("lstm", 8), "gates", steps="all")

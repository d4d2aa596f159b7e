"""How long the page of a walk takes: to be written, to be there, and to take a step, in the distribution's Chromium.

Nothing fails for being slow; a star marks a target that was missed. What a page weighs is no question of the machine.

pip install -e ".[test,bench,browser]" && pytest tests/benchmarks
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from surroundings import starred

import tinygrad_lstm as tl
from tinygrad_lstm.nn.samples import small_loss

HEADING = (
    *("LSTM", "written", "size", "limit", "there", "limit", "a step", "9 of 10", "limit", "a change", "painted"),
    *("limit", "an empty frame"),
)
LARGEST, SLOWEST_THERE, SLOWEST_STEP, SLOWEST_CHANGE = 0.8, 2000.0, 50.0, 16.0
"""Megabytes, and milliseconds."""

STEPS = """() => { const took = []; for (let i = 0; i < 300; i += 1) { const before = performance.now();
document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
document.body.getBoundingClientRect(); took.push(performance.now() - before); }
took.sort((a, b) => a - b); return [took[150], took[270]]; }"""

CHANGES = """async () => {
  document.querySelector("#what-if").click();
  const field = document.querySelector("#change .fields input[step]") ?? document.querySelector("#change .by input");
  const put = (x) => { field.value = String(x); field.dispatchEvent(new Event("input")); };
  const painted = () => new Promise((done) => requestAnimationFrame(() => {
    const after = new MessageChannel();
    after.port1.onmessage = done;
    after.port2.postMessage(null);
  }));
  const median = (taken) => taken.sort((a, b) => a - b)[taken.length >> 1];
  const [laid, frames, empty] = [[], [], []];
  for (let i = 0; i < 150; i += 1) {
    await painted();
    await new Promise((done) => setTimeout(done, 40 * Math.random()));
    const before = performance.now();
    if (i % 3) put(i / 75);
    if (i % 3 === 1) document.body.getBoundingClientRect();
    else await painted();
    [empty, laid, frames][i % 3].push(performance.now() - before);
  }
  return [median(laid), median(frames), median(empty)];
}"""
"""Medians over 50 changes of a number: until all that it changes has its place; until the frame that shows it has been
painted; and the same of a frame in which nothing was changed, which a browser waits for anyway. Begun at any time
between two frames, as people do."""

LOSSES = {
    "30 steps, H = 2": lambda: small_loss("lstm", 30),
    "30 steps, N = 4, H = 32": lambda: tl.LSTM(32, 32, rng=0)(
        tl.tensor(np.random.default_rng(0).normal(size=(30, 4, 32)))
    )[0].sum(),
    "30 steps, H = 8": lambda: tl.LSTM(8, 8, rng=0)(tl.tensor(np.ones((30, 1, 8)), name="xs"))[0].sum(),
    "1,000 steps, H = 2": lambda: small_loss("lstm", 1000),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", LOSSES)
def test_the_page_is_small_and_quick(name: str, tmp_path: Path, tables: dict[str, list[tuple[str, ...]]]) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("chromium is missing")
    from playwright.sync_api import sync_playwright

    stepper = tl.step(LOSSES[name]())
    started = time.perf_counter()
    path = stepper.page(tmp_path / "step.html")
    written = time.perf_counter() - started
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        there, steps, changes = [], [], []
        for _ in range(3):  # the best of three: what else the machine does is not the page's doing
            page = browser.new_page(viewport={"width": 1280, "height": 720})
            page.goto(path.as_uri())
            page.locator("body.ready").wait_for()
            there.append(page.evaluate("performance.now()"))
            steps.append(page.evaluate(STEPS))
            changes.append(page.evaluate(CHANGES))
            page.close()
        browser.close()
    size, ready, (usual, slow) = path.stat().st_size / 1e6, min(there), min(steps)
    beside = lambda taken, limit: (starred(f"{taken:.1f} ms", taken > limit), f"{limit:.0f} ms")
    row = (name, f"{written:.2f} s", f"{size:.2f} MB", f"{LARGEST:.0f} MB")
    row = (*row, *beside(ready, SLOWEST_THERE), f"{usual:.1f} ms", *beside(slow, SLOWEST_STEP))
    laid, painted, empty = (min(each) for each in zip(*changes, strict=True))
    row = (*row, f"{laid:.1f} ms", *beside(painted, SLOWEST_CHANGE), f"{empty:.1f} ms")
    tables.setdefault("The page of a walk", [HEADING]).append(row)
    assert size < LARGEST

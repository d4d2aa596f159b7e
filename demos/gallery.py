"""Gallery: every view of every cell, in light or in dark, on one page that works offline.

Each picture is a quotient of the same kind of graph: the one that ran when a small cell read three inputs. Nothing is
drawn from a template, so what the pictures have in common, and where they differ, is what the cells have. Run it with
``python demos/gallery.py gallery.html``.
"""

import base64
import html
import sys
from pathlib import Path

import tinygrad_lstm as tl
from tinygrad_lstm.drawing import VIEWS
from tinygrad_lstm.interop.files import write_file
from tinygrad_lstm.nn.cells import CELLS
from tinygrad_lstm.nn.samples import small_loss

# What each view shows, in Olah's words where he has some.
ABOUT = {
    "ops": "every operation that ran, in a frame for each time step, with its own copies of the shared weights",
    "gates": "the repeating module: layers, pointwise operations, and the state on its conveyor belt",
    "cells": "the chain: one box per cell and step",
    "rolled": "the loop: the same graph with time folded",
    "backward": "the gradient's own flow, against the computation; where contributions meet, they add up",
}
assert list(ABOUT) == list(VIEWS)

# A few more, which say something about networks rather than about cells. The first looks back from the last step only.
output, h_n = tl.RNN(2, 2, rng=0)(tl.tensor([[0.5, -0.5]] * 60, name="xs"))
last = h_n.sum()
windows, state, cut = tl.LSTM(2, 2, rng=0), None, 0.0
for window in [[[0.5, -0.5]] * 2] * 3:  # what came before a window is known, and gets no gradient
    output, state = windows(tl.tensor(window, name="xs"), state)
    state, cut = tl.nn.detach(state), cut + output.sum()
deep, lstm = small_loss("lstm", 3, layers=2, bidirectional=True), small_loss("lstm", 3)
MORE = {
    "The gradient vanishes from right to left: an RNN of 60 steps, shaded by the magnitude of its gradients": tl.draw(
        last, "cells", color="gradient", shapes=False
    ),
    "Truncated backpropagation through time: scissors where the state was detached": tl.draw(
        cut, "cells", shapes=False
    ),
    "Two layers, read in both directions": tl.draw(deep, "cells", shapes=False),
    "The only way by which the first cell state reaches the loss": tl.draw(
        lstm, "gates", highlight=tl.path(lstm, next(leaf for leaf in tl.Graph(lstm).leaves if leaf.name == "c0"))
    ),
    "One cell opened, the others closed": tl.draw(lstm, "gates", expand="t1", legend=True),
}

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Gallery of tinygrad_lstm</title>
<style>
:root {{ color-scheme: light dark; --paper: light-dark(#fff, #14181f); --line: light-dark(#ccc, #4a5462) }}
:root:has(#light:checked) {{ color-scheme: light }}
:root:has(#dark:checked) {{ color-scheme: dark }}
* {{ box-sizing: border-box }}
body {{ font: 16px/1.5 Helvetica, Arial, sans-serif; margin: 0 auto; max-width: 90rem; padding: 1rem;
  background: var(--paper); color: light-dark(#222, #e6e9ee) }}
header {{ display: flex; flex-wrap: wrap; gap: .5rem 2rem; align-items: center; justify-content: space-between }}
h1 {{ margin: 0 }} h2 {{ margin: 2rem 0 0 }} p {{ margin: .25rem 0 }}
fieldset {{ border: 1px solid var(--line); border-radius: 8px; display: flex; gap: 1rem; padding: .25rem .75rem }}
nav a {{ display: inline-block; padding: .25rem .75rem .25rem 0 }}
a {{ color: light-dark(#00609a, #56b4e9) }}
.grid {{ display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 19rem), 1fr)) }}
figure {{ margin: 0; display: grid; grid-template-rows: 12rem auto }}
.picture {{ border: 1px solid var(--line); border-radius: 8px; overflow: hidden; background: var(--paper) }}
.picture img {{ display: block; width: 100%; height: 100%; object-fit: cover; padding: .5rem }}
.picture:focus-visible, .close:focus-visible {{ outline: 3px solid currentColor }}
.close {{ display: none }}
figure:target .picture {{ position: fixed; inset: 0; z-index: 1; border: 0; border-radius: 0; overflow: auto }}
figure:target img {{ width: auto; height: auto; max-width: none; padding: 4rem 1rem 1rem; margin: auto }}
figure:target .close {{ display: block; position: fixed; right: 1rem; top: .75rem; z-index: 2; padding: .5rem 1rem;
  background: var(--paper); border: 1px solid var(--line); border-radius: 8px }}
:root:has(:target.one) {{ overflow: hidden }}
</style>
<header><h1>Gallery</h1>
<fieldset><legend>Colours</legend>
<label><input type="radio" name="scheme" id="system" checked> as the system</label>
<label><input type="radio" name="scheme" id="light"> light</label>
<label><input type="radio" name="scheme" id="dark"> dark</label></fieldset></header>
<main>
<p>Every view of every cell, drawn from the graph that ran. Each opens at its full size.</p>
<nav>{links}</nav>
{sections}
</main>
</html>
"""


def figure(picture, caption, name):
    """A thumbnail that shows where the picture starts, and opens it; an image follows the colour scheme around it."""
    source = base64.b64encode(picture.svg.encode("utf-8")).decode("ascii")
    left, top = (round(100 * share) for share in picture.start)
    return (
        f'<figure id="{name}" class="one"><a class="picture" href="#{name}">'
        f'<img src="data:image/svg+xml;base64,{source}" style="object-position: {left}% {top}%" '
        f'alt="{html.escape(picture.description)}"></a>'
        f'<figcaption>{html.escape(caption)}</figcaption><a class="close" href="#closed">Close</a></figure>'
    )


def gallery():
    """The page as text."""
    sections = []
    for view, about in ABOUT.items():
        figures = "".join(figure(tl.draw(small_loss(cell, 3), view), cell, f"{view}-{cell}") for cell in CELLS)
        sections.append(f'<h2 id="{view}">{view}</h2><p>{html.escape(about)}</p><div class="grid">{figures}</div>')
    figures = "".join(figure(picture, caption, f"more-{n}") for n, (caption, picture) in enumerate(MORE.items()))
    sections.append(f'<h2 id="more">And more</h2><div class="grid">{figures}</div>')
    links = "".join(f'<a href="#{name}">{name}</a>' for name in (*ABOUT, "more"))
    return PAGE.format(links=links, sections="\n".join(sections))


if __name__ == "__main__":
    page = gallery()
    assert page.count("<img ") == len(VIEWS) * len(CELLS) + len(MORE)
    print(write_file(Path(sys.argv[1] if len(sys.argv) > 1 else "gallery.html"), page))

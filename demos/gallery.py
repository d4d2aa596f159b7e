"""Gallery: every view of every cell, in light and in dark, on one page that works offline.

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
:root {{ color-scheme: light dark }}
body {{ font: 16px/1.5 Helvetica, Arial, sans-serif; margin: 2rem auto; max-width: 90rem; padding: 0 1rem }}
figure {{ margin: 1rem 0 2.5rem }} figcaption {{ margin-bottom: .5rem }}
.pair {{ display: grid; gap: .75rem; grid-template-columns: 1fr }}
.frame {{ overflow: auto; max-height: 40rem; border: 1px solid #8888; border-radius: 8px }}
.light {{ color-scheme: light; background: #fff }} .dark {{ color-scheme: dark; background: #14181f }}
nav a {{ margin-right: 1rem }}
</style>
<h1>Gallery</h1>
<p>Every view of every cell, drawn from the graph that ran; each in light and in dark. Wide pictures scroll.</p>
<nav>{links}</nav>
{sections}
</html>
"""


def figure(picture, caption):
    """One picture twice: the frame's colour scheme decides how it looks, as a reader's own would."""
    source = base64.b64encode(picture.svg.encode("utf-8")).decode("ascii")
    image = f'<img src="data:image/svg+xml;base64,{source}" alt="{html.escape(picture.description)}">'
    frames = "".join(f'<div class="frame {scheme}" tabindex="0">{image}</div>' for scheme in ("light", "dark"))
    return f'<figure><figcaption>{html.escape(caption)}</figcaption><div class="pair">{frames}</div></figure>'


def gallery():
    """The page as text."""
    sections = []
    for view, about in ABOUT.items():
        figures = "".join(figure(tl.draw(small_loss(cell, 3), view), cell) for cell in CELLS)
        sections.append(f'<h2 id="{view}">{view}</h2><p>{html.escape(about)}</p>{figures}')
    figures = "".join(figure(picture, caption) for caption, picture in MORE.items())
    sections.append(f'<h2 id="more">And more</h2>{figures}')
    links = "".join(f'<a href="#{name}">{name}</a>' for name in (*ABOUT, "more"))
    return PAGE.format(links=links, sections="\n".join(sections))


if __name__ == "__main__":
    page = gallery()
    assert page.count("<img ") == 2 * (len(VIEWS) * len(CELLS) + len(MORE))
    print(write_file(Path(sys.argv[1] if len(sys.argv) > 1 else "gallery.html"), page))

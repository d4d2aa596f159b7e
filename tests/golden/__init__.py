"""Golden texts: what pictures and transcripts say, kept as files.

Regenerate them all, after looking at the pictures, with ``python -m tests.golden``.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.console import Console

import tinygrad_lstm as tl
from tinygrad_lstm.draw.views import VIEWS
from tinygrad_lstm.nn import Recurrent
from tinygrad_lstm.nn.cells import CELLS
from tinygrad_lstm.stepper import terminal
from tinygrad_lstm.studies.small import small_loss

HERE = Path(__file__).parent


def cell_dot(cell: str, view: str = "ops") -> str:
    """Two steps of a cell; shapes only, since digits of values may differ between machines."""
    return tl.draw(small_loss(cell, 2), view).source


def circuit_dot(cell: str) -> str:
    """The same, opened and with every position: nothing in it was laid out by Graphviz."""
    unrolled, state = CELLS[cell](2, 2, rng=0), None
    for t in range(2):
        with tl.time_step(t):
            state = unrolled(tl.tensor([1.0, -1.0], name="x"), state)
    return tl.draw(unrolled.parts(state)[0], "gates").positioned


def stacked_dot() -> str:
    """Layers, directions, and a window on the steps."""
    return tl.draw(small_loss("gru", 9, layers=2, bidirectional=True), "cells", steps=(3, 5), legend=True).source


def numbers_dot() -> str:
    """Values and gradients, chosen to be exact in binary: zero, computed, and not computed yet."""
    x = tl.tensor([1.0, 2.0], requires_grad=True, name="x")
    unused = tl.tensor(0.0, requires_grad=True, name="dead")
    loss = (x * x * unused).sum() + x.sum()
    stepper = tl.step(loss)
    stepper.step(3)
    return tl.draw(loss, values=True, gradients=stepper.gradients).source


def model_dot() -> str:
    """A layer with a head: one module inside another, and operations outside any time step."""
    layer, head = Recurrent(tl.LSTMCell(2, 2, rng=0)), tl.Linear(2, 3, rng=0)
    output, _ = layer(tl.tensor(np.ones((2, 1, 2)), name="xs"))
    return tl.draw(tl.cross_entropy(head(output), [[0], [2]])).source


def transcript() -> str:
    """A whole session in the terminal, without colours."""
    x = tl.tensor([0.0, 0.5], requires_grad=True, name="x")
    y = (x * x).sum()
    y.name = "y"
    out = io.StringIO()
    console = Console(file=out, width=80, color_system=None, highlight=False)
    stepper = tl.step(y)
    terminal.show(stepper, console)
    words = ["step", "s", "next", "reverse-step 2", "goto 3", "goto 99", "goto", "step x", "dance", "help"]
    words += ["break op:mul if norm > 0", "watch x.grad", "info breakpoints", "goto 0", "continue", "c"]
    words += ["reverse-continue", "delete 1", "delete 1", "break", "break if", "next 3", "where"]
    for line in words:
        console.print(f"> {line}")
        assert terminal.obey(line, stepper, console)
    assert not terminal.obey("quit", stepper, console)
    return "\n".join(row.rstrip() for row in out.getvalue().splitlines()) + "\n"


GOLDENS: dict[str, Callable[[], str]] = {
    **{f"{view}_{cell}.dot": (lambda c=cell, v=view: cell_dot(c, v)) for view in VIEWS for cell in CELLS},
    **{f"gates_{cell}_positions.dot": (lambda c=cell: circuit_dot(c)) for cell in CELLS},
    "cells_window.dot": stacked_dot,
    "ops_numbers.dot": numbers_dot,
    "ops_model.dot": model_dot,
    "stepper.txt": transcript,
}

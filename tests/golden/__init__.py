"""Golden texts: what pictures and transcripts say, kept as files.

Regenerate them all, after looking at the pictures, with ``python -m tests.golden``.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.console import Console

import tinygrad_lstm as tl
from tinygrad_lstm.drawing import VIEWS
from tinygrad_lstm.nn import Recurrent
from tinygrad_lstm.nn.cell import state_parts
from tinygrad_lstm.nn.cells import CELLS
from tinygrad_lstm.nn.samples import olahs, small_loss
from tinygrad_lstm.stepper.terminal import session as terminal

HERE = Path(__file__).parent


def cell_dot(cell: str, view: str = "ops") -> str:
    """Two steps of a cell; shapes only, since digits of values may differ between machines."""
    return tl.draw(small_loss(cell, 2), view).source


def circuit_dot(cell: str) -> str:
    """The same, opened and with every position: nothing in it was laid out by Graphviz."""
    unrolled, state = olahs(cell, 2, 2, 0), None
    for t in range(2):
        with tl.time_step(t):
            state = unrolled(tl.tensor([1.0, -1.0], name="x"), state)
    return tl.draw(state_parts(unrolled, state)[0], "gates").positioned


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
    return tl.draw(tl.cross_entropy(head(output).reshape(-1, 3), [0, 2])).source


def _walked() -> tl.Stepper:
    """A shared tensor in two named places, with numbers that are exact in binary."""
    x = tl.tensor([0.0, 0.5], requires_grad=True, name="x")
    with tl.time_step(0), tl.scope("square"):
        squares = x * x
    with tl.time_step(1), tl.scope("sum"):
        y = (squares + x).sum()
    y.name = "y"
    return tl.step(y)


def transcript() -> str:
    """A whole session with a script: every command, and what they say to what they cannot do."""
    stepper = _walked()
    out = io.StringIO()
    console = Console(file=out, width=80, highlight=False)
    terminal.show(stepper, console)
    words = [
        "step",
        "s",
        "next",
        "reverse-step 2",
        "rs",
        "goto 0",
        "rs",
        "s",
        "n",
        "goto 99",
        "goto",
        "step x",
        "dance",
    ]
    words += ["re", "help", "help watch", "break op:mul if norm > 0", "tbreak t:1", "watch x.grad", "info breakpoints"]
    words += [
        "goto 0",
        "continue",
        "c",
        "c",
        "c",
        "reverse-continue",
        "info",
        "delete 1",
        "delete 1",
        "info breakpoints",
    ]
    words += ["break", "break if", "next 3", "print", "print x", "p x.grad", "p nothing", "display x.grad", "display"]
    words += ["rn", "undisplay 1", "undisplay 1", "up", "n", "u", "u", "down", "list", "list 2", "list 99", "where"]
    words += ["until t:0", "return", "c"]
    for line in words:
        console.print(f"(step) {line}")
        assert terminal.run_line(line, stepper, console)
    assert not terminal.run_line("quit", stepper, console)
    lines = [row.rstrip() for row in out.getvalue().splitlines()]
    return "\n".join(re.sub(r"\S*golden/__init__.py:\d+", "golden:LINE", row) for row in lines) + "\n"


def panes(width: int) -> str:
    """What a terminal of that width shows, without colours: forward, at the seed, and where two ways meet."""
    stepper = _walked()
    stepper.display("x.grad")
    out = io.StringIO()
    console = Console(file=out, width=width, height=60, color_system=None, highlight=False, force_terminal=True)
    for number in (1, stepper.position, len(stepper) - 2, len(stepper) - 1):
        stepper.goto(number)
        terminal.show(stepper, console)
    return "\n".join(row.rstrip() for row in out.getvalue().splitlines()) + "\n"


GOLDENS: dict[str, Callable[[], str]] = {
    **{f"{view}_{cell}.dot": (lambda c=cell, v=view: cell_dot(c, v)) for view in VIEWS for cell in CELLS},
    **{f"gates_{cell}_positions.dot": (lambda c=cell: circuit_dot(c)) for cell in CELLS},
    **{f"gates_{cell}.dot": (lambda c=cell: cell_dot(c, "gates")) for cell in ("janet", "mgu")},
    "gates_mgu_positions.dot": lambda: circuit_dot("mgu"),
    "cells_window.dot": stacked_dot,
    "ops_numbers.dot": numbers_dot,
    "ops_model.dot": model_dot,
    "stepper.txt": transcript,
    **{f"panes_{width}.txt": (lambda w=width: panes(w)) for width in (60, 120)},
}

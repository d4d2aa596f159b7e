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
from tinygrad_lstm.nn import Recurrent
from tinygrad_lstm.nn.cells import CELLS
from tinygrad_lstm.stepper import terminal
from tinygrad_lstm.studies.small import small_loss

HERE = Path(__file__).parent


def cell_dot(cell: str) -> str:
    """Two steps of a cell; shapes only, since digits of values may differ between machines."""
    return tl.draw(small_loss(cell, 2)).source


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
    for line in ["step", "s", "next", "reverse-step 2", "goto 3", "goto 99", "goto", "step x", "dance", "help"]:
        console.print(f"> {line}")
        assert terminal.obey(line, stepper, console)
    assert not terminal.obey("quit", stepper, console)
    return "\n".join(row.rstrip() for row in out.getvalue().splitlines()) + "\n"


GOLDENS: dict[str, Callable[[], str]] = {
    **{f"ops_{cell}.dot": (lambda cell=cell: cell_dot(cell)) for cell in CELLS},
    "ops_numbers.dot": numbers_dot,
    "ops_model.dot": model_dot,
    "stepper.txt": transcript,
}

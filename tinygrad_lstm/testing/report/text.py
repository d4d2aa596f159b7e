"""A wrong gradient in words: who is to blame, what each oracle answers, the smallest program, and its picture."""

from __future__ import annotations

from pathlib import Path

from ...drawing.paint.render import RenderError
from ...interop.files import write_file
from ...structure.tables import text_table
from ...structure.words import printable
from .failure import Failure

DRAWN = 60
"""Nodes that a picture of the whole graph may have; of a larger one, the smallest that fails is drawn.

Chosen: an LSTM cell, unrolled over three steps, is about what fits on a screen.
"""


def explain(failure: Failure, picture: Path | None = None) -> str:
    """Explain a wrong gradient: who is to blame, what each oracle answers, the smallest program, and its picture.

    ``failure`` is that of a GradientError. Shrinking it takes up to five seconds. The picture is written to the file
    ``picture``; without one, or where Graphviz cannot draw, the text says where it is to be had. Returns that text,
    which holds nothing that a terminal takes for a command. (Zeller & Hildebrandt 2002, "Simplifying and isolating
    failure-inducing input".)

    >>> import tinygrad_lstm as tl
    >>> caught = tl.testing.assert_detects(tl.tanh, lambda g, y, x: (g * (1 - y),), [0.5])
    >>> print(tl.testing.explain(caught.failure)[:26])
    The rule of tanh is wrong:
    """
    smallest = failure.smallest
    sections = [
        f"{failure.blame.sentence[:1].upper()}{failure.blame.sentence[1:]}.",
        _evidence(smallest),
        f"The smallest program that shows it:\n\n{_indented(smallest.code)}",
        _picture(pictured(failure, smallest), picture),
    ]
    return printable("\n\n".join(section.rstrip() for section in sections))


def pictured(failure: Failure, smallest: Failure) -> Failure:
    """Return the one of the two to draw."""
    return failure if len(failure.graph) <= DRAWN else smallest


def _evidence(failure: Failure) -> str:
    heading = ("", "ours", "the oracle's", "apart")
    return text_table([heading, *((it.oracle, *it.numbers, it.apart) for it in failure.evidence)], align="lrrl")


def _picture(failure: Failure, path: Path | None) -> str:
    if path is not None:
        try:
            return f"Its picture: {write_file(path, failure.picture().svg)}"
        except (RenderError, OSError) as error:
            return f"Its picture could not be drawn ({error}); its DOT is failure.picture().source"
    return "Its picture: failure.picture(), of the error"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.strip().splitlines())

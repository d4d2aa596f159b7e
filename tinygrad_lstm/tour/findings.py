"""What a tour finds, for its pages and for the command that started it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ..testing import Report as Proof
from .text import Corpus


@dataclass
class Tour:
    """What a tour found, and where it wrote it."""

    directory: Path
    corpus: Corpus
    cell: str
    loss: float
    guesses: list[tuple[str, float]]
    expected: str
    prompt: tuple[str, ...]
    events: int
    proof: Proof | None = None
    failure: str | None = None  # why there is no proof
    undrawn: str | None = None  # why there is no picture
    norms: dict[str, list[float]] = field(default_factory=dict)

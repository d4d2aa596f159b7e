"""What a tour finds, for its pages and for the command that started it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ..engine.tensor import Tensor
from ..testing import Report as Proof
from .gaps import GapScores
from .reading import TextReading
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
    objective: Tensor
    """L of the walk and of the pictures: the surprise at the word after the prompt."""
    weights: list[Tensor]
    """What the network that was asked for has learned."""
    gated: TextReading
    """What the network with gates made of the words: the one that was asked for, or an LSTM beside an RNN."""
    plain: TextReading
    """The same of the RNN."""
    gaps: list[GapScores] = field(default_factory=list)
    expects: list[list[tuple[str, float]]] = field(default_factory=list)
    proof: Proof | None = None
    failure: str | None = None  # why there is no proof
    undrawn: str | None = None  # why there is no picture
    norms: dict[str, list[float]] = field(default_factory=dict)

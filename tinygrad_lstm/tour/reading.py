"""A reading: one of the trained networks reads the words, and one can ask what it did at each of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..drawing.figures.carrying import Act, Belt, Passage, acts, belts
from ..drawing.figures.reading import Recorded
from ..engine.backprop import gradients
from ..engine.graph import Graph
from ..engine.primitive import Array
from ..engine.tensor import Tensor
from ..nn.named import title_of
from ..stepper.web.network import PageNetwork
from ..structure.cells import RESET, Bounded, CellRun, State
from ..structure.words import magnitude
from .model import NextToken
from .text import Corpus, shown

LEAST, MOST = 24, 40
"""Words that are read at least, a short text over and over, and at most; chosen: a gradient has room to vanish."""

LITTLE = 0.01
"""What is left of a gradient when one calls it forgotten, as a share of what the last step feels; chosen."""


def positions(length: int) -> int:
    """Return how many tokens are read before the one that is asked for: the last word of the text, if it is short.

    ``length`` are the tokens of the text with its two marks; it is read over and over.

    >>> positions(8), positions(3), positions(1000)
    (30, 25, 40)
    """
    last = length - 2
    asked = next(t for t in range(last, last + LEAST + length, length) if t >= LEAST)
    return asked if asked <= MOST else MOST


class TextReading:
    """A network that has read the words, and L, its surprise at the word that comes next.

    >>> from tinygrad_lstm.tour.text import read
    >>> reading = TextReading("lstm", NextToken("lstm", 7), read("the clouds are in the sky"))
    >>> reading.target, reading.state, [gate.symbol for gate in reading.gates]
    ('sky', 'c', ['f', 'i', 'o'])
    """

    def __init__(self, name: str, model: NextToken, corpus: Corpus) -> None:
        self.title = title_of(name)
        steps = positions(len(corpus))
        ids = np.resize(corpus.ids, steps + 1)
        tokens = [shown(corpus.tokens[i % len(corpus)]) for i in range(steps + 1)]
        self.words, self.target = tokens[:-1], tokens[-1]
        self.once = min(len(corpus) - 1, steps)  # words of the text read for the first time
        self.loss = model.last_loss(ids, self.words)
        self.graph = Graph(self.loss)
        self._recorded = Recorded(self.graph, "all")

    @cached_property
    def cell(self) -> CellRun:
        """Return the cell over time."""
        return self._recorded.cells[0]

    @cached_property
    def _belt(self) -> Belt | None:
        return next(iter(belts(self._recorded)), None)

    @cached_property
    def _carried(self) -> State:
        """Return the state that runs on the belt; of a cell without one, what it hands on."""
        return self._belt.state if self._belt else self._recorded.states[-1]

    @property
    def layers(self) -> list[Bounded]:
        """Return the layers of the cell, gates and candidate, that ran at each word."""
        return [layer for layer in self.cell.layers if len(layer.at) == len(self.states)]

    @property
    def state(self) -> str:
        """Return what that state is called: c."""
        return str(self._carried.name.rpartition(".")[2])

    @cached_property
    def states(self) -> list[Tensor]:
        """Return that state after each word, T of shape (H)."""
        return [self._carried.at[t] for t in sorted(self._carried.at)]

    @property
    def passages(self) -> list[Passage]:
        """Return how the state passes each word on its belt; nothing where there is none."""
        return [self._belt.at[t] for t in sorted(self._belt.at)] if self._belt else []

    @property
    def gates(self) -> list[Bounded]:
        """Return what opens and closes."""
        return [layer for layer in self.layers if layer.is_gate]

    @property
    def held(self) -> Bounded | None:
        """Return the gate that one asks "what if" of: the one that can forget, or else the first."""
        return next((gate for gate in self.gates if RESET in gate.roles), next(iter(self.gates), None))

    def acts(self, layer: Bounded, t: int) -> list[Act]:
        """Return what a layer does at a step: what it is multiplied with, and what comes of it."""
        on_belt = set(self.passages[t].way) if self._belt else ()
        return list(acts(self._recorded, layer.at[t], on_belt))

    def openings(self, layer: Bounded) -> Array:
        """Return the values of a layer at each word, (T, H)."""
        return np.stack([layer.at[t].value for t in sorted(layer.at)])

    def bias(self, layer: Bounded) -> Tensor | None:
        """Return the bias that a layer adds, (H): none where it has none, or shares it with others."""
        first = layer.at[min(layer.at)]
        queue, found = list(first.inputs), []
        for x in queue:
            if x.is_leaf and x.requires_grad and x.ndim == 1 and x.shape == first.shape:
                found.append(x)
            elif x.primitive is not None and x.primitive.combines == "sum" and x.shape == first.shape:
                queue += x.inputs
        return found[0] if len(found) == 1 else None

    @cached_property
    def felt(self) -> list[float]:
        """Return ‖∂L/∂state‖ after each word."""
        return self.felt_in(self.loss)

    def felt_in(self, loss: Tensor) -> list[float]:
        """Return the same where something had been different, for the L that ``what_if`` made of ours."""
        complete = gradients(loss)
        name = self.states[0].name
        there = {node.time: complete[node] for node in Graph(loss).nodes if node in complete and node.name == name}
        return [magnitude(there.get(x.time, 0.0)) for x in self.states]

    @cached_property
    def changes(self) -> list[float]:
        """Return ‖s_t − s_{t−1}‖ / ‖s_{t−1}‖ from the second word on: how much of the state is another each time."""
        values = [x.value for x in self.states]
        return [magnitude(b - a) / (magnitude(a) or np.nan) for a, b in pairwise(values)]

    @property
    def probability(self) -> float:
        """Return what it gives the word that comes next: e to the −L."""
        return float(np.exp(-self.loss.item()))

    def data(self) -> dict[str, Any]:
        """Return what the page needs to be this network, and to find in it what it shows."""
        network = PageNetwork(self.graph)
        number = {node: i for i, node in enumerate(network.graph.nodes)}

        def layer(each: Bounded) -> dict[str, Any]:
            bias = self.bias(each)
            return {
                "symbol": each.symbol,
                "name": each.words or each.symbol,
                "gate": each.is_gate,
                "at": [number[each.at[t]] for t in sorted(each.at)],
                "bias": None if bias is None else number[bias],
            }

        return {
            "title": self.title,
            "network": network.whole(),
            "state": self.state,
            "at": [number[x] for x in self.states],
            "ways": [[number[node] for node in passage.way] for passage in self.passages],
            "layers": [layer(each) for each in self.layers],
            "held": self.layers.index(self.held) if self.held else None,
        }


def forgotten(felt: Sequence[float] | NDArray[Any]) -> int | None:
    """Return after how many steps back a gradient is less than LITTLE of what the last step feels; None if it never is.

    >>> forgotten([1e-9, 1e-3, 0.5, 1.0]), forgotten([0.2, 1.0])
    (2, None)
    """
    last = felt[-1]
    return next((back for back, norm in enumerate(reversed(felt)) if norm < LITTLE * last), None)

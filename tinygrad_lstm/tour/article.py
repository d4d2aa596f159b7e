"""The article: what it says in numbers, what its figures are given, and the page that is made of both."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..drawing.paint.render import RenderError
from ..engine.scope import no_grad
from ..nn.named import title_of
from ..pages.offline import offline, templates
from ..pages.theme import dark_style
from ..structure.cells import RESET, WRITE, Bounded
from ..structure.terms import TERMS
from ..structure.what_if import what_if
from ..structure.words import printable
from ..symbolic.formulas import forward
from ..symbolic.symbols import Symbols
from . import pictures
from .findings import Tour
from .model import NextToken
from .reading import LITTLE, TextReading, forgotten
from .text import shown

ROOM = "tinygrad_lstm.tour"

NETWORK = tuple(("tinygrad_lstm.stepper.web", f"network/{name}.js") for name in ("arrays", "functions", "network"))

FIGURES = ("expects", "loop", "gap", "belt", "gates", "changes", "back", "what_if", "variants", "proof")
"""The figures, in the order of the article; each is a script of that name."""

SCRIPTS: tuple[str | tuple[str, str], ...] = (
    *NETWORK,
    *("article/data.js", "article/plots.js", "terms.js"),
    *(f"article/{name}.js" for name in FIGURES),
    "article/main.js",
)
"""In the order in which they need each other."""


def article(tour: Tour) -> str:
    """Return the article as HTML, with figures that answer; it asks the network for nothing."""
    templates(ROOM).filters["shown"] = shown
    return offline(ROOM, "article", SCRIPTS, values(tour), styles=("terms.css",))


def values(tour: Tour) -> dict[str, Any]:
    """Return all that the template of the article is given: the tour, its numbers, its pictures and the page's data."""
    gated, plain = tour.gated, tour.plain
    painted = _painted(tour)
    symbols = Symbols(gated.graph.nodes)
    equations = [forward(node, symbols=symbols) for node in (gated.states[1], *(layer.at[1] for layer in gated.layers))]
    return {
        "tour": tour,
        "reader": with_article(title_of(tour.cell)),
        "blind": math.log(len(tour.corpus.vocabulary)),
        "gated": gated,
        "plain": plain,
        "asked": asked(gated),
        "same": tour.cell == "rnn",
        "weights": sum(w.value.size for w in tour.weights),
        "equations": {"state": equations[0], "layers": equations[1:]},
        "gates": [described(gated, layer) for layer in gated.layers],
        "kept": [passage.kept for passage in gated.passages[1:]],
        "changes": {each.title: _mean(each.changes) for each in (gated, plain)},
        "forgotten": {each.title: forgotten(each.felt) for each in (gated, plain)},
        "left": {each.title: each.felt[0] / each.felt[-1] if each.felt[-1] else math.nan for each in (gated, plain)},
        "little": LITTLE,
        "gaps": tour.gaps,
        "pictures": painted,
        "painted_dark": dark_style("".join(str(svg) for svg in painted.values())),
        "data": inert(data(tour, painted)),
    }


def data(tour: Tour, painted: dict[str, Any]) -> dict[str, Any]:
    """Return what the figures are made of: the networks, the words, and what was measured."""
    return {
        "words": tour.gated.words,
        "target": tour.gated.target,
        "once": tour.gated.once,
        "unit": tour.corpus.unit,
        "gated": tour.gated.data(),
        "plain": tour.plain.data(),
        "gaps": [{"gap": each.gap, "example": each.example, "scores": each.scores} for each in tour.gaps],
        "expects": [[[shown(word), share] for word, share in guesses] for guesses in tour.expects],
        "lit": painted["lit"],
        "little": LITTLE,
        "terms": TERMS,
    }


def described(reading: TextReading, layer: Bounded) -> dict[str, Any]:
    """Return what is told of a layer: what it does, and how far it opens, on average and at which words.

    ``doing`` says of each thing that it does whether that is done by the gate itself, or by one minus it.
    """
    openings = reading.openings(layer)[: reading.once].reshape(reading.once, -1)
    means = openings.mean(axis=1)
    doing = [(act.kind, act.factor is layer.at[1]) for act in reading.acts(layer, 1)]
    return {
        "symbol": layer.symbol,
        "name": layer.words or layer.symbol,
        "doing": dict(doing) if layer.is_gate else {},
        "gate": layer.is_gate,
        "mean": float(means.mean()),
        "widest": (reading.words[int(means.argmax())], float(means.max())),
        "narrowest": (reading.words[int(means.argmin())], float(means.min())),
        "size": float(np.abs(openings).mean()),
    }


def asked(reading: TextReading) -> dict[str, Any]:
    """Return what would have been with the reading's gate held at 0 and at 1, and how far it was open on average."""
    gate = reading.held
    if gate is None:
        return {}
    return {
        "mean": float(reading.openings(gate).mean()),
        "keeps": gate.roles[:1] == (RESET,) and WRITE not in gate.roles,
        "at": [held(reading, gate, end) for end in (0.0, 1.0)],
    }


def held(reading: TextReading, gate: Bounded, value: float) -> dict[str, Any]:
    """Return L, and how far back its error is felt, with a gate held at a value in every step."""
    loss = what_if(reading.loss, dict.fromkeys(gate.at.values(), value))
    read = reading.felt_in(loss)
    return {
        "loss": loss.item(),
        "forgotten": forgotten(read),
        "left": read[0] / read[-1] if read[-1] else math.nan,
        "felt": read,
    }


Guesses = list[tuple[str, float]]
"""What may come next, with probabilities, the likeliest first."""


def expectations(model: NextToken, ids: Any, vocabulary: Sequence[str], most: int = 4) -> list[Guesses]:
    """Return the likeliest next tokens after each of some tokens, with their probabilities."""
    with no_grad():
        scores = np.stack([model.head(h).value for h in model(ids)])  # (T, V)
    probabilities = np.exp(scores - scores.max(axis=1, keepdims=True))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :most]
    return [[(vocabulary[i], float(row[i])) for i in order] for row, order in zip(probabilities, best, strict=True)]


def with_article(name: str) -> str:
    """Return an LSTM, an RNN, a GRU: as one says the letters."""
    spelled = name.split()[0].isupper()
    return f"{'an' if name[0] in ('AEFHILMNORSX' if spelled else 'AEIOU') else 'a'} {name}"


def inert(data: dict[str, Any]) -> str:
    """Return data as JSON that may stand in a page: nothing in it can end the element it stands in."""
    written = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return printable(written).replace("<", "\\u003c")


def _painted(tour: Tour) -> dict[str, Any]:
    """Return the pictures by name; none of them where nothing can be painted, which the tour then says."""
    try:
        step, lit = pictures.one_step(tour.gated)
        variants = pictures.variants(tour.gated.states[0].size)
        return {
            "loop": pictures.unfolding(tour.objective, tour.weights),
            "step": step,
            "lit": lit,
            "variants": variants,
        }
    except RenderError as error:
        tour.undrawn = str(error)
        return {"loop": "", "step": "", "lit": {}, "variants": []}


def _mean(numbers: Sequence[float]) -> float:
    finite = [number for number in numbers if math.isfinite(number)]
    return sum(finite) / len(finite) if finite else math.nan

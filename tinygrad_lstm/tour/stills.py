"""The figures of the article standing still, for notes: pictures of the same graphs, plots of the same numbers."""

from __future__ import annotations

from dataclasses import replace

from ..drawing import draw
from ..drawing.paint.render import RenderError
from ..nn.samples import small_loss
from ..pages.plot import log_plot, share_plot
from .article import asked
from .findings import Tour
from .pictures import VARIANTS
from .plot import LOOKS, gradient_plot


def stills(tour: Tour) -> dict[str, dict[str, tuple[str, str]]]:
    """Return, for each figure by its id, its pictures: file name, then what one sees there and the SVG text.

    Where Graphviz paints nothing, there are those that need none.
    """
    plots = {
        "gap": {"gap.svg": ("Right answers over the gap", _gaps(tour))},
        "changes": {"changes.svg": ("How much of the state is another after each word", _changes(tour))},
        "back": {"gradients.svg": ("How far back the error is felt", gradient_plot(tour.norms))},
        "open": {"open.svg": ("The same with the gate held", _held(tour))},
    }
    return {**plots, **_painted(tour)}


def _painted(tour: Tour) -> dict[str, dict[str, tuple[str, str]]]:
    try:
        return {
            "loop": {
                "loop.svg": ("The network with its loop", draw(tour.objective, "rolled").svg),
                "chain.svg": ("The same, unfolded", draw(tour.objective, "cells", steps="all").svg),
            },
            "belt": {"step.svg": ("One step of the cell", draw(tour.gated.loss, "gates", steps=(1, 2)).svg)},
            "gates": {"openings.svg": ("How open each gate is at each word", draw(tour.gated.loss, "openings").svg)},
            "variants": {
                f"{name}.svg": (f"A step of the {name} cell", draw(small_loss(name, 3), "gates", steps=(1, 2)).svg)
                for name in VARIANTS
            },
        }
    except RenderError:
        return {}


def _gaps(tour: Tour) -> str:
    lines = [
        replace(
            look,
            points=[(each.gap, each.mean(kind)) for each in tour.gaps],
            spreads=[(min(each.scores[kind]), max(each.scores[kind])) for each in tour.gaps],
            name=f"{kind}s",
        )
        for kind, look in zip(("LSTM", "RNN"), LOOKS, strict=False)
    ]
    return share_plot(
        lines,
        title="Near is easy, far is hard",
        across="steps from the letter to the question",
        upwards="right answers",
        label="Right answers of LSTMs and RNNs over the gap",
        places=[each.gap for each in tour.gaps],
        size=(600, 300),
    )


def _changes(tour: Tour) -> str:
    lines = [
        replace(look, points=list(enumerate(each.changes, 1)), name=f"{each.title}, {each.state}")
        for each, look in zip((tour.gated, tour.plain), LOOKS, strict=False)
    ]
    return log_plot(
        lines,
        title="How much of the state is another",
        across="time step",
        upwards="‖sₜ − sₜ₋₁‖ / ‖sₜ₋₁‖",
        label="How much the state changes at each step, in both networks",
        log_across=False,
        log_upwards=False,
        size=(600, 300),
    )


def _held(tour: Tour) -> str:
    gate = tour.gated.held
    if gate is None:
        return gradient_plot(tour.norms)
    ends = {f"{gate.symbol} held at {end}": held["felt"] for end, held in enumerate(asked(tour.gated)["at"])}
    return gradient_plot({"as trained": tour.gated.felt, **ends})

"""The plot of vanishing gradients: how much of the last guess's loss is felt t steps earlier."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import numpy as np


def gradient_plot(norms: Mapping[str, Sequence[float]]) -> str:
    """‖∂L/∂h_t‖ over the distance from the loss, one line per model, on a logarithmic scale; as SVG text."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.use("svg")
    styles = (("#0072b2", "-", "o"), ("#d55e00", "--", "s"))
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "tinygrad_lstm", "font.size": 11}):
        figure = Figure(figsize=(8, 4), layout="constrained")
        axes = figure.add_subplot()
        for (name, values), (color, line, marker) in zip(norms.items(), styles, strict=False):
            steps = np.arange(len(values)) - (len(values) - 1)
            shown = np.where(np.array(values) > 0, values, np.nan)
            axes.semilogy(steps, shown, line, color=color, marker=marker, markersize=4, label=name)
        axes.set_xlabel("time step, counted back from the loss")
        axes.set_ylabel("‖∂L/∂hₜ‖")
        axes.set_title("How far back the last guess is felt", loc="left")
        axes.grid(True, which="major", color="#dddddd", linewidth=0.8)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None}, facecolor="white")
    return out.getvalue()

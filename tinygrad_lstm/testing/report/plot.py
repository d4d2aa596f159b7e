"""The convergence plot: on logarithmic axes a right gradient falls by three decades per decade, a wrong one by one."""

from __future__ import annotations

import math

from ...pages.plot import Beside, Series, log_plot, slope
from ...pages.theme import GRADIENT
from ..oracles.convergence import RIGHT, Convergence

RIGHT_COLOUR, WRONG_COLOUR = "#009e73", GRADIENT


def plot(curve: Convergence, *, standalone: bool = True) -> str:
    """Draw the plot as SVG. Not ``standalone``, it is for a page that has the dark colours already.

    >>> import tinygrad_lstm as tl
    >>> plot(tl.testing.taylor_test(tl.tanh, [0.5]))[:4]
    '<svg'
    """
    order = curve.order
    good = order is None or order > RIGHT
    title = "nothing is left but rounding" if order is None else f"order {order:.1f}: {'right' if good else 'wrong'}"
    left = list(zip(curve.steps, curve.remainders, strict=True))
    floor = list(zip(curve.steps, curve.floor, strict=True))
    return log_plot(
        [
            Series(floor, "rounding", dashes="2 3", beside=Beside(0, 6.7, -4, "end")),
            *([] if order is None else _slopes(left)),
            Series(left, colour=RIGHT_COLOUR if good else WRONG_COLOUR, marker="circle"),
        ],
        title=title,
        across="step h",
        upwards="what is left",
        label=f"Taylor test, {title}: what is left, over the step, on logarithmic axes",
        standalone=standalone,
    )


def _slopes(left: list[tuple[float, float]]) -> list[Series]:
    """Return how h³ and h would fall from where the largest step stands."""
    points = [(h, v) for h, v in left if 0 < v < math.inf]
    steps = [h for h, _ in points]
    named = ((1, "h", Beside(2 / 3, 0, -8)), (3, "h³", Beside(2 / 3, 8, 8)))
    return [
        Series(slope(power, points[0], steps), name, dashes="6 4", beside=beside, reference=True)
        for power, name, beside in named
    ]

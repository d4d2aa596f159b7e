"""Fit a picture to the place where it will be seen: which steps it shows, in how many rows, and in which type."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from . import legend
from .fits import FITS, Fit
from .layout.by_dot import by_dot
from .layout.columns import Provider, place
from .layout.geometry import Template
from .layout.model import Content, Placed
from .layout.rows import TooWide, in_rows, wrapped
from .layout.spread import spread
from .layout.upward_layout import upward_layout
from .paint.svg import PAD, size
from .scene import Scene

SIZES = (10.0, 11.0, 12.0, 13.5, 15.0, 17.0, 20.0)
"""Points of the smallest words that are tried: boxes and gutters stay, so that larger words make a picture denser."""

LARGEST = 1.7
"""How much larger than easy to read at most: what is small stays small. Chosen by eye."""

FILLED, SPARSE = 0.96, 0.5
"""How much of a place with its own height a picture is spread over, and how much of it should be taken without that;
chosen by eye."""

STEPS = (16, 12, 9, 7, 5, 4, 3, 2)
"""How many steps of a long sequence are shown, if so many can be read; a view may show fewer."""


class Fitted(NamedTuple):
    """A picture that fits: its scene and layout, CSS pixels in a point, and the canvas in points."""

    scene: Scene
    placed: Placed
    scale: float
    canvas: tuple[float, float]
    fit: Fit
    taken: float  # how much of the place it takes by itself, the way it takes less


def placed(scene: Scene, provider: Provider | None = None) -> Placed:
    """Return the scene with a place for everything; ``provider`` may know columns of other pictures already."""
    return place(scene, provider or _laid_out)


def _laid_out(content: Content, scene: Scene) -> Template:
    return upward_layout(content, scene) if scene.upwards else by_dot(content, scene)


class Remembered:
    """Lays out each column once for each size of its words, however many steps or pictures show it."""

    def __init__(self) -> None:
        self._known: dict[object, Template] = {}

    def __call__(self, content: Content, scene: Scene) -> Template:
        words = tuple(text.text for box in content.boxes for text in box.texts), tuple(a.label for a in content.inner)
        levels = tuple((block, *rows.items()) for block, rows in content.levels.items())
        key = scene.small, scene.upwards, scene.downwards, content.title, content.signature(), words, levels
        if key not in self._known:
            self._known[key] = _laid_out(content, scene)
        return self._known[key]


SceneOf = Callable[[int], Scene]
"""A scene that shows at most so many steps."""


def fitted(scene_of: SceneOf, name: str, ways: Mapping[str, SceneOf]) -> Fitted:
    """Return the picture that shows most steps in the fewest rows.

    Raises ValueError where even two steps, the first and the last, cannot be read, with those of the ways to draw less
    that do fit, and the larger places where it does.
    """
    provider = Remembered()
    found = _best(scene_of, FITS[name], provider)
    if isinstance(found, Fitted):
        return found
    scene, wide = found
    larger = [other for other, place in FITS.items() if place.width > FITS[name].width]
    fitting = [said for said, other in ways.items() if _fits(other, FITS[name], Remembered())]
    fitting += [f"fit={other!r}" for other in larger if _fits(scene_of, FITS[other], provider)]
    raise ValueError(_too_large(scene, name, fitting, wide=wide))


def _fits(scene_of: SceneOf, fit: Fit, provider: Provider) -> bool:
    """Tell whether the first and the last step can be read, in large words, which make a picture dense, or usual ones.

    Two sizes are enough to say so, and to try them all would take minutes of a large network.
    """
    scene = scene_of(STEPS[-1])
    found = (each for small in (SIZES[-1], SIZES[3]) for each in _arranged(scene, small, fit, provider))
    return any(each.scene.small * each.scale >= fit.least for each in found)


def _best(scene_of: SceneOf, fit: Fit, provider: Provider) -> Fitted | tuple[Scene, bool]:
    """Return the picture, or the smallest scene that was tried and whether one step of it is too wide by itself."""
    found, before = list[Fitted](), -1
    for longest in STEPS:
        scene = scene_of(longest)
        if len(scene.columns) == before:
            continue
        before = len(scene.columns)
        found = [each for small in SIZES for each in _arranged(scene, small, fit, provider)]
        if readable := [each for each in found if each.scene.small * each.scale >= fit.least]:
            return min(readable, key=_preference)
        if not found:
            break
    return scene, not found


def _preference(found: Fitted) -> tuple[bool, int, float, float]:
    """Return a key to sort by: few rows, words that are easy to read, then as few changes as need be.

    Of a place that has its own height, a picture that takes too little stands in more rows.
    """
    pixels = found.scene.small * found.scale
    return (
        found.fit.whole and found.taken < SPARSE,
        max(column.row for column in found.placed.columns),
        max(found.fit.easy - pixels, 0.0),
        found.scene.small,
    )


def _arranged(scene: Scene, small: float, fit: Fit, provider: Provider) -> Iterator[Fitted]:
    """Yield ways to divide the picture into rows, with the smallest words of that size."""
    scene = replace(scene, small=small)
    most = fit.width * small / fit.least - 2 * PAD
    for share in (1.0, 0.75, 0.5, 0.35) if fit.whole else (1.0,):
        whole = place(scene, provider)
        try:
            rows = in_rows(whole.columns, most * share)
            if len(rows) > 1:
                rows = in_rows(whole.columns, most * share - 2 * whole.beyond)
        except TooWide:
            return
        if len(rows) > 1 and not whole.upright:
            wrapped(whole, rows)
        low, high = whole.low, whole.high
        scale = _scale(whole, small, fit)
        taken = min((high.x - low.x) * scale / fit.width, (high.y - low.y) * scale / fit.height)
        if fit.whole and not whole.upright:
            most_high = 0.0 if scene.key else fit.height
            spread(whole, *(min(FILLED * side, side - 2 * PAD * scale) / scale for side in (fit.width, most_high)))
        if scene.key:
            whole.add_below(legend.placed(scene, whole.high.x - whole.low.x, min(legend.LEAST_ROOM, most)))
        scale = _scale(whole, small, fit)
        canvas = (fit.width / scale, fit.height / scale) if fit.whole else size(whole)
        yield Fitted(scene, whole, scale, canvas, fit, taken)


def _scale(placed: Placed, small: float, fit: Fit) -> float:
    """Return how many CSS pixels a point may be."""
    wide, high = size(placed)
    return min(fit.width / wide, fit.height / high, LARGEST * fit.easy / small)


def _too_large(scene: Scene, name: str, ways: Sequence[str], *, wide: bool) -> str:
    """Return what does not fit where, and what would."""
    fit = FITS[name]
    what = "even one step is too wide" if wide else "its first and its last step are too much"
    rows = " (from top to bottom time does not go on in another row)" if scene.downwards else ""
    return (
        f"{scene.title!r} does not fit {name!r} ({fit.meaning}) with words of {fit.least:g} pixels: {what}{rows}"
        f"{'; it does with ' + ' or '.join(ways) if ways else ''}"
    )

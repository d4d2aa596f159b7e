"""A picture: a scene that can show and save itself."""

from __future__ import annotations

from functools import cached_property

from ..engine.tensor import Tensor
from ..structure import collector
from . import legend
from .fitting import Fitted, Remembered, placed
from .layout.model import Placed
from .paint import svg as paint
from .paint.dot import to_dot
from .paint.render import FORMATS, render
from .scene import Scene
from .shown import Shown

ENDINGS = (*FORMATS, "dot", "html")
"""Of the files a picture can be saved in."""

PIXELS, LARGEST = 96 / 72, 32767
"""Of a PNG: pixels in a point (96 and 72 to the inch), and at most on a side (the limit of cairo, which paints it)."""

AROUND = 18.0
"""Points before what one begins to look at; chosen by eye."""


class Memory:
    """What pictures share that are much alike, as those of one network over more and more steps."""

    def __init__(self) -> None:
        self.laid_out = Remembered()
        self.painted: paint.Known = {}


class Picture(Shown):
    """What ``draw`` returns of a view. ``source`` is the DOT text; a notebook shows the picture itself."""

    endings = ENDINGS

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.memory = Memory()

    @property
    def title(self) -> str:
        """Return what the picture shows, in a few words."""
        return self._scene.title

    @property
    def description(self) -> str:
        """Return what the picture shows, for people who cannot see it."""
        return self._scene.description

    @cached_property
    def source(self) -> str:
        """Return the picture as DOT: what is in it, not where. The same graph gives the same text, always."""
        return to_dot(self._scene)

    @cached_property
    def positioned(self) -> str:
        """Return the picture as DOT with every position, as Graphviz paints it."""
        return paint.positioned(self._scene, self._placed)

    @cached_property
    def svg(self) -> str:
        """Return the picture as SVG text, which follows the reader's choice of light or dark and can be read aloud."""
        return self.painting.svg

    @cached_property
    def painting(self) -> paint.Painting:
        """Return the picture as its elements: those that Graphviz painted, and where each of them stands."""
        with collector.paused():
            return paint.Painting(self._scene, self._placed, self._canvas, self.memory.painted)

    @property
    def size(self) -> tuple[float, float]:
        """Return the width and the height of the SVG, in points."""
        return self._canvas.size

    @property
    def _canvas(self) -> paint.Canvas:
        return paint.Canvas.around(self._placed)

    @property
    def start(self) -> tuple[float, float]:
        """Return where to begin to look, in parts of the size: a little before the first step, or the first column."""
        named = [column.content.title != "" for column in self._placed.columns]
        left, top, _, _ = self.places()[named.index(True) if any(named) else 0]
        width, height = self._canvas.size
        return max(left - AROUND, 0.0) / width, max(top - AROUND, 0.0) / height

    def places(self) -> list[tuple[float, float, float, float]]:
        """Return where what stands in each column of the SVG does, in its order: left, top, width and height."""
        found, (_, (before, above), _) = [], self._canvas
        for column in self._placed.columns:
            rects = [rect for _, rect in column.boxes()]
            rects += [frame.rect for frame in column.frames() if frame.kind in ("step", "cell", "group")]
            left, right = min(r.x - r.width / 2 for r in rects), max(r.x + r.width / 2 for r in rects)
            low, high = min(r.y - r.height / 2 for r in rects), max(r.y + r.height / 2 for r in rects)
            start = (left - self._placed.low.x + before, self._placed.high.y - high + above)
            found.append((*start, right - left, high - low))
        return found

    def elements(self) -> tuple[dict[str, list[Tensor]], dict[str, list[tuple[Tensor, Tensor]]]]:
        """Return what elements of the SVG stand for, by their ids: boxes for nodes, arrows for uses of them."""
        boxes = {id: box.shows for id, box in self.painting.boxes.items()}
        return boxes, {id: arrow.uses for id, arrow in self.painting.arrows.items()}

    def _painted_as(self, format: str) -> str | bytes:
        if format == "dot":
            return self.source
        if format == "png":
            self._require_paintable()
        return render(self.positioned, format, "nop2")

    def _require_paintable(self) -> None:
        """Refuse what would not fit into an image without becoming too small to read."""
        width, height = (side * PIXELS for side in self.size)
        if max(width, height) > LARGEST:
            by = " with steps=(a, b)" if any(column.title for column in self._scene.columns) else ""
            raise ValueError(
                f"the picture would be {width:,.0f} by {height:,.0f} pixels, more than a PNG can hold ({LARGEST:,}); "
                f"save it as .svg or .html, or show less of it{by}"
            )

    @cached_property
    def _placed(self) -> Placed:
        whole = placed(self._scene, self.memory.laid_out)
        if self._scene.key:
            whole.add_below(legend.placed(self._scene, whole.high.x - whole.low.x))
        return whole


class FittedPicture(Picture):
    """A picture for one place, such as a slide: drawn as large as it will be seen there."""

    def __init__(self, fitted: Fitted) -> None:
        super().__init__(fitted.scene)
        self._fitted = fitted

    @property
    def size(self) -> tuple[float, float]:
        """Return the width and the height of the SVG, in CSS pixels."""
        width, height = self._fitted.canvas
        return width * self._fitted.scale, height * self._fitted.scale

    @property
    def positioned(self) -> str:
        """Return the picture as DOT with every position and the size of a PNG, as Graphviz paints it."""
        dots = 72 * self._fitted.scale * self._fitted.fit.zoom
        return paint.positioned(self._scene, self._placed, self._canvas, dpi=f"{dots:.6g}")

    @property
    def _canvas(self) -> paint.Canvas:
        inner, (width, height) = paint.size(self._placed), self._fitted.canvas
        margins = ((width - inner[0]) / 2 + paint.PAD, (height - inner[1]) / 2 + paint.PAD)
        shown = 'width="{:.0f}" height="{:.0f}"'.format(*self.size)
        return paint.Canvas((width, height), margins, shown)

    @property
    def _placed(self) -> Placed:
        return self._fitted.placed

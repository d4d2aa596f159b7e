"""A scene: what a view puts into a picture, before anyone decides where it goes and how DOT says it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from ..engine.tensor import Tensor
from ..pages.theme import ARROWS, SMALL
from .scale import Scale

Place = tuple[str, ...]
"""The names of the groups in which something stands, outermost first."""


class Text(NamedTuple):
    """One line of a box; the style names its size and colour in the theme."""

    text: str
    style: str = "name"


@dataclass(slots=True)
class Box:
    """One thing in the picture.

    ``column`` says at which time step it stands, counted over what is shown; ``place`` in which nested groups there,
    outermost first; ``block`` to which opened cell it belongs, and ``lane`` on which of its levels. The layout makes a
    frame of each group and each block, an ``Outline`` of a kind that ``paint/dot.py`` knows how to paint. The role, one
    of ``pages.theme.ROLES``, names shape and colour.
    """

    id: str
    role: str
    texts: tuple[Text, ...]
    column: int = 0
    place: Place = ()
    block: str = ""
    lane: str = ""
    tooltip: str = ""
    statistics: str = ""  # more for the tooltip: numbers, which may differ in the last digit between machines
    pending: bool = False  # its gradient has not been computed yet
    size: float | None = None  # the magnitude that decides its shade
    shade: int | None = None  # on the theme's scale of magnitudes
    faded: bool = False  # not what the picture wants to show
    shows: list[Tensor] = field(default_factory=list)  # what it stands for

    @property
    def look(self) -> tuple[object, ...]:
        """Return all that is painted besides the words and the shade."""
        return self.role, tuple(text.style for text in self.texts), self.pending, self.shade is not None, self.faded


@dataclass(slots=True)
class Arrow:
    """From one box to another, by id."""

    tail: str
    head: str
    role: str = "data"
    label: str = ""
    tooltip: str = ""
    size: float | None = None
    shade: int | None = None  # which decides its width
    faded: bool = False
    thick: bool = False  # what the picture wants to show
    port: str = ""  # where it crosses from one column to the next: with others of that name
    uses: list[tuple[Tensor, Tensor]] = field(default_factory=list)  # what it carries, and what that makes

    @property
    def against(self) -> bool:
        """Tell whether it leads against time; it is laid out as if it led with it, and drawn back."""
        return ARROWS[self.role].get("dir") == "back"

    @property
    def start(self) -> str:
        """Return the box at its earlier end, where it is laid out from."""
        return self.head if self.against else self.tail

    @property
    def end(self) -> str:
        """Return the box at its later end."""
        return self.tail if self.against else self.head

    @property
    def look(self) -> tuple[object, ...]:
        """Return all that is painted besides the label and the width that its shade gives it."""
        return self.role, bool(self.label), self.shade is not None and self.shade >= 0, self.faded, self.thick


class Column(NamedTuple):
    """One time step, or what came before or after; ``title`` stands on its frame, and without one there is no frame."""

    id: str
    title: str = ""


class Sample(NamedTuple):
    """What something looks like, and what it means."""

    looks: Box | Arrow
    meaning: str


@dataclass(slots=True)
class Scene:
    """All of a picture; title and description are for people who cannot see it."""

    title: str
    description: str
    columns: tuple[Column, ...] = (Column("graph"),)
    boxes: list[Box] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)
    downwards: bool = False  # time runs from top to bottom instead of from left to right
    upwards: bool = False  # in each column, from bottom to top: one box above another
    scale: Scale | None = None  # of the shades, if there are any
    key: tuple[Sample, ...] = ()  # the legend
    small: float = SMALL  # points: no words are smaller
    _ids: set[str] = field(default_factory=set)

    def add(self, box: Box) -> str:
        """Put a box into the picture, under an id that no other has; returns it."""
        box.id = unused(box.id, self._ids)
        self.boxes.append(box)
        return box.id

    def shade(self, *, colored: bool) -> None:
        """Give boxes their shades, if they are coloured, and arrows their widths, on a scale of what is drawn."""
        sizes = [box.size for box in self.boxes] + [arrow.size for arrow in self.arrows]
        scale = Scale(size for size in sizes if size is not None)
        for box in self.boxes:
            box.shade = scale.level(box.size) if colored and box.size is not None else None
        for arrow in self.arrows:
            arrow.shade = None if arrow.size is None else scale.level(arrow.size)
        self.scale = scale if colored else None

    def drop_empty_columns(self) -> None:
        """Remove the columns in which nothing stands."""
        used = sorted({box.column for box in self.boxes})
        number = {column: i for i, column in enumerate(used)}
        self.columns = tuple(self.columns[column] for column in used)
        for box in self.boxes:
            box.column = number[box.column]


def unused(id: str, taken: set[str]) -> str:
    """Return the id, with as many primes as make it a new one, which is taken from now on."""
    while id in taken:
        id += "′"
    taken.add(id)
    return id

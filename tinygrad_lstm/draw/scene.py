"""A scene: what a view puts into a picture, before anyone decides how DOT says it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Box:
    """One thing in the picture. ``cluster`` says in which nested groups it stands, outermost first."""

    id: str
    role: str
    symbol: str
    cluster: tuple[str, ...] = ()
    name: str | None = None
    shape: str = ""
    value: str | None = None
    gradient: str | None = None
    pending: bool = False  # its gradient has not been computed yet
    tooltip: str = ""
    on_spine: bool = False  # keeps the height of the others on it, so that time steps stand in a row


@dataclass(frozen=True)
class Arrow:
    tail: str
    head: str
    role: str = "data"


@dataclass
class Scene:
    """All of a picture; title and description are for people who cannot see it."""

    title: str
    description: str
    boxes: list[Box] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)

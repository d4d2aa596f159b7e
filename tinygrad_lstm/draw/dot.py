"""DOT: one scene, one text, the same every time."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

from . import labels
from .scene import Box, Scene
from .theme import ARROWS, FONT, GRADIENT, INK, INNER_GROUP, MUTED, OUTER_GROUP, PAPER, ROLES

if TYPE_CHECKING:
    import graphviz


class _Group:
    """A cluster under construction: its boxes, and the clusters inside it, in order of appearance."""

    def __init__(self) -> None:
        self.boxes: list[Box] = []
        self.groups: dict[str, _Group] = {}


def to_dot(scene: Scene) -> str:
    """The scene as DOT, left to right, for Graphviz's ``dot``."""
    import graphviz

    graph = graphviz.Digraph(
        scene.title,
        graph_attr={
            "rankdir": "LR",
            "newrank": "true",
            "bgcolor": PAPER,
            "fontname": FONT,
            "fontcolor": INK,
            "nodesep": "0.18",
            "ranksep": "0.35",
            "label": "",
            "tooltip": labels.plain(scene.title),
        },
        node_attr={"fontname": FONT, "fontsize": "11", "fontcolor": INK, "margin": "0.09,0.05", "penwidth": "1.2"},
        edge_attr={"arrowsize": "0.6", "penwidth": "1.1"},
    )
    root = _Group()
    for box in scene.boxes:
        group = root
        for name in box.cluster:
            group = group.groups.setdefault(name, _Group())
        group.boxes.append(box)
    _write(graph, root, 0, itertools.count())
    for arrow in scene.arrows:
        graph.edge(arrow.tail, arrow.head, **ARROWS[arrow.role])
    return str(graph.source)


def _write(graph: graphviz.Digraph, group: _Group, depth: int, numbers: Iterator[int]) -> None:
    for box in group.boxes:
        graph.node(box.id, **_attributes(box))
    for name, inner in _merged(group):
        with graph.subgraph(name=f"cluster_{next(numbers)}") as cluster:
            title = labels.plain(" · ".join(labels.clean(part) for part in name))
            cluster.attr(label=title, tooltip=title, margin="8", **(INNER_GROUP if depth else OUTER_GROUP))
            _write(cluster, inner, depth + 1, numbers)


def _merged(group: _Group) -> Iterator[tuple[tuple[str, ...], _Group]]:
    """The groups inside, a chain of groups with nothing else in them drawn as one."""
    for name, inner in group.groups.items():
        names = [name]
        while not inner.boxes and len(inner.groups) == 1:
            ((only, inner),) = inner.groups.items()
            names.append(only)
        yield tuple(names), inner


def _attributes(box: Box) -> dict[str, str]:
    rows = [(box.symbol, {"POINT-SIZE": "15" if len(box.symbol) <= 2 else "12"})]
    if box.name:
        rows.append((box.name, {"POINT-SIZE": "12"}))
    if box.shape:
        rows.append((box.shape, {"POINT-SIZE": "9", "COLOR": MUTED}))
    if box.value is not None:
        rows.append((box.value, {"POINT-SIZE": "9"}))
    if box.gradient is not None:
        rows.append((box.gradient, {"POINT-SIZE": "9", "COLOR": MUTED if box.pending else GRADIENT}))
    look = dict(ROLES[box.role])
    if box.pending:
        look["style"] += ",dashed"
    if box.on_spine:
        look["group"] = "spine"
    return {"label": labels.html_label(rows), "tooltip": labels.plain(box.tooltip), "class": box.role, **look}

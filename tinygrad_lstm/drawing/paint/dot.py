"""DOT: one scene, one text, the same every time."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from ...pages.theme import (
    ARROWS,
    DARK_WORDS,
    FADED,
    FADED_INK,
    FONT,
    GRADIENT,
    INK,
    INNER_GROUP,
    INVERSE,
    MUTED,
    OPEN_CELL,
    OUTER_GROUP,
    PAPER,
    ROLES,
    SHADES,
    TEXTS,
)
from ...structure import words
from .. import labels
from ..layout.geometry import Curve, Outline, Point, Rect
from ..scene import Arrow, Box, Scene

if TYPE_CHECKING:
    import graphviz

_NODES = {"fontname": FONT, "fontsize": "11", "fontcolor": INK, "margin": "0.09,0.05", "penwidth": "1.2"}
_EDGES = {"fontname": FONT, "fontsize": "9", "fontcolor": MUTED, "arrowsize": "0.6", "penwidth": "1.1"}


class _Group:
    """A cluster under construction: its boxes, and the clusters inside it, in order of appearance."""

    def __init__(self) -> None:
        self.boxes: list[Box] = []
        self.groups: dict[str, _Group] = {}


def to_dot(scene: Scene) -> str:
    """Return the scene as DOT without positions: what is in the picture and what belongs together."""
    graph = layout_graph(scene.title, scene)
    ids = {box.id: box.id for box in scene.boxes}
    numbers = itertools.count()
    for number, column in enumerate(scene.columns):
        boxes = [box for box in scene.boxes if box.column == number]
        if column.title:
            with graph.subgraph(name=f"cluster_{next(numbers)}") as cluster:
                cluster.attr(label=labels.plain(column.title), margin="8", fontsize="14", **OUTER_GROUP)
                write_groups(cluster, boxes, ids, numbers)
        else:
            write_groups(graph, boxes, ids, numbers)
    for arrow in scene.arrows:
        ends = (arrow.head, arrow.tail) if against(arrow.role) else (arrow.tail, arrow.head)
        graph.edge(*ends, **arrow_look(arrow), edgetooltip=labels.plain(arrow.tooltip))
    if scene.key:
        with graph.subgraph(name="cluster_legend") as cluster:
            cluster.attr(label="legend", margin="8", fontsize="11", **INNER_GROUP)
            for sample in scene.key:
                if isinstance(sample.looks, Box):
                    cluster.node(
                        f"legend {sample.meaning}", xlabel=labels.plain(sample.meaning), **box_look(sample.looks)
                    )
    return str(graph.source)


def layout_graph(name: str, scene: Scene) -> graphviz.Digraph:
    """Return an empty graph whose arrows lead in the direction of time."""
    import graphviz

    return graphviz.Digraph(
        name,
        graph_attr={
            "rankdir": "TB" if scene.downwards else "LR",
            "newrank": "true",
            "bgcolor": PAPER,
            "fontname": FONT,
            "fontcolor": INK,
            "nodesep": "0.18",
            "ranksep": "0.35",
            "label": "",
            "tooltip": labels.plain(scene.title),
        },
        node_attr=_NODES,
        edge_attr=_EDGES,
    )


def write_groups(
    graph: graphviz.Digraph, boxes: Iterable[Box], ids: Mapping[str, str], numbers: Iterator[int] | None = None
) -> None:
    """Write the boxes, each in its nested clusters; ``comment`` keeps a cluster's path."""
    root = _Group()
    for box in boxes:
        group = root
        for name in box.place:
            group = group.groups.setdefault(name, _Group())
        group.boxes.append(box)
    _write(graph, root, (), ids, numbers or itertools.count())


def painted(
    title: str,
    frames: Iterable[tuple[str, Outline]],
    boxes: Iterable[tuple[str, Box, Rect]],
    arrows: Iterable[tuple[str, Arrow, Curve]],
) -> str:
    """Return DOT in which everything has its place: Graphviz, with the layout ``nop2``, only paints it."""
    import graphviz

    graph = graphviz.Digraph(
        title,
        graph_attr={
            "layout": "nop2",
            "notranslate": "true",
            "outputorder": "nodesfirst",
            "splines": "true",
            "bgcolor": PAPER,
            "label": "",
            "tooltip": labels.plain(title),
        },
        node_attr={**_NODES, "fixedsize": "true"},
        edge_attr=_EDGES,
    )
    for id, frame in frames:
        look = _frame_look(frame)
        label = labels.html_label([(frame.title, {"POINT-SIZE": look.pop("fontsize")})]) if frame.title else ""
        shape = look.pop("shape", "box")
        graph.node(id, label=label, id=id, shape=shape, labelloc="t", **_at(frame.rect), **look)
    ends: dict[str, str] = {}
    for id, box, rect in boxes:
        graph.node(id, id=id, tooltip=labels.plain(box.tooltip), **box_look(box), **_at(rect))
        ends[box.id] = id
    for id, arrow, curve in arrows:
        # a spline is written from its tail, whichever way its layout was asked for
        tip = f"e,{_number(curve.tip.x)},{_number(curve.tip.y)} " if curve.tip else ""
        where = {"pos": tip + " ".join(map(_point, curve.points))}
        if arrow.label and curve.label:
            where["lp"] = _point(curve.label)
        look = arrow_look(arrow)
        look.pop("dir", None)
        graph.edge(_node(graph, ends, arrow.tail), _node(graph, ends, arrow.head), id=id, **look, **where)
    return str(graph.source)


def against(role: str) -> bool:
    """Whether arrows of a role lead against time; they are laid out as if they led with it, and drawn the other way."""
    return ARROWS[role].get("dir") == "back"


def attributes(role: str, label: str) -> dict[str, str]:
    """Return what of an arrow's look its layout depends on."""
    look = dict(ARROWS[role])
    if label:
        look["label"] = labels.plain(label)
    return look


def box_look(box: Box) -> dict[str, str]:
    """Return a box's label, shape and colours."""
    look = dict(ROLES[box.role])
    if box.role == "joint":
        return {"label": "", **look}
    words = None
    if box.shade is not None:
        look["fillcolor"], words = shade_look(box.shade)
        look["style"] = look["style"] if "filled" in look["style"] else f"{look['style']},filled".strip(",")
    if box.pending:
        look["style"] += ",dashed"
    if any(text.style == "note" for text in box.texts):
        look["color"], look["penwidth"] = GRADIENT, "3"
    if box.faded:
        look["fillcolor"], look["color"], words = PAPER, FADED, FADED_INK
    rows = [
        (text.text, TEXTS[text.style] if words is None else {**TEXTS[text.style], "COLOR": words}) for text in box.texts
    ]
    return {"label": labels.html_label(rows), "class": box.role, **look}


def arrow_look(arrow: Arrow) -> dict[str, str]:
    """Return an arrow's label, colour and width."""
    look = attributes(arrow.role, arrow.label)
    if arrow.shade is not None:
        look["penwidth"] = width_of(arrow.shade)
        if arrow.shade < 0:
            look["style"] = "dotted"
    if arrow.thick:
        look["penwidth"] = "3"
    if arrow.faded:
        look["color"] = look["fontcolor"] = FADED
    return {"class": arrow.role, **look}


def shade_look(shade: int) -> tuple[str, str]:
    """Return the colours of a box of that shade, and of the words in it; −1 is no magnitude at all."""
    return (SHADES[shade], INVERSE if shade >= DARK_WORDS else INK) if shade >= 0 else (PAPER, INK)


def width_of(shade: int) -> str:
    """Return how wide an arrow is drawn for a shade."""
    return f"{0.8 + 0.5 * max(shade, 0):g}"


def _write(
    graph: graphviz.Digraph, group: _Group, above: tuple[str, ...], ids: Mapping[str, str], numbers: Iterator[int]
) -> None:
    import graphviz

    for box in group.boxes:
        graph.node(ids[box.id], tooltip=labels.plain(box.tooltip), **box_look(box))
    for names, inner in _merged(group):
        with graph.subgraph(name=f"cluster_{next(numbers)}") as cluster:
            title = labels.plain(" · ".join(map(words.clean, names)))
            within = (*above, *names)
            path = graphviz.nohtml("\n".join(map(labels.plain, within)))
            cluster.attr(label=title, margin="8", fontsize="11", comment=path, **INNER_GROUP)
            _write(cluster, inner, within, ids, numbers)


def _merged(group: _Group) -> Iterator[tuple[tuple[str, ...], _Group]]:
    """Return the groups inside, a chain of groups with nothing else in them drawn as one."""
    for name, inner in group.groups.items():
        names = [name]
        while not inner.boxes and len(inner.groups) == 1:
            ((only, inner),) = inner.groups.items()
            names.append(only)
        yield tuple(names), inner


def _frame_look(frame: Outline) -> dict[str, str]:
    if frame.depth == 0:
        return {**OUTER_GROUP, "fontsize": "14", "class": "step"}
    if frame.path == ("time",):
        return {"shape": "plaintext", "fontcolor": MUTED, "fontsize": "11", "class": "time"}
    if frame.path and frame.path[0] == "":
        return {**OPEN_CELL, "fontsize": "12", "class": "cell"}
    return {**INNER_GROUP, "fontsize": "11", "class": "group"}


def _at(rect: Rect) -> dict[str, str]:
    size = {"width": _number(rect.width / 72, 4), "height": _number(rect.height / 72, 4)}
    return {"pos": _point(Point(rect.x, rect.y)), **size}


def _node(graph: graphviz.Digraph, ends: dict[str, str], id: str) -> str:
    """Return the node an arrow starts or ends at: somewhere, if it is not among those that are painted."""
    if id not in ends:
        ends[id] = f"away{len(ends)}"
        graph.node(ends[id], label="", style="invis", pos="0,0", width="0.01", height="0.01")
    return ends[id]


def _point(point: Point) -> str:
    return f"{_number(point.x)},{_number(point.y)}"


def _number(x: float, digits: int = 2) -> str:
    return f"{round(x, digits) + 0.0:.10g}"

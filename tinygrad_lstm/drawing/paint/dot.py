"""DOT: one scene, one text, the same every time."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from os.path import commonprefix
from typing import TYPE_CHECKING

from ...pages import theme
from ...structure import words
from .. import labels
from ..layout.geometry import Curve, Outline, Point, Rect
from ..scene import Arrow, Box, Place, Scene

if TYPE_CHECKING:
    import graphviz

_NODES = {"fontname": theme.FONT, "fontsize": "11", "fontcolor": theme.INK, "margin": "0.09,0.05", "penwidth": "1.2"}
_EDGES = {"fontname": theme.FONT, "fontcolor": theme.MUTED, "arrowsize": "0.6", "penwidth": "1.1"}
_FRAMES = {
    "step": {**theme.OUTER_GROUP, "fontsize": "14"},
    "time": {"shape": "plaintext", "fontcolor": theme.MUTED, "fontsize": "11"},
    "cell": {**theme.OPEN_CELL, "fontsize": "12"},
    "name": {"shape": "plaintext", "fontcolor": theme.OPEN_CELL["fontcolor"], "fontsize": "12"},
    "paper": {"shape": "box", "style": "invis", "fontsize": "1"},
    "fork": {"shape": "point", "color": theme.ROLES["joint"]["color"], "fontsize": "1"},
    "group": {**theme.INNER_GROUP, "fontsize": "11"},
}
"""What the frames of each kind look like; font sizes in points."""


def to_dot(scene: Scene) -> str:
    """Return the scene as DOT without positions: what is in the picture and what belongs together."""
    graph = layout_graph(scene.title, scene)
    numbers = itertools.count()
    for number, column in enumerate(scene.columns):
        boxes = [box for box in scene.boxes if box.column == number]
        if column.title:
            with graph.subgraph(name=f"cluster_{next(numbers)}") as cluster:
                cluster.attr(label=labels.plain(column.title), margin="8", fontsize="14", **theme.OUTER_GROUP)
                write_groups(cluster, boxes, numbers, scene.small)
        else:
            write_groups(graph, boxes, numbers, scene.small)
    for arrow in scene.arrows:
        graph.edge(arrow.start, arrow.end, **arrow_look(arrow), edgetooltip=labels.plain(arrow.tooltip))
    if scene.key:
        with graph.subgraph(name="cluster_legend") as cluster:
            cluster.attr(label="legend", margin="8", fontsize="11", **theme.INNER_GROUP)
            for looks, meaning in scene.key:
                if isinstance(looks, Box):
                    cluster.node(f"legend {meaning}", xlabel=labels.plain(meaning), **box_look(looks))
    return str(graph.source)


def layout_graph(name: str, scene: Scene) -> graphviz.Digraph:
    """Return an empty graph whose arrows lead in the direction of time."""
    direction = "TB" if scene.downwards else "LR"
    distances = {"nodesep": "0.18", "ranksep": "0.35", "newrank": "true"}
    return _graph(
        name, scene.title, scene.small, rankdir=direction, fontname=theme.FONT, fontcolor=theme.INK, **distances
    )


def _graph(name: str, title: str, small: float, **look: str) -> graphviz.Digraph:
    import graphviz

    attributes = {"bgcolor": theme.PAPER, "label": "", "tooltip": labels.plain(title), **look}
    edges = {**_EDGES, "fontsize": f"{small:g}"}
    return graphviz.Digraph(name, graph_attr=attributes, node_attr=_NODES, edge_attr=edges)


def write_groups(
    graph: graphviz.Digraph,
    boxes: list[Box],
    numbers: Iterator[int],
    small: float,
    sized: bool = False,
    above: Place = (),
) -> None:
    """Write the boxes, each in its nested clusters; ``comment`` keeps a cluster's path.

    A chain of clusters with nothing else in them is drawn as one. ``sized`` says that boxes are as large as their words
    may become in any font, not only in the one that Graphviz finds on this machine.
    """
    import graphviz

    inside: dict[str, list[Box]] = {}
    for box in boxes:
        if box.place == above:
            width, height = labels.size(box, False, small) if sized else (0, 0)
            size = {"width": _number(width / 72), "height": _number(height / 72)} if sized else {}
            graph.node(box.id, tooltip=labels.plain(box.tooltip), **size, **box_look(box, small))
        else:
            inside.setdefault(box.place[len(above)], []).append(box)
    for members in inside.values():
        within = tuple(commonprefix([box.place for box in members]))  # noqa: RUF071  (of tuples, name by name)
        with graph.subgraph(name=f"cluster_{next(numbers)}") as cluster:
            title = labels.plain(" · ".join(map(words.clean, within[len(above) :])))
            path = graphviz.nohtml("\n".join(map(labels.plain, within)))
            cluster.attr(label=title, margin="8", fontsize="11", comment=path, **theme.INNER_GROUP)
            write_groups(cluster, members, numbers, small, sized, within)


def painted(
    title: str,
    frames: Iterable[Outline],
    boxes: Iterable[tuple[Box, Rect]],
    arrows: Iterable[tuple[Arrow, Curve]],
    small: float,
    **whole: str,
) -> str:
    """Return DOT in which everything has its place: Graphviz, with the layout ``nop2``, only paints it.

    The elements have the ids f0, f1, … for frames, b0, … for boxes and a0, … for arrows. ``whole`` is the look of the
    graph itself, such as how many dots an inch of a PNG has.
    """
    only_painted = {"layout": "nop2", "notranslate": "true", "outputorder": "nodesfirst", "splines": "true"}
    graph = _graph(title, title, small, **only_painted, **whole)
    graph.node_attr["fixedsize"] = "true"
    for number, frame in enumerate(frames):
        shape = {"shape": "box", **_FRAMES[frame.kind], "class": frame.kind}
        font = {"POINT-SIZE": f"{max(float(shape.pop('fontsize')), small):g}"}
        label = labels.html_label([(frame.title, font)]) if frame.title else ""
        graph.node(f"f{number}", label=label, id=f"f{number}", labelloc="t", **_at(frame.rect), **shape)
    ends: dict[str, str] = {}
    for number, (box, rect) in enumerate(boxes):
        ends[box.id] = id = f"b{number}"
        graph.node(id, id=id, tooltip=labels.plain(box.tooltip), **box_look(box, small), **_at(rect))
    for number, (arrow, curve) in enumerate(arrows):
        # a spline is written from its tail, whichever way its layout was asked for
        pieces = [" ".join(map(_point, piece)) for piece in curve.pieces()]
        pieces[-1] = (f"e,{_point(curve.tip)} " if curve.tip else "") + pieces[-1]
        look = {**arrow_look(arrow), "pos": ";".join(pieces)}
        if arrow.label and curve.label:
            look["lp"] = _point(curve.label)
        if arrow.label and curve.again:
            look |= {"taillabel": look["label"], "tail_lp": _point(curve.again)}
        look.pop("dir", None)
        graph.edge(_node(graph, ends, arrow.tail), _node(graph, ends, arrow.head), id=f"a{number}", **look)
    return str(graph.source)


def attributes(role: str, label: str) -> dict[str, str]:
    """Return what of an arrow's look its layout depends on."""
    look = dict(theme.ARROWS[role])
    if label:
        look["label"] = labels.plain(label)
    return look


def box_look(box: Box, small: float = theme.SMALL) -> dict[str, str]:
    """Return a box's label, shape and colours."""
    look = dict(theme.ROLES[box.role])
    if box.role in ("joint", "tick", "scale"):
        return {"label": "", **look, **(dict.fromkeys(("fillcolor", "color"), theme.FADED) if box.faded else {})}
    ink = {}
    if box.shade is not None and box.role != "constant":
        look["fillcolor"], ink["COLOR"] = shade_look(box.shade)
        look["style"] = look["style"] if "filled" in look["style"] else f"{look['style']},filled".strip(",")
    if box.pending:
        look["style"] += ",dashed"
    if any(text.style == "note" for text in box.texts):
        look["color"], look["penwidth"] = theme.GRADIENT, "3"
    if box.faded:
        look["fillcolor"], look["color"], ink["COLOR"] = theme.PAPER, theme.FADED, theme.FADED_INK
    rows = [(text.text, {**_lettering(text.style, small), **ink}) for text in box.texts]
    return {"label": labels.html_label(rows), "class": box.role, **look}


def _lettering(style: str, small: float) -> dict[str, str]:
    """Return the look of words of a style, no smaller than it may be."""
    look = theme.TEXTS[style]
    return {**look, "POINT-SIZE": f"{max(float(look['POINT-SIZE']), small):g}"}


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
        look["color"] = look["fontcolor"] = theme.FADED
    return {"class": arrow.role, **look}


def shade_look(shade: int) -> tuple[str, str]:
    """Return the colours of a box of that shade, and of the words in it; −1 is no magnitude at all."""
    return (theme.LEVELS[shade], theme.INKS[shade]) if shade >= 0 else (theme.PAPER, theme.INK)


def width_of(shade: int) -> str:
    """Return how wide an arrow is drawn for a shade."""
    return f"{0.8 + 3.5 * max(shade, 0) / (len(theme.LEVELS) - 1):.3g}"


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

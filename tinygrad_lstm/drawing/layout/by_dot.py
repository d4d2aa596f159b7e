"""A column laid out by Graphviz's ``dot``, with ports on its borders for the arrows to its neighbours."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

from ..paint.dot import against, attributes, layout_graph, write_groups
from ..paint.render import MEND, OutOfTime, RenderError, render
from ..scene import Scene
from .geometry import Curve, End, Outline, Point, Rect, Template
from .model import Content

MARGIN = 8.0
"""Points around what stands in a column; chosen by eye."""

LARGE, SECONDS = 400, 20.0
"""Above LARGE boxes and arrows in a column, its layout may take at most so many SECONDS.

Measured on y ← tanh(y · x + the y before), which nothing in it repeats, on one core: 481 take 1.6 seconds, 801 take 22.
"""


def by_dot(content: Content, scene: Scene) -> Template:
    """Place the column's boxes and arrows where ``dot`` would put them."""
    graph = layout_graph("column", scene)
    ids = [box.id for box in content.boxes]
    write_groups(graph, content.boxes, itertools.count(), scene.small, sized=True)
    ports: dict[tuple[bool, bool, str], str] = {}
    for end in content.ends:
        ports.setdefault(end.port, f"port {len(ports)}")
    for forward, rank in ((False, "min"), (True, "max")):
        with graph.subgraph(None, graph_attr={"rank": rank}) as border:
            for (side, _, _), name in ports.items():
                if side is forward:
                    border.node(name, label="", shape="point", width="0.02", height="0.02", group=name)
    for number, arrow in enumerate(content.inner):
        tail, head = (arrow.head, arrow.tail) if against(arrow.role) else (arrow.tail, arrow.head)
        graph.edge(ids[tail], ids[head], id=f"i{number}", **attributes(arrow.role, arrow.label))
    for number, end in enumerate(content.ends):
        # ports on the left are laid out as sources and those on the right as sinks, whichever way the arrow goes
        box, port = ids[end.slot], ports[end.port]
        pair = (box, port) if end.forward else (port, box)
        graph.edge(*pair, id=f"e{number}", **_port_look(end, scene.downwards))
    parts = len(content.boxes) + len(content.inner) + len(content.ends)
    drawn = _drawn(graph.source, parts, content)
    try:
        return _read(json.loads(drawn), content, scene.downwards)
    except (ValueError, KeyError) as error:
        raise RenderError(f"Graphviz's answer made no sense ({error!r}); {MEND}") from error


def _drawn(source: str, parts: int, content: Content) -> bytes:
    """Return what ``dot`` makes of a column, in limited time if it is a large one."""
    try:
        return render(source, "json", limit=SECONDS if parts > LARGE else None)
    except OutOfTime as error:
        where = f"at {content.title}" if content.title else "outside of any time step"
        modules = 'view="cells", depth=0 to close the modules, ' if any(box.place for box in content.boxes) else ""
        steps = "steps=(a, b) for a window, " if content.title else ""
        raise OutOfTime(
            f"{error}: laying out {parts} boxes and arrows {where} takes too long, and no step repeats. Show less: "
            f"{modules}{steps}{'or ' if modules or steps else ''}only a part of the graph by drawing another tensor"
        ) from error


def _port_look(end: End, downwards: bool) -> dict[str, str]:
    tip = "none" if end.outgoing else "back" if end.forward else "forward"
    near, far = ("n", "s") if downwards else ("w", "e")
    clip = {"headclip": "false", "headport": near} if end.forward else {"tailclip": "false", "tailport": far}
    return {"weight": "3", "dir": tip, **clip}


def _read(drawn: dict[str, Any], content: Content, downwards: bool) -> Template:
    objects = {found["name"]: found for found in drawn.get("objects", ())}
    x0, y0, x1, y1 = map(float, drawn["bb"].split(","))
    framed = bool(content.title)
    inset, head = (MARGIN, 20.0) if framed else (0.0, 0.0)
    move = inset - x0, inset - y0
    template = Template(x1 - x0 + 2 * inset, y1 - y0 + 2 * inset + head)
    if framed:
        whole = Rect(template.width / 2, template.height / 2, template.width, template.height)
        template.frames.append(Outline("step", ("frame",), "", whole))
    for found in objects.values():
        if "bb" in found and found["name"].startswith("cluster"):
            a, b, c, d = map(float, found["bb"].split(","))
            rect = Rect((a + c) / 2, (b + d) / 2, c - a, d - b).moved(*move)
            template.frames.append(Outline("group", tuple(found["comment"].split("\n")), found["label"], rect))
    for box in content.boxes:
        found = objects[box.id]
        x, y = map(float, found["pos"].split(","))
        template.boxes.append(Rect(x, y, float(found["width"]) * 72, float(found["height"]) * 72).moved(*move))
    edges = {edge["id"]: _curve(edge).moved(*move) for edge in drawn.get("edges", ()) if "id" in edge}
    template.inner = [edges[f"i{number}"] for number in range(len(content.inner))]
    template.ends = {end: edges[f"e{number}"] for number, end in enumerate(content.ends)}
    if downwards:
        template = template.turned(-1)
    for number, arrow in enumerate(content.inner):
        if against(arrow.role):
            template.inner[number] = _reversed(template.inner[number])
    for end, curve in template.ends.items():
        laid_out = _reversed(curve) if end.forward is not end.outgoing else curve  # which was rightwards
        template.ends[end] = _to_border(laid_out, end, template.width)
    return template


def _reversed(curve: Curve) -> Curve:
    return curve._replace(points=curve.points[::-1])


def _to_border(curve: Curve, end: End, width: float) -> Curve:
    """Lead straight on from the port, which stands in a row with other boxes, to the border behind it."""
    port = curve.points[-1 if end.outgoing else 0]
    border = Point(width if end.forward else 0.0, port.y)
    points = (*curve.points, port, border, border) if end.outgoing else (border, border, port, *curve.points)
    return Curve(points, curve.tip)


def _curve(edge: dict[str, Any]) -> Curve:
    """Read Graphviz's spline: an optional tip at its start or end, then the control points."""
    tip, points = None, []
    for word in re.split(r"\s+", edge["pos"].strip()):
        numbers = word.split(",")
        if numbers[0] in ("e", "s"):
            tip = Point(float(numbers[1]), float(numbers[2]))
        else:
            points.append(Point(float(numbers[0]), float(numbers[1])))
    label = Point(*map(float, edge["lp"].split(","))) if "lp" in edge else None
    return Curve(tuple(points), tip, label)

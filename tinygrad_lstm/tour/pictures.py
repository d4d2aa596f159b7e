"""The pictures of the article: painted from the graphs that ran, and made ready to be moved, lit and cropped."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..drawing import draw
from ..engine.scope import time_step
from ..engine.tensor import Tensor, tensor
from ..nn.cell import state_parts
from ..nn.named import title_of
from ..nn.samples import olahs
from .reading import TextReading

BESIDE = 46.0
"""Points on either side of a cell that are shown of the lines that lead in and out; chosen by eye."""

APART = 12.0
"""Points between the box of all weights and the states above it; chosen by eye."""

VARIANTS = ("lstm", "peephole", "coupled", "gru")
"""The cells of Olah's last section, and what they vary."""

BELT = "belt"
"""What is lit where no layer is looked at: the way of the state."""

_NUMBERS = re.compile(r"-?\d+(?:\.\d+)?")
_SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True)
class Variant:
    """A cell as one step of it is drawn, and how many weights it learns."""

    title: str
    svg: str
    weights: int


def unfolding(loss: Tensor, weights: Sequence[Tensor]) -> str:
    """Return the chain of steps, with the loop of the folded network laid on its last cell, as SVG for a page.

    Its columns are ``before``, ``t0``, ``t1``, … and ``after``, its loop is ``loop``; the page moves them. What stays
    where it is are the weights, all in one box.
    """
    chain, folded = _parsed(draw(loss, "cells", steps="all").svg), _parsed(draw(loss, "rolled").svg)
    graph = next(group for group in chain.iter("g") if group.get("class") == "graph")
    loop = next((group for group in folded.iter("g") if _is(group, "state")), None)
    if loop is not None:  # a single step has none
        graph.append(_laid_on_the_last(loop, folded, chain))
    graph.append(_beside(_all_weights(weights), chain))
    return _written(chain)


def _laid_on_the_last(loop: ET.Element, folded: ET.Element, chain: ET.Element) -> ET.Element:
    """Return the loop of the folded network moved to the last cell of the chain, with its label above it."""
    last = [group for group in chain.iter("g") if _is(group, "cell")][-1]
    x, y = _corner(next(group for group in folded.iter("g") if _is(group, "cell")))
    across, along = _shift_of(last, chain)
    right, down = _corner(last)
    left, top, end, _ = _around(loop)
    for label in loop.iter("text"):  # where no line passes
        label.set("x", f"{(left + end) / 2:.2f}")
        label.set("y", f"{top - 5:.2f}")
    moved = ET.Element("g", {"data-id": "loop", "class": "loop"})
    moved.set("transform", f"translate({right + across - x:.2f} {down + along - y:.2f})")
    moved.append(loop)
    return moved


def _all_weights(weights: Sequence[Tensor]) -> ET.Element:
    """Return the painted box of all weights as one vector, W."""
    every = tensor(np.concatenate([w.value.ravel() for w in weights]), requires_grad=True, name="W")
    return next(group for group in _parsed(draw(every.sum()).svg).iter("g") if _is(group, "parameter"))


def _beside(box: ET.Element, chain: ET.Element) -> ET.Element:
    """Return a box moved to where the chain has room: below what the first step begins with."""
    first = next(group for group in chain.iter("g") if _is(group, "input"))
    modules = [group for group in chain.iter("g") if _is(group, "module") and group.get("data-id", "").startswith("t0")]
    column = next(group for group in chain.iter("g") if first in list(group))
    above = max(_around(group)[3] for group in column if _is(group, "input"))
    (left, _, right, _), (_, high, _, low) = _around(first), _around(modules[0])
    a, b, c, d = _around(box)
    moved = ET.Element("g", {"data-id": "weights"})
    down = max((high + low - b - d) / 2, above + APART - b)
    moved.set("transform", f"translate({(left + right - a - c) / 2:.2f} {down:.2f})")
    moved.append(box)
    return moved


def one_step(reading: TextReading) -> tuple[str, dict[str, list[str]]]:
    """Return a step of the reading's cell, and which of its elements each of its layers lights, by number, and BELT."""
    t = min(1, len(reading.words) - 1)
    picture = draw(reading.loss, "gates", steps=(t, t + 1), shapes=False)
    lit: dict[str, set[Tensor]] = {BELT: set(reading.passages[t].way) if reading.passages else set()}
    for number, layer in enumerate(reading.layers):
        lit[str(number)] = {layer.at[t], *(x for act in reading.acts(layer, t) for x in (act.product, act.factor))}
    boxes, arrows = picture.elements()
    found = {}
    for what, nodes in lit.items():
        inside = [id for id, shown in boxes.items() if nodes.intersection(shown)]
        lines = [id for id, uses in arrows.items() if any(_lights(x, node, nodes, what, t) for x, node in uses)]
        found[what] = inside + lines
    return _cropped(picture.svg), found


def variants(size: int) -> list[Variant]:
    """Return the variants of the LSTM, each with D = H = ``size``, from one step of each that ran."""
    found = []
    for name in VARIANTS:
        cell = olahs(name, size, size, np.random.default_rng(0))
        state: Any = None
        for t in range(3):
            with time_step(t):
                state = cell(tensor(np.ones(size), name="x"), state)
        picture = draw(state_parts(cell, state)[0], "gates", steps=(1, 2), shapes=False)
        found.append(Variant(title_of(name), _cropped(picture.svg), sum(w.value.size for w in cell.parameters())))
    return found


def _lights(x: Tensor, node: Tensor, nodes: set[Tensor], what: str, t: int) -> bool:
    """Tell whether a line is lit: between two that are, and on the belt also where the state comes in and goes out."""
    if what == BELT:
        return node in nodes if x.time != t else (x in nodes and node.time != t) or {x, node} <= nodes
    return {x, node} <= nodes


def _cropped(svg: str) -> str:
    """Return the picture of one step without what is before and after it but the ends of lines."""
    root = _parsed(svg)
    graph = next(group for group in root.iter("g") if group.get("class") == "graph")
    for group in list(graph):
        if group.get("data-id") == "after":
            graph.remove(group)
    for group in list(root.iter("g")):
        for inner in list(group):
            if _is(inner, "gap") or _is(inner, "time"):
                group.remove(inner)
    frame = next(group for group in graph.iter("g") if _is(group, "cell"))
    numbers = [float(n) for n in _NUMBERS.findall(frame.find("path").get("d", ""))]  # type: ignore[union-attr]
    left, right = min(numbers[::2]), max(numbers[::2])
    offset = float(_NUMBERS.findall(graph.get("transform", ""))[0]) + _shift_of(frame, graph)[0]
    _, _, _, height = root.get("viewBox", "").split()
    wide, high = right - left + 2 * BESIDE, float(height) - 24
    root.set("viewBox", f"{left - BESIDE + offset:.2f} 0 {wide:.2f} {high:.2f}")
    root.set("width", f"{wide:.0f}pt")
    root.set("height", f"{high:.0f}pt")
    return _written(root)


def _parsed(svg: str) -> ET.Element:
    """Return a picture without a style of its own, its ids as data: there are several pictures on a page."""
    root = ET.fromstring(svg)
    for element in root.iter():
        element.tag = element.tag.removeprefix(_SVG)
        if "id" in element.attrib:
            element.set("data-id", element.attrib.pop("id"))
        for inner in list(element):
            if inner.tag.removeprefix(_SVG) == "style":
                element.remove(inner)
    return root


def _written(root: ET.Element) -> str:
    root.set("xmlns", "http://www.w3.org/2000/svg")
    return ET.tostring(root, "unicode")


def _is(element: ET.Element, kind: str) -> bool:
    return kind in element.get("class", "").split()


def _shift_of(element: ET.Element, root: ET.Element) -> tuple[float, float]:
    """Return where the group that an element stands in is moved to."""
    group = next(group for group in root.iter("g") if element in list(group))
    across, along, *_ = (float(number) for number in _NUMBERS.findall(group.get("transform", "translate(0 0)")))
    return across, along


def _corner(box: ET.Element) -> tuple[float, float]:
    """Return the left upper corner of a painted box."""
    return _around(box)[:2]


def _around(box: ET.Element) -> tuple[float, float, float, float]:
    """Return from where to where a painted element is: left, top, right, bottom."""
    numbers = [float(n) for path in box.iter("path") for n in _NUMBERS.findall(path.get("d", ""))]
    for each in box.iter("ellipse"):
        x, y, wide, high = (float(each.get(name, "")) for name in ("cx", "cy", "rx", "ry"))
        numbers += [x - wide, y - high, x + wide, y + high]
    return min(numbers[::2]), min(numbers[1::2]), max(numbers[::2]), max(numbers[1::2])

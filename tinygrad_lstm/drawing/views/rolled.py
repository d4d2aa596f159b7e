"""The loop: the same graph with time folded, so that what one step hands to the next comes back to where it left."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...engine.graph import Graph
from ...engine.tensor import Tensor
from ...structure import words
from ...symbolic.expressions import Name
from ..scene import Arrow, Box, Column, Place, Scene, Text, unused
from .describe import Describer, role
from .options import Options
from .parts import Part, Parts
from .unrolled import UnrolledScene, is_input

EVER = "ₜ"
"""The subscript of what is different in every step."""


def rolled(graph: Graph, options: Options) -> Scene:
    """Draw one box for all steps of a cell, the state on the loop with its delay."""
    everything = replace(options, steps="all" if options.steps is None else options.steps)
    parts = Parts(graph, everything, cells_closed=True, longest=0)
    return _RolledScene(parts).drawn()


class _Timeless(Describer):
    """Says the same of a loop however often it ran."""

    def subscript(self, first: Name) -> str:
        return words.subscript(first.time) if first.time.startswith("-") else "_T"


class _RolledScene(UnrolledScene):
    """Draws what is the same part in every step as one, and one arrow for each direction of time."""

    _describer = _Timeless

    def __init__(self, parts: Parts) -> None:
        _fold(parts)
        super().__init__(parts, upwards=not parts.options.depth and not parts.options.expand)
        self.scene.description += " Time is folded."

    def drawn(self) -> Scene:
        """Return the scene; what an arrow carries is known when all its uses are."""
        scene = super().drawn()
        weights = {box.id for box in scene.boxes if box.role == "parameter"}
        said: set[tuple[str, str]] = set()
        for arrow in filter(lambda arrow: arrow.uses, scene.arrows):
            arrow.role, arrow.label = self._carried(arrow)
            if arrow.role in ("first", "cut") and (arrow.tail, arrow.label) in said:
                arrow.label = ""  # where it forks it says so once
            said.add((arrow.tail, arrow.label))
            if arrow.role == "data" and arrow.tail in weights:
                arrow.role = "weight"
        return scene

    def _only_picks(self, part: Part) -> bool:
        return is_input(part)

    def _box(self, part: Part) -> Box:
        node = part.members[0]
        if leaves := self._cut(part):
            return self.describe.cut(part, leaves)
        box = self.describe.group(part, self._texts(part), [])
        if part.kind == "op":
            box.role, box.place = ("input", ()) if is_input(part) else (role(node), part.place)
        times = sorted({self.parts.timeline.of[x] for x in part.members if x in self.parts.timeline.of})
        when = f"{len(times)} time steps, t = {times[0]} … {times[-1]}" if times else "once"
        box.tooltip = f"{part.id}: {when}\nfor example {self.describe.tooltip((part.outputs or [node])[0])}"
        box.size = self.describe.size(part.outputs)
        return box

    def _texts(self, part: Part) -> tuple[Text, ...]:
        node = part.members[0]
        often = EVER if self.parts.is_step(part.column) else ""
        if part.closed:
            texts = list(part.texts)
        elif is_input(part):
            own = node.name or next((x.name for x in node.inputs if x.name), "data")
            texts = [Text(words.clean(own) + often, "symbol")]
        else:
            texts = self.describe.heading(node, often)
        if self.parts.options.shapes and not part.closed:
            texts.append(Text(words.shape(self.graph.values[node]), "detail"))
        texts += self.describe.numbers(part.outputs, most=1)
        return tuple(texts)

    def _output_name(self, x: Tensor) -> str:
        return words.clean(x.name or "out") + EVER

    def _stub(self, states: list[Tensor], part: Part) -> None:
        """Draw nothing: the last step is one of all."""

    def _copy(self, x: Tensor, node: Tensor, slot: int, part: Part, column: int, place: Place) -> Box:
        """Return a leaf's box: a weight is the same in every step, an input another one, but in the same place."""
        once = x in self.parts.weights or self.describe.is_initial(x) or (column != part.column and not x.detached)
        same = (x, 0, place)
        key = same if once else (self.parts.timeline.fold[node], slot, place)
        box = self._copies.get(key) or self._copies.get(same)
        if box is None:
            box = self.describe.node(x, f"{self.graph.ids[x]}@{part.id}", column, place)
            if not once and self.parts.is_step(part.column) and x.name is not None and not x.detached:
                box.texts = (Text(words.clean(x.name or "data") + EVER, "symbol"), *box.texts[1:])
            self.scene.add(box)
        elif self._copies.get(same) is not box:
            box.shows.append(x)
        self._copies[key] = self._copies[same] = box
        return box

    def _is_near(self, source: Part, part: Part) -> bool:
        return source.kind != "gap"

    def _from_part(self, x: Tensor, node: Tensor, part: Part) -> None:
        of, source = self.parts.timeline.of, self.parts.of[x]
        if source is not part or of.get(x) != of.get(node):
            self._arrow(source.id, part, x, node, "data")

    def _from_afar(self, far: list[Tensor], node: Tensor, part: Part) -> None:
        """Draw nothing: far away is only what is left out."""

    def _arrow(self, tail: str, part: Part, x: Tensor, node: Tensor, role: str, label: str = "") -> Arrow:
        """Add an arrow for all uses of one box by another in one direction of time."""
        key = (tail, part.id, np.sign(self._delay(x, node)))
        if key not in self._bundles:
            self._bundles[key] = Arrow(tail, part.id, tooltip=f"{tail} → {part.id}")
            self.scene.arrows.append(self._bundles[key])
        self._bundles[key].uses.append((x, node))
        return self._bundles[key]

    def _delay(self, x: Tensor, node: Tensor) -> int:
        of, x = self.parts.timeline.of, self.parts.timeline.moved(x)
        return of[node] - of[x] if x in of and node in of else 0

    def _carried(self, arrow: Arrow) -> tuple[str, str]:
        """Return the role of an arrow and its label: what it carries, and when."""
        of, initial = self.parts.timeline.of, self.parts.initial
        names = ", ".join(dict.fromkeys(words.clean(x.name) for x, _ in arrow.uses if not x.is_leaf and x.name))
        delays = sorted({self._delay(x, node) for x, node in arrow.uses}, key=abs)
        if delays[0]:
            listed = ", ".join(f"{delay}".replace("-", "−") for delay in delays)
            return "state" if delays[0] > 0 else "back", f"{names} · delay {listed}".removeprefix(" · ")
        if all(self.parts.timeline.moved(x).detached for x, _ in arrow.uses):
            return "cut", words.span(sorted({of[y] for _, y in arrow.uses if y in of}) or [0])
        begun = {of[y] for x, y in arrow.uses if y in of and x in self.parts.of and self.parts.timeline.column(x) % 1}
        if begun:  # by a state that was given
            return "first", words.span(sorted(begun))
        first = [any((node, slot) in initial for slot, y in enumerate(node.inputs) if y is x) for x, node in arrow.uses]
        if any(first):
            return ("first", "first step") if all(first) else ("data", "")
        times = sorted({of[x] for x, node in arrow.uses if x in of and node not in of})
        if not times:
            return "data", ""
        every = len(times) > 1 and len(times) == len(self.parts.timeline.steps)
        return "data", f"{names}, {'every t' if every else words.span(times)}".removeprefix(", ")


def _fold(parts: Parts) -> None:
    """Make one part of what is the same part in every step, and one column of all steps; drop what is left out."""
    steps = [step for step in parts.steps if isinstance(step, int)]
    every = len(steps) == len(parts.timeline.steps)
    folds: dict[object, Part] = {}
    taken: set[str] = set()
    for part in parts.parts:
        if part.kind == "gap":
            continue
        in_time = parts.is_step(part.column) or (part.closed and parts.is_between(part.column))
        timeless = part.id.partition(".")[2] if in_time else part.id
        key = parts.timeline.fold[part.members[0]] if part.kind == "op" else (part.module, timeless, in_time)
        if key not in folds:
            timeless = unused(timeless, taken)
            column = {"before": 0, "after": 2}.get(parts.columns[part.column].id, 1)
            folds[key] = replace(part, id=timeless, column=column, members=[], outputs=[])
        folds[key].members += part.members
        folds[key].outputs += part.outputs
        parts.of.update(dict.fromkeys(part.members, folds[key]))
    when = "every time step" if every or not steps else f"t = {steps[0]} … {steps[-1]}"
    parts.parts = list(folds.values())
    parts.columns = (Column("before"), Column("t", when), Column("after"))

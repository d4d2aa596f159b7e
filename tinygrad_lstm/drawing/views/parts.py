"""The quotient: which box of the picture stands for which nodes of the graph."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise

from ...engine.graph import Graph
from ...engine.primitive import Kind
from ...engine.scope import Frame
from ...engine.tensor import Tensor
from ...structure.ends import final_states, head
from ...structure.timeline import AFTER, BEFORE, Timeline
from ...structure.window import Gap, shown
from ...structure.words import clean
from ..scene import Column, Place, Text, unused
from .options import Options


@dataclass(eq=False, slots=True)
class Part:
    """One box to be: an operation by itself, or many in one box."""

    id: str
    kind: str  # "op", "module", "cell" or "gap"; in an opened cell also "layer", "pointwise" or "joint"
    column: int
    title: str = ""
    module: object = None  # which module it is a call of
    name: str = ""  # what its owner calls it
    members: list[Tensor] = field(default_factory=list)
    outputs: list[Tensor] = field(default_factory=list)  # what others use of it
    block: str = ""  # the opened cell it belongs to: its id without the step, and its title on a second line
    lane: str = ""  # on which level of that cell: "bus", "layer", "point" or "belt"

    @property
    def caption(self) -> str:
        """Return what stands on its frame when it is open."""
        return self.title if self.name in ("", "cell") else f"{self.title} · {self.name}"

    @property
    def texts(self) -> tuple[Text, ...]:
        """Return what is written on its box when it is closed."""
        return (Text(self.title, "symbol"), *([Text(self.name, "detail")] if self.name else []))

    @property
    def place(self) -> Place:
        """Return the groups in which it stands, and what is drawn for it alone."""
        return self.members[0].scope if self.kind == "op" else ()

    @property
    def closed(self) -> bool:
        """Tell whether one cannot see what is inside."""
        return self.kind in ("cell", "module", "gap")


class Parts:
    """Divides the operations of a graph among columns, and there among boxes.

    ``cells_closed`` says that cells and other modules are boxes, but for ``options.depth`` levels; otherwise all
    operations are boxes of their own, down to that depth. ``options.expand`` opens single ones, unless they are to be
    kept closed because something else will open them.
    """

    def __init__(
        self, graph: Graph, options: Options, *, cells_closed: bool, longest: int, keep_closed: bool = False
    ) -> None:
        self.graph = graph
        self.timeline = Timeline(graph)
        self.options = options
        self._cells_closed = cells_closed
        self._keep_closed = keep_closed
        self._module_ids: dict[str, None] = {}
        self.taken: set[str] = set()
        self._states: dict[object, int] = {}
        self._around_cells = self._calls_around_cells()
        self.initial = self.timeline.initial_states
        losses = head(self.timeline) if cells_closed else set[Tensor]()
        self.head = set[Tensor]() if options.loss else losses
        self.operations = [node for node in self.timeline.operations if node not in self.head]
        self.final = final_states(self.timeline, losses) if cells_closed else {}
        self.weights = self.timeline.weights
        self.steps = shown(self.timeline.steps, options.steps, min(longest, options.longest or longest))
        self.columns, self._index = self._lay_columns()
        self.of: dict[Tensor, Part] = {}
        self.parts: list[Part] = []
        self._divide()
        self.find_outputs()

    @property
    def gaps(self) -> list[Gap]:
        """Return what is left out."""
        return [step for step in self.steps if isinstance(step, Gap)]

    def timeless(self, node: Tensor) -> str:
        """Return a name for an operation that its counterparts in other steps share, and no other."""
        fold = self.timeline.fold[node]
        return f"state{self._states.setdefault(fold, len(self._states))}"

    def is_step(self, column: int) -> bool:
        """Tell whether a column shows a time step."""
        return self.columns[column].id.startswith("t")

    def is_between(self, column: int) -> bool:
        """Tell whether a column shows what leads from one step to the next and belongs to none."""
        return self.columns[column].id.removeprefix("after").lstrip("-").isdigit()

    def _lay_columns(self) -> tuple[tuple[Column, ...], dict[float, int]]:
        """Return the columns in order, and where each time is shown."""
        times = set(map(self.timeline.column, self.operations)) | self._cut_between()
        sides = {*self.initial.values(), *(-side for side in self.final.values())}
        found: list[tuple[Column, list[float]]] = []
        if BEFORE in times or not times or (1 in sides and not isinstance(self.steps[0], Gap)):
            found.append((Column("before"), [BEFORE]))
        for step in self.steps:
            if isinstance(step, Gap):
                left_out = sorted(t for t in times if step.first <= t <= step.last)
                found.append((Column(f"gap{step.first}"), left_out))
            else:
                found.append((Column(f"t{step}", self._when(step)), [step]))
            end = step.last if isinstance(step, Gap) else step
            if end + 0.5 in times:
                found.append((Column(f"after{end}"), [end + 0.5]))
        if AFTER in times or (-1 in sides and not isinstance(self.steps[-1], Gap)):
            found.append((Column("after"), [AFTER]))
        index = {time: number for number, (_, times) in enumerate(found) for time in times}
        return tuple(column for column, _ in found), index

    def _cut_between(self) -> set[float]:
        """Return where a detached state stands from which a step goes on: between it and the step before."""
        before = {later: earlier for earlier, later in pairwise(self.timeline.steps)}
        found = set()
        for (node, slot), side in self.initial.items():
            if (
                node.inputs[slot].detached
                and (t := self.timeline.of.get(node)) is not None
                and (side < 0 or t in before)
            ):
                found.add((t if side < 0 else before[t]) + 0.5)
        return found

    def _when(self, step: int) -> str:
        phase = self.timeline.phases.get(step)
        return f"t = {step} · {clean(phase)}" if phase else f"t = {step}"

    def _divide(self) -> None:
        gaps = {self._index[gap.first]: gap for gap in self.gaps}
        found: dict[object, Part] = {}
        closed_modules: dict[object, tuple[object, Part] | None] = {}  # by what decides: operations of a call share it
        for node in self.operations:
            column = self._index[self.timeline.column(node)]
            key: object = gaps.get(column)
            if key is not None:
                part = Part(f"{self.columns[column].id}.steps", "gap", column, str(key))
            else:
                made_in = column, node.context.frames, self.timeline.free and self.timeline.fold[node]
                if made_in not in closed_modules:
                    closed_modules[made_in] = self._closed_module(node, column)
                closed = closed_modules[made_in] or self._handed_on(node, column)
                key, part = closed or (node, Part(self.graph.ids[node], "op", column))
            if key not in found:
                part.id = unused(part.id, self.taken)
                found[key] = part
                self.parts.append(part)
            found[key].members.append(node)
            self.of[node] = found[key]

    def _closed_module(self, node: Tensor, column: int) -> tuple[object, Part] | None:
        """Return the outermost closed module that an operation is in, after what tells its calls apart."""
        levels = self.timeline.levels(node)
        step = f"{self.columns[column].id}." if self.is_step(column) else ""
        depth = self.options.depth
        if not self._cells_closed:
            first = len(levels) if depth is None else depth
        else:
            first = next((i for i, (f, _) in enumerate(levels) if f.call not in self._around_cells), len(levels))
            alone = self.timeline.free and (not levels or self.timeline.fold[node] in self.timeline.looping)
            if alone and step and not depth and self._is_closed(f"{step}step"):
                return step, Part(f"{step}step", "cell", column, "step")
            first += depth or 0
        outer = len(node.context.frames) - len(levels)
        names = [_name(frame) for frame in node.context.frames[:outer] if frame.name]
        for i, (frame, module) in enumerate(levels):
            names.append(_name(frame))
            id = step + ".".join(names)
            if i >= first and self._is_closed(id):
                kind = "cell" if module in self.timeline.cells else "module"
                own = clean(frame.name) if frame.kind and frame.name else ""
                return frame.call, Part(id, kind, column, clean(frame.kind or frame.name or ""), module, own)
        return None

    def _handed_on(self, node: Tensor, column: int) -> tuple[object, Part] | None:
        """Return one box for what a state is only moved by, from the call that made it to the next, between cells."""
        made, id = node.primitive, f"{self.columns[column].id}.state"
        if not self._cells_closed or not self.is_between(column) or self.timeline.levels(node) or not made:
            return None
        if made.kind is not Kind.movement or not self._is_closed(id):
            return None
        before = [self.of[x] for x in node.inputs if x in self.of and self.of[x].column == column]
        makers = [before[0].module] if before else [frame.module for frame in node.context.frames[-1:]]
        return (id, *makers), Part(id, "module", column, "state", *makers)

    def _is_closed(self, id: str) -> bool:
        """Tell whether a module stays closed: none of the names in ``expand`` opens it."""
        return self._keep_closed or not self.opens(id)

    def opens(self, id: str) -> bool:
        """Tell whether one of the names in ``expand`` fits a module, or what is in or around it."""
        self._module_ids[id] = None
        return any(_fits(name, id) for name in self.options.expand)

    def _calls_around_cells(self) -> set[int]:
        around = set()
        for node in self.timeline.operations:
            levels = self.timeline.levels(node)
            inner = min((i for i, (_, module) in enumerate(levels) if module in self.timeline.cells), default=0)
            around |= {frame.call for frame, _ in levels[:inner]}
        return around

    def refuse_unknown_names(self) -> None:
        """Raise ValueError for a name in ``expand`` that fits nothing in the picture."""
        for name in self.options.expand:
            if not any(_fits(name, id) for id in self._module_ids):
                some = list(self._module_ids)[:8]
                there = f"what can be opened: {', '.join(some)}" if some else "everything is open already"
                raise ValueError(f"expand={name!r} fits nothing in this picture; {there}")

    def find_outputs(self) -> None:
        """Find what of each part is used outside of it, in the order in which it was made."""
        for part in self.parts:
            part.outputs.clear()
        for node in self.operations:
            part = self.of[node]
            if node is self.graph.output or any(self.of.get(user) is not part for user in self.timeline.users[node]):
                part.outputs.append(node)


def _fits(name: str, id: str) -> bool:
    """Tell whether a name in ``expand``, with or without its step, means a module, or what is in or around it."""
    asked = f"{plain(name)}."
    return any(path.startswith(asked) or asked.startswith(path) for path in (f"{id}.", f"{without_step(id)}."))


def _name(frame: Frame) -> str:
    return plain(frame.name or frame.kind)


def without_step(id: str) -> str:
    """Return an id as its counterparts in other steps have it too: cell of t3.cell."""
    step, _, rest = id.partition(".")
    return rest if step.startswith("t") and step[1:].isdigit() else id


def plain(name: str) -> str:
    """Return a name as it stands in ids."""
    return re.sub(r"[^\w.]+", "_", name)[:60]

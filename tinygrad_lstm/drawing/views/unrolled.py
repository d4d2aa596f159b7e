"""The unrolled chain, by operations or by cells: a column for each time step, its groups inside."""

from __future__ import annotations

from ...engine.graph import Graph
from ...engine.primitive import Kind
from ...engine.tensor import Tensor
from ...structure import words
from ...structure.timeline import AFTER, BEFORE
from ...structure.words import is_number
from ..scene import Arrow, Box, Place, Scene, Text
from .describe import Describer, made_by
from .options import Options
from .parts import Part, Parts

LONG_OPS = 12
LONG_CELLS = 16
"""Steps: longer sequences are shown by their first and last ones, unless a window is asked for; chosen by eye."""

FAN = 8
"""States of so many steps are drawn one by one where a module looks at all of them; chosen by eye."""

BRIEF = 200
"""Columns: of a longer picture the hints are short; chosen: to write equations takes half of the time to draw."""

MANY = 4
"""More inputs of an operation than this that come from far away are drawn as one; chosen by eye."""


def ops(graph: Graph, options: Options) -> Scene:
    """Draw every primitive; shared leaves copied into the places that use them."""
    return UnrolledScene(Parts(graph, options, cells_closed=False, longest=LONG_OPS)).drawn()


def cells(graph: Graph, options: Options) -> Scene:
    """Draw one box per cell and step, what they hand on beside the arrows."""
    parts = Parts(graph, options, cells_closed=True, longest=LONG_CELLS)
    return UnrolledScene(parts, upwards=not options.depth and not options.expand).drawn()


class UnrolledScene:
    """Builds the scene: boxes in the order in which the program ran, arrows to each from what it used.

    What comes from farther than the column before is drawn as an echo that says from where: arrows across many steps
    hide the picture.
    """

    _describer = Describer

    def __init__(self, parts: Parts, *, upwards: bool = False) -> None:
        self.parts = parts
        self.graph = parts.graph
        self.describe = self._describer(parts.graph, parts.options, brief=len(parts.columns) > BRIEF)
        self.scene = Scene(*title(parts), parts.columns, downwards=parts.options.downwards, upwards=upwards)
        self._copies: dict[tuple[object, ...], Box] = {}
        self._bundles: dict[tuple[object, ...], Arrow] = {}

    def drawn(self) -> Scene:
        """Return the scene, with everything in it."""
        self.parts.refuse_unknown_names()
        for part in self.parts.parts:
            self._draw(part)
        if not self.scene.boxes:
            self.scene.add(self._alone())
        return self.scene

    def _alone(self) -> Box:
        """Return the box of a leaf from which nothing was computed."""
        return self.describe.node(self.graph.output, self.graph.ids[self.graph.output])

    def _draw(self, part: Part) -> None:
        if self.scene.upwards and all(self._is_cleaned(node) for node in part.members):
            return
        for node in () if self._only_picks(part) or self._cut(part) else part.members:
            far: list[Tensor] = []
            for slot, x in enumerate(node.inputs):
                if x.is_leaf:
                    self._from_leaf(x, node, slot, part)
                elif x not in self.parts.timeline.of and (states := self._fan(x, part)):
                    for state in states:
                        self._from_afar([state], node, part)
                elif self._is_near(self.parts.of[x], part):
                    self._from_part(x, node, part)
                elif part.kind != "gap":
                    far.append(x)
            self._from_afar(far, node, part)
        self.scene.add(self._box(part))
        fold = self.parts.timeline.fold
        for x in {fold[x]: x for x in part.outputs}.values() if self._gives_out(part) else ():
            if x is self.graph.output or any(user in self.parts.head for user in self.parts.timeline.users[x]):
                self._pill(x, part)
        self._stub([x for x in self.parts.final if self.parts.of[x] is part], part)

    def _gives_out(self, part: Part) -> bool:
        """Tell whether a part is drawn with what it gives out above it, as Olah draws h."""
        return self.scene.upwards and part.kind == "cell" and self.parts.is_step(part.column)

    def _pill(self, x: Tensor, part: Part) -> None:
        """Draw an output of a cell above it, which says what it is."""
        pill = Part(f"{part.id}.out", "output", part.column, members=[x])
        box = self.describe.group(pill, (Text(self._output_name(x)),), [x])
        self.scene.add(box)
        arrow = Arrow(part.id, box.id, tooltip=box.tooltip)
        if (path := self.parts.options.highlight) is not None:
            arrow.thick = x in path and (x is path.end or any(user in path for user in self._users_outside(x)))
            arrow.faded = not arrow.thick
        self.scene.arrows.append(arrow)

    def _users_outside(self, x: Tensor) -> list[Tensor]:
        """Return what uses a state besides what makes it."""
        return [user for user in self.parts.timeline.users[x] if self.parts.of.get(user) is not self.parts.of[x]]

    def _output_name(self, x: Tensor) -> str:
        return self.describe.own_name(x) or "out"

    def _stub(self, states: list[Tensor], part: Part) -> None:
        """Draw where states lead that the last step leaves, each with its name, and whether anything uses it."""
        sides = {self.parts.final[x] for x in states}
        if part.kind == "gap" or len(sides) != 1:
            return
        states.sort(key=self._is_given_out, reverse=True)
        said = [(self.describe.name(x), "" if self._is_given_out(x) else "unused") for x in states]
        if len({use for _, use in said}) > 1:  # which of them is unused stands in its own line
            texts = [Text(" ".join(filter(None, words))) for words in said]
        else:
            texts = [Text(*text) for name, use in said for text in ((name,), (use, "detail")) if text[0]]
        names = [", ".join(filter(None, words)) for words in said]
        box = Box(f"{self.graph.ids[states[0]]}@end", "stub", tuple(texts), part.column + sides.pop(), shows=states)
        box.tooltip = "\n".join(map(self.describe.tooltip, states))
        role = "state" if box.column > part.column else "back"
        arrow = Arrow(part.id, self.scene.add(box), role, tooltip=f"what the last step hands on: {', '.join(names)}")
        arrow.port = "" if part.closed else f"{self.parts.timeless(states[0])} end"
        arrow.faded = self.parts.options.highlight is not None  # a route ends at what is drawn
        self.scene.arrows.append(arrow)

    def _is_given_out(self, x: Tensor) -> bool:
        return x is self.graph.output or bool(self._users_outside(x))

    def _is_cleaned(self, node: Tensor) -> bool:
        """Tell whether something is but the sequence, as with zeros where it is over: its parts are the input."""
        users = self.parts.timeline.users[node]
        return (
            _is_given(node)
            and bool(users)
            and all(user in self.parts.of and is_input(self.parts.of[user]) for user in users)
        )

    def _only_picks(self, part: Part) -> bool:
        """Tell whether a part is drawn as the input itself, from which it only picks."""
        return self.scene.upwards and is_input(part)

    def _cut(self, part: Part) -> list[Tensor]:
        """Return the detached leaves of which a closed part only moves the numbers to the next step."""
        leaves = [x for node in part.members for x in node.inputs if x.is_leaf] if part.kind == "module" else []
        moved = not any(node.requires_grad for node in part.members) and all(x.detached for x in leaves)
        return leaves if moved else []

    def _box(self, part: Part) -> Box:
        node = part.members[0]
        if leaves := self._cut(part):
            return self.describe.cut(part, leaves)
        if self._only_picks(part):
            box = self.describe.node(node, part.id, part.column)
            numbers = (text for text in box.texts if text.style not in ("sign", "symbol", "name"))
            box.role, box.texts = "input", (Text(self._picked(node), "symbol"), *numbers)
            return box
        if part.kind == "op":
            return self.describe.node(node, part.id, part.column, part.place)
        if part.kind == "gap":
            hint = f"{part.title}\nnot shown; steps='all' shows every step, steps=(a, b) others"
            return Box(part.id, "gap", part.texts, part.column, tooltip=hint, shows=part.members)
        return self.describe.group(part, part.texts, part.outputs)

    def _picked(self, node: Tensor) -> str:
        """Return what to call a part of the input: x₃, or of a sequence xs without a name for its parts, xs₃."""
        own, of = self.describe.own_name(node), next((x.name for x in node.inputs if x.name), None)
        if own or not of:
            return own or self.describe.name(node)
        return words.clean(of) + (words.subscript(node.time) if node.time is not None else "")

    def _from_leaf(self, x: Tensor, node: Tensor, slot: int, part: Part) -> None:
        side, weight = self.parts.initial.get((node, slot), 0), x in self.parts.weights
        if part.kind == "gap" or (part.kind != "op" and not side and (weight or is_number(x))):
            return
        copy = self._copy(x, node, slot, part, part.column - side, () if side else part.place)
        role = ("data", "state", "back")[side] if side else "weight" if weight else "data"
        role = "cut" if x.detached else role
        arrow = self._arrow(copy.id, part, x, node, role)
        carried_states = self.parts.timeline.carried_states.get((self.parts.timeline.fold[node], slot))
        if side and carried_states and not part.closed:  # where later steps get it from their neighbour
            arrow.port = self.parts.timeless(carried_states[0])

    def _copy(self, x: Tensor, node: Tensor, slot: int, part: Part, column: int, place: Place) -> Box:
        """Return the box of a leaf at this place, drawn if it is not there yet."""
        key = (x, column, place)
        if key not in self._copies:
            self._copies[key] = self.describe.node(x, f"{self.graph.ids[x]}@{part.id}", column, place)
            self.scene.add(self._copies[key])
        return self._copies[key]

    def _from_part(self, x: Tensor, node: Tensor, part: Part) -> None:
        source = self.parts.of[x]
        if source is part:
            return
        apart = source.column != part.column
        role = "data"
        if apart and self._in_time(source) and self._in_time(part):
            role = "state" if source.column < part.column else "back"
        if not x.requires_grad and self.parts.timeline.moved(x).detached:
            role = "cut"
        labelled = source.kind != "op" and (apart or part.kind != "op") and "gap" not in (source.kind, part.kind)
        self._arrow(self._tail(x, part), part, x, node, role, self.describe.own_name(x) if labelled else "")

    def _is_near(self, source: Part, part: Part) -> bool:
        """Tell whether an arrow leads from one to the other: not over steps, nor from after all steps back to one."""
        backwards = self.parts.columns[source.column].id == "after" and source.column != part.column
        first, last = sorted((source.column, part.column))
        return all(map(self.parts.is_between, range(first + 1, last))) and not backwards

    def _tail(self, x: Tensor, part: Part) -> str:
        """Return where the arrow that brings x to a part starts."""
        return self.parts.of[x].id

    def _in_time(self, part: Part) -> bool:
        return part.kind == "gap" or self.parts.is_step(part.column) or self.parts.is_between(part.column)

    def _fan(self, x: Tensor, part: Part) -> list[Tensor]:
        """Return the states of several steps that a module looks at together, as an attention does at a stack."""
        if not self.scene.upwards or part.kind not in ("module", "cell") or not self.parts.is_step(part.column):
            return []
        made, of = x.primitive, self.parts.timeline.of
        fan = made is not None and made.variadic and made.kind is Kind.movement
        states = [y for y in dict.fromkeys(x.inputs) if y in of] if fan else []
        return states if 1 < len(states) <= FAN else []

    def _from_afar(self, far: list[Tensor], node: Tensor, part: Part) -> None:
        bundles = [far] if len(far) > (1 if self.scene.upwards else MANY) else [[x] for x in far]
        for bundle in bundles:
            key = (*bundle, part.column, part.place)
            if key not in self._copies:
                id = f"{self.graph.ids[bundle[0]]}@{part.id}"
                maker, when = self.parts.of[bundle[0]], self._when(bundle)
                title = maker.title if maker.kind in ("module", "cell") else ""
                self._copies[key] = self.describe.echo(bundle, id, part.column, part.place, when, title)
                self.scene.add(self._copies[key])
            arrow = self._arrow(self._copies[key].id, part, bundle[0], node, "data")
            arrow.uses += [(x, node) for x in bundle[1:]]

    def _when(self, bundle: list[Tensor]) -> str:
        times = [int(self.parts.timeline.column(x)) for x in bundle]
        known = [t for t in times if BEFORE < t < AFTER]
        if not known:
            return f"from {self.parts.columns[self.parts.of[bundle[0]].column].id} the steps"
        first, last = min(known), max(known)
        return f"from t = {first}" if first == last else f"from t = {first} … {last}, {len(bundle)} in all"

    def _arrow(self, tail: str, part: Part, x: Tensor, node: Tensor, role: str, label: str = "") -> Arrow:
        """Add an arrow for this use of x; between groups, one for all uses of the same kind."""
        arrow = self._bundles.get((tail, part.id)) if part.kind != "op" or label else None
        if arrow is None:
            arrow = Arrow(tail, part.id, role, label, f"{self.describe.name(x)}: {tail} → {part.id}")
            if x in self.parts.of and not (part.closed and self.parts.of[x].kind == "cell"):
                arrow.port = self.parts.timeless(x)
            self.scene.arrows.append(arrow)
            self._bundles[tail, part.id] = arrow
        elif label and label not in arrow.label.split(", "):
            arrow.label = f"{arrow.label}, {label}".lstrip(", ")
            arrow.tooltip = f"{arrow.label}: {tail} → {part.id}"
        arrow.uses.append((x, node))
        return arrow


def is_input(part: Part) -> bool:
    """Tell whether an operation only picks from what was given, as xs[t] does, in every step it stands for."""
    return part.kind == "op" and all(
        made_by(node).kind is Kind.movement
        and not node.requires_grad
        and all(x.is_leaf or _is_given(x) for x in node.inputs)
        for node in part.members
    )


def _is_given(node: Tensor) -> bool:
    """Tell whether something was computed, outside of any step, of nothing but leaves that do not learn."""
    computed = not node.is_leaf and node.time is None and not node.requires_grad
    return computed and all(x.is_leaf for x in node.inputs)


def title(parts: Parts) -> tuple[str, str]:
    """Return what the picture shows, in few words and in more."""
    graph, output = parts.graph, parts.graph.output
    operation = output.primitive.name if output.primitive else "leaf"
    name = words.clean(output.name or f"{operation} of shape {words.shape(output.value)}")
    times = parts.timeline.steps
    span = f" over time steps {times[0]} to {times[-1]}" if times else ""
    left_out = ", ".join(f"{gap.first} to {gap.last}" for gap in parts.gaps)
    missing = f"; steps {left_out} are left out" if left_out else ""
    operations = len(graph) - len(graph.leaves)
    return (
        f"How {name} was computed",
        f"Computation graph of {operations} operations and {len(graph.leaves)} leaves{span}{missing}.",
    )

"""What a page holds: the network, the events of a tape, and the pictures they move over, as plain data.

Numbers are computed in the browser, of the network. Every formula and line stands in a table once, and is referred to
by its number there; one in numbers has a place for each, so that all steps share it.
"""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from ...drawing import draw
from ...drawing.paint.render import RenderError
from ...engine.tensor import Tensor
from ...structure.cells import Cells
from ...structure.timeline import Window, shown
from ...structure.words import clean, display_name
from ...symbolic.formulas import Formula, equation, input_names
from ..breakpoints import GRAMMAR
from ..commands import COMMANDS, helped
from ..cursor import Cursor
from ..flow import SATURATED, FlowRow, flow
from ..inspection import MOST
from ..place import GRANULARITIES, described, unit
from ..recording.event import Event
from .network import PageNetwork

MOST_EVENTS = 1600
"""A walk of more events is shown through a window of time steps; chosen: 30 steps of an LSTM have 1,509."""

MOST_OPERATIONS = 2500
"""A program of more operations, in what is shown of it, has no picture; measured: one of a chain takes 1.6 s."""

VIEWS = (
    ("rolled", "Loop", "cell"),
    ("cells", "Cells", "cell"),
    ("gates", "Gates", "gate"),
    ("ops", "Operations", "op"),
)
"""From far to near: the view, what it is called, and what ``next`` passes over there."""


class Record:
    """Collects what a page needs. ``steps`` is a window of time steps, ``"all"``, or None to let the size decide."""

    def __init__(self, stepper: Cursor, steps: Window = None) -> None:
        self.stepper = stepper
        self.tape, self.graph = stepper.events, stepper.graph
        self._steps = self.tape.timeline.steps
        self._window = self._chosen(steps)
        self._positions, self._held = self._kept()
        self._nodes: dict[Tensor, int] = {}
        self.network = PageNetwork(self.graph, self.tape.gradients[self.graph.output])
        self._place = {node: i for i, node in enumerate(self.graph.nodes)}  # in the network
        self._math: dict[str, int] = {}
        self._texts: dict[str, int] = {}
        self._units: dict[object, int] = {}  # numbered anew: what tells calls apart differs from run to run
        self.svgs: list[tuple[str, str, str]] = []
        """Of each view its name, what it is called, and the picture."""
        self.undrawn = ""  # why a view has no picture

    def data(self) -> dict[str, Any]:
        """Return all but the pictures, ready to be written as JSON."""
        events = [self._event(self.tape[index]) for index in self._positions]
        for node in self.graph.nodes:  # names that commands may ask for
            if node in self._held:
                _number(self._nodes, node)
        for node in list(self._nodes):
            for x in self._inputs(node):
                _number(self._nodes, x)
        views = self._views()
        return {
            "start": self.tape.start,
            "total": len(self.tape),
            "position": self.stepper.position,
            "note": self.note,
            "events": events,
            "nodes": [self._node(node) for node in self._nodes],
            "views": views,
            "phases": {t: clean(phase) for t, phase in self.tape.timeline.phases.items()},
            "flow": [self._flow_row(row) for row in flow(self.tape)],
            "saturated": SATURATED,
            "layers": self._layers(),
            "grains": GRANULARITIES,
            "grain": self.stepper.granularity,
            "breakpoints": [[b.number, b.kind, b.text, b.hits, b.nowhere] for b in self.stepper.breakpoints],
            "displays": [[number, shown.text] for number, shown in self.stepper.displays.items()],
            "last": [self.stepper.last_breakpoint, self.stepper.last_display],
            "commands": [{**command._asdict(), "help": helped(command.name)} for command in COMMANDS],
            "help": helped(),
            "grammar": GRAMMAR,
            "most": MOST,
            "network": self.network.data(),
            "math": list(self._math),
            "texts": list(self._texts),
        }

    @property
    def note(self) -> str:
        """Return what is left out, and how to see it; empty if nothing is."""
        return " ".join(filter(None, (self._left_out, self.undrawn)))

    @property
    def _left_out(self) -> str:
        if len(self._positions) == len(self.tape):
            return ""
        held = f"This page holds {len(self._positions):,} of {len(self.tape):,} events"
        if self._window is None:
            return f"{held}, those about the seed: the walk is too long for one page."
        first, last = self._window[0], self._window[-1]
        span = f"t = {first}" if first == last else f"t = {first} … {last}"
        of = f"{self._steps[0]} … {self._steps[-1]}"
        return f"{held}: {span} of {of}. Others are shown by stepper.page(file, steps=(a, b)), or --window A:B."

    def _chosen(self, steps: Window) -> list[int] | None:
        """Return the time steps to be shown, None if all are. If none are asked for: the last ones, if not all fit."""
        there = self._steps
        if steps is None:
            kept = there[-max(1, len(there) * MOST_EVENTS // len(self.tape)) :]
        elif there or steps == "all":
            kept = [t for t in shown(there, steps, len(there)) if isinstance(t, int)]
        else:
            raise ValueError(f"steps={steps!r} asks for time steps, and this program has none")
        return None if kept == there else kept

    def _kept(self) -> tuple[list[int], set[Tensor]]:
        """Return the numbers of the events that are shown, and the nodes that they are of."""
        if self._window is not None:
            times = {None, *self._window}
            of = self.tape.timeline.of  # steps that nobody said are found
            held = {x for x in self.graph.nodes if not x.is_leaf and of.get(x) in times}
            held |= {x for node in held if node in of for x in node.inputs if x.is_leaf}
            held.add(self.graph.output)
            return [index for index, node in enumerate(self.tape.nodes) if node in held], held
        about = range(len(self.tape))
        if not self._steps and len(about) > MOST_EVENTS:
            reach = MOST_EVENTS // 2
            about = about[max(0, self.tape.start - reach) : self.tape.start + reach]
        return list(about), {self.tape.nodes[index] for index in about}

    def _views(self) -> list[dict[str, Any]]:
        """Return each view, and the nodes and uses that its elements stand for. Leaves the pictures in ``svgs``."""
        if sum(not node.is_leaf for node in self._held) > MOST_OPERATIONS:
            return []
        window: Window = "all" if self._window is None else (self._window[0], self._window[-1] + 1)
        numbers = self._nodes
        made = []
        for view, title, granularity in VIEWS:
            picture = draw(self.graph.output, view, steps=window, loss=True)
            try:
                boxes, arrows = picture.elements()
            except RenderError as error:  # the walk is there without its pictures
                self.undrawn = f"Not all of it is drawn: {error}"
                continue
            self.svgs.append((view, title, _inert(picture.svg)))
            shows = {id: [numbers[x] for x in nodes if x in numbers] for id, nodes in boxes.items()}
            carries = {
                id: [[numbers[x], numbers[y]] for x, y in uses if x in numbers and y in numbers]
                for id, uses in arrows.items()
            }
            made.append({"view": view, "grain": granularity, "boxes": shows, "arrows": carries})
        return made

    def _event(self, event: Event) -> list[Any]:
        """Return number, node, slot, formula, formula with places for numbers, in words."""
        row: list[Any] = [event.index, _number(self._nodes, event.node), event.slot]
        to_fill = None if event.in_numbers is None else event.in_numbers.to_fill
        return [*row, self._formula(event.rule), self._written(to_fill), _number(self._texts, event.formula)]

    def _node(self, node: Tensor) -> dict[str, Any]:
        return {
            "id": self.graph.ids[node],
            "name": node.name,
            "shown": display_name(node),
            "op": node.primitive.name if node.primitive else None,
            "scope": node.scope,
            "time": node.time,
            "inputs": [self._nodes[x] for x in self._inputs(node)],
            "letters": input_names(node, self.tape.symbols) if node.primitive else (),
            "equation": equation(node, self.tape.symbols),
            "where": _number(self._texts, described(self.tape, node)),
            "at": self._place[node],
            "units": [_number(self._units, unit(self.tape, node, granularity)) for granularity in GRANULARITIES],
        }

    def _inputs(self, node: Tensor) -> tuple[Tensor, ...]:
        return node.inputs if node in self._held else ()

    def _formula(self, formula: Formula | None) -> int | None:
        return self._written(None if formula is None else formula.mathml)

    def _written(self, math: str | None) -> int | None:
        return None if math is None else _number(self._math, math)

    def _layers(self) -> list[dict[str, Any]]:
        """Return the layers of cells, f, i, g, o: what each is called, what it does, where its values lie, and when."""
        cells = Cells(self.tape.timeline).cells
        return [
            {
                "cell": clean(cell.name) if len(cells) > 1 else "",
                "symbol": clean(layer.symbol),
                "words": clean(layer.words),
                "range": [layer.low, layer.high],
                "at": [self._place[node] for node in layer.at.values()],
            }
            for cell in cells
            for layer in cell.layers
        ]

    def _flow_row(self, row: FlowRow) -> dict[str, Any]:
        """Return the nodes of a row, and of gates also where their values lie."""
        gates = {name: [self._place[node], *_range(node)] for name, node in row.gates.items()}
        states = {name: self._place[node] for name, node in row.states.items()}
        return {"time": row.time, "states": states, "events": row.complete, "gates": gates}


def _range(node: Tensor) -> tuple[float, float]:
    assert node.primitive is not None
    return node.primitive.range


def _number(table: dict[Any, int], thing: Any) -> int:
    """Return the number of a thing in a table that holds each once."""
    return table.setdefault(thing, len(table))


def _inert(svg: str) -> str:
    """Return a picture for a page that shows several in turn: their ids are data, so that none is ever there twice."""
    root = ElementTree.fromstring(svg)
    for element in root.iter():
        element.tag = element.tag.removeprefix("{http://www.w3.org/2000/svg}")  # HTML knows it by itself
        if id := element.attrib.pop("id", None):
            element.set("data-id", id)
    return ElementTree.tostring(root, "unicode")

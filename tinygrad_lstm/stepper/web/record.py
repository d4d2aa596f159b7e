"""What a page holds: the events of a tape, the arrays they show and the pictures they move over, as plain data.

Every array, formula and line stands in a table once, and is referred to by its number there.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from ...drawing import draw
from ...drawing.paint.render import RenderError
from ...engine.tensor import Tensor
from ...structure.timeline import Window, shown
from ...structure.words import clean, display_name, magnitude
from ...symbolic.formulas import Formula, equation, input_names
from ..breakpoints import GRAMMAR
from ..commands import COMMANDS, helped
from ..cursor import Cursor
from ..flow import FlowRow, flow
from ..inspection import MOST
from ..place import GRANULARITIES, described, unit
from ..recording.event import Event

MOST_EVENTS = 1600
"""A walk of more events is shown through a window of time steps; chosen: 30 steps of an LSTM have 1,509."""

MOST_OPERATIONS = 2500
"""A program of more operations, in what is shown of it, has no picture; measured: one of a chain takes 1.6 s."""

EXACT = 256
"""Arrays of at most so many numbers are kept whole, larger ones as blocks; chosen: 16 by 16 is a heat map."""

BLOCKS, LONGEST_ROW = 16, 128
"""How many blocks there are at most on a side, and in a single row; chosen: each is a few pixels wide."""

FEW = 16
"""Arrays of at most so many numbers are kept with 6 digits, larger ones with 4; chosen: as many as are shown."""

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
        self._arrays: dict[tuple[Any, ...], int] = {}
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
            "flow": [_flow_row(row) for row in flow(self.tape)],
            "grains": GRANULARITIES,
            "grain": self.stepper.granularity,
            "breakpoints": [[b.number, b.kind, b.text, b.hits, b.nowhere] for b in self.stepper.breakpoints],
            "displays": [[number, shown.text] for number, shown in self.stepper.displays.items()],
            "last": [self.stepper.last_breakpoint, self.stepper.last_display],
            "commands": [{**command._asdict(), "help": helped(command.name)} for command in COMMANDS],
            "help": helped(),
            "grammar": GRAMMAR,
            "most": MOST,
            "arrays": [summary(np.ndarray(*array)) for array in self._arrays],
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
        """Return number, node, slot, formula, formula in numbers, in words; then of a contribution all there is."""
        row: list[Any] = [event.index, _number(self._nodes, event.node), event.slot]
        row += [self._formula(event.rule), self._formula(event.in_numbers), _number(self._texts, event.formula)]
        if event.step is None:
            return row
        product, contribution = np.shape(event.step.product), np.shape(event.contribution)
        summed = None if product == contribution else [str(product), str(contribution)]
        arrays = [self._array(array) for array in (event.before, event.contribution, event.after)]
        return [*row, *arrays, event.step.arrived, event.step.expected, summed]

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
            "value": self._array(self.graph.values[node]),
            "where": _number(self._texts, described(self.tape, node)),
            "gradient": self._array(self.tape.gradients.get(node)),
            "arrivals": self._arrivals(node),
            "units": [_number(self._units, unit(self.tape, node, granularity)) for granularity in GRANULARITIES],
        }

    def _inputs(self, node: Tensor) -> tuple[Tensor, ...]:
        return node.inputs if node in self._held else ()

    def _arrivals(self, node: Tensor) -> list[tuple[int, int | None]]:
        """Return the events that change a node's gradient, and what it is then.

        Of those between which the page shows none, the last.
        """
        if node is self.graph.output:
            return [(self.tape.start, self._array(self.tape.gradients[node]))]
        uses = self.tape.uses(node)
        last = {bisect_left(self._positions, use): arrived for arrived, use in enumerate(uses, 1)}
        return [(uses[arrived - 1], self._array(self.tape.total(node, arrived))) for arrived in last.values()]

    def _formula(self, formula: Formula | None) -> int | None:
        return None if formula is None else _number(self._math, formula.mathml)

    def _array(self, array: Any) -> int | None:
        if array is None:
            return None
        values = np.asarray(array)
        return _number(self._arrays, (values.shape, values.dtype.str, values.tobytes()))


def _flow_row(row: FlowRow) -> dict[str, Any]:
    return {
        "time": row.time,
        "norms": {name: _plain(norm) for name, norm in row.norms.items()},
        "events": row.complete,
        "saturation": {name: round(share, 3) for name, share in row.saturation.items()},
    }


def _number(table: dict[Any, int], thing: Any) -> int:
    """Return the number of a thing in a table that holds each once."""
    return table.setdefault(thing, len(table))


def summary(values: NDArray[Any]) -> dict[str, Any]:
    """Return an array for a page: its shape, its norm, and its numbers, or of a large one those of its blocks.

    What is larger than ``EXACT`` comes with its smallest and largest number and its mean.

    >>> summary(np.array([[1.0, -2.0]]))["v"]
    [1, -2]
    """
    whole: dict[str, Any] = {"shape": str(values.shape), "norm": _plain(magnitude(values), 17)}
    if not values.size:
        return {**whole, "rows": 0, "v": []}
    flat = values.reshape(-1, values.shape[-1]) if values.ndim > 1 else values.reshape(1, -1)
    if values.size > EXACT:
        with np.errstate(all="ignore"):
            whole["stats"] = [_plain(float(x)) for x in (values.min(), values.max(), values.mean())]
            whole["bad"] = int(values.size - np.isfinite(values).sum())
            flat, whole["block"] = _blocks(flat)
    digits = 6 if flat.size <= FEW else 4
    return whole | {"rows": flat.shape[0], "v": [_plain(x, digits) for x in flat.ravel().tolist()]}


def _blocks(values: NDArray[Any]) -> tuple[NDArray[Any], list[int] | None]:
    """Return of each block the number of the largest magnitude; and the rows and columns there were, if reduced."""
    rows, columns = values.shape
    down = min(rows, BLOCKS)
    across = min(columns, LONGEST_ROW if rows == 1 else BLOCKS)
    if (down, across) == (rows, columns):
        return values, None
    high, low = values, values
    for axis, count in enumerate((down, across)):
        starts = np.arange(count) * values.shape[axis] // count
        high = np.maximum.reduceat(high, starts, axis)
        low = np.minimum.reduceat(low, starts, axis)
    return np.where(np.abs(low) > np.abs(high), low, high), [rows, columns]


def _plain(number: float, digits: int = 6) -> float | str | int:
    """Return a number as JSON can hold it: with the digits that one looks at, and what is not finite as a word."""
    if not math.isfinite(number):
        return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
    short = float(f"{number:.{digits}g}")
    return int(short) if short.is_integer() and abs(short) < 1e15 else short


def _inert(svg: str) -> str:
    """Return a picture for a page that shows several in turn: their ids are data, so that none is ever there twice."""
    root = ElementTree.fromstring(svg)
    for element in root.iter():
        element.tag = element.tag.removeprefix("{http://www.w3.org/2000/svg}")  # HTML knows it by itself
        if id := element.attrib.pop("id", None):
            element.set("data-id", id)
    return ElementTree.tostring(root, "unicode")

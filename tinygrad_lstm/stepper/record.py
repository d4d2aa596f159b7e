"""What a page holds: the events of a tape, the arrays they show and the pictures they move over, as plain data.

Every array, formula and line stands in a table once, and is spoken of by its number there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..draw import draw
from ..draw.scale import magnitude
from ..draw.timeline import Timeline, Window, shown
from ..engine.tensor import Tensor
from ..symbolic.formulas import display_name, equation, input_names
from .commands import COMMANDS
from .cursor import Stepper
from .event import Event
from .flow import flow
from .place import GRAINS, told

MOST_EVENTS = 1600
"""A walk of more events is shown through a window of time steps."""

MOST_OPERATIONS = 2500
"""A program of more operations, in what is shown of it, has no picture."""

EXACT = 256
"""Arrays of so many numbers are kept whole; larger ones as blocks, of which the largest magnitude is kept."""

BLOCKS = 16
LONGEST_ROW = 128

VIEWS = (
    ("rolled", "Loop", "cell"),
    ("cells", "Cells", "cell"),
    ("gates", "Gates", "gate"),
    ("ops", "Operations", "op"),
)
"""From far to near: the view, what it is called, and what ``next`` passes over there."""


class Table:
    """Things by number, each once."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self._numbers: dict[Any, int] = {}

    def number(self, key: Any, make: Callable[[], Any] | None = None) -> int:
        """The number of a thing; its key is the thing itself, unless ``make`` makes it."""
        if key not in self._numbers:
            self._numbers[key] = len(self.items)
            self.items.append(key if make is None else make())
        return self._numbers[key]


class Record:
    """Collects what a page needs. ``steps`` is a window of time steps, ``"all"``, or None to let the size decide."""

    def __init__(self, stepper: Stepper, steps: Window = None) -> None:
        self.stepper = stepper
        self.tape, self.graph = stepper.events, stepper.graph
        self._timeline = Timeline(self.graph)
        self.times = self._window(steps)
        self.positions = self._positions()
        self._nodes = Table()
        self._arrays = Table()
        self._math = Table()
        self._texts = Table()
        self._units = Table()  # numbered anew: what tells calls apart differs from run to run

    def data(self) -> dict[str, Any]:
        """All of it, ready to be written as JSON."""
        events = [self._event(self.tape[index]) for index in self.positions]
        for node in self.graph.nodes:  # names that commands may ask for
            if node in self._shown_nodes:
                self._nodes.number(node)
        flow_rows = [self._flow_row(row.time, row.norms, row.saturation) for row in flow(self.tape)]
        nodes: list[dict[str, Any]] = []
        while len(nodes) < len(self._nodes.items):  # describing one may bring its inputs in
            nodes.append(self._node(self._nodes.items[len(nodes)]))
        return {
            "start": self.tape.start,
            "total": len(self.tape),
            "position": self.stepper.position,
            "note": self.note,
            "events": events,
            "nodes": nodes,
            "arrays": self._arrays.items,
            "math": self._math.items,
            "texts": self._texts.items,
            "flow": flow_rows,
            "grains": GRAINS,
            "grain": self.stepper.grain,
            "breakpoints": [[each.text, each.temporary] for each in self.stepper.breakpoints],
            "displays": [shown.text for shown in self.stepper.displays.values()],
            "commands": [
                {"name": c.name, "short": c.short, "argument": c.argument, "meaning": c.meaning, "key": c.key}
                for c in COMMANDS
            ],
        }

    def pictures(self) -> Iterator[dict[str, Any]]:
        """Each view: its name, what it is called, its SVG, and the nodes its elements stand for. After ``data``."""
        if len(self._timeline.operations) > MOST_OPERATIONS and self.times is None:
            return
        for view, title, grain in VIEWS:
            window: Window = "all" if self.times is None else (self.times[0], self.times[-1] + 1)
            picture = draw(self.graph.output, view, steps=window)
            boxes, arrows = picture.elements()
            numbers = {node: number for number, node in enumerate(self._nodes.items)}
            yield {
                "view": view,
                "title": title,
                "grain": grain,
                "svg": _inert(picture.svg),
                "boxes": {id: [numbers[x] for x in shows if x in numbers] for id, shows in boxes.items()},
                "arrows": {
                    id: [[numbers[x], numbers[y]] for x, y in uses if x in numbers and y in numbers]
                    for id, uses in arrows.items()
                },
            }

    @property
    def note(self) -> str:
        """What is left out, and how to see it."""
        if len(self.positions) == len(self.tape):
            return ""
        held = f"This page holds {len(self.positions):,} of {len(self.tape):,} events"
        if self.times is None:
            return f"{held}, those about the seed: the walk is too long for one page."
        shown, steps = self.times, self._timeline.steps
        span = f"t = {shown[0]}" if len(shown) == 1 else f"t = {shown[0]} … {shown[-1]}"
        return f"{held}: {span} of {steps[0]} … {steps[-1]}. stepper.page(file, steps=(a, b)) shows other time steps."

    def _window(self, steps: Window) -> list[int] | None:
        """The time steps to be shown; None if all are. Without being told, as many of the last as one page takes."""
        there = self._timeline.steps
        if steps == "all" or not there:
            return None
        if steps is not None:
            kept = [t for t in shown(there, steps, len(there)) if isinstance(t, int)]
            return None if kept == there else kept
        if len(self.tape) <= MOST_EVENTS:
            return None
        return there[-max(1, len(there) * MOST_EVENTS // len(self.tape)) :]

    def _positions(self) -> list[int]:
        """The numbers of the events that are shown."""
        if self.times is None:
            middle, reach = self.tape.start, MOST_EVENTS if self._timeline.steps else MOST_EVENTS // 2
            everything = range(len(self.tape))
            self._shown_nodes = set(self.graph.nodes)
            return list(everything if self._timeline.steps else everything[max(0, middle - reach) : middle + reach])
        times = set(self.times)
        kept = {x for x in self.graph.nodes if not x.is_leaf and (x.time is None or x.time in times)}
        kept |= {x for node in kept if node.time is not None for x in node.inputs if x.is_leaf}
        kept.add(self.graph.output)
        self._shown_nodes = kept
        return [index for index in range(len(self.tape)) if self.tape.edge(index)[0] in kept]

    def _event(self, event: Event) -> list[Any]:
        """Number, node, slot, formula, formula in numbers, in words; then of a contribution all there is."""
        shared = [event.index, self._nodes.number(event.node), event.slot]
        formulas = [self._formula(event.rule), self._formula(event.in_numbers), self._texts.number(event.formula)]
        if event.step is None:
            return [*shared, *formulas]
        before = None if event.before is None else self._array(event.before)
        product, contribution = np.shape(event.step.product), np.shape(event.contribution)
        summed = None if product == contribution else [_shape(product), _shape(contribution)]
        arrived = [event.step.arrived, event.step.expected, magnitude(event.contribution), magnitude(event.after)]
        numbers = [before, self._array(event.contribution), self._array(event.after)]
        return [*shared, *formulas, *numbers, *map(_plain, arrived), summed]

    def _node(self, node: Tensor) -> dict[str, Any]:
        places, grad = self.stepper._places, self.tape.gradients.get(node)
        own = {
            "id": self.graph.ids[node],
            "name": node.name,
            "shown": display_name(node),
            "op": node.primitive.name if node.primitive else None,
            "scope": node.scope,
            "time": node.time,
            "inputs": [self._nodes.number(x) for x in node.inputs] if node in self._shown_nodes else [],
            "letters": input_names(node) if node.primitive else (),
            "equation": equation(node),
            "value": self._array(self.graph.values[node]),
            "where": self._texts.number(told(places.where(node), None if node.time is None else f"t = {node.time}")),
            "gradient": None if grad is None else self._array(grad),
            "expected": len(self.tape.uses(node)),
        }
        return {**own, "units": [self._units.number(places.of(node, grain)) for grain in GRAINS]}

    def _flow_row(self, time: int, norms: dict[str, float], saturation: dict[str, float]) -> dict[str, Any]:
        """The norms of a step, each with the event that completes it."""
        complete = {}
        for node, t in self._timeline.of.items():
            if t == time and (uses := self.tape.uses(node)):
                name = node.name or ".".join((*node.scope, node.primitive.name if node.primitive else ""))
                complete[name] = uses[-1]
        return {
            "time": time,
            "norms": {name: _plain(norm) for name, norm in norms.items()},
            "events": {name: complete[name] for name in norms if name in complete},
            "saturation": {name: round(share, 3) for name, share in saturation.items()},
        }

    def _formula(self, formula: Any) -> int | None:
        return None if formula is None else self._math.number(formula.mathml)

    def _array(self, array: Any) -> int:
        values = np.asarray(array)
        key = (values.shape, values.dtype.str, values.tobytes())
        return self._arrays.number(key, lambda: summary(values))


def summary(values: NDArray[Any]) -> dict[str, Any]:
    """An array for a page: its shape, its statistics, and its numbers, or of a large one those of its blocks.

    >>> summary(np.array([[1.0, -2.0]]))["v"]
    [1, -2]
    """
    flat = values.reshape(-1, values.shape[-1]) if values.ndim > 1 else values.reshape(1, -1)
    whole: dict[str, Any] = {"shape": _shape(values.shape)}
    if not values.size:
        return {**whole, "rows": 0, "v": []}
    if values.size > EXACT:
        low, high, finite = values.min(), values.max(), np.isfinite(values)
        whole["stats"] = [_plain(float(x)) for x in (np.linalg.norm(values), low, high, values.mean())]
        whole["bad"] = int(values.size - finite.sum())
        flat, whole["block"] = _blocks(flat)
    digits = 6 if flat.size <= 16 else 4
    whole |= {"rows": flat.shape[0], "v": [_plain(x, digits) for x in flat.ravel().tolist()]}
    return whole


def _blocks(values: NDArray[Any]) -> tuple[NDArray[Any], list[int] | None]:
    """Of each block the number of the largest magnitude; and how many rows and columns there were, if more than one."""
    rows, columns = values.shape
    down = min(rows, BLOCKS)
    across = min(columns, LONGEST_ROW if rows == 1 else BLOCKS)
    if (down, across) == (rows, columns):
        return values, None
    starts = [np.arange(count) * size // count for count, size in ((down, rows), (across, columns))]
    high = np.maximum.reduceat(np.maximum.reduceat(values, starts[0], axis=0), starts[1], axis=1)
    low = np.minimum.reduceat(np.minimum.reduceat(values, starts[0], axis=0), starts[1], axis=1)
    return np.where(np.abs(low) > np.abs(high), low, high), [rows, columns]


def _plain(number: float, digits: int = 6) -> float | str | int:
    """A number as JSON can say it: with the digits that one looks at, and what is not finite as a word."""
    if not math.isfinite(number):
        return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
    short = float(f"{number:.{digits}g}")
    return int(short) if short.is_integer() and abs(short) < 1e15 else short


def _shape(shape: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def _inert(svg: str) -> str:
    """For a page that shows several pictures in turn: their ids are data, so that none is ever there twice."""
    return re.sub(r'<g id="', '<g data-id="', svg[svg.index("<svg") :])

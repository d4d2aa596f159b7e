"""What a page holds: the events of a tape, the arrays they show and the pictures they move over, as plain data.

Every array, formula and line stands in a table once, and is spoken of by its number there.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...drawing import draw
from ...engine.tensor import Tensor
from ...pages.offline import inline
from ...structure.timeline import Window, shown
from ...structure.words import display_name, magnitude
from ...symbolic.formulas import Formula, equation, input_names
from ..breakpoints import GRAMMAR
from ..commands import COMMANDS, helped
from ..cursor import Cursor
from ..flow import FlowRow, flow
from ..inspection import MOST
from ..place import GRANULARITIES, described, unit
from ..recording.event import Event

MOST_EVENTS = 1600
"""A walk of more events is shown through a window of time steps."""

MOST_OPERATIONS = 2500
"""A program of more operations, in what is shown of it, has no picture."""

EXACT = 256
"""Arrays of so many numbers are kept whole; larger ones as blocks, of which the largest magnitude is kept."""

BLOCKS, LONGEST_ROW = 16, 128
"""How many blocks there are at most on a side, and in a single row."""

FEW = 16
"""Arrays of so many numbers are kept with six digits, larger ones with four."""

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

    def __init__(self, stepper: Cursor, steps: Window = None) -> None:
        self.stepper = stepper
        self.tape, self.graph = stepper.events, stepper.graph
        self._steps = self.tape.timeline.steps
        self._window = self._chosen(steps)
        self._positions, self._held = self._kept()
        self._nodes = Table()
        self._arrays = Table()
        self._math = Table()
        self._texts = Table()
        self._units = Table()  # numbered anew: what tells calls apart differs from run to run
        self.svgs: list[tuple[str, str, str]] = []
        """Of each view its name, what it is called, and the picture."""

    def data(self) -> dict[str, Any]:
        """All but the pictures, ready to be written as JSON."""
        events = [self._event(self.tape[index]) for index in self._positions]
        for node in self.graph.nodes:  # names that commands may ask for
            if node in self._held:
                self._nodes.number(node)
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
            "views": self._views(),
            "flow": [self._flow_row(row) for row in flow(self.tape)],
            "grains": GRANULARITIES,
            "grain": self.stepper.granularity,
            "breakpoints": [
                [each.number, each.kind, each.text, each.hits, each.nowhere] for each in self.stepper.breakpoints
            ],
            "displays": [[number, shown.text] for number, shown in self.stepper.displays.items()],
            "last": [self.stepper.last_breakpoint, self.stepper.last_display],
            "commands": [{**command._asdict(), "help": helped(command.name)} for command in COMMANDS],
            "help": helped(),
            "grammar": GRAMMAR,
            "most": MOST,
            "arrays": self._arrays.items,
            "math": self._math.items,
            "texts": self._texts.items,
        }

    @property
    def note(self) -> str:
        """What is left out, and how to see it."""
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
        """The time steps to be shown; None if all are. Without being told, as many of the last as one page takes."""
        there = self._steps
        if steps is not None and not (isinstance(steps, str) and steps == "all"):
            if not there:
                raise ValueError(f"steps={steps!r} asks for time steps, and this program has none")
            kept = [t for t in shown(there, steps, len(there)) if isinstance(t, int)]
            return None if kept == there else kept
        if steps is not None or not there or len(self.tape) <= MOST_EVENTS:
            return None
        return there[-max(1, len(there) * MOST_EVENTS // len(self.tape)) :]

    def _kept(self) -> tuple[list[int], set[Tensor]]:
        """The numbers of the events that are shown, and the nodes that they are of."""
        everything = range(len(self.tape))
        if self._window is not None:
            times = set(self._window)
            held = {x for x in self.graph.nodes if not x.is_leaf and (x.time is None or x.time in times)}
            held |= {x for node in held if node.time is not None for x in node.inputs if x.is_leaf}
            held.add(self.graph.output)
            return [index for index in everything if self.tape.nodes[index] in held], held
        if self._steps or len(everything) <= MOST_EVENTS:
            return list(everything), set(self.graph.nodes)
        reach = MOST_EVENTS // 2
        about = list(everything[max(0, self.tape.start - reach) : self.tape.start + reach])
        return about, {self.tape.nodes[index] for index in about}

    def _views(self) -> list[dict[str, Any]]:
        """Each view, and the nodes and uses that its elements stand for. Leaves the pictures in ``svgs``."""
        if sum(not node.is_leaf for node in self._held) > MOST_OPERATIONS:
            return []
        window: Window = "all" if self._window is None else (self._window[0], self._window[-1] + 1)
        numbers = {node: number for number, node in enumerate(self._nodes.items)}
        made = []
        for view, title, granularity in VIEWS:
            picture = draw(self.graph.output, view, steps=window)
            boxes, arrows = picture.elements()
            self.svgs.append((view, title, _inert(picture.svg)))
            shows = {id: [numbers[x] for x in nodes if x in numbers] for id, nodes in boxes.items()}
            carries = {
                id: [[numbers[x], numbers[y]] for x, y in uses if x in numbers and y in numbers]
                for id, uses in arrows.items()
            }
            made.append({"view": view, "grain": granularity, "boxes": shows, "arrows": carries})
        return made

    def _event(self, event: Event) -> list[Any]:
        """Number, node, slot, formula, formula in numbers, in words; then of a contribution all there is."""
        shared = [event.index, self._nodes.number(event.node), event.slot]
        formulas = [self._formula(event.rule), self._formula(event.in_numbers), self._texts.number(event.formula)]
        if event.step is None:
            return [*shared, *formulas]
        product, contribution = np.shape(event.step.product), np.shape(event.contribution)
        summed = None if product == contribution else [str(product), str(contribution)]
        numbers = [self._array(array) for array in (event.before, event.contribution, event.after)]
        return [*shared, *formulas, *numbers, event.step.arrived, event.step.expected, summed]

    def _node(self, node: Tensor) -> dict[str, Any]:
        held = node in self._held
        return {
            "id": self.graph.ids[node],
            "name": node.name,
            "shown": display_name(node),
            "op": node.primitive.name if node.primitive else None,
            "scope": node.scope,
            "time": node.time,
            "inputs": [self._nodes.number(x) for x in node.inputs] if held else [],
            "letters": input_names(node, self.tape.names) if node.primitive else (),
            "equation": equation(node, self.tape.names),
            "value": self._array(self.graph.values[node]),
            "where": self._texts.number(described(self.tape, node)),
            "gradient": self._array(self.tape.gradients.get(node)),
            "arrivals": self._arrivals(node),
            "units": [self._units.number(unit(self.tape, node, granularity)) for granularity in GRANULARITIES],
        }

    def _arrivals(self, node: Tensor) -> list[tuple[int, int | None]]:
        """The events that change a node's gradient, and what it is then.

        Of those between which the page shows none, the last.
        """
        if node is self.graph.output:
            return [(self.tape.start, self._array(self.tape.gradients[node]))]
        uses = self.tape.uses(node)
        places = [bisect_left(self._positions, use) for use in uses]
        seen = [
            i
            for i, (use, place) in enumerate(zip(uses, places, strict=True))
            if i + 1 == len(uses) or places[i + 1] > place or self._positions[place : place + 1] == [use]
        ]
        return [(uses[i], self._array(self.tape.total(node, i + 1))) for i in seen]

    def _flow_row(self, row: FlowRow) -> dict[str, Any]:
        return {
            "time": row.time,
            "norms": {name: _plain(norm) for name, norm in row.norms.items()},
            "events": row.complete,
            "saturation": {name: round(share, 3) for name, share in row.saturation.items()},
        }

    def _formula(self, formula: Formula | None) -> int | None:
        return None if formula is None else self._math.number(formula.mathml)

    def _array(self, array: Any) -> int | None:
        if array is None:
            return None
        values = np.asarray(array)
        key = (values.shape, values.dtype.str, values.tobytes())
        return self._arrays.number(key, lambda: summary(values))


def summary(values: NDArray[Any]) -> dict[str, Any]:
    """An array for a page: its shape, its norm, and its numbers, or of a large one those of its blocks.

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


def _inert(svg: str) -> str:
    """For a page that shows several pictures in turn: their ids are data, so that none is ever there twice."""
    return re.sub(r'<g id="', '<g data-id="', inline(svg))

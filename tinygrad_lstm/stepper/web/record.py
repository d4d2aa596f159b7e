"""What a page holds of one graph: the network, its formulas, and the pictures they move over, as plain data.

Numbers are computed in the browser, of the network. Nothing here depends on them, so that all steps are written alike,
and can be folded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...drawing import draw
from ...drawing.paint.render import RenderError
from ...drawing.paint.svg import Form, Painting
from ...drawing.picture import Memory
from ...engine.tensor import Tensor
from ...pages.folding import EDGE, Alike, Plain, Row
from ...structure.cells import Cells, ends_of
from ...structure.words import clean, display_name
from ...symbolic.formulas import input_names
from ..flow import measured
from ..place import made_by, way_to
from ..recording.reasons import LONGEST
from ..recording.tape import Tape
from .network import PageNetwork
from .structure import Structure

MOST_OPERATIONS = 2500
"""A program that computes more in one step, or outside of time, has no picture; measured: a chain of so many takes
1.6 s."""

VIEWS = (
    ("rolled", "Loop", "cell"),
    ("cells", "Cells", "cell"),
    ("gates", "Gates", "gate"),
    ("ops", "Operations", "op"),
)
"""From far to near: the view, what it is called, and what ``next`` passes over there."""

LONGEST_NAME = 300
"""Characters of a name; chosen: more than anybody reads."""

FINE = 1000
"""Of a point: pictures are placed in whole parts, which count on from step to step."""

Boxes = Mapping[str, Sequence[Tensor]]
Arrows = Mapping[str, Sequence[tuple[Tensor, Tensor]]]
"""Of a picture: what its elements stand for, by their ids."""


class Forms:
    """The elements that Graphviz painted, each once, whichever picture it is in: text, with %s for each word."""

    def __init__(self) -> None:
        self.memory = Memory()
        self._numbers: dict[str, int] = {}

    @property
    def texts(self) -> list[str]:
        """Return the elements by their numbers. Several pictures stand in a page, so ids are data there."""
        return [text.replace(' id="', ' data-id="') for text in self._numbers]

    def number(self, form: Form) -> list[int]:
        """Return the number of an element, and which words it shows, in order."""
        return [self._numbers.setdefault(form.text, len(self._numbers)), *form.words]


class Record:
    """Collects what a page needs of a tape."""

    def __init__(self, tape: Tape, forms: Forms) -> None:
        self.tape, self.graph = tape, tape.graph
        self.network = PageNetwork(self.graph, tape.gradients[self.graph.output])
        self.structure = Structure(tape)
        self._is_long = len(tape.timeline.steps) > 2 * EDGE
        self.undrawn = ""  # why a view has no picture
        self._forms = forms
        self._at = {node: i for i, node in enumerate(self.graph.nodes)}

    def walk(self) -> dict[str, Any]:
        """Return the words of nodes and uses, in the order of the walk, and the network without the leaves' numbers."""
        first = self.tape.start + 1
        return {
            "nodes": self._listed(self._node, len(self.graph.nodes), lambda: self.structure.nodes),
            "times": [node.time for node in self.graph.nodes],
            "uses": self._listed(self._use, len(self.tape) - first, lambda: self.structure.events),
            "phases": {t: clean(phase) for t, phase in self.tape.timeline.phases.items()},
            "flow": self._flow(),
            "layers": self._layers(),
            "detached": [self._at[leaf] for leaf in self.graph.leaves if leaf.detached],
            "network": self.network.data(),
        }

    def values(self) -> dict[str, Any]:
        """Return the numbers of leaves, by their ids."""
        return {self.graph.ids[self.graph.nodes[at]]: value for at, value in self.network.leaves().items()}

    def views(self) -> list[dict[str, Any]]:
        """Return each view as columns of painted elements, with the nodes and uses that they stand for."""
        together = Counter(self.tape.timeline.of.get(node) for node in self.graph.nodes if not node.is_leaf)
        if max(together.values(), default=0) > MOST_OPERATIONS:
            return []
        made = []
        for view, title, granularity in VIEWS:
            picture = draw(self.graph.output, view, steps="all", loss=True)
            picture.memory = self._forms.memory
            try:
                painting = picture.painting
            except RenderError as error:  # the walk is there without its pictures
                self.undrawn = f"Not all of it is drawn: {error}"
                continue
            paper = [round(x * FINE) for x in (*picture.size, *painting.origin)]
            shown = {"view": view, "title": title, "grain": granularity, "paper": paper, "style": painting.style}
            shown |= {"description": picture.description}
            made.append({**shown, **self._elements(painting, *picture.elements())})
        return made

    def _elements(self, painting: Painting, boxes: Boxes, arrows: Arrows) -> dict[str, Any]:
        """Return the columns, each with its place and how many marks it has; the marks of all; what each stands for."""
        columns, stands = [], []
        marks = [mark for column in painting.columns for mark in column.marks]
        for column in painting.columns:
            place = (column.dx, column.dy, *column.reach)
            columns.append([column.id, *(round(x * FINE) for x in place), len(column.marks)])
        looks = [
            (1 if mark.id in boxes else 2 if mark.id in arrows else 0, self._forms.number(mark.form)) for mark in marks
        ]
        for mark, (kind, _) in zip(marks, looks, strict=True):
            uses = [[self._at[x], self._at[y]] for x, y in arrows.get(mark.id, ()) if x in self._at and y in self._at]
            stands.append([self._at[x] for x in boxes[mark.id] if x in self._at] if kind == 1 else uses)
        structure = list(map(self.structure.mark, looks, stands)) if self._is_long else []
        written = self._listed(lambda at: [*looks[at], *marks[at].words], len(marks), lambda: structure)
        stood_for = self._listed(stands.__getitem__, len(marks), lambda: structure)
        return {"columns": columns, "marks": written, "stands": stood_for}

    def _listed(self, write: Callable[[int], Plain], count: int, structure: Callable[[], Sequence[Row]]) -> Plain:
        """Return so many written parts; of a long walk a list that is written only where it does not repeat."""
        return Alike(structure(), write) if self._is_long else [write(at) for at in range(count)]

    def _formulas(self, index: int) -> list[Any]:
        """Return the formula of an event, the same with places for numbers, and in words."""
        event = self.tape[index]
        if event.rule is None:
            return [None, event.to_fill, event.formula]
        return [event.rule.linked(self.tape.symbols.letters(event.node), self._at), event.to_fill, event.formula]

    def _use(self, number: int) -> list[Any]:
        return self._formulas(self.tape.start + 1 + number)

    def _node(self, at: int) -> dict[str, Any]:
        node, formulas = self.graph.nodes[at], self._formulas(at)
        written = formulas[-1]  # of what is computed the words are its equation, and so are a leaf's
        return {
            "id": self.graph.ids[node],
            "name": node.name and clean(node.name, LONGEST_NAME),
            "shown": node.name and clean(display_name(node)),
            "op": node.primitive.name if node.primitive else None,
            "scope": node.scope,
            "letters": self._letters(node),
            "equation": written,
            "formulas": formulas,
            "way": way_to(node, written),
            "made": made_by(node),
        }

    def _letters(self, node: Tensor) -> list[str]:
        return [clean(name, LONGEST) for name in input_names(node, self.tape.symbols)] if node.primitive else []

    def _layers(self) -> list[dict[str, Any]]:
        """Return the layers of cells, f, i, g, o: what each is called, what it does, where its values lie, and when."""
        cells = Cells(self.tape.timeline).cells
        return [
            {
                "cell": clean(cell.name) if len(cells) > 1 else "",
                "symbol": clean(layer.symbol),
                "words": clean(layer.words),
                "range": [layer.low, layer.high],
                "at": [self._at[node] for node in layer.at.values()],
            }
            for cell in cells
            for layer in cell.layers
        ]

    def _flow(self) -> list[dict[str, Any]]:
        """Return of each time step which nodes are its states and its gates, and where the values of gates lie."""
        states, gates = measured(self.tape)
        return [
            {
                "time": time,
                "states": {name: self._at[node] for name, node in states[time].items()},
                "gates": {name: [self._at[node], *ends_of(node)] for name, node in gates[time].items()},
            }
            for time in self.tape.timeline.steps
        ]

"""A story: one step of a gated cell, in as many pictures as its gates do things, one lit in each."""

from __future__ import annotations

from ...engine.graph import Graph
from ...pages.theme import FADED, MUTED
from ...structure.cells import CellRun
from ...structure.window import Window
from ...structure.words import clean, magnitude
from ...symbolic.symbols import Symbols
from .carrying import NO_STATE, belts
from .figure import Figure, NoFigure
from .in_numbers import equations
from .paper import BODY, MARGIN, WIDTH, Paper, width_of, wrapped
from .reading import Recorded
from .stages import Stage, stages
from .step_picture import StepPicture

LEFT, BETWEEN, TALLEST = 390.0, 28.0, 360.0
"""Pixels: how wide a picture may be, what is between it and its words, and how high it may be; chosen by eye."""

SMALLEST = 0.6
"""How small a picture may be, for one point a pixel; a wider cell stands above its words. Chosen by eye."""


def story(graph: Graph, steps: Window = None) -> Figure:
    """Draw one step several times: what is forgotten, what is written, the new state, what is read, and all of it.

    Source: the five pictures, C. Olah, "Understanding LSTM Networks" (2015).
    """
    reading = Recorded(graph, steps)
    if not reading.states:
        raise NoFigure(NO_STATE)
    cell = next((cell for cell in reading.cells if any(gate.roles for gate in cell.gates)), None)
    cell = cell or next((belt.cell for belt in belts(reading) if belt.cell.gates), None)
    if cell is None:
        raise NoFigure(
            "there is no story of a cell without gates: nothing in a recurrent cell of this network lies between 0 and "
            "1 and is multiplied with what the cell carries on; the view 'gates' shows what it does"
        )
    t = _telling(reading, cell)
    symbols = Symbols(graph.nodes)
    chapters = stages(reading, cell, t, symbols)
    sizes = ((LEFT, TALLEST), (LEFT, 1.5 * TALLEST), (WIDTH - 2 * MARGIN, 1.5 * TALLEST))
    for room, tallest in sizes:
        picture = StepPicture(reading, cell, t, room, tallest)
        if picture.scale >= SMALLEST:
            break
    beside = room == LEFT
    warning = reading.warning(node for node in cell.members if reading.timeline.of[node] == t)
    paper = Paper(f"One step of {_kind(reading, cell)}: t = {t}", _sentence(chapters, reading, cell, t) + warning)
    for number, stage in enumerate(chapters, 1):
        if number > 1:
            paper.line([(MARGIN, paper.bottom + 12), (WIDTH - MARGIN, paper.bottom + 12)], FADED)
            paper.bottom += 24
        _draw(paper, stage, number, picture, symbols, beside=beside)
    return Figure(paper)


def _telling(reading: Recorded, cell: CellRun) -> int:
    """Return the first step that is given a state which is not zero, if there is one."""
    mine = [belt for belt in belts(reading) if belt.cell is cell]
    steps = [t for t in reading.steps if t in cell.gates[0].at]
    if not steps:
        raise NoFigure(f"none of the steps that were asked for runs {clean(cell.name) or 'the cell'}")
    given = (t for t in steps if any(t in belt.at and magnitude(belt.at[t].before.value) for belt in mine))
    return next(given, steps[-1])


def _kind(reading: Recorded, cell: CellRun) -> str:
    """Return what a cell is, and where in the network: an LSTMCell."""
    node = cell.members[0]
    kinds = [frame.kind for frame, module in reading.timeline.levels(node) if module in reading.timeline.cells]
    kind = clean(kinds[0] or "cell") if kinds else "a cell"
    where = f" ({clean(cell.name)})" if len(reading.cells) > 1 else ""
    return kind + where


def _sentence(chapters: list[Stage], reading: Recorded, cell: CellRun, t: int) -> str:
    parts = [stage.sentences[0] for stage in chapters if stage.sentences and not stage.whole]
    word = next((x.name for x in reading.inputs.get(t, ()) if x.name and reading.has_words), "")
    read = f"It reads “{clean(word)}”. " if word else ""
    node = cell.members[0]
    batch = next((layer.at[t] for layer in cell.layers if t in layer.at), node)
    several = batch.size // batch.shape[-1] if batch.ndim > 1 else 1
    whose = f" Vectors are those of the first of {several} sequences, norms those of all." if several > 1 else ""
    return f"{read}{' '.join(parts[:2])}{whose}"


def _draw(paper: Paper, stage: Stage, number: int, picture: StepPicture, symbols: Symbols, *, beside: bool) -> None:
    """Draw the cell with one thing lit, and beside it, or below, what that is, its equations and its sentence."""
    top, x = paper.bottom, MARGIN + LEFT + BETWEEN if beside else MARGIN
    lit = picture.everything if stage.whole else picture.lit(stage.lit)
    for node in stage.made:
        lit |= picture.given_out(node)
    wide, high = picture.size
    left = MARGIN + (LEFT - wide) / 2 if beside else (WIDTH - wide) / 2
    paper.place(left, top, picture.scale, picture.svg(lit), high)
    room, y = WIDTH - MARGIN - x, top + (40 if beside else high + 24)
    paper.text(x, y, f"{number}  {stage.title}", size=17, bold=True, room=room)
    y += 8
    for layer in stage.layers:
        y += BODY + 6
        symbol = layer.symbol
        paper.text(x, y, symbol, bold=True, room=60)
        paper.text(x + min(width_of(symbol, BODY, bold=True), 60) + 9, y, layer.words, ink=MUTED, room=room - 75)
    y += 12
    for node in stage.said:
        lines = equations(node, symbols, BODY, room - 14)
        for i, line in enumerate(lines[:1] if stage.whole else lines):
            y += BODY + 7
            paper.text(x + (14 if i else 0), y, line, room=room - (14 if i else 0))
        y += 0 if stage.whole else 7
    y += 6
    for line in wrapped(" ".join(stage.sentences), BODY + 1, room):
        y += BODY + 8
        paper.text(x, y, line, size=BODY + 1, room=room)
    paper.bottom = max(paper.bottom, top + high)

"""Panes: what a position looks like in a terminal that somebody is sitting at, wide or narrow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ...structure.words import clean, display_name, magnitude, short
from ...symbolic.formulas import input_names
from ..cursor import Cursor
from ..recording.event import LONGEST, Event, numbers
from ..recording.tape import Tape

WIDE = 100
"""From so many columns on, panes stand side by side."""

BAR = 16
ROWS = 8
FILLS = " ▁▂▃▄▅▆▇█"


def panes(stepper: Cursor, width: int) -> RenderableType:
    """Equation, numbers, accumulator, ledger, and a map of where we are in time."""
    event = stepper.current
    left = [_panel("equation", _equation(event)), _panel("numbers", _numbers(event))]
    right: list[RenderableType] = []
    if event.step is not None:
        right = [_panel(f"accumulator of ∂L/∂{_called(event)}", _accumulator(event))]
        if len(event.tape.uses(event.step.input)) > 1:
            right.append(_panel("ledger so far", _ledger(event)))
    if stepper.displays:
        right.append(_panel("displayed", Text("\n".join(stepper.displayed()))))
    wide = width >= WIDE and right
    body: RenderableType = Group(*left, *right)
    if wide:
        half = width // 2 - 1
        body = Columns([Group(*column) for column in (left, right)], width=half, padding=(0, 1))
    title = Text(f"[{event.index}] {event.phase}, event {stepper.position} of {len(stepper) - 1}", style="bold")
    where = Text(f"   {event.graph.ids[event.node]}", style="cyan")
    time = _map(event, width)
    end = [Text("the walk is complete", style="bold green")] if stepper.at_end else []
    return Group(Text.assemble(title, where), *([time] if time else []), body, *end)


def _panel(title: str, body: RenderableType) -> Panel:
    return Panel(body, title=Text(title, style="dim"), title_align="left", border_style="dim")


def _equation(event: Event) -> RenderableType:
    lines = [] if event.phase == "forward" else [Text(clean(event.equation, LONGEST), style="dim")]
    lines.append(Text(clean(event.formula, LONGEST), style="bold"))
    if event.numbers:
        lines.append(Text(clean(event.numbers, LONGEST)))
    if event.step is not None and np.shape(event.step.product) != np.shape(event.contribution):
        shapes = f"summed from {np.shape(event.step.product)} to {np.shape(event.contribution)}, undoing the broadcast"
        lines.append(Text(shapes, style="dim"))
    return Group(*lines)


def _numbers(event: Event) -> RenderableType:
    rows: list[tuple[str, Any]] = [("value", event.value)]
    if event.upstream is not None:
        rows.append(("seed" if event.phase == "seed" else "upstream", event.upstream))
    letters = input_names(event.node, event.tape.names) if event.node.primitive else ()
    for slot, (letter, value) in enumerate(zip(letters, event.node.input_values, strict=True)):
        here = "→" if event.phase == "backward" and slot == event.slot else " "
        rows.append((f"{here} {clean(letter, 30)}", value))
    return _grid((label, numbers(value)) for label, value in rows)


def _accumulator(event: Event) -> RenderableType:
    assert event.step is not None
    arrived, expected = event.step.arrived, event.step.expected
    full = round(BAR * arrived / expected)
    bar = Text.assemble(("█" * full, "green"), ("░" * (BAR - full), "dim"), f" {arrived} of {expected} arrived")
    grid = _grid(
        [
            ("before", "nothing yet" if event.before is None else numbers(event.before)),
            ("+ contribution", numbers(event.contribution)),
            ("= after", numbers(event.after)),
        ]
    )
    return Group(grid, bar)


def _ledger(event: Event) -> RenderableType:
    """What has arrived, the latest last, as bars."""
    assert event.step is not None
    arrived = [event.tape[i] for i in event.tape.uses(event.step.input) if i <= event.index]
    shown = arrived[-ROWS:]
    norms = [magnitude(each.contribution) for each in shown]
    largest = max((norm for norm in norms if np.isfinite(norm)), default=0.0) or 1.0
    table = Table.grid(padding=(0, 1))
    for each, norm in zip(shown, norms, strict=True):
        full = round(BAR * norm / largest) if np.isfinite(norm) else BAR
        when = "" if each.time is None else f"t = {each.time}"
        style = "bold" if each is shown[-1] else ""
        table.add_row(
            Text(when, style=style),
            Text("█" * full, style="cyan"),
            Text(short(norm), style=style),
            Text(each.operation),
        )
    left_out = len(arrived) - len(shown)
    return Group(*([Text(f"… {left_out} before", style="dim")] if left_out else []), table)


def _map(event: Event, width: int) -> Text | None:
    """One mark for each time step: how much of it the walk has passed, and where it is."""
    times = progress(event.tape, event.index)
    if len(times) < 2:
        return None
    steps = list(times)
    room = max((width - 12) // 5, 1)
    here = steps.index(event.time) if event.time in times else len(steps) - 1
    first = min(max(0, here - room // 2), max(0, len(steps) - room))
    marks = Text("time ")
    if first:
        marks.append("… ")
    for t in steps[first : first + room]:
        style = "reverse bold" if t == event.time else "" if times[t] < 1 else "green"
        marks.append(f"{t}{FILLS[round(times[t] * (len(FILLS) - 1))]}", style=style)
        marks.append("  ")
    if first + room < len(steps):
        marks.append("…")
    return marks


def progress(tape: Tape, index: int) -> dict[int, float]:
    """For each time step, how much of its part in the present phase lies behind an event."""
    forward = index < tape.start
    span = range(tape.start) if forward else range(tape.start + 1, len(tape))
    all_of: dict[int, int] = {}
    done: dict[int, int] = {}
    for position in span:
        time = tape.nodes[position].time
        if time is not None:
            all_of[time] = all_of.get(time, 0) + 1
            done[time] = done.get(time, 0) + (position <= index)
    return {time: done[time] / all_of[time] for time in sorted(all_of)}


def _called(event: Event) -> str:
    assert event.step is not None
    return clean(display_name(event.step.input) or event.graph.ids[event.step.input], 40)


def _grid(rows: Iterator[tuple[str, str]] | list[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="cyan", justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in rows:
        table.add_row(Text(label), Text(text, style="bold" if label == "= after" else ""))
    return table

"""Panes: what a position looks like in a terminal that somebody is sitting at, wide or narrow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np
from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ...engine.backprop import Contribution
from ...structure.words import clean, display_name, magnitude, printable, short
from ...symbolic.formulas import input_names
from ..cursor import Cursor
from ..flow import FlowRow
from ..recording.event import LONGEST, Event, Recording, numbers

WIDE, WIDEST = 100, 120
"""Columns of a terminal from which panes stand side by side, and with the belt and the flow of all steps beside them.

Chosen: half of 100 holds any formula of a cell, three tenths of 120 a row of the flow.
"""

BAR, SHORT_BAR, ROWS = 16, 6, 8
"""The length of a full bar, in columns, and of one beside many numbers; how many contributions the ledger shows, or
steps the belt. Chosen: panes fit on a screen."""

FILLS = " ▁▂▃▄▅▆▇█"
"""How much of a time step the walk has passed, from nothing to all."""


def panes(stepper: Cursor, width: int) -> RenderableType:
    """Return equation, numbers, accumulator, ledger, and a map of where we are in time, for ``width`` columns."""
    event = stepper.current
    facts = dict(event.facts())
    left = [_panel("equation", _equation(facts)), _panel("numbers", _numbers(event))]
    right: list[RenderableType] = []
    if event.step is not None:
        x = event.step.input
        called = clean(display_name(x) or event.graph.ids[x], 40)
        right.append(_panel(f"accumulator of ∂L/∂{called}", _accumulator(event.step, facts)))
        if event.step.expected > 1:
            right.append(_panel("ledger so far", _ledger(event)))
    if stepper.displays:
        right.append(_panel("displayed", Text(printable("\n".join(stepper.displayed())))))
    title = f"[{event.index}] {event.phase}, event {stepper.position} of {len(stepper) - 1}"
    parts: list[RenderableType] = [Text.assemble((title, "bold"), (f"   {facts['node']}", "cyan"))]
    if time := _map(event, width):
        parts.append(time)
    over_time = [_panel("belt", _belt(stepper)), _panel("flow", _flow(stepper))] if _has_time(stepper) else []
    if over_time and width >= WIDEST:
        parts.append(_side_by_side(Group(*left), Group(*right), Group(*over_time)))
    elif right and width >= WIDE:
        parts.append(Columns([Group(*left), Group(*right)], width=width // 2 - 1, padding=(0, 1)))
    else:
        parts += [*left[:1], *right[:1], *left[1:], *right[1:]]
    if stepper.at_end:
        parts.append(Text("the walk is complete", style="bold green"))
    return Group(*parts)


def headline(stepper: Cursor, width: int) -> str:
    """Return where one is, and the equation there, in two lines of a width."""
    event = stepper.current
    place = f"[{event.index}] {event.phase}, {event.graph.ids[event.node]}, event {event.index} of {len(stepper) - 1}"
    return "\n".join(clean(line, width - 1) for line in (place, event.formula))


def _side_by_side(*groups: RenderableType) -> Table:
    table = Table.grid(expand=True, padding=(0, 1))
    for _ in groups:
        table.add_column(ratio=1)
    table.add_row(*groups)
    return table


def _panel(title: str, body: RenderableType) -> Panel:
    return Panel(body, title=Text(title, style="dim"), title_align="left", border_style="dim")


def _equation(facts: Mapping[str, str]) -> RenderableType:
    styles = {"computed": "dim" if "rule" in facts else "bold", "rule": "bold", "in numbers": ""}
    lines = [Text(clean(facts[label], LONGEST), style) for label, style in styles.items() if label in facts]
    if "summed" in facts:
        lines.append(Text(f"summed {facts['summed']}", "dim"))
    return Group(*lines)


def _numbers(event: Event) -> RenderableType:
    rows = [("value", event.value)]
    if event.upstream is not None:
        rows.append(("seed" if event.phase == "seed" else "upstream", event.upstream))
    letters = input_names(event.node, event.tape.symbols) if event.node.primitive else ()
    for slot, (letter, value) in enumerate(zip(letters, event.node.input_values, strict=True)):
        here = "→" if event.phase == "backward" and slot == event.slot else " "
        name = display_name(event.node.inputs[slot]) or letter
        known = clean(letter, 30) if name == letter else f"{clean(letter, 14)}, {clean(name, 24)}"
        rows.append((f"{here} {known}", value))
    return _grid((label, numbers(value)) for label, value in rows)


def _accumulator(step: Contribution, facts: Mapping[str, str]) -> RenderableType:
    full = round(BAR * step.arrived / step.expected)
    arrived = f" {step.arrived} of {step.expected} arrived"
    bar = Text.assemble(("█" * full, "green"), ("░" * (BAR - full), "dim"), arrived)
    return Group(_grid((label, facts[label]) for label in ("before", "+ contribution", "= after")), bar)


def _ledger(event: Event) -> RenderableType:
    """Return what has arrived, the latest last, as bars."""
    assert event.target is not None
    arrived = [event.tape[i] for i in event.tape.uses(event.target) if i <= event.index]
    shown = arrived[-ROWS:]
    norms = [magnitude(each.contribution) for each in shown]
    largest = max((norm for norm in norms if np.isfinite(norm)), default=0.0) or 1.0
    table = Table.grid(padding=(0, 1))
    for each, norm in zip(shown, norms, strict=True):
        full = round(BAR * norm / largest) if np.isfinite(norm) else BAR
        when = "" if each.time is None else f"t = {each.time}"
        style = "bold" if each is shown[-1] else ""
        table.add_row(Text(when, style), Text("█" * full, "cyan"), Text(short(norm), style), Text(each.operation))
    left_out = len(arrived) - len(shown)
    return Group(Text(f"… {left_out} before", style="dim"), table) if left_out else table


def _has_time(stepper: Cursor) -> bool:
    return len(stepper.events.timeline.steps) > 1


def _shown_rows(stepper: Cursor) -> list[FlowRow]:
    """Return the steps around the one that the walk is at; at none of them, the last."""
    rows = list(stepper.flow())
    here = next((i for i, row in enumerate(rows) if row.time == stepper.current.time), len(rows) - 1)
    first = min(max(0, here - ROWS // 2), max(0, len(rows) - ROWS))
    return rows[first : first + ROWS]


def _belt(stepper: Cursor) -> RenderableType:
    """Return what each step holds: how far each gate is open on average, and how large the state is, as a bar."""
    rows = _shown_rows(stepper)
    gates = [name for name, node in rows[-1].gates.items() if node.primitive and node.primitive.range[0] >= 0]
    state = next(iter(rows[-1].states), "")
    norms = [magnitude(row.states[state].value) if state in row.states else 0.0 for row in rows]
    largest = max((norm for norm in norms if np.isfinite(norm)), default=0.0) or 1.0
    table = Table.grid(padding=(0, 1))
    table.add_row(*(Text(word, "dim") for word in ("", "t", *gates, f"‖{clean(state, 12)}‖", "")))
    for row, norm in zip(rows, norms, strict=True):
        here = row.time == stepper.current.time
        means = (short(float(row.gates[name].value.mean())) if name in row.gates else "—" for name in gates)
        bar = "━" * (round(SHORT_BAR * norm / largest) if np.isfinite(norm) else SHORT_BAR)
        style = "bold" if here else ""
        table.add_row(
            "→" if here else " ",
            *(Text(word, style) for word in (printable(f"{row.time}".replace("-", "−")), *means)),
            Text(short(norm), style),
            Text(bar, "cyan"),
        )
    return table


def _flow(stepper: Cursor) -> RenderableType:
    """Return ‖∂L/∂state‖ of each step: those that have arrived; a dot for those that have not."""
    rows = _shown_rows(stepper)
    names = list(dict.fromkeys(name for row in rows for name in row.norms))
    table = Table.grid(padding=(0, 1))
    table.add_row(*(Text(word, "dim") for word in ("", "t", *(f"‖∂L/∂{clean(name, 8)}‖" for name in names))))
    for row in rows:
        here = row.time == stepper.current.time
        style = "bold" if here else ""
        norms = (
            short(row.norms[name]) if name in row.norms and row.complete.get(name, 0) <= stepper.position else "·"
            for name in names
        )
        time = f"{row.time}".replace("-", "−")
        table.add_row("→" if here else " ", *(Text(word, style) for word in (time, *norms)))
    return table


def _map(event: Event, width: int) -> Text | None:
    """Return a mark for each time step: how much of it the walk has passed, and where it is."""
    times = progress(event.tape, event.index)
    if len(times) < 2:
        return None
    steps = list(times)
    room = max((width - 12) // 5, 1)
    here = steps.index(event.time) if event.time in times else len(steps) - 1
    first = min(max(0, here - room // 2), max(0, len(steps) - room))
    marks = Text("time … " if first else "time ")
    for t in steps[first : first + room]:
        style = "reverse bold" if t == event.time else "" if times[t] < 1 else "green"
        marks.append(f"{t}{FILLS[round(times[t] * (len(FILLS) - 1))]}", style=style)
        marks.append("  ")
    if first + room < len(steps):
        marks.append("…")
    return marks


def progress(tape: Recording, index: int) -> dict[int, float]:
    """Return for each time step how much of its part in the present phase lies behind an event, from 0 to 1."""
    phase = range(tape.start) if index < tape.start else range(tape.start + 1, len(tape))
    times = {i: time for i in phase if (time := tape.nodes[i].time) is not None}
    total = Counter(times.values())
    passed = Counter(time for i, time in times.items() if i <= index)
    return {time: passed[time] / total[time] for time in sorted(total)}


def _grid(rows: Iterable[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="cyan", justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in rows:
        table.add_row(Text(label), Text(text, style="bold" if label == "= after" else ""))
    return table

"""A frame: the picture, beside it where the walk is and what it computes there, below it how far it has come."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterator, Sequence

from ...pages.theme import FADED, GRADIENT, INK, INNER_GROUP, MUTED, PAPER, STYLED, dark_style
from ...structure.words import clean, display_name
from ..place import unit
from ..recording.event import Event
from ..recording.tape import Tape
from .backdrop import GLOW, SIGNS, SMALLEST, Backdrop
from .shots import Shot

WIDTH, HEIGHT = 1280, 720
"""Pixels: a slide."""

PICTURE = (20, 70, 690, 572)
"""Left, top, width and height of the part with the picture."""

PANEL, PANEL_WIDTH = 742, 518
"""Where the words beside the picture begin, and how wide they may be."""

LETTERS, LINE, BETWEEN, ROOM = 50, 25, 10, 440
"""Of the equations: letters of a line at most; the height of a line, of what is between two, and of all, in pixels."""

FADE = 10
"""Strips in which the picture fades out, each of 4 pixels."""

LABELS, APART = 24, (1, 2, 5, 10, 20, 50)
"""Of the time steps below: how many are named at most, and how many apart."""

FONTS = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"


def frame(tape: Tape, backdrop: Backdrop, film: Sequence[Shot], number: int) -> str:
    """Return the SVG of one frame of a film, by its number from 0 on."""
    shot = film[number]
    left, top, width, height = PICTURE
    view, picture = backdrop.cut(shot.events)
    seen = " ".join(f"{side:.2f}" for side in view)
    output = clean(display_name(tape.graph.output) or tape.graph.ids[tape.graph.output], 40)
    body = "\n".join(
        [
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{PAPER}"/>',
            _text(left, 48, f"How the gradient of {output} flows back", 26, weight="bold"),
            _text(WIDTH - 20, 48, f"{number + 1} of {len(film)}", 20, MUTED, anchor="end"),
            f'<svg x="{left}" y="{top}" width="{width}" height="{height}" viewBox="{seen}">{picture}</svg>',
            *_fading(*backdrop.goes_on(view)),
            *_words(tape, shot),
            *_bar(film, shot),
        ]
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'class="{STYLED}" role="img" font-family="{FONTS}"><title>{html.escape(_place(tape, shot))}</title>'
        f"<style>{dark_style(body)}</style>\n{body}\n</svg>\n"
    )


def _fading(before: bool, after: bool) -> Iterator[str]:
    """Yield what lets the picture fade out at its sides, where neighbours are cut."""
    left, top, width, height = PICTURE
    for place in range(FADE):
        for x, goes_on in ((left + 4 * place, before), (left + width - 4 * (place + 1), after)):
            strip = f'<rect x="{x}" y="{top}" width="4" height="{height}"'
            if goes_on:
                yield f'{strip} fill="{PAPER}" opacity="{1 - place / FADE:.2f}"/>'


def _words(tape: Tape, shot: Shot) -> Iterator[str]:
    """Yield where the walk is, and the equations at work there."""
    first = tape[shot.events[0]]
    yield (
        f'<rect x="{PANEL - 14}" y="{PICTURE[1]}" width="{PANEL_WIDTH + 14}" height="{PICTURE[3]}" rx="10" '
        f'fill="{INNER_GROUP["fillcolor"]}"/>'
    )
    yield _text(PANEL, PICTURE[1] + 38, _place(tape, shot), 22, GRADIENT, weight="bold")
    y = PICTURE[1] + 66.0
    for line, colour in _equations(tape, shot):
        y += LINE if line else BETWEEN
        if line:
            yield _text(PANEL, y, line, 16, colour, family=SIGNS)
    assert first.step is not None
    bottom = PICTURE[1] + PICTURE[3] - 16
    yield f'<rect x="{PANEL}" y="{bottom - 13}" width="22" height="14" rx="4" fill="{GLOW}" stroke="{GRADIENT}"/>'
    yield _text(PANEL + 30, bottom, "at work; pale: not reached yet, or never", SMALLEST + 0.5, MUTED)


def _place(tape: Tape, shot: Shot) -> str:
    """Return the time step, and the gate or the operation."""
    event = tape[shot.events[0]]
    units = {unit(tape, tape.nodes[number], "gate") for number in shot.events}
    when = "" if shot.time is None else f"t = {shot.time}"
    if len(units) > 1:
        cells = {unit(tape, tape.nodes[number], "cell") for number in shot.events}
        scope = event.scope[0] if len(cells) == 1 and event.scope else "all of it"
        what = scope if when else "the loss"
    else:
        kind, _ = next(iter(units))
        gate = event.scope[-1].replace("_", " ") if kind == "call" and event.scope else ""
        what = gate or event.equation
    return clean(" · ".join(filter(None, (when, what))), 36)


def _equations(tape: Tape, shot: Shot) -> list[tuple[str, str]]:
    """Return lines with their colours, empty ones between equations: with numbers where they fit, else what matters."""
    events = [tape[number] for number in shot.events]
    written = [pair for event in events for pair in _lines(event, numbers=True)]
    if _height(written) <= ROOM:
        return written
    written = [pair for event in events for pair in _lines(event)]
    if _height(written) <= ROOM:
        return written
    inside = {event.node for event in events}
    leaving = [event for event in events if event.node.inputs[event.slot] not in inside]
    chosen: list[tuple[str, str]] = []
    for count, event in enumerate(leaving):
        lines = _lines(event)
        if _height(chosen + lines) > ROOM - LINE:
            left = len(leaving) - count
            return [*chosen, (f"… and {left} more", MUTED)]
        chosen += lines
    return chosen


def _height(lines: list[tuple[str, str]]) -> int:
    return sum(LINE if line else BETWEEN for line, _ in lines)


def _lines(event: Event, *, numbers: bool = False) -> list[tuple[str, str]]:
    formulas = [(event.rule, INK), (event.in_numbers if numbers else None, MUTED)]
    broken = [(formula.broken(width=LETTERS).split("\n"), colour) for formula, colour in formulas if formula]
    fit = broken[:1] + [each for each in broken[1:] if max(map(len, each[0])) <= LETTERS]  # no number is cut
    lines = [(clean(line, LETTERS), colour) for found, colour in fit for line in found]
    return [*(lines or [(clean(event.formula, LETTERS), INK)]), ("", INK)]


def _bar(film: Sequence[Shot], shot: Shot) -> Iterator[str]:
    """Yield a bar of all time steps, filled where the walk has been: from the right, as time goes back."""
    total = Counter(each.time for each in film for _ in each.events if each.time is not None)
    passed = Counter(each.time for each in film for n in each.events if n <= shot.events[-1])
    left, right, y = PICTURE[0], WIDTH - 20, 656
    wide = (right - left) / max(len(total), 1)
    apart = next(n for n in APART if len(total) <= n * LABELS)
    gap = 4 if apart == 1 else 0
    for place, t in enumerate(sorted(total)):
        x, now = left + place * wide, t == shot.time
        full = (wide - gap) * passed[t] / total[t]
        yield _rect(x, y, wide - gap - full, FADED)
        yield _rect(x + wide - gap - full, y, full, GRADIENT)
        at = min(max(x + wide / 2, left + 24), right - 36)
        if now:
            yield _text(at, y + 40, f"t = {t}", 18, GRADIENT, "middle", weight="bold")
        elif t % apart == 0 and (shot.time is None or abs(t - shot.time) * wide > 60):
            yield _text(at, y + 40, str(t), 18, MUTED, "middle")


def _rect(x: float, y: float, width: float, fill: str) -> str:
    return f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="14" fill="{fill}"/>' if width > 0.05 else ""


def _text(x: float, y: float, words: str, size: float, fill: str = INK, anchor: str = "start", **more: str) -> str:
    if any(letter > "\u2000" for letter in words):
        more.setdefault("family", SIGNS)
    other = "".join(f' font-{name}="{value}"' for name, value in more.items())
    look = f'font-size="{size:g}" fill="{fill}" text-anchor="{anchor}"{other}'
    return f'<text x="{x:.1f}" y="{y:.1f}" {look}>{html.escape(words)}</text>'

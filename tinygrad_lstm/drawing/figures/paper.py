"""A paper to draw on: rectangles, lines and words at places, as SVG that follows light and dark."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from itertools import takewhile

from ...pages.theme import FADED, INK, LEVELS, MUTED, PAPER, STYLED, dark_style
from ...structure.words import clean
from .. import labels

WIDTH, MARGIN = 830.0, 26.0
"""Pixels: how wide every figure is, as a README shows it, and the paper around what is drawn."""

SMALL, BODY, TITLE = 11.0, 13.0, 20.0
"""Sizes of words, in pixels; chosen: none is below 10 where a figure is shown at its width."""

_FONT_SIZE = re.compile(r'font-size="([\d.]+)"')

BOLDER = 1.12
"""How much wider bold words are; measured: DejaVu."""


class Paper:
    """What has been drawn so far, from the top down; ``bottom`` is where it ends.

    >>> paper = Paper("A square", "One square, grey.")
    >>> paper.rect(0, paper.bottom, 10, 10, MUTED)
    >>> paper.svg()[:5]
    '<?xml'
    """

    def __init__(self, title: str, sentence: str) -> None:
        self.title, self.sentence = title, sentence
        self.bottom = MARGIN
        self.smallest = math.inf  # of all words, in pixels
        self._parts: list[str] = []
        for words, size, bold in ((title, TITLE, True), (sentence, BODY + 1, False)):
            for line in wrapped(words, size, (WIDTH - 2 * MARGIN) / (BOLDER if bold else 1)):
                self.bottom += size
                self.text(MARGIN, self.bottom, line, size=size, ink=INK if bold else MUTED, bold=bold)
                self.bottom += 0.4 * size
            self.bottom += 3
        self.bottom += 5

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        size: float = BODY,
        ink: str = INK,
        anchor: str = "start",
        bold: bool = False,
        room: float | None = None,
        tilted: bool = False,
        halo: bool = False,
    ) -> None:
        """Write words on a line whose baseline is at y; where there is little room they are cut in the middle.

        ``tilted``, they lead up to the place from below; a ``halo`` of paper keeps lines away.
        """
        self.smallest = min(self.smallest, size)
        words = words if room is None else fitted(words, size, room / BOLDER if bold else room)
        how = f' text-anchor="{anchor}"' if anchor != "start" else ""
        how += ' font-weight="bold"' if bold else ""
        how += f' stroke="{PAPER}" stroke-width="3" paint-order="stroke"' if halo else ""
        how += f' transform="rotate(-40 {x:.1f} {y:.1f})"' if tilted else ""
        self._add(
            f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{ink}"{how}>{labels.escaped(words)}</text>'
        )
        if not tilted:
            self.bottom = max(self.bottom, y + 0.3 * size) if self._parts[1:] else self.bottom

    def rect(
        self, x: float, y: float, wide: float, high: float, fill: str, *, line: str = "", tip: str = "", round: int = 0
    ) -> None:
        """Draw a rectangle from its upper left corner; the tip is what it says when pointed at."""
        how = (f' stroke="{line}"' if line else "") + (f' rx="{round}"' if round else "")
        inside = f"><title>{labels.escaped(tip)}</title></rect>" if tip else "/>"
        self._add(f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.2f}" height="{high:.2f}" fill="{fill}"{how}{inside}')
        self.bottom = max(self.bottom, y + high)

    def line(
        self, points: Sequence[tuple[float, float]], ink: str = FADED, *, width: float = 1.0, dashes: str = ""
    ) -> None:
        """Join points by a line."""
        how = f' stroke-dasharray="{dashes}"' if dashes else ""
        joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._add(
            f'<polyline points="{joined}" fill="none" stroke="{ink}" stroke-width="{width:g}" '
            f'stroke-linejoin="round"{how}/>'
        )
        self.bottom = max([self.bottom, *(y for _, y in points)])

    def area(self, points: Sequence[tuple[float, float]], fill: str, *, tip: str = "", line: float = 0.6) -> None:
        """Fill what points go round, with a hairline of paper between it and its neighbours."""
        joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._add(
            f'<polygon points="{joined}" fill="{fill}" stroke="{PAPER}" stroke-width="{line:g}">'
            f"<title>{labels.escaped(tip)}</title></polygon>"
        )
        self.bottom = max([self.bottom, *(y for _, y in points)])

    def dot(self, x: float, y: float, fill: str, radius: float = 2.6, *, line: str = "", tip: str = "") -> None:
        """Draw a filled circle; the tip is what it says when pointed at."""
        how = f' stroke="{line}"' if line else ""
        inside = f"><title>{labels.escaped(tip)}</title></circle>" if tip else "/>"
        self._add(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{fill}"{how}{inside}')

    def place(self, x: float, y: float, scale: float, elements: str, high: float) -> None:
        """Put elements of an SVG, which are painted from their own origin, at a place, so many pixels high there."""
        self.smallest = min([self.smallest, *(scale * float(size) for size in _FONT_SIZE.findall(elements))])
        self._add(f'<g transform="translate({x:.1f} {y:.1f}) scale({scale:.4f})">{elements}</g>')
        self.bottom = max(self.bottom, y + high)

    def scale(
        self,
        x: float,
        y: float,
        ends: tuple[str, str],
        *,
        shades: Sequence[str] = LEVELS,
        ticks: Iterable[tuple[float, str]] = (),
        wide: float = 120.0,
    ) -> float:
        """Draw shades in a row with what the ends mean beside them, and ticks, in shares, below; return the width."""
        before = width_of(ends[0], SMALL) + 6 if ends[0] else 0.0
        swatch = wide / len(shades)
        if ends[0]:
            self.text(x, y + 9, ends[0], size=SMALL, ink=MUTED)
        for number, shade in enumerate(shades):
            self.rect(x + before + swatch * number, y, swatch + 0.2, 10, shade)  # or hairlines would show
        for place, words in ticks:
            self.line([(x + before + place * wide, y + 10), (x + before + place * wide, y + 14)], MUTED)
            self.text(x + before + place * wide, y + 25, words, size=SMALL, ink=MUTED, anchor="middle")
        self.text(x + before + wide + 6, y + 9, ends[1], size=SMALL, ink=MUTED)
        return before + wide + 6 + width_of(ends[1], SMALL)

    def _add(self, part: str) -> None:
        self._parts.append(part)

    @property
    def size(self) -> tuple[float, float]:
        """Return the width and the height, in pixels."""
        return WIDTH, round(self.bottom + MARGIN)

    def svg(self, *, scale: float = 1.0, canvas: tuple[float, float] | None = None, standalone: bool = True) -> str:
        """Return all of it as SVG text; not standalone, it is for a page that has the dark colours already.

        It is so many times as large, in the middle of a canvas of so many pixels, if there is one.
        """
        wide, high = canvas or (self.size[0] * scale, self.size[1] * scale)
        view = wide / scale, high / scale
        left, top = ((inner - outer) / 2 for inner, outer in zip(self.size, view, strict=True))
        sheet = f'<rect class="paper" x="{left:g}" y="{top:g}" width="100%" height="100%" fill="{PAPER}"/>'
        body = [sheet if canvas else sheet.replace(' x="0" y="0"', ""), *self._parts]
        declaration = '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n'
        return "\n".join(
            [
                f'{declaration if standalone else ""}<svg role="img" width="{wide:.0f}" height="{high:.0f}" '
                f'viewBox="{left:g} {top:g} {view[0]:g} {view[1]:g}" class="{STYLED}" '
                f'xmlns="http://www.w3.org/2000/svg" font-family="Helvetica,Arial,DejaVu Sans,sans-serif">',
                f"<title>{labels.escaped(self.title)}</title>",
                f"<desc>{labels.escaped(self.sentence, 2000)}</desc>",
                f"<style>{dark_style(''.join(body))}</style>" if standalone else "",
                *body,
                "</svg>\n",
            ]
        )


def width_of(words: str, size: float, bold: bool = False) -> float:
    """Return how much room words need at most, whichever font is there."""
    return labels.width(words, size) * (BOLDER if bold else 1)


def fitted(words: str, size: float, room: float) -> str:
    """Return words, cut in the middle until they fit.

    >>> fitted("forget gate", 13, 200), fitted("forget gate", 13, 50)
    ('forget gate', 'for…te')
    """
    words = clean(words, 300)
    if width_of(words, size) <= room:
        return words
    for kept in range(len(words) - 1, 0, -1):
        cut = f"{words[: (kept + 1) // 2]}…{words[len(words) - kept // 2 :]}"
        if width_of(cut, size) <= room:
            return cut
    return "…"


def told_apart(names: Sequence[str], size: float, room: float) -> list[str]:
    """Return names with dots in them, cut until they fit, so that they differ as the names do.

    What all have in common is left out first, at the end, then at the beginning; then each is cut in its middle, or
    at its beginning, and what is still the same is counted.

    >>> told_apart(["layer0_reverse.forget_gate.weight", "layer0_reverse.output_gate.weight"], 13, 160)
    ['…forget_gate', '…output_gate']
    """
    full = [clean(name, 300) for name in names]
    parts, shorter = [name.split(".") for name in full], full
    ends = _shared([each[::-1] for each in parts])
    if any(width_of(name, size) > room for name in full) and len(set(full)) > 1:
        parts = [each[: len(each) - ends] for each in parts]
        shorter = [".".join(each) for each in parts]
        if any(width_of(name, size) > room for name in shorter):
            begins = _shared(parts)
            shorter = [("…" if begins else "") + ".".join(each[begins:]) for each in parts]
    cut = [fitted(name, size, room) for name in shorter]
    if len(set(cut)) < len(set(full)):
        cut = [_end_of(name, size, room) for name in shorter]
    if len(set(cut)) < len(set(full)):
        numbers = {name: f"{number}  " for number, name in enumerate(dict.fromkeys(full), 1)}
        cut = [
            numbers[name] + _end_of(short, size, room - width_of(numbers[name], size))
            for name, short in zip(full, shorter, strict=True)
        ]
    return cut


def _shared(parts: Sequence[Sequence[str]]) -> int:
    """Return how many parts all begin with, of those that are not the last of any."""
    same = takewhile(lambda column: len(set(column)) == 1, zip(*(each[:-1] for each in parts), strict=False))
    return len(list(same))


def _end_of(words: str, size: float, room: float) -> str:
    """Return words, cut at their beginning until they fit."""
    while width_of(words, size) > room and len(words) > 1:
        words = "…" + words.removeprefix("…")[1:]
    return words


def wrapped(words: str, size: float, room: float) -> list[str]:
    """Return words on lines that fit.

    >>> wrapped("keeps seven tenths", 13, 100)
    ['keeps seven', 'tenths']
    """
    lines: list[str] = []
    for word in clean(words, 1000).split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width_of(longer, size) <= room:
            lines[-1] = longer
        else:
            lines.append(fitted(word, size, room))
    return lines

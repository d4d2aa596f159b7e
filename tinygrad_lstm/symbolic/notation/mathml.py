"""MathML Core, as browsers set it: ``<msub><mi>W</mi><mi>f</mi></msub>``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np

from ...structure.words import shown

PLACE = "data-of="
"""Of a place for numbers: the attribute that says whose."""


class MathML:
    """The same pieces in MathML Core, as browsers set it; whatever comes from a user is escaped."""

    groups = True

    def name(self, text: str, below: str = "", time: str = "", above: str = "") -> str:
        base, lower = f"<mi>{escape(text)}</mi>", [self._lower(part) for part in (below, time) if part]
        under = lower[0] if len(lower) == 1 else f"<mrow>{'<mo>,</mo>'.join(lower)}</mrow>" if lower else ""
        over = f"<mtext>{escape(above)}</mtext>" if above else ""
        if under and over:
            return f"<msubsup>{base}{under}{over}</msubsup>"
        return f"<msub>{base}{under}</msub>" if under else f"<msup>{base}{over}</msup>" if over else base

    def _lower(self, part: str) -> str:
        if found := re.fullmatch(r"t([+−])(\d+)", part):
            return f"<mrow><mi>t</mi><mo>{found[1]}</mo><mn>{found[2]}</mn></mrow>"
        return f"<mn>{escape(part)}</mn>" if part.strip("-−").isdigit() else f"<mi>{escape(part)}</mi>"

    def gradient(self, piece: str) -> str:
        return f"<mfrac><mrow><mo>∂</mo><mi>L</mi></mrow><mrow><mo>∂</mo>{piece}</mrow></mfrac>"

    def number(self, value: float) -> str:
        return f"<mn>{shown(value)}</mn>"

    def numbers(self, array: Any) -> str:
        rows = np.atleast_2d(array)
        rows = rows.reshape(-1, rows.shape[-1]) if rows.size else np.empty((0, 0))
        entries = ("".join(f"<mtd>{self.number(float(value))}</mtd>" for value in row) for row in rows)
        return self.between("[", f"<mtable>{''.join(f'<mtr>{row}</mtr>' for row in entries)}</mtable>", "]")

    def hole(self, of: str, *, bracketed: bool) -> str:
        return ""

    def words(self, text: str) -> str:
        return f"<mtext>{escape(text)}</mtext>"

    def row(self, *pieces: str) -> str:
        return f"<mrow>{''.join(pieces)}</mrow>"

    def sign(self, symbol: str, *, leading: bool = False) -> str:
        form = " form='infix'" if leading else ""  # else what begins a row would be taken for a prefix
        return f"<mo{form}>{escape(symbol)}</mo>"

    def prefix(self, symbol: str, piece: str) -> str:
        return f"<mrow><mo form='prefix'>{escape(symbol)}</mo>{piece}</mrow>"

    def called(self, function: str, arguments: list[str], exponent: str = "") -> str:
        word = f"<mi>{escape(function)}</mi>"
        word = f"<msup>{word}<mn>{exponent}</mn></msup>" if exponent else word
        return f"<mrow>{word}{self.between('(', self.listed(arguments), ')')}</mrow>"

    def between(self, opening: str, piece: str, closing: str) -> str:
        return f"<mrow><mo>{opening}</mo>{piece}<mo>{closing}</mo></mrow>"

    def listed(self, pieces: list[str], separator: str = ",") -> str:
        return f"<mo>{separator}</mo>".join(pieces)

    def side_by_side(self, first: str, second: str) -> str:
        return f"<mrow>{first}<mspace width='0.17em'/>{second}</mrow>"

    def over(self, symbol: str, index: str, piece: str, *, bracketed: bool) -> str:
        large = f"<mo>{escape(symbol)}</mo>" if len(symbol) == 1 else f"<mi>{escape(symbol)}</mi>"
        below = index.replace("-", "−")
        large = f"<msub>{large}<mn>{escape(below)}</mn></msub>" if below else large
        return f"<mrow>{large}{self.between('(', piece, ')') if bracketed else piece}</mrow>"

    def power(self, base: str, exponent: str) -> str:
        above = exponent if exponent.startswith("<") else f"<mi>{exponent.replace('-', '−')}</mi>"
        return f"<msup>{base}{above}</msup>"

    def transposed(self, base: str) -> str:
        return f"<msup>{base}<mi>T</mi></msup>"

    def fraction(self, above: str, below: str) -> str:
        return f"<mfrac>{above}{below}</mfrac>"

    def root(self, piece: str) -> str:
        return f"<msqrt>{piece}</msqrt>"

    def lines(self, left: str, rows: list[str]) -> str:
        first, *others = (f"<mtd style='text-align: left'>{row}</mtd>" for row in rows)
        below = "".join(f"<mtr><mtd></mtd>{row}</mtr>" for row in others)
        return (
            f"<mtable displaystyle='true'><mtr><mtd style='text-align: right'>{left}</mtd>{first}</mtr>{below}</mtable>"
        )


class ToFill(MathML):
    """MathML in which the numbers of tensors are left out, each place with the name of what stands there."""

    def hole(self, of: str, *, bracketed: bool) -> str:
        brackets = " data-bracketed=''" if bracketed else ""
        return f"<mrow {PLACE}'{of}'{brackets}></mrow>"


class Linked(MathML):
    """MathML in which a name says of which node it is the value, ``data-node``, or the gradient, ``data-gradient``.

    ``values`` and ``gradients`` hold the numbers of nodes by what a name consists of: letter, index, time, exponent.
    """

    def __init__(self, values: Mapping[tuple[str, ...], int], gradients: Mapping[tuple[str, ...], int]) -> None:
        self.values, self.gradients = values, gradients

    def name(self, text: str, below: str = "", time: str = "", above: str = "") -> str:
        parts, written = (text, below, time, above), super().name(text, below, time, above)
        if parts in self.gradients:
            return f"<mrow data-gradient='{self.gradients[parts]}'>{written}</mrow>"
        return f"<mrow data-node='{self.values[parts]}'>{written}</mrow>" if parts in self.values else written

    def gradient(self, piece: str) -> str:
        """Return a fraction that is the gradient of a name below it, if that is all that stands there."""
        found = re.match(r"<mrow data-node='(\d+)'>", piece)
        written = super().gradient(piece.replace("data-node", "data-below", 1) if found else piece)
        return written.replace("<mfrac>", f"<mfrac data-gradient='{found[1]}'>", 1) if found else written

"""Notations: how the pieces of a formula are put together, as a line of plain text or as MathML."""

from __future__ import annotations

import re
from html import escape
from typing import Any

import numpy as np

from ..structure.words import SUBSCRIPT_DIGITS, in_full, shown, subscript, superscript

_FROM_SUBSCRIPTS = str.maketrans(SUBSCRIPT_DIGITS, "0123456789−")
_INDEXED = re.compile(rf"(.+?)([{SUBSCRIPT_DIGITS}]+)(′*)", re.DOTALL)


class Plain:
    """One line of plain text: ``∂L/∂y ⊙ (1 − y²)``. Each method takes pieces that it wrote, and returns a larger one.

    ``groups`` tells whether a fraction or a root shows by itself what belongs to it.
    """

    groups = False

    def name(self, text: str) -> str:
        return text

    def number(self, value: float) -> str:
        return shown(value)

    def numbers(self, array: Any) -> str:
        return in_full(array)

    def words(self, text: str) -> str:
        return text

    def row(self, *pieces: str) -> str:
        return "".join(pieces)

    def sign(self, symbol: str) -> str:
        return f" {symbol} "

    def prefix(self, symbol: str, piece: str) -> str:
        return f"{symbol}{piece}"

    def between(self, opening: str, piece: str, closing: str) -> str:
        return f"{opening}{piece}{closing}"

    def listed(self, pieces: list[str]) -> str:
        return ", ".join(pieces)

    def indexed(self, symbol: str, index: str) -> str:
        return symbol + subscript(index)

    def power(self, base: str, exponent: str) -> str:
        if re.fullmatch(r"-?\d+", exponent):
            return base + superscript(exponent)
        return f"{base}^{exponent}"

    def transposed(self, base: str) -> str:
        return f"{base}ᵀ"

    def fraction(self, above: str, below: str) -> str:
        return f"{above} / {below}"

    def root(self, piece: str) -> str:
        return f"√{piece}"


class MathML:
    """The same pieces in MathML Core, as browsers set it; whatever comes from a user is escaped."""

    groups = True

    def name(self, text: str) -> str:
        above, over, below = text.partition("/∂")
        if over and above.startswith("∂"):
            parts = (f"<mrow><mo>∂</mo>{self.name(part)}</mrow>" for part in (above[1:], below))
            return self.fraction(*parts)
        if found := _INDEXED.fullmatch(text):
            index = found[2].translate(_FROM_SUBSCRIPTS)
            return f"<msub><mi>{escape(found[1] + found[3])}</mi><mn>{index}</mn></msub>"
        return f"<mi>{escape(text)}</mi>"

    def number(self, value: float) -> str:
        return f"<mn>{shown(value)}</mn>"

    def numbers(self, array: Any) -> str:
        rows = np.asarray(array)
        rows = rows.reshape(-1, rows.shape[-1] if rows.ndim else 1)
        cells = ("".join(f"<mtd>{self.number(float(value))}</mtd>" for value in row) for row in rows)
        return self.between("[", f"<mtable>{''.join(f'<mtr>{row}</mtr>' for row in cells)}</mtable>", "]")

    def words(self, text: str) -> str:
        return f"<mtext>{escape(text)}</mtext>"

    def row(self, *pieces: str) -> str:
        return f"<mrow>{''.join(pieces)}</mrow>"

    def sign(self, symbol: str) -> str:
        return f"<mo>{escape(symbol)}</mo>"

    def prefix(self, symbol: str, piece: str) -> str:
        word = f"<mi>{escape(symbol)}</mi>" if symbol.isidentifier() else f"<mo form='prefix'>{escape(symbol)}</mo>"
        return f"<mrow>{word}{piece}</mrow>"

    def between(self, opening: str, piece: str, closing: str) -> str:
        return (
            f"<mrow><mo form='prefix' stretchy='true'>{opening}</mo>{piece}"
            f"<mo form='postfix' stretchy='true'>{closing}</mo></mrow>"
        )

    def listed(self, pieces: list[str]) -> str:
        return "<mo>,</mo>".join(pieces)

    def indexed(self, symbol: str, index: str) -> str:
        return f"<msub><mo>{escape(symbol)}</mo><mn>{escape(index)}</mn></msub>" if index else self.sign(symbol)

    def power(self, base: str, exponent: str) -> str:
        above = exponent if exponent.startswith("<") else f"<mi>{exponent.replace('-', '−')}</mi>"
        return f"<msup>{base}{above}</msup>"

    def transposed(self, base: str) -> str:
        return f"<msup>{base}<mi>T</mi></msup>"

    def fraction(self, above: str, below: str) -> str:
        return f"<mfrac>{above}{below}</mfrac>"

    def root(self, piece: str) -> str:
        return f"<msqrt>{piece}</msqrt>"


Notation = Plain | MathML

PLAIN, MATHML = Plain(), MathML()

"""Plain text: ``∂L/∂W_f += [h₀, x₁]ᵀ δ_f₁``."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from ...structure.words import in_full, shown, subscript, superscript

_INTEGER = re.compile(r"[-−]?\d+")
_LONGEST_INDENT = 14


class Plain:
    """Lines of plain text. Each method takes pieces that it wrote, and returns a larger one.

    ``groups`` tells whether a fraction, a root or a power shows by itself what belongs to it. Matrices that are
    multiplied stand side by side.
    """

    groups = False

    def name(self, text: str, below: str = "", time: str = "", above: str = "") -> str:
        base = text + superscript(above).translate(_PARENTHESES)
        if _INTEGER.fullmatch(time):
            return base + (f"_{below}" if below else "") + subscript(time.replace("−", "-"))
        lower = ",".join(filter(None, (below, time)))
        braced = "," in lower or (time and len(time) > 1)
        return base + (f"_{{{lower}}}" if braced else f"_{lower}" if lower else "")

    def gradient(self, piece: str) -> str:
        return f"∂L/∂{piece}"

    def number(self, value: float) -> str:
        return shown(value)

    def numbers(self, array: Any) -> str:
        return in_full(array)

    def hole(self, of: str, *, bracketed: bool) -> str:
        """Return a place for numbers to be filled in, empty for none; negative ones in brackets, or not."""
        return ""

    def words(self, text: str) -> str:
        return text

    def row(self, *pieces: str) -> str:
        return "".join(pieces)

    def sign(self, symbol: str, *, leading: bool = False) -> str:
        return f" {symbol} "

    def prefix(self, symbol: str, piece: str) -> str:
        return f"{symbol}{piece}"

    def called(self, function: str, arguments: list[str], exponent: str = "") -> str:
        return f"{function}{superscript(exponent)}({', '.join(arguments)})"

    def between(self, opening: str, piece: str, closing: str) -> str:
        return f"{opening}{piece}{closing}"

    def listed(self, pieces: list[str], separator: str = ",") -> str:
        return f"{separator} ".join(pieces)

    def side_by_side(self, first: str, second: str) -> str:
        return f"{first} {second}"

    def over(self, symbol: str, index: str, piece: str, *, bracketed: bool) -> str:
        below = subscript(index) if re.fullmatch(r"[-\d, ]*", index) else f"_{index}"
        return f"{symbol}{below}({piece})" if bracketed else f"{symbol}{below} {piece}"

    def power(self, base: str, exponent: str) -> str:
        return base + superscript(exponent) if re.fullmatch(r"-?\d+", exponent) else f"{base}^{exponent}"

    def transposed(self, base: str) -> str:
        return f"{base}ᵀ"

    def fraction(self, above: str, below: str) -> str:
        return f"{above} / {below}"

    def root(self, piece: str) -> str:
        return f"√{piece}"

    def lines(self, left: str, rows: list[str]) -> str:
        """Return an equation in several lines, each of which begins with a sign."""
        indent = " " * min(len(left) + 1, _LONGEST_INDENT)
        return "\n".join([f"{left} {rows[0].strip()}", *(f"{indent}{row.strip()}" for row in rows[1:])])


class Steady(Plain):
    """Plain text in which every step and every number is as wide as any other, to measure by: all steps break alike."""

    def name(self, text: str, below: str = "", time: str = "", above: str = "") -> str:
        return super().name(text, below, "0" if _INTEGER.fullmatch(time) else time, above)

    def number(self, value: float) -> str:
        return "0.1234"

    def numbers(self, array: Any) -> str:
        return f"[{', '.join('0.1234' for _ in np.ravel(array))}]"

    def over(self, symbol: str, index: str, piece: str, *, bracketed: bool) -> str:
        return super().over(symbol, "0" if index else "", piece, bracketed=bracketed)


_PARENTHESES = str.maketrans("()", "⁽⁾")

r"""LaTeX, as it stands between dollars: ``\frac{\partial L}{\partial W_{f}}``; it needs amsmath."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from ...structure.words import printable, shown

_SPECIAL = {
    "\\": r"\backslash ", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "^": r"\hat{}", "~": r"\sim ", " ": r"\ ", "\n": r"\ ", "[": "{[}", "]": "{]}",
}  # fmt: skip
"""What means something to TeX in a formula, and how it is then shown."""

_GREEK = dict(
    item.split(":")
    for item in """
    α:alpha β:beta γ:gamma δ:delta ε:epsilon ζ:zeta η:eta θ:theta ι:iota κ:kappa λ:lambda μ:mu ν:nu ξ:xi π:pi ρ:rho
    σ:sigma τ:tau υ:upsilon φ:phi χ:chi ψ:psi ω:omega Γ:Gamma Δ:Delta Θ:Theta Λ:Lambda Ξ:Xi Π:Pi Σ:Sigma Υ:Upsilon
    Φ:Phi Ψ:Psi Ω:Omega""".split()  # noqa: SIM905
)
_SIGNS = {
    "⊙": r"\odot", "·": r"\cdot", "−": "-", "@": "", "×": r"\times", "∂": r"\partial", "…": r"\dots",
    "+=": r"\mathrel{+}=",
}  # fmt: skip


class LaTeX:
    """The same pieces in LaTeX; whatever comes from a user is escaped."""

    groups = True

    def name(self, text: str, below: str = "", time: str = "", above: str = "") -> str:
        lower = ",".join(self._lower(part) for part in (below, time) if part)
        return self._word(text) + (f"^{{{_escaped(above)}}}" if above else "") + (f"_{{{lower}}}" if lower else "")

    def _lower(self, part: str) -> str:
        return part.replace("−", "-") if re.fullmatch(r"[\dt+−-]+|[a-zA-Z]{2}", part) else self._word(part)

    def _word(self, text: str) -> str:
        """Return a single letter as a variable, and more of them upright."""
        base = text.rstrip("′")
        primes = "'" * (len(text) - len(base))
        if base in _GREEK:
            return f"\\{_GREEK[base]}{primes}"
        if len(base) == 1 and base.isascii() and base.isalpha():
            return base + primes
        return f"\\mathrm{{{_escaped(base)}}}{primes}"

    def gradient(self, piece: str) -> str:
        return f"\\frac{{\\partial L}}{{\\partial {piece}}}"

    def number(self, value: float) -> str:
        mantissa, _, exponent = shown(value).replace("−", "-").partition("e")
        if mantissa.strip("-") in ("inf", "nan"):
            return mantissa.replace("inf", r"\infty").replace("nan", r"\mathrm{nan}")
        return f"{mantissa} \\cdot 10^{{{int(exponent)}}}" if exponent else mantissa

    def numbers(self, array: Any) -> str:
        rows = np.atleast_2d(array)
        rows = rows.reshape(-1, rows.shape[-1]) if rows.size else np.empty((0, 0))
        body = r" \\ ".join(" & ".join(self.number(float(value)) for value in row) for row in rows)
        return f"\\begin{{bmatrix}} {body} \\end{{bmatrix}}"

    def hole(self, of: str, *, bracketed: bool) -> str:
        return ""

    def words(self, text: str) -> str:
        return f"\\mathrm{{{_escaped(text)}}}"

    def row(self, *pieces: str) -> str:
        return " ".join(filter(None, pieces))

    def sign(self, symbol: str, *, leading: bool = False) -> str:
        return _SIGNS.get(symbol) or (symbol if symbol in ("+", "-", "=", "<", ">") else _operation(symbol))

    def prefix(self, symbol: str, piece: str) -> str:
        return f"{self.sign(symbol)} {piece}"

    def called(self, function: str, arguments: list[str], exponent: str = "") -> str:
        above = f"^{{{exponent}}}" if exponent else ""
        return f"{self._function(function)}{above}{self.between('(', self.listed(arguments), ')')}"

    def _function(self, function: str) -> str:
        return self._word(function) if len(function) == 1 else f"\\operatorname{{{_escaped(function)}}}"

    def between(self, opening: str, piece: str, closing: str) -> str:
        return f"\\left{opening} {piece} \\right{closing}"

    def listed(self, pieces: list[str], separator: str = ",") -> str:
        return f"{separator} ".join(pieces)

    def side_by_side(self, first: str, second: str) -> str:
        return f"{first} \\, {second}"

    def over(self, symbol: str, index: str, piece: str, *, bracketed: bool) -> str:
        large = r"\sum" if symbol == "Σ" else self._function(symbol)
        below = f"_{{{_escaped(index)}}}" if index else ""
        return f"{large}{below} {self.between('(', piece, ')') if bracketed else piece}"

    def power(self, base: str, exponent: str) -> str:
        return f"{{{base}}}^{{{exponent}}}"

    def transposed(self, base: str) -> str:
        return f"{{{base}}}^{{\\top}}"

    def fraction(self, above: str, below: str) -> str:
        return f"\\frac{{{above}}}{{{below}}}"

    def root(self, piece: str) -> str:
        return f"\\sqrt{{{piece}}}"

    def lines(self, left: str, rows: list[str]) -> str:
        return r"\begin{aligned} " + f"{left} &" + r" \\ &\quad ".join(rows) + r" \end{aligned}"


def _operation(symbol: str) -> str:
    """Return the sign of somebody's own operation."""
    return f"\\mathbin{{\\mathrm{{{_escaped(symbol)}}}}}"


def _escaped(text: str) -> str:
    return "".join(_SPECIAL.get(letter) or _in_mathematics(letter) for letter in printable(text))


def _in_mathematics(letter: str) -> str:
    sign = _SIGNS.get(letter)
    return f"\\{_GREEK[letter]} " if letter in _GREEK else f"{sign} " if sign else letter

"""The page of a derivation: its equations, what stands for what, and the reasons, as text, LaTeX and HTML."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from ...structure.words import clean, span
from ..expressions import Expression
from ..formulas import WIDTH, Formula
from ..notation import LATEX, MATHML
from ..written import latex, mathml, text

WIDEST = 56
"""Characters of an equation beside its reason; chosen: with its place it fits on a line of 100."""


@dataclass(frozen=True)
class Reason:
    """An operation that a line goes back through: its equation, its name, and where in the network it is."""

    equation: Formula | Expression
    operation: str
    place: str


@dataclass(frozen=True)
class Equality:
    """One equation of a derivation, and what stands behind it.

    ``meaning`` says what a δ is, ``steps`` at which time steps the equation holds, ``absent`` at which of them the
    terms of another step are 0, since there is no such step; ``also`` is what is added at single steps.
    """

    equation: Formula
    meaning: Formula | None
    steps: list[int]
    absent: dict[str, list[int]]
    also: tuple[Formula, ...]
    reasons: tuple[Reason, ...]

    @property
    def words(self) -> str:
        """Return at which steps it holds, in words."""
        parts = [span(self.steps)] if self.steps else []
        parts += [f"the terms of {moment} are 0 at {span(steps)}" for moment, steps in self.absent.items()]
        return "; ".join(parts)


@dataclass(frozen=True)
class Sheet:
    """All that is written: a title, what names stand for, and lines."""

    title: str
    lines: tuple[Equality, ...]
    definitions: tuple[tuple[Formula | Expression, str], ...]


def as_text(sheet: Sheet) -> str:
    """Return it as plain text."""
    rows = [sheet.title]
    for number, line in enumerate(sheet.lines, 1):
        mark = f"({number})"
        rows += ["", *_indented(f"{mark:<5}", line.equation)]
        for each in line.also:
            rows += _indented("     ", each)
        meant = f"{line.meaning}, " if line.meaning else ""
        if meant or line.words:
            rows.append(f"     {meant}{line.words}".rstrip(", "))
        rows += [f"       {row}" for row in _reasons(line.reasons)]
    rows += [""] if sheet.definitions else []
    rows += [f"{each}{':' if words else ''} {words}".rstrip() for each, words in sheet.definitions]
    return "\n".join(rows)


def _indented(mark: str, equation: Formula) -> list[str]:
    first, *others = equation.broken(width=WIDTH).splitlines()
    return [mark + first, *(" " * len(mark) + row for row in others)]


def _reasons(reasons: tuple[Reason, ...]) -> list[str]:
    rows = [(clean(str(each.equation), WIDEST), each.operation, each.place) for each in reasons]
    first, second = (max((len(row[i]) for row in rows), default=0) for i in (0, 1))
    return [f"{equation:<{first}}  {operation:<{second}}  {place}".rstrip() for equation, operation, place in rows]


def as_latex(sheet: Sheet) -> str:
    """Return the equations in LaTeX, for between dollars."""
    rows = []
    for line in sheet.lines:
        words = f" \\qquad {LATEX.words(line.words)}" if line.words else ""
        rows += [line.equation.broken(LATEX) + words, *(each.broken(LATEX) for each in line.also)]
    rows += [f"{_shown(each, 'latex')} \\qquad {LATEX.words(words)}" for each, words in sheet.definitions]
    return r"\begin{gathered} " + r" \\ ".join(rows) + r" \end{gathered}"


def as_html(sheet: Sheet) -> str:
    """Return it as HTML, with formulas in MathML."""
    parts = [f"<p>{escape(sheet.title)}</p><ol>"]
    for line in sheet.lines:
        parts.append(f"<li>{_math(line.equation.broken(MATHML))}")
        parts += [_math(each.broken(MATHML)) for each in line.also]
        meant = _math(line.meaning.mathml, "inline") + ", " if line.meaning else ""
        if meant or line.words:
            parts.append(f"<p>{meant}{escape(line.words)}</p>")
        rows = (
            f"<tr><td>{_math(_shown(each.equation, 'mathml'), 'inline')}</td><td>{escape(each.operation)}</td>"
            f"<td>{escape(each.place)}</td></tr>"
            for each in line.reasons
        )
        parts.append(f"<details><summary>because</summary><table>{''.join(rows)}</table></details></li>")
    parts.append("</ol>")
    parts += [f"<p>{_math(_shown(each, 'mathml'), 'inline')} {escape(words)}</p>" for each, words in sheet.definitions]
    return "".join(parts)


def _math(written: str, display: str = "block") -> str:
    reached = " tabindex='0'" if display == "block" else ""  # a wide one scrolls, also by keys
    return f"<math display='{display}'{reached}>{written}</math>"


def _shown(each: Formula | Expression, language: str) -> str:
    if isinstance(each, Formula):
        return each.latex if language == "latex" else each.mathml
    return latex(each) if language == "latex" else mathml(each)


def parts_of(name: Expression, rows: slice) -> str:
    """Say which rows of a matrix those with a name of their own are."""
    return f"rows {rows.start} to {rows.stop - 1} of {text(name)}"

"""Notations: how the pieces of a formula are put together in a language; one printer for each."""

from .latex import LaTeX
from .mathml import MathML, ToFill
from .plain import Plain

Notation = Plain | LaTeX | MathML

PLAIN, LATEX, MATHML, TO_FILL = Plain(), LaTeX(), MathML(), ToFill()

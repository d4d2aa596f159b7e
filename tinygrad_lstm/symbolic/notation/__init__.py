"""Notations: how the pieces of a formula are put together in a language; one printer for each."""

from .latex import LaTeX
from .mathml import MathML
from .plain import Plain

Notation = Plain | LaTeX | MathML

PLAIN, LATEX, MATHML = Plain(), LaTeX(), MathML()

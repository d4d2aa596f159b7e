"""Notations: how the pieces of a formula are put together in a language; one printer for each."""

from .latex import LaTeX
from .mathml import Linked as Linked
from .mathml import MathML, ToFill
from .plain import Plain, Steady

Notation = Plain | LaTeX | MathML

PLAIN, STEADY, LATEX, MATHML, TO_FILL = Plain(), Steady(), LaTeX(), MathML(), ToFill()

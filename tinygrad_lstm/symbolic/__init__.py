"""The third reading of a rule: the same line that computes a gradient writes itself down as a formula."""

from .algebra import to_sympy as to_sympy
from .derivations import derive as derive
from .formulas import equation as equation
from .formulas import formula as formula
from .formulas import forward as forward
from .formulas import input_formulas as input_formulas
from .symbols import Symbols as Symbols
from .tracer import UnknownToReader as UnknownToReader

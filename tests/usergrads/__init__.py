"""Gradients as users write them, wrong ones and right ones, and what the checks say of each.

``python -m tests.usergrads`` prints the score. The lists were written without sight of the judge; of its first run on
them, before anything was mended (check_vjp at one seed, the inputs that stand in the lists):

    wrong    376    caught 339    missed 33    undecided 4
    right    190    passed 178    accused 4    undecided 8
    median of a check 10 ms

Undecided is what a check refuses or cannot tell, and a keyword (``rtol``) that it does not have yet.
"""

from . import arrays, habits, kinks, layers, numerics, pointwise, sequences  # noqa: F401  (they add to the lists)
from .case import RIGHT, WRONG

__all__ = ["RIGHT", "WRONG"]

"""Proving gradients, yours and ours: complex steps, with tolerances derived from rounding."""

from .checks import VJPReport as VJPReport
from .checks import check_vjp as check_vjp
from .errors import GradientError as GradientError
from .errors import NothingCheckedError as NothingCheckedError

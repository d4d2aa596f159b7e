"""Derivations: the whole derivative of a loss, with time rolled up into one t."""

from .derivation import Derivation as Derivation
from .derivation import derive as derive

"""What leaves the package and comes back: models as files, one format each, written whole."""

from .saved import load, save

__all__ = ["load", "save"]

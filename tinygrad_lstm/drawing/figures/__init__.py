"""Figures that no graph layout can paint: maps, ribbons and curves, each made from the graph that ran."""

from .figure import Figure as Figure
from .figure import NoFigure as NoFigure
from .registry import FIGURES as FIGURES

"""Pictures of the graph that ran, and of nothing else."""

from ..structure.path import Path as Path
from ..structure.path import path as path
from .entry import draw as draw
from .figures.compare import compare as compare
from .figures.difference import difference as difference
from .figures.figure import Figure as Figure
from .figures.registry import FIGURES as FIGURES
from .figures.sweep import sweep as sweep
from .picture import Picture as Picture
from .views.registry import VIEWS as VIEWS

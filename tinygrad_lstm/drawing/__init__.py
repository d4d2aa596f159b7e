"""Pictures of the graph that ran, and of nothing else."""

from ..structure.path import Path as Path
from ..structure.path import path as path
from .entry import draw as draw
from .picture import Picture as Picture
from .views.registry import VIEWS as VIEWS

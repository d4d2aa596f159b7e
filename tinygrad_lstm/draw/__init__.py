"""Pictures of the graph that ran, and of nothing else."""

from .path import Path as Path
from .path import path as path
from .picture import Picture as Picture
from .views import VIEWS as VIEWS
from .views import draw as draw

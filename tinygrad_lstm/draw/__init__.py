"""Pictures of the graph that ran, and of nothing else."""

from .picture import Picture as Picture
from .views import VIEWS as VIEWS
from .views import draw as draw

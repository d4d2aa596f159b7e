"""The main job: from a sentence to a picture, a walk and a proof, all linked from one page that works offline."""

from .findings import Tour as Tour
from .guide import TourError as TourError
from .guide import run as run

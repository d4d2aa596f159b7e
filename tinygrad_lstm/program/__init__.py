"""A network as a program: rolled up in time, with its backward pass, as plain numpy."""

from .compiled import Compiled as Compiled
from .compiled import compile as compile
from .recording import NotExpressible as NotExpressible
from .source import source as source
from .writing import Source as Source

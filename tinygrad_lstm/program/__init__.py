"""A network as a program: rolled up in time, with its backward pass, as plain numpy."""

from .source import Source as Source
from .source import source as source

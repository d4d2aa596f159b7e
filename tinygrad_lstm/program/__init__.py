"""A network as a program: rolled up in time, with its backward pass, as plain numpy."""

from .compiled import Compiled as Compiled
from .compiled import compile as compile
from .entry import source as source
from .recording import NotExpressible as NotExpressible
from .source_code import SourceCode as SourceCode

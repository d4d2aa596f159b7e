"""Values, graphs and derivatives. Needs numpy, and nothing from the floors above.

All of our operations are registered as soon as any part of it is imported.
"""

from . import backprop as backprop
from . import functions as functions
from . import graph as graph
from . import ops as ops

"""Walking through backpropagation one contribution at a time, forwards and backwards."""

from .cursor import Stepper as Stepper
from .cursor import step as step
from .recording.event import Event as Event

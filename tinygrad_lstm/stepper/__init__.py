"""Walking through backpropagation one contribution at a time, forwards and backwards."""

from .recording.event import Event as Event
from .stepper import Stepper as Stepper
from .stepper import step as step

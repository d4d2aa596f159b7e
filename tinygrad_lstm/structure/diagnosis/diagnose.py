"""Diagnose a loss: every look at it, one after the other, and what they found in lines and in a table."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite
from typing import Any

from ...engine.errors import short
from ...engine.graph import Graph
from ...engine.scope import MODULES
from ...engine.tensor import Tensor
from ..tables import html_table
from ..words import clean, printable
from .activations import dead, saturated
from .numbers import faults, over_time, too_far
from .reading import Examined, Symptom
from .wiring import broadcast, detached, unused

LOOKS = (faults, broadcast, detached, unused, saturated, dead, over_time)
"""What is looked for, in the order in which one would mend it."""

LONG = 400
"""Letters of a line; chosen: a sentence fits, a name of a megabyte does not."""


class Diagnosis(tuple[Symptom, ...]):
    """What was found, a symptom each, and what was looked at; empty for a healthy network. Prints as lines."""

    seen: str = ""
    """What was looked at: how many operations, steps, activations."""

    def __repr__(self) -> str:
        return printable("\n".join(clean(each, LONG) for each in self) or f"nothing found: {self.seen}")

    __str__ = __repr__

    def _repr_html_(self) -> str:
        """Return the same as a table of HTML, for notebooks."""
        if not self:
            return html_table([[repr(self)]], longest=LONG)
        rows = [(each.kind, each.where, each.text) for each in self]
        return html_table(rows, head=("what", "where", "why"), caption=self.seen, longest=LONG)


def diagnose(loss: Tensor, parameters: Any = None, *, lr: float | None = None) -> Diagnosis:
    """Say what is wrong with a network, each with its cause and its place in a line; nothing of one that is healthy.

    Looked for, in the graph that ran and in one backward pass from its loss:

    - *not finite*: the first NaN or Inf, and what made it;
    - *broadcast*: (N, 1) against (N) in the loss, which compares each with each;
    - *detached*: a state without its history, amid or after the steps;
    - *unused*: a parameter that the loss does not depend on, of modules that ran or of those that are given;
    - *saturated*: a gate, a candidate or a hidden layer at the ends of its range;
    - *dead*: units of a relu, or of what else has a kink, that are far on its flat side for all that came in;
    - *vanishing*, *exploding*: of ‖∂L/∂state‖, 1e-7 is left at the other end, or it is a thousand times as large;
    - *step too large*: the graph, run once more after a step along −gradient of ``lr``, has a loss that is larger by a
      tenth; or, without ``lr``, one three times as large with the weights as an update has made them since.

    Arguments:
        loss: a tensor that was computed; of one of many numbers, the sum is differentiated.
        parameters: a module, or the tensors that ought to learn; without them, those of the modules that ran.
        lr: a learning rate of plain gradient descent, to be tried without changing anything.

    Returns:
        Symptoms with ``kind``, ``where``, ``text`` and ``nodes``, in the order in which one would mend them.

    Raises:
        TypeError: for what is no tensor, no parameters, no number.
        ValueError: for a learning rate that is not above 0.

    Source: this project; A. Karpathy, "A Recipe for Training Neural Networks" (2019), lists such faults.

    >>> import tinygrad_lstm as tl
    >>> prediction, target = tl.tensor([[1.0], [2.0]], requires_grad=True) * 1.0, tl.tensor([1.0, 2.0])
    >>> tl.diagnose(((prediction - target) ** 2).mean())[0].text.split(":")[0]
    '(2, 1) against (2,) gives (2, 2)'
    >>> w = tl.tensor(1.0, requires_grad=True, name="w")
    >>> tl.diagnose(w * w, lr=0.5)
    nothing found: 1 operation, 1 tensor that learns; a step of lr = 0.5 does not raise the loss
    >>> print(tl.diagnose(w * w, lr=3.0))
    step too large, w: one step of lr = 3 along −gradient takes this loss from 1 to 25; lr = 0.75 lowers it to 0.25
    """
    if not isinstance(loss, Tensor):
        raise TypeError(f"diagnose takes a tensor that was computed, such as a loss, not {short(loss)}")
    if lr is not None and (isinstance(lr, bool) or not isinstance(lr, int | float)):
        raise TypeError(f"lr is a number, the learning rate of a step, not {short(lr)}")
    if lr is not None and not (lr > 0 and isfinite(lr)):
        raise ValueError(f"lr is above 0, not {lr}")
    graph, _ = Graph(loss).opened()
    seen = Examined(graph, _named(parameters) if parameters is not None else _of_modules(graph))
    found = [symptom for look in LOOKS for symptom in look(seen)]
    diagnosis = Diagnosis([*found, *too_far(seen, lr)])
    diagnosis.seen = _seen(seen, lr)
    return diagnosis


def _named(parameters: Any) -> dict[str, Tensor]:
    """Return parameters by name. Raises TypeError for what are none."""
    named = getattr(parameters, "named_parameters", None)
    if callable(named):
        return dict(named())
    tensors = list(parameters) if isinstance(parameters, Iterable) and not isinstance(parameters, Tensor) else None
    if tensors is None or not all(isinstance(each, Tensor) for each in tensors):
        raise TypeError(f"parameters are a module, or a list of tensors, not {short(parameters)}")
    return {each.name or f"parameter {i}": each for i, each in enumerate(tensors)}


def _of_modules(graph: Graph) -> dict[str, Tensor]:
    """Return the parameters of the modules that ran and are still there, by the longest of their paths."""
    numbers = {frame.module: None for node in graph.nodes for frame in node.context.frames if frame.module}
    found: dict[Tensor, str] = {}
    for module in (MODULES.get(number) for number in numbers):
        for name, parameter in module.named_parameters() if module is not None else ():
            found[parameter] = max(found.get(parameter, ""), name, key=len)
    return {f"{name} {i}" if name in list(found.values())[:i] else name: x for i, (x, name) in enumerate(found.items())}


def _seen(seen: Examined, lr: float | None) -> str:
    """Say what was looked at."""
    counted = {
        ("operation", "operations"): len(seen.timeline.operations),
        ("time step", "time steps"): len(seen.timeline.steps),
        ("layer of a cell", "layers of cells"): sum(len(cell.layers) for cell in seen.cells.cells),
        ("tensor that learns", "tensors that learn"): sum(leaf.requires_grad for leaf in seen.graph.leaves),
    }
    words = ", ".join(f"{count} {names[count > 1]}" for names, count in counted.items() if count)
    return f"{words}; a step of lr = {lr:g} does not raise the loss" if lr else words

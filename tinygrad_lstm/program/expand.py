"""A call of what was compiled, opened: the graph that it stands for, of the same inputs and at the same place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any

import numpy as np

from ..engine.backprop import grad, recall
from ..engine.functions import concat
from ..engine.graph import Graph
from ..engine.opening import again, stand_ins
from ..engine.primitive import Array
from ..engine.scope import Context, call_in
from ..engine.tensor import Tensor
from .recording import outputs_of


@dataclass
class Expanded:
    """What a call returns when it is composed, and of which inputs."""

    inputs: tuple[Tensor, ...]
    outputs: list[Tensor]

    def output(self, which: int, node: Tensor) -> Tensor:
        """Return one of them, which takes the place of a node, and its name if somebody gave it one."""
        found = self.outputs[which]
        if node.name is not None and not any(found is x for x in self.inputs):
            found.name = node.name
        return found


@dataclass(eq=False)
class Call:
    """A call of what was compiled, with all that is needed to run it as the graph that it stands for.

    ``function`` takes arguments by their names, such as ``given``. ``inputs`` are the tensors that have gradients, and
    ``names`` which arguments they are, or None for what the function has of its own. ``held`` is what the leaves that
    it reads besides them were when it was called.
    """

    function: Callable[[Mapping[str, Any]], Any]
    given: Mapping[str, Any]
    inputs: tuple[Tensor, ...]
    names: tuple[str | None, ...]
    held: Mapping[Tensor, Array]

    def __post_init__(self) -> None:
        self._composed: Expanded | None = None
        self._replica: tuple[Graph, list[Tensor]] | None = None

    def open(self, node: Tensor, *inputs: Tensor) -> Expanded:
        """Return what takes the place of the call's node where other inputs do of its own; the same for the same."""
        known = self._composed
        if known is None or any(x is not y for x, y in zip(known.inputs, inputs, strict=True)):
            outputs, new = self._composed_of(node, inputs)
            for i, x in enumerate(new):
                x.serial = node.serial - 1 + (i + 1) / (len(new) + 1)  # where it stood in the program
                _move(x, node)
            known = self._composed = Expanded(inputs, outputs)
        return known

    def gradients_again(self, node: Tensor, inputs: Sequence[Tensor], g: Tensor, mine: slice) -> tuple[Any, ...]:
        """Return what the composed graph makes of a gradient of some outputs that is to be differentiated again."""
        apart = [recall(x) for x in inputs] if len(set(inputs)) < len(inputs) else inputs
        outputs, _ = self._composed_of(node, apart)
        return _gradients(outputs[mine], apart, g, create_graph=True)

    def gradients(self, operands: Sequence[Array], g: Array, mine: slice) -> tuple[Any, ...]:
        """Return what the composed graph makes of a gradient of some outputs, for other inputs, of any type."""
        graph, leaves = self._replicated()
        inputs = [Tensor(x, requires_grad=True) for x in operands]
        made = {**{x: Tensor(value) for x, value in self.held.items()}, **dict(zip(leaves, inputs, strict=True))}
        for node in graph.nodes:
            if node.primitive is not None:
                made[node] = again(node, [made.get(x, x) for x in node.inputs])
        found = _gradients([made[x] for x in graph.outputs[mine]], inputs, Tensor(g))
        return tuple(x if x is None else x.value for x in found)

    def _composed_of(self, node: Tensor, inputs: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Run it where the node was made, on what its leaves were then; return the outputs, and all that is new."""
        own = {x: y for x, y, name in zip(node.inputs, inputs, self.names, strict=True) if name is None}
        then = {**self.held, **dict(zip(node.inputs, node.input_values, strict=True))}
        moved = {x: value for x, value in then.items() if x.is_leaf and x._value is not value}
        outputs, new = self._run(node.context, inputs)
        made: dict[Tensor, Tensor] = {}
        for x in new:
            inside = tuple(made.get(i, own.get(i, i)) for i in x.inputs)
            if any(i is not old or i in moved for i, old in zip(inside, x.inputs, strict=True)):
                made[x] = again(x, inside, moved)
        return [made.get(x, own.get(x, x)) for x in outputs], [made.get(x, x) for x in new]

    def _run(self, context: Context, inputs: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Return the outputs, and all that was made on the way, in order."""
        others = {name: x for name, x in zip(self.names, inputs, strict=True) if name is not None}
        first = Tensor(np.zeros(())).serial
        context = context._replace(recording=True, detecting_nan=None)
        returned = call_in(context, _direct, (self.function, {**self.given, **others}), {})
        outputs = outputs_of(returned)
        taken = stand_ins(x for x in Graph(*outputs).nodes if x.serial > first)
        outputs = [taken.get(x, x) for x in outputs]
        return outputs, [x for x in Graph(*outputs).nodes if x.serial > first]

    def replay(self, operands: Sequence[Array]) -> list[Array]:
        """Return the outputs for other values of the inputs, of any type of numbers."""
        graph, leaves = self._replicated()
        values = {**self.held, **dict(zip(leaves, operands, strict=True))}
        single = any(x.dtype == np.float32 for x in self.inputs)
        longer = np.float64 if single and all(x.dtype == np.float64 for x in operands) else None
        there = set(graph.leaves)
        found = graph.replay({x: value for x, value in values.items() if x in there}, dtype=longer)
        return [found[output] for output in graph.outputs]

    def _replicated(self) -> tuple[Graph, list[Tensor]]:
        """Return a graph whose leaves can be given other values, and which of them the inputs are."""
        if self._replica is None:
            own = zip(self.inputs, self.names, strict=True)
            leaves = [x if name is None else Tensor(x._value, requires_grad=True) for x, name in own]
            outputs, _ = self._run(Context(), leaves)
            self._replica = Graph(*outputs), leaves
        return self._replica


def _gradients(outputs: Sequence[Tensor], inputs: Sequence[Tensor], g: Tensor, **how: bool) -> tuple[Any, ...]:
    packed = outputs[0] if len(outputs) == 1 else concat([x.reshape(x.size) for x in outputs])
    wanted = [x for x in inputs if x.requires_grad]
    found = dict(zip(wanted, grad(packed, wanted, seed=g, allow_unused=True, **how), strict=True))
    return tuple(found.get(x) for x in inputs)


def _direct(function: Callable[[Mapping[str, Any]], Any], given: Mapping[str, Any]) -> Any:
    return function(given)


def _move(x: Tensor, node: Tensor) -> None:
    """Put what was called from here onto the line that called what was compiled."""
    if _here(x.code):
        x.code, x.instruction = node.code, node.instruction
    depth, frames = len(node.context.frames), x.context.frames
    if len(frames) > depth and _here(frames[depth].code):
        frame = frames[depth]._replace(code=node.code, instruction=node.instruction)
        x.context = x.context._replace(frames=(*frames[:depth], frame, *frames[depth + 1 :]))


def _here(code: Any) -> bool:
    return isinstance(code, CodeType) and code.co_filename == __file__

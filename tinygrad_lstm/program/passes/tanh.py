"""One function for all gates: σ(a) = ½ + ½ tanh(a / 2), so that whatever is squashed is squashed at once.

In the tail below −18 or so, where σ(a) is next to nothing, digits are lost: ½ + ½ tanh is a multiple of 2⁻⁵³ there.
"""

from __future__ import annotations

from typing import Any

from ...engine import ops
from ...engine.tensor import Tensor
from ...structure.loops import Loop, Made, Reference
from ...structure.words import is_number
from .rewriting import HERE, Rewriting, is_product


class SigmoidByTanh(Rewriting):
    """σ(z W + b) becomes ½ + ½ tanh(z (W / 2) + b / 2)."""

    comment = "σ(a) is ½ + ½ tanh(a/2): one function for all gates; where σ < 1e-16, its digits are lost"

    def look(self) -> None:
        self.halved: dict[Made, bool] = {}
        self.halves: dict[Any, Tensor] = {}
        for item in self.rolled.items:
            if isinstance(item, Loop):
                for made in item.body:
                    if made.primitive is ops.sigmoid and self._can_halve(made.operands[0], item):
                        self.halved[made] = True

    def _can_halve(self, reference: Reference, loop: Loop) -> bool:
        """Tell whether half of something costs nothing in the loop: it is a sum of products with what is outside."""
        of = reference.of
        if self.outside(reference, loop) is not None:
            return True
        if not isinstance(of, Made) or of.loop is not loop or reference.index != HERE or len(self.users[of]) > 1:
            return False
        if of.primitive.combines == "sum":
            return all(self._can_halve(each, loop) for each in of.operands)
        if of.primitive is ops.mul:
            return self._factor(of, loop) is not None
        if is_product(of):
            return self.outside(of.operands[1], loop) is not None
        return False

    def _factor(self, made: Made, loop: Loop) -> int | None:
        """Return which factor is outside of the loop."""
        return next((i for i, each in enumerate(made.operands) if self.outside(each, loop) is not None), None)

    @property
    def finds(self) -> bool:
        return bool(self.halved)

    def prepare(self, loop: Loop) -> None:
        for made in loop.body:
            if made in self.halved:
                self._prepare(made.operands[0], loop, made.node)

    def _prepare(self, reference: Reference, loop: Loop, node: Tensor) -> None:
        whole = self.outside(reference, loop)
        if whole is not None:
            if whole not in self.halves:
                self.halves[whole] = self.like(node, ops.mul, whole, 0.5)
            return
        of: Any = reference.of
        halved = of.operands
        if of.primitive.combines != "sum":
            halved = (of.operands[1 if is_product(of) else self._factor(of, loop)],)
        for each in halved:
            self._prepare(each, loop, node)

    def member(self, made: Made, node: Tensor) -> Tensor:
        if made not in self.halved:
            return self.again(node)
        squashed = self.like(node, ops.tanh, self._half(self.of(node.inputs[0]), node))
        half = self.like(node, ops.mul, squashed, 0.5)
        whole = self.like(node, ops.add, half, 0.5)
        whole.name = node.name
        return whole

    def _half(self, x: Tensor, node: Tensor) -> Tensor:
        if x in self.halves:
            return self.halves[x]
        assert x.primitive is not None
        if x.primitive.combines == "sum":
            return self.like(x, x.primitive, *(self._half(each, node) for each in x.inputs))
        halved = next(i for i, each in enumerate(x.inputs) if each in self.halves or is_number(each))
        factors = [self._half_of_given(each, node) if i == halved else each for i, each in enumerate(x.inputs)]
        return self.like(x, x.primitive, *factors)

    def _half_of_given(self, x: Tensor, node: Tensor) -> Tensor:
        """Return half of what is outside; a number is another leaf in each step."""
        if x not in self.halves:
            self.halves[x] = self.like(node, ops.mul, x, 0.5)
        return self.halves[x]

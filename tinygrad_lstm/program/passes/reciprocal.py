"""A division of many numbers by a few is a product with the few turned over."""

from __future__ import annotations

from typing import Any

from ...engine import ops
from ...engine.tensor import Tensor
from ...structure.loops import Loop, Made
from .rewriting import Rewriting, columns


class Reciprocals(Rewriting):
    """x / s, where s is one number for each row of x, becomes x (1 / s)."""

    comment = "rows are multiplied by one reciprocal each, where all their numbers were divided by the same one"

    def look(self) -> None:
        self.turned: dict[Tensor, Any] = {}
        self.found = {
            made
            for item in self.rolled.items
            if isinstance(item, Loop)
            for made in item.body
            if made.primitive is ops.div and _one_for_each_row(*made.node.inputs)
        }

    @property
    def finds(self) -> bool:
        return bool(self.found)

    def member(self, made: Made, node: Tensor) -> Tensor:
        if made not in self.found:
            return self.again(node)
        x, by = map(self.of, node.inputs)
        if by not in self.turned:
            self.turned[by] = self.like(node, ops.div, 1.0, by)
        whole = self.like(node, ops.mul, x, self.turned[by])
        whole.name = node.name
        return whole


def _one_for_each_row(x: Tensor, by: Tensor) -> bool:
    return x.ndim == by.ndim > 0 and columns(x) > 1 == columns(by)

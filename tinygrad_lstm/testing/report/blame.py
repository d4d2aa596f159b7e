"""Who is to blame: every contribution of the backward walk, checked again at the values it was computed from."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...engine.backprop import Contribution, backprop
from ...engine.graph import Graph
from ...engine.tensor import Tensor
from ..judge import judge
from ..objective import Objective
from ..verdicts import Finding, Oracle, Verdict

ENOUGH = 3
"""Wrong contributions of one primitive for which rounding is ruled out, before it is known to be wrong."""


@dataclass(frozen=True, eq=False)
class WrongContribution:
    """One contribution that is wrong: of which node, to which of its inputs, and what an oracle answers instead."""

    node: Tensor
    slot: int
    finding: Finding

    @property
    def apart(self) -> float:
        """How far off it is, along the direction it was looked at."""
        return abs(self.finding.ours - self.finding.theirs)


@dataclass(frozen=True, eq=False)
class Blame:
    """One sentence, and what it rests on: wrong contributions of rules, or edges where the engine went wrong."""

    sentence: str
    wrong: tuple[WrongContribution, ...] = ()
    engine: tuple[Contribution, ...] = ()
    nobody: bool = False  # every rule and every sum is right, taken by itself

    @property
    def marked(self) -> list[Tensor]:
        """The nodes to be marked, in the order of the program."""
        nodes = {wrong.node: None for wrong in self.wrong} | {step.node: None for step in self.engine}
        return sorted(nodes, key=lambda node: node.serial)


def blame(objective: Objective, name: str, leaf: Tensor, gradient: NDArray[Any], rng: np.random.Generator) -> Blame:
    """Find whose fault a wrong gradient is.

    The rule of each node is checked at the inputs and the upstream gradient that it had in the walk. If one is wrong,
    its primitive is to blame; if all are right, it is the engine: what it summed to shape, added up, left out, or
    applied before all contributions had come.
    """
    steps = [
        step
        for output, cotangent in zip(objective.graph.outputs, objective.cotangents, strict=True)
        if output.requires_grad
        for step in backprop(output, cotangent)
    ]
    wrong = tuple(_wrong_contributions(steps, rng))
    if wrong:
        return Blame(_sentence(wrong, Counter(step.node.primitive for step in steps)), wrong)
    for fault, edges in (
        ("sums a contribution to the wrong shape", [step for step in steps if not _summed_right(step)]),
        ("adds up wrongly", [step for step in steps if not _added_right(step)]),
        ("applies a rule before all contributions have come", _too_early(steps)),
    ):
        if edges:
            return Blame(f"every rule is right; the engine {fault}, {_edge(edges[0])}", engine=tuple(edges))
    lost = _lost(objective, steps)
    if lost:
        node, slot = lost[0]
        where = f"from {_called(node)} to its input {slot}"
        return Blame(f"every rule is right; the engine loses a contribution, {where}")
    pairs = zip(objective.graph.outputs, objective.cotangents, strict=True)
    seeds = [cotangent for output, cotangent in pairs if output is leaf]
    arrived = sum([*seeds, *(step.contribution for step in steps if step.input is leaf)], np.zeros(leaf.shape))
    if not np.allclose(arrived, gradient, rtol=1e-6, atol=0, equal_nan=True):
        return Blame(
            f"every rule is right, and the walk brings {name} what it should have, but another gradient is returned"
        )
    return Blame("every rule is right where it was applied, and so are the sums: nobody is to blame alone", nobody=True)


def _wrong_contributions(steps: list[Contribution], rng: np.random.Generator) -> Iterator[WrongContribution]:
    """Find the contributions that are wrong; of a primitive found wrong a few times, a mismatch is enough."""
    found_wrong: Counter[Any] = Counter()
    for step in steps:
        finding = _recheck(step, rng, thorough=found_wrong[step.node.primitive] < ENOUGH)
        if finding.verdict is Verdict.WRONG:
            found_wrong[step.node.primitive] += 1
            yield WrongContribution(step.node, step.slot, finding)


def _recheck(step: Contribution, rng: np.random.Generator, thorough: bool) -> Finding:
    """Judge one contribution: in a graph of this one node, at the recorded values."""
    node, value = step.node, step.node.input_values[step.slot]
    assert node.primitive is not None
    leaves = tuple(Tensor(value, requires_grad=True) for value in node.input_values)
    alone = Tensor(node.value, node.primitive, leaves, node.input_values, node.attrs, True, node.context)
    objective = Objective(Graph(alone), (np.asarray(step.upstream),))
    product = np.asarray(step.product)
    try:
        gradient = _sum_to(product, value.shape)
    except ValueError:
        return Finding(Verdict.WRONG, Oracle.SHAPES, reason=f"a contribution of shape {product.shape} to {value.shape}")
    return judge(objective, leaves[step.slot], gradient, rng.normal(size=value.shape), rng, thorough)


def _sum_to(product: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Sum as the transpose of broadcasting does, independently of the engine: count where each number was sent."""
    if product.shape == shape:
        return product
    sources = np.broadcast_to(np.arange(int(np.prod(shape))).reshape(shape), product.shape)
    totals = np.bincount(np.ravel(sources), weights=np.ravel(product), minlength=int(np.prod(shape)))
    return totals.reshape(shape)


def _summed_right(step: Contribution) -> bool:
    product, contribution = np.asarray(step.product), np.asarray(step.contribution)
    if contribution.shape != step.node.input_values[step.slot].shape:
        return False
    return _same(contribution, _sum_to(product, contribution.shape), np.abs(product).sum())


def _added_right(step: Contribution) -> bool:
    expected = step.contribution if step.before is None else step.before + step.contribution
    return _same(np.asarray(step.after), expected, np.abs(expected).max(initial=0.0))


def _same(one: NDArray[Any], other: NDArray[Any], scale: float) -> bool:
    return one.shape == other.shape and np.allclose(
        one, other, rtol=0, atol=1e4 * np.finfo(one.dtype).eps * scale, equal_nan=True
    )


def _too_early(steps: list[Contribution]) -> list[Contribution]:
    """Find where a node's rule was given something else than all that came to the node, in the end."""
    totals: dict[Tensor, Any] = defaultdict(lambda: 0.0)
    for step in steps:
        totals[step.input] = totals[step.input] + step.contribution
    return [
        step
        for step in steps
        if step.node in totals
        and not _same(np.asarray(step.upstream), totals[step.node], np.abs(totals[step.node]).max(initial=0.0))
    ]


def _lost(objective: Objective, steps: list[Contribution]) -> list[tuple[Tensor, int]]:
    """Find uses through which no contribution came, though a gradient should have."""
    came = {(step.node, step.slot) for step in steps}
    return [
        (node, slot)
        for node in objective.graph.nodes
        if node.requires_grad and node.primitive is not None
        for slot, x in enumerate(node.inputs)
        if x.requires_grad and (node, slot) not in came
    ]


def _sentence(contributions: tuple[WrongContribution, ...], uses: Counter[Any]) -> str:
    wrong: dict[Any, list[WrongContribution]] = defaultdict(list)
    for contribution in contributions:
        wrong[contribution.node.primitive].append(contribution)
    primitive, worst = max(wrong.items(), key=lambda item: len(item[1]))
    worst.sort(key=lambda contribution: -contribution.apart)
    first = worst[0]
    slots = sorted({contribution.slot for contribution in worst})
    more, among = len(worst) - 1, uses[primitive]
    often = f" (as at {more} more of its {among} contributions)" if more else f" (at one of its {among} contributions)"
    often = often if among > 1 else ""
    which = f", for input {' and '.join(map(str, slots))}" if len(first.node.inputs) > 1 else ""
    also = [other.name for other in wrong if other is not primitive]
    others = f"; so {'is' if len(also) == 1 else 'are'} {', '.join(also)}" if also else ""
    numbers = f"it gives {first.finding.ours:.6g} along a random direction, where {first.finding.theirs:.6g} is right"
    if first.finding.oracle in (Oracle.SHAPES, Oracle.ARITHMETIC):
        numbers = first.finding.reason
    return f"the rule of {primitive.name} is wrong{first.node.context.place}{which}{often}: {numbers}{others}"


def _edge(step: Contribution) -> str:
    return f"from {_called(step.node)} to {_called(step.input)}"


def _called(node: Tensor) -> str:
    name = repr(node.name) if node.name else node.primitive.name if node.primitive else "a leaf"
    return f"{name}{node.context.place} of shape {node.shape}"

"""Who is to blame: every contribution of the backward walk, checked again at the values it was computed from."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...engine.backprop import Contribution, backprop
from ...engine.graph import Graph
from ...engine.tensor import Tensor
from ..judge import judge
from ..objective import TOLERANCE, Objective
from ..oracles.question import Question
from ..verdicts import Finding, Oracle, Verdict

ENOUGH = 3
"""Wrong contributions of one primitive for which rounding is ruled out, before a mismatch is enough.

Chosen: of the 40 that a wrong tanh brings to an LSTM of 20 steps, the other 37 took 0.2 s of 0.85.
"""


@dataclass(frozen=True, eq=False)
class WrongContribution:
    """One contribution that is wrong: of which node, to which of its inputs, and what an oracle answers instead."""

    node: Tensor
    slot: int
    finding: Finding

    @property
    def apart(self) -> float:
        """Return how far off it is, along the direction it was looked at."""
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
        """Return the nodes to be marked, in the order of the program."""
        nodes = {wrong.node: None for wrong in self.wrong} | {step.node: None for step in self.engine}
        return sorted(nodes, key=lambda node: node.serial)


def blame(question: Question, name: str, rng: np.random.Generator) -> Blame:
    """Find whose fault a wrong gradient is, that of the leaf which the report calls by ``name``.

    The rule of each node is checked at the inputs and the upstream gradient that it had in the walk. If one is wrong,
    its primitive is to blame; if all are right, it is the engine: what it summed to shape, added up, left out, or
    applied before all contributions had come.
    """
    graph, leaf = question.objective.graph, question.leaf
    seeds = [pair for pair in zip(graph.outputs, question.objective.cotangents, strict=True) if pair[0].requires_grad]
    walks = [list(backprop(*seed)) for seed in seeds]
    steps = [step for walk in walks for step in walk]
    wrong = tuple(_wrong_contributions(steps, rng, question.objective.rtol))
    if wrong:
        return Blame(_sentence(wrong, Counter(step.node.primitive for step in steps)), wrong)
    for fault, edges in (
        ("sums a contribution to the wrong shape", [step for step in steps if not _summed_right(step)]),
        ("adds up wrongly", [step for step in steps if not _added_right(step)]),
        ("applies a rule before all contributions have come", [step for walk in walks for step in _too_early(walk)]),
    ):
        if edges:
            where = f"from {_called(edges[0].node)} to {_called(edges[0].input)}"
            return Blame(f"every rule agrees here; the engine {fault}, {where}", engine=tuple(edges))
    lost = next(_lost(graph, steps), None)
    if lost:
        return Blame("every rule agrees here; the engine loses a contribution, from {} to its input {}".format(*lost))
    arrived = sum(step.contribution for step in steps if step.input is leaf)
    arrived = arrived + sum(cotangent for output, cotangent in seeds if output is leaf)
    if not np.allclose(arrived, question.gradient, rtol=1e-6, atol=0, equal_nan=True):
        return Blame(
            f"every rule agrees here, and the walk brings {name} what it should have, but another gradient is returned"
        )
    return Blame("every rule agrees here, and so do the sums: nobody is to blame alone", nobody=True)


def _wrong_contributions(
    steps: list[Contribution], rng: np.random.Generator, rtol: float
) -> Iterator[WrongContribution]:
    """Find the contributions that are wrong; of a primitive found wrong a few times, a mismatch is enough."""
    found_wrong: Counter[Any] = Counter()
    for step in steps:
        finding = _recheck(step, rng, rtol, thorough=found_wrong[step.node.primitive] < ENOUGH)
        if finding.verdict is Verdict.WRONG:
            found_wrong[step.node.primitive] += 1
            yield WrongContribution(step.node, step.slot, finding)


def ties_miscounted(question: Question, rng: np.random.Generator) -> Blame | None:
    """Find rules that are wrong where all their inputs move together, as tied ones do: along a tie there is no kink.

    Each of two tied numbers may get none of the gradient, or all; both together get all of it, once.
    """
    graph = question.objective.graph
    wrong: list[WrongContribution] = []
    for seed in zip(graph.outputs, question.objective.cotangents, strict=True):
        for _, steps in groupby(backprop(*seed) if seed[0].requires_grad else (), lambda step: step.node.serial):
            moved = list(steps)
            node = moved[0].node
            shift = Tensor(np.zeros(()), requires_grad=True)
            inputs = [Tensor(value) for value in node.input_values]
            for step in moved:
                inputs[step.slot] = inputs[step.slot] + shift
            assert node.primitive is not None
            alone = Tensor(node.value, node.primitive, tuple(inputs), node.input_values, node.attrs, True, node.context)
            objective = Objective(Graph(alone), (np.asarray(moved[0].upstream),), question.objective.rtol)
            products = np.concatenate([np.ravel(step.contribution) for step in moved])
            finding = judge(Question(objective, shift, np.asarray(products.sum()), np.ones(())), rng)
            rounding = objective.allowed * np.abs(products).sum()  # of contributions that cancel, as those of (−x) ⊙ x
            if finding.verdict is Verdict.WRONG and not abs(finding.ours - finding.theirs) <= rounding:
                wrong.append(WrongContribution(node, moved[0].slot, finding))
    return (
        Blame(_sentence(tuple(wrong), Counter(each.node.primitive for each in wrong)), tuple(wrong)) if wrong else None
    )


def _recheck(step: Contribution, rng: np.random.Generator, rtol: float, thorough: bool) -> Finding:
    """Judge one contribution: in a graph of this one node, at the recorded values."""
    node, value = step.node, step.node.input_values[step.slot]
    assert node.primitive is not None
    leaves = tuple(Tensor(value, requires_grad=True) for value in node.input_values)
    alone = Tensor(node.value, node.primitive, leaves, node.input_values, node.attrs, True, node.context)
    objective, leaf = Objective(Graph(alone), (np.asarray(step.upstream),), rtol), leaves[step.slot]
    gradient = _sum_to(step.product, value.shape)
    return judge(Question(objective, leaf, gradient, rng.normal(size=value.shape)), rng, thorough)


def _sum_to(product: ArrayLike, shape: tuple[int, ...]) -> NDArray[Any]:
    """Sum as the transpose of broadcasting does, independently of the engine: count where each number was sent."""
    numbers = np.arange(np.prod(shape, dtype=int)).reshape(shape)
    sources = np.broadcast_to(numbers, np.shape(product))
    return np.bincount(np.ravel(sources), np.ravel(product), minlength=numbers.size).reshape(shape)


def _summed_right(step: Contribution) -> bool:
    """Tell whether a contribution is the product of its rule, summed to the shape of its input."""
    expected = _sum_to(step.product, step.node.input_values[step.slot].shape)
    return _same(step.contribution, expected, np.abs(step.product).sum())


def _added_right(step: Contribution) -> bool:
    """Tell whether the running total grew by the contribution."""
    expected = step.contribution if step.before is None else step.before + step.contribution
    return _same(step.after, expected, np.abs(expected).max(initial=0.0))


def _same(one: NDArray[Any], other: NDArray[Any], scale: float) -> bool:
    """Tell whether two arrays are equal in shape, and in numbers to what rounding does at this scale."""
    slack = TOLERANCE * np.finfo(one.dtype).eps * scale
    return one.shape == other.shape and np.allclose(one, other, rtol=0, atol=slack, equal_nan=True)


def _too_early(steps: list[Contribution]) -> list[Contribution]:
    """Find where a rule was given something else than all that came to its node in one walk, in the end."""
    totals: dict[Tensor, Any] = defaultdict(lambda: 0.0)
    for step in steps:
        totals[step.input] = totals[step.input] + step.contribution
    return [
        step
        for step in steps
        if step.node in totals
        and not _same(step.upstream, totals[step.node], np.abs(totals[step.node]).max(initial=0.0))
    ]


def _lost(graph: Graph, steps: list[Contribution]) -> Iterator[tuple[str, int]]:
    """Find uses through which no contribution came, though a gradient should have: of which node, in which slot."""
    came = {(step.node, step.slot) for step in steps}
    reached = {*graph.outputs, *(step.input for step in steps)}  # to what is only compared no gradient flows
    for node in graph.nodes:
        for slot, x in enumerate(node.inputs if node.requires_grad and node in reached else ()):
            if x.requires_grad and (node, slot) not in came:
                yield _called(node), slot


def _sentence(wrong: tuple[WrongContribution, ...], uses: Counter[Any]) -> str:
    """Name the primitive with the most wrong contributions, where the largest mistake is, and what others are wrong."""
    times: Counter[Any] = Counter(each.node.primitive for each in wrong)
    primitive, most = times.most_common(1)[0]
    its = [each for each in wrong if each.node.primitive is primitive]
    first = max(its, key=lambda each: each.apart)
    slots = sorted({each.slot for each in its})
    among = uses[primitive]
    more = f"as at {most - 1} more" if most > 1 else "at one"
    often = f" ({more} of its {among} contributions)" if among > 1 else ""
    which = f", for input {' and '.join(map(str, slots))}" if len(first.node.inputs) > 1 else ""
    also = [other.name for other in times if other is not primitive]
    others = f"; so {'is' if len(also) == 1 else 'are'} {', '.join(also)}" if also else ""
    numbers = f"it gives {first.finding.ours:.6g} along a random direction, where {first.finding.theirs:.6g} is right"
    if first.finding.oracle is Oracle.ARITHMETIC:
        numbers = first.finding.reason
    return f"the rule of {primitive.name} is wrong{first.node.context.place}{which}{often}: {numbers}{others}"


def _called(node: Tensor) -> str:
    """Name a node: by its own name or its primitive, and by place and shape."""
    name = repr(node.name) if node.name else node.primitive.name if node.primitive else "a leaf"
    return f"{name}{node.context.place} of shape {node.shape}"

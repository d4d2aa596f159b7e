"""Checks that the gradients of a function are right, against oracles that share no code with the rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..engine.backprop import grad
from ..engine.tensor import Tensor, tensor
from ..nn.creation import generator as generator_of
from .errors import GradientError, NothingCheckedError
from .judge import COARSE, judge, judge_forward, on_a_kink
from .laws.agreement import require_symmetry
from .objective import Objective
from .oracles.question import Question
from .oracles.registry import evidence
from .oracles.replicas import cut_at_surrogates, in_float64
from .repeatable import repeatable
from .report.blame import blame, ties_miscounted
from .report.code import is_ours
from .report.failure import Failure
from .subject import Subject, outputs_of
from .verdicts import Finding, Oracle, Report, Verdict, worse

__tracebackhide__ = True  # from pytest: it shows who asked, not how we looked

Seed = int | np.random.Generator

Look = Callable[[Question, str, dict[str, Finding]], Finding]
"""What finds out about one gradient, given its name and what was found before; raises if it is wrong."""

LINEAR = "the function is linear in it"
"""Why an input has no second derivative."""

SURROGATE = "it passes through a surrogate, whose rule is declared; all others are checked"
"""Why a gradient that is not the derivative may be what is meant."""

TIES = "several kinks or ties at once: each rule lies between its two sides, their combination need not"
"""Why a gradient that is not between its two sides may still be right."""


@repeatable
def check_vjp(
    f: Callable[..., Any] | Tensor,
    *inputs: Tensor | ArrayLike,
    parameters: Sequence[Tensor] = (),
    directions: int | None = None,
    rtol: float = 0.0,
    rng: Seed | None = None,
) -> Report:
    """Check the gradients of ``f(*inputs)`` in every input, and in ``parameters`` that f uses, by complex step.

    f takes Tensors and returns a Tensor, or a tuple of them, of any shape; its cotangents are random. A module brings
    its own parameters, and what else takes part and requires a gradient is found in the graph. A Tensor instead of f
    stands for its graph, and is checked in every leaf that requires a gradient. For each input x and a random direction
    u, ⟨∂L/∂x, u⟩ must equal Im L(x + ihu) / h, computed by replaying f's own graph on complex numbers: no truncation
    and no cancellation, so that they may differ by rounding alone, 1e4 · 2⁻⁵³ times the sum of the absolute terms
    (``objective.TOLERANCE``). Directions and cotangents are scaled so that no small number hides behind a large one.
    Where float32 is involved it is 2⁻²⁴, and the graph is checked in float64 besides. A forward that does not compute
    with complex numbers, at these inputs, is checked by extrapolated differences, and one difference of the whole
    stands beside the complex step in any case. After a mismatch, 700 digits decide between a mistake and rounding, or
    what a random last bit in every value does to the gradient. At a kink or a tie the gradient must lie between those
    of its two sides, and what is tied is counted once.

    ``inputs`` are what f is called with: tensors, or what ``tl.tensor`` takes; arrays of integers and booleans go to f
    as they are. ``directions`` is how many are tried in each input, and ``rng`` the seed, 0 if none is given, or a
    numpy Generator, that they and the cotangents are drawn by; an error notes the seed. A gradient that is right for
    the mathematics and not to the last bit, as of a fixed point or by an adjoint equation, is declared with ``rtol``:
    an error of that times the sum of the absolute terms passes, and the report names it. What passes through a
    ``surrogate`` (see ``tl.primitive``) is DECLARED: the graph is cut there, and all the other rules are checked.

    Returns a Report with a verdict for each input. Raises GradientError naming the input, the error and who is to blame
    for a wrong gradient; for a function that is random, changes its arguments or computes outside its graph, and for an
    input that it ignores; and NothingCheckedError when every gradient is zero or drowns in rounding. (Squire & Trapp
    1998; Martins, Sturdza & Alonso 2003.)

    >>> import tinygrad_lstm as tl
    >>> tl.testing.check_vjp(lambda a, b: tl.tanh(a @ b), [[0.1, 0.2]], [[3.0], [4.0]]).worst < 100
    True
    """
    generator = generator_of(rng)
    if isinstance(f, Tensor):
        if inputs or parameters:
            raise TypeError("a tensor is checked in all its leaves; give no inputs or parameters besides")
        return _judged(Subject.of(f), directions, generator, rtol)
    return _judged(Subject.called(f, inputs, parameters, generator), directions, generator, rtol)


@repeatable
def check_jvp(
    f: Callable[..., Any],
    *inputs: Tensor | ArrayLike,
    parameters: Sequence[Tensor] = (),
    directions: int | None = None,
    rtol: float = 0.0,
    rng: Seed | None = None,
) -> Report:
    """Check forward derivatives J u, which two backward passes make: as J u is the gradient of ⟨Jᵀv, u⟩ in v.

    They must satisfy ⟨w, J u⟩ = ⟨Jᵀw, u⟩ and agree with the complex step, for random w and u. Arguments, report and
    errors are those of ``check_vjp``. (Townsend 2017, "A new trick for calculating Jacobian vector products".)

    >>> import tinygrad_lstm as tl
    >>> tl.testing.check_jvp(tl.sigmoid, [0.5, -1.0]).verdict
    <Verdict.PASS: 'PASS'>
    """
    generator = generator_of(rng)

    def look(question: Question, name: str, earlier: dict[str, Finding]) -> Finding:
        found = judge_forward(question, generator)
        if found.verdict is Verdict.WRONG:
            allowed = question.objective.allowed / question.objective.unit
            raise GradientError(
                f"the forward derivative of {name} {question.leaf.shape} is wrong: {found.reason} gives "
                f"{found.theirs:.10g}, the gradient of the gradient gives {found.ours:.10g}, "
                f"{found.error:.3g} units of rounding apart, "
                f"where {allowed:.0e} are allowed; the rules do not differentiate their own formulas rightly"
            )
        return found

    return _reported(Subject.called(f, inputs, parameters, generator), directions, generator, rtol, look)


@repeatable
def check_second_order(
    f: Callable[..., Any],
    *inputs: Tensor | ArrayLike,
    parameters: Sequence[Tensor] = (),
    directions: int | None = None,
    rtol: float = 0.0,
    rng: Seed | None = None,
) -> Report:
    """Check second derivatives: the gradient, recorded, is a function of the inputs and of its cotangents.

    It is checked as any other function, and its derivative in the inputs, the Hessian, must be symmetric. The
    cotangents are among the inputs, so that something is checked also where f is linear. Arguments, report and errors
    are those of ``check_vjp``. (Drucker & LeCun 1992, "Improving generalization performance using double
    backpropagation".)

    >>> import tinygrad_lstm as tl
    >>> report = tl.testing.check_second_order(lambda x: x * x * x, [2.0])
    >>> sorted(report.findings)
    ['cotangent 0', 'input 0']
    """
    generator = generator_of(rng)
    subject = Subject.called(f, inputs, parameters, generator)
    parameters = subject.parameters
    cotangents = [
        tensor(generator.normal(size=output.shape), name=f"cotangent {i}", dtype=output.dtype)
        for i, output in enumerate(subject.graph.outputs)
        if output.requires_grad
    ]
    position: list[int] = []  # of the inputs and parameters, those that a gradient comes to

    def gradients(*arguments: Any) -> tuple[Tensor, ...]:
        """Return the gradients that there are, of f at the first arguments, weighted by the others."""
        given, weights = arguments[: len(inputs)], arguments[len(inputs) :]
        outputs = [output for output in outputs_of(f(*given)) if output.requires_grad]
        leaves = [*(x for x in given if isinstance(x, Tensor)), *parameters]
        weighted: Any = sum((output * weight).sum() for output, weight in zip(outputs, weights, strict=True))
        found: Any = grad(weighted, leaves, create_graph=True, allow_unused=True)
        position[:] = [i for i, gradient in enumerate(found) if gradient is not None]
        return tuple(found[i] for i in position)

    if not cotangents:
        return _judged(subject, directions, generator, rtol)
    own = {p.name for node in subject.graph.nodes if (p := node.primitive) and not is_ours(p)}
    whose = f"the rule of {' or '.join(sorted(own))}" if own else "a rule"
    second = Subject.called(gradients, [*inputs, *cotangents], parameters, generator, LINEAR, whose)
    report = _judged(second, directions, generator, rtol)
    if any(node.primitive and node.primitive.surrogate for node in subject.graph.nodes):
        return report  # the gradient of no function has no Hessian
    names = list(subject.checked)
    by_name = dict(zip((names[i] for i in position), second.graph.outputs, strict=True))
    require_symmetry(second.checked, by_name, generator, rtol)
    return replace(report, laws=("the Hessian is symmetric",))


def require_rtol(rtol: float) -> None:
    if not (isinstance(rtol, Real) and 0 <= rtol < 1):
        raise ValueError(f"rtol is the relative error that is right, such as 1e-6: from 0 to less than 1, not {rtol!r}")


def _judged(subject: Subject, directions: int | None, rng: np.random.Generator, rtol: float) -> Report:
    """Report on the gradients by the rules; raise at the first that is wrong."""

    looked: set[Objective] = set()

    def look(question: Question, name: str, earlier: dict[str, Finding]) -> Finding:
        found, tied = judge(question, rng), None
        if question.objective.slopes.kinked and question.objective not in looked:
            looked.add(question.objective)
            with np.errstate(all="ignore"):
                tied = ties_miscounted(question, rng)
        if found.verdict is not Verdict.WRONG and not tied:
            return found
        with np.errstate(all="ignore"):
            blamed, answers = tied or blame(question, name, rng), tuple(evidence(question))
        if blamed.nobody and on_a_kink(question):
            return Finding(Verdict.PASS, Oracle.SIDES, reason=TIES)
        if blamed.nobody and found.oracle is Oracle.DIFFERENCES:  # their bars do not know what cancels inside a graph
            return Finding(Verdict.UNCHECKED, Oracle.DIFFERENCES, reason=COARSE)
        if tied:
            found = tied.wrong[0].finding
        failure = Failure(question, name, found, blamed, answers, Report({**earlier, name: found}), recheck)
        raise GradientError(failure.message, failure)

    recheck = partial(_failure_in, rtol=rtol)
    return _reported(subject, directions, rng, rtol, look)


def _failure_in(output: Tensor, rtol: float) -> Failure | None:
    """Check a tensor in all its leaves, and return what is wrong."""
    try:
        check_vjp(output, rtol=rtol, rng=0)
    except GradientError as error:
        return error.failure
    return None


def _reported(subject: Subject, directions: int | None, rng: np.random.Generator, rtol: float, look: Look) -> Report:
    """Look at every checked gradient along random directions, and report the worst of each; refuse an empty report."""
    require_rtol(rtol)
    findings: dict[str, Finding] = {}
    cut, replaced, returned, declared = cut_at_surrogates(subject.graph)
    checked = {name: replaced[leaf] for name, leaf in subject.checked.items()} | returned
    graphs = [(cut, checked)]
    if any(node.dtype != np.float64 for node in cut.nodes):  # float32 has few digits to tell mistakes by
        longer, made = in_float64(cut)
        graphs.append((longer, {name: made[leaf] for name, leaf in checked.items()}))
    for graph, checked in graphs:
        objective = Objective.equilibrated(graph, rng, rtol)
        try:
            gradients = objective.gradients(list(checked.values()))
        except Exception as error:
            notes = "; ".join(getattr(error, "__notes__", []))
            raise GradientError(f"the backward pass failed with {type(error).__name__}: {error} ({notes})") from error
        for (name, leaf), gradient in zip(checked.items(), gradients, strict=True):
            for direction in objective.directions(gradient, directions, rng):
                found = look(Question(objective, leaf, gradient, direction), name, findings)
                findings[name] = worse(findings.get(name), found)
    for name, leaf in subject.checked.items():
        if name not in findings:
            findings[name] = Finding(Verdict.UNCHECKED, Oracle.NOTHING, reason=f"it is empty, of shape {leaf.shape}")
        elif leaf in declared:
            findings[name] = replace(findings[name], verdict=Verdict.DECLARED, reason=SURROGATE)
    for name, reason in subject.without.items():
        findings[name] = Finding(Verdict.UNCHECKED, Oracle.NOTHING, reason=reason)
    report = Report(findings, rtol=rtol)
    if report.verdict is Verdict.UNCHECKED:
        reasons = "; ".join(f"{name}: {found.reason}" for name, found in findings.items()) or "it has no input"
        raise NothingCheckedError(
            f"nothing was checked, so that a wrong rule would pass as well ({reasons}). Try other inputs, or another "
            "function of them"
        )
    return report

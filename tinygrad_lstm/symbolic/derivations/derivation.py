"""Derivations: the whole derivative of a loss, as equations that a person can follow, with one t for all time steps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...engine.backprop import gradients
from ...engine.errors import short
from ...engine.graph import Graph
from ...engine.primitive import Primitive
from ...engine.tensor import Tensor
from ...structure.words import clean, largest_finite, shape, span
from ..expressions import Apply, Constant, Expression, Gradient, Name, Number, over_steps
from ..formulas import Formula
from ..written import text
from .items import GRADIENT, VALUE, Item, Items, fixed, gradients_in
from .layout import Equality, Reason, Sheet, as_html, as_latex, as_text, parts_of
from .lettering import Lettering, left, now
from .recurrence import Group, Recurrence, mapped

SLACK = 1e5
"""Units of rounding, of the largest number on the way, by which lines may differ from the walk; chosen."""

MISSING = 0.5
"""What a value is beyond the ends, where every gradient is 0: a number that no rule divides by 0."""


class Derivation:
    """What ``derive`` returns: ``lines``, of which the last is what was asked for. ``str`` is plain text."""

    def __init__(self, loss: Tensor, wrt: Tensor, begin: bool = True) -> None:
        self.loss, self.wrt = loss, wrt
        self._recurrence = Recurrence(Graph(loss), begin)
        self._items = Items(self._recurrence, loss, wrt)
        self._lettering = Lettering(self._items)
        ordered = self._items.ordered()
        for item in ordered:
            for term in item.terms:
                term.expression = self._lettering.computed(term.expression)
        self._ordered = ordered
        self.lines = tuple(map(self._line, ordered))
        self._sheet = Sheet(self._title(), self.lines, self._definitions())

    def _title(self) -> str:
        group, t = self._recurrence.of[self.wrt]
        called = self._lettering.value(group)
        at = called if t is None else self._lettering.named(self._items.atom(self.wrt, VALUE, None))
        own = "" if self.wrt.name is None or clean(self.wrt.name) == text(at) else f"{clean(self.wrt.name)}, "
        steps = self._recurrence.steps
        over = f"; {span(steps)}" if steps else ""
        return f"∂L/∂{text(at)}, where {text(at)} is {own}{shape(self.wrt.value)}{over}"

    def _definitions(self) -> tuple[tuple[Formula | Expression, str], ...]:
        """Return what stands for what: letters for what is long, and parts of matrices."""
        found: list[tuple[Formula | Expression, str]] = []
        done: set[int] = set()
        while left := [number for number in self._lettering.letters if number not in done]:  # one may need another
            done.update(left)
            found += [(self._equation(self._recurrence.groups[number]), "") for number in left]
        found += [(begun, "") for group in self._recurrence.groups for begun in self._begun(group)]
        shown = " ".join(str(line.equation) for line in self.lines)
        blocks = sorted(self._lettering.blocks.items(), key=lambda each: shown.find(text(each[0])))
        for block, (matrix, rows) in blocks:
            found.append((block, parts_of(matrix, rows)))
        return (*found, *self._given(shown))

    def _given(self, shown: str) -> Iterator[tuple[Expression, str]]:
        """Yield what lines read that nobody named, and no operation made: a mask, or a number of each step."""
        for group in self._recurrence.groups:
            if group.sample.primitive is None and group.sample.name is None and group.sample is not self.wrt:
                called = self._lettering.value(group)
                called = now(called) if group.timed else called
                size = "×".join(map(str, group.sample.shape)) or "a number"
                if text(called) in shown:
                    yield called, f"given{' at each step' if group.timed else ''}, {size}"

    def _begun(self, group: Group) -> Iterator[Formula]:
        """Yield what takes the place of a group's members before the first step, or after the last."""
        lettering = self._lettering
        for t, x in group.begun.items():
            own = self._recurrence.of[x][0]
            right = lettering.named(lettering.computed(Name(str(own.number), VALUE, "", shape=x.shape)))
            yield Formula(lettering.named(Name(str(group.number), VALUE, f"@{t}", shape=x.shape)), "=", right)

    def evaluate(self) -> NDArray[Any]:
        """Return the gradient that the lines say, computed by them alone from the values that the graph ran with."""
        known: dict[tuple[int, int | None], Any] = {}
        todo = [(item.group.members[t].serial, t, item) for item in self._ordered for t in item.steps]
        for _, t, item in sorted(todo, key=lambda each: -each[0]):
            sample = item.group.sample
            total = np.zeros(sample.shape, sample.dtype)
            for term in item.terms:
                if t in term.steps:
                    total = total + self._value(term.expression, t, known)
            known[item.group.number, t] = total
        group, t = self._recurrence.of[self.wrt]
        return np.asarray(known[group.number, t])

    def _value(self, x: Expression, t: int | None, known: Mapping[tuple[int, int | None], Any]) -> Any:
        if isinstance(x, Number):
            return np.full(x.shape, x.value) if x.shape else x.value
        if isinstance(x, Constant):
            return x.value
        if isinstance(x, Name):
            group = self._recurrence.groups[int(x.text)]
            step = int(x.time[1:]) if x.time.startswith("@") else (t or 0) + int(x.time) if x.time else None
            if x.below == GRADIENT:
                return known.get((group.number, step), np.zeros(group.sample.shape))
            member = group.members.get(step, group.begun.get(step))
            return np.full(group.sample.shape, MISSING) if member is None else self._values[member]
        assert isinstance(x, Apply)
        if x.function is over_steps:
            return sum(self._value(x.operands[0], step, known) for step in x.attrs["steps"])
        attrs = mapped(x.attrs, lambda step: step.at(t or 0))
        compute = x.function.forward if isinstance(x.function, Primitive) else x.function
        operands = [np.asarray(self._value(each, t, known)) for each in x.operands]
        try:
            with np.errstate(all="ignore"):
                return compute(*operands, **attrs)
        except IndexError:  # an entry of a step beyond the ends, where what it is multiplied by is 0
            return np.full(x.value.shape, MISSING)

    @property
    def _values(self) -> Mapping[Tensor, Any]:
        return self._recurrence.graph.values

    def _line(self, item: Item) -> Equality:
        lettering = self._lettering
        common = [term for term in item.terms if term.steps == item.steps or term.beyond]
        right = lettering.named(item.total(common))
        equation = Formula(left(item, lettering), "=", right)
        also = []
        for term in item.terms:
            if term not in common:
                also += [self._also(item, term.expression, t) for t in sorted(t for t in term.steps if t is not None)]
        if not common and also:  # each step has its own
            equation, *also = (Formula(each.left, "=", each.right) for each in also)
        users = dict.fromkeys(user for term in item.terms for user in term.users)
        reasons = tuple(self._reason(self._recurrence.groups[user]) for user in users)
        steps = sorted(t for t in item.steps if t is not None)
        return Equality(equation, self._meaning(item), steps, self._absent(item), tuple(also), reasons)

    def _absent(self, item: Item) -> dict[str, list[int]]:
        """Return which terms are 0 where: those of gradients of steps that there are not."""
        found: dict[int, set[int]] = defaultdict(set)
        for x in gradients_in(item):
            steps = self._items.items[int(x.text)].steps
            if x.time.startswith(("+", "-")):
                found[int(x.time)] |= {t for t in item.steps if t is not None and t + int(x.time) not in steps}
        return {"t" + f"{delay:+d}".replace("-", "−"): sorted(ts) for delay, ts in found.items() if delay and ts}

    def _meaning(self, item: Item) -> Formula | None:
        """Return what a δ is the gradient of; None of what says it itself."""
        called = left(item, self._lettering)
        if isinstance(called, Gradient):
            return None
        own = now(self._lettering.value(item.group)) if item.group.timed else self._lettering.value(item.group)
        return Formula(called, "=", Gradient(own))

    def _also(self, item: Item, expression: Expression, t: int) -> Formula:
        return Formula(left(item, self._lettering, t), "+=", self._lettering.named(fixed(expression, t)))

    def _reason(self, group: Group) -> Reason:
        sample = group.sample
        assert sample.primitive is not None
        return Reason(self._equation(group), sample.primitive.name, _place(sample))

    def _equation(self, group: Group) -> Formula | Expression:
        """Return how members of a group were computed; without a name, only that."""
        lettering, written = self._lettering, self._lettering.equation(group)
        operands = tuple(lettering.computed(x) for x in written.operands)
        right = lettering.named(Apply(written.function, operands, written.attrs, written.value))
        if self._items.symbols.own(group.sample) is None and group.number not in lettering.letters:
            return right
        called = lettering.value(group)
        return Formula(now(called) if group.timed else called, "=", right)

    def __str__(self) -> str:
        return as_text(self._sheet)

    __repr__ = __str__

    @property
    def latex(self) -> str:
        """The equations in LaTeX, as they stand between dollars."""
        return as_latex(self._sheet)

    @property
    def mathml(self) -> str:
        """The equations and their reasons as HTML, in which formulas are MathML."""
        return as_html(self._sheet)

    def _repr_html_(self) -> str:
        return self.mathml

    def _repr_latex_(self) -> str:
        return f"$${self.latex}$$"


def derive(loss: Tensor, wrt: Tensor) -> Derivation:
    """Derive the gradient of a loss, as equations with their reasons, in the order in which the walk back goes.

    What is the same at every time step is one line, with t for the step, and a recurrence refers to the step after:
    backpropagation through time, as a textbook has it. δ is the gradient of what enters a named activation, or of what
    is handed on in time; what is used once is put where it is used. What would come from a step that there is not is 0.

    Arguments:
        loss: a scalar that was computed of the tensor.
        wrt: the tensor, which requires a gradient.

    Returns:
        A ``Derivation``: ``str`` is plain text; ``latex`` and ``mathml`` have it in those languages, and notebooks
        typeset it. ``lines`` are its equations, and ``evaluate()`` computes the gradient by them.

    Raises:
        TypeError: for what is no tensor.
        ValueError: for a loss of more than one number, one that does not depend on the tensor, a tensor that
            requires no gradient, and lines that would not compute what the graph does.
        UnknownToReader: for an operation on the way whose rule cannot be read.

    Source: backpropagation through time: P. Werbos (1990); of the LSTM as K. Greff et al., "LSTM: A Search Space
    Odyssey" (2017), appendix A, write it.

    >>> import tinygrad_lstm as tl
    >>> x, W = tl.tensor([[1.0, 2.0]], name="x"), tl.tensor([[3.0], [4.0]], requires_grad=True, name="W")
    >>> print(tl.derive(tl.tanh(x @ W).sum(), wrt=W))
    ∂L/∂W, where W is 2×1
    <BLANKLINE>
    (1)  ∂L/∂W = xᵀ (1 − tanh²(x W))
           x W        matmul  ...
           tanh(x W)  tanh    ...
           Σ tanh(x W)  sum   ...
    """
    for thing, what in ((loss, "loss"), (wrt, "wrt")):
        if not isinstance(thing, Tensor):
            raise TypeError(f"derive takes tensors, as in tl.derive(loss, wrt=W); {what} is {short(thing)}")
    if loss.size != 1:
        raise ValueError(f"derive takes a loss of one number, not one of shape {loss.shape}; a sum of it is one")
    if not wrt.requires_grad:
        raise ValueError(f"{short(wrt)} requires no gradient; make it with requires_grad=True")
    for begin in (True, False):  # what begins with something computed may stand apart from what goes on with it
        made = Derivation(loss, wrt, begin)
        if _is_right(made):
            return made
    raise ValueError(
        "the derivation found here computes another gradient than the graph: a fault of ours; tl.source(loss, wrt=[w]) "
        "has the gradient as a program"
    )


def _is_right(made: Derivation) -> bool:
    """Tell whether the lines compute what the walk back does, to rounding of the largest number on the way."""
    with np.errstate(all="ignore"):
        found = gradients(made.loss, np.ones(made.loss.shape))
        ours = made.evaluate()
    slack = SLACK * np.finfo(made.loss.dtype).eps * max(map(largest_finite, found.values()))
    theirs = found.get(made.wrt, np.zeros(made.wrt.shape))
    return np.allclose(ours, theirs, rtol=0, atol=slack, equal_nan=True) or not np.isfinite(theirs).all()


def _place(node: Tensor) -> str:
    """Return the modules a node was made in, and the line of the user's own that made it."""
    line = node.line
    where = [clean(".".join(node.scope))] if node.scope else []
    if line is not None and not line.ours:
        where.append(f"{Path(line.file).name}:{line.number}")
    return ", ".join(where)

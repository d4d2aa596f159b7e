"""What is little work is done again backwards, instead of being kept for each step.

½ + ½ y is made of y, which the slope of tanh needs anyway: so y alone is kept.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from ..engine.primitive import Kind, Primitive
from ..structure.loops import Loop, Made
from ..symbolic.expressions import Apply, Number
from .beginning import HERE
from .building import Builder
from .simplifying import VIEWS
from .statements import Assign, Begin, For, Read, Statement, Variable, reads, statements

REMADE = "what is a number times what is kept, plus a number, is made again backwards, instead of being kept"


class Remaking:
    """Rewrites the loops of a backward pass; ``inlined`` says what stands for parts of what is made again."""

    def __init__(
        self, builder: Builder, forward: list[Statement], backward: list[Statement], results: Iterable[Any]
    ) -> None:
        self.builder = builder
        self.inlined: dict[Variable, Any] = {}
        self.finds = False
        self.forward: dict[Loop, dict[Variable, Any]] = {}
        for each in forward:
            if isinstance(each, For):
                made = (one for one in each.body if isinstance(one, Assign) and one.target.index == HERE)
                self.forward[each.loop] = {one.target.variable: one.expression for one in made}
        self.before = {builder.variables[of] for of in builder.variables if isinstance(of, Made) and of.before}
        self.elsewhere = self._read_elsewhere(forward, backward, results)
        for each in backward:
            if isinstance(each, For) and each.backwards and each.loop in self.forward:
                self._loop(each, self.forward[each.loop])

    def _read_elsewhere(
        self, forward: list[Statement], backward: list[Statement], results: Iterable[Any]
    ) -> set[Variable]:
        """Return what must be kept: it is read in another step than its own, outside of its loop, or by its rows."""
        found = {read.variable for each in results for read in reads(each)}
        for each in (*forward, *backward):
            loop = each.loop if isinstance(each, For) else None
            for one in statements([each]):
                if isinstance(one, Begin):
                    found |= {read.variable for read in reads(one.each)} if one.each is not None else set()
                    found |= {one.like} if one.like is not None and not one.empty else set()
                    continue
                found |= {
                    read.variable
                    for read in reads(one.expression)
                    if read.variable.loop is not loop or read.index != HERE or read.variable.rows is not None
                }
        return found

    def _loop(self, back: For, computed: dict[Variable, Any]) -> None:
        body = [each for each in statements(back.body) if isinstance(each, Assign)]
        wanted = {read.variable for each in body for read in reads(each.expression)}
        views: dict[Variable, list[Variable]] = defaultdict(list)
        for variable, e in computed.items():
            if _is_view(e):
                views[e.operands[0].variable].append(variable)
        known: dict[Variable, Any] = {}
        again: list[Statement] = []
        for variable, e in computed.items():
            seen = {variable, *views[variable]} & wanted
            if not seen or _is_view(e) or variable in self.before or self.elsewhere & {variable, *views[variable]}:
                continue
            made = self._made_of(e, computed, wanted, known)
            if made is None:
                continue
            new = Variable("", variable.value, back.loop, node=variable.node)
            self.builder.again.append((new, variable))
            again.append(Assign(Read(new, HERE), made, node=variable.node))
            known[variable] = Read(new, HERE)
            for view in views[variable]:
                part = Variable("", view.value, back.loop, node=view.node)
                cut: Any = computed[view]
                self.inlined[part] = Apply(cut.function, (known[variable],), cut.attrs, cut.value)
                known[view] = Read(part, HERE)
        if again:
            self.finds = True
            for each in body:
                each.expression = _replaced(each.expression, known)
            back.body = [*again, *back.body]

    def _made_of(self, e: Any, computed: dict[Variable, Any], kept: set[Variable], known: dict[Variable, Any]) -> Any:
        """Return an expression in terms of what is kept, if there is little in it; None if it is no such thing."""
        if isinstance(e, Read):
            if e.index != HERE or e.variable not in computed:
                return None
            inside = computed[e.variable]
            if e.variable in known:
                return known[e.variable]
            if _is_little(inside):
                return self._made_of(inside, computed, kept, known)
            if _is_view(inside) and inside.operands[0].variable not in known:
                return e if inside.operands[0].variable in kept else None
            return e if e.variable in kept else None
        if not _is_little(e):
            return None
        operands = [x if isinstance(x, Number) else self._made_of(x, computed, kept, known) for x in e.operands]
        return None if any(x is None for x in operands) else Apply(e.function, tuple(operands), e.attrs, e.value)


def _is_little(e: Any) -> bool:
    """Tell whether it is a number and what is read, added or multiplied."""
    if not isinstance(e, Apply) or not isinstance(e.function, Primitive) or e.function.kind is not Kind.pointwise:
        return False
    numbers = [x for x in e.operands if isinstance(x, Number)]
    return len(numbers) == 1 and len(e.operands) == 2 and e.function.combines in ("sum", "product")


def _is_view(e: Any) -> bool:
    return (
        isinstance(e, Apply)
        and e.function in VIEWS
        and isinstance(e.operands[0], Read)
        and (e.operands[0].index == HERE)
    )


def _replaced(e: Any, known: dict[Variable, Any]) -> Any:
    if isinstance(e, Read):
        return known.get(e.variable, e) if e.index == HERE else e
    if not isinstance(e, Apply) or not any(read.variable in known for read in reads(e)):
        return e
    return Apply(e.function, tuple(_replaced(x, known) for x in e.operands), e.attrs, e.value)

"""Mistakes one makes in a formula, made in every place where they can be made: each a changed syntax tree."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

Change = tuple[str, ast.expr]
"""What was done, and what stands there instead."""

EXCHANGED = [
    ("x", "y"),
    ("a", "b"),
    ("h", "c"),
    ("f", "i"),
    ("i", "g"),
    ("z", "r"),
    ("f", "o"),
    ("hx", "chx"),
    ("before", "contribution"),
]


def mutants(source: str) -> Iterator[tuple[str, str]]:
    """Every mutant of an expression or a function: where and what was changed, and the changed source."""
    tree = ast.parse(source)
    seen: Counter[str] = Counter()
    made = {ast.unparse(tree)}
    for node, put in _places(tree):
        for what, new in _changes(node):
            put(new)
            changed = ast.unparse(tree)
            put(node)
            if changed not in made:
                made.add(changed)
                name = f"{what} at {ast.unparse(node)[:50]}"
                seen[name] += 1
                yield f"{name} ({seen[name]})" if seen[name] > 1 else name, changed


def _places(tree: ast.AST) -> Iterator[tuple[ast.expr, Callable[[ast.expr], None]]]:
    """Yield every expression, and what puts another one where it stands."""
    for parent in ast.walk(tree):
        for field, value in ast.iter_fields(parent):
            if isinstance(value, ast.expr):
                yield value, partial(setattr, parent, field)
            elif isinstance(value, list):
                for i, part in enumerate(value):
                    if isinstance(part, ast.expr):
                        yield part, partial(value.__setitem__, i)


def bare(source: str) -> str:
    """A function without what a mistake in does no harm to a gradient."""
    return ast.unparse(ast.fix_missing_locations(_Bare().visit(ast.parse(source))))


class _Bare(ast.NodeTransformer):
    """Without annotations, docstrings, messages and refusals, in which a mistake does no harm to a gradient."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.returns = None
        for argument in (*node.args.args, *node.args.kwonlyargs, *node.args.posonlyargs):
            argument.annotation = None
        if ast.get_docstring(node):
            node.body = node.body[1:] or [ast.Pass()]
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        return ast.Assign([node.target], node.value, lineno=node.lineno) if node.value else ast.Pass()

    def visit_If(self, node: ast.If) -> ast.AST:
        """Without what only refuses; the tests of messages are for that."""
        self.generic_visit(node)
        refuses = isinstance(node.body[-1], ast.Raise) and not node.orelse
        return ast.Pass() if refuses or ast.unparse(node.test) == "detecting_nan" else node

    def visit_keyword(self, node: ast.keyword) -> ast.AST | None:
        """Without asking whether lists that are walked together are of one length."""
        return None if node.arg == "strict" else self.generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        return ast.Constant("...")


def _changes(node: ast.expr) -> Iterator[Change]:
    for make in _MISTAKES:
        yield from make(node)


def _factors(node: ast.expr) -> Iterator[Change]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div | ast.MatMult):
        yield "drop a factor", node.left
        if not isinstance(node.op, ast.Div):
            yield "drop a factor", node.right


def _terms(node: ast.expr) -> Iterator[Change]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        yield "drop a term", node.left
        yield "drop a term", node.right


def _operators(node: ast.expr) -> Iterator[Change]:
    other = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult}
    if isinstance(node, ast.BinOp) and type(node.op) in other:
        yield "another operator", ast.BinOp(node.left, other[type(node.op)](), node.right)


def _operands(node: ast.expr) -> Iterator[Change]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub | ast.Div | ast.Pow | ast.MatMult):
        yield "swap the operands", ast.BinOp(node.right, node.op, node.left)
    if isinstance(node, ast.Call) and len(node.args) == 2 and not any(isinstance(x, ast.Starred) for x in node.args):
        yield "swap the arguments", ast.Call(node.func, node.args[::-1], node.keywords)


def _signs(node: ast.expr) -> Iterator[Change]:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield "lose a minus", node.operand
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "turn a condition around", node.operand


def _numbers(node: ast.expr) -> Iterator[Change]:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield "another number", ast.Constant(node.value + 1)
        if node.value == 2:
            yield "another number", ast.Constant(1)
    if isinstance(node, ast.Constant) and type(node.value) is bool:
        yield "the other truth", ast.Constant(not node.value)


def _names(node: ast.expr) -> Iterator[Change]:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        for one, other in EXCHANGED:
            if node.id in (one, other):
                yield "the other name", ast.Name(other if node.id == one else one, ast.Load())


def _attributes(node: ast.expr) -> Iterator[Change]:
    if isinstance(node, ast.Attribute) and node.attr == "mT":
        yield "lose a transpose", node.value


def _keywords(node: ast.expr) -> Iterator[Change]:
    if isinstance(node, ast.Call):
        for i, keyword in enumerate(node.keywords):
            if keyword.arg == "axis":
                wrong = [ast.keyword("axis", ast.Constant(0)), ast.keyword("axis", ast.Constant(None))]
            elif keyword.arg == "keepdims":
                wrong = []
            else:
                continue
            for new in wrong:
                if ast.unparse(new) != ast.unparse(keyword):
                    yield (
                        "the wrong axis",
                        ast.Call(node.func, node.args, [*node.keywords[:i], new, *node.keywords[i + 1 :]]),
                    )


def _tuples(node: ast.expr) -> Iterator[Change]:
    if isinstance(node, ast.Tuple) and len(node.elts) == 2 and isinstance(node.ctx, ast.Load):
        yield "exchange contributions", ast.Tuple(node.elts[::-1], ast.Load())


_NOTHING = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])


def _returned(node: ast.expr) -> Iterator[Change]:
    """Faults of what a rule returns as a whole: the body of its lambda is a tuple of contributions."""
    if not (isinstance(node, ast.Lambda) and isinstance(node.body, ast.Tuple)):
        return
    wrapped: dict[str, Callable[[str], str]] = {
        "flip a sign": lambda part: f"-1 * ({part})",
        "a scale of 1 + 1e-5": lambda part: f"({part}) * (1 + 1e-5)",
        "a leak of 1e-6": lambda part: f"({part}) + 1e-6",
        "a leak of 1e-6 times itself squared": lambda part: f"({part}) + 1e-6 * ({part}) * ({part})",
        "forget a contribution": lambda part: "None",
        "a cast to float32": lambda part: f"single({part})",
        "a clip": lambda part: f"clipped({part})",
        "a contribution doubled": lambda part: f"2 * ({part})",
        "a contribution kept from the first call": lambda part: f"stale({part})",
        "the first row only": lambda part: f"first_row({part})",
        "turned back to front": lambda part: f"reversed_({part})",
    }
    for i, part in enumerate(node.body.elts):
        if isinstance(part, ast.Constant):
            continue
        for what, wrap in wrapped.items():
            partial = isinstance(part, ast.Call) and ast.unparse(part.func) == "partial"
            later = partial or isinstance(part, ast.Lambda)
            inner = f"({ast.unparse(part)})()" if partial else ast.unparse(part.body if later else part)
            new = ast.parse(wrap(inner), mode="eval").body
            new = ast.Lambda(_NOTHING, new) if later and what != "forget a contribution" else new
            body = ast.Tuple([*node.body.elts[:i], new, *node.body.elts[i + 1 :]], ast.Load())
            yield f"{what}, slot {i},", ast.Lambda(node.args, body)


def _conditions(node: ast.expr) -> Iterator[Change]:
    opposite = {
        ast.Is: ast.IsNot,
        ast.IsNot: ast.Is,
        ast.In: ast.NotIn,
        ast.NotIn: ast.In,
        ast.Eq: ast.NotEq,
        ast.NotEq: ast.Eq,
        ast.Lt: ast.GtE,
        ast.Gt: ast.LtE,
        ast.LtE: ast.Gt,
        ast.GtE: ast.Lt,
    }
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in opposite:
        yield "turn a condition around", ast.Compare(node.left, [opposite[type(node.ops[0])]()], node.comparators)
    if isinstance(node, ast.BoolOp):
        for i in range(len(node.values)):
            rest = [*node.values[:i], *node.values[i + 1 :]]
            yield "drop a condition", rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)


_MISTAKES = [
    _factors,
    _terms,
    _operators,
    _operands,
    _signs,
    _numbers,
    _names,
    _attributes,
    _keywords,
    _tuples,
    _returned,
    _conditions,
]

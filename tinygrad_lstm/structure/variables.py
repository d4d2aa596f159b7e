"""What the program calls what it computes: the variable that a line assigned it to; else what it is made of."""

from __future__ import annotations

import dis
from bisect import bisect_right
from functools import lru_cache
from types import CodeType
from typing import Any, NamedTuple

from ..engine.ops import getitem
from ..engine.primitive import Kind
from ..engine.tensor import Tensor

_STORES = ("STORE_FAST", "STORE_NAME", "STORE_DEREF", "STORE_GLOBAL")


def called(node: Tensor) -> str:
    """Return a node's name, or its variable, or what it is made of: f, or σ(z[0:4]) of a part of z; "" if none tells.

    >>> import tinygrad_lstm as tl
    >>> z = tl.tensor([1.0, 2.0], name="z") * 1
    >>> gate = tl.sigmoid(z[:1])
    >>> called(gate), called(tl.sigmoid(z[1:])), called(tl.chunk(z * z, 2)[1])
    ('gate', 'σ(z[1:2])', 'mul[1:2]')
    """
    own = node.name or variable(node)
    if own or node.primitive is None or not node.inputs:
        return own
    if node.primitive.kind is Kind.activation:
        inner = called(node.inputs[0])
        return f"{node.primitive.symbol}({inner})" if inner else ""
    part, x = piece(node), node.inputs[0]
    if part is None:
        return ""
    whole = x.name or variable(x) or (x.primitive.name if x.primitive else "")
    return f"{whole}[{part[0]}:{part[1]}]"


def variable(node: Tensor) -> str:
    """Return the variable that the line of a node assigned it to, be it as one of equal parts; "" if none.

    It is read off the compiled code: what stands right behind the call or the operator that made the node. So it is
    known at a prompt too, but not of a graph that was copied or loaded.
    """
    if not isinstance(node.code, CodeType):
        return ""
    read = _read(node.code)
    made = read.offsets[bisect_right(read.offsets, node.instruction) - 1]  # which may point behind a call
    names, part = read.names.get(made, ()), piece(node)
    if part is None or made not in read.calls:
        return names[0] if len(names) == 1 and names[0].isidentifier() else ""
    (begin, end), whole = part, node.inputs[0].shape[-1]
    size, left = divmod(whole, max(1, len(names)))
    is_one = len(names) > 1 and not left and end - begin == size and not begin % size  # of a list, as chunk returns it
    return names[begin // size] if is_one else ""


def piece(node: Tensor) -> tuple[int, int] | None:
    """Return where a slice of the last axis, and of no other, begins and ends; None of anything else."""
    if node.primitive is not getitem:
        return None
    index, (x,) = node.attrs["index"], node.inputs
    *before, last = index if isinstance(index, tuple) and index else (index,)
    others = [part for part in before if part is not ...]
    at_last = len(others) < len(before) or len(before) == x.ndim - 1
    if not at_last or not isinstance(last, slice) or not all(_is_whole(part) for part in others):
        return None
    begin, end, step = last.indices(x.shape[-1])
    return (begin, end) if step == 1 else None


def _is_whole(part: Any) -> bool:
    return isinstance(part, slice) and part == slice(None)


class _Assignments(NamedTuple):
    """Compiled code, read."""

    offsets: list[int]  # where instructions stand
    calls: set[int]  # where those that call
    names: dict[int, tuple[str, ...]]  # of what is assigned at once: the variable, or those it is unpacked into


@lru_cache(maxsize=256)
def _read(code: CodeType) -> _Assignments:
    """Return what one needs to know of compiled code."""
    found: dict[int, tuple[str, ...]] = {}
    instructions = list(dis.get_instructions(code))
    for k, made in enumerate(instructions):
        names, follows = _stored(instructions, k + 1), instructions[k + 1 : k + 2]
        if made.opname.startswith(("SWAP", "BUILD_TUPLE", "UNPACK_SEQUENCE", *_STORES)):
            continue
        if follows and follows[0].opname == "UNPACK_SEQUENCE":
            found[made.offset] = tuple(_stored(instructions, k + 2))[: follows[0].arg]
        elif follows and follows[0].opname == "BUILD_TUPLE":  # i, f, g, o = …, …, …, …
            unpacks = instructions[k + 2 : k + 3]
            if unpacks and unpacks[0].opname == "UNPACK_SEQUENCE" and unpacks[0].arg == follows[0].arg:
                names = _stored(instructions, k + 3)[: follows[0].arg]
                found |= _each(instructions, k, names[::-1])
        elif follows and follows[0].opname == "SWAP":  # a, b = …, …
            names = _stored(instructions, k + 2)[: follows[0].arg]
            found |= _each(instructions, k, names[::-1])
        else:
            found |= _each(instructions, k, names)
    calls = {each.offset for each in instructions if each.opname.startswith("CALL")}
    return _Assignments([each.offset for each in instructions], calls, found)


def _each(instructions: list[dis.Instruction], last: int, names: list[str]) -> dict[int, tuple[str, ...]]:
    """Return which instruction made the value that each name is for, from the top of the stack downwards."""
    found: dict[int, tuple[str, ...]] = {}
    for name in names:
        if last < 0:
            break
        found[instructions[last].offset] = (name,)
        height = 0
        while last >= 0 and height < 1:  # to where the computing of this value begins: before it that below was made
            made = instructions[last]
            if made.opcode in dis.hasjrel or made.opcode in dis.hasjabs:
                return found
            height += dis.stack_effect(made.opcode, made.arg)
            last -= 1
    return found


def _stored(instructions: list[dis.Instruction], begin: int) -> list[str]:
    """Return the variables into which instructions store, one after another; from Python 3.13 on one may store two."""
    names: list[str] = []
    for each in instructions[begin:]:
        if not each.opname.startswith(_STORES):
            break
        stored = each.argval if isinstance(each.argval, tuple) else (each.argval,)
        loads = "LOAD" in each.opname
        names += map(str, stored[:1] if loads else stored)
        if loads:
            break
    return names

"""The commands: one table of words for the terminal and the page, each the name of a method of the stepper."""

from __future__ import annotations

import re
from keyword import iskeyword
from typing import NamedTuple

from ..structure.terms import explained
from .recording.event import Event


class Command(NamedTuple):
    """A word, its abbreviations, what follows it, what it does, and its key on the page."""

    name: str
    short: str
    argument: str
    meaning: str
    key: str = ""


PLACE = "op:tanh, t:3, node:t3.cell.add, a module, or forget_gate t:2 if norm < 1e-3"

COMMANDS: tuple[Command, ...] = (
    Command("step", "s", "[N]", "forward by one event, or by N", "→"),
    Command("next", "n", "", "forward past the rest of this node (or gate, or cell: see up)", "n"),
    Command("return", "r", "", "forward until this module and its time step are left", "r"),
    Command("until", "unt", "PLACE", "forward to a place, such as op:tanh or t:3"),
    Command("continue", "c", "", "forward to the next breakpoint, or to the end", "c"),
    Command("goto", "g", "N", "to event N"),
    Command("reverse-step", "rs", "[N]", "back by one event, or by N", "←"),
    Command("reverse-next", "rn", "", "back to the node before (or gate, or cell)", "N"),
    Command("reverse-continue", "rc", "", "back to the breakpoint before, or to the beginning", "C"),
    Command("up", "u", "", "next passes over more: a gate, then a cell", "u"),
    Command("down", "d", "", "next passes over less: a gate, then an operation", "d"),
    Command("break", "b", "PLACE", f"stop there: {PLACE}", "b"),
    Command("tbreak", "tb", "PLACE", "stop there once"),
    Command("watch", "wa", "NAME.grad", "stop at each += to a gradient"),
    Command("delete", "cl", "N", "forget breakpoint N"),
    Command("info", "i", "breakpoints", "the breakpoints there are; info health: what is wrong with this network"),
    Command("print", "p", "[NAME]", "numbers: upstream, norm, a tensor, or its gradient so far as w.grad"),
    Command("display", "disp", "[NAME]", "print it at every stop"),
    Command("undisplay", "undisp", "N", "display N no longer"),
    Command("where", "w bt", "", "module, cell, gate and operation, and the lines that made them", "w"),
    Command("list", "l", "[N]", "the events around this one, or around N"),
    Command("flow", "fl", "", "how large the gradient of each state is at every step, and which gates saturate"),
    Command(
        "thread", "th", "[N]", "unit N at every step: its gates and states, and what has arrived at their gradients"
    ),
    Command("paths", "pa", "NAME", "the ways a gradient came: through which gate, or along the belt"),
    Command("help", "h ?", "[COMMAND]", "this list, one line of it, or what a term means: help upstream", "?"),
    Command("quit", "q", "", "leave"),
)
"""gdb's words, pdb's abbreviations."""

NUMBERED = {"goto": "an event", "delete": "a breakpoint", "undisplay": "a display"}
"""What the commands that need a number need it of."""


class UsageError(ValueError):
    """A command that cannot be carried out as it was written."""


def run_command(line: str, stepper: object) -> str | None:
    """Do what a line says by the method of that name; return the answer, or None if the new position is the answer.

    Raises ValueError or IndexError for what cannot be done, naming what can.

    >>> import tinygrad_lstm as tl
    >>> stepper = tl.step(tl.tanh(tl.tensor(0.5, requires_grad=True, name="x")))
    >>> run_command("step", stepper), run_command("print norm", stepper)
    (None, '0.786448')
    """
    word, rest = divided(line)
    command = find(word)
    if rest and not command.argument:
        raise UsageError(f"{command.name} takes nothing more, not {rest!r}")
    if command.name == "quit":
        return None
    name = command.name.replace("-", "_")
    method = getattr(stepper, f"{name}_" if iskeyword(name) else name)
    answer = method(*_arguments(command, rest))
    return None if isinstance(answer, Event) else str(answer)


def _arguments(command: Command, rest: str) -> tuple[str | int, ...]:
    """Return what the method of a command is called with."""
    if not rest and (not command.argument or command.argument.startswith("[")):
        return ()
    if command.argument not in ("N", "[N]"):
        if not rest and command.argument == "NAME":
            raise UsageError(f"{command.name} needs the name of a tensor, as in: {command.name} t1.c")
        return (rest,)
    if not rest:
        raise UsageError(f"{command.name} needs the number of {NUMBERED[command.name]}, as in: {command.name} 12")
    if not re.fullmatch("[0-9]{1,9}", rest):
        raise UsageError(f"{command.name} takes a whole number, not {rest!r}")
    return (int(rest),)


def divided(line: str) -> tuple[str, str]:
    """Return the word of a line, and the rest."""
    word, *rest = line.strip().split(None, 1) or [""]
    return word, rest[0] if rest else ""


def find(word: str) -> Command:
    """Return the command of that name, abbreviation, or unambiguous beginning."""
    for command in COMMANDS:
        if word in (command.name, *command.short.split()):
            return command
    found = [command for command in COMMANDS if word and command.name.startswith(word)]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"{word!r} may be {', '.join(command.name for command in found)}")
    back = "; reverse-step goes back" if word in ("back", "prev", "previous", "undo") else ""
    raise UsageError(f"no command {word!r}{back}; help lists them")


def helped(word: str = "") -> str:
    """Return what a word does, or what all of them do."""
    usages = {command: f"{command.name} {command.argument}" for command in COMMANDS}
    if meaning := explained(word):
        return meaning
    if word:
        command = find(word)
        return f"{usages[command].strip()}, or {command.short}: {command.meaning}"
    width = max(map(len, usages.values()))
    rows = [f"{usage:<{width}}  {command.short:<6}  {command.meaning}" for command, usage in usages.items()]
    return "\n".join([*rows, "an empty line repeats the last command; any unambiguous beginning of a word will do"])

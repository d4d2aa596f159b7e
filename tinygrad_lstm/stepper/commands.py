"""The commands: one table of words for the terminal and the page, each a method of the stepper."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from .cursor import Cursor

Run = Callable[[Cursor, str], str | None]


@dataclass(frozen=True)
class Command:
    """A word, its abbreviation, what follows it, and what it does.

    ``run`` returns what there is to say, or None where the new position says it.
    """

    name: str
    short: str
    argument: str
    meaning: str
    run: Run
    key: str = ""  # on the page


class UsageError(ValueError):
    """A command that cannot be carried out as it was written."""


def run_command(line: str, stepper: Cursor) -> str | None:
    """Do what a line says; what to answer, or None if the new position is the answer.

    Raises ValueError or IndexError for what cannot be done, saying what can.

    >>> import tinygrad_lstm as tl
    >>> stepper = tl.step(tl.tanh(tl.tensor(0.5, requires_grad=True, name="x")))
    >>> run_command("step", stepper), run_command("print norm", stepper)
    (None, 0.786448)
    """
    word, rest = divided(line)
    command = find(word)
    if rest and not command.argument:
        raise UsageError(f"{command.name} takes nothing more, not {rest!r}")
    return command.run(stepper, rest)


def divided(line: str) -> tuple[str, str]:
    """The word of a line, and the rest."""
    word, *rest = line.strip().split(None, 1) or [""]
    return word, rest[0] if rest else ""


def find(word: str) -> Command:
    """The command of that name, abbreviation, or unambiguous beginning."""
    for command in COMMANDS:
        if word in (command.name, *command.short.split()):
            return command
    found = [command for command in COMMANDS if word and command.name.startswith(word)]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"{word!r} may be {', '.join(command.name for command in found)}")
    raise UsageError(f"no command {word!r}; help lists them")


def _move(method: Callable[[Cursor], object]) -> Run:
    """A move that takes nothing more."""

    def run(stepper: Cursor, rest: str) -> None:
        method(stepper)

    return run


def _repeated(name: str, method: Callable[[Cursor, int], object]) -> Run:
    def run(stepper: Cursor, rest: str) -> None:
        method(stepper, _number(name, rest) if rest else 1)

    return run


def _answer(method: Callable[[Cursor], str]) -> Run:
    return lambda stepper, rest: method(stepper)


def _until(stepper: Cursor, rest: str) -> None:
    stepper.until(rest)


def _goto(stepper: Cursor, rest: str) -> None:
    stepper.goto(_number("goto", rest, "an event"))


def _delete(stepper: Cursor, rest: str) -> str:
    stepper.delete(_number("delete", rest, "a breakpoint"))
    return f"breakpoint {rest} is forgotten"


def _undisplay(stepper: Cursor, rest: str) -> str:
    stepper.undisplay(_number("undisplay", rest, "a display"))
    return f"display {rest} is no longer shown"


def _info(stepper: Cursor, rest: str) -> str:
    if rest and not "breakpoints".startswith(rest):
        raise UsageError(f"info tells of breakpoints, not of {rest!r}")
    return stepper.info()


def helped(word: str = "") -> str:
    """What a word does, or what all of them do."""
    if word:
        command = find(word)
        return f"{command.name} {command.argument}".strip() + f", or {command.short}: {command.meaning}"
    width = max(len(f"{command.name} {command.argument}") for command in COMMANDS)
    rows = (
        f"{f'{command.name} {command.argument}':<{width}}  {command.short:<6}  {command.meaning}"
        for command in COMMANDS
    )
    return "\n".join([*rows, "an empty line repeats the last command; any unambiguous beginning of a word will do"])


def _number(name: str, rest: str, of: str = "") -> int:
    if of and not rest:
        raise UsageError(f"{name} needs the number of {of}, as in: {name} 12")
    if not re.fullmatch("[0-9]{1,9}", rest):
        raise UsageError(f"{name} takes a whole number, not {rest!r}")
    return int(rest)


PLACE = "op:tanh, t:3, node:t3.cell.add, a module, or forget_gate t:2 if norm < 1e-3"

COMMANDS: tuple[Command, ...] = (
    Command("step", "s", "[N]", "forward by one event, or by N", _repeated("step", Cursor.step), "→"),
    Command(
        "next",
        "n",
        "",
        "forward past the rest of this node (or gate, or cell: see up)",
        _move(Cursor.next),
        "n",
    ),
    Command("return", "r", "", "forward until this module and its time step are left", _move(Cursor.return_), "r"),
    Command("until", "unt", "PLACE", "forward to a place, such as op:tanh or t:3", _until),
    Command("continue", "c", "", "forward to the next breakpoint, or to the end", _move(Cursor.continue_), "c"),
    Command("goto", "g", "N", "to event N", _goto),
    Command(
        "reverse-step", "rs", "[N]", "back by one event, or by N", _repeated("reverse-step", Cursor.reverse_step), "←"
    ),
    Command(
        "reverse-next",
        "rn",
        "",
        "back to the node before (or gate, or cell)",
        _move(Cursor.reverse_next),
        "N",
    ),
    Command(
        "reverse-continue",
        "rc",
        "",
        "back to the breakpoint before, or to the beginning",
        _move(Cursor.reverse_continue),
        "C",
    ),
    Command("up", "u", "", "next passes over more: a gate, then a cell", _answer(Cursor.up), "u"),
    Command("down", "d", "", "next passes over less: a gate, then an operation", _answer(Cursor.down), "d"),
    Command("break", "b", "PLACE", f"stop there: {PLACE}", lambda stepper, rest: str(stepper.break_(rest)), "b"),
    Command("tbreak", "tb", "PLACE", "stop there once", lambda stepper, rest: str(stepper.tbreak(rest))),
    Command(
        "watch", "wa", "NAME.grad", "stop at each += to a gradient", lambda stepper, rest: str(stepper.watch(rest))
    ),
    Command("delete", "cl", "N", "forget breakpoint N", _delete),
    Command("info", "i", "breakpoints", "the breakpoints there are", _info),
    Command(
        "print",
        "p",
        "[NAME]",
        "numbers: upstream, norm, a tensor, or its gradient so far as w.grad",
        lambda stepper, rest: stepper.print(rest or "contribution"),
    ),
    Command("display", "disp", "[NAME]", "print it at every stop", lambda stepper, rest: stepper.display(rest or None)),
    Command("undisplay", "undisp", "N", "display N no longer", _undisplay),
    Command(
        "where",
        "w bt",
        "",
        "module, cell, gate and operation, and the lines that made them",
        _answer(Cursor.where),
        "w",
    ),
    Command(
        "list",
        "l",
        "[N]",
        "the events around this one, or around N",
        lambda stepper, rest: stepper.list(_number("list", rest) if rest else None),
    ),
    Command("help", "h ?", "[COMMAND]", "this list, or one line of it", lambda stepper, rest: helped(rest), "?"),
    Command("quit", "q", "", "leave", _move(lambda stepper: None)),
)
"""gdb's words, pdb's abbreviations."""

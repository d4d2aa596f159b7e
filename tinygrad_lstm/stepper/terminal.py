"""The stepper in the terminal: gdb's words, one per line; an empty line repeats the last."""

from __future__ import annotations

import sys
from collections.abc import Callable

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from .cursor import Stepper

COMMANDS = {
    "step": ("s", "[N]", "forward by one contribution, or by N"),
    "next": ("n", "", "forward to the next node"),
    "return": ("r", "", "forward until this module is left"),
    "until": ("unt", "PLACE", "forward to a place, such as op:tanh or t:3"),
    "continue": ("c", "", "forward to the next breakpoint"),
    "reverse-step": ("rs", "[N]", "back by one contribution, or by N"),
    "reverse-next": ("rn", "", "back to the node before"),
    "reverse-continue": ("rc", "", "back to the breakpoint before"),
    "goto": ("g", "N", "to event N"),
    "break": ("b", "PLACE", "stop there: op:tanh, t:3, forget_gate if norm < 1e-3"),
    "tbreak": ("tb", "PLACE", "stop there once"),
    "watch": ("wa", "NAME.grad", "stop at each += to a gradient"),
    "delete": ("d", "N", "forget breakpoint N"),
    "info": ("i", "breakpoints", "the breakpoints there are"),
    "where": ("w", "", "show the current position again"),
    "help": ("h", "", "this list"),
    "quit": ("q", "", "leave"),
}


def walk(stepper: Stepper, console: Console | None = None) -> None:
    """Read commands until ``quit``, the end of the input, or Ctrl-C."""
    console = console or Console(highlight=False)
    show(stepper, console)
    console.print(
        Text("step, next, continue, reverse-step, break PLACE, help, quit; an empty line repeats", style="dim")
    )
    last = "step"
    while True:
        line = _read(console)
        if line is None:
            return
        last = line or last
        if not obey(last, stepper, console):
            return


def obey(line: str, stepper: Stepper, console: Console) -> bool:
    """Carry out one command; False when it was the last."""
    word, _, rest = line.partition(" ")
    name = next((name for name, (short, _, _) in COMMANDS.items() if word in (name, short)), None)
    if name == "quit":
        return False
    if name is None:
        console.print(Text(f"no command {word!r}; help lists them", style="red"))
        return True
    try:
        said = _carry_out(name, rest.strip(), stepper)
    except (ValueError, IndexError) as error:
        console.print(Text(str(error), style="red"))
        return True
    if name == "help":
        _help(console)
    elif said is None:
        show(stepper, console)
    else:
        console.print(Text(said))
    return True


def _carry_out(name: str, rest: str, stepper: Stepper) -> str | None:
    """Move, or set a place to stop; what to say if there is nothing new to show."""
    moves: dict[str, Callable[[], object]] = {
        "step": lambda: stepper.step(_count(name, rest)),
        "next": stepper.next,
        "return": stepper.return_,
        "until": lambda: stepper.until(rest),
        "continue": stepper.continue_,
        "reverse-step": lambda: stepper.reverse_step(_count(name, rest)),
        "reverse-next": stepper.reverse_next,
        "reverse-continue": stepper.reverse_continue,
        "goto": lambda: stepper.goto(_count(name, rest)),
        "where": lambda: None,
        "help": lambda: None,
    }
    if name in moves:
        if rest and not COMMANDS[name][1]:
            raise ValueError(f"{name} takes nothing more, not {rest!r}")
        moves[name]()
        return None
    if name == "delete":
        stepper.delete(_count(name, rest))
        return f"breakpoint {rest} is forgotten"
    if name == "info":
        return "\n".join(map(str, stepper.breakpoints)) or "no breakpoints; break PLACE sets one"
    made = stepper.watch(rest) if name == "watch" else stepper.break_(rest, temporary=name == "tbreak")
    return str(made)


def show(stepper: Stepper, console: Console) -> None:
    event = stepper.current
    table = Table.grid(padding=(0, 2))
    table.add_column(style="cyan", justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in event.facts():
        table.add_row(Text(label), Text(text, style="bold" if label in ("rule", "= after") else ""))
    title = Text(f"{event.phase} {stepper.position} of {len(stepper) - 1}")
    end = Text("the walk is complete") if stepper.at_end else None
    console.print(Panel(table, title=title, subtitle=end, title_align="left", expand=False))


def _count(name: str, rest: str) -> int:
    if name in ("goto", "delete") and not rest:
        of = {"goto": "an event", "delete": "a breakpoint"}[name]
        raise ValueError(f"{name} needs the number of {of}, as in: {name} 12")
    if not rest:
        return 1
    if not rest.isdecimal() or len(rest) > 9:
        raise ValueError(f"{name} takes a whole number, not {rest!r}")
    return int(rest)


def _read(console: Console) -> str | None:
    try:
        if sys.stdin is None:
            return None
        if sys.stdin.isatty():
            return console.input("(step) ").strip()
        line = sys.stdin.readline()
    except (EOFError, KeyboardInterrupt):
        console.print()
        return None
    return line.strip() if line else None


def _help(console: Console) -> None:
    table = Table.grid(padding=(0, 2))
    for name, (short, argument, meaning) in COMMANDS.items():
        table.add_row(Text(f"{name} {argument}".strip(), style="bold"), Text(short, style="cyan"), Text(meaning))
    console.print(table)

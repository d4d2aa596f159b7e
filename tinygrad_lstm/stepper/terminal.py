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
    "reverse-step": ("rs", "[N]", "back by one contribution, or by N"),
    "goto": ("g", "N", "to event N"),
    "where": ("w", "", "show the current position again"),
    "help": ("h", "", "this list"),
    "quit": ("q", "", "leave"),
}


def walk(stepper: Stepper, console: Console | None = None) -> None:
    """Read commands until ``quit``, the end of the input, or Ctrl-C."""
    console = console or Console(highlight=False)
    show(stepper, console)
    console.print(Text("step, next, reverse-step, goto N, help, quit; an empty line repeats", style="dim"))
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
    word, *arguments = line.split()
    name = next((name for name, (short, _, _) in COMMANDS.items() if word in (name, short)), None)
    if name == "quit":
        return False
    if name == "help":
        _help(console)
        return True
    moves: dict[str | None, Callable[[int], object]] = {
        "step": stepper.step,
        "next": lambda _: stepper.next(),
        "reverse-step": stepper.reverse_step,
        "goto": stepper.goto,
        "where": lambda _: None,
    }
    if name not in moves:
        console.print(Text(f"no command {word!r}; help lists them", style="red"))
        return True
    try:
        moves[name](_count(name, arguments))
    except (ValueError, IndexError) as error:
        console.print(Text(str(error), style="red"))
        return True
    show(stepper, console)
    return True


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


def _count(name: str | None, arguments: list[str]) -> int:
    if name == "goto" and not arguments:
        raise ValueError("goto needs the number of an event, as in: goto 12")
    if not arguments:
        return 1
    if not arguments[0].isdecimal() or len(arguments[0]) > 9:
        raise ValueError(f"{name} takes a whole number, not {arguments[0]!r}")
    return int(arguments[0])


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

"""The stepper in the terminal: panes and line editing for a person, plain text for a script.

A line is a command; an empty one repeats the last. What is not a terminal is read and answered without any decoration,
so that a session can be kept in a file, and compared.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import Completer, Completion
from prompt_toolkit.document import Document
from rich.console import Console
from rich.segment import Segment, Segments
from rich.text import Text

from ...structure.words import printable
from ..breakpoints import QUANTITIES
from ..commands import COMMANDS, divided, find, run_command
from ..cursor import Cursor
from ..inspection import ARRAYS
from ..recording.event import Event
from .panes import headline, panes

PROMPT = "(step) "
BELOW = 4
"""Lines of a screen that the prompt takes, what was typed, and the headline below it."""

_AS_IT_IS: Any = {"drop_whitespace": False, "replace_whitespace": False, "break_on_hyphens": False}
HINT = "step, next, reverse-step, continue, break PLACE, where, help, quit; an empty line repeats, Tab completes"


def walk(stepper: Cursor, console: Console | None = None) -> None:
    """Read commands until ``quit``, the end of the input, or Ctrl-C."""
    console = console or Console(highlight=False)
    if stepper.note:
        _say(console, stepper.note, "yellow")
    show(stepper, console)
    if sys.stdin is None:
        return
    read: Callable[[], str] = input
    if console.is_terminal and sys.stdin.isatty():
        console.print(Text(HINT, style="dim"))
        words = _Words(stepper)
        read = PromptSession(
            PROMPT,
            completer=words,
            complete_in_thread=True,
            complete_while_typing=False,
            bottom_toolbar=lambda: headline(stepper, console.width),  # never scrolls away
        ).prompt
    last, rest = "step", list[str]()
    while True:
        try:
            line = read().strip()
        except (EOFError, KeyboardInterrupt):
            break
        if rest and not line:
            _page(console, rest)
            continue
        last = line or last
        rest.clear()
        if not run_line(last, stepper, console, rest):
            break


def run_line(line: str, stepper: Cursor, console: Console, rest: list[str] | None = None) -> bool:
    """Carry out one command and print what comes of it; return False when it was the last.

    In a terminal, the lines of an answer that its screen does not hold are left in ``rest``.
    """
    before = stepper.position
    try:
        if find(divided(line)[0]).name == "quit":
            return False
        answer = run_command(line, stepper)
    except (ValueError, IndexError) as error:
        _say(console, str(error), "red")
        return True
    if answer is not None:
        if rest is None or not console.is_terminal:
            _say(console, answer)
        else:
            rest += _lines(answer, console.width)
            _page(console, rest)
        return True
    show(stepper, console)
    if stepper.position == before:
        end = "end" if stepper.at_end else "beginning"
        stayed = "here already" if before and not stepper.at_end else f"this is the {end} of the walk"
        console.print(Text(stayed, style="yellow"))
    return True


def show(stepper: Cursor, console: Console) -> None:
    """Print the current position, as panes if it is a terminal that shows it."""
    if console.is_terminal:
        lines = console.render_lines(panes(stepper, console.width), pad=False)
        room = max(console.height - BELOW, 4)
        kept = lines if len(lines) <= room else lines[: room - 1]
        console.print(Segments([part for row in kept for part in (*row, Segment.line())]), end="")
        if len(kept) < len(lines):
            console.print(Text(f"… {len(lines) - len(kept)} more lines; print and list show them", style="dim"))
        return
    for text in (str(stepper.current), *stepper.displayed()):
        _say(console, text)


def _lines(text: str, width: int) -> list[str]:
    """Return a text in lines that a screen of a width has."""
    return [part for line in printable(text).split("\n") for part in (textwrap.wrap(line, width, **_AS_IT_IS) or [""])]


def _page(console: Console, rest: list[str]) -> None:
    """Print as many of the lines as a screen holds, and keep the others."""
    room = max(console.height - BELOW, 4)
    shown = rest[:] if len(rest) <= room else rest[: room - 1]
    del rest[: len(shown)]
    for line in shown:
        console.print(Text(line), soft_wrap=True)
    if rest:
        console.print(Text(f"… {len(rest)} more lines; an empty line shows them", style="dim"))


def _say(console: Console, text: str, style: str = "") -> None:
    console.print(Text(printable(text), style=style), soft_wrap=True)


class _Words(Completer):
    """The words of the table; then what a command takes: places, names, gradients."""

    def __init__(self, stepper: Cursor) -> None:
        self._stepper = stepper

    def get_completions(self, document: Document, complete_event: object) -> Iterator[Completion]:
        """Yield what may stand where the cursor is."""
        word = document.get_word_before_cursor(WORD=True)
        for text in completions(document.text_before_cursor, self._stepper):
            if text.startswith(word):
                yield Completion(text, -len(word))


def completions(line: str, stepper: Cursor) -> list[str]:
    """Return what may stand where a line ends.

    >>> import tinygrad_lstm as tl
    >>> stepper = tl.step(tl.tanh(tl.tensor(0.5, requires_grad=True, name="x")))
    >>> completions("watch ", stepper)
    ['x.grad', 'tanh.grad']
    """
    first, space, _ = line.lstrip().partition(" ")
    words = [command.name for command in COMMANDS]
    if not space:
        return words
    try:
        argument = find(first).argument
    except ValueError:
        return []
    ids = list(stepper.graph.ids.values())
    if argument == "PLACE":
        return list(dict.fromkeys(place for event in stepper.events for place in _places(event)))
    if argument == "NAME.grad":
        return [f"{id}.grad" for id in ids]
    if argument == "NAME":
        return ids
    if argument == "[NAME]":
        return [*dict.fromkeys((*ARRAYS, *QUANTITIES)), *ids]
    if argument == "[COMMAND]":
        return words
    return [argument] if argument.islower() else []


def _places(event: Event) -> list[str]:
    """Return the words that break knows for where an event is."""
    time = [] if event.time is None else [f"t:{event.time}"]
    scope = [".".join(event.scope)] if event.scope else []
    operation = [] if event.node.is_leaf else [f"op:{event.operation}"]
    return [*scope, *time, *operation, f"node:{event.graph.ids[event.node]}"]

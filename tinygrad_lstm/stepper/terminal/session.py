"""The stepper in the terminal: panes and line editing for a person, plain text for a script.

A line is a command; an empty one repeats the last. What is not a terminal is read and answered without any decoration,
so that a session can be kept in a file, and compared.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from ..breakpoints import QUANTITIES
from ..commands import COMMANDS, divided, find, run_command
from ..cursor import Cursor
from ..inspection import ARRAYS
from ..recording.event import Event

if TYPE_CHECKING:
    from prompt_toolkit.completion import Completer

PROMPT = "(step) "
HINT = "step, next, reverse-step, continue, break PLACE, where, help, quit; an empty line repeats, Tab completes"


def walk(stepper: Cursor, console: Console | None = None) -> None:
    """Read commands until ``quit``, the end of the input, or Ctrl-C."""
    console = console or Console(highlight=False)
    person = console.is_terminal and sys.stdin is not None and sys.stdin.isatty()
    show(stepper, console)
    if person:
        console.print(Text(HINT, style="dim"))
    read = _prompting(stepper) if person else _reading
    last = "step"
    while True:
        try:
            line = read().strip()
        except (EOFError, KeyboardInterrupt):
            break
        last = line or last
        if not run_line(last, stepper, console):
            break


def run_line(line: str, stepper: Cursor, console: Console) -> bool:
    """Carry out one command; False when it was the last."""
    before = stepper.position
    try:
        if find(divided(line)[0]).name == "quit":
            return False
        said = run_command(line, stepper)
    except (ValueError, IndexError) as error:
        console.print(Text(str(error), style="red"), soft_wrap=True)
        return True
    if said is not None:
        console.print(Text(said), soft_wrap=True)
        return True
    show(stepper, console)
    if stepper.position == before:
        end = "end" if stepper.at_end else "beginning" if not before else "same place"
        console.print(Text(f"this is the {end} of the walk" if end != "same place" else "here already", style="yellow"))
    return True


def show(stepper: Cursor, console: Console) -> None:
    """The current position, as panes if it is a terminal that shows it."""
    if console.is_terminal:
        from .panes import panes

        console.print(panes(stepper, console.width))
        return
    console.print(Text(str(stepper.current)), soft_wrap=True)
    for line in stepper.displayed():
        console.print(Text(line), soft_wrap=True)


def _reading() -> str:
    """A line of standard input. Raises EOFError after the last."""
    line = "" if sys.stdin is None else sys.stdin.readline()
    if not line:
        raise EOFError
    return line


def _prompting(stepper: Cursor) -> Callable[[], str]:
    """A line that can be edited, with those before it and completion."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import ThreadedCompleter

    session: PromptSession[str] = PromptSession(
        completer=ThreadedCompleter(_completer(stepper)), complete_while_typing=False
    )
    return lambda: session.prompt(PROMPT)


def _completer(stepper: Cursor) -> Completer:
    from prompt_toolkit.completion import Completer, Completion
    from prompt_toolkit.document import Document

    class Words(Completer):
        """The words of the table; then what a command takes: places, names, gradients."""

        def get_completions(self, document: Document, complete_event: object) -> list[Completion]:
            word = document.get_word_before_cursor(WORD=True)
            offered = completions(document.text_before_cursor, stepper)
            return [Completion(text, -len(word)) for text in offered if text.startswith(word)]

    return Words()


def completions(line: str, stepper: Cursor) -> list[str]:
    """What may stand where a line ends.

    >>> import tinygrad_lstm as tl
    >>> stepper = tl.step(tl.tanh(tl.tensor(0.5, requires_grad=True, name="x")))
    >>> completions("watch ", stepper)
    ['x.grad', 'tanh.grad']
    """
    first, space, _ = line.lstrip().partition(" ")
    if not space:
        return [command.name for command in COMMANDS]
    try:
        argument = find(first).argument
    except ValueError:
        return []
    ids = list(stepper.graph.ids.values())
    if "PLACE" in argument:
        return list(dict.fromkeys(place for event in stepper.events for place in _places(event)))
    if argument == "NAME.grad":
        return [f"{id}.grad" for id in ids]
    if "COMMAND" in argument:
        return [command.name for command in COMMANDS]
    if "NAME" in argument:
        return [*dict.fromkeys((*ARRAYS, *QUANTITIES)), *ids]
    return [argument] if argument.islower() else []


def _places(event: Event) -> list[str]:
    """The words that break knows for where an event is."""
    time = [] if event.time is None else [f"t:{event.time}"]
    scope = [".".join(event.scope)] if event.scope else []
    operation = [] if event.node.is_leaf else [f"op:{event.operation}"]
    return [*scope, *time, *operation, f"node:{event.graph.ids[event.node]}"]

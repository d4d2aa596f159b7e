"""A program as text, as functions, and as lines that know where they come from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..engine.primitive import Primitive
from ..engine.source import Line as Place
from ..structure.origin import origin
from .numpy_text import Line


class SourceCode:
    """A program: ``print`` shows it, calling it runs it.

    ``arguments`` are what it was recorded with, by the names it gives them; ``operations`` what it cannot express.
    """

    def __init__(
        self,
        lines: Sequence[Line],
        names: Sequence[str],
        arguments: dict[str, Any],
        operations: dict[str, Primitive],
        seeds: Sequence[str],
    ) -> None:
        self.text = "\n".join(line for line, _ in lines) + "\n"
        self.arguments, self.operations, self.seeds = arguments, operations, seeds
        self._names = names
        self._nodes = [node for _, node in lines]
        self._functions: tuple[Callable[..., Any], ...] = ()

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__

    def origin(self, line: int) -> Place | None:
        """Return from which line of the network's program a line of this one comes, the first being 1."""
        node = self._nodes[line - 1]
        return None if node is None else origin(node)

    @property
    def functions(self) -> tuple[Callable[..., Any], ...]:
        """What the text says, as functions: the whole, or forwards and backwards."""
        if not self._functions:
            namespace: dict[str, Any] = {}
            exec(compile(self.text, f"<{self._names[0]}>", "exec"), namespace)
            self._functions = tuple(namespace[name] for name in self._names)
        return self._functions

    def __call__(self, /, **changed: Any) -> Any:
        """Run it with what it was recorded with, but for what is given by name."""
        given = {**self.arguments, **changed}
        if self.operations:
            given["operations"] = self.operations
        return self.functions[0](**given)

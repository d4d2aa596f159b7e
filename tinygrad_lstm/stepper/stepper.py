"""The stepper: a cursor with the interfaces that stand on it, the terminal, the page and the notebook."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from numpy.typing import ArrayLike

from ..engine.tensor import Tensor
from ..interop.files import write_file
from ..structure.window import Window
from .cursor import Cursor


class Stepper(Cursor):
    """A cursor over the program and its backward walk, which a terminal, a page and a notebook show.

    >>> import tinygrad_lstm as tl
    >>> x = tl.tensor(3.0, requires_grad=True, name="x")
    >>> stepper = tl.step(x * x)
    >>> stepper.step(2).after, stepper.reverse_step().after
    (array(6.), array(3.))
    """

    def terminal(self) -> None:
        """Walk in the terminal, or read commands from standard input."""
        from .terminal.session import walk

        walk(self)

    def page(
        self,
        path: str | os.PathLike[str],
        *,
        makers: Mapping[str, Callable[[int], Tensor]] | None = None,
        cell: str = "",
        report: Callable[[int, int], object] = lambda done, total: None,
    ) -> Path:
        """Write the walk as one HTML file that needs nothing else, to step through in a browser; return its path.

        It opens where the stepper is, with its breakpoints, however long the walk is.

        Arguments:
            path: the file, which ends in ``.html``.
            makers: by the names of cells, functions that make the same loss over so many time steps, as
                ``{"lstm": lambda steps: ...}``; the page can then be set to 1 to 100 steps, and to another cell.
            cell: the name of the one that made this loss.
            report: told after each recording of them how many there are, and of how many.

        Raises ValueError for a name that is not of HTML, and for a cell that none of the makers is called.
        """
        from .web.page import page

        if Path(path).suffix.lower() not in (".html", ".htm"):
            raise ValueError(f"a page is HTML: the name must end in .html, not {os.fspath(path)!r}")
        if makers and cell not in makers:
            raise ValueError(f"cell={cell!r} is none of the makers: {', '.join(makers)}")
        return write_file(path, page(self, makers, cell, report=report))

    def film(
        self,
        path: str | os.PathLike[str],
        every: str = "gate",
        *,
        steps: Window = None,
        report: Callable[[int, int], object] | None = None,
    ) -> Path:
        """Write the backward pass as an animation for slides, 1280 by 720; return its path.

        A path that ends in ``.gif`` is an animated GIF, which needs the extra ``images``; any other a folder of
        numbered SVGs. Each frame shows the gates with what is at work lit and what is not reached yet pale, its
        equations, and where the walk is; ``every`` is what a frame shows: a ``"gate"``, or operation outside of gates,
        a ``"contribution"``, a ``"cell"`` or a time ``"step"``. ``steps`` as for ``draw``: ``(a, b)`` shows the time
        steps of ``range(a, b)``. ``report`` is told after each frame how many there are, and of how many.

        Raises ValueError for another ending, for a folder that holds something else, for what ``every`` cannot be, for
        a walk in which nothing happens, and for more than 400 frames; ModuleNotFoundError without the extra.
        """
        from .film.writing import film

        return film(self.events, path, every, steps=steps, report=report)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        from .web.page import frame

        return {"text/html": frame(self), "text/plain": repr(self)}


def step(output: Tensor, seed: ArrayLike | Tensor | None = None) -> Stepper:
    """Return a stepper at the beginning of the backward walk from an output; ``seed`` as for ``backward``.

    >>> import tinygrad_lstm as tl
    >>> tl.step(tl.tensor(3.0, requires_grad=True, name="x") * 2).step().formula
    '∂L/∂x += ∂L/∂y · 2'
    """
    return Stepper(output, seed)

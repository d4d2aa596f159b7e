"""The program of a network: what it computes, and its backward pass, as plain numpy that a person can read and run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..engine.errors import called, short
from ..engine.graph import Graph
from ..engine.tensor import Tensor
from ..structure.rolling import roll
from .compiled import Compiled
from .general import (
    GATHERS,
    IN_PLACE,
    LEVELS,
    General,
    bound,
    called_by_names,
    of_function,
    seed_of,
    signature_of,
)
from .letters import Sizes
from .names import of_leaves
from .passes import optimized
from .recording import parts_of, with_counts
from .source_code import SourceCode
from .surroundings import Surroundings
from .trying import Tried, require_recorded
from .writing import Job, write


def source(
    what: Any, *example: Any, wrt: Tensor | Sequence[Tensor] | None = None, optimize: int = 0, **named: Any
) -> SourceCode:
    """Return the program that computes a loss and its gradients: plain numpy, printed, and run when it is called.

    Time is rolled up: what the network did step after step is one loop forwards, ``for t in range(T)``, and one
    backwards, whoever unrolled it. Names are those of the network; beside each line stands its equation.

    ``source(loss, wrt=[w])`` writes down the graph of a loss. It was recorded once, so sizes stand in the program as
    they were; it is run once and compared with the graph, unless it has operations of your own to run.
    ``source(f, x, h)`` takes a layer, or a function that returns tensors, and an example of what it is called with: it
    is recorded twice, with other numbers of steps and sequences and other data, and the program is one for all sizes,
    with a gradient for each output as a further argument unless f returns a single number. What cannot be such a
    program is refused; it is tried on the example, at one step, and at 37. Two things cannot be noticed: a decision by
    the data that falls the same way in both recordings, and what begins at a later step. Write them with ``tl.where``.

    Arguments:
        what: a loss, of a single number; or a layer or a function. The first array it takes is (T, N, ·) or (T, ·),
            by ``batch_first`` (N, T, ·).
        example: tensors, arrays, and tuples and lists of them.
        wrt: tensors of the graph, also such as were computed in it; by default all leaves that require a gradient. Of
            a function: of its arguments, and of what it closes over.
        optimize: 0 is written as the equations are; 1 merges products that share an operand; 2 computes what does not
            depend on the recurrence for all steps at once, and sums of products over steps as one; 3 computes σ by
            tanh besides, and works in place. Numbers are those of the graph to rounding, and at 0 to the bit.

    Returns:
        The program. ``print`` shows it; called, it returns the loss and a tuple of gradients for what was recorded,
        with other numbers for what is given by name. ``operations`` of your own that numpy does not have are an
        argument, too.

    Raises:
        TypeError, ValueError: for what is no loss, and for tensors of ``wrt`` that it does not depend on.
        NotExpressible: for a function that is not the same program at all sizes: naming the node, its step and its
            line.

    Source: P. J. Werbos, "Backpropagation Through Time: What It Does and How to Do It" (1990); A. Griewank &
    A. Walther, "Evaluating Derivatives" (2008), chapter 6, on differentiating by transforming the source.

    >>> import numpy as np, tinygrad_lstm as tl
    >>> w = tl.tensor(0.5, requires_grad=True, name="w")
    >>> h = tl.tensor(1.0, name="h_init")
    >>> for _ in range(5):
    ...     h = tl.tanh(w * h)
    >>> program = tl.source(h, wrt=[w])
    >>> loss, (dw,) = program()
    >>> float(dw) == tl.grad(h, [w])[0].item()
    True
    >>> "for t in reversed(range(T)):" in str(program)
    True
    """
    if optimize not in LEVELS or isinstance(optimize, bool):
        raise ValueError(f"optimize must be 0, 1, 2 or 3, not {short(optimize)}")
    if isinstance(what, Tensor):
        if example or named:
            raise TypeError("a loss was recorded already and takes no example: tl.source(loss, wrt=[w])")
        return _of_loss(what, _asked(wrt), optimize)
    what = what.function if isinstance(what, Compiled) else what
    if not callable(what) or isinstance(what, type):
        raise TypeError(f"tl.source takes a loss, or a layer or function and an example, not {short(what)}")
    try:
        given = bound(signature_of(what), example, named)
    except (TypeError, ValueError) as error:
        raise TypeError(f"the example does not fit: {error}; tl.source(f, x) takes what f takes") from error
    given = with_counts(given) or given
    around = Surroundings(what, *given.values())
    try:
        return _of_what(what, given, _asked(wrt), optimize)
    finally:
        around.restore()


def _of_what(what: Callable[..., Any], given: dict[str, Any], asked: list[Tensor] | None, optimize: int) -> SourceCode:
    parts = {id(part): path for path, part in parts_of(given)}
    if asked is None:
        return _tried(of_function(what, given, optimize=optimize), what, given)
    paths = {parts[id(x)] for x in asked if id(x) in parts}
    closed = {x for x in asked if id(x) not in parts}
    general = of_function(what, given, optimize=optimize, learns=lambda name, leaf: name in paths or leaf in closed)
    lost = closed.difference(general.closure.values())
    if lost:
        raise ValueError(f"the function does not depend on{called(lost.pop()) or ' a tensor'} of wrt")
    return _tried(general, what, given)


def _tried(general: General, f: Any, given: dict[str, Any]) -> SourceCode:
    """Return the program of a function if it computes the same at the sizes of the example, too."""
    if general.trial:
        Tried(general.trial, general.shapes, general.counts, called_by_names(f)).require(given, dict(parts_of(given)))
    return general.source


def _asked(wrt: Any) -> list[Tensor] | None:
    """Return the tensors that gradients are wanted of; refuse what is none."""
    if wrt is None:
        return None
    if not isinstance(wrt, Iterable):
        raise TypeError(f"wrt must be tensors, as in wrt=[w], not {short(wrt)}")
    asked = [wrt] if isinstance(wrt, Tensor) else list(wrt)
    for x in asked:
        if not isinstance(x, Tensor):
            raise TypeError(f"wrt must be tensors, as in wrt=[w]; {short(x)} is none")
        if not x.requires_grad:
            raise ValueError(f"wrt:{called(x) or ' a tensor'} requires no gradient: make it with requires_grad=True")
    return asked


def _of_loss(loss: Tensor, wrt: Sequence[Tensor] | None, optimize: int) -> SourceCode:
    if loss.size != 1 or not loss.requires_grad:
        fault = "requires no gradient" if loss.size == 1 else f"has the shape {loss.shape}: sum it up, as in y.sum()"
        raise ValueError(f"the loss must be a single number that depends on what learns; this one {fault}")
    there = set(Graph(loss).nodes)
    for x in wrt or ():
        if x not in there:
            raise ValueError(f"the loss does not depend on{called(x) or ' a tensor'} of wrt: no path leads to it")
    opened, taken = Graph(loss).opened()
    loss, wrt = opened.output, None if wrt is None else [taken.get(x, x) for x in wrt]
    recorded = loss
    names = of_leaves(roll(opened))
    (loss,), comments = optimized([loss], optimize)
    graph = Graph(loss)
    asked = [x for x in graph.leaves if x.requires_grad] if wrt is None else wrt
    now = set(graph.nodes)
    for x in asked:
        if x not in now:
            raise ValueError(
                f"at optimize={optimize}{called(x) or ' a tensor'} of wrt is computed otherwise, or not at all; ask "
                "for it at optimize=0"
            )
    rolled = roll(graph)
    output, references = rolled.reference(loss), [rolled.reference(x) for x in asked]
    job = Job(
        rolled,
        [output],
        references,
        Sizes(rolled),
        [seed_of(loss)],
        gather=optimize >= GATHERS,
        in_place=optimize >= IN_PLACE,
        known=names,
        comments=comments,
    )
    program = write(job)[0]
    if not program.operations:  # what is somebody's own may leave something behind each time it runs
        require_recorded(program, recorded, asked)
    return program

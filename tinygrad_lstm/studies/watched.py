"""A trained network watched while it reads: its loss at the end as a graph with time steps, and the gates by name."""

from __future__ import annotations

import numpy as np

from ..engine.graph import Graph
from ..engine.ops import log_softmax
from ..engine.primitive import Array
from ..engine.scope import no_grad, time_step
from ..engine.tensor import Tensor, tensor
from ..nn.cell import state_parts
from ..stepper import step
from .jacobian import states_of
from .tasks import MemoryTask, Sequences
from .trial import Reader


def of_one_length(task: MemoryTask, count: int, seed: int) -> Sequences:
    """Return so many sequences of a task that all end at the same step, the last of the longest.

    >>> from tinygrad_lstm.studies.tasks import temporal_order
    >>> of_one_length(temporal_order(20), 5, seed=0).inputs.shape
    (22, 5, 8)
    """
    drawn = task.draw(np.random.default_rng([seed, 2]), 40 * count)
    longest = np.flatnonzero(drawn.asked[-1])[:count]
    return Sequences(*(part[:, longest] for part in drawn))


def loss_at_the_end(model: Reader, drawn: Sequences) -> Tensor:
    """Return the mean cross entropy of the answers at the last step, in nats: sequences of one length, (T, N, ·).

    >>> import tinygrad_lstm as tl
    >>> from tinygrad_lstm.studies.tasks import temporal_order
    >>> loss_at_the_end(Reader(tl.RNNCell(8, 4, rng=0), 4, rng=0), of_one_length(temporal_order(10), 2, 0)).name
    'L'
    """
    state = None
    for t, x in enumerate(drawn.inputs):
        with time_step(t):
            state = model.cell(tensor(x, name="x", dtype=model.cell.dtype), state)
    answers = log_softmax(model.head(state_parts(model.cell, state)[0]))
    loss: Tensor = -(answers * tensor(drawn.targets[-1], dtype=model.cell.dtype)).sum() / drawn.inputs.shape[1]
    loss.name = "L"
    return loss


def felt(loss: Tensor) -> dict[str, list[float]]:
    """Return ‖∂L/∂state_t‖ of every state by its name, in the order of time: the stepper's flow.

    >>> import tinygrad_lstm as tl
    >>> from tinygrad_lstm.nn.samples import small_loss
    >>> [len(norms) for norms in felt(small_loss("lstm", 4)).values()]
    [4, 4]
    """
    rows = step(loss).flow()
    return {name: [row.norms.get(name, 0.0) for row in rows] for name in rows[-1].norms}


def named(loss: Tensor, name: str) -> Array:
    """Return what bears a name in every time step, such as the gate "f": (T, N, H), in the order of time.

    >>> import tinygrad_lstm as tl
    >>> from tinygrad_lstm.nn.samples import small_loss
    >>> named(small_loss("lstm", 4), "f").shape
    (4, 2)
    """
    found = {node.time: node.value for node in Graph(loss).nodes if node.name == name and node.time is not None}
    return np.array([found[t] for t in sorted(found)])


def right(model: Reader, drawn: Sequences) -> float:
    """Return the share of sequences of one length whose answer at the end is right."""
    hidden = states_of(model.cell, drawn.inputs)[-1][0]
    with no_grad():
        answers = model.head(hidden).value
    return float((answers.argmax(-1) == drawn.targets[-1].argmax(-1)).mean())

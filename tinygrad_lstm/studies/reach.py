"""How far back the gradient reaches, measured: before and after training, by what W decides, and with clipping."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ..nn import SGD, RNNCell
from ..nn.cell import Cell
from ..nn.gate import same
from ..nn.optim import clip_grad_norm
from .contest import CONTENDERS, lstm
from .inside import trained
from .jacobian import jacobians, recurrent_weight, scale_to, singular_values, spectral_radius
from .study import Result, Row, rounded
from .tasks import temporal_order
from .trial import Reader, train_side_by_side
from .watched import felt, loss_at_the_end, of_one_length

Make = Callable[[int, int, Any], Cell[Any]]


CELLS: dict[str, Make] = {
    "RNN": CONTENDERS["RNN"],
    **{f"LSTM, forget bias {bias}": partial(lstm, bias) for bias in (0, 1, 3, 5)},
    "GRU": CONTENDERS["GRU"],
}
"""The cells that are compared, made of D, H and a seed."""

HIDDEN, BATCH, RATE = 16, 16, {"RNN": 0.003}
"""H, sequences of an update, and the learning rate where it is not 0.01; chosen: those of the other studies."""

RADII = (0.5, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.4, 1.7, 2.0)
"""Spectral radii that are tried."""


def rows() -> list[Row]:
    """Return the rows: every cell over a gap of 30; what W decides; a training with and one without clipping.

    The last are an RNN and an LSTM that are shown from the inside.

    >>> [row["part"] for row in rows()][-5:]
    ['radius', 'clipping', 'clipping', 'inside', 'inside']
    """
    cells = [_row("gap", cell=cell, gap=30, updates=500, seeds=3) for cell in CELLS]
    clipping = [_row("clipping", gap=20, updates=200, seeds=1, clip=clip) for clip in (None, 1.0)]
    inside = [_row("inside", cell=cell, gap=20, updates=500) for cell in ("RNN", "LSTM, forget bias 1")]
    return [*cells, _row("radius", gap=50, seeds=5), *clipping, *inside]


def _row(part: str, **settings: Any) -> Row:
    return {"part": part, "cell": None, "gap": 0, "updates": 0, "seeds": 1, "clip": None} | settings


def run(part: str, cell: str | None, gap: int, updates: int, seeds: int, clip: float | None) -> dict[str, Any]:
    """Return what one row finds; see ``over_the_gap``, ``by_radius``, ``clipped`` and ``trained``."""
    if part == "radius":
        return by_radius(gap, seeds)
    if part == "clipping":
        return clipped(gap, updates, clip)
    assert cell is not None
    if part == "inside":
        return trained(cell, gap, updates, RATE.get(cell, 0.01))
    return over_the_gap(CELLS[cell], gap, updates, seeds, RATE.get(cell, 0.01))


def own(name: str, cell: Callable[..., Cell[Any]]) -> Result:
    """Return what the gradient does in a cell of yours, made by ``cell(D, H, rng=seed)``, over the same gap."""
    begun = time.perf_counter()
    row = _row("gap", cell=name, gap=30, updates=500, seeds=3)
    values = over_the_gap(lambda D, H, seed: cell(D, H, rng=seed), row["gap"], row["updates"], row["seeds"])
    return Result(row, values, round(time.perf_counter() - begun, 1))


def over_the_gap(make: Make, gap: int, updates: int, seeds: int, rate: float = 0.01) -> dict[str, Any]:
    """Return ‖∂L_T/∂h_t‖ by t before and after training on temporal order, for each seed; and singular values.

    Of one sequence, and the first seed, also the largest singular value and the median one of ∂s_T/∂s_t, where s is all
    of the state: row d spans d + 1 steps. ``solved`` is the number of updates until each solved the task, or None.

    Arguments:
        make: a function of D, H and a seed that returns a cell, ours or yours.
        gap: that of the task.
        updates: how many there are, at most; of 16 sequences, by Adam.
        seeds: how many networks.
        rate: the learning rate.

    >>> found = over_the_gap(CELLS["GRU"], 10, updates=2, seeds=1)
    >>> len(found["before"]["h"][0]), len(found["after"]["largest"])
    (11, 11)
    """
    task = temporal_order(gap)
    models = [Reader(make(task.inputs, HIDDEN, seed), task.outputs, rng=seed) for seed in range(seeds)]
    drawn = of_one_length(task, BATCH, seed=0)
    before = _measured(models, drawn)
    trained = train_side_by_side(
        task, models, seeds=range(seeds), rates=[rate] * seeds, budget=updates * BATCH, batch=BATCH
    )
    return {
        "before": before,
        "after": _measured(trained.models, drawn),
        "solved": trained.sequences,
        "score": trained.scores,
    }


def _measured(models: list[Reader], drawn: Any) -> dict[str, Any]:
    flows = [felt(loss_at_the_end(model, drawn)) for model in models]
    values = singular_values(jacobians(models[0].cell, drawn.inputs[:, 0]))
    states = {name: [rounded(flow[name]) for flow in flows] for name in flows[0]}
    return states | {"largest": rounded(values[:, 0]), "median": rounded(np.median(values, axis=1))}


def by_radius(gap: int, seeds: int) -> dict[str, Any]:
    """Return the share of a gradient that is left after so many steps, by the spectral radius of W_hh, H = 32.

    A linear RNN multiplies by W_hh alone; one with tanh also by 1 − h², which is smaller the larger its state is.
    Geometric means over seeds; the gradient begins as a random direction.

    >>> sorted(by_radius(2, 1))
    ['linear', 'radii', 'tanh']
    """
    found: dict[str, Any] = {"radii": list(RADII)}
    for name, activation in (("linear", same), ("tanh", "tanh")):
        found[name] = []
        for radius in RADII:
            logs = []
            for seed in range(seeds):
                rng = np.random.default_rng(seed)
                cell = scale_to(RNNCell(4, 32, nonlinearity=activation, rng=rng), radius)
                row = rng.normal(size=32)
                row /= np.linalg.norm(row)
                for step in jacobians(cell, rng.normal(size=(gap, 4)))[::-1]:
                    row = row @ step
                logs.append(np.log(np.linalg.norm(row)))
            found[name].append(rounded([np.exp(np.mean(logs))])[0])
    return found


def clipped(gap: int, updates: int, clip: float | None) -> dict[str, Any]:
    """Train an RNN whose W_hh has a spectral radius of 1.8 by plain gradient descent; return ‖g‖ and L by update.

    ``radius`` is the spectral radius at the end; ‖g‖ is that before clipping.

    >>> sorted(clipped(10, 2, 1.0))
    ['loss', 'norm', 'radius']
    """
    task = temporal_order(gap)
    model = Reader(RNNCell(task.inputs, HIDDEN, rng=0), task.outputs, rng=0)
    scale_to(model.cell, 1.8)  # type: ignore[arg-type]
    optimizer = SGD(model.parameters(), lr=0.3)
    norms, losses = [], []
    for update in range(updates):
        loss = loss_at_the_end(model, of_one_length(task, BATCH, seed=update))
        optimizer.zero_grad()
        loss.backward()
        norms.append(clip_grad_norm(model.parameters(), np.inf if clip is None else clip))
        optimizer.step()
        losses.append(loss.item())
    assert isinstance(model.cell, RNNCell)
    return {
        "norm": rounded(norms),
        "loss": rounded(losses),
        "radius": round(spectral_radius(recurrent_weight(model.cell)), 3),
    }

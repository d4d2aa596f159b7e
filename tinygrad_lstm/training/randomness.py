"""Where random numbers come from in a run, as JSON and back: whoever goes on draws what would have been drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..nn import Module, creation


def generators(model: Module) -> dict[str, np.random.Generator]:
    """Return the generators that the modules of a model keep, by path.

    >>> import tinygrad_lstm as tl
    >>> list(generators(tl.LSTM(2, 3, num_layers=2, dropout=0.5, rng=0)))
    ['dropout.rng']
    """
    found = {}
    for path, module in model.named_modules():
        for name, value in vars(module).items():
            if isinstance(value, np.random.Generator):
                found[f"{path}.{name}" if path else name] = value
    return found


def random_state(model: Module) -> dict[str, Any]:
    """Return the state of each generator, as JSON has it; that of the common one too, if it has ever been needed."""
    return {path: _plain(rng.bit_generator.state) for path, rng in {**generators(model), **_common()}.items()}


def set_random_state(model: Module, state: Mapping[str, Any]) -> None:
    """Set each generator to its state. Raises ValueError for another set of generators, or other kinds of them."""
    own = generators(model)
    if own.keys() != state.keys() - {COMMON}:
        raise ValueError(f"random numbers come from {sorted(own)} here, and there from {sorted(state)}")
    if COMMON in state:
        own[COMMON] = creation.generator(None)
    for path, rng in own.items():
        rng.bit_generator.state = state[path]


COMMON = "tl.manual_seed"
"""What the generator is called that draws where no other is given."""


def _common() -> dict[str, np.random.Generator]:
    return {COMMON: creation.generator(None)} if creation._ours else {}


def _plain(state: Any) -> Any:
    if isinstance(state, Mapping):
        return {name: _plain(part) for name, part in state.items()}
    return state.tolist() if isinstance(state, np.ndarray | np.generic) else state

"""What somebody types who knows PyTorch is what PyTorch computes, with its gradient: every method, name and word."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import tinygrad_lstm as tl
from tests.spellings import FUNCTIONS, METHODS, NUMPYS, evaluated
from tinygrad_lstm.engine.methods import methods
from tinygrad_lstm.engine.pytorch import NAMES, WORDS

RNG = np.random.default_rng(0)
ARRAYS = {"x": RNG.normal(size=(3, 4)), "y": RNG.normal(size=(3, 4)), "z": RNG.uniform(0.2, 2, size=(2, 3, 4))}
ARRAYS |= {"v": RNG.normal(size=4), "w": RNG.normal(size=(4, 2)), "s": RNG.normal(size=(4, 4))}


def parts(made: Any) -> list[Any]:
    return list(made) if isinstance(made, tuple | list) else [made]


def values(made: Any) -> list[Any]:
    return [np.asarray(part.detach() if hasattr(part, "detach") else part) for part in parts(made)]


def gradients(made: Any, leaves: dict[str, Any]) -> list[Any]:
    """Of a weighted sum of all numbers, for each leaf; None where none flows."""
    rng, loss = np.random.default_rng(1), None
    for part in parts(made):
        weights = rng.normal(size=np.shape(part))
        if getattr(part, "requires_grad", False):
            term = (part * (torch.from_numpy(weights) if isinstance(part, torch.Tensor) else weights)).sum()
            loss = term if loss is None else loss + term
    if loss is not None:
        loss.backward()
    return [None if leaf.grad is None else np.asarray(leaf.grad.detach()) for leaf in leaves.values()]


@pytest.mark.parametrize("line", [*METHODS, *FUNCTIONS])
def test_it_is_what_torch_computes(line: str) -> None:
    ours = {name: tl.tensor(array, requires_grad=True) for name, array in ARRAYS.items()}
    theirs = {name: torch.tensor(array, requires_grad=True) for name, array in ARRAYS.items()}
    one, other = evaluated(line, tl, np.array, ours), evaluated(line, torch, torch.tensor, theirs)
    for mine, right in zip(values(one), values(other), strict=True):
        assert mine.shape == right.shape
        np.testing.assert_allclose(mine, right, rtol=1e-12, atol=1e-14)
    for slope, right in zip(gradients(one, ours), gradients(other, theirs), strict=True):
        if right is not None and (slope is not None or right.any()):
            single = "hardsigmoid" in line  # torch's 1/6 is that of 32 bits there
            np.testing.assert_allclose(slope, right, rtol=1e-7 if single else 1e-11, atol=1e-13)


@pytest.mark.parametrize("line", NUMPYS)
def test_with_the_words_of_numpy_it_is_what_numpy_computes(line: str) -> None:
    ours = {name: tl.tensor(array, requires_grad=True) for name, array in ARRAYS.items()}
    for mine, right in zip(values(evaluated(line, tl, np.array, ours)), values(NUMPYS[line](**ARRAYS)), strict=True):
        np.testing.assert_allclose(mine, right, rtol=1e-13, atol=1e-15)


def test_every_method_and_word_is_compared() -> None:
    typed = "\n".join([*METHODS, *FUNCTIONS])
    untold = [name for name in methods() if f".{name}(" not in typed]
    assert untold == ["broadcast_to", "expand_dims"], untold  # numpy's names
    assert [word for word in WORDS if f"{word}=" not in typed] == []
    assert [name for name in NAMES if f".{name.lstrip('.')}(" not in typed] == []

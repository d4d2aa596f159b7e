"""Optimisers, losses and layers compute what PyTorch's do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import tinygrad_lstm as tl
from tests.nn.test_optimisers import CASES, descended


@pytest.mark.parametrize("case", CASES)
def test_a_hundred_steps_are_torchs(case: str) -> None:
    ours, settings = CASES[case]
    p = torch.tensor([1.0, -0.5, 0.25], dtype=torch.float64, requires_grad=True)
    optimiser = getattr(torch.optim, ours.__name__)([p], **settings)
    for _ in range(100):
        optimiser.zero_grad()
        (p[0] ** 2 + 10 * (p[1] - p[0] ** 2) ** 2 + torch.sin(3 * p[2])).backward()
        optimiser.step()
    np.testing.assert_allclose(descended(ours, settings, 100), p.detach().numpy(), rtol=1e-10, atol=1e-10)


SHAPES = [(4,), (5, 4), (2, 4, 3), (2, 4, 3, 2)]


def same(ours: Any, theirs: Any, x: np.ndarray, *rest: Any, rtol: float = 1e-10) -> None:
    """The value, and the gradient of its sum."""
    mine, other = tl.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    y, their_y = ours(mine, *rest), theirs(other, *(torch.as_tensor(part) for part in rest))
    np.testing.assert_allclose(y.value, their_y.detach().numpy(), rtol=1e-12, atol=1e-14)
    y.sum().backward()
    their_y.sum().backward()
    assert mine.grad is not None
    np.testing.assert_allclose(mine.grad.value, other.grad.numpy(), rtol=rtol, atol=1e-14)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
def test_class_losses_are_torchs(shape: tuple[int, ...], reduction: str, weighted: bool, smoothing: float) -> None:
    rng, axis = np.random.default_rng(0), min(1, len(shape) - 1)
    x, targets = rng.normal(size=shape), rng.integers(-1, 4, size=shape[:axis] + shape[axis + 1 :])
    targets = np.where(targets.size == 1, abs(targets), targets)
    weight = rng.uniform(1, 2, 4) if weighted else None
    how = {"ignore_index": -1, "reduction": reduction}
    theirs = {"weight": None if weight is None else torch.tensor(weight), **how}
    F = torch.nn.functional
    same(
        lambda x, t: tl.cross_entropy(x, t, weight, label_smoothing=smoothing, **how),  # type: ignore[arg-type]
        lambda x, t: F.cross_entropy(x, t, label_smoothing=smoothing, **theirs),
        x,
        targets,
    )
    same(lambda x, t: tl.nll_loss(x, t, weight, **how), lambda x, t: F.nll_loss(x, t, **theirs), x, targets)  # type: ignore[arg-type]
    module = tl.nn.CrossEntropyLoss(weight, label_smoothing=smoothing, **how)
    same(module, torch.nn.CrossEntropyLoss(label_smoothing=smoothing, **theirs), x, targets)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weighted", [False, True])
def test_class_losses_of_probabilities_are_torchs(shape: tuple[int, ...], reduction: str, weighted: bool) -> None:
    rng = np.random.default_rng(0)
    x, chances = rng.normal(size=shape), rng.uniform(size=shape)
    weight = rng.uniform(1, 2, 4) if weighted else None
    same(
        tl.nn.CrossEntropyLoss(weight, reduction=reduction, label_smoothing=0.1),
        torch.nn.CrossEntropyLoss(
            None if weight is None else torch.tensor(weight), reduction=reduction, label_smoothing=0.1
        ),
        x,
        chances,
    )


def test_an_embedding_with_padding_is_torchs() -> None:
    weight, numbers = np.random.default_rng(0).normal(size=(5, 2)), np.array([[0, 4], [4, 1]])
    ours = lambda w: tl.nn.functional.embedding(numbers, w, padding_idx=4)
    same(ours, lambda w: torch.nn.functional.embedding(torch.tensor(numbers), w, padding_idx=4), weight)


def test_gelu_by_tanh_is_torchs() -> None:
    x = np.linspace(-12, 12, 97)
    same(tl.nn.GELU(approximate="tanh"), torch.nn.GELU(approximate="tanh"), x)


NUMBERS: dict[str, dict[str, Any]] = {
    "MSELoss": {},
    "L1Loss": {},
    "HuberLoss": {"delta": 0.7},
    "SmoothL1Loss": {"beta": 0.3},
    "BCEWithLogitsLoss": {"weight": [1.0, 2.0, 3.0], "pos_weight": [3.0, 1.0, 0.5]},
}


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", NUMBERS)
def test_losses_of_numbers_are_torchs(name: str, reduction: str) -> None:
    rng, settings = np.random.default_rng(0), NUMBERS[name]
    theirs = {key: torch.tensor(value) if isinstance(value, list) else value for key, value in settings.items()}
    ours = getattr(tl.nn, name)(reduction=reduction, **settings)
    other = getattr(torch.nn, name)(reduction=reduction, **theirs)
    same(ours, other, rng.normal(size=(4, 3)), rng.uniform(size=(4, 3)))


@pytest.mark.parametrize(("shape", "normalized"), [((5, 4), 4), ((2, 3, 4), (3, 4))])
def test_layer_norm_is_torchs(shape: tuple[int, ...], normalized: Any) -> None:
    x = np.random.default_rng(0).normal(size=shape)
    ours, theirs = tl.nn.LayerNorm(normalized, 1e-3), torch.nn.LayerNorm(normalized, 1e-3, dtype=torch.float64)
    weight = np.random.default_rng(1).normal(size=ours.weight.shape)  # type: ignore[union-attr]
    for layer_weight in (ours.weight, ours.bias):
        layer_weight.value = weight  # type: ignore[union-attr]
    with torch.no_grad():
        theirs.weight.copy_(torch.tensor(weight))
        theirs.bias.copy_(torch.tensor(weight))
    same(lambda x: ours(x) * ours(x), lambda x: theirs(x) * theirs(x), x)


ACTIVATIONS = [kind for kind in tl.nn.Activation.__subclasses__() if hasattr(torch.nn, kind.__name__)]


@pytest.mark.parametrize("kind", ACTIVATIONS, ids=lambda kind: kind.__name__)
def test_activations_are_torchs(kind: Any) -> None:
    theirs = getattr(torch.nn, kind.__name__)
    settings = {"dim": -1} if "Softmax" in kind.__name__ else {}
    rtol = 1e-7 if kind is tl.nn.Hardsigmoid else 1e-10  # torch keeps the sixth of its slope in float32
    same(kind(), theirs(**settings), np.random.default_rng(0).normal(size=(3, 4)), rtol=rtol)


class TheirLSTM(torch.nn.Module):
    """Our LSTM and head in PyTorch's own classes, with our weights."""

    def __init__(self, lstm: tl.LSTM, head: tl.Linear) -> None:
        super().__init__()
        D, H = lstm.input_size, lstm.hidden_size
        self.lstm, self.head = torch.nn.LSTM(D, H, dtype=torch.float64), torch.nn.Linear(H, 1, dtype=torch.float64)
        gates = [getattr(lstm.cells[0], name) for name in GATES]
        with torch.no_grad():
            self.lstm.weight_hh_l0.copy_(torch.tensor(np.concatenate([g.weight.value[:H].T for g in gates])))
            self.lstm.weight_ih_l0.copy_(torch.tensor(np.concatenate([g.weight.value[H:].T for g in gates])))
            self.lstm.bias_ih_l0.copy_(torch.tensor(np.concatenate([g.bias.value for g in gates])))
            self.lstm.bias_hh_l0.zero_().requires_grad_(False)  # one bias, as ours
            self.head.weight.copy_(torch.tensor(head.weight.value.T))
            self.head.bias.copy_(torch.tensor(head.bias.value))  # type: ignore[union-attr]


GATES = ("input_gate", "forget_gate", "candidate", "output_gate")
THROUGH_FIT = ("sgd", "momentum", "nesterov", "adam all", "adamw all", "rmsprop all", "adagrad all")


@pytest.mark.parametrize("case", THROUGH_FIT)
def test_a_hundred_steps_of_fit_are_torchs(case: str) -> None:
    """An LSTM on the adding problem, clipped, with a schedule: all parameters equal to 1e-10 after 100 updates."""
    rng, (kind, settings) = np.random.default_rng(0), CASES[case]
    batches = []
    for _ in range(100):
        xs = np.stack([rng.uniform(size=(10, 8)), np.zeros((10, 8))], axis=-1)  # (T, N, 2)
        for n in range(8):
            xs[[rng.integers(0, 5), rng.integers(5, 10)], n, 1] = 1
        batches.append((xs, (xs[..., 0] * xs[..., 1]).sum(axis=0)[:, None]))
    rate = lambda step: 0.01 * 0.99**step
    model = tl.nn.ModuleList([tl.LSTM(2, 6, rng=0), tl.Linear(6, 1, rng=1)])
    theirs = TheirLSTM(model[0], model[1])
    tl.fit(
        model,
        batches,
        loss=lambda model, batch: tl.mse_loss(model[1](model[0](batch[0])[0][-1]), batch[1]),
        optimizer=kind(model.parameters(), **settings),
        clip=0.1,
        schedule=rate,
    )
    learning = [parameter for parameter in theirs.parameters() if parameter.requires_grad]
    optimiser = getattr(torch.optim, kind.__name__)(learning, **settings)
    for step, (xs, targets) in enumerate(batches, 1):
        optimiser.param_groups[0]["lr"] = rate(step)
        optimiser.zero_grad()
        output, _ = theirs.lstm(torch.tensor(xs))
        torch.nn.functional.mse_loss(theirs.head(output[-1]), torch.tensor(targets)).backward()
        norm = torch.sqrt(sum((p.grad**2).sum() for p in learning))  # torch's own clip divides by ‖g‖ + 1e-6
        if norm > 0.1:
            for parameter in learning:
                parameter.grad *= 0.1 / norm
        optimiser.step()
    again = TheirLSTM(model[0], model[1])
    for ours, other in zip(again.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(ours.detach().numpy(), other.detach().numpy(), rtol=1e-10, atol=1e-10)

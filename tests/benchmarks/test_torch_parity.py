"""Two bidirectional layers compute what ``torch.nn.LSTM`` computes, and so do their gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import tinygrad_lstm as tl

GATES = ("input_gate", "forget_gate", "candidate", "output_gate")  # in torch's order


def torch_layout(of: dict[str, Any], H: int) -> tuple[Any, Any, Any]:
    """A cell's arrays, (H + D, H) and (H) for each gate, as torch's weight_ih (4H, D), weight_hh (4H, H), bias (4H)."""
    weights = np.concatenate([of[f"{gate}.weight"].T for gate in GATES])  # (4H, H + D)
    return weights[:, H:], weights[:, :H], np.concatenate([of[f"{gate}.bias"] for gate in GATES])


def leaf(array: Any) -> torch.Tensor:
    return torch.tensor(array, requires_grad=True)


def assert_close(ours: Any, theirs: torch.Tensor | None) -> None:
    assert theirs is not None
    np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("batch", [(), (3,)])
def test_two_bidirectional_layers_are_torchs(batch: tuple[int, ...]) -> None:
    T, D, H, rng = 6, 3, 4, np.random.default_rng(0)
    ours = tl.LSTM(D, H, num_layers=2, bidirectional=True, rng=rng)
    theirs = torch.nn.LSTM(D, H, num_layers=2, bidirectional=True, dtype=torch.float64)
    sides = [f"l{k}{side}" for k in range(2) for side in ("", "_reverse")]
    for parameter in ours.parameters():  # biases too
        parameter.value = rng.normal(size=parameter.shape)
    with torch.no_grad():
        for side, cell in zip(sides, ours.cells, strict=True):
            values = torch_layout({name: parameter.value for name, parameter in cell.named_parameters()}, H)
            for kind, value in zip(("weight_ih", "weight_hh", "bias_ih"), values, strict=True):
                getattr(theirs, f"{kind}_{side}").copy_(torch.from_numpy(value))
            getattr(theirs, f"bias_hh_{side}").zero_()

    given = [rng.normal(size=shape) for shape in ((T, *batch, D), (4, *batch, H), (4, *batch, H))]
    xs, h0, c0 = (tl.tensor(array, requires_grad=True) for array in given)
    their_xs, their_h0, their_c0 = map(leaf, given)
    output, (h_n, c_n) = ours(xs, (h0, c0))
    their_output, (their_h_n, their_c_n) = theirs(their_xs, (their_h0, their_c0))
    results, their_results = (output, h_n, c_n), (their_output, their_h_n, their_c_n)
    for mine, other in zip(results, their_results, strict=True):
        assert_close(mine.value, other)

    cotangents = [rng.normal(size=result.shape) for result in results]
    sum((result * g).sum() for result, g in zip(results, cotangents, strict=True)).backward()
    sum((result * torch.from_numpy(g)).sum() for result, g in zip(their_results, cotangents, strict=True)).backward()
    for mine, other in ((xs, their_xs), (h0, their_h0), (c0, their_c0)):
        assert_close(mine.grad.value, other.grad)
    for side, cell in zip(sides, ours.cells, strict=True):
        gradients = torch_layout({name: parameter.grad.value for name, parameter in cell.named_parameters()}, H)
        for kind, gradient in zip(("weight_ih", "weight_hh", "bias_ih"), gradients, strict=True):
            assert_close(gradient, getattr(theirs, f"{kind}_{side}").grad)

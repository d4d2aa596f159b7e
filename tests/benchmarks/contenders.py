"""The same LSTM, op by op, in four frameworks.

Each is a function of a Problem that returns a function without arguments: forward, backward, and the gradients of the
eight parameters as arrays. The equations are those of ``tinygrad_lstm.nn.cells.LSTMCell``, in the same order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import autograd
import autograd.numpy as anp
import mygrad
import numpy as np
import torch
from autograd.extend import defvjp, primitive
from mygrad.nnet.activations import sigmoid as mygrad_sigmoid
from numpy.typing import NDArray

import tinygrad_lstm as tl

torch.set_num_threads(1)

Arrays = list[NDArray[Any]]
GATES = ("forget_gate", "input_gate", "candidate", "output_gate")


class Problem(NamedTuple):
    """Weights, biases and inputs, the same for everybody. The loss is the sum of the last h and c."""

    weights: Arrays  # four of (H + D, H)
    biases: Arrays  # four of (H,)
    xs: Arrays  # T of (N, D)
    h: NDArray[Any]  # (N, H)
    c: NDArray[Any]  # (N, H)


def problem(T: int, N: int, D: int, H: int, dtype: str) -> Problem:
    rng = np.random.default_rng(0)

    def draw(*shape: int) -> NDArray[Any]:
        return rng.uniform(-1, 1, size=shape).astype(dtype)

    weights = [draw(H + D, H) / np.sqrt(H).astype(dtype) for _ in GATES]
    biases = [draw(H) for _ in GATES]
    return Problem(weights, biases, [draw(N, D) for _ in range(T)], draw(N, H), draw(N, H))


def ours(given: Problem) -> Callable[[], Arrays]:
    (D, H), dtype = (given.xs[0].shape[-1], given.h.shape[-1]), given.h.dtype
    cell = tl.LSTMCell(D, H, rng=0, dtype=dtype)
    gates = [getattr(cell, name) for name in GATES]
    for gate, weight, bias in zip(gates, given.weights, given.biases, strict=True):
        gate.weight.value, gate.bias.value = weight, bias
    parameters = [gate.weight for gate in gates] + [gate.bias for gate in gates]
    xs, h0, c0 = [tl.tensor(x) for x in given.xs], tl.tensor(given.h), tl.tensor(given.c)

    def run() -> Arrays:
        cell.zero_grad()
        h, c = h0, c0
        for t, x in enumerate(xs):
            with tl.time_step(t):
                h, c = cell(x, (h, c))
        (h.sum() + c.sum()).backward()
        return [parameter.grad.value for parameter in parameters]

    return run


def pytorch(given: Problem) -> Callable[[], Arrays]:
    weights = [torch.from_numpy(weight.copy()).requires_grad_() for weight in given.weights]
    biases = [torch.from_numpy(bias.copy()).requires_grad_() for bias in given.biases]
    xs, h0, c0 = [torch.from_numpy(x) for x in given.xs], torch.from_numpy(given.h), torch.from_numpy(given.c)
    activations = (torch.sigmoid, torch.sigmoid, torch.tanh, torch.sigmoid)

    def run() -> Arrays:
        for parameter in weights + biases:
            parameter.grad = None
        h, c = h0, c0
        for x in xs:
            z = torch.cat([h, x], dim=-1)
            f, i, g, o = (s(z @ w + b) for s, w, b in zip(activations, weights, biases, strict=True))
            c = f * c + i * g
            h = o * torch.tanh(c)
        (h.sum() + c.sum()).backward()
        return [parameter.grad.numpy() for parameter in weights + biases]

    return run


@primitive
def _autograd_sigmoid(x: Any) -> Any:
    return 0.5 * np.tanh(0.5 * x) + 0.5


defvjp(_autograd_sigmoid, lambda y, x: lambda g: g * (y * (1 - y)))


def hips_autograd(given: Problem) -> Callable[[], Arrays]:
    activations = (_autograd_sigmoid, _autograd_sigmoid, anp.tanh, _autograd_sigmoid)

    def loss(parameters: Arrays) -> Any:
        weights, biases = [parameters[k] for k in range(4)], [parameters[k] for k in range(4, 8)]
        h, c = given.h, given.c
        for x in given.xs:
            z = anp.concatenate([h, x], axis=-1)
            f, i, g, o = (s(anp.dot(z, w) + b) for s, w, b in zip(activations, weights, biases, strict=True))
            c = f * c + i * g
            h = o * anp.tanh(c)
        return anp.sum(h) + anp.sum(c)

    gradients = autograd.grad(loss)
    return lambda: gradients([*given.weights, *given.biases])


def my_grad(given: Problem) -> Callable[[], Arrays]:
    weights = [mygrad.tensor(weight) for weight in given.weights]
    biases = [mygrad.tensor(bias) for bias in given.biases]
    xs = [mygrad.tensor(x, constant=True) for x in given.xs]
    h0, c0 = mygrad.tensor(given.h, constant=True), mygrad.tensor(given.c, constant=True)
    activations = (mygrad_sigmoid, mygrad_sigmoid, mygrad.tanh, mygrad_sigmoid)

    def run() -> Arrays:
        h, c = h0, c0
        for x in xs:
            z = mygrad.concatenate([h, x], axis=-1)
            f, i, g, o = (s(z @ w + b) for s, w, b in zip(activations, weights, biases, strict=True))
            c = f * c + i * g
            h = o * mygrad.tanh(c)
        (h.sum() + c.sum()).backward()
        return [parameter.grad for parameter in weights + biases]

    return run


def my_grad_unguarded(given: Problem) -> Callable[[], Arrays]:
    """Without the guard that locks every array in a graph: faster, and a promise less than ours."""
    return mygrad.mem_guard_off(my_grad(given))


RIVALS = {"torch": pytorch, "autograd": hips_autograd, "mygrad": my_grad, "mygrad unguarded": my_grad_unguarded}

"""A plain LSTM over a sequence, with a backward written by hand, and one fault or none in it.

Arrays only, no framework: wrapped once for each, it hands the same numbers and the same mistakes to every checker. Four
gates in the order forget, input, candidate, output; W acts on the row vector [h, x].
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Gradients = tuple[Any, Any, Any, Any, Any]

NOTHING = "nothing (the control)"
LAST_STEPS = 10  # that a truncated backward looks at

FAULTS = (
    NOTHING,
    "the sign of the input gate",
    "a factor of the forget gate's σ'",
    "forget and input gate swapped",
    "all times 1.0009",
    "all times 1 + 1e-5",
    "a leak of 1e-6 in df",
    "float32 in the backward",
    "cut after 10 of 50 steps",
    "bias: mean over the batch",
    "bias: one row of the batch",
    "weights: only the last step",
    "weights: h of the step itself",
    "df by the new cell state",
    "parameters clipped at ±5",
    "the same clip, out of reach",
    "tanh' on the way to c",
    "initial state: zero",
)


class Step(NamedTuple):
    """What one step computed, as the backward needs it. All (N, H), but z (N, H + D)."""

    z: Any
    f: Any
    i: Any
    g: Any
    o: Any
    c_before: Any
    c: Any
    h: Any


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def steps(xs: Any, h0: Any, c0: Any, W: Any, b: Any) -> list[Step]:
    H, h, c = h0.shape[-1], h0, c0
    taken = []
    for x in xs:
        z = np.concatenate([h, x], axis=-1)  # (N, H + D)
        a = np.dot(z, W) + b  # (N, 4H)
        f = sigmoid(a[:, :H])
        i = sigmoid(a[:, H : 2 * H])
        g = np.tanh(a[:, 2 * H : 3 * H])
        o = sigmoid(a[:, 3 * H :])
        c_before, c = c, f * c + i * g
        h = o * np.tanh(c)
        taken.append(Step(z, f, i, g, o, c_before, c, h))
    return taken


def forward(xs: Any, h0: Any, c0: Any, W: Any, b: Any) -> Any:
    """h of every step, (T, N, H). xs: (T, N, D); h0, c0: (N, H); W: (H + D, 4H); b: (4H,); real or complex."""
    return np.stack([step.h for step in steps(xs, h0, c0, W, b)])


def backward(upstream: Any, xs: Any, h0: Any, c0: Any, W: Any, b: Any, fault: str = NOTHING) -> Gradients:
    """Gradients of xs, h0, c0, W and b, with the fault. upstream: (T, N, H)."""
    H, taken = h0.shape[-1], steps(xs, h0, c0, W, b)
    dxs: list[Any] = []
    dW, db = np.zeros(W.shape), np.zeros(b.shape)
    dh, dc = np.zeros(h0.shape), np.zeros(c0.shape)
    for t in reversed(range(len(taken))):
        step = taken[t]
        dh = dh + upstream[t]
        dc = dc + dh * step.o * _slope_of_tanh_c(step, fault)
        da = np.concatenate(_gates(dh, dc, step, fault), axis=-1)  # (N, 4H)
        if fault == "float32 in the backward":
            da = da.astype(np.float32)
        dz = np.dot(da, W.T)
        if not (fault == "weights: only the last step" and t < len(taken) - 1):
            dW = dW + np.dot(_read(step, fault).T, da)
        db = db + _over_the_batch(da, fault)
        dh, dxs, dc = dz[:, :H], [dz[:, H:], *dxs], dc * step.f
        if fault == "cut after 10 of 50 steps" and t == len(taken) - LAST_STEPS:
            dh, dc = 0 * dh, 0 * dc
    return _finished((np.stack(dxs), dh, dc, dW, db), fault)


def _gates(dh: Any, dc: Any, step: Step, fault: str) -> list[Any]:
    """The gradients of what goes into the four activations."""
    _, f, i, g, o, c_before, c, _ = step
    slope_of_f = f * (1 - f)
    if fault == "a factor of the forget gate's σ'":
        slope_of_f = f
    if fault == "a leak of 1e-6 in df":
        slope_of_f = slope_of_f + 1e-6
    df = dc * (c if fault == "df by the new cell state" else c_before) * slope_of_f
    di = dc * g * i * (1 - i)
    if fault == "the sign of the input gate":
        di = -di
    if fault == "forget and input gate swapped":
        df, di = di, df
    return [df, di, dc * i * (1 - g * g), dh * np.tanh(c) * o * (1 - o)]


def _slope_of_tanh_c(step: Step, fault: str) -> Any:
    return 1 if fault == "tanh' on the way to c" else 1 - np.tanh(step.c) ** 2


def _read(step: Step, fault: str) -> Any:
    """What the weights were multiplied with: h of the step before, and x."""
    if fault == "weights: h of the step itself":
        return np.concatenate([step.h, step.z[:, step.h.shape[-1] :]], axis=-1)
    return step.z


def _over_the_batch(da: Any, fault: str) -> Any:
    if fault == "bias: mean over the batch":
        return da.mean(axis=0)
    return da[0] if fault == "bias: one row of the batch" else da.sum(axis=0)


def _finished(gradients: Gradients, fault: str) -> Gradients:
    dxs, dh0, dc0, dW, db = gradients
    if fault in ("parameters clipped at ±5", "the same clip, out of reach"):
        return dxs, dh0, dc0, np.clip(dW, -5, 5), np.clip(db, -5, 5)
    if fault == "initial state: zero":
        return dxs, 0 * dh0, 0 * dc0, dW, db
    scale = {"all times 1.0009": 1.0009, "all times 1 + 1e-5": 1 + 1e-5}.get(fault, 1)
    return dxs * scale, dh0 * scale, dc0 * scale, dW * scale, db * scale

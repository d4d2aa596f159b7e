"""An LSTM over a whole sequence, forward and backward, as fast as numpy lets a person write it: the bar for programs.

Rows are sequences, columns gates: (N, 4H), in the order f, i, o, g. The weights of f, i and o are halved, as
σ(a) = ½ tanh(½ a) + ½: one tanh in place serves all gates. The inputs' products of all steps are one product, and so
are the gradients of all weights, for which x and h, side by side, stay where they are; all large arrays are kept
between calls. Equations: S. Hochreiter & J. Schmidhuber (1997), with the forget gate of F. Gers et al. (2000).
"""

from __future__ import annotations

from typing import Any

import numpy as np

GATES = ("forget_gate", "input_gate", "output_gate", "candidate")


class LSTM:
    """What is kept between calls for one size. Called with xs (T, N, D), weights by name, and ∂L/∂h (T, N, H).

    ``weights`` are ``forget_gate.weight`` (H + D, H), ``forget_gate.bias`` (H), and so on. Returns h of all steps and a
    gradient for ``xs`` and each weight, which the next call writes over.
    """

    def __init__(self, T: int, N: int, D: int, H: int, dtype: Any) -> None:
        empty = lambda *shape: np.empty(shape, dtype)
        self.size, self.dtype = (T, N, D, H), np.dtype(dtype)
        self.read = np.zeros((T + 1, N, H + D + 1), dtype)  # [h before, x, 1] of each step
        self.read[..., -1] = 1
        self.weight = empty(H + D + 1, 4 * H)
        self.a, self.da, self.ahead = empty(T, N, 4 * H), empty(T, N, 4 * H), empty(N, 4 * H)
        self.c, self.tanh_c, self.h = np.zeros((T + 1, N, H), dtype), empty(T, N, H), empty(T, N, H)
        self.dh, self.dc, self.part = empty(N, H), empty(N, H), empty(N, H)
        self.together = min(T, max(1, 2**17 // (N * 4 * H * self.dtype.itemsize)))  # steps whose slopes fit the cache
        self.slope_of_c = empty(self.together, N, H)

    def __call__(self, xs: Any, weights: dict[str, Any], upstream: Any) -> tuple[Any, dict[str, Any]]:
        self.load(weights)
        self.forward(xs)
        return self.h, self.backward(upstream)

    def load(self, weights: dict[str, Any]) -> None:
        H = self.size[-1]
        for k, name in enumerate(GATES):
            column = slice(k * H, (k + 1) * H)
            half = 1.0 if name == "candidate" else 0.5
            np.multiply(weights[f"{name}.weight"], half, out=self.weight[:-1, column])
            np.multiply(weights[f"{name}.bias"], half, out=self.weight[-1, column])

    def forward(self, xs: Any) -> None:
        T, N, _, H = self.size
        read, a, c, tanh_c, ahead = self.read, self.a, self.c, self.tanh_c, self.ahead
        recurrent = self.weight[:H]
        read[:T, :, H:-1] = xs
        np.matmul(read[:T].reshape(T * N, -1)[:, H:], self.weight[H:], out=a.reshape(T * N, 4 * H))
        for t in range(T):
            step = a[t]
            if t:
                np.matmul(read[t, :, :H], recurrent, out=ahead)
                np.add(step, ahead, out=step)
            np.tanh(step, out=step)
            gates = step[:, : 3 * H]
            np.multiply(gates, 0.5, out=gates)
            np.add(gates, 0.5, out=gates)
            after = c[t + 1]
            np.multiply(step[:, :H], c[t], out=after)
            np.multiply(step[:, H : 2 * H], step[:, 3 * H :], out=self.part)
            np.add(after, self.part, out=after)
            np.tanh(after, out=tanh_c[t])
            np.multiply(step[:, 2 * H : 3 * H], tanh_c[t], out=read[t + 1, :, :H])
        self.h[:] = read[1:, :, :H]

    def backward(self, upstream: Any) -> dict[str, Any]:
        T, N, _, H = self.size
        a, da, dh, dc, part = self.a, self.da, self.dh, self.dc, self.part
        back = self.weight[:H].T
        dc[:] = 0
        dh[:] = 0
        for last in range(T, 0, -self.together):
            first = max(0, last - self.together)
            self.slopes(first, last)
            for t in range(last - 1, first - 1, -1):
                np.add(dh, upstream[t], out=dh)
                np.multiply(dh, self.slope_of_c[t - first], out=part)
                np.add(dc, part, out=dc)
                step = da[t].reshape(N, 4, H)
                np.multiply(step[:, 2], dh, out=step[:, 2])
                np.multiply(step[:, :2], dc[:, None], out=step[:, :2])
                np.multiply(step[:, 3], dc, out=step[:, 3])
                np.multiply(dc, a[t, :, :H], out=dc)
                np.matmul(da[t], back, out=dh)
        return self.gathered()

    def slopes(self, first: int, last: int) -> None:
        """Write into da what ∂L/∂c and ∂L/∂h are to be multiplied with; o (1 − tanh²c) into a place of its own."""
        H = self.size[-1]
        y, da = self.a[first:last], self.da[first:last]
        slope_of_c = self.slope_of_c[: last - first]
        tanh_c = self.tanh_c[first:last]
        i, o, g = (y[..., k * H : (k + 1) * H] for k in (1, 2, 3))
        gates = da[..., : 3 * H]
        np.multiply(y[..., : 3 * H], y[..., : 3 * H], out=gates)
        np.subtract(y[..., : 3 * H], gates, out=gates)
        np.add(gates, gates, out=gates)  # of ½ a: twice y (1 − y)
        df, di, do, dg = (da[..., k * H : (k + 1) * H] for k in range(4))
        np.multiply(df, self.c[first:last], out=df)
        np.multiply(di, g, out=di)
        np.multiply(do, tanh_c, out=do)
        np.multiply(g, g, out=dg)
        np.subtract(1, dg, out=dg)
        np.multiply(dg, i, out=dg)
        np.multiply(tanh_c, tanh_c, out=slope_of_c)
        np.subtract(1, slope_of_c, out=slope_of_c)
        np.multiply(slope_of_c, o, out=slope_of_c)

    def gathered(self) -> dict[str, Any]:
        T, N, D, H = self.size
        da = self.da.reshape(T * N, 4 * H)
        found = {"xs": (da @ self.weight[H:-1].T).reshape(T, N, D)}
        together = self.read[:T].reshape(T * N, -1).T @ da  # (H + D + 1, 4H)
        together[:, : 3 * H] *= 0.5
        for k, name in enumerate(GATES):
            column = slice(k * H, (k + 1) * H)
            found[f"{name}.weight"], found[f"{name}.bias"] = together[:-1, column], together[-1, column]
        return found

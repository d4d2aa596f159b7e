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
        read, a, c, ahead, part = self.read, self.a, self.c, self.ahead, self.part
        recurrent, h = self.weight[:H], self.h
        read[:T, :, H:-1] = xs
        np.matmul(read[:T].reshape(T * N, -1)[:, H:], self.weight[H:], out=a.reshape(T * N, 4 * H))
        f, i, o, g = (a[..., k * H : (k + 1) * H] for k in range(4))
        before = None
        for step, gates, f_t, i_t, o_t, g_t, c_before, c_t, tanh_c, h_t in zip(
            a, a[..., : 3 * H], f, i, o, g, c, c[1:], self.tanh_c, h, strict=False
        ):  # an array hands out its rows more quickly than they are looked up
            if before is not None:
                np.dot(before, recurrent, ahead)
                np.add(step, ahead, step)
            np.tanh(step, step)
            np.multiply(gates, 0.5, gates)
            np.add(gates, 0.5, gates)
            np.multiply(f_t, c_before, c_t)
            np.multiply(i_t, g_t, part)
            np.add(c_t, part, c_t)
            np.tanh(c_t, tanh_c)
            np.multiply(o_t, tanh_c, h_t)
            before = h_t
        read[1:, :, :H] = h

    def backward(self, upstream: Any) -> dict[str, Any]:
        T, N, _, H = self.size
        dh, dc, part = self.dh, self.dc, self.part
        back = np.ascontiguousarray(self.weight[:H].T)  # BLAS is quicker with it than with the view
        dc[:] = 0
        dh[:] = 0
        for last in range(T, 0, -self.together):
            first = max(0, last - self.together)
            self.slopes(first, last)
            back_in_time = (
                each[::-1]
                for each in (
                    upstream[first:last],
                    self.slope_of_c[: last - first],
                    self.da[first:last],
                    *(self.da[first:last].reshape(-1, N, 4, H)[:, :, gates] for gates in (slice(0, 2), 2, 3)),
                    self.a[first:last, :, :H],
                )
            )
            for up, slope_of_c, da, da_fi, da_o, da_g, f in zip(*back_in_time, strict=True):
                np.add(dh, up, dh)
                np.multiply(dh, slope_of_c, part)
                np.add(dc, part, dc)
                np.multiply(da_o, dh, da_o)
                np.multiply(da_fi, dc[:, None], da_fi)
                np.multiply(da_g, dc, da_g)
                np.multiply(dc, f, dc)
                np.dot(da, back, dh)
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

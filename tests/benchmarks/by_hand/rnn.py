"""A plain recurrent layer and a GRU over a whole sequence, by hand: as ``lstm.py`` says, and what they return alike."""

from __future__ import annotations

from typing import Any

import numpy as np


class RNN:
    """h′ = tanh([h, x] W + b) (J. L. Elman 1990); ``weights`` are ``layer.weight`` (H + D, H) and ``layer.bias``."""

    def __init__(self, T: int, N: int, D: int, H: int, dtype: Any) -> None:
        empty = lambda *shape: np.empty(shape, dtype)
        self.size = (T, N, D, H)
        self.read = np.zeros((T + 1, N, H + D + 1), dtype)  # [h before, x, 1] of each step
        self.read[..., -1] = 1
        self.weight, self.h, self.da = empty(H + D + 1, H), empty(T, N, H), empty(T, N, H)
        self.part = empty(N, H)

    def __call__(self, xs: Any, weights: dict[str, Any], upstream: Any) -> tuple[Any, dict[str, Any]]:
        T, N, _, H = self.size
        read, h, da, part = self.read, self.h, self.da, self.part
        self.weight[:-1], self.weight[-1] = weights["layer.weight"], weights["layer.bias"]
        recurrent, back = self.weight[:H], np.ascontiguousarray(self.weight[:H].T)
        read[:T, :, H:-1] = xs
        rows = read[:T].reshape(T * N, -1)
        np.matmul(rows[:, H:], self.weight[H:], out=h.reshape(T * N, H))
        for t in range(T):
            if t:
                np.dot(h[t - 1], recurrent, part)
                np.add(h[t], part, out=h[t])
            np.tanh(h[t], out=h[t])
        read[1:, :, :H] = h
        np.multiply(h, h, out=da)
        np.subtract(1, da, out=da)
        part[:] = 0
        for t in range(T - 1, -1, -1):
            np.add(part, upstream[t], out=part)
            np.multiply(da[t], part, out=da[t])
            np.dot(da[t], back, part)
        flat = da.reshape(T * N, H)
        whole = rows.T @ flat  # (H + D + 1, H)
        dx = (flat @ self.weight[H:-1].T).reshape(xs.shape)
        return h, {"xs": dx, "layer.weight": whole[:-1], "layer.bias": whole[-1]}


class GRU:
    """The GRU that resets after the product (J. Appleyard et al. 2016), with the parameters of ``tl.GRUCell``.

    Columns are g, z, r, u: x is multiplied for the first three, h for the last three, where u = h U + b_u.
    """

    def __init__(self, T: int, N: int, D: int, H: int, dtype: Any) -> None:
        empty = lambda *shape: np.empty(shape, dtype)
        self.size, itemsize = (T, N, D, H), np.dtype(dtype).itemsize
        self.x = np.ones((T, N, D + 1), dtype)
        self.of_x, self.of_h = empty(D + 1, 3 * H), empty(H, 3 * H)
        self.a, self.da, self.ahead = empty(T, N, 4 * H), empty(T, N, 4 * H), empty(N, 3 * H)
        self.h, self.dh, self.part = np.zeros((T + 1, N, H), dtype), empty(N, H), empty(N, H)
        self.together = min(T, max(1, 2**17 // (N * 4 * H * itemsize)))

    def __call__(self, xs: Any, weights: dict[str, Any], upstream: Any) -> tuple[Any, dict[str, Any]]:
        H = self.size[-1]
        self.of_x[:-1, :H], self.of_x[-1, :H] = weights["candidate.weight"], weights["candidate.bias"]
        for k, name in enumerate(("update_gate", "reset_gate")):
            weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
            np.multiply(weight[:H], 0.5, out=self.of_h[:, k * H : (k + 1) * H])
            np.multiply(weight[H:], 0.5, out=self.of_x[:-1, (k + 1) * H : (k + 2) * H])
            np.multiply(bias, 0.5, out=self.of_x[-1, (k + 1) * H : (k + 2) * H])
        self.of_h[:, 2 * H :] = weights["recurrent.weight"]
        self.forward(xs, weights["recurrent.bias"])
        return self.h[1:], self.backward(upstream)

    def forward(self, xs: Any, bias: Any) -> None:
        T, N, _, H = self.size
        h, part, ahead = self.h, self.part, self.ahead
        self.x[..., :-1] = xs
        flat = self.a.reshape(T * N, 4 * H)
        np.matmul(self.x.reshape(T * N, -1), self.of_x, out=flat[:, : 3 * H])
        flat[:, 3 * H :] = bias
        for t in range(T):
            step = self.a[t]
            if t:
                np.dot(h[t], self.of_h, ahead)
                np.add(step[:, H:], ahead, out=step[:, H:])
            gates, g = step[:, H : 3 * H], step[:, :H]
            np.tanh(gates, out=gates)
            np.multiply(gates, 0.5, out=gates)
            np.add(gates, 0.5, out=gates)
            np.multiply(step[:, 2 * H : 3 * H], step[:, 3 * H :], out=part)
            np.add(g, part, out=g)
            np.tanh(g, out=g)
            np.subtract(h[t], g, out=part)
            np.multiply(part, step[:, H : 2 * H], out=part)
            np.add(g, part, out=h[t + 1])

    def backward(self, upstream: Any) -> dict[str, Any]:
        T, N, D, H = self.size
        a, da, dh, part, back = self.a, self.da, self.dh, self.part, np.ascontiguousarray(self.of_h.T)
        dh[:] = 0
        for last in range(T, 0, -self.together):
            first = max(0, last - self.together)
            self.slopes(first, last)
            for t in range(last - 1, first - 1, -1):
                np.add(dh, upstream[t], out=dh)
                step = da[t].reshape(N, 4, H)
                np.multiply(step[:, :2], dh[:, None], out=step[:, :2])  # g and z
                np.multiply(step[:, 2:], step[:, :1], out=step[:, 2:])  # r and u read what g got
                np.multiply(dh, a[t, :, H : 2 * H], out=part)
                np.matmul(da[t, :, H:], back, out=dh)
                np.add(dh, part, out=dh)
        rows = da.reshape(T * N, 4 * H)
        of_x, of_h = self.x.reshape(T * N, -1).T @ rows[:, : 3 * H], self.h[:T].reshape(T * N, H).T @ rows[:, H:]
        found = {"xs": (rows[:, : 3 * H] @ self.of_x[:-1].T).reshape(T, N, D)}
        found["candidate.weight"], found["candidate.bias"] = of_x[:-1, :H], of_x[-1, :H]
        found["recurrent.weight"], found["recurrent.bias"] = of_h[:, 2 * H :], rows[:, 3 * H :].sum(axis=0)
        for k, name in enumerate(("update_gate", "reset_gate")):
            in_h, in_x = of_h[:, k * H : (k + 1) * H], of_x[:, (k + 1) * H : (k + 2) * H]
            found[f"{name}.weight"] = 0.5 * np.concatenate([in_h, in_x[:-1]])
            found[f"{name}.bias"] = 0.5 * in_x[-1]
        return found

    def slopes(self, first: int, last: int) -> None:
        """Write into da what ∂L/∂h (for g, z) and then ∂L/∂g's own (for r, u) are to be multiplied with."""
        H = self.size[-1]
        y, da = self.a[first:last], self.da[first:last]
        g, z, r, u = (y[..., k * H : (k + 1) * H] for k in range(4))
        dg, dz, dr, du = (da[..., k * H : (k + 1) * H] for k in range(4))
        gates, slopes = y[..., H : 3 * H], da[..., H : 3 * H]
        np.multiply(gates, gates, out=slopes)
        np.subtract(gates, slopes, out=slopes)
        np.add(slopes, slopes, out=slopes)  # of ½ a: twice y (1 − y)
        np.subtract(self.h[first:last], g, out=dg)
        np.multiply(dz, dg, out=dz)
        np.multiply(dr, u, out=dr)
        np.multiply(g, g, out=dg)
        np.subtract(1, dg, out=dg)
        np.subtract(1, z, out=du)
        np.multiply(dg, du, out=dg)
        du[:] = r

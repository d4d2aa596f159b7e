"""Two cells of a user, over a whole sequence, with the backward pass written by hand: see ``lstm.py``."""

from __future__ import annotations

from typing import Any

import numpy as np

GATES = ("forget_gate", "input_gate", "output_gate", "candidate")
EPS = 1e-5


class MGU:
    """The minimal gated unit: f = σ([h, x] W_f + b_f), n = tanh([f ⊙ h, x] W_n + b_n), h′ = (1 − f) ⊙ h + f ⊙ n."""

    def __init__(self, T: int, N: int, D: int, H: int, dtype: Any) -> None:
        empty = lambda *shape: np.empty(shape, dtype)
        self.size = (T, N, D, H)
        self.x = np.ones((T, N, D + 1), dtype)
        self.of_x, self.of_h, self.of_fh = empty(D + 1, 2 * H), empty(H, H), empty(H, H)
        self.a, self.da = empty(T, N, 2 * H), empty(T, N, 2 * H)  # f and n
        self.h, self.fh = np.zeros((T + 1, N, H), dtype), empty(T, N, H)
        self.dh, self.dfh, self.part = empty(N, H), empty(N, H), empty(N, H)

    def __call__(self, xs: Any, weights: dict[str, Any], upstream: Any) -> tuple[Any, dict[str, Any]]:
        T, N, D, H = self.size
        np.multiply(weights["gate.weight"][:H], 0.5, out=self.of_h)
        np.multiply(weights["gate.weight"][H:], 0.5, out=self.of_x[:-1, :H])
        np.multiply(weights["gate.bias"], 0.5, out=self.of_x[-1, :H])
        self.of_fh[:] = weights["candidate.weight"][:H]
        self.of_x[:-1, H:], self.of_x[-1, H:] = weights["candidate.weight"][H:], weights["candidate.bias"]
        self.forward(xs)
        self.backward(upstream)
        rows, x = self.da.reshape(T * N, 2 * H), self.x.reshape(T * N, -1)
        of_x = x.T @ rows
        of_h = self.h[:T].reshape(T * N, H).T @ rows[:, :H]
        of_fh = self.fh.reshape(T * N, H).T @ rows[:, H:]
        found = {"xs": (rows @ self.of_x[:-1].T).reshape(T, N, D)}
        found["gate.weight"] = 0.5 * np.concatenate([of_h, of_x[:-1, :H]])
        found["gate.bias"] = 0.5 * of_x[-1, :H]
        found["candidate.weight"], found["candidate.bias"] = np.concatenate([of_fh, of_x[:-1, H:]]), of_x[-1, H:]
        return self.h[1:], found

    def forward(self, xs: Any) -> None:
        T, N, _, H = self.size
        h, part = self.h, self.part
        self.x[..., :-1] = xs
        np.matmul(self.x.reshape(T * N, -1), self.of_x, out=self.a.reshape(T * N, 2 * H))
        for t in range(T):
            f, n = self.a[t, :, :H], self.a[t, :, H:]
            np.dot(h[t], self.of_h, part)
            np.add(f, part, out=f)
            np.tanh(f, out=f)
            np.multiply(f, 0.5, out=f)
            np.add(f, 0.5, out=f)
            np.multiply(f, h[t], out=self.fh[t])
            np.dot(self.fh[t], self.of_fh, part)
            np.add(n, part, out=n)
            np.tanh(n, out=n)
            np.subtract(n, h[t], out=part)
            np.multiply(part, f, out=part)
            np.add(h[t], part, out=h[t + 1])

    def backward(self, upstream: Any) -> None:
        T, _, _, H = self.size
        dh, dfh, part = self.dh, self.dfh, self.part
        back, back_of_fh = np.ascontiguousarray(self.of_h.T), np.ascontiguousarray(self.of_fh.T)
        dh[:] = 0
        for t in range(T - 1, -1, -1):
            f, n, h, df, dn = self.a[t, :, :H], self.a[t, :, H:], self.h[t], self.da[t, :, :H], self.da[t, :, H:]
            np.add(dh, upstream[t], out=dh)
            np.multiply(n, n, out=dn)
            np.subtract(1, dn, out=dn)
            np.multiply(dn, f, out=dn)
            np.multiply(dn, dh, out=dn)
            np.dot(dn, back_of_fh, dfh)
            np.subtract(n, h, out=df)
            np.multiply(df, dh, out=df)
            np.multiply(dfh, h, out=part)
            np.add(df, part, out=df)  # ∂L/∂f
            np.subtract(dfh, dh, out=part)
            np.multiply(part, f, out=part)
            np.add(dh, part, out=dh)  # but for what went through f
            np.multiply(df, f, out=part)
            np.multiply(part, f, out=df)
            np.subtract(part, df, out=df)
            np.add(df, df, out=df)
            np.dot(df, back, part)
            np.add(dh, part, out=dh)


class LayerNormLSTM:
    """An LSTM whose four products are normalised each by itself, and c on its way out (J. L. Ba et al. 2016)."""

    def __init__(self, T: int, N: int, D: int, H: int, dtype: Any) -> None:
        empty = lambda *shape: np.empty(shape, dtype)
        self.size = (T, N, D, H)
        self.read = np.zeros((T + 1, N, H + D), dtype)  # [h before, x] of each step
        self.weight, self.scale, self.shift = empty(H + D, 4 * H), empty(4, H), empty(4, H)
        self.xhat, self.y, self.da = empty(T, N, 4, H), empty(T, N, 4, H), empty(T, N, 4, H)
        self.dy, self.ahead = empty(T, N, 4, H), empty(N, 4 * H)
        self.rate, self.rate_of_c = empty(T, N, 4, 1), empty(T, N, 1)
        self.c, self.chat, self.tanh_c = np.zeros((T + 1, N, H), dtype), empty(T, N, H), empty(T, N, H)
        self.dn, self.dh, self.dc, self.part = empty(T, N, H), empty(N, H), empty(N, H), empty(N, H)
        self.four = empty(N, 4, H)

    def __call__(self, xs: Any, weights: dict[str, Any], upstream: Any) -> tuple[Any, dict[str, Any]]:
        H = self.size[-1]
        for k, name in enumerate(GATES):
            half = 1.0 if name == "candidate" else 0.5
            self.weight[:, k * H : (k + 1) * H] = weights[f"{name}.weight"]
            np.multiply(weights[f"{name}_norm.weight"], half, out=self.scale[k])
            np.multiply(weights[f"{name}_norm.bias"], half, out=self.shift[k])
        scale_of_c, shift_of_c = weights["cell_norm.weight"], weights["cell_norm.bias"]
        self.forward(xs, scale_of_c, shift_of_c)
        self.backward(upstream, scale_of_c)
        return self.read[1:, :, :H], self.gathered()

    def forward(self, xs: Any, scale_of_c: Any, shift_of_c: Any) -> None:
        T, N, D, H = self.size
        read, recurrent, part = self.read, self.weight[:H], self.part
        read[:T, :, H:] = xs
        np.matmul(read[:T].reshape(T * N, H + D)[:, H:], self.weight[H:], out=self.xhat.reshape(T * N, 4 * H))
        for t in range(T):
            xhat, y, after = self.xhat[t], self.y[t], self.c[t + 1]
            np.matmul(read[t, :, :H], recurrent, out=self.ahead)
            np.add(xhat, self.ahead.reshape(N, 4, H), out=xhat)
            _normalise(xhat, self.rate[t])
            np.multiply(xhat, self.scale, out=y)
            np.add(y, self.shift, out=y)
            np.tanh(y, out=y)
            gates = y[:, :3]
            np.multiply(gates, 0.5, out=gates)
            np.add(gates, 0.5, out=gates)
            np.multiply(y[:, 0], self.c[t], out=after)
            np.multiply(y[:, 1], y[:, 3], out=part)
            np.add(after, part, out=after)
            chat = self.chat[t]
            chat[:] = after
            _normalise(chat, self.rate_of_c[t])
            np.multiply(chat, scale_of_c, out=part)
            np.add(part, shift_of_c, out=part)
            np.tanh(part, out=self.tanh_c[t])
            np.multiply(y[:, 2], self.tanh_c[t], out=read[t + 1, :, :H])

    def backward(self, upstream: Any, scale_of_c: Any) -> None:
        T, N, _, H = self.size
        dh, dc, part, four = self.dh, self.dc, self.part, self.four
        back = np.ascontiguousarray(self.weight[:H].T)
        dh[:] = 0
        dc[:] = 0
        for t in range(T - 1, -1, -1):
            y, dy, dn, da = self.y[t], self.dy[t], self.dn[t], self.da[t]
            np.add(dh, upstream[t], out=dh)
            np.multiply(self.tanh_c[t], self.tanh_c[t], out=dn)
            np.subtract(1, dn, out=dn)
            np.multiply(dn, y[:, 2], out=dn)
            np.multiply(dn, dh, out=dn)
            np.multiply(dn, scale_of_c, out=part)
            _through(part, self.chat[t], self.rate_of_c[t], four[:, 0])
            np.add(dc, part, out=dc)
            gates = dy[:, :3]
            np.multiply(y[:, :3], y[:, :3], out=gates)
            np.subtract(y[:, :3], gates, out=gates)
            np.add(gates, gates, out=gates)
            np.multiply(y[:, 3], y[:, 3], out=dy[:, 3])
            np.subtract(1, dy[:, 3], out=dy[:, 3])
            np.multiply(dy[:, 2], dh, out=dy[:, 2])
            np.multiply(dy[:, 2], self.tanh_c[t], out=dy[:, 2])
            np.multiply(dy[:, 3], y[:, 1], out=dy[:, 3])
            np.multiply(dy[:, 1], y[:, 3], out=dy[:, 1])
            np.multiply(dy[:, 0], self.c[t], out=dy[:, 0])
            np.multiply(dy[:, :2], dc[:, None], out=dy[:, :2])
            np.multiply(dy[:, 3], dc, out=dy[:, 3])
            np.multiply(dy, self.scale, out=da)
            _through(da, self.xhat[t], self.rate[t], four)
            np.multiply(dc, y[:, 0], out=dc)
            np.matmul(da.reshape(N, 4 * H), back, out=dh)

    def gathered(self) -> dict[str, Any]:
        T, N, D, H = self.size
        rows = self.da.reshape(T * N, 4 * H)
        found = {"xs": (rows @ self.weight[H:].T).reshape(T, N, D)}
        whole = self.read[:T].reshape(T * N, -1).T @ rows  # (H + D, 4H)
        scale = np.einsum("tnkh,tnkh->kh", self.dy, self.xhat)
        shift = self.dy.reshape(T * N, 4 * H).sum(axis=0).reshape(4, H)
        for k, name in enumerate(GATES):
            half = 1.0 if name == "candidate" else 0.5
            found[f"{name}.weight"] = whole[:, k * H : (k + 1) * H]
            found[f"{name}_norm.weight"], found[f"{name}_norm.bias"] = half * scale[k], half * shift[k]
        found["cell_norm.weight"] = np.einsum("tnh,tnh->h", self.dn, self.chat)
        found["cell_norm.bias"] = self.dn.reshape(T * N, H).sum(axis=0)
        return found


def _normalise(x: Any, rate: Any) -> None:
    """Make x (..., H) have mean 0 and variance 1, in place; rate (..., 1) becomes 1 / √(σ² + ε)."""
    H = x.shape[-1]
    np.add.reduce(x, axis=-1, keepdims=True, out=rate)
    np.divide(rate, H, out=rate)
    np.subtract(x, rate, out=x)
    np.vecdot(x, x, out=rate[..., 0])
    np.divide(rate, H, out=rate)
    np.add(rate, EPS, out=rate)
    np.sqrt(rate, out=rate)
    np.divide(1, rate, out=rate)
    np.multiply(x, rate, out=x)


def _through(g: Any, xhat: Any, rate: Any, room: Any) -> None:
    """Take the gradient of what is normalised to that of what it was, in place: rate (g − mean g − x̂ mean(g x̂))."""
    H = g.shape[-1]
    along = np.vecdot(g, xhat)[..., None]
    np.divide(along, H, out=along)
    mean = np.add.reduce(g, axis=-1, keepdims=True)
    np.divide(mean, H, out=mean)
    np.multiply(xhat, along, out=room)
    np.subtract(g, room, out=g)
    np.subtract(g, mean, out=g)
    np.multiply(g, rate, out=g)

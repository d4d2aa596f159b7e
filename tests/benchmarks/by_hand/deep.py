"""Layers of LSTMs in both directions, by hand: a kernel for each layer and direction."""

from __future__ import annotations

from typing import Any

import numpy as np

from .lstm import LSTM


class DeepLSTM:
    """Two layers in both directions; their weights are called ``layer0.…``, ``layer0_reverse.…``, ``layer1.…``, …"""

    def __init__(self, T: int, N: int, D: int, H: int, dtype: Any) -> None:
        self.layers = [[LSTM(T, N, size, H, dtype) for _ in ("there", "back")] for size in (D, 2 * H)]
        self.outputs = [np.empty((T, N, 2 * H), dtype) for _ in self.layers]

    def __call__(self, xs: Any, weights: dict[str, Any], upstream: Any) -> tuple[Any, dict[str, Any]]:
        found: dict[str, Any] = {}
        for k, output in enumerate(self.outputs):
            for name, kernel, turned, place in self.directions(k):
                own = {key.removeprefix(name): array for key, array in weights.items() if key.startswith(name)}
                kernel.load(own)
                kernel.forward(turned(xs))
                output[..., place] = turned(kernel.h)
            xs = output
        for k in reversed(range(len(self.layers))):
            below: Any = 0
            for name, kernel, turned, place in self.directions(k):
                gradients = kernel.backward(turned(upstream)[..., place])
                below = below + turned(gradients.pop("xs"))
                found |= {name + key: array for key, array in gradients.items()}
            upstream = below
        return self.outputs[-1], found | {"xs": upstream}

    def directions(self, k: int) -> list[tuple[str, LSTM, Any, slice]]:
        """Name, kernel, how it reads time, and its place in the output, of both directions of a layer."""
        there, back = self.layers[k]
        H = there.size[-1]
        return [
            (f"layer{k}.", there, lambda array: array, slice(0, H)),
            (f"layer{k}_reverse.", back, lambda array: array[::-1], slice(H, 2 * H)),
        ]

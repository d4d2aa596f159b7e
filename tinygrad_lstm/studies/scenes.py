"""Films of one shape that moves, and the sentence that tells what it does; drawn by our own generator."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..engine.primitive import Array

FRAMES, SIDE = 12, 16
"""Of a film, and the pixels of a frame on each side."""

SIZES = {"small": 3, "large": 5}
LIGHTS = {"dim": 0.5, "bright": 1.0}
SHAPES = ("square", "ring", "cross", "saltire", "triangle")
SPEEDS = {"slowly": 0.6, "quickly": 1.2}
WAYS = {"right": (0, 1), "left": (0, -1), "down": (1, 0), "up": (-1, 0)}
"""Sizes in pixels, light, speeds in pixels for each frame, and what a way adds to row and column."""


class Film(NamedTuple):
    """Frames, (T, 256), where the shape is in each, (T, 2), and the frame in which it turns or stops."""

    frames: Array
    places: Array
    turn: int


def sentences() -> list[list[str]]:
    """Return every sentence that there is, as words: a size, a light, a shape, a speed, a way, and what comes then.

    >>> len(sentences()), " ".join(sentences()[-1])
    (640, 'a large bright triangle moves quickly up then stops')
    """
    found = []
    for size, light, shape, speed, way in product(SIZES, LIGHTS, SHAPES, SPEEDS, WAYS):
        for then in (*(f"turns {other}" for other in WAYS if other != way), "stops"):
            found.append(["a", size, light, shape, "moves", speed, way, "then", *then.split()])
    return found


def film(sentence: Sequence[str], rng: np.random.Generator, noise: float = 0.05) -> Film:
    """Return a film of what a sentence says; when it turns, and where it begins, is drawn, and so is the noise.

    >>> film(sentences()[0], np.random.default_rng(0)).frames.shape
    (12, 256)
    """
    _, size, light, shape, _, speed, way, _, does, *other = sentence
    turn = int(rng.integers(4, 7))
    first, then = np.array(WAYS[way]), np.array(WAYS[other[0]]) if does == "turns" else np.zeros(2)
    steps = np.where(np.arange(1, FRAMES)[:, None] <= turn, first, then) * SPEEDS[speed]
    path = np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)])  # (T, 2)
    room = SIDE - SIZES[size] - np.ptp(path, axis=0)
    places = np.floor(path - path.min(axis=0) + rng.uniform(0, room)).astype(int)
    drawn, mask = rng.normal(size=(FRAMES, SIDE, SIDE)) * noise, _mask(shape, SIZES[size]) * LIGHTS[light]
    for frame, (row, column) in zip(drawn, places, strict=True):
        frame[row : row + len(mask), column : column + len(mask)] += mask
    return Film(drawn.reshape(FRAMES, -1), places + (SIZES[size] - 1) / 2, turn)


def films(of: Sequence[Sequence[str]], rng: np.random.Generator) -> tuple[Array, list[Film]]:
    """Return films of sentences side by side, (T, N, 256), and one by one.

    >>> films(sentences()[:3], np.random.default_rng(0))[0].shape
    (12, 3, 256)
    """
    drawn = [film(sentence, rng) for sentence in of]
    return np.stack([each.frames for each in drawn], axis=1), drawn


def _mask(shape: str, size: int) -> NDArray[np.float64]:
    """Return the pixels of a shape, 0 or 1, (size, size)."""
    row, column = np.mgrid[:size, :size]
    last, middle = size - 1, size // 2
    mask: NDArray[np.float64] = {
        "square": np.ones((size, size)),
        "ring": (row % last == 0) | (column % last == 0),
        "cross": (row == middle) | (column == middle),
        "saltire": (row == column) | (row + column == last),
        "triangle": np.abs(column - middle) <= row / 2,
    }[shape].astype(np.float64)
    return mask

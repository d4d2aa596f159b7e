"""Every loss written out in numpy, independently of the package."""

import numpy as np

import tinygrad_lstm as tl
from tests.nn.longhand import sigmoid

CLASSES = {"unbatched": (), "batch": (5,), "image": (2, 3), "deep": (2, 2, 1)}


def scored(seed, shape, classes=4):
    """Scores with the classes second, targets some of which are −1, and weights."""
    rng = np.random.default_rng(seed)
    axis = min(1, len(shape))
    targets = rng.integers(-1, classes, size=shape)
    if shape:
        targets.flat[0] = 2  # one at least counts
    else:
        targets = np.array(abs(int(targets)))
    return rng.normal(size=(*shape[:axis], classes, *shape[axis:])), targets, rng.uniform(0.5, 2, classes)


def surprise(scores, targets, weight, reduction, smoothing, logits=True):
    """Written with loops: the sum over targets of what each surprises."""
    axis = min(1, scores.ndim - 1)
    rows = np.moveaxis(scores, axis, -1)
    losses, total = np.zeros(targets.shape), 0.0
    for place in np.ndindex(targets.shape):
        if (label := targets[place]) == -1:
            continue
        row = rows[place] - np.log(np.exp(rows[place]).sum()) if logits else rows[place]
        losses[place] = -(1 - smoothing) * weight[label] * row[label] - smoothing * (weight * row).mean()
        total += weight[label]
    return {"none": losses, "sum": losses.sum(), "mean": losses.sum() / total}[reduction]


BCE = tl.binary_cross_entropy_with_logits


def _entries(weight=1.0, rarity=1.0):
    return lambda x, t: -weight * (rarity * t * np.log(sigmoid(x)) + (1 - t) * np.log(sigmoid(-x)))


def _huber(d):
    return lambda x, t: np.where(abs(x - t) < d, (x - t) ** 2 / 2, d * (abs(x - t) - d / 2))


ENTRIES = {
    "mse": (tl.mse_loss, {}, lambda x, t: (x - t) ** 2),
    "l1": (tl.nn.l1_loss, {}, lambda x, t: abs(x - t)),
    "huber": (tl.nn.huber_loss, {"delta": 0.5}, _huber(0.5)),
    "huber of 1": (tl.nn.huber_loss, {}, _huber(1)),
    "smooth of 1": (tl.nn.smooth_l1_loss, {}, _huber(1)),
    "smooth": (tl.nn.smooth_l1_loss, {"beta": 0.5}, lambda x, t: 2 * _huber(0.5)(x, t)),
    "bce": (BCE, {}, _entries()),
    "weighted": (BCE, {"weight": [2, 3, 4]}, _entries(np.array([2, 3, 4]))),
    "rare": (BCE, {"pos_weight": [2, 3, 4]}, _entries(rarity=np.array([2, 3, 4]))),
}

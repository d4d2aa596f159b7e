"""What a program computes, beside what the graph computes."""

import numpy as np

import tinygrad_lstm as tl
from tinygrad_lstm.testing.objective import compared, tolerated


def exactly(ours, theirs):
    return np.array_equal(ours, theirs, equal_nan=True)


def to_rounding(ours, theirs):
    """Within 1e4 units of rounding of the sum of absolute terms, along a direction in which all numbers count."""
    weights = np.random.default_rng(0).normal(size=np.shape(theirs))
    apart, scale = compared(np.asarray(weights * ours), np.asarray(weights * theirs))
    return apart <= tolerated(2.0**-53 if theirs.dtype == np.float64 else 2.0**-24, 0.0) * scale


def alike(ours, theirs, same):
    """Tell whether an array of a program is a tensor of the graph; None is a gradient of zeros."""
    if ours is None or theirs is None:
        return not np.any(0 if ours is None else ours) and (theirs is None or not theirs.value.any())
    return np.shape(ours) == theirs.shape and np.asarray(ours).dtype == theirs.dtype and same(ours, theirs.value)


def within_terms(loss):
    """Return what tells whether arrays differ by no more than rounding of the largest term of a backward pass.

    Where terms cancel that is all that may be asked for: of x in exp(x) / exp(x), say.
    """
    terms = [float(np.abs(step.contribution).max(initial=1.0)) for step in tl.backprop(loss)]
    slack = tolerated(2.0**-53, 0.0) * max(terms, default=1.0)
    return lambda ours, theirs: np.allclose(ours, theirs, rtol=tolerated(2.0**-53, 0.0), atol=slack, equal_nan=True)


def unlike(loss, wrt, program, same):
    """Return the names of what a program computes otherwise than the graph of a loss: its value, and gradients."""
    value, gradients = program()
    names = ["the loss", *(x.name or f"input {k}" for k, x in enumerate(wrt))]
    expected = [loss, *tl.grad(loss, wrt, allow_unused=True)]
    pairs = zip(names, [value, *gradients], expected, strict=True)
    return [name for name, ours, theirs in pairs if not alike(ours, theirs, same)]


def tensors(nested):
    """Return the tensors in nested tuples, lists and dicts."""
    if isinstance(nested, tl.Tensor):
        return [nested]
    nested = list(nested.values()) if isinstance(nested, dict) else nested
    return [x for part in nested for x in tensors(part)] if isinstance(nested, tuple | list) else []


def unlike_compiled(fast, slow, arguments, wrt, same):
    """Return what a compiled function computes otherwise than the function: outputs, and gradients by random seeds."""
    rng = np.random.default_rng(0)
    expected = tensors(slow(*arguments))
    seeds = [rng.normal(size=x.shape).astype(x.dtype) for x in expected]
    made = tensors(fast(*arguments))
    found = []
    for outputs in (expected, made):
        loss = sum((x * seed).sum() for x, seed in zip(outputs, seeds, strict=True))
        found.append([*outputs, *tl.grad(loss, wrt, allow_unused=True)])
    names = [*(f"output {k}" for k in range(len(expected))), *(x.name or f"input {k}" for k, x in enumerate(wrt))]
    pairs = zip(names, found[1], found[0], strict=True)
    return [name for name, ours, theirs in pairs if not alike(None if ours is None else ours.value, theirs, same)]

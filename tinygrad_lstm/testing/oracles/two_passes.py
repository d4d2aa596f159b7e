"""Forward derivatives, which two backward passes make.

(Townsend 2017, "A new trick for calculating Jacobian vector products".)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...engine.backprop import grad
from ...engine.tensor import Tensor, tensor
from ..objective import Objective


def two_passes(objective: Objective, leaf: Tensor, direction: NDArray[Any]) -> NDArray[Any]:
    """Return the terms of ⟨w, J u⟩, for a direction u in one leaf: J u is the gradient of ⟨Jᵀv, u⟩ in v."""
    terms = [np.zeros(1)]
    for output, cotangent in zip(objective.graph.outputs, objective.cotangents, strict=True):
        if not output.requires_grad:
            continue
        v = tensor(np.ones(output.shape), requires_grad=True, dtype=output.dtype)
        (gradient,) = grad(output, [leaf], v, create_graph=True, allow_unused=True)
        if gradient is not None and gradient.requires_grad:
            (along,) = grad(gradient, [v], direction, allow_unused=True)
            if along is not None:
                terms.append(np.ravel(along.value * cotangent).astype(np.float64))
    return np.concatenate(terms)

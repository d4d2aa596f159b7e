"""The Taylor test: what a learner sees of a gradient, as a number and as a plot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..engine.tensor import Tensor
from ..nn.creation import generator as generator_of
from .errors import NothingCheckedError
from .objective import Objective
from .oracles.convergence import Convergence, convergence
from .report.plot import plot
from .subject import Subject


class TaylorTest(Convergence):
    """What is left of a Taylor step, for ever smaller steps, and a plot of it."""

    def svg(self) -> str:
        """Draw what is left over the step, on logarithmic axes, beside lines that fall like h and like h³."""
        return plot(self)


def taylor_test(
    f: Callable[..., Any],
    *inputs: Tensor | ArrayLike,
    parameters: Sequence[Tensor] = (),
    rng: int | np.random.Generator = 0,
) -> TaylorTest:
    """Measure what is left of f(x + hu) − f(x − hu) once 2h⟨g, u⟩ is taken away, for ever smaller steps h.

    It shrinks like h³ if g is the gradient and like h if it is not: the slope of a line on logarithmic axes, which
    ``order`` gives and ``svg()`` draws. The step is taken in the first input with a gradient. Of a function that is
    linear or quadratic along u nothing is left but rounding, and there is no order.

    Arguments are those of ``check_vjp``. Returns the steps, what remains at each, what rounding alone leaves, and the
    order. Raises NothingCheckedError where no input has a gradient, and GradientError for a function that cannot be
    checked. (Farrell, Ham, Funke & Rognes 2013, "Automated derivation of the adjoint of high-level transient finite
    element programs", section 5.)

    >>> import tinygrad_lstm as tl
    >>> round(taylor_test(tl.tanh, [0.5, -1.0]).order)
    3
    """
    generator = generator_of(rng)
    subject = Subject.called(f, inputs, parameters, generator)
    objective = Objective.random(subject.graph, generator)
    leaf = next((leaf for leaf in subject.checked.values() if leaf.size), None)
    if leaf is None:
        raise NothingCheckedError("no input has a gradient: pass floats, in shapes that hold some")
    direction = generator.normal(size=leaf.shape)
    return TaylorTest(**vars(convergence(objective, leaf, direction, objective.slope(leaf, direction))))

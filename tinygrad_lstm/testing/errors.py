"""What the checks raise."""

from __future__ import annotations

from ..structure.words import printable
from .report.failure import Failure


class GradientError(AssertionError):
    """Raised for a gradient that is wrong, or cannot be checked.

    ``failure`` holds all that is known of a wrong one, and is None of one that cannot be checked: its ``finding``, the
    ``blame``, the ``evidence`` of each oracle, the ``smallest`` failure, its ``code`` and its ``picture()``. ``again``
    says how to have the same failure again, as does a note of the error.

    >>> import tinygrad_lstm as tl
    >>> wrong = tl.primitive("wrong", lambda x: x * x, lambda g, y, x: (3 * x * g,))
    >>> try:
    ...     tl.testing.check_vjp(wrong, [2.0])
    ... except tl.testing.GradientError as error:
    ...     [node.primitive.name for node in error.failure.blame.marked]
    ['wrong']
    """

    def __init__(self, message: str, failure: Failure | None = None) -> None:
        super().__init__(printable(message))
        self.failure = failure
        self.again = ""


class ResultError(TypeError):
    """Raised for a function that returns no Tensor: other inputs would not help."""


class NothingCheckedError(GradientError):
    """Raised for a check that is vacuous: every gradient is zero, or drowns in rounding. None was found wrong.

    >>> import tinygrad_lstm as tl
    >>> try:
    ...     tl.testing.check_vjp(lambda x: x * 0, [2.0])
    ... except tl.testing.NothingCheckedError as error:
    ...     str(error)[:19]
    'nothing was checked'
    """


REFUSALS = (GradientError, ValueError, IndexError, TypeError)
"""What a check raises of a function that does not take its inputs, and else: ``is_refusal`` tells."""


def is_refusal(error: Exception) -> bool:
    """Tell whether it says only that inputs do not fit, are outside the domain, or leave nothing to check."""
    if isinstance(error, GradientError):
        return isinstance(error, NothingCheckedError) or "returns NaN or Inf" in str(error)
    return not isinstance(error, ResultError)

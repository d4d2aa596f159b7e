"""What the checks raise."""

from __future__ import annotations

from .report.failure import Failure


class GradientError(AssertionError):
    """A gradient is wrong, or could not be checked. ``failure`` says all that is known of a wrong one."""

    def __init__(self, message: str, failure: Failure | None = None) -> None:
        super().__init__(message)
        self.failure = failure


class ResultError(TypeError):
    """What a function returned is no Tensor, so that no inputs can make it one to check."""


class NothingCheckedError(GradientError):
    """The check was vacuous: every gradient is zero, or drowns in rounding. No gradient was found wrong."""

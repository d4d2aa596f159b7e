"""What the checks raise."""


class GradientError(AssertionError):
    """A gradient disagrees with the complex step, or could not be checked."""


class NothingCheckedError(GradientError):
    """The check was vacuous: every gradient is zero, or drowns in rounding. No gradient was found wrong."""

"""What an answer counts as: caught or missed of a wrong gradient, right or accused of a right one, or undecided."""

import numpy as np

from tinygrad_lstm.testing import GradientError, NothingCheckedError, Verdict

from .case import Case

PASSED = (Verdict.PASS, Verdict.ROUNDOFF)


def outcome(case: Case, wrong: bool, seed: int = 0) -> tuple[str, str]:
    """Return a word for what the check said, and its own words.

    A gradient that was named wrong counts as caught, or accused. What only refuses the function (it is random, it
    leaves the graph) has caught it where that is the fault, and is undecided of everything else.
    """
    try:
        with np.errstate(all="ignore"):
            report = case.run(seed)
    except NothingCheckedError as error:
        return "undecided", _first_line(error)
    except Exception as error:
        named = isinstance(error, GradientError) and error.failure is not None
        if named or (wrong and case.refusal):
            return ("caught" if wrong else "accused"), _first_line(error)
        return "undecided", _first_line(error)
    if report.verdict not in PASSED:
        return "undecided", str(report.verdict)
    return ("missed" if wrong else "right"), str(report.verdict)


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0][:200] if str(error).strip() else ''}"

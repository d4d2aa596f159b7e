"""A check that fails says its seed, and how to have the same failure again."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np

from .errors import GradientError
from .profiles import Profile, chosen, fresh

__tracebackhide__ = True  # from pytest: it shows who asked, not how we looked

P = ParamSpec("P")
T = TypeVar("T")


def repeatable(check: Callable[P, T], draws: bool = False) -> Callable[P, T]:
    """Choose the seed of a check that is given none, and add to its error how to repeat it.

    It is that of the command or of pytest, or 0; or a fresh one, where a check that ``draws`` inputs is given none, and
    the profile is to draw others in each run. What a Generator draws is repeated by whoever made it.
    """

    @wraps(check)
    def checked(*args: P.args, **given: P.kwargs) -> T:
        seed: Any = given.get("rng")
        if isinstance(seed, np.random.Generator):
            return check(*args, **given)
        how = chosen()
        if seed is None:
            others = draws and len(args) == 1 and how.profile is not Profile.ci
            seed = how.seed if how.seed is not None else fresh() if others else 0
        given["rng"] = seed
        try:
            return check(*args, **given)
        except GradientError as error:
            if not error.again:
                error.again = f"to see it again: {how.again}{seed}"
                error.add_note(error.again)
            raise

    return checked

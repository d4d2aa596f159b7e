"""What the fixture ``gradcheck`` is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import ContextVar
from functools import wraps
from inspect import signature
from typing import Any, ParamSpec, TypeVar

from hypothesis import currently_in_test_context, reject

from ..checks import check_jvp, check_second_order, check_vjp
from ..errors import NothingCheckedError
from ..laws.agreement import check_same
from ..profiles import during
from ..proofs import assert_detects, check_cell, check_op

__tracebackhide__ = True  # from pytest: it shows who asked, not how we looked


_options: ContextVar[dict[str, Any]] = ContextVar("options", default={})  # noqa: B039  # replaced, never changed


def options(**given: Any) -> AbstractContextManager[None]:
    """Give every check these options, for a while; those of a call come first."""
    return during(_options, given)


P = ParamSpec("P")
T = TypeVar("T")


def _in_a_test(check: Callable[P, T]) -> Callable[P, T]:
    """Give a check the options that it takes; under ``@given``, have what leaves nothing to check drawn again."""
    takes = signature(check).parameters

    @wraps(check)
    def checked(*args: P.args, **given: P.kwargs) -> T:
        usual: Any = {name: value for name, value in _options.get().items() if name in takes}
        try:
            return check(*args, **{**usual, **given})
        except NothingCheckedError:
            if currently_in_test_context():
                reject()
            raise

    return checked


class GradCheck:
    """The fixture: ``gradcheck(f, *inputs)`` is ``check_vjp``, and the other checks are its attributes.

    ``rng``, ``directions``, ``order`` and ``rtol`` come from the test's marker, unless they are given. Under
    ``@given``, what was drawn and has nothing to check is drawn again; a test for which nothing is ever checked fails.
    """

    __call__ = staticmethod(_in_a_test(check_vjp))
    op = staticmethod(_in_a_test(check_op))
    cell = staticmethod(_in_a_test(check_cell))
    jvp = staticmethod(_in_a_test(check_jvp))
    second_order = staticmethod(_in_a_test(check_second_order))
    same = staticmethod(_in_a_test(check_same))
    detects = staticmethod(_in_a_test(assert_detects))

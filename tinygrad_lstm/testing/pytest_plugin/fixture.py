"""What the fixture ``gradcheck`` is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from hypothesis import currently_in_test_context, reject

from ..checks import assert_detects, check_cell, check_jvp, check_op, check_second_order, check_vjp
from ..errors import GradientError, NothingCheckedError
from ..laws.agreement import check_same
from ..verdicts import Report

__tracebackhide__ = True  # from pytest: it shows who asked, not how we looked


_options: ContextVar[dict[str, Any]] = ContextVar("options", default={})  # noqa: B039  # replaced, never changed


@contextmanager
def options(**given: Any) -> Iterator[None]:
    """Give every check these options, for a while; those of a call come first."""
    token = _options.set(given)
    try:
        yield
    finally:
        _options.reset(token)


class GradCheck:
    """The fixture: ``gradcheck(f, *inputs)`` is ``check_vjp``, and the other checks are its attributes.

    ``rng`` and ``directions`` come from the test's marker, unless they are given. Under ``@given``, what was drawn and
    has nothing to check is drawn again; a test for which nothing is ever checked fails.
    """

    def __call__(self, f: Any, *inputs: Any, **options: Any) -> Report:
        return self._report(check_vjp, f, *inputs, **options)

    def op(self, op: Callable[..., Any], *inputs: Any, **options: Any) -> Report:
        """Run ``check_op``."""
        return self._report(check_op, op, *inputs, **options)

    def cell(self, cell: Any, steps: int = 5, **options: Any) -> Report:
        """Run ``check_cell``."""
        return self._report(check_cell, cell, steps, **options)

    def jvp(self, f: Callable[..., Any], *inputs: Any, **options: Any) -> Report:
        """Run ``check_jvp``."""
        return self._report(check_jvp, f, *inputs, **options)

    def second_order(self, f: Callable[..., Any], *inputs: Any, **options: Any) -> Report:
        """Run ``check_second_order``."""
        return self._report(check_second_order, f, *inputs, **options)

    def same(self, f: Callable[..., Any], g: Callable[..., Any], *inputs: Any, **options: Any) -> None:
        """Run ``check_same``."""
        self._check(check_same, f, g, *inputs, **options)

    def detects(self, op: Any, wrong_rule: Callable[..., Any], *inputs: Any, **options: Any) -> GradientError:
        """Run ``assert_detects``."""
        caught: GradientError = self._check(assert_detects, op, wrong_rule, *inputs, **options)
        return caught

    def _report(self, check: Callable[..., Any], *args: Any, **options: Any) -> Report:
        report: Report = self._check(check, *args, **options)
        return report

    def _check(self, check: Callable[..., Any], *args: Any, **options: Any) -> Any:
        takes_directions = check in (check_vjp, check_op, check_jvp, check_second_order)
        usual = {name: value for name, value in _options.get().items() if name != "directions" or takes_directions}
        try:
            return check(*args, **{**usual, **options})
        except NothingCheckedError:
            if currently_in_test_context():
                reject()
            raise

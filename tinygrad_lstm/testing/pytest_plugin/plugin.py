"""The pytest plugin: a fixture ``gradcheck``, a marker of that name, and one report for each gradient that is wrong.

Found by pytest once the package is installed. Until a test asks for a check it imports neither numpy nor the engine.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ..profiles import Profile, drawing_by

if TYPE_CHECKING:
    from ..errors import GradientError
    from .fixture import GradCheck

OPTIONS = ("rng", "directions", "order", "rtol")
PROFILES = tuple(Profile)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that chooses a profile."""
    group = parser.getgroup("gradcheck", "checks of gradients")
    group.addoption(
        "--gradcheck-profile",
        choices=PROFILES,
        help="how many inputs an operation is tried at: dev (50, others in each run; the default), ci (50, always the "
        "same; the default where the environment variable CI is set) or nightly (500)",
    )
    group.addoption(
        "--gradcheck-seed", type=int, metavar="N", help="draw inputs and directions by this seed, as a failure says"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Describe the marker."""
    config.addinivalue_line(
        "markers",
        "gradcheck(rng=None, directions=None, order=None, rtol=0, profile=None): how the fixture gradcheck checks; "
        "every test that uses the fixture has the mark, for -m gradcheck",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that uses the fixture."""
    for item in items:
        if "gradcheck" in getattr(item, "fixturenames", ()) and item.get_closest_marker("gradcheck") is None:
            item.add_marker(pytest.mark.gradcheck)


@pytest.fixture(scope="session")
def gradcheck() -> GradCheck:
    """Check gradients, and report failures with who is to blame, the smallest program and its picture."""
    from .fixture import GradCheck

    return GradCheck()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Refuse a marker with other arguments than it takes."""
    for mark in item.iter_markers("gradcheck"):
        profile = mark.kwargs.get("profile")
        if mark.args or not set(mark.kwargs) <= {*OPTIONS, "profile"} or profile not in (None, *PROFILES):
            pytest.fail(
                f"pytest.mark.gradcheck takes, by name, {', '.join(OPTIONS)}, and profile, one of "
                f"{', '.join(PROFILES)}; this has {mark.args} and {mark.kwargs}",
                pytrace=False,
            )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Let the test's own options hold while it runs; the fixture is of the session, for use under ``@given``."""
    mark = item.get_closest_marker("gradcheck")
    if mark is None:
        return (yield)
    from .fixture import options

    given = dict(mark.kwargs)
    profile = Profile(given.pop("profile", 0) or item.config.getoption("--gradcheck-profile") or Profile.usual())
    config: Any = item.config  # whose types differ between versions
    test = shlex.quote(str(config.cwd_relative_nodeid(item.nodeid)))
    again = f"pytest {test} --gradcheck-profile={profile} --gradcheck-seed="
    with drawing_by(profile, config.getoption("--gradcheck-seed"), again), options(**given):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to the report of a test what is known of the wrong gradient that it failed by."""
    report = yield
    error = _wrong_gradient(call.excinfo.value) if report.when == "call" and call.excinfo else None
    if error is not None:
        said = ("gradient check", _explained(item, error))
        add = getattr(report.longrepr, "addsection", lambda *section: report.sections.append(section))
        add(*said)  # where there is one, JUnit XML holds it too, as it does not the sections of a report
    return report


def _wrong_gradient(error: BaseException) -> GradientError | None:
    """Find the wrong gradient behind an exception, if that is what it is about; inside a group as well."""
    import sys

    if "tinygrad_lstm.testing.errors" not in sys.modules:
        return None  # nothing was checked
    from ..errors import GradientError

    if isinstance(error, GradientError):
        return error if error.failure is not None else None
    if isinstance(error, BaseExceptionGroup):
        return next(filter(None, map(_wrong_gradient, error.exceptions)), None)
    return None


def _explained(item: pytest.Item, error: GradientError) -> str:
    """Return the report; of a failure that cannot be explained, its message and why."""
    from ..report.text import explain

    assert error.failure is not None
    try:
        return explain(error.failure, _picture(item))
    except Exception as failed:  # what is wrong with a gradient must be read, whatever is wrong with its report
        return f"{error}\n\nIt cannot be explained: {type(failed).__name__}: {failed}"


def _picture(item: pytest.Item) -> Path | None:
    """Name a file of the test's own in pytest's cache, if it has one."""
    cache = getattr(item.config, "cache", None)
    if cache is None:
        return None
    name = re.sub(r"\W+", "_", item.nodeid).strip("_")[-120:]
    return Path(cache.mkdir("gradcheck")) / f"{name}.svg"

"""How hard to look: as one does while writing, on a server that must not waver, and by night."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from hypothesis import settings


class Profile(StrEnum):
    """How many inputs an operation is tried at, and whether every run draws the same."""

    dev = "dev"  # other draws in each run
    ci = "ci"  # derandomised: the same draws in every run
    nightly = "nightly"  # ten times as many, other ones each night

    @property
    def settings(self) -> settings:
        """Return what hypothesis takes: ``@settings(Profile.nightly.settings)`` for tests of one's own."""
        from hypothesis import HealthCheck, settings

        return settings(
            max_examples=500 if self is Profile.nightly else 50,
            derandomize=self is Profile.ci,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],  # slow machines
        )

    @classmethod
    def usual(cls) -> Profile:
        """Return that of a machine: ``ci`` where the environment variable CI is set, and else ``dev``."""
        return cls.ci if os.environ.get("CI") else cls.dev


class Drawing(NamedTuple):
    """By what is drawn, and what to write before a seed to have it drawn again."""

    profile: Profile
    seed: int | None = None
    again: str = "rng="


_drawing: ContextVar[Drawing] = ContextVar("drawing", default=Drawing(Profile.ci))  # noqa: B039  # it does not change


def chosen() -> Drawing:
    """Return how inputs and directions are drawn: by ``ci``, unless a command or pytest chooses another profile."""
    return _drawing.get()


def drawing_by(profile: Profile, seed: int | None = None, again: str = "rng=") -> AbstractContextManager[None]:
    """Choose a profile, for a while, and the seed of what is given none."""
    return during(_drawing, Drawing(profile, seed, again))


@cache
def fresh() -> int:
    """Return the seed of this run, which is another in each."""
    return int.from_bytes(os.urandom(4))


@contextmanager
def during(variable: ContextVar[Any], value: Any) -> Iterator[None]:
    """Give a variable a value, for a while."""
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)

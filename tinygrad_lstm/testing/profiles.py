"""How hard to look: as one does while writing, on a server that must not waver, and by night."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from enum import StrEnum
from typing import TYPE_CHECKING, Any

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


_chosen: ContextVar[Profile] = ContextVar("profile", default=Profile.ci)


def chosen() -> Profile:
    """Return the profile by which operations draw their inputs; ``ci`` unless a command or pytest chooses another."""
    return _chosen.get()


def drawing_by(profile: Profile) -> AbstractContextManager[None]:
    """Choose a profile, for a while."""
    return during(_chosen, profile)


@contextmanager
def during(variable: ContextVar[Any], value: Any) -> Iterator[None]:
    """Give a variable a value, for a while."""
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)

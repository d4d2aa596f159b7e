"""How hard to look: hypothesis profiles for whoever is writing, for a server that must not waver, and for the night.

Registered as ``gradcheck-dev``, ``gradcheck-ci`` and ``gradcheck-nightly``, so that they take nobody else's names.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum

from hypothesis import HealthCheck, settings

SLOW_MACHINES = (HealthCheck.too_slow, HealthCheck.data_too_large)


class Profile(StrEnum):
    dev = "dev"  # other draws in each run
    ci = "ci"  # derandomised: the same draws in every run
    nightly = "nightly"  # ten times as many, other ones each night

    @property
    def settings(self) -> settings:
        return settings.get_profile(f"gradcheck-{self}")

    @classmethod
    def usual(cls) -> Profile:
        """For a machine: ``ci`` where the environment says so, and else ``dev``."""
        return cls.ci if os.environ.get("CI") else cls.dev


settings.register_profile("gradcheck-dev", max_examples=50, deadline=None, suppress_health_check=SLOW_MACHINES)
settings.register_profile("gradcheck-ci", parent=settings.get_profile("gradcheck-dev"), derandomize=True, database=None)
settings.register_profile("gradcheck-nightly", parent=settings.get_profile("gradcheck-dev"), max_examples=500)

_chosen: ContextVar[Profile] = ContextVar("profile", default=Profile.ci)


def chosen() -> Profile:
    """The profile by which operations draw their inputs; ``ci`` unless a command or pytest says otherwise."""
    return _chosen.get()


@contextmanager
def drawing_by(profile: Profile) -> Iterator[None]:
    token = _chosen.set(profile)
    try:
        yield
    finally:
        _chosen.reset(token)

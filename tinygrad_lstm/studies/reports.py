"""What is told of a contest: who succeeded how often at which gap, and how soon."""

from __future__ import annotations

from .study import Result, Section


def report(results: list[Result]) -> list[Section]:
    """Return the sections of a contest's report."""
    return []

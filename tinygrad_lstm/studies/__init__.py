"""Experiments: what is said of recurrent networks, run, measured, and taken apart. A study is a file."""

from __future__ import annotations

from importlib import import_module

from .study import Result, Row, Section, Study, Table, Walk

__all__ = ["STUDIES", "Result", "Row", "Section", "Study", "Table", "Walk", "by_name"]

STUDIES: dict[str, str] = {
    "temporal-order": "temporal_order",
    "adding": "adding",
    "reber": "reber",
    "copy": "copying",
    "jsb": "jsb",
    "atlas": "atlas.study",
    "gradients": "gradients",
    "updates": "updates",
    "memory": "memory",
    "by-hand": "by_hand",
    "untied": "untied",
    "ablation": "ablation",
}
"""The studies by name, and the module that each is in, as its ``STUDY``."""


def by_name(name: str) -> Study:
    """Return a study by its name. Raises ValueError for one that there is not.

    >>> by_name("adding").name
    'adding'
    """
    if name not in STUDIES:
        raise ValueError(f"there is no study {name!r:.60}; there are {', '.join(STUDIES)}")
    found: Study = import_module(f"{__name__}.{STUDIES[name]}").STUDY
    return found

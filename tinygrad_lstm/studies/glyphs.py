"""Letters as pictures, by the fonts that draw them, and in words, by the names that Unicode gives them."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from ..engine.primitive import Array
from ..structure.words import clean

SIDE, ROOM = 24, 1
"""The pixels of a picture on each side, and by how many a letter is moved at most, in each direction."""

SIZE, BASELINE = 15, 18
"""The size of a font in pixels, and the row on which letters stand; chosen: an Ǹ and a ḉ fit in, of every DejaVu."""

MARKS = (
    *("acute", "breve", "caron", "cedilla", "circumflex", "diaeresis"),
    *("dot above", "dot below", "grave", "line below", "macron", "tilde"),
)
"""What stands above or below a letter; chosen: twelve letters have it, or more, and it looks alike on all of them, as
hooks and strokes do not."""

LEAST = 8
"""Names that a letter is in, small or capital; chosen: whoever holds out one in three still knows every word."""


def names() -> dict[str, list[str]]:
    """Return the Latin letters that have one of the marks, or none, and the words of their names.

    Left out are those words that all names have, "Latin" and "letter", and letters with few marks.

    >>> len(names()), " ".join(names()["é"]), " ".join(names()["K"])
    (309, 'small e with acute', 'capital k')
    """
    found = {}
    for character in map(chr, range(0x1F00)):
        name = unicodedata.name(character, "").lower()
        matched = re.fullmatch("latin (small|capital) letter ([a-z])(?: with ([a-z ]+))?", name)
        if matched and matched[3] in (None, *MARKS):
            found[character] = [matched[1], matched[2], *(["with", matched[3]] if matched[3] else [])]
    often = Counter(words[1] for words in found.values())
    return {character: words for character, words in found.items() if often[words[1]] >= LEAST}


def glyphs(font: Path, characters: Iterable[str]) -> dict[str, Array]:
    """Return how a font draws characters, each with room to be moved: (26, 26), 0 for paper and 1 for ink.

    Characters that a font does not have are left out.

    Arguments:
        font: a file, .ttf or .otf.
        characters: what to draw.

    Raises:
        OSError: for a file that cannot be read.
        ValueError: in one line, for one that is no font.
    """
    from PIL import Image, ImageDraw, ImageFont

    with font.open("rb") as file:
        try:
            loaded = ImageFont.truetype(file, SIZE, layout_engine=ImageFont.Layout.BASIC)
        except OSError:
            raise ValueError(f"{clean(font, 200)} is no font that can be drawn") from None
        side = SIDE + 2 * ROOM

        def drawn(character: str) -> Array:
            picture = Image.new("L", (side, side))
            ImageDraw.Draw(picture).text(
                (side / 2, ROOM + BASELINE), character, font=loaded, fill=255, anchor="ms"
            )  # the middle of its baseline
            found: Array = np.asarray(picture, np.float32) / 255
            return found

        missing = drawn("\uffff")  # no font has it: so are those drawn that it lacks
        pictures = {character: drawn(character) for character in characters}
    return {
        character: picture
        for character, picture in pictures.items()
        if picture.any() and not np.array_equal(picture, missing)
    }


def seen(pictures: Sequence[Array], rng: np.random.Generator) -> Array:
    """Return pictures as an LSTM sees them, each moved by chance, and step by step a row: (24, N, 24) of N, (26, 26).

    >>> seen([np.eye(26), np.ones((26, 26))], np.random.default_rng(0)).shape
    (24, 2, 24)
    """
    corners = rng.integers(0, 2 * ROOM + 1, (len(pictures), 2))
    cut = [picture[r : r + SIDE, c : c + SIDE] for picture, (r, c) in zip(pictures, corners, strict=True)]
    found: Array = np.stack(cut, axis=1)
    return found

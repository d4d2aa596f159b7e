"""From a file to numbers: reading text in whatever encoding, its symbols, and back."""

from __future__ import annotations

import codecs
import os
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ..interop.files import as_path
from ..structure.words import clean

LARGEST = 100_000_000
"""Bytes of a text; chosen: more than is read in a day on one core."""

MOST_WORDS = 10_000
"""Words of a vocabulary, the most frequent ones; chosen: the head of the model has as many columns."""

UNKNOWN = "⟨unknown⟩"
"""What stands for all other words."""

Unit = Literal["character", "word"]
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def read_text(path: str | os.PathLike[str], encoding: str | None = None) -> str:
    """Return what a file says, with line ends of one character.

    It is UTF-8, or what a byte order mark at its beginning says (UTF-8, UTF-16, UTF-32), unless an encoding is named.

    Raises:
        OSError: for a file that cannot be read.
        ValueError: in one line, for bytes that are no such text, an encoding that there is not, a file that is too
            large, or has nothing but white space in it.
    """
    name = clean(path, 200)
    with as_path(path).open("rb") as file:  # be it a pipe; but /dev/zero would never end
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise ValueError(f"{name} holds more than {LARGEST:,} bytes; give a part of it")
    marked = next((found for mark, found in _MARKS.items() if data.startswith(mark)), None)
    called = encoding or marked or "utf-8"
    try:
        text = data.decode(called)
    except LookupError:
        raise ValueError(
            f"there is no encoding {clean(repr(called), 60)}; there are utf-8, utf-16, latin-1, …"
        ) from None
    except UnicodeError as error:
        where = f"byte {error.start} is 0x{data[error.start]:02x}" if isinstance(error, UnicodeDecodeError) else error
        hint = "" if encoding else "; name another encoding, as in --encoding latin-1"
        raise ValueError(f"{name} is not {called.removesuffix('-sig').upper()} text: {where}{hint}") from None
    if "\0" in text:
        raise ValueError(
            f"{name} holds a zero byte at character {text.index(chr(0))}: it is no text, or UTF-16 "
            "without a mark; name its encoding, as in --encoding utf-16-le"
        )
    if not text.strip():
        raise ValueError(f"{name} is empty: there is nothing to learn from")
    return text.replace("\r\n", "\n").replace("\r", "\n")


class UnseenError(ValueError):
    """Symbols that a model has never seen, in one line."""


@dataclass(frozen=True)
class Vocabulary:
    """The symbols of a text, characters or words, by their numbers.

    Raises ValueError for another unit, and for symbols that are not texts, each another, or longer than a character.

    >>> vocabulary = Vocabulary.of("a rose is a rose", "word")
    >>> vocabulary.symbols, vocabulary.numbers("rose is").tolist(), vocabulary.text([0, 2])
    (('a', 'rose', 'is'), [1, 2], 'a is')
    >>> Vocabulary.of("banana", "character").numbers("nag")
    Traceback (most recent call last):
    tinygrad_lstm.training.text.UnseenError: the model has never seen the character 'g'; it knows 3: 'a', 'b', 'n'
    """

    symbols: tuple[str, ...]
    unit: Unit

    def __post_init__(self) -> None:
        if self.unit not in get_args(Unit):
            raise ValueError(f"symbols are each a {' or a '.join(get_args(Unit))}, not {clean(repr(self.unit), 60)}")
        texts = all(isinstance(symbol, str) for symbol in self.symbols)
        if not texts or len({*self.symbols}) != len(self.symbols):
            raise ValueError("the symbols of a vocabulary are texts, and each is another")
        if self.unit == "character" and any(len(symbol) != 1 for symbol in self.symbols):
            raise ValueError("the symbols of a vocabulary of characters are one character each")

    @classmethod
    def of(cls, text: str, unit: Unit, most: int = MOST_WORDS) -> Vocabulary:
        """Return the vocabulary of a text: all its characters in their order, or its words, most frequent first.

        Of more than ``most`` words the rest is told as ``UNKNOWN``.
        """
        if unit == "character":
            return cls(tuple(sorted(set(text))), unit)
        counted = [word for word, _ in Counter(text.split()).most_common(most + 1)]
        if len(counted) > most:
            counted = [*[word for word in counted if word != UNKNOWN][: most - 1], UNKNOWN]
        return cls(tuple(counted), unit)

    def __len__(self) -> int:
        return len(self.symbols)

    @cached_property
    def _number(self) -> dict[str, int]:
        return {symbol: i for i, symbol in enumerate(self.symbols)}

    def numbers(self, text: str) -> NDArray[np.int32]:
        """Return the numbers of a text's symbols, (M). Raises UnseenError for one that there is not."""
        if self.unit == "character":
            codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
            table = np.full(0x110000, -1, np.int32)
            table[[ord(symbol) for symbol in self.symbols]] = np.arange(len(self.symbols))
            found: NDArray[np.int32] = table[codes]
            unseen = [chr(code) for code in np.unique(codes[found < 0])]
        else:
            words, rest = text.split(), self._number.get(UNKNOWN, -1)
            found = np.array([self._number.get(word, rest) for word in words], np.int32)
            unseen = [word for word in dict.fromkeys(words) if self._number.get(word, rest) < 0]
        if unseen:
            what = f"the {self.unit}{'s' if len(unseen) > 1 else ''} {_some(unseen)}"
            raise UnseenError(f"the model has never seen {what}; it knows {len(self):,}: {_some(self.symbols)}")
        return found

    def text(self, numbers: Any) -> str:
        """Return the text of numbers of symbols."""
        return ("" if self.unit == "character" else " ").join(self.symbols[i] for i in numbers)


def _some(symbols: Any, most: int = 12) -> str:
    named = ", ".join(repr(clean(symbol, 20)) if symbol.isprintable() else repr(symbol) for symbol in symbols[:most])
    return f"{named} and {len(symbols) - most:,} more" if len(symbols) > most else named

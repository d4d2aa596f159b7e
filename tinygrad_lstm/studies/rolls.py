"""Piano rolls: which of 88 keys sound at each step of a piece, from a file of the user's or from music21's corpus."""

from __future__ import annotations

import hashlib
import math
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..engine.primitive import Array
from .runs import said

KEYS, LOWEST = 88, 21
"""How many keys a piano has, and the MIDI number of the lowest, A0."""

MUSIC21 = "music21"
"""What the rolls of that corpus are called."""

OPENING = 8
"""Intervals at the beginning of a melody that tell which tune it is; chosen: 368 chorales then have 241 tunes."""

Roll = NDArray[np.uint8]  # (steps, KEYS), 1 for a key that sounds


class NoRolls(ValueError):
    """A file that holds no piano rolls, or a library that is not installed; the message is one line."""


class Rolls(NamedTuple):
    """Pieces to learn from, to choose by, and to judge by, and what they are called in results."""

    name: str
    train: list[Roll]
    valid: list[Roll]
    test: list[Roll]

    def steps(self) -> list[int]:
        """Return how many steps each split has.

        >>> Rolls("none", [np.zeros((3, 88), np.uint8)], [], []).steps()
        [3, 0, 0]
        """
        return [sum(map(len, split)) for split in self[1:]]


def read(path: str) -> Rolls:
    """Return the rolls in an ``.npz`` file, named by what it holds: "file " and eight hexadecimal digits.

    For each of train, valid and test it has ``*_lengths``, (pieces) whole numbers, and ``*_bits``, (steps, 11) uint8:
    the pieces end to end, 88 keys of a step packed as ``numpy.packbits`` does. Nothing in it is unpickled.

    Raises:
        NoRolls: for a file that is missing, or holds something else; the message says what.
    """
    if not Path(path).is_file():
        raise NoRolls(f"there is no file {path}; --data takes one of piano rolls, as in jsb_chorales.npz")
    digest = hashlib.sha256()
    try:
        with Path(path).open("rb") as opened:
            if not zipfile.is_zipfile(opened):
                raise NoRolls("it is no .npz, which is an archive of arrays by name, or is cut off")
            opened.seek(0)
            arrays = np.load(opened, allow_pickle=False)
            splits = [_split(arrays, name, digest) for name in Rolls._fields[1:]]
    except NoRolls as error:
        raise NoRolls(f"{path} holds no piano rolls: {error}") from error
    except (ValueError, KeyError, EOFError, RuntimeError, MemoryError, OSError, *_BROKEN) as error:
        raise NoRolls(f"{path} holds no piano rolls: {said(error)}") from error
    return Rolls(f"file {digest.hexdigest()[:8]}", *splits)


_BROKEN = (zipfile.BadZipFile, zlib.error, OverflowError, SyntaxError, TypeError)
"""What numpy's reader raises for files that are cut off or were never its own, beside the usual."""


def _split(arrays: Any, name: str, digest: Any) -> list[Roll]:
    """Return the pieces of a split, and add them to the digest."""
    lacking = [key for key in (f"{name}_lengths", f"{name}_bits") if key not in arrays.files]
    if lacking:
        raise NoRolls(f"it has no array {lacking[0]!r}; there are {', '.join(sorted(arrays.files)) or 'none':.120}")
    lengths, bits = arrays[f"{name}_lengths"], arrays[f"{name}_bits"]
    if lengths.ndim != 1 or lengths.dtype.kind not in "iu" or not len(lengths) or lengths.min() < 2:
        raise NoRolls(f"{name}_lengths must be whole numbers, one or more, each 2 at least: steps of a piece")
    if bits.ndim != 2 or bits.shape[1] != math.ceil(KEYS / 8) or bits.dtype != np.uint8:
        raise NoRolls(f"{name}_bits must be uint8 of shape (steps, 11), 88 keys, not {bits.dtype} of {bits.shape}")
    total = sum(map(int, lengths))
    if total != len(bits):
        raise NoRolls(f"{name}_lengths add up to {total} steps, and {name}_bits has {len(bits)}")
    for part in (lengths.astype("<i8"), bits):
        digest.update(part.tobytes())
    return np.split(np.unpackbits(bits, axis=1), np.cumsum(lengths)[:-1])


@cache
def of_music21() -> Rolls:
    """Return Bach's chorales in four parts of music21's corpus, which comes with it.

    A step is what sounds as its quarter begins. Three fifths of the
    tunes are for learning, a fifth each for choosing and judging; a tune is how the soprano begins, so that two
    settings of one do not stand on two sides. Reading takes a minute or two the first time; nothing is downloaded.

    Raises NoRolls where the extra "music" is not installed.
    """
    try:
        corpus: Any = import_module("music21.corpus")
    except ImportError as error:
        raise NoRolls(
            "Bach's chorales are read from music21: pip install 'tinygrad-lstm[music]', or name a file, --data FILE.npz"
        ) from error
    tunes: dict[tuple[int, ...], list[Roll]] = {}
    for path in sorted(corpus.getComposer("bach"), key=str):
        score = corpus.parse(path)
        if len(score.parts) == 4:
            soprano = [note.pitch.midi for note in score.parts[0].flatten().notes if not note.isChord]
            tunes.setdefault(tuple(np.diff(soprano[: OPENING + 1]).tolist()), []).append(_roll(score))
    return by_tune(tunes, MUSIC21)


def by_tune(tunes: Mapping[tuple[int, ...], Sequence[Roll]], name: str) -> Rolls:
    """Return pieces divided by their tunes: three fifths of these to learn from, a fifth to choose and to judge by.

    >>> roll = np.zeros((2, 88), np.uint8)
    >>> by_tune({(n,): [roll, roll] for n in range(5)}, "five").steps()
    [12, 4, 4]
    """
    order = np.random.default_rng(0).permutation(len(tunes))
    pieces = [tunes[sorted(tunes)[n]] for n in order]
    first, second = 3 * len(pieces) // 5, 4 * len(pieces) // 5
    splits = (pieces[:first], pieces[first:second], pieces[second:])
    train, valid, test = ([roll for tune in split for roll in tune] for split in splits)
    return Rolls(name, train, valid, test)


def _roll(score: Any) -> Roll:
    """Return the keys that sound at each quarter of a score."""
    roll = np.zeros((max(2, math.ceil(score.highestTime)), KEYS), np.uint8)
    for note in score.flatten().notes:
        sounds = slice(math.ceil(note.offset), math.ceil(note.offset + note.quarterLength))
        for pitch in note.pitches:
            if 0 <= pitch.midi - LOWEST < KEYS:
                roll[sounds, pitch.midi - LOWEST] = 1
    return roll


def by_name(name: str, file: str | None) -> Rolls:
    """Return the rolls of this name: those of the file, if one is given. Raises NoRolls if they are others."""
    found = of_music21() if file is None and name == MUSIC21 else None if file is None else read(file)
    if found is None:
        raise NoRolls(f"the rolls {name!r:.60} are in a file of yours: name it, --data FILE.npz")
    if found.name != name:
        raise NoRolls(f"{file} holds the rolls {found.name!r}, not {name!r:.60}")
    return found


def marginal(rolls: Rolls) -> float:
    """Return the loss of saying at each step of the test pieces how often each key sounds in those to learn from.

    In nats for each step: cross-entropies, summed over the keys. A key that never sounded counts as heard once.

    >>> roll = np.zeros((9_999, 88), np.uint8)
    >>> roll[::2, 40] = 1
    >>> round(marginal(Rolls("every other step", [roll], [roll], [roll])), 2)  # log 2, and 87 times next to nothing
    0.7
    """
    heard = np.concatenate(rolls.train)
    share: Array = np.clip(heard.mean(axis=0), 1 / len(heard), 1 - 1 / len(heard))
    steps = np.concatenate([roll[1:] for roll in rolls.test])
    return float(-(steps * np.log(share) + (1 - steps) * np.log(1 - share)).sum(axis=1).mean())


def markov(rolls: Rolls, pieces: Sequence[Roll]) -> float:
    """Return the loss of saying of each key how often it sounded after it did, and after it did not, to learn from.

    In nats for each step, summed over the keys, as ``marginal``; each of the four cases counts as heard once before.

    >>> roll = np.zeros((9_999, 88), np.uint8)
    >>> roll[::2, 40] = 1
    >>> markov(Rolls("every other step", [roll], [roll], [roll]), [roll]) < 0.01
    True
    """
    xs, targets = (np.concatenate(each) for each in nexts(rolls.train))
    after = [((xs == x) * targets).sum(axis=0) + 1 for x in (0, 1)]
    share = [both / ((xs == x).sum(axis=0) + 2) for x, both in enumerate(after)]  # of 88 keys, after 0 and after 1
    xs, targets = (np.concatenate(each) for each in nexts(pieces))
    chance: Array = np.where(xs == 1, share[1], share[0])
    return float(-np.log(np.where(targets == 1, chance, 1 - chance)).sum(axis=1).mean())


def nexts(pieces: Sequence[Roll]) -> tuple[list[Roll], list[NDArray[np.int8]]]:
    """Return what is read of each piece, all but its last step, and what is to be said, all but its first.

    >>> xs, targets = nexts([np.eye(3, 88, dtype=np.uint8)])
    >>> len(xs[0]), targets[0].argmax(1).tolist()
    (2, [1, 2])
    """
    return [roll[:-1] for roll in pieces], [roll[1:].astype(np.int8) for roll in pieces]

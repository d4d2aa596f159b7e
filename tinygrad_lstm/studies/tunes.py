"""Tunes in ABC, the letters in which fiddlers write music down: a collection of them, and what of one sounds when."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from ..engine.primitive import Array

_FIELD = r"[A-Za-z]:(?![|:])"
_PITCH = r"[_=^]{0,2}[A-Ga-gxz][,']{0,3}"
_LENGTH = r"(\d{0,2})(/{0,3})(\d{0,2})"
_TOKEN = re.compile(
    rf"""(?m:^(?P<field>{_FIELD}.*)$) | \{{[^}}]*\}} | (?P<bar>:*\|[|\]:]* | ::+)
    | \((?P<tuplet>[2-9])(?::(?P<within>[1-9]))? | (?P<broken>[<>]{{1,3}}) | (?P<tie>-)
    | (?P<pitches>{_PITCH} | \[(?:{_PITCH}[\d/]*)+\])(?P<length>{_LENGTH})""",
    re.VERBOSE,
)
_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_MODES = {"ion": 0, "maj": 0, "mix": -1, "dor": -2, "m": -3, "min": -3, "aeo": -3, "phr": -4, "loc": -5, "lyd": 1}
_WITHIN = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}
"""So many notes take the time of how many; of others two."""


class Tune(NamedTuple):
    """Its title, who wrote it down (the lines ``Z:``), and what is played: metre, unit length, key, and the notes."""

    title: str
    credit: str
    text: str


class Note(NamedTuple):
    """What sounds: from when and how long, in whole notes, and the key, by MIDI's number: 60 is the middle C."""

    start: Fraction
    length: Fraction
    pitch: int


class Played(NamedTuple):
    """A tune as it sounds, from its beginning to its end, once."""

    notes: list[Note]
    bars: list[Fraction]  # how long each is, in its metre: a full one is 1
    clock: Array  # after each character of the text, how much of the bar has passed


def read_tunes(text: str) -> list[Tune]:
    """Return the tunes of a text in ABC, each of which begins by ``X:`` and has a key.

    What is no music is left out: words in quotation marks, fingers and bows, comments, and titles within a tune.

    >>> read_tunes('X:1\\nT:Up\\nZ:by me\\nM:2/4\\nL:1/8\\nK:D\\n"0"uDE FG|A4|]\\n')
    [Tune(title='Up', credit='by me', text='M:2/4\\nL:1/8\\nK:D\\nDE FG|A4|]\\n')]
    """
    found = []
    for each in re.split(r"(?m)^(?=X:)", text):
        head, key, body = re.split(r"(?m)^K:(.*)\n", each + "\n", maxsplit=1) if "\nK:" in each else ("", "", "")
        fields: dict[str, list[str]] = {"M": [], "L": [], "T": [], "Z": []}
        for letter, value in re.findall(r"(?m)^([A-Z]): *(.*?) *$", head):
            fields.setdefault(letter, []).append(value)
        music = [line for line in body.split("\n") if line.startswith(("K:", "M:")) or not re.match(_FIELD, line)]
        lines = [line for line in map(_plain, music) if line]
        if "X" in fields and lines:
            metre, unit = (fields["M"] or ["4/4"])[0], (fields["L"] or ["1/8"])[0]
            opening = map(_plain, (f"M:{metre}", f"L:{unit}", f"K:{key}"))
            written = "\n".join([*opening, *lines, ""])
            found.append(Tune(" ".join(fields["T"]) or "?", "; ".join(fields["Z"]), written))
    return found


def _plain(line: str) -> str:
    """Return a line of ABC without what does not sound."""
    line = line.split("%")[0]
    if not re.match(_FIELD, line):
        line = re.sub(r'"[^"]*"|![^!]*!|[H-WYh-wy~\\$+&*!"]', "", line)
    return re.sub(r"^([A-Z]:) ", r"\1", " ".join(line.split()))


def split_tunes(tunes: Sequence[Tune], every: int = 12, run: int = 16) -> tuple[list[Tune], list[Tune]]:
    """Return what is to be learned from and what is held out, by families.

    A collection has many a tune twice, by another name, in another hand or key: who shares ``run`` steps from note to
    note in a row with another is of its family, and so is who shares them with that one. One family of ``every`` is
    held out.

    >>> tunes = [Tune(name, "", f"M:C|\\nL:1/8\\nK:{key}\\n{notes}\\n") for name, key, notes in (
    ...     ("a", "C", "CDEFG|"), ("b", "C", "GFEDC|"), ("c", "D", "A2D/E/F>GA|"))]  # c is a, a tone higher
    >>> [[tune.title for tune in side] for side in split_tunes(tunes, every=2, run=4)]
    [['b'], ['a', 'c']]
    """
    family = list(range(len(tunes)))

    def head(n: int) -> int:
        while family[n] != n:
            n = family[n]
        return n

    owner: dict[bytes, int] = {}
    for n, tune in enumerate(tunes):
        steps = np.diff([note.pitch for note in played(tune.text).notes]).astype(np.int8)
        for at in range(len(steps) - run + 1):
            first = owner.setdefault(steps[at : at + run].tobytes(), n)
            family[head(n)] = head(first)
    heads = [head(n) for n in range(len(tunes))]
    held = set(sorted(set(heads))[::every])
    learned, held_out = ([tunes[n] for n, h in enumerate(heads) if (h in held) is side] for side in (False, True))
    return learned, held_out


def played(text: str) -> Played:
    """Return what sounds of a tune's text, which may be wrong: what is no ABC is passed over.

    Accidentals hold until the bar ends, those of the key always; a tie makes one note of two; ``a>b`` is a dotted
    rhythm, ``(3`` a triplet. Repeats are played once, grace notes not at all.

    >>> [(note.pitch, str(note.length)) for note in played("M:2/4\\nL:1/8\\nK:D\\nF>^G|F2-|F").notes]
    [(66, '3/16'), (68, '1/16'), (66, '3/8')]
    """
    notes: list[Note] = []
    bars: list[Fraction] = []
    clock = np.zeros(len(text))
    signature: dict[str, int] = {}
    accidentals: dict[str, int] = {}
    metre, unit, now, bar, dotted = Fraction(1), Fraction(1, 8), Fraction(0), Fraction(0), Fraction(1)
    last: list[int] = []  # the notes that began together, of which a tie and a dotted rhythm speak
    lasted, tied, left, within = Fraction(0), False, 0, Fraction(1)
    before = 0
    for found in _TOKEN.finditer(text):
        clock[before : found.end() - 1] = float((now - bar) / metre)
        if field := found["field"]:
            metre, unit = _metre(field, metre), _unit(field, unit)
            signature = _signature(field[2:]) if field.startswith("K:") else signature
        elif found["bar"]:
            if now > bar:
                bars.append((now - bar) / metre)
            bar, accidentals = now, {}
        elif found["tuplet"]:
            left = int(found["tuplet"])
            within = Fraction(int(found["within"] or _WITHIN.get(left, 2)), left)
        elif found["broken"]:
            dotted = Fraction(1, 2 ** len(found["broken"]))
            longer, dotted = (2 - dotted, dotted) if found["broken"][0] == ">" else (dotted, 2 - dotted)
            for n in last:
                notes[n] = notes[n]._replace(length=notes[n].length + lasted * (longer - 1))
            now, lasted = now + lasted * (longer - 1), lasted * longer
        elif found["tie"]:
            tied = True
        elif found["pitches"]:
            inner = re.match(rf"\[{_PITCH}{_LENGTH}", found["pitches"])  # a chord is as long as its first note
            lasted = unit * dotted * (within if left else 1) * _times(found["length"])
            lasted *= _times("".join(inner.groups())) if inner else 1
            held = {notes[n].pitch: n for n in last} if tied else {}
            last, tied, dotted, left = [], False, Fraction(1), max(left - 1, 0)
            for each in re.findall(_PITCH, found["pitches"]):
                pitch = _pitch(each, signature, accidentals)
                if pitch is None or lasted == 0:
                    continue
                if pitch in held:
                    last.append(held[pitch])
                    notes[held[pitch]] = notes[held[pitch]]._replace(length=notes[held[pitch]].length + lasted)
                else:
                    last.append(len(notes))
                    notes.append(Note(now, lasted, pitch))
            now += lasted
        before = found.end() - 1
    clock[before:] = float((now - bar) / metre)
    return Played(notes, bars, clock)


def full_bars(texts: Iterable[str]) -> float:
    """Return the share of bars that are as long as the metre says; a tune that begins by an upbeat has some others.

    >>> full_bars(["M:2/4\\nL:1/8\\nK:D\\nAF|DDEE|AAF|A2A2|"])
    0.5
    """
    bars = [bar for text in texts for bar in played(text).bars]
    return sum(bar == 1 for bar in bars) / max(len(bars), 1)


def _times(length: str) -> Fraction:
    """Return how often the unit a length is: ``3/2``, ``/`` for a half, ``//`` for a quarter, or nothing for one."""
    times, slashes, parts = re.match(_LENGTH, length).groups()  # type: ignore[union-attr]
    return Fraction(int(times or 1), int(parts or 2 ** len(slashes)) or 1)


def _metre(field: str, metre: Fraction) -> Fraction:
    """Return how long a bar is, in whole notes, after a field, which may be about something else."""
    if not field.startswith("M:"):
        return metre
    said = re.match(r" *([1-9]\d?)/([1-9]\d?)", field[2:])
    return Fraction(int(said[1]), int(said[2])) if said else Fraction(1)


def _unit(field: str, unit: Fraction) -> Fraction:
    """Return how long a note without a number is, in whole notes, after a field."""
    said = re.match(r"L: *([1-9]\d?)/([1-9]\d?)", field)
    return Fraction(int(said[1]), int(said[2])) if said else unit


def _signature(key: str) -> dict[str, int]:
    """Return which letters a key makes sharp, 1, or flat, −1: ``Edor`` is E dorian, with two sharps.

    >>> _signature("Edor"), _signature("Bb"), _signature("A Minor")
    ({'F': 1, 'C': 1}, {'B': -1, 'E': -1}, {})
    """
    said = re.match(r" *([A-G])([#b]?) *([A-Za-z]{0,3})", key)
    if not said:
        return {}
    sharps = "FCGDAEB".index(said[1]) - 1 + 7 * (said[2] == "#") - 7 * (said[2] == "b")
    sharps += _MODES.get(said[3].lower(), 0)
    return dict.fromkeys("FCGDAEB"[:sharps], 1) if sharps > 0 else dict.fromkeys("BEADGCF"[: max(-sharps, 0)], -1)


def _pitch(said: str, signature: dict[str, int], accidentals: dict[str, int]) -> int | None:
    """Return the key of a note, or None for a rest; an accidental is remembered until the bar ends."""
    name = said.lstrip("_=^")
    marks, letter = said.removesuffix(name), name[0].upper()
    if letter in "XZ":
        return None
    if marks:
        accidentals[name] = marks.count("^") - marks.count("_")
    raised = accidentals.get(name, signature.get(letter, 0))
    octave = 12 * (name[0].islower() + name.count("'") - name.count(","))
    return 60 + _SEMITONES[letter] + octave + raised

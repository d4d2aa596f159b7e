"""Chorales in MusicXML, as music21's corpus has them in .mxl files: what sounds when, read without music21."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np

from .rolls import KEYS, LOWEST, OPENING, Roll, Rolls, by_tune

SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


class Chorale(NamedTuple):
    """A piece in four parts."""

    name: str
    credit: str  # whose its file says that it is
    opening: tuple[int, ...]  # intervals by which the melody begins, in semitones: which tune it is
    roll: Roll  # what sounds at each step


def read_chorale(path: Path, per_quarter: int = 2) -> Chorale | None:
    """Return what sounds at each step of a piece, a step being an eighth; None if it does not have four parts.

    Repeats are played once, and a note that is tied goes on. Raises ValueError for what is no compressed MusicXML.

    Source: "MusicXML 4.0", W3C Community Group (2021), of which the elements of score-partwise are read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            container = ElementTree.fromstring(archive.read("META-INF/container.xml"))
            (file,) = (each.get("full-path", "") for each in container.iter() if each.tag.endswith("rootfile"))
            score = ElementTree.fromstring(archive.read(file))
        parts = [_notes(part) for part in score.findall("part")]
    except (zipfile.BadZipFile, LookupError, ValueError, ZeroDivisionError, ElementTree.ParseError) as error:
        raise ValueError(f"{path.name} is no compressed MusicXML: {error}") from error
    if len(parts) != 4 or not all(parts):
        return None
    roll = np.zeros((math.ceil(per_quarter * max(end for part in parts for _, end, _, _ in part)), KEYS), np.uint8)
    for start, end, pitch, _ in (note for part in parts for note in part):
        if 0 <= pitch - LOWEST < KEYS:
            roll[math.ceil(per_quarter * start) : math.ceil(per_quarter * end), pitch - LOWEST] = 1
    melody = [pitch for _, _, pitch, tied in parts[0] if not tied]
    credit = "; ".join(dict.fromkeys(" ".join(each.text.split()) for each in score.iter("credit-words") if each.text))
    return Chorale(path.name, credit, tuple(np.diff(melody[: OPENING + 1]).tolist()), roll)


def _notes(part: ElementTree.Element) -> list[tuple[float, float, int, bool]]:
    """Return of each note of a part when it begins and ends, in quarters, its key, and if it goes on from another."""
    found: list[tuple[float, float, int, bool]] = []
    divisions, bar = 1.0, 0.0
    for measure in part.findall("measure"):
        now = begun = last = 0.0  # within the measure
        for each in measure:
            divisions = float(each.findtext("divisions", "") or divisions) if each.tag == "attributes" else divisions
            lasts = float(each.findtext("duration", "0")) / divisions
            if each.tag == "note":
                begun = begun if each.find("chord") is not None else now
                now = begun + lasts
                pitch = each.find("pitch")
                if pitch is not None and lasts:
                    key = 12 * (int(pitch.findtext("octave", "4")) + 1) + SEMITONES[pitch.findtext("step", "C")]
                    key += round(float(pitch.findtext("alter", "0")))
                    tied = any(tie.get("type") == "stop" for tie in each.findall("tie"))
                    found.append((bar + begun, bar + now, key, tied))
            else:
                now += {"forward": lasts, "backup": -lasts}.get(each.tag, 0.0)
            last = max(last, now)
        bar += last
    return found


def rolls_of(chorales: Iterable[Chorale], name: str) -> Rolls:
    """Return the rolls of chorales, divided by tunes, so that two settings of one do not stand on two sides.

    >>> piece = Chorale("a", "", (2, 2), np.zeros((4, 88), np.uint8))
    >>> rolls_of([piece, piece, piece._replace(opening=(0, 1))], "three").steps()
    [4, 0, 8]
    """
    tunes: dict[tuple[int, ...], list[Roll]] = {}
    for each in chorales:
        tunes.setdefault(each.opening, []).append(each.roll)
    return by_tune(tunes, name)

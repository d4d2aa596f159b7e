"""Notes as a Standard MIDI File of format 0: one track, which whatever plays music can read.

A file is chunks: four letters, the length of what follows in four bytes, and that. A track is events, each after the
time since the one before. Source: "Standard MIDI Files 1.0", MIDI Manufacturers Association (1988).
"""

from __future__ import annotations

from collections.abc import Iterable

from .tunes import Note

TICKS = 480
"""Of a quarter: how finely time is told."""

VIOLIN = 40
"""A number of General MIDI, counted from 0."""


def midi_file(notes: Iterable[Note], name: str = "", quarters_per_minute: int = 120, program: int = VIOLIN) -> bytes:
    """Return the bytes of a file in which these notes sound.

    Arguments:
        notes: in any order; times are in whole notes.
        name: the track's.
        quarters_per_minute: the tempo, 4 or more.
        program: the instrument, 0–127.

    Raises:
        ValueError: for keys and programs that are not of 0–127, and another tempo.

    >>> from fractions import Fraction
    >>> midi_file([Note(Fraction(0), Fraction(1, 4), 60)])[-13:].hex(" ")  # on; 480 ticks, off; the end
    '00 90 3c 50 83 60 80 3c 40 00 ff 2f 00'
    """
    if quarters_per_minute < 4 or not 0 <= program < 128:
        raise ValueError(f"a tempo is 4 or more and a program 0–127, not {quarters_per_minute} and {program}")
    events = []
    for note in notes:
        if not 0 <= note.pitch < 128:
            raise ValueError(f"keys are 0–127, not {note.pitch}")
        start, end = (round(4 * TICKS * time) for time in (note.start, note.start + note.length))
        events += [(start, bytes([0x90, note.pitch, 80])), (end, bytes([0x80, note.pitch, 64]))]
    tempo = _meta(0x51, round(60e6 / quarters_per_minute).to_bytes(3, "big"))  # microseconds for each quarter
    track = b"\0" + _meta(0x03, name.encode("ascii", "replace")) + b"\0" + tempo + bytes([0, 0xC0, program])
    now = 0
    for time, event in sorted(events):  # 0x80 before 0x90: a key goes up before it goes down again
        track += variable_length(time - now) + event
        now = time
    return _chunk(b"MThd", b"\0\0\0\1" + TICKS.to_bytes(2, "big")) + _chunk(b"MTrk", track + b"\0" + _meta(0x2F, b""))


def variable_length(number: int) -> bytes:
    """Return a number in groups of seven bits, the highest first; all bytes but the last have their top bit set.

    Raises ValueError for one that is negative, or has more than 28 bits.

    >>> variable_length(0x4000).hex(" ")
    '81 80 00'
    """
    if not 0 <= number < 1 << 28:
        raise ValueError(f"a number of variable length has 28 bits at most; {number} does not")
    groups = [number >> shift & 0x7F for shift in (21, 14, 7, 0) if number >> shift or shift == 0]
    return bytes([*(group | 0x80 for group in groups[:-1]), groups[-1]])


def _meta(kind: int, content: bytes) -> bytes:
    return bytes([0xFF, kind]) + variable_length(len(content)) + content


def _chunk(letters: bytes, content: bytes) -> bytes:
    return letters + len(content).to_bytes(4, "big") + content

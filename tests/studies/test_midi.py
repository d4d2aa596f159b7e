"""A file of notes is the bytes that the specification asks for, and what reads it back finds the same notes."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_lstm.studies.midi import TICKS, midi_file, variable_length
from tinygrad_lstm.studies.tunes import Note


@pytest.mark.parametrize(  # the table of "Standard MIDI Files 1.0", page 2
    ("number", "written"),
    [
        (0x0, "00"),
        (0x40, "40"),
        (0x7F, "7f"),
        (0x80, "81 00"),
        (0x2000, "c0 00"),
        (0x3FFF, "ff 7f"),
        (0x4000, "81 80 00"),
        (0x100000, "c0 80 00"),
        (0x1FFFFF, "ff ff 7f"),
        (0x200000, "81 80 80 00"),
        (0x8000000, "c0 80 80 00"),
        (0xFFFFFFF, "ff ff ff 7f"),
    ],
)
def test_numbers_of_variable_length_are_those_of_the_specification(number, written):
    assert variable_length(number).hex(" ") == written


@pytest.mark.parametrize("number", [-1, 1 << 28])
def test_a_number_that_has_no_variable_length_is_refused(number):
    with pytest.raises(ValueError, match="28 bits at most"):
        variable_length(number)


def test_a_file_is_these_bytes():
    written = midi_file([Note(Fraction(0), Fraction(1, 4), 60), Note(Fraction(1, 4), Fraction(1, 2), 67)], "up")
    assert written.hex(" ") == (
        "4d 54 68 64 00 00 00 06 00 00 00 01 01 e0 "  # MThd, 6 bytes: format 0, one track, 480 ticks to a quarter
        "4d 54 72 6b 00 00 00 26 "  # MTrk, 38 bytes
        "00 ff 03 02 75 70 "  # the track's name
        "00 ff 51 03 07 a1 20 "  # 500,000 microseconds to a quarter
        "00 c0 28 "  # a violin
        "00 90 3c 50 83 60 80 3c 40 "  # the middle C, until 480 ticks later
        "00 90 43 50 87 40 80 43 40 "  # the G above, 960 ticks
        "00 ff 2f 00"  # the end
    )


def read_back(data):
    """Return what sounds in a file of one track: (start, length, key) in ticks, as any reader finds it."""
    assert data[:8] == b"MThd\0\0\0\6"
    assert int.from_bytes(data[12:14], "big") == TICKS
    assert data[14:18] == b"MTrk"
    track = data[22:]
    assert len(track) == int.from_bytes(data[18:22], "big")
    at, now, down, found = 0, 0, {}, []

    def number():
        nonlocal at
        value = 0
        while True:
            at += 1
            value = value << 7 | track[at - 1] & 0x7F
            if track[at - 1] < 0x80:
                return value

    while at < len(track):
        now += number()
        status, at = track[at], at + 1
        if status == 0xFF:
            kind, at = track[at], at + 1
            size = number()
            at += size
            assert kind != 0x2F or at == len(track)
        elif status == 0xC0:
            at += 1
        elif status == 0x90:
            assert track[at] not in down
            down[track[at]], at = now, at + 2
        else:
            assert status == 0x80
            key, at = track[at], at + 2
            start = down.pop(key)
            found.append((start, now - start, key))
    assert not down
    return sorted(found)


@given(st.lists(st.tuples(st.integers(0, 127), st.integers(1, 64), st.integers(0, 3)), max_size=30))
def test_what_is_written_is_read_back(melody):
    notes, now = [], Fraction(0)
    for pitch, sixteenths, rests in melody:
        notes.append(Note(now, Fraction(sixteenths, 16), pitch))
        now += Fraction(sixteenths + rests, 16)
    whole = 4 * TICKS
    expected = sorted((int(note.start * whole), int(note.length * whole), note.pitch) for note in notes)
    assert read_back(midi_file(notes)) == expected


def test_a_tempo_is_kept_and_what_no_file_can_hold_is_refused():
    assert bytes.fromhex("ff 51 03 0f 42 40") in midi_file([], quarters_per_minute=60)
    with pytest.raises(ValueError, match="keys are 0–127, not 128"):
        midi_file([Note(Fraction(0), Fraction(1), 128)])
    for wrong in ({"quarters_per_minute": 3}, {"program": 128}):
        with pytest.raises(ValueError, match="a tempo is 4 or more and a program 0–127"):
            midi_file([], **wrong)

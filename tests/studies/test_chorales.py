"""What sounds in a file of MusicXML is what stands in it, and a tune stands on one side."""

import zipfile

import numpy as np
import pytest

from tinygrad_lstm.studies.chorales import Chorale, read_chorale, rolls_of
from tinygrad_lstm.studies.rolls import KEYS, LOWEST

CONTAINER = '<container><rootfiles><rootfile full-path="piece.xml"/></rootfiles></container>'


def note(step, octave, duration, *, alter=0, chord=False, tied=""):
    pitch = f"<pitch><step>{step}</step><alter>{alter}</alter><octave>{octave}</octave></pitch>"
    tie = f'<tie type="{tied}"/>' if tied else ""
    return f"<note>{'<chord/>' if chord else ''}{pitch}<duration>{duration}</duration>{tie}</note>"


def rest(duration):
    return f"<note><rest/><duration>{duration}</duration></note>"


def piece(path, *parts, divisions=2):
    """Write a piece; a part is a list of measures."""
    start = f"<attributes><divisions>{divisions}</divisions></attributes>"
    measures = [[f"<measure>{each}</measure>" for each in (start + first, *others)] for first, *others in parts]
    body = "".join(f"<part>{''.join(part)}</part>" for part in measures)
    credit = "<credit><credit-words>typed by\n me</credit-words></credit>" * 2
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("META-INF/container.xml", CONTAINER)
        archive.writestr("piece.xml", f"<score-partwise>{credit}{body}</score-partwise>")
    return path


def test_what_sounds_at_each_eighth_is_what_is_written(tmp_path):
    soprano = [note("C", 5, 1) + note("F", 5, 3, alter=1), note("F", 5, 2, alter=1, tied="stop") + note("G", 5, 2)]
    held = [note("E", 4, 4), note("E", 4, 4)]
    bass = [rest(2) + note("C", 3, 2) + note("G", 3, 2, chord=True), note("C", 3, 4)]
    found = read_chorale(piece(tmp_path / "a.mxl", soprano, held, held, bass))
    assert (found.name, found.credit) == ("a.mxl", "typed by me")
    assert found.opening == (6, 1), "a tied note is no step"
    upper = [72, 78, 78, 78, 78, 78, 79, 79]
    lower = [[], [], [48, 55], [48, 55], [48], [48], [48], [48]]
    wanted = [sorted([high, 64, *low]) for high, low in zip(upper, lower, strict=True)]
    assert [(np.flatnonzero(step) + LOWEST).tolist() for step in found.roll] == wanted


def test_time_is_told_in_the_files_own_divisions_and_may_go_forward_and_back(tmp_path):
    part = [note("C", 5, 8) + "<backup><duration>8</duration></backup><forward><duration>4</duration></forward>"]
    part = [part[0] + note("E", 5, 4), note("G", 5, 8)]
    found = read_chorale(piece(tmp_path / "a.mxl", part, part, part, part, divisions=8))
    assert [(np.flatnonzero(step) + LOWEST).tolist() for step in found.roll] == [[72], [72, 76], [79], [79]]


@pytest.mark.parametrize("count", [1, 3, 5])
def test_a_piece_of_more_or_fewer_parts_is_none(count, tmp_path):
    assert read_chorale(piece(tmp_path / "a.mxl", *[[note("C", 5, 2)]] * count)) is None


def test_a_file_that_is_no_music_is_named(tmp_path):
    path = tmp_path / "a.mxl"
    path.write_bytes(b"no archive")
    with pytest.raises(ValueError, match=r"a\.mxl is no compressed MusicXML: File is not a zip file"):
        read_chorale(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("META-INF/container.xml", CONTAINER)
        archive.writestr("piece.xml", "<score-partwise>")
    with pytest.raises(ValueError, match=r"a\.mxl is no compressed MusicXML: no element found"):
        read_chorale(path)


def test_a_tune_stands_on_one_side():
    rng = np.random.default_rng(0)
    pieces = [Chorale(str(n), "", (int(rng.integers(12)),), np.full((3, KEYS), n, np.uint8)) for n in range(60)]
    rolls = rolls_of(pieces, "sixty")
    sides = [{pieces[int(roll[0, 0])].opening for roll in part} for part in rolls[1:]]
    assert sum(map(len, rolls[1:])) == 60
    assert sum(map(len, sides)) == len(set.union(*sides))


@pytest.mark.parametrize(
    ("part", "divisions"),
    [([note("H", 5, 2)], 2), ([note("C", 5, 2)], 0), ([note("C", 5, "long")], 2), ([note("C", "high", 2)], 2)],
    ids=["step", "divisions", "duration", "octave"],
)
def test_a_note_that_cannot_be_played_is_told_with_its_file(part, divisions, tmp_path):
    with pytest.raises(ValueError, match=r"^a\.mxl is no compressed MusicXML: "):
        read_chorale(piece(tmp_path / "a.mxl", part, part, part, part, divisions=divisions))

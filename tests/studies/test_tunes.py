"""Tunes in ABC sound as their letters say, whoever wrote them, and no family of them stands on two sides."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_lstm.studies.tunes import Tune, full_bars, played, read_tunes, split_tunes


def pitches(notes, key="C"):
    return [note.pitch for note in played(f"M:C\nL:1/8\nK:{key}\n{notes}\n").notes]


def lengths(notes):
    return [str(8 * note.length) for note in played(f"M:C\nL:1/8\nK:C\n{notes}\n").notes]  # in eighths


def test_letters_are_keys_and_marks_are_octaves():
    assert pitches("C,, C, C G B c b c' c''") == [36, 48, 60, 67, 71, 72, 83, 84, 96]


@pytest.mark.parametrize(
    ("key", "raised"),
    [
        ("C", ""), ("G", "F"), ("D", "FC"), ("Edor", "FC"), ("E Dorian", "FC"), ("EDor", "FC"), ("Amix", "FC"),
        ("A", "FCG"), ("EM", "F"), ("Em", "F"), ("A Minor", ""), ("Glyd", "FC"), ("F#m", "FCG"), ("Bphr", "F"),
    ],
)  # fmt: skip
def test_a_key_makes_sharps(key, raised):
    assert pitches("CDEFGAB", key) == [
        pitch + (letter in raised) for letter, pitch in zip("CDEFGAB", (60, 62, 64, 65, 67, 69, 71), strict=True)
    ]


@pytest.mark.parametrize(("key", "lowered"), [("F", "B"), ("Bb", "BE"), ("Gm", "BE"), ("Cdor", "BE"), ("Eb", "BEA")])
def test_a_key_makes_flats(key, lowered):
    assert pitches("CDEFGAB", key) == [
        pitch - (letter in lowered) for letter, pitch in zip("CDEFGAB", (60, 62, 64, 65, 67, 69, 71), strict=True)
    ]


def test_an_accidental_holds_until_the_bar_ends_and_in_its_octave():
    assert pitches("^F F f|F =c _B __B ^^c", "D") == [66, 66, 78, 66, 72, 70, 69, 74]
    assert pitches("=F F|F", "D") == [65, 65, 66]


def test_a_key_may_change():
    assert pitches("F|\nK:D\nF") == [65, 66]


def test_lengths_are_parts_and_multiples_of_the_unit():
    assert lengths("A A2 A3/2 A/ A// A/4 z2 A3") == ["1", "2", "3/2", "1/2", "1/4", "1/4", "3"]


def test_dotted_rhythms_and_triplets():
    assert lengths("A>B A<B A>>B A2>B2 A>{c}B") == [
        "3/2", "1/2", "1/2", "3/2", "7/4", "1/4", "3", "1", "3/2", "1/2",
    ]  # fmt: skip
    assert lengths("(3ABc d (2AB (3:4A") == ["2/3", "2/3", "2/3", "1", "3/2", "3/2", "4/3"]


def test_ties_make_one_note_and_slurs_do_not():
    tune = played("M:C\nL:1/8\nK:C\nA2-A- | A B-c (dd)").notes
    assert [(note.pitch, 8 * note.start, 8 * note.length) for note in tune] == [
        (69, 0, 4),
        (71, 4, 1),
        (72, 5, 1),
        (74, 6, 1),
        (74, 7, 1),
    ]


def test_chords_sound_together_and_endings_are_no_chords():
    assert lengths("[C2E2][CE3]2[C3/2E]/ c") == ["2", "2", "2", "2", "3/4", "3/4", "1"]
    notes = played("M:C\nL:1/8\nK:G\n[GBd]2 [1 A :|]").notes
    assert [(note.pitch, 8 * note.start, 8 * note.length) for note in notes] == [
        (67, 0, 2),
        (71, 0, 2),
        (74, 0, 2),
        (69, 2, 1),
    ]


def test_where_in_the_bar_one_is_is_told_after_each_character():
    text = "M:2/4\nL:1/8\nK:D\n"
    assert played(text + "A2 Bc|d").clock[len(text) :].tolist() == [0.0, 0.5, 0.5, 0.75, 1.0, 0.0, 0.25]


def test_full_bars_are_counted_by_the_metre():
    assert played("M:6/8\nL:1/8\nK:D\nA|ABc d3|A6|A|").bars == [Fraction(1, 6), 1, 1, Fraction(1, 6)]
    assert full_bars(["M:C|\nL:1/8\nK:D\nA8|\n", "M:3/4\nL:1/8\nK:D\nA8|A6|\n"]) == pytest.approx(2 / 3)
    assert full_bars([]) == 0


@given(st.text("M:KL123/|[](){}<>-^_='`,.:ABCabcxz \n", max_size=80))
def test_what_is_no_tune_is_passed_over(text):
    tune = played(text)
    assert len(tune.clock) == len(text)
    assert all(0 <= note.pitch <= 127 and note.length > 0 and note.start >= 0 for note in tune.notes)


def test_a_collection_is_read_and_what_does_not_sound_is_left_out():
    text = (
        "% a book\n\nX:1\nT: One -- Reel\nT:Or another\nZ: by A\nZ: and B\nM: C|\nL:1/16\nQ:80\nK: Edor % as printed\n"
        'u"4"e2(vE2)|"SEGUE"!trill!A4\\\n%%slurs 1\n| ~B4 :|\nT:a part\nK:D\nA:|\n\nX: 2\nT:no key\nA\nX:3\nK:C\nC|\n'
    )
    assert read_tunes(text) == [
        Tune("One -- Reel Or another", "by A; and B", "M:C|\nL:1/16\nK:Edor\ne2(E2)|A4\n| B4 :|\nK:D\nA:|\n"),
        Tune("?", "", "M:4/4\nL:1/8\nK:C\nC|\n"),
    ]
    assert read_tunes("no tune at all") == []


def test_a_family_of_tunes_stands_on_one_side():
    scales = ["CDEFGABcd", "cBAGFEDCB,", "CEGcegc'ge", "c'gecGECEG"]
    tunes = [Tune(str(n), "", f"M:C\nL:1/8\nK:C\n{scales[n % 4]}|") for n in range(12)]
    for every in (2, 3):
        learned, held_out = split_tunes(tunes, every=every, run=8)
        assert {int(t.title) % 4 for t in learned}.isdisjoint({int(t.title) % 4 for t in held_out})
        assert sorted(learned + held_out) == sorted(tunes)
        assert held_out
    bridged = [*tunes[:2], Tune("both", "", f"M:C\nL:1/8\nK:C\n{scales[0]}{scales[1]}|"), tunes[2]]
    learned, held_out = split_tunes(bridged, every=2, run=8)
    assert {t.title for t in held_out} == {"0", "1", "both"}

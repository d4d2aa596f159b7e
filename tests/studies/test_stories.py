"""Answers follow from their stories, no story is learned and tested, and a network answers what it is asked."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_lstm.studies.answers import (
    IGNORED,
    Answerer,
    CountedWords,
    StoryEncoder,
    asked_throughout,
    beliefs,
    learn_answers,
    right_answers,
    said_answers,
)
from tinygrad_lstm.studies.stories import (
    DROPS,
    KINDS,
    PLACES,
    TAKES,
    TASKS,
    THINGS,
    StoryLine,
    by_rule,
    draw_stories,
    last_named,
    read_stories,
    subjects,
    unseen,
)

seeds = st.integers(0, 10_000).map(np.random.default_rng)


def reasoned(story):
    """Answer every question by what the sentences mean, one after the other."""
    at, holder, fears, of, answers = {}, {}, {}, {}, []
    one = {many: kind for kind, many in KINDS.items()}
    for line in story:
        first, *_, last = words = line.words
        if line.answer:
            asked = words[2] if "afraid" in words else last
            answers.append(fears[of[asked]] if "afraid" in words else at[holder.get(asked, asked)])
        elif "afraid" in words:
            fears[one[first]] = one[last]
        elif words[1:3] == ("is", "a"):
            of[first] = last
        elif last in THINGS and " ".join(words[1:-2]) in TAKES:
            holder[last] = first
        elif last in THINGS:
            assert holder.pop(last) == first
            assert " ".join(words[1:-2]) in DROPS
            at[last] = at[first]
        else:
            at[first] = last
    return answers


@pytest.mark.parametrize("task", TASKS)
@given(rng=seeds, every=st.integers(1, 3))
def test_every_answer_follows_from_the_sentences_before_it(task, rng, every):
    (story,) = draw_stories(task, 1, rng, every)
    assert right_answers([story]) == reasoned(story)


@given(seeds)
def test_a_thing_is_taken_only_where_it_lies(rng):
    at, holder = {}, {}
    for line in TASKS["two facts"](rng, 100):
        who, last = line.words[0], line.words[-1]
        if last in PLACES:
            at[who] = last
        elif " ".join(line.words[1:-2]) in TAKES:
            assert last not in holder
            assert at.get(last, at[who]) == at[who]
            holder[last] = who
        else:
            del holder[last]
            at[last] = at[who]


@given(rng=seeds)
def test_where_one_fact_is_asked_for_a_rule_knows_it(rng):
    stories = draw_stories("one fact", 3, rng, 1)
    assert [each for story in stories for each in by_rule(story, PLACES)] == right_answers(stories)


def test_stories_are_asked_as_often_as_said():
    one, two = (draw_stories("one fact", 4, np.random.default_rng(0), every) for every in (1, 2))
    assert {len(right_answers([story])) for story in one} == {10}
    assert {len(right_answers([story])) for story in two} == {5}
    assert all(right_answers([s]) for s in draw_stories("two facts", 50, np.random.default_rng(0), 5))


def test_no_story_that_was_learned_is_held_out():
    rng = np.random.default_rng(0)
    learned, held = draw_stories("deduction", 50, rng, 1), draw_stories("deduction", 20, rng, 1)
    asked_otherwise = [[*learned[3][:-4], *reversed(learned[3][-4:])]]
    assert unseen([*held, *asked_otherwise], learned) == held
    others = [list(reversed(learned[3]))]
    assert unseen(others, learned) == others


def test_a_file_in_the_form_of_babi_is_read(tmp_path):
    text = (
        "1 Mary moved to the bathroom.\n2 John went to the hallway.\n3 Where is Mary? \tbathroom\t1\n"
        "1 Nobody asks.\n\n1 Daniel, too, left.\n2 Who left?\tDaniel\n"
    )
    (tmp_path / "qa1.txt").write_text(text, encoding="utf-8")
    one, two = read_stories(tmp_path / "qa1.txt")
    assert one[0] == StoryLine(("mary", "moved", "to", "the", "bathroom"))
    assert one[2] == StoryLine(("where", "is", "mary"), "bathroom")
    assert two == [StoryLine(("daniel", "too", "left")), StoryLine(("who", "left"), "daniel")]


@pytest.mark.parametrize("text", ["Mary left.\n", "1 Who left?\t\t1\n", "1 \n", "1 ?\tMary\n"])
def test_a_file_of_another_form_is_refused_in_one_line(text, tmp_path):
    (tmp_path / "qa.txt").write_text("1 John left.\n" + text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"qa\.txt, line 2 is not a number and a sentence"):
        read_stories(tmp_path / "qa.txt")


def test_who_was_where_last_is_told_by_sentences_and_not_by_questions():
    mary, john = (StoryLine((who, "went", "to", "the", "park")) for who in ("mary", "john"))
    story = [john, mary, StoryLine(("is", "mary", "at", "home"), "no"), StoryLine(("mary", "went", "home")), john]
    assert last_named(story, "mary", ["park", "home"]) == ["", "park", "park", "home", "home"]
    assert subjects([story], ["park", "home"]) == ["john", "mary"]
    assert subjects([story], ["no"]) == []


def test_a_sentence_is_another_when_its_words_change_places():
    mice, wolves = StoryLine(("mice", "fear", "wolves")), StoryLine(("wolves", "fear", "mice"))
    reading = StoryEncoder([[mice, StoryLine(("who",), "wolves")]], by="sentence")
    (one,), (other,) = (reading([line]).xs for line in (mice, wolves))
    assert one.shape == (reading.size,) == (8,)
    assert not np.array_equal(one, other)
    np.testing.assert_array_equal(one, [0.5, 1, 0, 0, 0.5, 0, 0, 1])  # fear, mice, who, wolves: early, then late


@pytest.mark.parametrize(("by", "asked_at"), [("sentence", [1, 3]), ("word", [3, 6])])
def test_answers_are_due_at_the_ends_of_questions(by, asked_at):
    mary, who = StoryLine(("mary", "fell")), StoryLine(("who", "fell"), "mary")
    reading = StoryEncoder([[mary, who, StoryLine(("why",)), who]], by)
    encoded = reading([mary, who, StoryLine(("why",)), who])
    assert np.flatnonzero(encoded.targets != IGNORED).tolist() == asked_at
    assert len(encoded.xs) == asked_at[-1] + 1


def test_what_was_told_is_learned_and_answered_in_order(capsys):
    told = [
        [
            StoryLine((who, place)),
            StoryLine((other, "away")),
            StoryLine(("where", who), place),
            StoryLine(("where", other), "away"),
        ]
        for who, other in (("mary", "john"), ("john", "mary"))
        for place in ("home", "park")
    ]
    told.append([StoryLine(("mary", "home")), StoryLine(("where", "mary"), "home")])
    reading = StoryEncoder(told, by="sentence")
    model = Answerer(reading.size, 16, len(reading.answers), rng=0)
    how = {"updates": 150, "seed": 0, "about": "five stories", "rate": 0.03}
    curve, whole = learn_answers(model, [reading(story) for story in told], **how)
    assert whole
    assert curve[-1][1] < 0.1 < curve[0][1]
    assert said_answers(model, reading, told) == right_answers(told)
    assert said_answers(model, reading, told[::-1]) == right_answers(told[::-1])
    assert "five stories: 150 updates" in capsys.readouterr().out
    likely = beliefs(model, reading, told[0][:2], told[0][2])
    np.testing.assert_allclose(likely.sum(axis=0), 1)
    assert (likely[reading.answers.index("home")] > 0.5).all()
    picture = asked_throughout(model, reading, told[0])
    assert "where john? Asked after each sentence" in picture
    assert "home" in picture


def test_what_the_network_says_does_not_depend_on_longer_stories_beside_it():
    stories = [
        *draw_stories("one fact", 3, np.random.default_rng(0), 2),
        [StoryLine(("where", "is", "mary"), "office")],
    ]
    reading = StoryEncoder(stories, by="word")
    model = Answerer(reading.size, 8, len(reading.answers), rng=0)
    alone = [each for story in stories for each in said_answers(model, reading, [story])]
    assert said_answers(model, reading, stories) == alone


def test_words_are_counted_as_bayes_has_it():
    stories = [
        [StoryLine(("mary", "home")), StoryLine(("john", "park")), StoryLine(("where", "mary"), "home")],
        [StoryLine(("mary", "park")), StoryLine(("where", "mary"), "park")],
        [StoryLine(("mary", "park")), StoryLine(("where", "mary"), "park")],
    ]
    counted = CountedWords(stories)
    words = ["home", "mary", "park", "where"]  # told are those of sentences that name mary, and john's are not
    told = {"home": [1, 2, 0, 1], "park": [0, 4, 2, 2]}
    for sentence in ("home", "park"):
        heard = ["where", "mary", "mary", sentence]
        weights = {}
        for answer, often in (("home", 1), ("park", 2)):
            table = np.array(told[answer]) + 1.0
            weights[answer] = often * np.prod([table[words.index(word)] / table.sum() for word in heard])
        story = [StoryLine(("john", "home")), StoryLine(("mary", sentence)), StoryLine(("where", "mary"), "?")]
        assert counted.says(story) == [max(weights, key=weights.get)]
    assert counted.says([StoryLine(("never", "heard"), "?")]) == ["park"]

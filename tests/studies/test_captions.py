"""Films show what their sentence says, and what is seen is learned to be said, also in sentences never heard."""

import numpy as np
import pytest

from tinygrad_lstm.studies.captions import END, Captioner, learn_captions, most_frequent_words, words_right
from tinygrad_lstm.studies.scenes import FRAMES, LIGHTS, SIDE, SIZES, SPEEDS, WAYS, film, films, sentences


@pytest.mark.parametrize("seed", range(3))
def test_a_film_shows_what_its_sentence_says(seed):
    rng = np.random.default_rng(seed)
    for sentence in rng.permutation(np.array(sentences(), object)).tolist()[:40]:
        _, size, light, _, _, speed, way, _, does, *other = sentence
        shown = film(sentence, rng, noise=0.0)
        frames = shown.frames.reshape(FRAMES, SIDE, SIDE)
        rows, columns = np.nonzero(frames[0])
        assert np.ptp(columns) + 1 == SIZES[size]
        assert frames.max() == LIGHTS[light]
        assert (rows.min() + rows.max()) / 2 == pytest.approx(shown.places[0][0])
        moved = np.diff(shown.places, axis=0)  # by frame, in pixels
        before, after = moved[: shown.turn].sum(axis=0), moved[shown.turn :].sum(axis=0)
        assert abs(before @ WAYS[way] - SPEEDS[speed] * shown.turn) <= 1
        assert before[WAYS[way].index(0)] == 0
        assert (np.sign(after) == (WAYS[other[0]] if does == "turns" else (0, 0))).all()
        assert (frames[0] > 0).sum() == (frames[-1] > 0).sum(), "it never leaves the frame"


def test_shapes_differ_at_every_size():
    masks = {
        (size, shape): film(["a", size, "bright", shape, "moves", "slowly", "up", "then", "stops"], rng, 0.0).frames[0]
        for rng in [np.random.default_rng(0)]
        for size in SIZES
        for shape in ("square", "ring", "cross", "saltire", "triangle")
    }
    drawn = [tuple(np.sort(np.flatnonzero(mask)) - np.flatnonzero(mask)[0]) for mask in masks.values()]
    assert len(set(drawn)) == len(drawn) == 10


def test_every_sentence_is_another_and_turns_elsewhere():
    every = sentences()
    assert len({" ".join(each) for each in every}) == len(every) == 640
    assert all(each[-1] != each[6] for each in every)


def test_what_is_seen_is_said(capsys):
    said = [["up"], ["down", "then", "up"], ["then", "down"]]
    model = Captioner(3, 16, [END, "up", "down", "then"], rng=0)
    xs = np.repeat(np.eye(3)[None], 2, axis=0)  # (2, 3, 3)
    assert model.numbers(said)[:, 1].tolist() == [0, 2, 3, 1, 0]
    curve, whole = learn_captions(model, [(xs, said)] * 80, updates=80, about="three", rate=0.03)
    assert whole
    assert curve[-1][1] < 0.1
    assert model.write(xs) == said
    assert "three: 80 updates" in capsys.readouterr().out


def test_words_that_are_hidden_are_not_read(capsys):
    said, xs = [["up"], ["down", "then", "up"]], np.repeat(np.eye(2)[None], 2, axis=0)
    models = [Captioner(2, 8, [END, "up", "down", "then"], rng=0) for _ in range(3)]
    for model, hide in zip(models, (0.0, 1.0, 1.0), strict=True):
        learn_captions(model, [(xs, said)] * 3, updates=3, about="two", hide=hide, rng=1)
    before = Captioner(2, 8, [END, "up", "down", "then"], rng=0).embedding.weight.value
    moved = [np.abs(model.embedding.weight.value - before).max(axis=1) > 0 for model in models]
    assert [each.tolist() for each in moved] == [[True] * 4, [True, False, False, False], [True, False, False, False]]
    np.testing.assert_array_equal(models[1].head.weight.value, models[2].head.weight.value)
    numbers = models[0].numbers(said)
    as_said = models[0].surprise(xs, numbers).item()
    assert models[0].surprise(xs, numbers, numbers[:-1]).item() == as_said
    assert models[0].surprise(xs, numbers, 0 * numbers[:-1]).item() != as_said


def test_writing_goes_on_from_what_was_written():
    model = Captioner(2, 6, [END, "a", "b"], rng=1)
    xs = np.ones((3, 1, 2))
    (words,) = model.write(xs, most=6)
    numbers = model.numbers([words])[:-1]
    likeliest = model(xs, numbers).value.argmax(axis=-1)[: len(words), 0]
    assert [model.words[n] for n in likeliest] == words
    assert len(model.write(xs, most=2)[0]) <= 2


def test_whole_sentences_and_words_are_counted():
    assert words_right([["a", "b", "c"], ["a"]], [["a", "b"], ["a", "b"]]) == (0.0, 0.75)
    assert most_frequent_words([["b"], ["a", "x"], ["b", "y"], ["a"]]) == ["a", "x"]


def test_films_stand_side_by_side():
    together, alone = films(sentences()[:4], np.random.default_rng(0))
    assert together.shape == (FRAMES, 4, SIDE**2)
    np.testing.assert_array_equal(together[:, 2], alone[2].frames)

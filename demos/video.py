"""Video to text: an LSTM watches a film of one shape that moves, and another writes what it saw, word by word.

``tinygrad-lstm demo video`` runs this file, ``--small`` in seconds. Films and sentences are drawn by our own generator.
A third of all sentences is held out: each of their words was learned, but no such sentence.
"""

import numpy as np

import tinygrad_lstm as tl
from tinygrad_lstm.pages.heat import Grid, heat_map
from tinygrad_lstm.studies.captions import END, Captioner, learn_captions, most_frequent_words, words_right
from tinygrad_lstm.studies.demonstration import Score, asked, compare_speed, in_float64, look_inside, picture, tell
from tinygrad_lstm.studies.jacobian import states_of
from tinygrad_lstm.studies.pictures import learning, unit_and_truth
from tinygrad_lstm.studies.recognition import nearest_class, squared_distances
from tinygrad_lstm.studies.scenes import FRAMES, SIDE, films, sentences
from tinygrad_lstm.studies.units import most_readable

given = asked("video")
H, updates, watched = (16, 60, 200) if given.small else (96, 2000, 2000)
rng = [np.random.default_rng([given.seed, n]) for n in range(4)]

# 1. Films of 12 frames, 16 × 16 pixels with a little noise, and sentences such as "a large dim cross moves quickly up
# then turns right". There are 640. Films of 427 of them are learned from, others for each update; the other 213 are
# held out. Nobody can know those by heart: they have to be put together from what each word means.

every = sentences()
held, known = ([every[n] for n in part] for part in np.split(rng[0].permutation(len(every)), [len(every) // 3]))
words = [END, *sorted({word for sentence in every for word in sentence})]
draw = lambda count: [known[n] for n in rng[1].integers(0, len(known), count)]
test, drawn_test = films(held, rng[2])  # (T, N, 256)

# 2. The network: the state in which the first LSTM ends, after the last frame, is that from which the second begins. It
# learns to say each word after those that are right; when it is tested, it reads its own.

model = Captioner(SIDE**2, H, words, rng=given.seed)
batches = ((films(some, rng[1])[0], some) for some in (draw(32) for _ in range(updates)))
curve, whole = learn_captions(model, batches, updates=updates, about="films")
said = model.write(test)
exact, right = words_right(said, held)
full = whole and not given.small
for one, other in list(zip(said, held, strict=True))[:3]:
    print(f"seen: {' '.join(other)}\nsaid: {' '.join(one)}")

# 3. Beside it: who says the sentence of the most similar film that was learned from can never be right as a whole, but
# may be in most words; and who always says at each place the word that is most frequent there.

known_too = draw(watched)
seen, drawn_seen = films(known_too, rng[3])
flat = lambda films: films.transpose(1, 0, 2).reshape(films.shape[1], -1)
near = [known_too[n] for n in nearest_class(squared_distances(flat(test), flat(seen)), np.arange(watched))]
(exact_near, right_near), (exact_often, right_often) = (
    words_right(guessed, held) for guessed in (near, [most_frequent_words(known_too)] * len(held))
)
assert exact_near == 0, "a sentence that is held out was learned"
assert not full or (exact > 0.5 and right > right_near > right_often)

# 4. A unit that one can read: a clock, which tells how many frames have passed; who shall say "quickly" needs one. It
# is chosen on films of sentences that were learned and judged on the others, beside the best unit of a network that has
# learned nothing. It tells whether the shape has turned as well, but only because that happens in the middle of a film.

clock = lambda drawn: np.tile(np.arange(FRAMES, dtype=float), len(drawn))
turned = lambda drawn: np.concatenate([np.arange(FRAMES) > each.turn for each in drawn]).astype(float)


def told_by(model, what):
    cells = [np.array([c for _, c in states_of(model.eye.cells[0], xs)]) for xs in (seen[:, :400], test)]  # (T, N, H)
    states, unseen = (each.transpose(1, 0, 2).reshape(-1, H) for each in cells)
    return unseen, most_readable(states, what(drawn_seen[:400]), unseen, what(drawn_test))


(states, unit), (_, turn) = told_by(model, clock), told_by(model, turned)
_, by_chance = told_by(Captioner(SIDE**2, H, words, rng=given.seed), clock)
print(f"unit {unit.unit} tells {unit.held_out:.0%} of the time; untrained, the best {by_chance.held_out:.0%}")
print(f"of whether the shape has turned, the best unit, {turn.unit}, tells {turn.held_out:.0%}")
assert not full or unit.held_out > by_chance.held_out

# 5. Pictures: a film, the unit, how it learned; the writing of one sentence to step through, and the scores.

frames = [Grid(f"{t}", np.maximum(test[t, 0], 0).reshape(SIDE, SIDE), [""] * SIDE, [""] * SIDE) for t in range(FRAMES)]
what = f"A film that it never saw: {' '.join(held[0])}"
shown = heat_map(frames, title=what, across="", upwards="", label=what, size=(680, 322), per_row=6)
some, marks = slice(0, 3 * FRAMES), [str(n % FRAMES) for n in range(3 * FRAMES)]
told = unit_and_truth(unit.unit, unit.read(states[some]), clock(drawn_test)[some], "the time", marks)
chance = {"by chance": float(np.log(len(words)))}
picture(given.out, film=shown, unit=told, learning=learning(curve, "nats per word", chance))
tl.save(model.eye, given.out / "model.safetensors")
loss = in_float64(model).surprise(test[:, :1], model.numbers(held[:1]))
loss.name = "L"
look_inside(loss, given.out)
compare_speed(model.eye, test[:, :32].astype(np.float32))
near_by, often = (("1-NN", exact_near), ("1-NN", right_near)), (("by place", exact_often), ("by place", right_often))
weak = "what it knows word by word it does not always put together; one shape, and nothing else in sight"
of_all = Score("unseen sentences: share exact", exact, often[0], near_by[0], "none", "high", weak)
tell([of_all, Score("their words: share right", right, often[1], near_by[1], "none", "high", weak)], given.out)

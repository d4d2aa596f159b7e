"""Composing music: an LSTM reads fiddle tunes letter by letter, and goes on with tunes of its own, which one can play.

``tinygrad-lstm demo music`` runs this file; ``--data FILE`` learns from tunes of yours in ABC, ``--small`` takes
seconds. ABC is music in letters: ``d>e f2`` is two notes in a dotted rhythm, and one of twice the length.
"""

from itertools import islice
from math import log

import numpy as np

import tinygrad_lstm as tl
from tinygrad_lstm.interop.files import write_file
from tinygrad_lstm.studies.applications import APPLICATIONS, Unusable, file_of
from tinygrad_lstm.studies.demonstration import Score, asked, compare_speed, look_inside, picture, tell, text_of
from tinygrad_lstm.studies.fitting import learn_compiled
from tinygrad_lstm.studies.midi import midi_file
from tinygrad_lstm.studies.ngrams import KneserNey
from tinygrad_lstm.studies.pictures import learning, unit_and_truth
from tinygrad_lstm.studies.texts import cell_states
from tinygrad_lstm.studies.tunes import full_bars, played, read_tunes, split_tunes
from tinygrad_lstm.studies.units import most_readable
from tinygrad_lstm.training import Streams, TruncatedLoss, Vocabulary, sample, stream_loss

given = asked("music")
H, steps, order, composed = (48, 60, 5, 2) if given.small else (256, 900, 6, 20)

# 1. The tunes: Ryan's Mammoth Collection, and Cole's, as fiddlers typed them. No file names a licence; music21 says it
# has them by permission of who typed them, so we read those that say who, in ``Z:``. Many a tune stands there twice, by
# another name: held out are whole families, which share no 16 steps from note to note with what is learned from.

if given.data:
    tunes = read_tunes(text_of(given.data))
else:
    folder = file_of(APPLICATIONS["music"], "music21", "corpus", "license.txt").parent / "ryansMammoth"
    every = [tune for path in sorted(folder.glob("*.abc")) for tune in read_tunes(path.read_text(encoding="utf-8"))]
    tunes = [tune for tune in every if tune.credit]
    print(f"{len(every) - len(tunes)} of {len(every)} tunes name nobody who typed them, and are not used")
learned, held_out = split_tunes(tunes[:150] if given.small else tunes)
text, unseen = ("".join(tune.text + "\n" for tune in side) for side in (learned, held_out))
if len(text) < 6_000 or len(unseen) < 500:
    raise Unusable(f"too few tunes in ABC: there are {len(tunes)}, of which one in twelve is held out")
characters = Vocabulary.of(text + unseen, "character")
ids, test = characters.numbers(text), characters.numbers(unseen)
write_file(given.out / "credits.txt", "".join(f"{tune.title}: {tune.credit}\n" for tune in learned))
print(f"learned from {len(learned)} tunes, {len(ids):,} characters; {len(held_out)} held out, {len(test):,}")

# 2. Counting: Kneser and Ney's n-grams.

counted = {n: KneserNey(ids, n, len(characters)) for n in (1, 3, order)}
bits = {n: each.bits(test, before=ids[-n:]) for n, each in counted.items()}
print(f"counting: {', '.join(f'{n}-grams {each:.2f}' for n, each in bits.items())} bits per character")
assert given.data or bits[1] > bits[3] > bits[order]

# 3. The network: an embedding, one LSTM as a compiled program, a linear head, by truncated backpropagation.
# The rate is the best of 0.004, 0.008 and 0.012 on families that were held out of those that are learned from.

network = lambda: tl.nn.LanguageModel(len(characters), H, embedding_size=32, rng=given.seed, dtype=np.float32)
untrained, model = network(), network()
how = {"loss": TruncatedLoss(), "rate": 0.008, "steps": steps, "about": "music"}
curve, whole = learn_compiled(model, Streams(ids, 32, 64), "recurrent", **how)
curve = [(update, loss / log(2)) for update, loss in curve]
tl.save(model, given.out / "model.safetensors")
with tl.no_grad():
    lstm = stream_loss(model.eval(), test, streams=1, window=500) / log(2)
full = whole and not given.small and not given.data
assert not full or lstm < bits[order]

# 4. It composes: after a metre and a key that begin a tune that is held out, what it draws until an empty line. Whether
# that is music you hear: the files .mid are for any player. One thing can be counted: are its bars full?

head = lambda text: text.index("\n", text.index("K:")) + 1
openings, rng = [tune.text[: head(tune.text)] for tune in held_out][:composed], np.random.default_rng(given.seed)
by_lstm = lambda prompt, temperature=1.0: sample(model, prompt, temperature=temperature, rng=rng)


def compose(opening, draw, **how):
    drawn = characters.text(islice(draw(characters.numbers(text[-20:] + opening), **how), 500))
    return opening + drawn.split("\n\n")[0].rstrip() + "\n"


for number, temperature in enumerate((0.4, 0.7, 1.0), start=1):
    tune, name = compose(openings[0], by_lstm, temperature=temperature), f"Tune {number} at temperature {temperature}"
    write_file(given.out / f"tune{number}.abc", f"X:{number}\nT:{name}\nC:a network\n{tune}")
    write_file(given.out / f"tune{number}.mid", midi_file(played(tune).notes, name))
    print(f"\n{given.out}/tune{number}.mid, at temperature {temperature}:\n{tune}")
by_counting = lambda n: lambda prompt: counted[n].draws(prompt.tolist(), rng)
right = {n: full_bars(compose(each, by_counting(n)) for each in openings) for n in (1, order)}
right_lstm, right_held = full_bars(compose(each, by_lstm) for each in openings), full_bars(t.text for t in held_out)
assert not full or right_lstm > right[order] > right[1]

# 5. A unit that one can read: where in the bar are we? Nobody says so: the metre stands in the first line, and what has
# passed is the sum of the notes. It is chosen on tunes that were learned and scored on others.

where = lambda text: np.minimum(played(text).clock, 1.0)
some, others = ([tune.text + "\n" for tune in side[:40]] for side in (learned, held_out))
truth, unseen_truth = (np.concatenate([where(text) for text in side]) for side in (some, others))
read, heard = (characters.numbers("".join(side)) for side in (some, others))
states = cell_states(model, heard)
found = most_readable(cell_states(model, read), truth, states, unseen_truth)
by_chance = most_readable(cell_states(untrained, read), truth, cell_states(untrained, heard), unseen_truth)
print(f"unit {found.unit} tells {found.held_out:.0%} of where in the bar it is; untrained, {by_chance.held_out:.0%}")
assert not full or found.held_out > by_chance.held_out

# 6. Pictures, one prediction to step through, and the scores.

line = slice(at := head(others[0]), at + 56)
unit = unit_and_truth(found.unit, found.read(states)[line], unseen_truth[line], "where in the bar", others[0][line])
picture(given.out, unit=unit, learning=learning(curve, "bits per character", {f"{n}-grams": bits[n] for n in bits}))
loss = tl.cross_entropy(model(test[:8])[0][-1:], test[8:9])
loss.name = "L"
look_inside(loss, given.out)
compare_speed(model.recurrent, model.embedding(ids[:2048].reshape(64, 32)))
weak = "its bars are in time more often than not, but no tune goes anywhere; it may begin in another metre than asked"
many, known = f"Kneser–Ney {order}-grams", f"the tunes held out: {right_held:.2f}"
of_letters, of_bars = ((("1-grams", each[1]), (many, each[order])) for each in (bits, right))
letters = Score("bits per character", lstm, *of_letters, "none", weak="it knows part of the tunes by heart")
tell([letters, Score("composed: share of bars in time", right_lstm, *of_bars, known, "high", weak)], given.out)

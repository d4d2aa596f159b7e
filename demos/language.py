"""Language modelling: which character comes next? An LSTM beside counting, on the text of Python's own help.

``tinygrad-lstm demo language`` runs this file; ``--data FILE`` learns from a text of yours, ``--small`` takes seconds.
A model is as good as the text surprises it little: −log₂ of the chance it gave to what came, in bits per character.
"""

import lzma
from itertools import islice
from math import log

import numpy as np

import tinygrad_lstm as tl
from tinygrad_lstm.studies.demonstration import Score, asked, compare_speed, look_inside, picture, tell, text_of
from tinygrad_lstm.studies.fitting import learn_compiled
from tinygrad_lstm.studies.ngrams import KneserNey
from tinygrad_lstm.studies.pictures import learning, unit_and_truth
from tinygrad_lstm.studies.texts import cell_states, split_by_topic, worth_asking
from tinygrad_lstm.studies.units import most_readable
from tinygrad_lstm.training import Streams, TruncatedLoss, Vocabulary, sample, stream_loss

given = asked("language")
H, steps, order = (48, 60, 5) if given.small else (256, 900, 6)

# 1. The text. Python's help repeats itself: a fifth of it stands in two topics or more, and what is held out must not
# be read before. Whole topics are held out, one in twelve, and the others lose each paragraph that these have as well.

if given.data:
    text = text_of(given.data)
    learned, held_out = text[: len(text) * 11 // 12], text[len(text) * 11 // 12 :]
else:
    from pydoc_data.topics import topics

    learned, held_out = split_by_topic(topics)
    assert not {*learned.split("\n\n")} & {*held_out.split("\n\n")}
if given.small:
    learned, held_out = learned[:30_000], held_out[:4_000]
characters = Vocabulary.of(learned + held_out, "character")
ids, test = characters.numbers(learned), characters.numbers(held_out)
print(f"learned from {len(ids):,} characters, {len(characters)} different; {len(test):,} held out")

# 2. Counting. Kneser and Ney's n-grams are what one has to beat; xz, which finds whatever was said before, however
# long ago, is a language model as well: how much longer does it make the file?

bits = {n: KneserNey(ids, n, len(characters)).bits(test, before=ids[-n:]) for n in (1, 3, order)}
packed = [8 * len(lzma.compress(text.encode(), preset=9)) for text in (learned, learned + held_out)]
xz = (packed[1] - packed[0]) / len(test)
print(f"counting: {', '.join(f'{n}-grams {each:.2f}' for n, each in bits.items())}; xz {xz:.2f} bits per character")
assert given.data or bits[1] > bits[3] > bits[order]

# 3. The network: an embedding, one LSTM as a compiled program, a linear head, by truncated backpropagation through
# time. What it is before it learns is kept for later.


def network(symbols, H):
    return tl.nn.LanguageModel(symbols, H, embedding_size=32, rng=given.seed, dtype=np.float32)


def train(model, ids, streams, window, steps, about):
    how = {"loss": TruncatedLoss(), "rate": 0.004, "steps": steps, "about": about}
    curve, whole = learn_compiled(model, Streams(ids, streams, window), "recurrent", **how)
    return [(update, loss / log(2)) for update, loss in curve], whole


def bits_of(model, test):
    with tl.no_grad():
        return stream_loss(model.eval(), test, streams=1, window=500) / log(2)


untrained, model = network(len(characters), H), network(len(characters), H)
curve, whole = train(model, ids, 32, 64, steps, "characters")
lstm = bits_of(model, test)
tl.save(model, given.out / "model.safetensors")
full = whole and not given.small and not given.data
assert not full or lstm < bits[3], "it is no better than trigrams"
for temperature in (0.3, 0.7, 1.0):
    drawn = islice(sample(model, characters.numbers(held_out[:20]), temperature=temperature, rng=given.seed), 200)
    print(f"\nat temperature {temperature}: {' '.join(characters.text(drawn).split())}")

# 4. Words instead of characters: each is rarer, so there is less to learn it from, and counting is hard to beat.

words = Vocabulary.of(learned, "word", most=min(3_000, len({*learned.split()}) // 2))
word_ids, word_test = words.numbers(learned), words.numbers(held_out)
counted = {n: KneserNey(word_ids, n, len(words)).bits(word_test, before=word_ids[-n:]) for n in (1, 3)}
of_words = network(len(words), H // 2)
train(of_words, word_ids, 16, 32, steps // 3, "words")

# 5. What one of its units has learned: are we inside a "quotation"? It is chosen on text that was learned from, and
# judged on text that was not; the best unit of a network that has learned nothing is set beside it.

read, unseen = ids[:8_000], test[:8_000]
what, ask = worth_asking(learned[:8_000], held_out[:8_000])
truth, unseen_truth = ask(learned[:8_000]), ask(held_out[:8_000])
states, unseen_states = cell_states(model, read), cell_states(model, unseen)
found = most_readable(states, truth, unseen_states, unseen_truth)
by_chance = most_readable(cell_states(untrained, read), truth, cell_states(untrained, unseen), unseen_truth)
print(f"\nunit {found.unit} tells {found.held_out:.0%} of {what}; untrained, the best {by_chance.held_out:.0%}")
assert not full or found.held_out > by_chance.held_out

# 6. Pictures: how it learned, and that unit over a line it had never read; then one prediction, to step through.

line = slice(at := max(int(unseen_truth.argmax()) - 12, 0), at + 56)
unit = unit_and_truth(found.unit, found.read(unseen_states)[line], unseen_truth[line], what, held_out[line])
picture(given.out, unit=unit, learning=learning(curve, "bits per character", {f"{n}-grams": bits[n] for n in bits}))
loss = tl.cross_entropy(model(test[:8])[0][-1:], test[8:9])
loss.name = "L"
look_inside(loss, given.out)
compare_speed(model.recurrent, model.embedding(ids[:2048].reshape(64, 32)))

# 7. The scores, each on the same held-out text.

one, many, three = ("1-grams", bits[1]), (f"Kneser–Ney {order}-grams", bits[order]), ("Kneser–Ney 3-grams", counted[3])
by_letter = Score("bits per character", lstm, one, many, known=f"xz {xz:.2f}", weak="counting knows what stood there")
by_word = Score("bits per word", bits_of(of_words, word_test), ("1-grams", counted[1]), three, "none", weak="few words")
tell([by_letter, by_word], given.out)

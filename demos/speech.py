"""Speech: who speaks? An LSTM hears two vowels and says which of nine men it is; it is not asked what they say.

``tinygrad-lstm demo speech`` runs this file, ``--small`` in seconds. ``--data FILE.ts`` takes sequences of yours, each
with its class; every third is held out. Beside it the nearest neighbour, for whom speech may be slow or fast.
"""

import numpy as np

import tinygrad_lstm as tl
from tinygrad_lstm.pages.heat import Grid, heat_map
from tinygrad_lstm.studies.applications import APPLICATIONS, Unusable, file_of
from tinygrad_lstm.studies.demonstration import Score, asked, compare_speed, in_float64, look_inside, picture, tell
from tinygrad_lstm.studies.pictures import learning, unit_and_truth
from tinygrad_lstm.studies.recognition import (
    Recogniser,
    cells_of,
    learn_classes,
    most_frequent,
    nearest_class,
    read_ts,
    said_classes,
    warped_distances,
)
from tinygrad_lstm.studies.units import most_readable
from tinygrad_lstm.training import pad

given = asked("speech")
H, updates = (16, 60) if given.small else (64, 400)

# 1. The sounds: nine men said two Japanese vowels, a and e, one after the other. Each 6.4 ms became twelve numbers, the
# cepstrum of a linear prediction, which tell what shape the mouth had. Of each man 30 utterances are learned from, 270
# in all; 370 of the same men, on other occasions, are held out.

try:
    if given.data:
        sequences, who, names = read_ts(given.data)
        held = np.arange(len(who)) % 3 == 2
    else:
        parts = ("datasets", "data", "JapaneseVowels")
        files = [file_of(APPLICATIONS["speech"], "aeon", *parts, f"JapaneseVowels_{n}.ts") for n in ("TRAIN", "TEST")]
        first, second = map(read_ts, files)
        sequences, who, names = (
            first.sequences + second.sequences,
            np.append(first.classes, second.classes),
            first.names,
        )
        held = np.arange(len(who)) >= len(first.classes)
except (OSError, ValueError) as error:
    raise Unusable(str(error)) from error
learned, test = np.flatnonzero(~held), np.flatnonzero(held)
if len(test) < 10 or len(set(who[learned])) < 2:
    raise Unusable(f"{len(who)} sequences of {len(set(who))} classes: too few to learn from")
known = np.concatenate([sequences[n] for n in learned])
sequences = [(sequence - known.mean(axis=0)) / known.std(axis=0) for sequence in sequences]
pick = lambda which: [sequences[n] for n in which]

# 2. The network: an LSTM, and a linear head on the state it ends with. It has few examples, so noise is added to them,
# other each time; how much is chosen on every third of what is learned from. What is held out is looked at once.


def train(which, noise, updates, about):
    model = Recogniser(known.shape[1], H, len(names), rng=given.seed)
    how = {"noise": noise, "updates": updates, "seed": given.seed, "about": about}
    return model, *learn_classes(model, pick(which), who[which], **how)


def right(model, which):
    return float((said_classes(model, pick(which)) == who[which]).mean())


shares, full = {}, not given.small and not given.data
for noise in (0.0, 0.2, 0.4, 0.6):
    model, _, whole = train(np.delete(learned, np.s_[2::3]), noise, updates, f"noise {noise}")
    shares[noise], full = right(model, learned[2::3]), full and whole
print(f"by noise, right where it is chosen: {', '.join(f'{noise}: {share:.1%}' for noise, share in shares.items())}")
model, curve, whole = train(learned, max(shares, key=shares.get), updates, "all of them")
lstm, full = right(model, test), full and whole
assert not full or lstm > 0.95

# 3. The nearest neighbour. An utterance is as near to another as it can be if each may wait for the other.

near = float((nearest_class(warped_distances(pick(test), pick(learned)), who[learned]) == who[test]).mean())

# 4. Units that one can read, at the end of an utterance: for each man that which knows him best, chosen on what was
# learned, judged on what was not. So are an untrained network's: of one man it may know more, of all it knows less.


def who_knows(model):
    ends = np.array([cells[-1] for cells in cells_of(model, sequences)])
    men = [man for man in range(len(names)) if 0 < (who[test] == man).mean() < 1 and (who[learned] == man).any()]
    return ends, {man: most_readable(ends[learned], who[learned] == man, ends[test], who[test] == man) for man in men}


(ends, units), (_, by_chance) = who_knows(model), who_knows(Recogniser(known.shape[1], H, len(names), rng=given.seed))
man = max(units, key=lambda each: units[each].chosen)
unit, mean, chance = units[man], *(np.mean([u.held_out for u in found.values()]) for found in (units, by_chance))
print(f"unit {unit.unit} tells {unit.held_out:.0%} of whether it is {names[man]}")
print(f"of each man, on average, a unit tells {mean:.0%}; untrained, {chance:.0%}")
assert not full or mean > chance

# 5. Pictures: the unit, how it learned, and who is taken for whom; one utterance to step through, and the score.

some, said = test[:: len(test) // 36 or 1][:40], said_classes(model, pick(test))
told = unit_and_truth(
    unit.unit, unit.read(ends[some]), who[some] == man, f"speaker {names[man]}", [names[n] for n in who[some]]
)
picture(given.out, unit=told, learning=learning(curve, "nats per utterance", {"by chance": float(np.log(len(names)))}))
taken = np.array([np.bincount(said[who[test] == man], minlength=len(names)) for man in range(len(names))])
grid, what = Grid("", taken / np.maximum(taken.sum(axis=1, keepdims=True), 1), names, names), "Who is taken for whom"
picture(given.out, confusion=heat_map([grid], title=what, across="said", upwards="is", label=what, size=(420, 400)))
tl.save(model.layer, given.out / "model.safetensors")
one = min(test, key=lambda n: len(sequences[n]))
loss = tl.cross_entropy(in_float64(model)(sequences[one][:, None]), [who[one]])
loss.name = "L"
look_inside(loss, given.out)
compare_speed(model.layer, pad(pick(learned[:32])).astype(np.float32))
beside = ("the most frequent", most_frequent(who[learned], who[test])), ("1-NN, warped", near)
published = "none" if given.data else "Kudo, Toyama & Shimbo 1999: 0.941 (not checked)"
weak = "who speaks, and not what; nine men, all of them heard before"
tell([Score(f"who speaks, of {len(names)}: share right", lstm, *beside, published, "high", weak)], given.out)

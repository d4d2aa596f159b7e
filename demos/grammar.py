"""Learning grammar: what may come next, in Reber's strings and in aⁿbⁿcⁿ, which only those know who count.

``tinygrad-lstm demo grammar`` runs this file, ``--small`` in seconds. Ten LSTMs and ten plain RNNs, which differ in
their seed alone, learn side by side from strings of our own generator. A string is right if at every step all that may
come next is guessed above all that may not: one slip, and it is wrong.
"""

import numpy as np

import tinygrad_lstm as tl
from tinygrad_lstm.nn.gate import same
from tinygrad_lstm.studies.demonstration import (
    Score,
    asked,
    compare_speed,
    learn_side_by_side,
    look_inside,
    picture,
    tell,
)
from tinygrad_lstm.studies.jacobian import states_of
from tinygrad_lstm.studies.ngrams import answers_by_counting
from tinygrad_lstm.studies.pictures import unit_and_truth
from tinygrad_lstm.studies.side_by_side import side_by_side
from tinygrad_lstm.studies.tasks import counting, embedded_reber, strings_of_counts
from tinygrad_lstm.studies.trial import Reader, all_right, answers_of
from tinygrad_lstm.studies.units import most_readable
from tinygrad_lstm.studies.watched import loss_at_the_end

given = asked("grammar")
seeds = range(10 * given.seed, 10 * given.seed + (3 if given.small else 10))
budgets, tested = ((640, 640), 100) if given.small else ((20_000, 16_000), 500)


def shares(readers, drawn):
    return all_right(answers_of(side_by_side(readers), drawn), drawn).mean(axis=1)


# 1. The embedded grammar of Reber: the last letter but one is the second, and what lies between tells nothing of it.
# Nobody has to count, but somebody has to remember. The strings of the test are drawn by a seed of their own.

reber = embedded_reber()
test, sample = (reber.draw(np.random.default_rng([given.seed, k]), tested * k) for k in (1, 10))
makers = {"LSTM": (tl.LSTMCell, 0.01), "RNN": (tl.RNNCell, 0.003)}
rates, whole = {}, True
for name, (cell, rate) in makers.items():
    readers = [Reader(cell(7, 8, rng=seed), 7, rng=seed) for seed in seeds]
    how = {"seeds": seeds, "rate": rate, "budget": budgets[0], "about": f"Reber, {name}"}
    readers, done = learn_side_by_side(reber, readers, **how)
    rates[name], whole = shares(readers, test), whole and done
    print(f"{name}: strings right, seed by seed: {', '.join(f'{share:.0%}' for share in rates[name])}")
counts = {n: float(all_right(answers_by_counting(test, sample, n), test).mean()) for n in (1, 6)}
print(f"6-grams of {tested:,} strings: {counts[6]:.0%} right; they know the letters between, and not the second")
full = whole and not given.small
assert not full or np.median(rates["LSTM"]) > 0.9 > np.median(rates["RNN"])

# 2. aⁿbⁿcⁿ. What comes after the last b? Who has read n times a must know n. They learn from n = 1 … 10. The cell
# shows its state without the last tanh (as Gers and Schmidhuber had it): a count has no upper end. Of each network that
# moment is kept at which n = 11 … 15 surprised it least; the test begins at 16, and is looked at once.

chosen_by = strings_of_counts(range(11, 16))
told = chosen_by.targets * (chosen_by.legal.sum(axis=-1, keepdims=True) == 1)  # where one symbol alone may come


def surprise(stacked):
    scores = answers_of(stacked, chosen_by)
    return -((scores - np.logaddexp.reduce(scores, axis=-1, keepdims=True)) * told).sum(axis=(1, 2, 3))


linear = {"forget_bias": 3.0, "activations": (tl.sigmoid, tl.tanh, same)}
makers = {"LSTM": (tl.LSTMCell, linear, 0.02), "RNN": (tl.RNNCell, {}, 0.003)}
beyond, kept, reach = strings_of_counts(range(16, 61)), {}, {}
for name, (cell, options, rate) in makers.items():
    readers = [Reader(cell(4, 5, rng=seed, **options), 4, rng=seed) for seed in seeds]
    how = {"seeds": seeds, "rate": rate, "budget": budgets[1], "about": f"aⁿbⁿcⁿ, {name}"}
    kept[name], done = learn_side_by_side(counting(10), readers, choose=surprise, **how)
    right = all_right(answers_of(side_by_side(kept[name]), beyond), beyond)
    reach[name], full = [15 + int(np.append(each, False).argmin()) for each in right], full and done
    known = shares(kept[name], strings_of_counts(range(1, 11)))
    print(f"{name}: n ≤ 10 right: {known.mean():.0%}; right from n = 16 up to, seed by seed: {reach[name]} (15: none)")
assert not full or max(reach["LSTM"]) > 15 >= max(reach["RNN"])

# 3. The unit that counts: how many b are due? Network and unit are chosen on n = 1 … 10, judged on n = 16 … 20, unseen.


def due(ns, cell):
    states = [states_of(cell, strings_of_counts([n]).inputs) for n in ns]
    cells = np.concatenate([[c[0] for _, c in each] for each in states])
    return cells, np.concatenate([np.r_[0 : n + 1, n - 1 : -1 : -1, [0] * n] for n in ns])


def counter(cells):
    found = [(most_readable(*due(range(1, 11), cell), *due(range(16, 21), cell)), n) for n, cell in enumerate(cells)]
    return max(found, key=lambda each: each[0].chosen)


found, which = counter([each.cell for each in kept["LSTM"]])
by_chance, _ = counter([tl.LSTMCell(4, 5, rng=seed, **linear) for seed in seeds])
best = kept["LSTM"][which]
print(f"unit {found.unit} tells {found.held_out:.0%} of how many b are due; untrained, {by_chance.held_out:.0%}")
assert not full or found.held_out > by_chance.held_out

# 4. Pictures of it, one guess to step through, and the scores.
states, truth = due([17], best.cell)
string = "".join("Sabc"[int(x.argmax())] for x in strings_of_counts([17]).inputs)
picture(given.out, unit=unit_and_truth(found.unit, found.read(states), truth, "how many b are due", string))
tl.save(best, given.out / "model.safetensors")
look_inside(loss_at_the_end(best, strings_of_counts([3])), given.out)
compare_speed(tl.nn.Recurrent(best.cell), beyond.inputs)
of_1997 = f"tanh RNN {rates['RNN'].mean():.2f}; Hochreiter & Schmidhuber 1997: all, in 97 % of trials (not checked)"
of_2001 = f"tanh RNN {np.mean(reach['RNN']):.3g}; Gers & Schmidhuber 2001: 28 on average, 52 at best (not checked)"
one, six = ("1-grams", counts[1]), ("Kneser–Ney 6-grams", counts[6])
of_reber = Score("Reber: share right", float(rates["LSTM"].mean()), one, six, of_1997, "high", "some seeds are late")
learned = strings_of_counts(range(1, 11))
assert not all_right(answers_by_counting(beyond, learned, 6), beyond).any(), "six letters cannot tell how many"
nobody = ("1-grams", 15.0), ("Kneser–Ney 6-grams", 15.0)
of_counts = Score(
    "aⁿbⁿcⁿ: right from n = 16 up to", float(np.mean(reach["LSTM"])), *nobody, of_2001, "high", "soon after 15"
)
tell([of_reber, of_counts], given.out)

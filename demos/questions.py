"""Answering questions: an LSTM reads a story, sentence by sentence, and is asked where somebody or something is.

``tinygrad-lstm demo questions`` runs this file, ``--small`` in seconds. The stories are drawn by our own generator, of
the kind of three of bAbI's tasks; ``--data FILE`` takes a file in the form of bAbI's, of any task.
"""

from collections import Counter
from itertools import product

import numpy as np

import tinygrad_lstm as tl
from tinygrad_lstm.studies import answers as qa
from tinygrad_lstm.studies.applications import Unusable
from tinygrad_lstm.studies.demonstration import Score, asked, compare_speed, in_float64, look_inside, picture, tell
from tinygrad_lstm.studies.pictures import learning, unit_and_truth
from tinygrad_lstm.studies.recognition import cells_of
from tinygrad_lstm.studies.stories import TASKS, by_rule, draw_stories, last_named, read_stories, subjects, unseen
from tinygrad_lstm.studies.units import most_readable
from tinygrad_lstm.training import pad

given = asked("questions")
count, tested = (300, 50) if given.small else (20_000, 500)
settings = {"two facts": (96, 6000, 0.007)}  # H, updates and rate, where they are not those below

# 1. The stories. In "one fact" people go from place to place, and one sentence tells where she is who is asked for. In
# "deduction" it takes two, in any order, to tell what somebody is afraid of. In "two facts" people carry things about.
# Questions teach after every sentence or every second, and test after every second; no story is learned and tested.

try:
    if given.data:
        stories = read_stories(given.data)
        parts = {given.data.stem: ([story for n, story in enumerate(stories) if n % 4 < 3], stories[3::4])}
    else:
        rng = np.random.default_rng(given.seed)
        taught = {task: [s for every in (1, 2) for s in draw_stories(task, count // 2, rng, every)] for task in TASKS}
        parts = {task: (taught[task], draw_stories(task, tested, rng, every=2)) for task in TASKS}
except (OSError, ValueError) as error:
    raise Unusable(str(error)) from error
parts = {task: (learned, unseen(held, learned)) for task, (learned, held) in parts.items()}
first, (learned, held) = next(iter(parts.items()))
if len(learned) < 30 or len(held) < 10:
    raise Unusable(f"{len(learned)} stories with questions, and {len(held)} others held out: too few to learn from")
print("\n".join(" ".join(line.words) + (f"? {line.answer}" if line.answer else ".") for line in held[0][:6]))

# 2. The network: an LSTM for which a sentence is a step, and a linear head that answers. Beside it, the answer that is
# most frequent, and naive Bayes of the words in sentences that share a word with the question, whatever their order.
# Who reads word by word, as LSTMs did in 2015, takes five times as many steps: so it is done once, for the first task.

found, beside, full = {}, {}, not given.small and not given.data
share = lambda said, stories: float(np.mean(np.array(said) == qa.right_answers(stories)))
network = lambda reading, H: qa.Answerer(reading.size, H, len(reading.answers), rng=given.seed)
for task, by in [*product(parts, ["sentence"]), (first, "word")]:
    (known, test), (H, updates, rate) = parts[task], settings.get(task, (64, 1500, 0.01))
    reading, counted = qa.StoryEncoder(known + test, by), qa.CountedWords(known[:4000])
    model, how = network(reading, H), {"updates": 60 if given.small else updates, "rate": rate, "seed": given.seed}
    curve, whole = qa.learn_answers(model, [reading(story) for story in known], about=f"{task}, by {by}", **how)
    often = Counter(qa.right_answers(known)).most_common(1)[0][0]
    beside[task] = share(often, test), share([each for story in test for each in counted.says(story)], test)
    found[task, by], full = (share(qa.said_answers(model, reading, test), test), model, reading, curve), full and whole
assert not full or all(found[task, "sentence"][0] > max(beside[task]) for task in parts)
assert not full or found[first, "sentence"][0] > 0.97 > 0.7 > found[first, "word"][0]

# 3. Why are two facts hard? When Mary goes to the garden, all that she carries goes too: which memories have to change
# is itself remembered. A gate opens by a sum, and this is a product: for 3,000 updates nothing happens, then it does.
# One fact is easy: a rule of one line knows it.

_, model, reading, _ = found[first, "sentence"]
rule = share([each for story in held for each in by_rule(story, reading.answers)], held)
assert given.data or rule == 1

# 4. A unit that one can read: was it there that she was last? Of all people and places that which a unit tells best is
# taken, chosen on stories that were learned and judged on others; of a network that has learned nothing, likewise.

among = reading.answers if subjects(learned, reading.answers) else sorted({story[0].words[-1] for story in learned})
last = lambda stories, who, where: np.array([w == where for s in stories for w in last_named(s, who, among)], float)


def remembers(model):
    seen, unseen = (np.concatenate(cells_of(model, [reading(s).xs for s in some[:300]])) for some in (learned, held))
    told = {}
    for each in product(subjects(learned, among), among):
        truth, other = last(learned[:300], *each), last(held[:300], *each)
        if np.ptp(truth) and np.ptp(other):
            told[each] = most_readable(seen, truth, unseen, other)
    pair = max(told, key=lambda each: told[each].chosen)
    return unseen, pair, told[pair]


(states, (who, where), unit), (_, pair, by_chance) = map(remembers, (model, network(reading, model.layer.hidden_size)))
what = f"whether {where} was said last of {who}"
print(f"unit {unit.unit} tells {unit.held_out:.0%} of {what}")
print(f"untrained, the best tells {by_chance.held_out:.0%}, of {' and '.join(pair)}")
assert not full or unit.held_out > by_chance.held_out

# 5. Pictures: what it would answer after each sentence, the unit, how it learned; one answer to step through, scores.

ends = [line.words[-1][0] for story in held[:3] for line in story]
shown = unit_and_truth(unit.unit, unit.read(states)[: len(ends)], last(held[:3], who, where), what, ends)
picture(given.out, memory=qa.asked_throughout(model, reading, held[0]), unit=shown)
for (task, by), (_, _, its, curve) in found.items():
    plot = learning(curve, "nats per answer", {"by chance": float(np.log(len(its.answers)))})
    picture(given.out, **{f"learning-{task}-by-{by}".replace(" ", "-"): plot})
tl.save(model, given.out / "model.safetensors")
xs, targets = reading(held[0][: 1 + next(n for n, line in enumerate(held[0]) if line.answer)])
loss = in_float64(model).surprise(xs[:, None], targets[:, None])
loss.name = "L"
look_inside(loss, given.out)
compare_speed(model.layer, pad([reading(story).xs for story in learned[:32]]))
known = {"one fact": 0.5, "deduction": 0.21, "two facts": 0.2}
weak = {"deduction": "longer training does not help", "two facts": "what was carried about"}
scores = []
for (task, by), (right, *_) in found.items():
    others = ("the most frequent", beside[task][0]), ("naive Bayes", beside[task][1])
    cited = f"Weston et al. 2015, by word: {known[task]} (not checked)" if task in known else "none"
    loses = weak.get(task, f"a rule of one line is right in {rule:.0%}")
    scores.append(Score(f"{task}, by {by}: share right", right, *others, cited, "high", loses))
tell(scores, given.out)

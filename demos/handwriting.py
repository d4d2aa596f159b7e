"""Handwriting: which digit is it? An LSTM reads an image row by row, from the top, and says so at the bottom.

``tinygrad-lstm demo handwriting`` runs this file, ``--small`` in seconds. It writes draw.html, to draw digits on, and
``--data drawings.json`` reads what you saved there. The nearest neighbour, who only compares, stands beside it.
"""

import numpy as np

import tinygrad_lstm as tl
from tinygrad_lstm.interop.files import write_file
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
    said_classes,
    squared_distances,
)
from tinygrad_lstm.studies.strokes import pad_page, read_drawings
from tinygrad_lstm.studies.units import most_readable

given = asked("handwriting")
H, updates = (24, 60) if given.small else (128, 1200)

# 1. The digits: 1,797 images of 8 × 8 by thirteen people. The file does not say by whom, but what stands together looks
# like one hand. So there are two questions: of digits held out at random, others by the same hands were learned from;
# the last third of the file is, as it seems, by people by whom nothing was.

if given.data:
    try:
        own = read_drawings(given.data)
    except (OSError, ValueError) as error:
        raise Unusable(str(error)) from error
path = file_of(APPLICATIONS["handwriting"], "sklearn", "datasets", "data", "digits.csv.gz")
table = np.loadtxt(path, delimiter=",")
images, digits = table[:, :64].reshape(-1, 8, 8) / 16, table[:, 64].astype(int)
order, places = np.random.default_rng([given.seed, 1]).permutation(len(images)), np.arange(len(images))
splits = {"a quarter at random": np.split(order, [1348]), "the last third": np.split(places, [1198])}

# 2. The network: an LSTM over the eight rows, and a linear head on its last state. To what it learns from some noise is
# added, other each time, so that it learns no image by heart. How much? That is chosen on the last quarter of what is
# learned from, and never on what is held out, which is looked at once.


def train(which, noise, updates, about):
    model = Recogniser(8, H, 10, rng=given.seed)
    how = {"noise": noise, "updates": updates, "seed": given.seed, "about": about}
    return model, *learn_classes(model, images[which], digits[which], **how)


def right(model, which):
    return float((said_classes(model, images[which]) == digits[which]).mean())


scores, full = [], not given.small
for split, (learned, test) in splits.items():
    part, chosen_by = np.split(learned, [len(learned) * 3 // 4])
    shares = {}
    for noise in (0.0, 0.2, 0.4):
        model, _, whole = train(part, noise, updates // 2, f"{split}, noise {noise}")
        shares[noise], full = right(model, chosen_by), full and whole
    print(f"{split}: by noise, right where it is chosen: {', '.join(f'{n}: {each:.1%}' for n, each in shares.items())}")
    model, curve, whole = train(learned, max(shares, key=shares.get), updates, split)
    full = full and whole

    apart = squared_distances(images[test].reshape(-1, 64), images[learned].reshape(-1, 64))
    near = float((nearest_class(apart, digits[learned]) == digits[test]).mean())
    beside = ("the most frequent", most_frequent(digits[learned], digits[test])), ("1-NN", near)
    weak = "1-NN needs no training; of other hands it knows less" if split == "the last third" else "1-NN is as good"
    scores.append(Score(f"{split}: share right", right(model, test), *beside, "none for this split", "high", weak))
assert not full or all(score.lstm > 0.9 for score in scores)

# 3. A unit that one can read, when all rows are read: is the lower half closed, as in 0, 6 and 8? It is chosen on the
# digits that were learned from and judged on the others, beside the best unit of a network that has learned nothing.


def closed(model):
    ends = np.array([cells[-1] for cells in cells_of(model, images)])
    return ends, most_readable(ends[learned], truth[learned], ends[test], truth[test])


truth = np.isin(digits, (0, 6, 8)).astype(float)
(ends, unit), (_, by_chance) = closed(model), closed(Recogniser(8, H, 10, rng=given.seed))
print(f"unit {unit.unit} tells {unit.held_out:.0%} of whether 0, 6 or 8; untrained, the best {by_chance.held_out:.0%}")
assert not full or unit.held_out > by_chance.held_out

# 4. Pictures: how it learned, the unit, and what was misread; your own digits; one that it misread, to step through.

some, said = test[:40], said_classes(model, images[test])
told = unit_and_truth(
    unit.unit, unit.read(ends[some]), truth[some], "0, 6 or 8", [str(digit) for digit in digits[some]]
)
picture(given.out, unit=told, learning=learning(curve, "nats per digit", {"by chance": float(np.log(10))}))
wrong = np.flatnonzero(said != digits[test])[:12]
grids = [Grid(f"{digits[test[n]]}, said {said[n]}", images[test[n]], [""] * 8, [""] * 8) for n in wrong]
what = "Digits that it misread"
picture(given.out, misread=heat_map(grids, title=what, across="", upwards="", label=what, size=(680, 322), per_row=6))
write_file(given.out / "draw.html", pad_page())
print(f"to draw digits of yours: {given.out / 'draw.html'}")
for drawing, digit in zip(own, said_classes(model, [each.rows for each in own]), strict=True) if given.data else ():
    print(f"yours: read as {digit}" + ("" if drawing.digit is None else f", you say {drawing.digit}"))
tl.save(model.layer, given.out / "model.safetensors")
one = test[[*wrong, 0][:1]]
loss = tl.cross_entropy(in_float64(model)(images[one].transpose(1, 0, 2)), digits[one])
loss.name = "L"
look_inside(loss, given.out)
compare_speed(model.layer, images[learned[:32]].transpose(1, 0, 2).astype(np.float32))
tell(scores, given.out)

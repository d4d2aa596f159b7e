"""Image captioning: an LSTM looks at a letter, row by row, and another writes its Unicode name, word by word.

``tinygrad-lstm demo captions`` runs this file, ``--small`` in seconds; ``--data FONT.ttf`` reads the letters of a font
of yours. A name is "small e with acute". One in three names is held out, and so is one of the twelve DejaVu fonts.
"""

import numpy as np

import tinygrad_lstm as tl
from tinygrad_lstm.pages.heat import Grid, heat_map
from tinygrad_lstm.studies.applications import APPLICATIONS, Unusable, file_of
from tinygrad_lstm.studies.captions import END, Captioner, learn_captions, most_frequent_words, word_f1, words_right
from tinygrad_lstm.studies.demonstration import Score, asked, compare_speed, in_float64, look_inside, picture, tell
from tinygrad_lstm.studies.glyphs import MARKS, SIDE, glyphs, names, seen
from tinygrad_lstm.studies.jacobian import states_of
from tinygrad_lstm.studies.pictures import learning, unit_and_truth
from tinygrad_lstm.studies.recognition import nearest_class, squared_distances
from tinygrad_lstm.studies.units import most_readable

given = asked("captions")
H, updates = (16, 60) if given.small else (96, 8000)
rng = [np.random.default_rng([given.seed, n]) for n in range(5)]

# 1. The letters: 309 that have at most one of twelve marks, in twelve fonts. One in three names is held out; each of
# its words was learned, not together. DejaVu Serif is held out, too, or yours is: no letter of it was seen.

fonts = file_of(APPLICATIONS["captions"], "matplotlib", "mpl-data", "fonts", "ttf", "LICENSE_DEJAVU").parent
file_of(APPLICATIONS["captions"], "PIL", "__init__.py")
paths = [path for path in sorted(fonts.glob("DejaVuS*.ttf")) if "Display" not in path.name]
new = given.data or fonts / "DejaVuSerif.ttf"
every = names()
letters = sorted(every)
hidden = {letters[n] for n in rng[0].permutation(len(letters))[: len(letters) // 3]}
try:
    drawn = glyphs(new, letters)
except (OSError, ValueError) as error:
    raise Unusable(str(error)) from error
test = {part: [letter for letter in drawn if (letter in hidden) == part] for part in (True, False)}
if not (test[True] and test[False]):
    raise Unusable(f"{new} draws {len(drawn)} of the {len(letters)} letters that are asked for: too few")
pairs = [
    (ink, every[c]) for path in paths if path != new for c, ink in glyphs(path, letters).items() if c not in hidden
]
learned, said_of = zip(*pairs, strict=True)
words = [END, *sorted({word for name in every.values() for word in name})]
assert {word for name in said_of for word in name} == {*words[1:]}, "a word that is asked for was never learned"

# 2. The network: the same as of the films. A step is a row of the picture, so that what stands above a letter is seen
# before it; the state after the last is what the writer begins with. Letters are moved a little, other each time. Of
# the words that it wrote before, nine in ten are hidden while it learns: else it knows by heart what follows a w.

model = Captioner(SIDE, H, words, rng=given.seed)
draw = lambda count: rng[1].integers(0, len(learned), count)
batch = lambda some: (seen([learned[n] for n in some], rng[1]), [said_of[n] for n in some])
how = {"updates": updates, "about": "letters", "hide": 0.9, "rng": rng[4]}
curve, whole = learn_captions(model, (batch(draw(32)) for _ in range(updates)), **how)
full = whole and not given.small and not given.data

# 3. Beside it: the name of the most similar picture that was learned from, and the most frequent word at each place.

flat = lambda pictures: np.array([picture.ravel() for picture in pictures])
often, found, written = most_frequent_words(said_of), {}, {}
for part, some in test.items():
    pictures, wanted = [drawn[letter] for letter in some], [every[letter] for letter in some]
    nearest = nearest_class(squared_distances(flat(pictures), flat(learned)), np.arange(len(learned)))
    written[part] = model.write(seen(pictures, rng[2]))
    ways = {"LSTM": written[part], "1-NN": [said_of[n] for n in nearest], "by place": [often] * len(some)}
    found[part] = {way: (words_right(said, wanted)[0], word_f1(said, wanted)) for way, said in ways.items()}
assert found[True]["1-NN"][0] == 0, "a name that is held out was learned"
assert not full or all(np.greater(each["LSTM"], each["1-NN"]).all() for each in found.values())

# 4. Units that one can read, when all is seen: for capitals, and each mark, that which tells best whether it is there,
# chosen on what was learned and judged on the new font; and so are those of a network that has learned nothing.

what = ["capital", *MARKS]
there = lambda names: {word: np.array([word in name for name in names], float) for word in what}
some, shown = draw(1000), [letter for part in test.values() for letter in part]
views = seen([learned[n] for n in some], rng[3]), seen([drawn[letter] for letter in shown], rng[3])
truths = there([said_of[n] for n in some]), there([every[letter] for letter in shown])


def told_by(model):
    known, unseen = (np.array(states_of(model.eye.cells[0], xs.astype(np.float32))[-1][1]) for xs in views)
    asked = [word for word in what if all(np.ptp(truth[word]) for truth in truths)]
    return unseen, {word: most_readable(known, truths[0][word], unseen, truths[1][word]) for word in asked}


(ends, units), (_, by_chance) = told_by(model), told_by(Captioner(SIDE, H, words, rng=given.seed))
word = max(units, key=lambda each: units[each].chosen)
unit, mean, chance = units[word], *(np.mean([u.held_out for u in found.values()]) for found in (units, by_chance))
print(f"unit {unit.unit} tells {unit.held_out:.0%} of whether the name says {word}")
print(f"of capitals and each mark, on average, a unit tells {mean:.0%}; untrained, {chance:.0%}")
assert not full or mean > chance

# 5. Pictures: letters and what was said of them, the unit, how it learned; one name to step through, and the scores.

some = list(zip(test[True], written[True], strict=True))[::7][:15]
grids = [Grid(" ".join(name), drawn[letter], [""] * 26, [""] * 26) for letter, name in some]
label = "Written under letters whose names it never saw, of a font it never saw"
letters_of = heat_map(grids, title=label, across="", upwards="", label=label, size=(820, 590), per_row=5)
few = slice(0, 40)
says = unit_and_truth(
    unit.unit, unit.read(ends[few]), truths[1][word][few], f"whether the name says {word}", shown[few]
)
plot = learning(curve, "nats per word", {"by chance": float(np.log(len(words)))})
picture(given.out, letters=letters_of, unit=says, learning=plot)
tl.save(model.eye, given.out / "model.safetensors")
one = test[True][0]
loss = in_float64(model).surprise(views[1][:, :1], model.numbers([every[one]]))
loss.name = "L"
look_inside(loss, given.out)
compare_speed(model.eye, views[0][:, :32])
scores, weak = [], "of a name that it never saw often one word is another"
for part, title in ((True, "unseen names of an unseen font"), (False, "learned names of an unseen font")):
    for number, measure in enumerate(("share exact", "F1 of the words")):
        lstm, near, often = (found[part][way][number] for way in ("LSTM", "1-NN", "by place"))
        scores.append(Score(f"{title}: {measure}", lstm, ("by place", often), ("1-NN", near), "none", "high", weak))
tell(scores, given.out)

"""Anomalies in time series: an LSTM guesses each next value, and is surprised where something is odd.

``tinygrad-lstm demo anomaly`` runs this file; ``--data FILE.csv`` takes a series of yours, with a column called value,
of which the first third is taken to be in order; ``--small`` takes seconds. Nothing odd is shown while it learns.
"""

import numpy as np

import tinygrad_lstm as tl
from tinygrad_lstm.studies.applications import APPLICATIONS, Unusable, file_of
from tinygrad_lstm.studies.demonstration import (
    Score,
    asked,
    compare_speed,
    look_inside,
    picture,
    series_of,
    tell,
)
from tinygrad_lstm.studies.fitting import learn_compiled
from tinygrad_lstm.studies.jacobian import states_of
from tinygrad_lstm.studies.pictures import along, unit_and_truth
from tinygrad_lstm.studies.series import around, auroc, autoregression_errors, planted, windows
from tinygrad_lstm.studies.units import most_readable

given = asked("anomaly")
H, steps, window = (8, 40, 60) if given.small else (32, 400, 120)

# 1. The series. In KDD-TSAD 135, one of the 250 of a competition (SIGKDD 2021), a blood pressure is in order for 1,200
# values, and somewhere after them, for twelve, it is not. Carbon dioxide on Mauna Loa has no known anomaly: twenty
# weeks of its last third are moved by 1 ppm, by us, to see who notices.

series = {}
if given.data:
    own = series_of(given.data)
    series[given.data.stem] = own, len(own.values) // 3
else:
    application, path = APPLICATIONS["anomaly"], "KDD-TSAD_135/135_UCR_Anomaly_InternalBleeding16_TEST.csv"
    series["KDD-TSAD 135"] = series_of(file_of(application, "aeon", "datasets", "data", path)), 1_200
    air = series_of(file_of(application, "statsmodels", "datasets", "co2", "co2.csv"), value="co2").values
    cut = len(air) * 2 // 3
    series["carbon dioxide"] = planted(air, 20, first=cut, size=1.0, rng=np.random.default_rng(given.seed)), cut
if min(learned for _, learned in series.values()) < 3 * window:
    raise Unusable(f"the part that is in order has fewer than {3 * window} values: too few to learn from")

# 2. The network: an LSTM and a linear head. It is shown the changes from one value to the next, so that a slow rise is
# no surprise, in windows that begin anywhere in the part that is in order, and of a window the first 20 do not count.


class Guesser(tl.nn.Module):
    def __init__(self, seed):
        self.layer, self.head = tl.LSTM(1, H, rng=seed), tl.Linear(H, 1, rng=seed)

    def forward(self, xs):
        return self.head(self.layer(xs)[0])  # (T, N, 1): what is guessed to come next


def train(name, x):
    model, rng = Guesser(given.seed), np.random.default_rng([given.seed, 1])
    loss = lambda model, batch: tl.mse_loss(model(batch[:-1])[20:], batch[21:])
    batches = windows(x, window, 16, rng)
    _, whole = learn_compiled(model, batches, "layer", loss=loss, rate=0.01, steps=steps, about=name)
    return model, whole


def surprise(model, x):
    with tl.no_grad():
        return np.append(0.0, x[1:] - model(x[:-1, None, None]).value.ravel())


# 3. Beside it an autoregression, fitted to the same part, and the distance from its mean, judged by what comes after.

scores, looks = [], []
for name, ((values, _, odd), learned) in series.items():
    changes = np.diff(values, prepend=values[0])
    x = (changes - changes[:learned].mean()) / changes[:learned].std()
    model, whole = train(name, x[:learned])
    errors = {"LSTM": surprise(model, x), "AR(20)": autoregression_errors(x, 20, learned)}
    errors |= {"distance from the mean": values - values[:learned].mean()}
    areas = {who: around(each, 5)[learned:] for who, each in errors.items()}
    most = learned + int(areas["LSTM"].argmax())
    off, ar = (errors[who][learned:].std() for who in ("LSTM", "AR(20)"))
    print(f"{name}: most surprised around {most:,}; it is off by {off:.3f} deviations, AR(20) by {ar:.3f}")
    looks.append((model, x, values, learned, most, errors["LSTM"]))
    if odd is None or not 0 < odd[learned:].mean() < 1:
        continue
    areas = {who: auroc(each, odd[learned:]) for who, each in areas.items()}
    hit = bool(np.abs(np.flatnonzero(odd) - most).min() <= 100)
    known = f"found as the competition asked, within 100: {'yes' if hit else 'no'}" if name[:3] == "KDD" else "none"
    beside = [(who, areas[who]) for who in ("distance from the mean", "AR(20)")]
    scores.append(Score(f"{name}: AUROC", areas["LSTM"], *beside, known, "high", "AR(20) is as good, and far faster"))
    assert given.small or given.data or not whole or (hit and areas["LSTM"] > 0.8)

# 4. A unit that one can read. The network is shown changes only: does one add them up, and tell the level? It is chosen
# where it learned, and judged after that; the best unit of a network that has learned nothing is set beside it.

model, x, values, learned, most, errors = looks[0]


def level(model):
    states = np.array([c[0] for _, c in states_of(model.layer.cell, x[: 2 * learned, None, None])])
    return states, most_readable(states[:learned], values[:learned], states[learned:], values[learned : 2 * learned])


(states, unit), (_, by_chance) = level(model), level(Guesser(given.seed))
print(f"unit {unit.unit} tells {unit.held_out:.0%} of the level; untrained, the best {by_chance.held_out:.0%}")

# 5. Pictures, one guess to step through, and the scores.

near, beats = slice(max(most - 150, 0), most + 150), slice(learned, learned + 80)
mean, away = values[:learned].mean(), np.abs(errors[near]) / errors[:learned].std()
told = unit_and_truth(unit.unit, unit.read(states)[beats] - mean, values[beats] - mean, "the level", [""] * 80)
picture(given.out, unit=told, series=along(values[near], near.start, "The series", "value"))
picture(given.out, surprise=along(away, near.start, "Surprise", "deviations"))
tl.save(model.layer, given.out / "model.safetensors")
look_inside(((model(x[most - 8 : most, None, None])[-1] - x[most]) ** 2).sum(), given.out)
compare_speed(model.layer, x[:800].reshape(50, 16, 1))
tell(scores, given.out)

"""Polyphonic music: an LSTM hears chorales of four voices, and says which keys sound next; what it composes is MIDI.

``tinygrad-lstm demo chorales`` runs this file, ``--small`` in seconds. ``--data FILE.npz`` takes piano rolls of yours,
such as those by which papers measure, divided as they are. Beside it how often a key sounds, and a Markov chain.
"""

import numpy as np

import tinygrad_lstm as tl
from tinygrad_lstm.interop.files import write_file
from tinygrad_lstm.pages.heat import Grid, heat_map
from tinygrad_lstm.studies import polyphony as music
from tinygrad_lstm.studies.applications import APPLICATIONS, Unusable, file_of
from tinygrad_lstm.studies.chorales import read_chorale, rolls_of
from tinygrad_lstm.studies.demonstration import Score, asked, compare_speed, in_float64, look_inside, picture, tell
from tinygrad_lstm.studies.midi import midi_file
from tinygrad_lstm.studies.pictures import learning, unit_and_truth
from tinygrad_lstm.studies.rolls import NoRolls, marginal, markov, read
from tinygrad_lstm.studies.units import most_readable

given = asked("chorales")
H, epochs, ORGAN = (32, 15, 19) if given.small else (150, 50, 19)

# 1. The music: Bach's chorales in four parts, in steps of an eighth, 88 keys each of which sounds or does not. They are
# read from music21's files, which it has with the permission of who typed them; whose each says that it is, is written
# to credits.txt. Bach set many a tune more than once: no tune stands on two sides.

if given.data:
    try:
        rolls = read(str(given.data))
    except NoRolls as error:
        raise Unusable(str(error)) from error
else:
    folder = file_of(APPLICATIONS["chorales"], "music21", "corpus", "license.txt").parent / "bach"
    paths = sorted(folder.glob("*.mxl"))[: 60 if given.small else None]
    pieces = [piece for path in paths if (piece := read_chorale(path))]
    write_file(given.out / "credits.txt", "".join(f"{piece.name}: {piece.credit}\n" for piece in pieces))
    rolls = rolls_of(pieces, "chorales")
sizes = [f"{len(part)} pieces, {steps:,} steps" for part, steps in zip(rolls[1:], rolls.steps(), strict=True)]
print(f"to learn from {sizes[0]}; to choose by {sizes[1]}; to judge by {sizes[2]}")

# 2. Counting: how often each key sounds, and how often it does after it did, and after it did not.

often, chain = marginal(rolls), markov(rolls, rolls.test)
assert given.data or chain < often

# 3. The network. There are few pieces, and by and by it knows them by heart: it is kept as it was best on the pieces to
# choose by, and is judged once, on the others.

model, untrained = (music.Polyphony(H, rng=given.seed) for _ in range(2))
how = {"rate": 0.01, "seed": given.seed, "about": "chorales"}
curve, whole = music.learn_polyphony(model, rolls, epochs=epochs, **how)
tl.save(model, given.out / "model.safetensors")
lstm, full = music.loss_by_step(model, rolls.test), whole and not given.small and not given.data
assert not full or lstm < chain

# 4. It composes: after two bars of a chorale that is held out, each key is drawn by its chance. A network that knows
# what a chord is mostly draws four keys; but that one voice has moved, the others do not know in time.

rng, begun = np.random.default_rng(given.seed), rolls.test[0][:16]
drawn = [np.concatenate([begun, music.compose(model, begun, 80, rng)]) for _ in range(3)]
for number, roll in enumerate(drawn, start=1):
    name = f"Chorale {number}"
    file = midi_file(music.notes_of(roll), name, quarters_per_minute=80, program=ORGAN)
    print(f"composed: {write_file(given.out / f'chorale{number}.mid', file)}")
fours = [np.mean([step.sum() == 4 for roll in some for step in roll[16:]]) for some in (drawn, rolls.test)]
print(f"four keys at once: {fours[0]:.0%} of the steps that it composed, {fours[1]:.0%} of those held out")

# 5. Units that one can read: in which key are we? Nobody says so, but of the twelve tones some sound often in a piece,
# others hardly ever, and who knows which, knows what may come. For each tone that unit is taken which tells best how
# much of the piece it is, chosen on pieces that were learned from, and judged on others.

some, others = rolls.train[:60], rolls.test
shares = [
    [np.concatenate([music.share_of(roll, tone) for roll in part]) for part in (some, others)] for tone in range(12)
]
tones = [tone for tone, of_tone in enumerate(shares) if all(map(np.ptp, of_tone))]


def who_knows(net):
    states, held = (np.concatenate(music.cells_after(net, part)) for part in (some, others))
    return held, {tone: most_readable(states, shares[tone][0], held, shares[tone][1]) for tone in tones}


(held, units), (_, by_chance) = who_knows(model), who_knows(untrained)
tone = max(tones, key=lambda each: units[each].chosen)
mean, chance = (np.mean([unit.held_out for unit in found.values()]) for found in (units, by_chance))
print(f"of how much of a piece each tone is, a unit tells {mean:.0%} on average; untrained, {chance:.0%}")
assert not full or mean > chance

# 6. Pictures: a chorale that goes on as the network likes, the unit, how it learned; one step to walk through.

keys = np.flatnonzero(drawn[0].any(axis=0))
rows = slice(keys[0], keys[-1] + 1)
names = [music.name_of(key) for key in range(keys[0], keys[-1] + 1)]
grid = Grid("two bars of Bach's, then the network's", drawn[0][:, rows].T[::-1], names[::-1])
what = "A chorale that goes on"
shown = heat_map([grid], title=what, across="eighth", upwards="key", label=what, size=(680, 420))
read_off, what = units[tone].read(held)[::20], f"how much of the piece is {music.TONES[tone]}"
told = unit_and_truth(units[tone].unit, read_off, shares[tone][1][::20], what, (), across="every 20th step")
beside = {"each key by itself": often, "Markov": chain}
picture(
    given.out, composed=shown, unit=told, learning=learning(curve, "nats per step", beside, of="pieces to choose by")
)
piece = rolls.test[0][:7]
loss = tl.nn.binary_cross_entropy_with_logits(in_float64(model)(piece[:-1, None])[-1, 0], piece[-1], reduction="sum")
loss.name = "L"
look_inside(loss, given.out)
compare_speed(model.layer, np.repeat(rolls.train[0][:60, None], 16, axis=1).astype(np.float32))
known = "of JSB: Bai, Kolter & Koltun 2018, an LSTM: 8.45 (not checked)" if given.data else "none for this split"
weak = "keys are taken to be independent at each step, so that voices do not listen to each other"
tell(
    [Score("nats per step of 88 keys", lstm, ("each by itself", often), ("Markov", chain), known, weak=weak)], given.out
)

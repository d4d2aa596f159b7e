"""A small run that writes its file after every update, and says each step on a line: what the tests kill and resume."""

import sys

import numpy as np

import tinygrad_lstm as tl
from tinygrad_lstm.training.checkpoint import Checkpoint
from tinygrad_lstm.training.schedules import Plateau
from tinygrad_lstm.training.streams import Streams, TruncatedLoss, stream_loss
from tinygrad_lstm.training.validation import Validation

STEPS = 8


def run(path, *, steps=STEPS, every=1, watch=None, hidden=6, cell="rnn"):
    """Train, or go on, in a file: with dropout, a plateau, validation, and a state that is handed on."""
    ids = np.random.default_rng(0).integers(0, 5, size=90)
    model = tl.nn.LanguageModel(5, hidden, cell=cell, num_layers=2, dropout=0.25, rng=0)
    batches, loss, schedule = Streams(ids, 2, 5), TruncatedLoss(), Plateau(0.05, patience=1)
    optimizer = tl.Adam(model.parameters(), lr=0.05)
    validation = Validation(
        lambda model: stream_loss(model, ids[:12], streams=1, window=5), 3, listeners=[schedule.observe]
    )
    parts = {"batches": batches, "loss": loss, "schedule": schedule, "validation": validation}
    checkpoint = Checkpoint(path, model, optimizer, every=every, **parts)
    start = checkpoint.restore()
    callbacks = [validation, checkpoint, *([watch] if watch else [])]
    how = {"loss": loss, "optimizer": optimizer, "schedule": schedule, "clip": 0.5, "callbacks": callbacks}
    tl.fit(model, batches, steps=steps, start=start, **how)
    return checkpoint


if __name__ == "__main__":
    say = lambda line: (sys.stdout.write(f"{line}\n"), sys.stdout.flush())
    say("began")
    run(sys.argv[1], watch=lambda moment: say(moment.step) and None)

"""Which letters make "though" end as it does? A network that others trained, brought in, asked, and stepped through.

The package g2p-en (K. Park & J. Kim, Apache-2.0) says how English words are spoken that no dictionary has. Its network
is an encoder and a decoder, GRUs of 256 units, in an array file with PyTorch's layout, which `tl.from_torch` reads; the
network is written down in ``studies/speaker.py``. It comes with
``pip install 'tinygrad-lstm[demo-phonemes]'``, or alone with ``pip install --no-deps g2p-en``.

For each phoneme the letters are asked: were this one's vector a little shorter, by how much would the log of the
phoneme's probability fall? That is ∂ log p/∂x · x, and backpropagation has it. Run it with
``python demos/why_though_ends_so.py``, or with another word after it. Of "though" the network says TH AO1, as in
"thought", and of "thorough" that it ends in OW0. Why not OW1 here? The last column tells: it is the g that speaks for
AO1, and against OW1 more than all other letters together.
"""

import sys

import numpy as np

import tinygrad_lstm as tl
from tinygrad_lstm.studies.speaker import END, PHONEMES, speak, trained


def influences(speaker, word, other="OW1"):
    """Return for each phoneme, and for another in the last one's place, how much each letter speaks for it."""
    xs = tl.tensor(speaker.read(word).value, requires_grad=True, name="letters")  # (T, 256)
    said, logs = speaker(xs)
    spoken = [(PHONEMES[k], log[k]) for k, log in zip(said, logs, strict=True) if k != END]
    spoken.append((f"{other}?", logs[len(spoken) - 1][PHONEMES.index(other)]))
    return [
        (phoneme, float(np.exp(log.item())), (tl.grad(log, [xs])[0].value * xs.value).sum(axis=1))
        for phoneme, log in spoken
    ]


def main(word="though"):
    speaker = trained()
    if speaker is None:
        print("this demo reads the network of g2p-en: pip install 'tinygrad-lstm[demo-phonemes]'")
        return
    found = influences(speaker, word)
    print(f"{word}: {' '.join(speak(speaker, word))}")
    print("letter" + "".join(f"{f'{phoneme} {p:.0%}':>12}" for phoneme, p, _ in found))
    for t, letter in enumerate([*word, "end"]):
        print(f"{letter:6}" + "".join(f"{by_letter[t]:12.2f}" for _, _, by_letter in found))
    speaker.requires_grad_(False)  # the walk is to the letters: without 840,000 gradients of weights
    speaker.letters.requires_grad_(True)
    said, logs = speaker(speaker.read(word))
    last = len(said) - 2  # before the end
    loss = -logs[last][said[last]]
    loss.name = "L"
    print(tl.step(loss).page(f"{word}.html"), tl.draw(loss, "rolled").save(f"{word}.svg"))


if __name__ == "__main__":
    main(*sys.argv[1:])

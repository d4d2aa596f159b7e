"""Which letters make "though" end as it does? A network that others trained, brought in, asked, and stepped through.

The package g2p-en (K. Park & J. Kim, Apache-2.0) says how English words are spoken that no dictionary has. Its network
is an encoder and a decoder, GRUs of 256 units, in an array file with PyTorch's layout. The file is found and read,
without pickle; the package is never imported, since it downloads when it is. It comes with
``pip install 'tinygrad-lstm[demo-phonemes]'``, or alone with ``pip install --no-deps g2p-en``.

For each phoneme the letters are asked: were this one's vector a little shorter, by how much would the log of the
phoneme's probability fall? That is ∂ log p/∂x · x, and backpropagation has it. Run it with
``python demos/why_though_ends_so.py``, or with another word after it. Of "though" the network says TH AO1, as in
"thought", and of "thorough" that it ends in OW0. Why not OW1 here? The last column tells: it is the g that speaks for
AO1, and against OW1 more than all other letters together.
"""

import sys
from importlib.util import find_spec
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

import tinygrad_lstm as tl

LETTERS = ["<pad>", "<unk>", "</s>", *"abcdefghijklmnopqrstuvwxyz"]
PHONEMES = """
<pad> <unk> <s> </s> AA0 AA1 AA2 AE0 AE1 AE2 AH0 AH1 AH2 AO0 AO1 AO2 AW0 AW1 AW2 AY0 AY1 AY2 B CH D DH EH0 EH1 EH2
ER0 ER1 ER2 EY0 EY1 EY2 F G HH IH0 IH1 IH2 IY0 IY1 IY2 JH K L M N NG OW0 OW1 OW2 OY0 OY1 OY2 P R S SH T TH UH0 UH1
UH2 UW UW0 UW1 UW2 V W Y Z ZH
""".split()  # noqa: SIM905
BEGIN, END = PHONEMES.index("<s>"), PHONEMES.index("</s>")

ARRAYS = {"letters.weight": "enc_emb", "phonemes.weight": "dec_emb", "scores.weight": "fc_w", "scores.bias": "fc_b"}
for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
    theirs = f"{name[0]}_{name[-2:]}"  # w_ih
    ARRAYS |= {f"encoder.{name}_l0": f"enc_{theirs}", f"decoder.{name}": f"dec_{theirs}"}


class Speaker(tl.nn.Module):
    """Letters in, one after another; then phonemes out, each of which is read to say the next."""

    def __init__(self, size=256):
        how = {"rng": 0, "dtype": np.float32}
        self.letters = tl.Embedding(len(LETTERS), size, **how)
        self.encoder = tl.GRU(size, size, **how)
        self.phonemes = tl.Embedding(len(PHONEMES), size, **how)
        self.decoder = tl.GRUCell(size, size, **how)
        self.scores = tl.Linear(size, len(PHONEMES), **how)

    def read(self, word):
        """Return the vector of each letter, and of the end."""
        return self.letters([LETTERS.index(letter if letter in LETTERS else "<unk>") for letter in [*word, "</s>"]])

    def forward(self, xs, longest=20):
        """Return the phonemes of a word, the end too, and the logarithms of all probabilities at each."""
        _, h = self.encoder(xs)
        h, said, logs = h[0], [BEGIN], []
        for k in range(longest):
            with tl.time_step(len(xs) + k):
                h = self.decoder(self.phonemes(said[-1]), h)
                logs.append(tl.nn.functional.log_softmax(self.scores(h)))
                said.append(int(np.argmax(logs[-1].value)))
            if said[-1] == END:
                break
        return said[1:], logs


def trained():
    """Return the network with the weights of g2p-en, or None where that is not installed."""
    found = find_spec("g2p_en")  # which imports nothing
    if found is None:
        return None
    file = Path(found.submodule_search_locations[0], "checkpoint20.npz")
    try:
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as arrays:
            return tl.from_torch({ours: arrays[theirs] for ours, theirs in ARRAYS.items()}, into=Speaker())
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        sys.exit(f"{file} is damaged: {error}")


def speak(speaker, word):
    """Return the phonemes of a word, without the end."""
    said, _ = speaker(speaker.read(word))
    return [PHONEMES[k] for k in said if k != END]


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

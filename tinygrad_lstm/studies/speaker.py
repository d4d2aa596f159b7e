"""How English words are spoken, as g2p-en says it: a network that others trained, read from a file of arrays.

The package g2p-en (K. Park & J. Kim, Apache-2.0) has an encoder and a decoder, GRUs of 256 units, in PyTorch's layout.
Its file is found and read, without pickle; the package is never imported, since it downloads when it is.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from ..engine.ops import log_softmax
from ..engine.scope import time_step
from ..engine.tensor import Tensor
from ..interop import from_torch
from ..nn import GRU, Embedding, GRUCell, Linear, Module

LETTERS = ["<pad>", "<unk>", "</s>", *"abcdefghijklmnopqrstuvwxyz"]
PHONEMES = """
<pad> <unk> <s> </s> AA0 AA1 AA2 AE0 AE1 AE2 AH0 AH1 AH2 AO0 AO1 AO2 AW0 AW1 AW2 AY0 AY1 AY2 B CH D DH EH0 EH1 EH2
ER0 ER1 ER2 EY0 EY1 EY2 F G HH IH0 IH1 IH2 IY0 IY1 IY2 JH K L M N NG OW0 OW1 OW2 OY0 OY1 OY2 P R S SH T TH UH0 UH1
UH2 UW UW0 UW1 UW2 V W Y Z ZH
""".split()  # noqa: SIM905
BEGIN, END = PHONEMES.index("<s>"), PHONEMES.index("</s>")

ARRAYS = {"letters.weight": "enc_emb", "phonemes.weight": "dec_emb", "scores.weight": "fc_w", "scores.bias": "fc_b"}
"""The names of our parameters, and of their arrays."""
for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
    theirs = f"{name[0]}_{name[-2:]}"  # w_ih
    ARRAYS |= {f"encoder.{name}_l0": f"enc_{theirs}", f"decoder.{name}": f"dec_{theirs}"}


class Speaker(Module):
    """Letters in, one after another; then phonemes out, each of which is read to say the next.

    >>> Speaker(4).read("ab").shape
    (3, 4)
    """

    def __init__(self, size: int = 256) -> None:
        self.letters = Embedding(len(LETTERS), size, rng=0, dtype=np.float32)
        self.encoder = GRU(size, size, rng=0, dtype=np.float32)
        self.phonemes = Embedding(len(PHONEMES), size, rng=0, dtype=np.float32)
        self.decoder = GRUCell(size, size, rng=0, dtype=np.float32)
        self.scores = Linear(size, len(PHONEMES), rng=0, dtype=np.float32)

    def read(self, word: str) -> Tensor:
        """Return the vector of each letter, and of the end."""
        numbers = [LETTERS.index(letter if letter in LETTERS else "<unk>") for letter in [*word, "</s>"]]
        vectors: Tensor = self.letters(numbers)
        return vectors

    def forward(self, xs: Tensor, longest: int = 20) -> tuple[list[int], list[Tensor]]:
        """Return the phonemes of a word, the end too, and the logarithms of all probabilities at each."""
        _, last = self.encoder(xs)
        h, said, logs = last[0], [BEGIN], []
        for k in range(longest):
            with time_step(len(xs) + k):
                h = self.decoder(self.phonemes(said[-1]), h)
                logs.append(log_softmax(self.scores(h)))
                said.append(int(np.argmax(logs[-1].value)))
            if said[-1] == END:
                break
        return said[1:], logs


def trained() -> Speaker | None:
    """Return the network with the weights of g2p-en, or None where that is not installed.

    Raises SystemExit, with one line, for a file that is damaged.
    """
    found = find_spec("g2p_en")  # which imports nothing
    if found is None or not found.submodule_search_locations:
        return None
    file = Path(found.submodule_search_locations[0], "checkpoint20.npz")
    try:
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as arrays:
            network = Speaker()
            from_torch({ours: arrays[theirs] for ours, theirs in ARRAYS.items()}, into=network)
            return network
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        sys.exit(f"{file} is damaged: {error}")


def speak(speaker: Speaker, word: Sequence[str]) -> list[str]:
    """Return the phonemes of a word, without the end."""
    said, _ = speaker(speaker.read("".join(word)))
    return [PHONEMES[k] for k in said if k != END]

"""Who catches what: the same gradients, wrong and right, given to our checker and to four others.

    pip install -e ".[test,bench]" && pytest tests/benchmarks

First a hand-written LSTM with one fault or none (``planted_lstm.py``): T = 6, N = 2, D = H = 3, so that what is swapped
keeps its shape. Two faults need another problem to be seen by anybody: a backward that stops early needs a long
sequence scored at its last step, and a clip needs gradients that reach it, here by inputs ten times as large. Then the
lists of ``tests/usergrads``. ``checkers.py`` wraps a case once for each framework. Of the LSTM ours must catch every
fault and accuse nobody; of the lists the score is reported, and what the others say in any case. Of the lists every
tenth is asked, as JAX takes its time; ``ALL_GRADIENTS=1`` asks them all.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

import numpy as np
import pytest
from checkers import CHECKERS, NOT_ASKED, translatable
from planted_lstm import FAULTS, NOTHING, backward, forward

from tests.usergrads import RIGHT, WRONG
from tests.usergrads.case import Case

Tables = dict[str, list[tuple[str, ...]]]

STEP = 1 if os.environ.get("ALL_GRADIENTS") else 10
"""Of the lists, one in so many is asked."""

NOT_REACHED = "the same clip, out of reach"
"""No gradient is as large as the clip, for the cotangents that anybody tries: at these numbers it is not even wrong."""


def planted(fault: str) -> Case:
    """The LSTM with the fault: its five arguments, and what of the output is scored."""
    rng = np.random.default_rng(0)
    (T, N, H), scored = ((50, 1, 3), -1) if fault == "cut after 10 of 50 steps" else ((6, 2, 3), slice(None))
    size, bound = 10.0 if fault == "parameters clipped at ±5" else 1.0, 1 / np.sqrt(H)
    xs, h0, c0 = size * rng.normal(size=(T, N, H)), rng.normal(size=(N, H)), rng.normal(size=(N, H))
    weights = rng.uniform(-bound, bound, (2 * H, 4 * H)), rng.uniform(-bound, bound, 4 * H)

    def rule(g: Any, y: Any, *given: Any) -> Any:
        upstream = np.zeros((T, N, H))
        upstream[scored] = g
        return backward(upstream, *given, fault)

    return Case(fault, "planted", fault, lambda *given: forward(*given)[scored], rule, (xs, h0, c0, *weights))


@pytest.mark.filterwarnings("ignore")
def test_ours_catches_every_planted_fault_and_accuses_nobody(tables: Tables) -> None:
    said = {fault: [word(planted(fault), fault != NOTHING) for word in CHECKERS.values()] for fault in FAULTS}
    caught = [f"{column.count('caught')} of {len(FAULTS) - 1}" for column in zip(*said.values(), strict=True)]
    rows = [(fault, *words) for fault, words in said.items()]
    tables["Planted faults, and who catches them"] = [("fault", *CHECKERS), *rows, ("caught in all", *caught)]
    assert [
        fault for fault, (ours, *_) in said.items() if ours != "caught" and fault not in (NOTHING, NOT_REACHED)
    ] == []
    assert said[NOTHING][0] == "right", "the control is accused"


@pytest.mark.filterwarnings("ignore")
def test_the_score_of_all_on_gradients_as_users_write_them(tables: Tables) -> None:
    said = {
        (case.name, wrong): [word(case, wrong) for word in CHECKERS.values()]
        for wrong, cases in ((True, WRONG), (False, RIGHT))
        for case in cases[::STEP]
    }
    every = [words for words in said.values() if NOT_ASKED not in words]  # what all of them were asked
    score = lambda words: [Counter(column) for column in zip(*words, strict=True)]
    row = lambda word, counts: (word, *(str(count[word]) for count in counts))
    words = ("caught", "missed", "right", "accused", "undecided")
    heading = ("", *CHECKERS)
    tables["Gradients as users write them: what each was asked"] = [
        heading,
        *(row(word, score(said.values())) for word in (*words, NOT_ASKED)),
    ]
    tables[f"The {len(every)} that all were asked"] = [heading, *(row(word, score(every)) for word in words)]
    tables["Not translated, since they live among our tensors or draw their inputs"] = [
        (case.name,) for case in (*WRONG[::STEP], *RIGHT[::STEP]) if not translatable(case)
    ]
    assert all(words[0] != NOT_ASKED for words in said.values())

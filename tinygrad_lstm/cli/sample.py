"""Examples of tinygrad-lstm sample:

tinygrad-lstm sample model.safetensors

tinygrad-lstm sample model.safetensors --prompt 'the clouds' --temperature 0.5

tinygrad-lstm sample model.safetensors --length 1000 --seed 3
"""

from __future__ import annotations

import math
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from .app import app, console, refuse, refusing, working
from .train import reading


@app.command(epilog=__doc__)
def sample(
    model: Annotated[Path, typer.Argument(metavar="MODEL.safetensors", help="What tinygrad-lstm train wrote.")],
    prompt: Annotated[
        str | None, typer.Option(help="What to go on from; if not given, how the text that it learned begins.")
    ] = None,
    length: Annotated[int, typer.Option(help="How many characters, or words, to write.")] = 300,
    temperature: Annotated[
        float, typer.Option(help="1 as it has learned; less is bolder, 0 always the likeliest.")
    ] = 1.0,
    seed: Annotated[int, typer.Option(help="Another seed writes something else.")] = 0,
) -> None:
    """Let a trained network go on writing."""
    from ..structure.words import printable
    from ..training.run import load
    from ..training.sampling import sample as symbols
    from ..training.text import UNKNOWN

    if length < 1:
        raise refuse(f"--length must be a whole number above zero, not {length}")
    if seed < 0:
        raise refuse(f"--seed must be a whole number from 0 on, not {seed}")
    if not 0 <= temperature < math.inf:
        raise refuse(f"--temperature must be 0 or more, and finite, not {temperature}")
    with refusing(ValueError, TypeError, MemoryError), reading(model), working("reading the model"):
        network, vocabulary, first = load(model)
        given = first if prompt is None else prompt
        numbers = vocabulary.numbers(given)
        if not len(numbers):
            raise ValueError(f"the prompt has no {vocabulary.unit} to go on from; leave it out, or give one")
        never = [vocabulary.symbols.index(UNKNOWN)] if UNKNOWN in vocabulary.symbols else []
        drawn = islice(symbols(network, numbers, temperature=temperature, rng=seed, never=never), length)
    between = " " if vocabulary.unit == "word" else ""
    console.out(printable(given), end="")
    for number in drawn:
        console.out(printable(f"{between}{vocabulary.symbols[number]}"), end="")
    console.out()

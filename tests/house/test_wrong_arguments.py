"""Whatever is wrong with an argument of a public name is said by us: the error is raised here, not in what we use."""

import inspect
import traceback
import warnings
from pathlib import Path

import numpy as np
import pytest

import tinygrad_lstm as tl
import tinygrad_lstm.engine.primitive as registry
from tinygrad_lstm.symbolic.written import _WRITERS

ROOT = str(Path(tl.__file__).parent)

WRONG = [1j, None, "word", 2**70, float("nan"), -1, 0, [1, 2], {"a": 1}, object(), np.array(["a"]), b"x", True, ()]

RIGHT = {
    "output": lambda: tl.tanh(tl.tensor([1.0], requires_grad=True, name="x")).sum(),
    "parameters": lambda: [tl.tensor([1.0], requires_grad=True)],
    "lr": lambda: 0.1,
    "max_norm": lambda: 1.0,
    "shape": lambda: (2, 2),
    "name": lambda: "new",
    "forward": lambda: lambda x: x,
    "rule": lambda: lambda g, y, x: (g,),
    "cells": lambda: tl.RNNCell(2, 2, rng=0),
    "index": lambda: [0, 1],
    "indices": lambda: [0, 1],
    "targets": lambda: [0, 1],
    "module": lambda: tl.Linear(1, 1, rng=0),
    "path": lambda: "linear.safetensors",
    "optimizer": lambda: tl.SGD([tl.tensor([1.0], requires_grad=True)], lr=0.1),
    "loss": lambda: lambda model, batch: tl.tensor(1.0, requires_grad=True) * 2,
    "callbacks": lambda: (),
    "tensors": lambda: [tl.tensor([1.0]), tl.tensor([2.0])],
}
SIZES = {"input_size", "hidden_size", "num_embeddings", "embedding_dim", "in_features", "out_features"}
EXEMPT = {"LeavesTheGraph", "ShapeError", "UnknownToReader", "Contribution", "Module", "Cell", "primitives", "no_grad"}
EXEMPT |= {"float32", "float64"}  # numpy's own
EXEMPT |= {"export_onnx", "import_onnx"}  # of an extra: tests/benchmarks/test_onnx_files.py


def right(parameter):
    if parameter.name in SIZES or parameter.name.endswith(("_size", "_features")):
        return 2
    made = RIGHT.get(parameter.name, lambda: tl.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True, name="x"))
    return made()


def public():
    for room in (tl, tl.nn):
        for name in dir(room):
            thing = getattr(room, name)
            if callable(thing) and not name.startswith("_") and name not in EXEMPT:
                yield f"{room.__name__.rpartition('.')[2]}.{name}", thing


def parameters_of(thing):
    try:
        return list(inspect.signature(thing).parameters.values())
    except (TypeError, ValueError):
        return []


NAMES = dict(public())


@pytest.mark.parametrize("name", NAMES)
def test_what_is_wrong_with_an_argument_is_said_by_us(name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # where a path leads that is right
    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))  # what is defined here is forgotten
    thing, foreign = NAMES[name], []
    parameters = [p for p in parameters_of(thing) if p.kind is not p.VAR_KEYWORD]
    for wrong_one in parameters:
        for wrong in WRONG:
            args, kwargs = [], {}
            for p in parameters:
                if p is not wrong_one and p.default is not p.empty:
                    continue
                given = wrong if p is wrong_one else right(p)
                if p.kind is p.KEYWORD_ONLY or (p.default is not p.empty):
                    kwargs[p.name] = given
                else:
                    args.append(given)
            said = what_is_said(thing, args, kwargs)
            if said:
                foreign.append(f"{name}({wrong_one.name}={wrong!r}): {said}")
    assert not foreign, "\n".join(foreign)


def test_a_style_that_no_formula_knows_is_refused_where_it_is_defined():
    with pytest.raises(ValueError, match="wobbly has the style 'wavy'; there are infix, times"):
        tl.primitive("wobbly", lambda x: x, lambda g, y, x: (g,), style="wavy")
    assert set(_WRITERS) == set(registry.STYLES)


def what_is_said(thing, args, kwargs):
    """Return who else than us raised an error, and its words."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            thing(*args, **kwargs)
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            ours = last.filename.startswith(ROOT) and "raise" in (last.line or "")
            if ours and isinstance(error, (TypeError, ValueError, ArithmeticError, LookupError, OSError)):
                return ""
            return f"{type(error).__name__}: {str(error)[:90]} ({Path(last.filename).name}:{last.lineno} {last.line})"
    return ""

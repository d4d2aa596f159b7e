"""Where SymPy is not installed, the message names the extra."""

import sys

import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.symbolic import algebra


def test_the_extra_is_named(monkeypatch):
    algebra._sympy.cache_clear()
    monkeypatch.setitem(sys.modules, "sympy", None)
    with pytest.raises(ModuleNotFoundError, match=r"to_sympy needs the extra: pip install 'tinygrad-lstm\[sympy\]'"):
        tl.to_sympy(tl.tensor(1.0, name="x"))
    algebra._sympy.cache_clear()


def test_it_takes_tensors_and_graphs():
    with pytest.raises(TypeError, match=r"to_sympy takes a tensor, or tl.Graph\(tensor\), not 3"):
        tl.to_sympy(3)

"""Each operation is documented, and what its documentation shows is what happens."""

import doctest
import inspect

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.engine import documentation
from tinygrad_lstm.testing.generate.fitting import BUILTIN

FUNCTIONS = dict(inspect.getmembers(documentation, inspect.isfunction))


def test_it_documents_the_operations_of_the_page_and_nothing_else():
    elsewhere = {"concat", "stack", "take"}  # functions that a person calls
    assert set(FUNCTIONS) == {name for name, primitive in BUILTIN.items() if primitive.doc} - elsewhere


@pytest.mark.parametrize("name", [name for name in BUILTIN if hasattr(tl, name)])
def test_its_examples_run(name, capsys):
    (example,) = doctest.DocTestFinder().find(BUILTIN[name].doc, name, globs={"tl": tl, "np": np, "abs": abs})
    assert example.examples
    doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example)
    assert capsys.readouterr().out == ""

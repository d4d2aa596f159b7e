"""Each operation is documented, and what its documentation shows is what happens."""

import doctest
import inspect

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.engine import documentation
from tinygrad_lstm.testing.generate.fitting import BUILTIN

FUNCTIONS = dict(inspect.getmembers(documentation, inspect.isfunction))


def test_it_documents_operations_of_the_page_and_nothing_else():
    """Others bring their words in the entry, or are functions that a person calls."""
    assert len(FUNCTIONS) > 30
    assert set(FUNCTIONS) <= set(BUILTIN)


@pytest.mark.parametrize("name", BUILTIN)
def test_every_operation_of_the_page_is_documented(name):
    assert BUILTIN[name].doc.startswith("Return ")


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if hasattr(tl, name)])
def test_its_examples_run(name, capsys):
    (example,) = doctest.DocTestFinder().find(BUILTIN[name].doc, name, globs={"tl": tl, "np": np, "abs": abs})
    assert example.examples
    doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example)
    assert capsys.readouterr().out == ""

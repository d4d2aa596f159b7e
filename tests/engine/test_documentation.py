"""Each operation is documented, and what its documentation shows is what happens."""

import doctest
import inspect
import subprocess
import sys

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.engine import documentation
from tinygrad_lstm.engine.ops import BUILTIN

FUNCTIONS = dict(inspect.getmembers(documentation, inspect.isfunction))


def test_it_documents_operations_of_the_page_and_nothing_else():
    """Others bring their words in the entry, or are functions that a person calls."""
    assert len(FUNCTIONS) > 30
    assert set(FUNCTIONS) <= set(BUILTIN)


@pytest.mark.parametrize("name", BUILTIN)
def test_every_operation_of_the_page_is_documented(name):
    assert BUILTIN[name].doc.startswith("Return ")


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name in dir(tl)])
def test_its_examples_run(name, capsys):
    (example,) = doctest.DocTestFinder().find(BUILTIN[name].doc, name, globs={"tl": tl, "np": np, "abs": abs})
    assert example.examples
    doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example)
    assert capsys.readouterr().out == ""


def test_what_is_said_of_shapes_is_said_once():
    for primitive in BUILTIN.values():
        paragraphs = primitive.doc.split("\n\n")
        assert len(paragraphs) == len(set(paragraphs)), primitive.name
    doc = tl.primitive("brief", lambda x: x * 1.0, lambda g, y, x: (g,), doc="Return x.").doc
    assert doc == "Return x.\n\nThe result has the shape of x."


def test_there_is_an_import_without_docstrings():
    """As ``python -OO`` strips them."""
    code = "import tinygrad_lstm as tl; print(tl.tanh(tl.tensor(0.0)))"
    done = subprocess.run([sys.executable, "-OO", "-c", code], capture_output=True, encoding="utf-8")
    assert done.stdout == "tensor(0., made by tanh)\n", done.stderr


def test_help_on_what_nobody_documented_says_so(capsys):
    help(tl.primitive("bare", lambda x: x * 1.0, lambda g, y, x: (g,)))
    shown = capsys.readouterr().out
    assert "bare(x)" in shown
    assert "nobody has documented" in shown
    assert "forward" not in shown

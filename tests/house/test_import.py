"""Importing the core needs numpy and nothing else, and little time."""

import importlib.metadata
import inspect
import subprocess
import sys

import pytest

import tinygrad_lstm as tl


def printed(code):
    """What a fresh Python prints that runs this code."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True).stdout


def test_the_import_needs_numpy_alone():
    code = (
        "import sys, numpy.random; before = set(sys.modules); import tinygrad_lstm;"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before};"
        "print(*new - set(sys.stdlib_module_names) - {'numpy'})"
    )
    assert printed(code).split() == ["tinygrad_lstm"]


def test_draw_stays_a_function_whatever_is_imported_first():
    code = (
        "from tinygrad_lstm.drawing import Picture; import tinygrad_lstm as tl;"
        "print(isinstance(tl.draw(tl.tensor(1.0)), Picture))"
    )
    assert printed(code).strip() == "True"


def test_what_is_imported_when_used_is_not_imported_before():
    code = (
        "import sys, tinygrad_lstm as tl; before = {*sys.modules}; tl.tanh(tl.tensor(1.0)); tl.LSTM;"
        "print(*{name.split('.')[1] for name in sys.modules if name.startswith('tinygrad_lstm.')});"
        "print('numpy' in before, 'importlib.metadata' in sys.modules)"
    )
    assert set(printed(code).split()) == {"engine", "structure", "nn", "False"}


@pytest.mark.parametrize("name", sorted({*tl._ROOMS, *(names[0] for names in tl._HOMES.values())}))
def test_every_public_name_is_the_same_whatever_is_imported_first(name):
    """Of each home one, in a process of its own; packages are packages."""
    code = f"import tinygrad_lstm as tl; one = tl.{name}; print(one is tl.{name}, getattr(one, '__name__', ''))"
    assert printed(code).split() in (["True", name], ["True", f"tinygrad_lstm.{name}"])


@pytest.mark.parametrize("first", ["tl.primitives", "tl.primitive", "tl.Tensor", "tl.nn", "tl.engine.graph"])
def test_all_operations_are_registered_as_soon_as_any_of_ours_is_touched(first):
    code = f"import tinygrad_lstm as tl; {first}; print(*(each.name for each in tl.engine.primitive.primitives()))"
    assert {"add", "tanh", "matmul", "stack"} <= set(printed(code).split())


def test_a_star_brings_what_is_listed_and_hides_nothing_of_pythons():
    code = "from tinygrad_lstm import *; print(tanh, abs is __builtins__.abs, nn.__name__, testing.__name__)"
    assert printed(code).split("> ")[1].split() == ["True", "tinygrad_lstm.nn", "tinygrad_lstm.testing"]


def test_the_names_one_sees_are_the_public_ones():
    seen = {name for name in dir(tl) if not name.startswith("__")}
    assert seen == {*tl.__all__, *tl._HIDING}
    assert {name for name in seen if inspect.ismodule(getattr(tl, name))} == {"nn", "testing"}


def test_every_public_name_is_there():
    for name in tl.__all__:
        assert getattr(tl, name) is not None


def test_the_version_is_that_of_the_installed_package(monkeypatch):
    assert tl.__version__ == importlib.metadata.version("tinygrad-lstm")
    monkeypatch.delattr(tl, "__version__")

    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    assert tl.__version__ == "unknown"


def test_a_name_that_there_is_not_is_said_so():
    with pytest.raises(AttributeError, match="module 'tinygrad_lstm' has no attribute 'drawn'"):
        tl.drawn  # noqa: B018

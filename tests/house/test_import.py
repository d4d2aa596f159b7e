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
        "import sys, tinygrad_lstm as tl;"
        "print(*{name.split('.')[1] for name in sys.modules if name.startswith('tinygrad_lstm.')});"
        "print('importlib.metadata' in sys.modules)"
    )
    assert set(printed(code).split()) == {"engine", "structure", "nn", "False"}


@pytest.mark.parametrize("name", tl._WHEN_USED)
def test_what_is_imported_when_used_is_there_in_a_fresh_process(name):
    code = f"import tinygrad_lstm as tl; print(tl.{name}.__name__, tl.{name} is tl.{name})"
    assert printed(code).split() in ([name, "True"], [f"tinygrad_lstm.{name}", "True"])


def test_the_names_one_sees_are_the_public_ones():
    seen = {name for name in dir(tl) if not name.startswith("__")}
    assert seen == {*tl.__all__, "abs", "max", "sum"}
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

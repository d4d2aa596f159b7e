"""Importing the core needs numpy and nothing else, and little time."""

import subprocess
import sys


def test_the_import_needs_numpy_alone():
    code = (
        "import sys, numpy.random; before = set(sys.modules); import tinygrad_lstm;"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before};"
        "print(*new - set(sys.stdlib_module_names) - {'numpy'})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.split() == ["tinygrad_lstm"]


def test_draw_stays_a_function_whatever_is_imported_first():
    code = (
        "from tinygrad_lstm.drawing import Picture; import tinygrad_lstm as tl;"
        "print(isinstance(tl.draw(tl.tensor(1.0)), Picture))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.strip() == "True"

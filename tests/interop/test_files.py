"""Files are written whole or not at all."""

import subprocess
import sys

import pytest

from tinygrad_lstm import interop
from tinygrad_lstm.interop import files


def test_a_failed_write_leaves_the_old_file_and_no_rubbish(tmp_path, monkeypatch):
    target = files.write_file(tmp_path / "page.html", "old")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("pathlib.Path.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        files.write_file(target, "new")
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_text_is_utf_8_and_bytes_are_bytes(tmp_path):
    assert files.write_file(tmp_path / "a", "∂").read_bytes() == "∂".encode()
    assert files.write_file(tmp_path / "a", b"\x00").read_bytes() == b"\x00"


def test_who_writes_files_imports_no_networks():
    code = (
        "import sys; from tinygrad_lstm.interop.files import write_file; before = {*sys.modules};"
        "from tinygrad_lstm.interop import load, save, saved; print(load is saved.load, save is saved.save);"
        "print(*(name for name in before if name.startswith(('tinygrad_lstm.nn', 'tinygrad_lstm.interop.s'))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.split() == ["True", "True"]


def test_interop_says_what_it_does_not_have():
    with pytest.raises(AttributeError, match=r"module 'tinygrad_lstm\.interop' has no attribute 'saves'"):
        interop.saves  # noqa: B018

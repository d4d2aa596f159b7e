"""Files are written whole or not at all."""

import pytest

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

"""Writing files whole: to a temporary name first, then renamed, so that nothing is ever half written."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import time
from glob import escape
from pathlib import Path

STALE = 3600
"""Seconds after which a temporary file is nobody's; chosen: no file takes so long to write."""


def write_file(path: str | os.PathLike[str], content: str | bytes) -> Path:
    """Replace the file, or leave the old one untouched if anything goes wrong; return its path. Text becomes UTF-8.

    A link stays one: what it leads to is replaced. Into what is no regular file, such as a pipe, we write. The
    permissions of a file that is replaced stay what they were. Raises OSError for what cannot be written.
    """
    target = as_path(path)
    data = content.encode("utf-8") if isinstance(content, str) else content
    try:
        real = target.resolve()
    except RuntimeError as error:  # from Python 3.13 on, and here too, an OSError
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path)) from error
    if target.exists() and (not target.is_file() or target.is_relative_to("/dev") or target.is_relative_to("/proc")):
        with target.open("ab") as file:
            file.write(data)
        return target
    _remove_stale(real)
    temporary = real.with_name(f".{real.name[:40]}.{secrets.token_hex(8)}")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # or after a power cut the new name might lead to nothing
        if real.exists():
            shutil.copymode(real, temporary)
        temporary.replace(real)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno:
            raise OSError(error.errno, error.strerror, str(path)) from error  # by the name they know
        raise
    return target


def as_path(path: str | os.PathLike[str]) -> Path:
    """Return a path as what it is; refuse what is none."""
    try:
        return Path(path)
    except TypeError:
        raise TypeError(f"a path is a string or a pathlib.Path, not {path!r:.60}") from None


def _remove_stale(real: Path) -> None:
    """Remove temporary files of this one that a process which was killed has left behind."""
    for left in real.parent.glob(f".{escape(real.name[:40])}.{'[0-9a-f]' * 16}"):
        if time.time() - left.lstat().st_mtime > STALE:
            left.unlink(missing_ok=True)

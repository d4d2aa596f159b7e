"""Writing files whole: to a temporary name first, then renamed, so that nothing is ever half written."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path


def write_file(path: str | os.PathLike[str], content: str | bytes) -> Path:
    """Replace the file, or leave the old one untouched if anything goes wrong. Text is written as UTF-8.

    A link stays one: what it leads to is replaced. Into what is no regular file, such as a pipe, we write. The
    permissions of a file that is replaced stay what they were.
    """
    target = Path(path)
    data = content.encode("utf-8") if isinstance(content, str) else content
    real = target.resolve()
    if real.exists() and not real.is_file():
        real.write_bytes(data)
        return target
    mode = stat.S_IMODE(real.stat().st_mode) if real.exists() else 0o666 & ~_umask()
    handle, temporary = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name[:40]}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(temporary).chmod(mode)
        Path(temporary).replace(real)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return target


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask

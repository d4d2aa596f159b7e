"""Writing files whole: to a temporary name first, then renamed, so that nothing is ever half written."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path


def write_file(path: str | os.PathLike[str], content: str | bytes) -> Path:
    """Replace the file, or leave the old one untouched if anything goes wrong; return its path. Text becomes UTF-8.

    A link stays one: what it leads to is replaced. Into what is no regular file, such as a pipe, we write. The
    permissions of a file that is replaced stay what they were. Raises OSError for what cannot be written.
    """
    target = Path(path)
    data = content.encode("utf-8") if isinstance(content, str) else content
    real = target.resolve()
    if real.exists() and not real.is_file():
        real.write_bytes(data)
        return target
    temporary = real.with_name(f".{real.name[:40]}.{secrets.token_hex(8)}")
    try:
        with temporary.open("xb") as file:
            file.write(data)
        if real.exists():
            shutil.copymode(real, temporary)
        temporary.replace(real)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return target

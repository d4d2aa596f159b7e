"""Writing a film: an animated GIF, or a folder of numbered SVGs; whole, or not at all."""

from __future__ import annotations

import io
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ...interop.files import as_path, write_file
from ...structure.window import Window
from ..recording.tape import Tape
from .backdrop import Backdrop
from .frame import HEIGHT, PICTURE, WIDTH, frame
from .shots import Shot, shots

if TYPE_CHECKING:
    from PIL import Image

SECONDS, LAST_SECONDS = 1.2, 4.0
"""How long a frame of a GIF is seen, and the last one; chosen: the equation of a gate can be read."""

COLOURS = 256
"""Of a GIF; chosen: words and lines look as they do in the SVG, and a frame takes about 20 kB."""

Report = Callable[[int, int], object]
"""Is told how many frames are drawn, of how many."""


def film(
    tape: Tape, path: str | os.PathLike[str], every: str = "gate", *, steps: Window = None, report: Report | None = None
) -> Path:
    """Write the walk as a GIF or into a folder; see ``Stepper.film``."""
    target = as_path(path)
    is_gif = target.suffix.lower() == ".gif"
    if target.suffix and not is_gif and not target.is_dir():
        raise ValueError(
            f"a film is a .gif, or a folder of SVGs, whose name has no ending, not {os.fspath(path)!r}; of the GIF, "
            "ffmpeg makes any other film: ffmpeg -i film.gif -pix_fmt yuv420p film.mp4"
        )
    chosen = shots(tape, every, steps)
    if is_gif:
        to_image = _rasteriser()
        return write_file(target, _gif([to_image(svg) for svg in _frames(tape, chosen, steps, report)]))
    _require_own(target)
    return _folder(target, _frames(tape, chosen, steps, report))


def _frames(tape: Tape, chosen: list[Shot], steps: Window, report: Report | None) -> Iterator[str]:
    backdrop = Backdrop(tape, steps, *PICTURE[2:])
    for number in range(len(chosen)):
        yield frame(tape, backdrop, chosen, number)
        if report:
            report(number + 1, len(chosen))


def _rasteriser() -> Callable[[str], Image.Image]:
    """Return what makes an image of a frame. Raises ModuleNotFoundError if what it needs is not installed."""
    try:
        import vl_convert
        from PIL import Image
    except ImportError as error:
        raise ModuleNotFoundError(
            "a GIF needs the extra: pip install 'tinygrad-lstm[images]'; a folder of SVGs, whose name has no ending, "
            "needs nothing more"
        ) from error

    def image(svg: str) -> Image.Image:
        with Image.open(io.BytesIO(vl_convert.svg_to_png(svg))) as drawn:
            whole = drawn.convert("RGB")
            return whole if whole.size == (WIDTH, HEIGHT) else whole.resize((WIDTH, HEIGHT))

    return image


def _gif(images: list[Image.Image]) -> bytes:
    """Return an animation that repeats for ever; all frames share the colours of the first, a middle and the last."""
    from PIL import Image

    seen = Image.new("RGB", (WIDTH, 3 * HEIGHT))
    for place, image in enumerate((images[0], images[len(images) // 2], images[-1])):
        seen.paste(image, (0, place * HEIGHT))
    palette = seen.quantize(COLOURS)
    drawn = [each.quantize(palette=palette, dither=Image.Dither.NONE) for each in images]
    durations = [round(1000 * SECONDS)] * (len(drawn) - 1) + [round(1000 * LAST_SECONDS)]
    file = io.BytesIO()
    drawn[0].save(
        file, "GIF", save_all=True, append_images=drawn[1:], duration=durations, loop=0, optimize=False, disposal=1
    )
    return file.getvalue()


def _require_own(folder: Path) -> None:
    """Refuse to replace anything but a folder that holds nothing, or a film."""
    if not folder.exists():
        return
    strange = [file for file in folder.iterdir() if not _is_frame(file)] if folder.is_dir() else [folder]
    if strange:
        raise ValueError(
            f"{folder} holds what is no frame of a film, such as {strange[0].name}; name a new folder, or an empty one"
            if folder.is_dir()
            else f"{folder} is a file; a film without an ending is a folder, so choose another name, or one in .gif"
        )


def _is_frame(file: Path) -> bool:
    return file.suffix == ".svg" and file.stem.isdecimal()


def _folder(folder: Path, frames: Iterator[str]) -> Path:
    """Write all frames beside the folder, then put them in its place."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = folder.with_name(f".{folder.name[:40]}.{secrets.token_hex(8)}")
    temporary.mkdir()
    try:
        for number, svg in enumerate(frames, 1):
            write_file(temporary / f"{number:04}.svg", svg)
        if folder.exists():
            shutil.rmtree(folder)
        temporary.rename(folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return folder

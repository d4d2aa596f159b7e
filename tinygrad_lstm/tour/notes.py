"""The article as notes: the same words as Markdown, with formulas between dollars, and pictures beside it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path

from ..interop.files import write_file
from .findings import Tour
from .stills import stills

Attributes = list[tuple[str, str | None]]

SKIPPED = {"script", "style", "svg", "nav", "noscript", "title", "footer"}
"""Elements of the page that are no part of the notes, as is what needs figures that move, of the class ``live``."""

EMPTY = {"meta", "link", "input", "br", "hr", "img"}
"""Elements without an end."""

MARKS = {"strong": "**", "b": "**", "em": "*", "i": "*"}
HEADINGS = {"h1": "# ", "h2": "## ", "h3": "### "}
BLOCKS = {"p", "li", "dt", "dd", *HEADINGS}

_SPECIAL = re.compile(r"([\\`*_\[\]<>$|~&#])")


def write_notes(tour: Tour, page: str, file: Path) -> list[Path]:
    """Write the article as Markdown, and its pictures into a folder named like the file; return what was written.

    Raises OSError for what cannot be written.
    """
    folder = file.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    pictures = stills(tour)
    written = [write_file(folder / name, svg) for found in pictures.values() for name, (_, svg) in found.items()]
    shown = {
        id: [f"![{label}]({_address(folder.name)}/{name})" for name, (label, _) in found.items()]
        for id, found in pictures.items()
    }
    here = os.path.relpath(tour.directory, file.parent)
    return [write_file(file, markdown(page, shown, "" if here == "." else f"{_address(here)}/")), *written]


def markdown(page: str, figures: Mapping[str, list[str]], beside: str = "") -> str:
    """Return an article of ours as Markdown.

    ``figures`` are the lines that stand for each figure, by its id without ``fig-``; ``beside`` is put before addresses
    of files that are beside the page.

    >>> print(markdown('<h2>Gates</h2><p>At <b>1</b> <span data-tex="c_t">c</span> stays_.</p>', {}))
    ## Gates
    <BLANKLINE>
    At **1** $c_t$ stays\\_.
    <BLANKLINE>
    """
    writer = _MarkdownWriter(figures, beside)
    writer.feed(page)
    return "\n\n".join([*writer.blocks, ""]).rstrip("\n") + "\n"


class _MarkdownWriter(HTMLParser):
    def __init__(self, figures: Mapping[str, list[str]], beside: str) -> None:
        super().__init__()
        self.blocks: list[str] = []
        self._figures, self._beside = figures, beside
        self._line = ""
        self._begin = ""
        self._open: list[tuple[str, bool, str]] = []  # tag, whether what is in it is left out, what ends it
        self._word: list[str] | None = None  # the text of a word or of code

    @property
    def _silent(self) -> bool:
        return any(left_out for _, left_out, _ in self._open)

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        if tag in EMPTY:
            return
        found = {name: value or "" for name, value in attrs}
        classes = found.get("class", "").split()
        silent, end = tag in SKIPPED or bool({"live", "kicker"} & set(classes)), ""
        if not self._silent and not silent:
            if "data-tex" in found:
                silent = True
                self._formula(found["data-tex"], display=tag == "div")
            elif tag == "figure":
                silent = True
                self.blocks += self._figures.get(found.get("id", "").removeprefix("fig-"), [])
            elif tag in BLOCKS:
                self._flush()
                self._begin = HEADINGS.get(tag, "- " if tag in ("li", "dt") else "  " if tag == "dd" else "")
                if "sentence" in classes:
                    self._begin, end = "> “", "”"
            elif tag in MARKS:
                self._line += MARKS[tag]
                end = MARKS[tag]
            elif tag == "a":
                address = found.get("href", "")
                if not address.startswith("#"):  # within the page
                    beside = "" if address.startswith("https:") else self._beside
                    self._line, end = f"{self._line}[", f"]({beside}{address})"
            elif tag == "code" or "token" in classes:
                self._word = []
        self._open.append((tag, silent, end))

    def handle_endtag(self, tag: str) -> None:
        if tag in EMPTY:
            return
        was_silent = self._silent
        opened, _, end = self._open.pop()
        assert opened == tag, f"</{tag}> ends <{opened}>"
        if was_silent:
            return
        if self._word is not None and tag in ("code", "bdi"):
            self._line += _verbatim("".join(self._word))
            self._word = None
        self._line = self._line.rstrip() + end if end else self._line
        if tag in BLOCKS:
            self._flush()

    def handle_data(self, data: str) -> None:
        if self._silent:
            return
        if self._word is not None:
            self._word.append(data)
        else:
            self._line += _SPECIAL.sub(r"\\\1", data)

    def _formula(self, tex: str, *, display: bool) -> None:
        if display:
            self._flush()
            self.blocks.append(f"$$\n{tex}\n$$")
        else:
            self._line += f"${tex}$"

    def _flush(self) -> None:
        line = " ".join(self._line.split())
        if line:
            self.blocks.append(self._begin + line)
        self._line = self._begin = ""


def _verbatim(text: str) -> str:
    """Return code, or a word of the text: between as many backticks as it takes."""
    text = " ".join(text.split())
    ticks = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{space}{text}{space}{ticks}"


def _address(path: str) -> str:
    """Return a path as an address in Markdown."""
    return "".join(ch if ch.isalnum() or ch in "-._/~" else f"%{ord(ch):02X}" if ord(ch) < 128 else ch for ch in path)

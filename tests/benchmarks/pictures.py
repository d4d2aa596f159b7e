"""Write one page on which the same LSTM, three steps of it, is drawn by us and by others, side by side.

    apt-get install graphviz && pip install -e ".[bench]" && python -m tests.benchmarks.pictures pictures.html

The page holds all pictures and needs no network. Beside each: its size, how large its smallest words are where it is
830 pixels wide at most, as in a README, and how long it took from the forward pass to the SVG, in seconds, once. Who is
not installed is named as missing. Christopher Olah's figures, by which all of them are judged, may not be copied; the
page says where they are.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import math
import re
import subprocess
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import tinygrad_lstm as tl

STEPS, D, H = 3, 2, 2
WIDTH = 830
"""Pixels: how wide a README is."""

LIMIT = 60
"""Seconds that a ``dot`` may take; chosen: longer than anybody waits."""

OLAH = "https://colah.github.io/posts/2015-08-Understanding-LSTMs/"

INPUTS = np.random.default_rng(0).normal(size=(STEPS, 1, D))

HEAD = """<!doctype html><html lang="en"><meta charset="utf-8"><title>An LSTM, drawn by us and by others</title><style>
body{font:16px/1.5 sans-serif;margin:24px;color:#222} figure{margin:0 0 40px;max-width:830px}
main{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,830px),1fr));gap:24px;align-items:start}
img{max-width:830px;width:auto;height:auto;border:1px solid #ccc} figcaption{margin-bottom:8px}</style>"""


class Drawn(NamedTuple):
    """What came of asking for a picture: its SVG, and seconds; or why there is none."""

    who: str
    svg: str = ""
    seconds: float = 0.0
    missing: str = ""


def main(arguments: list[str] | None = None) -> None:
    description = (__doc__ or "").split("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.pictures", description=description)
    parser.add_argument("file", type=Path, nargs="?", default=Path("pictures.html"), help="where to write the page")
    file = parser.parse_args(arguments).file
    found = []
    for drawn in pictures():
        found.append(drawn)
        print(f"{drawn.who}: {drawn.missing or told(drawn)}", flush=True)
    file.write_text(page(found), encoding="utf-8")


def pictures() -> Iterator[Drawn]:
    """Draw with each, ours first; whoever cannot is told with the reason."""
    for view in ("gates", "cells", "rolled", "backward"):
        yield asked(f'ours, "{view}"', lambda view=view: ours(view))
    for name, by in OTHERS.items():
        yield asked(name, by)


def asked(who: str, by: Callable[[], str]) -> Drawn:
    began = time.perf_counter()
    try:
        svg = by()
    except (ImportError, OSError, RuntimeError, subprocess.SubprocessError) as error:
        return Drawn(who, missing=f"missing: {error}")
    return Drawn(f"{who} {version(who)}".strip(), svg, time.perf_counter() - began)


def version(who: str) -> str:
    try:
        return importlib.metadata.version(who)
    except importlib.metadata.PackageNotFoundError:
        return ""


def ours(view: str) -> str:
    loss = tl.LSTM(D, H, rng=0)(tl.tensor(INPUTS, name="xs"))[0].sum()
    try:
        return tl.draw(loss, view, fit="readme").svg
    except ValueError:  # too large to be fitted: as it is, and the page says how small its words are
        return tl.draw(loss, view).svg


def torch_network() -> tuple[Any, Any]:
    """The same in PyTorch, operation by operation: its own nn.LSTM is one box."""
    import torch
    from torch import nn

    class LSTM(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            for gate in ("forget_gate", "input_gate", "candidate", "output_gate"):
                self.add_module(gate, nn.Linear(D + H, H))

        def forward(self, xs: Any) -> Any:
            h = c = torch.zeros(xs.shape[1], H)
            hidden = []
            for x in xs:
                z = torch.cat([h, x], dim=-1)
                kept = torch.sigmoid(self.forget_gate(z)) * c
                c = kept + torch.sigmoid(self.input_gate(z)) * torch.tanh(self.candidate(z))
                h = torch.sigmoid(self.output_gate(z)) * torch.tanh(c)
                hidden.append(h)
            return torch.stack(hidden).sum()

    return LSTM(), torch.from_numpy(INPUTS.astype(np.float32))


def by_torchview() -> str:
    import torchview

    model, xs = torch_network()
    drawn = torchview.draw_graph(model, input_data=xs, depth=math.inf, expand_nested=True, device="cpu")
    return by_dot(drawn.visual_graph.source)


def by_torchviz() -> str:
    import torchviz

    model, xs = torch_network()
    return by_dot(torchviz.make_dot(model(xs), params=dict(model.named_parameters())).source)


def by_torchlens() -> str:
    import torchlens

    model, xs = torch_network()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "graph"
        torchlens.trace(model, xs).draw(vis_outpath=str(path), vis_fileformat="svg", vis_save_only=True)
        return path.with_suffix(".svg").read_text(encoding="utf-8")


OTHERS = {"torchview": by_torchview, "torchviz": by_torchviz, "torchlens": by_torchlens}


def by_dot(source: str) -> str:
    run = subprocess.run(["dot", "-Tsvg"], input=source.encode(), capture_output=True, timeout=LIMIT, check=True)
    return run.stdout.decode()


def told(drawn: Drawn) -> str:
    """Its size, its smallest words in a README, and how long it took."""
    width, height = size(drawn.svg)
    return (
        f"{width:.0f} × {height:.0f} px, smallest words {smallest(drawn.svg):.1f} px at {WIDTH} px, "
        f"{drawn.seconds:.2f} s"
    )


def size(svg: str) -> tuple[float, float]:
    """The width and the height of an SVG, in CSS pixels."""
    found = re.search(r'<svg[^>]*?\bwidth="([\d.]+)(pt)?"[^>]*?\bheight="([\d.]+)', svg)
    assert found, svg[:200]
    pixels = 4 / 3 if found[2] else 1.0
    return float(found[1]) * pixels, float(found[3]) * pixels


def smallest(svg: str) -> float:
    """How large its smallest words are where it is as wide as a README at most, in CSS pixels."""
    width, _ = size(svg)
    box = re.search(r'viewBox="[\d.-]+ [\d.-]+ ([\d.]+)', svg)
    assert box, svg[:200]
    return min(map(float, re.findall(r'font-size="([\d.]+)', svg))) * min(width, WIDTH) / float(box[1])


def page(found: list[Drawn]) -> str:
    """The page: pictures as images, so that no picture's style touches another."""
    figures = [figure(drawn) for drawn in found]
    return f"""{HEAD}<h1>An LSTM, {STEPS} steps, drawn by us and by others</h1>
<p>To judge by: Christopher Olah, Understanding LSTM Networks (2015), {escape(OLAH)}</p><main>{"".join(figures)}
</main></html>
"""


def figure(drawn: Drawn) -> str:
    said = f"<figcaption><b>{escape(drawn.who)}</b>: {escape(drawn.missing or told(drawn))}</figcaption>"
    if drawn.missing:
        return f"<figure>{said}</figure>"
    image = b64encode(drawn.svg.encode()).decode()
    return f'<figure>{said}<img alt="{escape(drawn.who)}" src="data:image/svg+xml;base64,{image}"></figure>'


if __name__ == "__main__":
    main()

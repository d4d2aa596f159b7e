"""What things look like: one role, one shape and one colour, in every picture and on every page.

Colours are tints of the Okabe–Ito palette, which colour-blind people can tell apart; a role is known by its shape as
well, and a magnitude by its number, never by colour alone.
"""

from __future__ import annotations

import re

from ..engine.primitive import Kind, Primitive
from .colour import between, contrast

FONT = "Helvetica"
SMALL = 10.0  # points: the smallest words, where a picture is not fitted to a size
INK = "#222222"
MUTED = "#595959"
PAPER = "#ffffff"
GRADIENT = "#a83700"
FADED = "#cccccc"
FADED_INK = "#b5b5b5"
INVERSE = "#fffffe"  # words on the strongest shades

_ROLES: dict[str, tuple[str, str, str, str, str]] = {
    "parameter": ("cylinder", "filled", "#cfe3f2", "#0072b2", "weight or bias, learned"),
    "input": ("ellipse", "filled", "#cdeee3", "#009e73", "input or initial state"),
    "output": ("ellipse", "filled", "#ddd6f3", "#6a51a3", "output of a cell"),
    "constant": ("plain", "", PAPER, MUTED, ""),
    "layer": ("box", "filled,rounded", "#fff3b8", "#b58900", "layer or nonlinearity"),
    "pointwise": ("circle", "filled", "#f9dccb", "#d55e00", "pointwise operation"),
    "product": ("hexagon", "filled", "#ead3e2", "#a2487a", "matrix product"),
    "reduction": ("octagon", "filled", "#f9dccb", "#d55e00", "sum, mean or maximum"),
    "movement": ("box", "filled", "#eeeeee", "#777777", "numbers moved, not changed"),
    "cell": ("box", "filled,rounded", "#dff0d0", "#4d8b2f", "recurrent cell"),
    "module": ("box", "filled,rounded", "#d3dabd", "#55632f", "module"),
    "meeting": ("circle", "filled", "#ffffff", GRADIENT, "contributions meet and add"),
    "cut": ("box", "dashed", PAPER, GRADIENT, "detached: no gradient flows back over it"),
    "echo": ("box", "rounded,dashed", PAPER, "#777777", "made elsewhere, used here"),
    "gap": ("plaintext", "", PAPER, MUTED, ""),
    "stub": ("plaintext", "", PAPER, INK, ""),
    "swatch": ("box", "filled", PAPER, MUTED, ""),
    "tick": ("box", "filled", MUTED, MUTED, ""),
    "joint": ("point", "filled", "#555555", "#555555", ""),
}
"""Shape, style, fill and line of each role, and what a legend calls it; nothing for what is in no legend."""

ROLES = {
    role: {"shape": shape, "style": style, "fillcolor": fill, "color": line}
    for role, (shape, style, fill, line, _) in _ROLES.items()
}
"""Each role's shape and colours, as Graphviz names them."""

ROLE_NAMES = {role: name for role, (*_, name) in _ROLES.items() if name}
"""What a legend calls them."""

_ARROWS: dict[str, tuple[str, dict[str, str]]] = {
    "data": ("flows within a step", {"color": "#555555"}),
    "weight": ("a weight, the same in every step", {"color": "#0072b2", "style": "dashed", "arrowsize": "0.5"}),
    "state": ("state, to the next step", {"color": INK, "penwidth": "2.2"}),
    "back": ("state, to the step before", {"color": INK, "penwidth": "2.2"}),
    "gradient": ("gradient, against the computation", {"color": GRADIENT, "fontcolor": GRADIENT, "dir": "back"}),
    "cut": ("a value without its history", {"color": GRADIENT, "style": "dashed", "penwidth": "1.6"}),
    "first": ("used by the first step only", {"color": "#555555", "style": "dashed"}),
    "noted": ("what a note is about", {"color": GRADIENT, "fontcolor": GRADIENT, "penwidth": "2.2"}),
}
"""What a legend calls each kind of arrow, and its look, as Graphviz names that."""

ARROWS = {kind: look for kind, (_, look) in _ARROWS.items()}
ARROW_NAMES = {kind: name for kind, (name, _) in _ARROWS.items()}

TEXTS: dict[str, dict[str, str]] = {
    "sign": {"POINT-SIZE": "15"},
    "symbol": {"POINT-SIZE": "12"},
    "name": {"POINT-SIZE": "12"},
    "detail": {"POINT-SIZE": f"{SMALL:g}", "COLOR": MUTED},
    "value": {"POINT-SIZE": f"{SMALL:g}"},
    "gradient": {"POINT-SIZE": f"{SMALL:g}", "COLOR": GRADIENT},
    "pending": {"POINT-SIZE": f"{SMALL:g}", "COLOR": MUTED},
    "note": {"POINT-SIZE": "12", "COLOR": GRADIENT},
}
"""The lines of a box."""

OUTER_GROUP = {"style": "filled,rounded", "color": MUTED, "fillcolor": "#f4f4f4", "fontcolor": INK}
INNER_GROUP = {"style": "filled,rounded", "color": "#aaaaaa", "fillcolor": "#fafafa", "fontcolor": MUTED}
OPEN_CELL = {"style": "filled,rounded", "color": "#4d8b2f", "fillcolor": "#f1f8ea", "fontcolor": "#3b6f22"}

_SHADES = {
    "#fff5eb": "#1c1a19",
    "#fee6ce": "#2e2019",
    "#fdd0a2": "#4a2a17",
    "#fdae6b": "#703815",
    "#fd8d3c": "#9c4a14",
    "#e6550d": "#d96d22",
    "#a63603": "#ffa764",
    "#6b2302": "#ffd9b8",
}
"""Each of the shades, and what it becomes on dark pages."""

SHADES = tuple(_SHADES)
"""A scale of magnitudes, from the smallest to the largest (after ColorBrewer's Oranges: readable without colour)."""

_LEVELS = dict(zip(between(SHADES, 64), between(tuple(_SHADES.values()), 64), strict=True))
LEVELS = tuple(_LEVELS)
"""The same scale as good as continuous, in steps that no eye tells apart."""

_BLACK, _WHITE = "#010101", "#fefefe"
_INKS = {(_BLACK, _WHITE): _BLACK, (_WHITE, _BLACK): _WHITE, (_BLACK, _BLACK): "#010102", (_WHITE, _WHITE): "#fefefd"}
"""Words on a level, on light pages and on dark ones, each black or white, whichever reads better: what stands for both.

One name for each pair, since a style sheet knows a colour by nothing but its name.
"""


def _ink_on(fill: str) -> str:
    return max((_BLACK, _WHITE), key=lambda ink: contrast(ink, fill))


def _inks(levels: dict[str, str]) -> tuple[str, ...]:
    return tuple(_INKS[_ink_on(light), _ink_on(dark)] for light, dark in levels.items())


INKS = _inks(_LEVELS)
"""The colour of the words on each of the levels."""

ROLES["scale"] = {
    "shape": "box",
    "style": "striped",
    "fillcolor": ":".join(LEVELS),
    "color": PAPER,
    "penwidth": "0",
    "class": "scale",
}

_COOL_SHADES = {
    "#f7fbff": "#191b1d",
    "#deebf7": "#17222d",
    "#c6dbef": "#152f47",
    "#9ecae1": "#15446b",
    "#6baed6": "#1c6399",
    "#3182bd": "#4799d3",
    "#08519c": "#84c2f0",
    "#08306b": "#c4e2fb",
}

COOL_SHADES = tuple(_COOL_SHADES)
"""The same for magnitudes of negative numbers, which have a mark as well (after ColorBrewer's Blues)."""

_COOL_LEVELS = dict(zip(between(COOL_SHADES, 64), between(tuple(_COOL_SHADES.values()), 64), strict=True))
COOL_LEVELS, COOL_INKS = tuple(_COOL_LEVELS), _inks(_COOL_LEVELS)
"""The same scale as good as continuous, and the colour of the words on each level."""

_TIME_SHADES = {
    "#440155": "#5a8fc7",
    "#46307e": "#3fa3b4",
    "#3b518b": "#35b29a",
    "#2c718e": "#4ac07d",
    "#21908c": "#74cd5c",
    "#27ad81": "#a3d93f",
    "#5cc863": "#cfe13a",
    "#a8d42f": "#fde73d",
}

TIME_SHADES = tuple(_TIME_SHADES)
"""Time from early to late (after viridis, S. van der Walt & N. Smith 2015: in order also without colour)."""

DARK_WORDS = 5
"""From this shade on, words are written in the colour of the paper."""

ON_PAGES: dict[str, str] = {
    "paper": PAPER,
    "ink": INK,
    "muted": MUTED,
    "now": "#d55e00",
    "glow": "#fdd0a2",
    "good": "#009e73",
    "stop": "#a2487a",
    "series0": "#0072b2",
    "series1": GRADIENT,
    "series2": "#4d8b2f",
    "series3": "#6a51a3",
}
"""What pages call their colours: each is one that the pictures have."""

SCALES: dict[str, str] = {
    f"{name}{number}": colour
    for name, scale in (("shade", SHADES), ("cool", COOL_SHADES), ("time", TIME_SHADES))
    for number, colour in enumerate(scale)
}
"""What pages that paint numbers or time themselves call the colours of the scales: shade0 to shade7, and so on."""

IN_THE_DARK: dict[str, str] = {
    PAPER: "#14181f",
    INK: "#e6e9ee",
    MUTED: "#a6b0bd",
    GRADIENT: "#ff9a66",
    FADED: "#3a424d",
    FADED_INK: "#59626e",
    INVERSE: "#14181e",
    "#555555": "#a9b2be",
    "#aaaaaa": "#4a5462",
    "#f4f4f4": "#1b212a",
    "#fafafa": "#222934",
    "#f1f8ea": "#1a2418",
    "#cfe3f2": "#12354c",
    "#0072b2": "#56b4e9",
    "#cdeee3": "#13493b",
    "#009e73": "#34d9aa",
    "#ddd6f3": "#2c2350",
    "#6a51a3": "#a48fe0",
    "#fff3b8": "#453a08",
    "#b58900": "#e6c34a",
    "#f9dccb": "#4a2410",
    "#d55e00": "#ff8a3c",
    "#ead3e2": "#43213a",
    "#a2487a": "#e08fc0",
    "#eeeeee": "#2b323c",
    "#777777": "#8b95a3",
    "#dff0d0": "#22391a",
    "#4d8b2f": "#7dc056",
    "#3b6f22": "#8fd06b",
    "#d3dabd": "#242a18",
    "#55632f": "#a0b072",
    _BLACK: _WHITE,
    _WHITE: _BLACK,
    **_SHADES,
    **_LEVELS,
    **_COOL_SHADES,
    **_COOL_LEVELS,
    **_TIME_SHADES,
}
"""What each colour becomes where a person prefers dark pages."""

STYLED = "tinygrad_lstm"
"""The class of our SVG: a style within it would otherwise apply to the whole of an HTML page."""

_PAINTED = re.compile(r'(fill|stroke)="(#[0-9a-f]{6})"')
"""A colour in SVG, and what it is for."""

_ROLE_OF = {Kind.activation: "layer", Kind.comparison: "pointwise"}
"""The kinds of operations whose role has another name."""


def role_of(primitive: Primitive) -> str:
    """Return the role of an operation, by its kind."""
    return _ROLE_OF.get(primitive.kind, primitive.kind)


def dark_style(drawn: str = "") -> str:
    """Return a style sheet for SVG that exchanges the colours for those who prefer dark pages.

    For one picture, it holds only the colours that are drawn there.
    """
    every = [(kind, light) for light in IN_THE_DARK for kind in ("fill", "stroke")]
    there = set(_PAINTED.findall(drawn)) if drawn else every
    rules = (
        f'svg.{STYLED} [{kind}="{light}"]{{{kind}:{IN_THE_DARK[light]}}}'
        for kind, light in every
        if (kind, light) in there
    )
    return f"@media (prefers-color-scheme: dark){{{''.join(rules)}}}"

"""What things look like: one role, one shape and one colour, in every picture and on every page.

Colours are tints of the Okabe–Ito palette, which colour-blind people can tell apart; a role is told by its shape as
well, and a magnitude by its number, never by colour alone.
"""

from __future__ import annotations

from ..engine.primitive import Kind, Primitive

FONT = "Helvetica"
INK = "#222222"
MUTED = "#666666"
PAPER = "#ffffff"
GRADIENT = "#b03a00"
FADED = "#cccccc"
FADED_INK = "#b5b5b5"
INVERSE = "#fffffe"  # words on the strongest shades

ROLES: dict[str, dict[str, str]] = {
    "parameter": {"shape": "cylinder", "style": "filled", "fillcolor": "#cfe3f2", "color": "#0072b2"},
    "input": {"shape": "ellipse", "style": "filled", "fillcolor": "#cdeee3", "color": "#009e73"},
    "output": {"shape": "ellipse", "style": "filled", "fillcolor": "#ddd6f3", "color": "#6a51a3"},
    "constant": {"shape": "plain", "style": "", "fillcolor": PAPER, "color": MUTED},
    "layer": {"shape": "box", "style": "filled,rounded", "fillcolor": "#fff3b8", "color": "#b58900"},
    "pointwise": {"shape": "circle", "style": "filled", "fillcolor": "#f9dccb", "color": "#d55e00"},
    "product": {"shape": "hexagon", "style": "filled", "fillcolor": "#ead3e2", "color": "#a2487a"},
    "reduction": {"shape": "octagon", "style": "filled", "fillcolor": "#f9dccb", "color": "#d55e00"},
    "movement": {"shape": "box", "style": "filled", "fillcolor": "#eeeeee", "color": "#777777"},
    "cell": {"shape": "box", "style": "filled,rounded", "fillcolor": "#dff0d0", "color": "#4d8b2f"},
    "module": {"shape": "box", "style": "filled,rounded", "fillcolor": "#e7ecd9", "color": "#768a4a"},
    "meeting": {"shape": "circle", "style": "filled", "fillcolor": "#ffffff", "color": "#b03a00"},
    "echo": {"shape": "box", "style": "rounded,dashed", "fillcolor": PAPER, "color": "#777777"},
    "gap": {"shape": "plain", "style": "", "fillcolor": PAPER, "color": MUTED},
    "swatch": {"shape": "box", "style": "filled", "fillcolor": PAPER, "color": MUTED},
    "joint": {"shape": "point", "style": "filled", "fillcolor": "#555555", "color": "#555555"},
}
"""Each role's shape and colours, as Graphviz names them."""

ROLE_NAMES: dict[str, str] = {
    "parameter": "weight or bias, learned",
    "input": "input or initial state",
    "output": "output of a cell",
    "layer": "layer or nonlinearity",
    "pointwise": "pointwise operation",
    "product": "matrix product",
    "reduction": "sum, mean or maximum",
    "movement": "numbers moved, not changed",
    "cell": "recurrent cell",
    "module": "module",
    "meeting": "contributions meet and add",
    "echo": "made elsewhere, used here",
}
"""What a legend calls them."""

ARROWS: dict[str, dict[str, str]] = {
    "data": {"color": "#555555"},
    "weight": {"color": "#0072b2", "style": "dashed", "arrowsize": "0.5"},
    "state": {"color": INK, "penwidth": "2.2"},
    "back": {"color": INK, "penwidth": "2.2"},
    "gradient": {"color": GRADIENT, "fontcolor": GRADIENT, "dir": "back"},
    "first": {"color": "#555555", "style": "dashed"},
    "noted": {"color": GRADIENT, "fontcolor": GRADIENT, "penwidth": "2.2"},
}

ARROW_NAMES: dict[str, str] = {
    "data": "flows within a step",
    "weight": "a weight, the same in every step",
    "state": "state, to the next step",
    "back": "state, to the step before",
    "gradient": "gradient, against the computation",
    "first": "used by the first step only",
    "noted": "what a note is about",
}

TEXTS: dict[str, dict[str, str]] = {
    "sign": {"POINT-SIZE": "15"},
    "symbol": {"POINT-SIZE": "12"},
    "name": {"POINT-SIZE": "12"},
    "detail": {"POINT-SIZE": "9", "COLOR": MUTED},
    "value": {"POINT-SIZE": "9"},
    "gradient": {"POINT-SIZE": "9", "COLOR": GRADIENT},
    "pending": {"POINT-SIZE": "9", "COLOR": MUTED},
    "note": {"POINT-SIZE": "12", "COLOR": GRADIENT},
}
"""The lines of a box."""

OUTER_GROUP = {"style": "filled,rounded", "color": "#666666", "fillcolor": "#f4f4f4", "fontcolor": INK}
INNER_GROUP = {"style": "filled,rounded", "color": "#aaaaaa", "fillcolor": "#fafafa", "fontcolor": MUTED}
OPEN_CELL = {"style": "filled,rounded", "color": "#4d8b2f", "fillcolor": "#f1f8ea", "fontcolor": "#4d8b2f"}

SHADES: tuple[str, ...] = (
    "#fff5eb",
    "#fee6ce",
    "#fdd0a2",
    "#fdae6b",
    "#fd8d3c",
    "#e6550d",
    "#a63603",
    "#6b2302",
)
"""A scale of magnitudes, from the smallest to the largest (after ColorBrewer's Oranges: readable without colour)."""

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

IN_THE_DARK: dict[str, str] = {
    PAPER: "#14181f",
    INK: "#e6e9ee",
    MUTED: "#9aa4b2",
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
    "#cdeee3": "#0f3b30",
    "#009e73": "#2fd0a2",
    "#ddd6f3": "#2d2450",
    "#6a51a3": "#b3a3e6",
    "#fff3b8": "#453a08",
    "#b58900": "#e6c34a",
    "#f9dccb": "#4a2410",
    "#d55e00": "#ff8a3c",
    "#ead3e2": "#43213a",
    "#a2487a": "#e08fc0",
    "#eeeeee": "#2b323c",
    "#777777": "#8b95a3",
    "#dff0d0": "#22391a",
    "#4d8b2f": "#8fd06a",
    "#e7ecd9": "#2d3421",
    "#768a4a": "#b4c489",
    "#fff5eb": "#1c1a19",
    "#fee6ce": "#2e2019",
    "#fdd0a2": "#4a2a17",
    "#fdae6b": "#703815",
    "#fd8d3c": "#9c4a14",
    "#e6550d": "#d96d22",
    "#a63603": "#ffa764",
    "#6b2302": "#ffd9b8",
}
"""What each colour becomes where a person prefers dark pages."""

_ROLE_OF = {Kind.activation: "layer", Kind.comparison: "pointwise"}
"""The kinds of operations whose role has another name."""


def role_of(primitive: Primitive) -> str:
    """Return the role of an operation, by its kind."""
    return _ROLE_OF.get(primitive.kind, primitive.kind)


STYLED = "tinygrad_lstm"
"""The class of our SVG: a style within it would otherwise apply to the whole of an HTML page."""


def dark_style() -> str:
    """A style sheet for SVG that exchanges the colours for those who prefer dark pages."""
    rules = (
        f'svg.{STYLED} [{kind}="{light}"]{{{kind}:{dark}}}'
        for light, dark in IN_THE_DARK.items()
        for kind in ("fill", "stroke")
    )
    return f"@media (prefers-color-scheme: dark){{{''.join(rules)}}}"

"""What things look like: one role, one shape and one colour, in every picture.

Colours are tints of the Okabe–Ito palette, which colour-blind people can tell apart; a role is told by its shape as
well, never by colour alone.
"""

from __future__ import annotations

from ..engine.tensor import Tensor

FONT = "Helvetica"
INK = "#222222"
MUTED = "#666666"
PAPER = "#ffffff"
GRADIENT = "#b03a00"

ROLES: dict[str, dict[str, str]] = {
    "parameter": {"shape": "cylinder", "style": "filled", "fillcolor": "#cfe3f2", "color": "#0072b2"},
    "input": {"shape": "ellipse", "style": "filled", "fillcolor": "#cdeee3", "color": "#009e73"},
    "constant": {"shape": "plain", "style": "", "fillcolor": PAPER, "color": MUTED},
    "layer": {"shape": "box", "style": "filled,rounded", "fillcolor": "#fff3b8", "color": "#b58900"},
    "pointwise": {"shape": "circle", "style": "filled", "fillcolor": "#f9dccb", "color": "#d55e00"},
    "product": {"shape": "hexagon", "style": "filled", "fillcolor": "#ead3e2", "color": "#a2487a"},
    "reduction": {"shape": "octagon", "style": "filled", "fillcolor": "#f9dccb", "color": "#d55e00"},
    "movement": {"shape": "box", "style": "filled", "fillcolor": "#eeeeee", "color": "#777777"},
    "echo": {"shape": "box", "style": "rounded,dashed", "fillcolor": PAPER, "color": "#777777"},
}

ARROWS: dict[str, dict[str, str]] = {
    "data": {"color": "#555555"},
    "weight": {"color": "#0072b2", "style": "dashed", "arrowsize": "0.5"},
    "state": {"color": INK, "penwidth": "2.2"},
    "order": {"style": "invis", "weight": "0"},  # places its head on the right of its tail
    "align": {"style": "invis", "weight": "200"},  # and at the same height
}

OUTER_GROUP = {"style": "rounded", "color": "#666666", "bgcolor": "#f4f4f4", "fontcolor": INK, "fontsize": "14"}
INNER_GROUP = {"style": "rounded", "color": "#aaaaaa", "bgcolor": "#fafafa", "fontcolor": MUTED, "fontsize": "11"}

IN_THE_DARK: dict[str, str] = {
    PAPER: "#14181f",
    INK: "#e6e9ee",
    MUTED: "#9aa4b2",
    GRADIENT: "#ff9a66",
    "#555555": "#a9b2be",
    "#aaaaaa": "#4a5462",
    "#f4f4f4": "#1b212a",
    "#fafafa": "#222934",
    "#cfe3f2": "#12354c",
    "#0072b2": "#56b4e9",
    "#cdeee3": "#0f3b30",
    "#009e73": "#2fd0a2",
    "#fff3b8": "#453a08",
    "#b58900": "#e6c34a",
    "#f9dccb": "#4a2410",
    "#d55e00": "#ff8a3c",
    "#ead3e2": "#43213a",
    "#a2487a": "#e08fc0",
    "#eeeeee": "#2b323c",
    "#777777": "#8b95a3",
}
"""What each colour becomes where a person prefers dark pages."""

_ROLE_OF: dict[str, str] = {
    **dict.fromkeys(("tanh", "sigmoid", "relu", "softplus", "softmax", "log_softmax"), "layer"),
    **dict.fromkeys(("matmul",), "product"),
    **dict.fromkeys(("sum", "mean", "max", "logsumexp"), "reduction"),
    **dict.fromkeys(
        ("reshape", "transpose", "broadcast_to", "getitem", "put", "take", "concat", "stack"),
        "movement",
    ),
}


def dark_style() -> str:
    """A style sheet for SVG that exchanges the colours for those who prefer dark pages."""
    rules = (
        f'[{kind}="{light}"]{{{kind}:{dark}}}' for light, dark in IN_THE_DARK.items() for kind in ("fill", "stroke")
    )
    return f"@media (prefers-color-scheme: dark){{{''.join(rules)}}}"


def role(node: Tensor) -> str:
    """What a node is in a picture; an operation unknown to the theme is drawn as a pointwise one."""
    if node.primitive is not None:
        return _ROLE_OF.get(node.primitive.name, "pointwise")
    if node.requires_grad:
        return "parameter"
    return "constant" if node.name is None and node.ndim == 0 else "input"

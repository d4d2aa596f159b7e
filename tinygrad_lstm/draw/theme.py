"""What things look like: one role, one shape and one colour, in every picture.

Colours are tints of the Okabe–Ito palette, which colour-blind people can tell apart; a role is told by its shape as
well, never by colour alone.
"""

from __future__ import annotations

from ..engine.tensor import Tensor

FONT = "Helvetica"
INK = "#222222"
MUTED = "#666666"
PAPER = "white"

ROLES: dict[str, dict[str, str]] = {
    "parameter": {"shape": "cylinder", "style": "filled", "fillcolor": "#cfe3f2", "color": "#0072b2"},
    "input": {"shape": "ellipse", "style": "filled", "fillcolor": "#cdeee3", "color": "#009e73"},
    "constant": {"shape": "plain", "style": "", "fillcolor": PAPER, "color": MUTED},
    "layer": {"shape": "box", "style": "filled,rounded", "fillcolor": "#fff3b8", "color": "#b58900"},
    "pointwise": {"shape": "circle", "style": "filled", "fillcolor": "#f9dccb", "color": "#d55e00"},
    "product": {"shape": "hexagon", "style": "filled", "fillcolor": "#ead3e2", "color": "#a2487a"},
    "reduction": {"shape": "octagon", "style": "filled", "fillcolor": "#f9dccb", "color": "#d55e00"},
    "movement": {"shape": "box", "style": "filled", "fillcolor": "#eeeeee", "color": "#777777"},
}

_ROLE_OF: dict[str, str] = {
    **dict.fromkeys(("tanh", "sigmoid", "relu", "softplus", "softmax", "log_softmax"), "layer"),
    **dict.fromkeys(("matmul",), "product"),
    **dict.fromkeys(("sum", "mean", "max", "logsumexp"), "reduction"),
    **dict.fromkeys(
        ("reshape", "transpose", "broadcast_to", "getitem", "put", "take", "concat", "stack"),
        "movement",
    ),
}


def role(node: Tensor) -> str:
    """What a node is in a picture; an operation unknown to the theme is drawn as a pointwise one."""
    if node.primitive is not None:
        return _ROLE_OF.get(node.primitive.name, "pointwise")
    if node.requires_grad:
        return "parameter"
    return "constant" if node.name is None and node.ndim == 0 else "input"

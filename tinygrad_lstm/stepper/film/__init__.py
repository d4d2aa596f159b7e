"""Film: the backward pass as an animation for slides, a GIF or a folder of SVGs."""

"""Words can be read on whatever is behind them, and what means different things differs for everyone's eyes.

What a colour looks like to those who see red and green alike is worked out after G. M. Machado, M. M. Oliveira and
L. A. F. Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency" (2009), table 1.
"""

from itertools import combinations

import numpy as np
import pytest

from tinygrad_lstm.pages import theme
from tinygrad_lstm.pages.colour import READABLE, between, channels, contrast, luminance

DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
)
"""For channels that are linear in light, at full severity."""

GREY = np.tile([0.2126, 0.7152, 0.0722], (3, 1))
EYES = {"all": np.eye(3), "deuteranopia": DEUTERANOPIA, "grey": GREY}

TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
"""From channels of sRGB (IEC 61966-2-1), for white at D65."""

APART = 5.0
"""Least distance in CIELAB of what is told apart by colour alone; chosen: about twice what is just noticed."""


def looks(colour, eyes="all"):
    """The colour in CIELAB (CIE 1976), as these eyes see it."""
    seen = np.clip(EYES[eyes] @ channels(colour), 0, 1)
    x, y, z = np.cbrt(np.maximum(TO_XYZ @ seen / (TO_XYZ @ np.ones(3)), 0.008856))  # darker than any of ours is black
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def apart(one, other, eyes):
    return np.linalg.norm(looks(one, eyes) - looks(other, eyes))


def dark(colour):
    return theme.IN_THE_DARK.get(colour, colour)


def test_contrast_is_that_of_the_guidelines():
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)
    assert contrast("#ffffff", "#777777") == contrast("#777777", "#ffffff")
    assert between(["#000000", "#ffffff"], 3)[1] in ("#7f7f7f", "#808080")


@pytest.mark.parametrize("level", range(len(theme.LEVELS)))
def test_words_can_be_read_on_every_level(level):
    fill, ink = theme.LEVELS[level], theme.INKS[level]
    assert contrast(ink, fill) >= READABLE
    assert contrast(dark(ink), dark(fill)) >= READABLE


def test_words_can_be_read_on_every_fill():
    frames = {"step": theme.OUTER_GROUP, "group": theme.INNER_GROUP, "cell": theme.OPEN_CELL}
    fills = {name: look["fillcolor"] for name, look in (theme.ROLES | frames).items()}
    for wordless in ("joint", "tick", "scale"):
        del fills[wordless]
    texts = {theme.INK, *(style["COLOR"] for style in theme.TEXTS.values() if "COLOR" in style)}
    pairs = [(text, fill) for text in texts for fill in {*fills.values(), theme.PAPER}]
    pairs += [(frame["fontcolor"], frame["fillcolor"]) for frame in frames.values()]
    pairs += [(look["fontcolor"], theme.PAPER) for look in theme.ARROWS.values() if "fontcolor" in look]
    for text, fill in pairs:
        assert contrast(text, fill) >= READABLE, (text, fill)
        assert contrast(dark(text), dark(fill)) >= READABLE, (text, fill)


@pytest.mark.parametrize("eyes", EYES)
@pytest.mark.parametrize("scheme", [str, dark])
def test_roles_of_the_same_shape_are_told_apart_by_fill_or_line(eyes, scheme):
    named = [role for role in theme.ROLE_NAMES if role in theme.ROLES]
    for one, other in combinations(named, 2):
        a, b = theme.ROLES[one], theme.ROLES[other]
        if (a["shape"], a["style"]) == (b["shape"], b["style"]):
            most = max(apart(scheme(a[part]), scheme(b[part]), eyes) for part in ("fillcolor", "color"))
            assert most >= APART, (one, other)


@pytest.mark.parametrize("eyes", EYES)
@pytest.mark.parametrize(("scheme", "way"), [(str, -1), (dark, 1)])
def test_a_larger_magnitude_is_farther_from_the_paper_for_everyone(eyes, scheme, way):
    lightness = [looks(scheme(level), eyes)[0] for level in theme.LEVELS]
    assert all(step * way > 0 for step in np.diff(lightness))
    decade = len(lightness) // 8  # of a scale of eight decades
    assert min(abs(lightness[i + decade] - lightness[i]) for i in range(len(lightness) - decade)) > 1


def test_the_scale_runs_through_the_shades_of_the_theme():
    assert theme.LEVELS[:: (len(theme.LEVELS) - 1) // 7] == theme.SHADES
    assert len(set(theme.LEVELS)) == len(theme.LEVELS)
    assert luminance(theme.LEVELS[0]) > luminance(theme.LEVELS[-1])


def test_a_style_for_one_picture_has_no_colour_that_is_not_drawn():
    style = theme.dark_style('<rect fill="#fff5eb" stroke="#222222"/><path fill="#123456"/>')
    assert style.count("[fill=") == style.count("[stroke=") == 1
    assert "fill:#1c1a19" in style
    assert all(f'fill="{colour}"' in theme.dark_style() for colour in theme.IN_THE_DARK)

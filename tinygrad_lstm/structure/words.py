"""Words: names and numbers of tensors as people read them, on one line and without control characters."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine.tensor import Tensor

LINE = 80
"""Letters of a line in a table or a repr; what is longer is cut in the middle."""

LONGEST = 36
"""Letters of a name in a picture; what is longer is cut in the middle."""

JOINERS = "\u200c\u200d"
"""Invisible, but words of some languages need them."""

SUBSCRIPT_DIGITS, SUPERSCRIPT_DIGITS = "₀₁₂₃₄₅₆₇₈₉₋", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"
_SUBSCRIPTS = str.maketrans("0123456789-", SUBSCRIPT_DIGITS)
_SUPERSCRIPTS = str.maketrans("0123456789-", SUPERSCRIPT_DIGITS)


def cut(text: str, longest: int) -> str:
    """Return a text, cut in the middle if it has more characters than ``longest``.

    >>> cut("forget_gate", 7)
    'for…ate'
    """
    half = (longest - 1) // 2
    return f"{text[:half]}…{text[-half:]}" if len(text) > longest else text


def printable(text: str) -> str:
    """Return a text of one line or several, with spaces for what colours terminals or turns the direction of text."""
    if text.isprintable():
        return text
    return "".join(ch if ch.isprintable() or ch in JOINERS or ch == "\n" else " " for ch in text)


def clean(thing: Any, longest: int = LONGEST) -> str:
    """Return what ``str`` says of a thing as one line of printable characters, cut in the middle if it is too long.

    >>> clean("forget" + chr(10) + "gate"), clean("forget_gate", 7)
    ('forget gate', 'for…ate')
    """
    text = str(thing)
    if len(text) <= longest and text.isprintable():
        return text
    return cut(printable(text).replace("\n", " "), longest)


def display_name(node: Tensor) -> str | None:
    """Return a node's own name, with its time step as a subscript: c₃."""
    if node.name is None:
        return None
    return node.name if node.is_leaf or node.time is None else node.name + subscript(node.time)


def is_number(x: Tensor) -> bool:
    """Tell whether a leaf is but a number in a formula."""
    return x.is_leaf and x.name is None and x.ndim == 0 and not x.requires_grad


def shape(array: NDArray[Any]) -> str:
    return "×".join(map(str, array.shape)) or "scalar"


def span(times: list[int]) -> str:
    """Write at which time steps something is.

    >>> span([3]), span([3, 4, 5]), span([2, 4]), span([2, 4, 6, 8])
    ('t = 3', 't = 3 … 5', 't = 2, 4', 't = 2, 4 … 8')
    """
    first, last = times[0], times[-1]
    if len(times) > 2 and last - first == len(times) - 1:
        return f"t = {first} … {last}"
    return f"t = {', '.join(map(str, times))}" if len(times) <= 2 else f"t = {first}, {times[1]} … {last}"


def numbers(array: NDArray[Any], most: int = 3) -> str:
    """Write the numbers of a small array, the norm of a larger one."""
    if array.size == 0:
        return "empty"
    if array.size <= most:
        return ", ".join(f"{number:.3g}" for number in array.ravel()).replace("-", "−")
    return f"‖{magnitude(array):.3g}‖".replace("-", "−")


def in_full(array: Any, digits: int = 4, width: int | None = None) -> str:
    """Return every number of an array in brackets, as numpy nests them: on one line, or on lines of a width."""
    form: Any = {"float_kind": f"{{:.{digits}g}}".format}
    written = np.array2string(np.asarray(array), max_line_width=width, separator=", ", formatter=form)
    return (written if width else " ".join(written.split())).replace("-", "−")


def largest_finite(array: Any) -> float:
    """Return the size of the largest number that is finite; 0 if none is."""
    numbers = np.asarray(array)
    return float(np.abs(numbers[np.isfinite(numbers)]).max(initial=0.0))


def magnitude(array: Any) -> float:
    """Return the Euclidean norm; as float64, and right also where squares are too large or too small for that."""
    flat = np.asarray(array, np.float64).ravel()
    norm = math.sqrt(np.vdot(flat, flat))  # which says nothing of overflow
    if (norm > 1e-150 and norm < math.inf) or not flat.any():
        return norm
    with np.errstate(all="ignore"):
        largest = float(np.abs(flat).max())
        return largest * float(np.linalg.norm(flat / largest)) if largest < math.inf else largest


def shown(number: float, digits: int = 4) -> str:
    """Return a number with so many digits and a proper minus sign."""
    return f"{number:.{digits}g}".replace("-", "−")


def short(number: float) -> str:
    """Write a number with two digits, and a proper minus sign."""
    text = f"{number:.2g}"
    mantissa, _, exponent = text.partition("e")
    return f"{mantissa}e{int(exponent)}".replace("-", "−") if exponent else mantissa.replace("-", "−")


def subscript(number: object) -> str:
    """Write a number below the line; of several, without what is between them.

    >>> subscript(-10), subscript("1, 2")
    ('₋₁₀', '₁₂')
    """
    return str(number).translate(_SUBSCRIPTS).replace(" ", "").replace(",", "")


def superscript(number: object) -> str:
    """Write a number above the line.

    >>> f"10{superscript(-3)}"
    '10⁻³'
    """
    return str(number).translate(_SUPERSCRIPTS)


def statistics(array: NDArray[Any]) -> str:
    """Write minimum, mean, maximum and norm, and how many zeros and NaNs there are."""
    if not array.size:
        return "empty"
    if array.size == 1:
        return f"{array.item():.4g}"
    with np.errstate(all="ignore"):
        flat = array.ravel().astype(np.float64)
        norm = magnitude(flat)
        parts = f"min {flat.min():.3g}, mean {flat.sum() / flat.size:.3g}, max {flat.max():.3g}, norm {norm:.3g}"
    zeros = flat.size - int(np.count_nonzero(flat))
    nans = 0 if math.isfinite(norm) else int(np.isnan(flat).sum())
    return f"{parts}, {zeros} zero, {nans} NaN"

"""PyTorch's spellings: the one table of what they are called here, and words for what is left out on purpose.

Who says ``axis=``, ``keepdims=`` or ``ddof=`` speaks numpy, and gets what numpy gives. Who says ``dim=`` or
``keepdim=`` speaks PyTorch, and so does who says neither to a method, or to the functions ``std``, ``var``, ``split``
and ``squeeze``. Where the two differ:

    ==========================  =====================================  ==========================================
    what                        numpy's                                PyTorch's
    ==========================  =====================================  ==========================================
    max, min                    the numbers: ``x.max(axis=0)``,        a pair of numbers and places:
                                ``tl.max(x, 0)``                       ``x.max(dim=0)``, ``x.max(0)``
    std, var                    divided by n, or n − ddof              divided by n − 1, or n − correction
    squeeze                     refuses an axis longer than 1          leaves it as it is
    split                       into so many parts, or before places   into parts of a size, or of sizes
    ``x.transpose(0, 1)``       axes in this order: ``x`` itself       two axes exchanged; other orders as in numpy
    argmax, argmin              arrays of integers, in both: there are no tensors of integers
    ``x.size``                  the number of numbers; called, ``x.size()`` and ``x.size(0)``, it is PyTorch's shape
    ==========================  =====================================  ==========================================

At ties and kinks ours share the gradient equally, where PyTorch chooses: see ``ops.py``. A rule runs on arrays as well
as on tensors, and arrays speak numpy: write it with ``axis=``, or with functions of ``tl``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from contextvars import ContextVar
from typing import Any

import numpy as np

_NAMES = """
    absolute=abs add=add atan=arctan bmm=matmul cat=concat clamp=clip concatenate=concat div=div
    divide=div matmul=matmul mm=matmul mul=mul multiply=mul neg=neg negative=neg .nelement=numel pow=pow .repeat=tile
    sub=sub subtract=sub swapdims=swapaxes t=transpose true_divide=div unsqueeze=expand_dims .view=reshape
"""
NAMES: dict[str, str] = dict(pair.split("=") for pair in _NAMES.split())
"""Functions and methods under PyTorch's names, and what they are called here; with a dot, methods only."""

METHODS = """
abs add arctan argmax argmin broadcast_to chunk clip cos cosh cumsum div dot erf erfc exp expand_dims expm1 flatten
floor log log1p log_softmax logaddexp logsumexp matmul maximum mean minimum mul neg norm outer pow prod reciprocal relu
sigmoid sign sin sinh softmax sqrt square sub sum swapaxes tan tanh tril triu
""".split()  # noqa: SIM905
"""Functions of ours that are methods of tensors as they are."""

_WORDS = """
    diagonal=k dim=axis dim0=axis1 dim1=axis2 dims=axis,axes,reps end_dim=end keepdim=keepdims max=high min=low
    negative_slope=slope p=ord start_dim=start steps=num tensors=parts
"""
WORDS: dict[str, str] = dict(pair.split("=") for pair in _WORDS.split())
"""Arguments under PyTorch's names, and what they are called here, by some functions thus and by some so."""

REFUSED = """
cuda: tensors live in the memory of the processor, and there is nothing to move
float double half type astype: a tensor keeps its type; make it with one, tl.tensor(data, dtype=tl.float32)
long int byte bool: tensors hold no integers; indices and class numbers are numpy's, x.numpy().astype(int)
data copy: x.value is the array, x.detach() a tensor of it that nothing flows through
retain_grad register_hook: any gradient can be asked for, tl.grad(loss, [h]), and is seen in tl.step(loss)
gather scatter: tl.take_along_axis(x, indices, axis) takes by place, x[[0, 2]] whole rows
eq ne gt ge lt le: x == y, x > y and their like give arrays of numpy's, of True and False
new_tensor new_full: tl.full((2, 3), 1.0), tl.tensor(data)
unbind: list(x) takes it apart along its first axis
grad_fn: x.primitive made it of x.inputs; tl.draw(x) shows the graph, tl.formula(x) the rule
"""
"""What tensors have in PyTorch and have not here, on purpose: names, and what to write instead."""


SPOKEN: ContextVar[Callable[[Any], Any] | None] = ContextVar("PyTorch is spoken", default=None)
"""While a ``forward`` runs that was written for PyTorch: what makes one of its tensors of an array."""


def answered(array: Any) -> Any:
    """Return an array with which a tensor answers, such as where it is above 0, as who asks expects it."""
    convert = SPOKEN.get()
    return array if convert is None else convert(array)


def is_torchs(thing: Any) -> bool:
    """Tell whether something is a tensor of PyTorch's."""
    return hasattr(type(thing), "__torch_function__") and not hasattr(thing, "carries_gradient")


def in_our_words(given: Mapping[str, Any], known: Collection[str]) -> dict[str, Any]:
    """Return arguments by name with PyTorch's names exchanged for those that a function knows."""
    ours: dict[str, Any] = {}
    for word, x in given.items():
        name = next((each for each in (word, *WORDS.get(word, "").split(",")) if each in known), word)
        if name in ours:
            raise TypeError(f"{' and '.join(given)}: two of these words are the same argument, {name}")
        ours[name] = tuple(x) if isinstance(x, list) and word in WORDS else x
    return ours


def advice(name: str, refused: str, there: Iterable[str], owner: str) -> str:
    """Return what to write instead of a name that there is not: a hint, numpy's, the nearest, or nothing."""
    from difflib import get_close_matches

    for line in refused.strip().splitlines():
        names, _, words = line.partition(": ")
        if name in names.split():
            return f"; {words}"
    if owner in ("tl", "x") and callable(getattr(np, name, None)):
        return f"; np.{name}(x.value) computes with the numbers, without a gradient"
    known = {each.lower(): each for each in there if not each.startswith("_")}
    nearest = get_close_matches(name.lower(), known, 1, 0.7)
    return f"; did you mean {owner}.{known[nearest[0]]}?" if nearest else ""


def advice_of_tensor(name: str, there: Iterable[str]) -> str:
    """Return what to write instead of a method that tensors have not."""
    if not name.endswith("_"):
        return advice(name, REFUSED, there, "x")
    instead = f"y = x.{name[:-1]}(…) computes another" if name[:-1] in there else "compute another"
    return f"; no tensor is changed in place, since graphs hold it: {instead}; for a leaf there is x.value = new"

"""Backpropagation: one walk, which can be watched step by step or drained for its result."""

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from functools import partial
from operator import add, attrgetter
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from .errors import ShapeError, called, miscounted, misshapen, not_numbers, require_finite_contribution, rule_failed
from .graph import topological_order
from .primitive import Array, Primitive
from .scope import Context, call_in, current
from .tensor import Tensor, as_value

_adding_up = Lock()  # two threads may bring gradients to one leaf


class Contribution(NamedTuple):
    """One edge of the walk: what one use of a tensor adds to its gradient.

    The gradients are read-only arrays, or Tensors where the walk itself is recorded (``create_graph=True``).

    >>> import tinygrad_lstm as tl
    >>> x = tl.tensor(3.0, requires_grad=True)
    >>> [(c.slot, c.contribution.item(), c.after.item()) for c in tl.backprop(x * x)]
    [(0, 3.0, 3.0), (1, 3.0, 6.0)]
    """

    node: Tensor  # the node whose rule was applied
    slot: int  # which of its inputs: x * x has two
    input: Tensor  # node.inputs[slot]
    upstream: Any  # ∂L/∂node, complete
    product: Any  # what the rule returned for this slot, before any sum over broadcast axes
    contribution: Any  # the same in the shape and dtype of the input
    before: Any  # the input's running total before; None if this is the first to arrive
    after: Any  # and after: before + contribution
    arrived: int  # how many contributions the input has received, this one included
    expected: int  # and how many it will receive in all


def backprop(
    output: Tensor,
    seed: ArrayLike | Tensor | None = None,
    *,
    inputs: Iterable[Tensor] | None = None,
    create_graph: bool = False,
) -> Iterator[Contribution]:
    """Walk the graph backwards from the output, yielding one Contribution per edge.

    A node's rule is applied once all contributions to it have arrived. ``seed`` is ∂L/∂output, 1 by default for an
    output of size 1. ``inputs`` restricts the walk to what lies between the output and these tensors. With
    ``create_graph`` the gradients are Tensors, recorded in the scope and time step of the node they belong to.
    Raises ValueError when the output requires no gradient or a seed is missing, ShapeError for a wrong seed or rule.

    >>> import tinygrad_lstm as tl
    >>> x = tl.tensor(3.0, requires_grad=True, name="x")
    >>> for c in tl.backprop(x * x):
    ...     print(c.input.name, c.before, "+", c.contribution, "=", c.after, f"({c.arrived} of {c.expected})")
    x None + 3.0 = 3.0 (1 of 2)
    x 3.0 + 3.0 = 6.0 (2 of 2)
    """
    if not isinstance(output, Tensor):
        raise TypeError(f"backprop starts from a tensor, not from {output!r}")
    first = as_seed(output, seed, create_graph)
    return _walk(output, first, None if inputs is None else _several(inputs), create_graph)


@np.errstate(under="ignore")  # a gradient that vanishes is no fault
def backward(output: Tensor, seed: ArrayLike | Tensor | None = None) -> None:
    """Drain the walk into the ``.grad`` of the leaves. Nothing is changed unless the whole walk succeeds."""
    first = as_seed(output, seed)
    gradients: dict[Tensor, Array] = {output: read_only(first.copy())} if output.is_leaf else {}
    for step in _walk(output, first, None, False, watched=False):
        if step.arrived == step.expected and step.input.primitive is None:
            gradients[step.input] = _owned(step)
    with _adding_up:
        for leaf, gradient in gradients.items():
            total = gradient if leaf._grad is None else read_only(leaf._grad.value + gradient)
            leaf._grad = Tensor(total, context=Context())


@np.errstate(under="ignore")
def grad(
    output: Tensor,
    inputs: Tensor | Sequence[Tensor],
    seed: ArrayLike | Tensor | None = None,
    *,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Tensor | None, ...]:
    """Return ∂output/∂input for each input, leaf or not, leaving every ``.grad`` alone.

    With ``create_graph`` the results can be differentiated again, to any order. Raises ValueError for an input that the
    output does not depend on, unless ``allow_unused`` asks for None in its place.

    >>> import tinygrad_lstm as tl
    >>> x = tl.tensor(3.0, requires_grad=True)
    >>> (slope,) = tl.grad(x ** 3, [x], create_graph=True)
    >>> (curvature,) = tl.grad(slope, [x])
    >>> slope.item(), curvature.item()
    (27.0, 18.0)
    """
    if not isinstance(output, Tensor):
        raise TypeError(
            f"grad starts from one tensor, as in tl.grad(loss, [x]), not from {type(output).__name__}; of several, add "
            "them up first"
        )
    wanted = _several(inputs)
    for position, x in enumerate(wanted):
        if not isinstance(x, Tensor) or not x.requires_grad:
            raise ValueError(f"input {position}{called(x)} requires no gradient: make it with requires_grad=True")
    asked = set(wanted)
    found: dict[Tensor, Any] = {}
    first = as_seed(output, seed, create_graph)
    if output in asked:
        found[output] = first if create_graph else read_only(first.copy())
    for step in _walk(output, first, wanted, create_graph, watched=False):
        if step.arrived == step.expected and step.input in asked:
            found[step.input] = _distinct(step.after) if create_graph else _owned(step)
    results: list[Tensor | None] = []
    for position, x in enumerate(wanted):
        if x not in found and not allow_unused:
            raise ValueError(
                f"the output does not depend on input {position}{called(x)}: no path leads from one to the other. "
                "Pass allow_unused=True to get None for it"
            )
        gradient = found.get(x)
        results.append(gradient if gradient is None or create_graph else Tensor(gradient, context=Context()))
    return tuple(results)


def _several(inputs: Any) -> tuple[Any, ...]:
    if not isinstance(inputs, Iterable):
        raise TypeError(f"inputs are tensors, as in [x, w], not {inputs!r:.60}")
    return (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)


def as_seed(output: Tensor, seed: ArrayLike | Tensor | None, create_graph: bool = False) -> Any:
    """Return ∂L/∂output, checked: ones for a single number, else what the caller gives."""
    if not output.requires_grad:
        raise ValueError(
            f"{output!r} requires no gradient: nothing it was computed from was made with requires_grad=True, "
            "or it was computed under no_grad or detached"
        )
    if seed is None:
        if output.size != 1:
            raise ValueError(
                f"backward from a tensor of shape {output.shape} needs a seed of that shape, the gradient of what "
                "follows; or reduce it to one number first, as in y.sum().backward()"
            )
        seed = np.ones(output.shape, output.dtype)
    given = seed if isinstance(seed, Tensor) else Tensor(as_value(seed, output.dtype), name="seed")
    if given.shape != output.shape:
        raise ShapeError(f"the seed has shape {given.shape}; it must have the output's, {output.shape}")
    if create_graph:
        return given if given.dtype == output.dtype else cast(given, dtype=output.dtype)
    return read_only(given.value.astype(output.dtype, copy=False))


@np.errstate(under="ignore")
def gradients(output: Tensor, seed: ArrayLike | Tensor | None = None) -> dict[Tensor, Array]:
    """Return the complete gradient of every node that takes part in the walk, the output's own included."""
    first = as_seed(output, seed)
    walk = _walk(output, first, None, False, watched=False)
    return {output: first, **{step.input: step.after for step in walk if step.arrived == step.expected}}


def _owned(step: Contribution) -> Array:
    """Return a gradient in an array that nothing else holds: a sum is new, a lone contribution may not be."""
    assert step.node.primitive is not None
    own = step.arrived > 1 or step.node.primitive.fresh
    owned: Array = read_only(step.after if own else step.after.copy())
    return owned


def _distinct(gradient: Tensor) -> Tensor:
    """Return a gradient as a tensor of its own: two inputs of a sum share one, and naming it would name both."""
    value = gradient._value
    return Tensor(value, recall, (gradient,), (value,), {}, gradient.requires_grad, gradient.context)


def unbroadcast(gradient: Any, shape: tuple[int, ...]) -> Any:
    """Sum a gradient over the axes along which its input was broadcast: the one place where broadcasting is undone.

    Raises ValueError for a shape that broadcasting cannot have made.
    """
    extra = len(gradient.shape) - len(shape)
    if extra < 0:
        raise ValueError("too few axes")
    if extra:
        gradient = gradient.sum(axis=tuple(range(extra)))
    if gradient.shape == shape:
        return gradient
    stretched = tuple(i for i, n in enumerate(shape) if n != gradient.shape[i])
    if any(shape[i] != 1 for i in stretched):
        raise ValueError("axes that are neither equal nor 1")
    return gradient.sum(axis=stretched, keepdims=True)


def _walk(
    output: Tensor, seed: Any, inputs: tuple[Tensor, ...] | None, create_graph: bool, *, watched: bool = True
) -> Iterator[Contribution]:
    """Walk; where nobody watches, add up in place and yield only what completes a gradient."""
    walk = _steps(output, seed, inputs, create_graph, watched)
    return _silenced(walk) if current().detecting_nan else walk


def _steps(
    output: Tensor, seed: Any, inputs: tuple[Tensor, ...] | None, create_graph: bool, watched: bool
) -> Iterator[Contribution]:
    expected = _plan(output, inputs)
    arrived = dict.fromkeys(expected, 0)
    totals = {output: seed}
    detecting_nan = current().detecting_nan
    watched = watched or create_graph or bool(detecting_nan)
    apply = apply_vjp if watched else _apply
    for node in sorted(expected, key=attrgetter("serial"), reverse=True):
        if node.primitive is None:
            continue
        upstream = totals.pop(node)
        for slot, product, contribution in apply(node, upstream, expected, create_graph, watched):
            x = node.inputs[slot]
            before = totals.get(x)
            if contribution is None:
                after = _placed(product, before, node.input_values[slot])
            elif before is None:
                after = contribution
            elif create_graph:
                after = _recorded(x, add, before, contribution)
            elif not watched and type(before) is np.ndarray and before.flags.writeable:
                after = np.add(before, contribution, out=before)
            else:
                after = before + contribution
            totals[x] = after
            arrived[x] = count = arrived[x] + 1
            if watched or count == expected[x]:
                if not create_graph:
                    totals[x] = after = read_only(after)
                if detecting_nan:
                    require_finite_contribution(contribution, upstream, node, slot, detecting_nan)
                    require_finite_contribution(after, upstream, node, slot, detecting_nan)
                edge = (node, slot, x, upstream, product, contribution, before, after, count, expected[x])
                yield tuple.__new__(Contribution, edge)  # what Contribution(*edge) comes to, in half the time


def _silenced(walk: Iterator[Contribution]) -> Iterator[Contribution]:
    """Walk without numpy's warnings, which are back whenever the walk is suspended."""
    while True:
        with np.errstate(all="ignore"):
            step = next(walk, None)
        if step is None:
            return
        yield step


def _placed(product: partial[Any], before: Any, value: Any) -> Any:
    """Return a total with a product added where it belongs, instead of placed among zeros and added.

    Only an array of our own is written into: one that is still writeable was made here.
    """
    if before is None:
        before = np.zeros_like(value)
    elif not before.flags.writeable:
        before = np.array(before, subok=True)
    product.func.into(before, *product.args, **product.keywords)  # type: ignore[attr-defined]
    return before


@np.errstate(under="ignore")
def apply_vjp(
    node: Tensor, upstream: Any, taking_part: Container[Tensor], create_graph: bool = False, watched: bool = True
) -> list[tuple[int, Any, Any]]:
    """Apply a node's rule to its gradient, for each input slot that takes part.

    Returns the slot, the product of the rule, and the contribution: the same in the shape and dtype of the input. This
    is all that a step of the walk computes besides adding up, so that whoever keeps the gradients of the nodes can
    have any step again. Unwatched, what can be added in place is not computed yet, and its contribution None.
    """
    return _apply(node, upstream, taking_part, create_graph, watched)


def _apply(
    node: Tensor, upstream: Any, taking_part: Container[Tensor], create_graph: bool, watched: bool
) -> list[tuple[int, Any, Any]]:
    rule = node.primitive and node.primitive.rule
    assert rule is not None
    values = node.input_values
    try:
        if create_graph:
            products = _recorded(node, _differentiable, rule, node, upstream)
        else:
            products = rule(upstream, node._value, *values, **node._attrs)
    except Exception as error:
        error.add_note(rule_failed(node, upstream))
        raise
    if not isinstance(products, tuple) or len(products) != len(node.inputs):
        raise miscounted(products, node)
    made = []
    for slot, x in enumerate(node.inputs):
        if x not in taking_part:
            continue
        value, product = values[slot], products[slot]
        if callable(product):
            if not watched and _fits_in_place(product, value):
                made.append((slot, product, None))
                continue
            product = _recorded(node, product) if create_graph else product()
        if create_graph:
            product, contribution = _recorded(node, _fit, product, value, node, slot, True)
        elif type(product) is np.ndarray and product.shape == value.shape and product.dtype is value.dtype:
            product.setflags(False)  # type: ignore[call-arg]
            contribution = product
        else:
            product, contribution = _fit(product, value, node, slot, False)
        made.append((slot, product, contribution))
    return made


def _fits_in_place(product: Any, value: Any) -> bool:
    """Tell whether a rule returned a primitive, its inputs and attributes, that can write into a total like value."""
    into = type(product) is partial and getattr(product.func, "into", None)
    return bool(into) and product.keywords.get("shape") == value.shape


def _plan(output: Tensor, inputs: tuple[Tensor, ...] | None) -> dict[Tensor, int]:
    """Return the nodes that take part, and how many contributions each will receive.

    They are those that require a gradient and, if inputs are given, lie between them and the output.
    """
    on_path = None if inputs is None else _leading_to(inputs, output)
    expected = {output: 0}
    unvisited = [output]
    while unvisited:
        for x in unvisited.pop().inputs:
            if x in expected:
                expected[x] += 1
            elif x.requires_grad and (on_path is None or x in on_path):
                expected[x] = 1
                unvisited.append(x)
    return expected


def _leading_to(inputs: tuple[Tensor, ...], output: Tensor) -> set[Tensor]:
    leading = set(inputs)
    for node in topological_order(output):
        if any(x in leading for x in node.inputs):
            leading.add(node)
    return leading


def _recorded(node: Tensor, function: Callable[..., Any], *args: Any) -> Any:
    """Call the function in the scope and time step of a node, recording, whatever the caller of the walk is doing.

    NaNs are looked for in what comes out, by the walk, which can say whose rule made them.
    """
    return call_in(node.context._replace(recording=True, detecting_nan=None), function, args, {})


def _differentiable(rule: Callable[..., tuple[Any, ...]], node: Tensor, upstream: Tensor) -> tuple[Any, ...]:
    """Apply the rule to Tensors."""
    operands = [as_it_was(x, value) for x, value in zip(node.inputs, node.input_values, strict=True)]
    return rule(upstream, node, *operands, **node.attrs)


recall = Primitive("recall", lambda x: x, lambda g, y, x: (g,), "recall")
cast = Primitive(
    "cast",
    lambda x, dtype=None: x if np.iscomplexobj(x) else np.asarray(x, dtype),
    lambda g, y, x, dtype=None: (g,),
    "cast",
)


def as_it_was(x: Tensor, value: Any) -> Tensor:
    """Return x as it was when the graph ran, still differentiable, should an optimiser have moved it since."""
    if x._value is value:
        return x
    return Tensor(value, recall, (x,), (value,), requires_grad=x.requires_grad, name=x.name)


def _fit(product: Any, value: Any, node: Tensor, slot: int, create_graph: bool) -> tuple[Any, Any]:
    """Return what a rule made, checked, and the same in the shape and dtype of the input it is for."""
    if product is None:
        zero = np.zeros(value.shape, value.dtype)
        product = Tensor(as_value(zero)) if create_graph else zero
    elif not _is_numbers(product):
        raise not_numbers(product, node, slot)
    if create_graph:
        if isinstance(product, np.ndarray) and node.primitive is not None:
            raise TypeError(
                f"the rule of {node.primitive.name} left the graph: given tensors it returned an array, which cannot "
                "be differentiated again. Write it with operators and primitives only"
            )
        product = product if isinstance(product, Tensor) else Tensor(as_value(product, value.dtype))
    else:
        product = read_only(product)
    contribution = product
    if product.shape != value.shape:
        try:
            contribution = unbroadcast(product, value.shape)
        except ValueError:
            raise misshapen(product, node, slot) from None
    if create_graph:
        if contribution.dtype != value.dtype:
            contribution = cast(contribution, dtype=value.dtype)
    else:
        contribution = read_only(contribution)
        if contribution.dtype != value.dtype:
            contribution = read_only(contribution.astype(value.dtype))
    return product, contribution


def _is_numbers(product: Any) -> bool:
    try:
        array = product.value if isinstance(product, Tensor) else np.asanyarray(product)
    except ValueError:  # rows that differ in shape
        return False
    return array.dtype.kind in "buif" or type(array) is not np.ndarray  # numbers of many digits have a class of theirs


def read_only(array: Any) -> Any:
    """Return the array itself, made read-only; a plain one, unless its numbers are objects."""
    if type(array) is not np.ndarray:
        array = np.asanyarray(array)
        if array.dtype != object:  # numbers of many digits keep an array of their own kind
            array = np.asarray(array)
    array.setflags(False)  # by position: half the time
    return array

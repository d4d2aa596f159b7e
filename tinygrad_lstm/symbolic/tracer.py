"""The tracer: it runs a forward or a rule on objects that stand for arrays, and writes down all that is done to them.

What comes out is an expression with every constant, shape and zero in it. Read as it is, it is made of primitives and
makes formulas. Opened, each primitive is replaced by what its forward does, down to numpy's ufuncs, their reductions
and running sums, and eleven operations (``where``, ``reshape``, ``transpose``, ``broadcast_to``, ``concat``, ``stack``,
indexing, its transpose, ``matmul``, ``einsum``, a change of type): what another machine needs to know to compute the
same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import index as index_of
from typing import Any, NoReturn, Self

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import DTypeLike, NDArray

from ..engine import ops
from ..engine.numpys import OURS, UFUNCS
from ..engine.operators import Operators
from ..engine.primitive import Primitive
from ..structure.words import largest_finite
from .expressions import Apply, Constant, Expression, Function, Gradient, Name
from .rewriting import applications


class UnknownToReader(UserWarning):
    """What a forward or a rule does that cannot be read, and which one it was.

    Raised by the tracer. A reader that goes on without what it could not read gives it as a warning.

    >>> import numpy as np, tinygrad_lstm as tl
    >>> doubled = tl.primitive("doubled", lambda x: np.asarray(x) * 2, lambda g, y, x: (2 * g,))
    >>> read_forward(doubled, [np.ones(3)], {})
    Traceback (most recent call last):
    tinygrad_lstm.symbolic.tracer.UnknownToReader: the forward of doubled cannot be read: it takes the numbers out ...
    """


def read_forward(primitive: Primitive, inputs: Sequence[NDArray[Any]], attrs: Mapping[str, Any]) -> TracedArray:
    """Return what a forward computes of inputs of such shapes, opened; they are called x0, x1, ...

    Raises UnknownToReader for a forward that leaves what can be read, or does not give the same for these inputs.

    >>> import numpy as np, tinygrad_lstm as tl
    >>> from tinygrad_lstm.symbolic.written import text
    >>> text(read_forward(tl.relu, [np.ones(2)], {}).expression)
    'maximum(x0, 0)'
    """
    names = [Name(f"x{i}") for i in range(len(inputs))]
    (made,) = _read("forward", primitive, primitive, names, inputs, attrs, OpenedArray)
    assert made is not None
    return made


def read_rule(
    primitive: Primitive,
    names: Sequence[Expression],
    values: Sequence[Any],
    attrs: Mapping[str, Any],
    *,
    opened: bool = False,
) -> tuple[TracedArray | None, ...]:
    """Return what a rule makes for each input, as it makes it; None where no gradient flows.

    ``names`` are what to call the upstream gradient, the output and the inputs, ``values`` arrays of their shapes.
    Raises UnknownToReader for a rule that leaves what can be read, or does not give the same for these arrays.
    """
    assert primitive.rule is not None
    return _read("rule", primitive, primitive.rule, names, values, attrs, OpenedArray if opened else TracedArray)


def evaluate(
    traced: Sequence[TracedArray | None],
    names: Mapping[str, Any],
    apply: Callable[[Function, Sequence[Any], Mapping[str, Any]], Any],
    constant: Callable[[Any], Any],
) -> list[Any]:
    """Compute what was read, with values for its names; what several expressions share is computed once.

    ``apply(function, operands, attrs)`` computes a function, ``constant`` turns a constant into what it takes.
    """
    known: dict[Expression, Any] = {}

    def value(expression: Expression) -> Any:
        if isinstance(expression, Name):
            return names[expression.text]
        if isinstance(expression, Apply):
            return known[expression]
        assert not isinstance(expression, Gradient)
        return constant(expression.value)

    for each in applications(*(each.expression for each in traced if each is not None)):
        known[each] = apply(each.function, [value(x) for x in each.operands], each.attrs)
    return [None if each is None else value(each.expression) for each in traced]


class TracedArray(Operators, NDArrayOperatorsMixin):
    """An expression, and an array of the shape it has: forwards and rules may ask for shapes, never for numbers."""

    __slots__ = ("expression", "value")

    def __init__(self, expression: Expression, value: Any) -> None:
        self.expression = expression
        self.value = value

    @classmethod
    def of(cls, x: Any) -> Self:
        """Return x if it is traced, and otherwise the constant that it is."""
        if isinstance(x, cls):
            return x
        value = x if isinstance(x, int | float) else np.asarray(x)  # Python's numbers take the type of the others
        return cls(Constant(value), value)

    @classmethod
    def __primitive__(cls, primitive: Primitive, inputs: tuple[Any, ...], attrs: Mapping[str, Any]) -> Self:
        return cls.record(primitive, inputs, attrs)

    @classmethod
    def record(cls, function: Function, inputs: Sequence[Any], attrs: Mapping[str, Any]) -> Self:
        """Write down the application of a function."""
        traced = [cls.of(x) for x in inputs]
        compute = function.forward if isinstance(function, Primitive) else function
        with np.errstate(all="ignore"):
            value = np.asarray(compute(*(x.value for x in traced), **attrs))
        return cls(Apply(function, tuple(x.expression for x in traced), attrs, value), value)

    @classmethod
    def of_ufunc(cls, ufunc: np.ufunc, inputs: Sequence[Any]) -> Any:
        """Write down a ufunc as the operation that it is here, if there is one."""
        ours = UFUNCS.get(ufunc)
        return ours(*map(cls.of, inputs)) if ours else cls.record(ufunc, inputs, {})

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **details: Any) -> Any:
        if getattr(np, ufunc.__name__, None) is not ufunc:
            raise UnknownToReader(f"{ufunc.__name__} is not numpy's own")
        if method == "at" or "out" in details:
            raise UnknownToReader(f"it writes into an array, by {ufunc.__name__}")
        if method in ("reduce", "accumulate") and ufunc.nin == 2:
            kept = {key: value for key, value in details.items() if value is not None or key == "axis"}
            return self.record(getattr(ufunc, method), inputs, {"axis": 0, **kept})
        if method != "__call__" or details or ufunc.nout != 1:
            raise UnknownToReader(f"it uses {ufunc.__name__} as nobody else does: {', '.join([method, *details])}")
        return self.of_ufunc(ufunc, inputs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        known = _NUMPY.get(function)
        if known is None:
            raise UnknownToReader(f"numpy's {function.__name__} is not among what can be read")
        return known(*args, **kwargs)

    @property
    def shape(self) -> tuple[int, ...]:
        return np.shape(self.value)

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.asarray(self.value).dtype

    @property
    def size(self) -> int:
        return np.size(self.value)

    @property
    def real(self) -> Self:
        return self

    def __len__(self) -> int:
        return len(self.value)

    # What numpy's methods mean, since it stands for an array; those of tensors speak PyTorch where they differ.

    def sum(self, axis: Any = None, keepdims: bool = False) -> Self:
        return self.__primitive__(ops.sum, (self,), {"axis": axis, "keepdims": keepdims})

    def mean(self, axis: Any = None, keepdims: bool = False) -> Self:
        return self.__primitive__(ops.mean, (self,), {"axis": axis, "keepdims": keepdims})

    def max(self, axis: Any = None, keepdims: bool = False) -> Self:
        return self.__primitive__(ops.max, (self,), {"axis": axis, "keepdims": keepdims})

    def reshape(self, *shape: Any) -> Self:
        if len(shape) == 1 and not isinstance(shape[0], int | np.integer):
            (shape,) = shape
        return self.__primitive__(ops.reshape, (self,), {"shape": tuple(map(index_of, shape))})

    def transpose(self, *axes: Any) -> Self:
        if len(axes) == 1 and isinstance(axes[0], tuple | list):
            (axes,) = axes
        axes = tuple(map(index_of, axes))
        return self.__primitive__(ops.transpose, (self,), {"axes": axes or None})

    def astype(self, dtype: DTypeLike) -> Self:
        return self.record(cast, [self], {"dtype": np.dtype(dtype)})

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__") or not hasattr(np.ndarray, name):
            raise AttributeError(f"an array that is being read has no attribute {name!r}")
        raise UnknownToReader(f"it uses .{name} of an array")

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        raise UnknownToReader("it writes into an array")

    def __bool__(self) -> NoReturn:
        raise UnknownToReader("it goes by the numbers in an array: numpy's where chooses without looking")

    def __array__(self, dtype: Any = None, copy: Any = None) -> NoReturn:
        raise UnknownToReader("it takes the numbers out of an array")

    __float__ = __int__ = __index__ = __array__


class OpenedArray(TracedArray):
    """One that looks into primitives: it writes down what their forwards do."""

    __slots__ = ()

    @classmethod
    def __primitive__(cls, primitive: Primitive, inputs: tuple[Any, ...], attrs: Mapping[str, Any]) -> Self:
        if primitive in _AS_THEY_ARE:
            return cls.record(primitive, inputs, attrs)
        made = primitive.forward(*map(cls.of, inputs), **attrs)
        return cls.of(made)

    @classmethod
    def of_ufunc(cls, ufunc: np.ufunc, inputs: Sequence[Any]) -> Self:
        return cls.record(ufunc, inputs, {})


def cast(x: Any, dtype: DTypeLike) -> Any:
    """Return x as numbers of another type."""
    return x.astype(dtype)


def _read(
    what: str,
    primitive: Primitive,
    function: Callable[..., Any],
    names: Sequence[Expression],
    values: Sequence[Any],
    attrs: Mapping[str, Any],
    traced: type[TracedArray],
) -> tuple[TracedArray | None, ...]:
    try:
        with np.errstate(all="ignore"):  # a slope that is infinite here can be read as well
            made = _parts(function(*map(traced, names, values), **attrs), traced.of)
            _require_same(made, _parts(function(*values, **attrs), np.asarray))
        return made
    except UnknownToReader as reason:
        raise UnknownToReader(f"the {what} of {primitive.name} cannot be read: {reason}") from None
    except Exception as error:  # whatever somebody's own function raises where it meets what is no array
        complaint = f"{type(error).__name__}: {error}"
        raise UnknownToReader(f"the {what} of {primitive.name} cannot be read: {complaint}") from error


def _parts(made: Any, each: Callable[[Any], Any]) -> tuple[Any, ...]:
    parts = (part() if callable(part) else part for part in (made if isinstance(made, tuple) else (made,)))
    return tuple(None if part is None else each(part) for part in parts)


def _require_same(traced: tuple[TracedArray | None, ...], arrays: tuple[NDArray[Any] | None, ...]) -> None:
    """Compare what was read with what arrays give: a function may tell the two apart, or throw dice."""
    for ours, theirs in zip(traced, arrays, strict=True):
        read: Any = None if ours is None else ours.value
        if (read is None) != (theirs is None) or not (theirs is None or _close(read, theirs)):
            raise UnknownToReader("it computes something else with arrays")


def _close(a: NDArray[Any], b: NDArray[Any]) -> bool:
    """Compare to a few last places of the largest: a forward may take a shorter way with arrays."""
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape or a.dtype != b.dtype or a.dtype.kind != "f":
        return bool(np.array_equal(a, b))
    slack = 8 * np.finfo(a.dtype).eps * largest_finite(b)
    return np.allclose(a, b, rtol=0, atol=slack, equal_nan=True)


_NUMPY: dict[Any, Callable[..., Any]] = {
    **OURS,
    np.real: lambda x: x,
    np.iscomplexobj: lambda x: False,
    np.result_type: lambda *xs: np.result_type(*(getattr(x, "dtype", x) for x in xs)),
    np.zeros_like: lambda x, shape=None: np.zeros(x.shape if shape is None else shape, x.dtype),
    np.ones_like: lambda x, shape=None: np.ones(x.shape if shape is None else shape, x.dtype),
    np.shape: lambda x: x.shape,
    np.ndim: lambda x: x.ndim,
    np.size: lambda x: x.size,
}
"""numpy's functions as primitives, or as what they are composed of."""

_AS_THEY_ARE = {
    ops.where,
    ops.reshape,
    ops.transpose,
    ops.broadcast_to,
    ops.concat,
    ops.stack,
    ops.getitem,
    ops.index_add,
    ops.einsum,
}
"""Operations on shapes, which are not opened since they compute nothing; and the sum of products."""

"""A Tensor: a value, and how it was made.

A node is data, not a closure. It keeps the primitive that made it, its ordered inputs with the values they had then,
the attributes, and the scope and time step the program was in. Edges point only to inputs, so there are no reference
cycles; values are read-only, so nothing recorded can be falsified later.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from sys import _getframe as getframe
from types import CodeType, MappingProxyType, MethodDescriptorType
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from . import numpys, ops, torchs
from .compared import Compared, compared
from .errors import LeavesTheGraph, ShapeError, called, forward_failed, require_finite_value, short
from .methods import Count, methods
from .operators import NO_ATTRS, Operators
from .overwritten import written_over
from .primitive import NO_MASK, Array, Kind, Primitive, unmasked
from .pytorch import SPOKEN, advice_of_tensor, answered
from .scope import Context, current
from .source import SKIPPED_FILES, Line, line_of, place

_serial = itertools.count()

CUT = Primitive("detach", lambda x: x, None, None, kind="movement")
"""What stands for ``detach`` while a program for other data is recorded. In a graph of its own there is a leaf."""
_NUMBERS = (int, float, np.integer, np.floating, np.bool_)


class Tensor(Operators):
    """A read-only float64 or float32 array that remembers how it was computed. Make one with ``tl.tensor``.

    >>> import tinygrad_lstm as tl
    >>> (tl.tensor([1, 2], name="x") * 2).inputs
    (tensor([1., 2.], name='x'), tensor(2.))
    """

    __slots__ = (
        "__weakref__",
        "_attrs",
        "_grad",
        "_value",
        "code",
        "context",
        "input_values",
        "inputs",
        "instruction",
        "name",
        "primitive",
        "requires_grad",
        "serial",
    )

    def __init__(
        self,
        value: Array,
        primitive: Primitive | None = None,
        inputs: tuple[Tensor, ...] = (),
        input_values: tuple[Array, ...] = (),
        attrs: Mapping[str, Any] = NO_ATTRS,
        requires_grad: bool = False,
        context: Context | None = None,
        name: str | None = None,
        code: CodeType | Line | None = None,
        instruction: int = 0,
    ) -> None:
        if primitive.__class__ is not Primitive:
            value = _of_leaf(value, primitive)
        self._value = value
        self.primitive = primitive
        self.inputs = inputs
        self.input_values = input_values
        self._attrs = attrs
        self.requires_grad = requires_grad
        self.context = current() if context is None else context
        self.name = name
        self.serial: float = next(_serial)  # a fraction where a graph was put in between
        self.code = code
        self.instruction = instruction
        self._grad: Tensor | None = None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in torchs.METHODS and SPOKEN.get() is not None:
            return partial(torchs.METHODS[name], self)
        raise AttributeError(f"a tensor has no {name!r}{advice_of_tensor(name, dir(self))}", name=name)

    def __init_subclass__(cls) -> None:
        raise TypeError("a Tensor is data and cannot be subclassed; put behaviour into a tl.nn.Module")

    # The value

    @property
    def value(self) -> Array:
        """The array, read-only. Assign a new array to a leaf to replace it; older graphs keep the one they used.

        Nothing is written into it: for ``w.value -= step``, where numpy says that the output array is read-only, write
        ``w.value = w.value - step``; for ``w.value[0] = 1``, change a copy, ``w.value.copy()``, and assign that.
        """
        return self._value

    @value.setter
    def value(self, new: ArrayLike) -> None:
        if not self.is_leaf:
            raise ValueError(f"only a leaf's value can be replaced; {self!r} was computed by {self.primitive!r}")
        self._value = _like(self, new, "value")

    @property
    def shape(self) -> tuple[int, ...]:
        return self._value.shape

    @property
    def ndim(self) -> int:
        return self._value.ndim

    @property
    def size(self) -> int:
        return Count(self._value)

    @property
    def dtype(self) -> np.dtype[np.floating[Any]]:
        return self._value.dtype

    @property
    def device(self) -> str:
        """Return "cpu", as PyTorch calls the processor in whose memory all tensors live."""
        return "cpu"

    def numpy(self) -> Array:
        """Return the value itself, read-only: ``x.numpy().copy()`` is yours to change."""
        return self._value

    def item(self) -> float:
        """Return the one number that a tensor of size 1 holds."""
        return float(self._value.item())

    def tolist(self) -> Any:
        return self._value.tolist()

    # numpy's habits

    @property
    def carries_gradient(self) -> bool:
        """Tell whether something computed of it now would be part of a graph, and have a gradient."""
        return self.requires_grad and current().recording

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        self._leave("as an array")
        return np.array(self._value, dtype=dtype, copy=copy)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return numpys.call(function, args, kwargs)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return numpys.call_ufunc(ufunc, method, inputs, kwargs)

    @classmethod
    def __torch_function__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        dot = "." if isinstance(function, MethodDescriptorType) else ""
        return torchs.call(f"{dot}{function.__name__}", args, kwargs or {})

    def _leave(self, how: str) -> None:
        """Refuse to leave the graph with many numbers; of one, which everybody prints, warn. A leaf leaves nothing.

        But a masked array that is added to a leaf asks the leaf for its numbers, and the sum is an array.
        """
        if self.carries_gradient and getframe(2).f_globals.get("__name__", "").startswith("numpy.ma"):
            raise TypeError(NO_MASK)
        if self.is_leaf or not self.carries_gradient:
            return
        if self.size != 1:
            raise TypeError(numpys.left(f"taking it {how}", self))
        frame, level = getframe(1), 2
        while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] in ("numpy", "tinygrad_lstm"):
            frame, level = frame.f_back, level + 1
        warnings.warn(numpys.left(f"taking it {how}", self), LeavesTheGraph, stacklevel=level)

    def __copy__(self) -> Tensor:
        copied = object.__new__(Tensor)
        copied.__setstate__(self.__getstate__())
        return copied

    def __getstate__(self) -> tuple[None, dict[str, Any]]:
        """Return all but compiled code, which cannot be copied; the line it stands for can."""
        parts = {name: getattr(self, name) for name in self.__slots__ if name != "__weakref__"}
        return None, {**parts, "code": self.line, "context": self.context.without_code()}

    def __setstate__(self, state: tuple[None, dict[str, Any]]) -> None:
        """Make a copy, deep or from a pickle, as read-only as the original, and newer than its inputs."""
        for name, part in state[1].items():
            setattr(self, name, part)
        self.serial = next(_serial)
        for value in (self._value, *self.input_values):
            value.setflags(write=False)

    # How it was made

    @property
    def scope(self) -> tuple[str, ...]:
        """The modules it was made in, outermost first."""
        return self.context.scope

    @property
    def time(self) -> int | None:
        """The time step it was made at, if any."""
        return self.context.time

    @property
    def line(self) -> Line | None:
        """The line of source that made it; in a cell of ours, the line of the cell. None for a leaf, but where one was
        detached."""
        return line_of(self.code, self.instruction)

    @property
    def attrs(self) -> Mapping[str, Any]:
        """The primitive's attributes, such as an axis; read-only."""
        return MappingProxyType(self._attrs)

    @property
    def is_leaf(self) -> bool:
        return self.primitive is None

    def detach(self) -> Tensor:
        """Return the same value as a new leaf: no gradient flows through it, and what made it may be forgotten.

        But not when, nor what it was called, nor the line that cut it: a recurrent layer that is given a detached state
        goes on in time, and pictures show where nothing flows.
        """
        if current().any_data:
            return self._cut()
        then = following(self, through=lambda node: node.primitive is not None and node.primitive.kind is Kind.movement)
        origin = self
        while origin.name is None and origin.primitive is not None and origin.primitive.kind is Kind.movement:
            origin = origin.inputs[0]  # as h of which h_n is a stack
        context, (code, instruction) = current()._replace(offset=then), place(0)
        return Tensor(self._value, name=origin.name, context=context, code=code, instruction=instruction)

    def _cut(self) -> Tensor:
        """Return the same value as a node that no gradient flows through: for other data it is another one."""
        return Tensor(self._value, CUT, (self,), (self._value,), NO_ATTRS, False, current(), None, *place(0))

    @property
    def detached(self) -> bool:
        """Whether it is a leaf because its history was cut off."""
        return self.primitive is None and self.code is not None

    # Its gradient

    @property
    def grad(self) -> Tensor | None:
        """The sum of all gradients that ``backward`` brought to this leaf since it was last set to None.

        Of what was computed none is kept: a hint says, once for each line, where to get it.
        """
        if self._grad is None and self.primitive is not None and self.requires_grad:
            warnings.warn(
                f"backward keeps the gradients of leaves; .grad of what {self.primitive.name}{self.context.place} "
                f"computed{called(self)} is None. Ask for it: tl.grad(loss, [h]), or tl.step(loss).ledger(h)",
                stacklevel=2,
            )
        return self._grad

    @grad.setter
    def grad(self, new: ArrayLike | Tensor | None) -> None:
        self._grad = None if new is None else Tensor(_like(self, new, "gradient"), context=Context())

    def backward(self, seed: ArrayLike | Tensor | None = None, *, retain_graph: bool = True) -> None:
        """Add ∂self/∂leaf to the ``.grad`` of every leaf that requires one.

        A tensor of size 1 needs no seed; any other needs the gradient of what follows it, in its own shape. The graph
        survives, asked to or not: calling this twice adds up. For gradients to differentiate again, see
        ``tl.grad(create_graph=True)``.
        """
        from .backprop import backward

        backward(self, seed)

    # Python's habits

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TypeError(
            "a tensor's value cannot be written into: graphs already hold it. Compute a new tensor, for instance with "
            "tl.where(mask, new, x); or, for a leaf, replace the whole: x.value = new"
        )

    def __iadd__(self, other: Any) -> Any:
        return written_over(self, self + other)

    def __imul__(self, other: Any) -> Any:
        return written_over(self, self * other)

    def __itruediv__(self, other: Any) -> Any:
        return written_over(self, self / other)

    def __isub__(self, other: Any) -> Any:
        """Compute ``x - other``, except where ``w -= step`` was meant to move a weight, which would bind another."""
        if self.is_leaf and self.requires_grad and not current().recording:
            raise TypeError(
                f"w -= step would make a new tensor and leave the weight{called(self)} as it was; replace its value, "
                "w.value = w.value - step, or take an optimiser, as in tl.SGD([w], lr=0.1)"
            )
        return written_over(self, self - other)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a 0-d tensor has no length; .item() gives its number")
        return self.shape[0]

    def __iter__(self) -> Iterator[Self]:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ValueError(
                f"the truth of a tensor of shape {self.shape} is ambiguous; compare one number, as in (x > 0).all()"
            )
        return bool(self._value.item())

    def __float__(self) -> float:
        self._leave("by float()")
        return self.item()

    def __int__(self) -> int:
        self._leave("by int()")
        return int(self.item())

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else repr(self)

    def __gt__(self, other: Any) -> Any:
        return self._compared(self._value > _plain(other), lambda: ops.greater(self, other))

    def __ge__(self, other: Any) -> Any:
        return self._compared(self._value >= _plain(other), lambda: ops.greater(self, other) + ops.equal(self, other))

    def __lt__(self, other: Any) -> Any:
        return self._compared(self._value < _plain(other), lambda: ops.greater(other, self))

    def __le__(self, other: Any) -> Any:
        return self._compared(self._value <= _plain(other), lambda: ops.greater(other, self) + ops.equal(self, other))

    def __eq__(self, other: Any) -> Any:
        return self._compared(self._value == _plain(other), lambda: ops.equal(self, other))

    def __ne__(self, other: Any) -> Any:
        return self._compared(self._value != _plain(other), lambda: 1 - ops.equal(self, other))

    def _compared(self, array: NDArray[np.bool_], node: Callable[[], Tensor]) -> Any:
        """Return booleans as who asks expects them; where a program is recorded, such as know how they are computed."""
        return compared(array, node()) if current().any_data and SPOKEN.get() is None else answered(array)

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        numbers = np.array2string(self._value, precision=4, separator=", ", prefix="tensor(", threshold=20)
        name = f", name={self.name!r}" if self.name is not None else ""
        dtype = f", dtype={self.dtype}" if self.dtype != np.float64 else ""
        made = f", made by {self.primitive.name}{self.context.place}" if self.primitive else ""
        needs = ", requires_grad=True" if self.is_leaf and self.requires_grad else ""
        return f"tensor({numbers}{name}{dtype}{made}{needs})"


def following(*tensors: Tensor, through: Callable[[Tensor], bool] = lambda node: True) -> int | None:
    """Return the time step after the last one behind the tensors, looked for through what has no time of its own."""
    seen, unvisited, steps = set(tensors), list(tensors), []
    while unvisited:
        node = unvisited.pop()
        if not node.is_leaf and node.time is not None:
            steps.append(node.time + 1)
        elif node.context.offset is not None:
            steps.append(node.context.offset)
        elif through(node):
            unvisited += [x for x in node.inputs if x not in seen]
            seen.update(node.inputs)
    return max(steps, default=None)


def _plain(other: Any) -> NDArray[Any]:
    return other._value if isinstance(other, Tensor) else np.asarray(other)


def tensor(
    data: ArrayLike | Tensor, *, requires_grad: bool = False, name: str | None = None, dtype: DTypeLike | None = None
) -> Tensor:
    """Make a new leaf, holding a copy of the data.

    float64 unless the data, or ``dtype``, say float32; Python numbers, lists, bools and integers become float64.
    Raises TypeError for complex numbers, objects and strings. ``name`` is what pictures and formulas call it.

    >>> import tinygrad_lstm as tl
    >>> tl.tensor([[1, 2]], name="x")
    tensor([[1., 2.]], name='x')
    """
    if name is not None and not isinstance(name, str):
        raise TypeError(f"a tensor's name must be a string, not {name!r}")
    return Tensor(as_value(data, dtype), requires_grad=bool(requires_grad), name=name)


def as_value(data: Any, dtype: DTypeLike | None = None) -> Array:
    """Return a read-only copy of the data in one of the two number types, float64 or float32."""
    if isinstance(data, Tensor):
        data = data._value
    elif isinstance(data, list | tuple) and _holds_gradients(data):
        raise TypeError("making a tensor of tensors would cut their gradients; join them with tl.stack or tl.concat")
    elif hasattr(data, "__torch_function__"):
        data = torchs.as_array(data)
    try:
        array = np.array(unmasked(data))
    except ValueError as error:
        raise TypeError(
            f"tensors hold rectangular arrays of real numbers; these rows differ in shape ({error})"
        ) from error
    if array.dtype.kind not in "buif":
        raise TypeError(f"tensors hold real numbers (float64 or float32), not {array.dtype}: {short(data)}")
    wanted = float_type(dtype) if dtype is not None or array.dtype != np.float32 else array.dtype
    array = array.astype(wanted, copy=False)
    array.setflags(write=False)
    return array


def float_type(dtype: Any) -> np.dtype[Any]:
    """Return float64, float32, or for None float64. Raises TypeError for anything else."""
    try:
        found: np.dtype[Any] | None = np.dtype(dtype)
    except Exception:  # whatever numpy says of what is no type
        found = None
    if found is None or found not in (np.float64, np.float32):
        raise TypeError(f"tensors are float64 or float32, not {found or short(dtype)}")
    return found


def record(primitive: Primitive, inputs: tuple[Any, ...], attrs: Mapping[str, Any]) -> Tensor:
    """Compute a primitive and keep how: the one place where nodes are made."""
    context = current()
    requires_grad = False
    values = []
    for x in inputs:
        if type(x) is not Tensor:
            return record(primitive, _as_tensors(inputs), attrs)
        values.append(x._value)
        if x.requires_grad:
            requires_grad = True
    for attr in attrs.values():
        if isinstance(attr, np.ndarray | list):
            attrs = {name: _frozen(part) for name, part in attrs.items()}
            break
    forward = np.errstate(all="ignore")(primitive.forward) if context.detecting_nan else primitive.forward
    try:
        value = forward(*values, **attrs)
    except (ValueError, IndexError, TypeError, OverflowError) as error:
        raise forward_failed(error, primitive, values, attrs, context) from error
    if type(value) is not np.ndarray:
        if isinstance(value, tuple | list):
            raise TypeError(
                f"{primitive.name}{context.place} returned a {type(value).__name__} of {len(value)}; a forward returns "
                "one array: np.stack makes one of several, or each is an operation of its own"
            )
        value = np.asarray(value)
    if value.dtype.char not in "df":
        raise TypeError(f"{primitive.name}{context.place} returned {value.dtype}; a value must be float64 or float32")
    if value.base is not None and value.flags.writeable:
        value = value.copy()
    value.setflags(False)  # by position: half the time
    if context.detecting_nan:
        require_finite_value(primitive, value, inputs, context)
    if not context.recording:
        if context.any_data:
            return Tensor(value, primitive, inputs, tuple(values), attrs, False, context, None, *place(0))._cut()
        return Tensor(value, context=context)
    needs = requires_grad and primitive.rule is not None
    frame = getframe(1)  # where the program is: what place() does, without a call, since every node comes by here
    while frame.f_code.co_filename in SKIPPED_FILES and frame.f_back is not None:
        frame = frame.f_back
    code, instruction = frame.f_code, frame.f_lasti
    return Tensor(value, primitive, inputs, tuple(values), attrs, needs, context, None, code, instruction)


def _of_leaf(value: Any, primitive: Any) -> Array:
    """Return what a leaf can hold, for whoever calls ``tl.Tensor([1, 2])``; what is read-only, or odd, is ours."""
    if primitive is not None:
        raise TypeError("tl.Tensor holds data, as in tl.Tensor([1, 2]); of a shape there is tl.zeros(2, 3)")
    theirs = not isinstance(value, np.ndarray) or (value.flags.writeable and value.dtype.kind in "buif")
    return as_value(value) if theirs else value


for _name, _method in methods().items():
    setattr(Tensor, _name, _method)
Tensor.__primitive__ = staticmethod(record)  # type: ignore[method-assign]


def _as_tensors(inputs: tuple[Any, ...]) -> tuple[Tensor, ...]:
    """Return the inputs, numbers and arrays as constants; bare Python numbers take the dtype of their company."""
    dtypes = [x.dtype for x in inputs if isinstance(x, Tensor | np.ndarray) and x.dtype.kind == "f"]
    company = np.float32 if dtypes and all(dtype == np.float32 for dtype in dtypes) else np.float64
    return tuple(
        x
        if type(x) is Tensor
        else x.node
        if isinstance(x, Compared) and x.node is not None
        else Tensor(as_value(x, company if isinstance(x, _NUMBERS) else None))
        for x in inputs
    )


def _frozen(attr: Any) -> Any:
    """Copy an attribute that its owner may still change."""
    if isinstance(attr, list):
        return [_frozen(part) for part in attr]
    if isinstance(attr, np.ndarray) and attr.flags.writeable:
        attr = attr.copy()
        attr.setflags(write=False)
    return attr


def _holds_gradients(data: Any) -> bool:
    if isinstance(data, list | tuple):
        return any(map(_holds_gradients, data))
    return isinstance(data, Tensor) and data.requires_grad


def _like(owner: Tensor, new: Any, what: str) -> Array:
    value = as_value(new, owner.dtype)
    if value.shape != owner.shape:
        of = f" of {repr(owner.name)[1:-1]}" if owner.name else ""
        raise ShapeError(f"the {what}{of} must keep its shape {owner.shape}, not become {value.shape}")
    return value

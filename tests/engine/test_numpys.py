"""Values do not leave the graph unseen: numpy's functions are ours, look only, or are refused with the way out."""

import warnings
from pathlib import Path

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.engine.numpys import LOOKING, OURS

MODULES = {"np": np, "np.linalg": np.linalg, "np.fft": np.fft}
FUNCTIONS = {
    f"{module}.{name}": thing
    for module, home in MODULES.items()
    for name in dir(home)
    if callable(thing := getattr(home, name)) and not name.startswith("_") and name != "test"
}


def carrying(scale=1.0):
    return tl.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True, name="x") * scale


def calls(x):
    """Ways in which a function may be called with it."""
    return [(x,), (x, x), ([x, x],), (x, 1), (x, 2, -1), (x, 0.0, 1.0), (1, x), ([True, False], x), ("ij,jk", x, x)]


def numbers(result):
    """All numbers in what a function returned, as a list; none of a Tensor."""
    parts = result.ravel() if isinstance(result, np.ndarray) and result.dtype == object else result
    if isinstance(result, tuple | list) or parts is not result:
        return [number for part in parts for number in numbers(part)]
    is_array = isinstance(result, float | complex | np.ndarray | np.inexact) and np.asarray(result).dtype.kind in "fc"
    return np.ravel(result).tolist() if is_array else []


def leaked(call):
    """Whether a call returns numbers that change with those of the tensor it is given: nobody can learn from them."""
    found = []
    for x in (carrying(), carrying(1.5)):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found.append(numbers(call(x)))
        except Exception:
            return False
    return not np.array_equal(*found, equal_nan=True)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_function_of_numpy_makes_numbers_of_what_carries_a_gradient(name):
    function = FUNCTIONS[name]
    for i in range(len(calls(None))):
        assert function in LOOKING or not leaked(lambda x, i=i: function(*calls(x)[i])), calls("x")[i]


UFUNCS = [ufunc for ufunc in vars(np).values() if isinstance(ufunc, np.ufunc)]


@pytest.mark.parametrize("ufunc", UFUNCS, ids=lambda ufunc: ufunc.__name__)
@pytest.mark.parametrize("method", ["__call__", "reduce", "accumulate", "outer", "at", "reduceat"])
def test_no_method_of_a_ufunc_does(ufunc, method):
    ways = [
        lambda x: (x,) * ufunc.nin,
        lambda x: (x, 0),
        lambda x: (np.ones((2, 2)), x),
        lambda x: (x, [0, 1], x),
        lambda x: (np.ones((2, 2)), 0, x),
    ]
    for way in ways:
        assert ufunc in LOOKING or not leaked(lambda x, way=way: getattr(ufunc, method)(*way(x)))
        buffers = []

        def into_a_buffer(x, way=way, buffers=buffers):
            buffers.append(np.ones((2, 2)))
            getattr(ufunc, method)(*way(x), out=buffers[-1])
            return buffers[-1]

        assert not leaked(into_a_buffer)


@pytest.mark.parametrize(
    "leave",
    [
        np.median,
        lambda x: np.pad(x, 1, mode="edge"),
        np.cumprod,
        lambda x: np.array_split(x, 2, -1),
        lambda x: np.linalg.norm(x, 2),
        lambda x: np.repeat(x, 2),
        lambda x: np.array([x, x]),
        lambda x: np.r_[x, x],
        np.trunc,
        lambda x: np.add(x, 1, out=np.ones((2, 2))),
        np.linalg.det,
        np.asarray,
        np.fft.fft,
        lambda x: np.add.accumulate(x),
        lambda x: np.std(x, where=[True, False]),
    ],
)
def test_a_refusal_names_the_tensor_and_the_way_out(leave):
    x = carrying()
    x.name = "z"
    with pytest.raises(TypeError, match=r"would leave the graph: .*\(z\).*x.numpy\(\) or x.detach\(\)"):
        leave(x)


def test_leaves_and_what_is_not_recorded_convert():
    leaf = tl.tensor([1.0, 2.0], requires_grad=True)
    np.testing.assert_array_equal(np.asarray(leaf), [1, 2])
    with tl.no_grad():
        assert np.median(leaf * 2) == 3.0
        np.testing.assert_array_equal(np.asarray(leaf * 2), [2, 4])
    assert np.median(leaf.detach()) == 1.5
    with pytest.raises(TypeError, match="would leave the graph"):
        np.median(leaf)


@pytest.mark.parametrize("function", OURS, ids=lambda function: function.__name__)
def test_where_there_is_an_operation_it_is_done(function):
    x = carrying()
    more = [(x, (4,)), (x, (3, 2, 2)), ([x, x], 1), (np.array([True, False]), x, x), (x, 0, 1)]
    more += [("ij,jk->i", x, x), (x, np.array([[0, 1]]), 1)]
    ways = [args for args in (*calls(x), *more) if not isinstance(args[0], str) or function is np.einsum]
    done = 0
    for args in ways:
        arrays = [
            [x.value, x.value] if type(arg) is list and arg[0] is x else x.value if arg is x else arg for arg in args
        ]
        try:
            expected = function(*arrays)
        except Exception:
            continue
        try:
            result = function(*args)
        except TypeError as error:
            assert "would leave the graph" in str(error) or "clip" in str(error)  # noqa: PT017
            continue
        for part, right in zip(
            *((each if isinstance(each, list) else [each]) for each in (result, expected)), strict=True
        ):
            assert isinstance(part, tl.Tensor)
            assert part.requires_grad
            np.testing.assert_allclose(part.value, right, rtol=1e-15)
        done += 1
    assert done


@pytest.mark.parametrize(
    "ufunc",
    [
        *(np.exp, np.tanh, np.square, np.reciprocal, np.negative, np.absolute, np.sqrt, np.log, np.log1p, np.expm1),
        *(np.tan, np.sinh, np.cosh, np.arctan),
    ],
)
def test_ufuncs_are_operations(ufunc):
    x = carrying()
    result = ufunc(x)
    np.testing.assert_allclose(result.value, ufunc(x.value), rtol=1e-15)
    tl.testing.check_vjp(ufunc, x.value)


def test_arrays_on_the_left_ask_the_tensor():
    x = carrying()
    for result in (np.ones((2, 2)) * x, np.ones((2, 2)) + x, np.ones((2, 2)) @ x, np.float64(2) * x):
        assert isinstance(result, tl.Tensor)
        assert result.requires_grad


def test_adding_to_an_array_in_place_is_refused():
    total = np.zeros((2, 2))
    with pytest.raises(TypeError, match="would leave the graph"):
        total += carrying()


@pytest.mark.parametrize("take", [float, int, lambda x: np.zeros(2).__setitem__(0, x), lambda x: np.array([x, x])])
def test_a_number_that_is_taken_out_warns_once_for_each_line(take):
    loss = carrying().sum()
    loss.name = "loss"
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("default")
        for _ in range(3):
            take(loss)
    assert [warning.category for warning in shown] == [tl.LeavesTheGraph] * len(shown)
    assert 1 <= len(shown) <= 2
    assert "(loss)" in str(shown[0].message)


def test_what_everybody_prints_is_silent():
    loss = carrying().sum()
    assert f"{loss:.1f} {loss.item()} {loss > 0} {bool(loss)}" == "10.0 10.0 True True"
    assert "tensor" in f"{loss} {loss!r}"


def test_an_operation_of_ones_own_does_not_stand_in_for_ours():
    tl.primitive("mycos", np.cos, lambda g, y, x: (42 * g,))
    assert np.cos(carrying()).primitive is tl.cos


def test_a_number_that_numpy_takes_out_warns_for_the_users_line():
    """And not for one of numpy's own, which the next line would share."""
    s = (tl.tensor([1.0, 2.0], requires_grad=True) * 2).sum()
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("default")
        np.mean([s, 1.0])
        np.mean([s, 1.0])
    assert {Path(warning.filename).name for warning in shown} == {Path(__file__).name}
    assert len({warning.lineno for warning in shown}) == 2


def test_advice_names_what_there_is():
    w, total = tl.tensor([1.0], requires_grad=True) * 1, np.zeros(1)
    with pytest.raises(TypeError, match=r"Write it with a \+ b"):
        total += w

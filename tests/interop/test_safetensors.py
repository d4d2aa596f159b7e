"""The format, by the letter: what others write is read, and each rule that a file can break is said by its name."""

import json

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.interop.safetensors import encode, read


def entry(dtype="F32", shape=(1,), offsets=(0, 4), **more):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets), **more}


def file(header, numbers=b"\0\0\x80?"):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + numbers


@pytest.fixture
def path(tmp_path):
    return tmp_path / "x.safetensors"


def test_what_others_write_is_read(path):
    """Half precision becomes single, exactly; order, padding and texts are free; names are any."""
    halves, brains = np.float16([1.5, -0.0, np.inf]), np.uint16([0x3FC0, 0x8000, 0x7F80])
    numbers = halves.tobytes() + brains.tobytes() + np.float64(2**-1074).tobytes()
    header = {
        "b\n": entry("BF16", [3], [6, 12]),
        "none": entry("F64", [0, 3], [12, 12]),
        "a": entry("F16", [3], [0, 6]),
        "": entry("F64", [], [12, 20], more=1),
        "__metadata__": {"format": "pt"},
    }
    path.write_bytes(file(json.dumps(header).encode() + b"   \n", numbers))
    arrays, texts = read(path)
    assert texts == {"format": "pt"}
    assert {name: (array.dtype, array.tolist()) for name, array in arrays.items()} == {
        "b\n": (np.float32, [1.5, -0.0, np.inf]),
        "none": (np.float64, []),
        "a": (np.float32, [1.5, -0.0, np.inf]),
        "": (np.float64, 2**-1074),
    }
    assert arrays["none"].shape == (0, 3)
    assert np.signbit([arrays["a"][1], arrays["b\n"][1]]).all()


def test_what_is_written_is_aligned_and_read_again(path):
    arrays = {"a": np.float32([[1, 2, 3]]), "b": np.float64(-0.0), "c": np.zeros((2, 0)), "d": np.float64([[1], [2]]).T}
    path.write_bytes(encode(arrays, {"who": "∂"}))
    again, texts = read(path)
    assert texts == {"who": "∂"}
    assert {name: (a.dtype, a.shape, a.tobytes()) for name, a in again.items()} == {
        name: (a.dtype, a.shape, a.tobytes()) for name, a in arrays.items()
    }
    size = int.from_bytes(path.read_bytes()[:8], "little")
    header = json.loads(path.read_bytes()[8 : 8 + size])
    assert size % 8 == 0
    assert all(header[name]["data_offsets"][0] % a.itemsize == 0 for name, a in arrays.items())


BROKEN = {
    "nothing": (b"", "of 0 bytes, 0 cannot be the header"),
    "seven bytes": (b"\0" * 7, "of 7 bytes, 0 cannot be the header"),
    "a header past the end": (b"\x09" + b"\0" * 7 + b"{}", "of 10 bytes, 9 cannot be the header"),
    "an endless header": (b"\xff" * 16, "of 16 bytes, 18,446,744,073,709,551,615 cannot be the header"),
    "no text": (file(b"\xff{}"), "'utf-8' codec"),
    "no JSON": (file(b"{"), "Expecting"),
    "a number with more digits than Python reads": (file(b'{"a":' + b"9" * 5000 + b"}"), "digits"),
    "depth": (file(b"[" * 10**5), "nested too deeply"),
    "NaN": (file(b'{"a": NaN}'), "holds NaN, which is no JSON"),
    "a name twice": (file(b'{"a": 1, "a": 1}'), "a name twice in one place"),
    "a list": (file([]), "header is no object"),
    "texts that are none": (file({"__metadata__": {"a": 1}}, b""), "__metadata__ are not texts"),
    "no entry": (file({"a": 1}), "of a it does not tell dtype, shape and data_offsets"),
    "half an entry": (file({"a": {"dtype": "F32", "shape": [1]}}), "of a it does not tell"),
    "another type": (file({"a": entry("F8_E4M3")}), "a has the type F8_E4M3; what is read is F64, F32, I64, I32"),
    "no type": (file({"a": entry([])}), r"a has the type \[\]"),
    "a negative side": (file({"a": entry(shape=[-1, -1])}), "a has no shape"),
    "half a side": (file({"a": entry(shape=[1.0])}), "a has no shape"),
    "a side that is true": (file({"a": entry(shape=[True])}), "a has no shape"),
    "sides without end": (file({"a": entry(shape=[1] * 33)}), "a has no shape"),
    "a huge shape": (file({"a": entry(shape=[2**62, 2**62])}), "a has not the bytes of its shape"),
    "a huge shape of nothing": (file({"a": entry(shape=[2**62, 0, 2**62], offsets=[0, 0])}, b""), "too large"),
    "one offset": (file({"a": entry(offsets=[0])}), "a has no shape, or no beginning and end"),
    "backwards": (file({"a": entry(offsets=[4, 0])}), "a has not the bytes of its shape"),
    "too few": (file({"a": entry(shape=[2])}), "a has not the bytes of its shape"),
    "a hole": (file({"a": entry(offsets=[1, 5])}, b"\0" * 5), "a do not begin where those before them end"),
    "an overlap": (file({"a": entry(), "b": entry(offsets=[2, 6])}, b"\0" * 6), "b do not begin where"),
    "twice the same": (file({"a": entry(), "b": entry()}), "b do not begin where"),
    "too short": (file({"a": entry()}, b"\0"), "where 4 bytes of numbers lie, and has 1"),
    "too long": (file({"a": entry()}, b"\0" * 9), "where 4 bytes of numbers lie, and has 9"),
    "a name to a terminal": (file({"\x1b[2J\n" + "a" * 99: 1}), r"of  \[2J a+…a+ it does not tell"),
}


@pytest.mark.parametrize(("data", "words"), BROKEN.values(), ids=BROKEN)
def test_each_rule_that_a_file_breaks_is_said_in_a_line(data, words, path):
    path.write_bytes(data)
    with pytest.raises(ValueError, match=rf"x\.safetensors is no safetensors file, or damaged: .*{words}") as error:
        read(path)
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 500


def test_what_another_program_wrote_is_loaded_into_a_model(path):
    path.write_bytes(encode({"weight": np.float32([[1, 2]]), "bias": np.float32([3, 4])}, {"format": "np"}))
    assert tl.load(path, into=tl.Linear(1, 2))([[1.0]]).tolist() == [[4.0, 6.0]]
    with pytest.raises(ValueError, match="holds values alone, since it was not written by tl"):
        tl.load(path)


class Kept(tl.nn.Module):
    """A module with a buffer of any type."""

    buffer_names = ("kept",)

    def __init__(self, kept):
        self.kept = kept


NUMBERS = {name: [0, 1, np.iinfo(name).max, np.iinfo(name).min] for name in ("int64", "int32", "int16", "int8")}
NUMBERS |= {name: [0, 1, np.iinfo(name).max] for name in ("uint64", "uint32", "uint16", "uint8")}
NUMBERS |= {name: [0.1, -0.0, np.inf] for name in ("float64", "float32", ">f8", ">f4")}
NUMBERS |= {"bool": [True, False], ">i4": [1, -(2**15)], ">u2": [1, 2**15]}


@pytest.mark.parametrize("dtype", NUMBERS)
def test_a_buffer_of_each_type_is_saved_and_loaded(dtype, path):
    array = np.array(NUMBERS[dtype], dtype)
    into = Kept(np.zeros_like(array))
    assert tl.load(tl.save(Kept(array), path), into=into) is into
    np.testing.assert_array_equal(into.kept, array.astype(array.dtype.newbyteorder("=")), strict=True)
    assert read(path)[0]["kept"].dtype.name == array.dtype.name


@pytest.mark.parametrize("dtype", ["float16", "complex128", "longdouble", "U3"])
def test_a_buffer_of_another_type_is_refused_before_anything_is_written(dtype, path):
    array = np.zeros(2, dtype)
    with pytest.raises(
        TypeError, match=rf"^kept is {array.dtype.name}; what is written is float64, float32, int64, .*$"
    ):
        tl.save(Kept(array), path)
    assert not path.exists()

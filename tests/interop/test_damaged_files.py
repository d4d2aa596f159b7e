"""Of a file that was damaged, or forged, nothing is loaded, and one line says why: a thousand ways to damage one."""

import json
import tracemalloc
import warnings
from copy import deepcopy

import pytest

import tinygrad_lstm as tl
from tests.interop.test_saved import bits
from tinygrad_lstm.interop import architecture, saved
from tinygrad_lstm.interop.safetensors import encode


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def header_of(data):
    size = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + size]), data[8 + size :]


def with_header(header, numbers):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + numbers


def surgery(rng, data):
    """The header, well-formed but for one untruth."""
    header, numbers = header_of(data)
    names = [name for name in header if name != "__metadata__"]
    name, other = rng.choice(names), rng.choice(names)
    entry = header[name]
    match rng.integers(14):
        case 0:
            entry["shape"] = [*entry["shape"][::-1], 1]
        case 1:
            entry["shape"] = [int(rng.choice([-1, 2**40, 2**70 >> 8, 0]))] * int(rng.integers(1, 40))
        case 2:
            entry["dtype"] = str(rng.choice(["F32", "F64", "F16", "BF16", "I64", "BOOL", "F8_E4M3", "", "é"]))
        case 3:
            entry["data_offsets"] = [int(x) + int(rng.integers(-9, 9)) for x in entry["data_offsets"]]
        case 4:
            header[name], header[other] = header[other], header[name]
        case 5:
            header[str(rng.choice(["x", name + "\n\x1b[31m", "../" + name, "__metadata", "a" * 1000]))] = header.pop(
                name
            )
        case 6:
            del header[name]
        case 7:
            header["extra"] = dict(entry)
        case 8:
            header["__metadata__"] = [{}, [], None, 3, {"tinygrad_lstm": 3}, {"tinygrad_lstm": "[[["}][rng.integers(6)]
        case 9:
            told = json.loads(header["__metadata__"]["tinygrad_lstm"])
            told[str(rng.choice([*told, "more"]))] = [None, 2, "x", [], {}, {"module": "Linear"}][rng.integers(6)]
            header["__metadata__"]["tinygrad_lstm"] = json.dumps(told)
        case 10:
            header[name] = [None, [], 1, "x", {}, {**entry, "shape": None}, {"dtype": "F64"}][rng.integers(7)]
        case 11:
            text = json.dumps(header)[:-1] + f', "{name}": {json.dumps(entry)}}}'
            return with_header(text.encode(), numbers)
        case 12:
            return with_header(b"[" * 100_000, numbers)
        case 13:
            return with_header(
                [b"NaN", b"[1]", b'"x"', b"\xff\xfe{}", b'{"a":1e999}', b"9" * 5000][rng.integers(6)], numbers
            )
    return with_header(header, numbers)


FOREIGN = [
    *(b"", b"\0" * 8, b"\xff" * 8, b"\x80\x04\x95cos\nsystem\n(S'false'\ntR.", b"\x93NUMPY\x01\0v\0{'descr': '<f8'}"),
    *(b"PK\x03\x04" + b"\0" * 60, b"\x89PNG\r\n\x1a\n" + b"\0" * 60, b"\x1f\x8b\x08", b"hello, world\n" * 9, b"{}"),
    *(b"\x02\0\0\0\0\0\0\0{}", b"\x08\0\0\0\0\0\0\0{}      ", b"GGUF\x03\0\0\0" + b"\1" * 99),
]


def mutated(rng, data):
    """The bytes of a file, damaged in one way."""
    match rng.integers(8):
        case 0:
            return data[: rng.integers(len(data))]
        case 1:
            return data + rng.bytes(rng.integers(1, 20))
        case 2:
            return FOREIGN[rng.integers(len(FOREIGN))]
        case 3:
            begin = rng.integers(len(data))
            return data[:begin] + rng.bytes(min(len(data) - begin, rng.integers(1, 30))) + data[begin + 30 :]
        case 4 | 5:
            damaged = bytearray(data)
            for _ in range(rng.integers(1, 3)):
                damaged[rng.integers(len(data))] ^= 1 << int(rng.integers(8))
            return bytes(damaged)
        case _:
            return surgery(rng, data)


def survivors(module, count, path, rng):
    """The mutations of a module's file that did something else than load what was saved, or say in a line why not."""
    tl.save(module, path)
    data, before, found = path.read_bytes(), bits(module), []
    into = deepcopy(module)
    for number in range(count):
        path.write_bytes(mutated(rng, data))
        for way in ({}, {"into": into}):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("error")
                    if bits(tl.load(path, **way)) != before:
                        found.append((number, "loaded something else"))
            except ValueError as error:
                said = str(error)
                if not said.startswith(str(path)) or not said.isprintable() or len(said) > 600:
                    found.append((number, said))
            except Exception as error:
                found.append((number, repr(error)))
            if bits(into) != before:
                found.append((number, "touched the module"))
                into = deepcopy(module)
    return found


def small(dtype="float64"):
    return tl.RNN(2, 3, num_layers=2, rng=0, dtype=dtype)


def test_of_a_damaged_file_nothing_is_loaded_and_one_line_says_why(path, rng):
    assert survivors(small(), 120, path, rng) == []


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_thousand_damaged_files(dtype, path, rng):
    assert survivors(small(dtype), 1000, path, rng) == []


def test_without_the_sum_damage_would_be_loaded(path, rng, monkeypatch):
    monkeypatch.setattr(saved, "_digest", lambda *_: "")
    assert {what for _, what in survivors(small(), 60, path, rng)} >= {"loaded something else", "touched the module"}


def forged(module, description, path, **told):
    """A file of ours that tells a module's description falsely, and sums it up rightly."""
    state = module.state_dict()
    told = {"version": 1, "module": description, "frozen": [], "eval": [], **told}
    told["sha256"] = saved._digest(state, told)
    path.write_bytes(encode(state, {"tinygrad_lstm": json.dumps(told)}))
    return path


LINEAR = {"module": "Linear", "args": [1, 1], "kwargs": {}}


def nested(depth):
    told = LINEAR
    for _ in range(depth):
        told = {"module": "Recurrent", "args": [told], "kwargs": {}}
    return told


FORGED = {
    "another class": {"module": "Embedding", "args": [1, 1], "kwargs": {}},
    "other sizes": {"module": "Linear", "args": [1, 2], "kwargs": {}},
    "no class": {"module": "os.system", "args": ["false"], "kwargs": {}},
    "no class of ours": {"module": "Optimizer", "args": [], "kwargs": {}},
    "the class of all": {"module": "Module", "args": [], "kwargs": {}},
    "private": {"module": "__import__", "args": ["os"], "kwargs": {}},
    "wrong arguments": {"module": "Linear", "args": [1, "1"], "kwargs": {"bogus": 2}},
    "huge": {"module": "Linear", "args": [2**20, 2**20], "kwargs": {}},
    "huge and drawn": {"module": "Linear", "args": [2**16, 2**16], "kwargs": {}},
    "many layers": {"module": "LSTM", "args": [1, 1], "kwargs": {"num_layers": 2**16}},
    "a text": "Linear",
    "a list": [LINEAR],
    "nothing": None,
    "an operation": {"operation": "tanh"},
    "no operation": {"module": "Gate", "args": [1, {"operation": "primitive"}, "f"], "kwargs": {"hidden_size": 1}},
    "an imported name": {"module": "Gate", "args": [1, {"operation": "np"}, "f"], "kwargs": {"hidden_size": 1}},
    "a type": {"module": "Linear", "args": [1, 1], "kwargs": {"dtype": "object"}},
    "pointing nowhere": {"module": "Recurrent", "args": [{"again": 7}], "kwargs": {}},
    "pointing at itself": {"again": 0},
    "another form": {"module": "Linear", "args": [1, 1], "kwargs": {}, "path": "/"},
    "no args": {"module": "Linear"},
    "deep": nested(300),
}


@pytest.mark.parametrize("description", FORGED.values(), ids=FORGED)
def test_a_forged_description_is_one_line(description, path):
    with pytest.raises(ValueError, match=r"^[\x20-\uffff]{20,600}$"):
        tl.load(forged(tl.Linear(1, 1), description, path))


def test_what_else_the_header_tells_is_not_believed(path):
    layer = tl.Linear(1, 1)
    assert not tl.load(forged(layer, LINEAR, path, frozen=["weight"])).weight.requires_grad
    for told, words in (
        ({"frozen": 3}, "lists as frozen are not names that the model has"),
        ({"frozen": ["weight", "wieght"]}, "lists as frozen are not names that the model has"),
        ({"frozen": ["weight", 3]}, "lists as frozen are not names that the model has"),
        ({"eval": {}}, "lists as eval are not names that the model has"),
        ({"eval": ["encoder"]}, "lists as eval are not names that the model has"),
        ({"version": 2}, "a newer version"),
        ({"version": "1"}, "damaged"),
    ):
        with pytest.raises(ValueError, match=words):
            tl.load(forged(layer, LINEAR, path, **told))
    path.write_bytes(encode(layer.state_dict(), {}))
    with pytest.raises(ValueError, match=r"since it was not written by tl\.save; make the model"):
        tl.load(path)
    assert bits(tl.load(path, into=tl.Linear(1, 1))) == bits(layer)


def test_a_walk_that_never_ends_is_refused(path, monkeypatch):
    monkeypatch.setattr(architecture, "MOST", 10)
    told = {"module": "RNNCell", "args": [1, 1], "kwargs": {}}
    tl.save(tl.nn.Recurrent(*[tl.RNNCell(1, 1)] * 3), path)
    many = {"module": "Recurrent", "args": [told, *[{"again": 0}] * 20], "kwargs": {}}
    with pytest.raises(ValueError, match="more than 10 modules"):
        tl.load(forged(tl.Linear(1, 1), many, path))


def test_of_a_header_of_two_gigabytes_eight_bytes_are_read(path):
    with path.open("wb") as file:
        file.write((2**31).to_bytes(8, "little"))
        file.truncate(2**31 + 2**20)  # sparse
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"of 2,148,532,224 bytes, 2,147,483,648 cannot be the header$"):
        tl.load(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**20


def test_of_a_file_cut_at_every_thousandth_byte_nothing_is_loaded(path):
    model = tl.GRU(8, 24, rng=0)
    whole, before = tl.save(model, path).read_bytes(), bits(model)
    assert len(whole) > 15_000
    for length in range(0, len(whole), 1000):
        path.write_bytes(whole[:length])
        for how in ({}, {"into": model}):
            with pytest.raises(ValueError, match=r"is no safetensors file, or damaged: [\x20-\uffff]+$"):
                tl.load(path, **how)
    assert bits(model) == before

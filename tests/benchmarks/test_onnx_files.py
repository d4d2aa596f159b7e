"""Layers of ours as ONNX files compute in onnxruntime what they compute here; recurrent nodes of files come back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import helper, numpy_helper

import tinygrad_lstm as tl

ACTIVATIONS = [(tl.sigmoid, tl.tanh), (tl.sigmoid, tl.relu), (tl.sigmoid, tl.nn.functional.softsign)]


def run(path: Path, xs: Any, **beside: Any) -> list[Any]:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return list(session.run(None, {"xs": xs, **beside}))


def flat(result: Any) -> list[Any]:
    return [part for each in result for part in flat(each)] if isinstance(result, tuple) else [result.value]


@st.composite
def layers(draw: Any) -> tl.nn.Module:
    kind = draw(st.sampled_from(["RNN", "LSTM", "GRU"]))
    how = {
        "num_layers": draw(st.integers(1, 2)),
        "bidirectional": draw(st.booleans()),
        "batch_first": draw(st.booleans()),
        "bias": draw(st.booleans()),
        "clip": draw(st.sampled_from([None, 0.5])),
        "dtype": draw(st.sampled_from(["float32", "float64"])),
        "rng": draw(st.integers(0, 99)),
    }
    f, g = draw(st.sampled_from(ACTIVATIONS))
    if kind == "RNN":
        return tl.RNN(2, 3, nonlinearity=g, **how)
    if kind == "GRU":
        return tl.GRU(2, 3, reset_after=draw(st.booleans()), activations=(f, g), **how)
    peephole, coupled = draw(st.sampled_from([False, "diagonal"])), draw(st.booleans())
    return tl.LSTM(2, 3, peephole=peephole, coupled=coupled, activations=(f, g, g), **how)


@given(layer=layers(), T=st.integers(1, 5), N=st.integers(1, 4))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_file_computes_what_the_layer_does_and_comes_back(layer: Any, T: int, N: int, tmp_path: Path) -> None:
    path = tl.export_onnx(layer, tmp_path / "layer.onnx")
    onnx.checker.check_model(str(path), full_check=True)
    for steps, batch in ((T, N), (T + 1, N + 2)):  # T and N are dynamic
        xs = np.random.default_rng(T).normal(size=(steps, batch, 2)).astype(np.float32)
        xs = xs.swapaxes(0, 1) if layer.batch_first else xs
        for mine, theirs in zip(flat(layer(xs)), run(path, xs), strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-5)
    found = tl.import_onnx(path)
    assert len(found.layers) == layer.num_layers
    assert {each.split()[0] for each in found.others} <= {"Transpose", "Reshape", "Identity", "Concat"}
    again = xs.swapaxes(0, 1) if layer.batch_first else xs
    for part in found.layers.values():
        again = part(again)[0]
    again = again.value.swapaxes(0, 1) if layer.batch_first else again.value
    np.testing.assert_allclose(again, layer(xs)[0].value, rtol=1e-4, atol=1e-5)


def test_what_stands_around_a_layer_is_written_too(tmp_path: Path) -> None:
    reader = tl.nn.Sequential(tl.Embedding(7, 4, rng=0), tl.nn.LayerNorm(4), tl.LSTM(4, 3, num_layers=2, dropout=0.5))
    words = np.array([[1, 2], [3, 0], [6, 6]])
    path = tl.export_onnx(reader, tmp_path / "reader.onnx")
    results = flat(reader.eval()(words))
    assert len(results) == 3
    for mine, theirs in zip(results, run(path, words), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-5)
    found = tl.import_onnx(path)
    assert list(found.layers) == ["2.layer0", "2.layer1"]
    assert [each.split()[0] for each in found.others][:2] == ["Gather", "LayerNormalization"]
    activations = [tl.nn.Tanh(), tl.nn.ReLU(), tl.nn.Softmax(), tl.nn.Identity()]
    plain = tl.nn.Sequential(tl.Linear(3, 4, rng=0), *activations, tl.Linear(4, 2, bias=False, rng=1))
    xs = np.random.default_rng(0).normal(size=(3, 2, 3)).astype(np.float32)
    (theirs,) = run(tl.export_onnx(plain, tmp_path / "plain.onnx"), xs)
    np.testing.assert_allclose(plain(xs).value, theirs, rtol=1e-4, atol=1e-5)


WITHOUT = {
    "projection": (lambda: tl.LSTM(2, 3, proj_size=1), "^encoder.cell is made with projected=True, which ONNX has not"),
    "full peepholes": (lambda: tl.LSTM(2, 3, peephole="full"), "made with peephole='full'"),
    "norm": (lambda: tl.GRU(2, 3, layer_norm=True), "made with layer_norm=True"),
    "another cell": (lambda: tl.nn.Recurrent(tl.nn.atlas.ATLAS["mgu"].make(2, 3)), "is a MGUCell, which ONNX has not"),
    "activation": (lambda: tl.RNN(2, 3, nonlinearity=tl.exp), "an activation that is none of Sigmoid, Tanh"),
    "gate": (lambda: tl.GRU(2, 3, reset_after=False, activations=(tl.relu, tl.tanh)), "replaces by another function"),
    "attention": (lambda: tl.nn.DotAttention(), "^encoder is a DotAttention, which is not written as ONNX"),
}


@pytest.mark.parametrize("name", WITHOUT)
def test_what_onnx_has_not_is_refused_by_its_path_and_nothing_is_written(name: str, tmp_path: Path) -> None:
    make, words = WITHOUT[name]
    with pytest.raises(ValueError, match=words):
        tl.export_onnx(tl.nn.Sequential({"encoder": make()}), tmp_path / "x.onnx")
    assert not list(tmp_path.iterdir())


def changed(path: Path, change: Any) -> Path:
    model = onnx.load(path)
    change(model)
    path.write_bytes(model.SerializeToString())
    return path


def recurrent(model: Any) -> Any:
    return next(node for node in model.graph.node if node.op_type in ("LSTM", "GRU", "RNN"))


def with_attribute(name: str, value: Any) -> Any:
    def change(model: Any) -> None:
        node = recurrent(model)
        kept = [each for each in node.attribute if each.name != name]
        del node.attribute[:]
        node.attribute.extend([*kept, helper.make_attribute(name, value)])

    return change


def with_weight(array: Any) -> Any:
    def change(model: Any) -> None:
        number = next(each for each in model.graph.initializer if each.name.endswith(".W"))
        number.CopyFrom(numpy_helper.from_array(array, number.name))

    return change


def elsewhere(model: Any) -> None:
    number = model.graph.initializer[0]
    number.ClearField("raw_data")
    number.data_location = onnx.TensorProto.EXTERNAL
    number.external_data.add(key="location", value="../../etc/passwd")


def begins_with(array: Any, where: str = "initializer", slot: int = 5, name: str = "h_init") -> Any:
    """Give the recurrent node of a file something beside its weights: numbers in the file, or an input of it."""

    def change(model: Any) -> None:
        node = recurrent(model)
        node.input.extend([""] * (slot + 1 - len(node.input)))
        node.input[slot] = name
        if where == "initializer":
            model.graph.initializer.append(numpy_helper.from_array(array, name))
        elif where == "constant":
            made = helper.make_node("Constant", [], [name], value=numpy_helper.from_array(array, name))
            model.graph.node.insert(0, made)
        else:
            kind = helper.np_dtype_to_tensor_dtype(array.dtype)
            model.graph.input.append(helper.make_tensor_value_info(name, kind, array.shape))

    return change


def constant_elsewhere(model: Any) -> None:
    begins_with(np.ones((1, 1, 3), np.float32), "constant")(model)
    number = model.graph.node[0].attribute[0].t
    number.ClearField("raw_data")
    number.data_location = onnx.TensorProto.EXTERNAL
    number.external_data.add(key="location", value="../../etc/passwd")


def given_from_outside(model: Any) -> None:
    recurrent(model).input[1] = "xs"


BROKEN = {
    "operators": (
        with_attribute("activations", ["HardSigmoid", "Tanh", "Affine"]),
        "LSTM cell uses Affine, HardSigmoid, which ours do not; they use Sigmoid",
    ),
    "constants": (with_attribute("activation_alpha", [0.5]), "LSTM cell uses activations with constants of their own"),
    "reverse": (with_attribute("direction", "reverse"), "LSTM cell runs in the direction reverse, alone"),
    "half": (with_weight(np.zeros((1, 12, 2), np.float16)), "LSTM cell: its W is float16, and weights are float32 or"),
    "shape": (with_weight(np.zeros((1, 9, 2), np.float32)), r"LSTM cell: W has shape \(1, 9, 2\), not \(1, 12, 2\)"),
    "computed": (given_from_outside, "LSTM cell: its W, xs, is computed or given, and does not stand in the file"),
    "no shape": (with_weight(np.float32(1)), r"LSTM cell: no weights have these shapes: W \(\), R \(1, 12, 3\)"),
    "state": (begins_with(np.ones((1, 3), np.float32)), r"LSTM cell: initial_h has shape \(1, 3\), not \(1, N, 3\)"),
    "half state": (begins_with(np.ones((1, 1, 3), np.float16)), "LSTM cell: its initial_h is float16, and weights are"),
    "lengths": (begins_with(np.int32([0]), slot=4), r"LSTM cell: sequence_lens, \[0\], are not the lengths of"),
    "external constant": (constant_elsewhere, r"stands in another file, '\.\./\.\./etc/passwd', which is not read"),
    "external": (elsewhere, r"stands in another file, '\.\./\.\./etc/passwd', which is not read"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_we_cannot_take_is_one_line(name: str, tmp_path: Path) -> None:
    change, words = BROKEN[name]
    path = changed(tl.export_onnx(tl.LSTM(2, 3, rng=0), tmp_path / "x.onnx"), change)
    with pytest.raises(ValueError, match=words) as raised:
        tl.import_onnx(path)
    assert str(raised.value).startswith(str(path))
    assert str(raised.value).isprintable()


def test_a_file_cut_at_every_thousandth_byte_is_one_line(tmp_path: Path) -> None:
    path = tl.export_onnx(tl.GRU(8, 24, rng=0), tmp_path / "x.onnx")
    whole = path.read_bytes()
    assert len(whole) > 9_000
    for length in [*range(0, len(whole), 1000), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r": [\x20-\uffff]{10,400}$") as raised:
            tl.import_onnx(path)
        assert str(raised.value).isprintable()


@given(layer=layers(), T=st.integers(1, 4), lengths=st.booleans())
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_state_and_lengths_are_given_to_a_file_as_to_the_layer(
    layer: Any, T: int, lengths: bool, tmp_path: Path
) -> None:
    path = tl.export_onnx(layer, tmp_path / "layer.onnx", state=True, lengths=lengths)
    for N in (1, 3):
        rng = np.random.default_rng(T)
        xs = rng.normal(size=(N, T, 2) if layer.batch_first else (T, N, 2)).astype(np.float32)
        names = [f"{name}_init" for name in layer.cells[0].state_names]
        given = {name: rng.normal(size=(len(layer.cells), N, 3)).astype(np.float32) for name in names}
        state = tuple(tl.tensor(array, dtype=layer.cells[0].dtype) for array in given.values())
        how = {"lengths": rng.integers(1, T + 1, N).astype(np.int32)} if lengths else {}
        mine = flat(layer(xs, state if len(state) > 1 else state[0], **how))
        for ours, theirs in zip(mine, run(path, xs, **given, **how), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_a_state_is_for_one_recurrent_layer(tmp_path: Path) -> None:
    for module, how, words in (
        (tl.Linear(2, 2), {"state": True}, "no recurrent layer that would take a state, or lengths"),
        (tl.nn.Sequential(tl.Linear(2, 2)), {"lengths": True}, "no recurrent layer that would take"),
        (tl.nn.Sequential(tl.GRU(2, 2), tl.GRU(2, 2)), {"state": True}, "for one recurrent layer; here are 2"),
    ):
        with pytest.raises(ValueError, match=words):
            tl.export_onnx(module, tmp_path / "x.onnx", **how)
    with pytest.raises(TypeError, match="state must be True or False, not 'h'"):
        tl.export_onnx(tl.GRU(2, 2), tmp_path / "x.onnx", state="h")  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())
    inside = tl.nn.Sequential(tl.Embedding(7, 4, rng=0), tl.GRU(4, 3, rng=0))
    path = tl.export_onnx(inside, tmp_path / "x.onnx", state=True)
    words, h = np.array([[1, 2], [3, 0]]), np.ones((1, 2, 3), np.float32)
    output, h_n = run(path, words, h_init=h)
    ours = inside[1](inside[0](words), tl.tensor(h))
    np.testing.assert_allclose(output, ours[0].value, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(h_n, ours[1].value, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("where", ["initializer", "constant"])
def test_states_and_lengths_that_stand_in_a_file_come_with_the_layer(where: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    layer, xs = tl.LSTM(2, 3, bidirectional=True, rng=0), rng.normal(size=(4, 2, 2)).astype(np.float32)
    h, c = rng.normal(size=(2, 2, 2, 3)).astype(np.float32)
    path = tl.export_onnx(layer, tmp_path / "x.onnx")
    changed(path, begins_with(np.int32([4, 2]), where, 4, "lengths"))
    changed(path, begins_with(h, where))
    found = tl.import_onnx(path)
    assert (set(found.given["layer0"]), [each for each in found.others if "init" in each]) == ({"state", "lengths"}, [])
    mine = flat(found.layers["layer0"](xs, **found.given["layer0"]))
    for ours, theirs in zip(mine, run(path, xs), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    changed(path, begins_with(c, where, 6, "c_init"))
    found = tl.import_onnx(path)
    for ours, theirs in zip(flat(found.layers["layer0"](xs, **found.given["layer0"])), run(path, xs), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_what_is_given_from_outside_is_listed_and_zeros_are_nothing(tmp_path: Path) -> None:
    h, path = np.ones((1, 2, 3), np.float32), tmp_path / "x.onnx"
    found = tl.import_onnx(changed(tl.export_onnx(tl.GRU(2, 3, rng=0), path), begins_with(h, "input")))
    assert "initial_h of cell: h_init" in found.others
    assert found.given == {}
    found = tl.import_onnx(changed(tl.export_onnx(tl.GRU(2, 3, rng=0), path), begins_with(0 * h)))
    assert found.given == {"cell": {}}
    both = tl.import_onnx(tl.export_onnx(tl.LSTM(2, 3, num_layers=2, rng=0), path, state=True, lengths=True))
    assert both.others[0].startswith("Split ")
    assert [each for each in both.others if " of " in each][:3] == [
        *("sequence_lens of layer0: lengths", "initial_h of layer0: h_init#0", "initial_c of layer0: c_init#0"),
    ]


def test_a_file_with_any_bytes_changed_is_read_or_one_line(tmp_path: Path) -> None:
    rng, path = np.random.default_rng(0), tl.export_onnx(tl.LSTM(2, 3, rng=0), tmp_path / "x.onnx", state=True)
    whole, refused = path.read_bytes(), list[str]()
    for _ in range(400):
        damaged = bytearray(whole)
        for _ in range(rng.integers(1, 4)):
            damaged[rng.integers(len(whole))] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            tl.import_onnx(path)
        except ValueError as error:
            refused.append(str(error))
    assert len(refused) > 20
    assert all(line.isprintable() and line.startswith(str(path)) and len(line) < 500 for line in refused)


def test_what_is_given_is_a_module_and_a_file(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="export_onnx takes a module of ours, not 3"):
        tl.export_onnx(3, tmp_path / "x.onnx")
    with pytest.raises(TypeError, match="a path is a string"):
        tl.export_onnx(tl.Linear(1, 1), 3)
    with pytest.raises(FileNotFoundError, match=r"x\.onnx: no such file"):
        tl.import_onnx(tmp_path / "x.onnx")


def test_without_the_package_the_message_says_which_extra(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"")
    for call in ("tl.export_onnx(tl.LSTM(1, 2), 'y.onnx')", "tl.import_onnx('x.onnx')"):
        code = f"import sys; sys.modules['onnx'] = None\nimport tinygrad_lstm as tl\n{call}"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", cwd=tmp_path)
        assert done.stderr.splitlines()[-1].endswith("_onnx needs the extra: pip install 'tinygrad-lstm[onnx]'")

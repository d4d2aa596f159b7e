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


def run(path: Path, xs: Any) -> list[Any]:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return list(session.run(None, {"xs": xs}))


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


def test_initial_states_are_listed_and_not_guessed(tmp_path: Path) -> None:
    def begun(model: Any) -> None:
        recurrent(model).input.extend(["", "h_init"])
        model.graph.input.append(helper.make_tensor_value_info("h_init", onnx.TensorProto.FLOAT, [1, "N", 3]))

    path = changed(tl.export_onnx(tl.GRU(2, 3, rng=0), tmp_path / "x.onnx"), begun)
    assert "initial_h of cell: h_init" in tl.import_onnx(path).others


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

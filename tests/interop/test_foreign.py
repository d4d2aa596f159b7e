"""Files of other formats, whole, cut or hostile: one line says what they are, nothing is loaded, nothing is run."""

import io
import pickle
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import tinygrad_lstm as tl
from tests.interop.test_saved import bits
from tinygrad_lstm.interop.safetensors import encode
from tinygrad_lstm.studies import speaker

LINE = r"^[\x20-\uffff]{20,400}$"


class Hostile:
    """Touches a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def zipped(**members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def foreign(run):
    """Files of other formats by what one is told of them; those with a pickle would run it."""
    arrays = io.BytesIO()
    np.savez(arrays, **tl.to_torch(tl.LSTM(3, 16, rng=0)))
    harm = pickle.dumps(Hostile(run), protocol=2)
    return {
        "but one of numpy's: np.load(path, allow_pickle=False) reads it": arrays.getvalue(),
        "but one of PyTorch's: torch.load(path, weights_only=True) reads it": zipped(
            **{"model/data.pkl": harm, "model/data/0": bytes(9000)}
        ),
        "but HDF5 or Keras': keras.models.load_model": b"\x89HDF\r\n\x1a\n" + bytes(9000),
        "but a pickle, which would run a program": harm + bytes(9000),
        "or damaged": b"hello, world\n" * 900,
    }


@pytest.mark.parametrize("words", foreign(Path("x")))
def test_a_file_of_another_format_is_told_cut_anywhere_too(words, tmp_path):
    path, run, model = tmp_path / "model.bin", tmp_path / "run", tl.LSTM(3, 16, rng=0)
    whole, before = foreign(run)[words], bits(model)
    for length in [*range(0, len(whole), 1000), len(whole)]:
        path.write_bytes(whole[:length])
        for how in ({}, {"into": model}):
            with pytest.raises(ValueError, match=LINE) as raised:
                tl.load(path, **how)
            assert str(raised.value).startswith(f"{path} is no safetensors file")
            assert words in str(raised.value) or not length
    assert bits(model) == before
    assert not run.exists()


def test_an_array_file_that_is_damaged_or_holds_a_pickle_gives_nothing(tmp_path):
    path, run, model = tmp_path / "model.npz", tmp_path / "run", tl.LSTM(3, 16, rng=0)
    before, state = bits(model), tl.to_torch(tl.LSTM(3, 16, rng=1))
    np.savez(path, **state)
    damaged = bytearray(path.read_bytes())
    damaged[1500] ^= 1
    path.write_bytes(damaged)
    with np.load(path) as arrays, pytest.raises(ValueError, match=r"^weight_ih_l0 cannot be read: Bad CRC-32"):
        tl.from_torch(arrays, into=model)
    np.savez(path, **{**state, "weight_hh_l0": np.array([Hostile(run)], object)})
    with np.load(path) as arrays, pytest.raises(ValueError, match=r"^weight_hh_l0 cannot be read: Object arrays"):
        tl.from_torch(arrays, into=model)
    assert bits(model) == before
    assert not run.exists()


def test_an_array_file_that_is_cut_is_named_in_a_line_wherever_that_is(tmp_path, monkeypatch):
    rng, file = np.random.default_rng(0), tmp_path / "checkpoint20.npz"
    np.savez(file, **{theirs: rng.normal(size=(7, 9)) for theirs in speaker.ARRAYS.values()})
    found = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(speaker, "find_spec", lambda name: found)
    whole = file.read_bytes()
    assert len(whole) > 9000
    for length in [*range(0, len(whole), 1000), 1, len(whole) - 1, len(whole)]:
        file.write_bytes(whole[:length])
        with pytest.raises(SystemExit, match=LINE) as raised:
            speaker.trained()
        assert str(raised.value).startswith(f"{file} is damaged: ")
    assert "misshapen" in str(raised.value)  # the whole file has other sizes
    assert "g2p_en" not in sys.modules


def test_names_that_lead_elsewhere_are_names(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(encode({"../../weight": np.zeros((3, 2)), "/etc/bias": np.zeros(2)}, {}))
    with pytest.raises(ValueError, match=r"surplus: \.\./\.\./weight \(is it weight\?\), /etc/bias"):
        tl.load(path, into=tl.Linear(3, 2))
    with pytest.raises(ValueError, match=r"surplus: \.\./weight \(is it weight\?\)"):
        tl.from_torch({"../weight": np.zeros((2, 3)), "bias": np.zeros(2)}, into=tl.Linear(3, 2))
    assert [each.name for each in tmp_path.iterdir()] == ["model.safetensors"]


def test_what_is_no_state_dict_is_told_with_what_to_do():
    layer, state = tl.Linear(3, 2), {"weight": np.zeros((2, 3)), "bias": np.zeros(2)}
    with pytest.raises(
        ValueError, match=r"^state_dict is a mapping by itself: if that is the state dict, give it alone"
    ):
        tl.from_torch({"state_dict": state, "epoch": 3}, into=layer)
    with pytest.raises(TypeError, match=r"a file is read by torch\.load\(path, weights_only=True\)$"):
        tl.from_torch("model.pt", into=layer)

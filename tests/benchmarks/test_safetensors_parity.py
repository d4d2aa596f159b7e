"""Files of ours are read by the package safetensors, and its files by us, bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file, save_file
from safetensors.torch import load_file as load_torch

import tinygrad_lstm as tl
from tests.interop.test_safetensors import BROKEN, NUMBERS, Kept
from tinygrad_lstm.interop.safetensors import read

ONLY_OURS = {"another type", "no type", "a huge shape of nothing", "sides without end"}
"""What the package takes and we do not: types that are no numbers of ours, and shapes that numpy has not."""


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_files_of_ours_are_read_by_the_package(dtype: str, tmp_path: Path) -> None:
    lstm = tl.LSTM(3, 4, num_layers=2, rng=0, dtype=dtype)
    lstm.cells[0].forget_gate.bias.value = np.asarray([np.nan, -0.0, np.inf, 5e-324], dtype)
    path = tl.save(lstm, tmp_path / "lstm.safetensors")
    theirs, ours = load_file(path), lstm.state_dict()
    assert {name: (a.dtype, a.tobytes()) for name, a in theirs.items()} == {
        name: (a.dtype, a.tobytes()) for name, a in ours.items()
    }
    assert {name: a.numpy().tobytes() for name, a in load_torch(path).items()} == {
        name: a.tobytes() for name, a in ours.items()
    }
    with safe_open(path, "np") as opened:
        assert set(opened.metadata()) == {"tinygrad_lstm"}


def test_files_of_the_package_are_read_by_us(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    arrays = {
        "a": rng.normal(size=(2, 3)),
        "b": np.float32([[-0.0, np.nan]]),
        "c": np.zeros((0, 2)),
        "d": np.array(1.5),
    }
    save_file(arrays | {"half": np.float16([1.5])}, tmp_path / "x", metadata={"format": "np"})
    ours, texts = read(tmp_path / "x")
    assert texts == {"format": "np"}
    assert ours.pop("half").tolist() == [1.5]
    assert {name: (a.dtype, a.shape, a.tobytes()) for name, a in ours.items()} == {
        name: (a.dtype, a.shape, a.tobytes()) for name, a in arrays.items()
    }


@pytest.mark.parametrize("name", sorted(BROKEN.keys() - ONLY_OURS))
def test_what_we_call_damaged_the_package_does_too(name: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(BROKEN[name][0])
    with pytest.raises((SafetensorError, OSError, ValueError)):
        load_file(tmp_path / "x")


@pytest.mark.parametrize("dtype", NUMBERS)
def test_each_type_is_the_one_that_the_package_reads(dtype: str, tmp_path: Path) -> None:
    array = np.array(NUMBERS[dtype], dtype)
    read_there = load_file(tl.save(Kept(array), tmp_path / "x"))["kept"]
    np.testing.assert_array_equal(read_there, array.astype(array.dtype.newbyteorder("=")), strict=True)

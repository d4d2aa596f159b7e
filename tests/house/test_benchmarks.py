"""What the benchmarks say: of their surroundings, of a value and its budget, of what differs, of how time grows."""

import json
import math
import mmap

import numpy as np
import pytest

from tests.benchmarks import surroundings
from tests.benchmarks.__main__ import finite, main, table
from tests.benchmarks.bars import bar
from tests.benchmarks.contend import in_use
from tests.benchmarks.growth import drawn, exponent
from tests.benchmarks.jobs import SIZES, Job, differences
from tests.benchmarks.lines import Line, Plan, compared
from tests.benchmarks.surroundings import faults, kernel, minor_faults
from tests.benchmarks.turns import Measured, environment, in_turns


def test_the_kernel_of_numpys_blas_is_named(monkeypatch):
    pool = {"user_api": "blas", "internal_api": "openblas", "version": "0.3.27", "architecture": "Haswell"}
    torchs = {**pool, "filepath": "torch/lib/libmkl.so", "architecture": "theirs"}
    pools = [{"user_api": "openmp", "filepath": "numpy/libgomp.so"}, {**pool, "filepath": "numpy.libs/x.so"}, torchs]
    monkeypatch.setattr(surroundings, "threadpool_info", lambda: pools)
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    assert kernel() == "openblas 0.3.27 Haswell"
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Prescott")
    assert kernel() == "openblas 0.3.27 Haswell (forced by OPENBLAS_CORETYPE)"


def test_what_is_not_known_is_a_dash(monkeypatch):
    monkeypatch.setattr(surroundings, "threadpool_info", None)
    monkeypatch.setattr(surroundings, "resource", None)
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    assert kernel() == "–"
    assert faults(minor_faults(), minor_faults(), 3) == "–"


def test_page_faults_are_counted():
    pytest.importorskip("resource")
    before = minor_faults()
    with mmap.mmap(-1, 2**24) as fresh:  # memory that nobody had before
        fresh.write(b"1" * 2**24)
        assert minor_faults() > before
    assert faults(100, 1300, 2) == "600"


def test_contenders_find_the_same_around_them(monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setenv("OPENBLAS_L2_SIZE", "512")
    found = environment(threads=2)
    assert not {"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"} & found.keys()
    assert found["MALLOC_MMAP_THRESHOLD_"] == found["MALLOC_TRIM_THRESHOLD_"] == "4000000000"
    assert found["OPENBLAS_NUM_THREADS"] == found["OMP_NUM_THREADS"] == "2"


def test_a_line_says_by_how_much_it_missed():
    assert Line("tour", 5, " s", 10).told() == ("tour", "5 s", "≤ 10 s", "met", "")
    assert Line("tour", 12, " s", 10).told()[1:4] == ("12 s", "≤ 10 s", "missed by 20 %")
    assert Line("training", 0.5, "", 1.0, least=True).told()[1:4] == ("0.5", "≥ 1", "missed by 100 %")
    assert Line("soak", 100, "", 0).told()[3] == "missed"
    assert Line("growth", 1.0).told()[1:4] == ("1", "", "")
    assert Line("JAX", math.nan, "", 1.0, beside="jax is not installed").told()[1:] == (
        *("–", "≤ 1", "missing"),
        "jax is not installed",
    )


def test_the_bars_are_those_of_a_cell_a_size_and_a_dtype():
    assert bar(Job("LSTM", SIZES[0], "float64"), "torch.nn") == 0.35
    assert bar(Job("LSTM", SIZES[4], "float32"), "torch.nn") == 1.0
    assert bar(Job("GRU", SIZES[0], "float64"), "torch.nn") is None
    assert bar(Job("GRU", SIZES[0], "float64"), "by hand") == 1.1
    assert bar(Job("MGU", SIZES[0], "float64"), "by hand") == 1.2
    assert bar(Job("MGU", SIZES[0], "float64"), "eager torch") == 0.5
    assert bar(Job("LSTM", SIZES[4], "float64"), "products") == 1.2
    assert bar(Job("LSTM", SIZES[4], "float32"), "products") is None


def test_the_slowest_program_is_held_to_the_composed_graph_and_the_quickest_to_others():
    measured = {
        "composed": Measured("composed", cpu=4.0),
        "compiled 0": Measured("compiled 0", cpu=5.0, note="not compiled: no loop"),
        "compiled 3": Measured("compiled 3", cpu=1.0, memory=10, wrong=("xs is missing",)),
        "by hand": Measured("by hand", cpu=0.8),
        "torch.nn": Measured("torch.nn", missing="torch is not installed"),
    }
    lines = list(compared(Job("LSTM", SIZES[0], "float64"), measured))
    ratios = {line.what.rpartition(", ")[2]: line.value for line in lines if "/" in line.what}
    assert ratios == {"compiled 0 / composed": 1.25, "compiled 3 / by hand": 1.25}
    assert [fault.rpartition(", ")[2] for line in lines for fault in line.faults] == [
        "compiled 0: not compiled: no loop",
        "compiled 3: xs is missing",
    ]


def test_what_differs_is_named():
    a = {"x": np.ones(3), "y": np.ones(2), "z": np.ones(2, np.float32), "n": np.array([np.nan])}
    b = {"x": np.ones(3) + 1e-6, "y": np.ones(3), "z": np.ones(2, np.float32), "n": np.array([1.0]), "w": np.ones(1)}
    assert differences(a, b) == [
        "n differs by nan of its largest number",
        "w is missing from one of them",
        "x differs by 1.0e-06 of its largest number",
        "y: float64 (2,) and float64 (3,)",
    ]
    assert differences(a, {**a, "n": np.array([1.0])}) == ["n differs by nan of its largest number"]


def test_a_pattern_chooses_and_quick_is_less():
    assert Plan("lstm.*32").wants("LSTM (25, 1, 64, 100) float32")
    assert not Plan("gru").wants("LSTM (25, 1, 64, 100) float32", "import")
    quick, full = list(Plan(quick=True).jobs()), list(Plan().jobs())
    assert set(quick) < set(full)
    assert "torch.compile" not in Plan().rivals(Job("MGU", SIZES[2], "float64"))
    assert "torch.compile" in Plan().rivals(Job("MGU", SIZES[0], "float64"))


def test_an_exponent_is_the_slope_of_the_logarithms():
    assert exponent([(n, 3.0 * n**2) for n in (10, 20, 40, 80)]) == pytest.approx(2.0)
    svg = drawn({"T": {"composed": [(n, 3.0 * n**2) for n in (10, 20, 40)]}, "N": {}}, ["machine: a < b"])
    assert "composed: T^2.00" in svg
    assert "machine: a &lt; b" in svg


def test_the_table_ends_with_what_was_missed():
    made = table([Line("a", 1, "", 2), Line("b", 3, "", 2), Line("c", 1)], {"machine": "this"})
    assert list(made.columns[0].cells)[-1] == "1 met, 1 missed"
    assert list(made.columns[4].cells)[-1] == "worst: b"


def test_json_has_no_infinite_numbers():
    told = finite({"a": [math.inf, 1.0, np.float64(2)], "b": (None, "x"), "c": math.nan})
    assert json.loads(json.dumps(told, allow_nan=False)) == {"a": [None, 1.0, 2.0], "b": [None, "x"], "c": None}


@pytest.mark.parametrize(
    ("pattern", "said"), [("(", "'(' is no regular expression"), ("yesterday", "'yesterday' is found in no line")]
)
def test_a_pattern_that_chooses_nothing_is_refused(pattern, said, monkeypatch, capsys):
    for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SystemExit):
        main(["--only", pattern])
    assert said in capsys.readouterr().err


def test_memory_in_use_is_that_of_whoever_asked_for_it():
    before = in_use()
    if before is None:
        pytest.skip("there is no glibc to ask")
    kept = np.ones(2**20)
    assert in_use() - before >= kept.nbytes


def test_contenders_take_turns_and_who_cannot_says_why():
    job = Job("GRU", (3, 2, 2, 4), "float64")
    found = in_turns(job, ["composed", "by hand", "products", "yours"], spend=0.0)
    assert found["composed"].cpu > 0
    assert found["by hand"].wrong == ()
    assert found["products"].missing == "the floor is that of an LSTM"
    assert found["yours"].missing == "KeyError: 'yours'"

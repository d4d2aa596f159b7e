"""What the benchmarks say of their surroundings, with and without those who know."""

import pytest

from tests.benchmarks import surroundings
from tests.benchmarks.surroundings import faults, kernel, minor_faults


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
    kept = bytearray(2**24)
    assert minor_faults() > before
    assert faults(100, 1300, 2) == "600"
    del kept

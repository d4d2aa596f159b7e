"""Tours for the tests: one with all its training, and a way to make others with little."""

import pytest

from tinygrad_lstm.tour import gaps, run


@pytest.fixture(scope="session")
def clouds(tmp_path_factory):
    """The tour of the README, with its notes."""
    folder = tmp_path_factory.mktemp("clouds")
    return run("the clouds are in the sky", folder / "tour", notes=folder / "notes.md")


@pytest.fixture
def quick(monkeypatch):
    """A tour with little training."""
    monkeypatch.setattr("tinygrad_lstm.tour.guide.UPDATES", 3)
    monkeypatch.setattr(gaps, "BUDGET", 32)

"""What every test starts from: one BLAS thread, a hypothesis profile, and global state as the package left it."""

import os
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # sums in one order, for the workers that pytest -n starts

import numpy as np
import pytest
from hypothesis import settings

from tinygrad_lstm.engine import primitive
from tinygrad_lstm.engine.scope import INNERMOST, Entered
from tinygrad_lstm.testing.profiles import Profile

for profile in Profile:  # for --hypothesis-profile
    settings.register_profile(profile, profile.settings)
settings.register_profile("brief", max_examples=5, derandomize=True, parent=Profile.ci.settings)
settings.load_profile(Profile.usual())


@pytest.fixture(autouse=True, scope="session")
def nothing_is_left_behind():
    """No test leaves a file in the root of the repository."""
    there = lambda: {path.name for path in Path(__file__).parents[1].iterdir() if not path.name.startswith(".")}
    before = there()
    yield
    assert there() <= before, "a test left files in the root; see monkeypatch.chdir(tmp_path)"


@pytest.fixture(autouse=True)
def sealed_global_state():
    """No test sees another's scope, time step, no_grad, warnings or primitives."""
    registered = dict(primitive._REGISTRY)
    token = INNERMOST.set(Entered())
    with np.errstate(all="warn", under="ignore"):
        yield
    INNERMOST.reset(token)
    primitive._REGISTRY.clear()
    primitive._REGISTRY.update(registered)


@pytest.fixture
def rng():
    return np.random.default_rng(0)

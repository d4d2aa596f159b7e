"""What every test starts from: one BLAS thread, a hypothesis profile, and global state as the package left it."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # sums in one order, for the workers that pytest -n starts

import numpy as np
import pytest
from hypothesis import settings

from tinygrad_lstm.engine import primitive
from tinygrad_lstm.engine.scope import INNERMOST, Entered
from tinygrad_lstm.testing.profiles import Profile

for profile in Profile:  # for --hypothesis-profile
    settings.register_profile(profile, profile.settings)
settings.load_profile(Profile.usual())


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

"""What every test starts from: one BLAS thread, a hypothesis profile, and global state as the package left it."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: sums in one order, on every machine

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from tinygrad_lstm.engine import primitive
from tinygrad_lstm.engine.scope import CONTEXT, Context

SLOW_MACHINES = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile("dev", max_examples=50, deadline=None, suppress_health_check=SLOW_MACHINES)
settings.register_profile("ci", parent=settings.get_profile("dev"), derandomize=True)
settings.register_profile("nightly", parent=settings.get_profile("dev"), max_examples=500)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


@pytest.fixture(autouse=True)
def sealed_global_state():
    """No test sees another's scope, time step, no_grad, warnings or primitives."""
    registered = dict(primitive._REGISTRY)
    token = CONTEXT.set(Context())
    with np.errstate(all="warn", under="ignore"):
        yield
    CONTEXT.reset(token)
    primitive._REGISTRY.clear()
    primitive._REGISTRY.update(registered)


@pytest.fixture
def rng():
    return np.random.default_rng(0)

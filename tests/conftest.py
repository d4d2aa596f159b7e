"""What every test starts from: one BLAS thread, a hypothesis profile, and global state as the package left it."""

import os
import zlib
from datetime import date
from fractions import Fraction
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

half = settings(max_examples=settings().max_examples // 2)
"""For what is the same for most inputs, or is tried of every operation in several ways."""


def pytest_addoption(parser):
    parser.addoption(
        "--share",
        type=Fraction,
        default=Fraction(1),
        help="run that many of the tests only, such as 1/3; others each day",
    )
    parser.addoption(
        "--share-seed", type=int, default=date.today().toordinal(), help="which share: the day's, if not given"
    )


def pytest_collection_modifyitems(config, items):
    """Keep a share of the tests: with 1/3, three seeds in a row run every test once."""
    share, seed = config.getoption("share"), config.getoption("share_seed")
    left = [item for item in items if not in_share(item.nodeid, share, seed)]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if in_share(item.nodeid, share, seed)]


def in_share(name, share, seed):
    return (zlib.crc32(name.encode()) + seed) % share.denominator < share.numerator


def few(cases, kept=2):
    """Return cases of which the first stand for all, and the others are slow: .ci/run runs a share of those."""
    return [
        case if k < kept else pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.slow)
        for k, case in enumerate(cases)
    ]


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

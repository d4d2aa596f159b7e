"""Where the runs of a study are run: other processes of this machine, or a Dask cluster's workers."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from typing import Any


class NoCluster(Exception):
    """A Dask cluster that is not there, or a library that is not installed; the message is one line."""


@contextmanager
def processes(workers: int | None = None) -> Iterator[Executor]:
    """Yield an executor of so many processes, one for each core if not said; on leaving, what is not begun is dropped.

    Each computes with one BLAS thread: the products are small, and there are as many processes as cores.

    >>> with processes(1) as executor:
    ...     executor.submit(abs, -3).result()
    3
    """
    before = os.environ.get("OPENBLAS_NUM_THREADS")
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    context = multiprocessing.get_context("spawn")  # with nothing of what this process has in its memory
    executor = ProcessPoolExecutor(workers or os.cpu_count() or 1, mp_context=context)
    try:
        yield executor
    finally:
        executor.shutdown(wait=False, cancel_futures=True)
        if before is None:
            del os.environ["OPENBLAS_NUM_THREADS"]
        else:
            os.environ["OPENBLAS_NUM_THREADS"] = before


@contextmanager
def dask(address: str, patience: float = 10.0) -> Iterator[Executor]:
    """Yield an executor of the Dask cluster whose scheduler is at an address, such as "tcp://10.0.0.1:8786".

    Its workers need this package, of this version. A run whose worker dies is given to another.

    Raises:
        NoCluster: where the extra "dask" is not installed, and where nobody answers within ``patience`` seconds.
    """
    try:
        distributed: Any = import_module("distributed")
    except ImportError as error:
        raise NoCluster("--dask needs the extra: pip install 'tinygrad-lstm[dask]'") from error
    try:
        client = distributed.Client(address, timeout=patience, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise NoCluster(
            f"no Dask scheduler answers at {address}; start one with dask scheduler, and give its address, "
            "as in --dask tcp://10.0.0.1:8786"
        ) from error
    try:
        yield client.get_executor(pure=False)
    finally:
        client.close()

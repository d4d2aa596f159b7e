"""Where the runs of a study are run: other processes of this machine, or a Dask cluster's workers."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from typing import Any


class NoCluster(Exception):
    """A Dask cluster that is not there, or a library that is not installed; the message is one line."""


_DEAF = (signal.SIGINT, signal.SIG_IGN)
"""What a worker does of Ctrl-C, which the terminal sends to all: nothing; it is for who started it."""


@contextmanager
def processes(workers: int | None = None) -> Iterator[Executor]:
    """Yield an executor of so many processes, one for each core if not said; on leaving, what runs is ended.

    Each computes with one BLAS thread: the products are small, and there are as many processes as cores.

    >>> with processes(1) as executor:
    ...     executor.submit(abs, -3).result()
    3
    """
    before = os.environ.get("OPENBLAS_NUM_THREADS")
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    context = multiprocessing.get_context("spawn")  # with nothing of what this process has in its memory
    others = set(multiprocessing.active_children())
    executor = ProcessPoolExecutor(
        workers or os.cpu_count() or 1, mp_context=context, initializer=signal.signal, initargs=_DEAF
    )
    try:
        yield executor
    finally:
        executor.shutdown(wait=False, cancel_futures=True)
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()  # a run takes minutes, and nobody waits for it any more
        if before is None:
            del os.environ["OPENBLAS_NUM_THREADS"]
        else:
            os.environ["OPENBLAS_NUM_THREADS"] = before


@contextmanager
def dask(address: str, patience: float = 10.0) -> Iterator[Executor]:
    """Yield an executor of the Dask cluster whose scheduler is at an address, such as "tcp://10.0.0.1:8786".

    Its workers need this package, of this version. A run whose worker dies is given to another. Measured of
    ``temporal-order``: a run is sent as 210 to 230 bytes, its result comes back as less than 500, and between them lie
    1 to 180 seconds of one core.

    Raises:
        NoCluster: where the extra "dask" is not installed, and where nobody answers within ``patience`` seconds.
    """
    try:
        distributed: Any = import_module("distributed")
    except ImportError as error:
        raise NoCluster("--dask needs the extra: pip install 'tinygrad-lstm[dask]'") from error
    silent = NoCluster(
        f"no Dask scheduler answers at {address}; start one with dask scheduler, and give its address, "
        "as in --dask tcp://10.0.0.1:8786"
    )
    if not re.search(r":\d+/?$", address):  # without a port nobody can answer, and the client hangs on as it ends
        raise silent
    try:
        client = distributed.Client(address, timeout=patience, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise silent from error
    try:
        yield client.get_executor(pure=False)
    finally:
        client.close()

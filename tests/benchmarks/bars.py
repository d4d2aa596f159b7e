"""What is asked of a program: bounds of ratios in one run, in the order of ``jobs.SIZES``."""

from __future__ import annotations

from tests.benchmarks.jobs import SIZES, Job

OF_TORCH = {
    "float64": dict(zip(SIZES, (0.35, 0.55, 0.62, 0.62, 0.5), strict=True)),
    "float32": dict(zip(SIZES, (1.1, 1.25, 1.15, 1.1, 1.0), strict=True)),
}
OF_THE_KERNEL, OF_A_USERS = 1.1, 1.2
OF_THE_PRODUCTS = {256: 1.3, 512: 1.2}
OF_EAGER = 0.5
USERS = ("MGU", "LN-LSTM")
FULL_SPEED = {"float64": 1.0, "float32": 0.8}
"""Steps of training a second, beside PyTorch's."""


def bar(job: Job, rival: str) -> float | None:
    """The most that a program may take of what the rival takes; None where nothing is asked."""
    H = job.size[-1]
    if rival == "torch.nn" and job.cell == "LSTM":
        return OF_TORCH[job.dtype].get(job.size)
    if rival == "by hand":
        return OF_A_USERS if job.cell in USERS else OF_THE_KERNEL
    if rival == "products" and job.dtype == "float64":
        return OF_THE_PRODUCTS.get(H)
    if rival == "eager torch" and job.cell in USERS:
        return OF_EAGER
    return 1.0 if rival == "composed" else None

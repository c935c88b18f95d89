"""HETOP over 100 to 1,000,000 groups of four levels, sparse ones among them: seconds, growth and memory."""

from __future__ import annotations

import statistics
import time
import tracemalloc

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from pipelines.estimation import HetopFit, fit_hetop

SIZES = (100, 1_000, 10_000, 100_000, 1_000_000)
REPEATS = 3
# The R package HETOP on 100 groups of four levels, as the specification of comparability gives it: another machine, other counts.
R_SECONDS_FOR_100_GROUPS = 13.5


def make_counts(n_groups: int) -> NDArray[np.int64]:
    """Counts (n_groups, 4) of grades in schools: 5 to 400 students, half of the schools below 55."""
    rng = np.random.default_rng(7)
    sizes = np.clip(np.exp(rng.normal(4.0, 0.8, n_groups)), 5, 400).astype(np.int64)
    mu, sigma = rng.normal(0, 0.5, (n_groups, 1)), np.exp(rng.normal(0, 0.15, (n_groups, 1)))
    below = np.pad(ndtr((np.array([-0.8, 0.1, 1.0]) - mu) / sigma), ((0, 0), (1, 1)), constant_values=(0, 1))
    return rng.multinomial(sizes, np.diff(below, axis=1))


def _seconds(counts: NDArray[np.int64]) -> tuple[float, HetopFit]:
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        fit = fit_hetop(counts)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds), fit


def _peak_bytes(counts: NDArray[np.int64]) -> int:
    tracemalloc.start()
    fit_hetop(counts)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def main() -> None:
    """Print seconds, the ratio to a tenth of the groups, and peak memory for each group."""
    print(f"median of {REPEATS} runs; the R package needs {R_SECONDS_FOR_100_GROUPS} s for 100 groups (by the specification)")
    before = None
    for size in SIZES:
        counts = make_counts(size)
        seconds, fit = _seconds(counts)
        n_sparse = int((fit.status_sigma == "mean").sum())
        growth = "" if before is None else f"{seconds / before:6.1f} x of a tenth"
        memory = _peak_bytes(counts) / size
        print(f"{size:>9,} groups, {n_sparse:>6,} sparse  {seconds:8.3f} s  {memory:7,.0f} B a group {growth}", flush=True)
        if size == SIZES[0]:
            print(f"{R_SECONDS_FOR_100_GROUPS / seconds:,.0f} times as fast as the R package's {R_SECONDS_FOR_100_GROUPS} s")
        before = seconds

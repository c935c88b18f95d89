"""Outer bounds of unknown counts by passing on what each equation says. What must be left open does not belong here."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

_EPSILON = 1e-6


def propagated(
    matrix: csr_array, lower: NDArray[np.float64], upper: NDArray[np.float64], limit: int = 50
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bounds of whole numbers x with matrix @ x = 0, from bounds of each: passed on until nothing changes, or `limit` times.

    Shapes: matrix (equations, cells), bounds (cells,); bounds may be infinite. No whole table lies outside of what is returned.
    """
    entries = coo_array(matrix)
    equation, cell, sign = entries.row, entries.col, entries.data
    positive, n = sign > 0, matrix.shape[0]
    lower, upper = lower.copy(), upper.copy()
    for _ in range(limit):
        least = np.where(positive, lower[cell], -upper[cell])
        most = np.where(positive, upper[cell], -lower[cell])
        others_least = -_of_others(equation, -least, n)
        others_most = _of_others(equation, most, n)
        new_upper, new_lower = upper.copy(), lower.copy()
        np.minimum.at(new_upper, cell, np.floor(np.where(positive, -others_least, others_most) + _EPSILON))
        np.maximum.at(new_lower, cell, np.ceil(np.where(positive, -others_most, others_least) - _EPSILON))
        if np.array_equal(new_upper, upper) and np.array_equal(new_lower, lower):
            break
        upper, lower = new_upper, new_lower
    return lower, upper


def _of_others(equation: NDArray[np.int64], most: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """For each entry the sum of the other entries of its equation, infinite where one of these is."""
    is_finite = np.isfinite(most)
    known = np.where(is_finite, most, 0.0)
    total = np.bincount(equation, weights=known, minlength=n)
    n_infinite = np.bincount(equation, weights=~is_finite, minlength=n)
    return np.where(n_infinite[equation] - ~is_finite > 0, np.inf, total[equation] - known)

"""Many comparisons at once: p-values, and their adjustment so that a whole family of them errs rarely.

A family is one array; which comparisons belong to one does not belong here. A comparison is called different where its adjusted
p-value is at most the level, such as .05. A comparison without a p-value (NaN) stays NaN and counts for nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from pipelines.estimation.inputs import Floats, numbers


def two_sided_p(z: ArrayLike) -> Floats:
    """Probability of a value as far from zero as `z`, in either direction, under the standard normal distribution."""
    return np.asarray(2 * ndtr(-np.abs(numbers(z, "z"))))[()]


def holm_adjusted(p_values: ArrayLike) -> Floats:
    """P-values (m,) adjusted so that any error in the family is as rare as the level (Holm 1979, Scand. J. Stat. 6:65-70)."""
    p, order = _family(p_values)
    count = order.size
    adjusted = np.full(p.size, np.nan)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(np.arange(count, 0, -1) * p[order]))
    return adjusted


def benjamini_hochberg_adjusted(p_values: ArrayLike) -> Floats:
    """P-values (m,) adjusted so that the level bounds the expected share of errors among those called different
    (Benjamini & Hochberg 1995, J. R. Stat. Soc. B 57:289-300).
    """
    p, order = _family(p_values)
    count = order.size
    adjusted = np.full(p.size, np.nan)
    by_rank = p[order] * count / np.arange(1, count + 1)
    adjusted[order] = np.minimum.accumulate(by_rank[::-1])[::-1]
    return adjusted


def holm_critical_z(n_comparisons: int, level: float = 0.05) -> Floats:
    """The |z| that Holm asks for by rank, the largest |z| first, (n_comparisons,); the first that falls short ends the list."""
    if n_comparisons < 1 or not 0 < level < 1:
        raise ValueError("there must be one comparison or more, and the level must lie between 0 and 1")
    return np.asarray(-ndtri(level / (2 * np.arange(n_comparisons, 0, -1))))


def _family(p_values: ArrayLike) -> tuple[Floats, NDArray[np.intp]]:
    p = numbers(p_values, "p_values")
    if p.ndim != 1:
        raise ValueError("p_values must be one row of numbers, one family")
    known = np.flatnonzero(~np.isnan(p))
    if ((p[known] < 0) | (p[known] > 1)).any():
        raise ValueError("p_values must lie between 0 and 1")
    return p, known[np.argsort(p[known], kind="stable")]

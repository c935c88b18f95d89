"""Intervals of shares, of shares of answers clustered by school, and of differences of shares.

The same methods as the warehouse's macros (`dbt_project/macros/intervals.sql`, `schools.sql`, `differences.sql`), at any level of
confidence. A bound that cannot be said is NaN, as it is null there. Which indicator has which interval does not belong here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri, stdtrit

from pipelines.estimation.inputs import Floats, numbers


class Bounds(NamedTuple):
    """Lower and upper bound: arrays of one shape, or numbers."""

    lower: Floats
    upper: Floats


@dataclass(frozen=True)
class ClusteredShare:
    """A share of answers over schools: `effective_n` is how many independent answers it is worth; NaN with fewer than two
    schools.
    """

    value: float
    standard_error: float
    effective_n: float
    lower: float
    upper: float
    n_schools: int


def wilson_interval(numerator: ArrayLike, denominator: ArrayLike, confidence: float = 0.95) -> Bounds:
    """Wilson's score interval of a share (Wilson 1927, J. Am. Stat. Assoc. 22:209-212).

    Numbers or arrays; neither need be whole (an effective size). NaN where the denominator is not above zero or the numerator not
    between zero and it.
    """
    z = _normal_quantile(confidence)
    x, n = np.broadcast_arrays(numbers(numerator, "numerator"), numbers(denominator, "denominator"))
    is_share = (n > 0) & (x >= 0) & (x <= n)
    n = np.where(is_share, n, np.nan)
    share = x / n
    centre, width = share + z * z / (2 * n), z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # Of nobody and of everybody one bound is exact, and rounding must not move it.
    lower = np.where(x == 0, np.where(is_share, 0.0, np.nan), (centre - width) / scale)
    upper = np.where(x == n, 1.0, (centre + width) / scale)
    return Bounds(lower[()], upper[()])


def clustered_interval(numerators: ArrayLike, denominators: ArrayLike, confidence: float = 0.95) -> ClusteredShare:
    """A share of answers, with the interval that answers within a school being alike leaves it.

    One row of numbers for each: by school the answers counted and all answers; a school where one of them is NaN or nobody
    answered does not count. The standard error is that of a ratio of school totals by linearisation, schools as drawn with
    replacement (Cochran 1977, Sampling Techniques, 6.11). The interval is Wilson's at the effective size, p (1 - p) / SE^2, made
    smaller for the few schools that the error rests on and never more than all answers (Korn & Graubard 1998, Survey Methodology
    24:193-201). Where nobody or everybody agrees the error says nothing, and all answers count. ValueError for answers counted
    below zero or above all answers.
    """
    z = _normal_quantile(confidence)
    x, n = numbers(numerators, "numerators"), numbers(denominators, "denominators")
    if x.ndim != 1 or x.shape != n.shape:
        raise ValueError("numerators and denominators must be two rows of equal length, one number for each school")
    known = ~np.isnan(x) & (n > 0)
    x, n = x[known], n[known]
    if ((x < 0) | (x > n)).any():
        raise ValueError("the answers counted in a school must lie between zero and all its answers")
    schools, total = x.size, float(n.sum())
    if schools == 0:
        return ClusteredShare(np.nan, np.nan, np.nan, np.nan, np.nan, 0)
    share = float(x.sum()) / total
    if schools == 1:
        return ClusteredShare(share, np.nan, np.nan, np.nan, np.nan, 1)
    rest = x - share * n
    error = float(np.sqrt(rest @ rest * schools / (schools - 1)) / total)
    effective = total
    if error > 0 and 0 < share < 1:
        t = float(stdtrit(schools - 1, 0.5 + confidence / 2))
        effective = min(total, share * (1 - share) / error**2 * (z / t) ** 2)
    lower, upper = wilson_interval(share * effective, effective, confidence)
    return ClusteredShare(share, error, effective, float(lower), float(upper), schools)


def newcombe_difference(first: ArrayLike, first_bounds: Bounds, second: ArrayLike, second_bounds: Bounds) -> Bounds:
    """Interval of the difference of two shares of different people, first minus second, from each one's own interval
    (Newcombe 1998, Statistics in Medicine 17:873-890, method 10).
    """
    p, q = numbers(first, "first"), numbers(second, "second")
    down = np.hypot(p - first_bounds.lower, second_bounds.upper - q)
    up = np.hypot(first_bounds.upper - p, q - second_bounds.lower)
    return Bounds((p - q - down)[()], (p - q + up)[()])


def _normal_quantile(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise ValueError("confidence must lie between 0 and 1, such as 0.95")
    return float(ndtri(0.5 + confidence / 2))

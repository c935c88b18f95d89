"""The log likelihood of counts in ordered levels of a normal variable, and its derivatives in the standardised cuts.

Arrays are level by group, so that every operation runs along groups. What the cuts, means and spreads behind the standardised
cuts are does not belong here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr, ndtr, xlogy

from pipelines.estimation.inputs import Floats

LOG_ROOT_TWO_PI = 0.5 * np.log(2 * np.pi)
# Below this a difference of two tails of the normal distribution has lost digits to underflow.
SMALLEST_MASS = 1e-280
# Below this width a level's mass is its height in the middle times its width, to the last digit; a difference of tails is not.
NARROW = 1e-3


@dataclass(frozen=True, slots=True)
class LevelLikelihood:
    """Log likelihood l of each group, and its derivatives in the standardised cuts z_k (K - 1 of them, K levels, G groups).

    `slope` (K-1, G): dl/dz_k. `curvature` (K-1, G): -d2l/dz_k^2. `coupling` (K-2, G): -d2l/dz_k dz_k+1; others are zero. The
    matrix of `curvature` and `coupling` is never negative, because the mass of an interval is log-concave in its ends (Pratt
    1981, J. Am. Stat. Assoc. 76:103-106).
    """

    log_likelihood: Floats
    slope: Floats
    curvature: Floats
    coupling: Floats


def density(z: Floats) -> Floats:
    """Density of the standard normal distribution."""
    return np.asarray(np.exp(-0.5 * z * z - LOG_ROOT_TWO_PI))


def level_shares(z: Floats) -> Floats:
    """Share of a normal population in each of K levels, (K, G), from ascending standardised cuts (K-1, G)."""
    return _shares(z, ndtr(-np.abs(z)))


def level_likelihood(counts: Floats, z: Floats) -> LevelLikelihood:
    """`counts` (K, G) and ascending standardised cuts `z` (K-1, G), finite. A count of zero adds nothing, whatever its share."""
    last = counts.shape[0] - 1
    height = density(z)
    shares = level_shares(z)
    is_lost = (shares < SMALLEST_MASS) & (counts > 0)
    any_lost = bool(is_lost.any())
    inverse = 1 / np.maximum(shares, SMALLEST_MASS)
    log_likelihood = np.zeros(counts.shape[1])
    slope, curvature, coupling = np.zeros_like(z), np.zeros_like(z), np.empty((last - 1, counts.shape[1]))
    for k, count in enumerate(counts):
        log_share = xlogy(count, shares[k])
        above = height[k] * inverse[k] if k < last else None
        below = height[k - 1] * inverse[k] if k > 0 else None
        if any_lost and is_lost[k].any():
            lost = is_lost[k]
            low = z[k - 1, lost] if k > 0 else np.full(int(lost.sum()), -np.inf)
            high = z[k, lost] if k < last else np.full(int(lost.sum()), np.inf)
            log_mass = _log_mass(low, high)
            log_share[lost] = count[lost] * log_mass
            if above is not None:
                above[lost] = np.exp(-0.5 * high * high - LOG_ROOT_TWO_PI - log_mass)
            if below is not None:
                below[lost] = np.exp(-0.5 * low * low - LOG_ROOT_TWO_PI - log_mass)
        log_likelihood += log_share
        if above is not None:
            weighted = count * above
            slope[k] += weighted
            curvature[k] += weighted * above
        if below is not None:
            weighted = count * below
            slope[k - 1] -= weighted
            curvature[k - 1] += weighted * below
            if above is not None:
                coupling[k - 1] = -weighted * above
    curvature += z * slope
    return LevelLikelihood(log_likelihood, slope, curvature, coupling)


def _shares(z: Floats, tail: Floats) -> Floats:
    """Shares from the smaller tail beyond each cut, so that small shares far out keep their digits."""
    is_above = z > 0
    shares = np.empty((z.shape[0] + 1, z.shape[1]))
    shares[0] = np.where(is_above[0], 1 - tail[0], tail[0])
    for k in range(1, z.shape[0]):
        same_side = is_above[k - 1] == is_above[k]
        shares[k] = np.where(same_side, np.abs(tail[k - 1] - tail[k]), 1 - tail[k - 1] - tail[k])
    shares[-1] = np.where(is_above[-1], tail[-1], 1 - tail[-1])
    width = np.diff(z, axis=0)
    if (width < NARROW).any():
        middle = (z[1:] + z[:-1]) / 2
        is_narrow = width * np.maximum(1, np.abs(middle)) < NARROW
        thin, at = width[is_narrow], middle[is_narrow]
        shares[1:-1][is_narrow] = density(at) * thin * (1 + (at * at - 1) * thin * thin / 24)
    return shares


def _log_mass(low: Floats, high: Floats) -> Floats:
    """Log of the normal mass between `low` and `high`, however far out."""
    flip = low > 0
    low, high = np.where(flip, -high, low), np.where(flip, -low, high)
    upper = log_ndtr(high)
    return np.asarray(upper + np.log1p(-np.exp(log_ndtr(low) - upper)))

"""Means and spreads of groups where the cuts of the score scale are known and published.

Estimating cuts, and comparing groups across tests, do not belong here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipelines.estimation.cells import SMALLEST_MASS, density, level_shares
from pipelines.estimation.groups import blocks, fit_groups, n_populated, starting_means, starting_values
from pipelines.estimation.inputs import MINIMUM_LEVELS, Floats, ascending_cuts, level_counts, numbers


@dataclass(frozen=True, eq=False)
class FixedCutsFit:
    """Estimates of G groups in units of the cuts, each an array (G,); of a single row of counts, numbers.

    `status`: `est`; `pooled` where sigma is the groups' common one, whose `se_sigma` is NaN because how far this group lies
    from it is not known; `none` where nothing can be said (all numbers NaN but `n`). `se_mu_sample`: the students as a sample
    of students like them. `se_mu_population`: these students and no others; only that scores were seen as levels.
    """

    mu: Floats
    sigma: Floats
    se_mu_sample: Floats
    se_mu_population: Floats
    se_sigma: Floats
    n: Floats
    status: NDArray[np.str_]


def fit_fixed_cuts(counts: ArrayLike, cuts: ArrayLike, pool_below: float = 0) -> FixedCutsFit:
    """Maximum likelihood of normal scores seen only as levels, with standard errors from the expected information.

    `counts` (G, K), or (K,) for one group, K >= 3; `cuts` (K-1,), ascending. A group has a sigma of its own where it has three
    populated levels and at least `pool_below` students. Every other group takes the pooled sigma, which is exp of the mean of
    ln sigma over the groups that have their own, weighted by their students; where no group has one, a small group with three
    populated levels keeps its own and one with fewer has no estimate. Nor has a group that is empty or wholly in one end level.
    ValueError for bad input.
    """
    table = numbers(counts, "counts")
    is_single = table.ndim == 1
    table = level_counts(table[None, :] if is_single else table)
    known = ascending_cuts(cuts, table.shape[1] - 1, "cuts")
    if not pool_below >= 0:
        raise ValueError("pool_below must be zero or more students")
    by_level = np.ascontiguousarray(table.T)
    n = by_level.sum(axis=0)
    # Work is done in units in which the cuts are of the size of 1, wherever the scale begins.
    centre, unit = known.mean(), known[-1] - known[0]
    scaled = (known - centre) / unit

    shows_spread = n_populated(by_level) >= MINIMUM_LEVELS
    own = shows_spread & (n >= pool_below)
    pool_exists = bool(own.any())
    if not pool_exists:
        own = shows_spread
    is_in_end = (by_level[0] == n) | (by_level[-1] == n)
    pooled = ~own & ~is_in_end & pool_exists

    mu, log_sigma = np.full(n.size, np.nan), np.full(n.size, np.nan)
    first_mu, first_spread = starting_values(by_level[:, own], scaled[:, None])
    mu[own], log_sigma[own] = fit_groups(by_level[:, own], scaled, first_mu, first_spread, np.ones(own.sum(), dtype=bool))
    if pooled.any():
        common = float(np.average(log_sigma[own], weights=n[own]))
        log_sigma[pooled] = common
        first_mu = starting_means(by_level[:, pooled], scaled, log_sigma[pooled])
        mu[pooled], _ = fit_groups(by_level[:, pooled], scaled, first_mu, log_sigma[pooled], np.zeros(pooled.sum(), dtype=bool))

    sigma = np.exp(log_sigma)
    var_mu, var_sigma = _variances(scaled, mu, sigma, n, own)
    # Of a wholly resolved scale the two are equal; rounding must not make the rest negative.
    binning = np.sqrt(np.maximum(var_mu - sigma * sigma / np.maximum(n, 1e-300), 0.0))
    status = np.where(own, "est", np.where(pooled, "pooled", "none"))
    parts = (centre + unit * mu, unit * sigma, unit * np.sqrt(var_mu), unit * binning, unit * np.sqrt(var_sigma), n, status)
    return FixedCutsFit(*(part[0] if is_single else part for part in parts))


def _variances(cuts: Floats, mu: Floats, sigma: Floats, n: Floats, own: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Variances of mu and sigma from the expected information in one student's level (NaN where there is no estimate)."""
    var_mu, var_sigma = np.full(n.size, np.nan), np.full(n.size, np.nan)
    for block in blocks(n.size):
        z = (cuts[:, None] - mu[block]) / sigma[block]
        shares = level_shares(z)
        ends = np.zeros((1, z.shape[1]))
        heights = density(z)
        d_mu = -np.diff(heights, axis=0, prepend=ends, append=ends) / sigma[block]
        d_sigma = -np.diff(z * heights, axis=0, prepend=ends, append=ends) / sigma[block]
        weight = np.divide(1.0, shares, out=np.zeros_like(shares), where=shares > SMALLEST_MASS)
        i_mu, i_both, i_sigma = ((a * b * weight).sum(axis=0) for a, b in ((d_mu, d_mu), (d_mu, d_sigma), (d_sigma, d_sigma)))
        determinant = i_mu * i_sigma - i_both * i_both
        size, is_own = n[block], own[block]
        with np.errstate(divide="ignore", invalid="ignore"):
            var_mu[block] = np.where(is_own, i_sigma / determinant, 1 / i_mu) / size
            var_sigma[block] = np.where(is_own, i_mu / determinant, np.nan) / size
    return var_mu, var_sigma

"""The gap V between two groups seen only in ordered levels: how far apart two normal distributions lie, whatever the score scale.

V = sqrt(2) times the normal quantile of P(a > b) (Ho & Reardon 2012, J. Educ. Behav. Stat. 37:489-517). Every rescaling of scores
that keeps their order leaves it as it is. Comparing gaps of different tests or years, and who the groups are, do not belong here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from pipelines.estimation.groups import GroupDerivatives, group_derivatives, n_populated, starting_values
from pipelines.estimation.inputs import MINIMUM_LEVELS, Floats, level_counts, numbers

MOST_STEPS = 100
SETTLED = 1e-6
ROUNDING = 1e-13
# Information below this, in spreads of the second group, is none: an estimate a hundred spreads off would do as well.
LEAST_INFORMATION = 1e-4
# Means, cuts and log spreads beyond this many spreads of the second group are on their way to infinity.
FARTHEST = 1e3
MOST_LOG_SIGMA = 12.0


@dataclass(frozen=True, eq=False)
class GapFit:
    """Gaps `v`, positive where the first group is higher, with standard errors `se`: arrays (B,), or numbers of a single pair.

    `status`: `est`; `too_few_levels` where a group has students in fewer than three levels, so that its spread is not known;
    `no_overlap` where the groups share so few levels that the likelihood has no maximum. `v` and `se` are NaN then.
    """

    v: Floats
    se: Floats
    status: NDArray[np.str_]


def gap_v(
    counts_a: ArrayLike, counts_b: ArrayLike, reliability_a: ArrayLike | None = None, reliability_b: ArrayLike | None = None
) -> GapFit:
    """Maximum likelihood estimate of V for B pairs of groups, from their counts in the same levels.

    `counts_*`: (B, K), or (K,) for one pair, levels from the lowest, K >= 3. Both groups have a mean, a spread and the cuts in
    common; levels that neither reached are left out. With the reliabilities of the test in each group (numbers or (B,), above 0
    and up to 1, both or none), v and se are divided by the square root of their pooled value, (r rel_a + rel_b) / (r + 1) with
    r = sigma_a^2 / sigma_b^2, so that gaps of different tests can stand beside each other. ValueError for bad input.
    """
    first, second = numbers(counts_a, "counts_a"), numbers(counts_b, "counts_b")
    if first.shape != second.shape:
        raise ValueError(f"counts_a and counts_b must have the same shape and have {first.shape} and {second.shape}")
    is_single = first.ndim == 1
    first = level_counts(first[None, :] if is_single else first, "counts_a").T
    second = level_counts(second[None, :] if is_single else second, "counts_b").T
    if (reliability_a is None) != (reliability_b is None):
        raise ValueError("give the reliability of both groups or of neither")

    n_pairs = first.shape[1]
    m0, m1, v_se, status = (
        np.full(n_pairs, np.nan),
        np.full(n_pairs, np.nan),
        np.full(n_pairs, np.nan),
        np.full(n_pairs, "est", "<U14"),
    )
    has_spreads = np.minimum(n_populated(first), n_populated(second)) >= MINIMUM_LEVELS
    status[~has_spreads] = "too_few_levels"
    is_empty = first + second == 0
    n_reached = np.count_nonzero(~is_empty, axis=0)
    for n_levels in np.unique(n_reached[has_spreads]):
        pairs = np.flatnonzero(has_spreads & (n_reached == n_levels))
        reached = np.argsort(is_empty[:, pairs], axis=0, kind="stable")[:n_levels]
        mu, sigma, covariance = _fit_pairs(
            *(np.ascontiguousarray(np.take_along_axis(group[:, pairs], reached, axis=0)) for group in (first, second))
        )
        m0[pairs], m1[pairs] = mu, sigma
        v_se[pairs] = np.sqrt(_variance_of_v(mu, sigma, covariance))
        status[pairs[np.isnan(mu)]] = "no_overlap"
    v = m0 / np.sqrt((m1 * m1 + 1) / 2)
    if reliability_a is not None and reliability_b is not None:
        of_a, of_b = _reliability(reliability_a, "reliability_a", n_pairs), _reliability(reliability_b, "reliability_b", n_pairs)
        shrinkage = np.sqrt((m1 * m1 * of_a + of_b) / (m1 * m1 + 1))
        v, v_se = v / shrinkage, v_se / shrinkage
    return GapFit(*(part[0] if is_single else part for part in (v, v_se, status)))


def v_from_moments(mu_a: ArrayLike, sigma_a: ArrayLike, mu_b: ArrayLike, sigma_b: ArrayLike) -> Floats:
    """V of two normal distributions; positive where a is higher. P(a > b) is the normal distribution function at V / sqrt(2)."""
    mean_a, spread_a, mean_b, spread_b = (
        numbers(value, name) for value, name in ((mu_a, "mu_a"), (sigma_a, "sigma_a"), (mu_b, "mu_b"), (sigma_b, "sigma_b"))
    )
    if (spread_a <= 0).any() or (spread_b <= 0).any():
        raise ValueError("sigma_a and sigma_b must be above zero")
    return np.asarray((mean_a - mean_b) / np.sqrt((spread_a**2 + spread_b**2) / 2))[()]


def se_of_v_full_scores(v: ArrayLike, r: ArrayLike, share_a: ArrayLike, n: ArrayLike) -> Floats:
    """Standard error of V where every student's score is known: what levels are measured against.

    `r` = sigma_a^2 / sigma_b^2, `share_a`: group a's share of the `n` students (Ho & Reardon 2012; Reardon & Ho 2015,
    J. Educ. Behav. Stat. 40:158-189).
    """
    gap, ratio, p, size = (numbers(value, name) for value, name in ((v, "v"), (r, "r"), (share_a, "share_a"), (n, "n")))
    if (ratio <= 0).any() or (p <= 0).any() or (p >= 1).any() or (size <= 0).any():
        raise ValueError("r and n must be above zero, and share_a between 0 and 1")
    mixed = p + (1 - p) * ratio**2
    weight = ratio + p - p * ratio
    spread = size * p * (1 - p) * (1 + ratio)
    factor = 1 + gap**2 * mixed / (4 * (1 + ratio) * weight) + mixed / (2 * spread * (1 + ratio))
    return np.asarray(np.sqrt(factor * 2 * weight / spread))[()]


def _reliability(values: ArrayLike, name: str, n_pairs: int) -> Floats:
    array = numbers(values, name)
    if array.shape not in ((), (n_pairs,)):
        raise ValueError(f"{name} must be one number or one for each of the {n_pairs} pairs")
    if not ((array > 0) & (array <= 1)).all():
        raise ValueError(f"{name} must be above 0 and at most 1")
    return array


def _variance_of_v(mu: Floats, sigma: Floats, covariance: Floats) -> Floats:
    """By the delta method, from the covariance (B, 2, 2) of mu_a and sigma_a in units of group b."""
    total = 1 + sigma * sigma
    by_mu, by_sigma = np.sqrt(2 / total), -np.sqrt(2) * mu * sigma / total**1.5
    gradient = np.stack([by_mu, by_sigma], axis=1)
    return np.asarray(np.einsum("bi,bij,bj->b", gradient, covariance, gradient))


def _fit_pairs(first: Floats, second: Floats) -> tuple[Floats, Floats, Floats]:
    """mu and sigma of the first group where the second has 0 and 1, and their covariance (B, 2, 2), from counts (K, B).

    Newton's method over mu, log_sigma and the cuts of all pairs at once, with steps halved pair by pair until they lead upwards.
    NaN for a pair whose likelihood has no maximum.
    """
    below = np.cumsum(second + 0.5, axis=0)
    cuts = np.asarray(ndtri(below[:-1] / below[-1]))
    n_levels, n_pairs = first.shape
    # Beside counts that no test gives, others are lost in rounding, and a cut lies nowhere.
    has_start = np.isfinite(cuts).all(axis=0) & (cuts[1:] > cuts[:-1]).all(axis=0)
    cuts = np.where(has_start, cuts, np.arange(n_levels - 1.0)[:, None])
    point = np.concatenate([np.stack(starting_values(first, cuts)), cuts])
    step, value = np.zeros_like(point), np.full(n_pairs, -np.inf)
    open_pairs, settled = np.flatnonzero(has_start), np.zeros(n_pairs, dtype=bool)
    for _ in range(MOST_STEPS):
        trial = point[:, open_pairs] + step[:, open_pairs]
        is_ordered = (np.diff(trial[2:], axis=0) > 0).all(axis=0)
        # Where cuts have crossed the step is halved; what is computed there is not used.
        trial[:, ~is_ordered] = point[:, open_pairs[~is_ordered]]
        a, b = _both_groups(first[:, open_pairs], second[:, open_pairs], trial)
        reached = a.log_likelihood + b.log_likelihood
        up = is_ordered & (reached >= value[open_pairs] - ROUNDING * np.abs(reached))
        slope, information, sure = _slope_and_information(a, b)
        is_lost = ~(np.isfinite(information).all(axis=(1, 2)) & np.isfinite(slope).all(axis=0))
        information[is_lost], sure[is_lost], slope[:, is_lost] = np.eye(n_levels + 1), np.eye(n_levels + 1), 0.0
        sizes = np.linalg.eigvalsh(information)
        has_top = sizes[:, 0] > 1e-14 * sizes[:, -1]
        ridge = 1e-9 * np.maximum(np.einsum("bii->b", sure), 1.0)[:, None, None] * np.eye(n_levels + 1)
        matrix = np.where(has_top[:, None, None], information, sure + ridge)
        newton = np.linalg.solve(matrix, slope.T[:, :, None])[:, :, 0].T
        gain = (newton * slope).sum(axis=0)
        newton /= np.maximum(1, np.abs(newton[1]) / 2)
        higher, lower = open_pairs[up], open_pairs[~up]
        point[:, higher], value[higher], step[:, higher] = trial[:, up], reached[up], newton[:, up]
        step[:, lower] *= 0.5
        is_done = up & has_top & ~is_lost & (gain < SETTLED**2)
        done = open_pairs[is_done]
        point[:, done] += step[:, done]
        settled[done] = True
        reach = np.abs(point[:, open_pairs])
        open_pairs = open_pairs[~is_done & ~is_lost & (reach.max(axis=0) < FARTHEST) & (reach[1] < MOST_LOG_SIGMA)]
        if open_pairs.size == 0:
            break
    # Pairs that did not settle are looked at where they can be, which says nothing of them and disturbs nobody.
    somewhere = np.arange(n_levels + 1.0)[:, None]
    _, information, _ = _slope_and_information(*_both_groups(first, second, np.where(settled, point, somewhere)))
    settled &= np.linalg.eigvalsh(information)[:, 0] > LEAST_INFORMATION
    information[~settled] = np.eye(n_levels + 1)
    mu, sigma = np.where(settled, point[0], np.nan), np.where(settled, np.exp(point[1]), np.nan)
    covariance = np.linalg.inv(information)[:, :2, :2]
    scale = np.stack([np.ones(n_pairs), sigma], axis=1)
    return mu, sigma, covariance * scale[:, :, None] * scale[:, None, :]


def _both_groups(first: Floats, second: Floats, point: Floats) -> tuple[GroupDerivatives, GroupDerivatives]:
    """Derivatives of both groups at `point` (2 + K - 1, B): mu and log_sigma of the first, then the cuts."""
    nothing = np.zeros(point.shape[1])
    return group_derivatives(first, point[2:], point[0], point[1]), group_derivatives(second, point[2:], nothing, nothing)


def _slope_and_information(a: GroupDerivatives, b: GroupDerivatives) -> tuple[Floats, Floats, Floats]:
    """Slopes (P, B) in mu, log_sigma and the cuts; minus the second derivatives (B, P, P); and their part that is never
    negative.
    """
    n_cuts, n_pairs = a.pull.shape
    slope = np.concatenate([[a.slope_mu, a.slope_spread], a.alpha * a.levels.slope + b.levels.slope])
    sure = np.zeros((n_pairs, n_cuts + 2, n_cuts + 2))
    sure[:, 0, 0], sure[:, 1, 1] = a.information_mu, a.information_spread
    sure[:, 0, 1] = sure[:, 1, 0] = a.information_both
    squared = a.alpha * a.alpha
    for k in range(n_cuts):
        sure[:, 0, k + 2] = sure[:, k + 2, 0] = -squared * a.pull[k]
        sure[:, 1, k + 2] = sure[:, k + 2, 1] = -a.alpha * a.turn[k]
        sure[:, k + 2, k + 2] = squared * a.levels.curvature[k] + b.levels.curvature[k]
        if k:
            between = squared * a.levels.coupling[k - 1] + b.levels.coupling[k - 1]
            sure[:, k + 1, k + 2] = sure[:, k + 2, k + 1] = between
    information = sure.copy()
    information[:, 0, 1] += a.slope_mu
    information[:, 1, 0] += a.slope_mu
    information[:, 1, 1] += a.slope_spread
    pull = (a.alpha * a.levels.slope).T
    information[:, 1, 2:] += pull
    information[:, 2:, 1] += pull
    return slope, information, sure

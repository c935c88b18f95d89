"""Means and spreads of many groups at once, where the cuts between the levels are known: maximum likelihood, group by group.

A group has a mean mu and a log_sigma; z_k = (c_k - mu) / sigma. Where cuts come from does not belong here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from pipelines.estimation.cells import LevelLikelihood, density, level_likelihood
from pipelines.estimation.inputs import EstimationFailed, Floats

# Groups that are worked on together: few enough for all arrays of a block to stay in the processor's cache.
BLOCK = 8192
MOST_STEPS = 200
# Of a log likelihood: what rounding alone may take away in a step that leads upwards.
ROUNDING = 1e-13


@dataclass(frozen=True, slots=True)
class GroupDerivatives:
    """Log likelihood of G groups and its derivatives in mu and log_sigma.

    `information_*` is the matrix J'HJ of the levels' curvature H and the derivatives J of the z_k: never negative. The negative
    second derivatives are that, and `slope_mu` more for the pair, `slope_spread` more for log_sigma twice. `pull` and `turn`
    (K-1, G) are the sums over j of H_kj and of H_kj z_j.
    """

    log_likelihood: Floats
    slope_mu: Floats
    slope_spread: Floats
    information_mu: Floats
    information_both: Floats
    information_spread: Floats
    pull: Floats
    turn: Floats
    alpha: Floats
    levels: LevelLikelihood


def group_derivatives(counts: Floats, cuts: Floats, mu: Floats, log_sigma: Floats) -> GroupDerivatives:
    """`counts` (K, G), `cuts` (K-1, 1) or (K-1, G), `mu` and `log_sigma` (G,)."""
    alpha = np.exp(-log_sigma)
    z = (cuts - mu) * alpha
    levels = level_likelihood(counts, z)
    pull = levels.curvature.copy()
    pull[:-1] += levels.coupling
    pull[1:] += levels.coupling
    turn = levels.curvature * z
    turn[:-1] += levels.coupling * z[1:]
    turn[1:] += levels.coupling * z[:-1]
    return GroupDerivatives(
        log_likelihood=levels.log_likelihood,
        slope_mu=-alpha * levels.slope.sum(axis=0),
        slope_spread=-np.einsum("kg,kg->g", levels.slope, z),
        information_mu=alpha * alpha * pull.sum(axis=0),
        information_both=alpha * turn.sum(axis=0),
        information_spread=np.einsum("kg,kg->g", turn, z),
        pull=pull,
        turn=turn,
        alpha=alpha,
        levels=levels,
    )


def blocks(n_groups: int) -> Iterator[slice]:
    """Slices that take `n_groups` groups a block at a time."""
    return (slice(start, min(start + BLOCK, n_groups)) for start in range(0, n_groups, BLOCK))


def n_populated(counts: Floats) -> NDArray[np.int64]:
    """In how many levels each group has students; `counts` (K, G)."""
    return np.asarray(np.count_nonzero(counts, axis=0), dtype=np.int64)


def starting_values(counts: Floats, cuts: Floats) -> tuple[Floats, Floats]:
    """A first mu and log_sigma: the line through the normal quantiles of the shares below the cuts, half a student in every
    level.
    """
    below = np.cumsum(counts + 0.5, axis=0)
    z = ndtri(below[:-1] / below[-1])
    weights = density(z)
    total = weights.sum(axis=0)
    centre_cut, centre_z = (weights * cuts).sum(axis=0) / total, (weights * z).sum(axis=0) / total
    off_centre = cuts - centre_cut
    rise = (weights * off_centre * z).sum(axis=0) / (weights * off_centre * off_centre).sum(axis=0)
    return centre_cut - centre_z / rise, -np.log(rise)


def starting_means(counts: Floats, cuts: Floats, log_sigma: Floats) -> Floats:
    """A first mu where the spread is known: everybody in the middle of a level, in an end level one spread beyond the cut."""
    sigma = np.exp(log_sigma)
    total = counts[0] * (cuts[0] - sigma) + counts[-1] * (cuts[-1] + sigma) + (cuts[1:] + cuts[:-1]) / 2 @ counts[1:-1]
    return np.asarray(total / counts.sum(axis=0))


def fit_groups(
    counts: Floats, cuts: Floats, mu: Floats, log_sigma: Floats, has_own_spread: NDArray[np.bool_], tolerance: float = 1e-5
) -> tuple[Floats, Floats]:
    """Mean and log_sigma of greatest likelihood of each group; log_sigma stays as given where not `has_own_spread`.

    `counts` (K, G), `cuts` (K-1,), the rest (G,): first values. A group with a spread of its own needs three populated levels,
    any other one that is not wholly in one end level. The steps end where the next one is less than `tolerance` standard
    errors, which is then taken: Newton's method squares what is left. EstimationFailed where that is not reached.

    In alpha = 1 / sigma and beta = mu / sigma the z_k are linear and the likelihood is log-concave (Pratt 1981), so that steps
    that are halved until they lead upwards reach the one maximum.
    """
    mu, log_sigma = mu.copy(), log_sigma.copy()
    for block in blocks(counts.shape[1]):
        _fit_block(counts[:, block], cuts[:, None], mu[block], log_sigma[block], has_own_spread[block], tolerance)
    return mu, log_sigma


def _fit_block(
    counts: Floats, cuts: Floats, mu: Floats, log_sigma: Floats, has_own_spread: NDArray[np.bool_], tolerance: float
) -> None:
    """`fit_groups` of one block, in place."""
    n_groups = counts.shape[1]
    open_groups = np.arange(n_groups)
    best = np.full(n_groups, -np.inf)
    alpha, beta = np.exp(-log_sigma), mu * np.exp(-log_sigma)
    step_alpha, step_beta = np.zeros(n_groups), np.zeros(n_groups)
    for _ in range(MOST_STEPS):
        now, is_free = (
            (counts, has_own_spread) if open_groups.size == n_groups else (counts[:, open_groups], has_own_spread[open_groups])
        )
        try_alpha, try_beta = alpha[open_groups] + step_alpha[open_groups], beta[open_groups] + step_beta[open_groups]
        try_mu, try_spread = try_beta / try_alpha, -np.log(try_alpha)
        found = group_derivatives(now, cuts, try_mu, try_spread)
        before = best[open_groups]
        d_mu, d_spread, gain = _newton(found, is_free)
        # Without a slope the maximum is reached, though rounding may make the likelihood look lower than before.
        is_done = np.abs(gain) <= tolerance * tolerance
        is_up = is_done | (found.log_likelihood >= before - ROUNDING * np.abs(found.log_likelihood))
        up = open_groups[is_up]
        alpha[up], beta[up], best[up] = try_alpha[is_up], try_beta[is_up], found.log_likelihood[is_up]
        d_alpha = -try_alpha * d_spread
        d_beta = try_alpha * (d_mu - try_mu * d_spread)
        shorter = np.where(d_spread > 0.9, 0.9 / np.maximum(d_spread, 0.9), 1.0)
        step_alpha[up], step_beta[up] = (shorter * d_alpha)[is_up], (shorter * d_beta)[is_up]
        down = open_groups[~is_up]
        step_alpha[down] *= 0.5
        step_beta[down] *= 0.5
        done = open_groups[is_done]
        alpha[done] += step_alpha[done]
        beta[done] += step_beta[done]
        open_groups = open_groups[~is_done]
        if open_groups.size == 0:
            mu[:] = beta / alpha
            log_sigma[has_own_spread] = -np.log(alpha[has_own_spread])
            return
    example = ", ".join(f"{count:g}" for count in counts[:, open_groups[0]])
    raise EstimationFailed(
        f"no mean and spread could be found for a group with {example} students by level; check these and the cuts"
    )


def _newton(found: GroupDerivatives, has_own_spread: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    """The step in mu and log_sigma, and the square of its length in standard errors."""
    a, b, c = found.information_mu, np.where(has_own_spread, found.information_both, 0.0), found.information_spread
    slope_spread, c = np.where(has_own_spread, found.slope_spread, 0.0), np.where(has_own_spread, c, 1.0)
    # Where nothing is known there is nowhere to go.
    determinant = np.where(a > 0, a * c - b * b, np.inf)
    d_mu = (c * found.slope_mu - b * slope_spread) / determinant
    d_spread = (a * slope_spread - b * found.slope_mu) / determinant
    return d_mu, d_spread, found.slope_mu * d_mu + slope_spread * d_spread

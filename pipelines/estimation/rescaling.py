"""Means and spreads of groups on another scale, (x - origin) / unit, where origin and unit were estimated with them.

Origin and unit are functions of the same parameters, so standard errors follow by the delta method. Covariances of all groups
with all are never written out: each group has a small block of its own and reaches into a few shared parameters. Which scale is
wanted does not belong here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipelines.estimation.arrow import ArrowInverse
from pipelines.estimation.groups import blocks
from pipelines.estimation.inputs import EstimationFailed, Floats

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class WorkingEstimates:
    """What was estimated, on the scale that the work was done in.

    `mu`, `log_sigma` (G,) of the groups and `cuts` (K-1,). `inverse`: the inverse information, of R blocks of a mu and a
    log_sigma and a head whose first parameters are the cuts of `free_cuts`. `mu_row`, `spread_row` (G,): the block that a
    group's mu and log_sigma come from (several groups may share one).
    """

    mu: Floats
    log_sigma: Floats
    cuts: Floats
    inverse: ArrowInverse
    free_cuts: Rows
    mu_row: Rows
    spread_row: Rows

    def variance_of(self, gradient: Gradient) -> float:
        """The variance of one quantity, by the delta method."""
        first = _sums(gradient.mu, self.mu_row, self.inverse.own_first.size)
        second = _sums(gradient.log_sigma, self.spread_row, self.inverse.own_first.size)
        head = np.zeros(self.inverse.head.shape[0])
        head[: self.free_cuts.size] = gradient.cuts[self.free_cuts]
        solved = self.inverse.solve(first, second, head)
        return float(first @ solved[0] + second @ solved[1] + head @ solved[2])


@dataclass(frozen=True, slots=True)
class Gradient:
    """Derivatives of one quantity in the groups' mu and log_sigma (G,) and in the cuts (K-1,), all on the working scale."""

    mu: Floats
    log_sigma: Floats
    cuts: Floats


class Rescaled:
    """The estimates on the scale (x - origin) / unit, with standard errors.

    `mu`, `sigma`, `se_mu`, `se_sigma` (G,), `cuts` (K-1,). `origin` and `unit` are on the working scale, `of_origin` and
    `of_log_unit` their derivatives.
    """

    def __init__(
        self, estimates: WorkingEstimates, origin: float, unit: float, of_origin: Gradient, of_log_unit: Gradient
    ) -> None:
        self.mu = (estimates.mu - origin) / unit
        self.sigma = np.exp(estimates.log_sigma) / unit
        self.cuts = (estimates.cuts - origin) / unit
        self._estimates, self._unit = estimates, unit
        inverse = estimates.inverse
        self._shared = np.linalg.inv(inverse.head)
        own, reach = [], []
        for gradient in (of_origin, of_log_unit):
            first = _sums(gradient.mu, estimates.mu_row, inverse.own_first.size)
            second = _sums(gradient.log_sigma, estimates.spread_row, inverse.own_first.size)
            head = np.zeros(inverse.head.shape[0])
            head[: estimates.free_cuts.size] = gradient.cuts[estimates.free_cuts]
            own.append((first, second, *_own_product(inverse, first, second)))
            reach.append(head + inverse.reach_first @ first + inverse.reach_second @ second)
        # Covariances of origin and log unit: with the groups' own parts, with each other by these parts, and through the head.
        self._with_first = np.array([parts[2] for parts in own])
        self._with_second = np.array([parts[3] for parts in own])
        self._between = np.array([[a[0] @ b[2] + a[1] @ b[3] for b in own] for a in own])
        self._reach = np.array(reach)
        self.se_mu, self.se_sigma = self._standard_errors()

    def covariance(self, groups: ArrayLike) -> Floats:
        """Covariance matrix (2m, 2m) of the mu, then the sigma, of m chosen groups, given by row (counted from 0)."""
        chosen = np.asarray(groups)
        if chosen.ndim != 1 or chosen.dtype.kind not in "iu":
            raise ValueError("groups must be a list of row numbers, counted from 0")
        if chosen.size and not (chosen.min() >= 0 and chosen.max() < self.mu.size):
            raise ValueError(f"groups must be row numbers from 0 to {self.mu.size - 1}")
        chosen = chosen.astype(np.int64)
        of_mu, of_spread = self._parts(chosen)
        scale, reach, cross, shift = (np.concatenate(pair, axis=-1) for pair in zip(of_mu, of_spread, strict=True))
        matrix = reach.T @ self._shared @ reach - cross.T @ shift - shift.T @ cross + shift.T @ self._between @ shift
        return np.asarray(matrix + np.outer(scale, scale) * self._own(chosen))

    def _own(self, chosen: Rows) -> Floats:
        """Covariances that come from the blocks themselves, of mu and then log_sigma: of groups that share a block."""
        estimates, inverse = self._estimates, self._estimates.inverse
        rows = np.concatenate([estimates.mu_row[chosen], estimates.spread_row[chosen]])
        is_mu = np.arange(rows.size) < chosen.size
        both_mu, neither = np.logical_and.outer(is_mu, is_mu), np.logical_and.outer(~is_mu, ~is_mu)
        values = np.where(both_mu, inverse.own_first[rows], np.where(neither, inverse.own_second[rows], inverse.own_both[rows]))
        return np.where(np.equal.outer(rows, rows), values, 0.0)

    def _parts(self, chosen: Rows | slice) -> tuple[tuple[Floats, Floats, Floats, Floats], ...]:
        """For mu and for sigma: factor of the own part, reach into the head, covariance with origin and log unit, their
        weights.
        """
        estimates, inverse = self._estimates, self._estimates.inverse
        mu_row, spread_row = estimates.mu_row[chosen], estimates.spread_row[chosen]
        mu, sigma = self.mu[chosen], self.sigma[chosen]
        for_mu, for_spread = np.full(mu.size, 1 / self._unit), sigma
        shift_mu = np.array([for_mu, mu])
        shift_spread = np.array([np.zeros(mu.size), sigma])
        return (
            (
                for_mu,
                for_mu * inverse.reach_first[:, mu_row] - self._reach.T @ shift_mu,
                for_mu * self._with_first[:, mu_row],
                shift_mu,
            ),
            (
                for_spread,
                for_spread * inverse.reach_second[:, spread_row] - self._reach.T @ shift_spread,
                for_spread * self._with_second[:, spread_row],
                shift_spread,
            ),
        )

    def _standard_errors(self) -> tuple[Floats, Floats]:
        estimates, inverse = self._estimates, self._estimates.inverse
        errors = np.empty((2, self.mu.size))
        for block in blocks(self.mu.size):
            own = inverse.own_first[estimates.mu_row[block]], inverse.own_second[estimates.spread_row[block]]
            for which, (scale, reach, cross, shift) in enumerate(self._parts(block)):
                terms = (
                    scale * scale * own[which],
                    np.einsum("mg,mg->g", reach, self._shared @ reach),
                    -2 * np.einsum("ag,ag->g", cross, shift),
                    np.einsum("ag,ag->g", shift, self._between @ shift),
                )
                variance = np.add.reduce(terms)
                # A quantity that the scale holds fixed has variance zero, and rounding on either side of it.
                if (variance < -1e-6 * np.abs(terms).sum(axis=0)).any() or np.isnan(variance).any():
                    raise EstimationFailed(
                        "the likelihood has no clear maximum at these counts, so nothing is known of its errors"
                    )
                errors[which, block] = np.sqrt(np.maximum(variance, 0.0))
        return errors[0], errors[1]


def _sums(values: Floats, rows: Rows, n_rows: int) -> Floats:
    return np.asarray(np.bincount(rows, values, n_rows), dtype=np.float64)


def _own_product(inverse: ArrowInverse, first: Floats, second: Floats) -> tuple[Floats, Floats]:
    return (
        inverse.own_first * first + inverse.own_both * second,
        inverse.own_both * first + inverse.own_second * second,
    )

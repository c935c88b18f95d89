"""District means on the scale of NAEP, by way of their state's NAEP results (Reardon, Kalogrides & Ho 2021, J. Educ. Behav. Stat.
46:138-167).

A district's mean and spread on its state's test, in standard deviations of the state's students, are put where the state's NAEP
mean and standard deviation are. Numbers may be arrays of any one shape; a missing one is NaN, and what rests on it is NaN.
Estimating district means, and judging whether two linked means may be compared, do not belong here.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from pipelines.estimation.cells import density
from pipelines.estimation.inputs import Floats, numbers

LOWEST_GRADE, HIGHEST_GRADE = 4, 8
Pair = tuple[ArrayLike, ArrayLike]


@dataclass(frozen=True, eq=False)
class LinkedMean:
    """In points of NAEP: `mean` with `se`, of which `se_without_linking` leaves out the error of the link itself; `sd`."""

    mean: Floats
    se: Floats
    sd: Floats
    se_without_linking: Floats


@dataclass(frozen=True, eq=False)
class NaepMoments:
    """A state's NAEP mean and standard deviation of a grade and year, in points, with the variances of both."""

    mean: Floats
    sd: Floats
    var_mean: Floats
    var_sd: Floats


@dataclass(frozen=True, eq=False)
class SdFromShares:
    """A standard deviation in points, and the standard error that it has from the rounding of the shares alone."""

    sd: Floats
    se: Floats


def link_to_naep(
    mu: ArrayLike,
    se_mu: ArrayLike,
    sigma: ArrayLike | None = None,
    *,
    naep_mean: ArrayLike,
    naep_sd: ArrayLike,
    se_naep_mean: ArrayLike,
    se_naep_sd: ArrayLike,
    reliability: ArrayLike,
    linking_sd: ArrayLike = 0.12,
) -> LinkedMean:
    """A district's mean (and spread) on NAEP's scale.

    `mu`, `se_mu`, `sigma`: of the district, in standard deviations of its state's test scores (mean 0 in the state). First they
    are freed of the test's errors of measurement (`reliability` in the state, above 0 and up to 1): mu and its error by 1 /
    sqrt(rel), sigma to sqrt((sigma^2 + rel - 1) / rel), which does not exist (NaN) where sigma^2 <= 1 - rel. `naep_*`: of the
    state, in points. `linking_sd`: standard deviation of the link's error, in standard deviations of the state's students.
    """
    m, error, rho = numbers(mu, "mu"), _not_negative(se_mu, "se_mu"), numbers(reliability, "reliability")
    if ((rho <= 0) | (rho > 1)).any():
        raise ValueError("reliability must be above 0 and at most 1")
    mean, spread = numbers(naep_mean, "naep_mean"), _positive(naep_sd, "naep_sd")
    var_mean, var_spread = _not_negative(se_naep_mean, "se_naep_mean") ** 2, _not_negative(se_naep_sd, "se_naep_sd") ** 2
    true_mu, var_mu = m / np.sqrt(rho), error**2 / rho
    variance = var_mean + spread**2 * var_mu + true_mu**2 * var_spread + var_spread * var_mu
    total = variance + (_not_negative(linking_sd, "linking_sd") * spread) ** 2
    linked = mean + true_mu * spread
    if sigma is None:
        sd = np.full(linked.shape, np.nan)
    else:
        own = _not_negative(sigma, "sigma")
        true_variance = (own**2 + rho - 1) / rho
        sd = spread * np.sqrt(np.where(true_variance > 0, true_variance, np.nan))
    return LinkedMean(linked[()], np.sqrt(total)[()], sd[()], np.sqrt(variance)[()])


def variance_of_linked_difference(
    *,
    mu: Pair,
    var_mu: Pair,
    naep_sd: Pair,
    var_naep_sd: Pair,
    var_naep_mean: Pair,
    same_state: ArrayLike,
    linking_sd: ArrayLike = 0.12,
) -> Floats:
    """Variance, in points squared, of the difference of two districts' linked means.

    Each pair is (first, second). `mu`, `var_mu`: of the districts, freed of errors of measurement, in standard deviations of
    their state. `naep_sd`, `var_naep_sd`, `var_naep_mean`: of their states, in points. `linking_sd` is of each district, in
    standard deviations of its state; the two districts' errors of the link are taken as independent. Where `same_state`, what
    the state's numbers err by is common: the mean's falls away, the standard deviation's counts for the distance only; both
    members of a pair must then be equal (ValueError otherwise).
    """
    (m1, m2), (v1, v2) = (_pair(mu, "mu"), _pair(var_mu, "var_mu", at_least_zero=True))
    (s1, s2), (w1, w2) = _pair(naep_sd, "naep_sd", at_least_zero=True), _pair(var_naep_sd, "var_naep_sd", at_least_zero=True)
    u1, u2 = _pair(var_naep_mean, "var_naep_mean", at_least_zero=True)
    is_same = np.asarray(same_state, dtype=bool)
    for name, one, other in (("naep_sd", s1, s2), ("var_naep_sd", w1, w2), ("var_naep_mean", u1, u2)):
        if (is_same & (one != other) & ~(np.isnan(one) & np.isnan(other))).any():
            raise ValueError(f"two districts of the same state have one {name}; give the same number for both")
    link = (_not_negative(linking_sd, "linking_sd") ** 2) * (s1**2 + s2**2)
    sampling = s1**2 * v1 + s2**2 * v2
    within = (m1 - m2) ** 2 * w1
    between = m1**2 * w1 + m2**2 * w2 + u1 + u2
    return np.asarray(link + sampling + np.where(is_same, within, between))[()]


def interpolate_grades(
    grade: ArrayLike,
    *,
    mean_4: ArrayLike,
    mean_8: ArrayLike,
    sd_4: ArrayLike,
    sd_8: ArrayLike,
    var_mean_4: ArrayLike,
    var_mean_8: ArrayLike,
    var_sd_4: ArrayLike,
    var_sd_8: ArrayLike,
) -> NaepMoments:
    """A state's moments in a grade from 4 to 8, on the line between the two grades that sit NAEP; variances with squared weights.

    Grades 4 and 8 are as given, whatever is missing of the other; every other grade is NaN.
    """
    at = numbers(grade, "grade")
    upper = np.where((at >= LOWEST_GRADE) & (at <= HIGHEST_GRADE), (at - LOWEST_GRADE) / (HIGHEST_GRADE - LOWEST_GRADE), np.nan)
    lower = 1 - upper

    def between(in_4: ArrayLike, in_8: ArrayLike, name: str, power: int) -> Floats:
        four, eight = numbers(in_4, f"{name}_4"), numbers(in_8, f"{name}_8")
        from_4 = np.where(lower == 0, 0.0, lower**power * four)
        from_8 = np.where(upper == 0, 0.0, upper**power * eight)
        return np.asarray(from_4 + from_8)[()]

    return NaepMoments(
        mean=between(mean_4, mean_8, "mean", 1),
        sd=between(sd_4, sd_8, "sd", 1),
        var_mean=between(var_mean_4, var_mean_8, "var_mean", 2),
        var_sd=between(var_sd_4, var_sd_8, "var_sd", 2),
    )


def naep_years_for(year: int, published_years: Collection[int]) -> tuple[int, ...]:
    """The NAEP years that a year's moments come from: itself, the years before and after it, or none.

    Only a year in the middle of two NAEP years two years apart is between them: nothing is drawn across 2019 to 2022, in which
    schools were closed, nor beyond the first or last published year.
    """
    if year in published_years:
        return (year,)
    around = (year - 1, year + 1)
    return around if all(near in published_years for near in around) else ()


def interpolate_years(before: NaepMoments, after: NaepMoments) -> NaepMoments:
    """Moments of the year in the middle of two: their means, and a quarter of the sums of the variances."""
    return NaepMoments(
        mean=(before.mean + after.mean) / 2,
        sd=(before.sd + after.sd) / 2,
        var_mean=(before.var_mean + after.var_mean) / 4,
        var_sd=(before.var_sd + after.var_sd) / 4,
    )


def naep_sd_from_shares(
    share_basic: ArrayLike, share_proficient: ArrayLike, cut_basic: ArrayLike, cut_proficient: ArrayLike, rounded_to: float = 0.01
) -> SdFromShares:
    """A state's NAEP standard deviation from its shares at or above Basic and Proficient, as if scores were normal.

    Shares run from 0 to 1; cuts are in points (grade 4: 214 and 249; grade 8: 262 and 299). `rounded_to`: the unit that the
    shares were rounded to; what that took or added is taken as uniform and independent. That scores are not quite normal is no
    part of the error. ValueError where shares or cuts are out of order.
    """
    basic, proficient = numbers(share_basic, "share_basic"), numbers(share_proficient, "share_proficient")
    low, high = numbers(cut_basic, "cut_basic"), numbers(cut_proficient, "cut_proficient")
    if (low >= high).any():
        raise ValueError("cut_basic must lie below cut_proficient")
    if ((basic >= 1) | (proficient <= 0) | (basic <= proficient)).any():
        raise ValueError("shares must lie between 0 and 1, share_proficient below share_basic")
    z_low, z_high = ndtri(1 - basic), ndtri(1 - proficient)
    sd = (high - low) / (z_high - z_low)
    by_share = sd / (z_high - z_low) * np.hypot(1 / density(z_low), 1 / density(z_high))
    return SdFromShares(np.asarray(sd)[()], np.asarray(by_share * rounded_to / np.sqrt(12))[()])


def _pair(values: Pair, name: str, at_least_zero: bool = False) -> tuple[Floats, Floats]:
    if len(values) != 2:
        raise ValueError(f"{name} must be two values, of the first and of the second district")
    check = _not_negative if at_least_zero else numbers
    return check(values[0], name), check(values[1], name)


def _not_negative(values: ArrayLike, name: str) -> Floats:
    array = numbers(values, name)
    if (array < 0).any():
        raise ValueError(f"{name} must not be negative")
    return array


def _positive(values: ArrayLike, name: str) -> Floats:
    array = numbers(values, name)
    if (array <= 0).any():
        raise ValueError(f"{name} must be above zero")
    return array

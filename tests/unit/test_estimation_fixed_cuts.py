"""Estimates with published cuts: oracle numbers, the closed form of three levels, simulation of both standard errors, pooling."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import minimize
from scipy.stats import norm

from pipelines.estimation import fit_fixed_cuts, fit_hetop

TEXAS_CUTS = (1536, 1653, 1772)


def _shares(cuts: np.ndarray, mu: float, sigma: float) -> np.ndarray:
    return np.diff(norm.cdf((np.asarray(cuts) - mu) / sigma), prepend=0, append=1)


def test_published_district() -> None:
    fit = fit_fixed_cuts([8, 13, 13, 6], TEXAS_CUTS)
    assert fit.mu == pytest.approx(1643.0773, abs=5e-5)
    assert fit.sigma == pytest.approx(125.8081, abs=5e-5)
    assert fit.se_mu_sample == pytest.approx(21.1993, abs=5e-5)
    assert fit.se_mu_population == pytest.approx(7.3294, abs=5e-5)
    assert (fit.n, fit.status) == (40, "est")


@settings(max_examples=60, deadline=None)
@given(st.tuples(*[st.integers(1, 5000)] * 3), st.floats(-1000, 1000), st.floats(0.1, 500))
def test_three_levels_have_a_closed_form(counts: tuple[int, int, int], first: float, width: float) -> None:
    fit = fit_fixed_cuts(counts, [first, first + width])
    low, high = norm.ppf(counts[0] / sum(counts)), norm.isf(counts[2] / sum(counts))
    sigma = width / (high - low)
    assert fit.sigma == pytest.approx(sigma, rel=1e-7)
    assert fit.mu == pytest.approx(first - low * sigma, rel=1e-7, abs=1e-7 * sigma)


@pytest.mark.parametrize("seed", range(10))
def test_no_other_mean_and_spread_are_likelier(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cuts = np.cumsum(rng.uniform(0.3, 1.5, int(rng.integers(2, 6)))) - 1.5
    counts = rng.multinomial(int(rng.integers(15, 80)), _shares(cuts, 0.3, 1.1))
    counts[[0, 1, 2]] += 1
    counts[-1] = 0 if counts.size > 3 else counts[-1]

    def minus_log_likelihood(theta: np.ndarray) -> float:
        share = _shares(cuts, theta[0], float(np.exp(theta[1])))
        return float(-(counts[counts > 0] @ np.log(np.maximum(share[counts > 0], 1e-300))))

    best = minimize(
        minus_log_likelihood, [0.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-12, "maxiter": 4000}
    )
    fit = fit_fixed_cuts(counts, cuts)
    assert minus_log_likelihood(np.array([fit.mu, np.log(fit.sigma)])) <= best.fun + 1e-9
    np.testing.assert_allclose([fit.mu, np.log(fit.sigma)], best.x, atol=1e-5)


def test_all_groups_at_once_are_the_groups_one_by_one() -> None:
    rng = np.random.default_rng(2)
    counts = rng.multinomial(rng.integers(20, 900, 10_000), _shares(np.array([-1.0, 0.0, 1.0]), 0.2, 1.1)) + 1
    together = fit_fixed_cuts(counts, [-1, 0, 1])
    for g in (0, 1, 8191, 8192, 9999):
        alone = fit_fixed_cuts(counts[g], [-1, 0, 1])
        for name in ("mu", "sigma", "se_mu_sample", "se_mu_population", "se_sigma", "n"):
            assert getattr(together, name)[g] == pytest.approx(getattr(alone, name), rel=1e-10)


def test_hetop_with_its_own_cuts_is_the_same_estimate() -> None:
    counts = [[12, 20, 15, 9], [30, 22, 10, 4], [5, 11, 17, 22]]
    joint = fit_hetop(counts, [-1, 0])
    fit = fit_fixed_cuts(counts, joint.cuts)
    np.testing.assert_allclose(fit.mu, joint.mu, atol=1e-8)
    np.testing.assert_allclose(fit.sigma, joint.sigma, atol=1e-8)


def test_sample_standard_errors_are_the_spread_of_samples() -> None:
    """8,000 samples: a standard deviation is known to 0.8 %; the formula is that of large samples."""
    rng = np.random.default_rng(4)
    shares = _shares(np.array(TEXAS_CUTS), 1640, 120)
    fit = fit_fixed_cuts(rng.multinomial(400, shares, 8_000), TEXAS_CUTS)
    truth = fit_fixed_cuts(400 * shares, TEXAS_CUTS)
    assert truth.mu == pytest.approx(1640, abs=1e-6)
    assert fit.mu.std() == pytest.approx(truth.se_mu_sample, rel=0.04)
    assert fit.sigma.std() == pytest.approx(truth.se_sigma, rel=0.04)


def test_population_standard_error_is_what_seeing_levels_alone_costs() -> None:
    """Of 4,000 populations of 400 scores: how far the estimate from levels lies from the mean of those very scores."""
    rng = np.random.default_rng(5)
    scores = rng.normal(1640, 120, (4_000, 400))
    level = np.searchsorted(TEXAS_CUTS, scores)
    counts = np.stack([(level == k).sum(axis=1) for k in range(4)], axis=1)
    fit = fit_fixed_cuts(counts, TEXAS_CUTS)
    expected = fit_fixed_cuts(400 * _shares(np.array(TEXAS_CUTS), 1640, 120), TEXAS_CUTS).se_mu_population
    assert (fit.mu - scores.mean(axis=1)).std() == pytest.approx(expected, rel=0.05)


def test_population_standard_error_of_a_finely_resolved_scale_is_zero() -> None:
    cuts = np.linspace(-5, 5, 2001)
    fit = fit_fixed_cuts(1e4 * _shares(cuts, 0, 1), cuts)
    assert fit.se_mu_sample == pytest.approx(0.01, rel=1e-4)
    assert 0 <= fit.se_mu_population < 1e-4


def test_small_and_sparse_groups_take_the_pooled_spread() -> None:
    counts = [
        [20, 60, 90, 30],
        [50, 70, 60, 20],
        [3, 4, 2, 1],
        [0, 30, 90, 0],
        [0, 6, 0, 0],
        [9, 0, 0, 0],
        [0, 0, 0, 5],
        [0, 0, 0, 0],
    ]
    fit = fit_fixed_cuts(counts, [-1, 0, 1], pool_below=100)
    assert fit.status.tolist() == ["est", "est", "pooled", "pooled", "pooled", "none", "none", "none"]
    common = np.exp((200 * np.log(fit.sigma[0]) + 200 * np.log(fit.sigma[1])) / 400)
    np.testing.assert_allclose(fit.sigma[2:5], common, rtol=1e-12)
    # Of one level in the middle the mean is its middle.
    assert fit.mu[4] == pytest.approx(-0.5, abs=1e-9)
    assert np.isnan(fit.se_sigma[2:]).all()
    assert (fit.se_mu_sample[:5] >= fit.sigma[:5] / np.sqrt(fit.n[:5])).all()
    for name in ("mu", "sigma", "se_mu_sample", "se_mu_population", "se_sigma"):
        assert np.isnan(getattr(fit, name)[5:]).all()
    assert fit.n.tolist() == [200, 200, 10, 120, 6, 9, 5, 0]


def test_the_pooled_spread_is_weighted_by_students() -> None:
    fit = fit_fixed_cuts([[20, 60, 90, 30], [500, 100, 100, 500], [1, 1, 1, 1]], [-1, 0, 1], pool_below=5)
    assert np.log(fit.sigma[2]) == pytest.approx((200 * np.log(fit.sigma[0]) + 1200 * np.log(fit.sigma[1])) / 1400, abs=1e-12)


def test_without_a_pool_a_small_group_keeps_its_own_spread() -> None:
    fit = fit_fixed_cuts([[3, 4, 2, 1], [4, 4, 0, 0]], [-1, 0, 1], pool_below=100)
    assert fit.status.tolist() == ["est", "none"]


def test_a_pooled_spread_far_smaller_than_a_level_is_no_obstacle() -> None:
    """Students on both sides of a level of ninety pooled spreads: their shares underflow, and their mean is in its middle."""
    fit = fit_fixed_cuts([[10, 10**9, 10**9, 10, 0], [0, 0, 5, 0, 5]], [-0.2, 0.0, 0.2, 12.0])
    assert fit.status.tolist() == ["est", "pooled"]
    assert norm.sf(5.9 / fit.sigma[1]) == 0
    assert fit.mu[1] == pytest.approx(6.1, abs=0.01)


@settings(max_examples=60, deadline=None)
@given(arrays(np.int64, (6, 4), elements=st.integers(0, 30)), st.integers(0, 60))
def test_every_group_has_an_estimate_or_says_that_it_has_none(counts: np.ndarray, pool_below: int) -> None:
    fit = fit_fixed_cuts(counts, [-1, 0, 1], pool_below)
    known = fit.status != "none"
    assert (np.isfinite(fit.mu) == known).all()
    assert (fit.sigma[known] > 0).all()
    assert (fit.se_mu_sample[known] >= fit.se_mu_population[known]).all()
    n = counts.sum(axis=1)
    assert not known[(counts[:, 0] == n) | (counts[:, -1] == n)].any()


@pytest.mark.parametrize(
    ("counts", "cuts", "pool_below", "message"),
    [
        ([1, 2], [0], 0, "at least three levels are needed"),
        ([1, 2, 3], [0], 0, "cuts must be 2 finite numbers, each greater than the one before"),
        ([1, 2, 3], [1, 0], 0, "cuts must be 2 finite"),
        ([1, 2, 3], [0, np.nan], 0, "cuts must be 2 finite"),
        ([1, -2, 3], [0, 1], 0, "negative number in row 1, level 2"),
        ([[1, 2, 3], [1, np.nan, 3]], [0, 1], 0, "no finite number in row 2, level 2"),
        ([1, 2, 3], [0, 1], -1, "pool_below must be zero or more"),
        ([1, 2, 3], [0, 1], float("nan"), "pool_below must be zero or more"),
        (7, [0, 1], 0, "must be a table"),
    ],
)
def test_bad_input_is_told_in_one_sentence(counts: object, cuts: list[float], pool_below: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit_fixed_cuts(counts, cuts, pool_below)  # type: ignore[arg-type]

"""The gap V: oracle numbers, an independent maximum, its error and interval against simulation, and what cannot be said."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import minimize
from scipy.stats import norm

from pipelines.estimation import fit_hetop, gap_v, se_of_v_full_scores, v_from_moments

TRUE_V = 0.45267873


def _shares(cuts: np.ndarray, mu: float, sigma: float) -> np.ndarray:
    return np.diff(norm.cdf((cuts - mu) / sigma), prepend=0, append=1)


CUTS = np.array([-0.8, 0.2, 1.0])
SHARES_A, SHARES_B = _shares(CUTS, 0.5, 1.0), _shares(CUTS, 0.0, 1.2)


def test_v_of_known_distributions() -> None:
    v = v_from_moments(0.5, 1, 0, 1.2)
    assert v == pytest.approx(TRUE_V, abs=5e-9)
    assert norm.cdf(v / np.sqrt(2)) == pytest.approx(0.62555078, abs=5e-9)
    draws = np.random.default_rng(1).normal(size=(2, 400_000))
    assert (0.5 + draws[0] > 1.2 * draws[1]).mean() == pytest.approx(0.62555078, abs=0.003)
    np.testing.assert_allclose(v_from_moments([0.5, 0], [1, 1.2], [0, 0.5], [1.2, 1]), [v, -v])


def test_standard_error_where_all_scores_are_known() -> None:
    assert se_of_v_full_scores(1, 1, 0.5, 2000) == pytest.approx(0.0474394, abs=5e-8)
    assert se_of_v_full_scores(0.5, 0.8, 0.3, 500) == pytest.approx(0.0968781, abs=5e-8)


def test_standard_error_of_full_scores_is_the_spread_of_simulated_ones() -> None:
    """20,000 draws of the moments of two normal samples, 150 and 350 students."""
    rng = np.random.default_rng(8)
    size = 20_000
    means = rng.normal(0.5, 1 / np.sqrt(150), size), rng.normal(0, 1.1 / np.sqrt(350), size)
    spreads = np.sqrt(rng.chisquare(149, size) / 149), 1.1 * np.sqrt(rng.chisquare(349, size) / 349)
    drawn = v_from_moments(means[0], spreads[0], means[1], spreads[1])
    v = v_from_moments(0.5, 1, 0, 1.1)
    assert np.std(drawn) == pytest.approx(float(se_of_v_full_scores(v, 1 / 1.21, 0.3, 500)), rel=0.02)


def test_exact_shares_give_the_true_gap_wherever_the_cuts_lie() -> None:
    """Any cuts on any rescaling of the scores give the same V: cuts of exp(score) are exp(cuts), which changes no count."""
    for cuts in (CUTS, np.array([-2.0, 0.0]), np.array([-1.5, -1.0, 0.3, 0.9, 2.2])):
        fit = gap_v(1e6 * _shares(cuts, 0.5, 1.0), 1e6 * _shares(cuts, 0.0, 1.2))
        assert fit.v == pytest.approx(TRUE_V, abs=1e-7)
        assert fit.status == "est"


@pytest.mark.parametrize("seed", range(12))
def test_no_other_model_of_the_two_groups_is_likelier(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cuts = np.cumsum(rng.uniform(0.4, 1.0, int(rng.integers(2, 5)))) - 1.2
    a, b = rng.multinomial(40, _shares(cuts, 0.4, 0.9)), rng.multinomial(60, _shares(cuts, 0, 1))
    a[:3] += 1
    b[-3:] += 1

    def minus_log_likelihood(theta: np.ndarray) -> float:
        at = theta[2] + np.concatenate([[0], np.cumsum(np.exp(theta[3:]))])
        share = np.concatenate([_shares(at, theta[0], float(np.exp(theta[1]))), _shares(at, 0, 1)])
        count = np.concatenate([a, b])
        return float(-(count[count > 0] @ np.log(np.maximum(share[count > 0], 1e-300))))

    start = np.concatenate([[0, 0, -0.8], np.full(a.size - 2, -0.5)])
    best = minimize(minus_log_likelihood, start, method="BFGS", jac="3-point", options={"gtol": 1e-6})
    fit = gap_v(a, b)
    assert fit.v == pytest.approx(best.x[0] / np.sqrt((np.exp(2 * best.x[1]) + 1) / 2), abs=1e-5)


@settings(max_examples=60, deadline=None)
@given(arrays(np.int64, (2, 4), elements=st.integers(1, 200)))
def test_the_gap_the_other_way_round_is_its_negative(counts: np.ndarray) -> None:
    there, back = gap_v(counts[0], counts[1]), gap_v(counts[1], counts[0])
    assert there.status == back.status == "est"
    assert there.v == pytest.approx(-back.v, abs=1e-7)
    assert there.se == pytest.approx(back.se, rel=1e-5)


@settings(max_examples=60, deadline=None)
@given(arrays(np.int64, (2, 5), elements=st.integers(0, 40)))
def test_levels_that_nobody_reached_do_not_matter(counts: np.ndarray) -> None:
    with_gaps = np.insert(counts, [0, 2, 5], 0, axis=1)
    fit, spread_out = gap_v(counts[0], counts[1]), gap_v(with_gaps[0], with_gaps[1])
    assert fit.status == spread_out.status
    np.testing.assert_allclose([spread_out.v, spread_out.se], [fit.v, fit.se], rtol=1e-9)
    assert (fit.status == "too_few_levels") == (np.count_nonzero(counts, axis=1).min() < 3)
    assert np.isfinite(fit.v) == np.isfinite(fit.se) == (fit.status == "est")


@settings(max_examples=40, deadline=None)
@given(arrays(np.int64, (2, 4), elements=st.integers(1, 60)))
def test_hetop_of_the_two_groups_has_the_same_gap_and_error(counts: np.ndarray) -> None:
    fit, joint = gap_v(counts[0], counts[1]), fit_hetop(counts)
    v = v_from_moments(joint.mu[0], joint.sigma[0], joint.mu[1], joint.sigma[1])
    assert fit.v == pytest.approx(float(v), abs=1e-6)
    step = 1e-6
    at = np.array([joint.mu[0], joint.mu[1], joint.sigma[0], joint.sigma[1]])
    gradient = [
        (v_from_moments(*(at + e)[[0, 2, 1, 3]]) - v_from_moments(*(at - e)[[0, 2, 1, 3]])) / (2 * step) for e in step * np.eye(4)
    ]
    assert fit.se == pytest.approx(float(np.sqrt(gradient @ joint.covariance([0, 1]) @ gradient)), rel=1e-4)


def test_pairs_at_once_are_the_pairs_one_by_one() -> None:
    rng = np.random.default_rng(6)
    a, b = rng.multinomial(12, SHARES_A, 300), rng.multinomial(15, SHARES_B, 300)
    together = gap_v(a, b)
    assert set(together.status) >= {"est", "too_few_levels"}
    for i in range(0, 300, 7):
        alone = gap_v(a[i], b[i])
        assert alone.status == together.status[i]
        np.testing.assert_allclose([alone.v, alone.se], [together.v[i], together.se[i]], rtol=1e-8)


def test_standard_error_and_interval_hold_in_simulation() -> None:
    """Of 4,000 pairs of 400 and 600 students: 95 % of the intervals hold V, give or take four standard errors of that share."""
    rng = np.random.default_rng(7)
    fit = gap_v(rng.multinomial(400, SHARES_A, 4_000), rng.multinomial(600, SHARES_B, 4_000))
    assert (fit.status == "est").all()
    assert fit.v.mean() == pytest.approx(TRUE_V, abs=0.005)
    expected = gap_v(400 * SHARES_A, 600 * SHARES_B)
    assert expected.v == pytest.approx(TRUE_V, abs=1e-7)
    assert fit.v.std() == pytest.approx(float(expected.se), rel=0.04)
    assert (np.abs(fit.v - TRUE_V) < 1.959964 * fit.se).mean() == pytest.approx(0.95, abs=0.014)
    full = se_of_v_full_scores(TRUE_V, 1 / 1.44, 0.4, 1000)
    assert full < expected.se < 1.3 * full


def test_reliability_widens_the_gap() -> None:
    a, b = 400 * SHARES_A, 600 * SHARES_B
    plain, widened = gap_v(a, b), gap_v(a, b, 0.9, 0.84)
    ratio = 1 / 1.44
    factor = np.sqrt((ratio * 0.9 + 0.84) / (ratio + 1))
    assert widened.v == pytest.approx(plain.v / factor, rel=1e-7)
    assert widened.se == pytest.approx(plain.se / factor, rel=1e-7)
    several = gap_v([a, a], [b, b], [0.9, 1], [0.84, 1])
    np.testing.assert_allclose(several.v, [widened.v, plain.v], rtol=1e-9)


def test_groups_that_share_one_level_have_no_gap() -> None:
    fit = gap_v([[5, 6, 5, 0, 0], [0, 0, 0, 0, 0], [5, 6, 5, 0, 0]], [[0, 0, 5, 9, 5], [1, 2, 3, 4, 5], [0, 0, 0, 5, 5]])
    assert fit.status.tolist() == ["no_overlap", "too_few_levels", "too_few_levels"]
    assert np.isnan(fit.v).all() and np.isnan(fit.se).all()


def test_v_falls_where_the_gap_in_shares_above_a_high_cut_grows() -> None:
    """Both groups rise and draw nearer; because the cut is high, the gap in shares above it grows all the same."""
    before, after = ((0.0, -1.0), (0.45, -0.3))
    cut = 1.2
    gaps = [norm.sf(cut, high) - norm.sf(cut, low) for high, low in (before, after)]
    assert gaps[1] > gaps[0]
    cuts = np.array([-0.7, 0.2, cut])
    measured = [gap_v(1e5 * _shares(cuts, high, 1), 1e5 * _shares(cuts, low, 1)).v for high, low in (before, after)]
    np.testing.assert_allclose(measured, [1.0, 0.75], atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31))
def test_v_is_the_same_for_any_common_shift_and_spread(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mu, sigma = rng.normal(0, 1, 2), np.exp(rng.normal(0, 0.5, 2))
    shift, factor = rng.normal(0, 10), np.exp(rng.normal())
    assume(abs(factor) > 1e-3)
    one = v_from_moments(mu[0], sigma[0], mu[1], sigma[1])
    other = v_from_moments(shift + factor * mu[0], factor * sigma[0], shift + factor * mu[1], factor * sigma[1])
    assert other == pytest.approx(float(one), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 2, 3], [1, 2, 3, 4]), "counts_a and counts_b must have the same shape"),
        (([1, 2], [1, 2]), "at least three levels are needed"),
        (([1, -2, 3], [1, 2, 3]), "counts_a has a negative number in row 1, level 2"),
        (([1, 2, 3], [1, float("nan"), 3]), "counts_b has no finite number in row 1, level 2"),
        (([1, 2, 3], ["a", "b", "c"]), "counts_b must be numbers"),
        (([1, 2, 3], [1, 2, 3], 0.9), "give the reliability of both groups or of neither"),
        (([1, 2, 3], [1, 2, 3], 0.9, 1.2), "reliability_b must be above 0 and at most 1"),
        (([1, 2, 3], [1, 2, 3], [0.9, 0.9], 0.9), "reliability_a must be one number or one for each of the 1 pairs"),
    ],
)
def test_bad_input_is_told_in_one_sentence(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        gap_v(*arguments)  # type: ignore[arg-type]


def test_moments_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="above zero"):
        v_from_moments(0, 0, 0, 1)
    with pytest.raises(ValueError, match="share_a between 0 and 1"):
        se_of_v_full_scores(1, 1, 1, 100)


def test_counts_that_no_test_gives_have_no_gap_and_take_nothing_with_them() -> None:
    """Beside 9 x 10^17 students one more is lost in rounding: a cut lies nowhere. Other pairs are as they would be alone."""
    huge = 9e17
    ordinary = [400.0, 300.0, 200.0, 100.0], [100.0, 200.0, 300.0, 400.0]
    hostile = [([5.0, 5.0, 5.0, 5.0], [huge, 1.0, 1.0, 1.0]), ([1.0, 1.0, huge, 1e12], [huge, 1e12, 1.0, 2.0])]
    fit = gap_v([ordinary[0], *(a for a, _ in hostile)], [ordinary[1], *(b for _, b in hostile)])
    assert fit.v[0] == gap_v(*ordinary).v
    assert np.isfinite(fit.v[fit.status == "est"]).all()
    assert fit.status[1] == "no_overlap"

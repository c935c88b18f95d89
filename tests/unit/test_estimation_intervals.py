"""Intervals: oracle numbers, agreement with the warehouse's SQL, clustering by simulation; and families of comparisons."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import jinja2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from pipelines.estimation import (
    Bounds,
    benjamini_hochberg_adjusted,
    clustered_interval,
    holm_adjusted,
    holm_critical_z,
    newcombe_difference,
    two_sided_p,
    wilson_interval,
)

MACROS = Path(__file__).parents[2] / "dbt_project" / "macros"


def _macros(file: str) -> Any:
    """The macros of a file; these need nothing of dbt."""
    return jinja2.Environment(autoescape=False).from_string((MACROS / file).read_text(encoding="utf-8")).module  # noqa: S701


def _sql(expression: str) -> float:
    with duckdb.connect() as connection:
        ((value,),) = connection.execute(f"SELECT CAST({expression} AS DOUBLE)").fetchall()
    return float("nan") if value is None else float(value)


def test_published_wilson_intervals() -> None:
    assert wilson_interval(8, 10) == (pytest.approx(0.49016, abs=5e-6), pytest.approx(0.94332, abs=5e-6))
    assert wilson_interval(0, 12) == (0, pytest.approx(0.24249, abs=5e-6))
    assert wilson_interval(12, 12) == (pytest.approx(1 - 0.24249, abs=5e-6), 1)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 10_000), st.floats(0, 1), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_wilson_bounds_are_the_shares_that_the_data_just_do_not_refute(n: int, part: float, confidence: float) -> None:
    x = round(part * n)
    bounds = wilson_interval(x, n, confidence)
    z = norm.isf((1 - confidence) / 2)

    def scores_away(p: float) -> float:
        return float((x / n - p) / np.sqrt(p * (1 - p) / n))

    if x > 0:
        assert scores_away(bounds.lower) == pytest.approx(z, rel=1e-6)
    if x < n:
        assert scores_away(bounds.upper) == pytest.approx(-z, rel=1e-6)


def test_wilson_intervals_agree_with_the_warehouse() -> None:
    macros = _macros("intervals.sql")
    x, n = [0, 3, 8, 12, 2.5, 5, 1, -1], [12, 10, 10, 12, 7.3, 4, 0, 3]
    bounds = wilson_interval(x, n)
    for i in range(len(x)):
        for side in ("lower", "upper"):
            known = _sql(macros.wilson_bound(f"({x[i]}::double)", f"({n[i]}::double)", side))
            assert getattr(bounds, side)[i] == pytest.approx(known, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("n_schools", [2, 3, 4, 6, 12, 80])
def test_clustered_intervals_agree_with_the_warehouse(n_schools: int) -> None:
    """To a part in a thousand of the quantile: the warehouse has a series for Student's t, here it is exact."""
    rng = np.random.default_rng(n_schools)
    n = rng.integers(5, 60, n_schools)
    x = rng.binomial(n, rng.beta(4, 3, n_schools))
    found = clustered_interval(x, n)
    share = float(x.sum() / n.sum())
    spread = (x @ x - 2 * share * (x @ n) + share**2 * (n @ n)) * n_schools / (n_schools - 1)
    error = float(np.sqrt(spread) / n.sum())
    assert (found.value, found.n_schools) == (pytest.approx(share), n_schools)
    assert found.standard_error == pytest.approx(error, rel=1e-9)
    macros = _macros("intervals.sql")
    effective = _sql(macros.effective_n(f"{x.sum()}::double", f"{n.sum()}::double", f"{error!r}::double", n_schools))
    assert found.effective_n == pytest.approx(effective, rel=2.5e-3)
    for side in ("lower", "upper"):
        bound = macros.wilson_bound(f"({share!r}::double * {effective!r}::double)", f"({effective!r}::double)", side)
        assert getattr(found, side) == pytest.approx(_sql(bound), abs=1e-3)


def test_clustered_intervals_of_schools_that_say_little() -> None:
    assert clustered_interval([], []).n_schools == 0
    one = clustered_interval([3, np.nan, 0], [10, 5, 0])
    assert (one.value, one.n_schools) == (0.3, 1)
    assert np.isnan([one.standard_error, one.effective_n, one.lower, one.upper]).all()
    everybody = clustered_interval([10, 5, 7], [10, 5, 7])
    assert (everybody.standard_error, everybody.effective_n) == (0, 22)
    assert (everybody.lower, everybody.upper) == wilson_interval(22, 22)
    alike = clustered_interval([5, 5, 5, 5], [10, 10, 10, 10])
    assert alike.effective_n == 40, "never more than all answers"
    with pytest.raises(ValueError, match="between zero and all its answers"):
        clustered_interval([11], [10])
    with pytest.raises(ValueError, match="two rows of equal length"):
        clustered_interval([1, 2], [10])


def test_clustered_standard_error_and_interval_hold_in_simulation() -> None:
    """3,000 samples of 40 schools whose shares differ: the error is the spread, and 95 % of the intervals hold the true share."""
    rng = np.random.default_rng(9)
    n = rng.integers(10, 60, (3_000, 40))
    x = rng.binomial(n, rng.beta(6, 4, n.shape))
    found = [clustered_interval(*sample) for sample in zip(x, n, strict=True)]
    errors = np.array([share.standard_error for share in found])
    assert np.sqrt((errors**2).mean()) == pytest.approx(np.std([share.value for share in found]), rel=0.05)
    covered = np.mean([share.lower <= 0.6 <= share.upper for share in found])
    assert covered == pytest.approx(0.95, abs=0.016)
    as_if_independent = wilson_interval(x.sum(axis=1), n.sum(axis=1))
    assert ((as_if_independent.lower <= 0.6) & (as_if_independent.upper >= 0.6)).mean() < 0.8


def test_a_published_difference_of_shares() -> None:
    """Newcombe 1998, table II, example (a): 56/70 less 48/80, method 10: .0524 to .3339."""
    bounds = newcombe_difference(56 / 70, wilson_interval(56, 70), 48 / 80, wilson_interval(48, 80))
    assert bounds == (pytest.approx(0.0524, abs=5e-5), pytest.approx(0.3339, abs=5e-5))


def test_differences_agree_with_the_warehouse() -> None:
    macros = _macros("differences.sql")
    first, second = Bounds(np.float64(0.2), np.float64(0.5)), Bounds(np.float64(0.1), np.float64(0.45))
    found = newcombe_difference(0.3, first, 0.25, second)
    for side in ("lower", "upper"):
        known = _sql(macros.newcombe_bound("0.3", "0.2", "0.5", "0.25", "0.1", "0.45", side))
        assert getattr(found, side) == pytest.approx(known, abs=1e-12)


@pytest.mark.parametrize("confidence", [0, 1, 1.2, float("nan")])
def test_confidence_lies_between_zero_and_one(confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence must lie between 0 and 1"):
        wilson_interval(1, 2, confidence)


def test_p_values() -> None:
    np.testing.assert_allclose(two_sided_p([0, 1.959963984540054, -2.5758293035489004]), [1, 0.05, 0.01])
    assert two_sided_p(40) == pytest.approx(2 * norm.sf(40), rel=1e-9)


def test_holm_by_hand() -> None:
    """Sorted .01 .02 .03 .04 times 4 3 2 1 is .04 .06 .06 .04, and never less than the one before."""
    np.testing.assert_allclose(holm_adjusted([0.03, 0.01, 0.04, 0.02]), [0.06, 0.04, 0.06, 0.06])
    np.testing.assert_allclose(holm_adjusted([0.6, 0.9]), [1, 1])
    np.testing.assert_allclose(holm_adjusted([0.02, np.nan, 0.01]), [0.02, np.nan, 0.02])


def test_benjamini_and_hochberg_by_hand() -> None:
    """Sorted .01 .02 .03 .5 times 4/1 4/2 4/3 4/4 is .04 .04 .04 .5."""
    np.testing.assert_allclose(benjamini_hochberg_adjusted([0.5, 0.01, 0.03, 0.02]), [0.5, 0.04, 0.04, 0.04])
    np.testing.assert_allclose(benjamini_hochberg_adjusted([0.04, np.nan, 0.03]), [0.04, np.nan, 0.04])


def test_the_published_example_of_benjamini_and_hochberg() -> None:
    """Their 15 p-values of the infarction trial: Holm calls three different at .05, their method four (1995, section 3.2)."""
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]
    assert (holm_adjusted(p) <= 0.05).sum() == 3
    assert (benjamini_hochberg_adjusted(p) <= 0.05).sum() == 4


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=15))
def test_adjusted_values_decide_as_the_step_procedures_do(p: list[float]) -> None:
    count, ordered = len(p), sorted(p)
    n_holm = next((i for i in range(count) if (count - i) * ordered[i] > 0.05), count)
    assert (holm_adjusted(p) <= 0.05).sum() == n_holm
    n_bh = max((i + 1 for i in range(count) if ordered[i] * count / (i + 1) <= 0.05), default=0)
    assert (benjamini_hochberg_adjusted(p) <= 0.05).sum() == n_bh
    assert (holm_adjusted(p) >= benjamini_hochberg_adjusted(p) - 1e-15).all()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-6, 6), min_size=1, max_size=15))
def test_critical_values_decide_as_adjusted_p_values_do(z: list[float]) -> None:
    critical = holm_critical_z(len(z))
    ordered = np.sort(np.abs(z))[::-1]
    passed = int(np.argmin(np.append(ordered >= critical, False)))
    assert (holm_adjusted(two_sided_p(z)) <= 0.05).sum() == passed


def test_critical_values_of_fifteen_pairs() -> None:
    critical = holm_critical_z(15)
    assert critical[-1] == pytest.approx(1.959964, abs=1e-6)
    assert critical[0] == pytest.approx(norm.isf(0.05 / 30), abs=1e-9)
    with pytest.raises(ValueError, match="one comparison or more"):
        holm_critical_z(0)


@pytest.mark.parametrize(
    ("p", "message"), [([1.2], "between 0 and 1"), ([-0.1], "between 0 and 1"), ([[0.1]], "one row"), (["a"], "numbers")]
)
def test_p_values_that_cannot_be(p: list[Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        holm_adjusted(p)

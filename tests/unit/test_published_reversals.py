"""Two published cases in which percent proficient says the opposite of what happened; the product must not be taken in.

Illinois and New York, grade 4, 2019: shares proficient by each state's own test against NAEP (National Center for Education
Statistics, Mapping State Proficiency Standards Onto NAEP Scales, 2021, and NAEP 2019). That the pair gets no verdict is a unit
test of `fct_comparisons`; here stands what NAEP says. Alabama, grade 4 reading, 2005 to 2007: gaps of NAEP's mean and of its
share Proficient (Ho & Reardon 2012 discuss how the cut decides the sign).
"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.optimize import brentq
from scipy.stats import norm

from pipelines.estimation import gap_v
from pipelines.settings import PROJECT_ROOT

# Standard deviation within groups; any near NAEP's own gives the same signs.
SD = 33.0
MEAN_GAPS = {2005: 32.00, 2007: 25.59}
PROFICIENT_GAPS = {2005: 0.2385, 2007: 0.2531}


def _cut(mean_gap: float, share_gap: float) -> float:
    """How far above the mean of the higher group the cut lies at which the shares differ by `share_gap`: a cut that few reach."""

    def off(cut: float) -> float:
        return float(norm.sf(cut / SD) - norm.sf((cut + mean_gap) / SD) - share_gap)

    return float(brentq(off, 0.0, 4 * SD))


def _counts(mean: float, cut: float) -> np.ndarray:
    """One million students at four levels: at the cut, a standard deviation below it, and one above it."""
    edges = np.array([cut - SD, cut, cut + SD])
    return np.diff(np.concatenate([[0.0], norm.cdf(edges, mean, SD), [1.0]])) * 1e6


def test_alabama_a_gap_that_closes_while_percent_proficient_says_that_it_grows() -> None:
    v, shares = {}, {}
    for year, mean_gap in MEAN_GAPS.items():
        cut = _cut(mean_gap, PROFICIENT_GAPS[year])
        higher, lower = _counts(0.0, cut), _counts(-mean_gap, cut)
        shares[year] = (higher[2:].sum() - lower[2:].sum()) / 1e6
        v[year] = gap_v(higher, lower).v
        assert v[year] == pytest.approx(mean_gap / SD, abs=1e-4)
    assert shares[2007] - shares[2005] == pytest.approx(0.0145, abs=0.0005)
    assert v[2007] < v[2005] - 0.15


def test_illinois_is_not_below_new_york_where_both_took_the_same_test() -> None:
    """By their own tests 33.5 against 50.0 % are proficient; on NAEP Illinois is not below."""
    naep = pl.read_csv(PROJECT_ROOT / "dbt_project/seeds/naep_results.csv", infer_schema_length=None)
    of_2019 = naep.filter(pl.col("unit_type") == "state", pl.col("year") == 2019, pl.col("grade").cast(pl.String) == "4")
    mean = dict(of_2019.select("unit_id", "mean").iter_rows())
    share = dict(of_2019.select("unit_id", "share_proficient").iter_rows())
    assert mean["IL"] >= mean["NY"]
    assert share["IL"] >= share["NY"]

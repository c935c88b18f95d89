"""The macros of intervals against published values and independent computations.

Wilson by finding the roots of the score equation; Student's t and the clustered interval by scipy and by drawing many samples.
"""

from __future__ import annotations

import math
from typing import Any

import duckdb
import jinja2
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.optimize import brentq

from pipelines.settings import PROJECT_ROOT

Z = 1.959963984540054


def _macros() -> Any:
    source = (PROJECT_ROOT / "dbt_project/macros/intervals.sql").read_text()
    return jinja2.Environment(autoescape=False).from_string(source).module  # noqa: S701


def _bound(x: int, n: int, side: str) -> float:
    sql = _macros().wilson_bound("x", "n", side)
    with duckdb.connect() as connection:
        ((bound,),) = connection.execute(f"select {sql} from (select {x}::double as x, {n}::double as n)").fetchall()
    return float(bound)


@pytest.mark.parametrize(("x", "n", "lower", "upper"), [(8, 10, 0.49016, 0.94332), (0, 12, 0.0, 0.24249)])
def test_published_values(x: int, n: int, lower: float, upper: float) -> None:
    assert _bound(x, n, "lower") == pytest.approx(lower, abs=5e-6)
    assert _bound(x, n, "upper") == pytest.approx(upper, abs=5e-6)


@given(st.integers(2, 100_000).flatmap(lambda n: st.tuples(st.integers(1, n - 1), st.just(n))))
def test_bounds_solve_the_score_equation(xn: tuple[int, int]) -> None:
    x, n = xn
    share = x / n

    def score(p: float) -> float:
        return (share - p) / math.sqrt(p * (1 - p) / n)

    assert _bound(x, n, "lower") == pytest.approx(brentq(lambda p: score(p) - Z, 1e-12, share), rel=1e-6)
    assert _bound(x, n, "upper") == pytest.approx(brentq(lambda p: score(p) + Z, share, 1 - 1e-12), rel=1e-6)


def test_quantiles_of_student_t() -> None:
    """Within 0.2 % from 3 degrees of freedom on, and exact below."""
    with duckdb.connect() as connection:
        found = connection.execute(f"select df, {_macros().t_quantile('df')} from range(1, 400) as t (df)").fetchall()
    for df, quantile in found:
        assert quantile == pytest.approx(stats.t.ppf(0.975, df), rel=1e-9 if df < 3 else 2e-3), df


def _effective_n(x: float, n: float, standard_error: float | None, n_clusters: int) -> float | None:
    values = f"select {x}::double as x, {n}::double as n, {'null' if standard_error is None else standard_error}::double as se"
    with duckdb.connect() as connection:
        sql = f"select {_macros().effective_n('x', 'n', 'se', 'm')} from ({values}, {n_clusters} as m)"
        ((found,),) = connection.execute(sql).fetchall()
    return found


def test_effective_size_by_hand() -> None:
    """p = .4 and SE = .05: .24 / .0025 = 96 answers, times (1.959964 / 2.262157)^2 for 9 degrees of freedom: 72.07."""
    assert _effective_n(160, 400, 0.05, 10) == pytest.approx(96 * (Z / stats.t.ppf(0.975, 9)) ** 2, rel=1e-3)
    assert _effective_n(160, 400, 0.001, 10) == 400, "never more than there are"
    assert _effective_n(0, 400, 0.0, 10) == 400
    assert _effective_n(160, 400, None, 1) is None, "one school says nothing about schools"


@pytest.mark.parametrize(("n_schools", "share"), [(12, 0.5), (12, 0.9), (60, 0.3), (200, 0.97)])
def test_clustered_intervals_hold_what_they_say(n_schools: int, share: float) -> None:
    """Schools of unequal size whose own shares differ: of 3,000 samples about 95 % hold the true share."""
    rng, n_samples, spread = np.random.default_rng(20260801), 3000, 20.0
    sizes = np.clip(rng.lognormal(3, 0.6, (n_samples, n_schools)), 5, 300).astype(int)
    own = rng.beta(share * spread, (1 - share) * spread, sizes.shape)
    agree = rng.binomial(sizes, own)
    x, n = agree.sum(axis=1), sizes.sum(axis=1)
    residual = agree - (x / n)[:, None] * sizes
    error = np.sqrt((residual**2).sum(axis=1) * n_schools / (n_schools - 1)) / n
    samples = pl.DataFrame({"x": x.astype(float), "n": n.astype(float), "se": error})
    macros = _macros()
    worth = macros.effective_n("x", "n", "se", str(n_schools))
    lower, upper = (macros.wilson_bound("(x / n * worth)", "worth", side) for side in ("lower", "upper"))
    with duckdb.connect() as connection:
        connection.register("samples", samples)
        found = connection.sql(f"select {lower} as lower, {upper} as upper from (select *, {worth} as worth from samples)").pl()
    holds = ((found["lower"] <= share) & (found["upper"] >= share)).mean()
    assert 0.93 <= float(holds) <= 0.985  # type: ignore[arg-type]

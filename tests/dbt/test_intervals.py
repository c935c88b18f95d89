"""The Wilson macro against published values and an independent root finding of the score equation."""

from __future__ import annotations

import math

import duckdb
import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from pipelines.settings import PROJECT_ROOT

Z = 1.959963984540054


def _bound(x: int, n: int, side: str) -> float:
    source = (PROJECT_ROOT / "dbt_project/macros/intervals.sql").read_text()
    module = jinja2.Environment(autoescape=False).from_string(source).module  # noqa: S701
    sql = module.wilson_bound("x", "n", side)  # type: ignore[attr-defined]
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

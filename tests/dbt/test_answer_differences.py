"""The macros of differences between two shares of answers, against published values and an independent computation."""

from __future__ import annotations

import math
from typing import Any

import duckdb
import jinja2
import pytest

from pipelines.settings import PROJECT_ROOT

Z = 1.959963984540054
DISTRICT = "'a' as district, '2024-25' as school_year, 'district' as unit_type"
GROUPS = "null::varchar as unit_id, null::varchar as network_id, null::varchar as school_level, null::varchar as school_set"


def _macros() -> Any:
    folder = PROJECT_ROOT / "dbt_project/macros"
    source = "".join((folder / name).read_text() for name in ("intervals.sql", "differences.sql", "answer_differences.sql"))
    groups = ["unit_type", "unit_id", "network_id", "school_level", "school_set"]
    environment = jinja2.Environment(autoescape=False)  # noqa: S701
    return environment.from_string(source, globals={"school_groups": lambda: groups}).module


def _differences(first: tuple[float, float], second: tuple[float, float], *, n_schools: int, is_absolute: bool) -> dict[str, Any]:
    """The row of the difference; all schools agree with each other, so that every answer counts."""
    answers = " union all ".join(
        f"select {DISTRICT}, {GROUPS}, '{name}' as statistic, {x}::double as numerator, {n}::double as denominator, "
        f"{'0' if n_schools > 1 else 'null'}::double as standard_error, {n_schools}::bigint as n_schools, "
        f"{rate}::double as response_rate, {flag}::varchar as flags, null::varchar as symbol, 's' as sources"
        for name, (x, n), rate, flag in (("one", first, 0.5, "'low_response'"), ("two", second, "null", "'response_unknown'"))
    )
    sql = _macros().shares_and_difference("answers", "one", "two", "apart", is_absolute=is_absolute)
    with duckdb.connect() as connection:
        rows = connection.sql(f"with answers as ({answers}) {sql}").pl().to_dicts()
    assert sorted(row["statistic"] for row in rows) == ["apart", "one", "two"]
    return next(row for row in rows if row["statistic"] == "apart")


@pytest.mark.parametrize(
    ("first", "second", "lower", "upper"),
    [((56, 70), (48, 80), 0.0524, 0.3339), ((9, 10), (3, 10), 0.1705, 0.8090), ((10, 10), (0, 10), 0.6075, 1.0)],
)
def test_published_intervals(first: tuple[int, int], second: tuple[int, int], lower: float, upper: float) -> None:
    """Newcombe 1998, Statistics in Medicine 17:873-890, Table II, method 10."""
    row = _differences(first, second, n_schools=5, is_absolute=False)
    assert row["value"] == pytest.approx(first[0] / first[1] - second[0] / second[1])
    assert (row["lower"], row["upper"]) == (pytest.approx(lower, abs=5e-5), pytest.approx(upper, abs=5e-5))
    turned = _differences(second, first, n_schools=5, is_absolute=False)
    assert (turned["lower"], turned["upper"]) == (pytest.approx(-row["upper"]), pytest.approx(-row["lower"]))


def _score_interval(x: float, n: float) -> tuple[float, float]:
    """Wilson's interval as the two roots of the quadratic in p that the score equation is."""
    a, b, c = n + Z**2, -(2 * x + Z**2), x**2 / n
    root = math.sqrt(b * b - 4 * a * c)
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


@pytest.mark.parametrize(
    ("first", "second"), [((40, 80), (50, 80)), ((50, 80), (40, 80)), ((10, 80), (70, 80)), ((70, 80), (10, 80))]
)
def test_a_distance_is_never_below_zero(first: tuple[int, int], second: tuple[int, int]) -> None:
    """Where the signed interval holds zero that of the distance begins there; else it is the signed one without its sign."""
    row = _differences(first, second, n_schools=5, is_absolute=True)
    p1, p2 = first[0] / first[1], second[0] / second[1]
    (l1, u1), (l2, u2) = _score_interval(*first), _score_interval(*second)
    low = p1 - p2 - math.hypot(p1 - l1, u2 - p2)
    high = p1 - p2 + math.hypot(u1 - p1, p2 - l2)
    ends = sorted([abs(low), abs(high)])
    expected = (0.0 if low < 0 < high else ends[0], ends[1])
    assert row["value"] == pytest.approx(abs(p1 - p2))
    assert (row["lower"], row["upper"]) == (pytest.approx(expected[0]), pytest.approx(expected[1]))
    assert 0 <= row["lower"] <= row["value"] <= row["upper"]


def test_one_school_has_no_interval_and_an_unknown_response_stays_unknown() -> None:
    row = _differences((4, 8), (2, 8), n_schools=1, is_absolute=True)
    assert row["value"] == 0.25
    assert (row["lower"], row["upper"], row["standard_error"]) == (None, None, None)
    assert row["response_rate"] is None
    assert row["flags"] == "low_response; response_unknown"
    assert (row["n"], row["n_schools"], row["unit"]) == (8, 1, "difference_of_shares")

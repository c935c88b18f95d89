from __future__ import annotations

import math
from decimal import ROUND_CEILING, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.planning import PlanningError, ReachPlan, plan_reach

LEARNING_COMMUNITY = {"teachers_per_leader_low": 8, "teachers_per_leader_high": 25, "training_cost_usd": 1500}

students = st.integers(0, 5_000_000)
class_loads = st.integers(1, 2000).map(lambda tenths: tenths / 10)
bands = st.tuples(st.integers(1, 60), st.integers(1, 60)).map(sorted)
costs = st.integers(0, 2_000_000).map(lambda cents: cents / 100)
paces = st.tuples(st.integers(1, 300), st.integers(1, 300)).map(sorted)


def plan(target: int, load: float, band: list[int], cost: float, pace: list[int]) -> ReachPlan:
    return plan_reach(target, load, band[0], band[1], cost, (pace[0], pace[1]))


def rounded_up(number: Decimal) -> int:
    return int(number.to_integral_value(rounding=ROUND_CEILING))


def test_ten_thousand_students_as_worked_by_hand() -> None:
    found = plan_reach(10_000, 25, **LEARNING_COMMUNITY, leaders_per_year=(20, 100))
    assert found == ReachPlan(
        target_students=10_000, teachers=400, leaders=(16, 50), training_cost_usd=(24_000, 75_000), years=(1, 3)
    )


def test_every_step_is_rounded_up() -> None:
    # 1,001 / 24.5 = 40.86 teachers; 41 / 25 = 1.64 and 41 / 8 = 5.125 leaders; 6 x 1,500.10 = 9,000.60 dollars.
    found = plan_reach(1001, 24.5, 8, 25, 1500.10, (4, 5))
    assert (found.teachers, found.leaders, found.training_cost_usd, found.years) == (41, (2, 6), (3001, 9001), (1, 2))


def test_decimals_are_taken_as_written() -> None:
    # In binary fractions 3 / 0.1 and 30 x 0.1 are a little off.
    found = plan_reach(3, 0.1, 0.1, 0.1, 0.1)
    assert (found.teachers, found.leaders, found.training_cost_usd) == (30, (300, 300), (30, 30))


def test_nobody_to_reach_costs_nothing() -> None:
    assert plan_reach(0, 25, 8, 25, 1500, (20, 100)) == ReachPlan(0, 0, (0, 0), (0, 0), (0, 0))


def test_without_a_pace_no_years_are_said() -> None:
    assert plan_reach(10_000, 25, **LEARNING_COMMUNITY).years == (None, None)


@given(students, class_loads, bands, costs, paces)
def test_the_plan_reaches_the_target_with_nobody_to_spare(
    target: int, load: float, band: list[int], cost: float, pace: list[int]
) -> None:
    found = plan(target, load, band, cost, pace)
    load_as_written = Decimal(str(load))
    assert found.teachers == rounded_up(Decimal(target) / load_as_written)
    for leaders, supports, dollars in zip(found.leaders, reversed(band), found.training_cost_usd, strict=True):
        assert leaders * supports >= found.teachers > (leaders - 1) * supports or leaders == found.teachers == 0
        assert dollars == rounded_up(leaders * Decimal(str(cost)))
    assert found.years == (math.ceil(found.leaders[0] / pace[1]), math.ceil(found.leaders[1] / pace[0]))


@given(students, class_loads, bands, costs, paces)
def test_low_is_never_above_high(target: int, load: float, band: list[int], cost: float, pace: list[int]) -> None:
    found = plan(target, load, band, cost, pace)
    for low, high in (found.leaders, found.training_cost_usd, found.years):
        assert low is not None and high is not None and low <= high


@given(students, st.integers(0, 100_000), class_loads, bands, costs, paces)
def test_more_students_never_take_less(
    target: int, more: int, load: float, band: list[int], cost: float, pace: list[int]
) -> None:
    fewer, larger = plan(target, load, band, cost, pace), plan(target + more, load, band, cost, pace)
    assert fewer.teachers <= larger.teachers
    for name in ("leaders", "training_cost_usd", "years"):
        assert all(a <= b for a, b in zip(getattr(fewer, name), getattr(larger, name), strict=True))


@given(students, class_loads, st.integers(1, 500), bands, costs, paces)
def test_more_students_a_teacher_never_take_more_teachers(
    target: int, load: float, more: int, band: list[int], cost: float, pace: list[int]
) -> None:
    few, many = plan(target, load, band, cost, pace), plan(target, load + more, band, cost, pace)
    assert many.teachers <= few.teachers
    assert many.leaders[0] <= few.leaders[0] and many.leaders[1] <= few.leaders[1]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"target_students": -1}, "target_students is -1"),
        ({"target_students": 10.5}, "target_students is 10.5"),
        ({"target_students": True}, "target_students is True"),
        ({"students_per_teacher": 0}, "students_per_teacher is 0: it must be above zero"),
        ({"students_per_teacher": math.nan}, "students_per_teacher is nan: it must be a number"),
        ({"teachers_per_leader_low": 0}, "teachers_per_leader (low) is 0"),
        ({"teachers_per_leader_low": 26}, "teachers_per_leader runs from 26 to 25"),
        ({"teachers_per_leader_high": math.inf}, "teachers_per_leader (high) is inf"),
        ({"training_cost_usd": -0.01}, "training_cost_usd is -0.01: it must not be below zero"),
        ({"training_cost_usd": "1500"}, "training_cost_usd is '1500': it must be a number"),
        ({"leaders_per_year": (100, 20)}, "leaders_per_year runs from 100 to 20"),
        ({"leaders_per_year": (0, 20)}, "leaders_per_year (low) is 0"),
    ],
)
def test_numbers_that_make_no_plan_are_refused_by_name(changed: dict[str, Any], said: str) -> None:
    numbers = {"target_students": 10_000, "students_per_teacher": 25, **LEARNING_COMMUNITY, "leaders_per_year": (20, 100)}
    with pytest.raises(PlanningError) as refused:
        plan_reach(**{**numbers, **changed})
    assert said in str(refused.value)

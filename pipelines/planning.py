"""How many leaders, teachers and dollars a target of students asks for: plain arithmetic for planning a programme.

Belongs here: pure functions over numbers that the caller brings, such as the band of a programme in the code list `programs`.
What a programme has reached so far does not belong here: that is counted by the indicators PR1 to PR3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction


class PlanningError(ValueError):
    """A plan cannot be made from these numbers; the message says which one is wrong and what it has to be."""


@dataclass(frozen=True)
class ReachPlan:
    """What a target reach asks for. Pairs are (low, high): the least and the most that the band and the pace allow.

    `years` is (None, None) where no pace was given.
    """

    target_students: int
    teachers: int
    leaders: tuple[int, int]
    training_cost_usd: tuple[int, int]
    years: tuple[int, int] | tuple[None, None]


def plan_reach(
    target_students: int,
    students_per_teacher: float,
    teachers_per_leader_low: float,
    teachers_per_leader_high: float,
    training_cost_usd: float,
    leaders_per_year: tuple[float, float] | None = None,
) -> ReachPlan:
    """Teachers, leaders, dollars and years that reaching `target_students` takes; whole numbers, rounded up.

    `students_per_teacher`: students whom one supported teacher teaches. A leader supports from `teachers_per_leader_low` to
    `teachers_per_leader_high` teachers: the high end of that band gives the fewest leaders. `training_cost_usd`: dollars for
    training one leader; the time for which teachers are released is not in it. `leaders_per_year`: how many leaders are trained
    a year, (low, high); the fewest years are those of the fewest leaders at the higher pace.

    The founding documents of the National Math Improvement Project give 8 to 25 teachers a leader, about 1,500 dollars to train
    one, and 20 to 100 leaders a year for the Mathematics Learning Community. Raises PlanningError.
    """
    _require_whole("target_students", target_students)
    _require_above_zero("students_per_teacher", students_per_teacher)
    _require_band("teachers_per_leader", teachers_per_leader_low, teachers_per_leader_high)
    _require_number("training_cost_usd", training_cost_usd)
    if training_cost_usd < 0:
        raise PlanningError(f"training_cost_usd is {training_cost_usd}: it must not be below zero.")
    teachers = _divided_up(target_students, students_per_teacher)
    fewest, most = _divided_up(teachers, teachers_per_leader_high), _divided_up(teachers, teachers_per_leader_low)
    years: tuple[int, int] | tuple[None, None] = (None, None)
    if leaders_per_year is not None:
        slow, fast = leaders_per_year
        _require_band("leaders_per_year", slow, fast)
        years = _divided_up(fewest, fast), _divided_up(most, slow)
    return ReachPlan(
        target_students=target_students,
        teachers=teachers,
        leaders=(fewest, most),
        training_cost_usd=(_whole_dollars(fewest, training_cost_usd), _whole_dollars(most, training_cost_usd)),
        years=years,
    )


def _divided_up(amount: int, by: float) -> int:
    """`amount` over `by`, rounded up; exact for decimals, so that 3 people at 0.1 each are 30 and not 31."""
    top, bottom = _ratio(by)
    return -(-amount * bottom // top)


def _whole_dollars(leaders: int, cost: float) -> int:
    top, bottom = _ratio(cost)
    return -(-leaders * top // bottom)


def _ratio(number: float) -> tuple[int, int]:
    """The number as it is written in decimals, as a ratio of whole numbers."""
    return Fraction(str(number)).as_integer_ratio()


def _require_number(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise PlanningError(f"{name} is {value!r}: it must be a number.")


def _require_whole(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise PlanningError(f"{name} is {value!r}: it must be a whole number of students, zero or more.")


def _require_above_zero(name: str, value: float) -> None:
    _require_number(name, value)
    if value <= 0:
        raise PlanningError(f"{name} is {value}: it must be above zero.")


def _require_band(name: str, low: float, high: float) -> None:
    _require_above_zero(f"{name} (low)", low)
    _require_above_zero(f"{name} (high)", high)
    if low > high:
        raise PlanningError(f"{name} runs from {low} to {high}: the lower end must not be above the higher one.")

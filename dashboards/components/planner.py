"""The planner of a programme's reach: how many leaders a target needs, what their training costs, and how long it takes.

Every number comes from `pipelines.planning`; only the questions and the words are here.
"""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from dashboards.components import filters, tables
from dashboards.components.words import plain
from pipelines.planning import PlanningError, ReachPlan, plan_reach

# What the address holds of a plan.
ASKED = ("target", "per_teacher", "band_low", "band_high", "cost", "pace_low", "pace_high")
STUDENTS_PER_TEACHER = 50.0
TARGET_STUDENTS = 10_000.0


def planner(program: dict[str, Any], release_id: str) -> None:
    """Draw the planner of one programme, or say why there is none. What is asked stands in the address."""
    st.subheader("Plan a larger reach", anchor=False)
    low, high = program["teachers_per_leader_low"], program["teachers_per_leader_high"]
    if low is None or high is None:
        st.markdown("Nothing can be planned here: the founding documents do not say how many teachers one leader supports.")
        return
    st.caption(
        "What a target of students asks for, from what you type and what the founding documents say; no number of a district is "
        "in it. The range is what the band of teachers for each leader implies."
    )
    with st.container(horizontal=True):
        students = filters.amount("Students to reach", "target", TARGET_STUDENTS, 0, 5_000_000, 1_000)
        per_teacher = filters.amount(
            "Students each teacher teaches", "per_teacher", STUDENTS_PER_TEACHER, 1, 500, 1, "In mathematics, in one year."
        )
        fewest = filters.amount("Fewest teachers for a leader", "band_low", low, 1, 500, 1)
        most = filters.amount("Most teachers for a leader", "band_high", high, 1, 500, 1)
        known = program["leader_training_cost_usd"]
        open_cost = None if known is not None else "The founding documents do not say it."
        cost = filters.amount("Training one leader (dollars)", "cost", known or 0.0, 0, 1_000_000, 100, open_cost)
        pace = _pace(program)
    try:
        plan = plan_reach(int(students), per_teacher, fewest, most, cost, pace)
    except PlanningError as problem:
        st.warning(plain(_in_words(str(problem))))
        return
    _answer(plan, release_id)


def _pace(program: dict[str, Any]) -> tuple[float, float] | None:
    """New leaders a year, at least and at most; not asked where the founding documents plan none."""
    low, high = program["leaders_per_year_low"], program["leaders_per_year_high"]
    if low is None or high is None:
        return None
    slow = filters.amount("Fewest new leaders a year", "pace_low", low, 1, 10_000, 1)
    return slow, filters.amount("Most new leaders a year", "pace_high", high, 1, 10_000, 1)


def _in_words(problem: str) -> str:
    """What the planner objects to, in the words of the boxes."""
    names = {
        "teachers_per_leader": "Teachers for a leader",
        "leaders_per_year": "New leaders a year",
        "students_per_teacher": "Students each teacher teaches",
        "target_students": "Students to reach",
        "training_cost_usd": "Training one leader",
    }
    for name, said in names.items():
        problem = problem.replace(name, said)
    return problem


def _answer(plan: ReachPlan, release_id: str) -> None:
    leaders, years = _range(*plan.leaders), _range(*plan.years)
    pace = "" if plan.years[0] is None else f" At that pace it takes {years} year{'' if years == '1' else 's'}."
    dollars = "$" + _range(*plan.training_cost_usd).replace(" to ", " to $")
    st.markdown(
        plain(
            f"{plan.target_students:,} students are taught by {plan.teachers:,} teachers; they need {leaders} trained leaders. "
            f"Training these costs {dollars}.{pace}"
        )
    )
    st.caption("Training only: the time for which teachers are released, and keeping leaders in place, cost more.")
    shown = pl.DataFrame(
        {
            "What it takes": ["Students", "Teachers", "Leaders to train", "Training (dollars)", "Years"],
            "At least": _column(plan, 0),
            "At most": _column(plan, 1),
        }
    )
    tables.show(shown, "plan", "What the target asks for: at least and at most.", release_id)


def _column(plan: ReachPlan, end: int) -> list[str]:
    numbers = (plan.target_students, plan.teachers, plan.leaders[end], plan.training_cost_usd[end], plan.years[end])
    return ["not known" if number is None else f"{number:,}" for number in numbers]


def _range(low: int | None, high: int | None) -> str:
    if low is None or high is None:
        return "not known"
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"

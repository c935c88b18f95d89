"""Who works in the schools: mathematics teachers, those who come back, coaches and leaders, counted for all years.

Several extracts share these counts. What the people learn, do or answer does not belong here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.synthetic.conditions import Conditions, rates_around
from pipelines.synthetic.implementation import Path
from pipelines.synthetic.model import GRADES, SCHOOL_YEARS, Floats, Ints, generator
from pipelines.synthetic.schools import Enrolment, Schools

COACH_MODELS = ("school", "network", "district", "none")
NO_COACH = COACH_MODELS.index("none")
FIRST_UPPER_GRADE = GRADES.index("6")


@dataclass(frozen=True)
class Workforce:
    """Counts of years × schools, 0 where the school is not open.

    `n_k5` of the teachers teach grades up to 5; `n_retained` of the `n_last` of the year before are among the
    teachers; `coach_model` is an index of COACH_MODELS; the two rates are those that the counts were drawn with.
    """

    n_teachers: Ints
    n_k5: Ints
    n_last: Ints
    n_retained: Ints
    retained_rate: Floats
    coach_model: Ints
    coach_rate: Floats
    coach_fte: Floats
    n_leaders: Ints


def draw_workforce(seed: int, conditions: Conditions, schools: Schools, years: tuple[Enrolment, ...], path: Path) -> Workforce:
    """Who works in each school in each year."""
    rng = generator(seed, conditions.code, "workforce", "schools")
    n, shape = schools.n, (len(SCHOOL_YEARS), schools.n)
    class_size, load = rng.normal(22, 2, n).clip(16, 29), rng.normal(112, 16, n).clip(70, 160)
    leaning = rng.normal(0, 0.45, n) - 0.8 * (schools.low_income - schools.low_income.mean())
    wants_coach, which_coach = rng.random(n), rng.random(n)
    coach_leaning = 0.5 * path.readiness + 0.4 * np.log(schools.size / 500)
    base_fte = np.clip(np.round(schools.size / 550) / 2, 0.5, 3.0)
    shared_fte = np.array([0.1, 0.2, 0.4])[rng.integers(0, 3, n)]
    leaders = 1 + np.round(schools.size / 450 * rng.lognormal(0, 0.3, n)).astype(np.int64).clip(0, 9)
    before_first = rng.normal(0, 0.05, n)

    n_teachers, n_k5, n_last, n_retained, model, n_leaders = (np.zeros(shape, np.int64) for _ in range(6))
    retained_rate, coach_rate, fte = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for year, enrolment in enumerate(years):
        here = enrolment.open_schools
        by_grade = enrolment.students.sum(axis=2)
        lower = by_grade[:, :FIRST_UPPER_GRADE].sum(axis=1) / class_size[here]
        upper = by_grade[:, FIRST_UPPER_GRADE:].sum(axis=1) / load[here]
        wanted = np.maximum(1, np.round(lower + upper)).astype(np.int64)
        if year == 0:
            n_last[year, here] = np.maximum(1, np.round(wanted * np.exp(before_first[here])))
        else:
            n_last[year] = np.where(schools.opened < year, n_teachers[year - 1], 0)
        taking_part = np.zeros(n)
        taking_part[here] = enrolment.in_scope
        is_open = np.zeros(n, bool)
        is_open[here] = True
        n_last[year] *= is_open
        retained_rate[year] = rates_around(float(conditions.rates["retained"][year]), leaning, n_last[year] * taking_part)
        n_retained[year] = rng.binomial(n_last[year], retained_rate[year])
        n_teachers[year, here] = np.maximum(wanted, n_retained[year, here])
        n_k5[year, here] = np.round(n_teachers[year, here] * lower / np.maximum(lower + upper, 1e-9))
        coach_rate[year] = rates_around(float(conditions.rates["has_coach"][year]), coach_leaning, taking_part) * is_open
        models = np.digitize(which_coach, np.cumsum(conditions.coach_models[year])[:-1])
        model[year] = np.where(wants_coach < coach_rate[year], models, NO_COACH)
        fte[year] = np.select([model[year] == NO_COACH, model[year] == 0], [0.0, base_fte], shared_fte)
        fte[year] = np.minimum(fte[year], np.maximum(n_teachers[year], 1))
        n_leaders[year, here] = leaders[here]
    return Workforce(n_teachers, n_k5, n_last, n_retained, retained_rate, model, coach_rate, fte, n_leaders)

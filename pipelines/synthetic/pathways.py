"""Who takes Algebra I, or its integrated counterpart, in grade 8: the one answer that three extracts share.

Materials puts these students into the course, results takes them out of the grade's test where the state's course test
replaces it, `algebra` counts them. Whether they pass does not belong here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.synthetic.districts import District
from pipelines.synthetic.model import GRADES, IS_LEARNER, IS_LOW_INCOME, SCHOOL_YEARS, Bools, Floats, Ints, generator
from pipelines.synthetic.schools import Enrolment, Schools

PART = "algebra_outcomes"
GRADE_8, GRADE_9 = GRADES.index("8"), GRADES.index("9")
READY_ON_AVERAGE = 0.42
# Of students equally ready, how many of a cell get in for one student of the first cell; the planted gap in access.
LOW_INCOME_ACCESS, LEARNER_ACCESS = 0.72, 0.80
ACCESS_OF_CELL = np.where(IS_LOW_INCOME, LOW_INCOME_ACCESS, 1.0) * np.where(IS_LEARNER, LEARNER_ACCESS, 1.0)
READINESS_OF_CELL = np.where(IS_LOW_INCOME, 0.80, 1.0) * np.where(IS_LEARNER, 0.55, 1.0)
UNREADY_FOR_READY = 0.12


@dataclass(frozen=True)
class Takers:
    """A cohort by readiness: arrays of open schools × cells, and how likely each was to take the course early.

    `ready` were proficient in grade 7; the other two of the cohort took the course by grade 8.
    """

    cohort: Ints
    ready: Ints
    ready_early: Ints
    other_early: Ints
    chance_ready: Floats
    chance_other: Floats

    @property
    def early(self) -> Ints:
        """Students who took the course by grade 8."""
        return np.asarray(self.ready_early + self.other_early)


class Pathways:
    """What stays with the schools of one district: their pathway, who is ready, and how many take algebra early."""

    def __init__(self, seed: int, district: District, schools: Schools) -> None:
        self._seed, self._district = seed, district
        rng = generator(seed, district.code, PART, "pathways")
        self.is_integrated: Bools = rng.random(schools.n) < district.integrated_share
        poverty = schools.low_income - district.low_income
        ready = READY_ON_AVERAGE - 0.35 * poverty + rng.normal(0, 0.06, schools.n)
        self._ready = np.clip(ready, 0.06, 0.9)
        self._offered = np.where(rng.random(schools.n) < 0.75, rng.beta(5, 5, schools.n), 0.0)
        # A high school's students come from several schools: none sends nobody.
        self._sent = rng.beta(6, 10, schools.n)

    def grade_8(self, enrolment: Enrolment) -> Takers:
        """The students of grade 8 of one year; the same whoever asks."""
        rng = generator(self._seed, self._district.code, PART, SCHOOL_YEARS[enrolment.year], "grade_8")
        return self._takers(rng, enrolment.students[:, GRADE_8], enrolment.open_schools, self._offered)

    def grade_9(self, enrolment: Enrolment) -> Takers:
        """First-time students of grade 9 of one year, by what they did in grade 8."""
        rng = generator(self._seed, self._district.code, PART, SCHOOL_YEARS[enrolment.year], "grade_9")
        first_time = rng.binomial(enrolment.students[:, GRADE_9], 0.95)
        return self._takers(rng, first_time, enrolment.open_schools, self._sent)

    def _takers(self, rng: np.random.Generator, cohort: Ints, here: Ints, offered: Floats) -> Takers:
        ready = rng.binomial(cohort, np.clip(self._ready[here][:, None] * READINESS_OF_CELL, 0.02, 0.95))
        access = np.ones(len(ACCESS_OF_CELL)) if self._district.equal_access else ACCESS_OF_CELL
        chance_ready = offered[here][:, None] * access
        chance_other = UNREADY_FOR_READY * chance_ready
        return Takers(
            cohort=cohort,
            ready=ready,
            ready_early=rng.binomial(ready, chance_ready),
            other_early=rng.binomial(cohort - ready, chance_other),
            chance_ready=chance_ready,
            chance_other=chance_other,
        )

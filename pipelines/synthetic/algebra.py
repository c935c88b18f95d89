"""Algebra I outcomes: who completes the course, who passes at once and afterwards, their rows, and what is true of them.

Who takes it early comes from `pathways`, who is enrolled from `schools`; scores on the grade's state test do not belong here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from pipelines.synthetic import known
from pipelines.synthetic.districts import District
from pipelines.synthetic.model import CELLS_OF, IS_LEARNER, IS_LOW_INCOME, SCHOOL_YEARS, Floats, Ints, gather
from pipelines.synthetic.pathways import LEARNER_ACCESS, LOW_INCOME_ACCESS, PART, Pathways, Takers
from pipelines.synthetic.results import instrument_of
from pipelines.synthetic.schools import Enrolment
from pipelines.synthetic.setting import Setting, YearRows

SUBGROUPS = ("all", "english_learner", "not_english_learner", "low_income", "not_low_income")
GRADE_8_COHORT, GRADE_9_COHORT = "grade_8", "first_time_grade_9"
PASS_RULES = ("Final mark of D or better in both semesters", "Final mark of C or better", "60 of 100 points in the year's mark")
PASS_RISE = 0.07
# In no school does everybody pass: a column of perfect results is what a rule asks about.
MOST_PASS = 0.86
CELL_EFFECT = -0.06 * IS_LOW_INCOME - 0.08 * IS_LEARNER
COUNTS = (
    "n_cohort",
    "n_proficient_grade_7",
    "n_enrolled_by_grade_8",
    "n_completed_by_grade_9",
    "n_first_attempt",
    "n_passed_first_attempt",
    "n_passed_next_course",
    "n_eoc_taken",
    "n_eoc_passed",
    "n_failed_core_math",
)
ABOUT = (
    "OC1, OC10, OC12: the cohort of first-time grade 9; OC3, OC11: that of grade 8, OC11 being a ratio that may pass 1; OC2 of "
    "each cohort; all by subgroup. In the last year OC12 is not known yet."
)


def planted_effects(districts: Sequence[District]) -> list[dict[str, Any]]:
    """What is planted in algebra: where, in which indicators, how large."""
    equal = [district.code for district in districts if district.equal_access]
    return [
        {
            "effect": "access_gap_in_algebra",
            "districts": [district.code for district in districts if not district.equal_access],
            "indicator_ids": ["OC3", "OC11"],
            "sizes": {"low_income": LOW_INCOME_ACCESS, "english_learner": LEARNER_ACCESS},
            "text": "Of students equally ready, low-income students and English learners take Algebra I in grade 8 this many "
            "times as often as others.",
        },
        {
            "effect": "equal_access_to_algebra",
            "districts": equal,
            "indicator_ids": ["OC11"],
            "size": 0.0,
            "text": "Students equally ready take Algebra I in grade 8 equally often in every school, whatever their group.",
        },
        {
            "effect": "algebra_passing_rises",
            "districts": [district.code for district in districts if district.algebra_rises],
            "indicator_ids": ["OC1", "OC2"],
            "size": PASS_RISE,
            "text": f"In {SCHOOL_YEARS[-1]} the chance to pass is higher by the size; chances stay as they are elsewhere.",
        },
    ]


@dataclass(frozen=True)
class _Chances:
    """Chances of the schools that are open: open schools × cells."""

    passes: Floats
    passes_early: Floats
    recovers: Floats
    passes_next: Floats
    passes_test: Floats
    fails_course: Floats


class Algebra:
    """Algebra outcomes of one district: what stays with its schools, and the rows of each year."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        district, schools = setting.district, setting.schools
        self._pathways = Pathways(setting.seed, district, schools)
        rng = setting.generator(PART)
        self._strength = rng.normal(0, 0.06, schools.n) - 0.25 * (schools.low_income - district.low_income)
        self._pass_rule = PASS_RULES[int(rng.integers(len(PASS_RULES)))]

    def _chances(self, enrolment: Enrolment) -> _Chances:
        district, last = self._setting.district, len(SCHOOL_YEARS) - 1
        level = self._strength[enrolment.open_schools][:, None] + CELL_EFFECT
        level = level + PASS_RISE * (district.algebra_rises and enrolment.year == last)

        def around(centre: float) -> Floats:
            return np.asarray(np.clip(centre + level, 0.03, 0.98))

        return _Chances(
            passes=np.minimum(around(0.74), MOST_PASS),
            passes_early=np.minimum(around(0.84), MOST_PASS),
            recovers=around(0.40),
            passes_next=around(0.80),
            passes_test=around(0.55),
            fails_course=np.asarray(np.clip(0.16 - 0.6 * level, 0.01, 0.6)),
        )

    def rows(self, enrolment: Enrolment, truth: dict[str, Any]) -> pl.DataFrame:
        """Rows of one year: schools × cohorts × subgroups; adds the truth of OC1-OC3 and OC10-OC12."""
        setting = self._setting
        rng = setting.generator(PART, enrolment)
        chances = self._chances(enrolment)
        instrument = instrument_of(setting.instruments, setting.district.state, SCHOOL_YEARS[enrolment.year])
        has_test = instrument["course_test_replaces"] not in ("none", None, "")
        grade_8 = self._of_grade_8(rng, enrolment, chances, truth)
        grade_9 = self._of_grade_9(rng, enrolment, chances, truth)
        return pl.concat(
            [
                self._rows_of(rng, enrolment, GRADE_8_COHORT, grade_8, chances, has_test),
                self._rows_of(rng, enrolment, GRADE_9_COHORT, grade_9, chances, has_test),
            ]
        )

    def _of_grade_8(
        self, rng: np.random.Generator, enrolment: Enrolment, chances: _Chances, truth: dict[str, Any]
    ) -> dict[str, Ints]:
        takers = self._pathways.grade_8(enrolment)
        passed = rng.binomial(takers.early, chances.passes_early)
        counts = {**_shared(takers), "n_first_attempt": takers.early, "n_passed_first_attempt": passed}
        chance_early = takers.ready * takers.chance_ready + (takers.cohort - takers.ready) * takers.chance_other
        self._note(truth, enrolment, "OC3", counts, "n_enrolled_by_grade_8", "n_cohort", chance_early, {})
        self._note(truth, enrolment, "OC11", counts, "n_enrolled_by_grade_8", "n_proficient_grade_7", chance_early, {})
        expected = takers.early * chances.passes_early
        place = {"cohort": GRADE_8_COHORT}
        self._note(truth, enrolment, "OC2", counts, "n_passed_first_attempt", "n_first_attempt", expected, place)
        return counts

    def _of_grade_9(
        self, rng: np.random.Generator, enrolment: Enrolment, chances: _Chances, truth: dict[str, Any]
    ) -> dict[str, Ints]:
        takers = self._pathways.grade_9(enrolment)
        passed_early = rng.binomial(takers.early, chances.passes_early)
        attempts = rng.binomial(takers.cohort - takers.early, 0.93)
        passed = rng.binomial(attempts, chances.passes)
        recovered = rng.binomial(attempts - passed, chances.recovers)
        again = rng.binomial(takers.early - passed_early, chances.passes)
        counts = {
            **_shared(takers),
            "n_completed_by_grade_9": passed_early + again + passed + recovered,
            "n_first_attempt": attempts,
            "n_passed_first_attempt": passed,
            "n_failed_core_math": rng.binomial(takers.cohort, chances.fails_course),
        }
        by_early = chances.passes_early + (1 - chances.passes_early) * chances.passes
        by_grade_9 = 0.93 * (chances.passes + (1 - chances.passes) * chances.recovers)
        completes = takers.early * by_early + (takers.cohort - takers.early) * by_grade_9
        place = {"cohort": GRADE_9_COHORT}
        self._note(truth, enrolment, "OC1", counts, "n_completed_by_grade_9", "n_cohort", completes, {})
        expected = attempts * chances.passes
        self._note(truth, enrolment, "OC2", counts, "n_passed_first_attempt", "n_first_attempt", expected, place)
        fails = takers.cohort * chances.fails_course
        self._note(truth, enrolment, "OC10", counts, "n_failed_core_math", "n_cohort", fails, {})
        # Whether the next course was passed by the end of grade 10 is known one year later.
        if enrolment.year < len(SCHOOL_YEARS) - 1:
            counts["n_passed_next_course"] = rng.binomial(passed, chances.passes_next)
            expected = passed * chances.passes_next
            self._note(truth, enrolment, "OC12", counts, "n_passed_next_course", "n_passed_first_attempt", expected, {})
        return counts

    def _note(
        self,
        truth: dict[str, Any],
        enrolment: Enrolment,
        indicator_id: str,
        counts: dict[str, Ints],
        part: str,
        whole: str,
        expected: Floats,
        place: dict[str, str],
    ) -> None:
        """The truth of one indicator for every subgroup; `expected`: what the model expects of `part`, schools × cells."""
        for subgroup in SUBGROUPS:
            cells = CELLS_OF[subgroup]
            known.note(
                truth,
                self._setting.district.code,
                enrolment,
                indicator_id,
                counts[part] @ cells,
                counts[whole] @ cells,
                expected @ cells,
                subgroup=subgroup,
                **place,
            )

    def _rows_of(
        self,
        rng: np.random.Generator,
        enrolment: Enrolment,
        cohort: str,
        counts: dict[str, Ints],
        chances: _Chances,
        has_test: bool,
    ) -> pl.DataFrame:
        if has_test:
            taken = rng.binomial(counts["n_first_attempt"], 0.96)
            counts = {**counts, "n_eoc_taken": taken, "n_eoc_passed": rng.binomial(taken, chances.passes_test)}
        groups = np.stack([CELLS_OF[subgroup] for subgroup in SUBGROUPS])
        school = np.flatnonzero(counts["n_cohort"].sum(axis=1))
        n_groups = len(SUBGROUPS)
        columns = {name: pl.Series((counts[name][school] @ groups.T).ravel()) for name in counts}
        unknown = [name for name in COUNTS if name not in counts]
        is_integrated = self._pathways.is_integrated[enrolment.open_schools[school]].astype(np.int64)
        return pl.DataFrame(
            {
                "school_id": self._setting.school_ids(enrolment, np.repeat(school, n_groups)),
                "subgroup": gather(SUBGROUPS, np.tile(np.arange(n_groups), len(school))),
                "pathway": gather(("traditional", "integrated"), np.repeat(is_integrated, n_groups)),
                **columns,
            }
        ).select(
            "school_id",
            pl.lit(cohort).alias("cohort"),
            "subgroup",
            "pathway",
            pl.lit(self._pass_rule).alias("pass_rule"),
            *[pl.col(name) if name in counts else pl.lit(None, pl.Int64).alias(name) for name in COUNTS],
            # What cannot be known yet, or for which there is no test, does not exist for this row.
            *[pl.lit("z" if name in unknown else None, pl.String).alias(f"{name}_symbol") for name in COUNTS],
        )


def _shared(takers: Takers) -> dict[str, Ints]:
    return {"n_cohort": takers.cohort, "n_proficient_grade_7": takers.ready, "n_enrolled_by_grade_8": takers.early}


def algebra_outcomes(setting: Setting) -> YearRows:
    """The part `algebra_outcomes` of a district."""
    return Algebra(setting).rows

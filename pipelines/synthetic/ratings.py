"""Stages of implementation as they are rated: by the schools themselves, often too high, and by others, more rarely.

The stages themselves come from `implementation`. The truth of SS1, SS2 and SS3 is counted here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from scipy.special import expit

from pipelines.synthetic.implementation import FIRST_DAY, FULL, INITIAL, INSTALLATION, NOT_STARTED, STATES, YEAR
from pipelines.synthetic.known import note
from pipelines.synthetic.model import GRADES, SCHOOL_YEARS, Bools, Floats, Ints, gather
from pipelines.synthetic.schools import Enrolment
from pipelines.synthetic.setting import Setting, YearRows

ABOUT = (
    "SS1: schools whose latest rating of the year of that category (verified, self) is initial or full, among all schools "
    "that take part, rated or not. SS2: their students in grades K-12, among all such students. SS3, "
    "statistic share: schools whose latest rating of the year is that stage (category, not_rated where there is none; a verified "
    "rating goes before a self-rating), among all that take part; median_months_in_stage: from the day on which the stage began "
    "to that of the rating, n schools that know it."
)
SELF_RATERS, OUTSIDERS = ("principal", "math-lead"), ("district-reviewer", "partner-reviewer")
NOT_RATED, DAYS_OF_MONTH = "not_rated", 30.436875
RATES_ITSELF, READINESS_TO_RATE = 0.9, 0.6
RATES_TWICE, START_IS_KNOWN = 0.2, 0.9
# Days after the start of a school year: when ratings of the fall, of the spring and from outside are made.
FALL_RATING, SPRING_RATING, OUTSIDE_RATING = (80, 20), (235, 30), (270, 25)


class Ratings:
    """Ratings of one district: what stays with its schools, and the rows of each year."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        rng = setting.generator("implementation_stage")
        n, conditions = setting.schools.n, setting.conditions
        leaning = 0.0 if conditions.is_still else READINESS_TO_RATE * setting.path.readiness
        self._self_chance = expit(RATES_ITSELF + leaning) * np.ones(n)
        self._rates_itself = rng.random(n) < self._self_chance
        self._inflates = rng.random(n) < conditions.inflates
        self._is_visited = rng.random(n) < conditions.visited
        self._rates_twice = rng.random(n) < RATES_TWICE
        self._rater = rng.integers(0, 2, (2, n))

    def rows(self, enrolment: Enrolment, truth: dict[str, Any]) -> pl.DataFrame:
        """Rows of one year: schools × ratings; adds the truth of SS1, SS2 and SS3."""
        rng = self._setting.generator("implementation_stage", enrolment)
        path, here = self._setting.path, enrolment.open_schools
        fall, spring = path.spring(enrolment.year) - 1, path.spring(enrolment.year)
        inflates, rates_itself, is_visited = self._inflates[here], self._rates_itself[here], self._is_visited[here]
        in_fall, in_spring = path.state[fall, here], path.state[spring, here]
        told_in_fall, told = (np.minimum(state + inflates, FULL) for state in (in_fall, in_spring))
        is_twice = rates_itself & self._rates_twice[here] & (told_in_fall != NOT_STARTED)
        is_told, is_seen = rates_itself & (told != NOT_STARTED), is_visited & (in_spring != NOT_STARTED)
        rows = pl.concat(
            [
                self._rows_of(rng, enrolment, "self", is_twice, told_in_fall, in_fall, fall, FALL_RATING),
                self._rows_of(rng, enrolment, "self", is_told, told, in_spring, spring, SPRING_RATING),
                self._rows_of(rng, enrolment, "verified", is_seen, in_spring, in_spring, spring, OUTSIDE_RATING),
            ]
        )
        told = np.where(is_told, told, NOT_STARTED)
        self._add_truth(enrolment, told, np.where(is_seen, in_spring, NOT_STARTED), truth)
        self._add_months(enrolment, rows, truth)
        return rows

    def _rows_of(
        self,
        rng: np.random.Generator,
        enrolment: Enrolment,
        kind: str,
        is_rated: Bools,
        stage: Ints,
        state: Ints,
        term: int,
        days: tuple[int, int],
    ) -> pl.DataFrame:
        """Rows of one round of ratings. Schools do not always know when their stage began."""
        here = enrolment.open_schools
        first, span = days
        day = FIRST_DAY + YEAR * enrolment.year + first + rng.integers(0, span, len(here))
        # Who claims a stage that the school has not entered has no day for it.
        is_known = (stage == state) & ((rng.random(len(here)) < START_IS_KNOWN) | (kind == "verified"))
        places = np.flatnonzero(is_rated)
        start = pl.Series(self._setting.path.since[term, here][places], dtype=pl.Int32).cast(pl.Date)
        raters = SELF_RATERS if kind == "self" else OUTSIDERS
        return pl.DataFrame(
            {
                "school_id": self._setting.school_ids(enrolment, places),
                "rating_date": pl.Series(day[places], dtype=pl.Int32).cast(pl.Date),
                "rater": gather(raters, self._rater[int(kind == "verified")][here][places]),
                "stage": gather(STATES, stage[places]),
            }
        ).with_columns(
            pl.lit(kind).alias("rating_type"),
            pl.select(pl.when(pl.Series(is_known[places])).then(start)).to_series().alias("start_date"),
        )

    def _add_truth(self, enrolment: Enrolment, told: Ints, seen: Ints, truth: dict[str, Any]) -> None:
        district, here = self._setting.district.code, enrolment.open_schools
        chances = self._setting.path.chances[self._setting.path.spring(enrolment.year), here]
        reached, nearly = chances[:, INITIAL:].sum(axis=1), chances[:, INSTALLATION]
        expected: dict[str, Floats] = {
            "verified": self._setting.conditions.visited * reached,
            "self": self._self_chance[here] * (reached + self._setting.conditions.inflates * nearly),
        }
        one = np.ones(len(here), np.int64)
        students = enrolment.students[:, GRADES.index("K") :].sum(axis=(1, 2))
        for kind, stage in (("verified", seen), ("self", told)):
            at = (stage >= INITIAL).astype(np.int64)
            note(truth, district, enrolment, "SS1", at, one, expected[kind], category=kind)
            # An interval over students would not be honest: whole schools are in or out.
            note(truth, district, enrolment, "SS2", at * students, students, category=kind)
        standing = np.where(seen != NOT_STARTED, seen, told)
        for state, name in enumerate((NOT_RATED, *STATES[1:])):
            note(
                truth, district, enrolment, "SS3", (standing == state).astype(np.int64), one, category=name, statistic="share"
            )  # fmt: skip

    def _add_months(self, enrolment: Enrolment, rows: pl.DataFrame, truth: dict[str, Any]) -> None:
        """Median months in the stage, from the rows of the schools that take part and know when it began."""
        ids = self._setting.school_ids(enrolment, np.flatnonzero(enrolment.in_scope))
        latest = rows.filter(pl.col("school_id").is_in(ids.implode()))
        latest = latest.sort(pl.col("rating_type") == "verified", "rating_date").group_by("school_id", maintain_order=True).last()
        months = (pl.col("rating_date") - pl.col("start_date")).dt.total_days() / DAYS_OF_MONTH
        known = latest.drop_nulls("start_date").with_columns(months=months)
        place = {"district": self._setting.district.code, "school_year": SCHOOL_YEARS[enrolment.year]}
        for stage in (None, *STATES[1:]):
            of_stage = known if stage is None else known.filter(pl.col("stage") == stage)
            truth["indicators"].append(
                {
                    "indicator_id": "SS3", **place, **({} if stage is None else {"category": stage}),
                    "statistic": "median_months_in_stage", "numerator": None, "denominator": None,
                    "value": of_stage["months"].median(), "expected": None, "n": of_stage.height,
                }
            )  # fmt: skip


def rating_rows(setting: Setting) -> YearRows:
    """The part of implementation_stage."""
    return Ratings(setting).rows

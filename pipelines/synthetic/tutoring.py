"""Tutoring: rows of tutoring_dosage, and what is true of them.

A programme's definition of adequate dosage is its own and the same everywhere. Titles used in tutoring do not belong
here: they are in `materials`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from pipelines.synthetic.conditions import lowest_that_stay, rates_around
from pipelines.synthetic.known import note
from pipelines.synthetic.model import GRADES
from pipelines.synthetic.schools import Enrolment
from pipelines.synthetic.setting import Setting, YearRows

ABOUT = "SS7: n_adequate over n_scheduled of tutoring_dosage, for all programmes together and by programme (category)."
FIRST_GRADE = GRADES.index("1")


@dataclass(frozen=True)
class _Program:
    """A programme: which share of schools has it, which share of students is scheduled, and its own adequate dosage."""

    name: str
    reach: float
    scheduled: float
    sessions_per_week: float
    minutes_per_session: float
    group_size: float


PROGRAMS = (
    _Program("Example High-Dosage Tutoring", 0.35, 0.055, 3.0, 30.0, 3.0),
    _Program("Sample After-School Help", 0.22, 0.040, 2.0, 45.0, 8.0),
    _Program("Pretend Online Tutors", 0.10, 0.110, 2.0, 25.0, 1.0),
)


class Tutoring:
    """Tutoring of one district: what stays with its schools, and the rows of each year."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        rng = setting.generator("tutoring_dosage")
        n = setting.schools.n
        draw = rng.random((len(PROGRAMS), n))
        self._has = draw < np.array([program.reach for program in PROGRAMS])[:, None]
        self._has |= lowest_that_stay(draw, setting.schools)
        self._share = rng.lognormal(-0.1, 0.4, (len(PROGRAMS), n))
        self._own = rng.normal(0, 0.7, (len(PROGRAMS), n))

    def rows(self, enrolment: Enrolment, truth: dict[str, Any]) -> pl.DataFrame:
        """Rows of one year, schools × programmes; adds the truth of SS7."""
        setting, year, here = self._setting, enrolment.year, enrolment.open_schools
        rng, district = setting.generator("tutoring_dosage", enrolment), setting.district.code
        students = enrolment.students[:, FIRST_GRADE:].sum(axis=(1, 2))
        share = np.array([program.scheduled for program in PROGRAMS])[:, None] * self._share[:, here]
        is_there = self._has[:, here] & (students > 0)
        # A plan of places, not a draw: as steady as enrolment.
        n_scheduled = np.where(is_there, np.maximum(1, np.round(students * np.minimum(share, 0.5))), 0).astype(np.int64)
        leaning = self._own[:, here] + 0.3 * setting.path.quality[year, here]
        weights = np.where(enrolment.in_scope, n_scheduled, 0)
        target = float(setting.conditions.rates["adequate_dosage"][year])
        rate = np.stack([rates_around(target, leaning[index], weights[index]) for index in range(len(PROGRAMS))])
        n_adequate, expected = rng.binomial(n_scheduled, rate), n_scheduled * rate
        note(truth, district, enrolment, "SS7", n_adequate.sum(axis=0), n_scheduled.sum(axis=0), expected.sum(axis=0))
        for index, program in enumerate(PROGRAMS):
            note(
                truth, district, enrolment, "SS7", n_adequate[index], n_scheduled[index], expected[index], category=program.name
            )  # fmt: skip
        kind, places = np.nonzero(n_scheduled)
        listed = pl.DataFrame(PROGRAMS)[kind]
        return pl.DataFrame(
            {
                "school_id": setting.school_ids(enrolment, places),
                "program": listed["name"],
                "n_scheduled": n_scheduled[kind, places],
                "n_adequate": n_adequate[kind, places],
                **{name: listed[name] for name in ("sessions_per_week", "minutes_per_session", "group_size")},
            }
        )


def tutoring_rows(setting: Setting) -> YearRows:
    """The part of tutoring_dosage."""
    return Tutoring(setting).rows

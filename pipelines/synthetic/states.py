"""The states of the network: how all their students score on the state's test, their rows, and what NAEP says of everybody.

A state is a normal distribution on the latent scale of its test, of which the network's districts are a part. What the
district's own students score is drawn in `results`; their linking error has no place in the distribution of the state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy.special import ndtr

from pipelines.synthetic.districts import District
from pipelines.synthetic.model import SCHOOL_YEARS, Floats, Ints, generator
from pipelines.synthetic.results import (
    ALGEBRA_REPLACES,
    EXEMPT_AHEAD,
    FIRST_TESTED,
    GRADE_STEP,
    MOST_LEVELS,
    TESTED_GRADES,
    cuts_of,
    instrument_of,
    tested_grades,
)
from pipelines.synthetic.schools import Enrolment, apportioned

# How far the mean of a state lies above that of its districts here, on the latent scale; in one state it lies below.
AHEAD = (0.12, 0.32)
BEHIND = -0.10
SPREADS = (0.97, 1.05)
YEARLY_GAINS = (0.0, 0.02)
# Students of a state for one of its districts here.
TIMES = (4.0, 8.0)
YEARLY_GROWTH = -0.005
PARTICIPATION, OPT_OUT_PARTICIPATION = 0.97, 0.86
# Of the students of grade 8 those who sit the course test instead.
EXEMPT_SHARES = (0.10, 0.20)

# Share of the variance of a state test's scores that is not error of measurement.
RELIABILITY = 0.90
# NAEP points of 0, and of one unit, of the latent scale.
NAEP_SCALE: Mapping[int, tuple[float, float]] = {4: (236.0, 32.0), 8: (272.0, 38.0)}
# Basic and Proficient, as the assessment has them.
NAEP_CUTS: Mapping[int, tuple[int, int]] = {4: (214, 249), 8: (262, 299)}
NAEP_YEARS = (2022, 2024)
STATE_SE, DISTRICT_SE, NATION_SE = 0.9, 1.4, 0.3
NATION_MEAN, NATION_SD, NATION_GAIN, WITH_PRIVATE = 0.10, 1.04, 0.008, 1.0
SOURCE = "Invented for the synthetic network"
NAEP_SCHEMA = {
    "unit_type": pl.String(),
    "unit_id": pl.String(),
    "schools": pl.String(),
    "grade": pl.String(),
    "year": pl.Int64(),
    "school_year": pl.String(),
    "mean": pl.Float64(),
    "share_basic": pl.Float64(),
    "share_proficient": pl.Float64(),
    "se": pl.Float64(),
    "source": pl.String(),
}
ABOUT = (
    "states: of each state, year and tested grade the mean and SD of the latent scale over all students (n_enrolled), observed "
    "on the state's test and so with its error of measurement, and the mean of those who sit the grade's test "
    "(latent_mean_sitting, lower where the course test takes out who is ahead; n_tested of them have a score). naep: the mean of "
    "every district on NAEP, by grade and year of the assessment, before its sampling error; all students of the grade are in "
    f"it, those exempt too, and no linking error. Years before {SCHOOL_YEARS[0]} follow the trend back. The state's mean on "
    "NAEP is "
    + ", ".join(f"{zero:g} + {unit:g} times the latent mean in grade {grade}" for grade, (zero, unit) in NAEP_SCALE.items())
    + f", its SD that unit times the latent SD times the square root of {RELIABILITY:g}, the reliability of every state's test. "
    "linked: of each district, year and tested grade, all students, where the students tested stand among those who sit the test "
    "in their state (state_position, in SD of the state as observed, linking error in it), and naep_mean_true, the mean on the "
    "scale of NAEP of all students enrolled without linking error (between grades 4 and 8 the scale is on the line between the "
    "two; null in grade 3)."
)


@dataclass(frozen=True)
class State:
    """One state. `mean` is that of the first tested grade in the first year; `mean`, `yearly_gain` and `sd` are on the latent
    scale of the test, as observed. `students`: of SCHOOL_YEARS × TESTED_GRADES. `exempt_share`: of grade 8, where a course test
    replaces the grade's.
    """

    code: str
    mean: float
    yearly_gain: float
    sd: float
    students: Ints
    participation: float
    exempt_share: float

    def means(self, year: int) -> Floats:
        """The mean of all students by tested grade; `year` counts from the first of SCHOOL_YEARS, earlier ones below 0."""
        return np.asarray(self.mean + self.yearly_gain * year - GRADE_STEP * np.arange(len(TESTED_GRADES)))

    def sitting(self, year: int, instrument: Mapping[str, str]) -> tuple[Ints, Floats]:
        """Students with a score, and the mean of those who sit the grade's test, by tested grade."""
        exempt = np.zeros(len(TESTED_GRADES), np.int64)
        if instrument["course_test_replaces"] == ALGEBRA_REPLACES:
            exempt[-1] = round(self.exempt_share * self.students[year, -1])
        sitting = (self.students[year] - exempt) * tested_grades(instrument["grades"])
        means = self.means(year) - EXEMPT_AHEAD * exempt / np.maximum(sitting, 1)
        return np.rint(sitting * self.participation).astype(np.int64), means

    def rows(self, seed: int, year: int, instrument: Mapping[str, str]) -> pl.DataFrame:
        """Rows of one year, one for each grade that the test covers: what the distribution expects, in whole students."""
        covered = np.flatnonzero(tested_grades(instrument["grades"]))
        cuts = cuts_of(seed, instrument)
        n_tested, means = self.sitting(year, instrument)
        below = ndtr((cuts - means[:, None]) / self.sd)
        edges = np.concatenate([np.zeros((len(means), 1)), below, np.ones((len(means), 1))], axis=1)
        at_level = apportioned(n_tested, np.diff(edges, axis=1))
        n_levels = at_level.shape[1]
        spring = int(SCHOOL_YEARS[year][:4]) + 1
        return pl.DataFrame(
            {
                "grade": [TESTED_GRADES[index] for index in covered],
                "n_enrolled": self.students[year][covered],
                "n_tested": n_tested[covered],
                **{f"n_level_{level + 1}": at_level[covered, level] for level in range(n_levels)},
            }
        ).with_columns(
            pl.lit(instrument["code"]).alias("instrument"),
            pl.lit("spring").alias("administration"),
            pl.lit(f"Example Department of Education of {self.code}, mathematics results of the state, spring {spring}").alias(
                "publication"
            ),
            *[pl.lit(None, pl.Int64).alias(f"n_level_{level}") for level in range(n_levels + 1, MOST_LEVELS + 1)],
            *[pl.lit("z").alias(f"n_level_{level}_symbol") for level in range(n_levels + 1, MOST_LEVELS + 1)],
        )


def draw_states(seed: int, districts: Sequence[District], enrolments: Mapping[str, tuple[Enrolment, ...]]) -> dict[str, State]:
    """The states of the districts by code; `enrolments` of each district by code. Another district moves its own state alone."""
    codes = sorted({district.state for district in districts})
    behind = codes[int(generator(seed, "network", "states").integers(len(codes)))]
    states = {}
    for code in codes:
        rng = generator(seed, "network", "states", code)
        own = [district for district in districts if district.state == code]
        centre = np.average(
            [district.mean + district.learner_gap * district.learners for district in own],
            weights=[district.n_students for district in own],
        )
        lead, times = rng.uniform(*AHEAD), rng.uniform(*TIMES)
        # Of the largest year, so that a school that opens or closes does not move a whole state.
        in_grade = sum(_in_grades(enrolments[district.code]).max(axis=0) for district in own)
        growth = np.exp(YEARLY_GROWTH * np.arange(len(SCHOOL_YEARS)))
        states[code] = State(
            code=code,
            mean=float(centre + (BEHIND if code == behind else lead)),
            yearly_gain=rng.uniform(*YEARLY_GAINS),
            sd=rng.uniform(*SPREADS),
            students=np.rint(times * growth[:, None] * in_grade).astype(np.int64),
            participation=OPT_OUT_PARTICIPATION if any(district.opts_out for district in own) else PARTICIPATION,
            exempt_share=rng.uniform(*EXEMPT_SHARES),
        )
    return states


def _in_grades(years: Sequence[Enrolment]) -> Ints:
    """Students of one district: years × tested grades."""
    last = FIRST_TESTED + len(TESTED_GRADES)
    return np.stack([year.students[:, FIRST_TESTED:last].sum(axis=(0, 2)) for year in years])


def add_truth(
    truth: dict[str, Any], districts: Sequence[District], states: Mapping[str, State], instruments: pl.DataFrame
) -> None:
    """Add what is true of the states, and of the districts in them; their `assessment` is in the truth already."""
    known = {(e["district"], e["school_year"], e["grade"]): e for e in truth["assessment"] if e["subgroup"] == "all"}
    for state in states.values():
        for year, school_year in enumerate(SCHOOL_YEARS):
            instrument = instrument_of(instruments, state.code, school_year)
            n_tested, sitting = state.sitting(year, instrument)
            truth["states"] += [
                {
                    "state": state.code,
                    "school_year": school_year,
                    "grade": grade,
                    "latent_mean": float(state.means(year)[index]),
                    "latent_mean_sitting": float(sitting[index]),
                    "latent_sd": state.sd,
                    "n_enrolled": int(state.students[year, index]),
                    "n_tested": int(n_tested[index]),
                }
                for index, grade in enumerate(TESTED_GRADES)
            ]
    in_state = {(e["state"], e["school_year"], e["grade"]): e for e in truth["states"]}
    state_of = {district.code: district.state for district in districts}
    for (code, school_year, grade), entry in known.items():
        of_state = in_state[state_of[code], school_year, grade]
        tested, enrolled = entry["latent_mean"], entry["common_mean_enrolled"]
        truth["linked"].append(
            {
                "district": code,
                "school_year": school_year,
                "grade": grade,
                "state_position": None if tested is None else (tested - of_state["latent_mean_sitting"]) / of_state["latent_sd"],
                "naep_mean_true": None if enrolled is None or int(grade) < min(NAEP_SCALE) else _on_naep(int(grade), enrolled),
            }
        )
    for district in districts:
        for year in NAEP_YEARS:
            place = _place_of(year)
            for number in NAEP_SCALE:
                mean = known[district.code, SCHOOL_YEARS[max(0, place)], str(number)]["common_mean_enrolled"]
                if mean is None:
                    continue
                of_year = mean + district.yearly_gain * min(0, place)
                at = {"district": district.code, "grade": str(number), "year": year}
                truth["naep"].append({**at, "naep_mean": _on_naep(number, of_year)})


def naep_results(seed: int, states: Mapping[str, State], truth: Mapping[str, Any]) -> pl.DataFrame:
    """Results of NAEP as they are published, columns of NAEP_SCHEMA: districts (with sampling error), states, the nation.

    `truth` has the means of the districts already (see `add_truth`).
    """
    rows: list[dict[str, Any]] = []
    for entry in truth["naep"]:
        rng = generator(seed, "naep", entry["district"], entry["grade"], str(entry["year"]))
        mean = round(entry["naep_mean"] + rng.normal(0, DISTRICT_SE), 4)
        rows.append(_published("district", entry["district"], int(entry["grade"]), entry["year"], DISTRICT_SE, mean=mean))
    moments = {
        (code, number, year): (float(state.means(_place_of(year))[TESTED_GRADES.index(str(number))]), state.sd)
        for code, state in states.items()
        for number in NAEP_SCALE
        for year in NAEP_YEARS
    }
    for (code, number, year), (mean, sd) in moments.items():
        rows.append(_published("state", code, number, year, STATE_SE, **_rounded(number, mean, sd)))
    for number in NAEP_SCALE:
        for year in NAEP_YEARS:
            mean = NATION_MEAN + NATION_GAIN * _place_of(year) - GRADE_STEP * TESTED_GRADES.index(str(number))
            rows.append(_published("nation", "US", number, year, NATION_SE, **_rounded(number, mean, NATION_SD)))
            every = {"mean": round(_on_naep(number, mean) + WITH_PRIVATE, 4), "schools": "public_and_private"}
            rows.append(_published("nation", "US", number, year, NATION_SE, **every))
    return pl.DataFrame(rows, schema=NAEP_SCHEMA)


def _place_of(year: int) -> int:
    """The school year that a year of NAEP lies in, counted from the first of SCHOOL_YEARS."""
    return year - 1 - int(SCHOOL_YEARS[0][:4])


def _on_naep(grade: int, mean: float) -> float:
    """A mean of the latent scale in NAEP points of a grade from 4 to 8."""
    zero, unit = (np.interp(grade, list(NAEP_SCALE), parts) for parts in zip(*NAEP_SCALE.values(), strict=True))
    return float(zero + unit * mean)


def _rounded(grade: int, mean: float, sd: float) -> dict[str, float]:
    """Mean and shares at Basic and Proficient of a state or the nation, rounded as they are published."""
    points, spread = _on_naep(grade, mean), NAEP_SCALE[grade][1] * np.sqrt(RELIABILITY) * sd
    basic, proficient = (round(float(1 - ndtr((cut - points) / spread)), 2) for cut in NAEP_CUTS[grade])
    return {"mean": float(round(points)), "share_basic": basic, "share_proficient": proficient}


def _published(unit_type: str, unit_id: str, grade: int, year: int, se: float, **more: Any) -> dict[str, Any]:
    """One row of results; shares that are not in `more` are blank."""
    place = {"unit_type": unit_type, "unit_id": unit_id, "schools": "public", "grade": str(grade), "year": year}
    return {**place, "school_year": f"{year - 1}-{year % 100:02d}", "se": se, "source": SOURCE, **more}

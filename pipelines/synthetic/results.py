"""Test results: each state's test and its cuts, what students score, the rows of levels, and what is true of them.

The truth of a subgroup is summed here from the arrays that the rows are made of. Who is enrolled comes from
`schools`; materials do not belong here, and neither does any indicator: no estimate is made from the rows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from scipy.special import ndtr, ndtri

from pipelines.synthetic.districts import District
from pipelines.synthetic.model import (
    CELLS_OF,
    GRADES,
    IS_LEARNER,
    IS_LOW_INCOME,
    SCHOOL_YEARS,
    Bools,
    Floats,
    Ints,
    SyntheticNetworkError,
    gather,
    generator,
    share_of,
)
from pipelines.synthetic.pathways import GRADE_8, Pathways
from pipelines.synthetic.schools import Enrolment, Schools

TESTED_GRADES = ("3", "4", "5", "6", "7", "8")
FIRST_TESTED = GRADES.index(TESTED_GRADES[0])
MOST_LEVELS = 6
MIDDLE_GRADES_GAIN = 0.12
SUPPRESSED_BELOW = 5
# The course test of Algebra I stands for the grade's test; `course_test_replaces` of the instruments says so.
ALGEBRA_REPLACES = "algebra_1_in_grade_8"
EXEMPT_AHEAD = 0.6
# Latent means fall from grade to grade, in districts as in their states.
GRADE_STEP = 0.03
LINKING_SD = 0.06
ABOUT = (
    "linking_errors: by district and grade, how much higher (shift, latent scale, the same every year) students score on the "
    "state's own test than they would on a common one; latent_mean and expected_level_shares hold it. algebra_exemptions: by "
    "district, year and subgroup, the students of grade 8 (n_exempt of n_enrolled) who sit the course test of Algebra I instead "
    "of the grade's test, and the latent mean of all students enrolled, those exempt too; these are "
    f"{EXEMPT_AHEAD} ahead of the average of their school and group. common_mean_enrolled (of assessment): the latent mean of "
    "all students enrolled, those exempt too, without linking error: on one scale in all states. gaps: for each student group "
    "and its complement, how far apart the two are (gap_v, in their joint SD, below 0 where the group scores lower), from the "
    "latent mean and SD of each over the students tested."
)


GROUPS_APART = (("english_learner", "not_english_learner"), ("low_income", "not_low_income"))


def instrument_of(instruments: pl.DataFrame, state: str, school_year: str) -> dict[str, str]:
    """The one mathematics test of a state in a year. Raises SyntheticNetworkError unless there is one."""
    valid = instruments.filter(
        (pl.col("state") == state)
        & (pl.col("subject") == "mathematics")
        & (pl.col("first_school_year") <= school_year)
        & (pl.col("last_school_year").fill_null("9999-99") >= school_year)
    )
    if valid.height != 1:
        raise SyntheticNetworkError(
            f"the code list instruments names {valid.height} mathematics tests of {state} for {school_year}; "
            "it must name exactly one"
        )
    return valid.row(0, named=True)


def cuts_of(seed: int, instrument: Mapping[str, str]) -> Floats:
    """Level starts on the latent scale: tested grades × (levels − 1), the same for the same cut version."""
    n_levels = int(instrument["n_levels"])
    rng = generator(seed, "cuts", instrument["cut_version"], instrument["scale_version"], str(n_levels))
    cuts = ndtri(np.arange(1, n_levels) / n_levels) + rng.normal(0, 0.15)
    return np.asarray(cuts + rng.normal(0, 0.06, (len(TESTED_GRADES), 1)))


def tested_grades(grades: str) -> Bools:
    """Which of TESTED_GRADES a test covers, from text such as `3-8;11`."""
    spans = [(part.split("-")[0], part.split("-")[-1]) for part in grades.split(";")]
    return np.array([any(int(low) <= int(grade) <= int(high) for low, high in spans) for grade in TESTED_GRADES])


class Results:
    """Test results of one district: what stays with its schools, and the rows of each year."""

    def __init__(self, seed: int, district: District, schools: Schools) -> None:
        self._seed, self._district, self._schools = seed, district, schools
        rng = generator(seed, district.code, "assessment_levels", "schools")
        self._ability = -0.9 * (schools.low_income - district.low_income) + rng.normal(0, 0.28, schools.n)
        self._spread = rng.lognormal(np.log(0.86), 0.07, schools.n)
        self._takes_part = (
            0.70 + 0.22 * rng.beta(4, 2, schools.n) if district.opts_out else 0.90 + 0.095 * rng.beta(5, 2, schools.n)
        )
        self._withholds = district.suppresses & (rng.random(schools.n) < 0.3)
        self._pathways = Pathways(seed, district, schools)
        linking = generator(seed, district.code, "assessment_levels", "linking")
        self._shift = linking.normal(0, LINKING_SD, len(TESTED_GRADES))

    def _latent_means(self, rng: np.random.Generator, enrolment: Enrolment) -> Floats:
        """Means of the latent scale: open schools × tested grades × cells."""
        district, year = self._district, enrolment.year
        grade = np.arange(len(TESTED_GRADES))
        gain = np.where((grade >= 3) & district.improves & (year == len(SCHOOL_YEARS) - 1), MIDDLE_GRADES_GAIN, 0.0)
        by_grade = district.mean + district.yearly_gain * year - GRADE_STEP * grade + gain + self._shift
        of_income = district.low_income_gap * (IS_LOW_INCOME - district.low_income)
        by_cell = district.learner_gap * IS_LEARNER + of_income
        ability = self._ability[enrolment.open_schools]
        noise = rng.normal(0, 0.10, (len(ability), len(grade)))
        return np.asarray((ability[:, None] + by_grade + noise)[:, :, None] + by_cell)

    def _exempt(self, enrolment: Enrolment, instrument: Mapping[str, str]) -> Ints:
        """Students of grade 8 who sit the course test instead: open schools × cells."""
        takers = self._pathways.grade_8(enrolment)
        has_course_test = ~self._pathways.is_integrated[enrolment.open_schools]
        return np.asarray(takers.early * has_course_test[:, None] * (instrument["course_test_replaces"] == ALGEBRA_REPLACES))

    def _add_special_truth(
        self, enrolment: Enrolment, instrument: Mapping[str, str], exempt: Ints, means: Floats, truth: dict[str, Any]
    ) -> None:
        """Linking errors, once; exemptions of the year. `means`: latent means of all students of grade 8, schools × cells."""
        code = self._district.code
        if enrolment.year == 0:
            shifts = zip(TESTED_GRADES, self._shift.tolist(), strict=True)
            truth["linking_errors"] += [{"district": code, "grade": grade, "shift": shift} for grade, shift in shifts]
        if instrument["course_test_replaces"] != ALGEBRA_REPLACES:
            return
        students = enrolment.students[:, GRADE_8]
        for subgroup, cells in CELLS_OF.items():
            n = int((students @ cells).sum())
            truth["algebra_exemptions"].append(
                {
                    "district": code,
                    "school_year": SCHOOL_YEARS[enrolment.year],
                    "instrument": instrument["code"],
                    "subgroup": subgroup,
                    "n_enrolled": n,
                    "n_exempt": int((exempt @ cells).sum()),
                    "latent_mean_enrolled": share_of(float(((students * means) @ cells).sum()), n),
                }
            )

    def rows(self, enrolment: Enrolment, instrument: Mapping[str, str], truth: dict[str, Any]) -> pl.DataFrame:
        """Rows of one year, schools × grades × subgroups; adds cuts and the truth of each subgroup."""
        district, school_year = self._district, SCHOOL_YEARS[enrolment.year]
        rng = generator(self._seed, district.code, "assessment_levels", school_year)
        here, cuts = enrolment.open_schools, cuts_of(self._seed, instrument)
        n_levels = cuts.shape[1] + 1
        covered = tested_grades(instrument["grades"])
        students = enrolment.students[:, FIRST_TESTED : FIRST_TESTED + len(TESTED_GRADES)] * covered[:, None]
        shape = students.shape
        opting_out = 0.08 * (~IS_LOW_INCOME) if district.opts_out else np.zeros(len(IS_LOW_INCOME))
        participation = self._takes_part[here][:, None, None] - opting_out + np.zeros(shape)
        exempt = self._exempt(enrolment, instrument) * covered[-1]
        sitting = students.copy()
        sitting[:, -1] -= exempt
        tested = rng.binomial(sitting, participation)
        means = self._latent_means(rng, enrolment)
        common = means - self._shift[:, None]
        self._add_special_truth(enrolment, instrument, exempt, means[:, -1], truth)
        # Whoever is ahead is not in the room: the mean of those who sit the test falls, the mean of all does not.
        means[:, -1] -= EXEMPT_AHEAD * exempt / np.maximum(sitting[:, -1], 1)
        spread = self._spread[here]
        below = ndtr((cuts[None, :, None, :] - means[..., None]) / spread[:, None, None, None])
        edges = np.concatenate([np.zeros((*shape, 1)), below, np.ones((*shape, 1))], axis=-1)
        expected = np.diff(edges, axis=-1)
        at_level = rng.multinomial(tested, expected)

        groups = np.stack(list(CELLS_OF.values()))
        n_enrolled, n_tested = students @ groups.T, tested @ groups.T
        by_level = np.einsum("agck,sc->agsk", at_level, groups)
        is_small = (n_tested > 0) & (n_tested < SUPPRESSED_BELOW) & (np.array(list(CELLS_OF)) != "all")
        withheld = is_small & self._withholds[here][:, None, None]

        place = {"district": district.code, "school_year": school_year, "instrument": instrument["code"]}
        for index in np.flatnonzero(covered):
            grade = {**place, "grade": TESTED_GRADES[index]}
            truth["cuts"].append({**grade, "cut_version": instrument["cut_version"], "cuts": cuts[index].tolist()})
            for group, (subgroup, cells) in enumerate(CELLS_OF.items()):
                at = np.s_[:, index, group]
                truth["assessment"].append(
                    {
                        **grade,
                        "subgroup": subgroup,
                        **_counted_truth(n_enrolled[at], n_tested[at], by_level[at], withheld[at]),
                        **_latent_truth(tested[:, index] * cells, means[:, index], spread, expected[:, index]),
                        "common_mean_enrolled": share_of(
                            float((students[:, index] * cells * common[:, index]).sum()), int(n_enrolled[at].sum())
                        ),
                    }
                )

        school, grade_index = np.nonzero(n_enrolled[:, :, 0])
        rows_of, n_groups = (school, grade_index), len(CELLS_OF)
        hidden = pl.Series(withheld[rows_of].ravel())
        columns: dict[str, pl.Series] = {
            "unit_id": self._schools.ids_of(enrolment.year).gather(np.repeat(here[school], n_groups)),
            "grade": gather(TESTED_GRADES, np.repeat(grade_index, n_groups)),
            "subgroup": gather(list(CELLS_OF), np.tile(np.arange(n_groups), len(school))),
            "n_enrolled": pl.Series(n_enrolled[rows_of].ravel()),
            "n_tested": pl.Series(n_tested[rows_of].ravel()),
        }
        rows = pl.DataFrame(columns).with_columns(
            pl.lit("school").alias("unit_type"),
            pl.lit(instrument["code"]).alias("instrument"),
            pl.lit("spring").alias("administration"),
        )
        for level in range(1, MOST_LEVELS + 1):
            name = f"n_level_{level}"
            if level > n_levels:
                rows = rows.with_columns(pl.lit(None, pl.Int64).alias(name), pl.lit("z").alias(f"{name}_symbol"))
            else:
                count = pl.Series(by_level[..., level - 1][rows_of].ravel())
                rows = rows.with_columns(
                    pl.when(~hidden).then(count).alias(name),
                    pl.when(hidden).then(pl.lit("c")).alias(f"{name}_symbol"),
                )
        return rows


def add_gaps(truth: dict[str, Any]) -> None:
    """Add the gap of each student group to its complement, of every district, year and grade in the truth's `assessment`."""
    moments = {
        (e["district"], e["school_year"], e["grade"], e["subgroup"]): (e["latent_mean"], e["latent_sd"])
        for e in truth["assessment"]
    }
    for district, school_year, grade in dict.fromkeys(key[:3] for key in moments):
        for subgroup, complement in GROUPS_APART:
            (mean, sd), (other_mean, other_sd) = (moments[district, school_year, grade, name] for name in (subgroup, complement))
            gap = None if mean is None or other_mean is None else (mean - other_mean) / math.sqrt((sd**2 + other_sd**2) / 2)
            place = {"district": district, "school_year": school_year, "grade": grade}
            truth["gaps"].append({**place, "subgroup": subgroup, "complement": complement, "gap_v": gap})


def _counted_truth(enrolled: Ints, tested: Ints, by_level: Ints, withheld: Bools) -> dict[str, Any]:
    """Counts and shares of one grade and subgroup from arrays over schools (`by_level`: × levels)."""
    n_enrolled, n_tested, n_levels = int(enrolled.sum()), int(tested.sum()), by_level.sum(axis=0).tolist()
    return {
        "n_enrolled": n_enrolled,
        "n_tested": n_tested,
        "participation": share_of(n_tested, n_enrolled),
        "n_levels": n_levels,
        "level_shares": [share_of(n, n_tested) for n in n_levels],
        "n_levels_delivered": by_level[~withheld].sum(axis=0).tolist(),
        "n_rows_suppressed": int(withheld.sum()),
    }


def _latent_truth(tested: Ints, means: Floats, spread: Floats, expected: Floats) -> dict[str, Any]:
    """Moments of the latent scale over the students tested (schools × cells), and expected level shares."""
    n = tested.sum()
    if n == 0:
        return {
            "latent_mean": None,
            "latent_sd": None,
            "between_school_share": None,
            "expected_level_shares": [None] * expected.shape[-1],
        }
    mean = float((tested * means).sum() / n)
    variance = float((tested * (spread[:, None] ** 2 + (means - mean) ** 2)).sum() / n)
    in_school = tested.sum(axis=1)
    school_means = (tested * means).sum(axis=1)[in_school > 0] / in_school[in_school > 0]
    between = float((in_school[in_school > 0] * (school_means - mean) ** 2).sum() / n)
    return {
        "latent_mean": mean,
        "latent_sd": math.sqrt(variance),
        "between_school_share": between / variance,
        "expected_level_shares": ((tested[..., None] * expected).sum(axis=(0, 1)) / n).tolist(),
    }

"""Schools and their students, drawn once for a district, and the rows of the school directory.

The other extracts share what is drawn here: enrolment by school, grade and cell. Traits of a district come
from `districts`; what students are taught or score does not belong here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from pipelines.synthetic.districts import District
from pipelines.synthetic.model import (
    GRADES,
    IS_LEARNER,
    IS_LOW_INCOME,
    SCHOOL_YEARS,
    Bools,
    Floats,
    Ints,
    gather,
    generator,
)

NOT_YET = len(SCHOOL_YEARS)


@dataclass(frozen=True)
class _LevelKind:
    """A kind of school: spans of grades with weights; students in a grade before districts are scaled."""

    code: str
    spans: tuple[tuple[str, str, float], ...]
    students_in_grade: float
    ending: str


LEVEL_KINDS = (
    _LevelKind("elementary", (("K", "5", 0.5), ("PK", "5", 0.4), ("K", "4", 0.1)), 75, "Elementary School"),
    _LevelKind("middle", (("6", "8", 0.9), ("7", "8", 0.1)), 215, "Middle School"),
    _LevelKind("elementary_middle", (("K", "8", 0.5), ("PK", "8", 0.5)), 60, "School"),
    _LevelKind("high", (("9", "12", 1.0),), 250, "High School"),
    _LevelKind("middle_high", (("6", "12", 1.0),), 120, "Secondary School"),
    _LevelKind("combined", (("K", "12", 0.7), ("PK", "12", 0.3)), 55, "Academy"),
    _LevelKind("other", (("PK", "2", 0.5), ("3", "8", 0.5)), 60, "Center"),
)

FIRST_WORDS = (
    "Alder", "Piñon", "Heron", "Cobalt", "Juniper", "Lantern", "Meadow", "Nutmeg", "Otter", "Plover", "Rowan",
    "Quartz", "Saffron", "Tamarack", "Umber", "Vireo", "Willow", "Yarrow", "Zinnia", "Señal", "Brook, East",
    "Brook, West",
)  # fmt: skip
SECOND_WORDS = (
    "Hollow",
    "Ridge",
    "Bend",
    "Crossing",
    "Landing",
    "Grove",
    "Terrace",
    "Point",
    "Field",
    "Commons",
    "Harbor",
)


@dataclass(frozen=True)
class Schools:
    """All schools that a district has in any of the years; arrays over schools.

    `level` is an index of LEVEL_KINDS, `low` and `high` of GRADES; `in_scope_from`, `opened` and `closed` (the
    first year without the school) of SCHOOL_YEARS, NOT_YET when that lies beyond. `size` is students; the
    last three are shares of them.
    """

    ids: pl.Series
    names: pl.Series
    nces_ids: pl.Series
    networks: pl.Series
    level: Ints
    low: Ints
    high: Ints
    is_charter: Bools
    in_scope_from: Ints
    opened: Ints
    closed: Ints
    size: Floats
    low_income: Floats
    learners: Floats
    disability: Floats

    @property
    def n(self) -> int:
        """How many schools."""
        return len(self.level)


@dataclass(frozen=True)
class Enrolment:
    """One year of a district, an index of SCHOOL_YEARS: indices of its open schools, and which take part.

    `students` is open schools × GRADES × cells.
    """

    year: int
    open_schools: Ints
    in_scope: Bools
    students: Ints


def _quotas(n: int, shares: Sequence[float]) -> Ints:
    """`n` split by `shares` into whole numbers, largest remainders first."""
    exact = n * np.asarray(shares) / np.sum(shares)
    quotas = np.floor(exact).astype(np.int64)
    quotas[np.argsort(quotas - exact, kind="stable")[: n - int(quotas.sum())]] += 1
    return np.asarray(quotas)


def _logistic_around(rng: np.random.Generator, centre: float, spread: float, n: int) -> Floats:
    """`n` shares, skewed, around `centre`."""
    return np.asarray(1 / (1 + np.exp(-(np.log(centre / (1 - centre)) + rng.normal(0, spread, n)))))


def draw_schools(seed: int, district: District) -> Schools:
    """Every school of the district, those that open or close on the way included."""
    rng = generator(seed, district.code, "school_directory", "schools")
    n_first, later = district.n_schools, len(SCHOOL_YEARS) - 1
    n_opening, n_closing = max(1, round(0.008 * n_first)), max(1, round(0.01 * n_first))
    n = n_first + later * n_opening
    shares = np.asarray(district.level_mix) / np.sum(district.level_mix)
    first_levels = rng.permutation(np.repeat(np.arange(len(LEVEL_KINDS)), _quotas(n_first, shares)))
    level = np.concatenate([first_levels, rng.choice(len(LEVEL_KINDS), n - n_first, p=shares)])
    low, high = np.zeros(n, np.int64), np.zeros(n, np.int64)
    for kind_index, kind in enumerate(LEVEL_KINDS):
        here = level == kind_index
        span = rng.choice(len(kind.spans), int(here.sum()), p=[weight for _, _, weight in kind.spans])
        low[here] = np.array([GRADES.index(start) for start, _, _ in kind.spans])[span]
        high[here] = np.array([GRADES.index(end) for _, end, _ in kind.spans])[span]

    opened = np.concatenate([np.zeros(n_first, np.int64), np.repeat(np.arange(1, later + 1), n_opening)])
    in_grade = np.array([kind.students_in_grade for kind in LEVEL_KINDS])[level]
    size = in_grade * (high - low + 1) * rng.lognormal(0, 0.5, n) * np.where(rng.random(n) < 0.04, 0.25, 1)
    closed = np.full(n, NOT_YET)
    # Small schools close first: the chance falls with the size.
    weights = np.where(opened == 0, 1 / size, 0)
    closing = rng.choice(n, later * n_closing, replace=False, p=weights / weights.sum())
    closed[closing] = np.repeat(np.arange(1, later + 1), n_closing)
    size = np.maximum(size * district.n_students / size[:n_first].sum(), 18)

    is_charter = rng.random(n) < district.charter_share
    joins = rng.random(n)
    in_scope_from = np.where(is_charter, np.where(joins < 0.35, 0, NOT_YET), np.digitize(joins, (0.88, 0.92, 0.95)))
    rank = rng.permutation(n) + 1
    number = np.sort(rng.choice(np.arange(1, 5 * n + 60), n, replace=False))[rank - 1]
    zone = rng.integers(1, max(4, min(33, n_first // 25 + 1)), n)
    names = pl.select(
        pl.format(
            "{} {} {} {}",
            gather(FIRST_WORDS, rng.integers(0, len(FIRST_WORDS), n)),
            gather(SECOND_WORDS, rng.integers(0, len(SECOND_WORDS), n)),
            gather([kind.ending for kind in LEVEL_KINDS], level),
            pl.Series(rank).cast(pl.String),
        )
    ).to_series()
    # 99 is no state: these ids can never be a real school's.
    nces_ids = pl.select(pl.lit(f"99{district.lea_id[2:]}") + pl.Series(rank).cast(pl.String).str.zfill(5)).to_series()
    has_network = (~is_charter) | (district.charter_share < 0.12)
    networks = pl.select(
        pl.when(pl.Series(has_network)).then(pl.format("network-{}", pl.Series(zone).cast(pl.String).str.zfill(2)))
    ).to_series()
    return Schools(
        ids=_school_ids(district.id_style, number, zone, level),
        names=names,
        nces_ids=nces_ids,
        networks=networks,
        level=level,
        low=low,
        high=high,
        is_charter=is_charter,
        in_scope_from=in_scope_from,
        opened=opened,
        closed=closed,
        size=size,
        low_income=_logistic_around(rng, district.low_income, 0.9, n),
        learners=_logistic_around(rng, district.learners, 0.9, n),
        disability=_logistic_around(rng, 0.15, 0.35, n),
    )


def _school_ids(style: str, number: Ints, zone: Ints, level: Ints) -> pl.Series:
    """Ids in a district's own style, unique because `number` is."""
    digits = len(str(int(number.max())))
    text = pl.Series(number).cast(pl.String)
    padded = text.str.zfill(digits)
    match style:
        case "padded":
            return text.str.zfill(max(6, digits + 1))
        case "zoned":
            letter = gather(list("MXKQR"), zone % 5)
            return pl.select(pl.format("{}{}{}", pl.Series(zone).cast(pl.String).str.zfill(2), letter, padded)).to_series()
        case "lettered":
            letter = gather([kind.code[0].upper() for kind in LEVEL_KINDS], level)
            return pl.select(pl.format("{}-{}", letter, padded)).to_series()
        case "plain":
            return pl.Series(number + 10 ** max(3, digits)).cast(pl.String)
        case _:
            return padded


def draw_enrolment(seed: int, district: District, schools: Schools, year: int) -> Enrolment:
    """The students of one year, by school, grade and cell."""
    rng = generator(seed, district.code, "school_directory", SCHOOL_YEARS[year])
    open_schools = np.flatnonzero((schools.opened <= year) & (year < schools.closed))
    grade = np.arange(len(GRADES))
    is_taught = (schools.low[:, None] <= grade) & (grade <= schools.high[:, None])
    age = year - schools.opened
    ramp = np.where(schools.opened == 0, 1.0, np.array([0.5, 0.8, 1.0])[np.clip(age, 0, 2)])
    change = np.where(year == 0, 0.0, rng.normal(district.growth * year, 0.03, schools.n))
    n_enrolled = np.maximum(np.round(schools.size * ramp * np.exp(change)), 12).astype(np.int64)
    weight = is_taught * np.where(grade == 0, 0.5, 1.0) * rng.lognormal(0, 0.08, (schools.n, len(GRADES)))
    by_grade = rng.multinomial(n_enrolled, weight / weight.sum(axis=1, keepdims=True))

    learners = np.clip(schools.learners[:, None] * (1.25 - 0.05 * grade), 0.002, 0.95)
    low_income = np.clip(schools.low_income + rng.normal(0, 0.01, schools.n), 0.02, 0.99)[:, None]
    poor_learners = learners * (low_income + 0.4 * (1 - low_income))
    cells = np.stack(
        [
            1 - low_income - learners + poor_learners,
            low_income - poor_learners,
            learners - poor_learners,
            poor_learners,
        ],
        -1,
    )
    cells = np.clip(cells, 0.001, None)
    students = rng.multinomial(by_grade, cells / cells.sum(axis=-1, keepdims=True))
    return Enrolment(year, open_schools, schools.in_scope_from[open_schools] <= year, students[open_schools])


def directory_rows(seed: int, district: District, schools: Schools, enrolment: Enrolment, truth: dict[str, Any]) -> pl.DataFrame:
    """Rows of the school directory of one year; adds the district's counts to `truth`."""
    rng = generator(seed, district.code, "school_directory", SCHOOL_YEARS[enrolment.year], "disability")
    here, students = enrolment.open_schools, enrolment.students
    n_enrolled = students.sum(axis=(1, 2))
    in_grades = students[:, 1:].sum(axis=(1, 2))
    has_nces_id = (schools.opened[here] == 0) | (schools.opened[here] < enrolment.year)
    truth["districts"].append(
        {
            "district": district.code,
            "school_year": SCHOOL_YEARS[enrolment.year],
            "n_schools": len(here),
            "n_schools_in_scope": int(enrolment.in_scope.sum()),
            "n_enrolled": int(n_enrolled.sum()),
            "low_income_gap": district.low_income_gap,
            "english_learner_gap": district.learner_gap,
            "yearly_gain": district.yearly_gain,
        }
    )
    return pl.DataFrame(
        {
            "school_id": schools.ids.gather(here),
            "nces_school_id": pl.select(pl.when(pl.Series(has_nces_id)).then(schools.nces_ids.gather(here))).to_series(),
            "school_name": schools.names.gather(here),
            "school_level": gather([kind.code for kind in LEVEL_KINDS], schools.level[here]),
            "low_grade": gather(GRADES, schools.low[here]),
            "high_grade": gather(GRADES, schools.high[here]),
            "is_charter": schools.is_charter[here],
            "in_scope": enrolment.in_scope,
            "network_id": schools.networks.gather(here),
            "n_enrolled": n_enrolled,
            "n_enrolled_in_scope": np.where(enrolment.in_scope, in_grades, 0),
            "n_low_income": students[:, :, IS_LOW_INCOME].sum(axis=(1, 2)),
            "n_english_learner": students[:, :, IS_LEARNER].sum(axis=(1, 2)),
            "n_disability": rng.binomial(n_enrolled, schools.disability[here]),
        }
    )

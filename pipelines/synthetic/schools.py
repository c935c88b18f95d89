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
NO_SCHOOL = -1
# Below this number of schools a second one that leaves in the same year would be more than 5 % of some extract's schools.
ONE_CHANGE_BELOW = 150
MOST_OF_NEW = 0.04
MORE_TO_CHOOSE = 8
MERGED_SIZE = (0.02, 0.45)


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

    **A school may change its id from one year to the next: rows of a year take their ids from `ids_of(year)`.**
    `first_ids` are the ids before any change, `later_ids` those from the year `id_changes` on. `merged_into` is the
    index of the school that took this one's students over when it closed, NO_SCHOOL where none did.

    `level` is an index of LEVEL_KINDS, `low` and `high` of GRADES; `in_scope_from`, `opened`, `closed` (the
    first year without the school) and `id_changes` of SCHOOL_YEARS, NOT_YET when that lies beyond. `size` is
    students; the last three are shares of them.
    """

    first_ids: pl.Series
    later_ids: pl.Series
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
    id_changes: Ints
    merged_into: Ints
    size: Floats
    low_income: Floats
    learners: Floats
    disability: Floats

    @property
    def n(self) -> int:
        """How many schools."""
        return len(self.level)

    def ids_of(self, year: int) -> pl.Series:
        """The ids of all schools in a year (an index of SCHOOL_YEARS): what every extract of that year calls them."""
        has_changed = pl.Series(self.id_changes <= year)
        return pl.select(pl.when(has_changed).then(self.later_ids).otherwise(self.first_ids).alias("ids")).to_series()

    def predecessors_of(self, year: int, names_changed_ids: bool) -> pl.Series:
        """Ids that each school or a school merged into it had before, by semicolon; null where there is none.

        Mergers are always named; the school's own earlier id only where the district names those.
        """
        own = pl.when(pl.Series((self.id_changes <= year) & names_changed_ids)).then(self.first_ids)
        of_itself = pl.select(school=pl.int_range(self.n, dtype=pl.Int64), id=own)
        merged = np.flatnonzero((self.merged_into != NO_SCHOOL) & (self.closed <= year))
        of_others = pl.DataFrame({"school": self.merged_into[merged], "id": self.ids_of(year).gather(merged)})
        named = pl.concat([of_itself, of_others]).drop_nulls().group_by("school").agg(pl.col("id").sort().str.join(";"))
        every = pl.select(school=pl.int_range(self.n, dtype=pl.Int64))
        return every.join(named, on="school", how="left", maintain_order="left")["id"]


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
    return np.asarray(apportioned(np.array([n]), np.asarray(shares)[None, :] / np.sum(shares))[0])


def _logistic_around(rng: np.random.Generator, centre: float, spread: float, n: int) -> Floats:
    """`n` shares, skewed, around `centre`."""
    return np.asarray(1 / (1 + np.exp(-(np.log(centre / (1 - centre)) + rng.normal(0, spread, n)))))


def draw_schools(seed: int, district: District) -> Schools:
    """Every school of the district, those that open or close on the way included."""
    rng = generator(seed, district.code, "school_directory", "schools")
    n_first, later = district.n_schools, len(SCHOOL_YEARS) - 1
    n_opening = max(1, round(0.008 * n_first))
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
    size = size * district.n_students / size[:n_first].sum()
    # One new school does not make a small district grow by a tenth.
    size = np.maximum(np.where(opened == 0, size, np.minimum(size, MOST_OF_NEW * district.n_students)), 18)
    is_charter = rng.random(n) < district.charter_share
    joins = rng.random(n)
    in_scope_from = np.where(is_charter, np.where(joins < 0.35, 0, NOT_YET), np.digitize(joins, (0.88, 0.92, 0.95)))
    closed, merged_into, id_changes = _departures(rng, level, low, high, opened, size, is_charter, in_scope_from)
    rank = rng.permutation(n) + 1
    numbers = rng.choice(np.arange(1, 5 * n + 60), 2 * n, replace=False)
    number, later_number = np.sort(numbers[:n])[rank - 1], numbers[n:]
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
    ids = _school_ids(
        district.id_style, np.concatenate([number, later_number]), np.concatenate([zone, zone]), np.concatenate([level, level])
    )
    return Schools(
        first_ids=ids[:n],
        later_ids=ids[n:],
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
        id_changes=id_changes,
        merged_into=merged_into,
        size=size,
        low_income=_logistic_around(rng, district.low_income, 0.9, n),
        learners=_logistic_around(rng, district.learners, 0.9, n),
        disability=_logistic_around(rng, 0.15, 0.35, n),
    )


def _departures(
    rng: np.random.Generator,
    level: Ints,
    low: Ints,
    high: Ints,
    opened: Ints,
    size: Floats,
    is_charter: Bools,
    in_scope_from: Ints,
) -> tuple[Ints, Ints, Ints]:
    """Which schools close when, into which others they merge, and which change their id when.

    Small schools close first: the chance falls with the size. About half of those that close merge into a larger one of the
    same grades. A district of few schools loses one in a year: by a merger first, by a changed id then.
    """
    n, n_first, later = len(level), int((opened == 0).sum()), len(SCHOOL_YEARS) - 1
    is_small = n_first < ONE_CHANGE_BELOW
    n_closing = 1 if is_small else round(0.01 * n_first)
    n_changing = 1 if is_small else max(1, round(0.004 * n_first))
    closed, merged_into, id_changes = np.full(n, NOT_YET), np.full(n, NO_SCHOOL), np.full(n, NOT_YET)
    group = np.unique(np.stack([level, low, high, is_charter, in_scope_from]), axis=1, return_inverse=True)[1].ravel()
    for year in range(1, later + 1):
        is_old = (opened == 0) & (closed == NOT_YET) & (id_changes == NOT_YET) & ~np.isin(np.arange(n), merged_into)
        if not (is_small and year > 1):
            # In a district of few schools one that has several courses or cohorts would take a tenth of an extract with it.
            may_close = is_old & (high < GRADES.index("8")) if is_small else is_old
            chance = (may_close if may_close.any() else is_old) / size**2
            n_candidates = min(n_closing + MORE_TO_CHOOSE, int((chance > 0).sum()))
            candidates = rng.choice(n, n_candidates, replace=False, p=chance / chance.sum())
            n_merging = (n_closing + 1) // 2
            closing = []
            for school in candidates:
                share = size[school] / size
                fits = is_old & (group == group[school]) & (share > MERGED_SIZE[0]) & (share < MERGED_SIZE[1])
                if n_merging and fits.any():
                    n_merging -= 1
                    merged_into[school] = rng.choice(np.flatnonzero(fits))
                    is_old[[school, merged_into[school]]] = False
                    closing.append(school)
            closing += [school for school in candidates if is_old[school]][: n_closing - len(closing)]
            closed[closing] = year
            is_old[closing] = False
        if not (is_small and year == 1):
            changing = rng.choice(np.flatnonzero(is_old), n_changing, replace=False)
            id_changes[changing] = year
    return closed, merged_into, id_changes


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


def apportioned(n: Ints, shares: Floats) -> Ints:
    """Each of `n` split by its row of `shares` into whole numbers, largest remainders first."""
    exact = n[:, None] * shares
    whole = np.floor(exact).astype(np.int64)
    place = np.argsort(np.argsort(whole - exact, axis=1, kind="stable"), axis=1)
    return np.asarray(whole + (place < (n - whole.sum(axis=1))[:, None]))


def draw_enrolment(seed: int, district: District, schools: Schools, year: int) -> Enrolment:
    """The students of one year, by school, grade and cell."""
    rng = generator(seed, district.code, "school_directory", SCHOOL_YEARS[year])
    open_schools = np.flatnonzero((schools.opened <= year) & (year < schools.closed))
    grade = np.arange(len(GRADES))
    is_taught = (schools.low[:, None] <= grade) & (grade <= schools.high[:, None])
    age = year - schools.opened
    ramp = np.where(schools.opened == 0, 1.0, np.array([0.6, 0.85, 1.0])[np.clip(age, 0, 2)])
    change = np.where(year == 0, 0.0, rng.normal(district.growth * year, 0.03, schools.n))
    size = schools.size.copy()
    merged = np.flatnonzero((schools.merged_into != NO_SCHOOL) & (schools.closed <= year))
    np.add.at(size, schools.merged_into[merged], schools.size[merged])
    n_enrolled = np.maximum(np.round(size * ramp * np.exp(change)), 12).astype(np.int64)
    # Grades keep their sizes from year to year but for a little: a cohort does not halve.
    steady = generator(seed, district.code, "school_directory", "grades").lognormal(0, 0.08, (schools.n, len(GRADES)))
    weight = is_taught * np.where(grade == 0, 0.5, 1.0) * steady * rng.lognormal(0, 0.05, (schools.n, len(GRADES)))
    by_grade = apportioned(n_enrolled, weight / weight.sum(axis=1, keepdims=True))

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
    # So do student groups: what varies is the share, and not each student anew.
    cells = cells * rng.lognormal(0, 0.12, cells.shape)
    shares = cells / cells.sum(axis=-1, keepdims=True)
    students = apportioned(by_grade.ravel(), shares.reshape(-1, shares.shape[-1])).reshape(shares.shape)
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
            "school_id": schools.ids_of(enrolment.year).gather(here),
            "nces_school_id": pl.select(pl.when(pl.Series(has_nces_id)).then(schools.nces_ids.gather(here))).to_series(),
            "school_name": schools.names.gather(here),
            "school_level": gather([kind.code for kind in LEVEL_KINDS], schools.level[here]),
            "low_grade": gather(GRADES, schools.low[here]),
            "high_grade": gather(GRADES, schools.high[here]),
            "is_charter": schools.is_charter[here],
            "in_scope": enrolment.in_scope,
            "network_id": schools.networks.gather(here),
            "predecessor_school_ids": schools.predecessors_of(enrolment.year, district.names_changed_ids).gather(here),
            "n_enrolled": n_enrolled,
            "n_enrolled_in_scope": np.where(enrolment.in_scope, in_grades, 0),
            "n_low_income": students[:, :, IS_LOW_INCOME].sum(axis=(1, 2)),
            "n_english_learner": students[:, :, IS_LEARNER].sum(axis=(1, 2)),
            "n_disability": rng.binomial(n_enrolled, schools.disability[here]),
        }
    )

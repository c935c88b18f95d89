"""The model of an invented network of districts, with its known truth.

Schools, students, test results and materials. Each district and extract draws from random generators of its
own, so that a change to one extract's draws leaves the others as they were; students are drawn once, for the
directory, and the other extracts share them. Students are counted in four cells (English learner or not, low
income or not), and every student group is a sum of cells: complements add up exactly. Only the list of
districts with their sizes, and the tests of their states, are real; they come from the code lists.
What a file looks like on disk does not belong here, nor does any indicator: the truth is summed from the
arrays of the model.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import ndtr, ndtri  # type: ignore[import-untyped]

from pipelines.contracts.codes import code_list
from pipelines.contracts.contract import Contract, load_contract

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

SCHOOL_YEARS = ("2023-24", "2024-25", "2025-26")
EXTRACTS = ("assessment_levels", "curriculum_adoption", "school_directory")
FEWEST_SCHOOLS = 12
LARGEST_SCALE = 50.0
MOST_LEVELS = 6
NOT_YET = len(SCHOOL_YEARS)
DTYPES = {
    "text": pl.String(),
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "boolean": pl.Boolean(),
    "date": pl.Date(),
}

GRADES = ("PK", "K", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12")
TESTED_GRADES = ("3", "4", "5", "6", "7", "8")
FIRST_TESTED = GRADES.index(TESTED_GRADES[0])
COURSES = ("K", "1", "2", "3", "4", "5", "6", "7", "8", "ALG1", "GEO", "ALG2", "INT1", "INT2", "INT3")
TRADITIONAL, INTEGRATED = COURSES.index("ALG1"), COURSES.index("INT1")
BANDS = ("elementary grades", "middle grades", "traditional pathway", "integrated pathway")
BAND_OF_COURSE = np.array([0] * 6 + [1] * 3 + [2] * 3 + [3] * 3)

# Cells in the order: neither, low income, English learner, both.
IS_LEARNER = np.array([False, False, True, True])
IS_LOW_INCOME = np.array([False, True, False, True])
CELLS_OF = {
    "all": np.array([1, 1, 1, 1]),
    "english_learner": IS_LEARNER.astype(np.int64),
    "low_income": IS_LOW_INCOME.astype(np.int64),
    "not_english_learner": (~IS_LEARNER).astype(np.int64),
    "not_low_income": (~IS_LOW_INCOME).astype(np.int64),
}
MATERIALS_SUBGROUPS = ("all", "english_learner", "low_income")

ADOPTION_RISE = (0.0, 0.04, 0.20)
MIDDLE_GRADES_GAIN = 0.12
SUPPRESSED_BELOW = 5


class SyntheticNetworkError(Exception):
    """A network cannot be built from these arguments or code lists; the message says why and what to do."""


@dataclass(frozen=True)
class SyntheticNetwork:
    """Invented extracts and what is true of them.

    `extracts` maps (district, extract, school year) to rows with exactly the contract's columns, typed and
    sorted by key. `truth` can be written as JSON; its own `about` says what each part holds.
    """

    seed: int
    scale: float
    extracts: Mapping[tuple[str, str, str], pl.DataFrame]
    truth: Mapping[str, Any]


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
# Shares of the kinds above, for districts of separate middle schools and for districts of K-8 schools.
LEVEL_MIXES = ((0.56, 0.16, 0.06, 0.15, 0.04, 0.02, 0.01), (0.22, 0.06, 0.50, 0.16, 0.03, 0.02, 0.01))
ID_STYLES = ("padded", "zoned", "short", "plain", "lettered")

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
class _Title:
    """One invented title. `band` is an index of BANDS; none for a title that is never core."""

    title: str
    publisher: str
    edition: str | None
    status: str
    reviewer: str | None
    review_year: int | None
    band: int | None = None
    is_digital: bool = False


MEETS, PARTLY, NOT_MET, UNREVIEWED = STATUSES = ("meets", "partially_meets", "does_not_meet", "not_reviewed")
BOARD, COUNCIL = "Example Review Board", "Sample Materials Council"
EXAMPLE, SAMPLE, PLACEHOLDER = "Example Press", "Sample & Daughters", "Placeholder House"
INVENTED, FICTIONAL, PRETEND = "Invented Books", "Fictional Learning", "Pretend Software"


TITLES = (
    _Title("Example Mathematics K-5", EXAMPLE, "2021", MEETS, BOARD, 2022, 0),
    _Title("Sample Number Stories", SAMPLE, "2023", MEETS, BOARD, 2023, 0, is_digital=True),
    _Title("Placeholder Math Workshop", PLACEHOLDER, "2nd", PARTLY, BOARD, 2020, 0),
    _Title("Counting, Together (Example)", INVENTED, "2012", NOT_MET, COUNCIL, 2016, 0),
    _Title("Invented Everyday Sums", INVENTED, None, UNREVIEWED, None, None, 0),
    _Title("Example Mathematics 6-8", EXAMPLE, "2021", MEETS, BOARD, 2022, 1),
    _Title("Sample Ratios and Reasoning", SAMPLE, "2022", MEETS, COUNCIL, 2023, 1, is_digital=True),
    _Title("Placeholder Middle Math", PLACEHOLDER, "3rd", PARTLY, BOARD, 2019, 1),
    _Title('Invented "Math Now"', INVENTED, "2010", NOT_MET, COUNCIL, 2015, 1),
    _Title("Fictional Middle Grades Binder", FICTIONAL, "2018", UNREVIEWED, None, None, 1),
    _Title("Example Algebra-Geometry-Algebra", EXAMPLE, "2020", MEETS, BOARD, 2021, 2),
    _Title("Sample Pathways Traditional", SAMPLE, "2024", MEETS, BOARD, 2024, 2, is_digital=True),
    _Title("Placeholder High School Math", PLACEHOLDER, "5th", PARTLY, BOARD, 2018, 2),
    _Title("Fictional Algebra Drill", FICTIONAL, "1998", NOT_MET, COUNCIL, 2014, 2),
    _Title("Invented Course Packet", INVENTED, "2019", UNREVIEWED, None, None, 2),
    _Title("Example Integrated Mathematics", EXAMPLE, "2022", MEETS, BOARD, 2023, 3),
    _Title("Sample Pathways Integrated", SAMPLE, "2024", MEETS, COUNCIL, 2025, 3, is_digital=True),
    _Title("Placeholder Integrated Math", PLACEHOLDER, "1st", PARTLY, BOARD, 2019, 3),
    _Title("Fictional Integrated Reader", FICTIONAL, "2011", NOT_MET, COUNCIL, 2015, 3),
    _Title("Invented Integrated Notes", INVENTED, "2016", UNREVIEWED, None, None, 3),
    _Title("Example Practice Online", EXAMPLE, "2024", UNREVIEWED, None, None, is_digital=True),
    _Title("Pretend Fluency Game", PRETEND, "7.2", UNREVIEWED, None, None, is_digital=True),
    _Title("Sample Problem Cards", SAMPLE, "2017", UNREVIEWED, None, None),
    _Title("Placeholder Bridge Lessons", PLACEHOLDER, "2nd", PARTLY, BOARD, 2021),
    _Title("Pretend Adaptive Tutor", PRETEND, "3.0", UNREVIEWED, None, None, is_digital=True),
    _Title("Fictional Catch-Up Kit", FICTIONAL, "2015", NOT_MET, COUNCIL, 2017),
    _Title("Invented After-Hours Math Club", INVENTED, "2020", UNREVIEWED, None, None),
    _Title("Example Tutoring Guide", EXAMPLE, "2022", MEETS, BOARD, 2023),
)
ADOPTION_STATUSES = ("legacy", "piloting", "adopted")
LEGACY, PILOTING, ADOPTED = range(3)
ALIGNMENTS = ("aligned", "partial", "none", "unknown")
ALIGNMENT_SHARES = {True: (0.50, 0.25, 0.10, 0.15), False: (0.20, 0.35, 0.25, 0.20)}
STATUS_OF_TITLE = np.array([STATUSES.index(title.status) for title in TITLES])
IS_GOOD = np.array([title.status == MEETS for title in TITLES])


@dataclass(frozen=True)
class _Help:
    """Materials beside the core: how often a grade-course has them, the share of each cell served, which."""

    role: str
    how_often: float
    reach: tuple[float, float, float, float]
    titles: tuple[str, ...]


EVERYONE = (0.9, 0.9, 0.9, 0.9)
HELPS = (
    _Help("supplemental", 0.50, EVERYONE, ("Example Practice Online", "Sample Problem Cards")),
    _Help("supplemental", 0.20, EVERYONE, ("Pretend Fluency Game", "Placeholder Bridge Lessons")),
    _Help("intervention", 0.35, (0.10, 0.20, 0.25, 0.30), ("Pretend Adaptive Tutor", "Fictional Catch-Up Kit")),
    _Help("after_school", 0.07, (0.10, 0.12, 0.10, 0.12), ("Invented After-Hours Math Club",)),
    _Help("tutoring", 0.12, (0.05, 0.12, 0.12, 0.15), ("Example Tutoring Guide", "Pretend Adaptive Tutor")),
)


@dataclass(frozen=True)
class _District:
    """One district's traits: sizes from the code list, everything else invented."""

    code: str
    state: str
    lea_id: str
    n_schools: int
    n_students: float
    level_mix: tuple[float, ...]
    id_style: str
    charter_share: float
    low_income: float
    learners: float
    growth: float
    mean: float
    low_income_gap: float
    learner_gap: float
    yearly_gain: float
    adoption: float
    integrated_share: float
    opts_out: bool
    improves: bool
    suppresses: bool
    lets_schools_choose: bool
    lacks_use_counts: bool


@dataclass(frozen=True)
class _Schools:
    """All schools that a district has in any of the years; arrays over schools."""

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
        return len(self.level)


@dataclass(frozen=True)
class _Enrolment:
    """One year of a district: indices of open schools, and students by school, grade and cell."""

    year: int
    open_schools: Ints
    in_scope: Bools
    students: Ints


def build_network(contracts_folder: Path, seed: int = 20260801, scale: float = 1.0) -> SyntheticNetwork:
    """An invented network: all districts of the code list, three school years, three extracts, its truth.

    The same seed and scale give the same network. `scale` multiplies the number of schools (at least 12 a
    district) and the students with it. Raises SyntheticNetworkError for a seed or scale that cannot be
    used, and where the code list names no single test of a district's state for a year.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise SyntheticNetworkError(f"the seed is {seed!r}; give a whole number, 0 or more")
    if not (math.isfinite(scale) and 0 < scale <= LARGEST_SCALE):
        raise SyntheticNetworkError(f"the scale is {scale}; give a number above 0 and up to {LARGEST_SCALE:g}")
    contracts = {extract: load_contract(contracts_folder, extract) for extract in EXTRACTS}
    instruments = code_list(contracts_folder, "instruments")
    districts = _districts(code_list(contracts_folder, "districts"), seed, scale)
    extracts: dict[tuple[str, str, str], pl.DataFrame] = {}
    truth: dict[str, Any] = {
        "about": ABOUT,
        "seed": seed,
        "scale": scale,
        "school_years": list(SCHOOL_YEARS),
        "planted_effects": _planted_effects(districts, instruments),
        **{part: [] for part in ("districts", "cuts", "assessment", "materials_coverage", "one_core_title")},
    }
    for district in districts:
        schools = _draw_schools(seed, district)
        years = [_draw_enrolment(seed, district, schools, year) for year in range(len(SCHOOL_YEARS))]
        results = _Results(seed, district, schools)
        materials = _Materials(seed, district, schools)
        for enrolment in years:
            school_year = SCHOOL_YEARS[enrolment.year]
            instrument = _instrument(instruments, district.state, school_year)
            made = {
                "assessment_levels": results.rows(enrolment, instrument, truth),
                "curriculum_adoption": materials.rows(enrolment, truth),
                "school_directory": _directory_rows(seed, district, schools, enrolment, truth),
            }
            for extract, rows in made.items():
                extracts[district.code, extract, school_year] = _as_extract(contracts[extract], rows)
    return SyntheticNetwork(seed, scale, extracts, truth)


ABOUT = (
    "All of this is invented: schools, students, results, titles, publishers and reviewers. Only the "
    "list of districts with their sizes and the names of their states' tests are real. districts: "
    "schools and students of each district and year, and the traits it was given. cuts: where the "
    "levels of a test begin on the latent scale, lowest first. assessment: for each district, year, "
    "grade and subgroup, the counts of the whole population (n_levels before any suppression, "
    "n_levels_delivered without suppressed rows), their shares (level_shares, participation), the "
    "shares that the model expects of these students (expected_level_shares), and the mean and SD of "
    "the latent normal model over the students tested with the share of variance between schools; the "
    "latent scale has no unit but its own. materials_coverage (CM1): students by the review result of "
    "their core title, with the share whose title meets expectations; one_core_title (CM2): schools "
    "that have exactly one core title in the course, or, with course null, in every course that they "
    "teach; both for all schools and for the schools that take part (in_scope). A share of nothing is "
    "null."
)


def _generator(seed: int, *names: str) -> np.random.Generator:
    """A generator for `names` alone, unmoved by other draws and by which other districts there are."""
    digest = hashlib.sha256("/".join(names).encode()).digest()
    return np.random.default_rng(np.random.SeedSequence([seed, int.from_bytes(digest[:16], "big")]))


def _share(numerator: float, denominator: float) -> float | None:
    return float(numerator) / float(denominator) if denominator > 0 else None


def _gather(labels: Sequence[str | None], indices: Ints) -> pl.Series:
    return pl.Series(labels, dtype=pl.String).gather(indices.ravel())


def _as_extract(contract: Contract, rows: pl.DataFrame) -> pl.DataFrame:
    """`rows` as the contract has them, sorted by key; a symbol column that is absent is blank."""
    blank = [
        pl.lit(None, pl.String).alias(column.name)
        for column in contract.columns
        if column.symbol_for is not None and column.name not in rows.columns
    ]
    typed = [pl.col(column.name).cast(DTYPES[column.kind]) for column in contract.columns]
    return rows.with_columns(blank).select(typed).sort(contract.key)


# Districts


def _districts(listed: pl.DataFrame, seed: int, scale: float) -> list[_District]:
    """Traits of every listed district. Which district has which special trait follows from the seed."""
    order = _generator(seed, "network").permutation(listed.height)
    turn = {str(listed["code"][int(place)]): position for position, place in enumerate(order)}
    n = listed.height

    def has_turn(code: str, *turns: int) -> bool:
        return turn[code] in {wanted % n for wanted in turns}

    districts = []
    for row in listed.iter_rows(named=True):
        code, rng = row["code"], _generator(seed, "network", row["code"])
        n_schools = max(FEWEST_SCHOOLS, round(int(row["n_schools"]) * scale))
        districts.append(
            _District(
                code=code,
                state=row["state"],
                lea_id=row["nces_lea_id"],
                n_schools=n_schools,
                n_students=int(row["n_students"]) * n_schools / int(row["n_schools"]),
                level_mix=LEVEL_MIXES[turn[code] % len(LEVEL_MIXES)],
                id_style=ID_STYLES[turn[code] % len(ID_STYLES)],
                charter_share=rng.uniform(0.05, 0.22),
                low_income=rng.uniform(0.66, 0.88),
                learners=rng.uniform(0.12, 0.28),
                growth=rng.normal(-0.008, 0.006),
                mean=rng.normal(-0.05, 0.18),
                low_income_gap=-rng.uniform(0.25, 0.45),
                learner_gap=-rng.uniform(0.40, 0.70),
                yearly_gain=rng.uniform(0.0, 0.04),
                adoption=rng.uniform(0.38, 0.58),
                integrated_share=(0.05, 0.85)[turn[code] % 3 == 0],
                opts_out=has_turn(code, 0),
                improves=has_turn(code, 1),
                suppresses=has_turn(code, 2, 3),
                lets_schools_choose=has_turn(code, 3, 4),
                lacks_use_counts=has_turn(code, 5),
            )
        )
    return districts


def _instrument(instruments: pl.DataFrame, state: str, school_year: str) -> dict[str, str]:
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


def _planted_effects(districts: Sequence[_District], instruments: pl.DataFrame) -> list[dict[str, Any]]:
    """What was put in on purpose, in words, with the districts concerned."""

    def of(trait: str) -> list[str]:
        return [district.code for district in districts if getattr(district, trait)]

    recut = []
    for district in districts:
        cuts = [_instrument(instruments, district.state, year)["cut_version"] for year in SCHOOL_YEARS]
        recut += [
            {"district": district.code, "first_school_year": SCHOOL_YEARS[year]}
            for year in range(1, len(cuts))
            if cuts[year] != cuts[year - 1]
        ]
    return [
        {
            "effect": "adoption_rises",
            "districts": [district.code for district in districts],
            "text": "The share of schools whose core title meets expectations rises by "
            f"{ADOPTION_RISE[1]:.2f} in {SCHOOL_YEARS[1]} and stands {ADOPTION_RISE[2]:.2f} above "
            f"{SCHOOL_YEARS[0]} in {SCHOOL_YEARS[2]}, in every district.",
        },
        {
            "effect": "access_gap",
            "districts": [district.code for district in districts],
            "text": "Schools with more low-income students adopt titles that meet expectations later, so "
            "coverage of low-income students tends to lie below coverage of all students.",
        },
        {
            "effect": "opt_out",
            "districts": of("opts_out"),
            "text": "Families opt out of the test: participation is about 0.8 instead of 0.97, and lower "
            "still among students who are not low income.",
        },
        {
            "effect": "middle_grades_gain",
            "districts": of("improves"),
            "text": f"In {SCHOOL_YEARS[-1]} the latent mean of grades 6-8 is {MIDDLE_GRADES_GAIN} higher than the trend.",
        },
        {
            "effect": "sender_suppresses",
            "districts": of("suppresses"),
            "text": f"Some schools withhold the levels of subgroups with fewer than {SUPPRESSED_BELOW} "
            "students tested (symbol c).",
        },
        {
            "effect": "school_choice_of_titles",
            "districts": of("lets_schools_choose"),
            "text": "Schools choose their titles: many have two core titles in a grade-course, and titles are more mixed.",
        },
        {
            "effect": "no_use_counts",
            "districts": of("lacks_use_counts"),
            "text": "Students at recommended use are not delivered (symbol x).",
        },
        {
            "effect": "new_cuts",
            "districts": [entry["district"] for entry in recut],
            "changes": recut,
            "text": "The test's cuts change in these years: shares at the levels jump although the students' "
            "latent mean does not.",
        },
    ]


# Schools and students


def _quotas(n: int, shares: Sequence[float]) -> Ints:
    """`n` split by `shares` into whole numbers, largest remainders first."""
    exact = n * np.asarray(shares) / np.sum(shares)
    quotas = np.floor(exact).astype(np.int64)
    quotas[np.argsort(quotas - exact, kind="stable")[: n - int(quotas.sum())]] += 1
    return np.asarray(quotas)


def _logistic_around(rng: np.random.Generator, centre: float, spread: float, n: int) -> Floats:
    """`n` shares, skewed, around `centre`."""
    return np.asarray(1 / (1 + np.exp(-(np.log(centre / (1 - centre)) + rng.normal(0, spread, n)))))


def _draw_schools(seed: int, district: _District) -> _Schools:
    """Every school of the district, those that open or close on the way included."""
    rng = _generator(seed, district.code, "school_directory", "schools")
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
            _gather(FIRST_WORDS, rng.integers(0, len(FIRST_WORDS), n)),
            _gather(SECOND_WORDS, rng.integers(0, len(SECOND_WORDS), n)),
            _gather([kind.ending for kind in LEVEL_KINDS], level),
            pl.Series(rank).cast(pl.String),
        )
    ).to_series()
    # 99 is no state: these ids can never be a real school's.
    nces_ids = pl.select(pl.lit(f"99{district.lea_id[2:]}") + pl.Series(rank).cast(pl.String).str.zfill(5)).to_series()
    has_network = (~is_charter) | (district.charter_share < 0.12)
    networks = pl.select(
        pl.when(pl.Series(has_network)).then(pl.format("network-{}", pl.Series(zone).cast(pl.String).str.zfill(2)))
    ).to_series()
    return _Schools(
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
            letter = _gather(list("MXKQR"), zone % 5)
            return pl.select(pl.format("{}{}{}", pl.Series(zone).cast(pl.String).str.zfill(2), letter, padded)).to_series()
        case "lettered":
            letter = _gather([kind.code[0].upper() for kind in LEVEL_KINDS], level)
            return pl.select(pl.format("{}-{}", letter, padded)).to_series()
        case "plain":
            return pl.Series(number + 10 ** max(3, digits)).cast(pl.String)
        case _:
            return padded


def _draw_enrolment(seed: int, district: _District, schools: _Schools, year: int) -> _Enrolment:
    """The students of one year, by school, grade and cell."""
    rng = _generator(seed, district.code, "school_directory", SCHOOL_YEARS[year])
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
    return _Enrolment(year, open_schools, schools.in_scope_from[open_schools] <= year, students[open_schools])


def _directory_rows(
    seed: int, district: _District, schools: _Schools, enrolment: _Enrolment, truth: dict[str, Any]
) -> pl.DataFrame:
    """Rows of the school directory of one year; adds the district's counts to `truth`."""
    rng = _generator(seed, district.code, "school_directory", SCHOOL_YEARS[enrolment.year], "disability")
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
            "school_level": _gather([kind.code for kind in LEVEL_KINDS], schools.level[here]),
            "low_grade": _gather(GRADES, schools.low[here]),
            "high_grade": _gather(GRADES, schools.high[here]),
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


# Test results


def _cuts(seed: int, instrument: Mapping[str, str]) -> Floats:
    """Level starts on the latent scale: tested grades × (levels − 1), the same for the same cut version."""
    n_levels = int(instrument["n_levels"])
    rng = _generator(seed, "cuts", instrument["cut_version"], instrument["scale_version"], str(n_levels))
    cuts = ndtri(np.arange(1, n_levels) / n_levels) + rng.normal(0, 0.15)
    return np.asarray(cuts + rng.normal(0, 0.06, (len(TESTED_GRADES), 1)))


def _tested_grades(grades: str) -> Bools:
    """Which of TESTED_GRADES a test covers, from text such as `3-8;11`."""
    spans = [(part.split("-")[0], part.split("-")[-1]) for part in grades.split(";")]
    return np.array([any(int(low) <= int(grade) <= int(high) for low, high in spans) for grade in TESTED_GRADES])


class _Results:
    """Test results of one district: what stays with its schools, and the rows of each year."""

    def __init__(self, seed: int, district: _District, schools: _Schools) -> None:
        self._seed, self._district, self._schools = seed, district, schools
        rng = _generator(seed, district.code, "assessment_levels", "schools")
        self._ability = -0.9 * (schools.low_income - district.low_income) + rng.normal(0, 0.28, schools.n)
        self._spread = rng.lognormal(np.log(0.86), 0.07, schools.n)
        self._takes_part = (
            0.70 + 0.22 * rng.beta(4, 2, schools.n) if district.opts_out else 0.90 + 0.095 * rng.beta(5, 2, schools.n)
        )
        self._withholds = district.suppresses & (rng.random(schools.n) < 0.3)

    def _latent_means(self, rng: np.random.Generator, enrolment: _Enrolment) -> Floats:
        """Means of the latent scale: open schools × tested grades × cells."""
        district, year = self._district, enrolment.year
        grade = np.arange(len(TESTED_GRADES))
        gain = np.where((grade >= 3) & district.improves & (year == len(SCHOOL_YEARS) - 1), MIDDLE_GRADES_GAIN, 0.0)
        by_grade = district.mean + district.yearly_gain * year - 0.03 * grade + gain
        of_income = district.low_income_gap * (IS_LOW_INCOME - district.low_income)
        by_cell = district.learner_gap * IS_LEARNER + of_income
        ability = self._ability[enrolment.open_schools]
        noise = rng.normal(0, 0.10, (len(ability), len(grade)))
        return np.asarray((ability[:, None] + by_grade + noise)[:, :, None] + by_cell)

    def rows(self, enrolment: _Enrolment, instrument: Mapping[str, str], truth: dict[str, Any]) -> pl.DataFrame:
        """Rows of one year, schools × grades × subgroups; adds cuts and the truth of each subgroup."""
        district, school_year = self._district, SCHOOL_YEARS[enrolment.year]
        rng = _generator(self._seed, district.code, "assessment_levels", school_year)
        here, cuts = enrolment.open_schools, _cuts(self._seed, instrument)
        n_levels = cuts.shape[1] + 1
        covered = _tested_grades(instrument["grades"])
        students = enrolment.students[:, FIRST_TESTED : FIRST_TESTED + len(TESTED_GRADES)] * covered[:, None]
        shape = students.shape
        opting_out = 0.08 * (~IS_LOW_INCOME) if district.opts_out else np.zeros(len(IS_LOW_INCOME))
        participation = self._takes_part[here][:, None, None] - opting_out + np.zeros(shape)
        tested = rng.binomial(students, participation)
        means = self._latent_means(rng, enrolment)
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
                    }
                )

        school, grade_index = np.nonzero(n_enrolled[:, :, 0])
        rows_of, n_groups = (school, grade_index), len(CELLS_OF)
        hidden = pl.Series(withheld[rows_of].ravel())
        columns: dict[str, pl.Series] = {
            "unit_id": self._schools.ids.gather(np.repeat(here[school], n_groups)),
            "grade": _gather(TESTED_GRADES, np.repeat(grade_index, n_groups)),
            "subgroup": _gather(list(CELLS_OF), np.tile(np.arange(n_groups), len(school))),
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


def _counted_truth(enrolled: Ints, tested: Ints, by_level: Ints, withheld: Bools) -> dict[str, Any]:
    """Counts and shares of one grade and subgroup from arrays over schools (`by_level`: × levels)."""
    n_enrolled, n_tested, n_levels = int(enrolled.sum()), int(tested.sum()), by_level.sum(axis=0).tolist()
    return {
        "n_enrolled": n_enrolled,
        "n_tested": n_tested,
        "participation": _share(n_tested, n_enrolled),
        "n_levels": n_levels,
        "level_shares": [_share(n, n_tested) for n in n_levels],
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


# Materials


@dataclass(frozen=True)
class _Use:
    """One use of materials: arrays over open schools × courses, `students` with a last axis of cells.

    Core titles have no alignment.
    """

    role: str
    title: Ints
    adoption: Ints
    alignment: Ints | None
    students: Ints

    @property
    def n_students(self) -> Ints:
        return np.asarray(self.students.sum(axis=-1))


class _Materials:
    """Materials of one district: what stays with its schools, and the rows of each year."""

    def __init__(self, seed: int, district: _District, schools: _Schools) -> None:
        self._seed, self._district, self._schools = seed, district, schools
        rng = _generator(seed, district.code, "curriculum_adoption", "schools")
        n, n_bands, chooses = schools.n, len(BANDS), district.lets_schools_choose
        self._is_integrated = rng.random(n) < district.integrated_share
        poverty = (schools.low_income - schools.low_income.mean()) / schools.low_income.std()
        readiness = rng.normal(0, 1, (n, n_bands)) + 0.35 * poverty[:, None]
        # Ranks are uniform: once the district's share passes a school's rank, its title meets expectations.
        self._rank = (readiness.argsort(axis=0).argsort(axis=0) + 0.5) / n
        self._meeting, self._other = np.zeros((n, n_bands), np.int64), np.zeros((n, n_bands), np.int64)
        for band in range(n_bands):
            listed = np.array([index for index, title in enumerate(TITLES) if title.band == band])
            meeting, other = listed[IS_GOOD[listed]], listed[~IS_GOOD[listed]]
            self._meeting[:, band] = rng.choice(meeting, n, p=rng.dirichlet(np.full(len(meeting), 8.0 if chooses else 0.4)))
            self._other[:, band] = rng.choice(other, n, p=rng.dirichlet(np.full(len(other), 8.0 if chooses else 1.5)))
        self._has_two = rng.random((n, len(COURSES))) < np.where(rng.random((n, 1)) < (0.40 if chooses else 0.05), 0.5, 0.0)
        self._second_share = rng.uniform(0.2, 0.5, n)
        self._grade_8_algebra = np.where(rng.random(n) < 0.5, rng.beta(3, 9, n), 0.0)
        self._help_draw = rng.random((len(HELPS), n, len(COURSES)))
        self._help_title = rng.random((len(HELPS), n))
        self._use_rate = rng.beta(4, 3, n)

    def _in_courses(self, rng: np.random.Generator, enrolment: _Enrolment) -> Ints:
        """Students taught each course: open schools × courses × cells."""
        here, students = enrolment.open_schools, enrolment.students
        courses = np.zeros((len(here), len(COURSES), students.shape[-1]), np.int64)
        courses[:, :9] = students[:, 1:10]
        early = self._grade_8_algebra[here][:, None] * np.where(IS_LEARNER, 0.5, 1.0) * np.where(IS_LOW_INCOME, 0.7, 1.0)
        ahead = rng.binomial(courses[:, 8], early)
        courses[:, 8] -= ahead
        high_school = rng.binomial(students[:, 10:13], np.array([0.95, 0.92, 0.85])[:, None])
        high_school[:, 0] += ahead
        integrated = self._is_integrated[here][:, None, None]
        courses[:, TRADITIONAL : TRADITIONAL + 3] = np.where(integrated, 0, high_school)
        courses[:, INTEGRATED : INTEGRATED + 3] = np.where(integrated, high_school, 0)
        return courses

    def _share_that_adopted(self, year: int) -> float:
        return min(0.97, self._district.adoption + ADOPTION_RISE[year])

    def _core_uses(self, rng: np.random.Generator, enrolment: _Enrolment, taught: Ints) -> list[_Use]:
        """First and second core titles; their students add up to those taught the course."""
        here, year = enrolment.open_schools, enrolment.year
        meets = (self._rank < self._share_that_adopted(year))[here][:, BAND_OF_COURSE]
        had_met = (self._rank < self._share_that_adopted(max(0, year - 1)))[here][:, BAND_OF_COURSE]
        meeting, other = self._meeting[here][:, BAND_OF_COURSE], self._other[here][:, BAND_OF_COURSE]
        draw = rng.random(meets.shape)
        is_new = meets & ~had_met & (self._schools.opened[here] < year)[:, None]
        of_meeting = np.where(draw < np.where(is_new, 0.4, 0.06), PILOTING, ADOPTED)
        of_other = np.where(draw < 0.85, LEGACY, ADOPTED)
        share = np.where(self._has_two[here], self._second_share[here][:, None], 0.0)
        on_second = rng.binomial(taught, share[:, :, None])
        return [
            _Use(
                "core",
                np.where(meets, meeting, other),
                np.where(meets, of_meeting, of_other),
                None,
                taught - on_second,
            ),
            _Use("core", np.where(meets, other, meeting), np.where(meets, of_other, PILOTING), None, on_second),
        ]

    def _helping_uses(self, rng: np.random.Generator, enrolment: _Enrolment, taught: Ints, first_core: _Use) -> list[_Use]:
        """Supplemental, intervention, after-school and tutoring titles with the students whom they serve."""
        here, uses = enrolment.open_schools, []
        core_meets = IS_GOOD[first_core.title]
        for index, kind in enumerate(HELPS):
            options = np.array([next(i for i, t in enumerate(TITLES) if t.title == title) for title in kind.titles])
            title = options[(self._help_title[index][here] * len(options)).astype(np.int64)]
            draw = rng.random(core_meets.shape)
            alignment = np.where(
                core_meets,
                np.digitize(draw, np.cumsum(ALIGNMENT_SHARES[True])[:-1]),
                np.digitize(draw, np.cumsum(ALIGNMENT_SHARES[False])[:-1]),
            )
            is_used = self._help_draw[index][here] < kind.how_often
            served = rng.binomial(taught, np.where(is_used[:, :, None], np.asarray(kind.reach), 0.0))
            adoption = np.where(rng.random(core_meets.shape) < 0.2, PILOTING, ADOPTED)
            uses.append(_Use(kind.role, np.broadcast_to(title[:, None], adoption.shape), adoption, alignment, served))
        return uses

    def rows(self, enrolment: _Enrolment, truth: dict[str, Any]) -> pl.DataFrame:
        """Rows of one year: schools × courses × titles in use × subgroups; adds the truth of CM1 and CM2."""
        rng = _generator(self._seed, self._district.code, "curriculum_adoption", SCHOOL_YEARS[enrolment.year])
        taught = self._in_courses(rng, enrolment)
        core = self._core_uses(rng, enrolment, taught)
        uses = [*core, *self._helping_uses(rng, enrolment, taught, core[0])]
        self._add_truth(enrolment, core, truth)
        return pl.concat([self._use_rows(rng, enrolment, use) for use in uses])

    def _use_rows(self, rng: np.random.Generator, enrolment: _Enrolment, use: _Use) -> pl.DataFrame:
        school, course = np.nonzero(use.n_students)
        m, n_groups = len(school), len(MATERIALS_SUBGROUPS)
        groups = np.stack([CELLS_OF[subgroup] for subgroup in MATERIALS_SUBGROUPS])
        students, title = use.students[school, course], use.title[school, course]
        is_digital = np.array([entry.is_digital for entry in TITLES])[title]
        licensed = rng.binomial(students, 0.97)
        in_use = rng.binomial(licensed, self._use_rate[enrolment.open_schools[school]][:, None])
        delivered, guided, known = rng.random(m), rng.random(m), rng.random((2, m))
        meets = IS_GOOD[title]
        rows = pl.DataFrame(
            {
                "school_id": self._schools.ids.gather(enrolment.open_schools[school]),
                "course": _gather(COURSES, course),
                "title": _gather([entry.title for entry in TITLES], title),
                "publisher": _gather([entry.publisher for entry in TITLES], title),
                "edition": _gather([entry.edition for entry in TITLES], title),
                "review_status": _gather([entry.status for entry in TITLES], title),
                "reviewer": _gather([entry.reviewer for entry in TITLES], title),
                "review_year": pl.Series([entry.review_year for entry in TITLES], dtype=pl.Int64).gather(title),
                "adoption_status": _gather(ADOPTION_STATUSES, use.adoption[school, course]),
                "delivered_by_day_1": delivered < np.where(use.adoption[school, course] == PILOTING, 0.80, 0.94),
                "el_swd_guidance_in_use": guided < np.where(meets, 0.70, 0.45),
                "is_digital": is_digital,
            }
        ).with_columns(
            pl.lit(use.role).alias("role"),
            pl.lit(None, pl.String).alias("alignment_with_core")
            if use.alignment is None
            else _gather(ALIGNMENTS, use.alignment[school, course]).alias("alignment_with_core"),
            pl.when(pl.Series(known[0] > 0.02)).then(pl.col("delivered_by_day_1")).alias("delivered_by_day_1"),
            pl.when(pl.Series(known[1] > 0.03)).then(pl.col("el_swd_guidance_in_use")).alias("el_swd_guidance_in_use"),
        )
        has_use = pl.col("is_digital") & (not self._district.lacks_use_counts)
        missing_use = pl.when("is_digital").then(pl.lit("x")).otherwise(pl.lit("z"))
        return rows[np.repeat(np.arange(m), n_groups)].with_columns(
            _gather(MATERIALS_SUBGROUPS, np.tile(np.arange(n_groups), m)).alias("subgroup"),
            pl.Series((students @ groups.T).ravel()).alias("n_students"),
            pl.when("is_digital").then(pl.Series((licensed @ groups.T).ravel())).alias("n_licensed"),
            pl.when(~pl.col("is_digital")).then(pl.lit("z")).alias("n_licensed_symbol"),
            pl.when(has_use).then(pl.Series((in_use @ groups.T).ravel())).alias("n_recommended_use"),
            pl.when(~has_use).then(missing_use).alias("n_recommended_use_symbol"),
        )

    def _add_truth(self, enrolment: _Enrolment, core: Sequence[_Use], truth: dict[str, Any]) -> None:
        """CM1 by subgroup and CM2, over all schools and those that take part, by course and over all."""
        place = {"district": self._district.code, "school_year": SCHOOL_YEARS[enrolment.year]}
        everywhere = np.ones(len(enrolment.open_schools), bool)
        n_titles = np.sum([use.n_students > 0 for use in core], axis=0)
        for scope, counted in (("all", everywhere), ("in_scope", enrolment.in_scope)):
            for course, which in [
                (None, np.arange(len(COURSES))),
                *((c, np.array([i])) for i, c in enumerate(COURSES)),
            ]:
                chosen = np.ix_(counted, which)
                titles = n_titles[chosen]
                if not titles.any():
                    continue
                for subgroup in MATERIALS_SUBGROUPS:
                    n = np.stack([(use.students @ CELLS_OF[subgroup])[chosen] for use in core])
                    status = np.stack([STATUS_OF_TITLE[use.title][chosen] for use in core])
                    by_status = [int(n[status == index].sum()) for index in range(len(STATUSES))]
                    truth["materials_coverage"].append(
                        {
                            **place, "scope": scope, "course": course, "subgroup": subgroup,
                            "n_students": sum(by_status),
                            "n_students_by_review_status": dict(zip(STATUSES, by_status, strict=True)),
                            "share_meets": _share(by_status[STATUSES.index(MEETS)], sum(by_status)),
                        }
                    )  # fmt: skip
                teaches = titles.max(axis=1) > 0
                has_one = teaches & (titles.max(axis=1) == 1)
                truth["one_core_title"].append(
                    {
                        **place, "scope": scope, "course": course,
                        "n_schools": int(teaches.sum()),
                        "n_schools_with_one": int(has_one.sum()),
                        "share": _share(has_one.sum(), teaches.sum()),
                    }
                )  # fmt: skip

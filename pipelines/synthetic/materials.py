"""Materials: the courses that students take, the titles in use there, their rows, and what is true of them.

The truth of CM1 and CM2 is summed here from the arrays that the rows are made of. The titles themselves come
from `titles`, who is enrolled from `schools`; test results do not belong here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from pipelines.synthetic.districts import District
from pipelines.synthetic.known import add_known
from pipelines.synthetic.model import (
    CELLS_OF,
    SCHOOL_YEARS,
    Ints,
    gather,
    generator,
    share_of,
)
from pipelines.synthetic.pathways import Pathways
from pipelines.synthetic.schools import Enrolment, Schools
from pipelines.synthetic.titles import BANDS, IS_GOOD, MEETS, STATUS_OF_TITLE, STATUSES, TITLES

COURSES = ("K", "1", "2", "3", "4", "5", "6", "7", "8", "ALG1", "GEO", "ALG2", "INT1", "INT2", "INT3")
TRADITIONAL, INTEGRATED = COURSES.index("ALG1"), COURSES.index("INT1")
BAND_OF_COURSE = np.array([0] * 6 + [1] * 3 + [2] * 3 + [3] * 3)
MATERIALS_SUBGROUPS = ("all", "english_learner", "low_income")
ADOPTION_RISE = (0.0, 0.04, 0.20)
ADOPTION_STATUSES = ("legacy", "piloting", "adopted")
LEGACY, PILOTING, ADOPTED = range(3)
ALIGNMENTS = ("aligned", "partial", "none", "unknown")
ALIGNMENT_SHARES = {True: (0.50, 0.25, 0.10, 0.15), False: (0.20, 0.35, 0.25, 0.20)}


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


class Materials:
    """Materials of one district: what stays with its schools, and the rows of each year."""

    def __init__(self, seed: int, district: District, schools: Schools) -> None:
        self._seed, self._district, self._schools = seed, district, schools
        rng = generator(seed, district.code, "curriculum_adoption", "schools")
        n, n_bands, chooses = schools.n, len(BANDS), district.lets_schools_choose
        self._pathways = Pathways(seed, district, schools)
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
        self._help_draw = rng.random((len(HELPS), n, len(COURSES)))
        self._help_title = rng.random((len(HELPS), n))
        self._use_rate = rng.beta(4, 3, n)

    def _in_courses(self, rng: np.random.Generator, enrolment: Enrolment) -> Ints:
        """Students taught each course: open schools × courses × cells."""
        here, students = enrolment.open_schools, enrolment.students
        courses = np.zeros((len(here), len(COURSES), students.shape[-1]), np.int64)
        courses[:, :9] = students[:, 1:10]
        ahead = self._pathways.grade_8(enrolment).early
        courses[:, 8] -= ahead
        high_school = rng.binomial(students[:, 10:13], np.array([0.95, 0.92, 0.85])[:, None])
        high_school[:, 0] += ahead
        integrated = self._pathways.is_integrated[here][:, None, None]
        courses[:, TRADITIONAL : TRADITIONAL + 3] = np.where(integrated, 0, high_school)
        courses[:, INTEGRATED : INTEGRATED + 3] = np.where(integrated, high_school, 0)
        return courses

    def _share_that_adopted(self, year: int) -> float:
        return min(0.97, self._district.adoption + ADOPTION_RISE[year])

    def _core_uses(self, rng: np.random.Generator, enrolment: Enrolment, taught: Ints) -> list[_Use]:
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

    def _helping_uses(self, rng: np.random.Generator, enrolment: Enrolment, taught: Ints, first_core: _Use) -> list[_Use]:
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

    def rows(self, enrolment: Enrolment, truth: dict[str, Any]) -> pl.DataFrame:
        """Rows of one year: schools × courses × titles in use × subgroups; adds the truth of CM1 and CM2."""
        rng = generator(self._seed, self._district.code, "curriculum_adoption", SCHOOL_YEARS[enrolment.year])
        taught = self._in_courses(rng, enrolment)
        core = self._core_uses(rng, enrolment, taught)
        uses = [*core, *self._helping_uses(rng, enrolment, taught, core[0])]
        self._add_truth(enrolment, core, truth)
        rows = pl.concat([self._use_rows(rng, enrolment, use) for use in uses])
        self._add_load(enrolment, rows, truth)
        return rows

    def _add_load(self, enrolment: Enrolment, rows: pl.DataFrame, truth: dict[str, Any]) -> None:
        """CM5: different supplemental titles of each school that takes part and names a core or a supplemental title."""
        ids = self._schools.ids_of(enrolment.year).gather(enrolment.open_schools[enrolment.in_scope])
        named = rows.filter((pl.col("subgroup") == "all") & pl.col("role").is_in(["core", "supplemental"]))
        named = named.filter(pl.col("school_id").is_in(ids.implode()))
        is_extra = pl.col("role") == "supplemental"
        load = named.group_by("school_id").agg(pl.col("title").filter(is_extra).n_unique().alias("n"))["n"]
        place = {"indicator_id": "CM5", "district": self._district.code, "school_year": SCHOOL_YEARS[enrolment.year]}
        place["subgroup"] = "all"
        add_known(truth, {**place, "statistic": "mean"}, int(load.sum()), len(load))
        for statistic, at in (("p25", 0.25), ("p75", 0.75)):
            value = load.quantile(at, "linear")
            truth["indicators"].append(
                {**place, "statistic": statistic, "numerator": None, "denominator": None, "value": value, "expected": None}
            )

    def _use_rows(self, rng: np.random.Generator, enrolment: Enrolment, use: _Use) -> pl.DataFrame:
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
                "school_id": self._schools.ids_of(enrolment.year).gather(enrolment.open_schools[school]),
                "course": gather(COURSES, course),
                "title": gather([entry.title for entry in TITLES], title),
                "publisher": gather([entry.publisher for entry in TITLES], title),
                "edition": gather([entry.edition for entry in TITLES], title),
                "review_status": gather([entry.status for entry in TITLES], title),
                "reviewer": gather([entry.reviewer for entry in TITLES], title),
                "review_year": pl.Series([entry.review_year for entry in TITLES], dtype=pl.Int64).gather(title),
                "adoption_status": gather(ADOPTION_STATUSES, use.adoption[school, course]),
                "delivered_by_day_1": delivered < np.where(use.adoption[school, course] == PILOTING, 0.80, 0.94),
                "el_swd_guidance_in_use": guided < np.where(meets, 0.70, 0.45),
                "is_digital": is_digital,
            }
        ).with_columns(
            pl.lit(use.role).alias("role"),
            pl.lit(None, pl.String).alias("alignment_with_core")
            if use.alignment is None
            else gather(ALIGNMENTS, use.alignment[school, course]).alias("alignment_with_core"),
            pl.when(pl.Series(known[0] > 0.02)).then(pl.col("delivered_by_day_1")).alias("delivered_by_day_1"),
            pl.when(pl.Series(known[1] > 0.03)).then(pl.col("el_swd_guidance_in_use")).alias("el_swd_guidance_in_use"),
        )
        has_use = pl.col("is_digital") & (not self._district.lacks_use_counts)
        missing_use = pl.when("is_digital").then(pl.lit("x")).otherwise(pl.lit("z"))
        return rows[np.repeat(np.arange(m), n_groups)].with_columns(
            gather(MATERIALS_SUBGROUPS, np.tile(np.arange(n_groups), m)).alias("subgroup"),
            pl.Series((students @ groups.T).ravel()).alias("n_students"),
            pl.when("is_digital").then(pl.Series((licensed @ groups.T).ravel())).alias("n_licensed"),
            pl.when(~pl.col("is_digital")).then(pl.lit("z")).alias("n_licensed_symbol"),
            pl.when(has_use).then(pl.Series((in_use @ groups.T).ravel())).alias("n_recommended_use"),
            pl.when(~has_use).then(missing_use).alias("n_recommended_use_symbol"),
        )

    def _add_truth(self, enrolment: Enrolment, core: Sequence[_Use], truth: dict[str, Any]) -> None:
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
                            "share_meets": share_of(by_status[STATUSES.index(MEETS)], sum(by_status)),
                        }
                    )  # fmt: skip
                teaches = titles.max(axis=1) > 0
                has_one = teaches & (titles.max(axis=1) == 1)
                truth["one_core_title"].append(
                    {
                        **place, "scope": scope, "course": course,
                        "n_schools": int(teaches.sum()),
                        "n_schools_with_one": int(has_one.sum()),
                        "share": share_of(has_one.sum(), teaches.sum()),
                    }
                )  # fmt: skip

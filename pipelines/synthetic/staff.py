"""Mathematics staff and what they learn: rows of math_staff and professional_learning, and what is true of them.

How many people work where comes from `workforce`, the rates from `conditions`. What people answer when asked, and what
leaders do, does not belong here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from scipy.special import ndtr
from scipy.stats import binom

from pipelines.synthetic.conditions import lowest_that_stay, rates_around
from pipelines.synthetic.known import note
from pipelines.synthetic.model import Floats, Ints, gather
from pipelines.synthetic.schools import Enrolment
from pipelines.synthetic.setting import Setting, YearRows
from pipelines.synthetic.workforce import COACH_MODELS, FIRST_UPPER_GRADE, NO_COACH

ABOUT = (
    "EC1, EC3, EC9, EC10, EC13, EC14: teachers of professional_learning (kind curriculum_based with 10 hours; ALL with a full "
    "cycle; learning_community; mathematics_immersion; ALL sequenced and job-embedded; diverse_learners) among n_math_teachers "
    "of math_staff. EC12: ALL with content-focused learning among n_k5_teachers. EC10 also contact_hours over n_teachers "
    "(hours_per_teacher). EC2: n_math_teachers over coach_fte, of all schools and of those of a coach model (category). EC4 to "
    "EC7 and EC15: the columns of math_staff over one another. LC5: schools with any coach_fte among all. LC7: coach_fte of the "
    "coach model (category) over all coach_fte, and n_cycles over n_math_teachers (cycles_per_teacher)."
)
KINDS = ("ALL", "curriculum_based", "learning_community", "mathematics_immersion", "diverse_learners", "other")
CURRICULUM, COMMUNITY, IMMERSION, DIVERSE, OTHER = range(1, len(KINDS))
STUDENTS_IN_SECTION = 25
NO_CYCLES = 0.12
# How much the counts of one school go together over the years, and who learns about the title for less than ten hours.
SAME_PEOPLE, FEWER_HOURS = 0.9, 0.25
TEN_HOURS_OF_KIND = np.array([0.3, 0.0, 0.80, 0.95, 0.25, 0.10])
LEADERS_OF_KIND = np.array([0.0, 0.35, 0.30, 0.05, 0.15, 0.10])
HOURS_OF_KIND = np.array([0.0, 14.0, 24.0, 60.0, 8.0, 6.0])
EMBEDDED_OF_KIND = np.array([0.0, 0.45, 0.80, 0.10, 0.30, 0.15])


class Staff:
    """Mathematics staff of one district: what stays with its schools, and the rows of each year."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        rng = setting.generator("math_staff")
        schools = setting.schools
        self._poverty = (schools.low_income - schools.low_income.mean()) / 0.15
        self._early, self._certified, self._prepared = (rng.normal(0, 0.5, schools.n) for _ in range(3))
        # A few schools have most of the vacancies.
        self._vacancy = rng.gamma(0.6, 1 / 0.6, schools.n) * np.exp(0.25 * self._poverty)

    def rows(self, enrolment: Enrolment, truth: dict[str, Any]) -> pl.DataFrame:
        """Rows of one year, one a school; adds the truth of EC2, EC4 to EC7, EC15, LC5 and LC7."""
        setting, year, here = self._setting, enrolment.year, enrolment.open_schools
        rng, force, district = setting.generator("math_staff", enrolment), setting.workforce, setting.district.code
        n_teachers, n_k5 = force.n_teachers[year, here], force.n_k5[year, here]
        n_last, n_retained = force.n_last[year, here], force.n_retained[year, here]
        fte, model = force.coach_fte[year, here], force.coach_model[year, here]
        upper = enrolment.students[:, FIRST_UPPER_GRADE:].sum(axis=(1, 2))
        n_sections = np.ceil(upper / STUDENTS_IN_SECTION).astype(np.int64)
        n_hires = n_teachers - n_retained

        def rates(name: str, leaning: Floats, counts: Ints) -> Floats:
            weights = np.where(enrolment.in_scope, counts, 0)
            return rates_around(float(setting.conditions.rates[name][year]), leaning[here], weights)

        early = rates("early_career", self._early + 0.3 * self._poverty, n_teachers)
        certified = rates("certified", self._certified - 0.2 * self._poverty, n_sections)
        prepared = rates("prepared_hires", self._prepared, n_hires)
        n_early, n_certified, n_prepared = (
            rng.binomial(counts, rate) for counts, rate in ((n_teachers, early), (n_sections, certified), (n_hires, prepared))
        )
        vacant_share = float(setting.conditions.rates["vacant"][year])
        expected_vacant = self._vacancy[here] * n_teachers
        taking_part = np.where(enrolment.in_scope, 1, 0)
        total = max(float((expected_vacant * taking_part).sum()), 1e-9)
        expected_vacant *= vacant_share / (1 - vacant_share) * float((n_teachers * taking_part).sum()) / total
        vacant = rng.poisson(2 * expected_vacant) / 2
        budgeted = n_teachers + vacant
        goes_through = (fte > 0) & (rng.random(len(here)) >= NO_CYCLES)
        n_cycles = np.where(goes_through, rng.poisson(fte * 16 * np.exp(0.25 * setting.path.quality[year, here])), 0)

        one = np.ones(len(here), np.int64)
        note(truth, district, enrolment, "EC2", n_teachers, fte, category="all")
        note(truth, district, enrolment, "EC4", n_certified, n_sections, n_sections * certified)
        note(truth, district, enrolment, "EC5", n_early, n_teachers, n_teachers * early)
        note(truth, district, enrolment, "EC6", n_retained, n_last, n_last * force.retained_rate[year, here])
        note(truth, district, enrolment, "EC7", vacant, budgeted)
        note(truth, district, enrolment, "EC15", n_prepared, n_hires, n_hires * prepared)
        place = {"statistic": "schools_with_coach", "category": "all"}
        note(truth, district, enrolment, "LC5", (fte > 0).astype(np.int64), one, force.coach_rate[year, here], **place)
        note(truth, district, enrolment, "LC7", n_cycles, n_teachers, statistic="cycles_per_teacher", category="all")
        for index in range(NO_COACH):
            served, name = model == index, COACH_MODELS[index]
            note(truth, district, enrolment, "EC2", n_teachers * served, fte * served, category=name)
            note(truth, district, enrolment, "LC7", fte * served, fte, category=name, statistic="share_of_fte")
            cycles = n_cycles * served, n_teachers * served
            note(truth, district, enrolment, "LC7", cycles[0], cycles[1], category=name, statistic="cycles_per_teacher")
        no_sections = gather([None, "z"], (n_sections == 0).astype(np.int64))
        return pl.DataFrame(
            {
                "school_id": setting.school_ids(enrolment),
                "n_math_teachers": n_teachers,
                "n_early_career": n_early,
                "n_k5_teachers": n_k5,
                "n_last_year": n_last,
                "n_retained": n_retained,
                "n_sections_6_12": n_sections,
                "n_sections_6_12_symbol": no_sections,
                "n_sections_certified": n_certified,
                "n_sections_certified_symbol": no_sections,
                "n_new_hires": n_hires,
                "n_new_hires_content_prepared": n_prepared,
                "coach_model": gather(COACH_MODELS, model),
                "coach_fte": fte,
                "n_cycles": n_cycles,
                "budgeted_fte": budgeted,
                "vacant_fte": vacant,
            }
        ).with_columns(pl.when(pl.Series(n_sections > 0)).then(pl.col("n_sections_6_12", "n_sections_certified")))


class Learning:
    """Professional learning of one district: what stays with its schools, and the rows of each year."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        rng = setting.generator("professional_learning")
        self._own = rng.normal(0, 0.7, (len(KINDS), setting.schools.n))
        # Whole schools have nothing of a kind: floors, not small shares.
        draw = rng.random((len(KINDS), setting.schools.n))
        self._has = (draw < np.array([1.0, 0.75, 0.45, 0.30, 0.70, 0.85])[:, None]) | lowest_that_stay(draw, setting.schools)
        self._habit = rng.normal(0, 1, (len(KINDS), setting.schools.n))

    def rows(self, enrolment: Enrolment, truth: dict[str, Any]) -> pl.DataFrame:
        """Rows of one year, schools × kinds; adds the truth of EC1, EC3, EC9, EC10 and EC12 to EC14."""
        setting, year, here = self._setting, enrolment.year, enrolment.open_schools
        rng, force, district = setting.generator("professional_learning", enrolment), setting.workforce, setting.district.code
        n_teachers, n_k5, n_leaders = force.n_teachers[year, here], force.n_k5[year, here], force.n_leaders[year, here]
        quality, own, has = setting.path.quality[year, here], self._own[:, here], self._has[:, here]

        def drawn(indicator_id: str, name: str, kind: int, counts: Ints, strength: float, possible: Floats | None = None) -> Ints:
            """Teachers of `counts` who have it, and the truth of the indicator."""
            weights = np.where(enrolment.in_scope, counts, 0)
            can = has[kind] if possible is None else possible > 0
            leaning = strength * quality + own[kind]
            rate = rates_around(float(setting.conditions.rates[name][year]), leaning, weights, can)
            found = rng.binomial(counts, rate) if kind == 0 else self._drawn_again(rng, counts, rate, kind, here)
            if indicator_id:
                place = {"statistic": "share"} if kind == IMMERSION else {}
                note(truth, district, enrolment, indicator_id, found, counts, counts * rate, **place)
            return found

        on_title, ten_hours = self._on_title(rng, enrolment, n_teachers, truth)
        full_cycle = drawn("EC3", "full_cycle", 0, n_teachers, 0.4, force.coach_fte[year, here])
        k5_content = drawn("EC12", "k5_content", 0, n_k5, 0.3)
        sequenced = drawn("EC13", "sequenced", 0, n_teachers, 0.5)
        n_of = np.zeros((len(KINDS), len(here)), np.int64)
        n_of[CURRICULUM] = on_title
        n_of[COMMUNITY] = drawn("EC9", "learning_community", COMMUNITY, n_teachers, 0.4)
        n_of[IMMERSION] = drawn("EC10", "mathematics_immersion", IMMERSION, n_teachers, 0.2)
        n_of[DIVERSE] = drawn("EC14", "diverse_learners", DIVERSE, n_teachers, 0.2)
        n_of[OTHER] = drawn("", "other", OTHER, n_teachers, 0.0)
        parts = self._spread(rng, n_of, full_cycle, k5_content, sequenced)
        n_of[OTHER] = np.maximum(n_of[OTHER], np.max([values[OTHER] for values in parts.values()], axis=0))
        # Some teachers are in two programmes: all of them are fewer than the sum, and no fewer than the largest part.
        largest = np.max([*n_of[1:], full_cycle, k5_content, sequenced], axis=0)
        n_of[0] = largest + rng.binomial(np.minimum(n_of[1:].sum(axis=0), n_teachers) - largest, 0.5)
        ten = rng.binomial(n_of, TEN_HOURS_OF_KIND[:, None])
        ten[CURRICULUM] = ten_hours
        hours = np.maximum(n_of * HOURS_OF_KIND[:, None] * rng.lognormal(-0.05, 0.3, n_of.shape), 10.5 * ten)
        embedded = hours * np.clip(EMBEDDED_OF_KIND[:, None] + rng.normal(0, 0.1, n_of.shape), 0.02, 1)
        hours, embedded = np.round(hours, 1), np.round(embedded, 1)
        note(truth, district, enrolment, "EC10", hours[IMMERSION], n_of[IMMERSION], statistic="hours_per_teacher")
        hours[0], embedded[0] = hours[1:].sum(axis=0), embedded[1:].sum(axis=0)
        ten[0] = np.maximum(ten[1:].max(axis=0), np.minimum(ten[0], (hours[0] / 10.5).astype(np.int64)))
        leaders = rng.binomial(n_leaders, np.where(n_of > 0, LEADERS_OF_KIND[:, None], 0.0))
        leaders[0] = np.maximum(leaders[1:].max(axis=0), np.minimum(n_leaders, leaders[1:].sum(axis=0) - 1))
        # A school that offers a kind tells of it although nobody came.
        kinds, places = np.nonzero(has | (n_of > 0))
        at = (kinds, places)
        return pl.DataFrame(
            {
                "school_id": setting.school_ids(enrolment, places),
                "kind": gather(KINDS, kinds),
                "n_teachers": n_of[at],
                "n_teachers_10h": ten[at],
                **{name: values[at] for name, values in parts.items()},
                "n_leaders": leaders[at],
                "contact_hours": np.round(hours, 1)[at],
                "job_embedded_hours": np.round(embedded, 1)[at],
            }
        )

    def _drawn_again(self, rng: np.random.Generator, counts: Ints, rate: Floats, kind: int, here: Ints) -> Ints:
        """Binomial counts that go with the same school's counts of other years: largely the same people come again."""
        noise = rng.normal(0, 1, len(here))
        draw = ndtr(SAME_PEOPLE * self._habit[kind, here] + np.sqrt(1 - SAME_PEOPLE**2) * noise)
        some = (counts > 0) & (rate > 0)
        found = np.zeros(len(here), np.int64)
        found[some] = binom.ppf(draw[some], counts[some], rate[some]).astype(np.int64)
        return found

    def _on_title(
        self, rng: np.random.Generator, enrolment: Enrolment, n_teachers: Ints, truth: dict[str, Any]
    ) -> tuple[Ints, Ints]:
        """Teachers who learn about the adopted title, and those of them with ten hours; adds the truth of EC1."""
        setting, year, here = self._setting, enrolment.year, enrolment.open_schools
        leaning = 0.6 * setting.path.quality[year, here] + self._own[CURRICULUM, here]
        weights, target = np.where(enrolment.in_scope, n_teachers, 0), float(setting.conditions.rates["learning_10h"][year])
        rate = rates_around(target, leaning, weights, self._has[CURRICULUM, here])
        any_hours = np.where(rate > 0, rate + FEWER_HOURS * (1 - rate), 0.0)
        on_title = self._drawn_again(rng, n_teachers, any_hours, CURRICULUM, here)
        ten_hours = rng.binomial(on_title, np.divide(rate, any_hours, out=np.zeros_like(rate), where=any_hours > 0))
        note(truth, setting.district.code, enrolment, "EC1", ten_hours, n_teachers, n_teachers * rate)
        return on_title, ten_hours

    def _spread(
        self, rng: np.random.Generator, n_of: Ints, full_cycle: Ints, k5_content: Ints, sequenced: Ints
    ) -> dict[str, Ints]:
        """Parts of the kinds (kinds × schools): all, a share within two kinds, and whoever is in neither under other."""
        parts = {}
        for name, whole, shares in (
            ("n_teachers_full_cycle", full_cycle, (0.6, 0.2)),
            ("n_k5_teachers_content", k5_content, (0.5, 0.3)),
            ("n_teachers_sequenced_job_embedded", sequenced, (0.4, 0.5)),
        ):
            part = np.zeros_like(n_of)
            part[0] = whole
            for kind, share in zip((CURRICULUM, COMMUNITY), shares, strict=True):
                part[kind] = rng.binomial(np.minimum(n_of[kind], whole), share)
            part[OTHER] = np.maximum(whole - part[CURRICULUM] - part[COMMUNITY], 0)
            parts[name] = part
        return parts


def staff_rows(setting: Setting) -> YearRows:
    """The part of math_staff."""
    return Staff(setting).rows


def learning_rows(setting: Setting) -> YearRows:
    """The part of professional_learning."""
    return Learning(setting).rows

"""Surveys and logs: rows of materials_use and mindset_survey, and what is true of them.

Who is asked follows from `workforce` and the enrolment, who answers and what from `conditions` and the quality of a
school's implementation. Surveys of leaders about their own confidence are in `leaders`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy.special import ndtri

from pipelines.synthetic.conditions import RESPONSE_STRENGTH, lowest_that_stay, rates_around
from pipelines.synthetic.known import add_difference, note
from pipelines.synthetic.model import GRADES, Floats, Ints
from pipelines.synthetic.schools import Enrolment
from pipelines.synthetic.setting import Setting, YearRows

ABOUT = (
    "CM3: n_regular_use over n_respondents of teachers' rows of materials_use, by source (category: survey, log), instrument and "
    "wave (administration). CM4: n_modifying over n_regular_use, and CM10: n_would_keep over n_respondents, by respondent, "
    "instrument and wave. LC6: CM3 as leaders and as teachers tell it in the schools where both answered the same survey in "
    "the spring, and the difference without its sign (statistic). MM1 (self_efficacy), MM2 (belonging), MM3 (growth_mindset), "
    "MM4 (educator_belief), MM5 (math_matters) and MM7 (change_readiness), by respondent, instrument and, for students, grade "
    "band (grade): n_favorable over n_respondents (statistic favorable), and the mean of scale_mean weighted by n_respondents, "
    "over the schools that give it (scale_mean)."
)
ANSWERS_NOTHING = 0.05
LOGGED, LEADERS_OPTIMISM = 0.93, 0.12
FAMILIES_OF_STUDENTS, FAMILY_RESPONSE, LEAST_RESPONSE = 0.72, 0.30, 0.05
STAFF_SURVEY, USE_LOG = "Example Materials Survey 1", "Sample Platform Log"
OTHER_SURVEY = "Example Family and Student Survey"
FIRST_ASKED = GRADES.index("3")


def _answers(setting: Setting, enrolment: Enrolment, target: float, own: Floats, counts: Ints, silent: Floats) -> Floats:
    """Chances of answering, higher where implementation is better; some schools (`silent` draws) answer nothing at all."""
    leaning = own + RESPONSE_STRENGTH * setting.path.quality[enrolment.year, enrolment.open_schools]
    weights = np.where(enrolment.in_scope, counts, 0)
    return rates_around(target, leaning, weights, silent >= ANSWERS_NOTHING)


@dataclass(frozen=True)
class _Answers:
    """Answers about use over open schools: respondents, those who use the title regularly, as many as the model expects."""

    n: Ints
    n_regular: Ints
    expected: Floats


class Use:
    """Use of materials in one district: what stays with its schools, and the rows of each year."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        rng = setting.generator("materials_use")
        n = setting.schools.n
        self._silent, draw = rng.random(n), rng.random((2, n))
        self._asks_others = (draw < np.array([0.45, 0.35])[:, None]) | lowest_that_stay(draw, setting.schools)
        self._answering, self._using, self._changing, self._keeping = (rng.normal(0, 0.5, n) for _ in range(4))
        # Half the schools have none or one; a few have very many.
        self._extra = rng.gamma(0.8, 1 / 0.8, n)

    def rows(self, enrolment: Enrolment, truth: dict[str, Any]) -> pl.DataFrame:
        """Rows of one year: schools × respondents × waves; adds the truth of CM3, CM4, CM5 and CM10."""
        setting, year, here = self._setting, enrolment.year, enrolment.open_schools
        rng, conditions, force = setting.generator("materials_use", enrolment), setting.conditions, setting.workforce
        students = enrolment.students.sum(axis=2)
        n_students, n_asked = students.sum(axis=1), students[:, FIRST_ASKED:].sum(axis=1)
        asks_students, asks_families = self._asks_others[:, here]
        families = np.round(FAMILIES_OF_STUDENTS * n_students).astype(np.int64)
        student_response, staff_response = conditions.student_response, conditions.staff_response
        waves = ("fall", "spring") if conditions.asks_twice else ("spring",)
        asked: list[_Answers] = []
        parts = [self._teacher_rows(rng, enrolment, wave, asked, truth) for wave in waves]
        for respondent, n_eligible, response in (
            ("leader", force.n_leaders[year, here], min(staff_response + 0.05, 0.95)),
            ("student", np.where(asks_students, n_asked, 0), student_response),
            ("family", np.where(asks_families, families, 0), min(FAMILY_RESPONSE, staff_response / 2)),
        ):
            chances = _answers(setting, enrolment, response, self._answering[here], n_eligible, self._silent[here])
            n_respondents = rng.binomial(n_eligible, chances)
            keep = self._drawn(rng, enrolment, f"keep_{respondent}", n_respondents, 0.4, self._keeping)
            instrument = STAFF_SURVEY if respondent == "leader" else OTHER_SURVEY
            place = {"respondent": respondent, "instrument": instrument, "administration": "spring"}
            if respondent != "leader":
                note(truth, setting.district.code, enrolment, "CM10", keep[0], n_respondents, keep[1], **place)
            columns = {"n_eligible": n_eligible, "n_respondents": n_respondents, "n_would_keep": keep[0]}
            if respondent == "leader":
                weights = np.where(enrolment.in_scope, n_respondents, 0)
                target = min(float(conditions.rates["regular_use"][year]) + LEADERS_OPTIMISM, 0.95)
                rate = rates_around(target, 0.8 * setting.path.quality[year, here] + self._using[here], weights)
                n_regular = rng.binomial(n_respondents, rate)
                columns["n_regular_use"] = n_regular
                if not conditions.uses_logs:
                    leaders = _Answers(n_respondents, n_regular, n_respondents * rate)
                    self._add_agreement(enrolment, leaders, asked[-1], truth)
            parts.append(self._rows_of(enrolment, respondent, "spring", "survey", instrument, columns, n_eligible))
        return pl.concat(parts, how="diagonal")

    def _add_agreement(self, enrolment: Enrolment, leaders: _Answers, teachers: _Answers, truth: dict[str, Any]) -> None:
        """LC6, of the schools where leaders as well as teachers answered."""
        district, has_both = self._setting.district.code, (leaders.n > 0) & (teachers.n > 0)
        place = {"instrument": STAFF_SURVEY, "administration": "spring"}
        for name, told in (("leader", leaders), ("teacher", teachers)):
            counts = told.n_regular * has_both, told.n * has_both, told.expected * has_both
            note(truth, district, enrolment, "LC6", counts[0], counts[1], counts[2], **place, statistic=name)
        leader, teacher = truth["indicators"][-2:]
        add_difference(truth, leader, teacher, "absolute_difference", is_absolute=True)

    def _drawn(
        self, rng: np.random.Generator, enrolment: Enrolment, name: str, counts: Ints, strength: float, own: Floats
    ) -> tuple[Ints, Floats]:
        """Those of `counts` who say so, and how many the model expects."""
        year, here = enrolment.year, enrolment.open_schools
        weights = np.where(enrolment.in_scope, counts, 0)
        leaning = strength * self._setting.path.quality[year, here] + own[here]
        rate = rates_around(float(self._setting.conditions.rates[name][year]), leaning, weights)
        return rng.binomial(counts, rate), counts * rate

    def _teacher_rows(
        self, rng: np.random.Generator, enrolment: Enrolment, wave: str, asked: list[_Answers], truth: dict[str, Any]
    ) -> pl.DataFrame:
        """Rows of the teachers' survey, or of the log; what they answered is added to `asked`."""
        setting, year, here = self._setting, enrolment.year, enrolment.open_schools
        conditions, district = setting.conditions, setting.district.code
        n_eligible = setting.workforce.n_teachers[year, here]
        is_log = conditions.uses_logs
        target = LOGGED if is_log else conditions.staff_response
        chances = (
            np.full(len(here), target)
            if is_log
            else _answers(setting, enrolment, target, self._answering[here], n_eligible, self._silent[here])
        )
        n_respondents = rng.binomial(n_eligible, chances)
        regular = self._drawn(rng, enrolment, "regular_use", n_respondents, 0.8, self._using)
        asked.append(_Answers(n_respondents, *regular))
        instrument, source = (USE_LOG, "log") if is_log else (STAFF_SURVEY, "survey")
        place = {"respondent": "teacher", "instrument": instrument, "administration": wave}
        note(truth, district, enrolment, "CM3", regular[0], n_respondents, regular[1], **place, category=source)
        columns = {"n_eligible": n_eligible, "n_respondents": n_respondents, "n_regular_use": regular[0]}
        if not is_log:
            modifying = self._drawn(rng, enrolment, "modifying", regular[0], -0.4, self._changing)
            keep = self._drawn(rng, enrolment, "keep_teacher", n_respondents, 0.5, self._keeping)
            # Logs know nothing of titles beside the core. Where nobody answered, no title is named either.
            mean = 2.2 * self._extra[here] * np.exp(-0.25 * setting.path.quality[year, here])
            n_titles = np.where(n_respondents > 0, np.minimum(rng.poisson(mean), 30), 0)
            note(truth, district, enrolment, "CM4", modifying[0], regular[0], modifying[1], category=source, **place)
            note(truth, district, enrolment, "CM10", keep[0], n_respondents, keep[1], **place)
            columns |= {"n_modifying": modifying[0], "n_would_keep": keep[0], "n_supplemental_titles": n_titles}
        rows = self._rows_of(enrolment, "teacher", wave, source, instrument, columns, n_eligible)
        if is_log:
            return rows
        nobody = pl.col("n_respondents") == 0
        return rows.with_columns(
            pl.when(~nobody).then("n_supplemental_titles").alias("n_supplemental_titles"),
            pl.when(nobody).then(pl.lit("x")).alias("n_supplemental_titles_symbol"),
        )

    def _rows_of(
        self,
        enrolment: Enrolment,
        respondent: str,
        wave: str,
        source: str,
        instrument: str,
        columns: dict[str, Ints],
        n_eligible: Ints,
    ) -> pl.DataFrame:
        """Rows of the schools where anybody is asked; what nobody was asked there has the symbol z."""
        places = np.flatnonzero(n_eligible)
        rows = pl.DataFrame(
            {
                "school_id": self._setting.school_ids(enrolment, places),
                **{name: values[places] for name, values in columns.items()},
            }
        )
        missing = [
            name for name in ("n_regular_use", "n_modifying", "n_supplemental_titles", "n_would_keep") if name not in columns
        ]
        return rows.with_columns(
            pl.lit(respondent).alias("respondent"),
            pl.lit(wave).alias("wave"),
            pl.lit(source).alias("source"),
            pl.lit(instrument).alias("instrument"),
            *(pl.lit(None, pl.Int64).alias(name) for name in missing),
            *(pl.lit("z").alias(f"{name}_symbol") for name in missing),
        )


@dataclass(frozen=True)
class _Scale:
    """A scale: which indicator it makes, who is asked, how much it leans on implementation, its alpha."""

    name: str
    indicator_id: str
    respondent: str
    strength: float
    alpha: float


SCALES = (
    _Scale("self_efficacy", "MM1", "student", 0.20, 0.86),
    _Scale("belonging", "MM2", "student", 0.15, 0.79),
    _Scale("growth_mindset", "MM3", "student", 0.08, 0.75),
    _Scale("educator_belief", "MM4", "teacher", 0.35, 0.81),
    _Scale("change_readiness", "MM7", "teacher", 0.45, 0.88),
    _Scale("change_readiness", "MM7", "leader", 0.30, 0.84),
    _Scale("math_matters", "MM5", "family", 0.05, 0.72),
    _Scale("math_matters", "MM5", "community", 0.0, 0.73),
)
WEAK_ALPHA, WEAK_SCALE = 0.62, "belonging"
ADULTS = "all"
BANDS = (("3_5", "3", "5", 0.05), ("6_8", "6", "8", -0.01), ("9_12", "9", "12", -0.05))
FIRST_INSTRUMENT, NEXT_INSTRUMENT, ADULT_INSTRUMENT = (
    "Example Student Survey 1",
    "Sample Student Survey",
    "Example Adult Survey 1",
)
ASKS_STUDENTS, ASKS_FAMILIES, ASKS_COMMUNITY = 0.72, 0.55, 0.12
# Means are computed from this number of respondents on. A favorable answer is a mean of the items, from 1 to 5, of 3.5 or more.
MEAN_FROM = 5
FAVORABLE_FROM, ITEM_SPREAD, TIED = 3.5, 0.85, 0.8


@dataclass(frozen=True)
class _Drawn:
    """Answers on one scale and band, over open schools: counts, expected favorable ones, means and spreads."""

    n_respondents: Ints
    n_favorable: Ints
    expected: Floats
    mean: Floats
    true_mean: Floats
    spread: Floats


class Mindset:
    """Mindset surveys of one district: what stays with its schools, and the rows of each year."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        rng = setting.generator("mindset_survey")
        n = setting.schools.n
        shares = np.array([ASKS_STUDENTS, ASKS_FAMILIES, ASKS_COMMUNITY])[:, None]
        draw = rng.random((3, n))
        self._asks = (draw < shares) | lowest_that_stay(draw, setting.schools)
        self._silent, self._answering = rng.random(n), rng.normal(0, 0.5, n)
        self._own = rng.normal(0, 0.35, (len(SCALES), n))

    def rows(self, enrolment: Enrolment, truth: dict[str, Any]) -> pl.DataFrame:
        """Rows of one year: schools × respondents × grade bands × scales; adds the truth of MM1 to MM5 and MM7."""
        setting, year, here = self._setting, enrolment.year, enrolment.open_schools
        rng, conditions = setting.generator("mindset_survey", enrolment), setting.conditions
        by_grade = enrolment.students.sum(axis=2)
        asks = self._asks[:, here]
        of_band = {
            band: np.where(asks[0], by_grade[:, GRADES.index(low) : GRADES.index(high) + 1].sum(axis=1), 0)
            for band, low, high, _ in BANDS
        }
        families = np.round(FAMILIES_OF_STUDENTS * by_grade.sum(axis=1)).astype(np.int64)
        adults = {
            "teacher": (setting.workforce.n_teachers[year, here], conditions.staff_response),
            "leader": (setting.workforce.n_leaders[year, here], min(conditions.staff_response + 0.05, 0.95)),
            "family": (np.where(asks[1], families, 0), min(FAMILY_RESPONSE, conditions.staff_response / 2)),
            "community": (np.where(asks[2], 20 + families // 20, 0), 2 * LEAST_RESPONSE),
        }
        parts = []
        for respondent, band, n_eligible, response in (
            *(("student", band, counts, conditions.student_response) for band, counts in of_band.items()),
            *((respondent, ADULTS, *asked) for respondent, asked in adults.items()),
        ):
            chances = _answers(setting, enrolment, response, self._answering[here], n_eligible, self._silent[here])
            n_respondents = rng.binomial(n_eligible, chances)
            for index, scale in enumerate(SCALES):
                if scale.respondent == respondent:
                    answers = self._draw_answers(rng, enrolment, index, band, n_respondents)
                    parts.append(self._rows_of(enrolment, scale, band, n_eligible, answers))
                    self._add_truth(enrolment, scale, band, answers, truth)
        return pl.concat(parts)

    def _draw_answers(self, rng: np.random.Generator, enrolment: Enrolment, index: int, band: str, n_respondents: Ints) -> _Drawn:
        """What those who answer say on one scale. The mean goes with the count of favorable answers: of the same people."""
        setting, year, here, scale = self._setting, enrolment.year, enrolment.open_schools, SCALES[index]
        shift = next((shift for code, _, _, shift in BANDS if code == band), 0.0)
        target = float(setting.conditions.rates[scale.name][year]) + shift
        weights = np.where(enrolment.in_scope, n_respondents, 0)
        rate = rates_around(target, scale.strength * setting.path.quality[year, here] + self._own[index, here], weights)
        n_favorable = rng.binomial(n_respondents, rate)
        n = np.maximum(n_respondents, 1)
        surprise = (n_favorable - n_respondents * rate) / np.sqrt(n * rate * (1 - rate))
        noise = TIED * surprise + np.sqrt(1 - TIED**2) * rng.normal(0, 1, len(here))
        true_mean = FAVORABLE_FROM + ITEM_SPREAD * ndtri(rate)
        mean = np.clip(np.round(true_mean + noise * ITEM_SPREAD / np.sqrt(n), 3), 1, 5)
        spread = np.round(ITEM_SPREAD * np.sqrt(rng.chisquare(np.maximum(n - 1, 1)) / np.maximum(n - 1, 1)), 3)
        return _Drawn(n_respondents, n_favorable, n_respondents * rate, mean, true_mean, spread)

    def _instrument(self, scale: _Scale, year: int) -> str:
        if scale.respondent != "student":
            return ADULT_INSTRUMENT
        return NEXT_INSTRUMENT if self._setting.conditions.changes_instrument(year) else FIRST_INSTRUMENT

    def _rows_of(self, enrolment: Enrolment, scale: _Scale, band: str, n_eligible: Ints, drawn: _Drawn) -> pl.DataFrame:
        """Rows of one scale and band, of the schools where anybody is asked."""
        places = np.flatnonzero(n_eligible)
        is_weak = scale.name == WEAK_SCALE and self._setting.conditions.has_weak_scale
        return (
            pl.DataFrame(
                {
                    "school_id": self._setting.school_ids(enrolment, places),
                    "n_eligible": n_eligible[places],
                    "n_respondents": drawn.n_respondents[places],
                    "n_favorable": drawn.n_favorable[places],
                    "scale_mean": drawn.mean[places],
                    "scale_sd": drawn.spread[places],
                }
            )
            .with_columns(
                pl.lit(scale.respondent).alias("respondent"),
                pl.lit(band).alias("grade_band"),
                pl.lit(scale.name).alias("scale"),
                pl.lit(self._instrument(scale, enrolment.year)).alias("instrument"),
                pl.lit(WEAK_ALPHA if is_weak else scale.alpha).alias("alpha"),
            )
            .with_columns(pl.when(pl.col("n_respondents") >= MEAN_FROM).then(pl.col("scale_mean", "scale_sd", "alpha")))
        )

    def _add_truth(self, enrolment: Enrolment, scale: _Scale, band: str, drawn: _Drawn, truth: dict[str, Any]) -> None:
        """The share of favorable answers, and the mean over the schools that give one."""
        district, indicator_id = self._setting.district.code, scale.indicator_id
        place = {"respondent": scale.respondent, "instrument": self._instrument(scale, enrolment.year)}
        if band != ADULTS:
            place["grade"] = band
        n, expected = drawn.n_respondents, drawn.expected
        note(truth, district, enrolment, indicator_id, drawn.n_favorable, n, expected, **place, statistic="favorable")
        n = np.where(n >= MEAN_FROM, n, 0)
        note(truth, district, enrolment, indicator_id, n * drawn.mean, n, n * drawn.true_mean, **place, statistic="scale_mean")


def use_rows(setting: Setting) -> YearRows:
    """The part of materials_use."""
    return Use(setting).rows


def mindset_rows(setting: Setting) -> YearRows:
    """The part of mindset_survey."""
    return Mindset(setting).rows

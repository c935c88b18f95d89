"""School leaders and what they see in lessons: rows of school_leaders and observations, and what is true of them.

How many leaders a school has comes from `workforce`, the rates from `conditions`. Surveys of others do not belong here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from scipy.special import expit

from pipelines.synthetic.conditions import RESPONSE_STRENGTH, lowest_that_stay, rates_around
from pipelines.synthetic.known import add_difference, note
from pipelines.synthetic.model import SCHOOL_YEARS, Bools, Floats, Ints, gather
from pipelines.synthetic.schools import Enrolment
from pipelines.synthetic.setting import Setting, YearRows

ABOUT = (
    "LC1: n_leaders_math_learning over n_leaders. LC2: schools with 4 walkthroughs or more in the fall and in the spring and a "
    "named tool, among all that take part. LC3: schools by principal_tenure (category) among those that give it. LC4: schools "
    "with a monthly data cycle among those that say. LC8: leaders confident in mathematics and in ELA over n_respondents, and "
    "the difference of both (statistic). EC8: lessons rated 3 or 4 by core action (category), sampling (statistic) and tool "
    "(instrument), over n_lessons."
)
TENURES = ("0_1", "2_3", "4_plus")
ENOUGH_WALKS = 4
NO_PRINCIPAL, NOT_SAID = 0.03, 0.02
NEVER_NEW = 40
TOOLS = ("Example Walkthrough Guide 2", "Sample Lesson Protocol")
SECOND_TOOL, FEWEST_OF_TOOL = 0.35, 5
CORE_ACTIONS = ("1", "2", "3")


class Leaders:
    """Leaders of one district: what stays with its schools, and the rows of each year."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        rng = setting.generator("school_leaders")
        n = setting.schools.n
        self._own = rng.normal(0, 0.5, (4, n))
        self._stays = rng.beta(14, 2.6, n)
        self._says = rng.random(n) >= NOT_SAID
        self._second_tool = rng.random(n) < SECOND_TOOL
        self._walk_rate = rng.gamma(6, 1, (2, n))
        self._tenure, self._tenure_chances = self._draw_tenures(rng)

    def _draw_tenures(self, rng: np.random.Generator) -> tuple[Ints, Floats]:
        """Index of the tenure's code, years × schools, and the chances of each code: × codes."""
        schools, n_years = self._setting.schools, len(SCHOOL_YEARS)
        served, chances = np.zeros((n_years, schools.n), np.int64), np.zeros((n_years, schools.n, len(TENURES)))
        years = rng.geometric(1 - self._stays) - 1
        stays = self._stays
        for year in range(n_years):
            if year:
                years = np.where(rng.random(schools.n) < stays, years + 1, 0)
            # Nobody has led a school for longer than it exists.
            age = np.where(schools.opened == 0, NEVER_NEW, np.maximum(year - schools.opened, 0))
            years = np.minimum(years, age)
            two, four = np.where(age >= 2, stays**2, 0.0), np.where(age >= 4, stays**4, 0.0)
            chances[year] = np.stack([1 - two, two - four, four], axis=-1)
            served[year] = np.digitize(years, (2, 4))
        return served, chances

    def rows(self, enrolment: Enrolment, truth: dict[str, Any]) -> pl.DataFrame:
        """Rows of one year, one a school; adds the truth of LC1 to LC4 and LC8."""
        setting, year, here = self._setting, enrolment.year, enrolment.open_schools
        rng, district = setting.generator("school_leaders", enrolment), setting.district.code
        n_leaders, quality = setting.workforce.n_leaders[year, here], setting.path.quality[year, here]
        one = np.ones(len(here), np.int64)

        def rates(name: str, leaning: Floats, counts: Ints) -> Floats:
            weights = np.where(enrolment.in_scope, counts, 0)
            return rates_around(float(setting.conditions.rates[name][year]), leaning, weights)

        own = self._own[:, here]
        learning = rates("leader_learning", own[0] + 0.5 * quality, n_leaders)
        n_learning = rng.binomial(n_leaders, learning)
        answer_target = min(setting.conditions.staff_response + 0.05, 0.95)
        answers = rates_around(answer_target, own[1] + RESPONSE_STRENGTH * quality, np.where(enrolment.in_scope, n_leaders, 0))
        n_respondents = rng.binomial(n_leaders, answers)
        math = rates("confident_math", own[2] + 0.4 * quality, n_respondents)
        ela = rates("confident_ela", own[2], n_respondents)
        n_math, n_ela = rng.binomial(n_respondents, math), rng.binomial(n_respondents, ela)
        cycles = rates("monthly_cycle", own[3] + 0.5 * quality, np.where(self._says[here], one, 0))
        has_cycle = rng.random(len(here)) < cycles
        # Many schools walk through no lesson at all; those that do walk more often than four times mostly.
        walking = rates("walks", own[1] + 0.7 * quality, one)
        walks = rng.random(len(here)) < walking
        n_walks = rng.poisson(self._walk_rate[:, here]) * walks
        gives_cycle, gives_tenure = self._says[here], rng.random(len(here)) >= NO_PRINCIPAL
        tenure = self._tenure[year, here]
        has_tool = np.asarray(n_walks.sum(axis=0) > 0)

        note(truth, district, enrolment, "LC1", n_learning, n_leaders, n_leaders * learning)
        enough = np.all(n_walks >= ENOUGH_WALKS, axis=0).astype(np.int64)
        chance = walking * _enough_chance(self._walk_rate[:, here])
        note(truth, district, enrolment, "LC2", enough, one, chance)
        for index, code in enumerate(TENURES):
            expected = self._tenure_chances[year, here, index] * gives_tenure
            said = (tenure == index) & gives_tenure
            note(truth, district, enrolment, "LC3", said.astype(np.int64), gives_tenure.astype(np.int64), expected, category=code)
        said = has_cycle & gives_cycle
        note(truth, district, enrolment, "LC4", said.astype(np.int64), gives_cycle.astype(np.int64), cycles * gives_cycle)
        for name, n, rate in (("math", n_math, math), ("ela", n_ela, ela)):
            note(truth, district, enrolment, "LC8", n, n_respondents, n_respondents * rate, statistic=name)
        add_difference(truth, truth["indicators"][-2], truth["indicators"][-1], "difference")
        tool = np.where(setting.conditions.has_two_tools & self._second_tool[here], 1, 0)
        return pl.DataFrame(
            {
                "school_id": setting.school_ids(enrolment),
                "n_leaders": n_leaders,
                "n_leaders_math_learning": n_learning,
                "principal_tenure": _where(gives_tenure, gather(TENURES, tenure)),
                "monthly_math_data_cycle": _where(gives_cycle, pl.Series(has_cycle)),
                "n_walkthroughs_fall": n_walks[0],
                "n_walkthroughs_spring": n_walks[1],
                "walkthrough_tool": _where(has_tool, gather(TOOLS, tool)),
                "n_respondents": n_respondents,
                "n_confident_math": n_math,
                "n_confident_ela": n_ela,
            }
        )


def _where(is_given: Bools, values: pl.Series) -> pl.Series:
    """The values, blank where they are not given."""
    return pl.select(pl.when(pl.Series(is_given)).then(values)).to_series()


def _enough_chance(rate: Floats) -> Floats:
    """Chance that Poisson counts of these rates (semesters × schools) are enough in every semester."""
    fewer = np.zeros_like(rate)
    term = np.exp(-rate)
    for count in range(ENOUGH_WALKS):
        fewer += term
        term = term * rate / (count + 1)
    return np.asarray((1 - fewer).prod(axis=0))


class Observations:
    """Observed lessons of one district: what stays with its schools, and the rows of each year."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        rng = setting.generator("observations")
        n, conditions = setting.schools.n, setting.conditions
        # Schools once observed stay so: who is observed follows from the first year's quality.
        first = setting.path.quality[0]
        chance = expit(0.2 + (2.5 * (first - 0.8) if conditions.samples_on_purpose else 0.0 * first))
        draw = rng.random(n)
        self._is_observed = (draw < chance) | lowest_that_stay(draw, setting.schools)
        self._lessons = 4 + rng.poisson(0.35 * np.sqrt(setting.schools.size) * rng.lognormal(-0.2, 0.4, n))
        has_second = conditions.has_two_tools & (rng.random(n) < SECOND_TOOL)
        self._tool = np.where(has_second & ((has_second & self._is_observed).sum() >= FEWEST_OF_TOOL), 1, 0)
        self._own = rng.normal(0, 0.6, n)

    def rows(self, enrolment: Enrolment, truth: dict[str, Any]) -> pl.DataFrame:
        """Rows of one year, observed schools × core actions; adds the truth of EC8."""
        setting, year, here = self._setting, enrolment.year, enrolment.open_schools
        rng, district = setting.generator("observations", enrolment), setting.district.code
        n_lessons = np.where(self._is_observed[here], self._lessons[here] + rng.integers(-2, 3, len(here)), 0)
        tool, parts, is_purposive = self._tool[here], [], setting.conditions.samples_on_purpose
        for action in CORE_ACTIONS:
            weights = np.where(enrolment.in_scope, n_lessons, 0)
            leaning = self._own[here] + 0.5 * setting.path.quality[year, here]
            rate = rates_around(float(setting.conditions.rates[f"core_action_{action}"][year]), leaning, weights)
            n_rated = rng.binomial(n_lessons, rate)
            for index, name in enumerate(TOOLS):
                of_tool = np.where(tool == index, n_lessons, 0)
                if of_tool.any():
                    rated = np.where(tool == index, n_rated, 0)
                    note(
                        truth, district, enrolment, "EC8", rated, of_tool, of_tool * rate,
                        category=action, instrument=name, statistic="purposive" if is_purposive else "all_or_random",
                    )  # fmt: skip
            places = np.flatnonzero(n_lessons)
            parts.append(
                pl.DataFrame(
                    {
                        "school_id": setting.school_ids(enrolment, places),
                        "tool": gather(TOOLS, tool[places]),
                        "n_lessons": n_lessons[places],
                        "n_rated_3_4": n_rated[places],
                    }
                ).with_columns(
                    pl.lit(action).alias("core_action"),
                    pl.lit("purposive" if is_purposive else "random").alias("sampling"),
                )
            )
        return pl.concat(parts)


def leader_rows(setting: Setting) -> YearRows:
    """The part of school_leaders."""
    return Leaders(setting).rows


def observation_rows(setting: Setting) -> YearRows:
    """The part of observations."""
    return Observations(setting).rows

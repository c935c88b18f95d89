"""How each district goes about mathematics: its true rates of each year, its ways of asking, the effects planted in it.

Every share that a part draws starts from a rate here, so that what is planted has an exact size: `rates_around` gives
schools rates of their own whose weighted mean is the district's. Which schools there are, and what is counted, does not
belong here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from pipelines.synthetic.model import SCHOOL_YEARS, Bools, Floats, generator
from pipelines.synthetic.schools import NOT_YET, Schools

# The roles of the first six districts in a drawn order; a district beyond them has none.
COACHING, RETENTION, NEWCOMERS, STILL, ALSO_STILL, CHANGING = range(6)

# Between which shares a district's rate of the first year lies.
RANGES: Mapping[str, tuple[float, float]] = {
    # people
    "retained": (0.82, 0.89),
    "early_career": (0.09, 0.15),
    "certified": (0.78, 0.90),
    "prepared_hires": (0.45, 0.75),
    "vacant": (0.02, 0.07),
    "has_coach": (0.32, 0.55),
    # learning
    "learning_10h": (0.15, 0.38),
    "full_cycle": (0.10, 0.22),
    "learning_community": (0.08, 0.20),
    "mathematics_immersion": (0.02, 0.05),
    "k5_content": (0.20, 0.45),
    "sequenced": (0.10, 0.26),
    "diverse_learners": (0.15, 0.38),
    "other": (0.20, 0.40),
    # leaders
    "leader_learning": (0.32, 0.58),
    "leaders_answer": (0.66, 0.82),
    "confident_math": (0.48, 0.62),
    "confident_ela": (0.68, 0.84),
    "monthly_cycle": (0.30, 0.58),
    "walks": (0.35, 0.60),
    # lessons, by core action
    "core_action_1": (0.52, 0.68),
    "core_action_2": (0.38, 0.54),
    "core_action_3": (0.24, 0.42),
    # use of materials
    "regular_use": (0.44, 0.60),
    "modifying": (0.30, 0.50),
    "keep_teacher": (0.50, 0.68),
    "keep_leader": (0.56, 0.74),
    "keep_student": (0.42, 0.58),
    "keep_family": (0.55, 0.72),
    # mindset
    "self_efficacy": (0.54, 0.66),
    "belonging": (0.52, 0.64),
    "growth_mindset": (0.50, 0.63),
    "educator_belief": (0.62, 0.78),
    "change_readiness": (0.44, 0.62),
    "math_matters": (0.60, 0.74),
    # tutoring
    "adequate_dosage": (0.30, 0.52),
}
# What is added to the first year's rate, by role: exact, without a trend beside it.
PLANTED: Mapping[int, Mapping[str, tuple[float, float, float]]] = {
    COACHING: {
        "has_coach": (0.0, 0.12, 0.25),
        "full_cycle": (0.0, 0.08, 0.16),
        "regular_use": (0.0, 0.05, 0.10),
    },
    RETENTION: {"retained": (0.0, 0.0, -0.07)},
    NEWCOMERS: {"early_career": (0.0, 0.03, 0.08)},
}
INDICATORS_OF: Mapping[str, tuple[str, ...]] = {
    "has_coach": ("LC5",),
    "full_cycle": ("EC3",),
    "regular_use": ("CM3",),
    "retained": ("EC6",),
    "early_career": ("EC5",),
}
# Indicators whose rate a district has exactly, whatever schools open or close.
EXACT = (
    "SS7", "CM3", "CM4", "CM10", "EC1", "EC3", "EC4", "EC5", "EC6", "EC8", "EC9", "EC10", "EC12", "EC13", "EC14", "EC15",
    "LC1", "LC4", "LC5", "LC8", "MM1", "MM2", "MM3", "MM4", "MM5", "MM7",
)  # fmt: skip
# Share of those asked who answer: of teachers, leaders and other adults; of students.
STAFF_RESPONSE = {COACHING: 0.72, RETENTION: 0.34, CHANGING: 0.52}
STUDENT_RESPONSE = {COACHING: 0.70, RETENTION: 0.36, NEWCOMERS: 0.66, CHANGING: 0.52}
USUAL_RESPONSE = 0.74
# How much the log odds of answering rise with one unit of a school's quality of implementation.
RESPONSE_STRENGTH = 0.5
FIRST_OF_CHANGE = 1
SCHOOL_COACHES, SHARED_COACHES = (0.70, 0.20, 0.10), (0.25, 0.60, 0.15)


@dataclass(frozen=True)
class Conditions:
    """One district's true rates (one for each of SCHOOL_YEARS) and ways of asking.

    `inflates` and `visited` are the shares of schools that rate themselves one stage too high, and of those that
    somebody from outside rates; `coach_models` the shares of coaches of a school, a network and the district, by year.
    """

    code: str
    role: int
    rates: Mapping[str, Floats]
    staff_response: float
    student_response: float
    inflates: float
    visited: float
    coach_models: tuple[tuple[float, float, float], ...]

    @property
    def is_still(self) -> bool:
        """Whether nothing changes between the years."""
        return self.role in (STILL, ALSO_STILL)

    @property
    def uses_logs(self) -> bool:
        """Whether the use of the core title is read from logs and not asked."""
        return self.role == NEWCOMERS

    @property
    def samples_on_purpose(self) -> bool:
        """Whether lessons are observed in schools chosen for their implementation."""
        return self.role == RETENTION

    @property
    def asks_twice(self) -> bool:
        """Whether teachers are asked about materials in the fall and in the spring."""
        return self.role == CHANGING

    @property
    def has_two_tools(self) -> bool:
        """Whether schools observe lessons with one of two tools."""
        return self.role == CHANGING

    def changes_instrument(self, year: int) -> bool:
        """Whether students are asked with another instrument than in the first year."""
        return self.role == CHANGING and year >= FIRST_OF_CHANGE

    @property
    def has_weak_scale(self) -> bool:
        """Whether the belonging scale of the students' instrument has an alpha below .70."""
        return self.role == COACHING


def draw_conditions(seed: int, codes: Sequence[str]) -> dict[str, Conditions]:
    """The conditions of every district by code; the two still districts share their rates."""
    order = generator(seed, "network", "conditions").permutation(len(codes))
    drawn = {}
    for role, place in enumerate(order):
        code = codes[int(place)]
        is_still = role in (STILL, ALSO_STILL)
        names = ("still",) if is_still else (code,)
        rng = generator(seed, "network", "conditions", *names)
        years = np.arange(len(SCHOOL_YEARS))
        rates = {}
        for name, (low, high) in RANGES.items():
            first, trend = rng.uniform(low, high), rng.uniform(-0.004, 0.016)
            planted = PLANTED.get(role, {}).get(name)
            change = np.zeros(len(years)) if is_still else trend * years if planted is None else np.array(planted)
            rates[name] = np.clip(first + change, 0.005, 0.98)
        shifts = role == CHANGING
        drawn[code] = Conditions(
            code=code,
            role=role,
            rates=rates,
            staff_response=STAFF_RESPONSE.get(role, USUAL_RESPONSE),
            student_response=STUDENT_RESPONSE.get(role, USUAL_RESPONSE),
            inflates=0.45 if role == RETENTION else rng.uniform(0.18, 0.30),
            visited=rng.uniform(0.40, 0.60),
            coach_models=tuple(
                SHARED_COACHES if shifts and year >= FIRST_OF_CHANGE else SCHOOL_COACHES for year in range(len(SCHOOL_YEARS))
            ),
        )
    return drawn


def rates_around(target: float, leaning: Floats, weights: Floats, possible: Bools | None = None) -> Floats:
    """Rates of schools, logistic in `leaning`, whose mean under `weights` is `target`; 0 where not `possible`.

    Where the schools that can have a rate are too few for the target, they get 0.97; without any weight all
    schools weigh the same.
    """
    can = np.ones(len(leaning), bool) if possible is None else possible
    weights = weights if weights.sum() > 0 else np.ones(len(leaning))
    weight = np.where(can, weights, 0.0)
    if weight.sum() == 0:
        return np.where(can, target, 0.0)
    wanted = min(0.97, target * weights.sum() / weight.sum())
    low, high = -40.0, 40.0
    for _ in range(60):
        middle = (low + high) / 2
        mean = (weight * expit(leaning + middle)).sum() / weight.sum()
        low, high = (middle, high) if mean < wanted else (low, middle)
    return np.asarray(np.where(can, expit(leaning + (low + high) / 2), 0.0))


def lowest_that_stay(draw: Floats, schools: Schools) -> Bools:
    """For each row of draws, the one school with the lowest draw of those that are open in all years.

    So that what only some schools have is in some school of every year, however few schools there are.
    """
    staying = np.where((schools.opened == 0) & (schools.closed == NOT_YET), draw, np.inf)
    return np.asarray(draw == staying.min(axis=-1, keepdims=True))


def planted_effects(conditions: Mapping[str, Conditions]) -> list[dict[str, Any]]:
    """What the conditions plant: where, in which indicators, and how large it is in shares (of the last year or of all)."""

    def of(*roles: int) -> list[str]:
        return [code for code, held in conditions.items() if held.role in roles]

    texts = {
        "has_coach": "More schools have a mathematics coach each year",
        "full_cycle": "More teachers go through a full coaching cycle each year",
        "regular_use": "With more coaching, more teachers use the core title at least four days of five",
        "retained": "Fewer teachers come back to their school in the last year",
        "early_career": "The share of teachers in their first two years rises",
    }
    found = [
        {
            "effect": f"{name}_changes",
            "districts": of(role),
            "indicator_ids": list(INDICATORS_OF[name]),
            "change_by_year": dict(zip(SCHOOL_YEARS, changes, strict=True)),
            "size": changes[-1],
            "text": f"{texts[name]}; the change is against {SCHOOL_YEARS[0]}, as a share.",
        }
        for role, effects in PLANTED.items()
        for name, changes in effects.items()
    ]
    still = of(STILL, ALSO_STILL)
    exact = [*EXACT, "SS1"]
    return [
        *found,
        {
            "effect": "nothing_changes",
            "districts": still,
            "indicator_ids": exact,
            "size": 0.0,
            "text": "Every rate of implementation is the same in all years: a change of a share that one of these indicators "
            "shows here is chance.",
        },
        {
            "effect": "equal_districts",
            "districts": still if len(still) == 2 else [],
            "indicator_ids": exact,
            "size": 0.0,
            "text": "These districts have the same true rates: a difference of shares between them is chance.",
        },
        {
            "effect": "nonresponse_goes_with_implementation",
            "districts": list(conditions),
            "indicator_ids": ["CM3", "CM4", "CM10", "MM1", "MM2", "MM3", "MM4", "MM5", "MM7", "LC8"],
            "size": RESPONSE_STRENGTH,
            "text": "The log odds of answering rise by the size with each unit of a school's quality of implementation, so "
            "schools that use the core title more answer more.",
        },
        {
            "effect": "low_response",
            "districts": of(RETENTION, CHANGING),
            "indicator_ids": ["CM3", "CM4", "CM10", "MM1", "MM2", "MM3", "MM4", "MM7"],
            "staff_response": {code: conditions[code].staff_response for code in of(RETENTION, CHANGING)},
            "student_response": {code: conditions[code].student_response for code in of(RETENTION, CHANGING)},
            "text": "Fewer than 60 % of those asked answer, in one of the districts fewer than 40 %.",
        },
        {
            "effect": "inflated_self_ratings",
            "districts": list(conditions),
            "indicator_ids": ["SS1", "SS2", "SS3"],
            "sizes": {code: held.inflates for code, held in conditions.items()},
            "text": "The share of schools, by district, that rate themselves one stage higher than they are; ratings from "
            "outside are right, and fewer.",
        },
        {
            "effect": "logs_of_use",
            "districts": of(NEWCOMERS),
            "indicator_ids": ["CM3"],
            "text": "Teachers' use of the core title is read from logs; in the other districts teachers are asked.",
        },
        {
            "effect": "asked_twice",
            "districts": of(CHANGING),
            "indicator_ids": ["CM3", "CM4", "CM10"],
            "text": "Teachers are asked about materials in the fall and again in the spring.",
        },
        {
            "effect": "purposive_observations",
            "districts": of(RETENTION),
            "indicator_ids": ["EC8"],
            "text": "Lessons are observed in the schools of the best implementation and not in others.",
        },
        {
            "effect": "weak_scale",
            "districts": of(COACHING),
            "indicator_ids": ["MM2"],
            "text": "The students' belonging scale has an alpha below .70.",
        },
        {
            "effect": "new_instrument",
            "districts": of(CHANGING),
            "indicator_ids": ["MM1", "MM2", "MM3"],
            "first_school_year": SCHOOL_YEARS[FIRST_OF_CHANGE],
            "text": "From this year students are asked with another instrument.",
        },
        {
            "effect": "coaches_shared",
            "districts": of(CHANGING),
            "indicator_ids": ["LC7", "EC2"],
            "first_school_year": SCHOOL_YEARS[FIRST_OF_CHANGE],
            "size": SHARED_COACHES[1] - SCHOOL_COACHES[1],
            "text": "From this year most coaches serve a network instead of one school; the size is the change of the "
            "share of coached schools with a shared coach.",
        },
    ]

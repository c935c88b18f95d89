"""What a district's office itself reports: messages tried out, people reached, attention, policies and commitments.

One function a part, the truth beside the rows. Nothing here is of single schools; programmes stand in `programmes`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from pipelines.synthetic import known
from pipelines.synthetic.districts import District
from pipelines.synthetic.model import SCHOOL_YEARS, Bools, Floats, Ints, gather
from pipelines.synthetic.schools import Enrolment
from pipelines.synthetic.setting import Setting, YearRows

WAVES = ("fall", "spring")
CHALLENGES = ("size_and_scale", "materials", "educator_capacity", "leader_capacity", "mindset")

# --- messages ---

MESSAGE_INSTRUMENT = "Example Message Panel 2"
AUDIENCES_ASKED = ("families", "teachers", "school_leaders", "community")
MESSAGE_EFFECT = 0.12
MESSAGE_THAT_WORKS = "everyone-math-person"


@dataclass(frozen=True)
class _Message:
    """A message: the one that it is compared with, whether it is in use, whether anybody was asked about it."""

    message_id: str
    compared_with: str | None
    is_in_use: bool
    is_tested: bool
    strength: float


# Two that say the same with equal strength: a difference between them is chance.
MESSAGES = (
    _Message("math-matters-plain", None, True, True, 0.0),
    _Message(MESSAGE_THAT_WORKS, "math-matters-plain", True, True, 0.0),
    _Message("mistakes-grow-brains", "math-matters-plain", True, True, 0.05),
    _Message("algebra-opens-doors", "math-matters-plain", False, True, -0.06),
    _Message("jobs-of-tomorrow", "math-matters-plain", True, False, 0.0),
)
# The message without another to compare it with, which the others are compared with; it stands first.
CONTROL = 0

# --- people reached ---

TOPICS = ("Mathematics priorities of the year", "New core materials", "Algebra I by grade 9")
SURVEYED_TOPIC = TOPICS[0]
AUDIENCES_REACHED = ("families", "teachers", "school_leaders", "board", "community")
REACHED = np.array([0.46, 0.84, 0.92, 0.96, 0.12])
ENGAGED = np.array([0.16, 0.42, 0.61, 0.72, 0.08])
ANSWERING = np.array([0.11, 0.52, 0.66, 0.85, 0.02])
NAMING = np.array([0.28, 0.56, 0.74, 0.80, 0.18])
TOPIC_STRENGTH = np.array([0.0, -0.25, -0.5])
FAMILIES_REACHED_MORE = 0.8
BOARD_MEMBERS = 9

ABOUT = (
    "MM6: category is the message, statistic share or difference (against the message it is compared with); MM8 counts messages "
    "with any audience. SS8: audience, category (topic) and administration (term). SS9: statistic hours or initiatives. SS10: "
    "policies adopted two years or more before the end of the school year; numerator those in force or amended, with money until "
    "that day or later. SS11: audience; asked in spring about one topic."
)


def planted_effects(districts: Sequence[District]) -> list[dict[str, Any]]:
    """What this module plants: where, in which indicators, how large."""
    return [
        {
            "effect": "message_resonates",
            "districts": [district.code for district in districts if district.message_works],
            "indicator_ids": ["MM6"],
            "size": MESSAGE_EFFECT,
            "text": f"Among families {MESSAGE_THAT_WORKS} resonates with a larger share, by the size, than the message it is "
            "compared with; with everybody else and in the other districts it does exactly as well: a difference is chance.",
        },
        {
            "effect": "families_reached",
            "districts": [district.code for district in districts if district.reaches_families],
            "indicator_ids": ["SS8"],
            "size": FAMILIES_REACHED_MORE,
            "text": f"In {SCHOOL_YEARS[-1]} the log odds of reaching a family are higher by the size; everything else stays.",
        },
    ]


def _place(setting: Setting, enrolment: Enrolment, indicator_id: str, **breakdowns: str) -> dict[str, str]:
    place = {"indicator_id": indicator_id, "district": setting.district.code, "school_year": SCHOOL_YEARS[enrolment.year]}
    return {**place, **breakdowns}


def message_tests(setting: Setting) -> YearRows:
    """The part message_tests: messages × audiences × waves."""
    rng = setting.generator("message_tests")
    shape = (len(MESSAGES), len(AUDIENCES_ASKED), len(WAVES))
    centre = rng.uniform(0.46, 0.60, len(AUDIENCES_ASKED))
    n_panel = rng.integers(160, 620, len(AUDIENCES_ASKED))
    is_tested = np.broadcast_to(np.array([message.is_tested for message in MESSAGES])[:, None, None], shape)
    is_control = np.array([message.compared_with is None for message in MESSAGES])
    resonates = centre + np.array([message.strength for message in MESSAGES])[:, None]
    if setting.district.message_works:
        works = next(i for i, message in enumerate(MESSAGES) if message.message_id == MESSAGE_THAT_WORKS)
        resonates[works, AUDIENCES_ASKED.index("families")] += MESSAGE_EFFECT

    def rows(enrolment: Enrolment, truth: dict[str, Any]) -> pl.DataFrame:
        rng = setting.generator("message_tests", enrolment)
        p = np.broadcast_to(resonates[:, :, None], shape)
        n_shown = np.where(is_tested, rng.binomial(n_panel[:, None], 0.93, shape), 0)
        n_resonated = rng.binomial(n_shown, p)
        mean = 1 + 4 * np.clip(p + rng.normal(0, 0.02, shape), 0, 1)
        spread = rng.uniform(0.85, 1.15, shape)
        found: dict[tuple[int, int, int], Mapping[str, Any]] = {}
        for at in np.ndindex(shape):
            message, audience, wave = at
            if not is_tested[at]:
                continue
            place = _place(
                setting,
                enrolment,
                "MM6",
                audience=AUDIENCES_ASKED[audience],
                category=MESSAGES[message].message_id,
                instrument=MESSAGE_INSTRUMENT,
                administration=WAVES[wave],
                statistic="share",
            )
            n = int(n_shown[at])
            known.add_known(truth, place, int(n_resonated[at]), n, n * float(p[at]))
            found[at] = truth["indicators"][-1]
            if not is_control[message]:
                known.add_difference(truth, found[at], found[CONTROL, audience, wave], "difference")
        in_use = [message for message in MESSAGES if message.is_in_use]
        n_tested = sum(message.is_tested for message in in_use)
        known.add_known(truth, _place(setting, enrolment, "MM8"), n_tested, len(in_use))
        of_message, of_audience, of_wave = (axis.ravel() for axis in np.indices(shape))
        asked = pl.Series(is_tested.ravel())
        compared = gather([m.compared_with for m in MESSAGES], of_message)
        return pl.DataFrame(
            {
                "message_id": gather([m.message_id for m in MESSAGES], of_message),
                "audience": gather(AUDIENCES_ASKED, of_audience),
                "wave": gather(WAVES, of_wave),
                "is_in_use": np.array([m.is_in_use for m in MESSAGES])[of_message],
            }
        ).with_columns(
            pl.lit(MESSAGE_INSTRUMENT).alias("instrument"),
            pl.when(asked & ~pl.Series(is_control[of_message])).then(compared).alias("comparison_message"),
            *[
                pl.when(asked).then(pl.Series(counts.ravel())).alias(name)
                for name, counts in (("n_shown", n_shown), ("n_resonated", n_resonated))
            ],
            *[pl.when(~asked).then(pl.lit("z")).alias(f"{name}_symbol") for name in ("n_shown", "n_resonated")],
            pl.when(asked).then(pl.Series(mean.ravel().round(2))).alias("mean_rating"),
            pl.when(asked).then(pl.Series(spread.ravel().round(2))).alias("sd_rating"),
        )

    return rows


def _shifted(share: Floats, log_odds: Floats | float) -> Floats:
    """`share` moved by `log_odds`."""
    return np.asarray(1 / (1 + (1 / share - 1) * np.exp(-np.asarray(log_odds))))


def stakeholder_communication(setting: Setting) -> YearRows:
    """The part stakeholder_communication: audiences × topics × terms."""
    rng = setting.generator("stakeholder_communication")
    of_district = rng.normal(0, 0.25, (4, len(AUDIENCES_REACHED)))
    shape = (len(AUDIENCES_REACHED), len(TOPICS), len(WAVES))

    def rows(enrolment: Enrolment, truth: dict[str, Any]) -> pl.DataFrame:
        rng = setting.generator("stakeholder_communication", enrolment)
        students = int(enrolment.students[enrolment.in_scope].sum())
        n_schools = int(enrolment.in_scope.sum())
        people = np.array([round(0.72 * students), round(students / 19), 2 * n_schools, BOARD_MEMBERS, round(0.4 * students)])
        grows = np.zeros(len(AUDIENCES_REACHED))
        if setting.district.reaches_families and enrolment.year == len(SCHOOL_YEARS) - 1:
            grows[AUDIENCES_REACHED.index("families")] = FAMILIES_REACHED_MORE
        reach, engage, answer, name = (
            _shifted(share, moved) for share, moved in zip((REACHED, ENGAGED, ANSWERING, NAMING), of_district, strict=True)
        )
        p_reached = np.broadcast_to(_shifted(reach[:, None], grows[:, None] + TOPIC_STRENGTH)[:, :, None], shape)
        n_audience = np.broadcast_to(people[:, None, None], shape)
        n_reached = rng.binomial(n_audience, p_reached)
        n_engaged = rng.binomial(n_reached, engage[:, None, None])
        n_respondents = rng.binomial(n_audience, answer[:, None, None])
        n_naming = rng.binomial(n_respondents, name[:, None, None])
        for audience, topic, term in np.ndindex(shape):
            at = (audience, topic, term)
            where = {"audience": AUDIENCES_REACHED[audience], "category": TOPICS[topic], "administration": WAVES[term]}
            n = int(n_audience[at])
            known.add_known(truth, _place(setting, enrolment, "SS8", **where), int(n_reached[at]), n, n * float(p_reached[at]))
        asked = np.zeros(shape, bool)
        asked[:, TOPICS.index(SURVEYED_TOPIC), WAVES.index("spring")] = True
        for audience, code in enumerate(AUDIENCES_REACHED):
            n = int(n_respondents[audience][asked[audience]].sum())
            n_right = int(n_naming[audience][asked[audience]].sum())
            known.add_known(truth, _place(setting, enrolment, "SS11", audience=code), n_right, n, n * float(name[audience]))
        audience, topic, term = (axis.ravel() for axis in np.indices(shape))
        is_asked = pl.Series(asked.ravel())
        return pl.DataFrame(
            {
                "audience": gather(AUDIENCES_REACHED, audience),
                "topic": gather(TOPICS, topic),
                "term": gather(WAVES, term),
                "n_audience": n_audience.ravel(),
                "n_reached": n_reached.ravel(),
                "n_engaged": n_engaged.ravel(),
            }
        ).with_columns(
            *[
                pl.when(is_asked).then(pl.Series(counts.ravel())).alias(name)
                for name, counts in (("n_respondents", n_respondents), ("n_naming_priorities", n_naming))
            ],
            *[pl.when(~is_asked).then(pl.lit("z")).alias(f"{n}_symbol") for n in ("n_respondents", "n_naming_priorities")],
        )

    return rows


def district_priorities(setting: Setting) -> YearRows:
    """The part district_priorities: terms."""
    rng = setting.generator("district_priorities")
    hours, share = rng.uniform(380, 900), rng.uniform(0.16, 0.34)
    n_initiatives = int(rng.integers(14, 30))
    first_focus = int(rng.integers(len(CHALLENGES)))

    def rows(enrolment: Enrolment, truth: dict[str, Any]) -> pl.DataFrame:
        rng = setting.generator("district_priorities", enrolment)
        all_hours = (hours * rng.uniform(0.9, 1.1, len(WAVES))).round()
        math_hours = (all_hours * np.clip(share + rng.normal(0, 0.02, len(WAVES)), 0.05, 0.9)).round(1)
        initiatives = n_initiatives + rng.integers(-2, 3, len(WAVES))
        math = rng.binomial(initiatives, 0.22)
        place = _place(setting, enrolment, "SS9")
        known.add_known(truth, {**place, "statistic": "hours"}, float(math_hours.sum()), float(all_hours.sum()))
        known.add_known(truth, {**place, "statistic": "initiatives"}, int(math.sum()), int(initiatives.sum()))
        focus = (first_focus + enrolment.year) % len(CHALLENGES)
        return pl.DataFrame(
            {
                "term": WAVES,
                "pl_hours_math": math_hours,
                "pl_hours_all": all_hours,
                "n_initiatives": initiatives,
                "n_math_initiatives": math,
                "focus_challenge": [CHALLENGES[focus]] * len(WAVES),
                "shares_with_peers": [None if draw < 0.15 else bool(draw < 0.7) for draw in rng.random(len(WAVES))],
            }
        )

    return rows


# --- policies ---

POLICIES = (
    "Sixty minutes of mathematics a day in the elementary grades",
    "One core title for every grade and course",
    "Algebra I open to every student of grade 8",
    "A mathematics coach for every school with more than 20 mathematics teachers",
    "Joint planning time for mathematics teachers",
    "High-dosage tutoring in grades 6 to 9",
    "Four mathematics walkthroughs a semester",
    "Mathematics credit in every year of high school",
)
FIRST_ADOPTION = date(2019, 8, 15)
FAR_AWAY = date(2030, 6, 30)


def _last_day(school_year: str) -> date:
    return date(int(school_year[:4]) + 1, 6, 30)


def _two_years_later(day: date) -> tuple[int, int, int]:
    """Year, month, day two years after `day`, comparable to those of a date; the 29th of February has no such date."""
    return day.year + 2, day.month, day.day


def policy_register(setting: Setting) -> YearRows:
    """The part policy_register: policies; a register keeps what has ended."""
    rng = setting.generator("policy_register")
    n = len(POLICIES)
    adopted = [FIRST_ADOPTION + timedelta(days=int(days)) for days in np.sort(rng.integers(0, 2400, n))]
    fate = rng.choice(["lasts", "amended", "money_ends", "ends", "suspended"], n, p=[0.42, 0.16, 0.20, 0.14, 0.08])
    # Money ends, and a policy, well before two years are over, so that every reading of "sustained" agrees.
    ends = [day + timedelta(days=int(days)) for day, days in zip(adopted, rng.integers(300, 680, n), strict=True)]
    challenge = rng.integers(0, len(CHALLENGES), n)

    def rows(enrolment: Enrolment, truth: dict[str, Any]) -> pl.DataFrame:
        last = _last_day(SCHOOL_YEARS[enrolment.year])
        held = [i for i in range(n) if adopted[i] <= last]
        status, funded = [], []
        for i in held:
            is_over = ends[i] <= last
            after = {"lasts": "in_force", "amended": "amended", "money_ends": "in_force", "ends": "ended"}
            status.append(after.get(str(fate[i]), "suspended") if is_over else "in_force")
            no_money = fate[i] in ("money_ends", "ends", "suspended")
            funded.append(ends[i] if no_money else FAR_AWAY)
        old = [k for k, i in enumerate(held) if _two_years_later(adopted[i]) <= (last.year, last.month, last.day)]
        sustained = [k for k in old if status[k] in ("in_force", "amended") and funded[k] >= last]
        known.add_known(truth, _place(setting, enrolment, "SS10"), len(sustained), len(old))
        return pl.DataFrame(
            {
                "policy": [POLICIES[i] for i in held],
                "adopted_date": [adopted[i] for i in held],
                "funded_until": funded,
                "status": status,
                "challenge": [CHALLENGES[int(challenge[i])] for i in held],
            },
            schema_overrides={"adopted_date": pl.Date, "funded_until": pl.Date},
        )

    return rows


# --- commitments ---

CONVENINGS = ("2024", "2025", "2026")
PROMISES = (
    ("size_and_scale", "We bring the core title to every in-scope school and have an outside team verify the stage of each."),
    ("size_and_scale", "We offer tutoring at adequate dosage to every student of grade 9 who needs it."),
    ("materials", "We order core materials by June so that they are in classrooms on the first day."),
    ("materials", "We check every intervention title against the core title and drop those that contradict it."),
    ("educator_capacity", "We give every teacher of a new title ten hours of learning on it before winter."),
    ("educator_capacity", "We train teacher leaders for learning communities in every network."),
    ("leader_capacity", "We walk through mathematics lessons four times a semester with one common tool."),
    ("mindset", "We ask students about belonging in mathematics twice a year and talk about the answers with them."),
)
PER_CONVENING = 3
PROGRESS = ("not_started", "in_progress", "done")


def commitments(setting: Setting) -> YearRows:
    """The part commitments: what was promised at every convening up to the year, and where it stands."""
    rng = setting.generator("commitments")
    n = PER_CONVENING * len(CONVENINGS)
    promise = np.concatenate([rng.choice(len(PROMISES), PER_CONVENING, replace=False) for _ in CONVENINGS])
    made = np.repeat(np.arange(len(CONVENINGS)), PER_CONVENING)
    pace: Ints = rng.integers(0, 2, n)
    is_dropped: Bools = rng.random(n) < 0.12
    months = rng.integers(6, 24, n)

    def rows(enrolment: Enrolment, _: dict[str, Any]) -> pl.DataFrame:
        held = np.flatnonzero(made <= enrolment.year)
        age = enrolment.year - made[held]
        step = np.minimum(age + pace[held] * (age > 0), len(PROGRESS) - 1)
        status = ["dropped" if is_dropped[i] and a > 0 else PROGRESS[s] for i, a, s in zip(held, age, step, strict=True)]
        due = [date(int(CONVENINGS[made[i]]), 7, 31) + timedelta(days=int(30.4 * months[i])) for i in held]
        return pl.DataFrame(
            {
                "convening": [CONVENINGS[made[i]] for i in held],
                "commitment_id": [f"C{CONVENINGS[made[i]]}-{i % PER_CONVENING + 1}" for i in held],
                "challenge": [PROMISES[int(promise[i])][0] for i in held],
                "text": [PROMISES[int(promise[i])][1] for i in held],
                "due_date": due,
                "status": status,
            },
            schema_overrides={"due_date": pl.Date},
        )

    return rows

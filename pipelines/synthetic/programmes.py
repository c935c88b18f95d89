"""Programmes of a district: whom they reach, how they are rated, what changes in teachers' habits of mind.

Which programmes there are stands in the code list `programs`; a district runs those of the kinds that its traits say. Only
groups of teachers are described, never one. What the district's office reports about itself stands in `offices`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from pipelines.synthetic import known
from pipelines.synthetic.districts import District
from pipelines.synthetic.model import SCHOOL_YEARS, Floats, Ints, gather
from pipelines.synthetic.schools import Enrolment
from pipelines.synthetic.setting import Setting, YearRows

LEARNING_COMMUNITY, IMMERSION = "learning_community", "immersion"
FEW, MANY = "few", "many"
# In which year a leader of a district that supports too few or too many teachers does so.
BAND_BROKEN = {(FEW, 1): FEW, (MANY, 2): MANY}
HABITS: Mapping[str, float] = {
    "applying_mathematical_reasoning": 0.45,
    "performing_purposeful_experiments": 0.30,
    "seeking_underlying_structure": 0.20,
    "using_precise_mathematical_language": 0.0,
}
HABITS_INSTRUMENT = "Sample Habits of Mind Measure 1.2"
HABITS_CENTRE, HABITS_SD, HABITS_CORRELATION = 3.0, 0.7, 0.6
REACH_COLUMNS = {
    **dict.fromkeys(("program_id", "cohort", "n_leaders_trained_symbol", "n_mathematician_sessions_symbol"), pl.String()),
    **dict.fromkeys(("training_cost_usd", "immersion_hours"), pl.Float64()),
    **dict.fromkeys(
        (
            "n_leaders_trained", "n_teachers_supported", "n_students_reached", "n_mathematician_sessions",
            "n_study_group_sessions", "n_participants", "n_now_facilitating",
        ),
        pl.Int64(),
    ),
}  # fmt: skip
RUBRIC_COLUMNS = dict.fromkeys(("program_id", "principle", "rater", "rating", "evidence"), pl.String())
HABITS_COLUMNS = {
    **dict.fromkeys(("program_id", "cohort", "habit", "occasion", "instrument"), pl.String()),
    **dict.fromkeys(("n_teachers", "n_paired"), pl.Int64()),
    **dict.fromkeys(("mean_score", "sd_score", "mean_change", "sd_change"), pl.Float64()),
}
SMALLEST_GROUP = 10
PRINCIPLES = "ABCDEFGHIJ"
ACCOMPLISHED = "all_rules_met"
# A + accomplished, o developing, - undeveloped; what decides is said beside each.
RUBRIC_CASES = (
    ("++++o+++o+", ACCOMPLISHED),
    ("+++-++++o+", "undeveloped_principle"),
    ("+o+oo+++o+", "more_than_three_developing"),
    ("o++++++++o", "A_not_accomplished"),
    ("+++++" + "+" + "ooo+", "none_of_G_H_I"),
)
RATING_OF_SIGN = {"+": "accomplished", "o": "developing", "-": "undeveloped"}
ABOUT = (
    "PR1: statistic leader, teacher or student (dollars for one), where leaders are trained; PR2, PR3, PR4, PR6: of the cohorts "
    "of a programme together, PR4 with statistic hours, mathematician_sessions and study_group_sessions; PR5: category is the "
    "rater, numerator 1 where the programme is accomplished, reason what decided. EC11: numerator is the mean change, "
    "denominator the SD of the scores before, category the habit, expected the planted change in SD of the scores before."
)


def planted_effects(districts: Sequence[District]) -> list[dict[str, Any]]:
    """What this module plants: where, in which indicators, how large."""
    return [
        {
            "effect": "habits_of_mind_change",
            "districts": [district.code for district in districts if district.runs_immersion],
            "indicator_ids": ["EC11"],
            "sizes": dict(HABITS),
            "text": "Teachers of the immersion programme change by these sizes, in SD of the scores before; one habit does not "
            "change at all.",
        },
        {
            "effect": "band_of_teachers_per_leader_broken",
            "districts": [district.code for district in districts if district.supports_too],
            "indicator_ids": ["PR2"],
            "changes": [
                {"district": district.code, "school_year": SCHOOL_YEARS[year], "teachers": how}
                for district in districts
                for (how, year) in BAND_BROKEN
                if district.supports_too == how
            ],
            "text": "In one cohort of the year a leader supports fewer or more teachers than the programme's band says.",
        },
    ]


def _programs(setting: Setting) -> list[dict[str, Any]]:
    """The programmes that the district runs, as rows of the code list."""
    kinds = {
        LEARNING_COMMUNITY: setting.district.runs_learning_communities,
        IMMERSION: setting.district.runs_immersion,
    }
    return [row for row in setting.programs.iter_rows(named=True) if kinds.get(row["kind"], False)]


def _place(setting: Setting, enrolment: Enrolment, indicator_id: str, **breakdowns: str) -> dict[str, str]:
    place = {"indicator_id": indicator_id, "district": setting.district.code, "school_year": SCHOOL_YEARS[enrolment.year]}
    return {**place, **breakdowns}


def _cohorts(enrolment: Enrolment) -> list[str]:
    year = SCHOOL_YEARS[enrolment.year][:4]
    return [f"{year}-fall", f"{year}-spring"]


def _participants(setting: Setting, program: Mapping[str, Any], enrolment: Enrolment) -> Ints:
    """Teachers of each cohort of an immersion programme: enough for a group to be described, but for one."""
    rng = setting.generator(f"programmes/{program['code']}/participants", enrolment)
    n = np.maximum(14, np.round(rng.uniform(14, 44, 2) * max(1.0, setting.district.n_schools / 300))).astype(np.int64)
    if enrolment.year == 1:
        n[1] = SMALLEST_GROUP - 2
    return np.asarray(n)


def program_reach(setting: Setting) -> YearRows:
    """The part program_reach: programmes × cohorts of the year."""
    programs = _programs(setting)

    def rows(enrolment: Enrolment, truth: dict[str, Any]) -> pl.DataFrame:
        found = [_reach_of(setting, program, enrolment, truth) for program in programs]
        return pl.concat([pl.DataFrame(schema=REACH_COLUMNS), *found], how="diagonal")

    return rows


def _reach_of(setting: Setting, program: Mapping[str, Any], enrolment: Enrolment, truth: dict[str, Any]) -> pl.DataFrame:
    rng = setting.generator(f"programmes/{program['code']}", enrolment)
    size = setting.district.n_schools / 300
    has_leaders = program["kind"] == LEARNING_COMMUNITY
    leaders: Ints | None = None
    cost: Floats | None = None
    hours: Floats | None = None
    sessions: Ints | None = None
    if has_leaders:
        low, high = int(program["teachers_per_leader_low"]), int(program["teachers_per_leader_high"])
        leaders = np.maximum(2, np.round(rng.uniform(6, 26, 2) * max(0.2, size))).astype(np.int64)
        per_leader = rng.uniform(low + 2, high - 3, 2)
        teachers = np.round(leaders * per_leader).astype(np.int64)
        broken = BAND_BROKEN.get((setting.district.supports_too, enrolment.year))
        if broken is not None:
            teachers[0] = round(int(leaders[0]) * (0.6 * low if broken == FEW else 1.4 * high))
        cost = np.round(leaders * float(program["leader_training_cost_usd"]) * rng.uniform(0.85, 1.3, 2), 2)
        participants = leaders + rng.binomial(teachers, 0.9)
        groups = np.round(leaders * rng.uniform(8, 14, 2)).astype(np.int64)
        facilitating = leaders + rng.binomial(participants - leaders, 0.04)
    else:
        participants = teachers = _participants(setting, program, enrolment)
        hours = np.round(participants * rng.uniform(48, 96, 2), 1)
        sessions = rng.integers(10, 24, 2)
        groups = rng.integers(12, 30, 2)
        facilitating = rng.binomial(participants, 0.18)
    students = np.round(teachers * rng.uniform(24, 68, 2)).astype(np.int64)

    def note(indicator_id: str, numerator: Any, denominator: Any, **breakdowns: str) -> None:
        place = _place(setting, enrolment, indicator_id, program_id=program["code"], **breakdowns)
        known.add_known(truth, place, numerator, denominator)

    if leaders is not None and cost is not None:
        for statistic, people in (("leader", leaders), ("teacher", teachers), ("student", students)):
            note("PR1", float(cost.sum()), int(people.sum()), statistic=statistic)
        note("PR2", int(teachers.sum()), int(leaders.sum()))
        for cohort, n, of in zip(_cohorts(enrolment), teachers.tolist(), leaders.tolist(), strict=True):
            note("PR2", n, of, cohort=cohort)
    note("PR3", int(students.sum()), 1)
    note("PR6", int(facilitating.sum()), int(participants.sum()))
    if hours is not None and sessions is not None:
        note("PR4", float(hours.sum()), int(participants.sum()), statistic="hours")
        note("PR4", int(sessions.sum()), 1, statistic="mathematician_sessions")
    note("PR4", int(groups.sum()), 1, statistic="study_group_sessions")
    blank = pl.Series([None, None], dtype=pl.Int64)
    none = pl.Series(["z", "z"], dtype=pl.String)
    no_reason = pl.Series([None, None], dtype=pl.String)
    return pl.DataFrame(
        {
            "program_id": [program["code"]] * 2,
            "cohort": _cohorts(enrolment),
            "n_leaders_trained": blank if leaders is None else leaders,
            "n_leaders_trained_symbol": none if leaders is None else no_reason,
            "training_cost_usd": pl.Series([None, None], dtype=pl.Float64) if cost is None else cost,
            "n_teachers_supported": teachers,
            "n_students_reached": students,
            "immersion_hours": pl.Series([None, None], dtype=pl.Float64) if hours is None else hours,
            "n_mathematician_sessions": blank if sessions is None else sessions,
            "n_mathematician_sessions_symbol": none if sessions is None else no_reason,
            "n_study_group_sessions": groups,
            "n_participants": participants,
            "n_now_facilitating": facilitating,
        }
    )


def program_rubric(setting: Setting) -> YearRows:
    """The part program_rubric: programmes × principles × raters."""
    rng = setting.generator("program_rubric")
    programs = _programs(setting)
    first = [int(start) for start in rng.integers(0, len(RUBRIC_CASES), len(programs))]

    def rows(enrolment: Enrolment, truth: dict[str, Any]) -> pl.DataFrame:
        parts = [pl.DataFrame(schema=RUBRIC_COLUMNS)]
        for program, start in zip(programs, first, strict=True):
            reviewer = RUBRIC_CASES[(start + enrolment.year) % len(RUBRIC_CASES)]
            # Programmes see themselves a little better: what a reviewer calls undeveloped they call developing.
            itself = reviewer[0].replace("-", "o")
            for rater, signs in (("self", itself), ("reviewer", reviewer[0])):
                reason = rubric_reason(signs)
                place = _place(setting, enrolment, "PR5", program_id=program["code"], category=rater)
                known.add_known(truth, {**place, "reason": reason}, int(reason == ACCOMPLISHED), 1)
                parts.append(
                    pl.DataFrame(
                        {
                            "program_id": [program["code"]] * len(PRINCIPLES),
                            "principle": list(PRINCIPLES),
                            "rater": [rater] * len(PRINCIPLES),
                            "rating": [RATING_OF_SIGN[sign] for sign in signs],
                            "evidence": [
                                f"Invented evidence about principle {principle} in {SCHOOL_YEARS[enrolment.year]}."
                                if sign == "+"
                                else None
                                for principle, sign in zip(PRINCIPLES, signs, strict=True)
                            ],
                        },
                        schema_overrides={"evidence": pl.String},
                    )
                )
        return pl.concat(parts)

    return rows


def rubric_reason(signs: str) -> str:
    """What decides on ten ratings, in the order of PRINCIPLES: ACCOMPLISHED or the first reason against it."""
    if "-" in signs:
        return "undeveloped_principle"
    if signs.count("o") > 3:
        return "more_than_three_developing"
    if signs[PRINCIPLES.index("A")] != "+":
        return "A_not_accomplished"
    if "+" not in signs[PRINCIPLES.index("G") : PRINCIPLES.index("I") + 1]:
        return "none_of_G_H_I"
    return ACCOMPLISHED


def habits_of_mind(setting: Setting) -> YearRows:
    """The part habits_of_mind: immersion programmes × cohorts × habits × occasions; no rows without such a programme."""
    programs = [program for program in _programs(setting) if program["kind"] == IMMERSION]

    def rows(enrolment: Enrolment, truth: dict[str, Any]) -> pl.DataFrame:
        parts = [pl.DataFrame(schema=HABITS_COLUMNS)]
        for program in programs:
            rng = setting.generator(f"programmes/{program['code']}/habits", enrolment)
            sizes = _participants(setting, program, enrolment).tolist()
            for cohort, n in zip(_cohorts(enrolment), sizes, strict=True):
                place = {"program_id": str(program["code"]), "cohort": cohort}
                parts.append(_habits_of(setting, rng, enrolment, place, int(n), truth))
        return pl.concat(parts, how="diagonal")

    return rows


def _habits_of(
    setting: Setting, rng: np.random.Generator, enrolment: Enrolment, group: Mapping[str, str], n: int, truth: dict[str, Any]
) -> pl.DataFrame:
    """Rows of one cohort: scores of teachers are drawn, and nothing but their moments is kept."""
    changes = np.array(list(HABITS.values()))
    common = rng.normal(0, 1, (n, len(HABITS)))
    before = HABITS_CENTRE + HABITS_SD * common
    own = rng.normal(0, 1, (n, len(HABITS)))
    after = HABITS_CENTRE + HABITS_SD * (changes + HABITS_CORRELATION * common + np.sqrt(1 - HABITS_CORRELATION**2) * own)
    is_small = n < SMALLEST_GROUP

    def moments(scores: Floats) -> tuple[Floats, Floats]:
        return scores.mean(axis=0).round(3), scores.std(axis=0, ddof=1).round(3)

    (mean_before, sd_before), (mean_after, sd_after) = moments(before), moments(after)
    mean_change, sd_change = moments(after - before)
    if not is_small:
        for habit, changed, spread, size in zip(HABITS, mean_change.tolist(), sd_before.tolist(), changes.tolist(), strict=True):
            place = _place(setting, enrolment, "EC11", **group, category=habit, instrument=HABITS_INSTRUMENT)
            known.add_known(truth, place, changed, spread, size * HABITS_SD)
    m = len(HABITS)
    nothing = np.full(m, np.nan)
    counts = pl.Series([None if is_small else n] * (2 * m), dtype=pl.Int64)
    frame = pl.DataFrame(
        {
            "program_id": [group["program_id"]] * (2 * m),
            "cohort": [group["cohort"]] * (2 * m),
            "habit": gather(tuple(HABITS), np.tile(np.arange(m), 2)),
            "occasion": ["before"] * m + ["after"] * m,
            "n_teachers": counts,
            "mean_score": np.concatenate([mean_before, mean_after]),
            "sd_score": np.concatenate([sd_before, sd_after]),
            "n_paired": counts,
            "mean_change": np.concatenate([nothing, mean_change]),
            "sd_change": np.concatenate([nothing, sd_change]),
        }
    )
    is_after, reason = pl.col("occasion") == "after", "c" if is_small else None
    hidden = pl.lit(not is_small)
    return frame.with_columns(
        pl.lit(HABITS_INSTRUMENT).alias("instrument"),
        pl.lit(reason, pl.String).alias("n_teachers_symbol"),
        pl.when(is_after).then("n_paired").alias("n_paired"),
        pl.when(is_after).then(pl.lit(reason, pl.String)).otherwise(pl.lit("z")).alias("n_paired_symbol"),
        *[pl.when(hidden).then(name).alias(name) for name in ("mean_score", "sd_score")],
        *[pl.when(hidden & is_after).then(name).alias(name) for name in ("mean_change", "sd_change")],
    )

"""Invented values of implementation indicators for the hand-made release: one indicator of every shape that pages must cope with.

Surveys with low response and other instruments, self-ratings beside verified ones, grade bands, respondents, audiences, waves,
several measures of one indicator, differences, dollars, programmes, groups of schools, and shares shown as protected ranges.
"""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]

DISTRICTS = ("chicago", "houston", "los_angeles", "miami_dade", "new_york_city")
YEARS = ("2022-23", "2023-24", "2024-25")
LOW_RESPONSE, OTHER_INSTRUMENT, NEW_INSTRUMENT = "houston", "los_angeles", "chicago"
COMMUNITY, IMMERSION = "learning_groups", "summer_institute"
LEVELS = ("elementary", "middle", "high")
# Whose teachers in immersion are few and whose board was reached all but wholly, in the last year.
FEW_IMMERSED, BOARD_REACHED = "houston", "miami_dade"
_COUNTED = {"size_and_scale": "schools", "materials": "students"}
_HALF = 1.959964


def network_indicators() -> list[Row]:
    """One definition a shape; the ids are those of the project, the definitions short."""
    return [
        _indicator(
            "SS1",
            "School reach",
            "size_and_scale",
            "Schools at initial or full implementation.",
            direction="higher is better for verified",
        ),
        _indicator("SS3", "Stage mix and pace", "size_and_scale", "Schools in each stage.", is_describe_only=True),
        _indicator(
            "SS8", "Stakeholder reach", "size_and_scale", "People reached, by audience.", is_describe_only=True, interval="wilson"
        ),
        _indicator(
            "CM3",
            "Regular use",
            "materials",
            "Teachers using the core title on 4 of 5 days.",
            basis="survey",
            interval="clustered",
        ),
        _indicator(
            "CM11",
            "Access gap",
            "materials",
            "Coverage of a group less that of all.",
            unit="difference_of_shares",
            interval="given",
        ),
        _indicator("EC2", "Coach load", "educator_capacity", "Math teachers for one coach.", unit="teachers per FTE"),
        _indicator("EC10", "Mathematics immersion", "educator_capacity", "Teachers in sustained immersion.", interval="wilson"),
        _indicator(
            "EC11",
            "Habits-of-mind change",
            "educator_capacity",
            "After less before.",
            unit="SD",
            basis="survey",
            interval="given",
        ),
        _indicator(
            "LC8",
            "Confidence, math against ELA",
            "leader_capacity",
            "Leaders.",
            unit="difference_of_shares",
            basis="survey",
            interval="given",
        ),
        _indicator("MM1", "Student self-efficacy", "mindset", "Favorable answers.", basis="survey", interval="clustered"),
        _indicator("MM7", "Change readiness", "mindset", "Staff agreeing.", basis="survey", interval="clustered"),
        _indicator("PR1", "Cost per person", "programs", "Dollars for one.", unit="USD"),
        _indicator("PR2", "Teachers per trained leader", "programs", "Teachers a leader supports.", unit="teachers per leader"),
        _indicator("PR3", "Students reached", "programs", "Students.", unit="count"),
        _indicator(
            "PR5", "Design principles", "programs", "Accomplished by the rubric's rules.", unit="rating", is_describe_only=True
        ),
    ]


def _indicator(code: str, name: str, challenge: str, definition: str, **more: Any) -> Row:
    return {
        "indicator_id": code,
        "name": name,
        "challenge": challenge,
        "definition": definition,
        "numerator": "what is counted",
        "denominator": "out of what",
        "unit": "share",
        "counts": _COUNTED.get(challenge, "adults"),
        "basis": "administrative",
        "is_describe_only": False,
        "definition_version": "1",
        "caveats": "Invented for tests.",
    } | more


def network_values() -> list[Row]:
    """Values of five districts over three years; Chicago changed its survey in the last year."""
    rows: list[Row] = []
    for place, district in enumerate(DISTRICTS):
        for step, year in enumerate(YEARS):
            make = _Maker(district, year, rows)
            _size_and_scale(make, place, step)
            _materials(make, place, step)
            _educators(make, place, step)
            _leaders_and_mindset(make, place, step)
            _programs(make, place)
    return rows


class _Maker:
    """Adds rows of one district and year."""

    def __init__(self, district: str, year: str, rows: list[Row]) -> None:
        self.district, self.year, self.rows = district, year, rows

    def __call__(
        self, indicator: str, value: float | str, unit: str = "share", n: int | None = 400, half: float | None = None, **more: Any
    ) -> None:
        row: Row = {
            "indicator_id": indicator,
            "definition_version": "1",
            "district": self.district,
            "school_year": self.year,
            "unit_type": "district",
            "unit_id": self.district,
            "unit": unit,
            "sources": f"{self.district}.curriculum_adoption.{self.year}.001",
        }
        if isinstance(value, str):
            row |= {"symbol": value, "n": n if value == "r" else None}
        else:
            row |= {"value": value, "n": n}
            if unit == "share" and n is not None:
                row |= {"numerator": value * n, "denominator": float(n)}
            if half is not None:
                row |= {"lower": value - half, "upper": value + half, "standard_error": half / _HALF}
        self.rows.append(row | more)


def _size_and_scale(make: _Maker, place: int, step: int) -> None:
    reach = 0.30 + 0.05 * place + 0.10 * step
    for category, more in (("verified", 0.0), ("self", 0.15)):
        flags = "self_rated" if category == "self" else None
        make("SS1", reach + more, n=240, n_schools=240, category=category, flags=flags)
        for at, level in enumerate(LEVELS):
            make("SS1", reach + more - 0.04 * at, n=80, n_schools=80, category=category, school_level=level, flags=flags)
        for network in ("1", "2"):
            make("SS1", reach + more - 0.02, n=120, n_schools=120, category=category, network_id=network, flags=flags)
        make("SS1", reach + more + 0.03, n=200, n_schools=200, category=category, school_set="continuing", flags=flags)
    for at, stage in enumerate(("exploration", "installation", "initial", "full")):
        make("SS3", 0.1 + 0.1 * at, n=240, category=stage, statistic="share")
        make("SS3", 4.0 + 3 * at, "months", n=240, category=stage, statistic="median_months")
    for audience in ("families", "teachers", "board"):
        for term in ("fall", "spring"):
            split = {"audience": audience, "administration": term}
            if (make.district, make.year, audience) == (BOARD_REACHED, YEARS[-1], "board"):
                make("SS8", "r", n=5_000, denominator=5_000.0, at_least=0.998, at_most=1.0, **split)
            else:
                make("SS8", 0.2 + 0.1 * place, n=5_000, half=0.02, **split)


def _materials(make: _Maker, place: int, step: int) -> None:
    instrument = "use_b" if make.district == OTHER_INSTRUMENT else "use_a"
    low = make.district == LOW_RESPONSE
    answered = {"response_rate": 0.36 if low else 0.72, "flags": "low_response; response_below_floor" if low else None}
    make("CM3", 0.50 + 0.04 * place + 0.03 * step, half=0.05, n_schools=56, category="survey", instrument=instrument, **answered)
    if place == 3:
        make("CM3", 0.61, half=0.03, n_schools=60, category="log", instrument="publisher_log")
    for subgroup, gap in (("english_learner", -0.06), ("low_income", 0.02)):
        make("CM11", gap, "difference_of_shares", half=0.03, subgroup=subgroup)


def _educators(make: _Maker, place: int, step: int) -> None:
    make("EC2", "x" if place == 1 and step == 1 else 41.25 - place - step, "teachers per FTE", n=1_240)
    if (make.district, make.year) == (FEW_IMMERSED, YEARS[-1]):
        make("EC10", "r", n=1_240, denominator=1_240.0, at_least=0.0, at_most=0.01, statistic="share")
    else:
        make("EC10", 0.08 + 0.01 * step, n=1_240, half=0.015, statistic="share")
    make("EC10", 44.5, "hours", n=99, statistic="hours_per_teacher")
    for habit in ("seeking_underlying_structure", "using_precise_mathematical_language"):
        make(
            "EC11",
            "u" if place == 2 else 0.31,
            "SD",
            n=42,
            half=0.2,
            program_id=IMMERSION,
            cohort=f"{make.year[:4]}_summer",
            category=habit,
            instrument="habits_1",
        )


def _leaders_and_mindset(make: _Maker, place: int, step: int) -> None:
    make("LC8", -0.08 + 0.01 * place, "difference_of_shares", n=180, half=0.05, instrument="leaders_1", response_rate=0.81)
    instrument = "beliefs_2" if make.district == NEW_INSTRUMENT and make.year == YEARS[-1] else "beliefs_1"
    alpha = "low_alpha" if make.district == "miami_dade" else None
    for at, band in enumerate(("3_5", "6_8", "9_12")):
        split = {"respondent": "student", "grade": band, "instrument": instrument, "response_rate": 0.7, "flags": alpha}
        make("MM1", 0.66 - 0.05 * at + 0.02 * step, n=9_000, half=0.02, n_schools=80, statistic="favorable", **split)
        make("MM1", 3.41 - 0.1 * at, "points", n=9_000, half=0.05, n_schools=80, statistic="mean", **split)
    for respondent in ("teacher", "leader"):
        for wave, more in (("fall", 0.0), ("spring", 0.06)):
            make("MM7", 0.5 + more, n=300, half=0.04, respondent=respondent, administration=wave, instrument="ready_1")


def _programs(make: _Maker, place: int) -> None:
    for statistic, cost in (("leader", 1_512.4), ("teacher", 96.03), ("student", 3.85)):
        make("PR1", cost + place, "USD", n=60, program_id=COMMUNITY, statistic=statistic)
    for cohort, load in ((None, 14.0 + 4 * place), ("2024_a", 6.5)):
        flags = "below_band" if load < 8 else "above_band" if load > 25 else None
        make("PR2", load, "teachers per leader", n=60, program_id=COMMUNITY, cohort=cohort, flags=flags)
    make("PR3", 12_400.0 + place, "count", n=60, program_id=COMMUNITY)
    for rater, met, flag in (("self", 1.0, "all_rules_met"), ("reviewer", 0.0, "more_than_three_developing")):
        make("PR5", met, "accomplished", n=None, program_id=COMMUNITY, category=rater, flags=flag)
        for at, principle in enumerate("ABCDEFGHIJ"):
            rating = 2.0 if rater == "reviewer" and at in (1, 2, 3, 4) else 3.0
            word = "developing" if rating == 2.0 else "accomplished"
            make("PR5", rating, "rating", n=None, program_id=COMMUNITY, category=rater, statistic=principle, flags=word)


def programs() -> list[Row]:
    """Two programmes; one promises a band of teachers for each leader."""
    return [
        {
            "program_id": COMMUNITY,
            "label": "Learning Groups",
            "kind": "learning_community",
            "low_grade": "PK",
            "high_grade": "8",
            "leader_training_cost_usd": 1_500.0,
            "teachers_per_leader_low": 8.0,
            "teachers_per_leader_high": 25.0,
            "leaders_per_year_low": 20.0,
            "leaders_per_year_high": 100.0,
            "description": "Groups of teachers examine student work.",
            "source": "Invented for tests.",
        },
        {"program_id": IMMERSION, "label": "Summer Institute", "kind": "immersion", "source": "Invented for tests."},
    ]


def school_changes() -> list[Row]:
    """What became of the schools of two years."""
    return [
        {"district": district, "school_year": year, "change": change, "n_schools": n, "n_enrolled": 600 * n}
        for district in DISTRICTS
        for year in YEARS[1:]
        for change, n in (("same", 230), ("opened", 4), ("closed", 3), ("merged", 1), ("left_scope", 2))
    ]


def district_context() -> list[Row]:
    """Size and kind of the districts but one, in the last year; one of them does not know its students with disabilities."""
    groups = {"n_low_income": 98_700, "n_english_learner": 28_200, "n_disability": 21_150}
    nothing = dict.fromkeys(("n_enrolled", *groups))
    rows: list[Row] = []
    for district in DISTRICTS[1:]:
        place = {"district": district, "school_year": YEARS[-1]}
        known = groups | ({"n_disability": None} if district == "los_angeles" else {})
        counts = {"n_schools": 235, "n_charter_schools": 20, "n_schools_in_scope": 210}
        rows.append(place | {"school_level": None} | counts | {"n_enrolled": 141_000} | known)
        few = {"n_schools": 47, "n_charter_schools": 4, "n_schools_in_scope": 42}
        rows += [place | {"school_level": level} | few | nothing for level in LEVELS]
    return rows


def thresholds() -> list[Row]:
    """One threshold."""
    return [
        {
            "threshold_id": "regular_use_days",
            "value": 4.0,
            "unit": "days of five",
            "definition": "Days a week on which a regular user teaches from the core title",
            "owner": "materials working group",
            "rationale": "Invented for tests.",
        }
    ]

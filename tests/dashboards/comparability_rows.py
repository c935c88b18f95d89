"""Invented values, verdicts and back-test rows for the hand-made release: every verdict that pages must cope with.

Whom a verdict falls on is decided here by a few plain rules, not by those of the pipeline.
"""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import Any

Row = dict[str, Any]

DISTRICTS = {
    "chicago": "IL",
    "houston": "TX",
    "los_angeles": "CA",
    "miami_dade": "FL",
    "new_york_city": "NY",
    "philadelphia": "PA",
}
SENT = tuple(DISTRICTS)[:5]
YEARS = ("2021-22", "2022-23", "2023-24", "2024-25")
NAEP_YEARS = ("2021-22", "2023-24")
# A district whose test changed between the second and the third year, and one that took no part in NAEP.
BROKEN, WITHOUT_NAEP = "miami_dade", "new_york_city"
# Whose share of teachers in immersion is a protected range in the last year.
FEW = "houston"
HALF = 1.959964
_VERDICTS = (
    ("no_data", "No data", "One of the two values is missing.", "The district sends it.", False),
    ("suppressed", "Protected", "One of the two values is hidden.", "Nothing: small groups stay protected.", False),
    ("describe_only", "Describe only", "Not made to be compared.", "Read each beside its own context.", False),
    ("not_comparable_definition", "Different definitions", "Not counted alike.", "Both report by one definition.", False),
    ("within_state_only", "Within one state only", "Different states.", "Look at the position in the own state.", False),
    (
        "not_comparable_coverage",
        "Different coverage",
        "Students are left out.",
        "Results for the students who are missing.",
        False,
    ),
    ("trend_break", "Break in the trend", "The test changed.", "Wait for a second year on the new test.", False),
    ("too_close_to_call", "No difference detected", "No difference can be told from chance.", "More people.", True),
    ("comparable_with_linking_error", "Comparable with linking error", "Larger than the errors.", "Nothing is needed.", True),
    ("directly_comparable", "Comparable", "They differ by more than chance.", "Nothing is needed.", True),
)


def verdicts() -> list[Row]:
    """The verdicts in the order of their rules."""
    fields = ("verdict", "label", "meaning", "remedy", "is_comparable")
    return [dict(zip(fields, row, strict=True)) | {"sort_order": place} for place, row in enumerate(_VERDICTS, 1)]


def comparability_indicators() -> list[Row]:
    """Definitions of what is estimated and of Algebra I."""

    def indicator(code: str, name: str, unit: str, basis: str, **more: Any) -> Row:
        common = {"challenge": "outcomes", "interval": "standard_error", "counts": "students", "is_describe_only": False}
        words = {"definition": f"{name}, invented.", "numerator": "what is counted", "denominator": "out of what"}
        return (
            {"indicator_id": code, "name": name, "unit": unit, "basis": basis, "definition_version": "1"} | common | words | more
        )

    estimated = {"estimated_from": "OC4"}
    return [
        indicator("OC1", "Algebra I by end of grade 9", "share", "administrative", interval="wilson"),
        indicator("OC2", "First-attempt success in Algebra I", "share", "administrative", interval="wilson"),
        indicator("OC3", "Grade 8 algebra access", "share", "administrative", interval="wilson"),
        indicator("OC5", "Position in own state", "state SD", "state_relative", direction="higher is better", **estimated),
        indicator("OC6", "Linked mean", "NAEP points", "linked", direction="higher is better", **estimated),
        indicator("OC7", "NAEP TUDA", "NAEP points", "naep", direction="higher is better"),
        indicator("OC8", "Gap", "SD", "scale_free", **estimated),
    ]


def comparability_values() -> list[Row]:
    """Values of five districts over four years; one has no NAEP results."""
    rows: list[Row] = []

    def add(code: str, district: str, year: str, value: float | None, unit: str, error: float, **more: Any) -> None:
        row = {
            "indicator_id": code,
            "definition_version": "1",
            "district": district,
            "school_year": year,
            "unit_type": "district",
            "unit_id": district,
            "subgroup": "all",
            "unit": unit,
            "n": 900,
            "sources": f"{district}.assessment_levels.{year}.001",
        } | more
        if value is None:
            rows.append(row | {"symbol": more.get("symbol", "x"), "n": None})
            return
        ends = {"lower": value - HALF * error, "upper": value + HALF * error, "standard_error": error}
        rows.append(row | {"value": value} | ends)

    for place, district in enumerate(SENT):
        for step, year in enumerate(YEARS):
            test = f"{DISTRICTS[district].lower()}_math_{'2024' if district == BROKEN and step > 1 else '2022'}"
            for grade in ("4", "8"):
                split = {"grade": grade, "instrument": test}
                add("OC5", district, year, position(place, step), "state SD", 0.03, **split)
                linked = linked_mean(place) if year in NAEP_YEARS else None
                why = {} if linked else {"flags": "no_naep_anchor"}
                add("OC6", district, year, linked, "NAEP points", 5.0, **split, **why)
                group = {**split, "subgroup": "english_learner"}
                add("OC8", district, year, -0.5 - 0.1 * place, "SD", 0.05, **group)
            add("OC1", district, year, 0.7 + 0.01 * place, "share", 0.01)
            add("OC2", district, year, 0.8, "share", 0.01, cohort="grade_8")
            add("OC2", district, year, None, "share", 0.01, cohort="first_time_grade_9", symbol="c")
            add("OC3", district, year, 0.2 + 0.01 * place, "share", 0.01)
    for place, district in enumerate(SENT):
        for year in NAEP_YEARS:
            if district != WITHOUT_NAEP:
                published = {"grade": "4", "sources": "naep", "n": None}
                add("OC7", district, year, naep_mean(place), "NAEP points", 1.4, **published)
    return rows


def position(place: int, step: int) -> float:
    """The invented position in the own state."""
    return -0.1 * (place + 1) + 0.02 * step


def linked_mean(place: int) -> float:
    """The invented linked mean."""
    return 225.0 + 3 * place


def naep_mean(place: int) -> float:
    """The invented NAEP mean: the second district's link is far off."""
    return 224.0 + 3 * place - (12.0 if place == 1 else 0.0)


def comparisons() -> list[Row]:
    """Pairs of districts, of years and with the state, each stored once and turned as the pipeline turns them."""
    rows: list[Row] = []
    places = {district: place for place, district in enumerate(DISTRICTS)}

    def add(
        comparison: str, code: str, verdict: str, reason: str, values: tuple[float | None, float | None], **more: Any
    ) -> None:
        is_comparable = next(row[4] for row in _VERDICTS if row[0] == verdict)
        difference = values[0] - values[1] if is_comparable and None not in values else None  # type: ignore[operator]
        is_told = difference is not None and verdict != "too_close_to_call"
        is_census = more.get("is_census", False)
        half = None if difference is None or is_census else more.pop("half", 0.02)
        ends = {} if half is None or difference is None else {"lower": difference - half, "upper": difference + half}
        rows.append(
            {
                "comparison": comparison,
                "indicator_id": code,
                "value": values[0],
                "other_value": values[1],
                "verdict": verdict,
                "finding": ("higher" if (difference or 0) > 0 else "lower") if is_told else None,
                "difference": difference,
                "is_census": is_census,
                "n_in_family": 10 if half is not None else None,
                "reason": reason,
                "remedy": next(row[3] for row in _VERDICTS if row[0] == verdict),
                "subgroup": "all",
                "other_subgroup": "all",
            }
            | ends
            | more
        )

    for first, second in combinations(DISTRICTS, 2):
        here = {"district": first, "other_district": second}
        both = {places[first], places[second]}
        for year in YEARS:
            when = {**here, "school_year": year, "other_school_year": year}
            if year == "2024-25":
                verdict, reason = _materials_verdict(first, second)
                shares = tuple(None if place == 5 else 0.55 + 0.03 * place for place in (places[first], places[second]))
                add(
                    "districts",
                    "CM1",
                    verdict,
                    reason,
                    (shares[0], shares[1]),
                    category="meets",
                    course="3",
                    unit="share",
                    **when,
                )
            for grade in ("4", "8"):
                at = {**when, "grade": grade}
                same_state = (
                    "Each value is a place among the students of its own state, " + f"{DISTRICTS[first]} or {DISTRICTS[second]}."
                )
                verdict = "no_data" if 5 in both else "within_state_only"
                add("districts", "OC5", verdict, same_state, (0.0, 0.0), unit="state SD", **at)
                if year in NAEP_YEARS:
                    linked = (linked_mean(places[first]), linked_mean(places[second]))
                    close = "describe_only" if WITHOUT_NAEP not in (first, second) else "comparable_with_linking_error"
                    verdict = "no_data" if 5 in both else close
                    add("districts", "OC6", verdict, "Linked means.", linked, unit="NAEP points", half=2.0, **at)
    for district in SENT:
        place = places[district]
        for earlier, later in combinations(range(len(YEARS)), 2):
            when = {"district": district, "other_district": district, "grade": "4"}
            when |= {"school_year": YEARS[later], "other_school_year": YEARS[earlier]}
            is_broken = district == BROKEN and earlier < 2 <= later
            verdict = "trend_break" if is_broken else "directly_comparable" if later - earlier > 1 else "too_close_to_call"
            reason = f"The test changed between {YEARS[earlier]} and {YEARS[later]}." if is_broken else "Tested."
            values = (position(place, later), position(place, earlier))
            add("years", "OC5", verdict, reason, values, unit="state SD", **when)
            add("years", "OC6", "describe_only", "Two links.", (None, None), unit="NAEP points", **when)
        for step, year in enumerate(YEARS):
            when = {"district": district, "school_year": year, "other_school_year": year, "grade": "4"}
            is_refused = district == "houston" and step == 0
            verdict = "not_comparable_coverage" if is_refused else "directly_comparable"
            add(
                "state",
                "OC5",
                verdict,
                "Tested." if not is_refused else "82 % sat the test.",
                (position(place, step), 0.0),
                **when,
            )
    for first, second in pairwise(SENT):
        when = {"district": first, "other_district": second, "school_year": "2024-25", "other_school_year": "2024-25"}
        loads = (41.25 - places[first] - 2, 41.25 - places[second] - 2)
        census = {"is_census": True, "unit": "teachers per FTE", "subgroup": None, "other_subgroup": None}
        add("districts", "EC2", "directly_comparable", "Everybody is counted.", loads, **when, **census)
    group = {"subgroup": "english_learner", "other_subgroup": "not_english_learner", "category": "meets"}
    group |= {"district": "chicago", "other_district": "chicago", "school_year": "2024-25", "other_school_year": "2024-25"}
    add("subgroups", "CM1", "too_close_to_call", "Tested.", (0.5, 0.5), unit="share", **group)
    return [*rows, *_with_a_range()]


def _with_a_range() -> list[Row]:
    """Pairs of which one side is a protected range: refused, and without any number."""
    common = {"comparison": "districts", "indicator_id": "EC10", "statistic": "share", "unit": "share", "is_census": False}
    common |= {"school_year": "2024-25", "other_school_year": "2024-25", "verdict": "suppressed"}
    common |= {"reason": "One of the two values is hidden or a range.", "remedy": "Nothing: small groups stay protected."}
    others = [district for district in SENT if district != FEW]
    return [common | {"district": min(FEW, other), "other_district": max(FEW, other)} for other in others]


def _materials_verdict(first: str, second: str) -> tuple[str, str]:
    """Of Chicago: one of every bin. Philadelphia sent nothing; Miami-Dade counts otherwise; neighbours are too close to call."""
    if "philadelphia" in (first, second):
        return "no_data", "One of the two values is missing, late or not certified."
    if BROKEN in (first, second):
        return "not_comparable_definition", "One value is counted by: students; the other by: classes."
    if (first, second) == ("chicago", "houston"):
        return "too_close_to_call", "No difference detected, looking at 10 pairs at once."
    return "directly_comparable", "The two values may be compared, and they differ by more than chance."


def naep_results() -> list[Row]:
    """Published means of the districts, their states and the nation."""
    rows = []
    for year in NAEP_YEARS:
        common = {
            "grade": "4",
            "year": int(year[:4]) + 1,
            "school_year": year,
            "schools": "public",
            "source": "Invented for tests",
        }
        for place, (district, state) in enumerate(DISTRICTS.items()):
            if district != WITHOUT_NAEP:
                rows.append({"unit_type": "district", "unit_id": district, "mean": naep_mean(place), "se": 1.4, **common})
            rows.append({"unit_type": "state", "unit_id": state, "mean": 236.0, "se": None if state == "TX" else 1.0, **common})
        rows.append({"unit_type": "nation", "unit_id": "US", "mean": 238.0, "se": 0.3, **common})
    return rows


def back_test() -> list[Row]:
    """Linked means beside NAEP: one that misses its interval, one whose coverage is refused."""
    rows = []
    for place, district in enumerate(SENT):
        for year in NAEP_YEARS:
            if district == WITHOUT_NAEP:
                continue
            difference = linked_mean(place) - naep_mean(place)
            is_refused = district == "chicago" and year == "2021-22"
            rows.append(
                {
                    "district": district,
                    "state": DISTRICTS[district],
                    "school_year": year,
                    "grade": "4",
                    "instrument": f"{DISTRICTS[district].lower()}_math_2022",
                    "n": 900,
                    "linked_mean": linked_mean(place),
                    "standard_error": 5.0,
                    "lower": linked_mean(place) - HALF * 5,
                    "upper": linked_mean(place) + HALF * 5,
                    "naep_mean": naep_mean(place),
                    "naep_se": None if district == "houston" else 1.4,
                    "difference": difference,
                    "coverage": "course_test" if is_refused else "covered",
                    "is_judged": not is_refused,
                    "is_within": abs(difference) < HALF * 5,
                }
            )
    return rows


def back_test_summary() -> list[Row]:
    """One row, of too few cells for a claim of coverage."""
    judged = [row for row in back_test() if row["is_judged"]]
    misses = [row["difference"] for row in judged]
    return [
        {
            "n_cells": len(judged),
            "n_refused": 1,
            "n_within": sum(row["is_within"] for row in judged),
            "bias": sum(misses) / len(misses),
            "rmse": (sum(miss * miss for miss in misses) / len(misses)) ** 0.5,
            "linking_sd": 4.77,
            "judged_by": "published",
            "published_rmse": 4.77,
            "minimum_cells": 20,
            "coverage": None,
        }
    ]

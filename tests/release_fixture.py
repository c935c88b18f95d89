"""A small hand-made release for the tests of everything that reads one.

Six districts with invented numbers: one district changes its cuts, one delivered no enrolment, one has an unreadable file,
one certified nothing. Shares of small groups are protected in every way there is: hidden whole, hidden in part, shown as ranges
near 0 and near 100 %. Not produced by the pipeline, so that a reader is tested against the agreed tables alone.
"""

from __future__ import annotations

import hashlib
import json
import math
from datetime import date
from pathlib import Path
from typing import Any, Literal

import polars as pl

from tests.dashboards.comparability_rows import (
    back_test,
    back_test_summary,
    comparability_indicators,
    comparability_values,
    comparisons,
    naep_results,
    verdicts,
)
from tests.network_fixture import district_context, network_indicators, network_values, programs, school_changes, thresholds

Variant = Literal["full", "suppressed", "empty"]
Row = dict[str, Any]

YEARS = ("2021-22", "2022-23", "2023-24", "2024-25")
DISTRICTS = {
    "chicago": ("Chicago", "IL"),
    "houston": ("Houston", "TX"),
    "los_angeles": ("Los Angeles", "CA"),
    "miami_dade": ("Miami-Dade", "FL"),
    "new_york_city": ("New York City", "NY"),
    "philadelphia": ("Philadelphia", "PA"),
}
MINIMUM_N = 10
# A group of this many students, of whom few stand on one side of a line; 5 % is the range for so many.
SMALL_GROUP, N_SMALL_GROUP, SMALL_RANGE = "disability", 300, 0.05
WITHOUT_ENROLMENT = "los_angeles"
WITHOUT_CERTIFIED = "philadelphia"
CHANGED_CUTS = "miami_dade"
# Whose participation in grade 8 is all but complete, so that it is a range in every year.
ALL_TAKE_PART = "new_york_city"
PROFICIENT = "proficient_or_above"
HOSTILE_TEXT = "=HYPERLINK(\"http://example.invalid\")<script>alert('x')</script> **bold** ![i](http://example.invalid/i.png)"

_NUMBERS = (
    *("numerator", "denominator", "value", "standard_error", "lower", "upper", "at_least", "at_most"),
    *("n", "n_schools", "response_rate"),
)
_TEXT, _INT, _FLOAT = pl.String, pl.Int64, pl.Float64
_SCHEMAS: dict[str, dict[str, Any]] = {
    "indicator_values": dict.fromkeys(
        (
            "indicator_id",
            "definition_version",
            "district",
            "school_year",
            "unit_type",
            "unit_id",
            "network_id",
            "school_level",
            "school_set",
            "grade",
            "subgroup",
            "course",
            "respondent",
            "audience",
            "program_id",
            "cohort",
            "category",
            "statistic",
            "instrument",
            "administration",
        ),
        _TEXT,
    )
    | dict.fromkeys(("numerator", "denominator", "value", "standard_error", "lower", "upper"), _FLOAT)
    | {"unit": _TEXT, "n": _INT, "n_schools": _INT, "response_rate": _FLOAT, "at_least": _FLOAT, "at_most": _FLOAT}
    | dict.fromkeys(("flags", "symbol", "sources"), _TEXT),
    "counts": dict.fromkeys(("indicator_id", "statistic", "role", "count", "by", "of"), _TEXT),
    "relations": dict.fromkeys(("relation", "column", "total", "part", "indicator_id", "instrument"), _TEXT)
    | {"is_whole": pl.Boolean},
    "indicators": dict.fromkeys(
        (
            "indicator_id",
            "name",
            "challenge",
            "definition",
            "numerator",
            "denominator",
            "unit",
            "counts",
            "direction",
            "basis",
        ),
        _TEXT,
    )
    | {"is_describe_only": pl.Boolean}
    | dict.fromkeys(("interval", "caveats", "definition_version", "breakdowns", "estimated_from"), _TEXT),
    "instruments": dict.fromkeys(
        (
            "code",
            "label",
            "state",
            "test",
            "n_levels",
            "proficient_level",
            *(f"level_{k}_label" for k in range(1, 7)),
            "first_school_year",
            "last_school_year",
            "cut_version",
            "scale_version",
            "mode",
            "course_test_replaces",
            "note",
            "source",
        ),
        _TEXT,
    ),
    "districts": dict.fromkeys(("code", "label", "state"), _TEXT) | {"minimum_n": _INT},
    "submissions": dict.fromkeys(("submission_id", "district", "extract", "school_year"), _TEXT)
    | {"number": _INT}
    | dict.fromkeys(
        (
            "state",
            "state_meaning",
            "next_step",
            "received_at",
            "screened_at",
            "certified_at",
            "how",
        ),
        _TEXT,
    )
    | dict.fromkeys(("n_files", "lines_in", "lines_used"), _INT)
    | {"dropped_lines": _TEXT, "rows_in": _INT, "rows_used": _INT, "dropped_rows": _TEXT, "n_findings": _INT}
    | dict.fromkeys(("first_message", "contract_version", "notes"), _TEXT),
    "expected_extracts": dict.fromkeys(("district", "extract", "school_year"), _TEXT)
    | dict.fromkeys(("due_date", "as_of"), pl.Date)
    | dict.fromkeys(("state", "state_meaning", "next_step", "reason", "submission_id"), _TEXT)
    | dict.fromkeys(("first_received_on", "first_certified_on"), pl.Date),
    "district_context": dict.fromkeys(("district", "school_year", "school_level"), _TEXT)
    | dict.fromkeys(("n_schools", "n_charter_schools", "n_schools_in_scope"), _INT)
    | dict.fromkeys(("n_enrolled", "n_low_income", "n_english_learner", "n_disability"), _INT),
    "school_changes": dict.fromkeys(("district", "school_year", "change"), _TEXT)
    | dict.fromkeys(("n_schools", "n_enrolled"), _INT),
    "programs": dict.fromkeys(("program_id", "label", "kind", "low_grade", "high_grade"), _TEXT)
    | dict.fromkeys(
        (
            "leader_training_cost_usd",
            "teachers_per_leader_low",
            "teachers_per_leader_high",
            "leaders_per_year_low",
            "leaders_per_year_high",
        ),
        _FLOAT,
    )
    | dict.fromkeys(("description", "source"), _TEXT),
    "comparisons": dict.fromkeys(
        (
            "comparison",
            "indicator_id",
            "district",
            "other_district",
            "school_year",
            "other_school_year",
            "subgroup",
            "other_subgroup",
            "school_level",
            "school_set",
            "grade",
            "course",
            "respondent",
            "audience",
            "program_id",
            "cohort",
            "category",
            "statistic",
            "instrument",
            "other_instrument",
            "administration",
            "other_administration",
            "unit",
        ),
        _TEXT,
    )
    | {"value": _FLOAT, "other_value": _FLOAT, "verdict": _TEXT, "finding": _TEXT}
    | dict.fromkeys(("difference", "standard_error", "lower", "upper", "z", "p_value", "q_value"), _FLOAT)
    | {"is_census": pl.Boolean, "n_in_family": pl.Int32, "reason": _TEXT, "remedy": _TEXT},
    "verdicts": dict.fromkeys(("verdict", "label", "meaning", "remedy"), _TEXT)
    | {"is_comparable": pl.Boolean, "sort_order": pl.Int32},
    "naep_results": dict.fromkeys(("unit_type", "unit_id", "schools", "grade"), _TEXT)
    | {"year": pl.Int32, "school_year": _TEXT, "mean": _FLOAT, "share_basic": _FLOAT, "share_proficient": _FLOAT}
    | {"se": _FLOAT, "source": _TEXT},
    "link_backtest": dict.fromkeys(("district", "state", "school_year", "grade", "instrument"), _TEXT)
    | {"n": _INT}
    | dict.fromkeys(("linked_mean", "standard_error", "lower", "upper", "naep_mean", "naep_se", "difference"), _FLOAT)
    | {"coverage": _TEXT, "is_judged": pl.Boolean, "is_within": pl.Boolean},
    "link_backtest_summary": dict.fromkeys(("n_cells", "n_refused", "n_within"), pl.Int32)
    | dict.fromkeys(("bias", "rmse", "linking_sd"), _FLOAT)
    | {"judged_by": _TEXT, "published_rmse": _FLOAT, "minimum_cells": pl.Int32, "coverage": _FLOAT},
    "convenings": dict.fromkeys(("convening", "label", "school_year", "audience", "source"), _TEXT) | {"held_on": pl.Date},
    "focal_questions": dict.fromkeys(("convening", "challenge", "indicator_id", "question", "source"), _TEXT),
    "commitments": dict.fromkeys(("district", "school_year", "convening", "commitment_id", "challenge", "text", "status"), _TEXT)
    | {"due_date": pl.Date, "submission_id": _TEXT},
    "district_focus": dict.fromkeys(("district", "school_year", "term", "focus_challenge", "submission_id"), _TEXT)
    | {"shares_with_peers": pl.Boolean},
    "thresholds": {"threshold_id": _TEXT, "value": _FLOAT} | dict.fromkeys(("unit", "definition", "owner", "rationale"), _TEXT),
}
_STATES = {
    "certified": ("The district signed this delivery; it is in force.", "Nothing to do."),
    "superseded": ("A later delivery was signed in its place.", "Nothing to do."),
    "corrections_needed": (
        "The rules found something that must be put right.",
        "The district corrects and sends again.",
    ),
    "ready_to_sign": ("The delivery passed; nobody has signed it yet.", "The district's analyst signs it."),
    "unreadable": ("The file could not be opened as a table.", "The district sends the file again."),
}


def write_release(home: Path, release_id: str = "r-2025-10-06-001", kind: str = "synthetic", variant: Variant = "full") -> Path:
    """Write one release below `home` and point `current.json` at it; return its folder.

    `full` has values with every kind of gap, `suppressed` the same rows with every number withheld, `empty` the tables with
    no rows. Shares are fractions of 1.
    """
    folder = home / "releases" / release_id
    folder.mkdir(parents=True, exist_ok=True)
    tables = {name: pl.DataFrame(rows, schema=_SCHEMAS[name], orient="row") for name, rows in _rows(variant).items()}
    entries = {}
    for name, frame in tables.items():
        path = folder / f"{name}.parquet"
        frame.write_parquet(path)
        entries[name] = {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "n_rows": frame.height}
    manifest = {
        "release_id": release_id,
        "created_at": "2025-10-06T08:30:00+00:00",
        "kind": kind,
        "minimum_n": MINIMUM_N,
        "protection": _protection(tables["indicator_values"]),
        "audit": {"n_cells_attacked": 480, "n_attacks_by_kind": {"alone": 480, "insider": 6, "coalition": 15, "earlier": 0}},
        "inputs": [{"submission_id": identifier} for identifier in tables["submissions"]["submission_id"]],
        "tables": entries,
        "code_version": "0.1.0",
    }
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    pointer = {"release_id": release_id, "path": f"releases/{release_id}"}
    (home / "releases" / "current.json").write_text(json.dumps(pointer), encoding="utf-8")
    return folder


def _protection(values: pl.DataFrame) -> dict[str, Any]:
    hidden, ranges = (values.filter(pl.col("symbol") == symbol).height for symbol in ("c", "r"))
    known = {"n_values": values.height, "n_hidden": hidden, "n_ranges": ranges, "minimum_n": MINIMUM_N}
    return known | {"share_hidden": hidden / values.height if values.height else 0.0, "share_of_students_hidden": 0.0123}


def _rows(variant: Variant) -> dict[str, list[Row]]:
    if variant == "empty":
        return {name: [] for name in _SCHEMAS}
    values = _level_values() + _participation_values() + _coverage_values() + _core_title_values() + network_values()
    values += comparability_values() + _protected_values()
    pairs = comparisons()
    if variant == "suppressed":
        values = [row | dict.fromkeys(_NUMBERS) | {"symbol": "c"} for row in values]
        told = ("value", "other_value", "finding", "difference", "lower", "upper")
        hidden = {"verdict": "suppressed", "reason": "One of the two values is hidden.", "remedy": "Nothing."}
        pairs = [row | dict.fromkeys(told) | hidden for row in pairs]
    return {
        "indicator_values": values,
        "indicators": _indicators() + comparability_indicators() + network_indicators(),
        "instruments": _instruments(),
        "districts": [
            {"code": code, "label": label, "state": state, "minimum_n": MINIMUM_N} for code, (label, state) in DISTRICTS.items()
        ],
        "counts": _counts(),
        "relations": _relations(),
        "submissions": _submissions(),
        "expected_extracts": _expected_extracts(),
        "school_changes": school_changes(),
        "district_context": district_context(),
        "programs": programs(),
        "thresholds": thresholds(),
        "comparisons": pairs,
        "verdicts": verdicts(),
        **_convenings(),
        "naep_results": naep_results(),
        "link_backtest": back_test() if variant == "full" else [],
        "link_backtest_summary": back_test_summary() if variant == "full" else [],
    }


def _convenings() -> dict[str, list[Row]]:
    """Two convenings, a question, a commitment with hostile words, and what two districts work on."""
    held = {"2024": date(2024, 7, 16), "2025": date(2025, 7, 15)}
    labels = {"2024": "First annual convening", "2025": "Second annual convening"}
    years = {"2024": YEARS[-2], "2025": YEARS[-1]}
    return {
        "convenings": [
            {"convening": code, "label": labels[code], "held_on": day, "school_year": years[code], "audience": "Leaders"}
            for code, day in held.items()
        ],
        "focal_questions": [
            {"convening": "2025", "challenge": "materials", "indicator_id": "CM3", "question": "Who chooses the materials?"}
        ],
        "commitments": [
            {
                "district": "chicago",
                "school_year": YEARS[-1],
                "convening": "2024",
                "commitment_id": "C-1",
                "challenge": "materials",
            }
            | {"text": HOSTILE_TEXT, "status": "done", "due_date": date(2025, 6, 30)}
        ],
        "district_focus": [
            {
                "district": code,
                "school_year": YEARS[-1],
                "term": "spring",
                "focus_challenge": "materials",
                "shares_with_peers": True,
            }
            for code in ("chicago", "houston")
        ],
    }


def submission_id(district: str, extract: str, school_year: str, number: int = 1) -> str:
    """The id that the fixture gives a submission."""
    return f"{district}.{extract}.{school_year}.{number:03d}"


def wilson(numerator: int, denominator: int) -> tuple[float, float]:
    """Wilson 95 % interval of a share (Wilson 1927), as fractions of 1."""
    z, share = 1.959964, numerator / denominator
    middle = share + z * z / (2 * denominator)
    half = z * math.sqrt(share * (1 - share) / denominator + z * z / (4 * denominator * denominator))
    scale = 1 + z * z / denominator
    return (middle - half) / scale, (middle + half) / scale


def _value(indicator: str, district: str, year: str, extract: str, counts: tuple[int, int] | str, **split: str) -> Row:
    row: Row = {
        "indicator_id": indicator,
        "definition_version": "1",
        "district": district,
        "school_year": year,
        "unit_type": "district",
        "unit_id": district,
        "unit": "share",
        "sources": submission_id(district, extract, year),
        **split,
    }
    if isinstance(counts, str):
        return row | {"symbol": counts}
    numerator, denominator = counts
    row |= {
        "numerator": numerator,
        "denominator": denominator,
        "value": numerator / denominator,
        "n": denominator,
    }
    if indicator != "CM2":
        row["lower"], row["upper"] = wilson(numerator, denominator)
    return row


def _certifying() -> list[tuple[int, str]]:
    return [(place, code) for place, code in enumerate(DISTRICTS) if code != WITHOUT_CERTIFIED]


def _level_values() -> list[Row]:
    rows = []
    for place, district in _certifying():
        state = DISTRICTS[district][1]
        for step, year in enumerate(YEARS):
            for grade in ("3", "4", "8"):
                for subgroup, size in (("all", 20_000), ("english_learner", 3_000), ("american_indian", 8)):
                    tested = size - 400 * place if size > 1_000 else size
                    instrument = f"{state.lower()}_math_{'2024' if _cuts_changed(district, year) else '2022'}"
                    split = {"grade": grade, "subgroup": subgroup, "instrument": instrument}
                    levels = [0.30, 0.28 - 0.01 * step, 0.27, 0.15 + 0.01 * step]
                    if _cuts_changed(district, year):
                        levels = [0.22, 0.25, 0.30, 0.23]
                    hidden = subgroup == "american_indian" or (district == "houston" and year == "2022-23")
                    for level, share in enumerate(levels, start=1):
                        counts = "c" if hidden else (round(share * tested), tested)
                        rows.append(
                            _value(
                                "OC4",
                                district,
                                year,
                                "assessment_levels",
                                counts,
                                category=f"level_{level}",
                                **split,
                            )
                        )
                    counts = "c" if hidden else (round((levels[2] + levels[3]) * tested), tested)
                    rows.append(
                        _value(
                            "OC4",
                            district,
                            year,
                            "assessment_levels",
                            counts,
                            category=PROFICIENT,
                            **split,
                        )
                    )
    return rows


def _participation_values() -> list[Row]:
    rows = []
    for place, district in _certifying():
        for year in YEARS:
            for grade in ("3", "4", "8"):
                counts: tuple[int, int] | str = (19_100 + 150 * place, 20_000)
                if district == WITHOUT_ENROLMENT:
                    counts = "x"
                row = _value("OC9", district, year, "assessment_levels", counts, grade=grade, subgroup="all")
                if district == ALL_TAKE_PART and grade == "8":
                    row = _value("OC9", district, year, "assessment_levels", "r", grade=grade, subgroup="all")
                    row |= range_of(20_000, 0.999)
                rows.append(row)
    return rows


def _protected_values() -> list[Row]:
    """Two distributions of a small group: hidden and ranged in part, and in the first year of OC4 without any number.

    Of OC4 20 % are left in grey (level 3 hidden, level 4 a range), of CM1 15 % (one result a range, one hidden).
    """
    rows = []
    for _, district in _certifying():
        for year in YEARS:
            instrument = f"{DISTRICTS[district][1].lower()}_math_{'2024' if _cuts_changed(district, year) else '2022'}"
            split = {"grade": "3", "subgroup": SMALL_GROUP, "instrument": instrument}
            cells: dict[str, tuple[int, int] | str] = {
                "level_1": (150, N_SMALL_GROUP),
                "level_2": (90, N_SMALL_GROUP),
                "level_3": "c",
                "level_4": "at_most",
                PROFICIENT: (60, N_SMALL_GROUP),
            }
            if year == YEARS[0]:
                cells |= {"level_1": "at_least", "level_2": "c", "level_4": "c", PROFICIENT: "at_most"}
            for category, cell in cells.items():
                rows.append(_protected("OC4", district, year, "assessment_levels", cell, category=category, **split))
        for year in YEARS[2:]:
            results: dict[str, tuple[int, int] | str] = {"meets": (165, N_SMALL_GROUP), "partially_meets": (90, N_SMALL_GROUP)}
            for category, cell in (results | {"does_not_meet": "at_most", "not_reviewed": "c"}).items():
                split = {"subgroup": SMALL_GROUP, "category": category}
                rows.append(_protected("CM1", district, year, "curriculum_adoption", cell, **split))
    return rows


def _protected(indicator: str, district: str, year: str, extract: str, cell: tuple[int, int] | str, **split: str) -> Row:
    """A value of the small group; `at_most` and `at_least` are its ranges."""
    if cell not in ("at_most", "at_least"):
        return _value(indicator, district, year, extract, cell, **split)
    row = _value(indicator, district, year, extract, "r", **split)
    return row | range_of(N_SMALL_GROUP, SMALL_RANGE if cell == "at_most" else 1 - SMALL_RANGE)


def range_of(n: int, end: float) -> Row:
    """What a row shows of a share in place of a number: `end` is the end of the range that is neither 0 nor 1."""
    ends = {"at_least": 0.0, "at_most": end} if end < 0.5 else {"at_least": end, "at_most": 1.0}
    return {"symbol": "r", "n": n, "denominator": float(n)} | ends


def _counts() -> list[Row]:
    """Which counts stand behind two indicators."""
    return [
        {"indicator_id": code, "role": role, "count": f"{code}.{role}", "by": "category" if role == "numerator" else "", "of": of}
        for code, of in (("CM1", "students"), ("OC4", "students"), ("CM2", "schools"))
        for role in ("numerator", "denominator")
    ]


def _relations() -> list[Row]:
    """What adds up: the results of CM1, the levels of every test, the levels of schools, the districts."""
    rows: list[Row] = [
        {"relation": "CM1.category", "column": "category", "part": part, "indicator_id": "CM1", "is_whole": True}
        for part in ("meets", "partially_meets", "does_not_meet", "not_reviewed")
    ]
    for row in _instruments():
        of_test = {"column": "category", "indicator_id": "OC4", "instrument": row["code"], "is_whole": True}
        rows += [of_test | {"relation": f"levels.{row['code']}", "part": f"level_{level}"} for level in (1, 2, 3, 4)]
        above = of_test | {"relation": f"proficient.{row['code']}", "total": PROFICIENT}
        rows += [above | {"part": f"level_{level}"} for level in (3, 4)]
    rows.append({"relation": "school_level", "column": "school_level", "is_whole": True})
    return [*rows, {"relation": "district", "column": "district", "is_whole": True}]


def _coverage_values() -> list[Row]:
    rows = []
    shares = {"meets": 0.55, "partially_meets": 0.2, "does_not_meet": 0.1, "not_reviewed": 0.15}
    for place, district in _certifying():
        for year in YEARS[2:]:
            for course in (None, "3", "8", "ALG1"):
                for subgroup in ("all", "english_learner"):
                    students = 90_000 if course is None else 21_000
                    for category, share in shares.items():
                        shift = 0.03 * place * {"meets": 1, "not_reviewed": -1}.get(category, 0)
                        counts: tuple[int, int] | str = (round((share + shift) * students), students)
                        if course == "ALG1" and category == "does_not_meet":
                            counts = "c"
                        split = {"subgroup": subgroup, "category": category}
                        if course is not None:
                            split["course"] = course
                        rows.append(_value("CM1", district, year, "curriculum_adoption", counts, **split))
    return rows


def _core_title_values() -> list[Row]:
    rows = []
    for place, district in _certifying():
        for year in YEARS[2:]:
            for course in (None, "3", "8", "ALG1"):
                split = {} if course is None else {"course": course}
                counts = (180 - 7 * place - (0 if course is None else 20), 240)
                rows.append(_value("CM2", district, year, "curriculum_adoption", counts, **split))
    return rows


def _cuts_changed(district: str, year: str) -> bool:
    return district == CHANGED_CUTS and year >= "2023-24"


def _indicators() -> list[Row]:
    def indicator(code: str, name: str, challenge: str, definition: str, parts: tuple[str, str], **more: Any) -> Row:
        common = {
            "unit": "share",
            "basis": "administrative",
            "is_describe_only": False,
            "definition_version": "1",
        }
        numerator, denominator = parts
        return {
            "indicator_id": code,
            "name": name,
            "challenge": challenge,
            "definition": definition,
            "numerator": numerator,
            "denominator": denominator,
            **common,
            **more,
        }

    return [
        indicator(
            "CM1",
            "High-quality materials coverage",
            "materials",
            "Share of students whose core mathematics title was reviewed, by what the review found.",
            ("students in grade-courses whose core title has the review result", "students in grade-courses"),
            interval="wilson",
            direction="higher is intended for `meets`",
            counts="students",
            caveats="Titles that nobody reviewed are a category of their own and are never counted as failing.",
        ),
        indicator(
            "CM2",
            "One core title per grade-course",
            "materials",
            "Share of schools that use exactly one core title in a grade-course.",
            ("schools with exactly one core title", "schools that teach the grade-course"),
            is_describe_only=True,
            counts="schools",
            caveats="Districts that let schools choose differ by design.",
        ),
        indicator(
            "OC4",
            "Level distribution",
            "outcomes",
            "Share of tested students at each level of the state's own test.",
            ("students at the level", "students tested"),
            basis="own_test",
            counts="students",
            interval="wilson",
            caveats="Each state sets its own levels; a share describes one test in one year.",
        ),
        indicator(
            "OC9",
            "Participation",
            "outcomes",
            "Share of enrolled students with a valid score.",
            ("students with a valid score", "students enrolled in the tested grade"),
            counts="students",
            interval="wilson",
            caveats="Outside 95 to 105 % the levels of the same grade describe a part of the students only.",
        ),
    ]


def _instruments() -> list[Row]:
    rows = []
    for _, state in DISTRICTS.values():
        for version, first, last in (
            ("2022", "2021-22", "2022-23" if state == "FL" else None),
            ("2024", "2023-24", None),
        ):
            if version == "2024" and state != "FL":
                continue
            rows.append(
                {
                    "code": f"{state.lower()}_math_{version}",
                    "label": f"{state} mathematics test, cuts of {version}",
                    "state": state,
                    "test": f"{state} mathematics test",
                    "n_levels": "4",
                    "proficient_level": "3",
                    "level_1_label": f"{state} did not meet",
                    "level_2_label": f"{state} approached",
                    "level_3_label": f"{state} met",
                    "level_4_label": f"{state} exceeded",
                    "first_school_year": first,
                    "last_school_year": last,
                    "cut_version": f"{state.lower()}_{version}",
                    "scale_version": f"{state.lower()}_scale",
                    "mode": "online",
                    "course_test_replaces": "none",
                    "note": "Invented for tests.",
                    "source": "Invented for tests.",
                }
            )
    return rows


def _submissions() -> list[Row]:
    rows = []
    for district in DISTRICTS:
        for extract, years in (("assessment_levels", YEARS), ("curriculum_adoption", YEARS[2:])):
            for year in years:
                state = "certified"
                if district == WITHOUT_CERTIFIED:
                    state = "unreadable" if extract == "curriculum_adoption" else "corrections_needed"
                rows.append(_submission(district, extract, year, 1, state))
    rows.append(_submission("chicago", "assessment_levels", "2024-25", 2, "ready_to_sign"))
    return rows


def _expected_extracts() -> list[Row]:
    """Two files a district and year: certified, but for one district that sent nothing usable, and one file that is declared."""
    rows = []
    for district in DISTRICTS:
        for year in YEARS[2:]:
            for extract in ("assessment_levels", "curriculum_adoption"):
                state, reason = ("missing", None) if district == WITHOUT_CERTIFIED else ("certified", None)
                if (district, extract, year) == ("houston", "curriculum_adoption", YEARS[2]):
                    state, reason = "not_provided", f"Kept on paper. {HOSTILE_TEXT}"
                rows.append(
                    dict.fromkeys(_SCHEMAS["expected_extracts"])
                    | {"district": district, "extract": extract, "school_year": year, "state": state, "reason": reason}
                    | {"due_date": date(int(year[:4]) + 1, 10, 31), "as_of": date(2025, 10, 6)}
                )
    return rows


def _submission(district: str, extract: str, year: str, number: int, state: str) -> Row:
    certified, readable = state == "certified", state != "unreadable"
    day = f"20{int(year[-2:]):02d}-09-{10 + number:02d}"
    meaning, step = _STATES[state]
    return {
        "submission_id": submission_id(district, extract, year, number),
        "district": district,
        "extract": extract,
        "school_year": year,
        "number": number,
        "state": state,
        "state_meaning": meaning,
        "next_step": step,
        "received_at": f"{day}T07:00:00+00:00",
        "screened_at": f"{day}T07:01:00+00:00" if readable else None,
        "certified_at": f"{day}T15:00:00+00:00" if certified else None,
        "how": "signed on the command line" if certified else None,
        "n_files": 1,
        "lines_in": 1_500 if readable else None,
        "lines_used": 1_180 if readable else None,
        "dropped_lines": json.dumps({"other_year": 300, "state_total": 20}) if readable else None,
        "rows_in": 1_180 if readable else None,
        "rows_used": 1_180 if readable else None,
        "dropped_rows": json.dumps({}) if readable else None,
        "n_findings": 0 if certified else 1,
        "first_message": None if certified else "Line 12: the number of tested students is below the sum of the levels.",
        "contract_version": "1.0.0",
        "notes": json.dumps(
            ["Counts were rebuilt from percentages with one decimal, so each may be off by 0.05 % of the tested."]
            + (["The file carries no enrolment, so participation cannot be computed."] if district == WITHOUT_ENROLMENT else [])
            + ([HOSTILE_TEXT] if district == "houston" else [])
        ),
    }

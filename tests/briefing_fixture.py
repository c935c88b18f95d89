"""A release as a briefing reads it: three districts, three indicators, two years, made by hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.release.folder import VALUE_KEY, ReleaseFolder

DISTRICTS = {"chicago": ("Chicago", "IL"), "houston": ("Houston", "TX"), "miami_dade": ("Miami-Dade", "FL")}
YEARS = ("2023-24", "2024-25")
VERDICTS = {
    "directly_comparable": ("Comparable", True),
    "too_close_to_call": ("No difference detected", True),
    "trend_break": ("Break in the trend", False),
    "suppressed": ("Protected", False),
    "no_data": ("No data", False),
}
COMMITMENT = "We give every teacher more than ten hours of learning."
_TEXT = pl.String
_SIDES = (
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
)


def value(
    indicator: str, district: str, year: str, share: float | None, symbol: str | None = None, **more: Any
) -> dict[str, Any]:
    """One value of a whole district, with an interval of three points either side."""
    row = dict.fromkeys([*VALUE_KEY, "value", "lower", "upper", "n", "at_least", "at_most", "symbol", "unit"])
    row |= {"indicator_id": indicator, "district": district, "school_year": year, "unit_type": "district", "unit_id": district}
    row |= {"unit": "share", "symbol": symbol, "value": share, "n": None if share is None else 400}
    if share is not None:
        row |= {"lower": share - 0.03, "upper": share + 0.03}
    return row | more


def pair(
    indicator: str, district: str, verdict: str, finding: str | None = None, q_value: float | None = None, **more: Any
) -> dict[str, Any]:
    """The later year of a district against the earlier one; `other_district` makes it a pair of districts."""
    row: dict[str, Any] = dict.fromkeys((*_SIDES, "subgroup", "administration", "other_district", "finding", "q_value"))
    row |= {"comparison": "years", "indicator_id": indicator, "district": district, "school_year": YEARS[1]}
    row |= {"other_school_year": YEARS[0], "verdict": verdict, "finding": finding, "q_value": q_value}
    return row | more


def release(
    pairs: list[dict[str, Any]] | None = None,
    values: list[dict[str, Any]] | None = None,
    focus: list[tuple[str, str | None, bool | None]] | None = None,
    **changed: pl.DataFrame,
) -> ReleaseFolder:
    """The release; `focus`: district, the challenge it works on first, whether it shares."""
    if pairs is None:
        pairs = [
            pair("EC13", "chicago", "directly_comparable", "higher", 0.01),
            pair("EC13", "houston", "too_close_to_call"),
            pair("EC13", "miami_dade", "trend_break"),
            *(
                pair("EC13", one, "too_close_to_call", comparison="districts", other_district=other, other_school_year=YEARS[1])
                for one, other in (("chicago", "houston"), ("chicago", "miami_dade"), ("houston", "miami_dade"))
            ),
        ]
    if values is None:
        values = [
            value("EC13", district, year, 0.2 + 0.1 * place + 0.05 * number)
            for place, district in enumerate(("chicago", "houston"))
            for number, year in enumerate(YEARS)
        ] + [value("EC13", "miami_dade", YEARS[0], 0.5), value("EC13", "miami_dade", YEARS[1], None, "c")]
    rows = focus or [("chicago", "materials", True), ("houston", "educator_capacity", True), ("miami_dade", None, None)]
    tables = {
        "districts": pl.DataFrame(
            [(code, label, state, 10) for code, (label, state) in DISTRICTS.items()],
            schema={"code": _TEXT, "label": _TEXT, "state": _TEXT, "minimum_n": pl.Int64},
            orient="row",
        ),
        "indicators": pl.DataFrame(
            [
                _indicator("EC13", "Sequenced support", "educator_capacity", "higher is better"),
                _indicator("EC7", "Vacancy", "educator_capacity", "lower is better"),
                _indicator("CM6", "Materials on day 1", "materials", "higher is better"),
            ]
        ),
        "verdicts": pl.DataFrame(
            [
                {
                    "verdict": code,
                    "sort_order": place,
                    "label": label,
                    "meaning": f"Meaning of {code}.",
                    "remedy": "Wait.",
                    "is_comparable": ok,
                }
                for place, (code, (label, ok)) in enumerate(VERDICTS.items())
            ]
        ),
        "comparisons": pl.DataFrame(pairs, infer_schema_length=None).with_columns(
            pl.col("finding").cast(_TEXT), pl.col("q_value").cast(pl.Float64), pl.col("other_district").cast(_TEXT)
        ),
        "indicator_values": pl.DataFrame(values, infer_schema_length=None).with_columns(
            pl.col(name).cast(pl.Float64) for name in ("value", "lower", "upper", "at_least", "at_most")
        ),
        "convenings": pl.DataFrame(
            [
                {"convening": "2024", "label": "First annual convening", "held_on": date(2024, 7, 16), "school_year": YEARS[0]},
                {"convening": "2025", "label": "Second annual convening", "held_on": date(2025, 7, 15), "school_year": YEARS[1]},
            ]
        ).with_columns(audience=pl.lit("Leaders"), source=pl.lit("made by hand")),
        "focal_questions": pl.DataFrame(
            [{"convening": "2025", "challenge": "educator_capacity", "indicator_id": "EC13", "question": "Which support stays?"}]
        ),
        "commitments": pl.DataFrame([_commitment("chicago", YEARS[0], "in_progress"), _commitment("chicago", YEARS[1], "done")]),
        "district_focus": pl.DataFrame(
            [(district, YEARS[1], "spring", challenge, shares) for district, challenge, shares in rows],
            schema={
                "district": _TEXT,
                "school_year": _TEXT,
                "term": _TEXT,
                "focus_challenge": _TEXT,
                "shares_with_peers": pl.Boolean,
            },
            orient="row",
        ),
        "district_context": pl.DataFrame(
            [
                {"district": code, "school_year": YEARS[1], "school_level": None, "n_schools": 50, "n_charter_schools": 5}
                | {"n_enrolled": 20000, "n_low_income": 15000, "n_english_learner": None, "n_disability": 3000}
                for code in DISTRICTS
            ],
            schema_overrides={"school_level": _TEXT, "n_english_learner": pl.Int64},
        ),
        "submissions": pl.DataFrame(
            [
                {
                    "district": "chicago",
                    "extract": "math_staff",
                    "school_year": YEARS[1],
                    "certified_at": "2025-10-06T10:00:00+00:00",
                }
            ]
        ).with_columns(state=pl.lit("certified"), n_findings=pl.lit(2)),
        "expected_extracts": pl.DataFrame(
            [
                {"district": code, "extract": "math_staff", "school_year": YEARS[1], "due_date": date(2025, 10, 31)}
                | {"state": "certified" if code == "chicago" else "late"}
                for code in DISTRICTS
            ]
        ),
        "instruments": pl.DataFrame(
            [{"state": "IL", "label": "IAR", "proficient_level": 3, "level_3_label": "Met", "first_school_year": "2018-19"}]
        ).with_columns(last_school_year=pl.lit(None, dtype=_TEXT)),
        "codes": pl.DataFrame(
            [
                {"list": "commitment_statuses", "code": code, "label": label}
                for code, label in (("done", "Done"), ("in_progress", "In progress"))
            ]
        ),
    }
    manifest: Mapping[str, Any] = {
        "release_id": "0007-abc",
        "kind": "synthetic",
        "minimum_n": 10,
        "tables": dict.fromkeys(tables),
        "inputs": [],
    }
    return ReleaseFolder("0007-abc", Path("0007-abc"), manifest, tables | changed)


def _indicator(indicator_id: str, name: str, challenge: str, direction: str | None) -> dict[str, Any]:
    return {"indicator_id": indicator_id, "name": name, "challenge": challenge, "direction": direction, "unit": "share"} | {
        "definition": f"{name}, as a share; lower where fewer answered.",
        "caveats": "A wider reading raises the value.",
    }


def _commitment(district: str, year: str, status: str) -> dict[str, Any]:
    return {
        "district": district,
        "school_year": year,
        "convening": "2024",
        "commitment_id": "C-1",
        "challenge": "educator_capacity",
    } | {
        "text": COMMITMENT,
        "due_date": date(2025, 6, 30),
        "status": status,
    }

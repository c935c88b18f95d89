"""What the audit knows a release to hold: tables, columns, indicators, codes, entries of the manifest.

A number in any other place is one that no attack was made with; it is told, and the audit does not pass. So is a code that no
list names, since people under it would be counted apart from everybody else. Whether a known number gives something away does
not belong here, and neither do texts that people wrote.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from pipelines.disclosure.audit.published import FLOATS, KEY, PEOPLE, TEXTS, WHOLE_NUMBERS, Published, declared, values_of

COMPARISON_NUMBERS = (
    "value",
    "other_value",
    "difference",
    "standard_error",
    "lower",
    "upper",
    "z",
    "p_value",
    "q_value",
    "n_in_family",
)
COMPARISON_SIDES = ("district", "school_year", "subgroup", "instrument", "administration")
_COMPARISONS = (
    *(name for name in KEY if name not in ("unit_type", "unit_id")),
    *(f"other_{name}" for name in COMPARISON_SIDES),
    *COMPARISON_NUMBERS,
    *("comparison", "indicator_id", "unit", "verdict", "finding", "is_census", "reason", "remedy"),
)
_COLUMNS = {
    "indicator_values": (*KEY, *FLOATS, *WHOLE_NUMBERS, *TEXTS),
    "comparisons": _COMPARISONS,
    "districts": ("code", "label", "state", "minimum_n"),
    "school_changes": ("district", "school_year", "change", "n_schools", "n_enrolled"),
    "district_context": (
        *("district", "school_year", "school_level"),
        *("n_schools", "n_charter_schools", "n_schools_in_scope"),
        *("n_enrolled", "n_low_income", "n_english_learner", "n_disability"),
    ),
    "link_backtest": (
        *("district", "state", "school_year", "grade", "instrument", "n", "linked_mean", "standard_error", "lower", "upper"),
        *("naep_mean", "naep_se", "difference", "coverage", "is_judged", "is_within"),
    ),
    # Below, nothing is counted but files, rows of files, and cells of a test.
    "link_backtest_summary": (
        *("n_cells", "n_refused", "n_within", "bias", "rmse", "linking_sd", "judged_by", "published_rmse", "minimum_cells"),
        "coverage",
    ),
    "naep_results": (
        *("unit_type", "unit_id", "schools", "grade", "year", "school_year", "mean", "share_basic", "share_proficient"),
        *("se", "source"),
    ),
    "submissions": (
        *("submission_id", "district", "extract", "school_year", "number", "state", "state_meaning", "next_step"),
        *("received_at", "screened_at", "certified_at", "how", "n_files", "lines_in", "lines_used", "dropped_lines", "rows_in"),
        *("rows_used", "dropped_rows", "n_findings", "first_message", "contract_version", "notes"),
    ),
    "expected_extracts": (
        *("district", "extract", "school_year", "due_date", "as_of", "state", "state_meaning", "next_step", "reason"),
        *("submission_id", "first_received_on", "first_certified_on"),
    ),
    "indicators": (
        *("indicator_id", "name", "challenge", "definition", "numerator", "denominator", "unit", "counts", "direction"),
        *("basis", "is_describe_only", "interval", "caveats", "definition_version", "breakdowns", "must_match"),
        *("response_floor", "estimated_from"),
    ),
    "instruments": (
        *("code", "label", "state", "test", "n_levels", "proficient_level", *(f"level_{k}_label" for k in range(1, 7))),
        *("first_school_year", "last_school_year", "grades", "cut_version", "scale_version", "mode"),
        *("course_test_replaces", "note", "source"),
    ),
    "programs": (
        *("program_id", "label", "kind", "low_grade", "high_grade", "leader_training_cost_usd", "description", "source"),
        *("teachers_per_leader_low", "teachers_per_leader_high", "leaders_per_year_low", "leaders_per_year_high"),
    ),
    "convenings": ("convening", "label", "held_on", "school_year", "audience", "source"),
    "focal_questions": ("convening", "challenge", "indicator_id", "question", "source"),
    "commitments": (
        *("district", "school_year", "convening", "commitment_id", "challenge", "text", "due_date", "status", "submission_id"),
    ),
    "district_focus": ("district", "school_year", "term", "focus_challenge", "shares_with_peers", "submission_id"),
    "thresholds": ("threshold_id", "value", "unit", "definition", "owner", "rationale"),
    "codes": ("list", "code", "label", "sort_order"),
    "verdicts": ("verdict", "sort_order", "label", "meaning", "remedy", "is_comparable"),
    "counts": ("indicator_id", "statistic", "role", "count", "by", "of", "of_cohort"),
    "relations": ("relation", "column", "total", "part", "is_whole", "indicator_id", "instrument"),
}
_SYMBOLS = ("c", "r", "z", "x", "low", "u")
# Breakdowns whose codes stand in a list of the release.
_LISTS = {"subgroup": "subgroups", "grade": "grades"}
_SEPARATOR = "; "
_MOST_NAMED, _LONGEST_NAMED = 3, 40
_NEEDED = ("indicator_values", "indicators", "districts")
_MANIFEST = {
    "minimum_n": None,
    "project_minimum_n": None,
    "audit": {"n_attacks_by_kind": None, "n_cells_attacked": None, "n_components": None, "n_hidden": None, "passed": None},
    "protection": {
        "gap_to_bound": None,
        "held": None,
        "n_blocks": None,
        "n_blocks_at_the_deadline": None,
        "n_cells": None,
        "n_held": None,
        "n_hidden": None,
        "n_hidden_with_their_block": None,
        "n_ranges": None,
        "n_values": None,
        "share_hidden": None,
        "share_in_ranges": None,
        "share_of_students_hidden": None,
        "share_proved": None,
    },
    "tables": None,
    "release_id": None,
    "created_at": None,
    "kind": None,
    "fingerprint": None,
    "inputs": None,
    "code_version": None,
    "contract_versions": None,
    "rule_versions": None,
}


def not_known(release: Published) -> tuple[str, ...]:
    """Where the release holds numbers that no attack is made with, and what it lacks, one sentence each."""
    missing = [f"table {name}: the release has none" for name in _NEEDED if name not in release.tables]
    return (
        *missing,
        *_columns(release),
        *_indicators(release),
        *_codes(release),
        *_minimum(release),
        *_entries(release.manifest, _MANIFEST, "manifest"),
    )


def _columns(release: Published) -> list[str]:
    lost = []
    for name, table in sorted(release.tables.items()):
        known = {*_COLUMNS.get(name, ())}
        for column, kind in table.schema.items():
            if column in known or table[column].null_count() == table.height:
                continue
            is_text = kind in (pl.String, pl.Categorical, pl.Enum)
            if not is_text or table[column].cast(pl.String).str.contains("[0-9]").any() or name == "indicator_values":
                lost.append(f"table {name}, column {column}: not known to the audit")
    return lost


def _indicators(release: Published) -> list[str]:
    """Indicators with numbers of which the release does not say what they count."""
    table, counts = release.tables.get("indicators"), declared(release, "counts")
    if table is None or counts is None or not {"indicator_id", "counts"} <= {*table.columns}:
        return []
    tells = pl.any_horizontal(pl.col(name).is_not_null() for name in (*FLOATS, *WHOLE_NUMBERS))
    present = values_of(release).filter(tells)["indicator_id"].unique().sort().to_list()
    of = dict(table.select("indicator_id", "counts").iter_rows())
    with_numbers = {*counts.filter(pl.col("role") == "denominator")["indicator_id"].to_list()}
    lost = [f"indicator {name}: the release does not say what it counts" for name in present if not of.get(name)]
    return lost + [
        f"indicator {name}: it counts {of[name]}, and the release does not say by which numbers"
        for name in present
        if of.get(name) in PEOPLE and name not in with_numbers
    ]


def _codes(release: Published) -> list[str]:
    """Symbols, sources and codes of breakdowns that nothing in the release explains."""
    values = values_of(release)
    lost = _unexplained("symbol", values["symbol"], _SYMBOLS)
    submissions = release.tables.get("submissions")
    if submissions is not None and "submission_id" in submissions.columns:
        sources = values["sources"].drop_nulls().unique().str.split(_SEPARATOR).explode()
        # What is published elsewhere is named by a word; a submission by its number.
        sources = sources.filter(sources.str.contains("[0-9]"))
        lost += _unexplained("sources", sources, submissions["submission_id"].cast(pl.String).to_list())
    codes = release.tables.get("codes")
    if codes is not None and {"list", "code"} <= {*codes.columns}:
        for column, name in _LISTS.items():
            listed = codes.filter(pl.col("list") == name)["code"].cast(pl.String).to_list()
            lost += _unexplained(column, values[column], listed) if listed else []
    return lost


def _unexplained(column: str, found: pl.Series, known: Sequence[str]) -> list[str]:
    odd = found.drop_nulls().unique().sort()
    odd = odd.filter((odd != "") & ~odd.is_in(list(known)))
    named = ", ".join(repr(code[:_LONGEST_NAMED]) for code in odd.head(_MOST_NAMED).to_list())
    return [f"table indicator_values, column {column}: {named} not known to the audit"] if odd.len() else []


def _minimum(release: Published) -> list[str]:
    """A manifest that promises less than the districts of the release."""
    districts = release.tables.get("districts")
    told = release.manifest.get("minimum_n")
    if districts is None or "minimum_n" not in districts.columns or not isinstance(told, int):
        return []
    strictest = districts["minimum_n"].cast(pl.Int64).max()
    if isinstance(strictest, int) and told < strictest:
        return [f"manifest.minimum_n: {told}, and the strictest district has {strictest}"]
    return []


def _entries(node: Mapping[str, Any], known: Mapping[str, Any], path: str) -> list[str]:
    """Entries of a manifest that are numbers, or hold some, and that are not known."""
    lost = []
    for name, child in sorted(node.items(), key=lambda entry: str(entry[0])):
        if name in known:
            inner = known[name]
            lost += _entries(child, inner, f"{path}.{name}") if inner is not None and isinstance(child, Mapping) else []
        elif _holds_numbers(child):
            lost.append(f"{path}.{name}: not known to the audit")
    return lost


def _holds_numbers(node: Any) -> bool:
    if isinstance(node, str):
        return any(letter.isdigit() for letter in node)
    if isinstance(node, Mapping):
        return any(_holds_numbers(child) for child in node.values())
    if isinstance(node, list | tuple):
        return any(_holds_numbers(child) for child in node)
    return isinstance(node, int | float) and not isinstance(node, bool)

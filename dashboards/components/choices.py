"""Which values of an indicator stand for it, and what they may be drawn beside.

Pure functions over `release_data.combinations` and over rows of values. Widgets belong to `filters`, drawing to `sections`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from pipelines.wording.amounts import is_shown
from pipelines.wording.labels import flag_codes, split_order

Indicator = dict[str, Any]
# Chosen in this order: what is chosen first decides what there is to choose next.
FIELD_ORDER = (
    "statistic",
    "program_id",
    "cohort",
    "respondent",
    "audience",
    "grade",
    "course",
    "subgroup",
    "category",
    "administration",
)
# What the bars of a panel stand for, where an indicator is split by it.
SPREAD_ORDER = ("category", "respondent", "audience", "administration", "grade", "course", "cohort", "program_id", "subgroup")
# Values with one of these flags, or of instruments that differ, are never drawn to one scale.
_DEFINED_APART = ("definition_varies", "tools_differ")
_APART = ("response_below_floor", "response_unknown", "low_alpha", "alpha_unknown", "purposive_sample")


def varying(combinations: pl.DataFrame) -> list[str]:
    """The fields by which an indicator is split, in the order in which they are chosen."""
    return [field for field in FIELD_ORDER if combinations[field].n_unique() > 1]


def options(combinations: pl.DataFrame, field: str) -> list[str | None]:
    """The values of one field, the whole first."""
    return sorted(combinations[field].unique().to_list(), key=lambda code: split_order(field, code))


def only(rows: pl.DataFrame, field: str, code: str | None) -> pl.DataFrame:
    """The rows with one value of a field."""
    return rows.filter(pl.col(field).eq_missing(pl.lit(code, dtype=pl.String)))


def default(combinations: pl.DataFrame, field: str, year: str, indicator: Indicator) -> str | None:
    """The value of a field that stands for the indicator where nobody chose one.

    The whole where there is one; a measure in the indicator's own unit; what the declared direction names; else what most
    districts have in that year, of waves and terms the last.
    """
    own = combinations
    codes = options(own, field)
    if split_order(field, codes[0])[0] == 0:
        return codes[0]
    if field == "statistic":
        in_unit = own.filter(pl.col("unit") == pl.lit(indicator["unit"], dtype=pl.String))
        own = in_unit if not in_unit.is_empty() else own
        codes = options(own, field)
    if field in ("category", "statistic"):
        meant = [word for word in re.findall(r"\w+", indicator["direction"] or "") if word in codes]
        if meant:
            return str(meant[0])
    counted = own.filter(pl.col("school_year") == year).group_by(field).agg(pl.col("n_districts").max())
    if not counted["n_districts"].max():
        # Nobody has a number in that year: what has numbers in another one.
        counted = own.group_by(field).agg(pl.col("n_districts").max())
    most: list[str | None] = counted.filter(pl.col("n_districts") == pl.col("n_districts").max())[field].to_list()
    if not most:
        return codes[0]
    last_first = -1 if field == "administration" else 1
    return sorted(most, key=lambda code: split_order(field, code))[::last_first][0]


def headline(combinations: pl.DataFrame, year: str, indicator: Indicator) -> dict[str, str | None]:
    """The one value of every field that stands for an indicator in a year."""
    left, chosen = combinations, {}
    for field in FIELD_ORDER:
        chosen[field] = default(left, field, year, indicator)
        left = only(left, field, chosen[field])
    return chosen


def in_combination(rows: pl.DataFrame, chosen: Mapping[str, str | None]) -> pl.DataFrame:
    """The rows that have the chosen value of every field."""
    conditions = [pl.col(field).eq_missing(pl.lit(code, dtype=pl.String)) for field, code in chosen.items()]
    return rows.filter(*conditions) if conditions else rows


def combinations_of(rows: pl.DataFrame) -> pl.DataFrame:
    """What `release_data.combinations` gives, of rows of one indicator that are at hand already."""
    return rows.group_by("school_year", *FIELD_ORDER, "unit").agg(
        pl.col("district").filter(is_shown()).n_unique().alias("n_districts")
    )


def why_apart(indicator: Indicator, rows: pl.DataFrame, refusals: Sequence[str] = ()) -> str | None:
    """Why the panels of different districts may not share an axis, in words; None where they may.

    `rows`: the values to be drawn, of all districts. `refusals`: labels of the verdicts that refuse a pair of districts.
    The order of the reasons is that of the verdicts' rules.
    """
    reason = _apart_by_basis(indicator)
    if reason:
        return reason
    shown = rows.filter(is_shown())
    if shown["unit"].n_unique() > 1:
        return "the values are in different units"
    if shown["definition_version"].n_unique() > 1:
        return "the definition differs"
    flags = {text: set(flag_codes(text)) for text in shown["flags"].unique().to_list()}
    definitions = {frozenset(code for code in codes if "=" in code) for codes in flags.values()}
    if len(definitions) > 1 or any(codes & set(_DEFINED_APART) for codes in flags.values()):
        return "what is counted is defined differently"
    if indicator["basis"] in ("survey", "observed"):
        if shown["instrument"].drop_nulls().n_unique() > 1:
            return "the instruments differ"
        if any(codes & set(_APART) for codes in flags.values()):
            return "the answers or observations of at least one district do not bear a comparison"
    if refusals and shown["district"].n_unique() > 1:
        return f"some districts may not be compared here ({', '.join(refusals).lower()})"
    return None


def _apart_by_basis(indicator: Indicator) -> str | None:
    if indicator["is_describe_only"]:
        return "districts differ here by design or by what they count"
    return {
        "own_test": "every state has its own test",
        "state_relative": "every position is one within its own state",
        "linked": "values linked to a national scale carry an error of linking",
        "scale_free": "a test-free measure still stands on each district's own test",
    }.get(indicator["basis"])

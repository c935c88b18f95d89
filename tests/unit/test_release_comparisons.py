"""Comparisons as they leave: nothing of a hidden value, and p-values over everything that the release tests."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from pipelines.release.comparisons import NUMBERS, protected_comparisons
from pipelines.release.folder import VALUE_KEY as KEY

VERDICTS = pl.DataFrame({"verdict": ["suppressed"], "meaning": ["A small group."], "remedy": ["Nothing."]})


def value(district: str, symbol: str | None = None, **breakdowns: str) -> dict[str, Any]:
    unset = dict.fromkeys(KEY)
    return unset | {
        "indicator_id": "X",
        "district": district,
        "school_year": "2023-24",
        "unit_type": "district",
        "symbol": symbol,
        **breakdowns,
    }


def pair(district: str, other: str, z: float | None, verdict: str = "too_close_to_call", **breakdowns: str) -> dict[str, Any]:
    shared = {name: None for name in KEY if name not in ("unit_type", "unit_id", "network_id")}
    sides = {f"other_{name}": None for name in ("subgroup", "instrument", "administration")}
    numbers = {name: 0.5 for name in NUMBERS if name not in ("finding", "n_in_family", "z")}
    return (
        shared
        | sides
        | numbers
        | {
            "comparison": "districts",
            "indicator_id": "X",
            "district": district,
            "other_district": other,
            "school_year": "2023-24",
            "other_school_year": "2023-24",
            "verdict": verdict,
            "finding": None,
            "z": z,
            "n_in_family": 3,
            "reason": "why",
            "remedy": "what",
            **breakdowns,
        }
    )


def frames(pairs: list[dict[str, Any]], values: list[dict[str, Any]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    def typed(rows: list[dict[str, Any]]) -> pl.DataFrame:
        table = pl.DataFrame(rows, infer_schema_length=None)
        return table.with_columns(pl.col(name).cast(pl.String) for name, kind in table.schema.items() if kind == pl.Null)

    return typed(pairs), typed(values)


@pytest.mark.parametrize("hidden", ["a", "b"])
def test_a_pair_with_a_hidden_side_says_nothing_but_that(hidden: str) -> None:
    pairs, values = frames(
        [pair("a", "b", 3.0, "directly_comparable", grade="4"), pair("a", "b", 2.0, grade="5")],
        [
            value("a", "c" if hidden == "a" else None, grade="4"),
            value("b", "c" if hidden == "b" else None, grade="4"),
            value("a", grade="5"),
            value("b", grade="5"),
        ],
    )
    first, second = protected_comparisons(pairs, values, VERDICTS).to_dicts()
    assert (first["verdict"], first["reason"], first["remedy"]) == ("suppressed", "A small group.", "Nothing.")
    assert {name: first[name] for name in (*NUMBERS, "p_value", "q_value")} == dict.fromkeys((*NUMBERS, "p_value", "q_value"))
    assert (second["verdict"], second["reason"], second["difference"]) == ("too_close_to_call", "why", 0.5)


def test_nulls_are_values_like_others_and_networks_are_no_side_of_a_pair() -> None:
    pairs, values = frames(
        [pair("a", "b", 2.0), pair("a", "b", 2.0, subgroup="low_income", other_subgroup="low_income")],
        [value("a", "c", subgroup="low_income"), value("a", "c", network_id="n1"), value("a"), value("b")],
    )
    assert protected_comparisons(pairs, values, VERDICTS)["verdict"].to_list() == ["too_close_to_call", "suppressed"]


def test_what_is_missing_stays_missing() -> None:
    pairs, values = frames([pair("a", "b", None, "no_data")], [value("a", "c")])
    row = protected_comparisons(pairs, values, VERDICTS).row(0, named=True)
    assert row["verdict"] == "no_data"
    # The number of the side that is hidden goes all the same.
    assert (row["value"], row["other_value"]) == (None, None)


def test_p_values_of_the_whole_release() -> None:
    """z 1.96, 2.576, 0: p .05, .01, 1; Benjamini and Hochberg's .05 x 3 / 2, .01 x 3 / 1, 1. A refused pair has none."""
    rows = [pair("a", f"b{i}", z) for i, z in enumerate([1.959964, 2.575829, 0.0])]
    pairs, values = frames([*rows, pair("a", "c", None, "describe_only")], [value("a")])
    table = protected_comparisons(pairs, values, VERDICTS)
    assert table["p_value"].to_list() == [pytest.approx(0.05, abs=1e-6), pytest.approx(0.01, abs=1e-6), 1.0, None]
    assert table["q_value"].to_list() == [pytest.approx(0.075, abs=1e-6), pytest.approx(0.03, abs=1e-6), 1.0, None]


def test_a_release_without_comparisons() -> None:
    pairs, values = frames([pair("a", "b", 2.0)], [value("a")])
    assert protected_comparisons(pairs[:0], values, VERDICTS).height == 0

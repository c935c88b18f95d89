"""Protection of small groups: what falls, what falls with it, and that nothing published gives a fallen cell back."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.disclosure.suppression import CATEGORIES, DISTRIBUTION, NUMBERS, Relation, protect
from pipelines.release.publish import without_small_groups

SCHEMA = {
    **dict.fromkeys([*DISTRIBUTION, *CATEGORIES, "unit"], pl.String),
    **dict.fromkeys(NUMBERS, pl.Float64),
    **dict.fromkeys(["n", "n_schools"], pl.Int64),
    "symbol": pl.String,
}
POOLED = Relation("grade", "3_5", ("3", "4", "5"))
LANGUAGE = Relation("subgroup", "all", ("english_learner", "not_english_learner"))


def _cell(numerator: float, denominator: float, **breakdowns: Any) -> dict[str, Any]:
    row = dict.fromkeys(SCHEMA)
    row |= {"indicator_id": "OC4", "district": "a", "school_year": "2024-25", "unit_type": "district", "subgroup": "all"}
    row |= {"unit": "share"}
    row |= {"numerator": numerator, "denominator": denominator, "n": int(denominator), "value": numerator / denominator}
    return row | breakdowns


def _levels(counts: tuple[int, ...], **breakdowns: Any) -> list[dict[str, Any]]:
    return [_cell(n, sum(counts), category=f"level_{k}", **breakdowns) for k, n in enumerate(counts, start=1)]


def _protect(rows: list[dict[str, Any]], relations: list[Relation] | None = None) -> pl.DataFrame:
    return protect(pl.DataFrame(rows, schema=SCHEMA), 10, relations or [], {"OC4"}).values


def _shown(values: pl.DataFrame, **breakdowns: Any) -> bool:
    rows = values.filter(**breakdowns)
    assert rows.height
    flags = rows["symbol"].is_null()
    assert flags.all() or not flags.any(), "a distribution is shown whole or not at all"
    return bool(flags.all())


def test_large_cells_stay() -> None:
    values = _protect(_levels((40, 30, 30)))
    assert values["numerator"].to_list() == [40, 30, 30]
    assert values["symbol"].null_count() == 3


@pytest.mark.parametrize("counts", [(9, 50, 50), (1, 500, 499), (3, 3, 3), (0, 100, 0), (95, 0, 5)])
def test_a_small_count_takes_its_distribution_with_it(counts: tuple[int, ...]) -> None:
    values = _protect(_levels(counts))
    assert not _shown(values, district="a")
    assert values.select(pl.col("numerator", "denominator", "value", "lower", "upper", "n").is_null().all()).row(0) == (True,) * 6
    assert values["symbol"].unique().to_list() == ["c"]


def test_a_count_of_zero_is_shown_where_others_are_large() -> None:
    assert _shown(_protect(_levels((0, 50, 50))), district="a")


def test_a_missing_value_keeps_its_own_reason() -> None:
    rows = [_cell(9, 100, category="level_1") | {"numerator": None, "value": None, "n": None, "denominator": None, "symbol": "x"}]
    assert _protect(rows)["symbol"].to_list() == ["x"]


def test_schools_are_not_people() -> None:
    rows = [_cell(3, 100, indicator_id="CM2"), _cell(3, 9, indicator_id="CM2", district="b")]
    values = _protect(rows)
    assert _shown(values, district="a")
    assert not _shown(values, district="b")


def test_of_a_mean_only_the_people_behind_it_are_counted() -> None:
    rows = [_cell(3, 100, unit="hours"), _cell(300, 9, unit="hours", district="b")]
    values = _protect(rows)
    assert _shown(values, district="a")
    assert not _shown(values, district="b")


@pytest.mark.parametrize("unit", ["ratio", "teachers per leader"])
def test_of_a_ratio_of_people_both_counts_are_people(unit: str) -> None:
    values = _protect([_cell(9, 100, unit=unit), _cell(95, 100, unit=unit, district="b")])
    assert not _shown(values, district="a")
    assert _shown(values, district="b"), "what is left of the denominator is nobody's count"


def test_a_value_that_does_not_say_how_many_stand_behind_it_falls() -> None:
    without = {"numerator": None, "denominator": None, "n": None, "value": 2.5, "unit": "months"}
    rows = [_cell(1, 2) | without, _cell(1, 2, district="b") | without | {"n": 40}, _cell(1, 2, indicator_id="SS9") | without]
    values = protect(pl.DataFrame(rows, schema=SCHEMA), 10, [], {"OC4"}, {"SS9"}).values
    assert values["symbol"].to_list() == ["c", None, None]


def test_subtraction_from_the_pooled_grade_gives_nothing_back() -> None:
    rows = [
        *_levels((100, 100, 95), grade="3_5"),
        *_levels((40, 40, 40), grade="3"),
        *_levels((30, 30, 31), grade="4"),
        *_levels((30, 30, 24), grade="5"),
    ]
    small = [*rows[:9], *_levels((37, 40, 7), grade="5")]
    assert _shown(_protect(rows, [POOLED]), grade="4")
    values = _protect(small, [POOLED])
    assert not _shown(values, grade="5")
    assert not _shown(values, grade="4"), "grade 5 would be the pooled grade less 3 and 4"
    assert _shown(values, grade="3")
    assert _shown(values, grade="3_5")


def test_an_unsent_complement_is_protected_too() -> None:
    rows = [*_levels((60, 60), subgroup="all"), *_levels((55, 58), subgroup="english_learner")]
    values = _protect(rows, [LANGUAGE])
    assert not _shown(values, subgroup="english_learner")
    assert _shown(values, subgroup="all")


def test_an_unsent_complement_at_one_level_is_protected_too() -> None:
    rows = [*_levels((100, 100), subgroup="all"), *_levels((50, 100), subgroup="english_learner")]
    values = _protect(rows, [LANGUAGE])
    assert not _shown(values, subgroup="english_learner")
    assert _shown(values, subgroup="all")


@pytest.mark.parametrize("unsent", [False, True])
def test_what_the_sender_withheld_is_not_given_back(unsent: bool) -> None:
    rows = [*_levels((102, 103), grade="3_5"), *_levels((50, 50), grade="3"), *_levels((51, 49), grade="4")]
    withheld = [
        row | dict.fromkeys(["numerator", "denominator", "value", "n"]) | {"symbol": "c"} for row in _levels((1, 4), grade="5")
    ]
    values = _protect(rows if unsent else [*rows, *withheld], [POOLED])
    assert _shown(values, grade="3_5")
    assert [_shown(values, grade=grade) for grade in ("3", "4")].count(False) == 1


def test_the_sum_of_fallen_parts_is_not_a_small_count_either() -> None:
    rows = [
        *_levels((303, 300), grade="3_5"),
        *_levels((2, 98), grade="3"),
        *_levels((1, 99), grade="4"),
        *_levels((300, 103), grade="5"),
    ]
    values = _protect(rows, [POOLED])
    assert [_shown(values, grade=grade) for grade in ("3", "4", "5")] == [False, False, False]
    assert _shown(values, grade="3_5")


GRADES = st.lists(st.tuples(*[st.integers(0, 60)] * 3).filter(lambda c: sum(c) > 0), min_size=3, max_size=3)


@settings(max_examples=150, deadline=None)
@given(GRADES)
def test_no_published_total_less_published_parts_is_a_small_cell(by_grade: list[tuple[int, int, int]]) -> None:
    rows = [row for grade, counts in zip("345", by_grade, strict=True) for row in _levels(counts, grade=grade)]
    total = tuple(sum(counts) for counts in zip(*by_grade, strict=True))
    values = _protect([*rows, *_levels(total, grade="3_5")], [POOLED])
    shown = {grade: _shown(values, grade=grade) for grade in ("3", "4", "5", "3_5")}
    for grade, counts in zip("345", by_grade, strict=True):
        if shown[grade]:
            assert all(n == 0 or n >= 10 for n in counts)
    if shown["3_5"]:
        visible = [counts for grade, counts in zip("345", by_grade, strict=True) if shown[grade]]
        n_hidden = 3 - len(visible)
        assert not (n_hidden == 1 and visible), "one hidden part of a published total is that total less the others"
        if visible:
            left = [whole - sum(part) for whole, part in zip(total, zip(*visible, strict=True), strict=True)]
            assert sum(left) == 0 or sum(left) >= 10
            assert all(n == 0 or n >= 10 for n in left)
            assert all(sum(left) - n == 0 or sum(left) - n >= 10 for n in left)


def test_small_counts_of_students_leave_the_tables_beside_the_values() -> None:
    counts = {"n_schools": [2, 1, 3, 4], "n_enrolled": [500, 9, 500, 500], "n_low_income": [100, None, 495, 7]}
    table = without_small_groups(pl.DataFrame(counts), 10)
    assert table["n_schools"].to_list() == [2, 1, 3, 4]
    assert table["n_enrolled"].to_list() == [500, None, 500, 500]
    assert table["n_low_income"].to_list() == [100, None, None, None]

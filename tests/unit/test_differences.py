"""Rows added, removed and changed, against a slow and plain way of finding them; and the typed table that rows become."""

from __future__ import annotations

import io
import re
from collections import defaultdict, deque
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.contracts.contract import Column, Contract, load_contract
from pipelines.contracts.typed_table import partition_schema, typed_rows
from pipelines.intake.differences import RowDifferences, row_differences
from pipelines.intake.reading import DeliveredFile
from pipelines.intake.screening import screen
from pipelines.lake.partitions import ensure_empty_extracts
from pipelines.settings import PROJECT_ROOT
from pipelines.storage import Storage
from tests.deliveries import directory_csv, levels_csv

CONTRACTS = PROJECT_ROOT / "data_contracts"
PHYSICAL = {"text": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN", "date": "DATE"}

Row = dict[str, str | None]


def column(name: str, kind: str, key_position: int | None = None) -> Column:
    return Column(name, kind, PHYSICAL[kind], "", key_position=key_position)


def contract(*columns: Column) -> Contract:
    by_name = {one.name: one for one in columns}
    return Contract("small", "Small", "1.0.0", "", "", "", "SM", columns, (), by_name)


SMALL = contract(
    column("unit", "text", 1),
    column("grade", "integer", 2),
    column("n", "integer"),
    column("share", "number"),
    column("is_open", "boolean"),
    column("day", "date"),
    column("note", "text"),
)
TEXTS: dict[str, list[str | None]] = {
    "unit": ["a", "A", "a ü", None],
    "grade": ["3", "03", "+3", "4", "four", None],
    "n": ["1138", "01138", "-0", "0", "1,138", "9" * 19, None],
    "share": ["1", "1.0", "1.50", "1.5", "-0", "0.0", "1e3", "1000", None],
    "is_open": ["true", "TRUE", "1", "no", "false", "maybe", None],
    "day": ["2024-01-02", "2024-13-01", "2024-1-2", None],
    "note": ["true", "TRUE", "1", "01", None],
}


def frame(rows: list[Row], file: str = "f.csv", absent: tuple[str, ...] = ()) -> pl.DataFrame:
    names = [one.name for one in SMALL.columns if one.name not in absent]
    return pl.DataFrame(
        [[i, file, 10 * i, *(row.get(name) for name in names)] for i, row in enumerate(rows, 1)],
        schema={"row_id": pl.Int64, "delivered_file": pl.String, "delivered_line": pl.Int64} | dict.fromkeys(names, pl.String),
        orient="row",
    )


def value(kind: str, text: str | None) -> Any:
    """The value that a text stands for, read by Python; a text that cannot be read stands for itself."""
    if text is None or kind == "text":
        return text
    if kind == "integer" and re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        return int(text)
    if kind == "number" and re.fullmatch(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?", text):
        return float(text)
    words = dict.fromkeys(("true", "t", "yes", "y", "1"), True) | dict.fromkeys(("false", "f", "no", "n", "0"), False)
    if kind == "boolean" and text.lower() in words:
        return words[text.lower()]
    if kind == "date" and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            return ("unreadable", text)
    return ("unreadable", text)


@dataclass
class Expected:
    same: int
    added: list[int]
    removed: list[int]
    changed: list[tuple[int, int]]


def slowly(before: list[Row], after: list[Row]) -> Expected:
    """Row numbers, found with dictionaries: equal rows first, then rows of one key in order."""

    def of(row: Row, names: tuple[str, ...]) -> tuple[Any, ...]:
        return tuple(value(SMALL.by_name[name].kind, row.get(name)) for name in names)

    waiting: dict[tuple[Any, ...], deque[int]] = defaultdict(deque)
    for i, row in enumerate(before):
        waiting[of(row, SMALL.column_names)].append(i)
    rest, same = [], 0
    for j, row in enumerate(after):
        if waiting[of(row, SMALL.column_names)]:
            waiting[of(row, SMALL.column_names)].popleft()
            same += 1
        else:
            rest.append(j)
    by_key: dict[tuple[Any, ...], deque[int]] = defaultdict(deque)
    for i in sorted(i for left in waiting.values() for i in left):
        by_key[of(before[i], SMALL.key)].append(i)
    added, changed = [], []
    for j in rest:
        same_key = by_key[of(after[j], SMALL.key)]
        if same_key:
            changed.append((same_key.popleft(), j))
        else:
            added.append(j)
    return Expected(same, added, sorted(i for left in by_key.values() for i in left), changed)


rows_of = st.lists(st.fixed_dictionaries({name: st.sampled_from(texts) for name, texts in TEXTS.items()}), max_size=12)
absent_of = st.sets(st.sampled_from(SMALL.column_names)).map(tuple)


@settings(max_examples=60, deadline=None)
@given(before=rows_of, after=rows_of, n_kept=st.integers(0, 8), absent_before=absent_of, absent_after=absent_of)
def test_as_found_with_dictionaries(
    before: list[Row], after: list[Row], n_kept: int, absent_before: tuple[str, ...], absent_after: tuple[str, ...]
) -> None:
    after = after + before[:n_kept]
    old = [{name: text for name, text in row.items() if name not in absent_before} for row in before]
    new = [{name: text for name, text in row.items() if name not in absent_after} for row in after]
    found = row_differences(frame(before, "b", absent_before), frame(after, "a", absent_after), SMALL)
    expected = slowly(old, new)
    assert (found.n_before, found.n_after) == (len(before), len(after))
    assert found.n_same == expected.same
    assert found.added["delivered_line"].to_list() == [10 * (j + 1) for j in expected.added]
    assert found.removed["delivered_line"].to_list() == [10 * (i + 1) for i in expected.removed]
    assert found.n_changed_rows == len(expected.changed)
    fields = [name for name in SMALL.column_names if name not in SMALL.key]
    assert found.changed.rows() == [
        (new[j].get("unit"), new[j].get("grade"), name, old[i].get(name), new[j].get(name), "a", 10 * (j + 1))
        for i, j in expected.changed
        for name in fields
        if value(SMALL.by_name[name].kind, old[i].get(name)) != value(SMALL.by_name[name].kind, new[j].get(name))
    ]
    shown = ("delivered_file", "delivered_line", "unit", "grade", *fields)
    assert (tuple(found.added.columns), tuple(found.removed.columns)) == (shown, shown)
    assert found.added.rows() == [("a", 10 * (j + 1), *(new[j].get(name) for name in shown[2:])) for j in expected.added]
    assert found.removed.rows() == [("b", 10 * (i + 1), *(old[i].get(name) for name in shown[2:])) for i in expected.removed]


def test_values_are_compared_and_not_their_spelling() -> None:
    before: Row = {
        "unit": "a",
        "grade": "03",
        "n": "01138",
        "share": "1.50",
        "is_open": "TRUE",
        "day": "2024-01-02",
        "note": "01",
    }
    after: Row = {"unit": "a", "grade": "3", "n": "1138", "share": "1.5", "is_open": "yes", "day": "2024-01-02", "note": "1"}
    found = row_differences(frame([before]), frame([after]), SMALL)
    assert found.changed.select("unit", "grade", "field", "before", "after").rows() == [("a", "3", "note", "01", "1")]
    assert found.n_changed_rows == 1


@pytest.mark.parametrize(
    ("name", "one", "other"), [("n", "-0", "0"), ("n", "+7", "007"), ("share", "-0.0", "0"), ("share", "1", "1.00")]
)
def test_spellings_of_one_number_are_the_same(name: str, one: str, other: str) -> None:
    found = row_differences(frame([{"unit": "a", name: one}]), frame([{"unit": "a", name: other}]), SMALL)
    assert found.summary() == "Nothing changes: 1 row as before."


def test_a_value_that_cannot_be_read_is_not_the_same_as_a_blank_one() -> None:
    found = row_differences(frame([{"unit": "a", "n": None}]), frame([{"unit": "a", "n": "1,138"}]), SMALL)
    assert found.changed.select("field", "before", "after").rows() == [("n", None, "1,138")]


def test_rows_stand_in_the_order_of_the_delivery_whatever_the_order_of_the_frame() -> None:
    rows = frame([{"unit": unit} for unit in "cab"])
    assert row_differences(None, rows.reverse(), SMALL).added["unit"].to_list() == ["c", "a", "b"]


def test_every_row_of_one_key_is_matched_once_and_not_with_every_other() -> None:
    n = 60_000
    before = frame([{"unit": "a"}]).select(pl.all().repeat_by(n).explode()).with_columns(row_id=pl.int_range(1, n + 1))
    after = before.with_columns(n=pl.int_range(n).cast(pl.String))
    found = row_differences(before, after, SMALL)
    assert (found.n_changed_rows, found.changed.height, found.added.height, found.removed.height) == (n, n, 0, 0)
    one_less = row_differences(before, before.head(n - 1), SMALL)
    assert (one_less.n_same, one_less.removed.height, one_less.changed.height) == (n - 1, 1, 0)


def test_a_contract_whose_columns_are_all_its_key() -> None:
    keys = contract(column("unit", "text", 1), column("grade", "integer", 2))
    rows = frame([{"unit": "a", "grade": "3"}, {"unit": "b", "grade": "3"}])
    found = row_differences(rows.head(1), rows, keys)
    assert (found.n_same, found.added.height, found.changed.height) == (1, 1, 0)
    assert found.changed.columns == ["unit", "grade", "field", "before", "after", "delivered_file", "delivered_line"]


def test_names_that_need_quoting() -> None:
    odd = contract(column('the "unit"', "text", 1), column("of'n", "integer"))
    rows = pl.DataFrame({"row_id": [1], "delivered_file": ["f"], "delivered_line": [2], 'the "unit"': ["a"], "of'n": ["1"]})
    found = row_differences(rows, rows.with_columns(pl.lit("2").alias("of'n")), odd)
    assert found.changed.rows() == [("a", "of'n", "1", "2", "f", 2)]


def summary(before: list[Row] | None, after: list[Row]) -> str:
    return row_differences(None if before is None else frame(before), frame(after), SMALL).summary()


def test_the_summary_is_one_plain_sentence() -> None:
    a: Row = {"unit": "a", "n": "1", "share": "1"}
    b: Row = {"unit": "b"}
    assert summary(None, [a, b]) == "2 rows, all new: nothing is in force here yet."
    assert summary(None, [a]) == "1 row, all new: nothing is in force here yet."
    assert summary([a, b], [b, a]) == "Nothing changes: 2 rows as before."
    assert summary([a], [b, {**a, "n": "2", "share": "2"}]) == "1 row added, 0 removed, 1 changed (2 values), 0 as before."
    assert summary([], [a, b]) == "2 rows added, 0 removed, 0 changed (0 values), 0 as before."
    empty = pl.DataFrame()
    many = RowDifferences(12_043, 12_052, empty.clear(), empty, pl.DataFrame({"field": ["n"] * 55}), 40, 12_000, False)
    assert many.summary() == "0 rows added, 0 removed, 40 changed (55 values), 12,000 as before."


def mapped(extract: str, content: bytes) -> pl.DataFrame:
    return screen([DeliveredFile("f.csv", content)], CONTRACTS, "chicago", extract, "2024-25").rows


def test_rows_as_intake_keeps_them() -> None:
    levels = load_contract(CONTRACTS, "assessment_levels")
    counts = {(f"{unit:03d}", grade, "all"): (40, 30, 20, 15) for unit in range(1, 5) for grade in ("3", "4")}
    before = mapped("assessment_levels", levels_csv(counts, "il_iar_math_2025"))
    del counts["004", "4", "all"]
    counts["002", "3", "all"] = (40, 30, 21, 15)
    counts["009", "3", "all"] = (1, 2, 3, 4)
    found = row_differences(before, mapped("assessment_levels", levels_csv(counts, "il_iar_math_2025")), levels)
    assert found.summary() == "1 row added, 1 removed, 1 changed (3 values), 6 as before."
    assert found.added.select("unit_id", "grade", "n_level_4", "delivered_line").rows() == [("009", "3", "4", 9)]
    assert found.removed.select("unit_id", "grade", "delivered_line").rows() == [("004", "4", 9)]
    assert found.changed.select("unit_id", "field", "before", "after", "delivered_line").rows() == [
        ("002", "n_enrolled", "115", "116", 4),
        ("002", "n_tested", "105", "106", 4),
        ("002", "n_level_3", "20", "21", 4),
    ]


def parquet(table: pl.DataFrame, submission_id: str) -> bytes:
    buffer = io.BytesIO()
    table.write_parquet(buffer, compression="zstd", metadata={"submission_id": submission_id})
    return buffer.getvalue()


def test_a_typed_table_made_by_hand_is_the_same_to_the_byte() -> None:
    directory = load_contract(CONTRACTS, "school_directory")
    rows = mapped("school_directory", directory_csv(2)).reverse()
    known = {"school_level": "elementary", "low_grade": "K", "high_grade": "5", "network_id": "north"}
    numbers = {"n_enrolled_in_scope": 300, "n_low_income": 150, "n_english_learner": 40, "n_disability": 30}
    by_hand = pl.DataFrame(
        [
            {"district": "chicago", "school_year": "2024-25", "submission_id": "s/1", "school_id": f"00{i}"}
            | {"school_name": f"School {i}", "is_charter": False, "in_scope": True, "n_enrolled": 300 + i}
            | known
            | numbers
            for i in (1, 2)
        ],
        schema=partition_schema(directory),
    )
    typed = typed_rows(rows, directory, "chicago", "2024-25", "s/1")
    assert parquet(typed, "s/1") == parquet(by_hand, "s/1")


@pytest.mark.parametrize("extract", ["assessment_levels", "curriculum_adoption", "school_directory"])
def test_no_rows_are_a_typed_table_too_and_it_is_the_empty_file_of_the_lake(tmp_path: Path, extract: str) -> None:
    one = load_contract(CONTRACTS, extract)
    none = pl.DataFrame(schema={"row_id": pl.Int64, "delivered_file": pl.String, "delivered_line": pl.Int64})
    typed = typed_rows(none, one, "chicago", "2024-25", "s/1")
    storage = Storage(tmp_path)
    ensure_empty_extracts(storage, CONTRACTS)
    assert (typed.height, typed.schema) == (0, partition_schema(one))
    assert storage.read(f"lake/{extract}/_empty.parquet") == parquet(typed, "")

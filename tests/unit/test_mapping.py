"""Mapping: what a SELECT may not do, what it costs at most, and that every delivered line is accounted for."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.contracts.contract import load_contract
from pipelines.intake.mapping import (
    MAPPING_RULES,
    DistrictMapping,
    Mapped,
    MappingFailed,
    MappingLimits,
    find_mapping,
    map_contract_columns,
    map_delivery,
    parse_mapping,
    run_select,
)
from pipelines.intake.reading import Delivered, DeliveredFile, ReadingOptions, read_delivery
from pipelines.intake.screening import screen
from pipelines.intake.states import CORRECTIONS_NEEDED, READY
from pipelines.settings import PROJECT_ROOT

CONTRACTS = PROJECT_ROOT / "data_contracts"
PLACE = ("philadelphia", "2023-24")
DIRECTORY = load_contract(CONTRACTS, "school_directory")
SECRET = "nobody may read this"  # noqa: S105 - the content of a file that a mapping must not reach
REACHABLE_ONLY_BY_REPLACEMENT = pl.DataFrame({"x": [SECRET]})


def delivered(text: str) -> Delivered:
    return read_delivery([DeliveredFile("a.csv", text.encode())])


def mapping(sql: str) -> DistrictMapping:
    return parse_mapping(sql)


def mapped(text: str, sql: str, school_year: str = "2023-24", limits: MappingLimits | None = None) -> Mapped:
    return map_delivery(delivered(text), DIRECTORY, mapping(sql), "philadelphia", school_year, limits)


def failure(sql: str, limits: MappingLimits | None = None, text: str = "a,b\n1,2\n3,4\n") -> MappingFailed:
    with pytest.raises(MappingFailed) as caught:
        run_select(sql, delivered(text).table, {"district": "philadelphia", "school_year": "2023-24"}, limits)
    refusal = caught.value
    assert refusal.rule_id in MAPPING_RULES
    assert "Traceback" not in refusal.message
    assert "\n" not in refusal.message
    assert refusal.how_to_fix.endswith(".")
    return refusal


@pytest.fixture
def secret_folder(tmp_path: Path) -> Path:
    (tmp_path / "secret.csv").write_text(f"a\n{SECRET}\n")
    (tmp_path / "secret.json").write_text(f'{{"a": "{SECRET}"}}')
    duckdb.sql(f"SELECT '{SECRET}' AS a").write_parquet(str(tmp_path / "secret.parquet"))
    with duckdb.connect(str(tmp_path / "secret.duckdb")) as connection:
        connection.execute(f"CREATE TABLE t AS SELECT '{SECRET}' AS a")
    return tmp_path


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('FOLDER/secret.csv')",
        "SELECT * FROM read_csv_auto('FOLDER/secret.csv')",
        "SELECT * FROM read_text('FOLDER/secret.csv')",
        "SELECT * FROM read_blob('FOLDER/secret.csv')",
        "SELECT * FROM read_json('FOLDER/secret.json')",
        "SELECT * FROM read_parquet('FOLDER/secret.parquet')",
        "SELECT * FROM parquet_metadata('FOLDER/secret.parquet')",
        "SELECT * FROM sniff_csv('FOLDER/secret.csv')",
        "SELECT * FROM glob('FOLDER/*')",
        "SELECT * FROM 'FOLDER/secret.csv'",
        "SELECT * FROM 'FOLDER/secret.parquet'",
        "SELECT * FROM query('SELECT * FROM read_text(''FOLDER/secret.csv'')')",
        "SELECT * FROM query_table('FOLDER/secret.csv')",
        "SELECT * FROM delivered UNION ALL BY NAME SELECT * FROM 'FOLDER/secret.csv'",
        "SELECT (SELECT content FROM read_text('FOLDER/secret.csv')) AS a FROM delivered",
        "SELECT * FROM read_csv('https://localhost:9/secret.csv')",
        "SELECT * FROM 's3://bucket/secret.parquet'",
        "SELECT * FROM duckdb_secrets()",
        "SELECT * FROM REACHABLE_ONLY_BY_REPLACEMENT",
        "SELECT * FROM delivered_frame",
        "SELECT getenv('NMIP_TEST_SECRET')",
        "SELECT * FROM sqlite_scan('FOLDER/secret.duckdb', 't')",
        "SELECT * FROM st_read('FOLDER/secret.csv')",
        "SELECT * FROM read_csv(['FOLDER/secret.csv'])",
        "SELECT * FROM read_csv('FOLDER/*.csv')",
        "SELECT * FROM read_ndjson('FOLDER/secret.json')",
        "SELECT * FROM read_duckdb('FOLDER/secret.duckdb')",
        "SELECT * FROM read_xlsx('FOLDER/secret.xlsx')",
        "SELECT * FROM postgres_scan('host=localhost', 'public', 't')",
        "SELECT * FROM http_get('http://localhost:9/')",
        "SELECT * FROM read_text('/proc/self/environ')",
        "SELECT * FROM '/proc/self/environ'",
        "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT * FROM read_text(''FOLDER/secret.csv'')'))",
        "SELECT * FROM duckdb_extensions()",
        "SELECT * FROM which_secret('s3://bucket/secret.parquet', 's3')",
        "SELECT * FROM force_checkpoint()",
        "SELECT * FROM enable_logging()",
        "SELECT * FROM enable_profiling()",
        "WITH gone AS (COPY delivered TO 'FOLDER/out.csv') SELECT 1 AS a",
        "WITH gone AS (COPY delivered TO '/dev/stdout') SELECT 1 AS a",
        "WITH gone AS (COPY (SELECT 1) TO 's3://bucket/out.csv') SELECT 1 AS a",
        "WITH gone AS (ATTACH 'FOLDER/out.duckdb' AS s) SELECT 1 AS a",
        "WITH gone AS (SET enable_external_access = true) SELECT 1 AS a",
        "WITH gone AS (LOAD httpfs) SELECT 1 AS a",
        "WITH gone AS (INSTALL httpfs) SELECT 1 AS a",
    ],
)
def test_nothing_outside_the_delivery_is_read(sql: str, secret_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NMIP_TEST_SECRET", SECRET)
    before = sorted(secret_folder.iterdir())
    refusal = failure(sql.replace("FOLDER", str(secret_folder)))
    assert refusal.rule_id == "MAP-FAILED"
    assert SECRET not in refusal.message
    assert os.fspath(Path.home()) not in refusal.message
    assert sorted(secret_folder.iterdir()) == before


@pytest.mark.parametrize(
    "sql",
    [
        "COPY delivered TO 'FOLDER/out.csv'",
        "COPY delivered FROM 'FOLDER/secret.csv'",
        "COPY (SELECT 1) TO 'FOLDER/out.parquet' (FORMAT parquet)",
        "EXPORT DATABASE 'FOLDER/out'",
        "IMPORT DATABASE 'FOLDER/out'",
        "ATTACH 'FOLDER/secret.duckdb' AS s",
        "ATTACH 'FOLDER/out.duckdb' AS s",
        "INSTALL httpfs",
        "LOAD httpfs",
        "LOAD 'FOLDER/evil.duckdb_extension'",
        "PRAGMA enable_external_access",
        "PRAGMA database_list",
        "SET enable_external_access = true",
        "SET memory_limit = '100GB'",
        "RESET lock_configuration",
        "CALL pragma_version()",
        "CREATE TABLE t AS SELECT 1",
        "CREATE MACRO m() AS 1",
        "DROP TABLE delivered",
        "DELETE FROM delivered",
        "INSERT INTO delivered SELECT * FROM delivered",
        "SELECT 1; SELECT 2",
        "SELECT * FROM delivered; COPY delivered TO 'FOLDER/out.csv'",
        "SELECT 1 AS a; -- a comment\nATTACH 'FOLDER/out.duckdb' AS s",
        "EXPLAIN ANALYZE SELECT 1",
        "UPDATE EXTENSIONS",
        "FORCE INSTALL httpfs",
        "CREATE SECRET s (TYPE s3)",
        "SET VARIABLE x = 1",
        "USE memory",
        "DETACH memory",
        "BEGIN",
        "COMMIT",
        "CHECKPOINT",
        "VACUUM",
        "PREPARE p AS SELECT 1",
        "EXECUTE p",
        "ALTER TABLE delivered ADD COLUMN x INTEGER",
        "UPDATE delivered SET a = '1'",
        "TRUNCATE delivered",
        "MERGE INTO delivered USING delivered AS o ON true WHEN MATCHED THEN DELETE",
        "PIVOT delivered ON a USING count(*)",
        "",
        "-- only a comment",
    ],
)
def test_anything_but_one_select_is_refused(sql: str, secret_folder: Path) -> None:
    before = sorted(secret_folder.iterdir())
    refusal = failure(sql.replace("FOLDER", str(secret_folder)))
    assert refusal.rule_id == "MAP-UNSAFE"
    assert sorted(secret_folder.iterdir()) == before


def test_what_a_mapping_does_to_its_own_copy_leaves_the_delivery_alone() -> None:
    source = delivered("a\n1\n")
    before = source.table.clone()
    try:
        run_select("WITH gone AS (DELETE FROM delivered RETURNING *) SELECT * FROM gone", source.table, {})
    except MappingFailed as refusal:
        assert refusal.rule_id in MAPPING_RULES
    assert source.table.equals(before)
    assert run_select("SELECT count(*) AS n FROM delivered", source.table, {})["n"].to_list() == [1]


@pytest.mark.parametrize(
    "sql",
    [
        "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t",
        "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT n FROM t",
        "SELECT count(*) FROM range(1000000) AS a, range(1000000) AS b",
        "SELECT sum(a.range * b.range) FROM range(10000000) AS a, range(10000000) AS b",
    ],
)
def test_endless_work_is_stopped_by_time(sql: str) -> None:
    begun = time.monotonic()
    refusal = failure(sql, MappingLimits(memory="200MB", seconds=0.5))
    assert refusal.rule_id == "MAP-LIMIT"
    assert "0.5 seconds" in refusal.message
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a.range FROM range(20000) AS a, range(2000) AS b",
        "SELECT a.range FROM range(1000000) AS a, range(1000000) AS b",
        "SELECT list(a.range) AS l FROM range(100000000) AS a",
    ],
)
def test_a_large_result_counts_against_the_memory_limit(sql: str) -> None:
    assert failure(sql, MappingLimits(memory="100MB", seconds=60)).rule_id == "MAP-LIMIT"


def test_a_delivery_that_does_not_fit_into_the_memory_limit_is_refused_too() -> None:
    text = "a\n" + "\n".join(f"{number:064d}" for number in range(200_000))
    assert failure("SELECT 1 AS a", MappingLimits(memory="5MB"), text).rule_id == "MAP-LIMIT"


@pytest.mark.parametrize(
    ("sql", "rule_id", "words"),
    [
        ("SELECT c FROM delivered", "MAP-COLUMN", "c"),
        ("SELECT CAST(a AS INTEGER) FROM delivered WHERE b = 'x'", None, ""),
        ("SELECT CAST('x' AS INTEGER) AS a", "MAP-FAILED", "x"),
        ("SELEC 1", "MAP-FAILED", "SELEC"),
        ("SELECT INTERVAL 1 DAY AS a", "MAP-FAILED", ""),
        ("SELECT * FROM test_all_types()", "MAP-FAILED", ""),
    ],
)
def test_what_does_not_fit_is_said_in_words(sql: str, rule_id: str | None, words: str) -> None:
    if rule_id is None:
        assert run_select(sql, delivered("a,b\n1,2\n").table, {}).height == 0
        return
    refusal = failure(sql)
    assert refusal.rule_id == rule_id
    assert words in refusal.message


def test_district_and_school_year_are_bound_and_never_spliced() -> None:
    hostile = "2023-24' OR 1=1; --"
    table = delivered("a\n1\n").table
    result = run_select(
        "SELECT $school_year AS y, $district AS d, a FROM delivered", table, {"school_year": hostile, "district": "x"}
    )
    assert result.rows() == [(hostile, "x", "1")]


# --- accounting ---

SPLIT = """
SELECT a AS school_id, CASE WHEN b = 'no' THEN 'not_wanted' END AS drop_reason, [delivered_row] AS delivered_rows
FROM delivered WHERE b <> 'forgotten'
"""


def test_lines_used_dropped_and_unaccounted_add_up() -> None:
    found = mapped("a,b\n1,yes\n2,no\n\n3,forgotten\n4,yes\n", SPLIT)
    assert found.lines == {"in": 4, "used": 2, "dropped": {"not_wanted": 1, "unaccounted": 1}}
    assert found.row_counts == {"in": 3, "used": 2, "dropped": {"not_wanted": 1}}
    assert found.unaccounted.rows() == [("a.csv", 5)]
    assert found.rows.select("row_id", "delivered_line", "school_id").rows() == [(1, 2, "1"), (2, 6, "4")]


def with_mapping(tmp_path: Path, sql: str) -> Path:
    """The contracts with this mapping for Philadelphia's school directory."""
    folder = tmp_path / "data_contracts"
    shutil.copytree(CONTRACTS, folder)
    path = folder / "mappings" / "philadelphia" / "school_directory.sql"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(sql)
    return folder


FULL = """
-- note: A first note
--   that goes on.
SELECT a AS school_id, 'School' AS school_name, 'elementary' AS school_level, 'K' AS low_grade, '5' AS high_grade,
  NULL AS nces_school_id, false AS is_charter, true AS in_scope, NULL AS network_id, NULL AS predecessor_school_ids,
  10 AS n_enrolled, 10 AS n_enrolled_in_scope, 1 AS n_low_income, 1 AS n_english_learner, 1 AS n_disability,
  NULL AS drop_reason, [delivered_row] AS delivered_rows
FROM delivered
"""


def test_an_unaccounted_line_blocks(tmp_path: Path) -> None:
    contracts = with_mapping(tmp_path, FULL + "WHERE b <> 'forgotten'")
    content = DeliveredFile("x.csv", b"a,b\n1,yes\n2,forgotten\n")
    screening = screen([content], contracts, "philadelphia", "school_directory", "2023-24")
    assert screening.outcome == CORRECTIONS_NEEDED
    (finding,) = screening.findings.to_dicts()
    assert (finding["rule_id"], finding["tier"], finding["file"], finding["line"]) == ("MAP-LINE-UNACCOUNTED", "S", "x.csv", 3)
    assert screening.notes == ("A first note that goes on.",)


def test_a_delivery_in_the_contracts_own_columns_needs_no_mapping_even_where_there_is_one(tmp_path: Path) -> None:
    contracts = with_mapping(tmp_path, FULL)
    names = [column.name for column in DIRECTORY.columns if column.symbol_for is None]
    row = "007,,S,elementary,K,5,false,true,,,10,9,8,7,6"
    screening = screen(
        [DeliveredFile("x.csv", f"{','.join(names)}\n{row}\n".encode())], contracts, "philadelphia", "school_directory", "2023-24"
    )
    assert (screening.outcome, screening.mapping_digest) == (READY, None)
    assert screening.rows["school_id"].to_list() == ["007"]


YEARS = """
SELECT a AS school_id, b AS school_year, [delivered_row] AS delivered_rows,
  CASE WHEN a = 'total' THEN 'total' END AS drop_reason
FROM delivered
"""


def test_rows_of_another_year_are_dropped_as_such_and_the_years_are_told() -> None:
    found = mapped("a,b\n1,2023-24\n2,2022-23\ntotal,2021-22\n3,\n", YEARS)
    assert found.lines == {"in": 4, "used": 1, "dropped": {"other_year": 2, "total": 1}}
    assert found.school_years == ("2022-23", "2023-24")
    assert found.rows["school_id"].to_list() == ["1"]


def test_a_year_that_the_mapping_returns_as_a_number_is_read_as_text() -> None:
    found = mapped("a,b\n1,2023\n", YEARS.replace("b AS school_year", "CAST(b AS INTEGER) AS school_year"), "2023")
    assert found.row_counts["used"] == 1


def test_contract_columns_of_another_district_or_year_are_dropped_and_only_own_years_told() -> None:
    text = "school_id,district,school_year\n1,philadelphia, 2023-24 \n2,chicago,2021-22\n3,philadelphia,2022-23\n4,,\n"
    found = map_contract_columns(delivered(text), DIRECTORY, "philadelphia", "2023-24")
    assert found.lines == {"in": 4, "used": 1, "dropped": {"other_district": 1, "other_year": 1, "unaccounted": 1}}
    assert found.rows["school_id"].to_list() == ["1"]
    assert found.unaccounted["delivered_line"].to_list() == [5], "a row of nobody's year is told, not counted in every year"
    assert found.school_years == ("2022-23", "2023-24")


def test_a_line_used_once_counts_as_used_whatever_else_drops_it() -> None:
    sql = """
    SELECT a AS school_id, NULL AS drop_reason, [delivered_row] AS delivered_rows FROM delivered WHERE a = '1'
    UNION ALL BY NAME SELECT a AS school_id, 'again' AS drop_reason, [delivered_row] AS delivered_rows FROM delivered
    """
    found = mapped("a\n1\n2\n", sql)
    assert found.lines == {"in": 2, "used": 1, "dropped": {"again": 1}}
    assert found.row_counts == {"in": 3, "used": 1, "dropped": {"again": 2}}


def test_a_row_made_of_several_lines_points_at_the_first_of_them() -> None:
    sql = "SELECT 'x' AS school_id, NULL AS drop_reason, list(delivered_row ORDER BY a DESC) AS delivered_rows FROM delivered"
    found = mapped("a\n1\n2\n3\n", sql)
    assert found.rows.select("delivered_file", "delivered_line").rows() == [("a.csv", 2)]
    assert found.lines == {"in": 3, "used": 3, "dropped": {}}


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT a AS school_id FROM delivered", "delivered_rows and drop_reason"),
        ("SELECT a, [delivered_row] AS delivered_rows FROM delivered", "drop_reason"),
        ("SELECT a, {'x': 1} AS delivered_rows, NULL AS drop_reason FROM delivered", "type"),
        ("SELECT a, ['x'] AS delivered_rows, NULL AS drop_reason FROM delivered", "type"),
        ("SELECT a, [1] AS delivered_rows, [[1]] AS drop_reason FROM delivered", "type"),
        ("SELECT a, NULL AS delivered_rows, NULL AS drop_reason FROM delivered", "1 rows that come from no delivered line"),
        ("SELECT a, [99] AS delivered_rows, NULL AS drop_reason FROM delivered", "1 rows that come from no delivered line"),
    ],
)
def test_a_mapping_that_does_not_say_where_rows_come_from_is_refused(sql: str, words: str) -> None:
    with pytest.raises(MappingFailed) as caught:
        mapped("a\n1\n", sql)
    assert caught.value.rule_id == "MAP-FAILED"
    assert words in caught.value.message


def test_columns_that_the_contract_does_not_know_are_told() -> None:
    found = mapped(
        "a\n1\n", "SELECT a AS school_id, 1 AS extra, NULL AS drop_reason, [delivered_row] AS delivered_rows FROM delivered"
    )
    assert (found.columns, found.unknown_columns) == (("school_id",), ("extra",))


def test_lines_above_the_header_count_as_delivered_and_dropped() -> None:
    content = DeliveredFile(
        "a.csv", b"Enrolment of the district\nas of 1 October\n\nschool_id,school_name\n007,North\n008,South\n"
    )
    source = read_delivery([content], ReadingOptions(expected_columns=("school_id", "school_name")))
    assert source.lines_above_header == 2
    found = map_contract_columns(source, DIRECTORY, "philadelphia", "2023-24")
    assert found.lines == found.row_counts == {"in": 4, "used": 2, "dropped": {"above_header": 2}}
    assert found.notes[: len(source.notes)] == source.notes
    native = map_delivery(source, DIRECTORY, mapping(SPLIT.replace("a AS", "school_id AS").replace("b", "school_name")), *PLACE)
    assert native.lines == {"in": 4, "used": 2, "dropped": {"above_header": 2}}
    assert native.row_counts == {"in": 2, "used": 2, "dropped": {}}


def test_what_was_seen_while_reading_stands_before_what_the_mapping_notes() -> None:
    source = replace(delivered("a,b\n1,2\n"), notes=("a.csv is separated by commas.",))
    found = map_delivery(source, DIRECTORY, mapping(f"-- note: Rounded.\n{SPLIT}"), *PLACE)
    assert found.notes == ("a.csv is separated by commas.", "Rounded.")
    assert map_contract_columns(source, DIRECTORY, *PLACE).notes[0] == "a.csv is separated by commas."


FATES = ["used", "total", "other_district", "other_year", "forgotten"]
FATE_SQL = """
SELECT fate AS school_id, CASE WHEN fate = 'other_year' THEN '2022-23' ELSE '2023-24' END AS school_year,
  CASE WHEN fate IN ('total', 'other_district') THEN fate END AS drop_reason, list(delivered_row) AS delivered_rows
FROM delivered WHERE fate <> 'forgotten' GROUP BY fate, CAST(piece AS INTEGER)
"""


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(FATES), st.integers(0, 3)), min_size=1, max_size=40))
def test_lines_in_are_lines_used_and_dropped(lines: list[tuple[str, int]]) -> None:
    found = mapped("fate,piece\n" + "".join(f"{fate},{piece}\n" for fate, piece in lines), FATE_SQL)
    fates = Counter("unaccounted" if fate == "forgotten" else fate for fate, _ in lines)
    used = fates.pop("used", 0)
    assert found.lines == {"in": len(lines), "used": used, "dropped": dict(fates)}
    assert found.unaccounted.height == fates["unaccounted"]
    rows = {line for line in lines if line[0] != "forgotten"}
    reasons = Counter(fate for fate, _ in rows)
    used_rows = reasons.pop("used", 0)
    assert found.row_counts == {"in": len(rows), "used": used_rows, "dropped": dict(reasons)}
    assert found.rows.height == used_rows
    assert found.rows["delivered_line"].null_count() == 0


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["philadelphia", "chicago", ""]), st.sampled_from(["2023-24", "2022-23", ""])),
        min_size=1,
        max_size=30,
    )
)
def test_contract_rows_in_are_rows_used_and_dropped(places: list[tuple[str, str]]) -> None:
    text = "school_id,district,school_year\n" + "".join(f"{i},{d},{y}\n" for i, (d, y) in enumerate(places))
    found = map_contract_columns(delivered(text), DIRECTORY, "philadelphia", "2023-24")
    fates = Counter(
        "unaccounted"
        if not (district and year)
        else "other_district"
        if district == "chicago"
        else "other_year"
        if year == "2022-23"
        else "used"
        for district, year in places
    )
    used = fates.pop("used", 0)
    assert found.lines == found.row_counts == {"in": len(places), "used": used, "dropped": dict(fates)}
    assert found.rows.height == used


# --- what the head of a mapping file says ---


def test_notes_and_reading_directives_are_read() -> None:
    parsed = parse_mapping(
        "-- What this is.\n-- reading: header=none\n-- reading: sheet=Tabelle 1\n-- note: One\n--   and its second line.\n"
        "-- note: Two.\n-- not a note\nSELECT 1 -- note: not at the start of a line\n"
    )
    assert (parsed.reading.header, parsed.reading.sheet) == ("none", "Tabelle 1")
    assert parsed.notes == ("One and its second line.", "Two.")


def test_without_directives_the_first_row_is_the_header() -> None:
    parsed = parse_mapping("SELECT 1")
    assert (parsed.reading.header, parsed.reading.sheet, parsed.notes) == ("first_row", None, ())
    assert parsed.digest != parse_mapping("SELECT 2").digest


def test_an_unknown_directive_value_is_refused() -> None:
    with pytest.raises(MappingFailed, match="header=second"):
        parse_mapping("-- reading: header=second\nSELECT 1")


def test_there_is_no_mapping_where_there_is_no_file() -> None:
    assert find_mapping(CONTRACTS, "philadelphia", "school_directory") is None


@pytest.mark.parametrize("path", sorted((CONTRACTS / "mappings").glob("*/*.sql")), ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_every_mapping_of_the_project_notes_what_it_does_and_lies_where_it_is_found(path: Path) -> None:
    found = find_mapping(CONTRACTS, path.parent.name, path.stem)
    assert found is not None
    assert found.notes
    assert all(note.endswith(".") for note in found.notes)
    assert len(found.notes) == len(re.findall(r"^-- note:", found.sql, re.MULTILINE))
    assert os.fspath(PROJECT_ROOT) not in found.sql

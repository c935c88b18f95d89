"""Exports: every finding is told once, no cell is a formula, values stay as they were, and a file sent back reads the same.

What a file should hold is taken from the generated values; csv is parsed back by Python's csv module, workbooks by openpyxl.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import openpyxl
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.utils.escape import unescape

from pipelines.contracts.contract import load_contract
from pipelines.intake.checking import FINDING_SCHEMA, empty_findings
from pipelines.intake.exports import (
    MAX_CELL_CHARACTERS,
    annotated_files,
    findings_csv,
    findings_json,
    without_annotations,
)
from pipelines.intake.mapping import map_contract_columns, map_delivery, parse_mapping
from pipelines.intake.reading import DeliveredFile, ReadingOptions, read_delivery
from pipelines.intake.screening import screen
from pipelines.settings import PROJECT_ROOT
from tests.deliveries import directory_csv

CONTRACTS = PROJECT_ROOT / "data_contracts"
SUBMISSION = "philadelphia/school_directory/2023-24/001"
COLUMNS = ["submission_id", *FINDING_SCHEMA]
HOSTILE = [
    "=1+1",
    "=cmd|'/C calc'!A0",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "  =1",
    "＝1",
    "'=1",
    "''@x",
    "'-1",
    "-",
    "*",
    "^.*$",
    "-1",
    "+3.5",
    "-1,234.50",
    "007",
    'say "no"',
    "a,b;c\td|e",
    "two\nlines",
    "two\r\nlines",
    "<b>&amp;</b>",
    "{=1}",
    "http://example.org",
    "ñ 名 😀",
    "nmip_line",
    "delivered_part",
    "x | y",
    "NULL",
    "true",
]
NUMBERS = {"-1", "+3.5", "-1,234.50", "007"}
HEADER = ["school", "=evil", "^.*$", "*", "delivered_part", "line", "n"]


def finding(message: str = "wrong", line: int | None = 2, file: str | None = "a.csv", **more: Any) -> dict[str, Any]:
    entry: dict[str, Any] = dict.fromkeys(FINDING_SCHEMA) | {
        "rule_id": "SD-S-TYPE",
        "rule_version": "1.0.0",
        "tier": "S",
        "file": file,
        "line": line,
        "message": message,
        "how_to_fix": "Correct it.",
        "affected_rows": 1,
    }
    return entry | more


def table_of(found: Sequence[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(found, schema=FINDING_SCHEMA) if found else empty_findings()


def csv_cells(content: bytes, delimiter: str = ",") -> list[list[str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=delimiter))


def csv_file(rows: Sequence[Sequence[str]], name: str = "a.csv", delimiter: str = ",") -> DeliveredFile:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    return DeliveredFile(name, text.getvalue().encode())


def xlsx_file(rows: dict[int, Sequence[object]], name: str = "a.xlsx", sheet: str = "Sheet1") -> DeliveredFile:
    """A workbook with these sheet rows; every text is a text, whatever it looks like."""
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.title = sheet
    for number, values in rows.items():
        for position, value in enumerate(values, start=1):
            cell = book.active.cell(number, position)
            cell.value = value.replace("\r", "_x000D_") if isinstance(value, str) else value
            if isinstance(value, str):
                cell.data_type = "s"
    content = io.BytesIO()
    book.save(content)
    return DeliveredFile(name, content.getvalue())


def xlsx_cells(content: bytes) -> list[list[str | None]]:
    """Cells as text, from sheet row 1 on; none may be a formula."""
    (sheet,) = openpyxl.load_workbook(io.BytesIO(content)).worksheets
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n", "inlineStr"}
    assert all(isinstance(cell.value, str | None) for row in sheet.iter_rows() for cell in row)
    return [[cell.value if cell.value is None else unescape(cell.value) for cell in row] for row in sheet.iter_rows()]


def is_formula(cell: str) -> bool:
    """Whether a spreadsheet program that opens csv might compute this cell (OWASP's list for CSV injection)."""
    return bool(re.match(r"[=+\-@\t\r\n＝＋－＠]", cell)) and not re.fullmatch(r"[+-]?[0-9][0-9.,]*%?", cell)


def protected(value: str) -> str:
    """The value with an apostrophe where it needs one."""
    bare = value.lstrip("'").lstrip()
    begins_with_space_only = value.lstrip("'")[:1] in ("\t", "\r", "\n")
    if value in NUMBERS or not (begins_with_space_only or (bare[:1] and bare[0] in "=+-@＝＋－＠")):
        return value
    return "'" + value


# --- lists of findings ---


def test_the_csv_of_findings_has_the_promised_columns_and_every_finding() -> None:
    found = [finding(value, value=value, field=value, business_key=value, file=value) for value in HOSTILE]
    content = findings_csv(table_of(found), SUBMISSION)
    assert content.endswith(b"\r\n")
    header, *rows = csv_cells(content)
    assert header == [
        *["submission_id", "rule_id", "rule_version", "tier", "file", "line", "business_key", "field", "value", "message"],
        *["how_to_fix", "affected_rows"],
    ]
    assert not [cell for row in rows for cell in row if is_formula(cell)]
    assert [row[COLUMNS.index("message")] for row in rows] == [protected(value) for value in HOSTILE]
    assert {row[0] for row in rows} == {SUBMISSION}


def test_the_json_of_findings_says_the_same_without_apostrophes() -> None:
    found = [finding(value, line=None, value=value) for value in HOSTILE]
    told = json.loads(findings_json(table_of(found), SUBMISSION))
    assert list(told) == ["submission_id", "findings"]
    assert told["findings"] == [{"submission_id": SUBMISSION, **entry} for entry in found]


def test_no_findings_are_an_empty_list() -> None:
    assert csv_cells(findings_csv(empty_findings(), SUBMISSION)) == [COLUMNS]
    assert json.loads(findings_json(empty_findings(), SUBMISSION)) == {"submission_id": SUBMISSION, "findings": []}


# --- the analyst's own files ---


def test_hostile_values_in_every_column_of_a_csv_stay_values() -> None:
    rows = [[HOSTILE[(i + j) % len(HOSTILE)] for j in range(len(HEADER))] for i in range(len(HOSTILE))]
    file = csv_file([HEADER, *rows])
    delivered = read_delivery([file])
    found = table_of([finding(value, line=line) for line, value in zip(delivered.table["delivered_line"], HOSTILE, strict=True)])
    (annotated,) = annotated_files([file], delivered, found)
    header, *cells = csv_cells(annotated.content)
    assert not [cell for row in (header, *cells) for cell in row if is_formula(cell)]
    assert header == [*map(protected, HEADER), "nmip_line", "nmip_findings"]
    assert [row[:-2] for row in cells] == [[protected(value) for value in row] for row in rows]
    assert [int(row[-2]) for row in cells] == delivered.table["delivered_line"].to_list()
    told = ["SD-S-TYPE: " + re.sub(r"[\x00-\x1f]+", " ", value) for value in HOSTILE]
    assert [row[-1] for row in cells] == told


def test_hostile_values_in_every_column_of_a_workbook_stay_values() -> None:
    rows = [[HOSTILE[(i + j) % len(HOSTILE)] for j in range(len(HEADER))] for i in range(len(HOSTILE))]
    file = xlsx_file({1: HEADER, **dict(enumerate(rows, start=2))})
    delivered = read_delivery([file])
    (annotated,) = annotated_files([file], delivered, table_of([finding("=1", file="a.xlsx", line=5)]))
    header, *cells = xlsx_cells(annotated.content)
    assert header == [*HEADER, "nmip_line", "nmip_findings"]
    doubled = {value: "'" + value for value in ("'=1", "''@x", "'-1")}
    assert [row[:-2] for row in cells] == [[doubled.get(value, value) for value in row] for row in rows]
    assert [row[-2] for row in cells] == [str(number) for number in range(2, len(rows) + 2)]
    assert [row[-1] for row in cells if row[-1]] == ["SD-S-TYPE: =1"]


def test_rows_of_a_workbook_stand_in_their_own_sheet_rows() -> None:
    header = ["unit", "n"]
    file = xlsx_file({1: ["A title"], 4: header, 6: ["007", 1], 9: ["008", None]}, "Büro.XLSX", "Enrolment")
    delivered = read_delivery([file], ReadingOptions(expected_columns=("unit", "n")))
    found = table_of([finding("blank", line=9, file="Büro.XLSX", field="n"), finding("odd", line=4, file="Büro.XLSX")])
    (annotated,) = annotated_files([file], delivered, found)
    assert annotated.name == "Büro_with_findings.xlsx"
    cells = dict(enumerate(xlsx_cells(annotated.content), start=1))
    assert cells[5] == ["unit", "n", "nmip_line", "nmip_findings"]
    assert cells[6] == ["007", "1", "6", "(line 4) SD-S-TYPE: odd"]
    assert cells[9] == ["008", None, "9", "SD-S-TYPE: blank"]
    assert not any(any(cells[number]) for number in (1, 2, 3, 4, 7, 8))


def test_a_workbook_is_made_for_correcting_it() -> None:
    file = xlsx_file({1: ["unit", "n"], 2: ["007", 1], 3: ["008", None]})
    (annotated,) = annotated_files([file], read_delivery([file]), table_of([finding(line=3, file="a.xlsx")]))
    (sheet,) = openpyxl.load_workbook(io.BytesIO(annotated.content)).worksheets
    assert sheet.freeze_panes == "A2"
    assert all(cell.font.bold for cell in sheet[1])
    assert not any(cell.font.bold for cell in sheet[2])
    fills = [{cell.fill.fgColor.rgb for cell in sheet[number]} for number in (2, 3)]
    assert len(fills[1]) == 1
    assert fills[0] != fills[1]
    assert {cell.number_format for row in sheet.iter_rows(min_row=2) for cell in row if cell.value is not None} == {"@"}
    assert {column.number_format for column in sheet.column_dimensions.values()} == {"@"}
    widths = [column.width for column in sheet.column_dimensions.values()]
    assert all(3 <= width <= 90 for width in widths)
    parts = openpyxl.load_workbook(io.BytesIO(annotated.content))
    assert parts.sheetnames == ["data"]


def test_number_stored_as_text_is_not_marked() -> None:
    import zipfile

    file = xlsx_file({1: ["unit", "n"], 2: ["007", 1]})
    (annotated,) = annotated_files([file], read_delivery([file]), empty_findings())
    with zipfile.ZipFile(io.BytesIO(annotated.content)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert '<ignoredError sqref="A1:D2" numberStoredAsText="1"/>' in sheet


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_stays(delimiter: str) -> None:
    file = csv_file([["a", "b", "c"], ["1", "x,y;z", "3"]], "q.txt", delimiter)
    (annotated,) = annotated_files([file], read_delivery([file]), empty_findings())
    assert csv_cells(annotated.content, delimiter) == [
        ["a", "b", "c", "nmip_line", "nmip_findings"],
        ["1", "x,y;z", "3", "2", ""],
    ]
    assert annotated.name == "q_with_findings.txt"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_any_character_set_becomes_utf_8(encoding: str) -> None:
    content = "Straße;Größe\nä;1\n".encode(encoding)
    file = DeliveredFile("a.csv", content)
    (annotated,) = annotated_files([file], read_delivery([file]), empty_findings())
    assert csv_cells(annotated.content, ";") == [["Straße", "Größe", "nmip_line", "nmip_findings"], ["ä", "1", "2", ""]]


def test_parquet_becomes_csv() -> None:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"a": ["x", "=y"], "n": [1, 2]}), buffer)
    file = DeliveredFile("a.parquet", buffer.getvalue())
    (annotated,) = annotated_files([file], read_delivery([file]), table_of([finding(line=2, file="a.parquet")]))
    assert annotated.name == "a_with_findings.csv"
    assert csv_cells(annotated.content) == [
        ["a", "n", "nmip_line", "nmip_findings"],
        ["x", "1", "1", ""],
        ["'=y", "2", "2", "SD-S-TYPE: wrong"],
    ]


def test_what_no_sheet_can_hold_becomes_csv(monkeypatch: pytest.MonkeyPatch) -> None:
    file = xlsx_file({1: ["a"], 2: ["x"], 4: ["y"]})
    delivered = read_delivery([file])
    monkeypatch.setattr("pipelines.intake.exports.MAX_SHEET_ROWS", 4)
    assert annotated_files([file], delivered, empty_findings())[0].name == "a_with_findings.xlsx"
    monkeypatch.setattr("pipelines.intake.exports.MAX_SHEET_ROWS", 3)
    (annotated,) = annotated_files([file], delivered, empty_findings())
    assert (annotated.name, csv_cells(annotated.content)[1:]) == ("a_with_findings.csv", [["x", "2", ""], ["y", "4", ""]])
    monkeypatch.undo()
    monkeypatch.setattr("pipelines.intake.exports.MAX_SHEET_COLUMNS", 2)
    assert annotated_files([file], delivered, empty_findings())[0].name == "a_with_findings.csv"


def test_a_cell_that_is_too_long_for_a_sheet_becomes_csv() -> None:
    long = "x" * (MAX_CELL_CHARACTERS + 1)
    file = csv_file([["a"], [long]])
    delivered = read_delivery([file])
    (annotated,) = annotated_files([file], type(delivered)(delivered.table, delivered.columns, ("xlsx",)), empty_findings())
    assert csv_cells(annotated.content)[1][0] == long


def test_findings_without_a_line_stand_in_the_first_row() -> None:
    files = [csv_file([["a"], ["1"]], "a.csv"), csv_file([["a"], ["2"], ["3"]], "b.csv")]
    found = [
        finding("whole delivery", line=None, file=None),
        finding("whole file", line=None, file="b.csv"),
        finding("header", line=1, file="b.csv"),
        finding("row", line=3, file="b.csv"),
        finding("another file", line=9, file="c.csv"),
    ]
    first, second = annotated_files(files, read_delivery(files), table_of(found))
    assert [row[-1] for row in csv_cells(first.content)[1:]] == [
        "(whole file) SD-S-TYPE: whole delivery | (line 9) SD-S-TYPE: another file"
    ]
    assert [row[-1] for row in csv_cells(second.content)[1:]] == [
        "(whole file) SD-S-TYPE: whole file | (line 1) SD-S-TYPE: header",
        "SD-S-TYPE: row",
    ]


def test_the_field_is_named_where_the_message_does_not() -> None:
    file = csv_file([["a"], ["1"]])
    found = table_of([finding('"x" is not a whole number', field="n_tested"), finding("n_tested is blank", field="n_tested")])
    (annotated,) = annotated_files([file], read_delivery([file]), found)
    assert csv_cells(annotated.content)[1][-1] == (
        'SD-S-TYPE: "x" is not a whole number [n_tested] | SD-S-TYPE: n_tested is blank'
    )


def test_a_line_with_very_many_findings_says_how_many_are_left_out() -> None:
    file = csv_file([["a"], ["1"]])
    found = table_of([finding(f"number {number:06d}") for number in range(5_000)])
    (annotated,) = annotated_files([file], read_delivery([file]), found)
    *told, last = csv_cells(annotated.content)[1][-1].split(" | ")
    assert told == [f"SD-S-TYPE: number {number:06d}" for number in range(len(told))]
    assert last == f"and {5_000 - len(told):,} more, see the list of findings".replace(",", "", 1)
    assert MAX_CELL_CHARACTERS * 0.8 < len(csv_cells(annotated.content)[1][-1]) <= MAX_CELL_CHARACTERS


def test_files_of_one_name_are_kept_apart() -> None:
    files = [csv_file([["a"], ["1"], ["2"]]), csv_file([["a"], ["3"], ["4"]])]
    annotated = annotated_files(files, read_delivery(files), table_of([finding(line=3)]))
    assert [file.name for file in annotated] == ["a_with_findings.csv", "a_with_findings_2.csv"]
    assert [[row[0] for row in csv_cells(file.content)[1:]] for file in annotated] == [["1", "2"], ["3", "4"]]
    assert sum(file.content.count(b"SD-S-TYPE") for file in annotated) == 1


def test_each_file_has_its_own_columns() -> None:
    files = [csv_file([["a", "b", "empty"], ["1", "2", ""]], "a.csv"), csv_file([["a", "c", "empty"], ["3", "4", ""]], "b.csv")]
    first, second = annotated_files(files, read_delivery(files), empty_findings())
    assert csv_cells(first.content)[0] == ["a", "b", "empty", "nmip_line", "nmip_findings"]
    assert csv_cells(second.content)[0] == ["a", "empty", "c", "nmip_line", "nmip_findings"]


def test_a_file_without_rows_among_others_keeps_its_header() -> None:
    files = [csv_file([["a", "b"], ["1", "2"]], "a.csv"), csv_file([["a", "b"]], "b.csv"), xlsx_file({1: ["a", "b"]}, "c.xlsx")]
    found = table_of([finding("nothing in it", line=None, file="b.csv")])
    first, second, third = annotated_files(files, read_delivery(files), found)
    assert csv_cells(first.content)[1][-1] == "(whole file) SD-S-TYPE: nothing in it"
    assert csv_cells(second.content) == [["a", "b", "nmip_line", "nmip_findings"]]
    assert xlsx_cells(third.content) == [["a", "b", "nmip_line", "nmip_findings"]]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("data.csv", "data_with_findings.csv"),
        ("DATA.TSV", "DATA_with_findings.tsv"),
        ("no ending", "no ending_with_findings.csv"),
        ("../../etc/passwd", "passwd_with_findings.csv"),
        ("..\\..\\boot.ini", "boot_with_findings.csv"),
        ("/", "file_with_findings.csv"),
        ("..", "file_with_findings.csv"),
        ("", "file_with_findings.csv"),
        (".csv", "file_with_findings.csv"),
        ("--output=x.csv", "output=x_with_findings.csv"),
        ("a\x00b\nc\x1b[31m.csv", "abc[31m_with_findings.csv"),
        ("gro\u0308\u00dfe\u202egnp.csv", "größegnp_with_findings.csv"),
        ("\udcff.csv", "file_with_findings.csv"),
        ('a<b>:"|?*.csv', "ab_with_findings.csv"),
        ("data_with_findings.csv", "data_with_findings.csv"),
        ("data_with_findings_2.csv", "data_with_findings.csv"),
        ("x" * 500 + ".csv", "x" * (150 - len("_with_findings.csv")) + "_with_findings.csv"),
    ],
)
def test_a_name_is_cleaned(name: str, expected: str) -> None:
    file = csv_file([["a"], ["1"]], name)
    (annotated,) = annotated_files([file], read_delivery([file]), empty_findings())
    assert annotated.name == expected


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.text(max_size=12) | st.sampled_from(["a.csv", "A.CSV", "名" * 200, "a_with_findings.csv"]), min_size=1, max_size=6
    )
)
def test_names_are_short_distinct_and_never_a_path(names: list[str]) -> None:
    files = [csv_file([["a"], ["1"]], name) for name in names]
    found = [file.name for file in annotated_files(files, read_delivery(files), empty_findings())]
    assert len({name.casefold() for name in found}) == len(names)
    for name in found:
        assert len(name) <= 150
        assert len(name.encode()) <= 255
        assert name.isprintable()
        assert not {"/", "\\", ":"}.intersection(name)
        assert not name.startswith((".", "-"))


# --- there and back ---

VALUES = st.sampled_from(HOSTILE) | st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn")), min_size=1, max_size=5)
NAMES = st.sampled_from(["=evil", "'=evil", "^.*$", "*", "line", "name", "file", "delivered_part", "told", "literal", "Ñ"])


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[str], list[list[str | None]], list[tuple[int | None, str]]]:
    """A header, rows none of which is blank, and findings as (row from 0 or None, message)."""
    header = ["key", *draw(st.lists(NAMES, max_size=4, unique=True))]
    cell = st.none() | VALUES.filter(lambda text: bool(text.strip()))
    rows = draw(st.lists(st.lists(cell, min_size=len(header), max_size=len(header)), min_size=1, max_size=6))
    for number, row in enumerate(rows):
        row[0] = row[0] or str(number)
    places = st.none() | st.integers(0, len(rows) - 1)
    messages = st.text(st.characters(categories=("L", "N"), max_codepoint=0x2FF), min_size=1, max_size=8)
    return header, rows, draw(st.lists(st.tuples(places, messages), max_size=8))


def told_counts(cells: Sequence[Sequence[str | None]]) -> Counter[tuple[int, str]]:
    """(row, message) of every finding in the last column."""
    pieces = [(i, piece) for i, row in enumerate(cells) for piece in (row[-1] or "").split(" | ") if piece]
    return Counter((i, piece.removeprefix("(whole file) ").removeprefix("SD-S-TYPE: ")) for i, piece in pieces)


@settings(max_examples=150, deadline=None)
@given(deliveries())
def test_a_csv_sent_back_reads_as_if_nothing_had_been_added(
    delivery: tuple[list[str], list[list[str | None]], list[tuple[int | None, str]]],
) -> None:
    header, rows, notes = delivery
    file = csv_file([header, *[[cell or "" for cell in row] for row in rows]])
    delivered = read_delivery([file])
    lines = delivered.table["delivered_line"].to_list()
    found = table_of([finding(message, line=None if row is None else lines[row]) for row, message in notes])
    (annotated,) = annotated_files([file], delivered, found)
    cells = csv_cells(annotated.content)
    assert not [cell for row in cells for cell in row if is_formula(cell)]
    assert told_counts(cells[1:]) == Counter((row or 0, message) for row, message in notes)
    again = without_annotations(read_delivery([annotated]))
    assert again.columns == delivered.columns == tuple(header)
    assert [row[3:] for row in again.table.rows()] == [row[3:] for row in delivered.table.rows()] == [tuple(row) for row in rows]


@settings(max_examples=15, deadline=None)
@given(deliveries())
def test_a_workbook_sent_back_reads_as_if_nothing_had_been_added(
    delivery: tuple[list[str], list[list[str | None]], list[tuple[int | None, str]]],
) -> None:
    header, rows, notes = delivery
    file = xlsx_file({3: header, **dict(enumerate(rows, start=5))})
    delivered = read_delivery([file])
    found = [finding(message, line=None if row is None else row + 5, file="a.xlsx") for row, message in notes]
    (annotated,) = annotated_files([file], delivered, table_of(found))
    cells = xlsx_cells(annotated.content)
    assert told_counts(cells[4:]) == Counter((row or 0, message) for row, message in notes)
    again = without_annotations(read_delivery([annotated]))
    assert again.columns == delivered.columns
    assert again.table.drop("delivered_file").rows() == delivered.table.drop("delivered_file").rows()


def test_what_was_annotated_is_not_annotated_twice() -> None:
    file = csv_file([["a", "b"], ["=1", "'=2"], ["-", "+3"]])
    (once,) = annotated_files([file], read_delivery([file]), table_of([finding()]))
    (twice,) = annotated_files([once], read_delivery([once]), table_of([finding(file=once.name)]))
    assert twice == once


@pytest.mark.parametrize("rename", [str, str.upper, str.title], ids=["same", "upper", "title"])
def test_in_the_contracts_columns_the_added_ones_are_not_unknown(rename: Any) -> None:
    contract = load_contract(CONTRACTS, "school_directory")
    broken = directory_csv().replace(b"elementary", b"=elementary").replace(b",40,", b",-,")
    file = DeliveredFile("a.csv", broken)
    first = screen([file], CONTRACTS, "philadelphia", "school_directory", "2023-24")
    assert first.findings.height == 6
    (annotated,) = annotated_files([file], read_delivery([file]), first.findings)
    content = annotated.content.replace(b"nmip_line,nmip_findings", rename("nmip_line,nmip_findings").encode())
    again = screen([DeliveredFile("a.csv", content)], CONTRACTS, "philadelphia", "school_directory", "2023-24")
    assert again.findings.equals(first.findings)
    assert again.rows.equals(first.rows)
    plain = map_contract_columns(read_delivery([file]), contract, "philadelphia", "2023-24")
    back = map_contract_columns(read_delivery([DeliveredFile("a.csv", content)]), contract, "philadelphia", "2023-24")
    assert (back.columns, back.unknown_columns, back.lines) == (plain.columns, plain.unknown_columns, plain.lines)


NATIVE = """
SELECT "School" AS school_id, "N" AS n_enrolled, NULL AS drop_reason, [delivered_row] AS delivered_rows FROM delivered
"""
NATIVE_WITHOUT_HEADER = """
SELECT c1 AS school_id, c2 AS n_enrolled, CASE WHEN c1 = 'School' THEN 'header' END AS drop_reason,
  [delivered_row] AS delivered_rows
FROM delivered
"""


@pytest.mark.parametrize("make", [csv_file, xlsx_file], ids=["csv", "xlsx"])
@pytest.mark.parametrize("header", ["first_row", "none"])
def test_a_native_file_sent_back_maps_the_same(make: Any, header: str) -> None:
    contract = load_contract(CONTRACTS, "school_directory")
    rows: list[list[str]] = [["School", "N"], ["007", "-"], ["=8", "+12"], ["'=9", "-1"]]
    file = make(rows) if make is csv_file else make(dict(enumerate(rows, start=1)))
    mapping = parse_mapping(NATIVE if header == "first_row" else "-- reading: header=none" + NATIVE_WITHOUT_HEADER)
    delivered = read_delivery([file], mapping.reading)
    found = [finding("of the file", line=None, file=file.name), finding("of a row", line=3, file=file.name)]
    (annotated,) = annotated_files([file], delivered, table_of(found), mapping.reading)
    assert annotated_files([file], delivered, table_of(found))[0] == annotated
    sent_back = read_delivery([annotated], mapping.reading)
    assert sent_back.table.height == delivered.table.height
    before = map_delivery(delivered, contract, mapping, "philadelphia", "2023-24")
    after = map_delivery(sent_back, contract, mapping, "philadelphia", "2023-24")
    assert after.rows.drop("delivered_file").equals(before.rows.drop("delivered_file"))
    assert (after.lines, after.row_counts) == (before.lines, before.row_counts)
    assert before.rows.select("school_id", "n_enrolled").rows() == [("007", "-"), ("=8", "+12"), ("'=9", "-1")]


def test_without_a_header_no_row_is_added_and_the_first_one_says_what_the_columns_are() -> None:
    file = csv_file([["A title", ""], ["School", "N"], ["007", "1"]])
    delivered = read_delivery([file], ReadingOptions(header="none"))
    found = table_of([finding("of the file", line=None), finding("of a row", line=3)])
    (annotated,) = annotated_files([file], delivered, found)
    assert csv_cells(annotated.content) == [
        ["A title", "", "nmip_line", "nmip_findings | (whole file) SD-S-TYPE: of the file"],
        ["School", "N", "2", ""],
        ["007", "1", "3", "SD-S-TYPE: of a row"],
    ]


def test_a_workbook_keeps_the_sheet_name_that_a_mapping_asks_for() -> None:
    options = ReadingOptions(sheet="Grade 4")
    file = xlsx_file({1: ["a"], 2: ["x"]}, sheet="Grade 4")
    (annotated,) = annotated_files([file], read_delivery([file], options), empty_findings(), options)
    assert read_delivery([annotated], options).table.height == 1


def test_the_same_findings_give_the_same_bytes() -> None:
    file = xlsx_file({1: ["a"], 2: ["x"]})
    delivered = read_delivery([file])
    assert annotated_files([file], delivered, empty_findings()) == annotated_files([file], delivered, empty_findings())

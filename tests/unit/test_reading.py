"""Reading: formats, character sets, line numbers, workbooks, limits, and what a refusal says."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import re
import struct
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openpyxl
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
import xlwt

from pipelines.intake import reading
from pipelines.intake.reading import (
    READING_RULES,
    Delivered,
    DeliveredFile,
    ReadingLimits,
    ReadingOptions,
    UnreadableDelivery,
    read_delivery,
)

NO_HEADER = ReadingOptions(header="none")
Cells = list[list[str | None]]


def read(content: bytes | str, options: ReadingOptions = reading.DEFAULT_OPTIONS, name: str = "a") -> Delivered:
    return read_delivery([DeliveredFile(name, content.encode() if isinstance(content, str) else content)], options)


def refused(
    content: bytes | str,
    options: ReadingOptions = reading.DEFAULT_OPTIONS,
    limits: ReadingLimits = reading.DEFAULT_LIMITS,
    name: str = "scores.csv",
) -> UnreadableDelivery:
    data = content.encode() if isinstance(content, str) else content
    with pytest.raises(UnreadableDelivery) as caught:
        read_delivery([DeliveredFile(name, data)], options, limits)
    refusal = caught.value
    assert refusal.rule_id in READING_RULES
    assert refusal.message.endswith((".", "?"))
    assert refusal.how_to_fix.endswith((".", ")."))
    return refusal


def cells(delivered: Delivered) -> Cells:
    return [list(row[3:]) for row in delivered.table.rows()]


def lines(delivered: Delivered) -> list[int]:
    return delivered.table["delivered_line"].to_list()


def workbook(fill: Callable[[xlsxwriter.Workbook], None]) -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    fill(book)
    book.close()
    return buffer.getvalue()


def sheet_of(rows: list[list[object]]) -> bytes:
    """A workbook of one sheet with these rows from its first cell on."""

    def fill(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)

    return workbook(fill)


def old_workbook(fill: Callable[[xlwt.Workbook], None]) -> bytes:
    buffer = io.BytesIO()
    book = xlwt.Workbook()
    fill(book)
    book.save(buffer)
    return buffer.getvalue()


def small_old_workbook() -> bytes:
    def fill(book: xlwt.Workbook) -> None:
        sheet = book.add_sheet("S")
        for row, column, value in [(0, 0, "id"), (0, 1, "n"), (1, 0, "007"), (1, 1, 7.0)]:
            sheet.write(row, column, value)

    return old_workbook(fill)


def parquet(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


def rezipped(content: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    """The same archive with each member passed through `change`."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return buffer.getvalue()


def archive(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as new:
        for name, content in members.items():
            new.writestr(name, content)
    return buffer.getvalue()


# --- the table ---


def test_the_table_has_its_own_columns_first_and_text_everywhere() -> None:
    delivered = read("id,n\n007,1.50\n\n 8 ,   \n", name="folder/../scores.csv")
    assert delivered.columns == ("id", "n")
    assert delivered.formats == ("csv",)
    assert delivered.table.schema == {
        "delivered_row": pl.Int64,
        "delivered_file": pl.String,
        "delivered_line": pl.Int64,
        "id": pl.String,
        "n": pl.String,
    }
    assert delivered.table.rows() == [
        (1, "folder/../scores.csv", 2, "007", "1.50"),
        (2, "folder/../scores.csv", 4, " 8 ", None),
    ]


def test_every_refusal_that_the_module_can_make_is_documented() -> None:
    source = Path(reading.__file__).read_text(encoding="utf-8")
    assert set(re.findall(r'"(READ-[A-Z-]+)"', source)) == set(READING_RULES)
    assert all(meaning.endswith(".") and meaning[0].isupper() for meaning in READING_RULES.values())


def test_a_refusal_says_where_and_what_to_do_and_shows_names_safely() -> None:
    refusal = refused('a,b\n1,2\n3,"4\n', name="evil\x1b[31m\n\u202egnp." + "x" * 200)
    assert refusal.file.startswith("evil[31mgnp.xxx")
    assert len(refusal.file) == 120
    assert refusal.line == 3
    assert str(refusal).startswith(f"{refusal.file}, line 3: The quotation mark that opens a field on line 3")


# --- text: character sets ---


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_character_sets(encoding: str) -> None:
    text = "school,note\nJOSÉ MARTÍ,“niño” – 5 €\nplain school with a long ordinary name,ordinary\n"
    assert cells(read(text.encode(encoding)))[0] == ["JOSÉ MARTÍ", "“niño” – 5 €"]


def test_utf_16_with_a_mark_in_both_byte_orders() -> None:
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        delivered = read(mark + "名,b\n學校,2\n".encode(encoding))
        assert delivered.columns == ("名", "b")
        assert cells(delivered) == [["學校", "2"]]


def test_damaged_utf_8_is_not_passed_off_as_windows_1252() -> None:
    content = "name,n\nJosé,1\nNiño,2\nMar".encode() + b"\xc3" + ",3\nPeña,4\n".encode()
    refusal = refused(content)
    assert (refusal.rule_id, refusal.line) == ("READ-ENCODING", 4)


def test_bytes_of_no_known_character_set_are_refused_with_their_line() -> None:
    refusal = refused(b"name,n\nJos\xe9,1\nMar\x81a,2\n")
    assert (refusal.rule_id, refusal.line) == ("READ-ENCODING", 3)


def test_utf_16_that_stops_within_a_character() -> None:
    assert refused("a,b\n1,2\n".encode("utf-16")[:-1]).rule_id == "READ-TRUNCATED"


# --- text: delimiters, lines, quotes ---


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_told_from_the_header_outside_quotes(delimiter: str) -> None:
    others = "".join(set(",;\t|") - {delimiter}) * 3
    text = f'"a{others}"{delimiter}b\n"1{delimiter}5"{delimiter}x{others}\n'
    delivered = read(text)
    assert delivered.columns == (f"a{others}".strip().replace("\t", " "), "b")
    assert cells(delivered) == [[f"1{delimiter}5", f"x{others}"]]


def test_decimal_commas_do_not_hide_semicolons_where_there_is_no_header() -> None:
    assert cells(read("Scores\n1,5;2,5;3,5\n4,5;5,5;6,5\n", NO_HEADER)) == [
        ["Scores", None, None],
        ["1,5", "2,5", "3,5"],
        ["4,5", "5,5", "6,5"],
    ]


def test_a_separator_line_of_excel_is_obeyed_and_counted() -> None:
    delivered = read("sep=;\r\na;b,c\r\n1;2\r\n")
    assert delivered.columns == ("a", "b,c")
    assert delivered.table.row(0) == (1, "a", 3, "1", "2")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_numbers_are_physical(end: str) -> None:
    text = end.join(["", "  ", "a,b", "1,2", "", '"two', "", 'lines","q ""x"""', "\t", '3,"4"', "", ""])
    delivered = read(text)
    assert delivered.columns == ("a", "b")
    assert cells(delivered) == [["1", "2"], [f"two{end}{end}lines", 'q "x"'], ["3", "4"]]
    assert lines(delivered) == [4, 6, 10]
    untitled = read(text, NO_HEADER)
    assert lines(untitled) == [3, 4, 6, 10]


def test_mixed_line_ends_and_no_line_end_at_the_end() -> None:
    delivered = read('a,b\r\n1,2\n3,4\r"5\r6",7\r\n8,9')
    assert cells(delivered) == [["1", "2"], ["3", "4"], ["5\r6", "7"], ["8", "9"]]
    assert lines(delivered) == [2, 3, 4, 6]


def test_quoted_thousands_and_marks_stay_text() -> None:
    delivered = read('n,p\n"1,138",s\n<10,≥95\n.,-1\nNA,NULL\n')
    assert cells(delivered) == [["1,138", "s"], ["<10", "≥95"], [".", "-1"], ["NA", "NULL"]]


def test_rows_without_any_value_are_left_out_and_counted_as_lines() -> None:
    delivered = read('a,b,c\n,,\n1,2,3\n"", ,\n4,5,6\n,,\n')
    assert cells(delivered) == [["1", "2", "3"], ["4", "5", "6"]]
    assert lines(delivered) == [3, 5]


def test_a_line_of_the_wrong_width_is_named_with_the_number_of_such_lines() -> None:
    refusal = refused('a,b,c\n"x\ny",2,3\n\n1,2\n1,2,3\n1,2,3,4\n')
    assert (refusal.rule_id, refusal.line) == ("READ-ROW-WIDTH", 5)
    assert "Line 5 has 2 fields and the header has 3. 2 lines are like that." in refusal.message
    only = refused("a,b\n1,2\nnote\n")
    assert "Line 3 has 1 field and the header has 2. No other line is like that." in only.message


def test_ragged_rows_are_padded_where_there_is_no_header() -> None:
    delivered = read("Title\n\na,b,c\n1,2\n1,2,3,4\n", NO_HEADER)
    assert delivered.columns == ("c1", "c2", "c3", "c4")
    assert cells(delivered) == [
        ["Title", None, None, None],
        ["a", "b", "c", None],
        ["1", "2", None, None],
        ["1", "2", "3", "4"],
    ]
    assert lines(delivered) == [1, 3, 4, 5]


def test_a_quotation_mark_within_an_unquoted_field_is_a_character() -> None:
    delivered = read('item,n\n5" pipe,1\n6" and 7" pipes,2\n"quoted, ""x""",3\n8"",4\n')
    assert [row[0] for row in cells(delivered)] == ['5" pipe', '6" and 7" pipes', 'quoted, "x"', '8""']
    assert lines(delivered) == [2, 3, 4, 5]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('a,b\n1,2\n3,"4\n5,6\n', 3, "never closed"),
        ('a,b\n"x\ny",1\n\n"open,2\n3,4', 5, "never closed"),
        ('a,b\n"say "hi" now",2\n', 2, "goes on after its closing quote (line 2)"),
        ('a,b\n1,"2\n3,4\n"5",6\n', 2, "goes on after its closing quote (line 4)"),
        ('sep=,\na,b\n"x"y,2\n', 3, "goes on after its closing quote (line 3)"),
    ],
)
def test_a_quote_that_is_not_closed_properly_is_refused_where_it_opens(text: str, line: int, words: str) -> None:
    refusal = refused(text)
    assert (refusal.rule_id, refusal.line) == ("READ-QUOTES", line)
    assert words in refusal.message


def test_a_large_file_with_quoted_newlines_agrees_with_the_csv_module() -> None:
    chosen = np.random.default_rng(7)
    values = ["houston", "007", "", 'a "b"', "x,y", "one\ntwo", "\r\n", "ñ", "School 12 of many"]
    table = [[values[index] for index in row] for row in chosen.integers(len(values), size=(60_000, 6))]
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([[f"n{i}" for i in range(6)], *table])
    delivered = read(text.getvalue())
    reader = csv.reader(io.StringIO(text.getvalue(), newline=""))
    expected, last = [], 0
    for row in reader:
        expected.append((last + 1, [cell if cell.strip() else None for cell in row]))
        last = reader.line_num
    expected = [(line, row) for line, row in expected[1:] if any(row)]
    assert lines(delivered) == [line for line, _ in expected]
    assert cells(delivered) == [row for _, row in expected]


# --- headers ---


def test_headers_are_trimmed_named_by_position_and_cut_at_the_right() -> None:
    delivered = read('" a ","b\r\n  c",,d,,\n1,2,3,4,,\n5,,,8,,\n')
    assert delivered.columns == ("a", "b c", "column_3", "d")
    assert cells(delivered) == [["1", "2", "3", "4"], ["5", None, None, "8"]]


def test_characters_that_nobody_sees_are_no_part_of_a_name() -> None:
    names = ["school\u200b_id", "\ufeffgrade", "n\u00ad_tested\x07", "\x1b\u202e", "a\u00a0b", "niño 名", "c\u2028 d"]
    clean = ("school_id", "grade", "n_tested", "column_4", "a\u00a0b", "niño 名", "c d")
    assert read(",".join(names) + "\n1,2,3,4,5,6,7\n").columns == clean
    assert read(parquet(pa.table({"id\x00": ["1"], "\x00": ["2"]}))).columns == ("id", "column_2")
    assert refused("a,a\u200b\n1,2\n").rule_id == "READ-HEADER-DUPLICATE"


def test_a_column_without_a_name_stays_where_it_holds_a_value() -> None:
    assert read("a,,\n1,,2\n").columns == ("a", "column_2", "column_3")


def test_duplicate_and_reserved_names_are_refused_by_name() -> None:
    refusal = refused("Year,n,x,YEAR,n\n1,2,3,4,5\n")
    assert refusal.rule_id == "READ-HEADER-DUPLICATE"
    assert "“Year / YEAR”, “n”" in refusal.message
    refusal = refused("a,Delivered_Line\n1,2\n")
    assert refusal.rule_id == "READ-HEADER-RESERVED"
    assert "“Delivered_Line”" in refusal.message


def test_a_name_that_looks_like_a_pattern_is_only_a_name() -> None:
    files = [DeliveredFile("1", b"*,^.*$,a\n1,2,3\n"), DeliveredFile("2", b"^.*$,b\n4,5\n")]
    delivered = read_delivery(files)
    assert delivered.columns == ("*", "^.*$", "a", "b")
    assert cells(delivered) == [["1", "2", "3", None], [None, "4", None, "5"]]


# --- several files, and nothing in them ---


def test_files_are_united_by_name_and_numbered_through() -> None:
    files = [
        DeliveredFile("x.csv", b"a,b\n1,2\n\n3,4\n"),
        DeliveredFile("empty.csv", b"b,a\n"),
        DeliveredFile("y.xlsx", sheet_of([["c", "a"], ["5", "6"]])),
        DeliveredFile("z", parquet(pa.table({"b": [7.0]}))),
    ]
    delivered = read_delivery(files)
    assert delivered.columns == ("a", "b", "c")
    assert delivered.formats == ("csv", "csv", "xlsx", "parquet")
    assert delivered.table.rows() == [
        (1, "x.csv", 2, "1", "2", None),
        (2, "x.csv", 4, "3", "4", None),
        (3, "y.xlsx", 2, "6", None, "5"),
        (4, "z", 1, None, "7", None),
    ]


def test_names_that_differ_in_case_between_files_are_refused() -> None:
    with pytest.raises(UnreadableDelivery) as caught:
        read_delivery([DeliveredFile("1", b"Year,a\n1,2\n"), DeliveredFile("2", b"year,a\n1,2\n")])
    assert caught.value.rule_id == "READ-HEADER-DUPLICATE"
    assert "“Year / year”" in caught.value.message


def test_a_file_name_that_is_not_text_is_kept_readable() -> None:
    assert read("a,b\n1,2\n", name="x\udcff.csv").table["delivered_file"].to_list() == ["x?.csv"]


@pytest.mark.parametrize("content", [b"", b"\n\r\n  \n", b"\xef\xbb\xbf", b"\xff\xfe", b"sep=,\n\n", b",,\n,,\n"])
def test_a_file_without_any_value_is_empty(content: bytes) -> None:
    assert refused(content).rule_id == "READ-EMPTY"
    assert refused(content, NO_HEADER).rule_id == "READ-EMPTY"


def test_a_delivery_without_files_is_empty() -> None:
    with pytest.raises(UnreadableDelivery) as caught:
        read_delivery([])
    assert caught.value.rule_id == "READ-EMPTY"


def test_a_header_alone_has_no_rows() -> None:
    assert refused("a,b\n").rule_id == "READ-NO-ROWS"
    assert refused("a,b\n,\n\n").rule_id == "READ-NO-ROWS"
    assert refused(sheet_of([["a", "b"]])).rule_id == "READ-NO-ROWS"
    assert refused(parquet(pa.table({"a": pa.array([], pa.string())}))).rule_id == "READ-NO-ROWS"


# --- what is not a table ---


def ole2(stream: str) -> bytes:
    """The start of a compound file with one directory entry of this name ([MS-CFB] 2.2 and 2.6)."""
    header = bytearray(512)
    header[:8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    struct.pack_into("<H", header, 30, 9)
    struct.pack_into("<I", header, 48, 0)
    return bytes(header) + stream.encode("utf-16-le").ljust(512, b"\x00")


@pytest.mark.parametrize(
    ("content", "rule_id"),
    [
        (archive(**{"scores.csv": b"a,b\n1,2\n"}), "READ-ARCHIVE"),
        (archive(), "READ-ARCHIVE"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0), "READ-ARCHIVE"),
        (b"7z\xbc\xaf\x27\x1c\x00\x04", "READ-ARCHIVE"),
        (b"Rar!\x1a\x07\x01\x00", "READ-ARCHIVE"),
        (b"scores.csv".ljust(257, b"\x00") + b"ustar\x0000", "READ-ARCHIVE"),
        (archive(mimetype=b"application/vnd.oasis.opendocument.spreadsheet"), "READ-WORKBOOK-KIND"),
        (archive(**{"[Content_Types].xml": b"<x/>", "word/document.xml": b"<x/>"}), "READ-WORKBOOK-KIND"),
        (archive(**{"[Content_Types].xml": b"<x/>", "xl/workbook.bin": b"x"}), "READ-WORKBOOK-KIND"),
        (ole2("WordDocument"), "READ-WORKBOOK-KIND"),
        (ole2("EncryptedPackage"), "READ-PASSWORD"),
        (b"%PDF-1.7\n1 0 obj", "READ-PDF"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "READ-IMAGE"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "READ-IMAGE"),
        (b"\n<html><table><tr><td>1</td></tr></table></html>", "READ-MARKUP"),
        (b'\xef\xbb\xbf<?xml version="1.0"?><Workbook/>', "READ-MARKUP"),
        (b"a,b\n1,\x00\x01\x02\n", "READ-BINARY"),
        (bytes(range(1, 9)) * 50, "READ-BINARY"),
        ("a,b\n1,2\n".encode("utf-32"), "READ-BINARY"),
        (b"PAR1" + b"\x00" * 20, "READ-TRUNCATED"),
        (b"PARE" + b"\x00" * 20 + b"PARE", "READ-PASSWORD"),
    ],
)
def test_other_formats_are_refused_by_content_whatever_their_name(content: bytes, rule_id: str) -> None:
    assert refused(content, name="scores.csv").rule_id == rule_id
    assert refused(content, name="scores.xlsx").rule_id == rule_id


def test_a_value_that_begins_like_markup_is_a_value() -> None:
    assert cells(read("<10,b\n<5,2\n")) == [["<5", "2"]]


def test_formats_are_told_from_content_not_from_the_name() -> None:
    assert read(sheet_of([["a"], ["1"]]), name="x.csv").formats == ("xlsx",)
    assert read(small_old_workbook(), name="x.xlsx").formats == ("xls",)
    assert read(parquet(pa.table({"a": ["1"]})), name="x.xls").formats == ("parquet",)
    assert read("a\tb\n1\t2\n", name="x.parquet").formats == ("csv",)


# --- workbooks ---


def test_cells_of_a_workbook_become_text_with_their_sheet_rows() -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet()
        day, moment = (
            book.add_format({"num_format": "mm/dd/yy"}),
            book.add_format({"num_format": "d.m.yy h:mm"}),
        )
        padded = book.add_format({"num_format": "000"})
        sheet.write_row(3, 2, ["id", "n\nstudents", "when", "flag"])
        sheet.write_row(5, 2, [7.0, " x "])
        sheet.write_datetime(5, 4, dt.datetime(2024, 3, 1), day)
        sheet.write_boolean(5, 5, True)
        sheet.write_number(6, 2, 7, padded)
        sheet.write_string(6, 3, "007")
        sheet.write_datetime(6, 4, dt.datetime(2024, 3, 1, 12, 30, 5), moment)
        sheet.write_formula(6, 5, "=1+1", None, 2)
        sheet.write_string(7, 2, "   ")
        sheet.write_number(9, 2, 12345678901234)
        sheet.write_number(9, 3, 0.25)
        sheet.write_formula(9, 4, "=1/0", None, "#DIV/0!")
        sheet.write_formula(9, 5, "=NA()", None, "#N/A")
        sheet.merge_range(10, 2, 10, 3, "merged")

    delivered = read(workbook(fill))
    assert delivered.columns == ("id", "n students", "when", "flag")
    assert cells(delivered) == [
        ["7", " x ", "2024-03-01", "true"],
        ["7", "007", "2024-03-01 12:30:05", "2"],
        ["12345678901234", "0.25", "#DIV/0!", "#N/A"],
        ["merged", None, None, None],
    ]
    assert lines(delivered) == [6, 7, 10, 11]
    assert lines(read(workbook(fill), NO_HEADER)) == [4, 6, 7, 10, 11]


def test_an_old_workbook_is_read_the_same_way() -> None:
    def fill(book: xlwt.Workbook) -> None:
        book.add_sheet("Notes")
        sheet = book.add_sheet("Scores")
        for row, column, value in [(3, 1, "id"), (3, 2, "n"), (5, 1, "007"), (5, 2, 7.0), (8, 1, True)]:
            sheet.write(row, column, value)
        sheet.write(8, 2, dt.date(2024, 3, 1), xlwt.easyxf(num_format_str="yyyy-mm-dd"))

    delivered = read(old_workbook(fill))
    assert delivered.formats == ("xls",)
    assert delivered.columns == ("id", "n")
    assert cells(delivered) == [["007", "7"], ["true", "2024-03-01"]]
    assert lines(delivered) == [6, 9]


def several_sheets(hide_first: bool) -> bytes:
    def fill(book: xlsxwriter.Workbook) -> None:
        book.add_worksheet("Cover")
        codes, scores, more = (book.add_worksheet(name) for name in ("Codes", "Scores", "More"))
        for sheet, value in ((codes, "k"), (scores, "s"), (more, "m")):
            sheet.write_column(0, 0, ["a", value])
        if hide_first:
            codes.hide()

    return workbook(fill)


def test_which_sheet_is_read() -> None:
    assert cells(read(several_sheets(hide_first=False))) == [["k"]]
    assert cells(read(several_sheets(hide_first=True))) == [["s"]]
    assert cells(read(several_sheets(hide_first=True), ReadingOptions(sheet="Codes"))) == [["k"]]
    assert refused(several_sheets(hide_first=False), ReadingOptions(sheet="Cover")).rule_id == "READ-EMPTY"
    missing = refused(several_sheets(hide_first=False), ReadingOptions(sheet="Grades"))
    assert missing.rule_id == "READ-SHEET-MISSING"
    assert "“Grades”" in missing.message
    assert "“Cover”, “Codes”, “Scores”, “More”" in missing.message


def test_a_chart_sheet_before_the_table_is_passed_over() -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        chart_sheet = book.add_chartsheet("Chart")
        book.add_worksheet("Data").write_column(0, 0, ["a", 1])
        chart = book.add_chart({"type": "line"})
        chart.add_series({"values": "=Data!$A$2:$A$2"})
        chart_sheet.set_chart(chart)

    assert cells(read(workbook(fill))) == [["1"]]


def test_a_workbook_without_any_value_is_empty() -> None:
    assert refused(sheet_of([])).rule_id == "READ-EMPTY"
    assert refused(sheet_of([[" "]])).rule_id == "READ-EMPTY"
    assert refused(old_workbook(lambda book: book.add_sheet("S"))).rule_id == "READ-EMPTY"


def test_workbooks_that_are_cut_short_or_damaged() -> None:
    new, old = sheet_of([["a", "b"], ["1", "2"]]), small_old_workbook()
    for content in (new[:-40], new[: len(new) // 2], old[: len(old) // 2], old[:700], old[:100]):
        assert refused(content).rule_id == "READ-TRUNCATED"
    no_sheet = rezipped(new, lambda name, data: b"<x" if "sheet1" in name else data)
    assert refused(no_sheet).rule_id in ("READ-TRUNCATED", "READ-EMPTY")
    flipped = bytearray(new)
    flipped[new.index(b"xl/worksheets/sheet1.xml") + 60] ^= 0xFF
    assert refused(bytes(flipped)).rule_id == "READ-TRUNCATED"


def test_protected_workbooks_are_told_from_damaged_ones() -> None:
    old = bytearray(small_old_workbook())
    start = old.index(b"\x09\x08\x10\x00\x00\x06\x05\x00")
    struct.pack_into("<H", old, start + 20, 0x2F)  # the record after the first becomes FILEPASS ([MS-XLS] 2.4.117)
    assert refused(bytes(old)).rule_id == "READ-PASSWORD"
    new = bytearray(sheet_of([["a"], ["1"]]))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        for match in re.finditer(re.escape(signature), bytes(new)):
            new[match.start() + offset] |= 1
    assert refused(bytes(new)).rule_id == "READ-PASSWORD"


def test_macros_and_links_to_other_workbooks_change_nothing() -> None:
    buffer = io.BytesIO(sheet_of([["a"], ["1"]]))
    with zipfile.ZipFile(buffer, "a") as book:
        book.writestr("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0 not run")
        book.writestr("xl/externalLinks/externalLink1.xml", '<externalLink Target="http://127.0.0.1:9/x"/>')
    assert cells(read(buffer.getvalue())) == [["1"]]


def test_document_type_declarations_are_refused() -> None:
    entities = b"<!DOCTYPE x [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;'>]><sst"
    content = rezipped(sheet_of([["a"], ["b"]]), lambda name, data: data.replace(b"<sst", entities, 1))
    assert refused(content).rule_id == "READ-EXPANSION"


# --- workbooks that mean harm ---


def bomb(packed_per_member: int, members: int) -> bytes:
    """A workbook whose sheets are spaces: deflate packs them about a thousand to one."""

    def add(name: str, data: bytes) -> bytes:
        return data

    buffer = io.BytesIO(rezipped(sheet_of([["a"], ["1"]]), add))
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as book:
        for number in range(members):
            book.writestr(f"xl/worksheets/more{number}.xml", b" " * (packed_per_member * 1000))
    return buffer.getvalue()


def test_an_archive_bomb_is_refused_at_once() -> None:
    content = bomb(packed_per_member=60_000, members=2)
    started = time.monotonic()
    assert refused(content).rule_id == "READ-EXPANSION"
    assert time.monotonic() - started < 2


def test_a_bomb_that_lies_about_its_size_is_refused_at_once() -> None:
    content = bytearray(bomb(packed_per_member=60_000, members=1))
    size = struct.pack("<I", 60_000_000)
    assert content.count(size) == 2
    content = bytearray(bytes(content).replace(size, struct.pack("<I", 1_000)))
    started = time.monotonic()
    assert refused(bytes(content)).rule_id == "READ-EXPANSION"
    assert time.monotonic() - started < 2


def test_expansion_is_limited_over_the_delivery_and_by_parts() -> None:
    content = sheet_of([[str(number) for number in range(50)] for _ in range(500)])
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        expanded = sum(member.file_size for member in book.infolist())
    enough, short = (
        ReadingLimits(max_expanded_bytes=2 * expanded),
        ReadingLimits(max_expanded_bytes=2 * expanded - 1),
    )
    files = [DeliveredFile("1", content), DeliveredFile("2", content)]
    assert read_delivery(files, NO_HEADER, enough).table.height == 1_000
    with pytest.raises(UnreadableDelivery) as caught:
        read_delivery(files, NO_HEADER, short)
    assert caught.value.rule_id == "READ-EXPANSION"
    tight = ReadingLimits(max_expansion_ratio=2)
    large = sheet_of([[number] * 20 for number in range(3_000)])
    assert refused(large, NO_HEADER, tight).rule_id == "READ-EXPANSION"
    many_parts = archive(**{"xl/workbook.xml": b"<x/>"} | {f"p{number}": b"" for number in range(10_001)})
    assert refused(many_parts).rule_id == "READ-EXPANSION"


@pytest.mark.skipif("sys.platform != 'linux'", reason="the memory of a child process is limited on Linux only")
@pytest.mark.parametrize("corner", [(1_048_575, 16_383), (1_048_575, 200)])
def test_two_cells_in_opposite_corners_do_not_take_the_machine_down(corner: tuple[int, int]) -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "a")
        sheet.write(*corner, "b")

    content = workbook(fill)
    assert len(content) < 10_000
    started = time.monotonic()
    assert refused(content).rule_id == "READ-EXPANSION"
    assert time.monotonic() - started < 20


@pytest.mark.skipif("sys.platform != 'linux'", reason="the memory of a child process is limited on Linux only")
def test_one_long_text_shared_by_many_cells_does_not_take_the_machine_down() -> None:
    long_text = np.random.default_rng(1).integers(ord("a"), ord("z"), size=1_000_000, dtype=np.uint8).tobytes()
    repeated = b"".join(b'<row r="%d"><c r="A%d" t="s"><v>1</v></c></row>' % (row, row) for row in range(2, 99_999))

    def share(name: str, data: bytes) -> bytes:
        if name == "xl/sharedStrings.xml":
            return data.replace(b"zz", long_text)
        return re.sub(rb'<row r="2".*</row>', repeated, data) if "sheet1" in name else data

    content = rezipped(sheet_of([["a"], ["zz"]]), share)
    assert len(content) < 2_000_000
    assert refused(content).rule_id == "READ-EXPANSION"


def test_a_reader_that_does_not_end_is_stopped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sleeper = tmp_path / "sleeper.py"
    sleeper.write_text("import time; time.sleep(60)")
    monkeypatch.setattr(reading, "__file__", str(sleeper))
    monkeypatch.setattr(reading, "_CHILD_SECONDS", 0.5)
    refusal = refused(small_old_workbook())
    assert refusal.rule_id == "READ-TIME"


def test_a_fault_of_the_installation_is_not_blamed_on_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("raise ImportError('no such library')")
    monkeypatch.setattr(reading, "__file__", str(broken))
    with pytest.raises(RuntimeError, match="no such library"):
        read(small_old_workbook())


# --- Parquet ---


def test_parquet_values_become_text() -> None:
    moment = dt.datetime(2024, 3, 1, 12, 30, 5)
    table = pa.table(
        {
            "text": ["007", " ", None],
            "flag": [True, False, None],
            "whole": [7.0, 0.1, None],
            "large": [1e20, -3.0, float("nan")],
            "number": pa.array([1, 2**60, None], pa.int64()),
            "day": [dt.date(2024, 3, 1), dt.date(1999, 12, 31), None],
            "moment": [moment, dt.datetime(2024, 3, 1), None],
            "hour": [dt.time(1, 2, 3), None, dt.time(0, 0)],
            "code": pa.array(["a", "b", "a"]).dictionary_encode(),
            "nothing": pa.nulls(3),
            "*": ["x", "y", "z"],
        }
    )
    delivered = read(parquet(table))
    assert delivered.formats == ("parquet",)
    assert delivered.columns == tuple(table.column_names)
    assert lines(delivered) == [1, 2, 3]
    first, second, third = cells(delivered)
    assert first[:3] == ["007", "true", "7"]
    assert float(first[3] or "") == 1e20
    assert first[4:] == ["1", "2024-03-01", "2024-03-01 12:30:05", "01:02:03", "a", None, "x"]
    assert second == [
        None,
        "false",
        "0.1",
        "-3",
        str(2**60),
        "1999-12-31",
        "2024-03-01",
        None,
        "b",
        None,
        "y",
    ]
    assert third == [None, None, None, "NaN", None, None, None, "00:00:00", "a", None, "z"]


def test_parquet_rows_without_a_value_count_as_lines() -> None:
    assert lines(read(parquet(pa.table({"a": ["1", None, "3"]})))) == [1, 3]


def test_parquet_that_cannot_be_a_table_of_text() -> None:
    nested = pa.table({"a": ["1"], "list": [[1, 2]], "record": [{"x": 1}], "raw": [b"\x00"]})
    refusal = refused(parquet(nested))
    assert refusal.rule_id == "READ-TYPES"
    assert "“list”, “record”, “raw”" in refusal.message
    content = parquet(pa.table({"a": [str(number) for number in range(1000)]}))
    damaged = bytearray(content)
    damaged[40:400] = b"\xff" * 360
    for broken in (
        bytes(damaged),
        content[:200] + content[-200:],
        content[:-20] + b"\xff" * 12 + content[-8:],
    ):
        assert refused(broken).rule_id == "READ-TRUNCATED"


def test_parquet_text_that_is_not_text_is_refused() -> None:
    content = parquet(pa.table({"a": ["school"]}))
    assert refused(content.replace(b"school", b"sch\xff\xfel")).rule_id == "READ-TRUNCATED"


# --- limits ---


def test_limits_are_refused_with_their_numbers() -> None:
    assert refused("a,b\n1,2\n", limits=ReadingLimits(max_bytes=7)).rule_id == "READ-TOO-LARGE"
    wide = ",".join(f"n{number}" for number in range(4)) + "\n1,2,3,4\n"
    refusal = refused(wide, limits=ReadingLimits(max_columns=3))
    assert refusal.rule_id == "READ-COLUMNS"
    assert "4 columns; at most 3" in refusal.message
    assert refused("a\n1,2,3,4\n", NO_HEADER, ReadingLimits(max_columns=3)).line == 2


@pytest.mark.parametrize(
    "content",
    [
        b"a,b\n1,2\n3,4\n",
        sheet_of([["a", "b"], [1, 2], [3, 4]]),
        parquet(pa.table({"a": [1, 2], "b": [3, 4]})),
    ],
)
def test_row_and_column_limits_hold_for_every_format(content: bytes) -> None:
    assert refused(content, limits=ReadingLimits(max_rows=1)).rule_id == "READ-ROWS"
    assert refused(content, limits=ReadingLimits(max_columns=1)).rule_id == "READ-COLUMNS"
    within = read_delivery([DeliveredFile("a", content)], limits=ReadingLimits(max_rows=2, max_columns=2))
    assert within.table.height == 2


def test_limits_are_summed_over_the_files_of_a_delivery() -> None:
    files = [DeliveredFile("1", b"a,b\n1,2\n"), DeliveredFile("2", b"a,c\n1,2\n")]
    for limits, rule_id in (
        (ReadingLimits(max_bytes=15), "READ-TOO-LARGE"),
        (ReadingLimits(max_rows=1), "READ-ROWS"),
        (ReadingLimits(max_columns=2), "READ-COLUMNS"),
        (ReadingLimits(max_files=1), "READ-FILES"),
    ):
        with pytest.raises(UnreadableDelivery) as caught:
            read_delivery(files, limits=limits)
        assert caught.value.rule_id == rule_id
    assert read_delivery(files, limits=ReadingLimits(16, 2, 3, max_files=2)).table.height == 2


def test_sheets_are_limited() -> None:
    assert refused(several_sheets(hide_first=False), limits=ReadingLimits(max_sheets=3)).rule_id == "READ-SHEETS"


def test_one_wide_line_does_not_blow_up_a_long_file() -> None:
    content = b"1\n" * 200_000 + b"," * 900 + b"\n"
    refusal = refused(content, NO_HEADER)
    assert refusal.rule_id == "READ-SHAPE"
    long, wide = b"a,b\n" + b"1,2\n" * 200_000, ",".join(f"n{number}" for number in range(900)).encode()
    with pytest.raises(UnreadableDelivery) as caught:
        read_delivery([DeliveredFile("1", long), DeliveredFile("2", wide + b"\n1" + b"," * 899 + b"\n")])
    assert caught.value.rule_id == "READ-SHAPE"


def test_a_parse_that_does_not_add_up_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    parse = reading._parse_records

    def lose_a_row(text: bytes, delimiter: bytes, width: int) -> pl.DataFrame | None:
        frame = parse(text, delimiter, width)
        return None if frame is None else frame.slice(1)

    monkeypatch.setattr(reading, "_parse_records", lose_a_row)
    assert refused("a,b\n1,2\n").rule_id == "READ-PARSE"


# --- real files ---

CSV_FILES = [
    "chicago_iar/cps_data.csv",
    "houston_staar/district_staar_22-23.csv",
    "la_smarter_balanced/sbac_2015_by_district.csv",
    "naep/naep_tuda_math_six_districts_2013_2024.csv",
    "nces/ccd_lea_2023_24.csv",
    "nyc_math/nyc_math_by_school_grade_2006_2011.csv",
]


@pytest.mark.parametrize("path", CSV_FILES)
def test_real_csv_files_agree_with_the_csv_module(public_data: Path, path: str) -> None:
    content = (public_data / path).read_bytes()
    delivered = read(content)
    reader = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    header, *_ = reader
    reader = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    expected, last = [], 0
    for row in reader:
        if any(cell.strip() for cell in row):
            expected.append((last + 1, [cell if cell.strip() else None for cell in row]))
        last = reader.line_num
    assert list(delivered.columns) == [name.strip() for name in header]
    assert lines(delivered) == [line for line, _ in expected[1:]]
    assert cells(delivered) == [row for _, row in expected[1:]]


def test_houston_shares_can_be_computed_from_what_was_read(public_data: Path) -> None:
    content = (public_data / "houston_staar/district_staar_22-23.csv").read_bytes()
    table = read(content).table.filter(pl.col("district") == "101912", pl.col("year") == "23")
    counts = table.group_by(pl.col("GRADE").cast(pl.Int64)).agg(pl.col("m_all_meetsgl_nm", "m_docs").cast(pl.Int64).sum())
    share = counts.sort("GRADE").select(100 * pl.col("m_all_meetsgl_nm") / pl.col("m_docs")).to_series()
    assert share.round(1).to_list() == [38.1, 41.3, 43.3, 28.6, 28.6, 28.2]


def test_new_york_rows_keep_suppression_marks_and_thousands(public_data: Path) -> None:
    table = read((public_data / "nyc_math/nyc_math_by_school_grade_2006_2011.csv").read_bytes()).table
    assert table.height == 28_478
    everyone = table.filter(pl.col("Grade") == "All Grades", pl.col("Level 3+4 #") != "s").select(
        pl.col("Year"), pl.col("Number Tested", "Level 3+4 #").str.replace_all(",", "").cast(pl.Int64)
    )
    sums = everyone.group_by("Year").sum().sort("Year")
    shares = sums.select(100 * pl.col("Level 3+4 #") / pl.col("Number Tested")).to_series().round(1).to_list()
    assert shares == [58.4, 67.0, 75.7, 82.9, 55.1, 58.4]


@pytest.mark.parametrize(
    ("name", "share"),
    [
        ("25Math03SRSSpring23.xls", 62.9),
        ("26Math04SRSSpring23.xls", 64.5),
        ("27Math05SRSSpring23.xls", 57.6),
        ("28Math06SRSSpring23.xls", 58.4),
        ("29Math07SRSSpring23.xls", 48.4),
        ("30Math08SRSSpring23.xls", 59.3),
    ],
)
def test_florida_workbooks(public_data: Path, name: str, share: float) -> None:
    delivered = read((public_data / "miami_fast" / name).read_bytes(), NO_HEADER)
    assert delivered.formats == ("xls",)
    assert len(delivered.columns) == 13
    table = delivered.table
    titles = table.filter(pl.col("c1").str.contains("District")).row(0, named=True)
    assert titles["c6"] is not None
    state = table.filter(pl.col("c2") == "STATE TOTALS").row(0, named=True)
    published = {"25": ("221011", "300", "59"), "30": ("170149", "335", "55")}.get(name[:2])
    if published:
        assert (state["c6"], state["c7"], state["c8"]) == published
    assert state["delivered_line"] == titles["delivered_line"] + 1
    schools = table.filter(pl.col("c1") == "13", pl.col("c8") != "*").select(pl.col("c6", "c8").cast(pl.Float64))
    assert np.average(schools["c8"], weights=schools["c6"]).round(1) == share


@pytest.mark.parametrize("stamp", ["5557", "5636", "5821", "5848"])
def test_state_profile_workbooks_agree_with_another_reader(public_data: Path, stamp: str) -> None:
    path = public_data / f"naep/SPExcel20230612{stamp}.xlsx"
    delivered = read(path.read_bytes(), NO_HEADER)
    sheet = openpyxl.load_workbook(path, data_only=True).worksheets[0]
    expected = {}
    for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
        values = [None if value is None or not str(value).strip() else str(value) for value in row]
        if any(values):
            expected[number] = values[: len(delivered.columns)]
    assert dict(zip(lines(delivered), cells(delivered), strict=True)) == expected

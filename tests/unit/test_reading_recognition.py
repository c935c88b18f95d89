"""What reading recognises and says: character sets, separators, formats under false names, sheets, headers below titles."""

from __future__ import annotations

import csv
import io
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
import xlwt
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.intake.reading import (
    READING_RULES,
    Delivered,
    DeliveredFile,
    ReadingLimits,
    ReadingOptions,
    UnreadableDelivery,
    read_delivery,
)

NAMES = ("school_id", "school_name", "grade", "n_tested")
EXPECTING = ReadingOptions(expected_columns=NAMES)
NO_HEADER = ReadingOptions(header="none", expected_columns=NAMES)
HEADER = list(NAMES)
ROWS = [["007", "Lincoln", "3", "41"], ["008", "Frida Kahlo", "4", "38"]]
Cells = list[list[str | None]]


def read(content: bytes | str, options: ReadingOptions = EXPECTING, name: str = "a.csv") -> Delivered:
    return read_delivery([DeliveredFile(name, content.encode() if isinstance(content, str) else content)], options)


def refused(content: bytes | str, options: ReadingOptions = EXPECTING, name: str = "a.csv") -> UnreadableDelivery:
    with pytest.raises(UnreadableDelivery) as caught:
        read(content, options, name)
    assert caught.value.rule_id in READING_RULES
    assert caught.value.message.endswith(".")
    assert caught.value.how_to_fix.endswith(".")
    return caught.value


def cells(delivered: Delivered) -> Cells:
    return [list(row[3:]) for row in delivered.table.rows()]


def lines(delivered: Delivered) -> list[int]:
    return delivered.table["delivered_line"].to_list()


def text(rows: list[list[str]], separator: str = ",") -> str:
    return "".join(separator.join(row) + "\n" for row in rows)


def sheets(hidden: tuple[str, ...] = (), **rows_of: list[list[str]]) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        for name, rows in rows_of.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, [None if cell == "" else cell for cell in row])
            if name in hidden:
                sheet.hide()
    return buffer.getvalue()


def old_workbook(rows: list[list[str]]) -> bytes:
    buffer, book = io.BytesIO(), xlwt.Workbook()
    sheet = book.add_sheet("S")
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            if cell != "":
                sheet.write(number, column, cell)
    book.save(buffer)
    return buffer.getvalue()


def parquet() -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"school_id": ["007"]}), buffer)
    return buffer.getvalue()


# --- notes ---

TABLE = text([HEADER, *ROWS])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", TABLE.encode()),
        ("a.CSV", b"\xef\xbb\xbf" + TABLE.encode()),
        ("a.csv", b"\n\n" + "school_id\nniño\n".encode()),
        ("a.tsv", text([HEADER, *ROWS], "\t").encode()),
        ("a.tab", text([HEADER, *ROWS], "\t").encode()),
        ("noname", TABLE.encode()),
        ("a.dat", TABLE.encode()),
        ("a.txt", TABLE.encode()),
        ("a.xlsx", sheets(S=[HEADER, *ROWS])),
        ("a.xlsm", sheets(S=[HEADER, *ROWS])),
        ("a.2024", sheets(S=[HEADER, *ROWS])),
        ("a.xls", old_workbook([HEADER, *ROWS])),
        ("a.parquet", parquet()),
        ("xlsx", TABLE.encode()),
    ],
)
def test_nothing_is_said_of_a_plain_file(name: str, content: bytes) -> None:
    delivered = read(content, name=name)
    assert delivered.notes == (() if name != "xlsx" else ("xlsx is in truth text with separated fields.",))
    assert delivered.lines_above_header == 0
    assert delivered.beside == ()


@pytest.mark.parametrize(
    ("name", "content", "note"),
    [
        (
            "letters.csv",
            "school_id,school_name\n7,José Martí\n".encode("cp1252"),
            "letters.csv is read as Windows-1252 text; save it as UTF-8 to be sure that accents arrive.",
        ),
        ("a.csv", TABLE.encode("utf-16"), "a.csv is read as UTF-16 text."),
        ("a.csv", TABLE.replace(",", ";").encode(), "a.csv separates its fields with semicolons."),
        ("a.csv", TABLE.replace(",", "\t").encode(), "a.csv separates its fields with tabs."),
        ("a.txt", TABLE.replace(",", "|").encode(), "a.txt separates its fields with vertical bars (|)."),
        ("a.tsv", TABLE.encode(), "a.tsv separates its fields with commas."),
        ("a.csv", sheets(S=[HEADER, *ROWS]), "a.csv is in truth a workbook (xlsx)."),
        ("a.xlsx", old_workbook([HEADER, *ROWS]), "a.xlsx is in truth an old workbook (xls)."),
        ("a.txt", parquet(), "a.txt is in truth a Parquet file."),
        ("a.XLS", TABLE.encode(), "a.XLS is in truth text with separated fields."),
        ("a.xlsx", sheets(Data=[HEADER, *ROWS], B=[], C=[["x"]]), 'a.xlsx: the sheet "Data" is read; it is one of 3.'),
        (
            "a.xlsx",
            sheets(("Data",), Cover=[], Data=[HEADER, *ROWS]),
            'a.xlsx: the hidden sheet "Data" is read; it is one of 2.',
        ),
        (
            "a.xlsx",
            sheets(Notes=[["x"]], G3=[HEADER, *ROWS], G4=[HEADER, *ROWS], G5=[HEADER, *ROWS]),
            'a.xlsx: the sheet "G3" is read; it is one of 4. Not read: “G4”, “G5”, with the same columns.',
        ),
        ("a.csv", "Results\n" + TABLE, "a.csv: the column names stand in line 2; the line above them is not read."),
        ("a.csv", "A\nB\nC\n" + TABLE, "a.csv: the column names stand in line 4; the 3 lines above them are not read."),
        ("a.csv", "A\n\nC\n" + TABLE, "a.csv: the column names stand in line 4; 2 lines with text above them are not read."),
        (
            "a.xlsx",
            sheets(S=[["Results"], ["2024-25"], HEADER, *ROWS]),
            "a.xlsx: the column names stand in row 3; the 2 rows above them are not read.",
        ),
    ],
)
def test_what_is_not_plain_is_said_in_one_sentence(name: str, content: bytes | str, note: str) -> None:
    assert read(content, name=name).notes == (note,)


def test_each_fact_of_each_file_is_a_note_with_its_name_first() -> None:
    files = [
        DeliveredFile("1.csv", b"Results\n" + TABLE.replace(",", ";").encode("cp1252")),
        DeliveredFile("2.csv", "\ufeffschool_id\tschool_name\n9\tJosé\n".encode("utf-16-le")),
        DeliveredFile("3.csv", TABLE.encode()),
    ]
    assert read_delivery(files, EXPECTING).notes == (
        "1.csv separates its fields with semicolons.",
        "1.csv: the column names stand in line 2; the line above them is not read.",
        "2.csv is read as UTF-16 text.",
        "2.csv separates its fields with tabs.",
    )


def test_names_in_notes_are_safe_to_print() -> None:
    sheet = "D\u202eata\u2028" + "x" * 20
    name = "evil\x1b[31m\n" + "y" * 300 + ".tsv"
    for note in (
        *read(sheets(**{sheet: [HEADER, *ROWS], "B": []}), name=name).notes,
        *read(TABLE.replace(",", ";"), name=name).notes,
    ):
        assert note.isprintable()
        assert len(note) < 250


# --- a header below titles ---

TITLES = [
    ["Results of mathematics tests"],
    ['"Results; by school; by grade; by group; 2024-25; spring"'],
    ["Export of 2024-25, spring"],
    ["Results\twith\ttabs\tand\tmore\ttabs"],
    ['a 5" title'],
    ["Confidential", "", "", ""],
    ['"two', 'lines"'],
]


@pytest.mark.parametrize("title", TITLES)
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_titles_above_the_header_of_a_text_are_not_read(title: list[str], separator: str) -> None:
    above = separator.join(title).replace("two" + separator, "two\n")
    delivered = read(f"{above}\n\n{text([HEADER, *ROWS], separator)}")
    assert delivered.columns == NAMES
    assert cells(delivered) == ROWS
    first = 3 + above.count("\n")
    assert lines(delivered) == [first + 1, first + 2]
    assert delivered.lines_above_header == 1
    assert f"the column names stand in line {first};" in delivered.notes[-1]
    (beside,) = delivered.beside
    assert (beside.file, beside.place, beside.table.height) == ("a.csv", "above the table", 1)


@pytest.mark.parametrize("write", [lambda rows: sheets(S=rows), old_workbook])
def test_titles_above_the_header_of_a_workbook_are_not_read(write: object) -> None:
    rows = [[""], ["Results", "", "", "", "of", "2024-25"], [""], ["by school"], HEADER, *ROWS[:1], [""], *ROWS[1:]]
    delivered = read(write(rows), name="a.xlsx")  # type: ignore[operator]
    assert delivered.columns == NAMES
    assert cells(delivered) == ROWS
    assert lines(delivered) == [6, 8]
    assert delivered.lines_above_header == 2
    assert delivered.beside[0].table.rows() == [("Results", None, None, None, "of", "2024-25"), ("by school", *[None] * 5)]
    assert delivered.beside[0].table.columns == [f"c{number}" for number in range(1, 7)]
    assert "the column names stand in row 5; 2 rows with text above them are not read." in delivered.notes[-1]
    assert cells(read(write(rows), NO_HEADER))[0][0] == "Results"  # type: ignore[operator]


def test_names_are_compared_without_case_and_blanks_and_half_of_them_is_enough() -> None:
    for header in ("SCHOOL_ID, School_Name ,x,y", '" school_id",GRADE,"n\n_tested",z', "grade,n_tested,x,y"):
        delivered = read(f"a title\n{header}\n1,2,3,4\n")
        assert delivered.lines_above_header == 1
        assert cells(delivered) == [["1", "2", "3", "4"]]
    assert refused("a title\ngrade,x,y,z\n1,2,3,4\n").rule_id == "READ-ROW-WIDTH"


def test_the_first_row_is_the_header_where_it_looks_like_one_or_nothing_does() -> None:
    again = text([HEADER, *ROWS, HEADER, *ROWS])
    assert (read(again).table.height, read(again).lines_above_header) == (5, 0)
    half = text([["school_id", "grade", "x", "y"], HEADER, *ROWS])
    assert read(half).columns == ("school_id", "grade", "x", "y")
    other = text([["DBN", "Grade", "Year", "Category"], *ROWS])
    assert read(other).columns == ("DBN", "Grade", "Year", "Category")
    assert (read(other).lines_above_header, read(other).notes) == (0, ())


def test_the_row_with_the_most_names_is_the_header() -> None:
    rows = [["Title", "", "", ""], ["school_id", "grade", "of school", "of test"], HEADER, *ROWS]
    assert lines(read(text(rows))) == [4, 5]
    assert lines(read(sheets(S=rows))) == [4, 5]


def test_a_header_is_looked_for_in_thirty_rows() -> None:
    for above, is_found in ((29, True), (30, False)):
        rows = [[f"note {number}", "", "", ""] for number in range(above)] + [HEADER, *ROWS]
        for content in (text(rows), sheets(S=rows), old_workbook(rows)):
            delivered = read(content)
            assert (delivered.lines_above_header, delivered.columns == NAMES) == ((above, True) if is_found else (0, False))


def test_without_expected_columns_or_a_header_nothing_changes() -> None:
    titled = "Results\n" + TABLE
    refusal = refused(titled, ReadingOptions())
    assert (refusal.rule_id, refusal.line) == ("READ-ROW-WIDTH", 2)
    assert lines(read(titled, NO_HEADER)) == [1, 2, 3, 4]
    assert read(titled, NO_HEADER).lines_above_header == 0


def test_lines_above_are_summed_over_files_and_do_not_count_as_rows() -> None:
    files = [DeliveredFile("1.csv", b"A\nB\n" + TABLE.encode()), DeliveredFile("2.xlsx", sheets(S=[["A"], HEADER, *ROWS]))]
    delivered = read_delivery(files, EXPECTING, ReadingLimits(max_rows=4))
    assert delivered.lines_above_header == 3
    assert [(beside.file, beside.table.height) for beside in delivered.beside] == [("1.csv", 2), ("2.xlsx", 1)]
    with pytest.raises(UnreadableDelivery) as caught:
        read_delivery(files, EXPECTING, ReadingLimits(max_rows=3))
    assert caught.value.rule_id == "READ-ROWS"


def test_a_line_that_names_the_separator_comes_before_titles() -> None:
    delivered = read("sep=;\r\nResults\r\n" + text([HEADER, *ROWS], ";").replace("\n", "\r\n"))
    assert cells(delivered) == ROWS
    assert lines(delivered) == [4, 5]
    assert delivered.notes[-1] == "a.csv: the column names stand in line 3; the line above them is not read."
    assert cells(read("sep=^\n" + text([HEADER, *ROWS], "^"), ReadingOptions())) == ROWS


def test_what_follows_the_header_must_still_have_its_width() -> None:
    refusal = refused("Results\n\n" + TABLE + "009,x,5\nSource: the district\n")
    assert (refusal.rule_id, refusal.line) == ("READ-ROW-WIDTH", 6)
    assert "Line 6 has 3 fields and the header has 4. 2 lines are like that." in refusal.message


TITLE_TEXT = st.text(st.characters(exclude_characters='"', exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=30)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    titles=st.lists(st.one_of(st.just(""), TITLE_TEXT), max_size=8),
    rows=st.lists(st.lists(TITLE_TEXT.map(lambda value: f"v{value}"), min_size=4, max_size=4), min_size=1, max_size=5),
    separator=st.sampled_from([",", ";", "\t", "|", "^", "~"]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-16"]),
)
def test_titles_change_nothing_but_line_numbers(
    titles: list[str], rows: list[list[str]], separator: str, end: str, encoding: str
) -> None:
    """Expected lines are counted here; expected cells are those that were written."""
    table = io.StringIO(newline="")
    csv.writer(table, delimiter=separator, lineterminator=end, quoting=csv.QUOTE_ALL).writerows([HEADER, *rows])
    content = "".join(f"{title}{end}" for title in titles) + table.getvalue()
    delivered = read(content.encode(encoding))
    assert delivered.columns == NAMES
    assert cells(delivered) == rows
    assert lines(delivered) == [len(titles) + 2 + number for number in range(len(rows))]


# --- separators ---


@pytest.mark.parametrize(
    ("separator", "words"),
    [
        ("^", "carets (^)"),
        ("~", "tildes (~)"),
        (":", "colons (:)"),
        ("!", "exclamation marks (!)"),
        ("#", "number signs (#)"),
        ("\x01", "control characters (01)"),
        ("\x1f", "control characters (1F)"),
        ("||", "double vertical bars (||)"),
        ("   ", "two or more blanks"),
    ],
)
def test_an_uncommon_separator_is_recognised_by_the_column_names_alone(separator: str, words: str) -> None:
    content = text([HEADER, *ROWS], separator)
    delivered = read(content)
    assert delivered.columns == NAMES
    assert cells(delivered) == ROWS
    assert lines(delivered) == [2, 3]
    assert delivered.notes == (f"a.csv separates its fields with {words}.",)
    titled = read(f"Results: by school\n\n{content}")
    assert (cells(titled), lines(titled), titled.lines_above_header) == (ROWS, [4, 5], 1)
    assert len(read(content, ReadingOptions()).columns) == (7 if separator == "||" else 1)
    short = refused(content + f"009{separator}x\n")
    assert (short.rule_id, short.line) == ("READ-ROW-WIDTH", 4)


def test_quotes_hold_under_uncommon_separators() -> None:
    for separator in ("^", "||", "    "):
        quoted = text([HEADER, ["007", f'"a{separator}""b"""', "3", '"two\nlines"'], ["008", "x y", "3", "4"]], separator)
        delivered = read(quoted)
        assert cells(delivered) == [["007", f'a{separator}"b"', "3", "two\nlines"], ["008", "x y", "3", "4"]]
        assert lines(delivered) == [2, 4]


def test_blanks_that_align_columns_are_separators() -> None:
    aligned = (
        "\n".join(
            [
                "school_id  school_name     grade  n_tested",
                "007        Lincoln             3        41  ",
                "  008      Frida Kahlo         4        38",
            ]
        )
        + "\n"
    )
    assert cells(read(aligned)) == ROWS
    assert cells(read(aligned.replace("\n", "\r\n"))) == ROWS
    missing = aligned.replace("Frida Kahlo ", "            ")
    assert refused(missing).rule_id == "READ-ROW-WIDTH"  # which cell is blank cannot be told


def test_commas_win_where_names_and_values_hold_other_marks() -> None:
    options = ReadingOptions(expected_columns=("a:b", "c^d", "e;f"))
    delivered = read("a:b,c^d,e;f\n1:2:3,4^5,6;7\n", options)
    assert delivered.columns == ("a:b", "c^d", "e;f")
    assert cells(delivered) == [["1:2:3", "4^5", "6;7"]]


def test_an_uncommon_separator_without_the_column_names_is_refused_in_words() -> None:
    for separator, words in (("^", "carets (^)"), ("~", "tildes (~)"), (":", "colons (:)"), ("  ", "two or more blanks")):
        refusal = refused(text([["DBN", "Year"], ["01M015", "2006"], ["01M019", "2007"]], separator))
        assert refusal.rule_id == "READ-SEPARATOR"
        assert words in refusal.message
        assert "commas, semicolons, tabs or vertical bars (|)" in refusal.message
    assert cells(read("School\nLincoln: a school\nKahlo\n")) == [["Lincoln: a school"], ["Kahlo"]]


@pytest.mark.parametrize(
    "content",
    [
        "".join(f'"{line}"\n' for line in TABLE.splitlines()),
        "A title\n" + "".join(f'"{line}"\n' for line in TABLE.splitlines()),
        TABLE.replace(",", " "),
        TABLE.replace(",", "/"),
        TABLE.replace(",", " - "),
    ],
)
def test_all_names_in_one_field_are_refused_as_that(content: str) -> None:
    refusal = refused(content)
    assert refusal.rule_id == "READ-SEPARATOR"
    assert "holds 4 column names in one single field" in refusal.message
    assert refusal.line == (2 if content.startswith("A title") else 1)


def test_all_names_in_one_cell_of_a_workbook_are_refused_as_that() -> None:
    rows = [["A title"], *([line] for line in TABLE.splitlines())]
    for content in (sheets(S=rows), old_workbook(rows)):
        refusal = refused(content, name="a.xlsx")
        assert (refusal.rule_id, refusal.line) == ("READ-SEPARATOR", 2)
        assert refusal.message == "Row 2 holds 4 column names in one single cell."
        assert "Text to Columns" in refusal.how_to_fix


def test_a_header_and_lines_with_different_separators_are_told_apart() -> None:
    refusal = refused(text([HEADER]) + text(ROWS, ";"))
    assert refusal.rule_id == "READ-ROW-WIDTH"
    assert "Line 2 separates its fields with semicolons, the header does not." in refusal.message
    assert refused(text([HEADER], "\t") + text(ROWS), name="a.tsv").line == 2


# --- sheets ---


def test_the_sheet_with_the_expected_columns_is_read() -> None:
    cover = [["Results of 2024-25"], ["Contact", "the research office"]]
    content = sheets(Cover=cover, Data=[["A title"], HEADER, *ROWS])
    delivered = read(content, name="a.xlsx")
    assert cells(delivered) == ROWS
    assert delivered.notes[0] == 'a.xlsx: the sheet "Data" is read; it is one of 2.'
    assert cells(read(content, ReadingOptions())) == [["Contact", "the research office"]]
    assert cells(read(content, ReadingOptions(sheet="Cover", expected_columns=NAMES)))[0][0] == "Contact"
    hidden = sheets(("Data",), Cover=cover, Data=[HEADER, *ROWS])
    assert cells(read(hidden)) == [["Contact", "the research office"]]
    assert cells(read(sheets(("A", "B"), Cover=[], A=cover, B=[HEADER, *ROWS]))) == ROWS


# --- what is beside the table ---


def test_other_sheets_are_beside_the_table() -> None:
    delivered = read(sheets(("Raw",), Data=[HEADER, *ROWS], Empty=[], Raw=[["Student ID", "x"], ["1", ""]]), name="a.xlsx")
    (beside,) = delivered.beside
    assert (beside.file, beside.place) == ("a.xlsx", 'on the sheet "Raw"')
    assert beside.table.rows() == [("Student ID", "x"), ("1", None)]


PIVOT = b"""<?xml version="1.0"?><pivotCacheDefinition xmlns="x"><cacheSource type="worksheet"/><cacheFields count="3">
<cacheField name="Student &amp; ID" numFmtId="0"><sharedItems containsNumber="1" minValue="1001" maxValue="1099"/></cacheField>
<cacheField name="School" numFmtId="0"><sharedItems><s v="Lincoln"/><s v="Kahlo &quot;x&quot;"/></sharedItems></cacheField>
<cacheField name="Calculated" numFmtId="0"/></cacheFields></pivotCacheDefinition>"""


def test_what_a_pivot_table_remembers_is_beside_the_table() -> None:
    buffer = io.BytesIO(sheets(Data=[HEADER, *ROWS]))
    with zipfile.ZipFile(buffer, "a") as book:
        book.writestr("xl/pivotCache/pivotCacheDefinition1.xml", PIVOT)
    (beside,) = read(buffer.getvalue(), name="a.xlsx").beside
    assert (beside.file, beside.place) == ("a.xlsx", "behind a pivot table")
    assert beside.table.rows() == [
        ("Student & ID", "School", "Calculated"),
        ("1001", "Lincoln", None),
        ("1099", 'Kahlo "x"', None),
    ]


# --- names that look like formats ---


def test_a_header_that_begins_like_parquet_is_a_header() -> None:
    for name in ("PARENT_GROUP", "PARENT", "PAR1_SCORE", "PAR1"):
        assert read(f"{name},n\n1,2\n", ReadingOptions()).columns == (name, "n")
    assert refused(b"PAR1" + bytes(20)).rule_id == "READ-TRUNCATED"
    assert refused(b"PARE" + bytes(20) + b"PARE").rule_id == "READ-PASSWORD"

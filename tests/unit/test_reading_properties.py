"""Whatever table Python's csv module writes, in any dialect, reading gives back its cells and lines.

Expected cells are the generated ones; expected lines come from csv.reader.line_num, not from our code.
"""

from __future__ import annotations

import csv
import io
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.intake.reading import (
    Delivered,
    DeliveredFile,
    ReadingOptions,
    UnreadableDelivery,
    read_delivery,
)

Table = list[list[str]]

AWKWARD = st.sampled_from(
    [
        "",
        " ",
        '"',
        '""',
        ",",
        ";",
        "\t",
        "|",
        "\n",
        "\r",
        "\r\n",
        "\n\n",
        "007",
        " x",
        "s",
        "ñ",
        "名",
        "\u2028",
    ]
)
CELLS = st.lists(AWKWARD | st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=4), max_size=4).map("".join)


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """Rows of equal width; the first row can serve as a header, its names distinct and never blank."""
    width = draw(st.integers(1, 5))
    rows = draw(st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=8))
    header = [f"name {number}" for number in range(width)]
    return [header, *rows]


def written(table: Table, delimiter: str, terminator: str, quoting: Literal[0, 1], blank_lines: set[int]) -> str:
    """The table as csv text, with a blank line above each row whose number is in `blank_lines`.

    Before Python 3.13 the writer quotes only the line ends it writes itself, which no reader can undo.
    """
    other_line_ends = {"\r", "\n"} - set(terminator)
    if any(other_line_ends & set(cell) for row in table for cell in row):
        quoting = csv.QUOTE_ALL
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=terminator, quoting=quoting)
    for number, row in enumerate(table):
        if number in blank_lines:
            text.write(terminator)
        writer.writerow(row)
    return text.getvalue()


def cells_of(delivered: Delivered) -> list[list[str | None]]:
    """The source cells of every row."""
    return [list(row[3:]) for row in delivered.table.rows()]


def expected_rows(text: str, delimiter: str) -> list[tuple[int, list[str | None]]]:
    """Physical line of its start and cells of every row that holds any value, by Python's csv module."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    found, last_line = [], 0
    for row in reader:
        cells = [None if not cell.strip() else cell for cell in row]
        if any(cell is not None for cell in cells):
            found.append((last_line + 1, cells))
        last_line = reader.line_num
    return found


@settings(max_examples=400, deadline=None)
@given(
    table=tables(),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    terminator=st.sampled_from(["\n", "\r\n", "\r"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    blank_lines=st.sets(st.integers(0, 8), max_size=3),
    final_newline=st.booleans(),
)
def test_cells_and_lines_survive(
    *,
    table: Table,
    delimiter: str,
    terminator: str,
    quoting: Literal[0, 1],
    encoding: str,
    blank_lines: set[int],
    final_newline: bool,
) -> None:
    if len(table[0]) == 1:
        delimiter = ","  # a header of one name shows no delimiter, and then the comma is assumed
    text = written(table, delimiter, terminator, quoting, blank_lines)
    text = text if final_newline else text.removesuffix(terminator)
    (_, header), *rows = expected_rows(text, delimiter)
    file = DeliveredFile("a.csv", text.encode(encoding))
    try:
        delivered = read_delivery([file])
    except UnreadableDelivery as refusal:
        assert refusal.rule_id == "READ-NO-ROWS"
        assert not rows
        return
    assert list(delivered.columns) == header
    assert delivered.table["delivered_line"].to_list() == [line for line, _ in rows]
    assert cells_of(delivered) == [cells for _, cells in rows]


@settings(max_examples=200, deadline=None)
@given(
    rows=st.lists(st.lists(CELLS, min_size=1, max_size=5), min_size=1, max_size=8),
    terminator=st.sampled_from(["\n", "\r\n"]),
)
def test_ragged_rows_without_a_header_are_padded(rows: Table, terminator: str) -> None:
    table = [["first", "second"], *rows]  # a comma-separated line, so that the delimiter is not in doubt
    text = written(table, ",", terminator, csv.QUOTE_ALL, set())
    delivered = read_delivery([DeliveredFile("a.csv", text.encode())], ReadingOptions(header="none"))
    width = max(map(len, table))
    assert delivered.columns == tuple(f"c{number}" for number in range(1, width + 1))
    expected = expected_rows(text, ",")
    assert delivered.table["delivered_line"].to_list() == [line for line, _ in expected]
    assert cells_of(delivered) == [cells + [None] * (width - len(cells)) for _, cells in expected]


@settings(max_examples=300, deadline=None)
@given(content=st.binary(max_size=200) | st.text(alphabet='a",;\n\r\t |\x00é', max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused_in_words(content: bytes) -> None:
    for header in ("first_row", "none"):
        try:
            delivered = read_delivery([DeliveredFile("x", content)], ReadingOptions(header=header))
        except UnreadableDelivery as refusal:
            assert refusal.message
            assert refusal.how_to_fix
        else:
            assert delivered.table.height > 0
            assert delivered.table["delivered_line"].is_sorted()


@settings(max_examples=300, deadline=None)
@given(text=st.text(alphabet='ab",\n', min_size=1, max_size=40))
def test_stray_quotes_are_read_as_the_csv_module_does_or_refused(text: str) -> None:
    file = DeliveredFile("x.csv", text.encode())
    try:
        delivered = read_delivery([file], ReadingOptions(header="none"))
    except UnreadableDelivery as refusal:
        assert refusal.rule_id in ("READ-QUOTES", "READ-EMPTY")
        return
    width = len(delivered.columns)
    expected = [cells + [None] * (width - len(cells)) for _, cells in expected_rows(text, ",")]
    assert cells_of(delivered) == expected

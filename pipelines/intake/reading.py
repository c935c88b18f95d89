"""Delivered bytes become one table of text, every row with the physical line it came from.

Belongs here: telling formats apart, character sets, delimiters and quotes, workbooks, Parquet, size limits,
headers, and the refusal of what cannot be read. Does not belong here: what the columns mean (mapping, rules),
where the bytes are kept, who sent them.

Delivered content is treated as hostile. A name is only ever shown. Archives are measured before they are
opened. Workbooks and Parquet files are parsed in a child process with a memory and a time limit, because a
workbook of 5 KB with two cells in opposite corners makes the parser ask for hundreds of gigabytes and abort
its process. The memory limit is enforced on Linux; the time limit everywhere.
"""

from __future__ import annotations

import contextlib
import csv
import html
import io
import itertools
import json
import os
import re
import struct
import subprocess
import sys
import unicodedata
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal, NoReturn

import numpy as np
import numpy.typing as npt
import polars as pl

MIB: Final = 1024**2
GIB: Final = 1024**3

READING_RULES: Final[dict[str, str]] = {
    "READ-ARCHIVE": "An archive was delivered where a single table was expected.",
    "READ-BINARY": "The content is neither text nor a table format that is read here.",
    "READ-COLUMNS": "There are more columns than are accepted.",
    "READ-EMPTY": "A file, or the sheet to be read, holds nothing.",
    "READ-ENCODING": "The text is in no character set that can be told with certainty.",
    "READ-EXPANSION": "A file unpacks to far more than its size, or needs more memory than that justifies.",
    "READ-FILES": "There are more files in the delivery than are accepted.",
    "READ-HEADER-DUPLICATE": "Two columns have the same name, upper and lower case counting as equal.",
    "READ-HEADER-RESERVED": "A column has a name that is kept for the delivery's own bookkeeping.",
    "READ-IMAGE": "A picture was delivered where a table was expected.",
    "READ-MARKUP": "A web page or an XML document was delivered, often under the name of a workbook.",
    "READ-NO-ROWS": "There are column names and no row of data below them.",
    "READ-PASSWORD": "The file is encrypted or protected by a password.",
    "READ-PARSE": "Reading the text twice, in two ways, gave two different numbers of rows.",
    "READ-PDF": "A PDF document was delivered where a table was expected.",
    "READ-QUOTES": "A quotation mark opens a field and is not closed properly.",
    "READ-ROW-WIDTH": "A line has more or fewer fields than the header.",
    "READ-ROWS": "There are more rows than are accepted.",
    "READ-SEPARATOR": "The column names stand in one single field, or the fields are separated by something that is not read.",
    "READ-SHAPE": "A few lines or files are so wide that the table would be almost all blank.",
    "READ-SHEET-MISSING": "The workbook has no sheet of the name that was asked for.",
    "READ-SHEETS": "The workbook has more sheets than are accepted.",
    "READ-TIME": "Reading the file took longer than a file of its size may take.",
    "READ-TOO-LARGE": "The delivery is larger than is accepted.",
    "READ-TRUNCATED": "The file is damaged or incomplete.",
    "READ-TYPES": "A column holds lists, records or raw bytes instead of single values.",
    "READ-WORKBOOK-KIND": "The file is an office document of a kind that is not read here.",
}
"""Every reason for which a delivery can be refused while it is read: rule id and what it means."""

RESERVED_COLUMNS: Final = ("delivered_row", "delivered_file", "delivered_line")

_Bytes = npt.NDArray[np.uint8]
_Offsets = npt.NDArray[np.int64]


@dataclass(frozen=True)
class DeliveredFile:
    """One file as it arrived: the district's name for it (shown, never used as a path) and its bytes."""

    name: str
    content: bytes


@dataclass(frozen=True)
class ReadingLimits:
    """What one delivery may ask for.

    Bytes, rows, files and expanded bytes are summed over the delivery; columns are those of the united table;
    sheets are per workbook; the ratio is unpacked to packed bytes of one member of an xlsx file.
    """

    max_bytes: int = 512 * MIB
    max_rows: int = 5_000_000
    max_columns: int = 1_000
    max_expanded_bytes: int = 2 * GIB
    max_expansion_ratio: int = 200
    max_sheets: int = 50
    max_files: int = 200


@dataclass(frozen=True)
class ReadingOptions:
    """How to read.

    header: `first_row` takes names from the first row that is not blank; `none` names the columns c1, c2, …
    and keeps every row as data (a Parquet file always keeps its own names). sheet: the workbook sheet by
    name; None takes the only sheet that holds data, and if several do, the first that is not hidden.
    expected_columns: names that a header should have. With `first_row`, a row is a header for them if it has at
    least half of them, upper and lower case and blanks around them ignored. Where the first row is none and one of
    the first 30 is, that one is the header and what stands above it is not data; of several sheets the first that
    has such a row is read; and a separator that is not common is recognised by them.
    """

    header: Literal["first_row", "none"] = "first_row"
    sheet: str | None = None
    expected_columns: tuple[str, ...] = ()


DEFAULT_LIMITS: Final = ReadingLimits()
DEFAULT_OPTIONS: Final = ReadingOptions()


class UnreadableDelivery(Exception):
    """A delivery that cannot be read: what is wrong, where, and what to do about it, in plain words."""

    def __init__(self, rule_id: str, file: str, line: int | None, message: str, how_to_fix: str) -> None:
        super().__init__(rule_id, file, line, message, how_to_fix)
        self.rule_id = rule_id
        self.file = file
        self.line = line
        self.message = message
        self.how_to_fix = how_to_fix

    def __str__(self) -> str:
        place = f"{self.file}, line {self.line}" if self.line is not None else self.file
        return f"{place}: {self.message} {self.how_to_fix}" if place else f"{self.message} {self.how_to_fix}"


@dataclass(frozen=True)
class Beside:
    """Cells of a file that are not read as data, but are delivered: those above the header, of other sheets, of pivots.

    place: where they stand, in words. table: all String, no more than 10,000 rows. They matter to whoever keeps the bytes.
    """

    file: str
    place: str
    table: pl.DataFrame


@dataclass(frozen=True)
class Delivered:
    """A delivery as text.

    table: delivered_row (Int64, 1.. over all files), delivered_file (String), delivered_line (Int64, physical
    line or sheet row, from 1), then the source columns, all String, blank cells null. columns: the source
    columns in order, united over the files. formats: one of csv, xlsx, xls, parquet for each file. notes: what was
    recognised, a sentence a fact, where it is not the plain case (UTF-8, commas, header in the first row, one sheet).
    lines_above_header: lines or rows with a value that stand above headers and are not data, over all files.
    """

    table: pl.DataFrame
    columns: tuple[str, ...]
    formats: tuple[str, ...]
    notes: tuple[str, ...] = ()
    lines_above_header: int = 0
    beside: tuple[Beside, ...] = ()


@dataclass(frozen=True)
class _Grid:
    """Cells as text in anonymous columns, the physical line of each row, names where the format has them.

    notes: sentences without the file's name. above: the rows above the header, which frame does not have.
    """

    frame: pl.DataFrame
    lines: _Offsets
    names: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()
    above: pl.DataFrame | None = None
    beside: tuple[tuple[str, pl.DataFrame], ...] = ()


def read_delivery(
    files: Sequence[DeliveredFile],
    options: ReadingOptions = DEFAULT_OPTIONS,
    limits: ReadingLimits = DEFAULT_LIMITS,
) -> Delivered:
    """Read all files of one delivery into one table of text.

    The format of a file is told from its content, never from its name. Rows without any value are left out;
    they count in line numbers. Columns are united by name over the files, missing cells are null. Cells of
    text formats are kept exactly, leading zeros and surrounding spaces included (where two and more blanks
    separate fields, blanks at the edges of lines do not count). In workbooks a number is
    written as briefly as possible (`7`, not `7.0`, at most nine decimals), a date as `2024-03-01`, an error
    cell as `#N/A` or its like, a formula as the value stored with it; columns left of the first used one do
    not count.

    Raises UnreadableDelivery with a rule id from READING_RULES.
    """
    if not files:
        _refuse("READ-EMPTY", "", "The delivery holds no file.", "Send at least one file.")
    if len(files) > limits.max_files:
        _refuse(
            "READ-FILES",
            files[0].name,
            f"The delivery holds {len(files):,} files; at most {limits.max_files:,} are accepted.",
            "Combine files, or send them in several deliveries.",
        )
    total = sum(len(file.content) for file in files)
    if total > limits.max_bytes:
        largest = max(files, key=lambda file: len(file.content))
        _refuse(
            "READ-TOO-LARGE",
            largest.name,
            f"The delivery is {_size(total)}; at most {_size(limits.max_bytes)} is accepted.",
            "Send aggregated rows only, or split the delivery.",
        )

    tables: list[pl.DataFrame] = []
    formats: list[str] = []
    notes: list[str] = []
    beside: list[Beside] = []
    lines_above = 0
    rows_left, expansion_left = limits.max_rows, limits.max_expanded_bytes
    for file in files:
        kind = _detect_format(file)
        if kind == "csv":
            grid = _read_text(file, options, limits, rows_left)
        else:
            expanded = _measure_workbook(file, limits, expansion_left) if kind == "xlsx" else len(file.content)
            grid = _skip_to_header(file, _read_in_child(file, kind, options, limits, expanded), options)
            expansion_left -= expanded
        table = _name_columns(file, grid, options, limits, rows_left)
        rows_left -= table.height
        tables.append(table)
        formats.append(kind)
        shown_name = _shown(file.name, 120)
        notes += [f"{shown_name}{note}" for note in (*_format_note(file, kind), *grid.notes)]
        if grid.above is not None:
            lines_above += grid.above.height
            beside.append(Beside(shown_name, "above the table", grid.above))
        beside += [Beside(shown_name, place, cells) for place, cells in grid.beside]
        if kind == "xlsx":
            beside += [Beside(shown_name, "behind a pivot table", cells) for cells in _pivot_caches(file)]

    table = _unite(files, tables, limits)
    if table.height == 0:
        _refuse(
            "READ-NO-ROWS",
            files[0].name,
            "There are column names and no row of data below them.",
            "Check that the export ran and that it holds the school year you meant to send.",
        )
    columns = tuple(name for name in table.columns if name not in RESERVED_COLUMNS)
    return Delivered(table, columns, tuple(formats), tuple(notes), lines_above, tuple(beside))


# --- words for people ---


def _refuse(rule_id: str, name: str, message: str, how_to_fix: str, line: int | None = None) -> NoReturn:
    raise UnreadableDelivery(rule_id, _shown(name, 120), line, message, how_to_fix)


def _shown(text: str, length: int) -> str:
    """Text from outside made safe to print: no control or direction-changing characters, at most `length`."""
    clean = "".join(character for character in text if character.isprintable())
    return clean if len(clean) <= length else clean[: length - 1] + "…"


def _listed(names: Sequence[str], most: int = 10) -> str:
    """Quoted names, comma separated, no more than `most` of them."""
    listed = ", ".join(f"“{_shown(name, 60)}”" for name in names[:most])
    return listed if len(names) <= most else f"{listed} and {len(names) - most:,} more"


def _size(count: int) -> str:
    return f"{count / MIB:,.1f} MB" if count >= MIB else f"{count:,} bytes"


_ENDINGS: Final = {
    "csv": ("text with separated fields", {"csv", "psv", "tab", "tsv", "txt"}),
    "xlsx": ("a workbook (xlsx)", {"xlsm", "xlsx"}),
    "xls": ("an old workbook (xls)", {"xls"}),
    "parquet": ("a Parquet file", {"parquet", "pq"}),
}


def _ending(name: str) -> str:
    return name.rpartition(".")[2].strip().lower()


def _format_note(file: DeliveredFile, kind: str) -> tuple[str, ...]:
    """A note where a name ends like that of a format which the file does not have."""
    what, endings = _ENDINGS[kind]
    others = set().union(*(ends for _, ends in _ENDINGS.values())) - endings
    return (f" is in truth {what}.",) if _ending(file.name) in others else ()


# --- telling formats apart ---

_ARCHIVES: Final = {
    b"PK\x05\x06": "zip",
    b"PK\x07\x08": "zip",
    b"\x1f\x8b": "gzip",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "rar",
    b"\xfd7zXZ\x00": "xz",
    b"BZh91AY&SY": "bzip2",
    b"\x28\xb5\x2f\xfd": "zstd",
}
_IMAGES: Final = {
    b"\x89PNG\r\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"II*\x00": "TIFF",
    b"MM\x00*": "TIFF",
}
_MARKUP: Final = re.compile(rb"\s*<(?:!doctype|!--|\?xml|html|head|body|table|meta|style|script)[\s>-]", re.IGNORECASE)
_PLAIN_START: Final = re.compile(rb"[^\x00-\x08\x0e-\x1f]{5}")
"""Text as it begins: `PARENT_GROUP` is a column, while in a Parquet file a length follows on its first four letters."""
_OLE2: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BIFF_START: Final = re.compile(rb"\x09\x08\x10\x00\x00\x06\x05\x00.{12}(?:\x86\x00\x00\x00)?\x2f\x00", re.DOTALL)


def _detect_format(file: DeliveredFile) -> str:
    """csv, xlsx, xls or parquet by content; everything else is refused."""
    content = file.content
    if not content:
        _refuse("READ-EMPTY", file.name, "The file is empty (0 bytes).", "Export it again and send it again.")
    if content.startswith(b"PK\x03\x04"):
        return _detect_zip(file)
    if content.startswith(_OLE2):
        return _detect_ole2(file)
    if content.startswith((b"PAR1", b"PARE")) and not _PLAIN_START.match(content):
        return _detect_parquet(file)
    _refuse_other_formats(file)
    return "csv"


def _detect_parquet(file: DeliveredFile) -> str:
    content = file.content
    if content.startswith(b"PARE") or content.endswith(b"PARE"):
        _refuse("READ-PASSWORD", file.name, "The Parquet file is encrypted.", "Send it without encryption.")
    if len(content) < 12 or not content.endswith(b"PAR1"):
        _refuse_damaged(file.name, "The Parquet file stops before its end.")
    return "parquet"


def _refuse_other_formats(file: DeliveredFile) -> None:
    content = file.content
    for magic, what in _ARCHIVES.items():
        if content.startswith(magic):
            _refuse_archive(file.name, what)
    if content[257:262] == b"ustar":
        _refuse_archive(file.name, "tar")
    for magic, what in _IMAGES.items():
        if content.startswith(magic):
            _refuse(
                "READ-IMAGE",
                file.name,
                f"This is a picture ({what}), not a table.",
                "Send the table itself as CSV, Excel workbook or Parquet.",
            )
    if content.startswith(b"%PDF-"):
        _refuse(
            "READ-PDF",
            file.name,
            "This is a PDF document, not a table.",
            "Send the table that the document was made from as CSV, Excel workbook or Parquet.",
        )
    if _MARKUP.match(content[:1024].removeprefix(b"\xef\xbb\xbf")):
        _refuse(
            "READ-MARKUP",
            file.name,
            "This is a web page or an XML document, even if it is named like a workbook.",
            "Open it in Excel and save it as “Excel Workbook (.xlsx)” or “CSV UTF-8”.",
        )


def _refuse_archive(name: str, what: str) -> NoReturn:
    _refuse(
        "READ-ARCHIVE",
        name,
        f"This is an archive ({what}), not a table.",
        "Unpack it and send the files inside it.",
    )


def _refuse_damaged(name: str, message: str) -> NoReturn:
    _refuse(
        "READ-TRUNCATED",
        name,
        message,
        "Open it to see whether it is whole, save it again and send it again.",
    )


def _refuse_kind(name: str, what: str) -> NoReturn:
    how_to_fix = "Save the table as “Excel Workbook (.xlsx)” or CSV."
    _refuse("READ-WORKBOOK-KIND", name, f"This is {what}.", how_to_fix)


def _detect_zip(file: DeliveredFile) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(file.content)) as archive:
            names = archive.namelist()
            mimetype = archive.read("mimetype")[:100] if _is_small(archive, "mimetype") else b""
    except _ZIP_ERRORS:
        _refuse_damaged(file.name, "The file begins like an Excel workbook and is damaged or incomplete.")
    if any(re.fullmatch(r"xl/workbook\d*\.xml", name) for name in names):
        return "xlsx"
    if "xl/workbook.bin" in names:
        _refuse_kind(file.name, "a binary Excel workbook (.xlsb)")
    if b"opendocument" in mimetype:
        _refuse_kind(file.name, "an OpenDocument file")
    if "[Content_Types].xml" in names:
        _refuse_kind(file.name, "an office document without a workbook in it")
    _refuse_archive(file.name, "zip")


def _is_small(archive: zipfile.ZipFile, name: str) -> bool:
    info = archive.NameToInfo.get(name)
    return info is not None and info.file_size <= 1_000 and not info.flag_bits & 1


def _detect_ole2(file: DeliveredFile) -> str:
    """xls, unless the container is encrypted, cut short, or no workbook (layout: [MS-CFB] and [MS-XLS])."""
    content = file.content
    if "EncryptedPackage\0\0".encode("utf-16-le") in content or _BIFF_START.search(content):
        _refuse(
            "READ-PASSWORD",
            file.name,
            "The workbook is protected by a password.",
            "Remove the password (File, Info, Protect Workbook) and send it again.",
        )
    sector_size = 1 << min(int.from_bytes(content[30:32], "little"), 20)
    directory_end = (int.from_bytes(content[48:52], "little") + 2) * sector_size
    if len(content) < 512 or directory_end > len(content) + sector_size - 1:
        _refuse_damaged(file.name, "The file begins like an old Excel workbook (.xls) and is incomplete.")
    if not any(name.encode("utf-16-le") in content for name in ("Workbook", "WORKBOOK", "Book", "BOOK")):
        _refuse_kind(file.name, "an office document without a workbook in it")
    return "xls"


# --- text ---

_DELIMITERS: Final = (b",", b";", b"\t", b"|")
_READ_DELIMITERS: Final = "commas, semicolons, tabs or vertical bars (|)"
_QUOTE, _LF, _CR = 34, 10, 13
_SEPARATOR_LINE: Final = re.compile(rb'"?sep=([,;|\t^~:!#])"?[ \t]*(?:\r\n|\n|\r)', re.IGNORECASE)
_QUOTED_SOMEWHERE: Final = re.compile(rb'(?<![^,;\t|\r\n])"[^"]*+(?:""[^"]*+)*+"')
_FREE_CONTROL_BYTES: Final = (*range(1, 9), *range(14, 32))
_SPREAD_CELLS, _SPREAD_FACTOR = 50_000_000, 20
_HEADER_ROWS: Final = 30


@dataclass(frozen=True)
class _Separator:
    """What stands between fields: in words, and as one byte or as a pattern for which one byte is put in."""

    words: str
    byte: bytes = b""
    pattern: bytes = b""


_BLANKS: Final = rb" {2,}"
_COMMON: Final = (
    _Separator("commas", b","),
    _Separator("semicolons", b";"),
    _Separator("tabs", b"\t"),
    _Separator("vertical bars (|)", b"|"),
)
_UNCOMMON: Final = (
    _Separator("carets (^)", b"^"),
    _Separator("tildes (~)", b"~"),
    _Separator("colons (:)", b":"),
    _Separator("exclamation marks (!)", b"!"),
    _Separator("number signs (#)", b"#"),
    _Separator("control characters (01)", b"\x01"),
    _Separator("control characters (1F)", b"\x1f"),
    _Separator("two or more blanks", pattern=_BLANKS),
)
_DOUBLE_BAR: Final = _Separator("double vertical bars (||)", pattern=rb"\|\|")
_BY_BYTE: Final = {separator.byte: separator for separator in (*_COMMON, *_UNCOMMON) if separator.byte}
_EDGE_BLANKS: Final = re.compile(rb"(?:\A|(?<=[\r\n])) +|(?<! ) ++(?=[\r\n]|\Z)")


def _read_text(file: DeliveredFile, options: ReadingOptions, limits: ReadingLimits, rows_left: int) -> _Grid:
    data, character_set = _as_utf8(file)
    data = data.rstrip(b"\x1a")
    if not data or data.isspace():
        _refuse("READ-EMPTY", file.name, "The file holds nothing but blank lines.", "Export it and send it again.")
    data, separator, lines_above = _take_separator(file, data, options)
    delimiter = separator.byte
    stray: int | None = None
    if b'"' in data and not _quotes_are_regular(np.frombuffer(data, np.uint8), delimiter):
        data, stray = _set_stray_quotes_aside(file, data, delimiter, lines_above)
    layout = _locate_records(data, delimiter)
    first, above = _find_table(file, layout, delimiter, options, lines_above)
    width = _table_width(file, layout, first, delimiter, options, limits, rows_left, lines_above)

    frame = _parse_records(layout.text[int(layout.starts[first]) :], delimiter, width)
    if frame is None or frame.height != len(layout.lines) - first:
        _refuse(
            "READ-PARSE",
            file.name,
            "The lines of this file cannot be told apart with certainty.",
            "Save it as “CSV UTF-8” or as an Excel workbook in a spreadsheet program and send that.",
        )
    if stray is not None:
        frame = frame.with_columns(pl.all().str.replace_all(chr(stray), '"', literal=True))
    lines = layout.lines[first:] + lines_above
    notes = _text_notes(file, character_set, separator if width > 1 else None)
    if above is not None:
        notes.append(_header_note("line", int(lines[0]), above.height))
    return _Grid(frame, lines, notes=tuple(notes), above=above)


def _take_separator(file: DeliveredFile, data: bytes, options: ReadingOptions) -> tuple[bytes, _Separator, int]:
    """The text below a line that only says what separates fields, a separator of one byte, and how many lines were taken."""
    if separator_line := _SEPARATOR_LINE.match(data):
        data = data[separator_line.end() :]
        if not data or data.isspace():
            _refuse("READ-EMPTY", file.name, "The file holds no table.", "Export it and send it again.")
        return data, _BY_BYTE[separator_line[1]], 1
    separator = _detect_separator(file, data, options)
    if separator.pattern:
        delimiter = bytes([_free_byte(file, data)])
        data = _with_single_bytes(data, separator, delimiter)
        separator = replace(separator, byte=delimiter)
    return data, separator, 0


def _table_width(
    file: DeliveredFile,
    layout: _Layout,
    first: int,
    delimiter: bytes,
    options: ReadingOptions,
    limits: ReadingLimits,
    rows_left: int,
    lines_above: int,
) -> int:
    """The number of fields of the table's records, once it is within limits."""
    filled = np.flatnonzero(~layout.blank)
    filled = filled[filled >= first]
    if len(filled) > rows_left + (options.header == "first_row"):
        _refuse_rows(file.name, len(filled), limits)
    if options.header == "first_row":
        width = int(layout.widths[first])
        _require_width(file, layout, first, width, delimiter, lines_above)
    else:
        width = int(layout.widths[filled].max())
    if width > limits.max_columns:
        _refuse_columns(file.name, width, limits, int(layout.lines[filled][layout.widths[filled] == width][0]))
    _refuse_spread(file.name, len(layout.lines) * width, int(layout.widths.sum()))
    return width


def _text_notes(file: DeliveredFile, character_set: str, separator: _Separator | None) -> list[str]:
    """Notes on a character set that is not UTF-8, and on a separator that the name does not say."""
    notes = []
    if character_set == "Windows-1252":
        notes.append(" is read as Windows-1252 text; save it as UTF-8 to be sure that accents arrive.")
    elif character_set != "UTF-8":
        notes.append(f" is read as {character_set} text.")
    usual = b"\t" if _ending(file.name) in ("tab", "tsv") else b","
    if separator is not None and separator.byte != usual:
        notes.append(f" separates its fields with {separator.words}.")
    return notes


def _find_table(
    file: DeliveredFile, layout: _Layout, delimiter: bytes, options: ReadingOptions, lines_above: int
) -> tuple[int, pl.DataFrame | None]:
    """The first record of the table, and the records with a value above it where it is not the first of all."""
    first = int(np.flatnonzero(~layout.blank)[0])
    if options.header == "none" or not options.expected_columns:
        return first, None
    last = min(first + _HEADER_ROWS, len(layout.lines))
    end = int(layout.starts[last]) if last < len(layout.lines) else len(layout.text)
    head = _parse_records(layout.text[int(layout.starts[first]) : end], delimiter, int(layout.widths[first:last].max()))
    if head is None or head.height != last - first:
        return first, None
    header = _find_header(file, head, layout.lines[first:last] + lines_above, options, "csv")
    return (first, None) if header is None else (first + header, _with_values(head[:header]))


def _find_header(file: DeliveredFile, head: pl.DataFrame, lines: _Offsets, options: ReadingOptions, kind: str) -> int | None:
    """The position in `head` of a header for the expected columns; None where the first row is it, or no row is."""
    rows = [(position, row) for position, row in enumerate(head.rows()) if _has_value(row)]
    found = _header_row([row for _, row in rows], options.expected_columns)
    if found is None:
        for position, row in rows:
            _refuse_names_in_one_cell(file, row, int(lines[position]), options, kind)
    return rows[found][0] if found is not None and found > 0 else None


def _header_row(rows: Sequence[Sequence[str | None]], expected: Sequence[str]) -> int | None:
    """The first row if it has half of the expected names, else the row with the most if it has half of them."""
    wanted = {_clean_name(name).lower() for name in expected}
    counts = [len(wanted.intersection(_clean_name(cell).lower() for cell in row if cell)) for row in rows]
    most = max(counts, default=0)
    if 2 * most < len(wanted):
        return None
    return 0 if 2 * counts[0] >= len(wanted) else counts.index(most)


def _has_value(row: Sequence[str | None]) -> bool:
    return any(cell is not None and cell.strip() for cell in row)


def _with_values(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows that hold a value."""
    return frame.filter(pl.any_horizontal(pl.all().str.strip_chars() != ""))


def _header_note(what: str, number: int, above: int) -> str:
    if above == 1:
        others = f"the {what} above them is"
    elif above == number - 1:
        others = f"the {above} {what}s above them are"
    else:
        others = f"{above} {what}s with text above them are"
    return f": the column names stand in {what} {number}; {others} not read."


def _refuse_names_in_one_cell(
    file: DeliveredFile, row: Sequence[str | None], line: int, options: ReadingOptions, kind: str
) -> None:
    values = [cell for cell in row if cell is not None and cell.strip()]
    expected = {_clean_name(name).lower() for name in options.expected_columns}
    if len(values) != 1 or len(expected) < 2:
        return
    text = values[0].lower()
    count = sum(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None for name in expected)
    if count < 2 or 2 * count < len(expected):
        return
    if kind == "csv":
        _refuse(
            "READ-SEPARATOR",
            file.name,
            f"Line {line} holds {count} column names in one single field. Fields may be separated by {_READ_DELIMITERS}.",
            "Separate the fields by one of these, and put quotes around single fields, never around a whole line.",
            line,
        )
    _refuse(
        "READ-SEPARATOR",
        file.name,
        f"Row {line} holds {count} column names in one single cell.",
        "Split the column into cells (in Excel: Data, Text to Columns), or send the text that was put into the workbook.",
        line,
    )


def _as_utf8(file: DeliveredFile) -> tuple[bytes, str]:
    """The text as UTF-8 without a byte order mark, and what it came from: UTF-8, UTF-16 or Windows-1252."""
    content, character_set = file.content, "UTF-8"
    if content.startswith(b"\xef\xbb\xbf"):
        content = content[3:]
    elif encoding := _utf16_variant(content):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError as error:
            if error.reason == "truncated data":
                _refuse_damaged(file.name, "The text (UTF-16) stops in the middle of a character.")
            _refuse_encoding(file.name, "The text looks like UTF-16 and is not.", None)
        content, character_set = text.removeprefix("\ufeff").encode(), "UTF-16"
    if b"\x00" in content:
        _refuse_binary(file.name)
    if content.isascii():
        _refuse_control_bytes(file.name, content)
        return content, character_set
    try:
        content.decode("utf-8")
        return content, character_set
    except UnicodeDecodeError as error:
        first_bad = error.start
    _refuse_control_bytes(file.name, content)
    line = _line_of(content, first_bad)
    # Windows-1252 text rarely forms whole UTF-8 characters by chance: where they are the majority, the text
    # is damaged UTF-8, and reading it as Windows-1252 would garble every accented name.
    intact = content.decode("utf-8", "ignore")
    damaged = len(content) - len(intact.encode())
    whole = len(intact) - len(intact.encode("ascii", "ignore"))
    if whole > damaged:
        _refuse_encoding(file.name, "The text is UTF-8 except for a few damaged characters.", line)
    try:
        return content.decode("cp1252").encode(), "Windows-1252"
    except UnicodeDecodeError as error:
        line = _line_of(content, error.start)
        _refuse_encoding(file.name, "The text is neither UTF-8, UTF-16 nor Windows-1252.", line)


def _utf16_variant(content: bytes) -> str | None:
    """The UTF-16 byte order that a mark, or NUL bytes in every other place, make evident."""
    if content.startswith(b"\xff\xfe"):
        return "utf-16-le"
    if content.startswith(b"\xfe\xff"):
        return "utf-16-be"
    sample = content[: 64 * 1024]
    if b"\x00" not in sample or len(sample) < 4:
        return None
    even, odd = sample[0::2].count(0) / len(sample[0::2]), sample[1::2].count(0) / len(sample[1::2])
    if odd > 0.5 and even < 0.05:
        return "utf-16-le"
    if even > 0.5 and odd < 0.05:
        return "utf-16-be"
    return None


def _refuse_binary(name: str) -> NoReturn:
    _refuse(
        "READ-BINARY",
        name,
        "The content is neither text nor a format that is read here.",
        "Send the table as CSV, Excel workbook (.xlsx, .xls) or Parquet.",
    )


def _refuse_control_bytes(name: str, content: bytes) -> None:
    sample = content[: 64 * 1024]
    if len(sample.translate(None, bytes({*_FREE_CONTROL_BYTES} - {ord(byte) for byte in _BY_BYTE}))) < 0.98 * len(sample):
        _refuse_binary(name)


def _refuse_encoding(name: str, message: str, line: int | None) -> NoReturn:
    _refuse("READ-ENCODING", name, message, "Save it as “CSV UTF-8” and send it again.", line)


def _line_of(data: bytes, position: int) -> int:
    """The physical line, from 1, that holds a byte position; lines end with LF, CR LF or CR alone."""
    lone_returns = data.count(b"\r", 0, position) - data.count(b"\r\n", 0, position)
    return 1 + data.count(b"\n", 0, position) + lone_returns


def _detect_separator(file: DeliveredFile, data: bytes, options: ReadingOptions) -> _Separator:
    """The separator under which a row is a header for the expected columns; where there is none, the likeliest common one."""
    lines = _sample_lines(data)
    likely = _BY_BYTE[_detect_delimiter(lines, options)]
    if options.header == "none" or not options.expected_columns:
        return likely
    sample = data[:MIB]
    for separators in ((*_COMMON, _DOUBLE_BAR), _UNCOMMON):
        fits = {separator: fit for separator in separators if (fit := _header_fit(file, sample, separator, options))}
        if fits:
            return max(fits, key=fits.__getitem__)
    if len(options.expected_columns) > 1 and len(lines) > 1 and not any(map(lines[0].count, _DELIMITERS)):
        for separator in _UNCOMMON:
            pattern = re.compile(separator.pattern or re.escape(separator.byte))
            counts = {len(pattern.findall(line.strip(b" "))) for line in lines}
            if len(counts) == 1 and counts != {0}:
                _refuse(
                    "READ-SEPARATOR",
                    file.name,
                    f"The fields seem to be separated by {separator.words}, and the column names are not those expected. "
                    f"Fields may be separated by {_READ_DELIMITERS}.",
                    "Save it as “CSV UTF-8” and send it again.",
                )
    return likely


def _header_fit(file: DeliveredFile, sample: bytes, separator: _Separator, options: ReadingOptions) -> tuple[int, int] | None:
    """How well a row is a header under this separator: expected names in it, and fewer other cells; None if none is."""
    delimiter = separator.byte or bytes([_free_byte(file, sample)])
    text = _with_single_bytes(sample, separator, delimiter) if separator.pattern else sample
    rows: list[list[str]] = []
    reader = csv.reader(io.StringIO(text.decode("utf-8", "replace"), newline=""), delimiter=delimiter.decode())
    with contextlib.suppress(csv.Error):  # a field longer than that module takes ends the search, not the reading
        rows.extend(itertools.islice(filter(_has_value, reader), _HEADER_ROWS))
    header = _header_row(rows, options.expected_columns)
    if header is None:
        return None
    names = {_clean_name(cell).lower() for cell in rows[header]}
    matched = len(names.intersection(_clean_name(name).lower() for name in options.expected_columns))
    return matched, matched - len(rows[header])


def _with_single_bytes(data: bytes, separator: _Separator, delimiter: bytes) -> bytes:
    """The text with one byte in place of a separator of several characters, quoted fields left as they are."""
    if separator.pattern == _BLANKS:
        data = _EDGE_BLANKS.sub(b"", data)
    if b'"' not in data:
        return re.sub(separator.pattern, delimiter, data)
    return re.sub(
        rb'"[^"]*+(?:""[^"]*+)*+"|(' + separator.pattern + b")",
        lambda match: delimiter if match[1] else match[0],
        data,
    )


def _free_byte(file: DeliveredFile, data: bytes) -> int:
    """A control character that the text does not use."""
    substitute: int | None = next((byte for byte in _FREE_CONTROL_BYTES if byte not in data), None)
    if substitute is None:
        _refuse_binary(file.name)
    return substitute


def _sample_lines(data: bytes) -> list[bytes]:
    """The first lines that are not blank, without what stands in quotes."""
    sample = _QUOTED_SOMEWHERE.sub(b"", data[:MIB])
    return [line for line in sample.splitlines() if line.strip(b" ")][:200]


def _detect_delimiter(lines: Sequence[bytes], options: ReadingOptions) -> bytes:
    """With a header, the delimiter most frequent in it outside quotes; without one, the most regular one."""
    if not lines:
        return b","
    if options.header == "first_row":
        return max(_DELIMITERS, key=lines[0].count)

    def lines_alike(delimiter: bytes) -> int:
        counts = [line.count(delimiter) for line in lines]
        return max((counts.count(count) for count in set(counts) if count), default=0)

    # A decimal comma is as regular as a semicolon, so the comma comes last, unless nothing is found at all.
    best = max((b"\t", b";", b"|", b","), key=lines_alike)
    return best if lines_alike(best) else b","


def _quotes_are_regular(buffer: _Bytes, delimiter: bytes) -> bool:
    """True if every opening quote begins a field and every closing one ends it (doubled quotes included)."""
    quotes = np.flatnonzero(buffer == _QUOTE)
    if len(quotes) % 2:
        return False
    neighbour = np.zeros(256, bool)
    neighbour[[_QUOTE, _LF, _CR, delimiter[0]]] = True
    opening, closing = quotes[0::2], quotes[1::2]
    before = neighbour[buffer[np.maximum(opening - 1, 0)]] | (opening == 0)
    after = neighbour[buffer[np.minimum(closing + 1, len(buffer) - 1)]] | (closing == len(buffer) - 1)
    return bool(before.all() and after.all())


def _set_stray_quotes_aside(file: DeliveredFile, data: bytes, delimiter: bytes, lines_above: int) -> tuple[bytes, int]:
    """Replace quotes inside unquoted fields (5" pipe) by a byte that the text does not use; return both.

    A quote opens a field only where the field begins, as in Python's csv module. One that is not closed, or
    whose closing quote is followed by more text, is refused: where the field ends is then a guess.
    """
    substitute = _free_byte(file, data)
    edge = rb"[^" + re.escape(delimiter) + rb"\r\n]"
    token = re.compile(rb"(?<!" + edge + rb')"[^"]*+(?:""[^"]*+)*+"(?!' + edge + rb')|"')
    boundaries = (b"\n", b"\r", delimiter)

    def keep_or_replace(match: re.Match[bytes]) -> bytes:
        if len(match[0]) > 1:
            return match[0]
        position = match.start()
        if position and data[position - 1 : position] not in boundaries:
            return bytes([substitute])
        body = re.compile(rb'"[^"]*+(?:""[^"]*+)*+').match(data, position)
        end = body.end() if body else len(data)
        line = _line_of(data, position) + lines_above
        if end >= len(data):
            message = f"The quotation mark that opens a field on line {line} is never closed."
        else:
            other = _line_of(data, end) + lines_above
            message = f"The quoted field that begins on line {line} goes on after its closing quote (line {other})."
        _refuse(
            "READ-QUOTES",
            file.name,
            message,
            'Close the quote, and write a quotation mark inside a quoted field twice ("").',
            line,
        )

    return token.sub(keep_or_replace, data), substitute


@dataclass(frozen=True)
class _Layout:
    """Where the records of a text are: byte offset, physical line (from 1), field count, whether blank."""

    text: bytes
    starts: _Offsets
    lines: _Offsets
    widths: _Offsets
    blank: npt.NDArray[np.bool_]


def _locate_records(data: bytes, delimiter: bytes) -> _Layout:
    """Find records and count their fields; quotes must be regular. O(bytes), without a loop over rows.

    In the text of the result every record ends in LF or CR LF.
    """
    buffer = np.frombuffer(data, np.uint8)
    quoted = np.bitwise_xor.accumulate((buffer == _QUOTE).view(np.uint8)) if b'"' in data else None
    line_ends = buffer == _LF
    if b"\r" in data:
        returns = np.flatnonzero(buffer == _CR)
        lone = returns[buffer[np.minimum(returns + 1, len(buffer) - 1)] != _LF]
        line_ends[lone] = True
        if len(lone):
            outside = lone if quoted is None else lone[quoted[lone] == 0]
            buffer = buffer.copy()
            buffer[outside] = _LF
            data = buffer.tobytes()
    ends = np.flatnonzero(line_ends)
    if not len(ends) or ends[-1] != len(buffer) - 1:
        ends = np.append(ends, len(buffer))
        data += b"\n"
    delimiters = buffer == delimiter[0]
    closing = np.arange(len(ends))
    if quoted is not None:
        delimiters &= quoted == 0
        inside = np.zeros(len(ends), bool)
        inner = ends < len(buffer)
        inside[inner] = quoted[ends[inner]] != 0
        closing = np.flatnonzero(~inside)
    ends = ends[closing]
    starts = np.concatenate(([0], ends[:-1] + 1))
    lines = np.concatenate(([1], closing[:-1] + 2))
    bounds = np.searchsorted(np.flatnonzero(delimiters), np.append(starts, len(buffer)))
    widths = np.diff(bounds) + 1

    blank = ends == starts
    narrow = np.flatnonzero(~blank & (widths == 1))
    if len(narrow):
        ink = np.append(~np.isin(buffer, np.frombuffer(b" \t\r\n\v\f", np.uint8)), False)
        spans = np.column_stack((starts[narrow], ends[narrow])).ravel()
        blank[narrow] = ~np.logical_or.reduceat(ink, spans)[0::2]
    return _Layout(data, starts, lines, widths, blank)


def _require_width(file: DeliveredFile, layout: _Layout, header: int, width: int, delimiter: bytes, lines_above: int) -> None:
    wrong = header + np.flatnonzero(~layout.blank[header:] & (layout.widths[header:] != width))
    if not len(wrong):
        return
    first = int(wrong[0])
    line, found = int(layout.lines[first]) + lines_above, int(layout.widths[first])
    others = f" {len(wrong):,} lines are like that." if len(wrong) > 1 else " No other line is like that."
    text = layout.text[int(layout.starts[first]) : int(layout.starts[first + 1]) if first + 1 < len(layout.starts) else None]
    if width > 1 and found == 1:
        for other in _COMMON:
            if other.byte != delimiter and text.count(other.byte) == width - 1:
                others += f" Line {line} separates its fields with {other.words}, the header does not."
    _refuse(
        "READ-ROW-WIDTH",
        file.name,
        f"Line {line} has {_fields(found)} and the header has {width:,}.{others}",
        "Put quotes around values that contain the delimiter, and remove titles above the header and notes "
        "below the table, or use a mapping that reads the file without a header.",
        line,
    )


def _fields(count: int) -> str:
    return "1 field" if count == 1 else f"{count:,} fields"


def _refuse_rows(name: str, count: int, limits: ReadingLimits) -> NoReturn:
    _refuse(
        "READ-ROWS",
        name,
        f"With this file's {count:,} rows the delivery has more than the {limits.max_rows:,} rows accepted.",
        "Send aggregated rows only, or split the delivery.",
    )


def _refuse_columns(name: str, count: int, limits: ReadingLimits, line: int | None = None) -> NoReturn:
    _refuse(
        "READ-COLUMNS",
        name,
        f"There are {count:,} columns; at most {limits.max_columns:,} are accepted.",
        "Send one row for each group instead of one column, or leave out columns that are not asked for.",
        line,
    )


def _refuse_spread(name: str, cells: int, delivered: int) -> None:
    """Refuse a table that padding would blow up: many rows times the width of a few."""
    if cells > _SPREAD_CELLS and cells > _SPREAD_FACTOR * delivered:
        _refuse(
            "READ-SHAPE",
            name,
            f"The table would have {cells:,} cells, and only {delivered:,} were delivered.",
            "Look for a line with far more delimiters than the others, or send unlike files separately.",
        )


def _parse_records(text: bytes, delimiter: bytes, width: int) -> pl.DataFrame | None:
    """Split records into `width` text columns, short ones padded with null; None if the parser cannot."""
    names = delimiter.join(b"c%d" % number for number in range(1, width + 1))
    try:
        return pl.read_csv(
            b"".join((names, b"\n", text)),
            separator=delimiter.decode(),
            quote_char='"',
            infer_schema=False,
        )
    except pl.exceptions.PolarsError:
        return None


# --- workbooks and Parquet ---

_ZIP_ERRORS: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    NotImplementedError,
    EOFError,
    OSError,
    ValueError,
)
_MAX_MEMBERS: Final = 10_000
_RATIO_COUNTS_FROM: Final = MIB
_CHUNK: Final = MIB
_CHILD_SECONDS = 60.0
_CHILD_BYTES: Final = 2 * GIB
_BESIDE_ROWS: Final = 10_000


def _measure_workbook(file: DeliveredFile, limits: ReadingLimits, expansion_left: int) -> int:
    """Unpack every member of an xlsx file without keeping it, counting bytes; return the sum.

    First what the directory declares is held against the limits, then what really comes out. Ratios count
    only for members that unpack to more than 1 MiB. A document type declaration is refused: no workbook needs
    one.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(file.content)) as archive:
            members = archive.infolist()
            if len(members) > _MAX_MEMBERS:
                _refuse_expansion(file.name, f"It consists of {len(members):,} parts.")
            if any(member.flag_bits & 1 for member in members):
                _refuse("READ-PASSWORD", file.name, "The workbook is encrypted.", "Send it without a password.")
            if any(member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for member in members):
                _refuse_damaged(file.name, "The workbook is packed in a way that no spreadsheet program uses.")
            if sum(member.file_size for member in members) > expansion_left:
                _refuse_expansion(file.name, f"It unpacks to more than {_size(limits.max_expanded_bytes)}.")
            for member in members:
                if _is_suspicious(member.file_size, member.compress_size, limits):
                    _refuse_expansion(file.name, "One of its parts unpacks to a multiple of its size.")
            return sum(_measure_member(file, archive, member, limits, expansion_left) for member in members)
    except _ZIP_ERRORS:
        _refuse_damaged(file.name, "The Excel workbook is damaged or incomplete.")


def _measure_member(
    file: DeliveredFile,
    archive: zipfile.ZipFile,
    member: zipfile.ZipInfo,
    limits: ReadingLimits,
    expansion_left: int,
) -> int:
    declared, member.file_size = (
        member.file_size,
        expansion_left + 1,
    )  # read on past a declared size that lies
    seen, tail = 0, b""
    with archive.open(member) as stream:
        while chunk := stream.read(_CHUNK):
            seen += len(chunk)
            if seen > expansion_left or _is_suspicious(seen, member.compress_size, limits):
                _refuse_expansion(file.name, "One of its parts unpacks to far more than it says.")
            if b"<!DOCTYPE" in tail + chunk:
                _refuse_expansion(file.name, "It contains a document type declaration, which no workbook needs.")
            tail = chunk[-16:]
    if seen != declared:
        _refuse_damaged(file.name, "A part of the Excel workbook is not as long as it says.")
    return seen


def _is_suspicious(expanded: int, packed: int, limits: ReadingLimits) -> bool:
    return expanded > _RATIO_COUNTS_FROM and expanded > limits.max_expansion_ratio * max(packed, 1)


def _refuse_expansion(name: str, message: str) -> NoReturn:
    _refuse(
        "READ-EXPANSION",
        name,
        f"The file is refused because of what it unpacks to. {message}",
        "Copy the table alone into a new workbook, or save it as CSV, and send that.",
    )


def _read_in_child(file: DeliveredFile, kind: str, options: ReadingOptions, limits: ReadingLimits, expanded: int) -> _Grid:
    """Parse in a process of its own, whose memory and time are limited by how much the file really holds."""
    request = {
        "kind": kind,
        "name": _shown(file.name, 120),
        "sheet": options.sheet,
        "expected": options.expected_columns if options.header == "first_row" else (),
        "memory": _CHILD_BYTES + 8 * expanded,
        "limits": asdict(limits),
    }
    # One thread and one heap keep the address space, which is what can be limited, close to the memory used.
    single = {
        "POLARS_MAX_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
        "RUST_BACKTRACE": "0",
    }
    environment = os.environ | single | {"ARROW_DEFAULT_MEMORY_POOL": "system"}
    seconds = _CHILD_SECONDS + expanded / (2 * MIB)
    try:
        done = subprocess.run(  # noqa: S603 - this interpreter, this file, and JSON that no shell sees
            [sys.executable, "-P", __file__, json.dumps(request)],
            input=file.content,
            capture_output=True,
            timeout=seconds,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired:
        _refuse(
            "READ-TIME",
            file.name,
            f"Reading this file did not end within {seconds:.0f} seconds.",
            "Copy the table alone into a new workbook, or save it as CSV, and send that.",
        )
    if done.returncode in (-6, -9):  # aborted on a failed allocation, or killed by the system for its memory
        _refuse_expansion(file.name, "It asks for more memory than its size justifies: are cells very far apart?")
    if done.returncode < 0:
        _refuse_damaged(file.name, "The file is damaged in a way that stops the reader.")
    if done.returncode:
        raise RuntimeError(f"The reading process failed:\n{done.stderr.decode(errors='replace')[-4000:]}")
    answer_line, _, body = done.stdout.partition(b"\n")
    answer: dict[str, Any] = json.loads(answer_line)
    if "refused" in answer:
        raise UnreadableDelivery(*answer["refused"])
    stream = io.BytesIO(body)
    frame = pl.read_ipc_stream(stream.read(answer["bytes"]))
    beside = tuple((place, pl.read_ipc_stream(stream.read(size))) for place, size in answer["beside"])
    names = tuple(answer["names"]) if answer["names"] is not None else None
    lines = np.arange(1, frame.height + 1, dtype=np.int64)
    return _Grid(frame, lines, names, notes=tuple(answer["notes"]), beside=beside)


def _skip_to_header(file: DeliveredFile, grid: _Grid, options: ReadingOptions) -> _Grid:
    """A workbook's cells from the header on, where it is not the first row."""
    if grid.names is not None or options.header == "none" or not options.expected_columns or not grid.frame.width:
        return grid
    filled = grid.frame.select(pl.any_horizontal(pl.all().str.strip_chars() != "").fill_null(False)).to_series()
    first = filled.arg_max() or 0
    head, lines = grid.frame[first : first + _HEADER_ROWS], grid.lines[first : first + _HEADER_ROWS]
    header = _find_header(file, head, lines, options, "workbook")
    if header is None:
        return grid
    above = _with_values(head[:header])
    note = _header_note("row", int(lines[header]), above.height)
    return replace(
        grid,
        frame=grid.frame[first + header :],
        lines=grid.lines[first + header :],
        notes=(*grid.notes, note),
        above=above,
    )


_PIVOT_CACHE: Final = re.compile(r"xl/pivotCache/pivotCacheDefinition\d*\.xml")
_PIVOT_FIELD: Final = re.compile(rb"<(?:\w+:)?cacheField\b")
_PIVOT_NAME: Final = re.compile(rb"[^>]*?\bname=\"([^\"]*)\"")
_PIVOT_VALUE: Final = re.compile(rb"\b(?:v|minValue|maxValue)=\"([^\"]*)\"")


def _pivot_caches(file: DeliveredFile) -> list[pl.DataFrame]:
    """The distinct values that pivot tables keep of the rows they were made from, a column a field.

    A pivot table of counts often carries with it the list of students that it counts. Layout: ECMA-376, 18.10.1.
    """
    with zipfile.ZipFile(io.BytesIO(file.content)) as archive:
        definitions = [archive.read(name) for name in archive.namelist() if _PIVOT_CACHE.fullmatch(name)]
    tables = []
    for definition in definitions:
        columns: list[list[str | None]] = []
        for field in _PIVOT_FIELD.split(definition)[1:]:
            name = _PIVOT_NAME.match(field)
            values = [value[1] for value in itertools.islice(_PIVOT_VALUE.finditer(field), _BESIDE_ROWS - 1)]
            columns.append([html.unescape(text.decode("utf-8", "replace")) for text in (name[1] if name else b"", *values)])
        height = max(map(len, columns), default=0)
        filled = [column + [None] * (height - len(column)) for column in columns]
        tables.append(pl.DataFrame(dict(zip(_numbered(len(filled)), filled, strict=True))))
    return [table.cast(pl.String) for table in tables if table.width]


def _child(request: dict[str, Any]) -> None:
    """The child's side: limit itself, parse standard input, write a line of JSON and then an Arrow stream."""
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (request["memory"], request["memory"]))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    name, limits = request["name"], ReadingLimits(**request["limits"])
    content = sys.stdin.buffer.read()
    names: tuple[str, ...] | None = None
    notes: list[str] = []
    beside: list[tuple[str, bytes]] = []
    try:
        try:
            if request["kind"] == "parquet":
                frame, names = _parse_parquet(name, content, limits)
            else:
                frame, notes, beside = _parse_workbook(name, content, request["sheet"], request["expected"], limits)
        except MemoryError:
            _refuse_expansion(name, "It asks for more memory than its size justifies.")
        except (UnreadableDelivery, ImportError):
            raise
        except BaseException:  # noqa: BLE001 - a file may break a parser in ways that it did not foresee, panics included
            _refuse_damaged(name, "The file holds something that the reader cannot handle.")
        if frame.width > limits.max_columns:
            _refuse_columns(name, frame.width, limits)
    except UnreadableDelivery as refusal:
        sys.stdout.buffer.write(json.dumps({"refused": refusal.args}).encode())
        return
    table = _ipc(frame)
    sizes = [(place, len(cells)) for place, cells in beside]
    answer = {"names": names, "notes": notes, "bytes": len(table), "beside": sizes}
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
    for cells in (table, *(cells for _, cells in beside)):
        sys.stdout.buffer.write(cells)


def _ipc(frame: pl.DataFrame) -> bytes:
    return frame.write_ipc_stream(None).getvalue()


_ERROR_CELLS: Final = {
    "Div0": "#DIV/0!",
    "NA": "#N/A",
    "Name": "#NAME?",
    "Null": "#NULL!",
    "Num": "#NUM!",
    "Ref": "#REF!",
    "Value": "#VALUE!",
    "GettingData": "#GETTING_DATA",
}


def _parse_workbook(
    name: str, content: bytes, wanted: str | None, expected: Sequence[str], limits: ReadingLimits
) -> tuple[pl.DataFrame, list[str], list[tuple[str, bytes]]]:
    """All cells of one sheet as text from its first row on (row i is sheet row i + 1), notes, and the other sheets."""
    import fastexcel

    try:
        book = fastexcel.read_excel(content)
        sheets = book.sheet_names
        if len(sheets) > limits.max_sheets:
            _refuse(
                "READ-SHEETS",
                name,
                f"The workbook has {len(sheets):,} sheets; at most {limits.max_sheets:,} are accepted.",
                "Copy the sheet with the table into a new workbook and send that.",
            )
        if wanted is not None and wanted not in sheets:
            _refuse(
                "READ-SHEET-MISSING",
                name,
                f"The workbook has no sheet “{_shown(wanted, 60)}”; it has {_listed(sheets)}.",
                "Rename the sheet, or send the workbook that has it.",
            )
        chosen: _Sheet | None = None
        beside: dict[str, bytes] = {}
        alike: list[str] = []
        for sheet_name in sheets:
            sheet = book.load_sheet(sheet_name, header_row=None, skip_rows=0, dtypes="string")
            batch, errors = sheet.to_arrow_with_errors()
            frame = pl.DataFrame(pl.from_arrow(batch)) if batch.num_columns else pl.DataFrame()
            frame.columns = _numbered(frame.width)
            if errors is not None:
                frame = _write_error_cells(frame, errors.errors)
            frame = _midnight_as_date(frame)
            if not _holds_data(frame):
                continue
            is_visible = sheet.visible == "visible"
            has_header = bool(expected) and _header_row(_first_values(frame), expected) is not None
            alike += [sheet_name] * (has_header and is_visible)
            rank = sheet_name == wanted, is_visible, has_header
            beside[sheet_name] = _ipc(frame.head(_BESIDE_ROWS))
            if wanted in (None, sheet_name) and (chosen is None or rank > chosen.rank):
                chosen = _Sheet(sheet_name, frame, rank)
    except fastexcel.FastExcelError:
        _refuse_damaged(name, "The Excel workbook is damaged or incomplete.")
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # raised where the Rust parser hits a file it did not foresee
            raise
        _refuse_damaged(name, "The Excel workbook is damaged in a way that stops the reader.")
    if chosen is not None:
        del beside[chosen.name]
        others = [(f'on the sheet "{_shown(sheet_name, 60)}"', cells) for sheet_name, cells in beside.items()]
        return chosen.frame, _sheet_notes(chosen, len(sheets), alike), others
    where = "None of its sheets holds" if wanted is None else f"Its sheet “{_shown(wanted, 60)}” does not hold"
    _refuse("READ-EMPTY", name, f"{where} any value.", "Check what was saved, and send it again.")


@dataclass(frozen=True)
class _Sheet:
    """The sheet to be read, and its claim to it: whether asked for, visible, and with the expected columns."""

    name: str
    frame: pl.DataFrame
    rank: tuple[bool, bool, bool]


def _first_values(frame: pl.DataFrame) -> list[tuple[str | None, ...]]:
    """The rows with a value among the 30 from the first of them on."""
    filled = frame.select(pl.any_horizontal(pl.all().str.strip_chars() != "").fill_null(False)).to_series()
    return list(filter(_has_value, frame[filled.arg_max() or 0 :].head(_HEADER_ROWS).rows()))


def _sheet_notes(chosen: _Sheet, count: int, alike: Sequence[str]) -> list[str]:
    if count == 1:
        return []
    others = [sheet_name for sheet_name in alike if sheet_name != chosen.name]
    what = "sheet" if chosen.rank[1] else "hidden sheet"
    more = f" Not read: {_listed(others)}, with the same columns." if others and chosen.rank[2] else ""
    return [f': the {what} "{_shown(chosen.name, 60)}" is read; it is one of {count}.{more}']


def _holds_data(frame: pl.DataFrame) -> bool:
    filled = frame.select(pl.any_horizontal((pl.all().str.strip_chars() != "").any())) if frame.width else frame
    return bool(filled.height and filled.item())


def _write_error_cells(frame: pl.DataFrame, errors: Sequence[Any]) -> pl.DataFrame:
    """Put `#N/A` and its like where the parser left null: a failed formula must not pass for a blank."""
    found = pl.DataFrame(
        {
            "row": [error.offset_position[0] for error in errors],
            "column": [error.offset_position[1] for error in errors],
            "detail": [error.detail for error in errors],
        },
        schema={"row": pl.UInt32, "column": pl.UInt32, "detail": pl.String},
    ).with_columns(text=pl.col("detail").str.extract(r"Error\((\w+)\)").replace_strict(_ERROR_CELLS, default="#ERROR"))
    return frame.with_columns(
        frame.to_series(int(column)).scatter(cells["row"], cells["text"])
        for (column,), cells in found.partition_by("column", as_dict=True).items()
    )


def _midnight_as_date(frame: pl.DataFrame) -> pl.DataFrame:
    """`2024-03-01 00:00:00` becomes `2024-03-01`: a workbook's date cell is a date and a time of midnight."""
    return frame.with_columns(pl.all().str.replace(r"^(\d{4}-\d{2}-\d{2}) 00:00:00$", "$1"))


def _parse_parquet(name: str, content: bytes, limits: ReadingLimits) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """All values as text, and the column names. The metadata must pass the limits before a page is read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        parquet = pq.ParquetFile(pa.BufferReader(content))
        metadata, schema = parquet.metadata, parquet.schema_arrow
        if metadata.num_rows > limits.max_rows:
            _refuse_rows(name, metadata.num_rows, limits)
        if len(schema) > limits.max_columns:
            _refuse_columns(name, len(schema), limits)
        groups = range(metadata.num_row_groups)
        if sum(metadata.row_group(group).total_byte_size for group in groups) > limits.max_expanded_bytes:
            _refuse_expansion(name, f"It unpacks to more than {_size(limits.max_expanded_bytes)}.")
        unfit = [field.name for field in schema if not _is_single_value(field.type)]
        if unfit:
            _refuse(
                "READ-TYPES",
                name,
                f"These columns hold lists, records, durations or raw bytes: {_listed(unfit)}.",
                "Write one value in each cell: text, numbers, dates or true/false.",
            )
        if not len(schema):
            _refuse("READ-EMPTY", name, "The Parquet file has no columns.", "Export it and send it again.")
        table = parquet.read(use_threads=False)
        table.validate(full=True)
        numbered = table.rename_columns([f"c{number}" for number in range(1, table.num_columns + 1)])
        frame = pl.DataFrame(pl.from_arrow(numbered))
    except (pa.ArrowMemoryError, MemoryError):
        _refuse_expansion(name, "It asks for more memory than its size justifies.")
    except (pa.ArrowException, OSError, ValueError, pl.exceptions.PolarsError):
        _refuse_damaged(name, "The Parquet file is damaged or incomplete.")
    return frame.select(_as_text(column) for column in frame.iter_columns()), tuple(schema.names)


def _is_single_value(kind: Any) -> bool:
    """True for Arrow types that have one evident text: numbers, text, dates, times, true/false, and null."""
    from pyarrow import types

    if types.is_dictionary(kind):
        kind = kind.value_type
    tests = (
        types.is_boolean,
        types.is_integer,
        types.is_floating,
        types.is_decimal,
        types.is_string,
        types.is_large_string,
        types.is_string_view,
        types.is_date,
        types.is_timestamp,
        types.is_time,
        types.is_null,
    )
    return any(test(kind) for test in tests)


def _as_text(column: pl.Series) -> pl.Series:
    if column.dtype.is_float():
        whole = column.is_finite() & (column == column.round(0)) & (column.abs() < 2.0**53)
        whole = whole.fill_null(False)
        integers = column.zip_with(whole, pl.Series([0.0], dtype=column.dtype)).cast(pl.Int64)
        return integers.cast(pl.String).zip_with(whole, column.cast(pl.String))
    if column.dtype == pl.Datetime:
        text = column.dt.to_string("iso").str.replace(r"\.0+(\D.*)?$", "$1")
        return text.str.replace(r"^(\d{4}-\d{2}-\d{2})[ T]00:00:00$", "$1")
    if column.dtype == pl.Time:
        return column.dt.to_string("iso").str.replace(r"\.0+$", "")
    return column.cast(pl.String)


# --- from cells to a table ---


def _name_columns(
    file: DeliveredFile, grid: _Grid, options: ReadingOptions, limits: ReadingLimits, rows_left: int
) -> pl.DataFrame:
    """Blank cells become null, blank rows go, the header gives names: delivered_line, then the columns."""
    cells = pl.exclude("delivered_line")
    frame = grid.frame.rename(dict(zip(grid.frame.columns, _numbered(grid.frame.width), strict=True)))
    frame = frame.select(pl.Series("delivered_line", grid.lines), pl.when(cells.str.strip_chars() != "").then(cells)).filter(
        pl.any_horizontal(cells.is_not_null())
    )
    if grid.names is not None:
        names = [_clean_name(name) for name in grid.names]
    elif frame.height == 0:
        _refuse("READ-EMPTY", file.name, "The file holds no value.", "Export it and send it again.")
    elif options.header == "none":
        names = _numbered(grid.frame.width)
    else:
        names = [_clean_name(name or "") for name in frame.drop("delivered_line").row(0)]
        frame = frame.slice(1)
    if frame.height > rows_left:
        _refuse_rows(file.name, frame.height, limits)
    while names and not names[-1] and frame.to_series(len(names)).is_null().all():
        names.pop()
    named = [name or f"column_{number}" for number, name in enumerate(names, start=1)]
    if len(named) > limits.max_columns:
        _refuse_columns(file.name, len(named), limits)
    _require_usable_names(file.name, named)
    kept = frame.select("delivered_line", *_numbered(len(named)))
    # Assigned: within an expression a delivered name such as `*` or `^a.*$` would be expanded as a pattern.
    kept.columns = ["delivered_line", *named]
    return kept


def _numbered(width: int) -> list[str]:
    return [f"c{number}" for number in range(1, width + 1)]


def _clean_name(name: str) -> str:
    """A column name on one line, without blanks around it and without characters that nobody sees."""
    on_one_line = re.sub(r"\s*[\t\n\v\f\r\x85\u2028\u2029]+\s*", " ", name.strip())
    if on_one_line.isascii() and on_one_line.isprintable():
        return on_one_line
    return "".join(c for c in on_one_line if unicodedata.category(c) not in ("Cc", "Cf")).strip()


def _require_usable_names(file_name: str, names: Sequence[str]) -> None:
    """SQL does not tell upper from lower case in names, so neither may a header."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(name.lower(), []).append(name)
    reserved = [name for name in names if name.lower() in RESERVED_COLUMNS]
    if reserved:
        _refuse(
            "READ-HEADER-RESERVED",
            file_name,
            f"These column names are kept for the delivery's own bookkeeping: {_listed(reserved)}.",
            "Rename these columns.",
        )
    repeated = [" / ".join(dict.fromkeys(group)) for group in groups.values() if len(group) > 1]
    if repeated:
        _refuse(
            "READ-HEADER-DUPLICATE",
            file_name,
            f"These column names occur more than once, upper or lower case: {_listed(repeated)}.",
            "Give every column a name of its own, the same in every file of the delivery.",
        )


def _unite(files: Sequence[DeliveredFile], tables: Sequence[pl.DataFrame], limits: ReadingLimits) -> pl.DataFrame:
    """One table over all files, columns united by name in the order in which they first occur."""
    columns = list(dict.fromkeys(name for table in tables for name in table.columns[1:]))
    if len(columns) > limits.max_columns:
        _refuse_columns(files[-1].name, len(columns), limits)
    _require_usable_names(files[-1].name, columns)
    cells = sum(table.height for table in tables) * len(columns)
    _refuse_spread(files[-1].name, cells, sum(table.height * table.width for table in tables))
    labelled = [
        table.select(pl.lit(file.name.encode("utf-8", "replace").decode()).alias("delivered_file"), pl.all())
        for file, table in zip(files, tables, strict=True)
    ]
    table = labelled[0] if len(labelled) == 1 else pl.concat(labelled, how="diagonal")
    return table.with_row_index("delivered_row", offset=1).cast({"delivered_row": pl.Int64})


if __name__ == "__main__":
    _child(json.loads(sys.argv[1]))

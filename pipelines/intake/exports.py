"""Findings for an analyst to take away: as csv, as JSON, and written beside the rows of the analyst's own files.

Pure: tables in, bytes out. A spreadsheet program must never run what a district typed, so in csv a cell that would be taken
for a formula begins with an apostrophe; `without_annotations` takes both apostrophes and added columns off again when such
a file is sent back. Where files are kept, and who may have them, does not belong here.
"""

from __future__ import annotations

import io
import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

import polars as pl

from pipelines.intake.checking import FINDING_SCHEMA
from pipelines.intake.reading import Delivered, DeliveredFile, ReadingOptions

LINE_COLUMN: Final = "nmip_line"
FINDINGS_COLUMN: Final = "nmip_findings"
ANNOTATIONS: Final = (LINE_COLUMN, FINDINGS_COLUMN)
SUFFIX: Final = "_with_findings"
MAX_NAME_LENGTH: Final = 150
MAX_NAME_BYTES: Final = 240  # file systems allow 255

# "Excel specifications and limits" on Microsoft's support site.
# Excel takes ten times as many; beyond this a workbook takes tens of seconds to write, and csv is what people open anyway.
MAX_SHEET_ROWS: Final = 100_000
MAX_SHEET_COLUMNS: Final = 16_384
MAX_CELL_CHARACTERS: Final = 32_767
_TOLD_CHARACTERS: Final = 30_000
_ONE_TOLD: Final = 2_000

_SIGN = r"[=+\-@\t\r\n＝＋－＠]"
_NEEDS_APOSTROPHE: Final = rf"^'*\s*{_SIGN}"
_HAS_APOSTROPHE: Final = rf"^'+\s*{_SIGN}"
_PLAIN_NUMBER: Final = r"^[+-]?([0-9]+([.,][0-9]+)*|[.][0-9]+)%?$"
_TEXT_ENDINGS: Final = ("csv", "tsv", "tab", "psv", "txt")
_DELIMITERS: Final = (",", ";", "\t", "|")
_NUMBERED: Final = re.compile(r"c[1-9][0-9]*")
_LOOKED_AT: Final = 60
_WIDTH_SAMPLE: Final = 200
_FIXED_DATE: Final = datetime(2000, 1, 1)  # the same findings give the same bytes


def findings_csv(findings: pl.DataFrame, submission_id: str) -> bytes:
    """All findings as csv (UTF-8 with a byte order mark, commas, CR LF), safe to open in a spreadsheet program.

    `findings` has the columns of `checking.FINDING_SCHEMA`; `submission_id` stands before them.
    """
    return table_csv(_listed(findings, submission_id), ",")


def findings_json(findings: pl.DataFrame, submission_id: str) -> bytes:
    """All findings as JSON: `submission_id`, and under `findings` one object for each with the columns of the csv."""
    rows = _listed(findings, submission_id).write_json()
    return f'{{"submission_id": {json.dumps(submission_id)}, "findings": {rows}}}\n'.encode()


def annotated_files(
    files: Sequence[DeliveredFile], delivered: Delivered, findings: pl.DataFrame, options: ReadingOptions | None = None
) -> list[DeliveredFile]:
    """The analyst's own files, as read, with two columns at the right: the line of each row, and all findings of that line.

    `delivered` is what `reading.read_delivery` gave for `files`, with `options` where a mapping asks for some. Findings read
    `RULE-ID: message [field]`, joined by ` | `; one that is about no line with data stands in the file's first row, after
    `(whole file)` or `(line n)`. A workbook gives a workbook whose rows stand in their own sheet rows, text gives text with
    the same delimiter, Parquet and what no sheet can hold give csv. A cell that would grow too long for a spreadsheet program
    ends with the number of findings left out. Names are cleaned and differ from each other.
    """
    source = without_annotations(delivered)
    told = _findings_by_row(source.table, findings)
    table = source.table.join(told, on="delivered_row", how="left", maintain_order="left")
    taken: set[str] = set()
    annotated = []
    for file, kind, rows in zip(files, source.formats, _split(table, files), strict=True):
        header = _has_header(kind, source.columns, rows, options)
        names = _columns_of_file(source, rows) if header else source.columns
        cells = _select(rows, names)
        if kind in ("xlsx", "xls") and _fits_a_sheet(cells, rows, header):
            ending, content = "xlsx", _as_workbook(cells, rows, header, options.sheet if options else None)
        else:
            ending, delimiter = _text_format(file, kind, names, header)
            content = _annotated_csv(cells, rows, header, delimiter)
        annotated.append(DeliveredFile(_free_name(file.name, ending, taken), content))
    return annotated


def without_annotations(delivered: Delivered) -> Delivered:
    """A delivery as if the columns that `annotated_files` added, and the apostrophes that it wrote, were not there."""
    values = delivered.table.drop("delivered_row", "delivered_file", "delivered_line")
    names = list(delivered.columns)
    added = {name for name in names if name.strip().lower() in ANNOTATIONS}
    added |= {name for name in names if _NUMBERED.fullmatch(name) and _is_annotation(values[name])}
    kept = [name for name in names if name not in added]
    if not added or not kept:
        return delivered
    cleaned = _without_apostrophes(_select(values, kept))
    bare = _without_apostrophes(_names(cleaned))["name"].to_list()
    cleaned.columns = bare if len({name.lower() for name in bare}) == len(bare) else kept
    place = delivered.table.select("delivered_row", "delivered_file", "delivered_line")
    return replace(delivered, table=pl.concat([place, cleaned], how="horizontal"), columns=tuple(cleaned.columns))


def _is_annotation(column: pl.Series) -> bool:
    first = column.drop_nulls().head(1).to_list()
    return bool(first) and str(first[0]).strip().lower().startswith(ANNOTATIONS)


def _listed(findings: pl.DataFrame, submission_id: str) -> pl.DataFrame:
    return findings.select(pl.lit(submission_id).alias("submission_id"), *FINDING_SCHEMA)


# --- findings to rows ---


def _findings_by_row(table: pl.DataFrame, findings: pl.DataFrame) -> pl.DataFrame:
    """delivered_row and nmip_findings for every delivered row that a finding is written to."""
    place = ["delivered_file", "delivered_line"]
    rows = table.select("delivered_row", *place)
    first = rows.unique("delivered_file", keep="first").select("delivered_file", pl.col("delivered_row").alias("first_row"))
    about = pl.when(pl.col("line").is_null()).then(pl.lit("(whole file) ")).otherwise(pl.format("(line {}) ", "line"))
    is_named = pl.col("field").is_null() | pl.col("message").str.contains(pl.col("field"), literal=True)
    field = pl.when(is_named).then(pl.lit("")).otherwise(pl.format(" [{}]", "field"))
    text = pl.concat_str(
        pl.when(pl.col("delivered_row").is_null()).then(about).otherwise(pl.lit("")),
        "rule_id",
        pl.lit(": "),
        pl.col("message").fill_null(""),
        field,
    )
    return (
        findings.select("rule_id", "file", "line", "field", "message")
        .join(rows.unique(place, keep="first"), left_on=["file", "line"], right_on=place, how="left", maintain_order="left")
        .join(first, left_on="file", right_on="delivered_file", how="left", maintain_order="left")
        .select(
            pl.coalesce("delivered_row", "first_row", pl.lit(rows["delivered_row"].min())).alias("delivered_row"),
            text.str.replace_all(r"[\x00-\x1f\x7f]+", " ").str.slice(0, _ONE_TOLD).alias("text"),
        )
        .with_columns((pl.col("text").str.len_chars() + 3).cum_sum().over("delivered_row").alias("length"))
        .group_by("delivered_row", maintain_order=True)
        .agg(
            pl.col("text").filter(pl.col("length") <= _TOLD_CHARACTERS).str.join(" | ").alias("told"),
            (pl.col("length") > _TOLD_CHARACTERS).sum().alias("n_left_out"),
        )
        .select(
            "delivered_row",
            pl.when(pl.col("n_left_out") == 0)
            .then("told")
            .otherwise(pl.format("{} | and {} more, see the list of findings", "told", "n_left_out"))
            .alias(FINDINGS_COLUMN),
        )
    )


def _split(table: pl.DataFrame, files: Sequence[DeliveredFile]) -> list[pl.DataFrame]:
    """The rows of each file. Files of the same name are told apart by line numbers that begin again."""
    names = [file.name.encode("utf-8", "replace").decode() for file in files]
    begins_again = table.select((pl.col("delivered_line").diff().over("delivered_file") <= 0).fill_null(False).alias("new"))
    nth = table.select("delivered_file").hstack(begins_again).select(pl.col("new").cum_sum().over("delivered_file"))["new"]
    return [
        table.filter((table["delivered_file"] == name) & ((nth == names[:position].count(name)) | (names.count(name) == 1)))
        for position, name in enumerate(names)
    ]


def _has_header(kind: str, columns: Sequence[str], rows: pl.DataFrame, options: ReadingOptions | None) -> bool:
    """Whether the first row of a file gives names; without it columns are numbered and every row is data."""
    if kind == "parquet":
        return True
    if options is not None:
        return options.header == "first_row"
    return list(columns) != [f"c{number}" for number in range(1, len(columns) + 1)] and rows["delivered_line"].min() != 1


def _columns_of_file(delivered: Delivered, rows: pl.DataFrame) -> tuple[str, ...]:
    """The columns of one file: all but those of which only other files of the delivery have values."""
    if rows.is_empty() or rows.height == delivered.table.height:
        return delivered.columns
    here = [rows[name].null_count() < rows.height for name in delivered.columns]
    anywhere = [delivered.table[name].null_count() < delivered.table.height for name in delivered.columns]
    return tuple(name for name, is_here, is_any in zip(delivered.columns, here, anywhere, strict=True) if is_here or not is_any)


# --- text ---


def _select(table: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Columns by their names, which come from outside: in an expression `*` or `^a.*$` would be taken for a pattern."""
    return pl.DataFrame([table[name] for name in names])


def _names(table: pl.DataFrame) -> pl.DataFrame:
    return pl.DataFrame({"name": table.columns})


_TEXT: Final = pl.col(pl.String)


def _without_apostrophes(table: pl.DataFrame) -> pl.DataFrame:
    return table.with_columns(pl.when(~_TEXT.str.contains(_HAS_APOSTROPHE)).then(_TEXT).otherwise(_TEXT.str.slice(1)))


def _with_doubled_apostrophes(table: pl.DataFrame) -> pl.DataFrame:
    """A second apostrophe where one before a sign is part of the value, so that taking one off gives the value back."""
    return table.with_columns(pl.when(~_TEXT.str.contains(_HAS_APOSTROPHE)).then(_TEXT).otherwise(pl.lit("'") + _TEXT))


def _with_apostrophes(table: pl.DataFrame) -> pl.DataFrame:
    """An apostrophe before every text that a spreadsheet program would take for a formula, and before one that has one."""
    is_safe = ~_TEXT.str.contains(_NEEDS_APOSTROPHE) | _TEXT.str.contains(_PLAIN_NUMBER)
    return table.with_columns(pl.when(is_safe).then(_TEXT).otherwise(pl.lit("'") + _TEXT))


def table_csv(table: pl.DataFrame, delimiter: str, header: bool = True) -> bytes:
    """A table of text as csv: UTF-8 with a byte order mark, CRLF, safe from being read as formulas."""
    safe = _with_apostrophes(table)
    safe.columns = _with_apostrophes(_names(table))["name"].to_list()
    buffer = io.BytesIO()
    safe.write_csv(buffer, include_bom=True, include_header=header, separator=delimiter, line_terminator="\r\n")
    return buffer.getvalue()


def _annotated_csv(cells: pl.DataFrame, rows: pl.DataFrame, header: bool, delimiter: str) -> bytes:
    return table_csv(pl.concat([cells, _annotations(rows, header)], how="horizontal"), delimiter, header)


def _annotations(rows: pl.DataFrame, header: bool) -> pl.DataFrame:
    """The two columns as text. Without a header the first row says what they are, so that they are known again."""
    lines, told = pl.col("delivered_line").cast(pl.String), pl.col(FINDINGS_COLUMN)
    if not header:
        is_first = pl.int_range(pl.len()) == 0
        lines = pl.when(is_first).then(pl.lit(LINE_COLUMN)).otherwise(lines)
        named = pl.concat_str(pl.lit(FINDINGS_COLUMN), told, separator=" | ", ignore_nulls=True)
        told = pl.when(is_first).then(named).otherwise(told)
    return rows.select(lines.alias(LINE_COLUMN), told.alias(FINDINGS_COLUMN))


def _text_format(file: DeliveredFile, kind: str, names: Sequence[str], header: bool) -> tuple[str, str]:
    """The name's ending and the delimiter of an annotated text file: those of the file where they can be told."""
    if kind != "csv":
        return "csv", ","
    lines = _beginning(file.content).splitlines()[:_LOOKED_AT]

    def fitting(delimiter: str) -> int:
        cells = [[cell.strip(' "') for cell in line.split(delimiter)] for line in lines]
        if header:
            return max((len(set(names).intersection(row)) for row in cells), default=0)
        return sum(len(row) == len(names) for row in cells)

    delimiter = max(_DELIMITERS, key=fitting)
    ending = file.name.rpartition(".")[2].lower()
    return (ending if ending in _TEXT_ENDINGS else "csv"), delimiter


def _beginning(content: bytes) -> str:
    """The first part of a text, in whichever of the character sets that are read."""
    head = content[: 1024**2 // 4]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head.decode("utf-16", "ignore")
    if b"\x00" in head:
        return head.decode("utf-16-le" if head[1::2].count(0) > head[0::2].count(0) else "utf-16-be", "ignore")
    try:
        return head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        is_cut = error.end >= len(head) - 3
        return head.decode("utf-8-sig", "ignore") if is_cut else head.decode("cp1252", "replace")


# --- workbooks ---


def _fits_a_sheet(cells: pl.DataFrame, rows: pl.DataFrame, header: bool) -> bool:
    if rows.is_empty():
        return True
    first, last = rows["delivered_line"][0], rows["delivered_line"][-1]
    longest = cells.select(pl.max_horizontal(pl.all().str.len_bytes().max())).item() or 0
    is_deep = first <= header or last > MAX_SHEET_ROWS
    return not is_deep and cells.width + len(ANNOTATIONS) <= MAX_SHEET_COLUMNS and longest <= MAX_CELL_CHARACTERS


def _as_workbook(cells: pl.DataFrame, rows: pl.DataFrame, header: bool, sheet_name: str | None) -> bytes:
    """One sheet of text, every row in its own sheet row, the header above the first."""
    import xlsxwriter
    from xlsxwriter.utility import xl_range

    buffer = io.BytesIO()
    # Rows go to the disk as they are written: a large file would not fit into memory as cells.
    workbook = xlsxwriter.Workbook(buffer, {"constant_memory": True})
    workbook.set_properties({"created": _FIXED_DATE})
    bold = workbook.add_format({"bold": True, "num_format": "@", "bottom": 1})
    text, tinted = (workbook.add_format({"num_format": "@"} | look) for look in ({}, {"bg_color": "#FFF2CC"}))
    sheet = workbook.add_worksheet(sheet_name or "data")
    n_columns = cells.width
    first, last = (2, 1) if rows.is_empty() else (rows["delivered_line"][0], rows["delivered_line"][-1])
    sheet.ignore_errors({"number_stored_as_text": xl_range(0, 0, last - 1, n_columns + 1)})
    for position, width in enumerate([*_widths(cells), 10, 80]):
        sheet.set_column(position, position, width, text)
    if header:
        for position, name in enumerate((*_with_doubled_apostrophes(_names(cells))["name"], *ANNOTATIONS)):
            sheet.write_string(first - 2, position, name, bold)
        sheet.freeze_panes(first - 1, 0)
        sheet.autofilter(first - 2, 0, last - 1, n_columns + 1)
    written = pl.concat([_with_doubled_apostrophes(cells), _annotations(rows, header)], how="horizontal")
    is_marked = rows[FINDINGS_COLUMN].is_not_null()
    for line, values, marked in zip(rows["delivered_line"], written.iter_rows(), is_marked, strict=True):
        look = tinted if marked else text
        for position, value in enumerate(values):
            if value is not None:
                sheet.write_string(line - 1, position, value, look)
            elif marked:
                sheet.write_blank(line - 1, position, None, look)
    workbook.close()
    return buffer.getvalue()


def _widths(cells: pl.DataFrame) -> list[int]:
    longest = cells.head(_WIDTH_SAMPLE).select(pl.all().str.len_chars().max().fill_null(0)).row(0) if cells.width else ()
    return [min(max(len(name), length) + 2, 42) for name, length in zip(cells.columns, longest, strict=True)]


# --- names ---


def _free_name(name: str, ending: str, taken: set[str]) -> str:
    """A name for an annotated file that is no path on any system, is not too long, and is not taken."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    clean = "".join(character for character in last if character.isprintable() and character not in '<>:"|?*')
    stem = clean.rpartition(".")[0] if "." in clean else clean
    stem = re.sub(rf"({SUFFIX}(_[0-9]+)?)+$", "", stem).strip(" .-~") or "file"
    for number in range(1, len(taken) + 2):
        tail = f"{SUFFIX}{'' if number == 1 else f'_{number}'}.{ending}"
        short = stem.encode()[: MAX_NAME_BYTES - len(tail)].decode("utf-8", "ignore")[: MAX_NAME_LENGTH - len(tail)]
        candidate = f"{short}{tail}"
        if candidate.casefold() not in taken:
            break
    taken.add(candidate.casefold())
    return candidate

"""What a district fills in: an empty file with the contract's columns, as xlsx (types, drop-downs, notes) or csv."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

from pipelines.contracts.contract import Column, Contract

FILLABLE_ROWS = 5_000


def csv_template(contract: Contract) -> bytes:
    """The header row as UTF-8 csv with a byte order mark, which spreadsheet programs need to see UTF-8."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(contract.column_names)
    return text.getvalue().encode("utf-8-sig")


def _note(column: Column) -> str:
    parts = [column.description]
    if column.is_required:
        parts.append("Needed in every row.")
    if column.example is not None:
        parts.append(f"Example: {column.example}")
    return "\n".join(parts)


def xlsx_template(contract: Contract, code_lists: Mapping[str, tuple[str, ...]]) -> bytes:
    """A workbook: sheet `data` to fill in, sheet `columns` that explains, sheet `codes` that the drop-downs read.

    `code_lists` maps a list's name to its codes. Text columns are formatted as text, so that 007 stays 007.
    """
    import xlsxwriter

    buffer = io.BytesIO()
    workbook = xlsxwriter.Workbook(buffer, {"in_memory": True})
    needed = workbook.add_format({"bold": True, "bg_color": "#1F4E79", "font_color": "#FFFFFF", "border": 1})
    optional = workbook.add_format({"bold": True, "bg_color": "#DDEBF7", "border": 1})
    as_text, whole = workbook.add_format({"num_format": "@"}), workbook.add_format({"num_format": "0"})
    wrapped = workbook.add_format({"text_wrap": True, "valign": "top"})
    data, columns, codes = (workbook.add_worksheet(name) for name in ("data", "columns", "codes"))
    used_lists = sorted({column.code_list for column in contract.columns if column.code_list})
    ranges = {}
    for position, name in enumerate(used_lists):
        codes.write_string(0, position, name, optional)
        codes.write_column(1, position, code_lists[name], as_text)
        letter = xlsxwriter.utility.xl_col_to_name(position)
        ranges[name] = f"=codes!${letter}$2:${letter}${len(code_lists[name]) + 1}"
    for position, column in enumerate(contract.columns):
        data.write_string(0, position, column.name, needed if column.is_required else optional)
        data.write_comment(0, position, _note(column), {"x_scale": 2, "y_scale": 1.5})
        data.set_column(position, position, max(14, len(column.name) + 3), whole if column.kind == "integer" else as_text)
        validation = _validation(column, ranges)
        if validation:
            data.data_validation(1, position, FILLABLE_ROWS, position, validation)
    data.freeze_panes(1, 0)
    columns.write_row(0, 0, ["column", "type", "needed", "codes", "meaning"], optional)
    for row, column in enumerate(contract.columns, start=1):
        kind = "text" if column.code_list else column.kind
        cells = [column.name, kind, "yes" if column.is_required else "", column.code_list or "", column.description]
        columns.write_row(row, 0, cells, wrapped)
    columns.set_column(0, 3, 24)
    columns.set_column(4, 4, 90)
    workbook.close()
    return buffer.getvalue()


def _validation(column: Column, ranges: Mapping[str, str]) -> dict[str, object] | None:
    title = f"{column.name}"[:32]
    if column.code_list:
        return {
            "validate": "list",
            "source": ranges[column.code_list],
            "error_title": title,
            "error_message": f"Choose a code of the list {column.code_list}.",
        }
    if column.kind == "boolean":
        return {"validate": "list", "source": ["true", "false"], "error_title": title, "error_message": "true or false"}
    if column.kind == "integer":
        return {
            "validate": "integer",
            "criteria": ">=",
            "value": int(column.minimum or 0),
            "error_title": title,
            "error_message": "A whole number; leave it blank and give the reason in the symbol column when there is none.",
        }
    return None

"""What a district fills in: an empty file with the contract's columns, as xlsx (types, drop-downs, notes) or csv."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pipelines.contracts.codes import code_list
from pipelines.contracts.contract import Column, Contract, load_contract

LAST_ROW = 1_048_575
LAST_WHOLE_NUMBER = 10**15
FIRST_DATE = date(1900, 1, 1)
CELL_FORMATS = {"text": "@", "boolean": "@", "integer": "0", "number": "General", "date": "yyyy-mm-dd"}
HOW_TO_WRITE = {
    "integer": "a whole number, digits only",
    "number": "a number, with a point before decimals",
    "boolean": "true or false",
    "date": "a date, YYYY-MM-DD",
}
_FIXED_DATE = datetime(2000, 1, 1)  # the same contract gives the same bytes


def csv_template(contract: Contract) -> bytes:
    """The header row as UTF-8 csv with a byte order mark, which spreadsheet programs need to see UTF-8."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(contract.column_names)
    return text.getvalue().encode("utf-8-sig")


def xlsx_template(contract: Contract, code_lists: Mapping[str, Collection[str]]) -> bytes:
    """A workbook: `data` to fill in, `notes` on how, `columns` that explains each one, `codes` that the drop-downs read.

    `code_lists` maps a list's name to its codes, or to a mapping of codes to labels, which are then shown beside them. Text
    columns are formatted as text, so that 007 stays 007. The contract's version stands in `notes`, in `columns` and in the
    properties of the file.
    """
    import xlsxwriter

    buffer = io.BytesIO()
    workbook = xlsxwriter.Workbook(buffer, {"in_memory": True})
    workbook.set_properties(
        {
            "title": f"{contract.title} ({contract.extract})",
            "comments": f"Empty file of the contract {contract.extract}, version {contract.version}.",
            "created": _FIXED_DATE,
        }
    )
    workbook.set_custom_property("contract", contract.extract, "text")
    workbook.set_custom_property("contract_version", contract.version, "text")
    looks = {
        "needed": workbook.add_format(
            {"bold": True, "bg_color": "#1F4E79", "font_color": "#FFFFFF", "border": 1, "num_format": "@"}
        ),
        "optional": workbook.add_format({"bold": True, "bg_color": "#DDEBF7", "border": 1, "num_format": "@"}),
        "heading": workbook.add_format({"bold": True, "font_size": 13}),
        "wrapped": workbook.add_format({"text_wrap": True, "valign": "top", "num_format": "@"}),
    }
    data, notes, columns, codes = (workbook.add_worksheet(name) for name in ("data", "notes", "columns", "codes"))
    ranges = _write_codes(codes, contract, code_lists, looks)
    _write_data(workbook, data, contract, ranges, looks)
    _write_notes(notes, contract, code_lists, looks)
    _write_columns(columns, contract, looks)
    workbook.close()
    return buffer.getvalue()


def _write_data(workbook: Any, sheet: Any, contract: Contract, ranges: Mapping[str, str], looks: Mapping[str, Any]) -> None:
    cell_formats = {kind: workbook.add_format({"num_format": pattern}) for kind, pattern in CELL_FORMATS.items()}
    with_symbol = {column.symbol_for for column in contract.columns}
    for position, column in enumerate(contract.columns):
        sheet.write_string(0, position, column.name, looks["needed" if column.is_required else "optional"])
        sheet.write_comment(0, position, _note(column), {"x_scale": 2, "y_scale": 1.5})
        sheet.set_column(position, position, max(14, len(column.name) + 3), cell_formats[column.kind])
        validation = _validation(column, ranges, column.name in with_symbol)
        if validation:
            sheet.data_validation(1, position, LAST_ROW, position, {"error_title": column.name[:32], **validation})
    sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
    sheet.freeze_panes(1, 0)


def _note(column: Column) -> str:
    parts = [column.description]
    if column.is_required:
        parts.append("Needed in every row.")
    if column.kind in HOW_TO_WRITE:
        parts.append(f"Write {HOW_TO_WRITE[column.kind]}.")
    if column.example is not None:
        parts.append(f"Example: {column.example}")
    return "\n".join(parts)


def _validation(column: Column, ranges: Mapping[str, str], has_symbol: bool) -> dict[str, object] | None:
    """What a cell accepts. Drop-downs read a range: a list written into the cell may have 255 characters at most."""
    if column.code_list:
        message = f"Choose a code of the list {column.code_list}, see the sheet codes."
        return {"validate": "list", "source": ranges[column.code_list], "error_message": message}
    blank = "; leave it blank and give the reason in the symbol column when there is none" if has_symbol else ""
    message = f"Write {HOW_TO_WRITE.get(column.kind, 'a text')}{blank}."
    if column.kind == "boolean":
        return {"validate": "list", "source": ["true", "false"], "error_message": message}
    if column.kind == "date":
        return {"validate": "date", "criteria": ">=", "value": FIRST_DATE, "error_message": message}
    if column.kind in ("integer", "number"):
        least = -LAST_WHOLE_NUMBER if column.minimum is None else column.minimum
        whole = column.kind == "integer"
        value = int(least) if whole or least == int(least) else least
        return {"validate": "integer" if whole else "decimal", "criteria": ">=", "value": value, "error_message": message}
    if column.max_length is not None:
        message = f"At most {column.max_length} characters."
        return {"validate": "length", "criteria": "<=", "value": column.max_length, "error_message": message}
    return None


def _write_codes(
    sheet: Any, contract: Contract, code_lists: Mapping[str, Collection[str]], looks: Mapping[str, Any]
) -> dict[str, str]:
    """Every list in a column of its own, with labels beside it where they are known; returns the ranges of the codes."""
    from xlsxwriter.utility import xl_range_abs

    ranges = {}
    position = 0
    for name in sorted({column.code_list for column in contract.columns if column.code_list}):
        entries = code_lists[name]
        sheet.write_string(0, position, name, looks["optional"])
        sheet.set_column(position, position, max(14, len(name) + 2, *(len(code) + 2 for code in entries)))
        for row, code in enumerate(entries, start=1):
            sheet.write_string(row, position, code, looks["wrapped"])
        ranges[name] = f"=codes!{xl_range_abs(1, position, len(entries), position)}"
        position += 1
        if isinstance(entries, Mapping):
            sheet.write_string(0, position, f"{name}: meaning", looks["optional"])
            sheet.set_column(position, position, 44)
            for row, label in enumerate(entries.values(), start=1):
                sheet.write_string(row, position, label, looks["wrapped"])
            position += 1
    sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
    sheet.freeze_panes(1, 0)
    return ranges


def _write_columns(sheet: Any, contract: Contract, looks: Mapping[str, Any]) -> None:
    sheet.write_string(0, 0, "contract version", looks["heading"])
    sheet.write_string(0, 1, contract.version)
    for position, title in enumerate(("column", "type", "needed", "codes", "example", "meaning")):
        sheet.write_string(2, position, title, looks["optional"])
    for row, column in enumerate(contract.columns, start=3):
        cells = [
            column.name,
            column.kind,
            "yes" if column.is_required else "",
            column.code_list or "",
            column.example or "",
            column.description,
        ]
        for position, text in enumerate(cells):
            if text:
                sheet.write_string(row, position, text, looks["wrapped"])
    sheet.set_column(0, 4, 24)
    sheet.set_column(5, 5, 90)
    sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
    sheet.freeze_panes(3, 1)


def _write_notes(sheet: Any, contract: Contract, code_lists: Mapping[str, Collection[str]], looks: Mapping[str, Any]) -> None:
    sheet.set_column(0, 0, 110, looks["wrapped"])
    parts = {
        f"{contract.title} (extract {contract.extract}, contract version {contract.version})": [
            contract.purpose,
            f"Not for: {contract.limitations}",
            f"Rows: {contract.usage}",
        ],
        "How to fill in the sheet data": _how_to(contract, code_lists),
        "What the versions changed": [f"{change.version}: {change.note}" for change in reversed(contract.changes)],
    }
    row = 0
    for heading, lines in parts.items():
        if lines:
            sheet.write_string(row, 0, heading, looks["heading"])
            for line in lines:
                row += 1
                sheet.write_string(row, 0, line, looks["wrapped"])
            row += 2


def _how_to(contract: Contract, code_lists: Mapping[str, Collection[str]]) -> list[str]:
    kinds = {column.kind for column in contract.columns}
    lines = [
        f"One row for each {', '.join(contract.key)}, from row 2 on. Leave the column names in row 1 as they are.",
        "Columns with a dark name are needed in every row. Point at a name to read what it means; the sheet columns says it too.",
        "Columns with a drop-down take the codes of the sheet codes, spelled as there.",
        "Ids are text and keep their leading zeros; the cells are formatted so.",
    ]
    lines += [f"{kind.capitalize()} columns take {words}." for kind, words in HOW_TO_WRITE.items() if kind in kinds]
    symbols = next((code_lists[column.code_list] for column in contract.columns if column.symbol_for and column.code_list), ())
    if symbols:
        lines.append(
            "Where a number is not there, leave its cell blank and say why in the column beside it that ends in _symbol:"
        )
        lines += [f"    {code}    {symbols[code] if isinstance(symbols, Mapping) else ''}".rstrip() for code in symbols]
    return [
        *lines,
        "No titles above the column names, no totals or remarks below the rows, no formulas.",
        "Counts of groups only: no names, birth dates or numbers of students.",
        f"Try it before you send it: nmip check FILE --district D --extract {contract.extract} --school-year Y",
    ]


def template_file(contracts_folder: Path, extract: str, file_format: str) -> bytes:
    """The empty file of one extract, as `xlsx` or `csv`. Raises ContractError where there is no such extract."""
    contract = load_contract(contracts_folder, extract)
    if file_format == "csv":
        return csv_template(contract)
    names = {column.code_list for column in contract.columns if column.code_list}
    return xlsx_template(
        contract, {name: dict(code_list(contracts_folder, name).select("code", "label").iter_rows()) for name in sorted(names)}
    )

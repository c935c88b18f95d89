"""What a district fills in and looks up: template and dictionary say all that the contract says, and a filled template passes."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from pipelines.contracts.codes import code_list, codes
from pipelines.contracts.contract import Contract, load_contract
from pipelines.contracts.dictionary import dictionary
from pipelines.contracts.template import csv_template, xlsx_template
from pipelines.intake.checking import rules_of
from pipelines.intake.reading import DeliveredFile
from pipelines.intake.screening import screen
from pipelines.intake.states import READY
from pipelines.settings import PROJECT_ROOT

CONTRACTS = PROJECT_ROOT / "data_contracts"
EXTRACTS = ("assessment_levels", "curriculum_adoption", "school_directory")
PLACE = ("philadelphia", "2023-24")
FILLED: dict[str, list[dict[str, Any]]] = {
    "school_directory": [
        {
            "school_id": "007", "nces_school_id": "042189900001", "school_name": "Peña & Söhne, “North”",
            "school_level": "elementary",
            "low_grade": "K", "high_grade": "5", "is_charter": "false", "in_scope": "true", "network_id": "north",
            "n_enrolled": 480, "n_enrolled_in_scope": 410, "n_low_income": 350, "n_english_learner": 90,
            "n_disability": None, "n_disability_symbol": "c",
        },
    ],
    "assessment_levels": [
        {
            "unit_type": "school", "unit_id": "007", "grade": "4", "subgroup": "all", "instrument": "pa_pssa_math_2015",
            "administration": "spring", "n_enrolled": 120, "n_tested": 118,
            "n_level_1": 40, "n_level_2": 38, "n_level_3": 30, "n_level_4": 10, "n_level_5_symbol": "z", "n_level_6_symbol": "z",
        },
    ],
    "curriculum_adoption": [
        {
            "school_id": "007", "course": "4", "title": "=Example Mathematics", "role": "core", "subgroup": "all",
            "review_status": "not_reviewed", "adoption_status": "adopted", "n_students": 96, "is_digital": "false",
            "n_licensed_symbol": "z", "n_recommended_use_symbol": "z",
        },
    ],
}  # fmt: skip


def contract_of(extract: str) -> Contract:
    return load_contract(CONTRACTS, extract)


def workbook_of(extract: str) -> openpyxl.Workbook:
    contract = contract_of(extract)
    lists = {c.code_list: codes(CONTRACTS, c.code_list) for c in contract.columns if c.code_list}
    return openpyxl.load_workbook(io.BytesIO(xlsx_template(contract, lists)))


def header(sheet: Any) -> list[str]:
    return [cell.value for cell in sheet[1]]


@pytest.mark.parametrize("extract", EXTRACTS)
class TestWorkbook:
    def test_first_sheet_has_the_columns_of_the_contract_and_nothing_below(self, extract: str) -> None:
        book = workbook_of(extract)
        assert book.sheetnames == ["data", "columns", "codes"]
        assert header(book["data"]) == list(contract_of(extract).column_names)
        assert book["data"].max_row == 1
        assert book["data"].freeze_panes == "A2"

    def test_needed_columns_look_different_and_every_header_explains_itself(self, extract: str) -> None:
        fills: dict[bool, set[str]] = {True: set(), False: set()}
        for cell, column in zip(workbook_of(extract)["data"][1], contract_of(extract).columns, strict=True):
            assert column.description in cell.comment.text
            fills[column.is_required].add(cell.fill.fgColor.rgb)
        assert len(fills[True]) == len(fills[False]) == 1
        assert fills[True] != fills[False]

    def test_text_is_formatted_as_text_and_counts_as_whole_numbers(self, extract: str) -> None:
        sheet = workbook_of(extract)["data"]
        formats = {
            position: group.number_format
            for group in sheet.column_dimensions.values()
            for position in range(group.min, group.max + 1)
        }
        expected = ["0" if column.kind == "integer" else "@" for column in contract_of(extract).columns]
        assert [formats[position] for position in range(1, len(expected) + 1)] == expected

    def test_drop_downs_offer_exactly_the_codes(self, extract: str) -> None:
        book = workbook_of(extract)
        by_column = {}
        for validation in book["data"].data_validations.dataValidation:
            for place in str(validation.sqref).split():
                letters, first, last = re.fullmatch(r"([A-Z]+)(\d+):\1(\d+)", place).groups()  # type: ignore[union-attr]
                assert (first, last) == ("2", "5001")
                by_column[letters] = validation
        for cell, column in zip(book["data"][1], contract_of(extract).columns, strict=True):
            validation = by_column.get(cell.column_letter)
            if column.code_list:
                assert validation.type == "list"
                area = re.fullmatch(r"codes!(.+)", validation.formula1)[1].replace("$", "")  # type: ignore[index]
                offered = [row[0].value for row in book["codes"][area]]
                assert offered == list(codes(CONTRACTS, column.code_list)), column.name
                assert all(isinstance(code, str) for code in offered)
            elif column.kind == "boolean":
                assert validation.formula1 == '"true,false"'
            elif column.kind == "integer":
                assert (validation.type, validation.operator, validation.formula1) == ("whole", "greaterThanOrEqual", "0")
            else:
                assert validation is None

    def test_second_sheet_explains_every_column(self, extract: str) -> None:
        rows = list(workbook_of(extract)["columns"].values)
        assert rows[0] == ("column", "type", "needed", "codes", "meaning")
        assert [row[0] for row in rows[1:]] == list(contract_of(extract).column_names)
        assert [row[2] == "yes" for row in rows[1:]] == [column.is_required for column in contract_of(extract).columns]

    def test_a_filled_template_passes(self, extract: str) -> None:
        book = workbook_of(extract)
        names = header(book["data"])
        for number, row in enumerate(FILLED[extract], start=2):
            for position, name in enumerate(names, start=1):
                cell = book["data"].cell(number, position)
                cell.value = row.get(name)
                if isinstance(cell.value, str):
                    cell.data_type = "s"  # typed into a cell formatted as text, "=Title" is no formula
        filled = io.BytesIO()
        book.save(filled)
        screening = screen([DeliveredFile("filled.xlsx", filled.getvalue())], CONTRACTS, PLACE[0], extract, PLACE[1])
        assert screening.findings.to_dicts() == []
        assert screening.outcome == READY
        (read,) = screening.rows.to_dicts()
        assert read["delivered_line"] == 2
        for name in names:
            value = FILLED[extract][0].get(name)
            assert read[name] == (None if value is None else str(value)), name

    def test_an_empty_template_is_refused_in_plain_words(self, extract: str) -> None:
        empty = io.BytesIO()
        workbook_of(extract).save(empty)
        screening = screen([DeliveredFile("empty.xlsx", empty.getvalue())], CONTRACTS, PLACE[0], extract, PLACE[1])
        (finding,) = screening.findings.to_dicts()
        assert (screening.outcome, finding["rule_id"]) == ("unreadable", "READ-NO-ROWS")


@pytest.mark.parametrize("extract", EXTRACTS)
class TestCsv:
    def test_is_the_header_with_a_byte_order_mark(self, extract: str) -> None:
        content = csv_template(contract_of(extract))
        assert content.startswith(b"\xef\xbb\xbf")
        assert content.endswith(b"\r\n")
        assert list(csv.reader(io.StringIO(content.decode("utf-8-sig")))) == [list(contract_of(extract).column_names)]

    def test_a_filled_template_passes(self, extract: str) -> None:
        text = io.StringIO()
        text.write(csv_template(contract_of(extract)).decode("utf-8"))
        csv.DictWriter(text, contract_of(extract).column_names).writerows(FILLED[extract])
        screening = screen([DeliveredFile("filled.csv", text.getvalue().encode())], CONTRACTS, PLACE[0], extract, PLACE[1])
        assert screening.findings.to_dicts() == []
        assert screening.outcome == READY


@pytest.mark.parametrize("extract", EXTRACTS)
class TestDictionary:
    def page(self, extract: str) -> str:
        contract = contract_of(extract)
        lists = {
            name: list(code_list(CONTRACTS, name).select("code", "label").iter_rows())
            for name in {column.code_list for column in contract.columns if column.code_list}
        }
        return dictionary(contract, rules_of(CONTRACTS, contract), lists)

    def tables(self, extract: str) -> dict[str, list[list[str]]]:
        """Rows of every table by the heading above it; an escaped bar is no border."""
        found: dict[str, list[list[str]]] = {}
        heading = ""
        for line in self.page(extract).splitlines():
            if line.startswith("#"):
                heading = line.strip("# `")
                found[heading] = []
            elif line.startswith("|"):
                found[heading].append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
        return {heading: rows[2:] for heading, rows in found.items() if rows}

    def test_every_column_stands_in_it_with_its_meaning(self, extract: str) -> None:
        rows = self.tables(extract)["Columns"]
        assert [row[0].strip("`") for row in rows] == list(contract_of(extract).column_names)
        for row, column in zip(rows, contract_of(extract).columns, strict=True):
            assert len(row) == 5
            assert row[1] == column.kind
            assert row[2] == ("yes" if column.is_required else "")
            assert row[4] == column.description.replace("|", "\\|")

    def test_every_code_stands_in_it(self, extract: str) -> None:
        tables = self.tables(extract)
        for column in contract_of(extract).columns:
            if column.code_list:
                assert [row[0].strip("`") for row in tables[column.code_list]] == list(codes(CONTRACTS, column.code_list))

    def test_every_rule_stands_in_it_with_its_fix(self, extract: str) -> None:
        rows = self.tables(extract)["Rules"]
        rules = rules_of(CONTRACTS, contract_of(extract))
        assert [row[0] for row in rows] == [f"`{rule.rule_id}` {rule.version}" for rule in rules]
        for row, rule in zip(rows, rules, strict=True):
            assert len(row) == 5
            assert row[2:] == [text.replace("|", "\\|") for text in (rule.meaning, rule.how_to_fix, rule.rationale)]

    def test_it_names_no_path_of_this_machine(self, extract: str) -> None:
        assert str(Path.home()) not in self.page(extract)
        assert str(PROJECT_ROOT) not in self.page(extract)

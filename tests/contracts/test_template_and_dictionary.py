"""What a district fills in and looks up: template and dictionary say all that the contract says, and a filled template passes."""

from __future__ import annotations

import csv
import io
import re
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
import yaml

from pipelines.contracts.codes import code_list, codes
from pipelines.contracts.contract import Contract, extract_names, load_contract, parse_contract
from pipelines.contracts.dictionary import TIERS, dictionary
from pipelines.contracts.template import csv_template, xlsx_template
from pipelines.intake.checking import rules_of
from pipelines.intake.mapping import MAPPING_RULES
from pipelines.intake.reading import READING_RULES, DeliveredFile
from pipelines.intake.screening import screen
from pipelines.intake.states import READY
from pipelines.settings import PROJECT_ROOT
from tests.contracts.rule_cases_offices import ROWS as WHOLE

CONTRACTS = PROJECT_ROOT / "data_contracts"
EXTRACTS = extract_names(CONTRACTS)
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


def labelled_codes(contract: Contract) -> dict[str, dict[str, str]]:
    """The lists that a contract uses, codes to labels."""
    names = {column.code_list for column in contract.columns if column.code_list}
    return {name: dict(code_list(CONTRACTS, name).select("code", "label").iter_rows()) for name in names}


def workbook_of(extract: str) -> openpyxl.Workbook:
    contract = contract_of(extract)
    return openpyxl.load_workbook(io.BytesIO(xlsx_template(contract, labelled_codes(contract))))


def place_of(contract: Contract) -> tuple[str, str]:
    """A district and a school year in which the contract's examples can be true: those of the example's test, if it has one."""
    test = next((column.example for column in contract.columns if column.code_list == "instruments"), None)
    if test is None:
        return PLACE
    instrument = code_list(CONTRACTS, "instruments").row(by_predicate=pl.col("code") == test, named=True)
    districts = code_list(CONTRACTS, "districts").filter(state=instrument["state"])
    return districts["code"][0], instrument["first_school_year"]


def as_a_person_types(kind: str, example: str) -> object:
    match kind:
        case "integer":
            return int(example)
        case "number":
            return float(example)
        case "boolean":
            return example == "true"
        case "date":
            return date.fromisoformat(example)
        case _:
            return example


def example_row(contract: Contract) -> dict[str, object]:
    """The contract's examples as cells; a number without one is said to be not applicable."""
    row = {c.name: as_a_person_types(c.kind, c.example) for c in contract.columns if c.example is not None}
    return row | {c.name: "z" for c in contract.columns if c.symbol_for and c.symbol_for not in row}


def example_rows(contract: Contract) -> list[dict[str, object]]:
    """The example row, as often as the extract needs it to be whole."""
    return [example_row(contract) | more for more in WHOLE.get(contract.extract, [{}])]


def header(sheet: Any) -> list[str]:
    return [cell.value for cell in sheet[1]]


@pytest.mark.parametrize("extract", EXTRACTS)
class TestWorkbook:
    def test_first_sheet_has_the_columns_of_the_contract_and_nothing_below(self, extract: str) -> None:
        book = workbook_of(extract)
        assert book.sheetnames == ["data", "notes", "columns", "codes"]
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

    def test_every_kind_of_column_has_its_cell_format(self, extract: str) -> None:
        sheet = workbook_of(extract)["data"]
        formats = {
            position: group.number_format
            for group in sheet.column_dimensions.values()
            for position in range(group.min, group.max + 1)
        }
        patterns = {"text": "@", "boolean": "@", "integer": "0", "number": "General", "date": "yyyy-mm-dd"}
        expected = [patterns[column.kind] for column in contract_of(extract).columns]
        assert [formats[position] for position in range(1, len(expected) + 1)] == expected

    def test_drop_downs_offer_exactly_the_codes(self, extract: str) -> None:
        book = workbook_of(extract)
        by_column = {}
        for validation in book["data"].data_validations.dataValidation:
            for place in str(validation.sqref).split():
                letters, first, last = re.fullmatch(r"([A-Z]+)(\d+):\1(\d+)", place).groups()  # type: ignore[union-attr]
                assert (first, last) == ("2", "1048576")
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
            elif column.kind in ("integer", "number"):
                least = "-1000000000000000" if column.minimum is None else f"{column.minimum:g}"
                found = (validation.type, validation.operator, validation.formula1)
                assert found == ("whole" if column.kind == "integer" else "decimal", "greaterThanOrEqual", least)
                has_symbol = any(other.symbol_for == column.name for other in contract_of(extract).columns)
                assert ("symbol" in validation.error) == has_symbol
            elif column.kind == "date":
                assert validation.type == "date"
            elif column.max_length:
                assert (validation.type, validation.formula1) == ("textLength", str(column.max_length))
            else:
                assert validation is None
            assert validation is None or len(validation.error) <= 255

    def test_labels_stand_beside_the_codes(self, extract: str) -> None:
        sheet = workbook_of(extract)["codes"]
        found = {column[0].value: [cell.value for cell in column[1:] if cell.value is not None] for column in sheet.columns}
        for name, labels in labelled_codes(contract_of(extract)).items():
            assert (found[name], found[f"{name}: meaning"]) == (list(labels), list(labels.values()))

    def test_lists_of_codes_without_labels_serve_as_well(self, extract: str) -> None:
        contract = contract_of(extract)
        lists = {name: tuple(labels) for name, labels in labelled_codes(contract).items()}
        book = openpyxl.load_workbook(io.BytesIO(xlsx_template(contract, lists)))
        assert header(book["codes"]) == sorted(lists)

    def test_one_sheet_explains_every_column(self, extract: str) -> None:
        contract = contract_of(extract)
        rows = list(workbook_of(extract)["columns"].values)
        assert rows[0][:2] == ("contract version", contract.version)
        assert rows[2] == ("column", "type", "needed", "codes", "example", "meaning")
        for row, column in zip(rows[3:], contract.columns, strict=True):
            needed = "yes" if column.is_required else None
            assert row == (column.name, column.kind, needed, column.code_list, column.example, column.description)

    def test_one_sheet_says_how_to_fill_it_in(self, extract: str) -> None:
        contract = contract_of(extract)
        text = "\n".join(str(row[0]) for row in workbook_of(extract)["notes"].values)
        for part in (contract.version, contract.purpose, contract.limitations, contract.usage, f"--extract {extract}"):
            assert part in text
        assert all(name in text for name in contract.key)
        assert ("_symbol" in text) == any(column.symbol_for for column in contract.columns)

    def test_the_file_knows_its_contract(self, extract: str) -> None:
        book = workbook_of(extract)
        contract = contract_of(extract)
        found = {entry.name: entry.value for entry in book.custom_doc_props.props}
        assert found == {"contract": extract, "contract_version": contract.version}
        assert contract.title in str(book.properties.title)

    def test_the_same_contract_gives_the_same_bytes(self, extract: str) -> None:
        contract = contract_of(extract)
        assert xlsx_template(contract, labelled_codes(contract)) == xlsx_template(contract, labelled_codes(contract))

    def test_filled_with_the_examples_it_passes(self, extract: str) -> None:
        contract = contract_of(extract)
        book, rows = workbook_of(extract), example_rows(contract)
        for line, row in enumerate(rows, start=2):
            for position, name in enumerate(header(book["data"]), start=1):
                book["data"].cell(line, position).value = row.get(name)
        filled = io.BytesIO()
        book.save(filled)
        self.passes(DeliveredFile("filled.xlsx", filled.getvalue()), contract, rows)

    def test_filled_with_the_examples_and_savedtable_csv_it_passes(self, extract: str) -> None:
        contract, text = contract_of(extract), io.StringIO()
        rows = example_rows(contract)
        text.write(csv_template(contract).decode("utf-8"))
        shown = [{name: str(value).upper() if isinstance(value, bool) else value for name, value in row.items()} for row in rows]
        csv.DictWriter(text, contract.column_names, lineterminator="\r\n").writerows(shown)
        self.passes(DeliveredFile("filled.csv", text.getvalue().encode()), contract, rows)

    def passes(self, file: DeliveredFile, contract: Contract, rows: list[dict[str, object]]) -> None:
        district, school_year = place_of(contract)
        screening = screen([file], CONTRACTS, district, contract.extract, school_year)
        assert screening.findings.filter(pl.col("tier").is_in(["S", "V"])).to_dicts() == []
        for line, (read, row) in enumerate(zip(screening.rows.to_dicts(), rows, strict=True), start=2):
            assert read["delivered_line"] == line
            for column in contract.columns:
                typed, text = row.get(column.name), read[column.name]
                if column.kind in ("number", "boolean") and typed is not None:
                    assert (float(text) if column.kind == "number" else text.lower() == "true") == typed, column.name
                else:
                    assert text == (None if typed is None else str(typed)), column.name


@pytest.mark.parametrize("extract", EXTRACTS)
class TestCsv:
    def test_is_the_header_with_a_byte_order_mark(self, extract: str) -> None:
        content = csv_template(contract_of(extract))
        assert content.startswith(b"\xef\xbb\xbf")
        assert content.endswith(b"\r\n")
        assert list(csv.reader(io.StringIO(content.decode("utf-8-sig")))) == [list(contract_of(extract).column_names)]


@pytest.mark.parametrize("extract", FILLED)
class TestFilledByHand:
    def test_an_empty_template_is_refused_in_plain_words(self, extract: str) -> None:
        empty = io.BytesIO()
        workbook_of(extract).save(empty)
        screening = screen([DeliveredFile("empty.xlsx", empty.getvalue())], CONTRACTS, PLACE[0], extract, PLACE[1])
        (finding,) = screening.findings.to_dicts()
        assert (screening.outcome, finding["rule_id"]) == ("unreadable", "READ-NO-ROWS")

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

    def test_a_filled_csv_passes(self, extract: str) -> None:
        text = io.StringIO()
        text.write(csv_template(contract_of(extract)).decode("utf-8"))
        csv.DictWriter(text, contract_of(extract).column_names).writerows(FILLED[extract])
        screening = screen([DeliveredFile("filled.csv", text.getvalue().encode())], CONTRACTS, PLACE[0], extract, PLACE[1])
        assert screening.findings.to_dicts() == []
        assert screening.outcome == READY


DELIVERY_RULES = READING_RULES | MAPPING_RULES


def unescaped(cell: str) -> str:
    """A cell as a reader sees it: without the backslashes that keep Markdown from taking a character for a mark."""
    return re.sub(r"\\([\\*_$<>\[\]~|])", r"\1", cell)


@pytest.mark.parametrize("extract", EXTRACTS)
class TestDictionary:
    def page(self, extract: str) -> str:
        contract = contract_of(extract)
        lists = {name: list(labels.items()) for name, labels in labelled_codes(contract).items()}
        return dictionary(contract, rules_of(CONTRACTS, contract), lists, DELIVERY_RULES)

    def tables(self, extract: str) -> dict[str, list[list[str]]]:
        """Rows of every table by the heading above it; an escaped bar is no border."""
        found: dict[str, list[list[str]]] = {}
        heading = ""
        for line in self.page(extract).splitlines():
            if line.startswith("#"):
                heading = line.strip("# ")
                found[heading] = []
            elif line.startswith("|"):
                found[heading].append([unescaped(cell.strip()) for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
        return {heading: [row for row in rows if set(row) != {"---"}] for heading, rows in found.items() if rows}

    def test_every_column_stands_in_it_with_its_meaning_and_example(self, extract: str) -> None:
        contract = contract_of(extract)
        columns = [column for column in contract.columns if column.symbol_for is None]
        for row, column in zip(self.tables(extract)["Columns"][1:], columns, strict=True):
            assert row[:3] == [f"`{column.name}`", column.kind, "yes" if column.is_required else ""]
            assert row[4] == ("" if column.example is None else f"`{column.example}`")
            has_symbol = any(other.symbol_for == column.name for other in contract.columns)
            assert row[5] == column.description + (" *Or a symbol.*" if has_symbol else "")
            assert column.code_list is None or f"[{column.code_list}](#" in row[3]

    def test_symbol_columns_are_explained_once(self, extract: str) -> None:
        contract = contract_of(extract)
        pairs = [[f"`{column.symbol_for}`", f"`{column.name}`"] for column in contract.columns if column.symbol_for]
        rows = self.tables(extract).get("Numbers that are not there", [])
        assert bool(rows) == bool(pairs)
        assert rows[1 : len(pairs) + 1] == pairs
        symbols = code_list(CONTRACTS, "symbols").select("code", "label").rows()
        assert not pairs or rows[len(pairs) + 2 :] == [[f"`{code}`", label] for code, label in symbols]

    def test_every_code_stands_in_it_with_its_label(self, extract: str) -> None:
        tables = self.tables(extract)
        for column in contract_of(extract).columns:
            if column.code_list and not column.symbol_for:
                labels = labelled_codes(contract_of(extract))[column.code_list]
                heading = column.code_list.replace("_", " ").capitalize()
                assert tables[heading][1:] == [[f"`{code}`", label] for code, label in labels.items()]

    def test_every_link_leads_to_a_heading(self, extract: str) -> None:
        page = self.page(extract)
        headings = {heading.lower().replace(" ", "-") for heading in re.findall(r"^#+ (.+)$", page, re.MULTILINE)}
        targets = set(re.findall(r"\]\(#([^)]+)\)", page))
        assert targets <= headings
        assert bool(targets) == any(column.code_list and not column.symbol_for for column in contract_of(extract).columns)

    def test_every_rule_stands_in_it_under_its_tier_with_its_fix(self, extract: str) -> None:
        tables = self.tables(extract)
        rules = rules_of(CONTRACTS, contract_of(extract))
        for tier, (name, _, then) in TIERS.items():
            rows = tables.get(f"{name} ({tier}): {then}", [[]])[1:]
            of_tier = [rule for rule in rules if rule.tier == tier]
            assert [row[0] for row in rows] == [f"`{rule.rule_id}` {rule.version}" for rule in of_tier]
            assert [row[1:] for row in rows] == [
                [" ".join(text.split()) for text in (rule.meaning, rule.how_to_fix, rule.rationale)] for rule in of_tier
            ]

    def test_rules_of_columns_reading_and_mapping_stand_in_it(self, extract: str) -> None:
        prefix = contract_of(extract).rule_prefix
        rows = self.tables(extract)["The file itself (S): blocks until it is corrected"][1:]
        assert [row[0] for row in rows[:2]] == [f"`{prefix}-S-COLUMN-MISSING`", f"`{prefix}-S-COLUMN-UNKNOWN`"]
        assert rows[2:] == [[f"`{rule_id}`", meaning] for rule_id, meaning in DELIVERY_RULES.items()]

    def test_every_tier_says_what_follows(self, extract: str) -> None:
        rows = self.tables(extract)["Rules"][1:]
        assert [row[0] for row in rows] == ["**S** Structure", "**V** Validity", "**Q** Plausibility", "**M** Whole file"]
        assert ["blocks" in row[2] for row in rows] == [True, True, False, False]
        assert ["acknowledged" in row[2] for row in rows] == [False, False, True, True]

    def test_every_table_is_a_rectangle(self, extract: str) -> None:
        for rows in self.tables(extract).values():
            assert all(rows)
        for block in re.findall(r"(?:^\|.*\n)+", self.page(extract), re.MULTILINE):
            widths = {len(re.split(r"(?<!\\)\|", line)) for line in block.splitlines()}
            assert len(widths) == 1

    def test_it_names_no_path_of_this_machine(self, extract: str) -> None:
        assert str(Path.home()) not in self.page(extract)
        assert str(PROJECT_ROOT) not in self.page(extract)


def document_with(**changes: Any) -> dict[str, Any]:
    """A small contract with one column of every kind."""
    properties = [
        {"name": "unit", "physicalType": "VARCHAR", "description": "`a|b` | <b>*x* $1$ _y_ a_b [z] \\ ~q~", "required": True},
        {"name": "n", "physicalType": "BIGINT", "description": "Whole."},
        {"name": "share", "physicalType": "DOUBLE", "description": "Number.", "logicalTypeOptions": {"minimum": 0.5}},
        {"name": "is_open", "physicalType": "BOOLEAN", "description": "Open."},
        {"name": "first_day", "physicalType": "DATE", "description": "Day."},
        {
            "name": "grade",
            "physicalType": "VARCHAR",
            "description": "Grade.",
            "customProperties": [{"property": "codeList", "value": "grades"}],
        },
    ]
    properties[0]["primaryKeyPosition"] = 1
    schema = {"name": "small", "customProperties": [{"property": "rulePrefix", "value": "SM"}], "properties": properties}
    words = {"purpose": "What.", "limitations": "Not.", "usage": "One row a unit."}
    return {"name": "Small", "version": "1.0.0", "description": words, "schema": [schema]} | changes


class TestEveryKindOfColumn:
    LISTS = {"grades": {f"grade {number:03d}": f"Grade {number}" for number in range(300)}}  # noqa: RUF012

    def test_a_drop_down_has_no_limit_of_255_characters(self) -> None:
        book = openpyxl.load_workbook(io.BytesIO(xlsx_template(parse_contract(document_with()), self.LISTS)))
        by_column = {str(v.sqref).split(":")[0]: v for v in book["data"].data_validations.dataValidation}
        assert by_column["F2"].formula1 == "codes!$A$2:$A$301"
        assert [row[0].value for row in book["codes"]["A2:A301"]] == list(self.LISTS["grades"])

    def test_numbers_dates_and_booleans_are_checked_while_they_are_typed(self) -> None:
        book = openpyxl.load_workbook(io.BytesIO(xlsx_template(parse_contract(document_with()), self.LISTS)))
        found = {
            str(v.sqref).split(":")[0]: (v.type, v.operator, v.formula1) for v in book["data"].data_validations.dataValidation
        }
        assert found["B2"] == ("whole", "greaterThanOrEqual", "-1000000000000000")
        assert found["C2"] == ("decimal", "greaterThanOrEqual", "0.5")
        assert found["D2"][2] == '"true,false"'
        assert found["E2"] == ("date", "greaterThanOrEqual", "1")
        formats = [book["data"].column_dimensions[letter].number_format for letter in "ABCDEF"]
        assert formats == ["@", "0", "General", "@", "yyyy-mm-dd", "@"]

    def test_every_kind_is_read_back_as_it_was_typed(self) -> None:
        from pipelines.intake.reading import read_delivery

        book = openpyxl.load_workbook(io.BytesIO(xlsx_template(parse_contract(document_with()), self.LISTS)))
        for position, value in enumerate(("007", 12, 0.75, True, date(2024, 10, 1), "grade 004"), start=1):
            book["data"].cell(2, position).value = value
        filled = io.BytesIO()
        book.save(filled)
        table = read_delivery([DeliveredFile("a.xlsx", filled.getvalue())]).table
        unit, n, share, is_open, first_day, grade = table.row(0)[3:]
        assert (unit, n, share, is_open.lower(), first_day, grade) == ("007", "12", "0.75", "true", "2024-10-01", "grade 004")

    def test_no_text_of_a_contract_is_taken_for_a_mark(self) -> None:
        page = dictionary(parse_contract(document_with()), (), {"grades": [("K", "a | b")]})
        assert r"`a\|b` \| \<b>\*x\* \$1\$ \_y\_ a_b \[z\] \\ \~q\~" in page
        assert r"| `K` | a \| b |" in page

    def test_versions_say_what_they_changed(self) -> None:
        text = """
        - {version: 1.1.0, note: Shares came in., added: {share: 0.5}, removed: [rate]}
        - {version: 1.2.0, note: Clearer names., renamed: {unit: school, n: count}, added: [grade]}
        """
        changes = [{"property": "changes", "value": yaml.safe_load(text)}]
        contract = parse_contract(document_with(version="1.2.0", customProperties=changes))
        page = dictionary(contract, (), {"grades": [("K", "Kindergarten")]})
        assert "| 1.2.0 | Clearer names. | added `grade`, renamed `school` to `unit`, renamed `count` to `n` |" in page
        assert "| 1.1.0 | Shares came in. | added `share` (earlier files: `0.5`), removed `rate` |" in page
        assert page.index("| 1.2.0 |") < page.index("| 1.1.0 |") < page.index("| 1.0.0 |")
        notes = openpyxl.load_workbook(io.BytesIO(xlsx_template(contract, self.LISTS)))["notes"]
        assert "1.1.0: Shares came in." in [row[0] for row in notes.values]

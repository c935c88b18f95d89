"""Every rule of every contract: hand-made rows in which it fires, and rows that come near and pass.

Lines, fields, values and messages are written by hand. What a contract file must look like stands in `test_contracts`; how a
finding travels on does not belong here.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.contracts.codes import codes
from pipelines.contracts.column_rules import acceptable_codes, all_rules
from pipelines.contracts.contract import Contract, Rule, extract_names, load_contract, parse_contract
from pipelines.contracts.expectations import validate
from pipelines.intake import checking
from pipelines.intake.checking import RulesTookTooLong, load_check_tables, rules_of, run_rules
from pipelines.intake.context import NO_CONTEXT, Context
from pipelines.synthetic.network import SyntheticNetwork, build_network
from tests.contracts import rule_cases_offices, rule_cases_schools, rule_cases_state
from tests.contracts.rule_cases import (
    CONTRACTS,
    YEAR,
    YEAR_BEFORE,
    ZEROS,
    Case,
    Delivery,
    Found,
    Row,
    column_cases,
    other_key,
    prefixed,
    schools,
)

EXTRACTS = extract_names(CONTRACTS)


def as_mapped(rows: Sequence[Row], file: str = "a.csv") -> pl.DataFrame:
    """Rows as a mapping hands them over; the first one stands on line 2, below the header."""
    n = len(rows)
    places = {"row_id": range(1, n + 1), "delivered_file": [file] * n, "delivered_line": range(2, n + 2)}
    schema = {"row_id": pl.Int64, "delivered_file": pl.String, "delivered_line": pl.Int64}
    frame = pl.DataFrame(places, schema=schema)
    names = list(rows[0]) if rows else []
    return frame.with_columns(pl.Series(name, [row.get(name) for row in rows], dtype=pl.String) for name in names)


def check(
    contract: Contract,
    rules: Sequence[Rule],
    rows: pl.DataFrame,
    district: str = "philadelphia",
    school_year: str = YEAR,
    context: Context = NO_CONTEXT,
    seconds: float = 300.0,
) -> tuple[pl.DataFrame, dict[str, int]]:
    present = [name for name in rows.columns if name in contract.by_name] or contract.column_names
    with duckdb.connect() as connection:
        load_check_tables(connection, rows, contract, CONTRACTS, district, school_year, context)
        return run_rules(connection, contract, rules, present, seconds)


# --- rules that follow from the columns, on a contract made for the purpose ---


def made_column(name: str, physical: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "physicalType": physical, "description": f"{name}.", **more}


MADE = parse_contract(
    {
        "name": "Made",
        "version": "2.1.0",
        "description": {"purpose": "Tests.", "limitations": "Tests.", "usage": "Tests."},
        "schema": [
            {
                "name": "made",
                "customProperties": [{"property": "rulePrefix", "value": "MD"}],
                "properties": [
                    made_column(
                        "id", "VARCHAR", required=True, primaryKeyPosition=1, logicalTypeOptions={"pattern": "^[0-9]{3}$"}
                    ),
                    made_column(
                        "part",
                        "VARCHAR",
                        required=True,
                        primaryKeyPosition=2,
                        customProperties=[{"property": "codeList", "value": "unit_types"}],
                    ),
                    made_column("note", "VARCHAR", logicalTypeOptions={"maxLength": 5}),
                    made_column("n", "BIGINT", logicalTypeOptions={"minimum": 0}),
                    made_column(
                        "n_symbol",
                        "VARCHAR",
                        customProperties=[
                            {"property": "codeList", "value": "symbols"},
                            {"property": "symbolFor", "value": "n"},
                        ],
                    ),
                    made_column("share", "DOUBLE", logicalTypeOptions={"minimum": 0.5}),
                    made_column("is_new", "BOOLEAN"),
                    made_column("day", "DATE"),
                    made_column("rate", "DOUBLE", logicalTypeOptions={"maximum": 1}),
                    made_column("whole", "BIGINT", customProperties=[{"property": "steadyFrom", "value": 20}]),
                    made_column("portion", "BIGINT", customProperties=[{"property": "partOf", "value": "whole"}]),
                ],
            }
        ],
    }
)
MADE_RULES = all_rules(MADE, {name: codes(CONTRACTS, name) for name in ("unit_types", "symbols")})
GOOD: Row = {
    "id": "001", "part": "school", "note": "fine", "n": "7", "n_symbol": None, "share": "0.5", "is_new": "yes",
    "day": "2024-02-29", "rate": "0.9", "whole": "40", "portion": "30",
}  # fmt: skip


class Expected(NamedTuple):
    rule_id: str
    line: int | None
    field: str | None
    value: str | None
    message: str


def made_rows(*overrides: Row) -> list[Row]:
    """Rows that differ from a good one; ids count up from 001 unless the row says otherwise."""
    return [GOOD | {"id": f"{number:03d}"} | row for number, row in enumerate(overrides, start=1)]


def without_columns(row: Row, *names: str) -> Row:
    return {name: value for name, value in row.items() if name not in names}


def made_findings(*overrides: Row, context: Context = NO_CONTEXT) -> list[Expected]:
    found, counts = check(MADE, MADE_RULES, as_mapped(made_rows(*overrides)), context=context)
    assert set(found["file"]) <= {"a.csv"}
    assert set(found["rule_version"]) <= {"2.1.0"}
    assert counts == dict(found["rule_id"].value_counts().rows())
    return [Expected(*row) for row in found.select("rule_id", "line", "field", "value", "message").rows()]


def test_a_good_row_has_no_finding() -> None:
    assert made_findings({}, {"share": "12", "is_new": "F", "n": None, "n_symbol": "c", "day": None}) == []


def test_a_blank_required_value_is_found_on_its_line() -> None:
    expected = [
        Expected("MD-S-REQUIRED", 3, "part", None, "part is blank"),
        Expected("MD-S-REQUIRED", 4, "id", None, "id is blank"),
        Expected("MD-S-REQUIRED", 4, "part", None, "part is blank"),
    ]
    assert made_findings({}, {"part": None}, {"id": None, "part": None}, {"note": None}) == expected


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("n", "1,138", "a whole number written with digits only"),
        ("n", "12 %", "a whole number written with digits only"),
        ("n", "7.0", "a whole number written with digits only"),
        ("n", "1e3", "a whole number written with digits only"),
        ("n", "s", "a whole number written with digits only"),
        ("n", "99999999999999999999", "a whole number written with digits only"),
        ("n", "\u0667", "a whole number written with digits only"),
        ("share", "0,5", "a number written with digits and a decimal point"),
        ("share", ".5", "a number written with digits and a decimal point"),
        ("share", "nan", "a number written with digits and a decimal point"),
        ("share", "1e999", "a number written with digits and a decimal point"),
        ("is_new", "maybe", "true or false"),
        ("day", "2023-02-29", "a date written as YYYY-MM-DD"),
        ("day", "3/1/2024", "a date written as YYYY-MM-DD"),
    ],
)
def test_a_value_of_another_type_is_found(field: str, value: str, words: str) -> None:
    assert made_findings({}, {field: value}) == [Expected("MD-S-TYPE", 3, field, value, f'"{value}" is not {words}')]


@pytest.mark.parametrize(
    ("field", "value"),
    [("n", "+7"), ("n", "0007"), ("share", "100"), ("share", "1.25"), ("is_new", "Y"), ("is_new", "FALSE"), ("is_new", "0")],
)
def test_a_value_of_the_type_is_not_found(field: str, value: str) -> None:
    assert made_findings({field: value}) == []


def test_a_value_that_is_no_code_is_found_with_all_codes_and_the_nearest_one() -> None:
    assert made_findings({"part": "School"}, {"n": None, "n_symbol": "s"}, {"part": "whole city"}) == [
        Expected("MD-S-CODE", 2, "part", "School", '"School" is not one of school, district; did you mean school?'),
        Expected("MD-S-CODE", 3, "n_symbol", "s", '"s" is not one of z, x, c, low, u'),
        Expected("MD-S-CODE", 4, "part", "whole city", '"whole city" is not one of school, district'),
    ]


@pytest.mark.parametrize("value", ["0001", "00a", "001\n002", "7a", " 7"])
def test_a_value_of_another_form_is_found(value: str) -> None:
    shown = value.replace("\n", "\N{REPLACEMENT CHARACTER}")
    assert made_findings({"id": value}) == [
        Expected("MD-S-PATTERN", 2, "id", value, f'"{shown}" does not have the form ^[0-9]{{3}}$')
    ]


def test_lost_zeros_are_one_finding_and_no_wrong_form() -> None:
    found, counts = check(MADE, MADE_RULES, as_mapped(made_rows({}, {"id": "7"}, {"id": "12"}, {"id": "0001"}, {"id": "8"})))
    assert found.select("rule_id", "line", "value", "affected_rows", "message").rows() == [
        ("MD-S-ZEROS-LOST", 3, "7", 3, f'"7" is shorter than the 3 digits of id; rows like this: 3. {ZEROS}'),
        ("MD-S-PATTERN", 5, "0001", 1, '"0001" does not have the form ^[0-9]{3}$'),
    ]
    assert counts == {"MD-S-ZEROS-LOST": 1, "MD-S-PATTERN": 1}
    assert "Format the cells of the column as text" in found["how_to_fix"][0]


def test_an_overlong_text_is_found_and_counted_in_characters() -> None:
    assert made_findings({"note": "naïve"}, {"note": "naïves"}) == [
        Expected("MD-S-LENGTH", 3, "note", "naïves", "the text has 6 characters, more than 5")
    ]


def test_a_long_value_is_cut_in_the_finding() -> None:
    found = made_findings({"note": "x" * 5000, "part": "y" * 5000, "n": "z" * 5000})
    assert {entry.value for entry in found} == {"x" * 120, "y" * 120, "z" * 120}
    assert max(len(entry.message) for entry in found) < 300
    (key,) = set(check(MADE, MADE_RULES, as_mapped(made_rows({"part": "y" * 5000})))[0]["business_key"])
    assert len(key) == 500


def test_a_number_without_reason_and_a_reason_beside_a_number_are_found() -> None:
    assert made_findings({"n": None}, {"n_symbol": "c"}, {"n": None, "n_symbol": "low"}) == [
        Expected("MD-S-SYMBOL-MISSING", 2, "n", None, "n is blank and so is n_symbol"),
        Expected("MD-S-SYMBOL-UNEXPECTED", 3, "n_symbol", "c", "n is 7 and n_symbol is c"),
    ]


def test_a_number_below_its_minimum_is_found() -> None:
    assert made_findings({"n": "-1"}, {"n": "0"}, {"share": "0.25"}) == [
        Expected("MD-V-BELOW-MINIMUM", 2, "n", "-1", "n is below 0: -1"),
        Expected("MD-V-BELOW-MINIMUM", 4, "share", "0.25", "share is below 0.5: 0.25"),
    ]


def test_a_number_above_its_maximum_is_found() -> None:
    assert made_findings({"rate": "1.5"}, {"rate": "1"}, {"rate": None}, {"rate": "85"}, {"rate": "85 %"}) == [
        Expected("MD-S-TYPE", 6, "rate", "85 %", '"85 %" is not a number written with digits and a decimal point'),
        Expected("MD-V-ABOVE-MAXIMUM", 2, "rate", "1.5", "rate is above 1: 1.5"),
        Expected("MD-V-ABOVE-MAXIMUM", 5, "rate", "85.0", "rate is above 1: 85.0"),
    ]
    without_rate = [without_columns(row, "rate") for row in made_rows({}, {})]
    assert check(MADE, MADE_RULES, as_mapped(without_rate))[1] == {}


def test_a_part_larger_than_its_whole_is_found() -> None:
    found = made_findings(
        {"portion": "41"},
        {"portion": "40"},
        {"portion": None},
        {"whole": None, "portion": "41"},
        {"whole": "forty", "portion": "41"},
    )
    assert found == [
        Expected("MD-S-TYPE", 6, "whole", "forty", '"forty" is not a whole number written with digits only'),
        Expected("MD-V-PART-OVER-WHOLE", 2, "portion", "41", "portion is 41 but whole is 40"),
    ]


@pytest.mark.parametrize("absent", ["whole", "portion"])
def test_a_part_is_not_compared_with_a_column_that_is_not_there(absent: str) -> None:
    rows = [without_columns(row, absent) for row in made_rows(*[{"portion": "41"}] * 20)]
    past = Context(in_force=pl.DataFrame(made_rows(*[{"whole": "400"}] * 20)))
    assert check(MADE, MADE_RULES, as_mapped(rows), context=past)[1] == (
        {"MD-Q-COUNT-CHANGED": 20} if absent == "portion" else {}
    )


def test_a_count_that_halved_or_doubled_is_found_beside_the_row_certified_last() -> None:
    past = made_rows({"whole": "20"}, {"whole": "20"}, {"whole": "20"}, {"whole": "20"}, {"whole": "19"}, {"whole": None}, {})
    numbers = ("9", "10", "41", "40", "1", "900", None, "900")
    now: list[Row] = [{"whole": number, "portion": None} for number in numbers]
    origin = "school year 2022-23"
    assert made_findings(*now, context=Context(earlier_years={YEAR_BEFORE: pl.DataFrame(past)}))[:2] == [
        Expected("MD-Q-COUNT-CHANGED", 2, "whole", "9", f"whole is 9; in {origin} it is 20"),
        Expected("MD-Q-COUNT-CHANGED", 4, "whole", "41", f"whole is 41; in {origin} it is 20"),
    ]
    counts = check(MADE, MADE_RULES, as_mapped(made_rows(*now)), context=Context(in_force=pl.DataFrame(past)))[1]
    assert counts == {"MD-Q-COUNT-CHANGED": 2, "MD-M-COLUMN-EMPTIED": 1}
    assert made_findings(*now) == []


def test_a_column_that_holds_its_whole_throughout_is_found() -> None:
    copied = [{"portion": "40"}] * 20
    expected = [
        Expected("MD-M-PART-COPIED", None, "portion", None, "portion equals whole in all rows that have both: 20"),
    ]
    assert made_findings(*copied) == expected
    beside: list[Row] = [{"portion": None}, {"whole": None, "portion": "3"}, {"whole": "0", "portion": "0"}]
    assert made_findings(*copied, *beside) == expected
    assert made_findings(*copied[:19], *beside) == []
    assert made_findings(*copied, {"portion": "39"}) == []
    assert made_findings(*[{"whole": "0", "portion": "0"}] * 20) == []
    without_note = [without_columns(row, "note") for row in made_rows(*copied)]
    assert check(MADE, MADE_RULES, as_mapped(without_note))[1] == {}, "a file that lacks a column is not looked at as a whole"


COUNTS = ["n_eligible", "n_respondents", "n_regular_use", "n_modifying", "n_would_keep"]
WHOLE_OF = {
    "n_respondents": "n_eligible",
    "n_regular_use": "n_respondents",
    "n_modifying": "n_regular_use",
    "n_would_keep": "n_respondents",
}
NUMBERS = st.one_of(
    st.none(), st.integers(0, 4).map(str), st.integers(-2, 12).map("{:03d}".format), st.sampled_from(["x", "3.0", "+2"])
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(*[NUMBERS] * len(COUNTS)), min_size=1, max_size=12))
def test_parts_over_their_wholes_are_those_that_another_computation_finds(numbers: list[tuple[str | None, ...]]) -> None:
    contract = load_contract(CONTRACTS, "materials_use")
    (rule,) = [rule for rule in rules_of(CONTRACTS, contract) if rule.rule_id == "MU-V-PART-OVER-WHOLE"]
    rows = as_mapped(full("materials_use", [dict(zip(COUNTS, row, strict=True)) for row in numbers]))
    found, counts = check(contract, [rule], rows)
    is_number = pl.col(COUNTS).str.contains(r"^[+-]?[0-9]+$")
    read = rows.with_columns(pl.when(is_number).then(pl.col(COUNTS).str.strip_chars_start("+")).cast(pl.Int64).name.keep())
    expected = [
        (line, part)
        for part, whole in WHOLE_OF.items()
        for line in read.filter(pl.col(part) > pl.col(whole))["delivered_line"].to_list()
    ]
    assert sorted(found["line", "field"].rows()) == sorted(expected)
    assert sum(counts.values()) == len(expected)


def test_every_row_of_a_repeated_key_names_another_one_and_a_blank_key_is_not_a_duplicate() -> None:
    found = made_findings({"id": "009"}, {"id": "008"}, {"id": "009"}, {"id": "009", "part": "district"}, {"id": "009"})
    others = {2: 4, 4: 2, 6: 2}
    assert found == [
        Expected("MD-V-KEY-DUPLICATE", line, "part", "school", f"the same key also stands in line {other}; 3 rows have this key")
        for line, other in others.items()
    ]
    blank = made_findings({"id": None}, {"id": None})
    assert [entry.rule_id for entry in blank] == ["MD-S-REQUIRED"] * 2


def test_a_key_that_is_repeated_in_another_file_names_the_file() -> None:
    first, second = (as_mapped(made_rows({}), file) for file in ("north.csv", "south.csv"))
    both = pl.concat([first, second.with_columns(pl.col("row_id") + 1)])
    found, _ = check(MADE, MADE_RULES, both)
    assert found.select("file", "line", "message").rows() == [
        ("north.csv", 2, "the same key also stands in line 2 of south.csv; 2 rows have this key"),
        ("south.csv", 2, "the same key also stands in line 2 of north.csv; 2 rows have this key"),
    ]


def test_structure_comes_before_validity_and_lines_ascend() -> None:
    found = made_findings({"n": "-1"}, {"note": "too long"}, {"id": "001"}, {"n": "x"})
    order = [(entry.rule_id.split("-")[1], entry.rule_id, entry.line) for entry in found]
    assert [tier for tier, *_ in order] == sorted((tier for tier, *_ in order), key="SVQM".index)
    assert [line for _, rule, line in order if rule == "MD-V-KEY-DUPLICATE"] == [2, 4]


def test_the_finding_names_the_row_by_its_key() -> None:
    found, _ = check(MADE, MADE_RULES, as_mapped([GOOD | {"part": None, "note": "too long"}]))
    assert set(found["business_key"]) == {"id 001, part (blank)"}


def test_of_an_absent_column_nothing_is_found_in_any_row() -> None:
    rows = [{name: value for name, value in (GOOD | {"note": "too long"}).items() if name not in ("part", "n")}] * 3
    past = Context(in_force=pl.DataFrame(made_rows(*[{}] * 9, {"part": "district"})))
    found, counts = check(MADE, MADE_RULES, as_mapped(rows), context=past)
    assert found["rule_id"].to_list() == ["MD-S-LENGTH"] * 3
    assert counts == {"MD-S-LENGTH": 3}


def test_a_file_that_lacks_a_column_is_not_looked_at_as_a_whole() -> None:
    past = Context(in_force=pl.DataFrame(made_rows(*[{}] * 9)))
    rows = made_rows({}, {})
    assert check(MADE, MADE_RULES, as_mapped(rows), context=past)[1] == {"MD-M-ROWS-FEWER": 1}
    without_note = [{name: value for name, value in row.items() if name != "note"} for row in rows]
    assert check(MADE, MADE_RULES, as_mapped(without_note), context=past)[1] == {}


def test_hostile_values_are_data_and_nothing_else() -> None:
    value = "'; DROP TABLE extract_text; --"
    assert made_findings({"note": value}, {}) == [
        Expected("MD-S-LENGTH", 2, "note", value, "the text has 30 characters, more than 5")
    ]


def test_a_finding_about_the_whole_file_has_no_line_and_no_key_and_names_the_first_file() -> None:
    past = Context(earlier_years={YEAR_BEFORE: pl.DataFrame(made_rows({}, {}, {"part": "district"}))})
    found, counts = check(MADE, MADE_RULES, as_mapped(made_rows({"share": None}), "b.csv"), context=past)
    assert found.select("rule_id", "tier", "file", "line", "business_key", "field", "value").rows() == [
        ("MD-M-ROWS-FEWER", "M", "b.csv", None, None, None, "1"),
        ("MD-M-COLUMN-EMPTIED", "M", "b.csv", None, None, "share", None),
        ("MD-M-CODE-GONE", "M", "b.csv", None, None, "part", "district"),
    ]
    assert counts == dict.fromkeys(found["rule_id"], 1)


# --- suggestions ---


@pytest.mark.parametrize(
    ("extract", "field", "value", "meant"),
    [
        ("assessment_levels", "grade", "Grade 4", "4"),
        ("assessment_levels", "grade", "04", "4"),
        ("assessment_levels", "grade", "4th", "4"),
        ("assessment_levels", "grade", "gr. 11", "11"),
        ("assessment_levels", "grade", "k", "K"),
        ("assessment_levels", "grade", "3-8", "3_8"),
        ("assessment_levels", "grade", "13", None),
        ("assessment_levels", "grade", "99", None),
        ("assessment_levels", "subgroup", "Femal", "female"),
        ("assessment_levels", "subgroup", "English Learners", "english_learner"),
        ("assessment_levels", "subgroup", "STUDENTS WITH DISABILITIES", "disability"),
        ("assessment_levels", "subgroup", "martian", None),
        ("assessment_levels", "administration", "Sprng", "spring"),
        ("assessment_levels", "administration", "spring" + " " * 55, None),
        ("assessment_levels", "instrument", "pa_pssa_2015", "pa_pssa_math_2015"),
        ("curriculum_adoption", "course", "Algebra 1", "ALG1"),
        ("curriculum_adoption", "role", "suplemental", "supplemental"),
        ("school_directory", "school_level", "Elementary School", "elementary"),
    ],
)
def test_the_code_that_was_perhaps_meant(extract: str, field: str, value: str, meant: str | None) -> None:
    contract = load_contract(CONTRACTS, extract)
    found, _ = check(contract, rules_of(CONTRACTS, contract), as_mapped([{**BASE[extract], field: value}]))
    (message,) = found.filter(pl.col("rule_id").str.ends_with("-S-CODE"))["message"]
    assert message.partition("; did you mean ")[2] == ("" if meant is None else f"{meant}?")


def test_suggestions_are_looked_for_a_thousand_distinct_values_the_most_frequent_first() -> None:
    values = [f"spring{number:04d}" for number in range(1_500)]
    rows = pl.DataFrame({"administration": [*values, *values[700:]]})
    base = {name: value for name, value in BASE["assessment_levels"].items() if name != "administration"}
    rows = rows.with_row_index("number").select(
        pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("row_id"),
        pl.lit("a.csv").alias("delivered_file"),
        pl.int_range(2, pl.len() + 2, dtype=pl.Int64).alias("delivered_line"),
        pl.lit("unit").alias("unit"),
        "administration",
        *[pl.lit(value, dtype=pl.String).alias(name) for name, value in base.items()],
    )
    contract = load_contract(CONTRACTS, "assessment_levels")
    rule = next(rule for rule in rules_of(CONTRACTS, contract) if rule.rule_id == "AL-S-CODE")
    found, counts = check(contract, [rule], rows)
    assert counts == {"AL-S-CODE": 2_300}
    asked = found.filter(pl.col("message").str.contains("did you mean spring?", literal=True))["value"].unique()
    # 800 values stand there twice; of those that stand there once the first 200 in the alphabet are asked for.
    assert set(asked) == {*values[700:], *values[:200]}


def test_all_codes_are_listed_while_they_can_be_read() -> None:
    forty = tuple(str(number) for number in range(40))
    assert acceptable_codes(forty) == ", ".join(forty)
    assert acceptable_codes((*forty, "40")) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 29 more (nmip dictionary lists them)"


def test_of_instruments_those_of_the_state_and_year_are_listed_else_all() -> None:
    contract = load_contract(CONTRACTS, "assessment_levels")
    rows = as_mapped([BASE["assessment_levels"] | {"instrument": "PSSA"}])
    code_rule = [rule for rule in rules_of(CONTRACTS, contract) if rule.rule_id == "AL-S-CODE"]
    (here,) = check(contract, code_rule, rows)[0]["message"]
    assert here == '"PSSA" is not one of the instruments of PA in 2023-24: pa_pssa_math_2015'
    (nowhere,) = check(contract, code_rule, rows, district="los_angeles", school_year="2013-14")[0]["message"]
    assert nowhere == f'"PSSA" is not one of {", ".join(codes(CONTRACTS, "instruments"))}'


# --- every rule of every contract ---

FIRST_BASE: dict[str, Row] = {
    "assessment_levels": {
        "unit_type": "school", "unit_id": "101", "grade": "4", "subgroup": "all", "instrument": "pa_pssa_math_2015",
        "administration": "spring", "n_enrolled": "120", "n_enrolled_symbol": None, "n_tested": "118", "n_tested_symbol": None,
        "n_level_1": "40", "n_level_1_symbol": None, "n_level_2": "38", "n_level_2_symbol": None,
        "n_level_3": "30", "n_level_3_symbol": None, "n_level_4": "10", "n_level_4_symbol": None,
        "n_level_5": None, "n_level_5_symbol": "z", "n_level_6": None, "n_level_6_symbol": "z",
    },
    "curriculum_adoption": {
        "school_id": "101", "course": "4", "title": "Example Mathematics", "role": "core", "subgroup": "all",
        "publisher": "Example Press", "edition": "2022", "review_status": "meets", "reviewer": "A reviewer",
        "review_year": "2022", "adoption_status": "adopted", "n_students": "96", "n_students_symbol": None,
        "delivered_by_day_1": "true", "el_swd_guidance_in_use": None, "alignment_with_core": None, "is_digital": "true",
        "n_licensed": "90", "n_licensed_symbol": None, "n_recommended_use": "60", "n_recommended_use_symbol": None,
    },
    "school_directory": {
        "school_id": "101", "nces_school_id": "421899000001", "school_name": "Carver", "school_level": "elementary",
        "low_grade": "K", "high_grade": "5", "is_charter": "false", "in_scope": "true", "network_id": None,
        "predecessor_school_ids": None,
        "n_enrolled": "480", "n_enrolled_symbol": None, "n_enrolled_in_scope": "410", "n_enrolled_in_scope_symbol": None,
        "n_low_income": "350", "n_low_income_symbol": None, "n_english_learner": "90", "n_english_learner_symbol": None,
        "n_disability": "70", "n_disability_symbol": None,
    },
}  # fmt: skip
# Extracts of which one row alone is not all that must be there.
WHOLE = rule_cases_offices.ROWS
BASE = FIRST_BASE | rule_cases_schools.BASE | rule_cases_offices.BASE | rule_cases_state.BASE
PREFIX = {load_contract(CONTRACTS, extract).rule_prefix: extract for extract in EXTRACTS}
DISTRICT: Row = {"unit_type": "district", "unit_id": "4218990"}


def levels(*by_level: int, more_enrolled: int = 2) -> Row:
    """Counts at the four levels of the base row's test, with the number tested that they add up to."""
    n = sum(by_level)
    counts: Row = {f"n_level_{level}": str(count) for level, count in enumerate(by_level, start=1)}
    return {"n_tested": str(n), "n_enrolled": str(n + more_enrolled), **counts}


def spread(n: int) -> Row:
    """`n` students tested, spread over the levels."""
    return levels(n - 3 * (n // 4), n // 4, n // 4, n // 4)


WITHHELD: Row = {
    "n_tested": None, "n_tested_symbol": "c", **{f"n_level_{level}": None for level in range(1, 5)},
    **{f"n_level_{level}_symbol": "c" for level in range(1, 5)},
}  # fmt: skip
GRADES = ", ".join(codes(CONTRACTS, "grades"))
COURSES = ", ".join(codes(CONTRACTS, "courses"))
SCHOOL_LEVELS = ", ".join(codes(CONTRACTS, "school_levels"))


# A wrong code that lies near a right one, and the number that is taken where any would do.
CODED: dict[str, tuple[str, str, str]] = {
    "assessment_levels": ("grade", "Grade 4", f'"Grade 4" is not one of {GRADES}; did you mean 4?'),
    "curriculum_adoption": ("course", "grade 4", f'"grade 4" is not one of {COURSES}; did you mean 4?'),
    "school_directory": ("school_level", "Middle school", f'"Middle school" is not one of {SCHOOL_LEVELS}; did you mean middle?'),
}
NUMBER = {"assessment_levels": "n_tested", "curriculum_adoption": "n_licensed", "school_directory": "n_low_income"}
COLUMN_CASES: dict[str, Case] = {
    rule_id: case
    for extract in EXTRACTS
    for rule_id, case in prefixed(extract, column_cases(extract, BASE[extract], CODED.get(extract), NUMBER.get(extract))).items()
}
FIRST_CASES: dict[str, Case] = {
    "AL-V-TESTED-OVER-ENROLLED": Case(
        Delivery([{"n_enrolled": "117"}]),
        [Found(2, "n_tested", "118", "n_tested is 118 but n_enrolled is 117")],
        [Delivery([{"n_enrolled": "118"}, {"unit_id": "102", "n_enrolled": None, "n_enrolled_symbol": "x"}])],
    ),
    "AL-V-LEVELS-SUM": Case(
        Delivery([{}, {"unit_id": "102", "n_level_4": "11"}]),
        [Found(3, "n_tested", "118", "the levels add up to 119 but n_tested is 118")],
        [Delivery([{}, {"unit_id": "102", "n_level_4": None, "n_level_4_symbol": "c"}])],
    ),
    "AL-V-LEVELS-OF-TEST": Case(
        Delivery(
            [
                {"n_level_5": "0", "n_level_5_symbol": None},
                {"unit_id": "102", "n_level_6_symbol": "c"},
                {"unit_id": "103", "n_level_4": None, "n_level_4_symbol": "z"},
            ]
        ),
        [
            Found(2, "n_level_5", "0", "this test has 4 levels, so level 5 must be blank with symbol z"),
            Found(3, "n_level_6", None, "this test has 4 levels, so level 6 must be blank with symbol z"),
            Found(4, "n_level_4", None, "this test has 4 levels, so level 4 is never not applicable"),
        ],
        [Delivery([{}, {"unit_id": "102", "n_level_4": None, "n_level_4_symbol": "c"}])],
    ),
    "AL-V-INSTRUMENT-YEAR": Case(
        Delivery(
            [
                {},
                {"instrument": "pa_pssa_math_2006"},
                {"instrument": "il_iar_math_2019"},
                {"instrument": "pa_pssa_math_2006", "unit_id": "102"},
                {"instrument": "pa_pssa_math_2026"},
            ]
        ),
        [
            Found(
                3, "instrument", "pa_pssa_math_2006",
                "pa_pssa_math_2006 was in use from 2005-06 to 2013-14, and this submission is for 2023-24; the instrument of "
                "this state and year is pa_pssa_math_2015", 2,
            ),
            Found(
                4, "instrument", "il_iar_math_2019",
                "il_iar_math_2019 is a test of IL, and this district is in PA; the instrument of this state and year is "
                "pa_pssa_math_2015",
            ),
            Found(
                6, "instrument", "pa_pssa_math_2026",
                "pa_pssa_math_2026 was in use from 2025-26 on, and this submission is for 2023-24; the instrument of this state "
                "and year is pa_pssa_math_2015",
            ),
        ],
        [Delivery([{}, {"unit_id": "102"}])],
    ),
    "AL-V-DISTRICT-UNIT": Case(
        Delivery([DISTRICT | {"unit_id": "A"}, DISTRICT | {"unit_id": "B", "grade": "5"}, {"unit_id": "C"}]),
        [Found(3, "unit_id", "B", "district rows carry more than one unit_id; this one differs from A")],
        [Delivery([DISTRICT, DISTRICT | {"grade": "5"}, {"unit_id": "102"}, {"unit_id": "103"}])],
    ),
    "AL-Q-ONE-LEVEL": Case(
        Delivery(
            [
                levels(0, 0, 30, 0),
                {"grade": "5", **levels(10, 10, 5, 5)},
                {"subgroup": "female", **levels(0, 0, 0, 100)},
            ]
        ),
        [
            Found(2, "n_level_3", "30", "all 30 students tested are at level 3"),
            Found(4, "n_level_4", "100", "all 100 students tested are at level 4"),
        ],
        [
            Delivery(
                [
                    levels(0, 0, 29, 0),
                    {"grade": "5", **levels(1, 0, 29, 0)},
                    {"subgroup": "female", **levels(99, 0, 0, 0)},
                    {"grade": "6", **WITHHELD},
                ]
            )
        ],
    ),
    "AL-Q-NOBODY-TESTED": Case(
        Delivery([levels(0, 0, 0, 0, more_enrolled=30)]),
        [Found(2, "n_tested", "0", "n_tested is 0 and n_enrolled is 30")],
        [
            Delivery(
                [
                    levels(0, 0, 0, 0, more_enrolled=29),
                    {"grade": "5", **levels(1, 0, 0, 0, more_enrolled=29)},
                    {"grade": "6", **WITHHELD},
                    {"grade": "7", "subgroup": "female", **levels(0, 0, 0, 0, more_enrolled=30)},
                ]
            )
        ],
    ),
    "AL-Q-SAME-COUNTS": Case(
        Delivery(
            [
                levels(20, 15, 10, 5),
                {"unit_id": "102", **levels(40, 30, 20, 10)},
                {"grade": "5", **levels(20, 15, 10, 5)},
                {"unit_id": "102", "grade": "6", **levels(40, 30, 20, 10, more_enrolled=9)},
            ]
        ),
        [
            Found(4, "n_tested", "50", "grade 5 of school 101 has the same counts as grade 4 at every level"),
            Found(5, "n_tested", "100", "grade 6 of school 102 has the same counts as grade 4 at every level"),
        ],
        [
            Delivery([levels(20, 15, 10, 4), {"grade": "5", **levels(20, 15, 10, 4)}]),
            Delivery([levels(39, 30, 20, 10), {"grade": "5", **levels(39, 30, 20, 10, more_enrolled=3)}]),
            Delivery([levels(40, 30, 20, 10), {"grade": "5", **levels(40, 30, 19, 11)}]),
            Delivery([levels(40, 30, 20, 10), {"unit_id": "102", **levels(40, 30, 20, 10)}]),
            # A school that tests one grade has the same counts in its pooled row, and withheld levels are no counts.
            Delivery([levels(40, 30, 20, 10), {"grade": "3_8", **levels(40, 30, 20, 10)}]),
            Delivery([{**WITHHELD, "n_tested": "118"}, {"grade": "5", **WITHHELD, "n_tested": "118"}]),
        ],
    ),
    "AL-Q-TESTED-CHANGED": Case(
        Delivery(
            [
                {"grade": "4", **spread(20)},
                {"grade": "5", **spread(29)},
                {"unit_id": "102", **spread(201)},
                {"unit_id": "103", "grade": "3_8", **spread(49)},
            ],
            past=[
                {"grade": "4", **spread(40)},
                {"grade": "5", **spread(60)},
                {"unit_id": "102", **spread(100)},
                {"unit_id": "103", "grade": "3_8", **spread(100)},
            ],
        ),
        [
            Found(
                2, "n_tested", "49", "students tested at school 101 (spring), all grades: 49; in school year 2022-23: 100", 2
            ),
            Found(4, "n_tested", "201", "students tested at school 102 (spring), all grades: 201; in school year 2022-23: 100"),
            Found(5, "n_tested", "49", "students tested at school 103 (spring), all grades: 49; in school year 2022-23: 100"),
        ],
        [
            Delivery([spread(50), {"unit_id": "102", **spread(200)}], past=[spread(100), {"unit_id": "102", **spread(100)}]),
            Delivery([spread(10)], past=[spread(99)]),
            Delivery([spread(49), {"grade": "5", **WITHHELD}], past=[spread(60), {"grade": "5", **spread(60)}]),
            Delivery([spread(49), {"grade": "3_8", **spread(49)}], past=[spread(49), {"unit_id": "102", **spread(400)}]),
            # The pooled row of a school stands beside its grades and is not added to them.
            Delivery([spread(110), {"grade": "3_8", **spread(110)}], past=[spread(105)]),
            Delivery([{"administration": "fall", **spread(20)}], past=[spread(100)]),
        ],
    ),
    "AL-Q-SHARE-JUMP": Case(
        Delivery(
            [levels(10, 9, 20, 11), {"grade": "5", **levels(10, 9, 20, 11)}],
            past=[levels(30, 10, 5, 5), {"grade": "5", **levels(20, 20, 5, 5)}],
        ),
        [
            Found(
                line, "n_level_4", "31",
                "students at the two highest levels: 31 of 50 tested; in school year 2022-23: 10 of 50",
            )
            for line in (2, 3)
        ],
        [
            Delivery([levels(10, 10, 20, 10)], past=[levels(30, 10, 5, 5)]),
            Delivery([levels(0, 0, 20, 29)], past=[levels(40, 10, 0, 0)]),
            Delivery([levels(0, 0, 40, 20)], past=[levels(49, 0, 0, 0)]),
            Delivery([levels(0, 0, 40, 20)], past=[{"instrument": "pa_pssa_math_2006", **levels(60, 0, 0, 0)}]),
            Delivery([levels(0, 0, 40, 20)], past=[{"administration": "fall", **levels(60, 0, 0, 0)}]),
            Delivery([levels(0, 0, 40, 20)], past=[{**levels(60, 0, 0, 0), "n_level_3": None, "n_level_3_symbol": "c"}]),
        ],
    ),
    "AL-M-DISTRICT-TOTAL": Case(
        Delivery(
            [spread(500), {"unit_id": "102", **spread(399)}, {"subgroup": "female", **spread(300)}],
            past=[spread(500), {"unit_id": "102", **spread(500)}],
        ),
        [Found(None, "n_tested", "899", "students tested (spring), school rows together: 899; in school year 2022-23: 1000", 2)],
        [
            Delivery([spread(900)], past=[spread(1000)]),
            Delivery([spread(1100)], past=[spread(1000)]),
            # Pooled rows and the district's own rows stand beside those of schools and grades.
            Delivery(
                [spread(1000), {"grade": "3_8", **spread(1000)}, DISTRICT | spread(500)],
                past=[spread(1000), DISTRICT | spread(1000)],
            ),
            Delivery([{"administration": "fall", **spread(10)}], past=[spread(1000)]),
            Delivery([DISTRICT | spread(10)], past=[spread(1000)]),
            Delivery([spread(500), {"unit_id": "102", "n_tested": "1,000"}], past=[spread(1500)]),
        ],
    ),
    "SD-S-ZEROS-LOST": Case(
        Delivery([{}, {"school_id": "102", "nces_school_id": "62271000002"}, {"school_id": "103", "nces_school_id": "1"}]),
        [
            Found(
                3, "nces_school_id", "62271000002",
                f'"62271000002" is shorter than the 12 digits of nces_school_id; rows like this: 2. {ZEROS}', 2,
            )
        ],
        [Delivery([{}, {"school_id": "102", "nces_school_id": None}, {"school_id": "103", "nces_school_id": "6227100000X"}])],
    ),
    "SD-V-PART-OVER-ENROLLED": Case(
        Delivery([{"n_enrolled": "90"}]),
        [
            Found(2, "n_enrolled_in_scope", "410", "n_enrolled_in_scope is 410 but n_enrolled is 90"),
            Found(2, "n_low_income", "350", "n_low_income is 350 but n_enrolled is 90"),
        ],
        [Delivery([{"n_enrolled": "410"}, {"school_id": "102", "n_enrolled": None, "n_enrolled_symbol": "x"}])],
    ),
    "SD-V-GRADES-ORDER": Case(
        Delivery([{"low_grade": "10", "high_grade": "9"}, {"school_id": "102", "low_grade": "1", "high_grade": "K"}]),
        [
            Found(2, "low_grade", "10", "low_grade 10 is above high_grade 9"),
            Found(3, "low_grade", "1", "low_grade 1 is above high_grade K"),
        ],
        [Delivery([{"low_grade": "9", "high_grade": "12"}, {"school_id": "102", "low_grade": "PK", "high_grade": "PK"}])],
    ),
    "SD-V-NCES-ID-SHARED": Case(
        Delivery([{}, {"school_id": "102", "nces_school_id": None}, {"school_id": "103"}]),
        [Found(line, "nces_school_id", "421899000001", "2 schools carry this NCES id") for line in (2, 4)],
        [Delivery([{"nces_school_id": None}, {"school_id": "102", "nces_school_id": None}, {"school_id": "103"}])],
    ),
    "SD-Q-ENROLMENT-CHANGED": Case(
        Delivery(
            [{"n_enrolled": "49"}, {"school_id": "102", "n_enrolled": "201"}],
            past=[{"n_enrolled": "100"}, {"school_id": "102", "n_enrolled": "100"}],
        ),
        [
            Found(2, "n_enrolled", "49", "n_enrolled is 49; in school year 2022-23 it is 100"),
            Found(3, "n_enrolled", "201", "n_enrolled is 201; in school year 2022-23 it is 100"),
        ],
        [
            Delivery(
                [{"n_enrolled": "50"}, {"school_id": "102", "n_enrolled": "200"}],
                past=[{"n_enrolled": "100"}, {"school_id": "102", "n_enrolled": "100"}],
            ),
            Delivery([{"n_enrolled": "1"}], past=[{"n_enrolled": "99"}]),
            Delivery([{"n_enrolled": None, "n_enrolled_symbol": "x"}], past=[{"n_enrolled": "500"}]),
        ],
    ),
    "SD-Q-LEVEL-GRADES": Case(
        Delivery(
            [
                {"low_grade": "6", "high_grade": "8"},
                {"school_id": "102", "school_level": "middle"},
                {"school_id": "103", "school_level": "high", "low_grade": "PK"},
            ]
        ),
        [
            Found(2, "school_level", "elementary", "school_level is elementary and the grades are 6 to 8"),
            Found(3, "school_level", "middle", "school_level is middle and the grades are K to 5"),
            Found(4, "school_level", "high", "school_level is high and the grades are PK to 5"),
        ],
        [
            Delivery(
                [
                    {"low_grade": "5", "high_grade": "8"},
                    {"school_id": "102", "school_level": "middle", "high_grade": "6"},
                    {"school_id": "103", "school_level": "high", "low_grade": "9", "high_grade": "12"},
                    {"school_id": "104", "school_level": "other", "low_grade": "6", "high_grade": "8"},
                ]
            )
        ],
    ),
    "SD-Q-NAME-TWICE": Case(
        Delivery(
            [
                {},
                {"school_id": "102", "school_name": "Banneker"},
                {"school_id": "103", "school_name": "CARVER"},
                {"school_id": "104"},
            ]
        ),
        [Found(4, "school_name", "CARVER", "schools of level elementary with this name: 3; the first two are 101 and 103", 3)],
        [
            Delivery(
                [{}, {"school_id": "102", "school_level": "elementary_middle"}, {"school_id": "103", "school_name": "Carver 2"}]
            )
        ],
    ),
    "SD-M-ENROLMENT-TOTAL": Case(
        Delivery([{"n_enrolled": "500"}, {"school_id": "102", "n_enrolled": "601"}], past=[{"n_enrolled": "1000"}]),
        [Found(None, "n_enrolled", "1101", "students of all schools together: 1101; in school year 2022-23: 1000", 2)],
        [
            Delivery([{"n_enrolled": "1100"}], past=[{"n_enrolled": "1000"}]),
            Delivery([{"n_enrolled": "900"}], past=[{"n_enrolled": "1000"}]),
            Delivery([], past=[{"n_enrolled": "1000"}]),
            Delivery([{"n_enrolled": "500"}, {"school_id": "102", "n_enrolled": "5oo"}], past=[{"n_enrolled": "1000"}]),
        ],
    ),
    "SD-M-OTHER-DISTRICT": Case(
        Delivery(
            [
                {},
                {"school_id": "102", "nces_school_id": "170993000001"},
                {"school_id": "103", "nces_school_id": "360007600572"},
                {"school_id": "104", "nces_school_id": None},
            ]
        ),
        [
            Found(
                None, "nces_school_id", "170993000001",
                "nces_school_id of another district or state: 2 of 3, the first is 170993000001; those of this state begin with "
                "42", 2,
            )
        ],
        [
            Delivery([{}, {"school_id": "102", "nces_school_id": "170993000001"}]),
            # Charter schools may be agencies of their own, and 99 is no state.
            Delivery([{"nces_school_id": "420001200001"}, {"school_id": "102", "nces_school_id": "420001300001"}]),
            Delivery([{"nces_school_id": "991899000001"}, {"school_id": "102", "nces_school_id": "991899000002"}]),
            Delivery([{"nces_school_id": "170993000001"}]),
        ],
    ),
    "CA-V-REVIEWER-MISSING": Case(
        Delivery([{"reviewer": None}]),
        [Found(2, "reviewer", None, "review_status is meets but reviewer is blank")],
        [Delivery([{}, {"school_id": "102", "title": "Other", "reviewer": None, "review_status": "not_reviewed"}])],
    ),
    "CA-V-USE-OVER-LICENSED": Case(
        Delivery([{"n_recommended_use": "91"}]),
        [Found(2, "n_recommended_use", "91", "n_recommended_use is 91 but n_licensed is 90")],
        [Delivery([{"n_recommended_use": "90"}])],
    ),
    "CA-V-SUBGROUP-OVER-ALL": Case(
        Delivery([{}, {"subgroup": "english_learner", "n_students": "97"}]),
        [Found(3, "n_students", "97", "english_learner has 97 students but all students are 96")],
        [
            Delivery(
                [
                    {},
                    {"subgroup": "english_learner"},
                    {"subgroup": "female", "title": "Other", "n_students": "500"},
                    {"subgroup": "female", "title": None, "n_students": "500"},
                    {"title": None},
                ]
            )
        ],
    ),
    "CA-V-TITLE-TWO-REVIEWS": Case(
        Delivery([{}, {"school_id": "102", "review_status": "partially_meets"}, {"school_id": "103", "edition": "2015"}]),
        [
            Found(2, "review_status", "meets", "this title and edition also appears as partially_meets"),
            Found(3, "review_status", "partially_meets", "this title and edition also appears as meets"),
        ],
        [Delivery([{}, {"school_id": "102"}, {"school_id": "103", "edition": "2015", "review_status": "does_not_meet"}])],
    ),
    "CA-Q-STUDENTS-CHANGED": Case(
        Delivery(
            [{"n_students": "20"}, {"course": "5", "n_students": "29"}, {"role": "tutoring", "n_students": "900"}],
            past=[{"n_students": "40"}, {"course": "5", "n_students": "60"}],
        ),
        [
            Found(
                2, "n_students", "49",
                "students of core titles at school 101, all courses: 49; in school year 2022-23: 100", 2,
            )
        ],
        [
            Delivery([{"n_students": "50"}], past=[{"n_students": "100"}]),
            Delivery([{"n_students": "200"}], past=[{"n_students": "100"}]),
            Delivery([{"n_students": "1"}], past=[{"n_students": "99"}]),
            Delivery(
                [{"n_students": "9"}, {"course": "5", "n_students": None, "n_students_symbol": "c"}], past=[{"n_students": "100"}]
            ),
        ],
    ),
    "CA-Q-FULL-USE": Case(
        Delivery([{"n_licensed": "100", "n_recommended_use": "100"}]),
        [Found(2, "n_recommended_use", "100", "n_recommended_use and n_licensed are both 100")],
        [
            Delivery(
                [
                    {"n_licensed": "99", "n_recommended_use": "99"},
                    {"school_id": "102", "n_licensed": "100", "n_recommended_use": "99"},
                ]
            )
        ],
    ),
    "CA-Q-REVIEW-YEAR": Case(
        Delivery(
            [
                {},
                {"title": "Old", "review_year": "1999"},
                {"title": "Old", "review_year": "1999", "school_id": "102"},
                {"title": "New", "review_year": "2026"},
            ]
        ),
        [
            Found(3, "review_year", "1999", "review_year is 1999, before 2000", 2),
            Found(5, "review_year", "2026", "review_year is 2026, more than a year after the school year 2023-24"),
        ],
        [Delivery([{"review_year": "2000"}, {"course": "5", "review_year": "2025"}, {"course": "6", "review_year": None}])],
    ),
    "CA-M-OVER-ENROLLED": Case(
        Delivery(
            [{"n_students": "481"}, {"course": "5", "n_students": "482"}, {"course": "6", "n_students": "480"}],
            directory=[{"n_enrolled": "480"}],
        ),
        [Found(3, "n_students", "482", "n_students is 482 and the school directory has 480 students enrolled at school 101", 2)],
        [
            Delivery([{"n_students": "480"}], directory=[{"n_enrolled": "480"}]),
            Delivery([{"n_students": "481", "role": "tutoring"}], directory=[{"n_enrolled": "480"}]),
            Delivery([{"n_students": "481"}], directory=[{"n_enrolled": "480"}], directory_year=YEAR_BEFORE),
            Delivery([{"n_students": "481"}], directory=[{"n_enrolled": None}]),
        ],
    ),
}  # fmt: skip
CASES = COLUMN_CASES | FIRST_CASES | rule_cases_schools.CASES | rule_cases_offices.CASES | rule_cases_state.CASES


def rule_and_contract(rule_id: str) -> tuple[Rule, Contract]:
    contract = load_contract(CONTRACTS, PREFIX[rule_id.partition("-")[0]])
    return next(rule for rule in rules_of(CONTRACTS, contract) if rule.rule_id == rule_id), contract


def free_key(extract: str) -> str:
    """A key column that holds any text, or else the last one."""
    return next(iter(other_key(load_contract(CONTRACTS, extract), BASE[extract])))


def full(extract: str, rows: Sequence[Row]) -> list[Row]:
    return [{**BASE[extract], **row} for row in rows]


def context_frame(extract: str, rows: Sequence[Row]) -> pl.DataFrame:
    """Rows as they were kept: text, with the columns that say where they came from."""
    schema = {"row_id": pl.Int64, "delivered_file": pl.String, "delivered_line": pl.Int64}
    return as_mapped(full(extract, rows), "earlier.csv").cast(pl.Schema(schema | dict.fromkeys(BASE[extract], pl.String)))


def context_of(extract: str, delivery: Delivery) -> Context:
    return Context(
        in_force=context_frame(extract, delivery.in_force) if delivery.in_force else None,
        earlier_years={YEAR_BEFORE: context_frame(extract, delivery.past)} if delivery.past else {},
        directory=context_frame("school_directory", delivery.directory) if delivery.directory else None,
        directory_year=delivery.directory_year if delivery.directory else None,
        results=context_frame("assessment_levels", delivery.results) if delivery.results else None,
    )


def findings(rule_id: str, delivery: Delivery) -> list[Found]:
    rule, contract = rule_and_contract(rule_id)
    rows = as_mapped(full(contract.extract, delivery.rows))
    found, counts = check(contract, [rule], rows, context=context_of(contract.extract, delivery))
    assert sum(counts.values()) == found.height
    assert set(found["field"].drop_nulls()) <= set(rule.fields)
    assert set(found["tier"]) <= {rule.tier}
    whole = found.filter(pl.col("line").is_null())
    assert whole["business_key"].null_count() == whole.height
    return [Found(*row) for row in found.select(Found._fields).rows()]


def every_rule() -> Iterator[Rule]:
    for extract in EXTRACTS:
        yield from rules_of(CONTRACTS, load_contract(CONTRACTS, extract))


def test_every_rule_has_a_case_and_every_case_a_rule() -> None:
    assert sorted(CASES) == sorted(rule.rule_id for rule in every_rule())
    assert all(case.found and case.passes for case in CASES.values())


@pytest.mark.parametrize("rule_id", CASES)
class TestCases:
    def test_fires(self, rule_id: str) -> None:
        assert findings(rule_id, CASES[rule_id].fires) == CASES[rule_id].found

    def test_lets_pass(self, rule_id: str) -> None:
        for delivery in CASES[rule_id].passes:
            assert findings(rule_id, delivery) == [], delivery


@pytest.mark.parametrize("extract", EXTRACTS)
class TestRulesOfEveryContract:
    def test_every_rule_says_all_that_a_finding_needs(self, extract: str) -> None:
        contract = load_contract(CONTRACTS, extract)
        for rule in rules_of(CONTRACTS, contract):
            assert rule.rule_id.startswith(f"{contract.rule_prefix}-{rule.tier}-")
            assert rule.tier in "SVQM"
            assert rule.fields, rule.rule_id
            assert set(rule.fields) <= set(contract.column_names), rule.rule_id
            for text in (rule.meaning, rule.how_to_fix, rule.rationale):
                assert len(text) > 10, rule.rule_id
                assert text.endswith("."), rule.rule_id

    def test_nothing_is_found_in_the_base_row_beside_itself(self, extract: str) -> None:
        contract = load_contract(CONTRACTS, extract)
        directory: list[Row] = [{"school_id": "101"}]
        rows = WHOLE.get(extract, [{}])
        for delivery in (Delivery(rows), Delivery(rows, past=rows, directory=directory), Delivery(rows, in_force=rows)):
            found, counts = check(
                contract, rules_of(CONTRACTS, contract), as_mapped(full(extract, rows)), context=context_of(extract, delivery)
            )
            assert (found.to_dicts(), counts) == ([], {})

    def test_rules_of_a_contract_run_in_the_order_of_their_tiers(self, extract: str) -> None:
        tiers = [rule.tier for rule in rules_of(CONTRACTS, load_contract(CONTRACTS, extract))]
        assert tiers == sorted(tiers, key="SVQM".index)
        assert set(tiers) == set("SVQM")

    def test_every_rule_runs_on_empty_tables_and_returns_what_a_finding_is_made_of(self, extract: str) -> None:
        contract = load_contract(CONTRACTS, extract)
        rules = rules_of(CONTRACTS, contract)
        assert check(contract, rules, as_mapped([]))[1] == {}
        with duckdb.connect() as connection:
            load_check_tables(connection, as_mapped([]), contract, CONTRACTS, "philadelphia", YEAR)
            for rule in rules:
                columns = connection.sql(rule.query).columns
                assert columns[:4] == ["row_id", "field", "value", "message"], rule.rule_id
                assert columns[4:] in ([], ["affected_rows"]), rule.rule_id

    def test_largest_and_smallest_numbers_break_no_rule(self, extract: str) -> None:
        """Numbers of 18 digits can be read; neither their sums nor their products may stop the check."""
        contract = load_contract(CONTRACTS, extract)
        numbers = [column.name for column in contract.columns if column.kind in ("integer", "number")]
        rows = [
            {free_key(extract): f"{place}-{number}", **dict.fromkeys(numbers, number)}
            for place in range(9)
            for number in ("9" * 18, "-" + "9" * 18, "0")
        ]
        directory: list[Row] = [{"school_id": row[free_key(extract)], "n_enrolled": "9" * 18} for row in rows]
        for past in (rows, [row | dict.fromkeys(numbers, "1000") for row in rows]):
            context = context_of(extract, Delivery([], past=past, directory=directory))
            found, _ = check(contract, rules_of(CONTRACTS, contract), as_mapped(full(extract, rows)), context=context)
            assert found.height > 0 or not numbers

    def test_no_rule_is_worse_than_sorting_where_every_key_is_the_same(self, extract: str) -> None:
        """40,000 equal keys, here and beside: pairs of them would be 1,600,000,000 rows."""
        contract = load_contract(CONTRACTS, extract)
        n = 40_000
        numbers = [column.name for column in contract.columns if column.kind == "integer"]
        base = BASE[extract] | dict.fromkeys(numbers, "500")
        same = pl.DataFrame([base]).select(pl.all().repeat_by(n).explode().cast(pl.String))
        # Two kinds of rows that rules tell apart, so that neither side of what they compare is empty.
        kinds = {"subgroup": ("all", "female"), "kind": ("ALL", "other"), "rating_type": ("self", "verified")}
        mixed = same.with_columns(
            pl.Series(name, [kinds[name][row % 2] for row in range(n)]) for name in kinds if name in same.columns
        )
        rows = mixed.select(
            pl.int_range(1, n + 1, dtype=pl.Int64).alias("row_id"),
            pl.lit("a.csv").alias("delivered_file"),
            pl.int_range(2, n + 2, dtype=pl.Int64).alias("delivered_line"),
            pl.all(),
        )
        directory = pl.DataFrame([BASE["school_directory"] | {"n_enrolled": "10"}])
        directory = directory.select(pl.all().repeat_by(n).explode().cast(pl.String))
        past = mixed.with_columns(pl.lit("120").alias(name) for name in numbers)
        start = time.perf_counter()
        found, counts = self.checked(contract, rows, past, directory)
        assert counts[f"{contract.rule_prefix}-V-KEY-DUPLICATE"] == n
        assert found.height >= n
        assert time.perf_counter() - start < 60

    def checked(
        self, contract: Contract, rows: pl.DataFrame, past: pl.DataFrame, directory: pl.DataFrame
    ) -> tuple[pl.DataFrame, dict[str, int]]:
        """What all rules find.

        The rule that looks up what the same row was finds every key there once: of rows with one key none is certified.
        """
        rules = rules_of(CONTRACTS, contract)
        paired = [rule for rule in rules if rule.rule_id.endswith("-Q-COUNT-CHANGED")]
        beside = Context(earlier_years={YEAR_BEFORE: past}, directory=directory, directory_year=YEAR)
        once = replace(beside, earlier_years={YEAR_BEFORE: past.unique(contract.key)})
        found, counts = check(contract, [rule for rule in rules if rule not in paired], rows, context=beside, seconds=60)
        also, more = check(contract, paired, rows, context=once, seconds=60)
        return pl.concat([found, also]), counts | more

    def test_great_expectations_counts_what_duckdb_counts(self, extract: str, tmp_path: Path) -> None:
        """With the rows of all cases in one delivery, beside all that they are looked at beside; also above 200 findings."""
        contract = load_contract(CONTRACTS, extract)
        rules = rules_of(CONTRACTS, contract)
        cases = [case.fires for rule_id, case in CASES.items() if rule_and_contract(rule_id)[1] is contract]
        rows = [row for case in cases for row in case.rows]
        # Text that a template, a statement or a format would read as its own, in a column where it is wrong.
        wrong = next((c.name for c in contract.columns if c.pattern), None)
        field = wrong or next(c.name for c in sorted(contract.columns, key=lambda c: c.symbol_for is not None) if c.code_list)
        rows += [{field: f"{number} {{batch}} :x %s"} for number in range(250)]
        every = Delivery(
            rows,
            past=[row for case in cases for row in case.past],
            directory=[row for case in cases for row in case.directory],
            results=[row for case in cases for row in case.results],
        )
        mapped = as_mapped(full(extract, every.rows))
        database = tmp_path / "check.duckdb"
        with duckdb.connect(str(database)) as connection:
            load_check_tables(connection, mapped, contract, CONTRACTS, "philadelphia", YEAR, context_of(extract, every))
            _, ours = run_rules(connection, contract, rules, list(contract.column_names))
        results, record = validate(database, "a_submission", rules)
        assert [result.error for result in results] == [None] * len(rules)
        assert {result.rule_id: result.n_findings for result in results if result.n_findings} == ours
        assert {rule_id.split("-")[1] for rule_id in ours} >= set("SVQ")
        assert ours[f"{contract.rule_prefix}-S-{'PATTERN' if wrong else 'CODE'}"] >= 251
        assert len(record["results"]) == len(rules)
        assert "{batch}" not in json.dumps(record["results"][0]["result"]), "the record keeps counts, not delivered values"


# --- what a rule may look at ---


def in_tables(extract: str, context: Context, sql: str, district: str = "philadelphia") -> list[tuple[Any, ...]]:
    contract = load_contract(CONTRACTS, extract)
    with duckdb.connect() as connection:
        load_check_tables(connection, as_mapped(full(extract, [{}])), contract, CONTRACTS, district, YEAR, context)
        return connection.execute(sql).fetchall()


def test_tables_about_other_submissions_are_empty_where_nothing_is_known() -> None:
    for table in ("in_force", "earlier_years", "last_certified", "directory", "own_results"):
        assert in_tables("assessment_levels", NO_CONTEXT, f"SELECT COUNT(*) FROM {table}") == [(0,)], table


def test_tables_about_other_submissions_are_typed_like_the_extract() -> None:
    types = "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = '{}' ORDER BY ordinal_position"
    contract = load_contract(CONTRACTS, "curriculum_adoption")
    expected = [(column.name, column.physical_type) for column in contract.columns]
    beside = {
        "extract": [("row_id", "BIGINT")],
        "in_force": [],
        "earlier_years": [("school_year", "VARCHAR")],
        "last_certified": [("school_year", "VARCHAR"), ("origin", "VARCHAR")],
    }
    for table, more in beside.items():
        assert in_tables("curriculum_adoption", NO_CONTEXT, types.format(table)) == more + expected, table
    directory = [(column.name, column.physical_type) for column in load_contract(CONTRACTS, "school_directory").columns]
    assert in_tables("curriculum_adoption", NO_CONTEXT, types.format("directory")) == [("school_year", "VARCHAR"), *directory]
    results = [(column.name, column.physical_type) for column in load_contract(CONTRACTS, "assessment_levels").columns]
    assert in_tables("curriculum_adoption", NO_CONTEXT, types.format("own_results")) == [("school_year", "VARCHAR"), *results]


def test_what_was_certified_last_is_in_force_or_else_the_latest_earlier_year() -> None:
    def rows(n: int) -> pl.DataFrame:
        return context_frame("school_directory", [{"n_enrolled": str(n)}])

    earlier = {"2021-22": rows(1), "2022-23": rows(2), "2020-21": rows(3)}
    last = "SELECT school_year, origin, n_enrolled FROM last_certified"
    assert in_tables("school_directory", Context(earlier_years=earlier), last) == [("2022-23", "school year 2022-23", 2)]
    both = Context(in_force=rows(4), earlier_years=earlier)
    assert in_tables("school_directory", both, last) == [(YEAR, "the submission in force", 4)]
    nothing_in_force = Context(in_force=rows(4).clear(), earlier_years=earlier)
    assert in_tables("school_directory", nothing_in_force, last) == [("2022-23", "school year 2022-23", 2)]
    years = "SELECT school_year, n_enrolled FROM earlier_years ORDER BY 1"
    assert in_tables("school_directory", both, years) == [("2020-21", 3), ("2021-22", 1), ("2022-23", 2)]


def test_rows_from_before_a_column_was_there_have_none_of_it() -> None:
    old = pl.DataFrame({"school_id": ["101"], "n_enrolled": ["not a number"], "no_longer": ["there"]})
    context = Context(in_force=old, directory=old, directory_year=YEAR_BEFORE)
    for table in ("in_force", "directory"):
        sql = f"SELECT school_id, n_enrolled, school_name FROM {table}"
        assert in_tables("school_directory", context, sql) == [("101", None, None)]
    assert in_tables("school_directory", context, "SELECT school_year FROM directory") == [(YEAR_BEFORE,)]


def test_the_submission_says_where_it_belongs() -> None:
    sql = "SELECT district, state, nces_lea_id, school_year FROM submission"
    assert in_tables("school_directory", NO_CONTEXT, sql) == [("philadelphia", "PA", "4218990", YEAR)]
    assert in_tables("school_directory", NO_CONTEXT, sql, district="atlantis") == [("atlantis", None, None, YEAR)]
    # The code lists of the columns, and the list of districts, which a rule of this contract looks into.
    for name in ("districts", "grades", "school_levels", "symbols"):
        (n,) = in_tables("school_directory", NO_CONTEXT, f'SELECT COUNT(*) FROM codes."{name}"')[0]
        assert n == len(codes(CONTRACTS, name))


def test_schools_that_are_all_gone_are_told_as_the_kind_of_row_that_is_gone() -> None:
    delivery = Delivery([DISTRICT], past=[DISTRICT, *schools("assessment_levels", 20)])
    assert findings("AL-M-SCHOOLS-GONE", delivery) == []
    assert findings("AL-M-CODE-GONE", delivery) == [
        Found(None, "unit_type", "school", "no row has unit_type school; rows with it in school year 2022-23: 20")
    ]


def test_an_older_directory_that_knows_too_few_schools_is_told() -> None:
    directory: list[Row] = [{"school_id": f"{number:03d}"} for number in range(1, 38)]
    delivery = Delivery(schools("assessment_levels", 39), directory=directory, directory_year=YEAR_BEFORE)
    assert findings("AL-M-SCHOOL-UNKNOWN", delivery) == [
        Found(line, "unit_id", f"0{line - 1}", f'school "0{line - 1}" is not in the school directory of 2022-23')
        for line in (39, 40)
    ]


def test_zeros_that_the_directory_lacks_are_told_like_zeros_that_the_file_lacks() -> None:
    delivery = Delivery([{"unit_id": "0007"}], directory=[{"school_id": "7"}])
    (found,) = findings("AL-M-ZEROS-LOST", delivery)
    assert found.message.startswith('"0007" is "7" in the school directory of 2023-24; ')
    assert findings("AL-M-SCHOOL-UNKNOWN", delivery) == []


# --- limits ---


def test_of_a_blocking_rule_the_first_findings_are_kept_and_all_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "KEPT_FINDINGS", 3)
    contract = load_contract(CONTRACTS, "assessment_levels")
    rows: list[Row] = [{"unit_id": f"{number:03d}", "n_enrolled": "117"} | levels(0, 0, 30, 0) for number in range(9)]
    rows = [row | {"n_enrolled": "29"} for row in rows]
    found, counts = check(contract, rules_of(CONTRACTS, contract), as_mapped(full("assessment_levels", rows)))
    assert counts == {"AL-V-TESTED-OVER-ENROLLED": 9, "AL-Q-ONE-LEVEL": 9}
    kept = found.filter(rule_id="AL-V-TESTED-OVER-ENROLLED")
    assert kept["line"].to_list() == [2, 3, 4]
    assert found.filter(rule_id="AL-Q-ONE-LEVEL").height == 9


def slow_rule() -> Rule:
    """A rule that would run for hours."""
    query = """
        SELECT a.range AS row_id, 'id' AS field, '' AS value, '' AS message
        FROM range(1000000000) AS a CROSS JOIN range(1000000) AS b
        WHERE a.range * b.range = -1
    """
    return replace(MADE_RULES[0], rule_id="MD-V-ENDLESS", tier="V", query=query)


def test_rules_that_take_too_long_are_stopped_and_the_rule_is_named() -> None:
    with duckdb.connect() as connection:
        load_check_tables(connection, as_mapped(made_rows({})), MADE, CONTRACTS, "philadelphia", YEAR)
        start = time.perf_counter()
        with pytest.raises(RulesTookTooLong, match=r"checking stopped after 0\.2 seconds, in rule MD-V-ENDLESS") as stopped:
            run_rules(connection, MADE, [*MADE_RULES, slow_rule()], MADE.column_names, seconds=0.2)
        assert stopped.value.rule_id == "MD-V-ENDLESS"
        assert time.perf_counter() - start < 30
        # Nothing goes on interrupting: the connection works as before.
        time.sleep(3 * checking.INTERRUPT_EVERY_SECONDS)
        assert run_rules(connection, MADE, MADE_RULES, MADE.column_names)[1] == {}


def test_an_interrupt_from_elsewhere_is_not_taken_for_the_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> pl.DataFrame:
        raise duckdb.InterruptException("by somebody else")

    monkeypatch.setattr(checking, "_findings_of", interrupted)
    with pytest.raises(duckdb.InterruptException, match="by somebody else"):
        check(MADE, MADE_RULES, as_mapped(made_rows({"n": "x"})))


# --- honest files ---


@pytest.fixture(scope="module")
def network() -> SyntheticNetwork:
    return build_network(CONTRACTS, scale=0.03)


@pytest.mark.parametrize("extract", EXTRACTS)
def test_nothing_is_unusual_in_the_synthetic_network(network: SyntheticNetwork, extract: str) -> None:
    contract = load_contract(CONTRACTS, extract)
    rules = rules_of(CONTRACTS, contract)
    places = [key for key in network.extracts if key[1] == extract]
    # Only some districts run the programme whose teachers are asked about their habits.
    assert len(places) == (12 if extract == "habits_of_mind" else 18)
    # Planted for an indicator that marks it: leaders who support fewer or more teachers than their programme says.
    (planted,) = [e for e in network.truth["planted_effects"] if e["effect"] == "band_of_teachers_per_leader_broken"]
    expected = {(change["district"], change["school_year"], "RE-Q-TEACHERS-PER-LEADER") for change in planted["changes"]}
    assert len(expected) == 2
    expected = expected if extract == "program_reach" else set()
    # One year of every district, in turn, and where something is planted; every year goes through the product end to end.
    districts, years = (sorted({place[part] for place in places}) for part in (0, 2))
    in_turn = {(district, years[(n + EXTRACTS.index(extract)) % 3]) for n, district in enumerate(districts)}
    unusual: dict[tuple[str, str, str], str] = {}
    for district, school_year in in_turn | {change[:2] for change in expected}:
        rows = network.extracts[district, extract, school_year].select(
            pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("row_id"),
            pl.lit("a.csv").alias("delivered_file"),
            pl.int_range(2, pl.len() + 2, dtype=pl.Int64).alias("delivered_line"),
            pl.all().cast(pl.String),
        )
        directory = network.extracts[district, "school_directory", school_year].select(pl.all().cast(pl.String))
        results = network.extracts[district, "assessment_levels", school_year].select(pl.all().cast(pl.String))
        context = Context(directory=directory, directory_year=school_year, results=results)
        found, _ = check(contract, rules, rows, district, school_year, context)
        unusual |= {(district, school_year, rule_id): message for rule_id, message in found["rule_id", "message"].rows()}
    assert set(unusual) == expected, unusual

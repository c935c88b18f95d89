"""The contracts: valid against their standard, complete, and with rules whose ids are stable.

What each rule finds stands in `test_rules`.
"""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
import yaml

from pipelines.contracts.codes import code_list_names, codes
from pipelines.contracts.contract import ContractError, extract_names, load_contract, parse_contract
from pipelines.intake.checking import rules_of
from pipelines.settings import PROJECT_ROOT

CONTRACTS = PROJECT_ROOT / "data_contracts"
EXTRACTS = (
    "algebra_outcomes",
    "assessment_levels",
    "commitments",
    "curriculum_adoption",
    "district_priorities",
    "habits_of_mind",
    "implementation_stage",
    "materials_use",
    "math_staff",
    "message_tests",
    "mindset_survey",
    "observations",
    "policy_register",
    "professional_learning",
    "program_reach",
    "program_rubric",
    "school_directory",
    "school_leaders",
    "stakeholder_communication",
    "state_level_distribution",
    "tutoring_dosage",
)
TIERS_OF_SEVERITY = {"error": "SV", "warning": "QM"}


def document(extract: str) -> dict[str, Any]:
    path = CONTRACTS / "extracts" / f"{extract}.odcs.yaml"
    parsed: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return parsed


def test_the_contracts_of_the_project_are_these() -> None:
    assert extract_names(CONTRACTS) == EXTRACTS


@pytest.mark.parametrize("extract", EXTRACTS)
class TestEveryContract:
    def test_is_valid_against_the_open_data_contract_standard(self, extract: str) -> None:
        schema = json.loads((files("open_data_contract_standard") / "schema.json").read_text(encoding="utf-8"))
        validator = jsonschema.Draft201909Validator(schema)
        assert [error.message for error in validator.iter_errors(document(extract))] == []
        broken = document(extract) | {"apiVersion": "v0.0.1"}
        assert not validator.is_valid(broken), "the schema accepts anything: this test would prove nothing"

    def test_says_the_same_name_everywhere(self, extract: str) -> None:
        found = document(extract)
        assert found["id"] == f"nmip.{extract}"
        assert [table["name"] for table in found["schema"]] == [extract]
        assert re.fullmatch(r"\d+\.\d+\.\d+", found["version"])

    def test_key_columns_are_required_and_numbered_without_gaps(self, extract: str) -> None:
        contract = load_contract(CONTRACTS, extract)
        positions = sorted(c.key_position for c in contract.columns if c.key_position is not None)
        assert positions == list(range(1, len(positions) + 1))
        assert all(contract.by_name[name].is_required for name in contract.key)
        assert len(set(contract.column_names)) == len(contract.columns)

    def test_every_count_has_a_symbol_column_and_every_symbol_column_a_count(self, extract: str) -> None:
        contract = load_contract(CONTRACTS, extract)
        counts = {column.name for column in contract.columns if column.name.startswith("n_") and column.kind == "integer"}
        symbols = {column.symbol_for: column for column in contract.columns if column.symbol_for is not None}
        assert set(symbols) == counts
        assert {column.code_list for column in symbols.values()} <= {"symbols"}
        assert all(column.name == f"{of}_symbol" for of, column in symbols.items())
        assert all(contract.by_name[name].minimum == 0 for name in counts)

    def test_every_code_list_exists(self, extract: str) -> None:
        used = {c.code_list for c in load_contract(CONTRACTS, extract).columns if c.code_list}
        assert used <= set(code_list_names(CONTRACTS))

    def test_examples_are_codes_of_their_list_and_match_their_pattern(self, extract: str) -> None:
        for column in load_contract(CONTRACTS, extract).columns:
            if column.example is None:
                continue
            if column.code_list:
                assert column.example in codes(CONTRACTS, column.code_list), column.name
            if column.pattern:
                assert re.search(column.pattern, column.example), column.name
            if column.max_length:
                assert len(column.example) <= column.max_length, column.name

    def test_entries_repeat_their_id_as_name(self, extract: str) -> None:
        for entry in document(extract)["schema"][0]["quality"]:
            assert entry["id"] == entry["name"]

    def test_what_blocks_is_an_error_and_what_is_acknowledged_a_warning(self, extract: str) -> None:
        for entry in document(extract)["schema"][0]["quality"]:
            custom = {item["property"]: item["value"] for item in entry["customProperties"]}
            assert custom["tier"] in TIERS_OF_SEVERITY[entry["severity"]], entry["id"]
            assert f"-{custom['tier']}-" in entry["id"]

    def test_every_rule_has_an_id_of_its_contract_and_a_version(self, extract: str) -> None:
        contract = load_contract(CONTRACTS, extract)
        for rule in rules_of(CONTRACTS, contract):
            assert re.fullmatch(rf"{contract.rule_prefix}-{rule.tier}-[A-Z][A-Z0-9-]*", rule.rule_id)
            assert re.fullmatch(r"\d+\.\d+\.\d+", rule.version)


def test_rule_ids_are_unique_over_all_contracts() -> None:
    ids = [r.rule_id for extract in EXTRACTS for r in rules_of(CONTRACTS, load_contract(CONTRACTS, extract))]
    assert len(ids) == len(set(ids))


# Which kinds of columns an extract has, in letters: f a form, l a length, c a count, p a part of another number,
# s a count that stays about the same, k a code in the key, i schools.
TRAITS = {
    "algebra_outcomes": "flcpski",
    "assessment_levels": "fcki",
    "commitments": "flk",
    "curriculum_adoption": "flcki",
    "district_priorities": "cpk",
    "habits_of_mind": "flcpk",
    "implementation_stage": "fi",
    "materials_use": "flcpski",
    "math_staff": "fcpsi",
    "message_tests": "flcpk",
    "mindset_survey": "flcpski",
    "observations": "flcpski",
    "policy_register": "l",
    "professional_learning": "fcpski",
    "program_reach": "fcpk",
    "program_rubric": "lk",
    "school_directory": "flci",
    "school_leaders": "flcpi",
    "stakeholder_communication": "lcpsk",
    "state_level_distribution": "lcpsk",
    "tutoring_dosage": "flcpsi",
}
# Every rule that follows from columns, in the order in which they are run, with the letter of what it needs.
COLUMN_RULES = (
    ("S-REQUIRED", ""), ("S-TYPE", ""), ("S-CODE", ""), ("S-ZEROS-LOST", "z"), ("S-PATTERN", "f"), ("S-LENGTH", "l"),
    ("S-SYMBOL-MISSING", "c"), ("S-SYMBOL-UNEXPECTED", "c"), ("V-BELOW-MINIMUM", "c"), ("V-ABOVE-MAXIMUM", "m"),
    ("V-PART-OVER-WHOLE", "p"), ("V-KEY-DUPLICATE", ""), ("Q-COUNT-CHANGED", "s"), ("M-ROWS-FEWER", ""), ("M-COLUMN-EMPTIED", ""),
    ("M-CODE-GONE", "k"), ("M-PART-COPIED", "p"), ("M-SCHOOL-UNKNOWN", "i"), ("M-ZEROS-LOST", "i"), ("M-SCHOOLS-GONE", "i"),
    ("M-SCHOOLS-MISSING", "-"),
)  # fmt: skip
ONLY_HERE = {
    "S-ZEROS-LOST": ("school_directory",),
    "V-ABOVE-MAXIMUM": ("mindset_survey",),
    "M-SCHOOLS-MISSING": ("math_staff", "professional_learning", "school_leaders"),
}
NOT_HERE = {"S-TYPE": ("program_rubric",), "M-SCHOOL-UNKNOWN": ("school_directory",)}


@pytest.mark.parametrize("extract", EXTRACTS)
def test_ids_of_column_rules_are_stable(extract: str) -> None:
    contract = load_contract(CONTRACTS, extract)
    derived = [rule.rule_id for rule in rules_of(CONTRACTS, contract) if rule not in contract.rules]
    expected = [
        f"{contract.rule_prefix}-{slug}"
        for slug, needs in COLUMN_RULES
        if (extract in ONLY_HERE.get(slug, ()) or needs in TRAITS[extract]) and extract not in NOT_HERE.get(slug, ())
    ]
    assert derived == expected


def test_a_contract_that_lacks_something_says_what() -> None:
    with pytest.raises(ContractError, match="rulePrefix"):
        parse_contract(
            {
                "name": "x",
                "version": "1.0.0",
                "description": {"purpose": "x", "limitations": "x", "usage": "x"},
                "schema": [{"name": "x", "properties": []}],
            }
        )
    with pytest.raises(ContractError, match=r"there is no extract '\.\./codes/grades'"):
        load_contract(CONTRACTS, "../codes/grades")

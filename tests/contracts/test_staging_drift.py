"""Staging models, their yml and the contracts say the same columns in the same order, for every extract.

That the models build is tested with the whole dbt project, not here.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from pipelines.contracts.contract import extract_names, load_contract
from pipelines.settings import PROJECT_ROOT

CONTRACTS = PROJECT_ROOT / "data_contracts"
EXTRACTS = extract_names(CONTRACTS)
STAGING = PROJECT_ROOT / "dbt_project" / "models" / "staging"
OWN = ("district", "school_year", "submission_id")
TYPES = {"VARCHAR": "varchar", "BIGINT": "bigint", "BOOLEAN": "boolean", "DOUBLE": "double", "DATE": "date"}
SELECT = re.compile(
    r"-- Grain: (?P<grain>[^;]+); certified submissions in force only\.\n"
    r"select\n(?P<columns>(?:    [a-z0-9_]+,\n)*    [a-z0-9_]+)\n"
    r"from \{\{ source\('lake', '(?P<source>[a-z_]+)'\) \}\}\n"
)


def described() -> dict[str, list[dict[str, Any]]]:
    """What the yml files of the folder say of each model; more than one entry where it stands in two files."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path in sorted(STAGING.glob("*.yml")):
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", []):
            found.setdefault(model["name"], []).append(model)
    return found


@pytest.mark.parametrize("extract", EXTRACTS)
class TestEveryExtract:
    def test_the_model_selects_the_columns_of_the_contract_in_their_order(self, extract: str) -> None:
        contract = load_contract(CONTRACTS, extract)
        found = SELECT.fullmatch((STAGING / f"stg_{extract}.sql").read_text(encoding="utf-8"))
        assert found is not None, "the model is not a plain select from the lake with its grain above it"
        assert found["source"] == extract
        assert [line.strip(" ,") for line in found["columns"].splitlines()] == [*OWN, *contract.column_names]
        assert found["grain"].split(" x ") == ["district", "school_year", *contract.key]

    def test_the_yml_says_the_columns_and_types_of_the_contract_in_their_order(self, extract: str) -> None:
        contract = load_contract(CONTRACTS, extract)
        (model,) = described()[f"stg_{extract}"]
        expected = [(name, "varchar") for name in OWN] + [(c.name, TYPES[c.physical_type]) for c in contract.columns]
        assert [(column["name"], column["data_type"]) for column in model["columns"]] == expected
        assert model["description"].endswith(".")

    def test_the_key_of_the_contract_is_tested_to_be_unique(self, extract: str) -> None:
        (model,) = described()[f"stg_{extract}"]
        (test,) = model["data_tests"]
        assert test == {
            "unique_key": {"arguments": {"columns": ["district", "school_year", *load_contract(CONTRACTS, extract).key]}}
        }

    def test_the_extract_is_a_source(self, extract: str) -> None:
        sources = yaml.safe_load((STAGING / "_sources.yml").read_text(encoding="utf-8"))["sources"]
        (lake,) = [source for source in sources if source["name"] == "lake"]
        assert [table["name"] for table in lake["tables"]].count(extract) == 1


def test_every_model_is_described_and_every_description_has_a_model() -> None:
    assert sorted(described()) == sorted(path.stem for path in STAGING.glob("*.sql"))

"""One extract's contract: what its file (`extracts/<extract>.odcs.yaml`, Open Data Contract Standard) promises.

Rules that follow from a column alone (type, code list, required) are derived in `column_rules`; rules over several columns
stand in the contract as Great Expectations `unexpected_rows_expectation` entries, whose query DuckDB runs too. Running
rules does not belong here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

KINDS = {"VARCHAR": "text", "BIGINT": "integer", "DOUBLE": "number", "BOOLEAN": "boolean", "DATE": "date"}


class ContractError(Exception):
    """A contract file is missing or does not say what NMIP needs."""


@dataclass(frozen=True)
class Column:
    """One column of an extract. `kind` is text, integer, number, boolean or date."""

    name: str
    kind: str
    physical_type: str
    description: str
    is_required: bool = False
    key_position: int | None = None
    code_list: str | None = None
    pattern: str | None = None
    max_length: int | None = None
    minimum: float | None = None
    symbol_for: str | None = None
    example: str | None = None


@dataclass(frozen=True)
class Rule:
    """One rule: a query over the tables of a check that returns `row_id, field, value, message` for every failing field.

    Tables a query may read: `extract_text` (as delivered, text), `extract` (typed), `submission` (one row: district, state,
    school_year) and `codes.<list>`.
    """

    rule_id: str
    version: str
    tier: str
    meaning: str
    how_to_fix: str
    fields: tuple[str, ...]
    rationale: str
    query: str


@dataclass(frozen=True)
class Contract:
    """One extract's promise: columns in order, and the rules that stand in the file."""

    extract: str
    title: str
    version: str
    purpose: str
    limitations: str
    usage: str
    rule_prefix: str
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...]
    by_name: Mapping[str, Column] = field(repr=False, compare=False, default_factory=dict)

    @property
    def key(self) -> tuple[str, ...]:
        keyed = [column for column in self.columns if column.key_position is not None]
        return tuple(column.name for column in sorted(keyed, key=lambda column: column.key_position or 0))

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


def _custom(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {item["property"]: item["value"] for item in entry.get("customProperties", [])}


def _column(entry: Mapping[str, Any]) -> Column:
    custom, options = _custom(entry), entry.get("logicalTypeOptions", {})
    examples = entry.get("examples") or [None]
    return Column(
        name=entry["name"],
        kind=KINDS[entry["physicalType"]],
        physical_type=entry["physicalType"],
        description=entry["description"].strip(),
        is_required=entry.get("required", False),
        key_position=entry.get("primaryKeyPosition"),
        code_list=custom.get("codeList"),
        pattern=options.get("pattern"),
        max_length=options.get("maxLength"),
        minimum=options.get("minimum"),
        symbol_for=custom.get("symbolFor"),
        example=None if examples[0] is None else str(examples[0]).lower() if isinstance(examples[0], bool) else str(examples[0]),
    )


def _rule(entry: Mapping[str, Any]) -> Rule:
    custom = _custom(entry)
    return Rule(
        rule_id=entry["id"],
        version=str(custom["version"]),
        tier=custom["tier"],
        meaning=entry["description"].strip(),
        how_to_fix=custom["howToFix"].strip(),
        fields=tuple(custom["fields"]),
        rationale=entry["businessImpact"].strip(),
        query=entry["implementation"]["kwargs"]["unexpected_rows_query"].strip(),
    )


def parse_contract(document: Mapping[str, Any]) -> Contract:
    """A contract from its parsed YAML. Raises ContractError naming what is missing."""
    try:
        schema = document["schema"][0]
        columns = tuple(_column(entry) for entry in schema["properties"])
        description = document["description"]
        return Contract(
            extract=schema["name"],
            title=document["name"],
            version=str(document["version"]),
            purpose=description["purpose"].strip(),
            limitations=description["limitations"].strip(),
            usage=description["usage"].strip(),
            rule_prefix=_custom(schema)["rulePrefix"],
            columns=columns,
            rules=tuple(_rule(entry) for entry in schema.get("quality", [])),
            by_name={column.name: column for column in columns},
        )
    except (KeyError, IndexError, TypeError) as error:
        raise ContractError(f"the contract lacks {error}") from error


@cache
def _load(path: Path, _modified: int) -> Contract:
    try:
        return parse_contract(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, ContractError) as error:
        raise ContractError(f"{path.name} cannot be used: {error}") from error


def load_contract(contracts_folder: Path, extract: str) -> Contract:
    """The contract of one extract. Raises ContractError when there is none or its file cannot be used."""
    names = extract_names(contracts_folder)
    if extract not in names:
        raise ContractError(f"there is no extract {extract!r}; the extracts are {', '.join(names)}")
    path = contracts_folder / "extracts" / f"{extract}.odcs.yaml"
    return _load(path, path.stat().st_mtime_ns)


def extract_names(contracts_folder: Path) -> tuple[str, ...]:
    """Names of all extracts that have a contract, sorted."""
    return tuple(sorted(path.name.removesuffix(".odcs.yaml") for path in (contracts_folder / "extracts").glob("*.odcs.yaml")))

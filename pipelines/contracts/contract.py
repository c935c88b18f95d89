"""One extract's contract: what its file (`extracts/<extract>.odcs.yaml`, Open Data Contract Standard) promises.

Rules that follow from a column alone (type, code list, required) are derived in `column_rules`; rules over several columns
stand in the contract as Great Expectations `unexpected_rows_expectation` entries, whose query DuckDB runs too. Here also: what
each version of a contract changed in its columns (`versions` reads a delivery by it). Running rules does not belong here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

FIRST_VERSION = "1.0.0"
KINDS = {"VARCHAR": "text", "BIGINT": "integer", "DOUBLE": "number", "BOOLEAN": "boolean", "DATE": "date"}


class ContractError(Exception):
    """A contract file is missing or does not say what NMIP needs."""


@dataclass(frozen=True)
class Column:
    """One column of an extract. `kind` is text, integer, number, boolean or date.

    `part_of`: the column whose number this one is a part of. `steady_from`: numbers at least this large are expected to stay
    between half and twice what they were in the same row when it was certified last.
    """

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
    maximum: float | None = None
    symbol_for: str | None = None
    part_of: str | None = None
    steady_from: int | None = None
    example: str | None = None


@dataclass(frozen=True)
class Rule:
    """One rule: a query over the tables of a check that returns `row_id, field, value, message` for every failing field.

    `row_id` is null where the file as a whole is meant; a fifth column `affected_rows` may say how many rows are concerned.
    The tables that a query may read are listed in `intake.checking.load_check_tables`.
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
class ContractChange:
    """What one version of a contract changed against the version before it.

    `defaults` holds, as text, what an added column is filled with where a delivery follows an older version. `renamed` maps
    new names to old ones.
    """

    version: str
    note: str
    added: tuple[str, ...] = ()
    defaults: Mapping[str, str] = field(default_factory=dict, hash=False)
    renamed: Mapping[str, str] = field(default_factory=dict, hash=False)
    removed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Layout:
    """The columns that one version of a contract had."""

    version: str
    names: frozenset[str]


@dataclass(frozen=True)
class Contract:
    """One extract's promise: columns in order, and the rules that stand in the file.

    `has_every_school`: every school that takes part has rows. `changes`: one entry for each version after the first, oldest
    first; empty while there is no history. `layouts`: the columns of every version, oldest first; the last one is today's.
    """

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
    has_every_school: bool = False
    changes: tuple[ContractChange, ...] = ()
    layouts: tuple[Layout, ...] = ()

    @property
    def key(self) -> tuple[str, ...]:
        keyed = [column for column in self.columns if column.key_position is not None]
        return tuple(column.name for column in sorted(keyed, key=lambda column: column.key_position or 0))

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def known_names(self) -> tuple[str, ...]:
        """Every column name that any version of the contract had, today's first."""
        older = {name for layout in self.layouts for name in layout.names}
        return (*self.column_names, *sorted(older.difference(self.column_names)))


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
        maximum=options.get("maximum"),
        symbol_for=custom.get("symbolFor"),
        part_of=custom.get("partOf"),
        steady_from=custom.get("steadyFrom"),
        example=_text(examples[0]),
    )


def _text(value: object) -> str | None:
    """A YAML value as a district would write it."""
    return None if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _change(entry: Mapping[str, Any]) -> ContractChange:
    unknown = set(entry) - {"version", "note", "added", "renamed", "removed"}
    if unknown:
        raise ContractError(f"a change says {', '.join(sorted(unknown))}, which means nothing here")
    added = entry.get("added") or []
    texts = {name: _text(value) for name, value in added.items()} if isinstance(added, Mapping) else dict.fromkeys(added)
    return ContractChange(
        version=str(entry["version"]),
        note=entry["note"].strip(),
        added=tuple(texts),
        defaults={name: text for name, text in texts.items() if text is not None},
        renamed=dict(entry.get("renamed") or {}),
        removed=tuple(entry.get("removed") or ()),
    )


def _version_number(version: str) -> tuple[int, ...]:
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        raise ContractError(f"{version!r} is no version such as 1.2.0")
    return tuple(int(part) for part in version.split("."))


def _layouts(names: Sequence[str], version: str, changes: Sequence[ContractChange]) -> tuple[Layout, ...]:
    """The columns of every version, oldest first, worked out backwards from today's. Raises ContractError."""
    layouts = [Layout(version, frozenset(names))]
    if not changes:
        return tuple(layouts)
    versions = [FIRST_VERSION, *(change.version for change in changes)]
    if any(_version_number(earlier) >= _version_number(later) for earlier, later in pairwise(versions)):
        raise ContractError(f"its changes are not in the order of their versions after {FIRST_VERSION}")
    if versions[-1] != version:
        raise ContractError(f"its version is {version} but its last change is of {versions[-1]}")
    for change, earlier in zip(reversed(changes), reversed(versions[:-1]), strict=True):
        layouts.append(Layout(earlier, _before(change, layouts[-1].names)))
    return tuple(reversed(layouts))


def _before(change: ContractChange, after: frozenset[str]) -> frozenset[str]:
    """The columns that a change started from, of those that it led to. Raises ContractError."""
    came, went = [*change.added, *change.renamed], [*change.renamed.values(), *change.removed]
    kept = after.difference(came)
    wrong = {
        "adds, or renames to, columns that are not there then": set(came) - after,
        "removes, or renames, columns that are still there": kept.intersection(went),
        "names columns twice": {name for name in came if came.count(name) > 1} | {name for name in went if went.count(name) > 1},
    }
    for what, names in wrong.items():
        if names:
            raise ContractError(f"the change of {change.version} {what}: {', '.join(sorted(names))}")
    return kept.union(went)


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
        names = {column.name for column in columns}
        for column in columns:
            if column.part_of is not None and column.part_of not in names:
                raise ContractError(f"{column.name} is a part of {column.part_of}, which is no column")
        changes = tuple(_change(entry) for entry in _custom(document).get("changes") or ())
        version = str(document["version"])
        return Contract(
            extract=schema["name"],
            title=document["name"],
            version=version,
            purpose=description["purpose"].strip(),
            limitations=description["limitations"].strip(),
            usage=description["usage"].strip(),
            rule_prefix=_custom(schema)["rulePrefix"],
            has_every_school=_custom(schema).get("everySchool", False),
            columns=columns,
            rules=tuple(_rule(entry) for entry in schema.get("quality", [])),
            by_name={column.name: column for column in columns},
            changes=changes,
            layouts=_layouts([column.name for column in columns], version, changes),
        )
    except (KeyError, IndexError, TypeError, AttributeError) as error:
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

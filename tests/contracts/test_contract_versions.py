"""Versions of contracts: what a change says, which version a file follows, and that files of older versions are still read.

The contract of these tests went through three versions; its older columns are written out by hand here.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
from copy import deepcopy
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.contracts.contract import Contract, ContractChange, ContractError, load_contract, parse_contract
from pipelines.contracts.versions import follows_contract, read_columns
from pipelines.intake.mapping import has_contract_columns, map_contract_columns
from pipelines.intake.reading import DeliveredFile, read_delivery
from pipelines.intake.screening import Screening, screen
from pipelines.intake.states import READY
from pipelines.settings import PROJECT_ROOT
from tests.deliveries import directory_csv

CONTRACTS = PROJECT_ROOT / "data_contracts"
PLACE = ("philadelphia", "school_directory", "2023-24")

FIRST = ["unit", "label", "old_note", "pupils", "pupils_symbol", "n_rooms"]
SECOND = ["unit_id", "label", "pupils", "pupils_symbol", "n_rooms", "n_teachers", "n_teachers_symbol", "is_open"]
THIRD = ["unit_id", "name", "n_pupils", "n_pupils_symbol", "n_rooms", "n_teachers", "n_teachers_symbol", "is_open", "region"]
CHANGES = """
- version: 1.1.0
  note: Units have ids, and teachers are counted.
  added: {n_teachers: null, n_teachers_symbol: null, is_open: true}
  renamed: {unit_id: unit}
  removed: [old_note]
- version: 1.1.1
  note: A rule says more clearly what is wrong.
- version: 2.0.0
  note: Names follow the other extracts, and a school says where it lies.
  added: [region]
  renamed: {name: label, n_pupils: pupils, n_pupils_symbol: pupils_symbol}
"""
NOTES = {
    "1.1.0": "Units have ids, and teachers are counted.",
    "2.0.0": "Names follow the other extracts, and a school says where it lies.",
}


def note(follows: str, since: str) -> str:
    return f"This file follows version {follows} of the contract; since then ({since}): {NOTES[since]}"


def prop(name: str, kind: str = "VARCHAR", symbol_for: str | None = None, **more: Any) -> dict[str, Any]:
    custom = [{"property": "symbolFor", "value": symbol_for}, {"property": "codeList", "value": "symbols"}] if symbol_for else []
    return {"name": name, "physicalType": kind, "description": f"{name}.", "customProperties": custom} | more


def document(changes: Any = None, version: str = "2.0.0") -> dict[str, Any]:
    properties = [
        prop("unit_id", required=True, primaryKeyPosition=1),
        prop("name"),
        prop("n_pupils", "BIGINT"),
        prop("n_pupils_symbol", symbol_for="n_pupils"),
        prop("n_rooms", "BIGINT"),
        prop("n_teachers", "BIGINT"),
        prop("n_teachers_symbol", symbol_for="n_teachers"),
        prop("is_open", "BOOLEAN", required=True),
        prop("region"),
    ]
    schema = {"name": "units", "customProperties": [{"property": "rulePrefix", "value": "UN"}], "properties": properties}
    custom = [{"property": "changes", "value": yaml.safe_load(CHANGES) if changes is None else changes}]
    words = {"purpose": "What.", "limitations": "Not.", "usage": "One row a unit."}
    return {"name": "Units", "version": version, "description": words, "schema": [schema], "customProperties": custom}


CONTRACT = parse_contract(document())


def mapped(header: list[str], row: list[str] | None = None, contract: Contract = CONTRACT) -> Any:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, row or [f"value {number}" for number in range(len(header))]])
    delivered = read_delivery([DeliveredFile("a.csv", text.getvalue().encode())])
    return map_contract_columns(delivered, contract, "philadelphia", "2023-24")


# --- what a change says ---


def test_changes_are_read_oldest_first() -> None:
    assert CONTRACT.changes == (
        ContractChange(
            version="1.1.0",
            note="Units have ids, and teachers are counted.",
            added=("n_teachers", "n_teachers_symbol", "is_open"),
            defaults={"is_open": "true"},
            renamed={"unit_id": "unit"},
            removed=("old_note",),
        ),
        ContractChange(version="1.1.1", note="A rule says more clearly what is wrong."),
        ContractChange(
            version="2.0.0",
            note="Names follow the other extracts, and a school says where it lies.",
            added=("region",),
            renamed={"name": "label", "n_pupils": "pupils", "n_pupils_symbol": "pupils_symbol"},
        ),
    )
    assert len({CONTRACT.changes[0], CONTRACT.changes[0]}) == 1


def test_the_columns_of_every_version_are_worked_out() -> None:
    assert [(layout.version, layout.names) for layout in CONTRACT.layouts] == [
        ("1.0.0", frozenset(FIRST)),
        ("1.1.0", frozenset(SECOND)),
        ("1.1.1", frozenset(SECOND)),
        ("2.0.0", frozenset(THIRD)),
    ]
    assert CONTRACT.known_names == (*CONTRACT.column_names, "label", "old_note", "pupils", "pupils_symbol", "unit")


def test_a_contract_without_a_history_has_one_layout() -> None:
    found = document()
    del found["customProperties"]
    contract = parse_contract(found | {"version": "1.3.0"})
    assert (contract.changes, len(contract.layouts)) == ((), 1)
    assert contract.layouts[0].version == "1.3.0"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ([{"version": "2.0.0", "note": "x", "rename": {"name": "label"}}], "rename"),
        ([{"version": "2.0.0"}], "note"),
        ([{"version": "2.0", "note": "x"}], "'2.0' is no version"),
        ([{"version": "1.9.0", "note": "x"}], "its version is 2.0.0 but its last change is of 1.9.0"),
        ([{"version": "2.0.0", "note": "x"}, {"version": "1.9.0", "note": "x"}], "order"),
        ([{"version": "1.0.0", "note": "x"}, {"version": "2.0.0", "note": "x"}], "order"),
        ([{"version": "2.0.0", "note": "x", "added": ["nowhere"]}], "not there then: nowhere"),
        ([{"version": "2.0.0", "note": "x", "renamed": {"nowhere": "old"}}], "not there then: nowhere"),
        ([{"version": "2.0.0", "note": "x", "renamed": {"name": "region"}}], "still there: region"),
        ([{"version": "2.0.0", "note": "x", "removed": ["region"]}], "still there: region"),
        ([{"version": "2.0.0", "note": "x", "added": ["name"], "renamed": {"name": "label"}}], "twice: name"),
        ([{"version": "2.0.0", "note": "x", "renamed": {"name": "old"}, "removed": ["old"]}], "twice: old"),
        (
            [{"version": "1.5.0", "note": "x", "added": ["region"]}, {"version": "2.0.0", "note": "x", "added": ["region"]}],
            "region",
        ),
        (["1.1.0"], ""),
    ],
)
def test_a_change_that_cannot_have_been_is_refused(changes: Any, words: str) -> None:
    with pytest.raises(ContractError) as caught:
        parse_contract(document(changes))
    assert words in str(caught.value)


def test_versions_are_compared_as_numbers() -> None:
    changes = [{"version": "1.9.0", "note": "x"}, {"version": "1.10.0", "note": "y"}]
    assert [change.version for change in parse_contract(document(changes, "1.10.0")).changes] == ["1.9.0", "1.10.0"]


# --- a file of each version ---


def test_a_file_of_the_first_version_is_read() -> None:
    found = mapped(FIRST, ["007", "North", "gone", "", "c", "12"])
    assert found.older_version == "1.0.0"
    assert found.notes == (note("1.0.0", "1.1.0"), note("1.0.0", "2.0.0"))
    assert (found.columns, found.unknown_columns) == (CONTRACT.column_names, ())
    assert found.rows.drop("row_id", "delivered_file", "delivered_line").to_dicts() == [
        {
            **{"unit_id": "007", "name": "North", "n_pupils": None, "n_pupils_symbol": "c", "n_rooms": "12"},
            **{"n_teachers": None, "n_teachers_symbol": "x", "is_open": "true", "region": None},
        }
    ]


def test_a_file_of_the_second_version_is_read() -> None:
    found = mapped(SECOND, ["007", "North", "30", "", "12", "4", "", "false"])
    assert found.older_version == "1.1.1", "the latest version with these columns"
    assert found.notes == (note("1.1.1", "2.0.0"),)
    assert (found.columns, found.unknown_columns) == (CONTRACT.column_names, ())
    row = found.rows.row(0, named=True)
    assert (row["name"], row["n_pupils"], row["n_teachers"], row["is_open"], row["region"]) == ("North", "30", "4", "false", None)


@settings(max_examples=40, deadline=None)
@given(st.permutations(THIRD), st.sets(st.sampled_from(["n_pupils_symbol", "n_teachers_symbol"])))
def test_a_file_of_the_current_version_gives_no_note(header: list[str], left_out: set[str]) -> None:
    found = mapped([name for name in header if name not in left_out])
    assert (found.older_version, found.notes, found.unknown_columns) == (None, (), ())
    assert set(found.columns) == set(THIRD) - left_out


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([FIRST, SECOND, THIRD]).flatmap(st.permutations))
def test_every_delivered_value_lands_in_the_column_of_today(header: list[str]) -> None:
    today = {"unit": "unit_id", "label": "name", "pupils": "n_pupils", "pupils_symbol": "n_pupils_symbol"}
    row = mapped(header).rows.row(0, named=True)
    expected = {today.get(name, name): f"value {number}" for number, name in enumerate(header) if name != "old_note"}
    assert {name: row[name] for name in expected} == expected


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from([*dict.fromkeys(FIRST + SECOND + THIRD), "else", "Name", "regio"]), unique=True, min_size=1))
def test_no_column_is_lost_or_taken_twice(header: list[str]) -> None:
    read = read_columns(header, CONTRACT)
    assert len(set(read.sources.values())) == len(read.sources)
    assert not read.dropped.intersection(read.sources.values())
    assert not set(read.filled).intersection(read.sources)
    assert {*read.sources, *read.filled} <= set(THIRD)
    known = {*FIRST, *SECOND, *THIRD}
    left = set(header).difference(read.sources.values(), read.dropped)
    replaced = {"unit": "unit_id", "label": "name", "pupils": "n_pupils", "pupils_symbol": "n_pupils_symbol"}
    assert {name for name in left if name in known} == {old for old, new in replaced.items() if {old, new} <= set(header)}
    assert (read.older_version is None) == (read.crossed == ())


# --- what no version explains stays what it is ---


def test_a_misnamed_column_stays_one_finding() -> None:
    found = mapped([*THIRD[:-1], "regions"])
    assert found.older_version is None
    assert "region" not in found.columns, "it looks misnamed, so it is not taken for one that was added later"
    assert found.unknown_columns == ("regions",)


def test_a_missing_column_that_always_was_there_stays_missing() -> None:
    found = mapped([name for name in SECOND if name != "n_rooms"])
    assert "n_rooms" not in found.columns
    assert found.older_version == "1.1.1"


def test_of_columns_that_came_together_none_is_filled_when_others_are_there() -> None:
    found = mapped([name for name in THIRD if name != "is_open"])
    assert found.older_version is None
    assert "is_open" not in found.columns


def test_one_old_name_in_a_file_of_today_is_understood_and_told() -> None:
    found = mapped([name if name != "name" else "label" for name in THIRD])
    assert (found.unknown_columns, found.columns) == ((), CONTRACT.column_names)
    assert found.notes == (note("1.1.1", "2.0.0"),)


def test_a_column_under_both_its_names_is_read_by_the_newer_one() -> None:
    found = mapped([*THIRD, "label"])
    assert found.rows["name"].to_list() == ["value 1"]
    assert found.unknown_columns == ("label",)


def test_a_removed_column_in_a_file_of_today_is_dropped() -> None:
    found = mapped([*THIRD, "old_note"])
    assert (found.unknown_columns, found.columns) == ((), CONTRACT.column_names)
    assert found.notes == (note("1.0.0", "1.1.0"),)


def test_a_needed_column_without_a_default_stays_missing() -> None:
    changes = deepcopy(yaml.safe_load(CHANGES))
    changes[0]["added"] = ["n_teachers", "n_teachers_symbol", "is_open"]
    found = mapped(FIRST, contract=parse_contract(document(changes)))
    assert "is_open" not in found.columns
    assert {"n_teachers", "n_teachers_symbol"} <= set(found.columns)


def test_a_number_with_a_default_needs_no_symbol() -> None:
    changes = deepcopy(yaml.safe_load(CHANGES))
    changes[0]["added"] = {"n_teachers": 0, "n_teachers_symbol": None, "is_open": False}
    row = mapped(FIRST, contract=parse_contract(document(changes))).rows.row(0, named=True)
    assert (row["n_teachers"], row["n_teachers_symbol"], row["is_open"]) == ("0", None, "false")


def test_a_symbol_may_have_a_default_of_its_own() -> None:
    changes = deepcopy(yaml.safe_load(CHANGES))
    changes[0]["added"] = {"n_teachers": None, "n_teachers_symbol": "z", "is_open": True}
    row = mapped(FIRST, contract=parse_contract(document(changes))).rows.row(0, named=True)
    assert (row["n_teachers"], row["n_teachers_symbol"]) == (None, "z")


def test_names_that_changed_places_are_told_apart_by_the_rest_of_the_file() -> None:
    changes = [
        {
            "version": "2.0.0",
            "note": "Names change places.",
            "renamed": {"name": "region", "region": "name"},
            "added": ["n_rooms"],
        }
    ]
    contract = parse_contract(document(changes))
    old = [name for name in THIRD if name != "n_rooms"]
    row = mapped(old, contract=contract).rows.row(0, named=True)
    assert (row["name"], row["region"]) == (f"value {old.index('region')}", f"value {old.index('name')}")
    row = mapped(THIRD, contract=contract).rows.row(0, named=True)
    assert (row["name"], row["region"]) == (f"value {THIRD.index('name')}", f"value {THIRD.index('region')}")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (FIRST, True),
        (SECOND, True),
        (THIRD, True),
        ([name.upper() for name in FIRST], True),
        (["unit", "label", "pupils"], True),
        (["unit", "label"], False),
        (["School", "N"], False),
        (["n_pupils_symbol", "pupils_symbol", "n_teachers_symbol"], False),
    ],
)
def test_old_names_count_as_the_contracts_own(names: list[str], expected: bool) -> None:
    assert has_contract_columns(tuple(names), CONTRACT) is expected
    assert follows_contract(names, CONTRACT) is expected


# --- the recipe ---

WAS = load_contract(CONTRACTS, "school_directory")
NEXT = f"{int(WAS.version.split('.')[0]) + 1}.0.0"
CHANGE = {
    "version": NEXT,
    "note": "Regions have one name everywhere, and classrooms are counted.",
    "added": {"n_classrooms": None, "n_classrooms_symbol": None, "is_year_round": False},
    "renamed": {"region_id": "network_id"},
}


def screened(contracts: Path, content: bytes) -> Screening:
    return screen([DeliveredFile("a.csv", content)], contracts, *PLACE)


@pytest.fixture
def contracts(tmp_path: Path) -> Path:
    """The project's contracts, the school directory changed as the recipe "Change a contract" says."""
    folder = tmp_path / "data_contracts"
    shutil.copytree(CONTRACTS, folder)
    path = folder / "extracts" / "school_directory.odcs.yaml"
    contract = yaml.safe_load(path.read_text(encoding="utf-8"))
    columns = contract["schema"][0]["properties"]
    (network,) = [column for column in columns if column["name"] == "network_id"]
    network["name"] = "region_id"
    columns += [
        prop("n_classrooms", "BIGINT", logicalType="integer"),
        prop("n_classrooms_symbol", logicalType="string", symbol_for="n_classrooms"),
        prop("is_year_round", "BOOLEAN", logicalType="boolean", required=True),
    ]
    contract["version"] = NEXT
    custom = contract.setdefault("customProperties", [])
    history = next((entry for entry in custom if entry["property"] == "changes"), None)
    if history is None:
        custom.append(history := {"property": "changes", "value": []})
    history["value"].append(CHANGE)
    path.write_text(yaml.safe_dump(contract, sort_keys=False), encoding="utf-8")
    return folder


def directory_of_version_1_1() -> bytes:
    """The directory of tests without the column that names predecessors."""
    rows = [line.split(",") for line in directory_csv().decode().splitlines()]
    place = rows[0].index("predecessor_school_ids")
    return "\n".join([",".join(cells[:place] + cells[place + 1 :]) for cells in rows] + [""]).encode()


def test_a_directory_without_predecessors_is_read_as_one_of_version_1_1() -> None:
    found = screened(CONTRACTS, directory_of_version_1_1())
    assert (found.outcome, found.contract_version) == (READY, "1.2.0")
    assert found.remarks[0] == (
        "This file follows version 1.1.0 of the contract; since then (1.2.0): Schools that were merged or changed their id name "
        "the ids that they had before."
    )
    assert found.rows["predecessor_school_ids"].null_count() == found.rows.height == 3
    assert screened(CONTRACTS, directory_csv()).remarks == found.remarks[1:]


def test_after_the_recipe_files_of_the_old_columns_still_pass(contracts: Path) -> None:
    before = screened(CONTRACTS, directory_csv())
    after = screened(contracts, directory_csv())
    assert before.outcome == after.outcome == READY
    assert after.contract_version == NEXT
    told = f"This file follows version {WAS.version} of the contract; since then ({NEXT}): {CHANGE['note']}"
    assert set(after.remarks) == {*before.remarks, told}
    assert after.rows["region_id"].to_list() == before.rows["network_id"].to_list()
    assert after.rows.select("n_classrooms", "n_classrooms_symbol", "is_year_round").unique().rows() == [(None, "x", "false")]


def test_after_the_recipe_files_of_the_new_columns_pass_without_a_note(contracts: Path) -> None:
    header, *rows = directory_csv().decode().splitlines()
    lines = [f"{header.replace('network_id', 'region_id')},n_classrooms,is_year_round", *(f"{row},12,true" for row in rows)]
    found = screened(contracts, "\n".join(lines).encode())
    assert (found.outcome, found.notes) == (READY, ())
    assert found.rows["is_year_round"].to_list() == ["true"] * len(rows)


def test_the_changed_contract_is_still_valid_against_the_standard(contracts: Path) -> None:
    schema = json.loads((files("open_data_contract_standard") / "schema.json").read_text(encoding="utf-8"))
    found = yaml.safe_load((contracts / "extracts" / "school_directory.odcs.yaml").read_text(encoding="utf-8"))
    assert [error.message for error in jsonschema.Draft201909Validator(schema).iter_errors(found)] == []

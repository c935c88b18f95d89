"""Synthetic deliveries: native layouts are read back into exactly the contract's rows; planted faults are found by their rules.

Everything goes the way that a district's file goes: bytes, reading, mapping, rules. That the right rows of the network are
right is tested in `test_synthetic` and its neighbours.
"""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from pipelines.contracts.column_rules import typed_expression
from pipelines.contracts.contract import load_contract
from pipelines.intake.context import Context
from pipelines.intake.inbox import READY_MARK, deliveries, in_order, list_inbox
from pipelines.intake.reading import DeliveredFile
from pipelines.intake.screening import Screening, screen
from pipelines.settings import PROJECT_ROOT
from pipelines.synthetic.files import write_deliveries
from pipelines.synthetic.layouts import LAYOUTS, native_files
from pipelines.synthetic.model import SCHOOL_YEARS, SyntheticNetwork, SyntheticNetworkError
from pipelines.synthetic.network import build_network

CONTRACTS = PROJECT_ROOT / "data_contracts"
LISTED_LAYOUTS = pl.read_csv(CONTRACTS / "synthetic_layouts.csv", infer_schema=False)
LISTED_FAULTS = pl.read_csv(CONTRACTS / "synthetic_faults.csv", infer_schema=False)
DISTRICTS = pl.read_csv(CONTRACTS / "codes" / "districts.csv", infer_schema=False)["code"].to_list()
# The scale of the demonstration or near it: faults need rows to be in.
SCALE = 0.1


@pytest.fixture(scope="module")
def network() -> SyntheticNetwork:
    return build_network(CONTRACTS, scale=SCALE)


@pytest.fixture(scope="module")
def delivered(network: SyntheticNetwork, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Path]]:
    inbox = tmp_path_factory.mktemp("inbox")
    return inbox, write_deliveries(network, inbox)


def as_text(rows: pl.DataFrame) -> pl.DataFrame:
    return pl.read_csv(io.BytesIO(rows.write_csv(None).encode()), infer_schema=False)


def typed(screening: Screening, extract: str) -> pl.DataFrame:
    """The mapped rows as the contract types them, sorted by key; the rules' own reading of text."""
    contract = load_contract(CONTRACTS, extract)
    names = [column.name for column in contract.columns if column.name in screening.rows.columns]
    chosen = ", ".join(f'{typed_expression(contract.by_name[name])} AS "{name}"' for name in names)
    with duckdb.connect() as connection:
        connection.register("mapped", screening.rows)
        return connection.sql(f"SELECT {chosen} FROM mapped").pl().sort(contract.key)


def assert_same_rows(screening: Screening, extract: str, rows: pl.DataFrame) -> None:
    found = typed(screening, extract)
    absent = [name for name in rows.columns if name not in found.columns]
    assert all(name.endswith("_symbol") and rows[name].null_count() == rows.height for name in absent), absent
    expected = rows.select(found.columns)
    assert found.height == expected.height > 0
    for name in found.columns:
        assert found[name].cast(expected[name].dtype).equals(expected[name], null_equal=True), name


# --- native layouts ---


def test_every_layout_is_in_use_and_every_district_has_two_in_different_extracts() -> None:
    assert sorted(LISTED_LAYOUTS["layout"]) == sorted(LAYOUTS)
    assert LISTED_LAYOUTS.select("district", "extract").is_unique().all()
    assert min(Counter(LISTED_LAYOUTS["district"])[district] for district in DISTRICTS) >= 2
    for district, extract, _ in LISTED_LAYOUTS.iter_rows():
        assert (CONTRACTS / "mappings" / district / f"{extract}.sql").is_file()


@pytest.mark.parametrize("district, extract, layout", LISTED_LAYOUTS.rows())
def test_a_mapping_reads_its_layout_back_into_the_contracts_rows(
    network: SyntheticNetwork, district: str, extract: str, layout: str
) -> None:
    groups = [SCHOOL_YEARS] if LAYOUTS[layout].spans_years else [(year,) for year in SCHOOL_YEARS]
    for years in groups:
        rows = {year: network.extracts[district, extract, year] for year in years}
        files = [DeliveredFile(name, content) for name, content in native_files(layout, rows, "native")]
        for year in years:
            screening = screen(files, CONTRACTS, district, extract, year)
            assert screening.mapping_digest is not None, "the file has a layout of its own"
            assert not screening.is_blocked, screening.findings.head(3).to_dicts()
            assert_same_rows(screening, extract, rows[year])
            dropped = screening.lines["dropped"]
            assert sum(dropped.values()) + screening.lines["used"] == screening.lines["in"]


@pytest.mark.parametrize("district, extract", LISTED_LAYOUTS.select("district", "extract").rows())
def test_the_contracts_own_columns_are_still_accepted_beside_a_mapping(
    network: SyntheticNetwork, district: str, extract: str
) -> None:
    rows = network.extracts[district, extract, SCHOOL_YEARS[-1]]
    screening = screen([DeliveredFile("own.csv", rows.write_csv(None).encode())], CONTRACTS, district, extract, SCHOOL_YEARS[-1])
    assert screening.mapping_digest is None
    assert not screening.is_blocked
    assert_same_rows(screening, extract, rows)


def test_a_malformed_number_of_a_native_file_is_found_and_not_dropped(network: SyntheticNetwork) -> None:
    """A mapping takes marks for missing numbers apart and lets everything else through to the rules."""
    place = ("houston", "materials_use", SCHOOL_YEARS[0])
    [(name, content)] = native_files("use_with_letters", {place[2]: network.extracts[place]}, "native")
    header, first, rest = content.decode().split("\n", 2)
    cells = first.split("|")
    cells[header.split("|").index("asked")] = "1,138"
    spoiled = "\n".join([header, "|".join(cells), rest]).encode()
    found = screen([DeliveredFile(name, spoiled)], CONTRACTS, *place).findings
    assert found.filter(rule_id="MU-S-TYPE").select("line", "field", "value").rows() == [(2, "n_eligible", "1,138")]


def test_marks_for_missing_numbers_come_back_as_their_symbols(network: SyntheticNetwork) -> None:
    """Every symbol that a layout writes, also those that the drawn rows happen not to have."""
    rows = network.extracts["los_angeles", "professional_learning", SCHOOL_YEARS[0]]
    row = pl.int_range(pl.len())
    symbol = pl.when(row == 1).then(pl.lit("c")).when(row == 2).then(pl.lit("x")).when(row == 3).then(pl.lit("z"))
    hidden = rows.with_columns(
        symbol.alias("n_leaders_symbol"), pl.when(~row.is_in([1, 2, 3])).then("n_leaders").alias("n_leaders")
    )
    files = [DeliveredFile(*file) for file in native_files("learning_by_kind", {SCHOOL_YEARS[0]: hidden}, "native")]
    screening = screen(files, CONTRACTS, "los_angeles", "professional_learning", SCHOOL_YEARS[0])
    assert_same_rows(screening, "professional_learning", hidden)


def test_a_layout_or_fault_that_does_not_exist_is_refused_by_name(tmp_path: Path) -> None:
    import shutil

    contracts = tmp_path / "contracts"
    shutil.copytree(CONTRACTS, contracts)
    (contracts / "synthetic_layouts.csv").write_text("district,extract,layout\nchicago,math_staff,sideways\n")
    with pytest.raises(SyntheticNetworkError, match="no layout 'sideways'"):
        build_network(contracts, scale=0.001)
    shutil.copy(CONTRACTS / "synthetic_layouts.csv", contracts)
    (contracts / "synthetic_faults.csv").write_text("district,extract,school_year,fault\nchicago,math_staff,2024-25,gremlins\n")
    with pytest.raises(SyntheticNetworkError, match="no fault 'gremlins'"):
        build_network(contracts, scale=0.001)


# --- deliveries ---


def test_every_file_belongs_to_a_delivery_and_faulty_ones_come_before_corrected_ones(
    network: SyntheticNetwork, delivered: tuple[Path, list[Path]]
) -> None:
    inbox, paths = delivered
    found = deliveries(list_inbox(inbox), CONTRACTS)
    assert [delivery for delivery in found if delivery.problem] == []
    names = {str(path.relative_to(inbox)) for path in paths}
    assert {path for delivery in found for path in delivery.paths} == names
    assert not any(path.name == READY_MARK for path in paths)
    assert any(len(delivery.paths) == 2 for delivery in found)
    order = [delivery.name for delivery in in_order(found)]
    corrected = [fault for fault in network.truth["planted_faults"] if fault["is_corrected"]]
    assert corrected
    for fault in corrected:
        place = f"{fault['district']}/{fault['extract']}/{fault['school_year']}/"
        faulty, right = [name for name in order if name.startswith(place)]
        assert faulty == place + fault["file"]
        assert "_corrected" in right
    held = {delivery.place for delivery in found}
    in_one_file = {
        (district, extract)
        for (district, extract), layout in network.layouts.items()
        if LAYOUTS[layout].spans_years
    }  # fmt: skip
    expected = {key for key in network.extracts if key[:2] not in in_one_file or key[2] == SCHOOL_YEARS[-1]}
    assert held == expected


def test_the_same_network_gives_the_same_bytes_workbooks_too(network: SyntheticNetwork, tmp_path: Path) -> None:
    first, again = (
        write_deliveries(network, tmp_path / "a"),
        write_deliveries(build_network(CONTRACTS, scale=SCALE), tmp_path / "b"),
    )
    assert [path.relative_to(tmp_path / "a") for path in first] == [path.relative_to(tmp_path / "b") for path in again]
    assert all(one.read_bytes() == other.read_bytes() for one, other in zip(first, again, strict=True))
    assert {path.suffix for path in first} >= {".csv", ".xlsx", ".txt", ".psv"}


def test_corrected_files_hold_the_right_rows(network: SyntheticNetwork, delivered: tuple[Path, list[Path]]) -> None:
    for path in (path for path in delivered[1] if "_corrected" in path.name):
        district, extract, school_year = path.parts[-4:-1]
        screening = screen([DeliveredFile(path.name, path.read_bytes())], CONTRACTS, district, extract, school_year)
        assert not screening.is_blocked, (path.name, screening.findings.head(2).to_dicts())
        assert_same_rows(screening, extract, network.extracts[district, extract, school_year])


# --- planted faults ---


def planted(network: SyntheticNetwork, district: str, extract: str, school_year: str) -> dict[str, Any]:
    place = {"district": district, "extract": extract, "school_year": school_year}
    [entry] = [fault for fault in network.truth["planted_faults"] if place.items() <= fault.items() and fault["is_corrected"]]
    found: dict[str, Any] = entry
    return found


def screened(network: SyntheticNetwork, content: bytes, name: str, district: str, extract: str, school_year: str) -> Screening:
    """A file beside the district's right rows of earlier years and its directory of the year."""
    earlier = {
        year: as_text(rows)
        for (d, e, year), rows in network.extracts.items()
        if (d, e) == (district, extract) and year < school_year
    }
    directory = as_text(network.extracts[district, "school_directory", school_year])
    context = Context(None, earlier, directory, school_year)
    return screen([DeliveredFile(name, content)], CONTRACTS, district, extract, school_year, context=context)


def test_every_listed_fault_is_planted_with_two_kinds_and_tiers_a_district(network: SyntheticNetwork) -> None:
    entries = [fault for fault in network.truth["planted_faults"] if fault["is_corrected"]]
    assert len(entries) == LISTED_FAULTS.height
    assert {(e["district"], e["extract"], e["school_year"]) for e in entries} == set(LISTED_FAULTS.drop("fault").rows())
    for district in DISTRICTS:
        rules = {entry["rule_id"] for entry in entries if entry["district"] == district}
        assert len(rules) >= 2
        assert len({rule.split("-")[1] for rule in rules}) >= 2
    assert {entry["rule_id"].split("-")[1] for entry in entries} == {"S", "V", "Q", "M"}
    assert all(entry["n"] > 0 for entry in network.truth["planted_faults"])


@pytest.mark.parametrize("district, extract, school_year, fault", LISTED_FAULTS.rows())
def test_a_planted_fault_is_found_by_its_rule_at_its_rows(
    network: SyntheticNetwork, delivered: tuple[Path, list[Path]], district: str, extract: str, school_year: str, fault: str
) -> None:
    entry = planted(network, district, extract, school_year)
    path = delivered[0] / district / extract / school_year / entry["file"]
    found = screened(network, path.read_bytes(), path.name, district, extract, school_year).findings
    of_rule = found.filter(rule_id=entry["rule_id"])
    assert of_rule.height > 0, f"{fault} is not found"
    assert sorted(set(of_rule["line"].drop_nulls())) == entry["lines"]
    assert entry["lines"] or of_rule["line"].null_count() == of_rule.height

    right = as_text(network.extracts[district, extract, school_year])
    clean = screened(network, right.write_csv(None).encode(), path.name, district, extract, school_year).findings
    assert clean.filter(rule_id=entry["rule_id"]).is_empty(), "the rule also speaks where nothing was spoiled"


def test_what_is_unusual_and_right_is_found_and_not_corrected(
    network: SyntheticNetwork, delivered: tuple[Path, list[Path]]
) -> None:
    kept = [fault for fault in network.truth["planted_faults"] if not fault["is_corrected"]]
    assert len(kept) >= 2
    for entry in kept:
        place = (entry["district"], entry["extract"], entry["school_year"])
        path = delivered[0].joinpath(*place, entry["file"])
        found = screened(network, path.read_bytes(), path.name, *place)
        assert not found.is_blocked
        assert sorted(found.findings.filter(rule_id=entry["rule_id"])["line"]) == entry["lines"]


def test_a_network_too_small_for_a_fault_does_without_it() -> None:
    tiny = build_network(CONTRACTS, scale=0.001)
    kinds = {entry["rule_id"] for entry in tiny.truth["planted_faults"]}
    assert "TD-M-PART-COPIED" not in kinds, "a copied column is a fault of twenty rows or more"
    for key, rows in tiny.faulty.items():
        assert not rows.equals(tiny.extracts[key])

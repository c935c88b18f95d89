"""The dbt project as a whole: it builds on a home in which nothing was sent, and its unit tests hold."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import polars as pl
import pytest
import yaml

from pipelines import flow
from pipelines.contracts.contract import extract_names, load_contract
from pipelines.lake.partitions import ensure_empty_extracts
from pipelines.settings import PROJECT_ROOT, Settings
from pipelines.warehouse.catalogue import CatalogueError, read_indicators
from pipelines.warehouse.dbt import BuildFailed, invoke, write_inputs

DBT_TYPES = {"VARCHAR": "varchar", "BIGINT": "bigint", "BOOLEAN": "boolean", "DOUBLE": "double", "DATE": "date"}


@pytest.fixture(scope="module")
def empty_build(tmp_path_factory: pytest.TempPathFactory) -> tuple[flow.Home, tuple[object, ...]]:
    settings = Settings.from_environment({"NMIP_HOME": str(tmp_path_factory.mktemp("home"))})
    home = flow.Home(settings)
    ensure_empty_extracts(home.storage, settings.contracts)
    write_inputs(settings, flow.status_table(home), flow.expected_table(home))
    return home, invoke(settings, ["build"])


def test_everything_builds_and_every_unit_test_passes(empty_build: tuple[flow.Home, tuple[object, ...]]) -> None:
    statuses = Counter((r.resource_type.split(".")[-1].lower(), r.status) for r in empty_build[1])  # type: ignore[attr-defined]
    assert {status for _, status in statuses} <= {"success", "pass"}
    n_unit_tests = sum(
        len(yaml.safe_load(p.read_text()).get("unit_tests", [])) for p in (PROJECT_ROOT / "dbt_project/models").rglob("*.yml")
    )
    assert n_unit_tests >= 9
    passed = [r.name for r in empty_build[1] if "unit" in r.resource_type.lower()]  # type: ignore[attr-defined]
    assert len(passed) == n_unit_tests


def test_marts_have_their_columns_even_when_nothing_was_sent(empty_build: tuple[flow.Home, tuple[object, ...]]) -> None:
    marts = yaml.safe_load((PROJECT_ROOT / "dbt_project/models/marts/_marts.yml").read_text())["models"]
    for model in marts:
        table = pl.read_parquet(empty_build[0].settings.exchange / f"{model['name']}.parquet")
        assert table.columns == [column["name"] for column in model["columns"]]


def test_staging_models_and_contracts_do_not_drift_apart() -> None:
    staging = yaml.safe_load((PROJECT_ROOT / "dbt_project/models/staging/_staging.yml").read_text())["models"]
    by_name = {model["name"]: {c["name"]: c["data_type"] for c in model["columns"]} for model in staging}
    keys = {m["name"]: next(t["unique_key"] for t in m["data_tests"])["arguments"]["columns"] for m in staging}
    contracts = PROJECT_ROOT / "data_contracts"
    for extract in extract_names(contracts):
        contract = load_contract(contracts, extract)
        own = {"district": "varchar", "school_year": "varchar", "submission_id": "varchar"}
        expected = own | {c.name: DBT_TYPES[c.physical_type] for c in contract.columns}
        assert by_name[f"stg_{extract}"] == expected
        assert keys[f"stg_{extract}"] == ["district", "school_year", *contract.key]


def test_every_indicator_model_ends_in_the_one_shape() -> None:
    indicators = read_indicators(PROJECT_ROOT / "dbt_project")
    assert {"OC4", "OC9", "CM1", "CM2"} <= {indicator.indicator_id for indicator in indicators}
    for indicator in indicators:
        assert indicator.definition.endswith(".")
        assert indicator.caveats.endswith(".")


def _copy_of_project(tmp_path: Path) -> Path:
    indicators = tmp_path / "models" / "indicators" / "materials"
    indicators.mkdir(parents=True)
    (indicators / "xx1_new.sql").write_text("select 1")
    return tmp_path


def test_an_indicator_without_yml_is_named(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"xx1_new.sql has no xx1_new.yml"):
        read_indicators(_copy_of_project(tmp_path))


def test_an_indicator_with_a_half_filled_yml_is_named(tmp_path: Path) -> None:
    project = _copy_of_project(tmp_path)
    text = "models: [{name: xx1_new, config: {meta: {indicator: {id: XX1, name: New}}}}]"
    (project / "models/indicators/materials/xx1_new.yml").write_text(text)
    with pytest.raises(CatalogueError, match=r"xx1_new.yml: config.meta.indicator lacks challenge, definition"):
        read_indicators(project)


def test_a_broken_lake_file_fails_the_build_and_names_the_model(tmp_path: Path) -> None:
    settings = Settings.from_environment({"NMIP_HOME": str(tmp_path)})
    home = flow.Home(settings)
    ensure_empty_extracts(home.storage, settings.contracts)
    write_inputs(settings, flow.status_table(home), flow.expected_table(home))
    home.storage.write("lake/assessment_levels/_empty.parquet", b"PAR1 not really")
    with pytest.raises(BuildFailed, match="stg_assessment_levels"):
        invoke(settings, ["build", "--exclude-resource-type", "unit_test"])

"""The dbt project as a whole: it builds on a home in which nothing was sent, and its unit tests hold."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import polars as pl
import pytest
import yaml

from pipelines import flow
from pipelines.lake.partitions import ensure_empty_extracts
from pipelines.settings import PROJECT_ROOT, Settings
from pipelines.warehouse.catalogue import SCHOOL_GROUPS, CatalogueError, read_indicators
from pipelines.warehouse.dbt import READS_ESTIMATES, BuildFailed, invoke, write_inputs
from pipelines.warehouse.estimates import bring_estimates_up_to_date

BASES = ("own_test", "state_relative", "linked", "naep", "scale_free", "survey", "observed", "administrative")


@pytest.fixture(scope="module")
def empty_build(tmp_path_factory: pytest.TempPathFactory, no_dbt_log: None) -> tuple[flow.Home, tuple[object, ...]]:
    settings = Settings.from_environment({"NMIP_HOME": str(tmp_path_factory.mktemp("home"))})
    home = flow.Home(settings)
    ensure_empty_extracts(home.storage, settings.contracts)
    write_inputs(settings, flow.status_table(home), flow.expected_table(home))
    results: list[object] = []
    # Unit tests are run too, which a production build leaves out.
    results += invoke(settings, ["build", "--exclude", READS_ESTIMATES])
    bring_estimates_up_to_date(settings)
    results += invoke(settings, ["build", "--select", READS_ESTIMATES])
    return home, tuple(results)


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
    folder = PROJECT_ROOT / "dbt_project/models/marts"
    marts = [model for file in folder.glob("*.yml") for model in yaml.safe_load(file.read_text())["models"]]
    for model in marts:
        table = pl.read_parquet(empty_build[0].settings.exchange / f"{model['name']}.parquet")
        assert table.columns == [column["name"] for column in model["columns"]]


DESIGN = {
    **{"SS": range(1, 12), "CM": range(1, 13), "EC": range(1, 16), "LC": range(1, 9), "MM": range(1, 9)},
    **{"OC": range(1, 13), "PR": range(1, 7)},
}


def test_every_indicator_of_the_design_is_there_and_says_what_it_must() -> None:
    indicators = read_indicators(PROJECT_ROOT / "dbt_project")
    wanted = {f"{prefix}{number}" for prefix, numbers in DESIGN.items() for number in numbers}
    assert {indicator.indicator_id for indicator in indicators} == wanted
    for indicator in indicators:
        assert indicator.definition.endswith(".")
        assert indicator.caveats.endswith(".")
        assert indicator.basis in BASES
        assert "unit_id" not in indicator.breakdowns or indicator.breakdowns[:5] == SCHOOL_GROUPS


def test_indicators_that_only_describe_are_those_of_the_design() -> None:
    only_described = {i.indicator_id for i in read_indicators(PROJECT_ROOT / "dbt_project") if i.is_describe_only}
    assert only_described == {"CM2", "CM12", "SS3", "SS4", "SS8", "SS10", "LC7", "MM5", "PR5"}


def test_every_indicator_has_unit_tests_of_its_own() -> None:
    for path in (PROJECT_ROOT / "dbt_project/models/indicators").rglob("*.yml"):
        tests = yaml.safe_load(path.read_text(encoding="utf-8")).get("unit_tests", [])
        assert {test["model"] for test in tests} == {path.stem}, path.name


def test_every_threshold_is_owned_and_none_is_idle() -> None:
    """A threshold that is misspelled would be null, and every comparison with it neither true nor false."""
    project = PROJECT_ROOT / "dbt_project"
    seeds = pl.read_csv(project / "seeds/thresholds.csv")
    texts = [path.read_text(encoding="utf-8") for folder in ("models", "macros") for path in (project / folder).rglob("*.sql")]
    used = {name for text in texts for name in re.findall(r"threshold(?:\('|_id = ')([a-z_0-9]+)'", text)}
    # What estimation reads from the same table.
    estimating = (PROJECT_ROOT / "pipelines/warehouse/estimating.py").read_text(encoding="utf-8")
    used |= set(re.findall(r"thresholds\[\"([a-z_0-9]+)\"\]", estimating))
    used |= {indicator.response_floor for indicator in read_indicators(project)}
    # What the contracts write into their definitions is owned here and cannot be used in SQL: counts come at that threshold.
    in_contracts = {"learning_hours", "regular_use_days"}
    assert used | in_contracts == set(seeds["threshold_id"])
    assert seeds.select(pl.all().null_count()).row(0) == (0,) * seeds.width


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


def test_a_broken_lake_file_fails_the_build_and_names_the_model(empty_build: tuple[flow.Home, tuple[object, ...]]) -> None:
    home = empty_build[0]
    key = "lake/assessment_levels/_empty.parquet"
    whole = home.storage.read(key)
    home.storage.write(key, b"PAR1 not really")
    try:
        with pytest.raises(BuildFailed, match="stg_assessment_levels"):
            invoke(home.settings, ["build", "--exclude-resource-type", "unit_test", "--select", "stg_assessment_levels+"])
    finally:
        home.storage.write(key, whole)

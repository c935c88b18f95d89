"""Follows docs/recipes.md: a seventh district, a new indicator and a new extract, without touching any Python."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from pipelines import flow
from pipelines.contracts.contract import extract_names
from pipelines.settings import PROJECT_ROOT, Settings
from tests.deliveries import directory_csv, drop

DISTRICT_ROW = "springfield,Springfield,IL,1737080,14000,30,true,10,Invented for a test\n"

MAPPING = """\
-- Springfield's export: one row a school, all grades pooled.
-- note: Counts are as delivered.
SELECT
  'school' AS unit_type,
  "School Code" AS unit_id,
  '3_8' AS grade,
  'all' AS subgroup,
  'il_iar_math_2025' AS instrument,
  'spring' AS administration,
  NULL AS n_enrolled,
  'x' AS n_enrolled_symbol,
  "Tested" AS n_tested,
  "L1" AS n_level_1, "L2" AS n_level_2, "L3" AS n_level_3, "L4" AS n_level_4,
  NULL AS n_level_5, 'z' AS n_level_5_symbol, NULL AS n_level_6, 'z' AS n_level_6_symbol,
  CASE WHEN "School Code" = 'TOTAL' THEN 'district_total' END AS drop_reason,
  [delivered_row] AS delivered_rows
FROM delivered
"""
NATIVE = b"School Code,Tested,L1,L2,L3,L4\n007,100,40,30,20,10\n008,100,30,30,20,20\nTOTAL,200,70,60,40,30\n"

INDICATOR_SQL = """\
select
    district,
    school_year,
    'district' as unit_type,
    cast(null as varchar) as unit_id,
    cast(null as varchar) as grade,
    'all' as subgroup,
    cast(null as varchar) as course,
    cast(null as varchar) as category,
    cast(null as varchar) as instrument,
    cast(null as varchar) as administration,
    cast(sum(n_low_income) as double) as numerator,
    cast(sum(n_enrolled) as double) as denominator,
    cast(null as varchar) as symbol,
    max(submission_id) as sources
from {{ ref('stg_school_directory') }}
group by district, school_year
"""
INDICATOR_YML = """\
version: 2
models:
  - name: xx1_low_income
    config:
      meta:
        indicator:
          id: XX1
          name: Low income
          challenge: size_and_scale
          definition: The share of students who are eligible.
          numerator: Students eligible
          denominator: Students enrolled
          unit: share
          counts: people
          direction: null
          basis: administrative
          is_describe_only: false
          interval: wilson
          caveats: A snapshot of one day.
          definition_version: 1.0.0
"""

EXTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: nmip.policy_register
name: Policy register
version: 1.0.0
status: active
description: {purpose: Which policies exist., limitations: Not what they do., usage: One row a policy.}
schema:
  - name: policy_register
    logicalType: object
    physicalType: table
    customProperties: [{property: rulePrefix, value: PO}]
    properties:
      - name: policy
        logicalType: string
        physicalType: VARCHAR
        required: true
        primaryKey: true
        primaryKeyPosition: 1
        description: Name.
      - {name: n_schools, logicalType: integer, physicalType: BIGINT, description: Schools., logicalTypeOptions: {minimum: 0}}
      - name: n_schools_symbol
        logicalType: string
        physicalType: VARCHAR
        description: Why n_schools is blank.
        customProperties: [{property: codeList, value: symbols}, {property: symbolFor, value: n_schools}]
"""


@pytest.fixture
def home(tmp_path: Path) -> flow.Home:
    contracts, dbt_project = tmp_path / "data_contracts", tmp_path / "dbt_project"
    shutil.copytree(PROJECT_ROOT / "data_contracts", contracts)
    shutil.copytree(PROJECT_ROOT / "dbt_project", dbt_project)
    return flow.Home(Settings(home=tmp_path / "home", work=tmp_path / "work", contracts=contracts, dbt_project=dbt_project))


def _run(home: flow.Home) -> Path:
    flow.screen_inbox(home)
    flow.update_lake(home)
    flow.refresh_warehouse(home)
    flow.release(home)
    pointer = json.loads((home.settings.home / "releases/current.json").read_text())
    return home.settings.home / str(pointer["path"])


def test_add_a_district_and_write_its_mapping(home: flow.Home) -> None:
    contracts = home.settings.contracts
    with (contracts / "codes/districts.csv").open("a", encoding="utf-8") as districts:
        districts.write(DISTRICT_ROW)
    (contracts / "mappings/springfield").mkdir()
    (contracts / "mappings/springfield/assessment_levels.sql").write_text(MAPPING)
    drop(home.inbox, "springfield", "assessment_levels", "2024-25", "results.csv", NATIVE)
    folder = _run(home)
    values = pl.read_parquet(folder / "indicator_values.parquet")
    row = values.filter(district="springfield", indicator_id="OC4", category="proficient_or_above")
    assert row["value"].item() == pytest.approx(70 / 200)
    submission = pl.read_parquet(folder / "submissions.parquet").row(0, named=True)
    assert json.loads(submission["dropped_lines"]) == {"district_total": 1}
    assert json.loads(submission["notes"]) == ["Counts are as delivered."]
    assert "springfield" in pl.read_parquet(folder / "districts.parquet")["code"]


def test_add_an_indicator(home: flow.Home) -> None:
    folder = home.settings.dbt_project / "models/indicators/size_and_scale"
    folder.mkdir()
    (folder / "xx1_low_income.sql").write_text(INDICATOR_SQL)
    (folder / "xx1_low_income.yml").write_text(INDICATOR_YML)
    drop(home.inbox, "chicago", "school_directory", "2024-25", "d.csv", directory_csv(n_schools=4, n_enrolled=300))
    released = _run(home)
    row = pl.read_parquet(released / "indicator_values.parquet").filter(indicator_id="XX1").row(0, named=True)
    assert (row["numerator"], row["denominator"]) == (4 * 150, 300 * 4 + 1 + 2 + 3 + 4)
    assert row["lower"] < row["value"] < row["upper"]
    assert "XX1" in pl.read_parquet(released / "indicators.parquet")["indicator_id"]


def test_add_an_extract(home: flow.Home) -> None:
    (home.settings.contracts / "extracts/policy_register.odcs.yaml").write_text(EXTRACT)
    staging = home.settings.dbt_project / "models/staging"
    sources = staging / "_sources.yml"
    sources.write_text(
        sources.read_text().replace(
            "      - name: curriculum_adoption\n", "      - name: curriculum_adoption\n      - name: policy_register\n"
        )
    )
    columns = ["district", "school_year", "submission_id", "policy", "n_schools", "n_schools_symbol"]
    (staging / "stg_policy_register.sql").write_text(
        f"select {', '.join(columns)} from {{{{ source('lake', 'policy_register') }}}}"
    )
    types = "\n".join(f"      - {{name: {c}, data_type: {'bigint' if c == 'n_schools' else 'varchar'}}}" for c in columns)
    (staging / "stg_policy_register.yml").write_text(
        f"version: 2\nmodels:\n  - name: stg_policy_register\n    columns:\n{types}\n"
    )
    assert "policy_register" in extract_names(home.settings.contracts)
    drop(home.inbox, "chicago", "policy_register", "2024-25", "p.csv", b"policy,n_schools\nDouble time,12\nMath nights,4\n")
    _run(home)
    lake = home.settings.home / "lake/policy_register/school_year=2024-25/district=chicago/extract.parquet"
    assert pl.read_parquet(lake, hive_partitioning=False)["n_schools"].to_list() == [12, 4]

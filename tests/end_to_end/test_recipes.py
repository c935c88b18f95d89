"""Follows docs/recipes.md: a seventh district, an indicator, an extract with an indicator of its own, a programme.

Only the files are written that the recipes name: no Python, and no SQL but the new models.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from pipelines import flow
from pipelines.contracts.contract import extract_names, load_contract
from pipelines.intake.submission import Submission
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

STAFF_MAPPING = """\
-- Springfield's staff list, one row a campus.
SELECT
  "Campus" AS school_id,
  "Math FTE heads" AS n_math_teachers,
  "Years 1-2" AS n_early_career,
  "Coach" AS coach_model,
  "Coach FTE" AS coach_fte,
  NULL AS drop_reason,
  [delivered_row] AS delivered_rows
FROM delivered
"""
STAFF = b"Campus,Math FTE heads,Years 1-2,Coach,Coach FTE\n007,120,30,school,1\n008,200,40,none,0\n009,100,20,none,0\n"

INDICATOR_SQL = """\
-- Grain: schools.
with counts as (

    select
        district,
        school_year,
        school_id,
        submission_id,
        n_low_income as numerator,
        n_enrolled as denominator,
        coalesce(n_low_income_symbol, n_enrolled_symbol) as symbol
    from {{ ref('stg_school_directory') }}

)

{{ total_over_schools('counts') }}
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
          counts: students
          direction: null
          basis: administrative
          is_describe_only: false
          interval: wilson
          caveats: A snapshot of one day.
          definition_version: 1.0.0
          breakdowns: [schools]
          measures: [numerator, denominator, n_schools]
"""

EXTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: nmip.calculator_access
name: Calculator access
version: 1.0.0
status: active
description: {purpose: Who has a calculator., limitations: Not whether it is used., usage: One row a school.}
schema:
  - name: calculator_access
    logicalType: object
    physicalType: table
    customProperties: [{property: rulePrefix, value: XC}]
    properties:
      - name: school_id
        logicalType: string
        physicalType: VARCHAR
        required: true
        primaryKey: true
        primaryKeyPosition: 1
        description: The school's id.
      - name: n_students
        logicalType: integer
        physicalType: BIGINT
        description: Students.
        logicalTypeOptions: {minimum: 0}
      - name: n_students_symbol
        logicalType: string
        physicalType: VARCHAR
        description: Why n_students is blank.
        customProperties: [{property: codeList, value: symbols}, {property: symbolFor, value: n_students}]
      - name: n_with_calculator
        logicalType: integer
        physicalType: BIGINT
        description: Students with a calculator.
        logicalTypeOptions: {minimum: 0}
        customProperties: [{property: partOf, value: n_students}]
      - name: n_with_calculator_symbol
        logicalType: string
        physicalType: VARCHAR
        description: Why n_with_calculator is blank.
        customProperties: [{property: codeList, value: symbols}, {property: symbolFor, value: n_with_calculator}]
"""
EXTRACT_INDICATOR_SQL = """\
-- Grain: schools.
with counts as (

    select
        district,
        school_year,
        school_id,
        submission_id,
        n_with_calculator as numerator,
        n_students as denominator,
        coalesce(n_with_calculator_symbol, n_students_symbol) as symbol
    from {{ ref('stg_calculator_access') }}

)

{{ total_over_schools('counts') }}
"""


OF_ALL_SCHOOLS = [pl.col(name).is_null() for name in ("network_id", "school_level", "school_set")]


@dataclass(frozen=True)
class Followed:
    """A home in which every recipe was followed, its release, and what was said of the first delivery of staff."""

    home: flow.Home
    release: Path
    first_staff: Submission

    @property
    def values(self) -> pl.DataFrame:
        return self.read("indicator_values")

    def read(self, table: str) -> pl.DataFrame:
        return pl.read_parquet(self.release / f"{table}.parquet")


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory, no_dbt_log: None) -> Followed:
    """All recipes in one copy of the project, built once: no two of them write the same file, but for the list of districts."""
    folder = tmp_path_factory.mktemp("recipes")
    contracts, dbt_project = folder / "data_contracts", folder / "dbt_project"
    shutil.copytree(PROJECT_ROOT / "data_contracts", contracts)
    shutil.copytree(PROJECT_ROOT / "dbt_project", dbt_project)
    home = flow.Home(Settings(home=folder / "home", work=folder / "work", contracts=contracts, dbt_project=dbt_project))
    _add_a_district(home)
    _add_an_indicator(home)
    _add_an_extract_and_its_indicator(home)
    _add_a_programme(home)
    handled = flow.screen_inbox(home)
    [first_staff] = [s for outcome in handled for s in outcome.submissions if s.key.extract == "math_staff"]
    sql = STAFF_MAPPING.replace("  [delivered_row]", f"{_missing(contracts, 'math_staff', STAFF_MAPPING)}  [delivered_row]")
    (contracts / "mappings/springfield/math_staff.sql").write_text(sql)
    drop(home.inbox, "springfield", "math_staff", "2024-25", "staff_again.csv", STAFF + b"\n")
    flow.screen_inbox(home)
    flow.update_lake(home)
    flow.refresh_warehouse(home)
    flow.release(home)
    pointer = json.loads((home.settings.home / "releases/current.json").read_text())
    return Followed(home, home.settings.home / str(pointer["path"]), first_staff)


def _add_a_district(home: flow.Home) -> None:
    contracts = home.settings.contracts
    with (contracts / "codes/districts.csv").open("a", encoding="utf-8") as districts:
        districts.write(DISTRICT_ROW)
    (contracts / "mappings/springfield").mkdir()
    (contracts / "mappings/springfield/assessment_levels.sql").write_text(MAPPING)
    (contracts / "mappings/springfield/math_staff.sql").write_text(STAFF_MAPPING)
    drop(home.inbox, "springfield", "assessment_levels", "2024-25", "results.csv", NATIVE)
    drop(home.inbox, "springfield", "math_staff", "2024-25", "staff.csv", STAFF)


def test_add_a_district_and_write_its_mapping(followed: Followed) -> None:
    row = followed.values.filter(district="springfield", indicator_id="OC4", category="proficient_or_above")
    assert row["value"].item() == pytest.approx(70 / 200)
    submissions = followed.read("submissions").filter(district="springfield", extract="assessment_levels")
    [submission] = submissions.to_dicts()
    assert json.loads(submission["dropped_lines"]) == {"district_total": 1}
    assert json.loads(submission["notes"]) == ["Counts are as delivered."]
    assert "springfield" in followed.read("districts")["code"]


def test_the_new_district_sends_another_extract_in_its_own_layout(followed: Followed) -> None:
    # What the layout does not hold is missing, and a missing number needs its reason.
    assert followed.first_staff.state == "corrections_needed"
    assert set(followed.first_staff.events[-1]["findings"]) == {"MS-S-COLUMN-MISSING"}
    values = followed.values.filter(district="springfield", indicator_id="EC5")
    assert values.select("numerator", "denominator").rows() == [(90.0, 420.0)], (
        "of three schools: what is told of adults stands on no fewer"
    )
    assert "springfield/math_staff/2024-25/002" in followed.read("submissions")["submission_id"]


def _missing(contracts: Path, extract: str, sql: str) -> str:
    """Lines of a mapping for the columns that a layout does not hold; of a count it is said that it is not available."""
    contract = load_contract(contracts, extract)
    symbols = {column.symbol_for: column.name for column in contract.columns if column.symbol_for}
    lacking = [c.name for c in contract.columns if not c.symbol_for and f" AS {c.name}," not in sql]
    return "".join(f"  NULL AS {name},{_not_available(symbols.get(name))}\n" for name in lacking)


def _not_available(symbol: str | None) -> str:
    return f" 'x' AS {symbol}," if symbol else ""


def _add_an_indicator(home: flow.Home) -> None:
    folder = home.settings.dbt_project / "models/indicators/size_and_scale"
    folder.mkdir(exist_ok=True)
    (folder / "xx1_low_income.sql").write_text(INDICATOR_SQL)
    (folder / "xx1_low_income.yml").write_text(INDICATOR_YML)
    drop(home.inbox, "chicago", "school_directory", "2024-25", "d.csv", directory_csv(n_schools=4, n_enrolled=300))


def test_add_an_indicator(followed: Followed) -> None:
    values = followed.values.filter(indicator_id="XX1")
    row = values.filter(*OF_ALL_SCHOOLS).row(0, named=True)
    assert (row["numerator"], row["denominator"]) == (4 * 150, 300 * 4 + 1 + 2 + 3 + 4)
    assert row["lower"] < row["value"] < row["upper"]
    assert values["unit_id"].null_count() == values.height, "no school leaves the marts"
    assert "XX1" in followed.read("indicators")["indicator_id"]
    # Six pairs with the other districts, of which none has sent a directory, and the fifteen without Chicago.
    pairs = followed.read("comparisons").filter(*OF_ALL_SCHOOLS[1:], indicator_id="XX1", comparison="districts")
    assert pairs["verdict"].to_list() == ["no_data"] * 21
    schools = pl.read_parquet(followed.home.settings.exchange / "fct_indicator_values.parquet").filter(
        indicator_id="XX1", unit_type="school"
    )
    assert schools.height == 4


def _add_an_extract_and_its_indicator(home: flow.Home) -> None:
    (home.settings.contracts / "extracts/calculator_access.odcs.yaml").write_text(EXTRACT)
    staging = home.settings.dbt_project / "models/staging"
    sources = staging / "_sources.yml"
    sources.write_text(
        sources.read_text().replace(
            "      - name: curriculum_adoption\n", "      - name: curriculum_adoption\n      - name: calculator_access\n"
        )
    )
    counts = ["n_students", "n_students_symbol", "n_with_calculator", "n_with_calculator_symbol"]
    columns = ["district", "school_year", "submission_id", "school_id", *counts]
    (staging / "stg_calculator_access.sql").write_text(
        f"select {', '.join(columns)} from {{{{ source('lake', 'calculator_access') }}}}"
    )
    types = "\n".join(f"      - {{name: {c}, data_type: {'bigint' if c in counts[::2] else 'varchar'}}}" for c in columns)
    (staging / "stg_calculator_access.yml").write_text(
        f"version: 2\nmodels:\n  - name: stg_calculator_access\n    columns:\n{types}\n"
    )
    folder = home.settings.dbt_project / "models/indicators/materials"
    (folder / "xx2_calculators.sql").write_text(EXTRACT_INDICATOR_SQL)
    (folder / "xx2_calculators.yml").write_text(
        INDICATOR_YML.replace("xx1_low_income", "xx2_calculators").replace("XX1", "XX2").replace("size_and_scale", "materials")
    )
    assert "calculator_access" in extract_names(home.settings.contracts)
    content = b"school_id,n_students,n_with_calculator\n001,120,60\n002,80,40\n"
    drop(home.inbox, "chicago", "calculator_access", "2024-25", "p.csv", content)
    wrong = b"school_id,n_students,n_with_calculator\n001,120,160\n"
    drop(home.inbox, "houston", "calculator_access", "2024-25", "p.csv", wrong)


def test_add_an_extract_and_its_indicator(followed: Followed) -> None:
    home = followed.home
    lake = home.settings.home / "lake/calculator_access/school_year=2024-25/district=chicago/extract.parquet"
    assert pl.read_parquet(lake, hive_partitioning=False)["n_students"].to_list() == [120, 80]
    value = followed.values.filter(*OF_ALL_SCHOOLS, indicator_id="XX2")
    assert value.select("district", "numerator", "denominator", "value").rows() == [("chicago", 100.0, 200.0, 0.5)]
    findings = (home.settings.home / "outbox/houston/calculator_access/2024-25/001/findings.csv").read_text()
    assert "XC-V-PART-OVER-WHOLE" in findings


def _add_a_programme(home: flow.Home) -> None:
    with (home.settings.contracts / "codes/programs.csv").open("a", encoding="utf-8") as programs:
        programs.write("math_circles,Math Circles,other,3,8,900,5,12,,,Evenings of problems.,Invented for a test\n")
    reach = {
        "program_id": "math_circles", "cohort": "2024", "n_leaders_trained": "20", "training_cost_usd": "18000",
        "n_teachers_supported": "200", "n_students_reached": "5000", "n_participants": "40", "n_now_facilitating": "12",
        "immersion_hours": "", "n_mathematician_sessions": "", "n_mathematician_sessions_symbol": "x",
        "n_study_group_sessions": "", "n_study_group_sessions_symbol": "x",
    }  # fmt: skip
    content = f"{','.join(reach)}\n{','.join(reach.values())}\n".encode()
    drop(home.inbox, "chicago", "program_reach", "2024-25", "p.csv", content)


def test_add_a_programme(followed: Followed) -> None:
    values = followed.values.filter(program_id="math_circles", indicator_id="PR2")
    assert 10.0 in values["value"].to_list(), "200 teachers by 20 leaders"
    assert "math_circles" in followed.read("programs")["program_id"]

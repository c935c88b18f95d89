"""The extracts about implementation of the synthetic network: their truth is what the rows say, planted effects are there.

Truth is recomputed from the rows with Polars alone and the contracts are read from their files; the model's own arrays are
not looked at. The network is the one before planted faults.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from functools import reduce
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest
import yaml

from pipelines.contracts.contract import load_contract
from pipelines.intake.checking import Context, load_check_tables, rules_of, run_rules
from pipelines.synthetic.conditions import rates_around
from pipelines.synthetic.network import SyntheticNetwork, build_network

CONTRACTS = Path(__file__).resolve().parents[2] / "data_contracts"
YEARS = ["2023-24", "2024-25", "2025-26"]
EXTRACTS = [
    "implementation_stage",
    "materials_use",
    "math_staff",
    "mindset_survey",
    "observations",
    "professional_learning",
    "school_leaders",
    "tutoring_dosage",
]
PLACE = ["district", "school_year"]
BREAKDOWNS = ["category", "respondent", "grade", "instrument", "administration", "statistic"]
SCALE_OF = {"MM1": "self_efficacy", "MM2": "belonging", "MM3": "growth_mindset", "MM4": "educator_belief", "MM5": "math_matters"}
SCALE_OF["MM7"] = "change_readiness"
TYPES = {"string": pl.String(), "integer": pl.Int64(), "number": pl.Float64(), "boolean": pl.Boolean(), "date": pl.Date()}
DISTRICTS = pl.read_csv(CONTRACTS / "codes" / "districts.csv", infer_schema=False)["code"].to_list()
# Findings that a change in the schools themselves explains: a stage lost, a merger, a handful of teachers more or fewer.
WITH_REASON = {"IS-Q-STAGE-BACK", "IS-Q-START-MOVED", "PL-Q-COUNT-CHANGED", "MI-Q-COUNT-CHANGED"}


def columns_of(extract: str) -> list[dict[str, Any]]:
    document = yaml.safe_load((CONTRACTS / "extracts" / f"{extract}.odcs.yaml").read_text("utf-8"))
    found: list[dict[str, Any]] = document["schema"][0]["properties"]
    return found


def custom(column: Mapping[str, Any], name: str) -> Any:
    return next((item["value"] for item in column.get("customProperties", []) if item["property"] == name), None)


def table_of(network: SyntheticNetwork, extract: str) -> pl.DataFrame:
    """All rows of an extract with their district and school year."""
    return pl.concat(
        rows.with_columns(district=pl.lit(district), school_year=pl.lit(school_year))
        for (district, name, school_year), rows in network.extracts.items()
        if name == extract
    )


@pytest.fixture(scope="module")
def network() -> SyntheticNetwork:
    return build_network(CONTRACTS)


@pytest.fixture(scope="module")
def small() -> SyntheticNetwork:
    return build_network(CONTRACTS, scale=0.03)


@pytest.fixture(scope="module")
def tables(network: SyntheticNetwork) -> dict[str, pl.DataFrame]:
    return {extract: table_of(network, extract) for extract in [*EXTRACTS, "school_directory"]}


@pytest.fixture(scope="module")
def in_scope(tables: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Rows of the schools that take part in the year."""
    schools = tables["school_directory"].filter("in_scope").select(*PLACE, "school_id")
    return {extract: table.join(schools, on=[*PLACE, "school_id"]) for extract, table in tables.items()}


@pytest.fixture(scope="module")
def known(network: SyntheticNetwork) -> pl.DataFrame:
    return pl.DataFrame(network.truth["indicators"], infer_schema_length=None)


def planted(network: SyntheticNetwork, effect: str) -> dict[str, Any]:
    found: dict[str, Any] = next(entry for entry in network.truth["planted_effects"] if entry["effect"] == effect)
    return found


def one_district(network: SyntheticNetwork, effect: str) -> str:
    (district,) = planted(network, effect)["districts"]
    return str(district)


# Rows


@pytest.mark.parametrize("extract", EXTRACTS)
def test_rows_have_the_contracts_columns_types_and_codes(network: SyntheticNetwork, extract: str) -> None:
    columns = columns_of(extract)
    key = [column["name"] for column in columns if column.get("primaryKey")]
    for district in DISTRICTS:
        for year in YEARS:
            rows = network.extracts[district, extract, year]
            assert list(rows.schema.items()) == [(column["name"], TYPES[column["logicalType"]]) for column in columns]
            assert rows.height > 0
            assert not rows.select(key).is_duplicated().any()
            assert rows.select(key).equals(rows.select(key).sort(key))
            for column in columns:
                values, options = rows[column["name"]], column.get("logicalTypeOptions", {})
                if column.get("required"):
                    assert values.null_count() == 0, column["name"]
                if (codes := custom(column, "codeList")) is not None:
                    listed = pl.read_csv(CONTRACTS / "codes" / f"{codes}.csv", infer_schema=False)["code"]
                    assert set(values.drop_nulls()) <= set(listed), column["name"]
                if "minimum" in options and len(given := values.drop_nulls()):
                    assert given.min() >= options["minimum"], column["name"]
                if "maximum" in options and len(given := values.drop_nulls()):
                    assert given.max() <= options["maximum"], column["name"]
                if "maxLength" in options and len(given := values.drop_nulls()):
                    assert given.str.len_chars().max() <= options["maxLength"], column["name"]
                if (counted := custom(column, "symbolFor")) is not None:
                    assert (values.is_null() == rows[counted].is_not_null()).all(), column["name"]
                if (whole := custom(column, "partOf")) is not None:
                    assert (values <= rows[whole]).fill_null(True).all(), column["name"]


def test_the_same_seed_gives_the_same_rows_and_truth_and_another_seed_others(small: SyntheticNetwork) -> None:
    again, other = build_network(CONTRACTS, scale=0.03), build_network(CONTRACTS, seed=7, scale=0.03)
    for place, rows in small.extracts.items():
        if place[1] in EXTRACTS:
            assert rows.equals(again.extracts[place]), place
            assert not rows.equals(other.extracts[place]), place
    assert again.truth["indicators"] == small.truth["indicators"]
    assert again.truth["planted_effects"] == small.truth["planted_effects"]


@pytest.mark.parametrize("scale, seed", [(0.1, 20260801), (0.1, 7)])
def test_the_rules_of_the_product_find_only_what_has_a_reason(scale: float, seed: int) -> None:
    """With the years before and the directory: no finding that blocks, none of a whole file, few of single rows."""
    made = build_network(CONTRACTS, seed=seed, scale=scale)
    text = {place: pl.read_csv(rows.write_csv(None).encode(), infer_schema=False) for place, rows in made.extracts.items()}
    found: Counter[str] = Counter()
    n_rules = 0
    for extract in EXTRACTS:
        contract = load_contract(CONTRACTS, extract)
        rules = rules_of(CONTRACTS, contract)
        n_rules += len(rules)
        for district in DISTRICTS:
            for position, year in enumerate(YEARS):
                rows = text[district, extract, year].with_row_index("row_id", 1)
                rows = rows.with_columns(delivered_file=pl.lit("rows.csv"), delivered_line=pl.col("row_id") + 1)
                context = Context(
                    earlier_years={earlier: text[district, extract, earlier] for earlier in YEARS[:position]},
                    directory=text[district, "school_directory", year],
                    directory_year=year,
                )
                with duckdb.connect() as connection:
                    load_check_tables(connection, rows, contract, CONTRACTS, district, year, context)
                    findings, _ = run_rules(connection, contract, rules, rows.columns)
                found.update(findings["rule_id"].to_list())
    assert n_rules > 100
    assert set(found) <= WITH_REASON, found
    n_rows = sum(rows.height for place, rows in made.extracts.items() if place[1] in EXTRACTS)
    assert sum(found.values()) < 0.004 * n_rows, found


def test_every_school_is_in_the_directory_and_every_school_has_staff_leaders_and_learning(tables: dict[str, pl.DataFrame]) -> None:
    key = [*PLACE, "school_id"]
    schools = tables["school_directory"].select(key)
    for extract in EXTRACTS:
        assert tables[extract].join(schools, on=key, how="anti").is_empty(), extract
    learning = tables["professional_learning"].filter(pl.col("kind") == "ALL")
    for table in (tables["math_staff"], tables["school_leaders"], learning):
        assert table.select(key).sort(key).equals(schools.sort(key))


# Truth, recomputed from the rows


def by(table: pl.DataFrame, numerator: str, denominator: str, *breakdowns: str) -> pl.DataFrame:
    """Sums of two columns; where the first is blank neither counts."""
    told = table.filter(pl.col(numerator).is_not_null() & pl.col(denominator).is_not_null())
    return told.group_by(*PLACE, *breakdowns).agg(
        pl.col(numerator).sum().cast(pl.Float64).alias("num"), pl.col(denominator).sum().cast(pl.Float64).alias("den")
    )


def recomputed(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Every indicator of these extracts from the rows of schools that take part, one row for each breakdown."""
    staff, leaders, schools = tables["math_staff"], tables["school_leaders"], tables["school_directory"]
    key = [*PLACE, "school_id"]
    found: list[pl.DataFrame] = []

    def add(indicator_id: str, table: pl.DataFrame, **fixed: str) -> None:
        found.append(table.with_columns(pl.lit(indicator_id).alias("indicator_id"), **{k: pl.lit(v) for k, v in fixed.items()}))

    counted = schools.with_columns(one=pl.lit(1), yes=pl.lit(1))
    for kind in ("verified", "self"):
        latest = tables["implementation_stage"].filter(pl.col("rating_type") == kind).sort("rating_date")
        latest = latest.group_by(key, maintain_order=True).last()
        reached = counted.join(latest.filter(pl.col("stage").is_in(["initial", "full"])).select(key), on=key, how="semi")
        for indicator_id, column in (("SS1", "one"), ("SS2", "n_enrolled_in_scope")):
            both = by(counted, column, column).join(by(reached, column, column), on=PLACE, suffix="_in")
            add(indicator_id, both.select(*PLACE, num="num_in", den="den"), category=kind)
    ratings = tables["implementation_stage"].sort(pl.col("rating_type") == "verified", "rating_date")
    standing = ratings.group_by(key, maintain_order=True).last()
    whole = standing.group_by(PLACE).agg(pl.len().cast(pl.Float64).alias("den"))
    at = standing.group_by(*PLACE, pl.col("stage").alias("category")).agg(pl.len().cast(pl.Float64).alias("num"))
    add("SS3", at.join(whole, on=PLACE))

    tutoring = tables["tutoring_dosage"]
    add("SS7", by(tutoring, "n_adequate", "n_scheduled"))
    add("SS7", by(tutoring.rename({"program": "category"}), "n_adequate", "n_scheduled", "category"))

    use = tables["materials_use"].rename({"wave": "administration", "source": "category"})
    asked = ["respondent", "instrument", "administration"]
    add("CM3", by(use, "n_regular_use", "n_respondents", *asked, "category"))
    add("CM4", by(use, "n_modifying", "n_regular_use", *asked))
    add("CM10", by(use, "n_would_keep", "n_respondents", *asked))
    titles = use.filter(pl.col("n_supplemental_titles").is_not_null()).with_columns(one=pl.lit(1))
    add("CM5", by(titles, "n_supplemental_titles", "one", *asked))

    learning = tables["professional_learning"].join(staff.select(*key, "n_math_teachers", "n_k5_teachers"), on=key)
    for indicator_id, kind, part, of in (
        ("EC1", "curriculum_based", "n_teachers_10h", "n_math_teachers"),
        ("EC3", "ALL", "n_teachers_full_cycle", "n_math_teachers"),
        ("EC9", "learning_community", "n_teachers", "n_math_teachers"),
        ("EC10", "mathematics_immersion", "n_teachers", "n_math_teachers"),
        ("EC12", "ALL", "n_k5_teachers_content", "n_k5_teachers"),
        ("EC13", "ALL", "n_teachers_sequenced_job_embedded", "n_math_teachers"),
        ("EC14", "diverse_learners", "n_teachers", "n_math_teachers"),
    ):
        parts = by(learning.filter(pl.col("kind") == kind), part, part).drop("den")
        add(indicator_id, parts.join(by(staff, of, of).drop("num"), on=PLACE))
    for indicator_id, part, of in (
        ("EC2", "n_math_teachers", "coach_fte"),
        ("EC4", "n_sections_certified", "n_sections_6_12"),
        ("EC5", "n_early_career", "n_math_teachers"),
        ("EC6", "n_retained", "n_last_year"),
        ("EC7", "vacant_fte", "budgeted_fte"),
        ("EC15", "n_new_hires_content_prepared", "n_new_hires"),
    ):
        add(indicator_id, by(staff, part, of))
    lessons = tables["observations"].rename({"core_action": "category", "tool": "instrument"})
    add("EC8", by(lessons, "n_rated_3_4", "n_lessons", "category", "instrument"))

    led = leaders.with_columns(
        one=pl.lit(1),
        walks=((pl.col("n_walkthroughs_fall") >= 4) & (pl.col("n_walkthroughs_spring") >= 4)).cast(pl.Int64),
        has_cycle=pl.col("monthly_math_data_cycle").cast(pl.Int64),
        apart=pl.col("n_confident_math") - pl.col("n_confident_ela"),
        **{code: (pl.col("principal_tenure") == code).cast(pl.Int64) for code in ("4_plus", "0_1")},
    )
    add("LC1", by(led, "n_leaders_math_learning", "n_leaders"))
    add("LC2", by(led, "walks", "one"))
    for code in ("4_plus", "0_1"):
        add("LC3", by(led, code, "one"), category=code)
    add("LC4", by(led, "has_cycle", "one"))
    add("LC8", by(led, "apart", "n_respondents"))
    coached = staff.with_columns(one=pl.lit(1), any=(pl.col("coach_fte") > 0).cast(pl.Int64))
    add("LC5", by(coached, "any", "one"))
    of_model = staff.group_by(*PLACE, pl.col("coach_model").alias("category")).agg(num=pl.col("coach_fte").sum())
    of_model = of_model.filter(pl.col("category") != "none").join(by(staff, "coach_fte", "coach_fte").drop("num"), on=PLACE)
    add("LC7", of_model)
    add("LC7", by(staff, "n_cycles", "n_math_teachers"), statistic="cycles_per_teacher")

    answers = tables["mindset_survey"].rename({"grade_band": "grade"})
    answers = answers.with_columns(weighted=pl.col("scale_mean") * pl.col("n_respondents"))
    for indicator_id, scale in SCALE_OF.items():
        of_scale = answers.filter(pl.col("scale") == scale)
        bands = of_scale.filter(pl.col("grade") != "all")
        for statistic, part in ((None, "n_favorable"), ("mean", "weighted")):
            fixed = {} if statistic is None else {"statistic": statistic}
            add(indicator_id, by(of_scale, part, "n_respondents", "respondent", "instrument"), **fixed)
            if bands.height:
                add(indicator_id, by(bands, part, "n_respondents", "respondent", "instrument", "grade"), **fixed)
    return pl.concat(found, how="diagonal")


def test_every_known_value_is_what_the_rows_add_up_to(in_scope: dict[str, pl.DataFrame], known: pl.DataFrame) -> None:
    rows = recomputed(in_scope)
    mine = known.join(rows.select("indicator_id").unique(), on="indicator_id")
    # A tool, band or model that has nothing in a year stands in no row.
    mine = mine.filter(pl.col("denominator") > 0)
    rows = rows.filter(pl.col("den") > 0)
    key = ["indicator_id", *PLACE, *BREAKDOWNS]
    assert not mine.select(key).is_duplicated().any()
    joined = mine.join(rows, on=key, how="full", nulls_equal=True, coalesce=True)
    unmatched = joined.filter(pl.col("numerator").is_null() | (pl.col("num").is_null() & (pl.col("numerator") != 0)))
    assert unmatched.is_empty(), unmatched.select(key).head(5).to_dicts()
    assert joined["indicator_id"].n_unique() == 33
    apart = joined.with_columns(pl.col("num").fill_null(0.0)).filter(
        ((pl.col("num") - pl.col("numerator")).abs() > 1e-4) | ((pl.col("den") - pl.col("denominator")).abs() > 1e-4)
        if False
        else (pl.col("num") - pl.col("numerator")).abs() > 1e-4
    )
    assert apart.is_empty(), apart.head(5).to_dicts()
    shown = joined.filter(pl.col("den").is_not_null())
    assert ((shown["den"] - shown["denominator"]).abs() < 1e-4).all()
    assert ((shown["num"] / shown["den"] - shown["value"]).abs() < 1e-6).all()

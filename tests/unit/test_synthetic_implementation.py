"""The extracts about implementation of the synthetic network: their truth is what the rows say, planted effects are there.

Truth is recomputed from the rows with Polars alone and the contracts are read from their files; the model's own arrays are
not looked at. The network is the one before planted faults.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest
import yaml

from pipelines.contracts.contract import load_contract
from pipelines.intake.checking import load_check_tables, rules_of, run_rules
from pipelines.intake.context import Context
from pipelines.synthetic.conditions import rates_around
from pipelines.synthetic.network import SyntheticNetwork, build_network

CONTRACTS = Path(__file__).resolve().parents[2] / "data_contracts"
TENURES = ("0_1", "2_3", "4_plus")
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
    return {extract: table_of(network, extract) for extract in [*EXTRACTS, "curriculum_adoption", "school_directory"]}


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


def share(is_so: pl.Series) -> float:
    """How large a share of the values is true."""
    return float(is_so.sum()) / len(is_so)


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


def test_the_rules_of_the_product_find_only_what_has_a_reason() -> None:
    """The last year with those before and the directory: nothing that blocks or is of a whole file, few of single rows."""
    made = build_network(CONTRACTS, scale=0.1)
    text = {place: pl.read_csv(rows.write_csv(None).encode(), infer_schema=False) for place, rows in made.extracts.items()}
    found: Counter[str] = Counter()
    n_rules = 0
    for extract in EXTRACTS:
        contract = load_contract(CONTRACTS, extract)
        rules = rules_of(CONTRACTS, contract)
        n_rules += len(rules)
        for district in DISTRICTS:
            *earlier, year = YEARS
            rows = text[district, extract, year].with_row_index("row_id", 1)
            rows = rows.with_columns(delivered_file=pl.lit("rows.csv"), delivered_line=pl.col("row_id") + 1)
            context = Context(
                earlier_years={before: text[district, extract, before] for before in earlier},
                directory=text[district, "school_directory", year],
                directory_year=year,
            )
            with duckdb.connect() as connection:
                load_check_tables(connection, rows, contract, CONTRACTS, district, year, context)
                findings, _ = run_rules(connection, contract, rules, rows.columns)
            found.update(findings["rule_id"].to_list())
    assert n_rules > 100
    assert set(found) <= WITH_REASON, found
    n_rows = sum(rows.height for place, rows in made.extracts.items() if place[1] in EXTRACTS and place[2] == YEARS[-1])
    assert sum(found.values()) < 0.006 * n_rows, found


def test_every_school_is_in_the_directory_and_every_school_has_staff_leaders_and_learning(
    tables: dict[str, pl.DataFrame],
) -> None:
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


KEY = [*PLACE, "school_id"]


def labelled(indicator_id: str, table: pl.DataFrame, **fixed: str) -> pl.DataFrame:
    return table.with_columns(pl.lit(indicator_id).alias("indicator_id"), **{k: pl.lit(v) for k, v in fixed.items()})


def recomputed(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Every indicator of these extracts from the rows of schools that take part, one row for each breakdown."""
    parts = [stages(tables), dosage_and_use(tables), staff_and_learning(tables), leadership(tables), mindset(tables)]
    return pl.concat([table for part in parts for table in part], how="diagonal")


def stages(tables: dict[str, pl.DataFrame]) -> list[pl.DataFrame]:
    found = []
    counted = tables["school_directory"].with_columns(one=pl.lit(1), yes=pl.lit(1))
    for kind in ("verified", "self"):
        latest = tables["implementation_stage"].filter(pl.col("rating_type") == kind).sort("rating_date")
        latest = latest.group_by(KEY, maintain_order=True).last()
        reached = counted.join(latest.filter(pl.col("stage").is_in(["initial", "full"])).select(KEY), on=KEY, how="semi")
        for indicator_id, column in (("SS1", "one"), ("SS2", "n_enrolled_in_scope")):
            both = by(counted, column, column).join(by(reached, column, column), on=PLACE, suffix="_in")
            found.append(labelled(indicator_id, both.select(*PLACE, num="num_in", den="den"), category=kind))
    latest = standing(tables).with_columns(one=pl.lit(1))
    for stage in ("exploration", "installation", "initial", "full", "not_rated"):
        at = latest.with_columns(at=(pl.col("stage") == stage).cast(pl.Int64))
        found.append(labelled("SS3", by(at, "at", "one"), category=stage, statistic="share"))
    return found


def standing(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Every school with its latest rating of the year, a verified one before its own."""
    ratings = tables["implementation_stage"].sort(pl.col("rating_type") == "verified", "rating_date")
    latest = ratings.group_by(KEY, maintain_order=True).last()
    return (
        tables["school_directory"]
        .select(KEY)
        .join(latest, on=KEY, how="left")
        .with_columns(pl.col("stage").fill_null("not_rated"))
    )


def dosage_and_use(tables: dict[str, pl.DataFrame]) -> list[pl.DataFrame]:
    found = []
    tutoring = tables["tutoring_dosage"]
    found.append(labelled("SS7", by(tutoring, "n_adequate", "n_scheduled")))
    found.append(labelled("SS7", by(tutoring.rename({"program": "category"}), "n_adequate", "n_scheduled", "category")))

    use = tables["materials_use"].rename({"wave": "administration", "source": "category"})
    asked = ["respondent", "instrument", "administration"]
    teachers, not_leaders = use.filter(pl.col("respondent") == "teacher"), use.filter(pl.col("respondent") != "leader")
    found.append(labelled("CM3", by(teachers, "n_regular_use", "n_respondents", *asked, "category")))
    found.append(labelled("CM4", by(use, "n_modifying", "n_regular_use", *asked, "category")))
    found.append(labelled("CM10", by(not_leaders, "n_would_keep", "n_respondents", *asked)))
    return found


def staff_and_learning(tables: dict[str, pl.DataFrame]) -> list[pl.DataFrame]:
    found, staff = [], tables["math_staff"]
    learning = tables["professional_learning"].join(staff.select(*KEY, "n_math_teachers", "n_k5_teachers"), on=KEY)
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
        fixed = {"statistic": "share"} if indicator_id == "EC10" else {}
        found.append(labelled(indicator_id, parts.join(by(staff, of, of).drop("num"), on=PLACE), **fixed))
    immersed = learning.filter(pl.col("kind") == "mathematics_immersion")
    found.append(labelled("EC10", by(immersed, "contact_hours", "n_teachers"), statistic="hours_per_teacher"))
    for indicator_id, part, of in (
        ("EC4", "n_sections_certified", "n_sections_6_12"),
        ("EC5", "n_early_career", "n_math_teachers"),
        ("EC6", "n_retained", "n_last_year"),
        ("EC7", "vacant_fte", "budgeted_fte"),
        ("EC15", "n_new_hires_content_prepared", "n_new_hires"),
    ):
        found.append(labelled(indicator_id, by(staff, part, of)))
    lessons = tables["observations"].rename({"core_action": "category", "tool": "instrument"})
    purposive = pl.when(pl.col("sampling") == "purposive").then(pl.lit("purposive")).otherwise(pl.lit("all_or_random"))
    lessons = lessons.with_columns(statistic=purposive)
    found.append(labelled("EC8", by(lessons, "n_rated_3_4", "n_lessons", "category", "statistic", "instrument")))
    return [*found, *coaching(staff)]


def supplemental_titles(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Different supplemental titles of each school that names a core or a supplemental title."""
    named = tables["curriculum_adoption"].filter((pl.col("subgroup") == "all") & pl.col("role").is_in(["core", "supplemental"]))
    return named.group_by(KEY).agg(pl.col("title").filter(pl.col("role") == "supplemental").n_unique().alias("n"))


def coaching(staff: pl.DataFrame) -> list[pl.DataFrame]:
    coached = staff.with_columns(one=pl.lit(1), any=(pl.col("coach_fte") > 0).cast(pl.Int64))
    found = [labelled("LC5", by(coached, "any", "one"), statistic="schools_with_coach", category="all")]
    all_fte = by(staff, "coach_fte", "coach_fte").drop("num")
    for model in ("all", "school", "network", "district"):
        served = staff if model == "all" else staff.filter(pl.col("coach_model") == model)
        found.append(labelled("EC2", by(served, "n_math_teachers", "coach_fte"), category=model))
        cycles = by(served, "n_cycles", "n_math_teachers")
        found.append(labelled("LC7", cycles, category=model, statistic="cycles_per_teacher"))
        if model != "all":
            fte = by(served, "coach_fte", "coach_fte").drop("den").join(all_fte, on=PLACE)
            found.append(labelled("LC7", fte, category=model, statistic="share_of_fte"))
    return found


def leadership(tables: dict[str, pl.DataFrame]) -> list[pl.DataFrame]:
    found = []
    led = tables["school_leaders"].with_columns(
        one=pl.lit(1),
        walks=((pl.col("n_walkthroughs_fall") >= 4) & (pl.col("n_walkthroughs_spring") >= 4)).cast(pl.Int64),
        has_cycle=pl.col("monthly_math_data_cycle").cast(pl.Int64),
        **{code: (pl.col("principal_tenure") == code).cast(pl.Int64) for code in TENURES},
    )
    found.append(labelled("LC1", by(led, "n_leaders_math_learning", "n_leaders")))
    found.append(labelled("LC2", by(led, "walks", "one")))
    found.extend(labelled("LC3", by(led, code, "one"), category=code) for code in TENURES)
    found.append(labelled("LC4", by(led, "has_cycle", "one")))
    found.extend(labelled("LC8", by(led, f"n_confident_{name}", "n_respondents"), statistic=name) for name in ("math", "ela"))
    asked = tables["materials_use"].filter((pl.col("source") == "survey") & (pl.col("wave") == "spring"))
    answered = asked.filter(pl.col("n_respondents") > 0)
    teachers, leaders = (answered.filter(pl.col("respondent") == name) for name in ("teacher", "leader"))
    for name, table, other in (("leader", leaders, teachers), ("teacher", teachers, leaders)):
        both = table.join(other, on=[*KEY, "instrument", "wave"], how="semi").rename({"wave": "administration"})
        found.append(labelled("LC6", by(both, "n_regular_use", "n_respondents", "instrument", "administration"), statistic=name))
    return found


def mindset(tables: dict[str, pl.DataFrame]) -> list[pl.DataFrame]:
    found = []
    answers = tables["mindset_survey"].rename({"grade_band": "grade"})
    answers = answers.with_columns(weighted=pl.col("scale_mean") * pl.col("n_respondents"))
    for indicator_id, scale in SCALE_OF.items():
        of_scale = answers.filter(pl.col("scale") == scale)
        of_scale = of_scale.with_columns(pl.col("grade").replace("all", None))
        for statistic, part in (("favorable", "n_favorable"), ("scale_mean", "weighted")):
            table = by(of_scale, part, "n_respondents", "respondent", "instrument", "grade")
            found.append(labelled(indicator_id, table, statistic=statistic))
    return found


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
    assert joined["indicator_id"].n_unique() == 35
    apart = (pl.col("num").fill_null(0.0) - pl.col("numerator")).abs() > 1e-4
    assert joined.filter(apart).is_empty(), joined.filter(apart).head(5).to_dicts()
    shown = joined.filter(pl.col("den").is_not_null())
    assert shown.height > 0.98 * joined.height
    assert ((shown["den"] - shown["denominator"]).abs() < 1e-4).all()
    assert ((shown["num"] / shown["den"] - shown["value"]).abs() < 1e-6).all()


def test_known_supplemental_titles_are_those_of_the_rows(in_scope: dict[str, pl.DataFrame], known: pl.DataFrame) -> None:
    titles = (
        supplemental_titles(in_scope)
        .group_by(PLACE)
        .agg(
            pl.col("n").mean().alias("mean"),
            pl.col("n").quantile(0.25, "linear").alias("p25"),
            pl.col("n").quantile(0.75, "linear").alias("p75"),
        )
    )
    mine = known.filter(pl.col("indicator_id") == "CM5")
    assert mine.select((pl.col("subgroup") == "all").all()).item()
    joined = mine.join(titles.unpivot(index=PLACE, variable_name="statistic", value_name="found"), on=[*PLACE, "statistic"])
    assert joined.height == mine.height == 6 * 3 * 3
    assert ((joined["value"] - joined["found"]).abs() < 1e-9).all()
    assert joined["value"].is_between(0, 10).all() and joined["value"].n_unique() > 3


def test_known_differences_are_those_of_their_two_shares(known: pl.DataFrame) -> None:
    """LC6 in the five districts that ask leaders and teachers (where use is logged there is nothing to agree with), and LC8."""
    for indicator_id, first, second, name, n in (
        ("LC6", "leader", "teacher", "absolute_difference", 5 * 3),
        ("LC8", "math", "ela", "difference", 6 * 3),
    ):
        mine = known.filter(pl.col("indicator_id") == indicator_id)
        for column in ("value", "expected"):
            wide = mine.pivot("statistic", index=PLACE, values=column)
            gap = wide[first] - wide[second]
            assert wide.height == n
            assert (((gap.abs() if indicator_id == "LC6" else gap) - wide[name]).abs() < 1e-12).all()


def test_known_months_in_a_stage_are_those_of_the_rows(in_scope: dict[str, pl.DataFrame], known: pl.DataFrame) -> None:
    began = standing(in_scope).drop_nulls("start_date")
    days = (pl.col("rating_date") - pl.col("start_date")).dt.total_days()
    of_stage = began.with_columns(category=pl.col("stage"))
    both = pl.concat([of_stage, of_stage.with_columns(category=pl.lit(None, pl.String))])
    medians = both.group_by(*PLACE, "category").agg(days.median() / (146097 / 400 / 12), pl.len().alias("n_schools"))
    mine = known.filter(pl.col("statistic") == "median_months_in_stage")
    joined = mine.join(medians, on=[*PLACE, "category"], nulls_equal=True)
    assert joined.height == mine.height == 6 * 3 * 5
    assert ((joined["value"] - joined["rating_date"]).abs() < 1e-9).all()
    assert (joined["n"] == joined["n_schools"]).all()
    assert joined["value"].is_between(3, 60).all()


# The model's promise


def of_people(known: pl.DataFrame) -> pl.DataFrame:
    """Shares of people, schools or lessons that are drawn one by one, with how many standard errors they are off."""
    p, n = pl.col("expected"), pl.col("denominator")
    shares = known.filter(
        pl.col("indicator_id").is_in(list(recomputable(known)))
        & ~pl.col("statistic").is_in(["scale_mean", "absolute_difference", "difference"]).fill_null(False)
        & p.is_not_null()
        & (n > 0)
    )
    return shares.with_columns(z=(pl.col("value") - p) / (p * (1 - p) / n).sqrt())


def recomputable(known: pl.DataFrame) -> set[str]:
    listed = [*SCALE_OF, "SS1", "SS7", "CM3", "CM4", "CM10", "EC1", "EC3", "EC4", "EC5", "EC6", "EC8", "EC9", "EC10"]
    return {*listed, "EC12", "EC13", "EC14", "EC15", "LC1", "LC2", "LC3", "LC4", "LC5", "LC6", "LC8"} & set(known["indicator_id"])


def test_values_scatter_around_what_the_model_expects_as_shares_do(known: pl.DataFrame) -> None:
    shares = of_people(known)
    assert shares["indicator_id"].n_unique() == 30
    spread, mean = shares["z"].std(), shares["z"].mean()
    assert isinstance(spread, float) and isinstance(mean, float)
    # Schools differ, so sums of their draws scatter a little less than one binomial draw would.
    assert 0.80 < spread < 1.08
    assert abs(mean) < 0.12
    assert (shares["z"].abs() < 4.5).all()


def test_wilson_intervals_cover_what_the_model_expects_at_their_rate(known: pl.DataFrame) -> None:
    """The interval by the formula of Wilson (1927), written out here."""
    z = 1.959964
    p, n = pl.col("value"), pl.col("denominator")
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * (p * (1 - p) / n + z**2 / (4 * n**2)).sqrt()
    shares = of_people(known).with_columns(covers=pl.col("expected").is_between(centre - half, centre + half))
    rate = shares["covers"].mean()
    assert isinstance(rate, float)
    assert shares.height > 700
    assert rate > 0.94


def test_expected_means_of_scales_are_covered_too(known: pl.DataFrame) -> None:
    means = known.filter(
        (pl.col("statistic") == "scale_mean") & pl.col("indicator_id").is_in(list(SCALE_OF)) & (pl.col("denominator") > 0)
    )
    z = (means["value"] - means["expected"]) / (0.85 / means["denominator"].sqrt())
    assert means.height > 250
    assert (z.abs() < 4.5).all()
    assert share(z.abs() < 1.96) > 0.92


# Planted effects


@pytest.mark.parametrize("rate", ["has_coach", "full_cycle", "regular_use", "retained", "early_career"])
def test_planted_changes_are_in_the_model_exactly_and_in_the_rows_within_chance(
    network: SyntheticNetwork, in_scope: dict[str, pl.DataFrame], known: pl.DataFrame, rate: str
) -> None:
    effect = planted(network, f"{rate}_changes")
    (district,), (indicator_id,) = effect["districts"], effect["indicator_ids"]
    mine = known.filter((pl.col("indicator_id") == indicator_id) & (pl.col("district") == district))
    mine = mine.filter(pl.col("respondent").is_null() | (pl.col("respondent") == "teacher")).sort("school_year")
    assert mine["school_year"].to_list() == YEARS
    changes = [effect["change_by_year"][year] for year in YEARS]
    assert (mine["expected"] - mine["expected"][0]).to_list() == pytest.approx(changes, abs=1e-6)
    assert changes[-1] == effect["size"] != 0
    rows = recomputed(in_scope).filter((pl.col("indicator_id") == indicator_id) & (pl.col("district") == district))
    rows = rows.filter(pl.col("respondent").is_null() | (pl.col("respondent") == "teacher")).sort("school_year")
    share, n = rows["num"] / rows["den"], rows["den"]
    error = math.sqrt(sum(share[year] * (1 - share[year]) / n[year] for year in (0, 2)))
    assert abs(share[2] - share[0] - effect["size"]) < 3 * error
    assert abs(share[2] - share[0]) > 2 * error, "a planted change is large enough to be found"


def test_nothing_changes_in_the_still_districts_and_both_are_equal(network: SyntheticNetwork, known: pl.DataFrame) -> None:
    """Equal in expectation to the last digit; drawn shares differ, and by no more than chance."""
    effect = planted(network, "nothing_changes")
    assert effect["districts"] == planted(network, "equal_districts")["districts"] and len(effect["districts"]) == 2
    still = of_people(known).filter(
        pl.col("district").is_in(effect["districts"]) & pl.col("indicator_id").is_in(effect["indicator_ids"])
    )
    same = still.group_by("indicator_id", *BREAKDOWNS).agg(
        pl.col("expected").max() - pl.col("expected").min(), pl.col("value").n_unique(), pl.len()
    )
    assert (same["len"] == 6).all()
    assert set(same["indicator_id"]) == set(effect["indicator_ids"])
    assert (same["expected"] < 1e-6).all()
    assert (same["value"] > 1).all()

    key = ["indicator_id", *BREAKDOWNS]
    first, last = (still.filter(pl.col("school_year") == year) for year in (YEARS[0], YEARS[2]))
    one, other = (still.filter(pl.col("district") == district) for district in effect["districts"])
    for left, right, on in ((first, last, [*key, "district"]), (one, other, [*key, "school_year"])):
        pairs = left.join(right, on=on, suffix="_other", nulls_equal=True)
        assert pairs.height > 60
        gap = pairs["value"] - pairs["value_other"]
        p, q = pairs["value"], pairs["value_other"]
        variance = p * (1 - p) / pairs["denominator"] + q * (1 - q) / pairs["denominator_other"]
        seems_different = int((gap.abs() / variance.sqrt() > 1.96).sum())
        assert seems_different < 0.10 * pairs.height


def test_schools_of_better_implementation_answer_more_and_use_more(
    network: SyntheticNetwork, tables: dict[str, pl.DataFrame]
) -> None:
    key = [*PLACE, "school_id"]
    seen = tables["implementation_stage"].filter(pl.col("rating_type") == "verified")
    seen = seen.with_columns(is_far=pl.col("stage").is_in(["initial", "full"])).select(*key, "is_far")
    asked = (
        tables["materials_use"].filter((pl.col("respondent") == "teacher") & (pl.col("source") == "survey")).join(seen, on=key)
    )
    shares = asked.group_by("is_far").agg(
        answers=pl.col("n_respondents").sum() / pl.col("n_eligible").sum(),
        uses=pl.col("n_regular_use").sum() / pl.col("n_respondents").sum(),
    )
    near, far = shares.sort("is_far").rows()
    assert far[1] - near[1] > 0.06
    assert far[2] - near[2] > 0.10
    # What the planted strength says of two schools a unit of quality apart: the log odds differ by it.
    strength = planted(network, "nonresponse_goes_with_implementation")["size"]
    log_odds = math.log(far[1] / (1 - far[1])) - math.log(near[1] / (1 - near[1]))
    assert 0.4 * strength < log_odds < 2.0 * strength


def test_response_is_low_where_it_was_planted_low(network: SyntheticNetwork, in_scope: dict[str, pl.DataFrame]) -> None:
    effect = planted(network, "low_response")
    teachers = in_scope["materials_use"].filter((pl.col("respondent") == "teacher") & (pl.col("source") == "survey"))
    students = in_scope["mindset_survey"].filter((pl.col("respondent") == "student") & (pl.col("scale") == "belonging"))
    for asked, name in ((teachers, "staff_response"), (students, "student_response")):
        rates = {
            str(district): share
            for district, share in asked.group_by("district")
            .agg(pl.col("n_respondents").sum() / pl.col("n_eligible").sum())
            .iter_rows()
        }
        low = {district: rates.pop(district) for district in effect[name]}
        assert low == pytest.approx(effect[name], abs=0.03)
        assert min(low.values()) < 0.40 < max(low.values()) < 0.60
        assert min(rates.values()) > 0.60


def test_self_ratings_are_one_stage_too_high_as_often_as_planted(
    network: SyntheticNetwork, tables: dict[str, pl.DataFrame]
) -> None:
    key = [*PLACE, "school_id"]
    order = {code: place for place, code in enumerate(["exploration", "installation", "initial", "full"])}
    ratings = tables["implementation_stage"].with_columns(step=pl.col("stage").replace_strict(order, return_dtype=pl.Int64))
    latest = ratings.sort("rating_date").group_by(*key, "rating_type", maintain_order=True).last()
    both = latest.pivot("rating_type", index=key, values="step").drop_nulls()
    below_top = both.filter(pl.col("verified") < 3).with_columns(above=pl.col("self") - pl.col("verified"))
    assert set(below_top["above"]) == {0, 1}
    sizes = planted(network, "inflated_self_ratings")["sizes"]
    shares = dict(below_top.group_by("district").agg(pl.col("above").mean()).iter_rows())
    n = dict(below_top.group_by("district").agg(pl.col("school_id").n_unique()).iter_rows())
    for district, size in sizes.items():
        assert abs(shares[district] - size) < 4 * math.sqrt(size * (1 - size) / n[district])
    counts = latest.group_by("rating_type").len().sort("rating_type").rows()
    assert counts[0][0] == "self" and counts[0][1] > 1.3 * counts[1][1], "verified ratings are fewer"


def test_paths_start_late_stall_skip_go_back_and_many_never_start(
    network: SyntheticNetwork, tables: dict[str, pl.DataFrame]
) -> None:
    order = {code: place for place, code in enumerate(["exploration", "installation", "initial", "full"])}
    seen = tables["implementation_stage"].filter(pl.col("rating_type") == "verified")
    seen = seen.with_columns(step=pl.col("stage").replace_strict(order, return_dtype=pl.Int64), start=pl.col("start_date"))
    wide = seen.pivot("school_year", index=["district", "school_id"], values=["step", "start"])
    change = (wide["step_2025-26"] - wide["step_2023-24"]).drop_nulls()
    moving = ~wide["district"].is_in(planted(network, "nothing_changes")["districts"])
    assert {-1, 0, 1, 2} <= set(change)
    assert (change > 0).sum() > 3 * (change < 0).sum() > 0
    assert ((wide["step_2025-26"] - wide["step_2023-24"]).filter(~moving).drop_nulls() == 0).all()
    first_seen_late = wide["step_2023-24"].is_null() & wide["step_2025-26"].is_not_null()
    assert first_seen_late.filter(moving).sum() > 10
    assert (seen["start_date"] <= seen["rating_date"]).all()
    rated = tables["implementation_stage"].select("district", "school_id").unique().height
    schools = tables["school_directory"].select("district", "school_id").unique().height
    assert 0.10 < 1 - rated / schools < 0.45


# Zeros, and what real data have


def test_there_are_floors_and_no_negative_floors(tables: dict[str, pl.DataFrame]) -> None:
    staff, leaders, learning = tables["math_staff"], tables["school_leaders"], tables["professional_learning"]
    assert 0.35 < share(staff["coach_fte"] == 0) < 0.75
    assert ((staff["coach_model"] == "none") == (staff["coach_fte"] == 0)).all()
    assert (staff.filter(pl.col("coach_fte") == 0)["n_cycles"] == 0).all()
    assert share(staff.filter(pl.col("coach_fte") > 0)["n_cycles"] == 0) > 0.05
    assert 0.2 < share(leaders["n_walkthroughs_fall"] == 0) < 0.8
    walks = leaders.filter(pl.col("n_walkthroughs_fall") + pl.col("n_walkthroughs_spring") > 0)
    assert walks["walkthrough_tool"].null_count() == 0
    everything = learning.filter(pl.col("kind") == "ALL")
    assert share(everything["n_teachers_full_cycle"] == 0) > 0.4
    titles = tables["materials_use"]["n_supplemental_titles"].drop_nulls()
    skewness = titles.skew()
    assert skewness is not None and skewness > 1 and share(titles == 0) > 0.1
    silent = tables["materials_use"].filter((pl.col("respondent") == "teacher") & (pl.col("n_respondents") == 0))
    assert silent.height > 100
    assert silent["n_supplemental_titles_symbol"].drop_nulls().is_in(["x", "z"]).all()


def test_teachers_in_two_programmes_are_counted_once(tables: dict[str, pl.DataFrame]) -> None:
    key = [*PLACE, "school_id"]
    learning = tables["professional_learning"].join(tables["math_staff"].select(*key, "n_math_teachers"), on=key)
    kinds = (
        learning.filter(pl.col("kind") != "ALL")
        .group_by(key)
        .agg(pl.col("n_teachers").sum().alias("sum"), pl.col("n_teachers").max().alias("most"))
    )
    compared = learning.filter(pl.col("kind") == "ALL").join(kinds, on=key)
    assert (compared["n_teachers"] <= compared["sum"]).all()
    assert (compared["n_teachers"] >= compared["most"]).all()
    assert (compared["n_teachers"] <= compared["n_math_teachers"]).all()
    assert share(compared["n_teachers"] < compared["sum"]) > 0.4


def test_last_years_teachers_are_those_of_last_years_rows(tables: dict[str, pl.DataFrame]) -> None:
    staff = tables["math_staff"].select("district", "school_id", "school_year", "n_math_teachers", "n_last_year", "n_retained")
    for before, after in pairwise(YEARS):
        joined = staff.filter(pl.col("school_year") == before).join(
            staff.filter(pl.col("school_year") == after), on=["district", "school_id"], suffix="_now"
        )
        assert joined.height > 3500
        assert (joined["n_math_teachers"] == joined["n_last_year_now"]).all()
    new = staff.filter(pl.col("n_last_year") == 0)
    assert new.height > 0 and (new["n_retained"] == 0).all()
    hires = tables["math_staff"]
    assert (hires["n_retained"] + hires["n_new_hires"] == hires["n_math_teachers"]).all()


def test_nobody_is_asked_who_is_not_there(tables: dict[str, pl.DataFrame]) -> None:
    order = pl.read_csv(CONTRACTS / "codes" / "grades.csv", infer_schema=False)
    place = dict(order.select("code", pl.col("sort_order").cast(pl.Int64)).iter_rows())
    schools = tables["school_directory"].select(*PLACE, "school_id", pl.col("low_grade", "high_grade").replace_strict(place))
    answers = tables["mindset_survey"].filter(pl.col("respondent") == "student").join(schools, on=[*PLACE, "school_id"])
    assert (answers["n_eligible"] > 0).all()
    for band, low, high in (("3_5", "3", "5"), ("6_8", "6", "8"), ("9_12", "9", "12")):
        of_band = answers.filter(pl.col("grade_band") == band)
        assert of_band.height > 0
        assert ((of_band["low_grade"] <= place[high]) & (of_band["high_grade"] >= place[low])).all()
    adults = tables["mindset_survey"].filter(pl.col("respondent") != "student")
    assert (adults["grade_band"] == "all").all()
    assert set(adults["respondent"]) == {"teacher", "leader", "family", "community"}


def test_ways_of_asking_differ_where_they_were_planted(network: SyntheticNetwork, tables: dict[str, pl.DataFrame]) -> None:
    use, answers, lessons = tables["materials_use"], tables["mindset_survey"], tables["observations"]
    logs = use.filter(pl.col("source") == "log")
    assert set(logs["district"]) == {one_district(network, "logs_of_use")}
    assert set(logs["respondent"]) == {"teacher"} and (logs["n_modifying_symbol"] == "z").all()
    twice = use.filter(pl.col("wave") == "fall")
    assert set(twice["district"]) == {one_district(network, "asked_twice")}
    purposive = lessons.filter(pl.col("sampling") == "purposive")
    assert set(purposive["district"]) == {one_district(network, "purposive_observations")}
    assert purposive.height == lessons.filter(pl.col("district") == one_district(network, "purposive_observations")).height
    weak = answers.filter(pl.col("alpha") < 0.70)
    assert set(weak.select("district", "scale").unique().rows()) == {(one_district(network, "weak_scale"), "belonging")}
    students = answers.filter(pl.col("respondent") == "student")
    instruments = students.group_by(PLACE).agg(pl.col("instrument").unique().sort())
    changing = one_district(network, "new_instrument")
    by_place = {(d, y): names for d, y, names in instruments.iter_rows()}
    assert all(len(names) == 1 for names in by_place.values())
    assert by_place[changing, YEARS[0]] != by_place[changing, YEARS[1]] == by_place[changing, YEARS[2]]
    assert len({names[0] for (d, _), names in by_place.items() if d != changing}) == 1


def test_coaches_become_shared_where_it_was_planted(network: SyntheticNetwork, tables: dict[str, pl.DataFrame]) -> None:
    effect = planted(network, "coaches_shared")
    coached = tables["math_staff"].filter(pl.col("coach_model") != "none")
    shares = coached.group_by(PLACE).agg(share=(pl.col("coach_model") == "network").mean(), n=pl.len())
    wide = shares.pivot("school_year", index="district", values=["share", "n"])
    for row in wide.iter_rows(named=True):
        size = effect["size"] if row["district"] in effect["districts"] else 0.0
        error = math.sqrt(0.25 / row[f"n_{YEARS[0]}"] + 0.25 / row[f"n_{YEARS[2]}"])
        assert abs(row[f"share_{YEARS[2]}"] - row[f"share_{YEARS[0]}"] - size) < 3 * error


def test_the_truth_says_how_every_indicator_is_computed(network: SyntheticNetwork, known: pl.DataFrame) -> None:
    about = network.truth["about"]
    mine = {*SCALE_OF, *(f"EC{n}" for n in (*range(1, 11), *range(12, 16))), *(f"LC{n}" for n in range(1, 9))}
    mine |= {"SS1", "SS2", "SS3", "SS7", "CM3", "CM4", "CM5", "CM10"}
    assert mine <= set(known["indicator_id"])
    named = {"EC5", "EC6"}
    assert [indicator for indicator in sorted(mine - named) if indicator not in about] == []


# Rates


@pytest.mark.parametrize("target", [0.001, 0.3, 0.5, 0.96])
def test_rates_have_the_target_as_their_weighted_mean(target: float) -> None:
    rng = np.random.default_rng(1)
    leaning, weights = rng.normal(0, 1.5, 400), rng.integers(0, 60, 400).astype(float)
    rates = rates_around(target, leaning, weights)
    assert (rates * weights).sum() / weights.sum() == pytest.approx(target, abs=1e-9)
    assert (np.diff(rates[np.argsort(leaning)]) >= 0).all()


def test_rates_are_zero_where_none_is_possible_and_capped_where_too_few_are() -> None:
    leaning, weights = np.zeros(10), np.ones(10)
    possible = np.arange(10) < 5
    assert rates_around(0.2, leaning, weights, possible) == pytest.approx(np.where(possible, 0.4, 0.0))
    assert rates_around(0.8, leaning, weights, possible) == pytest.approx(np.where(possible, 0.97, 0.0))
    assert rates_around(0.3, leaning, np.zeros(10)) == pytest.approx(np.full(10, 0.3))
    assert (rates_around(0.3, leaning, weights, np.zeros(10, bool)) == 0).all()

"""The states of the synthetic network and what NAEP says of them: they hold their districts, and a link finds what is planted.

What an estimator would do is done here by hand, with the published numbers and a textbook's formulas.
"""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from statistics import NormalDist
from typing import Any

import polars as pl
import pytest
import yaml

from pipelines.settings import PROJECT_ROOT
from pipelines.synthetic import results
from pipelines.synthetic.files import write_naep_results
from pipelines.synthetic.network import SyntheticNetwork, build_network

CONTRACTS = PROJECT_ROOT / "data_contracts"
SEED = PROJECT_ROOT / "dbt_project" / "seeds"
EXTRACT = "state_level_distribution"
YEARS = ("2023-24", "2024-25", "2025-26")
LEVELS = [f"n_level_{level}" for level in range(1, 7)]
NORMAL = NormalDist()
# NAEP points of 0 and of one unit of the latent scale, cuts of Basic and Proficient, by grade; reliability of every state's test.
SCALE = {"4": (236.0, 32.0), "8": (272.0, 38.0)}
CUTS = {"4": (214, 249), "8": (262, 299)}
RELIABILITY = 0.90


@pytest.fixture(scope="module")
def network() -> SyntheticNetwork:
    return build_network(CONTRACTS, scale=0.1)


def together(network: SyntheticNetwork, extract: str) -> pl.DataFrame:
    """The rows of all districts and years."""
    return pl.concat(
        frame.with_columns(district=pl.lit(district), school_year=pl.lit(year))
        for (district, name, year), frame in network.extracts.items()
        if name == extract
    )


def truth(network: SyntheticNetwork, part: str) -> pl.DataFrame:
    return pl.DataFrame(network.truth[part], infer_schema_length=None)


def codes(name: str) -> pl.DataFrame:
    return pl.read_csv(CONTRACTS / "codes" / f"{name}.csv", infer_schema=False)


STATE_OF: dict[str, str] = dict(codes("districts").select("code", "state").rows())


def placed(table: pl.DataFrame) -> pl.DataFrame:
    return table.with_columns(state=pl.col("district").replace_strict(STATE_OF))


def with_course_test(network: SyntheticNetwork) -> set[tuple[str, str]]:
    """States and years in which Algebra I takes students out of the grade's test."""
    replaced = codes("instruments").filter(course_test_replaces="algebra_1_in_grade_8")["code"]
    sent = placed(together(network, EXTRACT)).filter(pl.col("instrument").is_in(replaced.implode()))
    return set(sent.select("state", "school_year").rows())


# --- what the districts pass on ---


def test_every_district_sends_its_state_for_every_year_and_tested_grade(network: SyntheticNetwork) -> None:
    sent = together(network, EXTRACT)
    assert sent.height == 6 * 3 * 6
    assert sent.group_by("district", "school_year").agg(pl.col("grade").sort())["grade"].to_list() == [list("345678")] * 18
    assert set(sent["administration"]) == {"spring"}
    assert (sent["publication"].str.starts_with("Example Department of Education of ")).all()
    own = together(network, "assessment_levels").select("district", "school_year", "instrument").unique()
    of_state = sent.select("district", "school_year", "instrument").unique()
    assert of_state.height == own.height == 18
    assert of_state.join(own, on=own.columns, how="anti").is_empty(), "a state's test is the one that its district reports"


def test_levels_add_up_to_those_tested_and_levels_beyond_the_test_are_not_applicable(network: SyntheticNetwork) -> None:
    sent = together(network, EXTRACT).join(
        codes("instruments").select(pl.col("code").alias("instrument"), pl.col("n_levels").cast(pl.Int64)), on="instrument"
    )
    assert (sent.select(pl.sum_horizontal(LEVELS)).to_series() == sent["n_tested"]).all()
    assert (sent["n_tested"] < sent["n_enrolled"]).all()
    for level, name in enumerate(LEVELS, 1):
        there = pl.col("n_levels") >= level
        assert sent.filter(there).select((pl.col(name) > 0).all(), pl.col(f"{name}_symbol").is_null().all()).row(0) == (
            True,
            True,
        )
        beyond = sent.filter(~there)
        assert beyond[name].null_count() == beyond.height
        assert (beyond[f"{name}_symbol"] == "z").all()


def test_a_district_is_a_part_of_its_state_in_every_grade_and_at_every_level(network: SyntheticNetwork) -> None:
    own = together(network, "assessment_levels").filter(subgroup="all")
    place = ["district", "school_year", "grade"]
    summed = own.group_by(place).agg(pl.col("n_enrolled", "n_tested", *LEVELS).sum())
    both = together(network, EXTRACT).join(summed, on=place, suffix="_own", validate="1:1")
    assert both.height == 6 * 3 * 6
    assert (both["n_enrolled"] >= 3 * both["n_enrolled_own"]).all()
    for name in ("n_tested", *LEVELS):
        assert (both[name].fill_null(0) >= both[f"{name}_own"]).all(), name
    totals = both.group_by("district", "school_year").agg(pl.col("n_tested").sum()).sort("school_year")
    steady = totals.group_by("district").agg((pl.col("n_tested").max() / pl.col("n_tested").min()).alias("ratio"))
    assert steady["ratio"].max() < 1.03  # type: ignore[operator]


def test_participation_of_states_and_who_sits_the_course_test(network: SyntheticNetwork) -> None:
    (planted,) = [e for e in network.truth["planted_effects"] if e["effect"] == "opt_out"]
    share = placed(together(network, EXTRACT)).with_columns(share=pl.col("n_tested") / pl.col("n_enrolled"))
    grade_8 = pl.struct("state", "school_year").map_elements(
        lambda row: (row["state"], row["school_year"]) in with_course_test(network), return_dtype=pl.Boolean
    ) & (pl.col("grade") == "8")
    opting = pl.col("district").is_in(planted["districts"])
    for rows, expected in ((share.filter(~grade_8 & opting), 0.86), (share.filter(~grade_8 & ~opting), 0.97)):
        assert rows.height > 0
        assert ((rows["share"] - expected).abs() < 0.002).all()
    short = share.filter(grade_8)
    assert 0 < short.height < 18
    assert (short["share"] < 0.90).all()


def test_the_counts_are_those_of_a_normal_distribution_cut_where_the_district_is(network: SyntheticNetwork) -> None:
    """Cuts in SD of the state, from the cumulative shares, against the cuts of the district's own test."""
    known = {(e["state"], e["school_year"], e["grade"]): e for e in network.truth["states"]}
    cuts = {(e["district"], e["school_year"], e["grade"]): e["cuts"] for e in network.truth["cuts"]}
    for row in placed(together(network, EXTRACT)).to_dicts():
        state = known[row["state"], row["school_year"], row["grade"]]
        assert (state["n_enrolled"], state["n_tested"]) == (row["n_enrolled"], row["n_tested"])
        below = 0
        for cut, name in zip(cuts[row["district"], row["school_year"], row["grade"]], LEVELS, strict=False):
            below += row[name]
            found = NORMAL.inv_cdf(below / row["n_tested"])
            assert found == pytest.approx((cut - state["latent_mean_sitting"]) / state["latent_sd"], abs=5 / row["n_tested"])


def test_who_sits_the_course_test_is_ahead_and_missing_from_the_mean_of_the_grade(network: SyntheticNetwork) -> None:
    states = truth(network, "states").with_columns(apart=pl.col("latent_mean") - pl.col("latent_mean_sitting"))
    course = pl.DataFrame(list(with_course_test(network)), schema=["state", "school_year"], orient="row")
    in_course = states.join(course, on=["state", "school_year"], how="semi").filter(grade="8")
    assert in_course.height == course.height > 0
    # 10 to 20 % of the grade, 0.6 ahead.
    assert in_course["apart"].is_between(0.6 * 0.10 / 0.90 - 0.01, 0.6 * 0.20 / 0.80 + 0.01).all()
    others = pl.concat([states.filter(pl.col("grade") != "8"), states.join(course, on=["state", "school_year"], how="anti")])
    assert (others["apart"] == 0).all()


def test_states_lie_above_their_districts_but_one(network: SyntheticNetwork) -> None:
    own = placed(truth(network, "assessment").filter(subgroup="all")).group_by("state", "school_year").agg(
        pl.col("common_mean_enrolled").mean()
    )  # fmt: skip
    of_state = truth(network, "states").group_by("state", "school_year").agg(pl.col("latent_mean").mean())
    lead = own.join(of_state, on=["state", "school_year"]).with_columns(
        lead=pl.col("latent_mean") - pl.col("common_mean_enrolled")
    )
    assert lead.height == 18
    by_state = dict(lead.filter(school_year=YEARS[0]).select("state", "lead").rows())
    assert sorted(value > 0 for value in by_state.values()) == [False] + [True] * 5
    assert all(abs(value) < 0.5 for value in by_state.values())
    assert truth(network, "states")["latent_sd"].is_between(0.9, 1.1).all()


def test_states_follow_their_seed_and_nothing_else(network: SyntheticNetwork) -> None:
    again, other = build_network(CONTRACTS, scale=0.1), build_network(CONTRACTS, scale=0.1, seed=11)
    assert together(again, EXTRACT).equals(together(network, EXTRACT))
    assert again.naep_results.equals(network.naep_results)
    assert not together(other, EXTRACT).equals(together(network, EXTRACT))
    assert not other.naep_results.equals(network.naep_results)


def test_the_linking_error_is_in_the_district_s_results_and_nowhere_else(
    network: SyntheticNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "LINKING_SD", 0.0)
    without = build_network(CONTRACTS, scale=0.1)
    assert {entry["shift"] for entry in without.truth["linking_errors"]} == {0.0}
    assert together(without, EXTRACT).equals(together(network, EXTRACT))
    assert without.truth["states"] == network.truth["states"]
    assert without.naep_results.select(pl.exclude("mean")).equals(network.naep_results.select(pl.exclude("mean")))
    assert (without.naep_results["mean"] - network.naep_results["mean"]).abs().max() <= 1e-4  # type: ignore[operator]
    assert not together(without, "assessment_levels").equals(together(network, "assessment_levels"))


def test_districts_of_one_state_pass_on_the_same_rows(tmp_path: Path) -> None:
    shutil.copytree(CONTRACTS, tmp_path / "contracts")
    path = tmp_path / "contracts" / "codes" / "districts.csv"
    listed = pl.read_csv(path, infer_schema=False).tail(1)
    pl.concat([listed, listed.with_columns(code=pl.lit("new_place"))]).write_csv(path)
    two = build_network(tmp_path / "contracts", scale=0.001)
    first, second = (together(two, EXTRACT).filter(district=code).drop("district") for code in (listed["code"][0], "new_place"))
    assert first.height == 18
    assert first.equals(second)
    assert len(two.truth["states"]) == 18
    enrolled = (
        together(two, "assessment_levels").filter(subgroup="all").group_by("school_year", "grade").agg(pl.col("n_enrolled").sum())
    )
    both = first.join(enrolled, on=["school_year", "grade"], suffix="_own", validate="1:1")
    assert (both["n_enrolled"] >= 3 * both["n_enrolled_own"]).all(), "the state holds both districts"


# --- NAEP ---


def test_naep_results_have_the_columns_types_and_keys_of_the_seed(network: SyntheticNetwork, tmp_path: Path) -> None:
    (seed,) = yaml.safe_load((SEED / "naep_results.yml").read_text("utf-8"))["seeds"]
    types = {"varchar": pl.String(), "integer": pl.Int64(), "double": pl.Float64()}
    expected = {name: types[kind] for name, kind in seed["config"]["column_types"].items()}
    table = network.naep_results
    assert dict(table.schema) == expected
    (test,) = seed["data_tests"]
    assert not table.select(test["unique_key"]["arguments"]["columns"]).is_duplicated().any()
    for column in seed["columns"]:
        if "not_null" in column.get("data_tests", []):
            assert table[column["name"]].null_count() == 0, column["name"]
    write_naep_results(network, tmp_path / "reference" / "naep_results.csv")
    written = pl.read_csv(tmp_path / "reference" / "naep_results.csv", schema_overrides=expected)
    assert written.equals(table)


def test_naep_is_of_every_district_and_state_in_both_grades_and_years(network: SyntheticNetwork) -> None:
    table = network.naep_results
    expected = {
        ("district", code, grade, year) for code in STATE_OF for grade in SCALE for year in (2022, 2024)
    } | {("state", code, grade, year) for code in set(STATE_OF.values()) for grade in SCALE for year in (2022, 2024)}  # fmt: skip
    found = set(table.filter(pl.col("unit_type") != "nation").select("unit_type", "unit_id", "grade", "year").rows())
    assert found == expected
    assert set(table.select("year", "school_year").rows()) == {(2022, "2021-22"), (2024, "2023-24")}
    assert set(table["source"]) == {"Invented for the synthetic network"}
    nation = table.filter(unit_type="nation")
    assert set(nation.select("unit_id", "schools", "grade", "year").rows()) == {
        ("US", schools, grade, year) for schools in ("public", "public_and_private") for grade in SCALE for year in (2022, 2024)
    }
    assert set(table.filter(pl.col("unit_type") != "nation")["schools"]) == {"public"}
    assert dict(table.group_by("unit_type").agg(pl.col("se").unique().item()).rows()) == {
        "district": 1.4, "state": 0.9, "nation": 0.3,
    }  # fmt: skip


def test_published_means_of_districts_scatter_around_the_true_ones(network: SyntheticNetwork) -> None:
    on = ["district", "grade", "year"]
    published = network.naep_results.filter(unit_type="district").rename({"unit_id": "district"})
    both = published.join(truth(network, "naep"), on=on, validate="1:1")
    assert both.height == 24
    z = (both["mean"] - both["naep_mean"]) / 1.4
    assert z.abs().max() < 4  # type: ignore[operator]
    assert 0.6 < z.std() < 1.5  # type: ignore[operator]
    assert both.select(pl.col("share_basic", "share_proficient").is_null().all()).row(0) == (True, True)
    assert (both["mean"] == both["mean"].round(4)).all()


def test_the_true_mean_of_a_district_is_that_of_all_who_are_enrolled_without_linking_error(network: SyntheticNetwork) -> None:
    """For grade 8 of a course-test state from what the truth says of those exempt, with the shift taken off."""
    shift = {(e["district"], e["grade"]): e["shift"] for e in network.truth["linking_errors"]}
    known = {(e["district"], e["grade"], e["year"]): e["naep_mean"] for e in network.truth["naep"]}
    exempt = [e for e in network.truth["algebra_exemptions"] if e["subgroup"] == "all" and e["school_year"] == YEARS[0]]
    assert exempt
    for entry in exempt:
        common = entry["latent_mean_enrolled"] - shift[entry["district"], "8"]
        assert known[entry["district"], "8", 2024] == pytest.approx(272 + 38 * common)


def test_true_means_follow_the_trend_back_to_the_earlier_assessment(network: SyntheticNetwork) -> None:
    by_year = truth(network, "naep").pivot("year", index=["district", "grade"], values="naep_mean")
    yearly = (by_year["2024"] - by_year["2022"]) / by_year["grade"].replace_strict({"4": 32.0, "8": 38.0}) / 2
    assert yearly.is_between(0, 0.04).all()
    trends = by_year.with_columns(yearly=yearly.round(9)).group_by("district").agg(pl.col("yearly").n_unique())
    assert (trends["yearly"] == 1).all(), "both grades of a district have one trend"


def test_states_are_published_rounded_and_their_spread_follows_from_the_shares(network: SyntheticNetwork) -> None:
    known = {(e["state"], e["grade"]): e for e in network.truth["states"] if e["school_year"] == YEARS[0]}
    published = network.naep_results.filter(unit_type="state")
    for row in published.to_dicts():
        assert row["mean"] == round(row["mean"])
        for share in (row["share_basic"], row["share_proficient"]):
            assert share == round(share, 2)
            assert 0 < share < 1
        basic, proficient = CUTS[row["grade"]]
        found = (proficient - basic) / (NORMAL.inv_cdf(1 - row["share_proficient"]) - NORMAL.inv_cdf(1 - row["share_basic"]))
        state = known[row["unit_id"], row["grade"]]
        zero, unit = SCALE[row["grade"]]
        assert found == pytest.approx(unit * math.sqrt(RELIABILITY) * state["latent_sd"], rel=0.05)
        if row["year"] == 2024:
            true = NormalDist(zero + unit * state["latent_mean"], unit * math.sqrt(RELIABILITY) * state["latent_sd"])
            assert abs(row["mean"] - true.mean) <= 0.5
            for cut, share in ((basic, row["share_basic"]), (proficient, row["share_proficient"])):
                assert abs(share - (1 - true.cdf(cut))) <= 0.005 + 1e-9


def test_a_link_through_the_state_finds_the_true_mean_and_the_planted_error(network: SyntheticNetwork) -> None:
    """Position over root reliability, times the published SD, plus the published mean: true mean plus unit times shift."""
    published = {(r["unit_id"], r["grade"]): r for r in network.naep_results.filter(unit_type="state", year=2024).to_dicts()}
    shift = {(e["district"], e["grade"]): e["shift"] for e in network.truth["linking_errors"]}
    course = with_course_test(network)
    missed = []
    for entry in network.truth["linked"]:
        state = STATE_OF[entry["district"]]
        if entry["school_year"] != YEARS[0] or entry["grade"] not in SCALE:
            continue
        if entry["grade"] == "8" and (state, YEARS[0]) in course:
            continue
        row = published[state, entry["grade"]]
        basic, proficient = CUTS[entry["grade"]]
        sd = (proficient - basic) / (NORMAL.inv_cdf(1 - row["share_proficient"]) - NORMAL.inv_cdf(1 - row["share_basic"]))
        linked = row["mean"] + entry["state_position"] / math.sqrt(RELIABILITY) * sd
        missed.append(linked - entry["naep_mean_true"] - SCALE[entry["grade"]][1] * shift[entry["district"], entry["grade"]])
    # Rounding of the mean leaves up to half a point; who is tested differs a little from who is enrolled where families opt out.
    assert len(missed) == 6 + 3
    assert max(abs(miss) for miss in missed) < 2.0
    assert sum(abs(miss) for miss in missed) / len(missed) < 0.7


def test_linked_means_are_on_the_line_between_the_grades_of_naep(network: SyntheticNetwork) -> None:
    common = {
        (e["district"], e["school_year"], e["grade"]): e["common_mean_enrolled"]
        for e in network.truth["assessment"]
        if e["subgroup"] == "all"
    }
    entries = network.truth["linked"]
    assert len(entries) == 6 * 3 * 6
    scale = {"4": (236, 32), "5": (245, 33.5), "6": (254, 35), "7": (263, 36.5), "8": (272, 38)}
    for entry in entries:
        if entry["grade"] == "3":
            assert entry["naep_mean_true"] is None
            continue
        zero, unit = scale[entry["grade"]]
        mean = common[entry["district"], entry["school_year"], entry["grade"]]
        assert entry["naep_mean_true"] == pytest.approx(zero + unit * mean)


def test_gaps_are_those_of_the_moments_of_both_groups(network: SyntheticNetwork) -> None:
    moments: dict[tuple[Any, ...], NormalDist] = {
        (e["district"], e["school_year"], e["grade"], e["subgroup"]): NormalDist(e["latent_mean"], e["latent_sd"])
        for e in network.truth["assessment"]
    }
    gaps = network.truth["gaps"]
    assert len(gaps) == 6 * 3 * 6 * 2
    for gap in gaps:
        place = (gap["district"], gap["school_year"], gap["grade"])
        apart = moments[*place, gap["subgroup"]] - moments[*place, gap["complement"]]
        ahead = 1 - apart.cdf(0)
        assert gap["gap_v"] == pytest.approx(math.sqrt(2) * NORMAL.inv_cdf(ahead))
        assert gap["gap_v"] < 0, "the groups that the model sets back"

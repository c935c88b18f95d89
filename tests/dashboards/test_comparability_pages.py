"""Verdicts, positions, linked means, gaps, Algebra I, the back-test and the methods on the pages."""

from __future__ import annotations

import json
import math
import re
from itertools import combinations
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from dashboards import release_data
from dashboards.components import compared, linked, years
from dashboards.components.algebra import test_rule as rule_of_test
from dashboards.components.gaps import pair_labels
from dashboards.components.words import NO_VERDICTS, SIDE_BY_SIDE
from pipelines.release.reader import Release, read_current
from pipelines.wording import amounts
from tests.dashboards import comparability_rows as given
from tests.dashboards.test_pages import chart_specs, chart_words, home, open_page, opened, table_texts, text_of
from tests.release_fixture import wilson, write_release

__all__ = ["home"]
NORMAL = NormalDist()
CM1 = {"course": "3", "subgroup": "all", "category": "meets"}
FORBIDDEN = r"\b(same as|similar|stable|rank(ed|ing)?|best|worst|leads|lags)\b"


@pytest.fixture
def release(home: Path) -> Release:
    write_release(home)
    return read_current(home)


def drop_tables(folder: Path, *tables: str) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    for table in tables:
        (folder / f"{table}.parquet").unlink()
        del manifest["tables"][table]
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_a_pair_is_turned_so_that_the_focal_district_is_what_others_are_set_against(release: Release) -> None:
    chicago = {row["other"]: row for row in release_data.beside(release, "CM1", "chicago", "2024-25", CM1).to_dicts()}
    new_york = {row["other"]: row for row in release_data.beside(release, "CM1", "new_york_city", "2024-25", CM1).to_dicts()}
    assert chicago["new_york_city"]["finding"] == "higher" and new_york["chicago"]["finding"] == "lower"
    one, other = chicago["new_york_city"], new_york["chicago"]
    assert one["difference"] == pytest.approx(0.12) and other["difference"] == pytest.approx(-0.12)
    assert (one["lower"], one["upper"]) == (pytest.approx(0.10), pytest.approx(0.14))
    assert (other["lower"], other["upper"]) == (pytest.approx(-0.14), pytest.approx(-0.10))
    assert (one["value"], one["focal_value"]) == (pytest.approx(0.67), pytest.approx(0.55))
    assert (other["value"], other["focal_value"]) == (pytest.approx(0.55), pytest.approx(0.67))


def test_every_other_district_stands_in_one_bin_in_alphabetical_order(release: Release) -> None:
    rows = release_data.beside(release, "CM1", "chicago", "2024-25", CM1)
    held = {key: part["other"].to_list() for key, part in compared.bins(rows).items()}
    assert held == {
        "higher": ["los_angeles", "new_york_city"],
        "none": ["houston"],
        "lower": [],
        "refused": ["miami_dade", "philadelphia"],
    }
    turned = compared.bins(release_data.beside(release, "CM1", "new_york_city", "2024-25", CM1))
    assert turned["lower"]["other"].to_list() == ["chicago", "houston", "los_angeles"] and turned["higher"].is_empty()


@pytest.mark.parametrize("focal", given.DISTRICTS)
def test_bins_hold_everybody_once_and_both_sides_agree(release: Release, focal: str) -> None:
    rows = release_data.beside(release, "CM1", focal, "2024-25", CM1)
    held = compared.bins(rows)
    found = [other for part in held.values() for other in part["other"]]
    assert sorted(found) == sorted(set(given.DISTRICTS) - {focal})
    opposite = {"higher": "lower", "lower": "higher", "none": "none", "refused": "refused"}
    for key, part in held.items():
        for other in part["other"]:
            back = compared.bins(release_data.beside(release, "CM1", other, "2024-25", CM1))
            assert focal in back[opposite[key]]["other"].to_list()


def test_pairs_are_chosen_by_breakdowns_only_and_by_all_of_them(release: Release) -> None:
    assert release_data.beside(release, "CM1", "chicago", "2024-25", CM1 | {"category": "not_reviewed"}).is_empty()
    assert release_data.beside(release, "CM1", "chicago", "2023-24", CM1).is_empty()
    assert release_data.beside(release, "OC9", "chicago", "2024-25", CM1).is_empty()
    for query in (release_data.over_years, release_data.beside_state):
        with pytest.raises(ValueError, match="cannot be chosen"):
            query(release, "OC5", {"n; --": "1"})


def test_a_side_that_nobody_sent_does_not_hide_a_pair_of_one_wave(home: Path) -> None:
    folder = write_release(home)
    pairs = pl.read_parquet(folder / "comparisons.parquet")
    is_sent = ~pl.col("verdict").is_in(["no_data"])
    wave = pl.when(is_sent & (pl.col("indicator_id") == "CM1")).then(pl.lit("spring"))
    pairs.with_columns(administration=wave, other_administration=wave).write_parquet(folder / "comparisons.parquet")
    rows = release_data.beside(read_current(home), "CM1", "chicago", "2024-25", CM1 | {"administration": "spring"})
    assert rows.height == 5 and rows["other"].is_unique().all()
    assert release_data.beside(read_current(home), "CM1", "chicago", "2024-25", CM1 | {"administration": "fall"})[
        "verdict"
    ].to_list() == ["no_data"]


def test_a_release_without_verdicts_gives_none_and_says_so(home: Path) -> None:
    drop_tables(write_release(home), "comparisons", "verdicts", "link_backtest", "link_backtest_summary", "naep_results")
    release = read_current(home)
    assert not release_data.has_verdicts(release) and release_data.verdicts(release).is_empty()
    assert release_data.beside(release, "CM1", "chicago", "2024-25", CM1).is_empty()
    assert release_data.over_years(release, "OC5", {}).is_empty() and not release_data.reference_groups(release)
    assert release_data.back_test(release).is_empty() and release_data.back_test_summary(release) is None
    said = text_of(open_page("materials", indicator="CM1", course="3", focal="chicago"))
    assert NO_VERDICTS in said and SIDE_BY_SIDE not in said and "Compared with" not in said
    assert "This release holds no verdicts" in text_of(open_page("methods"))
    assert "nothing to test a link with" in text_of(open_page("back_test"))
    assert "No linked mean for 2024-25" in text_of(open_page("outcomes", indicator="OC6"))
    assert open_page("outcomes", indicator="OC5").get("vega_lite_chart")


def test_years_are_paired_with_the_year_before_and_the_last_with_the_first(release: Release) -> None:
    rows = release_data.over_years(release, "OC5", {"grade": "4", "subgroup": "all"})
    own = rows.filter(pl.col("district") == "chicago")
    assert own.height == 6
    pairs = compared.consecutive(own)
    assert pairs.select("other_school_year", "school_year", "is_span").rows() == [
        ("2021-22", "2022-23", False),
        ("2022-23", "2023-24", False),
        ("2023-24", "2024-25", False),
        ("2021-22", "2024-25", True),
    ]
    two = own.filter(pl.col("school_year") == "2022-23")
    assert compared.consecutive(two)["is_span"].to_list() == [False]
    assert compared.consecutive(own.clear()).is_empty()


def test_a_line_is_cut_where_the_verdict_refuses(release: Release) -> None:
    chosen = {"grade": "4", "subgroup": "all"}
    verdicts = release_data.over_years(release, "OC5", chosen)

    def run_years(code: str, district: str) -> tuple[list[list[str]], list[years.Break]]:
        rows = release_data.values(release, code, {**chosen, "district": district})
        own = release_data.over_years(release, code, chosen).filter(pl.col("district") == district)
        joined, breaks = years.runs_by_verdicts(rows, own)
        return [part["school_year"].to_list() for part in joined.partition_by("run", maintain_order=True)], breaks

    assert verdicts.height == 30
    assert run_years("OC5", "chicago") == ([list(given.YEARS)], [])
    runs, breaks = run_years("OC5", given.BROKEN)
    assert runs == [["2021-22", "2022-23"], ["2023-24", "2024-25"]]
    assert [(change.before, change.after, change.is_trend_break) for change in breaks] == [("2022-23", "2023-24", True)]
    # A missing year and two links are not joined either.
    assert run_years("OC6", "chicago")[0] == [["2021-22"], ["2023-24"]]


def test_breaks_of_one_reason_are_said_in_one_sentence() -> None:
    refused = [
        years.Break("2021-22", "2022-23", (), "82 % sat it.", False),
        years.Break("2022-23", "2023-24", (), "82 % sat it.", False),
    ]
    broken = years.Break("2023-24", "2024-25", (), "The test changed.", True)
    assert years.break_sentences([*refused, broken]) == [
        "No line from 2021-22 to 2022-23 and from 2022-23 to 2023-24. 82 % sat it.",
        "Break in the trend from 2023-24 to 2024-25. The test changed.",
    ]
    assert years.break_sentences(refused, has_reasons=False) == ["No line from 2021-22 to 2022-23 and from 2022-23 to 2023-24."]
    assert "the cuts changed" in years.break_sentences([years.Break("2021-22", "2022-23", ("the cuts",))])[0]


def test_the_four_bins_are_drawn_with_interval_reason_and_remedy(home: Path) -> None:
    write_release(home)
    app = opened(open_page("materials", indicator="CM1", course="3", focal="chicago"), "CM1_2024-25_beside_chicago")
    said = text_of(app)
    for title in ("Higher than Chicago", "No difference detected", "Lower than Chicago", "Cannot be compared, because …"):
        assert f"#### {title}" in said
    assert "**New York City**: +12.0 percentage points (+10.0 to +14.0)" in said
    assert "**Houston**: +3.0 percentage points (+1.0 to +5.0)" in said
    assert "No difference detected, looking at 10 pairs at once." in said
    assert "**Different definitions:** Miami-Dade" in said and "the other by: classes." in said
    assert "What would lift it:* Both report by one definition." in said
    assert "**No data:** Philadelphia" in said
    assert "an interval may leave out 0 where no difference is detected" in said
    assert not re.search(FORBIDDEN, said, re.IGNORECASE)
    table = next(table for table in table_texts(app) if "Verdict" in table.columns)
    assert table["District"].to_list() == ["Houston", "Los Angeles", "Miami-Dade", "New York City", "Philadelphia"]
    assert table["It is"].to_list() == ["", "higher", "", "higher", ""]
    assert table["95 % interval"].to_list() == ["+1.0 to +5.0", "+4.0 to +8.0", "", "+10.0 to +14.0", ""]
    assert table["What would lift it"][2] == "Both report by one definition."
    drawn = [words for words in chart_words(app) if "Higher than Chicago" in words]
    assert drawn == [
        "High-quality materials coverage. Higher than Chicago, 2024-25: Los Angeles +6.0 percentage points (+4.0 to +8.0); "
        "New York City +12.0 percentage points (+10.0 to +14.0)."
    ]
    bins = [
        spec
        for spec, words in zip(chart_specs(app), chart_words(app), strict=True)
        if "Chicago, 2024-25:" in words and "than" in words
    ]
    assert len(bins) == 1


def test_all_bins_of_a_page_have_one_axis(home: Path) -> None:
    write_release(home)
    app = open_page("materials", indicator="CM1", course="3", focal="los_angeles")
    of_bins = [
        spec
        for spec, words in zip(chart_specs(app), chart_words(app), strict=True)
        if re.search(r"(than Los Angeles|No difference detected), 2024-25:", words)
    ]
    ends = {
        tuple(layer["encoding"]["x"]["scale"]["domain"][:1])
        for spec in of_bins
        for layer in spec["layer"]
        if "scale" in layer["encoding"].get("x", {})
    }
    assert len(of_bins) == 2 and len(ends) == 1


def test_without_a_focal_district_the_page_asks_for_one(home: Path) -> None:
    write_release(home)
    app = open_page("materials", indicator="CM1", course="3")
    assert "Compared with one district" in [part.value for part in app.subheader]
    app.button("compare.houston").click().run()
    assert app.query_params["focal"] == "houston"
    assert "Compared with Houston" in [part.value for part in app.subheader]


def test_a_census_has_no_interval_and_says_that_everybody_is_counted(home: Path) -> None:
    write_release(home)
    app = opened(open_page("educator_capacity", indicator="EC2", focal="houston"), "EC2_2024-25_beside_houston")
    said = text_of(app)
    assert "**Chicago**: +1 teachers per FTE, everybody counted" in said
    assert "an interval may leave out 0" not in said
    table = next(table for table in table_texts(app) if "Verdict" in table.columns)
    assert set(table["95 % interval"]) == {"everybody counted"}


def test_a_suppressed_release_compares_nobody_and_says_why(home: Path) -> None:
    write_release(home, variant="suppressed")
    said = text_of(open_page("materials", indicator="CM1", course="3", focal="chicago"))
    assert said.count("No district.") == 3
    assert "**Protected:** Houston, Los Angeles, Miami-Dade, New York City and Philadelphia" in said


def test_an_indicator_without_pairs_says_that_nobody_can_be_set_beside(home: Path) -> None:
    write_release(home)
    said = text_of(open_page("materials", indicator="CM2", focal="chicago"))
    assert "so there is nothing to set beside Chicago." in said
    assert "no two years can be set beside each other" in said


def test_a_break_over_the_years_is_shown_as_a_break(home: Path) -> None:
    write_release(home)
    app = opened(open_page("outcomes", indicator="OC5", focal="miami_dade", grade="4"), "OC5_years_miami_dade")
    said = text_of(app)
    assert "**Break**, 2022-23 to 2023-24: The test changed between 2022-23 and 2023-24." in said
    assert "Wait for a second year on the new test." in said
    table = next(table for table in table_texts(app) if "Against" in table.columns)
    assert table.height == 6
    broken = table.filter(pl.col("Verdict") == "Break in the trend")
    assert broken.height == 4 and set(broken["Difference"]) == {""}


def test_positions_stand_in_panels_of_their_own_with_their_state(home: Path) -> None:
    write_release(home)
    app = open_page("outcomes", indicator="OC5", grade="4")
    said = text_of(app)
    assert "not on a common scale" in said and "No row" not in said
    assert "**Below the state's mean** in 2021-22, 2022-23, 2023-24 and 2024-25." in said
    assert "**Not set against the state's mean** in 2021-22 (different coverage). 82 % sat the test." in said
    assert "Break in the trend from 2022-23 to 2023-24. The test changed" in said
    panels = [
        spec for spec, words in zip(chart_specs(app), chart_words(app), strict=True) if words.startswith("Position in own state")
    ]
    assert len(panels) == 5
    domains = [
        next(
            tuple(layer["encoding"]["y"]["scale"]["domain"])
            for layer in spec["layer"]
            if "scale" in layer["encoding"].get("y", {})
        )
        for spec in panels
    ]
    assert len(set(domains)) == 5 and all(low < 0 < high for low, high in domains)
    assert sum(spec["layer"][0]["mark"].get("strokeDash") is not None for spec in panels) == 1


def test_linked_means_stand_beside_naep_the_state_and_the_nation(home: Path) -> None:
    write_release(home)
    app = opened(open_page("outcomes", indicator="OC6", grade="4", year="2023-24", focal="houston"), "OC6_2023-24")
    said = text_of(app)
    assert "that is the better number" in said
    assert "Solid line: TX, public schools, 236.0 (error not known)." in said
    assert "Solid line: IL, public schools, 236.0 (234.0 to 238.0)." in said
    assert "Dashed line: the nation, public schools, 238.0 (237.4 to 238.6)." in said
    chicago = next(words for words in chart_words(app) if words.startswith("Linked mean, Chicago"))
    assert (
        "Linked mean 225.0 NAEP points (215.2 to 234.8 NAEP points); NAEP (TUDA) 224.0 NAEP points (221.3 to 226.7 NAEP points)"
        in chicago
    )
    assert "NAEP has no mean of its own for the district" in said
    table = table_texts(app)[0]
    assert table.filter(pl.col("District") == "Nation")["Value"].to_list() == ["238.0 NAEP points"]
    assert table.filter(pl.col("Measure") == "NAEP (TUDA)").height == 4
    # Linked against linked where one has no NAEP of its own; refused where both have.
    assert "**New York City**: +9.0 NAEP points (+7.0 to +11.0)" in said
    assert "**Describe only:** Chicago, Los Angeles and Miami-Dade" in said


def test_a_year_without_a_link_leads_to_one_with(home: Path) -> None:
    write_release(home)
    app = open_page("outcomes", indicator="OC6")
    assert "No linked mean for 2024-25" in text_of(app)
    next(button for button in app.button if "2023-24" in button.label).click().run()
    assert app.query_params["year"] == "2023-24"
    assert any(words.startswith("Linked mean, Chicago, 2023-24") for words in chart_words(app))


def test_reference_lines_are_of_the_own_state_and_of_public_schools(release: Release) -> None:
    published = release_data.naep_results(release, "4", "2023-24")
    lines = linked.reference_lines(published, "IL")
    assert lines.select("unit_type", "unit_id").rows() == [("state", "IL"), ("nation", "US")]
    assert linked.reference_lines(published.clear(), "IL").is_empty()
    assert linked.reference_lines(release_data.naep_results(release, "8"), "IL").is_empty()


def test_gaps_name_both_groups_and_are_followed(home: Path) -> None:
    write_release(home)
    said = text_of(open_page("outcomes", indicator="OC8", grade="4", focal="chicago"))
    assert "Below 0 the group stands lower" in said
    assert "Over the years** · English learners against not English learners" in said
    assert pair_labels({"black": "white"}) == {("subgroup", "black"): "Black or African American against white"}


@pytest.mark.parametrize(
    "code, partner",
    [("OC1", "First-attempt success"), ("OC2", "Algebra I by the end of grade 9"), ("OC3", "First-attempt success")],
)
def test_algebra_is_always_read_together(home: Path, code: str, partner: str) -> None:
    write_release(home)
    app = opened(open_page("outcomes", indicator=code), f"algebra_{code}_2024-25")
    said = text_of(app)
    assert "Always read together" in said
    panels = [words for words in chart_words(app) if words.startswith("Algebra I, ")]
    assert len(panels) == 5 and all(partner in words for words in panels)
    assert "First-attempt success, grade 9: no number. Confidential" in said
    assert ("TX: students who take Algebra I in grade 8" in said) == (code == "OC3")
    assert table_texts(app)[0]["Measure"].n_unique() == 3


@pytest.mark.parametrize(
    "replaces, said",
    [
        ("algebra_1_in_grade_8", "sit the course test instead"),
        ("none", "sit the grade's test like everybody"),
        (None, "is not known for 2024-25"),
    ],
)
def test_the_rule_of_a_state_is_that_of_its_test_in_the_year(replaces: str | None, said: str) -> None:
    tests = pl.DataFrame(
        [
            {"state": "TX", "first_school_year": "2000-01", "last_school_year": "2009-10", "course_test_replaces": "other"},
            {"state": "TX", "first_school_year": "2010-11", "last_school_year": None, "course_test_replaces": replaces},
            {"state": "IL", "first_school_year": "2010-11", "last_school_year": None, "course_test_replaces": "other"},
        ],
        schema_overrides={"course_test_replaces": pl.String},
    )
    assert said in rule_of_test(tests, "TX", "2024-25")


def test_the_back_test_names_its_misses_and_what_it_refuses(home: Path) -> None:
    write_release(home)
    app = open_page("back_test", focal="houston")
    said = text_of(app)
    # Seven cells judge: two of Houston are 13 points too high, the others 1.
    assert "7 cells (a district, a grade, a year) judge the link; 1 more" in said
    assert "4.4 NAEP points too high (the bias)" in said and "7.0 points (the root mean square error, RMSE)" in said
    assert "7 cells are too few to claim" in said and "From 20 cells on" in said and "4.77 points" in said
    assert "within the interval in 5 of 7 cells. That is a count and no claim of coverage." in said
    assert "Misses beyond the interval: Houston (grade 4, 2021-22): 13.0 points too high; outside the interval; Houston" in said
    assert "**Refused: students in Algebra I sit another test than the grade's:** Chicago (grade 4, 2021-22)." in said
    table = table_texts(app)[0]
    assert table.height == 8 and table["District"][0] == "Houston"
    assert table["NAEP's own 95 % error"].unique().sort().to_list() == ["not known", "± 2.7"]
    refused = table.filter(pl.col("Coverage").str.starts_with("Refused"))
    assert refused["Miss"].to_list() == ["1.0 points too high; judges nothing"]
    assert all(words.endswith(".") for words in chart_words(app)) and len(chart_words(app)) == 2


def test_a_back_test_of_enough_cells_claims_its_coverage(home: Path) -> None:
    folder = write_release(home)
    summary = pl.read_parquet(folder / "link_backtest_summary.parquet")
    enough = {"n_cells": 40, "n_within": 38, "coverage": 0.95, "linking_sd": 3.9, "judged_by": "own", "bias": -1.0}
    summary.with_columns(**{name: pl.lit(value) for name, value in enough.items()}).write_parquet(
        folder / "link_backtest_summary.parquet"
    )
    said = text_of(open_page("back_test"))
    assert "in 38 of 40 cells (95 %)" in said and "3.90 points" in said and "1.0 NAEP points too low" in said
    assert "no claim of coverage" not in said


def test_the_back_test_says_so_where_nothing_judges(home: Path) -> None:
    folder = write_release(home)
    cells = pl.read_parquet(folder / "link_backtest.parquet")
    cells.with_columns(is_judged=pl.lit(False), coverage=pl.lit("new_reason")).write_parquet(folder / "link_backtest.parquet")
    said = text_of(open_page("back_test"))
    assert "None: every cell leaves students out." in said and "Refused: new reason" in said


@pytest.mark.parametrize(
    "unit, difference, said",
    [
        ("share", 0.12, "+12.0 percentage points"),
        ("share of variance", -0.03, "−3.0 percentage points"),
        ("state SD", -0.1, "−0.10 state SD"),
        ("NAEP points", 3.9, "+3.9 NAEP points"),
        ("USD", -120.0, "−$120"),
        ("rating", -1.0, "−1 steps of the rating"),
        ("teachers per FTE", 2.5, "+2.50 teachers per FTE"),
    ],
)
def test_differences_are_said_in_their_unit(unit: str, difference: float, said: str) -> None:
    assert amounts.said(difference, amounts.difference_of(unit)) == said


def test_published_results_are_called_real_only_where_they_are(home: Path) -> None:
    folder = write_release(home)
    assert "only real numbers" not in text_of(open_page("overview"))
    results = pl.read_parquet(folder / "naep_results.parquet")
    results.with_columns(source=pl.lit("NAEP Data Explorer")).write_parquet(folder / "naep_results.parquet")
    release_data._answer.clear()
    assert "the only real numbers here" in text_of(open_page("overview"))


def method_text(app: AppTest) -> str:
    return text_of(app).replace("\u2212", "-")


def test_the_examples_of_the_methods_come_out_when_they_are_worked_out_again(home: Path) -> None:
    write_release(home)
    app = open_page("methods")
    said = method_text(app)
    draws = np.random.default_rng(7).standard_normal((200_000, 6))
    false_alarms = float(np.mean(np.ptp(draws, axis=1) > NORMAL.inv_cdf(0.975) * math.sqrt(2)))
    assert round(100 * false_alarms) == 37 and "about 37 of 100" in said
    assert len(list(combinations(range(6), 2))) == 15 and "make 15 pairs" in said

    def percents(bounds: tuple[float, float]) -> str:
        return f"{100 * bounds[0]:.1f} to {100 * bounds[1]:.1f}"

    assert f"interval {percents(wilson(8, 10))} %" in said and "0 to 24.2 %" in said
    assert wilson(0, 12)[1] == pytest.approx(0.242, abs=5e-4)
    worth = round(0.24 / 0.035**2)
    assert worth == 196 and f"only {worth} separate" in said and "standard error of 2.4 points" in said
    assert f"{percents(_wilson(0.6, worth))} % instead of {percents(wilson(240, 400))} %" in said
    (low_a, high_a), (low_b, high_b) = wilson(56, 70), wilson(48, 80)
    newcombe = (0.2 - math.hypot(0.8 - low_a, high_b - 0.6), 0.2 + math.hypot(high_a - 0.8, 0.6 - low_b))
    assert f"interval {percents(newcombe)}" in said
    cuts, own = [NORMAL.inv_cdf(share) for share in (0.3, 0.7)], [NORMAL.inv_cdf(share) for share in (0.4, 0.8)]
    sd = (cuts[1] - cuts[0]) / (own[1] - own[0])
    mean = cuts[0] - own[0] * sd
    assert f"mean {mean:.2f} and SD {sd:.2f}".replace("0.", ".") in said
    assert f"{235 - 0.3 / math.sqrt(0.9) * 31:.1f}" == "225.2" and "225.2" in said
    error = math.sqrt(0.9**2 + 31**2 * 0.01**2 / 0.9 + 0.3**2 / 0.9 * 0.7**2 + 0.7**2 * 0.01**2 / 0.9)
    assert f"{error:.2f}" == "0.98" and "standard error of .98 points" in said
    assert f"{math.hypot(error, 4):.1f}" == "4.1" and "standard error is 4.1" in said
    assert f"{0.5 / math.sqrt((1 + 1.2**2) / 2):.3f}" == "0.453" and "= .453" in said
    assert f"{100 * NORMAL.cdf(0.5 / math.hypot(1, 1.2)):.1f}" == "62.6" and "62.6 of 100" in said
    assert f"{100 * 0.09 / 1.09:.1f} %" == "8.3 %" and "8.3 %" in said
    misses = np.array([3.0, -4.0, 1.0])
    assert f"RMSE {math.sqrt(np.mean(misses**2)):.1f}" in said and misses.mean() == 0
    for word in ("Wilson", "Holm", "Newcombe", "Castellano", "Kalogrides", "Ho, A. D., and Reardon"):
        assert word in said


def _wilson(share: float, n: float) -> tuple[float, float]:
    """Wilson's interval as the two roots of (p - share)^2 = z^2 p (1 - p) / n."""
    z2 = NORMAL.inv_cdf(0.975) ** 2
    roots = np.roots([1 + z2 / n, -(2 * share + z2 / n), share**2])
    return float(min(roots)), float(max(roots))


def test_the_methods_show_the_reversal_and_the_rules_in_order(home: Path) -> None:
    write_release(home)
    app = open_page("methods")
    reversal, rules, sign = table_texts(app)
    assert reversal.rows() == [("Illinois", "33.5 %", "38.5 %", "237.4"), ("New York", "50.0 %", "36.9 %", "236.7")]
    assert rules["Verdict"].to_list() == [row["label"] for row in given.verdicts()]
    assert "(rule 2)" in text_of(app) and "rule 5 would refuse" in text_of(app)
    assert sign.rows() == [("2005", "32.0", "23.9"), ("2007", "25.6", "25.3")]


def test_reasons_from_outside_stay_text(home: Path) -> None:
    folder = write_release(home)
    hostile = "**x** [a](http://b.invalid) <b>"
    pairs = pl.read_parquet(folder / "comparisons.parquet")
    pairs.with_columns(reason=pl.lit(hostile), remedy=pl.lit(hostile)).write_parquet(folder / "comparisons.parquet")
    app = open_page("materials", indicator="CM1", course="3", focal="chicago")
    lines: list[Any] = [
        str(part.value) for part in (*app.markdown, *app.caption) if "b.invalid" in str(part.value).replace("\\", "")
    ]
    assert lines and not [line for line in lines if "://" in line or "[a](" in line or "<b>" in line]


def test_panels_share_no_axis_where_a_verdict_refuses_a_pair(home: Path, release: Release) -> None:
    assert release_data.refusals(release, "CM1", CM1, "2024-25") == ["Different definitions"]
    assert release_data.refusals(release, "CM1", {"course": None}) == []
    with pytest.raises(ValueError, match="cannot be chosen"):
        release_data.refusals(release, "CM1", {"n; --": "1"})
    apart = text_of(open_page("materials", indicator="CM1", course="3"))
    assert "not on a common scale**, because some districts may not be compared here (different definitions)" in apart
    assert "All panels have the same axis." in text_of(open_page("materials", indicator="CM1"))

"""The pages over implementation indicators of every shape: units, surveys, ratings, groups of schools, programmes, profiles."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from dashboards import release_data
from dashboards.components import choices
from pipelines.release.reader import read_current
from pipelines.wording import amounts, labels
from tests.dashboards.test_pages import (
    CHALLENGE_PAGES,
    PAGES,
    chart_specs,
    chart_words,
    home,
    open_page,
    opened,
    table_texts,
    text_of,
)
from tests.network_fixture import COMMUNITY, IMMERSION
from tests.release_fixture import DISTRICTS, write_release

__all__ = ["home"]
YEAR = "2024-25"


def domains(specs: list[dict[str, Any]], channel: str) -> list[list[float]]:
    """The ends of an axis of every chart that has it first in its drawing (bars: x; lines: y)."""
    found = []
    for spec in specs:
        layers = [layer["encoding"].get(channel, {}) for layer in spec["layer"]]
        found += [layer["scale"]["domain"] for layer in layers if "scale" in layer][:1]
    return found


def drawn(app: AppTest, words_of: str) -> list[pl.DataFrame]:
    """The data of the first chart whose words begin so."""
    chart = next(chart for chart in app.get("vega_lite_chart") if chart.proto.alt.startswith(words_of))
    return [pl.read_ipc_stream(part.data.data) for part in chart.proto.datasets]


def without_later_parts(folder: Path) -> None:
    """Make a release look like one of the time before school groups, surveys and programmes."""
    values = pl.read_parquet(folder / "indicator_values.parquet")
    kept = [
        "indicator_id",
        "definition_version",
        "district",
        "school_year",
        "unit_type",
        "unit_id",
        "grade",
        "subgroup",
        "course",
    ]
    kept += ["category", "instrument", "numerator", "denominator", "value", "lower", "upper", "unit", "n", "symbol", "sources"]
    early = ["OC4", "OC9", "CM1", "CM2"]
    values.filter(pl.col("indicator_id").is_in(early)).select(kept).write_parquet(folder / "indicator_values.parquet")
    indicators = pl.read_parquet(folder / "indicators.parquet").filter(pl.col("indicator_id").is_in(early))
    indicators.drop("breakdowns", "counts", "estimated_from").write_parquet(folder / "indicators.parquet")
    pl.read_parquet(folder / "districts.parquet").drop("minimum_n").write_parquet(folder / "districts.parquet")
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["protection"], manifest["audit"]
    later = ("comparisons", "verdicts", "naep_results", "link_backtest", "link_backtest_summary", "counts", "relations")
    for table in ("school_changes", "programs", "thresholds", "expected_extracts", *later):
        (folder / f"{table}.parquet").unlink()
        del manifest["tables"][table]
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("page", PAGES)
def test_a_release_of_an_earlier_shape_is_shown(home: Path, page: str) -> None:
    without_later_parts(write_release(home))
    said = text_of(open_page(page))
    assert "Release r-2025-10-06-001" in said and "damaged" not in said


def test_an_earlier_release_still_draws_and_says_what_it_lacks(home: Path) -> None:
    without_later_parts(write_release(home))
    assert len(open_page("materials", indicator="CM1").get("vega_lite_chart")) == 10
    assert "This release has no table of programmes." in text_of(open_page("programmes"))
    assert "does not say what became of the district's schools" in text_of(open_page("district_profile"))


@pytest.mark.parametrize(
    "value, unit, said",
    [
        (0.6213, "share", "62.1 %"),
        (-0.08, "difference_of_shares", "\u22128.0 percentage points"),
        (0.032, "difference_of_shares", "+3.2 percentage points"),
        (0.0, "difference_of_shares", "0.0 percentage points"),
        (1512.4, "USD", "$1,512"),
        (3.85, "USD", "$3.85"),
        (3.4, "USD", "$3.40"),
        (4.0, "months", "4.0 months"),
        (12_400.0, "count", "12,400"),
        (12_400.0, "students", "12,400 students"),
        (0.31, "SD", "+0.31 SD"),
        (3.41, "points", "3.41 points"),
        (41.25, "teachers per FTE", "41.2 teachers per FTE"),
        (0.42, "cycles per teacher", "0.42 cycles per teacher"),
        (0.25, "share of FTE", "25.0 %"),
        (0.0, "accomplished", "not accomplished"),
        (2.0, "rating", "developing"),
        (7.0, None, "7"),
    ],
)
def test_amounts_are_said_in_words_and_digits(value: float, unit: str | None, said: str) -> None:
    assert amounts.said(value, amounts.unit_of(unit)) == said


def test_an_interval_is_said_in_the_unit_of_its_value() -> None:
    assert (
        amounts.interval_said(-0.13, -0.03, amounts.unit_of("difference_of_shares"))
        == "\u221213.0 to \u22123.0 percentage points"
    )
    assert amounts.interval_said(None, 0.2, amounts.unit_of("share")) is None
    assert amounts.said(None, amounts.unit_of("share")) is None


def test_unknown_codes_are_humanised_and_known_ones_ordered() -> None:
    assert labels.split_label("category", "no_such_code") == "No such code"
    assert labels.split_label("network_id", "7") == "Network 7"
    assert labels.split_label("audience", "board", {("audience", "board"): "Board of the district"}) == "Board of the district"
    terms = ["full_year", "spring", None, "fall"]
    assert sorted(terms, key=lambda code: labels.split_order("administration", code)) == [None, "fall", "spring", "full_year"]
    assert labels.flag_words("low_response; low_alpha; low_response") == ["low response", "scale of low reliability"]
    assert labels.flag_words("something_new") == ["something new"]
    assert labels.flag_codes("developing; all_rules_met") == [] and labels.rule_codes("all_rules_met") == ["all_rules_met"]


@pytest.fixture
def release(home: Path) -> Any:
    write_release(home)
    return read_current(home)


def indicator_of(release: Any, code: str) -> dict[str, Any]:
    return release_data.indicators(release).filter(pl.col("indicator_id") == code).to_dicts()[0]


@pytest.mark.parametrize(
    "code, expected",
    [
        ("SS1", {"category": "verified", "statistic": None}),
        ("SS3", {"statistic": "share", "category": "exploration"}),
        ("MM1", {"statistic": "favorable", "grade": "3_5", "respondent": "student"}),
        ("MM7", {"respondent": "teacher", "administration": "spring"}),
        ("CM1", {"category": "meets", "course": None, "subgroup": "all"}),
        ("PR2", {"cohort": None}),
        ("OC4", {"category": "proficient_or_above", "grade": "3", "subgroup": "all"}),
    ],
)
def test_one_value_stands_for_an_indicator(release: Any, code: str, expected: dict[str, str | None]) -> None:
    chosen = choices.headline(release_data.combinations(release, code), YEAR, indicator_of(release, code))
    assert {field: chosen[field] for field in expected} == expected
    assert not release_data.values(release, code, {**chosen, "school_year": YEAR}).is_empty()


@pytest.mark.parametrize(
    "code, reason",
    [
        ("SS1", None),
        ("LC8", None),
        ("SS3", "by design"),
        ("CM3", "instruments differ"),
        ("MM1", "instruments differ"),
        ("OC4", "own test"),
    ],
)
def test_axes_are_shared_only_where_the_basis_allows(release: Any, code: str, reason: str | None) -> None:
    indicator = indicator_of(release, code)
    chosen = choices.headline(release_data.combinations(release, code), YEAR, indicator)
    found = choices.why_apart(indicator, release_data.values(release, code, {**chosen, "school_year": YEAR}))
    assert found is None if reason is None else reason in str(found)


@pytest.mark.parametrize(
    "change, reason",
    [
        ({"flags": "response_below_floor"}, "do not bear a comparison"),
        ({"flags": "low_response; purposive_sample"}, "do not bear a comparison"),
        ({"definition_version": "2"}, "definition"),
        ({"unit": "points"}, "different units"),
        ({"instrument": "other"}, "instruments differ"),
    ],
)
def test_one_district_that_differs_ends_the_shared_axis(release: Any, change: dict[str, str], reason: str) -> None:
    rows = release_data.values(release, "LC8", {"school_year": YEAR})
    assert choices.why_apart(indicator_of(release, "LC8"), rows) is None
    is_one = pl.col("district") == "houston"
    changed = rows.with_columns(
        pl.when(is_one).then(pl.lit(text)).otherwise(pl.col(name)).alias(name) for name, text in change.items()
    )
    assert reason in str(choices.why_apart(indicator_of(release, "LC8"), changed))


def test_panels_share_an_axis_where_they_may(home: Path) -> None:
    write_release(home)
    allowed = open_page("leader_capacity", indicator="LC8")
    assert "All panels have the same axis." in text_of(allowed)
    assert len({tuple(ends) for ends in domains(chart_specs(allowed), "x") if ends[0] < 0}) == 1
    apart = open_page("materials", indicator="CM3")
    assert "not on a common scale**, because the instruments differ" in text_of(apart)
    assert len({tuple(ends) for ends in domains(chart_specs(apart), "y")}) > 1


def test_a_glance_shows_every_indicator_with_every_district(home: Path) -> None:
    write_release(home)
    app = opened(open_page("size_and_scale"), f"size_and_scale_{YEAR}")
    said = chart_words(app)
    assert len(said) == 1 and "Chicago 50.0 %" in said[0] and "Philadelphia no certified number" in said[0]
    assert "Not on a common scale:** districts differ here by design" in text_of(app)
    table = table_texts(app)[0]
    assert table["Indicator"].unique().sort().to_list() == ["SS1", "SS3", "SS8"]
    assert table.filter(pl.col("District") == "Philadelphia")["Value"].unique().to_list() == ["no certified number"]
    assert table.filter(pl.col("Indicator") == "SS1")["District"].to_list() == [label for label, _ in DISTRICTS.values()]


def test_a_glance_never_puts_two_states_tests_into_one_list(home: Path) -> None:
    write_release(home)
    app = opened(open_page("outcomes"), f"outcomes_{YEAR}")
    assert "Numbers for 5 of 6 districts in 2024-25." in text_of(app)
    assert sorted(table_texts(app)[0]["Indicator"].unique()) == ["OC1", "OC2", "OC3", "OC5", "OC8", "OC9"]


def test_a_card_opens_its_indicator_and_leads_back(home: Path) -> None:
    write_release(home)
    app = open_page("mindset")
    app.button("open.indicator.MM7").click().run()
    assert app.query_params["indicator"] == "MM7"
    assert "Change readiness (MM7)" in text_of(app)
    next(button for button in app.button if "All indicators" in button.label).click().run()
    assert app.query_params["indicator"] == "all"
    assert len([button for button in app.button if "open.indicator" in str(button.key)]) == 2


def test_choices_within_one_indicator_end_with_it(home: Path) -> None:
    write_release(home)
    app = open_page("educator_capacity", indicator="EC10", statistic="hours_per_teacher")
    assert "44.5 hours" in " ".join(chart_words(app))
    app.selectbox("choice.indicator").set_value("EC2").run()
    assert "statistic" not in app.query_params
    assert "is not to be had here" not in text_of(app)


def test_low_response_is_marked_and_never_hidden(home: Path) -> None:
    write_release(home)
    app = opened(open_page("materials", indicator="CM3", focal="houston"), f"CM3_{YEAR}")
    said = text_of(app)
    assert "* **Low response; response too low to compare, 36 %**" in said
    assert "Few of those asked answered" in said
    houston = next(sentence for sentence in chart_words(app) if "Regular use, Houston" in sentence)
    assert "60.0 % (55.0 to 65.0 %), low response, response too low to compare" in houston
    assert drawn(app, "Regular use, Houston")[0]["short"].to_list() == ["60.0 % *"]
    assert drawn(app, "Regular use, Los Angeles")[0]["short"].to_list() == ["64.0 %"]
    row = table_texts(app)[0].filter((pl.col("District") == "Houston") & (pl.col("School year") == YEAR)).to_dicts()[0]
    assert (row["Response"], row["To know"]) == ("36 %", "low response, response too low to compare")
    assert row["Instrument"] == "use_a"


def test_logs_and_surveys_are_bars_of_their_own(home: Path) -> None:
    write_release(home)
    said = next(text for text in chart_words(open_page("materials", indicator="CM3")) if "Regular use, Miami-Dade" in text)
    assert "Survey answers 68.0 %" in said and "Logs of use 61.0 %" in said


def test_self_and_verified_ratings_stand_side_by_side(home: Path) -> None:
    write_release(home)
    app = open_page("size_and_scale", indicator="SS1")
    chicago = next(text for text in chart_words(app) if text.startswith("School reach, Chicago"))
    assert "Verified 50.0 %; Rated by itself 65.0 %, rated by itself" in chicago
    assert "nobody else has verified it" in text_of(app)


def test_measures_of_different_units_never_share_an_axis(home: Path) -> None:
    write_release(home)
    for statistic, unit in (("share", "share"), ("median_months", "months")):
        specs = chart_specs(open_page("size_and_scale", indicator="SS3", statistic=statistic))
        titles = {
            layer["encoding"]["x"].get("title")
            for spec in specs
            for layer in spec["layer"]
            if "title" in layer["encoding"].get("x", {})
        }
        assert titles - {None} == {unit}


def test_no_line_crosses_a_change_of_instrument(home: Path) -> None:
    write_release(home)
    app = open_page("mindset", indicator="MM1")
    assert text_of(app).count("Between 2023-24 and 2024-25 the instrument changed") == 1

    def n_runs(district: str) -> int:
        points = drawn(app, f"Student self-efficacy over the years, {district}")
        return next(part for part in points if "run" in part.columns)["run"].n_unique()

    assert n_runs("Chicago") == 2
    assert n_runs("Houston") == 1


def test_waves_grade_bands_and_audiences_can_be_the_bars(home: Path) -> None:
    write_release(home)
    app = open_page("mindset", indicator="MM7", by="administration")
    assert any("Fall 50.0 %" in text and "Spring 56.0 %" in text for text in chart_words(app))
    assert any("Grades 3-5" in text and "Grades 9-12" in text for text in chart_words(open_page("mindset", indicator="MM1")))
    said = chart_words(open_page("size_and_scale", indicator="SS8"))
    assert any("Families" in text and "School board" in text for text in said)


def test_groups_of_schools_are_chosen_in_the_address(home: Path) -> None:
    write_release(home)
    by_level = chart_words(open_page("size_and_scale", indicator="SS1", schools="school_level"))
    assert any(
        "All schools 50.0 %; Elementary schools 50.0 %; Middle schools 46.0 %; High schools 42.0 %" in text for text in by_level
    )
    by_network = chart_words(open_page("size_and_scale", indicator="SS1", schools="network_id"))
    assert any("Network 1 48.0 %; Network 2 48.0 %" in text for text in by_network)
    followed = open_page("size_and_scale", indicator="SS1", schools="school_set")
    lines = next(text for text in chart_words(followed) if "over the years, Chicago" in text)
    assert "All schools 2022-23 30.0 %" in lines and "Schools followed through all years 2022-23 33.0 %" in lines


def test_a_gap_of_the_schools_followed_is_not_said_of_all_schools(home: Path) -> None:
    folder = write_release(home)
    values = pl.read_parquet(folder / "indicator_values.parquet")
    gone = (pl.col("school_set") == "continuing") & (pl.col("school_year") == "2023-24") & (pl.col("district") == "chicago")
    value = pl.when(gone).then(None).otherwise(pl.col("value")).alias("value")
    symbol = pl.when(gone).then(pl.lit("c")).otherwise(pl.col("symbol")).alias("symbol")
    values.with_columns(value, symbol).write_parquet(folder / "indicator_values.parquet")
    said = text_of(open_page("size_and_scale", indicator="SS1", schools="school_set"))
    assert said.count("Schools followed through all years: no number for 2023-24: confidential.") == 1
    assert "\nNo number for 2023-24" not in said


def test_a_value_of_a_group_never_stands_for_its_district(release: Any) -> None:
    for code in ("SS1", "CM1"):
        rows = release_data.values(release, code, {"school_year": YEAR})
        assert (
            not rows.is_empty()
            and rows.select("network_id", "school_level", "school_set").null_count().row(0) == (rows.height,) * 3
        )
    groups = release_data.values(
        release, "SS1", {"school_year": YEAR, "category": "verified", "district": "chicago"}, "school_level"
    )
    assert groups["school_level"].to_list().count(None) == 1 and groups.height == 4
    with pytest.raises(ValueError, match="cannot be chosen"):
        release_data.values(release, "SS1", {}, "n; --")


def test_two_instruments_of_one_year_are_two_lines_and_two_bars(home: Path) -> None:
    folder = write_release(home)
    values = pl.read_parquet(folder / "indicator_values.parquet")
    twice = values.filter((pl.col("indicator_id") == "LC8") & (pl.col("district") == "houston"))
    second = twice.with_columns(instrument=pl.lit("leaders_9"), value=pl.lit(0.02), lower=pl.lit(-0.01), upper=pl.lit(0.05))
    pl.concat([values, second]).write_parquet(folder / "indicator_values.parquet")
    app = open_page("leader_capacity", indicator="LC8")
    said = text_of(app)
    assert "In colour: leaders 1. In grey: leaders 9." in said
    assert "not on a common scale**, because the instruments differ" in said
    houston = next(text for text in chart_words(app) if ", Houston, 2024-25" in text)
    assert "leaders 1 \u22127.0 percentage points" in houston and "leaders 9 +2.0 percentage points" in houston
    assert drawn(app, "Confidence, math against ELA over the years, Houston")[0]["run"].n_unique() == 2


def test_a_release_with_code_lists_brings_its_own_labels(home: Path) -> None:
    folder = write_release(home)
    rows = {
        "list": ["rating_types", "rating_types", "longer", "longer", "longer"],
        "code": ["self", "verified", "self", "verified", "x"],
        "label": ["Rated by the school", "Seen by a visitor", "a", "b", "c"],
        "sort_order": [1, 2, 1, 2, 3],
    }
    pl.DataFrame(rows).write_parquet(folder / "codes.parquet")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["tables"]["codes"] = {}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    said = chart_words(open_page("size_and_scale", indicator="SS1"))
    assert any("Seen by a visitor 50.0 %; Rated by the school 65.0 %" in text for text in said)


def test_what_a_definition_travels_with_ends_the_shared_axis(release: Any) -> None:
    rows = release_data.values(release, "EC2", {"school_year": YEAR})
    indicator = indicator_of(release, "EC2")
    assert choices.why_apart(indicator, rows) is None
    flags = (
        pl.when(pl.col("district") == "houston")
        .then(pl.lit("minutes_per_session=25.0"))
        .otherwise(pl.lit("minutes_per_session=30.0"))
    )
    assert "defined differently" in str(choices.why_apart(indicator, rows.with_columns(flags=flags)))
    assert labels.flag_words("minutes_per_session=25.0") == ["minutes per session: 25"]


def test_programmes_show_cost_band_and_the_rule_that_decided(home: Path) -> None:
    write_release(home)
    app = opened(open_page("programmes"), f"rubric_{YEAR}")
    said = text_of(app)
    assert "Teachers for each leader:** 8 to 25" in said and "Training one leader:** $1,500" in said
    assert "Above the band: Miami-Dade and New York City" in said
    assert "Rated by itself:** Accomplished: no rule stands against it." in said
    assert "Rated by a reviewer:** Not accomplished, because more than three principles are rated developing." in said
    assert any("Chicago $1,512" in text for text in chart_words(app))
    marked = next(part for part in drawn(app, "Teachers per trained leader") if "from" in part.columns)
    assert marked.rows() == [(8.0, 25.0)]
    ratings = next(table for table in table_texts(app) if "Principle" in table.columns)
    chicago = ratings.filter(pl.col("District") == "Chicago")
    assert chicago["Principle"].to_list()[:2] == ["The programme as a whole", "Principle A"] and chicago.height == 11
    assert chicago.filter(pl.col("Principle") == "Principle B").select("Rated by itself", "Rated by a reviewer").row(0) == (
        "accomplished",
        "developing",
    )


def test_a_programme_without_a_band_is_not_planned(home: Path) -> None:
    write_release(home)
    app = open_page("programmes", program_id=IMMERSION)
    said = text_of(app)
    assert "Nothing can be planned here" in said and "Numbers speak of groups" in said
    assert any("Los Angeles low reliability" in text for text in chart_words(app))


def test_the_plan_stands_in_the_address_and_is_worked_out(home: Path) -> None:
    write_release(home)
    app = open_page("programmes", program_id=COMMUNITY, target="100000", per_teacher="40", band_low="8", band_high="25")
    # 100,000 / 40 = 2,500 teachers; / 25 = 100 and / 8 = 312.5, so 313 leaders; x $1,500; at 100 and at 20 a year.
    said = text_of(app)
    assert "taught by 2,500 teachers; they need 100 to 313 trained leaders." in said
    assert "Training these costs $150,000 to $469,500. At that pace it takes 1 to 16 years." in said
    app.number_input("amount.target").set_value(0).run()
    assert app.query_params["target"] == "0"
    assert "taught by 0 teachers; they need 0 trained leaders" in text_of(app)


@pytest.mark.parametrize("address", [{"band_low": "30"}, {"pace_low": "500"}])
def test_a_plan_that_cannot_be_made_says_why(home: Path, address: dict[str, str]) -> None:
    write_release(home)
    app = open_page("programmes", program_id=COMMUNITY, **address)
    assert app.warning and "must not be above the higher one" in str(app.warning[0].value)
    assert "_" not in str(app.warning[0].value).replace("\\_", "_")


@pytest.mark.parametrize("typed", ["x", "-5", "1e99", "nan", ""])
def test_numbers_in_the_address_that_are_none_are_passed_over(home: Path, typed: str) -> None:
    write_release(home)
    assert "10,000 students are taught by 200 teachers" in text_of(open_page("programmes", target=typed))


def test_a_profile_says_what_became_of_its_schools_and_what_that_does(home: Path) -> None:
    write_release(home)
    app = opened(open_page("district_profile", district="houston"), "followed_houston", "mindset_houston")
    said = text_of(app)
    assert "District profile: Houston" in said
    assert "2024-25: 235 schools, 141,000 students; 210 of the schools take part, 20 are charter schools." in said
    assert "Of its students 70 % have a low income, 20 % are English learners and 15 % have a disability." in said
    assert "Schools by level: Elementary 47; High 47; Middle 47." in said
    schools, followed, mindset, _ = table_texts(app)
    assert schools.filter(pl.col("Since the year before") == "Closed since the year before")["2024-25"].to_list() == [
        "3 (1,800 students)"
    ]
    pair = followed.filter(pl.col("School year") == YEAR)
    assert dict(pair.select("Schools", "Value").iter_rows()) == {
        "All schools": "55.0 %",
        "Schools followed through all years": "58.0 %",
    }
    assert set(mindset["School year"]) == {"2022-23", "2023-24", "2024-25"}
    assert "2024-25: **60.0 %** * (55.0 to 65.0 %)" in said


def test_a_profile_says_of_a_district_only_what_is_known(home: Path) -> None:
    write_release(home)
    said = text_of(open_page("district_profile", district="los_angeles"))
    assert "Of its students 70 % have a low income and 20 % are English learners." in said
    without_context = text_of(open_page("district_profile", district="chicago"))
    assert "2024-25: 235 schools with 141,000 students." in without_context
    assert "Of its students" not in without_context


def test_a_profile_names_no_other_district_and_no_zero_for_a_gap(home: Path) -> None:
    write_release(home)
    app = open_page("district_profile", district="philadelphia")
    said = text_of(app)
    others = [label for label, _ in DISTRICTS.values() if label != "Philadelphia"]
    assert not [name for name in others if name in said]
    assert "Nothing is certified yet" in said and said.count("No number yet.") == 7
    assert not app.get("vega_lite_chart")
    missing = next(table for table in table_texts(app) if "How it stands" in table.columns)
    assert missing["How it stands"].unique().to_list() == ["Missing"]


@pytest.mark.parametrize("page", (*CHALLENGE_PAGES, "programmes", "district_profile"))
def test_no_page_ranks(home: Path, page: str) -> None:
    write_release(home)
    said = text_of(open_page(page)).lower()
    assert not re.search(r"\b(rank|best|worst|top|leading|behind the others|outperform)", said)

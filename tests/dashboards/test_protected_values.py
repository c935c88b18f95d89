"""Hidden values and protected ranges on the pages: said by their ends, drawn without a point, compared with nobody."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboards import release_data
from dashboards.components import choices, distribution, protection, years
from pipelines.release.reader import Release, read_current
from pipelines.wording import amounts, labels, look
from tests import release_fixture
from tests.dashboards.test_comparability_pages import drop_tables
from tests.dashboards.test_network_pages import domains, drawn
from tests.dashboards.test_pages import PAGES, chart_specs, chart_words, home, open_page, opened, table_texts, text_of
from tests.network_fixture import FEW_IMMERSED
from tests.release_fixture import N_SMALL_GROUP, SMALL_GROUP, write_release

__all__ = ["home"]
YEAR = "2024-25"
NEW = {
    "indicator_values": ("at_least", "at_most"),
    "indicators": ("counts", "estimated_from"),
    "districts": ("minimum_n",),
}


def change(folder: Path, table: str, **columns: pl.Expr) -> None:
    path = folder / f"{table}.parquet"
    pl.read_parquet(path).with_columns(**columns).write_parquet(path)


def change_manifest(folder: Path, **entries: Any) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest |= entries
    (folder / "manifest.json").write_text(json.dumps({name: told for name, told in manifest.items() if told is not None}))


def as_range(where: pl.Expr, end: float = 0.05) -> dict[str, pl.Expr]:
    """Columns of values in which some rows show a range near 0 in place of a number."""
    hidden = ("numerator", "value", "standard_error", "lower", "upper", "response_rate")
    gone = {name: pl.when(where).then(None).otherwise(pl.col(name)) for name in hidden}
    ends = {"at_least": pl.when(where).then(0.0).otherwise("at_least"), "at_most": pl.when(where).then(end).otherwise("at_most")}
    return gone | ends | {"symbol": pl.when(where).then(pl.lit("r")).otherwise("symbol")}


def values_of(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """The rows of a chart of bars, out of all data that it draws."""
    return next(part for part in parts if "missing" in part.columns)


@pytest.fixture
def release(home: Path) -> Release:
    write_release(home)
    return read_current(home)


@pytest.mark.parametrize(
    "at_least, at_most, said",
    [
        (0.0, 0.05, "at most 5 %"),
        (0.95, 1.0, "at least 95 %"),
        (0.0, 0.001, "at most 0.1 %"),
        (0.999, 1.0, "at least 99.9 %"),
        (1 - 0.005, 1.0, "at least 99.5 %"),
        (0.0, 0.5, "at most 50 %"),
        (0.5, 1.0, "at least 50 %"),
        (0.2, 0.5, "from 20 to 50 %"),
        (0.0, 1.0, "from 0 to 100 %"),
        (None, 0.05, None),
        (0.95, None, None),
    ],
)
def test_a_range_is_said_by_its_ends(at_least: float | None, at_most: float | None, said: str | None) -> None:
    assert amounts.range_said(at_least, at_most, amounts.unit_of("share")) == said


def test_a_row_with_a_range_has_a_text_and_no_number(release: Release) -> None:
    chosen = {"subgroup": SMALL_GROUP, "category": "does_not_meet", "school_year": YEAR, "district": "chicago"}
    row = amounts.with_texts(release_data.values(release, "CM1", chosen)).row(0, named=True)
    assert (row["said"], row["short"], row["why"], row["value"], row["interval_said"]) == ("at most 5 %",) * 2 + (None,) * 3
    assert (row["at_least"], row["at_most"], row["n"]) == (0.0, pytest.approx(5.0), N_SMALL_GROUP)


def test_a_level_that_is_hidden_and_one_in_a_range_leave_one_grey_piece(home: Path) -> None:
    write_release(home)
    app = opened(open_page("outcomes", indicator="OC4", grade="3", subgroup=SMALL_GROUP), f"OC4_chicago_{YEAR}")
    said = text_of(app)
    assert "Protected range: Level 4: IL exceeded, at most 5 %." in said
    assert "Not shown, protected: Level 3: IL met and Level 4: IL exceeded, together 20.0 %." in said
    assert "Level 3: IL met: no number. Confidential: withheld to protect people in small groups." in said
    assert "A grey bar is what the levels that are shown leave" in said and "**protected range**" in said
    alt = next(text for text in chart_words(app) if text.startswith(f"Level distribution, Chicago, {YEAR}"))
    assert "Level 3: IL met confidential; Level 4: IL exceeded at most 5 % (protected range)." in alt
    assert "together 20.0 %" in alt
    bars = values_of(drawn(app, f"Level distribution, Chicago, {YEAR}"))
    assert [label.replace("\n", " ") for label in bars["label"]] == [
        "Level 1: IL did not meet",
        "Level 2: IL approached",
        "Level 4: IL exceeded",
        "Not shown: protected",
    ]
    assert bars["value"].to_list() == [pytest.approx(50.0), pytest.approx(30.0), None, pytest.approx(20.0)]
    assert bars["at_most"].to_list() == [None, None, pytest.approx(5.0), None]
    assert bars["colour"][3] == look.HIDDEN and look.HIDDEN not in bars["colour"][:3]
    assert bars["hover"][2] == "Level 4: IL exceeded: at most 5 % (protected range)"
    assert bars["hover"][3] == "Not shown, protected: Level 3: IL met and Level 4: IL exceeded, together 20.0 %."
    table = next(table for table in table_texts(app) if "Level" in table.columns).filter(pl.col("School year") == YEAR)
    cells = {row["Level"]: (row["Value"], row["95 % interval"], row["n"]) for row in table.to_dicts()}
    assert cells["Level 4: IL exceeded"] == ("at most 5 %", "", "300")
    assert cells["Level 3: IL met"] == ("confidential", "", "")
    assert cells["Level 2: IL approached"][0] == "30.0 %"


def test_a_range_is_a_line_between_its_ends_and_no_point(home: Path) -> None:
    write_release(home)
    app = open_page("outcomes", indicator="OC4", grade="3", subgroup=SMALL_GROUP)
    spec = next(
        spec
        for spec, alt in zip(chart_specs(app), chart_words(app), strict=True)
        if alt.startswith("Level distribution, Chicago")
    )
    between = [layer for layer in spec["layer"] if layer["encoding"].get("x2", {}).get("field") == "at_most"]
    assert [(layer["mark"]["type"], layer["encoding"]["x"]["field"]) for layer in between] == [("rule", "at_least")]
    assert all(layer["encoding"]["tooltip"]["field"] == "hover" for layer in between)
    ends = [layer["encoding"]["x"]["field"] for layer in spec["layer"] if layer["mark"]["type"] == "tick"]
    assert ends == ["at_least", "at_most"]
    assert not [layer for layer in spec["layer"] if layer["mark"]["type"] == "point"]


def test_levels_without_any_number_leave_no_grey_piece(home: Path) -> None:
    write_release(home)
    app = open_page("outcomes", indicator="OC4", grade="3", subgroup=SMALL_GROUP, year="2021-22")
    bars = values_of(drawn(app, "Level distribution, Chicago, 2021-22"))
    assert bars["short"].to_list() == ["at least 95 %"] and bars["value"].to_list() == [None] and bars["inside"].all()
    said = text_of(app)
    assert "together" not in said and "A grey bar" not in said
    assert "Protected range: Level 1: IL did not meet, at least 95 %." in said


def test_no_line_goes_to_a_range_over_the_years(home: Path) -> None:
    write_release(home)
    parts = drawn(open_page("outcomes", indicator="OC4", grade="3", subgroup=SMALL_GROUP), "Level distribution at or above")
    points = next(part for part in parts if "run" in part.columns)
    ranges = next(part for part in parts if "at_least" in part.columns)
    assert points["start"].to_list() == [2022, 2023, 2024] and points["run"].n_unique() == 1
    assert ranges.select("start", "at_least", "short").rows() == [(2021, 0.0, "\u2264\u00a05 %")]
    assert ranges["hover"].to_list() == ["2021-22: at most 5 % (protected range)"]
    assert "value" not in ranges.columns


def test_a_range_between_two_numbers_cuts_the_line(release: Release) -> None:
    rows = release_data.values(release, "EC10", {"statistic": "share", "district": "chicago"})
    middle = pl.col("school_year") == "2023-24"
    ranged = rows.with_columns(**as_range(middle))
    joined, _ = years.runs(ranged, years.MEASURED)
    assert joined["school_year"].to_list() == ["2022-23", YEAR] and joined["run"].n_unique() == 2
    assert years.ranges(ranged)["school_year"].to_list() == ["2023-24"]


def test_years_that_are_all_ranges_are_drawn_as_ranges(home: Path) -> None:
    write_release(home)
    app = open_page("outcomes", indicator="OC9", line="8")
    alt = next(text for text in chart_words(app) if text.startswith("Participation over the years, New York City"))
    assert alt.count("at least 99.9 % (protected range)") == 4
    parts = drawn(app, "Participation over the years, New York City")
    assert next(part for part in parts if "at_least" in part.columns).height == 4
    assert not [part for part in parts if "run" in part.columns and part.height]


def test_panels_with_and_without_ranges_share_one_axis(home: Path) -> None:
    write_release(home)
    app = open_page("outcomes", indicator="OC9")
    assert "All panels have the same axis." in text_of(app)
    found = {tuple(ends) for ends in domains(chart_specs(app), "x") if ends[0] == 0}
    assert len(found) == 1


def rows_of(parts: list[tuple[float | None, str | None]]) -> pl.DataFrame:
    return pl.DataFrame(
        [{"label": f"p{place}", "value": value, "symbol": symbol} for place, (value, symbol) in enumerate(parts)],
        schema={"label": pl.String, "value": pl.Float64, "symbol": pl.String},
    )


@pytest.mark.parametrize(
    "parts, percent",
    [
        ([(50.0, None), (None, "c"), (None, "c")], 50.0),
        ([(50.0, None), (None, "c"), (None, "r")], 50.0),
        # What one part leaves alone would be that part's number.
        ([(50.0, None), (40.0, None), (None, "c")], None),
        # What was not sent is not protected.
        ([(50.0, None), (None, "c"), (None, "x")], None),
        ([(None, "c"), (None, "r")], None),
        ([(60.0, None), (40.0, None)], None),
        ([(60.0, None), (40.0, None), (None, "c"), (None, "r")], None),
        ([], None),
    ],
)
def test_what_is_left_of_a_whole(parts: list[tuple[float | None, str | None]], percent: float | None) -> None:
    left = distribution.left_over(rows_of(parts))
    assert (left.percent if left else None) == percent


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 400), min_size=3, max_size=6), st.data())
def test_what_is_shown_and_what_is_left_are_the_whole(counts: list[int], data: st.DataObject) -> None:
    total = sum(counts)
    if total == 0:
        return
    hidden = data.draw(st.sets(st.integers(0, len(counts) - 1), min_size=2, max_size=len(counts)))
    parts = [(None, "c") if place in hidden else (100 * n / total, None) for place, n in enumerate(counts)]
    rows = rows_of(parts).with_columns(colour=pl.lit("#000000"), short=pl.lit(""))
    left = distribution.left_over(rows)
    drawn_rows = distribution.with_left_over(rows.filter(pl.col("value").is_not_null()), left)
    n_hidden = sum(counts[place] for place in hidden)
    if left is None:
        assert len(hidden) == len(counts) or 100 * n_hidden / total < 0.05
    else:
        assert drawn_rows["value"].sum() == pytest.approx(100)
        assert left.percent == pytest.approx(100 * n_hidden / total) and len(left.parts) == len(hidden)
        assert drawn_rows["value"].to_list()[:-1] == rows["value"].drop_nulls().to_list()


def test_categories_leave_a_grey_piece_only_where_they_are_declared_to_add_up(home: Path) -> None:
    folder = write_release(home)
    app = open_page("materials", indicator="CM1", subgroup=SMALL_GROUP)
    sentence = "Not shown, protected: Does not meet expectations and Not reviewed, together 15.0 %."
    assert sentence in text_of(app)
    bars = values_of(drawn(app, f"High-quality materials coverage, Chicago, {YEAR}"))
    assert bars.filter(pl.col("colour") == look.HIDDEN)["value"].to_list() == [pytest.approx(15.0)]
    # One part that is hidden alone has no piece: it would be that part's own number.
    alone = open_page("materials", indicator="CM1", course="ALG1")
    assert "together" not in text_of(alone)
    drop_tables(folder, "relations")
    without = open_page("materials", indicator="CM1", subgroup=SMALL_GROUP)
    assert "together" not in text_of(without) and "Protected range: Does not meet expectations, at most 5 %." in text_of(without)
    assert look.HIDDEN not in values_of(drawn(without, "High-quality materials coverage, Chicago"))["colour"]


def test_wholes_are_read_as_they_are_declared(home: Path) -> None:
    folder = write_release(home)
    release = read_current(home)
    assert release_data.whole_distributions(release, "CM1") == [{"meets", "partially_meets", "does_not_meet", "not_reviewed"}]
    assert release_data.whole_distributions(release, "OC4") == [{f"level_{level}" for level in (1, 2, 3, 4)}] * 7
    assert release_data.whole_distributions(release, "SS1") == []
    every = pl.when(pl.col("relation") == "CM1.category").then(None).otherwise(pl.col("part"))
    change(folder, "relations", part=every)
    release_data._answer.clear()
    assert release_data.whole_distributions(release, "CM1") == [None]


def test_a_glance_says_a_range_in_its_card_and_table(home: Path) -> None:
    write_release(home)
    app = opened(open_page("educator_capacity"), f"educator_capacity_{YEAR}")
    alt = next(text for text in chart_words(app) if text.startswith("Mathematics immersion"))
    assert "Houston at most 1 % (protected range); Los Angeles 10.0 % (8.5 to 11.5 %)" in alt
    bars = values_of(drawn(app, "Mathematics immersion"))
    houston = bars.filter(pl.col("label") == "Houston").row(0, named=True)
    assert (houston["value"], houston["at_most"], houston["short"]) == (None, pytest.approx(1.0), "at most 1 %")
    row = table_texts(app)[0].filter((pl.col("Indicator") == "EC10") & (pl.col("District") == "Houston")).row(0, named=True)
    assert (row["Value"], row["95 % interval"], row["n"]) == ("at most 1 %", "", "1240")
    assert "**protected range**" in text_of(app)
    assert "**protected range**" not in text_of(open_page("leader_capacity"))


def test_a_glance_lists_a_range_where_there_is_no_common_scale(home: Path) -> None:
    folder = write_release(home)
    is_one = (pl.col("indicator_id") == "SS3") & (pl.col("district") == "houston") & (pl.col("statistic") == "share")
    change(folder, "indicator_values", **as_range(is_one))
    assert "* Houston: **at most 5 %**" in text_of(open_page("size_and_scale"))


def test_a_range_is_compared_with_nobody(home: Path) -> None:
    write_release(home)
    said = text_of(open_page("educator_capacity", indicator="EC10", statistic="share", focal=FEW_IMMERSED))
    assert "Houston: at most 1 % (protected range, so it is compared with nobody), n = 1,240, as of" in said
    assert said.count("No district.") == 3
    assert "**Protected:** Chicago, Los Angeles, Miami-Dade and New York City" in said


def test_a_profile_says_a_range_and_does_not_call_the_indicator_empty(home: Path) -> None:
    folder = write_release(home)
    app = opened(open_page("district_profile", district="houston"), "educator_capacity_houston")
    assert "2024-25: **at most 1 %** (protected range)" in text_of(app)
    table = next(table for table in table_texts(app) if "Of what" in table.columns)
    cells = table.filter(pl.col("Indicator").str.contains("EC10"))["Value"].to_list()
    assert cells == ["8.0 %", "9.0 %", "at most 1 %"]
    is_own = (pl.col("indicator_id") == "LC8") & (pl.col("district") == "houston")
    change(folder, "indicator_values", **as_range(is_own), unit=pl.when(is_own).then(pl.lit("share")).otherwise("unit"))
    release_data._answer.clear()
    assert "1 of 1 indicators have a number for this district." in text_of(open_page("district_profile", district="houston"))


def test_algebra_is_read_together_with_its_ranges(home: Path) -> None:
    folder = write_release(home)
    is_one = (pl.col("indicator_id") == "OC1") & (pl.col("district") == "chicago")
    change(folder, "indicator_values", **as_range(is_one))
    app = open_page("outcomes", indicator="OC1")
    alt = next(text for text in chart_words(app) if text.startswith("Algebra I, Chicago"))
    assert "Algebra I by the end of grade 9 at most 5 % (protected range); First-attempt success" in alt
    assert "Protected range: Algebra I by the end of grade 9, at most 5 %." in text_of(app)


def test_a_district_with_ranges_only_has_something_to_show(home: Path) -> None:
    folder = write_release(home)
    values = pl.read_parquet(folder / "indicator_values.parquet")
    values.filter(pl.col("symbol") == "r").write_parquet(folder / "indicator_values.parquet")
    app = open_page("overview")
    assert "5 of 6 districts have certified numbers here" in text_of(app)
    assert release_fixture.ALL_TAKE_PART == "new_york_city"
    said = text_of(open_page("outcomes", indicator="OC9"))
    assert "Protected range: 2024-25, at least 99.9 %." in said and said.count("nothing certified stands behind it") == 5


def test_a_range_of_another_instrument_ends_the_shared_axis(release: Release) -> None:
    rows = release_data.values(release, "LC8", {"school_year": YEAR})
    indicator = release_data.indicators(release).filter(pl.col("indicator_id") == "LC8").to_dicts()[0]
    is_one = pl.col("district") == "houston"
    other = rows.with_columns(**as_range(is_one), instrument=pl.when(is_one).then(pl.lit("other")).otherwise("instrument"))
    assert choices.why_apart(indicator, rows) is None
    assert "instruments differ" in str(choices.why_apart(indicator, other))


def test_a_range_without_its_ends_is_a_gap_with_a_reason(home: Path) -> None:
    folder = write_release(home)
    change(folder, "indicator_values", at_least=pl.lit(None, dtype=pl.Float64), at_most=pl.lit(None, dtype=pl.Float64))
    app = opened(open_page("educator_capacity", indicator="EC10", statistic="share"), f"EC10_{YEAR}")
    assert "No number can be shown. Protected range: the share lies somewhere within the range shown" in text_of(app)
    houston = table_texts(app)[0].filter((pl.col("District") == "Houston") & (pl.col("School year") == YEAR))
    assert houston["Value"].to_list() == ["protected range"]


@pytest.mark.parametrize("page", PAGES)
def test_a_release_of_the_time_before_ranges_is_shown(home: Path, page: str) -> None:
    folder = write_release(home)
    for table, columns in NEW.items():
        pl.read_parquet(folder / f"{table}.parquet").drop(columns).write_parquet(folder / f"{table}.parquet")
    drop_tables(folder, "counts", "relations")
    change_manifest(folder, protection={"n_values_primary": 3, "n_values_complementary": 1}, audit=None)
    said = text_of(open_page(page))
    assert "Release r-2025-10-06-001" in said and "damaged" not in said


def test_the_methods_say_how_small_groups_are_protected(home: Path) -> None:
    folder = write_release(home)
    said = text_of(open_page("methods"))
    values = pl.read_parquet(folder / "indicator_values.parquet")
    n_hidden, n_ranges = (values.filter(pl.col("symbol") == symbol).height for symbol in ("c", "r"))
    share = 100 * n_hidden / values.height
    assert protection.TITLE in said and n_hidden and n_ranges
    assert "Nothing is shown of a group of fewer than 10 people." in said
    assert (
        f"{n_hidden:,} of {values.height:,} values are confidential ({share:.1f} %) and {n_ranges:,} are shown as ranges." in said
    )
    assert "Of what the values say of students, counted by student, 1.2 % is not shown." in said
    assert "tried to get 480 hidden counts back: from this release alone; from the view of each district" in said
    assert "every two districts together" in said and "together with earlier releases" not in said
    assert f"{n_hidden:,} of {values.height:,} values are confidential" in text_of(open_page("data_quality"))


def test_the_example_of_ranges_is_right() -> None:
    ends = (1 / 2, 1 / 4, 1 / 5, 1 / 10, 1 / 20, 1 / 50, 1 / 100, 1 / 200, 1 / 500, 1 / 1000)

    def nearest(n: int, minimum: int) -> float:
        return min(end for end in ends if end * n >= minimum)

    assert nearest(200, 10) == 1 / 20 and nearest(150, 10) == 1 / 10 and nearest(20, 10) == 1 / 2
    assert 0.05 * 150 < 8 and nearest(N_SMALL_GROUP, 10) == release_fixture.SMALL_RANGE
    assert nearest(1_240, 10) == 1 / 100 and nearest(5_000, 10) == 1 / 500 and nearest(20_000, 10) == 1 / 1000


def test_each_districts_own_minimum_is_said(home: Path) -> None:
    folder = write_release(home)
    change(folder, "districts", minimum_n=pl.when(pl.col("code") == "houston").then(15).otherwise(10))
    assert "shown: Chicago 10, Houston 15, Los Angeles 10, Miami-Dade 10, New York City 10 and Philadelphia 10." in text_of(
        open_page("methods")
    )


@pytest.mark.parametrize(
    "told, said",
    [
        (None, None),
        ("nonsense", None),
        ({}, None),
        ({"n_values_primary": 3}, None),
        ({"n_hidden": "many", "n_ranges": True, "share_hidden": float("nan")}, None),
        ({"n_hidden": 1_200}, "1,200 values are confidential."),
        ({"n_values": 4_000, "n_hidden": 100}, "100 of 4,000 values are confidential (2.5 %)."),
        ({"share_hidden": 0.0004}, "Less than 0.1 % of the values are confidential."),
        ({"n_ranges": 7, "share_of_students_hidden": 0.0}, "7 are shown as ranges. Of what the values say"),
    ],
)
def test_the_price_is_said_as_far_as_a_release_tells_it(told: object, said: str | None) -> None:
    found = protection.cost(told)
    assert found is None if said is None else said in str(found)


@pytest.mark.parametrize(
    "told, said",
    [
        (None, "does not say whether it was"),
        ([], "does not say whether it was"),
        ({}, "tried to get what is hidden back. A release in which"),
        ({"n_hidden": 12}, "tried to get 12 hidden values back. A release"),
        ({"attacks": {"alone": 3, "<b>new_kind": 2}}, "back: from this release alone; by \\<b\\>new kind. A release"),
        ({"n_attacks_by_kind": "x", "n_cells_attacked": None}, "tried to get what is hidden back."),
    ],
)
def test_attacks_are_said_as_far_as_a_release_tells_them(told: object, said: str) -> None:
    assert said in protection.attacked(told)


def test_a_release_that_says_nothing_of_protection_still_says_the_rules(home: Path) -> None:
    folder = write_release(home)
    change(folder, "districts", minimum_n=pl.lit(None, dtype=pl.Int64))
    change_manifest(folder, protection=None, audit=None, minimum_n=None)
    said = text_of(open_page("methods"))
    assert "does not say how small a group may be shown" in said and "What it costs" not in said
    assert "**A protected range** stands where" in said and "does not say whether it was" in said


def test_definitions_explain_the_symbol_and_who_is_counted(home: Path) -> None:
    write_release(home)
    app = open_page("definitions")
    symbols = next(table for table in table_texts(app) if "Symbol" in table.columns)
    assert symbols.filter(pl.col("Symbol") == "r")["Shown as"].to_list() == ["protected range"]
    assert "withheld to protect people" in symbols.filter(pl.col("Symbol") == "r")["Meaning"][0]
    said = text_of(app)
    assert "**Who is counted:** students; small groups of them are protected" in said
    assert "**Who is counted:** adults; small groups of them are protected" in said and "**Who is counted:** schools" in said
    assert "**Estimated from:** OC4; shown only where every count of it behind the estimate is shown" in said
    assert labels.gap_sentence("r").startswith("Protected range: the share lies")


def test_a_withheld_release_shows_no_range(home: Path) -> None:
    folder = write_release(home, variant="suppressed")
    values = pl.read_parquet(folder / "indicator_values.parquet")
    assert values["at_least"].null_count() == values.height and set(values["symbol"]) == {"c"}
    app = open_page("outcomes", indicator="OC4", grade="3", subgroup=SMALL_GROUP)
    assert not app.get("vega_lite_chart") and "together" not in text_of(app)

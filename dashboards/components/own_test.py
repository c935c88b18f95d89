"""Results on the districts' own tests: each district by itself, on its own axis, in the words of its own test.

No two districts share an axis or a table here, and no line crosses a change of test, cuts, scale or mode, or a missing year.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
import streamlit as st

from dashboards import release_data
from dashboards.components import charts, distribution, sections, tables, years
from dashboards.components.choices import Indicator
from dashboards.components.sections import Selection, View
from dashboards.components.words import plain, side_by_side, wrapped
from dashboards.components.years import Break, break_sentence, runs
from pipelines.wording import amounts
from pipelines.wording.labels import humanised, listed, split_label, year_start

PROFICIENT = "proficient_or_above"
# What makes two years of one test comparable: all of these are the same.
CONTINUITY = {"test": "the test", "cut_version": "the cuts", "scale_version": "the scale", "mode": "the mode"}


GREY_NOTE = " A grey bar is what the levels that are shown leave of all students tested: not shown, to protect small groups."


def section(view: View, selection: Selection) -> None:
    """One indicator of the districts' own tests: for each district its levels in one year and its own line over the years."""
    chosen = {name: code for name, code in selection.chosen.items() if name != "category"}
    rows = amounts.with_texts(release_data.values(view.release, selection.code, chosen))
    rows = labelled(rows, release_data.instruments(view.release))
    sections.chosen_text(view, selection)
    st.caption(
        "One frame a district: its own test, its own levels, its own axes. The panels are **not on a common scale**: a share at "
        "one state's level says nothing about another state's. Bars in full colour are at or above the level that the state "
        "calls proficient. A line joins years of the same test and cuts only; a dashed line marks a change. "
        + side_by_side(has_verdicts=release_data.has_verdicts(view.release))
        + sections.range_note(rows)
        + (GREY_NOTE if _has_left_over(rows.filter(pl.col("school_year") == view.year)) else "")
    )
    for district in view.districts.to_dicts():
        with st.container(border=True):
            st.markdown(f"#### {plain(district['label'])}")
            own = rows.filter(pl.col("district") == district["code"])
            _district(view, selection, own, district)


def _has_left_over(rows: pl.DataFrame) -> bool:
    levels = rows.filter(pl.col("level").is_not_null())
    return any(distribution.left_over(part) for part in levels.partition_by("district", "instrument", "administration"))


def labelled(rows: pl.DataFrame, instruments: pl.DataFrame) -> pl.DataFrame:
    """The rows with what their test says about them.

    Adds `label` (the level in the test's own words), `level` (1-6, null for other categories), `strong` (at or above the level
    called proficient), `test_label` and the fields of `CONTINUITY`; drops levels that the test does not have.
    """
    tests = instruments.select(
        pl.col("code").alias("instrument"),
        pl.col("label").alias("test_label"),
        pl.col("n_levels").cast(pl.Int64, strict=False),
        pl.col("proficient_level").cast(pl.Int64, strict=False),
        *CONTINUITY,
    )
    names = (
        instruments.select("code", *(f"level_{level}_label" for level in range(1, 7)))
        .unpivot(index="code", variable_name="category", value_name="name")
        .select(
            pl.col("code").alias("instrument"),
            pl.col("category").str.strip_suffix("_label"),
            pl.col("name").replace("", None),
        )
    )
    joined = rows.join(tests, on="instrument", how="left").join(names, on=["instrument", "category"], how="left")
    level = pl.col("category").str.extract(r"^level_([1-6])$").cast(pl.Int64)
    leveled = joined.with_columns(level=level, test_label=pl.coalesce("test_label", "instrument", pl.lit("Test not named")))
    leveled = leveled.filter(pl.col("level").is_null() | (pl.col("level") <= pl.col("n_levels").fill_null(6)))
    numbered = (
        pl.when(pl.col("name").str.contains("(?i)^level "))
        .then(pl.col("name"))
        .otherwise("Level " + pl.format("{}: {}", "level", "name"))
    )
    return leveled.with_columns(
        label=pl.coalesce(
            numbered,
            pl.when(pl.col("level").is_not_null()).then(pl.format("Level {}", "level")),
            pl.col("category"),
        ),
        strong=pl.col("level").is_null() | (pl.col("level") >= pl.col("proficient_level").fill_null(1)),
    ).with_columns(
        label=pl.when(pl.col("category") == PROFICIENT)
        .then(pl.lit(split_label("category", PROFICIENT)))
        .otherwise(pl.col("label"))
    )


def _district(view: View, selection: Selection, rows: pl.DataFrame, district: dict[str, Any]) -> None:
    colour, indicator = view.colours[district["code"]], selection.indicator
    year = rows.filter(pl.col("school_year") == view.year)
    with st.container(horizontal=True):
        if year.is_empty():
            with st.container(width=charts.WIDE_PANEL_WIDTH, gap="xsmall"):
                sections.nothing_here(view, selection, district["code"])
        for _, one_test in year.group_by(["instrument", "administration"], maintain_order=True):
            with st.container(width=charts.WIDE_PANEL_WIDTH, gap="xsmall"):
                _levels(view, indicator, one_test, district, colour)
        overall = rows.filter(pl.col("category") == PROFICIENT)
        if not overall.is_empty():
            with st.container(width=charts.WIDE_PANEL_WIDTH, gap="xsmall"):
                _over_the_years(indicator, overall, district, colour)
    if rows.is_empty():
        return
    shown = rows.filter((pl.col("school_year") == view.year) | (pl.col("category") == PROFICIENT))
    ordered = shown.sort("school_year", "instrument", "level", nulls_last=True)
    tables.behind(
        f"Table, sources and CSV: {selection.code}, {district['label']}",
        lambda: sections.table(ordered.drop("instrument").with_columns(instrument="test_label"), "Level").rename(
            {"Instrument": "Test"}
        ),
        f"{selection.code}_{district['code']}_{view.year}",
        f"{indicator['name']}, {district['label']}: value, interval, n, date, test and sources of every number above.",
        view.release.release_id,
    )


def _levels(view: View, indicator: Indicator, rows: pl.DataFrame, district: dict[str, Any], colour: str) -> None:
    sitting = rows["administration"][0]
    parts = [str(rows["test_label"][0]), *([humanised(sitting)] if sitting else [])]
    st.markdown(f"**{plain(view.year)}** · {plain(', '.join(parts))}")
    levels = rows.filter(pl.col("level").is_not_null()).sort("level")
    levels = levels.with_columns(label=pl.Series([wrapped(label, 19) for label in levels["label"]], dtype=pl.String))
    shown, left = levels.filter(amounts.is_shown()), distribution.left_over(levels)
    if not shown.is_empty():
        paint = pl.when("strong").then(pl.lit(colour)).otherwise(pl.lit(charts.tint(colour)))
        drawn = distribution.with_left_over(shown.with_columns(colour=paint), left)
        st.vega_lite_chart(
            charts.bars(drawn, charts.axis_for(drawn, amounts.Unit(axis="share of students tested", mark=" %"))),
            theme=None,
            alt=sections.sentence(f"{indicator['name']}, {district['label']}, {view.year}", levels, left),
        )
    sections.gaps(view, levels, left)
    sections.marks(levels)
    st.caption(plain(sections.facts(levels)))


def _over_the_years(indicator: Indicator, rows: pl.DataFrame, district: dict[str, Any], colour: str) -> None:
    lines = rows.select("proficient_level", "n_levels").unique().drop_nulls()
    level = f"level {lines['proficient_level'][0]} of {lines['n_levels'][0]}" if lines.height == 1 else "the level"
    st.markdown(f"**Over the years** · at or above {level} that the state calls proficient")
    joined, breaks = runs(rows, CONTINUITY)
    ranges = years.ranges(rows)
    shown = pl.concat([joined, ranges], how="diagonal")
    if shown.is_empty():
        st.markdown("No year has a number that may be shown.")
    elif shown.height == 1:
        only = shown.to_dicts()[0]
        interval = only["interval_said"] or ("no interval" if joined.height else "protected range")
        st.markdown(plain(f"One year only, {only['school_year']}: {only['said']} ({interval})."))
        st.caption(plain(sections.facts(shown)))
    else:
        unit = amounts.Unit(axis="share of students tested", mark=" %")
        st.vega_lite_chart(
            charts.trend(
                joined.with_columns(colour=pl.lit(colour)),
                [year_start(change.after) - 0.5 for change in breaks],
                charts.trend_axis(shown, unit),
                ranges=ranges.with_columns(colour=pl.lit(colour)),
            ),
            theme=None,
            alt=_trend_sentence(indicator, district, rows, breaks),
        )
        st.caption(f"{plain(sections.facts(shown))} · the axis does not start at 0; the dark lines are 95 % intervals")
    for change in breaks:
        st.markdown(plain(break_sentence(change)))
    missing = rows.filter(~amounts.is_shown())
    for why in missing["why"].unique(maintain_order=True):
        without = missing.filter(pl.col("why") == why)["school_year"].unique().sort().to_list()
        st.markdown(plain(f"No number for {listed(without)}: {why}."))


def _trend_sentence(indicator: Indicator, district: dict[str, Any], rows: pl.DataFrame, breaks: Sequence[Break]) -> str:
    by_year = rows.sort("school_year").with_columns(label=pl.col("school_year"))
    shown = sections.sentence(
        f"{indicator['name']} at or above the proficient level over the years, {district['label']}", by_year
    )
    return " ".join([shown, *(break_sentence(change) for change in breaks)])

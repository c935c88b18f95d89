"""Results on the districts' own tests: each district by itself, on its own axis, in the words of its own test.

No two districts share an axis or a table here, and no line crosses a change of test, cuts, scale or mode, or a missing year.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import polars as pl
import streamlit as st

from dashboards import release_data
from dashboards.components import charts, sections, tables
from dashboards.components.sections import Indicator, View
from dashboards.components.words import NO_VERDICT, category_label, humanised, listed, plain, wrapped, year_start

PROFICIENT = "proficient_or_above"
# What makes two years of one test comparable: all of these are the same.
CONTINUITY = {"test": "the test", "cut_version": "the cuts", "scale_version": "the scale", "mode": "the mode"}


@dataclass(frozen=True)
class Break:
    """A change between two years: the years on both sides, and what changed, in words."""

    before: str
    after: str
    changed: tuple[str, ...]


def section(view: View, indicator: Indicator) -> None:
    """One indicator of the districts' own tests: for each district its levels in one year and its own line over the years."""
    fields = view.fields(indicator["indicator_id"])
    chosen = {field: view.splits[field] for field in fields}
    rows = sections.with_texts(release_data.values(view.release, indicator["indicator_id"], chosen))
    rows = labelled(rows, release_data.instruments(view.release))
    sections.heading(view, indicator, fields)
    st.caption(
        "One frame a district: its own test, its own levels, its own axes. The panels are **not on a common scale**: a share at "
        "one state's level says nothing about another state's. Bars in full colour are at or above the level that the state "
        "calls proficient. A line joins years of the same test and cuts only; a dashed line marks a change. " + NO_VERDICT
    )
    for district in view.districts.to_dicts():
        with st.container(border=True):
            st.markdown(f"#### {plain(district['label'])}")
            own = rows.filter(pl.col("district") == district["code"])
            _district(view, indicator, own, district)


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
        label=pl.when(pl.col("category") == PROFICIENT).then(pl.lit(category_label(PROFICIENT))).otherwise(pl.col("label"))
    )


def runs(rows: pl.DataFrame) -> tuple[pl.DataFrame, list[Break]]:
    """One district's values over the years, cut wherever a line may not be drawn, and the changes between the cuts.

    `rows` has one value a year and test, with `school_year`, `value` and the fields of `CONTINUITY`; years without a value are
    dropped. Adds `start` and `run`: neighbours in one run are consecutive years of one test, cuts, scale and mode.
    """
    sitting = [field for field in ("administration",) if field in rows.columns]
    key = pl.concat_str([pl.col(field).fill_null("?") for field in [*CONTINUITY, *sitting]], separator="\x1f")
    numbered = (
        rows.filter(pl.col("value").is_not_null())
        .with_columns(start=pl.col("school_year").str.slice(0, 4).cast(pl.Int64), key=key)
        .sort("key", "start")
        .with_columns(gap=(pl.col("start").diff().over("key") != 1).fill_null(True))
        .with_columns(run=pl.col("gap").cum_sum())
        .drop("gap")
    )
    versions = (
        rows.with_columns(start=pl.col("school_year").str.slice(0, 4).cast(pl.Int64), key=key)
        .group_by("key", *CONTINUITY)
        .agg(pl.col("school_year").min().alias("first"), pl.col("school_year").max().alias("last"))
        .sort("first", "last")
        .to_dicts()
    )
    found = []
    for earlier, later in pairwise(versions):
        changed = tuple(words for field, words in CONTINUITY.items() if earlier[field] != later[field])
        if earlier["last"] < later["first"] and changed:
            found.append(Break(earlier["last"], later["first"], changed))
    return numbered.sort("start", "run"), found


def break_sentence(change: Break) -> str:
    """What a break means, in words."""
    return (
        f"Between {change.before} and {change.after} {listed(change.changed)} changed: values before and after are not on one "
        "scale, so no line joins them."
    )


def _district(view: View, indicator: Indicator, rows: pl.DataFrame, district: dict[str, Any]) -> None:
    colour = view.colours[district["code"]]
    year = rows.filter(pl.col("school_year") == view.year)
    chosen = view.chosen_text(view.fields(indicator["indicator_id"]))
    with st.container(horizontal=True):
        if year.is_empty():
            with st.container(width=charts.WIDE_PANEL_WIDTH, gap="xsmall"):
                sections.nothing_here(view, indicator["indicator_id"], district["code"], view.year, chosen)
        sitting = [field for field in ("instrument", "administration") if field in year.columns]
        for _, one_test in year.group_by(sitting, maintain_order=True):
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
    with st.expander(f"Table, sources and CSV: {indicator['indicator_id']}, {plain(district['label'])}"):
        tables.show(
            sections.table(ordered, "Level").with_columns(ordered["test_label"].alias("Test")),
            f"{indicator['indicator_id']}_{district['code']}_{view.year}",
            f"{indicator['name']}, {district['label']}: value, interval, n, date, test and sources of every number above.",
            view.release.release_id,
        )


def _levels(view: View, indicator: Indicator, rows: pl.DataFrame, district: dict[str, Any], colour: str) -> None:
    sitting = rows["administration"][0] if "administration" in rows.columns else None
    parts = [str(rows["test_label"][0]), *([humanised(sitting)] if sitting else [])]
    st.markdown(f"**{plain(view.year)}** · {plain(', '.join(parts))}")
    levels = rows.filter(pl.col("level").is_not_null()).sort("level")
    levels = levels.with_columns(label=pl.Series([wrapped(label, 19) for label in levels["label"]], dtype=pl.String))
    numbered = levels.filter(pl.col("value").is_not_null())
    if not numbered.is_empty():
        st.vega_lite_chart(
            charts.bars(numbered, colour, sections.largest(numbered), "share of students tested", " %"),
            theme=None,
            alt=sections.sentence(f"{indicator['name']}, {district['label']}, {view.year}", levels),
        )
    sections.gaps(view, levels)
    st.caption(plain(sections.facts(levels)))


def _over_the_years(indicator: Indicator, rows: pl.DataFrame, district: dict[str, Any], colour: str) -> None:
    lines = rows.select("proficient_level", "n_levels").unique().drop_nulls()
    level = f"level {lines['proficient_level'][0]} of {lines['n_levels'][0]}" if lines.height == 1 else "the level"
    st.markdown(f"**Over the years** · at or above {level} that the state calls proficient")
    joined, breaks = runs(rows)
    if joined.is_empty():
        st.markdown("No year has a number that may be shown.")
    elif joined.height == 1:
        only = joined.to_dicts()[0]
        st.markdown(plain(f"One year only, {only['school_year']}: {only['said']} ({only['interval_said'] or 'no interval'})."))
        st.caption(plain(sections.facts(joined)))
    else:
        st.vega_lite_chart(
            charts.trend(
                joined,
                [year_start(change.after) - 0.5 for change in breaks],
                colour,
                "share of students tested",
                " %",
            ),
            theme=None,
            alt=_trend_sentence(indicator, district, rows, breaks),
        )
        st.caption(f"{plain(sections.facts(joined))} · the axis does not start at 0; the dark lines are 95 % intervals")
    for change in breaks:
        st.markdown(plain(break_sentence(change)))
    missing = rows.filter(pl.col("value").is_null())
    for why in missing["why"].unique(maintain_order=True):
        years = missing.filter(pl.col("why") == why)["school_year"].unique().sort().to_list()
        st.markdown(plain(f"No number for {listed(years)}: {why}."))


def _trend_sentence(indicator: Indicator, district: dict[str, Any], rows: pl.DataFrame, breaks: Sequence[Break]) -> str:
    by_year = rows.sort("school_year").with_columns(label=pl.col("school_year"))
    shown = sections.sentence(
        f"{indicator['name']} at or above the proficient level over the years, {district['label']}", by_year
    )
    return " ".join([shown, *(break_sentence(change) for change in breaks)])

"""An indicator on a page: its definition, one panel a district, and the table behind them.

Generic over indicators: what a section looks like follows from the indicator's basis, unit and breakdowns. An indicator of the
districts' own tests is drawn by `own_test` instead. Queries do not belong here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import streamlit as st

from dashboards import release_data
from dashboards.components import charts, filters, tables
from dashboards.components.words import (
    BASES,
    NO_VERDICT,
    SYMBOLS,
    category_label,
    gap_sentence,
    humanised,
    listed,
    plain,
    split_label,
    split_order,
    wrapped,
)
from pipelines.release.reader import Release

Indicator = dict[str, Any]
IN_FORCE = ("certified", "superseded")


@dataclass(frozen=True)
class View:
    """What a page's filters say: the release, districts in order, school year, and the chosen value of each breakdown."""

    release: Release
    districts: pl.DataFrame
    breakdowns: pl.DataFrame
    year: str
    splits: dict[str, str | None]

    @property
    def colours(self) -> dict[str, str]:
        """The colour of each district by its code."""
        return charts.district_colours(self.districts["code"].to_list())

    def fields(self, indicator_id: str) -> list[str]:
        """The breakdowns that an indicator is split by."""
        own = self.breakdowns.filter(pl.col("indicator_id") == indicator_id)
        return [field for field in release_data.SPLITS if own[field].null_count() < own.height]

    def chosen_text(self, fields: Sequence[str]) -> str:
        """The chosen values of some breakdowns, in words."""
        return " · ".join(split_label(field, self.splits[field]) for field in fields)


def challenge_view(release: Release, challenge: str) -> View | None:
    """Draw the filters of a challenge's page and say what they hold; None where the release has no values for it."""
    breakdowns = release_data.breakdowns(release, challenge)
    districts = release_data.districts(release)
    if breakdowns.is_empty():
        return None
    with st.container(horizontal=True):
        focal = filters.focal_district(districts)
        year = filters.school_year(breakdowns) or ""
        splits: dict[str, str | None] = {}
        for field in release_data.SPLITS:
            split_by_it = breakdowns.filter(pl.col(field).is_not_null().any().over("indicator_id"))
            if split_by_it[field].n_unique() > 1:
                splits[field] = filters.split(split_by_it, field, year)
            else:
                splits[field] = next(iter(split_by_it[field].to_list()), None)
    return View(release, filters.in_order(districts, focal), breakdowns, year, splits)


def no_values() -> None:
    """Say that a page has nothing to show, and why that may be."""
    st.markdown(
        "This release holds no values for this page. Values appear when a district has certified the files behind them and "
        "the next release is published; **Data quality** says what each file is waiting for."
    )


def section(view: View, indicator: Indicator) -> None:
    """One indicator: panels side by side, one a district."""
    spread, fixed = _spread(view, indicator)
    chosen = {"school_year": view.year} | {field: view.splits[field] for field in fixed}
    rows = with_texts(release_data.values(view.release, indicator["indicator_id"], chosen))
    rows = _with_labels(rows, spread)
    top = _axis_top(rows, indicator)
    heading(view, indicator, fixed)
    st.caption(_reading(indicator, spread))
    with st.container(horizontal=True):
        for district in view.districts.to_dicts():
            with st.container(width=charts.PANEL_WIDTH, border=True, gap="xsmall"):
                st.markdown(f"**{plain(district['label'])}**")
                own = rows.filter(pl.col("district") == district["code"])
                _panel(view, indicator, own, district, top)
    with st.expander(f"Table, sources and CSV: {indicator['indicator_id']}"):
        order = view.districts.select(pl.col("code").alias("district")).with_row_index("place")
        ordered = rows.join(order, on="district", how="left").sort("place", "position", maintain_order=True)
        tables.show(
            table(ordered, humanised(spread) if spread != "category" else "Result"),
            f"{indicator['indicator_id']}_{view.year}",
            f"{indicator['name']}, {view.year}: value, interval, n, date and sources of every number above.",
            view.release.release_id,
        )


def heading(view: View, indicator: Indicator, fixed: Sequence[str]) -> None:
    """Name, definition, what is chosen, and within one click how the indicator is counted."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(f"{plain(indicator['name'])} ({plain(indicator['indicator_id'])})", anchor=False, width="content")
        with st.popover("How it is counted", icon=":material/help:"):
            definition(indicator)
    st.markdown(plain(indicator["definition"] or ""))
    chosen = view.chosen_text(fixed)
    st.markdown(f"**{plain(' · '.join(part for part in (view.year, chosen) if part))}**")


def definition(indicator: Indicator) -> None:
    """How an indicator is counted, and with what caution it is read."""
    basis = BASES.get(indicator["basis"], indicator["basis"] or "not stated")
    lines = {
        "Counted": indicator["numerator"],
        "Out of": indicator["denominator"],
        "Unit": "share, shown in percent" if indicator["unit"] == "share" else indicator["unit"],
        "Stands on": basis,
        "Interval": "Wilson, 95 %" if indicator["interval"] == "wilson" else "none: everyone in scope is counted",
        "Direction": indicator["direction"] or "none declared",
        "Caveats": indicator["caveats"],
        "Definition version": indicator["definition_version"],
    }
    st.markdown("\n".join(f"* **{name}:** {plain(str(text))}" for name, text in lines.items() if text))


def with_texts(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with `said`, `interval_said` and `why` as texts, and value and bounds in the unit that is shown (percent)."""
    factor = pl.when(pl.col("unit") == "share").then(100.0).otherwise(1.0)
    mark = pl.when(pl.col("unit") == "share").then(pl.lit(" %")).otherwise(" " + pl.col("unit").fill_null(""))
    digits = pl.col("unit") == "share"

    def text(column: str) -> pl.Expr:
        scaled = factor * pl.col(column)
        return pl.when(digits).then(scaled.round(1).cast(pl.String)).otherwise(scaled.round(2).cast(pl.String))

    known = pl.col("symbol").replace_strict(
        {symbol: words[0] for symbol, words in SYMBOLS.items()}, default="no number", return_dtype=pl.String
    )
    return rows.with_columns(
        said=pl.when(pl.col("value").is_null()).then(None).otherwise(text("value") + mark),
        interval_said=pl.when(pl.col("lower").is_null() | pl.col("upper").is_null())
        .then(None)
        .otherwise(text("lower") + " to " + text("upper") + mark),
        why=pl.when(pl.col("value").is_null()).then(known.fill_null("no number")),
        value=factor * pl.col("value"),
        lower=factor * pl.col("lower"),
        upper=factor * pl.col("upper"),
    )


def table(rows: pl.DataFrame, spread_title: str) -> pl.DataFrame:
    """The table behind a chart: rows with `label` and the texts of `with_texts`, in the order given."""
    return rows.select(
        pl.col("district_label").alias("District"),
        pl.col("school_year").alias("School year"),
        pl.col("label").str.replace_all("\n", " ").alias(spread_title),
        pl.coalesce("said", "why").alias("Value"),
        pl.col("interval_said").alias("95 % interval"),
        pl.col("n").cast(pl.String).alias("n"),
        pl.col("as_of").alias("As of"),
        pl.col("sources").alias("Sources"),
    )


def facts(rows: pl.DataFrame) -> str:
    """n and as-of date of the numbers in a panel, in a short line."""
    counts = rows["n"].drop_nulls()
    parts = []
    if not counts.is_empty():
        low, high = int(counts.sort()[0]), int(counts.sort()[-1])
        parts = [f"n = {low:,}" if low == high else f"n from {low:,} to {high:,}"]
    date = max(rows["as_of"].drop_nulls().to_list(), default=None)
    return " · ".join([*parts, f"as of {date}" if date else "date unknown"])


def sentence(place: str, rows: pl.DataFrame) -> str:
    """What a chart shows, for those who cannot see it: every label with value and interval, and every gap with its reason."""
    parts = [
        f"{row['label']} {row['said'] or row['why']}" + (f" ({row['interval_said']})" if row["interval_said"] else "")
        for row in rows.to_dicts()
    ]
    return f"{place}: " + "; ".join(parts).replace("\n", " ") + f". {facts(rows)}."


def gaps(view: View, rows: pl.DataFrame) -> None:
    """Say in words which numbers are missing and why, with what the district's mapping says about it within one click."""
    missing = rows.filter(pl.col("value").is_null())
    if missing.is_empty():
        return
    for symbol in missing["symbol"].unique(maintain_order=True):
        same = missing.filter(pl.col("symbol").eq_missing(symbol))
        which = listed([label.replace("\n", " ") for label in same["label"]])
        start = "No number can be shown." if same.height == rows.height else f"{which}: no number."
        st.markdown(plain(f"{start} {gap_sentence(symbol)}"))
    if "x" in missing["symbol"]:
        texts = mapping_notes(view.release, missing)
        if texts:
            with st.expander("What the district's mapping says"):
                st.markdown("\n".join(f"* {plain(text)}" for text in texts))


def mapping_notes(release: Release, rows: pl.DataFrame) -> list[str]:
    """The notes of the mappings behind some values, each once."""
    sources = {part for text in rows["sources"].drop_nulls().unique() for part in text.split("; ")}
    found = release_data.submissions(release).filter(pl.col("submission_id").is_in(sorted(sources)))
    return list(dict.fromkeys(note for text in found["notes"] for note in release_data.notes(text)))


def nothing_here(view: View, indicator_id: str, district: str, year: str, chosen: str) -> None:
    """Say why a district has no row at all for what is chosen."""
    covered = release_data.coverage(view.release).filter(
        (pl.col("indicator_id") == indicator_id) & (pl.col("district") == district)
    )
    if year in covered["school_year"].to_list():
        st.markdown(plain(f"No row for {chosen}: the certified files of {year} do not report it."))
        others = release_data.values(view.release, indicator_id, {"district": district, "school_year": year})
        for field in view.fields(indicator_id):
            codes = others[field].unique().to_list()
            if view.splits[field] not in codes:
                st.caption(plain(f"To be had: {listed(_labels_in_order(field, codes))}."))
        return
    st.markdown(plain(f"No value for {year}: nothing certified stands behind it."))
    waiting = release_data.submissions(view.release).filter(
        (pl.col("district") == district) & (pl.col("school_year") == year) & ~pl.col("state").is_in(IN_FORCE)
    )
    for row in waiting.to_dicts():
        st.markdown(plain(f"{humanised(row['extract'])}: {row['state_meaning'] or humanised(row['state'])}"))
    numbered = covered.filter(pl.col("n_values") > 0)["school_year"].max()
    if numbered is not None:
        st.caption(f"Latest year with a value: {plain(str(numbered))}.")


def _labels_in_order(field: str, codes: Sequence[str | None]) -> list[str]:
    return [split_label(field, code) for code in sorted(codes, key=lambda code: split_order(field, code))]


def _spread(view: View, indicator: Indicator) -> tuple[str, list[str]]:
    fields = view.fields(indicator["indicator_id"])
    own = view.breakdowns.filter(pl.col("indicator_id") == indicator["indicator_id"])
    varying = [field for field in fields if own[field].n_unique() > 1]
    categories = release_data.categories(view.release, indicator["indicator_id"])
    spread = "category" if categories or not varying else varying[0]
    return spread, [field for field in fields if field != spread]


def _with_labels(rows: pl.DataFrame, spread: str) -> pl.DataFrame:
    codes = sorted(rows[spread].unique().to_list(), key=lambda code: split_order(spread, code))
    labels = [category_label(code) if spread == "category" else split_label(spread, code) for code in codes]
    known = pl.DataFrame(
        {spread: codes, "label": [wrapped(label, 19) for label in labels], "position": range(len(codes))},
        schema={spread: pl.String, "label": pl.String, "position": pl.Int64},
    )
    return rows.join(known, on=spread, how="left", nulls_equal=True).sort("district", "position")


def _axis_top(rows: pl.DataFrame, indicator: Indicator) -> float | None:
    """The end of an axis that all panels share; None where each panel has its own."""
    if indicator["basis"] != "administrative" or indicator["unit"] != "share":
        return None
    return max(100.0, largest(rows))


def largest(rows: pl.DataFrame) -> float:
    """The largest value or upper bound that a chart of the rows must hold; 1 where there is none above zero."""
    found = pl.concat([rows["value"], rows["upper"]]).drop_nulls()
    return max(found.to_list(), default=0.0) or 1.0


def _reading(indicator: Indicator, spread: str) -> str:
    bars = {"category": "a result", "grade": "a grade", "course": "a course", "subgroup": "a student group"}[spread]
    interval = (
        "the dark line its 95 % interval"
        if indicator["interval"] == "wilson"
        else "no interval is drawn, because everyone in scope is counted"
    )
    parts = [f"One panel a district, one bar {bars}; {interval}."]
    if indicator["is_describe_only"]:
        parts.append("Districts differ here by design: described side by side, never compared.")
    shared = indicator["basis"] == "administrative" and indicator["unit"] == "share"
    parts.append(f"Each panel stands for itself{', from 0 to 100 %' if shared else ''}: not on a common scale.")
    return " ".join([*parts, NO_VERDICT])


def _panel(view: View, indicator: Indicator, rows: pl.DataFrame, district: dict[str, Any], top: float | None) -> None:
    numbered = rows.filter(pl.col("value").is_not_null())
    if rows.is_empty():
        chosen = view.chosen_text(view.fields(indicator["indicator_id"]))
        nothing_here(view, indicator["indicator_id"], district["code"], view.year, chosen or "this")
        return
    if not numbered.is_empty():
        mark = " %" if indicator["unit"] == "share" else ""
        st.vega_lite_chart(
            charts.bars(
                numbered.with_columns(strong=pl.lit(True)),
                view.colours[district["code"]],
                top or largest(numbered),
                "share" if indicator["unit"] == "share" else indicator["unit"] or "",
                mark,
            ),
            theme=None,
            alt=sentence(f"{indicator['name']}, {district['label']}, {view.year}", rows),
        )
    gaps(view, rows)
    st.caption(plain(facts(rows)))

"""Linked means with NAEP beside them: one panel a district, its linked mean, its own NAEP mean where there is one, its state.

A linked mean is an estimate and NAEP's mean a result; the page says which is the better number.
"""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from dashboards import release_data
from dashboards.components import charts, filters, sections, tables
from dashboards.components.sections import Selection, View
from dashboards.components.words import plain
from pipelines.wording import amounts, look

SPREAD = "school_year"
NAEP = "OC7"
LINKED_LABEL, NAEP_LABEL = "Linked mean", "NAEP (TUDA)"
_PUBLIC = "public"
_UNIT = "NAEP points"
_Z = 1.959964


def section(view: View, selection: Selection) -> None:
    """The linked means of one grade, group and year, with published results beside them."""
    chosen = {**selection.chosen, "school_year": view.year}
    linked = amounts.with_texts(release_data.values(view.release, selection.code, chosen))
    grade = selection.chosen.get("grade")
    is_all = selection.chosen.get("subgroup") in (None, "all")
    published = release_data.naep_results(view.release, grade, view.year)
    naep = _published_means(view, grade) if is_all else linked.clear()
    sections.chosen_text(view, selection)
    st.caption(
        "A linked mean is an estimate: the district's results on its own state's test, put on the NAEP scale by where its state "
        "stands there. Its interval holds the error of linking different tests. Where the district took part in NAEP itself "
        "(TUDA), **that is the better number**. Each panel has its own axis, which does not start at 0: **not on a common "
        "scale**, because linked means of two states carry two errors of linking. A dark line is a 95 % interval."
    )
    st.page_link("app_pages/back_test.py", label="How far linked means were off: the back-test", icon=":material/rule:")
    if not linked["value"].count():
        _no_mean(view, selection)
        if naep["value"].is_empty():
            return
    with st.container(horizontal=True):
        for district in view.districts.to_dicts():
            with st.container(width=charts.PANEL_WIDTH, border=True, gap="xsmall"):
                st.markdown(f"**{plain(district['label'])}** · {plain(district['state'])}")
                here = pl.col("district") == district["code"]
                _panel(view, selection, linked.filter(here), naep.filter(here), published, district)
    sections.meanings(linked)
    rows = pl.concat(
        [
            linked.with_columns(label=pl.lit(LINKED_LABEL)),
            naep.with_columns(label=pl.lit(NAEP_LABEL)).select(*linked.columns, "label"),
        ]
    )
    order = view.districts.select(pl.col("code").alias("district")).with_row_index("place")
    ordered = rows.join(order, on="district").sort("place", "label")
    tables.behind(
        f"Table, sources and CSV: {selection.code} and NAEP",
        lambda: _table(ordered, published, view),
        f"{selection.code}_{view.year}",
        f"Linked means and published NAEP means, {view.year}: value, interval, n, date and sources.",
        view.release.release_id,
    )


def _published_means(view: View, grade: str | None) -> pl.DataFrame:
    """The districts' own NAEP means of a grade and year, as values with their texts."""
    asked = {"grade": grade, "subgroup": "all", "school_year": view.year}
    return amounts.with_texts(release_data.values(view.release, NAEP, asked))


def _no_mean(view: View, selection: Selection) -> None:
    st.markdown(
        plain(
            f"No linked mean for {view.year}: a link needs the state's own distribution of the year and a NAEP result of the "
            "state for the grade, in the year or on both sides of it. It never reaches past the last published NAEP."
        )
    )
    found = release_data.values(view.release, selection.code, selection.chosen).filter(pl.col("value").is_not_null())
    for year in found["school_year"].unique().sort(descending=True).head(1).to_list():
        st.button(f"Show {plain(year)}, the latest year with linked means", on_click=filters.keep, args=("year", year))


def _panel(
    view: View,
    selection: Selection,
    linked: pl.DataFrame,
    naep: pl.DataFrame,
    published: pl.DataFrame,
    district: dict[str, Any],
) -> None:
    rows = pl.concat(
        [
            linked.with_columns(label=pl.lit(LINKED_LABEL), colour=pl.lit(view.colours[district["code"]])),
            naep.with_columns(label=pl.lit(NAEP_LABEL), colour=pl.lit(look.INK)).select(*linked.columns, "label", "colour"),
        ]
    )
    references = reference_lines(published, district["state"])
    numbered = rows.filter(pl.col("value").is_not_null())
    if numbered.is_empty() and linked.is_empty():
        sections.nothing_here(view, selection, district["code"])
        return
    said = [reference_said(row) for row in references.to_dicts()]
    if not numbered.is_empty():
        ends = references.select(value="mean").with_columns(lower="value", upper="value")
        held = pl.concat([numbered.select("value", "lower", "upper"), ends])
        lines = tuple((row["mean"], row["unit_type"] != "state") for row in references.to_dicts())
        alt = sections.sentence(f"{selection.indicator['name']}, {district['label']}, {view.year}", rows)
        st.vega_lite_chart(
            charts.bars(numbered, charts.axis_for(held, amounts.unit_of(_UNIT)), lines=lines),
            theme=None,
            alt=" ".join([alt, *said]),
        )
    sections.gaps(view, rows.filter(pl.col("label") == LINKED_LABEL))
    sections.marks(rows)
    if not numbered.is_empty():
        st.caption(plain(" ".join(said)))
        if rows.filter(pl.col("label") == NAEP_LABEL)["value"].count():
            st.caption("NAEP's own mean of the district is the better number of the two.")
        elif linked["value"].count():
            st.caption("NAEP has no mean of its own for the district in this grade, group and year.")
    st.caption(plain(sections.facts(linked)))


def reference_lines(published: pl.DataFrame, state: str) -> pl.DataFrame:
    """The published means of a state's and of the nation's public schools, the state first."""
    if published.is_empty():
        return pl.DataFrame(schema={"unit_type": pl.String, "unit_id": pl.String, "mean": pl.Float64, "se": pl.Float64})
    is_state = (pl.col("unit_type") == "state") & (pl.col("unit_id") == state)
    is_nation = (pl.col("unit_type") == "nation") & (pl.col("schools") == _PUBLIC)
    return published.filter(is_state | is_nation).sort("unit_type", descending=True).select("unit_type", "unit_id", "mean", "se")


def reference_said(row: dict[str, Any]) -> str:
    """A reference line in words: `Solid line: IL, public schools, 236.0 (234.2 to 237.8).`"""
    is_state = row["unit_type"] == "state"
    where = f"Solid line: {row['unit_id']}" if is_state else "Dashed line: the nation"
    error = row["se"]
    interval = f"{row['mean'] - _Z * error:.1f} to {row['mean'] + _Z * error:.1f}" if error else "error not known"
    return f"{where}, public schools, {row['mean']:.1f} ({interval})."


def _table(rows: pl.DataFrame, published: pl.DataFrame, view: View) -> pl.DataFrame:
    own = sections.table(rows, "Measure")
    states = view.districts["state"].unique(maintain_order=True).to_list()
    found = [reference_lines(published, state) for state in states]
    references = pl.concat(found).unique(maintain_order=True) if found else pl.DataFrame()
    if references.is_empty():
        return own
    interval = [
        f"{mean - _Z * error:.1f} to {mean + _Z * error:.1f} NAEP points" if error else "error not known"
        for mean, error in references.select("mean", "se").iter_rows()
    ]
    places = [
        f"{unit_id} (state)" if unit_type == "state" else "Nation"
        for unit_type, unit_id in references.select("unit_type", "unit_id").iter_rows()
    ]
    extra = pl.DataFrame(
        {
            "District": places,
            "School year": [view.year] * references.height,
            "Measure": ["NAEP, public schools"] * references.height,
            "Value": [f"{mean:.1f} NAEP points" for mean in references["mean"]],
            "95 % interval": interval,
        }
    )
    return pl.concat([own, extra], how="diagonal")

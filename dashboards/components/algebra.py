"""Algebra I indicators that are never read alone: access beside success, early access beside whom the state's test leaves out."""

from __future__ import annotations

import polars as pl
import streamlit as st

from dashboards import release_data
from dashboards.components import charts, sections, tables
from dashboards.components.choices import in_combination
from dashboards.components.sections import Selection, View
from dashboards.components.words import plain, wrapped
from pipelines.wording import amounts
from pipelines.wording.labels import listed, split_label, split_order, year_start

REACHED, SUCCEEDED, EARLY = "OC1", "OC2", "OC3"
# Each with the indicator that stands beside it.
TOGETHER = {REACHED: (REACHED, SUCCEEDED), SUCCEEDED: (REACHED, SUCCEEDED), EARLY: (EARLY, SUCCEEDED)}
_SHORT = {REACHED: "Algebra I by the end of grade 9", SUCCEEDED: "First-attempt success", EARLY: "In Algebra I by grade 8"}
_COHORTS = {"grade_8": "grade 8", "first_time_grade_9": "grade 9"}
_REPLACES = "algebra_1_in_grade_8"
_WHY = {
    REACHED: "How many reach Algebra I by the end of grade 9 says nothing without how many of them succeed the first time: a "
    "district can raise the one by lowering the other.",
    EARLY: "Students who take Algebra I in grade 8 may sit another test than their grade's; where they do, the results of "
    "grade 8 leave them out, and comparisons of that grade are refused.",
}


def section(view: View, selection: Selection) -> None:
    """What an indicator of Algebra I is always read with, for every district, before the indicator itself."""
    codes = TOGETHER[selection.code]
    defined = {row["indicator_id"]: row for row in release_data.indicators(view.release).to_dicts()}
    subgroup = sections.compared_split(selection).get("subgroup")
    found = [rows for code in codes if code in defined for rows in [_values(view, code, subgroup)] if not rows.is_empty()]
    st.markdown("#### Always read together")
    st.caption(_WHY.get(selection.code, _WHY[REACHED]) + " Each panel is a district by itself; a dark line is a 95 % interval.")
    if not found:
        st.markdown("No district has a value of either for this choice.")
        return
    rows = amounts.with_texts(pl.concat(found)).with_columns(
        label=pl.struct("indicator_id", "cohort").map_elements(
            lambda key: wrapped(_label(_SHORT[key["indicator_id"]], key["cohort"]), 19), return_dtype=pl.String
        )
    )
    instruments = release_data.instruments(view.release)
    axis = sections.axis_of(rows, amounts.unit_of("share"))
    refused = [label for code in codes for label in release_data.refusals(view.release, code, {"subgroup": subgroup}, view.year)]
    if refused:
        why = listed(list(dict.fromkeys(label.lower() for label in refused)))
        st.caption(f"The panels are **not on a common scale**: some districts may not be compared here ({plain(why)}).")
    if note := sections.range_note(rows):
        st.caption(note.strip())
    st.markdown(f"**{plain(view.year)} · {plain(split_label('subgroup', subgroup))}**")
    with st.container(horizontal=True):
        for district in view.districts.to_dicts():
            with st.container(width=charts.PANEL_WIDTH, border=True, gap="xsmall"):
                st.markdown(f"**{plain(district['label'])}**")
                own = rows.filter(pl.col("district") == district["code"])
                if own.is_empty():
                    sections.nothing_here(view, selection, district["code"])
                elif not (shown := own.filter(amounts.is_shown())).is_empty():
                    colour = pl.lit(view.colours[district["code"]])
                    st.vega_lite_chart(
                        charts.bars(shown.with_columns(colour=colour), axis),
                        theme=None,
                        alt=sections.sentence(f"Algebra I, {district['label']}, {view.year}", own),
                    )
                if not own.is_empty():
                    sections.gaps(view, own)
                    st.caption(plain(sections.facts(own)))
                if selection.code == EARLY:
                    st.caption(plain(test_rule(instruments, district["state"], view.year)))
    order = view.districts.select(pl.col("code").alias("district")).with_row_index("place")
    ordered = rows.join(order, on="district").sort("place", maintain_order=True)
    tables.behind(
        "Table, sources and CSV: read together",
        lambda: sections.table(ordered, "Measure"),
        f"algebra_{selection.code}_{view.year}",
        f"Algebra I indicators that are read together, {view.year}: value, interval, n, date and sources.",
        view.release.release_id,
    )


def _label(name: str, cohort: str | None) -> str:
    """An indicator as it stands at a bar: short, with the grade of its cohort."""
    return f"{name}, {_COHORTS.get(cohort, split_label('cohort', cohort))}" if cohort else name


def _values(view: View, code: str, subgroup: str | None) -> pl.DataFrame:
    """The whole of an indicator in the year, for one student group: all courses, every cohort."""
    whole = {name: None for name in release_data.SPLITS if name not in ("cohort", "subgroup")}
    rows = release_data.values(view.release, code, {"school_year": view.year, "subgroup": subgroup})
    rows = in_combination(rows, whole)
    order = sorted(rows["cohort"].unique().to_list(), key=lambda cohort: split_order("cohort", cohort))
    places = pl.DataFrame(
        {"cohort": order, "cohort_place": range(len(order))}, schema={"cohort": pl.String, "cohort_place": pl.Int64}
    )
    return rows.join(places, on="cohort", how="left", nulls_equal=True).sort("district", "cohort_place").drop("cohort_place")


def test_rule(instruments: pl.DataFrame, state: str, school_year: str) -> str:
    """Which test students in Algebra I sit in grade 8, by the tests of a state in a year, in a sentence."""
    year = year_start(school_year)
    first = pl.col("first_school_year").str.slice(0, 4).cast(pl.Int64, strict=False).fill_null(0)
    last = pl.col("last_school_year").str.slice(0, 4).cast(pl.Int64, strict=False).fill_null(9999)
    own = instruments.filter((pl.col("state") == state) & (first <= year) & (last >= year))
    rules = set(own["course_test_replaces"].drop_nulls().to_list())
    if _REPLACES in rules:
        return (
            f"{state}: students who take Algebra I in grade 8 sit the course test instead of the grade's, so the results of "
            "grade 8 leave them out."
        )
    if rules == {"none"}:
        return f"{state}: students who take Algebra I in grade 8 sit the grade's test like everybody."
    return f"{state}: whether students in Algebra I sit the grade's test is not known for {school_year}."

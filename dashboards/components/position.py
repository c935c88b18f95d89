"""Position in the own state: one panel a district with its years, each year against the mean of its own state.

The panels are never on one scale, and a line joins only years that the verdicts let be compared.
"""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from dashboards import release_data
from dashboards.components import charts, sections, tables, years
from dashboards.components.sections import Selection, View
from dashboards.components.words import plain
from pipelines.wording import amounts
from pipelines.wording.labels import listed, year_start

# What the bars of a panel stand for, so that every breakdown is chosen.
SPREAD = "school_year"


def section(view: View, selection: Selection) -> None:
    """Position in the own state over the years, for one value of every breakdown."""
    rows = amounts.with_texts(release_data.values(view.release, selection.code, selection.chosen))
    rows = rows.with_columns(label=pl.col("school_year"))
    verdicts = release_data.over_years(view.release, selection.code, selection.chosen)
    against = release_data.beside_state(view.release, selection.code, selection.chosen)
    if selection.text:
        st.markdown(f"**{plain(selection.text)}**")
    st.caption(
        "One panel a district, each with its own axis: **not on a common scale**, because every value is a place among the "
        "students of its own state and states are not at the same level. The line at 0 is the mean of the district's own state "
        "in that year; below it the district's students stand lower than the state's. A dark line is a 95 % interval. A line "
        "joins only years that a verdict lets be compared; a dashed line marks where it does not."
    )
    with st.container(horizontal=True):
        for district in view.districts.to_dicts():
            with st.container(width=charts.PANEL_WIDTH, border=True, gap="xsmall"):
                st.markdown(f"**{plain(district['label'])}** · {plain(district['state'])}")
                here = pl.col("district") == district["code"]
                own_against = against.filter(here) if not against.is_empty() else against
                _panel(view, selection, rows.filter(here), district, verdicts, own_against)
    sections.meanings(rows)
    order = view.districts.select(pl.col("code").alias("district")).with_row_index("place")
    ordered = rows.join(order, on="district").sort("place", "school_year")
    tables.behind(
        f"Table, sources and CSV: {selection.code}",
        lambda: sections.table(ordered, "Year").drop("Year"),
        f"{selection.code}_{view.year}",
        f"{selection.indicator['name']}: value, interval, n, date, test and sources of every number above.",
        view.release.release_id,
    )


def _panel(
    view: View, selection: Selection, rows: pl.DataFrame, district: dict[str, Any], verdicts: pl.DataFrame, against: pl.DataFrame
) -> None:
    if rows.is_empty():
        sections.nothing_here(view, selection, district["code"])
        return
    joined, breaks = sections.run_of(rows, district["code"], verdicts)
    if not joined.is_empty():
        unit = amounts.unit_of(joined["unit"][0])
        ends = pl.DataFrame({"value": [0.0]}).with_columns(lower="value", upper="value")
        held = pl.concat([joined.select("value", "lower", "upper"), ends])
        st.vega_lite_chart(
            charts.trend(
                joined.with_columns(colour=pl.lit(view.colours[district["code"]])),
                [year_start(change.after) - 0.5 for change in breaks],
                charts.trend_axis(held, unit),
                zero=True,
            ),
            theme=None,
            alt=" ".join(
                [
                    sections.sentence(f"{selection.indicator['name']}, {district['label']}, against its own state's mean", rows),
                    *map(years.break_sentence, breaks),
                ]
            ),
        )
    sections.gaps(view, rows)
    sections.marks(rows)
    for line in against_state(against):
        st.markdown(line)
    is_told = not against.is_empty() and not against["is_comparable"].all()
    for sentence in years.break_sentences(breaks, has_reasons=not is_told):
        st.markdown(plain(sentence))
    st.caption(plain(sections.facts(rows)))


def against_state(rows: pl.DataFrame) -> list[str]:
    """What may be said of each year against the state's mean, years with one verdict together, as lines of Markdown."""
    if rows.is_empty():
        return []
    lines = []
    refused, comparable = rows.filter(~pl.col("is_comparable")), rows.filter(pl.col("is_comparable"))
    for (finding,), part in comparable.group_by(["finding"], maintain_order=True):
        where = {"higher": "Above", "lower": "Below"}.get(str(finding))
        when = plain(listed(part["school_year"].to_list()))
        lines.append(
            f"**{where} the state's mean** in {when}." if where else f"No difference from the state's mean detected in {when}."
        )
    for (label, remedy), part in refused.group_by(["verdict_label", "remedy"], maintain_order=True):
        when = plain(listed(part["school_year"].to_list()))
        # The reasons of the years differ in their numbers only: the latest stands for them.
        reason = plain(str(part["reason"][-1]))
        lines.append(
            f"**Not set against the state's mean** in {when} ({plain(str(label)).lower()}). {reason} *What would lift it:* "
            f"{plain(str(remedy))}"
        )
    return lines

"""All indicators of a page at a glance: one card an indicator with every district's number, each leading to the whole of it.

A card shows the one value that stands for an indicator; the choices, the years and the details belong to `sections`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import polars as pl
import streamlit as st

from dashboards import release_data
from dashboards.components import charts, choices, filters, sections, tables
from dashboards.components.choices import Indicator
from dashboards.components.sections import Band, View
from dashboards.components.words import plain, side_by_side
from pipelines.wording import amounts
from pipelines.wording.labels import flag_codes, flag_words, humanised, listed, split_label

# A district without a row: nothing certified says anything of it, for whatever reason.
NO_ROW = "no certified number"


def cards(
    view: View,
    indicators: Sequence[Indicator],
    rows: pl.DataFrame,
    name: str,
    bands: Mapping[str, Band] | None = None,
    fixed: Collection[str] = (),
) -> None:
    """One card an indicator.

    `rows`: the values of whole districts of all these indicators; `name` is of the table behind them; `bands`: what is marked on
    an axis, by unit; `fixed`: breakdowns that the page has chosen, and that its cards need not say.
    """
    st.caption(
        "The value that stands for each indicator; open one for its parts, its years, its groups of schools and its verdicts. A "
        "dark line is a 95 % interval, a star a number to read with its note. Districts stand in a fixed order, never by value. "
        + side_by_side(has_verdicts=release_data.has_verdicts(view.release))
        + sections.range_note(rows.filter(pl.col("school_year") == view.year))
    )
    shown = []
    with st.container(horizontal=True):
        for indicator in indicators:
            own = rows.filter(pl.col("indicator_id") == indicator["indicator_id"])
            with st.container(width=charts.PANEL_WIDTH, border=True, gap="xsmall"):
                shown.append(_card(view, indicator, own, bands or {}, fixed))
    found = [part for part in shown if part is not None]
    if not found:
        return
    together = pl.concat(found, how="diagonal")
    sections.meanings(together)
    tables.behind(
        "Table, sources and CSV: all of the above",
        lambda: _table(together),
        f"{name}_{view.year}",
        "Every number above with indicator, district, interval, n, date and sources.",
        view.release.release_id,
    )


def _table(rows: pl.DataFrame) -> pl.DataFrame:
    measures = sections.table(rows.with_columns(label="measure"), "Measure")
    return measures.select(rows["indicator"].alias("Indicator"), "Measure", pl.exclude("Measure"))


def _card(
    view: View, indicator: Indicator, rows: pl.DataFrame, bands: Mapping[str, Band], fixed: Collection[str]
) -> pl.DataFrame | None:
    """Draw one card; returns the rows that it shows, None where it shows no number."""
    code = str(indicator["indicator_id"])
    st.button(
        f"**{plain(indicator['name'])}** ({plain(code)})",
        key=f"open.indicator.{code}",
        type="tertiary",
        icon=":material/chevron_right:",
        icon_position="right",
        on_click=_open,
        args=(code,),
        help=plain(indicator["definition"] or ""),
    )
    shown = rows.filter(amounts.is_shown())
    if shown.is_empty():
        _nothing(rows)
        return None
    if indicator["basis"] == "own_test":
        n_districts = shown.filter(pl.col("school_year") == view.year)["district"].n_unique()
        st.markdown(f"Numbers for {n_districts} of {view.districts.height} districts in {plain(view.year)}.")
        st.caption("Every state has its own test, so no two districts stand in one list; each is shown by itself.")
        return None
    combinations = choices.combinations_of(rows)
    chosen = choices.headline(combinations, view.year, indicator)
    year = choices.in_combination(rows.filter(pl.col("school_year") == view.year), chosen)
    if year.filter(amounts.is_shown()).is_empty():
        latest = shown["school_year"].max()
        why = sorted(set(amounts.with_texts(year)["why"].drop_nulls()))
        reason = f" ({listed(why)})" if why else ""
        st.markdown(plain(f"No value for {view.year}{reason}. Latest year with a value: {latest!s}."))
        return None
    said = {field: code for field, code in chosen.items() if field not in fixed}
    what = stands_for(said, combinations, sections.labels(view.release, combinations))
    unit = amounts.unit_of(year["unit"][0])
    st.caption(plain(" · ".join(part for part in (unit.axis, what) if part)))
    named = by_district(view, amounts.with_texts(year))
    apart = choices.why_apart(indicator, year, release_data.refusals(view.release, code, chosen, view.year))
    if apart:
        _listed(named)
        st.caption(f"**Not on a common scale:** {plain(apart)}.")
    else:
        drawn = named.with_columns(short=pl.coalesce("short", "why"))
        band = bands.get(year["unit"][0] or "")
        st.vega_lite_chart(
            charts.bars(drawn, sections.axis_of(drawn, unit, band), band),
            theme=None,
            alt=sections.sentence(f"{indicator['name']}, {view.year}", named),
        )
    _marks(named)
    measure = " · ".join(part for part in (str(indicator["name"]), what) if part)
    return named.with_columns(indicator=pl.lit(code), measure=pl.lit(measure))


def _open(code: str) -> None:
    filters.forget(sections.WITHIN_ONE)
    filters.keep("indicator", code)


def _nothing(rows: pl.DataFrame) -> None:
    if rows.is_empty():
        st.markdown("No value yet: no certified file of any district holds what this is counted from.")
        return
    st.markdown("No number can be shown: every one is withheld, unavailable or not applicable. Open it for the reasons.")


def stands_for(chosen: dict[str, str | None], combinations: pl.DataFrame, labels: dict[tuple[str, str], str]) -> str:
    """What a headline value stands for, in words: the breakdowns that are not left whole."""
    parts = [
        split_label(name, code, labels)
        for name, code in chosen.items()
        # A measure that is named like its unit says nothing new.
        if code not in (None, "all", "share", "hours") and combinations[name].n_unique() + (name != "statistic") > 1
    ]
    return " · ".join(parts)


def by_district(view: View, rows: pl.DataFrame) -> pl.DataFrame:
    """One row a district (more where its instruments differ), in the page's order, missing districts with the reason."""
    order = view.districts.select(pl.col("code").alias("district"), pl.col("label").alias("district_name")).with_row_index(
        "position"
    )
    joined = order.join(rows, on="district", how="left", maintain_order="left")
    several = pl.len().over("district") > 1
    label = pl.when(several & pl.col("instrument").is_not_null()).then(
        pl.col("district_name") + "\n" + pl.col("instrument").str.replace_all("_", " ")
    )
    return joined.with_columns(
        pl.col("district_label").fill_null(pl.col("district_name")),
        pl.col("school_year").fill_null(view.year),
        pl.col("position").cast(pl.Int64),
        label=label.otherwise("district_name"),
        why=pl.when(pl.col("said").is_null()).then(pl.col("why").fill_null(NO_ROW)),
        colour=pl.col("district").replace_strict(view.colours, return_dtype=pl.String),
    )


def _listed(rows: pl.DataFrame) -> None:
    lines = [
        f"* {plain(row['label'].replace(chr(10), ', '))}: "
        + (f"**{plain(_starred(row))}**" if row["said"] else plain(row["why"]))
        + (f" ({plain(row['interval_said'])})" if row["interval_said"] else "")
        for row in rows.to_dicts()
    ]
    st.markdown("\n".join(lines))


def _starred(row: dict[str, Any]) -> str:
    return f"{row['said']} *" if row["marks"] else str(row["said"])


def _marks(rows: pl.DataFrame) -> None:
    """Which districts' numbers and ranges are to be read with care, a line for each flag."""
    at: dict[str, list[str]] = {}
    shown = rows.filter(amounts.is_shown())
    for row in shown.select("district_label", "flags").to_dicts():
        for code in flag_codes(row["flags"]):
            at.setdefault(code, []).append(row["district_label"])
    for code, districts in at.items():
        where = "all" if len(districts) == shown.height else listed(list(dict.fromkeys(districts)))
        st.caption(f"\\* {plain(humanised(flag_words(code)[0]))}: {plain(where)}")

"""One district compared: every other district beside it in four bins, and its own years, each with the verdict of the release.

A verdict is read and never made here: nothing on this page orders districts by value, and what may not be compared is shown as
clearly as what may. Queries belong to `release_data`, drawing to `charts`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl
import streamlit as st

from dashboards import release_data
from dashboards.components import charts, filters, sections, tables
from dashboards.components.sections import Selection, View
from dashboards.components.words import plain
from pipelines.wording import amounts, look
from pipelines.wording.labels import listed

LIFT = "What would lift it:"
_BREAK = "trend_break"
# Comparable, whatever the difference: its reason is said by the bin and its intervals.
_NOTHING_TO_LIFT = "Nothing is needed."
_BIN_WIDTH = 360


def bins(rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The pairs of `release_data.beside` in four bins: `higher`, `none` (no difference detected), `lower`, `refused`.

    The order within a bin is the one given.
    """
    comparable = pl.col("is_comparable").fill_null(False)
    finding = pl.col("finding").fill_null("")
    return {
        "higher": rows.filter(comparable & (finding == "higher")),
        "none": rows.filter(comparable & (finding == "")),
        "lower": rows.filter(comparable & (finding == "lower")),
        "refused": rows.filter(~comparable),
    }


def consecutive(rows: pl.DataFrame) -> pl.DataFrame:
    """Of all pairs of years of one district: each year with the one before it that there is, and the last with the first.

    `is_span` marks the last with the first, which is there from three years on.
    """
    if rows.is_empty():
        return rows.with_columns(is_span=pl.lit(False))
    near = rows.filter(pl.col("other_school_year") == pl.col("other_school_year").max().over("school_year"))
    first, last = rows["other_school_year"].min(), rows["school_year"].max()
    span = rows.filter((pl.col("other_school_year") == first) & (pl.col("school_year") == last))
    is_near = near.select("school_year", "other_school_year").rows()
    ends = span if (last, first) not in is_near else span.clear()
    return pl.concat([near.sort("school_year").with_columns(is_span=pl.lit(False)), ends.with_columns(is_span=pl.lit(True))])


def section(view: View, selection: Selection, split: Mapping[str, str | None] | None = None) -> None:
    """What may be said of the focal district beside the others and over its years, for what is followed in a section.

    `split`: the value of every breakdown, where it is not the one followed over the years. Nothing in a release without verdicts.
    """
    if not release_data.has_verdicts(view.release):
        return
    labels: dict[str, str] = dict(view.districts.select("code", "label").iter_rows())
    if view.focal is None:
        _choose(view)
        return
    split = sections.compared_split(selection) if split is None else dict(split)
    what = " · ".join(part for part in (view.year, *_said(selection, split)) if part)
    name = labels[view.focal]
    st.subheader(f"Compared with {plain(name)}", anchor=False)
    st.markdown(f"**{plain(what)}**")
    rows = release_data.beside(view.release, selection.code, view.focal, view.year, split)
    if rows.is_empty():
        st.markdown(plain(f"No district has a value for this in {view.year}, so there is nothing to set beside {name}."))
    else:
        _focal_value(view, selection, split, name)
        _bins(view, selection, amounts.with_difference_texts(rows), name)
    own = release_data.over_years(view.release, selection.code, split)
    _years(view, selection, amounts.with_difference_texts(own.filter(pl.col("district") == view.focal)), name)


def _said(selection: Selection, split: Mapping[str, str | None]) -> list[str]:
    """What is compared, in words: the breakdowns that were to be chosen, and the one that is followed."""
    named = [name for name in (*selection.split, selection.spread) if name in split]
    labels = dict.fromkeys(selection.label(str(name), split[str(name)]) for name in named if name)
    whole = ["All schools together"] if selection.schools else []
    return [*whole, *(label for label in labels if label != "All")]


def _choose(view: View) -> None:
    st.subheader("Compared with one district", anchor=False)
    st.markdown(
        "Choose a district. Every other one then stands beside it as higher, lower, no difference detected, or not to be "
        "compared, with the reason and what would lift it; and its own years stand beside each other."
    )
    with st.container(horizontal=True, gap="small"):
        for code, label in view.districts.select("code", "label").sort("label").iter_rows():
            st.button(plain(label), key=f"compare.{code}", on_click=filters.keep, args=("focal", code))


def _focal_value(view: View, selection: Selection, split: Mapping[str, str | None], name: str) -> None:
    chosen = {**split, "school_year": view.year, "district": view.focal}
    own = amounts.with_texts(release_data.values(view.release, selection.code, chosen))
    for row in own.filter(amounts.is_shown()).to_dicts():
        interval = f" ({row['interval_said']})" if row["interval_said"] else ""
        interval = " (protected range, so it is compared with nobody)" if row["value"] is None else interval
        n = f", n = {row['n']:,}" if row["n"] is not None else ""
        date = f", as of {row['as_of']}" if row["as_of"] else ""
        st.markdown(plain(f"{name}: {row['said']}{interval}{n}{date}."))


def _bins(view: View, selection: Selection, rows: pl.DataFrame, name: str) -> None:
    comparable = rows.filter(pl.col("is_comparable"))
    st.caption(_how_to_read(selection, comparable, name))
    held = bins(rows)
    titles = {"higher": f"Higher than {name}", "none": "No difference detected", "lower": f"Lower than {name}"}
    # In a unit that varies no axis holds them all.
    unit = comparable["unit"].drop_nulls().unique()
    axis = charts.axis_for(comparable, amounts.difference_of(unit[0])) if len(unit) == 1 else None
    with st.container(horizontal=True):
        for key, title in titles.items():
            with st.container(width=_BIN_WIDTH, height="stretch", border=True, gap="xsmall"):
                st.markdown(f"#### {plain(title)}")
                _bin(view, selection, held[key], f"{title}, {view.year}", axis)
        with st.container(border=True, gap="xsmall"):
            st.markdown("#### Cannot be compared, because …")
            _refused(held["refused"])
    tables.behind(
        f"Table and CSV: compared with {name}",
        lambda: _table(rows),
        f"{selection.code}_{view.year}_beside_{view.focal}",
        f"{selection.indicator['name']}, {view.year}: every other district beside {name}, with verdict, interval and reason.",
        view.release.release_id,
    )


def _how_to_read(selection: Selection, comparable: pl.DataFrame, name: str) -> str:
    direction = selection.indicator["direction"]
    meant = f" Declared direction: {direction}." if direction else " No direction is declared for this indicator."
    parts = [
        "In alphabetical order. Higher and lower say which number is larger, not which district does better." + meant,
    ]
    if comparable["difference"].count():
        parts.append(f"A difference is the other district less {name}.")
        if comparable.filter(~pl.col("is_census")).height:
            parts.append(
                "Its 95 % interval is of the one pair; the verdict looks at all pairs of districts at once and asks for more, so "
                "an interval may leave out 0 where no difference is detected."
            )
    return plain(" ".join(parts))


def _bin(view: View, selection: Selection, rows: pl.DataFrame, title: str, axis: charts.Axis | None) -> None:
    if rows.is_empty():
        st.caption("No district.")
        return
    named = _named(rows, "other_label")
    if axis is not None and named["value"].count():
        colours = pl.col("other").replace_strict(view.colours, default=look.QUIET, return_dtype=pl.String)
        st.vega_lite_chart(
            charts.bars(named.with_columns(colour=colours), axis),
            theme=None,
            alt=f"{selection.indicator['name']}. {title}: {_sentence(named)}.",
        )
    st.markdown("\n".join(f"* {_line(row)}" for row in named.to_dicts()))
    _reasons(named, "label")


def _line(row: dict[str, object]) -> str:
    said = f": {row['said']}" if row["said"] else ""
    interval = f" ({row['interval_said']})" if row["interval_said"] else ", everybody counted" if row["is_census"] else ""
    return f"**{plain(str(row['label']))}**{plain(said + interval) if said else ''}"


def _sentence(rows: pl.DataFrame) -> str:
    return "; ".join(
        f"{row['label']} {row['said'] or row['verdict_label']}" + (f" ({row['interval_said']})" if row["interval_said"] else "")
        for row in rows.to_dicts()
    )


def _named(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    """The rows with `label`, which names the instrument too where a district has several."""
    several = pl.len().over(column) > 1
    instrument = pl.col("instrument").str.replace_all("_", " ")
    label = pl.when(several & instrument.is_not_null()).then(pl.col(column) + ", " + instrument).otherwise(pl.col(column))
    return rows.with_columns(label=label)


def _reasons(rows: pl.DataFrame, column: str) -> None:
    """Why, once for everybody where it is one reason, else by name."""
    reasons = rows["reason"].unique(maintain_order=True).to_list()
    for reason in reasons:
        at = rows.filter(pl.col("reason").eq_missing(reason))[column].unique(maintain_order=True).to_list()
        st.caption(plain(f"{reason or 'No reason is given.'}" if len(reasons) == 1 else f"{listed(at)}: {reason}"))


def _refused(rows: pl.DataFrame) -> None:
    if rows.is_empty():
        st.caption("Every other district may be compared here.")
        return
    named = _named(rows, "other_label")
    groups = list(named.sort("sort_order", maintain_order=True).group_by("verdict_label", "remedy", maintain_order=True))
    with st.container(horizontal=True, gap="medium"):
        for (label, remedy), part in groups:
            with st.container(width=_BIN_WIDTH - 20 if len(groups) > 1 else "stretch", gap="xsmall"):
                st.markdown(f"**{plain(str(label))}:** {plain(listed(part['label'].unique(maintain_order=True).to_list()))}")
                reasons = part["reason"].unique(maintain_order=True).to_list()
                if len(reasons) == 1:
                    st.markdown(plain(str(reasons[0])))
                else:
                    told = part.unique(["label", "reason"], maintain_order=True).to_dicts()
                    st.markdown("\n".join(f"* {plain(row['label'])}: {plain(row['reason'] or '')}" for row in told))
                if remedy:
                    st.markdown(f"*{LIFT}* {plain(str(remedy))}")


def _years(view: View, selection: Selection, rows: pl.DataFrame, name: str) -> None:
    st.markdown(f"#### Over the years: {plain(name)}")
    if rows.is_empty():
        st.markdown("There is one year only, or none, so no two years can be set beside each other.")
        return
    pairs = consecutive(rows)
    several = pl.struct("school_year", "other_school_year").is_duplicated()
    instruments = pl.concat_str(
        [pl.lit(", "), pl.coalesce("instrument", pl.lit("instrument not named")).str.replace_all("_", " ")]
    )
    span = pl.col("other_school_year") + " to " + pl.col("school_year")
    pairs = pairs.with_columns(label=pl.when(several).then(span + instruments).otherwise(span))
    numbered = pairs.filter(pl.col("value").is_not_null())
    with st.container(horizontal=True):
        if not numbered.is_empty():
            with st.container(width=charts.WIDE_PANEL_WIDTH, gap="xsmall"):
                drawn = pairs.with_columns(
                    label=pl.col("label").str.replace(" to ", " to\n", literal=True).str.replace(", ", ",\n", literal=True),
                    short=pl.coalesce("short", pl.col("verdict_label").str.to_lowercase()),
                    colour=pl.lit(view.colours.get(str(view.focal), look.QUIET)),
                )
                axis = charts.axis_for(numbered, amounts.difference_of(numbered["unit"][0]))
                st.vega_lite_chart(
                    charts.bars(drawn, axis),
                    theme=None,
                    alt=f"{selection.indicator['name']}, {name}, later year less earlier year: {_sentence(pairs)}.",
                )
                interval = "" if numbered["is_census"].all() else ", with its 95 % interval"
                st.caption(f"The later year less the earlier one{interval}.")
        with st.container(width=charts.WIDE_PANEL_WIDTH, gap="xsmall"):
            _year_lines(pairs)
    tables.behind(
        f"Table and CSV: all {rows.height} pairs of years of {name}"
        if rows.height > 1
        else f"Table and CSV: the pair of years of {name}",
        _years_table_of(rows),
        f"{selection.code}_years_{view.focal}",
        f"{selection.indicator['name']}, {name}: every pair of years with verdict, interval and reason.",
        view.release.release_id,
    )


def _year_lines(pairs: pl.DataFrame) -> None:
    """Every pair in words; pairs that are refused for one reason are said together."""
    for (verdict, _, reason), part in pairs.group_by("verdict", "finding", "reason", maintain_order=True):
        first = part.to_dicts()[0]
        which = listed(part["label"].to_list())
        if not first["is_comparable"]:
            head = "Break" if verdict == _BREAK else str(first["verdict_label"])
            st.markdown(f"**{plain(head)}**, {plain(which)}: {plain(str(reason))} *{LIFT}* {plain(str(first['remedy']))}")
            continue
        head = {"higher": "Higher", "lower": "Lower"}.get(str(first["finding"]), str(first["verdict_label"]))
        told = [
            f"{row['label']} {row['said']}" + (f" ({row['interval_said']})" if row["interval_said"] else "")
            for row in part.to_dicts()
        ]
        st.markdown(f"**{plain(head)}:** {plain('; '.join(told))}.")
        st.caption(plain(str(reason)))


def _years_table_of(rows: pl.DataFrame) -> Callable[[], pl.DataFrame]:
    def build() -> pl.DataFrame:
        return rows.select(
            pl.col("school_year").alias("Year"), pl.col("other_school_year").alias("Against"), *_columns("The later year is")
        )

    return build


def _table(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(pl.col("other_label").alias("District"), *_columns("It is"))


def _columns(title: str) -> list[pl.Expr]:
    return [
        pl.col("verdict_label").alias("Verdict"),
        pl.col("finding").alias(title),
        pl.col("said").alias("Difference"),
        pl.when(pl.col("is_census") & pl.col("is_comparable"))
        .then(pl.lit("everybody counted"))
        .otherwise("interval_said")
        .alias("95 % interval"),
        pl.col("n_in_family").cast(pl.String).alias("Pairs tested together"),
        pl.col("reason").alias("Reason"),
        pl.when(pl.col("remedy") != _NOTHING_TO_LIFT).then("remedy").alias("What would lift it"),
    ]

"""A programme's design principles: who rated what, and the rule that decided, in words.

Raters stand side by side and are never merged. Which indicator holds ratings follows from its units; none is named here.
"""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from dashboards.components import charts, sections, tables
from dashboards.components.sections import View
from dashboards.components.words import plain
from pipelines.wording import amounts
from pipelines.wording.labels import flag_sentence, gap_sentence, humanised, rule_codes, split_label, split_order

DECISION, RATING = "accomplished", "rating"


def rubric(view: View, rows: pl.DataFrame) -> None:
    """The decision of every rater with its rule, and one table of all ratings; nothing where `rows` hold no ratings.

    `rows`: the values of one programme in whole districts; the rater is the category, the principle the statistic.
    """
    ratings = rows.filter(pl.col("unit").is_in([DECISION, RATING]))
    if ratings.is_empty():
        return
    st.subheader("The rule that decided", anchor=False)
    st.caption(
        "Accomplished: no principle is undeveloped, at most three are developing, principle A is accomplished, and at least one "
        "of G, H and I is. A programme's rating of itself and a reviewer's stand side by side; neither corrects the other."
    )
    labels = sections.labels(view.release, ratings)
    now = amounts.with_texts(ratings.filter(pl.col("school_year") == view.year))
    decisions = now.filter(pl.col("unit") == DECISION)
    with st.container(horizontal=True):
        for district in view.districts.to_dicts():
            with st.container(width=charts.PANEL_WIDTH, border=True, gap="xsmall"):
                st.markdown(f"**{plain(district['label'])}**")
                own = decisions.filter(pl.col("district") == district["code"])
                if own.is_empty():
                    st.markdown(plain(f"No rating for {view.year}."))
                for row in _in_order(own, "category"):
                    st.markdown(f"**{plain(split_label('category', row['category'], labels))}:** {plain(_decision(row))}")
    if now.is_empty():
        return
    tables.behind(
        "Every principle's rating, with CSV",
        lambda: _table(view, now, labels),
        f"rubric_{view.year}",
        "The rating of every principle by every rater, a row for each district and principle.",
        view.release.release_id,
    )


def _in_order(rows: pl.DataFrame, field: str) -> list[dict[str, Any]]:
    return sorted(rows.to_dicts(), key=lambda row: split_order(field, row[field]))


def _decision(row: dict[str, Any]) -> str:
    """What a rater's ratings come to, and by which rule."""
    rules = " ".join(flag_sentence(code) for code in rule_codes(row["flags"]))
    if row["value"] is None:
        return rules or gap_sentence(row["symbol"])
    return rules or f"{humanised(row['said'])}."


def _table(view: View, rows: pl.DataFrame, labels: dict[tuple[str, str], str]) -> pl.DataFrame:
    """District, principle, and a column for each rater."""
    raters = sorted(rows["category"].unique().to_list(), key=lambda code: split_order("category", code))
    principles = sorted(rows["statistic"].unique().to_list(), key=lambda code: split_order("statistic", code))
    titles = {code: split_label("category", code, labels) for code in raters}
    names = {code: _principle(code, labels) for code in principles}
    order = view.districts.select(pl.col("code").alias("district")).with_row_index("place")
    wide = (
        rows.with_columns(
            cell=pl.coalesce("said", "why"), rater=pl.col("category").replace_strict(titles, return_dtype=pl.String)
        )
        .join(order, on="district", how="left")
        .with_columns(
            principle=pl.col("statistic").replace_strict(names, return_dtype=pl.String),
            rank=pl.col("statistic").replace_strict(
                {code: place for place, code in enumerate(principles)}, return_dtype=pl.Int64
            ),
        )
        .pivot("rater", index=["place", "district_label", "rank", "principle"], values="cell", aggregate_function="first")
        .sort("place", "rank")
    )
    return wide.select(
        pl.col("district_label").alias("District"),
        pl.col("principle").alias("Principle"),
        *(pl.col(title).fill_null("not rated") for title in titles.values()),
    )


def _principle(code: str | None, labels: dict[tuple[str, str], str]) -> str:
    if code is None:
        return "The programme as a whole"
    label = labels.get(("statistic", code))
    return f"{code} {label}" if label else f"Principle {code}"

"""Overview: what is certified for each challenge and district, and what happened last."""

from __future__ import annotations

import polars as pl
import streamlit as st

from dashboards import release_data
from dashboards.components import filters, tables
from dashboards.components.sections import IN_FORCE
from dashboards.components.words import plain
from pipelines.release.reader import Release
from pipelines.wording.labels import CHALLENGES, humanised, listed, years_text

LATEST = 10


def page(release: Release) -> None:
    """Draw the page. Raises NoRelease."""
    st.title("National Math Improvement Project", anchor=False)
    districts = release_data.districts(release)
    if districts.is_empty():
        st.markdown("This release names no districts and holds no values yet. The next release will, once files are certified.")
        return
    covered = release_data.coverage(release)
    # Published results that stand on no district's file are not certified by anybody.
    published = release_data.indicators(release).filter(pl.col("basis") == "naep")["indicator_id"].to_list()
    covered = covered.filter(~pl.col("indicator_id").is_in(published))
    _headline(districts, covered)
    focal = filters.focal_district(districts)
    _matrix(release, filters.in_order(districts, focal), covered)
    _changes(release, districts)


def _headline(districts: pl.DataFrame, covered: pl.DataFrame) -> None:
    numbered = covered.filter(pl.col("n_values") > 0)
    if numbered.is_empty():
        st.markdown("No number can be shown in this release: nothing is certified yet, or every number is withheld.")
        return
    without = districts.filter(~pl.col("code").is_in(numbered["district"].unique().to_list()))["label"].to_list()
    n_indicators = numbered["indicator_id"].n_unique()
    many = "indicator" if n_indicators == 1 else "indicators"
    years = years_text(numbered["school_year"].unique().to_list())
    n_with = districts.height - len(without)
    text = f"{n_with} of {districts.height} districts have certified numbers here, on {n_indicators} {many}, for {years}."
    if without:
        text += f" Without a number so far: {listed(without)}."
    st.markdown(plain(text))


def _matrix(release: Release, districts: pl.DataFrame, covered: pl.DataFrame) -> None:
    st.subheader("What is certified", anchor=False)
    st.caption(
        "Each cell: school years with certified numbers, and the date of the latest certification behind them. An empty place "
        "says why it is empty. Nothing here orders or rates districts."
    )
    defined = release_data.indicators(release)
    n_defined = {code: defined.filter(pl.col("challenge") == code).height for code in CHALLENGES}
    cells = {
        (row["challenge"], row["district"]): (row["years"], row["as_of"], row["n_values"])
        for row in covered.group_by("challenge", "district")
        .agg(
            pl.col("school_year").filter(pl.col("n_values") > 0).unique().alias("years"),
            pl.col("as_of").max(),
            pl.col("n_values").sum(),
        )
        .to_dicts()
    }

    def cell(challenge: str, district: str) -> str:
        if not n_defined[challenge]:
            return "no indicator yet"
        years, date, n_values = cells.get((challenge, district), ([], None, None))
        if n_values is None:
            return "nothing certified"
        if not n_values:
            return "certified; every number withheld or unavailable"
        return f"{years_text(years)}, as of {date or 'an unknown date'}"

    matrix = pl.DataFrame(
        {"Challenge": [_with_count(name, n_defined[code]) for code, name in CHALLENGES.items()]}
        | {
            district["label"]: [cell(challenge, district["code"]) for challenge in CHALLENGES]
            for district in districts.to_dicts()
        }
    )
    tables.show(matrix, "overview", "Challenges by districts: what is certified, and since when.", release.release_id)
    missing = [name for code, name in CHALLENGES.items() if not n_defined[code]]
    if missing:
        st.markdown(plain(f"No indicator is defined yet for {listed(missing)}."))


def _with_count(challenge: str, n_indicators: int) -> str:
    return f"{challenge} ({n_indicators} indicator{'s' if n_indicators > 1 else ''})" if n_indicators else challenge


def _changes(release: Release, districts: pl.DataFrame) -> None:
    named = release_data.submissions(release).join(
        districts.select(pl.col("code").alias("district"), pl.col("label").alias("District")),
        on="district",
        how="left",
    )
    what = named.with_columns(
        pl.col("District").fill_null(pl.col("district")),
        pl.Series(
            "File",
            [f"{humanised(row[0])} {row[1]}" for row in named.select("extract", "school_year").rows()],
            dtype=pl.String,
        ),
    )
    st.subheader("What changed last", anchor=False)
    st.caption("The latest certifications in this release. A number above 1 is a delivery that replaced an earlier one.")
    latest = what.filter(pl.col("certified_at").is_not_null()).sort("certified_at", "submission_id", descending=True)
    if latest.is_empty():
        st.markdown("Nothing has been certified yet.")
    else:
        tables.show(
            latest.head(LATEST).select(
                pl.col("certified_at").str.slice(0, 10).alias("Certified"),
                "District",
                "File",
                pl.col("number").cast(pl.String).alias("Delivery"),
            ),
            "latest",
            "The latest certified files, newest first.",
            release.release_id,
        )
    waiting = what.filter(~pl.col("state").is_in(IN_FORCE))
    if not waiting.is_empty():
        st.subheader("Waiting", anchor=False)
        st.caption("Deliveries that are not certified, so nothing of them is in any number here.")
        tables.show(
            waiting.sort("District", "File").select(
                "District",
                "File",
                pl.col("number").cast(pl.String).alias("Delivery"),
                pl.col("state_meaning").alias("State"),
                pl.col("next_step").alias("Next step"),
            ),
            "waiting",
            "Deliveries that wait for something, with the next step of each.",
            release.release_id,
        )


page(release_data.current_release())

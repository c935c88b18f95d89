"""What would make this comparable: every remedy of a refused comparison, ordered by the comparisons that it unlocks."""

from __future__ import annotations

import polars as pl
import streamlit as st

from dashboards import release_data
from dashboards.components import filters, tables
from dashboards.components.words import NO_VERDICTS, plain
from pipelines.release.reader import Release
from pipelines.wording.labels import CHALLENGES

EVERY = "every"
_SHOWN = 5
_OF_ONE_STATE = "within_state_only"


def page(release: Release) -> None:
    """Draw the page. Raises NoRelease."""
    st.title("What would make this comparable", anchor=False)
    st.markdown(
        "Where two districts may not be set beside each other, the refusal says what would lift it. Here are all of these, with "
        "the number of comparisons that each would unlock. Nothing here says that lifting one is worth its price."
    )
    if not release_data.has_verdicts(release):
        st.markdown(NO_VERDICTS)
        return
    districts = release_data.districts(release)
    with st.container(horizontal=True):
        challenge = filters.choose(
            "Challenge", "challenge", [EVERY, *CHALLENGES], EVERY, say=lambda code: CHALLENGES.get(code, "All challenges")
        )
        focal = filters.focal_district(districts)
    district = filters.chosen_district(focal)
    found = release_data.remedies(release, None if challenge == EVERY else challenge, district)
    if found.is_empty():
        st.markdown("No comparison is refused here for a reason that anybody could lift.")
        return
    whose = f" with {dict(zip(districts['code'], districts['label'], strict=True))[district]}" if district else ""
    is_lifted = pl.col("verdict") != _OF_ONE_STATE
    _remedies(found.filter(is_lifted), whose)
    _instead(found.filter(~is_lifted), whose)
    tables.behind(
        f"Table and CSV: all {found.height} remedies" if found.height > 1 else "Table and CSV: the remedy",
        lambda: _table(found),
        "remedies",
        "What would lift a refused comparison or can be said instead, with the number of comparisons, indicators and districts.",
        release.release_id,
    )
    st.caption(
        "Left out: what protects small groups and what is only described, which nothing lifts, and what was not sent, which "
        "Data quality tells."
    )


def _remedies(found: pl.DataFrame, whose: str) -> None:
    if found.is_empty():
        st.markdown(plain(f"No comparison of districts{whose} is refused for a reason that anybody could lift."))
        return
    total = int(found["n_pairs"].sum())
    st.markdown(plain(f"{total:,} comparisons of districts{whose} are refused for a reason that could be lifted."))
    for row in found.head(_SHOWN).to_dicts():
        with st.container(border=True, gap="xsmall"):
            st.markdown(f"**{plain(row['remedy'])}**")
            st.markdown(plain(f"Would unlock {row['n_pairs']:,} of {total:,} comparisons: {row['indicators']}."))
            st.caption(plain(f"{row['verdict_label']}, for example: {row['reason']} Districts: {row['districts']}."))


def _instead(found: pl.DataFrame, whose: str) -> None:
    """Tests of different states: nothing makes these one, but something else can be said."""
    if found.is_empty():
        return
    st.subheader("What can be said instead", anchor=False)
    total = int(found["n_pairs"].sum())
    st.markdown(
        plain(f"{total:,} comparisons of districts{whose} rest on the tests of different states, and nothing lifts that.")
    )
    for row in found.to_dicts():
        st.markdown(plain(f"{row['indicators']}: {row['remedy']}"))


def _table(found: pl.DataFrame) -> pl.DataFrame:
    return found.select(
        pl.col("remedy").alias("What would lift it, or can be said instead"),
        pl.col("n_pairs").cast(pl.String).alias("Comparisons"),
        pl.col("verdict_label").alias("Verdict"),
        pl.col("reason").alias("Reason, for example"),
        pl.col("indicators").alias("Indicators"),
        pl.col("districts").alias("Districts"),
    )


page(release_data.current_release())

"""Definitions: how each indicator is counted, what the tests are, what the symbols mean."""

from __future__ import annotations

import polars as pl
import streamlit as st

from dashboards import release_data
from dashboards.components import sections, tables
from dashboards.components.words import plain
from pipelines.release.reader import Release
from pipelines.wording.labels import CHALLENGES, FLAGS, RULES, SYMBOLS, humanised


def page(release: Release) -> None:
    """Draw the page. Raises NoRelease."""
    st.title("Definitions", anchor=False)
    _indicators(release_data.indicators(release))
    st.page_link("app_pages/methods.py", label="How numbers are worked out and compared: Methods", icon=":material/functions:")
    _thresholds(release)
    _flags(release)
    st.subheader("Why a number is missing, or is a range", anchor=False)
    words = pl.DataFrame(
        {
            "Symbol": list(SYMBOLS),
            "Shown as": [word for word, _ in SYMBOLS.values()],
            "Meaning": [sentence for _, sentence in SYMBOLS.values()],
        }
    )
    tables.show(words, "symbols", "The symbols that stand for a missing number or a range.", release.release_id)
    st.page_link("app_pages/methods.py", label="How small groups are protected: Methods", icon=":material/shield:")
    _instruments(release)


def _indicators(indicators: pl.DataFrame) -> None:
    st.subheader("Indicators", anchor=False)
    for code, name in CHALLENGES.items():
        own = indicators.filter(pl.col("challenge") == code)
        st.markdown(f"**{name}**")
        if own.is_empty():
            st.markdown("No indicator is defined yet.")
        for indicator in own.to_dicts():
            with st.expander(f"{plain(indicator['indicator_id'])}: {plain(indicator['name'])}"):
                st.markdown(plain(indicator["definition"] or ""))
                sections.definition(indicator)


def _thresholds(release: Release) -> None:
    found = release_data.thresholds(release)
    if found.is_empty():
        return
    st.subheader("Thresholds", anchor=False)
    st.caption("What definitions rest on, each with who owns it and why it is so.")
    tables.show(
        found.select(
            pl.col("definition").alias("What it is"),
            pl.Series("Threshold", [f"{value:g}" for value in found["value"]], dtype=pl.String),
            pl.col("unit").alias("Unit"),
            pl.col("owner").alias("Owner"),
            pl.col("rationale").alias("Why"),
        ),
        "thresholds",
        "Thresholds of the definitions, with owner and reason.",
        release.release_id,
    )


def _flags(release: Release) -> None:
    st.subheader("What a star stands for", anchor=False)
    st.caption("A number with a star is shown and not hidden; these are the words beside it.")
    said = [texts for code, texts in FLAGS.items() if code not in RULES]
    words = pl.DataFrame({"Shown as": [mark for mark, _ in said], "Meaning": [sentence for _, sentence in said]})
    tables.show(words, "flags", "The notes that a number may carry, and what they mean.", release.release_id)


def _instruments(release: Release) -> None:
    st.subheader("Tests and their levels", anchor=False)
    tests = release_data.instruments(release)
    if tests.is_empty():
        st.markdown("This release names no tests.")
        return
    for (state,), own in tests.group_by(["state"], maintain_order=True):
        with st.expander(f"{plain(str(state))}: {own.height} test{'s' if own.height != 1 else ''}"):
            numbers = [f"level_{level}_label" for level in range(1, 7)]
            levels = pl.concat_str(
                [
                    pl.format(f"{place}) {{}}; ", pl.col(column).replace("", None)).fill_null("")
                    for place, column in enumerate(numbers, 1)
                ]
            ).str.strip_chars_end("; ")
            tables.show(
                own.select(
                    pl.col("label").alias("Test"),
                    (pl.col("first_school_year").fill_null("?") + " to " + pl.col("last_school_year").fill_null("now")).alias(
                        "School years"
                    ),
                    levels.alias("Levels"),
                    pl.col("proficient_level").cast(pl.String).alias("Proficient from level"),
                    pl.col("mode").alias("Mode"),
                    pl.col("note").alias("Note"),
                    pl.col("source").alias("Source"),
                ),
                f"tests_{humanised(str(state)).lower()}",
                f"Tests of {state}: school years, levels, the level called proficient, notes and sources.",
                release.release_id,
            )


page(release_data.current_release())

"""The page of one challenge: its filters, then a section for each of its indicators."""

from __future__ import annotations

import polars as pl
import streamlit as st

from dashboards import release_data
from dashboards.components import own_test, sections
from dashboards.components.words import CHALLENGES


def challenge_page(challenge: str) -> None:
    """Draw the page of one challenge from the current release. Raises NoRelease."""
    release = release_data.current_release()
    st.title(CHALLENGES[challenge], anchor=False)
    view = sections.challenge_view(release, challenge)
    if view is None:
        sections.no_values()
        return
    indicators = release_data.indicators(release).filter(pl.col("challenge") == challenge)
    for indicator in indicators.to_dicts():
        has_levels = "level_1" in release_data.categories(release, indicator["indicator_id"])
        draw = own_test.section if has_levels else sections.section
        draw(view, indicator)

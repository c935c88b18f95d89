"""The page of one challenge: all its indicators at a glance, or one of them in full."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import polars as pl
import streamlit as st

from dashboards import release_data
from dashboards.components import algebra, choices, compared, filters, gaps, glance, linked, own_test, position, sections
from dashboards.components.choices import Indicator
from dashboards.components.sections import Band, Selection, View
from pipelines.wording.labels import CHALLENGES

ALL = "all"


def challenge_page(challenge: str) -> None:
    """Draw the page of one challenge from the current release. Raises NoRelease."""
    release = release_data.current_release()
    st.title(CHALLENGES[challenge], anchor=False)
    coverage = release_data.coverage(release).filter(pl.col("challenge") == challenge)
    indicators = release_data.indicators(release).filter(pl.col("challenge") == challenge).to_dicts()
    if coverage.is_empty():
        sections.no_values()
        return
    districts = release_data.districts(release)
    with st.container(horizontal=True):
        focal = filters.focal_district(districts)
        year = filters.school_year(coverage) or ""
        chosen = choose_indicator(indicators)
    view = View(release, filters.in_order(districts, focal), year, filters.chosen_district(focal))
    if chosen is None:
        rows = release_data.whole_districts(release, challenge=challenge)
        glance.cards(view, indicators, rows, challenge)
        return
    in_full(view, chosen)


def choose_indicator(indicators: Sequence[Indicator]) -> Indicator | None:
    """The choice of one indicator to see in full; None is all of them at a glance."""
    known = {str(indicator["indicator_id"]): indicator for indicator in indicators}
    picked = filters.choose(
        "Indicator",
        "indicator",
        [ALL, *known],
        ALL,
        say=lambda code: f"All {len(known)} at a glance" if code == ALL else f"{code} {known[code]['name']}",
        width=380,
        forgotten=sections.WITHIN_ONE,
    )
    return known.get(picked)


def in_full(
    view: View,
    indicator: Indicator,
    fixed: Mapping[str, str | None] | None = None,
    bands: Mapping[str, Band] | None = None,
) -> None:
    """One indicator in full, with a way back to all of them.

    `fixed`: breakdowns that the page has chosen. `bands`: stretches to be marked on the axis, by unit.
    """
    st.button(
        "All indicators at a glance",
        icon=":material/arrow_back:",
        type="tertiary",
        on_click=filters.keep,
        args=("indicator", ALL),
    )
    code = indicator["indicator_id"]
    combinations = release_data.combinations(view.release, code)
    has_levels = "level_1" in combinations["category"].to_list()
    spread, draws, is_followed = _way(indicator, combinations)
    selection = sections.select(view, indicator, fixed, spread, is_followed=is_followed)
    if selection is None:
        st.markdown("No value yet: no certified file of any district holds what this is counted from.")
        return
    if draws is gaps.section:
        selection = gaps.named(view, selection)
    if code in algebra.TOGETHER:
        algebra.section(view, selection)
    if draws is not None:
        draws(view, selection)
    else:
        unit = choices.in_combination(combinations, selection.chosen)["unit"].drop_nulls()
        sections.section(view, selection, (bands or {}).get(unit[0]) if len(unit) else None)
    split = sections.compared_split(selection)
    compared.section(view, selection, split | {"category": own_test.PROFICIENT} if has_levels else split)


def _way(indicator: Indicator, combinations: pl.DataFrame) -> tuple[str | None, Callable[[View, Selection], None] | None, bool]:
    """How an indicator is drawn where it is not by panels of bars: what its panels hold, by whom, and whether one is followed."""
    if "level_1" in combinations["category"].to_list():
        return "category", own_test.section, False
    if indicator["basis"] == "state_relative":
        return position.SPREAD, position.section, False
    if indicator["basis"] == "linked":
        return linked.SPREAD, linked.section, False
    if indicator["basis"] == "scale_free" and set(combinations["subgroup"].drop_nulls()) - {"all"}:
        return gaps.SPREAD, gaps.section, True
    return None, None, False

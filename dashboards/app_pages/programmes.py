"""Programmes: what each reaches and costs, how it is rated and by which rule, and a planner for a larger reach."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from dashboards import release_data
from dashboards.components import challenge, filters, glance, planner, rubric, sections
from dashboards.components.sections import Band, View
from dashboards.components.words import plain
from pipelines.release.reader import Release
from pipelines.wording import amounts
from pipelines.wording.labels import CHALLENGES, grade_label

LEADER_LOAD = "teachers per leader"


def page(release: Release) -> None:
    """Draw the page. Raises NoRelease."""
    st.title(CHALLENGES["programs"], anchor=False)
    programs = release_data.programs(release)
    spoken_of = release_data.programs_with_values(release)
    if programs.is_empty():
        st.markdown("This release has no table of programmes. Programmes appear here with the next release.")
        return
    known = {row["program_id"]: row for row in programs.to_dicts()}
    with_values = [code for code in known if code in spoken_of["program_id"].to_list()]
    covered = release_data.coverage(release).filter(pl.col("indicator_id").is_in(spoken_of["indicator_id"].to_list()))
    districts = release_data.districts(release)
    with st.container(horizontal=True):
        focal = filters.focal_district(districts)
        year = filters.school_year(covered)
        code = filters.choose(
            "Programme",
            "program_id",
            list(known),
            next(iter(with_values or known)),
            say=lambda one: str(known[one]["label"]),
            forgotten=(*planner.ASKED, *sections.WITHIN_ONE),
        )
        own = spoken_of.filter(pl.col("program_id") == code)["indicator_id"].to_list()
        indicators = release_data.indicators(release).filter(pl.col("indicator_id").is_in(own)).to_dicts()
        chosen = challenge.choose_indicator(indicators)
    program = known[code]
    _about(program)
    bands = _bands(program)
    if year is None or not indicators:
        st.markdown("No district has certified numbers on this programme yet. **Data quality** says what each file waits for.")
    else:
        view = View(release, filters.in_order(districts, focal), year, filters.chosen_district(focal))
        if chosen is not None:
            challenge.in_full(view, chosen, {"program_id": code}, bands)
            return
        rows = release_data.whole_districts(release, program_id=code)
        st.subheader("What it reaches, costs and changes", anchor=False)
        st.caption("Numbers speak of groups of teachers and leaders, never of one person.")
        if bands:
            low, high = bands[LEADER_LOAD]
            st.caption(f"The shaded stretch is what the programme plans for: {low:g} to {high:g} teachers for each leader.")
        glance.cards(view, indicators, rows, f"program_{code}", bands, ("program_id",))
        rubric.rubric(view, rows)
    planner.planner(program, release.release_id)


def _about(program: dict[str, Any]) -> None:
    """What the founding documents say of a programme; what they leave open is not said."""
    lines = {
        "What it is": program["description"],
        "Grades": _grades(program["low_grade"], program["high_grade"]),
        "Teachers for each leader": _range(program["teachers_per_leader_low"], program["teachers_per_leader_high"]),
        "Training one leader": amounts.said(program["leader_training_cost_usd"], amounts.unit_of("USD")),
        "New leaders a year": _range(program["leaders_per_year_low"], program["leaders_per_year_high"]),
        "Source": program["source"],
    }
    st.markdown("\n".join(f"* **{name}:** {plain(str(text))}" for name, text in lines.items() if text))


def _grades(low: str | None, high: str | None) -> str | None:
    if not low or not high:
        return None
    return f"{grade_label(low)} to {grade_label(high)[:1].lower()}{grade_label(high)[1:]}"


def _range(low: float | None, high: float | None) -> str | None:
    known = [f"{end:g}" for end in (low, high) if end is not None]
    return " to ".join(known) or None


def _bands(program: dict[str, Any]) -> dict[str, Band]:
    low, high = program["teachers_per_leader_low"], program["teachers_per_leader_high"]
    return {} if low is None or high is None else {LEADER_LOAD: (low, high)}


page(release_data.current_release())

"""What a file is: the choice of district, extract and school year, kept in the address, and what is there already."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

import polars as pl
import streamlit as st

from dashboards.components import filters
from dashboards.submit_pages import frame
from dashboards.submit_pages.words import STATE_WORDS
from pipelines.contracts.codes import code_list, codes
from pipelines.contracts.contract import extract_names
from pipelines.intake.desk import Desk
from pipelines.intake.expected import read_expected
from pipelines.intake.states import CERTIFIED, SUPERSEDED, WITHDRAWN
from pipelines.intake.submission import all_submissions

Place = tuple[str, str, str]


def choose_place(desk: Desk) -> Place:
    """District (of the caller's own), extract and school year, as chosen or by default."""
    labels = {code: frame.district_label(desk.contracts_folder, code) for code in desk.districts()}
    years = sorted(codes(desk.contracts_folder, "school_years"), reverse=True)
    with st.container(horizontal=True):
        district = filters.choose("District", "district", list(labels), next(iter(labels)), say=lambda code: labels[code])
        extract = choose_extract(desk)
        default = due_year(desk, district, extract, years, datetime.now(UTC).date())
        year = filters.choose("School year", "year", years, default, say=str)
    return district, extract, year


def choose_extract(desk: Desk) -> str:
    """The choice of an extract."""
    titles = {name: frame.extract_label(desk.contracts_folder, name) for name in extract_names(desk.contracts_folder)}
    return filters.choose("Kind of file", "extract", list(titles), next(iter(titles)), say=lambda name: titles[name])


def due_year(desk: Desk, district: str, extract: str, years: Sequence[str], today: date) -> str:
    """The latest school year that is expected and not certified yet, else the one that it is on that day."""
    expected = read_expected(desk.contracts_folder).filter(district=district, extract=extract)["school_year"]
    done = {s.key.school_year for s in all_submissions(desk.store, district, extract) if s.state == CERTIFIED}
    waiting = sorted(set(expected) & set(years) - done)
    return waiting[-1] if waiting else current_year(code_list(desk.contracts_folder, "school_years"), today)


def current_year(school_years: pl.DataFrame, today: date) -> str:
    """The school year of a day: the latest that has begun. `school_years` has code and first_date (YYYY-MM-DD)."""
    begun = school_years.filter(pl.col("first_date") <= today.isoformat())
    return str((begun if begun.height else school_years)["code"].max())


def standing(desk: Desk, place: Place) -> None:
    """One line: what there is already for this place, with links."""
    there = [s for s in all_submissions(desk.store, *place) if s.state not in (SUPERSEDED, WITHDRAWN)]
    if not there:
        due = read_expected(desk.contracts_folder).filter(district=place[0], extract=place[1], school_year=place[2])
        until = f"Due {due['due_date'][0]}." if due.height else "It is not on the list of what is expected."
        st.caption(f"Nothing was received for {place[2]} yet. {until}")
        return
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.caption(f"For {place[2]} there is already:", width="content")
        for submission in there:
            words = f"Submission {submission.key.number}, {STATE_WORDS[submission.state].lower()}"
            st.page_link(frame.SUBMISSION_PAGE, label=words, query_params={"id": submission.key.submission_id})

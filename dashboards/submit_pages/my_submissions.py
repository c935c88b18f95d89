"""My submissions: what is expected of one's districts and how it stands, then every submission, newest first."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import polars as pl
import streamlit as st

from dashboards.components import filters
from dashboards.submit_pages import frame
from dashboards.submit_pages.words import EXPECTED_WORDS, STATE_WORDS, counted, exact, moment, said
from pipelines.intake import expected as due
from pipelines.intake import states
from pipelines.intake.deliveries import INBOX
from pipelines.intake.desk import Desk
from pipelines.intake.submission import Submission
from pipelines.wording.labels import listed

EVERY = "every"
PER_PAGE = 25
BADGE = 110
COLOURS = {
    due.MISSING: "red",
    due.LATE: "red",
    due.IN_WORK: "blue",
    due.AWAITED: "gray",
    due.IN_FORCE: "green",
    due.IN_FORCE_LATE: "green",
    due.NOT_PROVIDED: "gray",
    due.NOT_APPLICABLE: "gray",
}
WAITING = (due.MISSING, due.LATE, due.IN_WORK, due.AWAITED)


def page(desk: Desk) -> None:
    """Draw the page. Raises SubmissionRefused, ExpectedListError."""
    st.title("My submissions", anchor=False)
    own = desk.districts()
    chosen = own if len(own) == 1 else _chosen(desk, own)
    everything = [s for s in desk.submissions() if s.key.district in chosen]
    everything.sort(key=_received_at, reverse=True)
    rows = desk.expected(datetime.now(UTC).date()).filter(pl.col("district").is_in(chosen))
    _expected(desk, rows, {s.key.submission_id: s for s in everything}, len(chosen) > 1)
    _all(desk, everything, len(chosen) > 1)


def _chosen(desk: Desk, own: list[str]) -> list[str]:
    labels = {code: frame.district_label(desk.contracts_folder, code) for code in own}
    code = filters.choose("District", "district", [EVERY, *own], EVERY, say=lambda code: labels.get(code, "Every district"))
    return own if code == EVERY else [code]


def _received_at(submission: Submission) -> tuple[str, Any]:
    return (submission.received["at"] or "", submission.key)


def _expected(desk: Desk, rows: pl.DataFrame, known: dict[str, Submission], several: bool) -> None:
    st.subheader("What is expected", anchor=False)
    if rows.is_empty():
        st.markdown("Nothing is expected of your districts yet. A file can be submitted all the same.")
        st.page_link(frame.SUBMIT_PAGE, label="Submit a file", icon=":material/upload:")
        return
    n_by_state = dict(rows.group_by("state").len().iter_rows())
    counts = [f"{n_by_state[state]} {word.lower()}" for state, word in EXPECTED_WORDS.items() if state in n_by_state]
    st.markdown(f"Of {counted(rows.height, 'file')}: {listed(counts)}.")
    order = {state: place for place, state in enumerate(EXPECTED_WORDS)}
    ordered = rows.with_columns(pl.col("state").replace_strict(order, return_dtype=pl.Int64).alias("place")).sort(
        "place", "due_date", "school_year", "district", "extract", descending=[False, False, True, False, False]
    )
    waiting = ordered.filter(pl.col("state").is_in(WAITING))
    settled = ordered.filter(~pl.col("state").is_in(WAITING))
    with st.container(gap="xsmall"):
        for row in waiting.to_dicts():
            _expected_row(desk, row, known, several)
    if settled.height:
        with st.expander(f"Settled: {counted(settled.height, 'file')}", key="settled", expanded=not waiting.height):
            for row in settled.to_dicts():
                _expected_row(desk, row, known, several)


def _expected_row(desk: Desk, row: dict[str, Any], known: dict[str, Submission], several: bool) -> None:
    found = known.get(row["submission_id"] or "")
    title = f"{frame.extract_label(desk.contracts_folder, row['extract'])} {row['school_year']}"
    if several:
        title = f"{frame.district_label(desk.contracts_folder, row['district'])}: {title}"
    name = f"item-{row['district']}-{row['extract']}-{row['school_year']}"
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key=name):
        with st.container(width=BADGE):
            st.badge(EXPECTED_WORDS[row["state"]], color=COLOURS[row["state"]])  # type: ignore[arg-type]
        with st.container(width=350 if several else 225):
            st.markdown(said(title))
        with st.container(width=120):
            st.caption(f"due {row['due_date']}")
        with st.container(width=320):
            _action(row, found)


def _action(row: dict[str, Any], found: Submission | None) -> None:
    """A link to what is next, or why there is nothing to do."""
    if found is not None:
        ending = f"certified {row['first_certified_on']}" if found.state == states.CERTIFIED else STATE_WORDS[found.state].lower()
        label = f"Submission {found.key.number}: {ending}"
        st.page_link(frame.SUBMISSION_PAGE, label=label, query_params={"id": row["submission_id"]})
    elif row["reason"]:
        st.caption(said(row["reason"]))
    else:
        place = {"district": row["district"], "extract": row["extract"], "year": row["school_year"]}
        st.page_link(frame.SUBMIT_PAGE, label="Submit it", query_params=place)


def _all(desk: Desk, everything: list[Submission], several: bool) -> None:
    st.subheader("All submissions", anchor=False)
    if not everything:
        st.markdown("Nothing was submitted yet. Drop a file: it is checked at once, and kept only when you submit it.")
        st.page_link(frame.SUBMIT_PAGE, label="Submit a file", icon=":material/upload:")
        return
    n_pages = math.ceil(len(everything) / PER_PAGE)
    slot = st.container(gap="xsmall")
    number = st.pagination(n_pages, key="page.submissions") if n_pages > 1 else 1
    with slot:
        for submission in everything[(number - 1) * PER_PAGE : number * PER_PAGE]:
            _row(desk, submission, several)


def _row(desk: Desk, submission: Submission, several: bool) -> None:
    key = submission.key
    title = f"{frame.extract_label(desk.contracts_folder, key.extract)} {key.school_year}, submission {key.number}"
    if several:
        title = f"{frame.district_label(desk.contracts_folder, key.district)}: {title}"
    name = f"item-{key.submission_id.replace('/', '-')}"
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key=name):
        with st.container(width=BADGE):
            st.badge(STATE_WORDS[submission.state], color=_colour(submission.state))  # type: ignore[arg-type]
        with st.container(width=440):
            st.page_link(frame.SUBMISSION_PAGE, label=said(title), query_params={"id": key.submission_id})
        with st.container(width=420):
            if submission.events:
                received = submission.received
                whom = "by the inbox" if received["via"] == INBOX else f"from {exact(received['actor'])}"
                st.caption(f"received {moment(received['at'])} {whom}")


def _colour(state: str) -> str:
    if state in (states.UNREADABLE, states.CORRECTIONS_NEEDED, states.DAMAGED):
        return "red"
    if state in (states.ACKNOWLEDGEMENTS_NEEDED, states.READY):
        return "blue"
    return "green" if state == states.CERTIFIED else "gray"


page(frame.open_desk())

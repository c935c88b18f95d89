"""Submit a file: say what it is, drop it, see at once what is wrong with it, and hand it in once nothing blocks."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards.submit_pages import dry_check, findings, frame
from dashboards.submit_pages.place import Place, choose_place, standing
from dashboards.submit_pages.templates import template_downloads
from dashboards.submit_pages.words import accounting, counted, said
from pipelines.contracts.codes import codes
from pipelines.intake.deliveries import PersonalDataRefused
from pipelines.intake.desk import Desk, exported
from pipelines.intake.reading import DeliveredFile
from pipelines.intake.rule_book import by_rule, rule_book
from pipelines.intake.screening import Screening
from pipelines.intake.states import ACKNOWLEDGEMENTS_NEEDED, STATES, SUPERSEDED, UNREADABLE, WITHDRAWN
from pipelines.intake.submission import Submission, all_submissions
from pipelines.wording.labels import listed

VIA = "submit page"


def page(desk: Desk) -> None:
    """Draw the page. Raises SubmissionRefused."""
    st.title("Submit a file", anchor=False)
    place = choose_place(desk)
    standing(desk, place)
    given = dry_check.upload()
    if not given:
        _help(desk, place[1])
        dry_check.forget()
        refused = dry_check.refusal()
        if refused is not None:
            st.error(refused, icon=":material/block:")
        else:
            st.caption("The file is checked at once. Nothing is kept until you submit it.")
        return
    files = [DeliveredFile(file.name, file.getvalue()) for file in given]
    _result(desk, place, files, dry_check.checked(desk, place, given, files))
    st.space("small")
    _help(desk, place[1])


def _help(desk: Desk, extract: str) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        template_downloads(desk, extract)
        st.page_link(
            frame.DICTIONARY_PAGE,
            label="What every column and code means",
            icon=":material/menu_book:",
            query_params={"extract": extract},
        )


def _result(desk: Desk, place: Place, files: Sequence[DeliveredFile], checked: dry_check.Checked) -> None:
    screening = checked.screening
    groups = by_rule(screening.findings, screening.counts, rule_book(desk.contracts_folder, place[1]))
    same = _same_bytes(desk, place, checked.digest)
    if same is not None:
        _known(desk, place, files, same)
    else:
        _verdict(screening, groups)
        if not screening.is_blocked:
            _submit(desk, place, files)
    if screening.outcome != UNREADABLE:
        _read(screening, files, [year for year in codes(desk.contracts_folder, "school_years") if year != place[2]])
    if not groups:
        return
    slot = st.container()
    findings.by_rule(groups, screening.findings)
    # Made last: what is wrong stands on the page while the files to take home are being written.
    with slot:
        findings.take_home(
            "_".join(place),
            screening.findings,
            "",
            [] if checked.opened.delivered is None else [len(file.content) for file in files],
            checked.key,
            lambda: exported(files, checked.opened, screening.findings, "")[2:],
        )


def _verdict(screening: Screening, groups: Sequence[findings.Group]) -> None:
    if screening.outcome == UNREADABLE:
        st.error(f"**{STATES[UNREADABLE][0]}** Mend it as described below and drop it again.", icon=":material/block:")
    elif screening.is_blocked:
        unusual = sum(group["n_findings"] for group in groups if not group["is_blocking"])
        beside = f"; {unusual:,} more {'is' if unusual == 1 else 'are'} unusual" if unusual else ""
        st.error(
            f"**Something must be corrected:** {_how_many([group for group in groups if group['is_blocking']])}{beside}. Nothing "
            "was submitted. Correct your file and drop it here again.",
            icon=":material/block:",
        )
    elif screening.outcome == ACKNOWLEDGEMENTS_NEEDED:
        st.warning(
            f"**Nothing blocks, but something is unusual:** {_how_many(groups)}. Correct your file, or submit it and say why it "
            "is right.",
            icon=":material/help:",
        )
    else:
        st.success("**Nothing was found.** Submit it; then see what it changes, and sign it.", icon=":material/check_circle:")


def _how_many(groups: Sequence[findings.Group]) -> str:
    return f"{counted(sum(group['n_findings'] for group in groups), 'finding')} of {counted(len(groups), 'rule')}"


def _same_bytes(desk: Desk, place: Place, digest: str) -> Submission | None:
    there = [s for s in all_submissions(desk.store, *place) if s.events and s.state != WITHDRAWN]
    return next((s for s in reversed(there) if s.received["delivery_sha256"] == digest), None)


def _known(desk: Desk, place: Place, files: Sequence[DeliveredFile], same: Submission) -> None:
    number, received = same.key.number, same.received["at"][:10]
    st.info(
        f"These are the very bytes of submission {number}, received {received}. {STATES[same.state][0]} "
        "Sending them again changes nothing.",
        icon=":material/info:",
    )
    st.page_link(
        frame.SUBMISSION_PAGE,
        label=f"Open submission {number}",
        icon=":material/arrow_forward:",
        query_params={"id": same.key.submission_id},
    )
    if same.state == SUPERSEDED:
        _submit(desk, place, files, is_again=True)


def _submit(desk: Desk, place: Place, files: Sequence[DeliveredFile], is_again: bool = False) -> None:
    verb = "Submit these earlier bytes again" if is_again else "Submit"
    label = f"{verb} for {said(frame.district_label(desk.contracts_folder, place[0]))}, {place[2]}"
    if not st.button(label, key="submit", type="primary", icon=":material/upload:"):
        return
    try:
        with st.spinner("Submitting"):
            done = desk.submit(files, *place, VIA, is_again=is_again)
    except PersonalDataRefused as refusal:
        dry_check.refuse(str(refusal), "")
        return
    dry_check.let_go()
    st.switch_page(frame.SUBMISSION_PAGE, query_params={"id": done[0].key.submission_id})


def _read(screening: Screening, files: Sequence[DeliveredFile], other_years: Sequence[str]) -> None:
    """What was read: which files, lines and rows that add up, other years in the same files, what was recognised."""
    what = dry_check.named([file.name for file in files], sum(len(file.content) for file in files))
    st.markdown(f"{what}: {said(accounting('line', screening.lines))}")
    if screening.row_counts != screening.lines:
        st.markdown(said(accounting("row", screening.row_counts)))
    others = [year for year in screening.school_years if year in other_years]
    if others and not screening.is_blocked:
        st.markdown(said(f"The files also hold {listed(others)}: each of these years becomes a submission of its own."))
    findings.notes([*screening.notes, *screening.remarks])


page(frame.open_desk(keeps_upload=True))

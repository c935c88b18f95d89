"""One submission, by `?id=`: its state and next step, what was found, what signing changes, the signature and the receipt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
import streamlit as st

from dashboards.submit_pages import changes, downloads, dry_check, findings, frame, receipt, tables
from dashboards.submit_pages.words import NEXT_STEPS, STATE_WORDS, accounting, counted, exact, moment, said
from pipelines.intake import states
from pipelines.intake.deliveries import INBOX
from pipelines.intake.desk import AlreadyCertified, Desk
from pipelines.intake.reading import DeliveredFile
from pipelines.intake.store import RecordAltered
from pipelines.intake.submission import Submission, SubmissionRefused, all_submissions
from pipelines.storage import canonical_json
from pipelines.wording.labels import humanised, listed

BOXES = {
    states.UNREADABLE: (st.error, ":material/block:"),
    states.CORRECTIONS_NEEDED: (st.error, ":material/block:"),
    states.DAMAGED: (st.error, ":material/error:"),
    states.ACKNOWLEDGEMENTS_NEEDED: (st.warning, ":material/help:"),
    states.CERTIFIED: (st.success, ":material/check_circle:"),
    states.READY: (st.success, ":material/draw:"),
}
TO_BE_CORRECTED = (states.UNREADABLE, states.CORRECTIONS_NEEDED)
TO_BE_SIGNED = (states.ACKNOWLEDGEMENTS_NEEDED, states.READY)
STEPS = ("Received", "Checked", "Acknowledged", "Signed")
# How many steps are done; the next one is called by its state.
DONE = {
    states.RECEIVED: 1,
    states.READING: 1,
    states.UNREADABLE: 1,
    states.CORRECTIONS_NEEDED: 1,
    states.ACKNOWLEDGEMENTS_NEEDED: 2,
    states.READY: 3,
    states.CERTIFIED: 4,
    states.SUPERSEDED: 4,
}
# Where a reason is kept while the page is drawn anew.
REFUSED = "refused-act"
VIA_WORDS = {INBOX: "by the inbox", "command line": "by the command line", "submit page": "on these pages"}


def page(desk: Desk) -> None:
    """Draw the page of the submission that the address names."""
    submission_id = st.query_params.get("id")
    if not submission_id:
        _none("The address names no submission.")
        return
    try:
        submission = desk.submission(submission_id)
    except SubmissionRefused as refused:
        _none(frame.sentence(refused))
        return
    altered = None
    if submission.is_open:
        try:
            with st.spinner("Checking under the rules of today"):
                desk.refreshed(submission)
        except RecordAltered as found:
            altered = found
        submission = desk.submission(submission_id)
    _head(desk, submission)
    if submission.state == states.DAMAGED or submission.screened is None:
        return
    try:
        if altered is not None:
            raise altered
        _body(desk, submission)
    except RecordAltered as found:
        st.error(f"{frame.sentence(found)} Tell the people who run NMIP.", icon=":material/error:")
    _history(submission)
    if submission.is_open:
        _withdraw(desk, submission)


def _body(desk: Desk, submission: Submission) -> None:
    if submission.is_certified:
        _receipt(desk, submission)
    _findings(desk, submission)
    if submission.state in TO_BE_SIGNED:
        held = desk.supersedes(submission)
        changes.section(desk, submission, held)
        _sign(desk, submission, held)


def _none(why: str) -> None:
    st.title("Submission", anchor=False)
    st.error(why, icon=":material/block:")
    st.page_link(frame.SUBMISSIONS_PAGE, label="Choose one of your submissions", icon=":material/arrow_forward:")


def _head(desk: Desk, submission: Submission) -> None:
    key = submission.key
    district = frame.district_label(desk.contracts_folder, key.district)
    st.title(said(f"{frame.extract_label(desk.contracts_folder, key.extract)}, {key.school_year}"), anchor=False)
    st.caption(said(f"{district}, submission {key.number} · {key.submission_id}"))
    _steps(submission)
    box, icon = BOXES.get(submission.state, (st.info, ":material/info:"))
    box(f"**{states.STATES[submission.state][0]}** {NEXT_STEPS[submission.state]}", icon=icon)
    refused = st.session_state.pop(REFUSED, None)
    if refused is not None:
        st.error(refused, icon=":material/block:")
    if submission.damage is not None:
        st.markdown(frame.sentence(submission.damage))
        return
    if submission.state in TO_BE_CORRECTED:
        st.page_link(
            frame.SUBMIT_PAGE,
            label="Send the corrected file",
            icon=":material/upload:",
            query_params={"district": key.district, "extract": key.extract, "year": key.school_year},
        )
    _received(desk, submission)


def _steps(submission: Submission) -> None:
    done = DONE.get(submission.state)
    if done is None:
        return
    is_stopped = submission.state in TO_BE_CORRECTED
    with st.container(horizontal=True, gap="small", key="steps"):
        for place, step in enumerate(STEPS):
            if place < done:
                st.badge(step, icon=":material/check_circle:", color="green")
            elif place == done:
                icon = ":material/cancel:" if is_stopped else ":material/arrow_circle_right:"
                st.badge(STATE_WORDS[submission.state], icon=icon, color="red" if is_stopped else "blue")
            else:
                st.badge(step, icon=":material/radio_button_unchecked:", color="gray")


def _received(desk: Desk, submission: Submission) -> None:
    received, screened = submission.received, submission.screened or {}
    files = received["files"]
    what = dry_check.named([file["name"] for file in files], sum(file["n_bytes"] for file in files))
    whom = "" if received["via"] == INBOX else f" from {exact(received['actor'])}"
    how = VIA_WORDS.get(received["via"], received["via"])
    st.markdown(f"{what}, received {moment(received['at'])}{whom} {said(how)}.")
    if screened.get("lines", {}).get("in"):
        st.markdown(said(accounting("line", screened["lines"])))
        if screened["rows"] != screened["lines"]:
            st.markdown(said(accounting("row", screened["rows"])))
    findings.notes([*screened.get("notes", []), *screened.get("remarks", [])])
    _other_years(desk, submission)


def _other_years(desk: Desk, submission: Submission) -> None:
    """The submissions that the same delivery opened for other school years."""
    key, digest = submission.key, submission.received["delivery_sha256"]
    others = [
        s
        for s in all_submissions(desk.store, key.district, key.extract)
        if s.key.school_year != key.school_year and s.events and s.received["delivery_sha256"] == digest
    ]
    if others:
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.markdown("The same files opened a submission for other years too:", width="content")
            for other in others:
                words = f"{other.key.school_year}, {STATE_WORDS[other.state].lower()}"
                st.page_link(frame.SUBMISSION_PAGE, label=words, query_params={"id": other.key.submission_id})


def _findings(desk: Desk, submission: Submission) -> None:
    key, name = submission.key, submission.key.submission_id.replace("/", "_")
    found, groups = desk.findings(submission), desk.rules(submission)
    # What turned out to be about single people was not kept.
    has_files = desk.store.has_files(key, submission.received)
    if not groups:
        st.subheader("Findings", anchor=False)
        st.markdown("Nothing was found.")
        if has_files:
            downloads.button("Everything (ZIP)", f"{name}.zip", lambda: _everything(desk, submission), "everything")
        return
    slot, is_read = st.container(), submission.state != states.UNREADABLE

    def act(group: findings.Group, rows: pl.DataFrame) -> None:
        _acknowledgements(submission, group)
        if group["n_open"] and submission.is_open:
            _acknowledge(desk, submission, group, rows)

    findings.by_rule(groups, found, act)
    with slot:
        findings.take_home(
            name,
            found.drop("is_acknowledged", "reason", "actor"),
            key.submission_id,
            [file["n_bytes"] for file in submission.received["files"]] if has_files and is_read else [],
            (key, (submission.screened or {})["findings_sha256"]),
            lambda: desk.exports(submission)[2:],
            (lambda: _everything(desk, submission)) if has_files else None,
        )


def _everything(desk: Desk, submission: Submission) -> bytes:
    files = [*desk.exports(submission), *desk.store.files(submission.key, submission.received)]
    if submission.is_certified:
        files.append(DeliveredFile("receipt.json", canonical_json(desk.receipt(submission.key.submission_id))))
    return downloads.zipped(files)


def _acknowledgements(submission: Submission, group: findings.Group) -> None:
    for entry in group["acknowledgements"]:
        where = entry["submission_id"]
        carried = "" if where == submission.key.submission_id else f" in submission {int(where.rpartition('/')[2])}, carried over"
        st.success(
            f"{counted(entry['n'], 'finding')} acknowledged by {exact(entry['actor'])}, {moment(entry['at'])}{carried}: "
            f"“{said(entry['reason'])}”",
            icon=":material/check_circle:",
        )


def _acknowledge(desk: Desk, submission: Submission, group: findings.Group, rows: pl.DataFrame) -> None:
    # Named by the number of events, so that what was written is gone once it is acknowledged.
    rule_id, n_events = group["rule_id"], len(submission.events)
    waiting = rows.filter(~pl.col("is_acknowledged") & pl.col("line").is_not_null()).unique(["file", "line"], maintain_order=True)
    places = waiting.select("file", "line", pl.col("business_key").fill_null("")).head(tables.SHOWN)
    keys = {(file, line): key for file, line, key in places.iter_rows()}
    is_one_file = places["file"].n_unique() == 1
    of_which = f", of the first {tables.SHOWN:,}" if waiting.height > tables.SHOWN else ""
    with st.form(f"acknowledge-{rule_id}"):
        st.markdown(
            f"**Right as it is?** Say why; your reason covers {counted(group['n_open'], 'finding')} and stands in the receipt."
        )
        reason = st.text_area(
            "Reason", key=f"reason-{rule_id}-{n_events}", placeholder="Why are these rows right?", max_chars=4_000
        )
        left_out: list[tuple[str, int]] = []
        if len(keys) > 1:
            left_out = st.multiselect(
                f"Lines that it does not cover (they stay open{of_which})",
                list(keys),
                format_func=lambda place: ("" if is_one_file else f"{place[0]}, ") + f"{place[1]}: {keys[place]}",
                key=f"left-out-{rule_id}-{n_events}",
                placeholder="None: it covers all of them",
            )
        if not st.form_submit_button("Acknowledge", icon=":material/check:"):
            return
    files = sorted({file for file, _ in left_out})
    if len(files) > 1:
        st.error("Leave out lines of one file at a time.", icon=":material/block:")
        return
    lines, file = [line for _, line in left_out], files[0] if files else None
    try:
        desk.acknowledge(submission.key.submission_id, rule_id, reason, lines, file)
    except SubmissionRefused as refused:
        _refused(desk, submission, refused, "acknowledged")
        return
    st.rerun()


def _refused(desk: Desk, submission: Submission, refused: SubmissionRefused, verb: str) -> None:
    """Say why; where the submission is not any more as it was shown, it is drawn anew below the reason."""
    now = desk.submission(submission.key.submission_id)
    why = frame.sentence(refused)
    if now.state != submission.state:
        why = f"It was not {verb}, because something changed meanwhile: the submission is shown as it stands now."
    elif len(now.events) == len(submission.events):
        st.error(why, icon=":material/block:")
        return
    st.session_state[REFUSED] = why
    st.rerun()


def _sign(desk: Desk, submission: Submission, held: str | None) -> None:
    st.subheader("Sign", anchor=False)
    if submission.state != states.READY:
        n_open = sum(submission.to_acknowledge.values())
        st.markdown(f"It can be signed once {counted(n_open, 'finding')} above {'is' if n_open == 1 else 'are'} acknowledged.")
        return
    key, user = submission.key, desk.identity.user
    district = frame.district_label(desk.contracts_folder, key.district)
    title = frame.extract_label(desk.contracts_folder, key.extract)
    n_rows = (submission.screened or {}).get("rows", {}).get("used", 0)
    with st.form("sign"):
        statement = st.text_area(
            "What you certify, in your own words",
            value=f"I have checked these {counted(n_rows, 'row')} of {title.lower()} for {key.school_year} against {district}'s "
            "own records; they are complete and right.",
            key=f"statement-{key.submission_id}",
            max_chars=4_000,
        )
        note = None
        if held is not None:
            note = st.text_area(
                f"Release note: what changed against submission {int(held.rpartition('/')[2])}, and why",
                key=f"note-{key.submission_id}",
                max_chars=4_000,
                placeholder="It stands in the receipt, and tells whoever compares the two submissions why.",
            )
        is_sure = st.checkbox(f"I sign as {exact(user)} for {said(district)}.", key=f"sure-{key.submission_id}")
        if not st.form_submit_button("Sign and certify", type="primary", icon=":material/draw:"):
            return
    if not is_sure:
        st.error(f"Tick the box that says that you sign for {said(district)}.", icon=":material/block:")
        return
    try:
        with st.spinner("Signing"):
            desk.sign(key.submission_id, statement, note)
    except AlreadyCertified:
        st.rerun()
    except SubmissionRefused as refused:
        _refused(desk, submission, refused, "signed")
        return
    st.session_state.pop("changes", None)
    st.rerun()


def _receipt(desk: Desk, submission: Submission) -> None:
    certified: Mapping[str, Any] = submission.last("certified") or {}
    made = desk.receipt(submission.key.submission_id)
    st.subheader("Receipt", anchor=False)
    receipt.in_words(made)
    name = submission.key.submission_id.replace("/", "_")
    downloads.button("Receipt (JSON)", f"{name}_receipt.json", canonical_json(made), "receipt", primary=True)
    st.markdown(
        "Keep it with your files: together they can be proven at any time, here under Verify a receipt or with "
        "`nmip verify-receipt`."
    )
    if submission.state == states.CERTIFIED and certified:
        st.caption("The release follows by itself where `nmip up` runs; otherwise the people who run NMIP call `nmip run`.")


def _history(submission: Submission) -> None:
    with st.expander("What happened so far", icon=":material/history:", key="history"):
        for event in (e for e in submission.events if e["type"] != "reading"):
            st.markdown(f"{moment(event['at'])}: {_told(event)}")


def _told(event: Mapping[str, Any]) -> str:
    who = "NMIP" if event["actor"] == "nmip" else exact(event["actor"])
    kind = event["type"]
    if kind == "received":
        whom = "by the inbox" if event["via"] == INBOX else f"from {who}"
        return f"received {whom}: {listed([exact(file['name']) for file in event['files']])}"
    if kind == "screened":
        n_found = sum(event["findings"].values())
        return f"checked, {counted(n_found, 'finding') if n_found else 'nothing found'} ({STATE_WORDS[event['outcome']].lower()})"
    if kind == "acknowledged":
        return f"{who} acknowledged {counted(event['n'], 'finding')} of {said(event['rule_id'])}: “{said(event['reason'])}”"
    if kind == "certified":
        return f"signed by {who}" if event["how"] == "signed" else "certified by NMIP, as the district chose"
    if kind == "withdrawn":
        return f"withdrawn by {who}: “{said(event['reason'])}”"
    return said(humanised(kind).lower())


def _withdraw(desk: Desk, submission: Submission) -> None:
    with st.expander("Withdraw this submission", icon=":material/undo:", key="withdraw"), st.form("withdraw-form", border=False):
        st.markdown("It then takes no part in anything; what is in force stays in force. The same file can be sent again.")
        reason = st.text_input("Why it is taken back", key="withdraw-reason", max_chars=4_000)
        is_sure = st.checkbox("Yes, withdraw it.", key="withdraw-sure")
        if not st.form_submit_button("Withdraw", icon=":material/undo:"):
            return
        if not is_sure:
            st.error("Tick the box that says that you withdraw it.", icon=":material/block:")
            return
        try:
            desk.withdraw(submission.key.submission_id, reason)
        except SubmissionRefused as refused:
            _refused(desk, submission, refused, "withdrawn")
            return
    st.rerun()


page(frame.open_desk())

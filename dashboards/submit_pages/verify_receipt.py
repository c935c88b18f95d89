"""Verify a receipt: drop it with the delivered files and see what is proven, what was altered, what could not be asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from dashboards.submit_pages import frame
from dashboards.submit_pages.dry_check import largest_upload
from dashboards.submit_pages.receipt import in_words
from dashboards.submit_pages.words import exact, said
from pipelines.intake.desk import Desk
from pipelines.intake.receipts import parse_receipt, prove, prove_kept
from pipelines.intake.store import RECEIPT
from pipelines.intake.submission import Submission, SubmissionRefused
from pipelines.storage import canonical_json


def page(desk: Desk) -> None:
    """Draw the page."""
    st.title("Verify a receipt", anchor=False)
    st.markdown(
        "A receipt says who certified which files, when, and what was found in them. Drop it here together with the files as "
        "they were delivered: each is compared byte for byte. Nothing is kept."
    )
    given = st.file_uploader(
        "Drop the receipt and the delivered files",
        accept_multiple_files=True,
        max_upload_size=largest_upload(),
        key="proofs",
    )
    if not given:
        return
    receipts = [(file, found) for file in given if (found := parse_receipt(file.getvalue())) is not None]
    others = [(file.name, file.getvalue()) for file in given if all(file is not one for one, _ in receipts)]
    if not receipts:
        st.warning(
            "There is no receipt among these files. A receipt is the JSON file that the page of a certified submission offers; "
            "drop it together with the delivered files.",
            icon=":material/help:",
        )
    for file, receipt in receipts:
        _prove(desk, file, receipt, others)


def _prove(desk: Desk, file: UploadedFile, receipt: Mapping[str, Any], others: Sequence[tuple[str, bytes]]) -> None:
    proof = prove(receipt, others or None)
    proven, problems = list(proof.proven), list(proof.problems)
    unproven = proof.unproven if others else ("the delivered files were not dropped with it, so they were not compared",)
    kept = _kept(desk, proof.submission_id)
    if kept is not None:
        problems += prove_kept(desk.store, kept)
        name = f"{kept.key.folder}/{RECEIPT}"
        if desk.store.storage.exists(name):
            is_same = desk.store.storage.read(name) == canonical_json(receipt)
            (proven if is_same else problems).append(
                "it is the receipt that is kept here" if is_same else "it is not the receipt that is kept here"
            )
    st.subheader(said(f"Receipt of {proof.submission_id}"), anchor=False)
    st.caption(exact(file.name))
    if problems:
        st.error(
            "**Altered.** The receipt or a file is not as it was signed.",
            icon=":material/block:",
        )
    elif unproven:
        st.warning("**Not fully proven.** The receipt is whole, but not everything could be compared.", icon=":material/help:")
    else:
        st.success(
            "**Proven.** The receipt is whole, and these are the files that were certified.", icon=":material/check_circle:"
        )
    _list("Altered", problems)
    _list("Proven", proven)
    _list("Not proven", unproven)
    if not problems:
        with st.expander("What the receipt says", key=f"says-{file.file_id}"):
            in_words(receipt)


def _list(title: str, entries: Sequence[str]) -> None:
    if entries:
        st.markdown(f"**{title}**\n\n" + "\n".join(f"* {said(entry)}" for entry in entries))


def _kept(desk: Desk, submission_id: str) -> Submission | None:
    """The submission as it is kept here; None where it is another home's, or another district's."""
    try:
        return desk.submission(submission_id)
    except SubmissionRefused:
        return None


page(frame.open_desk())

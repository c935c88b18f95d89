"""The dry check of an upload: read and checked once for the same files and place, kept in this session's memory only.

How it is shown is decided by the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from dashboards.submit_pages import frame
from dashboards.submit_pages.place import Place
from dashboards.submit_pages.words import exact, said, size
from pipelines.intake.deliveries import delivery_digest
from pipelines.intake.desk import Desk
from pipelines.intake.reading import MIB, DeliveredFile, ReadingLimits
from pipelines.intake.screening import Opened, Screening
from pipelines.wording.labels import listed

NAMED = 3


@dataclass(frozen=True)
class Checked:
    """What was found in an upload. `key`: which files, for which place; `digest`: of their bytes."""

    key: tuple[tuple[str, ...], Place]
    screening: Screening
    opened: Opened
    digest: str


def largest_upload() -> int:
    """How large a file may be, in MB: what is read at most, unless the server takes less."""
    return min(int(st.get_option("server.maxUploadSize")), ReadingLimits().max_bytes // MIB)


def upload() -> list[UploadedFile]:
    """The place to drop files into, and what lies in it."""
    return st.file_uploader(
        f"Drop one file here, or the files that belong together (up to {largest_upload()} MB)",
        accept_multiple_files=True,
        max_upload_size=largest_upload(),
        # After a submission or a refusal the upload gets a new name: what lay in the old one is let go.
        key=f"files.{st.session_state.get('uploads', 0)}",
        help="csv, tsv, xlsx, xls or parquet; in the layout that your district exports, or in that of the template.",
    )


def let_go() -> None:
    """Forget the files that were uploaded and what was found in them."""
    st.session_state["uploads"] = st.session_state.get("uploads", 0) + 1
    forget()


def forget() -> None:
    """Forget what was found."""
    for name in ("checked", "annotated"):
        st.session_state.pop(name, None)


def refusal() -> str | None:
    """Why the last files were refused and not kept (Markdown), until others are dropped."""
    found: str | None = st.session_state.get("refused")
    return found


def refuse(message: str, fix: str) -> None:
    """Let the files go and say why, in a new run of the page."""
    st.session_state["refused"] = f"**Refused, and nothing of it was kept.** {frame.sentence(message)} {said(fix)}"
    let_go()
    st.rerun()


def named(names: Sequence[str], total: int) -> str:
    """`levels.csv (3.2 MB)` as Markdown; of many files the first few."""
    more = [f"{len(names) - NAMED} more"] if len(names) > NAMED else []
    return f"{listed([exact(name) for name in names[:NAMED]] + more)} ({size(total)})"


def checked(desk: Desk, place: Place, given: Sequence[UploadedFile], files: Sequence[DeliveredFile]) -> Checked:
    """What is found in the files. Data about single people are let go at once."""
    st.session_state.pop("refused", None)
    key = (tuple(file.file_id for file in given), place)
    kept: Checked | None = st.session_state.get("checked")
    if kept is not None and kept.key == key:
        return kept
    what = named([file.name for file in files], sum(len(file.content) for file in files))
    slot = st.empty()
    with slot.status(f"Reading {what}") as status:

        def progress(step: str) -> None:
            if step == "checking":
                status.update(label=f"Checking {what}")

        screening, opened = desk.check(files, *place, progress)
    slot.empty()
    if screening.is_personal:
        refuse(screening.findings["message"][0], screening.findings["how_to_fix"][0])
    found = Checked(key, screening, opened, delivery_digest(files))
    st.session_state["checked"] = found
    return found

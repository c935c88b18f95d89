"""Briefings: choose a convening and its parts, look at the pages, take home slides, a page or a print."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import streamlit as st

from dashboards import release_data
from dashboards.components import filters
from dashboards.components.words import plain
from pipelines.briefing.building import HTML, PDF, PPTX, BriefingRefused, built_briefing
from pipelines.briefing.content import SECTIONS, convening_of
from pipelines.briefing.material import NoBriefing
from pipelines.release.folder import UnusableRelease, read_folder
from pipelines.release.reader import NoRelease, Release, release_on

FORMATS = {
    PPTX: ("Slides to edit (PPTX)", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    HTML: ("A page to send (HTML)", "text/html"),
    PDF: ("A print (PDF)", "application/pdf"),
}
PREVIEW_HEIGHT = 760
# The first part of a briefing always comes.
_FIRST = next(iter(SECTIONS))


def page(release: Release) -> None:
    """Draw the page. Raises NoRelease."""
    st.title("Briefings", anchor=False)
    convenings = release_data.convenings(release)
    if convenings.is_empty():
        st.markdown("This release was made before briefings and names no convening. The next release will.")
        return
    st.markdown(
        "A briefing is made from this release alone. A comparison stands in it only where a verdict allows it, and every "
        "finished text is checked for words that say more."
    )
    convening = _convening(convenings)
    parts = _parts()
    try:
        with st.spinner("Making slides, page and print …"):
            files = _built(release.release_id, str(release.folder), convening, parts)
    except BriefingRefused as refused:
        st.error("This briefing would say more than its verdicts allow, so it was not made.")
        for problem in refused.problems[:5]:
            st.markdown(f"- {plain(problem.message())}")
        return
    except (NoBriefing, UnusableRelease) as problem:
        raise NoRelease(str(problem)) from problem
    with st.container(horizontal=True):
        for name, (label, mime) in FORMATS.items():
            st.download_button(
                label,
                data=files[f"briefing.{name}"],
                file_name=f"nmip_briefing_{convening}_{release.release_id}.{name}",
                mime=mime,
                key=f"briefing.{name}",
                on_click="ignore",
                icon=":material/download:",
            )
    st.subheader("Preview", anchor=False)
    st.iframe(files["briefing.html"].decode(), height=PREVIEW_HEIGHT, alt="The pages of the briefing")
    st.caption(
        "Slides that you edited are checked by `nmip briefing lint FILE`: it names every word that says more than its verdict."
    )


def _convening(convenings: pl.DataFrame) -> str:
    rows = {row["convening"]: row for row in convenings.to_dicts()}
    newest = list(rows)[-1]
    return filters.choose(
        "Convening",
        "convening",
        list(rows),
        newest,
        say=lambda code: f"{rows[code]['label']}, {rows[code]['held_on']}",
        width=420,
    )


def _parts() -> tuple[str, ...]:
    """The chosen parts, which stand in the address as `?parts=challenges,data`."""
    optional = [part for part in SECTIONS if part != _FIRST]
    asked = st.query_params.get("parts")
    chosen = optional if asked is None else [part for part in optional if part in asked.split(",")]
    picked = st.multiselect(
        "Parts",
        optional,
        default=chosen,
        format_func=lambda part: SECTIONS[part],
        help=f"“{SECTIONS[_FIRST]}” always comes first.",
    )
    if picked != chosen or asked is not None:
        st.query_params["parts"] = ",".join(part for part in optional if part in picked)
    return (_FIRST, *(part for part in optional if part in picked))


@st.cache_data(show_spinner=False, max_entries=8)
def _built(release_id: str, folder: str, convening: str, parts: tuple[str, ...]) -> dict[str, bytes]:
    """The files of a briefing, the same as `nmip briefing build` makes."""
    place = Path(folder)
    read = read_folder(place)
    _, previous = convening_of(read, convening)
    earlier = release_on(place.parent.parent, str(previous["held_on"]), release_id) if previous else None
    before = read_folder(place.parent / earlier) if earlier else None
    return built_briefing(read, convening, before, tuple(FORMATS), parts)


page(release_data.current_release())

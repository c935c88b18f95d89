"""What stands around every page: the banner, the footer, the page without a release, and the look-out for a new one.

What a page shows does not belong here.
"""

from __future__ import annotations

import streamlit as st

from dashboards import release_data
from dashboards.components.words import plain
from pipelines.release.reader import NoRelease, Release

BANNERS = {
    "synthetic": ("**Synthetic data:** invented districts' numbers for demonstration; nothing here describes a real school."),
    "public": "**Real public files, as published;** not submitted by the districts.",
}
INVENTED = "Invented"
PUBLISHED = " Published national assessment results are the only real numbers here."


def banner(release: Release) -> None:
    """Say what kind of data a release holds, unless it is districts' own submissions."""
    kind = str(release.manifest.get("kind"))
    if kind in BANNERS:
        st.info(BANNERS[kind] + (PUBLISHED if kind == "synthetic" and _has_published(release) else ""), icon=":material/info:")
    elif kind != "live":
        st.warning("This release does not say whether its data are real. Treat them as a test.")


def _has_published(release: Release) -> bool:
    """Whether national results beside invented numbers are real: a network may bring invented ones with it."""
    results = release_data.naep_results(release)
    if results.is_empty():
        return "naep" in release_data.indicators(release)["basis"]
    return not results["source"].str.starts_with(INVENTED).fill_null(False).all()


def footer(release: Release) -> None:
    """Release id, dates and the smallest group shown."""
    date = release_data.as_of(release)
    minimum = release.manifest.get("minimum_n")
    published = release.published_at or release.manifest.get("created_at") or "on an unknown date"
    parts = [
        f"Release {plain(release.release_id)}",
        f"as of {plain(date)}, the latest certification" if date else "nothing certified yet",
        f"published {plain(str(published)[:10] if published[:1].isdigit() else published)}",
    ]
    if minimum is not None:
        parts.append(f"groups under {plain(str(minimum))} are not shown")
    st.divider()
    st.caption(" · ".join(parts))


def no_release(reason: NoRelease) -> None:
    """The page that stands where there is nothing to show."""
    st.title("National Math Improvement Project")
    st.subheader("There is no release to show")
    st.markdown(_with_commands(str(reason)))
    st.markdown("This page looks again every few seconds and shows a release as soon as there is one.")


def _with_commands(text: str) -> str:
    """Text from outside with what stands between backticks shown as a command."""
    parts = text.split("`")
    return "".join(f"`{part}`" if place % 2 else _spaced(part) for place, part in enumerate(parts))


def _spaced(text: str) -> str:
    """`plain`, with the spaces kept at both ends."""
    return f"{' ' if text[:1].isspace() else ''}{plain(text)}{' ' if text[-1:].isspace() else ''}"


@st.fragment(run_every="5s")
def watch(shown: str | None) -> None:
    """Run the page again when another release than the one shown becomes the current one."""
    if release_data.current_release_id() != shown:
        st.rerun()

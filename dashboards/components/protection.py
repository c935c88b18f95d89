"""How small groups are protected, in words, with what it cost in one release and how that release was attacked.

Said from the manifest and the districts' minimums, as far as a release has them. How protection works out which numbers are
hidden does not belong here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import polars as pl
import streamlit as st

from dashboards import release_data
from dashboards.components.words import plain
from pipelines.release.reader import Release
from pipelines.wording.labels import humanised, listed

TITLE = "How small groups are protected"
_ATTACKS = {
    "alone": "from this release alone",
    "earlier": "together with earlier releases",
    "insider": "from the view of each district, which knows its own numbers",
    "coalition": "from the view of every two districts together",
    "singleton": "from the view of a single student who knows the own result",
    "interval": "through intervals and standard errors",
    "estimate": "through estimates",
    "comparison": "through comparisons",
    "count": "through one count under two names",
    "range": "through the ranges",
    "table": "through other tables",
    "text": "through texts",
    "manifest": "through the list of inputs",
}


def section(release: Release) -> None:
    """The rules, the price and the proof, a paragraph each."""
    st.subheader(TITLE, anchor=False)
    for paragraph in (*rules(release), cost(release.manifest.get("protection")), attacked(release.manifest.get("audit"))):
        if paragraph:
            st.markdown(paragraph)


def rules(release: Release) -> list[str]:
    """What is hidden and what is shown as a range, as Markdown."""
    return [
        minimum(release_data.districts(release), release.manifest.get("minimum_n")),
        "**Confidential** stands where a number is withheld: it speaks of too few people or leaves too few of its total, or it "
        "would give such a number away by subtraction. Nothing tells which of these it was. Everything that was worked out "
        "from the number falls with it: interval, number of people, comparisons, estimates.",
        "**A protected range** stands where a share is so small or so large that few people are on one side of it. *At most "
        "5 %* says that the share lies from 0 to 5 %, and no more: nobody there at all is said in the same words. The number of "
        "people behind it is shown. A range is never narrowed to fit a number: it ends at one of a few fixed places (50, 25, 20, "
        "10, 5, 2, 1 % and so on), the nearest one that leaves room for the minimum of people.\n\n"
        "*Example* with a minimum of 10. Of 200 students 5 % are 10, so 0, 3 and 10 of 200 are all *at most 5 %*, and 190 to 200 "
        "*at least 95 %*. Of 150 students 5 % would be fewer than 8, so the range is *at most 10 %*. Of fewer than 20 students "
        "no share is shown.",
        "**What is left** of a whole is drawn in grey where some of its parts are not shown. It is never shared out among them. "
        "A range counts as no number: it is compared with nothing, joined by no line, and part of no estimate.",
    ]


def minimum(districts: pl.DataFrame, largest: object) -> str:
    """The smallest group shown: one for all districts, or the strictest rule of each."""
    known = dict(districts.filter(pl.col("minimum_n").is_not_null()).select("label", "minimum_n").rows())
    strictest = "It is the strictest of three minimums: the project's, the state's and the district's."
    if len(set(known.values())) > 1:
        by_district = listed([f"{label} {number}" for label, number in known.items()])
        return f"**The minimum.** The smallest group of people that is shown: {plain(by_district)}. {strictest}"
    number = next(iter(known.values()), largest)
    if _number(number) is None:
        return "**The minimum.** This release does not say how small a group may be shown."
    said = f"**The minimum.** Nothing is shown of a group of fewer than {plain(str(number))} people."
    return f"{said} {strictest}" if known else said


def cost(protection: object) -> str | None:
    """How much of a release is not shown; None where it does not say."""
    if not isinstance(protection, Mapping):
        return None
    values, hidden, ranges = (_number(protection.get(name)) for name in ("n_values", "n_hidden", "n_ranges"))
    share, of_students = (_number(protection.get(name)) for name in ("share_hidden", "share_of_students_hidden"))
    if share is None and values and hidden is not None:
        share = hidden / values
    parts = []
    if hidden is not None:
        total = f" of {values:,.0f}" if values is not None else ""
        parts.append(f"{hidden:,.0f}{total} values are confidential" + (f" ({_percent(share)})" if share is not None else ""))
    elif share is not None:
        parts.append(f"{_percent(share)} of the values are confidential")
    if ranges is not None:
        parts.append(f"{ranges:,.0f} are shown as ranges")
    told = f"{listed(parts)}." if parts else ""
    if of_students is not None:
        told += f" Of what the values say of students, counted by student, {_percent(of_students)} is not shown."
    return f"**What it costs in this release.** {told[:1].upper()}{told[1:]}".strip() if told else None


def attacked(audit: object) -> str:
    """What was tried to get hidden numbers back before the release was published, or that it does not say."""
    if not isinstance(audit, Mapping):
        return "**Attacked before it was published.** This release does not say whether it was."
    cells, hidden = _number(audit.get("n_cells_attacked")), _number(audit.get("n_hidden"))
    of_what = f"{cells:,.0f} hidden counts" if cells else f"{hidden:,.0f} hidden values" if hidden else "what is hidden"
    told = (
        "**Attacked before it was published.** A program that shares nothing with the one that hides numbers, and that knew the "
        f"published files only, tried to get {of_what} back"
    )
    counted = audit.get("n_attacks_by_kind") or audit.get("attacks")
    kinds = [str(kind) for kind, n in counted.items() if _number(n)] if isinstance(counted, Mapping) else []
    if kinds:
        told += ": " + "; ".join(plain(_ATTACKS.get(kind, f"by {humanised(kind).lower()}")) for kind in kinds)
    return f"{told}. A release in which it succeeds is not published."


def _percent(share: float) -> str:
    percent = 100 * share
    return "less than 0.1 %" if 0 < percent < 0.1 else f"{percent:.1f} %"


def _number(told: object) -> float | None:
    """A number of a manifest; None where it is none."""
    if isinstance(told, bool) or not isinstance(told, int | float) or not math.isfinite(told):
        return None
    return float(told)

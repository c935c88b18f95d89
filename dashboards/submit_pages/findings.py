"""Findings by rule: what is wrong, how to fix it, why it matters, and the rows; with the files to take home.

The same for a file that was only checked and for a submission. What a finding means comes from the rule book.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl
import streamlit as st

from dashboards.submit_pages import downloads, tables
from dashboards.submit_pages.words import BLANK, TIER_WORDS, counted, said
from pipelines.intake.exports import findings_csv, findings_json
from pipelines.intake.reading import DeliveredFile

OPEN_AT_ONCE = 3
FEW_NOTES = 2
# A file with its findings is made before it is asked for only where that takes no time that a reader would notice.
MADE_AT_ONCE = 2_000_000
Group = Mapping[str, Any]


def by_rule(groups: Sequence[Group], findings: pl.DataFrame, act: Callable[[Group, pl.DataFrame], None] | None = None) -> None:
    """All findings, blocking rules first, each with its rows. `act` draws what can be done about a rule that does not block."""
    blocking = [group for group in groups if group["is_blocking"]]
    unusual = [group for group in groups if not group["is_blocking"]]
    n_opened = 0
    for title, part in (("To correct", blocking), ("Unusual, to correct or to acknowledge", unusual)):
        if not part:
            continue
        n_found = sum(group["n_findings"] for group in part)
        st.subheader(title, anchor=False)
        st.caption(f"{counted(len(part), 'rule')}, {counted(n_found, 'finding')}.")
        for group in part:
            n_opened += 1
            rule(group, findings.filter(pl.col("rule_id") == group["rule_id"]), n_opened <= OPEN_AT_ONCE, act)


def rule(group: Group, rows: pl.DataFrame, is_open: bool, act: Callable[[Group, pl.DataFrame], None] | None) -> None:
    """One rule: meaning and count to open; within, the fix, the reason, the rows, and what can be done."""
    is_settled = not group["is_blocking"] and group.get("n_open") == 0
    mark = ":material/check_circle:" if is_settled else ":material/block:" if group["is_blocking"] else ":material/help:"
    how_many = f"{counted(group['n_findings'], 'finding')}{', acknowledged' if is_settled else ''}"
    with st.expander(
        f"**{said(group['meaning'])}** {how_many}",
        expanded=is_open and not is_settled,
        icon=mark,
        key=f"rule-{group['rule_id']}",
    ):
        st.markdown(f"**To fix:** {said(group['how_to_fix'])}")
        if group["rationale"]:
            st.markdown(f"**Why it matters:** {said(group['rationale'])}")
        _rows(group, rows)
        version = f", version {said(group['rule_version'])}" if group["rule_version"] else ""
        st.caption(f"Rule {said(group['rule_id'])}{version}: {TIER_WORDS[group['tier']]}.")
        if act is not None and not group["is_blocking"]:
            act(group, rows)


def _rows(group: Group, rows: pl.DataFrame) -> None:
    is_by_line = rows["line"].null_count() < rows.height
    several = rows["file"].n_unique() > 1
    shown = rows.with_columns(
        where=pl.when(pl.col("line").is_null()).then(pl.lit("whole file")).otherwise(pl.col("line").cast(pl.String)),
        shown_value=pl.when(pl.col("field").is_not_null() & pl.col("business_key").is_not_null())
        .then(pl.col("value").fill_null(BLANK))
        .otherwise(pl.col("value")),
    )
    if several:
        shown = shown.with_columns(where=pl.format("{}, {}", "file", "where"))
    columns: dict[str, tuple[str, tables.Cell]] = {"Line": ("where", said)}
    if rows["business_key"].null_count() < rows.height:
        columns["Row"] = ("business_key", tables.text)
    if rows["field"].null_count() < rows.height:
        columns["Field"] = ("field", tables.value)
    if shown["shown_value"].null_count() < rows.height:
        columns["Value"] = ("shown_value", tables.value)
    columns["What is wrong"] = ("message", tables.text)
    if not is_by_line and not several:
        del columns["Line"]
    alt = f"Findings of {group['rule_id']}: {', '.join(columns)}."
    tables.paged(str(group["rule_id"]), shown, columns, alt)
    if group["n_findings"] > rows.height:
        st.caption(f"The first {rows.height:,} of {group['n_findings']:,} findings are listed; mend these and check again.")


def notes(recognised: Sequence[str]) -> None:
    """What was recognised in the files, and what the rules could look at."""
    if len(recognised) <= FEW_NOTES:
        for note in recognised:
            st.caption(said(note))
        return
    with st.expander(f"What was recognised ({len(recognised)})", icon=":material/info:", key="recognised"):
        st.markdown("\n".join(f"* {said(note)}" for note in recognised))


def take_home(
    name: str,
    findings: pl.DataFrame,
    submission_id: str,
    sizes: Sequence[int],
    key: object,
    annotated: Callable[[], Sequence[DeliveredFile]],
    everything: Callable[[], bytes] | None = None,
) -> None:
    """Downloads: findings as csv and JSON, and the analyst's own files with the findings in a column.

    `annotated` makes those files: once for the same `key`, or when they are asked for where there are many or large ones.
    `sizes`: their bytes; none where they cannot be read. `everything` makes one archive of all.
    """
    with st.container(horizontal=True, gap="small", key=f"take-home-{name}"):
        downloads.button("Findings (CSV)", f"{name}_findings.csv", lambda: findings_csv(findings, submission_id), "csv")
        downloads.button("Findings (JSON)", f"{name}_findings.json", lambda: findings_json(findings, submission_id), "json")
        if len(sizes) == 1 and sizes[0] <= MADE_AT_ONCE:
            for made in _made_once(key, annotated):
                downloads.button("Your file with the findings", made.name, made.content, "annotated")
        elif sizes:
            label = f"Your {'file' if len(sizes) == 1 else 'files'} with the findings (ZIP)"
            downloads.button(label, f"{name}_with_findings.zip", lambda: downloads.zipped(annotated()), "annotated")
        if everything is not None:
            downloads.button("Everything (ZIP)", f"{name}.zip", everything, "everything")


def _made_once(key: object, make: Callable[[], Sequence[DeliveredFile]]) -> Sequence[DeliveredFile]:
    kept = st.session_state.get("annotated")
    if kept is None or kept[0] != key:
        kept = (key, make())
        st.session_state["annotated"] = kept
    files: Sequence[DeliveredFile] = kept[1]
    return files

"""What signing changes: rows against those in force, and what becomes of every indicator; computed once, kept in the session.

What the differences are stands in `pipelines.intake.differences` and `effects`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import polars as pl
import streamlit as st

from dashboards.submit_pages import downloads, frame, tables
from dashboards.submit_pages.words import BLANK, counted, exact, said
from pipelines.contracts.contract import load_contract
from pipelines.intake.desk import Desk
from pipelines.intake.differences import RowDifferences
from pipelines.intake.effects import EffectsUnavailable, IndicatorEffects
from pipelines.intake.submission import Submission, in_force


@dataclass(frozen=True)
class Changes:
    """What signing one submission changes now. `effects` is None where they cannot be said, and `why_not` says why."""

    key: tuple[object, ...]
    rows: RowDifferences
    effects: IndicatorEffects | None
    why_not: str | None


def section(desk: Desk, submission: Submission, held: str | None) -> None:
    """Draw both. `held`: id of the submission in force that would be replaced, None where there is none."""
    st.subheader("What signing changes", anchor=False)
    found = _changes(desk, submission)
    beside = f"Compared with submission {held.rpartition('/')[2].lstrip('0')}, which is in force until you sign. " if held else ""
    st.markdown(f"{beside}{said(found.rows.summary())}")
    if not found.rows.is_first:
        _rows(desk, submission, found.rows)
    st.markdown("**What it does to the indicators**")
    if found.effects is None:
        st.info(frame.sentence(found.why_not), icon=":material/info:")
        if st.button("Ask again", key="ask-again", icon=":material/refresh:"):
            st.session_state.pop("changes", None)
            st.rerun()
        return
    st.markdown(said(found.effects.summary()))
    _indicators(submission, found.effects)


def _changes(desk: Desk, submission: Submission) -> Changes:
    beside = tuple(s.key.submission_id for s in in_force(desk.store, submission.key.district))
    key = (submission.key, len(submission.events), beside)
    kept: Changes | None = st.session_state.get("changes")
    if kept is not None and kept.key == key:
        return kept
    with st.spinner("Working out what signing changes"):
        rows = desk.differences(submission)
        try:
            found = Changes(key, rows, desk.effects(submission), None)
        except EffectsUnavailable as reason:
            # Asked anew on the next run: what is missing may have been made meanwhile.
            return Changes(key, rows, None, str(reason))
    st.session_state["changes"] = found
    return found


def _rows(desk: Desk, submission: Submission, rows: RowDifferences) -> None:
    name = submission.key.submission_id.replace("/", "_")
    key = list(load_contract(desk.contracts_folder, submission.key.extract).key)
    if rows.changed.height:
        with st.expander(f"Changed: {counted(rows.changed.height, 'value')} in {counted(rows.n_changed_rows, 'row')}"):
            _values(rows.changed, key)
            downloads.button("Changed values (CSV)", f"{name}_changed.csv", lambda: downloads.csv_of(rows.changed), "changed")
    for word, table in (("Added", rows.added), ("Removed", rows.removed)):
        if table.height:
            with st.expander(f"{word}: {counted(table.height, 'row')}"):
                _whole(table, word)
                downloads.button(f"{word} rows (CSV)", f"{name}_{word.lower()}.csv", partial(downloads.csv_of, table), word)


def _values(changed: pl.DataFrame, key: list[str]) -> None:
    parts = [pl.concat_str(pl.lit(f"{name} "), pl.col(name).fill_null(BLANK)) for name in key]
    shown = changed.with_columns(
        row=pl.concat_str(parts, separator=", "), before=pl.col("before").fill_null(BLANK), after=pl.col("after").fill_null(BLANK)
    )
    columns: tables.Columns = {
        "Line": ("delivered_line", str),
        "Row": ("row", said),
        "Field": ("field", exact),
        "In force": ("before", tables.value),
        "New": ("after", tables.value),
    }
    tables.paged("changed", shown, columns, "Values that signing changes: the row, the field, what is in force, what is new.")


def _whole(table: pl.DataFrame, word: str) -> None:
    named = table.rename({"delivered_file": "File", "delivered_line": "Line"})
    shown = named.drop("File") if named["File"].n_unique() == 1 else named
    st.dataframe(shown.head(tables.SHOWN), hide_index=True, placeholder="", alt=f"{word} rows, all columns.", key=f"whole.{word}")
    if table.height > tables.SHOWN:
        st.caption(f"The first {tables.SHOWN:,} of {table.height:,} are shown; the download holds all.")


def _indicators(submission: Submission, effects: IndicatorEffects) -> None:
    columns: tables.Columns = {"Which value": ("about", said), "Change": ("said", said)}
    for (indicator_id,), part in effects.changed.group_by("indicator_id", maintain_order=True):
        title = f"{indicator_id} {part['title'][0] or ''}".strip()
        shown = part.with_columns(pl.col("about").str.strip_prefix(f"{title} · "))
        with st.expander(f"**{said(title)}** {counted(part.height, 'value')}", key=f"effect-{indicator_id}"):
            tables.paged(f"effect-{indicator_id}", shown, columns, f"What becomes of the values of {indicator_id}.")
    if effects.changed.height:
        name = submission.key.submission_id.replace("/", "_")
        downloads.button(
            "Effects on indicators (CSV)", f"{name}_effects.csv", lambda: downloads.csv_of(effects.changed), "effects"
        )

"""Data quality: every district, file and school year with its state, next step, dates, and lines that add up."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from dashboards import release_data
from dashboards.components import filters, protection, tables
from dashboards.components.words import plain
from pipelines.release.reader import Release
from pipelines.wording.labels import humanised

EVERY = "every"


def page(release: Release) -> None:
    """Draw the page. Raises NoRelease."""
    st.title("Data quality", anchor=False)
    everything = release_data.submissions(release)
    districts = release_data.districts(release)
    labels = dict(zip(districts["code"], districts["label"], strict=True))
    _expected(release, release_data.expected_extracts(release), labels)
    _protected(release)
    if everything.is_empty():
        st.markdown("No file has been received yet. Files appear here as soon as a release knows of them.")
        return
    years = everything["school_year"].unique().sort(descending=True).to_list()
    extracts = everything["extract"].unique().sort().to_list()
    with st.container(horizontal=True):
        year = filters.choose(
            "School year", "year", [*years, EVERY], years[0], say=lambda code: "Every year" if code == EVERY else code
        )
        district = filters.choose(
            "District", "district", [EVERY, *labels], EVERY, say=lambda code: labels.get(code, "Every district")
        )
        extract = filters.choose(
            "File",
            "extract",
            [EVERY, *extracts],
            EVERY,
            say=lambda code: "Every file" if code == EVERY else humanised(code),
        )
    expected = (
        districts.select(pl.col("code").alias("district"), pl.col("label").alias("District"))
        .join(pl.DataFrame({"extract": extracts}), how="cross")
        .join(pl.DataFrame({"school_year": years}), how="cross")
    )
    for column, choice in {"school_year": year, "district": district, "extract": extract}.items():
        if choice != EVERY:
            expected = expected.filter(pl.col(column) == choice)
    _states(release, expected, everything)
    _sums(everything.join(expected, on=["district", "extract", "school_year"], how="inner").sort("District", "extract"))


def _expected(release: Release, expected: pl.DataFrame, labels: dict[str, str]) -> None:
    """What is expected, a row for each district and school year: never a zero, and never a row that is left out."""
    if expected.is_empty():
        return
    st.subheader("What is expected", anchor=False)
    st.caption(plain(f"How every expected file stood on {expected['as_of'][0]}; a file that is declared has its reason below."))
    states = {code: humanised(code) for code in expected["state"].unique()}
    files = {code: humanised(code) for code in expected["extract"].unique()}
    said = pl.col("state").replace_strict(states, return_dtype=pl.String)
    due = pl.lit(", due ") + pl.col("due_date").cast(pl.String)
    is_open = pl.col("state").is_in(["awaited", "missing", "late", "in_work"])
    cells = expected.select(
        pl.col("district").replace_strict(labels, default=pl.col("district"), return_dtype=pl.String).alias("District"),
        pl.col("school_year").alias("School year"),
        pl.col("extract").replace_strict(files, return_dtype=pl.String).alias("file"),
        pl.when(is_open).then(said + due).otherwise(said).alias("cell"),
    )
    shown = cells.pivot("file", index=["District", "School year"], values="cell").fill_null("Not expected")
    tables.show(shown, "expected", "Every expected file with how it stands.", release.release_id)
    for row in expected.filter(pl.col("reason").is_not_null()).to_dicts():
        what = f"{labels.get(row['district'], row['district'])}, {files[row['extract']]} {row['school_year']}"
        st.markdown(plain(f"{what}: {states[row['state']].lower()}. {row['reason']}"))


def _protected(release: Release) -> None:
    """How much of the release is not shown, with the way to the rules."""
    told = protection.cost(release.manifest.get("protection"))
    st.subheader(protection.TITLE, anchor=False)
    if told:
        st.markdown(told)
    st.page_link("app_pages/methods.py", label="The rules, with examples: Methods", icon=":material/shield:")


def _states(release: Release, expected: pl.DataFrame, everything: pl.DataFrame) -> None:
    st.subheader("State of every file", anchor=False)
    st.caption(
        "Every district × file × school year that any district has sent, a row for each delivery; what was never sent "
        "is listed too."
    )
    rows = expected.join(everything, on=["district", "extract", "school_year"], how="left").sort(
        ["District", "extract", "school_year", "number"], descending=[False, False, True, True]
    )
    received = pl.col("submission_id").is_not_null()
    files = {code: humanised(code) for code in expected["extract"].unique()}
    states = {code: humanised(code) for code in rows["state"].drop_nulls().unique()}
    shown = rows.select(
        "District",
        (pl.col("extract").replace_strict(files, return_dtype=pl.String) + " " + pl.col("school_year")).alias("File"),
        pl.col("number").cast(pl.String).alias("Delivery"),
        pl.col("state").replace_strict(states, default="Not received", return_dtype=pl.String).alias("State"),
        pl.when(received).then("state_meaning").otherwise(pl.lit("No file has arrived.")).alias("Meaning"),
        pl.when(received).then("next_step").otherwise(pl.lit("The district sends the file.")).alias("Next step"),
        *(
            pl.col(column).str.slice(0, 10).alias(title)
            for column, title in {
                "received_at": "Received",
                "screened_at": "Screened",
                "certified_at": "Certified",
            }.items()
        ),
    )
    tables.show(shown, "data_quality", "Every expected file with its state, next step and dates.", release.release_id)


def _sums(rows: pl.DataFrame) -> None:
    st.subheader("Lines and rows that add up", anchor=False)
    st.caption(
        "Every delivered line is either used or dropped for a stated reason; so is every row made from lines. Open a delivery "
        "for its sums and for what its mapping says about rounding and other caveats."
    )
    if rows.is_empty():
        st.markdown("Nothing was received for this choice.")
    for row in rows.to_dicts():
        title = f"{row['District']}, {humanised(row['extract'])}, {row['school_year']}, delivery {row['number']}"
        with st.expander(plain(f"{title} ({humanised(row['state']).lower()})")):
            _delivery(row)


def _delivery(row: dict[str, Any]) -> None:
    st.markdown(plain(f"{row['state_meaning'] or ''} {row['next_step'] or ''}"))
    if row["certified_at"]:
        signed = f"Certified {row['certified_at'][:10]}"
        st.markdown(plain(f"{signed} ({row['how']})." if row["how"] else f"{signed}."))
    if row["first_message"]:
        st.markdown(plain(f"First of {row['n_findings'] or 0} findings: {row['first_message']}"))
    if row["lines_in"] is None:
        st.markdown("The file was not read, so there are no lines to count.")
    else:
        _sum("lines", row["lines_in"], row["lines_used"], release_data.reasons(row["dropped_lines"]))
        _sum("rows", row["rows_in"], row["rows_used"], release_data.reasons(row["dropped_rows"]))
    found = release_data.notes(row["notes"])
    if found:
        st.markdown("**Notes of the mapping**\n\n" + "\n".join(f"* {plain(note)}" for note in found))
    st.caption(plain(f"{row['submission_id']} · files: {row['n_files']} · contract {row['contract_version'] or 'not stated'}"))


def _sum(what: str, total: int | None, used: int | None, dropped: dict[str, int]) -> None:
    if total is None or used is None:
        st.markdown(f"The {what} were not counted.")
        return
    parts = [
        ("used", used),
        *((f"dropped: {reason.replace('_', ' ')}", count) for reason, count in dropped.items()),
    ]
    added = sum(count for _, count in parts)
    names = [name for name, _ in parts] + [f"together, of {total:,} {what} in"]
    frame = pl.DataFrame({what.capitalize(): names, "Count": [f"{count:,}" for count in (*(n for _, n in parts), added)]})
    st.table(
        tables.escaped(frame),
        border="horizontal",
        width="content",
        hide_index=True,
        alt=f"{what} used and dropped",
    )
    if added != total:
        kind = "missing" if added < total else "too many"
        st.markdown(f"**This does not add up:** {abs(total - added):,} {what} are {kind}.")


page(release_data.current_release())

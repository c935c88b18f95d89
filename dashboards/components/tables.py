"""Tables that people and screen readers can read, each with a CSV of exactly what it shows.

Cells are text from outside: shown letter by letter, and harmless to a spreadsheet. What goes into a table is decided by
the pages.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import streamlit as st

from dashboards.components.words import ARROW, ICON, LINE_START, LINK, MAIL, MARKUP, WORD_JOINER, plain

BREAK_HERE = "\u200b"
FORMULA_START = r"^[=+\-@\t\r]"


def escaped(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with every text cell as `words.plain` would have it, dates and percentages unbroken, no text as an empty one."""
    text = pl.col(pl.String).fill_null("").str.replace_all(r"\s+", " ").str.strip_chars()
    for pattern in (ICON, ARROW, ARROW, MAIL, LINK):
        text = text.str.replace_all(pattern, f"${{1}}{WORD_JOINER}${{2}}")
    text = text.str.replace_all(MARKUP, r"\${0}").str.replace(LINE_START, r"${1}${3}\${2}${4}")
    text = text.str.replace_all(r"(\d)-", f"${{1}}{WORD_JOINER}-{WORD_JOINER}").str.replace_all(" %", "\u00a0%", literal=True)
    # A long address is cut off by a table's cell unless its line may break at a slash.
    return frame.with_columns(text.str.replace_all("/", f"/{BREAK_HERE}", literal=True))


def csv_bytes(frame: pl.DataFrame) -> bytes:
    """The frame as UTF-8 CSV, text cells protected from being read as spreadsheet formulas."""
    protected = [
        pl.when(pl.col(name).str.contains(FORMULA_START)).then("'" + pl.col(name)).otherwise(pl.col(name)).alias(name)
        for name, kind in frame.schema.items()
        if kind == pl.String
    ]
    return frame.with_columns(protected).write_csv().encode()


def show(frame: pl.DataFrame, name: str, alt: str, release_id: str) -> None:
    """A table and its download; `name` is short, unique on the page and becomes part of the file's name."""
    st.table(escaped(frame), border="horizontal", hide_index=True, alt=alt)
    st.download_button(
        "Download this table (CSV)",
        data=csv_bytes(frame),
        file_name=f"nmip_{release_id}_{name}.csv",
        mime="text/csv",
        key=f"csv.{name}",
        on_click="ignore",
        icon=":material/download:",
    )


def behind(title: str, build: Callable[[], pl.DataFrame], name: str, alt: str, release_id: str) -> None:
    """A table behind one click; it is made and sent only once it is opened."""
    with st.expander(plain(title), key=f"open.{name}", on_change="rerun") as opened:
        if opened.open:
            show(build(), name, alt, release_id)

"""Tables that people and screen readers can read: a page of rows at a time, each cell text; in a narrow window, cards.

Cells come from districts' files. What goes into a table is decided by the pages; csv files stand in `downloads`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl
import streamlit as st

from dashboards.submit_pages.words import BLANK, exact, said

PER_PAGE = 10
SHOWN = 1_000

# In a wide window names of fields are not broken, and what is wrong gets the most room.
WIDE = {
    "Row": "CELL > div { max-width: 24rem !important; min-width: 8rem; }",
    "Field": "CELL code { white-space: nowrap; }",
    "Value": "CELL { min-width: 8rem; }",
    "In force": "CELL { min-width: 8rem; }",
    "New": "CELL { min-width: 8rem; }",
}

# By title: a column's name in the frame, and how a cell of it becomes Markdown. Titles are ours, never a file's.
Cell = Callable[[Any], str]
Columns = Mapping[str, tuple[str, Cell]]


def text(cell: object) -> str:
    """A cell of prose."""
    return "" if cell is None else said(cell)


def value(cell: object) -> str:
    """A delivered value, exactly as it is."""
    return "" if cell is None else BLANK if cell == BLANK else exact(cell)


def _style(key: str, titles: Sequence[str]) -> str:
    """How the table in that container looks. In a narrow window each of its rows is a card, every cell beside its title."""
    table = f'.st-key-{key} [data-testid="stTable"]'
    cells = {title: f"{table} td:nth-of-type({place})" for place, title in enumerate(titles, start=1)}
    wide = [rule.replace("CELL", cells[title]) for title, rule in WIDE.items() if title in cells]
    narrow = [f'{cell}::before {{ content: "{title}"; }}' for title, cell in cells.items()]
    return f"""<style>@media (min-width: 641px) {{ {" ".join(wide)} }} @media (max-width: 640px) {{
    {table} thead {{ display: none; }}
    {table} table, {table} tbody, {table} tr {{ display: block; width: 100%; }}
    {table} tr {{ border-top: 1px solid #CBD2DB; padding: 0.5rem 0; }}
    {table} td {{ display: grid; grid-template-columns: 7rem 1fr; border: none; padding: 0.15rem 0; white-space: normal; }}
    {table} td::before {{ color: #56616F; }}
    {" ".join(narrow)}
    }}</style>"""


@st.fragment
def paged(name: str, rows: pl.DataFrame, columns: Columns, alt: str) -> None:
    """The rows, some at a time. `name` (letters, digits, `-`) is unique on the page; `columns` by title, in order."""
    shown = rows.head(SHOWN)
    n_pages = max(1, math.ceil(shown.height / PER_PAGE))
    with st.container(key=f"rows-{name}", gap="small"):
        st.html(_style(f"rows-{name}", list(columns)))
        slot = st.container()
        page = st.pagination(n_pages, key=f"page.{name}") if n_pages > 1 else 1
        part = shown.slice((page - 1) * PER_PAGE, PER_PAGE)
        cells = {title: [draw(cell) for cell in part[column]] for title, (column, draw) in columns.items()}
        slot.table(pl.DataFrame(cells, schema=dict.fromkeys(cells, pl.String)), border="horizontal", hide_index=True, alt=alt)
        if n_pages > 1:
            first = (page - 1) * PER_PAGE + 1
            more = f" The first {SHOWN:,} of {rows.height:,} are shown; the downloads hold all." if rows.height > SHOWN else ""
            st.caption(f"{first:,} to {first + part.height - 1:,} of {shown.height:,}.{more}")

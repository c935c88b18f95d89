"""What pages of a briefing are made of, as plain JSON types. What stands in them, and how they look, does not belong here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

ROWS_OF_A_PAGE = 11


def page(page_id: str, part: str, title: str, blocks: Sequence[Mapping[str, Any]], notes: Sequence[str] = ()) -> dict[str, Any]:
    """One page of the document."""
    return {"id": page_id, "part": part, "title": title, "blocks": [dict(block) for block in blocks], "notes": list(notes)}


def text(words: str) -> dict[str, Any]:
    """A paragraph in the briefing's own words."""
    return {"type": "text", "text": words}


def quote_block(title: str, words: str) -> dict[str, Any]:
    """A paragraph that the release holds word for word."""
    return {"type": "quote", "title": title, "text": words}


def bullets(items: Sequence[str]) -> dict[str, Any]:
    """A list of short lines."""
    return {"type": "bullets", "items": list(items)}


def table_block(caption: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[str, Any]:
    """A table of texts."""
    return {"type": "table", "caption": caption, "columns": list(columns), "rows": [list(row) for row in rows]}


def table_pages(
    page_id: str,
    part: str,
    title: str,
    intro: Sequence[Mapping[str, Any]],
    heads: Sequence[str],
    cells: Sequence[Sequence[str]],
    caption: str,
    rows_of_a_page: int = ROWS_OF_A_PAGE,
) -> list[dict[str, Any]]:
    """A long table on as many pages as it takes; what introduces it stands on the first."""
    if not cells:
        return [page(page_id, part, title, [*intro, text("There is nothing to show.")])]
    starts = range(0, len(cells), rows_of_a_page)
    pages = []
    for number, start in enumerate(starts, 1):
        named = title if len(starts) == 1 else f"{title} ({number} of {len(starts)})"
        name = f"{page_id}-{number}" if len(starts) > 1 else page_id
        block = table_block(caption, heads, cells[start : start + rows_of_a_page])
        pages.append(page(name, part, named, [*(intro if number == 1 else ()), block]))
    return pages

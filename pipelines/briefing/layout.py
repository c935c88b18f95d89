"""What every format of a briefing lays out alike: title, cover, footer and the widths of tables' columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_WIDEST, _NARROWEST = 60, 8


def title_of(document: Mapping[str, Any]) -> str:
    """The title of a briefing."""
    return f"National Math Improvement Project: {document['convening']['label']}"


def cover_lines(document: Mapping[str, Any]) -> list[str]:
    """What the cover says below the title, line by line."""
    convening = document["convening"]
    as_of = document["as_of"]
    return [
        f"{convening['held_on']}, on the school year {convening['school_year']}",
        f"For: {convening['audience']}",
        f"Certified data as of {as_of}" if as_of else "Nothing is certified yet",
    ]


def footer(document: Mapping[str, Any]) -> str:
    """What stands at the foot of every page: release, digest, school year, smallest group, kind of data."""
    parts = [
        f"Release {document['release_id']} ({document['release_digest']})",
        f"school year {document['convening']['school_year']}, whole districts, all students",
        f"as of {document['as_of']}" if document["as_of"] else "nothing certified",
        f"groups under {document['minimum_n']} are not shown",
    ]
    if document["kind"] != "live":
        parts.append(f"{document['kind']} data")
    return " · ".join(parts)


def widths_of(table: Mapping[str, Any]) -> list[int]:
    """Relative widths of a table's columns, by their longest words and the length of their texts."""
    widths = []
    for place, head in enumerate(table["columns"]):
        texts = [head, *(row[place] for row in table["rows"])]
        longest = max(len(text) for text in texts)
        word = max((len(word) for text in texts for word in text.split()), default=0)
        widths.append(max(_NARROWEST, word + 2, min(longest, _WIDEST)))
    return widths

"""The first part of every briefing: what changed since the release before, and because of which submissions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.release.changes import KINDS, as_json, changes_between, sentences
from pipelines.release.folder import ReleaseFolder, UnusableRelease

ROOT = "briefings"
FILES = ("changes.md", "changes.json")


def briefing_keys(release_id: str) -> list[str]:
    """Where the files of a release's briefing lie below the home, in the order in which they are written."""
    return [f"{ROOT}/{release_id}/{name}" for name in FILES]


def briefing_of(before: ReleaseFolder | None, after: ReleaseFolder) -> dict[str, bytes]:
    """The files of the briefing of `after`, by key, in the order in which they are to be written. Pure.

    `before`: the release that readers had until then, None where there was none. Raises UnusableRelease.
    """
    told = as_json(changes_between(before, after))
    markdown = changes_markdown(
        told, _labels(after, "districts", "code", "label"), _labels(after, "indicators", "indicator_id", "name")
    )
    text = json.dumps(told, sort_keys=True, ensure_ascii=False, indent=1) + "\n"
    return dict(zip(briefing_keys(after.release_id), (markdown.encode(), text.encode()), strict=True))


def changes_markdown(told: Mapping[str, Any], districts: Mapping[str, str], indicators: Mapping[str, str]) -> str:
    """`told`, as `release.changes.as_json` gives it, as a page; codes are shown with their labels."""
    first, *reasons = sentences(told)
    lines = ["# What changed", "", _escaped(first)]
    if told["before"] is None:
        return "\n".join([*lines, ""])
    if reasons:
        lines += ["", "## Because of", "", *(f"- {_escaped(reason)}" for reason in reasons)]
    if told["by_indicator_and_district"]:
        lines += ["", "## Where", "", *_table(told["by_indicator_and_district"], districts, indicators)]
    return "\n".join([*lines, ""])


def _table(rows: Sequence[Mapping[str, Any]], districts: Mapping[str, str], indicators: Mapping[str, str]) -> list[str]:
    heads = ["indicator", "district", *KINDS.values()]
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for row in rows:
        indicator, district = row["indicator_id"], row["district"]
        named = [f"{indicator} {indicators.get(indicator, '')}".strip(), districts.get(district, district)]
        cells = [*(_escaped(str(text)) for text in named), *(f"{row[kind]:,}" if row[kind] else "" for kind in KINDS)]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _labels(release: ReleaseFolder, table: str, code: str, label: str) -> dict[str, str]:
    if table not in release.tables:
        return {}
    frame = release.tables[table]
    if not {code, label} <= set(frame.columns):
        raise UnusableRelease(f"The table {table} of release {release.release_id} has no columns {code} and {label}.")
    return dict(frame.select(code, label).iter_rows())


def _escaped(text: str) -> str:
    """Text that is a reader's to read and not Markdown's or HTML's to obey."""
    kept = "".join(character if character.isprintable() else " " for character in text)
    for sign in "\\`*_[]<>|#":
        kept = kept.replace(sign, f"\\{sign}")
    return kept

"""Finding the current release of a home: pointer, manifest, tables.

All that the dashboard and the briefing know about the pipeline. It reads and never writes; querying the tables and drawing
them do not belong here.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

POINTER = "releases/current.json"
ANNOUNCEMENTS = "announcements"
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_REPUBLISH = "Publish again with `nmip run`, or go back to an earlier release with `nmip release rollback`."


class NoRelease(Exception):
    """There is no release that can be read; the message says in plain words what is missing and what to do."""


@dataclass(frozen=True)
class Release:
    """One published release: its id, its manifest as parsed JSON, and the folder that holds its Parquet tables.

    `published_at`: when it was published (ISO 8601), None where nobody wrote that down. The manifest's `created_at` is another
    time: that of the latest event among what the release is made from.
    """

    release_id: str
    manifest: dict[str, Any]
    folder: Path
    published_at: str | None = None

    def table_path(self, name: str) -> Path:
        """Where a table of this release lies.

        Raises NoRelease where the release has no such table or its file is gone.
        """
        if not _PLAIN_NAME.fullmatch(name) or name not in self.manifest.get("tables", {}):
            raise NoRelease(f"Release {self.release_id} has no table `{name}`. {_REPUBLISH}")
        path = self.folder / f"{name}.parquet"
        if not path.is_file():
            raise NoRelease(f"The file of table `{name}` is missing from release {self.release_id}. {_REPUBLISH}")
        return path


def read_current(home: Path) -> Release:
    """The release that `<home>/releases/current.json` points at.

    Raises NoRelease where nothing has been published yet, and where the pointer or the manifest cannot be used.
    """
    pointer_path = home / POINTER
    if not pointer_path.is_file():
        raise NoRelease(
            f"Nothing has been published in {home} yet. Run `make demo` to see a synthetic network of six districts, "
            "or `nmip run` to process what is waiting and publish a release."
        )
    pointer = _json_object(pointer_path, "The pointer to the current release")
    release_id, relative = pointer.get("release_id"), pointer.get("path")
    if not isinstance(release_id, str) or not _PLAIN_NAME.fullmatch(release_id) or not isinstance(relative, str):
        raise NoRelease(f"The pointer to the current release ({POINTER}) names no release. {_REPUBLISH}")
    parts = PurePosixPath(relative).parts
    if len(parts) != 2 or parts[0] != "releases" or not _PLAIN_NAME.fullmatch(parts[1]):
        raise NoRelease(f"The pointer to the current release ({POINTER}) leads outside the releases. {_REPUBLISH}")
    folder = home.joinpath(*parts)
    manifest_path = folder / "manifest.json"
    if not manifest_path.is_file():
        raise NoRelease(f"Release {release_id} is the current one, but its manifest is missing. {_REPUBLISH}")
    manifest = _json_object(manifest_path, f"The manifest of release {release_id}")
    if manifest.get("release_id") != release_id or not isinstance(manifest.get("tables"), dict):
        raise NoRelease(f"The manifest of release {release_id} does not describe that release. {_REPUBLISH}")
    published_at = pointer.get("published_at")
    return Release(
        release_id=release_id,
        manifest=manifest,
        folder=folder,
        published_at=published_at if isinstance(published_at, str) else None,
    )


def release_on(home: Path, day: str, other_than: str) -> str | None:
    """The release that readers had at the end of a day (`2025-07-15`), by what was announced; None where there was none.

    `other_than`: a release that does not count. Raises NoRelease where an announcement cannot be read.
    """
    there = None
    for path in sorted((home / ANNOUNCEMENTS).glob("*.json")):
        told = _json_object(path, "An announcement")
        release_id, published_at = told.get("release_id"), told.get("published_at")
        if not isinstance(release_id, str) or not _PLAIN_NAME.fullmatch(release_id) or not isinstance(published_at, str):
            continue
        if published_at[: len(day)] <= day and release_id != other_than and (home / "releases" / release_id).is_dir():
            there = release_id
    return there


def _json_object(path: Path, what: str) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as problem:
        raise NoRelease(f"{what} ({path.name}) cannot be read. {_REPUBLISH}") from problem
    if not isinstance(content, dict):
        raise NoRelease(f"{what} ({path.name}) is not a JSON object. {_REPUBLISH}")
    return content

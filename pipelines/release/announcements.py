"""Announcing a release: one event, written after the pointer, from which everything that is made of a release follows.

An announcement says what changed in numbers of values and which submissions are new, never a value.
"""

from __future__ import annotations

from typing import Any

from pipelines.release.changes import as_json, changes_between
from pipelines.release.folder import read_folder
from pipelines.release.publish import ANNOUNCEMENTS, CURRENT, ROOT, announcement, announcement_key, release_ids
from pipelines.storage import Storage, canonical_json

_SAID = ("n_values", "changes", "submissions", "without_new_submission", "made_differently", "held")


def announcements(storage: Storage) -> list[dict[str, Any]]:
    """All announcements, in the order of their releases."""
    return [storage.read_json(key) for key in storage.keys(ANNOUNCEMENTS) if key.endswith(".json")]


def announced(storage: Storage) -> list[str]:
    """Ids of the releases that were announced, in order."""
    return [key.removeprefix(f"{ANNOUNCEMENTS}/").removesuffix(".json") for key in storage.keys(ANNOUNCEMENTS)]


def is_announced(storage: Storage) -> bool:
    """Whether the release that the pointer names was announced; a release that was gone back to need not be announced again."""
    if not storage.exists(CURRENT):
        return True
    pointer = storage.read_json(CURRENT)
    return "rolled_back_from" in pointer or announcement(storage, pointer["release_id"]) is not None


def announce_current(storage: Storage) -> dict[str, Any] | None:
    """Announce the current release unless that was done; returns the announcement, or None where there was nothing to do.

    Raises UnusableRelease where its tables, or those of the release before, cannot be read.
    """
    if is_announced(storage):
        return None
    pointer = storage.read_json(CURRENT)
    release_id, previous = pointer["release_id"], pointer.get("previous")
    if "published_at" not in pointer:
        # A pointer of the time before releases were announced does not say what readers had before.
        earlier = [name for name in release_ids(storage) if name < release_id]
        previous = earlier[-1] if earlier else None
    after = read_folder(storage.path(f"{ROOT}/{release_id}"))
    before = read_folder(storage.path(f"{ROOT}/{previous}")) if previous else None
    told = as_json(changes_between(before, after))
    said = {
        "event": "released",
        "release_id": release_id,
        "published_at": pointer.get("published_at"),
        "previous": previous,
        **{name: told[name] for name in _SAID},
    }
    storage.write(announcement_key(release_id), canonical_json(said))
    return said

"""A release that waits: complete and audited, but not below `releases/` until its embargo ends.

What is under embargo is seen by nobody who reads releases. Auditing and publishing do not belong here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pipelines.release.publish import copy_release, remove
from pipelines.settings import utc_time
from pipelines.storage import Storage, canonical_json

SETTING = "embargo.json"
ROOT = "embargoed"
WAITING = f"{ROOT}/waiting.json"


def set_embargo(storage: Storage, until: datetime) -> None:
    """Releases that are built before `until` wait for it."""
    storage.write(SETTING, canonical_json({"until": until.isoformat(timespec="seconds")}))


def lift_embargo(storage: Storage) -> bool:
    """End what `set_embargo` began; False where there was nothing to end."""
    was_set = storage.exists(SETTING)
    storage.delete(SETTING)
    return was_set


def embargo_until(storage: Storage, configured: datetime | None) -> datetime | None:
    """When the embargo ends: the later of what was set in the home and what the operator's environment says (`configured`)."""
    said = utc_time(storage.read_json(SETTING)["until"]) if storage.exists(SETTING) else None
    ends = [until for until in (said, configured) if until is not None]
    return max(ends) if ends else None


def waiting_release(storage: Storage) -> dict[str, Any] | None:
    """The manifest of the release that waits, or None."""
    if not storage.exists(WAITING):
        return None
    manifest: dict[str, Any] = storage.read_json(f"{waiting_folder(storage.read_json(WAITING)['release_id'])}/manifest.json")
    return manifest


def waiting_folder(release_id: str) -> str:
    """Where a release waits, below the home."""
    return f"{ROOT}/{release_id}"


def hold(storage: Storage, source: Storage, folder: str) -> None:
    """Let the release in `folder` of `source` wait, in the place of one that waited; what it is called is written last."""
    release_id = source.read_json(f"{folder}/manifest.json")["release_id"]
    copy_release(source, folder, storage, waiting_folder(release_id))
    storage.write(WAITING, canonical_json({"release_id": release_id}))
    clear_away(storage)


def clear_away(storage: Storage) -> None:
    """Delete what lies beside the release that waits: one that waited before, and what a killed call left half done."""
    kept = [WAITING, f"{waiting_folder(storage.read_json(WAITING)['release_id'])}/"] if storage.exists(WAITING) else []
    remove(storage, ROOT, kept)


def discard_waiting(storage: Storage) -> None:
    """Nothing waits any more; called when it was published, or is made from what is no longer in force."""
    storage.delete(WAITING)
    clear_away(storage)

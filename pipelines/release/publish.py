"""Publishing: tables first, the manifest after them, the pointer last; and which release is the current one.

A killed call leaves the earlier release current, and the next call finishes it or starts again. What is in a release, what is
asked of it before it is published, and who is told afterwards do not belong here.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from typing import Any

from pipelines.release.folder import release_number
from pipelines.storage import Storage, canonical_json

ROOT = "releases"
CURRENT = f"{ROOT}/current.json"
ANNOUNCEMENTS = "announcements"


class ReleaseNotFound(Exception):
    """There is no release of that id; the message lists those that there are."""


def list_releases(storage: Storage) -> list[dict[str, Any]]:
    """Manifests of all releases, oldest first."""
    return [storage.read_json(name) for name in _manifests(storage)]


def current_manifest(storage: Storage) -> dict[str, Any] | None:
    """The manifest of the current release, or None where nothing was published yet."""
    if not storage.exists(CURRENT):
        return None
    manifest: dict[str, Any] = storage.read_json(f"{storage.read_json(CURRENT)['path']}/manifest.json")
    return manifest


def latest_manifest(storage: Storage) -> dict[str, Any] | None:
    """The manifest of the release that was published last, which after a roll-back is not the current one."""
    published = _manifests(storage)
    manifest: dict[str, Any] | None = storage.read_json(published[-1]) if published else None
    return manifest


def release_ids(storage: Storage) -> list[str]:
    """Ids of all releases, oldest first."""
    return [name.split("/")[1] for name in _manifests(storage)]


def next_number(storage: Storage) -> int:
    """The number of the release that is published next."""
    numbers = [release_number(release_id) or 0 for release_id in release_ids(storage)]
    return max(len(numbers), *numbers, 0) + 1


def digest_key(storage: Storage, environment: Mapping[str, str]) -> bytes:
    """The key of published digests: `NMIP_DIGEST_KEY`, else one made for this home and readable by its owner only."""
    if environment.get("NMIP_DIGEST_KEY"):
        return environment["NMIP_DIGEST_KEY"].encode()
    if storage.create("digest.key", secrets.token_hex(32).encode()):
        storage.path("digest.key").chmod(0o600)
    return storage.read("digest.key")


def publish(storage: Storage, source: Storage, folder: str, at: str) -> dict[str, Any]:
    """Copy a finished release, byte for byte, below `releases/` and make it current; returns its manifest.

    `at`: when it is published, as the pointer says it.
    """
    manifest: dict[str, Any] = source.read_json(f"{folder}/manifest.json")
    release_id = manifest["release_id"]
    # What an earlier call left half done is no release and must not look like one.
    finished = [f"{ROOT}/{name}/" for name in release_ids(storage)]
    remove(storage, ROOT, [CURRENT, *finished])
    copy_release(source, folder, storage, f"{ROOT}/{release_id}")
    make_current(storage, release_id, at)
    return manifest


def copy_release(source: Storage, folder: str, target: Storage, to: str) -> None:
    """Copy tables, and after them the manifest, which makes a folder a release."""
    manifest = source.read(f"{folder}/manifest.json")
    for name in sorted(source.read_json(f"{folder}/manifest.json")["tables"]):
        target.write(f"{to}/{name}.parquet", source.read(f"{folder}/{name}.parquet"))
    target.write(f"{to}/manifest.json", manifest)


def remove(storage: Storage, root: str, kept: Collection[str]) -> None:
    """Delete what lies below `root`, but for the keys in `kept` and what begins with one of them that ends in a slash.

    Manifests go first: a folder that has lost a table must not look like a release.
    """
    folders = tuple(key for key in kept if key.endswith("/"))
    gone = [key for key in storage.keys(root) if key not in kept and not (folders and key.startswith(folders))]
    for key in sorted(gone, key=lambda key: not key.endswith("/manifest.json")):
        storage.delete(key)


def make_current(storage: Storage, release_id: str, at: str) -> None:
    """Point at a release that is published at `at`; one that was announced before keeps what was said of it then."""
    pointed = storage.read_json(CURRENT)["release_id"] if storage.exists(CURRENT) else None
    told = announcement(storage, release_id)
    previous = told["previous"] if told else pointed
    pointer = {"release_id": release_id, "path": f"{ROOT}/{release_id}", "published_at": told["published_at"] if told else at}
    if previous and previous != release_id:
        pointer["previous"] = previous
    storage.write(CURRENT, canonical_json(pointer))


def announcement_key(release_id: str) -> str:
    """Where the announcement of a release lies."""
    return f"{ANNOUNCEMENTS}/{release_id}.json"


def announcement(storage: Storage, release_id: str) -> dict[str, Any] | None:
    """The announcement of a release, or None where it was not announced."""
    key = announcement_key(release_id)
    told: dict[str, Any] | None = storage.read_json(key) if storage.exists(key) else None
    return told


def was_made_current(storage: Storage, latest: Mapping[str, Any]) -> bool:
    """Whether the pointer names the latest release, or an operator turned away from it; otherwise its publishing was cut off."""
    if not storage.exists(CURRENT):
        return False
    pointer = storage.read_json(CURRENT)
    return latest["release_id"] in (pointer["release_id"], pointer.get("rolled_back_from"))


def rolled_back(storage: Storage) -> set[str]:
    """Ids of the releases that an operator turned away from."""
    pointer = storage.read_json(CURRENT) if storage.exists(CURRENT) else {}
    if "rolled_back_from" not in pointer:
        return set()
    known = release_ids(storage)
    return set(known[known.index(pointer["release_id"]) + 1 :]) if pointer["release_id"] in known else set()


def roll_back(storage: Storage, release_id: str) -> None:
    """Make an earlier release current again. Raises ReleaseNotFound."""
    known = release_ids(storage)
    if release_id not in known:
        raise ReleaseNotFound(f"there is no release {release_id!r}; there are: {', '.join(known) or 'none yet'}")
    pointer = {"release_id": release_id, "path": f"{ROOT}/{release_id}"}
    told = announcement(storage, release_id)
    if told and told["published_at"]:
        pointer["published_at"] = told["published_at"]
    if known[-1] != release_id:
        # The next release stays away until something in force differs from what this one is made from.
        pointer["rolled_back_from"] = known[-1]
    storage.write(CURRENT, canonical_json(pointer))


def _manifests(storage: Storage) -> list[str]:
    found = [name for name in storage.keys(ROOT) if name.endswith("/manifest.json") and name.count("/") == 2]
    return sorted(found, key=lambda name: (release_number(name.split("/")[1]) or 0, name))

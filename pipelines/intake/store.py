"""The append-only store of submissions: bytes as delivered, parsed rows, findings, events.

Everything about one submission lies below `submissions/<district>/<extract>/<school_year>/<nnn>/`. An event is one file,
created exactly once and naming the digest of the one before it, so that of two writers one wins and nothing is rewritten.
What an event means for the life of a submission stands in `submission`.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from filelock import FileLock

from pipelines.intake.reading import DeliveredFile
from pipelines.storage import Storage, canonical_json, sha256

ROOT = "submissions"
HANDLED = f"{ROOT}/_inbox"
RECEIPT = "receipt.json"


@dataclass(frozen=True, order=True)
class SubmissionKey:
    """Which submission: district, extract, school year and its number there."""

    district: str
    extract: str
    school_year: str
    number: int

    @property
    def submission_id(self) -> str:
        return f"{self.district}/{self.extract}/{self.school_year}/{self.number:03d}"

    @property
    def folder(self) -> str:
        return f"{ROOT}/{self.submission_id}"

    @classmethod
    def parse(cls, submission_id: str) -> SubmissionKey:
        """A key from `district/extract/2024-25/001`. Raises ValueError."""
        parts = submission_id.strip("/").split("/")
        if len(parts) != 4 or not (parts[3].isascii() and parts[3].isdigit()):
            raise ValueError(f"{submission_id!r} is not a submission id such as chicago/school_directory/2024-25/001")
        return cls(parts[0], parts[1], parts[2], int(parts[3]))


class SubmissionRefused(Exception):
    """A call that cannot be carried out; the message says why and what to do."""


class RecordAltered(SubmissionRefused):
    """Kept bytes are not those any more that an event names."""


class ConcurrentChange(Exception):
    """Another process added an event first; read the submission again and decide anew."""


class SubmissionStore:
    """Reads and appends; never rewrites an event."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    def keys(
        self, district: str | None = None, extract: str | None = None, school_year: str | None = None
    ) -> list[SubmissionKey]:
        """All submissions below the given places, in order."""
        prefix = "/".join([ROOT, *[part for part in (district, extract, school_year) if part]])
        found = set()
        for key in self.storage.keys(prefix):
            parts = key.split("/")
            # Whatever is left of a submission names it, so that one whose events were removed is still seen.
            if len(parts) >= 6 and parts[4].isdigit():
                found.add(SubmissionKey(parts[1], parts[2], parts[3], int(parts[4])))
        return sorted(found)

    def chain(self, key: SubmissionKey) -> tuple[list[dict[str, Any]], str | None]:
        """The events of one submission in order, and what is wrong with their chain (None: nothing).

        Every event names the digest of the one before it, so an event that was changed, removed or put in between is found.
        """
        events: list[dict[str, Any]] = []
        previous: str | None = None
        # Asked before the events are listed: a signature given in between must not look like one that was removed.
        has_receipt = self.has_receipt(key)
        names = self._event_names(key)
        if not names and self.storage.keys(key.folder):
            return events, "its events are missing"
        for number, name in enumerate(names, start=1):
            content = self.storage.read(name)
            try:
                event = json.loads(content)
            except ValueError:
                return events, f"event {number} is not readable"
            if not isinstance(event, dict) or event.get("sequence") != number or not name.endswith(f"/{number:03d}.json"):
                return events, f"event {number} is missing or out of order"
            if event.get("previous") != previous:
                return events, f"event {number - 1} was changed after event {number} was written"
            if canonical_json(event) != content:
                return events, f"event {number} was changed after it was written"
            events.append(event)
            previous = sha256(content)
        is_signed = any(event.get("type") == "certified" for event in events)
        if is_signed and has_receipt and not self._is_of_receipt(key, events):
            return events, "the signature does not agree with the receipt that was made of it"
        if not is_signed and has_receipt:
            return events, "there is a receipt, and the signature that it is of is missing"
        return events, None

    def _is_of_receipt(self, key: SubmissionKey, events: list[dict[str, Any]]) -> bool:
        """Whether the receipt names the certified event: nothing follows it, so nothing else vouches for it."""
        certified = next(event for event in events if event.get("type") == "certified")
        try:
            receipt = self.storage.read_json(f"{key.folder}/{RECEIPT}")
        except ValueError:
            return False
        return isinstance(receipt, dict) and receipt.get("last_event_sha256") == sha256(canonical_json(certified))

    def has_receipt(self, key: SubmissionKey) -> bool:
        return self.storage.exists(f"{key.folder}/{RECEIPT}")

    def _event_names(self, key: SubmissionKey) -> list[str]:
        return sorted(self.storage.keys(f"{key.folder}/events"), key=lambda name: (len(name), name))

    def append(self, key: SubmissionKey, event: dict[str, Any], n_known: int) -> None:
        """Add the event that follows the `n_known` events the caller decided upon.

        Raises ConcurrentChange when another writer added one since they were read.
        """
        names = self._event_names(key)
        if len(names) != n_known:
            raise ConcurrentChange(key.submission_id)
        previous = sha256(self.storage.read(names[-1])) if names else None
        content = canonical_json({"sequence": len(names) + 1, "previous": previous, **event})
        if not self.storage.create(f"{key.folder}/events/{len(names) + 1:03d}.json", content):
            raise ConcurrentChange(key.submission_id)

    def keep_files(self, key: SubmissionKey, files: Sequence[DeliveredFile]) -> None:
        """Keep the delivered bytes under their digest; a name that a district typed never becomes a path."""
        for file in files:
            self.storage.write(f"{key.folder}/delivered/{sha256(file.content)}", file.content)

    def files(self, key: SubmissionKey, received: dict[str, Any]) -> list[DeliveredFile]:
        """The delivered files of a submission as its received event lists them. Raises RecordAltered."""
        files = []
        for entry in received["files"]:
            path = f"{key.folder}/delivered/{entry['sha256']}"
            content = self.storage.read(path) if self.storage.exists(path) else None
            if content is None or sha256(content) != entry["sha256"]:
                raise RecordAltered(
                    f"{key.submission_id}: the delivered bytes were altered or are missing; send the same file again, or "
                    "withdraw the submission"
                )
            files.append(DeliveredFile(entry["name"], content))
        return files

    def has_files(self, key: SubmissionKey, received: dict[str, Any]) -> bool:
        return all(self.storage.exists(f"{key.folder}/delivered/{entry['sha256']}") for entry in received["files"])

    def forget_bytes(self, key: SubmissionKey) -> None:
        """Delete what was delivered and what was read from it: data about people are not kept. The events stay."""
        for name in self.storage.keys(key.folder):
            if name.endswith(".parquet") or "/delivered/" in name:
                self.storage.delete(name)

    def place_lock(self, key: SubmissionKey) -> FileLock:
        """Held while a submission of this place is signed: of two signers the second sees what the first one did."""
        path = self.storage.path(f"{ROOT}/_locks/{key.district}.{key.extract}.{key.school_year}.lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(path)

    def write_table(self, key: SubmissionKey, name: str, table: pl.DataFrame) -> str:
        """Keep a table (`rows`, `findings`) under the digest of its Parquet bytes, and return the digest.

        A table is accepted by the event that names its digest; one that no event names changes nothing.
        """
        buffer = io.BytesIO()
        table.write_parquet(buffer, compression="zstd", statistics=False)
        digest = sha256(buffer.getvalue())
        self.storage.write(f"{key.folder}/{name}-{digest}.parquet", buffer.getvalue())
        return digest

    def has_table(self, key: SubmissionKey, name: str, digest: str) -> bool:
        """Whether the kept table of that digest is there, unaltered."""
        path = f"{key.folder}/{name}-{digest}.parquet"
        return self.storage.exists(path) and sha256(self.storage.read(path)) == digest

    def read_table(self, key: SubmissionKey, name: str, digest: str) -> pl.DataFrame:
        """The kept table of that digest. Raises RecordAltered where its bytes are not those any more."""
        if not self.has_table(key, name, digest):
            raise RecordAltered(f"{key.submission_id}: the kept table of {name} was altered or is missing")
        return pl.read_parquet(io.BytesIO(self.storage.read(f"{key.folder}/{name}-{digest}.parquet")))

    def handled(self) -> Iterator[dict[str, Any]]:
        """What became of every inbox delivery so far."""
        for name in self.storage.keys(HANDLED):
            yield self.storage.read_json(name)

    def mark_handled(self, delivery_key: str, outcome: dict[str, Any]) -> None:
        """Remember that an inbox delivery (by path and content) was dealt with."""
        self.storage.write(f"{HANDLED}/{delivery_key}.json", canonical_json(outcome))

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
            if len(parts) == 7 and parts[5] == "events" and parts[4].isdigit():
                found.add(SubmissionKey(parts[1], parts[2], parts[3], int(parts[4])))
        return sorted(found)

    def chain(self, key: SubmissionKey) -> tuple[list[dict[str, Any]], str | None]:
        """The events of one submission in order, and what is wrong with their chain (None: nothing).

        Every event names the digest of the one before it, so an event that was changed, removed or put in between is found.
        """
        events: list[dict[str, Any]] = []
        previous: str | None = None
        for number, name in enumerate(self._event_names(key), start=1):
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
        if not is_signed and self.storage.exists(f"{key.folder}/{RECEIPT}"):
            return events, "there is a receipt, and the signature that it is of is missing"
        return events, None

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
        """The delivered files of a submission as its received event lists them. Raises FileNotFoundError."""
        return [
            DeliveredFile(entry["name"], self.storage.read(f"{key.folder}/delivered/{entry['sha256']}"))
            for entry in received["files"]
        ]

    def has_files(self, key: SubmissionKey, received: dict[str, Any]) -> bool:
        return all(self.storage.exists(f"{key.folder}/delivered/{entry['sha256']}") for entry in received["files"])

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
        """The kept table of that digest. Raises FileNotFoundError, or ValueError where its bytes are not those any more."""
        content = self.storage.read(f"{key.folder}/{name}-{digest}.parquet")
        if sha256(content) != digest:
            raise ValueError(f"{key.submission_id}: the kept {name} were changed after they were screened")
        return pl.read_parquet(io.BytesIO(content))

    def handled(self) -> Iterator[dict[str, Any]]:
        """What became of every inbox delivery so far."""
        for name in self.storage.keys(HANDLED):
            yield self.storage.read_json(name)

    def mark_handled(self, delivery_key: str, outcome: dict[str, Any]) -> None:
        """Remember that an inbox delivery (by path and content) was dealt with."""
        self.storage.write(f"{HANDLED}/{delivery_key}.json", canonical_json(outcome))

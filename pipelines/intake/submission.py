"""The life of a submission: received, screened, certified, superseded. State is a fold over its events.

Every step may be killed and run again: `deliver` finishes what an earlier call left half done. Writing certified rows to
the lake does not belong here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.contracts.codes import code_list, codes
from pipelines.contracts.contract import extract_names
from pipelines.intake.reading import DeliveredFile, ReadingLimits
from pipelines.intake.screening import CORRECTIONS_NEEDED, READY, UNREADABLE, Progress, screen
from pipelines.intake.store import ConcurrentChange, SubmissionKey, SubmissionStore
from pipelines.storage import canonical_json, sha256

RECEIVED, CERTIFIED, SUPERSEDED = "received", "certified", "superseded"
RECEIPT = "receipt.json"

STATES = {
    RECEIVED: (
        "The files have arrived and are not screened yet.",
        "Run nmip run; if it stays like this, send the same files again.",
    ),
    UNREADABLE: ("The files cannot be read.", "Read the finding, mend the file and send it again."),
    CORRECTIONS_NEEDED: ("Something in the files must be corrected.", "Correct the findings in your file and send it again."),
    READY: ("Nothing was found; the submission waits for its signer.", "Sign it: nmip sign ID --statement TEXT."),
    CERTIFIED: ("Certified and in force.", "Nothing to do."),
    SUPERSEDED: ("Certified, and replaced by a later certified submission.", "Nothing to do."),
}


class SubmissionRefused(Exception):
    """A call that cannot be carried out; the message says why and what to do."""


@dataclass(frozen=True)
class Submission:
    """One submission as its events tell it. `events` are in order; `state` is one of STATES."""

    key: SubmissionKey
    state: str
    events: tuple[dict[str, Any], ...]

    def last(self, event_type: str) -> dict[str, Any] | None:
        """The latest event of a type."""
        return next((event for event in reversed(self.events) if event["type"] == event_type), None)

    @property
    def received(self) -> dict[str, Any]:
        return self.events[0]

    @property
    def screened(self) -> dict[str, Any] | None:
        return self.last("screened")

    @property
    def is_certified(self) -> bool:
        return self.last("certified") is not None


def now() -> str:
    """The time as it is written into events: UTC, seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def read_submission(store: SubmissionStore, key: SubmissionKey) -> Submission:
    """One submission; `superseded` is known only to `in_force` and `all_submissions`. Raises SubmissionRefused."""
    events = tuple(store.events(key))
    if not events:
        raise SubmissionRefused(f"there is no submission {key.submission_id}; nmip status lists them")
    submission = Submission(key, RECEIVED, events)
    if submission.is_certified:
        return replace(submission, state=CERTIFIED)
    screened = submission.screened
    return replace(submission, state=screened["outcome"]) if screened else submission


def read_rows(store: SubmissionStore, submission: Submission) -> pl.DataFrame:
    """The mapped rows that the latest screening accepted. Raises SubmissionRefused where there was none."""
    return _read_screened(store, submission, "rows")


def read_findings(store: SubmissionStore, submission: Submission) -> pl.DataFrame:
    """The findings of the latest screening. Raises SubmissionRefused where there was none."""
    return _read_screened(store, submission, "findings")


def _read_screened(store: SubmissionStore, submission: Submission, name: str) -> pl.DataFrame:
    if submission.screened is None:
        raise SubmissionRefused(f"{submission.key.submission_id} was not screened yet")
    return store.read_table(submission.key, name, submission.screened[f"{name}_sha256"])


def all_submissions(
    store: SubmissionStore, district: str | None = None, extract: str | None = None, school_year: str | None = None
) -> list[Submission]:
    """All submissions below the given places; of the certified ones of a partition all but the last are superseded."""
    found = [read_submission(store, key) for key in store.keys(district, extract, school_year)]
    last = {s.key.folder.rsplit("/", 1)[0]: s.key.number for s in found if s.is_certified}
    return [
        replace(s, state=SUPERSEDED) if s.is_certified and s.key.number < last[s.key.folder.rsplit("/", 1)[0]] else s
        for s in found
    ]


def in_force(store: SubmissionStore) -> list[Submission]:
    """The submission in force of every district, extract and school year that has one."""
    return [submission for submission in all_submissions(store) if submission.state == CERTIFIED]


def check_place(contracts_folder: Path, district: str, extract: str, school_year: str) -> None:
    """Raises SubmissionRefused when district, extract or school year is not one that NMIP knows."""
    for what, value, known in (
        ("a district", district, codes(contracts_folder, "districts")),
        ("an extract", extract, extract_names(contracts_folder)),
        ("a school year", school_year, codes(contracts_folder, "school_years")),
    ):
        if value not in known:
            shown = ", ".join(known) if len(known) <= 24 else f"{known[0]} to {known[-1]}"
            raise SubmissionRefused(f"{value!r} is not {what} that NMIP knows; use one of: {shown}")


def delivery_digest(files: Sequence[DeliveredFile]) -> str:
    """One digest for the bytes of a delivery, whatever the files are called."""
    return sha256("\n".join(sorted(sha256(file.content) for file in files)).encode())


def rules_digest(contracts_folder: Path, district: str, extract: str) -> str:
    """A digest of everything that decides a screening: contract, mapping, code lists, and the code that reads and checks."""
    code = Path(__file__).resolve().parent
    paths = [
        *sorted(code.glob("*.py")),
        *sorted((code.parent / "contracts").glob("*.py")),
        contracts_folder / "extracts" / f"{extract}.odcs.yaml",
        contracts_folder / "mappings" / district / f"{extract}.sql",
        *sorted((contracts_folder / "codes").glob("*.csv")),
    ]
    return sha256("\n".join(f"{path.name} {sha256(path.read_bytes())}" for path in paths if path.is_file()).encode())


def receive(
    store: SubmissionStore,
    district: str,
    extract: str,
    school_year: str,
    files: Sequence[DeliveredFile],
    via: str,
    actor: str,
) -> tuple[Submission, bool]:
    """Open the next submission for these bytes, or find the one that they already opened.

    Returns the submission and whether it is new. Half-received bytes of an interrupted call are completed.
    """
    digest = delivery_digest(files)
    while True:
        existing = [read_submission(store, key) for key in store.keys(district, extract, school_year)]
        same = [submission for submission in existing if submission.received["delivery_sha256"] == digest]
        if same:
            if not store.has_files(same[-1].key, same[-1].received):
                store.keep_files(same[-1].key, files)
            return same[-1], False
        number = existing[-1].key.number + 1 if existing else 1
        key = SubmissionKey(district, extract, school_year, number)
        event = {
            "type": "received",
            "at": now(),
            "actor": actor,
            "via": via,
            "delivery_sha256": digest,
            "files": [{"name": file.name, "sha256": sha256(file.content), "n_bytes": len(file.content)} for file in files],
        }
        try:
            store.append(key, event, 0)
        except ConcurrentChange:
            continue
        store.keep_files(key, files)
        return read_submission(store, key), True


def screen_submission(
    store: SubmissionStore,
    contracts_folder: Path,
    submission: Submission,
    limits: ReadingLimits | None = None,
    progress: Progress = lambda _: None,
) -> Submission:
    """Screen a submission that is not certified, unless it was screened under the same rules already."""
    key = submission.key
    digest = rules_digest(contracts_folder, key.district, key.extract)
    screened = submission.screened
    if submission.is_certified or (screened is not None and screened["rules_sha256"] == digest):
        return submission
    files = store.files(key, submission.received)
    result = screen(files, contracts_folder, key.district, key.extract, key.school_year, limits, progress)
    rules = result.rules
    event = {
        "type": "screened",
        "at": now(),
        "actor": "nmip",
        "outcome": result.outcome,
        "contract_version": result.contract_version,
        "rules_sha256": digest,
        "rule_versions": result.rule_versions,
        "mapping_sha256": result.mapping_digest,
        "notes": list(result.notes),
        "lines": result.lines,
        "rows": result.row_counts,
        "school_years": list(result.school_years),
        "findings": {rule["rule_id"]: rule["n_findings"] for rule in rules},
        "rows_sha256": store.write_table(key, "rows", result.rows),
        "findings_sha256": store.write_table(key, "findings", result.findings),
    }
    try:
        store.append(key, event, len(submission.events))
    except ConcurrentChange:
        return screen_submission(store, contracts_folder, read_submission(store, key), limits, progress)
    return read_submission(store, key)


def certify(store: SubmissionStore, submission: Submission, signer: str, statement: str, how: str) -> Submission:
    """Sign a submission that is ready. Signing one that is certified already writes at most a receipt that is missing.

    Raises SubmissionRefused when it is not ready, or when a later one is certified already.
    """
    key = submission.key
    if submission.is_certified:
        if not store.storage.exists(f"{key.folder}/{RECEIPT}"):
            write_receipt(store, key)
        return submission
    if submission.state != READY:
        meaning, next_step = STATES[submission.state]
        raise SubmissionRefused(f"{key.submission_id} cannot be signed: {meaning} {next_step}")
    later = _later_certified(store, key)
    if later:
        raise SubmissionRefused(f"{key.submission_id} cannot be signed: {later[-1]} came later and is certified already")
    event = {"type": "certified", "at": now(), "actor": signer, "statement": statement, "how": how}
    try:
        store.append(key, event, len(submission.events))
    except ConcurrentChange:
        return certify(store, read_submission(store, key), signer, statement, how)
    write_receipt(store, key)
    return read_submission(store, key)


def write_receipt(store: SubmissionStore, key: SubmissionKey) -> dict[str, Any]:
    """The receipt of a certified submission, made from its events; writing it again gives the same bytes."""
    submission = read_submission(store, key)
    certified, screened = submission.last("certified"), submission.screened
    if certified is None or screened is None:
        raise SubmissionRefused(f"{key.submission_id} is not certified, so it has no receipt")
    events = [sha256(store.storage.read(name)) for name in store.storage.keys(f"{key.folder}/events")]
    receipt = {
        "submission_id": key.submission_id,
        "files": submission.received["files"],
        "received_at": submission.received["at"],
        "lines": screened["lines"],
        "rows": screened["rows"],
        "contract_version": screened["contract_version"],
        "rule_versions": screened["rule_versions"],
        "findings": screened["findings"],
        "signer": certified["actor"],
        "statement": certified["statement"],
        "how": certified["how"],
        "certified_at": certified["at"],
        "events_sha256": events[: certified["sequence"]],
    }
    store.storage.write(f"{key.folder}/{RECEIPT}", canonical_json(receipt))
    return receipt


def _may_certify_itself(store: SubmissionStore, contracts_folder: Path, submission: Submission) -> bool:
    """Whether the district chose automatic certification and no later submission is certified already."""
    key = submission.key
    chosen = code_list(contracts_folder, "districts").filter(code=key.district)["auto_certify"].to_list() == ["true"]
    return chosen and not _later_certified(store, key)


def _later_certified(store: SubmissionStore, key: SubmissionKey) -> list[str]:
    siblings = all_submissions(store, key.district, key.extract, key.school_year)
    return [s.key.submission_id for s in siblings if s.is_certified and s.key.number > key.number]


def deliver(
    store: SubmissionStore,
    contracts_folder: Path,
    district: str,
    extract: str,
    school_year: str,
    files: Sequence[DeliveredFile],
    via: str,
    actor: str,
    limits: ReadingLimits | None = None,
    progress: Progress = lambda _: None,
) -> list[Submission]:
    """Receive and screen one delivery: one submission for each school year that it holds, the named year first.

    A delivery that does not hold the named year opens only that year's submission, whose finding says so. By inbox, where
    nobody is at hand to sign, a submission without findings is certified if the district chose so. Raises SubmissionRefused
    for an unknown place.
    """
    check_place(contracts_folder, district, extract, school_year)
    known_years = set(codes(contracts_folder, "school_years"))
    done: list[Submission] = []
    years = [school_year]
    while years:
        year = years.pop(0)
        submission, _ = receive(store, district, extract, year, files, via, actor)
        submission = screen_submission(store, contracts_folder, submission, limits, progress)
        is_automatic = submission.state == READY and via == "inbox" and _may_certify_itself(store, contracts_folder, submission)
        if is_automatic or submission.is_certified:
            submission = certify(
                store, submission, "nmip", "Certified automatically: the district chose so and nothing was found.", "automatic"
            )
        done.append(submission)
        held = (submission.screened or {}).get("school_years", [])
        if len(done) == 1 and year in held:
            years = [other for other in held if other != year and other in known_years]
    return done

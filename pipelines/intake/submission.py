"""One submission as its events tell it: state is a fold over them. Reading only; nothing is written here.

What adds events stands in `deliveries` (receive, screen) and `signing` (acknowledge, sign, withdraw).
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.contracts.codes import codes
from pipelines.contracts.contract import extract_names
from pipelines.intake.states import (
    ACKNOWLEDGEMENTS_NEEDED,
    CERTIFIED,
    DAMAGED,
    READING,
    READY,
    RECEIVED,
    SUPERSEDED,
    WITHDRAWN,
)
from pipelines.intake.store import SubmissionKey, SubmissionRefused, SubmissionStore

__all__ = [
    "ACKNOWLEDGED_SCHEMA",
    "FINGERPRINT",
    "NOTHING_RECEIVED",
    "Submission",
    "SubmissionRefused",
    "acknowledgements",
    "all_submissions",
    "certified_in",
    "check_place",
    "damaged_in",
    "fold",
    "in_force",
    "now",
    "read_acknowledged",
    "read_findings",
    "read_rows",
    "read_submission",
]

# The message says what the value was compared with, so an acknowledgement ends when that changes too.
FINGERPRINT = ("rule_id", "rule_version", "business_key", "field", "value", "message")
NOTHING_RECEIVED: dict[str, Any] = {"at": None, "actor": None, "via": None, "delivery_sha256": None, "files": []}


@dataclass(frozen=True)
class Submission:
    """One submission as its events tell it. `events` are in order; `state` is one of `states.STATES`.

    `damage` says what is wrong with the chain of events, None where nothing is; `may_be_signed` that a damaged one had
    perhaps been certified.
    """

    key: SubmissionKey
    state: str
    events: tuple[dict[str, Any], ...]
    damage: str | None = None
    may_be_signed: bool = False

    def last(self, event_type: str) -> dict[str, Any] | None:
        """The latest event of a type."""
        return next((event for event in reversed(self.events) if event["type"] == event_type), None)

    @property
    def received(self) -> dict[str, Any]:
        return self.events[0] if self.events else NOTHING_RECEIVED

    @property
    def screened(self) -> dict[str, Any] | None:
        return self.last("screened")

    @property
    def is_certified(self) -> bool:
        return self.last("certified") is not None

    @property
    def is_open(self) -> bool:
        """Whether it can still become certified."""
        return self.state not in (CERTIFIED, SUPERSEDED, WITHDRAWN, DAMAGED)

    @property
    def to_acknowledge(self) -> dict[str, int]:
        """Findings by rule that wait for an acknowledgement."""
        last = next((e for e in reversed(self.events) if e["type"] in ("screened", "acknowledged")), None)
        return {rule_id: n for rule_id, n in (last or {}).get("to_acknowledge", {}).items() if n}

    @property
    def acknowledged_sha256(self) -> str | None:
        """Digest of the table of findings that are acknowledged, None where none is."""
        last = next((e for e in reversed(self.events) if e["type"] in ("screened", "acknowledged")), None)
        found: str | None = (last or {}).get("acknowledged_sha256")
        return found


def now() -> str:
    """The time as it is written into events: UTC, seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def fold(key: SubmissionKey, events: tuple[dict[str, Any], ...], damage: str | None = None) -> Submission:
    """A submission from its events. Pure."""
    submission = Submission(key, RECEIVED, events, damage)
    if damage is not None:
        return replace(submission, state=DAMAGED)
    if submission.last("withdrawn"):
        return replace(submission, state=WITHDRAWN)
    if submission.is_certified:
        return replace(submission, state=CERTIFIED)
    if events and events[-1]["type"] == "reading":
        return replace(submission, state=READING)
    screened = submission.screened
    if screened is None:
        return submission
    outcome = screened["outcome"]
    if outcome == ACKNOWLEDGEMENTS_NEEDED and not submission.to_acknowledge:
        outcome = READY
    return replace(submission, state=outcome)


def read_submission(store: SubmissionStore, key: SubmissionKey) -> Submission:
    """One submission; `superseded` is known only to `in_force` and `all_submissions`. Raises SubmissionRefused."""
    events, damage = store.chain(key)
    if not events and damage is None:
        raise SubmissionRefused(f"there is no submission {key.submission_id}; nmip status lists them")
    submission = fold(key, tuple(events), damage)
    if damage is not None:
        submission = replace(submission, may_be_signed=submission.is_certified or store.has_receipt(key))
    return submission


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


ACKNOWLEDGED_SCHEMA = {
    **dict.fromkeys(FINGERPRINT, pl.String),
    **dict.fromkeys(("reason", "actor", "at", "submission_id"), pl.String),
}


def read_acknowledged(store: SubmissionStore, submission: Submission) -> pl.DataFrame:
    """Fingerprints of the findings that are acknowledged, with reason, who, when, and in which submission it was said."""
    digest = submission.acknowledged_sha256
    if digest is None:
        return pl.DataFrame(schema=ACKNOWLEDGED_SCHEMA)
    return store.read_table(submission.key, "acknowledged", digest)


def all_submissions(
    store: SubmissionStore, district: str | None = None, extract: str | None = None, school_year: str | None = None
) -> list[Submission]:
    """All submissions below the given places; what came before the last certified one of its place is superseded."""
    found = [read_submission(store, key) for key in store.keys(district, extract, school_year)]
    last = {_place(s): s.key.number for s in found if s.state == CERTIFIED}
    return [
        replace(s, state=SUPERSEDED) if s.state not in (WITHDRAWN, DAMAGED) and s.key.number < last.get(_place(s), 0) else s
        for s in found
    ]


def _place(submission: Submission) -> tuple[str, str, str]:
    key = submission.key
    return key.district, key.extract, key.school_year


def in_force(store: SubmissionStore, district: str | None = None, extract: str | None = None) -> list[Submission]:
    """The submission in force of every district, extract and school year that has one, below the given places."""
    return certified_in(all_submissions(store, district, extract))


def certified_in(submissions: list[Submission]) -> list[Submission]:
    """Of all submissions, those in force. What a damaged one may have replaced does not come back; a successor is in force."""
    damaged = {_place(s): s.key.number for s in damaged_in(submissions)}
    return [s for s in submissions if s.state == CERTIFIED and _place(s) not in damaged]


def damaged_in(submissions: list[Submission]) -> list[Submission]:
    """Damaged submissions that may be the ones in force: perhaps signed, and nothing certified after them."""
    last = {_place(s): s.key.number for s in submissions if s.state == CERTIFIED}
    return [s for s in submissions if s.state == DAMAGED and s.may_be_signed and s.key.number > last.get(_place(s), 0)]


def check_place(contracts_folder: Path, district: str, extract: str, school_year: str) -> None:
    """Raises SubmissionRefused when district, extract or school year is not one that NMIP knows."""
    for what, value, known in (
        ("a district", district, codes(contracts_folder, "districts")),
        ("an extract", extract, extract_names(contracts_folder)),
        ("a school year", school_year, codes(contracts_folder, "school_years")),
    ):
        if value not in known:
            shown = ", ".join(known) if len(known) <= 24 else f"{known[0]} to {known[-1]}"
            near = difflib.get_close_matches(value, known, n=1, cutoff=0.5)
            meant = f"did you mean {near[0]}? " if near else ""
            raise SubmissionRefused(f"{value!r} is not {what} that NMIP knows; {meant}use one of: {shown}")


def acknowledgements(submission: Submission) -> list[Mapping[str, Any]]:
    """Every acknowledgement that counts now: rule_id, rule_version, reason, actor, at, submission_id, n, n_left_out."""
    found: list[Mapping[str, Any]] = []
    for event in submission.events:
        if event["type"] == "screened":
            found = list(event.get("carried_over", []))
        elif event["type"] == "acknowledged":
            found.append(
                {
                    **{name: event[name] for name in ("rule_id", "rule_version", "reason", "actor", "at", "n", "n_left_out")},
                    "submission_id": submission.key.submission_id,
                }
            )
    return found

"""The receipt of a certified submission, and the proof of it: made from its events, provable without the home it came from.

A receipt carries all events of its submission up to the signature. Each event names the digest of the one before it, the
receipt names the digest of the last, and everything else in the receipt follows from the events: whatever is altered, one of
these no longer agrees. A receipt proves what was signed about which bytes; that it is the one which the home keeps is proved
beside the home.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.intake.store import RECEIPT, SubmissionKey, SubmissionStore
from pipelines.intake.submission import Submission, SubmissionRefused, acknowledgements, fold, read_submission
from pipelines.storage import canonical_json, sha256

FORMAT = "nmip receipt 1"
LARGEST_RECEIPT = 64 * 1024**2


def make_receipt(key: SubmissionKey, events: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The receipt that follows from the events up to the signature. Pure. Raises SubmissionRefused where nobody signed."""
    signed = next((number for number, event in enumerate(events, start=1) if event["type"] == "certified"), None)
    submission = fold(key, tuple(dict(event) for event in events[:signed]))
    certified, screened = submission.last("certified"), submission.screened
    if signed is None or certified is None or screened is None:
        raise SubmissionRefused(f"{key.submission_id} is not certified, so it has no receipt")
    content = {
        "format": FORMAT,
        "submission_id": key.submission_id,
        "files": submission.received["files"],
        "received_at": submission.received["at"],
        "lines": screened["lines"],
        "rows": screened["rows"],
        "rows_sha256": screened["rows_sha256"],
        "contract_version": screened["contract_version"],
        "rule_versions": screened["rule_versions"],
        "mapping_sha256": screened["mapping_sha256"],
        "findings": screened["findings"],
        "acknowledgements": [dict(entry) for entry in acknowledgements(submission)],
        "signer": certified["actor"],
        "statement": certified["statement"],
        "how": certified["how"],
        "certified_at": certified["at"],
        "release_note": certified["release_note"],
        "supersedes": certified["supersedes"],
        "events": [dict(event) for event in submission.events],
        "last_event_sha256": sha256(canonical_json(submission.events[-1])),
    }
    return {**content, "receipt_sha256": sha256(canonical_json(content))}


def write_receipt(store: SubmissionStore, key: SubmissionKey) -> dict[str, Any]:
    """Keep the receipt of a certified submission; writing it again gives the same bytes. Raises SubmissionRefused."""
    receipt = make_receipt(key, read_submission(store, key).events)
    store.storage.write(f"{key.folder}/{RECEIPT}", canonical_json(receipt))
    return receipt


@dataclass(frozen=True)
class Proof:
    """What a receipt proves: `problems` say what was altered; `proven` says what holds; `unproven` what could not be asked."""

    submission_id: str
    problems: tuple[str, ...]
    proven: tuple[str, ...]
    unproven: tuple[str, ...] = ()


def parse_receipt(content: bytes) -> dict[str, Any] | None:
    """The receipt in a file, or None where the file is not one."""
    if len(content) > LARGEST_RECEIPT or content.lstrip()[:1] != b"{":
        return None
    try:
        found = json.loads(content, object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError):
        return None
    is_one = isinstance(found, dict) and str(found.get("format", "")).startswith("nmip receipt")
    return found if is_one and isinstance(found.get("submission_id"), str) else None


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name stands twice")
    return dict(pairs)


def prove(receipt: Mapping[str, Any], files: Sequence[tuple[str, bytes]] | None) -> Proof:
    """Prove a receipt against itself and against delivered bytes (name and bytes; None where there are none at hand)."""
    submission_id = str(receipt["submission_id"])
    problems, proven = _chain_problems(receipt), []
    if not problems:
        proven.append(f"its {len(receipt['events'])} events are whole and in order, and everything it says follows from them")
    if files is None:
        return Proof(submission_id, tuple(problems), tuple(proven), ("the delivered bytes were not at hand; name the files",))
    named = {str(entry.get("sha256")): str(entry.get("name")) for entry in _entries(receipt)}
    digests = [(name, sha256(content)) for name, content in files]
    problems += [f"{name} is no file of this receipt: its bytes differ" for name, digest in digests if digest not in named]
    given = {digest: name for name, digest in digests}
    absent = [name for digest, name in named.items() if digest not in given]
    unproven = [f"{name} was not at hand" for name in absent]
    proven += [f"{given[digest]} is {name}, byte for byte" for digest, name in named.items() if digest in given]
    return Proof(submission_id, tuple(problems), tuple(proven), tuple(unproven))


def _entries(receipt: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    entries = receipt.get("files")
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _chain_problems(receipt: Mapping[str, Any]) -> list[str]:
    events = receipt.get("events")
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        return ["the receipt does not carry its events"]
    previous = None
    for number, event in enumerate(events, start=1):
        if event.get("sequence") != number or event.get("previous") != previous:
            return [f"event {number} does not follow from event {number - 1}: one of them was altered or is missing"]
        previous = sha256(canonical_json(event))
    if receipt.get("last_event_sha256") != previous:
        return ["the last event, the signature, was altered"]
    try:
        expected = make_receipt(SubmissionKey.parse(str(receipt["submission_id"])), events)
    except (SubmissionRefused, ValueError, KeyError, TypeError, AttributeError) as error:
        return [f"its events are not those of a certified submission ({type(error).__name__})"]
    altered = sorted(name for name in {*expected, *receipt} if not _is_same(expected, receipt, name))
    altered = [name for name in altered if name != "receipt_sha256"] or altered
    return [f"{name} was altered" for name in altered]


def _is_same(expected: Mapping[str, Any], receipt: Mapping[str, Any], name: str) -> bool:
    """Whether a value stands in both and is the same JSON: 1 is not 1.0 and not true."""
    is_in_both = name in expected and name in receipt
    return is_in_both and canonical_json(expected[name]) == canonical_json(receipt[name])


def prove_kept(store: SubmissionStore, submission: Submission) -> list[str]:
    """What of a submission kept in this home was altered: events, delivered bytes, screened tables, receipt."""
    key = submission.key
    if submission.damage is not None:
        return [f"{key.submission_id}: {submission.damage}"]
    problems = []
    for entry in submission.received["files"]:
        name = f"{key.folder}/delivered/{entry['sha256']}"
        if not store.storage.exists(name) or sha256(store.storage.read(name)) != entry["sha256"]:
            problems.append(f"the delivered bytes of {entry['name']} were altered or are missing")
    tables = [(name, (submission.screened or {}).get(f"{name}_sha256")) for name in ("rows", "findings")]
    for name, digest in [*tables, ("acknowledged", submission.acknowledged_sha256)]:
        if digest is not None and not store.has_table(key, name, digest):
            problems.append(f"the kept table of {name} was altered or is missing")
    receipt = f"{key.folder}/{RECEIPT}"
    if submission.is_certified:
        expected = canonical_json(make_receipt(key, submission.events))
        # One that is missing follows from the events and is made again by the next run.
        if store.storage.exists(receipt) and store.storage.read(receipt) != expected:
            problems.append("the kept receipt does not follow from the events: one of them was altered")
    return problems

"""From bytes to a screened submission: receive, look for personal data, screen, certify by itself where the district chose so.

Every step may be killed and run again: `deliver` finishes what an earlier call left half done. What a person decides
(acknowledge, sign, withdraw) stands in `signing`; writing certified rows to the lake does not belong here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.contracts.codes import code_list
from pipelines.contracts.contract import load_contract
from pipelines.intake.context import IN_FORCE, context_submissions, read_context
from pipelines.intake.differences import row_differences
from pipelines.intake.personal_data import PERSONAL_FIX, personal_message
from pipelines.intake.reading import DeliveredFile, ReadingLimits
from pipelines.intake.rule_book import CHECK_FAILED, CHECK_TIME
from pipelines.intake.screening import Opened, Progress, Screening, open_delivery, screen, years_held
from pipelines.intake.signing import certify, later_certified
from pipelines.intake.states import DAMAGED, READY, SUPERSEDED, WITHDRAWN
from pipelines.intake.store import ConcurrentChange, SubmissionKey, SubmissionStore
from pipelines.intake.submission import (
    ACKNOWLEDGED_SCHEMA,
    FINGERPRINT,
    Submission,
    SubmissionRefused,
    all_submissions,
    check_place,
    now,
    read_acknowledged,
    read_rows,
    read_submission,
)
from pipelines.storage import sha256

INBOX = "inbox"
TRANSIENT = (CHECK_TIME, CHECK_FAILED, "MAP-LIMIT", "READ-TIME")


class PersonalDataRefused(SubmissionRefused):
    """A delivery that looks like data about single people: it is not kept. The message names the columns, never a value."""

    def __init__(self, message: str) -> None:
        super().__init__(f"{message}. {PERSONAL_FIX}")
        self.message = message


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
    is_again: bool = False,
) -> tuple[Submission, bool]:
    """Open the next submission for these bytes, or find the one that they already opened.

    A withdrawn submission does not count as one; with `is_again` a superseded one does not either, so that earlier bytes can
    come back into force. Returns the submission and whether it is new. Half-received bytes of an interrupted call are
    completed.
    """
    digest = delivery_digest(files)
    gone = (WITHDRAWN, SUPERSEDED) if is_again else (WITHDRAWN,)
    while True:
        existing = all_submissions(store, district, extract, school_year)
        same = [s for s in existing if s.events and s.received["delivery_sha256"] == digest and s.state not in gone]
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
    opened: Opened | None = None,
) -> Submission:
    """Screen a submission that is still open, unless it was screened under the same rules and beside the same submissions."""
    key = submission.key
    digest = rules_digest(contracts_folder, key.district, key.extract)
    beside = context_submissions(store, key.district, key.extract, key.school_year)
    screened = submission.screened
    is_current = screened is not None and (screened["rules_sha256"], screened["context"]) == (digest, beside)
    if not submission.is_open or (is_current and submission.events[-1]["type"] != "reading"):
        return submission
    try:
        files = store.files(key, submission.received)
        if submission.events[-1]["type"] != "reading":
            store.append(key, {"type": "reading", "at": now(), "actor": "nmip"}, len(submission.events))
            submission = read_submission(store, key)
        result = screen(
            files,
            contracts_folder,
            key.district,
            key.extract,
            key.school_year,
            limits,
            progress,
            read_context(store, beside),
            opened,
        )
        # A limit of time says nothing about the file: the next look screens it again.
        decided_by = "" if any(rule_id in TRANSIENT for rule_id in result.counts) else digest
        store.append(key, _screened(store, submission, result, decided_by, beside), len(submission.events))
        if result.is_personal:
            store.forget_bytes(key)
    except ConcurrentChange:
        # Somebody else screens, signs or withdraws it: what they did stands.
        return screen_submission(store, contracts_folder, read_submission(store, key), limits, progress, opened)
    return read_submission(store, key)


def _screened(
    store: SubmissionStore, submission: Submission, result: Screening, rules_sha256: str, context: dict[str, str]
) -> dict[str, Any]:
    key = submission.key
    to_judge = result.findings.filter(pl.col("tier").is_in(["Q", "M"]))
    carried = _carried_over(store, submission, to_judge)
    left = to_judge.join(carried, on=FINGERPRINT, how="anti", nulls_equal=True).group_by("rule_id", maintain_order=True).len()
    told = carried.group_by("rule_id", "rule_version", "reason", "actor", "at", "submission_id", maintain_order=True).len("n")
    return {
        "type": "screened",
        "at": now(),
        "actor": "nmip",
        "outcome": result.outcome,
        "contract_version": result.contract_version,
        "rules_sha256": rules_sha256,
        "rule_versions": result.rule_versions,
        "mapping_sha256": result.mapping_digest,
        "context": context,
        "notes": list(result.notes),
        "remarks": list(result.remarks),
        "lines": result.lines,
        "rows": result.row_counts,
        "school_years": list(result.school_years),
        "findings": result.counts,
        "to_acknowledge": dict(left.iter_rows()),
        "carried_over": [{**entry, "n_left_out": 0} for entry in told.to_dicts()],
        "acknowledged_sha256": store.write_table(key, "acknowledged", carried) if carried.height else None,
        "rows_sha256": store.write_table(key, "rows", result.rows),
        "findings_sha256": store.write_table(key, "findings", result.findings),
    }


def _carried_over(store: SubmissionStore, submission: Submission, findings: pl.DataFrame) -> pl.DataFrame:
    """Earlier acknowledgements of findings that are here again, unchanged: rule, rule version, key, field and value."""
    key = submission.key
    earlier = [s for s in all_submissions(store, key.district, key.extract, key.school_year) if s.key.number < key.number]
    told = [s for s in (submission, *reversed(earlier)) if s.state not in (WITHDRAWN, DAMAGED)]
    # A table that was altered carries nothing over.
    tables = [
        read_acknowledged(store, s)
        for s in told
        if s.acknowledged_sha256 and store.has_table(s.key, "acknowledged", s.acknowledged_sha256)
    ]
    if not tables or findings.is_empty():
        return pl.DataFrame(schema=ACKNOWLEDGED_SCHEMA)
    said = pl.concat(tables).unique(FINGERPRINT, keep="first", maintain_order=True)
    return said.join(findings.select(FINGERPRINT), on=FINGERPRINT, how="semi", nulls_equal=True)


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
    is_again: bool = False,
) -> list[Submission]:
    """Receive and screen one delivery: one submission for each school year that it holds; the named year's is returned first.

    A delivery that does not hold the named year opens only that year's submission, whose finding says so. By inbox, where
    nobody is at hand to sign, a submission without findings is certified if the district chose so. Raises SubmissionRefused
    for an unknown place, and PersonalDataRefused, before anything is kept, for data about single people.
    """
    check_place(contracts_folder, district, extract, school_year)
    opened = open_delivery(files, contracts_folder, district, extract, limits)
    if opened.personal:
        raise PersonalDataRefused(personal_message(opened.personal))
    held = years_held(opened, contracts_folder, district, extract, school_year)
    done: list[Submission] = []
    # Year by year, so that a year is looked at beside the one before it in the same delivery.
    for year in held if school_year in held else (school_year,):
        submission, _ = receive(store, district, extract, year, files, via, actor, is_again)
        submission = screen_submission(store, contracts_folder, submission, limits, progress, opened)
        if via == INBOX:
            submission = certify_by_itself(store, contracts_folder, submission)
        done.append(submission)
    return sorted(done, key=lambda submission: submission.key.school_year != school_year)


def certify_by_itself(store: SubmissionStore, contracts_folder: Path, submission: Submission) -> Submission:
    """Certify a submission in which nothing was found, where its district chose that; else return it as it is.

    A resubmission gets its release note from its own differences to what is in force.
    """
    key = submission.key
    if submission.is_certified:
        return certify(store, submission, "nmip", "", "automatic")
    chosen = code_list(contracts_folder, "districts").filter(code=key.district)["auto_certify"].to_list() == ["true"]
    is_clean = submission.state == READY and not any((submission.screened or {}).get("findings", {}).values())
    if not (chosen and is_clean) or later_certified(store, key):
        return submission
    beside = context_submissions(store, key.district, key.extract, key.school_year)
    note = None
    if IN_FORCE in beside:
        before = read_rows(store, read_submission(store, SubmissionKey.parse(beside[IN_FORCE])))
        contract = load_contract(contracts_folder, key.extract)
        note = "Written by NMIP: " + row_differences(before, read_rows(store, submission), contract).summary()
    statement = "Certified automatically: the district chose so and nothing was found."
    try:
        return certify(store, submission, "nmip", statement, "automatic", note)
    except SubmissionRefused:
        # Something else was signed meanwhile; it waits for a person who looks at both.
        return read_submission(store, key)

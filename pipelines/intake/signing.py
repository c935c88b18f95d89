"""What a person decides about a submission: acknowledge what is unusual, sign, withdraw. Each is one event.

Who may do it is asked in `desk`. What is found in a submission stands in `screening`.
"""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from pipelines.intake.context import context_submissions
from pipelines.intake.receipts import prove_kept, write_receipt
from pipelines.intake.states import ACKNOWLEDGEMENTS_NEEDED, CERTIFIED, READY, STATES
from pipelines.intake.store import ConcurrentChange, SubmissionKey, SubmissionStore
from pipelines.intake.submission import (
    FINGERPRINT,
    Submission,
    SubmissionRefused,
    all_submissions,
    now,
    read_acknowledged,
    read_findings,
    read_submission,
)

LONGEST_TEXT = 4_000


def required_text(text: str | None, what: str) -> str:
    """The text without surrounding blanks. Raises SubmissionRefused where nothing, or a book, was written."""
    written = (text or "").strip()
    if not written:
        raise SubmissionRefused(f"{what} is blank; say it in a sentence of your own")
    if len(written) > LONGEST_TEXT:
        raise SubmissionRefused(f"{what} has {len(written):,} characters; {LONGEST_TEXT:,} are kept at most")
    return written


def later_certified(store: SubmissionStore, key: SubmissionKey) -> list[str]:
    """Ids of certified submissions of the same place that came later."""
    siblings = all_submissions(store, key.district, key.extract, key.school_year)
    return [s.key.submission_id for s in siblings if s.is_certified and s.key.number > key.number]


def acknowledge(
    store: SubmissionStore,
    submission: Submission,
    rule_id: str,
    reason: str,
    actor: str,
    left_out_lines: Collection[int] = (),
    left_out_file: str | None = None,
) -> Submission:
    """Say why the findings of one rule (tier Q or M) are right; findings in `left_out_lines` stay open.

    Lines are physical lines of the delivered file, which `left_out_file` names where there are several. Raises
    SubmissionRefused where there is nothing to acknowledge, where a rule blocks, and where a line named has no open finding.
    """
    reason = required_text(reason, "the reason")
    submission_id = submission.key.submission_id
    if not submission.is_open or submission.screened is None:
        raise SubmissionRefused(f"{submission_id} takes no acknowledgement: {STATES[submission.state][0]}")
    found = read_findings(store, submission).filter(pl.col("rule_id") == rule_id)
    if found.is_empty():
        known = ", ".join(submission.to_acknowledge) or "none"
        raise SubmissionRefused(f"{submission_id} has no finding of {rule_id!r}; rules to acknowledge: {known}")
    if found["tier"][0] not in ("Q", "M"):
        raise SubmissionRefused(f"{rule_id} blocks: it cannot be acknowledged, it must be corrected")
    before = read_acknowledged(store, submission)
    waiting = found.join(before, on=FINGERPRINT, how="anti", nulls_equal=True)
    files = [entry["name"] for entry in submission.received["files"]]
    if left_out_lines and len(files) > 1 and left_out_file not in files:
        raise SubmissionRefused(f"the delivery has several files; say of which the line is: one of {', '.join(files)}")
    of_file = waiting.filter(pl.col("file") == left_out_file) if left_out_file else waiting
    unknown = sorted(set(left_out_lines) - set(of_file["line"].drop_nulls()))
    if unknown:
        raise SubmissionRefused(
            f"{rule_id} has no finding to acknowledge in line {', '.join(map(str, unknown))}; "
            "name lines as the findings show them"
        )
    is_left_out = pl.col("line").is_in(list(left_out_lines)).fill_null(value=False)
    if left_out_file:
        is_left_out &= pl.col("file") == left_out_file
    covered = waiting.filter(~is_left_out)
    if covered.is_empty():
        raise SubmissionRefused(f"nothing of {rule_id} is left to acknowledge in {submission_id}")
    at = now()
    said = covered.select(
        *FINGERPRINT,
        pl.lit(reason).alias("reason"),
        pl.lit(actor).alias("actor"),
        pl.lit(at).alias("at"),
        pl.lit(submission_id).alias("submission_id"),
    )
    n_left = waiting.height - covered.height
    event = {
        "type": "acknowledged",
        "at": at,
        "actor": actor,
        "rule_id": rule_id,
        "rule_version": found["rule_version"][0],
        "reason": reason,
        "n": covered.height,
        "n_left_out": n_left,
        "to_acknowledge": {**submission.to_acknowledge, rule_id: n_left},
        "acknowledged_sha256": store.write_table(submission.key, "acknowledged", pl.concat([before, said])),
    }
    try:
        store.append(submission.key, event, len(submission.events))
    except ConcurrentChange:
        again = read_submission(store, submission.key)
        return acknowledge(store, again, rule_id, reason, actor, left_out_lines, left_out_file)
    return read_submission(store, submission.key)


def certify(
    store: SubmissionStore,
    submission: Submission,
    signer: str,
    statement: str,
    how: str,
    release_note: str | None = None,
) -> Submission:
    """Sign a submission that is ready. Signing one that is certified already writes at most a receipt that is missing.

    Raises SubmissionRefused when it is not ready, when a later one is certified already, and when it takes the place of a
    submission in force without a release note.
    """
    if submission.state != READY:
        return _certify(store, submission, signer, statement, how, release_note)
    with store.place_lock(submission.key):
        return _certify(store, read_submission(store, submission.key), signer, statement, how, release_note)


def _certify(
    store: SubmissionStore, submission: Submission, signer: str, statement: str, how: str, release_note: str | None
) -> Submission:
    key = submission.key
    if submission.is_certified:
        if not store.has_receipt(key):
            write_receipt(store, key)
        return submission
    later = later_certified(store, key)
    if later:
        raise SubmissionRefused(f"{key.submission_id} cannot be signed: {later[-1]} came later and is certified already")
    if submission.state != READY:
        meaning, next_step = STATES[submission.state]
        open_rules = ", ".join(f"{rule_id} ({n:,})" for rule_id, n in submission.to_acknowledge.items())
        what = f" To acknowledge: {open_rules}." if submission.state == ACKNOWLEDGEMENTS_NEEDED else ""
        next_step = next_step.replace("ID", key.submission_id, 1)
        raise SubmissionRefused(f"{key.submission_id} cannot be signed: {meaning}{what} {next_step}")
    statement = required_text(statement, "the statement")
    screened = submission.screened or {}
    if screened["context"] != context_submissions(store, key.district, key.extract, key.school_year):
        raise SubmissionRefused(
            f"{key.submission_id} cannot be signed yet: what it is looked at beside was signed since it was checked. "
            f"Look again (nmip findings {key.submission_id}), then sign"
        )
    altered = prove_kept(store, submission)
    if altered:
        raise SubmissionRefused(f"{key.submission_id} cannot be signed: {'; '.join(altered)}")
    held = [s for s in all_submissions(store, key.district, key.extract, key.school_year) if s.state == CERTIFIED]
    if held or (release_note or "").strip():
        what = f"{held[0].key.submission_id} is in force, and the release note" if held else "the release note"
        release_note = required_text(release_note, what)
    event = {
        "type": "certified",
        "at": now(),
        "actor": signer,
        "statement": statement,
        "how": how,
        "release_note": release_note or None,
        "supersedes": held[0].key.submission_id if held else None,
    }
    try:
        store.append(key, event, len(submission.events))
    except ConcurrentChange:
        return _certify(store, read_submission(store, key), signer, statement, how, release_note)
    write_receipt(store, key)
    return read_submission(store, key)


def withdraw(store: SubmissionStore, submission: Submission, actor: str, reason: str) -> Submission:
    """Take an open submission back. Raises SubmissionRefused for one that is certified: that needs a successor."""
    reason = required_text(reason, "the reason")
    submission_id = submission.key.submission_id
    if submission.is_certified:
        raise SubmissionRefused(
            f"{submission_id} is certified and cannot be withdrawn: it stays in force until a later submission is certified. "
            "Send the corrected file and sign it."
        )
    if not submission.is_open:
        raise SubmissionRefused(f"{submission_id} cannot be withdrawn: {STATES[submission.state][0]}")
    event = {"type": "withdrawn", "at": now(), "actor": actor, "reason": reason}
    try:
        store.append(submission.key, event, len(submission.events))
    except ConcurrentChange:
        return withdraw(store, read_submission(store, submission.key), actor, reason)
    return read_submission(store, submission.key)

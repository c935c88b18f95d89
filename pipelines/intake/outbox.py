"""The outbox: what came of every file that arrived by inbox, written where its sender finds it.

`outbox/<district>/<extract>/<school year>/<nnn>/` holds `result.json` and `result.txt` (state, next step, findings by rule),
the findings, the sender's own files with the findings in a column and, once certified, the receipt. A folder is made again
from the store whenever its submission has moved on, so a killed call loses nothing. A file that could not be taken at all
leaves `outbox/<district>/refused/<number>.txt`. No name that a sender typed becomes a path.
"""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.intake.deliveries import INBOX
from pipelines.intake.exports import annotated_files, findings_csv
from pipelines.intake.receipts import make_receipt
from pipelines.intake.rule_book import by_rule, rule_book
from pipelines.intake.screening import Opened, open_delivery
from pipelines.intake.states import CERTIFIED, STATES, SUPERSEDED
from pipelines.intake.store import RECEIPT, SubmissionStore
from pipelines.intake.submission import Submission, read_findings
from pipelines.storage import canonical_json, sha256

ROOT = "outbox"
RESULT = "result.json"
NOTIFIED = "notified.json"
UNPLACED = "unplaced"
WEBHOOK_SECONDS = 10
TOLD = ("rule_id", "tier", "is_blocking", "meaning", "n_findings", "first_line", "how_to_fix")


def folder_of(submission: Submission) -> str:
    """Where the results of a submission lie below the home."""
    return f"{ROOT}/{submission.key.submission_id}"


def _head(submission: Submission) -> str:
    return sha256(canonical_json([submission.state, submission.events[-1]]))


def unreported(store: SubmissionStore, submissions: Iterable[Submission]) -> list[Submission]:
    """Submissions that came by inbox and have moved on since their outbox was written."""
    return [s for s in submissions if _is_told_of(s) and _told(store, s, RESULT) != _head(s)]


def unnotified(store: SubmissionStore, submissions: Iterable[Submission]) -> list[Submission]:
    """Submissions that came by inbox and have moved on since the webhook was told."""
    return [s for s in submissions if _is_told_of(s) and _told(store, s, NOTIFIED) != _head(s)]


def _is_told_of(submission: Submission) -> bool:
    return submission.damage is None and submission.screened is not None and submission.received["via"] == INBOX


def _told(store: SubmissionStore, submission: Submission, name: str) -> str | None:
    name = f"{folder_of(submission)}/{name}"
    if not store.storage.exists(name):
        return None
    try:
        found = json.loads(store.storage.read(name))
    except ValueError:
        return None
    return str(found.get("as_of_event")) if isinstance(found, dict) else None


def report(
    store: SubmissionStore, contracts_folder: Path, submission: Submission, opened: Opened | None = None
) -> dict[str, Any]:
    """Write the outbox of one submission; `result.json`, which says what it tells of, is written last. Returns it."""
    key, folder = submission.key, folder_of(submission)
    findings = read_findings(store, submission)
    result = summary(store, contracts_folder, submission, findings)
    files: dict[str, bytes] = {}
    if findings.height:
        files["findings.csv"] = findings_csv(findings, key.submission_id)
        delivered = store.files(key, submission.received)
        opened = opened or open_delivery(delivered, contracts_folder, key.district, key.extract)
        if opened.delivered is not None and not opened.personal:
            for file in annotated_files(delivered, opened.delivered, findings):
                files[f"with_findings/{file.name}"] = file.content
    if submission.is_certified:
        files[RECEIPT] = canonical_json(make_receipt(key, submission.events))
    has_own_files = any(name.startswith("with_findings/") for name in files)
    files["result.txt"] = _as_text({**result, "has_own_files": has_own_files}).encode()
    for stale in set(store.storage.keys(folder)) - {f"{folder}/{name}" for name in (*files, RESULT, NOTIFIED)}:
        store.storage.delete(stale)
    for name, content in files.items():
        store.storage.write(f"{folder}/{name}", content)
    store.storage.write(f"{folder}/{RESULT}", canonical_json(result))
    return result


def summary(
    store: SubmissionStore, contracts_folder: Path, submission: Submission, findings: pl.DataFrame | None = None
) -> dict[str, Any]:
    """What came of a submission, without a delivered value: state, next step, lines, findings counted by rule."""
    key, screened = submission.key, submission.screened or {}
    table = read_findings(store, submission) if findings is None else findings
    meaning, next_step = STATES[submission.state]
    groups = by_rule(table, screened.get("findings", {}), rule_book(contracts_folder, key.extract))
    return {
        "submission_id": key.submission_id,
        "files": [entry["name"] for entry in submission.received["files"]],
        "state": submission.state,
        "state_meaning": meaning,
        "next_step": next_step.replace("ID", key.submission_id),
        "lines": screened.get("lines", {}),
        "contract_version": screened.get("contract_version"),
        "notes": screened.get("notes", []) + screened.get("remarks", []),
        "rules": [{name: group[name] for name in TOLD} for group in groups],
        "as_of_event": _head(submission),
    }


def _as_text(result: Mapping[str, Any]) -> str:
    lines = [f"{result['submission_id']}: {result['state_meaning']}", f"Next: {result['next_step']}", ""]
    for group in result["rules"]:
        where = f", first in line {group['first_line']}" if group["first_line"] else ""
        weight = "must be corrected" if group["is_blocking"] else "to correct or to acknowledge"
        lines += [f"{group['rule_id']} ({weight}): {group['n_findings']:,} found{where}. {group['meaning']}"]
        lines += [f"  To fix: {group['how_to_fix']}"]
    lines += [f"Note: {note}" for note in result["notes"]]
    if result["rules"]:
        lines += ["", "findings.csv lists them all" + ("; " if result["has_own_files"] else ".")]
        lines[-1] += "with_findings/ holds your own files with a column of findings." if result["has_own_files"] else ""
    if result["state"] in (CERTIFIED, SUPERSEDED):
        lines += ["", "receipt.json is the receipt: keep it; nmip verify-receipt proves it against your file."]
    shown = "\n".join(lines)
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in shown) + "\n"


def report_refused(
    store: SubmissionStore, districts: Sequence[str], delivery_key: str, name: str, problem: str, how_to_fix: str
) -> str:
    """Say in the outbox why a delivery was not taken; returns the key of the note."""
    district = name.split("/", maxsplit=1)[0] if name.split("/", maxsplit=1)[0] in districts else UNPLACED
    key = f"{ROOT}/{district}/refused/{delivery_key[:16]}.txt"
    text = f"inbox/{name} was not taken: {problem}\nTo fix: {how_to_fix}\n"
    shown = "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)
    store.storage.write(key, shown.encode("utf-8", "replace"))
    return key


class WebhookFailed(Exception):
    """The webhook did not take the message; it is sent again with the next report."""


def told_to_others(store: SubmissionStore, contracts_folder: Path, submission: Submission) -> dict[str, Any]:
    """`summary` without the sender's own words: names of files and sheets, and messages that no rule of today's book stands for.

    One address is told of all districts, and a sender may write into a name whatever stands in the file.
    """
    result = summary(store, contracts_folder, submission)
    del result["files"]
    book = rule_book(contracts_folder, submission.key.extract)
    wordless = {"meaning": None, "how_to_fix": None}
    rules = [rule if rule["rule_id"] in book else {**rule, **wordless} for rule in result["rules"]]
    return {**result, "rules": rules, "notes": (submission.screened or {}).get("notes", [])}


def notify(store: SubmissionStore, contracts_folder: Path, submission: Submission, url: str) -> None:
    """Send what came of a submission (counts and rule ids, no word of its sender) to a webhook. Raises WebhookFailed."""
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise WebhookFailed("NMIP_WEBHOOK must begin with http:// or https://")
    content = canonical_json(told_to_others(store, contracts_folder, submission))
    request = urllib.request.Request(  # noqa: S310 - the scheme was checked
        url, data=content, headers={"Content-Type": "application/json"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=WEBHOOK_SECONDS):  # noqa: S310 - the scheme was checked
            pass
    except OSError as error:
        raise WebhookFailed(f"the webhook could not be reached: {type(error).__name__}") from error
    mark = {"as_of_event": _head(submission)}
    store.storage.write(f"{folder_of(submission)}/{NOTIFIED}", canonical_json(mark))

"""`nmip verify-receipt`: which of the named files are receipts, where the delivered bytes are, and what was proven, in words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.words import plain, stop

if TYPE_CHECKING:
    from pipelines.intake.desk import Desk
    from pipelines.intake.submission import Submission

LARGEST_FILE = 2 * 1024**3
Files = list[tuple[str, bytes]]


def prove_files(desk: Desk, paths: Sequence[Path]) -> int:
    """Prove every receipt among `paths`; says what was found and returns the exit code."""
    from pipelines.intake.receipts import parse_receipt

    contents: dict[Path, bytes] = {}
    ids: list[str] = []
    for path in paths:
        if path.is_file() and path.stat().st_size <= LARGEST_FILE:
            contents[path] = path.read_bytes()
        elif not path.exists() and str(path).count("/") == 3:
            ids.append(str(path))
        else:
            stop(f"{path} is not a file that can be read.", 2)
    receipts = {path: found for path, content in contents.items() if (found := parse_receipt(content)) is not None}
    others = {path: content for path, content in contents.items() if path not in receipts}
    codes = [_prove(desk, path, found, others) for path, found in receipts.items()]
    codes += [_prove_kept(desk, submission_id) for submission_id in ids]
    if not receipts:
        codes += [_look_up(desk, path, content) for path, content in others.items()]
    return max(codes, key=(0, 2, 1).index, default=2)


def _prove(desk: Desk, path: Path, receipt: dict[str, Any], others: dict[Path, bytes]) -> int:
    from pipelines.intake.receipts import prove, prove_kept
    from pipelines.intake.store import RECEIPT
    from pipelines.storage import canonical_json

    kept = _kept(desk, receipt["submission_id"])
    files: Files | None = [(other.name, content) for other, content in others.items()] or None
    if files is None:
        files = _beside(path, receipt) or (_delivered(desk, kept) if kept else None)
    proof = prove(receipt, files)
    problems, proven = list(proof.problems), list(proof.proven)
    if kept is not None:
        problems += prove_kept(desk.store, kept)
        name = f"{kept.key.folder}/{RECEIPT}"
        if desk.store.storage.exists(name):
            is_same = desk.store.storage.read(name) == canonical_json(receipt)
            (proven if is_same else problems).append(
                "it is the receipt that this home keeps" if is_same else "it differs from the receipt that this home keeps"
            )
    click.echo(f"{plain(path)}: receipt of {plain(receipt['submission_id'])}")
    for words, entries in (("proven", proven), ("ALTERED", problems), ("not proven", proof.unproven)):
        for entry in entries:
            click.echo(f"  {words}: {plain(entry)}")
    return 1 if problems else 2 if proof.unproven else 0


def _kept(desk: Desk, submission_id: str) -> Submission | None:
    from pipelines.intake.submission import SubmissionRefused

    if desk.storage is None:
        return None
    try:
        return desk.submission(submission_id)
    except SubmissionRefused:
        # Another home's receipt, or another district's submission: proven without this home.
        return None


def _beside(path: Path, receipt: dict[str, Any]) -> Files | None:
    """Files beside the receipt that carry the names or digests that it lists."""
    named = {str(entry.get("name")) for entry in receipt.get("files", []) if isinstance(entry, dict)}
    digests = {str(entry.get("sha256")) for entry in receipt.get("files", []) if isinstance(entry, dict)}
    folders = [path.parent, path.parent / "delivered"]
    found = [f for folder in folders if folder.is_dir() for f in folder.iterdir() if f.name in named | digests and f.is_file()]
    return [(file.name, file.read_bytes()) for file in found] or None


def _delivered(desk: Desk, kept: Submission) -> Files | None:
    if not kept.events or not desk.store.has_files(kept.key, kept.received):
        return None
    store, folder = desk.store.storage, f"{kept.key.folder}/delivered"
    return [(str(entry["name"]), store.read(f"{folder}/{entry['sha256']}")) for entry in kept.received["files"]]


def _prove_kept(desk: Desk, submission_id: str) -> int:
    from pipelines.intake.receipts import prove_kept
    from pipelines.intake.submission import SubmissionRefused

    try:
        submission = desk.submission(submission_id)
    except SubmissionRefused as error:
        stop(str(error), 2)
    problems = prove_kept(desk.store, submission)
    click.echo(f"{plain(submission_id)} as this home keeps it, {submission.state}")
    for problem in problems:
        click.echo(f"  ALTERED: {plain(problem)}")
    if not problems:
        what = "bytes, rows, findings and receipt" if submission.is_certified else "bytes, rows and findings"
        click.echo(f"  proven: its events are whole and in order; {what} are those that they name")
    return 1 if problems else 0 if submission.is_certified else 2


def _look_up(desk: Desk, path: Path, content: bytes) -> int:
    from pipelines.intake.receipts import prove_kept
    from pipelines.storage import sha256

    digest = sha256(content)
    found = (
        []
        if desk.storage is None
        else [s for s in desk.submissions() if s.events and any(e["sha256"] == digest for e in s.received["files"])]
    )
    if not found:
        click.echo(f"{plain(path)} is no receipt, and no submission that you may see was made from these bytes.")
        return 2
    codes = []
    for submission in found:
        certified = submission.last("certified")
        said = (
            f"certified on {certified['at']} by {plain(certified['actor'])}"
            if certified
            else f"not certified ({submission.state})"
        )
        problems = prove_kept(desk.store, submission)
        click.echo(f"{plain(path)} was delivered, byte for byte, as {submission.key.submission_id}: {said}")
        for problem in problems:
            click.echo(f"  ALTERED: {plain(problem)}")
        codes.append(1 if problems else 0 if certified else 2)
    return min(codes, key=(1, 0, 2).index)

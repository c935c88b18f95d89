"""The inbox: what lies there, what of it is still to be handled, and handling it.

`inbox/<district>/<extract>/<school_year>/<any name>` is one delivery; a folder in that place, closed by a file `_READY`,
is one delivery of several files; a file elsewhere is one finding. What was handled is known by path and content, never by
the clock; file times only spare reading a file again that has not changed since.
"""

from __future__ import annotations

import difflib
import os
import stat
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from obstore.exceptions import BaseError

from pipelines.contracts.codes import codes
from pipelines.contracts.contract import extract_names
from pipelines.intake.context import DIRECTORY
from pipelines.intake.deliveries import INBOX, PersonalDataRefused, deliver
from pipelines.intake.outbox import report_refused
from pipelines.intake.personal_data import PersonalColumn, personal_data, personal_data_in, personal_message
from pipelines.intake.reading import DeliveredFile, ReadingLimits, UnreadableDelivery, read_delivery
from pipelines.intake.screening import Progress
from pipelines.intake.store import SubmissionRefused, SubmissionStore
from pipelines.intake.submission import Submission, now
from pipelines.storage import canonical_json, sha256

READY_MARK = "_READY"
SETTLE_SECONDS = 1.0
UNFINISHED = (".part", ".partial", ".tmp", ".crdownload", ".filepart", ".swp")
CLUTTER = (".ds_store", "thumbs.db", "desktop.ini")
CLUTTER_PREFIX = "._"
DELETED = "It was deleted from the inbox and is not kept. Send counts by school, grade and student group instead."
HOW_TO_PLACE = "Put the file into inbox/<district>/<extract>/<school year>/, for example inbox/chicago/school_directory/2024-25/."


@dataclass(frozen=True)
class InboxFile:
    """A file in the inbox: its path below the inbox, and marks that change whenever the file is written."""

    path: str
    marks: tuple[int, ...]
    is_regular: bool = True


@dataclass(frozen=True)
class Delivery:
    """Files of the inbox that belong together. `place` is district, extract, school year; None when misplaced."""

    name: str
    paths: tuple[str, ...]
    place: tuple[str, str, str] | None
    problem: str | None = None


def list_inbox(inbox: Path) -> list[InboxFile]:
    """All files below the inbox, sorted by path. Raises OSError when a folder cannot be listed: that is not an empty inbox."""

    def fail(error: OSError) -> None:
        raise error

    found = []
    if not inbox.is_dir():
        return []
    for folder, folders, names in os.walk(inbox, onerror=fail, followlinks=False):
        linked = [name for name in folders if (Path(folder) / name).is_symlink()]
        for name in [*names, *linked]:
            path = Path(folder) / name
            try:
                status = path.lstat()
            except FileNotFoundError:
                continue
            marks = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
            found.append(InboxFile(str(path.relative_to(inbox)), marks, stat.S_ISREG(status.st_mode)))
    return sorted(found, key=lambda file: file.path)


def deliveries(files: Iterable[InboxFile], contracts_folder: Path) -> list[Delivery]:
    """Group inbox files into deliveries; folders without `_READY` and unfinished copies wait. Pure."""
    districts, years = codes(contracts_folder, "districts"), codes(contracts_folder, "school_years")
    extracts = extract_names(contracts_folder)
    files = [f for f in files if not _is_clutter(f.path)]
    usable = [f for f in files if not _is_unfinished(f.path)]
    ready = {str(Path(f.path).parent) for f in usable if Path(f.path).name == READY_MARK}
    unfinished = {"/".join(Path(f.path).parts[:4]) for f in files if _is_unfinished(f.path)}
    folders: dict[str, list[str]] = {}
    problems: dict[str, str] = {}
    found: list[Delivery] = []
    for file in usable:
        parts = Path(file.path).parts
        if parts[-1] == READY_MARK:
            continue
        folder = "/".join(parts[:4])
        problem = _problem(file, parts, districts, extracts, years)
        if problem and folder in ready:
            # A delivery is taken whole or not at all.
            problems.setdefault(folder, f"{'/'.join(parts[4:])}: {problem}")
            folders.setdefault(folder, []).append(file.path)
        elif problem:
            found.append(Delivery(file.path, (file.path,), None, problem))
        elif len(parts) == 4:
            found.append(Delivery(file.path, (file.path,), (parts[0], parts[1], parts[2])))
        else:
            folders.setdefault(folder, []).append(file.path)
    for folder, paths in folders.items():
        if folder in problems:
            found.append(Delivery(folder, tuple(paths), None, problems[folder]))
        elif folder in ready and folder not in unfinished:
            district, extract, school_year, _ = folder.split("/")
            found.append(Delivery(folder, tuple(paths), (district, extract, school_year)))
    return sorted(found, key=lambda delivery: delivery.name)


def unclosed_folders(files: Iterable[InboxFile], contracts_folder: Path) -> list[str]:
    """Folders in the place of a delivery that are not taken: without `_READY`, or with a copy that is not finished. Pure."""
    paths = [Path(f.path) for f in files if not _is_clutter(f.path)]
    unfinished = {path.parent for path in paths if _is_unfinished(str(path))}
    ready = {path.parent for path in paths if path.name == READY_MARK} - unfinished
    known = (codes(contracts_folder, "districts"), extract_names(contracts_folder), codes(contracts_folder, "school_years"))
    folders = {path.parent for path in paths if len(path.parts) == 5} - ready
    return sorted(str(f) for f in folders if all(part in names for part, names in zip(f.parts, known, strict=False)))


def _is_clutter(path: str) -> bool:
    name = Path(path).name
    return name.lower() in CLUTTER or name.startswith(CLUTTER_PREFIX)


def _is_unfinished(path: str) -> bool:
    return Path(path).name.startswith((".", "~$")) or path.lower().endswith(UNFINISHED)


def _problem(
    file: InboxFile, parts: Sequence[str], districts: Sequence[str], extracts: Sequence[str], years: Sequence[str]
) -> str | None:
    if not file.is_regular:
        return "this is a link or a device, not a file"
    if len(parts) < 4:
        return "the file does not lie in a folder that says its district, extract and school year"
    if len(parts) > 5:
        return "the file lies too deep; a delivery of several files is one folder without folders in it"
    if parts[0] not in districts:
        return f"there is no district {parts[0]!r}; the districts are {', '.join(districts)}"
    if parts[1] not in extracts:
        return f"there is no extract {parts[1]!r}; the extracts are {', '.join(extracts)}"
    if parts[2] not in years:
        near = difflib.get_close_matches(parts[2], years, n=1, cutoff=0.5)
        return f"there is no school year {parts[2]!r}" + (f"; did you mean {near[0]}?" if near else "; write it like 2024-25")
    return None


@dataclass(frozen=True)
class Pending:
    """A delivery still to be handled: its key (path and content), its files' marks and its bytes."""

    delivery: Delivery
    key: str
    marks: dict[str, tuple[int, ...]]
    files: tuple[DeliveredFile, ...]


def unhandled(listed: Sequence[InboxFile], found: Sequence[Delivery], handled: Iterable[dict[str, Any]]) -> list[Delivery]:
    """Deliveries whose files are not, mark for mark, those of a handled delivery of the same name. Pure."""
    marks = {file.path: list(file.marks) for file in listed}
    done = {(record["name"], _frozen(record["marks"])) for record in handled}
    return [d for d in found if (d.name, _frozen({path: marks[path] for path in d.paths})) not in done]


def _frozen(marks: dict[str, Any]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    return tuple(sorted((path, tuple(values)) for path, values in marks.items()))


def waiting_deliveries(inbox: Path, contracts_folder: Path, store: SubmissionStore) -> dict[str, list[tuple[int, ...]]]:
    """Deliveries that wait, by name, with their files' marks; no byte of them is read: what a sensor asks at every tick."""
    listed = list_inbox(inbox)
    marks = {file.path: file.marks for file in listed}
    found = unhandled(listed, deliveries(listed, contracts_folder), store.handled())
    return {delivery.name: [marks[path] for path in delivery.paths] for delivery in found}


def in_order(waiting: Iterable[Delivery]) -> list[Delivery]:
    """Deliveries in the order in which one is looked at beside another: directories first, then year by year. Pure."""

    def rank(delivery: Delivery) -> tuple[bool, str, str]:
        _, extract, school_year = delivery.place or ("", "", "")
        return extract != DIRECTORY, school_year, delivery.name

    return sorted(waiting, key=rank)


@dataclass(frozen=True)
class Handled:
    """What became of one inbox delivery: its submissions, why it is misplaced, or why it must wait for the next look."""

    name: str
    submissions: tuple[Submission, ...] = ()
    problem: str | None = None
    failure: str | None = None


def handle_inbox(
    inbox: Path,
    contracts_folder: Path,
    store: SubmissionStore,
    limits: ReadingLimits | None = None,
    progress: Progress = lambda _: None,
) -> list[Handled]:
    """Handle everything that waits in the inbox, once. May be killed at any point and run again.

    A file that changes within SETTLE_SECONDS is still being written: it waits for the next look.

    A delivery that cannot be handled this time (a file that may not be read, a full disk) is told as a `failure`, waits for the
    next look and holds up no other. Raises OSError when the inbox cannot be listed.
    """
    limits = limits or ReadingLimits()
    _remove_personal(inbox, store.handled())
    listed = list_inbox(inbox)
    marks = {file.path: file.marks for file in listed}
    outcomes = []
    waiting = in_order(unhandled(listed, deliveries(listed, contracts_folder), store.handled()))
    if waiting:
        time.sleep(SETTLE_SECONDS)
    for position, delivery in enumerate(waiting, start=1):
        progress(f"inbox {position}/{len(waiting)}: {delivery.name}")
        try:
            pending = _take(inbox, delivery, marks, limits)
            if pending is not None:
                outcomes.append(_handle(pending, inbox, contracts_folder, store, limits))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told and the others are not held up
            # Only what the operating system or NMIP itself says is told: another message could repeat delivered values.
            said = (
                str(error) if isinstance(error, OSError | BaseError | SubmissionRefused) else "see the finding, or the operator"
            )
            failure = f"{type(error).__name__}: {said}"
            progress(f"{delivery.name} could not be handled and waits: {failure}")
            outcomes.append(Handled(delivery.name, failure=failure))
    return outcomes


def _take(inbox: Path, delivery: Delivery, marks: dict[str, tuple[int, ...]], limits: ReadingLimits) -> Pending | None:
    """Read a delivery's bytes; None while somebody still writes one of its files, which the next look finds again."""
    total = sum(marks[path][0] for path in delivery.paths)
    is_readable = total <= limits.max_bytes
    try:
        is_readable = is_readable and all(stat.S_ISREG((inbox / path).lstat().st_mode) for path in delivery.paths)
        files = tuple(
            DeliveredFile(Path(path).name, (inbox / path).read_bytes() if is_readable else b"") for path in delivery.paths
        )
        now_marks = {path: _marks(inbox / path) for path in delivery.paths}
    except FileNotFoundError:
        return None
    if any(now_marks[path] != marks[path] for path in delivery.paths):
        return None
    problem = delivery.problem
    if problem is None and not is_readable:
        problem = f"the delivery has {total:,} bytes, more than {limits.max_bytes:,}"
        delivery = Delivery(delivery.name, delivery.paths, None, problem)
    contents = [[path, sha256(file.content)] for path, file in zip(delivery.paths, files, strict=True)]
    return Pending(delivery, sha256(canonical_json([delivery.name, contents])), now_marks, files)


def _marks(path: Path) -> tuple[int, ...]:
    status = path.lstat()
    return (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


def _handle(pending: Pending, inbox: Path, contracts_folder: Path, store: SubmissionStore, limits: ReadingLimits) -> Handled:
    delivery = pending.delivery
    submissions: list[Submission] = []
    problem, how_to_fix = delivery.problem, HOW_TO_PLACE
    personal: dict[str, str] = {}
    if delivery.place is None:
        # A list of students in the wrong folder is a list of students.
        personal = _personal(pending, limits)
    else:
        try:
            submissions = deliver(store, contracts_folder, *delivery.place, pending.files, INBOX, INBOX, limits)
        except PersonalDataRefused as error:
            is_one = len(delivery.paths) == 1
            personal = {} if is_one else _personal(pending, limits)
            personal = personal or dict.fromkeys(delivery.paths, error.message)
    if personal:
        problem = "; ".join(
            message if len(delivery.paths) == 1 else f"{Path(path).name}: {message}" for path, message in personal.items()
        )
        how_to_fix = DELETED if len(personal) == len(delivery.paths) else f"{DELETED} Then send the other files again."
    if problem is not None:
        report_refused(store, codes(contracts_folder, "districts"), pending.key, delivery.name, problem, how_to_fix)
    record = {
        "key": pending.key,
        "name": delivery.name,
        "marks": {path: list(values) for path, values in pending.marks.items()},
        "at": now(),
        "submissions": [submission.key.submission_id for submission in submissions],
        "problem": problem,
        "how_to_fix": how_to_fix if problem else None,
        "removed": sorted(personal),
    }
    store.mark_handled(pending.key, record)
    _remove_personal(inbox, [record])
    return Handled(delivery.name, tuple(submissions), problem)


def _remove_personal(inbox: Path, records: Iterable[dict[str, Any]]) -> None:
    """Delete what was refused as data about single people: they are not kept, and the inbox is a part of the home."""
    for record in records:
        for path in record.get("removed", []):
            file = inbox / path
            if file.exists() and list(_marks(file)) == list(record["marks"][path]):
                file.unlink()


def _personal_columns(file: DeliveredFile, limits: ReadingLimits) -> tuple[PersonalColumn, ...]:
    try:
        return personal_data(read_delivery([file], limits=limits)) or personal_data_in([file], limits)
    except UnreadableDelivery:
        return personal_data_in([file], limits)


def _personal(pending: Pending, limits: ReadingLimits) -> dict[str, str]:
    """The files of a delivery that look like data about single people, by path, with what makes them look so."""
    told = {}
    for path, file in zip(pending.delivery.paths, pending.files, strict=True):
        columns = _personal_columns(file, limits) if file.content else ()
        if columns:
            told[path] = personal_message(columns)
    return told

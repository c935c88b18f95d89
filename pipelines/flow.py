"""The steps from inbox to release as plain functions, in order; `orchestration` and `cli` only wrap them.

Nothing here knows Dagster. Rules, SQL and protection belong to their own rooms.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pipelines.briefing.building import CHOSEN, DOCUMENT, FORMATS, briefing_key, built_briefing
from pipelines.briefing.changes import briefing_keys, briefing_of
from pipelines.briefing.content import SECTIONS, briefing_document, convening_of
from pipelines.briefing.material import NoBriefing
from pipelines.contracts.contract import extract_names, load_contract
from pipelines.frames import read_external
from pipelines.home import home_kind
from pipelines.intake.checking import load_check_tables, rules_of
from pipelines.intake.context import read_context
from pipelines.intake.deliveries import INBOX, certify_by_itself, screen_submission
from pipelines.intake.desk import Desk, Identity
from pipelines.intake.expected import expected_extracts
from pipelines.intake.inbox import Handled, handle_inbox, list_inbox, unclosed_folders, waiting_deliveries
from pipelines.intake.ledger import ledger_table
from pipelines.intake.outbox import WebhookFailed, notify, report, unnotified, unreported
from pipelines.intake.receipts import prove_kept, write_receipt
from pipelines.intake.rule_book import BLOCKING_TIERS
from pipelines.intake.states import READING, RECEIVED
from pipelines.intake.store import SubmissionStore
from pipelines.intake.submission import (
    Submission,
    SubmissionRefused,
    all_submissions,
    certified_in,
    damaged_in,
    in_force,
    read_rows,
)
from pipelines.lake.partitions import Partition, bring_up_to_date, partitions
from pipelines.processes import shared_out
from pipelines.release.announcements import announce_current, announced, is_announced
from pipelines.release.auditing import ReleaseRefused, as_json, audit_folder, refusal, what_was_asked
from pipelines.release.candidate import ReleaseInputs, write_candidate
from pipelines.release.embargo import (
    WAITING,
    clear_away,
    discard_waiting,
    embargo_until,
    hold,
    waiting_folder,
    waiting_release,
)
from pipelines.release.folder import ReleaseFolder, UnusableRelease, read_folder, release_number
from pipelines.release.places import Place, places_of_a_leak
from pipelines.release.publish import (
    CURRENT,
    ROOT,
    announcement,
    current_manifest,
    digest_key,
    latest_manifest,
    make_current,
    next_number,
    publish,
    release_ids,
    was_made_current,
)
from pipelines.release.reader import NoRelease, release_on
from pipelines.settings import PROJECT_ROOT, Settings
from pipelines.storage import Storage, canonical_json, sha256
from pipelines.warehouse.catalogue import read_indicators
from pipelines.warehouse.dbt import OWN_NAEP_RESULTS, NodeResult, build, project_files, warehouse_lock, write_inputs

Progress = Callable[[str], None]
ROOMS_OF_A_RELEASE = ("contracts", "intake", "lake", "warehouse", "estimation", "disclosure", "release")
BUILT_FROM = "built_from.json"
# Below the working folder: what an audit found in releases that were refused, which is for nobody else to read.
REFUSED = "refused"
TIERS = ("S", "V", "Q", "M")
# Starting a process and importing Great Expectations there takes as long as recording about this many submissions.
SUBMISSIONS_A_PROCESS = 30
# What the auditor gets back is hidden with everything at its place, and the auditor asked again, so many times in all.
ATTEMPTS_AT_A_RELEASE = 5


@dataclass(frozen=True)
class Home:
    """One home with its settings, opened."""

    settings: Settings
    storage: Storage = field(init=False)
    store: SubmissionStore = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "storage", Storage(self.settings.home))
        object.__setattr__(self, "store", SubmissionStore(self.storage))

    def desk(self, identity: Identity) -> Desk:
        """The submissions of this home as one person may see and change them."""
        return Desk(self.storage, self.settings.contracts, identity, self.settings.indicator_sql)

    @property
    def inbox(self) -> Path:
        return self.settings.home / "inbox"

    @cached_property
    def code_digest(self) -> str:
        """A digest of everything but data that decides a release: code, SQL, contracts."""
        files = [
            Path(__file__),
            *sorted(file for room in ROOMS_OF_A_RELEASE for file in (PROJECT_ROOT / "pipelines" / room).rglob("*.py")),
            *project_files(self.settings.dbt_project),
            *sorted(p for p in self.settings.contracts.rglob("*") if p.suffix in (".csv", ".sql", ".yaml")),
        ]
        return sha256("\n".join(f"{file.name} {sha256(file.read_bytes())}" for file in files).encode())


def screen_inbox(home: Home, progress: Progress = lambda _: None) -> list[Handled]:
    """Handle everything that waits in the inbox, finish what an interrupted call left half done, and fill the outbox."""
    contracts = home.settings.contracts
    handled = handle_inbox(home.inbox, contracts, home.store, progress=progress)
    for submission in unscreened(home, all_submissions(home.store)):
        progress(f"screening {submission.key.submission_id}")
        try:
            screened = screen_submission(home.store, contracts, submission)
            if screened.received["via"] == INBOX:
                certify_by_itself(home.store, contracts, screened)
        except SubmissionRefused as error:
            progress(str(error))
    for submission in all_submissions(home.store):
        if submission.is_certified and submission.damage is None and not home.store.has_receipt(submission.key):
            write_receipt(home.store, submission.key)
    for submission in unreported(home.store, all_submissions(home.store)):
        try:
            report(home.store, contracts, submission)
        except SubmissionRefused as error:
            progress(str(error))
    if home.settings.webhook:
        _notify(home, home.settings.webhook, progress)
    return handled


def _notify(home: Home, url: str, progress: Progress) -> None:
    for submission in unnotified(home.store, all_submissions(home.store)):
        try:
            notify(home.store, home.settings.contracts, submission, url)
        except WebhookFailed as error:
            progress(f"{error}; it is told again with the next run")
            return


def unscreened(home: Home, submissions: Sequence[Submission]) -> list[Submission]:
    """Submissions whose bytes were kept but that nobody screened to the end: their process ended too early."""
    return [s for s in submissions if s.state in (RECEIVED, READING) and home.store.has_files(s.key, s.received)]


def update_lake(home: Home) -> list[Partition]:
    """Make the lake hold the submissions in force; returns what was written."""
    with warehouse_lock(home.settings):
        return bring_up_to_date(home.storage, home.store, home.settings.contracts, in_force(home.store))


def fingerprint(home: Home, submissions: Sequence[Submission] | None = None) -> str:
    """A digest of everything that a release is made from: submissions and their states, code, SQL, contracts, minimum n, and the
    NAEP results of a home that has its own.
    """
    ledger = all_submissions(home.store) if submissions is None else submissions
    told = ledger_table(ledger).write_csv()
    naep = sha256(home.storage.read(OWN_NAEP_RESULTS)) if home.storage.exists(OWN_NAEP_RESULTS) else None
    return sha256(json.dumps([told, home.code_digest, home.settings.minimum_n, naep]).encode())


def is_release_due(home: Home, at: datetime | None = None) -> bool:
    """Whether `release` has something to do; nothing in force and no release is nothing due. `at`: by default now."""
    return release_cause(home, at) is not None


def release_cause(home: Home, at: datetime | None = None) -> str | None:
    """A digest of what is due, None where nothing is: something changed since the release that was built last, its publishing
    or announcing was cut off, or the embargo of the one that waits has ended.
    """
    latest, held = latest_manifest(home.storage), waiting_release(home.storage)
    if latest is None and held is None:
        return fingerprint(home) if in_force(home.store) else None
    now_is = fingerprint(home)
    if held is not None:
        if held["fingerprint"] != now_is:
            return now_is
        ends = _embargo_ends(home, at)
        # Each end of an embargo is a cause of its own: the build that waits for it was an attempt for another.
        return sha256(json.dumps([now_is, held["release_id"]]).encode()) if ends is None else None
    if latest is not None and latest["fingerprint"] != now_is:
        return now_is
    if latest is not None and was_made_current(home.storage, latest) and is_announced(home.storage):
        return None
    return sha256(json.dumps([now_is, "unfinished"]).encode())


def _embargo_ends(home: Home, at: datetime | None = None) -> datetime | None:
    """When the embargo ends that holds at `at`, or None where none does."""
    until = embargo_until(home.storage, home.settings.embargo_until)
    return until if until is not None and (at or datetime.now(UTC)) < until else None


def under_embargo(home: Home) -> tuple[str, datetime | None] | None:
    """The id of the release that waits and when its embargo ends (None: it has ended), or None where none waits."""
    held = waiting_release(home.storage)
    return (held["release_id"], _embargo_ends(home)) if held else None


def refused(home: Home) -> dict[str, Any] | None:
    """What the audit said of a release made from exactly what is there now, where it failed; None where it did not.

    Another attempt would find the same, unless something changed that does not count as an input.
    """
    private = Storage(home.settings.work)
    reports = private.keys(REFUSED)
    ending = f"-{fingerprint(home)[:12]}.json" if reports else ""
    of_this = [key for key in reports if key.endswith(ending)]
    found: dict[str, Any] | None = private.read_json(of_this[-1]) if of_this else None
    return found


def rolled_back_from(home: Home) -> str | None:
    """The newer release that an operator turned away from, or None."""
    pointer = home.storage.read_json(CURRENT) if home.storage.exists(CURRENT) else {}
    found: str | None = pointer.get("rolled_back_from")
    return found


def waiting(home: Home) -> list[str]:
    """Names of inbox deliveries and ids of submissions that wait to be screened."""
    return [*_waiting_marks(home)]


def unclosed(home: Home) -> list[str]:
    """Folders in the inbox that wait for the file that closes them."""
    return unclosed_folders(list_inbox(home.inbox), home.settings.contracts)


def waiting_digest(home: Home) -> str | None:
    """A digest of what waits, by name and by the marks that change whenever a file is written; None where nothing waits."""
    marks = _waiting_marks(home)
    return sha256(canonical_json([sorted(marks.items()), fingerprint(home)])) if marks else None


def _waiting_marks(home: Home) -> dict[str, Any]:
    in_inbox = waiting_deliveries(home.inbox, home.settings.contracts, home.store)
    submissions = all_submissions(home.store)
    half_done = [*unscreened(home, submissions), *unreported(home.store, submissions)]
    # What can only be mended by a person does not wait: a run would change nothing.
    half_done = [s for s in half_done if not prove_kept(home.store, s)]
    return {**in_inbox, **{submission.key.submission_id: [] for submission in half_done}}


@dataclass(frozen=True)
class Refreshed:
    """What a rebuild did: every model and test that ran, the partitions (school year, district) that have estimates, and which of
    them were estimated anew.
    """

    results: tuple[NodeResult, ...]
    partitions: tuple[tuple[str, str], ...]
    estimated: tuple[tuple[str, str], ...]


def refresh_warehouse(home: Home, progress: Progress = lambda _: None) -> Refreshed:
    """Rebuild every model from one state of the lake, with the estimates between them, test it, and say what it was built from.

    Raises BuildFailed.
    """
    # Numerics take part of a second to import, and most commands never estimate.
    from pipelines.warehouse.estimates import bring_estimates_up_to_date, estimated_partitions

    with warehouse_lock(home.settings):
        # One reading of the ledger: a signature given meanwhile belongs to the next build as a whole.
        submissions = all_submissions(home.store)
        certified = certified_in(submissions)
        bring_up_to_date(home.storage, home.store, home.settings.contracts, certified)
        expected = expected_table(home, submissions)
        built_from = {
            "fingerprint": fingerprint(home, submissions),
            "as_of": latest_event(submissions, expected),
            "submissions": {s.key.submission_id: s.received["delivery_sha256"] for s in certified},
        }
        write_inputs(home.settings, ledger_table(submissions), expected)
        estimated: list[tuple[str, str]] = []
        results = build(home.settings, lambda: estimated.extend(bring_estimates_up_to_date(home.settings, progress)))
        Storage(home.settings.exchange).write(BUILT_FROM, canonical_json(built_from))
        held = estimated_partitions(home.settings)
    return Refreshed(results, tuple(held), tuple(estimated))


def latest_event(submissions: Sequence[Submission], expected: pl.DataFrame) -> str:
    """When the last thing happened to any submission; where there is none, the day of which `expected` speaks."""
    times = [str(event["at"]) for submission in submissions for event in submission.events if event.get("at")]
    return max(times) if times else f"{expected['as_of'].max()!s}T00:00:00+00:00"


def release(home: Home, progress: Progress = lambda _: None, at: datetime | None = None) -> dict[str, Any]:
    """Build, audit, publish and announce what the warehouse left, unless the release built last is made from the same.

    A release that fails its audit is not published; one under embargo waits, audited, and is published by the first call after
    it. What a killed call left half done is finished first. `at`: the time that it is, by default now. Returns the manifest of
    the release that is current, or that waits. Raises ReleaseRefused, and UnusableRelease where an earlier one cannot be read.
    """
    storage, private, published_at = home.storage, Storage(home.settings.work), at or datetime.now(UTC)
    announce_current(storage)
    _forget_published(storage)
    built_from = Storage(home.settings.exchange).read_json(BUILT_FROM)
    latest, held = latest_manifest(storage), waiting_release(storage)
    if latest is not None and latest["fingerprint"] == built_from["fingerprint"]:
        discard_waiting(storage)
        if not was_made_current(storage, latest):
            make_current(storage, latest["release_id"], _written(published_at))
            announce_current(storage)
        return current_manifest(storage) or latest
    ends, number = _embargo_ends(home, published_at), next_number(storage)
    is_made = held is not None and (held["fingerprint"], release_number(held["release_id"])) == (
        built_from["fingerprint"],
        number,
    )
    if held is not None and is_made and ends is not None:
        clear_away(storage)
        return held
    earlier = release_ids(storage)
    if held is not None and is_made:
        source, folder = storage, waiting_folder(held["release_id"])
        manifest = _audited(home, source, folder, earlier, progress)
    else:
        release_id = f"{number:04d}-{built_from['fingerprint'][:12]}"
        published = [read_folder(storage.path(f"{ROOT}/{name}")).tables for name in earlier]
        key, deadline = digest_key(storage, os.environ), home.settings.deadline_seconds
        inputs = release_inputs(home, built_from)
        places: list[Place] = []
        source, memory = private, dict[bytes, Any]()
        for attempt in range(1, ATTEMPTS_AT_A_RELEASE + 1):
            folder = write_candidate(
                private,
                home.settings.exchange,
                inputs,
                key,
                release_id,
                published,
                deadline,
                progress,
                [dict(place) for place in places],
                memory,
            )
            try:
                manifest = _audited(home, source, folder, earlier, progress)
                break
            except ReleaseRefused as refused:
                more = [next((one for one in places_of_a_leak(leak) if one not in places), None) for leak in refused.places]
                if attempt == ATTEMPTS_AT_A_RELEASE or not any(more):
                    raise
                places += dict.fromkeys(place for place in more if place)
                progress(
                    f"the auditor got {len(refused.places):,} counts back: their places are hidden whole, and it is asked again"
                )
    if ends is not None:
        hold(storage, source, folder)
        progress(f"release {manifest['release_id']} passed its audit and waits until {_written(ends)}")
        return manifest
    publish(storage, source, folder, _written(published_at))
    announce_current(storage)
    discard_waiting(storage)
    progress(f"release {manifest['release_id']} is current and announced")
    return manifest


def _audited(home: Home, source: Storage, folder: str, earlier: Sequence[str], progress: Progress) -> dict[str, Any]:
    """Attack a finished folder as its files say it; what was asked goes into its manifest. Raises ReleaseRefused."""
    private, deadline = Storage(home.settings.work), home.settings.deadline_seconds
    before = [home.storage.path(f"{ROOT}/{name}") for name in earlier]
    report, read = audit_folder(source.path(folder), before, deadline, progress)
    if read.altered:
        raise UnusableRelease(
            f"The table {read.altered[0]} in {source.path(folder)} is not the one that was written. Run it again."
        )
    kept = f"{REFUSED}/{read.release_id}.json"
    if not report.passed:
        said = as_json(report, earlier, has_intervals=True) | {"fingerprint": read.manifest["fingerprint"]}
        private.write(kept, canonical_json(said))
        places = [leak.places for leak in report.leaks if leak.places]
        # A leak that has no place, or a question left open, is not mended by hiding more.
        is_mendable = len(places) == len(report.leaks) and not report.not_asked
        raise ReleaseRefused(refusal(report, str(private.path(kept))), places if is_mendable else ())
    private.delete(kept)
    manifest = {**read.manifest, "audit": what_was_asked(report, earlier)}
    source.write(f"{folder}/manifest.json", canonical_json(manifest))
    progress(f"release {read.release_id} passed its audit: {report.n_hidden:,} hidden counts, none can be worked out")
    return manifest


def _forget_published(storage: Storage) -> None:
    """Nothing waits that was published; a call may have been cut off between the two."""
    if storage.exists(WAITING) and storage.read_json(WAITING)["release_id"] in release_ids(storage):
        discard_waiting(storage)


def _written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")


def release_inputs(home: Home, built_from: dict[str, Any]) -> ReleaseInputs:
    """What a release says of where it comes from, and the tables that come from declarations."""
    from pipelines.warehouse.relations import counts_table, relations_table

    contracts, indicators = home.settings.contracts, read_indicators(home.settings.dbt_project)
    return ReleaseInputs(
        kind=home_kind(home.storage),
        fingerprint=built_from["fingerprint"],
        created_at=built_from["as_of"],
        minimum_n=home.settings.minimum_n,
        submissions=built_from["submissions"],
        versions={
            "code_version": home.code_digest,
            "contract_versions": {name: load_contract(contracts, name).version for name in extract_names(contracts)},
            "rule_versions": {
                rule.rule_id: rule.version
                for name in extract_names(contracts)
                for rule in rules_of(contracts, load_contract(contracts, name))
            },
        },
        declared={"counts": counts_table(indicators), "relations": relations_table(contracts, indicators)},
    )


def unbriefed(home: Home) -> list[str]:
    """Announced releases of which nothing was made yet, oldest first."""
    return [
        release_id
        for release_id in announced(home.storage)
        if not all(home.storage.exists(key) for key in briefing_keys(release_id))
    ]


def brief(home: Home, progress: Progress = lambda _: None) -> list[str]:
    """Make the briefing of every announced release that has none; returns their ids. Raises UnusableRelease."""
    made = []
    for release_id in unbriefed(home):
        previous = (announcement(home.storage, release_id) or {}).get("previous")
        after = read_folder(home.storage.path(f"{ROOT}/{release_id}"))
        before = read_folder(home.storage.path(f"{ROOT}/{previous}")) if previous else None
        for key, content in briefing_of(before, after).items():
            home.storage.write(key, content)
        progress(f"briefing of release {release_id}: what changed")
        made.append(release_id)
    return made


def convening_briefing(
    home: Home,
    convening_id: str,
    formats: Sequence[str] = FORMATS,
    sections: Sequence[str] = tuple(SECTIONS),
    master: Path | None = None,
    release_id: str | None = None,
    progress: Progress = lambda _: None,
) -> list[str]:
    """Build a convening's briefing from a release (by default the current one) and keep it; returns the keys of its files.

    What was asked for in part or on an own master is kept apart from the whole briefing. `briefing.json` is written last: where
    it lies, the others are complete. Raises NoBriefing, UnusableRelease, UnusableMaster and BriefingRefused.
    """
    release, before = _with_release_before(home, convening_id, release_id)
    made = built_briefing(release, convening_id, before, formats, sections, master, progress)
    is_whole = set(formats) == set(FORMATS) and set(sections) == set(SECTIONS) and master is None
    keys = []
    for name, content in made.items():
        keys.append(briefing_key(release.release_id, convening_id, name if is_whole else f"{CHOSEN}/{name}"))
        home.storage.write(keys[-1], content)
    return keys


def convening_document(home: Home, convening_id: str, release_id: str) -> dict[str, Any]:
    """The document of a convening's whole briefing, made from the release and never read from what is kept.

    Raises NoBriefing and UnusableRelease.
    """
    release, before = _with_release_before(home, convening_id, release_id)
    return briefing_document(release, convening_id, before)


def _with_release_before(home: Home, convening_id: str, release_id: str | None) -> tuple[ReleaseFolder, ReleaseFolder | None]:
    """A release, and the one that readers had at the convening before. Raises NoBriefing and UnusableRelease."""
    chosen = release_id or current_release_id(home)
    if chosen is None:
        raise NoBriefing("There is no release yet to make a briefing from. Run `make demo` or `nmip run` first.")
    if chosen not in release_ids(home.storage):
        raise NoBriefing(f"There is no release {chosen}. `nmip release list` names them.")
    release = read_folder(home.storage.path(f"{ROOT}/{chosen}"))
    _, previous = convening_of(release, convening_id)
    try:
        earlier = release_on(home.settings.home, str(previous["held_on"]), chosen) if previous else None
    except NoRelease as problem:
        raise NoBriefing(str(problem)) from problem
    return release, read_folder(home.storage.path(f"{ROOT}/{earlier}")) if earlier else None


def convenings_and_briefings(home: Home) -> list[dict[str, Any]]:
    """Every convening of the current release, by date, with the releases from which its briefings were built.

    Empty where there is no release, or one of the time before briefings.
    """
    manifest = current_manifest(home.storage)
    if manifest is None or "convenings" not in manifest["tables"]:
        return []
    # Only this one table: what else of the release may be damaged is said by whoever reads it.
    table = read_external(home.storage.path(f"{ROOT}/{manifest['release_id']}/convenings.parquet"))
    kept = release_ids(home.storage)
    return [
        {
            "convening": row["convening"],
            "label": row["label"],
            "held_on": str(row["held_on"]),
            "briefings": [one for one in kept if home.storage.exists(briefing_key(one, row["convening"], DOCUMENT))],
        }
        for row in table.sort("held_on", "convening").to_dicts()
    ]


def current_release_id(home: Home) -> str | None:
    """The release that readers have now, None where there is none."""
    return (current_manifest(home.storage) or {}).get("release_id")


def unbriefed_convenings(home: Home) -> list[str]:
    """Convenings of the current release of which it has no briefing yet, by date."""
    current = current_release_id(home)
    return [one["convening"] for one in convenings_and_briefings(home) if current not in one["briefings"]]


def is_briefing_due(home: Home) -> bool:
    """Whether an announced release waits for what is made of it."""
    return bool(unbriefed(home) or (is_announced(home.storage) and unbriefed_convenings(home)))


@dataclass(frozen=True)
class ContractHolds:
    """What the record says about an extract's certified submissions, for one tier of rules."""

    extract: str
    tier: str
    is_held: bool
    n_submissions: int
    problems: tuple[str, ...]


def contract_results(home: Home) -> list[ContractHolds]:
    """For every extract and tier: whether what is in force passed it or was acknowledged, and the record agrees.

    A place whose record is damaged holds up everything: it is not known what is in force there.
    """
    submissions = all_submissions(home.store)
    held = certified_in(submissions)
    damaged = damaged_in(submissions)
    in_lake = {p.submission_id for p in partitions(home.storage)}
    results = []
    for extract in extract_names(home.settings.contracts):
        of_extract = [s for s in held if s.key.extract == extract]
        changed = [f"{s.key.submission_id}: its record was changed: {s.damage}" for s in damaged if s.key.extract == extract]
        for tier in TIERS:
            problems = changed + [problem for s in of_extract for problem in _problems(home, s, tier, in_lake)]
            results.append(ContractHolds(extract, tier, not problems, len(of_extract), tuple(problems)))
    return results


def _problems(home: Home, submission: Submission, tier: str, in_lake: set[str]) -> list[str]:
    submission_id, screened = submission.key.submission_id, submission.screened or {}
    left = screened.get("findings", {}) if tier in BLOCKING_TIERS else submission.to_acknowledge
    found = [f"{submission_id}: {rule_id} {n}" for rule_id, n in left.items() if f"-{tier}-" in rule_id]
    if submission_id not in in_lake:
        found.append(f"{submission_id} is in force but not in the lake")
    record = validation_record(home, submission)
    if record is not None and record["disagreements"]:
        # Asked again before it blocks, so that what was mended since is seen.
        record = record_validation(home, submission)
    if record is not None:
        found += [f"{submission_id}: {problem}" for problem in record["disagreements"] if f"-{tier}-" in problem]
    return found


def validation_record(home: Home, submission: Submission) -> dict[str, Any] | None:
    """What Great Expectations said about a submission's rows, or None where it was not asked yet."""
    key = f"{submission.key.folder}/validation.json"
    screened = submission.screened
    if screened is None or not home.storage.exists(key):
        return None
    record: dict[str, Any] = home.storage.read_json(key)
    return record if record["rows_sha256"] == screened["rows_sha256"] else None


def unrecorded(home: Home) -> list[Submission]:
    """Submissions in force whose rules Great Expectations has not run yet."""
    return [s for s in in_force(home.store) if validation_record(home, s) is None]


def record_validation(home: Home, submission: Submission) -> dict[str, Any]:
    """Run the submission's rules with Great Expectations, keep the record, and say where its counts differ from ours."""
    from pipelines.contracts.expectations import validate

    key, contracts = submission.key, home.settings.contracts
    contract = load_contract(contracts, key.extract)
    rules = rules_of(contracts, contract)
    screened = submission.screened or {}
    with tempfile.TemporaryDirectory(prefix="nmip-record-") as folder:
        database = Path(folder) / "check.duckdb"
        with duckdb.connect(str(database)) as connection:
            rows = read_rows(home.store, submission)
            context = read_context(home.store, screened.get("context", {}))
            load_check_tables(connection, rows, contract, contracts, key.district, key.school_year, context)
        results, record = validate(database, key.submission_id, rules)
    failed = [f"{result.rule_id}: {result.error}" for result in results if result.error is not None]
    if failed:
        # Nothing is kept of a validation that could not run, so that it is asked again.
        return {"disagreements": [f"{rule} (Great Expectations could not run it)" for rule in failed]}
    ours: dict[str, int] = screened.get("findings", {})
    versions: dict[str, str] = screened.get("rule_versions", {})
    disagreements = [
        f"{result.rule_id}: Great Expectations {result.n_findings}, NMIP {ours.get(result.rule_id, 0)}"
        for result, rule in zip(results, rules, strict=True)
        # A rule that came after the screening has nothing to agree with yet.
        if versions.get(rule.rule_id) == rule.version and result.n_findings != ours.get(result.rule_id, 0)
    ]
    kept = {"rows_sha256": screened["rows_sha256"], "disagreements": disagreements, "great_expectations": record}
    home.storage.write(f"{key.folder}/validation.json", canonical_json(kept))
    return kept


def record_validations(
    home: Home, waiting: Sequence[Submission], n_processes: int | None = None
) -> Iterator[tuple[Submission, dict[str, Any]]]:
    """`record_validation` of every submission that waits, as they come; many are shared out among processes.

    `n_processes`: by default one for each processor where there are enough submissions to be worth a process's start, else one.
    """
    worth_it = max(1, min(os.cpu_count() or 1, len(waiting) // SUBMISSIONS_A_PROCESS))
    n = n_processes or worth_it
    if n == 1:
        yield from ((submission, record_validation(home, submission)) for submission in waiting)
        return
    yield from shared_out(partial(_recorded, home.settings), waiting, n)


def _recorded(settings: Settings, submission: Submission) -> dict[str, Any]:
    return record_validation(Home(settings), submission)


def status_table(home: Home) -> pl.DataFrame:
    """The ledger, for the command line."""
    return ledger_table(all_submissions(home.store))


def expected_table(home: Home, submissions: Sequence[Submission] | None = None) -> pl.DataFrame:
    """What is expected of every district and how it stands today (`as_of`)."""
    today = datetime.now(UTC).date()
    ledger = all_submissions(home.store) if submissions is None else submissions
    return expected_extracts(home.settings.contracts, ledger, today).with_columns(pl.lit(today).alias("as_of"))

"""What a person may do with submissions: every verb of the command line and of the Submit page, and who may do it.

One code path for both: a call asks whether the district is the caller's own, then does one thing of another module. Nobody
sees another district's submission. Words for a terminal or a page do not belong here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.contracts.codes import codes
from pipelines.contracts.contract import load_contract
from pipelines.contracts.typed_table import typed_rows
from pipelines.intake.context import IN_FORCE, NO_CONTEXT, context_submissions, read_context
from pipelines.intake.deliveries import deliver, screen_submission
from pipelines.intake.differences import RowDifferences, row_differences
from pipelines.intake.effects import IndicatorEffects, indicator_effects
from pipelines.intake.expected import expected_extracts
from pipelines.intake.exports import annotated_files, findings_csv, findings_json
from pipelines.intake.outbox import report, unreported
from pipelines.intake.reading import DeliveredFile, ReadingLimits
from pipelines.intake.receipts import make_receipt
from pipelines.intake.rule_book import by_rule, rule_book
from pipelines.intake.screening import Opened, Progress, Screening, open_delivery, screen
from pipelines.intake.signing import acknowledge, certify, withdraw
from pipelines.intake.states import CERTIFIED, CORRECTIONS_NEEDED, READING, RECEIVED, UNREADABLE
from pipelines.intake.store import SubmissionKey, SubmissionStore
from pipelines.intake.submission import (
    FINGERPRINT,
    Submission,
    SubmissionRefused,
    acknowledgements,
    all_submissions,
    check_place,
    in_force,
    read_acknowledged,
    read_findings,
    read_rows,
    read_submission,
)
from pipelines.storage import Storage


@dataclass(frozen=True)
class Identity:
    """Who calls, and whose submissions they may see and sign; `districts` None means all."""

    user: str
    districts: frozenset[str] | None = None

    def may_see(self, district: str) -> bool:
        return self.districts is None or district in self.districts


def identity_from_environment(environment: Mapping[str, str], user: str) -> Identity:
    """The identity on a machine of one's own: `NMIP_USER` (else `user`) and `NMIP_DISTRICTS`; unset means all districts."""
    named = environment.get("NMIP_DISTRICTS")
    districts = None if named is None else frozenset(name.strip() for name in named.split(",") if name.strip())
    return Identity(environment.get("NMIP_USER") or user, districts)


def identity_from_single_sign_on(signers: Path | None, user: str) -> Identity:
    """The identity of a person whom single sign-on has named. `signers` is a csv file: user, district (one row each).

    Who is not in it sees no district. Raises SubmissionRefused where the file cannot be used.
    """
    if signers is None or not signers.is_file():
        raise SubmissionRefused("the operator has not said who signs for which district: set NMIP_SIGNERS to a csv file")
    table = pl.read_csv(signers, infer_schema=False)
    if not {"user", "district"} <= set(table.columns):
        raise SubmissionRefused("the list of signers must have the columns user and district")
    of_user = table.filter(pl.col("user").str.strip_chars().str.to_lowercase() == user.strip().lower())
    return Identity(user, frozenset(of_user["district"].str.strip_chars().drop_nulls()))


class AlreadyCertified(SubmissionRefused):
    """The submission is in force already; nothing was changed."""


class NotAllowed(SubmissionRefused):
    """The caller may not do this for this district."""


@dataclass(frozen=True)
class Desk:
    """Submissions as one person may see and change them.

    `storage` is None where there is no home yet: a file can be checked all the same. `indicator_sql` is the file from which
    effects on indicators are computed.
    """

    storage: Storage | None
    contracts_folder: Path
    identity: Identity
    indicator_sql: Path
    limits: ReadingLimits | None = None

    @property
    def store(self) -> SubmissionStore:
        """The store of the home. Raises SubmissionRefused where there is no home yet."""
        if self.storage is None:
            raise SubmissionRefused("there is no home yet, so there are no submissions; nmip submit makes one")
        return SubmissionStore(self.storage)

    def districts(self) -> list[str]:
        """The districts that the caller may see, in the order of the code list."""
        return [name for name in codes(self.contracts_folder, "districts") if self.identity.may_see(name)]

    def _check_own(self, district: str, verb: str) -> None:
        if not self.identity.may_see(district):
            own = ", ".join(self.districts()) or "no district"
            raise NotAllowed(f"{self.identity.user} may not {verb} for {district}, only for {own} (NMIP_DISTRICTS)")

    def _own(self, submission_id: str, verb: str) -> SubmissionKey:
        try:
            key = SubmissionKey.parse(submission_id)
        except ValueError as error:
            raise SubmissionRefused(str(error)) from error
        check_place(self.contracts_folder, key.district, key.extract, key.school_year)
        self._check_own(key.district, verb)
        return key

    def check(
        self,
        files: Sequence[DeliveredFile],
        district: str,
        extract: str,
        school_year: str,
        progress: Progress = lambda _: None,
    ) -> tuple[Screening, Opened]:
        """Dry run: what would be found in these files now. Changes nothing."""
        check_place(self.contracts_folder, district, extract, school_year)
        self._check_own(district, "check files")
        opened = open_delivery(files, self.contracts_folder, district, extract, self.limits)
        beside = {} if self.storage is None else context_submissions(self.store, district, extract, school_year)
        context = read_context(self.store, beside) if beside else NO_CONTEXT
        found = screen(files, self.contracts_folder, district, extract, school_year, self.limits, progress, context, opened)
        return found, opened

    def submit(
        self,
        files: Sequence[DeliveredFile],
        district: str,
        extract: str,
        school_year: str,
        via: str,
        progress: Progress = lambda _: None,
        is_again: bool = False,
    ) -> list[Submission]:
        """Receive and screen one delivery. Raises SubmissionRefused; PersonalDataRefused before anything is kept."""
        check_place(self.contracts_folder, district, extract, school_year)
        self._check_own(district, "submit")
        done = deliver(
            self.store,
            self.contracts_folder,
            district,
            extract,
            school_year,
            files,
            via,
            self.identity.user,
            self.limits,
            progress,
            is_again,
        )
        known = {s.key: s for s in all_submissions(self.store, district, extract)}
        return [known[submission.key] for submission in done]

    def submissions(self) -> list[Submission]:
        """Every submission that the caller may see, in order."""
        return [s for district in self.districts() for s in all_submissions(self.store, district)]

    def submission(self, submission_id: str, verb: str = "see submissions") -> Submission:
        """One submission with its state among its siblings. Raises SubmissionRefused."""
        key = self._own(submission_id, verb)
        siblings = all_submissions(self.store, key.district, key.extract, key.school_year)
        found = next((s for s in siblings if s.key == key), None)
        if found is None:
            raise SubmissionRefused(f"there is no submission {key.submission_id}; nmip status lists them")
        return found

    def findings(self, submission: Submission) -> pl.DataFrame:
        """The findings of the latest screening, with `is_acknowledged` and the `reason` that was given."""
        self._check_own(submission.key.district, "see submissions")
        found = read_findings(self.store, submission)
        said = read_acknowledged(self.store, submission).select(*FINGERPRINT, "reason", "actor")
        joined = found.join(said, on=FINGERPRINT, how="left", nulls_equal=True, maintain_order="left")
        return joined.with_columns(pl.col("reason").is_not_null().alias("is_acknowledged"))

    def rules(self, submission: Submission) -> list[dict[str, Any]]:
        """Findings by rule (see `rule_book.by_rule`), with `n_open` (to acknowledge) and the `acknowledgements` given."""
        if submission.screened is None:
            return []
        book = rule_book(self.contracts_folder, submission.key.extract)
        groups = by_rule(self.findings(submission), submission.screened["findings"], book)
        said = acknowledgements(submission)
        return [
            {
                **group,
                "n_open": group["n_findings"] if group["is_blocking"] else submission.to_acknowledge.get(group["rule_id"], 0),
                "acknowledgements": [entry for entry in said if entry["rule_id"] == group["rule_id"]],
            }
            for group in groups
        ]

    def refreshed(self, submission: Submission) -> Submission:
        """The submission screened under today's rules and beside what is in force now."""
        self._check_own(submission.key.district, "see submissions")
        return screen_submission(self.store, self.contracts_folder, submission, self.limits)

    def acknowledge(
        self,
        submission_id: str,
        rule_id: str,
        reason: str,
        left_out_lines: Collection[int] = (),
        left_out_file: str | None = None,
    ) -> Submission:
        """Acknowledge the findings of one rule. Raises SubmissionRefused."""
        submission = self._as_shown(self.submission(submission_id, "acknowledge"))
        user = self.identity.user
        return self._told(acknowledge(self.store, submission, rule_id, reason, user, left_out_lines, left_out_file))

    def _as_shown(self, submission: Submission) -> Submission:
        """The submission screened as of now, if that finds what its latest screening found: nobody decides on what they did not
        see. Raises SubmissionRefused where it does not; the next call decides on the new findings.
        """
        if not submission.is_open:
            return submission
        now = self.refreshed(submission)
        before, after = submission.screened, now.screened
        if before is not None and after is not None and before is not after:
            is_same = before["findings_sha256"] == after["findings_sha256"]
            if not is_same or before["context"].get(IN_FORCE) != after["context"].get(IN_FORCE):
                raise SubmissionRefused(
                    f"{submission.key.submission_id} was checked again, because rules or what is in force have changed since, "
                    "and the result is another one: look at it again before you decide"
                )
        return now

    def differences(self, submission: Submission) -> RowDifferences:
        """Rows that signing adds, removes and changes against what is in force in the same place."""
        self._check_own(submission.key.district, "see submissions")
        key = submission.key
        held = self.supersedes(submission)
        before = read_rows(self.store, read_submission(self.store, SubmissionKey.parse(held))) if held else None
        return row_differences(before, read_rows(self.store, submission), load_contract(self.contracts_folder, key.extract))

    def supersedes(self, submission: Submission) -> str | None:
        """Id of the submission in force that signing would replace, or that it replaced; None where there is none."""
        self._check_own(submission.key.district, "see submissions")
        key = submission.key
        certified = submission.last("certified")
        if certified is not None:
            replaced: str | None = certified["supersedes"]
            return replaced
        beside = context_submissions(self.store, key.district, key.extract, key.school_year)
        found = beside.get(IN_FORCE)
        return found

    def effects(self, submission: Submission) -> IndicatorEffects:
        """What signing does to every indicator of the district; nothing in force is touched. Raises EffectsUnavailable."""
        self._check_own(submission.key.district, "see submissions")
        key = submission.key
        if submission.state in (UNREADABLE, CORRECTIONS_NEEDED, RECEIVED, READING):
            raise SubmissionRefused(f"what {key.submission_id} does to indicators is known once nothing blocks it any more")
        if not submission.is_open:
            raise SubmissionRefused(f"{key.submission_id} is not open any more, so there is nothing that signing would change")
        before = {(s.key.extract, s.key.school_year): self._typed(s) for s in in_force(self.store, key.district) if s.key != key}
        after = {**before, (key.extract, key.school_year): self._typed(submission)}
        return indicator_effects(self.indicator_sql, self.contracts_folder, key.district, before, after)

    def _typed(self, submission: Submission) -> pl.DataFrame:
        key = submission.key
        contract = load_contract(self.contracts_folder, key.extract)
        rows = read_rows(self.store, submission)
        return typed_rows(rows, contract, key.district, key.school_year, key.submission_id)

    def sign(self, submission_id: str, statement: str, release_note: str | None = None) -> Submission:
        """Certify a submission that is ready, after screening it as of now. Raises SubmissionRefused."""
        submission = self.submission(submission_id, "sign")
        if submission.is_certified:
            signed = submission.last("certified") or {}
            raise (AlreadyCertified if submission.state == CERTIFIED else SubmissionRefused)(
                f"{submission_id} was certified already, on {signed['at']} by {signed['actor']}"
                + (
                    ""
                    if submission.state == CERTIFIED
                    else "; a later submission has replaced it. To go back: nmip submit --again"
                )
            )
        submission = self._as_shown(submission)
        return self._told(certify(self.store, submission, self.identity.user, statement, "signed", release_note))

    def withdraw(self, submission_id: str, reason: str) -> Submission:
        """Take an open submission back. Raises SubmissionRefused."""
        return self._told(withdraw(self.store, self.submission(submission_id, "withdraw"), self.identity.user, reason))

    def _told(self, submission: Submission) -> Submission:
        if unreported(self.store, [submission]):
            report(self.store, self.contracts_folder, submission)
        return submission

    def receipt(self, submission_id: str) -> dict[str, Any]:
        """The receipt of a certified submission. Raises SubmissionRefused where it is not certified."""
        key = self._own(submission_id, "see submissions")
        return make_receipt(key, read_submission(self.store, key).events)

    def exports(self, submission: Submission) -> list[DeliveredFile]:
        """What an analyst takes home: findings as csv and JSON, and their own files with the findings in a column."""
        self._check_own(submission.key.district, "see submissions")
        key = submission.key
        files = self.store.files(key, submission.received)
        opened = open_delivery(files, self.contracts_folder, key.district, key.extract, self.limits)
        return exported(files, opened, read_findings(self.store, submission), key.submission_id)

    def expected(self, today: date) -> pl.DataFrame:
        """What is expected of the caller's districts and how it stands (see `expected.expected_extracts`)."""
        found = expected_extracts(self.contracts_folder, self.submissions() if self.storage else [], today)
        return found.filter(pl.col("district").is_in(self.districts()))


def exported(files: Sequence[DeliveredFile], opened: Opened, findings: pl.DataFrame, submission_id: str) -> list[DeliveredFile]:
    """Findings as csv and JSON and, where the files could be read, the files with a column of findings."""
    annotated = [] if opened.delivered is None or opened.personal else annotated_files(files, opened.delivered, findings)
    return [
        DeliveredFile("findings.csv", findings_csv(findings, submission_id)),
        DeliveredFile("findings.json", findings_json(findings, submission_id)),
        *annotated,
    ]

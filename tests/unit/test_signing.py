"""Acknowledging, carrying over, leaving rows out, withdrawing, signing: what a person decides, and what stays of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from pipelines.intake.deliveries import PersonalDataRefused, deliver, screen_submission
from pipelines.intake.reading import DeliveredFile
from pipelines.intake.receipts import make_receipt
from pipelines.intake.signing import acknowledge, certify, withdraw
from pipelines.intake.states import STATES
from pipelines.intake.store import ConcurrentChange, SubmissionStore
from pipelines.intake.submission import Submission, SubmissionRefused, all_submissions, in_force, read_submission
from pipelines.settings import PROJECT_ROOT
from pipelines.storage import Storage
from tests.deliveries import LARGE, SMALL, contracts_with_own_rules, levels_csv, sized

PLACE = ("philadelphia", "school_directory", "2024-25")


@pytest.fixture(scope="module")
def contracts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return contracts_with_own_rules(tmp_path_factory.mktemp("contracts"))


@pytest.fixture
def store(tmp_path: Path) -> SubmissionStore:
    return SubmissionStore(Storage(tmp_path / "home"))


def send(store: SubmissionStore, contracts: Path, content: bytes, via: str = "command line") -> Submission:
    (submission,) = deliver(store, contracts, *PLACE, [DeliveredFile("directory.csv", content)], via, "an analyst")
    return submission


class TestAcknowledging:
    def test_one_reason_a_rule_makes_it_ready(self, store: SubmissionStore, contracts: Path) -> None:
        submission = send(store, contracts, sized(10, 20, 300, 6000))
        assert submission.state == "acknowledgements_needed"
        assert submission.to_acknowledge == {SMALL: 2, LARGE: 1}
        with pytest.raises(SubmissionRefused, match=rf"To acknowledge: {LARGE} \(1\), {SMALL} \(2\)"):
            certify(store, submission, "signer", "It is right.", "signed")
        submission = acknowledge(store, submission, SMALL, " New schools. ", "A. Analyst")
        assert (submission.state, submission.to_acknowledge) == ("acknowledgements_needed", {LARGE: 1})
        submission = acknowledge(store, submission, LARGE, "One large school.", "A. Analyst")
        assert submission.state == "ready_to_sign"
        certified = certify(store, submission, "signer", "It is right.", "signed")
        receipt = make_receipt(certified.key, certified.events)
        assert [(a["rule_id"], a["reason"], a["actor"], a["n"]) for a in receipt["acknowledgements"]] == [
            (SMALL, "New schools.", "A. Analyst", 2),
            (LARGE, "One large school.", "A. Analyst", 1),
        ]

    def test_single_rows_are_left_out_and_stay_open(self, store: SubmissionStore, contracts: Path) -> None:
        submission = send(store, contracts, sized(10, 20, 30, 300))
        submission = acknowledge(store, submission, SMALL, "New schools.", "me", [3])
        assert (submission.state, submission.to_acknowledge) == ("acknowledgements_needed", {SMALL: 1})
        with pytest.raises(SubmissionRefused, match="no finding to acknowledge in line 2"):
            acknowledge(store, submission, SMALL, "Again.", "me", [2])
        submission = acknowledge(store, submission, SMALL, "A hospital school.", "me")
        assert submission.state == "ready_to_sign"

    @pytest.mark.parametrize(
        ("rule", "reason", "words"),
        [
            (SMALL, " ", "the reason is blank"),
            (SMALL, "x" * 5_000, "characters"),
            ("SD-Q-NO-SUCH", "Because.", "has no finding of"),
            ("SD-S-CODE", "Because.", "cannot be acknowledged, it must be corrected"),
        ],
    )
    def test_what_cannot_be_acknowledged_says_why_and_changes_nothing(
        self, store: SubmissionStore, contracts: Path, rule: str, reason: str, words: str
    ) -> None:
        submission = send(store, contracts, sized(10, 300).replace(b"elementary", b"primary", 1))
        with pytest.raises(SubmissionRefused, match=words):
            acknowledge(store, submission, rule, reason, "me")
        assert read_submission(store, submission.key).events == submission.events

    def test_twice_is_refused(self, store: SubmissionStore, contracts: Path) -> None:
        submission = acknowledge(store, send(store, contracts, sized(10, 300)), SMALL, "New.", "me")
        with pytest.raises(SubmissionRefused, match="nothing of SD-Q-SMALL is left"):
            acknowledge(store, submission, SMALL, "New.", "me")

    def test_two_people_at_once_and_neither_is_lost(self, store: SubmissionStore, contracts: Path) -> None:
        stale = send(store, contracts, sized(10, 300, 6000))
        acknowledge(store, stale, SMALL, "New.", "first")
        both = acknowledge(store, stale, LARGE, "Large.", "second")
        assert (both.state, both.to_acknowledge) == ("ready_to_sign", {})

    def test_what_was_acknowledged_is_not_certified_by_itself(self, store: SubmissionStore, contracts: Path) -> None:
        first = acknowledge(store, send(store, contracts, sized(10, 300), "inbox"), SMALL, "New.", "me")
        certify(store, first, "signer", "It is right.", "signed")
        second = send(store, contracts, sized(10, 301), "inbox")
        assert second.state == "ready_to_sign"


class TestCarryingOver:
    def test_an_unchanged_finding_stays_acknowledged_and_a_changed_one_does_not(
        self, store: SubmissionStore, contracts: Path
    ) -> None:
        first = acknowledge(store, send(store, contracts, sized(10, 20, 300)), SMALL, "New schools.", "A. Analyst")
        second = send(store, contracts, sized(10, 21, 300))
        assert second.to_acknowledge == {SMALL: 1}
        (carried,) = (second.screened or {})["carried_over"]
        assert (carried["reason"], carried["actor"], carried["submission_id"], carried["n"]) == (
            "New schools.",
            "A. Analyst",
            first.key.submission_id,
            1,
        )

    def test_all_unchanged_is_ready_at_once(self, store: SubmissionStore, contracts: Path) -> None:
        acknowledge(store, send(store, contracts, sized(10, 20, 300)), SMALL, "New schools.", "me")
        assert send(store, contracts, sized(10, 20, 301)).state == "ready_to_sign"

    def test_over_a_submission_in_between_that_could_not_be_read(self, store: SubmissionStore, contracts: Path) -> None:
        acknowledge(store, send(store, contracts, sized(10, 300)), SMALL, "New schools.", "me")
        assert send(store, contracts, b"%PDF-1.7").state == "unreadable"
        assert send(store, contracts, sized(10, 302)).state == "ready_to_sign"

    def test_not_to_another_version_of_the_rule(self, store: SubmissionStore, contracts: Path, tmp_path: Path) -> None:
        acknowledge(store, send(store, contracts, sized(10, 300)), SMALL, "New schools.", "me")
        newer = tmp_path / "data_contracts"
        shutil.copytree(contracts, newer)
        path = newer / "extracts" / "school_directory.odcs.yaml"
        document = yaml.safe_load(path.read_text())
        (rule,) = (entry for entry in document["schema"][0]["quality"] if entry["id"] == SMALL)
        next(p for p in rule["customProperties"] if p["property"] == "version")["value"] = "1.0.1"
        path.write_text(yaml.safe_dump(document))
        assert send(store, newer, sized(10, 300, 300)).to_acknowledge == {SMALL: 1}

    def test_when_the_same_submission_is_screened_again(self, store: SubmissionStore, contracts: Path, tmp_path: Path) -> None:
        submission = acknowledge(store, send(store, contracts, sized(10, 300)), SMALL, "New schools.", "me")
        changed = tmp_path / "data_contracts"
        shutil.copytree(contracts, changed)
        levels = changed / "codes" / "school_levels.csv"
        levels.write_text(levels.read_text().rstrip("\n") + "\nnursery,Nursery\n")
        again = screen_submission(store, changed, submission)
        assert len(again.events) == len(submission.events) + 2
        assert again.state == "ready_to_sign"

    def test_not_when_what_it_was_compared_with_changed(self, store: SubmissionStore, tmp_path: Path) -> None:
        """The same number beside another one is another finding. With the project's own rules."""
        own, total = PROJECT_ROOT / "data_contracts", "SD-M-ENROLMENT-TOTAL"
        certify(store, send(store, own, sized(300, 300)), "me", "It is right.", "signed")
        second = send(store, own, sized(450, 450))
        assert total in second.to_acknowledge
        for rule_id in second.to_acknowledge:
            second = acknowledge(store, second, rule_id, "A charter school left.", "me")
        between = send(store, own, sized(3000, 3000))
        for rule_id in between.to_acknowledge:
            between = acknowledge(store, between, rule_id, "Merged.", "me")
        certify(store, between, "me", "It is right.", "signed", "Merged.")
        again = send(store, own, sized(450, 450).replace(b"north", b"south"))
        assert total in again.to_acknowledge

    def test_not_from_a_withdrawn_submission(self, store: SubmissionStore, contracts: Path) -> None:
        first = acknowledge(store, send(store, contracts, sized(10, 300)), SMALL, "New schools.", "me")
        withdraw(store, first, "me", "Wrong year.")
        assert send(store, contracts, sized(10, 301)).to_acknowledge == {SMALL: 1}


class TestWithdrawing:
    def test_it_takes_no_part_any_more_and_the_same_bytes_may_come_again(self, store: SubmissionStore, contracts: Path) -> None:
        first = send(store, contracts, sized(300))
        assert withdraw(store, first, "me", "Wrong year.").state == "withdrawn"
        with pytest.raises(SubmissionRefused, match="cannot be signed: Withdrawn"):
            certify(store, read_submission(store, first.key), "me", "It is right.", "signed")
        again = send(store, contracts, sized(300))
        assert (again.key.number, again.state) == (2, "ready_to_sign")
        assert [s.state for s in all_submissions(store)] == ["withdrawn", "ready_to_sign"]

    def test_a_certified_one_cannot_be_withdrawn(self, store: SubmissionStore, contracts: Path) -> None:
        certified = certify(store, send(store, contracts, sized(300)), "me", "It is right.", "signed")
        with pytest.raises(SubmissionRefused, match="stays in force until a later submission is certified"):
            withdraw(store, certified, "me", "Wrong.")
        assert [s.key for s in in_force(store)] == [certified.key]

    def test_twice_and_without_a_reason_is_refused(self, store: SubmissionStore, contracts: Path) -> None:
        submission = send(store, contracts, sized(300))
        with pytest.raises(SubmissionRefused, match="the reason is blank"):
            withdraw(store, submission, "me", "")
        withdraw(store, submission, "me", "Wrong year.")
        with pytest.raises(SubmissionRefused, match="cannot be withdrawn: Withdrawn"):
            withdraw(store, read_submission(store, submission.key), "me", "Again.")

    def test_it_is_not_screened_again(self, store: SubmissionStore, contracts: Path) -> None:
        withdrawn = withdraw(store, send(store, contracts, sized(10)), "me", "Wrong year.")
        assert screen_submission(store, PROJECT_ROOT / "data_contracts", withdrawn).events == withdrawn.events


class TestSigning:
    def test_a_resubmission_needs_a_release_note(self, store: SubmissionStore, contracts: Path) -> None:
        first = certify(store, send(store, contracts, sized(300)), "me", "It is right.", "signed")
        second = send(store, contracts, sized(300, 301))
        for note in (None, "", "  \n"):
            with pytest.raises(SubmissionRefused, match="001 is in force, and the release note is blank"):
                certify(store, second, "me", "It is right.", "signed", note)
        assert [s.key for s in in_force(store)] == [first.key]
        done = certify(store, second, "me", "It is right.", "signed", "A school was added.")
        event = done.last("certified") or {}
        assert (event["release_note"], event["supersedes"]) == ("A school was added.", first.key.submission_id)

    def test_by_itself_the_note_says_what_changed(self, store: SubmissionStore, contracts: Path) -> None:
        send(store, contracts, sized(300, 301), "inbox")
        second = send(store, contracts, sized(300, 302, 303), "inbox")
        assert (second.last("certified") or {})["release_note"] == (
            "Written by NMIP: 1 row added, 0 removed, 1 changed (1 value), 1 as before."
        )

    def test_bytes_that_were_superseded_come_back_only_when_asked_for(self, store: SubmissionStore, contracts: Path) -> None:
        for content in (sized(300), sized(301)):
            certify(store, send(store, contracts, content), "me", "It is right.", "signed", "New.")
        assert send(store, contracts, sized(300)).key.number == 1
        files = [DeliveredFile("directory.csv", sized(300))]
        (again,) = deliver(store, contracts, *PLACE, files, "command line", "me", is_again=True)
        assert (again.key.number, again.state) == (3, "ready_to_sign")

    def test_what_was_signed_meanwhile_stands_between(self, store: SubmissionStore, contracts: Path) -> None:
        """Both were checked before either was signed: the second is looked at again beside the first."""
        first, second = send(store, contracts, sized(300)), send(store, contracts, sized(301))
        certify(store, first, "me", "It is right.", "signed")
        with pytest.raises(SubmissionRefused, match="looked at beside was signed since"):
            certify(store, second, "me", "It is right.", "signed", "New.")
        done = certify(store, screen_submission(store, contracts, second), "me", "It is right.", "signed", "New.")
        assert (done.last("certified") or {})["supersedes"] == first.key.submission_id

    def test_a_change_of_what_it_is_looked_at_beside_is_seen_before_signing(
        self, store: SubmissionStore, contracts: Path
    ) -> None:
        """The finding depends on the submission in force, which changed between screening and signing."""
        waiting = send(store, contracts, sized(300))
        assert (waiting.screened or {})["context"] == {}
        files = [DeliveredFile("d.csv", sized(299))]
        (earlier,) = deliver(store, contracts, *PLACE[:2], "2023-24", files, "command line", "me")
        certify(store, earlier, "me", "It is right.", "signed")
        again = screen_submission(store, contracts, waiting)
        assert (again.screened or {})["context"] == {"earlier:2023-24": earlier.key.submission_id}


class TestTheStateBesideTheDistrict:
    """A reference is looked at beside the district's own results in force of the same year."""

    STATE = (
        b"grade,instrument,administration,n_enrolled,n_tested,n_level_1,n_level_2,n_level_3,n_level_4,n_level_5,"
        b"n_level_5_symbol,n_level_6,n_level_6_symbol,publication\n"
        b"4,pa_pssa_math_2015,spring,210,200,50,50,50,50,,z,,z,A report of 2024\n"
    )

    def sent(self, store: SubmissionStore, contracts: Path, extract: str, school_year: str, content: bytes) -> Submission:
        files = [DeliveredFile("file.csv", content)]
        (submission,) = deliver(store, contracts, "philadelphia", extract, school_year, files, "command line", "me")
        return submission

    def results(self, store: SubmissionStore, contracts: Path, school_year: str, n: int) -> str:
        levels = levels_csv({("101", "4", "all"): (n // 4,) * 4}, "pa_pssa_math_2015")
        submission = self.sent(store, contracts, "assessment_levels", school_year, levels)
        assert "results" not in (submission.screened or {})["context"]
        if submission.state == "acknowledgements_needed":
            for rule_id in submission.to_acknowledge:
                submission = acknowledge(store, submission, rule_id, "So it is.", "me")
        certify(store, submission, "me", "It is right.", "signed", "New.")
        return submission.key.submission_id

    def test_rows_of_the_district_are_not_taken_for_the_state(self, store: SubmissionStore, contracts: Path) -> None:
        self.results(store, contracts, "2022-23", 40)
        own = self.results(store, contracts, "2023-24", 200)
        state = self.sent(store, contracts, "state_level_distribution", "2023-24", self.STATE)
        assert (state.screened or {})["context"] == {"results": own}
        assert state.to_acknowledge == {"ST-M-DISTRICT-LARGER": 1}

    def test_results_of_another_year_are_not_looked_at_and_it_is_said(self, store: SubmissionStore, contracts: Path) -> None:
        self.results(store, contracts, "2022-23", 200)
        state = self.sent(store, contracts, "state_level_distribution", "2023-24", self.STATE)
        assert (state.screened or {})["context"] == {}
        assert state.state == "ready_to_sign"
        said = [remark for remark in (state.screened or {})["remarks"] if remark.startswith("No results of the district")]
        assert said == ["No results of the district for 2023-24 are in force, so these rows were not compared with them."]

    def test_results_that_come_later_are_seen_before_the_state_is_signed(self, store: SubmissionStore, contracts: Path) -> None:
        state = self.sent(store, contracts, "state_level_distribution", "2023-24", self.STATE)
        self.results(store, contracts, "2023-24", 240)
        with pytest.raises(SubmissionRefused, match="looked at beside was signed since"):
            certify(store, state, "me", "It is right.", "signed")
        assert screen_submission(store, contracts, state).to_acknowledge == {"ST-M-DISTRICT-LARGER": 1}


class TestPersonalData:
    def test_it_is_refused_and_nothing_is_kept(self, store: SubmissionStore, contracts: Path) -> None:
        content = b"student_id,first_name,last_name,date_of_birth,score\n" + b"\n".join(
            b"90%05d,Ana,Lopez,2014-05-%02d,510" % (i, i) for i in range(1, 20)
        )
        with pytest.raises(PersonalDataRefused) as refused:
            send(store, contracts, content)
        assert "student_id" in str(refused.value)
        assert "Lopez" not in str(refused.value)
        assert store.storage.keys("") == []


def test_every_state_has_one_sentence_and_a_next_step() -> None:
    for meaning, next_step in STATES.values():
        assert meaning.endswith(".")
        assert next_step.endswith(".")


def test_a_lost_race_is_told(store: SubmissionStore, contracts: Path) -> None:
    submission = send(store, contracts, sized(300))
    with pytest.raises(ConcurrentChange):
        store.append(submission.key, {"type": "withdrawn"}, len(submission.events) - 1)

"""The life of a submission: numbering, signing, races, receipts, and what a kill at any point leaves behind."""

from __future__ import annotations

import json
import multiprocessing
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.intake import deliveries as deliveries_module
from pipelines.intake import inbox as inbox_module
from pipelines.intake import signing as signing_module
from pipelines.intake.deliveries import deliver, receive, screen_submission
from pipelines.intake.inbox import READY_MARK, handle_inbox, waiting_deliveries
from pipelines.intake.reading import DeliveredFile
from pipelines.intake.receipts import write_receipt
from pipelines.intake.signing import certify
from pipelines.intake.states import CERTIFIED, RECEIVED, STATES, SUPERSEDED
from pipelines.intake.store import ConcurrentChange, SubmissionKey, SubmissionStore
from pipelines.intake.submission import (
    Submission,
    SubmissionRefused,
    all_submissions,
    in_force,
    read_findings,
    read_submission,
)
from pipelines.lake.partitions import bring_up_to_date, partition_key, partitions
from pipelines.settings import PROJECT_ROOT
from pipelines.storage import Storage, sha256
from tests.deliveries import DIRECTORY, directory_csv
from tests.screened_once import ScreenedOnce

CONTRACTS = PROJECT_ROOT / "data_contracts"
PLACE = ("philadelphia", "school_directory", "2024-25")
NOTE = "New figures."
FIXED_TIME = "2025-01-02T03:04:05+00:00"
BROKEN = directory_csv().replace(b"elementary", b"primary")


@pytest.fixture
def store(tmp_path: Path) -> SubmissionStore:
    return SubmissionStore(Storage(tmp_path / "home"))


def files(content: bytes, name: str = "directory.csv") -> list[DeliveredFile]:
    return [DeliveredFile(name, content)]


def send(store: SubmissionStore, content: bytes, via: str = "command line", name: str = "directory.csv") -> Submission:
    (submission,) = deliver(store, CONTRACTS, *PLACE, files(content, name), via, "an analyst")
    return submission


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def states(store: SubmissionStore) -> list[str]:
    return [submission.state for submission in all_submissions(store, *PLACE)]


class TestReceiving:
    def test_bytes_are_kept_as_delivered_and_the_name_never_becomes_a_path(self, store: SubmissionStore) -> None:
        content = directory_csv()
        submission, is_new = receive(store, *PLACE, files(content, "../../../etc/passwd\n\x1b[31m.csv"), "command line", "me")
        assert is_new
        assert submission.state == RECEIVED
        assert submission.key.submission_id == "philadelphia/school_directory/2024-25/001"
        kept = {name for name in tree(store.storage.root) if "/delivered/" in name}
        assert kept == {f"{submission.key.folder}/delivered/{sha256(content)}"}
        (back,) = store.files(submission.key, submission.received)
        assert back == DeliveredFile("../../../etc/passwd\n\x1b[31m.csv", content)

    def test_the_same_bytes_are_recognised_under_any_name_and_change_nothing(self, store: SubmissionStore) -> None:
        first = send(store, directory_csv())
        before = tree(store.storage.root)
        again = send(store, directory_csv(), name="renamed.txt")
        assert again.key == first.key
        assert tree(store.storage.root) == before

    def test_the_same_bytes_in_another_order_of_files_are_the_same_delivery(self, store: SubmissionStore) -> None:
        one, two = directory_csv(2), directory_csv(2).replace(b"\n001,", b"\n011,").replace(b"\n002,", b"\n012,")
        both = [DeliveredFile("a", one), DeliveredFile("b", two)]
        first, _ = receive(store, *PLACE, both, "command line", "me")
        second, is_new = receive(store, *PLACE, both[::-1], "command line", "me")
        assert (second.key, is_new) == (first.key, False)

    def test_other_bytes_get_the_next_number_and_other_places_their_own(self, store: SubmissionStore) -> None:
        numbers = [send(store, directory_csv(n)).key.number for n in (1, 2, 3)]
        assert numbers == [1, 2, 3]
        (elsewhere,) = deliver(store, CONTRACTS, "chicago", "school_directory", "2024-25", files(directory_csv()), "inbox", "x")
        (other_year,) = deliver(store, CONTRACTS, *PLACE[:2], "2023-24", files(directory_csv()), "inbox", "x")
        assert (elsewhere.key.number, other_year.key.number) == (1, 1)

    def test_numbers_go_on_after_999(self, store: SubmissionStore) -> None:
        store.append(SubmissionKey(*PLACE, 999), {"type": "received", "delivery_sha256": "x", "files": []}, 0)
        assert send(store, directory_csv()).key.submission_id.endswith("/1000")
        assert [key.number for key in store.keys(*PLACE)] == [999, 1000]
        assert SubmissionKey.parse("philadelphia/school_directory/2024-25/1000").number == 1000

    def test_a_delivery_whose_bytes_were_lost_half_way_is_completed(self, store: SubmissionStore) -> None:
        submission = send(store, directory_csv())
        shutil.rmtree(store.storage.path(f"{submission.key.folder}/delivered"))
        assert send(store, directory_csv()).key == submission.key
        assert store.has_files(submission.key, submission.received)

    @pytest.mark.parametrize(
        "place",
        [
            ("atlantis", "school_directory", "2024-25"),
            ("../philadelphia", "school_directory", "2024-25"),
            ("philadelphia", "grades", "2024-25"),
            ("philadelphia", "school_directory", "2024"),
            ("philadelphia", "school_directory", "2024-25/../../.."),
        ],
    )
    def test_an_unknown_place_is_refused_and_nothing_is_written(self, store: SubmissionStore, place: tuple[str, ...]) -> None:
        with pytest.raises(SubmissionRefused, match="use one of"):
            deliver(store, CONTRACTS, *place, files(directory_csv()), "command line", "me")
        assert tree(store.storage.root) == {}

    @pytest.mark.parametrize("text", ["", "chicago", "chicago/x/2024-25/one", "a/b/c/d/1", "a/b/c/-1", "a/b/c/²", "a/b/c/١"])
    def test_what_is_no_submission_id_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match="is not a submission id"):
            SubmissionKey.parse(text)


class TestScreening:
    def test_outcome_rows_findings_and_digests_are_kept(self, store: SubmissionStore) -> None:
        submission = send(store, BROKEN)
        assert submission.state == "corrections_needed"
        screened = submission.screened
        assert screened is not None
        assert screened["findings"] == {"SD-S-CODE": 3}
        assert screened["lines"] == {"in": 3, "used": 3, "dropped": {}}
        found = read_findings(store, submission)
        assert found.select("line", "field", "value").rows() == [(line, "school_level", "primary") for line in (2, 3, 4)]
        for name in ("rows", "findings"):
            digest = screened[f"{name}_sha256"]
            assert digest == sha256(store.storage.read(f"{submission.key.folder}/{name}-{digest}.parquet"))

    def test_an_unreadable_delivery_is_kept_with_its_finding(self, store: SubmissionStore) -> None:
        submission = send(store, b"%PDF-1.7 not a table")
        assert submission.state == "unreadable"
        assert read_findings(store, submission)["rule_id"].to_list() == ["READ-PDF"]

    def test_it_is_screened_once_under_the_same_rules_and_again_under_others(
        self, store: SubmissionStore, tmp_path: Path
    ) -> None:
        submission = send(store, BROKEN)
        assert [event["type"] for event in submission.events] == ["received", "reading", "screened"]
        contracts = tmp_path / "data_contracts"
        shutil.copytree(CONTRACTS, contracts)
        levels = contracts / "codes" / "school_levels.csv"
        levels.write_text(levels.read_text().rstrip("\n") + "\nprimary,Primary school\n")
        again = screen_submission(store, contracts, submission)
        assert [event["type"] for event in again.events] == ["received", "reading", "screened", "reading", "screened"]
        assert again.state == "ready_to_sign"

    def test_a_certified_submission_is_not_screened_again(self, store: SubmissionStore, tmp_path: Path) -> None:
        submission = certify(store, send(store, directory_csv()), "signer", "It is right.", "signed", NOTE)
        contracts = tmp_path / "data_contracts"
        shutil.copytree(CONTRACTS, contracts)
        (contracts / "codes" / "school_levels.csv").write_text("code,label\nother,Other\n")
        assert screen_submission(store, contracts, submission).events == submission.events

    def test_events_are_chained_by_digest(self, store: SubmissionStore) -> None:
        submission = certify(store, send(store, directory_csv()), "signer", "It is right.", "signed", NOTE)
        names = store.storage.keys(f"{submission.key.folder}/events")
        assert [event["sequence"] for event in submission.events] == [1, 2, 3, 4]
        assert [event["previous"] for event in submission.events] == [None, *[sha256(store.storage.read(n)) for n in names[:-1]]]

    def test_every_state_that_occurs_has_a_sentence_and_a_next_step(self, store: SubmissionStore) -> None:
        for content in (BROKEN, b"", directory_csv(3, 301), directory_csv(3, 302)):
            submission = send(store, content)
            if submission.state == "ready_to_sign":
                certify(store, submission, "signer", "It is right.", "signed", NOTE)
        receive(store, *PLACE, files(directory_csv(9)), "command line", "me")
        assert states(store) == [SUPERSEDED, SUPERSEDED, SUPERSEDED, CERTIFIED, RECEIVED]
        assert all(sentence.endswith(".") for state in states(store) for sentence in STATES[state])


class TestSigning:
    def test_signing_certifies_and_writes_a_receipt(self, store: SubmissionStore) -> None:
        submission = certify(store, send(store, directory_csv()), "A. Signer", "It is right.", "signed", NOTE)
        assert submission.state == CERTIFIED
        assert [s.key for s in in_force(store)] == [submission.key]
        receipt = store.storage.read_json(f"{submission.key.folder}/receipt.json")
        assert receipt["submission_id"] == submission.key.submission_id
        assert receipt["files"] == [{"name": "directory.csv", "sha256": sha256(directory_csv()), "n_bytes": len(directory_csv())}]
        assert (receipt["signer"], receipt["statement"], receipt["how"]) == ("A. Signer", "It is right.", "signed")
        assert receipt["lines"] == {"in": 3, "used": 3, "dropped": {}}
        assert receipt["findings"] == {}
        names = store.storage.keys(f"{submission.key.folder}/events")
        assert receipt["last_event_sha256"] == sha256(store.storage.read(names[-1]))
        assert [event["type"] for event in receipt["events"]] == ["received", "reading", "screened", "certified"]
        assert write_receipt(store, submission.key) == receipt

    def test_signing_twice_changes_nothing_and_keeps_the_first_signer(self, store: SubmissionStore) -> None:
        ready = send(store, directory_csv())
        certify(store, ready, "first", "It is right.", "signed", NOTE)
        before = tree(store.storage.root)
        again = certify(store, read_submission(store, ready.key), "second", "Me too.", "signed", NOTE)
        assert again.last("certified") is not None
        assert again.events[-1]["actor"] == "first"
        assert tree(store.storage.root) == before

    def test_signing_what_somebody_else_signed_meanwhile_changes_nothing(self, store: SubmissionStore) -> None:
        """The second signer decided upon what it read before the first one signed."""
        stale = send(store, directory_csv())
        certify(store, stale, "first", "It is right.", "signed", NOTE)
        before = tree(store.storage.root)
        assert certify(store, stale, "second", "Me too.", "signed", NOTE).events[-1]["actor"] == "first"
        assert tree(store.storage.root) == before

    def test_a_missing_receipt_is_written_when_signing_again(self, store: SubmissionStore) -> None:
        submission = certify(store, send(store, directory_csv()), "first", "It is right.", "signed", NOTE)
        before = tree(store.storage.root)
        store.storage.path(f"{submission.key.folder}/receipt.json").unlink()
        certify(store, submission, "second", "Me too.", "signed", NOTE)
        assert tree(store.storage.root) == before

    @pytest.mark.parametrize("content", [BROKEN, b"", b"\x89PNG\r\n"])
    def test_what_is_not_ready_cannot_be_signed(self, store: SubmissionStore, content: bytes) -> None:
        submission = send(store, content)
        before = tree(store.storage.root)
        with pytest.raises(SubmissionRefused, match="cannot be signed"):
            certify(store, submission, "signer", "It is right.", "signed", NOTE)
        with pytest.raises(SubmissionRefused, match="has no receipt"):
            write_receipt(store, submission.key)
        assert tree(store.storage.root) == before

    def test_a_later_one_supersedes_and_an_older_one_is_refused_then(self, store: SubmissionStore) -> None:
        first, second, third = (send(store, directory_csv(3, 300 + n)) for n in (1, 2, 3))
        certify(store, second, "signer", "It is right.", "signed", NOTE)
        with pytest.raises(SubmissionRefused, match=r"001 cannot be signed: .*/002 came later"):
            certify(store, first, "signer", "It is right.", "signed", NOTE)
        assert [s.key.number for s in in_force(store)] == [2]
        with pytest.raises(SubmissionRefused, match="looked at beside was signed since"):
            certify(store, third, "signer", "It is right.", "signed", NOTE)
        certify(store, screen_submission(store, CONTRACTS, third), "signer", "It is right.", "signed", NOTE)
        assert states(store) == [SUPERSEDED, SUPERSEDED, CERTIFIED]

    def test_the_certified_one_stays_in_force_until_its_successor_is_certified(self, store: SubmissionStore) -> None:
        first = certify(store, send(store, directory_csv(3, 301)), "signer", "It is right.", "signed", NOTE)
        send(store, BROKEN)
        waiting = send(store, directory_csv(3, 302))
        assert [s.key for s in in_force(store)] == [first.key]
        certify(store, waiting, "signer", "It is right.", "signed", NOTE)
        assert [s.key for s in in_force(store)] == [waiting.key]

    def test_only_the_inbox_certifies_by_itself_and_only_where_the_district_chose_so(
        self, store: SubmissionStore, tmp_path: Path
    ) -> None:
        assert send(store, directory_csv(3, 301)).state == "ready_to_sign"
        automatic = send(store, directory_csv(3, 302), via="inbox")
        assert automatic.state == CERTIFIED
        assert (automatic.last("certified") or {})["how"] == "automatic"
        contracts = tmp_path / "data_contracts"
        shutil.copytree(CONTRACTS, contracts)
        districts = contracts / "codes" / "districts.csv"
        table = pl.read_csv(districts, infer_schema=False)
        table.with_columns(
            auto_certify=pl.when(pl.col("code") == PLACE[0]).then(pl.lit("false")).otherwise("auto_certify")
        ).write_csv(districts)
        (asked,) = deliver(store, contracts, *PLACE, files(directory_csv(3, 303)), "inbox", "inbox")
        assert asked.state == "ready_to_sign"

    def test_by_inbox_an_older_delivery_never_replaces_a_later_certified_one(self, store: SubmissionStore) -> None:
        receive(store, *PLACE, files(directory_csv(1)), "inbox", "inbox")
        later = send(store, directory_csv(2), via="inbox")
        older = send(store, directory_csv(1), via="inbox")
        assert (later.state, older.state) == (CERTIFIED, SUPERSEDED)
        assert [s.key for s in in_force(store)] == [later.key]

    def test_an_unknown_submission_cannot_be_read(self, store: SubmissionStore) -> None:
        with pytest.raises(SubmissionRefused, match="there is no submission"):
            read_submission(store, SubmissionKey(*PLACE, 7))


class TestYears:
    def test_a_delivery_of_several_years_opens_one_submission_for_each(self, store: SubmissionStore) -> None:
        rows = [
            f"{i:03d},,S,elementary,K,5,false,true,,,9,9,1,1,1,{year}" for i, year in enumerate(["2024-25", "2023-24", "1066-67"])
        ]
        content = "\n".join([DIRECTORY + ",school_year", *rows]).encode()
        done = deliver(store, CONTRACTS, *PLACE, files(content), "inbox", "inbox")
        assert [submission.key.school_year for submission in done] == ["2024-25", "2023-24"]
        for submission in done:
            assert (submission.screened or {})["lines"] == {"in": 3, "used": 1, "dropped": {"other_year": 2}}

    def test_a_delivery_without_the_named_year_opens_only_that_years_submission(self, store: SubmissionStore) -> None:
        content = f"{DIRECTORY},school_year\n001,,S,elementary,K,5,false,true,,,9,9,1,1,1,2023-24\n".encode()
        (only,) = deliver(store, CONTRACTS, *PLACE, files(content), "inbox", "inbox")
        assert (only.key.school_year, only.state) == ("2024-25", "corrections_needed")
        (message,) = read_findings(store, only)["message"]
        assert message == "the delivery holds no row for 2024-25; it holds 2023-24"

    def test_years_that_are_none_are_told_in_part(self, store: SubmissionStore) -> None:
        """A wrong column under this name must not write the delivered values into the ledger."""
        rows = [f"{i:03d},,S,elementary,K,5,false,true,,,9,9,1,1,1,{'x' * 300}{i}" for i in range(500)]
        (only,) = deliver(store, CONTRACTS, *PLACE, files("\n".join([DIRECTORY + ",school_year", *rows]).encode()), "inbox", "x")
        assert len((only.screened or {})["school_years"]) <= 12
        assert len(read_findings(store, only)["message"][0]) < 1_000


# --- several writers ---


class TestRaces:
    def test_two_writers_of_one_event_and_one_wins(self, store: SubmissionStore) -> None:
        key = SubmissionKey(*PLACE, 1)
        store.append(key, {"type": "received"}, 0)
        with pytest.raises(ConcurrentChange):
            store.append(key, {"type": "received"}, 0)
        assert len(store.chain(key)[0]) == 1

    def test_a_number_taken_between_looking_and_writing_is_left_to_its_owner(self, tmp_path: Path) -> None:
        """The other delivery arrives after this one saw no submission, and before it writes."""

        class LateGuest(Storage):
            guest: DeliveredFile | None = DeliveredFile("other.csv", directory_csv(5))

            def keys(self, prefix: str) -> list[str]:
                seen = super().keys(prefix)
                if self.guest is not None:
                    guest, self.guest = self.guest, None
                    receive(SubmissionStore(Storage(self.root)), *PLACE, [guest], "command line", "guest")
                return seen

        store = SubmissionStore(LateGuest(tmp_path / "home"))
        submission, is_new = receive(store, *PLACE, files(directory_csv(1)), "command line", "me")
        assert (submission.key.number, is_new) == (2, True)
        received = [[event["type"] for event in store.chain(key)[0]] for key in store.keys(*PLACE)]
        assert received == [["received"], ["received"]]
        assert [store.files(s.key, s.received)[0].content for s in all_submissions(store)] == [directory_csv(5), directory_csv(1)]

    def test_processes_that_race_for_numbers_lose_nothing_and_share_none(self, tmp_path: Path) -> None:
        home, n_processes, n_each = tmp_path / "home", 2, 12
        context = multiprocessing.get_context("spawn")
        start = context.Barrier(n_processes)
        workers = [context.Process(target=_receive_many, args=(home, worker, n_each, start)) for worker in range(n_processes)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(timeout=60)
            worker.kill()
        assert [worker.exitcode for worker in workers] == [0] * n_processes
        found = all_submissions(SubmissionStore(Storage(home)))
        assert [submission.key.number for submission in found] == list(range(1, n_processes * n_each + 1 + 1))
        digests = [submission.received["delivery_sha256"] for submission in found]
        assert len(set(digests)) == len(digests)
        assert all(len(submission.events) == 1 for submission in found)
        store = SubmissionStore(Storage(home))
        assert all(store.has_files(submission.key, submission.received) for submission in found)


def _receive_many(home: Path, worker: int, n_each: int, start: Any) -> None:
    """Deliveries of one process: its own, and one that the other process brings as well."""
    store = SubmissionStore(Storage(home))
    start.wait()
    for number in range(n_each):
        receive(store, *PLACE, files(f"{worker} {number}".encode()), "command line", str(worker))
    receive(store, *PLACE, files(b"shared"), "command line", str(worker))


# --- killed at any point ---


class Killed(BaseException):
    """Not an Exception: nothing in the code may catch it, as nothing catches a kill."""


class FragileStorage(Storage):
    """Dies at its n-th change: before it, or right after it."""

    def __init__(self, root: Path, dies_at: int, dies_after: bool) -> None:
        super().__init__(root)
        self.n_changes, self.dies_at, self.dies_after = 0, dies_at, dies_after

    def _count(self, is_after: bool) -> None:
        self.n_changes += not is_after
        if self.n_changes == self.dies_at and is_after is self.dies_after:
            raise Killed

    def write(self, key: str, content: bytes) -> None:
        self._count(False)
        super().write(key, content)
        self._count(True)

    def create(self, key: str, content: bytes) -> bool:
        self._count(False)
        done = super().create(key, content)
        self._count(True)
        return done

    def delete(self, key: str) -> None:
        self._count(False)
        super().delete(key)
        self._count(True)


def flow(storage: Storage, inbox: Path) -> None:
    """What one look at the inbox does, and then the lake."""
    store = SubmissionStore(storage)
    handle_inbox(inbox, CONTRACTS, store)
    bring_up_to_date(storage, store, CONTRACTS)


@pytest.fixture(scope="module")
def screened_once() -> ScreenedOnce:
    return ScreenedOnce()


@pytest.fixture
def fixed_time(monkeypatch: pytest.MonkeyPatch, screened_once: ScreenedOnce) -> None:
    """Events say the same time in every run, and a delivery is screened once."""
    monkeypatch.setattr(deliveries_module, "screen", screened_once)
    for module in (deliveries_module, inbox_module, signing_module):
        monkeypatch.setattr(module, "now", lambda: FIXED_TIME)


@pytest.mark.usefixtures("fixed_time")
def test_a_kill_at_any_write_changes_nothing_in_the_end(tmp_path: Path) -> None:
    """One good file, one of two years in a folder of two files, one broken and one misplaced.

    Right after a change lies what lies right before the next one, so that only the last one has an after of its own.
    """
    inbox = tmp_path / "inbox"
    place = inbox.joinpath(*PLACE)
    (place / "two").mkdir(parents=True)
    (place / "good.csv").write_bytes(directory_csv())
    (place / "broken.csv").write_bytes(BROKEN)
    for year in ("2024-25", "2023-24"):
        (place / "two" / f"{year}.csv").write_bytes(directory_csv(3, 305, year))
    (place / "two" / READY_MARK).touch()
    (inbox / "readme.txt").write_text("hello")

    whole = FragileStorage(tmp_path / "whole", dies_at=0, dies_after=False)
    flow(whole, inbox)
    undisturbed = tree(whole.root)
    assert sum(name.endswith("receipt.json") for name in undisturbed) == 3
    assert sum(name.endswith("extract.parquet") for name in undisturbed) == 2
    assert json.loads(undisturbed["submissions/philadelphia/school_directory/2024-25/002/events/001.json"])["at"] == FIXED_TIME

    n_changes = whole.n_changes
    assert n_changes > 20
    for dies_at, dies_after in [*((n, False) for n in range(1, n_changes + 1)), (n_changes, True)]:
        root = tmp_path / f"killed_{dies_at}_{dies_after}"
        with pytest.raises(Killed):
            flow(FragileStorage(root, dies_at, dies_after), inbox)
        flow(Storage(root), inbox)
        assert tree(root) == undisturbed, f"killed at change {dies_at} of {n_changes}"
        assert waiting_deliveries(inbox, CONTRACTS, SubmissionStore(Storage(root))) == {}


@pytest.mark.usefixtures("fixed_time")
def test_a_kill_while_the_lake_changes_hands_leaves_a_whole_partition(tmp_path: Path) -> None:
    storage = Storage(tmp_path / "home")
    store = SubmissionStore(storage)
    send(store, directory_csv(3, 301), via="inbox")
    bring_up_to_date(storage, store, CONTRACTS)
    send(store, directory_csv(3, 302), via="inbox")
    place = partition_key("school_directory", "2024-25", "philadelphia")
    for dies_after, n_in_scope in ((False, 301), (True, 302)):
        with pytest.raises(Killed):
            fragile = FragileStorage(storage.root, 1, dies_after)
            bring_up_to_date(fragile, SubmissionStore(fragile), CONTRACTS)
        assert pl.read_parquet(storage.path(place))["n_enrolled_in_scope"][0] == n_in_scope
    assert bring_up_to_date(storage, store, CONTRACTS) == []
    assert [partition.submission_id for partition in partitions(storage)] == ["philadelphia/school_directory/2024-25/002"]


def test_what_a_killed_write_left_beside_an_event_is_no_event(store: SubmissionStore) -> None:
    submission = send(store, directory_csv())
    store.storage.path(f"{submission.key.folder}/events/004.json#1").write_bytes(b"half an ev")
    assert len(read_submission(store, submission.key).events) == 3
    assert certify(store, submission, "signer", "It is right.", "signed", NOTE).state == CERTIFIED


def test_the_lake_holds_typed_rows_in_the_order_of_the_key_and_the_same_bytes_each_time(
    store: SubmissionStore, tmp_path: Path
) -> None:
    lines = directory_csv(3).decode().splitlines()
    send(store, "\n".join([lines[0], *lines[:0:-1]]).encode(), via="inbox")
    (written,) = bring_up_to_date(store.storage, store, CONTRACTS)
    path = store.storage.path(partition_key("school_directory", "2024-25", "philadelphia"))
    first = path.read_bytes()
    table = pl.read_parquet(path)
    assert table["school_id"].to_list() == ["001", "002", "003"]
    assert table.select("district", "school_year", "submission_id").unique().rows() == [
        ("philadelphia", "2024-25", written.submission_id)
    ]
    assert (table.schema["n_enrolled"], table.schema["is_charter"]) == (pl.Int64, pl.Boolean)
    assert table["n_enrolled"].to_list() == [301, 302, 303]
    path.unlink()
    assert bring_up_to_date(store.storage, store, CONTRACTS) == [written]
    assert path.read_bytes() == first
    empty = pl.read_parquet(store.storage.path("lake/school_directory/_empty.parquet"))
    assert (empty.height, empty.schema) == (0, table.schema)

"""Receipts: whatever is altered, in the receipt, in the bytes or in the home, is found."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import flow
from pipelines.cli import nmip
from pipelines.intake.deliveries import deliver
from pipelines.intake.reading import DeliveredFile
from pipelines.intake.receipts import make_receipt, parse_receipt, prove, prove_kept
from pipelines.intake.signing import certify
from pipelines.intake.store import RecordAltered, SubmissionStore
from pipelines.intake.submission import Submission, SubmissionRefused, all_submissions, in_force, read_submission
from pipelines.settings import PROJECT_ROOT, Settings
from pipelines.storage import Storage, canonical_json, sha256
from tests.deliveries import directory_csv

CONTRACTS = PROJECT_ROOT / "data_contracts"
PLACE = ("philadelphia", "school_directory", "2024-25")
FILES = [("directory.csv", directory_csv())]


def certified(home: Path, n_schools: int = 3) -> tuple[SubmissionStore, Submission]:
    store = SubmissionStore(Storage(home))
    files = [DeliveredFile("directory.csv", directory_csv(3, 297 + n_schools))]
    (submission,) = deliver(store, CONTRACTS, *PLACE, files, "command line", "me")
    return store, certify(store, submission, "A. Signer", "It is right.", "signed", "New.")


@pytest.fixture(scope="module")
def receipt(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    _, submission = certified(tmp_path_factory.mktemp("home"))
    return make_receipt(submission.key, submission.events)


def test_an_honest_receipt_is_proven_against_its_bytes(receipt: dict[str, Any]) -> None:
    proof = prove(receipt, FILES)
    assert (proof.problems, proof.unproven) == ((), ())
    assert "directory.csv is directory.csv, byte for byte" in proof.proven
    again = parse_receipt(canonical_json(receipt))
    assert again is not None
    assert prove(again, FILES) == proof


def test_it_says_what_was_signed(receipt: dict[str, Any]) -> None:
    assert receipt["submission_id"] == "philadelphia/school_directory/2024-25/001"
    assert receipt["files"] == [{"name": "directory.csv", "sha256": sha256(directory_csv()), "n_bytes": len(directory_csv())}]
    assert receipt["lines"] == {"in": 3, "used": 3, "dropped": {}}
    assert (receipt["signer"], receipt["statement"], receipt["how"]) == ("A. Signer", "It is right.", "signed")
    assert receipt["contract_version"]
    assert receipt["rule_versions"]["SD-S-CODE"]
    assert [event["type"] for event in receipt["events"]] == ["received", "reading", "screened", "certified"]


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of all values in a JSON document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for name, child in inner for found in [(*path, name), *_places(child, (*path, name))]]


def _altered(value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        return "altered"
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str):
        return value + " "
    return {"altered": 1} if isinstance(value, list) else [1]


def test_altering_any_value_anywhere_is_detected(receipt: dict[str, Any]) -> None:
    places = _places(receipt)
    assert len(places) > 100
    for path in places:
        changed = copy.deepcopy(receipt)
        holder = changed
        for name in path[:-1]:
            holder = holder[name]
        holder[path[-1]] = _altered(holder[path[-1]])
        assert prove(changed, FILES).problems, f"{path} was altered and nobody noticed"


def test_removing_any_value_anywhere_is_detected(receipt: dict[str, Any]) -> None:
    for path in _places(receipt):
        if path == ("submission_id",):
            continue
        changed = copy.deepcopy(receipt)
        holder = changed
        for name in path[:-1]:
            holder = holder[name]
        del holder[path[-1]]
        assert prove(changed, FILES).problems, f"{path} was removed and nobody noticed"


def test_an_altered_event_is_found_even_when_its_followers_are_made_to_fit(receipt: dict[str, Any]) -> None:
    """Whoever rewrites the whole chain must rewrite what the receipt says of it too; beside the home that is found."""
    changed = copy.deepcopy(receipt)
    changed["events"][2]["findings"] = {"SD-S-CODE": 5}
    previous = None
    for event in changed["events"]:
        event["previous"] = previous
        previous = sha256(canonical_json(event))
    assert "the last event, the signature, was altered" in prove(changed, FILES).problems
    changed["last_event_sha256"] = previous
    assert prove(changed, FILES).problems == ("findings was altered",)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(position=st.integers(0, len(directory_csv()) - 1), byte=st.integers(1, 255))
def test_altering_any_byte_delivered_is_detected(receipt: dict[str, Any], position: int, byte: int) -> None:
    content = bytearray(directory_csv())
    content[position] ^= byte
    assert prove(receipt, [("directory.csv", bytes(content))]).problems


def test_what_is_no_receipt_is_not_taken_for_one() -> None:
    for content in (b"", b"{}", b"[1]", b"{" * 100_000, b'{"format": "other"}', b'{"format": "nmip receipt 1"}', b"\xff\xfe{"):
        assert parse_receipt(content) is None


def test_a_receipt_with_nonsense_in_it_is_told_as_altered() -> None:
    for events in ([], [1], [{}], "x", [{"type": "certified", "sequence": 1, "previous": None}]):
        nonsense = {"format": "nmip receipt 1", "submission_id": "a/b/c/1", "events": events}
        assert prove(nonsense, []).problems


class TestInTheHome:
    def test_an_untouched_submission_is_whole(self, tmp_path: Path) -> None:
        store, submission = certified(tmp_path / "home")
        assert prove_kept(store, submission) == []

    @pytest.mark.parametrize(
        "what", ["events/001", "events/003", "events/004", "delivered/", "rows-", "findings-", "receipt.json"]
    )
    @pytest.mark.parametrize("how", ["changed", "removed"])
    def test_whatever_is_altered_is_found(self, tmp_path: Path, what: str, how: str) -> None:
        store, submission = certified(tmp_path / "home")
        (name,) = (k for k in store.storage.keys(submission.key.folder) if what in k)
        path = store.storage.path(name)
        if how == "removed":
            path.unlink()
        elif path.suffix == ".json":
            path.write_bytes(path.read_bytes().replace(b"philadelphia", b"philadelphiA").replace(b'"at": "20', b'"at": "21'))
        else:
            path.write_bytes(path.read_bytes()[:-1] + b"?")
        if (what, how) == ("receipt.json", "removed"):
            # It follows from the events, and the next run makes it again.
            assert prove_kept(store, read_submission(store, submission.key)) == []
            return
        again = read_submission(store, submission.key) if not (what == "events/001" and how == "removed") else None
        if again is None or again.state == "certified":
            assert again is None or prove_kept(store, again)
        else:
            assert again.state == "damaged"
            assert prove_kept(store, again)

    def test_a_damaged_record_puts_nothing_earlier_back_into_force(self, tmp_path: Path) -> None:
        store, first = certified(tmp_path / "home", 2)
        _, second = certified(tmp_path / "home", 3)
        assert [s.key for s in in_force(store)] == [second.key]
        event = store.storage.path(f"{second.key.folder}/events/002.json")
        event.write_bytes(event.read_bytes().replace(b"reading", b"readimg"))
        assert [s.state for s in all_submissions(store)] == ["certified", "damaged"]
        assert in_force(store) == []
        assert first.key.number == 1


def test_a_name_that_stands_twice_is_no_receipt(receipt: dict[str, Any]) -> None:
    text = canonical_json(receipt).decode()
    for forged in (text.replace("{", '{"signer": "Mallory", ', 1), text.replace('"signer"', '"signer": "Mallory", "signer"', 1)):
        assert parse_receipt(forged.encode()) is None


def test_one_is_not_true_and_not_one_point_zero(receipt: dict[str, Any]) -> None:
    for other in (3.0, "3"):
        changed = {**receipt, "lines": {**receipt["lines"], "in": other}}
        assert prove(changed, FILES).problems == ("lines was altered",)


class TestAlteredRecords:
    """What a changed record does to its own submission, to the one before it, and to everybody else: as little as possible."""

    def test_the_last_event_is_vouched_for_by_the_receipt(self, tmp_path: Path) -> None:
        store, submission = certified(tmp_path / "home")
        event = store.storage.path(f"{submission.key.folder}/events/004.json")
        event.write_bytes(event.read_bytes().replace(b"A. Signer", b"B. Signer"))
        assert read_submission(store, submission.key).state == "damaged"
        assert in_force(store) == []

    def test_removed_events_do_not_bring_the_earlier_one_back(self, tmp_path: Path) -> None:
        store, _ = certified(tmp_path / "home", 2)
        _, second = certified(tmp_path / "home", 3)
        for name in store.storage.keys(f"{second.key.folder}/events"):
            store.storage.delete(name)
        assert [s.state for s in all_submissions(store)] == ["certified", "damaged"]
        assert in_force(store) == []

    def test_a_damaged_draft_unseats_nobody_and_a_successor_settles_it(self, tmp_path: Path) -> None:
        store, first = certified(tmp_path / "home", 2)
        files = [DeliveredFile("directory.csv", directory_csv(3, 305))]
        (draft,) = deliver(store, CONTRACTS, *PLACE, files, "command line", "me")
        store.storage.path(f"{draft.key.folder}/events/001.json").write_bytes(b"{")
        assert [s.key for s in in_force(store)] == [first.key]
        _, third = certified(tmp_path / "home", 9)
        assert third.key.number == 3
        assert [s.key for s in in_force(store)] == [third.key]

    def test_it_is_told_and_others_are_not_held_up(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Callable[..., Result]
    ) -> None:
        store, _ = certified(tmp_path / "home", 2)
        files = [DeliveredFile("directory.csv", directory_csv(3, 305))]
        (draft,) = deliver(store, CONTRACTS, *PLACE, files, "command line", "me")
        store.storage.path(f"{draft.key.folder}/events/001.json").write_bytes(b"{")
        result = call("status")
        assert (result.exit_code, "damaged" in result.output) == (0, True)
        monkeypatch.setenv("NMIP_DISTRICTS", "chicago")
        assert call("status").exit_code == 0

    def test_altered_bytes_cannot_be_signed(self, tmp_path: Path) -> None:
        store = SubmissionStore(Storage(tmp_path / "home"))
        files = [DeliveredFile("directory.csv", directory_csv())]
        (ready,) = deliver(store, CONTRACTS, *PLACE, files, "command line", "me")
        delivered = store.storage.path(store.storage.keys(f"{ready.key.folder}/delivered")[0])
        delivered.write_bytes(directory_csv(4))
        with pytest.raises(SubmissionRefused, match="delivered bytes"):
            certify(store, ready, "me", "It is right.", "signed")
        with pytest.raises(RecordAltered, match="altered or are missing"):
            store.files(ready.key, ready.received)

    def test_a_missing_receipt_is_made_again_by_the_next_run(self, tmp_path: Path) -> None:
        store, submission = certified(tmp_path / "home")
        path = store.storage.path(f"{submission.key.folder}/receipt.json")
        before = path.read_bytes()
        path.unlink()
        flow.screen_inbox(flow.Home(Settings(home=tmp_path / "home", work=tmp_path / "home" / "work")))
        assert path.read_bytes() == before


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("NMIP_HOME", str(tmp_path / "home"))

    def run(*arguments: str | Path) -> Result:
        result = CliRunner().invoke(nmip, [str(argument) for argument in arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        return result

    return run


class TestVerifyReceipt:
    def test_offline_against_the_bytes(self, call: Callable[..., Result], tmp_path: Path, receipt: dict[str, Any]) -> None:
        (tmp_path / "r.json").write_bytes(canonical_json(receipt))
        (tmp_path / "any name.csv").write_bytes(directory_csv())
        result = call("verify-receipt", tmp_path / "r.json", tmp_path / "any name.csv")
        assert (result.exit_code, "ALTERED" in result.output) == (0, False)
        assert "any name.csv is directory.csv, byte for byte" in result.output
        assert not (tmp_path / "home").exists()
        (tmp_path / "any name.csv").write_bytes(directory_csv(4))
        result = call("verify-receipt", tmp_path / "r.json", tmp_path / "any name.csv")
        assert result.exit_code == 1
        assert "ALTERED: any name.csv is no file of this receipt: its bytes differ" in result.output

    def test_two_files_of_one_name_are_two_files(
        self, call: Callable[..., Result], tmp_path: Path, receipt: dict[str, Any]
    ) -> None:
        (tmp_path / "r.json").write_bytes(canonical_json(receipt))
        for folder, content in (("right", directory_csv()), ("wrong", directory_csv(4))):
            (tmp_path / folder).mkdir()
            (tmp_path / folder / "directory.csv").write_bytes(content)
        for order in (("right", "wrong"), ("wrong", "right")):
            files = [tmp_path / folder / "directory.csv" for folder in order]
            assert call("verify-receipt", tmp_path / "r.json", *files).exit_code == 1

    def test_bytes_are_looked_for_beside_it(self, call: Callable[..., Result], tmp_path: Path, receipt: dict[str, Any]) -> None:
        (tmp_path / "r.json").write_bytes(canonical_json(receipt))
        assert call("verify-receipt", tmp_path / "r.json").exit_code == 2
        (tmp_path / "directory.csv").write_bytes(directory_csv())
        assert call("verify-receipt", tmp_path / "r.json").exit_code == 0

    def test_an_altered_receipt(self, call: Callable[..., Result], tmp_path: Path, receipt: dict[str, Any]) -> None:
        (tmp_path / "directory.csv").write_bytes(directory_csv())
        (tmp_path / "r.json").write_text(json.dumps({**receipt, "statement": "It is wrong."}))
        result = call("verify-receipt", tmp_path / "r.json")
        assert (result.exit_code, "ALTERED: statement was altered" in result.output) == (1, True)

    def test_in_the_home_by_receipt_by_id_and_by_file(self, call: Callable[..., Result], tmp_path: Path) -> None:
        store, submission = certified(tmp_path / "home")
        kept = store.storage.path(f"{submission.key.folder}/receipt.json")
        result = call("verify-receipt", kept)
        assert result.exit_code == 0
        assert "it is the receipt that this home keeps" in result.output
        assert call("verify-receipt", submission.key.submission_id).exit_code == 0
        (tmp_path / "mine.csv").write_bytes(directory_csv())
        result = call("verify-receipt", tmp_path / "mine.csv")
        assert (result.exit_code, "by A. Signer" in result.output) == (0, True)
        (tmp_path / "other.csv").write_bytes(b"other")
        assert call("verify-receipt", tmp_path / "other.csv").exit_code == 2
        delivered = store.storage.path(store.storage.keys(f"{submission.key.folder}/delivered")[0])
        delivered.write_bytes(b"changed")
        for argument in (kept, submission.key.submission_id, tmp_path / "mine.csv"):
            assert call("verify-receipt", argument).exit_code == 1

    def test_what_cannot_be_read(self, call: Callable[..., Result], tmp_path: Path) -> None:
        for argument in (tmp_path, tmp_path / "no such file", "a/b/c/d"):
            assert call("verify-receipt", argument).exit_code == 2

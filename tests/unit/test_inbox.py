"""The inbox: grouping, waiting, hostile names, links, bursts, and what handling the same thing again does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.intake import inbox as inbox_module
from pipelines.intake.inbox import (
    READY_MARK,
    Delivery,
    InboxFile,
    deliveries,
    handle_inbox,
    list_inbox,
    unhandled,
    waiting_deliveries,
)
from pipelines.intake.reading import ReadingLimits
from pipelines.intake.store import SubmissionStore
from pipelines.intake.submission import all_submissions, in_force
from pipelines.lake.partitions import bring_up_to_date
from pipelines.settings import PROJECT_ROOT
from pipelines.storage import Storage
from tests.deliveries import DIRECTORY, directory_csv, drop

CONTRACTS = PROJECT_ROOT / "data_contracts"
PLACE = ("philadelphia", "school_directory", "2024-25")
UNFINISHED = [
    "a.csv.part",
    "a.csv.PARTIAL",
    "a.tmp",
    "a.crdownload",
    "a.filepart",
    ".a.csv.swp",
    ".hidden.csv",
    "~$a.xlsx",
    ".DS_Store",
]


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    path = tmp_path / "home" / "inbox"
    path.mkdir(parents=True)
    return path


@pytest.fixture
def store(tmp_path: Path) -> SubmissionStore:
    return SubmissionStore(Storage(tmp_path / "home"))


def put(inbox: Path, name: str, content: bytes) -> Path:
    return drop(inbox, *PLACE, name, content)


def waiting(inbox: Path, store: SubmissionStore) -> list[str]:
    return list(waiting_deliveries(inbox, CONTRACTS, store))


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def grouped(*paths: str) -> list[Delivery]:
    return deliveries([InboxFile(path, (1, 1, 1, 1)) for path in paths], CONTRACTS)


# --- grouping and remembering are pure ---

SEGMENTS = st.sampled_from(
    [
        "philadelphia",
        "chicago",
        "atlantis",
        "school_directory",
        "grades",
        "2024-25",
        "1999-00",
        READY_MARK,
        "a.csv",
        "b.xlsx",
        "x.part",
        ".hidden",
        "..",
        "two words",
        "na\u00efve.csv",
        "line\nbreak.csv",
        "\x1b[31m.csv",
        "~$a.xlsx",
    ]
)
PLACED = st.tuples(
    st.sampled_from(["philadelphia", "chicago"]), st.just("school_directory"), st.sampled_from(["2023-24", "2024-25"])
).flatmap(
    lambda place: st.lists(st.sampled_from(["a.csv", "b.csv", "folder", "x.part", READY_MARK]), min_size=1, max_size=2).map(
        lambda rest: "/".join([*place, *rest])
    )
)
PATHS = st.lists(st.one_of(PLACED, st.lists(SEGMENTS, min_size=1, max_size=6).map("/".join)), unique=True, max_size=25)
FILES = PATHS.map(lambda paths: [InboxFile(path, (1, number, 3, 4), number % 7 != 6) for number, path in enumerate(paths)])


@given(FILES, st.randoms())
def test_every_usable_file_is_in_one_delivery_or_waits_for_its_folder(files: list[InboxFile], random: object) -> None:
    found = deliveries(files, CONTRACTS)
    taken = [path for delivery in found for path in delivery.paths]
    assert len(taken) == len(set(taken))
    assert set(taken) <= {file.path for file in files}
    for delivery in found:
        assert (delivery.place is None) is (delivery.problem is not None)
        if delivery.place is not None:
            assert all(path.split("/")[:3] == list(delivery.place) for path in delivery.paths)
            assert delivery.place[0] in ("philadelphia", "chicago")
            assert len({len(path.split("/")) for path in delivery.paths}) == 1
    unfinished = [f.path.split("/") for f in files if f.path.endswith(".part")]

    def is_still_copied(parts: list[str]) -> bool:
        return any(other[:4] == parts[:4] for other in unfinished)

    for file in files:
        parts = file.path.split("/")
        is_unfinished = parts[-1].startswith((".", "~$")) or parts[-1].endswith(".part")
        ready = "/".join([*parts[:-1], READY_MARK]) in {f.path for f in files}
        if is_unfinished or parts[-1] == READY_MARK:
            assert file.path not in taken
        elif len(parts) != 5 or (ready and not is_still_copied(parts)):
            assert file.path in taken
    random.shuffle(files)  # type: ignore[attr-defined]
    assert {(d.name, frozenset(d.paths), d.place) for d in deliveries(files, CONTRACTS)} == {
        (d.name, frozenset(d.paths), d.place) for d in found
    }


@given(FILES, st.data())
def test_what_was_handled_waits_no_more_until_a_mark_of_it_changes(files: list[InboxFile], data: st.DataObject) -> None:
    found = deliveries(files, CONTRACTS)
    marks = {file.path: list(file.marks) for file in files}
    handled = [{"name": d.name, "marks": {path: marks[path] for path in d.paths}} for d in found]
    assert unhandled(files, found, []) == found
    assert unhandled(files, found, handled) == []
    if not found:
        return
    touched = data.draw(st.sampled_from(found))
    path, mark = data.draw(st.sampled_from(touched.paths)), data.draw(st.integers(0, 3))
    changed = [
        InboxFile(f.path, (*f.marks[:mark], 99, *f.marks[mark + 1 :]), f.is_regular) if f.path == path else f for f in files
    ]
    assert unhandled(changed, found, handled) == [touched]


@pytest.mark.parametrize("name", UNFINISHED)
def test_unfinished_and_hidden_files_wait(name: str) -> None:
    assert grouped("/".join([*PLACE, name])) == []


def test_a_folder_is_one_delivery_once_it_is_closed() -> None:
    folder = "/".join([*PLACE, "spring"])
    assert grouped(f"{folder}/a.xlsx", f"{folder}/b.xlsx") == []
    assert grouped(f"{folder}/a.xlsx", f"{folder}/b.xlsx", f"{folder}/{READY_MARK}") == [
        Delivery(folder, (f"{folder}/a.xlsx", f"{folder}/b.xlsx"), PLACE)
    ]
    assert grouped(f"{folder}/{READY_MARK}") == []


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("a.csv", "does not lie in a folder that says its district"),
        ("philadelphia/a.csv", "does not lie in a folder"),
        ("philadelphia/school_directory/a.csv", "does not lie in a folder"),
        ("philadelphia/school_directory/2024-25/x/y/a.csv", "too deep"),
        ("Philadelphia/school_directory/2024-25/a.csv", "there is no district 'Philadelphia'; the districts are chicago, "),
        ("philadelphia/directory/2024-25/a.csv", "there is no extract 'directory'"),
        ("philadelphia/school_directory/2024/a.csv", "there is no school year '2024'; did you mean 2024-25?"),
        ("_inbox/school_directory/2024-25/a.csv", "there is no district '_inbox'"),
    ],
)
def test_a_misplaced_file_says_what_is_wrong_with_its_place(path: str, words: str) -> None:
    (delivery,) = grouped(path)
    assert delivery.place is None
    assert words in (delivery.problem or "")


# --- on disk ---


def test_an_inbox_that_is_not_there_yet_is_empty(tmp_path: Path) -> None:
    assert list_inbox(tmp_path / "nowhere") == []


def test_a_listing_that_fails_is_not_an_empty_inbox(inbox: Path, store: SubmissionStore, monkeypatch: pytest.MonkeyPatch) -> None:
    put(inbox, "a.csv", directory_csv())
    real = os.scandir

    def broken(path: str) -> object:
        if str(path).endswith("2024-25"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", broken)
    for look in (lambda: list_inbox(inbox), lambda: waiting(inbox, store), lambda: handle_inbox(inbox, CONTRACTS, store)):
        with pytest.raises(PermissionError):
            look()
    monkeypatch.undo()
    assert waiting(inbox, store) == ["/".join([*PLACE, "a.csv"])]


def test_a_file_is_handled_once(inbox: Path, store: SubmissionStore) -> None:
    put(inbox, "a.csv", directory_csv())
    assert waiting(inbox, store) == ["/".join([*PLACE, "a.csv"])]
    (handled,) = handle_inbox(inbox, CONTRACTS, store)
    assert [submission.state for submission in handled.submissions] == ["certified"]
    assert waiting(inbox, store) == []
    before = tree(store.storage.root)
    assert handle_inbox(inbox, CONTRACTS, store) == []
    assert tree(store.storage.root) == before


def test_the_file_itself_stays_as_it_was(inbox: Path, store: SubmissionStore) -> None:
    path = put(inbox, "a.csv", directory_csv())
    status = path.stat()
    handle_inbox(inbox, CONTRACTS, store)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (directory_csv(), status.st_mtime_ns)


def test_the_same_bytes_under_another_name_change_nothing_in_force(inbox: Path, store: SubmissionStore) -> None:
    put(inbox, "a.csv", directory_csv())
    handle_inbox(inbox, CONTRACTS, store)
    bring_up_to_date(store.storage, store, CONTRACTS)
    before = {
        name: content for name, content in tree(store.storage.root).items() if name.startswith(("submissions/phil", "lake"))
    }
    put(inbox, "b again.csv", directory_csv())
    (handled,) = handle_inbox(inbox, CONTRACTS, store)
    assert [submission.key.number for submission in handled.submissions] == [1]
    assert bring_up_to_date(store.storage, store, CONTRACTS) == []
    after = {name: content for name, content in tree(store.storage.root).items() if name.startswith(("submissions/phil", "lake"))}
    assert after == before
    assert waiting(inbox, store) == []


def test_a_touched_file_is_looked_at_and_recognised(inbox: Path, store: SubmissionStore) -> None:
    path = put(inbox, "a.csv", directory_csv())
    handle_inbox(inbox, CONTRACTS, store)
    os.utime(path, (1, 1))
    assert waiting(inbox, store) != []
    handle_inbox(inbox, CONTRACTS, store)
    assert waiting(inbox, store) == []
    assert len(all_submissions(store)) == 1


def test_a_file_with_new_content_is_the_next_submission(inbox: Path, store: SubmissionStore) -> None:
    put(inbox, "a.csv", directory_csv(3, 301))
    handle_inbox(inbox, CONTRACTS, store)
    put(inbox, "a.csv", directory_csv(3, 302))
    handle_inbox(inbox, CONTRACTS, store)
    assert [(s.key.number, s.state) for s in all_submissions(store)] == [(1, "superseded"), (2, "certified")]


def test_a_file_that_is_still_written_waits(inbox: Path, store: SubmissionStore, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(inbox, "a.csv", directory_csv())
    real = Path.read_bytes

    def read_while_written(self: Path) -> bytes:
        content = real(self)
        if self == path:
            path.write_bytes(content + b"004,,late,elementary,K,5,false,true,,,1,1,1,1,1\n")
        return content

    monkeypatch.setattr(Path, "read_bytes", read_while_written)
    assert handle_inbox(inbox, CONTRACTS, store) == []
    monkeypatch.undo()
    assert all_submissions(store) == []
    (handled,) = handle_inbox(inbox, CONTRACTS, store)
    assert (handled.submissions[0].screened or {})["lines"]["in"] == 4


def test_a_file_that_cannot_be_read_waits_and_holds_nobody_up(
    inbox: Path, store: SubmissionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = put(inbox, "a.csv", directory_csv(1))
    put(inbox, "b.csv", directory_csv(2))
    real = Path.read_bytes

    def read(self: Path) -> bytes:
        if self == locked:
            raise PermissionError(13, "Permission denied", str(self))
        return real(self)

    monkeypatch.setattr(Path, "read_bytes", read)
    outcomes = {outcome.name.rsplit("/", 1)[1]: outcome for outcome in handle_inbox(inbox, CONTRACTS, store)}
    assert "Permission denied" in str(outcomes["a.csv"].failure)
    assert outcomes["b.csv"].failure is None
    monkeypatch.undo()
    assert [s.received["files"][0]["name"] for s in all_submissions(store)] == ["b.csv"]
    assert waiting(inbox, store) == ["/".join([*PLACE, "a.csv"])]


def test_a_file_removed_meanwhile_is_left_out(inbox: Path, store: SubmissionStore, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(inbox, "a.csv", directory_csv())
    listed = list_inbox(inbox)
    path.unlink()
    monkeypatch.setattr(inbox_module, "list_inbox", lambda _: listed)
    assert handle_inbox(inbox, CONTRACTS, store) == []
    assert all_submissions(store) == []


def test_a_closed_folder_is_one_submission_and_an_open_one_waits(inbox: Path, store: SubmissionStore) -> None:
    one, two = directory_csv(1), directory_csv(1).replace(b"\n001,", b"\n002,")
    put(inbox, "spring/one.csv", one)
    put(inbox, "spring/two.csv", two)
    assert waiting(inbox, store) == []
    assert handle_inbox(inbox, CONTRACTS, store) == []
    put(inbox, f"spring/{READY_MARK}", b"")
    (handled,) = handle_inbox(inbox, CONTRACTS, store)
    (submission,) = handled.submissions
    assert [file["name"] for file in submission.received["files"]] == ["one.csv", "two.csv"]
    assert (submission.screened or {})["lines"] == {"in": 2, "used": 2, "dropped": {}}
    assert waiting(inbox, store) == []


def test_links_are_refused_and_never_followed(inbox: Path, store: SubmissionStore, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.csv").write_bytes(directory_csv(9))
    folder = inbox.joinpath(*PLACE)
    folder.mkdir(parents=True)
    (folder / "link.csv").symlink_to(outside / "secret.csv")
    (folder / "dangling.csv").symlink_to(outside / "nothing")
    (folder / "linked_folder").symlink_to(outside)
    (inbox / "chicago").symlink_to(outside)
    handled = handle_inbox(inbox, CONTRACTS, store)
    names = {"/".join([*PLACE, name]) for name in ("link.csv", "dangling.csv", "linked_folder")} | {"chicago"}
    assert {entry.name for entry in handled} == names
    assert {entry.problem for entry in handled} == {"this is a link or a device, not a file"}
    assert all_submissions(store) == []
    kept = tree(store.storage.path("submissions"))
    assert len(kept) == 4
    assert not any(directory_csv(9) == content for content in kept.values())
    assert waiting(inbox, store) == []


def test_a_file_that_becomes_a_link_after_it_was_listed_is_not_read(
    inbox: Path, store: SubmissionStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(inbox, "a.csv", directory_csv(1))
    listed = list_inbox(inbox)
    (tmp_path / "secret.csv").write_bytes(directory_csv(9))
    path.unlink()
    path.symlink_to(tmp_path / "secret.csv")
    monkeypatch.setattr(inbox_module, "list_inbox", lambda _: listed)
    assert handle_inbox(inbox, CONTRACTS, store) == []
    assert all_submissions(store) == []


def test_a_misplaced_file_is_one_finding_and_told_once(inbox: Path, store: SubmissionStore) -> None:
    (inbox / "readme.txt").write_text("hello")
    (handled,) = handle_inbox(inbox, CONTRACTS, store)
    assert handled.submissions == ()
    (record,) = store.handled()
    assert record["problem"] == "the file does not lie in a folder that says its district, extract and school year"
    assert record["how_to_fix"].startswith("Put the file into inbox/<district>/<extract>/<school year>/")
    assert handle_inbox(inbox, CONTRACTS, store) == []


def test_a_delivery_larger_than_accepted_is_not_read(
    inbox: Path, store: SubmissionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(inbox, "a.csv", directory_csv(50))
    size = path.stat().st_size

    def unread(self: Path) -> bytes:
        raise AssertionError(f"{self} was read")

    monkeypatch.setattr(Path, "read_bytes", unread)
    (handled,) = handle_inbox(inbox, CONTRACTS, store, ReadingLimits(max_bytes=1_000))
    assert handled.problem == f"the delivery has {size:,} bytes, more than 1,000"
    assert waiting(inbox, store) == []


HOSTILE = [
    "line\nbreak.csv",
    "carriage\rreturn.csv",
    "\x1b[2J\x1b[31mred.csv",
    "a..csv",
    "C:\\..\\..\\windows.csv",
    "%2e%2e%2fetc%2fpasswd",
    "a#1",
    "name with spaces & 'quotes' \"double\".csv",
    "=cmd|' calc'!A0.csv",
    "; rm -rf ~.csv",
    "<img src=x onerror=alert(1)>.csv",
    "\u202egnp.csv",
    "\U0001f9ee\u0301 na\u00efve \u5b66\u6821.csv",
    "x" * 250 + ".csv",
    "CON",
    "-rf",
]


@pytest.mark.parametrize("name", HOSTILE, ids=[ascii(name)[:30] for name in HOSTILE])
def test_a_hostile_name_is_only_a_name(inbox: Path, store: SubmissionStore, name: str) -> None:
    put(inbox, name, directory_csv())
    (handled,) = handle_inbox(inbox, CONTRACTS, store)
    (submission,) = handled.submissions
    assert submission.state == "certified"
    assert submission.received["files"][0]["name"] == name
    outside = [path for path in tree(store.storage.root) if not path.startswith(("inbox/", "submissions/"))]
    assert outside == []
    kept = [path for path in tree(store.storage.root) if path.startswith("submissions/")]
    assert all(path.isascii() and len(path) < 200 and "\n" not in path for path in kept)
    assert waiting(inbox, store) == []


def test_a_name_that_is_not_utf_8_holds_nobody_up(inbox: Path, store: SubmissionStore) -> None:
    folder = os.fsencode(inbox.joinpath(*PLACE))
    inbox.joinpath(*PLACE).mkdir(parents=True)
    for name, content in (
        (b"\xff\xfe.csv", directory_csv(1)),
        (b"bad \xe9.csv", b"\xe9\xe8 not a table"),
        (b"zz.csv", directory_csv(2)),
    ):
        with open(folder + b"/" + name, "wb") as file:  # noqa: PTH123 - pathlib takes no bytes
            file.write(content)
    with open(os.fsencode(inbox) + b"/\xff misplaced", "wb"):  # noqa: PTH123
        pass
    handled = handle_inbox(inbox, CONTRACTS, store)
    assert len(handled) == 4
    assert len(all_submissions(store)) == 3
    assert waiting(inbox, store) == []
    assert handle_inbox(inbox, CONTRACTS, store) == []


def test_many_files_at_once_are_all_handled(inbox: Path, store: SubmissionStore) -> None:
    districts = ["chicago", "houston", "los_angeles", "miami_dade", "philadelphia"]
    for number in range(15):
        drop(inbox, districts[number % 5], "school_directory", "2024-25", f"{number}.csv", directory_csv(3, 900 + number))
    said: list[str] = []
    handled = handle_inbox(inbox, CONTRACTS, store, progress=said.append)
    assert (len(handled), len(said)) == (15, 15)
    assert waiting(inbox, store) == []
    assert len(all_submissions(store)) == 15
    assert [s.key.number for s in in_force(store)] == [3] * 5
    assert len(bring_up_to_date(store.storage, store, CONTRACTS)) == 5


def test_a_broken_file_among_good_ones_holds_nobody_up(inbox: Path, store: SubmissionStore) -> None:
    put(inbox, "a.csv", b"\x00\x01\x02")
    put(inbox, "b.csv", b"")
    put(inbox, "c.csv", directory_csv())
    put(inbox, "d.csv", DIRECTORY.encode())
    outcomes = {handled.name.rsplit("/", 1)[1]: handled.submissions[0].state for handled in handle_inbox(inbox, CONTRACTS, store)}
    assert outcomes == {"a.csv": "unreadable", "b.csv": "unreadable", "c.csv": "certified", "d.csv": "unreadable"}


@settings(max_examples=20, deadline=None)
@given(st.lists(st.sampled_from([*UNFINISHED, "a.csv"]), unique=True))
def test_only_finished_files_count(names: list[str]) -> None:
    assert [delivery.paths for delivery in grouped(*("/".join([*PLACE, name]) for name in names))] == [
        ("/".join([*PLACE, name]),) for name in names if name == "a.csv"
    ]


def test_a_file_that_is_still_being_copied_waits(inbox: Path, store: SubmissionStore, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = directory_csv(40)
    path = put(inbox, "a.csv", whole[: len(whole) // 2])

    def copy_goes_on(seconds: float) -> None:
        path.write_bytes(whole)

    monkeypatch.setattr(inbox_module.time, "sleep", copy_goes_on)
    assert handle_inbox(inbox, CONTRACTS, store) == []
    assert all_submissions(store) == []
    monkeypatch.undo()
    (handled,) = handle_inbox(inbox, CONTRACTS, store)
    assert handled.submissions[0].screened is not None
    assert handled.submissions[0].screened["rows"]["used"] == 40


@pytest.mark.parametrize("unfinished", ["3.csv.part", ".3.csv.swp"])
def test_a_folder_with_an_unfinished_file_waits_whole(inbox: Path, store: SubmissionStore, unfinished: str) -> None:
    for name in ("fast/1.csv", f"fast/{unfinished}", "fast/_READY"):
        put(inbox, name, directory_csv())
    assert handle_inbox(inbox, CONTRACTS, store) == []


def test_a_folder_with_a_link_is_one_finding_and_nothing_of_it_is_taken(inbox: Path, store: SubmissionStore) -> None:
    path = put(inbox, "fast/1.csv", directory_csv())
    put(inbox, "fast/_READY", b"")
    (path.parent / "2.csv").symlink_to(path)
    (handled,) = handle_inbox(inbox, CONTRACTS, store)
    assert "2.csv: this is a link" in str(handled.problem)
    assert all_submissions(store) == []

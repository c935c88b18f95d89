"""Processes that are really killed (signal 9), disks that are full, listings that fail: the next look finishes the work.

Every case ends with the ledger, the outbox and the lake that an undisturbed run gives.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipelines import flow
from pipelines.intake import inbox as inbox_module
from pipelines.intake.desk import Identity
from pipelines.settings import PROJECT_ROOT, Settings
from pipelines.storage import Storage
from tests.deliveries import directory_csv, drop

PLACE = ("philadelphia", "school_directory", "2024-25")
TIMES = ("received_at", "screened_at", "certified_at")

KILLED_AT_A_WRITE = """
import os, signal, sys
from pathlib import Path
from pipelines import flow
from pipelines.intake import inbox
from pipelines.settings import Settings
from pipelines.storage import Storage

home, dies_at, how = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
inbox.SETTLE_SECONDS = 0.0
n_changes = 0

def counted(change):
    def call(self, key, *content):
        global n_changes
        n_changes += 1
        if n_changes == dies_at:
            if how == "half" and content:
                path = self.path(key)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.with_name(path.name + "#1").write_bytes(content[0][: len(content[0]) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        return change(self, key, *content)
    return call

for name in ("write", "create", "delete"):
    setattr(Storage, name, counted(getattr(Storage, name)))
opened = flow.Home(Settings(home=home, work=home / "work"))
flow.screen_inbox(opened)
flow.update_lake(opened)
print(n_changes)
"""


def fill(inbox: Path) -> None:
    """One good file, its successor, one of two years in a folder, one broken, one misplaced and one that is personal."""
    drop(inbox, *PLACE, "1 good.csv", directory_csv(3))
    drop(inbox, *PLACE, "2 broken.csv", directory_csv(2).replace(b"elementary", b"primary"))
    drop(inbox, *PLACE, "3 later.csv", directory_csv(3, 310))
    folder = inbox.joinpath(*PLACE) / "4 two"
    folder.mkdir()
    for year in ("2024-25", "2023-24"):
        (folder / f"{year}.csv").write_bytes(directory_csv(3, 305, year))
    (folder / "_READY").touch()
    people = "\n".join(f"90{i:05d},Ana,Lopez,2014-05-{i:02d}" for i in range(1, 20))
    drop(inbox, *PLACE, "5 people.csv", f"student_id,first_name,last_name,date_of_birth\n{people}\n".encode())
    (inbox / "readme.txt").write_text("hello")


def home_at(folder: Path) -> flow.Home:
    return flow.Home(Settings(home=folder, work=folder / "work"))


def picture(home: flow.Home) -> dict[str, Any]:
    """Everything that must be the same whatever happened on the way; only times differ."""
    table = flow.status_table(home).drop(TIMES)
    events = {
        s.key.submission_id: [
            {k: v for k, v in event.items() if k not in ("at", "previous", "rules_sha256")} for event in s.events
        ]
        for s in flow.all_submissions(home.store)
    }
    keys = home.storage.keys("")
    return {
        "ledger": table.to_dicts(),
        "events": events,
        "lake": {key: home.storage.read(key) for key in keys if key.startswith("lake/")},
        "names": sorted(k for k in keys if not k.startswith("work/")),
        "handled": sorted((r["name"], r["problem"], tuple(r["submissions"])) for r in home.store.handled()),
        "results": {
            k: {n: v for n, v in json.loads(home.storage.read(k)).items() if n != "as_of_event"}
            for k in keys
            if k.startswith("outbox/") and k.endswith("result.json")
        },
    }


def finish(home: flow.Home) -> None:
    flow.screen_inbox(home)
    flow.update_lake(home)


def run_killed(home: Path, dies_at: int, how: str = "whole") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", KILLED_AT_A_WRITE, str(home), str(dies_at), how]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT_ROOT)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], int]:
    home = tmp_path_factory.mktemp("undisturbed")
    fill(home / "inbox")
    done = run_killed(home, 0)
    assert done.returncode == 0, done.stderr
    return picture(home_at(home)), int(done.stdout)


def test_what_an_undisturbed_run_gives(undisturbed: tuple[dict[str, Any], int]) -> None:
    seen, n_changes = undisturbed
    assert [(row["submission_id"][-11:], row["state"]) for row in seen["ledger"]] == [
        ("2023-24/001", "certified"),
        ("2024-25/001", "superseded"),
        ("2024-25/002", "superseded"),
        ("2024-25/003", "superseded"),
        ("2024-25/004", "certified"),
    ]
    assert n_changes > 40
    assert not any("people" in name for name in seen["names"])
    assert sum("/refused/" in name for name in seen["names"]) == 2


def test_killed_at_every_step_nothing_is_lost_and_nothing_doubled(
    undisturbed: tuple[dict[str, Any], int], tmp_path: Path
) -> None:
    """Killed before each of its changes, which is after each as well; every third time with half a file left behind."""
    expected, n_changes = undisturbed
    for dies_at in range(1, n_changes + 1):
        home = tmp_path / str(dies_at)
        fill(home / "inbox")
        done = run_killed(home, dies_at, "half" if dies_at % 3 == 0 else "whole")
        assert done.returncode == -signal.SIGKILL, f"{dies_at}: {done.stderr}"
        for left in home.rglob("*#1"):
            left.unlink()
        again = home_at(home)
        finish(again)
        assert picture(again) == expected, f"killed at change {dies_at} of {n_changes}"
        assert flow.waiting(again) == []


class FullDisk(Storage):
    """From the n-th change on, nothing can be written."""

    def __init__(self, root: Path, full_from: int) -> None:
        super().__init__(root)
        self.n_changes, self.full_from = 0, full_from

    def _count(self) -> None:
        self.n_changes += 1
        if self.n_changes >= self.full_from:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def write(self, key: str, content: bytes) -> None:
        self._count()
        super().write(key, content)

    def create(self, key: str, content: bytes) -> bool:
        self._count()
        return super().create(key, content)


def test_a_full_disk_is_told_and_the_next_look_finishes(undisturbed: tuple[dict[str, Any], int], tmp_path: Path) -> None:
    expected, n_changes = undisturbed
    for full_from in range(1, n_changes + 1, 5):
        folder = tmp_path / str(full_from)
        fill(folder / "inbox")
        home = home_at(folder)
        full = FullDisk(folder, full_from)
        object.__setattr__(home, "storage", full)
        object.__setattr__(home, "store", flow.SubmissionStore(full))
        said: list[str] = []
        try:
            flow.screen_inbox(home, said.append)
            flow.update_lake(home)
        except OSError as error:
            said.append(str(error))
        assert any("No space left" in words for words in said), said
        again = home_at(folder)
        finish(again)
        assert picture(again) == expected, f"disk full from change {full_from}"


def test_a_listing_that_fails_half_way_is_not_an_empty_inbox(
    undisturbed: tuple[dict[str, Any], int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, _ = undisturbed
    fill(tmp_path / "inbox")
    home = home_at(tmp_path)
    true_walk = os.walk

    def failing(top: Any, **options: Any) -> Any:
        for position, entry in enumerate(true_walk(top, **options)):
            if position == 4:
                options["onerror"](PermissionError(errno.EACCES, "Permission denied", entry[0]))
            yield entry

    monkeypatch.setattr(inbox_module.os, "walk", failing)
    with pytest.raises(PermissionError):
        finish(home)
    monkeypatch.undo()
    monkeypatch.setattr(inbox_module, "SETTLE_SECONDS", 0.0)
    finish(home)
    assert picture(home) == expected


def test_two_processes_at_one_inbox_do_the_work_once(undisturbed: tuple[dict[str, Any], int], tmp_path: Path) -> None:
    expected, _ = undisturbed
    fill(tmp_path / "inbox")
    command = [sys.executable, "-c", KILLED_AT_A_WRITE, str(tmp_path), "0", "whole"]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT_ROOT)}
    processes = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    ended = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], ended
    home = home_at(tmp_path)
    finish(home)
    seen = picture(home)
    for part in ("lake", "handled"):
        assert seen[part] == expected[part]
    assert [(r["submission_id"], r["state"], r["lines_used"]) for r in seen["ledger"]] == [
        (r["submission_id"], r["state"], r["lines_used"]) for r in expected["ledger"]
    ]


def test_fifty_files_at_once(tmp_path: Path) -> None:
    for number in range(50):
        drop(tmp_path / "inbox", *PLACE, f"{number:02d}.csv", directory_csv(3, 300 + number))
    home = home_at(tmp_path)
    finish(home)
    table = flow.status_table(home)
    assert table["state"].to_list() == ["superseded"] * 49 + ["certified"]
    assert flow.waiting(home) == []
    before = {key: home.storage.read(key) for key in home.storage.keys("")}
    finish(home)
    assert {key: home.storage.read(key) for key in home.storage.keys("")} == before


def test_replaying_the_store_gives_the_same_lake_to_the_byte(tmp_path: Path) -> None:
    """Everything but what was delivered and decided is thrown away and made again; then even the rows, from the bytes."""
    fill(tmp_path / "inbox")
    home = home_at(tmp_path)
    finish(home)
    lake = {key: home.storage.read(key) for key in home.storage.keys("lake")}
    assert len(lake) > 2
    for key in lake:
        home.storage.delete(key)
    flow.update_lake(home_at(tmp_path))
    assert {key: home.storage.read(key) for key in home.storage.keys("lake")} == lake
    for submission in flow.in_force(home.store):
        screened = submission.screened or {}
        files = home.store.files(submission.key, submission.received)
        desk = home.desk(Identity("anybody"))
        key = submission.key
        found, _ = desk.check(files, key.district, key.extract, key.school_year)
        assert home.store.write_table(key, "rows", found.rows) == screened["rows_sha256"]

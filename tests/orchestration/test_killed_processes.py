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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines import flow
from pipelines.intake import deliveries as deliveries_module
from pipelines.intake import inbox as inbox_module
from pipelines.intake.desk import Identity
from pipelines.settings import PROJECT_ROOT, Settings
from pipelines.storage import Storage
from tests.deliveries import directory_csv, drop
from tests.screened_once import ScreenedOnce

PLACE = ("philadelphia", "school_directory", "2024-25")
TIMES = ("received_at", "screened_at", "certified_at")

KILLED_AT_A_WRITE = """
import json, os, signal, sys
from pathlib import Path
import pyarrow
from pipelines import flow
from pipelines.intake import deliveries, inbox
from pipelines.settings import Settings
from pipelines.storage import Storage
from tests.screened_once import ScreenedOnce

inbox.SETTLE_SECONDS = 0.0
screened = Path(sys.argv[1])
n_changes = 0
# One process has imported everything and forks for each order, which saves a start of a second or two each time.
for order in sys.stdin:
    home, dies_at, how = order.rstrip().split("|")
    home, dies_at = Path(home), int(dies_at)
    child = os.fork()
    if child == 0:
        break
    print(json.dumps({"returncode": os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}), flush=True)
else:
    sys.exit(0)

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
deliveries.screen = ScreenedOnce()
deliveries.screen.read(screened)
opened = flow.Home(Settings(home=home, work=home / "work"))
flow.screen_inbox(opened)
flow.update_lake(opened)
deliveries.screen.write(screened)
print(json.dumps({"n_changes": n_changes}), flush=True)
os._exit(0)
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


class Killed:
    """Runs the flow over homes, each in a process of its own that kills itself at a change of its storage (0: never).

    What a run that came to its end has screened stands in the file `screened`, and those after it do not screen it again.
    """

    def __init__(self, screened: Path) -> None:
        self.screened = screened
        self.process = subprocess.Popen(
            [sys.executable, "-c", KILLED_AT_A_WRITE, str(screened)],
            env={**os.environ, "PYTHONPATH": str(PROJECT_ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def order(self, home: Path, dies_at: int, how: str = "whole") -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{home}|{dies_at}|{how}\n")
        self.process.stdin.flush()

    def answer(self) -> dict[str, int]:
        """What the run said of itself (`n_changes`, where it came to its end) and its `returncode`."""
        assert self.process.stdout is not None
        said: dict[str, int] = {}
        while "returncode" not in said:
            said |= json.loads(self.process.stdout.readline())
        return said

    def run(self, home: Path, dies_at: int, how: str = "whole") -> dict[str, int]:
        self.order(home, dies_at, how)
        return self.answer()

    def end(self) -> None:
        self.process.communicate(timeout=60)


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killed]:
    process = Killed(tmp_path_factory.mktemp("screened") / "once")
    yield process
    process.end()


@pytest.fixture
def screened_once(monkeypatch: pytest.MonkeyPatch, undisturbed: tuple[dict[str, Any], int], killed: Killed) -> None:
    """This process does not screen again either what the undisturbed run has screened."""
    known = ScreenedOnce()
    known.read(killed.screened)
    assert undisturbed
    assert len(known.known) >= 5
    monkeypatch.setattr(deliveries_module, "screen", known)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, killed: Killed) -> tuple[dict[str, Any], int]:
    home = tmp_path_factory.mktemp("undisturbed")
    fill(home / "inbox")
    done = killed.run(home, 0)
    assert done["returncode"] == 0
    return picture(home_at(home)), done["n_changes"]


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


@pytest.mark.usefixtures("screened_once")
def test_killed_at_every_step_nothing_is_lost_and_nothing_doubled(
    undisturbed: tuple[dict[str, Any], int], killed: Killed, tmp_path: Path
) -> None:
    """Killed before every other of its changes; every third time with half a file left behind. What stands between two changes
    in a submission's own folder is killed at every write elsewhere.
    """
    expected, n_changes = undisturbed
    for dies_at in range(1, n_changes + 1, 2):
        home = tmp_path / str(dies_at)
        fill(home / "inbox")
        done = killed.run(home, dies_at, "half" if dies_at % 3 == 0 else "whole")
        assert done["returncode"] == -signal.SIGKILL, f"{dies_at}: {done}"
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


@pytest.mark.usefixtures("screened_once")
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
    """Each screens by itself."""
    expected, _ = undisturbed
    folder = tmp_path / "home"
    fill(folder / "inbox")
    processes = [Killed(tmp_path / str(number)) for number in range(2)]
    for process in processes:
        process.order(folder, 0)
    assert [process.answer()["returncode"] for process in processes] == [0, 0]
    for process in processes:
        process.end()
    home = home_at(folder)
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

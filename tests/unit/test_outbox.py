"""The outbox: what a sender by inbox finds there, that it follows the submission, and that it never holds what it must not."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines import flow
from pipelines.intake.desk import Identity
from pipelines.intake.outbox import WebhookFailed, notify
from pipelines.intake.receipts import parse_receipt, prove
from pipelines.settings import Settings, SettingsError
from tests.deliveries import directory_csv, drop

PLACE = ("philadelphia", "school_directory", "2024-25")
FOLDER = "outbox/philadelphia/school_directory/2024-25"
BROKEN = directory_csv().replace(b"elementary", b"primary")


def home_at(folder: Path, webhook: str | None = None) -> flow.Home:
    return flow.Home(Settings(home=folder, work=folder / "work", webhook=webhook))


@pytest.fixture
def home(tmp_path: Path) -> flow.Home:
    return home_at(tmp_path / "home")


def names(home: flow.Home, under: str = "outbox") -> list[str]:
    return [key.removeprefix(under + "/") for key in home.storage.keys(under)]


def test_findings_and_the_senders_own_file_come_back(home: flow.Home) -> None:
    drop(home.inbox, *PLACE, "my schools.csv", BROKEN)
    flow.screen_inbox(home)
    assert names(home, f"{FOLDER}/001") == [
        "findings.csv",
        "result.json",
        "result.txt",
        "with_findings/my schools_with_findings.csv",
    ]
    found = pl.read_csv(home.storage.path(f"{FOLDER}/001/findings.csv"), infer_schema=False)
    assert found["line"].to_list() == ["2", "3", "4"]
    assert set(found["submission_id"]) == {"philadelphia/school_directory/2024-25/001"}
    text = home.storage.read(f"{FOLDER}/001/result.txt").decode()
    assert "Something in the files must be corrected." in text
    assert "SD-S-CODE (must be corrected): 3 found, first in line 2." in text
    mine = home.storage.read(f"{FOLDER}/001/with_findings/my schools_with_findings.csv").decode("utf-8-sig")
    assert mine.splitlines()[0].endswith("nmip_line,nmip_findings")
    assert mine.count("SD-S-CODE") == 3


def test_a_certified_submission_leaves_a_receipt_that_can_be_proven(home: flow.Home) -> None:
    drop(home.inbox, *PLACE, "a.csv", directory_csv())
    flow.screen_inbox(home)
    assert names(home, f"{FOLDER}/001") == ["receipt.json", "result.json", "result.txt"]
    receipt = parse_receipt(home.storage.read(f"{FOLDER}/001/receipt.json"))
    assert receipt is not None
    assert prove(receipt, [("a.csv", directory_csv())]).problems == ()


def test_it_follows_the_submission(home: flow.Home) -> None:
    drop(home.inbox, *PLACE, "a.csv", directory_csv())
    flow.screen_inbox(home)
    drop(home.inbox, *PLACE, "b.csv", directory_csv(3, 310))
    flow.screen_inbox(home)
    states = [json.loads(home.storage.read(f"{FOLDER}/00{n}/result.json"))["state"] for n in (1, 2)]
    assert states == ["superseded", "certified"]
    drop(home.inbox, *PLACE, "c.csv", BROKEN)
    flow.screen_inbox(home)
    home.desk(Identity("me")).withdraw("philadelphia/school_directory/2024-25/003", "Wrong file.")
    assert json.loads(home.storage.read(f"{FOLDER}/003/result.json"))["state"] == "withdrawn"
    assert flow.waiting(home) == []


def test_a_lost_outbox_is_made_again(home: flow.Home) -> None:
    drop(home.inbox, *PLACE, "a.csv", BROKEN)
    flow.screen_inbox(home)
    before = {key: home.storage.read(key) for key in home.storage.keys("outbox")}
    for key in before:
        home.storage.delete(key)
    assert flow.waiting(home) == ["philadelphia/school_directory/2024-25/001"]
    flow.screen_inbox(home)
    assert {key: home.storage.read(key) for key in home.storage.keys("outbox")} == before


def test_by_command_line_nothing_goes_to_the_outbox(home: flow.Home) -> None:
    from pipelines.intake.reading import DeliveredFile

    home.desk(Identity("me")).submit([DeliveredFile("a.csv", BROKEN)], *PLACE, "command line")
    flow.screen_inbox(home)
    assert names(home) == []


def test_a_file_that_cannot_be_taken_is_told_where_its_district_looks(home: flow.Home) -> None:
    drop(home.inbox, *PLACE[:2], "2024", "x\x1b[31m.csv", b"x")
    (home.inbox / "readme.txt").write_text("hello")
    flow.screen_inbox(home)
    told = sorted(names(home))
    assert [name.split("/")[:2] for name in told] == [["philadelphia", "refused"], ["unplaced", "refused"]]
    text = home.storage.read(f"outbox/{told[0]}").decode()
    assert "there is no school year '2024'" in text
    assert "\x1b" not in text


def test_personal_data_leave_only_the_names_of_columns(home: flow.Home) -> None:
    people = "\n".join(f"90{i:05d},Ana,Lopez,2014-05-{i:02d}" for i in range(1, 20))
    content = f"student_id,first_name,last_name,date_of_birth\n{people}\n".encode()
    path = drop(home.inbox, *PLACE, "people.csv", content)
    flow.screen_inbox(home)
    assert not path.exists()
    everything = b"\n".join(home.storage.read(key) for key in home.storage.keys(""))
    assert b"Lopez" not in everything
    assert b"9000001" not in everything
    (note,) = names(home)
    assert "student_id" in home.storage.read(f"outbox/{note}").decode()
    assert flow.status_table(home).is_empty()


PEOPLE = "student_id,first_name,last_name,date_of_birth\n" + "\n".join(
    f"90{i:05d},Ana,Lopez,2014-05-{i:02d}" for i in range(1, 20)
)


def test_personal_data_in_the_wrong_place_are_deleted_too(home: flow.Home) -> None:
    path = drop(home.inbox, "philadelphia", "x", "y", "people.csv", PEOPLE.encode())
    flow.screen_inbox(home)
    assert not path.exists()
    (note,) = names(home)
    assert "It was deleted from the inbox" in home.storage.read(f"outbox/{note}").decode()


def test_of_a_folder_only_the_personal_file_is_deleted(home: flow.Home) -> None:
    good = drop(home.inbox, *PLACE, "two/directory.csv", directory_csv())
    people = drop(home.inbox, *PLACE, "two/people.csv", PEOPLE.encode())
    (good.parent / "_READY").touch()
    flow.screen_inbox(home)
    assert (good.exists(), people.exists()) == (True, False)
    (note,) = names(home)
    text = home.storage.read(f"outbox/{note}").decode()
    assert "people.csv: " in text
    assert "Then send the other files again." in text


def test_companions_of_other_systems_hold_nothing_up(home: flow.Home) -> None:
    good = drop(home.inbox, *PLACE, "two/directory.csv", directory_csv())
    for name in ("._directory.csv", ".DS_Store", "_READY"):
        (good.parent / name).write_bytes(b"")
    flow.screen_inbox(home)
    assert flow.status_table(home)["state"].to_list() == ["certified"]
    locked = drop(home.inbox, *PLACE, "three/directory.csv", directory_csv(4))
    for name in ("~$directory.xlsx", "_READY"):
        (locked.parent / name).write_bytes(b"")
    assert flow.unclosed(home) == ["philadelphia/school_directory/2024-25/three"]


class Receiver(BaseHTTPRequestHandler):
    """Keeps what is posted; answers with the status that the test set."""

    got: list[dict[str, Any]]
    status = 200

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.status == 200:
            self.got.append(json.loads(body))
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def receiver() -> Iterator[type[Receiver]]:
    handler = type("OwnReceiver", (Receiver,), {"got": [], "status": 200})
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    handler.url = f"http://127.0.0.1:{server.server_port}/"  # type: ignore[attr-defined]
    yield handler
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_webhook_is_told_once_and_again_after_a_failure(tmp_path: Path, receiver: Any) -> None:
    home = home_at(tmp_path / "home", receiver.url)
    drop(home.inbox, *PLACE, "a.csv", BROKEN)
    receiver.status = 503
    said: list[str] = []
    flow.screen_inbox(home, said.append)
    assert any("webhook" in words for words in said)
    receiver.status = 200
    flow.screen_inbox(home)
    flow.screen_inbox(home)
    (result,) = receiver.got
    assert (result["state"], result["rules"][0]["rule_id"]) == ("corrections_needed", "SD-S-CODE")
    assert "School 1" not in json.dumps(result)


def test_a_webhook_is_an_address_of_the_web(home: flow.Home) -> None:
    with pytest.raises(SettingsError, match="NMIP_WEBHOOK"):
        Settings.from_environment({"NMIP_HOME": "/tmp/x", "NMIP_WEBHOOK": "file:///etc/passwd"})  # noqa: S108
    drop(home.inbox, *PLACE, "a.csv", BROKEN)
    flow.screen_inbox(home)
    (submission,) = flow.all_submissions(home.store)
    with pytest.raises(WebhookFailed):
        notify(home.store, home.settings.contracts, submission, "file:///etc/passwd")

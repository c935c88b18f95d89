"""Files that cannot be used: one clear message, the documented exit code, and nothing that was in force changes."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest
import xlsxwriter
from click.testing import CliRunner

from pipelines.cli import nmip
from pipelines.intake.inbox import handle_inbox, waiting_deliveries
from pipelines.intake.store import SubmissionStore
from pipelines.intake.submission import all_submissions, in_force, read_findings
from pipelines.lake.partitions import bring_up_to_date
from pipelines.settings import PROJECT_ROOT
from pipelines.storage import Storage
from tests.deliveries import DIRECTORY, directory_csv, drop

CONTRACTS = PROJECT_ROOT / "data_contracts"
PLACE = ("philadelphia", "school_directory", "2024-25")
OPTIONS = ["--district", PLACE[0], "--extract", PLACE[1], "--school-year", PLACE[2]]


def workbook() -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for number, line in enumerate(directory_csv(50).decode().split("\n")):
            sheet.write_row(number, 0, line.split(","))
    return buffer.getvalue()


def zip_bomb() -> bytes:
    """A workbook of a few hundred KB one part of which unpacks to 300 MB."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w") as part:
            for _ in range(300):
                part.write(b" " * 1024**2)
    return buffer.getvalue()


class Bad(NamedTuple):
    """A file, the rule that stops it, its number of findings, the exit code, and words that the message must hold."""

    name: str
    content: bytes
    rules: dict[str, int]
    exit_code: int
    words: str


BAD = {
    "empty": Bad("a.csv", b"", {"READ-EMPTY": 1}, 2, "The file is empty (0 bytes)."),
    "binary": Bad("a.csv", bytes(range(256)) * 40, {"READ-BINARY": 1}, 2, "neither text nor a format that is read here"),
    "wrong columns": Bad(
        "a.csv",
        b"fruit,price\napple,1\n",
        {"SD-S-COLUMN-MISSING": 14, "SD-S-COLUMN-UNKNOWN": 2},
        1,
        "the column school_id is missing",
    ),
    "misnamed column": Bad(
        "a.csv",
        directory_csv(20).replace(b"school_level", b"School Lvl", 1),
        {"SD-S-COLUMN-MISSING": 1},
        1,
        'the column school_level is missing; the file has "School Lvl", which looks like it',
    ),
    "misnamed number": Bad(
        "a.csv",
        directory_csv(20).replace(b"n_english_learner", b"N_ENGLISH_LEARNER", 1),
        {"SD-S-COLUMN-MISSING": 1},
        1,
        'the column n_english_learner is missing; the file has "N_ENGLISH_LEARNER", which looks like it',
    ),
    "wrong encoding": Bad(
        "a.csv",
        directory_csv().replace(b"School 1", "Escuela Peña Núñez".encode() + b"\xff\xfe"),
        {"READ-ENCODING": 1},
        2,
        "line 2: The text is UTF-8 except for a few damaged characters.",
    ),
    "truncated workbook": Bad("a.xlsx", workbook()[:-2000], {"READ-TRUNCATED": 1}, 2, "damaged or incomplete"),
    "zip bomb": Bad("a.xlsx", zip_bomb(), {"READ-EXPANSION": 1}, 2, "refused because of what it unpacks to"),
    "no rows": Bad("a.csv", DIRECTORY.encode() + b"\n", {"READ-NO-ROWS": 1}, 2, "column names and no row of data"),
    "duplicate keys": Bad(
        "a.csv",
        directory_csv(3).replace(b"\n003,", b"\n001,"),
        {"SD-V-KEY-DUPLICATE": 2},
        1,
        "line 2 (school_id 001): the same key also stands in line 4; 2 rows have this key",
    ),
    "path in the name": Bad(
        "C:\\..\\%2e%2e%2f etc \x1b[31m\npasswd", b"", {"READ-EMPTY": 1}, 2, "The file is empty (0 bytes)."
    ),
}  # fmt: skip
CASES = pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def delivered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to put the file into; the home beside it does not exist yet, and the working folder is empty."""
    (tmp_path / "working").mkdir()
    (tmp_path / "sent").mkdir()
    monkeypatch.chdir(tmp_path / "working")
    monkeypatch.setenv("NMIP_HOME", str(tmp_path / "home"))
    return tmp_path / "sent"


@CASES
def test_check_says_it_once_and_changes_nothing(bad: Bad, delivered: Path) -> None:
    path = delivered / bad.name
    path.write_bytes(bad.content)
    before = tree(delivered.parent)
    result = CliRunner().invoke(nmip, ["check", str(path), *OPTIONS])
    assert result.exit_code == bad.exit_code
    assert isinstance(result.exception, SystemExit)
    assert result.output.count(bad.words) == 1
    assert "Traceback" not in result.output
    assert "\x1b" not in result.output
    for rule_id, n_findings in bad.rules.items():
        assert f"{rule_id}  {n_findings} finding{'s' if n_findings > 1 else ''}, blocks" in result.output
    assert result.output.count(", blocks") == result.output.count("To fix: ") == len(bad.rules)
    assert tree(delivered.parent) == before
    assert not (delivered.parent / "home").exists()


@CASES
def test_check_says_the_same_as_json(bad: Bad, delivered: Path) -> None:
    path = delivered / bad.name
    path.write_bytes(bad.content)
    result = CliRunner().invoke(nmip, ["check", str(path), *OPTIONS, "--json"])
    assert result.exit_code == bad.exit_code
    report = json.loads(result.stdout)
    assert report["is_blocked"] is True
    assert {rule["rule_id"]: rule["n_findings"] for rule in report["rules"]} == bad.rules


@pytest.mark.parametrize("case", ["zip bomb", "misnamed column"])
def test_check_in_a_process_of_its_own(case: str, delivered: Path) -> None:
    bad = BAD[case]
    (delivered / bad.name).write_bytes(bad.content)
    before = tree(delivered.parent)
    done = subprocess.run(
        [sys.executable, "-B", "-m", "pipelines.cli", "check", str(delivered / bad.name), *OPTIONS],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONPATH": str(PROJECT_ROOT)},
    )
    assert done.returncode == bad.exit_code
    assert done.stdout.count(bad.words) == 1
    assert done.stderr == ""
    assert tree(delivered.parent) == before


def test_a_file_with_other_columns_for_a_district_with_a_mapping_is_one_finding(delivered: Path) -> None:
    path = delivered / "a.csv"
    path.write_bytes(b"fruit,price\napple,1\n")
    options = ["--district", "chicago", "--extract", "assessment_levels", "--school-year", "2022-23"]
    result = CliRunner().invoke(nmip, ["check", str(path), *options])
    assert result.exit_code == 1
    assert result.output.count("the mapping of this district does not fit the file") == 1
    assert "MAP-COLUMN  1 finding, blocks" in result.output


@CASES
def test_by_inbox_nothing_in_force_changes(bad: Bad, tmp_path: Path) -> None:
    storage = Storage(tmp_path / "home")
    store = SubmissionStore(storage)
    inbox = tmp_path / "home" / "inbox"
    drop(inbox, *PLACE, "good.csv", directory_csv())
    handle_inbox(inbox, CONTRACTS, store)
    bring_up_to_date(storage, store, CONTRACTS)
    before = {name: content for name, content in tree(tmp_path / "home").items() if not name.startswith("inbox/")}
    assert any(name.endswith("extract.parquet") for name in before)

    drop(inbox, *PLACE, bad.name, bad.content)
    (handled,) = handle_inbox(inbox, CONTRACTS, store)
    assert bring_up_to_date(storage, store, CONTRACTS) == []

    (submission,) = handled.submissions
    assert submission.state == ("unreadable" if bad.exit_code == 2 else "corrections_needed")
    assert (submission.screened or {})["findings"] == bad.rules
    assert read_findings(store, submission)["message"].str.contains("Traceback").any() is False
    after = tree(tmp_path / "home")
    assert {name: after[name] for name in before} == before
    new = {name for name in after if name not in before and not name.startswith(("inbox/", "submissions/_inbox/"))}
    assert all(name.startswith(f"{submission.key.folder}/") for name in new)
    assert [s.key.number for s in in_force(store)] == [1]
    assert [s.state for s in all_submissions(store)] == ["certified", submission.state]
    assert list(waiting_deliveries(inbox, CONTRACTS, store)) == []

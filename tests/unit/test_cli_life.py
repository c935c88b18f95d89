"""The command line through a submission's life: acknowledge, diff, sign with a note, withdraw, receipt, watch, exports."""

from __future__ import annotations

import csv
import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result

from pipelines import flow
from pipelines.cli import nmip
from pipelines.cli.words import libraries_speak_aside
from pipelines.intake.desk import Desk, Identity, identity_from_environment, identity_from_single_sign_on
from pipelines.intake.reading import DeliveredFile
from pipelines.intake.submission import SubmissionRefused, read_findings
from pipelines.settings import PROJECT_ROOT, Settings
from tests.deliveries import LARGE, SMALL, contracts_with_own_rules, directory_csv, drop, sized

PLACE = ("philadelphia", "school_directory", "2024-25")
OPTIONS = ["--district", PLACE[0], "--extract", PLACE[1], "--school-year", PLACE[2]]
FIRST = "/".join([*PLACE, "001"])
SECOND = "/".join([*PLACE, "002"])
STATEMENT = ("--statement", "It is right.")


@pytest.fixture(scope="module")
def contracts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return contracts_with_own_rules(tmp_path_factory.mktemp("contracts"))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, contracts: Path) -> Path:
    for name in [name for name in os.environ if name.startswith("NMIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NMIP_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NMIP_CONTRACTS", str(contracts))
    monkeypatch.setenv("NMIP_USER", "A. Analyst")
    return tmp_path / "home"


def call(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(nmip, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    assert "Traceback" not in result.output
    return result


@pytest.fixture
def unusual(tmp_path: Path) -> Path:
    path = tmp_path / "unusual.csv"
    path.write_bytes(sized(10, 20, 300, 6000))
    return path


class TestLife:
    def test_from_a_file_to_a_proven_receipt(self, home: Path, unusual: Path, tmp_path: Path) -> None:
        checked = call("check", unusual, *OPTIONS)
        assert checked.exit_code == 0
        assert f"{SMALL}  2 findings, to acknowledge: Unusual." in checked.output
        assert "Nothing blocks." in checked.output
        assert call("submit", unusual, *OPTIONS).exit_code == 0
        refused = call("sign", FIRST, *STATEMENT)
        assert refused.exit_code == 1
        assert f"To acknowledge: {LARGE} (1), {SMALL} (2)." in refused.output
        left = call("acknowledge", FIRST, "--rule", SMALL, "--reason", "New schools.", "--except-line", "3")
        assert f"{SMALL}: 1 finding acknowledged; 1 left open." in left.output
        assert "acknowledgements_needed" in left.output
        said = call("acknowledge", FIRST, "--rule", SMALL, "--rule", LARGE, "--reason", "Checked one by one.")
        assert said.exit_code == 0
        assert "ready_to_sign" in said.output
        assert call("sign", FIRST, *STATEMENT).exit_code == 0
        receipt = tmp_path / "receipt.json"
        assert call("receipt", FIRST, "--output", receipt).exit_code == 0
        proven = call("verify-receipt", receipt, unusual)
        assert (proven.exit_code, "ALTERED" in proven.output) == (0, False)
        reasons = [entry["reason"] for entry in json.loads(receipt.read_bytes())["acknowledgements"]]
        assert reasons == ["New schools.", "Checked one by one.", "Checked one by one."]

    def test_a_resubmission_shows_its_rows_and_asks_for_a_note(self, home: Path, tmp_path: Path) -> None:
        first, second = tmp_path / "first.csv", tmp_path / "second.csv"
        first.write_bytes(sized(*[100] * 40))
        second.write_bytes(sized(100, 111, *[100] * 37))
        call("submit", first, *OPTIONS)
        call("sign", FIRST, *STATEMENT)
        call("submit", second, *OPTIONS)
        shown = call("diff", SECOND, "--rows-only")
        assert shown.exit_code == 0
        assert f"{SECOND} beside {FIRST}, which is in force" in shown.output
        assert "0 rows added, 1 removed, 1 changed (1 value), 38 as before." in shown.output
        assert "removed: school_id 040" in shown.output
        assert "changed, line 3: school_id 002: n_enrolled 100 → 111" in shown.output
        report = json.loads(call("diff", SECOND, "--rows-only", "--json").stdout)
        assert (report["in_force"], report["rows"]["n_same"], report["indicators"]) == (FIRST, 38, None)
        refused = call("sign", SECOND, *STATEMENT)
        assert (refused.exit_code, "release note is blank" in refused.output) == (1, True)
        assert call("sign", SECOND, *STATEMENT, "--release-note", "One school closed.").exit_code == 0
        held = json.loads(call("receipt", SECOND).stdout)
        assert (held["release_note"], held["supersedes"]) == ("One school closed.", FIRST)

    def test_withdrawing(self, home: Path, unusual: Path) -> None:
        call("submit", unusual, *OPTIONS)
        assert call("withdraw", FIRST, "--reason", "Wrong year.").exit_code == 0
        assert call("withdraw", FIRST, "--reason", "Again.").exit_code == 1
        assert "002  acknowledgements_needed" in call("submit", unusual, *OPTIONS).output

    def test_going_back_to_earlier_bytes(self, home: Path, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        for number, sizes in ((1, (300,)), (2, (301,))):
            path.write_bytes(sized(*sizes))
            call("submit", path, *OPTIONS)
            call("sign", "/".join([*PLACE, f"00{number}"]), *STATEMENT, "--release-note", "New.")
        path.write_bytes(sized(300))
        assert f"{FIRST}; nothing changed" in call("submit", path, *OPTIONS).output
        assert "003  ready_to_sign" in call("submit", path, *OPTIONS, "--again").output

    def test_findings_are_written_where_asked_and_nothing_is_overwritten(self, home: Path, unusual: Path, tmp_path: Path) -> None:
        for command in (("check", unusual, *OPTIONS), ("findings", FIRST)):
            call("submit", unusual, *OPTIONS)
            out = tmp_path / f"out of {command[0]}"
            assert call(*command, "--output", out).exit_code == 0
            assert sorted(path.name for path in out.iterdir()) == [
                "findings.csv",
                "findings.json",
                "unusual_with_findings.csv",
            ]
            rows = list(csv.DictReader((out / "findings.csv").open(encoding="utf-8-sig")))
            assert [(row["rule_id"], row["line"]) for row in rows] == [(SMALL, "2"), (SMALL, "3"), (LARGE, "")]
            again = call(*command, "--output", out)
            assert (again.exit_code, "is there already" in again.output) == (2, True)

    def test_submit_as_json(self, home: Path, unusual: Path) -> None:
        (report,) = json.loads(call("submit", unusual, *OPTIONS, "--json").stdout)
        assert (report["submission_id"], report["state"], report["is_new"]) == (FIRST, "acknowledgements_needed", True)
        assert report["to_acknowledge"] == {SMALL: 2, LARGE: 1}
        assert [(rule["rule_id"], rule["n_open"]) for rule in report["rules"]] == [(SMALL, 2), (LARGE, 1)]


class TestBadCalls:
    def test_they_are_told_as_json_too(self, home: Path, unusual: Path) -> None:
        for options in (
            ["--district", "atlantis", *OPTIONS[2:]],
            [*OPTIONS[:4], "--school-year", "2024"],
        ):
            result = call("check", unusual, *options, "--json")
            assert result.exit_code == 2
            assert json.loads(result.stdout)["exit_code"] == 2
            assert "use one of" in json.loads(result.stdout)["error"]

    def test_a_pipe_and_a_device_are_no_files(self, home: Path, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        for path in (tmp_path / "pipe", Path("/dev/zero")):
            result = call("check", path, *OPTIONS)
            assert (result.exit_code, "is not a file that can be read as a whole" in result.output) == (2, True)

    def test_clutter_in_a_folder_is_no_part_of_a_delivery(self, home: Path, tmp_path: Path) -> None:
        folder = tmp_path / "sent"
        folder.mkdir()
        (folder / "a.csv").write_bytes(directory_csv())
        for name in (".DS_Store", "Thumbs.db", "desktop.ini"):
            (folder / name).write_bytes(b"\x00")
        assert call("check", folder, *OPTIONS).exit_code == 0

    @pytest.mark.parametrize(
        "command",
        [
            ("findings", FIRST),
            ("diff", FIRST),
            ("receipt", FIRST),
            ("receipt", "nonsense"),
            ("acknowledge", FIRST, "--rule", SMALL, "--reason", "x"),
            ("withdraw", FIRST, "--reason", "x"),
        ],
    )
    def test_what_is_not_there_is_said_in_a_sentence(self, home: Path, command: tuple[str, ...]) -> None:
        result = call(*command)
        assert result.exit_code in (1, 2)
        assert "there is no submission" in result.output or "is not a submission id" in result.output


class TestIdentity:
    def test_nobody_touches_another_districts_submission(
        self, home: Path, unusual: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        call("submit", unusual, *OPTIONS)
        monkeypatch.setenv("NMIP_DISTRICTS", "chicago")
        for command in (
            ("findings", FIRST),
            ("diff", FIRST, "--rows-only"),
            ("receipt", FIRST),
            ("acknowledge", FIRST, "--rule", SMALL, "--reason", "x"),
            ("withdraw", FIRST, "--reason", "x"),
            ("sign", FIRST, *STATEMENT),
            ("check", unusual, *OPTIONS),
            ("submit", unusual, *OPTIONS),
        ):
            result = call(*command)
            assert result.exit_code in (1, 2), command
            assert "only for chicago" in result.output
        assert "philadelphia" not in call("status").output.replace("philadelphia data", "")

    def test_an_empty_list_of_districts_is_no_district(self) -> None:
        identity = identity_from_environment({"NMIP_DISTRICTS": ""}, "me")
        assert not identity.may_see("chicago")
        assert identity_from_environment({}, "me").may_see("chicago")

    def test_single_sign_on_names_the_person_and_the_operator_their_districts(self, tmp_path: Path) -> None:
        signers = tmp_path / "signers.csv"
        signers.write_text("user,district\nA@x.org ,chicago\na@X.org,houston\nb@x.org,philadelphia\n")
        assert identity_from_single_sign_on(signers, "a@x.org").districts == {"chicago", "houston"}
        assert identity_from_single_sign_on(signers, "stranger@x.org").districts == frozenset()
        for unusable in (None, tmp_path / "none.csv"):
            with pytest.raises(SubmissionRefused):
                identity_from_single_sign_on(unusable, "a@x.org")
        signers.write_text("name\nx\n")
        with pytest.raises(SubmissionRefused, match="user and district"):
            identity_from_single_sign_on(signers, "a@x.org")


def test_dry_run_command_line_inbox_and_page_find_the_same(home: Path, tmp_path: Path, contracts: Path) -> None:
    content = sized(10, 20, 300, 6000).replace(b"elementary", b"primary", 1).replace(b"false,true", b"maybe,true", 2)
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    opened = flow.Home(Settings(home=home, work=home / "work", contracts=contracts))
    drop(home / "inbox", "chicago", *PLACE[1:], "a.csv", content)
    flow.screen_inbox(opened)
    desk = Desk(None, contracts, Identity("me"), home / "none.json")
    dry, _ = desk.check([DeliveredFile("a.csv", content)], *PLACE)
    told = json.loads(call("check", path, *OPTIONS, "--json").stdout)["findings"]
    call("submit", path, *OPTIONS)
    by_inbox, by_command = (read_findings(opened.store, s) for s in flow.all_submissions(opened.store))
    assert dry.findings.height == 6
    assert by_command.equals(dry.findings)
    assert by_inbox.equals(dry.findings)
    assert pl.DataFrame(told, schema=dry.findings.schema).equals(dry.findings)


def _until(path: Path, words: str, n_times: int) -> str:
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        text = path.read_text()
        if text.count(words) >= n_times:
            return text
        time.sleep(0.2)
    raise AssertionError(f"{words!r} was not said {n_times} times: {path.read_text()}")


def test_watching_checks_again_on_save(home: Path, tmp_path: Path) -> None:
    path, log = tmp_path / "mine.csv", tmp_path / "log"
    path.write_bytes(directory_csv().replace(b"elementary", b"primary"))
    environment: dict[str, Any] = {**os.environ, "PYTHONPATH": str(PROJECT_ROOT), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "pipelines.cli", "check", str(path), *OPTIONS, "--watch"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        _until(log, "Watching;", 1)
        beside = tmp_path / "mine.csv~"
        beside.write_bytes(directory_csv())
        beside.replace(path)
        text = _until(log, "Watching;", 2)
        assert text.index("SD-S-CODE  3 findings") < text.index("Nothing was found.")
        path.unlink()
        _until(log, "The file is gone", 1)
        path.write_bytes(directory_csv(5))
        assert "5 in = 5 used" in _until(log, "Watching;", 4)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=120) == 0
        assert "Stopped watching." in log.read_text()
        assert "Traceback" not in log.read_text()
    finally:
        process.kill()
        process.wait()
    assert not home.exists()


def test_a_check_never_imports_great_expectations(home: Path, tmp_path: Path) -> None:
    """It takes ten seconds to import; the first finding must be on the screen before."""
    path = tmp_path / "a.csv"
    path.write_bytes(directory_csv().replace(b"school_name", b"name of school"))
    script = (
        "import sys\n"
        "from pipelines.cli import nmip\n"
        "try:\n    nmip(sys.argv[1:])\n"
        "except SystemExit as end:\n    print('exit', end.code)\n"
        "print(sorted(m for m in ('great_expectations', 'dagster', 'dbt', 'streamlit') if m in sys.modules))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(PROJECT_ROOT)}
    command = [sys.executable, "-c", script, "check", str(path), *OPTIONS]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=True).stdout
    assert "SD-S-COLUMN-MISSING" in said
    assert said.endswith("exit 1\n[]\n")


def test_what_a_compiled_library_prints_stays_out_of_the_answer(capfd: pytest.CaptureFixture[str]) -> None:
    libc = ctypes.CDLL(None)
    with libraries_speak_aside():
        libc.puts(b"a line of the solver")
        os.write(1, b"and another\n")
    libc.puts(b"an answer")
    libc.fflush(None)
    told = capfd.readouterr()
    assert told.out == "an answer\n"
    assert sorted(told.err.splitlines()) == ["a line of the solver", "and another"]

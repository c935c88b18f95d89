"""The command line on small homes: words, JSON, exit codes. Runs of Dagster and dbt do not belong here."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from click.testing import CliRunner, Result

from pipelines.cli import nmip
from pipelines.contracts.codes import codes
from pipelines.contracts.contract import extract_names, load_contract
from pipelines.demo import PublicDataMissing, fill_with_public_data, fill_with_synthetic
from pipelines.home import MixedHome, claim_home, home_kind
from pipelines.intake.inbox import READY_MARK, deliveries, handle_inbox, list_inbox
from pipelines.intake.store import SubmissionStore
from pipelines.settings import PROJECT_ROOT
from pipelines.storage import Storage, canonical_json
from tests.deliveries import directory_csv, drop

CONTRACTS = PROJECT_ROOT / "data_contracts"
PLACE = ("philadelphia", "school_directory", "2024-25")
OPTIONS = ["--district", PLACE[0], "--extract", PLACE[1], "--school-year", PLACE[2]]
FIRST = "/".join([*PLACE, "001"])


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("NMIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NMIP_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NMIP_USER", "A. Signer")
    (tmp_path / "working").mkdir()
    monkeypatch.chdir(tmp_path / "working")
    return tmp_path / "home"


def call(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(nmip, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    assert "Traceback" not in result.output
    return result


def write(folder: Path, name: str, content: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return write(tmp_path / "sent", "good.csv", directory_csv())


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    return write(tmp_path / "sent", "broken.csv", directory_csv(8).replace(b"elementary", b"primary"))


def status() -> dict[str, Any]:
    report: dict[str, Any] = json.loads(call("status", "--json").stdout)
    return report


class TestCheck:
    def test_nothing_blocks(self, home: Path, good: Path) -> None:
        result = call("check", good, *OPTIONS)
        assert result.exit_code == 0
        assert "Lines: 3 in = 3 used" in result.output
        assert "Nothing was found. The file can be submitted." in result.output
        assert not home.exists()

    def test_something_blocks(self, home: Path, broken: Path) -> None:
        result = call("check", broken, *OPTIONS)
        assert result.exit_code == 1
        assert "SD-S-CODE  8 findings, blocks" in result.output
        assert (
            'broken.csv, line 2 (school_id 001): school_level: "primary" is not one of elementary, middle, high' in result.output
        )
        assert result.output.count("is not one of") == 5
        assert "… and 3 more (--json lists them, --output FOLDER writes them)" in result.output
        assert not home.exists()

    def test_json_has_a_stable_shape(self, home: Path, good: Path, broken: Path) -> None:
        for path, code in ((good, 0), (broken, 1), (write(good.parent, "empty.csv", b""), 2)):
            result = call("check", path, *OPTIONS, "--json")
            assert result.exit_code == code
            report = json.loads(result.stdout)
            assert set(report) == {
                *("outcome", "is_blocked", "lines", "rows", "school_years", "notes", "contract_version"),
                *("n_findings", "rules", "findings", "findings_shown"),
            }
            assert report["is_blocked"] is (code > 0)
            assert report["outcome"] == ["ready_to_sign", "corrections_needed", "unreadable"][code]
            assert set(report["lines"]) == set(report["rows"]) == {"in", "used", "dropped"}
            assert report["n_findings"] == report["findings_shown"] == len(report["findings"]) == [0, 8, 1][code]
            for finding in report["findings"]:
                assert set(finding) == {
                    *("rule_id", "rule_version", "tier", "file", "line", "business_key", "field", "value", "message"),
                    *("how_to_fix", "affected_rows"),
                }

    def test_json_shows_a_thousand_findings_and_counts_them_all(self, home: Path, good: Path) -> None:
        path = write(good.parent, "many.csv", directory_csv(1_200).replace(b"elementary", b"primary"))
        report = json.loads(call("check", path, *OPTIONS, "--json").stdout)
        assert (report["n_findings"], report["findings_shown"], len(report["findings"])) == (1_200, 1_200, 1_200)

    def test_a_folder_is_one_delivery_and_its_mark_no_file(self, home: Path, good: Path) -> None:
        write(good.parent, "_READY", b"")
        write(good.parent, "more.csv", directory_csv(1).replace(b"\n001,", b"\n009,"))
        result = call("check", good.parent, *OPTIONS)
        assert result.exit_code == 0
        assert "Lines: 4 in = 4 used" in result.output

    @pytest.mark.parametrize(
        ("position", "value", "words"),
        [
            (1, "atlantis", "'atlantis' is not a district that NMIP knows; use one of: chicago, houston"),
            (1, "../../etc", "'../../etc' is not a district"),
            (3, "grades", "'grades' is not an extract that NMIP knows; use one of: algebra_outcomes"),
            (5, "2024", "'2024' is not a school year that NMIP knows"),
        ],
    )
    def test_an_unknown_place_is_an_unusable_call(self, home: Path, good: Path, position: int, value: str, words: str) -> None:
        options = [*OPTIONS[:position], value, *OPTIONS[position + 1 :]]
        result = call("check", good, *options)
        assert result.exit_code == 2
        assert words in result.output
        assert not home.exists()

    def test_a_call_without_file_or_with_a_missing_one_is_unusable(self, home: Path, tmp_path: Path) -> None:
        assert call("check", *OPTIONS).exit_code == 2
        result = call("check", tmp_path / "nothing.csv", *OPTIONS)
        assert result.exit_code == 2
        assert "does not exist" in result.output
        (tmp_path / "folder").mkdir()
        assert call("check", tmp_path / "folder", *OPTIONS).exit_code == 2

    def test_a_file_of_control_characters_does_not_steer_the_terminal(self, home: Path, good: Path) -> None:
        path = write(good.parent, "a\x1b[2J\n.csv", directory_csv().replace(b"elementary", b"\x1b[31mred\x07"))
        result = call("check", path, *OPTIONS)
        assert result.exit_code == 1
        assert "\x1b" not in result.output
        assert "\x07" not in result.output

    def test_a_name_that_is_not_utf_8_is_shown_as_well_as_it_can_be(self, home: Path, tmp_path: Path) -> None:
        path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.csv")
        Path(path).write_bytes(b"fruit,price\napple,1\n")
        options = ["--district", "chicago", "--extract", "assessment_levels", "--school-year", "2022-23"]
        for more in ([], ["--json"]):
            assert call("check", path, *options, *more).exit_code == 1


class TestEnvironment:
    def test_a_home_that_is_a_file_is_an_unusable_call(self, home: Path) -> None:
        home.write_text("not a folder")
        result = call("status")
        assert result.exit_code == 2
        assert "Set NMIP_HOME to a folder." in result.output

    @pytest.mark.parametrize(
        ("name", "value", "words"),
        [
            ("NMIP_HOME", "s3://bucket/nmip", "object stores are not supported yet"),
            ("NMIP_MINIMUM_N", "3", "at least 5"),
            ("NMIP_CONTRACTS", "/nowhere", "holds no contracts"),
        ],
    )
    def test_a_setting_that_cannot_be_used_is_said(
        self, home: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
    ) -> None:
        monkeypatch.setenv(name, value)
        result = call("status")
        assert result.exit_code == 2
        assert words in result.output


class TestSubmitAndSign:
    def test_from_file_to_lake(self, home: Path, good: Path) -> None:
        result = call("submit", good, *OPTIONS)
        assert result.exit_code == 0
        assert f"{FIRST}  ready_to_sign" in result.output
        assert f"then sign it: nmip sign {FIRST} --statement TEXT." in result.output
        assert not (home / "lake").exists()
        result = call("sign", FIRST, "--statement", "It is right.")
        assert result.exit_code == 0
        assert f"{FIRST} is certified." in result.output
        receipt = json.loads((home / "submissions" / FIRST / "receipt.json").read_text())
        assert (receipt["signer"], receipt["statement"], receipt["how"]) == ("A. Signer", "It is right.", "signed")
        lake = pl.read_parquet(home / "lake" / "school_directory" / "school_year=2024-25" / "district=philadelphia" / "*.parquet")
        assert (lake.height, set(lake["submission_id"])) == (3, {FIRST})

    def test_submitting_the_same_again_changes_nothing(self, home: Path, good: Path) -> None:
        call("submit", good, *OPTIONS)
        result = call("submit", good, *OPTIONS)
        assert result.exit_code == 0
        assert FIRST in result.output
        assert [row["submission_id"] for row in status()["submissions"]] == [FIRST]

    def test_exit_codes_follow_the_outcome(self, home: Path, broken: Path) -> None:
        result = call("submit", broken, *OPTIONS)
        assert result.exit_code == 1
        assert "  broken.csv, line 2 (school_id 001): school_level: " in result.output
        assert "… and 3 more (--json lists them, --output FOLDER writes them)" in result.output
        result = call("submit", write(broken.parent, "empty.csv", b""), *OPTIONS)
        assert result.exit_code == 2
        assert "READ-EMPTY" in result.output

    def test_signing_twice_says_who_signed(self, home: Path, good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        call("submit", good, *OPTIONS)
        call("sign", FIRST, "--statement", "It is right.")
        monkeypatch.setenv("NMIP_USER", "Somebody Else")
        result = call("sign", FIRST, "--statement", "Me too.")
        assert result.exit_code == 0
        assert "was certified already, on " in result.output
        assert "by A. Signer." in result.output

    def test_what_is_not_ready_or_not_there_cannot_be_signed(self, home: Path, broken: Path) -> None:
        call("submit", broken, *OPTIONS)
        for submission_id, words in (
            (FIRST, "cannot be signed: Something in the files must be corrected."),
            (FIRST.replace("001", "007"), "there is no submission"),
            ("not an id", "is not a submission id"),
        ):
            result = call("sign", submission_id, "--statement", "It is right.")
            assert result.exit_code == 1
            assert words in result.output
        assert call("sign", "../../x/y/1", "--statement", "x").exit_code in (1, 2)
        assert call("sign", FIRST).exit_code == 2
        assert not list((home / "lake").rglob("extract.parquet"))

    def test_an_older_one_cannot_be_signed_after_a_later_one(self, home: Path, good: Path) -> None:
        call("submit", good, *OPTIONS)
        call("submit", write(good.parent, "later.csv", directory_csv(3, 310)), *OPTIONS)
        assert call("sign", FIRST.replace("001", "002"), "--statement", "It is right.").exit_code == 0
        result = call("sign", FIRST, "--statement", "It is right.")
        assert result.exit_code == 1
        assert "came later and is certified already" in result.output

    def test_nobody_signs_submits_or_sees_for_another_district(
        self, home: Path, good: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        call("submit", good, *OPTIONS)
        drop(home / "inbox", *PLACE, "waiting.csv", directory_csv(7))
        monkeypatch.setenv("NMIP_DISTRICTS", "chicago, houston")
        for arguments in (["sign", FIRST, "--statement", "x"], ["submit", good, *OPTIONS]):
            result = call(*arguments)
            assert result.exit_code == 2
            assert "only for chicago, houston (NMIP_DISTRICTS)" in result.output
        assert PLACE[0] not in call("status").output
        assert (status()["submissions"], status()["waiting"]) == ([], [])
        monkeypatch.setenv("NMIP_DISTRICTS", "chicago, philadelphia")
        assert [row["submission_id"] for row in status()["submissions"]] == [FIRST]
        assert len(status()["waiting"]) == 1
        assert call("sign", FIRST, "--statement", "It is right.").exit_code == 0

    def test_an_empty_list_of_districts_allows_none(self, home: Path, good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NMIP_DISTRICTS", "")
        assert call("submit", good, *OPTIONS).exit_code == 2


class TestStatus:
    def test_of_an_empty_home(self, home: Path) -> None:
        result = call("status")
        assert result.exit_code == 0
        assert "Waiting in the inbox: nothing" in result.output
        assert "Current release: none yet" in result.output
        assert f"Home: {home} (live data)" in result.output
        report = status()
        assert {entry["state"] for entry in report.pop("expected")} <= {"awaited", "missing"}
        assert report == {
            "home": str(home), "kind": "live", "submissions": [], "waiting": [], "unclosed_folders": [], "misplaced": [],
            "release_id": None, "is_release_due": False,
        }  # fmt: skip

    def test_of_submissions_waiting_and_misplaced_files(self, home: Path, good: Path, broken: Path) -> None:
        call("submit", good, *OPTIONS)
        call("sign", FIRST, "--statement", "It is right.")
        call("submit", broken, *OPTIONS)
        misplaced = write(home / "inbox", "a\x1b[31m.csv", b"x")
        handle_inbox(home / "inbox", CONTRACTS, SubmissionStore(Storage(home)))
        drop(home / "inbox", *PLACE, "new.csv", directory_csv(9))
        result = call("status")
        assert result.exit_code == 0
        assert f"{FIRST.replace('001', '002')}  corrections_needed       8 of 8 lines" in result.output
        assert "corrections_needed: Something in the files must be corrected. Correct the findings" in result.output
        assert "Waiting in the inbox: philadelphia/school_directory/2024-25/new.csv" in result.output
        assert "does not lie in a folder that says its district" in result.output
        assert "\x1b" not in result.output
        report = status()
        assert [(row["number"], row["state"]) for row in report["submissions"]] == [(1, "certified"), (2, "corrections_needed")]
        assert report["waiting"] == ["/".join([*PLACE, "new.csv"])]
        assert [entry["name"] for entry in report["misplaced"]] == ["a\x1b[31m.csv"]
        assert report["is_release_due"] is True
        misplaced.unlink()
        assert status()["misplaced"] == []

    def test_with_a_name_that_is_not_utf_8(self, home: Path) -> None:
        folder = home / "inbox"
        folder.mkdir(parents=True)
        Path(os.fsdecode(os.fsencode(folder) + b"/\xff.csv")).write_bytes(b"x")
        assert call("status").exit_code == 0
        assert status()["waiting"] == ["\udcff.csv"]


class TestTemplateAndDictionary:
    def test_templates_are_written_where_asked(self, home: Path, tmp_path: Path) -> None:
        assert call("template", "school_directory").output == "Wrote school_directory_template.xlsx\n"
        book = openpyxl.load_workbook("school_directory_template.xlsx")
        names = list(load_contract(CONTRACTS, "school_directory").column_names)
        assert [cell.value for cell in book["data"][1]] == names
        target = tmp_path / "mine.csv"
        assert call("template", "school_directory", "--format", "csv", "--output", target).exit_code == 0
        assert target.read_bytes().decode("utf-8-sig").strip().split(",") == names
        assert not home.exists()

    def test_what_cannot_be_written_or_is_not_there_is_said(self, home: Path, tmp_path: Path) -> None:
        result = call("template", "school_directory", "--output", tmp_path / "nowhere" / "x.xlsx")
        assert result.exit_code == 2
        assert "cannot be written" in result.output
        for command in ("template", "dictionary"):
            result = call(command, "grades")
            assert result.exit_code == 2
            assert "there is no extract 'grades'; the extracts are algebra_outcomes, " in result.output
        assert call("template", "school_directory", "--format", "pdf").exit_code == 2

    def test_dictionary_without_a_name_says_which_extracts_there_are(self, home: Path) -> None:
        result = call("dictionary")
        assert result.exit_code == 0
        for name in extract_names(CONTRACTS):
            assert load_contract(CONTRACTS, name).purpose in result.output
        assert not home.exists()

    def test_dictionary_prints_columns_codes_and_rules(self, home: Path) -> None:
        result = call("dictionary", "curriculum_adoption")
        assert result.exit_code == 0
        for name in load_contract(CONTRACTS, "curriculum_adoption").column_names:
            assert f"| `{name}` |" in result.output
        for code in codes(CONTRACTS, "review_statuses"):
            assert f"| `{code}` |" in result.output
        assert "CA-V-TITLE-TWO-REVIEWS" in result.output
        assert not home.exists()


class TestReleases:
    @pytest.fixture
    def releases(self, home: Path) -> Storage:
        storage = Storage(home)
        for number, n_rows in ((1, 1_234), (2, 5)):
            release_id = f"{number:04d}-abc"
            tables = {"indicator_values": {"n_rows": n_rows, "sha256": "0"}}
            made = {"release_id": release_id, "created_at": f"2025-01-0{number}", "fingerprint": "f", "tables": tables}
            storage.write(f"releases/{release_id}/manifest.json", canonical_json(made))
            storage.write("releases/current.json", canonical_json({"release_id": release_id, "path": f"releases/{release_id}"}))
        return storage

    def test_of_a_home_without_releases(self, home: Path) -> None:
        assert call("release", "list").output == ""
        result = call("release", "show")
        assert (result.exit_code, result.output) == (2, "Nothing was published yet; run: nmip run\n")
        result = call("release", "rollback", "0001-abc")
        assert result.exit_code == 2
        assert "there is no release '0001-abc'; there are: none yet" in result.output

    def test_list_marks_the_current_one(self, releases: Storage) -> None:
        assert call("release", "list").output.splitlines() == [
            "  0001-abc  2025-01-01  1,234 indicator values",
            "* 0002-abc  2025-01-02  5 indicator values",
        ]

    def test_show_says_what_a_release_of_an_older_form_tells(self, releases: Storage) -> None:
        assert call("release", "show").output.splitlines() == [
            "Release 0002-abc (unknown data): current",
            "Made from what was known on 2025-01-02, of 0 submissions",
            "Tables and their rows: indicator_values 5",
            "It was published before releases were attacked.",
        ]

    def test_show_prints_a_manifest(self, releases: Storage) -> None:
        assert json.loads(call("release", "show", "--json").output)["release_id"] == "0002-abc"
        assert json.loads(call("release", "show", "0001-abc", "--json").output)["release_id"] == "0001-abc"
        result = call("release", "show", "../../secret")
        assert result.exit_code == 2
        assert "There is no release ../../secret." in result.output

    def test_rollback_moves_the_pointer_and_nothing_else(self, releases: Storage) -> None:
        before = {name: releases.read(name) for name in releases.keys("releases") if not name.endswith("current.json")}
        assert call("release", "rollback", "0001-abc").output == "0001-abc is current.\n"
        assert call("release", "list").output.startswith("* 0001-abc")
        assert json.loads(call("status", "--json").stdout)["release_id"] == "0001-abc"
        assert {name: releases.read(name) for name in before} == before
        result = call("release", "rollback", "0009-abc")
        assert result.exit_code == 2
        assert "there are: 0001-abc, 0002-abc" in result.output
        assert call("release", "list").output.startswith("* 0001-abc")


class TestKindsOfHome:
    def test_a_home_says_once_what_it_holds(self, home: Path) -> None:
        storage = Storage(home)
        assert home_kind(storage) == "live"
        claim_home(storage, "synthetic")
        claim_home(storage, "synthetic")
        assert home_kind(storage) == "synthetic"
        for kind in ("public", "live"):
            with pytest.raises(MixedHome, match=f"holds synthetic data; {kind} data need a home of their own"):
                claim_home(storage, kind)
        assert home_kind(storage) == "synthetic"

    @pytest.mark.parametrize("place", ["inbox", "submissions"])
    def test_a_home_with_data_of_unknown_kind_becomes_no_demonstration(self, home: Path, place: str) -> None:
        storage = Storage(home)
        storage.write(f"{place}/philadelphia/x", b"real")
        with pytest.raises(MixedHome, match="already holds data"):
            claim_home(storage, "synthetic")
        claim_home(storage, "live")
        assert home_kind(storage) == "live"

    def test_demo_leaves_a_live_home_alone(self, home: Path, good: Path) -> None:
        call("submit", good, *OPTIONS)
        before = sorted(home.rglob("*"))
        result = call("demo", "--no-serve")
        assert result.exit_code == 2
        assert "Choose an empty folder: NMIP_HOME=FOLDER." in result.output
        assert sorted(home.rglob("*")) == before

    def test_demo_of_another_kind_is_refused(self, home: Path, public_data: Path) -> None:
        claim_home(Storage(home), "synthetic")
        result = call("demo", "--no-serve", "--public-data", public_data)
        assert result.exit_code == 2
        assert "public data need a home of their own" in result.output
        assert not (home / "inbox").exists()

    def test_a_wrong_folder_of_public_data_claims_nothing(self, home: Path, tmp_path: Path) -> None:
        result = call("demo", "--no-serve", "--public-data", tmp_path)
        assert result.exit_code == 2
        assert "lacks chicago_iar/cps_data.csv, " in result.output
        claim_home(Storage(home), "synthetic")

    def test_public_files_are_put_into_the_inbox_byte_for_byte_and_once(self, home: Path, public_data: Path) -> None:
        storage = Storage(home)
        said: list[str] = []
        assert fill_with_public_data(storage, CONTRACTS, public_data, said.append) == 18
        assert fill_with_public_data(storage, CONTRACTS, public_data, said.append) == 0
        listed = pl.read_csv(CONTRACTS / "public_data.csv", infer_schema=False)
        found = {file.path for file in list_inbox(home / "inbox")}
        assert {name for name in found if name.endswith(READY_MARK)} == {
            f"miami_dade/{extract}/2022-23/fast_pm3/{READY_MARK}" for extract in ("assessment_levels", "state_level_distribution")
        }
        in_place = {
            (name.split("/")[0], name.split("/")[1], Path(name).name): (home / "inbox" / name).read_bytes()
            for name in found
            if not name.endswith(READY_MARK)
        }
        assert in_place == {
            (district, extract, Path(path).name): (public_data / path).read_bytes()
            for district, extract, path in listed["district", "extract", "path"].rows()
        }
        grouped = deliveries(list_inbox(home / "inbox"), CONTRACTS)
        assert {d.place[:2]: len(d.paths) for d in grouped if d.place} == {
            ("chicago", "assessment_levels"): 1, ("new_york_city", "assessment_levels"): 1,
            ("houston", "assessment_levels"): 1, ("houston", "state_level_distribution"): 1,
            ("los_angeles", "assessment_levels"): 1, ("los_angeles", "state_level_distribution"): 1,
            ("miami_dade", "assessment_levels"): 6, ("miami_dade", "state_level_distribution"): 6,
        }  # fmt: skip
        with pytest.raises(PublicDataMissing, match=r"lacks chicago_iar/cps_data\.csv") as missing:
            fill_with_public_data(storage, CONTRACTS, home, said.append)
        assert str(missing.value).count("district_staar_22-23.csv") == 1, "a file that is delivered twice is missing once"

    def test_a_synthetic_inbox_is_filled_once(self, home: Path) -> None:
        storage = Storage(home)
        said: list[str] = []
        assert fill_with_synthetic(storage, CONTRACTS, 1, 0.01, said.append) is True
        first = {path: path.stat().st_mtime_ns for path in home.rglob("*") if path.is_file()}
        assert fill_with_synthetic(storage, CONTRACTS, 1, 0.01, said.append) is False
        assert {path: path.stat().st_mtime_ns for path in home.rglob("*") if path.is_file()} == first
        assert {d.problem for d in deliveries(list_inbox(home / "inbox"), CONTRACTS)} <= {None}
        assert storage.exists("synthetic/truth.json")
        published = pl.read_csv(home / "reference" / "naep_results.csv")
        assert published.columns == pl.read_csv(PROJECT_ROOT / "dbt_project/seeds/naep_results.csv").columns
        assert set(published["source"]) == {"Invented for the synthetic network"}


def test_the_help_names_every_command(home: Path) -> None:
    result = call("--help")
    assert result.exit_code == 0
    for command in ("check", "submit", "sign", "status", "run", "template", "dictionary", "demo", "up", "release"):
        assert f"\n  {command} " in result.output


class TestNothingIsOverwrittenOrSaidWrongly:
    def test_a_filled_template_is_not_overwritten(self, home: Path) -> None:
        filled = home.parent / "filled.xlsx"
        filled.write_bytes(b"filled in")
        result = call("template", "school_directory", "--output", filled)
        assert result.exit_code == 2
        assert filled.read_bytes() == b"filled in"

    def test_a_blank_statement_signs_nothing(self, home: Path, good: Path) -> None:
        call("submit", good, *OPTIONS)
        assert call("sign", FIRST, "--statement", " ").exit_code == 2
        assert "ready_to_sign" in call("status").output

    def test_bytes_that_were_replaced_are_not_said_to_be_in_force(self, home: Path, good: Path) -> None:
        call("submit", good, *OPTIONS)
        call("submit", write(good.parent, "later.csv", directory_csv(3, 310)), *OPTIONS)
        for number in ("001", "002"):
            call("sign", FIRST.replace("001", number), "--statement", "It is right.", "--release-note", "Corrected.")
        looked_at_again = call("sign", FIRST.replace("001", "002"), "--statement", "It is right.", "--release-note", "Corrected.")
        assert looked_at_again.exit_code == 0
        output = call("submit", good, *OPTIONS).output
        assert f"delivered before, as {FIRST}; nothing changed" in output
        assert "superseded" in output

"""The life of a release: built, attacked, published, announced, compared, kept waiting, gone back from; and killed anywhere."""

from __future__ import annotations

import json
import os
import re
import shutil
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result

from pipelines import flow
from pipelines.cli import nmip
from pipelines.release import embargo
from pipelines.release.announcements import announcements, is_announced
from pipelines.release.auditing import ReleaseRefused
from pipelines.release.changes import KINDS, as_json, by_indicator_and_district, by_submission, changes_between, sentences
from pipelines.release.folder import ReleaseFolder, UnusableRelease, earlier_siblings, read_folder
from pipelines.release.publish import current_manifest, list_releases, next_number, release_ids, roll_back, rolled_back
from pipelines.release.reader import NoRelease, read_current
from pipelines.settings import PROJECT_ROOT, Settings, SettingsError
from pipelines.storage import Storage
from pipelines.warehouse import indicator_sql
from tests.exchange_fixture import DAY, Auditor, Leak, a_home, build, everything_below, stand_in, submit, value, values_of

FIRST, SECOND = "chicago/school_directory/2024-25/001", "chicago/school_directory/2024-25/002"
PUBLISHED = ("releases", "announcements", "briefings", "embargoed")
ROWS = [
    value("CM1", "chicago", (40, 80), FIRST),
    value("CM1", "houston", (30, 90)),
    value("OC4", "chicago", (3, 7), FIRST, grade="4", category="level_1"),
    value("OC4", "chicago", (20, 50), FIRST, grade="5", category="level_1"),
]
CHANGED_ROWS = [
    value("CM1", "chicago", (44, 80), SECOND),
    value("CM1", "houston", (30, 90)),
    value("OC4", "chicago", (5, 15), SECOND, grade="4", category="level_1"),
    value("OC4", "chicago", (4, 9), SECOND, grade="5", category="level_1"),
    value("OC4", "houston", (30, 60), grade="6", category="level_1"),
]


@pytest.fixture
def auditor(monkeypatch: pytest.MonkeyPatch) -> Auditor:
    for name in [name for name in os.environ if name.startswith("NMIP_")]:
        monkeypatch.delenv(name)
    return stand_in(monkeypatch)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one release, to be copied."""
    folder = tmp_path_factory.mktemp("template")
    with pytest.MonkeyPatch.context() as patch:
        stand_in(patch)
        made = a_home(folder / "home")
        build(made, ROWS)
        flow.release(made, at=DAY)
    return folder / "home"


@pytest.fixture
def home(template: Path, tmp_path: Path, auditor: Auditor, monkeypatch: pytest.MonkeyPatch) -> flow.Home:
    """A home with one release."""
    monkeypatch.setenv("NMIP_HOME", str(tmp_path / "home"))
    shutil.copytree(template, tmp_path / "home", symlinks=True)
    return flow.Home(Settings.from_environment())


def second(home: flow.Home, at: datetime = DAY + timedelta(days=1)) -> dict[str, Any]:
    submit(home, 310)
    build(home, CHANGED_ROWS)
    return flow.release(home, at=at)


def pointer(home: flow.Home) -> dict[str, Any]:
    read: dict[str, Any] = home.storage.read_json("releases/current.json")
    return read


def call(*arguments: str | Path, code: int = 0) -> Result:
    result = CliRunner().invoke(nmip, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    assert "Traceback" not in result.output
    assert result.exit_code == code, result.output
    return result


class TestPublishing:
    def test_a_release_is_published_and_announced_and_says_what_was_asked(self, home: flow.Home) -> None:
        (release_id,) = release_ids(home.storage)
        assert pointer(home) == {
            "release_id": release_id,
            "path": f"releases/{release_id}",
            "published_at": "2026-11-01T09:00:00+00:00",
        }
        read = read_folder(home.settings.home / "releases" / release_id, is_checked=True)
        assert read.altered == ()
        assert read.manifest["audit"] == {
            "passed": True, "n_cells_attacked": 40, "n_hidden": 4, "n_components": 2,
            "n_attacks_by_kind": {"alone": 4, "earlier": 0}, "earlier_releases": [],
        }  # fmt: skip
        assert read.manifest["minimum_n"] == 12
        assert read.tables["districts"]["minimum_n"].to_list() == [10, 12]
        assert {"counts", "relations"} <= set(read.tables)
        (told,) = announcements(home.storage)
        assert (told["release_id"], told["previous"], told["changes"]["appeared"]) == (release_id, None, 4)
        assert told["published_at"] == "2026-11-01T09:00:00+00:00"
        assert not flow.is_release_due(home)

    def test_the_next_is_attacked_together_with_every_earlier_one(self, home: flow.Home, auditor: Auditor) -> None:
        (first,) = release_ids(home.storage)
        made = second(home)
        assert auditor.asked[-1] == (made["release_id"], (first,))
        assert made["protection"]["n_earlier"] == 1
        assert made["audit"]["earlier_releases"] == [first]
        told = announcements(home.storage)[-1]
        assert (told["previous"], told["release_id"]) == (first, made["release_id"])
        assert [entry["submission_id"] for entry in told["submissions"]] == [SECOND]
        assert told["submissions"][0]["replaces"] == FIRST
        assert pointer(home)["previous"] == first

    def test_the_same_inputs_give_the_same_bytes_on_another_day(
        self, tmp_path: Path, auditor: Auditor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one = a_home(tmp_path / "one")
        build(one, ROWS)
        shutil.copytree(one.settings.home, tmp_path / "two", symlinks=True)
        two = a_home(tmp_path / "two")
        flow.release(one, at=DAY)
        # A real clock that runs on, and an exchange whose rows come in another order.
        build(two, ROWS[::-1])
        flow.release(two)
        (release_id,) = release_ids(one.storage)
        written = everything_below(one.settings.home, f"releases/{release_id}")
        assert written == everything_below(two.settings.home, f"releases/{release_id}")
        manifest = json.loads(written[f"releases/{release_id}/manifest.json"])
        events = [event["at"] for s in flow.all_submissions(one.store) for event in s.events]
        assert manifest["created_at"] == max(events)
        assert pointer(one) != pointer(two)

    def test_a_candidate_whose_bytes_were_changed_is_not_published(
        self, home: flow.Home, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write = Storage.write

        def altered(self: Storage, key: str, content: bytes) -> None:
            is_values = key.startswith("candidate/") and key.endswith("indicator_values.parquet")
            write(self, key, (self.root / "altered.parquet").read_bytes() if is_values else content)

        values_of(ROWS[:1]).write_parquet(home.settings.work / "altered.parquet")
        submit(home, 310)
        build(home, CHANGED_ROWS)
        before = pointer(home)
        monkeypatch.setattr(Storage, "write", altered)
        with pytest.raises(UnusableRelease, match=r"indicator_values .* is not the one that was written"):
            flow.release(home)
        assert pointer(home) == before

    def test_what_an_earlier_call_left_of_another_release_is_cleared_away(self, home: flow.Home) -> None:
        home.storage.write("releases/0002-half/indicator_values.parquet", b"half")
        made = second(home)
        assert release_ids(home.storage)[-1] == made["release_id"]
        assert not [key for key in home.storage.keys("releases") if "half" in key]

    def test_numbers_go_on_after_a_release_was_taken_away(self, home: flow.Home) -> None:
        second(home)
        shutil.rmtree(home.settings.home / "releases" / release_ids(home.storage)[0])
        assert next_number(home.storage) == 3


class Killed(BaseException):
    """Nothing may catch it, as nothing catches a signal."""


def killing(monkeypatch: pytest.MonkeyPatch, dies_at: int) -> Callable[[], int]:
    """Die at the change of kept state with this number; returns how many changes were begun."""
    n_changes = 0

    def counted(change: Callable[..., Any]) -> Callable[..., Any]:
        def call(self: Storage, key: str, *content: bytes) -> Any:
            nonlocal n_changes
            n_changes += 1
            if n_changes == dies_at:
                raise Killed
            return change(self, key, *content)

        return call

    for name in ("write", "create", "delete"):
        monkeypatch.setattr(Storage, name, counted(getattr(Storage, name)))
    return lambda: n_changes


def at_every_change(
    template: flow.Home, tmp_path: Path, act: Callable[[flow.Home], object]
) -> Iterator[tuple[flow.Home, dict[str, bytes]]]:
    """A copy of `template` for every change that `act` makes, killed there; with what an undisturbed call leaves."""

    def copied(name: str) -> flow.Home:
        shutil.copytree(template.settings.home, tmp_path / name, symlinks=True)
        return flow.Home(Settings.from_environment({"NMIP_HOME": str(tmp_path / name)}))

    undisturbed = copied("undisturbed")
    with pytest.MonkeyPatch.context() as patch:
        n_changes = killing(patch, 0)
        act(undisturbed)
    assert n_changes() > 5
    expected = everything_below(undisturbed.settings.home, *PUBLISHED)
    for dies_at in range(1, n_changes() + 1):
        home = copied(f"killed-{dies_at}")
        with pytest.MonkeyPatch.context() as patch:
            killing(patch, dies_at)
            with pytest.raises(Killed):
                act(home)
        yield home, expected
        shutil.rmtree(home.settings.home)


def is_consistent(home: flow.Home) -> None:
    """The pointer leads to a whole release, and everything that looks like a release is one."""
    read_current(home.settings.home)
    for release_id in release_ids(home.storage):
        assert read_folder(home.settings.home / "releases" / release_id, is_checked=True).altered == ()


class TestKilled:
    def test_at_any_change_while_building_publishing_announcing_and_briefing(self, home: flow.Home, tmp_path: Path) -> None:
        submit(home, 310)
        build(home, CHANGED_ROWS)
        before = pointer(home)["release_id"]

        def act(killed: flow.Home) -> None:
            flow.release(killed, at=DAY + timedelta(days=1))
            flow.brief(killed)

        currents = set()
        for killed, expected in at_every_change(home, tmp_path, act):
            is_consistent(killed)
            currents.add(read_current(killed.settings.home).release_id)
            assert (
                flow.is_release_due(killed)
                or flow.unbriefed(killed)
                or everything_below(killed.settings.home, *PUBLISHED).keys() == expected.keys()
            )
            act(killed)
            assert everything_below(killed.settings.home, *PUBLISHED) == expected
            assert not flow.is_release_due(killed)
            assert flow.unbriefed(killed) == []
        assert len(currents) == 2
        assert before in currents

    def test_at_any_change_while_a_release_is_put_under_embargo_and_comes_out_of_it(
        self, home: flow.Home, tmp_path: Path
    ) -> None:
        embargo.set_embargo(home.storage, DAY + timedelta(days=5))
        second(home)
        (before,) = release_ids(home.storage)
        submit(home, 320)
        build(home, CHANGED_ROWS[1:])
        for killed, expected in at_every_change(home, tmp_path / "in", lambda h: flow.release(h, at=DAY + timedelta(days=2))):
            assert read_current(killed.settings.home).release_id == before
            flow.release(killed, at=DAY + timedelta(days=2))
            assert everything_below(killed.settings.home, *PUBLISHED) == expected
        flow.release(home, at=DAY + timedelta(days=2))
        for killed, expected in at_every_change(home, tmp_path / "out", lambda h: flow.release(h, at=DAY + timedelta(days=6))):
            is_consistent(killed)
            flow.release(killed, at=DAY + timedelta(days=6))
            assert everything_below(killed.settings.home, *PUBLISHED) == expected
            assert not [key for key in expected if key.startswith("embargoed/")]

    def test_an_announcement_that_was_cut_off_is_made_by_the_next_call_even_when_more_changed(self, home: flow.Home) -> None:
        made = second(home)
        home.storage.delete(f"announcements/{made['release_id']}.json")
        assert not is_announced(home.storage)
        assert flow.is_release_due(home)
        submit(home, 320)
        build(home, ROWS)
        flow.release(home)
        told = announcements(home.storage)
        assert [entry["previous"] for entry in told] == [None, *release_ids(home.storage)[:2]]
        assert [entry["published_at"] for entry in told][1] == "2026-11-02T09:00:00+00:00"

    def test_a_lost_pointer_comes_back_as_it_was(self, home: flow.Home) -> None:
        second(home)
        before = pointer(home)
        home.storage.delete("releases/current.json")
        assert flow.is_release_due(home)
        flow.release(home)
        assert pointer(home) == before


LEAKS = tuple(Leak(f"OC4 chicago 2024-25 grade {grade}, numerator") for grade in range(12))


class TestRefused:
    def test_a_release_that_fails_its_audit_is_not_published_and_its_message_holds_no_number(
        self, home: flow.Home, auditor: Auditor
    ) -> None:
        before = everything_below(home.settings.home, *PUBLISHED)
        auditor.leaks = LEAKS
        with pytest.raises(ReleaseRefused) as refusal:
            second(home)
        message = str(refusal.value)
        assert "failed its audit and is not published; the current release stays" in message
        assert "12 leaks were found" in message
        assert "grade 9, numerator: all = english_learner + not_english_learner" in message
        assert "grade 10" not in message
        assert "and 2 more" in message
        assert "[3, 3]" not in message
        assert everything_below(home.settings.home, *PUBLISHED) == before
        report = flow.refused(home)
        assert report is not None
        kept = home.settings.work / "refused" / f"{report['release_id']}.json"
        assert str(kept) in message
        assert [leak["lower"] for leak in json.loads(kept.read_text())["leaks"]] == [3] * 12

    def test_what_the_auditor_gets_back_is_hidden_with_its_place_and_the_auditor_asked_again(
        self, home: flow.Home, auditor: Auditor
    ) -> None:
        place, total = (("indicator_id", "OC1"), ("district", "chicago"), ("grade", "4")), (("indicator_id", "OC1"),)
        auditor.asked.clear()
        auditor.leaks, auditor.n_times = (replace(LEAKS[0], places=(place, total)), replace(LEAKS[1], places=(place,))), 2
        manifest = second(home)
        assert len(auditor.asked) == 3
        assert manifest["protection"]["n_hidden_places"] == 3, (
            "once the place of both, then the one's total and the other's table"
        )

    def test_it_is_refused_when_hiding_more_does_not_help(self, home: flow.Home, auditor: Auditor) -> None:
        auditor.asked.clear()
        places = tuple((("indicator_id", "OC1"), ("grade", str(grade))) for grade in range(flow.ATTEMPTS_AT_A_RELEASE))
        auditor.leaks = (replace(LEAKS[0], places=places),)
        with pytest.raises(ReleaseRefused):
            second(home)
        assert len(auditor.asked) == flow.ATTEMPTS_AT_A_RELEASE

    def test_it_is_refused_when_nothing_is_left_to_hide(self, home: flow.Home, auditor: Auditor) -> None:
        auditor.asked.clear()
        auditor.leaks = (replace(LEAKS[0], places=((("indicator_id", "OC1"),),)),)
        with pytest.raises(ReleaseRefused):
            second(home)
        assert len(auditor.asked) == 3

    def test_a_question_without_an_answer_refuses_too(self, home: flow.Home, auditor: Auditor) -> None:
        auditor.not_asked = ("component 7 of 9, alone",)
        with pytest.raises(ReleaseRefused, match=r"(?s)1 question was not answered.*component 7 of 9"):
            second(home)
        assert len(release_ids(home.storage)) == 1

    def test_it_is_due_until_it_passes_and_known_as_refused_until_something_changes(
        self, home: flow.Home, auditor: Auditor
    ) -> None:
        assert flow.refused(home) is None
        auditor.leaks = LEAKS[:1]
        with pytest.raises(ReleaseRefused, match="1 leak was found"):
            second(home)
        assert flow.is_release_due(home)
        assert flow.refused(home) is not None
        auditor.leaks = ()
        flow.release(home)
        assert flow.refused(home) is None
        assert not flow.is_release_due(home)
        auditor.leaks = LEAKS[:1]
        submit(home, 330)
        build(home, ROWS)
        with pytest.raises(ReleaseRefused):
            flow.release(home)
        submit(home, 340)
        assert flow.refused(home) is None

    def test_an_earlier_release_that_cannot_be_read_stops_the_next(self, home: flow.Home) -> None:
        (first,) = release_ids(home.storage)
        path = home.settings.home / "releases" / first / "indicator_values.parquet"
        whole = path.read_bytes()
        path.write_bytes(whole[:100])
        with pytest.raises(UnusableRelease, match=r"indicator_values.parquet cannot be read as a Parquet file"):
            second(home)
        path.write_bytes(whole)
        flow.release(home)
        assert len(release_ids(home.storage)) == 2


class TestEmbargo:
    ENDS = DAY + timedelta(days=5)

    def test_a_release_waits_complete_and_unseen_and_is_published_as_audited(self, home: flow.Home, auditor: Auditor) -> None:
        embargo.set_embargo(home.storage, self.ENDS)
        before = everything_below(home.settings.home, "releases", "announcements")
        held = second(home)
        assert everything_below(home.settings.home, "releases", "announcements") == before
        waits = read_folder(home.settings.home / "embargoed" / held["release_id"], is_checked=True)
        assert waits.altered == ()
        assert flow.unbriefed(home) == release_ids(home.storage)
        assert not flow.is_release_due(home, self.ENDS - timedelta(minutes=1))
        assert flow.release(home, at=self.ENDS - timedelta(minutes=1)) == held
        audited = {path.name: path.read_bytes() for path in waits.folder.iterdir()}
        n_asked = len(auditor.asked)
        assert flow.is_release_due(home, self.ENDS)
        assert flow.release(home, at=self.ENDS) == held
        assert len(auditor.asked) == n_asked + 1
        published = home.settings.home / "releases" / held["release_id"]
        assert {path.name: path.read_bytes() for path in published.iterdir()} == audited
        assert home.storage.keys("embargoed") == []
        assert announcements(home.storage)[-1]["published_at"] == self.ENDS.isoformat()
        assert not flow.is_release_due(home, self.ENDS)

    def test_lifting_it_makes_the_release_due(self, home: flow.Home) -> None:
        embargo.set_embargo(home.storage, datetime.now(UTC) + timedelta(days=1))
        held = second(home, datetime.now(UTC))
        assert not flow.is_release_due(home)
        assert embargo.lift_embargo(home.storage)
        assert flow.is_release_due(home)
        flow.release(home)
        assert read_current(home.settings.home).release_id == held["release_id"]

    def test_a_newer_build_takes_the_place_of_one_that_waits(self, home: flow.Home) -> None:
        embargo.set_embargo(home.storage, self.ENDS)
        first = second(home)
        submit(home, 320)
        assert flow.is_release_due(home, DAY)
        build(home, ROWS)
        later = flow.release(home, at=DAY)
        assert later["release_id"] != first["release_id"]
        waiting = embargo.waiting_release(home.storage)
        assert waiting == later
        assert {key.split("/")[1] for key in home.storage.keys("embargoed")} == {"waiting.json", later["release_id"]}

    def test_one_that_is_refused_meanwhile_leaves_the_one_that_waits(self, home: flow.Home, auditor: Auditor) -> None:
        embargo.set_embargo(home.storage, self.ENDS)
        held = second(home)
        auditor.leaks = LEAKS
        with pytest.raises(ReleaseRefused):
            flow.release(home, at=self.ENDS)
        assert embargo.waiting_release(home.storage) == held
        assert len(release_ids(home.storage)) == 1

    def test_the_later_end_counts_and_the_environment_has_a_say(self, home: flow.Home) -> None:
        configured = DAY + timedelta(days=9)
        assert embargo.embargo_until(home.storage, None) is None
        assert embargo.embargo_until(home.storage, configured) == configured
        embargo.set_embargo(home.storage, self.ENDS)
        assert embargo.embargo_until(home.storage, configured) == configured
        assert embargo.embargo_until(home.storage, None) == self.ENDS
        given = Settings.from_environment({"NMIP_HOME": "x", "NMIP_EMBARGO_UNTIL": "2026-12-01T09:00-06:00"})
        assert given.embargo_until == datetime(2026, 12, 1, 15, tzinfo=UTC)
        with pytest.raises(SettingsError, match=r"NMIP_EMBARGO_UNTIL: 'soon' is no point in time; write it as 2026-12-01T09:00"):
            Settings.from_environment({"NMIP_EMBARGO_UNTIL": "soon"})
        with pytest.raises(SettingsError, match="NMIP_DEADLINE_SECONDS is '0'"):
            Settings.from_environment({"NMIP_DEADLINE_SECONDS": "0"})

    def test_the_first_release_of_a_home_can_wait_too(self, tmp_path: Path, auditor: Auditor) -> None:
        home = a_home(tmp_path / "new", NMIP_EMBARGO_UNTIL="2026-11-06")
        build(home, ROWS)
        flow.release(home, at=DAY)
        assert not flow.is_release_due(home, DAY)
        with pytest.raises(NoRelease):
            read_current(home.settings.home)
        flow.release(home, at=datetime(2026, 11, 6, tzinfo=UTC))
        assert read_current(home.settings.home).published_at == "2026-11-06T00:00:00+00:00"


def folder_of(rows: list[dict[str, Any]], release_id: str, submissions: tuple[str, ...], **more: Any) -> ReleaseFolder:
    manifest = {"release_id": release_id, "inputs": [{"submission_id": name} for name in submissions], "tables": {}, **more}
    return ReleaseFolder(release_id, Path("nowhere"), manifest, {"indicator_values": values_of(rows)})


class TestChanges:
    def test_every_kind_of_change_once(self) -> None:
        hidden = {"symbol": "c", "numerator": None, "denominator": None, "value": None, "n": None}
        ranged = {"symbol": "r", "numerator": None, "value": None, "at_least": 0.0, "at_most": 0.1}

        def row(grade: str, sources: str = FIRST, **more: Any) -> dict[str, Any]:
            return value("OC4", "chicago", (20, 50), sources, grade=grade) | more

        before = folder_of(
            [
                row("1"),
                row("2"),
                row("3"),
                row("4"),
                row("5", **hidden),
                row("6", **ranged),
                row("7"),
                row("8", symbol="x", value=None),
            ],
            "0001-a",
            (FIRST,),
        )
        after = folder_of(
            [
                row("1", SECOND, value=0.4 + 1e-15),
                row("3", SECOND, numerator=21.0, value=0.42),
                *(row("4", SECOND, **hidden), row("5", SECOND, **ranged), row("6", SECOND, **hidden), row("7", SECOND, **ranged)),
                *(row("8", SECOND), row("9", SECOND)),
            ],
            "0002-b",
            (SECOND,),
        )
        changes = changes_between(before, after)
        found = {row["grade"]: row["change"] for row in changes.values.to_dicts()}
        assert found == {
            "2": "gone", "3": "changed", "4": "newly_hidden", "5": "no_longer_hidden", "6": "newly_hidden",
            "7": "newly_hidden", "8": "changed", "9": "appeared",
        }  # fmt: skip
        assert changes.totals == {"appeared": 1, "gone": 1, "changed": 2, "newly_hidden": 3, "no_longer_hidden": 1}
        because = {row["grade"]: row["because"] for row in changes.values.to_dicts()}
        assert because["3"] == [FIRST, SECOND]
        assert because["9"] == [SECOND]
        assert because["2"] == [FIRST]

    def test_what_is_held_is_said_with_the_submission_that_does_not_show(self) -> None:
        before = folder_of([value("CM1", "chicago", (40, 80), FIRST)], "0001-a", (FIRST,))
        held = [{"district": "chicago", "school_year": "2024-25", "indicators": ["CM1"]}]
        after = folder_of([value("CM1", "chicago", (40, 80), FIRST)], "0002-b", (FIRST, SECOND), protection={"held": held})
        told = as_json(changes_between(before, after))
        assert [(one["submission_id"], one["replaces"]) for one in told["submissions"]] == [(SECOND, FIRST)]
        assert sentences(told)[1:] == [
            f"{SECOND} took the place of 001: no value that is published changed with it.",
            "Held as published before, since too few people changed to show it: chicago 2024-25 (CM1).",
        ]

    def test_because_of_which_submissions_and_what_has_no_submission_behind_it(self) -> None:
        other = "houston/school_directory/2024-25/001"
        before = folder_of(
            [
                value("CM1", "chicago", (40, 80), FIRST),
                value("CM1", "houston", (30, 90), other),
                value("CM1", "miami_dade", (1, 9), "m/e/y/001"),
            ],
            "0001-a",
            (FIRST, other, "m/e/y/001"),
            minimum_n=10,
        )
        after = folder_of(
            [value("CM1", "chicago", (44, 80), SECOND), value("CM1", "houston", (31, 90), other)],
            "0002-b",
            (SECOND, other),
            minimum_n=15,
        )
        changes = changes_between(before, after)
        told = {entry["submission_id"]: entry for entry in by_submission(changes)}
        assert set(told) == {SECOND, "m/e/y/001"}
        assert (told[SECOND]["replaces"], told[SECOND]["changed"], told[SECOND]["is_new"]) == (FIRST, 1, True)
        assert (told["m/e/y/001"]["is_new"], told["m/e/y/001"]["gone"]) == (False, 1)
        assert changes.n_without_new_submission == 1
        assert sentences(as_json(changes)) == [
            "From release 0001-a to 0002-b: 1 value gone, 2 changed.",
            f"{SECOND} took the place of 001: 1 value changed.",
            "m/e/y/001 is not in it any more: 1 value gone.",
            "1 value of these changed although the submissions behind it are the same: definitions, or what is hidden to protect "
            "others, changed. These releases were also made with different versions of the smallest group that is shown.",
        ]
        assert by_indicator_and_district(changes).to_dicts()[0] == {
            "indicator_id": "CM1", "district": "chicago", **dict.fromkeys(KINDS, 0), "changed": 1,
        }  # fmt: skip

    def test_of_a_release_that_is_older_than_a_column(self) -> None:
        after = folder_of([value("CM1", "chicago", (40, 80), FIRST)], "0002-b", (FIRST,))
        old = {"indicator_values": after.tables["indicator_values"].drop("at_least", "at_most", "cohort", "flags")}
        before = ReleaseFolder("0001-a", Path("nowhere"), after.manifest | {"release_id": "0001-a"}, old)
        changes = changes_between(before, after)
        assert changes.values.height == 0
        assert sentences(as_json(changes)) == ["No value of release 0002-b differs from release 0001-a."]

    def test_a_briefing_says_what_changed_and_obeys_no_markup(self, home: flow.Home) -> None:
        made = second(home)
        assert flow.unbriefed(home) == release_ids(home.storage)
        assert flow.brief(home) == release_ids(home.storage)
        assert flow.unbriefed(home) == []
        assert flow.brief(home) == []
        folder = home.settings.home / "briefings" / made["release_id"]
        told = json.loads((folder / "changes.json").read_text())
        assert told["changes"] == {"appeared": 1, "gone": 0, "changed": 1, "newly_hidden": 1, "no_longer_hidden": 1}
        text = (folder / "changes.md").read_text()
        assert "took the place of 001: 1 value changed, 1 newly hidden, 1 no longer hidden." in text
        assert "| CM1 Materials \\| coverage | Chicago |  |  | 1 |  |  |" in text
        assert "<b>" not in text
        assert "\\<b\\>" in text
        first = home.settings.home / "briefings" / release_ids(home.storage)[0] / "changes.md"
        assert "is the first: 4 values" in first.read_text()

    def test_changes_after_a_roll_back_are_told_from_what_readers_had(self, home: flow.Home) -> None:
        (first,) = release_ids(home.storage)
        second(home)
        roll_back(home.storage, first)
        assert rolled_back(home.storage) == {release_ids(home.storage)[1]}
        assert not flow.is_release_due(home)
        assert pointer(home)["published_at"] == "2026-11-01T09:00:00+00:00"
        submit(home, 320)
        build(home, ROWS)
        flow.release(home)
        assert announcements(home.storage)[-1]["previous"] == first
        assert rolled_back(home.storage) == set()


class TestFolders:
    @pytest.mark.parametrize(
        ("spoil", "words"),
        [
            (shutil.rmtree, "is not a folder"),
            (lambda folder: (folder / "manifest.json").unlink(), "holds no release: there is no manifest.json"),
            (lambda folder: (folder / "manifest.json").write_text("{"), "cannot be read as JSON"),
            (lambda folder: (folder / "manifest.json").write_text("[" * 100_000), "cannot be read as JSON"),
            (lambda folder: (folder / "manifest.json").write_text("[]"), "names no release_id"),
            (lambda folder: (folder / "manifest.json").write_text('{"release_id": "a"}'), "does not say which tables"),
            (
                lambda folder: (folder / "manifest.json").write_text('{"release_id": "a", "tables": {"../x": {}}}'),
                "no file can be called",
            ),
            (lambda folder: (folder / "comparisons.parquet").unlink(), "The table comparisons is missing"),
            (lambda folder: (folder / "counts.parquet").write_bytes(b"PAR1 no table"), "counts.parquet cannot be read"),
            (lambda folder: (folder / "indicator_values.parquet").write_bytes(b""), "indicator_values.parquet cannot be read"),
            (
                lambda folder: values_of([]).drop("symbol").write_parquet(folder / "indicator_values.parquet"),
                "has no column symbol",
            ),
        ],
    )
    def test_what_cannot_be_used_is_said_in_one_sentence(
        self, home: flow.Home, tmp_path: Path, spoil: Callable[[Path], object], words: str
    ) -> None:
        folder = tmp_path / "0001-copy"
        shutil.copytree(home.settings.home / pointer(home)["path"], folder)
        spoil(folder)
        result = call("release", "audit", folder, code=2)
        if folder.exists():
            assert words in result.output
            assert len([line for line in result.output.splitlines() if not line.startswith("  ")]) == 1
        with pytest.raises(UnusableRelease, match=re.escape(words)):
            read_folder(folder, {"indicator_values": ("symbol",)}, is_kept=True)

    def test_earlier_ones_lie_beside_it_and_have_a_smaller_number(self, tmp_path: Path) -> None:
        for name in ("0001-a", "0002-b", "0010-c", "0011-d", "notes"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "manifest.json").write_text("{}")
        (tmp_path / "0003-unfinished").mkdir()
        assert [path.name for path in earlier_siblings(tmp_path / "0011-d")] == ["0001-a", "0002-b", "0010-c"]
        assert earlier_siblings(tmp_path / "notes") == []


class TestCommands:
    def test_list_and_show_mark_what_is_current_gone_back_from_and_waiting(self, home: flow.Home) -> None:
        (first,) = release_ids(home.storage)
        later = second(home)["release_id"]
        call("release", "rollback", first)
        embargo.set_embargo(home.storage, datetime(2999, 1, 2, 3, 4, tzinfo=UTC))
        submit(home, 330)
        build(home, ROWS)
        held = flow.release(home)["release_id"]
        lines = call("release", "list").output.splitlines()
        cost = "12.5 % of cells and 0.4 % of students' information hidden"
        assert re.fullmatch(rf"\* {first}  \S+  4 indicator values  {cost}", lines[0])
        assert re.fullmatch(rf"  {later}  \S+  5 indicator values  {cost}  rolled back", lines[1])
        assert re.fullmatch(rf"  {held}  \S+  4 indicator values  {cost}  embargoed until 2999-01-02 03:04 UTC", lines[2])
        listed = json.loads(call("release", "list", "--json").stdout)
        assert [(e["is_current"], e["is_rolled_back"], e["is_embargoed"]) for e in listed] == [
            (True, False, False), (False, True, False), (False, False, True),
        ]  # fmt: skip
        shown = call("release", "show", later).output
        assert f"Release {later} (live data): rolled back" in shown
        assert f"Published 2026-11-02T09:00:00+00:00, after {first}" in shown
        assert "What protection costs: 12.5 % of cells" in shown
        assert "Attacked before it was published: 40 hidden counts of people (alone 4, earlier 0)" in shown
        assert f"Since {first}: 1 value appeared, 1 changed, 1 newly hidden, 1 no longer hidden" in shown
        assert ": embargoed until 2999" in call("release", "show", held).output
        assert json.loads(call("release", "show", "--json").stdout) == current_manifest(home.storage)

    def test_diff_of_two_of_one_and_of_none(self, home: flow.Home) -> None:
        (first,) = release_ids(home.storage)
        assert "is the first: 4 values" in call("release", "diff").output
        later = second(home)["release_id"]
        by_two, by_one, by_none = call("release", "diff", first, later), call("release", "diff", later), call("release", "diff")
        assert by_two.output == by_one.output == by_none.output
        lines = by_two.output.splitlines()
        assert lines[0] == f"From release {first} to {later}: 1 value appeared, 1 changed, 1 newly hidden, 1 no longer hidden."
        assert lines[1] == f"{SECOND} took the place of 001: 1 value changed, 1 newly hidden, 1 no longer hidden."
        assert "  CM1   chicago         1 value changed" in lines
        told = json.loads(call("release", "diff", first, later, "--json").stdout)
        assert len(told["values"]) == 4
        assert {row["change"] for row in told["values"]} == {"appeared", "changed", "newly_hidden", "no_longer_hidden"}
        back = json.loads(call("release", "diff", later, first, "--json").stdout)
        assert back["changes"] == {"appeared": 0, "gone": 1, "changed": 1, "newly_hidden": 1, "no_longer_hidden": 1}
        assert "There is no release 0009-x" in call("release", "diff", "0009-x", later, code=2).output
        assert "There is no release ../../x" in call("release", "diff", "../../x", code=2).output

    def test_embargo_is_set_shown_and_lifted(self, home: flow.Home) -> None:
        assert "There is no embargo" in call("release", "embargo").output
        assert (
            "before 2999-12-01 15:00 UTC waits until then"
            in call("release", "embargo", "--until", "2999-12-01T09:00-06:00").output
        )
        assert "before 2999-12-01 15:00 UTC" in call("release", "embargo").output
        assert "2001-01-01 00:00 UTC has passed" in call("release", "embargo", "--until", "2001-01-01", code=2).output
        assert "'tomorrow' is no point in time" in call("release", "embargo", "--until", "tomorrow", code=2).output
        call("release", "embargo", "--until", "2999-01-01", "--lift", code=2)
        held = second(home, datetime.now(UTC))["release_id"]
        assert f"{held}: embargoed until 2999-12-01" in call("release", "embargo").output
        flow.brief(home)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(flow, "unrecorded", lambda _: [])
            patch.setattr(indicator_sql, "ensure_indicator_sql", lambda _: None)
            idle = call("run").output
        assert f"Nothing waits to be processed. Release {held} is complete, audited and not published" in idle
        assert call("release", "embargo", "--lift").output.splitlines() == [
            "The embargo is lifted.",
            f"{held}: its embargo has ended; publish it with: nmip run",
        ]
        assert call("release", "embargo", "--lift").output.startswith("No embargo was set.")

    def test_audit_of_the_current_of_one_by_id_and_of_any_folder(
        self, home: flow.Home, auditor: Auditor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (first,) = release_ids(home.storage)
        later = second(home)["release_id"]
        auditor.asked.clear()
        assert f"Release {later} withstood every attack." in call("release", "audit").output
        assert "alone." in call("release", "audit", first).output
        call("release", "audit", later, "--alone")
        shutil.copytree(home.settings.home / "releases", tmp_path / "elsewhere")
        monkeypatch.setenv("NMIP_HOME", str(tmp_path / "no-home"))
        call("release", "audit", tmp_path / "elsewhere" / later)
        call("release", "audit", tmp_path / "elsewhere" / first, "--earlier", tmp_path / "elsewhere" / later)
        assert auditor.asked == [(later, (first,)), (first, ()), (later, ()), (later, (first,)), (first, (later,))]
        assert not (tmp_path / "no-home").exists()
        call("release", "audit", tmp_path / "elsewhere" / first, "--alone", "--earlier", tmp_path, code=2)
        assert "no folder of that name" in call("release", "audit", tmp_path / "nothing", code=2).output
        assert "holds no release" in call("release", "audit", tmp_path / "elsewhere", code=2).output
        assert json.loads(call("release", "audit", tmp_path, "--json", code=2).stdout)["exit_code"] == 2
        assert "Nothing has been published" in call("release", "audit", code=2).output

    def test_an_audit_that_fails_names_cells_and_tells_their_numbers_only_when_asked(
        self, home: flow.Home, auditor: Auditor, tmp_path: Path
    ) -> None:
        auditor.leaks, auditor.not_asked = LEAKS * 2, ("component 3, coalition",)
        result = call("release", "audit", code=1)
        assert "does not pass its audit" in result.output
        assert "24 leaks were found" in result.output
        assert "and 4 more" in result.output
        assert "component 3, coalition" in result.output
        told = json.loads(call("release", "audit", "--json", code=1).stdout)
        assert (told["passed"], len(told["leaks"]), "lower" in told["leaks"][0]) == (False, 24, False)
        assert json.loads(call("release", "audit", "--json", "--intervals", code=1).stdout)["leaks"][0]["upper"] == 3
        assert "[3, 3]" not in result.output

    def test_an_audit_says_that_a_file_is_not_what_the_manifest_names(self, home: flow.Home, tmp_path: Path) -> None:
        folder = tmp_path / "0001-copy"
        shutil.copytree(home.settings.home / pointer(home)["path"], folder)
        values_of(ROWS).write_parquet(folder / "indicator_values.parquet")
        pl.DataFrame({"n": [3]}).write_parquet(folder / "more.parquet")
        result = call("release", "audit", folder)
        assert "Not as the manifest says" in result.output
        assert "indicator_values, more" in result.output


def test_every_module_beside_the_audit_is_one_that_the_auditor_may_not_know() -> None:
    """The import rules list modules by name; a new one must not be forgotten there."""
    with (PROJECT_ROOT / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    auditor = next(c for c in contracts if c.get("source_modules") == ["pipelines.disclosure.audit"])
    back = next(c for c in contracts if c["type"] == "forbidden" and c["forbidden_modules"] == ["pipelines.disclosure.audit"])
    beside = {f"pipelines.disclosure.{path.stem}" for path in (PROJECT_ROOT / "pipelines/disclosure").glob("[!_]*.py")}
    assert beside <= set(auditor["forbidden_modules"])
    assert beside <= set(back["source_modules"])


def test_manifests_are_listed_by_number_and_not_by_spelling(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    for release_id in ("10000-b", "9999-a"):
        storage.write(f"releases/{release_id}/manifest.json", json.dumps({"release_id": release_id}).encode())
    assert [manifest["release_id"] for manifest in list_releases(storage)] == ["9999-a", "10000-b"]
    assert next_number(storage) == 10001

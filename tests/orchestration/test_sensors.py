"""Sensor ticks: the pure decision, and the thin shell on a real (temporary) Dagster instance."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from pipelines import flow
from pipelines.intake.deliveries import deliver
from pipelines.intake.signing import certify
from pipelines.intake.submission import in_force
from pipelines.orchestration.definitions import build_definitions
from pipelines.orchestration.run_lock import hold_run_lock, release_run_lock
from pipelines.orchestration.sensors import CAUSE_TAG, JOB, MAX_ATTEMPTS, Decision, decide
from pipelines.settings import Settings
from tests.deliveries import directory_csv, drop


def test_nothing_to_do_starts_nothing() -> None:
    assert decide(None, False, 0, "Nothing waits.") == Decision(None, "Nothing waits.")


def test_work_waits_while_a_run_is_under_way() -> None:
    assert decide("abc", True, 0, "").run_key is None


def test_every_attempt_has_a_key_of_its_own_until_the_last() -> None:
    keys = [decide("abc", False, n, "").run_key for n in range(MAX_ATTEMPTS + 1)]
    assert len(set(keys[:-1])) == MAX_ATTEMPTS
    assert keys[-1] is None
    assert "nmip run" in decide("abc", False, MAX_ATTEMPTS, "").reason


@pytest.fixture
def home(tmp_path: Path) -> flow.Home:
    return flow.Home(Settings.from_environment({"NMIP_HOME": str(tmp_path / "home")}))


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    folder = tmp_path / "dagster"
    folder.mkdir()
    with dg.DagsterInstance.local_temp(str(folder)) as instance:
        yield instance


def _tick(home: flow.Home, instance: dg.DagsterInstance, name: str) -> dg.RunRequest | dg.SkipReason:
    definitions = build_definitions(home.settings, _manifest())
    sensor = (
        definitions.resolve_sensor_def(name) if hasattr(definitions, "resolve_sensor_def") else definitions.get_sensor_def(name)
    )
    result = sensor(dg.build_sensor_context(instance=instance))
    assert isinstance(result, dg.RunRequest | dg.SkipReason)
    return result


def _manifest() -> dict[str, object]:
    model = {
        "resource_type": "model",
        "fqn": ["nmip", "marts", "m"],
        "name": "m",
        "depends_on": {"nodes": ["source.nmip.lake.school_directory"]},
        "description": "",
    }
    source = {"source_name": "lake", "name": "school_directory"}
    return {"nodes": {"model.nmip.m": model}, "sources": {"source.nmip.lake.school_directory": source}}


def test_an_empty_home_starts_nothing(home: flow.Home, instance: dg.DagsterInstance) -> None:
    assert isinstance(_tick(home, instance, "inbox"), dg.SkipReason)
    assert isinstance(_tick(home, instance, "release_due"), dg.SkipReason)


def test_a_file_is_noticed_once_and_not_again_when_it_was_handled(home: flow.Home, instance: dg.DagsterInstance) -> None:
    path = drop(home.inbox, "chicago", "school_directory", "2024-25", "a.csv", directory_csv())
    assert isinstance(_tick(home, instance, "inbox"), dg.RunRequest)
    flow.screen_inbox(home)
    assert isinstance(_tick(home, instance, "inbox"), dg.SkipReason)
    os.utime(path)  # touched, not changed: looked at again, and recognised by its content
    flow.screen_inbox(home)
    assert [s.key.number for s in in_force(home.store)] == [1]


def test_an_old_file_time_does_not_hide_a_file(home: flow.Home, instance: dg.DagsterInstance) -> None:
    path = drop(home.inbox, "chicago", "school_directory", "2024-25", "a.csv", directory_csv())
    os.utime(path, (1, 1))
    assert isinstance(_tick(home, instance, "inbox"), dg.RunRequest)


def test_many_files_are_one_run(home: flow.Home, instance: dg.DagsterInstance) -> None:
    for i in range(6):
        drop(home.inbox, "chicago", "school_directory", "2024-25", f"{i}.csv", directory_csv(n_enrolled=300 + i))
    first = _tick(home, instance, "inbox")
    assert isinstance(first, dg.RunRequest)
    instance.create_run_for_job(_empty_job(), status=dg.DagsterRunStatus.STARTING, tags=first.tags)
    assert isinstance(_tick(home, instance, "inbox"), dg.SkipReason)
    assert len(flow.screen_inbox(home)) == 6
    assert flow.waiting(home) == []


def _empty_job() -> dg.JobDefinition:
    @dg.op
    def nothing() -> None: ...

    @dg.job(name=JOB)
    def refresh() -> None:
        nothing()

    return refresh


def test_a_run_whose_process_was_killed_does_not_stop_the_next(home: flow.Home, instance: dg.DagsterInstance) -> None:
    drop(home.inbox, "chicago", "school_directory", "2024-25", "a.csv", directory_csv())
    instance.create_run_for_job(_empty_job(), status=dg.DagsterRunStatus.STARTED)
    assert isinstance(_tick(home, instance, "inbox"), dg.RunRequest)


def test_a_living_process_that_runs_keeps_the_next_waiting(home: flow.Home, instance: dg.DagsterInstance) -> None:
    drop(home.inbox, "chicago", "school_directory", "2024-25", "a.csv", directory_csv())
    hold_run_lock(home.settings)
    try:
        assert isinstance(_tick(home, instance, "inbox"), dg.SkipReason)
    finally:
        release_run_lock(home.settings)
    assert isinstance(_tick(home, instance, "inbox"), dg.RunRequest)


def test_a_failed_run_is_tried_again_with_a_new_key(home: flow.Home, instance: dg.DagsterInstance) -> None:
    drop(home.inbox, "chicago", "school_directory", "2024-25", "a.csv", directory_csv())
    keys = []
    for _ in range(MAX_ATTEMPTS):
        request = _tick(home, instance, "inbox")
        assert isinstance(request, dg.RunRequest)
        keys.append(request.run_key)
        instance.create_run_for_job(_empty_job(), status=dg.DagsterRunStatus.FAILURE, tags={CAUSE_TAG: request.tags[CAUSE_TAG]})
    assert len(set(keys)) == MAX_ATTEMPTS
    assert isinstance(_tick(home, instance, "inbox"), dg.SkipReason)


def test_the_same_file_copied_again_night_after_night_does_not_silence_the_inbox(
    home: flow.Home, instance: dg.DagsterInstance
) -> None:
    for _ in range(MAX_ATTEMPTS + 2):
        drop(home.inbox, "chicago", "school_directory", "2024-25", "nightly.csv", directory_csv())
        request = _tick(home, instance, "inbox")
        assert isinstance(request, dg.RunRequest)
        instance.create_run_for_job(_empty_job(), status=dg.DagsterRunStatus.SUCCESS, tags=request.tags)
        flow.screen_inbox(home)
    drop(home.inbox, "chicago", "school_directory", "2024-25", "nightly.csv", directory_csv(9))
    assert isinstance(_tick(home, instance, "inbox"), dg.RunRequest)


def test_a_file_that_cannot_be_read_silences_neither_other_files_nor_signatures(
    home: flow.Home, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = drop(home.inbox, "chicago", "school_directory", "2024-25", "locked.csv", directory_csv())
    read_bytes = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path == locked:
            raise PermissionError(13, "Permission denied", str(path))
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    for _ in range(MAX_ATTEMPTS):
        request = _tick(home, instance, "inbox")
        assert isinstance(request, dg.RunRequest)
        instance.create_run_for_job(_empty_job(), status=dg.DagsterRunStatus.SUCCESS, tags=request.tags)
        flow.screen_inbox(home)
    assert isinstance(_tick(home, instance, "inbox"), dg.SkipReason)
    drop(home.inbox, "houston", "school_directory", "2024-25", "d.csv", directory_csv())
    assert isinstance(_tick(home, instance, "inbox"), dg.RunRequest)
    flow.screen_inbox(home)
    (houston,) = in_force(home.store)
    assert houston.key.district == "houston"


def test_a_file_name_that_is_not_utf_8_stops_nothing(home: flow.Home, instance: dg.DagsterInstance) -> None:
    folder = drop(home.inbox, "chicago", "school_directory", "2024-25", "a.csv", directory_csv()).parent
    (Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.csv"))).write_bytes(directory_csv(5))
    assert isinstance(_tick(home, instance, "inbox"), dg.RunRequest)


def test_signing_by_hand_makes_a_release_due(home: flow.Home, instance: dg.DagsterInstance) -> None:
    from pipelines.intake.reading import DeliveredFile

    files = [DeliveredFile("a.csv", directory_csv())]
    place = ("chicago", "school_directory", "2024-25")
    (submission,) = deliver(home.store, home.settings.contracts, *place, files, "command line", "ana")
    assert isinstance(_tick(home, instance, "release_due"), dg.SkipReason)
    certify(home.store, submission, "ana", "Counted on 1 October.", "signed", "New figures.")
    assert isinstance(_tick(home, instance, "release_due"), dg.RunRequest)


def test_an_inbox_that_cannot_be_listed_is_not_an_empty_inbox(
    home: flow.Home, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(home.inbox, "chicago", "school_directory", "2024-25", "a.csv", directory_csv())

    def broken(*args: object, **kwargs: object) -> Iterator[object]:
        kwargs["onerror"](OSError(5, "Input/output error"))  # type: ignore[operator]
        return iter(())

    monkeypatch.setattr("pipelines.intake.inbox.os.walk", broken)
    with pytest.raises(Exception, match="Input/output error"):
        _tick(home, instance, "inbox")

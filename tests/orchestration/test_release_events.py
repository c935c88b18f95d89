"""What sensors make of a release that is due, refused, under embargo or announced, on a real (temporary) Dagster instance."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from click.testing import CliRunner

from pipelines import flow
from pipelines.briefing import content
from pipelines.briefing.material import NoBriefing
from pipelines.cli import nmip
from pipelines.orchestration import instance as instances
from pipelines.orchestration.dbt_assets import BRIEFING, CONVENING, RELEASE
from pipelines.orchestration.definitions import build_definitions
from pipelines.orchestration.instance import QUIET
from pipelines.orchestration.run_lock import is_run_lock_held, release_run_lock
from pipelines.orchestration.sensors import BRIEFINGS_JOB, CAUSE_TAG, JOB, MAX_ATTEMPTS
from pipelines.release import embargo
from pipelines.release.publish import release_ids
from pipelines.release.reader import read_current
from pipelines.settings import Settings
from pipelines.storage import canonical_json
from pipelines.warehouse import indicator_sql
from pipelines.warehouse.dbt import NodeResult
from tests import release_fixture
from tests.exchange_fixture import DAY, Auditor, Leak, a_home, build, stand_in, submit, value

ROWS = [value("CM1", "chicago", (40, 80))]


@pytest.fixture
def auditor(monkeypatch: pytest.MonkeyPatch) -> Auditor:
    return stand_in(monkeypatch)


@pytest.fixture
def home(tmp_path: Path, auditor: Auditor) -> Iterator[flow.Home]:
    made = a_home(tmp_path / "home")
    build(made, ROWS)
    yield made
    release_run_lock(made.settings)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    folder = tmp_path / "dagster"
    folder.mkdir()
    with dg.DagsterInstance.local_temp(str(folder)) as instance:
        yield instance


def _definitions(settings: Settings) -> dg.Definitions:
    node = {"resource_type": "model", "fqn": ["nmip", "marts", "m"], "name": "m", "depends_on": {"nodes": []}, "description": ""}
    return build_definitions(settings, {"nodes": {"model.nmip.m": node}, "sources": {}})


def _tick(home: flow.Home, instance: dg.DagsterInstance, name: str) -> dg.RunRequest | dg.SkipReason:
    sensor: Any = _definitions(home.settings).resolve_sensor_def(name)
    result = sensor(dg.build_sensor_context(instance=instance))
    assert isinstance(result, dg.RunRequest | dg.SkipReason)
    return result


def _run(home: flow.Home, instance: dg.DagsterInstance, job: str, key: dg.AssetKey) -> dg.ExecuteInProcessResult:
    made = _definitions(home.settings).resolve_job_def(job)
    return made.execute_in_process(instance=instance, raise_on_error=False, run_config=QUIET, asset_selection=[key])


def _skipped(result: dg.RunRequest | dg.SkipReason) -> str:
    assert isinstance(result, dg.SkipReason)
    return str(result.skip_message)


def test_an_announcement_starts_one_run_that_briefs_and_is_then_quiet(home: flow.Home, instance: dg.DagsterInstance) -> None:
    assert "has its briefing" in _skipped(_tick(home, instance, "release_announced"))
    flow.release(home)
    request = _tick(home, instance, "release_announced")
    assert isinstance(request, dg.RunRequest)
    again = _tick(home, instance, "release_announced")
    assert isinstance(again, dg.RunRequest)
    assert again.run_key == request.run_key
    result = _run(home, instance, BRIEFINGS_JOB, BRIEFING)
    assert result.success
    assert is_run_lock_held(home.settings)
    release_run_lock(home.settings)
    (release_id,) = release_ids(home.storage)
    assert home.storage.keys("briefings") == [f"briefings/{release_id}/changes.json", f"briefings/{release_id}/changes.md"]
    assert "has its briefing" in _skipped(_tick(home, instance, "release_announced"))


def test_a_briefing_that_fails_is_tried_again_and_not_for_ever(home: flow.Home, instance: dg.DagsterInstance) -> None:
    flow.release(home)
    (release_id,) = release_ids(home.storage)
    (home.settings.home / "releases" / release_id / "indicator_values.parquet").write_bytes(b"broken")
    result = _run(home, instance, BRIEFINGS_JOB, BRIEFING)
    release_run_lock(home.settings)
    assert not result.success
    keys = set()
    for _ in range(MAX_ATTEMPTS):
        request = _tick(home, instance, "release_announced")
        assert isinstance(request, dg.RunRequest)
        keys.add(request.run_key)
        made = _definitions(home.settings).resolve_job_def(BRIEFINGS_JOB)
        instance.create_run_for_job(made, status=dg.DagsterRunStatus.FAILURE, tags=request.tags)
    assert len(keys) == MAX_ATTEMPTS
    assert "runs for the same work failed" in _skipped(_tick(home, instance, "release_announced"))


def test_a_refused_release_fails_its_run_in_plain_words_and_is_not_tried_again_until_something_changes(
    home: flow.Home, instance: dg.DagsterInstance, auditor: Auditor
) -> None:
    assert isinstance(_tick(home, instance, "release_due"), dg.RunRequest)
    auditor.leaks = (Leak("OC4 chicago grade 4, numerator"),)
    result = _run(home, instance, JOB, RELEASE)
    assert not result.success
    (failure,) = [event for event in result.all_events if event.is_failure and event.step_key]
    said = str(failure.event_specific_data.user_failure_data.description)  # type: ignore[union-attr]
    assert "failed its audit and is not published" in said
    assert "OC4 chicago grade 4, numerator: all = english_learner" in said
    # The interval that was found is a secret, and Dagster's log is for everybody.
    assert not any("[3, 3]" in str(event) for event in result.all_events)
    waits = _skipped(_tick(home, instance, "release_due"))
    assert "failed its audit, and nothing changed since" in waits
    assert "nmip run" in waits
    submit(home, 320)
    assert isinstance(_tick(home, instance, "release_due"), dg.RunRequest)
    auditor.leaks = ()
    build(home, ROWS)
    assert _run(home, instance, JOB, RELEASE).success
    assert "made from what is in force" in _skipped(_tick(home, instance, "release_due"))


def test_a_release_under_embargo_waits_and_its_end_is_a_cause_of_its_own(
    home: flow.Home, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = _tick(home, instance, "release_due")
    assert isinstance(request, dg.RunRequest)
    embargo.set_embargo(home.storage, datetime.now(UTC) + timedelta(days=1))
    flow.release(home)
    assert "is complete and waits until" in _skipped(_tick(home, instance, "release_due"))
    assert "has its briefing" in _skipped(_tick(home, instance, "release_announced"))
    embargo.lift_embargo(home.storage)
    ended = _tick(home, instance, "release_due")
    assert isinstance(ended, dg.RunRequest)
    assert ended.tags[CAUSE_TAG] != request.tags[CAUSE_TAG]
    result = _run(home, instance, JOB, RELEASE)
    assert result.success
    assert len(release_ids(home.storage)) == 1
    assert isinstance(_tick(home, instance, "release_announced"), dg.RunRequest)


def test_an_announcement_that_was_cut_off_makes_a_release_due(home: flow.Home, instance: dg.DagsterInstance) -> None:
    made = flow.release(home, at=DAY)
    home.storage.delete(f"announcements/{made['release_id']}.json")
    assert isinstance(_tick(home, instance, "release_due"), dg.RunRequest)
    assert isinstance(_tick(home, instance, "release_announced"), dg.SkipReason)
    assert _run(home, instance, JOB, RELEASE).success
    assert isinstance(_tick(home, instance, "release_due"), dg.SkipReason)
    assert isinstance(_tick(home, instance, "release_announced"), dg.RunRequest)


def test_nmip_run_publishes_and_briefs_and_says_in_words_when_the_audit_fails(
    home: flow.Home, auditor: Auditor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refresh(refreshed: flow.Home, progress: object) -> flow.Refreshed:
        build(refreshed, ROWS)
        return flow.Refreshed((NodeResult("model.nmip.m", "m", "model", "success", "", 0.1),), (), ())

    monkeypatch.setattr(instances, "build_definitions", _definitions)
    monkeypatch.setattr(flow, "refresh_warehouse", refresh)
    monkeypatch.setattr(flow, "unrecorded", lambda _: [])
    monkeypatch.setattr(indicator_sql, "ensure_indicator_sql", lambda _: None)
    monkeypatch.setenv("NMIP_HOME", str(home.settings.home))
    auditor.leaks = tuple(Leak(f"OC4 chicago grade {grade}, numerator") for grade in range(12))
    refused = CliRunner().invoke(nmip, ["run"])
    assert refused.exit_code == 1
    assert "failed its audit and is not published" in refused.output
    assert "OC4 chicago grade 9, numerator: all = english_learner" in refused.output
    assert "and 2 more" in refused.output
    for word in ("Traceback", "[3, 3]", "grade 10"):
        assert word not in refused.output
    assert release_ids(home.storage) == []
    auditor.leaks = ()
    published = CliRunner().invoke(nmip, ["run"])
    assert published.exit_code == 0, published.output
    release_id = read_current(home.settings.home).release_id
    assert home.storage.keys("briefings") == [f"briefings/{release_id}/changes.json", f"briefings/{release_id}/changes.md"]
    assert "attacking" not in CliRunner().invoke(nmip, ["run"]).output


def test_an_announced_release_gets_a_briefing_for_each_of_its_convenings(home: flow.Home, instance: dg.DagsterInstance) -> None:
    release_id = "0001-0123456789ab"
    release_fixture.write_release(home.settings.home, release_id)
    assert flow.unbriefed_convenings(home) == ["2024", "2025"]
    assert not flow.is_briefing_due(home), "nothing was announced yet"
    home.storage.write(f"announcements/{release_id}.json", canonical_json({"release_id": release_id, "previous": None}))
    assert isinstance(_tick(home, instance, "release_announced"), dg.RunRequest)
    for convening in ("2024", "2025", "2026"):
        result = _run(home, instance, BRIEFINGS_JOB, dg.AssetKey([CONVENING, convening]))
        release_run_lock(home.settings)
        assert result.success
    made = {key.split("/")[2] for key in home.storage.keys(f"briefings/{release_id}") if key.endswith(".pptx")}
    assert made == {"2024", "2025"}, "the release knows no convening 2026"
    assert _run(home, instance, BRIEFINGS_JOB, BRIEFING).success
    release_run_lock(home.settings)
    assert "has its briefing" in _skipped(_tick(home, instance, "release_announced"))


def test_a_briefing_that_says_too_much_fails_in_words_and_leaves_nothing(
    home: flow.Home, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    release_fixture.write_release(home.settings.home, "0001-0123456789ab")
    monkeypatch.setattr(content, "_context", lambda _: {"type": "text", "text": "Chicago leads the six."})
    result = _run(home, instance, BRIEFINGS_JOB, dg.AssetKey([CONVENING, "2025"]))
    release_run_lock(home.settings)
    assert not result.success
    failed = [event for event in result.all_events if event.is_step_failure]
    assert "leads the" in str(failed[0].event_specific_data)
    assert home.storage.keys("briefings") == []


def test_a_part_of_a_briefing_does_not_take_the_place_of_the_whole(home: flow.Home) -> None:
    release_fixture.write_release(home.settings.home, "0001-0123456789ab")
    whole = {key: home.storage.read(key) for key in flow.convening_briefing(home, "2025")}
    part = flow.convening_briefing(home, "2025", formats=["html"], sections=["challenges"])
    assert part == [f"briefings/0001-0123456789ab/2025/chosen/{name}" for name in ("briefing.html", "briefing.json")]
    assert {key: home.storage.read(key) for key in whole} == whole
    assert flow.unbriefed_convenings(home) == ["2024"]


@pytest.mark.parametrize("release_id", ["../../elsewhere", "0002-000000000000", "/etc"])
def test_what_a_deck_says_it_was_made_from_leads_nowhere_else(home: flow.Home, release_id: str) -> None:
    release_fixture.write_release(home.settings.home, "0001-0123456789ab")
    with pytest.raises(NoBriefing, match="There is no release"):
        flow.convening_document(home, "2025", release_id)
    with pytest.raises(NoBriefing, match="There is no convening"):
        flow.convening_document(home, "../2025", "0001-0123456789ab")

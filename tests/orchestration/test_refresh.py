"""The refresh job on a real Dagster instance: from a dropped file to a release, and what a failure or a kill leaves."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest

from pipelines import flow
from pipelines.intake.deliveries import deliver
from pipelines.intake.reading import DeliveredFile
from pipelines.intake.signing import certify
from pipelines.intake.submission import Submission, all_submissions
from pipelines.orchestration.dbt_assets import estimates_key, extract_key
from pipelines.orchestration.definitions import build_definitions
from pipelines.orchestration.instance import RunFailed, prepare_dagster_home, run_once
from pipelines.release.publish import roll_back
from pipelines.settings import PROJECT_ROOT, Settings
from pipelines.warehouse.dbt import TABLES
from tests.deliveries import directory_csv, drop, levels_csv

PLACE = ("chicago", "assessment_levels", "2024-25")
DIRECTORY = ("chicago", "school_directory", "2024-25")
INSTRUMENT = "il_iar_math_2025"
RULE = "SD-V-PART-OVER-ENROLLED"


def _levels(shift: int = 0) -> bytes:
    lowest = {"3": 41, "4": 40, "5": 39}
    counts = {(f"{school:03d}", grade, "all"): (n + shift, 30, 20, 15) for school in range(1, 9) for grade, n in lowest.items()}
    return levels_csv(counts, INSTRUMENT)


@dataclass(frozen=True)
class Place:
    """One home whose states are kept and put back where they were made: dbt would read its whole project anew for another folder,
    which is half of a small build. The dbt project is a copy of its own, so that a model can break.
    """

    folder: Path

    @property
    def home(self) -> flow.Home:
        return self._opened("home")

    def kept(self, name: str) -> flow.Home:
        """A state to look at."""
        return self._opened(name)

    def keep(self, name: str) -> None:
        shutil.copytree(self.folder / "home", self.folder / name, symlinks=True)

    def put_back(self, name: str) -> flow.Home:
        shutil.rmtree(self.folder / "home")
        shutil.copytree(self.folder / name, self.folder / "home", symlinks=True)
        return self.home

    def _opened(self, name: str) -> flow.Home:
        return flow.Home(Settings.from_environment(self.environment | {"NMIP_HOME": str(self.folder / name)}))

    @property
    def environment(self) -> dict[str, str]:
        return {"NMIP_HOME": str(self.folder / "home"), "NMIP_DBT_PROJECT": str(self.folder / "dbt_project")}


RELEASED, RECOVERED = "released", "recovered"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, no_dbt_log: None) -> Place:
    """A home in which one directory and one file of assessment levels went the whole way."""
    place = Place(tmp_path_factory.mktemp("refresh"))
    shutil.copytree(PROJECT_ROOT / "dbt_project", place.folder / "dbt_project")
    home = place.home
    drop(home.inbox, *PLACE, "levels.csv", _levels())
    drop(home.inbox, *DIRECTORY, "directory.csv", directory_csv(8))
    run_once(home.settings)
    place.keep(RELEASED)
    return place


@pytest.fixture(scope="module")
def released(place: Place) -> flow.Home:
    """The home after its first run, to look at."""
    return place.kept(RELEASED)


@dataclass(frozen=True)
class Recovered:
    """What failed runs said and left as the pointer, whether a release was due then, and the home after the run that finished."""

    at_the_record: tuple[str, dict[str, str]]
    in_the_build: tuple[str, dict[str, str]]
    was_due: bool
    home: flow.Home


@pytest.fixture(scope="module")
def recovered(place: Place) -> Recovered:
    """A better and a bad file wait; one run fails at a record that disagrees, the next at a broken model, the third finishes."""
    home = place.put_back(RELEASED)
    drop(home.inbox, *PLACE, "more.csv", _levels(10))
    drop(home.inbox, *PLACE, "worse.csv", _levels(5).replace(b",110,", b",9,"))
    (submission,) = all_submissions(home.store, *DIRECTORY)
    disagreeing = {**home.storage.read_json(_record(submission)), "disagreements": [f"{RULE}: Great Expectations 1, NMIP 0"]}
    home.storage.write(_record(submission), json.dumps(disagreeing).encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flow, "record_validation", lambda *_: disagreeing)
        at_the_record = _failed_run(home)
    model = home.settings.dbt_project / "models/intermediate/int_core_titles.sql"
    shutil.copy2(model, place.folder)
    model.write_text(model.read_text() + "\nand no_such_column")
    in_the_build = _failed_run(home)
    shutil.copy2(place.folder / model.name, model)
    was_due = flow.is_release_due(place.home)
    run_once(home.settings)
    place.keep(RECOVERED)
    return Recovered(at_the_record, in_the_build, was_due, place.kept(RECOVERED))


def _record(submission: Submission) -> str:
    return f"{submission.key.folder}/validation.json"


def _failed_run(home: flow.Home) -> tuple[str, dict[str, str]]:
    with pytest.raises(RunFailed) as failed:
        run_once(home.settings)
    return str(failed.value), _current(home)


def _current(home: flow.Home) -> dict[str, str]:
    pointer: dict[str, str] = json.loads((home.settings.home / "releases/current.json").read_text())
    return pointer


def _values(home: flow.Home) -> pl.DataFrame:
    return pl.read_parquet(home.settings.home / _current(home)["path"] / "indicator_values.parquet")


def _proficient(home: flow.Home, grade: str) -> float:
    rows = _values(home).filter(indicator_id="OC4", grade=grade, category="proficient_or_above")
    rows = rows.filter(pl.col(name).is_null() for name in ("network_id", "school_level", "school_set"))
    return float(rows["value"].item())


def test_a_dropped_file_becomes_a_released_value(released: flow.Home) -> None:
    assert _proficient(released, "4") == pytest.approx((20 + 15) / 105)


def test_its_partition_is_materialised_and_its_checks_pass(released: flow.Home) -> None:
    prepare_dagster_home(released.settings)
    with dg.DagsterInstance.get() as instance:
        assert instance.get_materialized_partitions(extract_key("assessment_levels")) == {"chicago|2024-25"}
        assert instance.get_materialized_partitions(extract_key("school_directory")) == {"chicago|2024-25"}
        assert instance.get_materialized_partitions(extract_key("curriculum_adoption")) == set()
        for table in TABLES:
            assert instance.get_materialized_partitions(estimates_key(table)) == {"chicago|2024-25"}
        for asset in (["marts", "fct_indicator_values"], ["release"], ["submissions"]):
            assert instance.get_latest_materialization_event(dg.AssetKey(asset)) is not None
        graph = build_definitions(released.settings).resolve_asset_graph()
        checks = [key for key in graph.asset_check_keys if key.asset_key == extract_key("assessment_levels")]
        assert {key.name for key in checks} == {
            *("contract_structure", "contract_validity", "contract_plausibility", "contract_whole_file"),
            "great_expectations",
        }
        latest = instance.event_log_storage.get_latest_asset_check_execution_by_key(sorted(graph.asset_check_keys))
        assert len(latest) == len(graph.asset_check_keys)
        assert {record.status.value for record in latest.values()} == {"SUCCEEDED"}


def test_one_lineage_graph_from_submissions_to_release(released: flow.Home) -> None:
    graph = build_definitions(released.settings).resolve_asset_graph()
    upstream = graph.get_ancestor_asset_keys(dg.AssetKey("release"))
    assert {
        dg.AssetKey("submissions"),
        extract_key("assessment_levels"),
        dg.AssetKey(["staging", "stg_assessment_levels"]),
    } <= upstream
    assert dg.AssetKey(["indicators", "oc4_level_distribution"]) in upstream
    # Estimates stand between the counts that they are made of and the indicators that read them.
    assert estimates_key("positions") in graph.get_ancestor_asset_keys(dg.AssetKey(["indicators", "oc5_state_position"]))
    assert dg.AssetKey(["intermediate", "int_level_counts"]) in graph.get_ancestor_asset_keys(estimates_key("positions"))
    assert {estimates_key(table) for table in TABLES} <= upstream
    blocking = {key.name for key in graph.asset_check_keys if graph.get_check_spec(key).blocking}
    assert {"contract_structure", "contract_validity"} <= blocking


def test_the_great_expectations_record_agrees(released: flow.Home) -> None:
    for submission in all_submissions(released.store):
        record = flow.validation_record(released, submission)
        assert record is not None
        assert record["disagreements"] == []
        assert record["great_expectations"]["statistics"]["evaluated_expectations"] > 5


def test_a_bad_file_is_refused_and_the_value_of_the_file_in_force_is_released(recovered: Recovered) -> None:
    assert _proficient(recovered.home, "4") == pytest.approx((20 + 15) / 115)
    states = [s.state for s in all_submissions(recovered.home.store, *PLACE)]
    assert states == ["superseded", "certified", "corrections_needed"]


def test_a_disagreement_in_the_record_blocks_the_next_build_until_the_record_agrees(
    released: flow.Home, recovered: Recovered
) -> None:
    reason, pointer = recovered.at_the_record
    assert "contract_validity" in reason
    assert "dbt" not in reason
    assert pointer == _current(released)
    assert _current(recovered.home) != pointer
    (submission,) = all_submissions(recovered.home.store, *DIRECTORY)
    assert recovered.home.storage.read_json(_record(submission))["disagreements"] == []


def test_a_failed_build_leaves_the_earlier_release_and_the_next_run_finishes(released: flow.Home, recovered: Recovered) -> None:
    reason, pointer = recovered.in_the_build
    assert re.search(r"(?s)dbt build failed: int_core_titles: .*no_such_column", reason)
    assert pointer == _current(released)
    assert recovered.was_due
    assert _current(recovered.home) != pointer
    assert _proficient(recovered.home, "4") == pytest.approx((20 + 15) / 115)
    assert not flow.is_release_due(recovered.home)


@pytest.mark.usefixtures("recovered")
def test_a_kill_between_manifest_and_pointer_is_mended_by_the_next_run(place: Place, released: flow.Home) -> None:
    home = place.put_back(RECOVERED)
    latest = _current(home)
    pointer = home.settings.home / "releases/current.json"
    shutil.copy2(released.settings.home / "releases/current.json", pointer)
    assert flow.is_release_due(home)
    _run_without_dagster(home)
    assert _current(home) == latest
    pointer.unlink()
    assert flow.is_release_due(home)
    # The last step of a run; those before it know no pointer.
    flow.release(home)
    assert _current(home) == latest


@pytest.mark.usefixtures("recovered")
def test_a_second_run_changes_nothing_and_a_roll_back_stays_until_something_changes(place: Place, released: flow.Home) -> None:
    home = place.put_back(RECOVERED)
    first = _current(released)["release_id"]
    roll_back(home.storage, first)
    assert not flow.is_release_due(home)
    before = _released_files(home)
    run_once(home.settings)
    assert _released_files(home) == before
    assert _current(home)["release_id"] == first
    assert not flow.is_release_due(home)
    drop(home.inbox, *PLACE, "again.csv", _levels(20))
    _run_without_dagster(home)
    assert _proficient(home, "4") == pytest.approx((20 + 15) / 125)


def _run_without_dagster(home: flow.Home) -> None:
    """The steps of the job, where it does not matter who calls them."""
    flow.screen_inbox(home)
    flow.update_lake(home)
    flow.refresh_warehouse(home)
    flow.release(home)


def _released_files(home: flow.Home) -> dict[str, bytes]:
    return {key: home.storage.read(key) for key in home.storage.keys("releases")}


def _run_killed_once(place: Place, is_time: Callable[[], bool]) -> None:
    """`nmip run` in a process that is killed as soon as it is time."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pipelines.cli", "run"],
        env={**os.environ, **place.environment, "PYTHONPATH": str(PROJECT_ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while not is_time() and process.poll() is None:
        time.sleep(0.02)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "the run came to its end before it could be killed"


def test_a_killed_run_is_finished_by_the_next(place: Place) -> None:
    """One run is killed while it screens, the next when the tables of its build are half written; the third finishes."""
    home = place.put_back(RELEASED)
    before = _current(home)
    drop(home.inbox, *PLACE, "more.csv", _levels(10))
    drop(home.inbox, "houston", "school_directory", "2024-25", "d.csv", directory_csv())
    _run_killed_once(place, (home.settings.home / "submissions/chicago/assessment_levels/2024-25/002").exists)
    assert flow.waiting(home) or flow.is_release_due(home)
    built = home.settings.exchange / "fct_indicator_values.parquet"
    old = built.stat().st_mtime_ns
    _run_killed_once(place, lambda: not built.exists() or built.stat().st_mtime_ns != old)
    assert _current(home) == before
    # The second run went through what the first had left half done.
    assert flow.waiting(home) == []
    run_once(home.settings)
    assert _proficient(home, "4") == pytest.approx((20 + 15) / 115)
    assert [s.state for s in all_submissions(home.store, *PLACE)] == ["superseded", "certified"]
    assert [s.state for s in all_submissions(home.store, "houston")] == ["certified"]
    assert not flow.is_release_due(home)
    assert flow.waiting(home) == []


def test_a_signature_given_during_a_build_is_released_by_the_next(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    home = place.put_back(RELEASED)
    files = [DeliveredFile("d.csv", directory_csv())]
    (submission,) = deliver(
        home.store, home.settings.contracts, "houston", "school_directory", "2024-25", files, "command line", "ana"
    )
    update_the_lake = flow.bring_up_to_date

    def sign_right_after(*arguments: Any) -> Any:
        written = update_the_lake(*arguments)
        certify(home.store, submission, "ana", "Counted on 1 October.", "signed", "New figures.")
        return written

    monkeypatch.setattr(flow, "bring_up_to_date", sign_right_after)
    # What dbt makes of a lake without the signature is there already: the release that stands.
    monkeypatch.setattr(flow, "build", lambda *_: ())
    flow.refresh_warehouse(home)
    monkeypatch.undo()
    inputs = {entry["submission_id"] for entry in flow.release(home)["inputs"]}
    assert submission.key.submission_id not in inputs
    assert flow.is_release_due(home)
    flow.refresh_warehouse(home)
    inputs = {entry["submission_id"] for entry in flow.release(home)["inputs"]}
    assert submission.key.submission_id in inputs

"""The refresh job on a real Dagster instance: from a dropped file to a release, and what a failure or a kill leaves."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest

from pipelines import flow
from pipelines.intake.deliveries import deliver
from pipelines.intake.reading import DeliveredFile
from pipelines.intake.signing import certify
from pipelines.intake.submission import all_submissions
from pipelines.orchestration.dbt_assets import estimates_key, extract_key
from pipelines.orchestration.definitions import build_definitions
from pipelines.orchestration.instance import RunFailed, prepare_dagster_home, run_once
from pipelines.release.publish import roll_back
from pipelines.settings import PROJECT_ROOT, Settings
from pipelines.warehouse.dbt import TABLES
from tests.deliveries import directory_csv, drop, levels_csv

PLACE = ("chicago", "assessment_levels", "2024-25")
INSTRUMENT = "il_iar_math_2025"


def _levels(shift: int = 0) -> bytes:
    lowest = {"3": 41, "4": 40, "5": 39}
    counts = {(f"{school:03d}", grade, "all"): (n + shift, 30, 20, 15) for school in range(1, 9) for grade, n in lowest.items()}
    return levels_csv(counts, INSTRUMENT)


def _home(folder: Path) -> flow.Home:
    return flow.Home(Settings.from_environment({"NMIP_HOME": str(folder)}))


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> flow.Home:
    """A home in which one directory and one file of assessment levels went the whole way."""
    home = _home(tmp_path_factory.mktemp("released"))
    drop(home.inbox, *PLACE, "levels.csv", _levels())
    drop(home.inbox, "chicago", "school_directory", "2024-25", "directory.csv", directory_csv(8))
    run_once(home.settings)
    return home


def _copy(home: flow.Home, tmp_path: Path) -> flow.Home:
    shutil.copytree(home.settings.home, tmp_path / "home", symlinks=True)
    return _home(tmp_path / "home")


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


def test_a_second_run_changes_nothing(released: flow.Home, tmp_path: Path) -> None:
    home = _copy(released, tmp_path)
    before = _current(home)
    run_once(home.settings)
    assert _current(home) == before
    assert not flow.is_release_due(home)


def test_a_bad_file_is_refused_and_the_released_value_stays(released: flow.Home, tmp_path: Path) -> None:
    home = _copy(released, tmp_path)
    before = _proficient(home, "4")
    drop(home.inbox, *PLACE, "worse.csv", _levels(5).replace(b",110,", b",9,"))
    run_once(home.settings)
    assert _proficient(home, "4") == before
    states = [s.state for s in all_submissions(home.store, *PLACE)]
    assert states == ["certified", "corrections_needed"]


def test_a_disagreement_in_the_record_blocks_the_next_build_until_the_record_agrees(
    released: flow.Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = _copy(released, tmp_path)
    (submission,) = all_submissions(home.store, *PLACE)
    key = f"{submission.key.folder}/validation.json"
    disagreeing = {**home.storage.read_json(key), "disagreements": ["AL-V-LEVELS-SUM: Great Expectations 1, NMIP 0"]}
    home.storage.write(key, json.dumps(disagreeing).encode())
    drop(home.inbox, "houston", "school_directory", "2024-25", "d.csv", directory_csv())
    before = _current(home)
    monkeypatch.setattr(flow, "record_validation", lambda *_: disagreeing)
    with pytest.raises(RunFailed, match="contract_validity"):
        run_once(home.settings)
    assert _current(home) == before
    monkeypatch.undo()
    run_once(home.settings)
    assert _current(home) != before
    assert home.storage.read_json(key)["disagreements"] == []


def test_a_failed_build_leaves_the_earlier_release_and_the_next_run_finishes(released: flow.Home, tmp_path: Path) -> None:
    home = _copy(released, tmp_path)
    before = _current(home)
    drop(home.inbox, *PLACE, "more.csv", _levels(10))
    dbt_project = tmp_path / "dbt_project"
    shutil.copytree(PROJECT_ROOT / "dbt_project", dbt_project)
    model = dbt_project / "models/intermediate/int_core_titles.sql"
    model.write_text(model.read_text() + "\nand no_such_column")
    with pytest.raises(RunFailed, match=r"(?s)dbt build failed: int_core_titles: .*no_such_column"):
        run_once(Settings(home=home.settings.home, work=home.settings.work, dbt_project=dbt_project))
    assert _current(home) == before
    assert flow.is_release_due(home)
    run_once(home.settings)
    assert _current(home) != before
    assert _proficient(home, "4") == pytest.approx((20 + 15) / 115)


@pytest.mark.parametrize("seconds", [2.0, 5.0, 8.0])
def test_a_killed_run_is_finished_by_the_next(released: flow.Home, tmp_path: Path, seconds: float) -> None:
    home = _copy(released, tmp_path)
    drop(home.inbox, *PLACE, "more.csv", _levels(10))
    drop(home.inbox, "houston", "school_directory", "2024-25", "d.csv", directory_csv())
    environment = {**os.environ, "NMIP_HOME": str(home.settings.home), "PYTHONPATH": str(PROJECT_ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-m", "pipelines.cli", "run"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.05)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    run_once(home.settings)
    assert _proficient(home, "4") == pytest.approx((20 + 15) / 115)
    assert [s.state for s in all_submissions(home.store, *PLACE)] == ["superseded", "certified"]
    assert [s.state for s in all_submissions(home.store, "houston")] == ["certified"]
    assert not flow.is_release_due(home)
    assert flow.waiting(home) == []


def test_a_kill_between_manifest_and_pointer_is_mended_by_the_next_run(released: flow.Home, tmp_path: Path) -> None:
    home = _copy(released, tmp_path)
    before = (home.settings.home / "releases/current.json").read_bytes()
    drop(home.inbox, *PLACE, "more.csv", _levels(10))
    run_once(home.settings)
    latest = _current(home)
    (home.settings.home / "releases/current.json").write_bytes(before)
    assert flow.is_release_due(home)
    run_once(home.settings)
    assert _current(home) == latest
    (home.settings.home / "releases/current.json").unlink()
    assert flow.is_release_due(home)
    run_once(home.settings)
    assert _current(home) == latest


def test_a_roll_back_stays_until_something_changes(released: flow.Home, tmp_path: Path) -> None:
    home = _copy(released, tmp_path)
    first = _current(home)["release_id"]
    drop(home.inbox, *PLACE, "more.csv", _levels(10))
    run_once(home.settings)
    roll_back(home.storage, first)
    assert not flow.is_release_due(home)
    run_once(home.settings)
    assert _current(home)["release_id"] == first
    drop(home.inbox, *PLACE, "again.csv", _levels(20))
    run_once(home.settings)
    assert _proficient(home, "4") == pytest.approx((20 + 15) / 125)


def test_a_signature_given_during_a_build_is_released_by_the_next(
    released: flow.Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = _copy(released, tmp_path)
    place = ("houston", "school_directory", "2024-25")
    files = [DeliveredFile("d.csv", directory_csv())]
    (submission,) = deliver(home.store, home.settings.contracts, *place, files, "command line", "ana")
    update_the_lake = flow.bring_up_to_date

    def sign_right_after(*arguments: Any) -> Any:
        written = update_the_lake(*arguments)
        certify(home.store, submission, "ana", "Counted on 1 October.", "signed", "New figures.")
        return written

    monkeypatch.setattr(flow, "bring_up_to_date", sign_right_after)
    flow.refresh_warehouse(home)
    monkeypatch.undo()
    inputs = {entry["submission_id"] for entry in flow.release(home)["inputs"]}
    assert submission.key.submission_id not in inputs
    assert flow.is_release_due(home)
    flow.refresh_warehouse(home)
    inputs = {entry["submission_id"] for entry in flow.release(home)["inputs"]}
    assert submission.key.submission_id in inputs

"""From a file in the inbox to a released value, with the daemon running, in parts."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import dagster as dg

from pipelines.orchestration.instance import prepare_dagster_home
from pipelines.orchestration.sensors import JOB
from pipelines.settings import PROJECT_ROOT, Settings
from pipelines.warehouse.dbt import read_manifest

DIRECTORY = (
    "school_id,nces_school_id,school_name,school_level,low_grade,high_grade,is_charter,in_scope,network_id,n_enrolled,"
    "n_enrolled_in_scope,n_low_income,n_english_learner,n_disability\n"
    "001,,School 1,elementary,K,5,false,true,north,{n},300,150,40,30\n"
)
PATIENCE_SECONDS = 120
REPEATS = 3


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _wait_for_daemon(instance: dg.DagsterInstance) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        states = instance.all_instigator_state()
        if len(states) >= 2 and all(instance.get_ticks(s.instigator_origin_id, s.selector_id, limit=1) for s in states):
            return
        time.sleep(0.5)
    raise TimeoutError("the daemon did not look at its sensors")


def _measure(settings: Settings, instance: dg.DagsterInstance, number: int) -> dict[str, float]:
    pointer = settings.home / "releases" / "current.json"
    before = pointer.read_text() if pointer.exists() else ""
    path = settings.home / "inbox" / "chicago" / "school_directory" / "2024-25" / f"{number}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    dropped = time.time()
    path.write_text(DIRECTORY.format(n=400 + number))
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (pointer.read_text() if pointer.exists() else "") == before:
        if time.monotonic() > deadline:
            raise TimeoutError("no release followed the file")
        time.sleep(0.05)
    released = time.time()
    record = instance.get_run_records(dg.RunsFilter(job_name=JOB), limit=1)[0]
    steps = {}
    for event in instance.all_logs(record.dagster_run.run_id):
        if event.dagster_event and event.dagster_event.event_type_value in ("STEP_START", "STEP_SUCCESS"):
            steps[event.dagster_event.step_key, event.dagster_event.event_type_value] = event.timestamp
    requested = record.create_timestamp.timestamp()
    parts = {
        "sensor": requested - dropped,
        "start": steps["submissions", "STEP_START"] - requested,
        "screen": steps["submissions", "STEP_SUCCESS"] - steps["submissions", "STEP_START"],
        "dbt": steps["dbt_models", "STEP_SUCCESS"] - steps["submissions", "STEP_SUCCESS"],
        "release": released - steps["dbt_models", "STEP_SUCCESS"],
        "all": released - dropped,
    }
    while instance.get_run_record_by_id(record.dagster_run.run_id).dagster_run.status not in (  # type: ignore[union-attr]
        dg.DagsterRunStatus.SUCCESS,
        dg.DagsterRunStatus.FAILURE,
    ):
        time.sleep(0.2)
    return parts


def main() -> None:
    """Print the parts of each of several events in seconds."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        settings = Settings.from_environment({"NMIP_HOME": folder})
        read_manifest(settings)
        prepare_dagster_home(settings)
        environment = {**os.environ, "NMIP_HOME": folder, "PYTHONPATH": str(PROJECT_ROOT)}
        command = [str(Path(sys.executable).parent / "dagster"), "dev", "-w", str(PROJECT_ROOT / "workspace.yaml")]
        process = subprocess.Popen(
            [*command, "-h", "127.0.0.1", "-p", str(_free_port())],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            with dg.DagsterInstance.get() as instance:
                _wait_for_daemon(instance)
                for number in range(REPEATS):
                    parts = _measure(settings, instance, number)
                    shares = "  ".join(
                        f"{name} {seconds:.1f} s ({seconds / parts['all']:.0%})" for name, seconds in parts.items()
                    )
                    print(shares, flush=True)
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=60)

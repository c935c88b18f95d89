"""Dagster's own home below `work/`: written once, before anything opens it, and running the job in this process."""

from __future__ import annotations

import os

import dagster as dg

from pipelines import flow
from pipelines.orchestration.dbt_assets import SUBMISSIONS
from pipelines.orchestration.definitions import build_definitions
from pipelines.orchestration.run_lock import hold_run_lock, release_run_lock, retire_dead_runs
from pipelines.orchestration.sensors import BRIEFINGS_JOB, JOB
from pipelines.settings import Settings
from pipelines.storage import Storage

CONFIGURATION = b"""telemetry:
  enabled: false
python_logs:
  managed_python_loggers: [nmip]
run_coordinator:
  module: dagster._core.run_coordinator
  class: DefaultRunCoordinator
run_monitoring:
  enabled: true
  start_timeout_seconds: 120
  poll_interval_seconds: 10
"""


# The command line shows the steps in its own words; Dagster keeps the whole log.
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


class RunFailed(Exception):
    """A run in this process failed; the message says which step and why."""


def prepare_dagster_home(settings: Settings) -> None:
    """Make Dagster's home with its configuration, and name it in the environment of this process and its children."""
    storage = Storage(settings.dagster_home)
    if not storage.exists("dagster.yaml") or storage.read("dagster.yaml") != CONFIGURATION:
        storage.write("dagster.yaml", CONFIGURATION)
    os.environ["DAGSTER_HOME"] = str(settings.dagster_home)
    # A fresh home can break when two processes open it at once: open it here first.
    with dg.DagsterInstance.get():
        pass


def run_once(settings: Settings, is_screening_only: bool = False) -> str:
    """Run the refresh job in this process on the home's Dagster instance, and the briefings job where a release was announced;
    returns the run id of the former. Raises RunFailed.

    `is_screening_only` stops when what waited is screened and the lake is up to date: somebody signs before anything is built.
    """
    prepare_dagster_home(settings)
    definitions = build_definitions(settings)
    hold_run_lock(settings)
    try:
        if is_screening_only:
            return _run_in_process(definitions.resolve_job_def(JOB), [SUBMISSIONS])
        run_id = _run_in_process(definitions.resolve_job_def(JOB), None)
        if flow.is_briefing_due(flow.Home(settings)):
            _run_in_process(definitions.resolve_job_def(BRIEFINGS_JOB), None)
        return run_id
    finally:
        release_run_lock(settings)


def _run_in_process(job: dg.JobDefinition, selection: list[dg.AssetKey] | None) -> str:
    with dg.DagsterInstance.get() as instance:
        for job_name in (JOB, BRIEFINGS_JOB):
            retire_dead_runs(instance, job_name)
        result = job.execute_in_process(instance=instance, raise_on_error=False, run_config=QUIET, asset_selection=selection)
        if not result.success:
            failures = [event for event in result.all_events if event.is_failure and event.step_key]
            raise RunFailed("; ".join(_reason(event) for event in failures) or f"run {result.run_id} failed")
        return result.run_id


def _reason(event: dg.DagsterEvent) -> str:
    data = event.event_specific_data
    failure = getattr(data, "user_failure_data", None)
    error = getattr(data, "error", None)
    text = failure.description if failure and failure.description else (error.message if error else event.message)
    return f"{event.step_key}: {str(text).strip()}"

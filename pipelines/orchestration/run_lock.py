"""Who is running: one refresh at a time, known by a lock that the operating system frees when a process dies.

Dagster's own record of a run that was killed says STARTED for ever, and a slot of one of its pools stays taken; a file lock
does neither.
"""

from __future__ import annotations

import time

import dagster as dg
from filelock import FileLock, Timeout

from pipelines.settings import Settings

SECONDS_UNTIL_DEAD = 60
_held: dict[str, FileLock] = {}


def _path(settings: Settings) -> str:
    settings.work.mkdir(parents=True, exist_ok=True)
    return str(settings.work / "run.lock")


def hold_run_lock(settings: Settings) -> None:
    """Wait until no other process runs a refresh of this home, and keep others waiting until this process lets go or ends."""
    path = _path(settings)
    if path not in _held:
        lock = FileLock(path)
        lock.acquire()
        _held[path] = lock


def release_run_lock(settings: Settings) -> None:
    """Let the next run begin."""
    lock = _held.pop(_path(settings), None)
    if lock is not None:
        lock.release()


def is_run_lock_held(settings: Settings) -> bool:
    """Whether any living process runs a refresh of this home."""
    path = _path(settings)
    if path in _held:
        return True
    try:
        with FileLock(path).acquire(timeout=0):
            return False
    except Timeout:
        return True


def retire_dead_runs(instance: dg.DagsterInstance, job_name: str) -> None:
    """Report as failed the runs that say STARTED; to be called where no other living process holds the run lock.

    A run takes the lock in its first step; one that said STARTED for SECONDS_UNTIL_DEAD without it is dead.
    """
    for record in instance.get_run_records(dg.RunsFilter(job_name=job_name, statuses=[dg.DagsterRunStatus.STARTED])):
        if record.start_time is not None and time.time() - record.start_time >= SECONDS_UNTIL_DEAD:
            instance.report_run_failed(record.dagster_run, "The run's process ended before the run did.")

"""Sensors: a pure decision in a thin shell. What was handled is known by path and content, never by the clock.

A failed listing raises, so that it is seen as a failed tick and not as an empty inbox.
"""

from dataclasses import dataclass

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from pipelines import flow
from pipelines.orchestration.run_lock import is_run_lock_held, retire_dead_runs
from pipelines.settings import Settings
from pipelines.storage import canonical_json, sha256

JOB = "refresh"
BRIEFINGS_JOB = "briefings"
CAUSE_TAG = "nmip/cause"
MAX_ATTEMPTS = 5
# The daemon looks every 5 seconds; a minimum of 5 would make it skip every other look.
SECONDS_BETWEEN_LOOKS = 1
ABOUT_TO_START = (dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING)


@dataclass(frozen=True)
class Decision:
    """Start a run for this cause (with a key that is new for each attempt), or say why not."""

    run_key: str | None
    reason: str


def decide(cause: str | None, is_run_active: bool, n_attempts: int, nothing: str) -> Decision:
    """Whether to start a run. `cause` is a digest of what is to be done, None where there is nothing.

    The run key holds the attempt, so that a failed run is tried again at the next tick: the same key would never fire twice.
    """
    if cause is None:
        return Decision(None, nothing)
    if is_run_active:
        return Decision(None, "A run is under way; what waits is taken up after it.")
    if n_attempts >= MAX_ATTEMPTS:
        return Decision(None, f"{n_attempts} runs for the same work failed. Read the last run's error, mend it and run: nmip run")
    return Decision(f"{cause}:{n_attempts + 1}", "")


def is_run_active(settings: Settings, instance: dg.DagsterInstance) -> bool:
    """Whether a run is under way: one that is about to start, or a living process that holds the run lock.

    Dagster's own word for a run whose process was killed stays STARTED, so it does not decide.
    """
    if is_run_lock_held(settings):
        return True
    about_to_start = 0
    for job_name in (JOB, BRIEFINGS_JOB):
        retire_dead_runs(instance, job_name)
        about_to_start += instance.get_runs_count(dg.RunsFilter(job_name=job_name, statuses=list(ABOUT_TO_START)))
    return about_to_start > 0


def _attempts(context: dg.SensorEvaluationContext, cause: str | None, job_name: str) -> int:
    return context.instance.get_runs_count(dg.RunsFilter(job_name=job_name, tags={CAUSE_TAG: cause})) if cause else 0


def _tick(
    settings: Settings, context: dg.SensorEvaluationContext, cause: str | None, nothing: str, job_name: str = JOB
) -> dg.RunRequest | dg.SkipReason:
    active = is_run_active(settings, context.instance)
    decision = decide(cause, active, _attempts(context, cause, job_name), nothing)
    if decision.run_key is None or cause is None:
        return dg.SkipReason(decision.reason)
    return dg.RunRequest(run_key=decision.run_key, tags={CAUSE_TAG: cause})


def build_sensors(
    settings: Settings, job: UnresolvedAssetJobDefinition, briefings_job: UnresolvedAssetJobDefinition
) -> list[dg.SensorDefinition]:
    """The inbox sensor, the release sensor, and the one that hears a release announced."""

    @dg.sensor(
        name="inbox",
        job=job,
        minimum_interval_seconds=SECONDS_BETWEEN_LOOKS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Files that wait in the inbox: one run screens all of them, rebuilds and releases.",
    )
    def inbox(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        return _tick(settings, context, flow.waiting_digest(flow.Home(settings)), "Nothing waits in the inbox.")

    @dg.sensor(
        name="release_due",
        job=job,
        minimum_interval_seconds=SECONDS_BETWEEN_LOOKS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Something was signed, a refresh failed or an embargo ended: the release is not made from what is in force.",
    )
    def release_due(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        home = flow.Home(settings)
        in_inbox = flow.waiting_digest(home)
        if in_inbox and _attempts(context, in_inbox, JOB) < MAX_ATTEMPTS:
            return dg.SkipReason("The inbox has work; its run releases too.")
        cause = flow.release_cause(home)
        report = flow.refused(home) if cause else None
        if report is not None:
            # A release made again from the same would be refused again.
            return dg.SkipReason(
                f"Release {report['release_id']} failed its audit, and nothing changed since; it is in the working folder, "
                f"{flow.REFUSED}/{report['release_id']}.json. To try it once more: nmip run"
            )
        held = flow.under_embargo(home)
        nothing = "The release is made from what is in force."
        if held is not None and held[1] is not None:
            nothing = f"Release {held[0]} is complete and waits until {held[1].isoformat(timespec='minutes')}."
        return _tick(settings, context, cause, nothing)

    @dg.sensor(
        name="release_announced",
        job=briefings_job,
        minimum_interval_seconds=SECONDS_BETWEEN_LOOKS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="A release was announced of which nothing was made yet.",
    )
    def release_announced(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        home = flow.Home(settings)
        # A release of which a convening's briefing is missing is told by its id: it is made again from that alone.
        due = [flow.unbriefed(home), flow.unbriefed_convenings(home), flow.current_release_id(home)]
        cause = sha256(canonical_json(due)) if flow.is_briefing_due(home) else None
        return _tick(settings, context, cause, "Every announced release has its briefing.", BRIEFINGS_JOB)

    return [inbox, release_due, release_announced]

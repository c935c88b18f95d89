"""Assets in the order of the flow: submissions, extracts (written by them), dbt models, release, briefing.

One run handles a batch: the `submissions` step screens everything that waits and reports one materialisation for each
certified partition; dbt and the release follow in the same run. The briefing has a job of its own, started by an announcement.
"""

import logging
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from pipelines import flow
from pipelines.briefing.building import BriefingRefused
from pipelines.briefing.material import NoBriefing
from pipelines.contracts.codes import codes
from pipelines.contracts.contract import extract_names, load_contract
from pipelines.lake.partitions import Partition, partitions
from pipelines.orchestration.dbt_assets import (
    BRIEFING,
    CONVENING,
    RELEASE,
    SUBMISSIONS,
    estimates_key,
    extract_key,
    model_specs,
    test_specs,
)
from pipelines.orchestration.partitions import extract_partitions, partition_of
from pipelines.orchestration.run_lock import hold_run_lock
from pipelines.release.auditing import ReleaseRefused
from pipelines.release.folder import UnusableRelease
from pipelines.settings import Settings
from pipelines.warehouse.dbt import COUNTS, ESTIMATES, TABLES, BuildFailed, NodeResult

HANDLED_CHECK = "every_delivery_handled"
PROGRESS = logging.getLogger("nmip")


def extract_specs(settings: Settings) -> list[dg.AssetSpec]:
    """The extracts of the lake: materialised by the submissions step, one partition at a time."""
    return [
        dg.AssetSpec(
            extract_key(extract),
            deps=[SUBMISSIONS],
            partitions_def=extract_partitions(settings),
            description=load_contract(settings.contracts, extract).purpose,
            group_name="lake",
            kinds={"parquet"},
        )
        for extract in extract_names(settings.contracts)
    ]


def unreported(instance: dg.DagsterInstance, held: list[Partition]) -> list[Partition]:
    """Partitions of the lake whose submission Dagster was not told of yet."""
    told: dict[tuple[str, str, str], str] = {}
    for extract in {partition.extract for partition in held}:
        latest = instance.get_latest_materialization_events([extract_key(extract)])
        if latest.get(extract_key(extract)) is None:
            continue
        records = instance.fetch_materializations(extract_key(extract), limit=5000).records
        for record in reversed(records):
            event = record.asset_materialization
            if event is not None and isinstance(event.partition, dg.MultiPartitionKey):
                keys = event.partition.keys_by_dimension
                told[(extract, keys["school_year"], keys["district"])] = str(event.metadata["submission_id"].value)
    return [p for p in held if told.get((p.extract, p.school_year, p.district)) != p.submission_id]


def submissions_asset(settings: Settings) -> dg.AssetsDefinition:
    """Screen what waits in the inbox, bring the lake up to date and report its partitions."""

    @dg.asset(
        key=SUBMISSIONS,
        group_name="intake",
        check_specs=[dg.AssetCheckSpec(HANDLED_CHECK, asset=SUBMISSIONS)],
        description="The ledger of submissions: everything that waited in the inbox, screened; the lake brought up to date.",
    )
    def submissions(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        hold_run_lock(settings)
        home = flow.Home(settings)
        handled = flow.screen_inbox(home, PROGRESS.info)
        PROGRESS.info("bringing the lake up to date")
        written = flow.update_lake(home)
        for partition in unreported(context.instance, partitions(home.storage)):
            context.log_event(
                dg.AssetMaterialization(
                    extract_key(partition.extract),
                    partition=partition_of(partition.district, partition.school_year),
                    metadata={"submission_id": partition.submission_id},
                )
            )
        failures = [f"{outcome.name}: {outcome.failure}" for outcome in handled if outcome.failure]
        states = [s.state for outcome in handled for s in outcome.submissions]
        yield dg.MaterializeResult(
            asset_key=SUBMISSIONS,
            metadata={
                "deliveries": len(handled),
                "misplaced": sum(outcome.problem is not None for outcome in handled),
                "lake_partitions_written": len(written),
                **{f"submissions_{state}": states.count(state) for state in sorted(set(states))},
            },
        )
        yield dg.AssetCheckResult(
            asset_key=SUBMISSIONS,
            check_name=HANDLED_CHECK,
            passed=not failures,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"waiting": failures},
        )

    return submissions


def estimates_specs(settings: Settings, manifest: Mapping[str, Any]) -> list[dg.AssetSpec]:
    """What Python estimates between two layers of models: materialised by dbt's step, one partition at a time."""
    counts = [spec.key for unique_id, spec in model_specs(manifest).items() if unique_id.split(".")[-1] in COUNTS]
    return [
        dg.AssetSpec(
            estimates_key(table),
            deps=counts,
            partitions_def=extract_partitions(settings),
            description=description,
            group_name=ESTIMATES,
            kinds={"python", "parquet"},
        )
        for table, description in TABLES.items()
    ]


def dbt_assets(settings: Settings, manifest: Mapping[str, Any]) -> dg.AssetsDefinition:
    """All dbt models as one step: one in-process build, its results reported model by model and test by test.

    The estimates between the two layers of models are made in the same step, under one lock and from one state of the lake.
    """
    models, tests = model_specs(manifest), test_specs(manifest)
    # The step must wait for the lake, which the submissions step writes: extracts are not steps of their own.
    first = [spec.replace_attributes(deps=[*spec.deps, SUBMISSIONS]) if _reads_lake(spec) else spec for spec in models.values()]

    @dg.multi_asset(name="dbt_models", specs=first, check_specs=list(tests.values()))
    def dbt_models(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        home = flow.Home(settings)
        PROGRESS.info(f"dbt: building and testing {len(models)} models")
        try:
            refreshed = flow.refresh_warehouse(home, PROGRESS.info)
        except BuildFailed as failure:
            yield from _check_results(failure.results, tests)
            raise dg.Failure(description=str(failure)) from failure
        for table in TABLES:
            told = context.instance.get_materialized_partitions(estimates_key(table))
            for school_year, district in refreshed.partitions:
                key = partition_of(district, school_year)
                # A run that was cut off may have estimated a partition and not said so.
                if (school_year, district) in refreshed.estimated or key not in told:
                    context.log_event(dg.AssetMaterialization(estimates_key(table), partition=key))
        for result in refreshed.results:
            if result.unique_id in models:
                yield dg.MaterializeResult(asset_key=models[result.unique_id].key, metadata={"seconds": result.seconds})
        yield from _check_results(refreshed.results, tests)

    return dbt_models


def _reads_lake(spec: dg.AssetSpec) -> bool:
    return any(dep.asset_key.path[0] == "extracts" for dep in spec.deps)


def _check_results(results: tuple[NodeResult, ...], tests: Mapping[str, dg.AssetCheckSpec]) -> Iterator[dg.AssetCheckResult]:
    for result in results:
        if result.unique_id in tests:
            spec = tests[result.unique_id]
            yield dg.AssetCheckResult(
                asset_key=spec.asset_key,
                check_name=spec.name,
                passed=result.status == "pass",
                severity=dg.AssetCheckSeverity.ERROR,
                metadata={"message": result.message or "passed"},
            )


def release_asset(settings: Settings, manifest: Mapping[str, Any]) -> dg.AssetsDefinition:
    """Publish the marts as an immutable, protected release, once it withstood its audit."""
    marts = [spec.key for unique_id, spec in model_specs(manifest).items() if spec.key.path[0] == "marts"]

    @dg.asset(
        key=RELEASE,
        deps=marts,
        group_name="release",
        description="The published tables: small groups protected, attacked by the auditor, then published and announced.",
    )
    def release() -> dg.MaterializeResult[None]:
        home = flow.Home(settings)
        try:
            made = flow.release(home, PROGRESS.info)
        except (ReleaseRefused, UnusableRelease) as problem:
            raise dg.Failure(description=str(problem), allow_retries=False) from None
        return dg.MaterializeResult(
            metadata={
                "release_id": made["release_id"],
                "is_under_embargo": flow.under_embargo(home) is not None,
                **{f"rows_{name}": table["n_rows"] for name, table in made["tables"].items()},
                **{name: said for name, said in made["protection"].items() if isinstance(said, int | float | str)},
                "n_cells_attacked": made.get("audit", {}).get("n_cells_attacked", 0),
            }
        )

    return release


def briefing_asset(settings: Settings) -> dg.AssetsDefinition:
    """What is made of every announced release."""

    @dg.asset(
        key=BRIEFING, deps=[RELEASE], group_name="briefing", description="What changed with each announced release, and why."
    )
    def briefing() -> dg.MaterializeResult[None]:
        hold_run_lock(settings)
        try:
            made = flow.brief(flow.Home(settings), PROGRESS.info)
        except UnusableRelease as problem:
            raise dg.Failure(description=str(problem), allow_retries=False) from None
        return dg.MaterializeResult(metadata={"releases": made})

    return briefing


def convening_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """A briefing for each convening, made again from every release that is announced."""
    return [_convening_asset(settings, code) for code in codes(settings.contracts, "convenings")]


def _convening_asset(settings: Settings, convening_id: str) -> dg.AssetsDefinition:
    @dg.asset(
        key=dg.AssetKey([CONVENING, convening_id]),
        deps=[RELEASE],
        group_name="briefing",
        description=f"The briefing of the convening {convening_id}: slides, page and print from the current release.",
    )
    def convening() -> dg.MaterializeResult[None]:
        hold_run_lock(settings)
        home = flow.Home(settings)
        try:
            is_due = convening_id in flow.unbriefed_convenings(home)
            made = flow.convening_briefing(home, convening_id, progress=PROGRESS.info) if is_due else []
        except BriefingRefused as refused:
            raise dg.Failure(description=str(refused), allow_retries=False) from None
        except (NoBriefing, UnusableRelease) as problem:
            raise dg.Failure(description=str(problem), allow_retries=False) from None
        return dg.MaterializeResult(metadata={"files": made})

    return convening

"""All of Dagster's definitions, built from settings and dbt's manifest; importing this module does nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from pipelines.orchestration.assets import (
    briefing_asset,
    convening_assets,
    dbt_assets,
    estimates_specs,
    extract_specs,
    release_asset,
    submissions_asset,
)
from pipelines.orchestration.checks import contract_checks, record_checks
from pipelines.orchestration.sensors import BRIEFINGS_JOB, JOB, build_sensors
from pipelines.settings import Settings
from pipelines.warehouse.dbt import read_manifest


def build_definitions(settings: Settings | None = None, manifest: Mapping[str, Any] | None = None) -> dg.Definitions:
    """Fresh definitions: one lineage graph from submissions to briefing, a job up to the release and one for what
    is made of it, three sensors.
    """
    settings = settings or Settings.from_environment()
    manifest = manifest if manifest is not None else read_manifest(settings)
    submissions = submissions_asset(settings)
    models = dbt_assets(settings, manifest)
    release, briefing = release_asset(settings, manifest), briefing_asset(settings)
    convenings = convening_assets(settings)
    contract, record = contract_checks(settings), record_checks(settings)
    selection = (
        dg.AssetSelection.assets(submissions, models, release)
        | dg.AssetSelection.checks_for_assets(submissions, models)
        | dg.AssetSelection.checks(contract, record)
    )
    job = dg.define_asset_job(
        JOB,
        selection=selection,
        executor_def=dg.in_process_executor,
        description="Screen what waits, bring the lake up to date, rebuild, publish.",
    )
    briefings_job = dg.define_asset_job(
        BRIEFINGS_JOB,
        selection=dg.AssetSelection.assets(briefing, *convenings),
        executor_def=dg.in_process_executor,
        description="Make what every announced release is due.",
    )
    return dg.Definitions(
        assets=[
            submissions,
            *extract_specs(settings),
            *estimates_specs(settings, manifest),
            models,
            release,
            briefing,
            *convenings,
        ],
        asset_checks=[contract, record],
        jobs=[job, briefings_job],
        sensors=build_sensors(settings, job, briefings_job),
        executor=dg.in_process_executor,
    )

"""dbt in process: the variables it is handed, one run under one lock, and what it said.

dbt is the only writer of the warehouse file; a file lock keeps a second process waiting. dbt is imported inside the
functions that need it, because that takes seconds.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from filelock import FileLock

from pipelines.contracts.codes import labels_of_codes
from pipelines.intake import effects
from pipelines.settings import Settings
from pipelines.storage import Storage
from pipelines.warehouse.catalogue import BREAKDOWNS, catalogue_table, read_indicators
from pipelines.warehouse.indicator_sql import write_indicator_sql

# What Python estimates, from which models' tables: dbt knows the tables as sources.
ESTIMATES = "estimates"
TABLES = {
    "positions": "Where students stand in their own state, and on the scale of NAEP.",
    "gaps": "How far groups of students of one district stand apart.",
    "evenness": "How much of the variation between students lies between schools.",
}
COUNTS = ("int_level_counts", "int_school_level_counts", "int_state_levels", "int_naep_of_states", "dim_thresholds")
# Reference data that an invented network brings with it; a home of real data has none.
OWN_NAEP_RESULTS = "reference/naep_results.csv"
# The same files decide a build and whether its SQL still holds.
project_files = effects.project_files


@dataclass(frozen=True)
class NodeResult:
    """One model or test that dbt ran."""

    unique_id: str
    name: str
    resource_type: str
    status: str
    message: str
    seconds: float


class BuildFailed(Exception):
    """dbt did not succeed; the message names the nodes and what each said, `results` holds what ran."""

    def __init__(self, message: str, results: tuple[NodeResult, ...] = ()) -> None:
        super().__init__(message)
        self.results = results


def dbt_variables(settings: Settings) -> dict[str, Any]:
    """The variables that the project reads: where things lie, and the indicator models of the folder."""
    indicators = read_indicators(settings.dbt_project)
    return {
        "home": str(settings.home),
        "has_own_naep_results": (settings.home / OWN_NAEP_RESULTS).is_file(),
        "lake": str(settings.home / "lake"),
        "exchange": str(settings.exchange),
        "contracts": str(settings.contracts),
        "breakdowns": list(BREAKDOWNS),
        "indicator_models": [
            {
                "model": indicator.model,
                "id": indicator.indicator_id,
                "definition_version": indicator.definition_version,
                "unit": indicator.unit,
                "interval": indicator.interval,
                "breakdowns": list(indicator.breakdowns),
                "measures": list(indicator.measures),
            }
            for indicator in indicators
        ],
    }


def write_inputs(settings: Settings, submissions: pl.DataFrame, expected: pl.DataFrame) -> None:
    """Hand the ledger, what is expected, the indicator catalogue and the codes' labels to dbt as Parquet under `exchange/`."""
    exchange = Storage(settings.exchange)
    for key, table in (
        ("ledger/submissions.parquet", submissions),
        ("ledger/expected_extracts.parquet", expected),
        ("catalogue/indicators.parquet", catalogue_table(read_indicators(settings.dbt_project))),
        ("catalogue/codes.parquet", labels_of_codes(settings.contracts)),
    ):
        buffer = io.BytesIO()
        table.write_parquet(buffer)
        exchange.write(key, buffer.getvalue())


def warehouse_lock(settings: Settings) -> FileLock:
    """Held by whoever writes the lake or the warehouse, so that a build reads one state of the lake."""
    settings.work.mkdir(parents=True, exist_ok=True)
    return FileLock(settings.work / "warehouse.lock")


@contextmanager
def _environment(settings: Settings) -> Iterator[None]:
    values = {"NMIP_WAREHOUSE": str(settings.warehouse), "NMIP_EXCHANGE": str(settings.exchange)}
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def invoke(settings: Settings, arguments: Sequence[str]) -> tuple[NodeResult, ...]:
    """Run one dbt command in process; the caller holds `warehouse_lock`. Raises BuildFailed."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    for folder in (settings.warehouse.parent, settings.exchange, settings.work / "dbt"):
        folder.mkdir(parents=True, exist_ok=True)
    call = [
        "--quiet",
        "--no-use-colors",
        "--log-path",
        str(settings.work / "dbt" / "logs"),
        *arguments,
        "--project-dir",
        str(settings.dbt_project),
        "--profiles-dir",
        str(settings.dbt_project),
        "--target-path",
        str(settings.work / "dbt" / "target"),
        "--vars",
        json.dumps(dbt_variables(settings)),
    ]
    with _environment(settings):
        try:
            outcome = dbtRunner().invoke(call)
        finally:
            # dbtRunner keeps the warehouse open, and its lock with it, until the adapter's connections are closed.
            DuckDBConnectionManager.close_all_connections()
    results = tuple(_node_result(entry) for entry in getattr(outcome.result, "results", None) or [])
    failed = [result for result in results if result.status in ("error", "fail")]
    if not outcome.success:
        said = "; ".join(f"{result.name}: {result.message}" for result in failed) or str(outcome.exception or "no reason given")
        raise BuildFailed(f"dbt {arguments[0]} failed: {said}", results)
    return results


def _node_result(entry: Any) -> NodeResult:
    return NodeResult(
        unique_id=entry.node.unique_id,
        name=entry.node.name,
        resource_type=str(entry.node.resource_type),
        status=str(entry.status),
        message=entry.message or "",
        seconds=round(entry.execution_time, 3),
    )


# What Python estimates stands between two layers of models: those that give it counts, and those that read what it made of them.
READS_ESTIMATES = f"source:{ESTIMATES}+"


def build(settings: Settings, estimate: Callable[[], None]) -> tuple[NodeResult, ...]:
    """Build every model and run every data test, with `estimate` between the two layers; unit tests are for developers.

    Leaves the SQL of the indicators in the working folder too, for the intake to show what a signature would change. Raises
    BuildFailed.
    """
    version = effects.indicator_sql_version(settings.dbt_project, settings.contracts)
    everything = ["build", "--exclude-resource-type", "unit_test"]
    first = invoke(settings, [*everything, "--exclude", READS_ESTIMATES])
    before = last_manifest(settings)
    estimate()
    try:
        second = invoke(settings, [*everything, "--select", READS_ESTIMATES])
    except BuildFailed as failure:
        raise BuildFailed(str(failure), first + failure.results) from failure
    write_indicator_sql(settings, _compiled_in_either(before, last_manifest(settings)), version)
    return first + second


def _compiled_in_either(first: Mapping[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """The second manifest with the SQL of what only the first run compiled."""
    nodes = {
        name: node | {"compiled_code": node.get("compiled_code") or first["nodes"].get(name, {}).get("compiled_code")}
        for name, node in second["nodes"].items()
    }
    return second | {"nodes": nodes}


def last_manifest(settings: Settings) -> dict[str, Any]:
    """The manifest that dbt wrote last, whatever the project holds now. Raises FileNotFoundError where it never ran."""
    manifest: dict[str, Any] = json.loads(_manifest_path(settings).read_text(encoding="utf-8"))
    return manifest


def _manifest_path(settings: Settings) -> Path:
    return settings.work / "dbt" / "target" / "manifest.json"


def read_manifest(settings: Settings) -> dict[str, Any]:
    """dbt's manifest of the project, parsed anew when there is none or the project changed since."""
    path = _manifest_path(settings)
    newest = max(file.stat().st_mtime for file in project_files(settings.dbt_project))
    if not path.is_file() or path.stat().st_mtime < newest:
        with warehouse_lock(settings):
            invoke(settings, ["parse"])
    return last_manifest(settings)

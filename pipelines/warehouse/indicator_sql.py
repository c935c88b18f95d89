"""The SQL of the indicators as one document that runs without dbt: compiled models in order, over plain table names.

It is kept in the working folder after every build, so that the intake can show what a signature would change without the
warehouse. Reading and running it stands in `pipelines.intake.effects`; running dbt stands in `warehouse.dbt`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from pipelines.contracts.column_rules import identifier
from pipelines.intake.effects import holds_for, indicator_sql_version
from pipelines.settings import Settings
from pipelines.storage import Storage, canonical_json
from pipelines.warehouse.catalogue import BREAKDOWNS, Indicator, read_indicators

FINAL = "fct_indicator_values"
# What a district's own files and the contracts hold. Anything else is made between two builds.
KINDS = ("lake", "codes")


class IndicatorSqlError(Exception):
    """The project's indicators cannot be written as plain SQL; the message names what stands in the way."""


def indicator_sql(manifest: Mapping[str, Any], indicators: Sequence[Indicator]) -> dict[str, Any]:
    """The document, from dbt's manifest after a compile or a build. Raises IndicatorSqlError.

    `sources`: by table name, which extract, code list or seed to put there. `models`: in the order in which they can be made, the
    last one being `fct_indicator_values`; `reads` names models and sources. `breakdowns`, `indicators`: what the values are
    split by and called. An indicator that reads anything but extracts and code lists (an estimate, for one, which Python makes
    between two builds) keeps its place as a table without rows and is marked as not computed.
    """
    everything: Mapping[str, Any] = {**manifest["nodes"], **manifest["sources"]}
    final = next((name for name, node in everything.items() if (node["resource_type"], node["name"]) == ("model", FINAL)), None)
    if final is None:
        raise IndicatorSqlError(f"dbt's manifest has no model {FINAL}")
    joined = everything[final]["depends_on"]["nodes"]
    left_out = {name for name in joined if not all(_is_plain(everything[one]) for one in _upstream(name, everything))}
    models = {indicator.model for indicator in indicators}
    stray = sorted(_short(name) for name in left_out if everything[name]["name"] not in models)
    if stray:
        raise IndicatorSqlError(f"{FINAL} reads {', '.join(stray)}, which no district's files and no code list can give")
    reads = _upstream(final, everything, left_out)
    order = [name for name in TopologicalSorter(reads).static_order() if name in reads]
    tables = {everything[name]["relation_name"]: identifier(_short(name)) for name in order if everything[name]["relation_name"]}
    columns = {name: column["data_type"] for name, column in everything[final]["columns"].items()}
    return {
        "sources": {_short(name): _source(everything[name]) for name in order if _is_source(everything[name])},
        "models": [
            {
                "name": _short(name),
                # What dbt keeps as a view stays one, but for indicators: those that do not change are then made once.
                "kind": "VIEW" if everything[name]["config"]["materialized"] == "view" and name not in joined else "TABLE",
                "reads": sorted(_short(parent) for parent in reads[name]),
                "sql": _without_rows(columns) if name in left_out else _with_tables(everything[name], tables),
            }
            for name in order
            if not _is_source(everything[name])
        ],
        "breakdowns": [name for name in columns if name in BREAKDOWNS],
        "indicators": [
            {
                "indicator_id": indicator.indicator_id,
                "title": indicator.name,
                "counts": indicator.counts,
                "direction": indicator.direction,
                "is_computed": indicator.model not in {everything[name]["name"] for name in left_out},
            }
            for indicator in indicators
        ],
    }


def write_indicator_sql(settings: Settings, manifest: Mapping[str, Any], version: str) -> None:
    """Keep the SQL that dbt compiled last; `version` is of the files as they were before it did. Raises IndicatorSqlError."""
    document = indicator_sql(manifest, read_indicators(settings.dbt_project))
    document |= {"version": version, "dbt_project": str(settings.dbt_project)}
    path = settings.indicator_sql
    Storage(path.parent).write(path.name, canonical_json(document))


def ensure_indicator_sql(settings: Settings) -> Path:
    """Where the SQL of the indicators lies, compiled anew (some seconds) when there is none or the project changed since.

    Waits for whoever holds `warehouse_lock`, so its holder must not call this. Raises BuildFailed, IndicatorSqlError.
    """
    # A build writes the document too, so dbt's module knows this one.
    from pipelines.warehouse.dbt import invoke, last_manifest, warehouse_lock

    def is_current() -> bool:
        return holds_for(settings.indicator_sql, settings.dbt_project, settings.contracts)

    if not is_current():
        with warehouse_lock(settings):
            # What held the lock may have been a build, which wrote it.
            if not is_current():
                version = indicator_sql_version(settings.dbt_project, settings.contracts)
                invoke(settings, ["compile"])
                write_indicator_sql(settings, last_manifest(settings), version)
    return settings.indicator_sql


def _upstream(name: str, everything: Mapping[str, Any], left_out: Iterable[str] = ()) -> dict[str, list[str]]:
    """The node and all that it is made from, each with what it reads; what is left out reads nothing."""
    found: dict[str, list[str]] = {}
    waiting = [name]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found[one] = [] if one in left_out else list(everything[one].get("depends_on", {}).get("nodes", []))
            waiting += found[one]
    return found


def _is_source(node: Mapping[str, Any]) -> bool:
    return node["resource_type"] in ("source", "seed")


def _source(node: Mapping[str, Any]) -> dict[str, Any]:
    if node["resource_type"] == "seed":
        types = node["config"]["column_types"]
        return {"kind": "seed", "name": node["name"], "path": node["original_file_path"], "columns": types}
    return {"kind": node["source_name"], "name": node["name"]}


def _is_plain(node: Mapping[str, Any]) -> bool:
    """Whether a node is an SQL model, an extract, a code list or a seed."""
    if node["resource_type"] == "source":
        return node["source_name"] in KINDS
    if node["resource_type"] == "seed":
        return True
    return bool(node["resource_type"] == "model" and node["language"] == "sql")


def _with_tables(node: Mapping[str, Any], tables: Mapping[str, str]) -> str:
    """A model's compiled SQL with plain table names in place of dbt's."""
    sql = node.get("compiled_code")
    if not sql:
        raise IndicatorSqlError(f"dbt has not compiled {node['name']}")
    for relation, table in tables.items():
        sql = sql.replace(relation, table)
    return str(sql)


def _without_rows(columns: Mapping[str, str]) -> str:
    """SQL of a table that has the columns of an indicator and no rows."""
    return f"SELECT {', '.join(f'CAST(NULL AS {kind}) AS {identifier(name)}' for name, kind in columns.items())} WHERE false"


def _short(unique_id: str) -> str:
    """`oc9_participation` of `model.nmip.oc9_participation`, `lake.school_directory` of `source.nmip.lake.school_directory`."""
    return unique_id.split(".", 2)[2]

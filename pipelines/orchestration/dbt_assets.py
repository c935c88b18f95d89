"""dbt's models as asset specs and its data tests as check specs, read from its manifest. Pure functions.

`dagster-dbt` is not used: importing it costs seconds in every run and it starts dbt as a process of its own, where an
in-process build takes one (docs/decisions/one-run-is-one-batch.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from pipelines.warehouse.dbt import ESTIMATES

SUBMISSIONS = dg.AssetKey("submissions")
RELEASE = dg.AssetKey("release")
BRIEFING = dg.AssetKey("briefing")
CONVENING = "convening"


def extract_key(extract: str) -> dg.AssetKey:
    """The asset of one extract in the lake."""
    return dg.AssetKey(["extracts", extract])


def estimates_key(table: str) -> dg.AssetKey:
    """The asset of one table that Python estimates between two layers of models."""
    return dg.AssetKey([ESTIMATES, table])


def model_key(node: Mapping[str, Any]) -> dg.AssetKey:
    """The asset of one dbt model: its layer and its name."""
    return dg.AssetKey([node["fqn"][1], node["name"]])


def _key_of(unique_id: str, manifest: Mapping[str, Any]) -> dg.AssetKey | None:
    if unique_id in manifest["nodes"]:
        node = manifest["nodes"][unique_id]
        return model_key(node) if node["resource_type"] == "model" else None
    source = manifest["sources"].get(unique_id)
    if source is None:
        return None
    if source["source_name"] == "lake":
        return extract_key(source["name"])
    if source["source_name"] == ESTIMATES:
        return estimates_key(source["name"])
    return SUBMISSIONS if source["source_name"] == "ledger" else None


def model_specs(manifest: Mapping[str, Any]) -> dict[str, dg.AssetSpec]:
    """One asset spec for each model, by dbt's unique id, with the dependencies that dbt knows."""
    specs = {}
    for unique_id, node in sorted(manifest["nodes"].items()):
        if node["resource_type"] == "model":
            upstream = [_key_of(parent, manifest) for parent in node["depends_on"]["nodes"]]
            specs[unique_id] = dg.AssetSpec(
                model_key(node),
                deps=sorted({key for key in upstream if key is not None}, key=str),
                description=node["description"],
                group_name=node["fqn"][1],
                kinds={"dbt", "duckdb"},
            )
    return specs


def test_specs(manifest: Mapping[str, Any]) -> dict[str, dg.AssetCheckSpec]:
    """One blocking check spec for each data test of a model, by dbt's unique id."""
    specs = {}
    for unique_id, node in sorted(manifest["nodes"].items()):
        attached = manifest["nodes"].get(node.get("attached_node") or "")
        if node["resource_type"] == "test" and attached is not None and attached["resource_type"] == "model":
            specs[unique_id] = dg.AssetCheckSpec(
                node["name"][:90] + "_" + unique_id.rsplit(".", 1)[-1],
                asset=model_key(attached),
                blocking=True,
            )
    return specs

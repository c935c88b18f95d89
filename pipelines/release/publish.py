"""Build a release from what dbt left under `exchange/`, and make it the current one.

Tables are written first, the manifest after them, the pointer last: a killed call leaves the earlier release current.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.disclosure.suppression import CATEGORIES, DISTRIBUTION, Protected, Relation, protect
from pipelines.frames import read_external
from pipelines.release.comparisons import protected_comparisons
from pipelines.storage import Storage, canonical_json, sha256

ROOT = "releases"
CURRENT = f"{ROOT}/current.json"
# Each of these breakdowns splits what a district's value counts (its schools, a programme's cohorts): parts add up to the whole.
PARTS_OF_A_DISTRICT = ("network_id", "school_level", "school_set", "cohort")
TABLES = {
    "indicator_values": "fct_indicator_values",
    "comparisons": "fct_comparisons",
    "verdicts": "dim_verdicts",
    "link_backtest": "fct_link_backtest",
    "link_backtest_summary": "fct_link_backtest_summary",
    "naep_results": "fct_naep_results",
    "submissions": "fct_submissions",
    "expected_extracts": "fct_expected_extracts",
    "school_changes": "fct_school_changes",
    "indicators": "dim_indicators",
    "instruments": "dim_instruments",
    "districts": "dim_districts",
    "programs": "dim_programs",
    "thresholds": "dim_thresholds",
    "codes": "dim_codes",
    "district_context": "fct_district_context",
}


@dataclass(frozen=True)
class ReleaseInputs:
    """What a release says about where it comes from.

    `submissions`: submission id to the digest of its delivered bytes; published only keyed. `versions`: free text by name.
    """

    kind: str
    fingerprint: str
    created_at: str
    minimum_n: int
    submissions: Mapping[str, str]
    versions: Mapping[str, Any]


def current_manifest(storage: Storage) -> dict[str, Any] | None:
    """The manifest of the current release, or None where nothing was published yet."""
    if not storage.exists(CURRENT):
        return None
    manifest: dict[str, Any] = storage.read_json(f"{storage.read_json(CURRENT)['path']}/manifest.json")
    return manifest


def latest_manifest(storage: Storage) -> dict[str, Any] | None:
    """The manifest of the release that was built last, which after a roll-back is not the current one."""
    built = [name for name in storage.keys(ROOT) if name.endswith("/manifest.json")]
    manifest: dict[str, Any] | None = storage.read_json(built[-1]) if built else None
    return manifest


def digest_key(storage: Storage, environment: Mapping[str, str]) -> bytes:
    """The key of published digests: `NMIP_DIGEST_KEY`, else one made for this home and readable by its owner only."""
    if environment.get("NMIP_DIGEST_KEY"):
        return environment["NMIP_DIGEST_KEY"].encode()
    if storage.create("digest.key", secrets.token_hex(32).encode()):
        storage.path("digest.key").chmod(0o600)
    return storage.read("digest.key")


def relations(grades: pl.DataFrame, subgroups: pl.DataFrame, courses: Sequence[str]) -> list[Relation]:
    """The relations between published values: pooled grades, student groups that make up all, courses."""
    order = {row["code"]: int(row["sort_order"]) for row in grades.filter(pl.col("is_pooled") == "false").to_dicts()}
    found = [
        Relation(
            "grade",
            row["code"],
            tuple(g for g, place in order.items() if order[row["low_grade"]] <= place <= order[row["high_grade"]]),
        )
        for row in grades.filter(pl.col("is_pooled") == "true").to_dicts()
    ]
    pairs = subgroups.filter(pl.col("complement_of").is_not_null())
    found += [
        Relation("subgroup", "all", (row["code"], row["complement_of"]))
        for row in pairs.to_dicts()
        if row["code"] < row["complement_of"]
    ]
    whole = subgroups.filter(pl.col("complement_of").is_null() & (pl.col("code") != "all"))
    for dimension in whole["dimension"].unique(maintain_order=True):
        found.append(Relation("subgroup", "all", tuple(whole.filter(dimension=dimension)["code"])))
    return [*found, Relation("course", None, tuple(courses))]


def protected_values(
    values: pl.DataFrame, indicators: pl.DataFrame, published_relations: Sequence[Relation], minimum_n: int
) -> Protected:
    """Indicator values as they may leave: districts only (never a school's), small groups protected."""
    outgoing = values.filter(pl.col("unit_type") == "district")
    people, nothing = (indicators.filter(counts=kind)["indicator_id"].to_list() for kind in ("people", "nothing"))
    groups = [Relation(name, None, tuple(outgoing[name].drop_nulls().unique().sort())) for name in PARTS_OF_A_DISTRICT]
    return protect(outgoing, minimum_n, [*published_relations, *groups], people, nothing)


def without_small_groups(table: pl.DataFrame, minimum_n: int) -> pl.DataFrame:
    """Null every count of students (`n_` but for `n_…schools…`) that is small, or that leaves few of `n_enrolled`."""
    students = [name for name in table.columns if name.startswith("n_") and "schools" not in name]

    def is_small(count: pl.Expr) -> pl.Expr:
        return (count > 0) & (count < minimum_n)

    small = {name: is_small(pl.col(name)) | is_small(pl.col("n_enrolled") - pl.col(name)) for name in students}
    return table.with_columns(pl.when(is_it).then(None).otherwise(pl.col(name)).alias(name) for name, is_it in small.items())


def publish(
    storage: Storage, exchange: Path, inputs: ReleaseInputs, published_relations: Sequence[Relation], key: bytes
) -> dict[str, Any]:
    """Write the next release and make it current; returns its manifest."""
    tables = {name: read_external(exchange / f"{model}.parquet") for name, model in TABLES.items()}
    protected = protected_values(tables["indicator_values"], tables["indicators"], published_relations, inputs.minimum_n)
    for name in ("school_changes", "district_context"):
        tables[name] = without_small_groups(tables[name], inputs.minimum_n)
    tables["indicator_values"] = protected.values.sort("indicator_id", *DISTRIBUTION[1:], *CATEGORIES, nulls_last=False)
    tables["comparisons"] = protected_comparisons(tables["comparisons"], tables["indicator_values"], tables["verdicts"])
    number = 1 + len({name.split("/")[1] for name in storage.keys(ROOT) if name.endswith("/manifest.json")})
    release_id = f"{number:04d}-{inputs.fingerprint[:12]}"
    folder = f"{ROOT}/{release_id}"
    contents = {name: _parquet(table) for name, table in tables.items()}
    for name, content in contents.items():
        storage.write(f"{folder}/{name}.parquet", content)
    manifest = {
        "release_id": release_id,
        "created_at": inputs.created_at,
        "kind": inputs.kind,
        "fingerprint": inputs.fingerprint,
        "minimum_n": inputs.minimum_n,
        "inputs": [
            {
                "submission_id": submission_id,
                "keyed_digest": hmac.new(key, digest.encode(), hashlib.sha256).hexdigest(),
            }
            for submission_id, digest in sorted(inputs.submissions.items())
        ],
        "protection": {"n_values_primary": protected.n_primary, "n_values_complementary": protected.n_complementary},
        "tables": {name: {"sha256": sha256(content), "n_rows": tables[name].height} for name, content in contents.items()},
        **inputs.versions,
    }
    storage.write(f"{folder}/manifest.json", canonical_json(manifest))
    make_current(storage, release_id)
    return manifest


def make_current(storage: Storage, release_id: str, rolled_back_from: str | None = None) -> None:
    """Point at a release; `rolled_back_from` names the newer one that an operator turned away from."""
    pointer = {"release_id": release_id, "path": f"{ROOT}/{release_id}"}
    if rolled_back_from:
        pointer["rolled_back_from"] = rolled_back_from
    storage.write(CURRENT, canonical_json(pointer))


def was_made_current(storage: Storage, latest: Mapping[str, Any]) -> bool:
    """Whether the pointer names the latest release, or an operator turned away from it; otherwise its publishing was cut off."""
    if not storage.exists(CURRENT):
        return False
    pointer = storage.read_json(CURRENT)
    return latest["release_id"] in (pointer["release_id"], pointer.get("rolled_back_from"))


def _parquet(table: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    table.write_parquet(buffer, compression="zstd", statistics=False)
    return buffer.getvalue()


class ReleaseNotFound(Exception):
    """There is no release of that id; the message lists those that there are."""


def list_releases(storage: Storage) -> list[dict[str, Any]]:
    """Manifests of all releases, oldest first."""
    return [storage.read_json(name) for name in storage.keys(ROOT) if name.endswith("/manifest.json")]


def roll_back(storage: Storage, release_id: str) -> None:
    """Make an earlier release current again. Raises ReleaseNotFound."""
    known = [manifest["release_id"] for manifest in list_releases(storage)]
    if release_id not in known:
        raise ReleaseNotFound(f"there is no release {release_id!r}; there are: {', '.join(known) or 'none yet'}")
    latest = known[-1]
    make_current(storage, release_id, rolled_back_from=latest if latest != release_id else None)

"""Estimates between two layers of dbt: counts that dbt left under `exchange/` become positions, links, gaps and evenness.

Files go back as dbt's source `estimates`, one for each table, school year and district; a partition whose counts, state, NAEP
results, thresholds and code are as they were is not estimated again. How estimates are made of counts stands in `estimating`;
what becomes of them, and whether two may be compared, stands in dbt.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache
from pathlib import Path

import polars as pl

from pipelines.frames import read_external
from pipelines.settings import Settings
from pipelines.storage import Storage, canonical_json, sha256
from pipelines.warehouse.dbt import ESTIMATES
from pipelines.warehouse.estimating import SCHEMAS, Counts, estimated

DIGESTS = f"{ESTIMATES}/digests.json"


def read_counts(exchange: Path) -> Counts:
    """The tables that dbt's first layer left under `exchange`."""
    tables = {
        name: read_external(exchange / f"{model}.parquet")
        for name, model in (
            ("districts", "int_level_counts"),
            ("schools", "int_school_level_counts"),
            ("states", "int_state_levels"),
            ("naep", "int_naep_of_states"),
            ("thresholds", "dim_thresholds"),
        )
    }
    return Counts(
        tables["districts"],
        tables["schools"],
        tables["states"],
        tables["naep"],
        dict(tables["thresholds"].select("threshold_id", "value").iter_rows()),
    )


def bring_estimates_up_to_date(settings: Settings, progress: Callable[[str], None] = lambda _: None) -> list[tuple[str, str]]:
    """Estimate every partition whose inputs changed; returns those, as (school year, district).

    A killed call leaves whole files only; what it had not noted as done is done again.
    """
    storage, counts = Storage(settings.exchange), read_counts(settings.exchange)
    done: dict[str, str] = storage.read_json(DIGESTS) if storage.exists(DIGESTS) else {}
    for table, schema in SCHEMAS.items():
        key, content = f"{ESTIMATES}/{table}/_empty.parquet", _parquet(pl.DataFrame(schema=schema))
        if not storage.exists(key) or storage.read(key) != content:
            storage.write(key, content)
    wanted = sorted({*counts.districts.select("school_year", "district").unique().iter_rows()})
    written = []
    for school_year, district in wanted:
        part, name = counts.of(school_year, district), _partition(school_year, district)
        digest = sha256(canonical_json([part.digest(), _code_digest()]))
        if done.get(name) == digest and all(storage.exists(f"{ESTIMATES}/{table}/{name}") for table in SCHEMAS):
            continue
        progress(f"estimating {district} {school_year}")
        # Files that are being replaced count as done for no inputs, whatever comes of this call.
        if done.pop(name, None) is not None:
            storage.write(DIGESTS, canonical_json(done))
        for table, estimates in estimated(part).items():
            storage.write(f"{ESTIMATES}/{table}/{name}", _parquet(estimates))
        done[name] = digest
        storage.write(DIGESTS, canonical_json(done))
        written.append((school_year, district))
    kept = {_partition(*place) for place in wanted}
    for key in storage.keys(ESTIMATES):
        if key.endswith("/estimates.parquet") and key.split("/", 2)[2] not in kept:
            storage.delete(key)
    storage.write(DIGESTS, canonical_json({name: digest for name, digest in done.items() if name in kept}))
    return written


def estimated_partitions(settings: Settings) -> list[tuple[str, str]]:
    """Every partition that has estimates, as (school year, district)."""
    storage = Storage(settings.exchange)
    parts = [key.split("/") for key in storage.keys(f"{ESTIMATES}/{next(iter(SCHEMAS))}") if key.endswith("/estimates.parquet")]
    return sorted((year.removeprefix("school_year="), district.removeprefix("district=")) for _, _, year, district, _ in parts)


def _partition(school_year: str, district: str) -> str:
    return f"school_year={school_year}/district={district}/estimates.parquet"


@cache
def _code_digest() -> str:
    package = Path(__file__).resolve().parent
    files = [*sorted((package.parent / "estimation").glob("*.py")), package / "estimates.py", package / "estimating.py"]
    return sha256("\n".join(sha256(file.read_bytes()) for file in files).encode())


def _parquet(table: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    table.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()

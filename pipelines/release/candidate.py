"""A candidate: what dbt left under `exchange/`, protected and written as a release, but where nobody reads releases.

The same inputs give the same bytes: nothing here looks at a clock. Whether the candidate may be published is the auditor's to
say, and publishing does not belong here.
"""

from __future__ import annotations

import hashlib
import hmac
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import polars.selectors as cs

from pipelines.frames import read_external
from pipelines.release.folder import VALUE_KEY, VALUES
from pipelines.release.publish import remove
from pipelines.storage import Storage, canonical_json, sha256

if TYPE_CHECKING:
    from pipelines.disclosure.suppression import Memory
    from pipelines.release.protection import ProtectedTables

Progress = Callable[[str], None]
CANDIDATES = "candidate"
SIGNIFICANT_DIGITS = 12
# What is published, and the model of dbt's that it is made from.
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
    "convenings": "dim_convenings",
    "focal_questions": "dim_focal_questions",
    "commitments": "fct_commitments",
    "district_focus": "fct_district_focus",
}


@dataclass(frozen=True)
class ReleaseInputs:
    """What a release is made from besides dbt's tables, and what it says about where it comes from.

    `created_at`: the latest event among what it is made from, never the time of the build. `minimum_n`: the project's own.
    `submissions`: submission id to the digest of its delivered bytes; published only keyed. `versions`: free text by name.
    `declared`: tables that come from declarations instead of data, by the name under which they are published.
    """

    kind: str
    fingerprint: str
    created_at: str
    minimum_n: int
    submissions: Mapping[str, str]
    versions: Mapping[str, Any]
    declared: Mapping[str, pl.DataFrame] = field(default_factory=dict)


def write_candidate(
    work: Storage,
    exchange: Path,
    inputs: ReleaseInputs,
    key: bytes,
    release_id: str,
    earlier: Sequence[Mapping[str, pl.DataFrame]] = (),
    deadline_seconds: float | None = None,
    progress: Progress = lambda _: None,
    hidden_places: Sequence[Mapping[str, str]] = (),
    memory: Memory | None = None,
) -> str:
    """Write the candidate `release_id` below `work`, in place of an earlier one; returns its folder there.

    `earlier`: published tables of earlier releases, oldest first. `hidden_places`: where the auditor got something back of an
    earlier attempt, so that everything of the place is hidden. The manifest is written last.
    """
    tables = {name: without_noise(read_external(exchange / f"{model}.parquet")) for name, model in TABLES.items()}
    tables |= inputs.declared
    tables["districts"] = with_strictest_minimum(tables["districts"], inputs.minimum_n)
    progress(f"protecting small groups in {tables[VALUES].height:,} values")
    # Each district's own minimum stands in the table of districts; the largest is only what the manifest says of all of them.
    protected = protect(tables, inputs.minimum_n, earlier, deadline_seconds, progress, hidden_places, memory)
    # dbt leaves the other tables in an order of their own.
    outgoing = protected.tables | {VALUES: protected.tables[VALUES].sort(*VALUE_KEY, nulls_last=False)}
    contents = {name: as_parquet(table) for name, table in sorted(outgoing.items())}
    manifest = {
        "release_id": release_id,
        "created_at": inputs.created_at,
        "kind": inputs.kind,
        "fingerprint": inputs.fingerprint,
        "project_minimum_n": inputs.minimum_n,
        "minimum_n": max([inputs.minimum_n, *tables["districts"]["minimum_n"].to_list()]),
        "inputs": [
            {"submission_id": submission_id, "keyed_digest": hmac.new(key, digest.encode(), hashlib.sha256).hexdigest()}
            for submission_id, digest in sorted(inputs.submissions.items())
        ],
        "protection": dict(protected.summary),
        "tables": {name: {"sha256": sha256(content), "n_rows": outgoing[name].height} for name, content in contents.items()},
        **inputs.versions,
    }
    folder = f"{CANDIDATES}/{release_id}"
    remove(work, CANDIDATES, [])
    for name, content in contents.items():
        work.write(f"{folder}/{name}.parquet", content)
    work.write(f"{folder}/manifest.json", canonical_json(manifest))
    return folder


def protect(
    tables: Mapping[str, pl.DataFrame],
    minimum_n: int,
    earlier: Sequence[Mapping[str, pl.DataFrame]],
    deadline_seconds: float | None,
    progress: Progress,
    hidden_places: Sequence[Mapping[str, str]] = (),
    memory: Memory | None = None,
) -> ProtectedTables:
    """The tables as they may leave."""
    # Solvers take part of a second to import, and most commands never protect.
    from pipelines.release.protection import protected_tables

    return protected_tables(
        tables,
        minimum_n,
        earlier=earlier,
        deadline_seconds=deadline_seconds,
        progress=progress,
        hidden_places=hidden_places,
        memory=memory,
    )


def with_strictest_minimum(districts: pl.DataFrame, minimum_n: int) -> pl.DataFrame:
    """`districts` with `minimum_n`: the strictest of the project's, the state's and the district's own."""
    own = pl.col("minimum_n").cast(pl.Int64).fill_null(minimum_n) if "minimum_n" in districts.columns else pl.lit(minimum_n)
    return districts.with_columns(pl.max_horizontal(own, pl.lit(minimum_n)).cast(pl.Int64).alias("minimum_n"))


def without_noise(table: pl.DataFrame) -> pl.DataFrame:
    """A table with its numbers to twelve digits: sums that are added up in another order differ after these."""
    return table.with_columns(cs.float().round_sig_figs(SIGNIFICANT_DIGITS))


def as_parquet(table: pl.DataFrame) -> bytes:
    """A table as the bytes that are published."""
    buffer = io.BytesIO()
    table.write_parquet(buffer, compression="zstd", statistics=False)
    return buffer.getvalue()

"""Partition files of the lake: typed from the contract, replaced atomically, the same bytes for the same submission."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipelines.contracts.contract import extract_names, load_contract
from pipelines.contracts.typed_table import partition_schema, typed_rows
from pipelines.intake.store import SubmissionStore
from pipelines.intake.submission import Submission, in_force, read_rows
from pipelines.storage import Storage

ROOT = "lake"


@dataclass(frozen=True, order=True)
class Partition:
    """One file of the lake and the submission that it holds."""

    extract: str
    school_year: str
    district: str
    submission_id: str


def partition_key(extract: str, school_year: str, district: str) -> str:
    """Where a partition lies below the home."""
    return f"{ROOT}/{extract}/school_year={school_year}/district={district}/extract.parquet"


def _parquet(table: pl.DataFrame, submission_id: str) -> bytes:
    buffer = io.BytesIO()
    table.write_parquet(buffer, compression="zstd", metadata={"submission_id": submission_id})
    return buffer.getvalue()


def partitions(storage: Storage) -> list[Partition]:
    """What the lake holds, sorted. The submission is read from each file's metadata."""
    found = []
    for name in storage.keys(ROOT):
        parts = name.split("/")
        if len(parts) == 5 and parts[4] == "extract.parquet":
            submission_id = pl.read_parquet_metadata(storage.path(name))["submission_id"]
            found.append(
                Partition(parts[1], parts[2].removeprefix("school_year="), parts[3].removeprefix("district="), submission_id)
            )
    return sorted(found)


def ensure_empty_extracts(storage: Storage, contracts_folder: Path) -> None:
    """Every extract has a typed file without rows, so that one that nobody sent yet does not break a reader."""
    for extract in extract_names(contracts_folder):
        contract = load_contract(contracts_folder, extract)
        content = _parquet(pl.DataFrame(schema=partition_schema(contract)), "")
        key = f"{ROOT}/{extract}/_empty.parquet"
        if not storage.exists(key) or storage.read(key) != content:
            storage.write(key, content)


def bring_up_to_date(
    storage: Storage, store: SubmissionStore, contracts_folder: Path, certified: Iterable[Submission] | None = None
) -> list[Partition]:
    """Make the lake hold the submissions in force (or those `certified` that the caller read); returns what was written.

    A killed call leaves whole files only, and the next call writes what is missing.
    """
    ensure_empty_extracts(storage, contracts_folder)
    held = {(p.extract, p.school_year, p.district): p.submission_id for p in partitions(storage)}
    return [
        _write(storage, store, contracts_folder, submission)
        for submission in (in_force(store) if certified is None else certified)
        if held.get((submission.key.extract, submission.key.school_year, submission.key.district)) != submission.key.submission_id
    ]


def _write(storage: Storage, store: SubmissionStore, contracts_folder: Path, submission: Submission) -> Partition:
    key = submission.key
    contract = load_contract(contracts_folder, key.extract)
    table = typed_rows(read_rows(store, submission), contract, key.district, key.school_year, key.submission_id)
    storage.write(partition_key(key.extract, key.school_year, key.district), _parquet(table, key.submission_id))
    return Partition(key.extract, key.school_year, key.district, key.submission_id)

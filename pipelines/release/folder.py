"""Reading the folder of a release, wherever it lies: its manifest and its tables, checked far enough to be worked with.

The folder may come from anywhere, so nothing in it is trusted: what cannot be used is said in one sentence. Which release is
current, and what is done with the tables, does not belong here.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

VALUES = "indicator_values"
# What tells one value from another; the columns of an older release that lacks one are null there.
VALUE_KEY = (
    "indicator_id",
    "district",
    "school_year",
    "unit_type",
    "unit_id",
    "network_id",
    "school_level",
    "school_set",
    "grade",
    "subgroup",
    "course",
    "respondent",
    "audience",
    "program_id",
    "cohort",
    "instrument",
    "administration",
    "category",
    "statistic",
)
_NUMBERS = ("numerator", "denominator", "value", "standard_error", "lower", "upper", "n", "n_schools", "response_rate")
_RANGE = ("at_least", "at_most")
# The columns that a table must have before anything can be said about it.
NEEDED_TO_READ: Mapping[str, Sequence[str]] = {VALUES: ("indicator_id", "district", "school_year", "value", "symbol")}
NEEDED_TO_AUDIT: Mapping[str, Sequence[str]] = {
    VALUES: (*VALUE_KEY, *_NUMBERS, *_RANGE, "unit", "symbol", "sources"),
    "counts": ("indicator_id", "statistic", "role", "count", "by", "of"),
    "relations": ("relation", "column", "total", "part", "is_whole", "indicator_id", "instrument"),
    "indicators": ("indicator_id", "counts", "unit", "estimated_from"),
    "districts": ("code", "minimum_n"),
}
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_NUMBER = re.compile(r"(\d{4,9})-")
_FAILURES = (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException, ValueError)


class UnusableRelease(Exception):
    """A folder holds no release that can be worked with; the message says in one sentence what is wrong with which file."""


@dataclass(frozen=True)
class ReleaseFolder:
    """One release as its files say it. `altered` names the tables whose bytes are not those that the manifest names, and those
    that it does not name.
    """

    release_id: str
    folder: Path
    manifest: Mapping[str, Any]
    tables: Mapping[str, pl.DataFrame]
    altered: tuple[str, ...] = ()


class TablesOnDisk(Mapping[str, pl.DataFrame]):
    """The tables of a folder by name, each read whenever it is asked for: many releases fit into memory one table at a time."""

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self._folder = folder
        self._names = tuple(names)

    def __getitem__(self, name: str) -> pl.DataFrame:
        if name not in self._names:
            raise KeyError(name)
        return _read_table(self._folder / f"{name}.parquet")

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def release_number(release_id: str) -> int | None:
    """The number that a release's id begins with, or None where the name is no such id."""
    found = _NUMBER.match(release_id)
    return int(found.group(1)) if found else None


def read_folder(
    folder: Path, needed: Mapping[str, Sequence[str]] = NEEDED_TO_READ, is_checked: bool = False, is_kept: bool = False
) -> ReleaseFolder:
    """The release in `folder`, with every Parquet file there, also one that the manifest does not name.

    `needed`: the columns that tables must have. `is_checked` compares every file with the manifest's SHA-256; `is_kept` reads
    all tables now and keeps them in memory, otherwise each is read whenever it is asked for. Raises UnusableRelease.
    """
    if not folder.is_dir():
        raise UnusableRelease(f"{folder} is not a folder.")
    manifest = _read_manifest(folder)
    named, there = set(manifest["tables"]), {path.stem for path in folder.glob("*.parquet") if path.is_file()}
    odd = sorted(name for name in named if not _PLAIN_NAME.fullmatch(name))
    if odd:
        raise UnusableRelease(f"The manifest of {folder} names a table that no file can be called: {odd[0][:60]!r}.")
    missing = sorted((named | set(needed)) - there)
    if missing:
        raise UnusableRelease(
            f"The table {missing[0]} is missing from {folder}: there is no file {missing[0]}.parquet."
            + (" Releases made before tables could be audited lack it." if missing[0] not in named else "")
        )
    names = sorted(there)
    for name in names:
        columns = _columns(folder / f"{name}.parquet")
        lacking = [column for column in needed.get(name, ()) if column not in columns]
        if lacking:
            raise UnusableRelease(
                f"The table {name} in {folder} has no column {lacking[0]}, so it is not the table of a release."
            )
    altered = tuple(name for name in names if is_checked and not _is_as_named(folder, name, manifest))
    tables: Mapping[str, pl.DataFrame] = TablesOnDisk(folder, names)
    if is_kept:
        tables = dict(tables)
    return ReleaseFolder(manifest["release_id"], folder, manifest, tables, altered)


def earlier_siblings(folder: Path) -> list[Path]:
    """The folders beside `folder` that hold a release with a smaller number, smallest first."""
    own = release_number(folder.name)
    if own is None or not folder.parent.is_dir():
        return []
    others = [(release_number(path.name), path) for path in folder.parent.iterdir() if (path / "manifest.json").is_file()]
    earlier = [(number, path) for number, path in others if number is not None and number < own]
    return [path for _, path in sorted(earlier)]


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / "manifest.json"
    if not path.is_file():
        raise UnusableRelease(f"{folder} holds no release: there is no manifest.json in it.")
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as problem:
        raise UnusableRelease(f"The manifest of {folder} cannot be read as JSON.") from problem
    if not isinstance(manifest, dict) or not isinstance(manifest.get("release_id"), str):
        raise UnusableRelease(f"The manifest of {folder} names no release_id.")
    tables = manifest.get("tables")
    if not isinstance(tables, dict) or not all(isinstance(entry, dict) for entry in tables.values()):
        raise UnusableRelease(f"The manifest of {folder} does not say which tables the release has.")
    return manifest


def _columns(path: Path) -> list[str]:
    try:
        return list(pl.read_parquet_schema(path))
    except _FAILURES as problem:
        raise UnusableRelease(f"{path} cannot be read as a Parquet file.") from problem


def _read_table(path: Path) -> pl.DataFrame:
    try:
        # Not mapped into memory, so that the file may be replaced while it is in use.
        return pl.read_parquet(path, memory_map=False, hive_partitioning=False)
    except _FAILURES as problem:
        raise UnusableRelease(f"{path} cannot be read as a Parquet file.") from problem


def _is_as_named(folder: Path, name: str, manifest: Mapping[str, Any]) -> bool:
    named = manifest["tables"].get(name, {}).get("sha256")
    return bool(named == hashlib.sha256((folder / f"{name}.parquet").read_bytes()).hexdigest())
